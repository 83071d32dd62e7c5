"""Lists of the desk: queues with what is in them, and open tasks in an order (TSK-1, TSK-2).

For the API and the pages:
    TaskQuery(queue, holder="" | "@me" | "@none" | actor id, mine, unclaimed, kind, task, stage, line, on_hold, raised,
              late, team, sort in SORTS, after=place_of(last row, sort), limit)
    list_tasks(context, actor, query) -> Sequence[TaskOnDesk];  count_tasks(context, actor, query) -> Count(n, is_more)
    queues(context, actor) -> list[QueueCount(queue, label, open, unclaimed, is_more)]
    desk.sorting: SORTS, place_of(task, sort), write_place(place) -> text, read_place(text, sort) -> place or ValueError
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from lian.auth.actor import NOT_YOURS, Actor
from lian.auth.visibility import sees_inside, workable_tasks
from lian.db.tables import Case, Task
from lian.domain.errors import NotAllowed
from lian.domain.labels import Label
from lian.domain.queues import QUEUES, UNROUTED
from lian.services.context import Context
from lian.services.desk.finding import (
    FILTERS,
    IS_FREE,
    IS_OPEN,
    OF_CASE,
    OF_TASK,
    Group,
    Shape,
    counting,
    counting_queues,
    reading,
)
from lian.services.desk.sorting import Place, order_named
from lian.services.desk.tasks import TaskOnDesk
from lian.services.substitutes import stands_in_for

__all__ = [
    "COUNTED",
    "IS_FREE",
    "IS_OPEN",
    "Count",
    "QueueCount",
    "TaskQuery",
    "count_tasks",
    "list_tasks",
    "order_for",
    "queues",
]
COUNTED = 1_000
"""Nobody reads a larger number, and counting it takes long."""
MINE, NOBODYS = "@me", "@none"


def _tuple_with(names: Sequence[str]) -> Any:
    return namedtuple("Listed", names)


_ListedTask, _ListedCase = _tuple_with(OF_TASK), _tuple_with(OF_CASE)


@dataclass(frozen=True, slots=True)
class QueueCount:
    """One queue as the actor sees it; both numbers end at 1,000."""

    queue: str
    label: Label
    open: int
    unclaimed: int
    is_more: bool = False
    """There are more open tasks than were counted."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many tasks a query finds; `is_more`: more than `n`, which were not counted."""

    n: int
    is_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """Filters of a task list. `after` is the place of the last row of the page before, in the same order."""

    queue: str = ""
    mine: bool = False
    unclaimed: bool = False
    holder: str = ""
    """`@me`, `@none`, or an actor id."""
    kind: str = ""
    """Kind of case."""
    task: str = ""
    """Kind of task."""
    stage: str = ""
    line: str = ""
    on_hold: bool | None = None
    raised: bool = False
    late: bool = False
    """The first promise of the case is past."""
    team: str = ""
    """Held by somebody of this team."""
    sort: str = "urgency"
    after: Place | None = None
    limit: int = 50


# --- tasks ------------------------------------------------------------------------------------------------------------


async def list_tasks(context: Context, actor: Actor, query: TaskQuery) -> Sequence[TaskOnDesk]:
    """Open tasks in the query's order, one page (TSK-1, TSK-2); what is long is left out (`finding.OF_CASE`).

    Of the actor's queues, or what they hold wherever it lies; for leads also what others hold. People outside see what
    was given to them. Raises `Invalid` for an order that there is not, `NotAllowed` where people outside ask for what
    we put ahead.
    """
    actor.require_sight()
    query = replace(query, sort=order_for(actor, query.sort))
    shape, given = await _asked(context, actor, query)
    given |= {"limit": query.limit} | _place(query.after)
    async with context.db.connecting() as connection:
        rows = await connection.execute(reading(shape, workable_tasks(actor)), given)
        return [_listed(row) for row in rows]


def order_for(actor: Actor, sort: str) -> str:
    """The order in which the actor gets a list: what is urgent, and why, is not for people outside."""
    return "due" if sort == "urgency" and actor.is_outside else sort


def _place(after: Place | None) -> dict[str, Any]:
    return {} if after is None else {"after": after[0], "after_id": after[1]}


def _listed(row: Sequence[Any]) -> TaskOnDesk:
    """A task and its case as plain tuples, read many times as fast as rows of a session.

    They cannot be changed, and asked for what was not read, they raise.
    """
    task, case = _ListedTask(*row[: len(OF_TASK)]), _ListedCase(*row[len(OF_TASK) :])
    return TaskOnDesk(cast("Task", task), cast("Case", case))


async def count_tasks(context: Context, actor: Actor, query: TaskQuery) -> Count:
    """How many open tasks a query finds on all its pages; of more than 1,000 only that they are more."""
    actor.require_sight()
    shape, given = await _asked(context, actor, query)
    async with context.reading() as session:
        statement = counting(shape, workable_tasks(actor))
        n = (await session.execute(statement, given | {"limit": COUNTED + 1})).scalar_one()
    return Count(min(n, COUNTED), is_more=n > COUNTED)


async def _asked(context: Context, actor: Actor, query: TaskQuery) -> tuple[Shape, dict[str, Any]]:
    """What the statement looks like, and the values that go into it."""
    order_named(query.sort)
    if query.raised and not sees_inside(actor):
        raise NotAllowed(NOT_YOURS)
    of, given = await _groups(context, actor, query)
    named = {"task": query.task, "stage": query.stage, "kind": query.kind, "line": query.line, "team": query.team}
    given |= {name: value for name, value in named.items() if value}
    flags = _flags(query) | {"routed": of == "every_queue" and not actor.has_queue(UNROUTED)}
    filters = ({*given} & FILTERS.keys()) - {of} | {name for name, is_asked in flags.items() if is_asked}
    now = context.now()
    given |= {"now": now, "late_at": now}
    shape = Shape(
        of=of,
        filters=frozenset(filters),
        sort=query.sort,
        starts="first" if query.after is None else "after" if query.after[0] is not None else "after_never",
        with_case=actor.is_outside or bool(query.kind or query.line),
    )
    return shape, given


def _flags(query: TaskQuery) -> dict[str, bool]:
    return {
        "free": query.unclaimed or query.holder == NOBODYS,
        "raised": query.raised,
        "late": query.late,
        "aside": query.on_hold is True,
        "at_hand": query.on_hold is False,
    }


async def _groups(context: Context, actor: Actor, query: TaskQuery) -> tuple[Group, dict[str, Any]]:
    """Queues, or people where it is asked who has something; with what else that means for a row."""
    queue: dict[str, Any] = {"queue": query.queue} if query.queue else {}
    # Whoever sees how much people have in hand sees what it is, wherever it lies.
    sees_hands = actor.has_every_queue or actor.may("desk:load")
    within = {} if sees_hands else {"within": list(actor.queue_names)}
    if query.mine or query.holder == MINE:
        return "people", {"names": await _held_by(context, actor)} | queue
    if actor.is_outside:
        return "people", {"names": [actor.id]} | within | queue
    if query.holder and query.holder != NOBODYS:
        return "people", {"names": [query.holder]} | within | queue
    if query.team:
        return "team", within | queue
    if query.queue:
        return "queues", {"names": [query.queue] if actor.has_queue(query.queue) else []}
    return ("every_queue", {}) if actor.has_every_queue else ("queues", {"names": list(actor.queue_names)})


async def _held_by(context: Context, actor: Actor) -> list[str]:
    """Whose work `@me` is: one's own, and that of people who are away, for whom one stands in (TSK-4)."""
    async with context.reading() as session:
        return [actor.id, *sorted(await stands_in_for(session, actor, context.now()))]


# --- queues -----------------------------------------------------------------------------------------------------------


async def queues(context: Context, actor: Actor) -> list[QueueCount]:
    """The actor's queues with their open tasks; people outside see in them what was given to them."""
    actor.require_sight()
    mine = {name: label for name, label in QUEUES.items() if actor.has_queue(name)}
    statement = counting_queues(workable_tasks(actor), of_one=actor.is_outside)
    async with context.reading() as session:
        rows = await session.execute(statement, {"names": list(mine), "limit": COUNTED + 1, "me": actor.id})
        found = {name: (n, free) for name, n, free in rows}
    return [
        QueueCount(name, label, min(n, COUNTED), min(free, COUNTED), is_more=n > COUNTED)
        for name, label in mine.items()
        for n, free in [found[name]]
    ]
