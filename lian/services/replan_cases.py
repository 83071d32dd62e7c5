"""Telling one case of an operation that changes its plan: the relay asks for it until it is done.

The plan is made when the case is told, from what it has by then, so that two operations after each other both count.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.db.journal import lock_chain
from lian.db.tables import Case, JournalEntry, OutboxMessage, ReplanOperation
from lian.domain import journal as j
from lian.domain.errors import Unavailable
from lian.domain.messages import Replan
from lian.domain.status import CaseStatus
from lian.services.context import Context
from lian.services.plan_changes import PlanChange, changed_plan
from lian.services.recording import put_on_record
from lian.services.replanning import PLAN, change_of, judged_by, key_of

Json = dict[str, Any]
LOST_AFTER = timedelta(minutes=2)
"""A case that was told and said nothing for so long was just closing: nothing waits for it any more."""


async def replan_case(context: Context, payload: Json) -> None:
    """Judge what the case's stopped clocks waited for, and tell its process of the new plan; a repeat changes nothing.

    A case that has closed meanwhile keeps its plan. Raises `Unavailable` while an earlier operation is on its way, and
    `Conflict` while the case has no process yet.
    """
    case_id, operation_id = UUID(payload["case_id"]), UUID(payload["operation_id"])
    async with context.transaction() as session:
        operation = await session.get_one(ReplanOperation, operation_id)
        change = await change_of(session, operation)
        await _judge(context, session, case_id, operation, change)
        order = await _order(session, case_id, operation, change)
        if order is None:
            return
        await _follow_earlier(session, case_id, operation, context.now())
    await context.process.replan(case_id, order)


async def _judge(
    context: Context, session: AsyncSession, case_id: UUID, operation: ReplanOperation, change: PlanChange
) -> None:
    """At the desk: the process has nothing to do with a clock that stopped."""
    await lock_chain(session, case_id)
    case = await session.get_one(Case, case_id, populate_existing=True)
    judged = await judged_by(session, case, change)
    if not judged:
        return
    events: list[j.Event] = [j.ClockJudged(clock=o.clock, due_at=o.due_at, verdict=o.verdict.value) for o in judged]
    if case.status != CaseStatus.OPEN:
        # Nobody else will: the verdict must be found again in the plan that stands on record.
        new = changed_plan(PLAN.validate_python(case.plan), change, kind=case.kind, line=case.line)
        plan = PLAN.dump_python(new, mode="json")
        events.insert(0, j.PlanChanged(operation_id=operation.id, plan=plan, why=operation.why))
    recorded = [j.Recorded(at=context.now(), actor=operation.by, event=event) for event in events]
    await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def _order(session: AsyncSession, case_id: UUID, operation: ReplanOperation, change: PlanChange) -> Replan | None:
    """What to tell its process; nothing when it has closed, or runs under this already."""
    case = await session.get_one(Case, case_id)
    if case.status != CaseStatus.OPEN or case.plan is None:
        return None
    plan = PLAN.validate_python(case.plan)
    new = changed_plan(plan, change, kind=case.kind, line=case.line)
    return None if new == plan else Replan(operation_id=operation.id, plan=new, why=operation.why, by=operation.by)


async def _follow_earlier(session: AsyncSession, case_id: UUID, operation: ReplanOperation, now: datetime) -> None:
    """A plan made before an earlier operation is on record would take that one back."""
    earlier = await session.execute(select(ReplanOperation.id).where(ReplanOperation.at < operation.at))
    keys = {key_of(id_, case_id): str(id_) for id_ in earlier.scalars()}
    told = await session.execute(select(OutboxMessage).where(col(OutboxMessage.key).in_(keys)))
    recorded = await _recorded(session, case_id)
    for message in told.scalars():
        is_lost = message.done_at is not None and now - message.done_at > LOST_AFTER
        if keys[message.key] not in recorded and not is_lost:
            raise Unavailable("An earlier operation is still on its way to this case; this one follows it.")


async def _recorded(session: AsyncSession, case_id: UUID) -> set[str]:
    """The operations on this case's record."""
    query = select(JournalEntry.body).where(JournalEntry.case_id == case_id, JournalEntry.type == j.PlanChanged.TYPE)
    return {str(body["operation_id"]) for body in (await session.execute(query)).scalars()}
