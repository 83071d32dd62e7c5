"""What must hold of every closed claim, read from the API's own answers; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from infra.simulator.client import Json
from lian.domain.case_kind import CaseKind
from lian.domain.case_kinds import NOT_WAITED_FOR, kind_of_number
from lian.domain.claims.definition import CLAIM

STOPPED_IN_TIME, STOPPED_LATE = "met", frozenset({"late", "breached"})
OVER = frozenset({"met", "late"})
WAS_PAID = frozenset({"confirmed", "returned", "reversed"})
ZERO = Decimal(0)


def problems_of(case: Json) -> list[str]:
    """What is wrong with one closed case; nothing, as it should be."""
    found = [*_parts(case), *_left_open(case), *_four_eyes(case), *_vouchers(case), *_panels(case)]
    kind = kind_of_number(case["number"])
    if kind is not CLAIM:
        return [f"{case['number']}: {each}" for each in [*found, *_ended(case, kind)]]
    found += [*_money(case), *_corrections(case), *_objections(case)]
    end = ENDS.get(case["outcome"])
    found += end(case) if end else [f"its outcome is {case['outcome']!r}"]
    return [f"{case['number']}: {each}" for each in found]


def _ended(case: Json, kind: CaseKind | None) -> list[str]:
    """A case of any kind ends as its definition says."""
    known = kind.outcomes if kind else {}
    return [] if case["outcome"] in known else [f"its outcome is {case['outcome']!r}"]


def _parts(case: Json) -> list[str]:
    claimed = sum((Decimal(e["claimed_amount"]) for e in case["exposures"]), Decimal(0))
    same = claimed == Decimal(case["claimed_amount"])
    return [] if same else [f"its losses add up to {claimed}, the claim says {case['claimed_amount']}"]


def _left_open(case: Json) -> list[str]:
    # What no process waits for may be answered long after.
    tasks = [t for t in case["tasks"] if t["status"] == "open" and t["kind"] not in NOT_WAITED_FOR]
    found = [f"task {t['kind']} is still open" for t in tasks]
    found += [f"clock {c['clock']} still runs" for c in case["clocks"] if c["status"] in {"running", "paused"}]
    found += [f"request {r['id']} is still open" for r in case["requests"] if r["status"] == "open"]
    found += [f"referral {r['id']} is not concluded" for r in case["referrals"] if r["status"] != "concluded"]
    found += [f"panel {p['id']} is still in session" for p in case["panels"] if p["concluded_at"] is None]
    found += [f"objection {o['id']} is not decided" for o in case["objections"] if o["decided_at"] is None]
    found += [f"payment {p['id']} is {p['status']}" for p in case["payments"] if p["status"] in {"requested", "sent"}]
    return found


# --- more than one person ---------------------------------------------------------------------------------------------


def _four_eyes(case: Json) -> list[str]:
    final = [d for d in case["decisions"] if d["status"] == "final"]
    return [
        f"decision {d['id']} was made and authorised by one person, or by nobody"
        for d in final
        if d["needs_second"] and d["authorised_by"] in {"", d["decided_by"]}
    ]


def _panels(case: Json) -> list[str]:
    """Nobody votes twice, or on their own decision (CLM-8)."""
    deciders = {d["id"]: d["decided_by"] for d in case["decisions"]}
    found = []
    for panel in case["panels"]:
        voters = [vote["voter"] for vote in panel["votes"]]
        if len(voters) != len(set(voters)):
            found.append(f"somebody voted twice in panel {panel['id']}")
        if deciders.get(panel["decision_id"]) in voters:
            found.append(f"whoever decided voted in panel {panel['id']}")
    return found


def _corrections(case: Json) -> list[str]:
    return [
        f"correction {c['id']} was agreed to by whoever asked for it"
        for c in case["corrections"]
        if c["decided_by"] and c["decided_by"] == c["proposed_by"]
    ]


def _objections(case: Json) -> list[str]:
    """Whoever looks at an objection did not take part in the decision (CLM-11)."""
    looked = [t for t in case["tasks"] if t["kind"] == "review_objection" and t["status"] == "completed"]
    pairs = zip(_by(case["objections"], "lodged_at"), _by(looked, "opened_at"), strict=False)
    return [
        f"objection {objection['id']} was reviewed by somebody who had decided"
        for objection, task in pairs
        if task["completed_by"] in _took_part(case, objection["decision_id"])
    ]


def _by(rows: Iterable[Json], name: str) -> list[Json]:
    return sorted(rows, key=lambda row: str(row[name]))


def _took_part(case: Json, decision_id: str) -> set[str]:
    made = {
        actor for d in case["decisions"] if d["id"] == decision_id for actor in (d["decided_by"], d["authorised_by"])
    }
    return made | {v["voter"] for p in case["panels"] if p["decision_id"] == decision_id for v in p["votes"]}


# --- money ------------------------------------------------------------------------------------------------------------


def _vouchers(case: Json) -> list[str]:
    """Each transfer that was paid, whatever became of it later, has a voucher of its own (CLM-10)."""
    vouchers = [p["voucher_document_id"] for p in case["payments"] if p["status"] in WAS_PAID]
    known = {d["id"] for d in case["documents"]}
    if any(v is None or v not in known for v in vouchers) or len(set(vouchers)) != len(vouchers):
        return ["a payment has no voucher of its own"]
    return []


def _money(case: Json) -> list[str]:
    """What arrived, less what is owed back, is what the case calls paid; and never more than was approved (I3)."""
    owed = sum((Decimal(r["expected_amount"]) for r in case["recoveries"] if r["recovery"] == "overpayment"), ZERO)
    paid, approved = Decimal(case["paid_amount"]), Decimal(case["approved_amount"])
    arrived = sum((Decimal(p["amount"]) for p in case["payments"] if p["status"] == "confirmed"), ZERO)
    found = [f"{paid} was paid, {approved} approved"] if paid > approved else []
    if arrived - owed != paid:
        found.append(f"{arrived} arrived and {owed} is owed back, the case says {paid}")
    return found


def _paid(case: Json) -> list[str]:
    paid, approved = Decimal(case["paid_amount"]), Decimal(case["approved_amount"])
    found = [] if 0 < paid == approved else [f"{paid} was paid, {approved} approved"]
    return found + _no_denial_but(case, _denials(case))


def _denied(case: Json) -> list[str]:
    letters, denials = _letters(case, "denial"), _denials(case)
    found = [] if 1 <= letters <= denials else [f"it was denied {denials} times and has {letters} denial notices"]
    return found + _nothing_paid(case)


def _withdrawn(case: Json) -> list[str]:
    return _nothing_paid(case) + _no_denial_but(case, 0)


def _merged(case: Json) -> list[str]:
    is_linked = any(link["relation"] == "duplicate_of" and not link["is_back"] for link in case["links"])
    return _nothing_paid(case) + ([] if is_linked else ["it is merged and says not into which"])


def _nothing_paid(case: Json) -> list[str]:
    left = Decimal(case["paid_amount"])
    return [f"it is {case['outcome']} and {left} is paid"] if left else []


def _denials(case: Json) -> int:
    return sum(d["status"] == "final" and d["result"] == "deny" for d in case["decisions"])


def _no_denial_but(case: Json, most: int) -> list[str]:
    letters = _letters(case, "denial")
    return (
        [f"it is {case['outcome']}, was denied {most} times and has {letters} denial notices"] if letters > most else []
    )


def _letters(case: Json, letter: str) -> int:
    return sum(d["source"] == "letter" and d["item"] == letter for d in case["documents"])


ENDS: dict[str, Callable[[Json], list[str]]] = {
    "paid": _paid,
    "denied": _denied,
    "withdrawn": _withdrawn,
    "merged": _merged,
}
"""What must hold of a claim that ended so."""


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
