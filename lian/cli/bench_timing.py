"""Timing one operation again and again, and what is told of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Figures = dict[str, Any]


@dataclass(slots=True)
class Timed:
    """What was measured of one operation, in seconds; `cpu`: of the server, for each request."""

    seconds: list[float] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0


def seen(timed: Timed) -> Figures:
    """What is told of it: milliseconds, and how many a second."""
    ordered = sorted(timed.seconds)

    def below(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)

    rate = round(len(ordered) / timed.wall, 1)
    figures = {
        "p50_ms": below(0.5),
        "p95_ms": below(0.95),
        "p99_ms": below(0.99),
        "per_second": rate,
        "n": len(ordered),
    }
    return figures | ({"cpu_ms": round(1000 * timed.cpu, 2)} if timed.cpu else {})


async def repeated(
    times: int, ask: Callable[[], Awaitable[T]], *, then: Callable[[T], Awaitable[None]] | None = None
) -> Figures:
    """One after another; what follows each is not counted, nor is the first, which prepares its statements."""
    timed = Timed()
    for n in range(times + 1):
        began = time.perf_counter()
        found = await ask()
        if n:
            timed.seconds.append(time.perf_counter() - began)
        if then is not None:
            await then(found)
    timed.wall = sum(timed.seconds)
    return seen(timed)
