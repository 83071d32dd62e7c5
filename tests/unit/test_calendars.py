"""Working days: the published Chinese dates, the plain calendar, and the refusal to guess."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from lian.domain.calendars import OFFICE_CN_2026, CalendarNotCovered, WorkingCalendar, china_calendar, plain_calendar
from lian.domain.errors import DomainError, Invalid

CN = china_calendar()
BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize("day", ["2026-02-14", "2026-09-20", "2026-02-28", "2026-01-04", "2025-09-28", "2025-02-08"])
def test_a_make_up_day_on_a_weekend_is_worked(day: str) -> None:
    assert CN.is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize(
    "day",
    ["2026-01-02", "2026-02-15", "2026-02-23", "2026-05-05", "2026-10-07", "2025-10-08", "2025-01-28", "2026-02-21"],
)
def test_a_public_holiday_is_not_worked(day: str) -> None:
    assert not CN.is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        ("2026-02-14", 1, "2026-02-24"),  # the day after nine days of Spring Festival
        ("2026-09-18", 3, "2026-09-22"),  # Sunday 20 September counts
        ("2025-09-30", 1, "2025-10-09"),
        ("2025-12-31", 1, "2026-01-04"),  # two notices, one count
        ("2026-03-02", 0, "2026-03-02"),
    ],
)
def test_working_days_are_counted_after_the_start_day(start: str, n: int, end: str) -> None:
    assert CN.add_working_days(date.fromisoformat(start), n) == date.fromisoformat(end)


def test_each_notice_gives_its_number_of_days_off_and_made_up() -> None:
    def in_year(days: frozenset[date], year: int) -> int:
        return sum(day.year == year for day in days)

    assert (in_year(CN.off, 2025), in_year(CN.work, 2025)) == (28, 5)
    assert (in_year(CN.off, 2026), in_year(CN.work, 2026)) == (33, 6)
    assert not CN.off & CN.work
    assert all(day.weekday() in CN.weekend for day in CN.work)


@pytest.mark.parametrize("day", [date(2024, 12, 31), date(2027, 1, 1)])
def test_a_date_outside_the_published_calendar_is_refused(day: date) -> None:
    with pytest.raises(CalendarNotCovered) as refusal:
        CN.is_working_day(day)
    assert isinstance(refusal.value, DomainError)
    assert refusal.value.code == "calendar_not_covered"


def test_a_count_that_leaves_the_published_calendar_is_refused() -> None:
    assert CN.add_working_days(date(2026, 12, 29), 2) == date(2026, 12, 31)
    with pytest.raises(CalendarNotCovered):
        CN.add_working_days(date(2026, 12, 29), 3)


def test_working_days_are_never_counted_backwards() -> None:
    with pytest.raises(Invalid):
        CN.add_working_days(date(2026, 3, 2), -1)


def test_the_day_ends_at_the_close_of_the_last_session_in_utc() -> None:
    assert CN.end_of_day(date(2026, 3, 2)) == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert CN.end_of_day(date(2026, 3, 2)).tzinfo is UTC


def test_the_close_stays_on_the_wall_clock_over_a_clock_change() -> None:
    london = plain_calendar("Europe/London")
    assert london.end_of_day(date(2026, 3, 27)) == datetime(2026, 3, 27, 17, 30, tzinfo=UTC)
    assert london.end_of_day(date(2026, 3, 30)) == datetime(2026, 3, 30, 16, 30, tzinfo=UTC)


def test_a_session_may_end_at_midnight() -> None:
    night = WorkingCalendar("night", "Asia/Shanghai", frozenset(), frozenset(), frozenset(), (("22:00", "24:00"),))
    assert night.end_of_day(date(2026, 12, 31)) == datetime(2027, 1, 1, tzinfo=BEIJING)


def test_the_local_date_is_the_offices_not_the_servers() -> None:
    assert CN.local_date(datetime(2026, 3, 2, 16, 0, tzinfo=UTC)) == date(2026, 3, 3)


def test_the_plain_calendar_has_no_holidays_and_no_end() -> None:
    plain = plain_calendar("Asia/Shanghai")
    assert plain.add_working_days(date(2026, 11, 20), 1) == date(2026, 11, 23)
    assert plain.add_working_days(date(2026, 12, 30), 3) == date(2027, 1, 4)
    assert plain.is_working_day(date(2099, 1, 1))


def test_a_calendar_without_opening_hours_is_refused() -> None:
    with pytest.raises(Invalid):
        WorkingCalendar("none", "Asia/Shanghai", frozenset(), frozenset(), frozenset(), ())


def test_a_calendar_survives_the_journey_through_json() -> None:
    adapter = TypeAdapter(WorkingCalendar)
    assert adapter.validate_json(adapter.dump_json(OFFICE_CN_2026)) == OFFICE_CN_2026
