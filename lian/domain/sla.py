"""Promises with a deadline: a clock is a budget and a ledger, never a stored flag (idea 3).

Everything here is a pure function of (policy, calendar, ledger) and, where asked, `now`. Rules: sla/semantics.md.
All instants are aware; results are UTC. Hours are the open hours of the clock's calendar; days are dates in its zone.
A date outside the published calendar raises `CalendarNotCovered`; an instant without a time zone raises `Invalid`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from lian.domain.calendars import ROUND_THE_CLOCK, CalendarNotCovered, WorkingCalendar
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.timetable import FOREVER, SECOND, Instant, Pauses, Timetable, standstills, with_timetable

DAYS_IN_A_WEEK = 7
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
ONE_HOUR = 3600 * SECOND


class Unit(StrEnum):
    """What a budget counts."""

    HOURS = "hours"
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


class Roll(StrEnum):
    """What becomes of a last day on which the office is closed (Civil Code art. 203)."""

    NONE = "none"
    FOLLOWING = "following"


class Verdict(StrEnum):
    """How a promise stands. `met` and `breached` are final once the clock has stopped.

    `undecided`: stopped, but whether in time only the calendar of a year not yet published will tell.
    """

    MET = "met"
    BREACHED = "breached"
    RUNNING = "running"
    PAUSED = "paused"
    UNDECIDED = "undecided"


class Escalation(StrEnum):
    """What happens when a clock reaches a rung of its ladder."""

    NOTIFY_HOLDER = "notify_holder"
    NOTIFY_LEAD = "notify_lead"
    RAISE_PRIORITY = "raise_priority"
    REASSIGN = "reassign"
    ASK_WHY_LATE = "ask_why_late"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a clock's ladder, climbed once: at a share of the budget, when it is used up, or days after that.

    `percent` of 1 to 99 is a warning, 100 the deadline itself; `days_after` adds whole days of 24 hours to it.
    """

    percent: int
    actions: tuple[Escalation, ...]
    days_after: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.percent <= 100 or self.days_after < 0 or (self.days_after and self.percent < 100):
            raise Invalid("A rung is a share of the budget, or days after all of it.", percent=str(self.percent))

    @property
    def id(self) -> str:
        """Its name: `75%`, `due` or `+1d`."""
        if self.days_after:
            return f"+{self.days_after}d"
        return "due" if self.percent == 100 else f"{self.percent}%"


@dataclass(frozen=True, slots=True)
class Extension:
    """A longer time the rules allow: `amount` more of the clock's unit, agreed to by somebody with `permission`.

    The customer must be told, and both must have happened, before the promise falls due.
    """

    amount: int
    permission: str = "clock:extend"
    source: str = ""


@dataclass(frozen=True, slots=True)
class ClockPolicy:
    """One promise: `amount` of `unit`; frozen into the case's plan at intake.

    It runs from `starts_on` to the first of `stops_on`, milestones of the procedure such as `received` and `decided`.
    Reaching one of `cancels_on` ends it without a verdict, one of `restarts_on` gives it the full period again. With a
    `grade` it is promised to cases of that grade only, from `starts_on` whenever the grade was given. A `recurring` one
    starts again whenever it stops.

    A clock that is not `pausable` ignores every pause; `pause_reasons` names the kinds of request that pause it, none
    meaning any. `calendar` names one of the plan's; empty means the office's, and for hours day and night.
    `warn_percent` of the budget consumed is the time to warn; 0 never warns. `rungs` is the ladder of alerts, none
    meaning that warning and the deadline. `source` is the law article or requirement the figure comes from;
    `confidence` is `verified` when its text was read, otherwise counsel should check it. `Invalid` when the amount is
    not positive or the percentage not within 0 to 100.
    """

    id: str
    label: Label
    amount: int
    unit: Unit
    pausable: bool
    warn_percent: int = 75
    statutory: bool = False
    source: str = ""
    calendar: str = ""
    roll: Roll = Roll.NONE
    starts_on: str = ""
    stops_on: tuple[str, ...] = ()
    cancels_on: tuple[str, ...] = ()
    restarts_on: tuple[str, ...] = ()
    grade: str = ""
    recurring: bool = False
    pause_reasons: tuple[str, ...] = ()
    extensions: tuple[Extension, ...] = ()
    rungs: tuple[Rung, ...] = ()
    url: str = ""
    verified_on: str = ""
    confidence: str = ""

    def __post_init__(self) -> None:
        if self.amount < 1 or not 0 <= self.warn_percent <= 100:
            raise Invalid("A clock needs a positive budget and a warning within it.", clock=self.id)

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """Its rungs in the order in which they are reached; every promise has at least its deadline."""
        if self.rungs:
            return self.rungs
        deadline = Rung(100, (Escalation.NOTIFY_LEAD,))
        if not 0 < self.warn_percent < 100:
            return (deadline,)
        return Rung(self.warn_percent, (Escalation.NOTIFY_HOLDER,)), deadline

    @property
    def milestones(self) -> frozenset[str]:
        """What it runs from or to, ends or begins afresh by."""
        return frozenset({self.starts_on, *self.stops_on, *self.cancels_on, *self.restarts_on} - {""})

    def pauses_for(self, reason: str) -> bool:
        """Whether an open request of this kind makes it stand still."""
        return self.pausable and (not self.pause_reasons or reason in self.pause_reasons)


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stands still in [from_at, to_at) because the named request is open; None while it still is."""

    request_id: str
    from_at: datetime
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rebase:
    """From `at` on the clock runs by other hours; `consumed` of its budget was used up by then and stays so."""

    at: datetime
    consumed: timedelta


@dataclass(frozen=True, slots=True)
class ClockLedger:
    """What happened to one clock: the only thing ever stored about it. `extended` is in the unit of its budget."""

    started_at: datetime
    pauses: tuple[Pause, ...] = ()
    stopped_at: datetime | None = None
    extended: int = 0
    rebased: Rebase | None = None


def due_at(*, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger) -> datetime | None:
    """The last instant (UTC) at which the promise is kept; None while a pause is open and the end is not known.

    A pause that begins at or after this instant has no effect, open or not.
    """
    return _optional_time(due_instant(policy, calendar, *folded(policy, ledger)))


def due_on(*, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger) -> date | None:
    """The local date that holds the last permitted instant: day N of a promise in days, after any roll."""
    due = due_at(policy=policy, calendar=calendar, ledger=ledger)
    return due and calendar.local_date(due - MICROSECOND)


def warn_at(*, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger) -> datetime | None:
    """The instant (UTC) to warn people; None while paused, or when the share rounds down to nothing."""
    if not policy.warn_percent or due_at(policy=policy, calendar=calendar, ledger=ledger) is None:
        return None
    return reached_at(policy=policy, calendar=calendar, ledger=ledger, rung=Rung(policy.warn_percent, ()))


def reached_at(*, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, rung: Rung) -> datetime | None:
    """When the clock comes to a rung (UTC); None while a pause keeps it from it, or when the share is no whole day.

    Hours: that share of the budget consumed. Days: the deadline of that share of the days, rounded down, without roll.
    """
    start, pauses, budget, used = folded(policy, ledger)
    if rung.percent < 100:
        return _optional_time(share_instant(policy, calendar, start, pauses, budget, used, percent=rung.percent))
    due = due_instant(policy, calendar, start, pauses, budget, used)
    return None if due is None else moment_of(due + rung.days_after * 24 * ONE_HOUR)


def verdict(*, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, now: datetime) -> Verdict:
    """How the promise stands at `now`, or stood when it was stopped: at exactly due is met, any later is breached.

    Where the deadline lies beyond the published calendar, a stop that is in time whatever will be published is met.
    """
    moment = ledger.stopped_at or now
    try:
        due = due_at(policy=policy, calendar=calendar, ledger=ledger)
    except CalendarNotCovered:
        return _verdict_beyond(policy, calendar, ledger, moment)
    if due is not None and moment > due:
        return Verdict.BREACHED
    if ledger.stopped_at is not None:
        return Verdict.MET
    return Verdict.PAUSED if is_paused(policy=policy, ledger=ledger, at=moment) else Verdict.RUNNING


def is_paused(*, policy: ClockPolicy, ledger: ClockLedger, at: datetime) -> bool:
    """Whether the clock stands still at an instant."""
    _, pauses, _, _ = folded(policy, ledger)
    moment = instant(at)
    return any(begins <= moment < ends for begins, ends in pauses)


def remaining(
    *, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, now: datetime
) -> timedelta | None:
    """What is left of the promise at `now`, or was left when it was stopped; negative when overdue.

    Hours: the budget not yet consumed, which stands still in a pause. Days: the time until due; None while paused.
    """
    moment = ledger.stopped_at or now
    if policy.unit is Unit.HOURS:
        budget = _span(folded(policy, ledger)[2])
        left = budget - consumed(policy=policy, calendar=calendar, ledger=ledger, at=moment)
        if left > timedelta(0):
            return left
    due = due_at(policy=policy, calendar=calendar, ledger=ledger)
    return None if due is None else due - moment.astimezone(UTC)


def overdue_by(
    *, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, now: datetime
) -> tuple[timedelta, timedelta]:
    """How long the promise has been broken at `now`, or was when it was stopped: elapsed time, and working time in it.

    Both zero while it is not broken; an old case that is imported late is told by both.
    """
    due = due_at(policy=policy, calendar=calendar, ledger=ledger)
    moment = ledger.stopped_at or now
    if due is None or moment <= due:
        return timedelta(0), timedelta(0)
    open_hours = hours_of(policy, calendar) if policy.unit is Unit.HOURS else calendar
    return moment - due, working_time_between(open_hours, due, moment)


def consumed(*, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, at: datetime) -> timedelta:
    """How much of a promise in hours was used up by an instant: un-paused working time since the start."""
    start, pauses, _, used = folded(policy, ledger)
    return _span(used + _worked(hours_of(policy, calendar), start, max(instant(at), start), pauses))


def days_left(*, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, now: datetime) -> int:
    """How many counted days of a promise in days are still to come, which a pause leaves as they are."""
    start, pauses, budget, _ = folded(policy, ledger)
    moment = instant(ledger.stopped_at or now)
    total = days_of(policy, calendar, start, budget)
    counted = with_timetable(calendar, start, lambda t: _counted(t, policy, start, moment, pauses))
    return total - counted


# --- working time by itself -------------------------------------------------------------------------------------------


def add_working_time(calendar: WorkingCalendar, start: datetime, time: timedelta) -> datetime:
    """The earliest instant (UTC) by which so much of the calendar's open time has passed since `start`.

    `Invalid` for less than no time; `CalendarNotCovered` when it passes beyond the published dates.
    """
    since, budget = instant(start), time // MICROSECOND
    if budget < 0:
        raise Invalid("Working time is not counted backwards.")
    if budget == 0:
        return moment_of(since)
    end = with_timetable(calendar, since, lambda t: t.instant_when_worked(since, budget, ()))
    assert end is not None
    return moment_of(end)


def working_time_between(calendar: WorkingCalendar, start: datetime, end: datetime) -> timedelta:
    """The calendar's open time in [start, end); none when the end comes first."""
    since = instant(start)
    return _span(_worked(calendar, since, max(instant(end), since), ()))


# --- the arithmetic ---------------------------------------------------------------------------------------------------


def due_instant(
    policy: ClockPolicy, calendar: WorkingCalendar, start: Instant, pauses: Pauses, budget: int, used: int = 0
) -> Instant | None:
    """The deadline in whole microseconds, from merged pauses: what everything else about a clock follows from.

    `budget` is in microseconds for hours and otherwise in the policy's unit; `used` of it was consumed before `start`.
    """
    if policy.unit is Unit.HOURS:
        return _hours_end(policy, calendar, start, pauses, budget, used)
    days = days_of(policy, calendar, start, budget)
    return _days_end(policy, calendar, start, pauses, days, rolls=policy.roll is Roll.FOLLOWING)


def share_instant(
    policy: ClockPolicy,
    calendar: WorkingCalendar,
    start: Instant,
    pauses: Pauses,
    budget: int,
    used: int = 0,
    *,
    percent: int,
) -> Instant | None:
    """When that share of the budget is used up; None while paused, or when it rounds down to no day. Never rolls."""
    if policy.unit is Unit.HOURS:
        return _hours_end(policy, calendar, start, pauses, budget * percent // 100, used)
    days = days_of(policy, calendar, start, budget) * percent // 100
    return _days_end(policy, calendar, start, pauses, days) if days else None


def folded(policy: ClockPolicy, ledger: ClockLedger) -> tuple[Instant, Pauses, int, int]:
    """Where the count begins, the pauses from there on, the whole budget, and what of it was used before."""
    # Days are counted from the ledger again under any calendar; only hours keep what was used by the old one.
    base = ledger.rebased if policy.unit is Unit.HOURS else None
    start = instant(base.at if base else ledger.started_at)
    pauses: Pauses = ()
    if policy.pausable and ledger.pauses:
        given = [(instant(p.from_at), FOREVER if p.to_at is None else instant(p.to_at)) for p in ledger.pauses]
        pauses = standstills(given, start)
    budget = policy.amount + ledger.extended
    if policy.unit is Unit.HOURS:
        return start, pauses, budget * ONE_HOUR, base.consumed // MICROSECOND if base else 0
    return start, pauses, budget, 0


def _hours_end(
    policy: ClockPolicy, calendar: WorkingCalendar, start: Instant, pauses: Pauses, budget: int, used: int
) -> Instant | None:
    hours = hours_of(policy, calendar)
    left = budget - used
    if left <= 0:
        # A smaller budget was used up before the hours changed.
        return start
    if hours.is_round_the_clock:
        return _elapsed_end(start, left, pauses)
    return with_timetable(hours, start, lambda t: t.instant_when_worked(start, left, pauses))


def _days_end(
    policy: ClockPolicy, calendar: WorkingCalendar, start: Instant, pauses: Pauses, days: int, *, rolls: bool = False
) -> Instant | None:
    if policy.unit is Unit.WORKING_DAYS:
        return with_timetable(calendar, start, lambda t: t.close_of_day(start, days, pauses))
    return with_timetable(calendar, start, lambda t: t.end_of_calendar_day(start, days, pauses, rolls=rolls))


def _elapsed_end(start: Instant, budget: int, pauses: Pauses) -> Instant | None:
    end = start + budget
    for begins, ends in pauses:
        if begins >= end:
            break
        if ends == FOREVER:
            return None
        end += ends - begins
    return end


def _worked(calendar: WorkingCalendar, start: Instant, end: Instant, pauses: Pauses) -> int:
    """The un-paused open time in [start, end)."""
    parts = [(start, end), *((begins, min(ends, end)) for begins, ends in pauses if begins < end)]
    if calendar.is_round_the_clock:
        lengths = [b - a for a, b in parts]
    else:
        lengths = with_timetable(calendar, start, lambda t: [t.worked_until(b) - t.worked_until(a) for a, b in parts])
    return lengths[0] - sum(lengths[1:])


def days_of(policy: ClockPolicy, calendar: WorkingCalendar, start: Instant, budget: int) -> int:
    """The budget as a number of days. Months and years end on the corresponding day, or the month's last (art. 202)."""
    if policy.unit is Unit.WORKING_DAYS or policy.unit is Unit.CALENDAR_DAYS:
        return budget
    if policy.unit is Unit.WEEKS:
        return budget * DAYS_IN_A_WEEK
    day = calendar.local_date(moment_of(start))
    return (months_after(day, budget * 12 if policy.unit is Unit.YEARS else budget) - day).days


def months_after(day: date, months: int) -> date:
    """The corresponding day of a later month; where it has none, that month's last (Civil Code art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - timedelta(days=1))


def _counted(table: Timetable, policy: ClockPolicy, start: Instant, moment: Instant, pauses: Pauses) -> int:
    """How many days were counted by an instant."""
    ends = [(a, min(b, moment)) for a, b in pauses if a < moment]
    spans = [(start, moment), *ends]
    if policy.unit is Unit.WORKING_DAYS:
        first = table.first_day_after(table.date_of(start))
        passed = [max(table.closed_by(b), first) - max(table.closed_by(a), first) for a, b in spans]
    else:
        passed = [table.date_of(b) - max(table.date_of(a), table.date_of(start) + 1) for a, b in spans]
    return max(passed[0], 0) - sum(max(n, 0) for n in passed[1:])


def _verdict_beyond(policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, moment: datetime) -> Verdict:
    """Of a deadline beyond the published dates: if all dates there were worked it would come the soonest."""
    if ledger.stopped_at is None:
        return Verdict.PAUSED if is_paused(policy=policy, ledger=ledger, at=moment) else Verdict.RUNNING
    soonest = due_at(policy=policy, calendar=calendar.as_if_always_worked_beyond(), ledger=ledger)
    return Verdict.MET if soonest is None or moment <= soonest else Verdict.UNDECIDED


def hours_of(policy: ClockPolicy, calendar: WorkingCalendar) -> WorkingCalendar:
    """The hours a clock counts: of its calendar where its policy names one, otherwise day and night."""
    return calendar if policy.calendar else ROUND_THE_CLOCK


def _span(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


def _optional_time(at: Instant | None) -> datetime | None:
    return None if at is None else moment_of(at)


def moment_of(at: Instant) -> datetime:
    """The instant as a time in UTC."""
    return EPOCH + timedelta(0, *divmod(at, SECOND))


def instant(at: datetime) -> Instant:
    """A time in whole microseconds since 1970, UTC; `Invalid` without a time zone."""
    if at.tzinfo is None:
        raise Invalid("An instant needs a time zone.")
    # Written out, as every deadline begins with several of these: dividing two durations takes half as long again.
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
