"""Calendars and their years in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from lian.services.calendar_desk import CalendarSeen, YearSeen
from lian.services.calendar_years import YearInForce, without_tool
from lian.services.uncovered import Uncovered
from web.reader import Reader

EARLIER = 1
"""So many years before this one are shown in the list; a year's own page opens all."""


@dataclass(frozen=True, slots=True)
class YearLink:
    """One year of a calendar and where it is edited."""

    year: int
    address: str
    tone: str
    note: str


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One calendar."""

    name: str
    zone: str
    covers: str
    years: tuple[YearLink, ...]
    preview: str


@dataclass(frozen=True, slots=True)
class DayRow:
    """One date that is not what its weekday says."""

    date: str
    iso: str
    tag: str
    tone: str
    name: str


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """One version of a year."""

    words: str
    status: str
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class YearView:
    """One year to be read and edited."""

    name: str
    year: int
    revision: int
    status: str
    is_published: bool
    zone: str
    source: str
    url: str
    days: tuple[DayRow, ...]
    revisions: tuple[RevisionRow, ...]


@dataclass(frozen=True, slots=True)
class MissingRow:
    """A year that running promises have crossed into."""

    words: str
    number: str
    address: str
    note: str


@dataclass(frozen=True, slots=True)
class UncoveredRow:
    """A running promise without a deadline."""

    number: str
    promise: str
    calendar: str


@dataclass(frozen=True, slots=True)
class UncoveredView:
    """Running promises without a deadline."""

    years: tuple[MissingRow, ...]
    clocks: tuple[UncoveredRow, ...]
    more: str


def year_address(name: str, year: int) -> str:
    """Where a year is edited."""
    return f"/operations/calendars/{name}/{year}"


def present_calendars(found: Sequence[CalendarSeen], reader: Reader, today: date) -> tuple[CalendarRow, ...]:
    """All calendars."""
    return tuple(_calendar(seen, reader, today) for seen in found)


def _calendar(seen: CalendarSeen, reader: Reader, today: date) -> CalendarRow:
    calendar = seen.calendar
    first, last = calendar.covered_from, calendar.covered_until
    covers = f"{first.year}–{last.year}" if first and last else reader.say("without bound")
    shown = [year for year in seen.years if year.data.year >= today.year - EARLIER] or seen.years[-1:]
    return CalendarRow(
        name=calendar.name,
        zone=calendar.tz,
        covers=covers,
        years=tuple(_link(year, reader) for year in shown),
        preview=f"/operations/calendars/{calendar.name}/apply",
    )


def _link(year: YearInForce, reader: Reader) -> YearLink:
    if not year.data.is_published:
        tone, note = "warn", reader.say("not published")
    elif year.revision:
        tone, note = "info", reader.say("revised")
    else:
        tone, note = "", ""
    return YearLink(year.data.year, year_address(year.data.name, year.data.year), tone, note)


def present_year(seen: YearSeen, reader: Reader) -> YearView:
    """One year."""
    data = seen.year.data
    off = [(day.date, reader.say("day off"), "hold", _name(day.name_en, day.name_zh, reader)) for day in data.off]
    work = [(day, reader.say("worked"), "ok", reader.say("make-up working day")) for day in data.work]
    return YearView(
        name=data.name,
        year=data.year,
        revision=seen.year.revision,
        status=reader.say("published") if data.is_published else reader.say("not published"),
        is_published=data.is_published,
        zone=data.tz,
        source=without_tool(data.source),
        url=data.source_url,
        days=tuple(
            DayRow(reader.weekday(day), day.isoformat(), tag, tone, name) for day, tag, tone, name in sorted(off + work)
        ),
        revisions=tuple(_revision(one, reader) for one in seen.revisions),
    )


def _name(en: str, zh: str, reader: Reader) -> str:
    return zh or en if reader.language == "zh-CN" else en


def _revision(one: YearInForce, reader: Reader) -> RevisionRow:
    words = reader.say("As shipped")
    if one.at:
        words = reader.say("Revision {n}, {when}", n=one.revision, when=reader.full_moment(one.at))
    status = reader.say("published") if one.data.is_published else reader.say("not published")
    return RevisionRow(words, status, one.reason, without_tool(one.data.source))


def present_uncovered(found: Uncovered, reader: Reader) -> UncoveredView:
    """Which calendars are missing, and whose promises wait for them."""
    unlisted = found.total - len(found.clocks)
    return UncoveredView(
        years=tuple(
            MissingRow(
                words=reader.say("{calendar} {year}", calendar=one.calendar, year=one.year),
                number=reader.number(one.clocks),
                address=f"/operations/calendars/{one.calendar}/apply" if one.is_published else "",
                note=reader.say("published since: apply it to open cases")
                if one.is_published
                else reader.say("not published"),
            )
            for one in found.years
        ),
        clocks=tuple(UncoveredRow(c.number, reader.label(c.label), f"{c.calendar} {c.year}") for c in found.clocks),
        more=reader.count("{n} more is not listed.", "{n} more are not listed.", unlisted) if unlisted else "",
    )
