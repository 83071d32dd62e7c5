"""What a claim costs, costs still, and brings back, as its page shows it to staff (CLM-15)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.tables import Case, Exposure, LedgerLine, RecoveryClaim, RecoveryReceipt, ReserveLine
from lian.domain.ledger import OWED_BACK, Account
from lian.services.cases import find_case
from lian.services.context import Context

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveChange:
    """One change of one reserve: to what, by how much, why, when and by whom."""

    exposure_id: UUID
    coverage_code: str
    reserve_line: str
    amount: Decimal
    change: Decimal
    reason: str
    set_at: datetime
    set_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryOnCase:
    """Money that is to come back, with what came."""

    recovery: RecoveryClaim
    receipts: Sequence[RecoveryReceipt]

    @property
    def left_amount(self) -> Decimal:
        """What is still expected; nothing once it is closed."""
        is_open = self.recovery.status == "open"
        return max(self.recovery.expected_amount - self.recovery.received_amount, NOTHING) if is_open else NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One line of the ledger, and the balance of its account after it."""

    chain_seq: int
    booked_at: datetime
    account: Account
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyOnCase:
    """All money of one case, in its currency."""

    currency: str
    approved_amount: Decimal
    paid_amount: Decimal
    indemnity_reserve: Decimal
    expense_reserve: Decimal
    recovered_amount: Decimal
    """Income from subrogation and salvage; our own money that came back counts as never paid."""
    reserves: Sequence[ReserveChange]
    """Newest first."""
    recoveries: Sequence[RecoveryOnCase]
    ledger: Sequence[LedgerEntry]
    """In the order of booking."""
    balances: dict[Account, Decimal]
    is_balanced: bool
    """Every entry adds up to zero, and what is payable is what was approved and not paid (I3)."""

    @property
    def reserve_amount(self) -> Decimal:
        """What is still expected to be paid, both lines."""
        return self.indemnity_reserve + self.expense_reserve

    @property
    def incurred_amount(self) -> Decimal:
        """Paid and reserve."""
        return self.paid_amount + self.reserve_amount

    @property
    def net_incurred_amount(self) -> Decimal:
        """What the claim costs in the end, as far as is known."""
        return self.incurred_amount - self.recovered_amount


async def money_of(context: Context, actor: Actor, number: str) -> MoneyOnCase:
    """The money of a case. Needs `case:read`: customers never see reserves and recoveries."""
    actor.require("case:read")
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        exposures = await _of(session, Exposure, case, Exposure.coverage_code)
        reserves = await _of(session, ReserveLine, case, ReserveLine.chain_seq)
        recoveries = await _of(session, RecoveryClaim, case, RecoveryClaim.opened_at)
        receipts = await _of(session, RecoveryReceipt, case, RecoveryReceipt.received_on)
        lines = await _of(session, LedgerLine, case, LedgerLine.chain_seq)
    ledger = _with_balances(lines)
    balances = {entry.account: entry.balance for entry in ledger}
    return MoneyOnCase(
        currency=case.currency,
        approved_amount=case.approved_amount,
        paid_amount=case.paid_amount,
        indemnity_reserve=sum((e.reserve_amount for e in exposures), NOTHING),
        expense_reserve=sum((e.expense_reserve_amount for e in exposures), NOTHING),
        recovered_amount=sum((r.received_amount for r in recoveries if r.recovery not in OWED_BACK), NOTHING),
        reserves=_changes(reserves, {e.id: e.coverage_code for e in exposures}),
        recoveries=[
            RecoveryOnCase(recovery=r, receipts=[p for p in receipts if p.recovery_id == r.id]) for r in recoveries
        ],
        ledger=ledger,
        balances=balances,
        is_balanced=_is_balanced(case, lines, balances),
    )


async def _of(session: AsyncSession, model: type[Any], case: Case, order: Any) -> Sequence[Any]:
    return list((await session.execute(select(model).where(model.case_id == case.id).order_by(order))).scalars())


def _changes(lines: Sequence[ReserveLine], coverages: dict[UUID, str]) -> list[ReserveChange]:
    before: dict[tuple[UUID, str], Decimal] = defaultdict(Decimal)
    changes: list[ReserveChange] = []
    for line in lines:
        key = line.exposure_id, line.reserve_line
        changes.append(
            ReserveChange(
                exposure_id=line.exposure_id,
                coverage_code=coverages.get(line.exposure_id, ""),
                reserve_line=line.reserve_line,
                amount=line.amount,
                change=line.amount - before[key],
                reason=line.reason,
                set_at=line.set_at,
                set_by=line.set_by,
            )
        )
        before[key] = line.amount
    return changes[::-1]


def _with_balances(lines: Sequence[LedgerLine]) -> list[LedgerEntry]:
    balances: dict[Account, Decimal] = defaultdict(Decimal)
    entries: list[LedgerEntry] = []
    for line in sorted(lines, key=lambda line: (line.chain_seq, -line.amount)):
        account = Account(line.account)
        balances[account] += line.amount
        entries.append(
            LedgerEntry(
                chain_seq=line.chain_seq,
                booked_at=line.booked_at,
                account=account,
                amount=line.amount,
                balance=balances[account],
            )
        )
    return entries


def _is_balanced(case: Case, lines: Sequence[LedgerLine], balances: dict[Account, Decimal]) -> bool:
    entries = groupby(sorted(lines, key=lambda line: line.chain_seq), key=lambda line: line.chain_seq)
    adds_up = all(sum((line.amount for line in entry), NOTHING) == 0 for _, entry in entries)
    return adds_up and -balances.get(Account.PAYABLE, NOTHING) == case.approved_amount - case.paid_amount
