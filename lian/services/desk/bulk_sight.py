"""What a bulk order would do to each of its tasks, from rows that are read a thousand at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import workable_tasks
from lian.db.tables import Case, CaseBar, Document, Staff, Task
from lian.domain.bulk import BulkVerb, ItemState
from lian.domain.errors import DomainError
from lian.services.context import Context
from lian.services.desk.bulk_verbs import Given, Sight, foretell
from lian.services.desk.tasks import NO_TASK, UNREAD, TaskOnDesk, colleague

Json = dict[str, Any]
AT_ONCE = 1_000


async def foretold(
    context: Context, session: AsyncSession, actor: Actor, verb: BulkVerb, given: Given, ids: Sequence[UUID]
) -> list[Json]:
    """For each id a row of `bulk_items`: waiting to be done, as it is already, or refused, with the reason in words."""
    sight = await _sight(context, session, actor, given)
    rows: list[Json] = []
    for first in range(0, len(ids), AT_ONCE):
        page = ids[first : first + AT_ONCE]
        found = await load_tasks(session, actor, page)
        case_ids = {each.case.id for each in found.values()}
        sight.barred = await _barred(session, actor, case_ids)
        sight.received = await received_codes(session, case_ids) if verb is BulkVerb.REQUEST_DOCUMENTS else {}
        rows += [await _row(sight, verb, task_id, found.get(task_id)) for task_id in page]
    return rows


async def _sight(context: Context, session: AsyncSession, actor: Actor, given: Given) -> Sight:
    staff = {each.id: each for each in (await session.execute(select(Staff))).scalars()}
    person = await colleague(session, given.to) if given.to else None
    return Sight(actor, given, context.today, staff, person)


async def load_tasks(session: AsyncSession, actor: Actor, ids: Sequence[UUID]) -> dict[UUID, TaskOnDesk]:
    """Those of the tasks that are the actor's to see; what is long in their cases is not read."""
    query = (
        select(Task, Case)
        .join(Case, col(Case.id) == col(Task.case_id))
        .where(col(Task.id).in_(ids), workable_tasks(actor))
        .options(*UNREAD)
    )
    return {task.id: TaskOnDesk(task, case) for task, case in (await session.execute(query)).all()}


async def _barred(session: AsyncSession, actor: Actor, case_ids: Collection[UUID]) -> frozenset[UUID]:
    query = select(CaseBar.case_id).where(CaseBar.actor == actor.id, col(CaseBar.case_id).in_(case_ids))
    return frozenset((await session.execute(query)).scalars())


async def received_codes(session: AsyncSession, case_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """By case, the codes of the documents that came in and were not turned down."""
    query = select(Document.case_id, Document.item_code).where(
        col(Document.case_id).in_(case_ids), Document.state != "refused"
    )
    found: dict[UUID, set[str]] = {}
    for case_id, code in (await session.execute(query)).all():
        found.setdefault(case_id, set()).add(code)
    return found


async def _row(sight: Sight, verb: BulkVerb, task_id: UUID, found: TaskOnDesk | None) -> Json:
    state, words = await _told(sight, verb, found) if found else (ItemState.REFUSED, NO_TASK)
    return {
        "task_id": task_id,
        "state": state.value,
        "words": words,
        "before": {},
        "seen": found.task.version if found else 0,
        "version": 0,
        "tries": 0,
    }


async def _told(sight: Sight, verb: BulkVerb, found: TaskOnDesk) -> tuple[ItemState, str]:
    try:
        changes = await foretell(sight, verb, found)
    except DomainError as refused:
        return ItemState.REFUSED, refused.message
    return (ItemState.WAITING if changes else ItemState.SAME), ""
