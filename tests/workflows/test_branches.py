"""One story per branch of the claims procedure, from the report to the end, with time skipped where it must pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from lian.db.tables import (
    CaseLink,
    Clock,
    Correction,
    Decision,
    Document,
    DocumentRequest,
    Exposure,
    Investigation,
    LedgerLine,
    Objection,
    Panel,
    PanelVote,
    Payee,
    Payment,
    RecoveryClaim,
    Referral,
    ReserveLine,
    Task,
)
from lian.domain.claims.fnol import ClaimedLoss, PersonGiven
from lian.domain.errors import Conflict, NotAllowed, NotFound
from lian.services.actions import preview
from lian.services.asked import asked_of_customer
from lian.services.desk import claim_task
from lian.services.handling import reopen
from lian.services.tracking import withdraw
from lian.settings import Settings
from tests.workflows.office import Office, new_claim, office

THIRTY = (ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(30_000)),)
TWO_CLAIMANTS = (
    PersonGiven(name="赵磊", phone="13800000001", email="zhao@example.com"),
    PersonGiven(name="钱芳", phone="139"),
)
THEIR_LOSSES = (
    ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(5_000)),
    ClaimedLoss(coverage_code="PD", claimed_amount=Decimal(2_000), claimant=1),
)
ELSEWHERE = [{"name": "赵磊", "account": "6222020209999999", "bank": "CCB"}]


@pytest.mark.req("CLM-7", "CLM-10")
async def test_paid_simple(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.decide()
        await claim.settle()
        await claim.closed("paid")
        case = await claim.case()
        assert (case.approved_amount, case.paid_amount, case.maturity) == (4500, 4500, "ability_to_pay")
        assert (await claim.types()).count("case.matured") == 2
        assert {c.status for c in await claim.rows(Clock)} == {"met"}


@pytest.mark.req("CLM-6", "CLM-8")
async def test_paid_complex_with_investigation_and_panel(settings: Settings) -> None:
    async with office(settings, losses=THIRTY, injured=1) as claim:
        await claim.does("initial_review", investigate=["scene_survey", "external_adjuster"])
        await claim.does("external_adjuster", notes="车损属实，估损三万元")
        await claim.does("scene_survey", notes="现场有刹车痕迹")
        await claim.does("assess_loss")
        await claim.does("adjudicate", panel="majority")
        await claim.does("panel_vote", by="chen", notes="证据充分")
        await claim.does("panel_vote", by="li", vote="disagree", notes="金额偏高")
        await claim.does("panel_vote", by="gao", notes="同意赔付")
        await claim.settle()
        await claim.closed("paid")
        (panel,) = await claim.rows(Panel)
        votes = {v.vote for v in await claim.rows(PanelVote)}
        assert (panel.result, panel.rule, panel.seats, panel.quorum) == ("carried", "majority", 3, 2)
        assert votes == {"agree", "disagree"}
        assert [d.authorised_by for d in await claim.rows(Decision)] == [f"panel:{panel.id}"]
        assert {i.action: i.finding for i in await claim.rows(Investigation)} == {
            "scene_survey": "supports",
            "external_adjuster": "supports",
        }
        assert [d.source for d in await claim.rows(Document) if d.letter == "panel_minutes"] == ["internal"]


@pytest.mark.req("CLM-8")
async def test_a_panel_that_rejects_sends_the_decision_back_and_nobody_votes_twice(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.does("initial_review")
        await claim.does("assess_loss")
        await claim.does("adjudicate", panel="unanimous")
        li = await claim.who("li")
        await claim.open_task("panel_vote")
        for seat in [t for t in await claim.rows(Task) if t.kind == "panel_vote"]:
            await claim_task(claim.context, li, seat.id)
        first = await claim.does("panel_vote", by="li", vote="disagree", notes="责任不清")
        await claim.open_task("panel_vote")
        others = [t for t in await claim.rows(Task) if t.kind == "panel_vote" and t.id != first.id]
        for task in others:
            assert (li.id in task.excluded, task.holder) == (True, "")
            with pytest.raises(NotAllowed):
                await claim_task(claim.context, li, task.id)
        await claim.does("panel_vote", by="chen", notes="同意")
        await claim.does("adjudicate")
        await claim.settle()
        await claim.closed("paid")
        assert sorted(d.status for d in await claim.rows(Decision)) == ["final", "returned"]
        assert sorted(t.status for t in others) == ["open", "open"]
        assert {t.status for t in await claim.rows(Task)} == {"completed", "cancelled"}


@pytest.mark.req("CLM-10", "CLM-11")
async def test_part_paid_and_disputed(settings: Settings) -> None:
    """The customer takes what was agreed and objects to the rest; somebody else finds them right."""
    async with office(settings) as claim:
        row = {"exposure_id": await claim.loss(), "result": "partial", "payable_amount": "2000"}
        await claim.decide(decisions=[row | {"reason": "evidence_insufficient"}])
        await claim.open_task("agree_settlement")
        await claim.acts("object", by="customer", grounds="amount", notes="维修费不止这些")
        await claim.does("agree_settlement", by="customer")
        await claim.bank_answers()
        await claim.does("review_objection", by="chen", result="changed", notes="补充发票可采信")
        with pytest.raises(NotAllowed):
            await claim_task(claim.context, await claim.who("wang"), (await claim.open_task("adjudicate")).id)
        await claim.does("adjudicate", by="chen")
        await claim.settle()
        await claim.closed("paid")
        case = await claim.case()
        assert (case.approved_amount, case.paid_amount) == (4500, 4500)
        assert sorted(p.amount for p in await claim.rows(Payment)) == [2000, 2500]
        (objection,) = await claim.rows(Objection)
        assert (objection.status, objection.words) == ("changed", "维修费不止这些")


@pytest.mark.req("CLM-10")
async def test_a_settlement_may_be_paid_in_parts_and_to_several(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.decide()
        task = await claim.open_task("agree_settlement")
        party = task.ask["rows"]["payees"][0]["party_id"]
        payee = {"party_id": party, "name": "赵磊", "account": "6222020200112233", "bank": "ICBC"}
        shares = [payee | {"amount": "1000"}, payee | {"amount": "500"}]
        await claim.does("agree_settlement", payees=shares, extent="part")
        await claim.bank_answers()
        await claim.settle()
        await claim.closed("paid")
        assert sorted(p.amount for p in await claim.rows(Payment)) == [500, 1000, 3000]


@pytest.mark.req("CLM-10", "SEC-1")
async def test_a_customer_takes_what_is_offered_to_themselves_and_nothing_else(settings: Settings) -> None:
    async with office(settings, claimants=TWO_CLAIMANTS, losses=THEIR_LOSSES) as claim:
        await claim.decide()
        mine, others = (await claim.open_task("agree_settlement")).ask["rows"]["payees"]
        bank = {"name": "赵磊", "account": "6222020200112233", "bank": "ICBC"}
        for payees in ([mine | bank | {"amount": "6500"}], [mine | bank, others | bank]):
            with pytest.raises(NotFound):  # with another's share in it, it is not asked of them at all
                await claim.does("agree_settlement", by="customer", payees=payees)
        assert await claim.rows(Payee) == []


@pytest.mark.req("CLM-10")
async def test_advance_then_balance(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.does("initial_review")
        await claim.open_task("assess_loss")
        with pytest.raises(Conflict):
            await claim.acts("object", by="customer", grounds="amount")
        await claim.acts("pay_advance", by="wang", amount="8000")
        await claim.does("authorise_advance")
        await claim.settle()
        await claim.until(lambda c: c.paid_amount == 8000)
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        await claim.does("authorise")
        await claim.settle()
        await claim.closed("paid")
        case = await claim.case()
        assert (case.approved_amount, case.paid_amount) == (29_500, 29_500)
        assert [
            (d.subject, d.approved_amount) for d in sorted(await claim.rows(Decision), key=lambda d: d.decided_at)
        ] == [
            ("advance", 8000),
            ("claim", 29_500),
        ]


@pytest.mark.req("CLM-10")
async def test_an_advance_to_one_of_several_claimants_is_agreed_with_our_staff(settings: Settings) -> None:
    """Before anything is decided nobody can tell which of them it is for."""
    async with office(settings, claimants=TWO_CLAIMANTS, losses=THEIR_LOSSES) as claim:
        await claim.does("initial_review")
        await claim.acts("pay_advance", by="chen", amount="1000")
        await claim.open_task("agree_settlement")
        assert await asked_of_customer(claim.context, await claim.who("customer")) == []
        with pytest.raises(NotFound):
            await claim.does("agree_settlement", by="customer")
        await claim.settle()
        await claim.until(lambda c: c.paid_amount == 1000)


async def an_advance_is_asked_for(claim: Office) -> None:
    await claim.does("initial_review")
    await claim.acts("pay_advance", by="wang", amount="8000")
    await claim.open_task("authorise_advance")


async def an_advance_is_authorised(claim: Office) -> None:
    await an_advance_is_asked_for(claim)
    await claim.does("authorise_advance")
    await claim.open_task("agree_settlement")


@pytest.mark.req("CLM-14")
@pytest.mark.parametrize("so_far", [an_advance_is_asked_for, an_advance_is_authorised])
async def test_an_advance_is_not_paid_once_fraud_is_confirmed(
    settings: Settings, so_far: Callable[[Office], Awaitable[None]]
) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await so_far(claim)
        await claim.acts("refer", by="chen", why="fraud")
        await claim.does("examine_suspicion", outcome="confirmed", notes="事故系伪造")
        assert {t.kind for t in await claim.rows(Task) if t.status == "open"} == {"assess_loss"}
        assert (await claim.case()).approved_amount == 0
        assert [(d.subject, d.status) for d in await claim.rows(Decision)] == [("advance", "returned")]
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        await claim.closed("denied")
        assert await claim.rows(Payment) == []


@pytest.mark.req("CLM-14")
async def test_an_advance_agreed_while_the_suspicion_stood_is_not_paid_once_it_is_confirmed(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await an_advance_is_authorised(claim)
        await claim.acts("refer", by="chen", why="fraud")
        await claim.does("agree_settlement")
        await claim.does("examine_suspicion", outcome="confirmed", notes="事故系伪造")
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        await claim.closed("denied")
        assert await claim.rows(Payment) == []


@pytest.mark.req("CLM-14")
async def test_an_advance_that_is_with_the_bank_when_fraud_is_confirmed_is_owed_back(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await an_advance_is_authorised(claim)
        await claim.does("agree_settlement")
        await claim.acts("refer", by="chen", why="fraud")
        await claim.does("examine_suspicion", outcome="confirmed", notes="事故系伪造")
        assert (await claim.case()).approved_amount == 8000
        await claim.bank_answers()
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        await claim.closed("denied")
        assert [(r.recovery, r.expected_amount) for r in await claim.rows(RecoveryClaim)] == [("overpayment", 8000)]


@pytest.mark.req("CLM-11")
async def test_denied_and_appealed(settings: Settings) -> None:
    async with office(settings) as claim:
        lost = await claim.loss()
        await claim.does("initial_review")
        await claim.does("assess_loss", losses=[{"exposure_id": lost, "assessed_amount": "0"}])
        await claim.does("adjudicate")
        await claim.closed("denied")
        await claim.acts("object", by="customer", grounds="facts", notes="有新的定损单")
        with pytest.raises(NotAllowed):
            await claim_task(claim.context, await claim.who("wang"), (await claim.open_task("review_objection")).id)
        await claim.does("review_objection", result="upheld")
        await claim.closed("denied")
        await claim.acts("object", by="sun", grounds="facts", notes="客户来电补充证据")
        await claim.does("review_objection", result="changed")
        await claim.does("adjudicate", by="chen")
        await claim.closed("denied")  # the assessment still says that nothing is payable
        await claim.acts(
            "correct", by="chen", name="assessed_amount", exposure_id=lost, after="5000", notes="定损单补录"
        )
        await claim.does("approve_correction")
        await claim.does("adjudicate", by="chen")
        await claim.settle()
        await claim.closed("paid")
        assert [o.status for o in sorted(await claim.rows(Objection), key=lambda o: o.lodged_at)] == [
            "upheld",
            "changed",
        ]
        assert [d.letter for d in await claim.rows(Document) if d.letter == "denial"] == ["denial"] * 2


@pytest.mark.req("CLM-14")
async def test_suspicious_and_cleared(settings: Settings) -> None:
    """Nothing is paid while the suspicion stands, although everything else goes on."""
    async with office(settings) as claim:
        await claim.decide()
        await claim.open_task("agree_settlement")
        await claim.acts("refer", by="chen", why="fraud", notes="与另一案照片相同")
        await claim.does("agree_settlement")
        await claim.open_task("examine_suspicion")
        assert await claim.rows(Payment) == []
        await claim.does("examine_suspicion", outcome="cleared", notes="照片为同一维修厂存档")
        await claim.bank_answers()
        await claim.closed("paid")
        (referral,) = await claim.rows(Referral)
        assert (referral.outcome, referral.why, referral.status) == ("cleared", "fraud", "concluded")


@pytest.mark.req("CLM-14")
async def test_suspicious_and_refused(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.does("initial_review", suspicion="fraud")
        await claim.does("examine_suspicion", outcome="confirmed", notes="事故系伪造")
        await claim.does("assess_loss")
        task = await claim.open_task("adjudicate")
        (row,) = task.ask["rows"]["decisions"]
        assert (row["result"], row["payable_amount"]) == ("deny", "0")
        await claim.does("adjudicate")
        await claim.closed("denied")


@pytest.mark.req("CLM-14")
async def test_a_suspicion_confirmed_after_the_decision_takes_it_back(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.decide()
        await claim.open_task("agree_settlement")
        await claim.acts("refer", by="chen", why="fraud")
        await claim.does("examine_suspicion", outcome="confirmed", notes="伪造")
        await claim.does("adjudicate")
        await claim.closed("denied")
        assert (await claim.case()).paid_amount == 0


@pytest.mark.req("CLM-15")
async def test_withdrawn(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.does("initial_review", investigate=["record_review"], suspicion="moral")
        await claim.open_task("record_review")
        customer = await claim.who("customer")
        await withdraw(claim.context, customer, claim.number, reason="不需要了", command_id=uuid4().hex)
        await claim.closed("withdrawn")
        assert {t.status for t in await claim.rows(Task)} == {"completed", "cancelled"}
        assert [r.status for r in await claim.rows(Referral)] == ["concluded"]
        assert sum(r.amount for r in (await claim.rows(ReserveLine))[-1:]) == 0


@pytest.mark.req("CLM-3")
async def test_duplicate_merged(settings: Settings) -> None:
    async with office(settings) as first:
        case = await first.case()
        await first.does("initial_review")
        assert first.env is not None
        again = await new_claim(
            first.context, first.env, policy_number=case.policy_number, loss_at=case.loss_at + timedelta(minutes=5)
        )
        task = await again.open_task("judge_duplicate")
        (row,) = task.ask["rows"]["likenesses"]
        assert row["number"] == first.number
        assert "same_policy" in row["reasons"]
        likeness = {"other_case_id": row["other_case_id"], "relation": "same_loss"}
        await again.does("judge_duplicate", likenesses=[likeness])
        await again.closed("merged")
        assert [(x.relation, x.other_number) for x in await again.rows(CaseLink)] == [("duplicate_of", first.number)]
        related = await new_claim(first.context, first.env, policy_number=case.policy_number, loss_at=case.loss_at)
        task = await related.open_task("judge_duplicate")
        numbers = {r["number"]: r["other_case_id"] for r in task.ask["rows"]["likenesses"]}
        assert list(numbers) == [first.number]  # one that was joined to another is no candidate any more
        await related.does(
            "judge_duplicate", likenesses=[{"other_case_id": numbers[first.number], "relation": "related"}]
        )
        await related.decide()
        await related.settle()
        await related.closed("paid")
        assert [x.relation for x in await related.rows(CaseLink)] == ["related_to"]


@pytest.mark.req("CLM-5")
async def test_documents_never_arrive(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.does("initial_review", missing=["identity", "bank_account"])
        await claim.until(lambda c: c.stage == "documents")
        for _ in range(2):
            await claim.pass_time(timedelta(days=16))
        await claim.does("check_documents")
        await claim.does("assess_loss")
        row = {"exposure_id": await claim.loss(), "result": "deny", "payable_amount": "0"}
        await claim.does("adjudicate", decisions=[row | {"reason": "evidence_insufficient"}])
        await claim.closed("denied")
        (request,) = await claim.rows(DocumentRequest)
        assert (request.status, request.closed_at) == ("expired", request.answer_by)
        total = next(c for c in await claim.rows(Clock) if c.clock == "claim.total")
        assert len(total.pauses) == 1
        assert total.status == "met"  # thirty days of waiting for the claimant are not ours


@pytest.mark.req("CLM-15")
async def test_reopened_after_payment(settings: Settings) -> None:
    async with office(settings) as claim:
        row = {"exposure_id": await claim.loss(), "assessed_amount": "3000"}
        await claim.does("initial_review")
        await claim.does("assess_loss", losses=[row])
        await claim.does("adjudicate")
        await claim.settle()
        await claim.closed("paid")
        await reopen(claim.context, await claim.who("li"), claim.number, stage="assessment", reason="隐蔽损伤")
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        await claim.settle()
        await claim.closed("paid")
        case = await claim.case()
        assert (case.generation, case.paid_amount, case.approved_amount) == (2, 4500, 4500)
        assert sorted(p.amount for p in await claim.rows(Payment)) == [2000, 2500]


@pytest.mark.req("CLM-15")
async def test_corrected_after_payment(settings: Settings) -> None:
    """Too much was paid on a wrong figure: corrected, decided anew, and the difference is owed back."""
    async with office(settings) as claim:
        await claim.decide()
        await claim.settle()
        await claim.closed("paid")
        lost = await claim.loss()
        await claim.acts(
            "correct", by="wang", name="assessed_amount", exposure_id=lost, after="4000", notes="发票重复计算"
        )
        with pytest.raises(NotAllowed):
            await claim_task(claim.context, await claim.who("wang"), (await claim.open_task("approve_correction")).id)
        await claim.does("approve_correction")
        await claim.does("adjudicate")
        await claim.closed("paid")
        case = await claim.case()
        assert (case.approved_amount, case.paid_amount) == (3500, 3500)
        (recovery,) = await claim.rows(RecoveryClaim)
        assert (recovery.recovery, recovery.expected_amount) == ("overpayment", 1000)
        (correction,) = await claim.rows(Correction)
        assert (correction.before, correction.after, correction.status) == ("5000.00", "4000", "applied")
        balances: dict[str, Decimal] = {}
        for line in await claim.rows(LedgerLine):
            balances[line.account] = balances.get(line.account, Decimal(0)) + line.amount
        assert balances == {"incurred": 3500, "payable": 0, "bank": -4500, "recoverable": 1000}


async def corrected(claim: Office, loss: Exposure, assessed: Decimal) -> None:
    """An assessment is put right, and the claim decided anew."""
    await claim.acts("correct", by="chen", name="assessed_amount", exposure_id=str(loss.id), after=str(assessed))
    await claim.does("approve_correction")
    await claim.does("adjudicate")


@pytest.mark.req("CLM-10", "CLM-15")
async def test_what_one_claimant_was_paid_too_much_is_offered_to_nobody_else(settings: Settings) -> None:
    """Over three lives: the second one's share is lowered, and found right after all."""
    async with office(settings, claimants=TWO_CLAIMANTS, losses=THEIR_LOSSES) as claim:
        await claim.decide()
        _, second = (await claim.open_task("agree_settlement")).ask["rows"]["payees"]
        await claim.settle()
        await claim.closed("paid")
        loss = next(e for e in await claim.rows(Exposure) if str(e.claimant_party_id) == second["party_id"])
        await corrected(claim, loss, loss.assessed_amount - 800)
        await claim.closed("paid")
        await corrected(claim, loss, loss.assessed_amount)
        task = await claim.open_task("agree_settlement")
        assert task.ask["rows"]["payees"] == [{"party_id": second["party_id"], "amount": "800.00"}]
        (recovery,) = await claim.rows(RecoveryClaim)
        assert (str(recovery.party_id), recovery.expected_amount) == (second["party_id"], 800)
        await claim.settle()
        await claim.closed("paid")


@pytest.mark.req("CLM-10", "CLM-15")
async def test_a_returned_payment_lowers_no_other_claimants_overpayment(settings: Settings) -> None:
    async with office(settings, claimants=TWO_CLAIMANTS, losses=THEIR_LOSSES) as claim:
        await claim.decide()
        await claim.settle()
        await claim.closed("paid")
        own, other = sorted(await claim.rows(Exposure), key=lambda e: e.coverage_code)
        await corrected(claim, own, Decimal(4000))
        await claim.closed("paid")
        theirs = next(p for p in await claim.rows(Payment) if p.amount == 2000)
        await claim.payee_bank_returns(theirs)
        task = await claim.open_task("agree_settlement")
        assert task.ask["rows"]["payees"] == [{"party_id": str(other.claimant_party_id), "amount": "2000.00"}]
        (recovery,) = await claim.rows(RecoveryClaim)
        assert (recovery.party_id, recovery.expected_amount) == (own.claimant_party_id, 1000)


@pytest.mark.req("CLM-15")
async def test_a_correction_that_is_refused_changes_nothing(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.does("initial_review")
        lost = await claim.loss()
        await claim.open_task("assess_loss")
        await claim.acts("correct", by="wang", name="claimed_amount", exposure_id=lost, after="9000")
        await claim.does("approve_correction", agree=False)
        await claim.does("assess_loss")
        task = await claim.open_task("adjudicate")
        assert task.ask["rows"]["decisions"][0]["assessed_amount"] == "5000.00"
        assert [c.status for c in await claim.rows(Correction)] == ["refused"]


@pytest.mark.req("CLM-15")
async def test_an_open_task_is_asked_anew_when_a_figure_it_rests_on_is_corrected(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.does("initial_review")
        lost = await claim.loss()
        before = await claim.open_task("assess_loss")
        await claim.acts("correct", by="wang", name="claimed_amount", exposure_id=lost, after="9000")
        await claim.does("approve_correction")
        await claim.until(lambda c: c.claimed_amount == 9000)
        after = await claim.open_task("assess_loss")
        assert after.id != before.id
        assert after.ask["rows"]["losses"][0]["claimed_amount"] == "9000.00"
        tasks = {t.id: t.status for t in await claim.rows(Task)}
        assert tasks[before.id] == "cancelled"


@pytest.mark.req("CLM-15")
async def test_a_corrected_receipt_moves_the_promises(settings: Settings) -> None:
    lately = datetime.now(UTC) - timedelta(days=20)
    async with office(settings, loss_at=lately, reported_at=lately) as claim:
        await claim.does("initial_review")
        await claim.open_task("assess_loss")
        case = await claim.case()
        earlier = case.received_at - timedelta(days=7)
        due = {c.clock: c.due_at for c in await claim.rows(Clock)}
        await claim.acts("correct", by="wang", name="received_at", after=earlier.isoformat(), notes="前台漏登")
        case = await claim.case()
        assert case.received_at == earlier
        now = {c.clock: c for c in await claim.rows(Clock)}
        assert now["claim.total"].due_at < due["claim.total"]
        assert now["claim.total"].started_at == earlier
        assert now["claim.initial_review"].due_at == due["claim.initial_review"]  # it was met, and its verdict is final


@pytest.mark.req("CLM-12", "CLM-15")
async def test_a_corrected_receipt_leaves_a_later_lifes_promises_as_they_are(settings: Settings) -> None:
    """They run from the reopening: moved to the receipt, they would have been broken long ago."""
    lately = datetime.now(UTC) - timedelta(days=60)
    async with office(settings, loss_at=lately, reported_at=lately) as claim:
        await claim.decide()
        await claim.settle()
        await claim.closed("paid")
        await reopen(claim.context, await claim.who("li"), claim.number, stage="assessment", reason="隐蔽损伤")
        await claim.open_task("assess_loss")
        before = {c.clock: (c.started_at, c.due_at) for c in await claim.rows(Clock) if c.clock.endswith("#2")}
        case = await claim.case()
        earlier = case.received_at - timedelta(days=50)
        answer = {"name": "received_at", "after": earlier.isoformat(), "exposure_id": ""}
        shown = await preview(claim.context, await claim.who("wang"), claim.number, "correct", outcome=answer)
        assert [e["en"] for e in shown["effects"]] == ["Only the record changes."]
        await claim.acts("correct", by="wang", name="received_at", after=earlier.isoformat(), notes="前台漏登")
        assert (await claim.case()).received_at == earlier
        now = {c.clock: (c.started_at, c.due_at) for c in await claim.rows(Clock) if c.clock.endswith("#2")}
        assert len(before) == 2
        assert now == before
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        await claim.closed("paid")
        assert {c.status for c in await claim.rows(Clock)} == {"met"}
        assert [c.status for c in await claim.rows(Correction)] == ["applied"]


@pytest.mark.req("CLM-10")
async def test_returned_transfer_reissued(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.decide()
        await claim.settle()
        await claim.closed("paid")
        await claim.payee_bank_returns()
        task = await claim.open_task("agree_settlement")
        assert task.ask["approved_amount"] == "4500.00"
        rows = task.ask["rows"]["payees"]
        await claim.does("agree_settlement", payees=[rows[0] | ELSEWHERE[0]])
        named = [p for p in await claim.rows(Payee) if p.is_changed]
        assert len(named) == 1
        await claim.does("verify_account")
        await claim.does("confirm_account")
        await claim.bank_answers()
        await claim.closed("paid")
        case = await claim.case()
        assert (case.paid_amount, case.approved_amount) == (4500, 4500)
        assert sorted(p.status for p in await claim.rows(Payment)) == ["confirmed", "returned"]


@pytest.mark.req("CLM-10")
async def test_a_payment_to_the_wrong_payee_is_claimed_back_and_made_again(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.decide()
        await claim.settle()
        await claim.closed("paid")
        paid = await claim.payment("confirmed")
        await claim.acts("reverse_payment", by="chen", payment_id=str(paid.id), why="wrong_payee", notes="户名同音")
        with pytest.raises(NotAllowed):
            await claim_task(claim.context, await claim.who("chen"), (await claim.open_task("approve_reversal")).id)
        await claim.does("approve_reversal")
        await claim.does("agree_settlement")
        await claim.bank_answers()
        await claim.closed("paid")
        case = await claim.case()
        assert (case.paid_amount, case.approved_amount) == (4500, 4500)
        assert sorted(p.status for p in await claim.rows(Payment)) == ["confirmed", "reversed"]
        (recovery,) = await claim.rows(RecoveryClaim)
        assert (recovery.recovery, recovery.expected_amount, recovery.payment_id) == ("recall", 4500, paid.id)


@pytest.mark.req("CLM-9")
async def test_above_everybodys_limit_a_panel_must_be_unanimous(settings: Settings) -> None:
    large = (ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(9_000_000)),)
    async with office(settings, losses=large, policy={"limit": Decimal(20_000_000)}) as claim:
        await claim.does("initial_review")
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        for member in ("chen", "li", "gao"):
            await claim.does("panel_vote", by=member, notes="一致同意")
            if (await claim.case()).approved_amount:
                break
        await claim.until(lambda c: c.approved_amount > 0)
        (panel,) = await claim.rows(Panel)
        assert (panel.rule, panel.why) == ("unanimous", "beyond_authority")


@pytest.mark.req("CLM-9")
async def test_break_glass_lets_a_decision_stand_and_is_told_to_compliance(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.decide()
        await claim.open_task("authorise")
        with pytest.raises(NotAllowed):
            await claim.acts("override_authority", by="li", why="urgent_hardship")
        await claim.acts("override_authority", by="gao", why="urgent_hardship", notes="家属等待手术")
        await claim.settle()
        await claim.closed("paid")
        (decision,) = await claim.rows(Decision)
        assert (decision.status, decision.overridden_why) == ("final", "urgent_hardship")
        assert decision.authorised_by == (await claim.who("gao")).id
