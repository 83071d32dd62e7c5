"""How a promise was counted, in Chromium: looked at, listened to (axe), in both languages, on a phone and a desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.web.browsing import chromium, faults_of, somebody
from tests.web.conftest import Keep, Served
from tests.web.looks import TWO_LOOKS, Theme
from tests.web.test_explaining import promise

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.req("CLM-12")]


@pytest.fixture(scope="module")
def autumn(served: Served) -> Served:
    """With promises over holidays."""
    served.ask(promise(served.scene, "waiting"))
    return served


@pytest.mark.parametrize(("width", "theme", "language"), TWO_LOOKS)
def test_every_explanation_opens_cleanly(
    chromium: Browser, autumn: Served, keep: Keep, width: int, theme: Theme, language: str
) -> None:
    file = f"/desk/cases/{autumn.scene.cases['waiting']}"
    pages = {
        "explain-days": (f"{file}/clocks/claim.total%232", "wang"),
        "explain-hours": (f"{file}/clocks/claim.initial_review%232", "wang"),
        "explain-rolled": (f"{file}/clocks/claim.complex%232", "wang"),
        "explain-paused": (f"{file}/clocks/claim.total", "wang"),
    }
    assert faults_of(chromium, autumn, keep, pages, (width, theme, language)) == []


def test_it_is_reached_from_the_case_and_leads_back(chromium: Browser, autumn: Served) -> None:
    context = somebody(chromium, autumn, width=1440, language="en", who="wang")
    page = context.new_page()
    number = autumn.scene.cases["waiting"]
    page.goto(f"{autumn.url}/desk/cases/{number}")
    promise_of = page.locator(".clocks > li", has_text="Whole claim (after reopening 1)")
    promise_of.locator("summary").click()
    promise_of.get_by_role("link", name="How was this counted?").click()
    page.get_by_role("heading", name="Day by day").wait_for()
    page.get_by_role("main").get_by_role("link", name=number).click()
    page.get_by_role("heading", name="Promises").wait_for()
    context.close()
