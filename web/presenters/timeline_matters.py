"""The journal's sentences for what comes up beside a claim's main path (CLM-3, 6, 8, 9, 10, 11, 14, 15)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lian.domain.claims.actions import GROUNDS, OVERRIDE_REASONS, REFERRAL_REASONS, REVERSAL_REASONS
from lian.domain.claims.duplicates import LINKS
from lian.domain.claims.inquest_tasks import FINDINGS, SUSPICION_OUTCOMES
from lian.domain.claims.maturity import MATURITY_LABELS
from lian.domain.claims.money_actions import CLOSING_REASONS
from lian.domain.claims.risk import LEVEL_LABELS, RiskLevel
from lian.domain.claims.second_look_tasks import OBJECTION_RESULTS
from lian.domain.claims.tasks import INVESTIGATIONS
from lian.domain.labels import Label
from lian.domain.ledger import RECOVERY_LABELS, Recovery
from lian.domain.panel import RESULT_LABELS, RULE_LABELS, VOTE_LABELS, Rule, Vote
from web.i18n import mark, translate_refusal
from web.presenters.figures import figure_in_words, name_of_figure
from web.presenters.scene import Body, Scene, Sentence

WHY_REFERRED = {"score": Label("by its risk score", "因风险评分"), **REFERRAL_REASONS}
"""Why a claim went to special investigation: its score, or what a person suspects."""
CHECKED = {
    "sanctions": (mark("Sanctions list: this is not the payee"), mark("Sanctions list: this is the payee; no payment")),
    "account": (mark("A second person verified the account"), mark("A second person refused the account")),
    "customer": (mark("The customer confirmed the account"), mark("The customer refused the account")),
}


def coded(labels: Mapping[Any, Label], code: Any) -> Label:
    """The words of a code; one that is no longer known is shown as it was recorded."""
    return labels.get(code) or Label(str(code), str(code))


def _worded(msgid: str, name: str, labels: Mapping[Any, Label]) -> Sentence:
    return lambda s, b: s.reader.say(msgid, what=s.reader.label(coded(labels, b.get(name, ""))))


def _plain(msgid: str) -> Sentence:
    return lambda s, b: s.reader.say(msgid)


def _action(s: Scene, b: Body) -> str:
    kind = s.kind.action(b["action"])
    return s.reader.label(kind.label) if kind else str(b["action"])


def _not_possible(s: Scene, b: Body) -> str:
    why = translate_refusal(s.reader.language, str(b["why"])) or str(b["why"])
    return s.reader.say("Not possible any more: {action}. {why}", action=_action(s, b), why=why)


def _linked(s: Scene, b: Body) -> str:
    relation = s.reader.label(coded(LINKS, b["relation"]))
    return s.reader.say("{relation}: {number}", relation=relation, number=b["other_number"])


def _tagged(msgid: str) -> Sentence:
    return lambda s, b: s.reader.say(msgid, code=b["code"])


def _correction(msgid: str) -> Sentence:
    def sentence(s: Scene, b: Body) -> str:
        before, after = (figure_in_words(b["name"], str(b[x]), s.currency, s.reader) for x in ("before", "after"))
        return s.reader.say(msgid, name=name_of_figure(b["name"], s.reader), before=before, after=after)

    return sentence


def _corrected_party(s: Scene, b: Body) -> str:
    return s.reader.say(
        "Corrected: {name}, {before} → {after}",
        name=name_of_figure(b["name"], s.reader),
        before=b["before"] or s.reader.say("nothing"),
        after=b["after"],
    )


def _agreed(s: Scene, b: Body) -> str:
    words = CORRECTION_AGREED if b["agreed"] else CORRECTION_REFUSED
    return s.reader.say(words)


CORRECTION_AGREED = mark("A second person agreed to the correction")
CORRECTION_REFUSED = mark("The correction was refused")


def _planned(s: Scene, b: Body) -> str:
    actions = s.reader.say(", ").join(s.reader.label(coded(INVESTIGATIONS, a)) for a in b["actions"])
    return s.reader.say("To be investigated: {actions}", actions=actions)


def _reported(s: Scene, b: Body) -> str:
    action, finding = s.reader.label(coded(INVESTIGATIONS, b["action"])), s.reader.label(coded(FINDINGS, b["finding"]))
    return s.reader.say("{action}: {finding}", action=action, finding=finding)


def _scored(s: Scene, b: Body) -> str:
    if "level" not in b:
        return s.reader.say("The risk was scored")
    score = s.reader.number(int(b["likelihood"]) * int(b["impact"]))
    return s.reader.say(
        "{level}: {score} of 25", level=s.reader.label(LEVEL_LABELS[RiskLevel(b["level"])]), score=score
    )


def _referred(s: Scene, b: Body) -> str:
    if "why" not in b:
        return s.reader.say("Referred to special investigation")
    why = s.reader.label(coded(WHY_REFERRED, b["why"]))
    return s.reader.say("Referred to special investigation: {why}", why=why)


def _concluded(s: Scene, b: Body) -> str:
    if "outcome" not in b:
        return s.reader.say("Special investigation ended")
    outcome = s.reader.label(coded(SUSPICION_OUTCOMES, b["outcome"]))
    return s.reader.say("Special investigation ended: {outcome}", outcome=outcome)


def _convened(s: Scene, b: Body) -> str:
    rule = s.reader.label(RULE_LABELS[Rule(b["rule"])])
    return s.reader.say(
        "A panel was convened: {seats} seats, {quorum} must vote. {rule}",
        seats=b["seats"],
        quorum=b["quorum"],
        rule=rule,
    )


def _voted(s: Scene, b: Body) -> str:
    return s.reader.say("Vote in the panel: {vote}", vote=s.reader.label(VOTE_LABELS[Vote(b["vote"])]))


def _payee_checked(s: Scene, b: Body) -> str:
    right, wrong = CHECKED.get(b["what"], CHECKED["account"])
    words = right if b["is_right"] else wrong
    return s.reader.say(words)


def _recovery(s: Scene, b: Body) -> str:
    kind = s.reader.label(RECOVERY_LABELS[Recovery(b["recovery"])])
    amount = s.reader.money(Decimal(b["expected_amount"]), b["currency"])
    return s.reader.say("To be recovered: {kind}, {amount}", kind=kind, amount=amount)


def _amount(msgid: str) -> Sentence:
    return lambda s, b: s.reader.say(msgid, amount=s.reader.money(Decimal(b["amount"]), s.currency))


MATTERS: dict[str, Sentence] = {
    "action.refused": _not_possible,
    "action.taken": _action,
    "authority.overridden": _worded(mark("The authority limit was overridden: {what}"), "why", OVERRIDE_REASONS),
    "case.corrected": _corrected_party,
    "case.linked": _linked,
    "case.matured": _worded(
        mark("The claim is now: {what}"), "maturity", {level.value: words for level, words in MATURITY_LABELS.items()}
    ),
    "case.tagged": _tagged(mark("Counted with the catastrophe {code}")),
    "case.untagged": _tagged(mark("No longer counted with the catastrophe {code}")),
    "correction.applied": _correction(mark("Corrected: {name}, {before} → {after}")),
    "correction.decided": _agreed,
    "correction.proposed": _correction(mark("Correction proposed: {name}, {before} → {after}")),
    "investigation.planned": _planned,
    "investigation.reported": _reported,
    "objection.decided": _worded(mark("Objection reviewed: {what}"), "result", OBJECTION_RESULTS),
    "objection.lodged": _worded(mark("Objection to the decision: {what}"), "grounds", GROUNDS),
    "panel.concluded": _worded(
        mark("The panel has decided: {what}"),
        "result",
        {result.value: words for result, words in RESULT_LABELS.items()},
    ),
    "panel.convened": _convened,
    "panel.voted": _voted,
    "payee.checked": _payee_checked,
    "payment.returned": _plain(mark("The payee's bank sent the payment back")),
    "payment.reversed": _worded(mark("A payment was reversed: {what}"), "why", REVERSAL_REASONS),
    "recovery.closed": _worded(mark("Recovery closed: {what}"), "why", CLOSING_REASONS),
    "recovery.opened": _recovery,
    "recovery.received": _amount(mark("Recovery received: {amount}")),
    "recovery.reduced": _amount(mark("Less is to be recovered, by {amount}")),
    "risk.concluded": _concluded,
    "risk.referred": _referred,
    "risk.scored": _scored,
    "task.barred": _plain(mark("One more person must not do this task")),
}
"""One sentence for each type of event; `timeline.py` has those of the main path."""
MATTER_ICONS = {
    "action": "hand",
    "authority": "alert",
    "correction": "file",
    "investigation": "search",
    "objection": "chat",
    "panel": "people",
    "recovery": "money",
    "risk": "alert",
}
