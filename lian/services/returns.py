"""Money that comes back: a paid transfer which the payee's bank refused after all (CLM-10).

Ours says so with a refusal (pain.002 RJCT) after its acceptance. That is the one way in which a return is heard of:
notifications on the account (camt.054) are not read.

An open case's process puts the return on record itself, in turn with all else it decides about the money. A closed case
has no process: its return is booked here, and the case lives again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import structlog
from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import SYSTEM
from lian.db.journal import lock_chain
from lian.db.tables import Case, CommandReceipt, OutboxMessage, Party, Payee, Payment, RecoveryClaim, RecoveryReceipt
from lian.domain import journal as j
from lian.domain.errors import Unavailable
from lian.domain.ledger import Recovery
from lian.domain.messages import TakeBack
from lian.domain.status import CaseStatus, PaymentStatus
from lian.services.cases import earlier_result
from lian.services.context import Context
from lian.services.recording import PAYMENT_RETURNED, enqueue, put_on_record
from lian.services.starting import owed_back

log = structlog.get_logger()
Json = dict[str, Any]
SETTLEMENT = "settlement"
"""The stage at which a closed claim lives again when its money came back."""


async def hear_of_return(context: Context, session: AsyncSession, payment: Payment, reason: str) -> str:
    """The bank says that a paid transfer came back; a repeat changes nothing.

    Returns what a person must look at, mostly nothing. One that was recalled as a mistake is no longer a payment to the
    claim: its money is a receipt of the recovery.
    """
    await lock_chain(session, payment.case_id)
    await session.refresh(payment)
    if payment.status == PaymentStatus.REVERSED:
        return await _receive_recalled(context, session, payment)
    if payment.status == PaymentStatus.CONFIRMED:
        payload = {"case_id": str(payment.case_id), "payment_id": str(payment.id), "reason": reason}
        await enqueue(session, topic=PAYMENT_RETURNED, key=_key(payment.id), payload=payload, now=context.now())
    return ""


async def payment_returned(context: Context, payload: Json) -> None:
    """See that a return is put on record, once.

    Raises until it is: `Conflict` when the process has moved on meanwhile, `Unavailable` when it is away, closing, or
    has not yet heard that the transfer was paid.
    """
    case_id, payment_id = UUID(payload["case_id"]), UUID(payload["payment_id"])
    await _require_told(context, f"settled:{payment_id}")
    async with context.transaction() as session:
        await lock_chain(session, case_id)
        command = await _take_back(context, session, case_id, payment_id, payload["reason"])
    if command:
        await context.process.take_back(case_id, command)


async def refuse_while_returning(session: AsyncSession, case_id: UUID) -> None:
    """Raise `Unavailable` while a return of the case is on its way, which may lower what is owed back to us."""
    query = select(OutboxMessage.payload).where(
        OutboxMessage.topic == PAYMENT_RETURNED, col(OutboxMessage.done_at).is_(None)
    )
    if any(payload["case_id"] == str(case_id) for payload in (await session.execute(query)).scalars()):
        raise Unavailable("A payment of this case is just coming back. Nothing was booked; try again in a few seconds.")


def _key(payment_id: UUID) -> str:
    return f"returned:{payment_id}"


async def _require_told(context: Context, key: str) -> None:
    async with context.transaction() as session:
        earlier = (await session.execute(select(OutboxMessage).where(OutboxMessage.key == key))).scalars().first()
        if earlier and earlier.done_at is None:
            raise Unavailable("An earlier message is still on its way; this one follows it.")


async def _take_back(
    context: Context, session: AsyncSession, case_id: UUID, payment_id: UUID, reason: str
) -> TakeBack | None:
    """What the process must be told; none when the return is on record, now or since an earlier attempt."""
    case, payment = await session.get_one(Case, case_id), await session.get_one(Payment, payment_id)
    if await earlier_result(session, case_id, _key(payment_id)):
        return None
    if payment.status == PaymentStatus.REVERSED:
        problem = await _receive_recalled(context, session, payment)
        if problem:
            log.warning("bank_answer_needs_attention", payment=str(payment_id), problem=problem)
        return None
    reduced = await _no_longer_overpaid(session, payment)
    if case.status != CaseStatus.CLOSED:
        return TakeBack(
            command_id=_key(payment_id),
            payment_id=payment_id,
            reason=reason,
            reduced=reduced,
            owed_back=await owed_back(session, case_id),
        )
    returned = j.PaymentReturned(payment_id=payment_id, reason=reason, reduced=sum(reduced.values(), Decimal(0)))
    lowered = [j.RecoveryReduced(recovery_id=recovery_id, amount=amount) for recovery_id, amount in reduced.items()]
    reopened = j.CaseReopened(stage=SETTLEMENT, generation=case.generation + 1)
    seq = await _record(context, session, case_id, returned, *lowered, reopened)
    session.add(CommandReceipt(command_id=_key(payment_id), case_id=case_id, result={"seq": seq}, at=context.now()))
    return None


async def _record(context: Context, session: AsyncSession, case_id: UUID, *events: j.Event) -> int:
    recorded = [j.Recorded(at=context.now(), actor=SYSTEM.id, event=event) for event in events]
    return await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def _no_longer_overpaid(session: AsyncSession, payment: Payment) -> dict[UUID, Decimal]:
    """Of what was paid too much and not yet received back, this return brings the payment's amount at most.

    What another party was paid too much is still owed by them; what is nobody's in particular comes last.
    """
    whose = col(RecoveryClaim.party_id)
    payee = select(Payee.person_id).where(Payee.id == payment.payee_id).scalar_subquery()
    theirs = select(Party.id).where(Party.case_id == payment.case_id, Party.person_id == payee)
    query = (
        select(RecoveryClaim)
        .where(
            RecoveryClaim.case_id == payment.case_id,
            RecoveryClaim.recovery == Recovery.OVERPAYMENT.value,
            RecoveryClaim.status == "open",
            or_(whose.is_(None), whose.in_(theirs)),
        )
        .order_by(whose.is_(None), col(RecoveryClaim.opened_at))
    )
    found, amount = {}, payment.amount
    for recovery in (await session.execute(query)).scalars():
        part = min(amount, recovery.expected_amount - recovery.received_amount)
        if part > 0:
            found[recovery.id] = part
            amount -= part
    return found


# --- recalled payments ------------------------------------------------------------------------------------------------


async def _receive_recalled(context: Context, session: AsyncSession, payment: Payment) -> str:
    """Book the receipt of a recalled payment, once; returns why a person must, where it does not fit any more."""
    recovery = await session.get_one(RecoveryClaim, payment.recovery_id)
    if await session.get(RecoveryReceipt, _receipt_id(payment)):
        return ""
    if recovery.status != "open" or payment.amount > recovery.expected_amount - recovery.received_amount:
        return "a recalled payment came back, of which some was booked or given up already"
    receipt = j.RecoveryReceived(
        recovery_id=recovery.id,
        receipt_id=_receipt_id(payment),
        amount=payment.amount,
        received_on=context.now().astimezone(context.settings.zone).date(),
        reference=f"RJCT-{payment.id.hex[:16].upper()}",
    )
    await _record(context, session, payment.case_id, receipt)
    return ""


def _receipt_id(payment: Payment) -> UUID:
    return uuid5(payment.id, "returned")
