"""Reading a policy pack from its YAML: plain data, strictly checked, and refused in words that name the place.

The same reading serves shipped packs, drafts and published versions. No anchors, no tags, no key twice: what a pack
says must be what a person reads in it.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import yaml
from pydantic import ValidationError

from lian.services.pack_schema import BadPack, Pack
from lian.services.plain_words import sentence

LONGEST = 200_000
"""Characters of a pack's text."""
_STUMBLES = (ValueError, OverflowError, RecursionError, LookupError, AttributeError, TypeError)
"""What the YAML library raises itself over a value that is not what its tag says."""


@lru_cache(maxsize=128)
def read_pack(text: str) -> Pack:
    """The pack of a YAML text. Raises `BadPack`, naming clock and field, for anything that is not as it must be."""
    if len(text) > LONGEST:
        raise BadPack(f"A pack has at most {LONGEST:,} characters.")
    content = _content(text)
    try:
        return Pack.model_validate_json(_as_json(content))
    except ValidationError as wrong:
        raise BadPack(" ".join(_sentences(wrong, content))) from None


def _content(text: str) -> dict[str, Any]:
    try:
        content = yaml.load(text, Loader=_PlainLoader)  # noqa: S506  (a SafeLoader that refuses still more)
    except yaml.YAMLError as wrong:
        raise BadPack(f"This is not plain YAML: {_where(wrong)}.") from None
    except _STUMBLES as wrong:
        raise BadPack(f"This is not plain YAML: {type(wrong).__name__}.") from None
    if not isinstance(content, dict):
        raise BadPack("A pack is a list of named fields: id, version, title, kinds, effective_from, clocks.")
    return content


def _as_json(content: dict[str, Any]) -> str:
    """Read strictly as JSON, where words may stand for dates and names of units."""
    try:
        return json.dumps(content, default=_written, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise BadPack("A pack holds texts, whole numbers, dates, true or false, and lists of these.") from None


def _written(value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


class _PlainLoader(yaml.SafeLoader):
    """Refuses aliases, which let a small text grow without bound, and keys that stand twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            loader: Any = self
            mark = loader.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not used here", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str" or key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, "a field's name stands twice, or is no word", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _where(wrong: yaml.YAMLError) -> str:
    mark = getattr(wrong, "problem_mark", None)
    problem = getattr(wrong, "problem", None) or "it cannot be read"
    return f"{problem} (line {mark.line + 1})" if mark else str(problem)


def _sentences(wrong: ValidationError, content: Mapping[str, Any]) -> list[str]:
    found = [f"{_place(error['loc'], content)}{sentence(error)}" for error in wrong.errors(include_url=False)]
    return list(dict.fromkeys(found))[:5]


def _place(loc: Sequence[int | str], content: Mapping[str, Any]) -> str:
    """`Clock cn-claims.pay, field amount: `, from where Pydantic stumbled."""
    if len(loc) > 1 and loc[0] == "clocks" and isinstance(loc[1], int):
        clock = content["clocks"][loc[1]]
        named = clock.get("id") if isinstance(clock, dict) else None
        name = named if isinstance(named, str) and len(named) <= 120 else f"number {loc[1] + 1}"
        field = ".".join(str(part) for part in loc[2:])
        return f"Clock {name}, field {field}: " if field else f"Clock {name}: "
    field = ".".join(str(part) for part in loc)
    return f"Field {field}: " if field else ""
