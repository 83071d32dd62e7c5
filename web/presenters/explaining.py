"""How a promise was counted, as a page shows it (CLM-12). Most words come with the explanation itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lian.domain.day_by_day import Effect
from lian.domain.explain import Line
from lian.services.explaining import ExplainedClock
from web.presenters.clocks import Chip, chip_of, title_of_clock
from web.reader import Reader

TONES = {
    Effect.COUNTED: "ok",
    Effect.ROLLED: "info",
    Effect.PAUSED: "warn",
    Effect.UNPUBLISHED: "warn",
    Effect.AFTER: "bad",
}


@dataclass(frozen=True, slots=True)
class LineView:
    """One date or several; `here` says so of the one that holds the moment of the explanation."""

    when: str
    kind: str
    tag: str
    tone: str
    why: str
    share: str
    sum: str
    here: str
    is_ahead: bool


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """The whole page. `differs` tells that the record holds another deadline; `url` leads to the rule."""

    number: str
    label: str
    chip: Chip
    outcome: str
    facts: tuple[tuple[str, str], ...]
    method: str
    rule: str
    source: str
    url: str
    differs: str
    zone: str
    lines: tuple[LineView, ...]


def present_explanation(told: ExplainedClock, reader: Reader, now: datetime) -> ExplanationView:
    """The explanation in the reader's words."""
    found, row = told.explanation, told.row
    is_over = row.status == "cancelled"
    done = reader.say("Done") if row.stopped_at else reader.say("Now")
    return ExplanationView(
        number=told.number,
        label=title_of_clock(row, reader),
        chip=chip_of(row, reader, now),
        outcome=reader.say("This promise no longer applies.") if is_over else reader.label(found.outcome),
        facts=tuple((reader.label(term), reader.label(value)) for term, value in found.facts),
        method=reader.label(found.method),
        rule=reader.label(found.rule),
        source=found.source,
        url=found.url if found.url.startswith(("https://", "http://")) else "",
        differs=_differs(told, reader),
        zone=found.tz,
        lines=tuple(_line(line, reader, done) for line in found.lines),
    )


def _differs(told: ExplainedClock, reader: Reader) -> str:
    if told.is_as_recorded:
        return ""
    if told.row.due_at is None:
        return reader.say("On record its deadline was not known; the calendar was revised since.")
    when = reader.full_moment(told.row.due_at)
    return reader.say("On record it was due {when}; the calendar was revised since.", when=when)


def _line(line: Line, reader: Reader, done: str) -> LineView:
    return LineView(
        when=reader.label(line.when),
        kind=reader.label(line.kind_label),
        tag=reader.label(line.effect_label),
        tone=TONES.get(line.effect, ""),
        why=reader.label(line.why),
        share=reader.label(line.share),
        sum=reader.label(line.sum),
        here=done if line.is_here else "",
        is_ahead=line.is_ahead,
    )
