"""Making calendar years from the library `holidays`. A refresh writes files; the engine only ever reads those.

The library gives an answer for any year, also one for which nothing is published yet; so each source here knows the
last year for which it may be believed, and a Chinese year beyond the published notices is refused outright.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lian.domain.calendars import SATURDAY_AND_SUNDAY
from lian.domain.errors import DomainError, Invalid
from lian.services.calendar_reading import CalendarDamaged, open_sealed
from lian.services.calendar_years import (
    BY_WAY_OF,
    PROVISIONAL,
    PUBLISHED,
    CalendarYear,
    DayOff,
    sealed,
    without_tool,
)

FIRST_SHIPPED = 2018
OBSERVED = " (observed)"
AMERICAN_DATE = re.compile(r"(\d\d)/(\d\d)/(\d{4})")


class NotPublished(DomainError):
    """Nobody has announced this year yet; what a library makes of it would be a guess."""

    code = "calendar_not_published"


class LibraryMissing(DomainError):
    """The library that years are made from is not installed."""

    code = "library_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the days of one calendar come from.

    `areas` are the library's (country, part) whose days count together. `left_out` are days the library lists on which
    offices work all the same, each with the reason; `moves` says whether a day off on a Saturday or Sunday is made up
    on another day. Both keep a deadline from coming later than the law has it.
    """

    name: str
    areas: tuple[tuple[str, str | None], ...]
    tz: str
    words: str
    url: str
    published_until: int | None = None
    """None: the library says it itself."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    moves: str = "both"
    """Weekend days that are made up: `both`, `sunday` or `none`."""


ANTHONY = {"Susan B. Anthony Day": "a day of commemoration: offices are open"}
GOV_UK = "https://www.gov.uk/bank-holidays"
SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            name="CN",
            areas=(("CN", None),),
            tz="Asia/Shanghai",
            words="国务院办公厅关于{year}年部分节假日安排的通知",
            url="https://www.gov.cn/",
        ),
        Source(
            name="SG",
            areas=(("SG", None),),
            tz="Asia/Singapore",
            words="Public holidays of {year}, Ministry of Manpower, under the Holidays Act 1998",
            url="https://www.mom.gov.sg/employment-practices/public-holidays",
        ),
        Source(
            name="UK-ENG",
            areas=(("GB", "ENG"),),
            tz="Europe/London",
            words="Bank holidays in England and Wales, {year}",
            url=GOV_UK,
            published_until=2028,
        ),
        Source(
            name="UK-NIR",
            areas=(("GB", "NIR"),),
            tz="Europe/London",
            words="Bank holidays in Northern Ireland, {year}",
            url=GOV_UK,
            published_until=2028,
        ),
        Source(
            name="UK-SCT",
            areas=(("GB", "SCT"),),
            tz="Europe/London",
            words="Bank holidays in Scotland, {year}",
            url=GOV_UK,
            published_until=2028,
        ),
        Source(
            name="US-CA",
            areas=(("US", None), ("US", "CA")),  # 10 CCR 2695.2(b) names federal and California holidays
            tz="America/Los_Angeles",
            words="Federal holidays, 5 U.S.C. 6103, and California holidays, Government Code 6700, {year}",
            url="https://www.sos.ca.gov/state-holidays",
            published_until=2027,
            left_out=ANTHONY,
        ),
        Source(
            name="US-NY",
            areas=(("US", "NY"),),
            tz="America/New_York",
            words="Public holidays of New York, General Construction Law 24, {year}",
            url="https://www.nysenate.gov/",
            published_until=2027,
            left_out=ANTHONY,
            moves="sunday",
        ),
        Source(
            name="US-TX",
            areas=(("US", "TX"),),
            tz="America/Chicago",
            words="National and state holidays of Texas, Government Code 662.003, {year}",
            url="https://www.tsl.texas.gov/",
            published_until=2027,
            left_out={
                "Good Friday": "an optional holiday: offices are open (Government Code 662.003)",
                "Cesar Chavez Day": "an optional holiday: offices are open (Government Code 662.003)",
            },
            moves="none",
        ),
    )
}
GONGBAO = "https://www.gov.cn/gongbao/"
NOTICES: dict[tuple[str, int], tuple[str, str]] = {
    ("CN", 2018): ("", f"{GONGBAO}content/2017/content_5248221.htm"),
    ("CN", 2019): (
        "; amended by 国务院办公厅关于调整2019年劳动节假期安排的通知",
        f"{GONGBAO}content/2018/content_5350046.htm",
    ),
    ("CN", 2020): (
        "; amended on 2020-01-27 by 国务院办公厅关于延长2020年春节假期的通知",
        f"{GONGBAO}content/2019/content_5459138.htm",
    ),
    ("CN", 2021): ("", f"{GONGBAO}content/2020/content_5567750.htm"),
    ("CN", 2022): ("", f"{GONGBAO}content/2021/content_5651728.htm"),
    ("CN", 2023): ("", f"{GONGBAO}content/2023/content_5736714.htm"),
    ("CN", 2024): ("", f"{GONGBAO}2023/issue_10806/202311/content_6913823.html"),
    ("CN", 2025): ("", f"{GONGBAO}2024/issue_11726/202411/content_6989767.html"),
    ("CN", 2026): ("", f"{GONGBAO}2025/issue_12406/202511/content_7048922.html"),
    ("UK-SCT", 2026): ("; 15 June by Royal Proclamation of 3 February 2026", GOV_UK),
}
"""What one year's notice adds to the words of its source, and its own address."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of one year: `written`, `unchanged`, or `refused` with the reason."""

    name: str
    year: int
    outcome: str
    why: str = ""


def make_year(name: str, year: int, *, on: date) -> CalendarYear:
    """One year from the library, looked up on this date.

    Raises `Invalid` for a calendar without a source, `NotPublished` for a Chinese or Singaporean year that nobody has
    announced, `LibraryMissing` when `holidays` is not installed.
    """
    source = source_of(name)
    require_library()
    _check_published(source, year)
    more, url = NOTICES.get((name, year), ("", source.url))
    off, work = _days_off(source, year), _make_up_days(year) if name == "CN" else frozenset()
    return CalendarYear(
        name=name,
        year=year,
        tz=source.tz,
        weekend=SATURDAY_AND_SUNDAY,
        off=_with_weekends(off, work) if name == "CN" else off,
        work=work,
        status=PUBLISHED if year <= published_until(source) else PROVISIONAL,
        source=f"{source.words.format(year=year)}{more}{BY_WAY_OF}holidays {version('holidays')})",
        source_url=url,
        retrieved_on=on,
    )


def source_of(name: str) -> Source:
    """The source of a calendar. Raises `Invalid` when there is none."""
    if name not in SOURCES:
        raise Invalid(f"There is no source for {name}; there are {', '.join(SOURCES)}.", calendar=name)
    return SOURCES[name]


def published_until(source: Source) -> int:
    """The last year for which the source may be believed."""
    if source.published_until is not None:
        return source.published_until
    return _announced_in_china() if source.name == "CN" else _announced_in_singapore()


def _announced_in_china() -> int:
    from holidays.countries.china import ChinaStaticHolidays

    return max(ChinaStaticHolidays.special_public_holidays)


def _announced_in_singapore() -> int:
    """The library marks what it reckons itself as estimated."""
    year = FIRST_SHIPPED
    while not any("estimated" in name for name in _holidays("SG", None, year, None).values()):
        year += 1
    return year - 1


def _check_published(source: Source, year: int) -> None:
    if source.published_until is None and year > published_until(source):
        raise NotPublished(
            f"{source.name} is published until {published_until(source)}; {year} would be a guess.",
            calendar=source.name,
            year=str(year),
        )


def _days_off(source: Source, year: int) -> tuple[DayOff, ...]:
    names: dict[date, list[str]] = {}
    for country, part in source.areas:
        for day, name in _listed(source, country, part, year):
            if name not in names.setdefault(day, []):
                names[day].append(name)
    chinese = _chinese_names(year) if source.name == "CN" else {}
    return tuple(DayOff(day, "; ".join(names[day]), chinese.get(day, "")) for day in sorted(names))


def _with_weekends(off: tuple[DayOff, ...], work: frozenset[date]) -> tuple[DayOff, ...]:
    """A Chinese notice names a holiday from its first day to its last; the library leaves out the weekends in it."""
    days = {day.date: day for day in off}
    for start in sorted(days):
        for step in (timedelta(days=1), timedelta(days=-1)):
            day = start + step
            while day.year == start.year and day.weekday() in SATURDAY_AND_SUNDAY and day not in work:
                days.setdefault(day, DayOff(day, "Weekend in a holiday", "假期中的周末"))
                day += step
    return tuple(days[day] for day in sorted(days))


def _listed(source: Source, country: str, part: str | None, year: int) -> Iterable[tuple[date, str]]:
    """The library's days off that count: each with one name."""
    language = "en_US" if country in {"CN", "SG"} else None
    for day, names in sorted(_holidays(country, part, year, language).items()):
        for name in AMERICAN_DATE.sub(r"\3-\1-\2", names).split("; "):
            if name.removesuffix(OBSERVED) not in source.left_out and not _stays_put(source, country, part, day, name):
                yield day, name


def _stays_put(source: Source, country: str, part: str | None, day: date, name: str) -> bool:
    """Whether this is a day moved off a weekend that the source's law does not move."""
    if not name.endswith(OBSERVED) or source.moves == "both":
        return False
    return source.moves == "none" or day.weekday() == 4  # a Saturday's is moved to the Friday before


def _chinese_names(year: int) -> dict[date, str]:
    return dict(_holidays("CN", None, year, "zh_CN").items())


def _make_up_days(year: int) -> frozenset[date]:
    return frozenset(day for day in _holidays("CN", None, year, None).weekend_workdays if day.year == year)


def _holidays(country: str, part: str | None, year: int, language: str | None) -> Any:
    from holidays import country_holidays

    return country_holidays(country, subdiv=part, years=year, expand=False, language=language)


def require_library() -> None:
    """Raise `LibraryMissing` unless `holidays` is installed: it is a tool of the refresh, not of the product."""
    if find_spec("holidays") is None:
        raise LibraryMissing("A refresh needs the library holidays; install it with: pip install 'holidays>=0.92'")


# --- files ------------------------------------------------------------------------------------------------------------


def refresh(folder: Path, *, names: Iterable[str], years: Iterable[int], on: date) -> list[Refreshed]:
    """Write the years of these calendars as files `NAME/YEAR.json` into a folder; one that says the same stays."""
    wanted = list(years)
    return [_refresh_one(folder, name, year, on) for name in names for year in wanted]


def _refresh_one(folder: Path, name: str, year: int, on: date) -> Refreshed:
    try:
        made = make_year(name, year, on=on)
    except NotPublished as refused:
        return Refreshed(name, year, "refused", refused.message)
    path = folder / name / f"{year}.json"
    if _says_the_same(path, made):
        return Refreshed(name, year, "unchanged")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(written(made), encoding="utf-8")
    draft.replace(path)
    return Refreshed(name, year, "written", made.status)


def _says_the_same(path: Path, made: CalendarYear) -> bool:
    """Whether the file differs in nothing but the day of the look-up and the library's version."""
    try:
        there = open_sealed(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, Invalid, CalendarDamaged):
        return False
    here = replace(made, source=without_tool(made.source), retrieved_on=there.retrieved_on)
    return here == replace(there, source=without_tool(there.source))


def written(year: CalendarYear) -> str:
    """The text of a file: one day a line, so that a change is easy to review."""
    body = sealed(year)
    lines = []
    for key, value in body.items():
        shown = json.dumps(value, ensure_ascii=False)
        if key == "off":
            days = ",\n".join(f"  {json.dumps(day, ensure_ascii=False)}" for day in value)
            shown = f"[\n{days}\n ]"
        lines.append(f" {json.dumps(key)}: {shown}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
