"""Working a bulk order, some tasks at a time. Each of them is changed once, however often the activity runs."""

from __future__ import annotations

from uuid import UUID

from temporalio import activity

from lian.services.context import Context
from lian.services.desk.bulk_work import Worked, work_on


class BulkActivities:
    """Bound to one installation's context."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name="work_on_bulk")
    async def work_on(self, order_id: UUID, turn: int) -> Worked:
        """Do, or take back, the next tasks of an order; a sign of life after each."""
        return await work_on(self._context, order_id, turn, beat=activity.heartbeat)
