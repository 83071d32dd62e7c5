"""Which work could move from full hands to others, with the load before and after; `moving.py` then assigns it.

Only what its holder has not begun is moved, the most urgent first, so that it is done in time. A proposal changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only
from sqlmodel import col, select

from lian.auth.actor import Actor, staff_actor_id
from lian.auth.visibility import workable_tasks
from lian.db.tables import Case, CaseBar, Staff, Task
from lian.domain.errors import Invalid, NotAllowed
from lian.domain.labels import Label
from lian.domain.load import share_of
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk.in_hand import IS_OPEN, capacity_of, hands_of, sees_every_team
from lian.services.desk.moving import MOST_MOVED, token_of
from lian.services.desk.standing_in import is_begun
from lian.services.desk.tasks import TaskOnDesk, against
from lian.services.substitutes import away_now

LOOKED_AT = 200
"""So many tasks are looked at for those that somebody else can do."""
READ: tuple[Any, ...] = (Case.number, Case.kind, Case.line)
"""All that is needed of a case, most of which is long."""
NOBODY_CAN = "Nobody else may do this task."
ALL_FULL = "Everybody who may do this task has as much as they can."
OTHER_TEAM = "They are in another team."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a lead asks for: `n` tasks of the account `of`, or free ones, to these accounts, or any that fit.

    `queue` narrows it to one queue.
    """

    n: int
    of: str = ""
    to: Sequence[str] | None = None
    queue: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One task and to whom it would go, or why it stays: then `to` is empty."""

    task_id: UUID
    version: int
    number: str
    what: Label
    act_by_at: datetime | None
    to: str = ""
    to_name: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How many tasks one person has in hand, before and after; `capacity` is as much as they can have."""

    username: str
    name: str
    capacity: int
    before: int
    after: int

    @property
    def share_before(self) -> float:
        """1.0 is as much as they can have."""
        return share_of(self.before, self.capacity)

    @property
    def share_after(self) -> float:
        """1.0 is as much as they can have."""
        return share_of(self.after, self.capacity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What would be moved, what would stay and why, the people's load, and the token to apply it with."""

    moves: Sequence[Move]
    staying: Sequence[Move]
    people: Sequence[Balance]
    token: str


# --- proposing --------------------------------------------------------------------------------------------------------


async def propose(context: Context, actor: Actor, wanted: Wanted) -> Proposal:
    """What could be moved, changing nothing. Needs `case:read`, `desk:load`, `task:assign`; one's team is one's reach.

    Given to colleagues who may do it, are not away and have room, whoever has the smallest share of what they can take
    first. Those who were not named must have the task's queue and every skill it asks for. Put aside, begun and
    delegated work stays where it is.
    """
    for permission in ("case:read", "desk:load", "task:assign"):
        actor.require(permission)
    if not 1 <= wanted.n <= MOST_MOVED:
        raise Invalid(f"Move between 1 and {MOST_MOVED} tasks at once.", field="n")
    async with context.transaction() as session:
        giver = await _giver(session, actor, wanted)
        takers = await _takers(context, session, actor, wanted, giver)
        people = [*([giver] if giver else []), *(taker.staff for taker in takers)]
        counted = await hands_of(session, actor, [staff_actor_id(one.id) for one in people], context.now())
        tasks = await _movable(context, session, actor, wanted, giver)
    before = {one.username: counted[i].open if (i := staff_actor_id(one.id)) in counted else 0 for one in people}
    moves, staying = _placed(context, tasks, takers, dict(before), wanted.n)
    return Proposal(
        moves=moves,
        staying=staying,
        people=[_balance(context, one, before, moves, wanted.of) for one in people],
        token=token_of((move.task_id, move.version, move.to) for move in moves),
    )


@dataclass(frozen=True, slots=True)
class _Taker:
    """Somebody who may be given work; whoever was not named gets only what is in their queues and skills."""

    staff: Staff
    person: Actor
    capacity: int
    is_named: bool

    def has_room(self, in_hand: Mapping[str, int]) -> bool:
        """Whether they can have one more."""
        return in_hand[self.staff.username] < self.capacity

    def turn(self, in_hand: Mapping[str, int]) -> tuple[bool, float, str]:
        """Whoever has room first, then by the share they have, then by account: the same data give the same order."""
        share = share_of(in_hand[self.staff.username], self.capacity)
        return not self.has_room(in_hand), share, self.staff.username


async def _giver(session: AsyncSession, actor: Actor, wanted: Wanted) -> Staff | None:
    """Whose work it is, also when the account is closed."""
    if not wanted.of:
        return None
    giver = (await session.execute(select(Staff).where(Staff.username == wanted.of))).scalars().first()
    if giver is None:
        raise Invalid("There is no account with this user name.", field="of")
    if not _is_within_reach(actor, giver):
        raise NotAllowed(OTHER_TEAM)
    return giver


def _is_within_reach(actor: Actor, staff: Staff) -> bool:
    return sees_every_team(actor) or staff.team == actor.team


async def _takers(
    context: Context, session: AsyncSession, actor: Actor, wanted: Wanted, giver: Staff | None
) -> list[_Taker]:
    within = true() if sees_every_team(actor) else col(Staff.team) == actor.team
    statement = select(Staff).where(col(Staff.active), within).order_by(col(Staff.name), col(Staff.id))
    if wanted.to is not None:
        statement = statement.where(col(Staff.username).in_(wanted.to))
    found = [one for one in (await session.execute(statement)).scalars() if giver is None or one.id != giver.id]
    if wanted.to is not None and {one.username for one in found} != set(wanted.to):
        raise Invalid("Name active colleagues of your team, other than whoever has the work.", field="to")
    away, is_named = await away_now(session, context.now()), wanted.to is not None
    takers = [_Taker(one, actor_for(one), capacity_of(context, one), is_named) for one in found]
    return [each for each in takers if each.person.may("task:claim") and each.person.id not in away]


async def _movable(
    context: Context, session: AsyncSession, actor: Actor, wanted: Wanted, giver: Staff | None
) -> list[TaskOnDesk]:
    """The most urgent first. What is in cases that are not for the lead is left out."""
    is_aside = col(Task.hold_until).is_not(None) & (col(Task.hold_until) > context.now())
    barred = select(CaseBar.case_id).where(CaseBar.case_id == Task.case_id, CaseBar.actor == actor.id)
    holder = staff_actor_id(giver.id) if giver else ""
    statement = (
        select(Task, Case)
        .join(Case, col(Case.id) == col(Task.case_id))
        .where(
            IS_OPEN,
            Task.holder == holder,
            Task.on_behalf_of == "",
            ~is_aside,
            ~is_begun(),
            ~barred.correlate(Task).exists(),
            workable_tasks(actor),
        )
        .options(load_only(*READ, raiseload=True))
        .order_by(col(Task.urgency), col(Task.id))
        .limit(LOOKED_AT)
    )
    if wanted.queue:
        statement = statement.where(Task.queue == wanted.queue)
    elif giver is None and not actor.has_every_queue:
        statement = statement.where(col(Task.queue).in_(actor.queue_names))
    return [TaskOnDesk(task, case) for task, case in await session.execute(statement)]


def _placed(
    context: Context, tasks: Iterable[TaskOnDesk], takers: Sequence[_Taker], in_hand: dict[str, int], n: int
) -> tuple[list[Move], list[Move]]:
    """So many of them to whoever has the smallest share at that moment; and what was passed over on the way."""
    moves: list[Move] = []
    staying: list[Move] = []
    for found in tasks:
        if len(moves) == n:
            break
        to, why_not = _chosen(context, takers, found, in_hand)
        if to is None:
            staying.append(replace(_move(found), why_not=why_not))
            continue
        in_hand[to.username] += 1
        moves.append(replace(_move(found), to=to.username, to_name=to.name))
    return moves, staying[:MOST_MOVED]


def _chosen(
    context: Context, takers: Sequence[_Taker], found: TaskOnDesk, in_hand: Mapping[str, int]
) -> tuple[Staff | None, str]:
    """Who gets it: the first who may, by the share they have at that moment; or why nobody does."""
    order = sorted(takers, key=lambda taker: taker.turn(in_hand))
    able = next((taker for taker in order if _may_take(context, taker, found)), None)
    if able is None:
        return None, NOBODY_CAN
    # Whoever may take it and has no room comes after everybody with room.
    return (able.staff, "") if able.has_room(in_hand) else (None, ALL_FULL)


def _may_take(context: Context, taker: _Taker, found: TaskOnDesk) -> bool:
    person, today = taker.person, context.today
    if against(person, found, today):
        return False
    passed = found.task.passed.get(person.id)
    if passed and datetime.fromisoformat(passed) > context.now():
        return False
    fits = person.has_queue(found.task.queue) and set(found.task.skills) <= person.skills_on(today)
    return taker.is_named or fits


def _move(found: TaskOnDesk) -> Move:
    return Move(
        task_id=found.task.id,
        version=found.task.version,
        number=found.case.number,
        what=found.kind.label,
        act_by_at=found.task.act_by_at,
    )


def _balance(context: Context, staff: Staff, before: dict[str, int], moves: Sequence[Move], giver: str) -> Balance:
    name, has = staff.username, before[staff.username]
    after = has - len(moves) if name == giver else has + sum(move.to == name for move in moves)
    return Balance(username=name, name=staff.name, capacity=capacity_of(context, staff), before=has, after=after)
