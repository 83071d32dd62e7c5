"""Transfers: instructed once, settled once, whatever crashes in between (CLM-10).

The ledger row goes requested -> sent -> confirmed or rejected. Before sending, the bank is asked whether it has the
instruction already; after an unknown outcome likewise: nothing is ever blindly sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID, uuid4

import anyio.to_thread
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from lian.db.crypto import PersonSeals
from lian.db.journal import lock_chain
from lian.db.tables import BankFile, Case, OutboxMessage, Payee, Payment
from lian.domain import journal as j
from lian.domain.messages import BankAnswered
from lian.domain.status import PaymentStatus
from lian.services.context import Context
from lian.services.documents import letter_received, store_letter
from lian.services.letters import voucher_pdf
from lian.services.recording import BANK_ANSWERED, enqueue, put_on_record
from lian.services.returns import hear_of_return
from lian.storage.bank_files import BadBankFile, BankAnswer, Iso20022Bank, PaymentOrder

log = structlog.get_logger()
SYSTEM = "system"
SETTLED = {*(PaymentStatus.CONFIRMED, PaymentStatus.REJECTED), *(PaymentStatus.RETURNED, PaymentStatus.REVERSED)}
"""What became of a transfer is known; an answer told again changes nothing."""
CAME_BACK = {PaymentStatus.CONFIRMED, PaymentStatus.RETURNED, PaymentStatus.REVERSED}
"""Paid at some time: a refusal that comes now is money that came back."""


def bank_of(context: Context) -> Iso20022Bank:
    """The default provider: ISO 20022 files in the object store."""
    return Iso20022Bank(
        context.store,
        debtor_name=context.settings.insurer_name,
        debtor_account="LIANOPERATING01",
        debtor_bank="LIANCNBJ",
    )


async def instruct_bank(context: Context, payment_id: UUID) -> str:
    """Hand one transfer to the bank, once; returns where the instruction lies."""
    payment, order = await _order(context, payment_id)
    if payment.status != "requested":
        return payment.instruction_key
    key = await anyio.to_thread.run_sync(bank_of(context).instruct, order)
    async with context.transaction() as session:
        await lock_chain(session, payment.case_id)
        fresh = await session.get_one(Payment, payment_id, populate_existing=True)
        if fresh.status == "requested":
            event = j.PaymentSent(payment_id=payment_id, instruction_key=key)
            item = j.Recorded(at=context.now(), actor=SYSTEM, event=event)
            await put_on_record(context, session, case_id=payment.case_id, recorded=[item])
    return key


async def _order(context: Context, payment_id: UUID) -> tuple[Payment, PaymentOrder]:
    async with context.transaction() as session:
        payment = await session.get_one(Payment, payment_id)
        payee = await session.get_one(Payee, payment.payee_id)
        case = await session.get_one(Case, payment.case_id)
        seals = await PersonSeals.load(session, context.ring, {payee.person_id})
        order = PaymentOrder(
            payment_id=payment.id,
            amount=Decimal(payment.amount),
            currency=payment.currency,
            payee_name=payee.name,
            payee_account=seals.unseal(payee.person_id, payee.account_sealed),
            payee_bank=payee.bank,
            remittance=case.number,
            requested_at=payment.requested_at,
            execution_on=payment.requested_at.astimezone(context.settings.zone).date(),
        )
    return payment, order


async def settle_payment(context: Context, answer: BankAnswered) -> str:
    """Put the bank's word on record, with the voucher when it paid; returns the transfer's status. Safe to repeat."""
    async with context.transaction() as session:
        payment = await session.get_one(Payment, answer.payment_id)
        if payment.status in SETTLED:
            return payment.status
        pdf = await voucher_pdf(context, session, payment, answer.reference) if answer.accepted else b""
        case = await session.get_one(Case, payment.case_id)
    events = await _confirmation(context, case, answer, pdf) if answer.accepted else [_rejection(answer)]
    async with context.transaction() as session:
        await lock_chain(session, payment.case_id)
        fresh = await session.get_one(Payment, answer.payment_id, populate_existing=True)
        if fresh.status in SETTLED:
            return fresh.status
        recorded = [j.Recorded(at=context.now(), actor=SYSTEM, event=e) for e in events]
        await put_on_record(context, session, case_id=payment.case_id, recorded=recorded)
        return fresh.status


async def _confirmation(context: Context, case: Case, answer: BankAnswered, pdf: bytes) -> list[j.Event]:
    document_id = uuid4()
    stored = await store_letter(context, case, pdf)
    return [
        j.PaymentConfirmed(
            payment_id=answer.payment_id,
            bank_reference=answer.reference,
            paid_on=context.now().astimezone(context.settings.zone).date(),
        ),
        letter_received(document_id, "voucher", pdf, stored, f"{case.number}-voucher.pdf"),
        j.LetterIssued(document_id=document_id, letter="voucher", payment_id=answer.payment_id),
    ]


def _rejection(answer: BankAnswered) -> j.PaymentRejected:
    return j.PaymentRejected(payment_id=answer.payment_id, reason=answer.reason)


async def read_bank_answers(context: Context) -> int:
    """Read what the bank put into its folder since last time; returns how many new files there were.

    Each file is noted in the same transaction that passes its answers on, so none is read twice and none is lost. One
    that says something about a transfer whose earlier answer is still on its way is left for the next time.
    """
    async with context.transaction() as session:
        # One reader at a time; the others come back later.
        if not (await session.execute(text("SELECT pg_try_advisory_xact_lock(724001)"))).scalar_one():
            return 0
        seen = set((await session.execute(select(BankFile.key))).scalars())
        found = await anyio.to_thread.run_sync(lambda: list(bank_of(context).answers(seen.__contains__)))
        files: dict[str, list[BankAnswer | BadBankFile]] = {}
        for item in found:
            files.setdefault(item.file_key, []).append(item)
        read = [await _read_file(context, session, key, files[key]) for key in sorted(files, key=_in_turn(files))]
    return sum(read)


def _in_turn(files: dict[str, list[BankAnswer | BadBankFile]]) -> Callable[[str], tuple[bool, str]]:
    """Refusals last: of one transfer, an acceptance was said before its refusal, whatever their files are called."""
    return lambda key: (any(isinstance(i, BankAnswer) and i.status == "rejected" for i in files[key]), key)


async def _read_file(context: Context, session: AsyncSession, key: str, items: list[BankAnswer | BadBankFile]) -> bool:
    problems = [item.problem for item in items if isinstance(item, BadBankFile)]
    answers = [item for item in items if isinstance(item, BankAnswer) and item.status != "pending"]
    for answer in sorted(answers, key=lambda a: a.status == "rejected"):
        problem = await _pass_on(context, session, answer)
        if problem is None:
            return False
        if problem:
            log.warning("bank_answer_needs_attention", payment=str(answer.payment_id), problem=problem)
            problems.append(f"{answer.payment_id}: {problem}")
    session.add(BankFile(key=key, read_at=context.now(), problem="; ".join(problems)))
    return True


async def _pass_on(context: Context, session: AsyncSession, answer: BankAnswer) -> str | None:
    """Tell the transfer; or, when it was paid already and is refused now, the case that its money came back.

    Returns what a person must look at, mostly nothing; None while it is too early for this answer.
    """
    payment = await session.get(Payment, answer.payment_id)
    if payment and answer.status == "accepted" and await _was_refused(session, payment):
        return "accepted after it was refused: the money may have left"
    if payment and answer.status == "rejected":
        if payment.status in CAME_BACK:
            return await hear_of_return(context, session, payment, answer.reason)
        if payment.status not in SETTLED and await _said_before(session, payment) is True:
            return None
    payload = {
        "payment_id": str(answer.payment_id),
        "accepted": answer.status == "accepted",
        "reason": answer.reason,
        "reference": answer.payment_id.hex[:16].upper(),
    }
    await enqueue(session, topic=BANK_ANSWERED, key=_answer_key(answer.payment_id), payload=payload, now=context.now())
    return ""


def _answer_key(payment_id: UUID) -> str:
    return f"bank:{payment_id}"


async def _said_before(session: AsyncSession, payment: Payment) -> bool | None:
    """The bank's first word on this transfer, which may still be on its way to it; None before there is one."""
    query = select(OutboxMessage).where(OutboxMessage.key == _answer_key(payment.id))
    message = (await session.execute(query)).scalars().first()
    return bool(message.payload["accepted"]) if message else None


async def _was_refused(session: AsyncSession, payment: Payment) -> bool:
    return payment.status == PaymentStatus.REJECTED or await _said_before(session, payment) is False
