"""Giving tasks to people by rules: by what they can do, by what they have, and by who knows the case (TSK-3).

Rules give nobody what they could not have taken, and nobody more than they can take. Whoever deals does so alone for
the moment in which somebody is chosen, so that what people have in hand is counted while no other rule adds to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import SYSTEM, Actor, staff_ids
from lian.auth.visibility import workable_tasks
from lian.db.journal import lock_chain
from lian.db.tables import Case, CaseBar, Staff, Task
from lian.domain import journal as j
from lian.domain.case_kinds import task_kind
from lian.domain.dealing import Candidate, Choice, DealReason, choose, why_nobody
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound, Unavailable
from lian.domain.needs import read_needs
from lian.domain.queues import QUEUES, UNROUTED
from lian.domain.status import TaskStatus
from lian.services.context import Context
from lian.services.desk.candidates import Pool, free_needs, pool_of, who_knows
from lian.services.desk.lists import IS_FREE, IS_OPEN
from lian.services.desk.tasks import TaskOnDesk, locked, refuse_barred
from lian.services.recording import put_on_record
from lian.settings import Settings, UnsafeSettings

AT_ONCE = 50
MOST_DEALT = 200
MOST_LOOKED_AT = 1_000
"""Free tasks that one round looks at, where many are for nobody at the moment."""
ONE_AT_A_TIME = "deal"
HOW = "automatic"

Reasons = Mapping[DealReason, int]
Place = tuple[int, UUID]


@dataclass(frozen=True, slots=True)
class Dealt:
    """A task that was given to somebody, by which choice."""

    found: TaskOnDesk
    choice: Choice


@dataclass(frozen=True, slots=True)
class NotDealt:
    """A task that nobody can be given, and how many candidates each reason keeps from it."""

    found: TaskOnDesk
    reasons: Reasons


@dataclass(slots=True)
class Round:
    """What one round did. `unmet`: needs of free tasks that nobody can be given now, whichever task it is."""

    dealt: list[Dealt] = field(default_factory=list)
    not_dealt: list[NotDealt] = field(default_factory=list)
    unmet: dict[str, Reasons] = field(default_factory=dict)
    busy: int = 0
    """Cases that others were writing to for too long; their tasks lie where they lay."""


# --- one task ---------------------------------------------------------------------------------------------------------


async def deal_task(context: Context, actor: Actor, task_id: UUID, *, version: int | None = None) -> Dealt:
    """Give one free task to whoever the rules choose. Needs `task:assign`; a lead's own team is their reach.

    Raises `Conflict` when somebody has it, it is put aside, lies in the error queue, or nobody can be given it.
    """
    actor.require("task:assign")
    async with context.transaction() as session:
        found = await locked(session, actor, task_id, version)
        await refuse_barred(session, actor, found.case)
        if not _is_free(context, found) or found.task.queue == UNROUTED:
            raise Conflict("Only a task that has a queue, that nobody has, and that is not put aside is dealt.")
        done = await _deal(context, session, actor, found)
        if isinstance(done, NotDealt):
            raise Conflict("Nobody whose work this is can be given it at the moment.")
        return done


def _is_free(context: Context, found: TaskOnDesk) -> bool:
    return found.task.status == TaskStatus.OPEN and not found.task.holder and not found.is_held(context.now())


async def _deal(context: Context, session: AsyncSession, actor: Actor, found: TaskOnDesk) -> Dealt | NotDealt:
    """Choose and put on record. The task's chain is locked, and nobody else deals until this transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(ONE_AT_A_TIME))))
    candidates = (await pool_of(context, session, actor, found.task.queue)).for_task(found)
    choice = choose(candidates, knows=await who_knows(session, found.case.id))
    if choice is None:
        return NotDealt(found, why_nobody(candidates))
    holder, now = choice.chosen.who, context.now()
    event = j.TaskClaimed(task_id=found.task.id, holder=holder, how=HOW, why=choice.as_json())
    recorded = [j.Recorded(at=now, actor=actor.id, event=event)]
    await put_on_record(context, session, case_id=found.case.id, recorded=recorded)
    is_theirs = col(Staff.id).in_(staff_ids([holder]))
    await session.execute(update(Staff).where(is_theirs).values(dealt_at=now))
    return Dealt(found, choice)


# --- a queue ----------------------------------------------------------------------------------------------------------


async def deal(context: Context, actor: Actor, queue: str, *, limit: int = AT_ONCE) -> Round:
    """Give the most urgent free tasks of a queue to people, at most `limit`; each in a transaction of its own.

    Needs `task:assign` and the queue. Raises `NotFound` for a queue that there is not, and `Invalid` for the error
    queue: what lies there is routed, or assigned by hand.
    """
    _refuse_queue(actor, queue)
    done, after, looked_at = Round(), None, 0
    while len(done.dealt) < limit and looked_at < MOST_LOOKED_AT:
        page = await _look(context, actor, queue, done, after, limit - len(done.dealt))
        for place in page:
            await _deal_if_free(context, actor, queue, place[1], done)
        if not page:
            break
        after, looked_at = page[-1], looked_at + len(page)
    return done


def _refuse_queue(actor: Actor, queue: str) -> None:
    if queue not in QUEUES:
        raise NotFound("There is no queue with this name.")
    if actor is not SYSTEM:
        actor.require("task:assign")
        actor.require("case:read")
        if not actor.has_queue(queue):
            raise NotAllowed("This queue is not yours.")
    if queue == UNROUTED:
        raise Invalid("What lies here is assigned by hand, or routed by another table.", field="queue")


async def _look(
    context: Context, actor: Actor, queue: str, done: Round, after: Place | None, limit: int
) -> Sequence[Place]:
    """The most urgent free tasks that somebody could be given, after a place in the order."""
    async with context.transaction() as session:
        pool = await pool_of(context, session, actor, queue)
        needs = await free_needs(session, queue)
        done.unmet = {text: reasons for text in needs if (reasons := _nobody(pool, text)) is not None}
        able = [text for text in needs if text not in done.unmet]
        if not able:
            return []
        aside = or_(col(Task.hold_until).is_(None), col(Task.hold_until) <= context.now())
        query = select(Task.urgency, Task.id).where(*_is_dealt_by(actor, queue), col(Task.needs).in_(able), aside)
        if after:
            query = query.where(tuple_(col(Task.urgency), col(Task.id)) > tuple_(*after))
        rows = await session.execute(query.order_by(col(Task.urgency), col(Task.id)).limit(min(limit, AT_ONCE)))
        return [(urgency, task_id) for urgency, task_id in rows]


def _nobody(pool: Pool, text: str) -> Reasons | None:
    """Why none can be given a task with these needs; none when somebody can."""
    needs = read_needs(text)
    try:
        candidates: list[Candidate] = pool.for_needs(needs, task_kind(needs.case_kind, needs.task_kind))
    except (KeyError, NotFound):  # of a kind that this release does not know
        return {}
    return why_nobody(candidates) if all(each.why_not for each in candidates) else None


def _is_dealt_by(actor: Actor, queue: str) -> list[ColumnElement[bool]]:
    """The condition on `tasks` and their `cases`: free, in the queue, and within what the dealer sees."""
    free = [IS_OPEN, IS_FREE, col(Task.queue) == queue]
    if actor is SYSTEM:
        return free
    barred = select(CaseBar.case_id).where(CaseBar.case_id == Task.case_id, CaseBar.actor == actor.id)
    return [*free, workable_tasks(actor), ~barred.correlate(Task).exists()]


async def _deal_if_free(context: Context, actor: Actor, queue: str, task_id: UUID, done: Round) -> None:
    """Deal a task unless it has changed since it was looked at; then whoever changed it knows better."""
    try:
        async with context.transaction() as session:
            found = await _locked(session, actor, queue, task_id)
            outcome = await _deal(context, session, actor, found) if found and _is_free(context, found) else None
    except Unavailable:
        done.busy += 1
        return
    if isinstance(outcome, Dealt):
        done.dealt.append(outcome)
    elif outcome is not None:
        done.not_dealt.append(outcome)


async def _locked(session: AsyncSession, actor: Actor, queue: str, task_id: UUID) -> TaskOnDesk | None:
    case_id = (await session.execute(select(Task.case_id).where(Task.id == task_id))).scalar_one()
    await lock_chain(session, case_id)
    query = select(Task, Case).join(Case, col(Case.id) == col(Task.case_id))
    row = (await session.execute(query.where(Task.id == task_id, *_is_dealt_by(actor, queue)))).first()
    return TaskOnDesk(*row) if row else None


# --- by the workers ---------------------------------------------------------------------------------------------------


def check_dealt_queues(settings: Settings) -> None:
    """Raise `UnsafeSettings` for a queue to deal that there is not, or that is not dealt."""
    strange = sorted(set(settings.desk_deals) - set(QUEUES) | {UNROUTED} & set(settings.desk_deals))
    if strange:
        raise UnsafeSettings(f"LIAN_DESK_DEALS names {strange[0]!r}, from which nothing can be dealt.")


async def deal_new(context: Context) -> int:
    """Deal free tasks of the queues that the installation names (`LIAN_DESK_DEALS`); returns how many."""
    rounds = [await deal(context, SYSTEM, queue) for queue in context.settings.desk_deals]
    return sum(len(each.dealt) for each in rounds)
