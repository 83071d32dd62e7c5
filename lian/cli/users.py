"""`lian users`: staff accounts, from the server's own command line."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lian.auth.actor import Actor
from lian.auth.permissions import ROLE_LABELS
from lian.cli.running import with_context
from lian.services.accounts import RESET_LIVES, NewStaff, create_staff, issue_reset, list_staff, reset_password

CONSOLE = Actor(id="system:console", name="Command line", roles=("administrator",))
STAFF_ROLES = ", ".join(sorted(ROLE_LABELS.keys() - {"customer"}))

app = typer.Typer()
users = typer.Typer(no_args_is_help=True)
app.add_typer(users, name="users", help="Create, list and reset staff accounts.", rich_help_panel="Administration")

UserName = Annotated[str, typer.Argument(help="The name to sign in with.", show_default=False)]
Name = Annotated[str, typer.Option("--name", help="The person's name; default: the user name.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help=f"Once or more. One of: {STAFF_ROLES}.")]
Queues = Annotated[list[str] | None, typer.Option("--queue", help="Once or more; default: all queues.")]


@users.command()
def create(username: UserName, name: Name = "", role: Roles = None, queue: Queues = None) -> None:
    """Create an account; the password is asked for, or read from standard input."""
    password = _new_password()
    new = NewStaff(
        username=username,
        name=name or username,
        password=password,
        roles=role or ["administrator"],
        queues=queue or [],
    )
    with_context(lambda context: create_staff(context, None, new))
    typer.echo(f"{username} can sign in now ({', '.join(new.roles)}).")


@users.command("list")
def list_all() -> None:
    """Show all accounts."""
    table = Table("user", "name", "roles", "queues", "active")
    for staff in with_context(lambda context: list_staff(context, CONSOLE)):
        queues = "all" if "*" in staff.queues else ", ".join(staff.queues)
        table.add_row(staff.username, staff.name, ", ".join(staff.roles), queues, "yes" if staff.active else "no")
    Console().print(table)


@users.command()
def reset(
    username: UserName,
    now: Annotated[bool, typer.Option("--now", help="Set a new password here instead of giving out a token.")] = False,
) -> None:
    """Give out a one-time token with which somebody sets a new password."""
    password = _new_password() if now else ""
    token = with_context(lambda context: issue_reset(context, None, username))
    if now:
        with_context(lambda context: reset_password(context, token, password))
        typer.echo(f"{username} has a new password; every session of theirs has ended.")
        return
    minutes = int(RESET_LIVES.total_seconds() // 60)
    typer.echo(f"Token for {username}, valid once and for {minutes} minutes:\n{token}")


def _new_password() -> str:
    """Asked for twice by a terminal, read as one line from anything else; never an argument others could see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
