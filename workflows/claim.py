"""The claim, as the claims manual tells it (CLM-3..11)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from temporalio import workflow

from lian.domain import journal as j
from lian.domain.claims import figures
from lian.domain.claims import tasks as ask_for
from lian.domain.claims.tasks import Settlement
from lian.domain.claims.triage import triage
from lian.domain.messages import CaseState, PaymentSettled
from workflows.claim_file import ClaimFile
from workflows.engine import Answer

ANSWER_WITHIN = timedelta(days=30)
"""How long a claimant has to send missing documents before the case goes on without them."""


@workflow.defn
class Claim(ClaimFile):
    """One claim from the report to its payment or denial."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        """Report, review, documents, assessment, decision; then settle and pay, or deny."""
        return await self.perform(self.procedure)

    async def procedure(self) -> str:
        """The manual's main path, stage by stage; a reopened claim joins it where it was reopened."""
        if self.is_reopened:
            self.promise_anew()
        await self.stage("report", self.register_and_triage)
        await self.stage("review", self.review)
        await self.stage("documents", self.gather_documents)
        await self.stage("assessment", self.assess_loss)
        await self.stage("decision", self.decide_within_authority)
        if self.facts.is_denied:
            await self.stage("denial", self.notify_denial)
        else:
            await self.stage("settlement", self.settle_and_pay)
        self.clocks.stop(self.named(figures.TOTAL.id), workflow.now())
        return "denied" if self.facts.is_denied else "paid"

    # --- the stages ---------------------------------------------------------------------------------------------------

    async def register_and_triage(self) -> None:
        """Promises run from the receipt; triage says simple or complex, and why (CLM-3, CLM-12)."""
        found = triage(facts=self.triage_facts())
        self.facts.complexity = found.complexity
        self.record(j.CaseTriaged(complexity=found.complexity, severity=found.severity, findings=found.findings))
        self.clocks.start(self.named(figures.TOTAL.id), self.state.received_at)

    def promise_anew(self) -> None:
        """A reopened claim's promises run from its reopening, beside the old ones (CLM-15)."""
        self.clocks.start(self.named(figures.TOTAL.id), self.state.received_at)
        if self.state.begin_at != "review":
            self.clocks.start(self.named(self.decision_clock), self.state.received_at)

    async def review(self) -> None:
        """Within 48 hours somebody has looked, and knows everything that is missing (CLM-4, CLM-5)."""
        async with self.clock(self.named(figures.INITIAL_REVIEW.id), self.state.received_at):
            review = await self.task(ask_for.INITIAL_REVIEW, self.ask_review())
        self.facts.complexity, self.facts.missing = review.outcome.complexity, review.outcome.missing
        self.clocks.start(self.named(self.decision_clock), self.state.received_at)

    async def gather_documents(self) -> None:
        """One complete request; the clocks wait while the claimant answers (CLM-5)."""
        missing = self.facts.missing
        while missing:
            await self.request(missing, within=ANSWER_WITHIN)
            check = await self.task(ask_for.CHECK_DOCUMENTS, self.ask_check(missing))
            missing = check.outcome.refused

    async def assess_loss(self) -> None:
        """What is each loss worth, and is it covered at all (CLM-7)."""
        assessment = await self.task(ask_for.ASSESS_LOSS, self.ask_assessment())
        for loss in assessment.outcome.losses:
            exposure = self.exposure(loss.exposure_id)
            exposure.assessed_amount, exposure.excluded_reason = loss.assessed_amount, loss.excluded_reason
            self.record_assessment(exposure, assessment)

    async def decide_within_authority(self) -> None:
        """A decision stands when its maker may decide the amount, or a second person who may agrees (CLM-9)."""
        while not await self.decided_for_good():
            pass
        self.clocks.stop(self.named(self.decision_clock), workflow.now())

    async def decided_for_good(self) -> bool:
        """One decision: final at once, authorised by another person, or sent back."""
        answer = await self.task(ask_for.ADJUDICATE, self.ask_adjudication())
        decision_id, approved = workflow.uuid4(), answer.outcome.approved_amount
        self.facts.decision_id = decision_id
        self.facts.decisions = self.decisions(answer.outcome)
        needs_second = approved > answer.authority
        self.record_decision(decision_id, answer, approved, needs_second)
        if needs_second and not await self.is_authorised(decision_id, answer, approved):
            return False
        self.facts.approved_amount = approved
        self.reserve_what_is_payable()
        return True

    async def is_authorised(self, decision_id: UUID, decided: Answer, approved: Decimal) -> bool:
        """A second person with enough authority, never the one who decided (CLM-9)."""
        second = await self.task(
            ask_for.AUTHORISE, self.ask_authorisation(approved), exclude=[decided.by], least_authority=approved
        )
        if second.outcome.agree:
            self.record(j.DecisionAuthorised(decision_id=decision_id, authorised_by=second.by), by=second.by)
        else:
            self.record(j.DecisionReturned(decision_id=decision_id, returned_by=second.by), by=second.by)
        return bool(second.outcome.agree)

    async def notify_denial(self) -> None:
        """The notice gives the reasons and the ways to object (CLM-11)."""
        await self.letter("denial", self.decision_id)

    async def settle_and_pay(self) -> None:
        """Agree who is paid, pay, and agree again on whatever the bank sent back (CLM-10)."""
        self.commit()
        while outstanding := self.facts.approved_amount - self.facts.paid_amount:
            if self.facts.paid_amount or self.settled:
                self.enter("settlement")
            agreed = await self.task(ask_for.AGREE_SETTLEMENT, self.ask_settlement(outstanding))
            self.enter("payment")
            self.facts.paid_amount += await self.pay(agreed.outcome)
        self.release_reserves("settled")

    async def pay(self, settlement: Settlement) -> Decimal:
        """One transfer per payee, each with a life of its own; returns what arrived."""
        transfers = {UUID(p.payee_id): p.amount for p in settlement.payees}
        payments = {workflow.uuid4(): payee for payee in transfers}
        for payment_id, payee_id in payments.items():
            self.record_payment(payment_id, payee_id, transfers[payee_id])
        await workflow.wait_condition(lambda: payments.keys() <= self.settled.keys())
        arrived = (transfers[payee] for payment, payee in payments.items() if self.settled[payment] == "confirmed")
        return sum(arrived, Decimal(0))

    @workflow.signal
    def payment_settled(self, message: PaymentSettled) -> None:
        """A transfer ended: confirmed or rejected."""
        self.settled[message.payment_id] = message.status
