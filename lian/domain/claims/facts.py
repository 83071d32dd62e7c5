"""What the claim's process knows of the claim: terms, figures and codes, no personal data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from lian.domain.claims.adjudication import ExposureDecision
from lian.domain.claims.terms import Line, LossCause, PolicySnapshot
from lian.domain.claims.triage import Complexity


@dataclass(slots=True, kw_only=True)
class ClaimExposure:
    """One coverage for one claimant, as the process sees it."""

    exposure_id: UUID
    coverage_code: str
    claimant_party_id: UUID
    claimed_amount: Decimal
    assessed_amount: Decimal = Decimal(0)
    excluded_reason: str = ""
    earlier_paid: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One payee's part of the settlement."""

    payee_id: UUID
    amount: Decimal


@dataclass(slots=True, kw_only=True)
class ClaimFacts:
    """The claim's own state; `approved_amount` is set once the decision is final."""

    snapshot: PolicySnapshot
    line: Line
    loss_cause: LossCause
    loss_at: datetime
    reported_at: datetime
    injured: int
    claimed_amount: Decimal
    exposures: list[ClaimExposure]
    complexity: Complexity = Complexity.SIMPLE
    missing: tuple[str, ...] = ()
    decision_id: UUID | None = None
    decisions: list[ExposureDecision] = field(default_factory=list)
    approved_amount: Decimal = Decimal(0)
    paid_amount: Decimal = Decimal(0)

    @property
    def is_denied(self) -> bool:
        """Nothing is payable."""
        return self.approved_amount == 0
