"""Which days and hours counted for one clock, which did not, and why (CLM-12): for people who must answer for it.

A pure function of what a deadline is a function of, and always in agreement with it: the counted days are as many as
the budget and the last of them ends when the promise falls due (before the end is moved on); hours sum to the budget.
Words are in both languages; dates and times in them are those of the clock's office. Rules: sla/semantics.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from lian.domain.calendars import ONE_DAY, CalendarNotCovered, WorkingCalendar
from lian.domain.day_by_day import Count, Day, DayKind, Effect, walk
from lian.domain.explain_teller import Teller
from lian.domain.explain_words import (
    CALENDAR,
    COUNTED,
    DUE,
    EFFECTS,
    GRANTED,
    KINDS,
    LEFT,
    MINUTE,
    NOTHING,
    PROMISED,
    RULE,
    amount,
    days,
    days_label,
    elapsed,
    length,
    minutes_long,
)
from lian.domain.labels import Label
from lian.domain.sla import (
    MICROSECOND,
    ClockLedger,
    ClockPolicy,
    Roll,
    Unit,
    Verdict,
    days_of,
    due_at,
    folded,
    hours_of,
    instant,
    moment_of,
    overdue_by,
    verdict,
)
from lian.domain.timetable import FOREVER, Instant, Pauses

MOST_LINES = 40
"""A longer explanation is folded further: first weekends between working days, then all days off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One date, or consecutive ones of which there is nothing more to say. All of it in the office's zone.

    Days: `days_counted` of them, which are `first_number` to `last_number` of the budget. Hours: `used` of the budget
    here and `total` by then, and of a single date the stretches that counted. `requests` paused it. `is_here` holds
    the moment the explanation is for; a line `is_ahead` lies after it.
    """

    first: date
    last: date
    kind: DayKind
    effect: Effect
    days_counted: int = 0
    first_number: int = 0
    last_number: int = 0
    used: timedelta = timedelta(0)
    total: timedelta = timedelta(0)
    counted: tuple[tuple[datetime, datetime], ...] = ()
    requests: tuple[str, ...] = ()
    is_last: bool = False
    is_here: bool = False
    is_ahead: bool = False
    when: Label
    kind_label: Label
    effect_label: Label
    why: Label
    share: Label = NOTHING
    """What this line used up, in words."""
    sum: Label = NOTHING
    """How far the clock was after it, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How one clock was counted, up to `moment`: when it was stopped, otherwise now.

    `days` is the budget as a number of days, 0 for hours. `due_at` is None when `unknown` says why. `remaining` of a
    clock in hours is budget not used up, of one in days the time until due; None when that is not known.
    """

    unit: Unit
    budget: Label
    extended_by: Label
    days: int
    days_counted: int
    days_left: int
    consumed: timedelta
    remaining: timedelta | None
    overdue: timedelta
    overdue_working: timedelta
    used: Label
    left: Label
    started_at: datetime
    moment: datetime
    due_at: datetime | None
    due_on: date | None
    due: Label
    unknown: Label
    verdict: Verdict
    outcome: Label
    method: Label
    rule: Label
    calendar: str
    calendar_version: str
    tz: str
    source: str
    url: str
    lines: tuple[Line, ...]

    @property
    def facts(self) -> tuple[tuple[Label, Label], ...]:
        """What it came to, as terms and what they are."""
        # A version such as CN@3f9a1c04d2be says the name, too.
        name = self.calendar_version or self.calendar
        values = (
            (PROMISED, self.budget),
            (GRANTED, self.extended_by),
            (COUNTED, self.used),
            (LEFT, self.left),
            (DUE, self.due if self.due_at else self.unknown),
            (CALENDAR, Label(name, name)),
        )
        return tuple((term, value) for term, value in values if value != NOTHING)


def explain(
    *,
    policy: ClockPolicy,
    calendar: WorkingCalendar,
    ledger: ClockLedger,
    now: datetime,
    requests: Mapping[str, Label] | None = None,
) -> Explanation:
    """How a clock was counted. `requests` names those that paused it, by id. Raises as `due_at`, except that a date
    which is not published ends the lines rather than the explanation.
    """
    story = _Story.of(policy, calendar, ledger, now, requests or {})
    found = walk(story.count)
    return story.told(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    policy: ClockPolicy
    calendar: WorkingCalendar
    ledger: ClockLedger
    now: datetime
    count: Count
    used: int
    due: Instant | None
    missing: date | None
    teller: Teller

    @classmethod
    def of(
        cls,
        policy: ClockPolicy,
        calendar: WorkingCalendar,
        ledger: ClockLedger,
        now: datetime,
        requests: Mapping[str, Label],
    ) -> _Story:
        due, missing = _due(policy, calendar, ledger)
        start, pauses, budget, used = folded(policy, ledger)
        # Elapsed hours are counted without a table, but told by the dates of the office.
        hours = replace(hours_of(policy, calendar), tz=calendar.tz)
        whole = budget if policy.unit is Unit.HOURS else days_of(policy, calendar, start, budget)
        count = Count(
            unit=policy.unit,
            calendar=hours if policy.unit is Unit.HOURS else calendar,
            start=start,
            pauses=pauses,
            budget=whole,
            rolls=policy.roll is Roll.FOLLOWING and policy.unit is not Unit.WORKING_DAYS,
            carries=bool(used),
            due=due,
            horizon=_horizon(calendar, pauses, ledger.stopped_at or now),
        )
        teller = Teller(
            policy=policy, ledger=ledger, tz=calendar.tz, calendar_name=calendar.name, budget=whole, names=requests
        )
        return cls(
            policy=policy,
            calendar=calendar,
            ledger=ledger,
            now=now,
            count=count,
            used=used,
            due=due,
            missing=missing,
            teller=teller,
        )

    # --- the whole ----------------------------------------------------------------------------------------------------

    @property
    def moment(self) -> datetime:
        return self.ledger.stopped_at or self.now

    @property
    def is_hours(self) -> bool:
        return self.policy.unit is Unit.HOURS

    def told(self, found: Sequence[Day]) -> Explanation:
        at = instant(self.moment)
        counted = sum(day.effect is Effect.COUNTED and day.ends_at <= at for day in found)
        consumed = self.used + sum(min(b, at) - a for day in found for a, b in day.ran if a < at)
        due_at_ = None if self.due is None else moment_of(self.due)
        verdict_ = verdict(policy=self.policy, calendar=self.calendar, ledger=self.ledger, now=self.now)
        left = self._left(counted, consumed)
        whole = self.count.budget
        late = self._overdue()
        return Explanation(
            unit=self.policy.unit,
            budget=self._budget(),
            extended_by=amount(self.ledger.extended, self.policy.unit) if self.ledger.extended else NOTHING,
            days=0 if self.is_hours else whole,
            days_counted=0 if self.is_hours else counted,
            days_left=0 if self.is_hours else whole - counted,
            consumed=timedelta(microseconds=consumed if self.is_hours else 0),
            remaining=self._remaining(at, whole - consumed),
            overdue=late[0],
            overdue_working=late[1],
            used=length(timedelta(microseconds=consumed)) if self.is_hours else self._days(counted),
            left=left,
            started_at=self.ledger.started_at,
            moment=self.moment,
            due_at=due_at_,
            due_on=due_at_ and self.calendar.local_date(due_at_ - MICROSECOND),
            due=NOTHING if self.due is None else self.teller.moment(self.due, is_end=True),
            unknown=self.teller.unknown(self.missing) if self.due is None else NOTHING,
            verdict=verdict_,
            outcome=self.teller.outcome(verdict_, self.due, left),
            method=self.teller.method(),
            rule=RULE,
            calendar=self.count.calendar.name,
            calendar_version=self.count.calendar.version,
            tz=self.calendar.tz,
            source=self.policy.source,
            url=self.policy.url,
            lines=tuple(self._lines(found)),
        )

    def _overdue(self) -> tuple[timedelta, timedelta]:
        """Of a deadline that is known; beyond the published calendar working time cannot be told either."""
        try:
            return overdue_by(policy=self.policy, calendar=self.calendar, ledger=self.ledger, now=self.now)
        except CalendarNotCovered:
            return timedelta(0), timedelta(0)

    def _budget(self) -> Label:
        given = amount(self.policy.amount + self.ledger.extended, self.policy.unit)
        if self.policy.unit not in {Unit.WEEKS, Unit.MONTHS, Unit.YEARS}:
            return given
        here, law = days(self.count.budget), self.teller.law("202")
        if self.policy.unit is Unit.WEEKS:
            law = NOTHING
        return Label(f"{given.en}: {here.en}{law.en}", f"{given.zh}，合{here.zh}{law.zh}")

    def _left(self, counted: int, consumed: int) -> Label:
        if self.is_hours:
            return length(timedelta(microseconds=max(self.count.budget - consumed, 0)))
        return self._days(self.count.budget - counted)

    def _days(self, n: int) -> Label:
        return amount(n, Unit.WORKING_DAYS) if self.policy.unit is Unit.WORKING_DAYS else days(n)

    def _remaining(self, at: Instant, left: int) -> timedelta | None:
        if self.is_hours and left > 0:
            return timedelta(microseconds=left)
        return None if self.due is None else timedelta(microseconds=self.due - at)

    # --- the lines ----------------------------------------------------------------------------------------------------

    def _lines(self, found: Sequence[Day]) -> Iterator[Line]:
        here, total, year = self.calendar.local_date(self.moment), self.used, 0
        for group in self._folded(found):
            total += sum(b - a for day in group for a, b in day.ran)
            yield self._line(group, total, here, year=year != group[0].on.year)
            year = group[-1].on.year
        if self.due is not None and instant(self.moment) > self.due and here > found[-1].on:
            yield self._after(found[-1].on + ONE_DAY, here, year=year)

    def _folded(self, found: Sequence[Day]) -> list[list[Day]]:
        here = self.calendar.local_date(self.moment)
        for coarseness in range(3):
            places = [self._key(day, here, coarseness) for day in found]
            pairs = groupby(zip(places, found, strict=True), key=lambda pair: pair[0])
            groups = [[day for _, day in pair] for _, pair in pairs]
            if len(groups) <= MOST_LINES:
                break
        return groups

    def _key(self, day: Day, here: date, coarseness: int) -> tuple[object, ...]:
        """Neighbours with the same key become one line."""
        if day.effect is Effect.PAUSED:
            return (day.effect, day.stood)
        if day.effect is Effect.ROLLED:
            return (day.effect, day.kind.is_open)
        is_plain = day.effect in {Effect.COUNTED, Effect.CLOSED} and not day.is_last and not day.stood
        is_whole = not day.ran or (day.ran[0][0] > self.count.start and self.due != day.ran[-1][1])
        if not is_plain or not is_whole or day.on == here:
            return (day.on, day.effect)
        if coarseness == 2 or (coarseness == 1 and day.kind in {DayKind.WORKING, DayKind.WEEKEND}):
            return ("in between", day.on > here)
        used = sum(b - a for a, b in day.ran)
        return (day.effect, day.kind, used, day.on > here)

    def _line(self, group: Sequence[Day], total: int, here: date, *, year: bool) -> Line:
        counted = [day for day in group if day.effect is Effect.COUNTED]
        chief, first, last = (counted or group)[0], group[0].on, group[-1].on
        ran = [span for day in group for span in day.ran]
        used = sum(b - a for a, b in ran) + (self.used if chief.effect is Effect.CARRIED else 0)
        is_mixed = chief.effect is Effect.PAUSED and len({day.kind for day in group}) > 1
        share, sum_ = self._figures(counted, total - used, total) if counted or used else (NOTHING, NOTHING)
        return Line(
            first=first,
            last=last,
            kind=chief.kind,
            effect=chief.effect,
            days_counted=0 if self.is_hours else len(counted),
            first_number=chief.number,
            last_number=counted[-1].number if counted else 0,
            used=timedelta(microseconds=used),
            total=timedelta(microseconds=total if self.is_hours else 0),
            counted=tuple((moment_of(a), moment_of(b)) for a, b in ran) if len(group) == 1 else (),
            requests=self.teller.requests(span for day in group for span in day.stood),
            is_last=any(day.is_last for day in group),
            is_here=first <= here <= last,
            is_ahead=first > here,
            when=days_label(first, last, year=year),
            kind_label=NOTHING if chief.effect is Effect.CARRIED or is_mixed else KINDS[chief.kind],
            effect_label=EFFECTS[chief.effect],
            why=self.teller.why(group),
            share=share,
            sum=sum_,
        )

    def _figures(self, counted: Sequence[Day], before: int, after: int) -> tuple[Label, Label]:
        if self.is_hours:
            # Minutes of the running total are what adds up, whatever seconds a clock began with.
            share = minutes_long(after // MINUTE - before // MINUTE)
            so_far, whole = minutes_long(after // MINUTE), minutes_long(self.count.budget // MINUTE)
            return share, Label(f"{so_far.en} of {whole.en}", f"{so_far.zh} / {whole.zh}")
        number = counted[-1].number
        return days(len(counted)), Label(f"{number} of {self.count.budget}", f"{number} / {self.count.budget}")

    def _after(self, first: date, last: date, *, year: int) -> Line:
        assert self.due is not None
        late = elapsed(self.moment - moment_of(self.due))
        done = Label(f"Done {late.en} after it fell due.", f"到期后{late.zh}办结。")
        open_ = Label(f"It fell due {late.en} ago.", f"已到期{late.zh}。")
        return Line(
            first=first,
            last=last,
            kind=DayKind.ANY,
            effect=Effect.AFTER,
            is_here=True,
            when=days_label(first, last, year=year != first.year),
            kind_label=NOTHING,
            effect_label=EFFECTS[Effect.AFTER],
            why=done if self.ledger.stopped_at else open_,
        )


def _horizon(calendar: WorkingCalendar, pauses: Pauses, moment: datetime) -> date:
    """Where the lines end in a pause that has no end: now, but not before the pause is seen."""
    seen = [calendar.local_date(moment_of(begins)) + ONE_DAY for begins, ends in pauses if ends == FOREVER]
    return max([calendar.local_date(moment), *seen])


def _due(policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger) -> tuple[Instant | None, date | None]:
    """The deadline; without one, the date that the calendar lacks, or none when a pause is open."""
    try:
        due = due_at(policy=policy, calendar=calendar, ledger=ledger)
    except CalendarNotCovered as lacking:
        return None, date.fromisoformat(lacking.details["day"])
    return None if due is None else instant(due), None
