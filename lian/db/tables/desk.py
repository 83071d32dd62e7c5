"""What the desk keeps beside the journal: bulk orders and their items, tables of routes, words cases are found by."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from lian.db.tables.columns import document, instant, text


class BulkOrder(SQLModel, table=True):
    """One verb for many tasks: what, why, by whom, and how far it has come (TSK-1). It begins as a preview."""

    __tablename__ = "bulk_orders"
    __table_args__ = (
        CheckConstraint(
            "status IN ('previewed', 'running', 'done', 'cancelled', 'undoing', 'undone')", name="bulk_status"
        ),
        Index("bulk_orders_once", "by", "key", unique=True, postgresql_where=sql("key <> ''")),
    )

    id: UUID = Field(primary_key=True)
    verb: str = text()
    given: dict[str, Any] = document(default_factory=dict)
    """What the verb needs, such as whom the tasks are given to."""
    why: str = text(default="")
    """The words that go with it, sealed; empty when there are none."""
    by: str = text(index=True)
    team: str = text(default="")
    """The team of whoever ordered it, as it was then."""
    at: datetime = instant(index=True)
    """When it was looked at first, and of an order when it was given."""
    key: str = text(default="")
    """The caller's key of the order: the same again is the same order."""
    total: int = 0
    status: str = text(default="previewed")
    stopped_by: str = text(default="")
    undone_by: str = text(default="")
    ended_at: datetime | None = instant(default=None)


class BulkItem(SQLModel, table=True):
    """One task of a bulk order, and what became of it."""

    __tablename__ = "bulk_items"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'same', 'done', 'refused', 'undone', 'kept')", name="bulk_state"),
        Index("bulk_items_state", "order_id", "state", "n"),
    )

    order_id: UUID = Field(primary_key=True)
    n: int = Field(primary_key=True)
    task_id: UUID
    state: str = text(default="waiting")
    words: str = text(default="")
    """Why it was refused, why it was kept when the rest was undone, or why it still waits."""
    before: dict[str, Any] = document(default_factory=dict)
    """What the verb changed, as it was: what undoing brings back."""
    seen: int = 0
    """The task's version as it was looked at; it is done only to that one."""
    version: int = 0
    """The task's version once the verb was done; it is undone only while it still has this one."""
    tries: int = 0
    """How often something was away when it was its turn."""


class RoutingTable(SQLModel, table=True):
    """A published version of the decision table that says where tasks belong (TSK-3); only ever added to."""

    __tablename__ = "routing_tables"

    version: str = Field(primary_key=True)
    body: dict[str, Any] = document()
    published_at: datetime = instant()
    published_by: str = text()
    why: str = text(default="")


class CaseWords(SQLModel, table=True):
    """What a case is found by beside its number: pieces of names, initials, marks of phone endings (ui.md).

    Made from the case's rows, and made anew with them. Phones are keyed hashes, never digits.
    """

    __tablename__ = "case_words"
    __table_args__ = (Index("case_words_found", "words", postgresql_using="gin"),)

    case_id: UUID = Field(primary_key=True)
    words: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
