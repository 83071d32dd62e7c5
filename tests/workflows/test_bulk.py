"""Bulk orders on the real servers: workers killed in the middle, stopping, taking back, asking papers (TSK-1)."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select
from temporalio.client import Client, WorkflowExecutionStatus

from lian.auth.actor import SYSTEM, Actor
from lian.db.crypto import KeyRing
from lian.db.tables import BulkItem, DocumentRequest, JournalEntry, Task
from lian.domain import journal as j
from lian.domain.bulk import BulkStatus, BulkVerb, ItemState
from lian.domain.claims.fnol import PersonGiven
from lian.domain.messages import BulkRun, bulk_workflow_id
from lian.notify.mail import NoMailer
from lian.runtime import open_context
from lian.services.context import Context
from lian.services.desk import bulk_work, claim_task, release_task
from lian.services.desk.bulk import Wanted, cancel_bulk, order_bulk, preview_bulk, undo_bulk
from lian.services.desk.bulk_reading import OrderSeen, list_items, show_bulk
from lian.services.desk.bulk_verbs import Given
from lian.services.intake import Registered
from lian.services.recording import put_on_record
from lian.settings import Settings
from tests.cast import reported_claim
from tests.installation import end_processes, installation
from tests.services.test_bulk import hire
from tests.workflows.hands import PATIENCE, Hands
from tests.workflows.test_claim import assert_provable
from workflows import options
from workflows.gateway import TemporalProcess, connect
from workflows.worker import running_worker

TASKS = 40
NOTICED = timedelta(seconds=3)
"""After a kill, so much later another worker goes on."""


async def questions(context: Context, claim: Registered, n: int) -> list[UUID]:
    """Tasks for seniors of which the case's process knows nothing."""
    ids = [uuid4() for _ in range(n)]
    opened = [
        j.TaskOpened(
            task_id=task_id,
            kind="authorise",
            queue="claims.authority",
            stage="decision",
            ask={},
            excluded_actors=(),
            least_authority=Decimal(0),
        )
        for task_id in ids
    ]
    async with context.transaction() as session:
        recorded = [j.Recorded(at=context.now(), actor=SYSTEM.id, event=event) for event in opened]
        await put_on_record(context, session, case_id=claim.case_id, recorded=recorded)
    return ids


async def ordered(context: Context, actor: Actor, verb: BulkVerb, tasks: Sequence[UUID], **given: Any) -> OrderSeen:
    seen = await preview_bulk(context, actor, Wanted(verb=verb, given=Given(**given), task_ids=tasks))
    return await order_bulk(context, actor, seen.order.id, key=uuid4().hex)


async def until(context: Context, actor: Actor, order_id: UUID, wanted: Callable[[OrderSeen], bool]) -> OrderSeen:
    async with asyncio.timeout(3 * PATIENCE):
        while not wanted(seen := await show_bulk(context, actor, order_id)):
            await asyncio.sleep(0.05)
    return seen


async def holders(context: Context, tasks: Sequence[UUID]) -> list[str]:
    async with context.transaction() as session:
        return [(await session.get_one(Task, task_id)).holder for task_id in tasks]


async def claims_of(context: Context, tasks: Sequence[UUID]) -> dict[str, int]:
    """How often each of the tasks was given to somebody."""
    async with context.transaction() as session:
        query = select(JournalEntry.body).where(JournalEntry.type == "task.claimed")
        bodies = (await session.execute(query)).scalars().all()
    ids = [body["task_id"] for body in bodies]
    return {str(task_id): ids.count(str(task_id)) for task_id in tasks}


# --- workers that die -------------------------------------------------------------------------------------------------


def work_slowly(settings: Settings) -> None:
    """A worker process of its own, slow enough to be killed in the middle of an order."""
    do = bulk_work._do

    async def slowly(*given: Any) -> Any:
        done = await do(*given)
        await asyncio.sleep(0.05)  # between the change and its commit
        return done

    bulk_work._do = slowly
    options.BULK_HEARTBEAT = NOTICED
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    async with _connected(settings) as (context, client), running_worker(client, context, NoMailer(), cached=50):
        await asyncio.Event().wait()


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[tuple[Context, Client]]:
    """An installation without a worker."""
    ring = KeyRing(settings.key_ring)
    client = await connect(settings, ring, lazy=False)
    async with open_context(settings, TemporalProcess(partial(connect, settings, ring))) as context:
        await asyncio.to_thread(context.store.ensure_bucket)
        yield context, client


def hire_worker(settings: Settings) -> BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=work_slowly, args=(settings,), daemon=True)
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.req("TSK-1")
@pytest.mark.timeout(400)
async def test_an_order_whose_workers_are_killed_twice_does_every_task_exactly_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "BULK_HEARTBEAT", NOTICED)
    async with _connected(settings) as (context, client):
        li, chen = await hire(context, "li"), await hire(context, "chen")
        tasks = await questions(context, await reported_claim(context), TASKS)
        order_id = (await ordered(context, li, BulkVerb.REASSIGN, tasks, to="chen")).order.id
        reached = 0
        for more in (5, 10):
            worker = hire_worker(settings)
            try:
                seen = await until(context, li, order_id, lambda s: s.counts[ItemState.DONE] >= reached + more)  # noqa: B023
            finally:
                kill(worker)
            reached = seen.counts[ItemState.DONE]
            assert seen.status is BulkStatus.RUNNING
        async with running_worker(client, context, NoMailer(), cached=50):
            seen = await until(context, li, order_id, lambda s: s.status is BulkStatus.DONE)
            assert (seen.counts[ItemState.DONE], seen.handled) == (TASKS, TASKS)
            await client.get_workflow_handle(bulk_workflow_id(BulkRun(order_id=order_id))).result()
            await end_processes(client, context)
        assert await holders(context, tasks) == [chen.id] * TASKS
        assert await claims_of(context, tasks) == dict.fromkeys(map(str, tasks), 1)
        await assert_provable(context)


# --- stopping and taking back -----------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_an_order_is_stopped_in_the_middle_and_taken_back_where_nobody_touched_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    do = bulk_work._do

    async def slowly(*given: Any) -> Any:
        await asyncio.sleep(0.05)
        return await do(*given)

    monkeypatch.setattr(bulk_work, "_do", slowly)
    async with installation(settings) as (context, client):
        li, chen = await hire(context, "li"), await hire(context, "chen")
        tasks = await questions(context, await reported_claim(context), TASKS)
        order_id = (await ordered(context, li, BulkVerb.REASSIGN, tasks, to="chen")).order.id
        await until(context, li, order_id, lambda s: s.counts[ItemState.DONE] >= 3)
        stopped = await cancel_bulk(context, li, order_id)
        handle = client.get_workflow_handle(bulk_workflow_id(BulkRun(order_id=order_id)))
        await handle.result()
        done = stopped.counts[ItemState.DONE]
        assert 3 <= done < TASKS
        assert await holders(context, tasks) == [chen.id] * done + [""] * (TASKS - done)
        await release_task(context, chen, tasks[0])
        await undo_bulk(context, li, order_id)
        seen = await until(context, li, order_id, lambda s: s.status is BulkStatus.UNDONE)
        assert (seen.counts[ItemState.UNDONE], seen.counts[ItemState.KEPT]) == (done - 1, 1)
        (kept,) = await list_items(context, li, order_id, states=[ItemState.KEPT])
        assert (kept.item.task_id, kept.item.words) == (
            tasks[0],
            "Somebody has changed this task since; it is left as it is.",
        )
        assert await holders(context, tasks) == [""] * TASKS
        await assert_provable(context)
        ended = await handle.describe()
        assert ended.status is WorkflowExecutionStatus.COMPLETED


# --- asking for documents ---------------------------------------------------------------------------------------------


async def unlike(context: Context, n: int) -> Registered:
    """A claim that nobody takes for another's duplicate."""
    person = PersonGiven(name="赵钱孙"[n] * 2, phone=f"1390000000{n}", email=f"person{n}@example.com")
    loss_at = context.now() - timedelta(days=40 * n + 1)
    return await reported_claim(context, reporter=person, loss_at=loss_at, reported_at=loss_at + timedelta(hours=1))


@pytest.mark.req("TSK-1", "CLM-5")
async def test_documents_are_asked_for_once_in_each_case_whatever_is_repeated(settings: Settings) -> None:
    async with installation(settings) as (context, _):
        both = await hire(context, "li", username="both", roles=["team_lead", "claims_adjuster_senior"])
        claims = [await unlike(context, n) for n in range(3)]
        reviews = [await Hands(context, claim.number, both, both).open_task("initial_review") for claim in claims]
        for review in reviews:
            await claim_task(context, both, review.id)
        order_id = (await ordered(context, both, BulkVerb.REQUEST_DOCUMENTS, [r.id for r in reviews])).order.id
        seen = await until(context, both, order_id, lambda s: s.status is BulkStatus.DONE)
        assert seen.counts[ItemState.DONE] == 3
        # As after a kill between the procedure's answer and the mark: the same items once more.
        async with context.transaction() as session:
            for n in range(3):
                (await session.get_one(BulkItem, (order_id, n))).state = ItemState.WAITING.value
            order = await session.get_one(type(seen.order), order_id)
            order.status = BulkStatus.RUNNING.value
        assert await bulk_work.work_on(context, order_id, 0, beat=lambda: None) is bulk_work.Worked.OVER
        assert (await show_bulk(context, both, order_id)).counts[ItemState.DONE] == 3
        for claim in claims:
            case = await Hands(context, claim.number, both, both).until(lambda c: c.stage == "documents")
            async with context.transaction() as session:
                query = select(DocumentRequest).where(DocumentRequest.case_id == case.id)
                (request,) = (await session.execute(query)).scalars().all()
                answered = select(JournalEntry).where(
                    JournalEntry.case_id == case.id, col(JournalEntry.type) == "task.completed"
                )
                (answer,) = (await session.execute(answered)).scalars().all()
            assert request.items.keys() >= {"identity", "bank_account", "driving_licence"}
            assert "policy" not in request.items
            assert answer.actor == both.id
        await assert_provable(context)
