"""What a task is about, as rows above its form: one function per kind that needs more than the case file beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from lian.auth.permissions import ROLE_LABELS
from lian.db.tables import Clock, Decision, JournalEntry, Payee, Payment, Task
from lian.domain.claims.actions import GROUNDS, REVERSAL_REASONS
from lian.domain.claims.inquest_tasks import EXAMINE_SUSPICION, INVESTIGATION_TASKS
from lian.domain.claims.tasks import RESULTS
from lian.domain.explain_words import amount
from lian.domain.panel import RULE_LABELS
from lian.domain.promise_actions import EXTEND
from lian.domain.promise_tasks import APPROVE_EXTENSION, EXPLAIN_LATENESS
from lian.domain.sla import Unit
from lian.services.cases import CaseFile
from web.presenters.cases import Fact, Look
from web.presenters.clocks import title_of_clock
from web.presenters.figures import figure_in_words, name_of_figure
from web.presenters.matters import HIGHEST_SCORE, Entry, risk_reasons
from web.presenters.timeline import who_is
from web.presenters.timeline_matters import WHY_REFERRED, coded

ACTION_OF = {
    "approve_reversal": "reverse_payment",
    APPROVE_EXTENSION.id: EXTEND.id,
    EXAMINE_SUSPICION.id: "refer",
}
"""Tasks that somebody's action called for: its notes say why."""


@dataclass(frozen=True, slots=True)
class AboutView:
    """Terms and values, the words somebody said, reasons; `takes_evidence`: files are added right here."""

    rows: tuple[Fact, ...] = ()
    said: str = ""
    reasons: tuple[Entry, ...] = ()
    takes_evidence: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """The task's case file, and who reads it."""

    task: Task
    file: CaseFile
    look: Look

    @property
    def ask(self) -> Mapping[str, Any]:
        """What the procedure asks."""
        return self.task.ask

    def say(self, msgid: str, **values: object) -> str:
        """A text of ours."""
        return self.look.reader.say(msgid, **values)

    def money(self, amount: Any) -> str:
        """An amount in the case's currency."""
        return self.look.reader.money(Decimal(amount), self.file.case.currency)

    def who(self, actor: str) -> str:
        """Somebody's name."""
        return who_is(actor, self.look.names, self.look.reader)

    @property
    def decision(self) -> Decision | None:
        """The newest decision on the case."""
        return self.file.decisions[-1] if self.file.decisions else None


def about_task(task: Task, file: CaseFile, journal: Sequence[JournalEntry], look: Look) -> AboutView:
    """What is known of the question beside the case file; empty for most kinds."""
    around = Around(task, file, look)
    made = ABOUT[task.kind](around) if task.kind in ABOUT else AboutView()
    rows = tuple(row for row in made.rows if row[1])
    return replace(made, rows=rows, said=made.said or _notes(task, journal))


def _notes(task: Task, journal: Sequence[JournalEntry]) -> str:
    """What was written with the action that called for the task."""
    asked = [
        entry.body
        for entry in journal
        if entry.type == "action.taken" and entry.body.get("action") == ACTION_OF.get(task.kind, "-")
    ]
    return str(asked[-1].get("notes", "")) if asked else ""


# --- decisions --------------------------------------------------------------------------------------------------------


def _proposal(a: Around) -> tuple[Fact, ...]:
    if a.decision is None:
        return ()
    return ((a.say("Proposed by"), a.who(a.decision.decided_by)),)


def _panel_vote(a: Around) -> AboutView:
    reader = a.look.reader
    quorum = a.say("{quorum} of {seats} must vote", quorum=a.ask.get("quorum", ""), seats=a.ask.get("seats", ""))
    return AboutView(
        (
            (a.say("Proposed decision"), reader.label(coded(RESULTS, a.ask.get("result", "")))),
            *_proposal(a),
            (a.say("Rule"), reader.label(coded(RULE_LABELS, a.ask.get("rule", "")))),
            (a.say("Quorum"), quorum),
        )
    )


def _authorise(a: Around) -> AboutView:
    reader = a.look.reader
    levels = reader.say(", ").join(reader.label(coded(ROLE_LABELS, role)) for role in a.ask.get("levels", ()))
    return AboutView((*_proposal(a), (a.say("Who may agree"), levels)))


def _adjudicate(a: Around) -> AboutView:
    paid = Decimal(a.ask.get("paid_amount") or 0)
    return AboutView(((a.say("Already paid"), a.money(paid)),) if paid else ())


def _review_objection(a: Around) -> AboutView:
    objection = next((o for o in reversed(a.file.objections) if o.status == "open"), None)
    return AboutView(
        (
            (a.say("What is objected to"), a.look.reader.label(coded(GROUNDS, a.ask.get("grounds", "")))),
            (a.say("Approved by the decision"), a.money(a.ask.get("approved_amount", 0))),
            (a.say("Decided by"), a.who(a.decision.decided_by) if a.decision else ""),
            (a.say("Lodged by"), a.who(objection.lodged_by) if objection else ""),
        ),
        said=objection.words if objection else "",
    )


def _approve_correction(a: Around) -> AboutView:
    reader, name = a.look.reader, str(a.ask.get("name", ""))
    row = next((c for c in reversed(a.file.corrections) if c.status == "proposed" and c.name == name), None)
    currency = a.file.case.currency
    return AboutView(
        (
            (a.say("To be corrected"), name_of_figure(name, reader)),
            (a.say("On record"), figure_in_words(name, str(a.ask.get("before", "")), currency, reader)),
            (a.say("Right value"), figure_in_words(name, str(a.ask.get("after", "")), currency, reader)),
            (a.say("Proposed by"), a.who(row.proposed_by) if row else ""),
        ),
        said=row.reason if row else "",
    )


# --- money ------------------------------------------------------------------------------------------------------------


def _approve_reversal(a: Around) -> AboutView:
    payment = next((p for p in a.file.payments if str(p.id) == a.ask.get("payment_id")), None)
    payee = _payee_of(a, payment.payee_id) if payment else None
    return AboutView(
        (
            (a.say("What went wrong"), a.look.reader.label(coded(REVERSAL_REASONS, a.ask.get("why", "")))),
            (a.say("Payment"), a.money(a.ask.get("amount", 0))),
            *_account(a, payee),
            (a.say("Bank reference"), payment.bank_reference if payment else ""),
        )
    )


def _payee_of(a: Around, payee_id: Any) -> Payee | None:
    return next((p for p in a.file.payees if str(p.id) == str(payee_id)), None)


def _account(a: Around, payee: Payee | None) -> tuple[Fact, ...]:
    if payee is None:
        return ()
    return (
        (a.say("Payee"), payee.name),
        (a.say("Account"), a.say("{bank}, account ending in {tail}", bank=payee.bank, tail=payee.account_tail)),
    )


def _changed_account(a: Around) -> AboutView:
    payee = _payee_of(a, a.ask.get("payee_id"))
    if payee is None:
        return AboutView()
    before = [p for p in a.file.payees if p.person_id == payee.person_id and p.account_mark != payee.account_mark]
    was = before[-1] if before else None
    known = (
        a.say("{bank}, account ending in {tail}", bank=was.bank, tail=was.account_tail)
        if was
        else a.say("known from another case")
    )
    return AboutView(
        (
            *_account(a, payee),
            (a.say("Before"), known),
            (a.say("Amount"), a.money(payee.amount)),
            (a.say("Named by"), a.who(payee.named_by)),
        )
    )


def _clear_sanctions(a: Around) -> AboutView:
    payee = _payee_of(a, a.ask.get("payee_id"))
    party = next((p for p in a.file.parties if str(p.id) == a.ask.get("party_id")), None)
    is_other = bool(payee and party and payee.name != party.name)
    return AboutView(
        (
            *_account(a, payee),
            (a.say("Name in the case"), party.name if party and is_other else ""),
            (a.say("Amount"), a.money(payee.amount) if payee else ""),
        )
    )


def _agree_settlement(a: Around) -> AboutView:
    back = [p for p in a.file.payments if p.status in {"rejected", "returned"}]
    return AboutView(((a.say("Came back before"), _came_back(a, back[-1])),) if back else ())


def _came_back(a: Around, payment: Payment) -> str:
    return a.say("{amount}: {reason}", amount=a.money(payment.amount), reason=payment.reject_reason)


# --- finding out ------------------------------------------------------------------------------------------------------


def _suspicion(a: Around) -> AboutView:
    case, reader = a.file.case, a.look.reader
    referral = next((r for r in reversed(a.file.referrals) if r.status == "open"), None)
    score = a.say("{score} of {most}", score=case.risk_score, most=HIGHEST_SCORE) if case.risk_level else ""
    return AboutView(
        (
            (a.say("Referred because"), reader.label(coded(WHY_REFERRED, referral.why)) if referral else ""),
            (a.say("Referred by"), a.who(referral.referred_by) if referral else ""),
            (a.say("Risk score"), score),
        ),
        reasons=risk_reasons(case.risk_findings, reader),
        takes_evidence=True,
    )


def _investigation(a: Around) -> AboutView:
    return AboutView(takes_evidence=True)


# --- promises ---------------------------------------------------------------------------------------------------------


def _lateness(a: Around) -> AboutView:
    """Which promise was broken, and by how much."""
    clock = _clock_of(a)
    if clock is None or clock.breached_at is None:
        return AboutView()
    reader = a.look.reader
    until = clock.stopped_at or a.look.now
    done = reader.full_moment(clock.stopped_at) if clock.stopped_at else a.say("not yet")
    return AboutView(
        (
            (a.say("Promise"), title_of_clock(clock, reader)),
            (a.say("It was due"), reader.full_moment(clock.breached_at)),
            (a.say("Done at"), done if clock.status != "cancelled" else a.say("the case ended before")),
            (a.say("Late by"), reader.span(until - clock.breached_at) if clock.status != "cancelled" else ""),
        )
    )


def _extension(a: Around) -> AboutView:
    """Which promise is to take how much longer, and what allows it."""
    clock = _clock_of(a)
    if clock is None:
        return AboutView()
    reader = a.look.reader
    due = reader.full_moment(clock.due_at) if clock.due_at else a.say("not known, it stands still")
    return AboutView(
        (
            (a.say("Promise"), title_of_clock(clock, reader)),
            (a.say("Due"), due),
            (a.say("So much longer"), reader.label(amount(int(a.ask["amount"]), Unit(clock.policy["unit"])))),
            (a.say("Rule"), str(a.ask.get("source", ""))),
        )
    )


def _clock_of(a: Around) -> Clock | None:
    return next((clock for clock in a.file.clocks if clock.clock == a.ask.get("clock")), None)


ABOUT: dict[str, Callable[[Around], AboutView]] = {
    "adjudicate": _adjudicate,
    "agree_settlement": _agree_settlement,
    APPROVE_EXTENSION.id: _extension,
    EXPLAIN_LATENESS.id: _lateness,
    "approve_correction": _approve_correction,
    "approve_reversal": _approve_reversal,
    "authorise": _authorise,
    "authorise_advance": _authorise,
    "clear_sanctions": _clear_sanctions,
    "confirm_account": _changed_account,
    "panel_vote": _panel_vote,
    "review_objection": _review_objection,
    "verify_account": _changed_account,
    EXAMINE_SUSPICION.id: _suspicion,
    **dict.fromkeys(INVESTIGATION_TASKS, _investigation),
}
"""By the task's kind; a kind that is not here needs no more than its form and the case file."""
