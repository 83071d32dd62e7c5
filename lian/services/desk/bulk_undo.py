"""Taking a bulk order back: a task that nobody touched since gets again what it had (TSK-1).

It is a change like any other: on record, with the rights of whoever takes it back; nobody gets what is not for them.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lian.auth.actor import Actor
from lian.db.journal import lock_chain
from lian.db.tables import Task
from lian.domain import journal as j
from lian.domain.bulk import BulkVerb, Json
from lian.domain.desk import SUBSTITUTE
from lian.domain.errors import Conflict, NotFound
from lian.services.context import Context
from lian.services.desk.tasks import (
    NO_TASK,
    TaskOnDesk,
    active_staff_of,
    against,
    locked,
    note,
    refuse_beyond_reach,
    refuse_other_team,
    refuse_unsuited,
)

TOUCHED = "Somebody has changed this task since; it is left as it is."
GONE = "Whoever had this task does not work here any more."


async def as_it_was(session: AsyncSession, task_id: UUID) -> Json:
    """What undoing would bring back, read while nobody else writes to the case."""
    task = await session.get(Task, task_id)
    if task is None:
        raise NotFound(NO_TASK)
    await lock_chain(session, task.case_id)
    await session.refresh(task)
    return {
        "version": task.version,
        "holder": task.holder,
        "on_behalf_of": task.on_behalf_of,
        "held_how": task.held_how,
        "hold_until": task.hold_until.isoformat() if task.hold_until else "",
        "hold_reason": task.hold_reason,
        "is_raised": task.is_raised,
    }


async def bring_back(
    context: Context, actor: Actor, task_id: UUID, before: Json, *, version: int, verb: BulkVerb
) -> None:
    """Give the task again what it had, unless it is no longer the `version` that the `verb` left behind.

    Its place in the order is given back only by whoever changed it: a promise may have put it ahead since then.
    Raises `Conflict` when it was touched since, and what stands against giving it back.
    """
    async with context.transaction() as session:
        found = await locked(session, actor, task_id)
        if found.task.version != version:
            raise Conflict(TOUCHED)
        if found.task.holder != actor.id:
            await refuse_beyond_reach(session, actor, found)
        holder = await _holder(context, session, actor, found, before)
        # Whoever is given a task is given it without what was said of it before, such as until when it was put aside.
        hold = _hold(actor, found, before, is_free_of_it=bool(holder), now=context.now())
        place = _place(actor, found, before) if verb is BulkVerb.PRIORITISE else []
        await note(context, session, actor, found, *holder, *hold, *place)


async def _holder(
    context: Context, session: AsyncSession, actor: Actor, found: TaskOnDesk, before: Json
) -> list[j.Event]:
    task, owner = found.task, before["holder"]
    if (task.holder, task.on_behalf_of) == (owner, before["on_behalf_of"]):
        return []
    if task.holder:
        actor.require("task:release" if task.holder == actor.id else "task:unassign")
    if not owner:
        return [j.TaskReleased(task_id=task.id)]
    await _refuse_owner(context, session, actor, found, owner)
    # As a substitute they have it until its owner is back; however else they came to it, they got it back.
    how = SUBSTITUTE if before.get("held_how") == SUBSTITUTE else "return"
    again = j.TaskClaimed(task_id=task.id, holder=owner, how=how, on_behalf_of=before["on_behalf_of"])
    return [j.TaskReleased(task_id=task.id), again] if task.holder else [again]


async def _refuse_owner(context: Context, session: AsyncSession, actor: Actor, found: TaskOnDesk, owner: str) -> None:
    """Raise the refusal where whoever had the task may not have it any more, or the actor may not give it them."""
    if owner == actor.id:
        actor.require("task:claim")
        refuse_unsuited(actor, found, context.today)
        return
    actor.require("task:assign")
    person = await active_staff_of(session, owner)
    if person is None:
        raise Conflict(GONE)
    stands_against = against(person, found, context.today)
    if stands_against:
        raise Conflict(stands_against)
    await refuse_other_team(session, actor, owner)


def _hold(actor: Actor, found: TaskOnDesk, before: Json, *, is_free_of_it: bool, now: datetime) -> list[j.Event]:
    task = found.task
    until = datetime.fromisoformat(before["hold_until"]) if before["hold_until"] else None
    present = None if is_free_of_it else task.hold_until
    if until == present:
        return []
    actor.require("task:hold")
    if until is not None and until > now:
        return [j.TaskHeld(task_id=task.id, reason=before["hold_reason"], until=until)]
    return [j.TaskWoken(task_id=task.id)] if present else []


def _place(actor: Actor, found: TaskOnDesk, before: Json) -> list[j.Event]:
    if found.task.is_raised == before["is_raised"]:
        return []
    actor.require("task:prioritise")
    return [j.TaskPrioritised(task_id=found.task.id, is_raised=before["is_raised"])]
