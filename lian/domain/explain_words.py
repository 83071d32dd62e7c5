"""The words of an explanation: names of days, lengths and amounts, in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from lian.domain.day_by_day import DayKind, Effect
from lian.domain.labels import Label
from lian.domain.sla import Unit
from lian.domain.timetable import SECOND, Instant

WEEKDAYS_EN, WEEKDAYS_ZH = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "一二三四五六日"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MINUTE: Instant = 60 * SECOND
IN_CHINA = frozenset({"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "PRC"})
"""Where the Civil Code is the reason; elsewhere days are counted alike, for reasons of their own."""

UNITS = {
    Unit.HOURS: Label("hour", "小时"),
    Unit.WORKING_DAYS: Label("working day", "个工作日"),
    Unit.CALENDAR_DAYS: Label("calendar day", "个自然日"),
    Unit.WEEKS: Label("week", "周"),
    Unit.MONTHS: Label("month", "个月"),
    Unit.YEARS: Label("year", "年"),
}
KINDS = {
    DayKind.WORKING: Label("Working day", "工作日"),
    DayKind.MAKE_UP: Label("Make-up working day", "调休上班日"),
    DayKind.WEEKEND: Label("Weekend", "周末"),
    DayKind.HOLIDAY: Label("Day off", "节假日"),
    DayKind.ANY: Label("Calendar day", "自然日"),
    DayKind.UNKNOWN: Label("Not published", "尚未公布"),
}
EFFECTS = {
    Effect.RECEIVED: Label("Received", "收到日"),
    Effect.CARRIED: Label("Used before", "此前已用"),
    Effect.COUNTED: Label("Counted", "计入"),
    Effect.CLOSED: Label("Not counted", "不计入"),
    Effect.PAUSED: Label("Paused", "暂停"),
    Effect.ROLLED: Label("Moved on", "顺延"),
    Effect.UNPUBLISHED: Label("Not known yet", "尚不可知"),
    Effect.AFTER: Label("Too late", "已逾期"),
}
PROMISED, GRANTED = Label("Promised", "承诺时限"), Label("Of which granted later", "其中延长")
COUNTED, LEFT = Label("Counted so far", "已计入"), Label("Left", "剩余")
DUE, CALENDAR = Label("Due", "到期"), Label("Calendar", "日历")
A_REQUEST = Label("a request", "一项请求")
RULE = Label(
    "On time is whatever is done by the very instant it falls due; anything later is late.",
    "恰在到期时刻办理仍属按时，晚于该时刻即为逾期。",
)
NOTHING = Label("", "")


def joined(labels: Iterable[Label]) -> Label:
    """Sentences after one another."""
    given = [label for label in labels if label != NOTHING]
    return Label(" ".join(label.en for label in given), "".join(label.zh for label in given))


def amount(n: int, unit: Unit) -> Label:
    """`15 working days`."""
    return Label(f"{n} {UNITS[unit].en}{'' if n == 1 else 's'}", f"{n}{UNITS[unit].zh}")


def days(n: int) -> Label:
    """`5 days`."""
    return Label(f"{n} day{'' if n == 1 else 's'}", f"{n}天")


def length(time: timedelta) -> Label:
    """`1 h 30 min`; parts of a minute are left out."""
    return minutes_long(int(abs(time) / timedelta(minutes=1)))


def elapsed(time: timedelta) -> Label:
    """`2 days 3 h`: time on the wall, not of an office."""
    whole, rest = divmod(abs(time), timedelta(days=1))
    if not whole:
        return length(rest)
    more, hours = days(whole), rest // timedelta(hours=1)
    return Label(f"{more.en} {hours} h", f"{more.zh}{hours}小时") if hours else more


def minutes_long(minutes: int) -> Label:
    """`1 h 30 min`."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return Label(f"{rest} min", f"{rest}分钟")
    return Label(
        f"{hours} h {rest} min" if rest else f"{hours} h", f"{hours}小时{rest}分钟" if rest else f"{hours}小时"
    )


def day_label(day: date, *, year: bool = True) -> Label:
    """`Mon 2 Mar 2026`."""
    named = f"{day.month}月{day.day}日（周{WEEKDAYS_ZH[day.weekday()]}）"
    spoken = f"{WEEKDAYS_EN[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
    return Label(f"{spoken} {day.year}" if year else spoken, f"{day.year}年{named}" if year else named)


def days_label(first: date, last: date, *, year: bool) -> Label:
    """`Mon 2 – Fri 6 Mar 2026`."""
    if first == last:
        return day_label(first, year=year)
    if first.year != last.year:
        begins, ends = day_label(first), day_label(last)
        return Label(f"{begins.en} – {ends.en}", f"{begins.zh}至{ends.zh}")
    begins_en = day_label(first, year=False).en
    if first.month == last.month:
        begins_en = f"{WEEKDAYS_EN[first.weekday()]} {first.day}"
    begins_zh, ends_zh = day_label(first, year=year).zh, day_label(last, year=False).zh
    return Label(f"{begins_en} – {day_label(last, year=year).en}", f"{begins_zh}至{ends_zh}")
