"""What a process must survive: replay at every step, a new history, time passing, readers of Temporal's store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, select
from temporalio.client import Client, WorkflowHistory
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from activities import journal
from lian.db.crypto import KeyRing
from lian.db.journal import compare, verify
from lian.db.session import DatabaseUnavailable
from lian.db.tables import Clock, JournalEntry, Task
from lian.domain.claims.figures import TOTAL
from lian.domain.errors import Unavailable
from lian.domain.messages import case_workflow_id
from lian.domain.plan import CasePlan
from lian.domain.sla import Unit
from lian.notify.mail import NoMailer
from lian.runtime import open_context
from lian.services import intake, starting
from lian.services.context import Context, utc_now
from lian.services.handling import reopen
from lian.services.relay import relay_once
from lian.settings import Settings
from tests.cast import ZHAO, hire, reported_claim
from tests.installation import installation
from tests.servers import TEST_SERVER, Servers
from tests.workflows.hands import Hands
from tests.workflows.office import add_search_attributes
from tests.workflows.test_claim import assert_provable, at_work, deny, rows
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
            assert types.count("clock.rung_reached") >= 1
            await hands.answer("initial_review")
            async with context.transaction() as session:
                clock = await session.get_one(Clock, (case.id, "claim.initial_review"))
            assert clock.status == "late"


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


@pytest.mark.req("CLM-15")
async def test_a_reopened_case_that_rolls_over_goes_on_where_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "EVENTS_BEFORE_ROLLOVER", 1)
    async with installation(settings) as (context, _):
        hands = await at_work(context)
        await deny(hands)
        await reopen(context, hands.second, hands.number, stage="assessment", reason="新证据")
        for kind in ("assess_loss", "adjudicate", "agree_settlement"):
            await hands.answer(kind)
        await hands.bank_answers()
        case = await hands.until(lambda c: c.status == "closed")
        assert (case.outcome, case.generation) == ("paid", 2)
        await assert_provable(context)


async def test_a_clock_that_comes_due_while_postgres_is_away_is_on_record_before_a_new_history_begins(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, warned_after = timedelta(seconds=20), timedelta(seconds=2)
    put, plan_of = journal.put_on_record, intake.plan_of
    first_asked: list[datetime] = []

    async def an_hour(*args: Any) -> CasePlan:
        plan = await plan_of(*args)
        return replace(plan, clocks=plan.clocks | {TOTAL.id: replace(TOTAL, unit=Unit.HOURS, amount=1)})

    async def put_later(*args: Any, **named: Any) -> int:
        first_asked.append(utc_now())
        if utc_now() < first_asked[0] + away:
            raise DatabaseUnavailable("The database cannot be reached.")
        return await put(*args, **named)

    monkeypatch.setattr(options, "EVENTS_BEFORE_ROLLOVER", 1)
    monkeypatch.setattr(intake, "plan_of", an_hour)
    monkeypatch.setattr(journal, "put_on_record", put_later)
    async with installation(settings) as (context, _):
        context.now = lambda: utc_now() - timedelta(minutes=45) + warned_after
        hands = await at_work(context)
        context.now = utc_now
        await hands.open_task("initial_review")
        case = await hands.case()
        assert "clock.rung_reached" in {e.type for e in await rows(context, JournalEntry, case.id)}
        await assert_provable(context)


@pytest.mark.req("CLM-15")
async def test_a_former_life_that_ended_just_when_it_was_in_the_way_is_not_taken_for_the_new_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with installation(settings) as (context, client):
        hands = await at_work(context)
        await deny(hands)
        case = await hands.case()
        name = case_workflow_id(case.id)
        await client.get_workflow_handle(name).result()

        async def was_running(*_: Any, **__: Any) -> None:
            raise WorkflowAlreadyStartedError(name, "Claim")

        async def ours() -> Client:
            return client

        monkeypatch.setattr(client, "start_workflow", was_running)
        state = await starting.starting_state(context, case.id)
        await TemporalProcess(ours).start(state)
        with pytest.raises(Unavailable):
            await TemporalProcess(ours).start(replace(state, generation=2))


@pytest.mark.req("CLM-15")
async def test_a_life_that_has_ended_is_not_begun_again_when_its_start_is_told_twice(settings: Settings) -> None:
    async with installation(settings) as (context, client):
        hands = await at_work(context)
        await deny(hands)
        await reopen(context, hands.second, hands.number, stage="decision", reason="新证据")
        await hands.open_task("adjudicate")
        case = await hands.case()
        told = await starting.starting_state(context, case.id)
        await hands.answer("adjudicate")
        await hands.until(lambda c: c.status == "closed")
        handle = client.get_workflow_handle(case_workflow_id(case.id))
        await handle.result()
        ended = (await handle.describe()).run_id
        assert told.generation == 2

        async def ours() -> Client:
            return client

        await TemporalProcess(ours).start(told)
        assert (await handle.describe()).run_id == ended
