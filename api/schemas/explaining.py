"""How a clock of a case was counted (CLM-12)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from pydantic import Field

from api.wire import Out, Words
from lian.domain.day_by_day import DayKind, Effect
from lian.domain.explain import Explanation, Line
from lian.domain.sla import Unit, Verdict
from lian.domain.status import ClockStatus
from lian.services.explaining import ExplainedClock


class StretchOut(Out):
    """A part of an office day that used up budget."""

    from_at: datetime
    to_at: datetime


class LineOut(Out):
    """One date, or consecutive ones of which there is nothing more to say; local to the clock's office."""

    first: date
    last: date
    kind: DayKind
    effect: Effect
    days_counted: int
    first_number: int = Field(description="Of the counted days, the first one's place in the budget; 0 for none.")
    last_number: int
    used_seconds: float = Field(description="What a clock in hours used up here.")
    total_seconds: float = Field(description="What it had used up by then.")
    counted: list[StretchOut] = Field(description="Of a single date and a clock in hours: the stretches that counted.")
    requests: list[str] = Field(description="The requests that paused it, by id.")
    is_last: bool = Field(description="Whether it is the last counted day.")
    is_here: bool = Field(description="Whether it holds the moment of the explanation.")
    is_ahead: bool = Field(description="Whether it lies after that moment.")
    when: Words
    kind_label: Words
    effect_label: Words
    why: Words

    @classmethod
    def of(cls, line: Line) -> LineOut:
        """The line on the wire."""
        return cls(
            first=line.first,
            last=line.last,
            kind=line.kind,
            effect=line.effect,
            days_counted=line.days_counted,
            first_number=line.first_number,
            last_number=line.last_number,
            used_seconds=line.used.total_seconds(),
            total_seconds=line.total.total_seconds(),
            counted=[StretchOut(from_at=begins, to_at=ends) for begins, ends in line.counted],
            requests=list(line.requests),
            is_last=line.is_last,
            is_here=line.is_here,
            is_ahead=line.is_ahead,
            when=Words.of(line.when),
            kind_label=Words.of(line.kind_label),
            effect_label=Words.of(line.effect_label),
            why=Words.of(line.why),
        )


class ExplanationOut(Out):
    """One clock of a case: what it came to, and every day on the way."""

    case_number: str
    clock: str
    label: Words
    status: ClockStatus
    unit: Unit
    budget: Words
    extended_by: Words
    days: int = Field(description="The budget as a number of days; 0 for hours.")
    days_counted: int
    days_left: int
    consumed_seconds: float
    remaining_seconds: float | None = Field(
        description="Hours: budget not used up. Days: time until due. Negative when overdue, null when not known."
    )
    overdue_seconds: float = Field(description="How long the promise was broken; 0 while it is not.")
    overdue_working_seconds: float = Field(description="The working time in that.")
    started_at: datetime
    moment: datetime = Field(description="When the clock was stopped, otherwise now.")
    due_at: datetime | None
    due_on: date | None = Field(description="The local date that holds the last permitted instant.")
    recorded_due_at: datetime | None
    is_as_recorded: bool = Field(description="False when the calendar was revised after the clock had stopped.")
    unknown: Words = Field(description="Why there is no `due_at`; empty when there is one.")
    verdict: Verdict
    outcome: Words
    method: Words
    rule: Words
    calendar: str
    calendar_version: str
    zone: str
    source: str
    url: str
    lines: list[LineOut]

    @classmethod
    def of(cls, told: ExplainedClock) -> ExplanationOut:
        """The explanation on the wire."""
        found = told.explanation
        return cls(
            case_number=told.number,
            clock=told.row.clock,
            label=Words.of(told.label),
            status=ClockStatus(told.row.status),
            **_amounts(found),
            recorded_due_at=told.row.due_at,
            is_as_recorded=told.is_as_recorded,
            unknown=Words.of(found.unknown),
            verdict=found.verdict,
            outcome=Words.of(found.outcome),
            method=Words.of(found.method),
            rule=Words.of(found.rule),
            calendar=found.calendar,
            calendar_version=found.calendar_version,
            zone=found.tz,
            source=found.source,
            url=found.url,
            lines=[LineOut.of(line) for line in found.lines],
        )


def _amounts(found: Explanation) -> dict[str, object]:
    return {
        "unit": found.unit,
        "budget": Words.of(found.budget),
        "extended_by": Words.of(found.extended_by),
        "days": found.days,
        "days_counted": found.days_counted,
        "days_left": found.days_left,
        "consumed_seconds": found.consumed.total_seconds(),
        "remaining_seconds": _seconds(found.remaining),
        "overdue_seconds": found.overdue.total_seconds(),
        "overdue_working_seconds": found.overdue_working.total_seconds(),
        "started_at": found.started_at,
        "moment": found.moment,
        "due_at": found.due_at,
        "due_on": found.due_on,
    }


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
