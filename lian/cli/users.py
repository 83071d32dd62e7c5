"""`lian users`: staff accounts, from the server's own command line."""

from __future__ import annotations

import sys
from datetime import date
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.embedded.errors import StackError
from lian.auth.actor import Actor
from lian.auth.permissions import ROLE_LABELS
from lian.cli.running import with_context
from lian.db.tables import Staff
from lian.services.accounts import RESET_LIVES, NewStaff, create_staff, issue_reset, list_staff, reset_password
from lian.services.context import Context
from lian.services.staffing import Staffing, set_staffing

CONSOLE = Actor(id="system:console", name="Command line", roles=("administrator",))
STAFF_ROLES = ", ".join(sorted(ROLE_LABELS.keys() - {"customer"}))

app = typer.Typer()
users = typer.Typer(no_args_is_help=True)
app.add_typer(users, name="users", help="Create, list and reset staff accounts.", rich_help_panel="Administration")

UserName = Annotated[str, typer.Argument(help="The name to sign in with.", show_default=False)]
Name = Annotated[str, typer.Option("--name", help="The person's name; default: the user name.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help=f"Once or more. One of: {STAFF_ROLES}.")]
Team = Annotated[str | None, typer.Option("--team", help="Code of their team; empty for none.")]
Skills = Annotated[
    list[str] | None,
    typer.Option("--skill", metavar="CODE[=LAST DAY]", help="Such as licence:survey=2027-12-31; once or more."),
]
Without = Annotated[list[str] | None, typer.Option("--without", metavar="CODE", help="A skill they have no longer.")]
Capacity = Annotated[
    int | None, typer.Option("--capacity", help="How many tasks rules give them at most; 0: the house's own figure.")
]
AsCustomer = Annotated[
    str | None, typer.Option("--person", metavar="REFERENCE", help="Who they are as a customer; empty for nobody.")
]
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
    table = Table("user", "name", "roles", "queues", "team", "skills", "active")
    for staff in with_context(lambda context: list_staff(context, CONSOLE)):
        queues = "all" if "*" in staff.queues else ", ".join(staff.queues)
        active = "yes" if staff.active else "no"
        shown = (staff.username, staff.name, ", ".join(staff.roles), queues, staff.team, _skills_of(staff), active)
        table.add_row(*map(escape, shown))
    Console().print(table)


@users.command("set")
def change(
    username: UserName,
    team: Team = None,
    skill: Skills = None,
    without: Without = None,
    capacity: Capacity = None,
    person: AsCustomer = None,
) -> None:
    """Say which team somebody is in, what they are licensed for, and how much they can take."""
    added = dict(map(_skill, skill or []))

    async def work(context: Context) -> Staff:
        known = _known_skills(await list_staff(context, CONSOLE), username)
        skills = {code: until for code, until in (known | added).items() if code not in (without or [])}
        given = Staffing(team=team, skills=skills, capacity=capacity, person=person)
        return await set_staffing(context, CONSOLE, username, given)

    staff = with_context(work)
    capacity_words = str(staff.capacity) if staff.capacity else "as many tasks as the house allows"
    typer.echo(f"{username}: team {staff.team or '-'}, {_skills_of(staff) or 'no skills'}, takes {capacity_words}.")


def _skill(written: str) -> tuple[str, date | None]:
    code, _, day = written.partition("=")
    try:
        return code, date.fromisoformat(day) if day else None
    except ValueError:
        raise StackError(f"{day!r} is no date; write one such as 2027-12-31.") from None


def _known_skills(staff: list[Staff], username: str) -> dict[str, date | None]:
    skills = next((each.skills for each in staff if each.username == username), {})
    return {code: date.fromisoformat(until) if until else None for code, until in skills.items()}


def _skills_of(staff: Staff) -> str:
    return ", ".join(f"{code} until {until}" if until else code for code, until in sorted(staff.skills.items()))


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
