"""The form of an answer, a report or an action: made from the outcome's own definition (idea 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

from pydantic import Field, TypeAdapter

from api.wire import Out, Words
from lian.domain.claims.checklist import DOCUMENT_LABELS
from lian.domain.labels import Label
from lian.domain.tasks import Form, Widget, questions


class OptionOut(Out):
    """One choice."""

    value: str
    label: Words


class QuestionOut(Out):
    """How one field of the outcome is asked."""

    name: str
    label: Words
    help: Words | None
    widget: Widget
    required: bool
    personal: bool
    options: list[OptionOut]
    rows: list[QuestionOut] = Field(description="For `rows`: the questions of one row; `ask.rows` has the rows.")


class FormOut(Out):
    """What an answer looks like."""

    outcome_schema: dict[str, Any] = Field(description="JSON schema of `outcome`.")
    questions: list[QuestionOut]


def form_of(kind: Form, ask: dict[str, Any]) -> FormOut:
    """A form; what may be chosen can depend on what is asked."""
    offered = _offered(ask)
    return FormOut(
        outcome_schema=schema_of(kind),
        questions=[
            question.model_copy(update={"rows": _questions(kind.rows.get(question.name), offered)})
            for question in _questions(kind.outcome, offered)
        ],
    )


def _offered(ask: dict[str, Any]) -> dict[str, dict[str, Label]]:
    """What may be chosen here and now, by the question's name; the checklist is every `codes` question's."""
    known = {
        name: {one["value"]: Label(one["en"], one["zh"]) for one in options}
        for name, options in ask.get("options", {}).items()
    }
    return known | {"": {code: DOCUMENT_LABELS[code] for code in ask.get("checklist", ()) if code in DOCUMENT_LABELS}}


def _questions(outcome: type[Any] | None, offered: dict[str, dict[str, Label]]) -> list[QuestionOut]:
    if outcome is None:
        return []
    optional = {f.name for f in fields(outcome) if f.default is not MISSING or f.default_factory is not MISSING}
    return [
        QuestionOut(
            name=name,
            label=Words.of(asked.label),
            help=Words.of(asked.help) if asked.help else None,
            widget=asked.widget,
            required=name not in optional,
            personal=asked.personal,
            options=_options((asked.options or offered.get("" if asked.widget == "codes" else name, {})).items()),
            rows=[],
        )
        for name, asked in questions(outcome).items()
    ]


def _options(labels: Iterable[tuple[str, Label]]) -> list[OptionOut]:
    return [OptionOut(value=value, label=Words.of(label)) for value, label in labels]


def schema_of(kind: Form) -> dict[str, Any]:
    """The outcome's JSON schema, without what the desk fills in itself."""
    return _schema(kind.outcome, tuple(kind.rows.values()))  # type: ignore[arg-type]


@cache
def _schema(outcome: type[Any], rows: tuple[type[Any], ...]) -> dict[str, Any]:
    """Made once: it takes longer than everything else that an answer with a form is made of."""
    schema = TypeAdapter(outcome).json_schema()
    _keep_asked(schema, outcome)
    for row in rows:
        _keep_asked(schema["$defs"][row.__name__], row)
    return schema


def _keep_asked(schema: dict[str, Any], outcome: type[Any]) -> None:
    properties = schema.get("properties", {})
    for name in properties.keys() - questions(outcome).keys():
        del properties[name]
