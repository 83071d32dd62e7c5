"""How robots answer tasks: pure functions of what is asked and of chance, so that a seed tells the whole story.

The shares are those of a plausible claims office; outcome shapes are the dataclasses of `lian/domain/claims/tasks.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from infra.simulator.fillings import filled
from infra.simulator.opinions import AGREEABLE, OPINIONS
from infra.simulator.questions import CENT, Answer, Asked, Choice, Json, chance, part_of

ASKS_FOR_DOCUMENTS = 0.40
REFUSES_A_DOCUMENT = 0.05
ASSESSES_LOWER = 0.20
EXCLUDES_BY_HAND = 0.02
INVESTIGATES_A_COMPLEX_CLAIM = 0.25
SUSPECTS = 0.03
CALLS_A_PANEL = 0.04
"""Of complex claims; every fifth of these must be unanimous."""
PAYS_IN_PARTS = 0.03
SPLITS = 0.03
"""To two accounts of one person."""
DENIES_BY_HAND = 0.08
REDUCES_BY_HAND = 0.05
SENDS_BACK = 0.05
UPLOADS_IN_TWO_GOES = 0.25
WRITES_A_MESSAGE = 0.15
SENDS_A_PHOTO = 0.4
BANK_REFUSES = 0.02
BANK_RETURNS = 0.015

OPTIONAL = frozenset({"policy", "statement", "answers"})
INVESTIGATIONS = ("scene_survey", "record_review", "witness_interview", "external_adjuster")
SUSPICIONS = ("fraud", "moral", "legal")
EXCLUSIONS = ("intoxication", "unlicensed", "wear", "undisclosed")
BANK_REASONS = ("AC04 closed account number", "AC01 incorrect account number", "AM09 wrong amount")
FAILED = frozenset({"rejected", "returned", "reversed"})
"""What a transfer is called whose money did not reach whom it was for."""
RETURN_REASONS = ("AC04 closed account number", "MD07 end customer deceased")
BANKS = ("First National Bank", "ICBC", "BANK OF CHINA", "Hudson Savings")
OBJECTIONS = (
    "The repair cost more than that; the invoice says so.",
    "这项损失应当属于保险责任，请重新核实。",
)
MESSAGES = (
    "Here are the papers you asked for. Is anything else needed?",
    "The garage asks when the repair will be paid.",
    "材料已上传，请查收。",
)


class Unknown(Exception):
    """A kind of task that no robot has learnt."""


__all__ = ["Answer", "Asked", "Json", "chance"]


def answer(task: Asked, random: Random) -> Json:
    """A realistic answer to a task; one that nobody taught is answered from its form. Raises `Unknown` without one."""
    if task.kind in ANSWERS:
        return ANSWERS[task.kind](task, random)
    if not task.form:
        raise Unknown(task.kind)
    return filled(task.form, task.ask, random)


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
        case "authorise" | "authorise_advance":
            return {"agree": True}
    if task.kind in AGREEABLE:
        return AGREEABLE[task.kind](task)
    raise Unknown(task.kind)


def denied(task: Asked) -> Json:
    """Every exposure denied by hand."""
    return {"decisions": [_denied(row) for row in task.ask["rows"]["decisions"]]}


def reduced(task: Asked) -> Json:
    """Every exposure paid in part, by hand."""
    return {"decisions": [_reduced(row, chance(0, task.case_number)) for row in task.ask["rows"]["decisions"]]}


def review(task: Asked, random: Random) -> Json:
    """Triage is believed; for two claims in five something is missing, and all of it is listed at once (CLM-5)."""
    required = [code for code in task.ask["checklist"] if code not in OPTIONAL]
    missing: list[str] = []
    if random.random() < ASKS_FOR_DOCUMENTS and required:
        some = random.randint(1, len(required))
        missing = sorted(random.sample(required, some), key=required.index)
    return {
        "complexity": task.ask["complexity"],
        "missing": missing,
        "investigate": _plan(task, random),
        "suspicion": random.choice(SUSPICIONS) if random.random() < SUSPECTS else "",
    }


def _plan(task: Asked, random: Random) -> list[str]:
    """One or two ways to find out more about a complex claim (CLM-6)."""
    if task.ask["complexity"] != "complex" or random.random() >= INVESTIGATES_A_COMPLEX_CLAIM:
        return []
    return sorted(random.sample(INVESTIGATIONS, random.randint(1, 2)), key=INVESTIGATIONS.index)


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
    assessed = part_of(claimed, random.uniform(0.6, 0.95)) if is_lower else claimed
    reason = random.choice(EXCLUSIONS) if row["exposure_id"] == excluded else ""
    return _assessed(row, assessed, reason)


def _assessed(row: Json, amount: Decimal, reason: str = "") -> Json:
    return {"exposure_id": row["exposure_id"], "assessed_amount": str(amount), "excluded_reason": reason}


def adjudicate(task: Asked, random: Random) -> Json:
    """As the rules propose; one in twelve is denied by hand, one in twenty reduced, each with its reason (CLM-7)."""
    return _decisions(task, random) | {"panel": _panel(task, random)}


def _decisions(task: Asked, random: Random) -> Json:
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


def _panel(task: Asked, random: Random) -> str:
    """A few complex claims are for several people to decide (CLM-8)."""
    if task.file.get("complexity") != "complex" or random.random() >= CALLS_A_PANEL:
        return ""
    return random.choices(("majority", "unanimous"), (4, 1))[0]


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
    amount = part_of(Decimal(row["payable_amount"]), random.uniform(0.5, 0.9))
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
    """Every claimant is paid their share to an account of theirs; seldom in parts, seldom to two accounts (CLM-10)."""
    rows: list[Json] = task.ask["rows"]["payees"]
    how = random.random()
    if how < PAYS_IN_PARTS and (halves := _halved(rows)):
        return {"payees": [_payee(row, task) for row in halves], "extent": "part"}
    if how >= 1 - SPLITS and (halves := _halved(rows[:1])):
        rest = Decimal(rows[0]["amount"]) - Decimal(halves[0]["amount"])
        shares = [halves[0], rows[0] | {"amount": str(rest)}]
        payees = [_payee(shares[0], task), _payee(shares[1], task, "second")]
        return {"payees": [*payees, *(_payee(row, task) for row in rows[1:])], "extent": ""}
    return settle_whole(task)


def settle_whole(task: Asked) -> Json:
    """Everything that is offered, as it is offered: all that a customer can accept by themselves."""
    return {"payees": [_payee(row, task) for row in task.ask["rows"]["payees"]], "extent": ""}


def _halved(rows: Sequence[Json]) -> list[Json]:
    """The same with half of each amount; nothing when one cannot be halved."""
    if any(Decimal(row["amount"]) < 2 * CENT for row in rows):
        return []
    return [row | {"amount": str(part_of(Decimal(row["amount"]), 0.5))} for row in rows]


def _payee(row: Json, task: Asked, which: str = "") -> Json:
    """A person keeps an account until the bank could not pay to it, or money went wrong there: then it is another."""
    failed = sum(p["status"] in FAILED for p in task.file.get("payments", ()))
    random = chance(0, task.case_number, row["party_id"], failed, which)
    return {
        "party_id": row["party_id"],
        "amount": str(row["amount"]),
        "name": f"Account holder of {task.case_number}",
        "account": "".join(random.choices("0123456789", k=16)),
        "bank": random.choice(BANKS),
    }


ANSWERS: dict[str, Choice] = {
    "initial_review": review,
    "check_documents": check_documents,
    "assess_loss": assess,
    "adjudicate": adjudicate,
    "authorise": authorise,
    "authorise_advance": authorise,
    "agree_settlement": settle,
    **OPINIONS,
}
NEEDS_THE_FILE = frozenset({"adjudicate", "agree_settlement"})
"""What nobody answers without a look at the case's file."""


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


def bank_returns(random: Random) -> str:
    """Why a payee's bank sends money back some days later; mostly it does not."""
    return random.choice(RETURN_REASONS) if random.random() < BANK_RETURNS else ""


def bank_says(random: Random) -> tuple[bool, str]:
    """Whether the bank executes a transfer, and its reason when it does not."""
    if random.random() < BANK_REFUSES:
        return False, random.choice(BANK_REASONS)
    return True, ""
