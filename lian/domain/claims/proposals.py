"""What the rules propose for a whole claim: exposures of one coverage share its limit (CLM-7)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from lian.domain.claims.adjudication import ExposureDecision, ExposureFacts, Result, adjudicate
from lian.domain.claims.facts import ClaimExposure, ClaimFacts
from lian.domain.findings import Finding, Severity


def proposals(facts: ClaimFacts) -> list[ExposureDecision]:
    """The rules' proposal for each exposure, in order."""
    return _together(facts, facts.exposures)


def proposed_amount(facts: ClaimFacts) -> Decimal:
    """What the rules would let us pay in all."""
    return sum((p.payable_amount for p in proposals(facts)), Decimal(0))


def most_payable(facts: ClaimFacts) -> Decimal:
    """What the policy could owe if every claimed loss proved right; nothing above it is ever certain."""
    as_claimed = [replace(e, assessed_amount=e.claimed_amount, excluded_reason="") for e in facts.exposures]
    return sum((p.payable_amount for p in _together(facts, as_claimed)), Decimal(0))


def _together(facts: ClaimFacts, exposures: list[ClaimExposure]) -> list[ExposureDecision]:
    used: dict[str, Decimal] = {}
    found = []
    for exposure in exposures:
        proposed = _propose(facts, exposure, used.get(exposure.coverage_code, Decimal(0)))
        used[exposure.coverage_code] = used.get(exposure.coverage_code, Decimal(0)) + proposed.payable_amount
        found.append(proposed)
    return found


def _propose(facts: ClaimFacts, exposure: ClaimExposure, already_owed: Decimal) -> ExposureDecision:
    """What the rules say of one exposure, when the coverage owes so much to others already."""
    proposed = adjudicate(
        snapshot=facts.snapshot,
        exposure=ExposureFacts(
            exposure_id=str(exposure.exposure_id),
            coverage_code=exposure.coverage_code,
            claimed_amount=exposure.claimed_amount,
            assessed_amount=exposure.assessed_amount,
            earlier_paid=exposure.earlier_paid + already_owed,
            excluded_by_hand=exposure.excluded_reason,
        ),
        loss_at=facts.loss_at,
        reported_at=facts.reported_at,
        loss_cause=facts.loss_cause,
    )
    return _refused_for_fraud(proposed) if facts.suspicion == "confirmed" else proposed


def _refused_for_fraud(proposed: ExposureDecision) -> ExposureDecision:
    """What special investigation confirmed is not paid (Insurance Law art. 27); a person still decides (CLM-14)."""
    found = Finding("fraud_confirmed", Severity.DENIES, "special-investigation/1")
    return replace(proposed, result=Result.DENY, payable_amount=Decimal(0), findings=(*proposed.findings, found))
