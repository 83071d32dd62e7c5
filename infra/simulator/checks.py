"""What must hold of every closed claim, read from the API's own answers; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from infra.simulator.client import Json

STOPPED_IN_TIME, STOPPED_LATE = "met", frozenset({"late", "breached"})
OVER = frozenset({"met", "late"})


def problems_of(case: Json) -> list[str]:
    """What is wrong with one closed case; nothing, as it should be."""
    found = [*_parts(case), *_left_open(case), *_four_eyes(case)]
    match case["outcome"]:
        case "paid":
            found += _paid(case)
        case "denied":
            found += _denied(case)
        case "withdrawn":
            found += _withdrawn(case)
        case other:
            found.append(f"its outcome is {other!r}")
    return [f"{case['number']}: {each}" for each in found]


def _parts(case: Json) -> list[str]:
    claimed = sum((Decimal(e["claimed_amount"]) for e in case["exposures"]), Decimal(0))
    same = claimed == Decimal(case["claimed_amount"])
    return [] if same else [f"its losses add up to {claimed}, the claim says {case['claimed_amount']}"]


def _left_open(case: Json) -> list[str]:
    found = [f"task {t['kind']} is still open" for t in case["tasks"] if t["status"] == "open"]
    found += [f"clock {c['clock']} still runs" for c in case["clocks"] if c["status"] in {"running", "paused"}]
    return found + [f"request {r['id']} is still open" for r in case["requests"] if r["status"] == "open"]


def _four_eyes(case: Json) -> list[str]:
    final = [d for d in case["decisions"] if d["status"] == "final"]
    return [
        f"decision {d['id']} was made and authorised by one person, or by nobody"
        for d in final
        if d["needs_second"] and d["authorised_by"] in {"", d["decided_by"]}
    ]


def _paid(case: Json) -> list[str]:
    confirmed = [p for p in case["payments"] if p["status"] == "confirmed"]
    paid = sum((Decimal(p["amount"]) for p in confirmed), Decimal(0))
    vouchers = [p["voucher_document_id"] for p in confirmed]
    known = {d["id"] for d in case["documents"]}
    found = [f"payment {p['id']} is {p['status']}" for p in case["payments"] if p["status"] in {"requested", "sent"}]
    if not confirmed or paid != Decimal(case["approved_amount"]):
        found.append(f"{paid} was paid, {case['approved_amount']} approved")
    if any(v is None or v not in known for v in vouchers) or len(set(vouchers)) != len(vouchers):
        found.append("a payment has no voucher of its own")
    return found + _no_letter(case, "denial")


def _denied(case: Json) -> list[str]:
    letters = _letters(case, "denial")
    found = [] if letters == 1 else [f"it has {letters} denial notices instead of one"]
    return found + _no_payment(case)


def _withdrawn(case: Json) -> list[str]:
    return _no_payment(case) + _no_letter(case, "denial")


def _no_payment(case: Json) -> list[str]:
    return [f"it is {case['outcome']} and has a payment"] if case["payments"] else []


def _no_letter(case: Json, letter: str) -> list[str]:
    return [f"it is {case['outcome']} and has a {letter} notice"] if _letters(case, letter) else []


def _letters(case: Json, letter: str) -> int:
    return sum(d["source"] == "letter" and d["item"] == letter for d in case["documents"])


@dataclass(frozen=True, slots=True)
class OnTime:
    """How many promises were kept, of those that have come to their end; cancelled ones promise nothing any more."""

    met: int
    late: int

    @property
    def rate(self) -> float:
        """From 0 to 1; 1 when none has ended."""
        return self.met / (self.met + self.late) if self.met + self.late else 1.0


def on_time(cases: Iterable[Json]) -> OnTime:
    """The promises of these cases."""
    statuses = Counter(clock["status"] for case in cases for clock in case["clocks"])
    return OnTime(met=statuses["met"], late=statuses["late"] + statuses["breached"])


def outcomes(cases: Sequence[Json]) -> dict[str, int]:
    """How the closed cases ended."""
    return dict(sorted(Counter(case["outcome"] for case in cases).items()))
