"""Postgres as a bell: NOTIFY to ring it, and one listening connection that hears it.

Listening needs a connection of its own for as long as the process lives: through a pooler that hands connections out
per transaction nothing is heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import psycopg
import structlog
from psycopg import sql
from sqlalchemy import make_url

from lian.db.session import Database

log = structlog.get_logger()

CHANGES, PRESENCE = "lian_changes", "lian_presence"
CHANNELS = (CHANGES, PRESENCE)
QUIET_SECONDS = 20.0
"""After so long without a word the connection is asked whether it still lives."""
ANSWER_SECONDS = 10.0
FIRST_WAIT, LONGEST_WAIT = 0.2, 10.0
RING = "SELECT pg_notify(%(channel)s, payload) FROM unnest(%(payloads)s::text[]) AS payload"

Heard = Callable[[str, str], None]
"""Called with the channel and the payload of each notification."""


async def ring(database: Database, channel: str, payloads: Sequence[str]) -> None:
    """Send notifications by themselves. Raises `DatabaseUnavailable`.

    Never in a transaction that writes: a commit with a notification holds a lock of the whole cluster while it is
    written to disk, which halves what eight writers get done (decision 10).
    """
    await database.fetch(RING, {"channel": channel, "payloads": list(payloads)})


class Listener:
    """One connection that hears both channels for as long as `listen` runs, made anew whenever it is lost."""

    def __init__(self, url: str, *, heard: Heard, connected: Callable[[], None]) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._heard = heard
        self._connected = connected

    async def listen(self) -> None:
        """Without end. `connected` is called after each connection was made: what was said before it went unheard."""
        wait = FIRST_WAIT
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=3, application_name="lian live"
                ) as connection:
                    for channel in CHANNELS:
                        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    wait = FIRST_WAIT
                    self._connected()
                    await self._hear(connection)
            except (psycopg.Error, OSError, TimeoutError) as lost:
                log.warning("live_connection_lost", error=type(lost).__name__, again_in=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def _hear(self, connection: psycopg.AsyncConnection) -> None:
        while True:
            async for notice in connection.notifies(timeout=QUIET_SECONDS):
                self._heard(notice.channel, notice.payload)
            async with asyncio.timeout(ANSWER_SECONDS):
                await connection.execute("SELECT 1")
