"""Drafts and calendars in Chromium: looked at, listened to (axe), in both languages, on a phone and a desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.services.promised import house
from tests.web.browsing import Watch, chromium, is_wider, serious, somebody
from tests.web.conftest import Keep, Served
from tests.web.looks import TWO_LOOKS, Theme
from tests.web.test_what_if import CALENDARS, WHAT_IF, YEAR, uncovered, under_law

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.req("CLM-12")]


@pytest.fixture(scope="module")
def law(served: Served) -> Served:
    """Open cases that count in China's calendar, one of them beyond it."""
    served.ask(under_law(served.scene))
    served.ask(uncovered(served.scene, "assessment"))
    return served


@pytest.mark.parametrize(("width", "theme", "language"), TWO_LOOKS)
def test_every_page_of_plans_opens_cleanly(
    chromium: Browser, law: Served, keep: Keep, width: int, theme: Theme, language: str
) -> None:
    faults: list[str] = []
    context = somebody(chromium, law, width=width, language=language, theme=theme, who="ops")
    watch, page = Watch(law.url), context.new_page()
    watch.over(page)

    def look(name: str) -> None:
        keep(page, f"{name}-{width}-{language[:2]}-{theme}")
        faults.extend(f"{name}: {words}" for words in serious(page))
        faults.extend([f"{name}: wider than the screen"] if is_wider(page) else [])

    for name, address in {"calendars": CALENDARS, "calendar-year": YEAR, "operations-uncovered": "/operations"}.items():
        page.goto(law.url + address)
        look(name)
    drafted(page, law.url)
    look("what-if")
    context.close()
    assert [*faults, *watch.complaints] == []


def drafted(page: Page, url: str) -> None:
    """A draft read from a file, and what it would do."""
    page.goto(url + WHAT_IF)
    file = {"name": "draft.yaml", "mimeType": "text/plain", "buffer": house(total=2).encode()}
    page.locator('[data-into="f-policy"]').set_input_files(file)  # type: ignore[arg-type]
    page.wait_for_function("document.getElementById('f-policy').value.includes('house-standard')")
    page.locator("main form button.primary").click()
    page.locator("#h-load").wait_for()


@pytest.mark.parametrize(("width", "theme", "language"), TWO_LOOKS)
def test_a_revised_year_is_previewed(
    chromium: Browser, law: Served, keep: Keep, width: int, theme: Theme, language: str
) -> None:
    context = somebody(chromium, law, width=width, language=language, theme=theme, who="admin")
    page = context.new_page()
    page.goto(law.url + YEAR)
    page.locator("#f-date-1").fill("2026-12-07" if width == 390 else "2026-12-08")  # YEAR is 2026
    page.locator("#f-name-1").fill("Day of mourning")
    page.locator("#f-reason").fill("国务院公告")
    page.locator("main form button.primary").click()
    page.locator(".flash a").wait_for()
    keep(page, f"calendar-revised-{width}-{language[:2]}-{theme}")
    page.locator(".flash a").click()
    page.locator("#h-apply").wait_for()
    keep(page, f"calendar-apply-{width}-{language[:2]}-{theme}")
    assert serious(page) == []
    assert not is_wider(page)
    context.close()
