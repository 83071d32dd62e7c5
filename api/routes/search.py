"""Finding cases by what people know of them (TSK-1, SEC-1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import ActorDep, ContextDep
from api.problems import problems
from api.schemas.search import HitOut, HitsOut
from api.strict_json import StrictRoute
from lian.services.search import MOST_HITS, search_cases

router = APIRouter(tags=["cases"], route_class=StrictRoute)


@router.get("/search", summary="Find cases", responses=problems(401, 403, 422))
async def search(
    context: ContextDep,
    actor: ActorDep,
    q: Annotated[str, Query(max_length=400, description="1 to 80 characters once it is normalised (NFKC).")],
    limit: Annotated[int, Query(ge=1, le=MOST_HITS, description="How many at most.")] = MOST_HITS,
) -> HitsOut:
    """By number or its last digits, name (two characters, initials or pinyin), policy, end of a phone, e-mail.

    Only among the cases you may see; people outside find theirs by number, policy and reporter.
    """
    return HitsOut(items=[HitOut.of(hit) for hit in await search_cases(context, actor, q, limit)])
