"""What administrators have changed of the calendars: one row for each revision of a year, only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from lian.db.tables.columns import document, instant, text


class CalendarRevision(SQLModel, table=True):
    """One revision of one year of a calendar. The shipped file is revision 0 and has no row."""

    __tablename__ = "calendar_years"
    __table_args__ = (CheckConstraint("revision > 0", name="calendar_revision_positive"),)

    name: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    body: dict[str, Any] = document()
    sha256: str = text()
    """Hash over `body`, so that a change past the program is noticed."""
    status: str = text()
    source: str = text()
    reason: str = text()
    by: str = text()
    at: datetime = instant()
