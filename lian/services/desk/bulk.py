"""Bulk orders: looking first, ordering, watching, stopping and taking back (TSK-1).

What would become of each task is written down as it is looked at; an order is that preview, set going. It is committed
here with a message to the relay, and worked through by a workflow (`bulk_work`), each task as a single one would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import BulkItem, BulkOrder, Task
from lian.domain.bulk import BULK_VERBS, ENDED, MOST_TASKS, PREVIEW_LIVES, BulkStatus, BulkVerb, ItemState
from lian.domain.errors import Conflict, Invalid, NotFound
from lian.services.context import Context
from lian.services.desk.bulk_reading import OrderSeen, find_order, order_seen
from lian.services.desk.bulk_sight import foretold
from lian.services.desk.bulk_verbs import GIVEN, VERBS, Given, require_verb
from lian.services.desk.lists import list_tasks
from lian.services.desk.tasks import said_in
from lian.services.desk.view_reading import read_address
from lian.services.recording import BULK, enqueue

KEPT_FOR = timedelta(days=1)
"""So long the previews of others that nobody ordered are left alone."""
AT_ONCE = 1_000
NO_PREVIEW = "There is no such preview of yours; look at the tasks first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody would like to have done, and to which tasks: these, those of a list, or what another order left.

    `filter` is the query of a list's address; `again` a preview to be looked at anew, or an order of which those tasks
    are meant that were refused or not reached.
    """

    verb: str
    given: Given
    task_ids: Sequence[UUID] = ()
    filter: str | None = None
    again: UUID | None = None


# --- looking first ----------------------------------------------------------------------------------------------------


async def preview_bulk(context: Context, actor: Actor, wanted: Wanted) -> OrderSeen:
    """What it would do to each of these tasks, kept for an hour to be ordered as it is (TSK-1). Changes no task.

    Needs `desk:bulk` and the verb's own permission. Raises `Invalid` for none or more than 10,000 tasks, and where
    what the verb needs is wrong.
    """
    verb = read_verb(wanted.verb)
    require_verb(actor, verb)
    said = replace(wanted.given, why=said_in(wanted.given.why, is_needed=False))
    async with context.transaction() as session:
        given = await VERBS[verb].check(context, session, said)
    ids = await selected(context, actor, wanted)
    async with context.transaction() as session:
        await _forget_former(context, session, actor)
        order = _drafted(context, actor, verb, given, total=len(ids))
        session.add(order)
        await session.flush()
        items = await foretold(context, session, actor, verb, given, ids)
        await _keep(session, order.id, items)
        return await order_seen(context, session, order)


def read_verb(name: str) -> BulkVerb:
    """The verb of this name. Raises `Invalid` for the field `verb`."""
    try:
        return BulkVerb(name)
    except ValueError:
        raise Invalid("That cannot be done to many tasks at once.", field="verb") from None


async def selected(context: Context, actor: Actor, wanted: Wanted) -> list[UUID]:
    """The ids meant, each once. Raises `Invalid` for none and for too many."""
    if wanted.again is not None:
        ids = await _left_over(context, actor, wanted.again)
    elif wanted.filter is not None:
        query = read_address(actor, wanted.filter, limit=MOST_TASKS + 1).query
        ids = [found.task.id for found in await list_tasks(context, actor, query)]
    else:
        ids = list(dict.fromkeys(wanted.task_ids))
    if not ids:
        raise Invalid("No task is selected.", field="tasks")
    if len(ids) > MOST_TASKS:
        raise Invalid(f"At most {MOST_TASKS} tasks can be changed at once; narrow the list down.", field="tasks")
    return ids


async def _left_over(context: Context, actor: Actor, order_id: UUID) -> list[UUID]:
    async with context.transaction() as session:
        order = await find_order(session, actor, order_id)
        query = select(BulkItem.task_id).where(BulkItem.order_id == order.id)
        if order.status != BulkStatus.PREVIEWED:
            left = (ItemState.REFUSED.value, ItemState.WAITING.value)
            query = query.where(col(BulkItem.state).in_(left))
        return list((await session.execute(query.order_by(col(BulkItem.n)))).scalars())


def _drafted(context: Context, actor: Actor, verb: BulkVerb, given: Given, *, total: int) -> BulkOrder:
    return BulkOrder(
        id=uuid4(),
        verb=verb.value,
        given=GIVEN.dump_python(replace(given, why=""), mode="json"),
        why=context.ring.seal_text(given.why) if given.why else "",
        by=actor.id,
        team=actor.team,
        at=context.now(),
        total=total,
    )


async def _keep(session: AsyncSession, order_id: UUID, items: Sequence[dict[str, Any]]) -> None:
    rows = [item | {"order_id": order_id, "n": n} for n, item in enumerate(items)]
    for first in range(0, len(rows), AT_ONCE):
        await session.execute(BulkItem.__table__.insert(), rows[first : first + AT_ONCE])  # type: ignore[attr-defined]


async def _forget_former(context: Context, session: AsyncSession, actor: Actor) -> None:
    """Previews that were not ordered are of no use once they are out of date."""
    now = context.now()
    is_theirs = (col(BulkOrder.by) == actor.id) & (col(BulkOrder.at) < now - PREVIEW_LIVES)
    is_old = is_theirs | (col(BulkOrder.at) < now - KEPT_FOR)
    old = select(BulkOrder.id).where(BulkOrder.status == BulkStatus.PREVIEWED.value, is_old)
    ids = list((await session.execute(old.with_for_update(skip_locked=True))).scalars())
    if ids:
        await session.execute(delete(BulkItem).where(col(BulkItem.order_id).in_(ids)))
        await session.execute(delete(BulkOrder).where(col(BulkOrder.id).in_(ids)))


# --- ordering ---------------------------------------------------------------------------------------------------------


async def order_bulk(context: Context, actor: Actor, token: UUID, *, key: str) -> OrderSeen:
    """Have done what a preview showed; `token` is its id. The same key again gives the same order.

    A task that has changed since it was looked at is refused when its turn comes. Raises `Conflict` when the preview is
    more than an hour old, was ordered already, would change nothing, or none of its tasks is as it was.
    """
    actor.require("desk:bulk")
    async with context.transaction() as session:
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"bulk:{actor.id}:{key}"))))
        given_before = select(BulkOrder).where(BulkOrder.by == actor.id, BulkOrder.key == key)
        order = (await session.execute(given_before)).scalars().first()
        if order is None:
            order = await _previewed(session, actor, token)
            await _refuse_stale(context, session, order)
            order.status, order.key, order.at = BulkStatus.RUNNING.value, key, context.now()
            await _tell(context, session, order)
        return await order_seen(context, session, order)


async def _previewed(session: AsyncSession, actor: Actor, token: UUID) -> BulkOrder:
    own = select(BulkOrder).where(BulkOrder.id == token, BulkOrder.by == actor.id)
    order = (await session.execute(own.with_for_update())).scalars().first()
    if order is None:
        raise NotFound(NO_PREVIEW)
    require_verb(actor, BulkVerb(order.verb))
    if order.status != BulkStatus.PREVIEWED:
        raise Conflict("This was ordered already.")
    return order


async def _refuse_stale(context: Context, session: AsyncSession, order: BulkOrder) -> None:
    if context.now() - order.at > PREVIEW_LIVES:
        raise Conflict("The preview is more than an hour old. Look at it again.")
    is_same = (col(Task.version) == col(BulkItem.seen)) & (col(Task.status) == "open")
    query = (
        select(func.count(), func.count().filter(is_same))
        .select_from(BulkItem)
        .join(Task, col(Task.id) == col(BulkItem.task_id))
        .where(BulkItem.order_id == order.id, BulkItem.state == ItemState.WAITING.value)
    )
    waiting, as_seen = (await session.execute(query)).one()
    if not waiting:
        raise Conflict("Nothing would be changed.")
    if not as_seen:
        raise Conflict("All of these tasks have changed since you looked; look again.")


async def _tell(context: Context, session: AsyncSession, order: BulkOrder, *, undo: bool = False) -> None:
    payload = {"order_id": str(order.id), "undo": undo}
    key = f"bulk:{order.id}{':undo' if undo else ''}"
    await enqueue(session, topic=BULK, key=key, payload=payload, now=context.now())


# --- stopping, taking back --------------------------------------------------------------------------------------------


async def cancel_bulk(context: Context, actor: Actor, order_id: UUID) -> OrderSeen:
    """Stop an order before its next task; what is done stays done. One that was stopped already is left alone.

    Needs `desk:bulk`. Raises `Conflict` for one that has ended.
    """
    actor.require("desk:bulk")
    async with context.transaction() as session:
        order = await find_order(session, actor, order_id, locked=True)
        if order.status == BulkStatus.RUNNING:
            order.status, order.stopped_by = BulkStatus.CANCELLED.value, actor.id
            order.ended_at = context.now()
        elif order.status != BulkStatus.CANCELLED:
            raise Conflict("This is not under way; there is nothing to stop.")
        return await order_seen(context, session, order)


async def undo_bulk(context: Context, actor: Actor, order_id: UUID) -> OrderSeen:
    """Take an order back: every task that nobody touched since gets what it had before. Others are left, with why.

    Done with the rights of whoever takes it back. Needs `desk:bulk` and the verb's own permission. Raises `Conflict`
    for an order that is under way, that cannot be taken back, or of which nothing was done.
    """
    actor.require("desk:bulk")
    async with context.transaction() as session:
        order = await find_order(session, actor, order_id, locked=True)
        verb = BulkVerb(order.verb)
        require_verb(actor, verb)
        if order.status not in {BulkStatus.UNDOING, BulkStatus.UNDONE}:
            _refuse_undo(order, verb, (await order_seen(context, session, order)).counts[ItemState.DONE])
            order.status, order.undone_by, order.ended_at = BulkStatus.UNDOING.value, actor.id, None
            await _tell(context, session, order, undo=True)
        return await order_seen(context, session, order)


def _refuse_undo(order: BulkOrder, verb: BulkVerb, done: int) -> None:
    if not BULK_VERBS[verb].can_undo:
        raise Conflict("What was asked of claimants cannot be taken back here.")
    if order.status not in ENDED:
        raise Conflict("This is still under way; stop it first.")
    if not done:
        raise Conflict("Nothing was done that could be taken back.")
