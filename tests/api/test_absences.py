"""Absences, taking over, load and rebalancing over HTTP: shapes, refusals, and nothing for those who may not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from lian.db.tables import Staff
from lian.services.context import Context
from tests.api.conftest import Headers, SignIn, assert_problem, customer_of, open_task
from tests.cast import reported_claim

pytestmark = pytest.mark.req("TSK-4")


def written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def body(context: Context, *, begin: int = 0, days: int = 2, **more: Any) -> dict[str, Any]:
    """An absence as JSON, from some day on; day 0 began an hour ago."""
    begins = context.now() - timedelta(hours=1) + timedelta(days=begin)
    return {"away_from": written(begins), "away_until": written(begins + timedelta(days=days))} | more


async def named(context: Context, **names: str) -> None:
    """Give accounts user names that can be written down."""
    async with context.transaction() as session:
        for name, username in names.items():
            await session.execute(update(Staff).where(col(Staff.name) == name).values(username=username))


@pytest.fixture
async def people(context: Context, signed_in: SignIn) -> dict[str, Headers]:
    """A junior, a senior, a lead, a manager, operations and somebody outside."""
    headers = {name: await signed_in(name) for name in ("wang", "chen", "li", "gao", "zhou", "wei")}
    await named(context, 王敏="wang", 陈静="chen", 李强="li", 高远="gao", 周婷="zhou", 魏东="wei")
    return headers


async def test_an_absence_is_noted_listed_and_ended(
    api: httpx.AsyncClient, context: Context, people: dict[str, Headers]
) -> None:
    noted = await api.post("/absences", json=body(context, substitute="chen"), headers=people["wang"])
    assert noted.status_code == 201, noted.text
    absence = noted.json()
    assert absence["person"] == {"username": "wang", "name": "王敏"}
    assert (absence["state"], absence["works"]) == ("on", {"username": "chen", "name": "陈静"})
    mine = (await api.get("/absences", headers=people["wang"])).json()["items"]
    covered = (await api.get("/absences", params={"whose": "covered"}, headers=people["chen"])).json()["items"]
    team = (await api.get("/absences", params={"whose": "team"}, headers=people["li"])).json()["items"]
    assert mine == covered == team == [absence]
    ended = await api.post(f"/absences/{absence['id']}/end", headers=people["li"])
    assert (ended.status_code, ended.json()["state"]) == (200, "over")
    assert (await api.get("/absences", headers=people["wang"])).json()["items"] == []
    over = (await api.get("/absences", params={"over": True}, headers=people["wang"])).json()["items"]
    assert [one["id"] for one in over] == [absence["id"]]
    assert_problem(await api.post(f"/absences/{absence['id']}/end", headers=people["wang"]), 409, "conflict")


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"away_until": "2020-01-01T00:00:00Z"}, 422, "away_until"),
        ({"away_until": "2199-01-01T00:00:00Z"}, 422, "away_until"),
        ({"away_until": "9999-12-31T23:59:59Z"}, 422, "away_until"),
        ({"away_from": "2026-01-01"}, 422, "away_from"),
        ({"away_from": None}, 422, "away_from"),
        ({"substitute": "nobody"}, 422, "substitute"),
        ({"substitute": "wang"}, 422, "substitute"),
        ({"substitute": "wei"}, 422, "substitute"),
        ({"substitute": "x" * 81}, 422, "substitute"),
        ({"substitute": "a\u0000"}, 422, None),
        ({"of": "nobody"}, 422, "of"),
        ({"of": "chen"}, 403, None),
        ({"ended_at": "2026-01-01T00:00:00Z"}, 422, None),
    ],
)
async def test_bad_input_is_refused_and_nothing_noted(
    api: httpx.AsyncClient,
    context: Context,
    people: dict[str, Headers],
    changes: dict[str, Any],
    status: int,
    field: str | None,
) -> None:
    answer = await api.post("/absences", json=body(context) | changes, headers=people["wang"])
    problem = assert_problem(answer, status)
    assert problem.get("field") == field
    assert (await api.get("/absences", headers=people["wang"])).json()["items"] == []


async def test_a_circle_and_a_second_absence_answer_409_in_plain_words(
    api: httpx.AsyncClient, context: Context, people: dict[str, Headers]
) -> None:
    await api.post("/absences", json=body(context, substitute="chen"), headers=people["wang"])
    circle = assert_problem(
        await api.post("/absences", json=body(context, substitute="wang"), headers=people["chen"]), 409, "conflict"
    )
    assert circle["detail"] == "They would stand in for each other in a circle: 陈静 → 王敏 → 陈静."
    assert circle["field"] == "substitute"
    twice = assert_problem(await api.post("/absences", json=body(context), headers=people["wang"]), 409)
    assert twice["field"] == "away_from"


@pytest.mark.req("SEC-1")
async def test_absences_and_load_are_for_those_who_may(
    api: httpx.AsyncClient, context: Context, people: dict[str, Headers]
) -> None:
    claim = await reported_claim(context)
    customer = await customer_of(api, context, claim.number)
    for nobody in (people["wei"], people["zhou"], customer):
        assert_problem(await api.post("/absences", json=body(context), headers=nobody), 403)
        assert_problem(await api.get("/absences", headers=nobody), 403)
    assert_problem(await api.get("/absences", params={"whose": "team"}, headers=people["wang"]), 403)
    assert_problem(await api.get("/absences", params={"whose": "all"}, headers=people["wang"]), 422)
    assert_problem(await api.post(f"/absences/{uuid4()}/end", headers=people["gao"]), 404)
    for nobody in (people["wang"], people["wei"], customer):
        assert_problem(await api.get("/load", headers=nobody), 403)
        assert_problem(await api.post("/load/proposals", json={"n": 1}, headers=nobody), 403)
        assert_problem(await api.post("/load/moves", json={"token": "eA=="}, headers=nobody), 403)
    assert_problem(await api.post("/load/proposals", json={"n": 1}, headers=people["zhou"]), 403)
    for path in ("/absences", "/load"):
        assert_problem(await api.get(path), 401)


@pytest.mark.parametrize("verb", ["claim", "stand-in"])
async def test_a_substitute_takes_over_by_either_verb(
    api: httpx.AsyncClient, context: Context, people: dict[str, Headers], verb: str
) -> None:
    task_id = await open_task(context, (await reported_claim(context)).case_id)
    await api.post(f"/tasks/{task_id}/claim", headers=people["wang"])
    lost = assert_problem(await api.post(f"/tasks/{task_id}/{verb}", headers=people["chen"]), 409)
    assert lost["holder"] == "王敏"
    await api.post("/absences", json=body(context, substitute="chen"), headers=people["wang"])
    taken = await api.post(f"/tasks/{task_id}/{verb}", headers=people["chen"])
    assert (taken.status_code, taken.json()["holder_name"]) == (200, "陈静")


@pytest.mark.req("TSK-1")
async def test_load_is_read_work_proposed_and_moved_with_a_result_for_each(
    api: httpx.AsyncClient, context: Context, people: dict[str, Headers]
) -> None:
    tasks = [await open_task(context, (await reported_claim(context)).case_id) for _ in range(3)]
    for task_id in tasks:
        assert (await api.post(f"/tasks/{task_id}/claim", headers=people["wang"])).status_code == 200
    load = (await api.get("/load", headers=people["li"])).json()
    wang = next(one for one in load["people"] if one["username"] == "wang")
    assert (wang["in_hand"], wang["capacity"], wang["due"]) == (3, 40, {"4": 0, "24": 0, "72": 0})
    review = next(one for one in load["queues"] if one["queue"] == "claims.review")
    assert review["ageing"].keys() == {
        *("overdue", "within_4_hours", "within_24_hours", "within_3_days", "later", "no_deadline")
    }
    wanted = {"n": 2, "of": "wang", "to": ["chen"]}
    proposal = (await api.post("/load/proposals", json=wanted, headers=people["li"])).json()
    assert [(one["to"], one["why_not"]) for one in proposal["moves"]] == [("chen", "")] * 2
    balance = {one["username"]: (one["before"], one["after"]) for one in proposal["people"]}
    assert balance == {"wang": (3, 1), "chen": (0, 2)}
    first, second = (one["task_id"] for one in proposal["moves"])
    await api.post(f"/tasks/{first}/release", headers=people["wang"])
    moved = await api.post("/load/moves", json={"token": proposal["token"]}, headers=people["li"])
    results = {one["task_id"]: (one["is_moved"], one["code"]) for one in moved.json()["items"]}
    assert results == {first: (False, "conflict"), second: (True, "")}


@pytest.mark.parametrize(
    "wanted",
    [{"n": 0}, {"n": 101}, {"n": "many"}, {"n": 1, "of": "nobody"}, {"n": 1, "to": ["nobody"]}, {"n": 1, "x": 1}, {}],
)
async def test_a_wish_that_cannot_be_is_refused(
    api: httpx.AsyncClient, people: dict[str, Headers], wanted: dict[str, Any]
) -> None:
    assert_problem(await api.post("/load/proposals", json=wanted, headers=people["li"]), 422)


@pytest.mark.parametrize("token", ["", "x", "!" * 50, "A" * 20_001])
async def test_a_token_of_another_make_is_refused(
    api: httpx.AsyncClient, people: dict[str, Headers], token: str
) -> None:
    assert_problem(await api.post("/load/moves", json={"token": token}, headers=people["li"]), 422)
