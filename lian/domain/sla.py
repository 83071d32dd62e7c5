"""Promises with a deadline: a clock is a budget and a ledger, never a stored flag (idea 3).

Everything here is a pure function of (policy, calendar, ledger) and, where asked, `now`. Rules: sla/semantics.md.
All instants are aware; results are UTC. Hours are elapsed hours, day and night; working days are the calendar's.
A date outside the published calendar raises `CalendarNotCovered`; an instant without a time zone raises `Invalid`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from lian.domain.calendars import WorkingCalendar
from lian.domain.errors import Invalid
from lian.domain.labels import Label

FOREVER = datetime.max.replace(tzinfo=UTC)


class Unit(StrEnum):
    """What a budget counts."""

    HOURS = "hours"
    WORKING_DAYS = "working_days"


class Verdict(StrEnum):
    """How a promise stands. `met` and `breached` are final once the clock has stopped."""

    MET = "met"
    BREACHED = "breached"
    RUNNING = "running"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class ClockPolicy:
    """One promise: `amount` of `unit`; frozen into the case's plan at intake.

    A clock that is not `pausable` ignores every pause. `warn_percent` of the budget consumed is the time to warn;
    0 never warns. `source` is the law article or requirement the figure comes from, such as CLM-4. `Invalid` when
    the amount is not positive or the percentage not within 0 to 100.
    """

    id: str
    label: Label
    amount: int
    unit: Unit
    pausable: bool
    warn_percent: int = 75
    statutory: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        if self.amount < 1 or not 0 <= self.warn_percent <= 100:
            raise Invalid("A clock needs a positive budget and a warning within it.", clock=self.id)


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stands still in [from_at, to_at) because the named request is open; None while it still is."""

    request_id: str
    from_at: datetime
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClockLedger:
    """What happened to one clock: the only thing ever stored about it."""

    started_at: datetime
    pauses: tuple[Pause, ...] = ()
    stopped_at: datetime | None = None


def due_at(*, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger) -> datetime | None:
    """The last instant (UTC) at which the promise is kept; None while a pause is open and the end is not known.

    A pause that begins at or after this instant has no effect, open or not.
    """
    if policy.unit is Unit.HOURS:
        return _hours_end(_standstills(policy, ledger), _utc(ledger.started_at), _budget(policy))
    return _days_end(_standstills(policy, ledger), ledger, calendar, policy.amount)


def warn_at(*, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger) -> datetime | None:
    """The instant (UTC) to warn people; None while paused, or when the share rounds down to nothing.

    Hours: `warn_percent` of the budget consumed. Days: the deadline of that share of the days, rounded down.
    """
    days = policy.amount * policy.warn_percent // 100
    if not policy.warn_percent or due_at(policy=policy, calendar=calendar, ledger=ledger) is None:
        return None
    if policy.unit is Unit.HOURS:
        share = _budget(policy) * policy.warn_percent / 100
        return _hours_end(_standstills(policy, ledger), _utc(ledger.started_at), share)
    return _days_end(_standstills(policy, ledger), ledger, calendar, days) if days else None


def verdict(*, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, now: datetime) -> Verdict:
    """How the promise stands at `now`, or stood when it was stopped: at exactly due is met, any later is breached."""
    due = due_at(policy=policy, calendar=calendar, ledger=ledger)
    moment = _utc(ledger.stopped_at or now)
    if due is not None and moment > due:
        return Verdict.BREACHED
    if ledger.stopped_at is not None:
        return Verdict.MET
    is_paused = any(still.begins <= moment < still.ends for still in _standstills(policy, ledger))
    return Verdict.PAUSED if is_paused else Verdict.RUNNING


def remaining(
    *, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, now: datetime
) -> timedelta | None:
    """What is left of the promise at `now`, or was left when it was stopped; negative when overdue.

    Hours: the budget not yet consumed, which stands still in a pause. Days: the time until due; None while paused.
    """
    due = due_at(policy=policy, calendar=calendar, ledger=ledger)
    moment = _utc(ledger.stopped_at or now)
    if due is not None and (policy.unit is Unit.WORKING_DAYS or moment > due):
        return due - moment
    if policy.unit is Unit.WORKING_DAYS:
        return None
    return _budget(policy) - _consumed(_standstills(policy, ledger), _utc(ledger.started_at), moment)


# --- the arithmetic ---------------------------------------------------------------------------------------------------


class _Standstill(NamedTuple):
    """Merged pauses, in UTC; `ends` is FOREVER while open."""

    begins: datetime
    ends: datetime


def _standstills(policy: ClockPolicy, ledger: ClockLedger) -> tuple[_Standstill, ...]:
    """The pauses that touch this clock: clipped to its start, in order, overlapping and adjoining ones merged."""
    merged: list[_Standstill] = []
    for still in sorted(_clipped(pause, _utc(ledger.started_at)) for pause in ledger.pauses if policy.pausable):
        if still.begins >= still.ends:
            continue
        if merged and still.begins <= merged[-1].ends:
            merged[-1] = _Standstill(merged[-1].begins, max(merged[-1].ends, still.ends))
        else:
            merged.append(still)
    return tuple(merged)


def _clipped(pause: Pause, start: datetime) -> _Standstill:
    ends = FOREVER if pause.to_at is None else _utc(pause.to_at)
    return _Standstill(max(_utc(pause.from_at), start), ends)


def _hours_end(standstills: tuple[_Standstill, ...], start: datetime, budget: timedelta) -> datetime | None:
    """The instant the budget is used up; every standstill that begins before it moves it on by its length."""
    end = start + budget
    for still in standstills:
        if still.begins >= end:
            break
        if still.ends == FOREVER:
            return None
        end += still.ends - still.begins
    return end


def _days_end(
    standstills: tuple[_Standstill, ...], ledger: ClockLedger, calendar: WorkingCalendar, days: int
) -> datetime | None:
    """The close of the last of `days` counted days; the local date of receipt is never one (Civil Code art. 201).

    A working day counts iff the clock runs immediately before its close, so a pause from date P to date R deducts the
    working days from P to the eve of R, and a pause within one day none (解释(二) art. 15, read conservatively).
    """
    for day in calendar.working_days_after(calendar.local_date(_utc(ledger.started_at))):
        close = calendar.end_of_day(day)
        still = next((still for still in standstills if still.begins < close <= still.ends), None)
        if still is not None and still.ends == FOREVER:
            return None
        days -= still is None
        if not days:
            return close
    raise AssertionError("working days never run out: the calendar raises at its end")


def _consumed(standstills: tuple[_Standstill, ...], start: datetime, moment: datetime) -> timedelta:
    """The running time in [start, moment)."""
    still = (min(still.ends, moment) - still.begins for still in standstills if still.begins < moment)
    return max(moment - start, timedelta(0)) - sum(still, timedelta(0))


def _budget(policy: ClockPolicy) -> timedelta:
    return timedelta(hours=policy.amount)


def _utc(at: datetime) -> datetime:
    """In UTC, because Python subtracts two instants of one zone by wall clock, an hour wrong over a clock change."""
    if at.tzinfo is None:
        raise Invalid("An instant needs a time zone.")
    return at.astimezone(UTC)
