"""What is wrong with an input, in plain words: Pydantic's own would quote what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BY_TYPE = {
    "missing": "This is required.",
    "extra_forbidden": "There is a field here that we do not know.",
    "string_type": "This must be text.",
    "string_unicode": "The text has characters that cannot be stored.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "list_type": "This must be a list.",
    "tuple_type": "This must be a list.",
    "dict_type": "This must be an object.",
    "dataclass_type": "This must be an object.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be a JSON object (Content-Type: application/json).",
}
_BY_BEGINNING = (
    ("int_", "This must be a whole number."),
    ("decimal_", "This must be an amount such as 1200.50."),
    ("finite_", "This must be an amount such as 1200.50."),
    ("uuid_", "This must be an id."),
    ("datetime_", "This must be a moment with its zone, such as 2026-01-31T08:00:00Z."),
    ("timezone_", "This must be a moment with its zone, such as 2026-01-31T08:00:00Z."),
    ("date_", "This must be a date such as 2026-01-31."),
    ("string_pattern", "This is not written as it should be."),
)
_WITH_BOUNDS = {
    "string_too_long": "At most {max_length} characters.",
    "string_too_short": "At least {min_length} characters.",
    "too_long": "At most {max_length} entries.",
    "too_short": "At least {min_length} entries.",
    "greater_than_equal": "At least {ge}.",
    "less_than_equal": "At most {le}.",
    "enum": "This must be one of {expected}.",
    "literal_error": "This must be one of {expected}.",
}


def sentence(error: Mapping[str, Any]) -> str:
    """One error of Pydantic in our own words: its own would quote what was sent."""
    kind, about = str(error["type"]), error.get("ctx") or {}
    if kind in _WITH_BOUNDS:
        return _WITH_BOUNDS[kind].format(**about)
    if kind == "value_error":
        return str(about["error"])  # raised by our own validators only, in our own words
    by_beginning = (words for beginning, words in _BY_BEGINNING if kind.startswith(beginning))
    return _BY_TYPE.get(kind) or next(by_beginning, "This value is not valid.")
