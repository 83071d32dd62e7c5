"""A transfer takes effect once, wherever a crash or a repeat falls (CLM-10, fault 13)."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import anyio.to_thread
import pytest
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from lian.db.balance import unbalanced
from lian.db.journal import compare
from lian.db.tables import (
    BankFile,
    Case,
    Document,
    JournalEntry,
    Notice,
    OutboxMessage,
    Party,
    Payment,
    RecoveryClaim,
)
from lian.domain import journal as j
from lian.domain.errors import Conflict, Unavailable
from lian.domain.messages import BankAnswered, CommandResult, PaymentSettled, TakeBack
from lian.notify.mail import Mail
from lian.services.context import Context, utc_now
from lian.services.notices import words_for
from lian.services.payments import bank_of, instruct_bank, read_bank_answers, settle_payment
from lian.services.recording import PAYMENT_RETURNED, put_on_record
from lian.services.relay import relay_once, send_notices
from lian.services.returns import payment_returned
from lian.storage.bank_files import read_pain_001, render_pain_002
from tests.cast import reported_claim
from tests.fakes.process import FakeProcess

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


# --- money that comes back --------------------------------------------------------------------------------------------


async def bank_says(context: Context, payment: Payment, *, accepted: bool, reason: str = "") -> None:
    """Another file in the bank's folder; it is not read yet."""
    key = await instruct_bank(context, payment.id)

    def write() -> None:
        original = context.store.read(key, limit=1_000_000)
        answer = render_pain_002(original, accepted=accepted, reason=reason, at=context.now())
        context.store.put_bytes(f"bank/in/{payment.id}-{'yes' if accepted else 'no'}.xml", answer, content_type="xml")

    await anyio.to_thread.run_sync(write)


async def paid_payment(context: Context) -> Payment:
    """A transfer the bank has confirmed."""
    payment = await requested_payment(context)
    await bank_says(context, payment, accepted=True)
    await read_bank_answers(context)
    await settle_payment(context, BankAnswered(payment_id=payment.id, accepted=True, reference="REF1"))
    return await fresh(context, payment.id)


async def record(context: Context, case_id: UUID, *events: j.Event) -> None:
    async with context.transaction() as session:
        recorded = [j.Recorded(at=context.now(), actor="staff:a", event=event) for event in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def forget_files(context: Context) -> None:
    """As if no file of the bank had been noted as read."""
    async with context.transaction() as session:
        await session.execute(delete(BankFile))


async def problems(context: Context, payment: Payment) -> list[str]:
    """What a person must look at in the bank's files about this transfer."""
    async with context.transaction() as session:
        query = select(BankFile.problem).where(col(BankFile.problem).contains(str(payment.id)))
        return list((await session.execute(query)).scalars())


async def of_type(context: Context, case_id: UUID, event: type[j.Event]) -> list[JournalEntry]:
    async with context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.case_id == case_id, JournalEntry.type == event.TYPE)
        return list((await session.execute(query)).scalars())


async def case_of(context: Context, payment: Payment) -> Case:
    async with context.transaction() as session:
        return await session.get_one(Case, payment.case_id)


async def relay_all(context: Context) -> None:
    """What is due now and what that leads to; failures stay for later."""
    while await relay_once(context):
        pass


def told_back(process: FakeProcess) -> list[TakeBack]:
    return [message for message in process.told if isinstance(message, TakeBack)]


def in_the_process(back: TakeBack) -> list[j.Event]:
    """What the process puts on record when it is told of a return."""
    reduced = sum(back.reduced.values(), Decimal(0))
    return [
        j.PaymentReturned(payment_id=back.payment_id, reason=back.reason, reduced=reduced),
        *(j.RecoveryReduced(recovery_id=id_, amount=amount) for id_, amount in back.reduced.items()),
    ]


async def test_a_closed_cases_payment_that_comes_back_is_booked_once_however_often_the_file_is_read(
    context: Context,
) -> None:
    payment = await paid_payment(context)
    assert (await case_of(context, payment)).paid_amount == AMOUNT
    await relay_all(context)
    await record(context, payment.case_id, j.CaseClosed(outcome="paid"))
    await bank_says(context, payment, accepted=False, reason="AC04 account closed")
    for _ in range(3):
        assert await read_bank_answers(context) >= 1
        await relay_all(context)
        await forget_files(context)
    returned = await fresh(context, payment.id)
    assert (returned.status, returned.reject_reason) == ("returned", "AC04 account closed")
    assert (await case_of(context, payment)).paid_amount == 0
    assert len(await of_type(context, payment.case_id, j.PaymentReturned)) == 1
    async with context.transaction() as session:
        keys = (await session.execute(select(OutboxMessage.key).where(OutboxMessage.topic == PAYMENT_RETURNED))).all()
        assert [key for (key,) in keys] == [f"returned:{payment.id}"]
        assert await unbalanced(session) == []
        assert (await compare(session, context.ring)).damages == []


async def test_the_banks_first_word_told_again_after_a_return_changes_nothing(context: Context) -> None:
    payment = await paid_payment(context)
    await record(context, payment.case_id, j.PaymentReturned(payment_id=payment.id, reason="AC04"))
    again = BankAnswered(payment_id=payment.id, accepted=True, reference="REF1")
    assert await settle_payment(context, again) == "returned"


async def test_a_refusal_that_overtakes_its_acceptance_waits_and_is_not_lost(
    context: Context, process: FakeProcess
) -> None:
    payment = await requested_payment(context)
    await bank_says(context, payment, accepted=True)
    await bank_says(context, payment, accepted=False)
    await read_bank_answers(context)
    assert await read_bank_answers(context) == 0
    assert (await fresh(context, payment.id)).status == "sent"
    await settle_payment(context, BankAnswered(payment_id=payment.id, accepted=True, reference="REF1"))
    await relay_all(context)
    assert await read_bank_answers(context) == 1
    await relay_all(context)
    assert [back.payment_id for back in told_back(process)] == [payment.id]
    assert await read_bank_answers(context) == 0


async def test_a_recalled_payment_that_comes_back_is_a_receipt_of_its_recovery(context: Context) -> None:
    payment = await paid_payment(context)
    recovery_id = uuid4()
    await record(
        context,
        payment.case_id,
        j.PaymentReversed(payment_id=payment.id, why="wrong_payee", recovery_id=recovery_id, reversed_by="staff:b"),
        j.RecoveryOpened(
            recovery_id=recovery_id,
            recovery="recall",
            expected_amount=AMOUNT,
            currency="CNY",
            payment_id=payment.id,
        ),
    )
    await bank_says(context, payment, accepted=False)
    for _ in range(2):
        await read_bank_answers(context)
        assert await problems(context, payment) == []
        await forget_files(context)
    async with context.transaction() as session:
        recovery = await session.get_one(RecoveryClaim, recovery_id)
        assert await unbalanced(session) == []
    assert (recovery.received_amount, (await fresh(context, payment.id)).status) == (AMOUNT, "reversed")


@pytest.mark.parametrize("what", ["part was received", "it was given up"])
async def test_a_recalled_payment_that_comes_back_too_late_is_for_a_person_to_book(context: Context, what: str) -> None:
    payment, recovery_id = await paid_payment(context), uuid4()
    since: j.Event = j.RecoveryClosed(recovery_id=recovery_id, why="insolvent")
    if what == "part was received":
        since = j.RecoveryReceived(
            recovery_id=recovery_id,
            receipt_id=uuid4(),
            amount=Decimal(1),
            received_on=context.now().date(),
            reference="1",
        )
    await record(
        context,
        payment.case_id,
        j.PaymentReversed(payment_id=payment.id, why="wrong_payee", recovery_id=recovery_id, reversed_by="staff:b"),
        j.RecoveryOpened(recovery_id=recovery_id, recovery="recall", expected_amount=AMOUNT, currency="CNY"),
        since,
    )
    await bank_says(context, payment, accepted=False)
    await read_bank_answers(context)
    (problem,) = await problems(context, payment)
    assert "a recalled payment came back" in problem


async def test_an_acceptance_after_a_refusal_is_for_a_person_to_look_at(context: Context) -> None:
    payment = await requested_payment(context)
    await instruct_bank(context, payment.id)
    await settle_payment(context, BankAnswered(payment_id=payment.id, accepted=False, reason="AC04"))
    await bank_says(context, payment, accepted=True)
    await read_bank_answers(context)
    (problem,) = await problems(context, payment)
    assert "the money may have left" in problem


async def test_the_customer_is_told_that_the_money_came_back(context: Context) -> None:
    payment = await paid_payment(context)
    await record(context, payment.case_id, j.PaymentReturned(payment_id=payment.id, reason="AC04"))
    async with context.transaction() as session:
        query = select(Notice).where(Notice.key == f"payment.returned:{payment.case_id}:{payment.id}")
        (notice,) = (await session.execute(query)).scalars().all()
    assert "payment came back" in notice.subject


async def test_an_open_case_is_told_of_the_return_until_it_has_heard(context: Context, process: FakeProcess) -> None:
    payment = await paid_payment(context)
    await relay_all(context)
    await bank_says(context, payment, accepted=False)
    await read_bank_answers(context)
    process.away = True
    await relay_all(context)
    process.away = False
    context.now = lambda: utc_now() + timedelta(minutes=5)
    await relay_all(context)
    (back,) = told_back(process)
    assert (back.payment_id, back.reduced, back.owed_back) == (payment.id, {}, 0)
    assert await of_type(context, payment.case_id, j.CaseReopened) == []


async def test_an_open_cases_return_is_put_on_record_by_its_process_alone(
    context: Context, process: FakeProcess
) -> None:
    """Booked at the desk, it would pass the process by, which decides about the same money at that very moment."""
    payment, recovery_id = await paid_payment(context), uuid4()
    await relay_all(context)
    overpaid = j.RecoveryOpened(
        recovery_id=recovery_id, recovery="overpayment", expected_amount=Decimal(500), currency="CNY"
    )
    await record(context, payment.case_id, overpaid)
    await bank_says(context, payment, accepted=False)
    await read_bank_answers(context)
    await relay_all(context)
    assert ((await fresh(context, payment.id)).status, len(told_back(process))) == ("confirmed", 1)
    (back,) = told_back(process)
    assert (back.reduced, back.owed_back) == ({recovery_id: Decimal(500)}, 500)
    await record(context, payment.case_id, *in_the_process(back))
    async with context.transaction() as session:
        assert await unbalanced(session) == []
    assert (await case_of(context, payment)).paid_amount == 0


async def test_a_payment_recalled_while_its_return_is_on_its_way_is_a_receipt_of_the_recovery(
    context: Context, process: FakeProcess
) -> None:
    payment, recovery_id = await paid_payment(context), uuid4()
    await bank_says(context, payment, accepted=False)
    await read_bank_answers(context)
    await record(
        context,
        payment.case_id,
        j.PaymentReversed(payment_id=payment.id, why="wrong_payee", recovery_id=recovery_id, reversed_by="staff:b"),
        j.RecoveryOpened(
            recovery_id=recovery_id, recovery="recall", expected_amount=AMOUNT, currency="CNY", payment_id=payment.id
        ),
    )
    await relay_all(context)
    context.now = lambda: utc_now() + timedelta(minutes=5)
    await relay_all(context)
    async with context.transaction() as session:
        assert (await session.get_one(RecoveryClaim, recovery_id)).received_amount == AMOUNT
        assert await unbalanced(session) == []
    assert told_back(process) == []


async def test_a_case_hears_that_it_was_paid_before_it_hears_that_it_came_back(
    context: Context, process: FakeProcess
) -> None:
    payment = await paid_payment(context)
    await bank_says(context, payment, accepted=False)
    await read_bank_answers(context)
    payload = {"case_id": str(payment.case_id), "payment_id": str(payment.id), "reason": "AC04"}
    with pytest.raises(Unavailable):
        await payment_returned(context, payload)
    await relay_all(context)
    context.now = lambda: utc_now() + timedelta(minutes=5)
    await relay_all(context)
    assert [type(m) for m in process.told if isinstance(m, PaymentSettled | TakeBack)] == [PaymentSettled, TakeBack]


async def test_a_closed_case_lives_again_at_its_settlement_once(context: Context, process: FakeProcess) -> None:
    payment = await paid_payment(context)
    await relay_all(context)
    await record(context, payment.case_id, j.CaseClosed(outcome="paid"))
    await bank_says(context, payment, accepted=False)
    await read_bank_answers(context)
    payload = {"case_id": str(payment.case_id), "payment_id": str(payment.id), "reason": "AC04"}
    for _ in range(3):
        await payment_returned(context, payload)
    await asyncio.gather(*(payment_returned(context, payload) for _ in range(3)))
    (reopened,) = await of_type(context, payment.case_id, j.CaseReopened)
    assert (reopened.body["stage"], reopened.body["generation"]) == ("settlement", 2)
    # Closed once more, it does not come back for the same return.
    await record(context, payment.case_id, j.CaseClosed(outcome="paid"))
    await payment_returned(context, payload)
    assert (await case_of(context, payment)).status == "closed"
    assert told_back(process) == []
    async with context.transaction() as session:
        query = select(OutboxMessage).where(OutboxMessage.key == f"start:{payment.case_id}:2")
        assert len((await session.execute(query)).scalars().all()) == 1


async def test_a_return_that_finds_no_process_is_told_again(context: Context, process: FakeProcess) -> None:
    payment = await paid_payment(context)
    await relay_all(context)
    await bank_says(context, payment, accepted=False)
    await read_bank_answers(context)

    async def gone(case_id: UUID, command: TakeBack) -> CommandResult:
        raise Conflict("The case is closed or not yet started; reload and try again.")

    process.take_back = gone  # type: ignore[method-assign]
    await relay_all(context)
    async with context.transaction() as session:
        query = select(OutboxMessage).where(OutboxMessage.topic == PAYMENT_RETURNED)
        (message,) = (await session.execute(query)).scalars().all()
    assert (message.done_at, message.attempts) == (None, 1)


# --- notices ----------------------------------------------------------------------------------------------------------

NOT_THEIRS = (
    *("action.taken", "authority.overridden", "case.corrected", "case.linked", "case.tagged", "case.untagged"),
    *("correction.applied", "correction.decided", "correction.proposed", "investigation.planned"),
    *("investigation.reported", "panel.concluded", "panel.convened", "panel.voted", "payee.checked", "payee.named"),
    *("recovery.closed", "recovery.opened", "recovery.received", "reserve.set", "risk.concluded", "risk.referred"),
    *("risk.scored", "task.opened", "task.completed"),
)


@pytest.mark.parametrize("type_", NOT_THEIRS)
def test_what_is_not_the_customers_to_know_is_never_mailed(type_: str) -> None:
    cls = j.EVENTS[type_]
    assert words_for(cls(**dict.fromkeys((f.name for f in fields(cls)), "")), "CLM-2026-000001") is None


def test_a_case_reopened_for_what_staff_do_of_their_own_accord_is_not_mailed() -> None:
    act = {"action": "refer", "is_customer": False}
    assert words_for(j.CaseReopened(stage="aftercare", generation=2, action=act), "CLM-1") is None
    assert words_for(j.CaseReopened(stage="aftercare", generation=2, action=act | {"is_customer": True}), "CLM-1")
    assert words_for(j.CaseReopened(stage="assessment", generation=2), "CLM-1")


@pytest.mark.parametrize("needs_second", [True, False])
async def test_an_advance_is_not_called_a_decision_of_the_claim(context: Context, needs_second: bool) -> None:
    case_id, decision_id = (await reported_claim(context)).case_id, uuid4()
    made = j.DecisionMade(
        decision_id=decision_id,
        decided_by="staff:a",
        result="accept",
        approved_amount=AMOUNT,
        needs_second=needs_second,
        subject="advance",
    )
    await record(context, case_id, made)
    if needs_second:
        await record(context, case_id, j.DecisionAuthorised(decision_id=decision_id, authorised_by="staff:b"))
    async with context.transaction() as session:
        query = select(Notice).where(Notice.case_id == case_id, col(Notice.key).contains("decision."))
        (notice,) = (await session.execute(query)).scalars().all()
    assert "paid in advance" in notice.subject


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
