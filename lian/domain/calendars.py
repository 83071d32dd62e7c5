"""Which dates are working days in an office, and when its day closes.

A calendar is data: weekend, days off, make-up working days and opening hours in one time zone, valid for the dates it
is published for. Outside those it refuses rather than guesses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from lian.domain.errors import DomainError, Invalid

ONE_DAY = timedelta(days=1)
SATURDAY_AND_SUNDAY = frozenset({5, 6})
OFFICE_HOURS = (("09:00", "17:30"),)


class CalendarNotCovered(DomainError):
    """The date lies outside the published calendar: there is no answer yet, and none is guessed."""

    code = "calendar_not_covered"


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Working days and opening hours of one office.

    `tz` is an IANA zone; dates and session times are local to it. `weekend` counts Monday as 0. `work` (make-up
    working days, 调休) wins over `off`, and both win over the weekend. A session runs from its opening to its close,
    which may be `24:00`. `covered_from` and `covered_until` are inclusive; None means without bound. `version` names
    the published data it was made from, such as `CN@3f9a1c04d2be`; empty for one that was given, not published.
    """

    name: str
    tz: str
    weekend: frozenset[int]
    off: frozenset[date]
    work: frozenset[date]
    sessions: tuple[tuple[str, str], ...]
    covered_from: date | None = None
    covered_until: date | None = None
    version: str = ""

    def __post_init__(self) -> None:
        if not self.sessions:
            raise Invalid("A calendar needs opening hours.", calendar=self.name)

    def is_working_day(self, day: date) -> bool:
        """Whether the office works on this local date. `CalendarNotCovered` outside the published dates."""
        self._must_cover(day)
        return day in self.work or (day not in self.off and day.weekday() not in self.weekend)

    def end_of_day(self, day: date) -> datetime:
        """The close of the last session of this local date, in UTC; asked of any date, working day or not."""
        hours, minutes = max(closes for _, closes in self.sessions).split(":")
        # The wall clock is set in the office's zone before going to UTC: 17:30 stays 17:30 across a clock change.
        closes_on = day + ONE_DAY if hours == "24" else day
        closes_at = time(int(hours) % 24, int(minutes))
        return datetime.combine(closes_on, closes_at, ZoneInfo(self.tz)).astimezone(UTC)

    def begin_of_day(self, day: date) -> datetime:
        """00:00 of this local date, in UTC."""
        return datetime.combine(day, time(), ZoneInfo(self.tz)).astimezone(UTC)

    def moment(self, shown: datetime) -> datetime:
        """The instant (UTC) at which a wall clock at the office shows this."""
        return shown.replace(tzinfo=ZoneInfo(self.tz)).astimezone(UTC)

    def local_date(self, at: datetime) -> date:
        """The date on the office's wall at this instant."""
        return at.astimezone(ZoneInfo(self.tz)).date()

    @property
    def is_round_the_clock(self) -> bool:
        """Whether every hour of every day counts, so that no table is needed."""
        has_days_off = self.weekend or self.off or self.covered_from or self.covered_until
        return not has_days_off and self.sessions == (("00:00", "24:00"),)

    def as_if_always_worked_beyond(self) -> WorkingCalendar:
        """The same dates, and nothing but working days outside the published ones: no deadline can come sooner."""
        return _worked_beyond(self)

    def not_covered(self, day: date) -> CalendarNotCovered:
        """Why there is no answer for a date."""
        return CalendarNotCovered(
            f"The calendar {self.name} is not published for {day}.", calendar=self.name, day=day.isoformat()
        )

    def _must_cover(self, day: date) -> None:
        too_early = self.covered_from is not None and day < self.covered_from
        too_late = self.covered_until is not None and day > self.covered_until
        if too_early or too_late:
            raise self.not_covered(day)


_LONG_AGO, _FAR_AHEAD = date(1990, 1, 1), date(2100, 12, 31)
"""Where a calendar without bound is given up as worked: a deadline that is too soon is still a safe one."""


@cache
def _worked_beyond(calendar: WorkingCalendar) -> WorkingCalendar:
    first, last = calendar.covered_from or _LONG_AGO, calendar.covered_until or _FAR_AHEAD
    days = (date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1))
    off = frozenset(day for day in days if not calendar.is_working_day(day))
    return replace(calendar, weekend=frozenset(), off=off, work=frozenset(), covered_from=None, covered_until=None)


ROUND_THE_CLOCK = WorkingCalendar(
    name="24x7",
    tz="UTC",
    weekend=frozenset(),
    off=frozenset(),
    work=frozenset(),
    sessions=(("00:00", "24:00"),),
)
"""Every hour of every day: what elapsed hours are counted in."""


def plain_calendar(tz: str) -> WorkingCalendar:
    """Monday to Friday, 09:00 to 17:30 in `tz`, no holidays, without bound: plain working days (issue 2)."""
    return WorkingCalendar(
        name=f"plain:{tz}",
        tz=tz,
        weekend=SATURDAY_AND_SUNDAY,
        off=frozenset(),
        work=frozenset(),
        sessions=OFFICE_HOURS,
    )
