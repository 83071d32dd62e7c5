"""Asking for documents in bulk: an answer to the procedure, through the door that a single one takes (CLM-5, TSK-1)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lian.auth.actor import Actor
from lian.db.tables import BulkItem, BulkOrder
from lian.domain.bulk import ItemState, Json
from lian.services.cases import earlier_result
from lian.services.context import Context
from lian.services.desk.answering import complete_task
from lian.services.desk.bulk_sight import received_codes
from lian.services.desk.bulk_verbs import Given, request_in
from lian.services.desk.tasks import find_task, refuse_closed, refuse_stale


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer to one task. Its command is named after the order's item: given again, it is the same one."""

    task_id: UUID
    outcome: Json
    notes: str
    command_id: str


async def prepared_request(
    session: AsyncSession, actor: Actor, order: BulkOrder, item: BulkItem, given: Given
) -> Asked | None:
    """The answer to give; none, and the item is marked, when it has taken effect already.

    Raises the refusal where the task is not as it was looked at, or there is nothing left to ask for.
    """
    # In this order: an answer that arrives in between has changed the task and left its receipt at once.
    found = await find_task(session, actor, item.task_id)
    command_id = f"bulk:{order.id}:{item.n}"
    if await earlier_result(session, found.case.id, command_id):
        item.state, item.words, item.tries = ItemState.DONE.value, "", 0
        return None
    refuse_closed(found)
    await refuse_stale(session, actor, found, item.seen)
    received = await received_codes(session, {found.case.id})
    outcome = request_in(found, given, received.get(found.case.id, set()))
    return Asked(item.task_id, outcome, given.why, command_id)


async def answer_request(context: Context, actor: Actor, asked: Asked) -> None:
    """Answer the task. Raises what a single answer raises; `Unavailable` leaves it open whether it was taken."""
    await complete_task(
        context, actor, asked.task_id, outcome=asked.outcome, notes=asked.notes, command_id=asked.command_id
    )
