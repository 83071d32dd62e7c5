"""Absences: noted, listed, ended early, and work taken over while somebody is away (TSK-4)."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import ActorDep, ContextDep, Limit
from api.problems import problems
from api.schemas.absences import AbsenceIn, AbsenceOut, AbsencesOut
from api.schemas.tasks import TaskDetailOut
from api.seen import NOTHING_SEEN, Seen, shown
from api.strict_json import StrictRoute
from lian.services import desk
from lian.services.desk.absence_reading import show_absence

router = APIRouter(tags=["absences"], route_class=StrictRoute)
Whose = Annotated[
    Literal["mine", "covered", "team"],
    Query(description="Yours, those in which you are named to stand in, or your team's."),
]


@router.get("/absences", summary="List absences", responses=problems(401, 403, 422))
async def list_absences(
    context: ContextDep, actor: ActorDep, whose: Whose = "mine", over: bool = False, limit: Limit = 100
) -> AbsencesOut:
    """Those that are on or ahead, or with `over` those that are over. Your team's need `absence:write_others`."""
    found = await desk.list_absences(context, actor, whose=whose, are_over=over, limit=limit)
    return AbsencesOut(items=[AbsenceOut.of(one) for one in found])


@router.post("/absences", status_code=201, summary="Note an absence", responses=problems(400, 401, 403, 409, 422))
async def note_absence(context: ContextDep, actor: ActorDep, given: AbsenceIn) -> AbsenceOut:
    """Yours, or with `absence:write_others` a colleague's. No work is moved: it is shown to whoever stands in.

    409 when somebody is away then already, or when people would stand in for each other in a circle: it names them.
    """
    noted = await desk.note_absence(context, actor, given.given())
    return AbsenceOut.of(await show_absence(context, actor, noted.id))


@router.post("/absences/{absence_id}/end", summary="End an absence", responses=problems(401, 403, 404, 409))
async def end_absence(context: ContextDep, actor: ActorDep, absence_id: UUID) -> AbsenceOut:
    """Back early, or called off. What the substitute has taken over and not begun is its owner's again at once."""
    await desk.end_absence(context, actor, absence_id)
    return AbsenceOut.of(await show_absence(context, actor, absence_id))


@router.post(
    "/tasks/{task_id}/stand-in", summary="Take over a colleague's task", responses=problems(401, 403, 404, 409, 422)
)
async def stand_in(context: ContextDep, actor: ActorDep, task_id: UUID, seen: Seen = NOTHING_SEEN) -> TaskDetailOut:
    """Of somebody who is away, for whom you stand in; with your own rights and limit. 409 names whoever has it."""
    return await shown(context, actor, await desk.stand_in(context, actor, task_id, version=seen.version))
