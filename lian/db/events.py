"""Events to JSON and back; personal fields to ciphertext and back."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from lian.db.crypto import PersonSeals
from lian.db.tables import JournalEntry
from lian.domain.journal import EVENTS, Event, Json, personal_fields

GENESIS = "0" * 64


ADAPTERS: dict[str, TypeAdapter[Any]] = {type_: TypeAdapter(cls) for type_, cls in EVENTS.items()}
"""The codec of each event, by its type."""


def to_json(value: Event) -> Json:
    """The event's fields as JSON values, amounts as strings, instants in ISO 8601."""
    dumped: Json = ADAPTERS[value.TYPE].dump_python(value, mode="json")
    return dumped


def from_json(type_: str, body: Json) -> Event:
    """The typed event again."""
    event: Event = ADAPTERS[type_].validate_python(body, strict=False)
    return event


def owner_of(body: Json, subject: UUID) -> UUID:
    """Whose key seals this event's personal fields."""
    return UUID(str(body["person_id"])) if body.get("person_id") else subject


def seal(type_: str, body: Json, seals: PersonSeals, subject: UUID) -> Json:
    """The body as it is stored."""
    person = owner_of(body, subject)
    return body | {name: seals.seal(person, body[name]) for name in personal_fields(EVENTS[type_])}


def unseal(type_: str, body: Json, seals: PersonSeals, subject: UUID) -> Json:
    """The body as it was given, with erased people's fields empty."""
    person = owner_of(body, subject)
    return body | {name: seals.unseal(person, body[name]) for name in personal_fields(EVENTS[type_])}


def utc(moment: datetime) -> str:
    """One spelling for an instant, so that hashes never depend on a server's zone."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def entry_hash(entry: JournalEntry) -> str:
    """SHA-256 over everything that must not change, chained to the entry before (SEC-3)."""
    return hashlib.sha256(entry_content(entry).encode()).hexdigest()


def entry_content(entry: JournalEntry) -> str:
    """The exact text an entry's hash is made from."""
    canonical = {
        "case_id": str(entry.case_id),
        "chain_seq": entry.chain_seq,
        "type": entry.type,
        "version": entry.version,
        "at": utc(entry.at),
        "recorded_at": utc(entry.recorded_at),
        "actor": entry.actor,
        "source": entry.source,
        "source_seq": entry.source_seq,
        "body": entry.body,
        "prev_hash": entry.prev_hash,
    }
    return json.dumps(canonical, sort_keys=True, separators=(",", ":"))
