"""Overdue analysis: which broken promises nobody has explained yet, and what they were broken by (CLM-13)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.tables import Case, Clock, Task
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.promise_tasks import CAUSES, EXPLAIN_LATENESS
from lian.domain.status import TaskStatus
from lian.services.context import Context
from lian.services.names import names_of_staff
from lian.services.reading_clocks import clock_label

DAYS = 90
LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class LateQuery:
    """Filters of the list. `explained` is False for what waits for its cause; the rest narrows what has one."""

    explained: bool = False
    cause: str = ""
    responsible: str = ""
    days: int = DAYS
    """Broken so many days ago at most; what is not explained is listed however old it is."""
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePromise:
    """One broken promise. `task_id` is the open question for its cause, `holder` who has it."""

    case: Case
    clock: Clock
    label: Label
    responsible: str
    """Name of who answers for it."""
    task_id: UUID | None
    holder: str


@dataclass(frozen=True, slots=True)
class LateCount:
    """How many promises were broken by one cause that one person answers for."""

    cause: str
    label: Label
    responsible: str
    name: str
    promises: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """The analysis as of now: the summary covers what was broken in the last `days`, the list is one page."""

    as_of: datetime
    days: int
    unexplained: int
    counts: tuple[LateCount, ...]
    promises: tuple[LatePromise, ...]

    @property
    def explained(self) -> int:
        """How many of the period have a cause."""
        return sum(count.promises for count in self.counts)


async def late_cases(context: Context, actor: Actor, query: LateQuery) -> Lateness:
    """Broken promises of the cases the actor may see, the oldest first, with the summary. Needs `sla:read`."""
    actor.require("sla:read")
    if not 1 <= query.days <= LONGEST_DAYS:
        raise Invalid(f"The period is 1 to {LONGEST_DAYS} days.", field="days")
    now = context.now()
    async with context.transaction() as session:
        counts = await _counts(session, actor, now - timedelta(days=query.days))
        rows = (await session.execute(_page(actor, query, now))).all()
        tasks = await _questions(session, {case.id for case, _ in rows})
        people = {count[1] for count in counts} | {clock.late_responsible for _, clock in rows}
        names = await names_of_staff(session, people | {task.holder for task in tasks.values()})
        unexplained = (await session.execute(_unexplained(actor))).scalar_one()
    return Lateness(
        as_of=now,
        days=query.days,
        unexplained=unexplained,
        counts=tuple(LateCount(cause, cause_label(cause), who, names.get(who, who), n) for cause, who, n in counts),
        promises=tuple(_promise(case, clock, tasks, names) for case, clock in rows),
    )


def cause_label(cause: str) -> Label:
    """The words of a cause."""
    return CAUSES.get(cause, Label(cause, cause))


def _is_late() -> ColumnElement[bool]:
    """Broken and not mended since, whether the promise still runs, was kept late, or ended with its case."""
    return col(Clock.breached_at).is_not(None)


def _unexplained(actor: Actor) -> Select[Any]:
    joined = select(func.count()).select_from(Clock).join(Case, col(Case.id) == col(Clock.case_id))
    return joined.where(_is_late(), Clock.late_cause == "", visible_cases(actor))


async def _counts(session: AsyncSession, actor: Actor, since: datetime) -> Sequence[Any]:
    n = func.count()
    statement = (
        select(Clock.late_cause, Clock.late_responsible, n)
        .join(Case, col(Case.id) == col(Clock.case_id))
        .where(_is_late(), Clock.late_cause != "", col(Clock.breached_at) >= since, visible_cases(actor))
        .group_by(col(Clock.late_cause), col(Clock.late_responsible))
        .order_by(n.desc(), col(Clock.late_cause), col(Clock.late_responsible))
    )
    return (await session.execute(statement)).all()


def _page(actor: Actor, query: LateQuery, now: datetime) -> Any:
    statement: Any = select(Case, Clock).join(Clock, col(Case.id) == col(Clock.case_id))
    statement = statement.where(_is_late(), visible_cases(actor))
    if query.explained:
        since = now - timedelta(days=query.days)
        statement = statement.where(Clock.late_cause != "", col(Clock.breached_at) >= since)
        if query.cause:
            statement = statement.where(Clock.late_cause == query.cause)
        if query.responsible:
            statement = statement.where(Clock.late_responsible == query.responsible)
    else:
        statement = statement.where(Clock.late_cause == "")
    statement = statement.order_by(col(Clock.breached_at), col(Clock.case_id), col(Clock.clock))
    return statement.offset(query.offset).limit(query.limit)


async def _questions(session: AsyncSession, cases: Collection[UUID]) -> dict[tuple[UUID, str], Task]:
    """The open questions for a cause, by case and clock."""
    query = select(Task).where(
        col(Task.case_id).in_(cases), Task.kind == EXPLAIN_LATENESS.id, Task.status == TaskStatus.OPEN.value
    )
    return {(task.case_id, str(task.ask.get("clock"))): task for task in (await session.execute(query)).scalars()}


def _promise(case: Case, clock: Clock, tasks: dict[tuple[UUID, str], Task], names: dict[str, str]) -> LatePromise:
    task = tasks.get((case.id, clock.clock))
    return LatePromise(
        case=case,
        clock=clock,
        label=clock_label(clock),
        responsible=names.get(clock.late_responsible, clock.late_responsible),
        task_id=task.id if task else None,
        holder=names.get(task.holder, "") if task else "",
    )
