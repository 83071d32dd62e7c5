"""What promises called one for (CLM-12)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import ActorDep, ContextDep, Limit
from api.problems import problems
from api.schemas.alerts import AlertOut, AlertsOut
from api.strict_json import StrictRoute
from lian.services.alerts import list_alerts

router = APIRouter(tags=["promises"], route_class=StrictRoute)


@router.get("/alerts", summary="Your alerts of the last three days", responses=problems(401, 403, 422))
async def alerts(
    context: ContextDep,
    actor: ActorDep,
    still_open: Annotated[bool, Query(description="Only of promises that have not ended.")] = False,
    limit: Limit = 50,
) -> AlertsOut:
    """Promises at risk or broken that you were to know of, as holder of the work or as its lead; each once."""
    found = await list_alerts(context, actor, still_open=still_open, limit=limit)
    return AlertsOut(items=[AlertOut.of(seen) for seen in found])
