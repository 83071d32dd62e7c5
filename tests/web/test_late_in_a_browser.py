"""Broken promises, waits and longer times in Chromium: looked at, listened to (axe), in both languages and themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.web.browsing import chromium, faults_of
from tests.web.conftest import Keep, Served
from tests.web.late import tell_of_promises
from tests.web.looks import TWO_LOOKS, Theme

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
    chromium: Browser, late: Served, keep: Keep, width: int, theme: Theme, language: str
) -> None:
    assert faults_of(chromium, late, keep, surfaces(late), (width, theme, language), unfold=_open_clocks) == []


def _open_clocks(page: Page, _: str) -> None:
    page.evaluate("for (const one of document.querySelectorAll('.clocks details')) one.open = true")
