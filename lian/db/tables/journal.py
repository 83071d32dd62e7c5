"""The journal, its chain heads, the keys of personal fields, receipts and the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from lian.db.tables.columns import big, document, instant, octets, text


class JournalEntry(SQLModel, table=True):
    """One event of one case. The application's role may insert and read, never change (SEC-3)."""

    __tablename__ = "journal"
    __table_args__ = (UniqueConstraint("case_id", "source", "source_seq", name="journal_source_seq"),)

    case_id: UUID = Field(primary_key=True)
    chain_seq: int = Field(primary_key=True)
    type: str = text()
    version: int
    at: datetime = instant()
    recorded_at: datetime = instant()
    actor: str = text()
    source: str = text()
    source_seq: int = big()
    body: dict[str, Any] = document()
    prev_hash: str = text()
    hash: str = text()


class ChainHead(SQLModel, table=True):
    """Where a case's chain ends; locked by whoever appends."""

    __tablename__ = "case_chain"

    case_id: UUID = Field(primary_key=True)
    chain_seq: int = big(default=0)
    hash: str = text(default="")
    process_seq: int = big(default=0)


class PersonKey(SQLModel, table=True):
    """One person's data key, wrapped by the key ring. Destroying the row erases the person from every journal body."""

    __tablename__ = "person_keys"

    person_id: UUID = Field(primary_key=True)
    key_id: str = text()
    wrapped: bytes = octets()


class CommandReceipt(SQLModel, table=True):
    """A command that took effect, and its result: a repeat returns this instead of acting twice."""

    __tablename__ = "command_receipts"

    command_id: str = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    result: dict[str, Any] = document()
    at: datetime = instant()


class OutboxMessage(SQLModel, table=True):
    """Something to tell the outside after the transaction: a process to start or to signal, a mail to send."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_due", "next_attempt_at", postgresql_where=sql("done_at IS NULL")),
        UniqueConstraint("key", name="outbox_key"),
    )

    id: UUID = Field(primary_key=True)
    topic: str = text()
    key: str = text()
    payload: dict[str, Any] = document()
    created_at: datetime = instant()
    next_attempt_at: datetime = instant()
    attempts: int = 0
    last_error: str = text(default="")
    done_at: datetime | None = instant(default=None)


class IdempotencyKey(SQLModel, table=True):
    """The stored answer to a keyed request: repeats get it again, a different body is refused."""

    __tablename__ = "idempotency_keys"

    scope: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: str = text()
    response: dict[str, Any] = document()
    created_at: datetime = instant()
