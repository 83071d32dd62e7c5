"""Who is away at a moment, and who does their work meanwhile (TSK-4). Read by the desk, and by whatever tells people.

Nothing is moved by it: the work stays whose it is. Ids are the journal's, such as `staff:...`.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor, staff_actor_id
from lian.db.tables import Absence, Staff
from lian.domain.absences import stand_in_of


def ends_at() -> ColumnElement[datetime]:
    """When an absence ends: as planned, or when somebody was back."""
    return func.least(col(Absence.away_until), func.coalesce(col(Absence.ended_at), col(Absence.away_until)))


def is_on(now: datetime) -> ColumnElement[bool]:
    """The condition on `absences`: on at this moment. Its first part is what the index finds few rows by."""
    return (col(Absence.away_until) > now) & (col(Absence.away_from) <= now) & (ends_at() > now)


async def away_now(session: AsyncSession, now: datetime) -> dict[str, str | None]:
    """Everybody who is away, and whom they named; None for nobody, or somebody whose account is closed since."""
    statement = (
        select(Absence.staff_id, Staff.id)
        .outerjoin(Staff, (col(Staff.id) == col(Absence.substitute_id)) & col(Staff.active))
        .where(is_on(now))
    )
    rows = (await session.execute(statement)).all()
    return {staff_actor_id(person): _actor_id(substitute) for person, substitute in rows}


def _actor_id(staff_id: UUID | None) -> str | None:
    return staff_actor_id(staff_id) if staff_id else None


async def substitutes_now(session: AsyncSession, now: datetime) -> dict[str, str]:
    """Everybody who is away, and who does their work in the end; empty for nobody."""
    named = await away_now(session, now)
    return {person: stand_in_of(person, named) or "" for person in named}


async def substitute_of(session: AsyncSession, person: str, now: datetime) -> str:
    """Who does the work of somebody who is away; empty when they are not, or nobody does."""
    return (await substitutes_now(session, now)).get(person, "")


async def stands_in_for(session: AsyncSession, actor: Actor, now: datetime) -> frozenset[str]:
    """Whose work the actor does beside their own at this moment (TSK-4)."""
    substitutes = await substitutes_now(session, now)
    return frozenset(person for person, substitute in substitutes.items() if substitute == actor.id)
