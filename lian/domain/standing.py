"""Where a running promise stands, from whole microseconds: for looking at very many promises at once.

The same arithmetic as `lian.domain.sla`, without a ledger made for each clock: how it would stand under another policy
or calendar is asked of every open promise of the house.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from lian.domain.calendars import CalendarNotCovered, WorkingCalendar
from lian.domain.labels import Label
from lian.domain.sla import (
    ONE_HOUR,
    ClockLedger,
    ClockPolicy,
    Pause,
    Rebase,
    Unit,
    consumed,
    due_instant,
    moment_of,
    share_instant,
)
from lian.domain.timetable import FOREVER, Instant, Pauses, standstills


class Standing(StrEnum):
    """How a promise that has not stopped stands at a moment. `not_covered`: its calendar has no answer yet."""

    RUNNING = "running"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    PAUSED = "paused"
    NOT_COVERED = "not_covered"


STANDING_LABELS: dict[Standing, Label] = {
    Standing.RUNNING: Label("On time", "正常"),
    Standing.AT_RISK: Label("At risk", "临期"),
    Standing.BREACHED: Label("Overdue", "已超时"),
    Standing.PAUSED: Label("Paused", "已暂停"),
    Standing.NOT_COVERED: Label("Calendar not published", "日历未公布"),
}


@dataclass(frozen=True, slots=True)
class OpenLedger:
    """What happened to a running clock, in whole microseconds; a pause that is still open ends at `FOREVER`."""

    started: Instant
    pauses: Pauses = ()
    extended: int = 0
    rebased: Instant | None = None
    consumed: int = 0
    """What was used up by `rebased`."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A policy and the calendar it counts in."""

    policy: ClockPolicy
    calendar: WorkingCalendar

    @property
    def warns_at_percent(self) -> int:
        """The share of the budget at which somebody is warned first; 0 for never."""
        return min((rung.percent for rung in self.policy.ladder if rung.percent < 100), default=0)

    def stand(self, ledger: OpenLedger, now: Instant) -> tuple[Standing, Instant | None]:
        """How it stands, and when it falls due; that is not known while it is paused or its calendar not published."""
        policy, calendar = self.policy, self.calendar
        is_hours = policy.unit is Unit.HOURS
        # As `sla.folded` has it: only hours keep what was used by other ones.
        is_rebased = is_hours and ledger.rebased is not None
        start = ledger.rebased if is_rebased and ledger.rebased is not None else ledger.started
        used = ledger.consumed if is_rebased else 0
        budget = (policy.amount + ledger.extended) * (ONE_HOUR if is_hours else 1)
        pauses = standstills(ledger.pauses, start) if ledger.pauses and policy.pausable else ()
        try:
            due = due_instant(policy, calendar, start, pauses, budget, used)
            if due is None:
                return Standing.PAUSED, None
            if now > due:
                return Standing.BREACHED, due
            percent = self.warns_at_percent
            warn = share_instant(policy, calendar, start, pauses, budget, used, percent=percent) if percent else None
        except CalendarNotCovered:
            return (Standing.PAUSED if pauses and pauses[-1][1] == FOREVER else Standing.NOT_COVERED), None
        return (Standing.RUNNING if warn is None or now < warn else Standing.AT_RISK), due


def counts_other_hours(before: Promise, after: Promise) -> bool:
    """Whether an hour is another one: then what was used up is kept, and the rest counted by the new hours.

    Another holiday is not another hour: such a clock is counted from its ledger again.
    """
    is_hours = before.policy.unit is Unit.HOURS and after.policy.unit is Unit.HOURS
    return is_hours and _hours(before) != _hours(after)


def _hours(promise: Promise) -> tuple[str, object]:
    return promise.policy.calendar, promise.calendar.sessions


def carried_over(before: Promise, ledger: OpenLedger, now: Instant) -> OpenLedger:
    """The ledger from `now` on, by other hours. Raises `CalendarNotCovered` when `now` lies beyond the old calendar."""
    used = consumed(policy=before.policy, calendar=before.calendar, ledger=_as_ledger(ledger), at=moment_of(now))
    return OpenLedger(
        started=ledger.started,
        pauses=ledger.pauses,
        extended=ledger.extended,
        rebased=max(now, ledger.started),
        consumed=used // timedelta(microseconds=1),
    )


def _as_ledger(ledger: OpenLedger) -> ClockLedger:
    pauses = tuple(Pause("", moment_of(a), None if b == FOREVER else moment_of(b)) for a, b in ledger.pauses)
    rebased = None
    if ledger.rebased is not None:
        rebased = Rebase(moment_of(ledger.rebased), timedelta(microseconds=ledger.consumed))
    return ClockLedger(moment_of(ledger.started), pauses, extended=ledger.extended, rebased=rebased)
