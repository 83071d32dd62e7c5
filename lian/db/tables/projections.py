"""What pages and queues read: written only by `lian/db/projectors.py`, rebuildable from the journal."""

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


class Case(SQLModel, table=True):
    """One case as it stands now. `version` is the chain position of its last event."""

    __tablename__ = "cases"
    __table_args__ = (Index("cases_board", "kind", "status", "stage"), Index("cases_latest", "opened_at", "id"))

    id: UUID = Field(primary_key=True)
    number: str = text(unique=True)
    kind: str = text()
    status: str = text()
    stage: str = text(default="report")
    generation: int = 1
    channel: str = text()
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
    injured: int = 0
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
    version: int = big(default=0)


class Party(SQLModel, table=True):
    """A person in a role of a case."""

    __tablename__ = "case_parties"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    person_id: UUID = Field(index=True)
    role: str = text()
    name: str = text(default="")
    phone: str = text(default="")
    email: str = text(default="")


class Exposure(SQLModel, table=True):
    """One coverage for one claimant."""

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


class DocumentRequest(SQLModel, table=True):
    """One complete list of missing documents (CLM-5); items map to the document that answered, or null."""

    __tablename__ = "document_requests"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    status: str = text(default="open")
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
    opened_at: datetime = instant()
    act_by_at: datetime | None = instant(default=None)
    urgency: int = big()
    holder: str = text(default="")
    claimed_at: datetime | None = instant(default=None)
    closed_at: datetime | None = instant(default=None)
    completed_by: str = text(default="")
    outcome: dict[str, Any] | None = document(default=None)
    version: int = big()


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
    status: str = text()
    authorised_by: str = text(default="")
    authorised_at: datetime | None = instant(default=None)


class Payee(SQLModel, table=True):
    """Who is paid; the account stays ciphertext, only its last four digits are readable."""

    __tablename__ = "payees"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(index=True)
    decision_id: UUID = Field(index=True)
    person_id: UUID
    amount: Decimal = money()
    name: str = text(default="")
    account_sealed: str = text(default="")
    account_tail: str = text(default="")
    bank: str = text(default="")


class Payment(SQLModel, table=True):
    """One transfer; one per payee of a decision, whatever is retried (CLM-10)."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("decision_id", "payee_id", name="payment_once_per_payee"),
        CheckConstraint("amount > 0", name="payment_positive"),
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


PROJECTIONS: tuple[type[SQLModel], ...] = (
    Case,
    Party,
    Exposure,
    ReserveLine,
    Clock,
    DocumentRequest,
    Task,
    Document,
    Decision,
    Payee,
    Payment,
    Message,
)
