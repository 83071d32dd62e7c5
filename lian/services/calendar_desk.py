"""The calendars as an administrator works with them: what is in force, and one year edited day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from lian.auth.actor import Actor
from lian.domain.calendars import WorkingCalendar
from lian.domain.errors import Invalid, NotFound
from lian.services.calendar_revisions import Revised, calendars_in_force, revise_year, revisions_of, years_in_force
from lian.services.calendar_years import DayOff, YearInForce, edited
from lian.services.context import Context

NO_YEAR = "There is no such year of this calendar."
Becomes = Literal["off", "work", "usual"]


@dataclass(frozen=True, slots=True)
class CalendarSeen:
    """A calendar in force, with its years, published or not."""

    calendar: WorkingCalendar
    years: tuple[YearInForce, ...]


@dataclass(frozen=True, slots=True)
class YearSeen:
    """A year as it counts now, and its revisions, the latest first."""

    year: YearInForce
    revisions: tuple[YearInForce, ...]


@dataclass(frozen=True, slots=True)
class DayGiven:
    """What is to become of one date: closed, with a reason; worked although it is a weekend; or as usual."""

    date: date
    becomes: Becomes
    name: str = ""


async def list_calendars(context: Context, actor: Actor) -> list[CalendarSeen]:
    """Every calendar that has published years, by name. Needs `calendar:write`."""
    actor.require("calendar:write")
    async with context.transaction() as session:
        calendars = await calendars_in_force(session)
        years = await years_in_force(session)
    mine = {name: tuple(year for (of, _), year in years.items() if of == name) for name in calendars}
    return [CalendarSeen(calendars[name], found) for name, found in mine.items() if found]


async def show_year(context: Context, actor: Actor, name: str, year: int) -> YearSeen:
    """One year with everything that was said of it. Needs `calendar:write`; raises `NotFound`."""
    actor.require("calendar:write")
    async with context.transaction() as session:
        found = (await years_in_force(session)).get((name, year))
        if found is None:
            raise NotFound(NO_YEAR)
        return YearSeen(found, tuple(await revisions_of(session, name, year)))


async def change_days(
    context: Context,
    actor: Actor,
    name: str,
    year: int,
    *,
    days: Sequence[DayGiven],
    reason: str,
    based_on: int,
    status: str = "",
) -> Revised:
    """Put the year in force with some days changed, and published or not; open cases stay as they are.

    Refuses as `revise_year` does, with `Invalid` when nothing is to be changed.
    """
    found = (await show_year(context, actor, name, year)).year
    body = edited(
        found.data,
        off=[DayOff(day.date, day.name) for day in days if day.becomes == "off"],
        work=[day.date for day in days if day.becomes == "work"],
        as_usual=[day.date for day in days if day.becomes == "usual"],
    )
    if len({day.date for day in days}) < len(days):
        raise Invalid("A date is given twice.", field="days")
    return await revise_year(
        context, actor, body=body | ({"status": status} if status else {}), reason=reason, based_on=based_on
    )
