"""Tasks that are answered at the desk itself: the process opened them and waits for nobody (CLM-13).

What may be chosen depends on the case as it stands, so it is found anew whenever the task is shown or answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import workable_tasks
from lian.db.tables import Case, JournalEntry, Staff, Task
from lian.domain import journal as j
from lian.domain.labels import Label
from lian.domain.promise_tasks import EXPLAIN_LATENESS, Lateness
from lian.domain.tasks import Json
from lian.services.accounts import actor_for
from lian.services.choices import option

Offer = Callable[[AsyncSession, Actor, Case], Awaitable[Json]]
DeskTask = Callable[[Task, Any], Sequence[j.Event]]
LEADS = "task:assign"
"""Whoever hands out work answers for it as well."""


async def offer_responsible(session: AsyncSession, actor: Actor, case: Case) -> Json:
    """Active staff who had or did work on the case, then the leads, each by name."""
    worked = await _worked_on(session, actor, case.id)
    staff = (await session.execute(select(Staff).where(col(Staff.active)).order_by(col(Staff.name)))).scalars()
    people = [(actor_for(each), each.name) for each in staff]
    found = [(person.id, name) for person, name in people if person.id in worked]
    found += [(person.id, name) for person, name in people if person.may(LEADS) and person.id not in worked]
    return {"responsible": [option(actor_id, Label(name, name)) for actor_id, name in found]}


async def _worked_on(session: AsyncSession, actor: Actor, case_id: UUID) -> set[str]:
    """Who ever held one of the tasks that the actor may know of, or answered it."""
    known = (
        select(Task).join(Case, col(Case.id) == col(Task.case_id)).where(Task.case_id == case_id, workable_tasks(actor))
    )
    tasks = (await session.execute(known)).scalars().all()
    claimed = select(JournalEntry).where(JournalEntry.case_id == case_id, JournalEntry.type == j.TaskClaimed.TYPE)
    ids = {str(task.id) for task in tasks}
    entries = (await session.execute(claimed)).scalars()
    held = {entry.body["holder"] for entry in entries if entry.body["task_id"] in ids}
    return held | {task.completed_by for task in tasks}


def explain_lateness(task: Task, outcome: Lateness) -> Sequence[j.Event]:
    """Cause and who answers for it; the words are the task's notes."""
    clock = str(task.ask["clock"])
    return [j.LatenessExplained(clock=clock, cause=outcome.cause, responsible=outcome.responsible)]


OFFERS: dict[str, Offer] = {EXPLAIN_LATENESS.id: offer_responsible}
"""Choices that are found, by the task's kind."""
DESK_TASKS: dict[str, DeskTask] = {EXPLAIN_LATENESS.id: explain_lateness}
"""What each answer puts on record, after the answer itself."""
