"""The money of a claim in double entry: every event's lines add up to zero (invariant I3).

Amounts are signed, in the case's currency: debit positive, credit negative. The balance of `PAYABLE`, turned round, is
what was approved and not yet paid; that of `BANK`, turned round, is what left our account and did not come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lian.domain.labels import Label


class Account(StrEnum):
    """Where money of a claim stands."""

    INCURRED = "incurred"
    PAYABLE = "payable"
    BANK = "bank"
    RECOVERABLE = "recoverable"
    RECOVERED = "recovered"


ACCOUNT_LABELS: dict[Account, Label] = {
    Account.INCURRED: Label("Claims incurred", "赔付支出"),
    Account.PAYABLE: Label("Claims payable", "应付赔款"),
    Account.BANK: Label("Bank", "银行存款"),
    Account.RECOVERABLE: Label("Recoverable", "应收追偿款"),
    Account.RECOVERED: Label("Recoveries", "追偿收入"),
}


class Recovery(StrEnum):
    """Why money is to come back (CLM-15)."""

    SUBROGATION = "subrogation"
    SALVAGE = "salvage"
    OVERPAYMENT = "overpayment"
    RECALL = "recall"


RECOVERY_LABELS: dict[Recovery, Label] = {
    Recovery.SUBROGATION: Label("Subrogation", "代位追偿"),
    Recovery.SALVAGE: Label("Salvage", "残值处理"),
    Recovery.OVERPAYMENT: Label("Overpayment", "多付追回"),
    Recovery.RECALL: Label("Recalled payment", "误付追回"),
}

OWED_BACK = frozenset({Recovery.OVERPAYMENT, Recovery.RECALL})
"""Our own money, owed back from the moment the mistake is booked; the others are income once they arrive."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an entry."""

    account: Account
    amount: Decimal


def _move(amount: Decimal, *, debit: Account, credit: Account) -> tuple[Line, ...]:
    return (Line(debit, amount), Line(credit, -amount)) if amount else ()


def approved(change: Decimal) -> tuple[Line, ...]:
    """A final decision raised (or lowered) what the claim lets us pay."""
    return _move(change, debit=Account.INCURRED, credit=Account.PAYABLE)


def paid(amount: Decimal) -> tuple[Line, ...]:
    """The bank paid."""
    return _move(amount, debit=Account.PAYABLE, credit=Account.BANK)


def returned(amount: Decimal) -> tuple[Line, ...]:
    """The money came back: it is owed again."""
    return _move(amount, debit=Account.BANK, credit=Account.PAYABLE)


def owed_back(amount: Decimal) -> tuple[Line, ...]:
    """What was paid too much, or to the wrong one, is no longer a payment on the claim but owed to us."""
    return _move(amount, debit=Account.RECOVERABLE, credit=Account.PAYABLE)


def received(recovery: Recovery, amount: Decimal) -> tuple[Line, ...]:
    """Money came in."""
    credit = Account.RECOVERABLE if recovery in OWED_BACK else Account.RECOVERED
    return _move(amount, debit=Account.BANK, credit=credit)


def given_up(recovery: Recovery, left: Decimal) -> tuple[Line, ...]:
    """What is still owed to us will not come: it is a cost of the claim."""
    return _move(left, debit=Account.INCURRED, credit=Account.RECOVERABLE) if recovery in OWED_BACK else ()
