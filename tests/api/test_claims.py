"""Reporting a loss: once, again, at the same time, and step by step (CLM-1)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from lian.db.tables import Case, IdempotencyKey, OutboxMessage
from lian.services.context import Context
from tests.api.conftest import Headers, SignIn, assert_problem, claim_body, count, employ, insisting, keyed
from tests.fakes.process import FakeProcess


@pytest.mark.req("CLM-1")
async def test_a_report_is_acknowledged_with_its_number(api: httpx.AsyncClient, sun: Headers, policy: str) -> None:
    answer = await api.post("/claims", json=claim_body(), headers=keyed(sun))
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["number"].startswith("CLM-")
    assert body["status"] == "open"
    assert body["promised_at"].endswith("Z")
    assert answer.headers["location"] == f"/api/v1/cases/{body['number']}"
    read = await api.get(f"/cases/{body['number']}", headers=sun)
    assert read.json()["claimed_amount"] == "5000.00"
    assert read.json()["loss_at"] == "2026-01-05T00:00:00Z"
    assert read.json()["policy_snapshot"]["policy_number"] == policy
    assert {p["role"] for p in read.json()["parties"]} == {"policyholder", "insured", "reporter", "claimant"}


@pytest.mark.req("CLM-1")
async def test_a_repeat_gets_the_first_answer(
    api: httpx.AsyncClient, context: Context, sun: Headers, policy: str
) -> None:
    headers = keyed(sun)
    body = claim_body(reported_at=...)  # "now" differs from one repeat to the next
    first = await api.post("/claims", json=body, headers=headers)
    again = await api.post("/claims", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"]
    assert await count(context, Case) == 1


async def test_a_key_is_not_taken_for_another_report(
    api: httpx.AsyncClient, context: Context, sun: Headers, policy: str
) -> None:
    headers = keyed(sun)
    await api.post("/claims", json=claim_body(), headers=headers)
    assert_problem(await api.post("/claims", json=claim_body(place="别处"), headers=headers), 409, "conflict")
    assert await count(context, Case) == 1


async def test_a_report_without_a_key_is_refused(
    api: httpx.AsyncClient, context: Context, sun: Headers, policy: str
) -> None:
    problem = assert_problem(await api.post("/claims", json=claim_body(), headers=sun), 400, "bad_request")
    assert problem["field"].lower() == "idempotency-key"
    assert await count(context, Case) == 0


@pytest.mark.req("CLM-1")
async def test_twenty_equal_reports_at_once_make_one_case(
    api: httpx.AsyncClient, context: Context, sun: Headers, policy: str
) -> None:
    headers = keyed(sun)
    answers = await asyncio.gather(
        *(insisting(lambda: api.post("/claims", json=claim_body(), headers=headers)) for _ in range(20))
    )
    assert sorted(a.status_code for a in answers) == [200] * 19 + [201]
    assert len({a.text for a in answers}) == 1
    assert await count(context, Case) == 1
    assert await count(context, IdempotencyKey) == 1


async def test_two_people_may_choose_the_same_key(
    api: httpx.AsyncClient, context: Context, sun: Headers, policy: str
) -> None:
    other = await employ(context, "孙二", ["customer_service"])
    first = await api.post("/claims", json=claim_body(), headers=keyed(sun, "same"))
    second = await api.post("/claims", json=claim_body(), headers=keyed(other, "same"))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["number"] != second.json()["number"]


async def test_several_claimants_each_have_their_losses(api: httpx.AsyncClient, sun: Headers, policy: str) -> None:
    body = claim_body(
        injured=1,
        claimants=[{"name": "赵磊", "phone": "13800000001"}, {"name": "𠮷野家 😀", "phone": "13800000002"}],
        losses=[
            {"coverage_code": "OD", "claimed_amount": 1200},
            {"coverage_code": "BI", "claimed_amount": "300.5", "claimant": 1},
        ],
    )
    number = (await api.post("/claims", json=body, headers=keyed(sun))).json()["number"]
    read = (await api.get(f"/cases/{number}", headers=sun)).json()
    names = {p["id"]: p["name"] for p in read["parties"]}
    found = {(names[e["claimant_party_id"]], e["claimed_amount"]) for e in read["exposures"]}
    assert found == {("赵磊", "1200.00"), ("𠮷野家 😀", "300.50")}


@pytest.mark.req("CLM-1")
async def test_reporting_and_tracking_go_on_while_the_engine_is_away(
    api: httpx.AsyncClient, context: Context, process: FakeProcess, sun: Headers, policy: str
) -> None:
    process.away = True
    answer = await api.post("/claims", json=claim_body(), headers=keyed(sun))
    assert answer.status_code == 201
    assert await count(context, OutboxMessage) == 1
    assert (await api.get(f"/track/{answer.json()['number']}", headers=sun)).status_code == 200


@pytest.mark.req("CLM-1")
async def test_a_draft_is_kept_until_it_is_submitted(api: httpx.AsyncClient, sun: Headers, policy: str) -> None:
    begun = await api.post("/claims/drafts", json={"policy_number": policy, "place": "北京"}, headers=sun)
    assert begun.status_code == 201, begun.text
    number = begun.json()["number"]
    assert begun.headers["location"] == f"/api/v1/claims/drafts/{number}"
    missing = assert_problem(await api.post(f"/claims/drafts/{number}/submit", headers=sun), 422, "invalid")
    assert missing["field"] == "loss_cause"
    saved = await api.put(f"/claims/drafts/{number}", json=claim_body(), headers=sun)
    assert saved.status_code == 200, saved.text
    assert (await api.get(f"/claims/drafts/{number}", headers=sun)).json()["draft"]["course"] == "追尾"
    assert (await api.get("/cases?status=draft", headers=sun)).json()["items"][0]["number"] == number
    submitted = await api.post(f"/claims/drafts/{number}/submit", headers=sun)
    assert submitted.json()["status"] == "open", submitted.text
    assert submitted.json()["promised_at"]
    assert_problem(await api.put(f"/claims/drafts/{number}", json=claim_body(), headers=sun), 409, "conflict")


async def test_a_policy_is_added_then_replaced(api: httpx.AsyncClient, signed_in: SignIn) -> None:
    admin = await signed_in("admin")
    body: dict[str, Any] = {
        "line": "motor",
        "currency": "CNY",
        "term_from": "2026-01-01",
        "coverages": [{"code": "OD", "label_en": "Own damage", "label_zh": "车损", "limit": "1000.00"}],
        "parties": {"policyholder": {"external_ref": "c1", "name": "赵磊", "phone": "1380"}},
    }
    assert (await api.put("/policies/P-9", json=body, headers=admin)).status_code == 201
    body["parties"] = {"policyholder": {"external_ref": "c2", "name": "钱进", "phone": "1381"}}
    again = await api.put("/policies/P-9", json=body, headers=admin)
    assert again.status_code == 200
    assert again.json()["coverages"][0]["limit"] == "1000.00"
    sun = await signed_in("sun")
    answer = await api.post("/claims", json=claim_body(policy_number="P-9"), headers=keyed(sun))
    parties = (await api.get(f"/cases/{answer.json()['number']}", headers=sun)).json()["parties"]
    assert [p["name"] for p in parties if p["role"] == "policyholder"] == ["钱进"]
    for wrong, field in (
        ({"coverages": body["coverages"] * 2}, "coverages"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "Asia"}, "zone"),
        ({"term_to": "2025-01-01"}, "term_to"),
    ):
        problem = assert_problem(await api.put("/policies/P-10", json=body | wrong, headers=admin), 422, "invalid")
        assert problem["field"] == field
    assert_problem(await api.get("/policies/P-10", headers=admin), 404)
