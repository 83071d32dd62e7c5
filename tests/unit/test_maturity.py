"""Maturity gates: passed in order, only forward, and each says what it still lacks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lian.domain.claims.maturity import (
    GATES,
    LEVELS,
    MATURITY_LABELS,
    Maturity,
    MaturityFacts,
    advance,
    levels_reached,
    missing_for,
    next_level,
)
from lian.domain.errors import Conflict

pytestmark = pytest.mark.req("CLM-1")

counts = st.integers(0, 2)
facts_of_any_claim = st.builds(
    MaturityFacts,
    has_snapshot=st.booleans(),
    has_loss_at=st.booleans(),
    has_cause=st.booleans(),
    is_reporter_reachable=st.booleans(),
    claims_something=st.booleans(),
    is_triaged=st.booleans(),
    unjudged_likenesses=counts,
    is_reviewed=st.booleans(),
    is_decision_final=st.booleans(),
    approved_amount=st.sampled_from([Decimal(0), Decimal(100)]),
    open_referrals=counts,
    payees=counts,
    uncleared_payees=counts,
    unverified_accounts=counts,
)
levels = st.sampled_from(LEVELS)
EVERYTHING = MaturityFacts(
    has_snapshot=True,
    has_loss_at=True,
    has_cause=True,
    is_reporter_reachable=True,
    claims_something=True,
    is_triaged=True,
    is_reviewed=True,
    is_decision_final=True,
    approved_amount=Decimal(100),
    payees=1,
)


def codes(level: Maturity, facts: MaturityFacts) -> set[str]:
    return {r.code for r in missing_for(level, facts)}


def test_a_claim_with_everything_can_be_paid() -> None:
    assert levels_reached(Maturity.DRAFT, EVERYTHING) == LEVELS[1:]
    assert next_level(Maturity.ABILITY_TO_PAY, EVERYTHING) is None


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({"unjudged_likenesses": 1}, "duplicates_judged"),
        ({"is_decision_final": False}, "decision_final"),
        ({"approved_amount": Decimal(0)}, "something_approved"),
        ({"open_referrals": 1}, "no_open_referral"),
        ({"payees": 0}, "payees_named"),
        ({"uncleared_payees": 1}, "payees_cleared"),
        ({"unverified_accounts": 1}, "accounts_verified"),
    ],
)
def test_each_thing_alone_holds_the_claim_back(change: dict[str, object], lacking: str) -> None:
    facts = replace(EVERYTHING, **change)  # type: ignore[arg-type]
    assert codes(Maturity.ABILITY_TO_PAY, facts) == {lacking}
    assert Maturity.ABILITY_TO_PAY not in levels_reached(Maturity.DRAFT, facts)


def test_nothing_known_lacks_everything_a_report_needs() -> None:
    assert codes(Maturity.REPORTED, MaturityFacts()) == {
        *("policy_known", "loss_dated", "cause_known", "reporter_reachable", "something_claimed")
    }


@given(facts_of_any_claim, levels, levels)
def test_a_higher_level_never_lacks_less(facts: MaturityFacts, one: Maturity, other: Maturity) -> None:
    lower, higher = sorted((one, other), key=LEVELS.index)
    assert set(missing_for(lower, facts)) <= set(missing_for(higher, facts))


@given(facts_of_any_claim, levels)
def test_levels_are_reached_in_order_and_only_forward(facts: MaturityFacts, current: Maturity) -> None:
    reached = levels_reached(current, facts)
    places = [LEVELS.index(level) for level in (current, *reached)]
    assert places == list(range(places[0], places[0] + len(places)))
    for level in reached:
        assert advance(current, level) is level


@given(st.lists(facts_of_any_claim, max_size=6))
def test_whatever_happens_to_a_claim_its_maturity_never_falls(lives: list[MaturityFacts]) -> None:
    level = Maturity.DRAFT
    for facts in lives:
        for reached in levels_reached(level, facts):
            assert LEVELS.index(reached) == LEVELS.index(level) + 1
            assert missing_for(reached, facts, since=level) == ()
            level = advance(level, reached)


@given(levels, levels)
def test_a_step_back_is_refused(current: Maturity, target: Maturity) -> None:
    if LEVELS.index(target) >= LEVELS.index(current):
        assert advance(current, target) is target
        return
    with pytest.raises(Conflict):
        advance(current, target)


def test_every_level_has_one_gate_and_every_requirement_its_words() -> None:
    assert [gate.level for gate in GATES] == list(LEVELS[1:])
    assert MATURITY_LABELS.keys() == set(Maturity)
    requirements = [r for gate in GATES for r in gate.requirements]
    assert len({r.code for r in requirements}) == len(requirements)
    assert all(r.label.en and r.label.zh for r in requirements)
