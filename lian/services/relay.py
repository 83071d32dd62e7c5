"""The relay: what a transaction asked of the outside is done afterwards, in order of asking, again until it succeeds.

Several relays may run; each message is taken by one of them. A message is done at least once, and every receiver knows
its key, so doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import anyio.to_thread
import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import SYSTEM
from lian.db.journal import lock_chain
from lian.db.tables import Case, CommandReceipt, Notice, OutboxMessage
from lian.domain import journal as j
from lian.domain.errors import DomainError, Unavailable
from lian.domain.messages import BankAnswered, CloseRequest, PaymentSettled, PayOut
from lian.notify.mail import Mail, Mailer, MailRefused, NoMailer
from lian.services.cases import earlier_result
from lian.services.context import Context
from lian.services.recording import (
    BANK_ANSWERED,
    CLOSE_REQUEST,
    PAYMENT_RETURNED,
    PAYMENT_SETTLED,
    START_CASE,
    START_PAYMENT,
    put_on_record,
)
from lian.services.starting import starting_state

log = structlog.get_logger()
Json = dict[str, Any]
AT_ONCE = 20
LONGEST_WAIT = timedelta(seconds=60)
SETTLEMENT = "settlement"
"""The stage at which a closed claim lives again when its money came back."""


async def start_case(context: Context, payload: Json) -> None:
    await context.process.start(await starting_state(context, UUID(payload["case_id"])))


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


async def payment_returned(context: Context, payload: Json) -> None:
    """Tell the process that paid money came back; a closed case lives again for it, once.

    Raises until somebody has heard: `Conflict` when the process has gone meanwhile, `Unavailable` when it is away, or
    has not yet heard that the transfer was paid.
    """
    case_id, payment_id = UUID(payload["case_id"]), UUID(payload["payment_id"])
    await _require_told(context, f"settled:{payment_id}")
    if await _reopen_for(context, case_id, payment_id):
        return
    message = PaymentSettled(
        payment_id=payment_id,
        status="returned",
        amount=Decimal(payload["amount"]),
        reduced=Decimal(payload["reduced"]),
    )
    await context.process.payment_returned(case_id, message)


async def _require_told(context: Context, key: str) -> None:
    async with context.transaction() as session:
        earlier = (await session.execute(select(OutboxMessage).where(OutboxMessage.key == key))).scalars().first()
        if earlier and earlier.done_at is None:
            raise Unavailable("An earlier message is still on its way; this one follows it.")


async def _reopen_for(context: Context, case_id: UUID, payment_id: UUID) -> bool:
    """True when the case was closed and is open again because of this return, now or at an earlier attempt."""
    command_id = f"returned:{payment_id}"
    async with context.transaction() as session:
        await lock_chain(session, case_id)
        case = await session.get_one(Case, case_id, populate_existing=True)
        if await earlier_result(session, case_id, command_id):
            return True
        if case.status != "closed":
            return False
        event = j.CaseReopened(stage=SETTLEMENT, generation=case.generation + 1)
        item = j.Recorded(at=context.now(), actor=SYSTEM.id, event=event)
        seq = await put_on_record(context, session, case_id=case_id, recorded=[item])
        session.add(CommandReceipt(command_id=command_id, case_id=case_id, result={"seq": seq}, at=context.now()))
    return True


async def bank_answered(context: Context, payload: Json) -> None:
    message = BankAnswered(
        payment_id=UUID(payload["payment_id"]),
        accepted=payload["accepted"],
        reason=payload["reason"],
        reference=payload["reference"],
    )
    await context.process.bank_answered(message)


TOPICS: dict[str, Callable[[Context, Json], Awaitable[None]]] = {
    START_CASE: start_case,
    START_PAYMENT: start_payment,
    CLOSE_REQUEST: close_request,
    PAYMENT_SETTLED: payment_settled,
    PAYMENT_RETURNED: payment_returned,
    BANK_ANSWERED: bank_answered,
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
