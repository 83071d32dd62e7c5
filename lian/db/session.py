"""Database sessions. One transaction per service call: `transaction()` commits at its end, or nothing happened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from lian.domain.errors import Unavailable

CONNECT_SECONDS = 3


class DatabaseUnavailable(Unavailable):
    """Postgres cannot be reached at the moment; nothing was stored."""


def _without_values(failure: ExceptionContext) -> None:
    """What Postgres says of a refused row quotes its values: only the first line may reach a log (SEC-2)."""
    error = failure.original_exception
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        error.args = (error.diag.message_primary,)
        if failure.sqlalchemy_exception is not None:
            failure.sqlalchemy_exception.args = (f"({type(error).__name__}) {error.diag.message_primary}",)


class Database:
    """A pool of connections under the application's role."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=5,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_SECONDS, "options": "-c timezone=UTC -c lock_timeout=8000"},
        )
        event.listen(self.engine.sync_engine, "handle_error", _without_values)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises `DatabaseUnavailable` when the connection is lost, also in the middle.
        """
        try:
            async with self._sessions() as session, session.begin():
                yield session
        except PoolTimeout as busy:
            raise DatabaseUnavailable("Too much is going on at the moment. Nothing was saved; try again.") from busy
        except (OperationalError, InterfaceError) as lost:
            raise DatabaseUnavailable(
                "The database cannot be reached at the moment. Nothing was saved; try again."
            ) from lost
        except DBAPIError as failed:
            if failed.connection_invalidated:
                raise DatabaseUnavailable("The database connection was lost. Try again.") from failed
            raise

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()
