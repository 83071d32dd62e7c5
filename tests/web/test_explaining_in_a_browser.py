"""How a promise was counted, in Chromium: looked at, listened to (axe), in both languages, on a phone and a desk."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.web.conftest import Served
from tests.web.looks import TWO_LOOKS, Theme
from tests.web.test_explaining import promise
from tests.web.test_in_a_browser import Watch, chromium, is_wider, serious, somebody

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.req("CLM-12")]


@pytest.fixture(scope="module")
def autumn(served: Served) -> Served:
    """With promises over holidays."""
    served.ask(promise(served.scene, "waiting"))
    return served


@pytest.mark.parametrize(("width", "theme", "language"), TWO_LOOKS)
def test_every_explanation_opens_cleanly(
    chromium: Browser, autumn: Served, screenshots: Path, width: int, theme: Theme, language: str
) -> None:
    faults: list[str] = []
    file = f"{autumn.url}/desk/cases/{autumn.scene.cases['waiting']}"
    context = somebody(chromium, autumn, width=width, language=language, theme=theme, who="wang")
    for name, clock in {
        "explain-days": "claim.total%232",
        "explain-hours": "claim.initial_review%232",
        "explain-rolled": "claim.complex%232",
        "explain-paused": "claim.total",
    }.items():
        watch, page = Watch(autumn.url), context.new_page()
        watch.over(page)
        answer = page.goto(f"{file}/clocks/{clock}")
        assert answer is not None
        page.screenshot(path=screenshots / f"{name}-{width}-{language[:2]}-{theme}.png", full_page=True)
        faults += [f"{name}: {answer.status}"] if answer.status != 200 else []
        faults += [f"{name}: {words}" for words in [*watch.complaints, *serious(page)]]
        faults += [f"{name}: wider than the screen"] if is_wider(page) else []
        page.close()
    context.close()
    assert faults == []


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
