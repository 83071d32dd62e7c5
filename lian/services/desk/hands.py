"""What people do with tasks: take them on, give them back, pass them on, put them aside, remark on them (TSK-1).

Every verb is one transaction, journaled, with a permission of its own. `version` is what the caller saw of the task: it
is refused when the task has changed since. A lost race is a `Conflict` that names the holder.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from lian.auth.actor import Actor
from lian.domain import journal as j
from lian.domain.desk import LONGEST_HOLD, PASSED_FOR, HoldReason, PassReason
from lian.domain.errors import Invalid, NotAllowed
from lian.services.context import Context
from lian.services.desk.standing_in import take_over
from lian.services.desk.tasks import (
    TaskOnDesk,
    locked,
    note,
    refuse_beyond_reach,
    refuse_not_held,
    refuse_other_queue,
    refuse_stale,
    refuse_unsuited,
    said_in,
)

Code = TypeVar("Code", HoldReason, PassReason)


async def claim_task(context: Context, actor: Actor, task_id: UUID, *, version: int | None = None) -> TaskOnDesk:
    """Take a task on; taking one's own again changes nothing. Needs `task:claim`, its queue and what it needs.

    A task of somebody for whom one stands in is taken over, as by `stand_in` (TSK-4).
    """
    async with context.transaction() as session:
        found = await locked(session, actor, task_id)
        if found.task.holder == actor.id:
            return found
        if found.task.holder:  # only for whom one stands in, while they are away
            await take_over(context, session, actor, found, version)
            return found
        await refuse_stale(session, actor, found, version)
        actor.require("task:claim")
        refuse_unsuited(actor, found, context.today)
        refuse_other_queue(actor, found)
        await note(context, session, actor, found, j.TaskClaimed(task_id=task_id, holder=actor.id, how="claim"))
        return found


async def release_task(context: Context, actor: Actor, task_id: UUID, *, version: int | None = None) -> TaskOnDesk:
    """Give one's task back to its queue. One that nobody holds is left alone. Needs `task:release`.

    A lead takes a task of their team out of somebody's hands with `task:unassign`.
    """
    async with context.transaction() as session:
        found = await locked(session, actor, task_id)
        if not found.task.holder:
            return found
        await refuse_stale(session, actor, found, version)
        if found.task.holder == actor.id:
            actor.require("task:release")
        elif not actor.may("task:unassign"):
            raise NotAllowed("Only its holder or a team lead can release this task.")
        else:
            await refuse_beyond_reach(session, actor, found)
        await note(context, session, actor, found, j.TaskReleased(task_id=task_id))
        return found


async def unassign_task(context: Context, actor: Actor, task_id: UUID, *, version: int | None = None) -> TaskOnDesk:
    """Take a task out of somebody's hands, back to its queue; a lead's own team is their reach.

    One that nobody holds is left alone. Needs `task:unassign`.
    """
    actor.require("task:unassign")
    return await release_task(context, actor, task_id, version=version)


async def pass_on(
    context: Context, actor: Actor, task_id: UUID, *, reason: str, words: str = "", version: int | None = None
) -> TaskOnDesk:
    """Give one's task back and say why; for half a day it is not offered to oneself again. Needs `task:release`."""
    actor.require("task:release")
    why = _one_of(PassReason, reason)
    said = said_in(words, is_needed=why is PassReason.OTHER)
    async with context.transaction() as session:
        found = await locked(session, actor, task_id, version)
        await refuse_not_held(session, actor, found)
        until = context.now() + PASSED_FOR
        event = j.TaskPassed(task_id=task_id, passed_by=actor.id, reason=why, until=until, note=said)
        await note(context, session, actor, found, event)
        return found


async def hold_task(
    context: Context,
    actor: Actor,
    task_id: UUID,
    *,
    reason: str,
    until: datetime,
    words: str = "",
    version: int | None = None,
) -> TaskOnDesk:
    """Put a task aside until an instant. It stays its holder's, nobody draws it meanwhile, and no clock stops (idea 3).

    Needs `task:hold`; a lead puts aside what nobody has, or what their team has, with `task:assign`. Raises `Invalid`
    for an instant that is past or more than 90 days away.
    """
    actor.require("task:hold")
    why = _one_of(HoldReason, reason)
    said = said_in(words, is_needed=why is HoldReason.OTHER)
    if not context.now() < until <= context.now() + LONGEST_HOLD:
        raise Invalid("A task is put aside until a moment within the next 90 days.", field="until")
    async with context.transaction() as session:
        found = await locked(session, actor, task_id, version)
        await _refuse_not_in_charge(session, actor, found)
        await note(context, session, actor, found, j.TaskHeld(task_id=task_id, reason=why, until=until, note=said))
        return found


async def wake_task(context: Context, actor: Actor, task_id: UUID, *, version: int | None = None) -> TaskOnDesk:
    """No longer put a task aside; one that is not is left alone. Needs `task:hold`."""
    actor.require("task:hold")
    async with context.transaction() as session:
        found = await locked(session, actor, task_id, version)
        await _refuse_not_in_charge(session, actor, found)
        if found.task.hold_until is not None:
            await note(context, session, actor, found, j.TaskWoken(task_id=task_id))
        return found


async def _refuse_not_in_charge(session: AsyncSession, actor: Actor, found: TaskOnDesk) -> None:
    """In charge is who has the task, or a lead of theirs; of a free one, a lead."""
    if found.task.holder == actor.id:
        return
    if not actor.may("task:assign"):
        await refuse_not_held(session, actor, found)
    await refuse_beyond_reach(session, actor, found)


async def prioritise_task(
    context: Context, actor: Actor, task_id: UUID, *, is_raised: bool, words: str, version: int | None = None
) -> TaskOnDesk:
    """Put a task ahead of others, or back among them, and say why. Needs `task:prioritise`."""
    actor.require("task:prioritise")
    said = said_in(words, is_needed=True)
    async with context.transaction() as session:
        found = await locked(session, actor, task_id, version)
        await refuse_beyond_reach(session, actor, found)
        if found.task.is_raised != is_raised:
            event = j.TaskPrioritised(task_id=task_id, is_raised=is_raised, note=said)
            await note(context, session, actor, found, event)
        return found


async def cancel_task(
    context: Context, actor: Actor, task_id: UUID, *, words: str, version: int | None = None
) -> TaskOnDesk:
    """Take back a question that no procedure waits for, and say why. Needs `task:cancel`.

    Raises `NotAllowed` for a task of the procedure: it is answered, or its case withdrawn, or it would wait for ever.
    """
    actor.require("task:cancel")
    said = said_in(words, is_needed=True)
    async with context.transaction() as session:
        found = await locked(session, actor, task_id, version)
        if found.kind.on != "desk":
            raise NotAllowed("The procedure waits for this answer; it cannot be taken back.")
        await refuse_beyond_reach(session, actor, found)
        remark = j.TaskCommented(task_id=task_id, comment_id=uuid4(), text=said)
        await note(context, session, actor, found, remark, j.TaskCancelled(task_id=task_id, why="taken_back"))
        return found


def _one_of(codes: type[Code], given: str) -> Code:
    try:
        return codes(given)
    except ValueError:
        raise Invalid("That is not one of the choices.", field="reason") from None
