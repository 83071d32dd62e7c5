"""Who is given a task by rules: affinity, then load, then whose turn it is, and a reason for everybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from lian.domain.dealing import (
    DEAL_REASONS,
    DEAL_RULES,
    Candidate,
    Choice,
    DealReason,
    DealRule,
    choose,
    why_nobody,
)

pytestmark = pytest.mark.req("TSK-3")

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def person(who: str, in_hand: int = 0, capacity: int = 10, **more: object) -> Candidate:
    return Candidate(who=who, in_hand=in_hand, capacity=capacity, **more)  # type: ignore[arg-type]


def chosen(candidates: list[Candidate], *knows: str) -> Choice:
    found = choose(candidates, knows=knows)
    assert found is not None
    return found


def reasons(found: Choice) -> dict[str, str]:
    return {candidate.who: why.value for candidate, why in found.reasons}


def test_whoever_has_the_smallest_share_of_what_they_can_take_is_next() -> None:
    found = chosen([person("a", 3, 10), person("b", 4, 20), person("c", 1, 2)])
    assert (found.chosen.who, found.rule) == ("b", DealRule.LOAD)
    assert reasons(found) == {"b": "least_load", "a": "more_load", "c": "more_load"}


def test_among_equals_whoever_was_given_something_longest_ago_is_next() -> None:
    earlier, later = NOON, NOON + timedelta(hours=1)
    found = chosen([person("a", dealt_at=later), person("b", dealt_at=earlier), person("c", 1, dealt_at=None)])
    assert reasons(found) == {"b": "longest_ago", "a": "more_recently", "c": "more_load"}
    assert chosen([person("a", dealt_at=earlier), person("b")]).chosen.who == "b", "never counts as longest ago"


def test_where_nothing_tells_them_apart_the_account_does() -> None:
    found = chosen([person("b"), person("a")])
    assert reasons(found) == {"a": "first", "b": "later"}


def test_whoever_knows_the_case_comes_before_whoever_has_less_work() -> None:
    found = chosen([person("a"), person("b", 9), person("c", 2)], "gone", "b", "c")
    assert (found.chosen.who, found.rule) == ("b", DealRule.AFFINITY)
    assert reasons(found) == {"b": "knows_case", "a": "another_knows_case", "c": "another_knows_case"}


def test_the_one_who_knew_it_last_comes_first_and_may_have_done_much_of_it() -> None:
    assert chosen([person("a"), person("b")], "b", "a", "b").chosen.who == "b"
    assert chosen([person("a"), person("b")], "a", "b", "b").chosen.who == "a"


@pytest.mark.parametrize("against", [DealReason.CONFLICT, DealReason.ABSENT, DealReason.LICENCE])
def test_knowing_the_case_helps_nobody_who_may_not_do_it_or_is_full(against: DealReason) -> None:
    found = chosen([person("a"), person("b", stands_against=against), person("c", 10)], "b", "c")
    assert (found.chosen.who, found.rule) == ("a", DealRule.LOAD)
    assert reasons(found) == {"a": "least_load", "b": against.value, "c": "full"}


def test_nobody_is_given_more_than_they_can_take() -> None:
    assert choose([person("a", 10), person("b", 11), person("c", stands_against=DealReason.SKILL)]) is None
    assert choose([]) is None


def test_it_is_told_how_many_each_reason_keeps_from_it() -> None:
    people = [person("a", 10), person("b", 11), person("c", 10, stands_against=DealReason.SKILL)]
    assert why_nobody(people) == {DealReason.SKILL: 1, DealReason.FULL: 2}


def test_the_order_in_which_candidates_are_found_changes_nothing() -> None:
    people = [person("a", 1, dealt_at=NOON), person("b", 1), person("c", stands_against=DealReason.PASSED)]
    told = [chosen(list(order)).as_json() for order in permutations(people)]
    assert all(each == told[0] for each in told)
    assert told[0] == {
        "rule": "load",
        "candidates": [
            {"who": "b", "chosen": True, "reason": "longest_ago", "in_hand": 1, "capacity": 10},
            {"who": "a", "chosen": False, "reason": "more_recently", "in_hand": 1, "capacity": 10},
            {"who": "c", "chosen": False, "reason": "passed", "in_hand": 0, "capacity": 10},
        ],
    }


def test_every_code_has_words_in_both_languages() -> None:
    assert set(DEAL_REASONS) == set(DealReason)
    assert set(DEAL_RULES) == set(DealRule)
    assert all(label.en and label.zh for label in (*DEAL_REASONS.values(), *DEAL_RULES.values()))
