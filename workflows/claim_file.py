"""The claim's own file in its process: its facts, what it asks of people, what it puts on record (CLM-3, 7, 9, 10)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from pydantic import TypeAdapter
from temporalio import workflow

from lian.domain import journal as j
from lian.domain.authority import HIGHEST, levels_above
from lian.domain.claims import figures
from lian.domain.claims.adjudication import ExposureDecision
from lian.domain.claims.checklist import IN_WORDS, checklist
from lian.domain.claims.facts import ClaimExposure, ClaimFacts, Transfer
from lian.domain.claims.maturity import Maturity, MaturityFacts, levels_reached
from lian.domain.claims.proposals import proposals
from lian.domain.claims.tasks import Adjudication, CoverageAnswer
from lian.domain.claims.terms import PolicySnapshot
from lian.domain.claims.triage import TriageFacts
from lian.domain.findings import Finding, Severity
from lian.domain.messages import CaseState
from workflows.engine import Answer, Case

FACTS = TypeAdapter(ClaimFacts)
SNAPSHOT = TypeAdapter(PolicySnapshot)
EXPOSURE_DECISION = TypeAdapter(ExposureDecision)


class ClaimFile(Case):
    """Everything of a claim that is not its procedure."""

    def __init__(self, state: CaseState) -> None:
        super().__init__(state)
        self.facts: ClaimFacts = FACTS.validate_python(state.facts)

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
        items = checklist(line=facts.line, loss_cause=facts.loss_cause, injured=facts.injured, minors=facts.minors)
        return [*(item.code for item in items), *IN_WORDS]

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
            for e, proposed in zip(self.facts.exposures, proposals(self.facts), strict=True)
        ]
        return {
            "rows": {"decisions": rows},
            "currency": self.facts.snapshot.currency,
            "paid_amount": str(self.facts.paid_amount),
        }

    def ask_duplicates(self) -> dict[str, object]:
        rows = [
            {"other_case_id": str(x.case_id), "number": x.number, "score": x.score, "reasons": list(x.reasons)}
            for x in self.facts.likenesses
        ]
        return {"rows": {"likenesses": rows}}

    def ask_suspicion(self) -> dict[str, object]:
        risk = self.facts.risk
        return {"score": risk.score, "findings": [f.code for f in risk.findings]} if risk else {}

    def ask_authorisation(self, approved: Decimal, decision: str = "claim") -> dict[str, object]:
        able = levels_above(amount=approved, decision=decision, line=self.facts.line)
        return {
            "approved_amount": str(approved),
            "currency": self.facts.snapshot.currency,
            "levels": [level.role for level in able],
        }

    def ask_ballot(self, approved: Decimal, seats: int, quorum: int, rule: str) -> dict[str, object]:
        return {
            "approved_amount": str(approved),
            "currency": self.facts.snapshot.currency,
            "result": overall(self.facts.decisions),
            "seats": seats,
            "quorum": quorum,
            "rule": rule,
        }

    def ask_settlement(self, outstanding: Decimal, decision_id: UUID) -> dict[str, object]:
        rows = [{"party_id": str(party), "amount": str(amount)} for party, amount in self.shares(outstanding).items()]
        return {
            "approved_amount": str(outstanding),
            "decision_id": str(decision_id),
            "currency": self.facts.snapshot.currency,
            "rows": {"payees": rows},
        }

    def shares(self, outstanding: Decimal) -> dict[UUID, Decimal]:
        """What each payee is still owed: what was decided less what arrived; a rest goes to the first one."""
        owed = self.owed_by_payee()
        for transfer in self.facts.transfers.values():
            if transfer.party_id in owed:
                owed[transfer.party_id] -= transfer.counts
        left = {party: amount for party, amount in owed.items() if amount > 0}
        return left if sum(left.values()) == outstanding else {next(iter(owed)): outstanding}

    def owed_by_payee(self) -> dict[UUID, Decimal]:
        """What was decided, by who receives it: a minor's share goes to their representative."""
        decided_ = {d.exposure_id: d.payable_amount for d in self.facts.decisions}
        owed: dict[UUID, Decimal] = {}
        for exposure in self.facts.exposures:
            party = self.facts.representatives.get(exposure.claimant_party_id, exposure.claimant_party_id)
            owed[party] = owed.get(party, Decimal(0)) + decided_.get(str(exposure.exposure_id), Decimal(0))
        return owed

    def ceiling(self, decision: str) -> Decimal:
        """The highest amount anybody may decide alone, as the table was when this life of the case began (CLM-9)."""
        return self.facts.ceilings.get(decision, HIGHEST)

    def decisions(self, adjudication: Adjudication) -> list[ExposureDecision]:
        """The rules' proposals with what the adjudicator changed, each change with its reason."""
        pairs = zip(proposals(self.facts), adjudication.decisions, strict=True)
        return [decided(proposed, answer) for proposed, answer in pairs]

    def record_assessment(self, exposure: ClaimExposure, answer: Answer) -> None:
        event = j.ExposureAssessed(
            exposure_id=exposure.exposure_id,
            assessed_amount=exposure.assessed_amount,
            excluded_reason=exposure.excluded_reason,
        )
        self.record(event, by=answer.by)

    def grow(self, facts: MaturityFacts) -> None:
        """Put every gate on record that the claim passes now; none is ever passed back."""
        for level in levels_reached(Maturity(self.facts.maturity), facts):
            self.facts.maturity = level.value
            self.record(j.CaseMatured(maturity=level.value))

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
            authority_version=self.facts.authority_version,
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

    def record_payment(self, payee_id: UUID, party_id: UUID | None, decision_id: UUID, amount: Decimal) -> UUID:
        """Ask for one transfer; its id is the effect's key everywhere."""
        payment_id = workflow.uuid4()
        self.facts.transfers[payment_id] = Transfer(party_id=party_id, amount=amount)
        self.record(
            j.PaymentRequested(
                payment_id=payment_id,
                payee_id=payee_id,
                decision_id=decision_id,
                amount=amount,
                currency=self.facts.snapshot.currency,
            )
        )
        return payment_id

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
