"""Reading cases: one by number, its timeline, and lists; always within what the actor may see."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col, select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.journal import history
from lian.db.tables import (
    Case,
    Clock,
    CommandReceipt,
    Decision,
    Document,
    DocumentRequest,
    Exposure,
    JournalEntry,
    Message,
    Party,
    Payee,
    Payment,
    Staff,
    Task,
)
from lian.domain.errors import Conflict, NotFound
from lian.domain.messages import CommandResult
from lian.domain.parties import PartyRole
from lian.services.context import Context

NO_CASE = "There is no case with this number."


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case and everything that belongs to it."""

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
    """Everything on a case."""
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        return CaseFile(
            case=case,
            parties=await _of(session, Party, case.id, Party.role),
            exposures=await _of(session, Exposure, case.id, Exposure.coverage_code),
            clocks=await _of(session, Clock, case.id, Clock.started_at),
            requests=await _of(session, DocumentRequest, case.id, DocumentRequest.opened_at),
            tasks=await _of(session, Task, case.id, Task.opened_at),
            documents=await _of(session, Document, case.id, Document.received_at),
            decisions=await _of(session, Decision, case.id, Decision.decided_at),
            payees=await _of(session, Payee, case.id, Payee.id),
            payments=await _of(session, Payment, case.id, Payment.requested_at),
            messages=await _of(session, Message, case.id, Message.written_at),
        )


async def _of(session: AsyncSession, model: type[Any], case_id: UUID, order: Any) -> Sequence[Any]:
    return list((await session.execute(select(model).where(model.case_id == case_id).order_by(order))).scalars())


async def timeline(
    context: Context, actor: Actor, number: str, *, after: int = 0, limit: int = 200
) -> Sequence[JournalEntry]:
    """The case's journal after a chain position, oldest first, readable (SEC-3)."""
    actor.require("case:read")
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        return await history(session, context.ring, case, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """Filters of a case list; empty means any."""

    status: str = ""
    stage: str = ""
    text: str = ""
    """A case number or policy number."""
    late_at: datetime | None = None
    """Only cases with a promise that is broken at this instant and still open."""
    before: tuple[datetime, UUID] | None = None
    limit: int = 50


async def list_cases(context: Context, actor: Actor, query: CaseQuery) -> Sequence[Case]:
    """Cases, newest first, one page; `before` is the last row of the page before."""
    statement = select(Case).where(visible_cases(actor))
    if query.status:
        statement = statement.where(Case.status == query.status)
    if query.stage:
        statement = statement.where(Case.stage == query.stage)
    if query.text:
        statement = statement.where((Case.number == query.text) | (Case.policy_number == query.text))
    if query.late_at:
        open_ = (col(Clock.stopped_at).is_(None)) & (col(Clock.status) != "cancelled")
        late = select(Clock.case_id).where(Clock.case_id == Case.id, open_, col(Clock.due_at) < query.late_at)
        statement = statement.where(late.exists())
    if query.before:
        opened_at, case_id = query.before
        older = (col(Case.opened_at) < opened_at) | ((col(Case.opened_at) == opened_at) & (col(Case.id) < case_id))
        statement = statement.where(older)
    statement = statement.order_by(col(Case.opened_at).desc(), col(Case.id).desc()).limit(query.limit)
    async with context.transaction() as session:
        return list((await session.execute(statement)).scalars())


@dataclass(frozen=True, slots=True)
class CaseFace:
    """What a list shows of a case beside its row: its promises, and who claims."""

    clocks: Sequence[Clock]
    claimants: Sequence[str]


async def faces(context: Context, actor: Actor, case_ids: Collection[UUID]) -> dict[UUID, CaseFace]:
    """The faces of the cases among these that the actor may see; three queries however long the list."""
    async with context.transaction() as session:
        query = select(Case.id).where(col(Case.id).in_(case_ids), visible_cases(actor))
        seen = set((await session.execute(query)).scalars())
        clocks = (await session.execute(select(Clock).where(col(Clock.case_id).in_(seen)))).scalars().all()
        people = select(Party.case_id, Party.name).where(
            col(Party.case_id).in_(seen), Party.role == PartyRole.CLAIMANT.value
        )
        names = (await session.execute(people.order_by(col(Party.id)))).all()
    return {
        case_id: CaseFace(
            [clock for clock in clocks if clock.case_id == case_id], [name for owner, name in names if owner == case_id]
        )
        for case_id in seen
    }


async def names_of(context: Context, actors: set[str]) -> dict[str, str]:
    """Display names of the staff and customers among these actor ids."""
    staff, customers = _ids(actors, "staff:"), _ids(actors, "customer:")
    async with context.transaction() as session:
        known = (await session.execute(select(Staff).where(col(Staff.id).in_(staff)))).scalars()
        parties = (await session.execute(select(Party).where(col(Party.id).in_(customers)))).scalars()
        return {f"staff:{s.id}": s.name for s in known} | {f"customer:{p.id}": p.name for p in parties}


def _ids(actors: set[str], beginning: str) -> list[UUID]:
    return [UUID(actor.removeprefix(beginning)) for actor in actors if actor.startswith(beginning)]


def rows_to_json(rows: Sequence[SQLModel]) -> list[dict[str, Any]]:
    """Plain values of table rows, for shaping into wire schemas."""
    return [row.model_dump() for row in rows]
