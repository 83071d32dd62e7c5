"""The customer's view of a case."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import ActorDep, ContextDep, Number
from api.problems import problems
from api.schemas.tracking import TrackedOut
from api.strict_json import StrictRoute
from lian.services import tracking
from lian.services.asked import asked_of_customer, may_object

router = APIRouter(tags=["tracking"], route_class=StrictRoute)


@router.get("/track/{number}", summary="Where a case is", responses=problems(401, 404))
async def track(context: ContextDep, actor: ActorDep, number: Number) -> TrackedOut:
    """For its customer: of decisions and payments only their own; staff who may see the case see everybody's."""
    tracked = await tracking.track(context, actor, number)
    asked = await asked_of_customer(context, actor)
    return TrackedOut.of(tracked, asked, may_object=await may_object(context, actor, number))
