"""Catastrophes: declared once, carried as a tag by the claims that fall into them (CLM-3)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.deps import ActorDep, ContextDep
from api.problems import problems
from api.schemas.catastrophes import CatastropheIn, CatastropheOut, CatastrophesOut, EndIn, TaggedOut
from api.strict_json import StrictRoute
from lian.services import catastrophes

router = APIRouter(tags=["catastrophes"], route_class=StrictRoute)
Code = Annotated[str, Path(min_length=1, max_length=40)]


@router.get("/catastrophes", summary="List catastrophes", responses=problems(401, 403))
async def list_catastrophes(context: ContextDep, actor: ActorDep) -> CatastrophesOut:
    """Needs `case:read`. Newest first, each with the number of its claims that you may see."""
    found = await catastrophes.list_catastrophes(context, actor)
    return CatastrophesOut(items=[CatastropheOut.of(seen.event, seen.cases) for seen in found])


@router.post(
    "/catastrophes", status_code=201, summary="Declare a catastrophe", responses=problems(400, 401, 403, 409, 422)
)
async def declare(context: ContextDep, actor: ActorDep, given: CatastropheIn) -> CatastropheOut:
    """Needs `catastrophe:write`. From now on a claim whose cause and day fall into it is tagged when it is reported."""
    return CatastropheOut.of(await catastrophes.declare_catastrophe(context, actor, given.given()))


@router.post("/catastrophes/{code}/end", summary="End a catastrophe", responses=problems(400, 401, 403, 404, 409, 422))
async def end(context: ContextDep, actor: ActorDep, code: Code, given: EndIn) -> CatastropheOut:
    """Needs `catastrophe:write`. Its last day is known, sooner or later than was expected: only that day still counts.

    Claims keep the tags they have. Who ended it, and when, is on record; 409 once it has ended on another day.
    """
    seen = await catastrophes.end_catastrophe(context, actor, code, to_on=given.to_on)
    return CatastropheOut.of(seen.event, seen.cases)


@router.post("/catastrophes/{code}/claims", summary="Tag claims reported before", responses=problems(401, 403, 404))
async def tag_known_claims(context: ContextDep, actor: ActorDep, code: Code) -> TaggedOut:
    """Needs `catastrophe:write`. At most 500 in one call: repeat it until it answers 0. A tag taken off stays off."""
    return TaggedOut(tagged=await catastrophes.tag_known_claims(context, actor, code))
