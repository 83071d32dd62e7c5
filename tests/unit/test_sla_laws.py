"""What holds for every clock: it agrees with counting step by step, and the order of what is told does not matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lian.domain.calendars import CalendarNotCovered, WorkingCalendar, plain_calendar
from lian.domain.sla import (
    ClockLedger,
    ClockPolicy,
    Pause,
    Rebase,
    Roll,
    Rung,
    Unit,
    Verdict,
    add_working_time,
    consumed,
    days_left,
    due_at,
    is_paused,
    reached_at,
    remaining,
    verdict,
    working_time_between,
)
from tests.promises import CN, DAY_AND_NIGHT, NIGHT, OFFICE, START, UK, WITH_LUNCH, clock
from tests.step_by_step import ONE_DAY, STEP, StepByStep

pytestmark = pytest.mark.req("CLM-12")

ZONES = ("Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe")
SESSIONS = (
    OFFICE,
    WITH_LUNCH,
    NIGHT,
    DAY_AND_NIGHT,
    (("08:00", "10:30"), ("11:00", "13:00"), ("16:30", "24:00")),
    (("00:00", "00:30"), ("09:00", "12:00")),
)
DAYS_OF_CHANGE = (date(2026, 3, 6), date(2026, 3, 27), date(2026, 4, 3), date(2026, 10, 2), date(2026, 10, 23))
"""A little before clocks change somewhere: New York on 8 March, London on the 29th, Lord Howe on 5 April."""


@st.composite
def offices(draw: st.DrawFn) -> WorkingCalendar:
    """A calendar published for some weeks around a day of change, or from some day on."""
    first = draw(st.sampled_from(DAYS_OF_CHANGE)) - timedelta(days=draw(st.integers(0, 4)))
    last = first + timedelta(days=draw(st.integers(4, 45)))
    day = st.integers(0, 45).map(lambda n: first + timedelta(days=n))
    return WorkingCalendar(
        name="drawn",
        tz=draw(st.sampled_from(ZONES)),
        weekend=draw(st.sampled_from((frozenset({5, 6}), frozenset({6}), frozenset({4, 5}), frozenset[int]()))),
        off=frozenset(draw(st.lists(day, max_size=6))),
        work=frozenset(draw(st.lists(day, max_size=4))),
        sessions=draw(st.sampled_from(SESSIONS)),
        covered_from=first,
        covered_until=last,
    )


ALWAYS = [
    replace(plain_calendar(zone), weekend=frozenset({6}), sessions=sessions)
    for zone, sessions in zip(ZONES, SESSIONS, strict=False)
]
"""Calendars without bound; few, because working one out takes a while."""

STEPS = st.integers(0, 30 * 48)
PAUSE_STEPS = st.lists(st.tuples(STEPS, st.none() | st.integers(0, 8 * 48)), max_size=4)
PROMISES = st.one_of(
    st.builds(clock, st.integers(1, 90), st.just(Unit.HOURS), office_hours=st.just(True)),
    st.builds(clock, st.integers(1, 15), st.just(Unit.WORKING_DAYS)),
    st.builds(clock, st.integers(1, 20), st.just(Unit.CALENDAR_DAYS), roll=st.sampled_from(Roll)),
    st.builds(clock, st.integers(1, 3), st.sampled_from((Unit.WEEKS, Unit.MONTHS)), roll=st.sampled_from(Roll)),
)


def ledger_at(start: datetime, spans: Sequence[tuple[int, int | None]]) -> ClockLedger:
    """Pauses so many steps after (three days before) the start, for so many steps or open."""
    begins = [start + (after - 3 * 48) * STEP for after, _ in spans]
    ends = [None if steps is None else at + steps * STEP for at, (_, steps) in zip(begins, spans, strict=True)]
    return ClockLedger(start, tuple(Pause(f"R-{n}", *one) for n, one in enumerate(zip(begins, ends, strict=True))))


def outcome(question: Callable[[], datetime | None]) -> datetime | str | None:
    try:
        return question()
    except CalendarNotCovered as refused:
        return refused.code


def some_start(office: WorkingCalendar, steps: int) -> datetime:
    """So many steps after the first date of the calendar began."""
    first = office.covered_from or DAYS_OF_CHANGE[0]
    return datetime.combine(first, time(0), ZoneInfo(office.tz)).astimezone(UTC) + steps * STEP


@settings(max_examples=150, deadline=None)
@given(offices() | st.sampled_from(ALWAYS), PROMISES, st.integers(-2 * 48, 40 * 48), PAUSE_STEPS)
def test_a_deadline_is_the_one_that_counting_step_by_step_finds(
    office: WorkingCalendar, policy: ClockPolicy, steps: int, spans: list[tuple[int, int | None]]
) -> None:
    ledger = ledger_at(some_start(office, steps), spans)
    found = outcome(lambda: due_at(policy=policy, calendar=office, ledger=ledger))
    assert found == outcome(StepByStep(policy, office, ledger).due)


@settings(max_examples=60, deadline=None)
@given(offices() | st.sampled_from(ALWAYS), PROMISES, st.integers(-2 * 48, 40 * 48), PAUSE_STEPS)
def test_a_warning_is_the_one_that_counting_step_by_step_finds(
    office: WorkingCalendar, policy: ClockPolicy, steps: int, spans: list[tuple[int, int | None]]
) -> None:
    even = replace(policy, amount=2 * policy.amount) if policy.unit is Unit.HOURS else policy  # stays on the grid
    ledger = ledger_at(some_start(office, steps), spans)
    found = outcome(lambda: reached_at(policy=even, calendar=office, ledger=ledger, rung=Rung(75, ())))
    assert found == outcome(StepByStep(even, office, ledger).warning)


# --- budgets and pauses -----------------------------------------------------------------------------------------------

MOMENTS = st.integers(-3 * 86_400_000_000, 40 * 86_400_000_000).map(lambda us: START + timedelta(microseconds=us))
CLOSED = st.lists(st.tuples(STEPS, st.integers(0, 8 * 48)), max_size=4)
OFFICES = st.sampled_from((CN, UK, replace(CN, sessions=WITH_LUNCH), replace(UK, sessions=NIGHT), *ALWAYS))


@given(PROMISES, OFFICES, CLOSED)
def test_a_larger_budget_is_never_due_earlier(
    policy: ClockPolicy, office: WorkingCalendar, spans: list[tuple[int, int]]
) -> None:
    ledger = ledger_at(START, spans)
    dues = [due_at(policy=replace(policy, amount=policy.amount + n), calendar=office, ledger=ledger) for n in range(4)]
    assert all(due is not None for due in dues)
    assert dues == sorted(due for due in dues if due)
    extended = [due_at(policy=policy, calendar=office, ledger=replace(ledger, extended=n)) for n in range(4)]
    assert extended == dues


@given(PROMISES, OFFICES, CLOSED, st.tuples(STEPS, st.integers(0, 8 * 48)))
def test_one_more_pause_is_never_due_earlier_and_an_empty_one_changes_nothing(
    policy: ClockPolicy, office: WorkingCalendar, spans: list[tuple[int, int]], more: tuple[int, int]
) -> None:
    dues = [
        due_at(policy=policy, calendar=office, ledger=ledger_at(START, given))
        for given in (spans, [*spans, (more[0], 0)], [*spans, more])
    ]
    assert dues[0] is not None
    assert dues[0] == dues[1]
    assert dues[2] is not None
    assert dues[2] >= dues[0]


@given(PROMISES, OFFICES, CLOSED, st.data())
def test_a_pause_told_in_pieces_is_one_pause(
    policy: ClockPolicy, office: WorkingCalendar, spans: list[tuple[int, int]], data: st.DataObject
) -> None:
    whole = ledger_at(START, spans)
    pieces: list[Pause] = []
    for pause in whole.pauses:
        assert pause.to_at is not None
        cut = data.draw(st.datetimes(pause.from_at.replace(tzinfo=None), pause.to_at.replace(tzinfo=None)))
        middle = cut.replace(tzinfo=pause.from_at.tzinfo)
        pieces += [replace(pause, to_at=middle), replace(pause, from_at=middle)]
    in_pieces = replace(whole, pauses=tuple(data.draw(st.permutations(pieces))))
    assert due_at(policy=policy, calendar=office, ledger=in_pieces) == due_at(
        policy=policy, calendar=office, ledger=whole
    )


# --- telling ----------------------------------------------------------------------------------------------------------

Told = dict[str, tuple[datetime | None, datetime | None]]


@given(PROMISES, OFFICES, PAUSE_STEPS, st.none() | MOMENTS, st.data())
def test_what_happened_gives_one_verdict_however_it_is_told(
    policy: ClockPolicy,
    office: WorkingCalendar,
    spans: list[tuple[int, int | None]],
    stopped_at: datetime | None,
    data: st.DataObject,
) -> None:
    """Begin and end of a pause, and the stop, arrive one by one or together, in any order, some twice."""
    truth = replace(ledger_at(START, spans), stopped_at=stopped_at)
    events: list[tuple[str, datetime | None, datetime | None]] = []
    for pause in truth.pauses:
        events += [(pause.request_id, pause.from_at, None), (pause.request_id, None, pause.to_at)]
    events += data.draw(st.lists(st.sampled_from(events), max_size=3)) if events else []
    told: Told = {}
    for request_id, from_at, to_at in data.draw(st.permutations(events)):
        before = told.get(request_id, (None, None))
        told[request_id] = (from_at or before[0], to_at or before[1])
    replayed = tuple(Pause(id_, begins, ends) for id_, (begins, ends) in told.items() if begins)
    now = data.draw(MOMENTS)
    ledger = replace(truth, pauses=replayed)
    assert verdict(policy=policy, calendar=office, ledger=ledger, now=now) == verdict(
        policy=policy, calendar=office, ledger=truth, now=now
    )


@given(PROMISES, OFFICES, PAUSE_STEPS, MOMENTS, st.lists(MOMENTS, max_size=3))
def test_a_verdict_once_stopped_does_not_depend_on_when_it_is_asked(
    policy: ClockPolicy,
    office: WorkingCalendar,
    spans: list[tuple[int, int | None]],
    stopped_at: datetime,
    asked: list[datetime],
) -> None:
    ledger = replace(ledger_at(START, spans), stopped_at=stopped_at)
    found = {verdict(policy=policy, calendar=office, ledger=ledger, now=now) for now in (stopped_at, *asked)}
    assert found <= {Verdict.MET, Verdict.BREACHED}
    assert len(found) == 1


# --- hours ------------------------------------------------------------------------------------------------------------

BUDGETS = st.integers(1, 200 * 3_600_000_000).map(lambda us: timedelta(microseconds=us))
HOURS = st.builds(clock, st.integers(1, 90), st.just(Unit.HOURS), office_hours=st.booleans())


@given(OFFICES, MOMENTS, BUDGETS)
def test_working_time_that_is_added_is_the_working_time_between_and_no_earlier_instant_has_it(
    office: WorkingCalendar, start: datetime, budget: timedelta
) -> None:
    end = add_working_time(office, start, budget)
    assert working_time_between(office, start, end) == budget
    assert working_time_between(office, start, end - timedelta(microseconds=1)) < budget


@given(HOURS, OFFICES, CLOSED, MOMENTS)
def test_hours_used_up_and_hours_left_are_the_budget_until_it_is_due(
    policy: ClockPolicy, office: WorkingCalendar, spans: list[tuple[int, int]], now: datetime
) -> None:
    ledger, budget = ledger_at(START, spans), timedelta(hours=policy.amount)
    used, left, due = (
        consumed(policy=policy, calendar=office, ledger=ledger, at=now),
        remaining(policy=policy, calendar=office, ledger=ledger, now=now),
        due_at(policy=policy, calendar=office, ledger=ledger),
    )
    assert due is not None
    assert left is not None
    assert consumed(policy=policy, calendar=office, ledger=ledger, at=due) == budget
    if now <= due:
        assert used + left == budget
    else:
        assert left == due - now
        assert used >= budget


@given(HOURS, OFFICES, CLOSED, MOMENTS)
def test_what_was_used_up_by_any_hour_may_be_kept_there_without_moving_the_deadline(
    policy: ClockPolicy, office: WorkingCalendar, spans: list[tuple[int, int]], now: datetime
) -> None:
    ledger = ledger_at(START, spans)
    used = consumed(policy=policy, calendar=office, ledger=ledger, at=now)
    due = due_at(policy=policy, calendar=office, ledger=ledger)
    assert due is not None
    if START <= now < due:
        rebased = replace(ledger, rebased=Rebase(now, used))
        assert due_at(policy=policy, calendar=office, ledger=rebased) == due


# --- days and rungs ---------------------------------------------------------------------------------------------------

DAYS = PROMISES.filter(lambda policy: policy.unit is not Unit.HOURS)


@given(DAYS, OFFICES, CLOSED, MOMENTS)
def test_days_are_left_until_the_last_one_closes(
    policy: ClockPolicy, office: WorkingCalendar, spans: list[tuple[int, int]], now: datetime
) -> None:
    ledger, unrolled = ledger_at(START, spans), replace(policy, roll=Roll.NONE)
    due = due_at(policy=unrolled, calendar=office, ledger=ledger)
    assert due is not None
    left = days_left(policy=policy, calendar=office, ledger=ledger, now=now)
    assert (left > 0) == (now < due)
    assert days_left(policy=policy, calendar=office, ledger=ledger, now=due) == 0


@given(PROMISES, OFFICES, CLOSED)
def test_rungs_are_reached_in_order(policy: ClockPolicy, office: WorkingCalendar, spans: list[tuple[int, int]]) -> None:
    ledger = ledger_at(START, spans)
    rungs = [*(Rung(percent, ()) for percent in (10, 50, 75, 99, 100)), Rung(100, (), 1)]
    reached = [reached_at(policy=policy, calendar=office, ledger=ledger, rung=rung) for rung in rungs]
    known = [at for at in reached if at]
    assert known == sorted(known)
    assert reached[-2:] == [known[-2], known[-2] + ONE_DAY]


@given(PROMISES, OFFICES, PAUSE_STEPS, MOMENTS)
def test_a_clock_stands_still_exactly_in_its_pauses(
    policy: ClockPolicy, office: WorkingCalendar, spans: list[tuple[int, int | None]], now: datetime
) -> None:
    ledger = ledger_at(START, spans)
    is_held = any(p.from_at <= now and (p.to_at is None or now < p.to_at) for p in ledger.pauses)
    assert is_paused(policy=policy, ledger=ledger, at=now) == (now >= START and is_held)
    assert not is_paused(policy=replace(policy, pausable=False), ledger=ledger, at=now)
