"""What happens to a clock on the way: another policy, other hours, a revised calendar, a year not yet known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from lian.domain.calendars import CalendarNotCovered, plain_calendar
from lian.domain.errors import Invalid
from lian.domain.plan import CasePlan
from lian.domain.sla import (
    ClockLedger,
    ClockPolicy,
    Escalation,
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
    due_on,
    is_paused,
    months_after,
    overdue_by,
    reached_at,
    remaining,
    verdict,
    warn_at,
    working_time_between,
)
from tests.promises import CN, NIGHT, SECOND, START, UK, UK_ALWAYS, WITH_LUNCH, at, clock, dates, pause, pauses

pytestmark = pytest.mark.req("CLM-12")

HOUR = timedelta(hours=1)
OFFICE_HOURS_8 = clock(8, Unit.HOURS, office_hours=True)
DAYS_5 = clock(5, Unit.WORKING_DAYS)
CALENDAR_30 = clock(30, Unit.CALENDAR_DAYS)
LEDGER = ClockLedger(START)


# --- another policy ---------------------------------------------------------------------------------------------------


def test_a_shorter_promise_breaches_at_once_at_its_legal_instant_and_the_pinned_one_stays() -> None:
    """The breach is dated by the new promise, not by the hour at which somebody recomputed it."""
    pinned, shorter, now = clock(10, Unit.WORKING_DAYS), clock(3, Unit.WORKING_DAYS), at("2026-03-09T11:00")
    assert verdict(policy=pinned, calendar=CN, ledger=LEDGER, now=now) is Verdict.RUNNING
    assert verdict(policy=shorter, calendar=CN, ledger=LEDGER, now=now) is Verdict.BREACHED
    assert due_at(policy=shorter, calendar=CN, ledger=LEDGER) == at("2026-03-05T17:30")


def test_a_larger_budget_is_counted_from_the_ledger_and_not_from_now() -> None:
    ledger = ClockLedger(START, pauses([("2026-03-02T12:00", "2026-03-03T09:00")]))
    now = at("2026-03-03T16:30")
    more = replace(OFFICE_HOURS_8, amount=12)
    left = [remaining(policy=p, calendar=CN, ledger=ledger, now=now) for p in (OFFICE_HOURS_8, more)]
    assert left == [-1.5 * HOUR, 2.5 * HOUR]
    assert due_at(policy=more, calendar=CN, ledger=ledger) == at("2026-03-04T10:30")


def test_an_extension_adds_to_the_budget_in_its_own_unit() -> None:
    for policy, due in [
        (OFFICE_HOURS_8, "2026-03-03T11:30"),
        (DAYS_5, "2026-03-11T17:30"),
        (CALENDAR_30, "2026-04-04T00:00"),
        (clock(1, Unit.MONTHS), "2026-06-03T00:00"),
    ]:
        assert due_at(policy=policy, calendar=CN, ledger=replace(LEDGER, extended=2)) == at(due)


# --- other hours ------------------------------------------------------------------------------------------------------


def test_time_used_up_by_the_old_hours_is_kept_when_they_change() -> None:
    """Four of eight hours were used up to 14:00; from then on there is a lunch break the office had not had before."""
    changed_at, with_lunch = at("2026-03-02T14:00"), replace(CN, sessions=WITH_LUNCH)
    used = consumed(policy=OFFICE_HOURS_8, calendar=CN, ledger=LEDGER, at=changed_at)
    assert used == 4 * HOUR
    ledger = replace(LEDGER, rebased=Rebase(changed_at, used))
    assert due_at(policy=OFFICE_HOURS_8, calendar=with_lunch, ledger=ledger) == at("2026-03-03T09:30")
    assert consumed(policy=OFFICE_HOURS_8, calendar=with_lunch, ledger=ledger, at=changed_at) == used
    assert remaining(policy=OFFICE_HOURS_8, calendar=with_lunch, ledger=ledger, now=changed_at) == 4 * HOUR
    warning = at("2026-03-02T16:00")
    assert warn_at(policy=OFFICE_HOURS_8, calendar=with_lunch, ledger=ledger) == warning


def test_pauses_before_the_change_are_in_what_was_used_and_count_no_more() -> None:
    changed_at = at("2026-03-02T14:00")
    paused = replace(LEDGER, pauses=pauses([("2026-03-02T11:00", "2026-03-02T15:00")]))
    used = consumed(policy=OFFICE_HOURS_8, calendar=CN, ledger=paused, at=changed_at)
    assert used == HOUR
    rebased = replace(paused, rebased=Rebase(changed_at, used))
    assert due_at(policy=OFFICE_HOURS_8, calendar=CN, ledger=rebased) == due_at(
        policy=OFFICE_HOURS_8, calendar=CN, ledger=paused
    )
    assert is_paused(policy=OFFICE_HOURS_8, ledger=rebased, at=changed_at)


def test_a_budget_made_smaller_than_what_was_used_ends_when_the_hours_changed() -> None:
    changed_at = at("2026-03-02T14:00")
    ledger = replace(LEDGER, rebased=Rebase(changed_at, 4 * HOUR))
    policy = clock(3, Unit.HOURS, office_hours=True)
    assert due_at(policy=policy, calendar=CN, ledger=ledger) == changed_at
    assert verdict(policy=policy, calendar=CN, ledger=ledger, now=changed_at + SECOND) is Verdict.BREACHED
    assert remaining(policy=policy, calendar=CN, ledger=ledger, now=changed_at + HOUR) == -HOUR


@pytest.mark.parametrize("policy", [DAYS_5, CALENDAR_30, clock(1, Unit.MONTHS)])
def test_days_are_counted_from_the_ledger_again_whatever_hours_were_kept(policy: ClockPolicy) -> None:
    """A change of unit may leave a rebase behind; the receipt date is still the receipt date."""
    ledger = replace(LEDGER, rebased=Rebase(at("2026-03-04T14:00"), 16 * HOUR))
    for question in (due_at, due_on, warn_at):
        assert question(policy=policy, calendar=CN, ledger=ledger) == question(
            policy=policy, calendar=CN, ledger=LEDGER
        )


# --- several clocks, revised calendars --------------------------------------------------------------------------------


def test_each_clock_of_a_case_has_its_own_calendar_and_pauses_for_itself() -> None:
    office = clock(2, Unit.WORKING_DAYS)
    abroad = replace(office, id="t.abroad", calendar="UK-ENG")
    statutory = replace(CALENDAR_30, id="t.statutory", pausable=False, statutory=True)
    plan = CasePlan("t/1", CN, {p.id: p for p in (office, abroad, statutory)}, {"UK-ENG": UK})
    before, held = (
        ClockLedger(at("2026-04-30T10:00")),
        ClockLedger(at("2026-04-30T10:00"), pauses([("2026-04-30T11:00", None)])),
    )
    due = {
        id_: [due_at(policy=plan.clock(id_), calendar=plan.calendar_of(p), ledger=one) for one in (before, held)]
        for id_, p in plan.clocks.items()
    }
    assert due == {
        "t.working_days": [at("2026-05-07T17:30"), None],
        "t.abroad": [at("2026-05-05T17:30+01:00"), None],
        "t.statutory": [at("2026-05-31T00:00")] * 2,
    }


def test_an_announced_holiday_moves_working_days_and_hours_and_rolled_days_but_no_others() -> None:
    revised = replace(CN, off=CN.off | dates("2026-03-04", "2026-04-01"))

    def is_moved(policy: ClockPolicy) -> bool:
        before, after = (due_at(policy=policy, calendar=c, ledger=LEDGER) for c in (CN, revised))
        return before != after

    assert is_moved(DAYS_5)
    assert is_moved(clock(20, Unit.HOURS, office_hours=True))
    assert is_moved(replace(CALENDAR_30, roll=Roll.FOLLOWING))
    assert not is_moved(CALENDAR_30)
    assert not is_moved(clock(1, Unit.MONTHS))
    assert not is_moved(clock(48, Unit.HOURS))


# --- received long ago ------------------------------------------------------------------------------------------------


def test_a_case_received_before_it_was_registered_runs_from_receipt_and_may_be_breached_already() -> None:
    received, registered = at("2026-02-10T09:00"), at("2026-03-02T10:00")
    ledger = ClockLedger(received)
    due, warn = (f(policy=DAYS_5, calendar=CN, ledger=ledger) for f in (due_at, warn_at))
    assert due == at("2026-02-24T17:30")
    assert warn is not None
    assert warn < registered
    assert verdict(policy=DAYS_5, calendar=CN, ledger=ledger, now=registered) is Verdict.BREACHED


def test_what_an_old_case_is_overdue_is_known_in_calendar_time_and_in_working_time() -> None:
    now, ledger = at("2026-03-02T10:00"), ClockLedger(at("2026-02-10T09:00"))
    due = due_at(policy=DAYS_5, calendar=CN, ledger=ledger)
    assert due is not None
    assert remaining(policy=DAYS_5, calendar=CN, ledger=ledger, now=now) == due - now == -timedelta(days=5, hours=16.5)
    # Wednesday to Friday, a make-up Saturday, and an hour of Monday.
    assert working_time_between(CN, due, now) == 4 * 8.5 * HOUR + HOUR


def test_new_facts_give_the_full_period_again() -> None:
    first = clock(60, Unit.CALENDAR_DAYS)
    again = ClockLedger(at("2026-03-20T16:00"))
    assert due_on(policy=first, calendar=CN, ledger=LEDGER) == date(2026, 5, 1)
    assert due_on(policy=first, calendar=CN, ledger=again) == date(2026, 5, 19)
    assert days_left(policy=first, calendar=CN, ledger=again, now=again.started_at) == 60


# --- pauses -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "left"), [(DAYS_5, 3), (CALENDAR_30, 28), (replace(CALENDAR_30, roll=Roll.FOLLOWING), 28)]
)
def test_an_open_pause_shows_the_days_that_are_left_however_long_it_lasts(policy: ClockPolicy, left: int) -> None:
    ledger = ClockLedger(START, pauses([("2026-03-05T09:00", None)]))
    for now in ("2026-03-05T09:00", "2026-03-06T10:00", "2026-11-30T10:00"):
        assert days_left(policy=policy, calendar=CN, ledger=ledger, now=at(now)) == left
        assert remaining(policy=policy, calendar=CN, ledger=ledger, now=at(now)) is None
        assert verdict(policy=policy, calendar=CN, ledger=ledger, now=at(now)) is Verdict.PAUSED


@pytest.mark.parametrize(
    ("now", "working", "calendar_days"),
    [
        ("2026-03-01T10:00", 5, 30),
        ("2026-03-02T23:59", 5, 30),
        ("2026-03-03T17:29", 5, 30),
        ("2026-03-03T17:30", 4, 30),
        ("2026-03-04T00:00", 4, 29),
        ("2026-03-09T17:30", 0, 24),
    ],
)
def test_a_day_is_left_until_it_closes(now: str, working: int, calendar_days: int) -> None:
    left = [days_left(policy=p, calendar=CN, ledger=LEDGER, now=at(now)) for p in (DAYS_5, CALENDAR_30)]
    assert left == [working, calendar_days]


def test_the_days_that_were_left_when_it_stopped_stay() -> None:
    stopped = replace(LEDGER, stopped_at=at("2026-03-05T12:00"))
    assert days_left(policy=DAYS_5, calendar=CN, ledger=stopped, now=at("2026-12-01T12:00")) == 3
    assert remaining(policy=DAYS_5, calendar=CN, ledger=stopped, now=at("2026-12-01T12:00")) == timedelta(
        days=4, hours=5.5
    )


def test_a_pause_longer_than_the_calendar_leaves_no_answer() -> None:
    ledger = ClockLedger(START, (Pause("R-1", at("2026-03-03T09:00"), at("2027-02-01T09:00")),))
    for policy in (DAYS_5, OFFICE_HOURS_8):
        with pytest.raises(CalendarNotCovered):
            due_at(policy=policy, calendar=CN, ledger=ledger)
    assert due_on(policy=CALENDAR_30, calendar=CN, ledger=ledger) == date(2027, 3, 2)


def test_an_open_pause_within_another_that_outlasts_the_calendar_is_a_pause_and_not_an_unknown_date() -> None:
    spans = (("2026-12-01T09:00", "2027-02-01T09:00"), ("2026-12-10T09:00", None))
    ledger = ClockLedger(at("2026-11-30T10:00"), pauses(spans))
    for policy in (DAYS_5, CALENDAR_30, clock(40, Unit.HOURS, office_hours=True)):
        assert due_at(policy=policy, calendar=CN, ledger=ledger) is None


def test_only_named_reasons_pause_a_clock_that_names_them() -> None:
    any_reason, one, none = DAYS_5, replace(DAYS_5, pause_reasons=("evidence",)), replace(DAYS_5, pausable=False)
    assert [p.pauses_for("evidence") for p in (any_reason, one, none)] == [True, True, False]
    assert [p.pauses_for("invoice") for p in (any_reason, one, none)] == [True, False, False]


# --- stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [OFFICE_HOURS_8, DAYS_5, CALENDAR_30, replace(CALENDAR_30, roll=Roll.FOLLOWING), clock(2, Unit.MONTHS)],
    ids=lambda policy: f"{policy.unit}-{policy.roll}",
)
@pytest.mark.parametrize("spans", [(), (("2026-03-02T11:00", "2026-03-04T12:00"),)])
def test_exactly_at_due_is_met_and_one_second_later_breached_whenever_a_late_timer_looks(
    policy: ClockPolicy, spans: tuple[tuple[str, str], ...]
) -> None:
    ledger = ClockLedger(START, pauses(spans))
    due = due_at(policy=policy, calendar=CN, ledger=ledger)
    assert due is not None
    for late in (timedelta(0), SECOND, timedelta(days=100)):
        found = [
            verdict(policy=policy, calendar=CN, ledger=replace(ledger, stopped_at=stop), now=stop + late)
            for stop in (due, due + SECOND)
        ]
        assert found == [Verdict.MET, Verdict.BREACHED]


# --- beyond the calendar ----------------------------------------------------------------------------------------------

DECEMBER = ClockLedger(at("2026-12-29T10:00"))


def test_a_clock_that_runs_off_the_calendar_keeps_running_and_is_never_called_late() -> None:
    for now in ("2026-12-30T10:00", "2027-03-01T10:00"):
        assert verdict(policy=DAYS_5, calendar=CN, ledger=DECEMBER, now=at(now)) is Verdict.RUNNING
    held = replace(DECEMBER, pauses=(pause("2027-02-01T09:00", None),))
    assert verdict(policy=DAYS_5, calendar=CN, ledger=held, now=at("2027-02-02T09:00")) is Verdict.PAUSED


@pytest.mark.parametrize(
    ("stopped_at", "found"),
    [
        ("2026-12-30T10:00", Verdict.MET),
        ("2027-01-03T17:30", Verdict.MET),  # even if 1, 2 and 3 January were all worked
        ("2027-01-03T17:30:01", Verdict.UNDECIDED),
        ("2027-03-01T10:00", Verdict.UNDECIDED),
    ],
)
def test_a_stop_is_met_when_no_calendar_could_make_it_late_and_otherwise_undecided(
    stopped_at: str, found: Verdict
) -> None:
    stopped = replace(DECEMBER, stopped_at=at(stopped_at))
    assert verdict(policy=DAYS_5, calendar=CN, ledger=stopped, now=at("2027-04-01T10:00")) is found


def test_once_the_year_is_published_the_verdict_is_given() -> None:
    published = replace(CN, off=CN.off | dates("2027-01-01/03"), covered_until=date(2027, 12, 31))
    for stopped_at, found in [("2027-01-06T17:30", Verdict.MET), ("2027-01-06T17:30:01", Verdict.BREACHED)]:
        stopped = replace(DECEMBER, stopped_at=at(stopped_at))
        assert verdict(policy=DAYS_5, calendar=published, ledger=stopped, now=at("2027-04-01T10:00")) is found


def test_hours_and_rolled_days_beyond_the_calendar_are_judged_alike() -> None:
    hours = clock(30, Unit.HOURS, office_hours=True)  # 2.5 days, 7.5 + 8.5 + 8.5 h until the end of the year
    rolled = clock(5, Unit.CALENDAR_DAYS, roll=Roll.FOLLOWING)
    for policy, soonest in [(hours, "2027-01-01T14:30"), (rolled, "2027-01-04T00:00")]:
        for stopped_at, found in [(at(soonest), Verdict.MET), (at(soonest) + SECOND, Verdict.UNDECIDED)]:
            stopped = replace(DECEMBER, stopped_at=stopped_at)
            assert verdict(policy=policy, calendar=CN, ledger=stopped, now=stopped_at) is found


def test_a_case_from_before_the_calendar_is_judged_when_that_needs_no_calendar() -> None:
    old = ClockLedger(at("2023-12-20T10:00"))
    for stopped_at, found in [("2023-12-25T17:30", Verdict.MET), ("2024-01-10T10:00", Verdict.UNDECIDED)]:
        stopped = replace(old, stopped_at=at(stopped_at))
        assert verdict(policy=DAYS_5, calendar=CN, ledger=stopped, now=START) is found


def test_a_stop_in_a_pause_beyond_the_calendar_is_met() -> None:
    ledger = replace(DECEMBER, pauses=(pause("2027-01-02T09:00", None),), stopped_at=at("2027-02-01T09:00"))
    assert verdict(policy=DAYS_5, calendar=CN, ledger=ledger, now=at("2027-02-01T09:00")) is Verdict.MET


def test_what_is_left_of_hours_is_known_even_where_the_deadline_is_not() -> None:
    hours = clock(30, Unit.HOURS, office_hours=True)
    left = remaining(policy=hours, calendar=CN, ledger=DECEMBER, now=at("2026-12-30T09:00"))
    assert left == 22.5 * HOUR


# --- months and years -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        ("2025-08-31", 6, "2026-02-28"),
        ("2023-08-31", 6, "2024-02-29"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-03-31", 1, "2026-04-30"),
        ("2026-02-28", 1, "2026-03-28"),  # the corresponding day, not the month's last
        ("2026-11-30", 1, "2026-12-30"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-05-15", 24, "2028-05-15"),
    ],
)
def test_a_month_ends_on_the_corresponding_day_or_the_last_one(day: str, months: int, end: str) -> None:
    """Civil Code art. 202."""
    assert months_after(date.fromisoformat(day), months) == date.fromisoformat(end)
    ledger = ClockLedger(at(f"{day}T23:30"))
    policies = [clock(months, Unit.MONTHS), *([] if months % 12 else [clock(months // 12, Unit.YEARS)])]
    for policy in policies:
        assert due_on(policy=policy, calendar=CN, ledger=ledger) == date.fromisoformat(end)


def test_a_month_is_counted_from_the_date_on_the_offices_wall_and_a_pause_deducts_days() -> None:
    ledger = ClockLedger(datetime(2026, 8, 30, 16, 0, tzinfo=UTC), pauses([("2026-09-10T12:00", "2026-09-13T08:00")]))
    assert due_on(policy=clock(1, Unit.MONTHS), calendar=CN, ledger=ledger) == date(2026, 10, 3)


def test_a_month_may_roll_to_the_next_working_day() -> None:
    """Civil Code art. 203."""
    policy = clock(1, Unit.MONTHS, roll=Roll.FOLLOWING)
    assert due_on(policy=policy, calendar=CN, ledger=ClockLedger(at("2026-09-03T12:00"))) == date(2026, 10, 8)


# --- ladders ----------------------------------------------------------------------------------------------------------


def rung(percent: int, days_after: int = 0) -> Rung:
    return Rung(percent, (Escalation.NOTIFY_LEAD,), days_after)


@pytest.mark.parametrize(
    ("policy", "reached"),
    [
        (OFFICE_HOURS_8, {50: "2026-03-02T14:00", 75: "2026-03-02T16:00", 90: "2026-03-02T17:12"}),
        (clock(10, Unit.WORKING_DAYS), {50: "2026-03-09T17:30", 75: "2026-03-11T17:30", 9: None}),
        (replace(CALENDAR_30, roll=Roll.FOLLOWING), {50: "2026-03-18T00:00", 75: "2026-03-25T00:00", 3: None}),
        (clock(4, Unit.WEEKS), {50: "2026-03-17T00:00"}),
    ],
    ids=["hours", "working days", "rolled days", "weeks"],
)
def test_a_share_of_the_budget_is_reached_when_it_is_used_up_in_whole_days_and_without_roll(
    policy: ClockPolicy, reached: dict[int, str | None]
) -> None:
    for percent, when in reached.items():
        found = reached_at(policy=policy, calendar=CN, ledger=LEDGER, rung=rung(percent))
        assert found == (at(when) if when else None)


def test_the_last_rungs_are_the_deadline_and_whole_days_after_it() -> None:
    due = due_at(policy=DAYS_5, calendar=CN, ledger=LEDGER)
    assert due is not None
    assert reached_at(policy=DAYS_5, calendar=CN, ledger=LEDGER, rung=rung(100)) == due
    assert reached_at(policy=DAYS_5, calendar=CN, ledger=LEDGER, rung=rung(100, 3)) == due + timedelta(days=3)


def test_a_pause_keeps_the_rungs_that_are_not_reached_and_leaves_the_others() -> None:
    ledger = ClockLedger(START, pauses([("2026-03-02T15:00", None)]))
    reached = [reached_at(policy=OFFICE_HOURS_8, calendar=CN, ledger=ledger, rung=rung(p)) for p in (50, 75, 100)]
    assert reached == [at("2026-03-02T14:00"), None, None]
    assert reached_at(policy=OFFICE_HOURS_8, calendar=CN, ledger=ledger, rung=rung(100, 2)) is None


def test_a_promise_has_at_least_its_deadline_on_its_ladder() -> None:
    assert [r.id for r in DAYS_5.ladder] == ["75%", "due"]
    assert [r.id for r in replace(DAYS_5, warn_percent=0).ladder] == ["due"]
    own = (rung(50), rung(100), rung(100, 1))
    assert [r.id for r in replace(DAYS_5, rungs=own).ladder] == ["50%", "due", "+1d"]


@pytest.mark.parametrize(("percent", "days_after"), [(0, 0), (101, 0), (75, 1), (100, -1)])
def test_a_rung_outside_the_budget_is_refused(percent: int, days_after: int) -> None:
    with pytest.raises(Invalid):
        rung(percent, days_after)


# --- hours ------------------------------------------------------------------------------------------------------------


def test_hours_without_a_calendar_run_day_and_night_and_with_one_in_its_sessions() -> None:
    assert due_at(policy=clock(8, Unit.HOURS), calendar=CN, ledger=LEDGER) == at("2026-03-02T18:00")
    assert due_at(policy=OFFICE_HOURS_8, calendar=CN, ledger=LEDGER) == at("2026-03-03T09:30")


def test_what_was_used_up_stands_still_in_a_pause_and_outside_the_sessions() -> None:
    ledger = ClockLedger(START, pauses([("2026-03-02T12:00", "2026-03-02T14:00")]))
    used = [
        consumed(policy=OFFICE_HOURS_8, calendar=CN, ledger=ledger, at=at(f"2026-03-0{moment}"))
        for moment in ("1T10:00", "2T10:00", "2T12:00", "2T13:30", "2T15:00", "2T17:30", "2T23:00", "3T10:00")
    ]
    assert used == [hours * HOUR for hours in (0, 0, 2, 2, 3, 5.5, 5.5, 6.5)]


def test_hours_are_left_until_the_close_at_which_they_are_used_up_and_then_overdue() -> None:
    policy, ledger = clock(17, Unit.HOURS, office_hours=True), ClockLedger(at("2026-03-02T09:00"))
    moments = ("2026-03-03T16:30", "2026-03-03T17:30", "2026-03-03T18:30")
    left = [remaining(policy=policy, calendar=CN, ledger=ledger, now=at(moment)) for moment in moments]
    assert left == [HOUR, timedelta(0), -HOUR]


def test_working_time_is_added_to_the_close_and_not_to_the_next_opening() -> None:
    assert add_working_time(CN, at("2026-03-02T09:00"), 8.5 * HOUR) == at("2026-03-02T17:30")
    assert add_working_time(CN, at("2026-03-02T09:00"), 8.5 * HOUR + SECOND) == at("2026-03-03T09:00:01")
    night = replace(UK_ALWAYS, sessions=NIGHT)
    assert add_working_time(night, at("2026-10-24T20:00+01:00"), 5 * HOUR) == at("2026-10-25T02:00+00:00")


def test_no_working_time_ends_where_it_begins_even_when_the_office_is_closed() -> None:
    sunday = at("2026-03-01T12:00")
    assert add_working_time(CN, sunday, timedelta(0)) == sunday
    with pytest.raises(Invalid):
        add_working_time(CN, sunday, -SECOND)


def test_there_is_no_working_time_in_a_span_that_ends_before_it_begins() -> None:
    assert working_time_between(CN, at("2026-03-03T12:00"), at("2026-03-02T12:00")) == timedelta(0)
    assert working_time_between(plain_calendar("UTC"), at("2026-03-03T12:00"), at("2006-03-02T12:00")) == timedelta(0)


def test_an_old_case_is_overdue_in_elapsed_and_in_working_time() -> None:
    policy, ledger = clock(3, Unit.WORKING_DAYS), ClockLedger(START)
    due = due_at(policy=policy, calendar=CN, ledger=ledger)
    assert due == at("2026-03-05 17:30")
    late = overdue_by(policy=policy, calendar=CN, ledger=ledger, now=at("2026-03-09 10:00"))
    assert late == (timedelta(days=3, hours=16, minutes=30), timedelta(hours=9, minutes=30))
    assert overdue_by(policy=policy, calendar=CN, ledger=ledger, now=due) == (timedelta(0), timedelta(0))
