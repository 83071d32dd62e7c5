"""Several people decide together: votes, quorum and rule, and when the result is certain (集体讨论, CLM-8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from lian.domain.errors import Invalid
from lian.domain.labels import Label

FEWEST_SEATS = 2
"""One person alone is no panel."""


class Vote(StrEnum):
    """What a member says to the proposal. An abstention counts for the quorum, and for neither side."""

    AGREE = "agree"
    DISAGREE = "disagree"
    ABSTAIN = "abstain"


class Rule(StrEnum):
    """When the proposal is carried."""

    MAJORITY = "majority"
    UNANIMOUS = "unanimous"


class PanelResult(StrEnum):
    """What became of the proposal; `overridden` is no verdict: somebody answers for it in the panel's stead (CLM-9)."""

    CARRIED = "carried"
    REJECTED = "rejected"
    OVERRIDDEN = "overridden"


VOTE_LABELS = {
    Vote.AGREE: Label("Agree", "同意"),
    Vote.DISAGREE: Label("Disagree", "不同意"),
    Vote.ABSTAIN: Label("Abstain", "弃权"),
}
RULE_LABELS = {
    Rule.MAJORITY: Label("Majority: more agree than disagree", "多数同意：同意票多于不同意票"),
    Rule.UNANIMOUS: Label("Unanimous: nobody disagrees", "一致同意：无人反对"),
}
RESULT_LABELS = {
    PanelResult.CARRIED: Label("Carried", "通过"),
    PanelResult.REJECTED: Label("Rejected", "未通过"),
    PanelResult.OVERRIDDEN: Label("Overridden", "由有权人员越权决定"),
}
WHY_LABELS = {
    "asked_for": Label("The adjudicator asked for a panel", "审核人提请集体讨论"),
    "beyond_authority": Label("The amount is above everybody's limit", "金额超出所有人员的审批权限"),
}
"""Why a panel was convened."""


def check_panel(*, seats: int, quorum: int) -> None:
    """Refuse a panel that could never decide, or that one person would be."""
    if seats < FEWEST_SEATS:
        raise Invalid(f"A panel has {FEWEST_SEATS} seats or more.", field="seats")
    if not 1 <= quorum <= seats:
        raise Invalid("The quorum lies between one and the number of seats.", field="quorum")


def verdict(votes: Sequence[Vote], *, seats: int, quorum: int, rule: Rule) -> PanelResult | None:
    """The result as soon as no further vote could change it and the quorum has voted; None: keep voting.

    Majority: more agree than disagree; a tie at the end rejects. Unanimous: nobody disagrees, and at least as many as
    the quorum agree. Raises `Invalid` for a panel that cannot be, or more votes than seats.
    """
    check_panel(seats=seats, quorum=quorum)
    if len(votes) > seats:
        raise Invalid("There are more votes than seats.", field="votes")
    if len(votes) < quorum:
        return None
    count, still_to_vote = Counter(votes), seats - len(votes)
    agree, disagree = count[Vote.AGREE], count[Vote.DISAGREE]
    if _is_carried(agree, disagree + still_to_vote, quorum, rule):
        return PanelResult.CARRIED
    if not _is_carried(agree + still_to_vote, disagree, quorum, rule):
        return PanelResult.REJECTED
    return None


def _is_carried(agree: int, disagree: int, quorum: int, rule: Rule) -> bool:
    if rule is Rule.UNANIMOUS:
        return disagree == 0 and agree >= quorum
    return agree > disagree
