"""The desk in Chromium: keys, palette, ticked rows, undo; looked at in every width, theme, language (ui.md 1 to 9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import update

from lian.auth.actor import Actor
from lian.db.tables import Staff, Task
from lian.services import desk
from tests.web.browsing import ARGUMENTS, HEIGHTS, Watch, faults_of, serious, sizes_of, somebody
from tests.web.conftest import Keep, Served
from tests.web.looks import Look
from tests.web.scenery import actor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HEIGHTS |= {1366: 768, 1920: 1080}
LOOKS: list[Look] = [(390, "dark", "zh-CN"), (1366, "light", "en"), (1920, "dark", "zh-CN")]


@pytest.fixture(scope="module")
def chromium(browser_path: Path, served: Served) -> Iterator[Browser]:
    """One browser for the module; after `served`, because its loop occupies this thread."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(browser_path), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", autouse=True)
def lively(served: Served) -> None:
    """Work in every state: delegated, put aside, raised, talked about, asked of a colleague."""
    served.ask(_enliven(served))


async def _enliven(served: Served) -> None:
    context, scene, tasks = served.context, served.scene, served.scene.tasks
    people = [UUID(scene.staff[name].removeprefix("staff:")) for name in ("wang", "chen", "li")]
    async with context.transaction() as session:
        await session.execute(update(Staff).where(Staff.id.in_(people)).values(team="east"))  # type: ignore[attr-defined]
    wang, li = await actor(scene, "wang"), await actor(scene, "li")
    await desk.delegate_task(context, wang, tasks["assessment.assess_loss"], to="chen")
    until = context.now() + timedelta(days=2)
    await desk.hold_task(context, wang, tasks["settlement.agree_settlement"], reason="customer", until=until)
    await desk.prioritise_task(context, li, tasks["fresh1.initial_review"], is_raised=True, words="催办")
    await _talk(served, wang, li)


async def _talk(served: Served, wang: Actor, li: Actor) -> None:
    context, task = served.context, served.scene.tasks["adjudication.adjudicate"]
    await desk.comment_on(context, wang, task, text="维修厂报价偏高，已与评估员核对。")
    asked = await desk.ask_colleague(context, wang, task, to="li", question="按 4,100 元赔付是否合适？")
    await desk.give_opinion(context, li, asked, opinion="agrees", answer="合适。")
    await desk.ask_colleague(context, wang, task, to="chen", question="Is the deductible right?")


def stored(served: Served, name: str) -> Task:
    """A task as it is stored."""

    async def read() -> Task:
        async with served.context.transaction() as session:
            return await session.get_one(Task, served.scene.tasks[name])

    return served.ask(read())


def opened(
    chromium: Browser, served: Served, path: str, *, who: str = "wang", width: int = 1366, script: bool = True
) -> tuple[BrowserContext, Page, Watch]:
    """A page of somebody's desk, in English."""
    context = somebody(chromium, served, width=width, language="en", who=who, script=script)
    page, watch = context.new_page(), Watch(served.url)
    watch.over(page)
    page.goto(served.url + path)
    return context, page, watch


def surfaces(served: Served) -> dict[str, tuple[str, str]]:
    """Pages, and who opens them."""
    tasks = served.scene.tasks
    return {
        "desk-mine": ("/desk", "wang"),
        "desk-asked": ("/desk", "chen"),
        "desk-list": ("/desk?queue=claims.review&columns=chip,task,case,customer,amount,holder,opened", "li"),
        "desk-empty": ("/desk?kind=inquiry", "wang"),
        "desk-task-talk": (f"/desk/tasks/{tasks['adjudication.adjudicate']}", "chen"),
        "desk-task-verbs": (f"/desk/tasks/{tasks['adjudication.adjudicate']}", "wang"),
        "desk-task-held": (f"/desk/tasks/{tasks['settlement.agree_settlement']}", "wang"),
        "desk-task-lead": (f"/desk/tasks/{tasks['fresh1.initial_review']}", "li"),
    }


@pytest.mark.parametrize(("width", "theme", "language"), LOOKS)
def test_the_desk_opens_cleanly(
    chromium: Browser, served: Served, keep: Keep, width: int, theme: str, language: str
) -> None:
    assert faults_of(chromium, served, keep, surfaces(served), (width, theme, language), unfold=_open_a_verb) == []


def _open_a_verb(page: Page, _: str) -> None:
    for panel in page.locator("details.verb > summary").all()[:1]:
        panel.click(timeout=2000) if panel.is_visible() else None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_palette_and_the_sheet_are_for_everybody(chromium: Browser, served: Served, keep: Keep, theme: str) -> None:
    context = somebody(chromium, served, width=1366, language="zh-CN", theme=theme, who="wang")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{served.url}/desk/tasks/{served.scene.tasks['adjudication.adjudicate']}")
    page.keyboard.press("Control+k")
    page.keyboard.type("sl")
    page.locator("#palette [role=option] .mono").first.wait_for()
    assert serious(page) == []
    keep(page, f"palette-{theme}", whole=False)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert serious(page) == []
    said = page.locator("#keys dd").all_inner_texts()
    assert len(said) >= 17
    assert all(words.strip() and words.strip() != "undefined" for words in said), "every key of the registry has words"
    keep(page, f"keys-{theme}", whole=False)
    context.close()


# --- keys -------------------------------------------------------------------------------------------------------------


def test_arrows_and_letters_move_and_enter_opens(chromium: Browser, served: Served) -> None:
    context, page, watch = opened(chromium, served, "/desk?queue=claims.review")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    here = page.locator("tr.here")
    assert here.count() == 1
    assert page.evaluate("[...document.querySelectorAll('tr[data-row]')].findIndex((r) => r.matches('.here'))") == 1
    wanted = here.get_attribute("data-href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{wanted}")
    page.go_back()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    assert page.locator("tr.here").count() == 0
    assert watch.complaints == []
    context.close()


def test_a_letter_on_a_row_goes_to_the_verb_of_its_task(chromium: Browser, served: Served) -> None:
    context, page, _ = opened(chromium, served, "/desk?task=adjudicate")
    page.keyboard.press("j")
    page.keyboard.press("h")
    page.wait_for_url("**/desk/tasks/*#verb-hold")
    expect(page.locator("#verb-hold .panel")).to_be_visible()
    expect(page.get_by_label("Tomorrow")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#verb-hold .panel")).to_be_hidden()
    page.keyboard.press("m")
    expect(page.locator("#f-comment")).to_be_focused()
    page.keyboard.type("chp")
    assert page.locator("#f-comment").input_value() == "chp", "no key acts while somebody types"
    expect(page.locator("#verb-pass .panel")).to_be_hidden()
    context.close()


def test_keys_can_be_switched_off_and_on(chromium: Browser, served: Served) -> None:
    context, page, _ = opened(chromium, served, "/desk")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("One-letter keys are on").uncheck()
    page.keyboard.press("Escape")
    page.goto(f"{served.url}/desk")
    page.keyboard.press("j")
    assert page.locator("tr.here").count() == 0
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Find cases and actions")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("One-letter keys are on").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.locator("tr.here").count() == 1
    context.close()


# --- palette ----------------------------------------------------------------------------------------------------------


def test_the_palette_finds_cases_by_initials_and_runs_actions(chromium: Browser, served: Served) -> None:
    path = f"/desk/tasks/{served.scene.tasks['adjudication.adjudicate']}"
    context, page, watch = opened(chromium, served, path)
    page.keyboard.press("Control+k")
    page.keyboard.type("pass")
    expect(page.get_by_role("option", name="Pass on")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#verb-pass .panel")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("sl")
    found = page.get_by_role("option").filter(has_text=served.scene.cases["overdue"])
    found.wait_for()
    while found.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/cases/{served.scene.cases['overdue']}")
    assert watch.complaints == []
    context.close()


def test_the_palette_draws_from_any_queue_and_says_the_key_of_one(chromium: Browser, served: Served) -> None:
    context, page, watch = opened(chromium, served, "/desk")
    draws = page.locator('[data-key="n"]').count()
    assert draws > 1, "somebody with several queues"
    page.keyboard.press("Control+k")
    page.keyboard.type("take next")
    offered = page.get_by_role("option", name="Take next")
    expect(offered).to_have_count(draws)
    expect(offered.locator("kbd")).to_have_count(1)
    expect(offered.first.locator("kbd")).to_have_text("n")
    assert watch.complaints == []
    context.close()


# --- ticked rows ------------------------------------------------------------------------------------------------------


def test_rows_are_ticked_by_keys_up_to_a_row_and_let_go(chromium: Browser, served: Served) -> None:
    context, page, watch = opened(chromium, served, "/desk?queue=claims.review", who="li")
    bar = page.locator("#bulk")
    expect(bar).to_be_hidden()
    for key in ("j", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(page.locator("[data-selected]")).to_have_text("3")
    page.get_by_label("Select all on this page").check()
    expect(page.locator("[data-selected]")).to_have_text(str(page.locator("tr[data-row]").count()))
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    assert watch.complaints == []
    context.close()


def test_ticks_stay_while_the_list_is_refreshed(chromium: Browser, served: Served) -> None:
    context, page, _ = opened(chromium, served, "/desk?queue=claims.review", who="li")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-selected]")).to_have_text("1")
    ticked = page.locator("input[name=task]:checked").get_attribute("value")
    page.evaluate(
        """() => {
          const body = document.querySelector("table.selects tbody");
          body.innerHTML = body.innerHTML;
          document.dispatchEvent(new Event("lian:swapped"));
        }"""
    )
    assert page.locator("input[name=task]:checked").get_attribute("value") == ticked
    assert page.locator("tr.here").get_attribute("data-id") == ticked
    expect(page.locator("[data-selected]")).to_have_text("1")
    context.close()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_ticked_rows_lead_to_the_preview(chromium: Browser, served: Served, script: bool) -> None:
    context, page, _ = opened(chromium, served, "/desk?queue=claims.review", who="li", script=script)
    page.locator("input[name=task]").nth(0).check()
    page.locator("input[name=task]").nth(1).check()
    page.get_by_role("button", name="Change their priority").click()
    expect(page.get_by_text("2 tasks").first).to_be_visible()
    context.close()


# --- doing and undoing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_task_is_put_aside_and_taken_up_by_undoing(chromium: Browser, served: Served, script: bool) -> None:
    path = f"/desk/tasks/{served.scene.tasks['adjudication.adjudicate']}"
    context, page, watch = opened(chromium, served, path, script=script)
    page.locator("#verb-hold > summary").click()
    page.get_by_label("In three days").check()
    page.locator("#f-hold-reason").select_option("customer")
    page.get_by_role("button", name="Put it aside").click()
    page.get_by_text("Put aside until").first.wait_for()
    assert stored(served, "adjudication.adjudicate").hold_until is not None
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(f"**{path}")
    assert stored(served, "adjudication.adjudicate").hold_until is None
    assert watch.complaints == []
    context.close()


def test_the_way_back_is_gone_after_ten_seconds_and_after_a_reload(chromium: Browser, served: Served) -> None:
    path = f"/desk/tasks/{served.scene.tasks['fresh4.initial_review']}"
    context, page, _ = opened(chromium, served, path)
    page.clock.install()
    page.keyboard.press("c")
    notice = page.locator("[data-undo]")
    notice.wait_for()
    page.wait_for_url(f"**{path}")
    assert "did=" not in page.url, "a reload does not offer it again"
    page.clock.run_for(8_000)
    expect(notice).to_be_visible()
    page.clock.run_for(4_000)
    expect(notice).to_be_hidden()
    page.reload()
    assert page.locator("[data-undo]").count() == 0
    page.keyboard.press("u")
    page.get_by_text("Given back: Initial review.").wait_for()
    context.close()


def test_a_lost_race_keeps_what_was_typed_in_its_panel(chromium: Browser, served: Served) -> None:
    path = f"/desk/tasks/{served.scene.tasks['adjudication.adjudicate']}"
    context, page, _ = opened(chromium, served, path)
    page.keyboard.press("p")
    page.locator("#f-pass-reason").select_option("other")
    page.locator("#f-pass-note").fill("A lorry; somebody who knows them.")

    async def meanwhile() -> None:
        wang = await actor(served.scene, "wang")
        task, until = served.scene.tasks["adjudication.adjudicate"], served.context.now() + timedelta(days=1)
        await desk.hold_task(served.context, wang, task, reason="expert", until=until)
        await desk.wake_task(served.context, wang, task)

    served.ask(meanwhile())
    page.get_by_role("button", name="Pass it on").click()
    page.get_by_text("This task has changed since you looked").wait_for()
    expect(page.locator("#verb-pass .panel")).to_be_visible()
    assert page.locator("#f-pass-note").input_value() == "A lorry; somebody who knows them."
    assert page.locator("#f-pass-reason").input_value() == "other"
    context.close()


# --- weight -----------------------------------------------------------------------------------------------------------


def test_the_desk_is_light(chromium: Browser, served: Served) -> None:
    """At most 60 KB compressed and 8 requests, scripts and counts included."""
    addresses = ("/desk", "/desk?queue=claims.review", f"/desk/tasks/{served.scene.tasks['adjudication.adjudicate']}")
    for who in ("wang", "li"):
        context = somebody(chromium, served, width=1366, language="zh-CN", who=who)
        for address in addresses:
            page = context.new_page()
            sizes = sizes_of(page, served.url + address)
            assert sum(sizes) <= 60 * 1024, (address, sizes)
            assert len(sizes) <= 8, (address, len(sizes))
            page.close()
        context.close()
