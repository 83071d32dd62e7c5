"""What a robot is asked, and chance: the ground on which every choice stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

Json = dict[str, Any]
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Asked:
    """A task as the API tells it: kind, case, the question with its rows, and the form of its answer."""

    id: str
    kind: str
    case_number: str
    ask: Json
    form: Json = field(default_factory=dict)
    file: Json = field(default_factory=dict)
    """The case's file, for questions that nobody answers without a look at it."""


Answer = Callable[[Asked], Json]
"""How somebody answers a task."""
Choice = Callable[[Asked, Random], Json]
"""How somebody answers a task, as chance has it."""


def chance(seed: int, *about: object) -> Random:
    """Chance that depends on the seed and on what it is about, not on who came first."""
    return Random("/".join(map(str, (seed, *about))))  # noqa: S311


def part_of(amount: Decimal, share: float) -> Decimal:
    """A share of an amount, to the cent."""
    return (amount * Decimal(str(round(share, 4)))).quantize(CENT, ROUND_HALF_UP)
