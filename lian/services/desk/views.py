"""Lists of the desk that people keep: their own, their team's, and those everybody has from the beginning (TSK-1).

For the API and the pages:
    read_view(actor, params, limit=) -> ViewShown(query: TaskQuery, columns, params)     what an address lists
    list_views(context, actor) -> list[View]         built in first, then pinned, own, the team's
    count_views(context, actor) -> dict[id, Count]   capped; never part of a list's own request
    save_view, change_view (name, query, share, pin), delete_view
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, func, or_, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import SavedView
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.labels import Label
from lian.services.context import Context
from lian.services.desk.lists import Count, count_tasks
from lian.services.desk.view_reading import (
    BESIDE,
    COLUMNS,
    MOST_TEXT,
    MY_TEAM,
    USUAL_COLUMNS,
    ViewShown,
    read_address,
    read_view,
)

__all__ = [
    "BESIDE",
    "COLUMNS",
    "USUAL_COLUMNS",
    "View",
    "ViewChange",
    "ViewShown",
    "change_view",
    "count_views",
    "delete_view",
    "list_views",
    "read_view",
    "save_view",
]

MOST_VIEWS = 100
"""So many somebody may keep."""
MOST_COUNTED = 40
"""More are no longer read; those of one's role and what is pinned come first."""
NO_VIEW = "There is no saved view with this id."
TAKEN = "You have a view of this name already."
PRIVATE, TEAM = "private", "team"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A list under a name. Those that are built in have a word as their id, and a name in both languages.

    `is_mine`: the reader keeps it and may change it. `is_readable`: it names nothing that is gone, such as a queue.
    """

    id: str
    name: Label
    query: str
    is_built_in: bool = False
    is_mine: bool = False
    is_shared: bool = False
    is_pinned: bool = False
    is_readable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChange:
    """What is to be different; `None` stays as it is."""

    name: str | None = None
    query: str | None = None
    is_shared: bool | None = None
    is_pinned: bool | None = None


# --- what everybody has from the beginning ----------------------------------------------------------------------------


def built_in(actor: Actor) -> tuple[View, ...]:
    """The lists of this person's role, which nobody has to keep."""
    return tuple(View(id=id_, name=name, query=query, is_built_in=True) for id_, name, query in _built_in(actor))


def _built_in(actor: Actor) -> Iterator[tuple[str, Label, str]]:
    if actor.may("task:hold"):
        yield "mine", Label("Mine", "我的任务"), "holder=%40me&on_hold=0"
    if actor.may("task:claim"):
        yield "free", Label("Free in my queues", "队列中待认领"), "holder=%40none&on_hold=0"
    yield "overdue", Label("Overdue", "已超时"), "late=1"
    if actor.may("task:hold"):
        yield "aside", Label("Put aside", "已搁置"), "holder=%40me&on_hold=1"
    if actor.may("task:assign") and actor.team:
        yield "team-overdue", Label("Team: overdue", "团队：已超时"), f"late=1&team=%40{MY_TEAM[1:]}"
        yield "team-aside", Label("Team: put aside", "团队：已搁置"), f"on_hold=1&team=%40{MY_TEAM[1:]}"


# --- reading ----------------------------------------------------------------------------------------------------------


async def list_views(context: Context, actor: Actor) -> list[View]:
    """The lists this person has: those of their role, what they pinned, their own, their team's."""
    actor.require_sight()
    query = select(SavedView).where(_readable(actor))
    async with context.transaction() as session:
        kept = (await session.execute(query)).scalars().all()
    shown = sorted((_view(row, actor) for row in kept), key=lambda v: (not v.is_pinned, not v.is_mine, v.name.en, v.id))
    return [*built_in(actor), *shown]


async def count_views(context: Context, actor: Actor) -> dict[str, Count]:
    """How many tasks each of them finds, up to 1,000 each, of the first 40; none of what names something gone."""
    found: dict[str, Count] = {}
    for view in (await list_views(context, actor))[:MOST_COUNTED]:
        shown = _shown(actor, view.query)
        if shown:
            found[view.id] = await count_tasks(context, actor, shown.query)
    return found


def _readable(actor: Actor) -> ColumnElement[bool]:
    own = col(SavedView.owner) == actor.id
    theirs = and_(col(SavedView.scope) == TEAM, col(SavedView.team) == actor.team)
    return or_(own, theirs) if actor.team else own


def _view(row: SavedView, actor: Actor) -> View:
    is_mine = row.owner == actor.id
    return View(
        id=str(row.id),
        name=Label(row.name, row.name),
        query=row.query,
        is_mine=is_mine,
        is_shared=row.scope == TEAM,
        is_pinned=row.is_pinned,
        is_readable=_shown(actor, row.query) is not None,
    )


def _shown(actor: Actor, query: str) -> ViewShown | None:
    try:
        return read_address(actor, query, limit=1)
    except Invalid:
        return None


# --- keeping ----------------------------------------------------------------------------------------------------------


async def save_view(
    context: Context, actor: Actor, *, name: str, query: str, is_shared: bool = False, is_pinned: bool = False
) -> View:
    """Keep a list under a name. Sharing it with one's team needs `view:share`.

    Raises `Invalid` for a name or a query that cannot be kept, `Conflict` for a second view of the same name.
    """
    actor.require_sight()
    said, shown = _name(name), read_address(actor, query, limit=1)
    async with context.transaction() as session:
        await _one_at_a_time(session, actor)
        await _refuse_too_many(session, actor)
        await _refuse_taken(session, actor, said)
        row = SavedView(
            id=uuid4(), owner=actor.id, name=said, query=shown.address, is_pinned=is_pinned, saved_at=context.now()
        )
        _share(row, actor, is_shared=is_shared)
        session.add(row)
    return _view(row, actor)


async def change_view(context: Context, actor: Actor, view_id: UUID, change: ViewChange) -> View:
    """Another name or list, shared with one's team or no longer, pinned or not. Only whoever keeps it changes it."""
    actor.require_sight()
    async with context.transaction() as session:
        await _one_at_a_time(session, actor)
        row = await _own(session, actor, view_id)
        if change.name is not None:
            row.name = await _new_name(session, actor, row, change.name)
        if change.query is not None:
            row.query = read_address(actor, change.query, limit=1).address
        if change.is_pinned is not None:
            row.is_pinned = change.is_pinned
        if change.is_shared is not None:
            _share(row, actor, is_shared=change.is_shared)
        row.saved_at = context.now()
    return _view(row, actor)


async def delete_view(context: Context, actor: Actor, view_id: UUID) -> None:
    """Keep it no longer. What a team shares, whoever may share may also take away: its keeper may have left."""
    actor.require_sight()
    async with context.transaction() as session:
        row = await _visible(session, actor, view_id)
        if row.owner != actor.id:
            actor.require("view:share")
        await session.delete(row)


async def _visible(session: AsyncSession, actor: Actor, view_id: UUID) -> SavedView:
    query = select(SavedView).where(SavedView.id == view_id, _readable(actor)).with_for_update()
    row = (await session.execute(query)).scalars().first()
    if row is None:
        raise NotFound(NO_VIEW)
    return row


async def _own(session: AsyncSession, actor: Actor, view_id: UUID) -> SavedView:
    row = await _visible(session, actor, view_id)
    if row.owner != actor.id:
        raise NotAllowed("Only whoever keeps a view may change it; save it under a name of your own.")
    return row


def _share(row: SavedView, actor: Actor, *, is_shared: bool) -> None:
    if is_shared:
        actor.require("view:share")
        if not actor.team:
            raise Invalid("You belong to no team.", field="is_shared")
    row.scope, row.team = (TEAM, actor.team) if is_shared else (PRIVATE, "")


def _name(given: str) -> str:
    said = " ".join(unicodedata.normalize("NFKC", given).split())
    if not 0 < len(said) <= MOST_TEXT or not said.isprintable():
        raise Invalid("A view needs a name of at most 80 characters.", field="name")
    return said


async def _new_name(session: AsyncSession, actor: Actor, row: SavedView, given: str) -> str:
    said = _name(given)
    if said != row.name:
        await _refuse_taken(session, actor, said)
    return said


async def _one_at_a_time(session: AsyncSession, actor: Actor) -> None:
    """Two tabs of one person wait for each other, so that both are told the truth about names and numbers."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"views/{actor.id}"})


async def _refuse_too_many(session: AsyncSession, actor: Actor) -> None:
    query = select(func.count()).select_from(SavedView).where(col(SavedView.owner) == actor.id)
    if (await session.execute(query)).scalar_one() >= MOST_VIEWS:
        raise Conflict("You keep 100 views already; delete one first.")


async def _refuse_taken(session: AsyncSession, actor: Actor, name: str) -> None:
    query = select(SavedView.id).where(SavedView.owner == actor.id, SavedView.name == name)
    if (await session.execute(query)).first():
        raise Conflict(TAKEN, field="name")
