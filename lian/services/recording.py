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
from sqlmodel import select

from lian.db.journal import append
from lian.db.tables import Case, Decision, DocumentRequest, OutboxMessage, Payment, Staff
from lian.domain import journal as j
from lian.domain.claims.actions import OVERRIDE_REASONS
from lian.domain.labels import Label
from lian.services.context import Context
from lian.services.notices import Words, queue_notice, tell_customer

START_CASE = "start_case"
START_PAYMENT = "start_payment"
CLOSE_REQUEST = "close_request"
PAYMENT_SETTLED = "payment_settled"
PAYMENT_RETURNED = "payment_returned"
BANK_ANSWERED = "bank_answered"
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
    """Append events and queue what follows from each; returns the chain position of the last."""
    now = context.now()
    position = await append(
        session, context.ring, case_id=case_id, recorded=recorded, source=source, first_seq=first_seq, now=now
    )
    for item in recorded:
        await _follow(context, session, case_id, item, now)
    return position


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
    event = item.event
    match event:
        case j.CaseSubmitted():
            await enqueue(
                session, topic=START_CASE, key=f"start:{case_id}:1", payload={"case_id": str(case_id)}, now=now
            )
        case j.CaseReopened():
            key = f"start:{case_id}:{event.generation}"
            await enqueue(session, topic=START_CASE, key=key, payload={"case_id": str(case_id)}, now=now)
        case j.PaymentRequested():
            payload = {"case_id": str(case_id), "payment_id": str(event.payment_id)}
            await enqueue(session, topic=START_PAYMENT, key=f"pay:{event.payment_id}", payload=payload, now=now)
        case j.PaymentConfirmed() | j.PaymentRejected():
            await _tell_of_payment(session, case_id, event.payment_id, now)
        case j.PaymentReturned():
            await _tell_of_return(session, case_id, event, now)
        case j.AuthorityOverridden():
            await _alert_compliance(context, session, case_id, event)
        case j.DocumentReceived() | j.RequestOpened():
            await _close_answered_request(session, case_id, item.at, now)
    await tell_customer(context, session, case_id, item)


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


async def name_of_staff(session: AsyncSession, actor: str) -> str:
    """The display name behind an actor id; the id itself when it is no account's."""
    staff = await session.get(Staff, UUID(actor.removeprefix("staff:"))) if actor.startswith("staff:") else None
    return staff.name if staff else actor


async def _tell_of_payment(session: AsyncSession, case_id: UUID, payment_id: UUID, now: datetime) -> None:
    payment = await session.get_one(Payment, payment_id)
    payload = {"case_id": str(case_id), "payment_id": str(payment_id), "status": payment.status}
    await enqueue(session, topic=PAYMENT_SETTLED, key=f"settled:{payment_id}", payload=payload, now=now)


async def _tell_of_return(session: AsyncSession, case_id: UUID, event: j.PaymentReturned, now: datetime) -> None:
    payment = await session.get_one(Payment, event.payment_id)
    payload = {
        "case_id": str(case_id),
        "payment_id": str(payment.id),
        "amount": str(payment.amount),
        "reduced": str(event.reduced),
    }
    await enqueue(session, topic=PAYMENT_RETURNED, key=f"returned:{payment.id}", payload=payload, now=now)


async def _close_answered_request(session: AsyncSession, case_id: UUID, received_at: datetime, now: datetime) -> None:
    """The last required item ends the request at the moment it was received; a partial upload does not (CLM-5)."""
    query = select(DocumentRequest).where(DocumentRequest.case_id == case_id, DocumentRequest.status == "open")
    for request in (await session.execute(query)).scalars():
        if all(request.items.values()):
            payload = {
                "case_id": str(case_id),
                "request_id": str(request.id),
                "how": "answered",
                "closed_at": received_at.isoformat(),
            }
            await enqueue(session, topic=CLOSE_REQUEST, key=f"answered:{request.id}", payload=payload, now=now)
