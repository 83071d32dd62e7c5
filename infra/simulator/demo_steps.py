"""The steps that lead each claim of the demo to where it shall be, and what is answered on the way."""

from __future__ import annotations

from random import Random

from infra.simulator import choices
from infra.simulator.questions import Answer, Asked, Json

PATHS: dict[str, tuple[str, ...]] = {
    "untouched": (),
    "waiting_for_customer": ("ask",),
    "partly_sent": ("ask", "send_some"),
    "documents_to_check": ("ask", "send"),
    "assessment": ("review",),
    "assessment_held": ("review", "hold"),
    "special": ("suspect", "await_special"),
    "corrected": ("review", "assess", "correct", "approve"),
    "decision": ("review", "assess"),
    "panel": ("review", "assess", "decide_in_panel", "vote"),
    "authority": ("review", "assess", "decide"),
    "settlement": ("ask", "send", "check", "assess", "decide", "authorise"),
    "objection": ("review", "assess", "reduce", "authorise", "object"),
    "with_bank": ("review", "assess", "decide", "authorise", "settle"),
    "paid": ("ask", "send", "check", "assess", "decide", "authorise", "settle", "until_closed"),
    "recovery": ("review", "assess", "decide", "authorise", "settle", "until_closed", "recover"),
    "duplicate": ("await_judgement",),
    "denied": ("review", "assess", "deny", "until_closed"),
    "withdrawn": ("ask", "withdraw"),
}
"""The steps that lead a claim to where the demo wants it."""


def suspicious(asked: Asked) -> Json:
    """Something is wrong with the report."""
    return choices.agreed(asked) | {"suspicion": "fraud"}


def for_a_panel(asked: Asked) -> Json:
    """As proposed, but several people are to decide."""
    return choices.agreed(asked) | {"panel": "majority"}


ANSWERED: dict[str, tuple[str, str, Answer]] = {
    "review": ("initial_review", "wang", choices.agreed),
    "suspect": ("initial_review", "wang", suspicious),
    "check": ("check_documents", "wang", choices.agreed),
    "assess": ("assess_loss", "wang", choices.agreed),
    "decide": ("adjudicate", "wang", choices.agreed),
    "deny": ("adjudicate", "chen", choices.denied),
    "reduce": ("adjudicate", "wang", choices.reduced),
    "decide_in_panel": ("adjudicate", "wang", for_a_panel),
    "vote": ("panel_vote", "tang", choices.agreed),
    "approve": ("approve_correction", "li", choices.agreed),
}
"""Steps that are one answer: to which task, by whom, and how. The other steps are methods of `Scene`."""


IN_THE_WAY = {"judge_duplicate": "wang", "examine_suspicion": "shen"}
"""What a claim may meet that the demo meant for another step: somebody answers it as if nothing were wrong."""


def missing_some(asked: Asked, random: Random) -> Json:
    """Two or three documents are asked for."""
    required = [code for code in asked.ask["checklist"] if code not in choices.OPTIONAL]
    some = random.sample(required, min(len(required), random.randint(2, 3)))
    return choices.agreed(asked) | {"missing": sorted(some, key=required.index)}
