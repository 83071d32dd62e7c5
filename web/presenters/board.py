"""Operations: every number opens the exact list behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from lian.domain.case_kinds import KINDS
from lian.services.lateness import LateCount, Lateness, LatePromise, cause_label
from lian.services.overrides import Override
from lian.services.reading_clocks import unpublished_year
from lian.services.sla_board import Board, Promise
from web.i18n import mark
from web.presenters.cases import title_of
from web.presenters.clocks import Chip, chip_of, title_of_clock
from web.reader import Reader

STATE_WORDS = {
    "running": mark("On time"),
    "at_risk": mark("At risk"),
    "breached": mark("Overdue"),
    "paused": mark("Paused"),
}
STATE_TONES = {"running": "ok", "at_risk": "warn", "breached": "bad", "paused": "hold"}
FULL = 100


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, its words, and where it leads. `share` is percent of a bar's width, from 0 to 100."""

    words: str
    number: str
    address: str
    tone: str
    note: str = ""
    share: int = 0


@dataclass(frozen=True, slots=True)
class BoardRowView:
    """The promises of one clock."""

    kind: str
    label: str
    figures: tuple[Figure, ...]
    bar: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class StepRow:
    """Open cases in one step of a kind, and how many of them have a broken promise."""

    kind: str
    label: str
    cases: Figure
    late: Figure


@dataclass(frozen=True, slots=True)
class BoardView:
    """The whole board."""

    as_of: str
    as_of_iso: str
    totals: tuple[Figure, ...]
    due: tuple[Figure, ...]
    rows: tuple[BoardRowView, ...]
    steps: tuple[StepRow, ...]
    kept: str
    kept_note: str


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """One promise of a list."""

    number: str
    title: str
    promise: str
    stage: str
    due: str
    chip: Chip


@dataclass(frozen=True, slots=True)
class LateRow:
    """One broken promise: since when, how it stands now, and who is to say why, or has."""

    number: str
    title: str
    promise: str
    since: str
    chip: Chip
    cause: str
    responsible: str
    task: str
    """Where its cause is to be given; empty when it has one, or nobody was asked."""
    asked: str


@dataclass(frozen=True, slots=True)
class PairRow:
    """One cause that one person answers for."""

    cause: str
    person: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class LateView:
    """The overdue analysis: what has no cause, and the figures by cause, by person, and by both."""

    unexplained: Figure
    rows: tuple[LateRow, ...]
    causes: tuple[Figure, ...]
    people: tuple[Figure, ...]
    pairs: tuple[PairRow, ...]
    period: str


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """One decision that somebody let stand above the table of limits."""

    number: str
    who: str
    why: str
    amount: str
    when: str


def promises_address(**filters: str) -> str:
    """The list behind a number."""
    return "/operations/promises?" + urlencode({k: v for k, v in filters.items() if v})


def present_board(board: Board, reader: Reader) -> BoardView:
    """The board in words and figures."""
    ended = board.met + board.late
    return BoardView(
        as_of=reader.full_moment(board.as_of),
        as_of_iso=board.as_of.isoformat(timespec="seconds"),
        totals=_totals(board, reader),
        due=_due(board, reader),
        rows=tuple(_row(board, i, reader) for i in range(len(board.rows))),
        steps=_steps(board, reader),
        kept=f"{board.met / ended:.1%}" if ended else "–",
        kept_note=reader.count("of {n} promise that has ended", "of {n} promises that have ended", ended),
    )


def _totals(board: Board, reader: Reader) -> tuple[Figure, ...]:
    open_ = Figure(reader.say("Open cases"), reader.number(board.open_cases), "/desk/cases?status=open", "info")
    states = ("breached", "at_risk", "running", "paused")
    return (open_, *(_figure(state, board.total(state), reader) for state in states))


def _figure(state: str, n: int, reader: Reader, clock: str = "", share: int = 0) -> Figure:
    address = promises_address(state=state, clock=clock)
    return Figure(
        reader.say(STATE_WORDS[state]), reader.number(n), address, STATE_TONES[state] if n else "none", share=share
    )


def _due(board: Board, reader: Reader) -> tuple[Figure, ...]:
    most = max(board.due_within.values(), default=0) or 1
    return tuple(
        Figure(
            reader.say("in {n} hours", n=hours),
            reader.number(n),
            promises_address(within=str(hours)),
            "warn" if n else "none",
            share=round(n * FULL / most),
        )
        for hours, n in board.due_within.items()
    )


def _row(board: Board, i: int, reader: Reader) -> BoardRowView:
    row = board.rows[i]
    counts = {"breached": row.breached, "at_risk": row.at_risk, "running": row.running, "paused": row.paused}
    ends = [round(sum(list(counts.values())[: i + 1]) * FULL / (sum(counts.values()) or 1)) for i in range(len(counts))]
    shares = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    bar = [_figure(state, counts[state], reader, row.clock, share) for state, share in zip(counts, shares, strict=True)]
    return BoardRowView(
        kind=reader.label(KINDS[row.kind].label),
        label=reader.label(row.label),
        figures=tuple(_figure(state, n, reader, row.clock) for state, n in counts.items()),
        bar=tuple(figure for figure in bar if figure.share),
    )


def _steps(board: Board, reader: Reader) -> tuple[StepRow, ...]:
    most = max((n for *_, n, _ in board.by_step), default=0) or 1
    return tuple(
        StepRow(
            reader.label(KINDS[kind].label),
            reader.label(label),
            Figure(
                "",
                reader.number(n),
                f"/desk/cases?{urlencode({'kind': kind, 'status': 'open', 'stage': stage})}",
                "info",
                share=round(n * FULL / most),
            ),
            Figure(
                "",
                reader.number(late),
                f"/desk/cases?{urlencode({'kind': kind, 'status': 'open', 'stage': stage, 'late': '1'})}",
                "bad" if late else "none",
                share=round(late * FULL / most),
            ),
        )
        for kind, stage, label, n, late in board.by_step
    )


def present_promises(promises: Sequence[Promise], reader: Reader, now: datetime) -> tuple[PromiseRow, ...]:
    """The list, soonest first."""
    return tuple(
        PromiseRow(
            number=p.case.number,
            title=title_of(p.case, reader),
            promise=title_of_clock(p.clock, reader),
            stage=reader.label(KINDS[p.case.kind].stage(p.case.stage).label),
            due=_due_of(p, reader),
            chip=chip_of(p.clock, reader, now),
        )
        for p in promises
    )


def _due_of(promise: Promise, reader: Reader) -> str:
    if promise.clock.due_at:
        return reader.full_moment(promise.clock.due_at)
    year = unpublished_year(promise.case, promise.clock)
    return reader.say("{year} calendar not published", year=year) if year else "–"


def present_overrides(found: Sequence[Override], reader: Reader) -> tuple[OverrideRow, ...]:
    """The overrides, newest first."""
    return tuple(
        OverrideRow(
            number=one.number,
            who=one.who,
            why=reader.label(one.why),
            amount=reader.money(one.amount, one.currency),
            when=reader.full_moment(one.at),
        )
        for one in found
    )


# --- why promises were broken -----------------------------------------------------------------------------------------


def late_address(**filters: str) -> str:
    """The list behind a number of the overdue analysis."""
    return "/operations/late" + ("?" + urlencode(filters) if filters else "")


def present_late(found: Lateness, reader: Reader, now: datetime) -> LateView:
    """The analysis in words and figures (CLM-13)."""
    waiting = reader.say("Without a cause")
    tone = "bad" if found.unexplained else "none"
    return LateView(
        unexplained=Figure(waiting, reader.number(found.unexplained), late_address(), tone),
        rows=tuple(_late_row(promise, reader, now) for promise in found.promises),
        causes=_by_cause(found.counts, reader),
        people=_by_person(found.counts, reader),
        pairs=tuple(_pair(count, reader) for count in found.counts),
        period=reader.count("Broken in the last {n} day", "Broken in the last {n} days", found.days),
    )


def _late_row(late: LatePromise, reader: Reader, now: datetime) -> LateRow:
    clock = late.clock
    assert clock.breached_at is not None
    return LateRow(
        number=late.case.number,
        title=title_of(late.case, reader),
        promise=title_of_clock(clock, reader),
        since=reader.full_moment(clock.breached_at),
        chip=chip_of(clock, reader, now),
        cause=reader.label(cause_label(clock.late_cause)) if clock.late_cause else "",
        responsible=late.responsible,
        task=f"/desk/tasks/{late.task_id}" if late.task_id else "",
        asked=_asked(late, reader),
    )


def _asked(late: LatePromise, reader: Reader) -> str:
    if late.task_id is None:
        return reader.say("Nobody was asked")
    return late.holder or reader.say("Nobody has taken it on")


def _by_cause(counts: Sequence[LateCount], reader: Reader) -> tuple[Figure, ...]:
    labels = {count.cause: count.label for count in counts}
    return _summed(
        [(count.cause, count.promises) for count in counts], "cause", reader, lambda c: reader.label(labels[c])
    )


def _by_person(counts: Sequence[LateCount], reader: Reader) -> tuple[Figure, ...]:
    names = {count.responsible: count.name for count in counts}
    return _summed([(count.responsible, count.promises) for count in counts], "responsible", reader, names.__getitem__)


def _summed(
    counts: Sequence[tuple[str, int]], name: str, reader: Reader, words: Callable[[str], str]
) -> tuple[Figure, ...]:
    """One figure for each, the largest first, each leading to its list."""
    sums: dict[str, int] = {}
    for key, n in counts:
        sums[key] = sums.get(key, 0) + n
    most = max(sums.values(), default=0) or 1
    return tuple(
        Figure(
            words(key),
            reader.number(n),
            late_address(show="explained", **{name: key}),
            "bad",
            share=round(n * FULL / most),
        )
        for key, n in sorted(sums.items(), key=lambda item: -item[1])
    )


def _pair(count: LateCount, reader: Reader) -> PairRow:
    address = late_address(show="explained", cause=count.cause, responsible=count.responsible)
    return PairRow(reader.label(count.label), count.name, Figure("", reader.number(count.promises), address, "bad"))
