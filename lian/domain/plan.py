"""What a case was promised when it began: frozen at intake, changed only by explicit, journaled operations (idea 3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from lian.domain.calendars import WorkingCalendar
from lian.domain.sla import ClockPolicy


@dataclass(frozen=True, slots=True)
class CasePlan:
    """Policies and calendars a case runs under, with the packs' versions.

    `calendar` is the office's; `calendars` holds those that policies name. Each clock runs by its own.
    """

    pack: str
    calendar: WorkingCalendar
    clocks: dict[str, ClockPolicy]
    calendars: dict[str, WorkingCalendar] = field(default_factory=dict)

    def clock(self, name: str) -> ClockPolicy:
        """The policy of a clock; a reopened case's `name#2` runs under `name`."""
        return self.clocks[policy_id(name)]

    def calendar_of(self, policy: ClockPolicy) -> WorkingCalendar:
        """The calendar a clock counts in; the office's, unless the policy names one of the plan's."""
        return self.calendars.get(policy.calendar, self.calendar)

    @property
    def milestones(self) -> frozenset[str]:
        """What its promises run from or to."""
        return frozenset().union(*(policy.milestones for policy in self.clocks.values()))


def policy_id(name: str) -> str:
    """The promise behind a clock: `claim.total#2` is of a second life, `status_letter@3` the third of a row."""
    return name.partition("#")[0].partition("@")[0]
