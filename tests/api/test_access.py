"""Who may do what: every route with everybody (SEC-1, faults 27-32). A route missing here fails the build."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlmodel import select

from api.app import create_api
from lian.auth.secrets import hash_token, new_token
from lian.db.tables import Case, CommandReceipt, Notice, OneTimeCode, Party, Staff
from lian.db.tables import SignIn as SignedIn
from lian.domain import journal as j
from lian.services.context import Context
from lian.services.documents import add_document
from lian.services.policies import put_policy
from tests.api.conftest import (
    Headers,
    SignIn,
    as_process,
    assert_problem,
    claim_body,
    customer_of,
    keyed,
    open_task,
    start_clock,
)
from tests.cast import OFFICE, motor_policy, once, pdf, reported_claim
from tests.services.promised import HOUSE

POLICY_BODY = {
    "line": "motor",
    "currency": "CNY",
    "term_from": "2026-01-01",
    "coverages": [{"code": "OD", "label_en": "Own damage", "label_zh": "车损", "limit": "1000.00"}],
}
INQUIRY_BODY = {"answers": {"topic": "other", "text": "?"}, "reporter": {"name": "赵磊", "phone": "13800000001"}}
CATASTROPHE_BODY = {
    "code": "FLOOD-1",
    "name_en": "Flood",
    "name_zh": "洪水",
    "causes": ["water"],
    "from_on": "2026-01-04",
    "to_on": "2026-01-06",
}
TOMORROW, NEXT_WEEK = ((datetime.now(UTC) + timedelta(days=n)).isoformat() for n in (1, 7))
CORRECTION = {"outcome": {"name": "injured", "after": "2"}, "notes": "伤者漏登"}
UPLOAD: dict[str, Any] = {"data": {"item": "identity"}, "files": {"file": ("a.pdf", pdf(), "application/pdf")}}

MATRIX: dict[str, tuple[Any, int, int, int]] = {
    # request body, then what another case's customer, a junior adjuster and an administrator get
    "POST /sessions": ({"json": {"username": "x", "password": "y"}}, 401, 401, 401),
    "DELETE /sessions/current": ({}, 204, 204, 204),
    "GET /me": ({}, 200, 200, 200),
    "POST /track/{number}/code": ({}, 202, 202, 202),
    "POST /track/{number}/sessions": ({"json": {"code": "000000"}}, 401, 401, 401),
    "PUT /policies/{number}": ({"json": POLICY_BODY}, 403, 403, 201),
    "GET /policies/{number}": ({}, 403, 403, 404),
    "POST /claims": ({"json": claim_body()}, 403, 403, 403),
    "POST /claims/drafts": ({"json": {"policy_number": "P"}}, 403, 403, 403),
    "PUT /claims/drafts/{number}": ({"json": {"policy_number": "P"}}, 403, 403, 403),
    "GET /claims/drafts/{number}": ({}, 403, 403, 403),
    "POST /claims/drafts/{number}/submit": ({}, 403, 403, 403),
    "GET /kinds": ({}, 200, 200, 200),
    "POST /kinds/{kind}/cases": ({"json": INQUIRY_BODY}, 403, 403, 403),
    "GET /cases": ({}, 200, 200, 200),
    "GET /cases/{number}": ({}, 404, 200, 404),
    "GET /cases/{number}/timeline": ({}, 403, 200, 403),
    "GET /cases/{number}/clocks/{clock}": ({}, 403, 200, 403),
    "GET /cases/{number}/certificate": ({}, 403, 200, 403),
    "POST /cases/{number}/messages": ({"json": {"body": "hello"}}, 404, 201, 403),
    "POST /cases/{number}/withdraw": ({"json": {"reason": "x"}}, 404, 403, 403),
    "POST /cases/{number}/reopen": ({"json": {"stage": "review", "reason": "x"}}, 403, 403, 403),
    "POST /cases/{number}/request/withdraw": ({}, 403, 409, 403),
    "GET /cases/{number}/actions": ({}, 404, 200, 404),
    "GET /cases/{number}/actions/{action}": ({}, 404, 200, 404),
    "POST /cases/{number}/actions/{action}/preview": ({"json": {"outcome": CORRECTION["outcome"]}}, 404, 200, 404),
    "POST /cases/{number}/actions/{action}": ({"json": CORRECTION}, 404, 200, 404),
    "POST /cases/{number}/statements": ({"json": {"item": "statement", "text": "当时下雨"}}, 404, 201, 404),
    "GET /cases/{number}/money": ({}, 403, 200, 403),
    "POST /cases/{number}/documents": (UPLOAD, 404, 201, 404),
    "GET /cases/{number}/documents": ({}, 404, 200, 403),
    "GET /cases/{number}/documents/{document_id}/content": ({}, 404, 200, 403),
    "GET /queues": ({}, 403, 200, 403),
    "GET /tasks": ({}, 403, 200, 403),
    "GET /tasks/{task_id}": ({}, 404, 200, 404),
    "POST /queues/{queue}/next": ({}, 403, 200, 403),
    "POST /tasks/{task_id}/claim": ({}, 404, 200, 404),
    "GET /tasks/{task_id}/assignees": ({}, 403, 403, 403),
    "POST /tasks/{task_id}/assign": ({"json": {"to": "wang"}}, 403, 403, 403),
    "POST /tasks/{task_id}/release": ({}, 404, 200, 404),
    "POST /tasks/{task_id}/complete": ({"json": {"outcome": {"complexity": "simple"}}}, 404, 409, 404),
    "GET /tasks/count": ({}, 403, 200, 403),
    "POST /tasks/{task_id}/unassign": ({}, 403, 403, 403),
    "POST /tasks/{task_id}/delegate": ({"json": {"to": "wang"}}, 403, 409, 403),
    "POST /tasks/{task_id}/return": ({}, 404, 409, 404),
    "POST /tasks/{task_id}/pass": ({"json": {"reason": "time"}}, 403, 409, 403),
    "POST /tasks/{task_id}/hold": ({"json": {"reason": "customer", "until": TOMORROW}}, 403, 409, 403),
    "POST /tasks/{task_id}/wake": ({}, 403, 409, 403),
    "POST /tasks/{task_id}/prioritise": ({"json": {"note": "x"}}, 403, 403, 403),
    "POST /tasks/{task_id}/cancel": ({"json": {"note": "x"}}, 403, 403, 403),
    "GET /tasks/{task_id}/talk": ({}, 403, 200, 403),
    "POST /tasks/{task_id}/comments": ({"json": {"text": "x"}}, 403, 201, 403),
    "POST /tasks/{task_id}/reviews": ({"json": {"to": "li", "question": "?"}}, 403, 409, 403),
    "GET /tasks/{task_id}/advisers": ({}, 403, 200, 403),
    "GET /reviews": ({}, 200, 200, 200),
    "POST /reviews/{review_id}": ({"json": {"opinion": "agrees"}}, 403, 404, 403),
    "POST /cases/{number}/conflicts": ({"json": {"reason": "interest"}}, 403, 204, 403),
    "POST /tasks/{task_id}/stand-in": ({}, 404, 409, 404),
    "GET /absences": ({}, 403, 200, 403),
    "POST /absences": ({"json": {"away_from": TOMORROW, "away_until": NEXT_WEEK}}, 403, 201, 403),
    "POST /absences/{absence_id}/end": ({}, 403, 404, 403),
    "GET /load": ({}, 403, 403, 403),
    "POST /load/proposals": ({"json": {"n": 1}}, 403, 403, 403),
    "POST /load/moves": ({"json": {"token": "x"}}, 403, 403, 403),
    "GET /search": ({"params": {"q": "赵磊"}}, 403, 200, 403),
    "GET /views": ({}, 403, 200, 403),
    "POST /views": ({"json": {"name": "x", "query": "late=1"}}, 403, 201, 403),
    "GET /views/counts": ({}, 403, 200, 403),
    "PATCH /views/{view_id}": ({"json": {"name": "y"}}, 403, 404, 403),
    "DELETE /views/{view_id}": ({}, 403, 404, 403),
    "POST /bulk/preview": ({"json": {"verb": "release", "tasks": [str(UUID(int=8))]}}, 403, 403, 403),
    "POST /bulk": ({"json": {"token": str(UUID(int=8))}}, 403, 403, 403),
    "GET /bulk": ({}, 403, 403, 403),
    "GET /bulk/{order_id}": ({}, 404, 404, 404),
    "POST /bulk/{order_id}/cancel": ({}, 403, 403, 403),
    "POST /bulk/{order_id}/undo": ({}, 403, 403, 403),
    "POST /queues/{queue}/deal": ({"json": {}}, 403, 403, 403),
    "POST /tasks/{task_id}/deal": ({}, 403, 403, 403),
    "GET /tasks/{task_id}/deal": ({}, 403, 404, 403),
    "GET /routing": ({}, 403, 403, 200),
    "POST /routing": ({"json": {"table": {}, "why": "x"}}, 403, 403, 422),
    "POST /routing/preview": ({"json": {}}, 403, 403, 200),
    "POST /routing/apply": ({"json": {"token": "x"}}, 403, 403, 422),
    "GET /staff": ({}, 403, 403, 200),
    "PATCH /staff/{username}": ({"json": {"team": "north"}}, 403, 403, 404),
    "GET /commands/{command}": ({}, 404, 404, 404),
    "GET /alerts": ({}, 403, 200, 403),
    "GET /sla/board": ({}, 403, 200, 403),
    "GET /sla/late": ({}, 403, 200, 403),
    "GET /sla/promises": ({"params": {"state": "running"}}, 403, 200, 403),
    "POST /sla/what-if": ({"json": {"policy": HOUSE}}, 403, 403, 200),
    "GET /track/{number}": ({}, 404, 200, 404),
    "GET /notices": ({}, 403, 403, 200),
    "GET /catastrophes": ({}, 403, 200, 403),
    "POST /catastrophes": ({"json": CATASTROPHE_BODY}, 403, 403, 403),
    "POST /catastrophes/{code}/end": ({"json": {"to_on": "2026-01-05"}}, 403, 403, 403),
    "POST /catastrophes/{code}/claims": ({}, 403, 403, 403),
}
OPEN = {"POST /sessions", "POST /track/{number}/code", "POST /track/{number}/sessions"}
"""For everybody: that is how one signs in."""


OUTSIDE: dict[str, tuple[int, int]] = {
    # what an agent gets on a case they brought, and an external adjuster on one with a task of theirs
    "GET /cases/{number}": (200, 200),
    "GET /cases/{number}/timeline": (403, 403),
    "GET /cases/{number}/clocks/{clock}": (200, 200),
    "GET /cases/{number}/certificate": (403, 403),
    "POST /cases/{number}/messages": (403, 403),
    "POST /cases/{number}/withdraw": (403, 403),
    "POST /cases/{number}/reopen": (403, 403),
    "POST /cases/{number}/request/withdraw": (403, 403),
    "GET /cases/{number}/actions": (200, 200),
    "GET /cases/{number}/actions/{action}": (403, 403),
    "POST /cases/{number}/actions/{action}/preview": (403, 403),
    "POST /cases/{number}/actions/{action}": (403, 403),
    "POST /cases/{number}/statements": (201, 201),
    "GET /cases/{number}/money": (403, 403),
    "POST /cases/{number}/documents": (201, 201),
    "GET /cases/{number}/documents": (200, 200),
    "GET /cases/{number}/documents/{document_id}/content": (404, 404),
    "GET /tasks/{task_id}": (404, 200),
    "POST /tasks/{task_id}/claim": (404, 200),
    "POST /tasks/{task_id}/release": (404, 200),
    "POST /tasks/{task_id}/complete": (404, 422),
    "GET /tasks/{task_id}/assignees": (403, 403),
    "POST /tasks/{task_id}/assign": (403, 403),
    "POST /tasks/{task_id}/unassign": (403, 403),
    "POST /tasks/{task_id}/delegate": (403, 403),
    "POST /tasks/{task_id}/return": (404, 409),
    "POST /tasks/{task_id}/pass": (403, 200),
    "POST /tasks/{task_id}/hold": (403, 200),
    "POST /tasks/{task_id}/wake": (403, 200),
    "POST /tasks/{task_id}/prioritise": (403, 403),
    "POST /tasks/{task_id}/cancel": (403, 403),
    "POST /tasks/{task_id}/deal": (403, 403),
    "GET /tasks/{task_id}/deal": (403, 403),
    "GET /tasks/{task_id}/talk": (404, 200),
    "POST /tasks/{task_id}/comments": (403, 201),
    "GET /tasks/{task_id}/advisers": (403, 403),
    "POST /tasks/{task_id}/reviews": (403, 403),
    "POST /cases/{number}/conflicts": (204, 204),
    "POST /tasks/{task_id}/stand-in": (404, 200),
    "GET /commands/{command}": (404, 404),
    "GET /track/{number}": (200, 200),
    "GET /claims/drafts/{number}": (409, 403),
    "POST /claims/drafts/{number}/submit": (409, 403),
}


@dataclass(frozen=True)
class Place:
    """A case with a task and a document."""

    number: str
    task_id: UUID
    document_id: UUID

    def path(self, route: str) -> str:
        """The route's path on this case."""
        return route.format(
            number=self.number,
            task_id=self.task_id,
            document_id=self.document_id,
            absence_id=UUID(int=7),
            review_id=UUID(int=7),
            view_id=UUID(int=7),
            order_id=UUID(int=8),
            queue="claims.review",
            username="nobody",
            kind="inquiry",
            command="staff:x",
            action="correct",
            code="FLOOD-1",
            clock="claim.total",
        )


@pytest.fixture
async def place(context: Context) -> Place:
    """Zhao's case."""
    return await new_place(context)


def has_changed_something(route: str, answer: httpx.Response) -> bool:
    """What is refused or only read leaves everything as it was for the next request."""
    return answer.is_success and not route.startswith("GET ")


async def new_place(context: Context, **task: Any) -> Place:
    """A case with a task and a document that staff filed."""
    return await furnish(context, (await reported_claim(context)).number, **task)


async def furnish(context: Context, number: str, **task: Any) -> Place:
    """The case with a clock, a task and a document that staff filed."""
    wang_sees = await add_document(
        context,
        OFFICE,
        number,
        item_code="identity",
        filename="身份证.pdf",
        chunks=once(pdf()),
    )
    await start_clock(context, wang_sees.case_id)
    return Place(number, await open_task(context, wang_sees.case_id, **task), wang_sees.id)


async def ask(api: httpx.AsyncClient, place: Place, route: str, headers: Headers) -> httpx.Response:
    method, _, path = route.partition(" ")
    key = keyed(headers) if method == "POST" else headers
    return await api.request(method, place.path(path), headers=key, **MATRIX[route][0])


def test_every_route_is_in_the_matrix(context: Context) -> None:
    schema = create_api(context).openapi()
    routes = {f"{method.upper()} {path}" for path, operations in schema["paths"].items() for method in operations}
    assert routes == MATRIX.keys()


@pytest.mark.req("SEC-1")
async def test_nobody_gets_anything(api: httpx.AsyncClient, place: Place, subtests: pytest.Subtests) -> None:
    for route in MATRIX.keys() - OPEN:
        for authorization in (None, "Bearer nonsense", "Basic nonsense"):
            with subtests.test(route, authorization=authorization):
                answer = await ask(api, place, route, {"Authorization": authorization} if authorization else {})
                assert_problem(answer, 401, "not_signed_in")
                assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.req("SEC-1")
async def test_another_customer_gets_what_they_would_get_for_no_case(
    api: httpx.AsyncClient, context: Context, place: Place, subtests: pytest.Subtests
) -> None:
    other = await reported_claim(context)
    absent = Place("CLM-2026-999999", UUID(int=7), UUID(int=7))
    for route, (_, status, _, _) in MATRIX.items():
        with subtests.test(route):
            answer = await ask(api, place, route, await zhaos_headers(context, other.case_id))
            nothing = await ask(api, absent, route, await zhaos_headers(context, other.case_id))
            assert answer.status_code == nothing.status_code == status, answer.text
            if status in {403, 404}:
                assert nothing.json() | {"reference": ""} == answer.json() | {"reference": ""}


async def zhaos_headers(context: Context, case_id: UUID) -> Headers:
    """A session of this case's customer."""
    token, now = new_token(), context.now()
    async with context.transaction() as session:
        query = select(Party.id).where(Party.case_id == case_id, Party.role == "reporter")
        party_id = (await session.execute(query)).scalar_one()
        hours = now + timedelta(hours=1)
        session.add(
            SignedIn(token_hash=hash_token(token), case_id=case_id, party_id=party_id, created_at=now, expires_at=hours)
        )
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.req("SEC-1")
async def test_a_junior_adjuster_gets_what_their_role_allows(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn, subtests: pytest.Subtests
) -> None:
    place, wang = await new_place(context), await signed_in("wang")
    for route, (_, _, status, _) in MATRIX.items():
        with subtests.test(route):
            answer = await ask(api, place, route, wang)
            assert answer.status_code == status, answer.text
            if has_changed_something(route, answer):
                place, wang = await new_place(context), await signed_in("wang")


@pytest.mark.req("SEC-1")
async def test_an_administrator_sees_no_case(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn, subtests: pytest.Subtests
) -> None:
    place, admin = await new_place(context), await signed_in("admin")
    for route, (_, _, _, status) in MATRIX.items():
        with subtests.test(route):
            answer = await ask(api, place, route, admin)
            assert answer.status_code == status, answer.text
            assert route != "GET /cases" or answer.json()["items"] == []
            if has_changed_something(route, answer):
                place, admin = await new_place(context), await signed_in("admin")


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("who", ["ning", "wei"])
async def test_people_outside_get_on_another_case_what_they_would_get_for_none(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn, who: str, subtests: pytest.Subtests
) -> None:
    absent, headers = Place("CLM-2026-999999", UUID(int=7), UUID(int=7)), await signed_in(who)
    there = await new_place(context)
    for route in OUTSIDE:
        with subtests.test(route):
            answer, nothing = await ask(api, there, route, headers), await ask(api, absent, route, headers)
            assert answer.status_code == nothing.status_code in {403, 404}, answer.text
            assert nothing.json() | {"reference": ""} == answer.json() | {"reference": ""}
    assert (await api.get("/cases", headers=headers)).json()["items"] == []


@pytest.mark.req("SEC-1")
async def test_an_agent_gets_their_own_cases_and_none_of_our_inside(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn, subtests: pytest.Subtests
) -> None:
    await put_policy(context, OFFICE, motor_policy())
    for route, (status, _) in OUTSIDE.items():
        ning = await signed_in("ning")
        reported = await api.post("/claims", json=claim_body(), headers=keyed(ning))
        assert reported.status_code == 201, reported.text
        with subtests.test(route):
            answer = await ask(api, await furnish(context, reported.json()["number"]), route, ning)
            assert answer.status_code == status, answer.text


@pytest.mark.req("SEC-1", "CLM-6")
async def test_an_external_adjuster_gets_what_was_assigned_to_them_and_none_of_our_inside(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn, subtests: pytest.Subtests
) -> None:
    li = await signed_in("li")
    for route, (_, status) in OUTSIDE.items():
        place, wei = await new_place(context, kind="external_adjuster", queue="claims.external"), await signed_in("wei")
        people = (await api.get(f"/tasks/{place.task_id}/assignees", headers=li)).json()["items"]
        me = await api.get("/me", headers=wei)
        own_id = me.json()["actor"]
        to = next(one["username"] for one in people if one["username"].endswith(own_id.partition(":")[2]))
        given = await api.post(f"/tasks/{place.task_id}/assign", json={"to": to}, headers=li)
        assert (given.status_code, given.json()["holder"]) == (200, own_id), given.text
        with subtests.test(route):
            answer = await ask(api, place, route, wei)
            assert answer.status_code == status, answer.text


@pytest.mark.req("SEC-1")
async def test_a_customer_sees_their_case_without_our_inside(
    api: httpx.AsyncClient, context: Context, place: Place
) -> None:
    customer = await customer_of(api, context, place.number)
    await reported_claim(context)
    assert [c["number"] for c in (await api.get("/cases", headers=customer)).json()["items"]] == [place.number]
    seen = (await api.get(f"/cases/{place.number}", headers=customer)).json()
    assert seen["number"] == place.number
    inside = ("tasks", "parties", "exposures", "clocks", "decisions", "payees", "triage_findings", "documents")
    assert {name: seen[name] for name in inside} == {name: [] for name in inside}
    tracked = (await api.get(f"/track/{place.number}", headers=customer)).json()
    assert tracked["headline"]["zh"]
    assert tracked["promised_at"]
    sent = await api.post(f"/cases/{place.number}/messages", json={"body": "你好"}, headers=customer)
    assert (sent.status_code, sent.json()["direction"]) == (201, "in")
    upload = await api.post(f"/cases/{place.number}/documents", headers=customer, **UPLOAD)
    assert upload.status_code == 201, upload.text
    listed = (await api.get(f"/cases/{place.number}/documents", headers=customer)).json()["items"]
    assert [d["id"] for d in listed] == [upload.json()["id"]]  # and not what staff filed
    hidden = f"/cases/{place.number}/documents/{place.document_id}/content"
    assert_problem(await api.get(hidden, headers=customer), 404)


@pytest.mark.req("SEC-1")
async def test_a_code_works_once_and_tells_nothing(api: httpx.AsyncClient, context: Context, place: Place) -> None:
    for number in ("CLM-2026-999999", place.number):
        answer = await api.post(f"/track/{number}/code")
        assert (answer.status_code, answer.content) == (202, b"")
    for _ in range(8):  # more codes than are sent; still nothing is told
        assert (await api.post(f"/track/{place.number}/code")).status_code == 202
    async with context.transaction() as session:
        counted = Counter((await session.execute(select(OneTimeCode.subject))).scalars())
        sent = [n.subject for n in (await session.execute(select(Notice))).scalars() if "code" in n.subject]
    # An unknown number is counted, so that the limit tells nothing, and nothing is ever sent for it.
    assert counted == {place.number: 5, "CLM-2026-999999": 1}
    assert len(sent) == 5
    assert all(subject.startswith(place.number) for subject in sent)
    wrong = [
        await api.post(f"/track/{number}/sessions", json={"code": "0"}) for number in ("CLM-2026-999999", place.number)
    ]
    assert wrong[0].json() | {"reference": ""} == wrong[1].json() | {"reference": ""}


@pytest.mark.req("SEC-1")
async def test_signing_out_and_a_change_of_role_take_effect_at_once(
    api: httpx.AsyncClient, context: Context, wang: Headers
) -> None:
    assert (await api.get("/queues", headers=wang)).status_code == 200
    async with context.transaction() as session:
        (await session.execute(select(Staff))).scalars().one().roles = ["archivist"]
    assert (await api.get("/queues", headers=wang)).status_code == 403
    assert (await api.delete("/sessions/current", headers=wang)).status_code == 204
    assert_problem(await api.get("/me", headers=wang), 401)


async def test_me_says_who_is_signed_in(api: httpx.AsyncClient, wang: Headers) -> None:
    me = (await api.get("/me", headers=wang)).json()
    assert me["name"] == "王敏"
    assert me["roles"] == ["claims_adjuster_junior"]
    assert float(me["authority_amount"]) > 0
    assert me["case_id"] is None


async def test_a_command_is_told_only_to_those_who_see_its_case(
    api: httpx.AsyncClient, context: Context, place: Place, wang: Headers
) -> None:
    async with context.transaction() as session:
        case = (await session.execute(select(Case))).scalars().one()
        session.add(CommandReceipt(command_id="staff:1:2/3", case_id=case.id, result={"seq": 5}, at=context.now()))
    assert (await api.get("/commands/staff:1:2/3", headers=wang)).json() == {"command_id": "staff:1:2/3", "seq": 5}
    other = await customer_of(api, context, (await reported_claim(context)).number)
    assert_problem(await api.get("/commands/staff:1:2/3", headers=other), 404)


async def test_a_case_is_reopened_by_a_senior(
    api: httpx.AsyncClient, context: Context, place: Place, signed_in: SignIn
) -> None:
    chen = await signed_in("chen")
    body = {"stage": "review", "reason": "新证据"}
    assert_problem(await api.post(f"/cases/{place.number}/reopen", json=body, headers=chen), 409)
    async with context.transaction() as session:
        case_id = (await session.execute(select(Case.id))).scalar_one()
    await as_process(context, case_id, j.CaseClosed(outcome="denied"))
    for wrong in ({"stage": "canary", "reason": "x"}, {"stage": "review", "reason": " "}):
        assert_problem(await api.post(f"/cases/{place.number}/reopen", json=wrong, headers=chen), 422)
    reopened = await api.post(f"/cases/{place.number}/reopen", json=body, headers=chen)
    assert reopened.json() == {"number": place.number, "status": "open", "stage": "review", "generation": 2}
