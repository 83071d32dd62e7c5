"""Get next: the most urgent task that somebody may do, without two people ever drawing the same one (TSK-1, TSK-2).

Free tasks of a queue lie in the index by what they need. The needs that occur are few: the actor's rights are compared
with them here, and the database then looks at the head of each of the rest (decision 0009).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lian.auth.actor import Actor
from lian.auth.visibility import SUSPICION_TASKS
from lian.db.session import one_row
from lian.domain import journal as j
from lian.domain.case_kinds import task_kind
from lian.domain.desk import DrawReason, Reason
from lian.domain.errors import Conflict, NotFound
from lian.domain.needs import Needs, read_needs
from lian.domain.tasks import TaskKind
from lian.domain.urgency import Standing, read_urgency
from lian.services.context import Context
from lian.services.desk.tasks import TaskOnDesk, against, find_task, locked_open_or_not, note

DRAWS = 100
"""How often somebody looks in one call, because others were quicker or something changed."""
CANDIDATES = 16
"""How many of the same needs are looked at, as many as others may be drawing at the same moment."""
NEAREST = 12
"""How many groups are looked at first."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The task that get-next gave, and in order of weight why this one."""

    found: TaskOnDesk
    reasons: Sequence[Reason]


class _Group(NamedTuple):
    """Free tasks of a queue that need the same; `urgency` of the most urgent. `most`: what the actor may decide."""

    needs: str
    urgency: int
    most: Decimal
    stands_against: DrawReason | None


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the actor has in hand, beside what is put aside, and what lies free in the queue."""

    own: Sequence[UUID]
    in_hand: int
    oldest_at: datetime | None
    groups: Sequence[_Group]


async def take_next(context: Context, actor: Actor, queue: str) -> Drawn | None:
    """The most urgent task of a queue that the actor may do, now theirs; none when there is none. Needs `task:draw`.

    What they have in hand there comes first. Raises `Conflict` for whoever has too much in hand, or something for too
    long, beside what they put aside: they are given nothing new. People outside do what is assigned to them.
    """
    actor.require("case:read")
    actor.require("task:draw")
    lost: set[UUID] = set()
    seen: _Desk | None = None
    for _ in range(DRAWS):
        async with context.transaction() as session:
            desk = await _look(context, session, actor, queue)
            own, is_changed = await _own_work(context, session, actor, desk)
            if own is not None:
                return Drawn(own, [Reason(DrawReason.OWN_WORK), *place_of_task(own)])
            if is_changed:
                continue
            _refuse_too_much(context, desk)
            groups = sorted((g for g in desk.groups if g.stands_against is None), key=attrgetter("urgency"))
            if not groups or desk == seen:
                return None
            candidate = await _candidate(session, _Draw(actor, queue, context.now(), groups, lost))
            if candidate is None:
                seen = desk  # there is nothing, unless something has come free meanwhile
                continue
            found = await _taken(context, session, actor, queue, candidate)
            if found is not None:
                return Drawn(found, [*place_of_task(found), *_passed_over(found, desk)])
            lost.add(candidate)
    raise Conflict("Others were quicker every time; try again.")


# --- what there is ----------------------------------------------------------------------------------------------------

ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('draw:' || %(me)s::text, 0))"
LOOK = """
WITH RECURSIVE in_hand AS MATERIALIZED (
    SELECT id, queue, urgency, claimed_at FROM tasks
    WHERE status = 'open' AND holder = %(me)s AND (hold_until IS NULL OR hold_until <= %(now)s)
), groups AS (
    (SELECT needs, urgency FROM tasks
     WHERE status = 'open' AND holder = '' AND queue = %(queue)s AND needs > '' ORDER BY needs, urgency LIMIT 1)
    UNION ALL
    SELECT following.needs, following.urgency FROM groups CROSS JOIN LATERAL (
        SELECT needs, urgency FROM tasks
        WHERE status = 'open' AND holder = '' AND queue = %(queue)s AND needs > groups.needs
        ORDER BY needs, urgency LIMIT 1) AS following
)
SELECT ARRAY(SELECT id FROM in_hand WHERE queue = %(queue)s ORDER BY urgency, id LIMIT 50),
       (SELECT count(*) FROM in_hand), (SELECT min(claimed_at) FROM in_hand),
       ARRAY(SELECT needs FROM groups), ARRAY(SELECT urgency FROM groups)
"""
"""One pass: the recursion jumps from the first task of each needs to the first of the next."""


async def _look(context: Context, session: AsyncSession, actor: Actor, queue: str) -> _Desk:
    """One look at a time for each person, such as after a double click: the second sees what the first drew."""
    given = {"me": actor.id, "queue": queue, "now": context.now()}
    own, in_hand, oldest_at, needs, heads = await one_row(session, ALONE, LOOK, given=given)
    if not actor.has_queue(queue):
        return _Desk(own, in_hand, oldest_at, ())
    roles, skills = tuple(sorted(actor.roles)), actor.skills_on(context.today)
    groups = [_group(roles, skills, *each) for each in zip(needs, heads, strict=True)]
    return _Desk(own, in_hand, oldest_at, groups)


def _group(roles: tuple[str, ...], skills: frozenset[str], text_of_needs: str, urgency: int) -> _Group:
    most, stands_against, wanted = _rights(roles, text_of_needs)
    if stands_against is None and not wanted <= skills:
        stands_against = DrawReason.OTHER_SKILL
    return _Group(text_of_needs, urgency, most, stands_against)


@lru_cache(maxsize=50_000)
def _rights(roles: tuple[str, ...], text_of_needs: str) -> tuple[Decimal, DrawReason | None, frozenset[str]]:
    """What people of these roles may decide of tasks that need this, what stands against it, and the skills.

    Worked out once for each role: a queue has a hundred groups, and whoever draws is compared with all of them.
    """
    actor, needs = Actor(id="", name="", roles=roles), read_needs(text_of_needs)
    kind = _kind_of(needs)
    if kind is None or not _is_work_of(actor, kind):
        return Decimal(0), DrawReason.OTHER_ROLE, frozenset()
    most = actor.authority_for(kind.decision, needs.line)
    return most, DrawReason.ABOVE_LIMIT if needs.above >= most else None, frozenset(needs.skills)


def _kind_of(needs: Needs) -> TaskKind | None:
    """None for a kind that this release does not know."""
    try:
        return task_kind(needs.case_kind, needs.task_kind)
    except (KeyError, NotFound):
        return None


def _is_work_of(actor: Actor, kind: TaskKind) -> bool:
    """That a suspicion is looked into is for readers of risk alone."""
    return actor.may(kind.permission) and (kind.id not in SUSPICION_TASKS or actor.may("risk:read"))


# --- own work first ---------------------------------------------------------------------------------------------------


async def _own_work(
    context: Context, session: AsyncSession, actor: Actor, desk: _Desk
) -> tuple[TaskOnDesk | None, bool]:
    """The most urgent of what they have in hand that they still may do; and whether any of it has left their hands.

    Then it may be free by now: whoever looks only at what was free before would be told that there is nothing.
    """
    is_changed = False
    for task_id in desk.own:
        with suppress(NotFound):  # no longer theirs to see, since a role of theirs changed
            found = await find_task(session, actor, task_id)
            is_theirs = found.task.status == "open" and found.task.holder == actor.id
            if is_theirs and not against(actor, found, context.today):
                return found, False
            is_changed |= not is_theirs
    return None, is_changed


def _refuse_too_much(context: Context, desk: _Desk) -> None:
    most, days = context.settings.desk_most_in_hand, context.settings.desk_oldest_in_hand_days
    if desk.in_hand >= most:
        raise Conflict(f"You have {desk.in_hand} tasks in hand: finish some, or put them aside, before you draw more.")
    if desk.oldest_at is not None and desk.oldest_at < context.now() - timedelta(days=days):
        raise Conflict(f"You have had a task in hand for more than {days} days: see to it before you draw more.")


# --- then the most urgent free one ------------------------------------------------------------------------------------

DRAW = """
SELECT best.id FROM (
    SELECT free.* FROM unnest(%(needs)s::text[], %(most)s::numeric[]) AS given(needs, most) CROSS JOIN LATERAL (
        SELECT id, case_id, urgency FROM tasks
        WHERE status = 'open' AND holder = '' AND queue = %(queue)s AND needs = given.needs AND urgency <= %(until)s
          AND least_authority <= given.most AND NOT excluded ? %(me)s
          AND (hold_until IS NULL OR hold_until <= %(now)s) AND id <> ALL(%(lost)s::uuid[])
          AND COALESCE(CAST(passed ->> %(me)s AS timestamptz) <= %(now)s, true)
        ORDER BY urgency, id LIMIT %(candidates)s) AS free
    ORDER BY free.urgency, free.id LIMIT %(candidates)s) AS best
JOIN case_chain AS head ON head.case_id = best.case_id
ORDER BY best.urgency, best.id LIMIT 1 FOR UPDATE OF head
"""
UNLOCKED, ANY_OF_THEM = DRAW + " SKIP LOCKED", DRAW
LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class _Draw:
    """Who draws where, from which groups, the most urgent first; `lost` are the candidates that others got."""

    actor: Actor
    queue: str
    now: datetime
    groups: Sequence[_Group]
    lost: Collection[UUID]

    def tries(self) -> Iterator[tuple[str, Sequence[_Group], int]]:
        """The groups with the most urgent heads, up to where the next one begins: it is nearly always among them.

        Then all of them; and where others are drawing all there are, wait for one of them: nobody is told that there
        is no work while there may be some.
        """
        if len(self.groups) > NEAREST:
            yield UNLOCKED, self.groups[:NEAREST], self.groups[NEAREST].urgency - 1
        yield UNLOCKED, self.groups, LAST
        yield ANY_OF_THEM, self.groups, LAST

    def given(self, groups: Sequence[_Group], until: int) -> dict[str, Any]:
        """The values of the query."""
        return {
            "needs": [group.needs for group in groups],
            "most": [group.most for group in groups],
            "until": until,
            "queue": self.queue,
            "me": self.actor.id,
            "now": self.now,
            "lost": list(self.lost),
            "candidates": CANDIDATES,
        }


async def _candidate(session: AsyncSession, draw: _Draw) -> UUID | None:
    """The most urgent free task for the actor, its case locked; those that others are drawing are passed over."""
    connection = await session.connection()
    for query, groups, until in draw.tries():
        drawn: UUID | None = (await connection.exec_driver_sql(query, draw.given(groups, until))).scalar()
        if drawn is not None:
            return drawn
    return None


async def _taken(context: Context, session: AsyncSession, actor: Actor, queue: str, task_id: UUID) -> TaskOnDesk | None:
    """The candidate, now theirs; none when it changed between choosing and locking it."""
    found = await locked_open_or_not(session, actor, task_id)
    if not _is_still_free(context, actor, queue, found):
        return None
    await note(context, session, actor, found, j.TaskClaimed(task_id=task_id, holder=actor.id, how="next"))
    return found


def _is_still_free(context: Context, actor: Actor, queue: str, found: TaskOnDesk) -> bool:
    task, now = found.task, context.now()
    passed_until = task.passed.get(actor.id)
    return (
        task.status == "open"
        and not task.holder
        and task.queue == queue
        and not found.is_held(now)
        and (passed_until is None or datetime.fromisoformat(passed_until) <= now)
        and set(task.skills) <= actor.skills_on(context.today)
        and not against(actor, found, context.today)
    )


# --- why this one -----------------------------------------------------------------------------------------------------


def place_of_task(found: TaskOnDesk) -> Iterator[Reason]:
    """What the task's place in the order comes from, read back from its key (TSK-2)."""
    said = read_urgency(found.task.urgency)
    if said.green:
        yield Reason(DrawReason.GREEN)
    if said.comes_first:
        yield Reason(DrawReason.RAISED if found.task.is_raised else DrawReason.STATUTORY)
    if said.act_by_at is not None:
        yield Reason(DrawReason.ACT_BY, at=said.act_by_at)
    if said.standing is not Standing.ORDINARY:
        yield Reason(DrawReason.STANDING, standing=said.standing)
    yield Reason(DrawReason.WAITING_SINCE, at=said.opened_at)


def _passed_over(found: TaskOnDesk, desk: _Desk) -> Iterator[Reason]:
    """Why more urgent tasks of the queue were not given."""
    sooner = {g.stands_against or DrawReason.KEPT_BACK for g in desk.groups if g.urgency < found.task.urgency}
    yield from (Reason(code) for code in DrawReason if code in sooner)
