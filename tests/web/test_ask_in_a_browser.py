"""Asking a question in Chromium: looked at, listened to (axe), in both languages, with and without script (INQ-1)."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext

from lian.domain import journal as j
from lian.domain.case_kinds import kind_of
from lian.services import accounts
from tests.web.browsing import chromium, customer_session, faults_of, somebody
from tests.web.conftest import Keep, Served
from tests.web.test_ask import QUESTION, record, with_task

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.req("INQ-1")]

LOOKS: list[tuple[int, Literal["light", "dark"], str]] = [
    (390, "light", "en"),
    (1440, "dark", "zh-CN"),
]


@pytest.fixture(scope="module")
def inquiry(served: Served) -> tuple[str, str]:
    """An answered inquiry of one more customer, and the task of one that is not: case number, task id."""
    done, _ = served.ask(with_task(served.context))
    words = j.MessageWritten(
        message_id=done.case_id, direction="out", body="本周内支付，请留意短信通知。\n如有疑问请回复此消息。"
    )
    served.ask(record(served.context, done.case_id, words, j.CaseClosed(outcome="answered")))
    served.scene.cases["inquiry"] = done.number
    _, task = served.ask(with_task(served.context))
    return done.number, str(task)


@pytest.mark.parametrize(("width", "theme", "language"), LOOKS)
def test_every_page_of_an_inquiry_opens_cleanly(
    chromium: Browser,
    served: Served,
    inquiry: tuple[str, str],
    keep: Keep,
    width: int,
    theme: Literal["light", "dark"],
    language: str,
) -> None:
    number, task = inquiry
    pages = {
        "ask": ("/ask/inquiry", ""),
        "landing": ("/", ""),
        "track-inquiry": (f"/track/{number}", "inquiry"),
        "case-inquiry": (f"/desk/cases/{number}", "service"),
        "task-inquiry": (f"/desk/tasks/{task}", "service"),
        "open-inquiry": ("/desk/open/inquiry", "service"),
        "cases-inquiry": ("/desk/cases?kind=inquiry", "service"),
        "operations-both": ("/operations", "ops"),
    }
    assert faults_of(chromium, served, keep, pages, (width, theme, language)) == []


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_question_is_asked_and_found_again(chromium: Browser, served: Served, script: bool) -> None:
    context: BrowserContext = somebody(chromium, served, width=390, language="en", script=script)
    page = context.new_page()
    page.goto(served.url)
    page.get_by_role("link", name="Ask a question").first.click()
    page.get_by_role("button", name="Send").click()
    assert "Please correct this first" in page.get_by_role("alert").inner_text()
    page.get_by_label("What is it about?").select_option("claim")
    page.get_by_label("Your question").fill(QUESTION)
    page.get_by_label("Your name").fill("Grace Hopper")
    page.get_by_label("E-mail").fill("grace@example.com")
    page.get_by_role("button", name="Send").click()
    number = page.locator(".number").inner_text()
    assert number.startswith(kind_of("inquiry").prefix)
    served.scene.cases["asked"] = number
    session: accounts.Session = served.ask(customer_session(served, "asked"))
    context.add_cookies([{"name": "lian_track", "value": session.token, "url": served.url}])
    page.goto(f"{served.url}/track/{number}")
    assert QUESTION in page.locator("main").inner_text()
    context.close()
