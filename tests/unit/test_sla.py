"""Clocks: the public examples of sla/semantics.md that these units cover, and the laws every ledger obeys."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lian.domain.calendars import CalendarNotCovered, WorkingCalendar, plain_calendar
from lian.domain.claims import figures
from lian.domain.claims.triage import Complexity
from lian.domain.errors import Invalid
from lian.domain.sla import ClockLedger, ClockPolicy, Pause, Unit, Verdict, due_at, remaining, verdict, warn_at
from lian.services.calendars import shipped
from tests.promises import BEIJING, LONDON, SECOND, START, UK, at, clock, pause

CN = shipped()["CN"]
PLAIN = plain_calendar("Asia/Shanghai")


def hours(amount: int, *, pausable: bool = True, warn_percent: int = 75) -> ClockPolicy:
    return clock(amount, Unit.HOURS, pausable=pausable, warn_percent=warn_percent)


def days(amount: int, *, pausable: bool = True, warn_percent: int = 75) -> ClockPolicy:
    return clock(amount, Unit.WORKING_DAYS, pausable=pausable, warn_percent=warn_percent)


# --- examples ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-12")
@pytest.mark.parametrize(
    ("calendar", "zone", "start", "n", "pauses", "due", "warn"),
    [
        (CN, BEIJING, "2026-09-18T18:00", 3, (), "2026-09-22T17:30", "2026-09-21T17:30"),
        (UK, LONDON, "2026-12-23T09:00", 3, (), "2026-12-30T17:30", "2026-12-29T17:30"),
        (
            UK,
            LONDON,
            "2026-05-21T15:00",
            10,
            (("2026-05-26T09:00", "2026-05-29T12:00"),),
            "2026-06-10T17:30",
            "2026-06-05T17:30",
        ),
        (CN, BEIJING, "2026-02-13T23:59", 1, (), "2026-02-14T17:30", None),  # make-up Saturday; 75 % of 1 is no day
        (
            CN,
            BEIJING,
            "2026-03-02T10:00",
            5,
            (("2026-03-03T09:00", "2026-03-03T17:00"),),
            "2026-03-09T17:30",
            "2026-03-05T17:30",
        ),
    ],
)
def test_working_days_fall_due_as_the_manual_says(
    calendar: WorkingCalendar,
    zone: ZoneInfo,
    start: str,
    n: int,
    pauses: tuple[tuple[str, str], ...],
    due: str,
    warn: str | None,
) -> None:
    ledger = ClockLedger(at(start, zone), tuple(pause(begins, ends, zone) for begins, ends in pauses))
    assert due_at(policy=days(n), calendar=calendar, ledger=ledger) == at(due, zone)
    assert warn_at(policy=days(n), calendar=calendar, ledger=ledger) == (at(warn, zone) if warn else None)


@pytest.mark.req("CLM-4")
def test_elapsed_hours_run_day_and_night_and_over_a_clock_change() -> None:
    ledger = ClockLedger(at("2026-03-28T12:00", LONDON))
    assert due_at(policy=hours(24), calendar=UK, ledger=ledger) == at("2026-03-29T13:00", LONDON)
    assert warn_at(policy=hours(24), calendar=UK, ledger=ledger) == at("2026-03-29T07:00", LONDON)


def test_results_are_in_utc() -> None:
    for policy in (hours(4), days(4)):
        due = due_at(policy=policy, calendar=PLAIN, ledger=ClockLedger(START))
        assert due is not None
        assert due.tzinfo is UTC


@pytest.mark.parametrize("hour", [0, 9, 17, 23])
def test_the_receipt_date_never_counts_whatever_the_hour(hour: int) -> None:
    ledger = ClockLedger(START.replace(hour=hour))
    assert due_at(policy=days(1), calendar=CN, ledger=ledger) == at("2026-03-03T17:30")


def test_the_receipt_date_is_the_offices_date() -> None:
    ledger = ClockLedger(datetime(2026, 3, 2, 23, 0, tzinfo=UTC))  # already Tuesday in Beijing
    assert due_at(policy=days(1), calendar=CN, ledger=ledger) == at("2026-03-04T17:30")


@pytest.mark.req("CLM-5")
@pytest.mark.parametrize(
    ("begins", "ends", "due"),
    [
        ("2026-03-04T16:00", "2026-03-06T09:00", "2026-03-11T17:30"),  # Wed to Fri: two days
        ("2026-03-04T18:00", "2026-03-06T09:00", "2026-03-10T17:30"),  # after close: Wednesday had counted
        ("2026-03-06T16:00", "2026-03-09T09:00", "2026-03-10T17:30"),  # Fri to Mon: one working day
        ("2026-03-04T17:30", "2026-03-05T17:30", "2026-03-10T17:30"),  # from close to close: Thursday only
        ("2026-03-07T09:00", "2026-03-08T23:00", "2026-03-09T17:30"),  # a weekend: none
        ("2026-02-01T09:00", "2026-03-02T12:00", "2026-03-09T17:30"),  # before and on the receipt date: none
        ("2026-03-09T17:30", "2026-03-20T09:00", "2026-03-09T17:30"),  # at due: no effect
    ],
)
def test_a_pause_deducts_the_days_that_close_within_it(begins: str, ends: str, due: str) -> None:
    ledger = ClockLedger(START, (pause(begins, ends),))
    assert due_at(policy=days(5), calendar=CN, ledger=ledger) == at(due)


def test_overlapping_pauses_are_counted_once() -> None:
    ledger = ClockLedger(
        START, (pause("2026-03-02T14:00", "2026-03-02T18:00"), pause("2026-03-02T12:00", "2026-03-02T15:00"))
    )
    assert due_at(policy=hours(8), calendar=CN, ledger=ledger) == at("2026-03-03T00:00")


def test_a_pause_is_clipped_to_the_start() -> None:
    ledger = ClockLedger(START, (pause("2026-03-01T00:00", "2026-03-02T11:00"),))
    assert due_at(policy=hours(8), calendar=CN, ledger=ledger) == at("2026-03-02T19:00")


def test_a_clock_that_cannot_pause_ignores_the_request() -> None:
    ledger = ClockLedger(START, (pause("2026-03-02T12:00", None),))
    for policy in (hours(8, pausable=False), days(8, pausable=False)):
        free = due_at(policy=policy, calendar=CN, ledger=ClockLedger(START))
        assert due_at(policy=policy, calendar=CN, ledger=ledger) == free
        assert verdict(policy=policy, calendar=CN, ledger=ledger, now=at("2026-03-02T13:00")) is Verdict.RUNNING


@pytest.mark.parametrize("policy", [hours(8), days(8)])
def test_an_open_pause_leaves_the_end_unknown_and_not_breached(policy: ClockPolicy) -> None:
    ledger = ClockLedger(START, (pause("2026-03-02T12:00", None),))
    assert due_at(policy=policy, calendar=CN, ledger=ledger) is None
    assert warn_at(policy=policy, calendar=CN, ledger=ledger) is None
    assert verdict(policy=policy, calendar=CN, ledger=ledger, now=at("2027-03-02T12:00")) is Verdict.PAUSED


def test_an_open_pause_shows_the_budget_that_is_left() -> None:
    ledger = ClockLedger(START, (pause("2026-03-02T12:00", None),))
    left = remaining(policy=hours(8), calendar=CN, ledger=ledger, now=at("2026-03-04T12:00"))
    assert left == timedelta(hours=6)
    assert remaining(policy=days(8), calendar=CN, ledger=ledger, now=at("2026-03-04T12:00")) is None


@pytest.mark.parametrize("ends", [None, "2026-03-31T10:00"])
@pytest.mark.parametrize(("policy", "due"), [(hours(8), "2026-03-02T18:00"), (days(1), "2026-03-03T17:30")])
def test_a_pause_at_or_after_due_changes_nothing(policy: ClockPolicy, due: str, ends: str | None) -> None:
    ledger = ClockLedger(START, (pause(due, ends),))
    assert due_at(policy=policy, calendar=CN, ledger=ledger) == at(due)
    assert verdict(policy=policy, calendar=CN, ledger=ledger, now=at(due) + SECOND) is Verdict.BREACHED


@pytest.mark.parametrize("policy", [hours(8), days(3)])
def test_a_stop_exactly_at_due_is_met_and_a_second_later_breached(policy: ClockPolicy) -> None:
    due = due_at(policy=policy, calendar=CN, ledger=ClockLedger(START))
    assert due is not None
    long_after = due + timedelta(days=9)
    for stopped_at, expected in [(due, Verdict.MET), (due + SECOND, Verdict.BREACHED)]:
        ledger = ClockLedger(START, stopped_at=stopped_at)
        assert verdict(policy=policy, calendar=CN, ledger=ledger, now=long_after) is expected


@pytest.mark.parametrize("policy", [hours(8), days(3)])
def test_a_running_clock_is_breached_only_after_due(policy: ClockPolicy) -> None:
    ledger = ClockLedger(START)
    due = due_at(policy=policy, calendar=CN, ledger=ledger)
    assert due is not None
    assert verdict(policy=policy, calendar=CN, ledger=ledger, now=due) is Verdict.RUNNING
    assert verdict(policy=policy, calendar=CN, ledger=ledger, now=due + SECOND) is Verdict.BREACHED


def test_a_clock_stopped_while_paused_is_met() -> None:
    ledger = ClockLedger(START, (pause("2026-03-02T12:00", None),), stopped_at=at("2026-06-01T12:00"))
    assert verdict(policy=hours(8), calendar=CN, ledger=ledger, now=at("2026-06-02T12:00")) is Verdict.MET


def test_what_remains_shrinks_to_zero_at_due_and_then_goes_negative() -> None:
    ledger = ClockLedger(START, (pause("2026-03-02T12:00", "2026-03-02T14:00"),))
    left = [
        remaining(policy=hours(8), calendar=CN, ledger=ledger, now=at(f"2026-03-02T{hour}:00"))
        for hour in (10, 12, 13, 14, 20, 21)
    ]
    assert left == [timedelta(hours=h) for h in (8, 6, 6, 6, 0, -1)]


def test_a_pause_after_due_does_not_shorten_what_is_overdue() -> None:
    ledger = ClockLedger(START, (pause("2026-03-02T19:00", "2026-03-02T21:00"),))
    left = remaining(policy=hours(8), calendar=CN, ledger=ledger, now=at("2026-03-02T22:00"))
    assert left == timedelta(hours=-4)


def test_a_clock_is_paused_from_the_first_instant_of_a_pause_until_just_before_its_end() -> None:
    ledger = ClockLedger(START, (pause("2026-03-02T12:00", "2026-03-02T14:00"),))
    begins, ends = at("2026-03-02T12:00"), at("2026-03-02T14:00")
    seen = [
        verdict(policy=hours(8), calendar=CN, ledger=ledger, now=now)
        for now in (begins - SECOND, begins, ends - SECOND, ends)
    ]
    assert seen == [Verdict.RUNNING, Verdict.PAUSED, Verdict.PAUSED, Verdict.RUNNING]


def test_what_remains_of_days_is_the_time_until_due() -> None:
    left = remaining(policy=days(1), calendar=CN, ledger=ClockLedger(START), now=START)
    assert left == timedelta(days=1, hours=7, minutes=30)


def test_a_clock_beyond_the_published_calendar_is_refused_and_the_plain_one_goes_on() -> None:
    ledger = ClockLedger(at("2026-12-29T10:00"))
    with pytest.raises(CalendarNotCovered):
        due_at(policy=days(5), calendar=CN, ledger=ledger)
    assert due_at(policy=days(5), calendar=PLAIN, ledger=ledger) == at("2027-01-05T17:30")


@pytest.mark.parametrize("policy", [hours(1, warn_percent=0), days(9, warn_percent=0), days(1)])
def test_a_warning_of_nothing_is_never_given(policy: ClockPolicy) -> None:
    assert warn_at(policy=policy, calendar=CN, ledger=ClockLedger(START)) is None


@pytest.mark.parametrize(("amount", "percent"), [(0, 75), (-1, 75), (1, -1), (1, 101)])
def test_a_policy_without_a_sensible_budget_is_refused(amount: int, percent: int) -> None:
    with pytest.raises(Invalid):
        hours(amount, warn_percent=percent)


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(Invalid):
        due_at(policy=hours(8), calendar=CN, ledger=ClockLedger(START.replace(tzinfo=None)))


# --- the house-standard pack ------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-4")
def test_the_initial_review_is_promised_within_48_elapsed_hours() -> None:
    ledger = ClockLedger(START, (pause("2026-03-02T12:00", None),))
    assert due_at(policy=figures.INITIAL_REVIEW, calendar=PLAIN, ledger=ledger) == START + timedelta(hours=48)


@pytest.mark.req("CLM-12")
def test_the_decision_clock_follows_the_complexity() -> None:
    by_grade = {policy.grade: policy for policy in figures.CLOCKS.values() if policy.grade}
    assert by_grade == {Complexity.SIMPLE: figures.SIMPLE, Complexity.COMPLEX: figures.COMPLEX}
    assert {id_: policy.amount for id_, policy in figures.CLOCKS.items()} == {
        "claim.initial_review": 48,
        "claim.total": 15,
        "claim.simple": 5,
        "claim.complex": 15,
    }


# --- laws -------------------------------------------------------------------------------------------------------------

MINUTES = st.integers(min_value=-3 * 24 * 60, max_value=40 * 24 * 60)
SPANS = st.lists(st.tuples(MINUTES, st.integers(min_value=0, max_value=9 * 24 * 60)), max_size=5)
POLICIES = st.builds(hours, st.integers(1, 200)) | st.builds(days, st.integers(1, 20))


def ledger_of(spans: list[tuple[int, int]]) -> ClockLedger:
    return ClockLedger(START, tuple(span(begins, length) for begins, length in spans))


def span(begins: int, length: int) -> Pause:
    from_at = START + timedelta(minutes=begins)
    return Pause("R-1", from_at, from_at + timedelta(minutes=length))


def due_of(policy: ClockPolicy, ledger: ClockLedger) -> datetime:
    due = due_at(policy=policy, calendar=CN, ledger=ledger)
    assert due is not None
    return due


@pytest.mark.req("CLM-5")
@given(POLICIES, SPANS, MINUTES, st.integers(0, 9 * 24 * 60))
def test_one_more_pause_never_makes_due_earlier(
    policy: ClockPolicy, spans: list[tuple[int, int]], begins: int, length: int
) -> None:
    assert due_of(policy, ledger_of([*spans, (begins, length)])) >= due_of(policy, ledger_of(spans))


@given(POLICIES, SPANS, MINUTES, st.integers(0, 9 * 24 * 60), st.integers(0, 100))
def test_splitting_a_pause_changes_nothing(
    policy: ClockPolicy, spans: list[tuple[int, int]], begins: int, length: int, percent: int
) -> None:
    cut = length * percent // 100
    halves = [(begins, cut), (begins + cut, length - cut)]
    assert due_of(policy, ledger_of([*spans, *halves])) == due_of(policy, ledger_of([*spans, (begins, length)]))


@given(POLICIES, SPANS)
def test_order_and_repetition_of_pauses_change_nothing(policy: ClockPolicy, spans: list[tuple[int, int]]) -> None:
    assert due_of(policy, ledger_of([*reversed(spans), *spans])) == due_of(policy, ledger_of(spans))


@given(POLICIES, SPANS, MINUTES)
def test_the_verdict_agrees_with_due(policy: ClockPolicy, spans: list[tuple[int, int]], minute: int) -> None:
    ledger, now = ledger_of(spans), START + timedelta(minutes=minute)
    is_breached = verdict(policy=policy, calendar=CN, ledger=ledger, now=now) is Verdict.BREACHED
    left = remaining(policy=policy, calendar=CN, ledger=ledger, now=now)
    assert left is not None
    assert is_breached == (now > due_of(policy, ledger)) == (left < timedelta(0))


@given(POLICIES, SPANS)
def test_the_warning_comes_no_later_than_due(policy: ClockPolicy, spans: list[tuple[int, int]]) -> None:
    warn = warn_at(policy=policy, calendar=CN, ledger=ledger_of(spans))
    assert warn is None or warn <= due_of(policy, ledger_of(spans))


@given(st.integers(1, 200), SPANS, MINUTES)
def test_what_remains_of_hours_is_due_less_now_less_the_pauses_ahead(
    amount: int, spans: list[tuple[int, int]], minute: int
) -> None:
    """Pausing everything from now on, for any length, leaves what remains untouched."""
    now, ledger = START + timedelta(minutes=minute), ledger_of(spans)
    until_now = [(begins, max(0, min(length, minute - begins))) for begins, length in spans]
    held = replace(ledger_of(until_now), pauses=(*ledger_of(until_now).pauses, Pause("R-2", now)))
    if now <= due_of(hours(amount), ledger):
        assert remaining(policy=hours(amount), calendar=CN, ledger=held, now=now + timedelta(days=3)) == remaining(
            policy=hours(amount), calendar=CN, ledger=ledger, now=now
        )


def test_policy_and_ledger_survive_the_journey_through_json() -> None:
    ledger = ClockLedger(START.astimezone(UTC), (Pause("R-1", START.astimezone(UTC)),))
    for value in (ledger, figures.TOTAL):
        adapter = TypeAdapter(type(value))
        assert adapter.validate_json(adapter.dump_json(value)) == value
