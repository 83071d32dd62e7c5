"""Column shapes used by every table: instants in UTC, money as exact decimals, JSON documents."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


def text(**kwargs: Any) -> Any:
    """Text without a length limit; `default=None` makes it nullable, `collation="C"` compares bytes."""
    nullable = kwargs.get("default", ...) is None
    index = kwargs.pop("index", False)
    unique = kwargs.pop("unique", False)
    kind = Text(kwargs.pop("collation")) if "collation" in kwargs else Text
    return Field(sa_column=Column(kind, nullable=nullable, index=index, unique=unique), **kwargs)


def instant(**kwargs: Any) -> Any:
    """A moment, stored with its zone (UTC)."""
    nullable = kwargs.get("default", ...) is None
    index = kwargs.pop("index", False)
    return Field(sa_column=Column(DateTime(timezone=True), nullable=nullable, index=index), **kwargs)


def money(**kwargs: Any) -> Any:
    """An amount in the case's currency, two decimals."""
    nullable = kwargs.get("default", ...) is None
    return Field(sa_column=Column(Numeric(14, 2), nullable=nullable), **kwargs)


def document(**kwargs: Any) -> Any:
    """A JSON document."""
    nullable = kwargs.get("default", ...) is None
    return Field(sa_column=Column(JSONB, nullable=nullable), **kwargs)


def big(**kwargs: Any) -> Any:
    """A 64-bit number."""
    return Field(sa_column=Column(BigInteger, nullable=False), **kwargs)


def octets(**kwargs: Any) -> Any:
    """Bytes."""
    return Field(sa_column=Column(LargeBinary, nullable=False), **kwargs)
