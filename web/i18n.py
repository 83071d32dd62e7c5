"""The pages' words: English in the source, Simplified Chinese from `locale/zh_CN.po`, read once at start-up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from lian.domain.labels import LANGUAGES, Language

FOLDER = Path(__file__).parent
CATALOGUE = FOLDER / "locale" / "zh_CN.po"
REFUSAL = "refusal"
"""Context of the sentences in which services refuse something; `{0}` stands for what differs."""
_HOLE = re.compile(r"\{\d\}")


def mark(msgid: str) -> str:
    """Mark a text for translation that is looked up later."""
    return msgid


@cache
def catalogue() -> Catalog:
    """The Chinese catalogue."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_CN")


@cache
def _chinese() -> dict[tuple[str, str], str]:
    return dict(_entries(catalogue()))


def _entries(found: Catalog) -> Iterator[tuple[tuple[str, str], str]]:
    for message in found:
        if not message.id:
            continue
        singular = message.id if isinstance(message.id, str) else message.id[0]
        words = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
        yield (message.context or "", singular), words or singular


def translate(language: Language, msgid: str, **values: object) -> str:
    """The text in the reader's language, its holes filled in."""
    words = _chinese().get(("", msgid), msgid) if language == "zh-CN" else msgid
    return words.format(**values) if values else words


def translate_count(language: Language, one: str, many: str, n: int, **values: object) -> str:
    """The text for a number of things; Chinese has one form for all."""
    words = _chinese().get(("", one), many) if language == "zh-CN" else one if n == 1 else many
    return words.format(n=n, **values)


@dataclass(frozen=True, slots=True)
class _Pattern:
    english: re.Pattern[str]
    chinese: str


@cache
def _patterns() -> tuple[_Pattern, ...]:
    found = [
        (msgid, words) for (context, msgid), words in _chinese().items() if context == REFUSAL and _HOLE.search(msgid)
    ]
    return tuple(_Pattern(_as_pattern(msgid), words) for msgid, words in found)


def _as_pattern(msgid: str) -> re.Pattern[str]:
    return re.compile("(.*)".join(map(re.escape, _HOLE.split(msgid))), re.DOTALL)


def translate_refusal(language: Language, sentence: str) -> str | None:
    """A service's refusal in the reader's language; None when the catalogue does not know it."""
    if language != "zh-CN":
        return sentence
    exact = _chinese().get((REFUSAL, sentence))
    if exact:
        return exact
    for pattern in _patterns():
        hit = pattern.english.fullmatch(sentence)
        if hit:
            return pattern.chinese.format(*(translate_refusal(language, part) or part for part in hit.groups()))
    return None


def is_language(value: str | None) -> bool:
    """Whether this names a language we speak."""
    return value in LANGUAGES


def preferred_language(accept_language: str) -> Language:
    """The first of our languages in an Accept-Language header, by its weight; Chinese when none is there."""
    weighted: list[tuple[float, Language]] = []
    for place, part in enumerate(accept_language.split(",")[:20]):
        tag, _, rest = part.strip().partition(";")
        language: Language | None = "zh-CN" if tag[:2].lower() == "zh" else "en" if tag[:2].lower() == "en" else None
        if language:
            weighted.append((_weight(rest) - place / 1000, language))
    return max(weighted)[1] if weighted else "zh-CN"


def _weight(parameters: str) -> float:
    found = re.search(r"q=([01](?:\.\d{1,3})?)", parameters)
    return float(found[1]) if found else 1.0
