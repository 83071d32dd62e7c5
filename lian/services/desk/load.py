"""Who has how much work, what waits in the queues, and who seems to be stuck: for leads of teams and operations.

A fixed number of queries, however many people and tasks there are. What somebody has in hand is few; what lies in the
queues is counted in `queue_load.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, literal_column, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from lian.auth.actor import Actor, staff_actor_id
from lian.auth.visibility import workable_tasks
from lian.db.tables import JournalEntry, Staff, Task
from lian.domain.calendars import WorkingCalendar
from lian.domain.load import DONE_WITHIN, STUCK_AFTER, share_of, working_days_before
from lian.services.accounts import actor_for
from lian.services.calendar_revisions import calendars_in_force
from lian.services.context import Context
from lian.services.desk.in_hand import IS_OPEN, InHand, capacity_of, hands_of, is_any, sees_every_team
from lian.services.desk.queue_load import QueueLoad, queue_loads
from lian.services.names import names_of_staff
from lian.services.packs import office_calendar_of
from lian.services.substitutes import substitutes_now

IS_DONE = col(Task.status) == literal_column("'completed'")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLoad:
    """One member of staff. `capacity` is their own, or what the house allows; `done` in the last seven days."""

    person: Actor
    username: str
    is_active: bool
    in_hand: InHand
    capacity: int
    done: int
    is_away: bool
    substitute: str
    """Name of whoever does their work while they are away; empty: nobody."""
    is_stuck: bool

    @property
    def share(self) -> float:
        """How full their hands are; 1.0 is as much as they can have."""
        return share_of(self.in_hand.open, self.capacity)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamLoad:
    """A team as it stands; `team` is None for everybody."""

    as_of: datetime
    team: str | None
    people: Sequence[PersonLoad]
    queues: Sequence[QueueLoad]
    stuck_since: datetime


async def team_load(context: Context, actor: Actor) -> TeamLoad:
    """The load of the actor's team, or of everybody, and of the actor's queues. Needs `desk:load` and `case:read`.

    Fullest hands first. Closed accounts are listed while they have work.
    """
    actor.require("desk:load")
    actor.require("case:read")
    now = context.now()
    async with context.transaction() as session:
        since = await _stuck_since(context, session)
        staff = await _team(session, actor)
        ids = [staff_actor_id(one.id) for one in staff]
        found = _Found(
            in_hand=await hands_of(session, actor, ids, now),
            done=await _done(session, actor, min(since, now - DONE_WITHIN), now),
            substitutes=await substitutes_now(session, now),
        )
        found.busy = await _busy(session, [one for one in ids if found.may_be_stuck(one, since)], since)
        names = await names_of_staff(session, found.substitutes.values())
        queues = await queue_loads(session, actor, now)
    people = [_person(context, one, found, names, since) for one in staff]
    return TeamLoad(
        as_of=now,
        team=None if sees_every_team(actor) else actor.team,
        people=sorted((one for one in people if _is_listed(one)), key=lambda one: (-one.share, one.person.name)),
        queues=queues,
        stuck_since=since,
    )


@dataclass(slots=True, kw_only=True)
class _Found:
    """What was counted, by actor id; `done`: how many lately, and when the last one."""

    in_hand: Mapping[str, InHand]
    done: Mapping[str, tuple[int, datetime]]
    substitutes: Mapping[str, str]
    busy: Collection[str] = frozenset()

    def may_be_stuck(self, person: str, since: datetime) -> bool:
        """Overdue work for that long, not away, and nothing answered since."""
        had_since = self.in_hand[person].overdue_since if person in self.in_hand else None
        answered = person in self.done and self.done[person][1] >= since
        return had_since is not None and had_since < since and person not in self.substitutes and not answered


def _person(context: Context, staff: Staff, found: _Found, names: Mapping[str, str], since: datetime) -> PersonLoad:
    actor_id = staff_actor_id(staff.id)
    return PersonLoad(
        person=actor_for(staff),
        username=staff.username,
        is_active=staff.active,
        in_hand=found.in_hand.get(actor_id, InHand()),
        capacity=capacity_of(context, staff),
        done=found.done[actor_id][0] if actor_id in found.done else 0,
        is_away=actor_id in found.substitutes,
        substitute=names.get(found.substitutes.get(actor_id, ""), ""),
        is_stuck=found.may_be_stuck(actor_id, since) and actor_id not in found.busy,
    )


def _is_listed(one: PersonLoad) -> bool:
    """Whoever does tasks, and whoever still has some."""
    has_work = one.in_hand.open + one.in_hand.put_aside > 0
    return has_work or (one.is_active and one.person.may("task:hold"))


# --- people -----------------------------------------------------------------------------------------------------------


async def _team(session: AsyncSession, actor: Actor) -> Sequence[Staff]:
    is_theirs = true() if sees_every_team(actor) else col(Staff.team) == actor.team
    return (await session.execute(select(Staff).where(is_theirs).order_by(col(Staff.name)))).scalars().all()


async def _done(session: AsyncSession, actor: Actor, since: datetime, now: datetime) -> dict[str, tuple[int, datetime]]:
    """How many tasks each person answered in the last seven days, and when the last one was; from `since` on.

    Of everybody, so that the index alone answers it.
    """
    at = col(Task.closed_at)
    statement = (
        select(col(Task.completed_by), func.count().filter(at >= now - DONE_WITHIN), func.max(at))
        .where(IS_DONE, at >= since, workable_tasks(actor))
        .group_by(col(Task.completed_by))
    )
    found = (await session.execute(statement)).all()
    return {person: (n, last) for person, n, last in found if last is not None}


async def _stuck_since(context: Context, session: AsyncSession) -> datetime:
    calendar: WorkingCalendar = office_calendar_of(context.settings.office_calendar, await calendars_in_force(session))
    return calendar.begin_of_day(working_days_before(calendar, context.today, STUCK_AFTER))


async def _busy(session: AsyncSession, ids: Sequence[str], since: datetime) -> frozenset[str]:
    """Of these people, who put anything on record since then in a case of which they have a task."""
    if not ids:
        return frozenset()
    own = and_(col(JournalEntry.case_id) == col(Task.case_id), col(JournalEntry.actor) == col(Task.holder))
    statement = (
        select(col(Task.holder))
        .join(JournalEntry, own)
        .where(IS_OPEN, is_any(col(Task.holder), ids), col(JournalEntry.at) >= since)
        .distinct()
    )
    return frozenset((await session.execute(statement)).scalars())
