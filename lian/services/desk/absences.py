"""Absences: noted for oneself or for one's team, with somebody who stands in, and ended early (TSK-4).

An absence moves no work. It says whose lists show the work meanwhile, and who may take some of it over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor, staff_actor_id, staff_ids
from lian.db.tables import Absence, Staff
from lian.domain.absences import LONGEST_ABSENCE, Away, circle_with
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.services.context import Context
from lian.services.desk.standing_in import return_to_the_back
from lian.services.desk.tasks import colleague
from lian.services.substitutes import ends_at

ONE_AT_A_TIME = "absences"
"""Name of the lock: two absences noted at once could make a circle that neither of them sees."""
NO_ABSENCE = "There is no absence with this id."
OTHER_TEAM = "They are in another team."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAbsence:
    """An absence from an instant up to another; `of` and `substitute` are user names, empty for oneself and nobody."""

    away_from: datetime
    away_until: datetime
    of: str = ""
    substitute: str = ""


# --- noting -----------------------------------------------------------------------------------------------------------


async def note_absence(context: Context, actor: Actor, new: NewAbsence) -> Absence:
    """Say that somebody is away. Needs `absence:write`; for others of one's team `absence:write_others`.

    Whoever may hand out any team's work may do it for anybody. Raises `Invalid` for a time that is past, in the wrong
    order or too long, and for a substitute who takes no tasks on; `Conflict` when they are away then already, or when
    people would stand in for each other in a circle.
    """
    actor.require("absence:write")
    _refuse_time(new, context.now())
    async with context.transaction() as session:
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(ONE_AT_A_TIME))))
        person = await _whose(session, actor, new.of)
        substitute = await _substitute(session, person, new.substitute)
        absence = Absence(
            id=uuid4(),
            staff_id=account_of(person),
            substitute_id=account_of(substitute) if substitute else None,
            away_from=new.away_from,
            away_until=new.away_until,
            noted_at=context.now(),
            noted_by=actor.id,
        )
        meanwhile = await _during(session, absence, context.now())
        _refuse_twice(absence, meanwhile)
        await _refuse_circle(session, absence, meanwhile)
        session.add(absence)
    return absence


def _refuse_time(new: NewAbsence, now: datetime) -> None:
    if new.away_until <= new.away_from:
        raise Invalid("The last day is before the first.", field="away_until")
    if new.away_until <= now:
        raise Invalid("This time is over already.", field="away_until")
    if new.away_until - new.away_from > LONGEST_ABSENCE:
        raise Invalid("An absence lasts three years at most.", field="away_until")


async def _whose(session: AsyncSession, actor: Actor, username: str) -> Actor:
    """Whose absence it is. Raises `NotAllowed` beyond one's reach."""
    if not username:
        return actor
    person = await colleague(session, username, "of")
    refuse_out_of_reach(actor, person.id, person.team)
    return person


def refuse_out_of_reach(actor: Actor, person: str, team: str) -> None:
    """One's own absences, one's team's, or everybody's. Raises `NotAllowed`."""
    if person == actor.id:
        return
    actor.require("absence:write_others")
    if team != actor.team and not actor.may("task:assign_any"):
        raise NotAllowed(OTHER_TEAM)


async def _substitute(session: AsyncSession, person: Actor, username: str) -> Actor | None:
    if not username:
        return None
    substitute = await colleague(session, username, "substitute")
    if substitute.id == person.id:
        raise Invalid("Nobody stands in for themselves.", field="substitute")
    if not substitute.may("task:claim"):
        raise Invalid("They take no tasks on, so they cannot stand in for anybody.", field="substitute")
    return substitute


def account_of(person: Actor) -> UUID:
    """The account behind somebody. Raises `NotAllowed` for the system and for customers."""
    for account in staff_ids([person.id]):
        return account
    raise NotAllowed("Only somebody with an account can be away.")


async def _during(session: AsyncSession, absence: Absence, now: datetime) -> list[Absence]:
    """Everybody's absences that share a moment with this one, from now on: what is past does not matter any more."""
    begin = max(absence.away_from, now)
    statement = select(Absence).where(
        col(Absence.away_until) > begin,
        col(Absence.away_from) < absence.away_until,
        ends_at() > begin,
        ends_at() > col(Absence.away_from),
    )
    return list((await session.execute(statement)).scalars())


def _refuse_twice(absence: Absence, meanwhile: Iterable[Absence]) -> None:
    if any(other.staff_id == absence.staff_id for other in meanwhile):
        raise Conflict("An absence is noted for this time already.", field="away_from")


async def _refuse_circle(session: AsyncSession, absence: Absence, meanwhile: Iterable[Absence]) -> None:
    circle = circle_with(_away(absence), map(_away, meanwhile))
    if circle:
        found = select(Staff.id, Staff.name).where(col(Staff.id).in_(circle))
        names = {row.id: row.name for row in await session.execute(found)}
        words = " → ".join(names.get(person, str(person)) for person in circle)
        raise Conflict(f"They would stand in for each other in a circle: {words}.", field="substitute")


def _away(absence: Absence) -> Away[UUID]:
    return Away(
        person=absence.staff_id,
        substitute=absence.substitute_id,
        away_from=absence.away_from,
        away_until=end_of(absence),
    )


def end_of(absence: Absence) -> datetime:
    """When an absence ends: as planned, or when somebody was back."""
    return min(absence.away_until, absence.ended_at or absence.away_until)


async def end_absence(context: Context, actor: Actor, absence_id: UUID) -> Absence:
    """Somebody is back, or the absence is called off. What their substitute has not begun is theirs again at once.

    Needs what noting it needs. Raises `NotFound` for one that is not within reach, `Conflict` when it is over.
    """
    actor.require("absence:write")
    async with context.transaction() as session:
        absence = await find_absence(session, actor, absence_id)
        if end_of(absence) <= context.now():
            raise Conflict("This absence is over already.")
        absence.ended_at, absence.ended_by = context.now(), actor.id
    await return_to_the_back(context, of=staff_actor_id(absence.staff_id))
    return absence


async def find_absence(session: AsyncSession, actor: Actor, absence_id: UUID) -> Absence:
    """The absence, locked. Raises `NotFound` for one that is not within the actor's reach."""
    absence = await session.get(Absence, absence_id, with_for_update=True)
    person = await session.get(Staff, absence.staff_id) if absence else None
    if absence is None or person is None or not is_within_reach(actor, person):
        raise NotFound(NO_ABSENCE)
    return absence


def is_within_reach(actor: Actor, person: Staff) -> bool:
    """Whether the actor may note absences of this account, and read them."""
    try:
        refuse_out_of_reach(actor, staff_actor_id(person.id), person.team)
    except NotAllowed:
        return False
    return True
