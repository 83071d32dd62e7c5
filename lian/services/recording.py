"""Putting facts on record, with all that follows from them, in one transaction.

What follows is data: an event may ask the outbox to start a transfer or tell a process, and the customer to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.db.journal import append
from lian.db.tables import (
    Case,
    Clock,
    CommandReceipt,
    Decision,
    DocumentRequest,
    OutboxMessage,
    Payment,
    Staff,
    Task,
)
from lian.domain import journal as j
from lian.domain.case_kinds import NOT_WAITED_FOR
from lian.domain.claims.actions import OVERRIDE_REASONS
from lian.domain.desk import ConflictReason
from lian.domain.labels import Label
from lian.domain.promise_actions import DOCUMENTS
from lian.domain.promise_tasks import EXPLAIN_LATENESS
from lian.domain.sla import Escalation
from lian.domain.status import TaskStatus
from lian.services.alerts import note_alerts
from lian.services.announcing import note_change
from lian.services.context import Context
from lian.services.notices import Words, queue_notice, tell_customer
from lian.services.ports import Rows
from lian.services.route_tables import route_opened
from lian.services.search_words import note_words

START_CASE = "start_case"
START_PAYMENT = "start_payment"
CLOSE_REQUEST = "close_request"
PAYMENT_SETTLED = "payment_settled"
PAYMENT_RETURNED = "payment_returned"
BANK_ANSWERED = "bank_answered"
REPLAN = "replan"
BULK = "bulk"
SYSTEM = "system"
COMPLIANCE = "compliance"
"""Recipient of what compliance must know; the outbox page shows it to them."""


async def put_on_record(
    context: Context,
    session: AsyncSession,
    *,
    case_id: UUID,
    recorded: Sequence[j.Recorded],
    source: str = "desk",
    first_seq: int | None = None,
) -> int:
    """Append events and queue what follows from each; returns the chain position of the last.

    From what a repeated batch says once more nothing follows once more.
    """
    now = context.now()
    done = await append(
        session, context.ring, case_id=case_id, recorded=recorded, source=source, first_seq=first_seq, now=now
    )
    if not done.fresh:
        return done.position
    await note_words(session, context.ring, case_id, [item.event for item in done.fresh])
    for item in done.fresh:
        await _follow(context, session, case_id, item, now)
    note_change(session, case_id, done.fresh, done.position)
    return done.position


async def give_receipt(context: Context, session: AsyncSession, case_id: UUID, command_id: str, seq: int) -> None:
    """A command has taken effect at the desk: repeats get the same result."""
    row = {"command_id": command_id, "case_id": case_id, "result": {"seq": seq}, "at": context.now()}
    await session.execute(insert(CommandReceipt).values(**row))


async def enqueue(session: AsyncSession, *, topic: str, key: str, payload: dict[str, Any], now: datetime) -> None:
    """Ask the relay to tell somebody; one message per key, however often it is asked."""
    await session.execute(
        insert(OutboxMessage)
        .values(
            id=uuid4(),
            topic=topic,
            key=key,
            payload=payload,
            created_at=now,
            next_attempt_at=now,
            attempts=0,
            last_error="",
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )


async def _follow(context: Context, session: AsyncSession, case_id: UUID, item: j.Recorded, now: datetime) -> None:
    match item.event:
        case j.CaseSubmitted() | j.CaseReopened():
            await _start(session, case_id, item.event, now)
        case j.PaymentRequested() | j.PaymentConfirmed() | j.PaymentRejected():
            await _follow_payment(session, case_id, item.event, now)
        case j.AuthorityOverridden() as overridden:
            await _alert_compliance(context, session, case_id, overridden)
        case j.PartyAdded() as added:
            await _bar_own_case(context, session, case_id, added)
        case j.DocumentReceived() | j.RequestOpened():
            await _close_answered_request(session, case_id, item.at, now)
        case j.ClockRungReached() | j.ClockBreachWithdrawn():
            await _follow_clock(context, session, case_id, item)
        case j.TaskOpened() as opened:
            await _route(context, session, case_id, opened)
    await tell_customer(context, session, case_id, item)


async def _start(session: AsyncSession, case_id: UUID, event: j.CaseSubmitted | j.CaseReopened, now: datetime) -> None:
    generation = event.generation if isinstance(event, j.CaseReopened) else 1
    payload = {"case_id": str(case_id)}
    await enqueue(session, topic=START_CASE, key=f"start:{case_id}:{generation}", payload=payload, now=now)


async def _follow_payment(
    session: AsyncSession,
    case_id: UUID,
    event: j.PaymentRequested | j.PaymentConfirmed | j.PaymentRejected,
    now: datetime,
) -> None:
    if not isinstance(event, j.PaymentRequested):
        await _tell_of_payment(session, case_id, event.payment_id, now)
        return
    payload = {"case_id": str(case_id), "payment_id": str(event.payment_id)}
    await enqueue(session, topic=START_PAYMENT, key=f"pay:{event.payment_id}", payload=payload, now=now)


async def _follow_clock(context: Context, session: AsyncSession, case_id: UUID, item: j.Recorded) -> None:
    match item.event:
        case j.ClockRungReached() as rung:
            await _escalate(context, session, case_id, item.at, rung)
        case j.ClockBreachWithdrawn() as withdrawn:
            await _ask_no_longer_why(context, session, case_id, withdrawn.clock)


async def _escalate(
    context: Context, session: AsyncSession, case_id: UUID, seen_at: datetime, rung: j.ClockRungReached
) -> None:
    """A clock has come to a rung of its ladder: some are to know, and whoever has the work may have to give it back."""
    await note_alerts(session, case_id, rung, seen_at=seen_at, now=context.now())
    if Escalation.REASSIGN not in rung.actions:
        return
    held = select(Task.id).where(Task.case_id == case_id, Task.status == TaskStatus.OPEN.value, Task.holder != "")
    tasks = await session.execute(held.where(col(Task.kind).not_in(NOT_WAITED_FOR)).order_by(col(Task.id)))
    released = [j.Recorded(at=seen_at, actor=SYSTEM, event=j.TaskReleased(task_id=t)) for t in tasks.scalars()]
    if released:
        await put_on_record(context, session, case_id=case_id, recorded=released)


async def _bar_own_case(context: Context, session: AsyncSession, case_id: UUID, event: j.PartyAdded) -> None:
    """A case in which somebody of ours takes part is not for them (TSK-5)."""
    query = select(Staff).where(Staff.person_id == event.person_id)
    for staff in (await session.execute(query)).scalars().all():
        barred = j.CaseBarred(actor=f"staff:{staff.id}", reason=ConflictReason.OWN_CASE)
        recorded = [j.Recorded(at=context.now(), actor=SYSTEM, event=barred)]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def _route(context: Context, session: AsyncSession, case_id: UUID, opened: j.TaskOpened) -> None:
    """The table of routes may say that the task belongs elsewhere, or before others (TSK-3)."""
    routed = await route_opened(context, session, opened)
    if routed is not None:
        recorded = [j.Recorded(at=context.now(), actor=SYSTEM, event=routed)]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def _alert_compliance(
    context: Context, session: AsyncSession, case_id: UUID, event: j.AuthorityOverridden
) -> None:
    """Break-glass is never silent (CLM-9): compliance learns at once who let what stand above the table, and why."""
    case = await session.get_one(Case, case_id)
    decision = await session.get_one(Decision, event.decision_id)
    amount = f"{case.currency} {decision.approved_amount:,.2f}"
    who = await name_of_staff(session, event.overridden_by)
    why = OVERRIDE_REASONS.get(event.why, Label(event.why, event.why))
    words = Words(
        f"{case.number}: 越权决定告警 / Authority overridden",
        f"{who} 越权批准金额为 {amount} 的决定，理由：{why.zh}。请复核案件 {case.number}。\n"
        f"{who} let a decision on {amount} stand above the authority table, because: {why.en}. "
        f"Please examine case {case.number}.",
    )
    key = f"{event.TYPE}:{event.decision_id}"
    await queue_notice(context, session, key=key, case_id=case_id, recipient=COMPLIANCE, words=words)


async def name_of_staff(rows: Rows, actor: str) -> str:
    """The display name behind an actor id; the id itself when it is no account's."""
    staff = await rows.get(Staff, UUID(actor.removeprefix("staff:"))) if actor.startswith("staff:") else None
    return staff.name if staff else actor


async def _tell_of_payment(session: AsyncSession, case_id: UUID, payment_id: UUID, now: datetime) -> None:
    payment = await session.get_one(Payment, payment_id)
    payload = {"case_id": str(case_id), "payment_id": str(payment_id), "status": payment.status}
    await enqueue(session, topic=PAYMENT_SETTLED, key=f"settled:{payment_id}", payload=payload, now=now)


async def _close_answered_request(session: AsyncSession, case_id: UUID, received_at: datetime, now: datetime) -> None:
    """The last required item ends the request at the moment it was received; a partial upload does not (CLM-5)."""
    query = select(DocumentRequest).where(
        DocumentRequest.case_id == case_id, DocumentRequest.status == "open", DocumentRequest.reason == DOCUMENTS
    )
    for request in (await session.execute(query)).scalars():
        if all(request.items.values()):
            payload = {
                "case_id": str(case_id),
                "request_id": str(request.id),
                "how": "answered",
                "closed_at": received_at.isoformat(),
            }
            await enqueue(session, topic=CLOSE_REQUEST, key=f"answered:{request.id}", payload=payload, now=now)


async def _ask_no_longer_why(context: Context, session: AsyncSession, case_id: UUID, name: str) -> None:
    """The promise is not broken after all, so nobody need say why; the process does not wait for that answer.

    Where it was broken anew in the same step, only what was asked before is no longer needed.
    """
    clock = await session.get_one(Clock, (case_id, name))
    query = select(Task).where(
        Task.case_id == case_id, Task.kind == EXPLAIN_LATENESS.id, Task.status == TaskStatus.OPEN.value
    )
    found = (await session.execute(query.order_by(col(Task.opened_at)))).scalars()
    asked = [task.id for task in found if task.ask.get("clock") == name]
    past = asked[:-1] if clock.breached_at else asked
    if past:
        events = [j.TaskCancelled(task_id=task_id, why="not_broken") for task_id in past]
        recorded = [j.Recorded(at=context.now(), actor=SYSTEM, event=event) for event in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)
