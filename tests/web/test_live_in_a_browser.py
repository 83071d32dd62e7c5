"""Open pages in Chromium follow what others do, in all tabs, and never take anything out of somebody's hands."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from lian.auth.actor import Actor
from lian.services import accounts, desk, tracking
from lian.services.presence import say_present
from tests.cast import reported_claim
from tests.web.browsing import Watch, chromium, is_wider, serious, somebody
from tests.web.conftest import Keep, Served
from tests.web.looks import TWO_LOOKS, Theme
from tests.web.scenery import PASSWORD, actor, customer

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.req("TSK-1")]

PATIENCE = 30_000
LISTENING = "() => window.__listening"
BEFORE = """
const Source = EventSource;
window.EventSource = class extends Source {
  constructor(address) {
    super(address);
    this.addEventListener("beat", () => { window.__listening = true; window.__leads = true; });
  }
};
new BroadcastChannel("lian-live").onmessage = ({ data }) => { if ("at" in data) window.__listening = true; };
"""
"""A page says when it hears, and whether it is the one with the connection."""


@pytest.fixture(scope="module")
def cast(served: Served) -> dict[str, Actor]:
    """People as the services know them, who work without a browser."""
    return {name: served.ask(actor(served.scene, name)) for name in ("wang", "chen", "li")}


@contextmanager
def person(chromium: Browser, served: Served, who: str) -> Iterator[BrowserContext]:
    """Somebody at a desk of their own."""
    context = somebody(chromium, served, width=1440, language="en", who=who)
    context.add_init_script(BEFORE)
    yield context
    context.close()


def open_page(context: BrowserContext, served: Served, address: str) -> tuple[Page, Watch]:
    """A page that follows; the first of a browser opens the connection, others wait for a word of it."""
    page, watch = context.new_page(), Watch(served.url)
    watch.over(page)
    page.goto(served.url + address)
    return page, watch


def listening(page: Page) -> Page:
    page.wait_for_function(LISTENING, timeout=PATIENCE)
    return page


def row(page: Page, task_id: UUID, section: str) -> str:
    return f'[data-live="{section}"] tr[data-id="{task_id}"]'


def test_a_list_follows_what_a_colleague_takes_within_a_second(
    chromium: Browser, served: Served, cast: dict[str, Actor]
) -> None:
    task, took = served.scene.tasks["fresh0.initial_review"], []
    with person(chromium, served, "wang") as mine, person(chromium, served, "chen") as theirs:
        page, watch = open_page(mine, served, "/desk")
        waiting = page.locator(row(listening(page), task, "waiting"))
        other, _ = open_page(theirs, served, f"/desk/tasks/{task}")
        other.get_by_role("button", name="Take it on").click(no_wait_after=True)
        expect(waiting).to_have_count(0, timeout=PATIENCE)
        for verb, rows in ((desk.release_task, 1), (desk.claim_task, 0), (desk.release_task, 1)):
            page.wait_for_timeout(1_500)
            served.ask(verb(served.context, cast["chen"], task))
            begun = time.perf_counter()
            expect(waiting).to_have_count(rows, timeout=PATIENCE)
            took.append(round(1000 * (time.perf_counter() - begun)))
        logging.getLogger(__name__).warning("lists followed %s ms after the commit", took)
        assert watch.complaints == []


def test_eight_tabs_of_one_browser_follow_over_one_connection(
    chromium: Browser, served: Served, cast: dict[str, Actor]
) -> None:
    task = served.scene.tasks["fresh1.initial_review"]
    with person(chromium, served, "wang") as context:
        opened = [open_page(context, served, "/desk")[0] for _ in range(8)]
        listening(opened[0])
        opened[-1].wait_for_timeout(1_500)
        assert sum(page.evaluate("() => Boolean(window.__leads)") for page in opened) == 1
        served.ask(desk.claim_task(served.context, cast["chen"], task))
        for page in opened:
            expect(page.locator(row(page, task, "waiting"))).to_have_count(0, timeout=PATIENCE)
        leader = next(page for page in opened if page.evaluate("() => Boolean(window.__leads)"))
        left = [page for page in opened if page is not leader]
        leader.close()
        left[0].wait_for_function("() => true")
        deadline = time.monotonic() + 5
        while not any(page.evaluate("() => Boolean(window.__leads)") for page in left):
            assert time.monotonic() < deadline, "nobody took the connection over"
            left[0].wait_for_timeout(50)
        served.ask(desk.release_task(served.context, cast["chen"], task))
        for page in left:
            expect(page.locator(row(page, task, "waiting"))).to_have_count(1, timeout=PATIENCE)


def test_focus_ticks_and_scroll_stay_where_they_are(chromium: Browser, served: Served, cast: dict[str, Actor]) -> None:
    gone, kept = (served.scene.tasks[f"{name}.initial_review"] for name in ("fresh2", "fresh3"))
    with person(chromium, served, "li") as context:
        page, watch = open_page(context, served, "/desk?holder=%40none")
        page.set_viewport_size({"width": 1440, "height": 420})
        listening(page)
        page.locator(f'{row(page, kept, "list")} input[name="task"]').check()
        page.locator(f"{row(page, kept, 'list')} a.stretch").focus()
        page.evaluate("() => scrollTo(0, 120)")
        scrolled = page.evaluate("() => scrollY")
        served.ask(desk.claim_task(served.context, cast["chen"], gone))
        expect(page.locator(row(page, gone, "list"))).to_have_count(0, timeout=PATIENCE)
        assert page.evaluate("() => document.activeElement.closest('tr')?.dataset.id") == str(kept)
        assert page.locator(f'{row(page, kept, "list")} input[name="task"]').is_checked()
        assert page.evaluate("() => scrollY") in range(scrolled - 60, scrolled + 1)
        served.ask(desk.claim_task(served.context, cast["chen"], kept))
        expect(page.locator(row(page, kept, "list"))).to_have_count(0, timeout=PATIENCE)
        assert page.evaluate("() => document.activeElement.matches('tr a.stretch')"), (
            "focus goes to the row in its place"
        )
        assert watch.complaints == []
        for task in (gone, kept):
            served.ask(desk.release_task(served.context, cast["chen"], task))


def test_what_somebody_writes_is_left_alone_until_they_want_to_see(
    chromium: Browser, served: Served, cast: dict[str, Actor]
) -> None:
    number, tasks = served.scene.cases["waiting"], "Change of mind"
    with person(chromium, served, "wang") as context:
        page, watch = open_page(context, served, f"/desk/cases/{number}")
        listening(page)
        region, field = page.locator('[data-live="messages"]'), page.locator('[data-live="messages"] textarea')
        field.fill("Half a sentence")
        writer = customer(served.scene, "waiting")
        served.ask(tracking.write_message(served.context, writer, number, tasks))
        notice = region.locator(".elsewhere")
        expect(notice).to_contain_text("changed elsewhere", timeout=PATIENCE)
        assert tasks not in region.inner_text()
        expect(page.locator('[data-live="timeline"]')).to_contain_text(tasks, timeout=PATIENCE)
        assert field.input_value() == "Half a sentence"
        assert page.evaluate("() => document.activeElement.tagName") == "TEXTAREA"
        notice.get_by_role("button", name="Show it").click()
        expect(region).to_contain_text(tasks)
        expect(notice).to_have_count(0)
        assert field.input_value() == "Half a sentence"
        assert watch.complaints == []


def test_colleagues_see_who_looks_at_a_case_and_who_writes(chromium: Browser, served: Served) -> None:
    number = served.scene.cases["assessment"]
    with person(chromium, served, "li") as here, person(chromium, served, "wang") as there:
        page, watch = open_page(here, served, f"/desk/cases/{number}")
        listening(page)
        expect(page.locator(".present li")).to_have_count(0)
        other, _ = open_page(there, served, f"/desk/cases/{number}")
        expect(page.locator(".present")).to_contain_text("王敏 is looking", timeout=PATIENCE)
        expect(other.locator(".present")).to_contain_text("李强 is looking", timeout=PATIENCE)
        other.locator("main textarea").first.type("D")
        expect(page.locator(".present")).to_contain_text("王敏 is writing", timeout=PATIENCE)
        other.close(run_before_unload=False)
        expect(page.locator(".present li")).to_have_count(0, timeout=PATIENCE)
        assert watch.complaints == []


def hang_up(served: Served) -> None:
    """The server ends all streams, as when it is stopped."""
    for subscription in served.hub._subscriptions:
        subscription.end()


def test_a_lost_connection_is_said_and_made_up_for(chromium: Browser, served: Served, cast: dict[str, Actor]) -> None:
    task = served.scene.tasks["fresh2.initial_review"]
    with person(chromium, served, "wang") as context:
        page, _ = open_page(context, served, "/desk")
        listening(page)
        context.set_offline(True)
        served.loop.call_soon_threadsafe(hang_up, served)
        expect(page.locator("#live-lost")).to_be_visible(timeout=20_000)
        served.ask(desk.claim_task(served.context, cast["chen"], task))
        context.set_offline(False)
        expect(page.locator(row(page, task, "waiting"))).to_have_count(0, timeout=20_000)
        expect(page.locator("#live-lost")).to_be_hidden(timeout=PATIENCE)
        served.ask(desk.release_task(served.context, cast["chen"], task))


def test_a_page_of_whoever_was_signed_out_says_so_and_goes_on_once_they_are_back(
    chromium: Browser, served: Served, cast: dict[str, Actor]
) -> None:
    task = served.scene.tasks["fresh1.initial_review"]
    with person(chromium, served, "wang") as context:
        token = sign_in_again(context, served, "wang")
        page, _ = open_page(context, served, "/desk")
        waiting, lost = page.locator(row(listening(page), task, "waiting")), page.locator("#live-lost")
        expect(waiting).to_have_count(1)
        served.ask(accounts.sign_out(served.context, token))
        served.ask(desk.claim_task(served.context, cast["chen"], task))
        expect(lost).to_be_visible(timeout=2 * PATIENCE)
        sign_in_again(context, served, "wang")
        page.evaluate("() => dispatchEvent(new Event('focus'))")
        expect(waiting).to_have_count(0, timeout=PATIENCE)
        expect(lost).to_be_hidden()
        served.ask(desk.release_task(served.context, cast["chen"], task))
        expect(waiting).to_have_count(1, timeout=PATIENCE)


def sign_in_again(context: BrowserContext, served: Served, who: str) -> str:
    """A session of its own, which no other test has."""
    token = served.ask(accounts.sign_in(served.context, who, PASSWORD)).token
    context.add_cookies([{"name": "lian_session", "value": token, "url": served.url}])
    return token


def test_counts_of_lists_follow_like_the_lists(chromium: Browser, served: Served, cast: dict[str, Actor]) -> None:
    task = served.scene.tasks["fresh1.initial_review"]
    with person(chromium, served, "wang") as context:
        page, watch = open_page(context, served, "/desk?holder=%40none&on_hold=0")
        rows, count = listening(page).locator("tr[data-row]"), page.locator("nav.tabs [aria-current] .count")
        before = rows.count()
        expect(count).to_have_text(str(before))
        served.ask(desk.claim_task(served.context, cast["chen"], task))
        expect(rows).to_have_count(before - 1, timeout=PATIENCE)
        expect(count).to_have_text(str(before - 1), timeout=PATIENCE)
        served.ask(desk.release_task(served.context, cast["chen"], task))
        expect(count).to_have_text(str(before), timeout=PATIENCE)
        assert watch.complaints == []


def test_without_script_a_page_is_whole(chromium: Browser, served: Served) -> None:
    context = somebody(chromium, served, width=1440, language="en", who="wang", script=False)
    page = context.new_page()
    page.goto(f"{served.url}/desk/cases/{served.scene.cases['assessment']}")
    assert not page.locator("#live-lost").is_visible()
    assert page.locator(".present li").count() == 0
    assert re.search(r"Timeline", page.locator("main").inner_text())
    context.close()


def test_an_open_task_says_that_somebody_else_took_it(
    chromium: Browser, served: Served, cast: dict[str, Actor]
) -> None:
    task = served.scene.tasks["fresh3.initial_review"]
    with person(chromium, served, "wang") as context:
        page, watch = open_page(context, served, f"/desk/tasks/{task}")
        listening(page)
        served.ask(desk.claim_task(served.context, cast["chen"], task))
        expect(page.locator(".answer")).to_contain_text("陈思 holds this task.", timeout=PATIENCE)
        expect(page.get_by_role("button", name="Take it on")).to_have_count(0)
        served.ask(desk.release_task(served.context, cast["chen"], task))
        page.get_by_role("button", name="Take it on").click(timeout=PATIENCE)
        page.wait_for_url(f"**/desk/tasks/{task}*")
        assert page.get_by_role("button", name="Complete the task").is_enabled(), "the page knew the task's version"
        served.ask(desk.release_task(served.context, cast["wang"], task))
        assert watch.complaints == []


def test_what_came_back_with_a_refused_form_is_left_alone(chromium: Browser, served: Served) -> None:
    number, words = served.scene.cases["waiting"], "After the refusal"
    with person(chromium, served, "wang") as context:
        page, _ = open_page(context, served, f"/desk/cases/{number}")
        page.evaluate("() => document.querySelector('[data-live=messages] form').submit()")
        page.get_by_role("alert").wait_for()
        listening(page)
        served.ask(tracking.write_message(served.context, customer(served.scene, "waiting"), number, words))
        region = page.locator('[data-live="messages"]')
        expect(region.locator(".elsewhere")).to_be_visible(timeout=PATIENCE)
        assert words not in region.inner_text()


def test_the_board_of_promises_follows(chromium: Browser, served: Served) -> None:
    with person(chromium, served, "ops") as context:
        page, watch = open_page(context, served, "/operations")
        listening(page)
        steps = page.locator("section[aria-labelledby=h-steps]")
        before = steps.inner_text()
        served.ask(reported_claim(served.context))
        expect(steps).not_to_have_text(before, timeout=PATIENCE, use_inner_text=True)
        assert watch.complaints == []


@pytest.mark.parametrize(("width", "theme", "language"), TWO_LOOKS)
def test_what_pages_say_of_others_can_be_read_by_everybody(
    chromium: Browser, served: Served, keep: Keep, width: int, theme: Theme, language: str
) -> None:
    number, names = served.scene.cases["adjudication"], ("wang", "chen", "service")
    people = {name: served.ask(actor(served.scene, name)) for name in names}
    context = somebody(chromium, served, width=width, language=language, theme=theme, who="li")
    context.add_init_script(BEFORE)
    page, watch = open_page(context, served, f"/desk/cases/{number}")
    listening(page)
    for name, doing in zip(names, ("viewing", "typing", "viewing"), strict=True):
        served.ask(say_present(served.context, people[name], number, doing=doing, tab="1"))
    expect(page.locator(".present li")).to_have_count(3, timeout=PATIENCE)
    page.locator('[data-live="messages"] textarea').fill("…")
    served.ask(tracking.write_message(served.context, customer(served.scene, "adjudication"), number, "!"))
    expect(page.locator(".elsewhere")).to_be_visible(timeout=PATIENCE)
    page.evaluate("() => { document.getElementById('live-lost').hidden = false; }")
    keep(page, f"live-{width}-{language[:2]}-{theme}")
    assert [*serious(page), *watch.complaints] == []
    assert not is_wider(page)
    context.close()
