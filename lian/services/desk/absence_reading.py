"""Reading absences: one's own, those one stands in for, and one's team's, with who does the work (TSK-4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor, staff_actor_id, staff_ids
from lian.db.tables import Absence, Staff
from lian.domain.absences import stand_in_of
from lian.domain.errors import Invalid
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk.absences import account_of, end_of, find_absence, is_within_reach
from lian.services.substitutes import away_now, ends_at

MOST = 500


class AbsenceState(StrEnum):
    """How an absence stands at a moment."""

    ON = "on"
    AHEAD = "ahead"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody with an account."""

    username: str
    name: str
    actor_id: str
    team: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceSeen:
    """An absence with the people in it. `works` does their work at this moment, while it is on."""

    absence: Absence
    person: Colleague
    substitute: Colleague | None
    works: Colleague | None
    state: AbsenceState
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Choices:
    """For whom somebody may note an absence beside themselves, and who may stand in."""

    people: Sequence[Colleague] = field(default_factory=list)
    substitutes: Sequence[Colleague] = field(default_factory=list)


async def list_absences(
    context: Context, actor: Actor, *, whose: str = "mine", are_over: bool = False, limit: int = 100
) -> list[AbsenceSeen]:
    """Absences that are on or ahead, the next first; with `are_over` those that are over, the latest first.

    `whose` is `mine`, `covered` for those in which one is named to stand in, or `team`, which needs
    `absence:write_others`: one's own team's, or everybody's for whoever may hand out any team's work.
    """
    actor.require("absence:write")
    now = context.now()
    is_over = (ends_at() <= now) | (ends_at() <= col(Absence.away_from))
    order = ends_at().desc() if are_over else col(Absence.away_from)
    statement = select(Absence).join(Staff, col(Staff.id) == col(Absence.staff_id)).where(_of(actor, whose))
    statement = statement.where(is_over if are_over else (col(Absence.away_until) > now) & ~is_over)
    async with context.transaction() as session:
        found = (await session.execute(statement.order_by(order, col(Absence.id)).limit(min(limit, MOST)))).scalars()
        return await _seen(session, list(found), now)


def _of(actor: Actor, whose: str) -> ColumnElement[bool]:
    if whose == "mine":
        return col(Absence.staff_id) == account_of(actor)
    if whose == "covered":
        return col(Absence.substitute_id) == account_of(actor)
    if whose != "team":
        raise Invalid("That is not one of the choices.", field="whose")
    actor.require("absence:write_others")
    return true() if actor.may("task:assign_any") else col(Staff.team) == actor.team


async def show_absence(context: Context, actor: Actor, absence_id: UUID) -> AbsenceSeen:
    """One absence. Raises `NotFound` for one that is not within reach."""
    async with context.transaction() as session:
        absence = await find_absence(session, actor, absence_id)
        return (await _seen(session, [absence], context.now()))[0]


async def _seen(session: AsyncSession, absences: Sequence[Absence], now: datetime) -> list[AbsenceSeen]:
    named = await away_now(session, now)
    works = {person: stand_in_of(person, named) for person in named}
    ids = {one.staff_id for one in absences} | {one.substitute_id for one in absences}
    ids |= {*staff_ids(worker for worker in works.values() if worker)}
    people = await _colleagues(session, ids - {None})
    return [
        AbsenceSeen(
            absence=one,
            person=people[staff_actor_id(one.staff_id)],
            substitute=people.get(staff_actor_id(one.substitute_id)) if one.substitute_id else None,
            works=people.get(works.get(staff_actor_id(one.staff_id)) or ""),
            state=_state(one, now),
            ends_at=end_of(one),
        )
        for one in absences
    ]


def _state(absence: Absence, now: datetime) -> AbsenceState:
    if end_of(absence) <= max(now, absence.away_from):
        return AbsenceState.OVER
    return AbsenceState.ON if absence.away_from <= now else AbsenceState.AHEAD


async def _colleagues(session: AsyncSession, ids: Iterable[UUID | None]) -> dict[str, Colleague]:
    found = (await session.execute(select(Staff).where(col(Staff.id).in_(list(ids))))).scalars()
    return {staff_actor_id(staff.id): _colleague(staff) for staff in found}


def _colleague(staff: Staff) -> Colleague:
    return Colleague(staff.username, staff.name, staff_actor_id(staff.id), staff.team)


async def choices_for(context: Context, actor: Actor) -> Choices:
    """For whom the actor may note an absence beside themselves, and who may stand in for somebody."""
    actor.require("absence:write")
    async with context.transaction() as session:
        found = await session.execute(select(Staff).where(col(Staff.active)).order_by(col(Staff.name), col(Staff.id)))
        staff = list(found.scalars())
    others = [one for one in staff if staff_actor_id(one.id) != actor.id]
    able = {one.id for one in others if actor_for(one).may("task:claim")}
    return Choices(
        people=[_colleague(one) for one in others if one.id in able and is_within_reach(actor, one)],
        substitutes=[_colleague(one) for one in staff if actor_for(one).may("task:claim")],
    )
