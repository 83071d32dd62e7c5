"""Which browser on this machine the browser tests can drive."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
ABSENT = "no Chromium on this machine (LIAN_BROWSER names one elsewhere)"


def find_browser() -> Path | None:
    """LIAN_BROWSER, else the first Chromium or Chrome found; None when there is none."""
    named = os.environ.get("LIAN_BROWSER")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return Path(found)
    return MAC if MAC.exists() else None
