"""Reading cases: one by number, its timeline, and lists; always within what the actor may see."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col, select

from lian.auth.actor import Actor
from lian.auth.visibility import (
    SUSPICION_TASKS,
    may_read_document,
    of_suspicion,
    own_people,
    readable_outcome,
    readable_wait,
    sees_inside,
    tells_of_suspicion,
    visible_cases,
)
from lian.db.journal import history
from lian.db.tables import (
    Case,
    CaseLink,
    CaseTag,
    Clock,
    CommandReceipt,
    Correction,
    Decision,
    Document,
    DocumentRequest,
    Exposure,
    Investigation,
    JournalEntry,
    Message,
    Objection,
    Panel,
    PanelVote,
    Party,
    Payee,
    Payment,
    RecoveryClaim,
    Referral,
    Task,
)
from lian.domain.errors import Conflict, NotFound
from lian.domain.messages import CommandResult
from lian.domain.parties import PartyRole
from lian.domain.status import PaymentStatus
from lian.services.context import Context

T = TypeVar("T", bound=SQLModel)

NO_CASE = "There is no case with this number."


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSeen:
    """Another case that belongs with this one. `is_back`: it points here, rather than from here."""

    number: str
    relation: str
    is_back: bool
    reasons: tuple[str, ...]
    linked_at: datetime
    linked_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case and everything that belongs to it.

    What stands after `messages` is our inside: empty for customers and people outside, referrals and risk also for
    staff who may not read them.
    """

    case: Case
    parties: Sequence[Party]
    exposures: Sequence[Exposure]
    clocks: Sequence[Clock]
    requests: Sequence[DocumentRequest]
    tasks: Sequence[Task]
    documents: Sequence[Document]
    decisions: Sequence[Decision]
    payees: Sequence[Payee]
    payments: Sequence[Payment]
    messages: Sequence[Message]
    objections: Sequence[Objection] = ()
    links: Sequence[LinkSeen] = ()
    tags: Sequence[CaseTag] = ()
    investigations: Sequence[Investigation] = ()
    referrals: Sequence[Referral] = ()
    panels: Sequence[Panel] = ()
    panel_votes: Sequence[PanelVote] = ()
    corrections: Sequence[Correction] = ()
    recoveries: Sequence[RecoveryClaim] = ()


async def find_case(session: AsyncSession, actor: Actor, number: str) -> Case:
    """The case with this number. Raises `NotFound`, alike when there is none and when it is not the actor's to see."""
    query = select(Case).where(Case.number == number, visible_cases(actor))
    case = (await session.execute(query)).scalars().first()
    if case is None:
        raise NotFound(NO_CASE)
    return case


async def earlier_result(session: AsyncSession, case_id: UUID, command_id: str) -> CommandResult | None:
    """What this command on the case came to, if it was given before. Raises `Conflict` for another case's command."""
    receipt = await session.get(CommandReceipt, command_id)
    if receipt is None:
        return None
    if receipt.case_id != case_id:
        raise Conflict("This command was given for another case; reload and try again.")
    return CommandResult(command_id=command_id, seq=receipt.result["seq"])


async def case_file(context: Context, actor: Actor, number: str) -> CaseFile:
    """Everything on a case; for people outside what they work with, for its customer what is theirs."""
    file = await _whole_file(context, actor, number)
    if actor.is_customer:
        return for_customer(file, actor)
    return for_outside(file, actor) if actor.is_outside else file


async def _whole_file(context: Context, actor: Actor, number: str) -> CaseFile:
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        session.expunge(case)  # cut from the session, so that nothing of the veil is stored
        veil(actor, case)
        return CaseFile(
            case=case,
            parties=await _of(session, Party, case.id, Party.role),
            exposures=await _of(session, Exposure, case.id, Exposure.coverage_code),
            clocks=await _of(session, Clock, case.id, Clock.started_at),
            requests=await _requests(session, actor, case.id),
            tasks=_readable(actor, await _of(session, Task, case.id, Task.opened_at)),
            documents=await _of(session, Document, case.id, Document.received_at),
            decisions=await _of(session, Decision, case.id, Decision.decided_at),
            payees=await _of(session, Payee, case.id, Payee.id),
            payments=await _of(session, Payment, case.id, Payment.requested_at),
            messages=await _of(session, Message, case.id, Message.written_at),
            **await _inside(session, actor, case),
        )


def veil(actor: Actor, case: Case) -> None:
    """Take off a row what is not for everybody."""
    if not (actor.may("risk:read") and sees_inside(actor)):
        case.risk_score, case.risk_level, case.risk_findings = 0, "", []
    if not sees_inside(actor):
        case.triage_findings, case.complexity, case.severity = [], "", ""


def _readable(actor: Actor, tasks: Sequence[Task]) -> Sequence[Task]:
    """That a suspicion is looked into is for readers of risk alone."""
    return [task for task in tasks if actor.may("risk:read") or task.kind not in SUSPICION_TASKS]


async def _requests(session: AsyncSession, actor: Actor, case_id: UUID) -> Sequence[DocumentRequest]:
    found: Sequence[DocumentRequest] = await _of(session, DocumentRequest, case_id, DocumentRequest.opened_at)
    for request in found:
        session.expunge(request)
        request.reason = readable_wait(actor, request.reason)
    return found


async def _inside(session: AsyncSession, actor: Actor, case: Case) -> dict[str, Any]:
    if actor.is_customer:
        return {"objections": await _of(session, Objection, case.id, Objection.lodged_at)}
    if not sees_inside(actor):
        return {}
    return {
        "objections": await _of(session, Objection, case.id, Objection.lodged_at),
        "links": await _links(session, actor, case),
        "tags": await _of(session, CaseTag, case.id, CaseTag.code),
        "investigations": await _of(session, Investigation, case.id, Investigation.reported_at),
        "referrals": await _of(session, Referral, case.id, Referral.referred_at) if actor.may("risk:read") else [],
        "panels": await _of(session, Panel, case.id, Panel.convened_at),
        "panel_votes": await _of(session, PanelVote, case.id, PanelVote.voted_at),
        "corrections": await _of(session, Correction, case.id, Correction.proposed_at),
        "recoveries": await _of(session, RecoveryClaim, case.id, RecoveryClaim.opened_at),
    }


async def _links(session: AsyncSession, actor: Actor, case: Case) -> list[LinkSeen]:
    """Links from here and to here, to cases the actor may see."""
    found = []
    mine, other = col(CaseLink.case_id), col(CaseLink.other_case_id)
    for here, there, is_back in ((mine, other, False), (other, mine, True)):
        query = select(CaseLink, Case.number).join(Case, col(Case.id) == there).where(here == case.id)
        for link, number in await session.execute(query.where(visible_cases(actor))):
            found.append(_link_seen(link, number, is_back=is_back))
    return sorted(found, key=lambda link: (link.linked_at, link.number))


def _link_seen(link: CaseLink, number: str, *, is_back: bool) -> LinkSeen:
    return LinkSeen(
        number=number,
        relation=link.relation,
        is_back=is_back,
        reasons=tuple(link.reasons),
        linked_at=link.linked_at,
        linked_by=link.linked_by,
    )


async def _of(session: AsyncSession, model: type[Any], case_id: UUID, order: Any) -> Sequence[Any]:
    return list((await session.execute(select(model).where(model.case_id == case_id).order_by(order))).scalars())


# --- customers --------------------------------------------------------------------------------------------------------


def for_customer(file: CaseFile, actor: Actor) -> CaseFile:
    """The file as its customer sees it (SEC-1): of several claimants' losses and money only their own."""
    people = own_people(actor, file.parties)
    claimants = {party.id for party in file.parties if party.person_id in people}
    exposures = [exposure for exposure in file.exposures if exposure.claimant_party_id in claimants]
    payees = [payee for payee in file.payees if payee.person_id in people]
    paid = {payee.id for payee in payees}
    payments = [payment for payment in file.payments if payment.payee_id in paid]
    vouchers = {payment.voucher_document_id for payment in payments}
    documents = [document for document in file.documents if may_read_document(actor, document, vouchers)]
    own = replace(file, exposures=exposures, payees=payees, payments=payments, documents=documents)
    if len(exposures) < len(file.exposures):  # the whole less their own is what others get
        _show_own_amounts(own)
    return own


def _show_own_amounts(file: CaseFile) -> None:
    case, none = file.case, Decimal(0)
    paid = (p.amount for p in file.payments if p.status == PaymentStatus.CONFIRMED)
    approved = (e.payable_amount for e in file.exposures if is_decided(file))
    case.claimed_amount = sum((e.claimed_amount for e in file.exposures), none)
    case.approved_amount, case.paid_amount = sum(approved, none), sum(paid, none)


def is_decided(file: CaseFile) -> bool:
    """Whether the newest decision on the claim is final (CLM-11)."""
    on_claim = [d for d in file.decisions if d.subject == "claim"]
    return bool(on_claim) and on_claim[-1].status == "final"


# --- people outside: what is not listed here, they do not see ---------------------------------------------------------

CASE_OUTSIDE = (
    *("id", "number", "kind", "status", "stage", "generation", "channel", "opened_by", "subject_person_id", "outcome"),
    *("policy_number", "line", "loss_cause", "loss_at", "injured", "minors", "details", "place", "course", "snapshot"),
    *("reported_at", "opened_at", "received_at", "reopened_at", "closed_at", "promised_at", "currency"),
    *("claimed_amount", "version"),
)
"""The loss and how far the case is; neither scores nor what we think it is worth."""
EXPOSURE_OUTSIDE = ("id", "case_id", "coverage_code", "claimant_party_id", "claimed_amount")
PARTY_OUTSIDE = ("id", "case_id", "person_id", "role", "is_minor", "represents", "name")
CONTACT = ("phone", "email")
CLOCK_OUTSIDE = (
    *("case_id", "clock", "policy", "started_at", "pauses", "due_at", "warn_at", "breached_at", "stopped_at", "status"),
    *("calendar", "extended", "rebased_at", "consumed_seconds"),
)
"""Not who answers for a broken promise, nor whom we alerted."""


def for_outside(file: CaseFile, actor: Actor) -> CaseFile:
    """The file as an agent or an external adjuster sees it (SEC-1): the loss, their tasks, the papers for them.

    Of contact data they see the reporter's, with whom they make appointments.
    """
    seen: dict[str, Any] = {
        "case": case_outside(file.case),
        "parties": [_party_outside(party) for party in file.parties],
        "exposures": [_only(exposure, EXPOSURE_OUTSIDE) for exposure in file.exposures],
        "clocks": [_only(clock, CLOCK_OUTSIDE) for clock in file.clocks],
        "requests": file.requests,
        "tasks": [task for task in file.tasks if actor.id in {task.holder, task.completed_by}],
        "documents": [document for document in file.documents if may_read_document(actor, document)],
    }
    nothing: dict[str, Any] = {each.name: () for each in fields(CaseFile)}
    return CaseFile(**nothing | seen)


def case_outside(case: Case) -> Case:
    """The case's row for people outside."""
    return _only(case, CASE_OUTSIDE)


def _party_outside(party: Party) -> Party:
    is_reporter = party.role == PartyRole.REPORTER.value
    return _only(party, (*PARTY_OUTSIDE, *CONTACT) if is_reporter else PARTY_OUTSIDE)


def _only(row: T, names: Collection[str]) -> T:
    return type(row)(**{name: getattr(row, name) for name in names})


async def timeline(
    context: Context, actor: Actor, number: str, *, after: int = 0, limit: int = 200
) -> Sequence[JournalEntry]:
    """The case's journal after a chain position, oldest first, readable (SEC-3). Not for people outside.

    What it tells of risk and suspicion is left out for those who may not read it.
    """
    actor.require("case:read")
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        hidden = set() if actor.may("risk:read") else await _suspicion_tasks(session, case.id)
        found: list[JournalEntry] = []
        while len(found) < limit:
            entries = await history(session, context.ring, case, after=after, limit=limit)
            found += [e for e in entries if actor.may("risk:read") or not tells_of_suspicion(e.type, e.body, hidden)]
            if len(entries) < limit:
                break
            after = entries[-1].chain_seq
    for entry in found:
        if isinstance(outcome := entry.body.get("outcome"), dict):
            entry.body = entry.body | {"outcome": readable_outcome(actor, outcome)}
    return found[:limit]


async def _suspicion_tasks(session: AsyncSession, case_id: UUID) -> set[str]:
    query = select(Task.id).where(Task.case_id == case_id, of_suspicion())
    return {str(task_id) for task_id in (await session.execute(query)).scalars()}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """Filters of a case list; empty means any."""

    kind: str = ""
    status: str = ""
    stage: str = ""
    text: str = ""
    """A case number or policy number."""
    late_at: datetime | None = None
    """Only cases with a promise that is broken at this instant and still open."""
    tag: str = ""
    """A tag with its code, such as `catastrophe:HAIKUI-2026`."""
    before: tuple[datetime, UUID] | None = None
    limit: int = 50


async def list_cases(context: Context, actor: Actor, query: CaseQuery) -> Sequence[Case]:
    """Cases, newest first, one page; `before` is the last row of the page before. A customer has one at most."""
    statement = select(Case).where(visible_cases(actor), *_wanted(query))
    statement = statement.order_by(col(Case.opened_at).desc(), col(Case.id).desc()).limit(query.limit)
    async with context.transaction() as session:
        found = list((await session.execute(statement)).scalars())
    if actor.is_customer:
        return [(await case_file(context, actor, case.number)).case for case in found]
    for case in found:  # no session holds them any more
        veil(actor, case)
    return [case_outside(case) for case in found] if actor.is_outside else found


def _wanted(query: CaseQuery) -> Iterator[ColumnElement[bool]]:
    for column, wanted in ((Case.kind, query.kind), (Case.status, query.status), (Case.stage, query.stage)):
        if wanted:
            yield col(column) == wanted
    if query.text:
        yield (col(Case.number) == query.text) | (col(Case.policy_number) == query.text)
    if query.late_at:
        open_ = (col(Clock.stopped_at).is_(None)) & (col(Clock.status) != "cancelled")
        late = select(Clock.case_id).where(Clock.case_id == Case.id, open_, col(Clock.due_at) < query.late_at)
        yield late.exists()
    if query.tag:
        yield _carries(query.tag)
    if query.before:
        yield _older(*query.before)


def _older(opened_at: datetime, case_id: UUID) -> ColumnElement[bool]:
    return (col(Case.opened_at) < opened_at) | ((col(Case.opened_at) == opened_at) & (col(Case.id) < case_id))


def _carries(tag: str) -> ColumnElement[bool]:
    kind, _, code = tag.partition(":")
    return select(CaseTag.code).where(CaseTag.case_id == Case.id, CaseTag.tag == kind, CaseTag.code == code).exists()


@dataclass(frozen=True, slots=True)
class CaseFace:
    """What a list shows of a case beside its row: its promises, and whose case it is."""

    clocks: Sequence[Clock]
    claimants: Sequence[str]


async def faces(context: Context, actor: Actor, case_ids: Collection[UUID]) -> dict[UUID, CaseFace]:
    """The faces of the cases among these that the actor may see; three queries however long the list."""
    async with context.transaction() as session:
        query = select(Case.id).where(col(Case.id).in_(case_ids), visible_cases(actor))
        seen = set((await session.execute(query)).scalars())
        clocks = (await session.execute(select(Clock).where(col(Clock.case_id).in_(seen)))).scalars().all()
        query_people = select(Party).where(col(Party.case_id).in_(seen), col(Party.role).in_(CUSTOMERS))
        people = (await session.execute(query_people.order_by(col(Party.id)))).scalars().all()
    return {
        case_id: CaseFace(
            [clock for clock in clocks if clock.case_id == case_id],
            customers([party for party in people if party.case_id == case_id]),
        )
        for case_id in seen
    }


CUSTOMERS = (PartyRole.CLAIMANT, PartyRole.COMPLAINANT, PartyRole.REPORTER)
"""Whose case it is: those of the first of these roles that anybody has."""


def customers(parties: Sequence[Party]) -> list[str]:
    """The names of those whose case it is."""
    role = next((role for role in CUSTOMERS if any(p.role == role for p in parties)), None)
    return [p.name for p in parties if p.role == role]


def rows_to_json(rows: Sequence[SQLModel]) -> list[dict[str, Any]]:
    """Plain values of table rows, for shaping into wire schemas."""
    return [row.model_dump() for row in rows]
