"""Reading bulk orders: one's own, with `desk:load` those of one's team; each item as far as one may see its task."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor, staff_ids
from lian.db.tables import BulkItem, BulkOrder, Staff
from lian.domain.bulk import BULK_VERBS, ENDED, BulkStatus, BulkVerb, ItemState
from lian.domain.case_kinds import KINDS
from lian.domain.errors import NotFound
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk.bulk_sight import load_tasks
from lian.services.desk.bulk_verbs import GIVEN, Given
from lian.services.desk.tasks import TaskOnDesk

Json = dict[str, Any]
NO_ORDER = "There is no such order."


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSeen:
    """An order and how far it has come: `counts` has every state of its items."""

    order: BulkOrder
    given: Given
    counts: dict[ItemState, int]
    names: dict[str, str]
    """The display names behind its actors, and of the colleague who gets the tasks by their user name."""

    @property
    def verb(self) -> BulkVerb:
        """What is done."""
        return BulkVerb(self.order.verb)

    @property
    def status(self) -> BulkStatus:
        """How it stands."""
        return BulkStatus(self.order.status)

    @property
    def handled(self) -> int:
        """How many of its tasks no longer wait; while it is taken back, how many of the done ones are settled."""
        left = ItemState.DONE if self.status is BulkStatus.UNDOING else ItemState.WAITING
        return self.order.total - self.counts[left]

    @property
    def can_undo(self) -> bool:
        """Whether something was done that may be taken back now."""
        is_over = self.status in ENDED and self.status is not BulkStatus.UNDONE
        return is_over and BULK_VERBS[self.verb].can_undo and self.counts[ItemState.DONE] > 0


@dataclass(frozen=True, slots=True)
class ItemSeen:
    """One task of an order; `found` is none when the task is not the viewer's to see."""

    item: BulkItem
    found: TaskOnDesk | None


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """The condition on `bulk_orders` for this actor: their own; with `desk:load` what their team ordered as well."""
    own = col(BulkOrder.by) == actor.id
    if not actor.may("desk:load"):
        return own
    teams = true() if actor.may("task:assign_any") else col(BulkOrder.team) == actor.team
    return own | (teams & (col(BulkOrder.status) != BulkStatus.PREVIEWED.value))


async def find_order(session: AsyncSession, actor: Actor, order_id: UUID, *, locked: bool = False) -> BulkOrder:
    """An order that is the actor's to see. Raises `NotFound`."""
    query = select(BulkOrder).where(BulkOrder.id == order_id, seen_by(actor))
    order = (await session.execute(query.with_for_update() if locked else query)).scalars().first()
    if order is None:
        raise NotFound(NO_ORDER)
    return order


async def order_seen(context: Context, session: AsyncSession, order: BulkOrder) -> OrderSeen:
    """The order with its counts and names."""
    return (await _all_seen(context, session, [order]))[0]


async def _all_seen(context: Context, session: AsyncSession, orders: Sequence[BulkOrder]) -> list[OrderSeen]:
    counts = await _counts(session, {order.id for order in orders})
    names = await _names(session, orders)
    none = dict.fromkeys(ItemState, 0)
    return [
        OrderSeen(
            order=order,
            given=given_of(context, order),
            counts=none | counts.get(order.id, {}),
            names=names,
        )
        for order in orders
    ]


def given_of(context: Context, order: BulkOrder) -> Given:
    """What the order gives its verb, with its words."""
    given: Json = order.given | {"why": context.ring.open_text(order.why) if order.why else ""}
    return GIVEN.validate_python(given)


async def _counts(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, dict[ItemState, int]]:
    query = select(BulkItem.order_id, BulkItem.state, func.count()).where(col(BulkItem.order_id).in_(ids))
    found: dict[UUID, dict[ItemState, int]] = {}
    for order_id, state, n in await session.execute(query.group_by(col(BulkItem.order_id), col(BulkItem.state))):
        found.setdefault(order_id, {})[ItemState(state)] = n
    return found


async def _names(session: AsyncSession, orders: Sequence[BulkOrder]) -> dict[str, str]:
    ids = staff_ids({actor for order in orders for actor in (order.by, order.stopped_by, order.undone_by)})
    usernames = {order.given.get("to", "") for order in orders} - {""}
    query = select(Staff).where(col(Staff.id).in_(ids) | col(Staff.username).in_(usernames))
    staff = (await session.execute(query)).scalars().all()
    return {f"staff:{one.id}": one.name for one in staff} | {one.username: one.name for one in staff}


# --- for people -------------------------------------------------------------------------------------------------------


async def list_bulk(
    context: Context, actor: Actor, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[OrderSeen]:
    """Orders, the newest first; `after` is the (at, id) of the last one of the page before.

    Needs `desk:bulk` or `desk:load`.
    """
    if not actor.may("desk:load"):
        actor.require("desk:bulk")
    query = select(BulkOrder).where(seen_by(actor), BulkOrder.status != BulkStatus.PREVIEWED.value)
    place = tuple_(col(BulkOrder.at), col(BulkOrder.id))
    if after:
        query = query.where(place < after)
    query = query.order_by(col(BulkOrder.at).desc(), col(BulkOrder.id).desc()).limit(limit)
    async with context.transaction() as session:
        return await _all_seen(context, session, (await session.execute(query)).scalars().all())


async def show_bulk(context: Context, actor: Actor, order_id: UUID) -> OrderSeen:
    """One order, or a preview of one's own. Raises `NotFound`."""
    async with context.transaction() as session:
        return await order_seen(context, session, await find_order(session, actor, order_id))


async def list_items(
    context: Context,
    actor: Actor,
    order_id: UUID,
    *,
    states: Collection[ItemState] = (),
    after: int = -1,
    limit: int = 50,
) -> list[ItemSeen]:
    """The tasks of an order, and what became of each; `after` is the last number of the page before."""
    async with context.transaction() as session:
        order = await find_order(session, actor, order_id)
        query = select(BulkItem).where(BulkItem.order_id == order.id, BulkItem.n > after)
        if states:
            query = query.where(col(BulkItem.state).in_([state.value for state in states]))
        items = (await session.execute(query.order_by(col(BulkItem.n)).limit(limit))).scalars().all()
        tasks = await load_tasks(session, actor, [item.task_id for item in items])
    return [ItemSeen(item, tasks.get(item.task_id)) for item in items]


async def count_reasons(context: Context, actor: Actor, order_id: UUID) -> list[tuple[ItemState, str, int]]:
    """Why tasks of an order were refused or kept, or still wait, with how many each; the most frequent first."""
    async with context.transaction() as session:
        order = await find_order(session, actor, order_id)
        n = func.count()
        query = (
            select(BulkItem.state, BulkItem.words, n)
            .where(BulkItem.order_id == order.id, BulkItem.words != "")
            .group_by(col(BulkItem.state), col(BulkItem.words))
            .order_by(n.desc(), col(BulkItem.words))
        )
        return [(ItemState(state), words, many) for state, words, many in await session.execute(query)]


async def list_colleagues(context: Context, actor: Actor) -> list[Staff]:
    """Active accounts with work of some kind, those of the actor's own team first. Needs `task:assign`."""
    actor.require("task:assign")
    async with context.transaction() as session:
        query = select(Staff).where(col(Staff.active)).order_by(col(Staff.team) != actor.team, col(Staff.name))
        return [each for each in (await session.execute(query)).scalars() if _works(each)]


def _works(staff: Staff) -> bool:
    return any(actor_for(staff).may(task.permission) for kind in KINDS.values() for task in kind.tasks)
