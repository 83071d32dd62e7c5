"""Giving tasks to others: leads assign, holders delegate; nobody gets what they could not have taken (TSK-1, TSK-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Staff
from lian.domain import journal as j
from lian.domain.desk import SUBSTITUTE
from lian.domain.errors import Conflict, Invalid, NotAllowed
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk.tasks import (
    TaskOnDesk,
    active_staff_of,
    against,
    colleague,
    find_task,
    locked,
    note,
    refuse_beyond_reach,
    refuse_not_held,
    refuse_other_team,
    refuse_stale,
)


@dataclass(frozen=True, slots=True)
class Assignee:
    """Somebody whose work the task is; `why_not` says what stands against it all the same, empty when nothing does."""

    username: str
    name: str
    why_not: str
    id: str = ""


async def list_assignees(context: Context, actor: Actor, task_id: UUID) -> Sequence[Assignee]:
    """Active colleagues whose work this task is, those who may have it first (TSK-1).

    Needs `task:assign`, or `task:delegate` for a task one has oneself.
    """
    _require_either(actor, "task:assign", "task:delegate")
    async with context.transaction() as session:
        found = await find_task(session, actor, task_id)
        staff = (await session.execute(select(Staff).where(col(Staff.active)).order_by(col(Staff.name)))).scalars()
        able = [each for each in staff if actor_for(each).may(found.kind.permission)]
    if found.task.holder != actor.id:
        actor.require("task:assign")
    people = [(one, actor_for(one)) for one in able]
    listed = [Assignee(one.username, one.name, against(p, found, context.today), p.id) for one, p in people]
    return sorted(listed, key=lambda each: bool(each.why_not))


def _require_either(actor: Actor, one: str, other: str) -> None:
    if not actor.may(other):
        actor.require(one)


async def assign_task(
    context: Context, actor: Actor, task_id: UUID, *, to: str, how: str = "assign", version: int | None = None
) -> TaskOnDesk:
    """Give a task to the account named `to` (TSK-1). Needs `task:assign`; `task:reassign` for one that somebody has.

    Raises `Invalid` for somebody who may not do it: nobody is assigned what they could not have taken (TSK-5). Their
    queues do not count: a lead knows who is to do it. A lead's own team is their reach.
    """
    actor.require("task:assign")
    async with context.transaction() as session:
        found = await locked(session, actor, task_id)
        person = await _suited(context, session, found, to)
        if found.task.holder == person.id:
            return found
        await refuse_stale(session, actor, found, version)
        if found.task.holder:
            actor.require("task:reassign")
        await refuse_beyond_reach(session, actor, found)
        await refuse_other_team(session, actor, person.id)
        events: list[j.Event] = [j.TaskReleased(task_id=task_id)] if found.task.holder else []
        events.append(j.TaskClaimed(task_id=task_id, holder=person.id, how=how))
        await note(context, session, actor, found, *events)
        return found


async def _suited(context: Context, session: AsyncSession, found: TaskOnDesk, username: str) -> Actor:
    person = await colleague(session, username)
    stands_against = against(person, found, context.today)
    if stands_against:
        raise Invalid(stands_against, field="to")
    return person


async def delegate_task(
    context: Context, actor: Actor, task_id: UUID, *, to: str, version: int | None = None
) -> TaskOnDesk:
    """Have a colleague do one's task; it stays one's own work, and comes back by `give_back`. Needs `task:delegate`.

    The colleague does it with their own rights and limit: delegating raises nobody's authority (TSK-4).
    """
    actor.require("task:delegate")
    async with context.transaction() as session:
        found = await locked(session, actor, task_id, version)
        await refuse_not_held(session, actor, found)
        person = await _suited(context, session, found, to)
        if person.id == actor.id:
            raise Invalid("This is your own work already.", field="to")
        owner = found.task.on_behalf_of or actor.id
        whose = "" if owner == person.id else owner
        # Whoever stands in has it until its owner is back; so has whoever they pass it on to.
        how = SUBSTITUTE if whose and found.task.held_how == SUBSTITUTE else "delegate"
        event = j.TaskClaimed(task_id=task_id, holder=person.id, how=how, on_behalf_of=whose)
        await note(context, session, actor, found, event)
        return found


async def give_back(context: Context, actor: Actor, task_id: UUID, *, version: int | None = None) -> TaskOnDesk:
    """Return a delegated task to whose it is: by who does it, by its owner, or by a lead.

    Needs `task:release` of whoever does it, also from outside; `task:delegate` of its owner.
    Where the owner may not do it any more, it goes back to its queue.
    """
    async with context.transaction() as session:
        found = await locked(session, actor, task_id, version)
        if not found.task.on_behalf_of:
            raise Conflict("Nobody delegated this task.")
        if actor.id == found.task.holder:
            actor.require("task:release")
        elif actor.id == found.task.on_behalf_of:
            actor.require("task:delegate")
        elif not actor.may("task:reassign"):
            raise NotAllowed("Only who does it, who delegated it, or a team lead can return this task.")
        else:
            await refuse_beyond_reach(session, actor, found)
        await note(context, session, actor, found, await _returned(context, session, found))
        return found


async def _returned(context: Context, session: AsyncSession, found: TaskOnDesk) -> j.Event:
    owner = await active_staff_of(session, found.task.on_behalf_of)
    if owner is None or against(owner, found, context.today):
        return j.TaskReleased(task_id=found.task.id)
    return j.TaskClaimed(task_id=found.task.id, holder=owner.id, how="return")
