"""Which promises a reopened claim is given anew, by the stage where its new life begins (CLM-15)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from lian.domain import journal as j
from lian.domain.claims.definition import CLAIM
from lian.domain.messages import CaseState
from lian.services.calendars import shipped as calendars
from lian.services.packs import plan_from, shipped
from workflows.claim import PASSED
from workflows.clocks import ClockBook

pytestmark = pytest.mark.req("CLM-12", "CLM-15")

REOPENED = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUSE = {"claim.total#2"}
CHINA = {"cn-claims.decide_complex#2", "cn-claims.advance_payment#2"}


def promised_anew(stage: str) -> set[str]:
    """The clocks of a second life under the packs for China."""
    packs = [pack for pack in shipped() if pack.id in {"house-standard", "cn-claims"}]
    plan = plan_from(
        CLAIM,
        packs,
        jurisdiction="CN",
        line="motor",
        calendars=calendars(),
        office_calendar="CN",
        from_year=2025,
    )
    state = CaseState(case_id=uuid4(), kind="claim", plan=plan, received_at=REOPENED, facts={}, generation=2)
    started: list[str] = []

    def record(event: j.Event) -> int:
        started.extend([event.clock] if isinstance(event, j.ClockStarted) else [])
        return 0

    clocks = ClockBook(state, CLAIM, record=record, now=lambda: REOPENED, ask_why_late=lambda _: None)
    clocks.pass_over(*PASSED[stage])
    clocks.reach("received", REOPENED)
    clocks.grade("complex")
    return set(started)


def test_what_was_told_already_is_not_promised_again() -> None:
    assert promised_anew("aftercare") == promised_anew("settlement") == HOUSE


def test_a_claim_that_is_decided_anew_is_promised_a_decision() -> None:
    assert promised_anew("decision") == promised_anew("assessment") == HOUSE | CHINA | {"claim.complex#2"}


def test_a_claim_that_is_reviewed_anew_is_promised_everything() -> None:
    assert promised_anew("review") == HOUSE | CHINA | {"claim.complex#2", "claim.initial_review#2"}
