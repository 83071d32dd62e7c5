"""Operations: the board of promises (CLM-12), and why some were broken (CLM-13)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import ActorDep, ContextDep, Limit
from api.problems import problems
from api.schemas.sla import BoardOut, LateOut, PromiseOut, PromisesOut, PromiseState
from api.schemas.what_if import WhatIfIn, WhatIfOut
from api.strict_json import StrictRoute
from lian.services import sla_board, what_if
from lian.services.lateness import DAYS, LONGEST_DAYS, LateQuery, late_cases
from lian.services.packs import read_pack
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


@router.get("/late", summary="Why promises were broken", responses=problems(401, 403, 422))
async def late(
    context: ContextDep,
    actor: ActorDep,
    explained: Annotated[bool, Query(description="False: only what waits for its cause.")] = False,
    cause: Annotated[str, Query(max_length=80, description="Of the explained, only those of this cause.")] = "",
    responsible: Annotated[str, Query(max_length=80, description="Of the explained, only this person's.")] = "",
    days: Annotated[int, Query(ge=1, le=LONGEST_DAYS, description="Broken so many days ago at most.")] = DAYS,
    cursor: Annotated[str, Query(max_length=9, pattern="^[0-9]*$", description="`next` of the page before.")] = "",
    limit: Limit = 100,
) -> LateOut:
    """Each late case has a cause and somebody who answers for it (CLM-13): a list, and a summary by both."""
    first = int(cursor or 0)
    query = LateQuery(
        explained=explained, cause=cause, responsible=responsible, days=days, offset=first, limit=limit + 1
    )
    found = await late_cases(context, actor, query)
    following = str(first + limit) if len(found.promises) > limit else None
    return LateOut.of(found, found.promises[:limit], following)


@router.post("/what-if", summary="What a draft would do", responses=problems(400, 401, 403, 422))
async def compare(context: ContextDep, actor: ActorDep, given: WhatIfIn) -> WhatIfOut:
    """Needs `clock:plan`. Every open promise under a draft pack, a draft calendar year or both; nothing is changed.

    At most 200 `moves` are listed, the worst first.
    """
    policy = read_pack(given.policy) if given.policy is not None else None
    found = await what_if.what_if(context, actor, policy=policy, calendar=given.calendar)
    return WhatIfOut.of(found)
