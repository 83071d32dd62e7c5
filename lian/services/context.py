"""What every service works with: made once per process by `lian/runtime.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from time import monotonic

from sqlalchemy.ext.asyncio import AsyncSession

from lian.db.crypto import KeyRing
from lian.db.session import Database
from lian.services.announcing import Announcer, changes_of
from lian.services.ports import CaseProcess, PolicyLookup, SanctionsList
from lian.settings import Settings
from lian.storage.object_store import ObjectStore

NAMES_KEPT_SECONDS = 60.0


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class KnownNames:
    """Names of our people that were read less than a minute ago, by actor id."""

    names: dict[str, str] = field(default_factory=dict)
    since: float = 0.0

    def among(self, actors: Collection[str]) -> dict[str, str]:
        """Those that are known of these."""
        if monotonic() - self.since > NAMES_KEPT_SECONDS:
            self.names, self.since = {}, monotonic()
        return {actor: self.names[actor] for actor in actors if actor in self.names}

    def add(self, names: Mapping[str, str]) -> None:
        """Know these as well."""
        self.names |= names


@dataclass(slots=True, kw_only=True)
class Context:
    """Database, key ring, object store, process, policy system and sanctions list of this installation."""

    settings: Settings
    db: Database
    ring: KeyRing
    store: ObjectStore
    process: CaseProcess
    policies: PolicyLookup
    sanctions: SanctionsList
    now: Callable[[], datetime] = field(default=utc_now)
    announcer: Announcer = field(init=False)
    """Tells open pages of what was committed."""
    known_names: KnownNames = field(init=False, default_factory=KnownNames)

    def __post_init__(self) -> None:
        self.announcer = Announcer(self.db)

    @property
    def today(self) -> date:
        """The day it is in the office."""
        return self.now().astimezone(self.settings.zone).date()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One database transaction."""
        async with self.db.transaction() as session:
            yield session
        self.announcer.tell(changes_of(session))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Queries that change nothing, without a transaction around them."""
        async with self.db.reading() as session:
            yield session
