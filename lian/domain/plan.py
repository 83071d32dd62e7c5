"""What a case was promised when it began: frozen at intake, changed only by explicit, journaled operations (idea 3)."""

from __future__ import annotations

from dataclasses import dataclass

from lian.domain.calendars import WorkingCalendar
from lian.domain.sla import ClockPolicy


@dataclass(frozen=True, slots=True)
class CasePlan:
    """Policies and calendar a case runs under, with the pack's version."""

    pack: str
    calendar: WorkingCalendar
    clocks: dict[str, ClockPolicy]

    def clock(self, name: str) -> ClockPolicy:
        """The policy of a clock; a reopened case's `name#2` runs under `name`."""
        return self.clocks[name.partition("#")[0]]
