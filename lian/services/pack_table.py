"""Which packs a case is promised: a decision table over what is known of it, evaluated with zen-engine.

The table is a JDM file, `tables/packs.vN.json`, one for each version. All rows that apply are collected. Loading it
refuses whatever could make a row say nothing without a word: zen itself passes over a misspelled fact or code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import zen

from lian.domain.milestones import GRADES
from lian.services.pack_schema import CASE_KINDS, LINES, BadPack

SHIPPED = "packs.v1"
"""The table that selects packs; a new one is a new file, and its name here."""

_CODED = {"kind": CASE_KINDS, "line": LINES, "grade": frozenset(GRADES), "jurisdiction": None}
_FLAGS = frozenset({"small", "group"})
_CODES = re.compile(r"'[A-Za-z0-9_-]+'(, '[A-Za-z0-9_-]+')*")
_PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{2,3})?")
_PACK = re.compile(r"'([a-z][a-z0-9-]*)'")


@dataclass(frozen=True, slots=True)
class PackTable:
    """A compiled table. `packs` are all that its rows name."""

    version: str
    packs: tuple[str, ...]
    decision: zen.ZenDecision

    def select(self, facts: Mapping[str, str | bool]) -> tuple[str, ...]:
        """The ids of the packs for a case, in the order of the rows."""
        rows: Any = self.decision.evaluate(dict(facts))["result"]
        return tuple(dict.fromkeys(row["pack"] for row in rows))


def select(
    kind: str, jurisdiction: str, line: str, *, grade: str = "", small: bool = False, group: bool = False
) -> tuple[str, ...]:
    """The ids of the packs for a case like this, by the shipped table.

    `small`: of an amount to which guides on small claims apply; `group`: under a contract of group insurance.
    """
    codes = {"kind": kind, "jurisdiction": jurisdiction, "line": line, "grade": grade}
    return shipped_table().select({**codes, "small": small, "group": group})


@cache
def shipped_table() -> PackTable:
    """The table `SHIPPED`, compiled once."""
    file = files("lian.services") / "tables" / f"{SHIPPED}.json"
    return read_table(file.read_text(encoding="utf-8"), name=SHIPPED)


def read_table(text: str, *, name: str) -> PackTable:
    """Compile a table. Raises `BadPack`, naming the row, for anything that could not be evaluated as it reads."""
    try:
        content = _content(json.loads(text))
        packs = tuple(dict.fromkeys(_pack_of(rule, content) for rule in content["rules"]))
        decision = zen.ZenEngine().create_decision(text)
        decision.validate()
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as wrong:
        raise BadPack(f"{name}: it is not a decision table in JDM ({type(wrong).__name__}).") from wrong
    except RuntimeError as wrong:  # zen's message carries a stack trace
        raise BadPack(f"{name}: {str(wrong).partition('Stack backtrace')[0].strip()}.") from None
    return PackTable(name.replace(".v", "/"), packs, decision)


def _content(jdm: Any) -> dict[str, Any]:
    content: dict[str, Any] = next(node["content"] for node in jdm["nodes"] if node["type"] == "decisionTableNode")
    if content["hitPolicy"] != "collect":
        raise BadPack("The hit policy of the table must be `collect`.")
    if strange := sorted({column["field"] for column in content["inputs"]} - _CODED.keys() - _FLAGS):
        raise BadPack(f"The table knows nothing of `{strange[0]}`.")
    if [column["field"] for column in content["outputs"]] != ["pack"]:
        raise BadPack("The table's one output must be `pack`.")
    return content


def _pack_of(rule: Mapping[str, str], content: Mapping[str, Any]) -> str:
    """The pack that a row selects, once its cells have been checked."""
    inputs = {column["id"]: column["field"] for column in content["inputs"]}
    output = content["outputs"][0]["id"]
    row = rule.get("_id", "a row")
    if strange := sorted(rule.keys() - inputs.keys() - {output, "_id", "_description"}):
        raise BadPack(f"`{row}`: there is no column `{strange[0]}`.")
    for column, field in inputs.items():
        _check_cell(row, field, rule.get(column, ""))
    named = _PACK.fullmatch(rule[output])
    if named is None:
        raise BadPack(f"`{row}`: a pack is named in quotation marks.")
    return named[1]


def _check_cell(row: str, field: str, cell: str) -> None:
    """Only what is certain to be compared: codes that exist, and flags."""
    if not cell or (field in _FLAGS and cell in {"true", "false"}):
        return
    if field in _FLAGS or not _CODES.fullmatch(cell):
        raise BadPack(f"`{row}`: the condition on `{field}` cannot be understood.")
    vocabulary = _CODED[field]
    for code in re.findall("'([^']*)'", cell):
        if not (_PLACE.fullmatch(code) if vocabulary is None else code in vocabulary):
            raise BadPack(f"`{row}`: `{field}` is never `{code}`.")
