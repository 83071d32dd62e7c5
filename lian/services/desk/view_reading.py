"""A list of the desk as the query of an address: which tasks, in which order, with which columns (ui.md 7).

For pages: `read_view(actor, {"queue": "claims.review", "columns": "chip,task"}, limit=51)` gives the `TaskQuery`, the
columns and the parameters as they are written. `BESIDE` names the parameters that belong to one visit and no view.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from lian.auth.actor import Actor
from lian.domain.case_kinds import KINDS
from lian.domain.claims.terms import Line
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.queues import QUEUES
from lian.services.desk.lists import TaskQuery
from lian.services.desk.sorting import SORTS

COLUMNS: dict[str, Label] = {
    "chip": Label("Promise", "时效"),
    "task": Label("Task", "任务"),
    "case": Label("Case", "案件"),
    "customer": Label("Customer", "客户"),
    "amount": Label("Amount", "金额"),
    "holder": Label("With", "处理人"),
    "opened": Label("Opened", "创建时间"),
    "queue": Label("Queue", "队列"),
    "stage": Label("Step", "环节"),
}
"""What a list of tasks may show, in the order in which it is offered."""
USUAL_COLUMNS = ("chip", "task", "case", "customer", "amount", "holder")
USUAL_SORT = "urgency"
MY_TEAM = "@mine"
"""In a shared list: the reader's own team, as `@me` is the reader."""
BESIDE = frozenset({"after", "done", "lang", "none", "ok", "theme", "view"})
"""Of one visit to the page, not of what it lists."""
MOST_TEXT = 80
LONGEST = 1_000
YES_OR_NO = {"1": True, "0": False}
PERSON = re.compile(r"@me|@none|(staff|system):[A-Za-z0-9._-]{1,60}")


@dataclass(frozen=True, slots=True)
class ViewShown:
    """What a page lists, and how. `params` are its parameters in their fixed order, without what is usual."""

    query: TaskQuery
    columns: tuple[str, ...]
    params: dict[str, str]

    @property
    def address(self) -> str:
        """The parameters as the query of an address."""
        return urlencode(self.params)


def read_view(actor: Actor, params: Mapping[str, str], *, limit: int) -> ViewShown:
    """The list that these parameters describe, for this reader; empty ones count as not given.

    Raises `Invalid` for a parameter that lists do not have, and naming the parameter for a value it cannot have.
    """
    given = {name: text.strip() for name, text in params.items() if name not in BESIDE}
    if given.keys() - READERS.keys() - {"columns"}:
        raise Invalid("Lists have no such filter.", field="query")
    read = {name: READERS[name](text, actor) for name, text in given.items() if text and name != "columns"}
    columns = _columns(given.get("columns", ""))
    query = TaskQuery(**{name: value for name, value in read.items() if value is not None}, limit=limit)
    return ViewShown(query, columns, _written(given, query, columns))


def read_address(actor: Actor, query: str, *, limit: int) -> ViewShown:
    """The same from the query of an address, as views are kept. Raises `Invalid` as `read_view` does."""
    text = query.removeprefix("?")
    if len(text) > LONGEST:
        raise Invalid("This list is described in too many words.", field="query")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=len(READERS) + len(BESIDE) + 1)
    except ValueError:
        raise Invalid("This is not the address of a list.", field="query") from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise Invalid("This list names a filter twice.", field="query")
    return read_view(actor, dict(pairs), limit=limit)


def _written(given: Mapping[str, str], query: TaskQuery, columns: tuple[str, ...]) -> dict[str, str]:
    """What is usual goes without saying, so that one list has one address."""
    unsaid = {name for name in ("raised", "late") if not getattr(query, name)}
    unsaid |= {"sort"} if query.sort == USUAL_SORT else set()
    params = {name: given[name] for name in READERS if given.get(name) and name not in unsaid}
    return params if columns == USUAL_COLUMNS else params | {"columns": ",".join(columns)}


# --- one value --------------------------------------------------------------------------------------------------------

Reading = Callable[[str, Actor], Any]


def _one_of(known: Callable[[], frozenset[str]], name: str) -> Reading:
    def read(text: str, _: Actor) -> str:
        if text not in known():
            raise Invalid("Lists cannot be filtered by this value.", field=name)
        return text

    return read


def _yes_or_no(name: str) -> Reading:
    def read(text: str, _: Actor) -> bool:
        if text not in YES_OR_NO:
            raise Invalid("Lists cannot be filtered by this value.", field=name)
        return YES_OR_NO[text]

    return read


def _person(text: str, _: Actor) -> str:
    if not PERSON.fullmatch(text):
        raise Invalid("Lists cannot be filtered by this value.", field="holder")
    return text


def _team(text: str, actor: Actor) -> str:
    if text == MY_TEAM and not actor.team:
        raise Invalid("You belong to no team.", field="team")
    if len(text) > MOST_TEXT or not text.isprintable():
        raise Invalid("Lists cannot be filtered by this value.", field="team")
    return actor.team if text == MY_TEAM else text


def _columns(text: str) -> tuple[str, ...]:
    if not text:
        return USUAL_COLUMNS
    named = tuple(name.strip() for name in text.split(","))
    if not set(named) <= COLUMNS.keys() or len(set(named)) < len(named):
        raise Invalid("Lists have no such column.", field="columns")
    return named


READERS: dict[str, Reading] = {
    "queue": _one_of(lambda: frozenset(QUEUES), "queue"),
    "holder": _person,
    "kind": _one_of(lambda: frozenset(KINDS), "kind"),
    "task": _one_of(lambda: frozenset(task.id for kind in KINDS.values() for task in kind.tasks), "task"),
    "stage": _one_of(lambda: frozenset(stage.id for kind in KINDS.values() for stage in kind.stages), "stage"),
    "line": _one_of(lambda: frozenset(Line), "line"),
    "on_hold": _yes_or_no("on_hold"),
    "raised": _yes_or_no("raised"),
    "late": _yes_or_no("late"),
    "team": _team,
    "sort": _one_of(lambda: frozenset(SORTS), "sort"),
}
"""Every parameter of a list but its columns, in the order in which an address has them."""
