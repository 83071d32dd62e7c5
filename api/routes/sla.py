"""Operations: the board of promises (CLM-12)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import ActorDep, ContextDep, Limit
from api.problems import problems
from api.schemas.sla import BoardOut, PromiseOut, PromisesOut, PromiseState
from api.strict_json import StrictRoute
from lian.services import sla_board
from lian.services.sla_board import PromiseQuery

router = APIRouter(prefix="/sla", tags=["promises"], route_class=StrictRoute)


@router.get("/board", summary="How the promises stand", responses=problems(401, 403))
async def board(context: ContextDep, actor: ActorDep) -> BoardOut:
    """Open, at risk, breached and paused, by kind, clock and step."""
    return BoardOut.of(await sla_board.board(context, actor))


@router.get("/promises", summary="The list behind a number", responses=problems(401, 403, 422))
async def promises(
    context: ContextDep,
    actor: ActorDep,
    state: PromiseState | None = None,
    clock: Annotated[str, Query(max_length=80)] = "",
    stage: Annotated[str, Query(max_length=80)] = "",
    within_hours: Annotated[int, Query(ge=0, le=24 * 31, description="Only what falls due within; 0: any.")] = 0,
    cursor: Annotated[str, Query(max_length=9, pattern="^[0-9]*$", description="`next` of the page before.")] = "",
    limit: Limit = 100,
) -> PromisesOut:
    """The soonest first. Give `state`, `within_hours` or both."""
    first = int(cursor or 0)
    query = PromiseQuery(
        state=state or "", clock=clock, stage=stage, within_hours=within_hours, offset=first, limit=limit + 1
    )
    found = await sla_board.promises(context, actor, query)
    following = str(first + limit) if len(found) > limit else None
    return PromisesOut(items=[PromiseOut.of(promise) for promise in found[:limit]], next=following)
