"""What people of ours can do and take: team, skills, capacity, and who they are as customers (TSK-3, TSK-5).

Whoever is a customer, too, gets none of their own cases. Linking an account bars those there are at once, also closed
ones, which may live again; a case that is reported later bars itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import String, cast, literal
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.journal import lock_chain
from lian.db.tables import Case, CaseBar, Party, Person, Staff
from lian.domain import journal as j
from lian.domain.desk import ConflictReason
from lian.domain.errors import Invalid, NotFound, Unavailable
from lian.domain.skills import check_skills
from lian.services.context import Context
from lian.services.recording import SYSTEM, put_on_record

log = structlog.get_logger()

MOST_CAPACITY = 500
MOST_BARRED = 200
"""Cases that one round closes to people of ours, each in a transaction of its own."""
_TEAM = re.compile("[A-Za-z0-9_-]{0,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """What changes about somebody; None leaves it as it is.

    `skills` are all they have from now on, each with its last day or None; `capacity` 0 stands for the house's own
    figure; `person` is the reference of a customer in the register, empty for nobody.
    """

    team: str | None = None
    skills: Mapping[str, date | None] | None = None
    capacity: int | None = None
    person: str | None = None


async def set_staffing(context: Context, actor: Actor, username: str, given: Staffing) -> Staff:
    """Change what is known of a member of staff; returns the account. Needs `staff:write`.

    Raises `NotFound` for an account that there is not, and `Invalid` for a team, skill, capacity or customer that
    cannot be.
    """
    actor.require("staff:write")
    _check(given)
    async with context.transaction() as session:
        query = select(Staff).where(Staff.username == username).with_for_update()
        staff = (await session.execute(query)).scalars().first()
        if staff is None:
            raise NotFound("There is no account with this user name.")
        for name, value in (await _changes(session, given)).items():
            setattr(staff, name, value)
    if staff.person_id is not None:
        # After the link is there: what is reported from now on bars itself, what was before is found here.
        await bar_own_cases(context, staff.id)
    return staff


def _check(given: Staffing) -> None:
    if given.team is not None and not _TEAM.fullmatch(given.team):
        raise Invalid("A team is a code of at most 40 letters, digits, - and _.", field="team")
    if given.capacity is not None and not 0 <= given.capacity <= MOST_CAPACITY:
        raise Invalid(f"A capacity lies between 0 and {MOST_CAPACITY}.", field="capacity")
    if given.skills is not None:
        check_skills(given.skills)


async def _changes(session: AsyncSession, given: Staffing) -> dict[str, Any]:
    """Column to value, of what is given."""
    changes: dict[str, Any] = {"team": given.team, "capacity": given.capacity}
    if given.skills is not None:
        changes["skills"] = {skill: until.isoformat() if until else "" for skill, until in given.skills.items()}
    found = {name: value for name, value in changes.items() if value is not None}
    return found | ({"person_id": await _person(session, given.person)} if given.person is not None else {})


async def _person(session: AsyncSession, reference: str) -> UUID | None:
    if not reference:
        return None
    person = (await session.execute(select(Person.id).where(Person.external_ref == reference))).scalars().first()
    if person is None:
        raise Invalid("There is no customer with this reference.", field="person")
    return person


# --- own cases --------------------------------------------------------------------------------------------------------


async def bar_own_cases(context: Context, staff_id: UUID | None = None) -> int:
    """See that no case is for somebody who takes part in it; returns how many were. Safe to repeat.

    Of one account, or of all: the watchdog asks for what was reported in the very moment somebody was linked.
    """
    barred = 0
    for case_id, who in await _own_cases(context, staff_id):
        try:
            barred += await _bar(context, case_id, who)
        except Unavailable:  # somebody is writing to the case: the next round will find it
            log.warning("barring_waits", case_id=str(case_id))
    return barred


async def _own_cases(context: Context, staff_id: UUID | None) -> list[tuple[UUID, str]]:
    """Cases with one of ours in them, for whom they are not barred yet."""
    who = literal("staff:") + cast(col(Staff.id), String)
    is_barred = select(CaseBar.case_id).where(CaseBar.case_id == Case.id, col(CaseBar.actor) == who)
    query = (
        select(Case.id, who)
        .join(Party, col(Party.case_id) == col(Case.id))
        .join(Staff, col(Staff.person_id) == col(Party.person_id))
        .where(~is_barred.correlate(Case, Staff).exists())
        .distinct()
        .order_by(col(Case.id))
        .limit(MOST_BARRED)
    )
    query = query.where(Staff.id == staff_id) if staff_id else query
    async with context.transaction() as session:
        return [(row[0], row[1]) for row in await session.execute(query)]


async def _bar(context: Context, case_id: UUID, who: str) -> bool:
    async with context.transaction() as session:
        await lock_chain(session, case_id)
        if await session.get(CaseBar, (case_id, who)):
            return False
        event = j.CaseBarred(actor=who, reason=ConflictReason.OWN_CASE)
        recorded = [j.Recorded(at=context.now(), actor=SYSTEM, event=event)]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)
    return True
