"""The claim's main path on the real servers: every branch of the procedure, seen through its rows and its journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from lian.db.journal import compare, verify
from lian.db.tables import Clock, Decision, Document, DocumentRequest, Exposure, JournalEntry, Payment, Task
from lian.domain.claims.fnol import ClaimedLoss
from lian.domain.errors import NotAllowed
from lian.domain.journal import DecisionAuthorised, DecisionMade, Recorded
from lian.domain.messages import CompleteTask
from lian.services import letters
from lian.services.context import Context
from lian.services.desk import claim_task
from lian.services.handling import reopen, withdraw_request
from lian.services.recording import put_on_record
from lian.services.tracking import withdraw
from lian.settings import Settings
from tests.cast import as_customer, hire, reported_claim
from tests.installation import installation
from tests.workflows.hands import Hands


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Context]:
    async with installation(settings) as (context, _):
        yield context


async def at_work(context: Context, **report: object) -> Hands:
    registered = await reported_claim(context, **report)
    return Hands(context, registered.number, await hire(context, "wang"), await hire(context, "li"))


async def rows(context: Context, model: type, case_id: object) -> list:
    async with context.transaction() as session:
        return list((await session.execute(select(model).where(model.case_id == case_id))).scalars())


async def assert_provable(context: Context) -> None:
    async with context.transaction() as session:
        assert (await verify(session)).damages == []
        assert (await compare(session, context.ring)).damages == []


@pytest.mark.kind("claim")
@pytest.mark.req("CLM-10")
async def test_a_simple_claim_is_paid_with_a_voucher(live: Context) -> None:
    hands = await at_work(live)
    await hands.answer("initial_review")
    await hands.answer("assess_loss")
    await hands.answer("adjudicate")
    await hands.answer("agree_settlement")
    await hands.bank_answers()
    case = await hands.until(lambda c: c.status == "closed")
    assert (case.outcome, case.approved_amount, case.paid_amount) == ("paid", Decimal(4500), Decimal(4500))
    (payment,) = await rows(live, Payment, case.id)
    assert (payment.status, payment.amount) == ("confirmed", Decimal(4500))
    assert [e.reserve_amount for e in await rows(live, Exposure, case.id)] == [Decimal(0)]
    vouchers = [d for d in await rows(live, Document, case.id) if d.letter == "voucher"]
    assert [v.id for v in vouchers] == [payment.voucher_document_id]
    assert all(c.status == "met" for c in await rows(live, Clock, case.id))
    await assert_provable(live)


@pytest.mark.req("CLM-11")
async def test_a_claim_outside_the_terms_is_denied_with_one_notice(live: Context) -> None:
    hands = await at_work(live)
    await hands.answer("initial_review")
    task = await hands.open_task("assess_loss")
    loss = {"exposure_id": task.ask["rows"]["losses"][0]["exposure_id"], "assessed_amount": "5000"}
    await hands.answer("assess_loss", losses=[loss | {"excluded_reason": "intoxication"}])
    await hands.answer("adjudicate")
    case = await hands.until(lambda c: c.status == "closed")
    assert (case.outcome, case.approved_amount, case.paid_amount) == ("denied", Decimal(0), Decimal(0))
    letters = [d.letter for d in await rows(live, Document, case.id)]
    assert letters == ["denial"]
    assert await rows(live, Payment, case.id) == []
    await assert_provable(live)


@pytest.mark.req("CLM-5")
async def test_clocks_stand_still_from_the_delivered_request_to_the_last_required_item(live: Context) -> None:
    hands = await at_work(live)
    await hands.answer("initial_review", missing=["identity", "bank_account"])
    case = await hands.case()
    await until_paused(hands)
    await hands.upload("identity")
    assert {c.status for c in await rows(live, Clock, case.id) if c.clock != "claim.initial_review"} == {"paused"}
    await hands.upload("bank_account")
    await hands.open_task("check_documents")
    (request,) = await rows(live, DocumentRequest, case.id)
    clocks = {c.clock: c for c in await rows(live, Clock, case.id)}
    assert (request.status, request.is_repeat) == ("answered", False)
    assert clocks["claim.initial_review"].pauses == []
    for name in ("claim.total", "claim.simple"):
        (pause,) = clocks[name].pauses
        assert clocks[name].status == "running"
        assert datetime.fromisoformat(pause["from_at"]) == request.delivered_at
        last = max(d.received_at for d in await rows(live, Document, case.id) if d.source == "customer")
        assert datetime.fromisoformat(pause["to_at"]) == last == request.closed_at
    assert [d.letter for d in await rows(live, Document, case.id) if d.letter] == ["document_request"]
    await assert_provable(live)


async def until_paused(hands: Hands) -> None:
    case = await hands.case()
    async with asyncio.timeout(20):
        while not any(c.status == "paused" for c in await rows(hands.context, Clock, case.id)):
            await asyncio.sleep(0.05)


@pytest.mark.req("CLM-5")
async def test_a_second_request_is_marked_as_a_violation(live: Context) -> None:
    hands = await at_work(live)
    await hands.answer("initial_review", missing=["identity"])
    await until_paused(hands)
    await hands.upload("identity")
    await hands.answer("check_documents", refused=["identity"])
    case = await hands.case()
    async with asyncio.timeout(20):
        while len(requests := await rows(live, DocumentRequest, case.id)) < 2:
            await asyncio.sleep(0.05)
    assert sorted(r.is_repeat for r in requests) == [False, True]


@pytest.mark.req("CLM-9")
async def test_above_the_authority_limit_a_second_person_decides_and_nobody_decides_twice(live: Context) -> None:
    hands = await at_work(live, losses=(ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(30_000)),))
    await hands.answer("initial_review")
    await hands.answer("assess_loss")
    chen = await hire(live, "chen")
    await hands.answer("adjudicate")
    task = await hands.open_task("authorise")
    assert task.excluded == [hands.adjuster.id]
    with pytest.raises(NotAllowed):
        await claim_task(live, hands.adjuster, task.id)
    await hands.answer("authorise", by=chen, agree=False)
    await hands.answer("adjudicate", by=chen)
    case = await hands.case()
    decisions = sorted(await rows(live, Decision, case.id), key=lambda d: d.decided_at)
    assert [d.status for d in decisions] == ["returned", "final"]
    assert case.approved_amount == Decimal(29_500)


@pytest.mark.req("CLM-9")
async def test_the_process_itself_refuses_whoever_decided_before(live: Context) -> None:
    """Role change, delegation or a forged request cannot pass the procedure's own check."""
    hands = await at_work(live, losses=(ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(30_000)),))
    for kind in ("initial_review", "assess_loss", "adjudicate"):
        await hands.answer(kind)
    task = await hands.open_task("authorise")
    case = await hands.case()
    forged = CompleteTask(
        command_id="forged",
        task_id=task.id,
        actor=hands.adjuster.id,
        authority=Decimal(1_000_000),
        outcome={"agree": True},
    )
    with pytest.raises(NotAllowed):
        await live.process.complete_task(case.id, forged)
    weak = CompleteTask(
        command_id="weak", task_id=task.id, actor="staff:other", authority=Decimal(1), outcome={"agree": True}
    )
    with pytest.raises(NotAllowed):
        await live.process.complete_task(case.id, weak)


@pytest.mark.req("CLM-9")
async def test_the_database_refuses_one_person_in_both_roles(live: Context) -> None:
    case = (await reported_claim(live)).case_id
    made = DecisionMade(
        decision_id=uuid4(), decided_by="staff:a", result="accept", approved_amount=Decimal(1), needs_second=True
    )
    same = DecisionAuthorised(decision_id=made.decision_id, authorised_by="staff:a")
    with pytest.raises(IntegrityError):
        async with live.transaction() as session:
            recorded = [Recorded(at=live.now(), actor="staff:a", event=e) for e in (made, same)]
            await put_on_record(live, session, case_id=case, recorded=recorded)


@pytest.mark.req("CLM-15")
async def test_a_withdrawn_claim_closes_its_task_and_clocks(live: Context) -> None:
    hands = await at_work(live)
    await hands.open_task("initial_review")
    customer = await as_customer(live, hands.number)
    await withdraw(live, customer, hands.number, reason="不需要了", command_id=uuid4().hex)
    case = await hands.until(lambda c: c.status == "closed")
    assert case.outcome == "withdrawn"
    assert {t.status for t in await rows(live, Task, case.id)} == {"cancelled"}
    assert {c.status for c in await rows(live, Clock, case.id)} == {"cancelled"}
    await assert_provable(live)


@pytest.mark.req("CLM-10")
async def test_a_transfer_the_bank_refuses_is_agreed_and_paid_anew(live: Context) -> None:
    hands = await at_work(live)
    for kind in ("initial_review", "assess_loss", "adjudicate", "agree_settlement"):
        await hands.answer(kind)
    await hands.bank_answers(accepted=False, reason="AC04")
    await hands.answer("agree_settlement")
    await hands.bank_answers()
    case = await hands.until(lambda c: c.status == "closed")
    assert sorted(p.status for p in await rows(live, Payment, case.id)) == ["confirmed", "rejected"]
    assert (case.paid_amount, case.approved_amount) == (Decimal(4500), Decimal(4500))
    await assert_provable(live)


async def deny(hands: Hands, **review: str) -> None:
    """Nothing is found to pay, and the claim is closed."""
    await hands.answer("initial_review", **review)
    task = await hands.open_task("assess_loss")
    row = task.ask["rows"]["losses"][0]
    await hands.answer("assess_loss", losses=[{"exposure_id": row["exposure_id"], "assessed_amount": "0"}])
    await hands.answer("adjudicate")
    await hands.until(lambda c: c.status == "closed")


@pytest.mark.req("CLM-15")
async def test_a_denied_claim_is_reopened_with_new_promises_and_paid(live: Context) -> None:
    hands = await at_work(live)
    await deny(hands)
    await reopen(live, hands.second, hands.number, stage="assessment", reason="新证据")
    for kind in ("assess_loss", "adjudicate", "agree_settlement"):
        await hands.answer(kind)
    await hands.bank_answers()
    case = await hands.until(lambda c: c.status == "closed")
    assert (case.outcome, case.generation) == ("paid", 2)
    await assert_provable(live)


async def test_several_exposures_of_one_coverage_share_its_limit(live: Context) -> None:
    losses = tuple(ClaimedLoss(coverage_code="PD", claimed_amount=Decimal(60_000)) for _ in range(2))
    hands = await at_work(live, losses=losses)
    await hands.answer("initial_review")
    await hands.answer("assess_loss")
    task = await hands.open_task("adjudicate")
    assert sum(Decimal(r["payable_amount"]) for r in task.ask["rows"]["decisions"]) == Decimal(100_000)


@pytest.mark.req("CLM-12")
async def test_a_claim_the_reviewer_called_complex_is_promised_as_complex_when_it_is_reopened(live: Context) -> None:
    hands = await at_work(live)
    await deny(hands, complexity="complex")
    await reopen(live, hands.second, hands.number, stage="assessment", reason="新证据")
    await hands.open_task("assess_loss")
    case = await hands.case()
    names = {c.clock for c in await rows(live, Clock, case.id) if c.clock.endswith("#2")}
    assert (case.complexity, names) == ("complex", {"claim.total#2", "claim.complex#2"})
    await assert_provable(live)


@pytest.mark.req("CLM-5")
async def test_a_withdrawn_request_says_on_record_who_withdrew_it(live: Context) -> None:
    hands = await at_work(live)
    await hands.answer("initial_review", missing=["identity"])
    await until_paused(hands)
    await withdraw_request(live, hands.adjuster, hands.number)
    await hands.open_task("check_documents")
    case = await hands.case()
    (closed,) = [e for e in await rows(live, JournalEntry, case.id) if e.type == "request.closed"]
    assert (closed.actor, closed.body["how"]) == (hands.adjuster.id, "withdrawn")


@pytest.mark.req("CLM-15")
async def test_nobody_is_asked_for_documents_of_a_claim_withdrawn_while_the_letter_was_made(
    live: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    store = letters.store_letter

    async def slowly(*args: Any) -> object:
        begun.set()
        await may_go_on.wait()
        ended.set()
        return await store(*args)

    monkeypatch.setattr(letters, "store_letter", slowly)
    hands = await at_work(live)
    await hands.answer("initial_review", missing=["identity"])
    await begun.wait()
    customer = await as_customer(live, hands.number)
    await withdraw(live, customer, hands.number, reason="", command_id=uuid4().hex)
    case = await hands.until(lambda c: c.status == "closed")
    may_go_on.set()
    await ended.wait()
    await asyncio.sleep(1)  # long enough for the letter to be stored and listed, if it were
    types = {e.type for e in await rows(live, JournalEntry, case.id)}
    assert not types & {"request.delivered", "letter.issued", "clock.paused"}
    await assert_provable(live)
