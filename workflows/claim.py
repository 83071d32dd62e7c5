"""The claim, as the claims manual tells it (CLM-3..11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from pydantic import TypeAdapter
from temporalio import workflow

from lian.domain import journal as j
from lian.domain.authority import levels_above
from lian.domain.claims import figures
from lian.domain.claims import tasks as ask_for
from lian.domain.claims.adjudication import ExposureDecision, ExposureFacts, adjudicate
from lian.domain.claims.checklist import checklist
from lian.domain.claims.facts import ClaimExposure, ClaimFacts
from lian.domain.claims.tasks import Adjudication, Settlement
from lian.domain.claims.triage import TriageFacts, triage
from lian.domain.findings import Finding, Severity
from lian.domain.messages import CaseState, PaymentSettled
from workflows.engine import Answer, Case

FACTS = TypeAdapter(ClaimFacts)
EXPOSURE_DECISION = TypeAdapter(ExposureDecision)
ANSWER_WITHIN = timedelta(days=30)
"""How long a claimant has to send missing documents before the case goes on without them."""


@workflow.defn
class Claim(Case):
    """One claim from the report to its payment or denial."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)
        self.facts: ClaimFacts = FACTS.validate_python(state.facts)
        self.settled: dict[UUID, str] = {}

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

    # --- what is asked, and what is recorded --------------------------------------------------------------------------

    def named(self, clock: str) -> str:
        """A reopened case's clocks are new promises beside the old ones."""
        return clock if self.state.generation == 1 else f"{clock}#{self.state.generation}"

    @property
    def decision_clock(self) -> str:
        """Simple or complex claims have their own promise (CLM-12)."""
        return figures.clock_for(self.facts.complexity).id

    @property
    def decision_id(self) -> UUID:
        """The decision in force."""
        assert self.facts.decision_id is not None
        return self.facts.decision_id

    def exposure(self, exposure_id: str) -> ClaimExposure:
        """One exposure of the claim."""
        return next(e for e in self.facts.exposures if str(e.exposure_id) == exposure_id)

    def triage_facts(self) -> TriageFacts:
        facts, terms = self.facts, self.facts.snapshot
        loss_on = self.state.plan.calendar.local_date(facts.loss_at)
        return TriageFacts(
            line=facts.line,
            loss_cause=facts.loss_cause,
            claimed_amount=facts.claimed_amount,
            injured=facts.injured,
            loss_at=facts.loss_at,
            reported_at=facts.reported_at,
            claimants=len({e.claimant_party_id for e in facts.exposures}),
            policy_in_force=terms.term_from <= loss_on and (terms.term_to is None or loss_on <= terms.term_to),
        )

    def ask_review(self) -> dict[str, object]:
        return {"complexity": self.facts.complexity.value, "checklist": self.checklist()}

    def ask_check(self, requested: tuple[str, ...]) -> dict[str, object]:
        return {"checklist": list(requested)}

    def checklist(self) -> list[str]:
        facts = self.facts
        return [i.code for i in checklist(line=facts.line, loss_cause=facts.loss_cause, injured=facts.injured)]

    def ask_assessment(self) -> dict[str, object]:
        rows = [
            {
                "exposure_id": str(e.exposure_id),
                "coverage_code": e.coverage_code,
                "claimed_amount": str(e.claimed_amount),
                "assessed_amount": str(e.claimed_amount),
            }
            for e in self.facts.exposures
        ]
        return {"rows": {"losses": rows}, "currency": self.facts.snapshot.currency}

    def ask_adjudication(self) -> dict[str, object]:
        rows = [
            EXPOSURE_DECISION.dump_python(proposed, mode="json")
            | {"coverage_code": e.coverage_code, "assessed_amount": str(e.assessed_amount)}
            for e, proposed in zip(self.facts.exposures, self.proposals(), strict=True)
        ]
        return {"rows": {"decisions": rows}, "currency": self.facts.snapshot.currency}

    def ask_authorisation(self, approved: Decimal) -> dict[str, object]:
        return {
            "approved_amount": str(approved),
            "currency": self.facts.snapshot.currency,
            "levels": [level.role for level in levels_above(amount=approved)],
        }

    def ask_settlement(self, outstanding: Decimal) -> dict[str, object]:
        rows = [{"party_id": str(party), "amount": str(amount)} for party, amount in self.shares(outstanding).items()]
        return {
            "approved_amount": str(outstanding),
            "decision_id": str(self.decision_id),
            "currency": self.facts.snapshot.currency,
            "rows": {"payees": rows},
        }

    def shares(self, outstanding: Decimal) -> dict[UUID, Decimal]:
        """What each claimant is owed; what the bank sent back is proposed to the first one."""
        claimant = {str(e.exposure_id): e.claimant_party_id for e in self.facts.exposures}
        owed: dict[UUID, Decimal] = {}
        for decision in self.facts.decisions:
            party = claimant[decision.exposure_id]
            owed[party] = owed.get(party, Decimal(0)) + decision.payable_amount
        return (
            {p: a for p, a in owed.items() if a}
            if sum(owed.values()) == outstanding
            else {next(iter(owed)): outstanding}
        )

    def proposals(self) -> list[ExposureDecision]:
        """What the rules say of each exposure; those of one coverage share its limit."""
        used: dict[str, Decimal] = {}
        found = []
        for exposure in self.facts.exposures:
            proposed = self.propose(exposure, used.get(exposure.coverage_code, Decimal(0)))
            used[exposure.coverage_code] = used.get(exposure.coverage_code, Decimal(0)) + proposed.payable_amount
            found.append(proposed)
        return found

    def propose(self, exposure: ClaimExposure, already_owed: Decimal) -> ExposureDecision:
        """What the rules say of one exposure, when the coverage owes so much to others already."""
        return adjudicate(
            snapshot=self.facts.snapshot,
            exposure=ExposureFacts(
                exposure_id=str(exposure.exposure_id),
                coverage_code=exposure.coverage_code,
                claimed_amount=exposure.claimed_amount,
                assessed_amount=exposure.assessed_amount,
                earlier_paid=exposure.earlier_paid + already_owed,
                excluded_by_hand=exposure.excluded_reason,
            ),
            loss_at=self.facts.loss_at,
            reported_at=self.facts.reported_at,
            loss_cause=self.facts.loss_cause,
        )

    def decisions(self, adjudication: Adjudication) -> list[ExposureDecision]:
        """The rules' proposals with what the adjudicator changed, each change with its reason."""
        pairs = zip(self.proposals(), adjudication.decisions, strict=True)
        return [decided(proposed, answer) for proposed, answer in pairs]

    def record_assessment(self, exposure: ClaimExposure, answer: Answer) -> None:
        event = j.ExposureAssessed(
            exposure_id=exposure.exposure_id,
            assessed_amount=exposure.assessed_amount,
            excluded_reason=exposure.excluded_reason,
        )
        self.record(event, by=answer.by)

    def record_decision(self, decision_id: UUID, answer: Answer, approved: Decimal, needs_second: bool) -> None:
        for d in self.facts.decisions:
            event = j.ExposureDecided(
                exposure_id=UUID(d.exposure_id),
                result=d.result,
                payable_amount=d.payable_amount,
                deductible_applied=d.deductible_applied,
                findings=d.findings,
            )
            self.record(event, by=answer.by)
        made = j.DecisionMade(
            decision_id=decision_id,
            decided_by=answer.by,
            result=overall(self.facts.decisions),
            approved_amount=approved,
            needs_second=needs_second,
        )
        self.record(made, by=answer.by)

    def record_payment(self, payment_id: UUID, payee_id: UUID, amount: Decimal) -> None:
        self.record(
            j.PaymentRequested(
                payment_id=payment_id,
                payee_id=payee_id,
                decision_id=self.decision_id,
                amount=amount,
                currency=self.facts.snapshot.currency,
            )
        )

    def dump_state(self) -> CaseState:
        self.state.facts = FACTS.dump_python(self.facts, mode="json")
        return self.state


def decided(proposed: ExposureDecision, answer: ask_for.CoverageAnswer) -> ExposureDecision:
    """A proposal as a person decided it; a reason for paying less becomes a finding."""
    severity = Severity.DENIES if answer.payable_amount == 0 else Severity.REDUCES
    by_hand = (Finding(answer.reason, severity, "by-hand/1"),) if answer.reason else ()
    return replace(
        proposed,
        result=answer.result,
        payable_amount=answer.payable_amount,
        findings=(*proposed.findings, *by_hand),
    )


def overall(decisions: list[ExposureDecision]) -> str:
    """The claim's result: denied when every exposure is, accepted when every one is, else in part."""
    results = {d.result.value for d in decisions}
    return results.pop() if len(results) == 1 else "partial"
