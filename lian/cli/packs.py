"""`lian packs`: the policy packs with their sources, and whether a draft is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from infra.embedded.errors import StackError
from lian.cli.replans import publish, recompute
from lian.domain.sla import Roll, Unit
from lian.services.calendars import shipped as shipped_calendars
from lian.services.pack_reading import read_pack
from lian.services.pack_schema import CHECK_WITH_COUNSEL, PURPOSES, BadPack, ClockText, Pack, Purpose

app = typer.Typer()
packs = typer.Typer(no_args_is_help=True)
app.add_typer(packs, name="packs", help="Show and check the policy packs.", rich_help_panel="Data")

Published = Annotated[
    bool, typer.Option("--published", help="Also those published in the installation this folder runs.")
]
Name = Annotated[str, typer.Argument(metavar="PACK", help="A pack, such as cn-claims.", show_default=False)]
Version = Annotated[
    int | None, typer.Option("--version", min=1, help="Its number; without it the latest one.", show_default=False)
]
File = Annotated[Path, typer.Argument(help="A pack as YAML.", exists=True, dir_okay=False, show_default=False)]
Also = Annotated[
    list[str] | None, typer.Option("--calendar", help="A calendar that is not shipped but will be there; repeatable.")
]


@packs.command("list")
def list_all(published: Published = False) -> None:
    """List the packs: for whom, from when, and how sure their figures are."""
    shown = Table(Column("pack", no_wrap=True), "title", "where", "kinds of case", "from", "figures", "to be checked")
    for pack in _versions(published):
        kinds = sorted({kind for clock in pack.clocks for kind in pack.kinds_of(clock)})
        open_ones = sum(pack.confidence_of(clock) == "secondary" for clock in pack.clocks)
        shown.add_row(
            pack.version,
            escape(pack.title.en),
            pack.jurisdiction or "anywhere",
            ", ".join(kinds),
            _days(pack),
            str(len(pack.clocks)),
            str(open_ones) if open_ones else "-",
        )
    _print(shown)


@packs.command()
def show(name: Name, version: Version = None, published: Published = False) -> None:
    """Show a pack: each figure with its source, when it was verified, and how sure it is."""
    pack = _one(name, version, published)
    _print_pack(pack)


@packs.command()
def validate(file: File, calendar: Also = None) -> None:
    """Check a draft before it is published; exit code 1 with the reason when it is wrong."""
    from lian.services.packs import check_calendars

    try:
        pack = read_pack(file.read_text(encoding="utf-8"))
        check_calendars(pack, {*shipped_calendars(), *(calendar or ())})
    except (BadPack, UnicodeDecodeError) as refused:
        raise StackError(f"{file}: {refused}") from refused
    _print_pack(pack)
    typer.echo(f"{pack.version} is sound.")


for command in (publish, recompute):
    packs.command()(command)


# --- which ------------------------------------------------------------------------------------------------------------


def _versions(published: bool) -> tuple[Pack, ...]:
    from lian.services.packs import every_version, shipped

    if not published:
        return shipped()
    from lian.cli.running import with_context
    from lian.services.context import Context

    async def read(context: Context) -> tuple[Pack, ...]:
        async with context.transaction() as session:
            return await every_version(session)

    return with_context(read)


def _one(name: str, version: int | None, published: bool) -> Pack:
    there = _versions(published)
    found = {pack.number: pack for pack in there if pack.id == name}
    if not found:
        raise StackError(f"There is no pack {name}; there are {', '.join(sorted({pack.id for pack in there}))}.")
    if version is not None and version not in found:
        raise StackError(f"There is no version {version} of {name}; there is {', '.join(map(str, sorted(found)))}.")
    return found[version or max(found)]


# --- tables -----------------------------------------------------------------------------------------------------------


def _print_pack(pack: Pack) -> None:
    title = f"{pack.version}  {pack.title.en} ({pack.title.zh}), {pack.jurisdiction or 'anywhere'}, from {_days(pack)}"
    source = Column("source", overflow="fold", ratio=3)
    shown = Table(Column("clock", no_wrap=True), Column("time", ratio=2), source, title=escape(title), expand=True)
    for clock in pack.clocks:
        shown.add_row(
            clock.id.removeprefix(f"{pack.id}."), _time(pack, clock), escape(_source(pack, clock)), end_section=True
        )
    _print(shown)
    if pack.note:
        typer.echo(pack.note)


def _time(pack: Pack, clock: ClockText) -> str:
    """The figure, what it runs from and to, and everything that decides for which cases and in which days."""
    said = [
        f"{clock.amount} {clock.unit.value.replace('_', ' ')} ({_counted_in(pack, clock)})",
        f"{clock.starts_on} -> {' | '.join(clock.stops_on)}",
        PURPOSES[clock.purpose].en if clock.purpose is not Purpose.PROMISE else "",
        f"only if graded {clock.grade}" if clock.grade else "",
        f"only {', '.join(clock.lines)}" if clock.lines else "",
        f"not {', '.join(clock.except_lines)}" if clock.except_lines else "",
        f"waits for {', '.join(clock.pause_reasons)}" if clock.pausable else "",
        *(f"may be extended by {extension.amount}: {extension.source}" for extension in clock.extensions),
    ]
    return "\n".join(filter(None, said))


def _counted_in(pack: Pack, clock: ClockText) -> str:
    name = pack.calendar_of(clock)
    if clock.unit is Unit.HOURS and not name:
        return "day and night"
    rolls = ", moves to the next working day" if (clock.roll or pack.roll) is Roll.FOLLOWING else ""
    return f"{name or 'office calendar'}{rolls}"


def _source(pack: Pack, clock: ClockText) -> str:
    mark = CHECK_WITH_COUNSEL.en.upper() if pack.confidence_of(clock) == "secondary" else "verified"
    said = [clock.source, f"{mark}, {pack.verified_on_of(clock)}", pack.url_of(clock), pack.why_no_url(clock)]
    return "\n".join(filter(None, [*said, clock.note]))


def _days(pack: Pack) -> str:
    return f"{pack.effective_from}{f' to {pack.effective_to}' if pack.effective_to else ''}"


def _print(table: Table) -> None:
    Console().print(table)
