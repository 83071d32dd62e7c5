"""The table of routes in force, what it may know of a task, and where a new one belongs (TSK-1, TSK-3).

A task is routed in the transaction that opens it. A table that cannot be read must not stop a case: such a task goes to
the error queue, as one does that no row fits, and operations is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import ColumnElement, Select, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.db.session import Database
from lian.db.tables import Case, CaseTag, RoutingTable, Task
from lian.domain import journal as j
from lian.domain.case_kinds import task_kind
from lian.domain.queues import UNROUTED
from lian.domain.status import TaskStatus
from lian.services.context import Context
from lian.services.notices import OPERATIONS, Words, queue_notice
from lian.services.route_reading import read_routes, shipped_table
from lian.services.routes import AMOUNT, KEEP, BadRoutes, Fact, RouteTable

log = structlog.get_logger()

Row = Mapping[str, Any]

LATEST = (
    select(RoutingTable.version)
    # Numbers without leading zeros: the longer name is the later one.
    .order_by(func.length(col(RoutingTable.version)).desc(), col(RoutingTable.version).desc())
    .limit(1)
    .scalar_subquery()
)
"""The version that was published last; none while the shipped table counts."""
_COMPILED: WeakKeyDictionary[Database, dict[str, RouteTable | None]] = WeakKeyDictionary()
"""Published tables never change: each is read and compiled once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongs:
    """Where a task belongs by a table: what `task.routed` puts on record."""

    queue: str
    skills: tuple[str, ...] = ()
    is_green: bool = False
    is_raised: bool = False
    rule: str = ""

    def event(self, task_id: UUID, table: str) -> j.TaskRouted:
        """The fact for the journal."""
        return j.TaskRouted(
            task_id=task_id,
            queue=self.queue,
            skills=self.skills,
            is_green=self.is_green,
            is_raised=self.is_raised,
            rule=self.rule,
            table=table,
        )


# --- which table ------------------------------------------------------------------------------------------------------


async def version_in_force(session: AsyncSession) -> str:
    """Its name, such as `routes/1` for the shipped one or `house-routes/3`."""
    return (await session.execute(select(LATEST))).scalar_one() or shipped_table().version


async def table_named(context: Context, session: AsyncSession, version: str) -> RouteTable | None:
    """The table of this version; none, and a word in the log, when what is stored cannot be read."""
    if version == shipped_table().version:
        return shipped_table()
    known = _COMPILED.setdefault(context.db, {})
    if version not in known:
        known[version] = _compiled(version, (await session.get_one(RoutingTable, version)).body)
    return known[version]


def _compiled(version: str, body: dict[str, Any]) -> RouteTable | None:
    try:
        return read_routes(json.dumps(body), version=version)
    except BadRoutes as wrong:
        log.error("routes_unreadable", table=version, why=wrong.message)
        return None


# --- what it may know -------------------------------------------------------------------------------------------------


def _catastrophe() -> ColumnElement[Any]:
    """The catastrophe that the case was last counted with."""
    latest = (
        select(CaseTag.code)
        .where(CaseTag.case_id == Case.id, CaseTag.tag == "catastrophe")
        .order_by(col(CaseTag.tagged_at).desc(), col(CaseTag.code))
        .limit(1)
    )
    return func.coalesce(latest.correlate(Case).scalar_subquery(), "")


_COLUMNS: dict[str, Any] = {
    "kind": col(Case.kind),
    "task": col(Task.kind),
    "stage": col(Task.stage),
    "line": col(Case.line),
    "region": func.coalesce(col(Case.details)["region"].astext, ""),
    AMOUNT: col(Case.claimed_amount),
    "complexity": col(Case.complexity),
    "severity": col(Case.severity),
    "injured": col(Case.injured) > 0,
    "minors": col(Case.minors) > 0,
    "catastrophe": _catastrophe(),
    "channel": col(Case.channel),
    "risk_level": col(Case.risk_level),
    "reopened": col(Case.generation) > 1,
}
"""Where each fact is read. `region` is an answer of the intake form of that name, where a kind asks for it."""
_MADE_OF = {"queue": (), "in_catastrophe": ("catastrophe",)}
_TASK = ("id", "case_id", "queue", "status", "skills", "is_green", "is_raised", "holder", "opened_at")


def tasks_with_facts(compares: Iterable[str], *more: ColumnElement[Any]) -> Select[Any]:
    """A query over `tasks` and their `cases` for rows that `facts_in` reads."""
    needed = {"kind", "task"}.union(*(_MADE_OF.get(fact, (fact,)) for fact in compares))
    facts = [_COLUMNS[fact].label(f"fact_{fact}") for fact in sorted(needed)]
    columns = [getattr(Task, name) for name in _TASK]
    query: Select[Any] = select(*columns, col(Case.number), *facts, *more)  # type: ignore[call-overload]
    return query.join(Case, col(Case.id) == col(Task.case_id))


def facts_in(row: Row, own_queue: str) -> dict[str, Fact]:
    """What the row says of the task, as codes, flags and one amount in the case's currency."""
    facts = {name.removeprefix("fact_"): said for name, said in row.items() if name.startswith("fact_")}
    return facts | {"queue": own_queue, "in_catastrophe": bool(facts.get("catastrophe"))}


def own_queue_of(row: Row) -> str:
    """The queue that the task's kind names."""
    return task_kind(row["fact_kind"], row["fact_task"]).queue


# --- where it belongs -------------------------------------------------------------------------------------------------


def belongs(table: RouteTable | None, facts: Mapping[str, Fact], own_queue: str) -> Belongs:
    """What the table says; the error queue when it says nothing, or cannot be asked."""
    try:
        route = table.route(facts) if table else None
    except (RuntimeError, LookupError, TypeError, ValueError) as failed:
        log.error("routes_failed", table=table.version if table else "", error=type(failed).__name__)
        route = None
    if route is None:
        return Belongs(queue=UNROUTED)
    return Belongs(
        queue=own_queue if route.queue == KEEP else route.queue,
        skills=route.skills,
        is_green=route.green,
        is_raised=route.raised,
        rule=route.rule,
    )


async def route_opened(context: Context, session: AsyncSession, opened: j.TaskOpened) -> j.TaskRouted | None:
    """Where a task that was just opened belongs; none when that is where it is, with no skills and no priority.

    One question to the database. A process that repeats what is on record already changes nothing.
    """
    query = tasks_with_facts(_COLUMNS, LATEST.label("latest")).where(col(Task.id) == opened.task_id)
    row = (await session.execute(query)).mappings().one()
    if not _is_as_opened(row, opened):
        return None
    version = row["latest"] or shipped_table().version
    found = belongs(await table_named(context, session, version), facts_in(row, opened.queue), opened.queue)
    if found.queue == UNROUTED:
        await _tell_operations(context, session, row, version)
    is_said = found.queue == opened.queue and not (found.skills or found.is_green or found.is_raised)
    return None if is_said else found.event(opened.task_id, version)


def _is_as_opened(row: Row, opened: j.TaskOpened) -> bool:
    is_waiting = row["status"] == TaskStatus.OPEN and not row["holder"]
    return is_waiting and row["queue"] == opened.queue and not (row["skills"] or row["is_green"] or row["is_raised"])


async def _tell_operations(context: Context, session: AsyncSession, row: Row, version: str) -> None:
    """Once a day for a version, however many tasks it does not fit: the queue itself shows them all."""
    log.error("task_not_routed", task_id=str(row["id"]), case_id=str(row["case_id"]), table=version)
    number = row["number"]
    words = Words(
        f"{number}: 任务未能分派 / A task was not routed",
        f"分派规则表 {version} 中没有适用于案件 {number} 任务的规则，该任务在“未能分派”队列中等待。请检查规则表；"
        "今天如有其他未能分派的任务，也在该队列中。\n"
        f"No row of the table of routes {version} fits a task of case {number}, or the table cannot be read. The task "
        "waits in the queue Not routed, as do all others of today. Please look at the table.",
    )
    day = f"{context.now().astimezone(context.settings.zone):%Y-%m-%d}"
    key = f"unrouted:{version}:{day}"
    await queue_notice(context, session, key=key, case_id=row["case_id"], recipient=OPERATIONS, words=words)
