"""Lists of the desk that people keep (TSK-1)."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from api.deps import ActorDep, ContextDep
from api.problems import problems
from api.schemas.views import ViewChangeIn, ViewCountOut, ViewCountsOut, ViewIn, ViewOut, ViewsOut
from api.strict_json import StrictRoute
from lian.services.desk import views

router = APIRouter(tags=["views"], route_class=StrictRoute)


@router.get("/views", summary="List your views", responses=problems(401, 403))
async def list_views(context: ContextDep, actor: ActorDep) -> ViewsOut:
    """Those of your role, what you pinned, your own, your team's."""
    return ViewsOut(items=[ViewOut.of(view) for view in await views.list_views(context, actor)])


@router.get("/views/counts", summary="Count what your views list", responses=problems(401, 403))
async def count_views(context: ContextDep, actor: ActorDep) -> ViewCountsOut:
    """Up to 1,000 each, of your first 40; asked apart from any list, so that no list waits for it."""
    counts = await views.count_views(context, actor)
    return ViewCountsOut(items=[ViewCountOut.of(view_id, count) for view_id, count in counts.items()])


@router.post("/views", status_code=201, summary="Keep a view", responses=problems(400, 401, 403, 409, 422))
async def save_view(context: ContextDep, actor: ActorDep, given: ViewIn) -> ViewOut:
    """A list under a name of yours; sharing it with your team needs `view:share`."""
    return ViewOut.of(
        await views.save_view(
            context,
            actor,
            name=given.name,
            query=given.query,
            is_shared=given.is_shared,
            is_pinned=given.is_pinned,
        )
    )


@router.patch("/views/{view_id}", summary="Change a view", responses=problems(400, 401, 403, 404, 409, 422))
async def change_view(context: ContextDep, actor: ActorDep, view_id: UUID, given: ViewChangeIn) -> ViewOut:
    """Its name or list, whether your team sees it, whether it is pinned. Only one you keep yourself."""
    return ViewOut.of(await views.change_view(context, actor, view_id, given.change()))


@router.delete("/views/{view_id}", status_code=204, summary="Delete a view", responses=problems(401, 403, 404))
async def delete_view(context: ContextDep, actor: ActorDep, view_id: UUID) -> Response:
    """One you keep, or one your team shares if you may share views."""
    await views.delete_view(context, actor, view_id)
    return Response(status_code=204)
