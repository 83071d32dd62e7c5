"""Pages in Chromium: a browser for a module, visitors with a session, and what is wrong with what they see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from lian.services import accounts
from lian.services.notices import latest_notices
from tests.cast import OFFICE
from tests.web.conftest import Keep, Served
from tests.web.looks import Look, Theme
from tests.web.scenery import PASSWORD

ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
HEIGHTS = {390: 844, 1440: 900}


@pytest.fixture(scope="module")
def chromium(browser_path: Path, served: Served) -> Iterator[Browser]:
    """One browser for the module; after `served`, because its loop occupies this thread."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(browser_path), args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a page did behind its face."""

    origin: str
    complaints: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._leaves(request.url))

    def take(self) -> list[str]:
        """What there was to complain of until now; from now on it counts anew."""
        taken, self.complaints = self.complaints, []
        return taken

    def _leaves(self, url: str) -> None:
        if not url.startswith((self.origin, "data:", "blob:")):
            self.complaints.append(f"leaves the origin: {url}")


def somebody(
    chromium: Browser,
    served: Served,
    *,
    width: int,
    language: str,
    theme: Theme = "light",
    who: str = "",
    script: bool = True,
) -> BrowserContext:
    """A visitor with a screen, a language and, when `who` is given, a session."""
    context = chromium.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        locale=language,
        color_scheme=theme,
        reduced_motion="reduce",
        java_script_enabled=script,
    )
    cookies = {"lian_lang": language, "lian_theme": theme}
    if who:
        cookies["lian_session" if who in served.scene.staff else "lian_track"] = token_of(served, who)
    context.add_cookies([{"name": name, "value": value, "url": served.url} for name, value in cookies.items()])
    return context


def token_of(served: Served, who: str) -> str:
    """Of one session for each person: codes are given out sparingly."""
    known = served.tokens
    if who not in known:
        is_staff = who in served.scene.staff
        asked = accounts.sign_in(served.context, who, PASSWORD) if is_staff else customer_session(served, who)
        known[who] = served.ask(asked).token
    return known[who]


async def customer_session(served: Served, part: str) -> accounts.Session:
    number = served.scene.cases[part]
    return await accounts.sign_in_customer(served.context, number, await code_sent(served, number))


async def code_sent(served: Served, number: str) -> str:
    await accounts.send_code(served.context, number)
    notices = await latest_notices(served.context, OFFICE, limit=5)
    found = (re.search(r"\b(\d{6})\b", n.body) for n in notices if n.subject.startswith(number))
    return next(hit[1] for hit in found if hit)


def faults_of(
    chromium: Browser,
    served: Served,
    keep: Keep,
    pages: Mapping[str, tuple[str, str]],
    look: Look,
    *,
    unfold: Callable[[Page, str], None] | None = None,
    refused: Mapping[str, int] | None = None,
) -> list[str]:
    """What is wrong with these pages in this look, each opened by whoever it is for; everybody keeps to one tab.

    `unfold` brings to light what a page, by its name, shows only on demand; `refused` are those that answer with an
    error, as they should.
    """
    width, theme, language = look
    tabs: dict[str, tuple[BrowserContext, Page, Watch]] = {}
    faults: list[str] = []
    for name, (address, who) in pages.items():
        if who not in tabs:
            context = somebody(chromium, served, width=width, language=language, theme=theme, who=who)
            tabs[who] = (context, context.new_page(), Watch(served.url))
            tabs[who][2].over(tabs[who][1])
        _, page, watch = tabs[who]
        answer, expected = page.goto(served.url + address), (refused or {}).get(name, 200)
        assert answer is not None
        if unfold is not None:
            unfold(page, name)
        keep(page, f"{name}-{width}-{language[:2]}-{theme}")
        wrong = [words for words in watch.take() if expected == 200 or str(expected) not in words]
        wrong += [f"answered {answer.status}"] if answer.status != expected else []
        wrong += ["wider than the screen"] if is_wider(page) else []
        faults += [f"{name}: {words}" for words in (*wrong, *serious(page))]
    for context, _, _ in tabs.values():
        context.close()
    return faults


SERIOUS = """() => axe.run({resultTypes: ["violations"]}).then((found) => found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id} ${one.nodes[0].target} ${one.nodes[0].failureSummary.slice(0, 200)}`))"""
"""Only what is wanted leaves the browser: all that axe has to say of a page takes as long again."""


def serious(page: Page) -> list[str]:
    """What axe finds serious or critical, with the first place of each."""
    page.evaluate(AXE_SCRIPT)
    return list(page.evaluate(SERIOUS))


def is_wider(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def sizes_of(page: Page, url: str) -> list[int]:
    """What each request of a page took, in bytes as sent."""
    finished: list[Request] = []

    def note(request: Request) -> None:
        finished.append(request)

    page.on("requestfinished", note)
    page.goto(url, wait_until="networkidle")
    return [request.sizes()["responseBodySize"] for request in finished]
