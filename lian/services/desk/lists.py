"""Lists of the desk: queues with what is in them, and open tasks in an order (TSK-1, TSK-2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import workable_tasks
from lian.db.tables import Case, Task
from lian.domain.case_kinds import KINDS
from lian.domain.labels import Label
from lian.services.context import Context
from lian.services.desk.tasks import TaskOnDesk


@dataclass(frozen=True, slots=True)
class QueueCount:
    """One queue as the actor sees it."""

    queue: str
    label: Label
    open: int
    unclaimed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """Filters of a task list. `after` is the (urgency, id) of the last row of the page before."""

    queue: str = ""
    mine: bool = False
    unclaimed: bool = False
    after: tuple[int, UUID] | None = None
    limit: int = 50


def may_work_on(actor: Actor) -> ColumnElement[bool]:
    """The condition on `tasks` and their `cases`: what lies in the actor's queues and is theirs to see."""
    queues = [q for q in actor.queues if q != "*"]
    everything = "*" in actor.queues
    return workable_tasks(actor) & (col(Task.queue).in_(queues) if not everything else col(Task.queue) != "")


async def queues(context: Context, actor: Actor) -> list[QueueCount]:
    """The actor's queues with their open tasks; people outside see in them what was given to them."""
    actor.require_sight()
    labels = {queue: label for kind in KINDS.values() for queue, label in kind.queues.items()}
    statement = (
        select(Task.queue, func.count(), func.count().filter(col(Task.holder) == ""))
        .join(Case, col(Case.id) == col(Task.case_id))
        .where(Task.status == "open", may_work_on(actor))
        .group_by(col(Task.queue))
    )
    async with context.transaction() as session:
        found = {queue: (n, free) for queue, n, free in (await session.execute(statement))}
    mine = labels if "*" in actor.queues else {q: labels[q] for q in actor.queues if q in labels}
    return [QueueCount(queue, label, *found.get(queue, (0, 0))) for queue, label in mine.items()]


async def list_tasks(context: Context, actor: Actor, query: TaskQuery) -> Sequence[TaskOnDesk]:
    """Open tasks by urgency (TSK-2), one page."""
    actor.require_sight()
    statement = select(Task, Case).join(Case, col(Case.id) == col(Task.case_id)).where(Task.status == "open")
    statement = statement.where(Task.holder == actor.id) if query.mine else statement.where(may_work_on(actor))
    if query.queue:
        statement = statement.where(Task.queue == query.queue)
    if query.unclaimed:
        statement = statement.where(Task.holder == "")
    if query.after:
        urgency, task_id = query.after
        later = (col(Task.urgency) > urgency) | ((col(Task.urgency) == urgency) & (col(Task.id) > task_id))
        statement = statement.where(later)
    statement = statement.order_by(col(Task.urgency), col(Task.id)).limit(query.limit)
    async with context.transaction() as session:
        return [TaskOnDesk(task, case) for task, case in (await session.execute(statement))]
