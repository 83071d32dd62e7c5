"""What a case's process starts from, at first and whenever a closed case lives again: no personal data but notes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col, select

from lian.db.crypto import PersonSeals
from lian.db.events import unseal
from lian.db.tables import (
    Case,
    ChainHead,
    Decision,
    DocumentRequest,
    Exposure,
    JournalEntry,
    Objection,
    PanelVote,
    Party,
    Payee,
    Payment,
    RecoveryClaim,
    Referral,
)
from lian.domain import journal as j
from lian.domain.authority import HOUSE, ceiling
from lian.domain.claims.adjudication import ExposureDecision, Result
from lian.domain.claims.definition import CLAIM
from lian.domain.claims.facts import ClaimExposure, ClaimFacts, Transfer
from lian.domain.claims.risk import RiskFacts
from lian.domain.claims.terms import Line, LossCause, PolicySnapshot
from lian.domain.claims.triage import Complexity
from lian.domain.findings import Finding
from lian.domain.ledger import Recovery
from lian.domain.messages import Act, CaseState
from lian.domain.parties import PartyRole
from lian.domain.promise_actions import DOCUMENTS
from lian.services.context import Context
from lian.services.duplicates import likenesses
from lian.services.opening import PLAN
from lian.services.risk import score_risk

Json = dict[str, Any]
Row = TypeVar("Row", bound=SQLModel)
SNAPSHOT = TypeAdapter(PolicySnapshot)
FACTS = TypeAdapter(ClaimFacts)
FINDINGS = TypeAdapter(tuple[Finding, ...])
ACT = TypeAdapter(Act)
EARLIER = timedelta(days=365)
"""How far back claims on the same policy count for its risk (CLM-14)."""
DECISIONS = ("claim", "advance")


async def starting_state(context: Context, case_id: UUID) -> CaseState:
    """What the case's process starts from: terms, figures and codes."""
    async with context.transaction() as session:
        case = await session.get_one(Case, case_id)
        head = await session.get_one(ChainHead, case_id)
        asked = (
            select(func.count())
            .select_from(DocumentRequest)
            .where(DocumentRequest.case_id == case_id, DocumentRequest.reason == DOCUMENTS)
        )
        received_at = case.reopened_at or case.received_at
        assert received_at is not None
        return CaseState(
            case_id=case_id,
            kind=case.kind,
            plan=PLAN.validate_python(case.plan),
            received_at=received_at,
            facts=await facts_of_kind(context, session, case),
            generation=case.generation,
            seq=head.process_seq,
            requests_made=(await session.execute(asked)).scalar_one(),
            begin_at=case.stage if case.generation > 1 else "",
            first_action=await _first_action(context, session, case),
        )


async def facts_of_kind(context: Context, session: AsyncSession, case: Case) -> Json:
    """What the process knows of the case from the beginning: a kind's own facts, or else its coded answers."""
    own = OWN_FACTS.get(case.kind)
    return await own(context, session, case) if own else dict(case.details)


async def _first_action(context: Context, session: AsyncSession, case: Case) -> Act | None:
    """What somebody did on the closed case that made it live again, with their words."""
    query = (
        select(JournalEntry)
        .where(JournalEntry.case_id == case.id, JournalEntry.type == j.CaseReopened.TYPE)
        .order_by(col(JournalEntry.chain_seq).desc())
        .limit(1)
    )
    entry = (await session.execute(query)).scalars().first()
    if entry is None or not entry.body.get("action"):
        return None
    seals = await PersonSeals.load(session, context.ring, {case.subject_person_id})
    body = unseal(entry.type, entry.body, seals, case.subject_person_id)
    return ACT.validate_python(body["action"] | {"notes": body["reason"]})


# --- a claim ----------------------------------------------------------------------------------------------------------


async def claim_facts(context: Context, session: AsyncSession, case: Case) -> ClaimFacts:
    """The claim as its process would know it now."""
    assert case.loss_at is not None
    assert case.reported_at is not None
    exposures = await _of(session, Exposure, case.id, Exposure.id)
    parties = await _of(session, Party, case.id, Party.id)
    decision = await _decision_in_force(session, case.id)
    is_first_life = case.generation == 1 and decision is None
    facts = ClaimFacts(
        snapshot=SNAPSHOT.validate_python(case.snapshot),
        line=Line(case.line),
        loss_cause=LossCause(case.loss_cause),
        loss_at=case.loss_at,
        reported_at=case.reported_at,
        injured=case.injured,
        claimed_amount=case.claimed_amount,
        exposures=[_exposure(e) for e in exposures],
        complexity=Complexity(case.complexity or Complexity.SIMPLE),
        minors=sum(p.is_minor for p in parties),
        representatives={p.represents: p.id for p in parties if p.represents and _is_representative(p)},
        maturity=case.maturity,
        suspicion=await _suspicion(session, case.id),
        ceilings=_ceilings(case.line),
        authority_version=HOUSE.version,
        approved_amount=case.approved_amount,
        owed_back=await owed_back(session, case.id),
        owed_back_by=await _owed_back_by(session, case.id),
        transfers=await _transfers(session, case.id, parties),
    )
    if decision is not None:
        await _put_in_force(session, facts, decision, exposures)
    if is_first_life:
        facts.likenesses = tuple(await likenesses(session, context, case))
        facts.risk = score_risk(await _risk_facts(session, case, facts))
    return facts


async def _claim_facts(context: Context, session: AsyncSession, case: Case) -> Json:
    facts: Json = FACTS.dump_python(await claim_facts(context, session, case), mode="json")
    return facts


OWN_FACTS: dict[str, Callable[[Context, AsyncSession, Case], Awaitable[Json]]] = {CLAIM.id: _claim_facts}
"""How the facts of a kind with a procedure of its own are gathered."""


async def _of(session: AsyncSession, model: type[Row], case_id: UUID, order: Any) -> Sequence[Row]:
    query = select(model).where(model.case_id == case_id).order_by(order)  # type: ignore[attr-defined]
    return (await session.execute(query)).scalars().all()


def _exposure(e: Exposure) -> ClaimExposure:
    return ClaimExposure(
        exposure_id=e.id,
        coverage_code=e.coverage_code,
        claimant_party_id=e.claimant_party_id,
        claimed_amount=e.claimed_amount,
        assessed_amount=e.assessed_amount or Decimal(0),
        excluded_reason=e.excluded_reason,
    )


def _is_representative(party: Party) -> bool:
    return party.role == PartyRole.REPRESENTATIVE.value


def _ceilings(line: str) -> dict[str, Decimal]:
    return {decision: ceiling(decision=decision, line=line) for decision in DECISIONS}


async def _decision_in_force(session: AsyncSession, case_id: UUID) -> Decision | None:
    query = (
        select(Decision)
        .where(Decision.case_id == case_id, Decision.subject == "claim", Decision.status == "final")
        .order_by(col(Decision.decided_at).desc())
        .limit(1)
    )
    return (await session.execute(query)).scalars().first()


async def _put_in_force(
    session: AsyncSession, facts: ClaimFacts, decision: Decision, exposures: Sequence[Exposure]
) -> None:
    facts.decision_id, facts.is_decided = decision.id, True
    facts.decisions = [_decided(e) for e in exposures]
    facts.deciders = await _deciders(session, decision)
    facts.barred = await _barred(session, decision)


def _decided(e: Exposure) -> ExposureDecision:
    return ExposureDecision(
        exposure_id=str(e.id),
        result=Result(e.result or Result.DENY),
        payable_amount=e.payable_amount,
        deductible_applied=e.deductible_applied,
        findings=FINDINGS.validate_python(e.findings),
    )


async def _deciders(session: AsyncSession, decision: Decision) -> tuple[str, ...]:
    """Who made it, who agreed, and who voted: nobody of them reviews it (four eyes)."""
    agreed = decision.authorised_by
    if not agreed.startswith("panel:"):
        return tuple(x for x in (decision.decided_by, agreed) if x)
    votes = select(PanelVote.voter).where(PanelVote.panel_id == UUID(agreed.removeprefix("panel:")))
    return (decision.decided_by, *sorted((await session.execute(votes)).scalars()))


async def _barred(session: AsyncSession, decision: Decision) -> tuple[str, ...]:
    """Whose decision was found wrong must not make it again."""
    query = select(Objection.decision_by).where(
        Objection.case_id == decision.case_id, Objection.status == "changed", Objection.decision_id == decision.id
    )
    return tuple(sorted(set((await session.execute(query)).scalars())))


async def _suspicion(session: AsyncSession, case_id: UUID) -> str:
    query = select(Referral).where(Referral.case_id == case_id).order_by(col(Referral.referred_at).desc()).limit(1)
    referral = (await session.execute(query)).scalars().first()
    # One that was open when its life of the case ended has nobody working on it any more.
    return referral.outcome if referral and referral.status == "concluded" else ""


async def owed_back(session: AsyncSession, case_id: UUID) -> Decimal:
    """What was ever booked as paid too much."""
    query = select(func.coalesce(func.sum(RecoveryClaim.expected_amount), 0)).where(
        RecoveryClaim.case_id == case_id, RecoveryClaim.recovery == Recovery.OVERPAYMENT.value
    )
    return Decimal((await session.execute(query)).scalar_one())


async def _owed_back_by(session: AsyncSession, case_id: UUID) -> dict[UUID, Decimal]:
    """By party, where it is known whose the overpayment is."""
    party, amount = col(RecoveryClaim.party_id), func.sum(RecoveryClaim.expected_amount)
    overpaid = RecoveryClaim.case_id == case_id, RecoveryClaim.recovery == Recovery.OVERPAYMENT.value
    query = select(party, amount).where(*overpaid, party.is_not(None)).group_by(party).order_by(party)
    return {party_id: Decimal(sum_) for party_id, sum_ in (await session.execute(query)) if party_id}


async def _transfers(session: AsyncSession, case_id: UUID, parties: Sequence[Party]) -> dict[UUID, Transfer]:
    claimants = {p.person_id: p.id for p in parties if p.role == PartyRole.CLAIMANT.value or _is_representative(p)}
    query = select(Payment, Payee).join(Payee, col(Payee.id) == col(Payment.payee_id)).where(Payment.case_id == case_id)
    return {
        payment.id: Transfer(
            party_id=claimants.get(payee.person_id), amount=payment.amount, status=_status(payment.status)
        )
        for payment, payee in (await session.execute(query))
    }


def _status(status: str) -> str:
    return "" if status in {"requested", "sent"} else status


async def _risk_facts(session: AsyncSession, case: Case, facts: ClaimFacts) -> RiskFacts:
    claimed = {e.coverage_code for e in facts.exposures}
    limits = (terms.limit for terms in facts.snapshot.coverages if terms.code in claimed)
    before = select(func.count()).where(
        Case.policy_number == case.policy_number,
        Case.id != case.id,
        Case.status != "draft",
        col(Case.loss_at) >= facts.loss_at - EARLIER,
        col(Case.loss_at) < facts.loss_at,
    )
    return RiskFacts(
        line=facts.line,
        loss_cause=facts.loss_cause,
        claimed_amount=facts.claimed_amount,
        limit=sum(limits, Decimal(0)),
        injured=facts.injured,
        loss_at=facts.loss_at,
        reported_at=facts.reported_at,
        policy_from=facts.snapshot.term_from,
        earlier_claims=(await session.execute(before)).scalar_one(),
        details=dict(case.details),
    )
