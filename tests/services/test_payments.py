"""A transfer takes effect once, wherever a crash or a repeat falls (CLM-10, fault 13)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import UUID, uuid4

import anyio.to_thread
import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from lian.db.journal import compare
from lian.db.tables import Case, Document, Notice, OutboxMessage, Party, Payment
from lian.domain import journal as j
from lian.domain.messages import BankAnswered
from lian.notify.mail import Mail
from lian.services.context import Context
from lian.services.payments import bank_of, instruct_bank, read_bank_answers, settle_payment
from lian.services.recording import put_on_record
from lian.services.relay import send_notices
from lian.storage.bank_files import read_pain_001, render_pain_002
from tests.cast import reported_claim

pytestmark = pytest.mark.req("CLM-10")
AMOUNT = Decimal("4500.00")


async def requested_payment(context: Context) -> Payment:
    """A transfer the process has just asked for."""
    case_id = (await reported_claim(context)).case_id
    async with context.transaction() as session:
        party = (await session.execute(select(Party).where(Party.case_id == case_id))).scalars().first()
        assert party is not None
        decision_id, payee_id, payment_id = uuid4(), uuid4(), uuid4()
        events = [
            j.DecisionMade(
                decision_id=decision_id,
                decided_by="staff:a",
                result="accept",
                approved_amount=AMOUNT,
                needs_second=False,
            ),
            j.PayeeNamed(
                payee_id=payee_id,
                decision_id=decision_id,
                person_id=party.person_id,
                amount=AMOUNT,
                name="赵磊",
                account="6222020200112233",
                bank="ICBC",
            ),
            j.PaymentRequested(
                payment_id=payment_id, payee_id=payee_id, decision_id=decision_id, amount=AMOUNT, currency="CNY"
            ),
        ]
        recorded = [j.Recorded(at=context.now(), actor="system", event=e) for e in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)
        return await session.get_one(Payment, payment_id)


async def fresh(context: Context, payment_id: UUID) -> Payment:
    async with context.transaction() as session:
        return await session.get_one(Payment, payment_id)


def instructions(context: Context, payment_id: UUID) -> list[str]:
    return [o.key for o in context.store.entries("bank/out/") if payment_id.hex in o.key.replace("-", "")]


async def test_an_instruction_repeated_and_raced_is_one_file(context: Context) -> None:
    payment = await requested_payment(context)
    keys = await asyncio.gather(*(instruct_bank(context, payment.id) for _ in range(5)))
    assert len(set(keys)) == 1
    assert await anyio.to_thread.run_sync(instructions, context, payment.id) == [keys[0]]
    (order,) = read_pain_001(await anyio.to_thread.run_sync(lambda: context.store.read(keys[0], limit=1_000_000)))
    assert (order.amount, order.payee_account, order.payment_id) == (AMOUNT, "6222020200112233", payment.id)
    assert (await fresh(context, payment.id)).status == "sent"


async def test_a_crash_after_the_bank_has_the_file_does_not_send_it_again(context: Context) -> None:
    payment = await requested_payment(context)
    first = await instruct_bank(context, payment.id)
    before = await anyio.to_thread.run_sync(context.store.stat, first)
    # As if the process had died before "sent" was on record: the bank is asked, and has it.
    assert await anyio.to_thread.run_sync(bank_of(context).find, payment.id) == first
    assert await instruct_bank(context, payment.id) == first
    assert await anyio.to_thread.run_sync(context.store.stat, first) == before


async def test_the_banks_word_repeated_and_raced_pays_once_with_one_voucher(context: Context) -> None:
    payment = await requested_payment(context)
    await instruct_bank(context, payment.id)
    answer = BankAnswered(payment_id=payment.id, accepted=True, reference="REF1")
    states = await asyncio.gather(*(settle_payment(context, answer) for _ in range(4)))
    assert set(states) == {"confirmed"}
    async with context.transaction() as session:
        case = await session.get_one(Case, payment.case_id)
        vouchers = (await session.execute(select(Document).where(Document.letter == "voucher"))).scalars().all()
        told = (
            (await session.execute(select(OutboxMessage).where(OutboxMessage.topic == "payment_settled")))
            .scalars()
            .all()
        )
        assert (await compare(session, context.ring)).damages == []
    assert (case.paid_amount, len(vouchers), len(told)) == (AMOUNT, 1, 1)


async def test_a_rejection_after_a_confirmation_changes_nothing(context: Context) -> None:
    payment = await requested_payment(context)
    await instruct_bank(context, payment.id)
    await settle_payment(context, BankAnswered(payment_id=payment.id, accepted=True, reference="REF1"))
    await settle_payment(context, BankAnswered(payment_id=payment.id, accepted=False, reason="AC04"))
    assert (await fresh(context, payment.id)).status == "confirmed"


async def test_a_second_transfer_to_one_payee_of_one_decision_is_refused_by_the_database(context: Context) -> None:
    payment = await requested_payment(context)
    again = j.PaymentRequested(
        payment_id=uuid4(), payee_id=payment.payee_id, decision_id=payment.decision_id, amount=AMOUNT, currency="CNY"
    )
    with pytest.raises(IntegrityError, match="payment_once_per_payee"):
        async with context.transaction() as session:
            item = j.Recorded(at=context.now(), actor="system", event=again)
            await put_on_record(context, session, case_id=payment.case_id, recorded=[item])


async def test_each_file_of_the_bank_is_read_once_and_a_broken_one_stops_nothing(context: Context) -> None:
    payment = await requested_payment(context)
    key = await instruct_bank(context, payment.id)

    def bank_writes() -> None:
        original = context.store.read(key, limit=1_000_000)
        answer = render_pain_002(original, accepted=True, reason="", at=context.now())
        context.store.put_bytes(f"bank/in/{uuid4()}.xml", b"<broken", content_type="application/xml")
        context.store.put_bytes(f"bank/in/{payment.id}.xml", answer, content_type="application/xml")

    await anyio.to_thread.run_sync(bank_writes)
    assert await read_bank_answers(context) >= 2
    assert await read_bank_answers(context) == 0
    async with context.transaction() as session:
        query = select(OutboxMessage).where(OutboxMessage.key == f"bank:{payment.id}")
        assert len((await session.execute(query)).scalars().all()) == 1


async def test_customers_are_mailed_once(context: Context) -> None:
    await reported_claim(context)
    sent: list[Mail] = []

    class Post:
        def send(self, mail: Mail) -> None:
            sent.append(mail)

    assert await send_notices(context, Post()) == 1
    assert await send_notices(context, Post()) == 0
    assert [m.to for m in sent] == ["zhao@example.com"]
    async with context.transaction() as session:
        (notice,) = (await session.execute(select(Notice))).scalars().all()
    assert notice.sent_at is not None
    assert "zhao" not in notice.recipient
