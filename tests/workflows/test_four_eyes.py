"""Nobody gets round four eyes or the authority limit: not by another role, delegation, correction, reopening, repeats.

Each attempt is made where it would hurt: at the process itself, or in the database, after the desk has been passed by.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.tables import Decision, JournalEntry, Payment, Staff
from lian.domain import journal as j
from lian.domain.claims.fnol import ClaimedLoss
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.messages import Act, CompleteTask
from lian.services.accounts import actor_for
from lian.services.desk import assign_task, claim_task, complete_task
from lian.services.handling import reopen
from lian.services.recording import put_on_record
from lian.settings import Settings
from tests.workflows.office import Office, office

pytestmark = pytest.mark.req("CLM-9", "TSK-5")
THIRTY = (ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(30_000)),)
ENOUGH = Decimal(10**9)


async def with_roles(claim: Office, username: str, *roles: str) -> Actor:
    """The same person, promoted."""
    async with claim.context.transaction() as session:
        staff = (await session.execute(select(Staff).where(Staff.username == username))).scalars().one()
        staff.roles, staff.queues = list(roles), ["*"]
        return actor_for(staff)


async def forged(claim: Office, kind: str, actor: str, outcome: dict[str, Any], command_id: str = "") -> Any:
    """An answer given straight to the process, past every check of the desk."""
    task = await claim.open_task(kind)
    command = CompleteTask(
        command_id=command_id or uuid4().hex,
        task_id=task.id,
        actor=actor,
        authority=ENOUGH,
        outcome=outcome,
        notes="why",
    )
    return await claim.context.process.complete_task((await claim.case()).id, command)


async def test_a_promotion_does_not_let_somebody_authorise_their_own_decision(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.decide()
        wang = await with_roles(claim, "wang", "team_lead", "claims_manager")
        assert wang.authority_for("claim", "motor") >= 30_000
        task = await claim.open_task("authorise")
        with pytest.raises(NotAllowed):
            await claim_task(claim.context, wang, task.id)
        with pytest.raises(NotAllowed):
            await forged(claim, "authorise", wang.id, {"agree": True})


async def test_a_lead_cannot_assign_the_second_look_to_whoever_decided(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.decide()
        wang = await with_roles(claim, "wang", "team_lead")
        task = await claim.open_task("authorise")
        with pytest.raises(Invalid):
            await assign_task(claim.context, await claim.who("li"), task.id, to="wang")
        with pytest.raises(Invalid):
            await assign_task(claim.context, wang, task.id, to="wang")
        held = (await claim.open_task("authorise")).holder
        assert held == ""


async def test_too_little_authority_is_refused_by_the_process_whatever_the_desk_says(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.decide()
        task = await claim.open_task("authorise")
        weak = CompleteTask(
            command_id="weak", task_id=task.id, actor="staff:x", authority=Decimal(29_499), outcome={"agree": True}
        )
        with pytest.raises(NotAllowed):
            await claim.context.process.complete_task((await claim.case()).id, weak)


async def test_a_correction_does_not_raise_an_amount_past_its_authority(settings: Settings) -> None:
    """A small claim decided alone, then corrected to a large one: the large one is decided and authorised anew."""
    async with office(settings) as claim:
        await claim.decide()
        await claim.settle()
        await claim.closed("paid")
        lost = await claim.loss()
        for name in ("claimed_amount", "assessed_amount"):
            await claim.acts("correct", by="wang", name=name, exposure_id=lost, after="30000")
            with pytest.raises(NotAllowed):
                await forged(claim, "approve_correction", (await claim.who("wang")).id, {"agree": True})
            await claim.does("approve_correction")
            await claim.does("adjudicate", by="wang")
            if name == "claimed_amount":
                await claim.closed("paid")
        with pytest.raises(NotAllowed):
            await forged(claim, "authorise", (await claim.who("wang")).id, {"agree": True})
        assert (await claim.case()).approved_amount == 4500
        await claim.does("authorise")
        await claim.settle()
        await claim.closed("paid")
        assert (await claim.case()).paid_amount == 29_500


async def test_reopening_does_not_spare_the_second_person(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.does("initial_review")
        lost = await claim.loss()
        await claim.does("assess_loss", losses=[{"exposure_id": lost, "assessed_amount": "0"}])
        await claim.does("adjudicate")
        await claim.closed("denied")
        await reopen(claim.context, await claim.who("li"), claim.number, stage="assessment", reason="新证据")
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        task = await claim.open_task("authorise")
        assert task.excluded == [(await claim.who("wang")).id]
        assert task.least_authority == 29_500
        assert (await claim.case()).approved_amount == 0


async def test_whoever_decided_never_reviews_the_objection_in_any_life(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.decide()
        await claim.does("authorise", by="li")
        await claim.settle()
        await claim.closed("paid")
        await claim.acts("object", by="customer", grounds="amount", notes="太少")
        for name in ("wang", "li"):
            actor = await with_roles(claim, name, "team_lead", "claims_manager")
            with pytest.raises(NotAllowed):
                await forged(claim, "review_objection", actor.id, {"result": "changed"})


async def test_a_repeated_request_decides_nothing_twice_and_nothing_for_somebody_else(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.decide()
        chen, li = await claim.who("chen"), await claim.who("li")
        task = await claim.open_task("authorise")
        await claim_task(claim.context, chen, task.id)
        first = await complete_task(
            claim.context, chen, task.id, outcome={"agree": True}, notes="", command_id="one-command"
        )
        await claim.open_task("agree_settlement")
        before = len(await claim.rows(JournalEntry))
        again = await complete_task(
            claim.context, chen, task.id, outcome={"agree": False}, notes="", command_id="one-command"
        )
        assert again.seq == first.seq
        same = CompleteTask(
            command_id="one-command", task_id=task.id, actor=li.id, authority=ENOUGH, outcome={"agree": False}
        )
        await claim.context.process.complete_task((await claim.case()).id, same)
        with pytest.raises(Conflict):
            await complete_task(claim.context, li, task.id, outcome={"agree": True}, notes="", command_id="another")
        assert len(await claim.rows(JournalEntry)) == before
        (decision,) = await claim.rows(Decision)
        assert decision.authorised_by == chen.id


async def test_a_customer_answers_their_own_questions_only(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.does("initial_review")
        task = await claim.open_task("assess_loss")
        customer = await claim.who("customer")
        with pytest.raises(NotFound):
            await complete_task(
                claim.context, customer, task.id, outcome={"losses": []}, notes="", command_id=uuid4().hex
            )
        with pytest.raises(NotFound):
            await claim.acts("pay_advance", by="customer", amount="100")


async def test_break_glass_is_not_for_ones_own_decision(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.decide()
        await claim.open_task("authorise")
        wang = await with_roles(claim, "wang", "claims_manager")
        command = Act(
            command_id=uuid4().hex,
            action="override_authority",
            actor=wang.id,
            authority=ENOUGH,
            outcome={"why": "court_order"},
            notes="why",
        )
        with pytest.raises(NotAllowed):
            await claim.context.process.act((await claim.case()).id, command)


async def test_the_database_itself_refuses_one_person_in_two_roles(settings: Settings) -> None:
    """The last line: every second look has a constraint of its own."""
    async with office(settings) as claim:
        await claim.decide()
        await claim.settle()
        await claim.closed("paid")
        case, (decision,) = await claim.case(), await claim.rows(Decision)
        payment = await claim.payment("confirmed")
        for name, events in same_person(decision.id, payment.id, decision.decided_by).items():
            with pytest.raises(IntegrityError, match=name):
                async with claim.context.transaction() as session:
                    now = datetime.now(UTC)
                    recorded = [j.Recorded(at=now, actor=decision.decided_by, event=e) for e in events]
                    await put_on_record(claim.context, session, case_id=case.id, recorded=recorded)
        assert [p.status for p in await claim.rows(Payment)] == ["confirmed"]


def same_person(decision_id: UUID, payment_id: UUID, who: str) -> dict[str, list[j.Event]]:
    """One person in both roles of each second look, by the constraint that stands in the way."""
    panel, objection, correction, payee, recovery = (uuid4() for _ in range(5))
    return {
        "four_eyes": [j.DecisionAuthorised(decision_id=decision_id, authorised_by=who)],
        "panel_four_eyes": [
            j.PanelConvened(
                panel_id=panel,
                decision_id=decision_id,
                decided_by=who,
                seats=3,
                quorum=2,
                rule="majority",
                why="asked_for",
            ),
            j.PanelVoted(panel_id=panel, voter=who, vote="agree"),
        ],
        "objection_four_eyes": [
            j.ObjectionLodged(objection_id=objection, decision_id=decision_id, grounds="amount"),
            j.ObjectionDecided(objection_id=objection, result="changed", decided_by=who),
        ],
        "correction_four_eyes": [
            j.CorrectionProposed(correction_id=correction, name="injured", before="0", after="1"),
            j.CorrectionDecided(correction_id=correction, agreed=True, decided_by=who),
        ],
        "account_four_eyes": [
            j.PayeeNamed(payee_id=payee, decision_id=decision_id, person_id=uuid4(), amount=Decimal(1)),
            j.PayeeChecked(payee_id=payee, what="account", is_right=True, checked_by=who),
        ],
        "reversal_four_eyes": [
            j.PaymentReversed(
                payment_id=payment_id, why="wrong_payee", recovery_id=recovery, asked_by=who, reversed_by=who
            )
        ],
    }
