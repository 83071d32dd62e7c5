"""Operations that put open cases under another pack or calendar: only ever added to; journals name them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from lian.db.tables.columns import document, instant, text


class ReplanOperation(SQLModel, table=True):
    """One previewed order to put running cases under a calendar or pack version in force (CLM-12).

    `target` is what cases are given, kept so that every case gets the same however late it is reached. `cases` are the
    open ones that were told, `undecided` those with stopped clocks whose deadline the calendar now knows.
    """

    __tablename__ = "replan_operations"
    __table_args__ = (CheckConstraint("what IN ('calendar', 'pack')", name="replan_what"),)

    id: UUID = Field(primary_key=True)
    what: str = text()
    name: str = text()
    version: str = text()
    target: dict[str, Any] = document()
    why: str = text()
    by: str = text()
    at: datetime = instant(index=True)
    cases: int = 0
    undecided: int = 0
