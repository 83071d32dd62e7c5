"""Tasks that are answered at the desk itself: the process opened them and waits for nobody (CLM-13).

What may be chosen depends on the case as it stands, so it is found anew whenever the task is shown or answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor, staff_actor_id, staff_ids
from lian.auth.visibility import workable_tasks
from lian.db.tables import Case, JournalEntry, Staff, Task
from lian.domain import journal as j
from lian.domain.labels import Label
from lian.domain.promise_tasks import EXPLAIN_LATENESS, Lateness
from lian.domain.tasks import Json
from lian.services.accounts import have_right
from lian.services.choices import option

Offer = Callable[[AsyncSession, Actor, Case], Awaitable[Json]]
DeskTask = Callable[[Task, Any], Sequence[j.Event]]
LEADS = "task:assign"
"""Whoever hands out work answers for it as well."""


async def offer_responsible(session: AsyncSession, actor: Actor, case: Case) -> Json:
    """Active staff who had or did work on the case, then the leads, each by name."""
    worked = {*staff_ids(await _worked_on(session, actor, case.id))}
    answerable = have_right(LEADS) | col(Staff.id).in_(worked)
    query = select(col(Staff.id), col(Staff.name)).where(col(Staff.active), answerable)
    people = (await session.execute(query.order_by(col(Staff.name), col(Staff.id)))).all()
    found = sorted(people, key=lambda one: one.id not in worked)
    return {"responsible": [option(staff_actor_id(one.id), Label(one.name, one.name)) for one in found]}


async def _worked_on(session: AsyncSession, actor: Actor, case_id: UUID) -> set[str]:
    """Who ever held one of the tasks that the actor may know of, or answered it."""
    known = select(col(Task.id), col(Task.completed_by)).join(Case, col(Case.id) == col(Task.case_id))
    tasks = (await session.execute(known.where(col(Task.case_id) == case_id, workable_tasks(actor)))).all()
    claimed = select(col(JournalEntry.body)).where(
        JournalEntry.case_id == case_id, JournalEntry.type == j.TaskClaimed.TYPE
    )
    ids = {str(task.id) for task in tasks}
    held = {body["holder"] for body in (await session.execute(claimed)).scalars() if body["task_id"] in ids}
    return held | {task.completed_by for task in tasks}


def explain_lateness(task: Task, outcome: Lateness) -> Sequence[j.Event]:
    """Cause and who answers for it; the words are the task's notes."""
    clock = str(task.ask["clock"])
    return [j.LatenessExplained(clock=clock, cause=outcome.cause, responsible=outcome.responsible)]


OFFERS: dict[str, Offer] = {EXPLAIN_LATENESS.id: offer_responsible}
"""Choices that are found, by the task's kind."""
DESK_TASKS: dict[str, DeskTask] = {EXPLAIN_LATENESS.id: explain_lateness}
"""What each answer puts on record, after the answer itself."""
