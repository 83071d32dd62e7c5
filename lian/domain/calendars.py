"""Which dates are working days in an office, and when its day closes.

A calendar is data: weekend, days off, make-up working days and opening hours in one time zone, valid for the dates it
is published for. Outside those it refuses rather than guesses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    which may be `24:00`. `covered_from` and `covered_until` are inclusive; None means without bound.
    """

    name: str
    tz: str
    weekend: frozenset[int]
    off: frozenset[date]
    work: frozenset[date]
    sessions: tuple[tuple[str, str], ...]
    covered_from: date | None = None
    covered_until: date | None = None

    def __post_init__(self) -> None:
        if not self.sessions:
            raise Invalid("A calendar needs opening hours.", calendar=self.name)

    def is_working_day(self, day: date) -> bool:
        """Whether the office works on this local date. `CalendarNotCovered` outside the published dates."""
        self._must_cover(day)
        return day in self.work or (day not in self.off and day.weekday() not in self.weekend)

    def end_of_day(self, day: date) -> datetime:
        """The close of the last session of this local date, in UTC; asked of any date, working day or not."""
        hours, minutes = self.sessions[-1][1].split(":")
        # The wall clock is set in the office's zone before going to UTC: 17:30 stays 17:30 across a clock change.
        closes_on = day + ONE_DAY if hours == "24" else day
        closes_at = time(int(hours) % 24, int(minutes))
        return datetime.combine(closes_on, closes_at, ZoneInfo(self.tz)).astimezone(UTC)

    def add_working_days(self, start_day: date, n: int) -> date:
        """The n-th working day after `start_day`, which itself never counts (Civil Code art. 201); itself for 0.

        `CalendarNotCovered` when the count leaves the published dates, `Invalid` for a negative n.
        """
        if n < 0:
            raise Invalid("Working days are counted forward only.")
        days = self.working_days_after(start_day)
        return [start_day, *(next(days) for _ in range(n))][-1]

    def working_days_after(self, day: date) -> Iterator[date]:
        """Every working day later than the local date, in order, without end or until `CalendarNotCovered`."""
        while True:
            day += ONE_DAY
            if self.is_working_day(day):
                yield day

    def local_date(self, at: datetime) -> date:
        """The date on the office's wall at this instant."""
        return at.astimezone(ZoneInfo(self.tz)).date()

    def _must_cover(self, day: date) -> None:
        too_early = self.covered_from is not None and day < self.covered_from
        too_late = self.covered_until is not None and day > self.covered_until
        if too_early or too_late:
            raise CalendarNotCovered(
                f"The calendar {self.name} is not published for {day}.", calendar=self.name, day=day.isoformat()
            )


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


@cache
def china_calendar() -> WorkingCalendar:
    """Mainland China, 2025 and 2026, with make-up working days (调休); 09:00 to 17:30 Beijing time.

    Source: the General Office of the State Council's yearly notices 关于2025年/2026年部分节假日安排的通知.
    """
    return WorkingCalendar(
        name="CN",
        tz="Asia/Shanghai",
        weekend=SATURDAY_AND_SUNDAY,
        off=frozenset(day for first, last in _CN_HOLIDAYS for day in _each_day(first, last)),
        work=frozenset(date.fromisoformat(day) for day in _CN_MAKE_UP_DAYS),
        sessions=OFFICE_HOURS,
        covered_from=date(2025, 1, 1),
        covered_until=date(2026, 12, 31),
    )


def _each_day(first: str, last: str) -> Iterator[date]:
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        yield day
        day += ONE_DAY


_CN_HOLIDAYS = (
    ("2025-01-01", "2025-01-01"),  # New Year 元旦
    ("2025-01-28", "2025-02-04"),  # Spring Festival 春节
    ("2025-04-04", "2025-04-06"),  # Qingming 清明节
    ("2025-05-01", "2025-05-05"),  # Labour Day 劳动节
    ("2025-05-31", "2025-06-02"),  # Dragon Boat 端午节
    ("2025-10-01", "2025-10-08"),  # National Day and Mid-Autumn 国庆节、中秋节
    ("2026-01-01", "2026-01-03"),
    ("2026-02-15", "2026-02-23"),
    ("2026-04-04", "2026-04-06"),
    ("2026-05-01", "2026-05-05"),
    ("2026-06-19", "2026-06-21"),
    ("2026-09-25", "2026-09-27"),  # Mid-Autumn 中秋节
    ("2026-10-01", "2026-10-07"),  # National Day 国庆节
)
_CN_MAKE_UP_DAYS = (
    *("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"),
    *("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
)

OFFICE_CN_2026 = china_calendar()
"""The shipped Chinese office calendar, published until the end of 2026."""
