"""A task's answer, from JSON to its typed outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lian.domain.errors import Invalid
from lian.domain.money import cents
from lian.domain.tasks import Form, Json, questions
from lian.services.plain_words import sentence

LONGEST_TEXT = 400
LONGEST_WORDS = 4000
"""Of answers that are written in a text field of several lines."""
MOST_ROWS = 200
_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(outcome: type[Any]) -> TypeAdapter[Any]:
    if outcome not in _ADAPTERS:
        _ADAPTERS[outcome] = TypeAdapter(outcome)
    return _ADAPTERS[outcome]


def parse_outcome(kind: Form, raw: Json) -> Any:
    """The typed outcome. Raises `Invalid` naming the field, never repeating what was sent."""
    _refuse_unknown(kind.outcome, raw)
    for name, row in kind.rows.items():
        for given in _rows(raw.get(name)):
            _refuse_unknown(row, given)
    try:
        outcome = _adapter(kind.outcome).validate_python(raw)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        raise Invalid(sentence(first), field=".".join(map(str, first["loc"]))) from None
    long = _long(kind)
    for name, value in _values(outcome):
        _refuse_odd(name, value, LONGEST_WORDS if name in long else LONGEST_TEXT)
    return outcome


def _long(kind: Form) -> set[str]:
    asked = [questions(form) for form in (kind.outcome, *kind.rows.values())]
    return {name for each in asked for name, question in each.items() if question.widget == "text"}


def _rows(given: Any) -> list[Json]:
    return [row for row in given if isinstance(row, dict)] if isinstance(given, list | tuple) else []


def _refuse_unknown(outcome: type[Any], raw: Json) -> None:
    if not raw.keys() <= {f.name for f in fields(outcome)}:
        raise Invalid("There is a field here that this form does not ask for.")


def _values(outcome: Any) -> Iterator[tuple[str, Any]]:
    """Every single value of an outcome, rows and lists opened."""
    for field in fields(outcome):
        value = getattr(outcome, field.name)
        if isinstance(value, tuple):
            if len(value) > MOST_ROWS:
                raise Invalid(f"At most {MOST_ROWS} entries.", field=field.name)
            for entry in value:
                yield from _values(entry) if is_dataclass(entry) else [(field.name, entry)]
        else:
            yield field.name, value


def _refuse_odd(name: str, value: Any, longest: int) -> None:
    # Fractions of a cent would be one amount in the process and another in the database.
    if isinstance(value, Decimal) and cents(value) != value:
        raise Invalid("An amount has at most two decimals.", field=name)
    if isinstance(value, str) and len(value) > longest:
        raise Invalid(f"At most {longest} characters.", field=name)


def dump_outcome(outcome: Any) -> Json:
    """The outcome as JSON values."""
    dumped: Json = _adapter(type(outcome)).dump_python(outcome, mode="json")
    return dumped
