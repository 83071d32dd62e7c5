"""What a customer sees of their case: where it is, what happens next, by when, what we need (tracker)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4, uuid5

from lian.auth.actor import Actor
from lian.db.journal import lock_chain
from lian.db.tables import Clock, Document, Message
from lian.domain import journal as j
from lian.domain.case_kind import Stage
from lian.domain.case_kinds import kind_of
from lian.domain.claims.actions import GROUNDS
from lian.domain.claims.checklist import DOCUMENT_LABELS
from lian.domain.errors import Conflict, Invalid
from lian.domain.labels import Label
from lian.domain.messages import CommandResult, Withdraw
from lian.domain.plan import policy_id
from lian.domain.status import ClockStatus, PaymentStatus, label_of
from lian.services.cases import CaseFile, case_file, earlier_result, find_case, is_decided
from lian.services.context import Context
from lian.services.desk.tasks import refuse_barred
from lian.services.letters import coverage_label, reason_label
from lian.services.reading_clocks import document_request_of, life_of, unpublished_year, wait_label, waits_of
from lian.services.recording import put_on_record

LONGEST_MESSAGE = 4000


@dataclass(frozen=True, slots=True)
class NeededDocument:
    """A document we ask for; `received` once it is here."""

    code: str
    label: Label
    received: bool


@dataclass(frozen=True, slots=True)
class Awaited:
    """What the case waits for outside the house, until when at the latest."""

    label: Label
    until: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way: done, now or next."""

    label: Label
    state: str


@dataclass(frozen=True, slots=True)
class ExposureOutcome:
    """What was decided on one coverage, in words."""

    coverage: Label
    claimed_amount: Decimal
    payable_amount: Decimal
    result: str
    reasons: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class TrackedPayment:
    """A transfer to the customer, with its voucher once paid."""

    amount: Decimal
    status: Label
    account_tail: str
    voucher_document_id: UUID | None
    note: Label | None = None
    """Why it did not arrive, and what happens next."""


@dataclass(frozen=True, slots=True)
class TrackedObjection:
    """What the customer objected to, in words, and what came of it. `words` are their own."""

    lodged_at: datetime
    grounds: Label
    words: str
    status: Label
    is_open: bool


NOT_ARRIVED = {
    "rejected": Label(
        "The bank could not carry it out. Please check your bank details; we ask you for them again.",
        "银行未能完成付款，我们将请您重新核对收款账户。",
    ),
    "returned": Label(
        "The bank of this account sent the money back to us. Please check your bank details; we ask you for them "
        "again and pay once more.",
        "收款银行已将款项退回我公司，我们将请您重新核对收款账户后再次支付。",
    ),
    "reversed": Label("This payment was made in error. We are putting it right.", "该笔付款有误，我们正在更正。"),
}
"""What customers read of a transfer that did not arrive."""
CORRECTED = Label("Being corrected", "更正中")
OBJECTION_STATUS = {
    "open": Label("Somebody who took no part in the decision is looking at it.", "未参与原决定的人员正在复核。"),
    "upheld": Label("We looked again: the decision stands.", "复核结果：维持原决定。"),
    "changed": Label("We looked again: the decision is made anew.", "复核结果：撤销原决定，重新审核。"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """Everything the tracker shows: no internal codes, no findings on risk, nobody else's data."""

    number: str
    kind: str
    status: str
    outcome: str
    stage: Stage
    headline: Label
    next_step: Label
    story: str
    """What the customer told us, where the kind's form asked for words."""
    may_withdraw: bool
    promised_at: datetime | None
    is_promised_by_the_hour: bool
    is_late: bool
    is_extended: bool
    """The promise takes longer than first promised; the customer was told before it fell due."""
    is_standing_still: bool
    """The promise stands still, so that no day can be told."""
    unpublished_year: int | None
    """No day can be told because the calendar of this year is not published yet."""
    waits_for_customer: bool
    awaited: tuple[Awaited, ...]
    answer_by: datetime | None
    needed: tuple[NeededDocument, ...]
    steps: tuple[Step, ...]
    exposures: tuple[ExposureOutcome, ...]
    payments: tuple[TrackedPayment, ...]
    objections: tuple[TrackedObjection, ...]
    documents: tuple[Document, ...]
    messages: tuple[Message, ...]
    currency: str
    claimed_amount: Decimal
    approved_amount: Decimal
    reported_at: datetime | None


async def track(context: Context, actor: Actor, number: str) -> Tracked:
    """The customer's view of a case, with their own part of it; staff who may see the case see everybody's."""
    file = await case_file(context, actor, number)
    return _tracked(file, context.now())


def _tracked(file: CaseFile, now: datetime) -> Tracked:
    case, kind = file.case, kind_of(file.case.kind)
    stage, ending = kind.stage(case.stage), kind.endings.get(case.outcome)
    request, promise = document_request_of(file.requests), _promise(file, kind.promise)
    promised_at = promise.due_at if promise else (case.promised_at if case.generation == 1 else None)
    return Tracked(
        number=case.number,
        kind=kind.id,
        status=case.status,
        outcome=case.outcome,
        stage=stage,
        headline=ending.headline if ending else stage.headline,
        next_step=ending.next_step if ending else stage.next_step,
        story=case.course if kind.intake else "",
        may_withdraw=case.status == "open" and stage.id not in kind.binding,
        promised_at=promised_at if not request else None,
        is_promised_by_the_hour=kind.is_promised_by_the_hour,
        is_late=bool(promised_at and not case.closed_at and promised_at < now and not request),
        is_extended=bool(promise and promise.extended),
        is_standing_still=bool(promise and promise.status == ClockStatus.PAUSED),
        unpublished_year=unpublished_year(case, promise) if promise else None,
        waits_for_customer=request is not None,
        awaited=tuple(Awaited(wait_label(wait.reason), wait.answer_by) for wait in waits_of(file.requests)),
        answer_by=request.answer_by if request else None,
        needed=tuple(
            NeededDocument(code, DOCUMENT_LABELS[code], bool(answer)) for code, answer in request.items.items()
        )
        if request
        else (),
        steps=_steps(file),
        exposures=_exposures(file),
        payments=_payments(file),
        objections=_objections(file),
        documents=tuple(d for d in file.documents if d.source in {"customer", "letter"}),
        messages=tuple(file.messages),
        currency=case.currency,
        claimed_amount=case.claimed_amount,
        approved_amount=case.approved_amount,
        reported_at=case.received_at,
    )


def _promise(file: CaseFile, name: str) -> Clock | None:
    """The promise of the case's present life, its newest round; a reopened case's old promise is no longer one."""
    promises = [c for c in file.clocks if policy_id(c.clock) == name and life_of(c) == file.case.generation]
    return max(promises, key=lambda c: c.started_at, default=None)


def _steps(file: CaseFile) -> tuple[Step, ...]:
    """The way so far and still to go; side ways the case did not take are left out, and what a side way stands for."""
    kind, here = kind_of(file.case.kind), file.case.stage
    ending = kind.endings.get(file.case.outcome)
    seen = {here, ending.stage if ending else "", *(t.stage for t in file.tasks)}
    taken = kind.detours.keys() & seen
    left_out = (kind.detours.keys() - taken) | {stage for detour in taken for stage in kind.detours[detour]}
    stages = [s for s in kind.stages if s.id not in left_out]
    at = next((i for i, s in enumerate(stages) if s.id == here), 0)
    closed = file.case.status == "closed"
    return tuple(
        Step(s.label, "done" if i < at or closed else "now" if i == at else "next") for i, s in enumerate(stages)
    )


def _exposures(file: CaseFile) -> tuple[ExposureOutcome, ...]:
    """Decisions are shown once they are final, with their reasons (CLM-11); a reopened case's newest one counts."""
    if not is_decided(file):
        return ()
    return tuple(
        ExposureOutcome(
            coverage_label(file.case, e.coverage_code),
            e.claimed_amount,
            e.payable_amount,
            e.result,
            tuple(reason_label(f["code"]) for f in e.findings if f["severity"] in {"denies", "reduces"}),
        )
        for e in file.exposures
    )


def _payments(file: CaseFile) -> tuple[TrackedPayment, ...]:
    tails = {p.id: p.account_tail for p in file.payees}
    return tuple(
        TrackedPayment(
            p.amount,
            label_of(PaymentStatus(p.status)) if p.status != "reversed" else CORRECTED,
            tails.get(p.payee_id, ""),
            p.voucher_document_id,
            NOT_ARRIVED.get(p.status),
        )
        for p in file.payments
    )


def _objections(file: CaseFile) -> tuple[TrackedObjection, ...]:
    """What staff wrote down when they recorded one stays with us."""
    return tuple(
        TrackedObjection(
            o.lodged_at,
            GROUNDS.get(o.grounds, GROUNDS["other"]),
            o.words if o.lodged_by.startswith("customer:") else "",
            OBJECTION_STATUS.get(o.status, OBJECTION_STATUS["open"]),
            o.status == "open",
        )
        for o in file.objections
    )


async def write_message(context: Context, actor: Actor, number: str, body: str, *, key: str = "") -> Message:
    """Write to the customer, or to us; a `key` makes repeats return the first message.

    Raises `Invalid` for an empty or endless message.
    """
    if not actor.is_customer:
        actor.require("message:write")
    if not 1 <= len(body.strip()) <= LONGEST_MESSAGE:
        raise Invalid(f"A message has 1 to {LONGEST_MESSAGE} characters.", field="body")
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        message_id = uuid5(case.id, f"message:{actor.id}:{key}") if key else uuid4()
        await lock_chain(session, case.id)
        earlier = await session.get(Message, message_id)
        if earlier is not None:
            return earlier
        direction = "in" if actor.is_customer else "out"
        event = j.MessageWritten(message_id=message_id, direction=direction, body=body.strip())
        item = j.Recorded(at=context.now(), actor=actor.id, event=event)
        await put_on_record(context, session, case_id=case.id, recorded=[item])
        return await session.get_one(Message, event.message_id)


async def withdraw(context: Context, actor: Actor, number: str, *, reason: str, command_id: str) -> CommandResult:
    """Withdraw an open case (CLM-15): the customer themselves, or staff who record their word.

    A repeat returns the first result.
    """
    if not actor.is_customer:
        actor.require("case:withdraw")
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        earlier = await earlier_result(session, case.id, command_id)
        if earlier is not None:
            return earlier
        await refuse_barred(session, actor, case)
        if case.status != "open":
            raise Conflict("Only an open case can be withdrawn.")
    command = Withdraw(command_id=command_id, actor=actor.id, reason=reason)
    return await context.process.withdraw(case.id, command)
