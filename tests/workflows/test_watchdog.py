"""The watchdog on the real server: a timer that was lost, and the schedule that nobody makes twice (rule 6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest
from sqlmodel import select
from temporalio.client import Client, Schedule, ScheduleIntervalSpec, ScheduleOverlapPolicy, ScheduleUpdate
from temporalio.service import RPCError

from lian.db.crypto import KeyRing
from lian.db.tables import Alert, Clock, JournalEntry
from lian.notify.mail import NoMailer
from lian.runtime import open_context
from lian.services.context import Context, utc_now
from lian.services.relay import relay_once
from lian.services.watchdog import EVERY_MINUTES, Swept, sweep
from lian.settings import Settings
from tests.cast import hire, reported_claim
from tests.installation import end_processes
from tests.workflows.hands import PATIENCE, Hands
from tests.workflows.test_claim import assert_provable
from workflows import options
from workflows.gateway import TemporalProcess, connect
from workflows.schedules import WATCHDOG, schedule_watchdog
from workflows.watchdog import Watchdog
from workflows.worker import running_worker

pytestmark = pytest.mark.req("CLM-12")

CLOCK, BUDGET = "claim.initial_review", timedelta(hours=48)
SOON = timedelta(seconds=8)


@pytest.fixture
async def client(settings: Settings) -> Client:
    return await connect(settings, KeyRing(settings.key_ring), lazy=False)


@pytest.fixture
async def idle(settings: Settings, client: Client) -> AsyncIterator[Context]:
    """The whole thing, but no worker."""
    process = TemporalProcess(partial(connect, settings, KeyRing(settings.key_ring)))
    async with open_context(settings, process) as made:
        await asyncio.to_thread(made.store.ensure_bucket)
        yield made
        await end_processes(client, made)


async def read_clock(context: Context, hands: Hands) -> Clock:
    case = await hands.case()
    async with context.transaction() as session:
        return await session.get_one(Clock, (case.id, CLOCK))


async def test_a_deadline_nobody_woke_for_is_broken_at_its_legal_instant_and_once(
    idle: Context, client: Client
) -> None:
    wang, li = await hire(idle, "wang"), await hire(idle, "li")
    received_at = utc_now() - BUDGET + SOON
    idle.now = lambda: received_at
    claim = await reported_claim(idle, reported_at=received_at, loss_at=received_at - timedelta(hours=1))
    idle.now = utc_now
    hands = Hands(idle, claim.number, wang, li)
    async with running_worker(client, idle, NoMailer(), cached=50):
        await relay_once(idle)
        await hands.open_task("initial_review")
    due = (await read_clock(idle, hands)).due_at
    assert due == received_at + BUDGET
    await asyncio.sleep(max(0.0, (due - utc_now()).total_seconds()) + 1.1)
    idle.now = lambda: utc_now() + timedelta(minutes=3)
    for _ in range(2):
        found = await sweep(idle)
        assert (found.overdue, found.told) == (1, 1)
    idle.now = utc_now
    assert (await read_clock(idle, hands)).status == "running"
    async with running_worker(client, idle, NoMailer(), cached=50):
        async with asyncio.timeout(PATIENCE):
            while (clock := await read_clock(idle, hands)).status == "running":
                await asyncio.sleep(0.05)
        await idle.process.look_at_clocks(claim.case_id)
        await hands.answer("initial_review")
    assert clock.breached_at == due
    async with idle.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.case_id == claim.case_id, JournalEntry.type == "clock.breached")
        (breach,) = (await session.execute(query)).scalars().all()
        alerts = (await session.execute(select(Alert).where(Alert.rung == "due"))).scalars().all()
    assert breach.at > due
    assert {(a.recipient, a.reached_at, a.seen_at) for a in alerts if a.clock == CLOCK} == {(li.id, due, breach.at)}
    await assert_provable(idle)


async def test_two_workers_make_one_schedule_and_a_round_says_what_it_found(idle: Context, client: Client) -> None:
    schedule = client.get_schedule_handle(WATCHDOG)
    with suppress(RPCError):
        await schedule.delete()
    assert sorted(await asyncio.gather(schedule_watchdog(client), schedule_watchdog(client))) == [False, True]
    made = (await schedule.describe()).schedule
    assert made.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert [each.every for each in made.spec.intervals] == [timedelta(minutes=EVERY_MINUTES)]
    await schedule.update(lambda found: ScheduleUpdate(schedule=_rarer(found.description.schedule)))
    await schedule.pause(note="at night")
    async with asyncio.timeout(PATIENCE):
        # The server takes a pause down at once and carries it out a moment later; an update in between would undo it.
        while not (await schedule.describe()).schedule.state.paused:
            await asyncio.sleep(0.05)
    assert await schedule_watchdog(client) is False
    renewed = (await schedule.describe()).schedule
    assert [each.every for each in renewed.spec.intervals] == [timedelta(minutes=EVERY_MINUTES)]
    assert renewed.state.paused, "whoever paused it meant it"
    await schedule.unpause()
    async with running_worker(client, idle, NoMailer(), cached=50):
        # As the schedule does, but without the seconds it takes to begin.
        found = await client.execute_workflow(Watchdog.run, id="watchdog-now", task_queue=options.CASES)
    assert found == Swept(overdue=0, told=0, stuck=0)


def _rarer(schedule: Schedule) -> Schedule:
    """As an earlier version made it."""
    schedule.spec.intervals = [ScheduleIntervalSpec(every=timedelta(minutes=5))]
    return schedule
