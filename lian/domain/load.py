"""How much work somebody has, how long work has waited, and when somebody seems to be stuck."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from lian.domain.calendars import ONE_DAY, WorkingCalendar
from lian.domain.labels import Label

STUCK_AFTER = 3
"""Working days. Whoever has overdue work and did nothing for so long may need help."""
DONE_WITHIN = timedelta(days=7)
DUE_WITHIN = (4, 24, 72)
"""Hours."""


class Ageing(StrEnum):
    """How much time is left for a task, from the first promise of its case; every task is in one of these."""

    OVERDUE = "overdue"
    HOURS_4 = "within_4_hours"
    HOURS_24 = "within_24_hours"
    DAYS_3 = "within_3_days"
    LATER = "later"
    NONE = "no_deadline"


AGEING: dict[Ageing, Label] = {
    Ageing.OVERDUE: Label("Overdue", "已超时"),
    Ageing.HOURS_4: Label("Within 4 hours", "4小时内"),
    Ageing.HOURS_24: Label("Within 24 hours", "24小时内"),
    Ageing.DAYS_3: Label("Within 3 days", "3天内"),
    Ageing.LATER: Label("Later", "3天以后"),
    Ageing.NONE: Label("No deadline", "无期限"),
}
LEFT = {Ageing.HOURS_4: timedelta(hours=4), Ageing.HOURS_24: timedelta(hours=24), Ageing.DAYS_3: timedelta(days=3)}
"""Up to how much time is left in a bucket that has a limit."""


def working_days_before(calendar: WorkingCalendar, day: date, n: int) -> date:
    """The date that lies so many working days before another. Dates that no calendar covers count as worked."""
    known = calendar.as_if_always_worked_beyond()
    while n:
        day -= ONE_DAY
        n -= known.is_working_day(day)
    return day


def share_of(in_hand: int, capacity: int) -> float:
    """How full somebody's hands are: 1.0 is as much as they can have."""
    return in_hand / capacity if capacity else 1.0
