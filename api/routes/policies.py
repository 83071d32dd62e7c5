"""The register of policies (CLM-2)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.deps import ActorDep, ContextDep
from api.problems import also, problems
from api.schemas.policies import PolicyIn, PolicyOut
from api.strict_json import StrictRoute
from lian.services import policies

router = APIRouter(tags=["policies"], route_class=StrictRoute)
PolicyNumber = Annotated[str, Path(min_length=1, max_length=80)]


@router.put(
    "/policies/{number}",
    summary="Add or replace a policy",
    status_code=200,
    responses=also(201, "The policy is new.", model=PolicyOut) | problems(400, 401, 403, 422),
)
async def put_policy(
    context: ContextDep, actor: ActorDep, number: PolicyNumber, given: PolicyIn, response: Response
) -> PolicyOut:
    """Needs `policy:write`. Cases keep the terms as they were when the loss was reported."""
    if await policies.put_policy(context, actor, given.given(number)):
        response.status_code = 201
    return PolicyOut.of(await policies.registered(context, number))


@router.get("/policies/{number}", summary="Read a policy's terms", responses=problems(401, 403, 404))
async def read_policy(context: ContextDep, actor: ActorDep, number: PolicyNumber) -> PolicyOut:
    """Needs `policy:write` or `case:report`. The terms as they are now, without the policy's people."""
    return PolicyOut.of(await policies.read_policy(context, actor, number))
