"""What runs by the calendar: made by whichever worker comes first, and left alone by the others."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import Priority
from temporalio.service import RPCError, RPCStatusCode

from lian.services.watchdog import EVERY_MINUTES
from workflows import options
from workflows.watchdog import Watchdog

log = structlog.get_logger()

WATCHDOG = "watchdog"
AGAIN_SECONDS = 15.0


async def schedule_watchdog(client: Client) -> bool:
    """Have it run every few minutes, never two at once; true when this call made the schedule.

    One that an earlier version made is changed to what it is now. What was missed while the server was away is not made
    up for: the next round finds it all.
    """
    try:
        await client.create_schedule(WATCHDOG, _watchdog())
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(WATCHDOG).update(_renewed)
        return False
    return True


def _watchdog() -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Watchdog.run,
            id=WATCHDOG,
            task_queue=options.CASES,
            execution_timeout=options.ROUND_TIMEOUT,
            # People's commands come first.
            priority=Priority(priority_key=5),
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=EVERY_MINUTES))]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)),
    )


def _renewed(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
    """What an existing schedule becomes; nothing where it is as it should be. Whether it is paused stays as it is."""
    made, wanted = found.description.schedule, _watchdog()
    if made.spec.intervals == wanted.spec.intervals and _patience(made) == _patience(wanted):
        return None
    wanted.state = made.state
    return ScheduleUpdate(schedule=wanted)


def _patience(schedule: Schedule) -> timedelta | None:
    action = schedule.action
    return action.execution_timeout if isinstance(action, ScheduleActionStartWorkflow) else None


async def keep_watch(client: Client) -> None:
    """Make the schedule, however long the server is away; one that knows no schedules is left without."""
    while True:
        try:
            await schedule_watchdog(client)
        except RPCError as failed:
            log.warning("watchdog_not_scheduled", error=failed.status.name)
            if failed.status is RPCStatusCode.UNIMPLEMENTED:
                return
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return
