"""Words people read, in both languages, kept beside the thing they name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")


@dataclass(frozen=True, slots=True)
class Label:
    """One name in English and in Simplified Chinese."""

    en: str
    zh: str

    def within(self, language: Language) -> str:
        """The name in the reader's language."""
        return self.zh if language == "zh-CN" else self.en
