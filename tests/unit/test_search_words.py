"""What is typed and what a case is called are cut up alike: whoever has a name's words is found (TSK-1)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lian.domain.errors import Invalid
from lian.domain.search_words import (
    endings_of_phone,
    read_text,
    words_of_name,
    words_of_number,
    words_of_policy,
)

pytestmark = pytest.mark.req("TSK-1")

SOUNDS = {"王": "wang", "芳": "fang", "小": "xiao", "李": "li", "强": "qiang", "阿": "a", "里": "li"}


def spoken(name: str) -> list[Sequence[str]]:
    """One way to read the characters of these tests."""
    return [[SOUNDS.get(character, "") for character in name]] if set(name) <= SOUNDS.keys() else []


def finds(text: str, *names: str) -> bool:
    """Whether a case with these people is found by the text, as a name."""
    have = set().union(*(words_of_name(name, spoken) for name in names))
    return all(name <= have for name in read_text(text).names) and bool(read_text(text).names)


@pytest.mark.parametrize(
    "text", ["王芳", "王 芳", "王　芳", "王", "wf", "WF", "w", "wangfang", "wang", "Wang Fang", "wangf"]
)
def test_a_chinese_name_is_found_by_its_characters_initials_and_sound(text: str) -> None:
    assert finds(text, "王芳")


@pytest.mark.parametrize(
    "text", ["王小芳", "王小", "小芳", "xiaofang", "wxf", "wang xiaofang", "wang xiao fang", "xiaof"]
)
def test_any_two_characters_side_by_side_find_a_longer_name(text: str) -> None:
    assert finds(text, "王小芳")


@pytest.mark.parametrize("text", ["芳", "芳王", "王强", "王芳芳", "fw", "angf", "ang"])
def test_what_is_not_in_the_name_does_not_find_it(text: str) -> None:
    assert not finds(text, "王芳")


def test_two_characters_that_do_not_stand_side_by_side_find_nothing() -> None:
    assert not finds("王芳", "王小芳")


def test_two_names_find_the_case_of_both_and_of_neither_alone() -> None:
    assert finds("王芳 李强", "王芳", "李强")
    assert not finds("王芳 李强", "王芳", "李里")


@pytest.mark.parametrize(
    "text", ["muller", "Müller", "mül", "MÜLLER anna", "obrien", "O’Brien", "o'b", "luc", "jean-luc"]
)
def test_other_names_are_found_by_the_beginnings_of_their_words(text: str) -> None:
    assert finds(text, "Anna Müller", "Jean-Luc O'Brien")


@pytest.mark.parametrize("text", ["uller", "brien", "annamuller"])
def test_the_middle_of_a_word_finds_nothing(text: str) -> None:
    assert not finds(text, "Anna Müller", "Jean-Luc O'Brien")


def test_the_dot_within_a_name_makes_no_difference() -> None:
    assert finds("阿里小芳", "阿里·小芳")
    assert finds("阿里·小芳", "阿里小芳")
    assert finds("里小", "阿里·小芳")


def test_a_name_that_is_no_longer_known_has_no_words() -> None:
    assert words_of_name("", spoken) == set()
    assert words_of_name("···", spoken) == set()


def test_a_name_of_any_length_has_few_words() -> None:
    assert len(words_of_name("王芳" * 100, spoken)) < 60
    assert len(words_of_name("x" * 10_000, spoken)) <= 20
    assert len(words_of_name("ab " * 100, spoken)) <= 2


@pytest.mark.parametrize(
    "text",
    [
        "CLM-2026-000123",
        "clm-2026-000123",
        "CLM 2026 000123",
        "2026-000123",
        "ＣＬＭ－２０２６－０００１２３",
        "clm123",
    ],
)
def test_a_case_number_is_found_however_it_is_written(text: str) -> None:
    assert read_text(text).numbers[0] in words_of_number("CLM-2026-000123")


@pytest.mark.parametrize("text", ["123", "0123", "000123", "１２３"])
def test_the_running_number_alone_finds_the_case(text: str) -> None:
    asked = read_text(text).numbers
    assert asked[1] in words_of_number("CLM-2026-000123")
    assert asked[2] in words_of_number("CLM-2026-000123")


def test_last_digits_find_a_longer_number_after_the_number_they_are() -> None:
    _, serial, tail = read_text("123").numbers
    assert serial not in words_of_number("CLM-2026-004123")
    assert tail in words_of_number("CLM-2026-004123")
    assert not {serial, tail} & words_of_number("CLM-2026-001230")


@pytest.mark.parametrize("text", ["P-1001", "p1001", "p 1001", "Ｐ－１００１"])
def test_a_policy_is_found_without_its_strokes(text: str) -> None:
    assert {read_text(text).policy} == words_of_policy("P-1001")


def test_a_case_without_a_policy_has_no_word_for_it() -> None:
    assert words_of_policy("") == words_of_policy(" - ") == set()


def test_four_to_eleven_last_digits_find_a_phone() -> None:
    endings = endings_of_phone("+86 138-0000-0001")
    assert endings[0] == "0001"
    assert endings[-1] == "13800000001"
    assert len(endings) == 8
    for text in ("0001", "0000 0001", "13800000001", "+86 138 0000 0001", "００００１"):
        assert read_text(text).phone in endings
    assert read_text("+86 138 0000 0001").phone == "13800000001"


@pytest.mark.parametrize("text", ["001", "a0001", "王0001", "0001@"])
def test_fewer_digits_or_other_signs_are_no_phone(text: str) -> None:
    assert read_text(text).phone == ""


def test_short_phones_have_no_endings() -> None:
    assert endings_of_phone("") == endings_of_phone("110") == []


def test_an_address_is_looked_for_whole_and_as_nothing_else() -> None:
    asked = read_text(" Zhao@Example.com ")
    assert asked.email == "zhao@example.com"
    assert (asked.names, asked.numbers, asked.policy, asked.phone) == ((), (), "", "")


@pytest.mark.parametrize("text", ["", " ", "　", "x" * 81, "王" * 81, "a\x00b", "a\u202eb", "\ud800", "\u200b"])
def test_no_text_and_too_much_of_it_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_text(text)
    assert refused.value.details == {"field": "q"}


def test_the_length_counts_after_the_text_was_made_plain() -> None:
    assert read_text(" " * 500 + "王芳" + "\n" * 500).text == "王芳"
    with pytest.raises(Invalid):
        read_text("ﷺ" * 10)  # one sign that is eighteen once it is written out


@given(st.text(max_size=200))
def test_every_text_is_read_or_refused(text: str) -> None:
    try:
        asked = read_text(text)
    except Invalid:
        return
    assert 1 <= len(asked.text) <= 80
    assert all(name for name in asked.names)


@given(st.text(max_size=60))
def test_no_word_holds_a_blank(text: str) -> None:
    words = words_of_name(text, lambda run: [["x"] * len(run)]) | words_of_number(text) | words_of_policy(text)
    assert [word for word in words if word.split() != [word]] == []


@given(st.text(min_size=1, max_size=60))
def test_everybody_is_found_by_their_own_name(name: str) -> None:
    words = words_of_name(name, lambda run: [["x"] * len(run)])
    try:
        asked = read_text(name)
    except Invalid:
        return
    if not asked.email:
        assert set().union(*asked.names) <= words


@given(st.text(alphabet="王芳小李强", min_size=2, max_size=4))
def test_any_part_of_a_chinese_name_finds_it(name: str) -> None:
    for start in range(len(name)):
        for end in range(start + 2, len(name) + 1):
            assert finds(name[start:end], name)
            assert finds("".join(SOUNDS[c] for c in name[start:end]), name)
