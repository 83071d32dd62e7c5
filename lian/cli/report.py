"""`lian report`: figures for those who answer for the rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.embedded.errors import StackError
from lian.cli.running import with_context
from lian.domain.claims.risk import LEVEL_LABELS, RiskLevel
from lian.domain.errors import DomainError
from lian.services.claim_import import load_mapping
from lian.services.risk_report import Confusion, Outcomes, RiskReport, Share, TableQuality, measure_file, report_risk

SEEN_LABELS = (
    "The weights of {version} were set looking at labels of development data (auto_claims_dev.csv):"
    " on that file these figures flatter the table."
)

app = typer.Typer()
report = typer.Typer(no_args_is_help=True)
app.add_typer(report, name="report", help="Report how good the rules are.", rich_help_panel="Data")

Labels = Annotated[
    Path | None,
    typer.Option("--labels", help="Measure the table on this labelled claims file instead; needs no database."),
]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="TOML file that says which column is what; default: auto_claims.")
]
LabelColumn = Annotated[str, typer.Option("--label-column", help="Column with the label.")]
LabelYes = Annotated[str, typer.Option("--label-yes", help="The label of a claim that was bad.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@report.callback()
def _group() -> None:
    """Report how good the rules are."""


@report.command()
def risk(
    labels: Labels = None,
    mapping: MappingFile = None,
    label_column: LabelColumn = "fraud_reported",
    label_yes: LabelYes = "Y",
    as_json: AsJson = False,
) -> None:
    """Cases by risk level and indicator, and what special investigation found; or the table against labels."""
    if labels is None:
        found = with_context(report_risk)
        _show(found.as_json(), _outcome_lines(found), as_json)
        return
    try:
        quality = measure_file(labels, load_mapping(mapping), label_column=label_column, bad_label=label_yes)
    except DomainError as refused:
        raise StackError(refused.message) from refused
    note = SEEN_LABELS.format(version=quality.table_version)
    _show({**quality.as_json(), "note": note}, [*_quality_lines(quality), note], as_json)


def _show(data: Any, lines: list[str], as_json: bool) -> None:
    typer.echo(json.dumps(data, indent=2) if as_json else "\n".join(lines))


def _outcome_lines(found: RiskReport) -> list[str]:
    head = (
        f"{'':<34}{'cases':>7}{'referred':>10}{'open':>6}{'cleared':>9}{'confirmed':>11}{'inconclusive':>14}  hit rate"
    )
    levels = [_outcomes(_level(level), one) for level, one in found.levels.items()]
    indicators = [_outcomes(code, one) for code, one in found.indicators.items()]
    return [head, *levels, *(["", "Cases with the indicator", *indicators] if indicators else [])]


def _level(level: str) -> str:
    return LEVEL_LABELS[RiskLevel(level)].en if level in set(RiskLevel) else "Not scored"


def _outcomes(name: str, one: Outcomes) -> str:
    counts = f"{one.cases:>7}{one.referred:>10}{one.open:>6}{one.cleared:>9}{one.confirmed:>11}{one.inconclusive:>14}"
    return f"{name:<34}{counts}  {_share(one.hit_rate)}"


def _quality_lines(quality: TableQuality) -> list[str]:
    return [
        f"Table {quality.table_version}, {quality.base.of} labelled claims; base rate {_share(quality.base)}.",
        *([f"{len(quality.rejected)} rows could not be read or have no label."] if quality.rejected else []),
        *(line for level, found in quality.thresholds.items() for line in _confusion_lines(level, found)),
        "",
        f"{'Claims with the indicator':<34}{'claims':>7}{'bad':>6}{'lift':>7}  bad among them",
        *(_indicator_line(quality, code, share) for code, share in quality.indicators.items()),
        "",
    ]


def _confusion_lines(level: RiskLevel, found: Confusion) -> list[str]:
    above = "" if level is RiskLevel.HIGH else " and above"
    return [
        "",
        f"{LEVEL_LABELS[level].en}{above}",
        f"  precision  {_share(found.precision)}",
        f"  recall     {_share(found.recall)}",
        f"  flagged    {_share(found.flagged)}",
        f"  F1         {'-' if found.f1 is None else f'{found.f1:.3f}'}",
        f"  of these   {found.flagged_bad} bad, {found.flagged_good} good",
        f"  the others {found.missed_bad} bad, {found.passed_good} good",
    ]


def _indicator_line(quality: TableQuality, code: str, share: Share) -> str:
    lift = quality.lift(code)
    return f"{code:<34}{share.of:>7}{share.hits:>6}{'-' if lift is None else f'{lift:.2f}':>7}  {_share(share)}"


def _share(share: Share) -> str:
    if share.rate is None or share.interval is None:
        return "-"
    low, high = share.interval
    return f"{share.rate:.1%} ({share.hits} of {share.of}; 95 %: {low:.1%} to {high:.1%})"
