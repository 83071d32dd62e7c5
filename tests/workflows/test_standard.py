"""An inquiry on the real servers, run from its definition alone (INQ-1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from lian.auth.actor import Actor
from lian.db.crypto import KeyRing
from lian.db.tables import Case, Clock, JournalEntry, Message, Task
from lian.domain.case_kinds import KINDS
from lian.domain.claims.fnol import PersonGiven
from lian.domain.errors import Conflict, Invalid, NotAllowed
from lian.domain.messages import case_workflow_id
from lian.domain.parties import Channel
from lian.notify.mail import NoMailer
from lian.runtime import open_context
from lian.services.context import Context
from lian.services.desk import claim_task, complete_task
from lian.services.handling import reopen
from lian.services.opening import Registered, open_case
from lian.services.relay import relay_once
from lian.services.tracking import track, withdraw
from lian.settings import Settings
from tests.cast import OFFICE, ZHAO, as_customer, hire
from tests.installation import installation
from tests.made_up import SURVEY
from tests.servers import TEST_SERVER
from tests.workflows.test_claim import assert_provable
from tests.workflows.test_durability import add_search_attributes, replay
from workflows import options
from workflows.codec import data_converter
from workflows.gateway import TemporalProcess
from workflows.worker import running_worker

pytestmark = [pytest.mark.req("INQ-1"), pytest.mark.kind("inquiry")]

QUESTION = "我的保单可以在国外使用吗？"
REPLY = "可以，保险期间内全球有效。"
CLOCK = "inquiry.answer"
PATIENCE = 40.0


async def asked(context: Context, *, reporter: PersonGiven = ZHAO) -> Registered:
    """Zhao asks a question."""
    registered, _ = await open_case(
        context,
        OFFICE,
        "inquiry",
        answers={"topic": "policy", "text": QUESTION},
        reporter=reporter,
        channel=Channel.WEB,
        key=uuid4().hex,
    )
    return registered


@dataclass
class Inquiry:
    """One inquiry, and what people do with it."""

    context: Context
    number: str

    async def case(self) -> Case:
        async with self.context.transaction() as session:
            return (await session.execute(select(Case).where(Case.number == self.number))).scalars().one()

    async def rows(self, model: type[Any]) -> list[Any]:
        case = await self.case()
        async with self.context.transaction() as session:
            return list((await session.execute(select(model).where(model.case_id == case.id))).scalars())

    async def closed(self) -> Case:
        async with asyncio.timeout(PATIENCE):
            while (case := await self.case()).status != "closed":
                await asyncio.sleep(0.05)
        return case

    async def open_task(self, kind: str) -> Task:
        async with asyncio.timeout(PATIENCE):
            while True:
                for task in await self.rows(Task):
                    if (task.kind, task.status) == (kind, "open"):
                        return task
                await asyncio.sleep(0.05)

    async def answer(self, kind: str, by: Actor, *, result: str = "answered", reply: str = REPLY) -> str:
        task = await self.open_task(kind)
        await claim_task(self.context, by, task.id)
        command, outcome = uuid4().hex, {"result": result, "reply": reply}
        await complete_task(self.context, by, task.id, outcome=outcome, notes="", command_id=command)
        return command


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[tuple[Context, Client]]:
    async with installation(settings) as (context, client):
        yield context, client


async def test_a_question_is_answered_in_time_and_the_customer_reads_the_answer(
    live: tuple[Context, Client], settings: Settings
) -> None:
    context, client = live
    inquiry = Inquiry(context, (await asked(context)).number)
    sun = await hire(context, "sun")
    await inquiry.answer("answer_inquiry", sun)
    case = await inquiry.closed()
    assert (case.outcome, case.number[:4], case.course) == ("answered", "INQ-", QUESTION)
    (clock,) = await inquiry.rows(Clock)
    assert (clock.clock, clock.status) == (CLOCK, "met")
    assert clock.due_at == case.received_at + timedelta(hours=24)
    (message,) = await inquiry.rows(Message)
    assert (message.direction, message.body, message.author) == ("out", REPLY, sun.id)
    (task,) = await inquiry.rows(Task)
    assert task.outcome == {"result": "answered", "reply": str(message.id)}
    seen = await track(context, await as_customer(context, inquiry.number), inquiry.number)
    assert seen.headline.en == "Your question is answered"
    assert [m.body for m in seen.messages] == [REPLY]
    assert [s.label.en for s in seen.steps] == ["Received", "Answer", "Closed"], "no specialist was needed"
    await assert_provable(context)
    history = await client.get_workflow_handle(case_workflow_id(case.id)).fetch_history()
    stored = b"".join(e.SerializeToString() for e in history.events)
    for secret in (QUESTION, REPLY, ZHAO.name, ZHAO.phone):
        assert secret.encode() not in stored
    await replay(history, settings)


async def test_what_one_cannot_answer_another_does(live: tuple[Context, Client]) -> None:
    context, _ = live
    inquiry = Inquiry(context, (await asked(context)).number)
    li = await hire(context, "li")
    await inquiry.answer("answer_inquiry", li, result="needs_specialist", reply="")
    task = await inquiry.open_task("answer_as_specialist")
    assert (task.queue, task.excluded, task.ask) == ("inquiries.specialist", [li.id], {"topic": "policy"})
    with pytest.raises(NotAllowed):
        await claim_task(context, li, task.id)
    assert (await inquiry.case()).stage == "specialist"
    seen = await track(context, await as_customer(context, inquiry.number), inquiry.number)
    assert [s.label.en for s in seen.steps if s.state == "now"] == ["Specialist"]
    await inquiry.answer("answer_as_specialist", await hire(context, "chen"))
    assert (await inquiry.closed()).outcome == "answered"
    (clock,) = await inquiry.rows(Clock)
    assert clock.status == "met"
    assert len(await inquiry.rows(Message)) == 1, "passing it on writes nothing to the customer"
    await assert_provable(context)


async def test_an_answer_needs_words(live: tuple[Context, Client]) -> None:
    context, _ = live
    inquiry = Inquiry(context, (await asked(context)).number)
    sun = await hire(context, "sun")
    for wrong in ({"reply": " "}, {"result": "paid"}, {"reply": "长" * 4001}):
        with pytest.raises(Invalid):
            await inquiry.answer("answer_inquiry", sun, **wrong)
    assert await inquiry.rows(Message) == []
    assert (await inquiry.open_task("answer_inquiry")).holder == sun.id


async def test_an_answer_given_twice_is_one_message(live: tuple[Context, Client]) -> None:
    context, _ = live
    inquiry = Inquiry(context, (await asked(context)).number)
    sun = await hire(context, "sun")
    task = await inquiry.open_task("answer_inquiry")
    await claim_task(context, sun, task.id)
    command, outcome = uuid4().hex, {"result": "duplicate", "reply": REPLY}
    calls = [complete_task(context, sun, task.id, outcome=outcome, notes="", command_id=command) for _ in range(3)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert {d.seq for d in done if not isinstance(d, BaseException)}
    assert all(isinstance(d, Conflict) for d in done if isinstance(d, BaseException))
    assert (await inquiry.closed()).outcome == "duplicate"
    assert len(await inquiry.rows(Message)) == 1


async def test_a_withdrawn_question_leaves_nothing_open(live: tuple[Context, Client]) -> None:
    context, _ = live
    inquiry = Inquiry(context, (await asked(context)).number)
    await inquiry.open_task("answer_inquiry")
    customer = await as_customer(context, inquiry.number)
    await withdraw(context, customer, inquiry.number, reason="已解决", command_id=uuid4().hex)
    assert (await inquiry.closed()).outcome == "withdrawn"
    assert [t.status for t in await inquiry.rows(Task)] == ["cancelled"]
    assert [c.status for c in await inquiry.rows(Clock)] == ["cancelled"]
    assert (await track(context, customer, inquiry.number)).headline.en == "You withdrew this question"
    await assert_provable(context)


async def test_a_reopened_question_has_a_new_promise_and_goes_on_at_its_step(
    live: tuple[Context, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "EVENTS_BEFORE_ROLLOVER", 1)
    context, _ = live
    inquiry = Inquiry(context, (await asked(context)).number)
    sun, li = await hire(context, "sun"), await hire(context, "li")
    await inquiry.answer("answer_inquiry", sun, result="needs_specialist", reply="")
    await inquiry.answer("answer_as_specialist", li)
    await inquiry.closed()
    with pytest.raises(Invalid):
        await reopen(context, li, inquiry.number, stage="review", reason="客户追问")
    await reopen(context, li, inquiry.number, stage="specialist", reason="客户追问")
    await inquiry.answer("answer_as_specialist", sun, reply="补充说明")
    case = await inquiry.closed()
    assert (case.outcome, case.generation) == ("answered", 2)
    assert {c.clock: c.status for c in await inquiry.rows(Clock)} == {CLOCK: "met", f"{CLOCK}#2": "met"}
    await assert_provable(context)


async def test_a_question_not_answered_within_24_hours_is_a_breach_at_the_legal_instant(settings: Settings) -> None:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEST_SERVER), data_converter=data_converter(KeyRing(settings.key_ring))
    ) as env:
        await add_search_attributes(env.client)

        async def client() -> Client:
            return env.client

        async with (
            open_context(settings, TemporalProcess(client)) as context,
            running_worker(env.client, context, NoMailer(), cached=50),
        ):
            inquiry = Inquiry(context, (await asked(context)).number)
            await relay_once(context)
            await inquiry.open_task("answer_inquiry")
            await env.sleep(timedelta(hours=30))
            case, (clock,) = await inquiry.case(), await inquiry.rows(Clock)
            assert case.received_at is not None
            assert clock.breached_at == case.received_at + timedelta(hours=24)
            query = select(JournalEntry.type).where(
                JournalEntry.case_id == case.id, col(JournalEntry.type).like("clock.%")
            )
            async with context.transaction() as session:
                types = (await session.execute(query)).scalars().all()
            assert (types.count("clock.rung_reached"), types.count("clock.breached")) == (3, 1)
            await inquiry.answer("answer_inquiry", await hire(context, "sun"))
            assert [c.status for c in await inquiry.rows(Clock)] == ["late"]


async def test_a_step_stops_its_own_clock_and_goes_on_whatever_is_answered(
    live: tuple[Context, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, SURVEY.id, SURVEY)
    context, _ = live
    assert SURVEY.intake
    registered, _ = await open_case(
        context,
        OFFICE,
        SURVEY.id,
        answers=SURVEY.intake.examples[0],
        reporter=ZHAO,
        channel=Channel.WEB,
        key=uuid4().hex,
    )
    survey, sun = Inquiry(context, registered.number), await hire(context, "sun")
    for kind, outcome in (("read_survey", {"score": "5"}), ("thank", {"result": "well"})):
        task = await survey.open_task(kind)
        await claim_task(context, sun, task.id)
        await complete_task(context, sun, task.id, outcome=outcome, notes="", command_id=uuid4().hex)
        stopped = {c.clock for c in await survey.rows(Clock) if c.stopped_at}
        assert stopped == ({"survey.read"} if kind == "read_survey" else {"survey.read", "survey.all"})
    assert (await survey.closed()).outcome == "happy"
    await assert_provable(context)
