"""The claim's own file in its process: its facts, what it asks of people, what it puts on record (CLM-3, 7, 9, 10)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from pydantic import TypeAdapter
from temporalio import workflow

from lian.domain import journal as j
from lian.domain.authority import HIGHEST, levels_above
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
from workflows.engine import Answer
from workflows.promises import PromiseKeeper

FACTS = TypeAdapter(ClaimFacts)
SNAPSHOT = TypeAdapter(PolicySnapshot)
EXPOSURE_DECISION = TypeAdapter(ExposureDecision)
EACH_THEIR_OWN = "2026-11-22-overpayments-by-party"


class ClaimFile(PromiseKeeper):
    """Everything of a claim that is not its procedure."""

    def __init__(self, state: CaseState) -> None:
        super().__init__(state)
        self.facts: ClaimFacts = FACTS.validate_python(state.facts)

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
        shares = self.shares(outstanding)
        rows = [{"party_id": str(party), "amount": str(amount)} for party, amount in shares.items()]
        ask: dict[str, object] = {
            "approved_amount": str(outstanding),
            "decision_id": str(decision_id),
            "currency": self.facts.snapshot.currency,
            "rows": {"payees": rows},
        }
        return ask if self.is_known_whose(outstanding) else ask | {"staff_only": True}

    def shares(self, outstanding: Decimal) -> dict[UUID, Decimal]:
        """What each payee is still owed; when it cannot be told whose it is, all is proposed to whom most is owed."""
        left = self.still_owed()
        if sum(left.values()) == outstanding:
            return left
        return {max(self.owed_by_payee(), key=lambda party: left.get(party, Decimal(0))): outstanding}

    def is_known_whose(self, outstanding: Decimal) -> bool:
        """Whether the shares are each payee's own. Otherwise our staff say who is paid, and no payee does.

        Not known are an advance to one of several claimants, and what is left when one of them has another's money.
        """
        return len(self.owed_by_payee()) == 1 or sum(self.still_owed().values()) == outstanding

    def still_owed(self) -> dict[UUID, Decimal]:
        """By party, what we still owe them."""
        return {party: amount for party, amount in self.balances().items() if amount > 0}

    def balances(self) -> dict[UUID, Decimal]:
        """By party, what was decided less what arrived and is not owed back; below zero was paid too much."""
        facts, left = self.facts, self.owed_by_payee()
        for transfer in facts.transfers.values():
            if transfer.party_id:
                left[transfer.party_id] = left.get(transfer.party_id, Decimal(0)) - transfer.counts
        for party, amount in facts.owed_back_by.items():
            left[party] = left.get(party, Decimal(0)) + amount
        return left

    def overpaid(self) -> dict[UUID | None, Decimal]:
        """By party, their part of what was paid too much on the claim; under none what cannot be told apart."""
        too_much = -self.facts.outstanding
        parts: dict[UUID | None, Decimal] = {p: -left for p, left in self.balances().items() if left < 0}
        together = sum(parts.values())
        if len(parts) == 1 and together >= too_much:
            return dict.fromkeys(parts, too_much)
        # Recorded histories claimed the whole back as one sum.
        return parts if together == too_much and workflow.patched(EACH_THEIR_OWN) else {None: too_much}

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
