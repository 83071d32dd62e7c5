"""Likeness of two reports: what is asked about, what is not, and why (CLM-3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lian.domain.claims.duplicates import (
    BACKLINKS,
    DEFAULT,
    LIKENESS_REASONS,
    LINK_OF_RELATION,
    LINKS,
    MOST_ASKED,
    RELATIONS,
    SIGNS,
    LossFacts,
    compare,
    likest,
)
from lian.domain.claims.terms import Line, LossCause

pytestmark = pytest.mark.req("CLM-3")

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
ZHAO, QIAN = UUID(int=1), UUID(int=2)


def loss(**changes: Any) -> LossFacts:
    """Zhao's collision on policy P-1."""
    told: dict[str, Any] = {
        "case_id": uuid4(),
        "number": "CLM-2026-000001",
        "policy_number": "P-1",
        "line": Line.MOTOR,
        "loss_cause": LossCause.COLLISION,
        "loss_at": NOON,
        "claimed_amount": Decimal(5000),
        "claimant_people": frozenset({ZHAO}),
        "contact_marks": frozenset({"phone of Zhao"}),
        "coverages": frozenset({"OD"}),
    }
    return LossFacts(**told | changes)


STRANGER = {
    "policy_number": "P-2",
    "claimant_people": frozenset({QIAN}),
    "contact_marks": frozenset(),
    "claimed_amount": Decimal(1),
}


def is_asked(**changes: Any) -> bool:
    return bool(likest(loss(), [loss(**changes)]))


def test_the_same_report_by_phone_and_by_web_is_asked_about_with_every_reason() -> None:
    likeness = compare(loss(), loss(number="CLM-2026-000002", loss_at=NOON + timedelta(hours=2)))
    assert (likeness.number, likeness.score) == ("CLM-2026-000002", 100)
    assert likeness.reasons == (
        *("same_policy", "same_day", "same_cause", "same_claimant", "same_contact", "same_amount", "same_coverage"),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"loss_cause": LossCause.PARKED, "claimed_amount": Decimal(9), "claimant_people": frozenset({QIAN})},
        {"loss_at": NOON - timedelta(days=3), "claimed_amount": Decimal(9)},
        {"policy_number": "P-2", "line": Line.ACCIDENT, "claimed_amount": Decimal(9)},
    ],
    ids=["another cause and claimant, same policy and day", "three days before", "another policy, same person and day"],
)
def test_what_may_be_the_same_loss_is_asked_about(changes: dict[str, Any]) -> None:
    assert is_asked(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        STRANGER,
        STRANGER | {"contact_marks": frozenset({"phone of Zhao"})},
        {"loss_at": NOON - timedelta(days=4), "claimed_amount": Decimal(9)},
        STRANGER | {"loss_at": NOON, "place_mark": ""},
    ],
    ids=["a stranger's collision on the same day", "a garage's hailstorm", "the same driver, next week", "no place"],
)
def test_what_is_plainly_another_loss_is_not(changes: dict[str, Any]) -> None:
    assert not is_asked(**changes)


def test_one_group_policy_with_many_insured_does_not_ask_about_everybody_ill_on_one_day() -> None:
    mine = loss(line=Line.HEALTH, loss_cause=LossCause.ILLNESS)
    colleague = loss(
        line=Line.HEALTH,
        loss_cause=LossCause.ILLNESS,
        claimant_people=frozenset({QIAN}),
        contact_marks=frozenset(),
        claimed_amount=Decimal(9),
        coverages=frozenset(),
    )
    assert likest(mine, [colleague]) == []


def test_it_never_finds_itself_and_stops_at_ten_with_the_best_first() -> None:
    mine = loss()
    far = [loss(number=f"CLM-{n:02}", loss_at=NOON + timedelta(days=2)) for n in range(20)]
    found = likest(mine, [mine, *far, loss(number="CLM-99")])
    assert len(found) == MOST_ASKED
    assert found[0].number == "CLM-99"
    assert mine.case_id not in {likeness.case_id for likeness in found}


moments = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 1, 9), timezones=st.just(UTC))  # noqa: DTZ001
losses = st.builds(
    LossFacts,
    case_id=st.uuids(),
    number=st.just("CLM"),
    policy_number=st.sampled_from(["P-1", "P-2"]),
    line=st.sampled_from(list(Line)),
    loss_cause=st.sampled_from([LossCause.FIRE, LossCause.ILLNESS]),
    loss_at=moments,
    claimed_amount=st.sampled_from([Decimal(1), Decimal(2)]),
    claimant_people=st.frozensets(st.sampled_from([ZHAO, QIAN])),
    contact_marks=st.frozensets(st.sampled_from(["a", "b"])),
    place_mark=st.sampled_from(["", "x"]),
    coverages=st.frozensets(st.sampled_from(["OD", "PD"])),
)


@given(losses, losses)
def test_likeness_is_the_same_in_both_directions_and_between_0_and_100(mine: LossFacts, other: LossFacts) -> None:
    here, there = compare(mine, other), compare(other, mine)
    assert (here.score, here.reasons) == (there.score, there.reasons)
    assert 0 <= here.score <= 100


def test_every_code_has_its_words_and_its_points() -> None:
    codes = {code for code, _ in SIGNS}
    assert codes == LIKENESS_REASONS.keys() == DEFAULT.points.keys()
    assert LINKS.keys() == BACKLINKS.keys() >= set(LINK_OF_RELATION.values())
    assert RELATIONS.keys() == {"same_loss", "related", "different"}
    for labels in (LIKENESS_REASONS, RELATIONS, LINKS, BACKLINKS):
        assert all(label.en and label.zh for label in labels.values())
