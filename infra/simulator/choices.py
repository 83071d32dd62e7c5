"""What robots decide: pure functions of what is asked and of chance, so that a seed tells the whole story.

The shares are those of a plausible claims office; outcome shapes are the dataclasses of `lian/domain/claims/tasks.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

Json = dict[str, Any]

ASKS_FOR_DOCUMENTS = 0.40
REFUSES_A_DOCUMENT = 0.05
ASSESSES_LOWER = 0.20
EXCLUDES_BY_HAND = 0.02
DENIES_BY_HAND = 0.08
REDUCES_BY_HAND = 0.05
SENDS_BACK = 0.05
WITHDRAWS = 0.02
UPLOADS_IN_TWO_GOES = 0.25
WRITES_A_MESSAGE = 0.15
SENDS_A_PHOTO = 0.4
BANK_REFUSES = 0.02

OPTIONAL = frozenset({"policy"})
EXCLUSIONS = ("intoxication", "unlicensed", "wear", "undisclosed")
BANK_REASONS = ("AC04 closed account number", "AC01 incorrect account number", "AM09 wrong amount")
BANKS = ("First National Bank", "ICBC", "BANK OF CHINA", "Hudson Savings")
MESSAGES = (
    "Here are the papers you asked for. Is anything else needed?",
    "The garage asks when the repair will be paid.",
    "材料已上传，请查收。",
)
CENT = Decimal("0.01")


class Unknown(Exception):
    """A kind of task that no robot has learnt."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A task as the API tells it: kind, case, and the question with its rows."""

    id: str
    kind: str
    case_number: str
    ask: Json


Answer = Callable[[Asked], Json]
"""How somebody answers a task."""


def chance(seed: int, *about: object) -> Random:
    """Chance that depends on the seed and on what it is about, not on who came first."""
    return Random("/".join(map(str, (seed, *about))))  # noqa: S311


def answer(task: Asked, random: Random) -> Json:
    """A realistic answer to a task. Raises `Unknown` for a kind nobody taught."""
    try:
        choose = ANSWERS[task.kind]
    except KeyError:
        raise Unknown(task.kind) from None
    return choose(task, random)


def agreed(task: Asked) -> Json:
    """What somebody answers who agrees with every proposal and misses nothing."""
    match task.kind:
        case "initial_review":
            return {"complexity": task.ask["complexity"], "missing": []}
        case "check_documents":
            return {"refused": []}
        case "assess_loss":
            return {"losses": [_assessed(row, Decimal(row["claimed_amount"])) for row in task.ask["rows"]["losses"]]}
        case "adjudicate":
            return {"decisions": [_proposed(row) for row in task.ask["rows"]["decisions"]]}
        case "authorise":
            return {"agree": True}
    raise Unknown(task.kind)


def denied(task: Asked) -> Json:
    """Every exposure denied by hand."""
    return {"decisions": [_denied(row) for row in task.ask["rows"]["decisions"]]}


def review(task: Asked, random: Random) -> Json:
    """Triage is believed; for two claims in five something is missing, and all of it is listed at once (CLM-5)."""
    required = [code for code in task.ask["checklist"] if code not in OPTIONAL]
    missing: list[str] = []
    if random.random() < ASKS_FOR_DOCUMENTS and required:
        some = random.randint(1, len(required))
        missing = sorted(random.sample(required, some), key=required.index)
    return {"complexity": task.ask["complexity"], "missing": missing}


def check_documents(task: Asked, random: Random) -> Json:
    """Once in a while a paper cannot be read."""
    requested: Sequence[str] = task.ask["checklist"]
    refused = [random.choice(requested)] if random.random() < REFUSES_A_DOCUMENT else []
    return {"refused": refused}


def assess(task: Asked, random: Random) -> Json:
    """Usually as claimed, for one claim in five some loss is worth less, rarely one is not covered."""
    rows: list[Json] = task.ask["rows"]["losses"]
    lower = random.choice(rows)["exposure_id"] if random.random() < ASSESSES_LOWER else ""
    excluded = random.choice(rows)["exposure_id"] if random.random() < EXCLUDES_BY_HAND else ""
    return {"losses": [_loss(row, random, is_lower=row["exposure_id"] == lower, excluded=excluded) for row in rows]}


def _loss(row: Json, random: Random, *, is_lower: bool, excluded: str) -> Json:
    claimed = Decimal(row["claimed_amount"])
    assessed = _part(claimed, random.uniform(0.6, 0.95)) if is_lower else claimed
    reason = random.choice(EXCLUSIONS) if row["exposure_id"] == excluded else ""
    return _assessed(row, assessed, reason)


def _assessed(row: Json, amount: Decimal, reason: str = "") -> Json:
    return {"exposure_id": row["exposure_id"], "assessed_amount": str(amount), "excluded_reason": reason}


def adjudicate(task: Asked, random: Random) -> Json:
    """As the rules propose; one in twelve is denied by hand, one in twenty reduced, each with its reason (CLM-7)."""
    rows: list[Json] = task.ask["rows"]["decisions"]
    payable = [row["exposure_id"] for row in rows if Decimal(row["payable_amount"])]
    how, reduced = random.random(), random.choice(payable) if payable else ""
    if how < DENIES_BY_HAND:
        return denied(task)
    if how < DENIES_BY_HAND + REDUCES_BY_HAND:
        return {
            "decisions": [_reduced(row, random) if row["exposure_id"] == reduced else _proposed(row) for row in rows]
        }
    return agreed(task)


def _proposed(row: Json) -> Json:
    return {
        "exposure_id": row["exposure_id"],
        "result": row["result"],
        "payable_amount": str(row["payable_amount"]),
        "reason": "",
    }


def _denied(row: Json) -> Json:
    reason = "liability_not_established" if Decimal(row["payable_amount"]) else ""
    return {"exposure_id": row["exposure_id"], "result": "deny", "payable_amount": "0.00", "reason": reason}


def _reduced(row: Json, random: Random) -> Json:
    amount = _part(Decimal(row["payable_amount"]), random.uniform(0.5, 0.9))
    if not amount:
        return _proposed(row)
    return {
        "exposure_id": row["exposure_id"],
        "result": "partial",
        "payable_amount": str(amount),
        "reason": "evidence_insufficient",
    }


def authorise(task: Asked, random: Random) -> Json:
    """The second person agrees, but for one decision in twenty (CLM-9)."""
    return {"agree": random.random() >= SENDS_BACK}


def settle(task: Asked, random: Random) -> Json:
    """Every claimant is paid their share to an account of theirs (CLM-10)."""
    rows: list[Json] = task.ask["rows"]["payees"]
    return {"payees": [_payee(row, task.case_number, random) for row in rows]}


def _payee(row: Json, number: str, random: Random) -> Json:
    return {
        "party_id": row["party_id"],
        "amount": str(row["amount"]),
        "name": f"Account holder of {number}",
        "account": "".join(random.choices("0123456789", k=16)),
        "bank": random.choice(BANKS),
    }


ANSWERS: dict[str, Callable[[Asked, Random], Json]] = {
    "initial_review": review,
    "check_documents": check_documents,
    "assess_loss": assess,
    "adjudicate": adjudicate,
    "authorise": authorise,
    "agree_settlement": settle,
}


def _part(amount: Decimal, share: float) -> Decimal:
    return (amount * Decimal(str(round(share, 4)))).quantize(CENT, ROUND_HALF_UP)


# --- customers and the bank -------------------------------------------------------------------------------------------


def goes(needed: Sequence[str], random: Random) -> list[list[str]]:
    """In how many goes a customer sends what is needed: mostly one, sometimes two."""
    if len(needed) > 1 and random.random() < UPLOADS_IN_TWO_GOES:
        first = random.randint(1, len(needed) - 1)
        return [list(needed[:first]), list(needed[first:])]
    return [list(needed)] if needed else []


def message(random: Random) -> str:
    """What a customer writes; mostly nothing."""
    return random.choice(MESSAGES) if random.random() < WRITES_A_MESSAGE else ""


def withdraws(random: Random) -> bool:
    """Whether a customer gives up before the decision."""
    return random.random() < WITHDRAWS


def bank_says(random: Random) -> tuple[bool, str]:
    """Whether the bank executes a transfer, and its reason when it does not."""
    if random.random() < BANK_REFUSES:
        return False, random.choice(BANK_REASONS)
    return True, ""
