"""Cases: in a list, and as a file with all that belongs to them. A customer's copy has nothing of our inside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import Field

from api.schemas.documents import DocumentOut
from api.wire import AmountOut, In, Out, Page, Text, Words
from lian.auth.actor import Actor
from lian.db.tables import Case, Clock, Decision, Exposure, JournalEntry, Message, Payment, Task
from lian.domain.case_kinds import kind_of
from lian.domain.claims.duplicates import BACKLINKS, LIKENESS_REASONS, LINKS
from lian.domain.claims.risk import MEASURES, RISK_REASONS, RiskLevel, figures
from lian.domain.findings import Finding
from lian.domain.labels import Label
from lian.domain.plan import policy_id
from lian.domain.sla import Unit
from lian.domain.status import CaseStatus, ClockStatus, PaymentStatus, TaskStatus
from lian.services.cases import CaseFile, LinkSeen
from lian.services.reading_clocks import clock_label, unpublished_year

STORAGE = frozenset({"bucket", "key", "version_id"})
"""Where bytes lie is nobody's business outside."""
MASK = "•••• "
M = TypeVar("M", bound=Out)


class CaseOut(Out):
    """A case as a list shows it."""

    number: str
    id: UUID
    kind: str
    status: CaseStatus
    stage: str
    generation: int = Field(description="1, and one more each time it is reopened.")
    policy_number: str
    line: str
    loss_cause: str
    loss_at: datetime | None
    reported_at: datetime | None
    opened_at: datetime
    received_at: datetime | None
    closed_at: datetime | None
    promised_at: datetime | None
    outcome: str
    complexity: str
    severity: str
    injured: int
    currency: str
    claimed_amount: AmountOut
    approved_amount: AmountOut
    paid_amount: AmountOut
    version: int = Field(description="Place of the case's last event in its journal.")

    @classmethod
    def of(cls, case: Case) -> CaseOut:
        """The case on the wire."""
        return cls(**about_case(case))


class CasesOut(Page):
    """Cases, newest first."""

    items: list[CaseOut]


class PartyOut(Out):
    """A person in a role; a representative names the party for whom they act."""

    id: UUID
    role: str
    is_minor: bool
    represents: UUID | None
    name: str
    phone: str
    email: str


class ExposureOut(Out):
    """One coverage for one claimant."""

    id: UUID
    coverage_code: str
    claimant_party_id: UUID
    claimed_amount: AmountOut
    assessed_amount: AmountOut | None
    excluded_reason: str
    result: str
    payable_amount: AmountOut
    deductible_applied: AmountOut
    reserve_amount: AmountOut
    findings: list[Any]


class RungOut(Out):
    """A step of a promise's ladder that was reached: `75%`, `due` or `+1d`."""

    rung: str
    reached_at: datetime
    seen_at: datetime


class ClockOut(Out):
    """One promise. Without `due_at` it stands still, or the calendar of its deadline's year is not published."""

    clock: str = Field(description="`promise#2` is of a reopened case's second life, `promise@3` the third round.")
    promise: str = Field(description="The promise behind it, whatever its life or round.")
    label: Words
    status: ClockStatus
    started_at: datetime
    due_at: datetime | None
    warn_at: datetime | None
    breached_at: datetime | None
    stopped_at: datetime | None
    pauses: list[Any]
    extended: int = Field(description="So much more than first promised, in `unit`.")
    unit: Unit
    rungs: list[RungOut]
    unpublished_year: int | None = Field(description="Its deadline is not known: this year's calendar is missing.")
    late_cause: str = Field(description="Why it was broken, once somebody has said so (CLM-13).")
    late_responsible: str
    late_responsible_name: str


class RequestOut(Out):
    """One complete list of missing documents; each item maps to the document that answered it, or null.

    Or, by its `reason`, a wait for somebody outside the house, without items.
    """

    id: UUID
    reason: str
    status: str
    items: dict[str, Any]
    is_repeat: bool
    opened_at: datetime
    answer_by: datetime
    delivered_at: datetime | None
    closed_at: datetime | None


class CaseTaskOut(Out):
    """A task of the case."""

    id: UUID
    kind: str
    label: Words
    queue: str
    stage: str
    status: TaskStatus
    holder: str
    holder_name: str
    completed_by: str
    opened_at: datetime
    closed_at: datetime | None


class DecisionOut(Out):
    """Who decided, and who agreed."""

    id: UUID
    result: str
    status: str
    approved_amount: AmountOut
    decided_by: str
    decided_by_name: str
    decided_at: datetime
    needs_second: bool
    authorised_by: str
    authorised_by_name: str
    authorised_at: datetime | None


class PayeeOut(Out):
    """Who is paid; of the account only its end is shown."""

    id: UUID
    name: str
    bank: str
    account_tail: str
    amount: AmountOut


class PaymentOut(Out):
    """One transfer."""

    id: UUID
    payee_id: UUID
    amount: AmountOut
    currency: str
    status: PaymentStatus
    requested_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    bank_reference: str
    voucher_document_id: UUID | None


class LinkOut(Out):
    """Another case that belongs with this one; `is_back`: it points here."""

    number: str
    relation: str
    label: Words
    is_back: bool
    reasons: list[Words] = Field(description="Why they look alike, for what was reported twice.")
    linked_at: datetime

    @classmethod
    def of(cls, link: LinkSeen) -> LinkOut:
        """The link on the wire."""
        words = BACKLINKS if link.is_back else LINKS
        return cls(
            number=link.number,
            relation=link.relation,
            label=Words.of(words.get(link.relation, Label(link.relation, link.relation))),
            is_back=link.is_back,
            reasons=[Words.of(LIKENESS_REASONS[code]) for code in link.reasons if code in LIKENESS_REASONS],
            linked_at=link.linked_at,
        )


class TagOut(Out):
    """A code under which cases are counted together."""

    tag: str
    code: str
    tagged_at: datetime
    tagged_by: str


class RiskReasonOut(Out):
    """One sign that something may be wrong with the claim, in words (CLM-14)."""

    code: str
    label: Words
    kind: str = Field(description="fraud, moral or legal.")
    weight: int

    @classmethod
    def of(cls, found: Mapping[str, str]) -> RiskReasonOut:
        """The finding on the wire."""
        measured = figures(Finding(**dict(found)))  # type: ignore[arg-type]
        label = RISK_REASONS.get(found["code"], Label(found["code"], found["code"]))
        return cls(
            code=found["code"],
            label=Words.of(label),
            kind=measured.get("kind", ""),
            weight=int(measured.get("weight", 0)),
        )


class InvestigationOut(Out):
    """One action of the investigation (CLM-6)."""

    task_id: UUID
    action: str
    finding: str
    reported_at: datetime
    reported_by: str
    reported_by_name: str


class ReferralOut(Out):
    """A way through special investigation (CLM-14)."""

    id: UUID
    status: str
    why: str
    outcome: str
    referred_at: datetime
    concluded_at: datetime | None


class VoteOut(Out):
    """One member's vote (CLM-8)."""

    voter: str
    voter_name: str
    vote: str
    reason: str
    voted_at: datetime


class PanelOut(Out):
    """Several people who decide together (CLM-8)."""

    id: UUID
    decision_id: UUID
    seats: int
    quorum: int
    rule: str
    why: str
    result: str
    convened_at: datetime
    concluded_at: datetime | None
    votes: list[VoteOut]


class ObjectionOut(Out):
    """Somebody objects to a decision (CLM-11)."""

    id: UUID
    decision_id: UUID
    grounds: str
    words: str
    status: str
    lodged_at: datetime
    decided_at: datetime | None


class CorrectionOut(Out):
    """A recorded figure that was wrong."""

    id: UUID
    name: str
    before: str
    after: str
    reason: str
    status: str
    proposed_at: datetime
    proposed_by: str
    proposed_by_name: str
    decided_by: str
    decided_by_name: str
    applied_at: datetime | None


class RecoveryOut(Out):
    """Money that is to come back (CLM-15)."""

    id: UUID
    recovery: str
    counterparty: str
    expected_amount: AmountOut
    received_amount: AmountOut
    currency: str
    status: str
    opened_at: datetime
    closed_at: datetime | None


class MessageOut(Out):
    """A message: `in` from the customer, `out` to them."""

    id: UUID
    direction: str
    body: str
    written_at: datetime
    author_name: str

    @classmethod
    def of(cls, message: Message, names: Mapping[str, str] | None = None) -> MessageOut:
        """The message on the wire."""
        return cls(
            id=message.id,
            direction=message.direction,
            body=message.body,
            written_at=message.written_at,
            author_name=(names or {}).get(message.author, ""),
        )


class CaseFileOut(CaseOut):
    """A case with all that belongs to it. To its customer only what is theirs; the rest is empty."""

    place: str
    course: str
    documents: list[DocumentOut]
    requests: list[RequestOut]
    messages: list[MessageOut]
    parties: list[PartyOut] = Field(default_factory=list)
    exposures: list[ExposureOut] = Field(default_factory=list)
    clocks: list[ClockOut] = Field(default_factory=list)
    tasks: list[CaseTaskOut] = Field(default_factory=list)
    decisions: list[DecisionOut] = Field(default_factory=list)
    payees: list[PayeeOut] = Field(default_factory=list)
    payments: list[PaymentOut] = Field(default_factory=list)
    triage_findings: list[Any] = Field(default_factory=list)
    maturity: str = Field(default="", description="draft, reported, registered or ability_to_pay.")
    risk_level: str = ""
    risk_score: int = 0
    risk_measure: Words | None = Field(default=None, description="What its level asks of us.")
    risk_findings: list[RiskReasonOut] = Field(default_factory=list)
    links: list[LinkOut] = Field(default_factory=list)
    tags: list[TagOut] = Field(default_factory=list)
    investigations: list[InvestigationOut] = Field(default_factory=list)
    referrals: list[ReferralOut] = Field(default_factory=list)
    panels: list[PanelOut] = Field(default_factory=list)
    objections: list[ObjectionOut] = Field(default_factory=list)
    corrections: list[CorrectionOut] = Field(default_factory=list)
    recoveries: list[RecoveryOut] = Field(default_factory=list)
    policy_snapshot: dict[str, Any] | None = None

    @classmethod
    def of_file(cls, file: CaseFile, actor: Actor, names: Mapping[str, str]) -> CaseFileOut:
        """The file as this actor may see it."""
        seen = about_case(file.case) | {
            "place": file.case.place,
            "course": file.case.course,
            "documents": [DocumentOut.of(document) for document in file.documents],
            "requests": [_plain(RequestOut, request) for request in file.requests],
            "messages": [MessageOut.of(m, {} if actor.is_customer else names) for m in file.messages],
        }
        if actor.is_customer:
            return cls(**seen | {"complexity": "", "severity": ""})
        return cls(**seen, **_inside(file, names))


def _inside(file: CaseFile, names: Mapping[str, str]) -> dict[str, Any]:
    """What only staff see."""
    return {
        "parties": [_plain(PartyOut, party) for party in file.parties],
        "exposures": [_exposure(exposure) for exposure in file.exposures],
        "clocks": [clock_out(file.case, clock, names) for clock in file.clocks],
        "tasks": [_task(file.case, task, names) for task in file.tasks],
        "decisions": [_decision(decision, names) for decision in file.decisions],
        "payees": [_plain(PayeeOut, payee) for payee in file.payees],
        "payments": [_payment(payment) for payment in file.payments],
        "triage_findings": list(file.case.triage_findings),
        **_beside_the_procedure(file, names),
        "policy_snapshot": file.case.snapshot,
    }


def _beside_the_procedure(file: CaseFile, names: Mapping[str, str]) -> dict[str, Any]:
    case = file.case

    def named(model: type[M], row: Any, *parts: str) -> M:
        return _plain(model, row, **{f"{part}_name": names.get(getattr(row, part), "") for part in parts})

    return {
        "maturity": case.maturity,
        "risk_level": case.risk_level,
        "risk_score": case.risk_score,
        "risk_measure": Words.of(MEASURES[RiskLevel(case.risk_level)]) if case.risk_level else None,
        "risk_findings": [RiskReasonOut.of(found) for found in case.risk_findings],
        "links": [LinkOut.of(link) for link in file.links],
        "tags": [_plain(TagOut, tag) for tag in file.tags],
        "investigations": [named(InvestigationOut, report, "reported_by") for report in file.investigations],
        "referrals": [_plain(ReferralOut, referral) for referral in file.referrals],
        "panels": [
            _plain(
                PanelOut,
                panel,
                votes=[named(VoteOut, vote, "voter") for vote in file.panel_votes if vote.panel_id == panel.id],
            )
            for panel in file.panels
        ],
        "objections": [_plain(ObjectionOut, objection) for objection in file.objections],
        "corrections": [named(CorrectionOut, row, "proposed_by", "decided_by") for row in file.corrections],
        "recoveries": [_plain(RecoveryOut, recovery) for recovery in file.recoveries],
    }


def _plain(model: type[M], row: Any, **more: Any) -> M:
    return model(**{name: getattr(row, name) for name in model.model_fields if name not in more}, **more)


def about_case(case: Case) -> dict[str, Any]:
    """What every shape of a case has."""
    return {name: getattr(case, name) for name in CaseOut.model_fields}


def _exposure(exposure: Exposure) -> ExposureOut:
    return _plain(ExposureOut, exposure)


def clock_out(case: Case, clock: Clock, names: Mapping[str, str]) -> ClockOut:
    """A promise on the wire, in the words that were frozen with it."""
    return _plain(
        ClockOut,
        clock,
        promise=policy_id(clock.clock),
        label=Words.of(clock_label(clock)),
        unit=Unit(clock.policy["unit"]),
        rungs=[RungOut(**rung) for rung in clock.rungs],
        unpublished_year=unpublished_year(case, clock),
        late_responsible_name=names.get(clock.late_responsible, ""),
    )


def _task(case: Case, task: Task, names: Mapping[str, str]) -> CaseTaskOut:
    label = Words.of(kind_of(case.kind).task(task.kind).label)
    return _plain(CaseTaskOut, task, label=label, holder_name=names.get(task.holder, ""))


def _decision(decision: Decision, names: Mapping[str, str]) -> DecisionOut:
    return _plain(
        DecisionOut,
        decision,
        decided_by_name=names.get(decision.decided_by, ""),
        authorised_by_name=names.get(decision.authorised_by, ""),
    )


def _payment(payment: Payment) -> PaymentOut:
    return _plain(PaymentOut, payment)


def people_in(file: CaseFile) -> set[str]:
    """Everybody whose name the file shows."""
    holders = {task.holder for task in file.tasks}
    deciders = {actor for d in file.decisions for actor in (d.decided_by, d.authorised_by)}
    beside = {
        *(vote.voter for vote in file.panel_votes),
        *(report.reported_by for report in file.investigations),
        *(actor for c in file.corrections for actor in (c.proposed_by, c.decided_by)),
        *(clock.late_responsible for clock in file.clocks),
    }
    return holders | deciders | beside | {message.author for message in file.messages}


class EventOut(Out):
    """One event of the case's journal."""

    seq: int = Field(description="Its place in the case's chain.")
    type: str
    at: datetime = Field(description="When it happened.")
    recorded_at: datetime = Field(description="When it was written down.")
    actor: str
    actor_name: str
    body: dict[str, Any]

    @classmethod
    def of(cls, entry: JournalEntry, names: Mapping[str, str]) -> EventOut:
        """The event on the wire: bank accounts are masked, places in the object store left out."""
        return cls(
            seq=entry.chain_seq,
            type=entry.type,
            at=entry.at,
            recorded_at=entry.recorded_at,
            actor=entry.actor,
            actor_name=names.get(entry.actor, ""),
            body={name: _masked(name, value) for name, value in entry.body.items() if not _is_storage(entry, name)},
        )


def _is_storage(entry: JournalEntry, name: str) -> bool:
    return entry.type == "document.received" and name in STORAGE


def _masked(name: str, value: Any) -> Any:
    return MASK + value[-4:] if name == "account" and isinstance(value, str) and value else value


class TimelineOut(Out):
    """Events, oldest first; `next` is the `after` of the following page, null at the end."""

    items: list[EventOut]
    next: int | None


class MessageIn(In):
    """A message to the customer, or from them."""

    body: Text


class ReopenedOut(Out):
    """A case that is handled again."""

    number: str
    status: CaseStatus
    stage: str
    generation: int
