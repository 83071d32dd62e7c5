"""What the claim's process knows of the claim: terms, figures and codes, no personal data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from lian.domain.claims.adjudication import ExposureDecision
from lian.domain.claims.duplicates import Likeness
from lian.domain.claims.maturity import Maturity
from lian.domain.claims.risk import RiskScore
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


@dataclass(slots=True, kw_only=True)
class Transfer:
    """One transfer of the claim: to which party, how much, and what became of it (empty while it is under way)."""

    party_id: UUID | None
    amount: Decimal
    status: str = ""

    @property
    def counts(self) -> Decimal:
        """What it contributes to what was paid."""
        return self.amount if self.status == "confirmed" else Decimal(0)


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
    owed_back: Decimal = Decimal(0)
    """Paid too much, and booked as owed to us: no longer a payment on the claim."""
    owed_back_by: dict[UUID, Decimal] = field(default_factory=dict)
    """Of that, what each party was paid too much, as far as it can be told whose it is."""
    transfers: dict[UUID, Transfer] = field(default_factory=dict)
    deciders: tuple[str, ...] = ()
    """Everybody who made, agreed to or voted on the decision in force: none of them may review it."""
    barred: tuple[str, ...] = ()
    """Who must not decide again, since an objection to their decision was found right."""
    minors: int = 0
    representatives: dict[UUID, UUID] = field(default_factory=dict)
    """Party of a minor claimant to the party who acts for them."""
    likenesses: tuple[Likeness, ...] = ()
    """Earlier reports that look like this loss (CLM-3)."""
    merged_into: UUID | None = None
    planned: tuple[str, ...] = ()
    """The investigation plan (CLM-6)."""
    risk: RiskScore | None = None
    suspicion: str = ""
    """Empty, `open`, `cleared`, `confirmed` or `inconclusive` (CLM-14)."""
    referral_id: UUID | None = None
    ceilings: dict[str, Decimal] = field(default_factory=dict)
    """The highest amount anybody may decide alone, by decision kind, as the table was at the start (CLM-9)."""
    authority_version: str = ""
    maturity: str = Maturity.REPORTED.value
    is_decided: bool = False
    """Whether a final decision is in force."""

    @property
    def paid_amount(self) -> Decimal:
        """What arrived and stayed, less what is owed back."""
        return sum((t.counts for t in self.transfers.values()), Decimal(0)) - self.owed_back

    @property
    def outstanding(self) -> Decimal:
        """Approved and not yet paid."""
        return self.approved_amount - self.paid_amount

    @property
    def has_transfers_under_way(self) -> bool:
        """Whether the bank still owes us an answer."""
        return any(not t.status for t in self.transfers.values())

    @property
    def is_denied(self) -> bool:
        """Nothing is payable."""
        return self.approved_amount == 0
