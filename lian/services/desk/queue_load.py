"""What lies in the queues, by the time that is left, and since when the first of it waits: for leads of teams.

Every number ends at 1,000, so that it takes no longer among a million tasks than among a thousand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lian.auth.actor import Actor
from lian.auth.visibility import workable_tasks
from lian.domain.labels import Label
from lian.domain.load import LEFT, Ageing
from lian.domain.queues import QUEUES
from lian.services.desk.finding import counting_waiting_and_due, naming_queues
from lian.services.desk.lists import COUNTED, Count


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLoad:
    """One queue: what nobody has and is not put aside, and all that is open by the time that is left."""

    queue: str
    label: Label
    waiting: Count
    oldest_at: datetime | None
    """Since when the one that waits longest is open."""
    ageing: Mapping[Ageing, Count]

    @property
    def overdue(self) -> Count:
        """How many of its open tasks are past their first promise."""
        return self.ageing[Ageing.OVERDUE]

    @property
    def is_empty(self) -> bool:
        """Nothing is open in it."""
        return not any(count.n for count in self.ageing.values())


async def queue_loads(session: AsyncSession, actor: Actor, now: datetime) -> list[QueueLoad]:
    """The actor's queues; of the house's own also those in which nothing is open."""
    every = [*QUEUES, *await _others(session)] if actor.has_every_queue else actor.queue_names
    names = [name for name in every if actor.has_queue(name)]
    spans = list(_spans(now))
    statement = counting_waiting_and_due(workable_tasks(actor), spans)
    rows = await session.execute(statement, {"names": names, "now": now, "limit": COUNTED + 1})
    found = {row[0]: _queue(row) for row in rows}
    own = [found[name] for name in QUEUES if name in found]
    return own + [found[name] for name in sorted(found.keys() - QUEUES.keys()) if not found[name].is_empty]


async def _others(session: AsyncSession) -> list[str]:
    """Queues with open work that only routes have named."""
    return [name for name in (await session.execute(naming_queues())).scalars() if name not in QUEUES]


def _spans(now: datetime) -> Iterator[tuple[datetime | None, datetime | None]]:
    """From when until when something falls due, for each in the order of `Ageing`; at the end what never does."""
    ends = [now, *(now + left for left in LEFT.values())]
    yield None, ends[0]
    yield from pairwise(ends)
    yield ends[-1], None


def _queue(row: Sequence[Any]) -> QueueLoad:
    name, waiting, oldest_at, *counts = row
    return QueueLoad(
        queue=name,
        label=QUEUES.get(name, Label(name, name)),
        waiting=_count(waiting),
        oldest_at=oldest_at,
        ageing={bucket: _count(n) for bucket, n in zip(Ageing, counts, strict=True)},
    )


def _count(n: int) -> Count:
    return Count(min(n, COUNTED), is_more=n > COUNTED)
