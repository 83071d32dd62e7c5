"""The money on record agrees with itself, and the database refuses what does not (CLM-10, CLM-15, I3)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlmodel import select

from lian.db.balance import unbalanced
from lian.db.journal import MemoryRows, compare, rebuild
from lian.db.projectors import Context as Place
from lian.db.projectors import project
from lian.db.tables import Case, LedgerLine, Party
from lian.domain import journal as j
from lian.domain.ledger import OWED_BACK, Account, Recovery
from lian.services.context import Context
from lian.services.recording import put_on_record
from tests.cast import reported_claim
from tests.servers import Servers

pytestmark = [pytest.mark.req("CLM-10"), pytest.mark.req("CLM-15")]
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
PAID = Decimal("4500.00")


# --- any course of events, in memory ----------------------------------------------------------------------------------

STEPS = some.lists(
    some.tuples(
        some.sampled_from(("approve", "refer", "authorise", "pay", "return", "recall", "recover", "receive", "close")),
        some.decimals(min_value="0.01", max_value="99999.99", places=2),
    ),
    max_size=30,
)


@dataclass
class Chain:
    """One case's events, projected as they come."""

    rows: MemoryRows = field(default_factory=MemoryRows)
    case_id: UUID = field(default_factory=uuid4)
    seq: int = 0
    referred: list[UUID] = field(default_factory=list)
    paid: list[UUID] = field(default_factory=list)
    amounts: dict[UUID, Decimal] = field(default_factory=dict)
    recoveries: dict[UUID, tuple[Recovery, Decimal]] = field(default_factory=dict)

    async def put(self, *events: j.Event) -> None:
        for event in events:
            self.seq += 1
            await project(self.rows, Place(self.case_id, self.seq, NOW, "staff:a", {"account": ""}), event)

    async def decide(self, amount: Decimal, *, needs_second: bool) -> None:
        decision_id = uuid4()
        decided = j.DecisionMade(
            decision_id=decision_id,
            decided_by="staff:a",
            result="accept",
            approved_amount=amount,
            needs_second=needs_second,
        )
        await self.put(decided)
        if needs_second:
            self.referred.append(decision_id)

    async def pay(self, amount: Decimal) -> None:
        payment_id, decision_id, payee_id = uuid4(), uuid4(), uuid4()
        await self.put(
            j.PaymentRequested(
                payment_id=payment_id, payee_id=payee_id, decision_id=decision_id, amount=amount, currency="CNY"
            ),
            j.PaymentSent(payment_id=payment_id, instruction_key="k"),
            j.PaymentConfirmed(payment_id=payment_id, bank_reference="r", paid_on=NOW.date()),
        )
        self.paid.append(payment_id)
        self.amounts[payment_id] = amount

    async def recall(self) -> None:
        payment_id, recovery_id = self.paid.pop(), uuid4()
        await self.put(
            j.PaymentReversed(payment_id=payment_id, why="wrong_payee", recovery_id=recovery_id, reversed_by="staff:b")
        )
        await self.recover(Recovery.RECALL, self.amounts[payment_id], recovery_id)

    async def recover(self, kind: Recovery, amount: Decimal, recovery_id: UUID) -> None:
        self.recoveries[recovery_id] = kind, amount
        opened = j.RecoveryOpened(recovery_id=recovery_id, recovery=kind, expected_amount=amount, currency="CNY")
        await self.put(opened)

    async def receive(self, amount: Decimal) -> None:
        recovery_id, (kind, left) = next(iter(self.recoveries.items()))
        part = min(amount, left) if kind in OWED_BACK else amount
        if part <= 0:
            return
        self.recoveries[recovery_id] = kind, left - part
        await self.put(
            j.RecoveryReceived(
                recovery_id=recovery_id, receipt_id=uuid4(), amount=part, received_on=NOW.date(), reference="r"
            )
        )

    async def close(self) -> None:
        recovery_id, _ = self.recoveries.popitem()
        await self.put(j.RecoveryClosed(recovery_id=recovery_id, why="uneconomic"))

    async def step(self, what: str, amount: Decimal) -> None:  # noqa: C901
        match what:
            case "approve" | "refer":
                await self.decide(amount, needs_second=what == "refer")
            case "authorise" if self.referred:
                await self.put(j.DecisionAuthorised(decision_id=self.referred.pop(), authorised_by="staff:b"))
            case "pay":
                await self.pay(amount)
            case "return" if self.paid:
                await self.put(j.PaymentReturned(payment_id=self.paid.pop(), reason="AC04"))
            case "recall" if self.paid:
                await self.recall()
            case "recover":
                await self.recover(Recovery.SUBROGATION, amount, uuid4())
            case "receive" if self.recoveries:
                await self.receive(amount)
            case "close" if self.recoveries:
                await self.close()

    @property
    def lines(self) -> list[LedgerLine]:
        return [row for row in self.rows.rows.values() if isinstance(row, LedgerLine)]

    def sums_of_entries(self) -> set[Decimal]:
        entries: dict[int, Decimal] = {}
        for line in self.lines:
            entries[line.chain_seq] = entries.get(line.chain_seq, Decimal(0)) + line.amount
        return set(entries.values())

    def payable(self) -> Decimal:
        return -sum((line.amount for line in self.lines if line.account == Account.PAYABLE), Decimal(0))

    def approved_and_unpaid(self) -> Decimal:
        (case,) = [row for row in self.rows.rows.values() if isinstance(row, Case)]
        return case.approved_amount - case.paid_amount


@given(STEPS)
def test_whatever_happens_to_a_claim_its_ledger_balances(steps: list[tuple[str, Decimal]]) -> None:
    async def live() -> None:
        chain = Chain()
        drafted = j.CaseDrafted(number="CLM-2026-000001", kind="claim", channel="web", subject_person_id=uuid4())
        await chain.put(drafted)
        for what, amount in steps:
            await chain.step(what, amount)
            assert chain.sums_of_entries() <= {Decimal(0)}
            assert chain.payable() == chain.approved_and_unpaid()

    asyncio.run(live())


# --- in the database --------------------------------------------------------------------------------------------------


@pytest.fixture
def intruder(servers: Servers, database: str) -> Iterator[Connection]:
    """Somebody with the owner's rights."""
    engine = create_engine(servers.owner_url(database), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


async def record(context: Context, case_id: UUID, *events: j.Event) -> None:
    async with context.transaction() as session:
        recorded = [j.Recorded(at=context.now(), actor="staff:a", event=event) for event in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def eventful_claim(context: Context) -> UUID:
    """Decided, paid, sent back, paid again, recalled, partly received and given up, with a salvage beside it."""
    case_id = (await reported_claim(context)).case_id
    async with context.transaction() as session:
        party = (await session.execute(select(Party).where(Party.case_id == case_id))).scalars().first()
    assert party is not None
    decision, recall, salvage = uuid4(), uuid4(), uuid4()
    await record(
        context,
        case_id,
        j.DecisionMade(
            decision_id=decision, decided_by="staff:a", result="accept", approved_amount=PAID, needs_second=False
        ),
    )
    payments = []
    for _ in range(2):
        payee_id, payment_id = uuid4(), uuid4()
        payments.append(payment_id)
        await record(
            context,
            case_id,
            j.PayeeNamed(payee_id=payee_id, decision_id=decision, person_id=party.person_id, amount=PAID),
            j.PaymentRequested(
                payment_id=payment_id, payee_id=payee_id, decision_id=decision, amount=PAID, currency="CNY"
            ),
            j.PaymentSent(payment_id=payment_id, instruction_key=str(payment_id)),
            j.PaymentConfirmed(payment_id=payment_id, bank_reference="R", paid_on=date(2026, 3, 2)),
        )
        if len(payments) == 1:
            await record(context, case_id, j.PaymentReturned(payment_id=payment_id, reason="AC04"))
    await record(
        context,
        case_id,
        j.PaymentReversed(payment_id=payments[1], why="wrong_payee", recovery_id=recall, reversed_by="staff:b"),
        j.RecoveryOpened(recovery_id=recall, recovery="recall", expected_amount=PAID, currency="CNY"),
        receipt(recall, "1000"),
        j.RecoveryClosed(recovery_id=recall, why="insolvent"),
        j.RecoveryOpened(recovery_id=salvage, recovery="salvage", expected_amount=Decimal(300), currency="CNY"),
        receipt(salvage, "350"),
    )
    return case_id


def receipt(recovery_id: UUID, amount: str) -> j.RecoveryReceived:
    return j.RecoveryReceived(
        recovery_id=recovery_id,
        receipt_id=uuid4(),
        amount=Decimal(amount),
        received_on=date(2026, 3, 2),
        reference="R1",
    )


async def faults(context: Context) -> list[tuple[UUID, int, str]]:
    async with context.transaction() as session:
        return [(d.case_id, d.chain_seq, d.what) for d in await unbalanced(session)]


async def test_an_eventful_claim_balances_and_rebuilds_identically(context: Context) -> None:
    await reported_claim(context)
    case_id = await eventful_claim(context)
    assert await faults(context) == []
    async with context.transaction() as session:
        await rebuild(session, context.ring, case_id)
    async with context.transaction() as session:
        assert (await compare(session, context.ring)).damages == []
    assert await faults(context) == []


async def test_a_crooked_line_is_refused_when_the_transaction_ends(context: Context) -> None:
    case_id = await eventful_claim(context)
    with pytest.raises(IntegrityError, match="must add up to zero"):
        async with context.transaction() as session:
            session.add(
                LedgerLine(case_id=case_id, chain_seq=1, account="bank", amount=Decimal(5), booked_at=context.now())
            )


async def test_one_line_of_an_entry_cannot_be_removed(context: Context) -> None:
    await eventful_claim(context)
    with pytest.raises(IntegrityError, match="must add up to zero"):
        async with context.transaction() as session:
            await session.execute(text("DELETE FROM ledger_lines WHERE account = 'payable'"))


async def test_the_application_cannot_change_a_booked_line(context: Context) -> None:
    await eventful_claim(context)
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with context.transaction() as session:
            await session.execute(text("UPDATE ledger_lines SET amount = 0"))


async def test_not_even_the_owner_changes_one_line_of_an_entry(context: Context, intruder: Connection) -> None:
    await eventful_claim(context)
    with pytest.raises(IntegrityError, match="must add up to zero"):
        intruder.execute(text("UPDATE ledger_lines SET amount = amount + 1 WHERE account = 'bank'"))


async def test_an_entry_forged_past_the_trigger_is_named(context: Context, intruder: Connection) -> None:
    case_id = await eventful_claim(context)
    intruder.execute(text("ALTER TABLE ledger_lines DISABLE TRIGGER ledger_entry_balanced"))
    seq = intruder.execute(
        text(
            "UPDATE ledger_lines SET amount = amount + 1 WHERE account = 'bank' AND chain_seq = "
            "(SELECT min(chain_seq) FROM ledger_lines WHERE account = 'bank') RETURNING chain_seq"
        )
    ).scalar_one()
    found = await faults(context)
    assert (case_id, seq, "its ledger lines add up to 1.00, not to zero") in found
    assert any("gone from the bank" in what for _, _, what in found)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE cases SET paid_amount = paid_amount + 7", "ledger: paid is 0.00; according to the case it is 7.00"),
        ("UPDATE cases SET approved_amount = 1", "ledger: approved is 4500.00; according to the case it is 1.00"),
        ("UPDATE payments SET status = 'confirmed'", "according to transfers and receipts it is 7650.00"),
        ("UPDATE recoveries SET status = 'open'", "according to the open recoveries it is 3500.00"),
    ],
)
async def test_rows_that_disagree_with_the_ledger_are_named(
    context: Context, intruder: Connection, statement: str, what: str
) -> None:
    case_id = await eventful_claim(context)
    intruder.execute(text(statement))
    assert any(where == case_id and what in said for where, _, said in await faults(context))
