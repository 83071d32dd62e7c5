"""The tracker: one headline, the next step, the promised date, what we need. No internal codes, plain words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from lian.domain.claims.adjudication import RESULT_LABELS, Result
from lian.services.tracking import ExposureOutcome, Tracked, TrackedPayment
from web.presenters.cases import DocumentView, MessageView, document_view
from web.presenters.clocks import in_a_sentence
from web.reader import Reader

TONES = {"accept": "ok", "partial": "warn", "deny": "bad"}


@dataclass(frozen=True, slots=True)
class Needed:
    """One document we ask for."""

    code: str
    words: str
    received: bool


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of the way: done, now or next."""

    words: str
    state: str
    spoken: str


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What was decided on one coverage."""

    coverage: str
    claimed: str
    payable: str
    result: str
    tone: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One transfer to the customer."""

    amount: str
    status: str
    account: str
    voucher: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackView:
    """The customer's page."""

    number: str
    headline: str
    next_step: str
    promise: str
    waits: tuple[str, ...]
    """What the case waits for outside the house."""
    is_late: bool
    is_open: bool
    can_withdraw: bool
    ask: str
    answer_by: str
    needed: tuple[Needed, ...]
    steps: tuple[StepView, ...]
    approved: str
    outcomes: tuple[OutcomeView, ...]
    may_object: bool
    payments: tuple[PaymentView, ...]
    documents: tuple[DocumentView, ...]
    messages: tuple[MessageView, ...]
    reported: str


def present_track(tracked: Tracked, reader: Reader, now: datetime) -> TrackView:
    """The case as its customer reads it."""
    missing = sum(1 for n in tracked.needed if not n.received)
    denied = any(e.result in {"deny", "partial"} for e in tracked.exposures)
    return TrackView(
        number=tracked.number,
        headline=_headline(tracked, reader),
        next_step=_next_step(tracked, missing, reader),
        promise=_promise(tracked, reader),
        waits=_waits(tracked, reader),
        is_late=tracked.is_late,
        is_open=tracked.status == "open",
        can_withdraw=tracked.may_withdraw,
        ask=reader.count("We need {n} document from you", "We need {n} documents from you", missing) if missing else "",
        answer_by=reader.day(tracked.answer_by) if tracked.answer_by else "",
        needed=tuple(Needed(n.code, reader.label(n.label), n.received) for n in tracked.needed),
        steps=_steps(tracked, reader) if tracked.outcome != "withdrawn" else (),
        approved=reader.money(tracked.approved_amount, tracked.currency) if tracked.approved_amount else "",
        outcomes=tuple(_outcome(e, tracked.currency, reader) for e in tracked.exposures),
        may_object=denied,
        payments=tuple(_payment(p, tracked, reader) for p in tracked.payments),
        documents=tuple(document_view(d, f"/track/{tracked.number}", reader) for d in reversed(tracked.documents)),
        messages=_messages(tracked, reader),
        reported=reader.day(tracked.reported_at) if tracked.reported_at else "",
    )


def _headline(tracked: Tracked, reader: Reader) -> str:
    if tracked.status == "open" and tracked.waits_for_customer and any(not n.received for n in tracked.needed):
        return reader.say("We are waiting for your documents")
    return reader.label(tracked.headline)


def _next_step(tracked: Tracked, missing: int, reader: Reader) -> str:
    if tracked.status == "open" and tracked.waits_for_customer and not missing:
        return reader.say("Everything we asked for is here. We check it and go on.")
    return reader.label(tracked.next_step)


def _promise(tracked: Tracked, reader: Reader) -> str:
    """The date we promised, in words; while we wait for the customer there is none."""
    if tracked.status != "open":
        return ""
    if tracked.waits_for_customer:
        return reader.say("Our promise to you stands still until your documents are here, and then runs on.")
    if tracked.is_standing_still:
        return reader.say("Our promise to you stands still meanwhile, and then runs on.")
    if tracked.promised_at is None:
        return _not_known(tracked.unpublished_year, reader)
    by_hour = tracked.is_promised_by_the_hour
    day = reader.full_moment(tracked.promised_at) if by_hour else reader.day(tracked.promised_at)
    if tracked.is_late:
        return reader.say("We promised you a result by {day}. We are late, and we are sorry.", day=day)
    if tracked.is_extended:
        return reader.say("You have our result by {day}. We wrote to you that it takes longer.", day=day)
    return reader.say("You have our result by {day}.", day=day)


def _not_known(year: int | None, reader: Reader) -> str:
    if year is None:
        return ""
    return reader.say(
        "We cannot name the day of our result yet: the working days of {year} are not published. We will.", year=year
    )


def _waits(tracked: Tracked, reader: Reader) -> tuple[str, ...]:
    return tuple(
        reader.say(
            "We wait for {what}, until {day} at the latest.",
            what=in_a_sentence(each.label, reader),
            day=reader.day(each.until),
        )
        for each in tracked.awaited
    )


def _steps(tracked: Tracked, reader: Reader) -> tuple[StepView, ...]:
    spoken = {"done": reader.say("done"), "now": reader.say("now"), "next": reader.say("still to come")}
    return tuple(StepView(reader.label(s.label), s.state, spoken[s.state]) for s in tracked.steps)


def _outcome(outcome: ExposureOutcome, currency: str, reader: Reader) -> OutcomeView:
    known = outcome.result in set(Result)
    return OutcomeView(
        coverage=reader.label(outcome.coverage),
        claimed=reader.money(Decimal(outcome.claimed_amount), currency),
        payable=reader.money(Decimal(outcome.payable_amount), currency),
        result=reader.label(RESULT_LABELS[Result(outcome.result)]) if known else "",
        tone=TONES.get(outcome.result, "none"),
        reasons=tuple(reader.label(r) for r in outcome.reasons),
    )


def _payment(payment: TrackedPayment, tracked: Tracked, reader: Reader) -> PaymentView:
    voucher = payment.voucher_document_id
    return PaymentView(
        amount=reader.money(payment.amount, tracked.currency),
        status=reader.label(payment.status),
        account=payment.account_tail,
        voucher=f"/track/{quote(tracked.number)}/documents/{voucher}?download=1" if voucher else "",
        note=reader.label(payment.note) if payment.note else "",
    )


def _messages(tracked: Tracked, reader: Reader) -> tuple[MessageView, ...]:
    """The conversation; what the customer first told us begins it."""
    when = reader.moment(tracked.reported_at) if tracked.reported_at else ""
    told = (MessageView(reader.say("You"), when, tracked.story, ours=False),) if tracked.story else ()
    return told + tuple(
        MessageView(
            reader.say("You") if m.direction == "in" else reader.say("Our team"),
            reader.moment(m.written_at),
            m.body,
            m.direction == "out",
        )
        for m in tracked.messages
    )
