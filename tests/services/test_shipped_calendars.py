"""The shipped calendars, against witnesses that know nothing of each other, and their refusal of what is damaged."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import chinese_calendar
import holidays
import pytest
from govuk_bank_holidays.bank_holidays import BankHolidays

from lian.domain.calendars import ROUND_THE_CLOCK, CalendarNotCovered, WorkingCalendar
from lian.domain.errors import Invalid, TooLarge
from lian.services import calendar_sources
from lian.services.calendar_reading import CalendarDamaged, read_year
from lian.services.calendar_sources import SOURCES, LibraryMissing, NotPublished, make_year, refresh
from lian.services.calendar_years import changes, edited, merge, sealed
from lian.services.calendars import TABLES, read_folder, read_json, shipped, shipped_years, window
from tests.promises import CN as BY_HAND

ON = date(2026, 11, 22)
FIRST, LAST = 2018, 2027

UK = {
    "UK-ENG": ("ENG", BankHolidays.ENGLAND_AND_WALES),
    "UK-NIR": ("NIR", BankHolidays.NORTHERN_IRELAND),
    "UK-SCT": ("SCT", BankHolidays.SCOTLAND),
}
PROCLAIMED_LATER = {"UK-SCT": {date(2026, 6, 15)}}
"""By Royal Proclamation of 3 February 2026, after the list in govuk-bank-holidays 0.19 was made."""


def each_day(first: date, last: date) -> Iterator[date]:
    """Every date from the first to the last."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def disagreements(calendar: WorkingCalendar, works: Callable[[date], bool]) -> list[date]:
    """The dates a witness sees otherwise, over all that the calendar covers."""
    assert calendar.covered_from
    assert calendar.covered_until
    days = each_day(calendar.covered_from, calendar.covered_until)
    return [day for day in days if calendar.is_working_day(day) != works(day)]


# --- witnesses --------------------------------------------------------------------------------------------------------


def test_china_agrees_with_chinesecalendar_day_by_day() -> None:
    assert disagreements(shipped()["CN"], chinese_calendar.is_workday) == []


def test_china_agrees_with_holidays_day_by_day() -> None:
    library = holidays.country_holidays("CN", years=range(FIRST, LAST))
    assert disagreements(shipped()["CN"], library.is_working_day) == []


def test_china_agrees_with_three_notices_as_a_person_copied_them() -> None:
    assert BY_HAND.covered_from == date(2024, 1, 1)
    assert disagreements(BY_HAND, shipped()["CN"].is_working_day) == []


def test_a_chinese_holiday_is_named_from_its_first_day_to_its_last_as_in_the_notice() -> None:
    named = {day for day in shipped()["CN"].off if day.year >= 2025}
    assert named == {day for day in BY_HAND.off if day.year >= 2025}


def test_the_longer_spring_festival_of_2020_is_in() -> None:
    china = shipped()["CN"]
    assert [china.is_working_day(date(2020, 1, 31)), china.is_working_day(date(2020, 2, 3))] == [False, True]
    assert "国务院办公厅关于延长2020年春节假期的通知" in shipped_years()["CN", 2020].source


def test_new_years_eve_of_2024_was_worked_in_china() -> None:
    assert shipped()["CN"].is_working_day(date(2024, 2, 9))


@pytest.mark.parametrize("name", UK)
def test_the_united_kingdom_agrees_with_the_governments_own_list_day_by_day(name: str) -> None:
    listed = BankHolidays(use_cached_holidays=True).get_holidays(division=UK[name][1])
    off = {day["date"] for day in listed}
    assert (min(off).year < FIRST, max(off).year >= LAST) == (True, True)
    found = disagreements(shipped()[name], lambda day: day.weekday() < 5 and day not in off)
    assert set(found) == PROCLAIMED_LATER.get(name, set())


@pytest.mark.parametrize("name", UK)
def test_the_united_kingdom_agrees_with_holidays_day_by_day(name: str) -> None:
    library = holidays.country_holidays("GB", subdiv=UK[name][0], years=range(FIRST, LAST + 1))
    assert disagreements(shipped()[name], library.is_working_day) == []


def test_the_parts_of_the_united_kingdom_differ() -> None:
    def works(name: str, day: date) -> bool:
        return shipped()[name].is_working_day(day)

    easter_monday, second_of_january, boyne = date(2026, 4, 6), date(2026, 1, 2), date(2026, 7, 13)
    assert [works(name, easter_monday) for name in ("UK-ENG", "UK-SCT", "UK-NIR")] == [False, True, False]
    assert [works(name, second_of_january) for name in ("UK-ENG", "UK-SCT", "UK-NIR")] == [True, False, True]
    assert [works(name, boyne) for name in ("UK-ENG", "UK-SCT", "UK-NIR")] == [True, True, False]


@pytest.mark.parametrize(
    ("day", "california", "new_york", "texas"),
    [
        ("2026-03-31", False, True, True),  # Cesar Chavez Day: optional in Texas
        ("2026-04-03", True, True, True),  # Good Friday: optional in Texas
        ("2026-04-21", True, True, False),  # San Jacinto Day
        ("2026-07-03", False, True, True),  # 4 July is a Saturday: only federal law moves it
        ("2026-10-12", False, False, True),  # Columbus Day
        ("2026-11-03", True, False, True),  # Election Day
        ("2026-11-26", False, False, False),  # Thanksgiving
        ("2027-02-15", False, False, False),  # Presidents' Day; in 2027 also a day of commemoration
        ("2027-07-05", False, False, True),  # 4 July is a Sunday: Texas does not move it
    ],
)
def test_an_american_state_closes_on_its_own_days(day: str, california: bool, new_york: bool, texas: bool) -> None:
    states = (shipped()[name] for name in ("US-CA", "US-NY", "US-TX"))
    assert [state.is_working_day(date.fromisoformat(day)) for state in states] == [california, new_york, texas]


def test_a_day_of_commemoration_is_worked() -> None:
    for name in ("US-CA", "US-NY"):
        assert shipped()[name].is_working_day(date(2018, 2, 15))


def test_singapore_makes_up_for_a_sunday() -> None:
    assert not shipped()["SG"].is_working_day(date(2026, 6, 1))


# --- coverage ---------------------------------------------------------------------------------------------------------


def test_china_answers_until_2026_and_the_others_until_2027() -> None:
    until = {name: calendar.covered_until for name, calendar in shipped().items()}
    assert until.pop("24x7") is None
    assert until.pop("CN") == date(2026, 12, 31)
    assert set(until.values()) == {date(2027, 12, 31)}


@pytest.mark.parametrize("day", [date(2017, 12, 31), date(2027, 1, 1)])
def test_a_year_that_is_not_published_is_refused_not_guessed(day: date) -> None:
    with pytest.raises(CalendarNotCovered):
        shipped()["CN"].is_working_day(day)


def test_round_the_clock_is_shipped_too() -> None:
    assert shipped()["24x7"] is ROUND_THE_CLOCK


def test_a_version_follows_from_the_days_alone() -> None:
    years = [year for (name, _), year in shipped_years().items() if name == "UK-ENG"]
    other_source = [read_year(year.body | {"source": "by hand", "retrieved_on": "2026-01-01"}) for year in years]
    closed = read_year(edited(years[-1], as_usual=[date(2027, 8, 30)]))
    version = shipped()["UK-ENG"].version
    assert version.startswith("UK-ENG@")
    assert len(version) == len("UK-ENG@") + 12
    assert merge(other_source).version == version
    assert merge([*years[:-1], closed]).version != version


def test_a_provisional_year_extends_nothing() -> None:
    years = [year for (name, _), year in shipped_years().items() if name == "UK-ENG"]
    provisional = read_year(years[-1].body | {"status": "provisional"})
    calendar = merge([*years[:-1], provisional])
    assert calendar.covered_until == date(2026, 12, 31)
    assert all(day.year < 2027 for day in calendar.off)


def test_a_gap_between_published_years_is_refused() -> None:
    years = [year for (name, number), year in shipped_years().items() if name == "CN" and number != 2022]
    with pytest.raises(Invalid, match="not for 2022: a calendar has no gaps"):
        merge(years)


def test_years_of_different_zones_are_not_one_calendar() -> None:
    years = [year for (name, _), year in shipped_years().items() if name == "CN"]
    with pytest.raises(Invalid, match="another zone or weekend in 2026"):
        merge([*years[:-1], read_year(years[-1].body | {"tz": "Asia/Tokyo"})])


def test_a_calendar_without_a_published_year_is_refused() -> None:
    only = read_year(shipped_years()["CN", 2026].body | {"status": "provisional"})
    with pytest.raises(Invalid, match="No year of this calendar is published"):
        merge([only])


# --- a window for a case ----------------------------------------------------------------------------------------------


def test_a_window_answers_as_the_whole_calendar_does_from_its_first_year_on() -> None:
    china = shipped()["CN"]
    short = window(china, 2025)
    assert (short.covered_from, short.covered_until, short.version) == (
        date(2025, 1, 1),
        china.covered_until,
        china.version,
    )
    assert disagreements(short, china.is_working_day) == []
    assert len(short.off) < len(china.off) / 3
    with pytest.raises(CalendarNotCovered):
        short.is_working_day(date(2024, 12, 31))


def test_a_window_beyond_the_last_published_year_keeps_that_year_and_refuses_the_rest() -> None:
    short = window(shipped()["CN"], 2030)
    assert (short.covered_from, short.covered_until) == (date(2026, 1, 1), date(2026, 12, 31))
    with pytest.raises(CalendarNotCovered):
        short.is_working_day(date(2030, 1, 2))


def test_a_window_before_the_first_year_and_one_of_every_hour_change_nothing() -> None:
    assert window(shipped()["CN"], 1990) is shipped()["CN"]
    assert window(ROUND_THE_CLOCK, 2025).is_round_the_clock


# --- the files --------------------------------------------------------------------------------------------------------


def test_every_file_names_its_notice_and_where_it_stands() -> None:
    for (name, number), year in shipped_years().items():
        assert str(number) in year.source, name
        assert year.source_url.startswith("https://")
        assert year.is_published


def stored(folder: Path, body: dict[str, Any], name: str = "CN/2026.json") -> Path:
    """A folder with one file."""
    path = folder / name
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(body), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body["off"].pop(),
        lambda body: body["work"].append("2026-12-26"),
        lambda body: body.update(status="provisional"),
        lambda body: body.update(source="hearsay"),
        lambda body: body.update(sha256="0" * 64),
        lambda body: body.pop("sha256"),
    ],
    ids=["a holiday less", "a working day more", "the status", "the source", "the hash", "no hash"],
)
def test_a_file_that_was_tampered_with_is_refused(tmp_path: Path, damage: Callable[[dict[str, Any]], object]) -> None:
    body = sealed(shipped_years()["CN", 2026])
    damage(body)
    with pytest.raises(CalendarDamaged, match="its hash does not fit"):
        read_folder(stored(tmp_path, body))


def test_a_file_under_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"CN/2027\.json holds CN 2026"):
        read_folder(stored(tmp_path, sealed(shipped_years()["CN", 2026]), "CN/2027.json"))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 150_000, '{"year": ' + "9" * 5000 + "}"])
def test_what_is_no_json_object_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(Invalid):
        read_json(text)


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(TooLarge):
        read_json(" " * 200_001)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "china"}, "in capitals"),
        ({"name": "24x7"}, "in capitals"),
        ({"year": 1999}, "from 2000 to 2100"),
        ({"year": True}, "from 2000 to 2100"),
        ({"tz": "Asia"}, "no such time zone"),
        ({"tz": "Mars/Olympus"}, "no such time zone"),
        ({"tz": 8}, "no such time zone"),
        ({"weekend": [5, 7]}, "Monday as 0"),
        ({"weekend": "Sunday"}, "Monday as 0"),
        ({"weekend": [5, 5]}, "a day twice"),
        ({"weekend": [0, 1, 2, 3, 4, 5, 6]}, "leaves no day to work"),
        ({"off": [{"date": "2025-10-01", "name_en": "National Day"}]}, "2025-10-01 does not lie in 2026"),
        ({"off": [{"date": "20261001", "name_en": "National Day"}]}, "is no date"),
        ({"off": [{"date": "2026-02-30", "name_en": "No day"}]}, "is no date"),
        ({"off": [{"date": "2026-10-01", "name_en": "A"}, {"date": "2026-10-01", "name_en": "B"}]}, "twice"),
        ({"off": [{"date": "2026-10-01"}]}, "has a date and a name_en"),
        ({"off": [{"date": "2026-10-01", "name_en": " "}]}, "needs words"),
        ({"off": [{"date": "2026-10-01", "name_en": "x" * 121}]}, "longer than 120"),
        ({"off": [{"date": "2026-10-01", "name_en": "nul\x00"}]}, "needs words"),
        ({"off": ["2026-10-01"]}, "has a date and a name_en"),
        ({"off": {}}, "is a list"),
        ({"off": [{}] * 367}, "more days than a year"),
        ({"work": ["2026-10-10", "2026-10-10"]}, "named twice"),
        ({"work": ["2026-10-01"]}, "2026-10-01 is both a day off and a make-up working day"),
        ({"status": "final"}, "either published or provisional"),
        ({"source": ""}, "needs words"),
        ({"source_url": "javascript:alert(1)"}, "https://"),
        ({"retrieved_on": None}, "is no date"),
        ({"colour": "red"}, "no field colour"),
    ],
)
def test_a_year_that_cannot_be_is_refused_in_plain_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read_year(shipped_years()["CN", 2026].body | change)


def test_a_year_that_lacks_a_field_is_refused_by_its_name() -> None:
    body = shipped_years()["CN", 2026].body
    del body["off"]
    with pytest.raises(Invalid, match="lacks: off"):
        read_year(body)


def test_an_edit_closes_a_day_works_another_and_leaves_a_third_as_usual() -> None:
    before = shipped_years()["CN", 2026]
    day_off = {"date": "2026-12-07", "name_en": "Day of mourning"}
    closed = read_year(before.body | {"off": [*before.body["off"], day_off]}).off[-1]
    after = read_year(edited(before, off=[closed], work=[date(2026, 10, 1)], as_usual=[date(2026, 10, 10)]))
    found = {change.date: (change.before, change.after, change.moves_deadlines) for change in changes(before, after)}
    assert found == {
        date(2026, 10, 1): ("off: National Day", "make-up working day", True),
        date(2026, 10, 10): ("make-up working day", None, True),
        date(2026, 12, 7): (None, "off: Day of mourning", True),
    }


# --- the refresh ------------------------------------------------------------------------------------------------------


def test_a_refresh_of_the_shipped_tables_finds_nothing_to_write(tmp_path: Path) -> None:
    for path in TABLES.glob("*/*.json"):
        copy = tmp_path / path.relative_to(TABLES)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    done = refresh(tmp_path, names=SOURCES, years=range(FIRST, LAST + 1), on=ON + timedelta(days=9))
    assert {(one.name, one.year) for one in done if one.outcome != "unchanged"} == {("CN", 2027)}
    assert read_folder(tmp_path) == shipped_years()


def test_a_refresh_repairs_what_was_tampered_with(tmp_path: Path) -> None:
    stored(tmp_path, sealed(shipped_years()["CN", 2026]) | {"off": []})
    (done,) = refresh(tmp_path, names=["CN"], years=[2026], on=ON)
    assert done.outcome == "written"
    assert read_folder(tmp_path)["CN", 2026].off == shipped_years()["CN", 2026].off


@pytest.mark.parametrize("name", ["CN", "SG"])
def test_a_year_nobody_announced_is_refused_though_the_library_answers(name: str) -> None:
    year = calendar_sources.published_until(SOURCES[name]) + 1
    assert holidays.country_holidays(name, years=year)
    with pytest.raises(NotPublished, match="would be a guess"):
        make_year(name, year, on=ON)


def test_a_british_year_beyond_the_governments_list_is_provisional() -> None:
    assert [make_year("UK-ENG", year, on=ON).status for year in (2028, 2029)] == ["published", "provisional"]


def test_a_calendar_without_a_source_is_refused() -> None:
    with pytest.raises(Invalid, match="There is no source for FR"):
        make_year("FR", 2026, on=ON)


def test_without_the_library_a_refresh_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_sources, "find_spec", lambda _: None)
    with pytest.raises(LibraryMissing, match=r"pip install 'holidays>=0\.92'"):
        make_year("CN", 2026, on=ON)


def test_reading_the_shipped_calendars_loads_no_library() -> None:
    import subprocess

    script = "import sys, lian.services.calendars as c; c.shipped(); print('holidays' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "False\n"


def test_the_look_up_day_and_the_library_stand_in_the_file() -> None:
    year = make_year("UK-ENG", 2026, on=ON)
    assert year.retrieved_on == ON
    assert f"holidays {holidays.__version__}" in year.source
    assert datetime.fromisoformat(year.body["retrieved_on"]).date() == ON
