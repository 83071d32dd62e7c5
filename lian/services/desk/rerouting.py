"""Putting open tasks where the table of routes says: looked at first, then done (TSK-3).

Tasks that it leaves where they are stay untouched. Whoever has a task keeps it, unless the table now demands a licence
that they do not have.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import workable_tasks
from lian.db.journal import lock_chain
from lian.db.tables import Staff, Task
from lian.domain import journal as j
from lian.domain.errors import Conflict, DomainError, Invalid, NotFound
from lian.domain.needs import LICENCE
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk.lists import IS_OPEN
from lian.services.desk.relaxing import relaxed_before
from lian.services.desk.tasks import staff_of
from lian.services.recording import put_on_record
from lian.services.route_reading import read_routes
from lian.services.route_tables import (
    Belongs,
    Row,
    belongs,
    facts_in,
    own_queue_of,
    table_named,
    tasks_with_facts,
    version_in_force,
)
from lian.services.routes import RouteTable

PREVIEW_LIVES = timedelta(hours=1)
AT_ONCE = 2_000
"""Tasks that are read at a time."""
MOST_LISTED = 200
MOST_MOVED = 500
"""Tasks that one call puts elsewhere, each in a transaction of its own; the answer says where to go on."""
MOST_LOOKED_AT = 20_000
OUTDATED = "Something was published since you looked. Look at the preview again."
UNREADABLE = "The table in force cannot be read; publish another one."

Place = tuple[str, datetime, UUID]
"""Where one is among all open tasks: queue, opening, id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What would become of one task. `loses_holder`: whoever has it lacks a licence that it then needs."""

    task_id: UUID
    case_id: UUID
    number: str
    kind: str
    before: Belongs
    after: Belongs
    loses_holder: bool
    is_seen: bool
    """Whether the case is the asker's to see; all are counted, only these are listed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that could not be put where it belongs, and why. `number` is empty for a case one does not see."""

    task_id: UUID
    number: str
    why: str


@dataclass(slots=True, kw_only=True)
class Preview:
    """What applying a table would do. `token` is given back with the order; it is empty for a draft."""

    version: str
    token: str = ""
    open_tasks: int = 0
    changed: int = 0
    losing_holder: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    """From which queue to which, how many; those that stay in their queue under the same name twice."""
    listed: list[Move] = field(default_factory=list)
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Applied:
    """What one call did; `after` is the place at which the next one goes on, none when all is done."""

    version: str
    moved: int = 0
    released: int = 0
    looked_at: int = 0
    failures: list[Failure] = field(default_factory=list)
    after: Place | None = None


# --- looking ----------------------------------------------------------------------------------------------------------


async def preview_routes(context: Context, actor: Actor, draft: str = "") -> Preview:
    """What the table in force, or a draft, would do to all open tasks. Needs `desk:route`.

    All open tasks are counted; only those that the actor may see are listed, at most 200.
    """
    actor.require("desk:route")
    table, token = await _previewed(context, draft)
    preview = Preview(version=table.version, token=token)
    async for page in _pages(context, actor, table, None):
        for row, found in page:
            preview.open_tasks += 1
            _count(preview, row, found)
    return preview


async def _previewed(context: Context, draft: str) -> tuple[RouteTable, str]:
    if draft:
        return read_routes(draft, version="draft"), ""
    async with context.transaction() as session:
        version = await version_in_force(session)
        return await _readable(context, session, version), _token(version, context.now())


async def _readable(context: Context, session: AsyncSession, version: str) -> RouteTable:
    table = await table_named(context, session, version)
    if table is None:
        raise Conflict(UNREADABLE)
    return table


def _count(preview: Preview, row: Row, found: Move | Failure | None) -> None:
    match found:
        case Failure():
            preview.failed += 1
            if len(preview.failures) < MOST_LISTED:
                preview.failures.append(found)
        case Move():
            preview.changed += 1
            preview.losing_holder += found.loses_holder
            preview.moves[found.before.queue, found.after.queue] += 1
            if found.is_seen and len(preview.listed) < MOST_LISTED:
                preview.listed.append(found)


def _token(version: str, at: datetime) -> str:
    """Names the version that was looked at, and when."""
    seen = f"{at.timestamp():.6f}"
    return f"{seen}.{hashlib.sha256(f'{version} {seen}'.encode()).hexdigest()[:32]}"


def _seen_at(token: str, version: str, now: datetime) -> datetime:
    """When the preview was made. Raises `Conflict` unless it showed what would be applied now."""
    try:
        at = datetime.fromtimestamp(float(".".join(token.split(".")[:2])), UTC)
    except (ValueError, OverflowError, OSError):
        raise Invalid("Look at the preview first, then apply it.", field="token") from None
    if token != _token(version, at):
        raise Conflict(OUTDATED)
    if not now - PREVIEW_LIVES <= at <= now:
        raise Conflict("The preview is more than an hour old. Look at it again.")
    return at


async def _pages(
    context: Context, actor: Actor, table: RouteTable, after: Place | None, until: datetime | None = None
) -> AsyncIterator[list[tuple[Row, Move | Failure | None]]]:
    """All open tasks, some at a time, each with what would become of it; none when it stays as it is."""
    place = [col(Task.queue), col(Task.opened_at), col(Task.id)]
    query = tasks_with_facts(table.compares, workable_tasks(actor).label("is_seen")).where(IS_OPEN)
    query = query.where(col(Task.opened_at) <= until) if until else query
    skills = await _skills_of_staff(context)
    while True:
        page = query.where(tuple_(*place) > tuple_(*after)) if after else query
        async with context.transaction() as session:
            rows = (await session.execute(page.order_by(*place).limit(AT_ONCE))).mappings().all()
        yield [(row, _look(context, table, row, skills)) for row in rows]
        if len(rows) < AT_ONCE:
            return
        after = (rows[-1]["queue"], rows[-1]["opened_at"], rows[-1]["id"])


async def _skills_of_staff(context: Context) -> dict[str, frozenset[str]]:
    async with context.transaction() as session:
        people = [actor_for(staff) for staff in (await session.execute(select(Staff))).scalars()]
    return {person.id: person.skills_on(context.today) for person in people}


def _look(context: Context, table: RouteTable, row: Row, skills: Mapping[str, frozenset[str]]) -> Move | Failure | None:
    try:
        before, after = _before(row), _after(context, table, row)
    except (KeyError, NotFound):
        return Failure(row["id"], row["number"] if row["is_seen"] else "", "This release knows no task of this kind.")
    if _is_same(before, after):
        return None
    return Move(
        task_id=row["id"],
        case_id=row["case_id"],
        number=row["number"],
        kind=row["fact_task"],
        before=before,
        after=after,
        loses_holder=_loses_holder(after, skills.get(row["holder"])),
        is_seen=row["is_seen"],
    )


def _before(row: Row) -> Belongs:
    return Belongs(
        queue=row["queue"], skills=tuple(row["skills"]), is_green=row["is_green"], is_raised=row["is_raised"]
    )


def _after(context: Context, table: RouteTable, row: Row) -> Belongs:
    """What the table says. Whoever has waited as long as skills may be waited for needs licences only."""
    own_queue = own_queue_of(row)
    found = belongs(table, facts_in(row, own_queue), own_queue)
    if row["opened_at"] > relaxed_before(context):
        return found
    return replace(found, skills=tuple(skill for skill in found.skills if skill.startswith(LICENCE)))


def _is_same(before: Belongs, after: Belongs) -> bool:
    """A task that was raised for another reason stays raised."""
    is_raised = before.is_raised or after.is_raised
    return replace(after, is_raised=is_raised, rule="") == before


def _loses_holder(after: Belongs, skills: frozenset[str] | None) -> bool:
    """Whether whoever has the task lacks a licence for it; nobody's task has no holder to lose."""
    return skills is not None and any(skill.startswith(LICENCE) and skill not in skills for skill in after.skills)


# --- doing ------------------------------------------------------------------------------------------------------------


async def apply_routes(context: Context, actor: Actor, *, token: str, after: Place | None = None) -> Applied:
    """Put open tasks where the table in force says, as it was previewed; later ones are left alone. Needs `desk:route`.

    At most 500 in one call: give `after` of the answer to go on. Each task is a transaction of its own, what fails is
    in the answer, and a repeat changes nothing. Raises `Conflict` when the preview is out of date.
    """
    actor.require("desk:route")
    async with context.transaction() as session:
        version = await version_in_force(session)
        seen_at = _seen_at(token, version, context.now())
        table = await _readable(context, session, version)
    done = Applied(version=version, after=after)
    async for page in _pages(context, actor, table, after, seen_at):
        for row, found in page:
            if done.looked_at >= MOST_LOOKED_AT or done.moved + len(done.failures) >= MOST_MOVED:
                return done
            await _apply(context, actor, table, row, found, done)
    done.after = None
    return done


async def _apply(
    context: Context, actor: Actor, table: RouteTable, row: Row, found: Move | Failure | None, done: Applied
) -> None:
    done.after, done.looked_at = (row["queue"], row["opened_at"], row["id"]), done.looked_at + 1
    if isinstance(found, Failure):
        done.failures.append(found)
    elif found is not None:
        try:
            await _move(context, actor, table, found, done)
        except DomainError as refused:
            done.failures.append(Failure(found.task_id, found.number if found.is_seen else "", refused.message))


async def _move(context: Context, actor: Actor, table: RouteTable, move: Move, done: Applied) -> None:
    """As the task is now, which may be another than the one that was looked at."""
    async with context.transaction() as session:
        await lock_chain(session, move.case_id)
        query = tasks_with_facts(table.compares).where(col(Task.id) == move.task_id, IS_OPEN)
        row = (await session.execute(query)).mappings().first()
        after = _after(context, table, row) if row else None
        if row is None or after is None or _is_same(_before(row), after):
            return
        person = await staff_of(session, row["holder"])
        events: list[j.Event] = [after.event(move.task_id, table.version)]
        if _loses_holder(after, person.skills_on(context.today) if person else None):
            events.append(j.TaskReleased(task_id=move.task_id))
        recorded = [j.Recorded(at=context.now(), actor=actor.id, event=event) for event in events]
        await put_on_record(context, session, case_id=move.case_id, recorded=recorded)
    done.moved, done.released = done.moved + 1, done.released + len(events) - 1
