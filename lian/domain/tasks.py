"""Human tasks as data: the question, who may answer, and the shape of the answer.

An outcome is a dataclass whose fields carry their words; forms, API schema and validation all come from it. Personal
fields of an outcome never enter the process: the desk stores them and passes on only what they mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol

from lian.domain.errors import Invalid
from lian.domain.labels import Label

Widget = Literal["choice", "amount", "yes_no", "codes", "text", "line", "rows", "hidden", "name", "account"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """How one field of an outcome is asked."""

    label: Label
    widget: Widget
    help: Label | None = None
    options: dict[str, Label] = field(default_factory=dict)
    personal: bool = False


def question(label: Label, widget: Widget, **more: Any) -> Any:
    """A dataclass field that knows how to ask for itself. `default` makes it optional."""
    keys = {k: more.pop(k) for k in ("help", "options", "personal") if k in more}
    return field(metadata={"question": Question(label, widget, **keys)}, **more)


def questions(outcome: type[Any]) -> dict[str, Question]:
    """The questions of an outcome, in order."""
    return {f.name: f.metadata["question"] for f in fields(outcome) if "question" in f.metadata}


def accept_any(outcome: Any, ask: Json) -> None:
    """The check of a task whose outcome needs none beyond its types."""


def need_words(text: str, field: str) -> None:
    """Raise `Invalid` for a text that says nothing, in words every kind can use."""
    if not text.strip():
        raise Invalid("Please fill this in.", field=field)


def check_offered(value: str, ask: Json, name: str) -> None:
    """Only what the form offered, which depends on the case."""
    if value not in {option["value"] for option in ask["options"][name]}:
        raise Invalid("That is not one of the choices.", field=name)


class Form(Protocol):
    """What a form is made from: a task's, an action's or an intake's definition."""

    @property
    def outcome(self) -> type[Any]:
        """The dataclass of the answer."""

    @property
    def rows(self) -> dict[str, type[Any]]:
        """For each `rows` field, the dataclass of one row."""


@dataclass(frozen=True, slots=True)
class TaskKind:
    """One kind of task. `check(outcome, ask)` raises `Invalid` when the answer breaks a rule of the procedure.

    `by_customer`: the customer may answer it in the tracker. `needs_notes`: the reasons must be written down.
    """

    id: str
    label: Label
    help: Label
    queue: str
    permission: str
    outcome: type[Any]
    check: Callable[[Any, Json], None] = accept_any
    rows: dict[str, type[Any]] = field(default_factory=dict)
    """For each `rows` field, the dataclass of one row."""
    by_customer: bool = False
    needs_notes: bool = False
    decision: str = "claim"
    """Which authority limit counts for it (CLM-9)."""
    on: Literal["process", "desk"] = "process"
    """Where it is answered: a `desk` task is one that the process opens and does not wait for."""
    replies_with: str = ""
    """The personal text of the answer that is written to the customer; the process gets the message's id instead."""


@dataclass(frozen=True, slots=True)
class ActionKind:
    """Something people may do on a case of their own accord, beside its tasks.

    `on` says where it is done: `process` for what the procedure must know, `desk` for what it need not. On an open case
    it may be done in `stages` (empty: in all); on a closed one only when its outcome is among `revives`: then the case
    lives again for what follows from it. `permission` is staff's; `by_customer` lets the customer do it, too.
    """

    id: str
    label: Label
    help: Label
    permission: str
    outcome: type[Any]
    on: Literal["process", "desk"] = "process"
    check: Callable[[Any, Json], None] = accept_any
    rows: dict[str, type[Any]] = field(default_factory=dict)
    by_customer: bool = False
    needs_notes: bool = False
    stages: frozenset[str] = frozenset()
    revives: frozenset[str] = frozenset()
    when_closed: bool = False
    """A desk action that a closed case allows as well."""
    has_preview: bool = False
    """Its effects are shown before it is done."""
    decision: str = "claim"
    """Which authority limit counts for it (CLM-9)."""


NOTES = Question(Label("Notes", "备注"), "text", personal=True)
"""Every task may be answered with notes; they are personal data and stay out of the process."""
