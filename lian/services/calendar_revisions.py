"""The calendars in force: as shipped, and as an administrator has revised them.

A shipped year is revision 0. A revision is a row of `calendar_years`, which the application can add and never change;
the latest one of a year is in force. What a case has frozen into its plan stays as it is until somebody recomputes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables.calendar_years import CalendarRevision
from lian.domain.calendars import WorkingCalendar
from lian.domain.errors import Conflict, Invalid, NotFound
from lian.services.calendar_reading import CalendarDamaged, open_sealed, read_year
from lian.services.calendar_years import (
    HASH,
    CalendarYear,
    DayChange,
    YearInForce,
    changes,
    merge,
)
from lian.services.calendars import Years, calendars_of, shipped, shipped_years
from lian.services.context import Context

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """A revision that was just recorded, with the whole calendar before it (None for a new one) and after it."""

    name: str
    year: int
    revision: int
    before: WorkingCalendar | None
    after: WorkingCalendar
    changes: tuple[DayChange, ...]


# --- in force ---------------------------------------------------------------------------------------------------------


async def calendars_in_force(session: AsyncSession) -> dict[str, WorkingCalendar]:
    """Every calendar by name: the shipped ones, overlaid with the latest revisions."""
    rows = await _latest_rows(session)
    return calendars_of(_overlaid(rows).values()) if rows else shipped()


async def years_in_force(session: AsyncSession) -> dict[tuple[str, int], YearInForce]:
    """Every year as it counts now, published or not, with the revision it comes from."""
    years = {key: YearInForce(data=data, revision=0) for key, data in shipped_years().items()}
    years |= {(row.name, row.year): _in_force(row) for row in await _latest_rows(session)}
    return dict(sorted(years.items()))


async def revisions_of(session: AsyncSession, name: str, year: int) -> list[YearInForce]:
    """All revisions of a year, the latest first; the shipped file, if there is one, comes last."""
    rows = select(CalendarRevision).where(CalendarRevision.name == name, CalendarRevision.year == year)
    found = (await session.execute(rows.order_by(col(CalendarRevision.revision).desc()))).scalars()
    first = shipped_years().get((name, year))
    return [_in_force(row) for row in found] + ([YearInForce(data=first, revision=0)] if first else [])


async def before_and_after(
    session: AsyncSession, *, name: str, year: int, revision: int
) -> tuple[WorkingCalendar | None, WorkingCalendar]:
    """The whole calendar just before a revision and just after it, for whoever applies it to open cases.

    Before is None when the revision made the calendar. Raises `NotFound` for a revision there is none of.
    """
    row = await session.get(CalendarRevision, (name, year, revision))
    if row is None:
        raise NotFound("There is no such revision of this calendar.")
    earlier = await _latest_rows(session, name=name, before=row.at)
    before = _calendar_of(name, earlier)
    after = _calendar_of(name, [*(old for old in earlier if old.year != year), row])
    assert after is not None
    return before, after


def _overlaid(rows: Iterable[CalendarRevision]) -> Years:
    return shipped_years() | {(row.name, row.year): _opened(row) for row in rows}


def _calendar_of(name: str, rows: Iterable[CalendarRevision]) -> WorkingCalendar | None:
    years = [year for year in _overlaid(rows).values() if year.name == name]
    return merge(years) if years else None


def _in_force(row: CalendarRevision) -> YearInForce:
    return YearInForce(data=_opened(row), revision=row.revision, by=row.by, at=row.at, reason=row.reason)


def _opened(row: CalendarRevision) -> CalendarYear:
    year = open_sealed({**row.body, HASH: row.sha256})
    if (year.name, year.year) != (row.name, row.year):
        raise CalendarDamaged(f"The revision of {row.name} {row.year} holds {year.name} {year.year}.")
    return year


async def _latest_rows(
    session: AsyncSession, *, name: str | None = None, before: datetime | None = None
) -> list[CalendarRevision]:
    """The latest revision of each year that has any."""
    of, year, revision = col(CalendarRevision.name), col(CalendarRevision.year), col(CalendarRevision.revision)
    latest = select(of, year, func.max(revision)).group_by(of, year)
    if name is not None:
        latest = latest.where(of == name)
    if before is not None:
        latest = latest.where(col(CalendarRevision.at) < before)
    rows = select(CalendarRevision).where(tuple_(of, year, revision).in_(latest)).order_by(of, year)
    return list((await session.execute(rows)).scalars())


# --- revising ---------------------------------------------------------------------------------------------------------


async def diff(session: AsyncSession, body: Mapping[str, Any]) -> tuple[CalendarYear | None, CalendarYear]:
    """The year in force that this body would replace, and what it would be; `changes` tells the dates.

    Raises `Invalid` as `revise_year` would.
    """
    new = read_year(body)
    years = await years_in_force(session)
    old = years.get((new.name, new.year))
    merge(_replaced([year.data for year in years.values()], new))
    return (old.data if old else None), new


async def revise_year(
    context: Context,
    actor: Actor,
    *,
    body: Mapping[str, Any],
    reason: str,
    based_on: int | None = None,
) -> Revised:
    """Put a new version of a calendar's year in force and keep who, when and why. Needs `calendar:write`.

    `based_on` is the revision somebody looked at. Raises `Invalid` in plain words for a year that contradicts itself or
    leaves a gap, `Conflict` when somebody else has revised it since, or when it changes nothing. Open cases keep what
    they have; whoever applies the revision to them finds both calendars in the result and in `before_and_after`.
    """
    actor.require("calendar:write")
    why = _reason(reason)
    new = read_year(body)
    async with context.transaction() as session:
        # One at a time for each calendar, so that the order of revisions is that of their moments.
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"calendar:{new.name}"))))
        years = await years_in_force(session)
        old = years.get((new.name, new.year))
        _check_revision(old, new, based_on)
        mine = [year.data for (name, _), year in years.items() if name == new.name]
        before, after = (merge(mine) if mine else None), merge(_replaced(mine, new))
        revision = old.revision + 1 if old else 1
        session.add(_row(new, revision, reason=why, by=actor.id, at=_after_all(years, new.name, context.now())))
    found = tuple(changes(old.data if old else None, new))
    return Revised(name=new.name, year=new.year, revision=revision, before=before, after=after, changes=found)


def _reason(given: str) -> str:
    why = given.strip()
    if not why:
        raise Invalid("Say why the calendar is revised, such as the notice it follows.", field="reason")
    if not "".join(why.splitlines()).isprintable():
        raise Invalid("The reason has characters that nobody can read.", field="reason")
    if len(why) > LONGEST_REASON:
        raise Invalid(f"The reason is longer than {LONGEST_REASON} characters.", field="reason")
    return why


def _check_revision(old: YearInForce | None, new: CalendarYear, based_on: int | None) -> None:
    latest = old.revision if old else 0
    if based_on is not None and based_on != latest:
        raise Conflict("Somebody else has revised this year since you looked; look again, then revise.")
    if old is not None and old.data == new:
        raise Conflict("This changes nothing: the year in force says the same.")


def _after_all(years: Mapping[tuple[str, int], YearInForce], name: str, now: datetime) -> datetime:
    """Now; or just after this calendar's last revision, should the clock have been set back since."""
    earlier = [year.at for (of, _), year in years.items() if of == name and year.at]
    return max([now, *(at + timedelta(microseconds=1) for at in earlier)])


def _replaced(years: Iterable[CalendarYear], new: CalendarYear) -> list[CalendarYear]:
    others = [year for year in years if year.name == new.name and year.year != new.year]
    return [*others, new]


def _row(year: CalendarYear, revision: int, *, reason: str, by: str, at: datetime) -> CalendarRevision:
    return CalendarRevision(
        name=year.name,
        year=year.year,
        revision=revision,
        body=year.body,
        sha256=year.sha256,
        status=year.status,
        source=year.source,
        reason=reason,
        by=by,
        at=at,
    )
