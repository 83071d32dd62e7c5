"""The watchdog: what the processes themselves should have noticed, found by SQL every few minutes (temporal.md, 6).

A promise that is overdue without a word is told to its process. A case that waits for nothing and nobody, or has no
process any longer, is told to operations, once a day. Nothing of a case is decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, String, and_, cast, func
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.tables import Case, ChainHead, Clock, JournalEntry, OutboxMessage
from lian.domain.errors import Conflict, Unavailable
from lian.domain.status import CaseStatus, ClockStatus
from lian.services.context import Context
from lian.services.desk.relaxing import relax
from lian.services.desk.standing_in import return_to_the_back
from lian.services.notices import OPERATIONS, Words, queue_notice
from lian.services.staffing import bar_own_cases

log = structlog.get_logger()

EVERY_MINUTES = 2
OVERDUE_BY = timedelta(minutes=2)
"""Promises of our own are looked at over a minute after they fall due; after two somebody must have."""
KEPT_ASKING = timedelta(hours=1)
"""Whoever does not answer for so long is asked once an hour: every question makes a case's history longer."""
IDLE_FOR = timedelta(minutes=2)
"""With a round every two minutes, a case that stands still is told to operations within five; they see it at once."""
SECOND_LOOK_SECONDS = 10.0
"""What a process has done while the database was away is on record within half of this: only then is anybody told."""
MOST_OVERDUE = 500
MOST_STUCK = 100
GIVE_UP_AFTER = 3
"""So many processes out of reach one after the other: the engine is away, and the next round will ask again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one round found: cases with an unnoticed overdue promise, how many were told, cases that stand still."""

    overdue: int
    told: int
    stuck: int


@dataclass(frozen=True, slots=True)
class StuckCase:
    """An open case that waits for nothing and nobody since `idle_since`."""

    case: Case
    idle_since: datetime


async def sweep(context: Context) -> Swept:
    """One round. Safe to repeat, and several at once do no harm."""
    overdue = await _overdue(context)
    told, lost = await _ask_to_look(context, overdue)
    for chore in (bar_own_cases, relax, return_to_the_back):
        await chore(context)
    stuck = await _still_stuck(context, lost)
    for found in stuck:
        await _tell_operations(context, found)
    swept = Swept(overdue=len(overdue), told=told, stuck=len(stuck))
    if overdue or stuck:
        log.warning("watchdog_found", overdue=swept.overdue, told=swept.told, stuck=swept.stuck)
    return swept


async def stuck_cases(context: Context, actor: Actor) -> Sequence[StuckCase]:
    """Open cases that wait for nothing and nobody, the longest first. Needs `sla:read`."""
    actor.require("sla:read")
    return await _stuck(context, _waits_for_nothing(), visible_cases(actor))


async def count_stuck(context: Context) -> int:
    """How many cases stand still just now (I7); at most a hundred are counted. Should be none."""
    return len(await _stuck(context, _waits_for_nothing()))


# --- promises that nobody noticed -------------------------------------------------------------------------------------


async def _overdue(context: Context) -> Sequence[UUID]:
    now = context.now()
    statement = (
        select(Clock.case_id)
        .join(Case, col(Case.id) == col(Clock.case_id))
        .where(
            Clock.status == ClockStatus.RUNNING.value,
            col(Clock.due_at) < now - OVERDUE_BY,
            col(Clock.breached_at).is_(None),
            col(Clock.stopped_at).is_(None),
            Case.status == CaseStatus.OPEN.value,
        )
        .group_by(col(Clock.case_id))
        .order_by(func.min(col(Clock.due_at)))
        .limit(MOST_OVERDUE)
    )
    if now.minute >= EVERY_MINUTES:
        statement = statement.where(col(Clock.due_at) > now - KEPT_ASKING)
    async with context.transaction() as session:
        return (await session.execute(statement)).scalars().all()


async def _ask_to_look(context: Context, cases: Sequence[UUID]) -> tuple[int, list[UUID]]:
    """How many processes heard it, and the cases that have none."""
    told, lost, away = 0, [], 0
    for case_id in cases:
        try:
            await context.process.look_at_clocks(case_id)
        except Unavailable:
            away += 1
            if away == GIVE_UP_AFTER:
                break
        except Conflict:
            lost.append(case_id)
        else:
            told, away = told + 1, 0
    return told, lost


# --- cases that stand still -------------------------------------------------------------------------------------------


def _waits_for_nothing() -> ColumnElement[bool]:
    """No question to anybody, no request or wait, no transfer under way, nothing on its way to the process (I7).

    A promise's clock does not count: that it runs moves nothing on, and every open case has one. Nor does a question
    that the process does not wait for. Counting what is awaited is the projectors' work (`Case.awaits`), so that the
    few cases that may stand still lie in an index of their own, and the many that wait are not looked at.
    """
    telling = col(OutboxMessage.payload)["case_id"].astext
    told = select(telling).where(col(OutboxMessage.done_at).is_(None), telling.is_not(None))
    return and_(col(Case.awaits) == 0, cast(col(Case.id), String).not_in(told))


async def _still_stuck(context: Context, lost: Sequence[UUID]) -> Sequence[StuckCase]:
    """Cases that stand still, or have no process; looked at twice, so that nobody is told of what is just resuming."""
    found = {each.case.id for each in await _stuck(context, _waits_for_nothing())}
    if not found and not lost:
        return []
    await asyncio.sleep(SECOND_LOOK_SECONDS)
    standing = [each for each in await _stuck(context, _waits_for_nothing()) if each.case.id in found]
    known = {each.case.id for each in standing}
    without = await _stuck(context, col(Case.id).in_(lost)) if lost else ()
    return [*standing, *(each for each in without if each.case.id not in known)]


async def _stuck(context: Context, *conditions: ColumnElement[bool]) -> Sequence[StuckCase]:
    """Open cases of which nothing was put on record for a while: the last entry of the chain says when."""
    last = and_(
        col(JournalEntry.case_id) == col(ChainHead.case_id), col(JournalEntry.chain_seq) == col(ChainHead.chain_seq)
    )
    statement = (
        select(Case, JournalEntry.recorded_at)
        .join(ChainHead, col(ChainHead.case_id) == col(Case.id))
        .join(JournalEntry, last)
        .where(
            Case.status == CaseStatus.OPEN.value,
            col(JournalEntry.recorded_at) < context.now() - IDLE_FOR,
            *conditions,
        )
        .order_by(col(JournalEntry.recorded_at), col(Case.id))
        .limit(MOST_STUCK)
    )
    async with context.reading() as session:
        return [StuckCase(*row) for row in (await session.execute(statement)).all()]


async def _tell_operations(context: Context, found: StuckCase) -> None:
    case, zone = found.case, context.settings.zone
    log.error("case_stands_still", case_id=str(case.id), kind=case.kind, stage=case.stage)
    since = f"{found.idle_since.astimezone(zone):%Y-%m-%d %H:%M}"
    words = Words(
        f"{case.number}: 案件停滞 / The case stands still",
        f"案件 {case.number} 自 {since} 起没有任何进展，也没有等待任何人或事。请检查其流程。\n"
        f"Nothing has happened on case {case.number} since {since}, and it waits for nothing and nobody. "
        "Please look at its process.",
    )
    key = f"stuck:{case.id}:{context.now().astimezone(zone):%Y-%m-%d}"
    async with context.transaction() as session:
        await queue_notice(context, session, key=key, case_id=case.id, recipient=OPERATIONS, words=words)
