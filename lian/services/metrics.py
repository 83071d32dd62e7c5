"""Figures for whoever watches the installation: how many cases stand still, how much work waits, how late it is.

They name queues and routes of the web process, never a case, a person or a word of theirs. Every count stops at a
ceiling and is kept for some seconds: to be asked costs the same, however much there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from sqlalchemy import ColumnElement, Select, func, literal
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.db.tables import Case, Clock, OutboxMessage, Task
from lian.domain.errors import Unavailable
from lian.domain.queues import QUEUES
from lian.domain.status import CaseStatus, ClockStatus, TaskStatus
from lian.services.context import Context
from lian.services.watchdog import count_stuck

CEILING = 100_000
"""So many, or more."""
KEPT_SECONDS = 10.0
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds; 0.15 is what a page with 200 rows may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The installation at one moment; counts stop at `CEILING`."""

    stuck_cases: int
    open_cases: int
    open_tasks: dict[str, int]
    free_tasks: dict[str, int]
    overdue_promises: int
    outbox_waiting: int
    oldest_outbox_seconds: float
    """How long the oldest message has waited that is not yet delivered; 0 when there is none."""


async def count_figures(context: Context) -> Figures:
    """Ask the database."""
    now, stuck = context.now(), await count_stuck(context)
    async with context.reading() as session:
        cases = await _count(session, Case.id, Case.status == CaseStatus.OPEN.value)
        overdue = await _count(session, Clock.case_id, *_overdue(now))
        waiting = await _count(session, OutboxMessage.id, col(OutboxMessage.done_at).is_(None))
        oldest = select(func.min(OutboxMessage.created_at)).where(col(OutboxMessage.done_at).is_(None))
        since: datetime | None = (await session.execute(oldest)).scalar()
        return Figures(
            stuck_cases=stuck,
            open_cases=cases,
            open_tasks=await _by_queue(session),
            free_tasks=await _by_queue(session, Task.holder == ""),
            overdue_promises=overdue,
            outbox_waiting=waiting,
            oldest_outbox_seconds=(now - since).total_seconds() if since else 0.0,
        )


def _overdue(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Computed from the instant, never from a stored flag (idea 3)."""
    is_open = (col(Clock.stopped_at).is_(None), col(Clock.status) != ClockStatus.CANCELLED.value)
    return (*is_open, col(Clock.due_at) < now)


async def _count(session: AsyncSession, column: Any, *conditions: Any) -> int:
    return int((await session.execute(_capped(column, *conditions))).scalar_one())


def _capped(column: Any, *conditions: Any) -> Select[Any]:
    some = select(column).where(*conditions).limit(CEILING).subquery()
    return select(func.count()).select_from(some)


async def _by_queue(session: AsyncSession, *conditions: Any) -> dict[str, int]:
    is_open = Task.status == TaskStatus.OPEN.value
    counts = [_capped(Task.id, is_open, Task.queue == literal(q), *conditions).scalar_subquery() for q in QUEUES]
    row = (await session.execute(select(*counts))).one()
    return dict(zip(QUEUES, row, strict=True))


class Metrics:
    """What one web process tells: the installation's figures, and how long its own answers took."""

    def __init__(self, context: Context, subscribers: Callable[[], int]) -> None:
        self._context = context
        self._subscribers = subscribers
        self._figures: Figures | None = None
        self._counted_at = -KEPT_SECONDS
        self._counting = asyncio.Lock()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._answers = Histogram(
            "lian_http_request_seconds",
            "Time to answer a request, by route and status.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=self._registry,
        )

    def observe(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is a template of ours, so that there are few."""
        self._answers.labels(method, route, status).observe(seconds)

    async def text(self) -> bytes:
        """Everything, in Prometheus' text format. Without a database its figures are missing, and `lian_up` is 0."""
        async with self._counting:
            if monotonic() - self._counted_at >= KEPT_SECONDS:
                self._figures = await self._ask()
                self._counted_at = monotonic()
        return generate_latest(self._registry)

    async def _ask(self) -> Figures | None:
        try:
            return await count_figures(self._context)
        except Unavailable:
            return None

    def describe(self) -> tuple[()]:
        """Nothing is collected when this is registered."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As the registry asks for it."""
        yield GaugeMetricFamily("lian_up", "Whether the database answers.", value=int(self._figures is not None))
        yield GaugeMetricFamily(
            "lian_live_subscribers", "Browsers with an open connection to this process.", value=self._subscribers()
        )
        if self._figures is not None:
            yield from _families(self._figures)


def _families(found: Figures) -> Iterator[GaugeMetricFamily]:
    yield GaugeMetricFamily(
        "lian_stuck_cases", "Open cases that wait for nothing and nobody; should be none.", value=found.stuck_cases
    )
    yield GaugeMetricFamily("lian_open_cases", "Open cases.", value=found.open_cases)
    yield GaugeMetricFamily("lian_overdue_promises", "Promises past their deadline.", value=found.overdue_promises)
    yield GaugeMetricFamily("lian_outbox_waiting", "Messages not yet delivered.", value=found.outbox_waiting)
    yield GaugeMetricFamily(
        "lian_oldest_outbox_seconds", "Age of the oldest of them.", value=found.oldest_outbox_seconds
    )
    yield _of_queues("lian_open_tasks", "Open tasks.", found.open_tasks)
    yield _of_queues("lian_free_tasks", "Open tasks that nobody has.", found.free_tasks)


def _of_queues(name: str, words: str, counts: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=["queue"])
    for queue, count in counts.items():
        family.add_metric([queue], count)
    return family
