"""The order of a queue as one number: it sorts as TSK-2 says, fits an index, and reads back into its reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lian.domain.urgency import Standing, Urgency, read_urgency, standing_of, urgency_key

pytestmark = pytest.mark.req("TSK-2")

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
PLAIN = Urgency(green=False, comes_first=False, act_by_at=NOON, standing=Standing.ORDINARY, opened_at=NOON)

deadlines = st.none() | st.integers(0, 13_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
"""Until 2381."""
openings = st.integers(0, 33_000_000).map(lambda minute: datetime(2010, 1, 1, 0, 0, 7, tzinfo=UTC) + minute * MINUTE)
"""Until 2072."""
urgencies = st.builds(
    Urgency,
    green=st.booleans(),
    comes_first=st.booleans(),
    act_by_at=deadlines,
    standing=st.sampled_from(Standing),
    opened_at=openings,
)
nearly_equal = st.builds(
    Urgency,
    green=st.booleans(),
    comes_first=st.booleans(),
    act_by_at=st.sampled_from([None, NOON, NOON + timedelta(seconds=1), NOON - timedelta(days=400)]),
    standing=st.sampled_from(Standing),
    opened_at=st.sampled_from([NOON, NOON + timedelta(minutes=1), NOON - timedelta(days=1)]),
)
"""Few values, so that the later places decide as often as the earlier ones."""


def place(urgency: Urgency) -> tuple[Any, ...]:
    """The order as the requirement states it, place by place; no deadline comes after every deadline."""
    seconds = urgency.act_by_at and urgency.act_by_at.replace(microsecond=0)
    minute = urgency.opened_at.replace(second=0, microsecond=0)
    return (
        not urgency.green,
        not urgency.comes_first,
        seconds is None,
        seconds or NOON,
        urgency.standing,
        minute,
    )


@given(one=urgencies | nearly_equal, other=urgencies | nearly_equal)
def test_the_key_orders_as_the_places_do_one_after_the_other(one: Urgency, other: Urgency) -> None:
    assert (urgency_key(one) < urgency_key(other)) == (place(one) < place(other))
    assert (urgency_key(one) == urgency_key(other)) == (place(one) == place(other))


@given(urgencies)
def test_a_key_reads_back_into_its_reasons_and_fits_a_bigint(urgency: Urgency) -> None:
    key = urgency_key(urgency)
    assert 0 <= key < 2**63
    read = read_urgency(key)
    assert place(read) == place(urgency)
    assert read.opened_at == urgency.opened_at.replace(second=0, microsecond=0)
    assert urgency_key(read) == key


@pytest.mark.parametrize(
    "sooner",
    [
        replace(PLAIN, green=True, act_by_at=None, opened_at=NOON + timedelta(days=900)),
        replace(PLAIN, comes_first=True, act_by_at=None, opened_at=NOON + timedelta(days=900)),
        replace(PLAIN, act_by_at=NOON - timedelta(seconds=1), opened_at=NOON + timedelta(days=900)),
        replace(PLAIN, standing=Standing.COMPLEX, opened_at=NOON + timedelta(days=900)),
        replace(PLAIN, opened_at=NOON - timedelta(minutes=1)),
    ],
    ids=["green channel", "law or raised", "deadline", "standing", "opened"],
)
def test_each_place_outweighs_all_that_come_after_it(sooner: Urgency) -> None:
    assert urgency_key(sooner) < urgency_key(PLAIN)


def test_the_green_channel_comes_before_what_a_law_promises_for_today() -> None:
    lawful = replace(PLAIN, comes_first=True, act_by_at=NOON - timedelta(days=30), standing=Standing.VULNERABLE)
    assert urgency_key(replace(PLAIN, green=True, act_by_at=None)) < urgency_key(lawful)


@pytest.mark.parametrize(
    ("at", "read"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)),
        (datetime(1960, 5, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)),
        (datetime(9999, 12, 31, tzinfo=UTC), datetime.fromtimestamp(2**34 - 2, UTC)),
    ],
)
def test_a_deadline_beyond_the_range_keeps_its_end_of_the_queue(at: datetime, read: datetime) -> None:
    key = urgency_key(replace(PLAIN, act_by_at=at))
    assert read_urgency(key).act_by_at == read
    assert key < urgency_key(replace(PLAIN, act_by_at=None))


@pytest.mark.parametrize(
    ("at", "read"),
    [
        (datetime(2001, 1, 1, tzinfo=UTC), datetime(2010, 1, 1, tzinfo=UTC)),
        (datetime(2099, 1, 1, tzinfo=UTC), datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=2**25 - 1)),
    ],
)
def test_an_opening_beyond_the_range_spills_into_no_other_place(at: datetime, read: datetime) -> None:
    key = urgency_key(replace(PLAIN, opened_at=at))
    assert read_urgency(key) == replace(PLAIN, opened_at=read)


def test_the_zone_in_which_a_moment_is_told_changes_nothing() -> None:
    shanghai = timezone(timedelta(hours=8))
    told = replace(PLAIN, act_by_at=NOON.astimezone(shanghai), opened_at=NOON.astimezone(shanghai))
    assert urgency_key(told) == urgency_key(PLAIN)


@pytest.mark.parametrize(
    ("minors", "severity", "complexity", "standing"),
    [
        (1, "major", "complex", Standing.VULNERABLE),
        (2, "minor", "simple", Standing.VULNERABLE),
        (0, "major", "simple", Standing.MAJOR),
        (0, "major", "complex", Standing.MAJOR),
        (0, "minor", "complex", Standing.COMPLEX),
        (0, "", "", Standing.ORDINARY),
        (0, "minor", "simple", Standing.ORDINARY),
    ],
)
def test_children_come_before_major_losses_and_these_before_complex_cases(
    minors: int, severity: str, complexity: str, standing: Standing
) -> None:
    assert standing_of(minors=minors, severity=severity, complexity=complexity) is standing
