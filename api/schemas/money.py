"""The money of a case as staff see it: reserves, recoveries, ledger (CLM-15)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, PlainSerializer, WithJsonSchema

from api.wire import AmountOut, Out, Words
from lian.domain.claims.money_actions import CLOSING_REASONS, RESERVE_LINES, RESERVE_REASON_LABELS
from lian.domain.labels import Label
from lian.domain.ledger import ACCOUNT_LABELS, RECOVERY_LABELS, Recovery
from lian.services.reading_money import LedgerEntry, MoneyOnCase, RecoveryOnCase, ReserveChange

SignedAmountOut = Annotated[
    Decimal,
    PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]{1,12}\.[0-9]{2}$", "examples": ["-1200.50"]}),
]
"""Text with two decimals; below zero for what goes down, and for credits."""


class ReserveChangeOut(Out):
    """One change of one reserve: to `amount`, by `change`."""

    exposure_id: UUID
    coverage_code: str
    reserve_line: str
    label: Words
    amount: AmountOut
    change: SignedAmountOut
    reason: str
    reason_label: Words
    set_at: datetime
    set_by: str

    @classmethod
    def of(cls, change: ReserveChange) -> ReserveChangeOut:
        """The change on the wire."""
        return cls(
            exposure_id=change.exposure_id,
            coverage_code=change.coverage_code,
            reserve_line=change.reserve_line,
            label=_words(RESERVE_LINES, change.reserve_line),
            amount=change.amount,
            change=change.change,
            reason=change.reason,
            reason_label=_words(RESERVE_REASON_LABELS, change.reason),
            set_at=change.set_at,
            set_by=change.set_by,
        )


class ReceiptOut(Out):
    """Some of a recovery came."""

    amount: AmountOut
    received_on: date
    reference: str
    entered_by: str


class RecoveryDetailOut(Out):
    """Money that is to come back, with what came."""

    id: UUID
    recovery: str
    label: Words
    counterparty: str
    expected_amount: AmountOut
    received_amount: AmountOut
    left_amount: AmountOut
    status: str
    closed_why: Words | None
    opened_at: datetime
    closed_at: datetime | None
    receipts: list[ReceiptOut]

    @classmethod
    def of(cls, found: RecoveryOnCase) -> RecoveryDetailOut:
        """The recovery on the wire."""
        row = found.recovery
        return cls(
            id=row.id,
            recovery=row.recovery,
            label=Words.of(RECOVERY_LABELS[Recovery(row.recovery)]),
            counterparty=row.counterparty,
            expected_amount=row.expected_amount,
            received_amount=row.received_amount,
            left_amount=found.left_amount,
            status=row.status,
            closed_why=_words(CLOSING_REASONS, row.closed_why) if row.closed_why else None,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            receipts=[
                ReceiptOut(amount=r.amount, received_on=r.received_on, reference=r.reference, entered_by=r.entered_by)
                for r in found.receipts
            ],
        )


class LedgerEntryOut(Out):
    """One line of the ledger: debit above zero, credit below; and the account's balance after it."""

    seq: int = Field(description="The journal event it was booked with.")
    booked_at: datetime
    account: str
    label: Words
    amount: SignedAmountOut
    balance: SignedAmountOut

    @classmethod
    def of(cls, entry: LedgerEntry) -> LedgerEntryOut:
        """The line on the wire."""
        return cls(
            seq=entry.chain_seq,
            booked_at=entry.booked_at,
            account=entry.account.value,
            label=Words.of(ACCOUNT_LABELS[entry.account]),
            amount=entry.amount,
            balance=entry.balance,
        )


class MoneyOut(Out):
    """All money of a case, in its currency."""

    currency: str
    approved_amount: AmountOut
    paid_amount: AmountOut
    indemnity_reserve: AmountOut
    expense_reserve: AmountOut
    incurred_amount: AmountOut
    recovered_amount: AmountOut
    net_incurred_amount: SignedAmountOut
    reserves: list[ReserveChangeOut] = Field(description="Newest first.")
    recoveries: list[RecoveryDetailOut]
    ledger: list[LedgerEntryOut] = Field(description="In the order of booking.")
    balances: dict[str, SignedAmountOut]
    is_balanced: bool

    @classmethod
    def of(cls, money: MoneyOnCase) -> MoneyOut:
        """The money on the wire."""
        plain = (
            *("currency", "approved_amount", "paid_amount", "indemnity_reserve", "expense_reserve"),
            *("incurred_amount", "recovered_amount", "net_incurred_amount", "is_balanced"),
        )
        return cls(
            **{name: getattr(money, name) for name in plain},
            reserves=[ReserveChangeOut.of(change) for change in money.reserves],
            recoveries=[RecoveryDetailOut.of(recovery) for recovery in money.recoveries],
            ledger=[LedgerEntryOut.of(entry) for entry in money.ledger],
            balances={account.value: balance for account, balance in money.balances.items()},
        )


def _words(labels: dict[str, Label], code: str) -> Words:
    return Words.of(labels.get(code, Label(code, code)))
