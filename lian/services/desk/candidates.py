"""Who could be given work of a queue by rules, as they stand at this moment (TSK-3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import SYSTEM, Actor
from lian.auth.visibility import SUSPICION_TASKS
from lian.db.tables import Staff, Task
from lian.domain.dealing import Candidate, DealReason
from lian.domain.needs import LICENCE, Needs
from lian.domain.status import TaskStatus
from lian.domain.tasks import TaskKind
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk.lists import IS_OPEN
from lian.services.desk.tasks import TaskOnDesk
from lian.services.substitutes import away_now

FREE_NEEDS = text("""
WITH RECURSIVE groups AS (
    (SELECT needs FROM tasks WHERE status = 'open' AND holder = '' AND queue = :queue ORDER BY needs LIMIT 1)
    UNION ALL
    SELECT following.needs FROM groups CROSS JOIN LATERAL (
        SELECT needs FROM tasks
        WHERE status = 'open' AND holder = '' AND queue = :queue AND needs > groups.needs
        ORDER BY needs LIMIT 1) AS following
)
SELECT needs FROM groups
""")
"""Jumps through the index from one needs to the next, however many tasks need the same."""


async def free_needs(session: AsyncSession, queue: str) -> Sequence[str]:
    """What free tasks of a queue need, each once."""
    return (await session.execute(FREE_NEEDS, {"queue": queue})).scalars().all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody with the queue. What they put aside does not count as in hand."""

    actor: Actor
    skills: frozenset[str]
    in_hand: int
    capacity: int
    dealt_at: datetime | None
    is_absent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Everybody who has the queue; `dealer` is who deals, and whose reach counts."""

    people: Sequence[Colleague]
    dealer: Actor
    now: datetime

    def for_task(self, found: TaskOnDesk) -> list[Candidate]:
        """How everybody whose work it is stands to one task."""
        kind = found.kind
        return [_candidate(one, self._task_against(found, one) or self._against(kind, one)) for one in self._of(kind)]

    def for_needs(self, needs: Needs, kind: TaskKind) -> list[Candidate]:
        """How everybody whose work it is stands to all tasks with these needs, whatever else may be said of one."""
        return [_candidate(one, _needs_against(needs, kind, one) or self._against(kind, one)) for one in self._of(kind)]

    def _of(self, kind: TaskKind) -> list[Colleague]:
        return [one for one in self.people if one.actor.may(kind.permission)]

    def _against(self, kind: TaskKind, one: Colleague) -> DealReason | None:
        is_seen = one.actor.may("case:read") and (kind.id not in SUSPICION_TASKS or one.actor.may("risk:read"))
        if not is_seen:
            return DealReason.OUTSIDE
        if not self._reaches(one.actor):
            return DealReason.OTHER_TEAM
        return DealReason.ABSENT if one.is_absent else None

    def _reaches(self, person: Actor) -> bool:
        """A lead deals to their own team; the house's own rules to everybody."""
        return self.dealer is SYSTEM or self.dealer.may("task:assign_any") or person.team == self.dealer.team

    def _task_against(self, found: TaskOnDesk, one: Colleague) -> DealReason | None:
        if one.actor.id in found.task.excluded:
            return DealReason.CONFLICT
        if found.authority_of(one.actor) < found.task.least_authority:
            return DealReason.LIMIT
        passed_until = found.task.passed.get(one.actor.id)
        if passed_until and datetime.fromisoformat(passed_until) > self.now:
            return DealReason.PASSED
        return _lacking(found.task.skills, one)


def _candidate(one: Colleague, stands_against: DealReason | None) -> Candidate:
    return Candidate(
        who=one.actor.id,
        in_hand=one.in_hand,
        capacity=one.capacity,
        stands_against=stands_against,
        dealt_at=one.dealt_at,
    )


def _needs_against(needs: Needs, kind: TaskKind, one: Colleague) -> DealReason | None:
    if one.actor.authority_for(kind.decision, needs.line) <= needs.above:
        return DealReason.LIMIT
    return _lacking(needs.skills, one)


def _lacking(skills: Collection[str], one: Colleague) -> DealReason | None:
    missing = [skill for skill in skills if skill not in one.skills]
    if not missing:
        return None
    return DealReason.LICENCE if any(skill.startswith(LICENCE) for skill in missing) else DealReason.SKILL


# --- counting ---------------------------------------------------------------------------------------------------------


async def pool_of(context: Context, session: AsyncSession, dealer: Actor, queue: str) -> Pool:
    """Active staff who have the queue, with what they have in hand now."""
    has_it = or_(col(Staff.queues).contains([queue]), col(Staff.queues).contains(["*"]))
    query = select(Staff).where(col(Staff.active), has_it).order_by(col(Staff.id))
    staff = (await session.execute(query, execution_options={"populate_existing": True})).scalars().all()
    people = {each.id: actor_for(each) for each in staff}
    away = await away_now(session, context.now())
    in_hand = await _in_hand(context, session, [person.id for person in people.values()])
    return Pool(
        people=[_colleague(context, each, people[each.id], in_hand, away) for each in staff],
        dealer=dealer,
        now=context.now(),
    )


def _colleague(
    context: Context, staff: Staff, person: Actor, in_hand: dict[str, int], away: Collection[str]
) -> Colleague:
    return Colleague(
        actor=person,
        skills=person.skills_on(context.today),
        in_hand=in_hand.get(person.id, 0),
        capacity=staff.capacity or context.settings.desk_most_in_hand,
        dealt_at=staff.dealt_at,
        is_absent=person.id in away,
    )


async def _in_hand(context: Context, session: AsyncSession, people: Sequence[str]) -> dict[str, int]:
    is_at_work = or_(col(Task.hold_until).is_(None), col(Task.hold_until) <= context.now())
    query = (
        select(Task.holder, func.count())
        .where(IS_OPEN, col(Task.holder).in_(people), is_at_work)
        .group_by(col(Task.holder))
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def who_knows(session: AsyncSession, case_id: UUID) -> list[str]:
    """Who did or has a task of the case, the latest first."""
    done, open_ = TaskStatus.COMPLETED.value, TaskStatus.OPEN.value
    who = func.coalesce(func.nullif(col(Task.completed_by), ""), col(Task.holder))
    query = (
        select(who)
        .where(Task.case_id == case_id, col(Task.status).in_([done, open_]), who != "")
        .order_by(func.coalesce(col(Task.closed_at), col(Task.claimed_at)).desc(), col(Task.id))
    )
    return list((await session.execute(query)).scalars())
