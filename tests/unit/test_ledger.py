"""The claim's ledger: whatever happens, every entry adds up to zero (CLM-10, CLM-15, I3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lian.domain import ledger
from lian.domain.ledger import OWED_BACK, Account, Line, Recovery

pytestmark = [pytest.mark.req("CLM-10"), pytest.mark.req("CLM-15")]

AMOUNTS = some.decimals(min_value="0.01", max_value="999999.99", places=2)
STEPS = some.lists(
    some.tuples(
        some.sampled_from(("approve", "pay", "return", "recall", "recover", "receive", "give up")),
        AMOUNTS,
        some.sampled_from((Recovery.SUBROGATION, Recovery.SALVAGE)),
    ),
    max_size=40,
)


@dataclass
class Books:
    """A claim that keeps its figures beside the ledger, as the case's row does."""

    approved: Decimal = Decimal(0)
    transfers: list[Decimal] = field(default_factory=list)
    paid: Decimal = Decimal(0)
    recoveries: list[tuple[Recovery, Decimal]] = field(default_factory=list)
    income: Decimal = Decimal(0)
    balances: dict[Account, Decimal] = field(default_factory=lambda: dict.fromkeys(Account, Decimal(0)))

    def book(self, lines: tuple[Line, ...]) -> None:
        """Every entry by itself adds up to zero, and no account stands twice in one."""
        assert sum((line.amount for line in lines), Decimal(0)) == 0
        assert len({line.account for line in lines}) == len(lines)
        for line in lines:
            self.balances[line.account] += line.amount

    def step(self, what: str, amount: Decimal, kind: Recovery) -> None:
        """One thing that can happen now; what cannot is passed over."""
        match what:
            case "approve":
                self.book(ledger.approved(amount - self.approved))
                self.approved = amount
            case "pay":
                self.book(ledger.paid(amount))
                self.transfers.append(amount)
                self.paid += amount
            case "return" if self.transfers:
                back = self.transfers.pop()
                self.book(ledger.returned(back))
                self.paid -= back
            case "recall" if self.transfers:
                back = self.transfers.pop()
                self.book(ledger.owed_back(back))
                self.paid -= back
                self.recoveries.append((Recovery.RECALL, back))
            case "recover":
                self.recoveries.append((kind, amount))
            case "receive" if self.recoveries:
                of, left = self.recoveries.pop()
                part = min(amount, left) if of in OWED_BACK else amount
                self.book(ledger.received(of, part))
                self.income += part if of not in OWED_BACK else 0
                self.recoveries.append((of, left - part))
            case "give up" if self.recoveries:
                of, left = self.recoveries.pop()
                self.book(ledger.given_up(of, left) if left > 0 else ())


@given(STEPS)
def test_what_is_payable_is_always_what_was_approved_and_not_paid(steps: list[tuple[str, Decimal, Recovery]]) -> None:
    books = Books()
    for what, amount, kind in steps:
        books.step(what, amount, kind)
        assert sum(books.balances.values()) == 0
        assert -books.balances[Account.PAYABLE] == books.approved - books.paid
        owed = sum((left for of, left in books.recoveries if of in OWED_BACK), Decimal(0))
        assert books.balances[Account.RECOVERABLE] == owed
        assert -books.balances[Account.RECOVERED] == books.income


def test_an_amount_of_nothing_books_nothing() -> None:
    assert ledger.approved(Decimal(0)) == ()


@pytest.mark.parametrize("kind", list(Recovery))
def test_giving_up_costs_something_only_when_it_was_our_own_money(kind: Recovery) -> None:
    assert bool(ledger.given_up(kind, Decimal(5))) == (kind in OWED_BACK)
