"""The search page in Chromium: looked at, listened to (axe), in both languages and themes; found by keys alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.web.browsing import HEIGHTS, chromium, faults_of, somebody
from tests.web.conftest import Keep, Served
from tests.web.looks import TWO_LOOKS, Theme

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.req("TSK-1")]

WIDEST = 1920
LOOKED_FOR = {"found": "?q=l", "none": "?q=zzzz", "empty": "", "wrong": f"?q={'x' * 81}"}


@pytest.mark.parametrize(("width", "theme", "language"), [*TWO_LOOKS, (WIDEST, "light", "en")])
def test_the_page_opens_cleanly_in_every_look(
    chromium: Browser, served: Served, keep: Keep, width: int, theme: Theme, language: str
) -> None:
    HEIGHTS.setdefault(WIDEST, 1080)
    pages = {f"search-{name}": (f"/desk/search{query}", "wang") for name, query in LOOKED_FOR.items()}
    assert faults_of(chromium, served, keep, pages, (width, theme, language), refused={"search-wrong": 422}) == []


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
