"""Doing the work of somebody who is away, and giving it back when they are (TSK-4).

Whoever stands in does it with their own role, limit, skills and exclusions: standing in raises nobody's authority.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, String, cast
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.journal import lock_chain
from lian.db.tables import Case, JournalEntry, Task
from lian.domain import journal as j
from lian.domain.desk import SUBSTITUTE
from lian.domain.errors import Conflict, Unavailable
from lian.domain.status import TaskStatus
from lian.services.context import Context
from lian.services.desk.tasks import (
    TaskOnDesk,
    active_staff_of,
    against,
    locked,
    note,
    refuse_stale,
    refuse_unsuited,
)
from lian.services.recording import SYSTEM, name_of_staff, put_on_record
from lian.services.substitutes import away_now, stands_in_for

log = structlog.get_logger()

RETURN = "return"
BEGINNING = tuple(event.TYPE for event in (j.TaskCommented, j.TaskHeld, j.TaskWoken, j.ReviewAsked))
"""By these whoever has a task has begun it."""


def is_begun() -> ColumnElement[bool]:
    """The condition on `tasks` that somebody has: they said or did something about it since they got it."""
    return (
        select(JournalEntry.case_id)
        .where(
            JournalEntry.case_id == Task.case_id,
            JournalEntry.actor == Task.holder,
            col(JournalEntry.at) >= col(Task.claimed_at),
            col(JournalEntry.type).in_(BEGINNING),
            col(JournalEntry.body)["task_id"].astext == cast(col(Task.id), String),
        )
        .correlate(Task)
        .exists()
    )


# --- taking over ------------------------------------------------------------------------------------------------------


async def stand_in(context: Context, actor: Actor, task_id: UUID, *, version: int | None = None) -> TaskOnDesk:
    """Take over a task of somebody for whom one stands in; one's own is left alone. Needs `task:claim`.

    Raises `Conflict`, naming the holder, when the actor does not stand in for them (any more), and what claiming it
    raises: the actor's own role, limit, licences and exclusions count. Queues do not: it is the holder's work already.
    """
    async with context.transaction() as session:
        found = await locked(session, actor, task_id)
        if found.task.holder == actor.id:
            return found
        await take_over(context, session, actor, found, version)
        return found


async def take_over(
    context: Context, session: AsyncSession, actor: Actor, found: TaskOnDesk, version: int | None = None
) -> None:
    """The same within somebody else's transaction, of a task that is locked and somebody else's."""
    holder = found.task.holder
    if holder not in await stands_in_for(session, actor, context.now()):
        name = await name_of_staff(session, holder)
        raise Conflict(f"{name} has this task already." if name else "Nobody has this task.", holder=name)
    await refuse_stale(session, actor, found, version)
    actor.require("task:claim")
    refuse_unsuited(actor, found, context.today)
    await note(context, session, actor, found, await _taken(context, session, actor, found.task))


async def _taken(context: Context, session: AsyncSession, actor: Actor, task: Task) -> j.Event:
    if task.on_behalf_of == actor.id:  # it is their own work, which whoever is away did for them
        return j.TaskClaimed(task_id=task.id, holder=actor.id, how=RETURN)
    owner = await _whose_work(context, session, task)
    return j.TaskClaimed(task_id=task.id, holder=actor.id, how=SUBSTITUTE, on_behalf_of=owner)


async def _whose_work(context: Context, session: AsyncSession, task: Task) -> str:
    """To whom it is to return: the first in a chain of people who are away, otherwise whoever has it."""
    is_handed_on = task.held_how == SUBSTITUTE and task.on_behalf_of in await away_now(session, context.now())
    return task.on_behalf_of if is_handed_on else task.holder


# --- giving back ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Due:
    task_id: UUID
    case_id: UUID


async def return_to_the_back(context: Context, *, of: str = "") -> int:
    """Return what substitutes have not begun to those who are back, or to one of them; returns how many tasks.

    What somebody has begun stays theirs. So does what its owner may not do (any more). Safe to repeat.
    """
    returned = 0
    for due in await _due(context, of):
        try:
            returned += await _return(context, due)
        except Unavailable as busy:  # the next round finds it again
            log.warning("not_returned_yet", task_id=str(due.task_id), why=busy.code)
    if returned:
        log.info("returned_to_the_back", tasks=returned)
    return returned


def _is_substituted() -> ColumnElement[bool]:
    is_open = (col(Task.status) == TaskStatus.OPEN.value) & (col(Task.held_how) == SUBSTITUTE)
    return is_open & ~is_begun()


async def _due(context: Context, of: str) -> list[_Due]:
    async with context.transaction() as session:
        away = await away_now(session, context.now())
        statement = (
            select(Task.id, Task.case_id)
            .where(_is_substituted(), col(Task.on_behalf_of).not_in(away))
            .order_by(col(Task.id))
        )
        statement = statement.where(Task.on_behalf_of == of) if of else statement
        return [_Due(*row) for row in await session.execute(statement)]


async def _return(context: Context, due: _Due) -> bool:
    """Look again under the lock: it may have been begun or answered meanwhile."""
    async with context.transaction() as session:
        await lock_chain(session, due.case_id)
        statement = select(Task, Case).join(Case, col(Case.id) == col(Task.case_id)).where(Task.id == due.task_id)
        row = (await session.execute(statement.where(_is_substituted()))).first()
        owner = await active_staff_of(session, row.Task.on_behalf_of) if row else None
        if row is None or owner is None or owner.id in await away_now(session, context.now()):
            return False
        found = TaskOnDesk(row.Task, row.Case)
        if against(owner, found, context.today):
            return False
        lent_by = await _lent_by(session, found.task, owner.id)
        event = j.TaskClaimed(task_id=due.task_id, holder=owner.id, how=RETURN, on_behalf_of=lent_by)
        recorded = [j.Recorded(at=context.now(), actor=SYSTEM, event=event)]
        await put_on_record(context, session, case_id=due.case_id, recorded=recorded)
    return True


async def _lent_by(session: AsyncSession, task: Task, owner: str) -> str:
    """On whose behalf the owner had it before they were away: a delegated task stays its delegator's work."""
    had_it = (
        select(col(JournalEntry.body)["on_behalf_of"].astext)
        .where(
            JournalEntry.case_id == task.case_id,
            JournalEntry.type == j.TaskClaimed.TYPE,
            col(JournalEntry.body)["task_id"].astext == str(task.id),
            col(JournalEntry.body)["holder"].astext == owner,
        )
        .order_by(col(JournalEntry.chain_seq).desc())
        .limit(1)
    )
    return (await session.execute(had_it)).scalar() or ""
