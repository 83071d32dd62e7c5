"""`lian sla explain`: how a clock of a case was counted, from the server's own command line (CLM-12)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from lian.domain.labels import Label, Language
    from lian.services.explaining import ExplainedClock

WHOLE_LINE = 200
"""Where there is no screen, a line is this long."""


class Lang(StrEnum):
    """The language it is told in."""

    ZH = "zh"
    EN = "en"


CaseNumber = Annotated[str, typer.Argument(metavar="CASE", help="Case number, such as CLM-2026-000123.")]
ClockName = Annotated[str, typer.Argument(metavar="CLOCK", help="Name of the clock, such as claim.total.")]
InLanguage = Annotated[Lang, typer.Option("--lang", help="Language of the words.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: both languages, as the API gives it.")]


def explain(case: CaseNumber, clock: ClockName, lang: InLanguage = Lang.EN, as_json: AsJson = False) -> None:
    """Show which days and hours of a clock counted, which did not, and why."""
    # Imported here, so that `lian sla check`, which needs no case, does not wait for the services.
    from api.schemas.explaining import ExplanationOut
    from lian.auth.actor import Actor
    from lian.cli import use_running_stack
    from lian.cli.running import with_context
    from lian.services.explaining import explain_clock

    use_running_stack()
    console = Actor(id="system:console", name="Command line", roles=("operations",))
    told = with_context(lambda context: explain_clock(context, console, case, clock))
    if as_json:
        typer.echo(ExplanationOut.of(told).model_dump_json(indent=2))
        return
    _show(told, "zh-CN" if lang is Lang.ZH else "en")


def _show(told: ExplainedClock, language: Language) -> None:
    def say(label: Label) -> str:
        return label.within(language)

    found = told.explanation
    typer.echo(f"{told.number}  {say(told.label)} ({told.row.clock})")
    typer.echo(say(found.outcome))
    for term, value in found.facts:
        typer.echo(f"  {say(term)}: {say(value)}")
    if found.source:
        typer.echo(f"  {'Rule' if language == 'en' else '依据'}: {found.source} {found.url}".rstrip())
    typer.echo(say(found.method))
    typer.echo(say(found.rule))
    table = Table(box=None, pad_edge=False, show_header=False)
    for column in ("when", "effect"):
        table.add_column(column, no_wrap=True)
    table.add_column("why", ratio=1, overflow="fold")
    table.add_column("sum", no_wrap=True, justify="right")
    for line in found.lines:
        mark, kind = ">" if line.is_here else " ", say(line.kind_label)
        stop = ". " if language == "en" else "。"
        why = f"{kind}{stop}{say(line.why)}" if kind else say(line.why)
        table.add_row(f"{mark} {say(line.when)}", say(line.effect_label), why, say(line.sum))
    console = Console()
    console.width = console.width if console.is_terminal else WHOLE_LINE
    console.print(table)
