"""`lian sla what-if`: whom a draft would make late, from the server's own command line (CLM-12)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from infra.embedded.errors import StackError

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from lian.services.context import Context
    from lian.services.pack_schema import Pack
    from lian.services.what_if import WhatIf

SHOWN = 40
BAR = 30
Policy = Annotated[
    Path | None, typer.Option("--policy", metavar="DRAFT.yaml", help="A pack as YAML.", show_default=False)
]
Calendar = Annotated[
    Path | None, typer.Option("--calendar", metavar="DRAFT.json", help="A calendar's year.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: every promise that moves, as the API gives it.")]


def what_if(policy: Policy = None, calendar: Calendar = None, as_json: AsJson = False) -> None:
    """Show what a draft pack or calendar year would do to every open promise; nothing is changed."""
    # Imported here, so that `lian sla check`, which needs no case, does not wait for the services.
    from api.schemas.what_if import WhatIfOut
    from lian.auth.actor import Actor
    from lian.cli import use_running_stack
    from lian.cli.running import with_context
    from lian.services.what_if import LISTED
    from lian.services.what_if import what_if as compare

    if policy is None and calendar is None:
        raise StackError("Name a draft with --policy DRAFT.yaml, --calendar DRAFT.json, or both.")
    pack, year = read_pack_file(policy) if policy else None, _year(calendar)
    console = Actor(id="system:console", name="Command line", roles=("operations",))

    async def work(context: Context) -> tuple[WhatIf, ZoneInfo]:
        limit = None if as_json else LISTED
        return await compare(context, console, policy=pack, calendar=year, limit=limit), context.settings.zone

    use_running_stack()
    found, zone = with_context(work)
    if as_json:
        typer.echo(WhatIfOut.of(found).model_dump_json(indent=2))
        return
    show(found, zone)


def read_pack_file(file: Path) -> Pack:
    """The pack of a file; what is wrong with it becomes one sentence."""
    from lian.services.pack_reading import read_pack
    from lian.services.pack_schema import BadPack

    try:
        return read_pack(read_text(file))
    except BadPack as refused:
        raise StackError(f"{file}: {refused.message}") from refused


def _year(file: Path | None) -> Any:
    from lian.domain.errors import DomainError
    from lian.services.calendar_reading import read_year
    from lian.services.calendars import read_json

    if file is None:
        return None
    try:
        return read_year(read_json(read_text(file)))
    except DomainError as refused:
        raise StackError(f"{file}: {refused.message}") from refused


def read_text(file: Path) -> str:
    """What a file holds; why it cannot be read becomes one sentence."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as refused:
        raise StackError(f"{file} cannot be read: {refused.strerror}.") from refused
    except UnicodeDecodeError as refused:
        raise StackError(f"{file} is not a text in UTF-8.") from refused


# --- showing ----------------------------------------------------------------------------------------------------------


def show(found: WhatIf, zone: ZoneInfo) -> None:
    """Summary, flips and load, for people."""
    from lian.domain.standing import STANDING_LABELS, Standing

    typer.echo(f"{found.clocks:,} open promises of {found.cases:,} cases.")
    typer.echo(f"{found.affected_cases:,} cases would have another plan.")
    table = Table("", *(Column(STANDING_LABELS[one].en, justify="right") for one in Standing))
    table.add_row("as it is", *(f"{found.before[one]:,}" for one in Standing))
    table.add_row("as it would be", *(f"{found.after[one]:,}" for one in Standing))
    table.add_row("become so", *(f"{found.becomes[one]:,}" for one in Standing))
    Console().print(table)
    typer.echo(f"{found.moved:,} fall due at another time: {found.sooner:,} sooner, {found.later:,} later.")
    if found.unknown:
        typer.echo(f"{found.unknown:,} are not in their case's plan and stay as they are.")
    _show_moves(found, zone)
    _show_load(found)


def _show_moves(found: WhatIf, zone: ZoneInfo) -> None:
    from lian.domain.standing import STANDING_LABELS

    if not found.moves:
        return
    table = Table(Column("case", no_wrap=True), "promise", "as it is", "as it would be", "due", "would be due")
    for move in found.moves[:SHOWN]:
        states = (STANDING_LABELS[move.before].en, STANDING_LABELS[move.after].en)
        times = (_moment(move.due_before, zone), _moment(move.due_after, zone))
        table.add_row(move.number, escape(move.label.en), *states, *times)
    Console().print(table)
    if found.listed_of > SHOWN:
        typer.echo(f"... and {found.listed_of - SHOWN:,} more; --json gives all.")


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "-"


def _show_load(found: WhatIf) -> None:
    most = max((max(day.before, day.after) for day in found.load), default=0)
    table = Table("due on", Column("as it is", justify="right"), Column("would be", justify="right"), "")
    for day in found.load:
        if day.before != day.after:
            table.add_row(str(day.day), f"{day.before:,}", f"{day.after:,}", "#" * round(day.after * BAR / most))
    if table.row_count:
        Console().print(table)
