"""The money of a case for staff: what it costs, every change of a reserve, what comes back, the ledger (CLM-15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from lian.domain.claims.money_actions import CLOSING_REASONS, RESERVE_LINES, RESERVE_REASON_LABELS
from lian.domain.labels import Label
from lian.domain.ledger import ACCOUNT_LABELS, RECOVERY_LABELS, Recovery
from lian.services.reading_money import MoneyOnCase, RecoveryOnCase, ReserveChange
from web.presenters.cases import Fact, Look
from web.presenters.matters import Entry
from web.presenters.timeline import who_is
from web.presenters.timeline_matters import coded


@dataclass(frozen=True, slots=True)
class ReserveRow:
    """One change of one reserve."""

    what: str
    amount: str
    change: str
    why: str
    who: str
    when: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One line of the ledger: debit or credit, and the account's balance after it."""

    when: str
    account: str
    debit: str
    credit: str
    balance: str


@dataclass(frozen=True, slots=True)
class MoneyView:
    """All of it in the reader's words."""

    totals: tuple[Fact, ...]
    reserves: tuple[ReserveRow, ...]
    recoveries: tuple[Entry, ...]
    balances: tuple[Fact, ...]
    ledger: tuple[LedgerRow, ...]
    is_balanced: bool


def present_money(money: MoneyOnCase, coverages: Mapping[str, Label], look: Look) -> MoneyView:
    """The figures with their words."""

    def amount(value: Decimal) -> str:
        return look.reader.money(value, money.currency)

    say = look.reader.say
    return MoneyView(
        totals=(
            (say("Incurred"), amount(money.incurred_amount)),
            (say("Paid"), amount(money.paid_amount)),
            (say("Indemnity reserve"), amount(money.indemnity_reserve)),
            (say("Expense reserve"), amount(money.expense_reserve)),
            (say("Recovered"), amount(money.recovered_amount)),
            (say("Net incurred"), amount(money.net_incurred_amount)),
        ),
        reserves=tuple(_change(change, money, coverages, look) for change in money.reserves),
        recoveries=tuple(_recovery(found, money, look) for found in money.recoveries),
        balances=tuple(
            (look.reader.label(ACCOUNT_LABELS[account]), amount(balance)) for account, balance in money.balances.items()
        ),
        ledger=tuple(
            LedgerRow(
                look.reader.moment(entry.booked_at),
                look.reader.label(ACCOUNT_LABELS[entry.account]),
                amount(entry.amount) if entry.amount > 0 else "",
                amount(-entry.amount) if entry.amount < 0 else "",
                amount(entry.balance),
            )
            for entry in money.ledger
        ),
        is_balanced=money.is_balanced,
    )


def _change(change: ReserveChange, money: MoneyOnCase, coverages: Mapping[str, Label], look: Look) -> ReserveRow:
    reader = look.reader
    coverage = reader.label(coded(coverages, change.coverage_code))
    line = reader.label(coded(RESERVE_LINES, change.reserve_line))
    sign = "+" if change.change > 0 else ""
    return ReserveRow(
        what=f"{coverage} · {line}",
        amount=reader.money(change.amount, money.currency),
        change=sign + reader.money(change.change, money.currency),
        why=reader.label(coded(RESERVE_REASON_LABELS, change.reason)),
        who=who_is(change.set_by, look.names, reader),
        when=reader.moment(change.set_at),
    )


def _recovery(found: RecoveryOnCase, money: MoneyOnCase, look: Look) -> Entry:
    reader, row = look.reader, found.recovery
    is_open = row.status == "open"
    kind = reader.label(RECOVERY_LABELS[Recovery(row.recovery)])
    state = reader.say("open") if is_open else reader.label(coded(CLOSING_REASONS, row.closed_why))
    figures = reader.say(
        "Expected {expected}, received {received}, still to come {left}",
        expected=reader.money(row.expected_amount, money.currency),
        received=reader.money(row.received_amount, money.currency),
        left=reader.money(found.left_amount, money.currency),
    )
    receipts = (
        reader.say(
            "{amount} on {day}, bank reference {reference}",
            amount=reader.money(r.amount, money.currency),
            day=reader.date(r.received_on),
            reference=r.reference,
        )
        for r in found.receipts
    )
    words = f"{kind} · {row.counterparty}" if row.counterparty else kind
    return Entry(words, state, "info" if is_open else "none", (figures, *receipts))


def people_in_money(money: MoneyOnCase) -> set[str]:
    """Everybody whose name the figures show."""
    return {change.set_by for change in money.reserves}
