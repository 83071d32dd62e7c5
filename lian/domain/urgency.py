"""The order of a queue as one number that an index can hold: smaller is sooner (TSK-2).

Lexicographic, from the most significant bits on: green channel before others; what a law promises, or somebody raised,
before our own targets; the earliest moment by which somebody must act; who may least be kept waiting; who has waited
longest. Rows that are equal in all of it follow their id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

_OPENED_BITS, _STANDING_BITS, _ACT_BY_BITS = 25, 2, 34
_STANDING_AT = _OPENED_BITS
_ACT_BY_AT = _STANDING_AT + _STANDING_BITS
_ORDINARY_AT = _ACT_BY_AT + _ACT_BY_BITS
_NOT_GREEN_AT = _ORDINARY_AT + 1
_NO_DEADLINE = (1 << _ACT_BY_BITS) - 1
_LATEST_OPENED = (1 << _OPENED_BITS) - 1
_FIRST_DAY = datetime(2010, 1, 1, tzinfo=UTC)
"""Minutes are counted from here; 25 bits of them reach beyond 2070."""


class Standing(IntEnum):
    """Who may least be kept waiting, at the same deadline (TSK-2: grade and vulnerability)."""

    VULNERABLE = 0
    MAJOR = 1
    COMPLEX = 2
    ORDINARY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """What the order of a task depends on. Instants in UTC; `comes_first`: a law promises it, or somebody raised it."""

    green: bool
    comes_first: bool
    act_by_at: datetime | None
    standing: Standing
    opened_at: datetime


def urgency_key(urgency: Urgency) -> int:
    """The stored key, of 63 bits; seconds of the deadline and minutes of the opening count."""
    return (
        (not urgency.green) << _NOT_GREEN_AT
        | (not urgency.comes_first) << _ORDINARY_AT
        | _seconds(urgency.act_by_at) << _ACT_BY_AT
        | urgency.standing << _STANDING_AT
        | _minutes(urgency.opened_at)
    )


def read_urgency(key: int) -> Urgency:
    """What a key says, for the explanation of an order (TSK-2)."""
    seconds = key >> _ACT_BY_AT & _NO_DEADLINE
    return Urgency(
        green=not key >> _NOT_GREEN_AT & 1,
        comes_first=not key >> _ORDINARY_AT & 1,
        act_by_at=None if seconds == _NO_DEADLINE else datetime.fromtimestamp(seconds, UTC),
        standing=Standing(key >> _STANDING_AT & (1 << _STANDING_BITS) - 1),
        opened_at=_FIRST_DAY + timedelta(minutes=key & _LATEST_OPENED),
    )


def _seconds(at: datetime | None) -> int:
    return _NO_DEADLINE if at is None else min(max(int(at.timestamp()), 0), _NO_DEADLINE - 1)


def _minutes(at: datetime) -> int:
    return min(max(int((at - _FIRST_DAY).total_seconds()) // 60, 0), _LATEST_OPENED)


def standing_of(*, minors: int, severity: str, complexity: str) -> Standing:
    """Who waits: children among the claimants first, then people with a major loss, then complex cases."""
    if minors:
        return Standing.VULNERABLE
    if severity == "major":
        return Standing.MAJOR
    return Standing.COMPLEX if complexity == "complex" else Standing.ORDINARY
