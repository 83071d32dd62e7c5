"""Bulk orders in Chromium: looked at, listened to (axe), with and without script, in both languages (TSK-1)."""

from __future__ import annotations

from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from lian.auth.actor import Actor
from lian.db.tables import Staff
from lian.domain.bulk import BulkVerb
from lian.services import desk
from lian.services.desk import bulk_work
from lian.services.desk.bulk import Wanted, cancel_bulk, order_bulk, preview_bulk, undo_bulk
from lian.services.desk.bulk_verbs import Given
from lian.services.desk.bulk_work import Worked, work_on
from tests.web.browsing import Watch, chromium, is_wider, serious, somebody
from tests.web.conftest import Keep, Served
from tests.web.looks import TWO_LOOKS, Theme
from tests.web.scenery import actor

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.req("TSK-1")]

TASKS = (
    *("fresh0.initial_review", "fresh1.initial_review", "fresh2.initial_review", "overdue.initial_review"),
    *("authority.authorise", "assessment.assess_loss"),
)
WIDTHS = (390, 768, 1024, 1440, 1920)


def lead(served: Served) -> Actor:
    """Li, who reviews as well."""

    async def found() -> Actor:
        async with served.context.transaction() as session:
            staff = await session.get_one(Staff, UUID(served.scene.staff["li"].removeprefix("staff:")))
            staff.roles = ["team_lead", "claims_adjuster_senior"]
        return await actor(served.scene, "li")

    return served.ask(found())


async def looked(served: Served, li: Actor) -> UUID:
    """A preview: three reviews for Chen, and others that are not for her."""
    tasks = [served.scene.tasks[name] for name in TASKS]
    wanted = Wanted(verb=BulkVerb.REASSIGN, given=Given(to="chen", why="王敏休假"), task_ids=tasks)
    return (await preview_bulk(served.context, li, wanted)).order.id


async def ordered(served: Served, li: Actor, *, tasks_done: int = 0) -> UUID:
    """An order under way, of which some tasks are done."""
    order_id = await looked(served, li)
    await order_bulk(served.context, li, order_id, key=str(order_id))
    before, bulk_work.ITEMS_PER_CALL = bulk_work.ITEMS_PER_CALL, tasks_done
    await work_on(served.context, order_id, 0, beat=lambda: None)
    bulk_work.ITEMS_PER_CALL = before
    return order_id


async def worked(served: Served, order_id: UUID) -> None:
    while await work_on(served.context, order_id, 0, beat=lambda: None) is Worked.ON:
        pass


async def taken_back(served: Served, li: Actor, order_id: UUID) -> None:
    """After Chen gave one of them back herself."""
    chen = await actor(served.scene, "chen")
    await desk.release_task(served.context, chen, served.scene.tasks[TASKS[0]])
    await undo_bulk(served.context, li, order_id)
    await worked(served, order_id)


def ask_for(page: Page, served: Served, verb: str) -> None:
    """Press a verb's button over ticked rows, as a list of the desk does."""
    inputs = "".join(f'<input name=task value="{served.scene.tasks[name]}">' for name in TASKS)
    page.goto(f"{served.url}/desk/bulk")
    page.evaluate(
        """html => { const form = document.createElement('form'); form.method = 'post'; form.action = '/desk/bulk';
        form.innerHTML = html; document.body.append(form); form.submit(); }""",
        f'{inputs}<input name=verb value="{verb}">',
    )
    page.locator("#h-needs, #h-order").first.wait_for()


@pytest.mark.parametrize(("width", "theme", "language"), TWO_LOOKS)
def test_every_page_of_a_bulk_order_opens_cleanly(
    chromium: Browser, served: Served, keep: Keep, width: int, theme: Theme, language: str
) -> None:
    faults: list[str] = []
    li, context = lead(served), somebody(chromium, served, width=width, language=language, theme=theme, who="li")
    watch, page = Watch(served.url), context.new_page()
    watch.over(page)

    def look(name: str) -> None:
        keep(page, f"bulk-{name}-{width}-{language[:2]}-{theme}")
        faults.extend(f"{name}: {words}" for words in serious(page))
        faults.extend(f"{name}: wider than {w}" for w in too_wide(page, width))

    for verb in ("reassign", "hold", "prioritise", "request_documents"):
        ask_for(page, served, verb)
        look(f"needs-{verb}")
    page.goto(f"{served.url}/desk/bulk/{served.ask(looked(served, li))}")
    look("preview")
    order_id = served.ask(ordered(served, li, tasks_done=2))
    page.goto(f"{served.url}/desk/bulk/{order_id}")
    look("under-way")
    served.ask(worked(served, order_id))
    page.locator(".tag-ok").first.wait_for()
    page.get_by_role("button", name="Take it back" if language == "en" else "撤回").wait_for(timeout=15_000)
    look("finished")
    served.ask(taken_back(served, li, order_id))
    page.goto(f"{served.url}/desk/bulk/{order_id}")
    look("taken-back")
    stopped = served.ask(ordered(served, li, tasks_done=1))
    served.ask(cancel_bulk(served.context, li, stopped))
    page.goto(f"{served.url}/desk/bulk/{stopped}")
    look("stopped")
    page.goto(f"{served.url}/desk/bulk")
    look("list")
    served.ask(undone(served, li, stopped))
    context.close()
    assert [*faults, *watch.complaints] == []


async def undone(served: Served, li: Actor, order_id: UUID) -> None:
    await undo_bulk(served.context, li, order_id)
    await worked(served, order_id)


def too_wide(page: Page, width: int) -> list[int]:
    """At which of the usual widths the page must be moved sideways."""
    found = []
    for each in WIDTHS:
        page.set_viewport_size({"width": each, "height": 900})
        found += [each] if is_wider(page) else []
    page.set_viewport_size({"width": width, "height": 900})
    return found


def test_an_order_is_given_watched_and_stopped_without_script(chromium: Browser, served: Served) -> None:
    context = somebody(chromium, served, width=1440, language="en", who="li", script=False)
    page = context.new_page()
    page.goto(f"{served.url}/desk/bulk/{served.ask(looked(served, lead(served)))}")
    page.get_by_role("button", name="Do it as shown").click()
    page.get_by_role("link", name="Show the latest").click()
    page.get_by_role("button", name="Stop before the next task").click()
    assert "Stopped" in page.locator("#h-progress").inner_text()
    assert_reached(context, page)


def assert_reached(context: BrowserContext, page: Page) -> None:
    page.locator("a.filter").nth(1).click()
    assert "state=" in page.url
    context.close()
