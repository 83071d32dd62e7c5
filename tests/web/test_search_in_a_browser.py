"""The search page in Chromium: looked at, listened to (axe), in both languages and themes; found by keys alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.web.conftest import Served
from tests.web.looks import TWO_LOOKS, Theme
from tests.web.test_in_a_browser import HEIGHTS, Watch, chromium, is_wider, serious, somebody

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.req("TSK-1")]

WIDEST = 1920
LOOKED_FOR = {"found": "?q=l", "none": "?q=zzzz", "empty": "", "wrong": f"?q={'x' * 81}"}


@pytest.mark.parametrize(("width", "theme", "language"), [*TWO_LOOKS, (WIDEST, "light", "en")])
def test_the_page_opens_cleanly_in_every_look(
    chromium: Browser, served: Served, screenshots: Path, width: int, theme: Theme, language: str
) -> None:
    HEIGHTS.setdefault(WIDEST, 1080)
    faults: list[str] = []
    context = somebody(chromium, served, width=width, language=language, theme=theme, who="wang")
    for name, query in LOOKED_FOR.items():
        watch, page = Watch(served.url), context.new_page()
        watch.over(page)
        answer = page.goto(f"{served.url}/desk/search{query}")
        assert answer is not None
        page.screenshot(path=screenshots / f"search-{name}-{width}-{language[:2]}-{theme}.png", full_page=True)
        expected = 422 if name == "wrong" else 200
        faults += [f"{name}: {answer.status}"] if answer.status != expected else []
        complaints = [words for words in watch.complaints if "422" not in words]
        faults += [f"{name}: {words}" for words in [*complaints, *serious(page)]]
        faults += [f"{name}: wider than the screen"] if is_wider(page) else []
        page.close()
    context.close()
    assert faults == []


def test_a_key_and_a_name_lead_to_the_case_without_the_mouse(chromium: Browser, served: Served) -> None:
    context = somebody(chromium, served, width=1440, language="en", who="wang")
    page = context.new_page()
    page.goto(served.url + "/desk")
    page.keyboard.press("/")
    page.keyboard.type(served.scene.cases["paid"][-6:])
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/search?q=*")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/cases/{served.scene.cases['paid']}")
    context.close()
