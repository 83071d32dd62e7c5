"""`lian calendars`: which dates are working days, where that is published, and the refresh of the shipped years."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from infra.embedded.errors import StackError
from lian.cli.replans import apply
from lian.domain.calendars import WorkingCalendar
from lian.domain.errors import DomainError
from lian.services.calendar_reading import read_year
from lian.services.calendar_years import CalendarYear, YearInForce, changes, other_changes, without_tool
from lian.services.calendars import TABLES, calendars_of, read_json, shipped_years

if TYPE_CHECKING:
    from lian.services.calendar_sources import Refreshed

app = typer.Typer()
calendars = typer.Typer(no_args_is_help=True)
app.add_typer(calendars, name="calendars", help="Show and refresh the working-day calendars.", rich_help_panel="Data")

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

InForce = dict[tuple[str, int], YearInForce]
Name = Annotated[str, typer.Argument(help="A calendar, such as CN or UK-ENG.", show_default=False)]
Year = Annotated[int, typer.Argument(help="A year, such as 2026.", show_default=False)]


@calendars.command("list")
def list_all() -> None:
    """List the calendars: what each covers, its version, and which years an administrator has revised."""
    years = _years()
    shown = Table("calendar", "zone", "covers", Column("version", no_wrap=True), "revised")
    for name, calendar in _calendars(years).items():
        revised = [
            f"{year} (r{found.revision})" for (of, year), found in years.items() if of == name and found.revision
        ]
        shown.add_row(name, calendar.tz, _covers(calendar), calendar.version or "-", ", ".join(revised) or "-")
    Console().print(shown)


@calendars.command()
def show(name: Name, year: Annotated[int | None, typer.Argument(show_default=False)] = None) -> None:
    """Show the years of a calendar with their sources, or the days of one YEAR."""
    years = _of(_years(), name)
    if year is None:
        _show_years(name, years)
    else:
        _show_days(_one(years, name, year))


@calendars.command()
def diff(
    name: Name,
    year: Year,
    file: Annotated[
        Path | None, typer.Argument(help="An edited or refreshed year as JSON.", show_default=False)
    ] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="Compare with the year as it was shipped.")] = False,
) -> None:
    """Show what putting FILE, or the shipped year, in force would change; nothing is changed."""
    if (file is None) is not shipped:
        raise StackError("Name either a FILE or --shipped.")
    years = _years()
    new = _shipped(name, year) if file is None else _read(file, name, year)
    before = years.get((name, year))
    _check_fit(years, new)
    _show_changes(before.data if before else None, new)


@calendars.command()
def refresh(
    name: Annotated[list[str] | None, typer.Option(help="Only this calendar; may be repeated.")] = None,
    year: Annotated[list[int] | None, typer.Option(help="Only this year; may be repeated.")] = None,
    into: Annotated[Path | None, typer.Option(help="Write into this folder, not the tables of this checkout.")] = None,
) -> None:
    """Make the year files anew from the library `holidays`; a year nobody has announced yet is refused."""
    from lian.services import calendar_sources

    today = datetime.now(UTC).date()
    try:
        for one in name or ():
            calendar_sources.source_of(one)
        done = calendar_sources.refresh(
            into or _tables_of_checkout(),
            names=name or list(calendar_sources.SOURCES),
            years=year or range(calendar_sources.FIRST_SHIPPED, today.year + 2),
            on=today,
        )
    except DomainError as refused:
        raise StackError(refused.message) from refused
    except OSError as refused:
        raise StackError(f"The files cannot be written: {refused.strerror}.") from refused
    _show_refreshed(done)


calendars.command()(apply)


# --- reading ----------------------------------------------------------------------------------------------------------


def _years() -> InForce:
    """The years in force in the installation at hand; where there is none, as shipped."""
    from lian.settings import Settings

    try:
        if Settings().database_url.get_secret_value():
            return _years_in_database()
        return {key: YearInForce(data=data, revision=0) for key, data in sorted(shipped_years().items())}
    except DomainError as refused:
        raise StackError(refused.message) from refused


def _years_in_database() -> InForce:
    from lian.cli.running import with_context
    from lian.services.calendar_revisions import years_in_force
    from lian.services.context import Context

    async def read(context: Context) -> InForce:
        async with context.transaction() as session:
            return await years_in_force(session)

    return with_context(read)


def _calendars(years: InForce) -> dict[str, WorkingCalendar]:
    try:
        return calendars_of(year.data for year in years.values())
    except DomainError as refused:
        raise StackError(refused.message) from refused


def _of(years: InForce, name: str) -> InForce:
    found = {key: year for key, year in years.items() if key[0] == name}
    if not found:
        known = sorted({key[0] for key in years})
        raise StackError(f"There is no calendar {name}; there are {', '.join(known)}.")
    return found


def _one(years: InForce, name: str, year: int) -> YearInForce:
    if (name, year) not in years:
        known = [key[1] for key in years]
        raise StackError(f"The calendar {name} has no year {year}: it has {min(known)} to {max(known)}.")
    return years[name, year]


def _shipped(name: str, year: int) -> CalendarYear:
    found = shipped_years().get((name, year))
    if found is None:
        raise StackError(f"No {name} {year} is shipped.")
    return found


def _read(file: Path, name: str, year: int) -> CalendarYear:
    try:
        new = read_year(read_json(file.read_text(encoding="utf-8-sig")))
    except OSError as refused:
        raise StackError(f"{file} cannot be read: {refused.strerror}.") from refused
    except UnicodeDecodeError as refused:
        raise StackError(f"{file} is not a text in UTF-8.") from refused
    except DomainError as refused:
        raise StackError(f"{file}: {refused.message}") from refused
    if (new.name, new.year) != (name, year):
        raise StackError(f"{file} holds {new.name} {new.year}, not {name} {year}.")
    return new


def _check_fit(years: InForce, new: CalendarYear) -> None:
    """The whole calendar must hold with the new year in it."""
    data = {key: year.data for key, year in years.items()} | {(new.name, new.year): new}
    try:
        calendars_of(data.values())
    except DomainError as refused:
        raise StackError(refused.message) from refused


def _tables_of_checkout() -> Path:
    if not (TABLES.parents[3] / "pyproject.toml").exists():
        raise StackError("This is not a checkout; say where to write with --into FOLDER.")
    return TABLES


# --- showing ----------------------------------------------------------------------------------------------------------


def _show_years(name: str, years: InForce) -> None:
    shown = Table("year", "status", "off", "work", "revision", "sha256", "source", title=name)
    for (_, year), found in years.items():
        data = found.data
        days = (str(len(data.off)), str(len(data.work)))
        shown.add_row(str(year), data.status, *days, _revision(found), data.sha256[:12], without_tool(data.source))
    Console().print(shown)


def _show_days(found: YearInForce) -> None:
    data = found.data
    shown = Table("date", "day", "", "name", title=f"{data.name} {data.year}, {data.status}, {_revision(found)}")
    rows = [(day.date, "off", " ".join(filter(None, (day.name_en, day.name_zh)))) for day in data.off]
    rows += [(day, "work", "make-up working day") for day in data.work]
    for day, kind, words in sorted(rows):
        shown.add_row(str(day), _weekday(day), kind, words)
    Console().print(shown)
    weekend = ", ".join(WEEKDAYS[day] for day in sorted(data.weekend)) or "none"
    typer.echo(f"Zone {data.tz}; weekend {weekend}. Source: {data.source}, looked up on {data.retrieved_on}.")
    for line in filter(None, (data.source_url, found.reason and f"Revised by {found.by}: {found.reason}")):
        typer.echo(line)


def _show_changes(before: CalendarYear | None, new: CalendarYear) -> None:
    found, others = changes(before, new), other_changes(before, new)
    if not found and not others:
        typer.echo("Nothing would change.")
        return
    shown = Table("what", "before", "after", "deadlines", title=f"{new.name} {new.year}")
    for change in found:
        moves = "may move" if change.moves_deadlines else "stay" if before else "-"
        shown.add_row(f"{change.date} {_weekday(change.date)}", change.before or "-", change.after or "-", moves)
    for field, old, now in others:
        shown.add_row(field, old or "-", now, "")
    Console().print(shown)


def _show_refreshed(done: list[Refreshed]) -> None:
    for one in done:
        if one.outcome != "unchanged":
            typer.echo(f"{one.name} {one.year}: {one.outcome}, {one.why}")
    same = sum(one.outcome == "unchanged" for one in done)
    if same:
        typer.echo(f"{same} {'year says' if same == 1 else 'years say'} the same as before.")


def _covers(calendar: WorkingCalendar) -> str:
    first, last = calendar.covered_from, calendar.covered_until
    return f"{first.year} to {last.year}" if first and last else "always"


def _revision(found: YearInForce) -> str:
    return f"revision {found.revision}, {found.at:%Y-%m-%d}" if found.at else "as shipped"


def _weekday(day: date) -> str:
    return WEEKDAYS[day.weekday()]
