"""Records histories for the replay gate: `python -m pytest tests/replay/record.py -p no:randomly`, before each release.

Not collected with the tests. The payloads are sealed with the tests' own key ring. Histories of earlier versions stay;
a new version is recorded beside them.
`advanced`, `received` and `shared` hold what later patches do otherwise, and cannot be recorded again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHistory

from lian.domain.bulk import BulkStatus, BulkVerb
from lian.domain.claims.fnol import ClaimedLoss
from lian.domain.messages import BulkRun, bulk_workflow_id, case_workflow_id, payment_workflow_id
from lian.services.tracking import withdraw
from lian.settings import Settings
from tests.cast import as_customer, hire, reported_claim
from tests.installation import installation
from tests.services.test_bulk import hire as colleague
from tests.workflows.hands import Hands
from tests.workflows.office import Office
from tests.workflows.test_bulk import ordered, questions, until
from tests.workflows.test_standard import Inquiry, asked
from workflows import options
from workflows.watchdog import Watchdog

FOLDER = Path(__file__).parent / "histories"
LOSSES = (ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(30_000)),)


async def paid(hands: Hands) -> None:
    await hands.answer("initial_review", missing=["identity"])
    await hands.upload("identity")
    for kind in ("check_documents", "assess_loss", "adjudicate"):
        await hands.answer(kind)
    await hands.answer("authorise", agree=False)
    for kind in ("adjudicate", "authorise", "agree_settlement"):
        await hands.answer(kind)
    await hands.bank_answers(accepted=False, reason="AC04")
    await hands.answer("agree_settlement")
    await hands.bank_answers()


async def denied(hands: Hands) -> None:
    await hands.answer("initial_review")
    row = (await hands.open_task("assess_loss")).ask["rows"]["losses"][0]
    await hands.answer("assess_loss", losses=[{"exposure_id": row["exposure_id"], "assessed_amount": "0"}])
    await hands.answer("adjudicate")


async def withdrawn(hands: Hands) -> None:
    await hands.answer("initial_review", missing=["identity"])
    customer = await as_customer(hands.context, hands.number)
    await hands.until(lambda c: c.stage == "documents")
    await withdraw(hands.context, customer, hands.number, reason="x", command_id=uuid4().hex)


async def disputed(claim: Office) -> None:
    """An advance, an investigation, a panel; paid in part and disputed; decided anew and paid in full."""
    await claim.does("initial_review", investigate=["scene_survey", "record_review"])
    await claim.acts("pay_advance", by="wang", amount="8000")
    await claim.does("authorise_advance")
    await claim.settle()
    await claim.does("record_review")
    await claim.does("scene_survey")
    await claim.does("assess_loss")
    lower = {"exposure_id": await claim.loss(), "result": "partial", "payable_amount": "20000"}
    await claim.does("adjudicate", decisions=[lower | {"reason": "evidence_insufficient"}], panel="majority")
    for member in ("chen", "gao"):
        await claim.does("panel_vote", by=member)
    await claim.open_task("agree_settlement")
    await claim.acts("object", by="customer", grounds="amount")
    await claim.settle()
    await claim.does("review_objection", by="li", result="changed")
    await claim.does("adjudicate", by="chen")
    await claim.settle()


async def suspicious(claim: Office) -> None:
    """Referred after the decision, confirmed, and refused; a figure is corrected meanwhile."""
    await claim.decide()
    await claim.open_task("authorise")
    await claim.acts("refer", by="chen", why="fraud")
    await claim.acts("correct", by="wang", name="injured", after="1")
    await claim.does("examine_suspicion", outcome="confirmed")
    await claim.does("adjudicate")


async def corrected(claim: Office) -> None:
    """A second life: paid, then a payment reversed and a figure corrected."""
    await claim.decide()
    await claim.does("authorise")
    await claim.settle()
    await claim.closed("paid")
    paid_ = await claim.payment("confirmed")
    await claim.acts("reverse_payment", by="chen", payment_id=str(paid_.id), why="wrong_payee")
    await claim.open_task("approve_reversal")
    await claim.acts("correct", by="wang", name="assessed_amount", exposure_id=await claim.loss(), after="20000")
    await claim.does("approve_reversal")
    await claim.does("approve_correction")
    await claim.does("adjudicate")
    await claim.does("authorise")
    await claim.settle()


@pytest.mark.parametrize("story", [paid, denied, withdrawn, disputed, suspicious, corrected])
async def test_record(settings: Settings, story: Callable[[Office], Awaitable[None]]) -> None:
    async with installation(settings) as (context, client):
        registered = await reported_claim(context, losses=LOSSES)
        hands = Office(context, registered.number, await hire(context, "wang"), await hire(context, "li"))
        await story(hands)
        case = await hands.until(lambda c: c.status == "closed")
        handle = client.get_workflow_handle(case_workflow_id(case.id))
        await handle.result()
        history = await handle.fetch_history()
    assert len(history.events) > 10
    keep(history, f"claim-{story.__name__}-v2")


def keep(history: WorkflowHistory, name: str) -> None:
    (FOLDER / f"{name}.json").write_text(history.to_json() + "\n", encoding="utf-8")


async def test_record_a_transfer_that_is_confirmed(settings: Settings) -> None:
    async with installation(settings) as (context, client):
        reported = await reported_claim(context, losses=LOSSES)
        claim = Office(context, reported.number, await hire(context, "wang"), await hire(context, "li"))
        await claim.decide()
        await claim.does("authorise")
        await claim.settle()
        await claim.closed("paid")
        transfer = await claim.payment("confirmed")
        handle = client.get_workflow_handle(payment_workflow_id(transfer.id))
        await handle.result()
        keep(await handle.fetch_history(), "payment-confirmed-v1")


async def test_record_a_question_that_is_answered(settings: Settings) -> None:
    async with installation(settings) as (context, client):
        inquiry = Inquiry(context, (await asked(context)).number)
        await inquiry.answer("answer_inquiry", await hire(context, "sun"))
        case = await inquiry.closed()
        handle = client.get_workflow_handle(case_workflow_id(case.id))
        await handle.result()
        keep(await handle.fetch_history(), "standard-answered-v1")


async def test_record_an_order_that_is_carried_out(settings: Settings) -> None:
    async with installation(settings) as (context, client):
        li, _ = await colleague(context, "li"), await colleague(context, "chen")
        tasks = await questions(context, await reported_claim(context), 60)
        order_id = (await ordered(context, li, BulkVerb.REASSIGN, tasks, to="chen")).order.id
        handle = client.get_workflow_handle(bulk_workflow_id(BulkRun(order_id=order_id)))
        await until(context, li, order_id, lambda seen: seen.status is BulkStatus.DONE)
        await handle.result()
        keep(await handle.fetch_history(), "bulk-reassigned-v1")


async def test_record_a_round_of_the_watchdog(settings: Settings) -> None:
    async with installation(settings) as (_, client):
        name = f"watchdog-{uuid4()}"
        await client.execute_workflow(Watchdog.run, id=name, task_queue=options.CASES)
        keep(await client.get_workflow_handle(name).fetch_history(), "watchdog-round-v1")
