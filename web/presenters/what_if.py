"""What a draft would do, in words and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lian.domain.case_kinds import KINDS
from lian.domain.standing import STANDING_LABELS, Standing
from lian.services.replanning import OperationSeen, Preview
from lian.services.what_if import DayLoad, Move, WhatIf
from web.i18n import mark
from web.reader import Reader

TONES = {
    Standing.BREACHED: "bad",
    Standing.AT_RISK: "warn",
    Standing.NOT_COVERED: "hold",
    Standing.PAUSED: "hold",
    Standing.RUNNING: "ok",
}
FULL = 100
WHAT = {"calendar": mark("Calendar"), "pack": mark("Policy pack")}


@dataclass(frozen=True, slots=True)
class StandingRow:
    """How many promises stand like this, as it is and as it would be, and how many would become so."""

    words: str
    before: str
    after: str
    becomes: str
    tone: str


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One promise that would stand otherwise, or fall due at another time."""

    number: str
    promise: str
    before: str
    before_tone: str
    after: str
    after_tone: str
    due: str
    new_due: str


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One date of the office; shares are percent of a bar's width."""

    day: str
    before: str
    after: str
    share_before: int
    share_after: int


@dataclass(frozen=True, slots=True)
class WhatIfView:
    """The whole comparison."""

    headline: str
    as_of: str
    looked_at: str
    standings: tuple[StandingRow, ...]
    moves: tuple[MoveRow, ...]
    more: str
    load: tuple[LoadRow, ...]


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One operation on open cases, and how far it has come."""

    what: str
    name: str
    version: str
    why: str
    when: str
    told: str
    is_done: bool


def present_what_if(found: WhatIf, reader: Reader) -> WhatIfView:
    """The comparison for a page."""
    most = max((max(day.before, day.after) for day in found.load), default=0) or 1
    unlisted = found.listed_of - len(found.moves)
    return WhatIfView(
        headline=_headline(found, reader),
        as_of=reader.full_moment(found.as_of),
        looked_at=reader.say(
            "{clocks} open promises of {cases} cases were counted again; {affected} cases would have another plan.",
            clocks=reader.number(found.clocks),
            cases=reader.number(found.cases),
            affected=reader.number(found.affected_cases),
        ),
        standings=tuple(_standing(found, one, reader) for one in TONES),
        moves=tuple(_move(move, reader) for move in found.moves),
        more=reader.count("{n} more is not listed.", "{n} more are not listed.", unlisted) if unlisted else "",
        load=tuple(_load(day, most, reader) for day in found.load if day.before or day.after),
    )


def _headline(found: WhatIf, reader: Reader) -> str:
    late, risky = found.becomes[Standing.BREACHED], found.becomes[Standing.AT_RISK]
    if late:
        return reader.count("{n} promise would be broken at once", "{n} promises would be broken at once", late)
    if risky:
        return reader.count("{n} promise would be at risk", "{n} promises would be at risk", risky)
    if nowhere := found.becomes[Standing.NOT_COVERED]:
        return reader.count("{n} promise would have no deadline", "{n} promises would have no deadline", nowhere)
    if found.moved:
        return reader.count(
            "{n} deadline would move, none is endangered", "{n} deadlines would move, none is endangered", found.moved
        )
    return reader.say("No deadline would move")


def _standing(found: WhatIf, one: Standing, reader: Reader) -> StandingRow:
    becomes = found.becomes[one]
    return StandingRow(
        words=reader.label(STANDING_LABELS[one]),
        before=reader.number(found.before[one]),
        after=reader.number(found.after[one]),
        becomes=f"+{reader.number(becomes)}" if becomes else "–",
        tone=TONES[one] if becomes else "none",
    )


def _move(move: Move, reader: Reader) -> MoveRow:
    kind = KINDS.get(move.kind)
    return MoveRow(
        number=move.number,
        promise=reader.label(move.label) if kind else move.clock,
        before=reader.label(STANDING_LABELS[move.before]),
        before_tone=TONES[move.before],
        after=reader.label(STANDING_LABELS[move.after]),
        after_tone=TONES[move.after],
        due=_due(move.due_before, reader),
        new_due=_due(move.due_after, reader),
    )


def _due(at: datetime | None, reader: Reader) -> str:
    return reader.full_moment(at) if at else "–"


def _load(day: DayLoad, most: int, reader: Reader) -> LoadRow:
    return LoadRow(
        day=reader.date(day.day),
        before=reader.number(day.before),
        after=reader.number(day.after),
        share_before=round(day.before * FULL / most),
        share_after=round(day.after * FULL / most),
    )


def present_undecided(preview: Preview, reader: Reader) -> str:
    """What else applying would settle; empty when nothing."""
    if not preview.undecided:
        return ""
    return reader.count(
        "{n} case has a stopped promise that only this calendar can judge: that is done as well.",
        "{n} cases have stopped promises that only this calendar can judge: that is done as well.",
        preview.undecided,
    )


def present_operations(found: list[OperationSeen], reader: Reader) -> tuple[OperationRow, ...]:
    """The operations, the newest first."""
    return tuple(_operation(one, reader) for one in found)


def _operation(seen: OperationSeen, reader: Reader) -> OperationRow:
    operation = seen.operation
    # A case may be both told and judged: the larger of the two is the least there is to do.
    total = max(operation.cases, operation.undecided, seen.told)
    return OperationRow(
        what=reader.say(WHAT[operation.what]),
        name=operation.name,
        version=operation.version,
        why=operation.why,
        when=reader.full_moment(operation.at),
        told=reader.say("{n} of {total} cases", n=reader.number(seen.told), total=reader.number(total)),
        is_done=seen.told >= total,
    )
