"""The rules of sla/semantics.md, counted step by step: an independent witness for the arithmetic."""

from __future__ import annotations

import calendar as months
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lian.domain.calendars import CalendarNotCovered, WorkingCalendar
from lian.domain.sla import ClockLedger, ClockPolicy, Roll, Unit

STEP = timedelta(minutes=30)
"""The grid on which everything here begins and ends: zones, sessions, starts and pauses."""

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class StepByStep:
    """The rules of sla/semantics.md, written once more as one would with a calendar on the wall and a stopwatch."""

    policy: ClockPolicy
    office: WorkingCalendar
    ledger: ClockLedger

    def due(self) -> datetime | None:
        if self.policy.unit is Unit.HOURS:
            return self.after_hours(timedelta(hours=self.policy.amount))
        if self.policy.unit is Unit.WORKING_DAYS:
            return self.after_working_days(self.policy.amount)
        return self.after_days(self.length_in_days())

    def warning(self) -> datetime | None:
        """At three quarters; of days, whole ones, without roll."""
        if self.policy.unit is Unit.HOURS:
            return self.after_hours(timedelta(hours=self.policy.amount) * 3 / 4)
        days = self.policy.amount if self.policy.unit is Unit.WORKING_DAYS else self.length_in_days()
        enough = days * 3 // 4
        if not enough:
            return None
        unrolled = replace(self, policy=replace(self.policy, roll=Roll.NONE))
        is_working_days = self.policy.unit is Unit.WORKING_DAYS
        return unrolled.after_working_days(enough) if is_working_days else unrolled.after_days(enough)

    def after_hours(self, left: timedelta) -> datetime | None:
        now = self.ledger.started_at.astimezone(UTC)
        while left:
            day, shown = self.on_the_wall(now)
            is_working = self.is_working(day)
            if self.is_held_for_ever(now):
                return None
            if is_working and self.is_open(shown) and not self.is_held(now):
                left -= STEP
            now += STEP
        return now

    def after_working_days(self, left: int) -> datetime | None:
        day = self.receipt_date()
        while left:
            day += ONE_DAY
            if not self.is_working(day):
                continue
            close = self.instant_of(day, max(closes for _, closes in self.office.sessions))
            just_before = close - timedelta(microseconds=1)
            if self.is_held_for_ever(just_before):
                return None
            left -= not self.is_held(just_before)
        return close

    def after_days(self, left: int) -> datetime | None:
        day = self.receipt_date()
        while left:
            day += ONE_DAY
            just_before = self.instant_of(day, "24:00") - timedelta(microseconds=1)
            if self.is_held_for_ever(just_before):
                return None
            left -= not self.is_held(just_before)
        while self.policy.roll is Roll.FOLLOWING and not self.is_working(day):
            day += ONE_DAY
        return self.instant_of(day, "24:00")

    def length_in_days(self) -> int:
        amount, first = self.policy.amount, self.receipt_date()
        if self.policy.unit is Unit.CALENDAR_DAYS:
            return amount
        if self.policy.unit is Unit.WEEKS:
            return 7 * amount
        year, month = first.year, first.month
        for _ in range(amount * (12 if self.policy.unit is Unit.YEARS else 1)):
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        last = date(year, month, min(first.day, months.monthrange(year, month)[1]))
        return (last - first).days

    def receipt_date(self) -> date:
        return self.on_the_wall(self.ledger.started_at)[0]

    def on_the_wall(self, now: datetime) -> tuple[date, str]:
        local = now.astimezone(ZoneInfo(self.office.tz))
        return local.date(), f"{local:%H:%M}"

    def instant_of(self, day: date, shown: str) -> datetime:
        if shown == "24:00":
            return self.instant_of(day + ONE_DAY, "00:00")
        return datetime.combine(day, time.fromisoformat(shown), ZoneInfo(self.office.tz)).astimezone(UTC)

    def is_working(self, day: date) -> bool:
        if not (self.office.covered_from or date.min) <= day <= (self.office.covered_until or date.max):
            raise CalendarNotCovered("beyond")
        if day in self.office.work:
            return True
        return day not in self.office.off and day.weekday() not in self.office.weekend

    def is_open(self, shown: str) -> bool:
        return any(opens <= shown < closes for opens, closes in self.office.sessions)

    def is_held(self, now: datetime) -> bool:
        return any(p.to_at is not None and p.from_at <= now < p.to_at for p in self.ledger.pauses)

    def is_held_for_ever(self, now: datetime) -> bool:
        """Whether an open pause holds it, at once or after others without a gap between."""
        holding = [p for p in self.ledger.pauses if p.from_at <= now and (p.to_at is None or now < p.to_at)]
        ends = [p.to_at for p in holding if p.to_at is not None]
        return len(ends) < len(holding) or (bool(ends) and self.is_held_for_ever(max(ends)))
