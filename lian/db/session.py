"""Database sessions. One transaction per service call: `transaction()` commits at its end, or nothing happened."""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, LiteralString, NoReturn

import psycopg
from pydantic import TypeAdapter
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from lian.domain.errors import Unavailable

CONNECT_SECONDS = 3
POOL_SIZE = 12
"""All are kept once they were needed: to open one, and its first statements, take longer than most answers."""
TRUSTED_SECONDS = 1.0
"""So long a connection that answered is taken to live, unless the server has said something since, such as goodbye."""
AWAY = "The database cannot be reached at the moment. Nothing was saved; try again."
read_json = TypeAdapter(Any).validator.validate_json
"""Several times as fast as the standard library, and rows are full of JSON."""


class DatabaseUnavailable(Unavailable):
    """Postgres cannot be reached at the moment; nothing was stored."""


def _without_values(failure: ExceptionContext) -> None:
    """What Postgres says of a refused row quotes its values: only the first line may reach a log (SEC-2)."""
    error = failure.original_exception
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        error.args = (error.diag.message_primary,)
        if failure.sqlalchemy_exception is not None:
            failure.sqlalchemy_exception.args = (f"({type(error).__name__}) {error.diag.message_primary}",)


class _OnlyReads(Session):
    """Nothing that was read is written back: there is no transaction that would hold it together."""

    def flush(self, objects: Any = None) -> NoReturn:
        raise RuntimeError("Rows that were only read cannot be changed; open a transaction.")


class Database:
    """A pool of connections under the application's role."""

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE) -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            hide_parameters=True,
            json_deserializer=read_json,
            connect_args={"connect_timeout": CONNECT_SECONDS, "options": "-c timezone=UTC -c lock_timeout=8000"},
        )
        event.listen(self.engine.sync_engine, "handle_error", _without_values)
        event.listen(self.engine.sync_engine, "checkout", self._refuse_dead)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._at_once = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._readers = async_sessionmaker(self._at_once, autoflush=False, sync_session_class=_OnlyReads)

    def _refuse_dead(self, connection: Any, entry: ConnectionPoolEntry, _: Any) -> None:
        """Ask a connection whether it lives before it is used, unless it said so a moment ago."""
        now = monotonic()
        if now - entry.info.get("answered_at", 0.0) < TRUSTED_SECONDS and _is_silent(connection.driver_connection):
            return
        dialect = self.engine.sync_engine.dialect
        try:
            dialect.do_ping(connection)
        except psycopg.Error as lost:
            raise InvalidatePoolError from lost
        entry.info["answered_at"] = now

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises `DatabaseUnavailable` when the connection is lost, also in the middle.
        """
        async with _in_plain_words(), self._sessions() as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Queries by themselves: each sees what is committed at its moment, as within a transaction, and costs one way.

        Raises `DatabaseUnavailable` when the connection is lost; nothing can be written.
        """
        async with _in_plain_words(), self._readers() as session:
            yield session

    @asynccontextmanager
    async def connecting(self) -> AsyncIterator[AsyncConnection]:
        """The same without a session: rows are tuples, which is all that lists need.

        Raises `DatabaseUnavailable` when the connection is lost.
        """
        async with _in_plain_words(), self._at_once.connect() as connection:
            yield connection

    async def fetch(self, query: LiteralString, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of one query with `%(name)s` in it, by the driver alone: for the little that every request asks.

        SQLAlchemy would take three times as long for it. Raises `DatabaseUnavailable` when the connection is lost.
        """
        async with _in_plain_words(), self._at_once.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, psycopg.AsyncConnection)
            try:
                return await (await driver.execute(query, given)).fetchall()
            except (psycopg.OperationalError, psycopg.InterfaceError) as lost:
                await connection.invalidate()
                raise DatabaseUnavailable(AWAY) from lost

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


async def one_row(session: AsyncSession, *queries: LiteralString, given: Mapping[str, Any]) -> tuple[Any, ...]:
    """The row of the last of these queries, one after another in the session's transaction and by one way there.

    By the driver alone, as `Database.fetch`. Raises `DatabaseUnavailable` when the connection is lost, or what has to
    be waited for takes too long.
    """
    connection = await session.connection()
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    try:
        async with driver.pipeline():
            *_, last = [await driver.execute(query, given) for query in queries]
        ((*row,),) = await last.fetchall()
    except (psycopg.OperationalError, psycopg.InterfaceError) as lost:
        await connection.invalidate()
        raise DatabaseUnavailable(AWAY) from lost
    return tuple(row)


def _is_silent(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether nothing has come from the server that nobody asked for: a server that goes away says so."""
    if connection.closed:
        return False
    heard = select.poll()
    heard.register(connection.fileno(), select.POLLIN)
    return not heard.poll(0)


@asynccontextmanager
async def _in_plain_words() -> AsyncIterator[None]:
    """What the driver says of a lost connection, as an error of ours."""
    try:
        yield
    except PoolTimeout as busy:
        raise DatabaseUnavailable("Too much is going on at the moment. Nothing was saved; try again.") from busy
    except (OperationalError, InterfaceError) as lost:
        raise DatabaseUnavailable(AWAY) from lost
    except DBAPIError as failed:
        if failed.connection_invalidated:
            raise DatabaseUnavailable("The database connection was lost. Try again.") from failed
        raise
