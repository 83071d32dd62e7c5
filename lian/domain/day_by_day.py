"""A clock counted one date after another, as a person would with a calendar on the table.

`sla` finds a deadline by bisection; here every date on the way is looked at, so that it can be told (CLM-12). Both
follow sla/semantics.md and must agree. Instants are whole microseconds since 1970 in UTC, as in `timetable`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lian.domain.calendars import WorkingCalendar
from lian.domain.sla import Unit
from lian.domain.timetable import FOREVER, Instant, Pauses, Timetable, with_timetable

Span = tuple[Instant, Instant]


class DayKind(StrEnum):
    """What a date is in the calendar of the clock; `any` where the clock does not ask."""

    WORKING = "working"
    MAKE_UP = "make_up"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    ANY = "any"
    UNKNOWN = "unknown"

    @property
    def is_open(self) -> bool:
        """Whether the office works."""
        return self not in {DayKind.WEEKEND, DayKind.HOLIDAY, DayKind.UNKNOWN}


class Effect(StrEnum):
    """What a date did to the clock.

    `carried`: what was used up under other hours; `rolled`: the end moved over it, or to it; `unpublished`: the
    calendar does not say yet, and nothing after it can be told.
    """

    RECEIVED = "received"
    CARRIED = "carried"
    COUNTED = "counted"
    CLOSED = "closed"
    PAUSED = "paused"
    ROLLED = "rolled"
    UNPUBLISHED = "unpublished"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One date. `number` is its place among the counted days, which it completes at `ends_at`.

    Of a clock in hours `ran` are the parts of its sessions that used up budget. `stood` are the pauses that touched it.
    """

    on: date
    kind: DayKind
    effect: Effect
    number: int = 0
    ends_at: Instant = 0
    is_last: bool = False
    ran: tuple[Span, ...] = ()
    stood: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What is counted: `budget` days, or until `due` of a clock in hours.

    `due` is None when it is not known: the walk then ends where the calendar does, or in an open pause on `horizon`.
    """

    unit: Unit
    calendar: WorkingCalendar
    start: Instant
    pauses: Pauses
    budget: int
    rolls: bool
    carries: bool
    due: Instant | None
    horizon: date

    def touching(self, begins: Instant, ends: Instant) -> tuple[Span, ...]:
        """The pauses that overlap a stretch of time."""
        return tuple(p for p in self.pauses if p[0] < ends and begins < p[1])

    def stands_open(self, at: Instant) -> bool:
        """Whether a pause without an end has begun."""
        return any(begins <= at and ends == FOREVER for begins, ends in self.pauses)


def walk(count: Count) -> tuple[Day, ...]:
    """Every date from the receipt to the end, the end moved on included."""
    steps = _hours if count.unit is Unit.HOURS else _days
    return with_timetable(count.calendar, count.start, lambda table: tuple(steps(table, count)))


# --- days -------------------------------------------------------------------------------------------------------------


def _days(table: Timetable, count: Count) -> Iterator[Day]:
    day, counted = table.date_of(count.start), 0
    yield Day(on=_date(day), kind=_kind(table, count, day), effect=Effect.RECEIVED)
    while counted < count.budget:
        day += 1
        found = _day(table, count, day, counted + 1)
        if found is None:
            return
        yield found
        counted += found.effect is Effect.COUNTED
        if found.effect is Effect.UNPUBLISHED:
            return
    yield from _rolled(table, count, day)


def _day(table: Timetable, count: Count, day: int, number: int) -> Day | None:
    begins, ends = table.midnight_after(day - 1), table.midnight_after(day)
    stood, is_last = count.touching(begins, ends), number == count.budget
    if count.stands_open(begins):
        return _while_open(table, count, day, stood)
    kind = _kind(table, count, day, is_asked=is_last and count.rolls)
    if count.unit is Unit.WORKING_DAYS:
        if kind is DayKind.UNKNOWN:
            return _unpublished(table, day)
        if not kind.is_open:
            is_paused = any(a <= begins and ends <= b for a, b in stood)
            effect = Effect.PAUSED if is_paused else Effect.CLOSED
            return Day(on=_date(day), kind=kind, effect=effect, stood=stood if is_paused else ())
        ends = table.closes[bisect_left(table.days, day)]
    # It counts iff the clock runs immediately before it ends.
    lost = tuple((a, b) for a, b in stood if a < ends <= b)
    if lost:
        return Day(on=_date(day), kind=kind, effect=Effect.PAUSED, stood=lost)
    return Day(
        on=_date(day), kind=kind, effect=Effect.COUNTED, number=number, ends_at=ends, is_last=is_last, stood=stood
    )


def _while_open(table: Timetable, count: Count, day: int, stood: tuple[Span, ...]) -> Day | None:
    """A date within a pause that has not ended; also one the calendar lacks, since nothing is counted there."""
    if _date(day) > count.horizon:
        return None
    is_known = table.first <= day <= table.last
    kind = _kind(table, count, day) if is_known else DayKind.UNKNOWN
    return Day(on=_date(day), kind=kind, effect=Effect.PAUSED, stood=stood)


def _rolled(table: Timetable, count: Count, day: int) -> Iterator[Day]:
    """Art. 203: a last day off moves the end to the next working day."""
    kind = _kind(table, count, day, is_asked=count.rolls)
    while count.rolls and not kind.is_open:
        if kind is DayKind.UNKNOWN:
            yield _unpublished(table, day)
            return
        day += 1
        kind = _kind(table, count, day, is_asked=True)
        if kind is not DayKind.UNKNOWN:
            yield Day(on=_date(day), kind=kind, effect=Effect.ROLLED)


# --- hours ------------------------------------------------------------------------------------------------------------


def _hours(table: Timetable, count: Count) -> Iterator[Day]:
    first = day = table.date_of(count.start)
    if count.carries:
        yield Day(on=_date(day), kind=DayKind.ANY, effect=Effect.CARRIED)
    while True:
        begins, ends = table.midnight_after(day - 1), table.midnight_after(day)
        if count.stands_open(begins):
            found = _while_open(table, count, day, count.touching(begins, ends))
            if found is None:
                return
            yield found
        elif not table.first <= day <= table.last:
            yield _unpublished(table, day)
            return
        else:
            yield _date_of_hours(table, count, day, is_first=day == first)
            if count.due is not None and ends >= count.due:
                return
        day += 1


def _date_of_hours(table: Timetable, count: Count, day: int, *, is_first: bool) -> Day:
    begins, ends = table.midnight_after(day - 1), table.midnight_after(day)
    due = FOREVER if count.due is None else count.due
    open_ = [(max(a, count.start), min(b, due)) for a, b in _sessions(table, count, day)]
    ran = tuple(without([(a, b) for a, b in open_ if a < b], count.pauses))
    kind, stood = _kind(table, count, day, is_asked=True), count.touching(max(begins, count.start), min(ends, due))
    if ran:
        effect = Effect.COUNTED
    elif any(a <= max(begins, count.start) and ends <= b for a, b in stood) or (stood and kind.is_open):
        effect = Effect.PAUSED
    else:
        effect = Effect.RECEIVED if is_first and kind.is_open else Effect.CLOSED
    is_last = count.due is not None and ends >= count.due
    return Day(on=_date(day), kind=kind, effect=effect, is_last=is_last, ran=ran, stood=stood)


def _sessions(table: Timetable, count: Count, day: int) -> Sequence[Span]:
    at, n = bisect_left(table.days, day), len(count.calendar.sessions)
    if at == len(table.days) or table.days[at] != day:
        return ()
    return list(zip(table.opens[at * n : at * n + n], table.shuts[at * n : at * n + n], strict=True))


def without(spans: Iterable[Span], pauses: Pauses) -> Iterator[Span]:
    """What is left of stretches of time when the pauses, disjoint and in order, are taken out."""
    for begins, ends in spans:
        at = begins
        for stood, ran_on in pauses:
            if stood >= ends:
                break
            if at < stood:
                yield (at, stood)
            at = max(at, ran_on)
        if at < ends:
            yield (at, ends)


# --- dates ------------------------------------------------------------------------------------------------------------


def _kind(table: Timetable, count: Count, day: int, *, is_asked: bool = False) -> DayKind:
    if count.calendar.is_round_the_clock or not (is_asked or count.unit is Unit.WORKING_DAYS):
        return DayKind.ANY
    if not table.first <= day <= table.last:
        if day > table.last and table.is_cut_off:
            raise table.not_covered(day)
        return DayKind.UNKNOWN
    return kind_of_day(count.calendar, _date(day))


def kind_of_day(calendar: WorkingCalendar, day: date) -> DayKind:
    """What a covered date is; a published day off is a holiday also on a weekend."""
    is_weekend = day.weekday() in calendar.weekend
    if day in calendar.work:
        return DayKind.MAKE_UP if is_weekend or day in calendar.off else DayKind.WORKING
    if day in calendar.off:
        return DayKind.HOLIDAY
    return DayKind.WEEKEND if is_weekend else DayKind.WORKING


def _unpublished(table: Timetable, day: int) -> Day:
    if day > table.last and table.is_cut_off:
        raise table.not_covered(day)
    return Day(on=_date(day), kind=DayKind.UNKNOWN, effect=Effect.UNPUBLISHED)


def _date(day: int) -> date:
    return date.fromordinal(day)
