"""The stream of signals, who else is on a case, and the figures for whoever watches, over HTTP (TSK-1, SEC-1)."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from api.app import create_api
from lian.runtime import open_context
from lian.services import accounts, desk
from lian.services.live import Live
from lian.services.presence import say_present
from lian.settings import Settings
from tests.fakes.process import FakeProcess
from tests.web.conftest import Served, Town
from tests.web.scenery import PASSWORD, actor
from web.app import create_web
from web.assets import join_scripts
from web.pages import live
from web.server import Server

pytestmark = pytest.mark.req("TSK-1")

PATIENCE = 10.0
METRICS = "/metrics"


# --- the stream -------------------------------------------------------------------------------------------------------


@contextmanager
def stream(served: Served, who: str, query: str = "") -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """Events as a browser hears them."""
    token = served.ask(accounts.sign_in(served.context, who, PASSWORD)).token
    with (
        httpx.Client(cookies={"lian_session": token}, timeout=PATIENCE) as client,
        client.stream("GET", f"{served.url}/desk/live{query}") as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] in {"no-cache", "no-store"}
        yield _events(answer)


def _events(answer: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in answer.iter_lines():
        kind, _, value = line.partition(": ")
        if kind == "event":
            name = value
        elif kind == "data":
            yield name, json.loads(value)


def _await_hearing(served: Served) -> None:
    """The first browser makes the server listen; until then it knows that it may have missed something."""
    deadline = time.monotonic() + PATIENCE
    while served.hub._hearing_since is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_browser_hears_that_a_case_has_changed_and_nothing_of_it(served: Served) -> None:
    task, number = served.scene.tasks["fresh0.initial_review"], served.scene.cases["fresh0"]
    chen = served.ask(actor(served.scene, "chen"))
    with stream(served, "wang") as events:
        assert next(events)[0] == "beat"
        _await_hearing(served)
        served.ask(desk.claim_task(served.context, chen, task))
        name, told = next(each for each in events if "cases" in each[1])
        case_id = str(served.scene.ids["fresh0"])
        assert (name, told["desk"], set(told["cases"])) == ("news", True, {case_id})
        assert set(told) == {"cases", "presence", "desk", "board", "at"}
        assert not [word for word in (number, chen.name, chen.id, "claims.review") if word in json.dumps(told)]
        served.ask(desk.release_task(served.context, chen, task))


def test_who_was_away_hears_what_was_missed(served: Served) -> None:
    task, chen = served.scene.tasks["fresh1.initial_review"], served.ask(actor(served.scene, "chen"))
    with stream(served, "wang") as events:
        _await_hearing(served)
        assert next(events)[0] == "beat"
        left_at = time.time()
    served.ask(desk.claim_task(served.context, chen, task))
    served.ask(desk.release_task(served.context, chen, task))
    with stream(served, "wang", f"?since={left_at}") as events:
        assert next(events)[0] == "beat"
        assert str(served.scene.ids["fresh1"]) in next(events)[1]["cases"]
    for nonsense in ("soon", "nan", "1e300", "-1"):
        with stream(served, "wang", f"?since={nonsense}") as events:
            assert next(events)[0] == "beat"


def test_the_stream_ends_with_the_session(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.2)
    token = served.ask(accounts.sign_in(served.context, "li", PASSWORD)).token
    with httpx.Client(cookies={"lian_session": token}, timeout=PATIENCE) as client:
        with client.stream("GET", f"{served.url}/desk/live") as answer:
            events = _events(answer)
            for _ in range(3):
                assert "beat" in (name for name, _ in events), "it goes on"
            served.ask(accounts.sign_out(served.context, token))
            assert {name for name, _ in events} <= {"beat", "news"}, "it comes to its end"
        assert client.get(f"{served.url}/desk/live").headers["location"].startswith("/sign-in")


@pytest.mark.req("SEC-1")
def test_only_staff_who_see_cases_may_follow(served: Served) -> None:
    with httpx.Client() as client:
        assert client.get(f"{served.url}/desk/live").status_code == 303
        client.cookies["lian_session"] = served.ask(accounts.sign_in(served.context, "admin", PASSWORD)).token
        assert client.get(f"{served.url}/desk/live").status_code == 403


def test_browsers_that_go_away_are_forgotten(served: Served) -> None:
    before = served.hub.subscribers
    with stream(served, "wang") as events:
        next(events)
        assert served.hub.subscribers == before + 1
    deadline = time.monotonic() + PATIENCE
    while served.hub.subscribers > before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_server_that_stops_does_not_wait_for_open_pages(served: Served) -> None:
    holder: dict[str, Any] = {}
    thread = threading.Thread(target=lambda: asyncio.run(_serve(served.context.settings, holder)), daemon=True)
    thread.start()
    while not getattr(holder.get("server"), "started", False):
        time.sleep(0.02)
    token = served.ask(accounts.sign_in(served.context, "wang", PASSWORD)).token
    with (
        httpx.Client(cookies={"lian_session": token}, timeout=PATIENCE) as client,
        client.stream("GET", f"http://127.0.0.1:{holder['port']}/desk/live") as answer,
    ):
        events = _events(answer)
        assert next(events)[0] == "beat"
        begun = time.perf_counter()
        holder["server"].should_exit = True
        assert "beat" not in {name for name, _ in events}, "the stream ends in order"
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert time.perf_counter() - begun < 2


async def _serve(settings: Settings, holder: dict[str, Any]) -> None:
    """As `lian web` does it, with its patience of three seconds for answers that are under way."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        holder["port"] = listener.getsockname()[1]
    async with open_context(settings, FakeProcess()) as context:
        config = uvicorn.Config(
            create_web(context), port=holder["port"], log_level="warning", timeout_graceful_shutdown=3
        )
        holder["server"] = Server(config)
        await holder["server"].serve()


# --- who else is there ------------------------------------------------------------------------------------------------


async def _until_heard(hub: Live) -> None:
    async with asyncio.timeout(PATIENCE):
        while not hub.register._pages:
            await asyncio.sleep(0.02)


def _hub(town: Town) -> Live:
    hub: Live = town.browser.client._transport.app.state.live  # type: ignore[attr-defined]
    return hub


@pytest.mark.parametrize(("doing", "words"), [("viewing", "李强 is looking"), ("typing", "李强 is writing")])
async def test_who_else_is_on_the_case_is_shown_by_name(town: Town, doing: str, words: str) -> None:
    number = town.scene.cases["waiting"]
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.post("/desk/presence", {"case": number, "state": "viewing", "tab": "a1"})
    assert (page.status, page.text) == (200, ""), "nobody is told of themselves"
    async with asyncio.timeout(PATIENCE):
        while _hub(town)._hearing_since is None:
            await asyncio.sleep(0.02)
    await say_present(town.context, await actor(town.scene, "li"), number, doing=doing, tab="b2")
    async with asyncio.timeout(PATIENCE):
        while (page := await town.browser.open(f"/desk/presence?case={number}")).text == "":
            await asyncio.sleep(0.02)
    assert page.text == words
    assert 'data-live="present"' in page.answer.text
    assert (await town.browser.open("/desk/presence?case=" + town.scene.cases["paid"])).text == ""
    page = await town.browser.post("/desk/presence", {"case": number, "state": "left", "tab": "a1"})
    assert page.status == 204
    _hub(town).close()


async def test_presence_is_for_staff_of_cases_they_see_in_words_pages_use(town: Town) -> None:
    number = town.scene.cases["waiting"]
    said = {"case": number, "state": "viewing", "tab": "1"}
    assert "Sign in" in (await town.browser.open(f"/desk/presence?case={number}")).text
    assert (await town.browser.post("/desk/presence", said)).status == 401
    await town.browser.sign_in("wang", PASSWORD)
    for changed, status in (({"case": "CLM-2026-999999"}, 404), ({"state": "asleep"}, 422), ({"tab": "<b>"}, 422)):
        assert (await town.browser.post("/desk/presence", said | changed)).status == status
    assert (await town.browser.open("/desk/presence?case=CLM-1")).status == 404
    page = await town.browser.post("/desk/presence", said, headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status == 403


async def test_pages_that_follow_carry_what_the_script_needs(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    number = town.scene.cases["waiting"]
    page = (await town.browser.open(f"/desk/cases/{number}")).answer.text
    assert f'data-present="{number}"' in page
    assert f'data-case="{town.scene.ids["waiting"]}"' in page
    assert page.count('data-on="case"') >= 5
    assert 'id="live" hidden' in page
    refused = await town.browser.post(f"/desk/cases/{number}/messages", {"body": ""})
    assert (refused.status, f'data-from="/desk/cases/{number}"' in refused.answer.text) == (422, True)


# --- scripts ----------------------------------------------------------------------------------------------------------


def test_a_script_holds_what_it_alone_imports() -> None:
    scripts = {
        "app.js": 'import { one } from "./one.js";\nimport { both } from "./both.js";\none(both);\n',
        "one.js": 'import { both } from "./both.js";\nexport function one(of) {\n  of(1);\n}\n',
        "both.js": "export const both = (n) => n;\n",
    }
    assert join_scripts("app.js", scripts) == (
        'import { both } from "./both.js";\n'
        "const { one } = (() => {\nfunction one(of) {\n  of(1);\n}\nreturn { one };\n})();\none(both);\n"
    )
    assert join_scripts("both.js", scripts) == scripts["both.js"], "what several import has one state"


# --- figures for whoever watches --------------------------------------------------------------------------------------


async def test_figures_are_for_this_machine_alone_unless_there_is_a_token(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = town.context.settings
    page = await town.browser.open(METRICS)
    assert page.status == 200
    assert page.answer.headers["content-type"].startswith("text/plain")
    for headers in ({"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}):
        assert (await town.browser.open(METRICS, headers=headers)).status == 404
    monkeypatch.setattr(settings, "public_url", "https://claims.example.com")
    assert (await town.browser.open(METRICS)).status == 404, "a proxy on this machine may bring anybody along"
    monkeypatch.setattr(settings, "metrics_token", SecretStr("a long secret"))
    for given in ("", "Bearer", "Bearer wrong", "Basic a long secret"):
        assert (await town.browser.open(METRICS, headers={"Authorization": given})).status == 404
    page = await town.browser.open(METRICS, headers={"Authorization": "Bearer a long secret"})
    assert page.status == 200


async def test_answers_are_measured_by_the_routes_template(town: Town) -> None:
    app = town.browser.client._transport.app  # type: ignore[attr-defined]
    app.mount("/api/v1", create_api(town.context))
    await town.browser.sign_in("wang", PASSWORD)
    await town.browser.open(f"/desk/cases/{town.scene.cases['waiting']}")
    await town.browser.open("/nowhere/at/all")
    await town.browser.open("/api/v1/cases")
    await town.browser.client.request("BREW", "/desk")
    text = (await town.browser.open(METRICS)).answer.text
    for labels in (
        'method="GET",route="/desk/cases/{number}",status="200"',
        'method="GET",route="other",status="404"',
        'method="GET",route="/api/v1/cases",status="401"',
        'method="other",route="/desk",status="405"',
    ):
        assert f"lian_http_request_seconds_count{{{labels}}} 1.0" in text, labels
    assert town.scene.cases["waiting"] not in text
    assert "BREW" not in text
