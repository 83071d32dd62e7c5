"""Whose money it is when several claimants share a claim: what each is still owed, and what each was paid too much."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch
from uuid import UUID

import pytest
from pydantic import TypeAdapter
from temporalio import workflow

from lian.domain.calendars import plain_calendar
from lian.domain.claims.adjudication import ExposureDecision, Result
from lian.domain.claims.definition import CLAIM
from lian.domain.claims.facts import ClaimExposure, ClaimFacts, Transfer
from lian.domain.claims.terms import Line, LossCause
from lian.domain.messages import CaseState
from lian.domain.plan import CasePlan
from tests.workflows.plain import START
from tests.workflows.test_state_machine import terms
from workflows.claim import Claim

ZHAO, QIAN, GARAGE, UNKNOWN = UUID(int=1), UUID(int=2), UUID(int=3), None
DECISION = UUID(int=9)
FACTS = TypeAdapter(ClaimFacts)


def claim(
    *,
    decided: dict[UUID, int],
    arrived: dict[UUID | None, int] | None = None,
    owed_back: dict[UUID | None, int] | None = None,
) -> Claim:
    """A claim with these figures by party, in this order; under none what is nobody's in particular."""
    exposures = [
        ClaimExposure(
            exposure_id=UUID(int=10 + i), coverage_code="OD", claimant_party_id=party, claimed_amount=Decimal(0)
        )
        for i, party in enumerate(decided)
    ]
    decisions = [
        ExposureDecision(
            exposure_id=str(e.exposure_id),
            result=Result.ACCEPT,
            payable_amount=Decimal(amount),
            deductible_applied=Decimal(0),
            findings=(),
        )
        for e, amount in zip(exposures, decided.values(), strict=True)
    ]
    back = owed_back or {}
    facts = ClaimFacts(
        snapshot=terms(),
        line=Line.MOTOR,
        loss_cause=LossCause.COLLISION,
        loss_at=START - timedelta(days=3),
        reported_at=START - timedelta(days=1),
        injured=0,
        claimed_amount=Decimal(0),
        exposures=exposures,
        decisions=decisions,
        approved_amount=Decimal(sum(decided.values())),
        transfers={
            UUID(int=100 + i): Transfer(party_id=party, amount=Decimal(amount), status="confirmed")
            for i, (party, amount) in enumerate((arrived or {}).items())
        },
        owed_back=Decimal(sum(back.values())),
        owed_back_by={party: Decimal(amount) for party, amount in back.items() if party},
    )
    plan = CasePlan("house", plain_calendar("Asia/Shanghai"), {p.id: p for p in CLAIM.clocks})
    dumped = FACTS.dump_python(facts, mode="json")
    return Claim(CaseState(case_id=UUID(int=4), kind="claim", plan=plan, received_at=START, facts=dumped))


@pytest.mark.req("CLM-10")
@pytest.mark.parametrize(
    ("the_claim", "shares", "is_told_to_customers"),
    [
        (claim(decided={ZHAO: 3000, QIAN: 2000}), {ZHAO: 3000, QIAN: 2000}, True),
        (claim(decided={ZHAO: 3000, QIAN: 2000}, arrived={ZHAO: 3000}), {QIAN: 2000}, True),
        # What was paid too much and is owed back is no payment: found right after all, it is owed again, to them.
        (
            claim(decided={ZHAO: 3000, QIAN: 2000}, arrived={ZHAO: 3000, QIAN: 2000}, owed_back={QIAN: 500}),
            {QIAN: 500},
            True,
        ),
        (
            claim(decided={ZHAO: 3000, QIAN: 2400}, arrived={ZHAO: 4000, QIAN: 2000}, owed_back={ZHAO: 1000}),
            {QIAN: 400},
            True,
        ),
        # One has more than is theirs, the other less: what is left is not for whoever has too much.
        (claim(decided={ZHAO: 3000, QIAN: 2000}, arrived={ZHAO: 4000}), {QIAN: 1000}, False),
        # Somebody else has a part, or nobody knows who was paid too much.
        (claim(decided={ZHAO: 3000, QIAN: 2000}, arrived={GARAGE: 1000}), {ZHAO: 4000}, False),
        (
            claim(decided={ZHAO: 3000, QIAN: 2000}, arrived={ZHAO: 3000, QIAN: 2000}, owed_back={UNKNOWN: 500}),
            {ZHAO: 500},
            False,
        ),
        # With one claimant there is no question.
        (claim(decided={ZHAO: 3000}, arrived={ZHAO: 3000}, owed_back={UNKNOWN: 500}), {ZHAO: 500}, True),
        (claim(decided={ZHAO: 3000}, arrived={UNKNOWN: 1000}), {ZHAO: 2000}, True),
    ],
)
def test_each_is_offered_what_is_theirs_or_else_our_staff_decide(
    the_claim: Claim, shares: dict[UUID, int], is_told_to_customers: bool
) -> None:
    ask = the_claim.ask_settlement(the_claim.facts.outstanding, DECISION)
    rows = ask["rows"]
    assert isinstance(rows, dict)
    assert {UUID(row["party_id"]): Decimal(row["amount"]) for row in rows["payees"]} == shares
    assert ("staff_only" not in ask) is is_told_to_customers


@pytest.mark.req("CLM-10")
def test_an_advance_before_the_decision_is_nobodys_in_particular() -> None:
    several, one = claim(decided={ZHAO: 0, QIAN: 0}), claim(decided={ZHAO: 0})
    assert several.ask_settlement(Decimal(500), DECISION)["staff_only"] is True
    assert "staff_only" not in one.ask_settlement(Decimal(500), DECISION)


@pytest.mark.req("CLM-15")
@pytest.mark.parametrize(
    ("the_claim", "parts"),
    [
        (claim(decided={ZHAO: 3000}, arrived={ZHAO: 4000}), {ZHAO: 1000}),
        (claim(decided={ZHAO: 3000, QIAN: 1000}, arrived={ZHAO: 4000, QIAN: 2000}), {ZHAO: 1000, QIAN: 1000}),
        # What is owed back already is not owed twice.
        (
            claim(decided={ZHAO: 3000, QIAN: 1000}, arrived={ZHAO: 4000, QIAN: 2000}, owed_back={ZHAO: 1000}),
            {QIAN: 1000},
        ),
        # Less than one of them has too much, because the other has too little.
        (claim(decided={ZHAO: 3000, QIAN: 2000}, arrived={ZHAO: 4000, QIAN: 1400}), {ZHAO: 400}),
        (claim(decided={ZHAO: 3000, QIAN: 0, GARAGE: 2000}, arrived={ZHAO: 4000, QIAN: 1500}), {UNKNOWN: 500}),
        (claim(decided={ZHAO: 3000, QIAN: 2000}, arrived={UNKNOWN: 6000}), {UNKNOWN: 1000}),
    ],
)
def test_what_was_paid_too_much_is_owed_by_whoever_has_it(the_claim: Claim, parts: dict[UUID | None, int]) -> None:
    with patch.object(workflow, "patched", lambda _: True):
        assert the_claim.overpaid() == parts
    assert sum(parts.values()) == -the_claim.facts.outstanding
