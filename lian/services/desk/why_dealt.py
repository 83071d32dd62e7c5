"""Why rules gave a task to somebody, read back from the journal (TSK-3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from lian.auth.actor import NOT_YOURS, Actor
from lian.auth.visibility import sees_inside
from lian.db.tables import JournalEntry
from lian.domain import journal as j
from lian.domain.dealing import DealReason, DealRule
from lian.domain.errors import NotAllowed, NotFound
from lian.services.context import Context
from lian.services.desk.dealing import HOW
from lian.services.desk.tasks import find_task


@dataclass(frozen=True, slots=True)
class Considered:
    """One candidate as they stood then; `who` as the journal names them."""

    who: str
    is_chosen: bool
    reason: DealReason
    in_hand: int
    capacity: int


@dataclass(frozen=True, slots=True)
class WhyDealt:
    """The last choice that rules made of a task: the chosen one first."""

    dealt_at: datetime
    rule: DealRule
    candidates: Sequence[Considered]


async def why_dealt(context: Context, actor: Actor, task_id: UUID) -> WhyDealt:
    """Every candidate of the last choice, and why they were chosen or not. Raises `NotFound` when there was none."""
    if not sees_inside(actor):
        raise NotAllowed(NOT_YOURS, permission="case:read")
    async with context.transaction() as session:
        found = await find_task(session, actor, task_id)
        claims = select(JournalEntry).where(
            JournalEntry.case_id == found.case.id,
            JournalEntry.type == j.TaskClaimed.TYPE,
            col(JournalEntry.body)["task_id"].astext == str(task_id),
            col(JournalEntry.body)["how"].astext == HOW,
        )
        query = claims.order_by(col(JournalEntry.chain_seq).desc()).limit(1)
        entry = (await session.execute(query)).scalars().first()
    if entry is None:
        raise NotFound("This task was not given to anybody by the rules.")
    why = entry.body["why"]
    considered = [
        Considered(each["who"], each["chosen"], DealReason(each["reason"]), each["in_hand"], each["capacity"])
        for each in why["candidates"]
    ]
    return WhyDealt(entry.at, DealRule(why["rule"]), considered)
