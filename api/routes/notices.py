"""What was sent to customers."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import ActorDep, ContextDep, Limit
from api.problems import problems
from api.schemas.notices import NoticeOut, NoticesOut
from api.strict_json import StrictRoute
from lian.services import notices

router = APIRouter(tags=["notices"], route_class=StrictRoute)


@router.get("/notices", summary="The latest notices", responses=problems(401, 403, 422))
async def latest(context: ContextDep, actor: ActorDep, limit: Limit = 50) -> NoticesOut:
    """Needs `notice:read`: notices hold one-time codes until they are used."""
    found = await notices.latest_notices(context, actor, limit=limit)
    return NoticesOut(items=[NoticeOut.of(notice) for notice in found])
