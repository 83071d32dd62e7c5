"""`lian desk`: where tasks belong, and giving them to people by rules (TSK-3)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.embedded.errors import StackError
from lian.auth.actor import Actor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lian.domain.dealing import DealReason
    from lian.services.context import Context
    from lian.services.desk.dealing import Round
    from lian.services.desk.rerouting import Applied, Failure, Place, Preview
    from lian.services.desk.routing import Routes
    from lian.services.routes import RouteTable

CONSOLE = Actor(id="system:console", name="Command line", roles=("operations", "claims_manager"), queues=("*",))
MOST_SHOWN = 20

app = typer.Typer()
desk = typer.Typer(no_args_is_help=True)
routes = typer.Typer(no_args_is_help=True)
app.add_typer(desk, name="desk", help="Route tasks, and deal them to people.", rich_help_panel="Administration")
desk.add_typer(routes, name="routes", help="The table that says where tasks belong.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="A decision table in JDM (JSON).", show_default=False)]
Draft = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A draft; without one the table in force.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept on record; no names of people.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JDM: change it, and publish it as the next version.")]
Queue = Annotated[str, typer.Argument(metavar="QUEUE", help="A queue, such as claims.review.", show_default=False)]
Limit = Annotated[int, typer.Option("--limit", min=1, max=200, help="How many tasks at most.")]


# --- tables -----------------------------------------------------------------------------------------------------------


@routes.command()
def show(as_json: AsJson = False) -> None:
    """Show the table in force, and which were published."""
    from lian.cli.running import with_context
    from lian.services.desk.rerouting import UNREADABLE
    from lian.services.desk.routing import show_routes

    found = with_context(lambda context: show_routes(context, CONSOLE))
    if found.table is None:
        raise StackError(f"{found.version}: {UNREADABLE}")
    if as_json:
        typer.echo(json.dumps(found.table.body, ensure_ascii=False, indent=2))
        return
    _print_rows(found.table)
    _print_versions(found)


@routes.command()
def validate(file: File) -> None:
    """Check a table before it is published; exit code 1 with the reason when it is wrong."""
    from lian.services.route_reading import read_routes
    from lian.services.routes import BadRoutes

    try:
        table = read_routes(_read(file), version="draft")
    except BadRoutes as refused:
        raise StackError(f"{file}: {refused.message}") from refused
    _print_rows(table)
    typer.echo("The table is sound.")


@routes.command()
def publish(file: File, why: Why) -> None:
    """Publish a table for tasks that are opened from now on; open tasks stay where they are."""
    from lian.cli.running import with_context
    from lian.services.desk.routing import publish_routes

    text = _read(file)
    version = with_context(lambda context: publish_routes(context, CONSOLE, text, why=why))
    typer.echo(f"{version} counts for tasks that are opened from now on. To move open ones: lian desk routes apply.")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise StackError(f"{file} cannot be read as text.") from unreadable


def _print_rows(table: RouteTable) -> None:
    shown = Table("row", "when", "queue", "skills", "green", "raised", title=table.version)
    for row in table.rows:
        when = "\n".join(f"{fact}: {cell}" for fact, cell in row.when.items()) or "always"
        said = row.route
        marks = ("yes" if said.green else "", "yes" if said.raised else "")
        shown.add_row(said.rule, escape(when), said.queue, escape(", ".join(said.skills)), *marks)
    Console().print(shown)


def _print_versions(found: Routes) -> None:
    for row in found.published:
        typer.echo(f"{row.version}, {row.published_at:%Y-%m-%d %H:%M} UTC, {row.published_by}: {row.why}")


# --- moving open tasks ------------------------------------------------------------------------------------------------


@routes.command()
def preview(file: Draft = None) -> None:
    """Show which open tasks would move, by the table in force or by a draft; nothing is changed."""
    from lian.cli.running import with_context
    from lian.services.desk.rerouting import preview_routes

    draft = _read(file) if file else ""
    _print_preview(with_context(lambda context: preview_routes(context, CONSOLE, draft)))


@routes.command()
def apply(yes: Yes = False) -> None:
    """Put open tasks where the table in force says; what would move is shown first."""
    from lian.cli.running import with_context
    from lian.services.desk.rerouting import preview_routes

    seen = with_context(lambda context: preview_routes(context, CONSOLE))
    _print_preview(seen)
    if not seen.changed:
        return
    if not yes and not typer.confirm(f"Move {seen.changed:,} tasks?"):
        raise StackError("Nothing was changed.")
    rounds = with_context(lambda context: _apply_all(context, seen.token))
    moved, released = sum(each.moved for each in rounds), sum(each.released for each in rounds)
    failures = [failure for each in rounds for failure in each.failures]
    _print_failures(failures)
    typer.echo(f"{moved:,} tasks were moved, {released:,} of them lost their holder, {len(failures):,} failed.")
    if failures:
        raise typer.Exit(1)


async def _apply_all(context: Context, token: str) -> list[Applied]:
    """Call after call, until all is done."""
    from lian.services.desk.rerouting import apply_routes

    rounds: list[Applied] = []
    after: Place | None = None
    while not rounds or after is not None:
        rounds.append(await apply_routes(context, CONSOLE, token=token, after=after))
        after = rounds[-1].after
    return rounds


def _print_preview(seen: Preview) -> None:
    typer.echo(f"{seen.version}: {seen.changed:,} of {seen.open_tasks:,} open tasks would move or change.")
    shown = Table("from", "to", "tasks")
    for (before, after), n in sorted(seen.moves.items()):
        shown.add_row(before, after if after != before else "stays, with other skills or priority", f"{n:,}")
    if shown.row_count:
        Console().print(shown)
    for move in seen.listed[:MOST_SHOWN]:
        typer.echo(
            f"{move.number} {move.kind}: {move.before.queue} -> {move.after.queue} ({move.after.rule or 'none'})"
        )
    if seen.losing_holder:
        typer.echo(f"{seen.losing_holder:,} would lose their holder, who lacks a licence.")
    _print_failures(seen.failures)


def _print_failures(failures: list[Failure]) -> None:
    for failure in failures[:MOST_SHOWN]:
        typer.echo(f"failed: {failure.number or '-'} task {failure.task_id}: {failure.why}")


# --- dealing ----------------------------------------------------------------------------------------------------------


@desk.command()
def deal(queue: Queue, limit: Limit = 50) -> None:
    """Give the most urgent free tasks of a queue to people, by skill, load and who knows the case."""
    from lian.cli.running import with_context
    from lian.domain.dealing import DEAL_RULES
    from lian.services.desk.dealing import deal as deal_queue
    from lian.services.names import names_of

    async def work(context: Context) -> tuple[Round, dict[str, str]]:
        done = await deal_queue(context, CONSOLE, queue, limit=limit)
        return done, await names_of(context, {each.choice.chosen.who for each in done.dealt})

    done, names = with_context(work)
    for each in done.dealt:
        who = names[each.choice.chosen.who]
        typer.echo(f"{each.found.case.number} {each.found.task.kind}: {who} ({DEAL_RULES[each.choice.rule].en})")
    for left in done.not_dealt:
        typer.echo(f"{left.found.case.number} {left.found.task.kind}: nobody ({_reasons(left.reasons)})")
    for needs, reasons in done.unmet.items():
        typer.echo(f"{needs}: nobody ({_reasons(reasons)})")
    typer.echo(f"{len(done.dealt):,} tasks were dealt.")


def _reasons(reasons: Mapping[DealReason, int]) -> str:
    from lian.domain.dealing import DEAL_REASONS

    return ", ".join(f"{n}: {DEAL_REASONS[reason].en}" for reason, n in reasons.items()) or "work of no role here"
