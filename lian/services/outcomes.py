"""A task's answer, from JSON to its typed outcome."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from lian.domain.errors import Invalid
from lian.domain.tasks import Json, TaskKind

_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(outcome: type[Any]) -> TypeAdapter[Any]:
    if outcome not in _ADAPTERS:
        _ADAPTERS[outcome] = TypeAdapter(outcome)
    return _ADAPTERS[outcome]


def parse_outcome(kind: TaskKind, raw: Json) -> Any:
    """The typed outcome. Raises `Invalid` naming the field, never repeating what was sent."""
    try:
        return _adapter(kind.outcome).validate_python(raw)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        raise Invalid(first["msg"], field=".".join(map(str, first["loc"]))) from None


def dump_outcome(outcome: Any) -> Json:
    """The outcome as JSON values."""
    dumped: Json = _adapter(type(outcome)).dump_python(outcome, mode="json")
    return dumped
