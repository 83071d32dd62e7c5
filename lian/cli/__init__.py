"""The command `lian`.

Each sub-module has a typer `app` with its commands (a group such as `users` is added to that app with `add_typer`).
A module is imported when one of its commands is run, so that `lian status` does not wait for the whole product.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

COMMANDS = {
    "up": "stack",
    "down": "stack",
    "status": "stack",
    "test": "stack",
    "migrate": "serve",
    "worker": "serve",
    "web": "serve",
    "users": "users",
    "import": "imports",
    "simulate": "simulate",
    "demo": "simulate",
    "journal": "journal",
    "authority": "authority",
    "report": "report",
    "calendars": "calendars",
    "packs": "packs",
    "sla": "sla",
    "desk": "desk",
    "bench": "bench",
}
"""Command to the module of `lian.cli` that has it; one that does not exist yet is left out."""

WITHOUT_STACK = {"up", "down", "status", "test", "worker", "web", "migrate", "sla", "bench"}
"""Commands that make or are the stack, or need none; the others find a running one by themselves."""


def is_registered(name: str) -> bool:
    """Whether `lian NAME` exists; the answer imports no more than that command's module."""
    return _load(name) is not None


class LazyCommands(TyperGroup):
    """Lists commands from `COMMANDS` and imports the one that is run."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the table, which is the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, or None for an unknown one (typer then answers in one sentence)."""
        return _load(cmd_name)


app = typer.Typer(
    name="lian",
    cls=LazyCommands,
    help="Lian (立案): durable case management for insurers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _before_each(context: typer.Context) -> None:
    if context.invoked_subcommand not in WITHOUT_STACK:
        use_running_stack()


def use_running_stack() -> None:
    """Point the `LIAN_*` settings at the stack that runs in this folder, unless they name a database already."""
    from infra.embedded.home import Home
    from infra.embedded.state import read_state

    if os.environ.get("LIAN_DATABASE_URL") or os.environ.get("LIAN_DATABASE_URL_FILE"):
        return
    state = read_state(Home.at())
    for name, value in (state.environment if state else {}).items():
        os.environ.setdefault(name, value)


def main() -> None:
    """Entry point of the console script; a refusal is one sentence on stderr and exit code 1."""
    from infra.embedded.errors import StackError

    try:
        app()
    except StackError as error:
        sys.exit(str(error))


def _load(name: str) -> Any:
    module = COMMANDS.get(name)
    if module is None or find_spec(f"{__name__}.{module}") is None:
        return None
    return get_group(import_module(f"{__name__}.{module}").app).commands.get(name)
