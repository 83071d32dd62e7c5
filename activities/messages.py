"""What a process hands to its activities and gets back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lian.db.events import from_json, to_json
from lian.domain.journal import Recorded

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event on the wire."""

    at: datetime
    actor: str
    type: str
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """All events of one step, numbered from `first_seq` without a gap, and the commands they answer."""

    case_id: UUID
    first_seq: int
    entries: list[Entry]
    commands: dict[str, int]
    """Command id to the number of the event that answered it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueLetter:
    """A letter to make, store and announce. `subject_id` is the request or decision it is about.

    `pauses` names the clocks that stand still from its delivery, `about` the promise it tells of.
    """

    case_id: UUID
    letter: str
    subject_id: UUID
    pauses: list[str]
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterIssued:
    """When the letter was handed to its channel, and which clocks stand still since then."""

    issued_at: datetime
    paused: list[str]


def to_entry(item: Recorded) -> Entry:
    """A typed event, ready for the wire."""
    return Entry(at=item.at, actor=item.actor, type=item.event.TYPE, body=to_json(item.event))


def from_entry(entry: Entry) -> Recorded:
    """The typed event again."""
    return Recorded(at=entry.at, actor=entry.actor, event=from_json(entry.type, entry.body))
