"""Broken promises, waits and longer times in Chromium: looked at, listened to (axe), in both languages and themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.web.conftest import Served
from tests.web.late import tell_of_promises
from tests.web.looks import TWO_LOOKS, Theme
from tests.web.test_in_a_browser import Watch, chromium, is_wider, serious, somebody

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def late(served: Served) -> Served:
    """With promises that are out of the ordinary."""
    served.ask(tell_of_promises(served.scene))
    return served


def surfaces(served: Served) -> dict[str, tuple[str, str]]:
    cases, tasks = served.scene.cases, served.scene.tasks
    return {
        "operations-late": ("/operations", "ops"),
        "late": ("/operations/late", "ops"),
        "late-explained": ("/operations/late?show=explained", "ops"),
        "promises-paused": ("/operations/promises?state=running&clock=claim.total", "ops"),
        "task-lateness": (f"/desk/tasks/{tasks['slow.explain_lateness']}", "li"),
        "task-extension": (f"/desk/tasks/{tasks['appraised.approve_extension']}", "li"),
        "case-appraised": (f"/desk/cases/{cases['appraised']}", "wang"),
        "case-explained": (f"/desk/cases/{cases['explained0']}", "wang"),
        "case-beyond": (f"/desk/cases/{cases['beyond']}", "wang"),
        "do-end-wait": (f"/desk/cases/{cases['appraised']}/do/end_wait", "wang"),
        "do-start-wait": (f"/desk/cases/{cases['appraised']}/do/start_wait", "wang"),
        "track-appraised": (f"/track/{cases['appraised']}", "appraised"),
        "track-beyond": (f"/track/{cases['beyond']}", "beyond"),
    }


@pytest.mark.req("CLM-13")
@pytest.mark.parametrize(("width", "theme", "language"), TWO_LOOKS)
def test_every_page_about_promises_opens_cleanly(
    chromium: Browser, late: Served, screenshots: Path, width: int, theme: Theme, language: str
) -> None:
    faults: list[str] = []
    people: dict[str, BrowserContext] = {}
    for name, (address, who) in surfaces(late).items():
        if who not in people:
            people[who] = somebody(chromium, late, width=width, language=language, theme=theme, who=who)
        watch, page = Watch(late.url), people[who].new_page()
        watch.over(page)
        answer = page.goto(late.url + address)
        assert answer is not None
        page.evaluate("for (const one of document.querySelectorAll('.clocks details')) one.open = true")
        page.screenshot(path=screenshots / f"{name}-{width}-{language[:2]}-{theme}.png", full_page=True)
        faults += [f"{name}: {answer.status}"] if answer.status != 200 else []
        faults += [f"{name}: {words}" for words in [*watch.complaints, *serious(page)]]
        faults += [f"{name}: wider than the screen"] if is_wider(page) else []
        page.close()
    for context in people.values():
        context.close()
    assert faults == []
