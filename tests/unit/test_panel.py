"""Panels: quorum, rule, and a result as soon as it is certain."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lian.domain.errors import Invalid
from lian.domain.panel import RESULT_LABELS, RULE_LABELS, VOTE_LABELS, PanelResult, Rule, Vote, verdict

pytestmark = pytest.mark.req("CLM-8")

YES, NO, NEITHER = Vote.AGREE, Vote.DISAGREE, Vote.ABSTAIN
CARRIED, REJECTED = PanelResult.CARRIED, PanelResult.REJECTED


@pytest.mark.parametrize(
    ("votes", "result"),
    [
        ([YES, YES], None),
        ([YES, YES, YES], CARRIED),
        ([YES, YES, NO], None),
        ([YES, YES, NO, NO, YES], CARRIED),
        ([YES, YES, NO, NO, NEITHER], REJECTED),
        ([NO, NO, NO], REJECTED),
        ([YES, NEITHER, NEITHER], None),
        ([YES, NEITHER, NEITHER, NEITHER, NEITHER], CARRIED),
        ([NEITHER] * 5, REJECTED),
    ],
)
def test_a_majority_of_five_decides_once_three_have_voted_and_it_is_certain(
    votes: list[Vote], result: PanelResult | None
) -> None:
    assert verdict(votes, seats=5, quorum=3, rule=Rule.MAJORITY) is result


@pytest.mark.parametrize(
    ("votes", "result"),
    [
        ([YES, YES], None),
        ([YES, YES, YES], CARRIED),
        ([YES, YES, NEITHER], CARRIED),
        ([YES, NEITHER, NEITHER], REJECTED),
        ([NO], None),
        ([NO, YES], REJECTED),
    ],
)
def test_unanimity_of_three_falls_with_the_first_no_and_needs_two_who_agree(
    votes: list[Vote], result: PanelResult | None
) -> None:
    assert verdict(votes, seats=3, quorum=2, rule=Rule.UNANIMOUS) is result


def test_abstentions_reach_the_quorum_but_carry_nothing() -> None:
    assert verdict([NEITHER, NEITHER], seats=2, quorum=2, rule=Rule.MAJORITY) is REJECTED
    assert verdict([YES, NEITHER], seats=2, quorum=2, rule=Rule.MAJORITY) is CARRIED


@pytest.mark.parametrize(("seats", "quorum"), [(1, 1), (0, 0), (3, 4), (3, 0), (3, -1)])
def test_a_panel_that_cannot_be_is_refused(seats: int, quorum: int) -> None:
    with pytest.raises(Invalid):
        verdict([], seats=seats, quorum=quorum, rule=Rule.MAJORITY)


def test_more_votes_than_seats_are_refused() -> None:
    with pytest.raises(Invalid, match="more votes than seats"):
        verdict([YES] * 3, seats=2, quorum=2, rule=Rule.MAJORITY)


@st.composite
def panels(draw: st.DrawFn) -> tuple[int, int, Rule, list[Vote]]:
    """Seats, quorum, rule, and some votes."""
    seats = draw(st.integers(2, 7))
    quorum = draw(st.integers(1, seats))
    votes = draw(st.lists(st.sampled_from(Vote), max_size=seats))
    return seats, quorum, draw(st.sampled_from(Rule)), votes


@given(panels(), st.randoms(use_true_random=False))
def test_the_order_of_votes_never_changes_the_result(panel: tuple[int, int, Rule, list[Vote]], chance: object) -> None:
    seats, quorum, rule, votes = panel
    shuffled = list(votes)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    first = verdict(votes, seats=seats, quorum=quorum, rule=rule)
    assert verdict(shuffled, seats=seats, quorum=quorum, rule=rule) is first


@given(panels())
def test_an_early_result_is_the_one_of_every_completion_and_an_open_one_could_go_either_way(
    panel: tuple[int, int, Rule, list[Vote]],
) -> None:
    seats, quorum, rule, votes = panel
    early = verdict(votes, seats=seats, quorum=quorum, rule=rule)
    rests = product(Vote, repeat=min(seats - len(votes), 4)) if seats - len(votes) <= 4 else ()
    ends = {verdict([*votes, *rest], seats=seats, quorum=quorum, rule=rule) for rest in rests}
    if early is not None:
        assert ends <= {early}
    elif ends and len(votes) >= quorum:
        assert ends == {CARRIED, REJECTED}


@given(panels())
def test_with_every_seat_voted_there_is_a_result(panel: tuple[int, int, Rule, list[Vote]]) -> None:
    seats, quorum, rule, votes = panel
    full = [*votes, *[Vote.ABSTAIN] * (seats - len(votes))]
    assert verdict(full, seats=seats, quorum=quorum, rule=rule) is not None


@given(panels())
def test_nothing_is_decided_before_the_quorum_has_voted(panel: tuple[int, int, Rule, list[Vote]]) -> None:
    seats, quorum, rule, votes = panel
    assert verdict(votes[: quorum - 1], seats=seats, quorum=quorum, rule=rule) is None


def test_everything_has_its_words() -> None:
    assert VOTE_LABELS.keys() == set(Vote)
    assert RULE_LABELS.keys() == set(Rule)
    assert RESULT_LABELS.keys() == set(PanelResult)
