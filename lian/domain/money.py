"""Amounts of money: whole cents, `Decimal`, never float.

An amount carries no currency of its own; the case names one currency and every amount in it is in that one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from lian.domain.errors import Invalid

CENT = Decimal("0.01")
LARGEST = Decimal("999999999999.99")
"""No single amount is larger; a bigger one is a slip of the keyboard."""

_LONGEST_TEXT = 32
_AMOUNT = re.compile(r"[0-9]+(?:\.(?P<decimals>[0-9]+))?")


def cents(amount: Decimal) -> Decimal:
    """The amount in whole cents, halves rounded up (away from zero). `Invalid` when it is no finite number."""
    if not amount.is_finite():
        raise Invalid("An amount must be a number.")
    if abs(amount) > LARGEST * 1000:  # far beyond any sum of amounts, and short of the decimal context's precision
        raise Invalid("The amount is too large.")
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def parse_amount(text: str) -> Decimal:
    """The amount a person or a file wrote, such as `1200` or `1200.50`.

    Plain ASCII digits only: no sign, exponent, thousands separator or currency. `Invalid`, in plain words and without
    repeating the input, for NaN, infinity, a negative, more than two decimals, or more than 999,999,999,999.99.
    """
    text = text.strip()
    if text.startswith(("-", "\N{MINUS SIGN}")):
        raise Invalid("An amount cannot be negative.")
    if len(text) > _LONGEST_TEXT:
        raise Invalid("The amount is too large or too long.")
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise Invalid("An amount must be a number such as 1200.50.")
    if len(match["decimals"] or "") > 2:
        raise Invalid("An amount has at most two decimals.")
    return _within_bounds(Decimal(text))


def _within_bounds(amount: Decimal) -> Decimal:
    if amount > LARGEST:
        raise Invalid("The amount is too large; at most 999,999,999,999.99.")
    return cents(amount)


def split_amount(total: Decimal, shares: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """The total divided in proportion to the shares, in whole cents that add up to the total exactly (CLM-10).

    Largest remainder: everybody gets their part rounded down, and the cents left over go to those who lost most by
    it, the earlier share first on a tie. `Invalid` for a negative total or share, or shares that add up to nothing.
    """
    if cents(total) < 0 or any(cents(share) < 0 for share in shares):
        raise Invalid("Only an amount of zero or more can be split, by shares of zero or more.")
    whole = sum((Fraction(share) for share in shares), Fraction(0))
    if not whole:
        raise Invalid("The shares must add up to more than zero.")
    return _by_largest_remainder(int(cents(total) / CENT), [Fraction(share) / whole for share in shares])


def _by_largest_remainder(total_cents: int, parts: Sequence[Fraction]) -> tuple[Decimal, ...]:
    exact = [total_cents * part for part in parts]
    given = [int(value) for value in exact]
    left_over = total_cents - sum(given)
    by_loss = sorted(range(len(parts)), key=lambda index: given[index] - exact[index])  # stable: earlier share first
    for index in by_loss[:left_over]:
        given[index] += 1
    return tuple(value * CENT for value in given)


def sum_amounts(amounts: Iterable[Decimal]) -> Decimal:
    """The amounts added up, in whole cents; 0.00 for none."""
    return cents(sum(amounts, Decimal(0)))
