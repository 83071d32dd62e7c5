"""The relay: what a transaction asked of the outside is done afterwards, in order of asking, again until it succeeds.

Several relays may run; each message is taken by one of them. A message is done at least once, and every receiver knows
its key, so doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import anyio.to_thread
import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import SYSTEM
from lian.db.tables import Case, Notice, OutboxMessage
from lian.domain.errors import DomainError
from lian.domain.messages import BankAnswered, BulkRun, CloseRequest, PaymentSettled, PayOut
from lian.domain.status import CaseStatus
from lian.notify.mail import Mail, Mailer, MailRefused, NoMailer
from lian.services.context import Context
from lian.services.recording import (
    BANK_ANSWERED,
    BULK,
    CLOSE_REQUEST,
    PAYMENT_RETURNED,
    PAYMENT_SETTLED,
    REPLAN,
    START_CASE,
    START_PAYMENT,
)
from lian.services.replan_cases import replan_case
from lian.services.returns import payment_returned
from lian.services.starting import starting_state

log = structlog.get_logger()
Json = dict[str, Any]
AT_ONCE = 20
LONGEST_WAIT = timedelta(seconds=60)


async def start_case(context: Context, payload: Json) -> None:
    """Start the case's present life. Told again after that has ended, it would live through everything twice."""
    case_id = UUID(payload["case_id"])
    async with context.transaction() as session:
        if (await session.get_one(Case, case_id)).status != CaseStatus.OPEN:
            return
    await context.process.start(await starting_state(context, case_id))


async def start_payment(context: Context, payload: Json) -> None:
    order = PayOut(case_id=UUID(payload["case_id"]), payment_id=UUID(payload["payment_id"]))
    await context.process.start_payment(order)


async def close_request(context: Context, payload: Json) -> None:
    message = CloseRequest(
        request_id=UUID(payload["request_id"]),
        how=payload["how"],
        closed_at=datetime.fromisoformat(payload["closed_at"]),
        by=payload.get("by", SYSTEM.id),
    )
    await context.process.close_request(UUID(payload["case_id"]), message)


async def payment_settled(context: Context, payload: Json) -> None:
    message = PaymentSettled(payment_id=UUID(payload["payment_id"]), status=payload["status"])
    await context.process.payment_settled(UUID(payload["case_id"]), message)


async def bank_answered(context: Context, payload: Json) -> None:
    message = BankAnswered(
        payment_id=UUID(payload["payment_id"]),
        accepted=payload["accepted"],
        reason=payload["reason"],
        reference=payload["reference"],
    )
    await context.process.bank_answered(message)


async def start_bulk(context: Context, payload: Json) -> None:
    await context.process.start_bulk(BulkRun(order_id=UUID(payload["order_id"]), undo=payload["undo"]))


TOPICS: dict[str, Callable[[Context, Json], Awaitable[None]]] = {
    START_CASE: start_case,
    START_PAYMENT: start_payment,
    CLOSE_REQUEST: close_request,
    PAYMENT_SETTLED: payment_settled,
    PAYMENT_RETURNED: payment_returned,
    BANK_ANSWERED: bank_answered,
    REPLAN: replan_case,
    BULK: start_bulk,
}


async def relay_once(context: Context) -> int:
    """Take and do what is due, a few messages at a time; returns how many were done."""
    async with context.transaction() as session:
        due = await _due(session, context.now())
        done = [await _do(context, message) for message in due]
    return sum(done)


async def _due(session: AsyncSession, now: datetime) -> list[OutboxMessage]:
    query = (
        select(OutboxMessage)
        .where(col(OutboxMessage.done_at).is_(None), OutboxMessage.next_attempt_at <= now)
        .order_by(col(OutboxMessage.next_attempt_at))
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    return list((await session.execute(query)).scalars())


async def _do(context: Context, message: OutboxMessage) -> bool:
    try:
        await TOPICS[message.topic](context, message.payload)
    except Exception as failed:  # whatever went wrong, the message stays and is tried again
        message.attempts += 1
        message.last_error = type(failed).__name__
        wait = min(timedelta(seconds=0.5 * 2 ** min(message.attempts, 10)), LONGEST_WAIT)
        message.next_attempt_at = context.now() + wait
        expected = isinstance(failed, DomainError)
        log.warning("relay_retry", topic=message.topic, attempts=message.attempts, error=type(failed).__name__)
        if not expected:
            log.exception("relay_failed", topic=message.topic)
        return False
    message.done_at = context.now()
    return True


async def send_notices(context: Context, mailer: Mailer) -> int:
    """Mail what is not yet sent; without SMTP the outbox page is the delivery. Returns how many went out."""
    if isinstance(mailer, NoMailer):
        return 0
    async with context.transaction() as session:
        query = select(Notice).where(col(Notice.sent_at).is_(None)).order_by(col(Notice.created_at)).limit(AT_ONCE)
        notices = list((await session.execute(query.with_for_update(skip_locked=True))).scalars())
        for notice in notices:
            await _mail(context, mailer, notice)
    return len(notices)


async def _mail(context: Context, mailer: Mailer, notice: Notice) -> None:
    recipient = context.ring.open_text(notice.recipient)
    if "@" in recipient:
        mail = Mail(to=recipient, subject=notice.subject, body=context.ring.open_text(notice.body_sealed))
        try:
            await anyio.to_thread.run_sync(mailer.send, mail)
        except MailRefused:
            log.warning("mail_refused", notice=str(notice.id))
    notice.sent_at = context.now()
