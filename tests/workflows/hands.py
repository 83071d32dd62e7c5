"""People at work in tests: they take tasks from queues and answer them through the services, as the pages do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import anyio.to_thread
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.tables import Case, Payment, Task
from lian.domain.errors import Conflict, Unavailable
from lian.services.context import Context
from lian.services.desk import claim_task, complete_task, show_task
from lian.services.documents import add_document
from lian.storage.bank_files import render_pain_002
from tests.cast import as_customer, once, pdf

Json = dict[str, Any]
PATIENCE = 40.0


def _losses(ask: Json) -> Json:
    return {"losses": [{k: r[k] for k in ("exposure_id", "assessed_amount")} for r in ask["rows"]["losses"]]}


def _decisions(ask: Json) -> Json:
    rows = ask["rows"]["decisions"]
    return {"decisions": [{k: r[k] for k in ("exposure_id", "result", "payable_amount")} for r in rows]}


def _different(ask: Json) -> Json:
    rows = ask["rows"]["likenesses"]
    return {"likenesses": [{"other_case_id": r["other_case_id"], "relation": "different"} for r in rows]}


def _payees(ask: Json) -> Json:
    bank = {"name": "赵磊", "account": "6222020200112233", "bank": "ICBC"}
    return {"payees": [row | bank for row in ask["rows"]["payees"]], "extent": ""}


USUAL: dict[str, Callable[[Json], Json]] = {
    "initial_review": lambda ask: {"complexity": ask["complexity"], "missing": []},
    "check_documents": lambda _: {"refused": []},
    "assess_loss": _losses,
    "adjudicate": _decisions,
    "judge_duplicate": _different,
    "agree_settlement": _payees,
    "examine_suspicion": lambda _: {"outcome": "cleared"},
    "panel_vote": lambda _: {"vote": "agree"},
    "review_objection": lambda _: {"result": "upheld"},
    "clear_sanctions": lambda _: {"is_clear": True},
    **dict.fromkeys(
        ("authorise", "authorise_advance", "approve_correction", "approve_reversal"), lambda _: {"agree": True}
    ),
    **dict.fromkeys(
        ("scene_survey", "record_review", "witness_interview", "external_adjuster"), lambda _: {"finding": "supports"}
    ),
    **dict.fromkeys(("verify_account", "confirm_account"), lambda _: {"is_right": True}),
}


def usual_answer(kind: str, ask: Json) -> Json:
    """What somebody answers who agrees with everything."""
    return USUAL[kind](ask)


@dataclass
class Hands:
    """The cast working on one case."""

    context: Context
    number: str
    adjuster: Actor
    second: Actor

    async def case(self) -> Case:
        """The case as it stands."""
        async with self.context.transaction() as session:
            return (await session.execute(select(Case).where(Case.number == self.number))).scalars().one()

    async def until(self, wanted: Callable[[Case], bool]) -> Case:
        """The case once it is as wanted."""
        async with asyncio.timeout(PATIENCE):
            while not wanted(case := await self.case()):
                await asyncio.sleep(0.05)
        return case

    async def open_task(self, kind: str) -> Task:
        """The open task of this kind, once there is one."""
        case = await self.case()
        query = select(Task).where(Task.case_id == case.id, Task.kind == kind, Task.status == "open")
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.context.transaction() as session:
                    found = (await session.execute(query)).scalars().first()
                if found is not None:
                    return found
                await asyncio.sleep(0.05)

    async def answer(self, kind: str, *, by: Actor | None = None, notes: str = "看过了", **changes: Any) -> Task:
        """Take the task on and answer it, as usual but for the changes."""
        actor = by or (self.second if kind == "authorise" else self.adjuster)
        task = await self.open_task(kind)
        await claim_task(self.context, actor, task.id)
        outcome = usual_answer(kind, task.ask) | changes
        command_id = uuid4().hex
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await complete_task(
                        self.context, actor, task.id, outcome=outcome, notes=notes, command_id=command_id
                    )
                    return (await show_task(self.context, actor, task.id)).task
                except Unavailable:
                    await asyncio.sleep(0.2)

    async def upload(self, *codes: str) -> None:
        """The customer sends documents, each different."""
        customer = await as_customer(self.context, self.number)
        for code in codes:
            body = once(pdf(f"{code} {uuid4()}"))
            await add_document(self.context, customer, self.number, item_code=code, filename=f"{code}.pdf", chunks=body)

    async def bank_answers(self, *, accepted: bool = True, reason: str = "") -> None:
        """The bank takes every instruction of the case it has and answers it."""
        case = await self.case()
        query = select(Payment).where(Payment.case_id == case.id)
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.context.transaction() as session:
                    payments = list((await session.execute(query)).scalars())
                sent = [p for p in payments if p.status == "sent"]
                if sent and not any(p.status == "requested" for p in payments):
                    break
                await asyncio.sleep(0.05)
        for payment in sent:
            await anyio.to_thread.run_sync(self._answer_file, payment, accepted, reason)

    def _answer_file(self, payment: Payment, accepted: bool, reason: str) -> None:
        store = self.context.store
        original = store.read(payment.instruction_key, limit=1_000_000)
        answer = render_pain_002(original, accepted=accepted, reason=reason, at=datetime.now(UTC))
        store.put_bytes(f"bank/in/{payment.id}.xml", answer, content_type="application/xml")


__all__ = ["Conflict", "Hands", "usual_answer"]
