"""Who claims: several people, minors and those who act for them (CLM-1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from lian.domain.claims.checklist import checklist
from lian.domain.claims.fnol import ClaimedLoss, FnolReport, PersonGiven, check_report
from lian.domain.claims.terms import Line, LossCause
from lian.domain.errors import Invalid

pytestmark = pytest.mark.req("CLM-1")

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
MOTHER = PersonGiven(name="周敏", phone="13900000001")
CHILD = PersonGiven(name="周小雨", is_minor=True, represented_by=MOTHER)


def told(*claimants: PersonGiven, reporter: PersonGiven = MOTHER) -> FnolReport:
    """A fall on the playground, told by the mother."""
    return FnolReport(
        policy_number="P-1",
        loss_cause=LossCause.ACCIDENT,
        loss_at=NOW - timedelta(days=1),
        reported_at=NOW,
        place="学校",
        course="摔倒",
        injured=1,
        reporter=reporter,
        claimants=claimants,
        losses=tuple(ClaimedLoss(coverage_code="MED", claimed_amount=Decimal(100), claimant=n) for n in range(2)),
    )


def test_a_minor_and_an_adult_claim_together() -> None:
    check_report(told(CHILD, MOTHER), now=NOW)


def test_a_reporter_who_is_a_minor_and_claims_needs_somebody_too() -> None:
    with pytest.raises(Invalid, match="A minor needs a representative"):
        check_report(replace(told(reporter=replace(CHILD, phone="1", represented_by=None))), now=NOW)


@pytest.mark.parametrize(
    ("acting", "words"),
    [
        (None, "A minor needs a representative"),
        (PersonGiven(name="哥哥", phone="1", is_minor=True), "must be of age"),
        (replace(CHILD, is_minor=False, phone="1"), "must be of age and act in person"),
        (PersonGiven(name="周敏"), "needed to reach the representative"),
    ],
    ids=["nobody", "another minor", "somebody represented themselves", "somebody out of reach"],
)
def test_who_acts_for_a_minor_is_an_adult_in_reach(acting: PersonGiven | None, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        check_report(told(replace(CHILD, represented_by=acting), MOTHER), now=NOW)


@pytest.mark.req("CLM-5")
def test_guardianship_is_proven_for_minors_alone() -> None:
    def codes(minors: int) -> list[str]:
        return [i.code for i in checklist(line=Line.ACCIDENT, loss_cause=LossCause.ACCIDENT, injured=1, minors=minors)]

    assert codes(0) == codes(2)[:-1]
    assert codes(2)[-1] == "guardianship_proof"
