"""How lists and counts ask the database, so that an index answers them at any size (TSK-1, decision 0009).

Many queues, or many people, are never asked for at once: each is looked at by itself, where an index has its tasks in
order, and the first of each are merged. What may be seen comes from `auth/visibility.py`, inside every statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    not_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import SQLModel

from lian.auth.visibility import serves_many
from lian.domain.queues import UNROUTED
from lian.services.desk.sorting import NEVER, comes_after, in_order, sorted_by

TASKS, CASES, STAFF = (SQLModel.metadata.tables[name] for name in ("tasks", "cases", "staff"))
UNREAD = {"ask", "outcome", "needs", "passed", "closed_at", "completed_by"}
OF_TASK = tuple(each.key for each in TASKS.columns if each.key not in UNREAD)
OF_CASE = ("id", "number", "kind", "line", "loss_cause", "details", "currency", "claimed_amount")
"""What lists show of a task and of its case."""
READ = select(*(TASKS.c[name] for name in OF_TASK), *(CASES.c[name] for name in OF_CASE))

IS_OPEN = TASKS.c.status == literal_column("'open'")
IS_FREE = TASKS.c.holder == literal_column("''")
"""Written out, because PostgreSQL finds a partial index by the words of its condition."""
NOW, LIMIT = bindparam("now", type_=TASKS.c.opened_at.type), bindparam("limit", type_=Integer)
IS_ASIDE = func.coalesce(TASKS.c.hold_until > NOW, False)
OF_TEAM = select((literal("staff:") + cast(STAFF.c.id, String)).label("name")).where(STAFF.c.team == bindparam("team"))
FILTERS: dict[str, ColumnElement[bool]] = {
    "queue": TASKS.c.queue == bindparam("queue"),
    "within": TASKS.c.queue == any_(bindparam("within", type_=ARRAY(Text))),
    "task": TASKS.c.kind == bindparam("task"),
    "stage": TASKS.c.stage == bindparam("stage"),
    "kind": CASES.c.kind == bindparam("kind"),
    "line": CASES.c.line == bindparam("line"),
    "team": TASKS.c.holder.in_(OF_TEAM),
    "free": IS_FREE,
    "routed": TASKS.c.queue != UNROUTED,
    "raised": TASKS.c.is_raised,
    "aside": IS_ASIDE,
    "at_hand": not_(IS_ASIDE),
    # The instant is written into the statement: how many are late decides which index is the quicker one.
    "late": sorted_by("due") < bindparam("late_at", type_=TASKS.c.opened_at.type, literal_execute=True),
}
"""Every filter of a list; the values go in with the call."""


Group = Literal["queues", "every_queue", "people", "team"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a statement looks like, without the values that go into it."""

    of: Group
    """What is looked at one by one."""
    filters: frozenset[str]
    sort: str = "urgency"
    starts: Literal["first", "after", "after_never"] = "first"
    """At the beginning, or after a place; in the order of deadlines, a place may be among those that have none."""
    with_case: bool = False
    """The filters, or the condition of what may be seen, are about the case as well."""


def reading(shape: Shape, may_see: ColumnElement[bool]) -> Select[Any]:
    """One page: `OF_TASK` and `OF_CASE` of each row."""
    return _kept_reading(shape, may_see) if serves_many(may_see) else _reading(shape, may_see)


def counting(shape: Shape, may_see: ColumnElement[bool]) -> Select[Any]:
    """How many there are, up to `limit`."""
    groups = _groups(shape)
    each = _found(shape, groups, may_see).limit(LIMIT).lateral("found")
    some = select(literal(1)).select_from(groups.join(each, true())).limit(LIMIT).subquery()
    return select(func.count()).select_from(some)


def counting_queues(may_see: ColumnElement[bool], *, of_one: bool) -> Select[Any]:
    """For each queue named how many tasks are open and how many free, each up to `limit`; `of_one`: that `me` has."""
    names, mine = _names(), [TASKS.c.holder == bindparam("me")] if of_one else []

    def counted(*more: ColumnElement[bool]) -> ColumnElement[int]:
        some = select(literal(1)).where(TASKS.c.queue == names.c.name, IS_OPEN, may_see, *mine, *more)
        if of_one:  # what people outside may see depends on the case
            some = some.select_from(TASKS.join(CASES, CASES.c.id == TASKS.c.case_id))
        counted = some.correlate(names).limit(LIMIT).subquery()
        return select(func.count()).select_from(counted).scalar_subquery()

    return select(names.c.name, counted(), counted(IS_FREE))


def naming_queues() -> Select[Any]:
    """The queues in which anything is open."""
    queues = _every_queue()
    return select(queues.c.name).where(queues.c.name.is_not(None))


Span = tuple[datetime | None, datetime | None]
"""From when on, and until before when; None: without such an end."""


def counting_waiting_and_due(may_see: ColumnElement[bool], spans: Sequence[Span]) -> Select[Any]:
    """For each queue named: how many tasks wait at hand, and since when the first of them is open; then how many fall
    due within each of the spans, and how many never; each number up to `limit`."""
    names, due = _names(), sorted_by("due")
    waits = (IS_FREE, FILTERS["at_hand"])

    def within(*more: ColumnElement[bool]) -> Select[Any]:
        return select(literal(1)).where(TASKS.c.queue == names.c.name, IS_OPEN, may_see, *more).correlate(names)

    def counted(some: Select[Any]) -> ColumnElement[int]:
        return select(func.count()).select_from(some.limit(LIMIT).subquery()).scalar_subquery()

    def falls(span: Span) -> Iterator[ColumnElement[bool]]:
        begin, end = span
        if begin is not None:
            yield due >= begin
        yield due < (NEVER if end is None else end)

    # In this order there is an index with nothing but what is free; in none, PostgreSQL would look at the whole queue.
    waiting = within(*waits).order_by(TASKS.c.needs, TASKS.c.urgency, TASKS.c.id)
    first = within(*waits).with_only_columns(TASKS.c.opened_at).order_by(TASKS.c.opened_at, TASKS.c.id).limit(1)
    buckets = (counted(within(*falls(span))) for span in spans)
    return select(names.c.name, counted(waiting), first.scalar_subquery(), *buckets, counted(within(due == NEVER)))


# --- one page ---------------------------------------------------------------------------------------------------------


def _reading(shape: Shape, may_see: ColumnElement[bool]) -> Select[Any]:
    """The first of every group, and of these the first; only then are rows read: until there, the index says it all."""
    groups, value = _groups(shape), sorted_by(shape.sort)
    found = _found(shape, groups, may_see).add_columns(value)
    if shape.starts != "first":
        found = found.where(comes_after(shape.sort, is_never=shape.starts == "after_never"))
    each = found.order_by(*in_order(shape.sort, value, TASKS.c.id)).limit(LIMIT).lateral("found")
    order = in_order(shape.sort, each.c.sorted_by, each.c.id)
    page = select(each).select_from(groups.join(each, true())).order_by(*order).limit(LIMIT).cte("page")
    rows = READ.select_from(page.join(TASKS, TASKS.c.id == page.c.id).join(CASES, CASES.c.id == TASKS.c.case_id))
    return rows.order_by(*in_order(shape.sort, page.c.sorted_by, page.c.id))


_kept_reading = lru_cache(maxsize=1_000)(_reading)


def _found(shape: Shape, groups: FromClause, may_see: ColumnElement[bool]) -> Select[Any]:
    """The ids of what is wanted of one group."""
    is_of_people = shape.of in {"people", "team"}
    place = TASKS.c.holder if is_of_people else TASKS.c.queue
    filters = (FILTERS[name] for name in sorted(shape.filters))
    found = select(TASKS.c.id).where(place == groups.c.name, IS_OPEN, may_see, *filters)
    return found.join_from(TASKS, CASES, CASES.c.id == TASKS.c.case_id) if shape.with_case else found


def _groups(shape: Shape) -> FromClause:
    if shape.of == "every_queue":
        return _every_queue()
    return OF_TEAM.subquery("people") if shape.of == "team" else _names()


def _names() -> FromClause:
    names = func.unnest(bindparam("names", type_=ARRAY(Text)))
    return names.table_valued(column("name", Text)).render_derived(name="listed")


def _every_queue() -> FromClause:
    """Jumps through the index from one queue to the next, however many tasks lie in each."""
    first = func.min(TASKS.c.queue)
    queues = select(first.label("name")).where(IS_OPEN).cte("every_queue", recursive=True)
    following = select(first).where(IS_OPEN, TASKS.c.queue > queues.c.name).scalar_subquery()
    return queues.union_all(select(following).where(queues.c.name.is_not(None)))
