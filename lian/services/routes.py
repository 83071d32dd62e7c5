"""Where a task belongs, by a decision table over what is known of it, evaluated with zen-engine (TSK-1, TSK-3).

The first row that fits says queue, skills and whether the task is ahead of others. Nothing is decided here, and nothing
is read or written: the same facts give the same route.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, get_args

import zen

from lian.domain.case_kinds import KINDS
from lian.domain.claims.risk import RiskLevel
from lian.domain.claims.terms import Line
from lian.domain.claims.triage import Complexity, LossSeverity
from lian.domain.errors import DomainError
from lian.domain.parties import Channel
from lian.domain.queues import QUEUES, UNROUTED

KEEP = "keep"
"""The queue of a row that leaves the task where its kind says."""
MOST_REMEMBERED = 20_000
"""So many answers a table keeps; then it begins anew."""

Fact = str | bool | Decimal
CODED: dict[str, frozenset[str]] = {
    "kind": frozenset(KINDS),
    "task": frozenset(task.id for kind in KINDS.values() for task in kind.tasks),
    "queue": frozenset(QUEUES) - {UNROUTED},
    "stage": frozenset(stage.id for kind in KINDS.values() for stage in kind.stages),
    "line": frozenset({*Line, ""}),
    "complexity": frozenset({*Complexity, ""}),
    "severity": frozenset({*get_args(LossSeverity), ""}),
    "channel": frozenset(Channel),
    "risk_level": frozenset({*RiskLevel, ""}),
}
"""What a fact may be; an empty code stands for what is not known."""
NAMED = {"region": re.compile("[A-Za-z0-9_-]{0,40}"), "catastrophe": re.compile("([A-Z0-9][A-Z0-9-]{1,39})?")}
"""Codes of the house's own, by their shape."""
FLAGS = frozenset({"injured", "minors", "in_catastrophe", "reopened"})
AMOUNT = "claimed_amount"
FACTS = frozenset({*CODED, *NAMED, *FLAGS, AMOUNT})


class BadRoutes(DomainError):
    """The table itself is wrong: nothing can be routed by it."""

    code = "bad_table"


@dataclass(frozen=True, slots=True)
class Route:
    """What a row says. `queue` is `keep` or a queue's name; `rule` is the row, for the journal."""

    queue: str
    skills: tuple[str, ...]
    green: bool
    raised: bool
    rule: str


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One row as people read it: what must be so, each fact with its condition, and what then follows."""

    route: Route
    when: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A compiled table. `compares` are the facts it looks at; it may be given more."""

    version: str
    rows: tuple[RouteRow, ...]
    compares: tuple[str, ...]
    bounds: tuple[Decimal, ...]
    """Every amount that a row names, in order: two amounts that lie alike among them fit the same rows."""
    decision: zen.ZenDecision
    body: dict[str, Any]
    """The table as it is kept: in JDM, with nothing but what was checked."""
    _known: dict[tuple[object, ...], Route | None] = field(default_factory=dict)

    def route(self, facts: Mapping[str, Fact]) -> Route | None:
        """What the first row says that fits; none when no row does. The same for the same facts."""
        mark = tuple(self._mark(facts[name]) for name in self.compares)
        if mark not in self._known:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[mark] = self._evaluate(facts)
        return self._known[mark]

    def _mark(self, fact: Fact) -> object:
        is_amount = isinstance(fact, Decimal)
        return (bisect_left(self.bounds, fact), bisect_right(self.bounds, fact)) if is_amount else fact

    def _evaluate(self, facts: Mapping[str, Fact]) -> Route | None:
        seen = {name: float(fact) if isinstance(fact := facts[name], Decimal) else fact for name in self.compares}
        found: Any = self.decision.evaluate(seen)["result"]
        return next((row.route for row in self.rows if row.route.rule == found["rule"]), None) if found else None
