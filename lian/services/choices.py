"""Choices that depend on the case, as an action's `ask` lists them under `options`."""

from __future__ import annotations

from uuid import UUID

from lian.domain.labels import Label

Option = dict[str, str]


def option(value: str | UUID, label: Label, *more: str) -> Option:
    """One choice in both languages; `more` is what follows its words in either, such as a name or an amount."""
    rest = [part for part in more if part]
    return {"value": str(value), "en": " · ".join([label.en, *rest]), "zh": " · ".join([label.zh, *rest])}
