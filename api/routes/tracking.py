"""The customer's view of a case."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import ActorDep, ContextDep, Number
from api.problems import problems
from api.schemas.tracking import TrackedOut
from api.strict_json import StrictRoute
from lian.services import tracking

router = APIRouter(tags=["tracking"], route_class=StrictRoute)


@router.get("/track/{number}", summary="Where a case is", responses=problems(401, 404))
async def track(context: ContextDep, actor: ActorDep, number: Number) -> TrackedOut:
    """For its customer; staff who may see the case see the same."""
    return TrackedOut.of(await tracking.track(context, actor, number))
