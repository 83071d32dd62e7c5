"""What a case costs Temporal, counted from its history: billable actions and history events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any
from uuid import UUID

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError

from lian.domain.messages import case_workflow_id, payment_workflow_id

AT_ONCE = 8
LOCAL_ACTIVITY = "core_local_activity"
ONE_ACTION = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    }
)
"""A continued history begins with a start of its own: that is the action of continue-as-new."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one workflow, or of several together."""

    actions: int = 0
    events: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.actions + other.actions, self.events + other.events)


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over all cases."""

    median: int
    p95: int
    most: int


def cost_of(events: Iterable[Any]) -> Cost:
    """One history's cost: start, updates, signals, timers and upserts; workflow tasks with local activities; attempts
    of activities; two for each child (`temporal.md`, "Cost of a claim"). Queries leave no trace and are not counted.
    """
    actions = count = 0
    with_local_activities: set[int] = set()
    for event in events:
        count += 1
        kind = event.event_type
        if kind in ONE_ACTION:
            actions += 1
        elif kind == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            actions += event.activity_task_started_event_attributes.attempt
        elif kind == EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            actions += 2
        elif kind == EventType.EVENT_TYPE_MARKER_RECORDED:
            marker = event.marker_recorded_event_attributes
            if marker.marker_name == LOCAL_ACTIVITY:
                with_local_activities.add(marker.workflow_task_completed_event_id)
    return Cost(actions + len(with_local_activities), count)


async def costs_of(client: Client, cases: Sequence[tuple[UUID, Sequence[UUID]]]) -> list[Cost]:
    """Each case's cost with that of its payments; a history that is gone counts nothing."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(case_id: UUID, payments: Sequence[UUID]) -> Cost:
        names = [case_workflow_id(case_id), *(payment_workflow_id(p) for p in payments)]
        async with turns:
            return sum([await _of_workflow(client, name) for name in names], Cost())

    return list(await asyncio.gather(*(one(*case) for case in cases)))


async def _of_workflow(client: Client, workflow_id: str) -> Cost:
    """All histories of one workflow, from the last back to the first."""
    total, run_id = Cost(), None
    while True:
        try:
            handle = client.get_workflow_handle(workflow_id, run_id=run_id)
            events = [event async for event in handle.fetch_history_events(page_size=1000)]
        except RPCError:
            return total
        total += cost_of(events)
        run_id = events[0].workflow_execution_started_event_attributes.continued_execution_run_id if events else ""
        if not run_id:
            return total


def spread(figures: Sequence[int]) -> Spread:
    """Median, 95th percentile and most."""
    ordered = sorted(figures) or [0]
    return Spread(_at(ordered, 0.5), _at(ordered, 0.95), ordered[-1])


def _at(ordered: Sequence[int], share: float) -> int:
    return ordered[max(0, ceil(len(ordered) * share) - 1)]
