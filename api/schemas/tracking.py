"""What a customer sees of their case."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.cases import MessageOut
from api.schemas.documents import DocumentOut
from api.wire import AmountOut, Out, Words
from lian.domain.status import CaseStatus
from lian.services.tracking import Tracked


class NeededOut(Out):
    """A document we ask for."""

    item: str
    label: Words
    received: bool


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


class TrackedOut(Out):
    """Where the case is, what happens next, by when, and what we need."""

    number: str
    status: CaseStatus
    outcome: str
    stage: str
    headline: Words
    next_step: Words
    promised_at: datetime | None = Field(description="Null while we wait for documents.")
    is_late: bool
    waits_for_customer: bool
    answer_by: datetime | None
    needed: list[NeededOut]
    steps: list[StepOut]
    exposures: list[DecidedOut]
    payments: list[TransferOut]
    documents: list[DocumentOut]
    messages: list[MessageOut]
    currency: str
    claimed_amount: AmountOut
    approved_amount: AmountOut
    reported_at: datetime | None

    @classmethod
    def of(cls, tracked: Tracked) -> TrackedOut:
        """The customer's view on the wire."""
        return cls(
            number=tracked.number,
            status=CaseStatus(tracked.status),
            outcome=tracked.outcome,
            stage=tracked.stage.id,
            headline=Words.of(tracked.stage.headline),
            next_step=Words.of(tracked.stage.next_step),
            promised_at=tracked.promised_at,
            is_late=tracked.is_late,
            waits_for_customer=tracked.waits_for_customer,
            answer_by=tracked.answer_by,
            currency=tracked.currency,
            claimed_amount=tracked.claimed_amount,
            approved_amount=tracked.approved_amount,
            reported_at=tracked.reported_at,
            documents=[DocumentOut.of(document) for document in tracked.documents],
            messages=[MessageOut.of(message) for message in tracked.messages],
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
            )
            for payment in tracked.payments
        ],
    }
