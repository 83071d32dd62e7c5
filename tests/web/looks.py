"""In which looks pages are opened in a browser: each language, theme and width at least once."""

from __future__ import annotations

from typing import Literal

Theme = Literal["light", "dark"]
Look = tuple[int, Theme, str]
"""Width in pixels, theme, language."""

TWO_LOOKS: list[Look] = [(390, "light", "zh-CN"), (1440, "dark", "en")]
