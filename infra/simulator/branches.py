"""Which branches of the claims manual the closed cases took, read from the API's own answers; pure (CLM-6..15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from decimal import Decimal

from infra.simulator.client import Json


def branches(cases: Iterable[Json], *, advanced: Collection[str], reopened: Collection[str]) -> dict[str, int]:
    """How many cases took each branch; a case counts in every branch it took.

    `advanced` and `reopened` are ids of cases with an advance in force, and of those a person handled again.
    """
    count: Counter[str] = Counter(dict.fromkeys(BRANCHES, 0))
    for case in cases:
        count.update(_taken(case))
        count["advanced"] += case["id"] in advanced
        count["reopened"] += case["id"] in reopened
    return dict(count)


BRANCHES = (
    *("paid simple", "paid complex", "denied", "withdrawn", "merged", "investigated", "referred", "cleared"),
    *("confirmed", "inconclusive", "panel", "panel rejected", "authorised", "sent back", "advanced"),
    *("paid in several transfers", "refused by the bank", "returned and reissued", "reversed", "account changed"),
    *("disputed after part payment", "appealed after denial", "objection upheld", "objection changed"),
    *("corrected before the decision", "corrected after it", "correction refused", "reopened", "recovery"),
    *("request withdrawn", "asked twice for documents"),
)
"""In the order in which they are told."""


def _taken(case: Json) -> set[str]:
    return {
        *_ending(case),
        *_inquest(case),
        *_agreement(case),
        *_transfers(case),
        *_objections(case),
        *_corrections(case),
        *_requests(case),
    }


def _ending(case: Json) -> set[str]:
    return {f"paid {case['complexity']}"} if case["outcome"] == "paid" else {case["outcome"]}


def _inquest(case: Json) -> set[str]:
    found = {"investigated"} if case["investigations"] else set()
    if case["referrals"]:
        found |= {"referred", *(r["outcome"] for r in case["referrals"])}
    return found


def _agreement(case: Json) -> set[str]:
    """How a decision came to stand."""
    found = {"panel"} if case["panels"] else set()
    found |= {"panel rejected" for p in case["panels"] if p["result"] == "rejected"}
    found |= {"authorised" for d in case["decisions"] if d["authorised_by"].startswith("staff:")}
    return found | {"sent back" for d in case["decisions"] if d["status"] == "returned"}


def _transfers(case: Json) -> set[str]:
    statuses = Counter(p["status"] for p in case["payments"])
    found = {"paid in several transfers"} if statuses["confirmed"] > 1 else set()
    if statuses["rejected"]:
        found.add("refused by the bank")
    if statuses["returned"]:
        found.add("returned and reissued")
    if statuses["reversed"]:
        found.add("reversed")
    if case["recoveries"]:
        found.add("recovery")
    is_verified = any(t["kind"] == "verify_account" and t["status"] == "completed" for t in case["tasks"])
    return found | ({"account changed"} if is_verified else set())


def _objections(case: Json) -> set[str]:
    """An appeal objects to a denial; a dispute to a decision that pays a part."""
    approved = {d["id"]: Decimal(d["approved_amount"]) for d in case["decisions"]}
    found = {f"objection {o['status']}" for o in case["objections"] if o["status"] in {"upheld", "changed"}}
    for objection in case["objections"]:
        is_paid = approved.get(objection["decision_id"], Decimal(0)) > 0
        found.add("disputed after part payment" if is_paid else "appealed after denial")
    return found


def _corrections(case: Json) -> set[str]:
    final = [str(d["decided_at"]) for d in case["decisions"] if d["status"] == "final"]
    found = {"correction refused" for c in case["corrections"] if c["status"] == "refused"}
    for correction in case["corrections"]:
        if correction["status"] == "applied":
            is_early = not final or str(correction["proposed_at"]) < min(final)
            found.add("corrected before the decision" if is_early else "corrected after it")
    return found


def _requests(case: Json) -> set[str]:
    found = {"request withdrawn"} if any(r["status"] == "withdrawn" for r in case["requests"]) else set()
    return found | ({"asked twice for documents"} if len(case["requests"]) > 1 else set())
