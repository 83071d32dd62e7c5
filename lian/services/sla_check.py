"""Deadlines for cases written in a file: what `lian sla check` answers.

The file may bring its own calendars; any other name is a shipped one. Rules and fields: sla/semantics.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from lian.domain.calendars import OFFICE_HOURS, SATURDAY_AND_SUNDAY, CalendarNotCovered, WorkingCalendar
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.moments import EARLIEST, LATEST
from lian.domain.sla import (
    MICROSECOND,
    ONE_HOUR,
    ClockPolicy,
    Roll,
    Unit,
    due_instant,
    instant,
    moment_of,
    share_instant,
)
from lian.domain.timetable import FOREVER, Instant, standstills

Sessions = tuple[tuple[str, str], ...]

WARNING_PERCENT = 75
ASKED = Label("Asked for in a file", "文件中的查询")
TIME_OF_DAY = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00")
MOST = {
    Unit.HOURS: 100 * 366 * 24,
    Unit.WORKING_DAYS: 100 * 366,
    Unit.CALENDAR_DAYS: 100 * 366,
    Unit.WEEKS: 100 * 53,
    Unit.MONTHS: 100 * 12,
    Unit.YEARS: 100,
}
"""A century: a longer promise is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class AskedCase:
    """One case of the file, understood. `budget` is in microseconds for hours, otherwise in the policy's unit."""

    id: str | int
    policy: ClockPolicy
    calendar: WorkingCalendar
    start: Instant
    budget: int
    pauses: list[tuple[Instant, Instant]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a case: times in its calendar's zone, or why there are none."""

    id: str | int
    due: datetime | None = None
    due_date: date | None = None
    warn75: datetime | None = None
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Ready for printing."""
        return {
            "id": self.id,
            "due": self.due and self.due.isoformat(),
            "due_date": self.due_date and self.due_date.isoformat(),
            "warn75": self.warn75 and self.warn75.isoformat(),
            "error": self.error,
        }


def check_file(text: str) -> list[Answer]:
    """An answer for each case of the file, in its order.

    `Invalid` with one sentence that names the case when something in the file cannot be understood; then none is given.
    """
    return [answer(case) for case in read_cases(text)]


def answer(case: AskedCase) -> Answer:
    """When the case falls due and when to warn, or `paused` or `calendar_not_covered`."""
    asked = (case.policy, case.calendar, case.start, case.pauses, case.budget)
    try:
        due = due_instant(*asked)
        warning = share_instant(*asked, percent=WARNING_PERCENT)
    except CalendarNotCovered as refused:
        return Answer(case.id, error=refused.code)
    if due is None:
        return Answer(case.id, error="paused")
    zone = ZoneInfo(case.calendar.tz)
    return Answer(
        case.id,
        due=moment_of(due).astimezone(zone),
        due_date=case.calendar.local_date(moment_of(due) - MICROSECOND),
        warn75=None if warning is None else moment_of(warning).astimezone(zone),
    )


# --- reading ----------------------------------------------------------------------------------------------------------


def read_cases(text: str) -> list[AskedCase]:
    """The cases of a file; `Invalid` as for `check_file`."""
    try:
        asked = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as refused:
        raise Invalid(f"The file is not JSON: {refused}.") from refused
    if not isinstance(asked, dict) or not isinstance(asked.get("cases"), list):
        raise Invalid('The file needs an object with a list "cases".')
    calendars = _given(asked, "calendars", {})
    if not isinstance(calendars, dict):
        raise Invalid('"calendars" must be an object of calendars by name.')
    shelf = _Shelf(calendars)
    return [_named(shelf, number, case) for number, case in enumerate(asked["cases"], start=1)]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The calendars of the file, then the shipped ones; each is made once, so that it is worked out once."""

    given: dict[str, Any]
    made: dict[tuple[str, Sessions], WorkingCalendar] = field(default_factory=dict)

    def take(self, name: str, sessions: Sessions) -> WorkingCalendar:
        """A calendar with these opening hours."""
        if (name, sessions) not in self.made:
            self.made[name, sessions] = replace(self._find(name), sessions=sessions)
        return self.made[name, sessions]

    def _find(self, name: str) -> WorkingCalendar:
        if name in self.given:
            return _calendar(name, self.given[name])
        # Imported here: a file that brings its calendars does not wait for the shipped ones to be read.
        from lian.services.calendars import shipped

        calendars = shipped()
        if name not in calendars:
            known = ", ".join(sorted({*self.given, *calendars}))
            raise Invalid(f"there is no calendar {_said(name)}; there are {known}")
        return calendars[name]


def _named(shelf: _Shelf, number: int, case: Any) -> AskedCase:
    """The case, or a refusal that names it."""
    name = f"number {number}"
    try:
        if not isinstance(case, dict):
            raise Invalid("it must be an object")
        id_ = _required(case, "id")
        if not isinstance(id_, str | int) or isinstance(id_, bool) or id_ == "":
            raise Invalid('its "id" must be a text or a whole number')
        name = str(id_)
        return _case(shelf, id_, case)
    except Invalid as refused:
        raise Invalid(f"Case {name}: {refused.message}.") from refused


def _case(shelf: _Shelf, id_: str | int, case: dict[str, Any]) -> AskedCase:
    unit = Unit(_one_of(_required(case, "unit"), "unit", Unit))
    calendar = shelf.take(_text(case, "calendar"), _sessions(_given(case, "hours", OFFICE_HOURS)))
    start = _instant(_required(case, "start"), "start")
    # Of the policy only unit and roll are used: the budget, which may be part of an hour, is given beside it.
    policy = ClockPolicy(
        id="asked",
        label=ASKED,
        amount=1,
        unit=unit,
        pausable=True,
        calendar=calendar.name,
        roll=Roll(_one_of(_given(case, "roll", Roll.NONE), "roll", Roll)),
    )
    pauses = standstills(_pauses(_given(case, "pauses", [])), start)
    return AskedCase(id_, policy, calendar, start, _budget(_required(case, "duration"), unit), pauses)


def _budget(duration: Any, unit: Unit) -> int:
    if not isinstance(duration, int | Decimal) or isinstance(duration, bool):
        raise Invalid(f'"duration" must be a number, not {_said(duration)}')
    if not 0 < duration <= MOST[unit]:
        raise Invalid(f'"duration" must be more than 0 and at most a century, not {duration}')
    if unit is Unit.HOURS:
        budget = round(Decimal(duration) * ONE_HOUR)
        if not budget:
            raise Invalid(f'"duration" must be at least a microsecond, not {duration}')
        return budget
    if duration != int(duration):
        raise Invalid(f'"duration" must be a whole number of {unit.value.replace("_", " ")}, not {duration}')
    return int(duration)


def _pauses(pauses: Any) -> Iterator[tuple[Instant, Instant]]:
    if not isinstance(pauses, list):
        raise Invalid(f'"pauses" must be a list, not {_said(pauses)}')
    for pause in pauses:
        if not isinstance(pause, dict) or "to" not in pause:
            raise Invalid('a pause needs "from" and "to", which is null while it is open')
        begins = _instant(_required(pause, "from"), "from")
        ends = FOREVER if pause["to"] is None else _instant(pause["to"], "to")
        if ends < begins:
            raise Invalid(f"a pause ends before it begins, at {pause['to']}")
        yield begins, ends


def _sessions(hours: Any) -> Sessions:
    if not isinstance(hours, list | tuple) or not hours:
        raise Invalid(f'"hours" must be a list of sessions such as ["09:00", "17:30"], not {_said(hours)}')
    sessions = tuple(sorted(_session(session) for session in hours))
    for (_, closes), (opens, _) in pairwise(sessions):
        if opens < closes:
            raise Invalid(f"the session that opens at {opens} overlaps the one that closes at {closes}")
    return sessions


def _session(session: Any) -> tuple[str, str]:
    if not isinstance(session, list | tuple) or len(session) != 2:
        raise Invalid(f"a session has an opening and a close, not {_said(session)}")
    opens, closes = (_time_of_day(at) for at in session)
    if closes <= opens:
        raise Invalid(f"a session must close after it opens, not {opens} to {closes}; a night shift is two sessions")
    return opens, closes


def _time_of_day(at: Any) -> str:
    if not isinstance(at, str) or not TIME_OF_DAY.fullmatch(at):
        raise Invalid(f"a session's time is written like 09:00, up to 24:00, not {_said(at)}")
    return at.zfill(5)


def _calendar(name: str, given: Any) -> WorkingCalendar:
    try:
        if not isinstance(given, dict):
            raise Invalid("it must be an object")
        covered = _given(given, "covered", [None, None])
        if not isinstance(covered, list) or len(covered) != 2:
            raise Invalid('"covered" must be the first and the last date, each of which may be null')
        first, last = (None if day is None else _date(day, "covered") for day in covered)
        if first and last and last < first:
            raise Invalid(f'"covered" ends before it begins, on {last}')
        return WorkingCalendar(
            name=name,
            tz=_zone(_required(given, "tz")),
            weekend=_weekend(_given(given, "weekend", sorted(SATURDAY_AND_SUNDAY))),
            off=_dates(given, "off"),
            work=_dates(given, "work"),
            sessions=OFFICE_HOURS,
            covered_from=first,
            covered_until=last,
        )
    except Invalid as refused:
        raise Invalid(f"in the calendar {_said(name)} {refused.message}") from refused


def _zone(tz: Any) -> str:
    try:
        return ZoneInfo(tz).key
    # A name with a slash too many is a ValueError, "Europe" is a folder, anything but text a TypeError.
    except (KeyError, ValueError, OSError, TypeError, AttributeError) as refused:
        raise Invalid(f"there is no time zone {_said(tz)}") from refused


def _weekend(days: Any) -> frozenset[int]:
    if not isinstance(days, list) or any(type(day) is not int or not 0 <= day <= 6 for day in days):
        raise Invalid(f'"weekend" must be a list of days from 0, Monday, to 6, not {_said(days)}')
    return frozenset(days)


def _dates(given: dict[str, Any], key: str) -> frozenset[date]:
    days = _given(given, key, [])
    if not isinstance(days, list):
        raise Invalid(f'"{key}" must be a list of dates, not {_said(days)}')
    return frozenset(_date(day, key) for day in days)


def _date(written: Any, key: str) -> date:
    try:
        day = date.fromisoformat(written)
    except (ValueError, TypeError) as refused:
        raise Invalid(f'"{key}" has {_said(written)}, which is not a date such as 2026-12-31') from refused
    if not EARLIEST.date() <= day <= LATEST.date():
        raise Invalid(f'"{key}" has {day}, which is not between {EARLIEST.year} and {LATEST.year}')
    return day


def _instant(written: Any, key: str) -> Instant:
    try:
        at = datetime.fromisoformat(written)
    except (ValueError, TypeError) as refused:
        raise Invalid(
            f'"{key}" is {_said(written)}, which is not a time such as 2026-03-02T10:00:00+08:00'
        ) from refused
    if at.tzinfo is None:
        raise Invalid(f'"{key}" is {_said(written)}, which does not say its offset from UTC')
    if not EARLIEST <= at <= LATEST:
        raise Invalid(f'"{key}" is {_said(written)}, which is not between {EARLIEST.year} and {LATEST.year}')
    return instant(at.astimezone(UTC))


def _required(given: dict[str, Any], key: str) -> Any:
    if given.get(key) is None:
        raise Invalid(f'it has no "{key}"')
    return given[key]


def _given(given: dict[str, Any], key: str, otherwise: Any) -> Any:
    found = given.get(key)
    return otherwise if found is None else found


def _text(given: dict[str, Any], key: str) -> str:
    text = _required(given, key)
    if not isinstance(text, str):
        raise Invalid(f'"{key}" must be a text, not {_said(text)}')
    return text


def _one_of(word: Any, key: str, words: type[Unit] | type[Roll]) -> str:
    if not isinstance(word, str) or word not in set(words):
        raise Invalid(f'"{key}" is {_said(word)}; it must be one of {", ".join(words)}')
    return word


def _said(value: Any) -> str:
    """A value as the file has it, short enough for a sentence."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}..."
