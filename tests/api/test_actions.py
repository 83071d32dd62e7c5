"""Actions, money and customers' tasks over the API; and that a customer's answers hold nothing of our inside."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import pytest
from sqlmodel import SQLModel, select

from lian.db.tables import CaseTag, Exposure, JournalEntry, LedgerLine, Panel, Party, Payee, RecoveryClaim, Referral
from lian.domain import journal as j
from lian.domain.findings import Finding, Severity
from lian.domain.messages import Act, CompleteTask
from lian.services.cases import find_case
from lian.services.context import Context
from lian.services.documents import letter_received, store_letter
from lian.services.policies import put_policy
from tests.api.conftest import (
    Headers,
    SignIn,
    as_process,
    assert_problem,
    count,
    customer_of,
    keyed,
    open_task,
)
from tests.cast import OFFICE, motor_policy, pdf, reported_claim
from tests.fakes.process import FakeProcess

CANARY = "canary7731"
SECRET = "照片与另一案件相同"


async def rows(context: Context, model: type[SQLModel], case_id: UUID) -> list[Any]:
    async with context.transaction() as session:
        query = select(model).where(model.case_id == case_id)  # type: ignore[attr-defined]
        return list((await session.execute(query)).scalars())


# --- actions ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-15")
async def test_actions_come_with_their_forms(api: httpx.AsyncClient, context: Context, wang: Headers) -> None:
    claim = await reported_claim(context)
    items = (await api.get(f"/cases/{claim.number}/actions", headers=wang)).json()["items"]
    found = {item["action"]: item for item in items}
    assert {"correct", "set_reserve", "link_case"} <= found.keys()
    assert not {"close_recovery", "reverse_payment", "tag_catastrophe"} & found.keys(), "nothing to choose from"
    assert "override_authority" not in found, "not of this role"
    form = found["set_reserve"]["form"]
    (exposure,) = await rows(context, Exposure, claim.case_id)
    by_name = {question["name"]: question for question in form["questions"]}
    assert [o["value"] for o in by_name["exposure_id"]["options"]] == [str(exposure.id)]
    assert by_name["exposure_id"]["options"][0]["label"]["zh"].startswith("车辆损失")
    shown = (await api.get(f"/cases/{claim.number}/actions/correct", headers=wang)).json()
    assert (shown["has_preview"], shown["needs_notes"]) == (True, True)
    assert shown["form"]["outcome_schema"]["properties"].keys() == {"name", "after", "exposure_id"}


@pytest.mark.req("CLM-15")
async def test_a_reserve_is_set_once_for_each_key(api: httpx.AsyncClient, context: Context, wang: Headers) -> None:
    claim = await reported_claim(context)
    (exposure,) = await rows(context, Exposure, claim.case_id)
    outcome = {"exposure_id": str(exposure.id), "reserve_line": "indemnity", "amount": "7000", "reason": "new_facts"}
    path, headers = f"/cases/{claim.number}/actions/set_reserve", keyed(wang, "one")
    answers = [await api.post(path, json={"outcome": outcome}, headers=headers) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200], answers[1].text
    assert answers[0].json() == answers[1].json()
    assert_problem(await api.post(path, json={"outcome": outcome}, headers=keyed(wang)), 422, "invalid")  # no change
    money = (await api.get(f"/cases/{claim.number}/money", headers=wang)).json()
    assert (money["indemnity_reserve"], money["incurred_amount"], money["is_balanced"]) == ("7000.00", "7000.00", True)
    assert [r["change"] for r in money["reserves"]][:1] == ["2000.00"]
    assert money["reserves"][0]["reason_label"]["zh"] == "案情变化"


@pytest.mark.req("CLM-15")
async def test_a_preview_tells_and_stores_nothing(
    api: httpx.AsyncClient, context: Context, process: FakeProcess, wang: Headers
) -> None:
    claim = await reported_claim(context)
    (exposure,) = await rows(context, Exposure, claim.case_id)
    outcome = {"name": "claimed_amount", "after": "4000.00", "exposure_id": str(exposure.id)}
    before = await count(context, JournalEntry)
    path = f"/cases/{claim.number}/actions/correct"
    seen = (await api.post(f"{path}/preview", json={"outcome": outcome}, headers=wang)).json()
    assert seen["effects"][0]["en"] == "A second person must agree first."
    assert (seen["paid_amount"], seen["currency"]) == ("0.00", "CNY")
    assert await count(context, JournalEntry) == before
    done = await api.post(path, json={"outcome": outcome, "notes": "录入有误"}, headers=keyed(wang))
    assert done.status_code == 200, done.text
    act = process.told[-1]
    assert isinstance(act, Act)
    assert (act.outcome["before"], act.outcome["after"], act.notes) == ("5000.00", "4000.00", "录入有误")
    same = {"outcome": outcome | {"after": "5000"}, "notes": "x"}
    assert_problem(await api.post(path, json=same, headers=keyed(wang)), 422)


@pytest.mark.req("CLM-15")
@pytest.mark.parametrize(
    ("name", "after"), [("loss_at", "2025-12-01 08:30"), ("loss_cause", "fire"), ("policy_number", ...)]
)
async def test_an_exposure_that_a_figure_does_not_need_is_left_out_of_account(
    api: httpx.AsyncClient, context: Context, wang: Headers, name: str, after: Any
) -> None:
    claim = await reported_claim(context)
    (exposure,) = await rows(context, Exposure, claim.case_id)
    if after is ...:
        await put_policy(context, OFFICE, motor_policy(number="P-OTHER"))
    path = f"/cases/{claim.number}/actions/correct/preview"
    told = []
    for exposure_id in ("", str(exposure.id), str(uuid4())):
        outcome = {"name": name, "after": "P-OTHER" if after is ... else after, "exposure_id": exposure_id}
        answer = await api.post(path, json={"outcome": outcome}, headers=wang)
        assert answer.status_code == 200, answer.text
        told.append(answer.json())
    assert told[0] == told[1] == told[2]
    assert told[0]["currency"] == "CNY"


@pytest.mark.req("CLM-15")
@pytest.mark.parametrize(
    ("name", "after", "status"),
    [
        ("loss_at", "9999-12-31T23:59:00-12:00", 422),
        ("loss_at", "0001-01-01T00:00:00+14:00", 422),
        ("received_at", "9999-12-31 23:59", 422),
        ("received_at", "2025-01-01 00:00", 422),
        ("policy_number", "P-NONE", 404),
    ],
    ids=["the last day", "the first day", "in the future", "before the loss", "no such policy"],
)
async def test_a_preview_refuses_what_the_correction_would_be_refused_for(
    api: httpx.AsyncClient, context: Context, wang: Headers, name: str, after: str, status: int
) -> None:
    claim = await reported_claim(context)
    path, outcome = f"/cases/{claim.number}/actions/correct", {"name": name, "after": after}
    seen = assert_problem(await api.post(f"{path}/preview", json={"outcome": outcome}, headers=wang), status)
    assert seen["field"] == "after"
    done = await api.post(path, json={"outcome": outcome, "notes": "x"}, headers=keyed(wang))
    assert assert_problem(done, status)["detail"] == seen["detail"]


BAD: dict[str, tuple[str, dict[str, Any], int]] = {
    "unknown action": (CANARY, {"outcome": {}}, 404),
    "no outcome": ("correct", {}, 422),
    "outcome is text": ("correct", {"outcome": CANARY}, 422),
    "unknown field": ("correct", {"outcome": {"name": "injured", "after": "1", CANARY: 1}, "notes": "x"}, 422),
    "unknown figure": ("correct", {"outcome": {"name": CANARY, "after": "1"}, "notes": "x"}, 422),
    "no such value": ("correct", {"outcome": {"name": "injured", "after": CANARY}, "notes": "x"}, 422),
    "unknown exposure": (
        "correct",
        {"outcome": {"name": "claimed_amount", "after": "1", "exposure_id": CANARY}, "notes": "x"},
        422,
    ),
    "in the future": ("correct", {"outcome": {"name": "loss_at", "after": "2199-07-31 00:00"}, "notes": "x"}, 422),
    "no notes": ("correct", {"outcome": {"name": "injured", "after": "1"}}, 422),
    "negative amount": (
        "open_recovery",
        {"outcome": {"recovery": "salvage", "expected_amount": "-7731", "counterparty": "x"}},
        422,
    ),
    "NaN": (
        "open_recovery",
        {"outcome": {"recovery": "salvage", "expected_amount": "NaN", "counterparty": CANARY}},
        422,
    ),
    "endless notes": ("correct", {"outcome": {"name": "injured", "after": "1"}, "notes": CANARY * 500}, 422),
    "no such case": ("link_case", {"outcome": {"other_number": CANARY, "relation": "related_to"}}, 404),
    "wrong stage": ("refer", {"outcome": {"why": "fraud"}, "notes": CANARY}, 409),
}


async def test_bad_input_is_refused_in_plain_words_and_nothing_is_stored(
    api: httpx.AsyncClient, context: Context, process: FakeProcess, wang: Headers, subtests: pytest.Subtests
) -> None:
    claim = await reported_claim(context)
    before = await count(context, JournalEntry)
    for name, (action, body, status) in BAD.items():
        with subtests.test(name):
            answer = await api.post(f"/cases/{claim.number}/actions/{action}", json=body, headers=keyed(wang))
            problem = assert_problem(answer, status)
            assert CANARY not in answer.text.replace(problem["reference"], "")
            assert "7731" not in answer.text.replace(problem["reference"], "")
            assert await count(context, JournalEntry) == before
    assert process.told == []


# --- customers --------------------------------------------------------------------------------------------------------


async def settled(context: Context, claim: Any) -> UUID:
    """A settlement to agree on."""
    (party,) = [p for p in await rows(context, Party, claim.case_id) if p.role == "claimant"]
    decision_id = uuid4()
    made = j.DecisionMade(
        decision_id=decision_id,
        decided_by=f"staff:{UUID(int=3)}",
        result="accept",
        approved_amount=Decimal(4500),
        needs_second=False,
    )
    await as_process(context, claim.case_id, made, j.StageEntered(stage="settlement"))
    ask = {
        "approved_amount": "4500",
        "decision_id": str(decision_id),
        "currency": "CNY",
        "rows": {"payees": [{"party_id": str(party.id), "amount": "4500"}]},
    }
    return await open_task(context, claim.case_id, kind="agree_settlement", queue="claims.settlement", ask=ask)


@pytest.mark.req("CLM-10")
async def test_a_customer_answers_what_is_asked_of_them(
    api: httpx.AsyncClient, context: Context, process: FakeProcess
) -> None:
    claim = await reported_claim(context)
    customer = await customer_of(api, context, claim.number)
    task_id = await settled(context, claim)
    await open_task(context, claim.case_id, kind="adjudicate", queue="claims.adjudication", ask={"rows": {}})
    (asked,) = (await api.get(f"/track/{claim.number}", headers=customer)).json()["tasks"]
    assert (asked["id"], asked["kind"], asked["ask"]["approved_amount"]) == (str(task_id), "agree_settlement", "4500")
    assert "decision_id" not in asked["ask"]
    assert [q["name"] for q in asked["form"]["questions"]] == ["payees", "extent"]
    bank = {"name": "赵磊", "account": "6222020200112233", "bank": "ICBC"}
    body = {"outcome": {"payees": [row | bank for row in asked["ask"]["rows"]["payees"]]}}
    done = await api.post(f"/tasks/{task_id}/complete", json=body, headers=keyed(customer))
    assert done.status_code == 200, done.text
    assert isinstance(process.told[-1], CompleteTask)
    other = await customer_of(api, context, (await reported_claim(context)).number)
    assert_problem(await api.post(f"/tasks/{task_id}/complete", json=body, headers=keyed(other)), 404)


@pytest.mark.req("CLM-11")
async def test_a_customer_may_object_and_nothing_else(
    api: httpx.AsyncClient, context: Context, process: FakeProcess
) -> None:
    claim = await reported_claim(context)
    customer = await customer_of(api, context, claim.number)
    path = f"/cases/{claim.number}/actions"
    assert (await api.get(path, headers=customer)).json()["items"] == []
    assert (await api.get(f"/track/{claim.number}", headers=customer)).json()["may_object"] is False
    await settled(context, claim)
    assert [a["action"] for a in (await api.get(path, headers=customer)).json()["items"]] == ["object"]
    assert (await api.get(f"/track/{claim.number}", headers=customer)).json()["may_object"] is True
    body = {"outcome": {"grounds": "amount"}, "notes": "维修费不止这些"}
    assert (await api.post(f"{path}/object", json=body, headers=keyed(customer))).status_code == 200
    assert (process.told[-1].action, process.told[-1].is_customer) == ("object", True)
    for action in ("correct", "refer", "set_reserve"):
        assert_problem(await api.post(f"{path}/{action}", json=body, headers=keyed(customer)), 404)


@pytest.mark.req("CLM-5")
async def test_words_are_filed_over_the_api_too(api: httpx.AsyncClient, context: Context) -> None:
    claim = await reported_claim(context)
    customer = await customer_of(api, context, claim.number)
    path, body = f"/cases/{claim.number}/statements", {"item": "answers", "text": "1. 没有。"}
    made = [await api.post(path, json=body, headers=keyed(customer, "k")) for _ in range(2)]
    assert [m.status_code for m in made] == [201, 201], made[0].text
    assert made[0].json()["id"] == made[1].json()["id"]
    for wrong in ({"item": "identity", "text": "x"}, {"item": "answers", "text": " "}, {"item": "answers"}):
        assert_problem(await api.post(path, json=wrong, headers=keyed(customer)), 422)


# --- our inside -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def trouble(context: Context) -> Any:
    """A claim that was suspected, voted on, corrected, objected to; money is to come back, an account has changed."""
    claim = await reported_claim(context)
    referral, panel, decision, recovery = (uuid4() for _ in range(4))
    finding = Finding("no_witnesses", Severity.REFERS, "risk/1", detail="kind=fraud weight=15 witnesses=none")
    (party,) = [p for p in await rows(context, Party, claim.case_id) if p.role == "claimant"]
    await as_process(
        context,
        claim.case_id,
        j.RiskScored(likelihood=5, impact=4, level="high", findings=(finding,), table_version="risk/1"),
        j.RiskReferred(referral_id=referral, why="fraud"),
        j.ActionTaken(action="refer", outcome={"why": "fraud"}, notes=SECRET),
        j.RiskConcluded(referral_id=referral, outcome="inconclusive"),
        j.DecisionMade(
            decision_id=decision,
            decided_by=f"staff:{UUID(int=1)}",
            result="accept",
            approved_amount=Decimal(4500),
            needs_second=True,
        ),
        j.PanelConvened(
            panel_id=panel,
            decision_id=decision,
            decided_by=f"staff:{UUID(int=1)}",
            seats=3,
            quorum=2,
            rule="majority",
            why="asked_for",
        ),
        j.PanelVoted(panel_id=panel, voter=f"staff:{UUID(int=2)}", vote="disagree", reason=SECRET),
        j.PanelConcluded(panel_id=panel, result="carried"),
        j.DecisionAuthorised(decision_id=decision, authorised_by=f"panel:{panel}"),
        j.PayeeNamed(
            payee_id=uuid4(),
            decision_id=decision,
            person_id=party.person_id,
            amount=Decimal(4500),
            is_changed=True,
            sanctions="hit",
            name="赵磊",
            account="6222020200112233",
            bank="ICBC",
        ),
        j.RecoveryOpened(
            recovery_id=recovery,
            recovery="subrogation",
            expected_amount=Decimal(900),
            currency="CNY",
            counterparty="某公交公司",
        ),
        j.CaseTagged(tag="catastrophe", code="HAIKUI-2026"),
        j.CaseLinked(other_case_id=uuid4(), other_number="CLM-2026-777777", relation="related_to"),
        j.StageEntered(stage="settlement"),
    )
    body = pdf("minutes")
    async with context.transaction() as session:
        case = await find_case(session, OFFICE, claim.number)
    stored = await store_letter(context, case, body)
    minutes = letter_received(
        uuid5(panel, "panel_minutes"), "panel_minutes", body, stored, "minutes.pdf", is_internal=True
    )
    await as_process(context, claim.case_id, minutes)
    ask = {"payee_id": str((await rows(context, Payee, claim.case_id))[0].id), "party_id": str(party.id)}
    await open_task(context, claim.case_id, kind="confirm_account", queue="claims.settlement", ask=ask)
    await open_task(context, claim.case_id, kind="examine_suspicion", queue="claims.special", ask={"score": 20})
    return claim


TELLTALE = re.compile(
    r"referr|risk|fraud|suspic|panel|vote|reserve|ledger|subrogation|recover|catastrophe|sanction|haikui|777777"
    r"|no_witness|staff:|special|minutes|quorum|maturity|ability_to_pay"
    r"|特别|专项|欺诈|风险|集体讨论|准备金|追偿|制裁|巨灾|公交|表决|" + SECRET,
    re.IGNORECASE,
)
EMPTY_FOR_CUSTOMERS = {
    *("risk_level", "risk_score", "risk_measure", "risk_findings", "referrals", "panels", "recoveries", "maturity"),
    *("links", "tags", "investigations", "corrections", "objections", "triage_findings", "policy_snapshot"),
    *("parties", "exposures", "clocks", "tasks", "decisions", "payees", "payments", "severity", "complexity"),
}
"""Fields of a case file that are there for staff; a customer's copy has nothing in them."""


@pytest.mark.req("CLM-8", "CLM-14", "SEC-1")
async def test_nothing_that_a_customer_gets_tells_of_our_inside(
    api: httpx.AsyncClient, context: Context, trouble: Any, subtests: pytest.Subtests
) -> None:
    customer = await customer_of(api, context, trouble.number)
    file = (await api.get(f"/cases/{trouble.number}", headers=customer)).json()
    assert {name for name in EMPTY_FOR_CUSTOMERS if file.pop(name)} == set()
    tracked = (await api.get(f"/track/{trouble.number}", headers=customer)).json()
    (asked,) = tracked["tasks"]
    assert asked["kind"] == "confirm_account"
    answers = {
        "file": file,
        "track": tracked,
        "list": [
            {name: value for name, value in each.items() if name not in EMPTY_FOR_CUSTOMERS}
            for each in (await api.get("/cases", headers=customer)).json()["items"]
        ],
        "documents": (await api.get(f"/cases/{trouble.number}/documents", headers=customer)).json(),
        "actions": (await api.get(f"/cases/{trouble.number}/actions", headers=customer)).json(),
        "action": (await api.get(f"/cases/{trouble.number}/actions/object", headers=customer)).json(),
        "task": (await api.get(f"/tasks/{asked['id']}", headers=customer)).json(),
    }
    ids = {
        str(row.id if hasattr(row, "id") else row.code)
        for model in (Referral, Panel, RecoveryClaim, CaseTag)
        for row in await rows(context, model, trouble.case_id)
    }
    for name, answer in answers.items():
        with subtests.test(name):
            said = json.dumps(answer, ensure_ascii=False)
            assert TELLTALE.findall(said.replace("least_authority", "")) == []
            assert not [each for each in ids if each in said]
    for hidden in (f"/cases/{trouble.number}/timeline", f"/cases/{trouble.number}/money"):
        assert_problem(await api.get(hidden, headers=customer), 403)
    assert await count(context, LedgerLine) > 0


@pytest.mark.req("CLM-8", "CLM-14", "CLM-15")
async def test_staff_get_all_of_it_in_words(
    api: httpx.AsyncClient, context: Context, trouble: Any, signed_in: SignIn
) -> None:
    li = await signed_in("li")
    file = (await api.get(f"/cases/{trouble.number}", headers=li)).json()
    assert (file["risk_level"], file["risk_score"]) == ("high", 20)
    assert file["risk_measure"]["zh"].startswith("移交专项调查")
    assert file["risk_findings"] == [
        {
            "code": "no_witnesses",
            "label": {"en": "Nobody saw the accident", "zh": "事故无目击者"},
            "kind": "fraud",
            "weight": 15,
        }
    ]
    (panel,) = file["panels"]
    assert [(vote["vote"], vote["reason"]) for vote in panel["votes"]] == [("disagree", SECRET)]
    assert [r["outcome"] for r in file["referrals"]] == ["inconclusive"]
    assert [t["code"] for t in file["tags"]] == ["HAIKUI-2026"]
    sun = await signed_in("sun")  # customer service may not read risk
    file = (await api.get(f"/cases/{trouble.number}", headers=sun)).json()
    assert (file["risk_level"], file["risk_score"], file["risk_findings"], file["referrals"]) == ("", 0, [], [])
    assert file["panels"] != []
