"""The board of promises and the lists behind its numbers (CLM-12)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from api.wire import Out, Page, Words
from lian.domain.status import ClockStatus
from lian.services.sla_board import Board, Promise


class PromiseState(StrEnum):
    """How a promise stands at this moment."""

    RUNNING = "running"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    PAUSED = "paused"


class BoardRowOut(Out):
    """Running promises of one kind and clock."""

    kind: str
    clock: str
    label: Words
    running: int
    at_risk: int
    breached: int
    paused: int


class BoardStepOut(Out):
    """Open cases at one step, and how many of them have a broken promise."""

    kind: str
    stage: str
    label: Words
    open: int
    breached: int


class BoardOut(Out):
    """How the promises stand."""

    as_of: datetime
    open_cases: int
    running: int
    at_risk: int
    breached: int
    paused: int
    met: int
    late: int
    due_within_hours: dict[str, int] = Field(description="How many fall due within 4, 8 and 24 hours.")
    rows: list[BoardRowOut]
    steps: list[BoardStepOut]

    @classmethod
    def of(cls, board: Board) -> BoardOut:
        """The board on the wire."""
        return cls(
            as_of=board.as_of,
            open_cases=board.open_cases,
            **{state.value: board.total(state.value) for state in PromiseState},
            met=board.met,
            late=board.late,
            due_within_hours={str(hours): count for hours, count in board.due_within.items()},
            rows=[
                BoardRowOut(
                    kind=row.kind,
                    clock=row.clock,
                    label=Words.of(row.label),
                    running=row.running,
                    at_risk=row.at_risk,
                    breached=row.breached,
                    paused=row.paused,
                )
                for row in board.rows
            ],
            steps=[
                BoardStepOut(kind=kind, stage=stage, label=Words.of(label), open=count, breached=broken)
                for kind, stage, label, count, broken in board.by_step
            ],
        )


class PromiseOut(Out):
    """One promise of one case."""

    case_number: str
    kind: str
    stage: str
    clock: str
    label: Words
    status: ClockStatus
    started_at: datetime
    due_at: datetime | None
    warn_at: datetime | None

    @classmethod
    def of(cls, promise: Promise) -> PromiseOut:
        """The promise on the wire."""
        return cls(
            case_number=promise.case.number,
            kind=promise.case.kind,
            stage=promise.case.stage,
            clock=promise.clock.clock,
            label=Words.of(promise.label),
            status=ClockStatus(promise.clock.status),
            started_at=promise.clock.started_at,
            due_at=promise.clock.due_at,
            warn_at=promise.clock.warn_at,
        )


class PromisesOut(Page):
    """Promises, the soonest first."""

    items: list[PromiseOut]
