"""What pages and queues read: written only by the projectors, rebuildable from the journal."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from lian.db.tables.columns import big, document, instant, money, text

OPEN_TASK = sql("status = 'open'")
FREE_TASK = sql("status = 'open' AND holder = ''")
RAISED_TASK = sql("status = 'open' AND is_raised")
DUE = sql("coalesce(act_by_at, 'infinity'::timestamp with time zone)")
"""Tasks without a deadline come last."""
DONE_TASK = sql("status = 'completed'")
SUBSTITUTED_TASK = sql("status = 'open' AND held_how = 'substitute'")


class Case(SQLModel, table=True):
    """One case as it stands now. `version` is the chain position of its last event."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("cases_board", "kind", "status", "stage"),
        Index("cases_latest", "opened_at", "id"),
        Index("cases_open", "id", postgresql_where=sql("status = 'open'")),
        Index("cases_idle", "id", postgresql_where=sql("status = 'open' AND awaits = 0")),
    )

    id: UUID = Field(primary_key=True)
    number: str = text(unique=True)
    kind: str = text()
    status: str = text()
    stage: str = text(default="report")
    generation: int = 1
    channel: str = text()
    opened_by: str = text(default="", index=True)
    """The account that reported it: agents see the cases they brought."""
    subject_person_id: UUID
    policy_number: str = text(default="", index=True)
    line: str = text(default="")
    loss_cause: str = text(default="")
    loss_at: datetime | None = instant(default=None)
    reported_at: datetime | None = instant(default=None)
    opened_at: datetime = instant()
    received_at: datetime | None = instant(default=None)
    reopened_at: datetime | None = instant(default=None)
    closed_at: datetime | None = instant(default=None)
    outcome: str = text(default="")
    complexity: str = text(default="")
    severity: str = text(default="")
    triage_findings: list[Any] = document(default_factory=list)
    maturity: str = text(default="draft")
    risk_score: int = 0
    risk_level: str = text(default="")
    risk_findings: list[Any] = document(default_factory=list)
    details: dict[str, Any] = document(default_factory=dict)
    """Coded answers of the report or intake form."""
    injured: int = 0
    minors: int = 0
    """Claimants under age: their representatives prove that they may act."""
    currency: str = text(default="")
    claimed_amount: Decimal = money(default=Decimal(0))
    approved_amount: Decimal = money(default=Decimal(0))
    paid_amount: Decimal = money(default=Decimal(0))
    place: str = text(default="")
    course: str = text(default="")
    draft: str = text(default="")
    """The unfinished report as JSON, until it is submitted (CLM-1)."""
    snapshot: dict[str, Any] | None = document(default=None)
    plan: dict[str, Any] | None = document(default=None)
    promised_at: datetime | None = instant(default=None)
    awaits: int = 0
    """Questions its process has asked, requests, and transfers under way: with none of them it stands still (I7)."""
    version: int = big(default=0)


class Party(SQLModel, table=True):
    """A person in a role of a case."""

    __tablename__ = "case_parties"
    __table_args__ = (Index("case_parties_phone", "phone"), Index("case_parties_email", "email"))

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    person_id: UUID = Field(index=True)
    role: str = text()
    is_minor: bool = False
    represents: UUID | None = Field(default=None)
    name: str = text(default="")
    phone: str = text(default="")
    email: str = text(default="")


class Exposure(SQLModel, table=True):
    """One coverage for one claimant. Reserves are what is still expected to be paid."""

    __tablename__ = "exposures"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    coverage_code: str = text()
    claimant_party_id: UUID
    claimed_amount: Decimal = money()
    assessed_amount: Decimal | None = money(default=None)
    excluded_reason: str = text(default="")
    result: str = text(default="")
    payable_amount: Decimal = money(default=Decimal(0))
    deductible_applied: Decimal = money(default=Decimal(0))
    findings: list[Any] = document(default_factory=list)
    reserve_amount: Decimal = money(default=Decimal(0))
    expense_reserve_amount: Decimal = money(default=Decimal(0))


class ReserveLine(SQLModel, table=True):
    """One change of a reserve, with its reason; the newest is the reserve."""

    __tablename__ = "reserve_lines"

    case_id: UUID = Field(primary_key=True)
    chain_seq: int = Field(primary_key=True)
    exposure_id: UUID = Field(index=True)
    reserve_line: str = text()
    amount: Decimal = money()
    reason: str = text()
    set_at: datetime = instant()
    set_by: str = text()


class Clock(SQLModel, table=True):
    """One promise of a case: policy, ledger and what follows from them."""

    __tablename__ = "clocks"
    __table_args__ = (
        Index("clocks_due", "due_at", postgresql_where=sql("stopped_at IS NULL AND status <> 'cancelled'")),
        Index("clocks_running", "due_at", postgresql_where=sql("status = 'running'")),
    )

    case_id: UUID = Field(primary_key=True)
    clock: str = Field(primary_key=True)
    policy: dict[str, Any] = document()
    started_at: datetime = instant()
    pauses: list[Any] = document(default_factory=list)
    due_at: datetime | None = instant(default=None)
    warn_at: datetime | None = instant(default=None)
    breached_at: datetime | None = instant(default=None)
    stopped_at: datetime | None = instant(default=None)
    status: str = text(default="running")
    calendar: str = text(default="")
    """Version of the calendar it counts in."""
    extended: int = 0
    """So much more of its unit than its policy gives."""
    rebased_at: datetime | None = instant(default=None)
    consumed_seconds: float = 0.0
    """What was used up when the hours it counts changed, at `rebased_at`."""
    rungs: list[Any] = document(default_factory=list)
    """Rungs that were reached: which, when, and when that was seen."""
    late_cause: str = text(default="")
    late_responsible: str = text(default="")
    """Why it was broken and who answers for it, once somebody has said so (CLM-13)."""


class DocumentRequest(SQLModel, table=True):
    """One complete list of missing documents (CLM-5); items map to the document that answered, or null."""

    __tablename__ = "document_requests"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    status: str = text(default="open")
    reason: str = text(default="documents")
    """What was asked for: documents from the claimant, or something else the case waits for."""
    items: dict[str, Any] = document()
    is_repeat: bool = False
    opened_at: datetime = instant()
    answer_by: datetime = instant()
    delivered_at: datetime | None = instant(default=None)
    closed_at: datetime | None = instant(default=None)


class Task(SQLModel, table=True):
    """A row per human task (idea 4). The stored `urgency` orders queues: smaller is sooner."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_queue", "queue", "urgency", "id", postgresql_where=OPEN_TASK),
        Index("tasks_holder", "holder", "urgency", "id", postgresql_where=OPEN_TASK),
        Index(
            *("tasks_free", "queue", "needs", "urgency", "id"),
            postgresql_include=["hold_until", "kind"],
            postgresql_where=FREE_TASK,
        ),
        Index("tasks_opened", "queue", "opened_at", "id", postgresql_where=OPEN_TASK),
        Index("tasks_due", "queue", DUE, "id", postgresql_include=["act_by_at", "kind"], postgresql_where=OPEN_TASK),
        Index("tasks_amount", "queue", "amount", "id", postgresql_where=OPEN_TASK),
        Index("tasks_raised", "queue", "urgency", "id", postgresql_where=RAISED_TASK),
        Index("tasks_done", "closed_at", "completed_by", postgresql_include=["kind"], postgresql_where=DONE_TASK),
        Index("tasks_substituted", "on_behalf_of", postgresql_where=SUBSTITUTED_TASK),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    kind: str = text()
    queue: str = text()
    stage: str = text()
    status: str = text(default="open")
    ask: dict[str, Any] = document()
    excluded: list[Any] = document(default_factory=list)
    least_authority: Decimal = money(default=Decimal(0))
    amount: Decimal = money(default=Decimal(0))
    """What is claimed in its case, to sort by."""
    skills: list[Any] = document(default_factory=list)
    needs: str = text(default="", collation="C")
    """What it needs of whoever does it, as `domain/needs.py` writes it."""
    opened_at: datetime = instant()
    act_by_at: datetime | None = instant(default=None)
    urgency: int = big()
    is_green: bool = False
    """In the green channel: before everything else."""
    is_raised: bool = False
    """A clock's ladder or a person has put it among the most urgent."""
    holder: str = text(default="")
    on_behalf_of: str = text(default="")
    """Whose work it stays, when somebody does it for a colleague."""
    held_how: str = text(default="")
    claimed_at: datetime | None = instant(default=None)
    hold_until: datetime | None = instant(default=None)
    """Put aside until then; compared whenever work is drawn, so that nothing has to wake it."""
    hold_reason: str = text(default="")
    passed: dict[str, Any] = document(default_factory=dict)
    """Who passed it on, and until when it is not offered to them again."""
    closed_at: datetime | None = instant(default=None)
    completed_by: str = text(default="")
    outcome: dict[str, Any] | None = document(default=None)
    version: int = big()


class TaskComment(SQLModel, table=True):
    """A remark for colleagues."""

    __tablename__ = "task_comments"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    task_id: UUID
    author: str = text()
    body: str = text(default="")
    written_at: datetime = instant()


class TaskReview(SQLModel, table=True):
    """A colleague's view of a task, asked for by whoever has it. It decides nothing."""

    __tablename__ = "task_reviews"
    __table_args__ = (
        CheckConstraint("reviewer <> asked_by", name="review_four_eyes"),
        Index("task_reviews_waiting", "reviewer", "asked_at", postgresql_where=sql("answered_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    task_id: UUID
    asked_by: str = text()
    reviewer: str = text()
    question: str = text(default="")
    asked_at: datetime = instant()
    opinion: str = text(default="")
    answer: str = text(default="")
    answered_at: datetime | None = instant(default=None)


class CaseBar(SQLModel, table=True):
    """Somebody for whom this case is not, in any of its tasks (TSK-5)."""

    __tablename__ = "case_bars"

    case_id: UUID = Field(primary_key=True)
    actor: str = Field(primary_key=True)
    reason: str = text()
    barred_at: datetime = instant()
    barred_by: str = text()


class Document(SQLModel, table=True):
    """A file of a case; its bytes lie in the object store under `key`, never under its name (DOC-1)."""

    __tablename__ = "documents"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    item_code: str = text()
    source: str = text()
    filename: str = text(default="")
    mime: str = text()
    size: int = big()
    sha256: str = text()
    bucket: str = text()
    key: str = text(unique=True)
    version_id: str = text(default="")
    received_at: datetime = instant()
    received_by: str = text()
    state: str = text(default="received")
    refused_reason: str = text(default="")
    letter: str = text(default="")


class Decision(SQLModel, table=True):
    """Who decided what, and who agreed. The database itself refuses one person in both roles (CLM-9)."""

    __tablename__ = "decisions"
    __table_args__ = (
        CheckConstraint("authorised_by = '' OR authorised_by <> decided_by", name="four_eyes"),
        CheckConstraint("approved_amount >= 0", name="approved_not_negative"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    decided_by: str = text()
    decided_at: datetime = instant()
    result: str = text()
    approved_amount: Decimal = money()
    needs_second: bool = False
    subject: str = text(default="claim")
    authority_version: str = text(default="")
    status: str = text()
    authorised_by: str = text(default="")
    authorised_at: datetime | None = instant(default=None)
    overridden_why: str = text(default="")
    """Break-glass: why somebody let it stand above the table."""


class Payee(SQLModel, table=True):
    """Who is paid; the account stays ciphertext, only its last four digits are readable.

    A changed account is verified by somebody else than who named it: the database itself insists.
    """

    __tablename__ = "payees"
    __table_args__ = (
        CheckConstraint("verified_by = '' OR verified_by <> named_by", name="account_four_eyes"),
        Index("payees_person", "person_id"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    decision_id: UUID = Field(index=True)
    person_id: UUID
    amount: Decimal = money()
    name: str = text(default="")
    account_sealed: str = text(default="")
    account_tail: str = text(default="")
    account_mark: str = text(default="")
    bank: str = text(default="")
    named_by: str = text(default="")
    is_changed: bool = False
    sanctions: str = text(default="")
    """`clear`, `hit`, or after a look `cleared` or `confirmed`."""
    verified_by: str = text(default="")
    verified: str = text(default="")
    """What the second person said of a changed account: `yes`, `no`, or nothing yet."""
    confirmed: str = text(default="")
    """What the customer said of it."""


class Payment(SQLModel, table=True):
    """One transfer; one per payee of a decision, whatever is retried (CLM-10)."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("decision_id", "payee_id", name="payment_once_per_payee"),
        CheckConstraint("amount > 0", name="payment_positive"),
        CheckConstraint("reversed_by = '' OR reversed_by <> reversal_asked_by", name="reversal_four_eyes"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    decision_id: UUID
    payee_id: UUID
    amount: Decimal = money()
    currency: str = text()
    status: str = text(default="requested")
    requested_at: datetime = instant()
    sent_at: datetime | None = instant(default=None)
    settled_at: datetime | None = instant(default=None)
    instruction_key: str = text(default="")
    bank_reference: str = text(default="")
    paid_on: date | None = Field(default=None)
    reject_reason: str = text(default="")
    """Also why a paid transfer was returned or reversed."""
    recovery_id: UUID | None = Field(default=None)
    reversal_asked_by: str = text(default="")
    reversed_by: str = text(default="")
    voucher_document_id: UUID | None = Field(default=None)


class Message(SQLModel, table=True):
    """A message between the customer and us."""

    __tablename__ = "messages"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    direction: str = text()
    author: str = text()
    body: str = text(default="")
    written_at: datetime = instant()


class CaseLink(SQLModel, table=True):
    """A case that belongs with another one; read from both sides."""

    __tablename__ = "case_links"

    case_id: UUID = Field(primary_key=True)
    other_case_id: UUID = Field(primary_key=True, index=True)
    relation: str = Field(primary_key=True)
    other_number: str = text()
    reasons: list[Any] = document(default_factory=list)
    linked_at: datetime = instant()
    linked_by: str = text()


class CaseTag(SQLModel, table=True):
    """A code under which cases are counted together, such as a catastrophe's."""

    __tablename__ = "case_tags"
    __table_args__ = (Index("case_tags_code", "tag", "code"),)

    case_id: UUID = Field(primary_key=True)
    tag: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    tagged_at: datetime = instant()
    tagged_by: str = text()


class Investigation(SQLModel, table=True):
    """One action of the investigation plan that was carried out (CLM-6)."""

    __tablename__ = "investigations"

    task_id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    action: str = text()
    finding: str = text()
    reported_at: datetime = instant()
    reported_by: str = text()


class Referral(SQLModel, table=True):
    """A claim's way through special investigation (CLM-14). Never shown to customers."""

    __tablename__ = "referrals"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    status: str = text(default="open")
    why: str = text()
    outcome: str = text(default="")
    referred_at: datetime = instant()
    referred_by: str = text()
    concluded_at: datetime | None = instant(default=None)
    concluded_by: str = text(default="")


class Panel(SQLModel, table=True):
    """Several people who decide together (CLM-8)."""

    __tablename__ = "panels"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    decision_id: UUID
    decided_by: str = text()
    seats: int
    quorum: int
    rule: str = text()
    why: str = text()
    result: str = text(default="")
    convened_at: datetime = instant()
    concluded_at: datetime | None = instant(default=None)


class PanelVote(SQLModel, table=True):
    """One vote: one per person and panel, never of whoever made the proposal, never changed (CLM-8)."""

    __tablename__ = "panel_votes"
    __table_args__ = (CheckConstraint("voter <> decided_by", name="panel_four_eyes"),)

    panel_id: UUID = Field(primary_key=True)
    voter: str = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    decided_by: str = text()
    vote: str = text()
    reason: str = text(default="")
    voted_at: datetime = instant()


class Objection(SQLModel, table=True):
    """Somebody objects to a decision; another person looks again (CLM-11)."""

    __tablename__ = "objections"
    __table_args__ = (CheckConstraint("decided_by = '' OR decided_by <> decision_by", name="objection_four_eyes"),)

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    decision_id: UUID
    decision_by: str = text()
    grounds: str = text()
    words: str = text(default="")
    status: str = text(default="open")
    lodged_at: datetime = instant()
    lodged_by: str = text()
    decided_at: datetime | None = instant(default=None)
    decided_by: str = text(default="")


class Correction(SQLModel, table=True):
    """A recorded figure that was wrong, with before and after."""

    __tablename__ = "corrections"
    __table_args__ = (CheckConstraint("decided_by = '' OR decided_by <> proposed_by", name="correction_four_eyes"),)

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    name: str = text()
    exposure_id: UUID | None = Field(default=None)
    before: str = text()
    after: str = text()
    reason: str = text(default="")
    status: str = text(default="proposed")
    proposed_at: datetime = instant()
    proposed_by: str = text()
    decided_by: str = text(default="")
    applied_at: datetime | None = instant(default=None)


class RecoveryClaim(SQLModel, table=True):
    """Money that is to come back (CLM-15)."""

    __tablename__ = "recoveries"
    __table_args__ = (CheckConstraint("received_amount >= 0", name="recovery_not_negative"),)

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    recovery: str = text()
    counterparty: str = text(default="")
    payment_id: UUID | None = Field(default=None)
    party_id: UUID | None = Field(default=None)
    """Who was paid too much, where it can be told."""
    expected_amount: Decimal = money()
    received_amount: Decimal = money(default=Decimal(0))
    currency: str = text()
    status: str = text(default="open")
    closed_why: str = text(default="")
    opened_at: datetime = instant()
    opened_by: str = text()
    closed_at: datetime | None = instant(default=None)


class RecoveryReceipt(SQLModel, table=True):
    """Some of it came; the bank's reference makes a second entry of the same receipt impossible."""

    __tablename__ = "recovery_receipts"
    __table_args__ = (
        UniqueConstraint("recovery_id", "reference", name="recovery_receipt_once"),
        CheckConstraint("amount > 0", name="recovery_receipt_positive"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    recovery_id: UUID
    amount: Decimal = money()
    received_on: date
    reference: str = text()
    entered_by: str = text()


class LedgerLine(SQLModel, table=True):
    """One line of the claim's double-entry ledger; the lines of one event add up to zero (I3)."""

    __tablename__ = "ledger_lines"

    case_id: UUID = Field(primary_key=True)
    chain_seq: int = Field(primary_key=True)
    account: str = Field(primary_key=True)
    amount: Decimal = money()
    booked_at: datetime = instant()


PROJECTIONS: tuple[type[SQLModel], ...] = (
    Case,
    Party,
    Exposure,
    ReserveLine,
    Clock,
    DocumentRequest,
    Task,
    TaskComment,
    TaskReview,
    CaseBar,
    Document,
    Decision,
    Payee,
    Payment,
    Message,
    CaseLink,
    CaseTag,
    Investigation,
    Referral,
    Panel,
    PanelVote,
    Objection,
    Correction,
    RecoveryClaim,
    RecoveryReceipt,
    LedgerLine,
)
