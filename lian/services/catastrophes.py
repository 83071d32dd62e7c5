"""Catastrophes: one event, many claims. They carry its code as a tag, and are listed by it.

A claim whose cause and day fall into an event is tagged when it is reported, by the system and visibly; whoever handles
it may take the tag off. The register is not a case's fact and has no journal; each tag is, and has. Who declared an
event and who ended it, and when, stands in its row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.tables import Case, CaseTag, Catastrophe, JournalEntry
from lian.domain import journal as j
from lian.domain.claims.terms import LossCause
from lian.domain.errors import Conflict, Invalid, NotFound
from lian.domain.moments import is_within_reach
from lian.services.context import Context
from lian.services.policies import is_zone
from lian.services.recording import put_on_record

CATASTROPHE = "catastrophe"
"""The tag under which a case carries a catastrophe's code."""
NO_EVENT = "There is no catastrophe with this code."
CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{1,39}")
MOST_TAGGED = 500
"""Claims tagged by one call, each in a transaction of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatastropheGiven:
    """A catastrophe as somebody declares it. Both days belong to it, in `zone`."""

    code: str
    name_en: str
    name_zh: str
    causes: tuple[LossCause, ...]
    from_on: date
    to_on: date
    zone: str


@dataclass(frozen=True, slots=True)
class CatastropheSeen:
    """A catastrophe, and how many cases that the reader may see carry it."""

    event: Catastrophe
    cases: int


async def declare_catastrophe(context: Context, actor: Actor, given: CatastropheGiven) -> Catastrophe:
    """Put an event into the register. Needs `catastrophe:write`; raises `Conflict` for a code that is taken."""
    actor.require("catastrophe:write")
    _check(given)
    async with context.transaction() as session:
        if await session.get(Catastrophe, given.code) is not None:
            raise Conflict("There is a catastrophe with this code already.")
        row = Catastrophe(
            code=given.code,
            name_en=given.name_en,
            name_zh=given.name_zh,
            causes=[cause.value for cause in given.causes],
            from_on=given.from_on,
            to_on=given.to_on,
            zone=given.zone,
            created_at=context.now(),
            created_by=actor.id,
        )
        session.add(row)
    return row


def _check(given: CatastropheGiven) -> None:
    if not CODE.fullmatch(given.code):
        raise Invalid("A code has 2 to 40 capital letters, digits and hyphens.", field="code")
    if not (given.name_en.strip() and given.name_zh.strip()):
        raise Invalid("A catastrophe needs its name in both languages.", field="name_en")
    if not given.causes:
        raise Invalid("A catastrophe needs at least one cause of loss.", field="causes")
    if not is_within_reach(given.from_on):
        raise Invalid("This day is too far away.", field="from_on")
    _check_end(given.from_on, given.to_on)
    if not is_zone(given.zone):
        raise Invalid("There is no such time zone; write one such as Asia/Shanghai.", field="zone")


def _check_end(from_on: date, to_on: date) -> None:
    if to_on < from_on:
        raise Invalid("It ends before it begins.", field="to_on")
    if not is_within_reach(to_on):
        raise Invalid("This day is too far away.", field="to_on")


async def end_catastrophe(context: Context, actor: Actor, code: str, *, to_on: date) -> CatastropheSeen:
    """Say which day was its last, sooner or later than was expected; from now on that counts. Safe to repeat.

    Claims keep the tags they have: which is wrong, a person says. Needs `catastrophe:write`; raises `NotFound` for an
    unknown code, `Invalid` for a day that cannot be, `Conflict` once it has ended on another day.
    """
    actor.require("catastrophe:write")
    async with context.transaction() as session:
        event = await session.get(Catastrophe, code, with_for_update=True)
        if event is None:
            raise NotFound(NO_EVENT)
        _check_end(event.from_on, to_on)
        if event.ended_at is None:
            event.to_on, event.ended_at, event.ended_by = to_on, context.now(), actor.id
        elif event.to_on != to_on:
            raise Conflict("This catastrophe has ended on another day already.")
        return CatastropheSeen(event, (await _counts(session, actor)).get(code, 0))


async def list_catastrophes(context: Context, actor: Actor) -> list[CatastropheSeen]:
    """The register, newest first. Needs `case:read`."""
    actor.require("case:read")
    async with context.transaction() as session:
        counts = await _counts(session, actor)
        return [CatastropheSeen(event, counts.get(event.code, 0)) for event in await every_catastrophe(session)]


async def _counts(session: AsyncSession, actor: Actor) -> dict[str, int]:
    tagged = (
        select(CaseTag.code, func.count())
        .join(Case, col(Case.id) == col(CaseTag.case_id))
        .where(CaseTag.tag == CATASTROPHE, visible_cases(actor))
        .group_by(col(CaseTag.code))
    )
    return {row[0]: row[1] for row in await session.execute(tagged)}


async def every_catastrophe(session: AsyncSession) -> Sequence[Catastrophe]:
    """The register, newest first."""
    query = select(Catastrophe).order_by(col(Catastrophe.from_on).desc(), col(Catastrophe.code))
    return (await session.execute(query)).scalars().all()


def covers(event: Catastrophe, loss_cause: LossCause, loss_at: datetime) -> bool:
    """Whether a loss of this cause at this instant falls into the event, by the event's own calendar."""
    on = loss_at.astimezone(ZoneInfo(event.zone)).date()
    return loss_cause.value in event.causes and event.from_on <= on <= event.to_on


async def suggest(session: AsyncSession, loss_cause: LossCause, loss_at: datetime) -> list[str]:
    """The codes of the events into which such a loss falls."""
    # No zone is more than a day away from UTC: the days are compared exactly afterwards.
    day = timedelta(days=1)
    near = select(Catastrophe).where(
        col(Catastrophe.from_on) <= (loss_at + day).date(), col(Catastrophe.to_on) >= (loss_at - day).date()
    )
    found = (await session.execute(near.order_by(col(Catastrophe.code)))).scalars()
    return [event.code for event in found if covers(event, loss_cause, loss_at)]


async def tag_known_claims(context: Context, actor: Actor, code: str) -> int:
    """Tag claims that were reported before the event was declared; returns how many, at most 500. Safe to repeat.

    Needs `catastrophe:write`; raises `NotFound` for an unknown code. Whoever took a tag off is not overruled.
    """
    actor.require("catastrophe:write")
    async with context.transaction() as session:
        event = await session.get(Catastrophe, code)
        if event is None:
            raise NotFound(NO_EVENT)
        untagged = await _not_yet_tagged(session, actor, event)
    matching = [case for case in untagged if case.loss_at and covers(event, LossCause(case.loss_cause), case.loss_at)]
    for case in matching[:MOST_TAGGED]:
        async with context.transaction() as session:
            item = j.Recorded(at=context.now(), actor=actor.id, event=j.CaseTagged(tag=CATASTROPHE, code=code))
            await put_on_record(context, session, case_id=case.id, recorded=[item])
    return len(matching[:MOST_TAGGED])


async def _not_yet_tagged(session: AsyncSession, actor: Actor, event: Catastrophe) -> Sequence[Case]:
    day = timedelta(days=1)
    begins = datetime.combine(event.from_on, datetime.min.time(), ZoneInfo(event.zone))
    ends = datetime.combine(event.to_on + day, datetime.min.time(), ZoneInfo(event.zone))
    carried = select(CaseTag.case_id).where(CaseTag.tag == CATASTROPHE, CaseTag.code == event.code)
    taken_off = select(JournalEntry.chain_seq).where(
        JournalEntry.case_id == Case.id,
        JournalEntry.type == j.CaseUntagged.TYPE,
        col(JournalEntry.body)["code"].astext == event.code,
    )
    query = select(Case).where(
        visible_cases(actor),
        Case.status == "open",
        col(Case.loss_cause).in_(event.causes),
        col(Case.loss_at) >= begins,
        col(Case.loss_at) < ends,
        col(Case.id).not_in(carried),
        ~taken_off.exists(),
    )
    return (await session.execute(query.order_by(col(Case.opened_at)).limit(MOST_TAGGED))).scalars().all()
