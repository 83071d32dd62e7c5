"""Letters of a case: made from its rows, stored, listed and announced, each once (CLM-5, CLM-10, CLM-11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.db.journal import lock_chain
from lian.db.tables import (
    Case,
    Clock,
    Decision,
    Document,
    DocumentRequest,
    Exposure,
    Panel,
    PanelVote,
    Party,
    Payee,
    Payment,
)
from lian.domain import journal as j
from lian.domain.calendars import CalendarNotCovered, WorkingCalendar
from lian.domain.claims.adjudication import REASONS
from lian.domain.claims.checklist import DOCUMENT_LABELS
from lian.domain.claims.definition import CLAIM
from lian.domain.claims.tasks import HAND_REASONS, RESULTS
from lian.domain.explain_words import amount
from lian.domain.labels import Label, Language
from lian.domain.panel import WHY_LABELS, PanelResult, Rule, Vote
from lian.domain.parties import PartyRole
from lian.domain.sla import ClockLedger, ClockPolicy, Unit, due_at, due_on
from lian.domain.status import ClockStatus
from lian.notify.letters import (
    DenialFacts,
    DenialReason,
    DeniedExposure,
    DocumentRequestFacts,
    ExtensionFacts,
    MinutedVote,
    MissingDocument,
    PanelMinutesFacts,
    VoucherFacts,
    render_denial,
    render_document_request,
    render_extension,
    render_minutes,
    render_voucher,
)
from lian.services.context import Context
from lian.services.documents import letter_received, store_letter
from lian.services.explaining import ledger_of, policy_of
from lian.services.names import names_of_staff
from lian.services.opening import PLAN
from lian.services.recording import put_on_record

Facts = DenialFacts | DocumentRequestFacts | ExtensionFacts | PanelMinutesFacts

LANGUAGE: Language = "zh-CN"
"""Letters are written in the insurer's language of business."""
LETTERS = {
    "document_request": Label("Request for documents", "补充材料通知书"),
    "denial": Label("Denial notice", "拒赔通知书"),
    "voucher": Label("Payment voucher", "赔款支付凭证"),
    "panel_minutes": Label("Minutes of the panel", "集体讨论记录"),
    "extension": Label("Notice of a longer time", "延长处理期限通知书"),
}
INTERNAL = frozenset({"panel_minutes"})
"""Letters to ourselves: never shown to customers or people outside."""
SYSTEM = "system"
ADDRESSED = (PartyRole.CLAIMANT, PartyRole.COMPLAINANT, PartyRole.REPORTER)
"""Whom a letter is addressed to: the first of these roles that anybody has."""


@dataclass(frozen=True, slots=True)
class Issued:
    """When a letter was handed to its channel, and the clocks that stand still since then."""

    at: datetime
    paused: list[str]


async def issue_letter(
    context: Context, case_id: UUID, *, letter: str, subject_id: UUID, pauses: Sequence[str] = (), about: str = ""
) -> Issued:
    """Make, store and list a letter; a repeat finds the first one. `about` names the promise it tells of.

    A request's delivery and the pauses it causes are one transaction: no clock stands still for a notice that nobody
    can have received (idea 3).
    """
    document_id = uuid5(subject_id, letter)
    async with context.transaction() as session:
        done = await _issued_before(session, case_id, document_id, subject_id)
        if done:
            return done
        case = await session.get_one(Case, case_id)
        facts = await _facts(context, session, case, letter, subject_id, about)
    pdf = await anyio.to_thread.run_sync(_render, facts)
    stored = await store_letter(context, case, pdf)
    async with context.transaction() as session:
        await lock_chain(session, case_id)
        done = await _issued_before(session, case_id, document_id, subject_id)
        if done:
            return done
        now = context.now()
        if letter == "document_request":
            request = await session.get_one(DocumentRequest, subject_id, populate_existing=True)
            if request.status != "open":  # the case was withdrawn meanwhile: nobody is to send anything
                return Issued(now, [])
        paused = [c.clock for c in await _clocks(session, case_id) if c.clock in pauses and _may_pause(c, now)]
        events: list[j.Event] = [
            letter_received(
                document_id, letter, pdf, stored, f"{case.number}-{letter}.pdf", is_internal=letter in INTERNAL
            ),
            j.LetterIssued(document_id=document_id, letter=letter),
        ]
        if letter == "document_request":
            events.append(j.RequestDelivered(request_id=subject_id, delivered_at=now, channel="notice"))
            events += [j.ClockPaused(clock=name, request_id=subject_id, paused_at=now) for name in paused]
        recorded = [j.Recorded(at=now, actor=SYSTEM, event=e) for e in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)
    return Issued(now, paused)


async def _clocks(session: AsyncSession, case_id: UUID) -> Sequence[Clock]:
    query = select(Clock).where(Clock.case_id == case_id).order_by(col(Clock.clock))
    return list((await session.execute(query)).scalars())


def _may_pause(clock: Clock, now: datetime) -> bool:
    """A promise that is done, broken or due can no longer be paused."""
    return clock.status == ClockStatus.RUNNING and (clock.due_at is None or now < clock.due_at)


async def _issued_before(session: AsyncSession, case_id: UUID, document_id: UUID, subject_id: UUID) -> Issued | None:
    done = await session.get(Document, document_id)
    if done is None:
        return None
    waiting = [
        clock.clock
        for clock in await _clocks(session, case_id)
        if any(p["request_id"] == str(subject_id) for p in clock.pauses)
    ]
    return Issued(done.received_at, waiting)


def _render(facts: Facts) -> bytes:
    match facts:
        case DenialFacts():
            return render_denial(facts, language=LANGUAGE)
        case PanelMinutesFacts():
            return render_minutes(facts, language=LANGUAGE)
        case ExtensionFacts():
            return render_extension(facts, language=LANGUAGE)
    return render_document_request(facts, language=LANGUAGE)


async def _facts(
    context: Context, session: AsyncSession, case: Case, letter: str, subject_id: UUID, about: str
) -> Facts:
    if letter == "denial":
        return await _denial(context, session, case, subject_id)
    if letter == "panel_minutes":
        return await _minutes(context, session, case, subject_id)
    if letter == "extension":
        return await _extension(context, session, case, about)
    return await _request(context, session, case, subject_id)


async def _addressee(session: AsyncSession, case: Case) -> str:
    """Whose case it is; of a kind without claimants, whoever reported it."""
    query = select(Party).where(Party.case_id == case.id, col(Party.role).in_(ADDRESSED)).order_by(col(Party.id))
    people = (await session.execute(query)).scalars().all()
    first = min(people, key=lambda party: ADDRESSED.index(PartyRole(party.role)), default=None)
    return first.name if first and first.name else case.number


async def _denial(context: Context, session: AsyncSession, case: Case, decision_id: UUID) -> DenialFacts:
    decision = await session.get_one(Decision, decision_id)
    query = select(Exposure).where(Exposure.case_id == case.id).order_by(col(Exposure.coverage_code))
    exposures = (await session.execute(query)).scalars().all()
    return DenialFacts(
        insurer_name=context.settings.insurer_name,
        case_number=case.number,
        policy_number=case.policy_number,
        addressee=await _addressee(session, case),
        decided_on=decision.decided_at.astimezone(context.settings.zone).date(),
        exposures=[
            DeniedExposure(
                coverage=coverage_label(case, e.coverage_code),
                reasons=[_reason(finding) for finding in e.findings if finding["severity"] == "denies"],
            )
            for e in exposures
        ],
    )


def _reason(finding: dict[str, str]) -> DenialReason:
    code = finding["code"]
    return DenialReason(words=reason_label(code), clause=finding["clause"])


def reason_label(code: str) -> Label:
    """The words of a finding's code."""
    return REASONS.get(code) or HAND_REASONS.get(code) or Label(code, code)


def coverage_label(case: Case, code: str) -> Label:
    """A coverage's name, from the terms taken at the report."""
    for coverage in (case.snapshot or {}).get("coverages", []):
        if coverage["code"] == code:
            return Label(coverage["label"]["en"], coverage["label"]["zh"])
    return Label(code, code)


async def _request(context: Context, session: AsyncSession, case: Case, request_id: UUID) -> DocumentRequestFacts:
    request = await session.get_one(DocumentRequest, request_id)
    return DocumentRequestFacts(
        insurer_name=context.settings.insurer_name,
        case_number=case.number,
        policy_number=case.policy_number,
        addressee=await _addressee(session, case),
        requested_on=request.opened_at.astimezone(context.settings.zone).date(),
        missing=[MissingDocument(name=DOCUMENT_LABELS[code]) for code in request.items],
        respond_by=request.answer_by.astimezone(context.settings.zone).date(),
        upload_address=context.settings.public_url,
    )


async def _extension(context: Context, session: AsyncSession, case: Case, name: str) -> ExtensionFacts:
    """A promise that may take longer, as it stands just before it does."""
    clock = await session.get_one(Clock, (case.id, name))
    policy, ledger = policy_of(clock), ledger_of(clock)
    calendar, allowed = PLAN.validate_python(case.plan).calendar_of(policy), policy.extensions[0]
    longer = replace(ledger, extended=ledger.extended + allowed.amount)
    zone = context.settings.zone
    return ExtensionFacts(
        insurer_name=context.settings.insurer_name,
        case_number=case.number,
        policy_number=case.policy_number,
        addressee=await _addressee(session, case),
        written_on=context.now().astimezone(zone).date(),
        promise=policy.label,
        more=amount(allowed.amount, policy.unit),
        due=_due(policy, calendar, ledger, zone),
        new_due=_due(policy, calendar, longer, zone),
        rule=allowed.source,
        is_claim=case.kind == CLAIM.id,
        address=context.settings.public_url,
    )


def _due(policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, zone: ZoneInfo) -> date | None:
    """The last day, or of a promise in hours the moment; None while it stands still or its year is not published."""
    try:
        if policy.unit is not Unit.HOURS:
            return due_on(policy=policy, calendar=calendar, ledger=ledger)
        due = due_at(policy=policy, calendar=calendar, ledger=ledger)
    except CalendarNotCovered:
        return None
    return due and due.astimezone(zone)


async def _minutes(context: Context, session: AsyncSession, case: Case, panel_id: UUID) -> PanelMinutesFacts:
    panel = await session.get_one(Panel, panel_id)
    decision = await session.get_one(Decision, panel.decision_id)
    query = (
        select(PanelVote).where(PanelVote.panel_id == panel_id).order_by(col(PanelVote.voted_at), col(PanelVote.voter))
    )
    votes = (await session.execute(query)).scalars().all()
    names = await names_of_staff(session, {panel.decided_by, *(vote.voter for vote in votes)})
    zone = context.settings.zone
    return PanelMinutesFacts(
        insurer_name=context.settings.insurer_name,
        case_number=case.number,
        policy_number=case.policy_number,
        proposal=RESULTS.get(decision.result, Label(decision.result, decision.result)),
        amount=Decimal(decision.approved_amount),
        currency=case.currency,
        proposed_by=names.get(panel.decided_by, panel.decided_by),
        why=WHY_LABELS.get(panel.why, Label(panel.why, panel.why)),
        seats=panel.seats,
        quorum=panel.quorum,
        rule=Rule(panel.rule),
        votes=[
            MinutedVote(
                name=names.get(vote.voter, vote.voter),
                vote=Vote(vote.vote),
                reason=vote.reason,
                at=vote.voted_at.astimezone(zone),
            )
            for vote in votes
        ],
        result=PanelResult(panel.result),
        convened_at=panel.convened_at.astimezone(zone),
        concluded_at=(panel.concluded_at or context.now()).astimezone(zone),
    )


async def voucher_pdf(context: Context, session: AsyncSession, payment: Payment, reference: str) -> bytes:
    """The voucher of a transfer the bank has confirmed (CLM-10)."""
    case = await session.get_one(Case, payment.case_id)
    payee = await session.get_one(Payee, payment.payee_id)
    facts = VoucherFacts(
        insurer_name=context.settings.insurer_name,
        case_number=case.number,
        policy_number=case.policy_number,
        payee_name=payee.name,
        payee_account=payee.account_tail,
        amount=Decimal(payment.amount),
        currency=payment.currency,
        bank_reference=reference,
        paid_on=context.now().astimezone(context.settings.zone).date(),
        verification_hash=context.ring.fingerprint(f"{payment.id}:{payment.amount}:{reference}")[:32],
    )
    return await anyio.to_thread.run_sync(lambda: render_voucher(facts, language=LANGUAGE))
