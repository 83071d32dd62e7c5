"""What came up on a claim, in Chromium: looked at, listened to (axe), in both languages, on a phone and a desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.web.browsing import chromium, faults_of, somebody
from tests.web.conftest import Keep, Served
from tests.web.looks import TWO_LOOKS, Theme
from tests.web.rich import enrich

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def rich(served: Served) -> Served:
    """With claims in which everything came up."""
    served.ask(enrich(served.scene))
    return served


def surfaces(served: Served) -> dict[str, tuple[str, str]]:
    cases, tasks = served.scene.cases, served.scene.tasks
    return {
        "case-rich": (f"/desk/cases/{cases['rich']}", "wang"),
        "do-correct": (f"/desk/cases/{cases['adjudication']}/do/correct", "wang"),
        "do-reserve": (f"/desk/cases/{cases['assessment']}/do/set_reserve", "wang"),
        "do-party": (f"/desk/cases/{cases['rich']}/do/add_party", "wang"),
        "task-panel": (f"/desk/tasks/{tasks['panel.panel_vote']}", "li"),
        "task-duplicates": (f"/desk/tasks/{tasks['twin.judge_duplicate']}", "wang"),
        "task-objection": (f"/desk/tasks/{tasks['correction.review_objection']}", "li"),
        "task-correction": (f"/desk/tasks/{tasks['correction.approve_correction']}", "li"),
        "task-suspicion": (f"/desk/tasks/{tasks['correction.examine_suspicion']}", "wang"),
        "task-account": (f"/desk/tasks/{tasks['account.verify_account']}", "li"),
        "task-split": (f"/desk/tasks/{tasks['settlement.agree_settlement']}", "wang"),
        "track-settle": (f"/track/{cases['settlement']}", "settlement"),
        "track-denied": (f"/track/{cases['denied']}", "denied"),
        "track-asked": (f"/track/{cases['asked']}", "asked"),
        "track-account": (f"/track/{cases['account']}", "account"),
        "track-rich": (f"/track/{cases['rich']}", "rich"),
    }


@pytest.mark.parametrize(("width", "theme", "language"), TWO_LOOKS)
def test_every_page_of_what_came_up_opens_cleanly(
    chromium: Browser, rich: Served, keep: Keep, width: int, theme: Theme, language: str
) -> None:
    assert faults_of(chromium, rich, keep, surfaces(rich), (width, theme, language), unfold=_unfold) == []


def _unfold(page: Page, name: str) -> None:
    """Folded parts are looked at, too; the action with a preview shows it."""
    if name == "do-correct":
        page.locator("[name=name]").select_option("loss_at")
        page.locator("[name=after]").fill("2026-11-01 08:30")
        page.locator("[name=notes]").fill("出险时间登记有误")
        page.locator("[value=preview]").click()
        page.locator(".effects").wait_for()
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")


# --- what people do ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_written_answer_is_sent_from_a_phone(chromium: Browser, rich: Served, script: bool) -> None:
    number = rich.scene.cases["asked"]
    context = somebody(chromium, rich, width=390, language="en", who="asked", script=script)
    page = context.new_page()
    page.goto(f"{rich.url}/track/{number}")
    code = "statement" if script else "answers"
    form = page.locator(f"form:has([value={code}]):has(textarea)")
    form.locator("textarea").fill("停在路边，回来时右后门被刮。")
    form.get_by_role("button").click()
    page.get_by_text("Your document is here. Thank you.").wait_for()
    assert page.locator(f"form:has([value={code}]):has(textarea)").count() == 0
    context.close()
