"""The watchdog's round, as an activity."""

from __future__ import annotations

from temporalio import activity

from lian.services import watchdog
from lian.services.context import Context
from lian.services.watchdog import Swept


class WatchdogActivities:
    """Bound to one installation's context."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn
    async def sweep(self) -> Swept:
        """Ask who has overslept a promise, and find cases that stand still."""
        return await watchdog.sweep(self._context)
