"""One published year of a calendar as data: its shape, its hash, and how years make a working calendar.

The same shape stands in the shipped files (`tables/calendars/NAME/YEAR.json`) and in the revisions of an administrator.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from lian.domain.calendars import OFFICE_HOURS, WorkingCalendar
from lian.domain.errors import Invalid

PUBLISHED, PROVISIONAL = "published", "provisional"
HASH = "sha256"
BY_WAY_OF = " (by way of "
"""Between a notice and the library through which it was read."""


@dataclass(frozen=True, slots=True)
class DayOff:
    """A date on which the office is closed, and why."""

    date: date
    name_en: str
    name_zh: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarYear:
    """The days off and the make-up working days of one year, in one zone. `weekend` counts Monday as 0.

    Only a `published` year is reckoned with; a `provisional` one is shown and waits. `source` names the notice it was
    made from, `retrieved_on` the date it was looked up.
    """

    name: str
    year: int
    tz: str
    weekend: frozenset[int]
    off: tuple[DayOff, ...]
    work: frozenset[date]
    status: str
    source: str
    source_url: str
    retrieved_on: date

    @property
    def is_published(self) -> bool:
        """Whether clocks may be reckoned with it."""
        return self.status == PUBLISHED

    @property
    def body(self) -> dict[str, Any]:
        """Its JSON, without the hash."""
        return {
            "name": self.name,
            "year": self.year,
            "tz": self.tz,
            "weekend": sorted(self.weekend),
            "off": [_named(day) for day in self.off],
            "work": [day.isoformat() for day in sorted(self.work)],
            "status": self.status,
            "source": self.source,
            "source_url": self.source_url,
            "retrieved_on": self.retrieved_on.isoformat(),
        }

    @property
    def sha256(self) -> str:
        """The hash of the whole content, so that a change past the program is noticed."""
        return _hash(self.body)

    @property
    def days(self) -> dict[str, Any]:
        """What clocks depend on: no names, no source."""
        return {key: self.body[key] for key in ("year", "tz", "weekend", "work")} | {
            "off": sorted(day.date.isoformat() for day in self.off)
        }

    def is_working_day(self, day: date) -> bool:
        """Whether the office works on a date of this year."""
        return day in self.work or (day.weekday() not in self.weekend and day not in {off.date for off in self.off})


@dataclass(frozen=True, slots=True, kw_only=True)
class YearInForce:
    """One year as it counts now. Revision 0 is the shipped file; who, when and why are empty for it."""

    data: CalendarYear
    revision: int
    by: str = ""
    at: datetime | None = None
    reason: str = ""


def _named(day: DayOff) -> dict[str, str]:
    names = {"date": day.date.isoformat(), "name_en": day.name_en}
    return names | {"name_zh": day.name_zh} if day.name_zh else names


def _hash(content: object) -> str:
    """SHA-256 over the one way to write it: sorted keys, no spaces, UTF-8."""
    written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def sealed(year: CalendarYear) -> dict[str, Any]:
    """Its JSON with the hash, as a shipped file has it."""
    return year.body | {HASH: year.sha256}


def edited(
    year: CalendarYear,
    *,
    off: Iterable[DayOff] = (),
    work: Iterable[date] = (),
    as_usual: Iterable[date] = (),
) -> dict[str, Any]:
    """The body of a year with some days changed: closed, worked on a weekend, or neither. Nothing is checked yet."""
    added, made_up = {day.date: day for day in off}, set(work)
    touched = added.keys() | made_up | set(as_usual)
    days_off = {day.date: day for day in year.off if day.date not in touched} | added
    changed = replace(
        year,
        off=tuple(days_off[day] for day in sorted(days_off)),
        work=frozenset(year.work - touched | made_up),
    )
    return changed.body


def without_tool(source: str) -> str:
    """The notice alone, without the library through which it was read."""
    return source.partition(BY_WAY_OF)[0]


# --- from years to a calendar -----------------------------------------------------------------------------------------


def merge(years: Iterable[CalendarYear]) -> WorkingCalendar:
    """The published years of one calendar as a working calendar; 09:00 to 17:30.

    Provisional years are left out. Raises `Invalid` when none is published, one between two others is not, or they
    differ in zone or weekend: what lies in a gap would be a guess.
    """
    published = sorted((year for year in years if year.is_published), key=lambda year: year.year)
    if not published:
        raise Invalid("No year of this calendar is published, so it answers nothing.", field="status")
    _check_agreement(published)
    first, last = published[0], published[-1]
    return WorkingCalendar(
        name=first.name,
        tz=first.tz,
        weekend=first.weekend,
        off=frozenset(day.date for year in published for day in year.off),
        work=frozenset().union(*(year.work for year in published)),
        sessions=OFFICE_HOURS,
        covered_from=date(first.year, 1, 1),
        covered_until=date(last.year, 12, 31),
        version=f"{first.name}@{_hash([year.days for year in published])[:12]}",
    )


def _check_agreement(published: list[CalendarYear]) -> None:
    for year, following in pairwise(published):
        if following.year != year.year + 1:
            raise Invalid(
                f"{year.name} is published for {year.year} and {following.year} but not for {year.year + 1}: "
                "a calendar has no gaps.",
                field="year",
            )
        if (year.tz, year.weekend) != (following.tz, following.weekend):
            raise Invalid(f"{year.name} has another zone or weekend in {following.year} than before.", field="tz")


@dataclass(frozen=True, slots=True)
class DayChange:
    """One date on which two versions of a year differ: worked or not, or another name. None: not in that version."""

    date: date
    before: str | None
    after: str | None
    moves_deadlines: bool


def changes(before: CalendarYear | None, after: CalendarYear) -> list[DayChange]:
    """The dates on which a new version of a year differs from the one before, in order."""
    old, new = (_described(before) if before else {}), _described(after)
    found = []
    for day in sorted(old.keys() | new.keys()):
        if old.get(day) != new.get(day):
            moves = before is not None and _moves_deadlines(before, after, day)
            found.append(DayChange(day, old.get(day), new.get(day), moves))
    return found


def _moves_deadlines(before: CalendarYear, after: CalendarYear, day: date) -> bool:
    is_reckoned_with = before.is_published and after.is_published
    return is_reckoned_with and before.is_working_day(day) != after.is_working_day(day)


def _described(year: CalendarYear) -> dict[date, str]:
    off = {day.date: f"off: {day.name_en}" for day in year.off}
    return off | dict.fromkeys(year.work, "make-up working day")


def other_changes(before: CalendarYear | None, after: CalendarYear) -> list[tuple[str, str, str]]:
    """The other fields that differ, as (field, before, after): zone, weekend, status and source."""
    fields = ("tz", "weekend", "status", "source", "source_url")
    old, new = (before.body if before else {}), after.body
    return [(key, str(old.get(key, "")), str(new[key])) for key in fields if old.get(key) != new[key]]
