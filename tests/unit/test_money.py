"""Amounts: what is accepted, how they round, and that a split loses no cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lian.domain.errors import Invalid
from lian.domain.money import LARGEST, cents, parse_amount, split_amount, sum_amounts

AMOUNTS = st.decimals(min_value=0, max_value=LARGEST, places=2)
SHARES = st.lists(st.decimals(min_value=0, max_value=1_000_000, places=4), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("amount", "rounded"), [("1.005", "1.01"), ("1.004", "1.00"), ("-1.005", "-1.01"), ("7", "7.00")]
)
def test_cents_round_halves_away_from_zero(amount: str, rounded: str) -> None:
    assert str(cents(Decimal(amount))) == rounded


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "1e40"])
def test_cents_refuse_what_is_no_amount(amount: str) -> None:
    with pytest.raises(Invalid):
        cents(Decimal(amount))


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", "0.00"), ("1200", "1200.00"), (" 1200.5 ", "1200.50"), ("999999999999.99", "999999999999.99")],
)
def test_an_amount_is_read_from_plain_digits(text: str, amount: str) -> None:
    assert str(parse_amount(text)) == amount


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "NaN",
            "Infinity",
            "-Infinity",
            "inf",
            "-1",
            "-0.01",
            "\N{MINUS SIGN}5",
            "+5",
            "1e3",
            "1_000",
            "1,000",
        ),
        *(
            "1.234",
            "1.000",
            "1000000000000",
            "999999999999.995",
            "1" * 40,
            "9" * 10_000,
            "0x10",
            "¥5",
            "５",
            "1.",
            ".5",
        ),
        *("1\x00", "1\n2", "\ud800"),
    ],
)
def test_a_wrong_amount_is_refused_without_being_echoed(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_amount(text)
    assert not refusal.value.details
    assert refusal.value.message.isascii()


@given(AMOUNTS)
def test_every_valid_amount_survives_being_written_and_read(amount: Decimal) -> None:
    assert parse_amount(f"{amount:f}") == amount


@pytest.mark.req("CLM-10")
def test_a_split_gives_the_left_over_cent_to_who_lost_most() -> None:
    assert split_amount(Decimal(100), [Decimal(1)] * 3) == (Decimal("33.34"), Decimal("33.33"), Decimal("33.33"))
    assert split_amount(Decimal("0.05"), [Decimal("0.3"), Decimal("0.7")]) == (Decimal("0.02"), Decimal("0.03"))


@pytest.mark.req("CLM-10")
@given(AMOUNTS, SHARES.filter(any))
def test_a_split_adds_up_exactly_and_is_fair_to_the_cent(total: Decimal, shares: list[Decimal]) -> None:
    parts = split_amount(total, shares)
    assert sum_amounts(parts) == total
    whole = sum(shares)
    assert all(
        abs(part * whole - total * share) < Decimal("0.0101") * whole for part, share in zip(parts, shares, strict=True)
    )


@pytest.mark.parametrize(("total", "shares"), [("-1", ["1"]), ("1", []), ("1", ["0"]), ("1", ["2", "-1"])])
def test_a_split_that_makes_no_sense_is_refused(total: str, shares: list[str]) -> None:
    with pytest.raises(Invalid):
        split_amount(Decimal(total), [Decimal(share) for share in shares])


def test_a_sum_of_nothing_is_zero() -> None:
    assert str(sum_amounts([])) == "0.00"
