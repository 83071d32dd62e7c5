"""A bulk order from its first task to its last, across restarts of everything (TSK-1)."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from activities.bulk import BulkActivities
from lian.domain.messages import BulkRun
from lian.services.desk.bulk_work import Worked
from workflows import options


@workflow.defn
class Bulk:
    """Works through an order, or takes it back. What is left to do, and whether to go on, only Postgres knows."""

    @workflow.run
    async def run(self, run: BulkRun) -> None:
        """Some tasks after the other; what was away at their turn waits longer each time."""
        turn = 0
        while (stands := await self._work(run, turn)) is not Worked.OVER:
            if stands is Worked.LATER:
                await workflow.sleep(min(timedelta(seconds=2 ** min(turn, 6)), options.LONGEST_PAUSE))
                turn += 1

    async def _work(self, run: BulkRun, turn: int) -> Worked:
        return await workflow.execute_activity_method(
            BulkActivities.work_on,
            args=[run.order_id, turn],
            task_queue=options.BULK,
            start_to_close_timeout=options.BULK_TIMEOUT,
            heartbeat_timeout=options.BULK_HEARTBEAT,
            retry_policy=options.PATIENT_RETRY,
            summary="undo" if run.undo else "work",
        )
