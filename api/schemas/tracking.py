"""What a customer sees of their case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.schemas.cases import MessageOut
from api.schemas.documents import DocumentOut
from api.schemas.forms import FormOut, form_of
from api.wire import AmountOut, Out, Words
from lian.domain.status import CaseStatus
from lian.services.asked import Asked
from lian.services.tracking import Tracked


class NeededOut(Out):
    """A document we ask for."""

    item: str
    label: Words
    received: bool


class AwaitedOut(Out):
    """What the case waits for outside the house."""

    label: Words
    until: datetime = Field(description="At the latest; then the promise runs on by itself.")


class StepOut(Out):
    """One step of the way: `done`, `now` or `next`."""

    label: Words
    state: str


class DecidedOut(Out):
    """What was decided on one coverage, with its reasons (CLM-11)."""

    coverage: Words
    claimed_amount: AmountOut
    payable_amount: AmountOut
    result: str
    reasons: list[Words]


class TransferOut(Out):
    """A transfer to the customer."""

    amount: AmountOut
    status: Words
    account_tail: str
    voucher_document_id: UUID | None
    note: Words | None = Field(description="Why it did not arrive, and what happens next.")


class TrackedObjectionOut(Out):
    """What was objected to, and what came of it (CLM-11)."""

    lodged_at: datetime
    grounds: Words
    words: str
    status: Words
    is_open: bool


class AskedOut(Out):
    """Something only the customer can answer: send it to `POST /tasks/{id}/complete`."""

    id: UUID
    kind: str
    label: Words
    help: Words
    opened_at: datetime
    ask: dict[str, Any] = Field(description="Rows and amounts the answer starts from.")
    payee_name: str = Field(description="Whose account it is about, where it is about one.")
    bank: str
    account_tail: str
    form: FormOut

    @classmethod
    def of(cls, asked: Asked) -> AskedOut:
        """The question on the wire."""
        kind, payee = asked.found.kind, asked.payee
        return cls(
            id=asked.found.task.id,
            kind=kind.id,
            label=Words.of(kind.label),
            help=Words.of(kind.help),
            opened_at=asked.found.task.opened_at,
            ask=asked.ask,
            payee_name=payee.name if payee else "",
            bank=payee.bank if payee else "",
            account_tail=payee.account_tail if payee else "",
            form=form_of(kind, asked.ask),
        )


class TrackedOut(Out):
    """Where the case is, what happens next, by when, and what we need."""

    number: str
    kind: str
    status: CaseStatus
    outcome: str
    stage: str
    headline: Words
    next_step: Words
    promised_at: datetime | None = Field(description="Null while it stands still, and while no day can be told.")
    is_extended: bool = Field(description="The promise takes longer than first promised; a letter says so.")
    is_standing_still: bool
    unpublished_year: int | None = Field(description="No day can be told: the working days of this year are not known.")
    is_late: bool
    waits_for_customer: bool
    awaited: list[AwaitedOut]
    answer_by: datetime | None
    needed: list[NeededOut]
    steps: list[StepOut]
    exposures: list[DecidedOut]
    payments: list[TransferOut]
    objections: list[TrackedObjectionOut]
    may_object: bool = Field(description="Whether `POST /cases/{number}/actions/object` is open to you now.")
    tasks: list[AskedOut] = Field(description="What only you can answer; empty for staff.")
    documents: list[DocumentOut]
    messages: list[MessageOut]
    currency: str
    claimed_amount: AmountOut
    approved_amount: AmountOut
    reported_at: datetime | None

    @classmethod
    def of(cls, tracked: Tracked, asked: Sequence[Asked], *, may_object: bool) -> TrackedOut:
        """The customer's view on the wire."""
        return cls(
            number=tracked.number,
            kind=tracked.kind,
            status=CaseStatus(tracked.status),
            outcome=tracked.outcome,
            stage=tracked.stage.id,
            headline=Words.of(tracked.headline),
            next_step=Words.of(tracked.next_step),
            promised_at=tracked.promised_at,
            is_late=tracked.is_late,
            is_extended=tracked.is_extended,
            is_standing_still=tracked.is_standing_still,
            unpublished_year=tracked.unpublished_year,
            waits_for_customer=tracked.waits_for_customer,
            awaited=[AwaitedOut(label=Words.of(each.label), until=each.until) for each in tracked.awaited],
            answer_by=tracked.answer_by,
            currency=tracked.currency,
            claimed_amount=tracked.claimed_amount,
            approved_amount=tracked.approved_amount,
            reported_at=tracked.reported_at,
            documents=[DocumentOut.of(document) for document in tracked.documents],
            messages=[MessageOut.of(message) for message in tracked.messages],
            may_object=may_object,
            tasks=[AskedOut.of(each) for each in asked],
            **_lists(tracked),
        )


def _lists(tracked: Tracked) -> dict[str, list[Out]]:
    return {
        "needed": [NeededOut(item=n.code, label=Words.of(n.label), received=n.received) for n in tracked.needed],
        "steps": [StepOut(label=Words.of(step.label), state=step.state) for step in tracked.steps],
        "exposures": [
            DecidedOut(
                coverage=Words.of(decided.coverage),
                claimed_amount=decided.claimed_amount,
                payable_amount=decided.payable_amount,
                result=decided.result,
                reasons=[Words.of(reason) for reason in decided.reasons],
            )
            for decided in tracked.exposures
        ],
        "payments": [
            TransferOut(
                amount=payment.amount,
                status=Words.of(payment.status),
                account_tail=payment.account_tail,
                voucher_document_id=payment.voucher_document_id,
                note=Words.of(payment.note) if payment.note else None,
            )
            for payment in tracked.payments
        ],
        "objections": [
            TrackedObjectionOut(
                lodged_at=o.lodged_at,
                grounds=Words.of(o.grounds),
                words=o.words,
                status=Words.of(o.status),
                is_open=o.is_open,
            )
            for o in tracked.objections
        ],
    }
