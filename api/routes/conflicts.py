"""Conflicts of interest: a case that is not for somebody (TSK-5)."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import ActorDep, ContextDep, Number
from api.problems import problems
from api.schemas.verbs import ConflictIn
from api.strict_json import StrictRoute
from lian.services import desk

router = APIRouter(tags=["cases"], route_class=StrictRoute)


@router.post(
    "/cases/{number}/conflicts",
    status_code=204,
    summary="Declare a conflict of interest",
    responses=problems(401, 403, 404, 422),
)
async def declare_conflict(context: ContextDep, actor: ActorDep, number: Number, given: ConflictIn) -> None:
    """From now on none of the case's tasks is yours, or that colleague's; it cannot be taken back."""
    await desk.declare_conflict(context, actor, number, reason=given.reason, of=given.of)
