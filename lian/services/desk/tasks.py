"""One task as the desk sees it: who may see it, who may do it, and what stands against it (idea 4, TSK-1, TSK-5).

Every change of hands is one transaction under the case's chain lock, journaled, and never touches the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import own_people, readable_outcome, serves_many, workable_tasks
from lian.db.journal import note_locked
from lian.db.tables import Case, CaseBar, ChainHead, Party, Payee, Staff, Task
from lian.domain import journal as j
from lian.domain.case_kinds import task_kind
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.needs import LICENCE
from lian.domain.tasks import Json, TaskKind
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk_tasks import OFFERS
from lian.services.ports import Rows
from lian.services.recording import name_of_staff, put_on_record

LONGEST_NOTE = 4_000
NO_TASK = "There is no task with this id."
NOT_OPEN = "This task is no longer open."
STALE = "This task has changed since you looked; look again."
DECIDED_BEFORE = "You decided on this case before, or have an interest in it; another person must do this."
THEY_DECIDED = "They decided on this case before, or have an interest in it; another person must do this."
ABOVE_LIMIT = "The amount is above your authority limit."
NO_LICENCE = "This needs a licence you do not have."
_LONG: tuple[Any, ...] = (Case.plan, Case.snapshot, Case.draft, Case.course, Case.triage_findings, Case.risk_findings)
UNREAD = tuple(defer(column, raiseload=True) for column in _LONG)
"""What is long in a case is not for the desk: to read it would take longer than most verbs."""


@dataclass(frozen=True, slots=True)
class TaskOnDesk:
    """A task with its case and its definition; `offered` are the choices that depend on the case as it stands."""

    task: Task
    case: Case
    offered: Json = field(default_factory=dict)

    @property
    def kind(self) -> TaskKind:
        """What is asked."""
        return task_kind(self.case.kind, self.task.kind)

    @property
    def ask(self) -> Json:
        """The question as it is on record, with what may be chosen now."""
        ask = self.task.ask
        return ask | {"options": ask.get("options", {}) | self.offered} if self.offered else ask

    def authority_of(self, actor: Actor) -> Decimal:
        """The amount this person may decide alone here (CLM-9)."""
        return actor.authority_for(self.kind.decision, self.case.line)

    def is_held(self, now: datetime) -> bool:
        """Whether it is put aside at this moment."""
        return self.task.hold_until is not None and self.task.hold_until > now


async def find_task(session: AsyncSession, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """The task, if it is the actor's to see; `NotFound` otherwise. Customers see those that are asked of them.

    Whose a question is does not change: it is told by the money it is about.
    """
    row = (await session.execute(_seen_by(actor, _ONE), {"task_id": task_id})).first()
    found = TaskOnDesk(*row) if row else None
    if found is None or (actor.is_customer and not await _is_asked_of(session, actor, found)):
        raise NotFound(NO_TASK)
    return await _with_offers(session, actor, found)


_ONE = (
    select(Task, Case)
    .join(Case, col(Case.id) == col(Task.case_id))
    .where(Task.id == bindparam("task_id"))
    .options(*UNREAD)
    .execution_options(populate_existing=True)
)
_LOCKED: Any = _ONE.join(ChainHead, col(ChainHead.case_id) == col(Task.case_id))
_LOCKED = _LOCKED.add_columns(ChainHead).with_for_update(of=ChainHead)


def _seen_by(actor: Actor, statement: Any) -> Any:
    """The same, within what the actor may see."""
    may_see = workable_tasks(actor)
    return _kept(statement, may_see) if serves_many(may_see) else statement.where(may_see)


@lru_cache
def _kept(statement: Any, may_see: ColumnElement[bool]) -> Any:
    return statement.where(may_see)


async def _with_offers(session: AsyncSession, actor: Actor, found: TaskOnDesk) -> TaskOnDesk:
    offer = OFFERS.get(found.task.kind)
    return replace(found, offered=await offer(session, actor, found.case)) if offer else found


async def _is_asked_of(session: AsyncSession, actor: Actor, found: TaskOnDesk) -> bool:
    """Whether the question is this customer's: about money to them, or to a minor for whom they act, and nobody else.

    What concerns several claimants is answered with our staff: none of them reads another's share or account (SEC-1).
    """
    if not found.kind.by_customer or found.task.ask.get("staff_only"):
        return False
    parties = (await session.execute(select(Party).where(Party.case_id == found.case.id))).scalars().all()
    person_of = {str(party.id): party.person_id for party in parties}
    ask, people = found.task.ask, own_people(actor, parties)
    concerned = {person_of.get(row["party_id"]) for row in ask.get("rows", {}).get("payees", ())}
    if ask.get("payee_id"):
        payee = await session.get(Payee, UUID(ask["payee_id"]))
        concerned.add(payee.person_id if payee and payee.case_id == found.case.id else None)
    return concerned <= people


async def show_task(context: Context, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """One task."""
    async with context.transaction() as session:
        found = await find_task(session, actor, task_id)
    if found.task.outcome is not None:
        found.task.outcome = readable_outcome(actor, found.task.outcome)
    return found


async def tasks_for_customer(context: Context, actor: Actor) -> Sequence[TaskOnDesk]:
    """What is asked of this customer now, oldest first."""
    statement = select(Task, Case).join(Case, col(Case.id) == col(Task.case_id))
    statement = statement.where(Task.status == "open", Task.case_id == actor.case_id).order_by(col(Task.opened_at))
    async with context.transaction() as session:
        found = [TaskOnDesk(task, case) for task, case in (await session.execute(statement)).all()]
        return [each for each in found if await _is_asked_of(session, actor, each)]


# --- changing one -----------------------------------------------------------------------------------------------------


async def locked(session: AsyncSession, actor: Actor, task_id: UUID, version: int | None = None) -> TaskOnDesk:
    """An open task as it is once nobody else writes to its case. Tasks do not change hands among customers.

    Raises `Conflict` when it is closed, or no longer what somebody saw who names a `version`.
    """
    found = await locked_open_or_not(session, actor, task_id)
    refuse_closed(found)
    await refuse_stale(session, actor, found, version)
    return found


async def locked_open_or_not(session: AsyncSession, actor: Actor, task_id: UUID) -> TaskOnDesk:
    """The same, also of a task that is closed by now."""
    if actor.is_customer:
        raise NotFound(NO_TASK)
    row = (await session.execute(_seen_by(actor, _LOCKED), {"task_id": task_id})).first()
    if row is None:
        raise NotFound(NO_TASK)
    task, case, head = row
    note_locked(session, head)
    # The head is read once it is locked, task and case before that: somebody else may have written in between.
    is_current = case.version == head.chain_seq
    return await (
        _with_offers(session, actor, TaskOnDesk(task, case)) if is_current else find_task(session, actor, task_id)
    )


async def note(context: Context, session: AsyncSession, actor: Actor, found: TaskOnDesk, *events: j.Event) -> None:
    """Put on record what the actor did with the task."""
    recorded = [j.Recorded(at=context.now(), actor=actor.id, event=event) for event in events]
    await put_on_record(context, session, case_id=found.case.id, recorded=recorded)


# --- what stands against it -------------------------------------------------------------------------------------------


def refuse_closed(found: TaskOnDesk) -> None:
    """Raise `Conflict` for a task that is no longer open."""
    if found.task.status != "open":
        raise Conflict(NOT_OPEN)


async def refuse_stale(session: AsyncSession, actor: Actor, found: TaskOnDesk, version: int | None) -> None:
    """Raise `Conflict` when the task is no longer what the actor saw; it names whoever has it meanwhile."""
    if version is None or version == found.task.version:
        return
    if found.task.holder and found.task.holder != actor.id:
        name = await name_of_staff(session, found.task.holder)
        raise Conflict(f"This task has changed since you looked; {name} has it.", holder=name)
    raise Conflict(STALE)


async def refuse_barred(rows: Rows, actor: Actor, case: Case) -> None:
    """Raise `NotAllowed` for whoever must not work on this case at all, nor say who does and when (TSK-5)."""
    if await rows.get(CaseBar, (case.id, actor.id)):
        raise NotAllowed("You have a conflict of interest on this case; another person must do this.")


def refuse_unsuited(actor: Actor, found: TaskOnDesk, today: date) -> None:
    """Raise `NotAllowed` for whoever may not do the task: role, conflict of interest, limit, licence (TSK-5, CLM-9)."""
    actor.require(found.kind.permission)
    if actor.id in found.task.excluded:
        raise NotAllowed(DECIDED_BEFORE)
    if found.authority_of(actor) < found.task.least_authority:
        raise NotAllowed(ABOVE_LIMIT)
    if not licences_of(found) <= actor.skills_on(today):
        raise NotAllowed(NO_LICENCE)


def licences_of(found: TaskOnDesk) -> frozenset[str]:
    """What somebody must be licensed for who does the task, however long it waits."""
    return frozenset(skill for skill in found.task.skills if skill.startswith(LICENCE))


def against(person: Actor, found: TaskOnDesk, today: date) -> str:
    """Why a task cannot be given to this person; empty when it can."""
    if not person.may(found.kind.permission):
        return "This is not work of their role."
    if person.id in found.task.excluded:
        return THEY_DECIDED
    if found.authority_of(person) < found.task.least_authority:
        return "The amount is above their authority limit."
    if not licences_of(found) <= person.skills_on(today):
        return "This needs a licence they do not have."
    return ""


def refuse_other_queue(actor: Actor, found: TaskOnDesk) -> None:
    """Queues say what one may draw from; what a lead assigned may come from any."""
    if not actor.has_queue(found.task.queue):
        raise NotAllowed("This queue is not yours.")


async def refuse_not_held(rows: Rows, actor: Actor, found: TaskOnDesk) -> None:
    """Raise `Conflict`, naming the holder, unless the actor has the task."""
    if found.task.holder != actor.id:
        name = await name_of_staff(rows, found.task.holder)
        raise Conflict(f"{name} has this task." if name else "Nobody has this task: take it on first.", holder=name)


async def refuse_beyond_reach(rows: Rows, actor: Actor, found: TaskOnDesk) -> None:
    """What a lead does with work of others: only within their team, and in no case that is not for them (TSK-5)."""
    await refuse_barred(rows, actor, found.case)
    await refuse_other_team(rows, actor, found.task.holder)


async def refuse_other_team(rows: Rows, actor: Actor, holder: str) -> None:
    """A lead moves the work of their own team; whoever may hand out any team's work moves everybody's.

    People outside are of no team: they work for all of them.
    """
    if not holder or holder == actor.id or actor.may("task:assign_any"):
        return
    person = await staff_of(rows, holder)
    if person is not None and not person.is_outside and person.team != actor.team:
        raise NotAllowed("This task is with another team.")


async def staff_of(rows: Rows, actor: str) -> Actor | None:
    """The member of staff behind an actor id, also one whose account is closed."""
    account = await _account(rows, actor)
    return actor_for(account) if account else None


async def active_staff_of(rows: Rows, actor: str) -> Actor | None:
    """The same, while their account is open: nobody else is given work."""
    account = await _account(rows, actor)
    return actor_for(account) if account and account.active else None


async def _account(rows: Rows, actor: str) -> Staff | None:
    return await rows.get(Staff, UUID(actor.removeprefix("staff:"))) if actor.startswith("staff:") else None


async def colleague(session: AsyncSession, username: str, field: str = "to") -> Actor:
    """The active account of this name. Raises `Invalid` for the field that names it when there is none."""
    staff = (await session.execute(select(Staff).where(Staff.username == username))).scalars().first()
    if staff is None or not staff.active:
        raise Invalid("There is no active account with this user name.", field=field)
    return actor_for(staff)


def said_in(words: str, *, is_needed: bool) -> str:
    """What somebody said, without the blanks around it. Raises `Invalid` for the field `note`."""
    said = words.strip()
    if is_needed and not said:
        raise Invalid("Say why.", field="note")
    if len(said) > LONGEST_NOTE:
        raise Invalid(f"This is longer than {LONGEST_NOTE} characters.", field="note")
    return said
