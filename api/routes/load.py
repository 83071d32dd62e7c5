"""The load of a team, and moving work from full hands to others."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import ActorDep, ContextDep
from api.problems import problems
from api.schemas.load import ApplyIn, MovedOut, MovesOut, ProposalOut, TeamLoadOut, WantedIn
from api.strict_json import StrictRoute
from lian.services.desk.load import team_load
from lian.services.desk.moving import apply
from lian.services.desk.rebalancing import propose

router = APIRouter(prefix="/load", tags=["load"], route_class=StrictRoute)


@router.get("", summary="See who has how much work", responses=problems(401, 403))
async def read_load(context: ContextDep, actor: ActorDep) -> TeamLoadOut:
    """Your team, or everybody for whoever hands out any team's work or none; and your queues. Needs `desk:load`."""
    return TeamLoadOut.of(await team_load(context, actor))


@router.post("/proposals", summary="Propose to move work", responses=problems(400, 401, 403, 422))
async def make_proposal(context: ContextDep, actor: ActorDep, given: WantedIn) -> ProposalOut:
    """The most urgent tasks that nobody has begun, to colleagues who may do them and have room. Changes nothing.

    Needs `desk:load` and `task:assign`.
    """
    return ProposalOut.of(await propose(context, actor, given.given()))


@router.post("/moves", summary="Move what was proposed", responses=problems(400, 401, 403, 422))
async def move(context: ContextDep, actor: ActorDep, given: ApplyIn) -> MovesOut:
    """One by one, each as assigning it allows; what has changed since stays, and says why. Safe to repeat."""
    return MovesOut(items=[MovedOut.of(one) for one in await apply(context, actor, given.token)])
