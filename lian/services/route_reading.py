"""Loading a table of routes, from a JDM file or what was published (TSK-3).

It refuses whatever could make a row say nothing without a word: zen itself passes over a misspelled fact or code. What
is kept and evaluated is made anew from the rows that were checked, so that nothing else of a file is ever run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import zen

from lian.domain.skills import SKILL
from lian.services.routes import AMOUNT, CODED, FACTS, FLAGS, KEEP, NAMED, BadRoutes, Route, RouteRow, RouteTable

SHIPPED = "routes.v1"
"""The table that counts until another one is published; a new one is a new file, and its name here."""
LONGEST = 256 * 1024
LONGEST_NOTE = 300
MOST_ROWS = 500
_OUTPUTS = ("queue", "skills", "green", "raised")
_ROW = re.compile("[a-z][a-z0-9_]{0,59}")
_CODES = re.compile("'[A-Za-z0-9_.-]*'(, '[A-Za-z0-9_.-]*')*")
_NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,2})?"
_NUMBERS = re.compile(rf"{_NUMBER}|[<>]=? {_NUMBER}|\[{_NUMBER}\.\.{_NUMBER}\]")
_QUOTED = re.compile("'([^']*)'")
_SKILLS = re.compile(r"\['[^']+'(, '[^']+')*\]")
_WAYS = [("decisionTableNode", "outputNode"), ("inputNode", "decisionTableNode")]


@cache
def shipped_table() -> RouteTable:
    """The table `SHIPPED`, compiled once."""
    return read_routes(shipped_text(), version=SHIPPED.replace(".v", "/"))


def shipped_text() -> str:
    """The file itself: what a draft of one's own begins with."""
    return (files("lian.services") / "tables" / f"{SHIPPED}.json").read_text(encoding="utf-8")


# --- loading a table --------------------------------------------------------------------------------------------------


def read_routes(text: str, *, version: str) -> RouteTable:
    """Compile a table. Raises `BadRoutes`, naming the row, for anything that could not be evaluated as it reads."""
    if len(text) > LONGEST:
        raise BadRoutes(f"A table has at most {LONGEST // 1024} kB.")
    try:
        rows, compares = _read(json.loads(text, object_pairs_hook=_each_once))
        decision = zen.ZenEngine().create_decision(json.dumps(_evaluated(rows, compares)))
        decision.validate()
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as wrong:
        raise BadRoutes(f"This is not a decision table in JDM ({type(wrong).__name__}).") from wrong
    except RuntimeError:  # zen's message carries a stack trace
        raise BadRoutes("This is not a decision table that can be evaluated.") from None
    amounts = re.findall(_NUMBER, " ".join(row.when.get(AMOUNT, "") for row in rows))
    bounds = tuple(sorted({Decimal(amount) for amount in amounts}))
    return RouteTable(version, rows, compares, bounds, decision, _kept(rows, compares))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise BadRoutes("Something stands in the file twice, of which only one would count.")
    return found


def _read(jdm: Any) -> tuple[tuple[RouteRow, ...], tuple[str, ...]]:
    content = _content(jdm)
    inputs, outputs = _columns(content["inputs"]), _columns(content["outputs"])
    if strange := sorted(set(inputs.values()) - FACTS):
        raise BadRoutes(f"The table knows nothing of `{_short(strange[0])}`; it knows {', '.join(sorted(FACTS))}.")
    if strange := sorted(set(outputs.values()) ^ set(_OUTPUTS)):
        raise BadRoutes(f"The table's outputs must be {', '.join(_OUTPUTS)}; look at `{_short(strange[0])}`.")
    if inputs.keys() & outputs.keys() or not 0 < len(content["rules"]) <= MOST_ROWS:
        raise BadRoutes(f"The table has a column twice, or not between 1 and {MOST_ROWS} rows.")
    rows = tuple(_row(rule, inputs, outputs) for rule in content["rules"])
    _refuse_unreachable(rows)
    return rows, tuple(sorted({name for row in rows for name in row.when}))


def _content(jdm: Any) -> dict[str, Any]:
    kinds = {node["id"]: node["type"] for node in jdm["nodes"]}
    ways = sorted((kinds[edge["sourceId"]], kinds[edge["targetId"]]) for edge in jdm["edges"])
    if len(jdm["nodes"]) != len(_WAYS) + 1 or ways != _WAYS:
        raise BadRoutes("It must lead from one input through one decision table to one output, and nowhere else.")
    content: dict[str, Any] = next(node["content"] for node in jdm["nodes"] if node["type"] == "decisionTableNode")
    if content["hitPolicy"] != "first":
        raise BadRoutes("The hit policy of the table must be `first`.")
    if strange := sorted(content.keys() - {"hitPolicy", "inputs", "outputs", "rules"}):
        raise BadRoutes(f"A table of routes has no `{_short(strange[0])}`.")
    return content


def _columns(given: list[dict[str, str]]) -> dict[str, str]:
    """Id to field."""
    columns = {column["id"]: column["field"] for column in given}
    if len(columns) != len(given) or len(set(columns.values())) != len(given):
        raise BadRoutes("The table has a column twice.")
    if strange := sorted({key for column in given for key in column} - {"id", "name", "field"}):
        raise BadRoutes(f"A column has no `{_short(strange[0])}`.")
    return columns


def _row(rule: Mapping[str, str], inputs: Mapping[str, str], outputs: Mapping[str, str]) -> RouteRow:
    name = rule.get("_id", "")
    if not _ROW.fullmatch(name):
        raise BadRoutes(f"Every row has an `_id` of small letters, digits and `_`; look at `{_short(name)}`.")
    if strange := sorted(rule.keys() - inputs.keys() - outputs.keys() - {"_id", "_description"}):
        raise BadRoutes(f"`{name}`: there is no column `{_short(strange[0])}`.")
    when = {inputs[column]: cell for column, cell in rule.items() if column in inputs and cell}
    for fact, cell in when.items():
        _check_condition(name, fact, cell)
    said = {field: rule.get(column, "") for column, field in outputs.items()}
    note = rule.get("_description", "")
    if not note.isprintable() or len(note) > LONGEST_NOTE:
        raise BadRoutes(f"`{name}`: its `_description` is a line of at most {LONGEST_NOTE} characters.")
    return RouteRow(_route(name, said), when, note)


def _check_condition(row: str, fact: str, cell: str) -> None:
    """Only what is certain to be compared: codes that exist, numbers with numbers, flags with flags."""
    if fact in FLAGS or fact == AMOUNT:
        is_clear = cell in {"true", "false"} if fact in FLAGS else _NUMBERS.fullmatch(cell)
    else:
        is_clear = _CODES.fullmatch(cell)
    if not is_clear:
        raise BadRoutes(f"`{row}`: the condition on `{fact}` cannot be understood.")
    if fact in NAMED or fact in CODED:
        strange = [code for code in _QUOTED.findall(cell) if not _is_known(fact, code)]
        if strange:
            raise BadRoutes(f"`{row}`: `{fact}` is never `{_short(strange[0])}`.")


def _is_known(fact: str, code: str) -> bool:
    return code in CODED[fact] if fact in CODED else NAMED[fact].fullmatch(code) is not None


def _route(row: str, said: Mapping[str, str]) -> Route:
    queue = said["queue"].strip("'")
    if said["queue"] != f"'{queue}'" or queue not in {KEEP, *CODED["queue"]}:
        raise BadRoutes(f"`{row}`: its queue is '{KEEP}' or that of a kind, in quotation marks.")
    skills = _QUOTED.findall(said["skills"])
    if said["skills"] and not _SKILLS.fullmatch(said["skills"]):
        raise BadRoutes(f"`{row}`: skills are written as ['licence:survey', 'lang:en'].")
    if strange := [skill for skill in skills if not SKILL.fullmatch(skill)]:
        raise BadRoutes(
            f"`{row}`: `{_short(strange[0])}` is no skill; they begin with licence:, skill:, lang: or region:."
        )
    for name in ("green", "raised"):
        if said[name] not in {"", "true", "false"}:
            raise BadRoutes(f"`{row}`: `{name}` is true, false or empty.")
    return Route(queue, tuple(sorted(set(skills))), said["green"] == "true", said["raised"] == "true", row)


def _refuse_unreachable(rows: tuple[RouteRow, ...]) -> None:
    names: set[str] = set()
    for row in rows:
        if row.route.rule in names:
            raise BadRoutes(f"`{row.route.rule}` names two rows.")
        names.add(row.route.rule)
    for above, row in pairwise(rows):
        if not above.when:
            raise BadRoutes(f"`{row.route.rule}` stands below `{above.route.rule}`, which fits every task.")


def _short(word: object) -> str:
    return str(word)[:40]


# --- writing one ------------------------------------------------------------------------------------------------------


def _evaluated(rows: tuple[RouteRow, ...], compares: tuple[str, ...]) -> dict[str, Any]:
    """What zen is given: of what a row says only its name, the rest is looked up."""
    rules = [{"_id": row.route.rule, **row.when, "_rule": f"'{row.route.rule}'"} for row in rows]
    return _jdm(compares, {"_rule": "rule"}, rules)


def _kept(rows: tuple[RouteRow, ...], compares: tuple[str, ...]) -> dict[str, Any]:
    rules = [{"_id": row.route.rule, "_description": row.note, **row.when, **_said(row.route)} for row in rows]
    return _jdm(compares, {f"out_{name}": name for name in _OUTPUTS}, rules)


def _said(route: Route) -> dict[str, str]:
    skills = ", ".join(f"'{skill}'" for skill in route.skills)
    return {
        "out_queue": f"'{route.queue}'",
        "out_skills": f"[{skills}]" if skills else "",
        "out_green": str(route.green).lower(),
        "out_raised": str(route.raised).lower(),
    }


def _jdm(compares: tuple[str, ...], outputs: dict[str, str], rules: list[dict[str, str]]) -> dict[str, Any]:
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": name, "name": name, "field": name} for name in compares],
        "outputs": [{"id": column, "name": name, "field": name} for column, name in outputs.items()],
        "rules": rules,
    }
    return {
        "nodes": [
            {"id": "task", "type": "inputNode", "name": "task", "position": {"x": 0, "y": 0}},
            {
                "id": "routes",
                "type": "decisionTableNode",
                "name": "routes",
                "position": {"x": 300, "y": 0},
                "content": content,
            },
            {"id": "found", "type": "outputNode", "name": "found", "position": {"x": 600, "y": 0}},
        ],
        "edges": [
            {"id": "in", "type": "edge", "sourceId": "task", "targetId": "routes"},
            {"id": "out", "type": "edge", "sourceId": "routes", "targetId": "found"},
        ],
    }
