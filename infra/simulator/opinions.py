"""What robots say when they look into a claim, or look a second time: pure, as `choices.py` (CLM-3, 6, 8, 9, 14)."""

from __future__ import annotations

from random import Random

from infra.simulator.questions import Answer, Asked, Choice, Json

SEES_THE_SAME_LOSS = 85
"""Points of likeness from which a judge takes the later report for the same loss."""
SEES_A_RELATION = 0.3
SUPPORTS, CONTRADICTS = 0.85, 0.05
CLEARED, CONFIRMED = 0.65, 0.20
AGREES_IN_A_PANEL, ABSTAINS = 0.85, 0.05
UPHOLDS = 0.60
REFUSES_A_CORRECTION = 0.10
REFUSES_A_REVERSAL = 0.05
DOUBTS_AN_ACCOUNT = 0.03
OVERWORKED, MORE_THAN_EXPECTED, WAITED_FOR_THE_CLAIMANT = 0.45, 0.25, 0.15
REFUSES_MORE_TIME = 0.15

NOTES = "Looked at the file and the papers; the reasons are in them."


def share(random: Random, *shares: tuple[str, float], otherwise: str) -> str:
    """One of the words by its share, or the last one."""
    left = random.random()
    for word, part in shares:
        if left < part:
            return word
        left -= part
    return otherwise


# --- before the decision ----------------------------------------------------------------------------------------------


def judge(task: Asked, random: Random) -> Json:
    """The later of two reports that are alike in nearly everything is joined to the earlier one; to one at most."""
    rows: list[Json] = task.ask["rows"]["likenesses"]
    same = min((r["number"] for r in rows if _is_reported_again(task, r)), default="")
    answers = [{"other_case_id": r["other_case_id"], "relation": _relation(r, same, random)} for r in rows]
    return {"likenesses": answers}


def _is_reported_again(task: Asked, row: Json) -> bool:
    return int(row["score"]) >= SEES_THE_SAME_LOSS and str(row["number"]) < task.case_number


def _relation(row: Json, same: str, random: Random) -> str:
    if row["number"] == same:
        return "same_loss"
    return "related" if random.random() < SEES_A_RELATION else "different"


def investigate(task: Asked, random: Random) -> Json:
    """Mostly what was told is found."""
    shares = (("supports", SUPPORTS), ("contradicts", CONTRADICTS))
    return {"finding": share(random, *shares, otherwise="inconclusive")}


def examine(task: Asked, random: Random) -> Json:
    """Two suspicions in three are cleared (CLM-14)."""
    return {"outcome": share(random, ("cleared", CLEARED), ("confirmed", CONFIRMED), otherwise="inconclusive")}


# --- second looks -----------------------------------------------------------------------------------------------------


def vote(task: Asked, random: Random) -> Json:
    """Most members agree (CLM-8)."""
    shares = (("agree", AGREES_IN_A_PANEL), ("abstain", ABSTAINS))
    return {"vote": share(random, *shares, otherwise="disagree")}


def review_objection(task: Asked, random: Random) -> Json:
    """Three decisions in five stand (CLM-11)."""
    return {"result": share(random, ("upheld", UPHOLDS), otherwise="changed")}


def approve_correction(task: Asked, random: Random) -> Json:
    """Most corrections are right (CLM-15)."""
    return {"agree": random.random() >= REFUSES_A_CORRECTION}


def approve_reversal(task: Asked, random: Random) -> Json:
    """Nobody proposes a reversal lightly (CLM-10)."""
    return {"agree": random.random() >= REFUSES_A_REVERSAL}


def check_account(task: Asked, random: Random) -> Json:
    """Nearly every changed account is the payee's own (CLM-10)."""
    return {"is_right": random.random() >= DOUBTS_AN_ACCOUNT}


def clear_sanctions(task: Asked, random: Random) -> Json:
    """The list means somebody else: to say no would stop the payment for good."""
    return {"is_clear": True}


# --- promises ---------------------------------------------------------------------------------------------------------


def explain_lateness(task: Asked, random: Random) -> Json:
    """Mostly there was too much work, or the case took more than expected; somebody who had it answers for it."""
    shares = (("workload", OVERWORKED), ("complexity", MORE_THAN_EXPECTED), ("claimant", WAITED_FOR_THE_CLAIMANT))
    return {"cause": share(random, *shares, otherwise="handling"), "responsible": random.choice(_responsible(task))}


def _responsible(task: Asked) -> list[str]:
    return [option["value"] for option in task.ask["options"]["responsible"]]


def approve_extension(task: Asked, random: Random) -> Json:
    """Who asks for more time usually needs it (CLM-12)."""
    return {"agree": random.random() >= REFUSES_MORE_TIME}


OPINIONS: dict[str, Choice] = {
    "explain_lateness": explain_lateness,
    "approve_extension": approve_extension,
    "judge_duplicate": judge,
    "scene_survey": investigate,
    "record_review": investigate,
    "witness_interview": investigate,
    "external_adjuster": investigate,
    "examine_suspicion": examine,
    "panel_vote": vote,
    "review_objection": review_objection,
    "approve_correction": approve_correction,
    "approve_reversal": approve_reversal,
    "verify_account": check_account,
    "confirm_account": check_account,
    "clear_sanctions": clear_sanctions,
}


def _nothing_is_known_of_it(asked: Asked) -> Json:
    rows = asked.ask["rows"]["likenesses"]
    return {"likenesses": [{"other_case_id": r["other_case_id"], "relation": "different"} for r in rows]}


AGREEABLE: dict[str, Answer] = {
    "explain_lateness": lambda asked: {"cause": "workload", "responsible": _responsible(asked)[0]},
    "approve_extension": lambda _: {"agree": True},
    "judge_duplicate": _nothing_is_known_of_it,
    **dict.fromkeys(
        ("scene_survey", "record_review", "witness_interview", "external_adjuster"), lambda _: {"finding": "supports"}
    ),
    "examine_suspicion": lambda _: {"outcome": "cleared"},
    "panel_vote": lambda _: {"vote": "agree"},
    "review_objection": lambda _: {"result": "upheld"},
    "approve_correction": lambda _: {"agree": True},
    "approve_reversal": lambda _: {"agree": True},
    "verify_account": lambda _: {"is_right": True},
    "confirm_account": lambda _: {"is_right": True},
    "clear_sanctions": lambda _: {"is_clear": True},
}
"""How somebody answers who finds nothing wrong."""
