"""Whether the money on record agrees with itself: ledger, cases, transfers and recoveries (invariant I3)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import Executable, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from lian.db.journal import Damage
from lian.db.tables import Case, LedgerLine, Payment, RecoveryClaim
from lian.domain.ledger import OWED_BACK, Account
from lian.domain.status import PaymentStatus

LEFT_US = (PaymentStatus.CONFIRMED.value, PaymentStatus.REVERSED.value)
"""Transfers whose money went out, and came back only as a recovery's receipt."""
OURS = sorted(kind.value for kind in OWED_BACK)


async def unbalanced(session: AsyncSession) -> list[Damage]:
    """What does not add up, by case; nothing when all does."""
    found = [
        Damage(case_id, seq, f"its ledger lines add up to {total}, not to zero")
        for case_id, seq, total in await session.execute(_crooked_entries())
    ]
    async for figures in await session.stream(_figures()):
        found += [Damage(figures.id, 0, what) for what in _disagreements(figures)]
    return found


def _crooked_entries() -> Executable:
    total = func.sum(col(LedgerLine.amount))
    entry = (col(LedgerLine.case_id), col(LedgerLine.chain_seq))
    return select(*entry, total).group_by(*entry).having(total != 0).order_by(*entry)


def _sum(amount: Any, *conditions: Any) -> Any:
    return func.coalesce(func.sum(amount).filter(*conditions), Decimal(0))


def _figures() -> Executable:
    """One row per case: what each account holds, and what the rows that people read say."""
    booked = [_sum(col(LedgerLine.amount), col(LedgerLine.account) == a.value).label(a.value) for a in Account]
    books = select(col(LedgerLine.case_id), *booked).group_by(col(LedgerLine.case_id)).subquery()
    out = _sum(col(Payment.amount), col(Payment.status).in_(LEFT_US)).label("sent_out")
    transfers = select(col(Payment.case_id), out).group_by(col(Payment.case_id)).subquery()
    left = col(RecoveryClaim.expected_amount) - col(RecoveryClaim.received_amount)
    owed, is_open = col(RecoveryClaim.recovery).in_(OURS), col(RecoveryClaim.status) == "open"
    recoveries = (
        select(
            col(RecoveryClaim.case_id),
            _sum(col(RecoveryClaim.received_amount)).label("came_in"),
            _sum(left, owed, is_open).label("still_owed"),
            _sum(left, owed, ~is_open).label("given_up"),
        )
        .group_by(col(RecoveryClaim.case_id))
        .subquery()
    )
    columns = [*books.c[1:], *transfers.c[1:], *recoveries.c[1:]]
    return (
        select(col(Case.id), col(Case.approved_amount), col(Case.paid_amount), *[_or_zero(c) for c in columns])
        .outerjoin(books, books.c.case_id == col(Case.id))
        .outerjoin(transfers, transfers.c.case_id == col(Case.id))
        .outerjoin(recoveries, recoveries.c.case_id == col(Case.id))
        .order_by(col(Case.id))
    )


def _or_zero(column: Any) -> Any:
    return func.coalesce(column, Decimal(0)).label(column.name)


def _disagreements(f: Any) -> Iterator[str]:
    approved = f.incurred - f.given_up
    paid = approved + f.payable
    pairs = (
        ("approved", approved, f.approved_amount, "the case"),
        ("paid", paid, f.paid_amount, "the case"),
        ("gone from the bank", -f.bank, f.sent_out - f.came_in, "transfers and receipts"),
        ("owed back", f.recoverable, f.still_owed, "the open recoveries"),
    )
    for what, in_ledger, on_rows, who in pairs:
        if in_ledger != on_rows:
            yield f"ledger: {what} is {in_ledger:.2f}; according to {who} it is {on_rows:.2f}"
