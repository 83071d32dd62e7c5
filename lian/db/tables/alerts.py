"""Who was alerted of which promise: rows of their own, because whom an alert reaches depends on the moment."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from lian.db.tables.columns import instant, text


class Alert(SQLModel, table=True):
    """One person's alert of one rung of one clock.

    `reached_at` is the legal instant, `seen_at` when the process saw it, `noted_at` when it came on record, `told_at`
    when it went into a notice. A clock that begins afresh may come to the same rung again, at another instant.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("case_id", "clock", "rung", "reached_at", "recipient", name="alert_once"),
        Index("alerts_untold", "recipient", "noted_at", postgresql_where=sql("told_at IS NULL")),
        Index("alerts_of_a_person", "recipient", "noted_at"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID
    clock: str = text()
    rung: str = text()
    recipient: str = text()
    """Actor id."""
    reached_at: datetime = instant()
    seen_at: datetime = instant()
    noted_at: datetime = instant()
    told_at: datetime | None = instant(default=None)
