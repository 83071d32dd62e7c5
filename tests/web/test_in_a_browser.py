"""The surfaces in Chromium: looked at, listened to (axe), with nothing leaving the origin (Must show 5)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from lian.services.notices import latest_notices
from tests.cast import OFFICE
from tests.web.browsing import Watch, chromium, faults_of, sizes_of, somebody
from tests.web.conftest import Keep, Served
from tests.web.looks import TWO_LOOKS, Theme
from tests.web.scenery import PDF

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def surfaces(served: Served) -> dict[str, tuple[str, str]]:
    """Every page that is looked at: its address, and who opens it."""
    cases, tasks = served.scene.cases, served.scene.tasks
    return {
        "landing": ("/", ""),
        "report": ("/report", ""),
        "sign-in": ("/sign-in", ""),
        "track-door": ("/track", ""),
        "not-found": ("/nowhere", ""),
        "track-waiting": (f"/track/{cases['waiting']}", "waiting"),
        "track-paid": (f"/track/{cases['paid']}", "paid"),
        "track-denied": (f"/track/{cases['denied']}", "denied"),
        "desk": ("/desk", "wang"),
        "cases": ("/desk/cases", "wang"),
        "case-paid": (f"/desk/cases/{cases['paid']}", "wang"),
        "case-waiting": (f"/desk/cases/{cases['waiting']}", "wang"),
        "task-review": (f"/desk/tasks/{tasks['fresh3.initial_review']}", "wang"),
        "task-assess": (f"/desk/tasks/{tasks['assessment.assess_loss']}", "wang"),
        "task-adjudicate": (f"/desk/tasks/{tasks['adjudication.adjudicate']}", "wang"),
        "task-settle": (f"/desk/tasks/{tasks['settlement.agree_settlement']}", "wang"),
        "task-authorise": (f"/desk/tasks/{tasks['authority.authorise']}", "li"),
        "operations": ("/operations", "ops"),
        "promises": ("/operations/promises?state=breached", "ops"),
        "outbox": ("/notices", "service"),
        "staff": ("/staff", "admin"),
    }


@pytest.mark.parametrize(("width", "theme", "language"), TWO_LOOKS)
def test_every_surface_opens_cleanly(
    chromium: Browser, served: Served, keep: Keep, width: int, theme: Theme, language: str
) -> None:
    look = (width, theme, language)
    assert faults_of(chromium, served, keep, surfaces(served), look, refused={"not-found": 404}) == []


# --- what people do ---------------------------------------------------------------------------------------------------


def test_a_loss_is_reported_and_its_case_opened_with_the_code(chromium: Browser, served: Served) -> None:
    context = somebody(chromium, served, width=390, language="en")
    page = context.new_page()
    watch = Watch(served.url)
    watch.over(page)
    page.goto(served.url)
    page.get_by_role("link", name="Report a loss").first.click()
    page.get_by_label("Policy number").fill("PA-2026-7001")
    page.get_by_label("Your name").fill("Grace Hopper")
    page.get_by_label("E-mail").fill("grace@example.com")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("What caused the loss?").select_option("collision")
    page.get_by_label("Day of the loss").fill("2026-11-20")
    page.get_by_label("About what time").fill("08:30")
    page.get_by_label("Where?").fill("Wensan Road, Hangzhou")
    page.get_by_label("in your own words").fill("A car hit mine from behind.")
    page.get_by_label("Vehicle damage").fill("2500")
    page.get_by_role("button", name="Send the report").click()
    number = page.locator(".number").inner_text()
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Your code").fill(served.ask(_last_code(served, number)))
    page.get_by_role("button", name="Open my case").click()
    assert "We have received your claim" in page.locator("h1").inner_text()
    assert watch.complaints == []
    context.close()


async def _last_code(served: Served, number: str) -> str:
    notices = await latest_notices(served.context, OFFICE, limit=5)
    found = (re.search(r"\b(\d{6})\b", n.body) for n in notices if n.subject.startswith(number))
    return next(hit[1] for hit in found if hit)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_document_is_sent_with_and_without_script(
    chromium: Browser, served: Served, tmp_path: Path, script: bool
) -> None:
    number = served.scene.cases["waiting"]
    item = "Bank account for payment" if script else "Proof of the accident"
    file = tmp_path / f"{'card' if script else 'proof'}.pdf"
    file.write_bytes(PDF)
    context = somebody(chromium, served, width=390, language="en", who="waiting", script=script)
    page = context.new_page()
    page.goto(f"{served.url}/track/{number}")
    page.get_by_label(item).set_input_files(file)
    page.get_by_role("button", name=f"Send {item}").click()
    page.get_by_text("Your document is here. Thank you.").wait_for()
    assert file.name in page.locator("main").inner_text()
    context.close()


def test_a_refused_document_says_why_beside_the_list(chromium: Browser, served: Served, tmp_path: Path) -> None:
    file = tmp_path / "page.pdf"
    file.write_bytes(b"<!doctype html><script>alert(1)</script>")
    context = somebody(chromium, served, width=390, language="en", who="waiting")
    page = context.new_page()
    page.goto(f"{served.url}/track/{served.scene.cases['waiting']}")
    page.get_by_label("Repair estimate").set_input_files(file)
    page.get_by_role("button", name="Send Repair estimate").click()
    page.get_by_role("alert").get_by_text("a web page, drawing or script").wait_for()
    assert "page.pdf" not in page.locator("main").inner_text()
    context.close()


def test_the_desk_is_worked_by_keys(chromium: Browser, served: Served) -> None:
    context = somebody(chromium, served, width=1440, language="en", who="wang")
    page = context.new_page()
    watch = Watch(served.url)
    watch.over(page)
    page.goto(f"{served.url}/desk")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator("tr.here").count() == 1
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type(served.scene.cases["denied"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/cases/*")
    page.goto(f"{served.url}/desk")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/tasks/*")
    assert watch.complaints == []
    context.close()


def test_denying_sets_the_amount_to_nothing(chromium: Browser, served: Served) -> None:
    context = somebody(chromium, served, width=1440, language="en", who="wang")
    page = context.new_page()
    page.goto(f"{served.url}/desk/tasks/{served.scene.tasks['adjudication.adjudicate']}")
    row = page.locator("[data-answer]").first
    proposed = row.get_by_label("Payable").input_value()
    row.get_by_label("Deny").check()
    assert row.get_by_label("Payable").input_value() == "0"
    row.get_by_label("Accept", exact=True).check()
    assert row.get_by_label("Payable").input_value() == proposed
    context.close()


def test_the_skip_link_is_the_first_stop_and_leads_to_the_content(chromium: Browser, served: Served) -> None:
    context = somebody(chromium, served, width=1440, language="en")
    page = context.new_page()
    page.goto(served.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    context.close()


def test_pages_are_light(chromium: Browser, served: Served) -> None:
    """At most 60 KB compressed and 8 requests, scripts included."""
    context = somebody(chromium, served, width=1440, language="zh-CN", who="wang")
    for address in ("/desk", f"/desk/cases/{served.scene.cases['paid']}", "/operations"):
        page = context.new_page()
        sizes = sizes_of(page, served.url + address)
        assert sum(sizes) <= 60 * 1024, (address, sizes)
        assert len(sizes) <= 8, (address, len(sizes))
        page.close()
    context.close()
