"""What a task needs, as one text: it reads back, its tier never asks too little, and licences stay (TSK-1, TSK-3)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lian.domain.authority import HOUSE
from lian.domain.case_kinds import KINDS
from lian.domain.needs import TIERS, Needs, needs_of, read_needs

pytestmark = pytest.mark.req("TSK-1", "TSK-3")

codes = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
skills = st.builds(lambda licensed, code: f"licence:{code}" if licensed else code, st.booleans(), codes)
amounts = st.decimals(0, Decimal("999999999999.99"), places=2)
some_needs = st.builds(
    needs_of,
    case_kind=codes,
    task_kind=codes,
    line=codes | st.just(""),
    least_authority=amounts,
    skills=st.lists(skills, max_size=4),
)


def needs(amount: str = "0", *of: str) -> Needs:
    return needs_of(case_kind="claim", task_kind="authorise", line="motor", least_authority=Decimal(amount), skills=of)


def test_a_need_is_written_as_people_can_read_it() -> None:
    assert str(needs("30000", "marine", "licence:life")) == "claim/authorise/motor/50000/licence:life,marine"
    assert str(needs()) == "claim/authorise/motor/0/"


@given(some_needs)
def test_what_is_written_reads_back(made: Needs) -> None:
    assert read_needs(str(made)) == made


@given(some_needs, some_needs)
def test_different_needs_are_different_texts(one: Needs, other: Needs) -> None:
    assert (str(one) == str(other)) == (one == other)


@given(amounts)
def test_an_amount_lies_above_the_tier_before_and_not_above_its_own(amount: Decimal) -> None:
    made = needs(str(amount))
    assert made.above < amount <= made.tier


@given(amounts, amounts)
def test_whoever_may_decide_no_more_than_the_tier_before_may_do_none_of_it(amount: Decimal, limit: Decimal) -> None:
    """So that a whole tier can be left out unseen, and never a task that somebody could have done."""
    made = needs(str(amount))
    assert not (limit <= made.above and amount <= limit)
    assert limit < made.tier or amount <= limit


def test_every_authority_limit_of_the_house_lies_on_a_tier() -> None:
    """Then nobody looks at the head of a group and finds it above their limit; a limit between tiers costs time."""
    asked = {task.decision for kind in KINDS.values() for task in kind.tasks}
    limits = {row.limit for row in HOUSE.rows if row.decision in asked}
    assert {"claim", "advance"} <= asked
    assert limits <= set(TIERS)


def test_what_needs_no_authority_is_for_everybody() -> None:
    assert needs().tier == 0
    assert needs().above < 0


def test_skills_are_named_once_and_in_order() -> None:
    assert needs("0", "b", "a", "b").skills == ("a", "b")
    assert str(needs("0", "b", "a")) == str(needs("0", "a", "b", "a"))


def test_licences_are_told_from_skills_and_stay() -> None:
    made = needs("0", "marine", "licence:life", "licence:health")
    assert made.licences == {"licence:life", "licence:health"}
    assert needs("0", "licenced", "marine").licences == frozenset()


@given(some_needs, st.lists(skills, max_size=6))
def test_needs_are_met_by_whoever_has_every_skill(made: Needs, has: list[str]) -> None:
    assert made.are_met_by(has) == all(skill in has for skill in made.skills)
    assert made.are_met_by([*has, *made.skills])


@pytest.mark.parametrize("text", ["claim/authorise/motor/30001/", "claim/authorise/motor", "", "claim/a/motor/x/"])
def test_a_text_that_was_never_written_is_not_read(text: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        read_needs(text)
