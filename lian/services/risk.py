"""Risk indicators by a decision table, evaluated with zen-engine (CLM-14).

A table is a JDM file in `lian/services/tables`, one for each version and never changed once it has scored a claim. Each
of its rows is one indicator: what the facts must be, the indicator's code, its kind and its weight; all rows that apply
are collected. Loading a table refuses whatever could make it say nothing without a word: zen itself passes over a
misspelled fact or a broken condition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import zen

from lian.domain.claims.fnol import FnolReport
from lian.domain.claims.risk import (
    CODED_FACTS,
    FLAG_FACTS,
    INDICATORS,
    NUMBER_FACTS,
    Fact,
    RiskFacts,
    RiskKind,
    RiskScore,
    impact_of,
    likelihood_of,
    table_facts,
)
from lian.domain.claims.terms import PolicySnapshot
from lian.domain.errors import DomainError
from lian.domain.findings import Finding, Severity

SHIPPED = "risk.v1"
"""The table that scores claims; a new one is a new file, and its name here."""

_WAYS = [("decisionTableNode", "outputNode"), ("inputNode", "decisionTableNode")]
_CONTENT = {"hitPolicy", "inputs", "outputs", "rules"}
_OUTPUTS = {"code", "kind", "weight"}
_VERSION = re.compile(r"([a-z]+)\.v([0-9]+)")
_CODES = re.compile(r"'[a-z0-9_]+'(, '[a-z0-9_]+')*")
_NUMBERS = re.compile(r"-?\d+|[<>]=? -?\d+|\[-?\d+\.\.-?\d+\]")
_WEIGHT = re.compile(r"[1-9][0-9]{0,2}")
_FLAGS = re.compile(r"true|false")


class BadTable(DomainError):
    """The decision table itself is wrong: nothing can be scored with it."""

    code = "bad_table"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One row of a table: the facts it compares, and what it says when they are so."""

    code: str
    kind: RiskKind
    weight: int
    compares: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RiskTable:
    """A compiled table. `version` is written on every score, such as `risk/1`. May be used by several threads."""

    version: str
    indicators: Mapping[str, Indicator]
    decision: zen.ZenDecision

    def score(self, facts: RiskFacts) -> RiskScore:
        """The score of one claim, the same for the same facts; reasons stand in the order of the table."""
        seen = table_facts(facts)
        found = [self.indicators[row["code"]] for row in _collected(self.decision, seen)]
        return RiskScore(
            likelihood=likelihood_of(sum(indicator.weight for indicator in found)),
            impact=impact_of(facts.claimed_amount),
            findings=tuple(_finding(indicator, seen, self.version) for indicator in found),
            table_version=self.version,
        )


def score_risk(facts: RiskFacts) -> RiskScore:
    """Likelihood times impact by the shipped table, with a reason for every indicator that applies (CLM-14)."""
    return shipped_table().score(facts)


def facts_of_report(report: FnolReport, snapshot: PolicySnapshot, *, earlier_claims: int) -> RiskFacts:
    """What the table needs of a report and its policy's terms; `earlier_claims` as `RiskFacts` counts them."""
    claimed = {loss.coverage_code for loss in report.losses}
    limits = [coverage.limit for coverage in snapshot.coverages if coverage.code in claimed]
    return RiskFacts(
        line=snapshot.line,
        loss_cause=report.loss_cause,
        claimed_amount=report.claimed_amount,
        limit=sum(limits, Decimal(0)),
        injured=report.injured,
        loss_at=report.loss_at,
        reported_at=report.reported_at,
        policy_from=snapshot.term_from,
        earlier_claims=earlier_claims,
        details=dict(report.details),
    )


def _collected(decision: zen.ZenDecision, seen: dict[str, Fact]) -> list[dict[str, Any]]:
    rows: Any = decision.evaluate(dict(seen))["result"]
    return list(rows)


def _finding(indicator: Indicator, seen: Mapping[str, Fact], version: str) -> Finding:
    compared = {"kind": indicator.kind.value, "weight": indicator.weight} | {n: seen[n] for n in indicator.compares}
    detail = " ".join(f"{name}={value}" for name, value in compared.items())
    return Finding(code=indicator.code, severity=Severity.INFO, rule_version=version, detail=detail)


# --- loading a table --------------------------------------------------------------------------------------------------


@cache
def shipped_table() -> RiskTable:
    """The table `SHIPPED`, compiled once."""
    return load_table(SHIPPED)


def load_table(name: str) -> RiskTable:
    """A shipped table by its name, such as `risk.v1`. Raises `BadTable` when there is none, or when it is wrong."""
    file = files("lian.services") / "tables" / f"{name}.json"
    if not _VERSION.fullmatch(name) or not file.is_file():
        raise BadTable(f"There is no risk table named {name}.")
    return read_table(file.read_text(encoding="utf-8"), name=name)


def read_table(text: str, *, name: str) -> RiskTable:
    """Compile a table. Raises `BadTable`, naming the row, for anything that could not be evaluated as it reads."""
    named = _VERSION.fullmatch(name)
    if named is None:
        raise BadTable(f"{name}: a table is named like risk.v2.")
    try:
        content = _content(json.loads(text))
        indicators = _indicators(content)
        decision = zen.ZenEngine().create_decision(text)
        decision.validate()
    except BadTable as wrong:
        raise BadTable(f"{name}: {wrong.message}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise BadTable(f"{name}: it is not a decision table in JDM ({type(wrong).__name__}: {wrong}).") from wrong
    except RuntimeError as wrong:  # zen's message carries a stack trace
        raise BadTable(f"{name}: {str(wrong).partition('Stack backtrace')[0].strip()}.") from None
    return RiskTable(f"{named[1]}/{named[2]}", indicators, decision)


def _content(jdm: Any) -> dict[str, Any]:
    kinds = {node["id"]: node["type"] for node in jdm["nodes"]}
    ways = sorted((kinds[edge["sourceId"]], kinds[edge["targetId"]]) for edge in jdm["edges"])
    if len(jdm["nodes"]) != len(_WAYS) + 1 or ways != _WAYS:
        raise BadTable("it must lead from one input through one decision table to one output, and nowhere else.")
    content: dict[str, Any] = next(node["content"] for node in jdm["nodes"] if node["type"] == "decisionTableNode")
    if content["hitPolicy"] != "collect":
        raise BadTable("its hit policy must be `collect`.")
    if strange := sorted(content.keys() - _CONTENT):
        raise BadTable(f"a risk table has no `{strange[0]}`.")
    return content


def _indicators(content: dict[str, Any]) -> dict[str, Indicator]:
    inputs = {column["id"]: column["field"] for column in content["inputs"]}
    outputs = {column["id"]: column["field"] for column in content["outputs"]}
    _refuse_unknown_facts(inputs)
    if len(inputs) != len(content["inputs"]) or not content["rules"]:
        raise BadTable("it has two columns with one id, or no rows.")
    if set(outputs.values()) != _OUTPUTS:
        raise BadTable("its outputs must be code, kind and weight.")
    found: dict[str, Indicator] = {}
    for rule in content["rules"]:
        indicator = _indicator(rule, inputs, outputs)
        if indicator.code in found:
            raise BadTable(f"`{indicator.code}` has more than one row.")
        found[indicator.code] = indicator
    return found


def _refuse_unknown_facts(inputs: Mapping[str, str]) -> None:
    strange = sorted(set(inputs.values()) - CODED_FACTS.keys() - NUMBER_FACTS - FLAG_FACTS)
    if strange:
        raise BadTable(f"no table may see `{strange[0]}`; the facts are those of `table_facts`.")


def _indicator(rule: Mapping[str, str], inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Indicator:
    code, kind, weight = _said(rule, outputs)
    if strange := sorted(rule.keys() - inputs.keys() - outputs.keys() - {"_id", "_description"}):
        raise BadTable(f"`{code}`: there is no column `{strange[0]}`.")
    cells = {inputs[column]: cell for column, cell in rule.items() if column in inputs and cell}
    if not cells:
        raise BadTable(f"`{code}`: it has no condition and would apply to every claim.")
    for fact, cell in cells.items():
        _check_cell(code, fact, cell)
    return Indicator(code, kind, weight, tuple(cells))


def _said(rule: Mapping[str, str], outputs: Mapping[str, str]) -> tuple[str, RiskKind, int]:
    """What a row gives: code and kind in quotation marks, the weight a whole number."""
    said = {field: rule[column] for column, field in outputs.items()}
    code, kind, weight = said["code"].strip("'"), said["kind"].strip("'"), said["weight"]
    if code not in INDICATORS or said["code"] != f"'{code}'":
        raise BadTable(f"`{code}` has no words in INDICATORS.")
    if kind not in set(RiskKind) or said["kind"] != f"'{kind}'":
        raise BadTable(f"`{code}`: its kind must be one of {', '.join(repr(k.value) for k in RiskKind)}.")
    if not _WEIGHT.fullmatch(weight):
        raise BadTable(f"`{code}`: its weight must be a whole number from 1 to 999.")
    return code, RiskKind(kind), int(weight)


def _check_cell(code: str, fact: str, cell: str) -> None:
    """Only what is certain to be compared: codes that exist, numbers with numbers, flags with flags."""
    form = _CODES if fact in CODED_FACTS else _NUMBERS if fact in NUMBER_FACTS else _FLAGS
    if not form.fullmatch(cell):
        raise BadTable(f"`{code}`: the condition on `{fact}` cannot be understood.")
    strange = [each for each in re.findall("'([^']*)'", cell) if each not in CODED_FACTS.get(fact, ())]
    if strange:
        raise BadTable(f"`{code}`: `{fact}` is never `{strange[0]}`.")
