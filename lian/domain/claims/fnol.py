"""The first notice of loss, as somebody tells it (CLM-1), and the rules it must keep before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from lian.domain.claims.terms import LossCause, PolicySnapshot
from lian.domain.errors import Invalid

CLOCK_DRIFT = timedelta(minutes=5)
"""A reporter's clock may be this much ahead of ours."""
EARLIEST_LOSS = datetime(1950, 1, 1, tzinfo=UTC)
MOST_EXPOSURES = 50
LARGEST_AMOUNT = Decimal("999999999.99")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonGiven:
    """A person as the reporter names them. A minor acts through their representative."""

    name: str
    phone: str = ""
    email: str = ""
    is_minor: bool = False
    represented_by: PersonGiven | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedLoss:
    """What is claimed under one coverage for one claimant (`claimant` counts from 0)."""

    coverage_code: str
    claimed_amount: Decimal
    claimant: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FnolReport:
    """A complete report. `loss_at` and `reported_at` are aware instants; no claimants: the reporter is the claimant.

    `received_at` is when it reached the insurer, where that was before it was registered: promises run from then.
    """

    policy_number: str
    loss_cause: LossCause
    loss_at: datetime
    reported_at: datetime
    place: str
    course: str
    injured: int
    reporter: PersonGiven
    losses: tuple[ClaimedLoss, ...]
    claimants: tuple[PersonGiven, ...] = field(default=())
    details: dict[str, str] = field(default_factory=dict)
    """Further coded answers (see `claims/risk.py`); never free text."""
    received_at: datetime | None = None

    @property
    def claiming(self) -> tuple[PersonGiven, ...]:
        """The claimants; of a report that names none, its reporter."""
        return self.claimants or (self.reporter,)

    @property
    def claimed_amount(self) -> Decimal:
        """The whole claim, in the policy's currency."""
        return sum((loss.claimed_amount for loss in self.losses), Decimal(0))


def check_report(report: FnolReport, *, now: datetime) -> None:
    """Raise `Invalid`, naming the field, when the report cannot be true or cannot be handled."""
    if report.loss_at > now + CLOCK_DRIFT:
        raise Invalid("The loss cannot lie in the future.", field="loss_at")
    if report.loss_at < EARLIEST_LOSS:
        raise Invalid("The date of loss is too long ago.", field="loss_at")
    if not report.loss_at <= report.reported_at + CLOCK_DRIFT or report.reported_at > now + CLOCK_DRIFT:
        raise Invalid("The report must lie between the loss and now.", field="reported_at")
    if report.received_at and not report.loss_at <= report.received_at <= now:
        raise Invalid("The receipt must lie between the loss and now.", field="received_at")
    if not (report.reporter.phone or report.reporter.email):
        raise Invalid("A phone number or an e-mail address is needed to reach the reporter.", field="reporter")
    for claimant in report.claiming:
        _check_representation(claimant)
    _check_losses(report)


def _check_representation(claimant: PersonGiven) -> None:
    """A minor acts through an adult who can be reached (Civil Code art. 19, 20, 23)."""
    acting = claimant.represented_by
    if acting is None:
        if claimant.is_minor:
            raise Invalid("A minor needs a representative, such as a parent.", field="represented_by")
        return
    if acting.is_minor or acting.represented_by is not None:
        raise Invalid("A representative must be of age and act in person.", field="represented_by")
    if not (acting.phone or acting.email):
        raise Invalid(
            "A phone number or an e-mail address is needed to reach the representative.", field="represented_by"
        )


def _check_losses(report: FnolReport) -> None:
    if not 1 <= len(report.losses) <= MOST_EXPOSURES:
        raise Invalid(f"A claim has between 1 and {MOST_EXPOSURES} losses.", field="losses")
    people = len(report.claiming)
    for loss in report.losses:
        if not 0 <= loss.claimed_amount <= LARGEST_AMOUNT:
            raise Invalid("An amount must lie between zero and 999,999,999.99.", field="claimed_amount")
        if not 0 <= loss.claimant < people:
            raise Invalid("A loss names a claimant who is not in the report.", field="claimant")
    if report.claimed_amount <= 0:
        raise Invalid("A claim must claim something.", field="losses")


def check_coverages(report: FnolReport, snapshot: PolicySnapshot) -> None:
    """Raise `Invalid` when a loss is claimed under a coverage the policy does not list."""
    for loss in report.losses:
        if snapshot.coverage(loss.coverage_code) is None:
            raise Invalid("The policy has no such coverage.", field="coverage_code")
