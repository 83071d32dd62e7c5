"""Cases under the shipped packs, while time may be skipped: what the law's own paths are walked with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import select
from temporalio.testing import WorkflowEnvironment

from lian.auth.actor import Actor
from lian.db.crypto import KeyRing
from lian.db.tables import Case, Clock, DocumentRequest, JournalEntry, Staff, Task
from lian.domain.calendars import WorkingCalendar
from lian.domain.case_kinds import KINDS
from lian.domain.parties import Channel
from lian.notify.mail import NoMailer
from lian.runtime import open_context
from lian.services import packs
from lian.services.accounts import actor_for
from lian.services.actions import act
from lian.services.calendars import shipped
from lian.services.context import Context
from lian.services.desk import claim_task, complete_task
from lian.services.opening import open_case
from lian.services.relay import relay_once
from lian.settings import Settings
from tests.cast import OFFICE, ZHAO, hire
from tests.servers import TEST_SERVER
from tests.workflows.complaint import COMPLAINT
from tests.workflows.hands import PATIENCE
from tests.workflows.office import add_search_attributes
from workflows.codec import data_converter
from workflows.gateway import TemporalProcess
from workflows.worker import running_worker


def endless(calendar: WorkingCalendar) -> WorkingCalendar:
    """The calendar without its last date, so that a test means the same in a year that is not published yet."""
    return replace(calendar, covered_until=None)


@pytest.fixture
def law(monkeypatch: pytest.MonkeyPatch) -> None:
    """Complaints are a kind of case, and no calendar ends."""
    monkeypatch.setitem(KINDS, COMPLAINT.id, COMPLAINT)

    async def in_force(_: Any) -> dict[str, WorkingCalendar]:
        return {name: endless(calendar) for name, calendar in shipped().items()}

    monkeypatch.setattr(packs, "calendars_in_force", in_force)


@dataclass
class House:
    """An installation under some jurisdiction, on the time-skipping server; its worker can be taken away."""

    context: Context
    env: WorkflowEnvironment
    stack: AsyncExitStack

    async def work(self) -> None:
        """The worker is there (again)."""
        await self.stack.enter_async_context(running_worker(self.env.client, self.context, NoMailer(), cached=2_000))

    async def rest(self) -> None:
        """The worker is gone, and with it everything but the servers."""
        await self.stack.aclose()

    async def opened(self, kind: str = COMPLAINT.id) -> Matter:
        """A case just opened, its process started."""
        number = await registered(self.context, kind)
        await relay_once(self.context)
        return Matter(self.context, number, self.env)


async def registered(context: Context, kind: str = COMPLAINT.id) -> str:
    """The number of a case just opened."""
    opened, _ = await open_case(
        context,
        OFFICE,
        kind,
        answers={"words": "无人答复"},
        reporter=ZHAO,
        channel=Channel.WEB,
        key=uuid4().hex,
    )
    return opened.number


@dataclass
class Matter:
    """One case, and what people do with it."""

    context: Context
    number: str
    env: WorkflowEnvironment | None = None

    async def case(self) -> Case:
        async with self.context.transaction() as session:
            return (await session.execute(select(Case).where(Case.number == self.number))).scalars().one()

    async def rows(self, model: type[Any]) -> Sequence[Any]:
        case = await self.case()
        async with self.context.transaction() as session:
            return (await session.execute(select(model).where(model.case_id == case.id))).scalars().all()

    async def tasks(self) -> Sequence[Task]:
        return await self.rows(Task)

    async def request_ids(self) -> list[str]:
        """What the case waits for, in the order of opening."""
        found = sorted(await self.rows(DocumentRequest), key=lambda request: request.opened_at)
        return [str(request.id) for request in found if request.status == "open"]

    async def clock(self, name: str) -> Clock:
        return next(clock for clock in await self.rows(Clock) if clock.clock == name)

    async def clocks(self) -> dict[str, str]:
        """How every promise stands."""
        return {clock.clock: clock.status for clock in await self.rows(Clock)}

    async def types(self, like: str = "") -> list[str]:
        """What happened, in order."""
        entries = sorted(await self.rows(JournalEntry), key=lambda entry: entry.chain_seq)
        return [entry.type for entry in entries if entry.type.startswith(like)]

    async def happened(self, type_: str) -> None:
        """Wait until an event of this type is on record."""
        async with asyncio.timeout(PATIENCE):
            while type_ not in await self.types():
                await asyncio.sleep(0.05)

    async def happened_to(self, clock: str, status: str) -> None:
        """Wait until a promise stands like this."""
        async with asyncio.timeout(PATIENCE):
            while (await self.clock(clock)).status != status:
                await asyncio.sleep(0.05)

    async def who(self, name: str) -> Actor:
        async with self.context.transaction() as session:
            staff = (await session.execute(select(Staff).where(Staff.username == name))).scalars().first()
        return actor_for(staff) if staff else await hire(self.context, name)

    async def open_task(self, kind: str) -> Task:
        async with asyncio.timeout(PATIENCE):
            while True:
                for task in await self.rows(Task):
                    if (task.kind, task.status) == (kind, "open"):
                        return task
                await asyncio.sleep(0.05)

    async def does(self, kind: str, *, by: str = "li", notes: str = "说明理由", **outcome: Any) -> None:
        """Somebody answers the open task of this kind."""
        actor, task = await self.who(by), await self.open_task(kind)
        await claim_task(self.context, actor, task.id)
        await complete_task(self.context, actor, task.id, outcome=outcome, notes=notes, command_id=uuid4().hex)

    async def acts(self, action: str, *, by: str = "li", **outcome: Any) -> None:
        """Somebody does something of their own accord."""
        actor = await self.who(by)
        await act(self.context, actor, self.number, action, outcome=outcome, notes="说明理由", command_id=uuid4().hex)

    async def pass_time(self, duration: timedelta) -> None:
        """Let that much time go by."""
        assert self.env
        await self.env.sleep(duration)

    async def pass_days(self, days: float) -> None:
        await self.pass_time(timedelta(days=days))

    async def now(self) -> datetime:
        """The server's clock, on the office's wall."""
        assert self.env
        return (await self.env.get_current_time()).astimezone(self.context.settings.zone)


@asynccontextmanager
async def house(settings: Settings, *, jurisdiction: str, calendar: str) -> AsyncIterator[House]:
    """An installation whose cases are under this law."""
    settings = settings.model_copy(update={"jurisdiction": jurisdiction, "office_calendar": calendar})
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEST_SERVER), data_converter=data_converter(KeyRing(settings.key_ring))
    ) as env:
        await add_search_attributes(env.client)

        async def client() -> Any:
            return env.client

        async with open_context(settings, TemporalProcess(client)) as context, AsyncExitStack() as stack:
            await asyncio.to_thread(context.store.ensure_bucket)
            made = House(context, env, stack)
            await made.work()
            yield made
