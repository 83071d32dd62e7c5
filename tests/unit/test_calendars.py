"""Working days: the published Chinese dates, the plain calendar, and the refusal to guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from lian.domain.calendars import (
    ROUND_THE_CLOCK,
    CalendarNotCovered,
    WorkingCalendar,
    plain_calendar,
)
from lian.domain.errors import DomainError, Invalid
from lian.services.calendars import shipped
from tests.promises import CN as BY_HAND

CN = shipped()["CN"]
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


def test_each_notice_gives_its_number_of_days_off_and_made_up() -> None:
    def in_year(days: frozenset[date], year: int) -> int:
        return sum(day.year == year for day in days)

    assert (in_year(CN.off, 2025), in_year(CN.work, 2025)) == (28, 5)
    assert (in_year(CN.off, 2026), in_year(CN.work, 2026)) == (33, 6)
    assert not CN.off & CN.work
    assert all(day.weekday() in CN.weekend for day in CN.work)


@pytest.mark.parametrize("day", [date(2017, 12, 31), date(2027, 1, 1)])
def test_a_date_outside_the_published_calendar_is_refused(day: date) -> None:
    with pytest.raises(CalendarNotCovered) as refusal:
        CN.is_working_day(day)
    assert isinstance(refusal.value, DomainError)
    assert refusal.value.code == "calendar_not_covered"


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
    assert plain.is_working_day(date(2026, 10, 1))
    assert not plain.is_working_day(date(2026, 11, 21))
    assert plain.is_working_day(date(2099, 1, 1))


def test_a_calendar_without_opening_hours_is_refused() -> None:
    with pytest.raises(Invalid):
        WorkingCalendar("none", "Asia/Shanghai", frozenset(), frozenset(), frozenset(), ())


def test_the_day_ends_with_its_last_session_in_whatever_order_they_are_given() -> None:
    late_first = replace(CN, sessions=(("13:00", "17:30"), ("09:00", "12:00")))
    assert late_first.end_of_day(date(2026, 3, 2)) == CN.end_of_day(date(2026, 3, 2))


def test_only_day_and_night_without_days_off_is_round_the_clock() -> None:
    assert ROUND_THE_CLOCK.is_round_the_clock
    for other in (
        replace(ROUND_THE_CLOCK, weekend=frozenset({6})),
        replace(ROUND_THE_CLOCK, off=frozenset({date(2026, 1, 1)})),
        replace(ROUND_THE_CLOCK, covered_until=date(2026, 12, 31)),
        replace(ROUND_THE_CLOCK, sessions=(("00:00", "23:59"),)),
    ):
        assert not other.is_round_the_clock


def test_beyond_the_published_dates_every_day_may_be_taken_as_worked() -> None:
    worked = BY_HAND.as_if_always_worked_beyond()
    assert all(worked.is_working_day(day) for day in (date(2023, 12, 31), date(2027, 1, 1), date(2027, 1, 2)))
    inside = [date(2024, 1, 1) + timedelta(days=n) for n in range(366 + 730)]
    assert [worked.is_working_day(day) for day in inside] == [BY_HAND.is_working_day(day) for day in inside]


def test_a_calendar_survives_the_journey_through_json() -> None:
    adapter = TypeAdapter(WorkingCalendar)
    assert adapter.validate_json(adapter.dump_json(CN)) == CN
