"""Catastrophes, several claimants and drafts over the wire; and what no customer is ever sent (CLM-1, CLM-3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlmodel import select

from lian.db.tables import Case
from lian.domain import journal as j
from lian.domain.findings import Finding, Severity
from lian.services.context import Context
from tests.api.conftest import Headers, SignIn, as_process, assert_problem, claim_body, customer_of, employ, keyed
from tests.cast import pdf, reported_claim

FLOOD: dict[str, Any] = {
    "code": "FLOOD-2026",
    "name_en": "January flood",
    "name_zh": "一月洪水",
    "causes": ["water", "storm"],
    "from_on": "2026-01-04",
    "to_on": "2026-01-06",
}


@pytest.fixture
async def li(signed_in: SignIn) -> Headers:
    """Lead Li, who declares catastrophes."""
    return await signed_in("li")


@pytest.mark.req("CLM-3")
async def test_an_event_is_declared_and_its_claims_are_listed(
    api: httpx.AsyncClient, li: Headers, sun: Headers, policy: str
) -> None:
    before = await api.post("/claims", json=claim_body(loss_cause="storm"), headers=keyed(sun))
    declared = await api.post("/catastrophes", json=FLOOD, headers=li)
    assert (declared.status_code, declared.json()["tag"]) == (201, "catastrophe:FLOOD-2026"), declared.text
    after = await api.post("/claims", json=claim_body(loss_cause="water"), headers=keyed(sun))
    await api.post("/claims", json=claim_body(loss_cause="fire"), headers=keyed(sun))
    assert await tagged(api, li) == {after.json()["number"]}
    told = await api.post("/catastrophes/FLOOD-2026/claims", headers=li)
    assert told.json() == {"tagged": 1}
    assert await tagged(api, li) == {before.json()["number"], after.json()["number"]}
    (listed,) = (await api.get("/catastrophes", headers=sun)).json()["items"]
    assert (listed["code"], listed["name"]["zh"], listed["cases"]) == ("FLOOD-2026", "一月洪水", 2)
    file = (await api.get(f"/cases/{after.json()['number']}", headers=li)).json()
    assert [(tag["code"], tag["tagged_by"]) for tag in file["tags"]] == [("FLOOD-2026", "system")]


async def tagged(api: httpx.AsyncClient, headers: Headers) -> set[str]:
    found = await api.get("/cases", params={"tag": "catastrophe:FLOOD-2026"}, headers=headers)
    return {case["number"] for case in found.json()["items"]}


async def test_an_event_that_cannot_be_one_is_refused(api: httpx.AsyncClient, li: Headers) -> None:
    for wrong in (
        *({"code": "flood"}, {"causes": []}, {"causes": ["aliens"]}, {"to_on": "2026-01-01"}, {"zone": "Mars"}),
        *({"to_on": "9999-12-31"}, {"from_on": "0001-01-01"}, {"from_on": "0001-01-01", "to_on": "0001-01-01"}),
    ):
        assert_problem(await api.post("/catastrophes", json=FLOOD | wrong, headers=li), 422)
    assert (await api.post("/catastrophes", json=FLOOD, headers=li)).status_code == 201
    assert_problem(await api.post("/catastrophes", json=FLOOD, headers=li), 409)
    assert_problem(await api.post("/catastrophes/NONE/claims", headers=li), 404)


@pytest.mark.req("CLM-3")
async def test_an_event_is_ended_and_later_losses_are_no_longer_its(
    api: httpx.AsyncClient, li: Headers, sun: Headers, policy: str
) -> None:
    declared = await api.post("/catastrophes", json=FLOOD, headers=li)
    assert (declared.json()["to_on"], declared.json()["ended_at"]) == ("2026-01-06", None)
    before = await api.post("/claims", json=claim_body(loss_cause="water"), headers=keyed(sun))
    path = "/catastrophes/FLOOD-2026/end"
    for wrong in ({"to_on": "9999-12-31"}, {"to_on": "2026-01-03"}, {"to_on": "soon"}, {}):
        assert_problem(await api.post(path, json=wrong, headers=li), 422)
    ended = await api.post(path, json={"to_on": "2026-01-04"}, headers=li)
    assert (ended.status_code, ended.json()["to_on"], ended.json()["cases"]) == (200, "2026-01-04", 1), ended.text
    assert ended.json()["ended_at"]
    await api.post("/claims", json=claim_body(loss_cause="water"), headers=keyed(sun))
    assert await tagged(api, li) == {before.json()["number"]}
    assert (await api.post(path, json={"to_on": "2026-01-04"}, headers=li)).json() == ended.json()
    assert_problem(await api.post(path, json={"to_on": "2026-01-05"}, headers=li), 409)
    assert_problem(await api.post(path, json={"to_on": "2026-01-04"}, headers=sun), 403)
    assert_problem(await api.post("/catastrophes/NONE/end", json={"to_on": "2026-01-04"}, headers=li), 404)


# --- several claimants ------------------------------------------------------------------------------------------------

MOTHER = {"name": "周敏", "phone": "13900000001"}
CHILD = {"name": "周小雨", "is_minor": True, "represented_by": MOTHER}
BOTH = [
    {"coverage_code": "BI", "claimed_amount": "100.00", "claimant": 0},
    {"coverage_code": "OD", "claimed_amount": "200.00", "claimant": 1},
]


@pytest.mark.req("CLM-1")
async def test_a_minor_and_an_adult_claim_in_one_report(api: httpx.AsyncClient, sun: Headers, policy: str) -> None:
    body = claim_body(reporter=MOTHER, claimants=[CHILD, MOTHER], losses=BOTH, channel="in_person")
    answer = await api.post("/claims", json=body, headers=keyed(sun))
    assert answer.status_code == 201, answer.text
    people = (await api.get(f"/cases/{answer.json()['number']}", headers=sun)).json()["parties"]
    child = next(p for p in people if p["name"] == "周小雨")
    acting = next(p for p in people if p["role"] == "representative")
    assert (child["is_minor"], acting["name"], acting["represents"]) == (True, "周敏", child["id"])
    proof: dict[str, Any] = {
        "data": {"item": "guardianship_proof"},
        "files": {"file": ("a.pdf", pdf(), "application/pdf")},
    }
    filed = await api.post(f"/cases/{answer.json()['number']}/documents", headers=keyed(sun), **proof)
    assert filed.status_code == 201, filed.text


@pytest.mark.req("CLM-1")
@pytest.mark.parametrize(
    "child",
    [
        {"name": "周小雨", "is_minor": True},
        CHILD | {"represented_by": {"name": "周敏"}},
        CHILD | {"represented_by": {"name": "周敏", "is_minor": True, "phone": "1"}},
        CHILD | {"is_minor": "yes"},
    ],
)
async def test_a_minor_without_an_adult_in_reach_is_refused(
    api: httpx.AsyncClient, sun: Headers, policy: str, child: dict[str, Any]
) -> None:
    body = claim_body(claimants=[child], losses=BOTH[:1])
    assert_problem(await api.post("/claims", json=body, headers=keyed(sun)), 422)


@pytest.mark.req("CLM-1")
async def test_a_draft_says_what_it_still_lacks(api: httpx.AsyncClient, sun: Headers, policy: str) -> None:
    begun = await api.post("/claims/drafts", json={"policy_number": policy, "loss_cause": "fire"}, headers=sun)
    path = f"/claims/drafts/{begun.json()['number']}"
    missing = (await api.get(path, headers=sun)).json()["missing"]
    assert [each["code"] for each in missing] == ["loss_dated", "reporter_reachable", "something_claimed"]
    assert all(each["label"]["zh"] for each in missing)
    whole = claim_body(claimants=[CHILD], losses=BOTH[:1])
    assert (await api.put(path, json=whole, headers=sun)).status_code == 200
    assert (await api.get(path, headers=sun)).json()["missing"] == []
    assert (await api.post(f"{path}/submit", headers=sun)).status_code == 200


@pytest.mark.req("CLM-1")
async def test_an_agents_report_is_on_record_as_theirs(api: httpx.AsyncClient, context: Context, policy: str) -> None:
    one, other = await employ(context, "吴刚", ("agent",)), await employ(context, "何平", ("agent",))
    answer = await api.post("/claims", json=claim_body(channel="web"), headers=keyed(one))
    assert answer.status_code == 201, answer.text
    async with context.transaction() as session:
        case = (await session.execute(select(Case))).scalars().one()
    assert case.channel == "agent"
    assert case.opened_by.startswith("staff:")
    path = f"/cases/{case.number}"
    assert (await api.get(path, headers=one)).status_code == 200
    assert_problem(await api.get(path, headers=other), 404)
    draft = await api.post("/claims/drafts", json={"policy_number": policy}, headers=one)
    assert (await api.get(f"/claims/drafts/{draft.json()['number']}", headers=one)).status_code == 200
    assert_problem(await api.get(f"/claims/drafts/{draft.json()['number']}", headers=other), 404)


# --- what no customer is sent -----------------------------------------------------------------------------------------

MAKER = f"staff:{uuid4()}"
SECRETS = ("SECRET-WHY", "SECRET-FINDING", "SECRET-PANEL", "related_to", "FLOOD-2026", "SECRET-VOTE", "ability_to_pay")


@pytest.mark.req("SEC-1")
async def test_a_customer_is_sent_nothing_of_risk_panel_links_or_tags(
    api: httpx.AsyncClient, context: Context, li: Headers
) -> None:
    registered, other = await reported_claim(context), await reported_claim(context)
    decision, panel = uuid4(), uuid4()
    finding = Finding(code="SECRET-FINDING", severity=Severity.REFERS, rule_version="risk/1")
    await as_process(
        context,
        registered.case_id,
        j.RiskScored(likelihood=5, impact=5, level="high", findings=(finding,), table_version="risk/1"),
        j.RiskReferred(referral_id=uuid4(), why="SECRET-WHY"),
        j.DecisionMade(
            decision_id=decision, decided_by=MAKER, result="accept", approved_amount=Decimal(9), needs_second=True
        ),
        j.PanelConvened(
            panel_id=panel, decision_id=decision, decided_by=MAKER, seats=3, quorum=2, rule="x", why="SECRET-PANEL"
        ),
        j.PanelVoted(panel_id=panel, voter=f"staff:{uuid4()}", vote="SECRET-VOTE"),
        j.CaseLinked(other_case_id=other.case_id, other_number=other.number, relation="related_to"),
        j.CaseTagged(tag="catastrophe", code="FLOOD-2026"),
        j.CaseMatured(maturity="ability_to_pay"),
    )
    ours = (await api.get(f"/cases/{registered.number}", headers=li)).text
    assert all(secret in ours for secret in (*SECRETS, other.number))
    customer = await customer_of(api, context, registered.number)
    for path in (f"/cases/{registered.number}", f"/track/{registered.number}", "/cases"):
        answer = await api.get(path, headers=customer)
        assert answer.status_code == 200
        assert [secret for secret in (*SECRETS, other.number) if secret in answer.text] == [], path


@pytest.mark.req("SEC-1")
async def test_what_is_not_for_a_reader_is_left_out_and_stays_on_record(
    api: httpx.AsyncClient, context: Context, sun: Headers
) -> None:
    registered = await reported_claim(context)
    finding = Finding(code="SECRET-FINDING", severity=Severity.REFERS, rule_version="risk/1")
    await as_process(
        context,
        registered.case_id,
        j.CaseTriaged(complexity="complex", severity="major", findings=(finding,)),
        j.RiskScored(likelihood=5, impact=5, level="high", findings=(finding,), table_version="risk/1"),
    )
    customer = await customer_of(api, context, registered.number)
    for path in ("/cases", f"/cases/{registered.number}"):
        answer = (await api.get(path, headers=customer)).text
        assert not any(word in answer for word in ('complex"', "major", "SECRET-FINDING", '"high"'))
    # Customer service handles no risk.
    seen = (await api.get(f"/cases/{registered.number}", headers=sun)).json()
    assert (seen["risk_level"], seen["risk_score"], seen["risk_findings"], seen["complexity"]) == ("", 0, [], "complex")
    async with context.transaction() as session:
        case = await session.get_one(Case, registered.case_id)
        assert (case.risk_level, case.complexity, len(case.triage_findings)) == ("high", "complex", 1)
