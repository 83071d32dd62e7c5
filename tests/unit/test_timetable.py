"""A calendar worked out: pauses in order, dates, sessions over clock changes, and how far it is worked out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lian.domain.calendars import CalendarNotCovered, WorkingCalendar, plain_calendar
from lian.domain.sla import add_working_time, instant, moment_of, working_time_between
from lian.domain.timetable import FOREVER, SECOND, Timetable, standstills, with_timetable
from tests.promises import BEIJING, CN, LONDON, NIGHT, UK, UK_ALWAYS, at

HOUR = timedelta(hours=1)


def table_of(calendar: WorkingCalendar, near: str = "2026-03-02T10:00") -> Timetable:
    return with_timetable(calendar, instant(at(near)), lambda table: table)


# --- pauses -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-5")
@pytest.mark.parametrize(
    ("pauses", "still"),
    [
        ([], []),
        ([(30, 40), (10, 20)], [(10, 20), (30, 40)]),
        ([(10, 30), (20, 40)], [(10, 40)]),
        ([(10, 40), (20, 30)], [(10, 40)]),
        ([(10, 30), (30, 40)], [(10, 40)]),
        ([(0, 5), (7, 9)], [(0, 5), (7, 9)]),
        ([(-9, 5), (3, 8)], [(0, 8)]),
        ([(-9, 0), (5, 5), (7, 6)], []),
        ([(10, FOREVER), (20, 30)], [(10, FOREVER)]),
        ([(10, 20), (15, FOREVER)], [(10, FOREVER)]),
        ([(10, 20), (20, FOREVER)], [(10, FOREVER)]),
    ],
)
def test_pauses_are_put_in_order_clipped_and_merged(
    pauses: list[tuple[int, int]], still: list[tuple[int, int]]
) -> None:
    assert standstills(pauses, 0) == still


# --- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["2026-03-02T00:00", "2026-03-02T23:59:59.999999", "2023-12-31T23:59", "2027-01-01"])
def test_the_date_is_that_on_the_offices_wall_inside_the_published_dates_and_outside(moment: str) -> None:
    shown = at(moment)
    assert table_of(CN).date_of(instant(shown)) == shown.date().toordinal()


@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25), date(2030, 7, 1)])
def test_a_date_ends_at_midnight_of_the_wall(day: date) -> None:
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), LONDON)
    assert moment_of(table_of(UK).midnight_after(day.toordinal())) == midnight


@pytest.mark.parametrize(
    ("day", "following"),
    [("2026-03-02", "2026-03-02"), ("2026-02-15", "2026-02-24"), ("2026-09-19", "2026-09-20")],
)
def test_the_next_working_day_is_the_date_itself_or_the_first_one_after(day: str, following: str) -> None:
    found = table_of(CN).next_working(date.fromisoformat(day).toordinal())
    assert date.fromordinal(found) == date.fromisoformat(following)


@pytest.mark.parametrize("day", ["2023-12-31", "2027-01-01"])
def test_there_is_no_next_working_day_outside_the_published_dates(day: str) -> None:
    with pytest.raises(CalendarNotCovered):
        table_of(CN).next_working(date.fromisoformat(day).toordinal())


def test_a_calendar_that_ends_on_a_holiday_has_no_next_working_day_there() -> None:
    until_spring_festival = replace(CN, covered_until=date(2026, 2, 20))
    with pytest.raises(CalendarNotCovered) as refused:
        table_of(until_spring_festival).next_working(date(2026, 2, 16).toordinal())
    assert refused.value.details == {"calendar": "CN", "day": "2026-02-21"}


@pytest.mark.parametrize(
    ("start", "n", "day"),
    [
        ("2026-02-14", 1, "2026-02-24"),  # the day after nine days of Spring Festival
        ("2026-09-18", 3, "2026-09-22"),  # Sunday 20 September counts
        ("2025-09-30", 1, "2025-10-09"),
        ("2025-12-31", 1, "2026-01-04"),  # two notices, one count
        ("2023-12-31", 1, "2024-01-02"),  # the receipt date itself need not be published
        ("2026-12-29", 2, "2026-12-31"),
    ],
)
def test_working_days_are_counted_after_the_start_day(start: str, n: int, day: str) -> None:
    close = table_of(CN).close_of_day(instant(at(f"{start}T12:00")), n, ())
    assert close is not None
    assert moment_of(close) == at(f"{day}T17:30")


@pytest.mark.parametrize(("start", "n"), [("2026-12-29", 3), ("2023-12-30", 1), ("2026-12-31", 1), ("2027-01-01", 1)])
def test_a_count_that_leaves_the_published_dates_is_refused(start: str, n: int) -> None:
    with pytest.raises(CalendarNotCovered):
        table_of(CN).close_of_day(instant(at(f"{start}T12:00")), n, ())


# --- working time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "length"),
    [("2026-03-27", 8), ("2026-03-29", 7), ("2026-10-24", 8), ("2026-10-25", 9)],
)
def test_a_night_shift_lasts_as_long_as_it_really_does(day: str, length: int) -> None:
    """From 22:00 of the evening before to 06:00: the clocks change between."""
    morning = at(f"{day}T12:00", LONDON)
    night = replace(UK_ALWAYS, sessions=NIGHT)
    assert working_time_between(night, morning - timedelta(days=1), morning) == length * HOUR


def test_an_opening_that_a_clock_change_skips_is_set_after_it() -> None:
    early = replace(UK_ALWAYS, sessions=(("01:30", "06:00"),))
    assert add_working_time(early, at("2026-03-29T00:00", LONDON), HOUR / 2) == at("2026-03-29T03:00+01:00")


def test_sessions_that_a_clock_change_pushes_into_each_other_are_counted_once() -> None:
    """01:45 does not exist on 29 March and is read as 02:45, after the second session has opened."""
    early = replace(UK_ALWAYS, sessions=(("00:00", "01:45"), ("02:00", "06:00")))
    begins, ends = at("2026-03-29T00:00", LONDON), at("2026-03-29T06:00", LONDON)
    assert working_time_between(early, begins, ends) == 5 * HOUR == ends.astimezone(UTC) - begins.astimezone(UTC)
    assert add_working_time(early, begins, 2 * HOUR) == at("2026-03-29T03:00", LONDON)


def test_a_midnight_that_a_clock_change_skips_is_the_first_instant_of_the_date() -> None:
    """Clocks in Beirut go from 24:00 to 01:00."""
    beirut = plain_calendar("Asia/Beirut")
    midnight = table_of(beirut).midnight_after(date(2026, 3, 28).toordinal())
    assert moment_of(midnight) == datetime(2026, 3, 29, 1, 0, tzinfo=ZoneInfo("Asia/Beirut"))
    assert table_of(beirut).date_of(midnight) == date(2026, 3, 29).toordinal()
    assert table_of(beirut).date_of(midnight - SECOND) == date(2026, 3, 28).toordinal()


@pytest.mark.parametrize("moment", ["2023-12-31T23:59:59", "2027-01-01T00:00:01"])
def test_working_time_is_not_guessed_outside_the_published_dates(moment: str) -> None:
    with pytest.raises(CalendarNotCovered):
        table_of(CN).worked_until(instant(at(moment)))


def test_working_days_that_have_closed_are_counted_from_the_close() -> None:
    table, close = table_of(CN), instant(at("2026-03-02T17:30"))
    assert table.closed_by(close) == table.closed_by(close - 1) + 1
    with pytest.raises(CalendarNotCovered):
        table.closed_by(instant(at("2027-01-01T00:01")))


# --- how far ----------------------------------------------------------------------------------------------------------


def test_a_calendar_without_bound_is_worked_out_as_far_as_a_clock_runs() -> None:
    one_hour_a_week = replace(
        plain_calendar("Asia/Shanghai"), weekend=frozenset({0, 1, 2, 3, 4, 5}), sessions=(("09:00", "10:00"),)
    )
    due = add_working_time(one_hour_a_week, datetime(2026, 3, 2, tzinfo=BEIJING), 1040 * HOUR)
    assert due.astimezone(BEIJING) == datetime(2046, 2, 4, 10, 0, tzinfo=BEIJING)


def test_a_calendar_without_bound_that_never_works_is_given_up() -> None:
    never = replace(plain_calendar("UTC"), name="never", weekend=frozenset(range(7)))
    with pytest.raises(CalendarNotCovered):
        add_working_time(never, datetime(2026, 3, 2, tzinfo=UTC), HOUR)


@pytest.mark.parametrize(
    ("calendar", "start", "day"),
    [
        (replace(CN, covered_from=None), "2026-12-31T17:00", "2027-01-01"),
        (replace(CN, covered_from=None), "2029-03-01T09:00", "2029-03-01"),
        (replace(CN, covered_until=None), "2023-12-29T09:00", "2023-12-29"),
    ],
)
def test_a_calendar_with_one_bound_keeps_to_it(calendar: WorkingCalendar, start: str, day: str) -> None:
    with pytest.raises(CalendarNotCovered) as refused:
        add_working_time(calendar, at(start), HOUR)
    assert refused.value.details["day"] == day


@pytest.mark.parametrize("year", [1969, 1999, 2019, 2026, 2060])
def test_any_year_can_be_counted_in_by_a_calendar_without_bound(year: int) -> None:
    start = datetime(year, 12, 31, 9, 0, tzinfo=BEIJING)
    due = add_working_time(replace(plain_calendar("Asia/Shanghai"), weekend=frozenset()), start, 9 * HOUR)
    assert due.astimezone(BEIJING) == datetime(year + 1, 1, 1, 9, 30, tzinfo=BEIJING)
