"""What robots say of their own accord: second reports, corrections, receipts; pure (CLM-3, CLM-15)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from infra.simulator.questions import CENT, Json, part_of


def early_correction(losses: Sequence[Json], random: Random) -> Json:
    """One figure of the assessment was wrong, or of the report; of people hurt, only the record changes."""
    name = random.choices(("assessed_amount", "claimed_amount", "injured"), (7, 2, 1))[0]
    loss = random.choice(losses)
    amount = part_of(Decimal(loss["assessed_amount"]), random.uniform(0.7, 0.95)) or CENT
    if name == "injured":
        return {"name": name, "after": "1", "exposure_id": ""}
    return {"name": name, "after": str(amount), "exposure_id": loss["exposure_id"]}


def receipt(recovery: Json, left: Decimal, file: Json) -> Json:
    """All that is still expected, on the day the case was opened."""
    return {
        "recovery_id": recovery["id"],
        "amount": str(left),
        "received_on": str(file["opened_at"])[:10],
        "reference": f"ROBOT-{recovery['id'][:8].upper()}",
    }


def second_report(file: Json) -> Json:
    """The same loss as somebody else tells it: the garage that repairs the damage."""
    claimants = [p for p in file["parties"] if p["role"] == "claimant" and not p["is_minor"]]
    places = {p["id"]: n for n, p in enumerate(claimants)}
    return {
        "policy_number": file["policy_number"],
        "loss_cause": file["loss_cause"],
        "loss_at": file["loss_at"],
        "place": file["place"],
        "course": file["course"],
        "injured": file["injured"],
        "reporter": {"name": "Garage at the corner", "phone": "+15550000099", "email": ""},
        "claimants": [{"name": p["name"], "phone": p["phone"], "email": p["email"]} for p in claimants],
        "losses": [
            {
                "coverage_code": e["coverage_code"],
                "claimed_amount": e["claimed_amount"],
                "claimant": places.get(e["claimant_party_id"], 0),
            }
            for e in file["exposures"]
        ],
        "channel": "phone",
    }


def late_correction(file: Json, how: float) -> Json:
    """Another assessed amount for the largest loss that was paid: half of the corrections up, where that is possible.

    Empty when nothing was paid.
    """
    paid = [e for e in file["exposures"] if Decimal(e["payable_amount"]) > 0 and e["assessed_amount"]]
    if not paid:
        return {}
    loss = max(paid, key=lambda e: Decimal(e["payable_amount"]))
    assessed, claimed = Decimal(loss["assessed_amount"]), Decimal(loss["claimed_amount"])
    after = claimed if how > 0.5 and assessed < claimed else part_of(assessed, 0.6 + how * 0.35)
    return {"name": "assessed_amount", "exposure_id": loss["id"], "after": str(after)} if after != assessed else {}
