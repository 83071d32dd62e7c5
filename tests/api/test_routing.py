"""Where tasks belong, dealing, and what people can do, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlmodel import select

from lian.db.tables import Staff
from lian.domain.queues import UNROUTED
from lian.services.context import Context
from tests.api.conftest import Headers, SignIn, assert_problem, open_task
from tests.cast import reported_claim
from tests.services.made_routes import KEEP_ALL, jdm

pytestmark = pytest.mark.req("TSK-3")

TO_EXTERNAL = {"_id": "motor", "line": "'motor'", "queue": "'claims.external'", "skills": "['licence:survey']"}


@pytest.fixture
async def zhou(signed_in: SignIn) -> Headers:
    """Operations, who say where tasks belong."""
    return await signed_in("zhou")


@pytest.fixture
async def gao(signed_in: SignIn) -> Headers:
    """A manager, who hands out any team's work."""
    return await signed_in("gao")


async def username_of(context: Context, name: str) -> str:
    async with context.transaction() as session:
        return (await session.execute(select(Staff.username).where(Staff.name == name))).scalar_one()


async def a_task(context: Context) -> UUID:
    return await open_task(context, (await reported_claim(context)).case_id)


async def publish(api: httpx.AsyncClient, zhou: Headers, *rules: dict[str, str]) -> httpx.Response:
    return await api.post("/routing", json={"table": jdm(*rules), "why": "The board decided"}, headers=zhou)


async def test_a_table_is_read_changed_and_published(api: httpx.AsyncClient, zhou: Headers) -> None:
    shown = (await api.get("/routing", headers=zhou)).json()
    assert (shown["version"], shown["published"]) == ("routes/1", [])
    assert shown["rows"][0] == {
        "rule": "major_injured",
        "note": "A major loss in which people were hurt: the green channel",
        "when": {"injured": "true", "severity": "'major'"},
        "queue": "keep",
        "skills": [],
        "green": True,
        "raised": False,
    }
    table = shown["table"]
    table["nodes"][1]["content"]["rules"].pop(0)
    answer = await api.post("/routing", json={"table": table, "why": "Less green"}, headers=zhou)
    assert (answer.status_code, answer.json()) == (201, {"version": "house-routes/1"})
    shown = (await api.get("/routing", headers=zhou)).json()
    assert [(v["version"], v["why"]) for v in shown["published"]] == [("house-routes/1", "Less green")]
    assert [row["rule"] for row in shown["rows"]] == ["major_minors", "all_others"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"table": jdm({"_id": "a", "queue": "'nowhere'"}), "why": "why"}, 422),
        ({"table": {}, "why": "why"}, 422),
        ({"table": [], "why": "why"}, 422),
        ({"table": jdm(KEEP_ALL), "why": "  "}, 422),
        ({"table": jdm(KEEP_ALL)}, 422),
        ({"table": jdm(KEEP_ALL), "why": "why", "version": "9"}, 422),
    ],
)
async def test_a_wrong_table_is_refused_in_a_sentence(
    api: httpx.AsyncClient, zhou: Headers, body: dict[str, Any], status: int
) -> None:
    assert_problem(await api.post("/routing", json=body, headers=zhou), status)
    assert (await api.get("/routing", headers=zhou)).json()["published"] == []


async def test_open_tasks_are_previewed_and_then_moved(
    api: httpx.AsyncClient, context: Context, zhou: Headers, wang: Headers
) -> None:
    task_id = await a_task(context)
    assert (await api.post(f"/tasks/{task_id}/claim", headers=wang)).status_code == 200
    draft = await api.post("/routing/preview", json={"table": jdm(TO_EXTERNAL)}, headers=zhou)
    assert (draft.json()["version"], draft.json()["token"], draft.json()["changed"]) == ("draft", "", 1)
    assert (await publish(api, zhou, TO_EXTERNAL)).status_code == 201
    seen = (await api.post("/routing/preview", json={}, headers=zhou)).json()
    assert seen["flows"] == [{"before": "claims.review", "after": "claims.external", "tasks": 1}]
    (item,) = seen["items"]
    assert (item["task_id"], item["rule"], item["loses_holder"]) == (str(task_id), "motor", True)
    assert item["after"] == {"queue": "claims.external", "skills": ["licence:survey"], "green": False, "raised": False}
    done = await api.post("/routing/apply", json={"token": seen["token"]}, headers=zhou)
    assert done.json() == {"version": "house-routes/1", "moved": 1, "released": 1, "failures": [], "next": None}
    stale = await publish(api, zhou, KEEP_ALL)
    assert stale.status_code == 201
    assert_problem(await api.post("/routing/apply", json={"token": seen["token"]}, headers=zhou), 409)


async def test_a_long_move_goes_on_where_it_stopped(
    api: httpx.AsyncClient, context: Context, zhou: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lian.services.desk.rerouting.MOST_MOVED", 1)
    for _ in range(2):
        await a_task(context)
    await publish(api, zhou, TO_EXTERNAL)
    order = {"token": (await api.post("/routing/preview", json={}, headers=zhou)).json()["token"]}
    first = (await api.post("/routing/apply", json=order, headers=zhou)).json()
    assert (first["moved"], bool(first["next"])) == (1, True)
    second = (await api.post("/routing/apply", json=order | {"cursor": first["next"]}, headers=zhou)).json()
    third = second
    if second["next"]:
        third = (await api.post("/routing/apply", json=order | {"cursor": second["next"]}, headers=zhou)).json()
    assert (second["moved"], third["next"]) == (1, None)
    for cursor in ("x", first["next"] + "x", ".claims.review", first["next"].partition(".")[0]):
        answer = await api.post("/routing/apply", json=order | {"cursor": cursor}, headers=zhou)
        assert_problem(answer, 422)


async def test_a_queue_is_dealt_and_why_is_read_back(
    api: httpx.AsyncClient, context: Context, gao: Headers, wang: Headers
) -> None:
    task_id = await a_task(context)
    done = await api.post("/queues/claims.review/deal", json={"limit": 5}, headers=gao)
    assert done.status_code == 200, done.text
    (dealt,) = done.json()["dealt"]
    assert (dealt["task_id"], dealt["holder_name"], dealt["rule"]) == (str(task_id), "王敏", "load")
    why = (await api.get(f"/tasks/{task_id}/deal", headers=wang)).json()
    assert [(c["name"], c["chosen"], c["reason"]) for c in why["candidates"]] == [("王敏", True, "least_load")]
    assert why["candidates"][0]["label"]["zh"] == "在可承接量内任务最少"
    assert_problem(await api.post(f"/tasks/{task_id}/deal", headers=gao), 409)


async def test_one_task_is_dealt_and_what_cannot_be_says_why(
    api: httpx.AsyncClient, context: Context, gao: Headers, zhou: Headers, wang: Headers
) -> None:
    task_id = await a_task(context)
    assert_problem(await api.get(f"/tasks/{task_id}/deal", headers=gao), 404)
    assert (await api.post(f"/tasks/{task_id}/deal", headers=gao)).json()["holder_name"] == "王敏"
    await publish(api, zhou, TO_EXTERNAL)
    unlicensed = await a_task(context)
    assert_problem(await api.post(f"/tasks/{unlicensed}/deal", headers=gao), 409)
    unmet = (await api.post("/queues/claims.external/deal", json={}, headers=gao)).json()["unmet"]
    assert unmet[0]["reasons"][0]["reason"] == "licence"
    assert_problem(await api.post(f"/queues/{UNROUTED}/deal", json={}, headers=gao), 422)
    assert_problem(await api.post("/queues/nowhere/deal", json={}, headers=gao), 404)
    assert_problem(await api.post("/queues/claims.review/deal", json={"limit": 201}, headers=gao), 422)
    assert_problem(await api.post("/queues/claims.review/deal", json={}, headers=wang), 403)


async def test_what_people_can_do_is_kept_by_administrators(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn, wang: Headers
) -> None:
    admin, username = await signed_in("admin"), await username_of(context, "王敏")
    given = {"team": "north", "skills": {"licence:survey": "2027-12-31", "lang:en": None}, "capacity": 7}
    answer = await api.patch(f"/staff/{username}", json=given, headers=admin)
    assert answer.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in given} == given
    assert answer.json()["is_customer"] is False
    changed = (await api.patch(f"/staff/{username}", json={"capacity": 0}, headers=admin)).json()
    assert (changed["capacity"], changed["team"]) == (0, "north")
    listed = {each["username"]: each for each in (await api.get("/staff", headers=admin)).json()["items"]}
    assert listed[username] == changed
    for wrong in ({"skills": {"x": None}}, {"team": "a b"}, {"capacity": 501}, {"person": "nobody"}, {"roles": []}):
        assert_problem(await api.patch(f"/staff/{username}", json=wrong, headers=admin), 422)
    assert_problem(await api.patch(f"/staff/{username}", json={"team": "x"}, headers=wang), 403)
    assert_problem(await api.get("/staff", headers=wang), 403)
    assert_problem(await api.patch("/staff/nobody", json={"team": "x"}, headers=admin), 404)
