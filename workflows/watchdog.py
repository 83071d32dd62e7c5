"""One round of the watchdog, begun by a schedule."""

from __future__ import annotations

from temporalio import workflow

from activities.watchdog import WatchdogActivities
from lian.services.watchdog import Swept
from workflows import options


@workflow.defn
class Watchdog:
    """Finds what the cases' own processes should have noticed."""

    @workflow.run
    async def run(self) -> Swept:
        """One sweep; one that fails is made up for by the next round."""
        return await workflow.execute_activity_method(
            WatchdogActivities.sweep,
            task_queue=options.CASES,
            start_to_close_timeout=options.SWEEP_TIMEOUT,
            retry_policy=options.ONE_MORE_TRY,
            summary="sweep",
        )
