"""The board of promises, the lists behind its numbers (CLM-12), and the overdue analysis (CLM-13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from api.wire import Out, Page, Words
from lian.domain.status import ClockStatus
from lian.services.lateness import Lateness, LatePromise, cause_label
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


class LateCountOut(Out):
    """How many promises were broken by one cause that one person answers for."""

    cause: str
    label: Words
    responsible: str = Field(description="Actor id.")
    responsible_name: str
    promises: int


class LatePromiseOut(PromiseOut):
    """One broken promise; `task_id` is the open question for its cause."""

    breached_at: datetime
    stopped_at: datetime | None
    cause: str
    cause_label: Words | None
    responsible: str
    responsible_name: str
    task_id: UUID | None
    holder_name: str = Field(description="Who has that question; empty: nobody.")

    @classmethod
    def late(cls, late: LatePromise) -> LatePromiseOut:
        """The broken promise on the wire."""
        clock = late.clock
        assert clock.breached_at is not None
        return cls(
            **PromiseOut.of(Promise(late.case, clock, late.label)).model_dump(),
            breached_at=clock.breached_at,
            stopped_at=clock.stopped_at,
            cause=clock.late_cause,
            cause_label=Words.of(cause_label(clock.late_cause)) if clock.late_cause else None,
            responsible=clock.late_responsible,
            responsible_name=late.responsible,
            task_id=late.task_id,
            holder_name=late.holder,
        )


class LateOut(Page):
    """The overdue analysis (CLM-13): what nobody has explained yet, the causes of the period, and one list."""

    as_of: datetime
    days: int = Field(description="The period of `counts` and of the explained list.")
    unexplained: int = Field(description="Broken promises without a cause, however old.")
    explained: int
    counts: list[LateCountOut] = Field(description="By cause and who answers for it, the most frequent first.")
    items: list[LatePromiseOut]

    @classmethod
    def of(cls, found: Lateness, promises: Sequence[LatePromise], following: str | None) -> LateOut:
        """The analysis on the wire."""
        return cls(
            as_of=found.as_of,
            days=found.days,
            unexplained=found.unexplained,
            explained=found.explained,
            counts=[
                LateCountOut(
                    cause=count.cause,
                    label=Words.of(count.label),
                    responsible=count.responsible,
                    responsible_name=count.name,
                    promises=count.promises,
                )
                for count in found.counts
            ],
            items=[LatePromiseOut.late(each) for each in promises],
            next=following,
        )
