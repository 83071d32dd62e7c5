"""`lian journal`: prove that the record is whole, and that every page reads what it says (SEC-3)."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlmodel import col, select

from lian.cli.running import with_context
from lian.db import journal as records
from lian.db.balance import unbalanced
from lian.db.tables import Case
from lian.services.context import Context
from lian.services.rewriting import rebuild_all
from lian.services.search_words import wrong_words

BAD = 1
SHOWN = 50

app = typer.Typer()
journal = typer.Typer(no_args_is_help=True)
app.add_typer(journal, name="journal", help="Verify the journal and rebuild from it.", rich_help_panel="Administration")

Check = Annotated[bool, typer.Option("--check", help="Change nothing: only compare what is stored with a rebuild.")]


@journal.command()
def verify() -> None:
    """Recompute every chain and balance every ledger; name each damaged event. Exit code 1 when there is one."""
    report, numbers = with_context(_verified)
    _show(report, numbers)
    _end(report, f"{report.events} events of {report.cases} cases verified", "damaged events")


@journal.command()
def rebuild(check: Check = False) -> None:
    """Make every row anew from the journal (--check only compares). Exit code 1 when a comparison differs."""
    if not check:
        cases = with_context(rebuild_all)
        typer.echo(f"The rows of {cases} cases were made anew from the journal.")
        return
    report, numbers = with_context(_compared)
    _show(report, numbers)
    _end(report, f"The rows of {report.cases} cases compared with a rebuild", "differences")


def _show(report: records.Report, numbers: dict[str, str]) -> None:
    for damage in report.damages[:SHOWN]:
        event = f" event {damage.chain_seq}" if damage.chain_seq else ""
        typer.echo(f"{numbers.get(str(damage.case_id), damage.case_id)}{event}: {damage.what}")


def _end(report: records.Report, looked_at: str, kind: str) -> None:
    if len(report.damages) > SHOWN:
        typer.echo(f"... and {len(report.damages) - SHOWN} more")
    typer.echo(f"{looked_at}: {len(report.damages) or 'no'} {kind}.")
    if report.damages:
        raise typer.Exit(BAD)


async def _verified(context: Context) -> tuple[records.Report, dict[str, str]]:
    async with context.transaction() as session:
        report = await records.verify(session)
        report.damages += await unbalanced(session)
    return report, await _numbers(context, report)


async def _compared(context: Context) -> tuple[records.Report, dict[str, str]]:
    async with context.transaction() as session:
        report = await records.compare(session, context.ring)
        report.damages += await unbalanced(session)
        report.damages += await wrong_words(session, context.ring)
    return report, await _numbers(context, report)


async def _numbers(context: Context, report: records.Report) -> dict[str, str]:
    """The numbers of the damaged cases, for people; a case whose row is gone keeps its id."""
    ids = {damage.case_id for damage in report.damages}
    async with context.transaction() as session:
        rows = await session.execute(select(Case.id, Case.number).where(col(Case.id).in_(ids)))
        return {str(case_id): number for case_id, number in rows}
