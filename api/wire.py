"""Shapes every wire model is made of: texts with limits, exact amounts, moments in UTC, words in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.moments import EARLIEST, LATEST
from lian.domain.money import parse_amount

LONGEST_NAME = 200
LONGEST_TEXT = 4000


class In(BaseModel):
    """What is sent to us; a field we do not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """What we answer."""

    model_config = ConfigDict(frozen=True)


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from _models(model)


@cache
def known_fields() -> frozenset[str]:
    """Every name of a field that may be sent: only these are named in an error."""
    return frozenset(name for model in _models(In) for name in model.model_fields)


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError('An amount is written as text, such as "1200.50".')
    try:
        return parse_amount(str(value) if isinstance(value, str) or abs(value) < 10**30 else "9" * 30)
    except Invalid as wrong:
        raise ValueError(wrong.message) from None


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("A moment is written as text with its zone, such as 2026-01-31T08:00:00Z.")
    return value


def _in_range(value: datetime) -> datetime:
    if not EARLIEST <= value <= LATEST:
        raise ValueError("This moment is too far away.")
    return value.astimezone(UTC)


AMOUNT_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,2})?$"
AMOUNT_SCHEMA = {"type": "string", "pattern": AMOUNT_PATTERN, "examples": ["1200.50"]}
AmountIn = Annotated[
    Decimal,
    BeforeValidator(_amount),
    WithJsonSchema({"anyOf": [AMOUNT_SCHEMA, {"type": "integer", "minimum": 0, "maximum": 999_999_999_999}]}),
]
"""Text or a whole number, never a float; at most two decimals."""
AmountOut = Annotated[
    Decimal, PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str), WithJsonSchema(AMOUNT_SCHEMA)
]
"""Text with two decimals, in the currency named beside it."""
MomentIn = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_in_range)]

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]
NameOrNothing = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_NAME)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)]
TextOrNothing = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]


class Words(Out):
    """One name in both languages."""

    en: str
    zh: str

    @staticmethod
    @cache
    def of(label: Label) -> Words:
        """The label's words; made once, since every row of a list has the same few."""
        return Words(en=label.en, zh=label.zh)


class Page(Out):
    """Part of a list; `next` is the `cursor` of the following part, null at the end."""

    next: str | None = Field(default=None, description="Give this as `cursor` to get the following page.")


class Problem(Out):
    """RFC 9457: what went wrong, in plain words."""

    type: str = Field(examples=["urn:lian:problem:conflict"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["Wang has this task already."])
    code: str = Field(examples=["conflict"])
    reference: str = Field(description="Tell us this when you ask about it.")
    field: str | None = Field(default=None, description="The field at fault, where there is one.")
    holder: str | None = Field(default=None, description="Who has the task instead.")
    errors: list[dict[str, str]] | None = Field(default=None, description="Every field at fault.")
