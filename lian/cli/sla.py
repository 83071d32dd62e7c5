"""`lian sla`: what a promise comes to, worked out without a case or a database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from infra.embedded.errors import StackError
from lian.cli.sla_certify import certify, public_key, verify
from lian.cli.sla_explain import explain
from lian.cli.sla_what_if import what_if
from lian.domain.errors import DomainError
from lian.services.sla_check import check_file

app = typer.Typer()
sla = typer.Typer(no_args_is_help=True)
app.add_typer(sla, name="sla", help="Work out deadlines.", rich_help_panel="Data")

File = Annotated[Path, typer.Argument(metavar="FILE.json", help="Cases, and calendars of their own if need be.")]


@sla.callback()
def _group() -> None:
    """Work out deadlines."""


sla.command()(explain)
sla.command("what-if")(what_if)
for command in (certify, verify, public_key):
    sla.command()(command)


@sla.command()
def check(file: File) -> None:
    """Print for each case of FILE one line of JSON: due, due_date, warn75, or the error that leaves them unknown."""
    try:
        answers = check_file(file.read_text(encoding="utf-8-sig"))
    except OSError as refused:
        raise StackError(f"{file} cannot be read: {refused.strerror}.") from refused
    except UnicodeDecodeError as refused:
        raise StackError(f"{file} is not a text in UTF-8.") from refused
    except DomainError as refused:
        raise StackError(f"{file}: {refused.message}") from refused
    for answer in answers:
        typer.echo(json.dumps(answer.as_json()))
