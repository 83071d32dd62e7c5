"""What people mean to do on a claim of their own accord, told by the seed and the case's number alone.

A wish comes true when the claim allows it; `due` says when. Every wish has a key of its own, `robot-NUMBER-WISH`, so
that one that is carried out twice happens once.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from infra.simulator.questions import Json, chance

WITHDRAW = "withdraw"
REPORT_TWICE = "report_twice"
SEND_NOTHING = "send_nothing"
PAY_ADVANCE = "pay_advance"
REFER = "refer"
SET_RESERVE = "set_reserve"
CORRECT_EARLY = "correct_early"
CORRECT_LATE = "correct_late"
ACCEPT_ONESELF = "accept_oneself"
OBJECT_EARLY = "object_early"
OBJECT_LATE = "object_late"
REVERSE = "reverse_payment"
REOPEN_PAID = "reopen_paid"
REOPEN_DENIED = "reopen_denied"
RECOVER = "recover"
BOOK_RECEIPTS = "book_receipts"

SHARES: dict[str, float] = {
    WITHDRAW: 0.02,
    REPORT_TWICE: 0.01,
    SEND_NOTHING: 0.05,
    PAY_ADVANCE: 0.05,
    REFER: 0.005,
    SET_RESERVE: 0.02,
    CORRECT_EARLY: 0.03,
    CORRECT_LATE: 0.02,
    ACCEPT_ONESELF: 0.30,
    OBJECT_EARLY: 0.15,
    OBJECT_LATE: 0.15,
    REVERSE: 0.005,
    REOPEN_PAID: 0.01,
    REOPEN_DENIED: 0.03,
    RECOVER: 0.02,
    BOOK_RECEIPTS: 0.60,
}
"""How many of those who could: of all claims, but `SEND_NOTHING` of claims that lack documents (2 % of all),
`PAY_ADVANCE` of the larger ones in assessment, `OBJECT_EARLY` and `OBJECT_LATE` (never both) of those paid in part or
denied, while the settlement is open or once the claim is closed; the reopenings of the paid and of the denied;
`BOOK_RECEIPTS` of claims with something owed back."""
LARGER = Decimal(20_000)
"""From this claimed amount on an advance is thought of."""

AFTER_PAYMENT = (REVERSE, CORRECT_LATE, REOPEN_PAID, OBJECT_LATE, RECOVER, BOOK_RECEIPTS)
AFTER_DENIAL = (REOPEN_DENIED, OBJECT_LATE, BOOK_RECEIPTS)
ONCE_CLOSED = {"paid": AFTER_PAYMENT, "denied": AFTER_DENIAL}
"""What may come up on a closed claim, in the order in which it does."""


def wishes(seed: int, number: str) -> frozenset[str]:
    """Everything that is meant to happen on this claim; most of it needs an occasion that may never come."""
    found = {wish for wish, share in SHARES.items() if chance(seed, number, wish).random() < share}
    return frozenset(found - {OBJECT_LATE} if OBJECT_EARLY in found else found)


def due_once_closed(case: Json, wished: Collection[str], done: Collection[str]) -> str:
    """What is next on this closed claim; empty when nothing more will come up.

    A denial is objected to after it was closed also by those who would have objected to a settlement.
    """
    meant = set(wished)
    if case["outcome"] == "denied" and OBJECT_EARLY in meant:
        meant.add(OBJECT_LATE)
    if case["generation"] > 1:
        meant -= {REOPEN_PAID, REOPEN_DENIED}
    elif RECOVER not in done:
        meant.discard(BOOK_RECEIPTS)
    return next((w for w in ONCE_CLOSED.get(case["outcome"], ()) if w in meant and w not in done), "")


def key_of(number: str, wish: str) -> str:
    """The idempotency key under which a wish comes true once."""
    return f"robot-{number}-{wish}"
