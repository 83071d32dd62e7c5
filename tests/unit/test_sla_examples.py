"""The published examples of clocks, one row each: through the file that `lian sla check` reads, and direct."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from lian.domain.calendars import CalendarNotCovered, WorkingCalendar
from lian.domain.sla import ClockLedger, Roll, Unit, due_at, due_on, warn_at
from lian.services.sla_check import check_file
from tests.promises import CN, DAY_AND_NIGHT, NIGHT, OFFICE, UK, UK_ALWAYS, WITH_LUNCH, at, clock, pauses

pytestmark = pytest.mark.req("CLM-12")

CALENDARS = {"CN": CN, "UK-ENG": UK, "UK-24x7": UK_ALWAYS}
Spans = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Example:
    """A row: times are on the wall of the calendar's zone unless they say otherwise."""

    what: str
    calendar: str
    start: str
    duration: float
    due: str | None
    warn75: str | None
    due_date: str | None = None
    """Where it is not the date of `due`."""
    unit: Unit = Unit.HOURS
    hours: tuple[tuple[str, str], ...] = OFFICE
    roll: Roll = Roll.NONE
    pauses: Spans = ()
    error: str | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(CALENDARS[self.calendar].tz)

    @property
    def due_on(self) -> str | None:
        return self.due_date or (self.due and self.due[:10])


WD, CD = Unit.WORKING_DAYS, Unit.CALENDAR_DAYS
LATE = "2026-02-13T16:30"
EXAMPLES = (
    Example(
        "after close on the eve of Easter", "UK-ENG", "2026-04-02T19:45", 4, "2026-04-07T13:00", "2026-04-07T12:00"
    ),
    Example("into a make-up Saturday", "CN", LATE, 8, "2026-02-14T17:00", "2026-02-14T15:00", hours=WITH_LUNCH),
    Example("used up at close", "UK-ENG", "2026-04-13T09:00", 8.5, "2026-04-13T17:30", "2026-04-13T15:22:30"),
    Example(
        "day and night over the spring clock change",
        "UK-24x7",
        "2026-03-28T12:00",
        24,
        "2026-03-29T13:00",
        "2026-03-29T07:00",
        hours=DAY_AND_NIGHT,
    ),
    Example("a Sunday that works", "CN", "2026-09-18T18:00", 3, "2026-09-22T17:30", "2026-09-21T17:30", unit=WD),
    Example("over Christmas", "UK-ENG", "2026-12-23T09:00", 3, "2026-12-30T17:30", "2026-12-29T17:30", unit=WD),
    Example(
        "30 days without roll", "CN", "2026-01-20T09:30", 30, "2026-02-20T00:00", "2026-02-12T00:00", "2026-02-19", CD
    ),
    Example(
        "30 days, rolled over Spring Festival",
        "CN",
        "2026-01-20T09:30",
        30,
        "2026-02-25T00:00",
        "2026-02-12T00:00",
        "2026-02-24",
        CD,
        roll=Roll.FOLLOWING,
    ),
    Example(
        "a pause from the 5th to the 12th deducts seven days",
        "CN",
        "2026-03-02T10:00",
        30,
        "2026-04-09T00:00",
        "2026-04-01T00:00",
        "2026-04-08",
        CD,
        pauses=(("2026-03-05T16:00", "2026-03-12T09:00"),),
    ),
    Example(
        "a pause within one day deducts none",
        "CN",
        "2026-03-02T10:00",
        30,
        "2026-04-02T00:00",
        "2026-03-25T00:00",
        "2026-04-01",
        CD,
        pauses=(("2026-03-05T09:00", "2026-03-05T23:00"),),
    ),
    Example(
        "beyond the published calendar",
        "CN",
        "2026-12-29T10:00",
        5,
        None,
        None,
        unit=WD,
        error="calendar_not_covered",
    ),
    Example(
        "overlapping pauses and lunch",
        "UK-ENG",
        "2026-06-01T11:15",
        6,
        "2026-06-02T16:15",
        "2026-06-02T14:45",
        hours=WITH_LUNCH,
        pauses=(("2026-06-01T14:00", "2026-06-02T10:30"), ("2026-06-02T09:30", "2026-06-02T11:00")),
    ),
    Example(
        "paused over National Day",
        "CN",
        "2025-09-29T16:00",
        12,
        "2025-10-10T10:30",
        "2025-10-09T16:00",
        pauses=(("2025-09-30T10:00", "2025-10-09T09:30"),),
    ),
    Example(
        "a bank holiday and a pause",
        "UK-ENG",
        "2026-05-21T15:00",
        10,
        "2026-06-10T17:30",
        "2026-06-05T17:30",
        unit=WD,
        pauses=(("2026-05-26T09:00", "2026-05-29T12:00"),),
    ),
    Example(
        "received a minute before midnight",
        "CN",
        "2024-02-07T23:59",
        2,
        "2024-02-09T17:30",
        "2024-02-08T17:30",
        unit=WD,
    ),
    Example(
        "night sessions over the autumn clock change",
        "UK-24x7",
        "2026-10-24T20:00",
        5,
        "2026-10-25T02:00",
        "2026-10-25T01:45+01:00",
        hours=NIGHT,
    ),
    Example(
        "the last day is a holiday",
        "CN",
        "2026-02-12T17:45",
        7,
        "2026-02-25T00:00",
        "2026-02-18T00:00",
        "2026-02-24",
        CD,
        roll=Roll.FOLLOWING,
    ),
    Example(
        "eight weeks",
        "UK-ENG",
        "2026-01-05T23:59",
        56,
        "2026-03-03T00:00",
        "2026-02-17T00:00",
        "2026-03-02",
        CD,
    ),
    Example(
        "an open pause",
        "CN",
        "2026-03-02T10:00",
        8,
        None,
        None,
        pauses=(("2026-03-02T12:00", None),),
        error="paused",
    ),
    # --- beyond the published ones
    Example("a single day is never warned of", "CN", "2026-02-13T23:59", 1, "2026-02-14T17:30", None, unit=WD),
    Example(
        "eight weeks as weeks",
        "UK-ENG",
        "2026-01-05T23:59",
        8,
        "2026-03-03T00:00",
        "2026-02-17T00:00",
        "2026-03-02",
        Unit.WEEKS,
    ),
    Example(
        "six months from a 31st",
        "UK-ENG",
        "2025-08-31T12:00",
        6,
        "2026-03-01T00:00",
        "2026-01-14T00:00",
        "2026-02-28",
        Unit.MONTHS,
    ),
    Example(
        "a year, past the end of the calendar: days without roll need none",
        "CN",
        "2026-12-30T12:00",
        1,
        "2027-12-31T00:00",
        "2027-09-30T00:00",
        "2027-12-30",
        Unit.YEARS,
    ),
    Example(
        "a last day beyond the calendar that would have to roll",
        "CN",
        "2026-12-30T12:00",
        3,
        None,
        None,
        unit=CD,
        roll=Roll.FOLLOWING,
        error="calendar_not_covered",
    ),
    Example("used up at the last close published", "CN", "2026-12-31T15:30", 2, "2026-12-31T17:30", "2026-12-31T17:00"),
    Example(
        "an open pause that begins at due",
        "CN",
        "2026-03-02T10:00",
        2,
        "2026-03-02T12:00",
        "2026-03-02T11:30",
        pauses=(("2026-03-02T12:00", None),),
    ),
)
WHOLE = [example for example in EXAMPLES if example.duration == int(example.duration)]
"""Those that a policy can promise: its hours are whole."""

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.what)
every_whole_example = pytest.mark.parametrize("example", WHOLE, ids=lambda example: example.what)


def as_written(calendar: WorkingCalendar) -> dict[str, object]:
    """A calendar as the file has it."""
    covered = [day and day.isoformat() for day in (calendar.covered_from, calendar.covered_until)]
    off, work = ([day.isoformat() for day in sorted(days)] for days in (calendar.off, calendar.work))
    return {"tz": calendar.tz, "weekend": sorted(calendar.weekend), "off": off, "work": work, "covered": covered}


@every_example
def test_the_file_is_answered_as_published(example: Example) -> None:
    zone = example.zone
    case = {
        "id": "G",
        "calendar": example.calendar,
        "hours": example.hours,
        "start": at(example.start, zone).isoformat(),
        "duration": example.duration,
        "unit": example.unit,
        "roll": example.roll,
        "pauses": [
            {"from": at(begins, zone).isoformat(), "to": ends and at(ends, zone).isoformat()}
            for begins, ends in example.pauses
        ],
        "note": "ignored",
    }
    calendars = {name: as_written(calendar) for name, calendar in CALENDARS.items()}
    [answer] = check_file(json.dumps({"calendars": calendars, "cases": [case]}))
    assert answer.as_json() == {
        "id": "G",
        "due": example.due and at(example.due, zone).isoformat(),
        "due_date": example.due_on,
        "warn75": example.warn75 and at(example.warn75, zone).isoformat(),
        "error": example.error,
    }


@every_whole_example
def test_a_ledger_gives_the_published_answer(example: Example) -> None:
    policy = clock(int(example.duration), example.unit, roll=example.roll, office_hours=True)
    calendar = replace(CALENDARS[example.calendar], sessions=example.hours)
    ledger = ClockLedger(at(example.start, example.zone), pauses(example.pauses, example.zone))
    if example.error == "calendar_not_covered":
        with pytest.raises(CalendarNotCovered):
            due_at(policy=policy, calendar=calendar, ledger=ledger)
        return
    due, warn = (f(policy=policy, calendar=calendar, ledger=ledger) for f in (due_at, warn_at))
    assert due == (example.due and at(example.due, example.zone))
    assert warn == (example.warn75 and at(example.warn75, example.zone))
    on = due_on(policy=policy, calendar=calendar, ledger=ledger)
    assert on == (example.due_on and date.fromisoformat(example.due_on))
