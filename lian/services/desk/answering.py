"""Answering a task: checked against its definition here, and again by the procedure it belongs to (TSK-1, CLM-9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.tables import Case, CommandReceipt
from lian.domain import journal as j
from lian.domain.errors import Conflict, Invalid, NotFound
from lian.domain.messages import CommandResult, CompleteTask
from lian.domain.tasks import Json
from lian.services.cases import NO_CASE, earlier_result
from lian.services.context import Context
from lian.services.desk.tasks import (
    TaskOnDesk,
    find_task,
    locked_open_or_not,
    refuse_closed,
    refuse_stale,
    refuse_unsuited,
)
from lian.services.desk_tasks import DESK_TASKS
from lian.services.duplicates import refuse_circles
from lian.services.outcomes import dump_outcome, parse_outcome
from lian.services.recording import give_receipt, name_of_staff, put_on_record
from lian.services.replies import write_reply
from lian.services.settlements import name_payees

NEEDS_NOTES = "Say why, in the notes."

Prepare = Callable[[Context, Actor, UUID, Json, CompleteTask], Awaitable[CompleteTask]]
PREPARE: dict[str, Prepare] = {"agree_settlement": name_payees, "judge_duplicate": refuse_circles}
"""Tasks whose answer holds personal data: it is put on record first, the process gets only what it means."""


async def complete_task(
    context: Context,
    actor: Actor,
    task_id: UUID,
    *,
    outcome: Json,
    notes: str,
    command_id: str,
    version: int | None = None,
) -> CommandResult:
    """Answer a task one holds. Returns once the answer is on record; a repeat returns the first result.

    A customer answers what is asked of them without holding it. `version` is what the caller saw of the task.
    Raises `Conflict` when the task is another's or no longer open, the procedure's refusals, and `Unavailable` while
    the process cannot be reached: that leaves open whether it was taken, and the same call may be repeated safely.
    """
    async with context.transaction() as session:
        found = await find_task(session, actor, task_id)
        earlier = await earlier_result(session, found.case.id, command_id)
        if earlier is not None:
            return earlier
        await _refuse_unless_theirs(context, session, actor, found)
        await refuse_stale(session, actor, found, version)
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
        found = await locked_open_or_not(session, actor, command.task_id)
        earlier = await earlier_result(session, found.case.id, command.command_id)
        if earlier is not None:
            return earlier
        await _refuse_unless_theirs(context, session, actor, found)
        found.kind.check(outcome, found.ask)
        answer = j.TaskCompleted(task_id=command.task_id, outcome=command.outcome, notes=command.notes)
        events = (answer, *DESK_TASKS[found.kind.id](found.task, outcome))
        recorded = [j.Recorded(at=context.now(), actor=actor.id, event=event) for event in events]
        seq = await put_on_record(context, session, case_id=found.case.id, recorded=recorded)
        await give_receipt(context, session, found.case.id, command.command_id, seq)
    return CommandResult(command_id=command.command_id, seq=seq)


async def _refuse_unless_theirs(context: Context, session: AsyncSession, actor: Actor, found: TaskOnDesk) -> None:
    refuse_closed(found)
    if actor.is_customer:  # found among what is asked of them
        return
    if found.task.holder != actor.id:
        name = await name_of_staff(session, found.task.holder)
        raise Conflict(f"{name} has this task." if name else "Take this task on before you answer it.", holder=name)
    refuse_unsuited(actor, found, context.today)


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
