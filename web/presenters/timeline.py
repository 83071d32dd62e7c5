"""The journal as sentences: who did what, when (SEC-3). One line of words per type of event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from lian.db.tables import JournalEntry
from lian.domain.claims.adjudication import RESULT_LABELS, Result
from lian.domain.claims.money_actions import RESERVE_LINES, RESERVE_REASON_LABELS
from lian.domain.claims.triage import COMPLEXITY_LABELS, Complexity
from lian.domain.labels import Label
from lian.domain.parties import CHANNEL_LABELS, ROLE_LABELS, Channel, PartyRole
from lian.services.letters import LETTERS
from web.i18n import mark
from web.presenters.scene import Body, Scene, Sentence
from web.presenters.timeline_desk import DESK
from web.presenters.timeline_desk import QUIET as AT_THE_DESK
from web.presenters.timeline_desk import SPOKEN as SAID_AT_THE_DESK
from web.presenters.timeline_matters import MATTER_ICONS, MATTERS, coded
from web.presenters.timeline_promises import PROMISES
from web.reader import Reader

QUIET = frozenset(
    {
        *("claim.draft_saved", "document.read", "reserve.set", "policy.snapshot_taken", "case.matured"),
        *("case.graded", "milestone.reached", "certificate.issued", *AT_THE_DESK),
    }
)
"""Shown smaller: on record, seldom what somebody looks for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event in words; `said` is what a person wrote with it."""

    words: str
    said: str
    icon: str
    quiet: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """What one person, or the system, did at one moment, in the order it happened."""

    when: str
    iso: str
    who: str
    icon: str
    lines: tuple[Line, ...]


def present_timeline(entries: Sequence[JournalEntry], scene: Scene) -> tuple[Moment, ...]:
    """Newest first; what one person did in one minute stands together."""
    moments = [_moment(list(together), scene) for _, together in groupby(entries, _same_moment)]
    return tuple(reversed(moments))


def _same_moment(entry: JournalEntry) -> tuple[str, datetime]:
    return entry.actor, entry.at.replace(second=0, microsecond=0)


def _moment(together: list[JournalEntry], scene: Scene) -> Moment:
    first, lines = together[0], tuple(_line(entry, scene) for entry in together)
    return Moment(
        when=scene.reader.full_moment(first.at),
        iso=first.at.isoformat(timespec="seconds"),
        who=who_is(first.actor, scene.actors, scene.reader),
        icon=next((line.icon for line in lines if not line.quiet), lines[0].icon),
        lines=lines,
    )


def _line(entry: JournalEntry, scene: Scene) -> Line:
    sentence = SENTENCES.get(entry.type)
    return Line(
        words=sentence(scene, entry.body) if sentence else entry.type,
        said=_said(entry),
        icon=ICONS.get(entry.type.partition(".")[0], "dot"),
        quiet=entry.type in QUIET,
    )


def _said(entry: JournalEntry) -> str:
    if entry.type in SAID_AT_THE_DESK:
        return str(entry.body.get(SAID_AT_THE_DESK[entry.type], ""))
    return str(entry.body.get("notes") or entry.body.get("reason", "")) if entry.type in SPOKEN else ""


def who_is(actor: str, names: Mapping[str, str], reader: Reader) -> str:
    """Somebody's name for the record."""
    if actor.startswith("customer:"):
        return reader.say("Customer")
    if actor.startswith("panel:"):
        return reader.say("The panel")
    fixed = {"system": reader.say("System"), "web": reader.say("Online report")}
    return names.get(actor) or fixed.get(actor) or reader.say("Former staff")


SPOKEN = frozenset(
    {"action.taken", "task.completed", "case.withdrawn", "case.reopened", "document.checked", "payment.rejected"}
)
ICONS = {
    "case": "case",
    "certificate": "file",
    "claim": "case",
    "clock": "clock",
    "decision": "scales",
    "document": "file",
    "exposure": "shield",
    "lateness": "alert",
    "letter": "mail",
    "message": "chat",
    "milestone": "dot",
    "party": "person",
    "payee": "person",
    "payment": "money",
    "plan": "clock",
    "policy": "shield",
    "request": "mail",
    "reserve": "money",
    "task": "check",
    **MATTER_ICONS,
}


def _plain(msgid: str) -> Sentence:
    return lambda scene, body: scene.reader.say(msgid)


def _money(scene: Scene, amount: str) -> str:
    return scene.reader.money(Decimal(amount), scene.currency)


def _drafted(s: Scene, b: Body) -> str:
    channel = s.reader.label(CHANNEL_LABELS[Channel(b["channel"])])
    return s.reader.say("The report {number} was begun, by: {channel}", number=b["number"], channel=channel)


def _triaged(s: Scene, b: Body) -> str:
    return s.reader.say(
        "Triage: {complexity}", complexity=s.reader.label(COMPLEXITY_LABELS[Complexity(b["complexity"])])
    )


def _stage(s: Scene, b: Body) -> str:
    return s.reader.say("The case moved on to: {stage}", stage=s.reader.label(s.kind.stage(b["stage"]).label))


def _closed(s: Scene, b: Body) -> str:
    outcome = s.kind.outcomes.get(b["outcome"], Label(b["outcome"], b["outcome"]))
    return s.reader.say("The case was closed: {outcome}", outcome=s.reader.label(outcome))


def _reopened(s: Scene, b: Body) -> str:
    return s.reader.say("The case was reopened at: {stage}", stage=s.reader.label(s.kind.stage(b["stage"]).label))


def _party(s: Scene, b: Body) -> str:
    role = s.reader.label(ROLE_LABELS[PartyRole(b["role"])])
    return s.reader.say("{role}: {name}", role=role, name=b["name"])


def _reported(s: Scene, b: Body) -> str:
    amount = s.reader.money(Decimal(b["claimed_amount"]), b["currency"])
    return s.reader.say("Loss reported under policy {policy}: {amount}", policy=b["policy_number"], amount=amount)


def _coverage(s: Scene, b: Body) -> str:
    return s.coverages.get(str(b["exposure_id"]), "")


def _exposed(s: Scene, b: Body) -> str:
    amount = _money(s, b["claimed_amount"])
    return s.reader.say("{amount} claimed under {coverage}", coverage=_coverage(s, b), amount=amount)


def _assessed(s: Scene, b: Body) -> str:
    amount = _money(s, b["assessed_amount"])
    if b["excluded_reason"]:
        return s.reader.say(
            "{coverage} assessed at {amount}, an exclusion applies", coverage=_coverage(s, b), amount=amount
        )
    return s.reader.say("{coverage} assessed at {amount}", coverage=_coverage(s, b), amount=amount)


def _decided(s: Scene, b: Body) -> str:
    result = s.reader.label(RESULT_LABELS[Result(b["result"])])
    amount = _money(s, b["payable_amount"])
    return s.reader.say("{coverage}: {result}, {amount}", coverage=_coverage(s, b), result=result, amount=amount)


def _reserve(s: Scene, b: Body) -> str:
    return s.reader.say(
        "Reserve for {coverage}, {line}: {amount} ({why})",
        coverage=_coverage(s, b),
        line=s.reader.label(coded(RESERVE_LINES, b["reserve_line"])),
        amount=_money(s, b["amount"]),
        why=s.reader.label(coded(RESERVE_REASON_LABELS, b["reason"])),
    )


def _task(msgid: str) -> Sentence:
    return lambda s, b: s.reader.say(msgid, task=s.tasks.get(str(b["task_id"]), ""))


def _opened(s: Scene, b: Body) -> str:
    task = s.reader.label(s.kind.task(b["kind"]).label) if s.kind.has_task(b["kind"]) else b["kind"]
    return s.reader.say("A person is needed: {task}", task=task)


def _document(msgid: str) -> Sentence:
    return lambda s, b: s.reader.say(msgid, document=s.documents.get(str(b["document_id"]), ""))


def _checked(s: Scene, b: Body) -> str:
    return _document(DOCUMENT_OK if b["accepted"] else DOCUMENT_REFUSED)(s, b)


DOCUMENT_OK, DOCUMENT_REFUSED = mark("Document accepted: {document}"), mark("Document refused: {document}")


def _letter(s: Scene, b: Body) -> str:
    letter = s.reader.label(LETTERS[b["letter"]]) if b["letter"] in LETTERS else b["letter"]
    return s.reader.say("Letter issued: {letter}", letter=letter)


def _message(s: Scene, b: Body) -> str:
    if b["direction"] == "in":
        return s.reader.say("The customer wrote: {body}", body=b["body"])
    return s.reader.say("We wrote to the customer: {body}", body=b["body"])


def _made(s: Scene, b: Body) -> str:
    amount = _money(s, b["approved_amount"])
    if b["needs_second"]:
        return s.reader.say("Decided: {amount}. Somebody else must agree", amount=amount)
    if b.get("subject") == "advance":
        return s.reader.say("An advance was decided; approved so far: {amount}", amount=amount)
    return s.reader.say("Decided: {amount}", amount=amount)


def _payee(s: Scene, b: Body) -> str:
    return s.reader.say("Payee: {name}, {amount}", name=b["name"], amount=_money(s, b["amount"]))


def _payment(s: Scene, b: Body) -> str:
    return s.reader.say("Payment requested: {amount}", amount=s.reader.money(Decimal(b["amount"]), b["currency"]))


SENTENCES: dict[str, Sentence] = {
    "case.closed": _closed,
    "case.drafted": _drafted,
    "case.reopened": _reopened,
    "case.reported": _plain(mark("The customer told us what it is about")),
    "case.stage_entered": _stage,
    "case.submitted": _plain(mark("The report is complete; our promises run from here")),
    "case.triaged": _triaged,
    "case.withdrawn": _plain(mark("The customer withdrew the case")),
    "claim.draft_saved": _plain(mark("The draft of the report was saved")),
    "claim.reported": _reported,
    "decision.authorised": _plain(mark("The decision was agreed to")),
    "decision.made": _made,
    "decision.returned": _plain(mark("The decision was sent back to be made anew")),
    "document.checked": _checked,
    "document.read": _document(mark("Opened: {document}")),
    "document.received": _document(mark("Received: {document}")),
    "exposure.assessed": _assessed,
    "exposure.decided": _decided,
    "exposure.opened": _exposed,
    "letter.issued": _letter,
    "message.written": _message,
    "party.added": _party,
    "payee.named": _payee,
    "payment.confirmed": _plain(mark("The bank confirmed the payment")),
    "payment.rejected": _plain(mark("The bank refused the payment")),
    "payment.requested": _payment,
    "payment.sent": _plain(mark("The bank has the payment instruction")),
    "policy.snapshot_taken": _plain(mark("The policy's terms were put on record")),
    "reserve.set": _reserve,
    "task.cancelled": _task(mark("No longer needed: {task}")),
    "task.completed": _task(mark("Done: {task}")),
    "task.opened": _opened,
    **DESK,
    **MATTERS,
    **PROMISES,
}
