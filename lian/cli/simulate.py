"""`lian simulate` and `lian demo`: robots at work on a running installation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Annotated

import typer
from rich.cells import set_cell_size
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from infra.embedded.errors import StackError
from infra.embedded.home import Home
from infra.embedded.state import read_state
from infra.simulator.accounts import hire
from infra.simulator.bank import Bank
from infra.simulator.client import Api, Away, Refused
from infra.simulator.costs import Spread
from infra.simulator.demo import Sight, fill
from infra.simulator.demo_data import CAST, PASSWORD
from infra.simulator.office import Office, Stuck, View
from infra.simulator.report import Report, gather_report
from infra.simulator.staff import FEWEST, cast
from lian.auth.permissions import ROLE_LABELS
from lian.cli.running import settings_in_use, with_context
from lian.services.context import Context

PANEL = "Data"
WRONG = 1
DEMO_PATIENCE = 60.0

app = typer.Typer()

Staff = Annotated[int, typer.Option(min=FEWEST, max=100, help="How many robots work.")]
UntilClosed = Annotated[
    bool,
    typer.Option("--until-closed", help="End when nothing more happens and check everything; else go on until Ctrl-C."),
]
Seed = Annotated[int, typer.Option(help="Another seed makes other choices.")]
Url = Annotated[str, typer.Option(help="Address of the API; default: the stack of this folder.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


@app.command(rich_help_panel=PANEL)
def simulate(
    staff: Staff = 12, until_closed: UntilClosed = False, seed: Seed = 1, url: Url = "", as_json: AsJson = False
) -> None:
    """Let robot staff and customers work all open cases through the public API; check the result."""
    console = Console(stderr=True)
    address = url or api_address()

    async def work(context: Context) -> Report:
        accounts = await hire(context, cast(staff))
        async with Api(address) as api:
            with _progress(console, api) as shown:
                office = Office(api, accounts, Bank(context.store, seed), seed, shown)
                seconds = await office.work(until_closed=until_closed)
            console.print("All cases are closed; checking them, their histories and the journal ...", highlight=False)
            return await gather_report(context, office, seconds)

    try:
        report = with_context(work)
    except (Stuck, Away, Refused) as failed:
        raise StackError(str(failed)) from failed
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        _print(report)
    if not report.is_right:
        raise typer.Exit(WRONG)


@app.command(rich_help_panel=PANEL)
def demo() -> None:
    """Fill a demo stack with a lively set of claims and print the sign-ins; does nothing twice."""
    if not settings_in_use().demo:
        raise StackError("The demo data set is only for a demo stack; start one with: lian up --demo")

    async def work(context: Context) -> Sight:
        async with Api(api_address(), patience=DEMO_PATIENCE) as api:
            return await fill(context, api)

    try:
        sight = with_context(work)
    except (Away, Refused) as failed:
        raise StackError(str(failed)) from failed
    _print_demo(sight)


def _print_demo(sight: Sight) -> None:
    told = f"{sight.new} claims were made" if sight.new else "The demo claims are there already; nothing was added"
    typer.echo(f"{told}. Sign in as (password of all: {PASSWORD}):\n")
    for username, name, role in CAST:
        typer.echo(f"  {username:<8}{set_cell_size(name, 24)}{ROLE_LABELS[role].en}")
    typer.echo("\nAs a customer, with the case's number and a code (user sun finds it among the notices):\n")
    typer.echo(f"  {sight.waiting}  waits for documents\n  {sight.paid}  was paid")
    for each in sight.not_finished:
        typer.echo(f"Not moved as far as meant: {each}", err=True)


def api_address() -> str:
    """Where the API of the running stack is."""
    state = read_state(Home.at())
    if state is not None:
        return state.api
    settings = settings_in_use()
    return f"{settings.public_url or f'http://{settings.web_host}:{settings.web_port}'}/api/v1"


@contextmanager
def _progress(console: Console, api: Api) -> Iterator[Callable[[View], None]]:
    """Open and closed cases, and how fast commands take effect."""
    columns = (TextColumn("{task.fields[told]}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("cases", total=None, told="Signing in ...")
        then, done = monotonic(), 0

        def shown(view: View) -> None:
            nonlocal then, done
            now, commands = monotonic(), api.tally.done
            rate = (commands - done) / (now - then) if now > then else 0.0
            then, done = now, commands
            closed = ", ".join(f"{count} {outcome}" for outcome, count in sorted(view.outcomes.items()))
            told = f"{view.open} of {view.total} open ({closed or 'none closed'}), {rate:.1f} commands/s"
            progress.update(bar, total=view.total, completed=view.total - view.open, told=told)

        yield shown


def _print(report: Report) -> None:
    ended = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.items()) or "none"
    kinds = ", ".join(f"{count} {what}" for what, count in report.commands.items())
    bank = (
        f"{report.bank_accepted} transfers executed, {report.bank_rejected} refused, {report.bank_returned} sent back"
    )
    speed = f"{report.commands_a_second:.1f} a second ({kinds})"
    on_time = f"{report.on_time.met} promises met, {report.on_time.late} late"
    lines = [
        f"Cases closed: {report.cases} ({ended}); {report.worked} of them in this run",
        f"Reported twice on purpose: {_or_none(report.duplicates)}",
        "Cases by branch:",
        *(f"  {count:>5} {branch}" for branch, count in report.branches.items()),
        f"Of their own accord: {_or_none(report.own_accord)}",
        f"On time: {report.on_time.rate:.1%} ({on_time})",
        f"Time: {report.seconds:.0f} s, {sum(report.commands.values())} commands, {speed}",
        f"Repeated after an outage: {report.retries}; refused: {_or_none(report.refusals)}",
        f"Transfers: {bank}",
        f"Temporal actions per case: {_spread(report.actions)}",
        f"History events per case: {_spread(report.events)}",
        f"Journal verify: {report.journal_events} events, {len(report.damages) or 'no'} damaged",
        f"Journal rebuild --check: {len(report.differences) or 'no'} differences",
        f"Checks of each case: {len(report.problems) or 'no'} problems",
        *(f"  {each}" for each in (*report.damages, *report.differences, *report.problems)),
    ]
    for line in lines:
        typer.echo(line)


def _or_none(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items()) or "none"


def _spread(found: Spread) -> str:
    return f"median {found.median}, 95 % up to {found.p95}, most {found.most}"
