"""How each event changes the rows that pages and queues read.

One function per event type, pure but for the rows it is given: the same functions run inside the journal's transaction
and, over rows in memory, when a rebuild is compared with what is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from lian.db.projecting import Context, Rows, findings_json, on, project
from lian.db.tables import (
    Case,
    CaseLink,
    CaseTag,
    Clock,
    Correction,
    Decision,
    Document,
    DocumentRequest,
    Exposure,
    Investigation,
    LedgerLine,
    Message,
    Objection,
    Panel,
    PanelVote,
    Party,
    Payee,
    Payment,
    RecoveryClaim,
    RecoveryReceipt,
    Referral,
    ReserveLine,
    Task,
)
from lian.db.task_projectors import reorder_tasks
from lian.domain import journal as j
from lian.domain import ledger
from lian.domain.claims.terms import PolicySnapshot
from lian.domain.parties import PartyRole
from lian.domain.sla import Escalation
from lian.domain.status import CaseStatus, ClockStatus, PaymentStatus, TaskStatus, move_to

__all__ = ["Context", "Rows", "project"]

SNAPSHOT = TypeAdapter(PolicySnapshot)


# --- the case ---------------------------------------------------------------------------------------------------------


@on(j.CaseDrafted)
async def case_drafted(rows: Rows, c: Context, e: j.CaseDrafted) -> None:
    rows.add(
        Case(
            id=c.case_id,
            number=e.number,
            kind=e.kind,
            status=CaseStatus.DRAFT,
            channel=e.channel,
            subject_person_id=e.subject_person_id,
            opened_by=e.opened_by,
            opened_at=c.at,
        )
    )


@on(j.DraftSaved)
async def draft_saved(rows: Rows, c: Context, e: j.DraftSaved) -> None:
    case = await rows.get(Case, c.case_id)
    case.policy_number, case.draft = e.policy_number, e.draft


@on(j.ClaimReported)
async def claim_reported(rows: Rows, c: Context, e: j.ClaimReported) -> None:
    case = await rows.get(Case, c.case_id)
    case.policy_number, case.line, case.loss_cause = e.policy_number, e.line, e.loss_cause
    case.loss_at, case.reported_at, case.injured = e.loss_at, e.reported_at, e.injured
    case.claimed_amount, case.currency = e.claimed_amount, e.currency
    case.place, case.course, case.draft = e.place, e.course, ""
    case.details = dict(e.details)


@on(j.CaseReported)
async def case_reported(rows: Rows, c: Context, e: j.CaseReported) -> None:
    case = await rows.get(Case, c.case_id)
    case.policy_number, case.details, case.course = e.policy_number, dict(e.facts), e.text


@on(j.SnapshotTaken)
async def snapshot_taken(rows: Rows, c: Context, e: j.SnapshotTaken) -> None:
    (await rows.get(Case, c.case_id)).snapshot = SNAPSHOT.dump_python(e.snapshot, mode="json")


@on(j.CaseSubmitted)
async def case_submitted(rows: Rows, c: Context, e: j.CaseSubmitted) -> None:
    case = await rows.get(Case, c.case_id)
    case.status = move_to(CaseStatus(case.status), CaseStatus.OPEN)
    case.received_at, case.plan = e.received_at, e.plan
    case.promised_at = e.promised_at
    case.maturity = "reported"


@on(j.CaseTriaged)
async def case_triaged(rows: Rows, c: Context, e: j.CaseTriaged) -> None:
    case = await rows.get(Case, c.case_id)
    case.complexity, case.severity = e.complexity, e.severity
    case.triage_findings = findings_json(e.findings)
    await reorder_tasks(rows, c.case_id)


@on(j.StageEntered)
async def stage_entered(rows: Rows, c: Context, e: j.StageEntered) -> None:
    (await rows.get(Case, c.case_id)).stage = e.stage


@on(j.CaseClosed)
async def case_closed(rows: Rows, c: Context, e: j.CaseClosed) -> None:
    case = await rows.get(Case, c.case_id)
    case.status = move_to(CaseStatus(case.status), CaseStatus.CLOSED)
    case.outcome, case.closed_at, case.stage = e.outcome, c.at, "closed"


@on(j.CaseReopened)
async def case_reopened(rows: Rows, c: Context, e: j.CaseReopened) -> None:
    case = await rows.get(Case, c.case_id)
    case.status = move_to(CaseStatus(case.status), CaseStatus.OPEN)
    case.stage, case.generation, case.outcome, case.closed_at = e.stage, e.generation, "", None
    case.reopened_at = c.at


@on(j.CaseMatured)
async def case_matured(rows: Rows, c: Context, e: j.CaseMatured) -> None:
    (await rows.get(Case, c.case_id)).maturity = e.maturity


@on(j.CaseLinked)
async def case_linked(rows: Rows, c: Context, e: j.CaseLinked) -> None:
    # A person and the process may say the same; the first word stays.
    known = {(link.other_case_id, link.relation) for link in await rows.of_case(CaseLink, c.case_id)}
    if (e.other_case_id, e.relation) in known:
        return
    rows.add(
        CaseLink(
            case_id=c.case_id,
            other_case_id=e.other_case_id,
            relation=e.relation,
            other_number=e.other_number,
            reasons=list(e.reasons),
            linked_at=c.at,
            linked_by=c.actor,
        )
    )


@on(j.CaseTagged)
async def case_tagged(rows: Rows, c: Context, e: j.CaseTagged) -> None:
    if (e.tag, e.code) in {(known.tag, known.code) for known in await rows.of_case(CaseTag, c.case_id)}:
        return
    rows.add(CaseTag(case_id=c.case_id, tag=e.tag, code=e.code, tagged_at=c.at, tagged_by=c.actor))


@on(j.CaseUntagged)
async def case_untagged(rows: Rows, c: Context, e: j.CaseUntagged) -> None:
    await rows.remove(CaseTag, (c.case_id, e.tag, e.code))


# --- corrections ------------------------------------------------------------------------------------------------------


PARTY_DETAILS = frozenset({"name", "phone", "email"})


@on(j.CaseCorrected)
async def case_corrected(rows: Rows, _: Context, e: j.CaseCorrected) -> None:
    if e.party_id is not None and e.name in PARTY_DETAILS:
        setattr(await rows.get(Party, e.party_id), e.name, e.after)


@on(j.CorrectionProposed)
async def correction_proposed(rows: Rows, c: Context, e: j.CorrectionProposed) -> None:
    rows.add(
        Correction(
            id=e.correction_id,
            case_id=c.case_id,
            name=e.name,
            exposure_id=e.exposure_id,
            before=e.before,
            after=e.after,
            reason=e.reason,
            proposed_at=c.at,
            proposed_by=c.actor,
        )
    )


@on(j.CorrectionDecided)
async def correction_decided(rows: Rows, _: Context, e: j.CorrectionDecided) -> None:
    correction = await rows.get(Correction, e.correction_id)
    correction.status, correction.decided_by = "agreed" if e.agreed else "refused", e.decided_by


CASE_FIGURES: dict[str, Callable[[str], Any]] = {
    "loss_at": datetime.fromisoformat,
    "received_at": datetime.fromisoformat,
    "loss_cause": str,
    "injured": int,
    "policy_number": str,
}
"""Figures of the case itself, and how each is read from a correction's text."""


@on(j.CorrectionApplied)
async def correction_applied(rows: Rows, c: Context, e: j.CorrectionApplied) -> None:
    correction, case = await rows.get(Correction, e.correction_id), await rows.get(Case, c.case_id)
    correction.status, correction.applied_at = "applied", c.at
    if e.exposure_id:
        exposure = await rows.get(Exposure, e.exposure_id)
        before, after = getattr(exposure, e.name) or Decimal(0), Decimal(e.after)
        setattr(exposure, e.name, after)
        if e.name == "claimed_amount":
            case.claimed_amount += after - before
            await reorder_tasks(rows, c.case_id)
        return
    setattr(case, e.name, CASE_FIGURES[e.name](e.after))
    if e.snapshot:
        case.snapshot = SNAPSHOT.dump_python(e.snapshot, mode="json")


# --- investigation, risk, panel ---------------------------------------------------------------------------------------


@on(j.InvestigationReported)
async def investigation_reported(rows: Rows, c: Context, e: j.InvestigationReported) -> None:
    rows.add(
        Investigation(
            task_id=e.task_id,
            case_id=c.case_id,
            action=e.action,
            finding=e.finding,
            reported_at=c.at,
            reported_by=c.actor,
        )
    )


@on(j.RiskScored)
async def risk_scored(rows: Rows, c: Context, e: j.RiskScored) -> None:
    case = await rows.get(Case, c.case_id)
    case.risk_score, case.risk_level = e.likelihood * e.impact, e.level
    case.risk_findings = findings_json(e.findings)


@on(j.RiskReferred)
async def risk_referred(rows: Rows, c: Context, e: j.RiskReferred) -> None:
    rows.add(Referral(id=e.referral_id, case_id=c.case_id, why=e.why, referred_at=c.at, referred_by=c.actor))


@on(j.RiskConcluded)
async def risk_concluded(rows: Rows, c: Context, e: j.RiskConcluded) -> None:
    referral = await rows.get(Referral, e.referral_id)
    referral.status, referral.outcome = "concluded", e.outcome
    referral.concluded_at, referral.concluded_by = c.at, c.actor


@on(j.PanelConvened)
async def panel_convened(rows: Rows, c: Context, e: j.PanelConvened) -> None:
    rows.add(
        Panel(
            id=e.panel_id,
            case_id=c.case_id,
            decision_id=e.decision_id,
            decided_by=e.decided_by,
            seats=e.seats,
            quorum=e.quorum,
            rule=e.rule,
            why=e.why,
            convened_at=c.at,
        )
    )


@on(j.PanelVoted)
async def panel_voted(rows: Rows, c: Context, e: j.PanelVoted) -> None:
    panel = await rows.get(Panel, e.panel_id)
    rows.add(
        PanelVote(
            panel_id=e.panel_id,
            voter=e.voter,
            case_id=c.case_id,
            decided_by=panel.decided_by,
            vote=e.vote,
            reason=e.reason,
            voted_at=c.at,
        )
    )


@on(j.PanelConcluded)
async def panel_concluded(rows: Rows, c: Context, e: j.PanelConcluded) -> None:
    panel = await rows.get(Panel, e.panel_id)
    panel.result, panel.concluded_at = e.result, c.at


@on(j.AuthorityOverridden)
async def authority_overridden(rows: Rows, _: Context, e: j.AuthorityOverridden) -> None:
    (await rows.get(Decision, e.decision_id)).overridden_why = e.why


@on(j.ObjectionLodged)
async def objection_lodged(rows: Rows, c: Context, e: j.ObjectionLodged) -> None:
    decision = await rows.get(Decision, e.decision_id)
    rows.add(
        Objection(
            id=e.objection_id,
            case_id=c.case_id,
            decision_id=e.decision_id,
            decision_by=decision.decided_by,
            grounds=e.grounds,
            words=e.words,
            lodged_at=c.at,
            lodged_by=c.actor,
        )
    )


@on(j.ObjectionDecided)
async def objection_decided(rows: Rows, c: Context, e: j.ObjectionDecided) -> None:
    objection = await rows.get(Objection, e.objection_id)
    objection.status, objection.decided_by, objection.decided_at = e.result, e.decided_by, c.at


# --- parties, exposures, reserves -------------------------------------------------------------------------------------


@on(j.PartyAdded)
async def party_added(rows: Rows, c: Context, e: j.PartyAdded) -> None:
    rows.add(
        Party(
            id=e.party_id,
            case_id=c.case_id,
            person_id=e.person_id,
            role=e.role,
            is_minor=e.is_minor,
            represents=e.represents,
            name=e.name,
            phone=e.phone,
            email=e.email,
        )
    )
    if e.is_minor and e.role == PartyRole.CLAIMANT:
        (await rows.get(Case, c.case_id)).minors += 1


@on(j.ExposureOpened)
async def exposure_opened(rows: Rows, c: Context, e: j.ExposureOpened) -> None:
    rows.add(
        Exposure(
            id=e.exposure_id,
            case_id=c.case_id,
            coverage_code=e.coverage_code,
            claimant_party_id=e.claimant_party_id,
            claimed_amount=e.claimed_amount,
        )
    )


@on(j.ExposureAssessed)
async def exposure_assessed(rows: Rows, _: Context, e: j.ExposureAssessed) -> None:
    exposure = await rows.get(Exposure, e.exposure_id)
    exposure.assessed_amount, exposure.excluded_reason = e.assessed_amount, e.excluded_reason


@on(j.ExposureDecided)
async def exposure_decided(rows: Rows, _: Context, e: j.ExposureDecided) -> None:
    exposure = await rows.get(Exposure, e.exposure_id)
    exposure.result, exposure.payable_amount = e.result, e.payable_amount
    exposure.deductible_applied, exposure.findings = e.deductible_applied, findings_json(e.findings)


@on(j.ReserveSet)
async def reserve_set(rows: Rows, c: Context, e: j.ReserveSet) -> None:
    exposure = await rows.get(Exposure, e.exposure_id)
    if e.reserve_line == "expense":
        exposure.expense_reserve_amount = e.amount
    else:
        exposure.reserve_amount = e.amount
    rows.add(
        ReserveLine(
            case_id=c.case_id,
            chain_seq=c.chain_seq,
            exposure_id=e.exposure_id,
            reserve_line=e.reserve_line,
            amount=e.amount,
            reason=e.reason,
            set_at=c.at,
            set_by=c.actor,
        )
    )


# --- clocks and requests ----------------------------------------------------------------------------------------------


@on(j.ClockStarted)
async def clock_started(rows: Rows, c: Context, e: j.ClockStarted) -> None:
    rows.add(
        Clock(
            case_id=c.case_id,
            clock=e.clock,
            policy=e.policy,
            started_at=e.started_at,
            due_at=e.due_at,
            warn_at=e.warn_at,
            status=ClockStatus.RUNNING,
            calendar=e.calendar,
        )
    )
    await reorder_tasks(rows, c.case_id)


async def _clock(rows: Rows, c: Context, name: str) -> Clock:
    return await rows.get(Clock, (c.case_id, name))


@on(j.ClockPaused)
async def clock_paused(rows: Rows, c: Context, e: j.ClockPaused) -> None:
    clock = await _clock(rows, c, e.clock)
    if clock.status != ClockStatus.PAUSED:  # it may wait for more than one thing at a time
        clock.status = move_to(ClockStatus(clock.status), ClockStatus.PAUSED)
    clock.pauses = [*clock.pauses, {"request_id": str(e.request_id), "from_at": e.paused_at.isoformat(), "to_at": None}]
    clock.due_at = clock.warn_at = None
    await reorder_tasks(rows, c.case_id)


@on(j.ClockResumed)
async def clock_resumed(rows: Rows, c: Context, e: j.ClockResumed) -> None:
    clock = await _clock(rows, c, e.clock)
    clock.pauses = [
        p | {"to_at": e.resumed_at.isoformat()} if p["request_id"] == str(e.request_id) else p for p in clock.pauses
    ]
    if all(p["to_at"] for p in clock.pauses):
        clock.status = move_to(ClockStatus(clock.status), ClockStatus.RUNNING)
    clock.due_at, clock.warn_at = e.due_at, e.warn_at
    await reorder_tasks(rows, c.case_id)


@on(j.ClockRungReached)
async def clock_rung_reached(rows: Rows, c: Context, e: j.ClockRungReached) -> None:
    clock = await _clock(rows, c, e.clock)
    seen = {"rung": e.rung, "reached_at": e.reached_at.isoformat(), "seen_at": c.at.isoformat()}
    clock.rungs = [*clock.rungs, seen]
    if Escalation.RAISE_PRIORITY in e.actions:
        for task in await rows.of_case(Task, c.case_id):
            if task.status == TaskStatus.OPEN:
                task.is_raised = True
        await reorder_tasks(rows, c.case_id)


@on(j.ClockBreachWithdrawn)
async def clock_breach_withdrawn(rows: Rows, c: Context, e: j.ClockBreachWithdrawn) -> None:
    clock = await _clock(rows, c, e.clock)
    clock.status = move_to(ClockStatus(clock.status), ClockStatus.RUNNING)
    clock.breached_at, clock.due_at, clock.warn_at = None, e.due_at, e.warn_at
    await reorder_tasks(rows, c.case_id)


@on(j.ClockExtended)
async def clock_extended(rows: Rows, c: Context, e: j.ClockExtended) -> None:
    clock = await _clock(rows, c, e.clock)
    clock.extended += e.amount
    clock.due_at, clock.warn_at = e.due_at, e.warn_at
    await reorder_tasks(rows, c.case_id)


@on(j.ClockRebased)
async def clock_rebased(rows: Rows, c: Context, e: j.ClockRebased) -> None:
    clock = await _clock(rows, c, e.clock)
    clock.policy, clock.calendar, clock.due_at, clock.warn_at = e.policy, e.calendar, e.due_at, e.warn_at
    clock.rebased_at, clock.consumed_seconds = e.rebased_at, e.consumed
    await reorder_tasks(rows, c.case_id)


@on(j.PlanChanged)
async def plan_changed(rows: Rows, c: Context, e: j.PlanChanged) -> None:
    (await rows.get(Case, c.case_id)).plan = e.plan


@on(j.LatenessExplained)
async def lateness_explained(rows: Rows, c: Context, e: j.LatenessExplained) -> None:
    clock = await _clock(rows, c, e.clock)
    clock.late_cause, clock.late_responsible = e.cause, e.responsible


@on(j.ClockBreached)
async def clock_breached(rows: Rows, c: Context, e: j.ClockBreached) -> None:
    clock = await _clock(rows, c, e.clock)
    clock.status = move_to(ClockStatus(clock.status), ClockStatus.BREACHED)
    clock.breached_at = e.legal_at
    clock.late_cause = clock.late_responsible = ""  # broken anew, it is to be explained anew


STOPPED = {"met": ClockStatus.MET, "breached": ClockStatus.LATE, "undecided": ClockStatus.UNDECIDED}


@on(j.ClockStopped)
async def clock_stopped(rows: Rows, c: Context, e: j.ClockStopped) -> None:
    clock = await _clock(rows, c, e.clock)
    if e.verdict == "breached" and clock.status == ClockStatus.RUNNING:
        clock.status, clock.breached_at = ClockStatus.BREACHED, clock.due_at
    clock.status = move_to(ClockStatus(clock.status), STOPPED[e.verdict])
    clock.stopped_at = e.stopped_at
    await reorder_tasks(rows, c.case_id)


@on(j.ClockJudged)
async def clock_judged(rows: Rows, c: Context, e: j.ClockJudged) -> None:
    clock = await _clock(rows, c, e.clock)
    clock.status, clock.due_at = move_to(ClockStatus(clock.status), STOPPED[e.verdict]), e.due_at
    clock.breached_at = e.due_at if e.verdict == "breached" else None


@on(j.ClockCancelled)
async def clock_cancelled(rows: Rows, c: Context, e: j.ClockCancelled) -> None:
    clock = await _clock(rows, c, e.clock)
    clock.status = move_to(ClockStatus(clock.status), ClockStatus.CANCELLED)
    await reorder_tasks(rows, c.case_id)


@on(j.ClockRestarted)
async def clock_restarted(rows: Rows, c: Context, e: j.ClockRestarted) -> None:
    clock = await _clock(rows, c, e.clock)
    clock.started_at, clock.due_at, clock.warn_at = e.started_at, e.due_at, e.warn_at
    if e.why == "new_facts":
        clock.status, clock.breached_at, clock.pauses, clock.extended = ClockStatus.RUNNING, None, [], 0
        clock.rebased_at, clock.consumed_seconds, clock.rungs = None, 0.0, []
    await reorder_tasks(rows, c.case_id)


@on(j.RequestOpened)
async def request_opened(rows: Rows, c: Context, e: j.RequestOpened) -> None:
    items: dict[str, str | None] = dict.fromkeys(e.items)
    for document in await rows.of_case(Document, c.case_id):
        if document.item_code in items and document.received_at >= e.asked_at:
            items[document.item_code] = str(document.id)
    rows.add(
        DocumentRequest(
            id=e.request_id,
            case_id=c.case_id,
            items=items,
            is_repeat=e.is_repeat,
            reason=e.reason,
            opened_at=c.at,
            answer_by=e.answer_by,
        )
    )


@on(j.RequestDelivered)
async def request_delivered(rows: Rows, _: Context, e: j.RequestDelivered) -> None:
    (await rows.get(DocumentRequest, e.request_id)).delivered_at = e.delivered_at


@on(j.RequestClosed)
async def request_closed(rows: Rows, _: Context, e: j.RequestClosed) -> None:
    request = await rows.get(DocumentRequest, e.request_id)
    request.status, request.closed_at = e.how, e.closed_at


# --- documents, letters, messages -------------------------------------------------------------------------------------


@on(j.DocumentReceived)
async def document_received(rows: Rows, c: Context, e: j.DocumentReceived) -> None:
    rows.add(
        Document(
            id=e.document_id,
            case_id=c.case_id,
            item_code=e.item_code,
            source=e.source,
            filename=e.filename,
            mime=e.mime,
            size=e.size,
            sha256=e.sha256,
            bucket=e.bucket,
            key=e.key,
            version_id=e.version_id,
            received_at=c.at,
            received_by=c.actor,
        )
    )
    for request in await rows.of_case(DocumentRequest, c.case_id):
        if request.status == "open" and e.item_code in request.items:
            request.items = request.items | {e.item_code: str(e.document_id)}


@on(j.DocumentChecked)
async def document_checked(rows: Rows, _: Context, e: j.DocumentChecked) -> None:
    document = await rows.get(Document, e.document_id)
    document.state, document.refused_reason = ("accepted", "") if e.accepted else ("refused", e.reason)


@on(j.LetterIssued)
async def letter_issued(rows: Rows, _: Context, e: j.LetterIssued) -> None:
    (await rows.get(Document, e.document_id)).letter = e.letter
    if e.payment_id:
        (await rows.get(Payment, e.payment_id)).voucher_document_id = e.document_id


@on(j.MessageWritten)
async def message_written(rows: Rows, c: Context, e: j.MessageWritten) -> None:
    rows.add(
        Message(id=e.message_id, case_id=c.case_id, direction=e.direction, author=c.actor, body=e.body, written_at=c.at)
    )


# --- decisions and money ----------------------------------------------------------------------------------------------


@on(j.DecisionMade)
async def decision_made(rows: Rows, c: Context, e: j.DecisionMade) -> None:
    rows.add(
        Decision(
            id=e.decision_id,
            case_id=c.case_id,
            decided_by=e.decided_by,
            decided_at=c.at,
            result=e.result,
            approved_amount=e.approved_amount,
            needs_second=e.needs_second,
            subject=e.subject,
            authority_version=e.authority_version,
            status="referred" if e.needs_second else "final",
        )
    )
    if not e.needs_second:
        await _approve(rows, c, e.approved_amount)


async def _approve(rows: Rows, c: Context, amount: Decimal) -> None:
    case = await rows.get(Case, c.case_id)
    book(rows, c, ledger.approved(amount - case.approved_amount))
    case.approved_amount = amount


def book(rows: Rows, c: Context, lines: tuple[ledger.Line, ...]) -> None:
    """Enter the lines of one event."""
    for line in lines:
        rows.add(
            LedgerLine(
                case_id=c.case_id, chain_seq=c.chain_seq, account=line.account, amount=line.amount, booked_at=c.at
            )
        )


@on(j.DecisionAuthorised)
async def decision_authorised(rows: Rows, c: Context, e: j.DecisionAuthorised) -> None:
    decision = await rows.get(Decision, e.decision_id)
    decision.status, decision.authorised_by, decision.authorised_at = "final", e.authorised_by, c.at
    await _approve(rows, c, decision.approved_amount)


@on(j.DecisionReturned)
async def decision_returned(rows: Rows, c: Context, e: j.DecisionReturned) -> None:
    (await rows.get(Decision, e.decision_id)).status = "returned"
    if e.approved_amount is not None:
        await _approve(rows, c, e.approved_amount)


@on(j.PayeeNamed)
async def payee_named(rows: Rows, c: Context, e: j.PayeeNamed) -> None:
    rows.add(
        Payee(
            id=e.payee_id,
            case_id=c.case_id,
            decision_id=e.decision_id,
            person_id=e.person_id,
            amount=e.amount,
            name=e.name,
            account_sealed=c.stored["account"] if e.account else "",
            account_tail=e.account[-4:],
            account_mark=e.account_mark,
            bank=e.bank,
            named_by=c.actor,
            is_changed=e.is_changed,
            sanctions=e.sanctions,
        )
    )


@on(j.PayeeChecked)
async def payee_checked(rows: Rows, _: Context, e: j.PayeeChecked) -> None:
    payee = await rows.get(Payee, e.payee_id)
    answer = "yes" if e.is_right else "no"
    match e.what:
        case "sanctions":
            payee.sanctions = "cleared" if e.is_right else "confirmed"
        case "account":
            payee.verified, payee.verified_by = answer, e.checked_by
        case "customer":
            payee.confirmed = answer


@on(j.PaymentRequested)
async def payment_requested(rows: Rows, c: Context, e: j.PaymentRequested) -> None:
    rows.add(
        Payment(
            id=e.payment_id,
            case_id=c.case_id,
            decision_id=e.decision_id,
            payee_id=e.payee_id,
            amount=e.amount,
            currency=e.currency,
            requested_at=c.at,
        )
    )


@on(j.PaymentSent)
async def payment_sent(rows: Rows, c: Context, e: j.PaymentSent) -> None:
    payment = await rows.get(Payment, e.payment_id)
    payment.status = move_to(PaymentStatus(payment.status), PaymentStatus.SENT)
    payment.sent_at, payment.instruction_key = c.at, e.instruction_key


@on(j.PaymentConfirmed)
async def payment_confirmed(rows: Rows, c: Context, e: j.PaymentConfirmed) -> None:
    payment = await rows.get(Payment, e.payment_id)
    payment.status = move_to(PaymentStatus(payment.status), PaymentStatus.CONFIRMED)
    payment.settled_at, payment.bank_reference, payment.paid_on = c.at, e.bank_reference, e.paid_on
    await _pay(rows, c, payment.amount)


async def _pay(rows: Rows, c: Context, amount: Decimal) -> None:
    (await rows.get(Case, c.case_id)).paid_amount += amount
    book(rows, c, ledger.paid(amount))


@on(j.PaymentRejected)
async def payment_rejected(rows: Rows, c: Context, e: j.PaymentRejected) -> None:
    payment = await rows.get(Payment, e.payment_id)
    payment.status = move_to(PaymentStatus(payment.status), PaymentStatus.REJECTED)
    payment.settled_at, payment.reject_reason = c.at, e.reason


@on(j.PaymentReturned)
async def payment_returned(rows: Rows, c: Context, e: j.PaymentReturned) -> None:
    payment, case = await rows.get(Payment, e.payment_id), await rows.get(Case, c.case_id)
    payment.status = move_to(PaymentStatus(payment.status), PaymentStatus.RETURNED)
    payment.reject_reason = e.reason
    case.paid_amount -= payment.amount
    book(rows, c, ledger.returned(payment.amount))


@on(j.PaymentReversed)
async def payment_reversed(rows: Rows, _: Context, e: j.PaymentReversed) -> None:
    payment = await rows.get(Payment, e.payment_id)
    payment.status = move_to(PaymentStatus(payment.status), PaymentStatus.REVERSED)
    payment.reject_reason, payment.recovery_id = e.why, e.recovery_id
    payment.reversal_asked_by, payment.reversed_by = e.asked_by, e.reversed_by


@on(j.RecoveryOpened)
async def recovery_opened(rows: Rows, c: Context, e: j.RecoveryOpened) -> None:
    rows.add(
        RecoveryClaim(
            id=e.recovery_id,
            case_id=c.case_id,
            recovery=e.recovery,
            counterparty=e.counterparty,
            payment_id=e.payment_id,
            party_id=e.party_id,
            expected_amount=e.expected_amount,
            currency=e.currency,
            opened_at=c.at,
            opened_by=c.actor,
        )
    )
    if e.recovery in ledger.OWED_BACK:
        # What was paid too much is no longer paid to the claim: it is owed to us.
        (await rows.get(Case, c.case_id)).paid_amount -= e.expected_amount
        book(rows, c, ledger.owed_back(e.expected_amount))


@on(j.RecoveryReceived)
async def recovery_received(rows: Rows, c: Context, e: j.RecoveryReceived) -> None:
    recovery = await rows.get(RecoveryClaim, e.recovery_id)
    recovery.received_amount += e.amount
    rows.add(
        RecoveryReceipt(
            id=e.receipt_id,
            case_id=c.case_id,
            recovery_id=e.recovery_id,
            amount=e.amount,
            received_on=e.received_on,
            reference=e.reference,
            entered_by=c.actor,
        )
    )
    book(rows, c, ledger.received(ledger.Recovery(recovery.recovery), e.amount))


@on(j.RecoveryReduced)
async def recovery_reduced(rows: Rows, c: Context, e: j.RecoveryReduced) -> None:
    (await rows.get(RecoveryClaim, e.recovery_id)).expected_amount -= e.amount
    (await rows.get(Case, c.case_id)).paid_amount += e.amount
    book(rows, c, ledger.owed_back(-e.amount))


@on(j.RecoveryClosed)
async def recovery_closed(rows: Rows, c: Context, e: j.RecoveryClosed) -> None:
    recovery = await rows.get(RecoveryClaim, e.recovery_id)
    recovery.status, recovery.closed_why, recovery.closed_at = "closed", e.why, c.at
    left = recovery.expected_amount - recovery.received_amount
    if left > 0:
        book(rows, c, ledger.given_up(ledger.Recovery(recovery.recovery), left))
