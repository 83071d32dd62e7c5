"""Open pages follow what happens: one listening connection for each web process, fanned out to its browsers (TSK-1).

A browser is told which of the cases its user may see have changed, and whether lists of the desk may look different to
them. It is not told what changed, nor in which queue: it asks again, under its user's permissions. Nothing grows while
somebody is slow: what waits for a browser is a set, and one that becomes too large becomes "ask for everything again".
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlmodel import col, or_, select

from lian.auth.actor import Actor
from lian.auth.visibility import SUSPICION_TASKS, sees_inside, visible_cases
from lian.db.listen import CHANGES, Listener
from lian.db.tables import Case, JournalEntry, Task
from lian.domain.errors import Unavailable
from lian.domain.journal import TaskClaimed
from lian.domain.signals import EVERYTHING, Change, Reach, by_case, unpacked
from lian.domain.status import TaskStatus
from lian.services.context import Context
from lian.services.presence import Present, Register, unpacked_presence

log = structlog.get_logger()

PAUSE = 0.05
"""Seconds between two rounds of telling."""
BROWSER_PAUSE = 0.15
"""Seconds between two words to one browser."""
OUTSIDE_PAUSE = 1.0
"""The same for people outside: which changes are theirs to know is asked of the database each time."""
REMEMBERED = timedelta(seconds=90)
"""So long a page hears later what it missed while it had no connection; after that it asks for everything."""
SLACK = timedelta(seconds=2)
"""Clocks of two web processes may differ by this much."""
MOST_REMEMBERED = 2_000
MOST_PENDING = 300
"""With more changed cases than this waiting, a browser asks for everything again."""
EXPIRE_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """A task that a change may have touched: its queue, who has it, and whether only readers of risk know of it."""

    queue: str
    holder: str
    is_suspicion: bool

    def is_on_desk_of(self, actor: Actor) -> bool:
        """Whether it is, or was until now, in a list of theirs."""
        is_known = not self.is_suspicion or actor.may("risk:read")
        return is_known and (actor.has_queue(self.queue) or self.holder == actor.id)


@dataclass(frozen=True, slots=True)
class Happened:
    """A change with the tasks it may have touched, where that was looked up, and when this process heard of it."""

    at: datetime
    change: Change
    places: tuple[Place, ...] | None

    def alters_desk_of(self, actor: Actor) -> bool:
        """Whether a list of their tasks may look different now."""
        if self.change.reach is Reach.CASE or self.places is None:
            return self.change.reach is not Reach.CASE
        if self.change.reach is Reach.MOVED:
            return actor.may("risk:read") or not all(place.is_suspicion for place in self.places)
        return any(place.is_on_desk_of(actor) for place in self.places)


@dataclass(slots=True)
class News:
    """What a browser is told at once."""

    cases: dict[UUID, int] = field(default_factory=dict)
    """Changed cases with their versions."""
    presence: set[UUID] = field(default_factory=set)
    """Cases at which somebody came, went, or began or stopped writing."""
    desk: bool = False
    """Lists of tasks may look different."""
    board: bool = False
    """So may the board of promises."""
    everything: bool = False

    def __bool__(self) -> bool:
        return self.everything or self.desk or bool(self.cases or self.presence)


class Subscription:
    """One browser's ear. `actor` is renewed by whoever holds it: roles change, and sessions end."""

    def __init__(self, context: Context, actor: Actor) -> None:
        self.actor = actor
        self._context = context
        self._pending = News()
        self._woken = asyncio.Event()
        self.is_over = False

    def hear(self, happened: Iterable[Happened]) -> None:
        """Cases have changed."""
        pending = self._pending
        for each in happened:
            pending.cases[each.change.case_id] = each.change.version
            pending.desk = pending.desk or each.alters_desk_of(self.actor)
            pending.board = pending.board or each.change.reach is not Reach.CASE
        if len(pending.cases) > MOST_PENDING:
            self.hear_everything()
        if pending:
            self._woken.set()

    def hear_presence(self, told: Present) -> None:
        """Somebody came or went."""
        if told.is_shown_to(self.actor):
            self._pending.presence.add(told.case_id)
            self._woken.set()

    def hear_everything(self) -> None:
        """Anything may have changed."""
        self._pending = News(everything=True)
        self._woken.set()

    def end(self) -> None:
        """No more news."""
        self.is_over = True
        self._woken.set()

    async def news(self, *, within: float) -> News | None:
        """The next news, at once or within so many seconds; none when there are none, or never again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._woken.wait()
        if self.is_over or not self._woken.is_set():
            return None
        self._woken.clear()
        news, self._pending = self._pending, News()
        return news if sees_inside(self.actor) else await self._theirs(news)

    async def rest(self) -> None:
        """Between two words to this browser."""
        await asyncio.sleep(BROWSER_PAUSE if sees_inside(self.actor) else OUTSIDE_PAUSE)

    async def _theirs(self, news: News) -> News:
        """For people outside: of these changes those in cases that are theirs to see.

        Where a task of theirs was taken away, the case is theirs no longer: of that only their list is told.
        """
        if news.everything:
            return news
        seen = select(Case.id).where(col(Case.id).in_(news.cases), visible_cases(self.actor))
        had = select(JournalEntry.case_id).where(
            col(JournalEntry.case_id).in_(news.cases),
            JournalEntry.type == TaskClaimed.TYPE,
            col(JournalEntry.body)["holder"].as_string() == self.actor.id,
        )
        try:
            async with self._context.reading() as session:
                theirs = (await session.execute(seen)).scalars().all()
                is_theirs = bool(theirs) or (await session.execute(had.limit(1))).first() is not None
        except Unavailable:
            return News(everything=True)
        return News(cases={case_id: news.cases[case_id] for case_id in theirs}, desk=is_theirs)


class Live:
    """What one web process hears, and the browsers it tells."""

    def __init__(self, context: Context) -> None:
        self.register = Register()
        self._context = context
        self._subscriptions: set[Subscription] = set()
        self._heard: dict[UUID, Change] = {}
        self._happened: deque[Happened] = deque(maxlen=MOST_REMEMBERED)
        self._hearing_since: datetime | None = None
        self._woken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def subscribers(self) -> int:
        """Browsers with an open connection to this process."""
        return len(self._subscriptions)

    def start(self) -> None:
        """Begin to listen, unless that has begun."""
        if not self._is_closed and (self._running is None or self._running.done()):
            self._running = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        """End all subscriptions, so that the server can end."""
        self._is_closed = True
        for subscription in self._subscriptions:
            subscription.end()
        if self._running is not None:
            self._running.cancel()

    @contextmanager
    def subscribed(self, actor: Actor, *, since: datetime | None = None) -> Iterator[Subscription]:
        """One browser's ear, which first hears what it missed since then."""
        self.start()
        made = Subscription(self._context, actor)
        if self._is_closed:
            made.end()
        self._catch_up(made, since)
        self._subscriptions.add(made)
        try:
            yield made
        finally:
            self._subscriptions.discard(made)

    def _catch_up(self, made: Subscription, since: datetime | None) -> None:
        if since is None:
            return
        remembered_since = self._context.now() - REMEMBERED
        first = self._happened[0].at if len(self._happened) == MOST_REMEMBERED else remembered_since
        if self._hearing_since is None or since < max(self._hearing_since, first, remembered_since):
            made.hear_everything()
        else:
            made.hear(each for each in self._happened if each.at >= since - SLACK)

    # --- what is heard ------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        url = self._context.settings.database_url.get_secret_value()
        listener = Listener(url, heard=self._hear, connected=self._lose_track)
        while True:
            try:
                async with asyncio.TaskGroup() as together:
                    for work in (listener.listen, self._tell, self._expire):
                        together.create_task(work())
            except* Exception:  # the edge of a background loop: it must not end
                log.exception("live_failed")
            await asyncio.sleep(1)

    def _lose_track(self) -> None:
        """Whatever was said before may have gone unheard."""
        self._hearing_since = self._context.now()
        self._happened.clear()
        for subscription in self._subscriptions:
            subscription.hear_everything()

    def _hear(self, channel: str, payload: str) -> None:
        try:
            if channel != CHANGES:
                self.note(unpacked_presence(payload))
            elif payload == EVERYTHING:
                self._lose_track()
            else:
                self._heard |= by_case([*self._heard.values(), *unpacked(payload)])
                self._woken.set()
        except ValueError:  # from a newer version of ours, or somebody else's: others are heard all the same
            log.warning("live_signal_unreadable", channel=channel)

    def note(self, told: Present) -> None:
        """Somebody came, went on, or went: said by another process, or to this one."""
        if self.register.note(told, self._context.now()):
            self._pass_on(told)

    def _pass_on(self, told: Present) -> None:
        for subscription in self._subscriptions:
            subscription.hear_presence(told)

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_EVERY)
            for gone in self.register.expire(self._context.now()):
                self._pass_on(gone)

    async def _tell(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            heard, self._heard = list(self._heard.values()), {}
            try:
                places = await self._places(heard) if self._subscriptions else None
            except Unavailable:
                self._lose_track()
            else:
                self._remember(heard, places)
            await asyncio.sleep(PAUSE)

    def _remember(self, heard: Sequence[Change], places: Mapping[UUID, tuple[Place, ...]] | None) -> None:
        now = self._context.now()
        happened = [
            Happened(now, change, None if places is None else places.get(change.case_id, ())) for change in heard
        ]
        self._happened.extend(happened)
        while self._happened and self._happened[0].at < now - REMEMBERED:
            self._happened.popleft()
        for subscription in self._subscriptions:
            subscription.hear(happened)

    async def _places(self, heard: Sequence[Change]) -> dict[UUID, tuple[Place, ...]]:
        """The open tasks of these cases, and those that the changes closed."""
        since = {change.case_id: change.since for change in heard if change.reach is not Reach.CASE}
        columns: tuple[Any, ...] = (Task.case_id, Task.queue, Task.holder, Task.kind, Task.status, Task.version)
        query = select(*columns).where(col(Task.case_id).in_(since))
        query = query.where(
            or_(Task.status == TaskStatus.OPEN.value, col(Task.version) > min(since.values(), default=0))
        )
        found: dict[UUID, list[Place]] = {}
        async with self._context.reading() as session:
            for case_id, queue, holder, kind, status, version in (await session.execute(query)).all():
                if status == TaskStatus.OPEN or version > since[case_id]:
                    found.setdefault(case_id, []).append(Place(queue, holder, kind in SUSPICION_TASKS))
        return {case_id: tuple(places) for case_id, places in found.items()}
