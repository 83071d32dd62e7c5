"""People's work: queues, tasks, who holds them, and answering them (idea 4, TSK-1).

Every change of hands is one transaction under the case's chain lock, journaled, and never touches the process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_
from sqlalchemy import case as case_when
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import own_people, readable_outcome, visible_cases, workable_tasks
from lian.db.journal import lock_chain
from lian.db.tables import Case, ChainHead, CommandReceipt, Party, Payee, Staff, Task
from lian.domain import journal as j
from lian.domain.authority import ANY
from lian.domain.case_kind import CaseKind
from lian.domain.case_kinds import KINDS, task_kind
from lian.domain.claims.terms import Line
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.labels import Label
from lian.domain.messages import CommandResult, CompleteTask
from lian.domain.tasks import Json, TaskKind
from lian.services.accounts import actor_for
from lian.services.cases import NO_CASE, earlier_result
from lian.services.context import Context
from lian.services.desk_tasks import DESK_TASKS, OFFERS
from lian.services.duplicates import refuse_circles
from lian.services.outcomes import dump_outcome, parse_outcome
from lian.services.recording import give_receipt, name_of_staff, put_on_record
from lian.services.replies import write_reply
from lian.services.settlements import name_payees

NO_TASK = "There is no task with this id."
NOT_OPEN = "This task is no longer open."
NEEDS_NOTES = "Say why, in the notes."
DRAWS = 20
"""How many candidates somebody may lose to others before get-next gives up for now."""

Prepare = Callable[[Context, Actor, UUID, Json, CompleteTask], Awaitable[CompleteTask]]
PREPARE: dict[str, Prepare] = {"agree_settlement": name_payees, "judge_duplicate": refuse_circles}
"""Tasks whose answer holds personal data: it is put on record first, the process gets only what it means."""


@dataclass(frozen=True, slots=True)
class TaskOnDesk:
    """A task with its case and its definition; `offered` are the choices that depend on the case as it stands."""

    task: Task
    case: Case
    offered: Json = field(default_factory=dict)

    @property
    def kind(self) -> TaskKind:
        """What is asked."""
        return task_kind(self.case.kind, self.task.kind)

    @property
    def ask(self) -> Json:
        """The question as it is on record, with what may be chosen now."""
        ask = self.task.ask
        return ask | {"options": ask.get("options", {}) | self.offered} if self.offered else ask

    def authority_of(self, actor: Actor) -> Decimal:
        """The amount this person may decide alone here (CLM-9)."""
        return actor.authority_for(self.kind.decision, self.case.line)


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
    return workable_tasks(actor) & (col(Task.queue).in_(queues) if not everything else col(Task.queue) != "")


async def queues(context: Context, actor: Actor) -> list[QueueCount]:
    """The actor's queues with their open tasks; people outside see in them what was given to them."""
    actor.require_sight()
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
    actor.require_sight()
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
    """The task, if it is the actor's to see; `NotFound` otherwise. Customers see those that are asked of them.

    Whose a question is does not change: it is told by the money it is about.
    """
    statement = (
        select(Task, Case)
        .join(Case, col(Case.id) == col(Task.case_id))
        .where(Task.id == task_id, workable_tasks(actor))
        .execution_options(populate_existing=True)
    )
    row = (await session.execute(statement)).first()
    found = TaskOnDesk(*row) if row else None
    if found is None or (actor.is_customer and not await _is_asked_of(session, actor, found)):
        raise NotFound(NO_TASK)
    offer = OFFERS.get(found.task.kind)
    return replace(found, offered=await offer(session, actor, found.case)) if offer else found


async def _is_asked_of(session: AsyncSession, actor: Actor, found: TaskOnDesk) -> bool:
    """Whether the question is this customer's: about money to them, or to a minor for whom they act, and nobody else.

    What concerns several claimants is answered with our staff: none of them reads another's share or account (SEC-1).
    """
    if not found.kind.by_customer or found.task.ask.get("staff_only"):
        return False
    parties = (await session.execute(select(Party).where(Party.case_id == found.case.id))).scalars().all()
    person_of = {str(party.id): party.person_id for party in parties}
    ask, people = found.task.ask, own_people(actor, parties)
    concerned = {person_of.get(row["party_id"]) for row in ask.get("rows", {}).get("payees", ())}
    if ask.get("payee_id"):
        payee = await session.get(Payee, UUID(ask["payee_id"]))
        concerned.add(payee.person_id if payee and payee.case_id == found.case.id else None)
    return concerned <= people


async def show_task(context: Context, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """One task."""
    async with context.transaction() as session:
        found = await find_task(session, actor, task_id)
    if found.task.outcome is not None:
        found.task.outcome = readable_outcome(actor, found.task.outcome)
    return found


async def tasks_for_customer(context: Context, actor: Actor) -> Sequence[TaskOnDesk]:
    """What is asked of this customer now, oldest first."""
    statement = select(Task, Case).join(Case, col(Case.id) == col(Task.case_id))
    statement = statement.where(Task.status == "open", Task.case_id == actor.case_id).order_by(col(Task.opened_at))
    async with context.transaction() as session:
        found = [TaskOnDesk(task, case) for task, case in (await session.execute(statement)).all()]
        return [each for each in found if await _is_asked_of(session, actor, each)]


async def _locked(session: AsyncSession, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """The task as it is once nobody else writes to its case. Tasks do not change hands among customers."""
    seen = await find_task(session, actor, task_id)
    if actor.is_customer:
        raise NotFound(NO_TASK)
    await lock_chain(session, seen.case.id)
    return await find_task(session, actor, task_id)


def _refuse_closed(found: TaskOnDesk) -> None:
    if found.task.status != "open":
        raise Conflict(NOT_OPEN)


def _refuse_unsuited(actor: Actor, found: TaskOnDesk) -> None:
    actor.require(found.kind.permission)
    if actor.id in found.task.excluded:
        raise NotAllowed("You decided on this case before; another person must do this.")
    if found.authority_of(actor) < found.task.least_authority:
        raise NotAllowed("The amount is above your authority limit.")


def _refuse_other_queue(actor: Actor, found: TaskOnDesk) -> None:
    """Queues say what one may draw from; what a lead assigned may come from any."""
    if found.task.queue not in actor.queues and "*" not in actor.queues:
        raise NotAllowed("This queue is not yours.")


async def claim_task(context: Context, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """Take a task on; taking one's own again changes nothing. A lost race is a `Conflict` naming the holder."""
    async with context.transaction() as session:
        found = await _locked(session, actor, task_id)
        _refuse_closed(found)
        if found.task.holder == actor.id:
            return found
        if found.task.holder:
            name = await name_of_staff(session, found.task.holder)
            raise Conflict(f"{name} has this task already.", holder=name)
        _refuse_unsuited(actor, found)
        _refuse_other_queue(actor, found)
        await _note(context, session, actor, found, j.TaskClaimed(task_id=task_id, holder=actor.id, how="claim"))
        return found


async def _note(context: Context, session: AsyncSession, actor: Actor, found: TaskOnDesk, *events: j.Event) -> None:
    recorded = [j.Recorded(at=context.now(), actor=actor.id, event=event) for event in events]
    await put_on_record(context, session, case_id=found.case.id, recorded=recorded)


async def release_task(context: Context, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """Give a task back to its queue; a lead may give back another's. One that nobody holds is left alone."""
    async with context.transaction() as session:
        found = await _locked(session, actor, task_id)
        _refuse_closed(found)
        if not found.task.holder:
            return found
        if found.task.holder != actor.id and not actor.may("task:assign"):
            raise NotAllowed("Only its holder or a team lead can release this task.")
        await _note(context, session, actor, found, j.TaskReleased(task_id=task_id))
        return found


# --- assigning --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assignee:
    """Somebody whose work the task is; `why_not` says what stands against it all the same, empty when nothing does."""

    username: str
    name: str
    why_not: str


def _against(person: Actor, found: TaskOnDesk) -> str:
    """Why a task cannot be assigned to this person; empty when it can."""
    if not person.may(found.kind.permission):
        return "This is not work of their role."
    if person.id in found.task.excluded:
        return "They decided on this case before; another person must do this."
    if found.authority_of(person) < found.task.least_authority:
        return "The amount is above their authority limit."
    return ""


async def list_assignees(context: Context, actor: Actor, task_id: UUID) -> Sequence[Assignee]:
    """Active colleagues whose work this task is, those who may have it first (TSK-1). Needs `task:assign`."""
    actor.require("task:assign")
    async with context.transaction() as session:
        found = await find_task(session, actor, task_id)
        staff = (await session.execute(select(Staff).where(col(Staff.active)).order_by(col(Staff.name)))).scalars()
        able = [each for each in staff if actor_for(each).may(found.kind.permission)]
    listed = [Assignee(each.username, each.name, _against(actor_for(each), found)) for each in able]
    return sorted(listed, key=lambda each: bool(each.why_not))


async def assign_task(context: Context, actor: Actor, task_id: UUID, *, to: str) -> TaskOnDesk:
    """Give a task to the account named `to`, also out of somebody's hands (TSK-1). Needs `task:assign`.

    Raises `Invalid` for somebody who may not do it: nobody is assigned what they could not have taken (TSK-5). Their
    queues do not count: a lead knows who is to do it.
    """
    actor.require("task:assign")
    async with context.transaction() as session:
        found = await _locked(session, actor, task_id)
        _refuse_closed(found)
        holder = await _assignable(session, found, to)
        if found.task.holder == holder:
            return found
        events: list[j.Event] = [j.TaskReleased(task_id=task_id)] if found.task.holder else []
        events.append(j.TaskClaimed(task_id=task_id, holder=holder, how="assign"))
        await _note(context, session, actor, found, *events)
        return found


async def _assignable(session: AsyncSession, found: TaskOnDesk, username: str) -> str:
    staff = (await session.execute(select(Staff).where(Staff.username == username))).scalars().first()
    if staff is None or not staff.active:
        raise Invalid("There is no active account with this user name.", field="to")
    person = actor_for(staff)
    against = _against(person, found)
    if against:
        raise Invalid(against, field="to")
    return person.id


# --- get next ---------------------------------------------------------------------------------------------------------


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
                await _note(context, session, actor, found, j.TaskClaimed(task_id=drawn, holder=actor.id, how="next"))
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
            _may_work_on(actor),
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


# --- answering --------------------------------------------------------------------------------------------------------


async def complete_task(
    context: Context, actor: Actor, task_id: UUID, *, outcome: Json, notes: str, command_id: str
) -> CommandResult:
    """Answer a task one holds. Returns once the answer is on record; a repeat returns the first result.

    A customer answers what is asked of them without holding it.
    Raises `Conflict` when the task is another's or no longer open, the procedure's refusals, and `Unavailable` while
    the process cannot be reached: then nothing was decided, and the same call may be repeated.
    """
    async with context.transaction() as session:
        found = await find_task(session, actor, task_id)
        earlier = await earlier_result(session, found.case.id, command_id)
        if earlier is not None:
            return earlier
        await _refuse_unless_theirs(session, actor, found)
    typed = parse_outcome(found.kind, outcome)
    found.kind.check(typed, found.ask)
    if found.kind.needs_notes and not notes.strip():
        raise Invalid(NEEDS_NOTES, field="notes")
    command = CompleteTask(
        command_id=command_id,
        task_id=task_id,
        actor=actor.id,
        authority=found.authority_of(actor),
        outcome=dump_outcome(typed),
        notes=notes,
    )
    if found.kind.on == "desk":
        return await _at_the_desk(context, actor, command, typed)
    prepare = PREPARE.get(found.kind.id)
    if prepare:
        command = await prepare(context, actor, found.case.id, found.ask, command)
    if found.kind.replies_with:
        command = await write_reply(context, actor, found.case.id, found.kind.replies_with, command)
    return await context.process.complete_task(found.case.id, command)


async def _at_the_desk(context: Context, actor: Actor, command: CompleteTask, outcome: Any) -> CommandResult:
    """The answer and what it means in one transaction; the process waits for neither, and the case may be closed."""
    async with context.transaction() as session:
        found = await _locked(session, actor, command.task_id)
        earlier = await earlier_result(session, found.case.id, command.command_id)
        if earlier is not None:
            return earlier
        await _refuse_unless_theirs(session, actor, found)
        found.kind.check(outcome, found.ask)
        answer = j.TaskCompleted(task_id=command.task_id, outcome=command.outcome, notes=command.notes)
        events = (answer, *DESK_TASKS[found.kind.id](found.task, outcome))
        recorded = [j.Recorded(at=context.now(), actor=actor.id, event=event) for event in events]
        seq = await put_on_record(context, session, case_id=found.case.id, recorded=recorded)
        await give_receipt(context, session, found.case.id, command.command_id, seq)
    return CommandResult(command_id=command.command_id, seq=seq)


async def _refuse_unless_theirs(session: AsyncSession, actor: Actor, found: TaskOnDesk) -> None:
    _refuse_closed(found)
    if actor.is_customer:  # found among what is asked of them
        return
    if found.task.holder != actor.id:
        name = await name_of_staff(session, found.task.holder)
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
