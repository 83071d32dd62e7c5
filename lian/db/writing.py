"""Writing one step of a case in a single statement: its journal entries, and the rows that they changed.

The chain is locked meanwhile, so that every way to the database that is saved is time in which nobody else has to wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import JSON, ColumnElement, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstanceState
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import SQLModel

from lian.db.tables import JournalEntry

MOST_ENTRIES = 4
"""Steps with more entries are rare, and the session writes many rows of a table together."""


async def write(session: AsyncSession, entries: Sequence[JournalEntry]) -> None:
    """Write these entries, and whatever else was changed in the session, before anything else is asked of it."""
    if session.new or session.deleted or len(entries) > MOST_ENTRIES:
        session.add_all(entries)
        await session.flush()
        return
    statement = _Statement()
    for entry in entries:
        statement.insert(entry)
    changed = [(state, names) for state in map(inspect, session.dirty) if (names := _changed(state))]
    for state, names in changed:
        statement.update(state, names)
    await statement.run(session)
    for state, names in changed:
        for name in names:
            set_committed_value(state.object, name, state.dict[name])


def _changed(state: InstanceState[Any]) -> list[str]:
    """The columns of a row that have another value than in the database, in a stable order."""
    return sorted(name for name, before in state.committed_state.items() if state.dict[name] != before)


@dataclass(slots=True)
class _Statement:
    """Rows to add and to change, as parts of one statement; names in it are our tables', values go beside it."""

    parts: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def insert(self, row: SQLModel) -> None:
        """Add a row."""
        columns = row.__table__.columns  # type: ignore[attr-defined]
        values = ", ".join(self._value(column, getattr(row, column.key)) for column in columns)
        names = ", ".join(column.name for column in columns)
        self.parts.append(f"INSERT INTO {row.__tablename__} ({names}) VALUES ({values}) RETURNING 1")  # noqa: S608

    def update(self, state: InstanceState[Any], names: Iterable[str]) -> None:
        """Change these columns of a row that is in the database."""
        columns, mapper = state.mapper.columns, state.mapper
        changes = ", ".join(f"{columns[name].name} = {self._value(columns[name], state.dict[name])}" for name in names)
        key = zip(mapper.local_table.primary_key, state.identity or (), strict=True)
        same = " AND ".join(f"{column.name} = {self._value(column, value)}" for column, value in key)
        self.parts.append(f"UPDATE {mapper.local_table.name} SET {changes} WHERE {same} RETURNING 1")  # type: ignore[attr-defined]  # noqa: S608

    def _value(self, column: ColumnElement[Any], value: Any) -> str:
        name = f"v{next(self.numbers)}"
        self.given[name] = Jsonb(value) if isinstance(column.type, JSON) else value
        return f"%({name})s"

    async def run(self, session: AsyncSession) -> None:
        """Raises `RuntimeError` when a row that was read under the chain's lock is no longer there."""
        parts = ", ".join(f"w{n} AS ({part})" for n, part in enumerate(self.parts))
        written = " + ".join(f"(SELECT count(*) FROM w{n})" for n in range(len(self.parts)))  # noqa: S608
        connection = await session.connection()
        done = await connection.exec_driver_sql(f"WITH {parts} SELECT {written}", self.given)
        if done.scalar_one() != len(self.parts):
            raise RuntimeError("a row that was to be changed is gone")
