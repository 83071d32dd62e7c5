"""People's work: queues, tasks, who holds them, and answering them (idea 4, TSK-1).

Every change of hands is one transaction under the case's chain lock, journaled, and never touches the process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.journal import lock_chain
from lian.db.tables import Case, ChainHead, CommandReceipt, Staff, Task
from lian.domain import journal as j
from lian.domain.case_kinds import KINDS, task_kind
from lian.domain.errors import Conflict, NotAllowed, NotFound
from lian.domain.labels import Label
from lian.domain.messages import CommandResult, CompleteTask
from lian.domain.tasks import Json, TaskKind
from lian.services.cases import NO_CASE, earlier_result
from lian.services.context import Context
from lian.services.outcomes import dump_outcome, parse_outcome
from lian.services.recording import put_on_record
from lian.services.settlements import name_payees

NO_TASK = "There is no task with this id."
DRAWS = 20
"""How many candidates somebody may lose to others before get-next gives up for now."""

Prepare = Callable[[Context, Actor, UUID, Json, CompleteTask], Awaitable[CompleteTask]]
PREPARE: dict[str, Prepare] = {"agree_settlement": name_payees}
"""Tasks whose answer holds personal data: it is put on record first, the process gets only what it means."""


@dataclass(frozen=True, slots=True)
class TaskOnDesk:
    """A task with its case and its definition."""

    task: Task
    case: Case

    @property
    def kind(self) -> TaskKind:
        """What is asked."""
        return task_kind(self.case.kind, self.task.kind)


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


def _may_work_on(actor: Actor) -> ColumnElement[bool]:
    queues = [q for q in actor.queues if q != "*"]
    everything = "*" in actor.queues
    return visible_cases(actor) & (col(Task.queue).in_(queues) if not everything else col(Task.queue) != "")


async def queues(context: Context, actor: Actor) -> list[QueueCount]:
    """The actor's queues with their open tasks."""
    actor.require("case:read")
    labels = {queue: label for kind in KINDS.values() for queue, label in kind.queues.items()}
    statement = (
        select(Task.queue, func.count(), func.count().filter(col(Task.holder) == ""))
        .join(Case, col(Case.id) == col(Task.case_id))
        .where(Task.status == "open", _may_work_on(actor))
        .group_by(col(Task.queue))
    )
    async with context.transaction() as session:
        found = {queue: (n, free) for queue, n, free in (await session.execute(statement))}
    mine = labels if "*" in actor.queues else {q: labels[q] for q in actor.queues if q in labels}
    return [QueueCount(queue, label, *found.get(queue, (0, 0))) for queue, label in mine.items()]


async def list_tasks(context: Context, actor: Actor, query: TaskQuery) -> Sequence[TaskOnDesk]:
    """Open tasks by urgency (TSK-2), one page."""
    actor.require("case:read")
    statement = select(Task, Case).join(Case, col(Case.id) == col(Task.case_id)).where(Task.status == "open")
    statement = statement.where(Task.holder == actor.id) if query.mine else statement.where(_may_work_on(actor))
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


async def find_task(session: AsyncSession, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """The task, if the actor may see its case; `NotFound` otherwise."""
    statement = (
        select(Task, Case)
        .join(Case, col(Case.id) == col(Task.case_id))
        .where(Task.id == task_id, visible_cases(actor))
        .execution_options(populate_existing=True)
    )
    found = (await session.execute(statement)).first()
    if found is None or actor.is_customer:
        raise NotFound(NO_TASK)
    return TaskOnDesk(*found)


async def show_task(context: Context, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """One task."""
    async with context.transaction() as session:
        return await find_task(session, actor, task_id)


async def _locked(session: AsyncSession, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """The task as it is once nobody else writes to its case."""
    seen = await find_task(session, actor, task_id)
    await lock_chain(session, seen.case.id)
    return await find_task(session, actor, task_id)


def _refuse_unsuited(actor: Actor, found: TaskOnDesk) -> None:
    actor.require(found.kind.permission)
    if found.task.queue not in actor.queues and "*" not in actor.queues:
        raise NotAllowed("This queue is not yours.")
    if actor.id in found.task.excluded:
        raise NotAllowed("You decided on this case before; another person must do this.")
    if actor.authority < found.task.least_authority:
        raise NotAllowed("The amount is above your authority limit.")


async def _holder_name(session: AsyncSession, holder: str) -> str:
    staff = await session.get(Staff, UUID(holder.removeprefix("staff:"))) if holder.startswith("staff:") else None
    return staff.name if staff else holder


async def claim_task(context: Context, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """Take a task on; taking one's own again changes nothing. A lost race is a `Conflict` naming the holder."""
    async with context.transaction() as session:
        found = await _locked(session, actor, task_id)
        if found.task.status != "open":
            raise Conflict("This task is no longer open.")
        if found.task.holder == actor.id:
            return found
        if found.task.holder:
            name = await _holder_name(session, found.task.holder)
            raise Conflict(f"{name} has this task already.", holder=name)
        _refuse_unsuited(actor, found)
        await _take(context, session, actor, found, "claim")
        return found


async def _take(context: Context, session: AsyncSession, actor: Actor, found: TaskOnDesk, how: str) -> None:
    event = j.TaskClaimed(task_id=found.task.id, holder=actor.id, how=how)
    item = j.Recorded(at=context.now(), actor=actor.id, event=event)
    await put_on_record(context, session, case_id=found.case.id, recorded=[item])


async def release_task(context: Context, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """Give a task back to its queue; a lead may give back another's. One that nobody holds is left alone."""
    async with context.transaction() as session:
        found = await _locked(session, actor, task_id)
        if found.task.status != "open":
            raise Conflict("This task is no longer open.")
        if not found.task.holder:
            return found
        if found.task.holder != actor.id and not actor.may("task:assign"):
            raise NotAllowed("Only its holder or a team lead can release this task.")
        item = j.Recorded(at=context.now(), actor=actor.id, event=j.TaskReleased(task_id=task_id))
        await put_on_record(context, session, case_id=found.case.id, recorded=[item])
        return found


async def take_next(context: Context, actor: Actor, queue: str) -> TaskOnDesk | None:
    """The most urgent task of a queue that the actor may do, now theirs; none when there is none.

    Candidates are drawn by locking their case, so that two people never draw the same one and none waits for another.
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
                await _take(context, session, actor, found, "next")
                return found
    return None


async def _draw(session: AsyncSession, actor: Actor, queue: str) -> UUID | None:
    suited = [t.id for kind in KINDS.values() for t in kind.tasks if actor.may(t.permission)]
    statement = (
        select(Task.id)
        .join(Case, col(Case.id) == col(Task.case_id))
        .join(ChainHead, col(ChainHead.case_id) == col(Task.case_id))
        .where(
            Task.queue == queue,
            Task.status == "open",
            Task.holder == "",
            _may_work_on(actor),
            col(Task.kind).in_(suited),
            ~col(Task.excluded).contains([actor.id]),
            col(Task.least_authority) <= actor.authority,
        )
        .order_by(col(Task.urgency), col(Task.id))
        .limit(1)
        .with_for_update(of=ChainHead, skip_locked=True)
    )
    return (await session.execute(statement)).scalars().first()


async def complete_task(
    context: Context, actor: Actor, task_id: UUID, *, outcome: Json, notes: str, command_id: str
) -> CommandResult:
    """Answer a task one holds. Returns once the answer is on record; a repeat returns the first result.

    Raises `Conflict` when the task is another's or no longer open, the procedure's refusals, and `Unavailable` while
    the process cannot be reached: then nothing was decided, and the same call may be repeated.
    """
    async with context.transaction() as session:
        found = await find_task(session, actor, task_id)
        earlier = await earlier_result(session, found.case.id, command_id)
        if earlier is not None:
            return earlier
        await _refuse_unless_held(session, actor, found)
    typed = parse_outcome(found.kind, outcome)
    found.kind.check(typed, found.task.ask)
    command = CompleteTask(
        command_id=command_id,
        task_id=task_id,
        actor=actor.id,
        authority=actor.authority,
        outcome=dump_outcome(typed),
        notes=notes,
    )
    prepare = PREPARE.get(found.kind.id)
    if prepare:
        command = await prepare(context, actor, found.case.id, found.task.ask, command)
    return await context.process.complete_task(found.case.id, command)


async def _refuse_unless_held(session: AsyncSession, actor: Actor, found: TaskOnDesk) -> None:
    if found.task.status != "open":
        raise Conflict("This task is no longer open.")
    if found.task.holder != actor.id:
        name = await _holder_name(session, found.task.holder)
        raise Conflict(f"{name} has this task." if name else "Take this task on before you answer it.", holder=name)
    _refuse_unsuited(actor, found)


async def receipt_of(context: Context, actor: Actor, command_id: str) -> dict[str, Any]:
    """What became of a command of which the answer was lost. Raises `NotFound` while it has not taken effect."""
    async with context.transaction() as session:
        receipt = await session.get(CommandReceipt, command_id)
        if receipt is None:
            raise NotFound("This command has not taken effect (yet).")
        case = (
            (await session.execute(select(Case).where(Case.id == receipt.case_id, visible_cases(actor))))
            .scalars()
            .first()
        )
        if case is None:
            raise NotFound(NO_CASE)
        return receipt.result
