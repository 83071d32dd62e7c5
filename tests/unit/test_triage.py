"""Triage: which claims are simple, which are not, and that every reason is on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import TypeAdapter

from lian.domain.claims.terms import Line, LossCause
from lian.domain.claims.triage import DEFAULT, REASONS, RULES, Complexity, Triage, TriageFacts, triage
from lian.domain.findings import Severity

pytestmark = pytest.mark.req("CLM-3")

LOSS_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SMALL = TriageFacts(
    line=Line.MOTOR,
    loss_cause=LossCause.PARKED,
    claimed_amount=Decimal(3_000),
    injured=0,
    loss_at=LOSS_AT,
    reported_at=LOSS_AT + timedelta(hours=3),
    claimants=1,
    policy_in_force=True,
)


def test_a_small_ordinary_claim_is_simple_and_says_why() -> None:
    outcome = triage(facts=SMALL)
    assert (outcome.complexity, outcome.severity) == (Complexity.SIMPLE, "minor")
    assert [finding.code for finding in outcome.findings] == [
        *("amount_small", "nobody_injured", "cause_ordinary"),
        *("reported_promptly", "one_claimant", "policy_in_force"),
    ]
    assert {finding.severity for finding in outcome.findings} == {Severity.INFO}


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(SMALL, claimed_amount=Decimal("10000.01")), "amount_large"),
        (replace(SMALL, injured=1), "people_injured"),
        (replace(SMALL, loss_cause=LossCause.THEFT), "cause_complex"),
        (replace(SMALL, reported_at=LOSS_AT + timedelta(days=30, seconds=1)), "reported_late"),
        (replace(SMALL, claimants=2), "several_claimants"),
        (replace(SMALL, policy_in_force=False), "policy_not_in_force"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_reason_is_enough_to_make_a_claim_complex(facts: TriageFacts, code: str) -> None:
    outcome = triage(facts=facts)
    assert outcome.complexity is Complexity.COMPLEX
    assert [finding.code for finding in outcome.findings if finding.severity is Severity.REFERS] == [code]
    assert len(outcome.findings) == len(RULES)


def test_the_thresholds_themselves_are_still_simple() -> None:
    facts = replace(SMALL, claimed_amount=DEFAULT.simple_amount, reported_at=LOSS_AT + DEFAULT.late_after)
    assert triage(facts=facts).complexity is Complexity.SIMPLE


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        (replace(SMALL, claimed_amount=Decimal(10_001)), "moderate"),
        (replace(SMALL, injured=1), "moderate"),
        (replace(SMALL, claimed_amount=Decimal(200_000)), "major"),
        (replace(SMALL, injured=3), "major"),
        (replace(SMALL, loss_cause=LossCause.DEATH), "major"),
    ],
)
def test_severity_follows_amount_and_people(facts: TriageFacts, severity: str) -> None:
    assert triage(facts=facts).severity == severity


def test_an_insurer_may_set_other_thresholds() -> None:
    thresholds = replace(DEFAULT, version="ours/7", simple_amount=Decimal(100))
    outcome = triage(facts=SMALL, thresholds=thresholds)
    assert outcome.complexity is Complexity.COMPLEX
    assert {finding.rule_version for finding in outcome.findings} == {"ours/7"}


def test_every_code_has_words_in_both_languages() -> None:
    worst = TriageFacts(Line.HEALTH, LossCause.WAR, Decimal(10**9), 9, LOSS_AT, LOSS_AT + timedelta(days=99), 5, False)
    codes = {finding.code for facts in (SMALL, worst) for finding in triage(facts=facts).findings}
    assert codes == set(REASONS)
    assert all(label.en and label.zh for label in REASONS.values())


def test_the_outcome_survives_the_journey_through_json() -> None:
    adapter = TypeAdapter(Triage)
    assert adapter.validate_json(adapter.dump_json(triage(facts=SMALL))) == triage(facts=SMALL)
