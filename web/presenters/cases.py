"""A case file as pages show it: facts, terms, exposures, documents, money, people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

from lian.auth.actor import Actor
from lian.db.tables import Case, Document, JournalEntry, Party
from lian.domain.case_kind import CaseKind
from lian.domain.case_kinds import kind_of
from lian.domain.claims.adjudication import RESULT_LABELS, Result
from lian.domain.claims.checklist import DOCUMENT_LABELS, EVIDENCE, IN_WORDS, OPTIONAL
from lian.domain.claims.terms import CAUSE_LABELS, LINE_LABELS, Line, LossCause
from lian.domain.claims.triage import COMPLEXITY_LABELS, Complexity
from lian.domain.labels import Label
from lian.domain.parties import CHANNEL_LABELS, ROLE_LABELS, Channel, PartyRole
from lian.domain.promise_actions import DOCUMENTS
from lian.domain.status import CaseStatus, PaymentStatus, TaskStatus, label_of
from lian.services.cases import CaseFile, customers
from lian.services.documents import item_codes
from lian.services.letters import LETTERS, coverage_label
from lian.services.reading_clocks import document_request_of, wait_label, waits_of
from lian.storage.content import ALLOWED
from web.i18n import mark
from web.presenters.clocks import Chip, ClockView, in_a_sentence, nearest_chip, present_clocks, title_of_clock
from web.presenters.forms import Finding, finding_view
from web.presenters.scene import Scene
from web.presenters.timeline import Moment, present_timeline, who_is
from web.presenters.timeline_desk import people_in
from web.reader import Reader

PREVIEWABLE = {content.mime for content in ALLOWED if content.previewable}
OTHER = Label("Other document", "其他材料")
SOURCES = {
    "customer": mark("from the customer"),
    "staff": mark("filed by staff"),
    "letter": mark("our letter"),
    "internal": mark("internal"),
}
DOCUMENT_STATES = {"received": mark("Received"), "accepted": mark("Accepted"), "refused": mark("Not usable")}
Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """One document; `preview` is empty for what no browser shows."""

    what: str
    name: str
    source: str
    when: str
    size: str
    state: str
    preview: str
    download: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One line of the checklist."""

    code: str
    words: str
    required: bool
    received: bool


@dataclass(frozen=True, slots=True)
class ExposureView:
    """One coverage for one claimant."""

    coverage: str
    claimant: str
    claimed: str
    assessed: str
    payable: str
    result: str
    tone: str
    reserve: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CoverageView:
    """One coverage of the policy as it stood at the report."""

    label: str
    limit: str
    deductible: str
    waiting: str
    excluded: str
    clause: str


@dataclass(frozen=True, slots=True)
class PartyView:
    """Somebody in the case, with every role they have."""

    roles: str
    name: str
    contact: str


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One transfer."""

    amount: str
    status: str
    tone: str
    payee: str
    account: str
    when: str
    reference: str
    problem: str
    voucher: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message; `ours` when we wrote it."""

    who: str
    when: str
    body: str
    ours: bool


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task in the case file."""

    words: str
    state: str
    who: str
    address: str


@dataclass(frozen=True, slots=True)
class DecisionView:
    """Who decided, and who agreed (CLM-9)."""

    amount: str
    by: str
    when: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """The whole file."""

    id: str
    version: int
    number: str
    title: str
    status: str
    is_open: bool
    stage: str
    outcome: str
    claimant: str
    chip: Chip
    clocks: tuple[ClockView, ...]
    waits: tuple[str, ...]
    """What the case waits for outside the house."""
    facts: tuple[Fact, ...]
    story: str
    triage: tuple[Finding, ...]
    terms: tuple[Fact, ...]
    coverages: tuple[CoverageView, ...]
    exposures: tuple[ExposureView, ...]
    documents: tuple[DocumentView, ...]
    items: tuple[ItemView, ...]
    filing: tuple[tuple[str, str], ...]
    parties: tuple[PartyView, ...]
    payments: tuple[PaymentView, ...]
    decisions: tuple[DecisionView, ...]
    messages: tuple[MessageView, ...]
    tasks: tuple[TaskLine, ...]
    moments: tuple[Moment, ...]
    may: Mapping[str, bool]
    reopen_at: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks at the file, and when."""

    reader: Reader
    actor: Actor
    names: Mapping[str, str]
    now: datetime


def present_case(file: CaseFile, journal: Sequence[JournalEntry], look: Look) -> CaseView:
    """The file in the reader's words."""
    case, reader, kind = file.case, look.reader, kind_of(file.case.kind)
    return CaseView(
        id=str(case.id),
        version=case.version,
        number=case.number,
        title=title_of(case, reader),
        status=reader.label(label_of(CaseStatus(case.status))),
        is_open=case.status == "open",
        stage=reader.label(kind.stage(case.stage).label),
        outcome=reader.label(kind.outcomes[case.outcome]) if case.outcome in kind.outcomes else "",
        claimant=reader.say(", ").join(customers(file.parties)),
        chip=nearest_chip(file.clocks, reader, look.now),
        clocks=present_clocks(file, look.names, reader, look.now),
        waits=_waits(file, reader),
        facts=_facts(case, kind, reader),
        story=case.course,
        triage=tuple(finding_view(f, reader) for f in case.triage_findings if f["severity"] == "refers"),
        terms=_terms(case, reader),
        coverages=_coverages(case, reader),
        exposures=_exposures(file, reader),
        documents=tuple(document_view(d, f"/desk/cases/{case.number}", reader) for d in reversed(file.documents)),
        items=_items(file, reader),
        filing=filing_options(case, reader),
        parties=_people(file.parties, reader),
        payments=_payments(file, reader),
        decisions=_decisions(file, look),
        messages=present_messages(file, look),
        tasks=_tasks(file, kind, look),
        moments=present_timeline(journal, _scene(file, kind, look)),
        may=_may(file, look.actor),
        reopen_at=tuple((stage, reader.label(kind.stage(stage).label)) for stage in kind.reopen_at),
    )


def title_of(case: Case, reader: Reader) -> str:
    """`Collision · Motor`; of other kinds their name and the first coded answer."""
    if not case.loss_cause:
        kind = kind_of(case.kind)
        return " · ".join([reader.label(kind.label), *(words for _, words in _told(case, kind, reader)[:1])])
    return f"{reader.label(CAUSE_LABELS[LossCause(case.loss_cause)])} · {reader.label(LINE_LABELS[Line(case.line)])}"


def _may(file: CaseFile, actor: Actor) -> dict[str, bool]:
    open_, closed = file.case.status == "open", file.case.status == "closed"
    return {
        "add": open_ and actor.may("document:add"),
        "read": actor.may("document:read"),
        "write": actor.may("message:write"),
        "withdraw": open_ and actor.may("case:withdraw"),
        "withdraw_request": actor.may("request:withdraw") and document_request_of(file.requests) is not None,
        "reopen": closed and file.case.outcome != "merged" and actor.may("case:reopen"),
    }


def _waits(file: CaseFile, reader: Reader) -> tuple[str, ...]:
    return tuple(
        reader.say(
            "The case waits for {what}, since {since}, until {until} at the latest.",
            what=in_a_sentence(wait_label(wait.reason), reader),
            since=reader.day(wait.delivered_at or wait.opened_at),
            until=reader.day(wait.answer_by),
        )
        for wait in waits_of(file.requests)
    )


def _told(case: Case, kind: CaseKind, reader: Reader) -> tuple[Fact, ...]:
    """The coded answers of the kind's intake form, in its own words."""
    asked = kind.intake.coded if kind.intake else {}
    values = ((question, str(case.details.get(name, ""))) for name, question in asked.items())
    return tuple(
        (reader.label(q.label), reader.label(q.options[value]) if value in q.options else value)
        for q, value in values
        if value
    )


def _facts(case: Case, kind: CaseKind, reader: Reader) -> tuple[Fact, ...]:
    say = reader.say
    is_loss = bool(case.loss_cause)
    rows = (
        *_told(case, kind, reader),
        (say("Loss happened"), reader.full_moment(case.loss_at) if case.loss_at else ""),
        (say("Reported"), reader.full_moment(case.reported_at) if case.reported_at else ""),
        (say("Received at"), reader.full_moment(case.received_at) if case.received_at and not is_loss else ""),
        (say("Place"), case.place),
        (say("People injured"), str(case.injured) if is_loss else ""),
        (say("Claimed"), reader.money(case.claimed_amount, case.currency) if case.currency else ""),
        (say("Policy"), case.policy_number if not case.snapshot else ""),
        (say("Approved"), reader.money(case.approved_amount, case.currency) if case.approved_amount else ""),
        (say("Paid"), reader.money(case.paid_amount, case.currency) if case.paid_amount else ""),
        (say("Handled as"), reader.label(COMPLEXITY_LABELS[Complexity(case.complexity)]) if case.complexity else ""),
        (say("Received by"), reader.label(CHANNEL_LABELS[Channel(case.channel)])),
    )
    return tuple(row for row in rows if row[1])


def _terms(case: Case, reader: Reader) -> tuple[Fact, ...]:
    terms = case.snapshot
    if not terms:
        return ()
    begins = reader.date(date.fromisoformat(terms["term_from"]))
    ends = reader.date(date.fromisoformat(terms["term_to"])) if terms["term_to"] else reader.say("open-ended")
    taken = reader.full_moment(datetime.fromisoformat(terms["taken_at"])) if terms["taken_at"] else ""
    rows = (
        (reader.say("Policy"), case.policy_number),
        (reader.say("Term"), reader.say("{begins} to {ends}", begins=begins, ends=ends)),
        (reader.say("As it stood on"), taken),
    )
    return tuple(row for row in rows if row[1])


def _coverages(case: Case, reader: Reader) -> tuple[CoverageView, ...]:
    return tuple(_coverage(c, case.currency, reader) for c in (case.snapshot or {}).get("coverages", []))


def _coverage(terms: Mapping[str, Any], currency: str, reader: Reader) -> CoverageView:
    deductible, days = Decimal(terms["deductible"]), terms["waiting_days"]
    causes = [reader.label(CAUSE_LABELS[LossCause(c)]) for c in terms["excluded_causes"]]
    return CoverageView(
        label=reader.label(Label(**terms["label"])),
        limit=reader.money(Decimal(terms["limit"]), currency),
        deductible=reader.money(deductible, currency) if deductible else reader.say("none"),
        waiting=reader.count("{n} day", "{n} days", days) if days else reader.say("none"),
        excluded=reader.say(", ").join(causes) or reader.say("none"),
        clause=terms["clause"],
    )


def _exposures(file: CaseFile, reader: Reader) -> tuple[ExposureView, ...]:
    names, currency = {p.id: p.name for p in file.parties}, file.case.currency
    return tuple(
        ExposureView(
            coverage=reader.label(coverage_label(file.case, e.coverage_code)),
            claimant=names.get(e.claimant_party_id, ""),
            claimed=reader.money(e.claimed_amount, currency),
            assessed=reader.money(e.assessed_amount, currency) if e.assessed_amount is not None else "–",
            payable=reader.money(e.payable_amount, currency) if e.result else "–",
            result=reader.label(RESULT_LABELS[Result(e.result)]) if e.result else "",
            tone={"accept": "ok", "partial": "warn", "deny": "bad"}.get(e.result, "none"),
            reserve=reader.money(e.reserve_amount, currency),
            findings=tuple(finding_view(f, reader) for f in e.findings),
        )
        for e in file.exposures
    )


def item_label(code: str) -> Label:
    """What a document is, in words."""
    return DOCUMENT_LABELS.get(code) or LETTERS.get(code) or OTHER


def document_view(document: Document, base: str, reader: Reader) -> DocumentView:
    """One document with its addresses below the case's page."""
    address = f"{quote(base)}/documents/{document.id}"
    return DocumentView(
        what=reader.label(item_label(document.item_code)),
        name=document.filename,
        source=reader.say(SOURCES.get(document.source, SOURCES["staff"])),
        when=reader.moment(document.received_at),
        size=reader.size(document.size),
        state=reader.say(DOCUMENT_STATES[document.state]) if document.state in DOCUMENT_STATES else "",
        preview=address if document.mime in PREVIEWABLE else "",
        download=f"{address}?download=1",
    )


def _items(file: CaseFile, reader: Reader) -> tuple[ItemView, ...]:
    here = {d.item_code for d in file.documents if d.state != "refused"}
    asked = {code for request in file.requests for code in request.items}
    by_hand = {*IN_WORDS, EVIDENCE} - here - asked
    return tuple(
        ItemView(code, reader.label(item_label(code)), code not in OPTIONAL, code in here)
        for code in item_codes(file.case)
        if code in DOCUMENT_LABELS and code not in by_hand
    )


def filing_options(case: Case, reader: Reader) -> tuple[tuple[str, str], ...]:
    """What a new document may be filed under."""
    return tuple((code, reader.label(item_label(code))) for code in item_codes(case))


def _people(parties: Sequence[Party], reader: Reader) -> tuple[PartyView, ...]:
    """One line for each person, however many roles they have."""
    people: dict[UUID, list[Party]] = {}
    for party in parties:
        people.setdefault(party.person_id, []).append(party)
    return tuple(_person(roles, reader) for roles in people.values())


def _person(parties: list[Party], reader: Reader) -> PartyView:
    first, comma = parties[0], reader.say(", ")
    roles = comma.join(dict.fromkeys(reader.label(ROLE_LABELS[PartyRole(p.role)]) for p in parties))
    contact = " · ".join(filter(None, (first.phone, first.email)))
    return PartyView(roles, first.name or reader.say("erased"), contact)


def _payments(file: CaseFile, reader: Reader) -> tuple[PaymentView, ...]:
    payees = {p.id: p for p in file.payees}
    views = []
    for payment in file.payments:
        payee = payees.get(payment.payee_id)
        done = payment.settled_at or payment.sent_at or payment.requested_at
        voucher = f"/desk/cases/{quote(file.case.number)}/documents/{payment.voucher_document_id}"
        views.append(
            PaymentView(
                amount=reader.money(payment.amount, payment.currency),
                status=reader.label(label_of(PaymentStatus(payment.status))),
                tone={"confirmed": "ok", "rejected": "bad"}.get(payment.status, "hold"),
                payee=payee.name if payee else "",
                account=payee.account_tail if payee else "",
                when=reader.full_moment(done),
                reference=payment.bank_reference,
                problem=payment.reject_reason,
                voucher=voucher if payment.voucher_document_id else "",
            )
        )
    return tuple(views)


def _decisions(file: CaseFile, look: Look) -> tuple[DecisionView, ...]:
    reader = look.reader
    return tuple(
        DecisionView(
            amount=reader.money(d.approved_amount, file.case.currency),
            by=who_is(d.decided_by, look.names, reader),
            when=reader.full_moment(d.decided_at),
            second=_second(d.status, d.authorised_by, look),
        )
        for d in file.decisions
    )


def _second(status: str, authorised_by: str, look: Look) -> str:
    if authorised_by:
        return look.reader.say("{name} agreed", name=who_is(authorised_by, look.names, look.reader))
    if status == "referred":
        return look.reader.say("A second person must agree")
    if status == "returned":
        return look.reader.say("Sent back to be made anew")
    return look.reader.say("Within their own authority")


def present_messages(file: CaseFile, look: Look) -> tuple[MessageView, ...]:
    """The conversation, oldest first."""
    return tuple(
        MessageView(
            who_is(m.author, look.names, look.reader), look.reader.moment(m.written_at), m.body, m.direction == "out"
        )
        for m in file.messages
    )


def _tasks(file: CaseFile, kind: CaseKind, look: Look) -> tuple[TaskLine, ...]:
    return tuple(
        TaskLine(
            words=look.reader.label(kind.task(t.kind).label) if kind.has_task(t.kind) else t.kind,
            state=look.reader.label(label_of(TaskStatus(t.status))),
            who=who_is(t.completed_by or t.holder, look.names, look.reader) if t.completed_by or t.holder else "",
            address=f"/desk/tasks/{t.id}" if t.status == "open" else "",
        )
        for t in reversed(file.tasks)
    )


def _scene(file: CaseFile, kind: CaseKind, look: Look) -> Scene:
    reader = look.reader
    return Scene(
        reader=reader,
        kind=kind,
        currency=file.case.currency,
        coverages={str(e.id): reader.label(coverage_label(file.case, e.coverage_code)) for e in file.exposures},
        documents={str(d.id): reader.label(item_label(d.item_code)) for d in file.documents},
        tasks={str(t.id): reader.label(kind.task(t.kind).label) for t in file.tasks if kind.has_task(t.kind)},
        clocks={c.clock: title_of_clock(c, reader) for c in file.clocks},
        waits={str(r.id): reader.label(wait_label(r.reason)) for r in file.requests if r.reason != DOCUMENTS},
        actors=look.names,
    )


def actors_in(file: CaseFile, journal: Sequence[JournalEntry]) -> set[str]:
    """Everybody whose name the file shows."""
    return {
        *(entry.actor for entry in journal),
        *(name for entry in journal for name in people_in(entry.body)),
        *(d.decided_by for d in file.decisions),
        *(d.authorised_by for d in file.decisions),
        *(m.author for m in file.messages),
        *(t.holder for t in file.tasks),
        *(t.completed_by for t in file.tasks),
        *(c.late_responsible for c in file.clocks),
    }


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case in a list."""

    number: str
    title: str
    claimant: str
    stage: str
    status: str
    tone: str
    amount: str
    opened: str
    chip: Chip
