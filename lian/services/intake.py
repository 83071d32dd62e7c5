"""First notice of loss: drafted, submitted, acknowledged, whether or not the process can be reached (CLM-1, CLM-2)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from lian.auth.actor import SYSTEM, Actor
from lian.db.journal import lock_chain
from lian.db.tables import Case
from lian.domain import journal as j
from lian.domain.claims.definition import CLAIM
from lian.domain.claims.facts import ClaimFacts
from lian.domain.claims.fnol import FnolReport, PersonGiven, check_coverages, check_report
from lian.domain.claims.maturity import Maturity, MaturityFacts, Requirement, missing_for
from lian.domain.claims.terms import PolicySnapshot
from lian.domain.errors import Conflict, NotAllowed
from lian.domain.parties import Channel, PartyRole
from lian.domain.status import CaseStatus
from lian.services.cases import find_case
from lian.services.catastrophes import CATASTROPHE, suggest
from lian.services.context import Context
from lian.services.opening import (
    PLAN,
    Registered,
    earlier_answer,
    next_number,
    person_of,
    plan_of,
    promised_by,
    remember_answer,
    request_hash_of,
)
from lian.services.policies import parties_of, require_snapshot
from lian.services.recording import put_on_record

Json = dict[str, Any]
SNAPSHOT = TypeAdapter(PolicySnapshot)
FACTS = TypeAdapter(ClaimFacts)
REPORT = TypeAdapter(FnolReport)


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
    if report.received_at and not actor.may("case:read"):
        raise NotAllowed("Only our staff can say that a report was received before now.")
    snapshot = await require_snapshot(context, report.policy_number)
    check_coverages(report, snapshot)
    async with context.transaction() as session:
        request_hash = request_hash_of(said or REPORT.dump_python(report, mode="json"))
        earlier = await earlier_answer(session, actor, key, request_hash)
        if earlier:
            return earlier, False
        answer = await _register(context, session, actor, report, snapshot, channel, now)
        remember_answer(session, actor, key, request_hash, answer, now)
    return answer, True


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
    drafted = _drafted(actor, number, channel, people.subject)
    events, promised_at = await _submission(context, session, report, snapshot, people, now)
    recorded = await _recorded(session, actor, report, [drafted, *events], now)
    await put_on_record(context, session, case_id=case_id, recorded=recorded)
    return Registered(case_id=case_id, number=number, status="open", promised_at=promised_at)


def _drafted(actor: Actor, number: str, channel: Channel, subject: UUID) -> j.CaseDrafted:
    """With who opened it: agents see the cases they brought, whose channel is the agent whatever they say."""
    brought = Channel.AGENT if actor.may("case:read_own") else channel
    return j.CaseDrafted(number=number, kind=CLAIM.id, channel=brought, subject_person_id=subject, opened_by=actor.id)


async def _recorded(
    session: AsyncSession, actor: Actor, report: FnolReport, events: Sequence[j.Event], now: datetime
) -> list[j.Recorded]:
    """The report as its reporter told it, and the catastrophes into which the system counts it."""
    codes = await suggest(session, report.loss_cause, report.loss_at)
    tags = [j.CaseTagged(tag=CATASTROPHE, code=code) for code in codes]
    return [
        *(j.Recorded(at=now, actor=actor.id, event=event) for event in events),
        *(j.Recorded(at=now, actor=SYSTEM.id, event=tag) for tag in tags),
    ]


async def _submission(
    context: Context,
    session: AsyncSession,
    report: FnolReport,
    snapshot: PolicySnapshot,
    people: _People,
    now: datetime,
) -> tuple[list[j.Event], datetime | None]:
    """The events of a complete report, and what the customer is promised."""
    received = report.received_at or now
    plan = await plan_of(context, session, CLAIM, snapshot.line.value, received)
    promised_at = promised_by(plan, CLAIM, received)
    events = [
        _reported(report, snapshot),
        j.SnapshotTaken(snapshot=snapshot),
        *people.parties,
        *_exposures(report, people),
        j.CaseSubmitted(received_at=received, plan=PLAN.dump_python(plan, mode="json"), promised_at=promised_at),
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
            events.insert(0, _drafted(actor, number, channel, subject))
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


def missing_of(draft: Json) -> tuple[Requirement, ...]:
    """What the first maturity gate still asks of a draft; its policy was looked up when it was saved."""
    reporter = draft.get("reporter") or {}
    facts = MaturityFacts(
        has_snapshot=True,
        has_loss_at=bool(draft.get("loss_at")),
        has_cause=bool(draft.get("loss_cause")),
        is_reporter_reachable=bool(reporter.get("phone") or reporter.get("email")),
        claims_something=any(Decimal(loss["claimed_amount"]) > 0 for loss in draft.get("losses") or ()),
    )
    return missing_for(Maturity.REPORTED, facts)


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
        events, promised_at = await _submission(context, session, report, snapshot, people, now)
        recorded = await _recorded(session, actor, report, events, now)
        await put_on_record(context, session, case_id=case.id, recorded=recorded)
    return Registered(case_id=case.id, number=number, status="open", promised_at=promised_at)


@dataclass(frozen=True, slots=True)
class _People:
    subject: UUID
    parties: list[j.PartyAdded]
    claimants: list[UUID]


async def _people(session: AsyncSession, report: FnolReport, now: datetime) -> _People:
    """Who takes part: the policy's people, the reporter, the claimants and who acts for minors among them.

    Known people keep their id.
    """
    known = await parties_of(session, report.policy_number)
    by_contact = {(p.name, p.phone or p.email): p.id for p in known.values()}
    parties = [_party(role, person.id, person.name, person.phone, person.email) for role, person in known.items()]
    reporter = await person_of(session, report.reporter, by_contact, now)
    parties.append(_as_party(PartyRole.REPORTER, reporter, report.reporter))
    claimants, representatives = [], []
    for given in report.claiming:
        person_id = await person_of(session, given, by_contact, now)
        claimants.append(_as_party(PartyRole.CLAIMANT, person_id, given))
        if given.represented_by:
            acting_id = await person_of(session, given.represented_by, by_contact, now)
            acting = _as_party(PartyRole.REPRESENTATIVE, acting_id, given.represented_by)
            representatives.append(replace(acting, represents=claimants[-1].party_id))
    holder = known.get(PartyRole.POLICYHOLDER.value)
    subject = holder.id if holder else reporter
    return _People(subject, parties + claimants + representatives, [c.party_id for c in claimants])


def _as_party(role: PartyRole, person_id: UUID, given: PersonGiven) -> j.PartyAdded:
    party = _party(role.value, person_id, given.name, given.phone, given.email)
    return replace(party, is_minor=given.is_minor)


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
        details=dict(report.details),
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
