"""The team and absences in Chromium: looked at, listened to (axe), in both languages, on a phone and a desk."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import update
from sqlmodel import col

from lian.db.tables import Staff, Task
from lian.services import desk
from lian.services.desk import NewAbsence
from tests.web.browsing import Watch, chromium, is_wider, serious, somebody
from tests.web.conftest import Keep, Served
from tests.web.looks import TWO_LOOKS, Theme
from tests.web.scenery import actor

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.req("TSK-1", "TSK-4")]

TEAM, ABSENCES = "/desk/team", "/desk/absences"
WIDEST = 1920


@pytest.fixture(scope="module")
def busy(served: Served) -> Served:
    """Somebody has too much, some of it overdue; somebody is away, and another will be."""
    served.ask(_make_busy(served))
    return served


async def _make_busy(served: Served) -> None:
    context, scene = served.context, served.scene
    now = context.now()
    async with context.transaction() as session:
        await session.execute(update(Staff).where(col(Staff.username) == "wang").values(capacity=4))
        await session.execute(update(Staff).where(col(Staff.username) == "chen").values(capacity=20))
        wang = col(Task.holder) == scene.staff["wang"]
        await session.execute(update(Task).where(wang).values(act_by_at=now - timedelta(days=1)))
    for who, to, begin, days in (("service", "chen", -1, 9), ("chen", "li", 20, 5), ("li", "", 40, 3)):
        new = NewAbsence(
            away_from=now + timedelta(days=begin), away_until=now + timedelta(days=begin + days), substitute=to
        )
        await desk.note_absence(context, await actor(scene, who), new)


def _look(page: Page, keep: Keep, name: str) -> list[str]:
    """A picture to look at, and what is wrong with the page."""
    keep(page, f"{name}")
    faults = [f"{name}: {words}" for words in serious(page)]
    return faults + ([f"{name}: wider than the screen"] if is_wider(page) else [])


@pytest.mark.parametrize(("width", "theme", "language"), TWO_LOOKS)
def test_every_page_of_the_team_opens_cleanly(
    chromium: Browser, busy: Served, keep: Keep, width: int, theme: Theme, language: str
) -> None:
    look = f"{width}-{language[:2]}-{theme}"
    context = somebody(chromium, busy, width=width, language=language, theme=theme, who="li")
    watch, page = Watch(busy.url), context.new_page()
    watch.over(page)
    page.goto(busy.url + ABSENCES)
    faults = _look(page, keep, f"absences-{look}")
    page.goto(busy.url + TEAM)
    faults += _look(page, keep, f"team-{look}")
    page.locator("#f-of").select_option("wang")
    page.locator('input[name="to"][value="chen"]').check()
    page.locator("form[action='/desk/team/preview'] button.primary").click()
    page.locator("#h-proposal").wait_for()
    faults += _look(page, keep, f"team-proposal-{look}")
    page.set_viewport_size({"width": WIDEST, "height": 1080})
    faults += _look(page, keep, f"team-proposal-{WIDEST}-{language[:2]}-{theme}")
    context.close()
    assert [*faults, *watch.complaints] == []


def test_an_absence_is_noted_without_scripts(chromium: Browser, busy: Served, keep: Keep) -> None:
    context = somebody(chromium, busy, width=390, language="en", who="wang", script=False)
    page = context.new_page()
    page.goto(busy.url + ABSENCES)
    today = busy.context.today
    page.locator("#f-first").fill((today + timedelta(days=60)).isoformat())
    page.locator("#f-last").fill((today + timedelta(days=64)).isoformat())
    page.locator("#f-substitute").select_option("chen")
    page.get_by_role("button", name="Note it").click()
    assert "The absence is noted." in page.locator(".flash").inner_text()
    assert "陈思" in page.locator(".away").first.inner_text()
    page.locator("#f-first").fill((today + timedelta(days=62)).isoformat())
    page.locator("#f-last").fill((today + timedelta(days=62)).isoformat())
    page.get_by_role("button", name="Note it").click()
    assert "An absence is noted for this time already." in page.locator(".problem").inner_text()
    keep(page, "absences-refused-390-en-light")
    assert not is_wider(page)
    page.goto(busy.url + ABSENCES)
    page.get_by_role("button", name="Call off").click()
    assert "The absence has ended." in page.locator(".flash").inner_text()
    context.close()


def test_work_is_moved_as_shown(chromium: Browser, busy: Served, keep: Keep) -> None:
    context = somebody(chromium, busy, width=1440, language="en", who="li")
    page = context.new_page()
    page.goto(f"{busy.url}{TEAM}?of=wang#move")
    page.get_by_label("How many?").fill("2")
    page.locator('input[name="to"][value="chen"]').check()
    page.get_by_role("button", name="Show what would move").click()
    page.get_by_role("button", name="Move 2 tasks").click()
    page.locator(".flash").wait_for()
    keep(page, "team-moved-1440-en-light")
    assert "2 tasks were moved" in page.locator(".flash").inner_text()
    holders = busy.ask(
        _holders(busy, ("assessment.assess_loss", "adjudication.adjudicate", "settlement.agree_settlement"))
    )
    assert holders.count(busy.scene.staff["chen"]) == 2
    context.close()


async def _holders(served: Served, names: tuple[str, ...]) -> list[str]:
    ids: list[UUID] = [served.scene.tasks[name] for name in names]
    async with served.context.transaction() as session:
        return [(await session.get_one(Task, task_id)).holder for task_id in ids]
