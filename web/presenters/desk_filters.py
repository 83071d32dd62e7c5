"""What stands around a list of tasks: filters, orders and columns, lists under a name, what ticked rows allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from lian.auth.actor import Actor
from lian.auth.visibility import sees_inside
from lian.domain.bulk import BULK_VERBS, BulkVerb
from lian.domain.case_kinds import KINDS
from lian.domain.claims.terms import LINE_LABELS
from lian.domain.labels import Label
from lian.services.desk import SORTS, QueueCount
from lian.services.desk.views import COLUMNS, View, ViewShown
from web.presenters.forms import Option
from web.reader import Reader

BULK_KEYS = {BulkVerb.REASSIGN: "a", BulkVerb.RELEASE: "u", BulkVerb.HOLD: "h"}
"""The keys of single verbs do the same to ticked rows."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the reader's lists. `counted`: the id its count comes under; `is_changed`: shown with another filter."""

    words: str
    address: str
    is_current: bool
    counted: str = ""
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter with its choices; `is_set` when it narrows the list."""

    name: str
    words: str
    options: tuple[Option, ...]
    is_set: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """The form above a list: filters, ticks, orders and columns."""

    choices: tuple[Filter, ...]
    ticks: tuple[Option, ...]
    sorts: tuple[Option, ...]
    columns: tuple[Option, ...]
    n_set: int


@dataclass(frozen=True, slots=True)
class BulkButton:
    """Something that may be done to many tasks, and its key."""

    value: str
    words: str
    key: str


# --- filters ----------------------------------------------------------------------------------------------------------


def present_filters(
    shown: ViewShown, queues: Sequence[QueueCount], person: str, reader: Reader, actor: Actor
) -> Filters:
    """The form of a list. `person`: the name of the one whose tasks it lists, if any."""
    choices = (
        _filter("queue", reader.say("Queue"), [(q.queue, reader.label(q.label)) for q in queues], shown, reader),
        _filter("holder", reader.say("With"), _holders(shown, person, reader), shown, reader),
        _filter("kind", reader.say("Kind"), _labels({k.id: k.label for k in KINDS.values()}, reader), shown, reader),
        _filter("task", reader.say("Task"), _labels(_task_labels(), reader), shown, reader),
        _filter("stage", reader.say("Step"), _labels(_stage_labels(), reader), shown, reader),
        _filter(
            "line", reader.say("Line"), _labels({k.value: v for k, v in LINE_LABELS.items()}, reader), shown, reader
        ),
        _filter(
            "on_hold",
            reader.say("Put aside"),
            [("0", reader.say("not put aside")), ("1", reader.say("put aside"))],
            shown,
            reader,
        ),
    )
    ticks = [("late", reader.say("Overdue")), *([("raised", reader.say("Raised"))] if sees_inside(actor) else [])]
    if actor.team and actor.may("task:assign"):
        ticks.append(("team", reader.say("My team")))
    return Filters(
        choices=choices,
        ticks=tuple(Option(name, words, name in shown.params) for name, words in ticks),
        sorts=tuple(Option(id_, reader.label(order.label), id_ == shown.query.sort) for id_, order in SORTS.items()),
        columns=tuple(Option(id_, reader.label(label), id_ in shown.columns) for id_, label in COLUMNS.items()),
        n_set=len(shown.params.keys() - {"sort", "columns"}),
    )


def _filter(name: str, words: str, options: Iterable[tuple[str, str]], shown: ViewShown, reader: Reader) -> Filter:
    chosen = shown.params.get(name, "")
    anything = Option("", reader.say("any"), not chosen)
    found = tuple(Option(value, label, value == chosen) for value, label in options)
    return Filter(name, words, (anything, *found), bool(chosen))


def _holders(shown: ViewShown, person: str, reader: Reader) -> list[tuple[str, str]]:
    usual = [("@me", reader.say("me")), ("@none", reader.say("nobody yet"))]
    holder = shown.query.holder
    return usual if holder in {"", "@me", "@none"} else [*usual, (holder, person or reader.say("a colleague"))]


def _labels(labels: Mapping[str, Label], reader: Reader) -> list[tuple[str, str]]:
    return [(value, reader.label(label)) for value, label in labels.items()]


def _task_labels() -> dict[str, Label]:
    return {task.id: task.label for kind in KINDS.values() for task in kind.tasks}


def _stage_labels() -> dict[str, Label]:
    """Steps in which somebody has something to do; one that several kinds have goes by its first name."""
    found: dict[str, Label] = {}
    for kind in KINDS.values():
        for stage in kind.stages:
            found.setdefault(stage.id, stage.label)
    return found


def present_bulk(actor: Actor, reader: Reader) -> tuple[BulkButton, ...]:
    """What this reader may do to many tasks at once."""
    if not actor.may("desk:bulk"):
        return ()
    return tuple(
        BulkButton(verb.value, reader.label(words.label), BULK_KEYS.get(verb, ""))
        for verb, words in BULK_VERBS.items()
        if any(actor.may(permission) for permission in words.any_of)
    )


# --- lists under a name -----------------------------------------------------------------------------------------------


def present_tabs(views: Sequence[View], shown: ViewShown | None, named: str, reader: Reader) -> tuple[Tab, ...]:
    """The overview, and every list of the reader's. `named`: the list that the address says it comes from."""
    tabs = [Tab(reader.say("My desk"), "/desk", shown is None)]
    params = shown.params if shown else {}
    tabs += [
        _tab(view, shown is not None and _is_shown(view, params, named), reader) for view in views if view.is_readable
    ]
    if shown is not None and not any(tab.is_current for tab in tabs):
        tabs.append(Tab(reader.say("Filtered"), f"/desk?{shown.address}", is_current=True))
    return tuple(tabs)


def _is_shown(view: View, params: Mapping[str, str], named: str) -> bool:
    return view.id == named or dict(parse_qsl(view.query)) == dict(params)


def _tab(view: View, is_current: bool, reader: Reader) -> Tab:
    own = f"&view={view.id}" if view.is_mine else ""
    return Tab(reader.label(view.name), f"/desk?{view.query}{own}", is_current, view.id, view.is_shared)
