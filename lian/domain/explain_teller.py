"""Who tells how one clock was counted: a sentence for each line, and those about the whole, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lian.domain.calendars import ONE_DAY
from lian.domain.day_by_day import Day, DayKind, Effect, Span
from lian.domain.explain_words import (
    A_REQUEST,
    IN_CHINA,
    NOTHING,
    amount,
    day_label,
    days,
    elapsed,
    joined,
    length,
)
from lian.domain.labels import Label
from lian.domain.sla import ClockLedger, ClockPolicy, Roll, Unit, Verdict, instant, moment_of
from lian.domain.timetable import FOREVER, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Who tells how one clock was counted. `names` are of requests, by id."""

    policy: ClockPolicy
    ledger: ClockLedger
    tz: str
    calendar_name: str
    budget: int
    names: Mapping[str, Label] = field(default_factory=dict)

    # --- the wall -----------------------------------------------------------------------------------------------------

    def wall(self, at: Instant) -> datetime:
        """What the office's clock and calendar show."""
        return moment_of(at).astimezone(ZoneInfo(self.tz))

    def hour(self, at: Instant, *, is_end: bool = False) -> str:
        """`17:30`; the end of a day is `24:00` rather than the next one's beginning."""
        shown = f"{self.wall(at):%H:%M}"
        return "24:00" if is_end and shown == "00:00" else shown

    def moment(self, at: Instant, *, is_end: bool = False) -> Label:
        """`Mon 2 Mar 2026, 17:30`."""
        clock, day = self.hour(at, is_end=is_end), self.wall(at).date()
        told = day_label(day - ONE_DAY if clock == "24:00" else day)
        return Label(f"{told.en}, {clock}", f"{told.zh}{clock}")

    def _between(self, span: Span, day: date) -> tuple[Label, Label]:
        """Both ends of a pause as a line about `day` names them; an open one has but one."""
        ends = [at for at in span if at != FOREVER]
        is_within = len(ends) == len(span) and all(self.wall(at).date() == day for at in ends)
        told = [self._at(at, None if is_within else day) for at in ends]
        return told[0], told[-1]

    def _at(self, at: Instant, day: date | None) -> Label:
        on, clock = self.wall(at).date(), self.hour(at)
        if day is None:
            return Label(clock, clock)
        told = day_label(on, year=on.year != day.year)
        return Label(f"{told.en}, {clock}", f"{told.zh}{clock}")

    def law(self, article: str) -> Label:
        """The reason for a way of counting, where the Civil Code is it."""
        if self.tz not in IN_CHINA:
            return NOTHING
        numerals = {"201": "二百零一", "202": "二百零二", "203": "二百零三"}
        return Label(f" (Civil Code art. {article})", f"（民法典第{numerals[article]}条）")

    # --- one line -----------------------------------------------------------------------------------------------------

    def why(self, found: Sequence[Day]) -> Label:
        """What these dates did to the clock, and why."""
        effect = Effect.COUNTED if any(d.effect is Effect.COUNTED for d in found) else found[0].effect
        tell: dict[Effect, Callable[[Sequence[Day]], Label]] = {
            Effect.RECEIVED: self._received,
            Effect.CARRIED: self._carried,
            Effect.COUNTED: self._hours if self.policy.unit is Unit.HOURS else self._counted,
            Effect.CLOSED: lambda found: self._closed(found[0]),
            Effect.PAUSED: self._paused,
            Effect.ROLLED: lambda found: self._rolled(found[0]),
            Effect.UNPUBLISHED: self._unpublished,
        }
        return tell[effect](found)

    def _received(self, _: Sequence[Day]) -> Label:
        at, law = self.hour(instant(self.ledger.started_at)), self.law("201")
        if self.policy.unit is Unit.HOURS:
            return Label(f"Received at {at}, after the office closed.", f"{at}收到，已过办公时间。")
        return Label(
            f"Received at {at}. The day of receipt never counts{law.en}.", f"{at}收到。收到当日不计入{law.zh}。"
        )

    def _carried(self, _: Sequence[Day]) -> Label:
        assert self.ledger.rebased
        at, used = self.moment(instant(self.ledger.rebased.at)), length(self.ledger.rebased.consumed)
        return Label(
            f"From {at.en} other hours apply. {used.en} were used up by then and stay so.",
            f"自{at.zh}起适用新的时间规则；此前已用{used.zh}，予以保留。",
        )

    def _counted(self, found: Sequence[Day]) -> Label:
        counted = [day for day in found if day.effect is Effect.COUNTED]
        n, first, last = len(counted), counted[0].number, counted[-1].number
        what = self._kind_counted(counted, n)
        place = Label(f"day {first} of {self.budget}.", f"第{first}天，共{self.budget}天。")
        if n > 1:
            place = Label(f"day {first} to {last} of {self.budget}.", f"第{first}至{last}天，共{self.budget}天。")
        off = len(found) - n
        said = [Label(what.en + place.en if what.en else place.en.capitalize(), what.zh + place.zh)]
        if off:
            said.append(Label(f"{days(off).en} off in between did not count.", f"期间{off}个休息日不计入。"))
        said += [self._ran_again(span, counted[0]) for span in counted[0].stood]
        return joined([*said, self._last_day(counted[-1]) if counted[-1].is_last else NOTHING])

    def _kind_counted(self, counted: Sequence[Day], n: int) -> Label:
        if n > 1:
            several = amount(n, Unit.WORKING_DAYS) if self.policy.unit is Unit.WORKING_DAYS else days(n)
            return Label(f"{several.en} counted, ", f"计入{several.zh}，")
        if counted[0].kind is DayKind.MAKE_UP:
            return Label("Worked in place of another day, so it counts: ", "调休上班，计入：")
        return NOTHING

    def _last_day(self, day: Day) -> Label:
        if self.policy.unit is Unit.WORKING_DAYS:
            at = self.hour(day.ends_at, is_end=True)
            return Label(f"The last day: it ends when the office closes, at {at}.", f"最后一天，至{at}下班时届满。")
        if self.policy.roll is Roll.NONE:
            return Label("The last day: it ends at 24:00.", "最后一天，至24:00届满。")
        if day.kind is DayKind.UNKNOWN or day.kind.is_open:
            return Label("The last day.", "最后一天。") if day.kind is DayKind.UNKNOWN else _ENDS_WORKING
        law = self.law("203")
        return Label(
            f"The last day, but one off: the end moves to the next working day{law.en}.",
            f"最后一天适逢休息日，顺延至其后第一个工作日{law.zh}。",
        )

    def _ran_again(self, span: Span, day: Day) -> Label:
        """A pause within one day takes nothing from it: what counts is whether the clock runs at its end."""
        begins, ends = self._between(span, day.on)
        if span[0] >= day.ends_at or span[1] == FOREVER:
            return Label(f"A pause began at {begins.en}, after it had counted.", f"暂停始于{begins.zh}，当日已计入。")
        name = self._named([span])
        return Label(
            f"It waited for {name.en} from {begins.en} to {ends.en}, but ran when the day ended.",
            f"{begins.zh}至{ends.zh}等待{name.zh}，但当日结束时已恢复计时。",
        )

    def _closed(self, day: Day) -> Label:
        if day.kind is DayKind.WEEKEND:
            return Label("The office is closed.", "不办公。")
        return Label("A public day off.", "法定节假日或公休日。")

    def _paused(self, found: Sequence[Day]) -> Label:
        spans = dict.fromkeys(span for day in found for span in day.stood)
        said = [self._stood(span, found[0].on) for span in spans]
        is_just_begun = len(found) == 1 and any(ends == FOREVER for _, ends in spans)
        lost = 0 if is_just_begun else sum(day.kind.is_open for day in found)
        if lost and self.policy.unit is Unit.WORKING_DAYS:
            n = amount(lost, self.policy.unit)
            said.append(Label(f"{n.en} not counted.", f"{n.zh}不计入。"))
        elif lost and self.policy.unit is not Unit.HOURS:
            said.append(Label(f"{days(lost).en} not counted.", f"{lost}天不计入。"))
        return joined(said)

    def _stood(self, span: Span, day: date) -> Label:
        (begins, ends), name = self._between(span, day), self._named([span])
        if span[1] == FOREVER:
            return Label(f"Since {begins.en} it waits for {name.en}.", f"自{begins.zh}起等待{name.zh}。")
        return Label(
            f"From {begins.en} to {ends.en} it waited for {name.en}.", f"{begins.zh}至{ends.zh}等待{name.zh}。"
        )

    def _named(self, spans: Iterable[Span]) -> Label:
        found = dict.fromkeys(self.names.get(request, A_REQUEST) for request in self.requests(spans))
        return Label(" and ".join(label.en for label in found), "、".join(label.zh for label in found))

    def requests(self, spans: Iterable[Span]) -> tuple[str, ...]:
        """The requests that were open in these pauses, by id."""
        given = [
            (p.request_id, instant(p.from_at), instant(p.to_at) if p.to_at else FOREVER) for p in self.ledger.pauses
        ]
        return tuple(dict.fromkeys(name for a, b in spans for name, begins, ends in given if begins < b and a < ends))

    def _rolled(self, day: Day) -> Label:
        if not day.kind.is_open:
            return Label("Off, too: the end moves on.", "仍为休息日，继续顺延。")
        return Label("The first working day after: it ends at 24:00.", "其后第一个工作日，至当日24:00届满。")

    def _unpublished(self, _: Sequence[Day]) -> Label:
        return Label(
            f"The calendar {self.calendar_name} is not published for this day. Whether it counts is not known yet, and"
            " nothing is guessed.",
            f"日历{self.calendar_name}尚未公布该日期，是否计入尚不可知，不作推测。",
        )

    def _hours(self, found: Sequence[Day]) -> Label:
        counted = [day for day in found if day.effect is Effect.COUNTED]
        if len(found) > 1:
            return self._many_dates(len(counted), len(found) - len(counted))
        day = found[0]
        spans = [f"{self.hour(a)}–{self.hour(b, is_end=True)}" for a, b in day.ran]
        said = [Label(" and ".join(spans) + ".", "、".join(spans) + "。")]
        start = instant(self.ledger.started_at)
        if self.ledger.rebased is None and self.wall(start).date() == day.on:
            at = self.hour(start)
            said.insert(0, Label(f"Received at {at}: it runs from then.", f"{at}收到，自此起算。"))
        said += [self._stood(span, day.on) for span in day.stood]
        if day.is_last:
            at = self.hour(day.ran[-1][1], is_end=True)
            said.append(Label(f"At {at} it is used up.", f"至{at}用尽。"))
        return joined(said)

    def _many_dates(self, n: int, off: int) -> Label:
        whole = Label(f"{n} whole days.", f"{n}个整日。")
        if self.policy.calendar:
            whole = Label(f"{n} working days, all opening hours.", f"{n}个工作日，全部办公时间。")
        between = Label(f"{days(off).en} off in between did not count.", f"期间{off}个休息日不计入。")
        return joined([whole, between if off else NOTHING])

    # --- the whole ----------------------------------------------------------------------------------------------------

    def method(self) -> Label:
        """How a clock of this kind is counted."""
        law = self.law("201")
        if self.policy.unit is Unit.HOURS:
            how = _OPEN_HOURS if self.policy.calendar else _ELAPSED_HOURS
        elif self.policy.unit is Unit.WORKING_DAYS:
            how = Label(
                f"Working days count, from the first after the day of receipt{law.en}."
                " The last one ends when the office closes.",
                f"自收到次日起的第一个工作日起按工作日计算{law.zh}，最后一天至下班时届满。",
            )
        else:
            how = Label(
                f"Every day counts, also weekends and holidays, from the day after receipt{law.en}."
                " The last one ends at 24:00.",
                f"自收到次日起逐日计算，周末和节假日也计入{law.zh}，最后一天至24:00届满。",
            )
        moves = self.policy.roll is Roll.FOLLOWING and self.policy.unit not in {Unit.HOURS, Unit.WORKING_DAYS}
        return joined([how, _MOVES if moves else NOTHING, _PAUSABLE if self.policy.pausable else _UNPAUSABLE])

    def outcome(self, verdict: Verdict, due: Instant | None, left: Label | None) -> Label:
        """How it stands, or stood when it was stopped."""
        stopped = self.ledger.stopped_at and instant(self.ledger.stopped_at)
        if stopped:
            at = self.moment(stopped)
            late = elapsed(timedelta(microseconds=stopped - due)) if due is not None else NOTHING
            return {
                Verdict.MET: Label(f"Done {at.en}: on time.", f"{at.zh}办结，按时。"),
                Verdict.BREACHED: Label(f"Done {at.en}: {late.en} late.", f"{at.zh}办结，逾期{late.zh}。"),
            }.get(verdict) or Label(
                f"Done {at.en}; whether in time only a calendar not yet published will tell.",
                f"{at.zh}办结；是否按时须待日历公布后方可确定。",
            )
        if verdict is Verdict.BREACHED:
            assert due is not None
            since = self.moment(due, is_end=True)
            return Label(f"Overdue since {since.en}.", f"自{since.zh}起逾期。")
        known = left or NOTHING
        if verdict is Verdict.PAUSED:
            return Label(f"It stands still, with {known.en} left.", f"暂停中，剩余{known.zh}。")
        return Label(f"It runs, with {known.en} left.", f"计时中，剩余{known.zh}。")

    def unknown(self, day: date | None) -> Label:
        """Why there is no deadline: of an open pause, or of a calendar that lacks a date."""
        if day is None:
            return Label(
                "Not known while a request is open: it runs on when that ends.", "请求未结，到期时间待恢复计时后确定。"
            )
        return Label(
            f"Not known: the calendar {self.calendar_name} is not published for {day.year}.",
            f"尚不可知：日历{self.calendar_name}尚未公布{day.year}年。",
        )


_ENDS_WORKING = Label("The last day, a working day: it ends at 24:00.", "最后一天为工作日，至24:00届满。")
_ELAPSED_HOURS = Label("Hours count day and night, from the moment of receipt.", "自收到时起昼夜连续按小时计算。")
_OPEN_HOURS = Label(
    "Only opening hours of the calendar count, from the moment of receipt.", "自收到时起仅计算日历中的办公时间。"
)
_MOVES = Label(
    "When that is a day off, the end moves to the next working day.", "届满日为休息日的，顺延至其后第一个工作日。"
)
_PAUSABLE = Label("It stands still while a request is open.", "请求未结期间暂停计时。")
_UNPAUSABLE = Label("Nothing pauses it.", "不因任何请求暂停。")
