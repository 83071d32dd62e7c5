"""First notice of loss: drafted, submitted, acknowledged, whether or not the process can be reached (CLM-1, CLM-2)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.journal import lock_chain
from lian.db.tables import Case, ChainHead, DocumentRequest, Exposure, IdempotencyKey, Person
from lian.domain import journal as j
from lian.domain.calendars import plain_calendar
from lian.domain.case_kind import CaseKind
from lian.domain.claims.definition import CLAIM
from lian.domain.claims.facts import ClaimExposure, ClaimFacts
from lian.domain.claims.fnol import FnolReport, PersonGiven, check_coverages, check_report
from lian.domain.claims.terms import Line, LossCause, PolicySnapshot
from lian.domain.claims.triage import Complexity
from lian.domain.errors import Conflict
from lian.domain.messages import CaseState
from lian.domain.parties import Channel, PartyRole
from lian.domain.plan import CasePlan
from lian.domain.sla import ClockLedger, due_at
from lian.domain.status import CaseStatus
from lian.services.cases import find_case
from lian.services.context import Context
from lian.services.policies import parties_of, require_snapshot
from lian.services.recording import put_on_record

Json = dict[str, Any]
PLAN = TypeAdapter(CasePlan)
SNAPSHOT = TypeAdapter(PolicySnapshot)
FACTS = TypeAdapter(ClaimFacts)
REPORT = TypeAdapter(FnolReport)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The answer to a report: its number, for people, and its id, for machines."""

    case_id: UUID
    number: str
    status: str
    promised_at: datetime | None


REGISTERED = TypeAdapter(Registered)


async def report_claim(
    context: Context, actor: Actor, report: FnolReport, *, channel: Channel, key: str, said: Json | None = None
) -> tuple[Registered, bool]:
    """Register a claim and acknowledge it; returns the answer and whether it is new.

    `said` is what the caller sent, where the report holds more, such as the moment it came in: repeats are told by it.

    One transaction stores case, journal and outbox row under the idempotency key: repeats get the first answer, also
    while the process cannot be reached. Raises `Invalid` or `NotFound` with nothing stored, `Conflict` for a key that
    was used for another report.
    """
    now = context.now()
    check_report(report, now=now)
    snapshot = await require_snapshot(context, report.policy_number)
    check_coverages(report, snapshot)
    async with context.transaction() as session:
        request_hash = _hash(said or REPORT.dump_python(report, mode="json"))
        earlier = await _earlier_answer(session, actor, key, request_hash)
        if earlier:
            return earlier, False
        answer = await _register(context, session, actor, report, snapshot, channel, now)
        session.add(
            IdempotencyKey(
                scope=actor.id,
                key=key,
                request_hash=request_hash,
                response=REGISTERED.dump_python(answer, mode="json"),
                created_at=now,
            )
        )
    return answer, True


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


async def _earlier_answer(session: AsyncSession, actor: Actor, key: str, request_hash: str) -> Registered | None:
    # Fifty equal posts at once: one goes on, the others wait here for its answer.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"{actor.id}/{key}"})
    row = await session.get(IdempotencyKey, (actor.id, key))
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise Conflict("This Idempotency-Key was used for a different report.")
    return REGISTERED.validate_python(row.response)


async def _register(
    context: Context,
    session: AsyncSession,
    actor: Actor,
    report: FnolReport,
    snapshot: PolicySnapshot,
    channel: Channel,
    now: datetime,
) -> Registered:
    case_id, number = uuid4(), await next_number(context, session, CLAIM, now)
    people = await _people(session, report, now)
    drafted = j.CaseDrafted(number=number, kind=CLAIM.id, channel=channel, subject_person_id=people.subject)
    events, promised_at = _submission(context, report, snapshot, people, now)
    await put_on_record(
        context,
        session,
        case_id=case_id,
        recorded=[j.Recorded(at=now, actor=actor.id, event=e) for e in [drafted, *events]],
    )
    return Registered(case_id=case_id, number=number, status="open", promised_at=promised_at)


def _submission(
    context: Context, report: FnolReport, snapshot: PolicySnapshot, people: _People, now: datetime
) -> tuple[list[j.Event], datetime | None]:
    """The events of a complete report, and what the customer is promised."""
    plan = plan_of(context, CLAIM)
    promised_at = due_at(policy=plan.clock(CLAIM.promise), calendar=plan.calendar, ledger=ClockLedger(now))
    events = [
        _reported(report, snapshot),
        j.SnapshotTaken(snapshot=snapshot),
        *people.parties,
        *_exposures(report, people),
        j.CaseSubmitted(received_at=now, plan=PLAN.dump_python(plan, mode="json"), promised_at=promised_at),
    ]
    return events, promised_at


# --- drafts -----------------------------------------------------------------------------------------------------------


async def save_draft(
    context: Context, actor: Actor, *, number: str, policy_number: str, draft: Json, channel: Channel
) -> str:
    """Keep an unfinished report (CLM-1), a new one for an empty `number`; returns its case number. No clock runs yet.

    Raises `NotFound` for an unknown policy or draft, `Conflict` when it was submitted already.
    """
    actor.require("case:report")
    await require_snapshot(context, policy_number)
    saved = j.DraftSaved(policy_number=policy_number, draft=json.dumps(draft, ensure_ascii=False))
    events: list[j.Event] = [saved]
    async with context.transaction() as session:
        now = context.now()
        if number:
            case_id = (await _draft(session, actor, number)).id
        else:
            case_id, number = uuid4(), await next_number(context, session, CLAIM, now)
            holder = (await parties_of(session, policy_number)).get(PartyRole.POLICYHOLDER.value)
            subject = holder.id if holder else uuid4()
            events.insert(0, j.CaseDrafted(number=number, kind=CLAIM.id, channel=channel, subject_person_id=subject))
        recorded = [j.Recorded(at=now, actor=actor.id, event=e) for e in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)
    return number


async def _draft(session: AsyncSession, actor: Actor, number: str) -> Case:
    case = await find_case(session, actor, number)
    await lock_chain(session, case.id)
    await session.refresh(case)
    if case.status != CaseStatus.DRAFT:
        raise Conflict("This report was submitted already.")
    return case


async def read_draft(context: Context, actor: Actor, number: str) -> Json:
    """The unfinished report as it was saved."""
    actor.require("case:report")
    async with context.transaction() as session:
        draft: Json = json.loads((await _draft(session, actor, number)).draft)
        return draft


async def submit_draft(context: Context, actor: Actor, number: str, report: FnolReport) -> Registered:
    """Submit a draft once it is complete: from now on the clocks run. Raises like `report_claim`."""
    actor.require("case:report")
    now = context.now()
    check_report(report, now=now)
    snapshot = await require_snapshot(context, report.policy_number)
    check_coverages(report, snapshot)
    async with context.transaction() as session:
        case = await _draft(session, actor, number)
        people = await _people(session, report, now)
        events, promised_at = _submission(context, report, snapshot, people, now)
        recorded = [j.Recorded(at=now, actor=actor.id, event=e) for e in events]
        await put_on_record(context, session, case_id=case.id, recorded=recorded)
    return Registered(case_id=case.id, number=number, status="open", promised_at=promised_at)


async def next_number(context: Context, session: AsyncSession, kind: CaseKind, now: datetime) -> str:
    """The next case number of a kind; the year is the office's."""
    n = (await session.execute(text("SELECT nextval('case_number')"))).scalar_one()
    return f"{kind.prefix}-{now.astimezone(context.settings.zone).year}-{n:06d}"


def plan_of(context: Context, kind: CaseKind) -> CasePlan:
    """What a case of this kind is promised today; frozen into the case."""
    return CasePlan(
        pack=kind.pack,
        calendar=plain_calendar(context.settings.office_zone),
        clocks={policy.id: policy for policy in kind.clocks},
    )


@dataclass(frozen=True, slots=True)
class _People:
    subject: UUID
    parties: list[j.PartyAdded]
    claimants: list[UUID]


async def _people(session: AsyncSession, report: FnolReport, now: datetime) -> _People:
    """Who takes part: the policy's people, the reporter, the claimants; known people keep their id."""
    known = await parties_of(session, report.policy_number)
    by_contact = {(p.name, p.phone or p.email): p.id for p in known.values()}
    parties = [_party(role, person.id, person.name, person.phone, person.email) for role, person in known.items()]
    reporter = await _person(session, report.reporter, by_contact, now)
    parties.append(_as_party(PartyRole.REPORTER, reporter, report.reporter))
    claimants = []
    for given in report.claimants or (report.reporter,):
        person_id = await _person(session, given, by_contact, now)
        claimants.append(_as_party(PartyRole.CLAIMANT, person_id, given))
    holder = known.get(PartyRole.POLICYHOLDER.value)
    subject = holder.id if holder else reporter
    return _People(subject, parties + claimants, [c.party_id for c in claimants])


async def _person(
    session: AsyncSession, given: PersonGiven, by_contact: dict[tuple[str, str], UUID], now: datetime
) -> UUID:
    mark = (given.name, given.phone or given.email)
    if mark not in by_contact:
        by_contact[mark] = person_id = uuid4()
        session.add(
            Person(
                id=person_id,
                external_ref=f"fnol:{person_id}",
                name=given.name,
                phone=given.phone,
                email=given.email,
                created_at=now,
            )
        )
        await session.flush()
    return by_contact[mark]


def _as_party(role: PartyRole, person_id: UUID, given: PersonGiven) -> j.PartyAdded:
    return _party(role.value, person_id, given.name, given.phone, given.email)


def _party(role: str, person_id: UUID, name: str, phone: str, email: str) -> j.PartyAdded:
    return j.PartyAdded(party_id=uuid4(), person_id=person_id, role=role, name=name, phone=phone, email=email)


def _reported(report: FnolReport, snapshot: PolicySnapshot) -> j.ClaimReported:
    return j.ClaimReported(
        policy_number=report.policy_number,
        line=snapshot.line.value,
        loss_cause=report.loss_cause,
        loss_at=report.loss_at,
        reported_at=report.reported_at,
        injured=report.injured,
        claimed_amount=report.claimed_amount,
        currency=snapshot.currency,
        place=report.place,
        course=report.course,
    )


def _exposures(report: FnolReport, people: _People) -> list[j.Event]:
    """One exposure per loss, reserved at what is claimed until somebody assesses it (CLM-15)."""
    events: list[j.Event] = []
    for loss in report.losses:
        exposure_id = uuid4()
        events.append(
            j.ExposureOpened(
                exposure_id=exposure_id,
                coverage_code=loss.coverage_code,
                claimant_party_id=people.claimants[loss.claimant],
                claimed_amount=loss.claimed_amount,
            )
        )
        events.append(
            j.ReserveSet(
                exposure_id=exposure_id, reserve_line="indemnity", amount=loss.claimed_amount, reason="as_claimed"
            )
        )
    return events


async def starting_state(context: Context, case_id: UUID) -> CaseState:
    """What the case's process starts from: terms, figures and codes, no personal data."""
    async with context.transaction() as session:
        case = await session.get_one(Case, case_id)
        exposures = (
            await session.execute(select(Exposure).where(Exposure.case_id == case_id).order_by(Exposure.id))  # type: ignore[arg-type]
        ).scalars()
        facts = _facts(case, list(exposures))
        head = await session.get_one(ChainHead, case_id)
        asked = select(func.count()).select_from(DocumentRequest).where(DocumentRequest.case_id == case_id)
        requests_made = (await session.execute(asked)).scalar_one()
        received_at = case.reopened_at or case.received_at
        assert received_at is not None
        return CaseState(
            case_id=case_id,
            kind=case.kind,
            plan=PLAN.validate_python(case.plan),
            received_at=received_at,
            facts=FACTS.dump_python(facts, mode="json"),
            generation=case.generation,
            seq=head.process_seq,
            requests_made=requests_made,
            begin_at=case.stage if case.generation > 1 else "",
        )


def _facts(case: Case, exposures: list[Exposure]) -> ClaimFacts:
    assert case.loss_at is not None
    assert case.reported_at is not None
    return ClaimFacts(
        snapshot=SNAPSHOT.validate_python(case.snapshot),
        line=Line(case.line),
        loss_cause=LossCause(case.loss_cause),
        loss_at=case.loss_at,
        reported_at=case.reported_at,
        injured=case.injured,
        claimed_amount=case.claimed_amount,
        exposures=[
            ClaimExposure(
                exposure_id=e.id,
                coverage_code=e.coverage_code,
                claimant_party_id=e.claimant_party_id,
                claimed_amount=e.claimed_amount,
                assessed_amount=e.assessed_amount or Decimal(0),
                excluded_reason=e.excluded_reason,
            )
            for e in exposures
        ],
        complexity=Complexity(case.complexity or Complexity.SIMPLE),
    )
