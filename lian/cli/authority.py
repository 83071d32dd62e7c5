"""`lian authority`: who may decide what amount alone, and whether a changed table is sound (CLM-9)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.embedded.errors import StackError
from lian.auth.permissions import ROLE_LABELS
from lian.domain.authority import DECISIONS, HOUSE, TABLES, AuthorityTable, BadTable, ceiling, read_table

app = typer.Typer()
authority = typer.Typer(no_args_is_help=True)
app.add_typer(authority, name="authority", help="Show and check the limits of authority.", rich_help_panel="Data")

Version = Annotated[str, typer.Argument(help=f"One of: {', '.join(TABLES)}.")]
File = Annotated[Path, typer.Argument(help="A table as TOML.", exists=True, dir_okay=False, show_default=False)]


@authority.command()
def show(version: Version = HOUSE.version) -> None:
    """Show a shipped table; without VERSION the one in force."""
    if version not in TABLES:
        raise StackError(f"There is no table {version}; there are {', '.join(TABLES)}.")
    _print(TABLES[version])


@authority.command()
def validate(file: File) -> None:
    """Check a table before it is shipped; exit code 1 with the reason when it contradicts itself."""
    try:
        table = read_table(file.read_text(encoding="utf-8"))
    except (BadTable, UnicodeDecodeError) as refused:
        raise StackError(f"{file}: {refused}") from refused
    _print(table)
    for decision in DECISIONS:
        if not ceiling(decision=decision, table=table):
            typer.echo(f"Nobody may make this decision alone: {decision}.")
    typer.echo(f"{table.version} is sound.")


def _print(table: AuthorityTable) -> None:
    shown = Table("decision", "line", "level", "role", "limit", title=f"{table.version}, from {table.effective_from}")
    for row in sorted(table.rows, key=lambda row: (list(DECISIONS).index(row.decision), row.line, row.level)):
        limit = f"{row.limit:,.2f}"
        shown.add_row(DECISIONS[row.decision].en, row.line or "any", str(row.level), ROLE_LABELS[row.role].en, limit)
    Console().print(shown)
