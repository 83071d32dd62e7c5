"""The claim's own file in its process: its facts, what it asks of people, what it puts on record (CLM-3, 7, 9, 10)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from pydantic import TypeAdapter

from lian.domain import journal as j
from lian.domain.authority import levels_above
from lian.domain.claims import figures
from lian.domain.claims.adjudication import ExposureDecision, ExposureFacts, adjudicate
from lian.domain.claims.checklist import checklist
from lian.domain.claims.facts import ClaimExposure, ClaimFacts
from lian.domain.claims.tasks import Adjudication, CoverageAnswer
from lian.domain.claims.triage import TriageFacts
from lian.domain.findings import Finding, Severity
from lian.domain.messages import CaseState
from workflows.engine import Answer, Case

FACTS = TypeAdapter(ClaimFacts)
EXPOSURE_DECISION = TypeAdapter(ExposureDecision)


class ClaimFile(Case):
    """Everything of a claim that is not its procedure."""

    def __init__(self, state: CaseState) -> None:
        super().__init__(state)
        self.facts: ClaimFacts = FACTS.validate_python(state.facts)
        self.settled: dict[UUID, str] = {}
        """What became of each transfer that has ended."""

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

    def reserve_what_is_payable(self) -> None:
        """Once a decision is final, what it lets us pay is what we still expect to pay (CLM-15)."""
        for d in self.facts.decisions:
            self._reserve(UUID(d.exposure_id), d.payable_amount, "as_decided")

    def release_reserves(self, reason: str) -> None:
        """Nothing more is expected to be paid: incurred is what was paid."""
        for exposure in self.facts.exposures:
            self._reserve(exposure.exposure_id, Decimal(0), reason)

    def _reserve(self, exposure_id: UUID, amount: Decimal, reason: str) -> None:
        self.record(j.ReserveSet(exposure_id=exposure_id, reserve_line="indemnity", amount=amount, reason=reason))

    def when_withdrawn(self) -> None:
        self.release_reserves("withdrawn")

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


def decided(proposed: ExposureDecision, answer: CoverageAnswer) -> ExposureDecision:
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
