"""Telling every web process what has changed: after the transaction, and many changes at once.

A notification within the writing transaction would be certain and expensive: it lines up all commits of the cluster
(measured: 8 writers do 46 % less, decision 10). So changes are collected once they are committed and go out together,
at most twenty times a second. What is lost when a process dies in between is a twentieth of a second of signals, no
fact; whoever starts anew says that everything may have changed.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lian.db.listen import CHANGES, PRESENCE, ring
from lian.db.session import Database
from lian.domain import journal as j
from lian.domain.errors import Unavailable
from lian.domain.signals import EVERYTHING, Change, packed, reach_of

log = structlog.get_logger()

PAUSE = 0.05
"""Seconds between two notifications of one process."""
RETRY = 1.0
LAST_WORDS = 2.0
"""Seconds a process that ends takes to say what it has not yet said."""
MOST_WAITING = 5_000
"""With more untold changes than this, everything may have changed."""
_NOTED = "noted for live pages"


class _Noted:
    """What one transaction has put on record of one case so far."""

    def __init__(self, since: int) -> None:
        self.since = since
        self.version = since
        self.events: list[j.Event] = []


def note_change(session: AsyncSession, case_id: UUID, recorded: Sequence[j.Recorded], version: int) -> None:
    """The transaction has put this on the case's record; it is told when it is committed."""
    noted: dict[UUID, _Noted] = session.info.setdefault(_NOTED, {})
    of_case = noted.setdefault(case_id, _Noted(version - len(recorded)))
    of_case.since = min(of_case.since, version - len(recorded))
    of_case.version = max(of_case.version, version)
    of_case.events += [item.event for item in recorded]


def changes_of(session: AsyncSession) -> list[Change]:
    """What the transaction has changed, once it is committed."""
    noted: dict[UUID, _Noted] = session.info.pop(_NOTED, {})
    return [
        Change(case_id=case_id, version=each.version, since=each.since, reach=reach_of(each.events))
        for case_id, each in noted.items()
    ]


class Announcer:
    """What one process has to tell; a task of its own sends it while there is something."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes: dict[UUID, Change] = {}
        self._presence: dict[str, None] = {}
        self._is_anything = False
        self._sending: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()

    def tell(self, changes: Sequence[Change]) -> None:
        """Cases have changed."""
        for change in changes:
            before = self._changes.get(change.case_id)
            self._changes[change.case_id] = before.merged(change) if before else change
        if len(self._changes) > MOST_WAITING:
            self._changes.clear()
            self._is_anything = True
        if changes:
            self._send_soon()

    def tell_everything(self) -> None:
        """Anything may have changed without a word."""
        self._is_anything = True
        self._send_soon()

    def tell_presence(self, payload: str) -> None:
        """Somebody looks at a case, or no longer."""
        if len(self._presence) < MOST_WAITING:
            self._presence[payload] = None
        self._send_soon()

    async def close(self) -> None:
        """Say what is left, within two seconds."""
        self._ending.set()
        if self._sending is None:
            return
        await asyncio.wait({self._sending}, timeout=LAST_WORDS)
        self._sending.cancel()

    def _send_soon(self) -> None:
        if self._sending is None or self._sending.done():
            # In a context of its own: it outlives the request or activity that happened to be first.
            self._sending = asyncio.get_running_loop().create_task(self._send(), context=contextvars.Context())

    async def _send(self) -> None:
        while waiting := self._take():
            try:
                for channel, payloads in waiting.items():
                    await ring(self._database, channel, payloads)
            except Unavailable:
                log.warning("live_untold")
                self._is_anything = True  # what could not be told may be anything by now
                await asyncio.sleep(RETRY)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), PAUSE)

    def _take(self) -> dict[str, list[str]]:
        changes = [EVERYTHING] if self._is_anything else packed(self._changes.values())
        presence = list(self._presence)
        self._changes.clear()
        self._presence.clear()
        self._is_anything = False
        told: dict[str, Any] = {CHANGES: changes, PRESENCE: presence}
        return {channel: payloads for channel, payloads in told.items() if payloads}
