"""Human tasks as data: the question, who may answer, and the shape of the answer.

An outcome is a dataclass whose fields carry their words; forms, API schema and validation all come from it. Personal
fields of an outcome never enter the process: the desk stores them and passes on only what they mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from lian.domain.labels import Label

Widget = Literal["choice", "amount", "yes_no", "codes", "text", "rows", "hidden", "name", "account"]
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


@dataclass(frozen=True, slots=True)
class TaskKind:
    """One kind of task. `check(outcome, ask)` raises `Invalid` when the answer breaks a rule of the procedure."""

    id: str
    label: Label
    help: Label
    queue: str
    permission: str
    outcome: type[Any]
    check: Callable[[Any, Json], None] = accept_any
    rows: dict[str, type[Any]] = field(default_factory=dict)
    """For each `rows` field, the dataclass of one row."""


NOTES = Question(Label("Notes", "备注"), "text", personal=True)
"""Every task may be answered with notes; they are personal data and stay out of the process."""
