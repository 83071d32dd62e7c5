"""Opening a case of any kind from its definition's form (idea 5), and what every way of opening one shares.

Acknowledged once it is stored, whether or not the process can be reached; one key opens one case.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from lian.auth.actor import Actor
from lian.db.tables import IdempotencyKey, Person
from lian.domain import journal as j
from lian.domain.calendars import CalendarNotCovered
from lian.domain.case_kind import NUMBER_OF_POLICY, CaseKind, Intake
from lian.domain.case_kinds import KINDS, kind_of
from lian.domain.claims.fnol import PersonGiven
from lian.domain.errors import Conflict, Invalid, NotFound
from lian.domain.parties import Channel, PartyRole
from lian.domain.plan import CasePlan
from lian.domain.sla import ClockLedger, due_at
from lian.services.context import Context
from lian.services.outcomes import dump_outcome, parse_outcome
from lian.services.packs import plan_for
from lian.services.policies import parties_of
from lian.services.recording import put_on_record

Json = dict[str, Any]
PLAN = TypeAdapter(CasePlan)
PERSON = TypeAdapter(PersonGiven)
LONGEST = {"name": 200, "phone": 40, "email": 254}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The answer to a report: its number, for people, and its id, for machines."""

    case_id: UUID
    number: str
    status: str
    promised_at: datetime | None


REGISTERED = TypeAdapter(Registered)


def intakes() -> dict[str, tuple[CaseKind, Intake]]:
    """The kinds whose cases are opened with a form, by id."""
    return {kind.id: (kind, kind.intake) for kind in KINDS.values() if kind.intake}


def intake_of(kind: str) -> tuple[CaseKind, Intake]:
    """A kind with its form. Raises `NotFound` for an unknown kind, or one whose cases begin in another way."""
    definition = kind_of(kind)
    if definition.intake is None:
        raise NotFound("Cases of this kind are not opened with a form.")
    return definition, definition.intake


async def open_case(
    context: Context, actor: Actor, kind: str, *, answers: Json, reporter: PersonGiven, channel: Channel, key: str
) -> tuple[Registered, bool]:
    """Open a case with the answers to its kind's form; returns what to acknowledge and whether it is new.

    One transaction stores case, journal and outbox row under the idempotency key: repeats get the first answer, also
    while the process cannot be reached. Raises `NotFound` for a kind that has no form, `Invalid` with nothing stored,
    `Conflict` for a key that was used for something else.
    """
    definition, intake = intake_of(kind)
    reporter = _checked(reporter)
    given = parse_outcome(intake, answers)
    intake.check(given, {})
    dumped, now = dump_outcome(given), context.now()
    said = {"kind": kind, "answers": dumped, "reporter": PERSON.dump_python(reporter, mode="json"), "channel": channel}
    async with context.transaction() as session:
        request_hash = request_hash_of(said)
        earlier = await earlier_answer(session, actor, key, request_hash)
        if earlier:
            return earlier, False
        answer = await _register(context, session, actor, definition, _reported(intake, dumped), reporter, channel, now)
        remember_answer(session, actor, key, request_hash, answer, now)
    return answer, True


def _checked(reporter: PersonGiven) -> PersonGiven:
    given = PersonGiven(name=reporter.name.strip(), phone=reporter.phone.strip(), email=reporter.email.strip())
    if not given.name:
        raise Invalid("A name is needed.", field="name")
    if not (given.phone or given.email):
        raise Invalid("A phone number or an e-mail address is needed to reach the reporter.", field="reporter")
    for name, most in LONGEST.items():
        if len(getattr(given, name)) > most:
            raise Invalid(f"At most {most} characters.", field=name)
    return given


def _reported(intake: Intake, answers: Json) -> j.CaseReported:
    """Coded answers in the open, words sealed; a policy's number where every kind has it."""
    words = "\n\n".join(str(answers[name]).strip() for name in intake.personal if answers[name])
    return j.CaseReported(
        facts={name: answers[name] for name in intake.coded},
        policy_number=str(answers.get(NUMBER_OF_POLICY, "")).strip(),
        text=words,
    )


async def _register(
    context: Context,
    session: AsyncSession,
    actor: Actor,
    kind: CaseKind,
    reported: j.CaseReported,
    reporter: PersonGiven,
    channel: Channel,
    now: datetime,
) -> Registered:
    case_id, number = uuid4(), await next_number(context, session, kind, now)
    person_id = await _reporter(session, reporter, reported.policy_number, now)
    plan = await plan_of(context, session, kind, "", now)
    promised_at = promised_by(plan, kind, now)
    # Whoever opened it is on record: agents see the cases they brought, and theirs are an agent's whatever they say.
    brought = Channel.AGENT if actor.may("case:read_own") else channel
    events = [
        j.CaseDrafted(number=number, kind=kind.id, channel=brought, subject_person_id=person_id, opened_by=actor.id),
        reported,
        j.PartyAdded(
            party_id=uuid4(),
            person_id=person_id,
            role=PartyRole.REPORTER.value,
            name=reporter.name,
            phone=reporter.phone,
            email=reporter.email,
        ),
        j.CaseSubmitted(received_at=now, plan=PLAN.dump_python(plan, mode="json"), promised_at=promised_at),
    ]
    recorded = [j.Recorded(at=now, actor=actor.id, event=event) for event in events]
    await put_on_record(context, session, case_id=case_id, recorded=recorded)
    return Registered(case_id=case_id, number=number, status="open", promised_at=promised_at)


async def _reporter(session: AsyncSession, reporter: PersonGiven, policy_number: str, now: datetime) -> UUID:
    """Known people of the policy that was named keep their id; nothing tells the reporter whether there is one."""
    known = (await parties_of(session, policy_number)).values() if policy_number else ()
    return await person_of(session, reporter, {(p.name, p.phone or p.email): p.id for p in known}, now)


# --- what every way of opening a case shares --------------------------------------------------------------------------


def request_hash_of(said: Any) -> str:
    """What tells a repeat from another request under the same key."""
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


async def earlier_answer(session: AsyncSession, actor: Actor, key: str, request_hash: str) -> Registered | None:
    """The first answer under this key, if there is one. Raises `Conflict` when it was used for something else."""
    # Fifty equal posts at once: one goes on, the others wait here for its answer.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"{actor.id}/{key}"})
    row = await session.get(IdempotencyKey, (actor.id, key))
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise Conflict("This Idempotency-Key was used for a different report.")
    return REGISTERED.validate_python(row.response)


def remember_answer(
    session: AsyncSession, actor: Actor, key: str, request_hash: str, answer: Registered, now: datetime
) -> None:
    """Keep the answer for repeats, in the transaction that opens the case."""
    response = REGISTERED.dump_python(answer, mode="json")
    row = IdempotencyKey(scope=actor.id, key=key, request_hash=request_hash, response=response, created_at=now)
    session.add(row)


async def next_number(context: Context, session: AsyncSession, kind: CaseKind, now: datetime) -> str:
    """The next case number of a kind; the year is the office's."""
    n = (await session.execute(text("SELECT nextval('case_number')"))).scalar_one()
    return f"{kind.prefix}-{now.astimezone(context.settings.zone).year}-{n:06d}"


async def plan_of(
    context: Context, session: AsyncSession, kind: CaseKind, line: str, received_at: datetime
) -> CasePlan:
    """What a case of this kind is promised by the packs in force on the day of its receipt; frozen into the case."""
    return await plan_for(
        session,
        kind=kind,
        jurisdiction=context.settings.jurisdiction,
        line=line,
        on=received_at.astimezone(context.settings.zone).date(),
        office_calendar=context.settings.office_calendar,
        received_at=received_at,
    )


def promised_by(plan: CasePlan, kind: CaseKind, received_at: datetime) -> datetime | None:
    """When the promise the customer is told of falls due; none while the calendar of that year is not published."""
    policy = plan.clock(kind.promise)
    try:
        return due_at(policy=policy, calendar=plan.calendar_of(policy), ledger=ClockLedger(received_at))
    except CalendarNotCovered:
        return None


async def person_of(
    session: AsyncSession, given: PersonGiven, by_contact: dict[tuple[str, str], UUID], now: datetime
) -> UUID:
    """The id of the person who is meant: a known one with this name and contact, or a new one."""
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
