"""Commands for the embedded stack of this folder: up, down, status, test."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from infra.embedded import stack
from infra.embedded.application import LIAN, Application
from infra.embedded.errors import StackError
from infra.embedded.home import Home
from infra.embedded.state import StackState

PANEL = "The stack on this machine"
CHECKOUT = Path(__file__).resolve().parents[2]
NOT_READY, NOT_RUNNING = 4, 3
SPREAD = ("-n", "3", "--dist", "loadscope", "--no-loadscope-reorder")
"""Three test processes share one set of servers: tests also wait, and two cores would stand idle meanwhile.

Tests of one module stay together for its fixtures' sake. Modules keep the order of `tests/conftest.py`, where the
longest come first, rather than that of their number of tests.
"""

app = typer.Typer()

Port = Annotated[int | None, typer.Option(min=1024, max=65535, help="Port of the web process, remembered.")]
Demo = Annotated[bool, typer.Option("--demo", help="Fill it with a lively data set and print the sign-ins.")]
Detach = Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready; stop with `lian down`.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the status as JSON.")]


@app.command(rich_help_panel=PANEL)
def up(port: Port = None, demo: Demo = False, detach: Detach = False) -> None:
    """Start servers, worker and web process; Ctrl-C stops them."""
    home = Home.at()
    home.prepare()
    say = _speaker(home)
    detached = "LIAN_DETACHED" in os.environ  # we are the supervisor that an `up --detach` left behind
    request = stack.Request(
        home=home, application=Application(version=product_version()), say=say, port=port, demo=demo
    )
    if detach:
        state = stack.up_detached(request)
        _print_addresses(state)
        asyncio.run(_fill(state, wanted=demo))
        return
    request.after = None if detached else _after_start(demo)
    stack.up(request)


@app.command(rich_help_panel=PANEL)
def down() -> None:
    """Stop the stack of this folder; returns when it is gone."""
    home = Home.at()
    if not home.root.exists() or not stack.down(home, typer.echo):
        typer.echo(f"Nothing is running in {home.root}.")


@app.command(rich_help_panel=PANEL)
def status(as_json: AsJson = False) -> None:
    """Show addresses, processes and memory (--json for programs).

    Exit code 0 when ready, 3 when not running, 4 in between.
    """
    found = stack.status(Home.at())
    if as_json:
        typer.echo(json.dumps(stack.as_json(found), indent=2))
    else:
        _print_status(found)
    if not found.ready:
        raise typer.Exit(NOT_RUNNING if found.phase == "stopped" else NOT_READY)


@app.command(
    rich_help_panel="Development",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,
)
def test(context: typer.Context) -> None:
    """Run all tests against real servers; arguments go to pytest."""
    if not (CHECKOUT / "tests").is_dir():
        raise StackError("`lian test` needs a checkout of the project; this installation has no tests.")
    os.chdir(CHECKOUT)
    spread = () if any(word.startswith(("-n", "--numprocesses", "--pdb")) for word in context.args) else SPREAD
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *spread, *context.args])


def product_version() -> str:
    """Version of the installed package, or of the checkout that runs in place."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lian")
    except PackageNotFoundError:
        import tomllib

        return str(tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _speaker(home: Home) -> Callable[[str], None]:
    """Say it to the person, and keep it with its time in `logs/stack.log`."""
    log = home.log("stack")

    def say(sentence: str) -> None:
        with suppress(OSError):  # the terminal may be gone; the stack is not
            print(sentence, flush=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {sentence}\n")

    return say


def _after_start(demo: bool) -> stack.AfterStart:
    async def after(state: StackState) -> None:
        _print_addresses(state)
        await _fill(state, wanted=demo)
        print("Press Ctrl-C to stop.", flush=True)

    return after


async def _fill(state: StackState, *, wanted: bool) -> None:
    """Run `lian demo` against the stack, printing what it prints."""
    from lian.cli import is_registered

    if not wanted:
        return
    if not state.demo:
        raise StackError("This stack was started without --demo; stop it and start it with --demo to fill it.")
    if not is_registered("demo"):
        print("This version has no demo data set.")
        return
    process = await asyncio.create_subprocess_exec(*LIAN, "demo", env={**os.environ, **state.environment})
    if await process.wait() != 0:
        print("The demo data set could not be filled in; the stack itself runs.", file=sys.stderr)


def _print_addresses(state: StackState) -> None:
    print(f"\n  Web       {state.web}\n  API       {state.api}  (description: {state.api}/docs)")
    print(f"  Temporal  {state.temporal_ui}\n", flush=True)


def _print_status(found: stack.StackStatus) -> None:
    if found.phase == "stopped":
        typer.echo(f"Lian is not running in {found.home}; start it with: lian up")
        return
    typer.echo(
        f"Lian {found.version} is {'ready' if found.ready else found.phase + ', not ready'} since {found.started_at}"
    )
    typer.echo(f"Web {found.web}   API {found.api}   Temporal {found.temporal_ui}\n")
    typer.echo(f"{'process':<14}{'pid':>8}{'memory':>11}  {'version':<10}{'state':<10}restarts")
    for process in found.processes:
        size = f"{process.memory_mb:.0f} MB"
        typer.echo(
            f"{process.name:<14}{process.pid:>8}{size:>11}  {process.version:<10}{process.state:<10}{process.restarts}"
        )
    total = f"{found.memory_mb:.0f} MB"
    typer.echo(f"{'together':<22}{total:>11}  (each shared page counted once)")
