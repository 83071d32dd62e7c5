"""Calendars, policies and ledgers for tests of clocks, made by hand and by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lian.domain.calendars import WorkingCalendar, plain_calendar
from lian.domain.labels import Label
from lian.domain.sla import ClockPolicy, Pause, Roll, Rung, Unit

BEIJING = ZoneInfo("Asia/Shanghai")
LONDON = ZoneInfo("Europe/London")
SECOND = timedelta(seconds=1)
START = datetime(2026, 3, 2, 10, 0, tzinfo=BEIJING)  # a Monday

OFFICE = (("09:00", "17:30"),)
WITH_LUNCH = (("09:00", "12:00"), ("13:00", "17:30"))
NIGHT = (("00:00", "06:00"), ("22:00", "24:00"))
DAY_AND_NIGHT = (("00:00", "24:00"),)


def dates(*spans: str) -> frozenset[date]:
    """Dates such as `2026-05-04` and spans such as `2026-05-01/05`, the second a day of the same month."""
    found = set()
    for span in spans:
        first, _, last = span.partition("/")
        begins = date.fromisoformat(first)
        found |= {begins.replace(day=day) for day in range(begins.day, int(last or begins.day) + 1)}
    return frozenset(found)


# Copied by hand from the notices 关于2024年、2025年、2026年部分节假日安排的通知: a witness for what is shipped.
CN = replace(
    plain_calendar("Asia/Shanghai"),
    name="CN",
    off=dates("2024-01-01", "2024-02-10/17", "2024-04-04/06", "2024-05-01/05", "2024-06-10", "2024-09-15/17")
    | dates("2024-10-01/07")
    | dates("2025-01-01", "2025-01-28/31", "2025-02-01/04", "2025-04-04/06", "2025-05-01/05", "2025-05-31")
    | dates("2025-06-01/02", "2025-10-01/08")
    | dates("2026-01-01/03", "2026-02-15/23", "2026-04-04/06", "2026-05-01/05", "2026-06-19/21", "2026-09-25/27")
    | dates("2026-10-01/07"),
    work=dates("2024-02-04", "2024-02-18", "2024-04-07", "2024-04-28", "2024-05-11", "2024-09-14", "2024-09-29")
    | dates("2024-10-12")
    | dates("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11")
    | dates("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
    covered_from=date(2024, 1, 1),
    covered_until=date(2026, 12, 31),
    version="",
)
UK = replace(
    plain_calendar("Europe/London"),
    name="UK-ENG",
    off=dates("2025-12-25/26", "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31")
    | dates("2026-12-25", "2026-12-28"),
    covered_from=date(2025, 6, 1),
    covered_until=date(2026, 12, 31),
)
UK_ALWAYS = WorkingCalendar("UK-24x7", "Europe/London", frozenset(), frozenset(), frozenset(), DAY_AND_NIGHT)


def clock(
    amount: int,
    unit: Unit,
    *,
    pausable: bool = True,
    warn_percent: int = 75,
    roll: Roll = Roll.NONE,
    rungs: tuple[Rung, ...] = (),
    office_hours: bool = False,
) -> ClockPolicy:
    """A promise; hours run day and night unless they are `office_hours`."""
    return ClockPolicy(
        id=f"t.{unit.value}",
        label=Label("A promise", "时限"),
        amount=amount,
        unit=unit,
        pausable=pausable,
        warn_percent=warn_percent,
        roll=roll,
        rungs=rungs,
        calendar="office" if office_hours else "",
    )


def at(text: str, zone: ZoneInfo = BEIJING) -> datetime:
    """A time on the wall of a zone, or with an offset of its own."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def pause(begins: str, ends: str | None, zone: ZoneInfo = BEIJING) -> Pause:
    """A pause; open without an end."""
    return Pause("R-1", at(begins, zone), at(ends, zone) if ends else None)


def pauses(spans: Iterable[tuple[str, str | None]], zone: ZoneInfo = BEIJING) -> tuple[Pause, ...]:
    """Several pauses of different requests."""
    return tuple(replace(pause(*span, zone), request_id=f"R-{n}") for n, span in enumerate(spans))
