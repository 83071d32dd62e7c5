"""Searching and keeping lists over the wire (TSK-1, SEC-1)."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update

from lian.db.tables import Staff
from lian.domain.claims.fnol import PersonGiven
from lian.services.context import Context
from tests.api.conftest import Headers, SignIn, assert_problem, customer_of, open_task
from tests.cast import reported_claim

pytestmark = pytest.mark.req("TSK-1")

FANG = PersonGiven(name="王芳", phone="13911112222", email="fang@example.com")


async def a_team(context: Context) -> None:
    """Everybody there is so far is of one team."""
    async with context.transaction() as session:
        await session.execute(update(Staff).values(team="north"))


@pytest.mark.parametrize(
    ("text", "by"), [("王芳", "name"), ("wf", "name"), ("2222", "phone"), ("fang@example.com", "email")]
)
async def test_a_case_is_found_with_what_fits(
    api: httpx.AsyncClient, context: Context, wang: Headers, text: str, by: str
) -> None:
    case = await reported_claim(context, reporter=FANG)
    await reported_claim(context)
    answer = await api.get("/search", params={"q": text}, headers=wang)
    assert answer.status_code == 200, answer.text
    [hit] = answer.json()["items"]
    assert (hit["number"], hit["by"], hit["names"]) == (case.number, by, ["王芳"])
    assert hit["kind_label"] == {"en": "Claim", "zh": "理赔"}
    assert set(hit["by_label"]) == {"en", "zh"}
    assert "phone" not in hit
    assert FANG.phone not in answer.text


async def test_numbers_and_policies_are_found_too(api: httpx.AsyncClient, context: Context, wang: Headers) -> None:
    case = await reported_claim(context)
    [hit] = (await api.get("/search", params={"q": case.number}, headers=wang)).json()["items"]
    assert (hit["number"], hit["by"], hit["names"]) == (case.number, "number", [])
    [same] = (await api.get("/search", params={"q": hit["policy_number"]}, headers=wang)).json()["items"]
    assert (same["number"], same["by"]) == (case.number, "policy")


@pytest.mark.parametrize("q", ["", " ", "x" * 81, "王" * 401, "a\u202eb"])
async def test_what_cannot_be_looked_for_is_a_clear_422(api: httpx.AsyncClient, wang: Headers, q: str) -> None:
    problem = assert_problem(await api.get("/search", params={"q": q}, headers=wang), 422)
    assert problem["field"] == "q"


@pytest.mark.parametrize("more", [{}, {"q": "a", "limit": "21"}, {"q": "a", "limit": "0"}])
async def test_a_question_without_a_text_or_with_too_large_a_limit_is_refused(
    api: httpx.AsyncClient, wang: Headers, more: dict[str, str]
) -> None:
    assert_problem(await api.get("/search", params=more, headers=wang), 422)


@pytest.mark.req("SEC-1")
async def test_only_those_who_see_cases_search(api: httpx.AsyncClient, context: Context, signed_in: SignIn) -> None:
    case = await reported_claim(context)
    for headers, status in (
        ({}, 401),
        (await customer_of(api, context, case.number), 403),
        (await signed_in("admin"), 403),
    ):
        assert_problem(await api.get("/search", params={"q": case.number}, headers=headers), status)
    for outside in ("ning", "wei"):
        answer = await api.get("/search", params={"q": case.number}, headers=await signed_in(outside))
        assert (answer.status_code, answer.json()) == (200, {"items": []})


async def test_a_view_is_kept_changed_and_deleted(api: httpx.AsyncClient, wang: Headers) -> None:
    body = {"name": "Late motor", "query": "line=motor&late=1&columns=chip,task"}
    made = await api.post("/views", json=body, headers=wang)
    assert made.status_code == 201, made.text
    view = made.json()
    assert view["query"] == "line=motor&late=1&columns=chip%2Ctask"
    assert (view["is_mine"], view["is_shared"], view["is_pinned"], view["is_built_in"]) == (True, False, False, False)
    changed = await api.patch(f"/views/{view['id']}", json={"is_pinned": True, "name": "Motor"}, headers=wang)
    assert changed.json() == view | {"is_pinned": True, "name": {"en": "Motor", "zh": "Motor"}}
    ids = [each["id"] for each in (await api.get("/views", headers=wang)).json()["items"]]
    assert ids == ["mine", "free", "overdue", "aside", view["id"]]
    assert (await api.delete(f"/views/{view['id']}", headers=wang)).status_code == 204
    assert_problem(await api.delete(f"/views/{view['id']}", headers=wang), 404)
    assert_problem(await api.patch(f"/views/{view['id']}", json={}, headers=wang), 404)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"query": "queue=nowhere"}, "queue"),
        ({"query": "colour=red"}, "query"),
        ({"query": "columns=secret"}, "columns"),
        ({"query": "late=1&late=1"}, "query"),
        ({"query": "x" * 1_001}, "query"),
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"is_shared": "perhaps"}, "is_shared"),
        ({"owner": "staff:somebody"}, None),
    ],
)
async def test_a_view_that_cannot_be_kept_is_a_clear_422(
    api: httpx.AsyncClient, wang: Headers, changes: dict[str, str], field: str | None
) -> None:
    body = {"name": "Late", "query": "late=1"} | changes
    problem = assert_problem(await api.post("/views", json=body, headers=wang), 422)
    assert field is None or field in {problem.get("field"), *(e["field"] for e in problem.get("errors") or ())}
    assert len((await api.get("/views", headers=wang)).json()["items"]) == 4


@pytest.mark.req("SEC-1")
async def test_a_team_shares_a_view_and_others_do_not_see_it(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn
) -> None:
    chen, li, wang = [await signed_in(name) for name in ("chen", "li", "wang")]
    await a_team(context)
    shared = {"name": "Ours", "query": "holder=@me", "is_shared": True}
    assert_problem(await api.post("/views", json=shared, headers=wang), 403)
    view = (await api.post("/views", json=shared, headers=li)).json()
    stranger = await signed_in("li")
    seen = {
        who: view["id"] in {each["id"] for each in (await api.get("/views", headers=headers)).json()["items"]}
        for who, headers in (("wang", wang), ("chen", chen), ("stranger", stranger))
    }
    assert seen == {"wang": True, "chen": True, "stranger": False}
    assert_problem(await api.patch(f"/views/{view['id']}", json={"name": "Mine"}, headers=wang), 403)
    assert_problem(await api.delete(f"/views/{view['id']}", headers=wang), 403)
    assert_problem(await api.delete(f"/views/{view['id']}", headers=stranger), 404)


async def test_counts_have_an_endpoint_of_their_own(api: httpx.AsyncClient, context: Context, wang: Headers) -> None:
    case = await reported_claim(context)
    tasks = [await open_task(context, case.case_id) for _ in range(2)]
    version = (await api.get(f"/tasks/{tasks[0]}", headers=wang)).json()["version"]
    assert (await api.post(f"/tasks/{tasks[0]}/claim", json={"version": version}, headers=wang)).status_code == 200
    view = (await api.post("/views", json={"name": "All", "query": ""}, headers=wang)).json()
    answer = await api.get("/views/counts", headers=wang)
    counts = {each["id"]: (each["count"], each["is_more"]) for each in answer.json()["items"]}
    assert counts == {
        "mine": (1, False),
        "free": (1, False),
        "overdue": (0, False),
        "aside": (0, False),
        view["id"]: (2, False),
    }


async def test_views_are_for_people_with_a_desk(api: httpx.AsyncClient, context: Context, signed_in: SignIn) -> None:
    customer = await customer_of(api, context, (await reported_claim(context)).number)
    for headers, status in (({}, 401), (customer, 403), (await signed_in("admin"), 403)):
        assert_problem(await api.get("/views", headers=headers), status)
        assert_problem(await api.get("/views/counts", headers=headers), status)
        assert_problem(await api.post("/views", json={"name": "x", "query": ""}, headers=headers), status)
        assert_problem(await api.delete(f"/views/{uuid4()}", headers=headers), status)
