"""Policy packs that were published: only ever added to, because the promises of cases quote them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from lian.db.tables.columns import instant, text


class PackVersion(SQLModel, table=True):
    """One version of a policy pack. `body` is its YAML as it was published, `sha256` the hash of these bytes.

    Cases received on `effective_from`, a date, or later may be promised its figures.
    """

    __tablename__ = "pack_versions"
    __table_args__ = (CheckConstraint("version > 0", name="pack_version_positive"),)

    pack: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    effective_from: date
    body: str = text()
    sha256: str = text()
    reason: str = text()
    by: str = text()
    at: datetime = instant()
