"""What is said to and by a case's process. One dataclass per message; everything in them is JSON-friendly.

No message holds names, contacts or accounts; notes of an answer are the one free text, and travel encrypted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from lian.domain.plan import CasePlan
from lian.domain.sla import ClockLedger, Pause, Rebase

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class ClockRun:
    """A promise while it runs: its ledger, and what was already said about it."""

    started_at: datetime
    pauses: tuple[Pause, ...] = ()
    warned: bool = False
    """Set by the first release only, which had one warning; `climbed` holds what was told since."""
    breached: bool = False
    climbed: list[str] = field(default_factory=list)
    """Rungs of its ladder that were reached, or passed over because the promise was broken already."""
    extended: int = 0
    rebased: Rebase | None = None

    @property
    def ledger(self) -> ClockLedger:
        """What its deadline follows from."""
        return ClockLedger(self.started_at, self.pauses, extended=self.extended, rebased=self.rebased)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something a person does on the case of their own accord; `outcome` answers the action's form."""

    command_id: str
    action: str
    actor: str
    authority: Decimal
    outcome: Json
    notes: str = ""
    is_customer: bool = False


@dataclass(slots=True, kw_only=True)
class CaseState:
    """All a case's process carries, also across continue-as-new. `seq` numbers its events without a gap."""

    case_id: UUID
    kind: str
    plan: CasePlan
    received_at: datetime
    facts: Json
    schema_version: int = 1
    generation: int = 1
    seq: int = 0
    begin_at: str = ""
    """First stage of a reopened life; empty: from the beginning."""
    done: list[str] = field(default_factory=list)
    clocks: dict[str, ClockRun] = field(default_factory=dict)
    milestones: dict[str, datetime] = field(default_factory=dict)
    """When the procedure came to each, in this life of the case."""
    started: dict[str, int] = field(default_factory=dict)
    """How often each promise has begun in this life of the case."""
    waits: dict[UUID, datetime] = field(default_factory=dict)
    """What the case waits for outside the house, and until when at the latest."""
    grade: str = ""
    """Which grade's promises apply: simple or complex, for example."""
    requests_made: int = 0
    last_answer_at: datetime | None = None
    """When a person last answered a task: what the customer sent since then was not yet seen by anyone."""
    recent: list[str] = field(default_factory=list)
    """The last command ids, so that a repeat after continue-as-new is known."""
    first_action: Act | None = None
    """What somebody did on the closed case that made it live again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteTask:
    """A person's answer to a task. `authority` is the amount they may decide alone."""

    command_id: str
    task_id: UUID
    actor: str
    authority: Decimal
    outcome: Json
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """The customer no longer pursues the case."""

    command_id: str
    actor: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replan:
    """Another pack or calendar applies to the case from now on; `by` published it and `why` says the reason's code."""

    operation_id: UUID
    plan: CasePlan
    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRequest:
    """The open document request ended at `closed_at`: `answered` by the last item, or `withdrawn` by us."""

    request_id: UUID
    how: str
    closed_at: datetime
    by: str = "system"
    """Who withdrew it; the others end by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettled:
    """What became of one transfer: confirmed or rejected."""

    payment_id: UUID
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """A transfer that was confirmed came back.

    `reduced` is what that takes off each overpayment; it counts only while all of them still come to `owed_back`.
    """

    command_id: str
    payment_id: UUID
    reason: str
    reduced: dict[UUID, Decimal]
    owed_back: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PayOut:
    """One transfer to carry out; everything else about it lies in Postgres."""

    case_id: UUID
    payment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAnswered:
    """What the bank said about a transfer."""

    payment_id: UUID
    accepted: bool
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRun:
    """A bulk order to work through, or to take back; everything else about it lies in Postgres."""

    order_id: UUID
    undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """A command took effect; `seq` is the process event that says so."""

    command_id: str
    seq: int


def case_workflow_id(case_id: UUID) -> str:
    """The process's name at Temporal."""
    return f"case/{case_id}"


def bulk_workflow_id(run: BulkRun) -> str:
    """The bulk order's process's name at Temporal; taking it back is a process of its own."""
    return f"bulk/{run.order_id}{'/undo' if run.undo else ''}"


def payment_workflow_id(payment_id: UUID) -> str:
    """The transfer's process's name at Temporal."""
    return f"payment/{payment_id}"
