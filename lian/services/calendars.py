"""The calendars the product ships: every year a file of `tables/calendars`, checked against its hash.

A calendar answers only for its published years. This module needs neither database nor web, so that a command that
only reckons starts at once; what administrators have changed stands in `calendar_revisions`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from lian.domain.calendars import ROUND_THE_CLOCK, WorkingCalendar
from lian.domain.errors import Invalid, TooLarge
from lian.services.calendar_reading import open_sealed
from lian.services.calendar_years import CalendarYear, merge

TABLES = Path(__file__).parent / "tables" / "calendars"
LONGEST_TEXT = 200_000

Years = dict[tuple[str, int], CalendarYear]
"""Calendar name and year to the year's data."""


def shipped() -> dict[str, WorkingCalendar]:
    """Every calendar the product ships, by name, and `24x7`. Raises `CalendarDamaged` when a file was tampered with."""
    return dict(_shipped())


def shipped_years() -> Years:
    """Every shipped year, published or not."""
    return dict(_shipped_years())


@cache
def _shipped() -> dict[str, WorkingCalendar]:
    return calendars_of(_shipped_years().values())


@cache
def _shipped_years() -> Years:
    return read_folder(TABLES)


def read_folder(folder: Path) -> Years:
    """The years in files `NAME/YEAR.json`. Raises `CalendarDamaged` or `Invalid` for one that cannot be trusted."""
    return {(year.name, year.year): year for year in map(_read_file, sorted(folder.glob("*/*.json")))}


def _read_file(path: Path) -> CalendarYear:
    year = open_sealed(read_json(path.read_text(encoding="utf-8")))
    if (year.name, str(year.year)) != (path.parent.name, path.stem):
        raise Invalid(f"The file {path.parent.name}/{path.name} holds {year.name} {year.year}.", calendar=year.name)
    return year


def read_json(text: str) -> Mapping[str, Any]:
    """The JSON object in a text. Raises `Invalid` for anything else, `TooLarge` for what cannot be a year."""
    if len(text) > LONGEST_TEXT:
        raise TooLarge("A calendar year is never that long.")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as wrong:  # not only its own error: also a number or a nesting without end
        raise Invalid("This is not JSON.") from wrong
    if not isinstance(body, dict):
        raise Invalid("A calendar year is a JSON object with fields such as name, year and off.")
    return body


def calendars_of(years: Iterable[CalendarYear]) -> dict[str, WorkingCalendar]:
    """These years as calendars by name, and `24x7`. Raises `Invalid` as `merge` does."""
    by_name: dict[str, list[CalendarYear]] = {}
    for year in years:
        by_name.setdefault(year.name, []).append(year)
    merged = {name: merge(by_name[name]) for name in sorted(by_name)}
    return merged | {ROUND_THE_CLOCK.name: ROUND_THE_CLOCK}


def window(calendar: WorkingCalendar, from_year: int) -> WorkingCalendar:
    """The same calendar and version without the years before this one, so that a case's frozen plan stays small.

    It never loses its last published year: what lies beyond that is refused by the calendar itself.
    """
    until = calendar.covered_until
    year = min(from_year, until.year) if until else from_year
    start = date(year, 1, 1)
    is_without_dates = calendar.covered_from is None and not calendar.off and not calendar.work
    if is_without_dates or (calendar.covered_from and calendar.covered_from >= start):
        return calendar
    return replace(
        calendar,
        off=frozenset(day for day in calendar.off if day >= start),
        work=frozenset(day for day in calendar.work if day >= start),
        covered_from=start,
    )
