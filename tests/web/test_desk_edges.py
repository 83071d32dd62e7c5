"""Edges of the desk's pages: odd addresses and forms, what stays inside, words that must not be lost (TSK-1, SEC-1)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import NoReturn
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

from lian.db.tables import Staff, Task
from lian.domain.errors import Unavailable
from lian.services import desk
from lian.services.desk.load import team_load
from tests.api.conftest import open_task
from tests.web.conftest import Town
from tests.web.scenery import PASSWORD, actor
from tests.web.test_authority import case_id, employ

TYPED = "what was typed with care"
GREEN, RAISED = "Green channel", "Raised"


@pytest.fixture
def task(town: Town) -> UUID:
    return town.scene.tasks["fresh0.initial_review"]


async def surveyed(town: Town) -> UUID:
    """A task of an external adjuster's."""
    await employ(town, "wei", "魏东", "external_adjuster")
    case = await case_id(town, "fresh0")
    found = await open_task(town.context, case, kind="external_adjuster", queue="claims.external", ask={})
    await desk.assign_task(town.context, await actor(town.scene, "li"), found, to="wei")
    return found


# --- what stays inside ------------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
async def test_how_urgent_a_task_is_is_not_shown_to_people_outside(town: Town) -> None:
    task = await surveyed(town)
    async with town.context.transaction() as session:
        await session.execute(update(Task).where(col(Task.id) == task).values(is_green=True))
    li = await actor(town.scene, "li")
    await desk.prioritise_task(town.context, li, task, is_raised=True, words="it burns")
    pages = ("/desk", f"/desk/tasks/{task}?why=standing.statutory.green")
    await town.browser.sign_in("li", PASSWORD)
    assert GREEN in (inside := (await town.browser.open(pages[1])).text)
    assert RAISED in inside
    await town.browser.sign_in("wei", PASSWORD)
    for address in pages:
        page = await town.browser.open(address)
        assert page.status == 200
        assert not {word for word in (GREEN, RAISED, "Why this one") if word in page.text}
    assert (await town.browser.open("/desk?raised=1")).status == 403


@pytest.mark.req("TSK-2")
async def test_an_address_cannot_say_why_a_task_was_drawn_what_is_not_true(town: Town, task: UUID) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    said = (await town.browser.open(f"/desk/tasks/{task}?why=green.raised.own_work.waiting_since")).text
    assert "It has waited since" in said
    assert "green channel" not in said
    assert "put it ahead of others" not in said
    assert "You have it in hand already" not in said


# --- odd input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["1e-20000", "1E-999999", "0.001", "1e30", "nan", "x"])
async def test_a_page_of_a_list_by_amount_begins_somewhere_real(town: Town, amount: str) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    given = {"holder": "@none", "sort": "amount", "after": f"{amount} {uuid4()}"}
    odd = await town.browser.open("/desk", params=given)
    plain = await town.browser.open("/desk", params=given | {"after": ""})
    assert (odd.status, odd.text.count("CLM-")) == (200, plain.text.count("CLM-"))


@pytest.mark.parametrize("version", ["0" * 5000, "0" * 20 + "9" * 40, "9" * 30, "-1", "1.5", "x"])
async def test_a_version_that_is_none_is_refused(town: Town, task: UUID, version: str) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    refused = await town.browser.post(f"/desk/tasks/{task}/claim", {"version": version})
    assert refused.status == 422
    async with town.context.transaction() as session:
        assert (await session.get_one(Task, task)).holder == ""


@pytest.mark.parametrize(
    "line", ["{task} 1 ch\0en", "{task} 1 ch\x7fen", "{task} -1 chen", "{task} " + "9" * 40 + " chen"]
)
async def test_a_token_that_we_did_not_make_moves_nothing(town: Town, task: UUID, line: str) -> None:
    await town.browser.sign_in("li", PASSWORD)
    token = urlsafe_b64encode(line.format(task=task).encode()).decode()
    assert (await town.browser.post("/desk/team/move", {"token": token})).status == 422


# --- typed words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "service", "form"),
    [
        ("comment", "comment_on", {"text": TYPED}),
        ("hold", "hold_task", {"words": TYPED, "reason": "other", "when": "tomorrow"}),
    ],
)
async def test_what_was_typed_stays_when_too_much_is_going_on(
    town: Town, task: UUID, monkeypatch: pytest.MonkeyPatch, verb: str, service: str, form: dict[str, str]
) -> None:
    async def busy(*_: object, **__: object) -> NoReturn:
        raise Unavailable("Too much is going on at the moment. Nothing was saved; try again.")

    await town.browser.sign_in("wang", PASSWORD)
    await desk.claim_task(town.context, await actor(town.scene, "wang"), task)
    monkeypatch.setattr(desk, service, busy)
    page = await town.browser.post(f"/desk/tasks/{task}/{verb}", form)
    assert page.status == 503
    assert TYPED in page.answer.text
    assert "Too much is going on" in page.text


async def test_a_note_for_many_stays_when_their_list_is_empty_by_then(town: Town) -> None:
    await town.browser.sign_in("li", PASSWORD)
    given = {"verb": "prioritise", "step": "look", "filter": "raised=1&queue=claims.review", "note": TYPED}
    page = await town.browser.post("/desk/bulk", given)
    assert page.status == 422
    assert TYPED in page.answer.text


async def test_a_remark_that_is_clicked_twice_is_there_once(town: Town, task: UUID) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    form = (await town.browser.open(f"/desk/tasks/{task}")).form("/comment")
    for _ in range(2):
        page = await town.browser.send(form, text=TYPED)
    assert page.text.count(TYPED) == 1


# --- numbers and what lies behind them --------------------------------------------------------------------------------


@pytest.mark.req("TSK-3")
async def test_a_lead_finds_behind_each_number_as_many_tasks(town: Town, task: UUID) -> None:
    async with town.context.transaction() as session:
        one_queue = update(Staff).where(col(Staff.username) == "li").values(team="north", queues=["claims.review"])
        await session.execute(one_queue)
        await session.execute(update(Staff).where(col(Staff.username).in_(["wang", "chen"])).values(team="north"))
    li = await actor(town.scene, "li")
    await desk.hold_task(town.context, li, task, reason="customer", until=town.context.now() + timedelta(days=3))
    load = await team_load(town.context, li)
    assert any(one.in_hand.open for one in load.people)
    for one in load.people:
        held = desk.TaskQuery(holder=one.person.id)
        found = await desk.count_tasks(town.context, li, held)
        assert found.n == one.in_hand.open + one.in_hand.put_aside
    waiting = desk.TaskQuery(unclaimed=True, on_hold=False)
    assert (await desk.count_tasks(town.context, li, waiting)).n == sum(one.waiting.n for one in load.queues)
    await town.browser.sign_in("li", PASSWORD)
    leads_to = [link for link in (await town.browser.open("/desk/team")).links if "%40none" in link]
    assert leads_to
    assert all("on_hold=0" in link for link in leads_to)


async def test_further_pages_of_an_order_are_at_its_own_address(town: Town) -> None:
    await town.browser.sign_in("li", PASSWORD)
    case = await case_id(town, "fresh0")
    tasks = [await open_task(town.context, case) for _ in range(101)]
    order = await town.browser.post("/desk/bulk", {"verb": "release", "task": [str(task) for task in tasks]})
    address = str(order.answer.url.path)
    refused = await town.browser.post(f"{address}/start", {"typed": "7"})
    assert refused.status == 409
    following = next(link for link in refused.links if "after=" in link)
    assert following.startswith(f"{address}?")
    assert (await town.browser.open(following)).status == 200
