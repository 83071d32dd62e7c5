"""A whole office at work on one claim, while time may be skipped: its cast plays every branch of the procedure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import anyio.to_thread
from sqlmodel import SQLModel, col, select
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from lian.auth.actor import Actor
from lian.db.crypto import KeyRing
from lian.db.journal import compare, verify
from lian.db.tables import Decision, Exposure, JournalEntry, LedgerLine, Payment, Staff, Task
from lian.domain.messages import CommandResult
from lian.notify.mail import NoMailer
from lian.runtime import open_context
from lian.services.accounts import actor_for
from lian.services.actions import act
from lian.services.context import Context
from lian.services.desk import complete_task, find_task
from lian.services.relay import relay_once
from lian.settings import Settings
from lian.storage.bank_files import render_pain_002
from tests.cast import CAST, as_customer, hire, reported_claim
from tests.certificates import assert_every_verdict_follows
from tests.servers import TEST_SERVER
from tests.workflows.hands import PATIENCE, Hands, Json, usual_answer
from workflows.codec import data_converter
from workflows.gateway import TemporalProcess
from workflows.worker import running_worker

WHO = {
    "authorise": "li",
    "authorise_advance": "li",
    "approve_correction": "li",
    "approve_reversal": "li",
    "verify_account": "chen",
    "confirm_account": "customer",
    "clear_sanctions": "qian",
    "examine_suspicion": "shen",
    "review_objection": "chen",
}
"""Who usually does what; everything else is Wang's."""


@dataclass
class Office(Hands):
    """One claim and everybody who may have to do with it."""

    people: dict[str, Actor] = field(default_factory=dict)
    env: WorkflowEnvironment | None = None

    async def who(self, name: str) -> Actor:
        """A member of the cast, hired when first needed, or the claim's customer."""
        if name == "customer":
            return await as_customer(self.context, self.number)
        if name not in self.people:
            async with self.context.transaction() as session:
                staff = (await session.execute(select(Staff).where(Staff.username == name))).scalars().first()
            self.people[name] = actor_for(staff) if staff else await hire(self.context, name)
        return self.people[name]

    async def does(self, kind: str, *, by: str = "", notes: str = "看过了，理由充分", **changes: Any) -> Task:
        """Somebody answers the open task of this kind, as usual but for the changes."""
        actor = await self.who(by or WHO.get(kind, "wang"))
        if actor.is_customer:
            return await self._customer_answers(actor, kind, changes)
        return await self.answer(kind, by=actor, notes=notes, **changes)

    async def _customer_answers(self, customer: Actor, kind: str, changes: Json) -> Task:
        task = await self.open_task(kind)
        outcome = usual_answer(kind, task.ask) | changes
        await complete_task(self.context, customer, task.id, outcome=outcome, notes="", command_id=uuid4().hex)
        async with self.context.transaction() as session:
            return (await find_task(session, await self.who("li"), task.id)).task

    async def acts(
        self, action: str, *, by: str, notes: str = "说明理由", command_id: str = "", **outcome: Any
    ) -> CommandResult:
        """Somebody does something of their own accord."""
        return await act(
            self.context,
            await self.who(by),
            self.number,
            action,
            outcome=outcome,
            notes=notes,
            command_id=command_id or uuid4().hex,
        )

    async def pass_time(self, duration: timedelta) -> None:
        """Let that much time go by."""
        assert self.env is not None
        await self.env.sleep(duration)

    async def decide(self, **changes: Any) -> None:
        """The usual way from the review to a decision."""
        for kind in ("initial_review", "assess_loss"):
            await self.does(kind)
        await self.does("adjudicate", **changes)

    async def settle(self, **changes: Any) -> None:
        """Agree the settlement and have the bank pay it."""
        await self.does("agree_settlement", **changes)
        await self.bank_answers()

    async def closed(self, outcome: str) -> None:
        """The claim has ended like this, and everything about it can be proven."""
        case = await self.until(lambda c: c.status == "closed")
        assert case.outcome == outcome
        await assert_sound(self.context)

    async def rows(self, model: type[SQLModel]) -> list[Any]:
        """All rows of the case in one table."""
        case = await self.case()
        async with self.context.transaction() as session:
            query = select(model).where(model.case_id == case.id)  # type: ignore[attr-defined]
            return list((await session.execute(query)).scalars())

    async def types(self) -> list[str]:
        """What happened, in order."""
        entries = sorted(await self.rows(JournalEntry), key=lambda e: e.chain_seq)
        return [e.type for e in entries]

    async def loss(self) -> str:
        """The id of the claim's first exposure."""
        return str((await self.rows(Exposure))[0].id)

    async def payment(self, status: str) -> Payment:
        """The payment with this status, once there is one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [p for p in await self.rows(Payment) if p.status == status]
                if found:
                    return found[-1]
                await asyncio.sleep(0.05)

    async def payee_bank_returns(self, payment: Payment | None = None) -> None:
        """The payee's bank sends the money back some days after it was paid."""
        back = payment or await self.payment("confirmed")

        def late_answer() -> None:
            original = self.context.store.read(back.instruction_key, limit=1_000_000)
            answer = render_pain_002(original, accepted=False, reason="AC04", at=datetime.now(UTC))
            self.context.store.put_bytes(f"bank/in/{uuid4()}.xml", answer, content_type="application/xml")

        await anyio.to_thread.run_sync(late_answer)


async def assert_sound(context: Context) -> None:
    """I3 and I4: the chain verifies, rows equal a rebuild, the ledger balances, paid <= approved."""
    async with context.transaction() as session:
        assert (await verify(session)).damages == []
        assert (await compare(session, context.ring)).damages == []
        lines = (await session.execute(select(LedgerLine))).scalars().all()
        assert sum((line.amount for line in lines), Decimal(0)) == 0
        decisions = (await session.execute(select(Decision).order_by(col(Decision.decided_at)))).scalars().all()
        assert all(d.authorised_by != d.decided_by for d in decisions)
    await assert_every_verdict_follows(context)


async def add_search_attributes(client: Client) -> None:
    names = ("CaseKind", "Stage", "Region", "PolicyVersion")
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=client.namespace, search_attributes=dict.fromkeys(names, keyword))
    )


@asynccontextmanager
async def office(settings: Settings, **report: Any) -> AsyncIterator[Office]:
    """A claim just reported, in an installation on the time-skipping server."""
    ring = KeyRing(settings.key_ring)
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEST_SERVER), data_converter=data_converter(ring)
    ) as env:
        await add_search_attributes(env.client)

        async def client() -> Any:
            return env.client

        async with (
            open_context(settings, TemporalProcess(client)) as context,
            running_worker(env.client, context, NoMailer(), cached=50),
        ):
            await asyncio.to_thread(context.store.ensure_bucket)
            yield await new_claim(context, env, **report)


async def new_claim(context: Context, env: WorkflowEnvironment, **report: Any) -> Office:
    """One more claim in the same office."""
    registered = await reported_claim(context, **report)
    await relay_once(context)
    made = Office(context, registered.number, None, None, env=env)  # type: ignore[arg-type]
    made.adjuster, made.second = await made.who("wang"), await made.who("li")
    return made


__all__ = ["CAST", "Office", "assert_sound", "new_claim", "office"]
