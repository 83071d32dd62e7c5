"""What a process must survive: replay at every step, a new history, time passing, readers of Temporal's store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlmodel import col, select
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from lian.db.crypto import KeyRing
from lian.db.journal import compare, verify
from lian.db.tables import Clock, JournalEntry, Task
from lian.domain.messages import case_workflow_id
from lian.notify.mail import NoMailer
from lian.runtime import open_context
from lian.services.context import Context
from lian.services.relay import relay_once
from lian.settings import Settings
from tests.cast import ZHAO, hire, reported_claim
from tests.installation import installation
from tests.servers import TEST_SERVER, Servers
from tests.workflows.hands import Hands
from workflows import options
from workflows.codec import data_converter
from workflows.gateway import TemporalProcess
from workflows.registry import WORKFLOWS
from workflows.sandbox import runner
from workflows.worker import running_worker


async def paid(context: Context) -> Hands:
    registered = await reported_claim(context)
    hands = Hands(context, registered.number, await hire(context, "wang"), await hire(context, "li"))
    await hands.answer("initial_review", missing=["identity"])
    await hands.upload("identity")
    for kind in ("check_documents", "assess_loss", "adjudicate", "agree_settlement"):
        await hands.answer(kind)
    await hands.bank_answers()
    await hands.until(lambda c: c.status == "closed")
    return hands


async def history_of(client: Client, hands: Hands) -> WorkflowHistory:
    return await client.get_workflow_handle(case_workflow_id((await hands.case()).id)).fetch_history()


async def replay(history: WorkflowHistory, settings: Settings) -> None:
    replayer = Replayer(
        workflows=WORKFLOWS,
        workflow_runner=runner(),
        data_converter=data_converter(KeyRing(settings.key_ring)),
    )
    result = await replayer.replay_workflow(history)
    assert result.replay_failure is None


async def test_a_claim_replayed_at_every_single_step_ends_the_same(settings: Settings) -> None:
    async with installation(settings, cached=0) as (context, client):
        hands = await paid(context)
        assert (await hands.case()).outcome == "paid"
        await replay(await history_of(client, hands), settings)


async def test_a_long_case_rolls_over_between_stages_and_loses_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "EVENTS_BEFORE_ROLLOVER", 1)
    async with installation(settings) as (context, client):
        hands = await paid(context)
        case = await hands.case()
        assert case.outcome == "paid"
        async with context.transaction() as session:
            assert (await verify(session)).damages == []
            assert (await compare(session, context.ring)).damages == []
            clocks = (await session.execute(select(Clock).where(Clock.case_id == case.id))).scalars().all()
        assert {c.status for c in clocks} == {"met"}
        history = await history_of(client, hands)
        started = history.events[0].workflow_execution_started_event_attributes
        assert started.continued_execution_run_id


@pytest.mark.req("CLM-4")
async def test_a_review_not_done_within_48_hours_is_a_breach_at_the_legal_instant(settings: Settings) -> None:
    ring = KeyRing(settings.key_ring)
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEST_SERVER), data_converter=data_converter(ring)
    ) as env:
        await add_search_attributes(env.client)

        async def client() -> Client:
            return env.client

        async with (
            open_context(settings, TemporalProcess(client)) as context,
            running_worker(env.client, context, NoMailer(), cached=50),
        ):
            registered = await reported_claim(context)
            await relay_once(context)
            hands = Hands(context, registered.number, await hire(context, "wang"), await hire(context, "li"))
            await hands.open_task("initial_review")
            await env.sleep(timedelta(hours=60))
            case = await hands.case()
            async with context.transaction() as session:
                clock = await session.get_one(Clock, (case.id, "claim.initial_review"))
                types = (
                    (
                        await session.execute(
                            select(JournalEntry.type).where(
                                JournalEntry.case_id == case.id, col(JournalEntry.type).like("clock.%")
                            )
                        )
                    )
                    .scalars()
                    .all()
                )
            assert case.received_at is not None
            assert clock.breached_at == case.received_at + timedelta(hours=48)
            assert types.count("clock.breached") == 1
            assert types.count("clock.warned") >= 1
            await hands.answer("initial_review")
            async with context.transaction() as session:
                clock = await session.get_one(Clock, (case.id, "claim.initial_review"))
            assert clock.status == "late"


async def add_search_attributes(client: Client) -> None:
    names = ("CaseKind", "Stage", "Region", "PolicyVersion")
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=client.namespace, search_attributes=dict.fromkeys(names, keyword))
    )


@pytest.mark.req("SEC-2")
async def test_temporals_own_file_holds_no_personal_data_and_no_free_text(settings: Settings, servers: Servers) -> None:
    canary = f"金丝雀{uuid4().hex}"
    async with installation(settings) as (context, client):
        registered = await reported_claim(context, course=canary, place=canary)
        hands = Hands(context, registered.number, await hire(context, "wang"), await hire(context, "li"))
        await hands.answer("initial_review")
        history = await history_of(client, hands)
    stored = b"".join(e.SerializeToString() for e in history.events)
    for secret in (canary, ZHAO.name, ZHAO.phone, "看过了"):
        assert secret.encode() not in stored
    files = [p for p in Path(servers.temporal_database).parent.glob("temporal.db*") if p.is_file()]
    assert files
    whole = b"".join(p.read_bytes() for p in files)
    for secret in (canary, ZHAO.phone, "看过了"):
        assert secret.encode() not in whole


async def test_nobody_is_left_with_an_open_task_when_the_case_is_closed(settings: Settings) -> None:
    async with installation(settings) as (context, _):
        hands = await paid(context)
        case = await hands.case()
        async with context.transaction() as session:
            tasks = (await session.execute(select(Task).where(Task.case_id == case.id))).scalars().all()
        assert {t.status for t in tasks} == {"completed"}
