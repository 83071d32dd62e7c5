"""Free tasks that nobody with the wanted skills took: after a while others may, too. Licences never relax (TSK-3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.db.journal import lock_chain
from lian.db.tables import Task
from lian.domain import journal as j
from lian.domain.errors import Unavailable
from lian.domain.needs import LICENCE, read_needs
from lian.domain.queues import QUEUES
from lian.services.context import Context
from lian.services.desk.candidates import free_needs
from lian.services.desk.lists import IS_FREE, IS_OPEN
from lian.services.recording import SYSTEM, put_on_record

log = structlog.get_logger()

MOST_RELAXED = 500
"""Tasks of one round, each in a transaction of its own; the rest follow in the next."""


def relaxed_before(context: Context) -> datetime:
    """A task that was opened by then, and is free, needs licences only."""
    return context.now() - timedelta(hours=context.settings.desk_relax_after_hours)


async def relax(context: Context) -> int:
    """One round; returns how many tasks others may do from now on. Safe to repeat, several at once do no harm."""
    relaxed = 0
    for task_id, case_id in await _waiting(context):
        try:
            relaxed += await _relax(context, task_id, case_id)
        except Unavailable:  # somebody is writing to the case: the next round will find it
            log.warning("relaxing_waits", task_id=str(task_id))
    return relaxed


async def _waiting(context: Context) -> Sequence[tuple[UUID, UUID]]:
    found: list[tuple[UUID, UUID]] = []
    async with context.transaction() as session:
        for queue in QUEUES:
            wanted = [text for text in await free_needs(session, queue) if _wanted(read_needs(text).skills)]
            if wanted and len(found) < MOST_RELAXED:
                found += await _of_queue(session, queue, wanted, relaxed_before(context), MOST_RELAXED - len(found))
    return found


async def _of_queue(
    session: AsyncSession, queue: str, needs: Sequence[str], before: datetime, limit: int
) -> list[tuple[UUID, UUID]]:
    query = (
        select(Task.id, Task.case_id)
        .where(IS_OPEN, IS_FREE, col(Task.queue) == queue, col(Task.needs).in_(needs), col(Task.opened_at) <= before)
        .order_by(col(Task.urgency), col(Task.id))
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


def _wanted(skills: Sequence[str]) -> tuple[str, ...]:
    """What one would rather have, and no law demands."""
    return tuple(skill for skill in skills if not skill.startswith(LICENCE))


async def _relax(context: Context, task_id: UUID, case_id: UUID) -> bool:
    async with context.transaction() as session:
        await lock_chain(session, case_id)
        query = select(Task).where(col(Task.id) == task_id, IS_OPEN, IS_FREE)
        task = (await session.execute(query)).scalars().first()
        skills = _wanted(task.skills) if task and task.opened_at <= relaxed_before(context) else ()
        if not skills:
            return False
        event = j.TaskRelaxed(task_id=task_id, skills=skills)
        recorded = [j.Recorded(at=context.now(), actor=SYSTEM, event=event)]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)
    return True
