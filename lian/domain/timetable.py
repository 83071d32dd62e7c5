"""A calendar worked out once, so that a deadline is found by bisection rather than day by day.

Instants are whole microseconds since 1970 in UTC (`Instant`): exact, and quick to compare. Dates are proleptic ordinals
(`date.toordinal`). Pauses given to a timetable are disjoint, in order and not before the start, as `standstills` makes
them; one that is still open ends at `FOREVER`. Rules: sla/semantics.md.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from lian.domain.calendars import CalendarNotCovered, WorkingCalendar

Instant: TypeAlias = int
Pauses: TypeAlias = Sequence[tuple[Instant, Instant]]
Found = TypeVar("Found")

SECOND: Instant = 1_000_000
FOREVER: Instant = 1 << 62
HORIZONS = (15, 60, 400)
"""Years worked out ahead where a calendar has no last date; the next is tried when a clock runs off the one before."""
MIDNIGHT = time()


def standstills(pauses: Iterable[tuple[Instant, Instant]], start: Instant) -> list[tuple[Instant, Instant]]:
    """The pauses clipped to the start, in order, those that touch made one: an open one swallows what it meets."""
    still: list[tuple[Instant, Instant]] = []
    since = start
    for begins, ends in sorted(pauses):
        if ends <= since or ends <= begins:
            continue
        if begins > since:
            still.append((begins, ends))
        else:
            still[-1:] = [(still[-1][0] if still else start, ends)]
        since = ends
    return still


@dataclass(frozen=True, slots=True)
class Timetable:
    """Working days and sessions of one calendar between two dates, as sorted arrays."""

    calendar: WorkingCalendar
    first: int
    """Ordinal of the first date worked out."""
    last: int
    days: list[int]
    """Ordinals of the working days."""
    closes: list[Instant]
    """Close of the last session of each working day."""
    days_until: list[int]
    """For each date from `first` on, how many working days there are up to and including it."""
    midnights: list[Instant]
    """When each date begins, and when the last one ends."""
    opens: list[Instant]
    """Opening of each session."""
    shuts: list[Instant]
    before: list[int]
    """Working time before each session."""
    total: int
    """Working time of all sessions."""

    # --- dates --------------------------------------------------------------------------------------------------------

    def date_of(self, at: Instant) -> int:
        """The date on the office's wall."""
        if self.midnights[0] <= at < self.midnights[-1]:
            return self.first + bisect_right(self.midnights, at) - 1
        return _date_in(self.calendar.tz, at)

    def midnight_after(self, day: int) -> Instant:
        """24:00 of a date."""
        if self.first <= day <= self.last:
            return self.midnights[day - self.first + 1]
        return _wall(self.calendar.tz, day + 1, MIDNIGHT)

    def next_working(self, day: int) -> int:
        """The date itself if it is a working day, otherwise the first one after it."""
        if not self.first <= day <= self.last:
            raise self.not_covered(day)
        i = bisect_left(self.days, day)
        if i == len(self.days):
            raise self.not_covered(self.last + 1)
        return self.days[i]

    def first_day_after(self, day: int) -> int:
        """The position in `days` of the first working day later than a date."""
        if day == self.first - 1:
            return 0
        if not self.first <= day <= self.last:
            raise self.not_covered(day + 1)
        return self.days_until[day - self.first]

    # --- deadlines ----------------------------------------------------------------------------------------------------

    def close_of_day(self, start: Instant, n: int, pauses: Pauses) -> Instant | None:
        """The close of the n-th counted working day after the date of the start; None while a pause leaves it open.

        A working day counts iff the clock runs immediately before its close.
        """
        closes = self.closes
        first = self.first_day_after(self.date_of(start))
        k = first + n - 1
        for begins, ends in pauses:
            lost = bisect_right(closes, begins)
            if lost < first:
                lost = first
            if lost > k or lost == len(closes):
                break
            if ends == FOREVER:
                return None
            resumed = bisect_right(closes, ends)
            if resumed > lost:
                k += resumed - lost
        if k >= len(closes):
            raise self.not_covered(self.last + 1)
        return closes[k]

    def end_of_calendar_day(self, start: Instant, n: int, pauses: Pauses, *, rolls: bool) -> Instant | None:
        """24:00 of the n-th counted calendar day after the date of the start, moved on to a working day if it `rolls`.

        A calendar day counts iff the clock runs immediately before its end, so a pause from date P to date R deducts
        R - P days. None while a pause leaves it open.
        """
        first = self.date_of(start) + 1
        day = first + n - 1
        for begins, ends in pauses:
            lost = max(self.date_of(begins), first)
            if lost > day:
                break
            if ends == FOREVER:
                return None
            day += max(self.date_of(ends) - lost, 0)
        return self.midnight_after(self.next_working(day) if rolls else day)

    def instant_when_worked(self, start: Instant, budget: int, pauses: Pauses) -> Instant | None:
        """The earliest instant at which that much un-paused working time has passed; None while a pause leaves it open.

        Used up at a close, it is that close, not the next opening.
        """
        goal = self.worked_until(start) + budget
        for begins, ends in pauses:
            if begins >= self.midnights[-1]:
                break
            done = self.worked_until(begins)
            if done >= goal:
                break
            if ends == FOREVER:
                return None
            goal += self.worked_until(ends) - done
        if goal > self.total:
            raise self.not_covered(self.last + 1)
        i = bisect_left(self.before, goal) - 1
        return self.opens[i] + goal - self.before[i]

    def worked_until(self, at: Instant) -> int:
        """The working time from the first date worked out to an instant."""
        if not self.midnights[0] <= at <= self.midnights[-1]:
            raise self.not_covered(_date_in(self.calendar.tz, at))
        i = bisect_right(self.opens, at) - 1
        return self.before[i] + min(at, self.shuts[i]) - self.opens[i] if i >= 0 else 0

    def closed_by(self, at: Instant) -> int:
        """How many working days have closed by an instant."""
        if at > self.midnights[-1]:
            raise self.not_covered(_date_in(self.calendar.tz, at))
        return bisect_right(self.closes, at)

    def not_covered(self, day: int) -> CalendarNotCovered:
        """Why there is no answer for a date."""
        if day > self.last and self.is_cut_off:
            return _CutOff("worked out too short")
        return self.calendar.not_covered(date.fromordinal(day))

    @property
    def is_cut_off(self) -> bool:
        """Whether the last date worked out is ours and not the calendar's."""
        until = self.calendar.covered_until
        return until is None or until.toordinal() > self.last


class _CutOff(CalendarNotCovered):
    """Not the calendar ends here, only what was worked out of it."""


def with_timetable(calendar: WorkingCalendar, near: Instant, ask: Callable[[Timetable], Found]) -> Found:
    """The answer to a question about a calendar, which is worked out as far as it takes, from the year before `near`.

    Raises `CalendarNotCovered` when the answer lies outside the published dates.
    """
    if calendar.covered_from and calendar.covered_until:
        return ask(_all_of(calendar))
    year = date.fromordinal(max(1, 719_163 + near // (86_400 * SECOND))).year
    for years in HORIZONS:
        try:
            return ask(_years_of(calendar, year // 5 * 5 - 1, years))
        except _CutOff:
            continue
    raise calendar.not_covered(date(year + HORIZONS[-1], 1, 1))


@lru_cache(maxsize=256)
def _all_of(calendar: WorkingCalendar) -> Timetable:
    assert calendar.covered_from
    assert calendar.covered_until
    return _worked_out(calendar, calendar.covered_from.toordinal(), calendar.covered_until.toordinal())


@lru_cache(maxsize=256)
def _years_of(calendar: WorkingCalendar, year: int, years: int) -> Timetable:
    """These years of a calendar without bound, as far as they are covered."""
    begins = calendar.covered_from or date(max(year, 1), 1, 1)
    ends = calendar.covered_until or date(min(max(year, begins.year) + years, 9998), 12, 31)
    return _worked_out(calendar, begins.toordinal(), ends.toordinal())


def _worked_out(calendar: WorkingCalendar, first: int, last: int) -> Timetable:
    days, closes, days_until, midnights = [], [], [], []
    opens, before, total = [], [], 0
    shuts: list[Instant] = []
    sessions = [(_clock_time(a), _clock_time(b)) for a, b in sorted(calendar.sessions)]
    for day in range(first, last + 1):
        midnights.append(_wall(calendar.tz, day, MIDNIGHT))
        if calendar.is_working_day(date.fromordinal(day)):
            for (plus_open, opening), (plus_shut, closing) in sessions:
                begins = _wall(calendar.tz, day + plus_open, opening)
                if shuts:
                    # A time that a clock change skips is set after it; so one session may reach into the next.
                    begins = max(begins, shuts[-1])
                ends = max(_wall(calendar.tz, day + plus_shut, closing), begins)
                opens.append(begins)
                shuts.append(ends)
                before.append(total)
                total += ends - begins
            days.append(day)
            closes.append(shuts[-1])
        days_until.append(len(days))
    midnights.append(_wall(calendar.tz, last + 1, MIDNIGHT))
    return Timetable(calendar, first, last, days, closes, days_until, midnights, opens, shuts, before, total)


def _clock_time(written: str) -> tuple[int, time]:
    """A time of day, and whether it lies on the next date: `24:00` does."""
    hours, minutes = written.split(":")
    return int(hours) // 24, time(int(hours) % 24, int(minutes))


def _wall(tz: str, day: int, at: time) -> Instant:
    """The instant at which a wall clock shows this; set in its zone, so 17:30 stays 17:30 across a clock change."""
    shown = datetime.combine(date.fromordinal(day), at, ZoneInfo(tz))
    return round(shown.timestamp()) * SECOND


def _date_in(tz: str, at: Instant) -> int:
    return (
        (datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")) + timedelta(microseconds=at)).astimezone(ZoneInfo(tz)).toordinal()
    )
