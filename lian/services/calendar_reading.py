"""Reading a calendar year that a file, a row or a person gives: nothing is taken on trust (see `calendar_years`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lian.domain.errors import DomainError, Invalid
from lian.services.calendar_years import HASH, PROVISIONAL, PUBLISHED, CalendarYear, DayOff

NAME = re.compile(r"[A-Z][A-Z0-9]{1,15}(-[A-Z0-9]{1,8})?")
EARLIEST, LATEST = 2000, 2100
MOST_DAYS = 366
LONGEST_NAME, LONGEST_SOURCE = 120, 500
KEYS = ("name", "year", "tz", "weekend", "off", "work", "status", "source", "source_url", "retrieved_on")


class CalendarDamaged(DomainError):
    """A stored year is not what its hash says: somebody changed it past the program. Nothing is reckoned with it."""

    code = "calendar_damaged"
    status = 500


def open_sealed(body: Mapping[str, Any]) -> CalendarYear:
    """A stored year, checked against its hash. Raises `CalendarDamaged` when they differ, `Invalid` for nonsense."""
    year = read_year(body)
    if body.get(HASH) != year.sha256:
        raise CalendarDamaged(
            f"The calendar {year.name} {year.year} was changed past the program: its hash does not fit.",
            calendar=year.name,
            year=str(year.year),
        )
    return year


def read_year(body: Mapping[str, Any]) -> CalendarYear:
    """A year as somebody gives it; a hash in it is not looked at. Raises `Invalid` with the reason in plain words."""
    _check_fields(body)
    number = _year(body["year"])
    year = CalendarYear(
        name=_name(body["name"]),
        year=number,
        tz=_zone(body["tz"]),
        weekend=_weekend(body["weekend"]),
        off=_days_off(body["off"], number),
        work=_make_up_days(body["work"], number),
        status=_status(body["status"]),
        source=_words(body["source"], "source", LONGEST_SOURCE),
        source_url=_address(body["source_url"]),
        retrieved_on=_date(body["retrieved_on"], "retrieved_on"),
    )
    _check_contradiction(year)
    return year


# --- the parts --------------------------------------------------------------------------------------------------------


def _check_fields(body: Mapping[str, Any]) -> None:
    if not isinstance(body, Mapping):
        raise Invalid("A calendar year is a JSON object with fields such as name, year and off.")
    missing = [key for key in KEYS if key not in body]
    unknown = sorted(str(key) for key in body.keys() - {*KEYS, HASH})
    if missing:
        raise Invalid(f"This calendar year lacks: {', '.join(missing)}.", field=missing[0])
    if unknown:
        raise Invalid(f"A calendar year has no field {unknown[0][:40]}.", field=unknown[0][:40])


def _name(given: object) -> str:
    if not isinstance(given, str) or not NAME.fullmatch(given):
        raise Invalid("The name of a calendar is in capitals, such as CN or UK-ENG.", field="name")
    return given


def _year(given: object) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not EARLIEST <= given <= LATEST:
        raise Invalid(f"The year must be a number from {EARLIEST} to {LATEST}.", field="year")
    return given


def _zone(given: object) -> str:
    if not isinstance(given, str) or not _is_zone(given):
        raise Invalid("There is no such time zone; write one such as Asia/Shanghai.", field="tz")
    return given


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as Asia
        return False
    return True


def _weekend(given: object) -> frozenset[int]:
    is_list = isinstance(given, list | tuple)
    days = given if isinstance(given, list | tuple) else ()
    if not is_list or not all(isinstance(day, int) and not isinstance(day, bool) and 0 <= day <= 6 for day in days):
        raise Invalid("The weekend is a list of days, Monday as 0 and Sunday as 6.", field="weekend")
    if len(days) != len(set(days)) or len(days) > 6:
        raise Invalid("The weekend names a day twice, or leaves no day to work.", field="weekend")
    return frozenset(days)


def _days_off(given: object, year: int) -> tuple[DayOff, ...]:
    days = tuple(sorted((_day_off(item, year) for item in _list(given, "off")), key=lambda day: day.date))
    for day, following in pairwise(days):
        if day.date == following.date:
            raise Invalid(f"{day.date} is in the days off twice.", field="off")
    return days


def _day_off(item: object, year: int) -> DayOff:
    if not isinstance(item, Mapping) or not {"date", "name_en"} <= item.keys() <= {"date", "name_en", "name_zh"}:
        raise Invalid("A day off has a date and a name_en, and may have a name_zh.", field="off")
    name_zh = item.get("name_zh", "")
    return DayOff(
        date=_date_in(item["date"], year, "off"),
        name_en=_words(item["name_en"], "off", LONGEST_NAME),
        name_zh=_words(name_zh, "off", LONGEST_NAME) if name_zh != "" else "",
    )


def _make_up_days(given: object, year: int) -> frozenset[date]:
    days = [_date_in(item, year, "work") for item in _list(given, "work")]
    if len(days) != len(set(days)):
        raise Invalid("A make-up working day is named twice.", field="work")
    return frozenset(days)


def _list(given: object, field: str) -> list[Any]:
    if not isinstance(given, list):
        raise Invalid(f"The field {field} is a list.", field=field)
    if len(given) > MOST_DAYS:
        raise Invalid(f"The field {field} has more days than a year.", field=field)
    return given


def _date_in(given: object, year: int, field: str) -> date:
    day = _date(given, field)
    if day.year != year:
        raise Invalid(f"{day} does not lie in {year}.", field=field)
    return day


def _date(given: object, field: str) -> date:
    try:
        day = date.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        day = None
    if day is None or day.isoformat() != given:
        raise Invalid(f"{str(given)[:40]!r} is no date; write one such as 2026-10-01.", field=field)
    return day


def _status(given: object) -> str:
    if given not in (PUBLISHED, PROVISIONAL):
        raise Invalid("A calendar year is either published or provisional.", field="status")
    return str(given)


def _words(given: object, field: str, longest: int) -> str:
    if not isinstance(given, str) or not given.strip() or not given.isprintable():
        raise Invalid(f"The field {field} needs words, in one line.", field=field)
    if len(given) > longest:
        raise Invalid(f"The words in the field {field} are longer than {longest} characters.", field=field)
    return given.strip()


def _address(given: object) -> str:
    if given == "":
        return ""
    written = _words(given, "source_url", LONGEST_SOURCE)
    if not written.startswith("https://") or " " in written:
        raise Invalid("The source_url is an https:// address, or empty.", field="source_url")
    return written


def _check_contradiction(year: CalendarYear) -> None:
    both = sorted(year.work & {day.date for day in year.off})
    if both:
        raise Invalid(f"{both[0]} is both a day off and a make-up working day.", field="work")
