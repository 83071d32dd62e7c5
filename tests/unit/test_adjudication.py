"""Adjudication: what one exposure is owed, with coded reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lian.domain.claims.adjudication import REASONS, ExposureDecision, ExposureFacts, Result, adjudicate
from lian.domain.claims.terms import CoverageTerms, Line, LossCause, PolicySnapshot
from lian.domain.errors import Invalid
from lian.domain.findings import Severity
from lian.domain.labels import Label

BEIJING = ZoneInfo("Asia/Shanghai")
LOSS_AT = datetime(2026, 6, 1, 10, 0, tzinfo=BEIJING)
VEHICLE = CoverageTerms(
    code="vehicle",
    label=Label("Own damage", "车辆损失"),
    limit=Decimal(50_000),
    deductible=Decimal(500),
    waiting_days=90,
    excluded_causes=(LossCause.INTOXICATION, LossCause.WAR),
    clause="§ 6",
)
POLICY = PolicySnapshot(
    policy_number="P-1",
    line=Line.MOTOR,
    currency="CNY",
    term_from=date(2026, 1, 1),
    term_to=date(2026, 12, 31),
    coverages=(VEHICLE,),
)
NOTHING = Decimal(0)
AMOUNTS = st.decimals(min_value=0, max_value=200_000, places=2)


def decide(
    *,
    claimed: str = "3000",
    assessed: str | None = None,
    earlier_paid: str = "0",
    by_hand: str = "",
    coverage: str = "vehicle",
    terms: CoverageTerms = VEHICLE,
    cause: LossCause = LossCause.COLLISION,
    loss_at: datetime = LOSS_AT,
    reported_at: datetime | None = None,
) -> ExposureDecision:
    exposure = ExposureFacts(
        exposure_id="E-1",
        coverage_code=coverage,
        claimed_amount=Decimal(claimed),
        assessed_amount=Decimal(claimed if assessed is None else assessed),
        earlier_paid=Decimal(earlier_paid),
        excluded_by_hand=by_hand,
    )
    return adjudicate(
        snapshot=replace(POLICY, coverages=(terms,)),
        exposure=exposure,
        loss_at=loss_at,
        reported_at=reported_at or loss_at,
        loss_cause=cause,
    )


def codes(decision: ExposureDecision) -> list[str]:
    return [finding.code for finding in decision.findings]


# --- accept, partial, deny --------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-7")
def test_the_deductible_alone_is_still_an_acceptance() -> None:
    decision = decide(claimed="3000")
    assert (decision.result, decision.payable_amount) == (Result.ACCEPT, Decimal("2500.00"))
    assert decision.deductible_applied == Decimal("500.00")
    assert [(finding.code, finding.severity) for finding in decision.findings] == [
        ("deductible_applied", Severity.INFO)
    ]


@pytest.mark.req("CLM-7")
def test_a_loss_without_deductible_is_paid_in_full_and_needs_no_reason() -> None:
    decision = decide(terms=replace(VEHICLE, deductible=Decimal(0)))
    assert (decision.result, decision.payable_amount, codes(decision)) == (Result.ACCEPT, Decimal("3000.00"), [])


@pytest.mark.req("CLM-7")
def test_an_assessment_below_the_claim_is_partial() -> None:
    decision = decide(claimed="3000", assessed="2000")
    assert (decision.result, decision.payable_amount) == (Result.PARTIAL, Decimal("1500.00"))
    assert codes(decision) == ["assessed_below_claimed", "deductible_applied"]


@pytest.mark.req("CLM-7")
def test_the_limit_caps_what_is_paid_after_the_deductible() -> None:
    decision = decide(claimed="60000")
    assert (decision.result, decision.payable_amount) == (Result.PARTIAL, Decimal("50000.00"))
    assert codes(decision) == ["deductible_applied", "limit_reached"]


@pytest.mark.req("CLM-7")
def test_what_was_paid_earlier_uses_up_the_limit() -> None:
    assert decide(claimed="60000", earlier_paid="49000").payable_amount == Decimal("1000.00")
    exhausted = decide(earlier_paid="50000")
    assert (exhausted.result, exhausted.payable_amount) == (Result.DENY, NOTHING)
    assert "limit_exhausted" in codes(exhausted)
    assert decide(earlier_paid="70000").payable_amount == 0


@pytest.mark.req("CLM-7")
@pytest.mark.parametrize("claimed", ["500", "499.99", "0.01"])
def test_nothing_is_payable_up_to_the_deductible(claimed: str) -> None:
    decision = decide(claimed=claimed)
    assert (decision.result, codes(decision)) == (Result.DENY, ["below_deductible"])
    assert decide(claimed="500.01").payable_amount == Decimal("0.01")


@pytest.mark.req("CLM-7")
def test_a_loss_found_to_be_nothing_is_denied() -> None:
    decision = decide(assessed="0")
    assert (decision.result, codes(decision)) == (Result.DENY, ["no_loss_found"])


@pytest.mark.req("CLM-7")
def test_an_assessment_above_the_claim_asks_for_a_second_look() -> None:
    decision = decide(claimed="3000", assessed="4000")
    assert (decision.result, decision.payable_amount) == (Result.ACCEPT, Decimal("3500.00"))
    assert decision.findings[0].severity is Severity.REFERS


# --- liability --------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-7")
def test_a_coverage_the_policy_lacks_is_denied() -> None:
    assert codes(decide(coverage="windscreen")) == ["coverage_unknown"]


@pytest.mark.req("CLM-2")
@pytest.mark.parametrize(
    ("loss_at", "is_covered"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, tzinfo=BEIJING), False),
        (datetime(2026, 1, 1, 0, 0, tzinfo=BEIJING), True),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), True),  # midnight in Beijing: the policy's zone decides
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=BEIJING), True),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), False),
    ],
)
def test_the_term_runs_from_its_first_to_its_last_local_date(loss_at: datetime, is_covered: bool) -> None:
    assert ("outside_term" in codes(decide(loss_at=loss_at))) is not is_covered


@pytest.mark.req("CLM-2")
def test_a_term_without_end_covers_any_later_date() -> None:
    endless = replace(POLICY, term_to=None)
    exposure = ExposureFacts("E-1", "vehicle", Decimal(900), Decimal(900))
    far = datetime(2060, 1, 1, tzinfo=UTC)
    decision = adjudicate(
        snapshot=endless, exposure=exposure, loss_at=far, reported_at=far, loss_cause=LossCause.COLLISION
    )
    assert decision.result is Result.ACCEPT


@pytest.mark.req("CLM-2")
@pytest.mark.parametrize(
    ("day", "cause", "is_waiting"),
    [
        (date(2026, 3, 31), LossCause.CRITICAL_ILLNESS, True),  # the 90th day
        (date(2026, 4, 1), LossCause.CRITICAL_ILLNESS, False),
        (date(2026, 1, 1), LossCause.ILLNESS, True),
        (date(2026, 1, 1), LossCause.ACCIDENT, False),  # accidents are exempt
        (date(2026, 1, 1), LossCause.COLLISION, False),
    ],
)
def test_the_waiting_period_holds_for_illness_and_not_for_accidents(
    day: date, cause: LossCause, is_waiting: bool
) -> None:
    loss_at = datetime(day.year, day.month, day.day, 12, tzinfo=BEIJING)
    assert ("in_waiting_period" in codes(decide(cause=cause, loss_at=loss_at))) is is_waiting


@pytest.mark.req("CLM-7")
def test_an_excluded_cause_is_denied_with_the_clause_relied_on() -> None:
    decision = decide(cause=LossCause.INTOXICATION, terms=replace(VEHICLE, waiting_days=0))
    assert (decision.result, decision.payable_amount, decision.deductible_applied) == (Result.DENY, NOTHING, NOTHING)
    assert [(finding.code, finding.clause) for finding in decision.findings] == [("excluded_cause", "§ 6")]


@pytest.mark.req("CLM-7")
def test_an_adjuster_may_exclude_a_loss_by_hand() -> None:
    finding = decide(by_hand="intent").findings[0]
    assert (finding.code, finding.severity) == ("excluded_by_adjuster", Severity.DENIES)
    assert (finding.clause, finding.detail) == ("§ 6", "exclusion=intent")
    assert decide(by_hand="  ").result is Result.ACCEPT


@pytest.mark.req("CLM-11")
def test_a_denial_names_every_reason_at_once() -> None:
    before_term = datetime(2025, 5, 1, tzinfo=BEIJING)
    decision = decide(cause=LossCause.WAR, loss_at=before_term, by_hand="wear")
    assert codes(decision) == ["outside_term", "excluded_cause", "excluded_by_adjuster"]


@pytest.mark.req("CLM-7")
@pytest.mark.parametrize(("reported_on", "is_late"), [("2028-06-01T23:59", False), ("2028-06-02T00:00", True)])
def test_a_report_after_the_limitation_period_is_referred_and_not_denied(reported_on: str, is_late: bool) -> None:
    decision = decide(reported_at=datetime.fromisoformat(reported_on).replace(tzinfo=BEIJING))
    assert ("reported_after_limitation" in codes(decision)) is is_late
    assert decision.result is Result.ACCEPT


def test_the_limitation_of_a_leap_day_ends_with_february() -> None:
    leap = replace(POLICY, term_from=date(2028, 1, 1), term_to=None)
    exposure = ExposureFacts("E-1", "vehicle", Decimal(900), Decimal(900))
    decision = adjudicate(
        snapshot=leap,
        exposure=exposure,
        loss_at=datetime(2028, 2, 29, tzinfo=BEIJING),
        reported_at=datetime(2030, 3, 1, tzinfo=BEIJING),
        loss_cause=LossCause.COLLISION,
    )
    assert "reported_after_limitation" in codes(decision)


# --- laws -------------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-7")
@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_money_and_result_always_agree(
    claimed: Decimal, assessed: Decimal, paid: Decimal, limit: Decimal, deductible: Decimal
) -> None:
    terms = replace(VEHICLE, limit=limit, deductible=deductible)
    decision = decide(claimed=str(claimed), assessed=str(assessed), earlier_paid=str(paid), terms=terms)
    severities = {finding.severity for finding in decision.findings}
    assert 0 <= decision.payable_amount <= max(limit - paid, Decimal(0))
    assert decision.payable_amount + decision.deductible_applied <= assessed
    assert (decision.result is Result.DENY) == (decision.payable_amount == 0) == (Severity.DENIES in severities)
    if decision.result is Result.ACCEPT:
        assert decision.payable_amount == assessed - decision.deductible_applied
    else:
        assert severities & {Severity.REDUCES, Severity.DENIES}


@pytest.mark.parametrize("field", ["claimed", "assessed", "earlier_paid"])
def test_a_negative_amount_is_refused(field: str) -> None:
    with pytest.raises(Invalid):
        decide(**{field: "-1"})  # type: ignore[arg-type]


@pytest.mark.req("CLM-7")
def test_every_code_has_words_in_both_languages() -> None:
    seen = [
        *(
            decide(),
            decide(assessed="10"),
            decide(assessed="9000"),
            decide(claimed="60000"),
            decide(earlier_paid="50000"),
        ),
        *(decide(coverage="none"), decide(claimed="1"), decide(assessed="0"), decide(by_hand="wear")),
        decide(cause=LossCause.WAR, loss_at=datetime(2026, 1, 2, tzinfo=UTC)),
        decide(loss_at=datetime(2020, 1, 1, tzinfo=UTC), reported_at=LOSS_AT),
    ]
    assert {code for decision in seen for code in codes(decision)} <= set(REASONS)
    assert all(label.en and label.zh for label in REASONS.values())


def test_terms_and_decision_survive_the_journey_through_json() -> None:
    for value in (replace(POLICY, taken_at=LOSS_AT.astimezone(UTC)), decide(claimed="60000")):
        adapter = TypeAdapter(type(value))
        assert adapter.validate_json(adapter.dump_json(value)) == value
