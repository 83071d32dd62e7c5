"""Where tasks belong, and giving them to people by rules (TSK-1, TSK-3)."""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api.deps import BAD_CURSOR, ActorDep, ContextDep, moment_cursor, read_moment_cursor
from api.problems import problems
from api.schemas.dealing import DealIn, DealRoundOut, DealtOut, WhyDealtOut
from api.schemas.routing import (
    AppliedRoutesOut,
    ApplyRoutesIn,
    PreviewRoutesIn,
    PreviewRoutesOut,
    PublishedRoutesOut,
    PublishRoutesIn,
    RoutesOut,
)
from api.strict_json import StrictRoute
from lian.domain.errors import Invalid
from lian.domain.queues import QUEUES
from lian.services.desk import dealing, rerouting, routing, why_dealt
from lian.services.desk.rerouting import Place
from lian.services.names import names_of

router = APIRouter(tags=["tasks"], route_class=StrictRoute)
Queue = Annotated[str, Path(max_length=80)]


# --- tables -----------------------------------------------------------------------------------------------------------


@router.get("/routing", summary="Read where tasks belong", responses=problems(401, 403))
async def show_routes(context: ContextDep, actor: ActorDep) -> RoutesOut:
    """Needs `desk:route`. The table in force, in words and in JDM, and every version that was published."""
    return RoutesOut.of(await routing.show_routes(context, actor))


@router.post(
    "/routing", status_code=201, summary="Publish where tasks belong", responses=problems(400, 401, 403, 409, 422)
)
async def publish_routes(context: ContextDep, actor: ActorDep, given: PublishRoutesIn) -> PublishedRoutesOut:
    """Needs `desk:route`. It counts for tasks that are opened from now on; open ones are moved by `/routing/apply`."""
    version = await routing.publish_routes(context, actor, json.dumps(given.table), why=given.why)
    return PublishedRoutesOut(version=version)


@router.post("/routing/preview", summary="See which open tasks would move", responses=problems(400, 401, 403, 409, 422))
async def preview_routes(context: ContextDep, actor: ActorDep, given: PreviewRoutesIn) -> PreviewRoutesOut:
    """Needs `desk:route`. By the table in force, or by a draft; nothing is changed."""
    draft = json.dumps(given.table) if given.table is not None else ""
    return PreviewRoutesOut.of(await rerouting.preview_routes(context, actor, draft))


@router.post("/routing/apply", summary="Put open tasks where they belong", responses=problems(400, 401, 403, 409, 422))
async def apply_routes(context: ContextDep, actor: ActorDep, given: ApplyRoutesIn) -> AppliedRoutesOut:
    """Needs `desk:route`. As it was previewed, at most 500 tasks in one call; repeat it with `next` until it is null.

    Who has a task keeps it, unless it now needs a licence that they lack. 409 when the preview is out of date.
    """
    done = await rerouting.apply_routes(context, actor, token=given.token, after=_read_place(given.cursor))
    return AppliedRoutesOut.of(done, _place(done.after) if done.after else None)


def _place(place: Place) -> str:
    queue, opened_at, task_id = place
    return f"{moment_cursor(opened_at, task_id)}.{queue}"


def _read_place(cursor: str) -> Place | None:
    moment, _, queue = cursor.partition(".")
    place = read_moment_cursor(moment)
    if bool(cursor) and (place is None or queue not in QUEUES):
        raise Invalid(BAD_CURSOR, field="cursor")
    return (queue, *place) if place else None


# --- dealing ----------------------------------------------------------------------------------------------------------


@router.post("/queues/{queue}/deal", summary="Deal a queue's free tasks", responses=problems(400, 401, 403, 404, 422))
async def deal_queue(context: ContextDep, actor: ActorDep, queue: Queue, given: DealIn) -> DealRoundOut:
    """Needs `task:assign`. By skill, load and who knows the case, the most urgent first; nobody gets what they may not
    do, nor more than they can take. A lead deals to their own team."""
    done = await dealing.deal(context, actor, queue, limit=given.limit)
    names = await names_of(context, {each.choice.chosen.who for each in done.dealt})
    return DealRoundOut.of(done, names)


@router.post("/tasks/{task_id}/deal", summary="Deal one task", responses=problems(401, 403, 404, 409))
async def deal_task(context: ContextDep, actor: ActorDep, task_id: UUID) -> DealtOut:
    """Needs `task:assign`. 409 when somebody has it, it is put aside, or nobody can be given it."""
    dealt = await dealing.deal_task(context, actor, task_id)
    return DealtOut.of(dealt, await names_of(context, {dealt.choice.chosen.who}))


@router.get("/tasks/{task_id}/deal", summary="Why somebody was dealt a task", responses=problems(401, 403, 404))
async def read_deal(context: ContextDep, actor: ActorDep, task_id: UUID) -> WhyDealtOut:
    """Needs `case:read`. Every candidate of the last choice that rules made, and why they were chosen or not."""
    why = await why_dealt.why_dealt(context, actor, task_id)
    return WhyDealtOut.of(why, await names_of(context, {one.who for one in why.candidates}))
