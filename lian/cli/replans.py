"""`lian calendars apply`, `lian packs publish` and `lian packs recompute`: looked at first, then confirmed (CLM-12)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.embedded.errors import StackError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from lian.auth.actor import Actor
    from lian.db.tables import ReplanOperation
    from lian.services.context import Context
    from lian.services.pack_schema import Pack
    from lian.services.replanning import Preview

CalendarName = Annotated[str, typer.Argument(metavar="NAME", help="A calendar, such as CN.", show_default=False)]
PackName = Annotated[str, typer.Argument(metavar="PACK", help="A pack, such as cn-claims.", show_default=False)]
Draft = Annotated[Path, typer.Argument(metavar="FILE", help="A pack as YAML.", show_default=False)]
From = Annotated[str, typer.Option("--from", metavar="DATE", help="First day of receipt for which it counts.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept on record; no names of people.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def apply(name: CalendarName, why: Why, yes: Yes = False) -> None:
    """Put every open case under a calendar as it is in force now; what would move is shown first."""
    from lian.services.replanning import apply_calendar, preview_calendar

    _previewed(
        lambda context, actor: preview_calendar(context, actor, name),
        lambda context, actor, token: apply_calendar(context, actor, name, why=why, token=token),
        yes=yes,
    )


def recompute(name: PackName, why: Why, yes: Yes = False) -> None:
    """Put every open case under the version of a pack in force today; who would be late is shown first."""
    from lian.services.replanning import preview_pack
    from lian.services.replanning import recompute as order

    _previewed(
        lambda context, actor: preview_pack(context, actor, name),
        lambda context, actor, token: order(context, actor, name, why=why, token=token),
        yes=yes,
    )


def publish(file: Draft, since: From, why: Why, yes: Yes = False) -> None:
    """Publish a pack's next version for cases received from DATE on; cases that run keep what they have."""
    from lian.cli.running import with_context
    from lian.cli.sla_what_if import read_pack_file, read_text
    from lian.services.replanning import publish_pack

    pack, day = read_pack_file(file), _day(since)
    latest = with_context(lambda context: _latest(context, pack.id))
    _show_pack(pack, latest, day)
    _confirm("Publish it?", yes=yes)
    text = read_text(file)
    version = with_context(lambda context: publish_pack(context, _console(), text, effective_from=day, why=why))
    typer.echo(f"{version} counts for cases received from {day} on. To put open cases under it: lian packs recompute.")


def _console() -> Actor:
    from lian.auth.actor import Actor

    return Actor(id="system:console", name="Command line", roles=("operations",))


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise StackError(f"{written!r} is no date; write one such as 2027-01-01.") from None


def _confirm(question: str, *, yes: bool) -> None:
    if not yes and not typer.confirm(question):
        raise StackError("Nothing was changed.")


# --- looking, then applying -------------------------------------------------------------------------------------------


def _previewed(
    look: Callable[[Context, Actor], Awaitable[Preview]],
    order: Callable[[Context, Actor, str], Awaitable[ReplanOperation]],
    *,
    yes: bool,
) -> None:
    from lian.cli.running import with_context
    from lian.cli.sla_what_if import show

    async def preview(context: Context) -> tuple[Preview, ZoneInfo]:
        return await look(context, _console()), context.settings.zone

    seen, zone = with_context(preview)
    if seen.changes_nothing:
        typer.echo(f"Every open case runs under {seen.name} {seen.version} already.")
        return
    typer.echo(f"{seen.name}, version {seen.version}")
    show(seen.result, zone)
    if seen.undecided:
        typer.echo(f"{seen.undecided:,} cases have stopped promises that only this calendar can judge.")
    _confirm(f"Apply it to {seen.result.affected_cases:,} open cases?", yes=yes)
    done = with_context(lambda context: order(context, _console(), seen.token))
    typer.echo(f"Operation {done.id}: {done.cases:,} open cases are told, one after the other.")


# --- a pack to be published -------------------------------------------------------------------------------------------


async def _latest(context: Context, pack: str) -> Pack | None:
    from lian.services.packs import every_version

    async with context.transaction() as session:
        versions = [found for found in await every_version(session) if found.id == pack]
    return max(versions, key=lambda found: found.number, default=None)


def _show_pack(pack: Pack, latest: Pack | None, day: date) -> None:
    typer.echo(f"{pack.version} for cases received from {day} on, after {latest.version if latest else 'none'}:")
    before = {clock.id: clock for clock in latest.clocks} if latest else {}
    table = Table("clock", "before", "after")
    after = {clock.id: clock for clock in pack.clocks}
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            table.add_row(escape(name), *(_figure(clocks.get(name)) for clocks in (before, after)))
    if table.row_count:
        Console().print(table)
    else:
        typer.echo("No clock differs.")
    typer.echo("Cases that run keep what they were promised.")


def _figure(clock: object) -> str:
    from lian.services.pack_schema import ClockText

    if not isinstance(clock, ClockText):
        return "-"
    return f"{clock.amount} {clock.unit.value.replace('_', ' ')}, {clock.starts_on} -> {' | '.join(clock.stops_on)}"
