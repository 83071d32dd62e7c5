"""Get next: the most urgent task that somebody may do, without two people ever drawing the same one (TSK-1, TSK-2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy import case as case_when
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Case, ChainHead, Task
from lian.domain import journal as j
from lian.domain.authority import ANY
from lian.domain.case_kind import CaseKind
from lian.domain.case_kinds import KINDS
from lian.domain.claims.terms import Line
from lian.domain.tasks import TaskKind
from lian.services.context import Context
from lian.services.desk.lists import may_work_on
from lian.services.desk.tasks import TaskOnDesk, find_task, note

DRAWS = 20
"""How many candidates somebody may lose to others before get-next gives up for now."""


async def take_next(context: Context, actor: Actor, queue: str) -> TaskOnDesk | None:
    """The most urgent task of a queue that the actor may do, now theirs; none when there is none.

    Candidates are drawn by locking their case, so that two people never draw the same one and none waits for another.
    People outside draw nothing: they do what is assigned to them.
    """
    actor.require("case:read")
    for _ in range(DRAWS):
        async with context.transaction() as session:
            drawn = await _draw(session, actor, queue)
            if drawn is None:
                return None
            found = await find_task(session, actor, drawn)
            # Between choosing and locking somebody may have taken it: then draw again.
            if found.task.status == "open" and not found.task.holder:
                await note(context, session, actor, found, j.TaskClaimed(task_id=drawn, holder=actor.id, how="next"))
                return found
    return None


async def _draw(session: AsyncSession, actor: Actor, queue: str) -> UUID | None:
    statement = (
        select(Task.id)
        .join(Case, col(Case.id) == col(Task.case_id))
        .join(ChainHead, col(ChainHead.case_id) == col(Task.case_id))
        .where(
            Task.queue == queue,
            Task.status == "open",
            Task.holder == "",
            may_work_on(actor),
            ~col(Task.excluded).contains([actor.id]),
            or_(false(), *(_suits(actor, kind, task) for kind in KINDS.values() for task in kind.tasks)),
        )
        .order_by(col(Task.urgency), col(Task.id))
        .limit(1)
        .with_for_update(of=ChainHead, skip_locked=True)
    )
    return (await session.execute(statement)).scalars().first()


def _suits(actor: Actor, kind: CaseKind, task: TaskKind) -> ColumnElement[bool]:
    """Tasks of one kind that the actor may do: their role's, within their limit in the case's line (CLM-9)."""
    if not actor.may(task.permission):
        return false()
    lines: dict[Any, Decimal] = {line.value: actor.authority_for(task.decision, line) for line in Line}
    limit = case_when(lines, value=col(Case.line), else_=actor.authority_for(task.decision, ANY))
    return and_(col(Case.kind) == kind.id, col(Task.kind) == task.id, col(Task.least_authority) <= limit)
