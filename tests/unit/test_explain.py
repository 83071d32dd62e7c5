"""How a clock was counted is told in full, and never differs from the deadline (CLM-12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lian.domain.calendars import CalendarNotCovered, WorkingCalendar, plain_calendar
from lian.domain.day_by_day import DayKind, Effect
from lian.domain.explain import MOST_LINES, Explanation, Line, explain
from lian.domain.labels import Label
from lian.domain.sla import (
    MICROSECOND,
    ClockLedger,
    ClockPolicy,
    Pause,
    Rebase,
    Roll,
    Unit,
    Verdict,
    consumed,
    days_left,
    due_at,
    due_on,
    verdict,
)
from lian.services.calendars import shipped

pytestmark = pytest.mark.req("CLM-12")

BEIJING, LONDON = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/London")
CN = shipped()["CN"]
SPLIT = replace(CN, sessions=(("09:00", "12:00"), ("13:00", "17:30")))
NIGHT = replace(plain_calendar("Europe/London"), sessions=(("00:00", "06:00"), ("22:00", "24:00")))
ENGLAND = replace(
    plain_calendar("Europe/London"), off=frozenset({date(2026, 4, 3), date(2026, 4, 6), date(2026, 12, 25)})
)
NONSTOP = WorkingCalendar("24x7", "Europe/London", frozenset(), frozenset(), frozenset(), (("00:00", "24:00"),))


def policy(amount: int, unit: Unit = Unit.WORKING_DAYS, **more: object) -> ClockPolicy:
    return ClockPolicy("t", Label("T", "T"), amount, unit, **({"pausable": True} | more))  # type: ignore[arg-type]


def at(text: str, zone: ZoneInfo = BEIJING) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def pause(begins: str, ends: str | None, name: str = "R-1") -> Pause:
    return Pause(name, at(begins), at(ends) if ends else None)


def told(found: Explanation) -> list[tuple[str, str, str]]:
    return [(line.when.en, line.kind_label.en, line.why.en) for line in found.lines]


# --- it agrees --------------------------------------------------------------------------------------------------------

MOMENTS = st.integers(0, 990_000).map(lambda minutes: datetime(2025, 2, 1, tzinfo=UTC) + timedelta(minutes=minutes))


@st.composite
def ledgers(draw: st.DrawFn) -> ClockLedger:
    start, pauses = draw(MOMENTS), []
    for i in range(draw(st.integers(0, 4))):
        begins = start + timedelta(minutes=draw(st.integers(-3000, 60_000)))
        is_open = draw(st.integers(0, 5)) == 0
        ends = None if is_open else begins + timedelta(minutes=draw(st.integers(0, 20_000)))
        pauses.append(Pause(f"R-{i % 3}", begins, ends))
    stopped = draw(st.none() | st.integers(0, 80_000))
    return ClockLedger(
        start,
        tuple(pauses),
        None if stopped is None else start + timedelta(minutes=stopped),
        draw(st.sampled_from([0, 0, 3])),
        draw(
            st.none() | st.builds(Rebase, st.just(start + timedelta(hours=5)), st.just(timedelta(hours=1, minutes=7)))
        ),
    )


POLICIES = st.builds(
    policy,
    st.integers(1, 70),
    st.sampled_from([u for u in Unit if u is not Unit.YEARS]),
    pausable=st.booleans(),
    roll=st.sampled_from(Roll),
    calendar=st.sampled_from(["", "X"]),
)
CALENDARS = st.sampled_from([CN, SPLIT, ENGLAND, NIGHT, NONSTOP])


@settings(max_examples=400, deadline=None)
@given(POLICIES, CALENDARS, ledgers(), MOMENTS)
def test_it_always_agrees_with_the_deadline_and_the_verdict(
    policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, now: datetime
) -> None:
    now = max(now, ledger.started_at)
    rolled_on = policy.roll is Roll.FOLLOWING and policy.unit is not Unit.WORKING_DAYS
    found = explain(policy=policy, calendar=calendar, ledger=ledger, now=now)
    assert found.verdict is verdict(policy=policy, calendar=calendar, ledger=ledger, now=now)
    try:
        due = due_at(policy=policy, calendar=calendar, ledger=ledger)
    except CalendarNotCovered:
        assert found.due_at is None
        assert "not published" in found.unknown.en
        assert found.lines[-1].effect is Effect.UNPUBLISHED or found.lines[-1].effect is Effect.PAUSED
        return
    assert found.due_at == due
    assert bool(found.unknown.en) is (due is None)
    if due is None:
        assert any(line.effect is Effect.PAUSED or line.requests for line in found.lines)
    elif policy.unit is Unit.HOURS:
        assert_hours_sum_up(found, policy, calendar, ledger, now)
    else:
        unrolled = replace(policy, roll=Roll.NONE)
        last_day = due_on(policy=unrolled, calendar=calendar, ledger=ledger)
        counted = [line for line in found.lines if line.effect is Effect.COUNTED]
        assert sum(line.days_counted for line in counted) == found.days == counted[-1].last_number
        assert (counted[-1].is_last, counted[-1].last) == (True, last_day)
        to = next(line.last for line in reversed(found.lines) if line.effect is not Effect.AFTER)
        assert to == due_on(policy=policy, calendar=calendar, ledger=ledger)
        assert rolled_on or to == last_day
        left = days_left(policy=policy, calendar=calendar, ledger=ledger, now=now)
        assert found.days_left == max(left, 0) == found.days - found.days_counted
    assert_well_told(found, ledger, calendar)


def assert_hours_sum_up(
    found: Explanation, policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, now: datetime
) -> None:
    budget = timedelta(hours=policy.amount + ledger.extended)
    kept = ledger.rebased.consumed if ledger.rebased else timedelta(0)
    assert sum((line.used for line in found.lines), timedelta(0)) == max(budget, kept)
    assert found.due_at
    worked = consumed(policy=policy, calendar=calendar, ledger=ledger, at=min(ledger.stopped_at or now, found.due_at))
    assert found.consumed == worked
    spans = [span for line in found.lines for span in line.counted]
    if spans:
        assert max(end for _, end in spans) <= found.due_at
    parts = [line for line in found.lines if line.counted]
    assert all(sum((b - a for a, b in line.counted), timedelta(0)) == line.used for line in parts)


def assert_well_told(found: Explanation, ledger: ClockLedger, calendar: WorkingCalendar) -> None:
    start = ledger.rebased.at if ledger.rebased and found.unit is Unit.HOURS else ledger.started_at
    assert found.lines[0].first == calendar.local_date(start)
    for before, after in zip(found.lines, found.lines[1:], strict=False):
        is_same_day = before.effect is Effect.CARRIED
        assert after.first == (before.last if is_same_day else before.last + timedelta(days=1))
    for line in found.lines:
        assert line.first <= line.last
        assert line.why.en
        assert line.why.zh
        assert not {"{", "}"} & set(line.why.en + line.why.zh)


def test_the_last_counted_day_ends_when_it_falls_due() -> None:
    found = explain(
        policy=policy(3), calendar=CN, ledger=ClockLedger(at("2026-09-18T18:00")), now=at("2026-09-19T09:00")
    )
    assert found.due_at == at("2026-09-22T17:30")
    assert found.due.en == "Tue 22 Sep 2026, 17:30"
    assert found.due.zh == "2026年9月22日（周二）17:30"


# --- what it says -----------------------------------------------------------------------------------------------------


def test_the_day_of_receipt_a_weekend_and_a_make_up_day_are_told() -> None:
    found = explain(
        policy=policy(3), calendar=CN, ledger=ClockLedger(at("2026-09-18T18:00")), now=at("2026-09-20T09:00")
    )
    assert told(found) == [
        (
            "Fri 18 Sep 2026",
            "Working day",
            "Received at 18:00. The day of receipt never counts (Civil Code art. 201).",
        ),
        ("Sat 19 Sep", "Weekend", "The office is closed."),
        ("Sun 20 Sep", "Make-up working day", "Worked in place of another day, so it counts: day 1 of 3."),
        ("Mon 21 Sep", "Working day", "Day 2 of 3."),
        ("Tue 22 Sep", "Working day", "Day 3 of 3. The last day: it ends when the office closes, at 17:30."),
    ]
    assert [line.is_here for line in found.lines] == [False, False, True, False, False]
    assert [line.is_ahead for line in found.lines] == [False, False, False, True, True]
    assert found.lines[2].why.zh == "调休上班，计入：第1天，共3天。"


def test_quiet_days_are_one_line_and_holidays_another() -> None:
    ledger = ClockLedger(at("2026-02-05T09:30"))
    found = explain(policy=policy(15), calendar=CN, ledger=ledger, now=at("2026-02-05T10:00"))
    assert [(line.when.en, line.sum.en) for line in found.lines if line.days_counted] == [
        ("Fri 6 Feb", "1 of 15"),
        ("Mon 9 – Fri 13 Feb", "6 of 15"),
        ("Sat 14 Feb", "7 of 15"),
        ("Tue 24 – Fri 27 Feb", "11 of 15"),
        ("Sat 28 Feb", "12 of 15"),
        ("Mon 2 – Tue 3 Mar", "14 of 15"),
        ("Wed 4 Mar", "15 of 15"),
    ]
    assert found.lines[3].why.en == "5 working days counted, day 2 to 6 of 15."
    (holiday,) = [line for line in found.lines if line.kind is DayKind.HOLIDAY]
    assert (holiday.when.en, holiday.why.zh) == ("Sun 15 – Mon 23 Feb", "法定节假日或公休日。")


def test_a_pause_says_which_request_since_when_and_until_when() -> None:
    ledger = ClockLedger(at("2026-03-02T10:00"), (pause("2026-03-05T16:00", "2026-03-12T09:00"),))
    names = {"R-1": Label("documents: Invoice", "补充材料：发票")}
    found = explain(policy=policy(8), calendar=CN, ledger=ledger, now=at("2026-03-13T10:00"), requests=names)
    (paused,) = [line for line in found.lines if line.effect is Effect.PAUSED]
    assert paused.requests == ("R-1",)
    assert (paused.first, paused.last) == (date(2026, 3, 5), date(2026, 3, 11))
    assert paused.why.en == (
        "From Thu 5 Mar, 16:00 to Thu 12 Mar, 09:00 it waited for documents: Invoice. 5 working days not counted."
    )
    assert paused.why.zh == "3月5日（周四）16:00至3月12日（周四）09:00等待补充材料：发票。5个工作日不计入。"
    assert "but ran when the day ended" in found.lines[3].why.en  # the day on which it ran on counts


def test_a_pause_within_one_day_takes_nothing_from_it() -> None:
    ledger = ClockLedger(at("2026-03-02T10:00"), (pause("2026-03-03T09:00", "2026-03-03T11:00"),))
    found = explain(policy=policy(2), calendar=CN, ledger=ledger, now=at("2026-03-03T12:00"))
    assert found.lines[1].days_counted == 1
    assert (
        found.lines[1].why.en == "Day 1 of 2. It waited for a request from 09:00 to 11:00, but ran when the day ended."
    )


def test_while_a_request_is_open_the_deadline_is_not_known_and_says_why() -> None:
    ledger = ClockLedger(at("2026-03-02T10:00"), (pause("2026-03-05T10:00", None),))
    found = explain(policy=policy(10), calendar=CN, ledger=ledger, now=at("2026-03-20T17:00"))
    assert (found.due_at, found.remaining, found.days_counted, found.days_left) == (None, None, 2, 8)
    assert found.verdict is Verdict.PAUSED
    assert found.unknown.en == "Not known while a request is open: it runs on when that ends."
    assert found.outcome.en == "It stands still, with 8 working days left."
    assert found.lines[-1].why.en == "Since Thu 5 Mar, 10:00 it waits for a request. 12 working days not counted."


def test_beyond_the_published_calendar_nothing_is_guessed() -> None:
    found = explain(
        policy=policy(5), calendar=CN, ledger=ClockLedger(at("2026-12-29T10:00")), now=at("2026-12-30T18:00")
    )
    assert found.unknown.en == "Not known: the calendar CN is not published for 2027."
    assert found.unknown.zh == "尚不可知：日历CN尚未公布2027年。"
    assert (found.lines[-1].when.en, found.lines[-1].effect) == ("Fri 1 Jan 2027", Effect.UNPUBLISHED)
    assert (found.days_counted, found.days_left) == (1, 4)


def test_a_last_day_off_moves_the_end_to_the_next_working_day() -> None:
    month = policy(30, Unit.CALENDAR_DAYS, roll=Roll.FOLLOWING)
    found = explain(policy=month, calendar=CN, ledger=ClockLedger(at("2026-01-20T09:30")), now=at("2026-01-20T10:00"))
    assert found.due.en == "Tue 24 Feb 2026, 24:00"
    assert [(line.when.en, line.effect, line.why.en) for line in found.lines[-3:]] == [
        (
            "Thu 19 Feb",
            Effect.COUNTED,
            "Day 30 of 30. The last day, but one off: the end moves to the next working day (Civil Code art. 203).",
        ),
        ("Fri 20 – Mon 23 Feb", Effect.ROLLED, "Off, too: the end moves on."),
        ("Tue 24 Feb", Effect.ROLLED, "The first working day after: it ends at 24:00."),
    ]


def test_of_hours_each_date_says_its_sessions_and_the_running_total() -> None:
    ledger = ClockLedger(at("2026-02-13T16:30"), (pause("2026-02-14T10:00", "2026-02-14T10:45"),))
    found = explain(
        policy=policy(8, Unit.HOURS, calendar="CN"), calendar=SPLIT, ledger=ledger, now=at("2026-02-14T10:30")
    )
    assert [(line.when.en, line.share.en, line.sum.en) for line in found.lines] == [
        ("Fri 13 Feb 2026", "1 h", "1 h of 8 h"),
        ("Sat 14 Feb", "6 h 45 min", "7 h 45 min of 8 h"),
        ("Sun 15 – Mon 23 Feb", "", ""),
        ("Tue 24 Feb", "15 min", "8 h of 8 h"),
    ]
    assert found.lines[0].why.en == "Received at 16:30: it runs from then. 16:30–17:30."
    assert found.lines[1].why.en == (
        "09:00–10:00 and 10:45–12:00 and 13:00–17:30. From 10:00 to 10:45 it waited for a request."
    )
    assert found.lines[3].why.zh == "09:00–09:15。至09:15用尽。"
    assert (found.used.en, found.left.en) == ("2 h", "6 h")


def test_seconds_never_make_the_minutes_look_wrong() -> None:
    start = at("2026-03-02T10:20:31") + 7 * MICROSECOND
    hours = policy(48, Unit.HOURS, pausable=False)
    found = explain(policy=hours, calendar=CN, ledger=ClockLedger(start), now=start)
    assert [line.share.en for line in found.lines] == ["13 h 39 min", "24 h", "10 h 21 min"]
    assert found.lines[-1].sum.en == "48 h of 48 h"
    assert found.calendar == "24x7"
    assert found.tz == "Asia/Shanghai"


def test_hours_used_before_the_hours_changed_are_kept() -> None:
    ledger = ClockLedger(at("2026-03-13T10:30"), rebased=Rebase(at("2026-03-16T10:00"), timedelta(hours=33)))
    found = explain(
        policy=policy(40, Unit.HOURS, calendar="CN"), calendar=SPLIT, ledger=ledger, now=at("2026-03-16T17:00")
    )
    assert (found.lines[0].effect, found.lines[0].share.en) == (Effect.CARRIED, "33 h")
    assert found.lines[1].sum.en == "39 h 30 min of 40 h"


def test_an_extension_is_told_and_counted() -> None:
    ledger = ClockLedger(at("2026-03-02T10:00"), extended=2)
    found = explain(policy=policy(3), calendar=CN, ledger=ledger, now=at("2026-03-02T10:00"))
    assert (found.budget.en, found.extended_by.zh, found.days) == ("5 working days", "2个工作日", 5)


@pytest.mark.parametrize(
    ("stopped", "outcome"),
    [
        ("2026-03-04T17:30:00", "Done Wed 4 Mar 2026, 17:30: on time."),
        ("2026-03-04T17:31:00", "Done Wed 4 Mar 2026, 17:31: 1 min late."),
        ("2026-03-06T18:30:00", "Done Fri 6 Mar 2026, 18:30: 2 days 1 h late."),
    ],
)
def test_at_exactly_due_is_on_time(stopped: str, outcome: str) -> None:
    ledger = ClockLedger(at("2026-03-02T10:00"), stopped_at=at(stopped))
    found = explain(policy=policy(2), calendar=CN, ledger=ledger, now=at("2026-03-30T10:00"))
    assert found.outcome.en == outcome
    assert "by the very instant it falls due" in found.rule.en


def test_what_came_after_the_deadline_is_one_line() -> None:
    ledger = ClockLedger(at("2026-03-02T10:00"))
    found = explain(policy=policy(2), calendar=CN, ledger=ledger, now=at("2026-03-10T17:30"))
    assert (found.lines[-1].when.en, found.lines[-1].why.en) == ("Thu 5 – Tue 10 Mar", "It fell due 6 days ago.")
    assert found.outcome.zh == "自2026年3月4日（周三）17:30起逾期。"


@pytest.mark.parametrize(
    ("long", "most"),
    [
        (policy(56, Unit.CALENDAR_DAYS), 4),
        (policy(10, Unit.YEARS), 4),
        (policy(240), MOST_LINES),
        (policy(900, Unit.HOURS, calendar="CN"), MOST_LINES),
    ],
)
def test_long_clocks_stay_readable(long: ClockPolicy, most: int) -> None:
    found = explain(policy=long, calendar=CN, ledger=ClockLedger(at("2025-12-01T10:00")), now=at("2025-12-01T10:00"))
    assert found.due_at
    assert len(found.lines) <= most
    if long.unit is Unit.YEARS:
        assert found.budget.en == "10 years: 3652 days (Civil Code art. 202)"
        assert [line.when.en for line in found.lines[-2:]] == ["Tue 2 Dec 2025 – Fri 30 Nov 2035", "Sat 1 Dec"]


def test_elsewhere_the_civil_code_is_not_the_reason() -> None:
    found = explain(
        policy=policy(3),
        calendar=ENGLAND,
        ledger=ClockLedger(at("2026-12-23T09:00", LONDON)),
        now=at("2026-12-23T20:00"),
    )
    words = " ".join(line.why.en for line in found.lines) + found.method.en
    assert "Civil Code" not in words
    assert lines_off(found) == ["Day off", "Weekend"]


def lines_off(found: Explanation) -> list[str]:
    closed: list[Line] = [line for line in found.lines if line.effect is Effect.CLOSED]
    return [line.kind_label.en for line in closed]
