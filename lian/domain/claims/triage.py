"""Simple or complex: how a claim will be handled, with every reason on record (CLM-3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from lian.domain.claims.terms import Line, LossCause
from lian.domain.findings import Finding, Severity
from lian.domain.labels import Label

RULE_VERSION = "triage/1"

LossSeverity = Literal["minor", "moderate", "major"]


class Complexity(StrEnum):
    """The path a claim takes."""

    SIMPLE = "simple"
    COMPLEX = "complex"


COMPLEXITY_LABELS: dict[Complexity, Label] = {
    Complexity.SIMPLE: Label("Simple", "简易案件"),
    Complexity.COMPLEX: Label("Complex", "复杂案件"),
}


@dataclass(frozen=True, slots=True)
class TriageFacts:
    """What is known of a claim when it is registered. `injured` and `claimants` count people."""

    line: Line
    loss_cause: LossCause
    claimed_amount: Decimal
    injured: int
    loss_at: datetime
    reported_at: datetime
    claimants: int
    policy_in_force: bool


@dataclass(frozen=True, slots=True)
class TriageThresholds:
    """Where simple ends. Amounts are in the claim's currency; all bounds are inclusive.

    `simple_amount` is what a junior adjuster may decide alone (CLM-9). A claim is major from `major_amount` or
    `major_injured`, and otherwise moderate as soon as it is not within `simple_amount` or anybody is hurt.
    """

    version: str = RULE_VERSION
    simple_amount: Decimal = Decimal(10_000)
    major_amount: Decimal = Decimal(200_000)
    major_injured: int = 3
    late_after: timedelta = timedelta(days=30)
    complex_causes: tuple[LossCause, ...] = (
        *(LossCause.THEFT, LossCause.CRITICAL_ILLNESS, LossCause.DEATH),
        *(LossCause.INTOXICATION, LossCause.SELF_HARM, LossCause.WAR),
    )


DEFAULT = TriageThresholds()


@dataclass(frozen=True, slots=True)
class Triage:
    """The outcome. `findings` holds one reason per rule, also for a simple claim; a REFERS one makes it complex."""

    complexity: Complexity
    severity: LossSeverity
    findings: tuple[Finding, ...]


def triage(*, facts: TriageFacts, thresholds: TriageThresholds = DEFAULT) -> Triage:
    """Complex as soon as one rule refers the claim; every rule leaves its reason (CLM-3)."""
    findings = tuple(rule(facts, thresholds) for rule in RULES)
    is_complex = any(finding.severity is Severity.REFERS for finding in findings)
    return Triage(
        complexity=Complexity.COMPLEX if is_complex else Complexity.SIMPLE,
        severity=_severity(facts, thresholds),
        findings=findings,
    )


def _severity(facts: TriageFacts, thresholds: TriageThresholds) -> LossSeverity:
    if facts.claimed_amount >= thresholds.major_amount or facts.injured >= thresholds.major_injured:
        return "major"
    if facts.loss_cause is LossCause.DEATH:
        return "major"
    return "moderate" if facts.injured or facts.claimed_amount > thresholds.simple_amount else "minor"


# --- one rule per concern ---------------------------------------------------------------------------------------------

Rule = Callable[[TriageFacts, TriageThresholds], Finding]


def _amount(facts: TriageFacts, thresholds: TriageThresholds) -> Finding:
    figures = f"claimed={facts.claimed_amount} simple_up_to={thresholds.simple_amount}"
    is_small = facts.claimed_amount <= thresholds.simple_amount
    return _finding(thresholds, is_small, "amount_small", "amount_large", figures)


def _injury(facts: TriageFacts, thresholds: TriageThresholds) -> Finding:
    return _finding(thresholds, not facts.injured, "nobody_injured", "people_injured", f"injured={facts.injured}")


def _cause(facts: TriageFacts, thresholds: TriageThresholds) -> Finding:
    is_ordinary = facts.loss_cause not in thresholds.complex_causes
    return _finding(thresholds, is_ordinary, "cause_ordinary", "cause_complex", f"cause={facts.loss_cause}")


def _promptness(facts: TriageFacts, thresholds: TriageThresholds) -> Finding:
    late_by = facts.reported_at - facts.loss_at
    figures = f"days={late_by.days} prompt_up_to={thresholds.late_after.days}"
    return _finding(thresholds, late_by <= thresholds.late_after, "reported_promptly", "reported_late", figures)


def _claimants(facts: TriageFacts, thresholds: TriageThresholds) -> Finding:
    figures = f"claimants={facts.claimants}"
    return _finding(thresholds, facts.claimants <= 1, "one_claimant", "several_claimants", figures)


def _in_force(facts: TriageFacts, thresholds: TriageThresholds) -> Finding:
    return _finding(thresholds, facts.policy_in_force, "policy_in_force", "policy_not_in_force", "")


RULES: tuple[Rule, ...] = (_amount, _injury, _cause, _promptness, _claimants, _in_force)


def _finding(thresholds: TriageThresholds, is_simple: bool, simple: str, complex_: str, detail: str) -> Finding:
    return Finding(
        code=simple if is_simple else complex_,
        severity=Severity.INFO if is_simple else Severity.REFERS,
        rule_version=thresholds.version,
        detail=detail,
    )


REASONS: dict[str, Label] = {
    "amount_small": Label("The amount claimed is small", "索赔金额较小"),
    "amount_large": Label("The amount claimed is above the limit for simple claims", "索赔金额超过简易案件限额"),
    "nobody_injured": Label("Nobody was injured", "无人员受伤"),
    "people_injured": Label("People were injured", "有人员受伤"),
    "cause_ordinary": Label("The cause of loss is an ordinary one", "出险原因常见"),
    "cause_complex": Label("This cause of loss needs closer examination", "该出险原因需进一步核查"),
    "reported_promptly": Label("The loss was reported promptly", "报案及时"),
    "reported_late": Label("The loss was reported late", "报案延迟"),
    "one_claimant": Label("There is one claimant", "仅有一名索赔人"),
    "several_claimants": Label("There are several claimants", "有多名索赔人"),
    "policy_in_force": Label("The policy was in force", "保单有效"),
    "policy_not_in_force": Label("The policy may not have been in force", "保单可能未生效或已失效"),
}
"""The words for every code triage can give."""
