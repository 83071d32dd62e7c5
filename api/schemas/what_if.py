"""What if: every open promise under a draft policy or calendar (CLM-12)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from api.wire import In, Out, Words
from lian.domain.standing import Standing
from lian.services.what_if import Move, WhatIf


class WhatIfIn(In):
    """A draft of a pack, of a calendar's year, or both."""

    policy: Annotated[str, StringConstraints(max_length=200_000)] | None = Field(
        default=None, description="A pack as YAML; its clocks stand in for those of the same id."
    )
    calendar: dict[str, Any] | None = Field(
        default=None, description="A calendar's year; its whole calendar stands in for the one of the same name."
    )


class MoveOut(Out):
    """A promise that would stand otherwise, or fall due at another time. `due_*`: null while that is not known."""

    case_number: str
    kind: str
    clock: str
    label: Words
    before: Standing
    after: Standing
    due_before: datetime | None
    due_after: datetime | None

    @classmethod
    def of(cls, move: Move) -> MoveOut:
        """The promise on the wire."""
        return cls(
            case_number=move.number,
            kind=move.kind,
            clock=move.clock,
            label=Words.of(move.label),
            before=move.before,
            after=move.after,
            due_before=move.due_before,
            due_after=move.due_after,
        )


class DayLoadOut(Out):
    """How many promises fall due on one date of the office."""

    day: date
    before: int
    after: int


class WhatIfOut(Out):
    """Every open promise as it is and as it would be."""

    as_of: datetime
    clocks: int
    cases: int
    affected_cases: int = Field(description="Open cases whose plan would be another one, whether or not a date moves.")
    before: dict[Standing, int]
    after: dict[Standing, int]
    becomes: dict[Standing, int] = Field(description="How many would stand otherwise, by how they would stand.")
    moved: int
    sooner: int
    later: int
    unknown: int = Field(description="Promises that their case's plan does not know; left as they are.")
    moves: list[MoveOut] = Field(description="The worst first, of cases that you may see.")
    listed_of: int = Field(description="How many `moves` there are in all.")
    load: list[DayLoadOut] = Field(description="What falls due on each of the next 60 days.")

    @classmethod
    def of(cls, found: WhatIf) -> WhatIfOut:
        """The comparison on the wire."""
        return cls(
            as_of=found.as_of,
            clocks=found.clocks,
            cases=found.cases,
            affected_cases=found.affected_cases,
            before=dict(found.before),
            after=dict(found.after),
            becomes=dict(found.becomes),
            moved=found.moved,
            sooner=found.sooner,
            later=found.later,
            unknown=found.unknown,
            moves=[MoveOut.of(move) for move in found.moves],
            listed_of=found.listed_of,
            load=[DayLoadOut(day=one.day, before=one.before, after=one.after) for one in found.load],
        )
