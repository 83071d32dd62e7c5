"""Who stands in for whom: handed on from one to the next, dated, and never in a circle (TSK-4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lian.domain.absences import Away, circle_with, last_day, stand_in_of, whole_days

pytestmark = pytest.mark.req("TSK-4")

START = datetime(2026, 3, 2, tzinfo=UTC)
PEOPLE = "abcdef"


def away(person: str, substitute: str | None, begin: int, end: int) -> Away[str]:
    """Days counted from the start; the last is not one of them."""
    day = timedelta(days=1)
    return Away(person=person, substitute=substitute, away_from=START + begin * day, away_until=START + end * day)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({}, None),
        ({"a": None}, None),
        ({"a": "b"}, "b"),
        ({"a": "b", "b": "c"}, "c"),
        ({"a": "b", "b": "c", "c": None}, None),
        ({"a": "b", "b": "a"}, None),
        ({"a": "b", "b": "c", "c": "b"}, None),
        ({"b": "c"}, None),
    ],
)
def test_work_goes_on_to_the_first_who_is_there(named: dict[str, str | None], expected: str | None) -> None:
    assert stand_in_of("a", named) == expected


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], ()),
        ([away("b", "a", 10, 20)], ()),
        ([away("b", "a", 3, 5)], ("a", "b", "a")),
        ([away("b", "a", -9, 1)], ("a", "b", "a")),
        ([away("b", "a", -9, 0)], ()),
        ([away("b", "c", 0, 10), away("c", "a", 4, 6)], ("a", "b", "c", "a")),
        ([away("b", "c", 0, 4), away("c", "a", 4, 6)], ()),
        ([away("b", None, 0, 10)], ()),
        ([away("b", "c", 0, 10), away("c", "d", 0, 10)], ()),
    ],
)
def test_a_circle_is_seen_at_any_moment_of_a_new_absence_and_only_there(
    others: list[Away[str]], expected: tuple[str, ...]
) -> None:
    assert circle_with(away("a", "b", 0, 10), others) == expected


ABSENCES = st.builds(
    lambda person, substitute, begin, length: away(person, substitute, begin, begin + length),
    st.sampled_from(PEOPLE),
    st.none() | st.sampled_from(PEOPLE),
    st.integers(0, 12),
    st.integers(1, 8),
).filter(lambda one: one.person != one.substitute)


@given(st.lists(ABSENCES, max_size=14))
def test_whatever_is_noted_without_a_circle_nobody_ever_ends_at_themselves(wanted: list[Away[str]]) -> None:
    """As the service does: one after the other, none twice at a time, none that would close a circle."""
    noted: list[Away[str]] = []
    for new in wanted:
        is_twice = any(
            o.person == new.person and o.away_from < new.away_until and new.away_from < o.away_until for o in noted
        )
        if not is_twice and not circle_with(new, noted):
            noted.append(new)
    for hour in range(21 * 2):
        at = START + timedelta(hours=12 * hour)
        named = {one.person: one.substitute for one in noted if one.covers(at)}
        for person in named:
            steps, found = 0, named[person]
            while found is not None and found in named:
                steps, found = steps + 1, named[found]
                assert steps < len(PEOPLE), "a circle"
            assert stand_in_of(person, named) == found


def test_days_are_the_offices_and_both_ends_count() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    begin, end = whole_days(date(2026, 3, 29), date(2026, 3, 29), berlin)
    assert (begin, end) == (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))
    assert end - begin == timedelta(hours=23), "the clocks go forward"
    assert last_day(end, berlin) == date(2026, 3, 29)
    shanghai = ZoneInfo("Asia/Shanghai")
    assert last_day(whole_days(date(2026, 5, 1), date(2026, 5, 5), shanghai)[1], shanghai) == date(2026, 5, 5)
