"""One verb for many tasks: looked at first, then ordered, watched, stopped and taken back (TSK-1)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import (
    BAD_CURSOR,
    ActorDep,
    ContextDep,
    Cursor,
    Limit,
    RequiredKey,
    moment_cursor,
    read_moment_cursor,
)
from api.problems import problems
from api.schemas.bulk import BulkDetailOut, BulkItemOut, BulkListOut, BulkOrderIn, BulkOut, BulkPreviewIn
from api.strict_json import StrictRoute
from lian.auth.actor import Actor
from lian.domain.bulk import ItemState
from lian.domain.errors import Invalid
from lian.services.context import Context
from lian.services.desk.bulk import cancel_bulk, order_bulk, preview_bulk, undo_bulk
from lian.services.desk.bulk_reading import OrderSeen, list_bulk, list_items, show_bulk

router = APIRouter(tags=["bulk"], route_class=StrictRoute)

State = Annotated[list[ItemState], Query(description="Only tasks in these states.", max_length=len(ItemState))]


@router.post("/bulk/preview", summary="What it would do to each task", responses=problems(400, 401, 403, 404, 422))
async def preview(context: ContextDep, actor: ActorDep, given: BulkPreviewIn, limit: Limit = 50) -> BulkDetailOut:
    """Changes no task. Good for an hour: `id` is the order's token. Needs `desk:bulk` and the verb's permission."""
    return await _detailed(context, actor, await preview_bulk(context, actor, given.wanted()), limit=limit)


@router.post(
    "/bulk", status_code=202, summary="Have done what was shown", responses=problems(400, 401, 403, 404, 409, 422)
)
async def order(context: ContextDep, actor: ActorDep, given: BulkOrderIn, key: RequiredKey) -> BulkOut:
    """Under way from now on. A task that has changed since the preview is refused when its turn comes.

    409 when the preview is out of date: more than an hour old, ordered already, or none of its tasks is as it was.
    """
    return BulkOut.of(await order_bulk(context, actor, given.token, key=key))


@router.get("/bulk", summary="List orders", responses=problems(401, 403, 422))
async def list_orders(context: ContextDep, actor: ActorDep, cursor: Cursor = "", limit: Limit = 50) -> BulkListOut:
    """Yours, and with `desk:load` those of your team; the newest first."""
    found = await list_bulk(context, actor, after=read_moment_cursor(cursor), limit=limit + 1)
    page = found[:limit]
    following = moment_cursor(page[-1].order.at, page[-1].order.id) if len(found) > limit else None
    return BulkListOut(items=[BulkOut.of(seen) for seen in page], next=following)


@router.get("/bulk/{order_id}", summary="Read an order", responses=problems(401, 404, 422))
async def read_order(
    context: ContextDep,
    actor: ActorDep,
    order_id: UUID,
    state: State = [],  # noqa: B006 - FastAPI reads it, nobody changes it
    cursor: Cursor = "",
    limit: Limit = 50,
) -> BulkDetailOut:
    """How far it has come, and a page of its tasks with what became of each, in words."""
    seen = await show_bulk(context, actor, order_id)
    return await _detailed(context, actor, seen, states=state, cursor=cursor, limit=limit)


@router.post("/bulk/{order_id}/cancel", summary="Stop an order", responses=problems(401, 403, 404, 409))
async def cancel(context: ContextDep, actor: ActorDep, order_id: UUID) -> BulkOut:
    """Before its next task; what is done stays done."""
    return BulkOut.of(await cancel_bulk(context, actor, order_id))


@router.post(
    "/bulk/{order_id}/undo", status_code=202, summary="Take an order back", responses=problems(401, 403, 404, 409)
)
async def undo(context: ContextDep, actor: ActorDep, order_id: UUID) -> BulkOut:
    """Every task that nobody touched since gets what it had; the others are `kept`, with the reason."""
    return BulkOut.of(await undo_bulk(context, actor, order_id))


async def _detailed(
    context: Context,
    actor: Actor,
    seen: OrderSeen,
    *,
    states: list[ItemState] | None = None,
    cursor: str = "",
    limit: int,
) -> BulkDetailOut:
    after = _after(cursor)
    found = await list_items(context, actor, seen.order.id, states=states or (), after=after, limit=limit + 1)
    page = found[:limit]
    following = str(page[-1].item.n) if len(found) > limit else None
    tasks = [BulkItemOut.of(each) for each in page]
    return BulkDetailOut(**dict(BulkOut.of(seen)), tasks=tasks, next=following)


def _after(cursor: str) -> int:
    """The number of the last task of the page before. Raises `Invalid` for what we did not give."""
    if not cursor:
        return -1
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 7):
        raise Invalid(BAD_CURSOR, field="cursor")
    return int(cursor)
