"""What open pages are told of a case: that it has changed and how far that reaches, never what has changed (TSK-1).

A signal goes through the database to every web process and from there to browsers. It holds no personal data, no words
and no names: whoever hears it asks again, under their own permissions.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from lian.domain import journal as j

EVERYTHING = "everything"
"""The payload that says that anything may have changed."""
LONGEST_PAYLOAD = 7_900
"""Bytes: PostgreSQL refuses notifications of 8,000 and more."""


class Reach(StrEnum):
    """Whose pages a change alters."""

    CASE = "case"
    """The case's own page."""
    DESK = "desk"
    """Also lists of the queues and people that have the case's tasks now, and the board of promises."""
    MOVED = "moved"
    """Lists of anybody: work went from one queue or person to another."""


_UNLISTED = ("certificate", "document", "letter", "message", "payee", "policy", "reserve")
"""Subjects of events that no list of tasks shows."""
_IN_PLACE: tuple[type[j.Event], ...] = (
    *(j.TaskCancelled, j.TaskCommented, j.TaskCompleted, j.TaskHeld, j.TaskOpened),
    *(j.TaskPrioritised, j.TaskRelaxed, j.TaskWoken),
)
"""What happens to a task without its going from anybody to anybody."""
_OF_ONES_OWN = frozenset({"claim", "next"})
"""Ways to come by a task that take it from nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A case stands at `version` now; what changed since `since`, both positions in its journal, reaches this far."""

    case_id: UUID
    version: int
    since: int
    reach: Reach

    def merged(self, other: Change) -> Change:
        """Both changes of one case as one."""
        return Change(
            case_id=self.case_id,
            version=max(self.version, other.version),
            since=min(self.since, other.since),
            reach=max(self.reach, other.reach, key=tuple(Reach).index),
        )


def reach_of(events: Collection[j.Event]) -> Reach:
    """How far what one transaction put on record reaches."""
    opened = {event.task_id for event in events if isinstance(event, j.TaskOpened)}
    if any(_moves(event, opened) for event in events):
        return Reach.MOVED
    return Reach.CASE if all(event.TYPE.split(".")[0] in _UNLISTED for event in events) else Reach.DESK


def _moves(event: j.Event, opened: Collection[UUID]) -> bool:
    match event:
        case j.TaskRouted():
            return event.task_id not in opened
        case j.CaseBarred():
            return True
        case j.TaskClaimed():
            return event.how not in _OF_ONES_OWN and event.task_id not in opened
        case _:
            return event.TYPE.startswith("task.") and not isinstance(event, _IN_PLACE)


def by_case(changes: Iterable[Change]) -> dict[UUID, Change]:
    """One change for each case."""
    merged: dict[UUID, Change] = {}
    for change in changes:
        before = merged.get(change.case_id)
        merged[change.case_id] = before.merged(change) if before else change
    return merged


# --- on the wire ------------------------------------------------------------------------------------------------------


def packed(changes: Iterable[Change]) -> list[str]:
    """As few payloads as hold them all."""
    return [f"[{','.join(part)}]" for part in _parts([_one(change) for change in changes])]


def _one(change: Change) -> str:
    signal = {"kind": change.reach, "case": change.case_id.hex, "version": change.version, "since": change.since}
    return json.dumps(signal, separators=(",", ":"))


def _parts(signals: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for signal in signals:
        if size + len(signal) + 2 > LONGEST_PAYLOAD:
            yield part
            part, size = [], 0
        part.append(signal)
        size += len(signal) + 1
    if part:
        yield part


def unpacked(payload: str) -> list[Change]:
    """The changes of a payload. Raises `ValueError` for what is none."""
    try:
        return [
            Change(
                case_id=UUID(signal["case"]),
                version=int(signal["version"]),
                since=int(signal["since"]),
                reach=Reach(signal["kind"]),
            )
            for signal in json.loads(payload)
        ]
    except (AttributeError, KeyError, TypeError) as wrong:
        raise ValueError("this is no list of changes") from wrong
