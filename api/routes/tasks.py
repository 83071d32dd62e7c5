"""People's work: queues, tasks, who has them, and answering them (TSK-1). What else is done with one: `verbs.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.deps import ActorDep, ContextDep, OptionalKey, command_id, place_cursor, read_place_cursor
from api.problems import also, problems
from api.schemas.tasks import (
    AssigneeOut,
    AssigneesOut,
    CommandOut,
    CountOut,
    DrawnOut,
    QueueOut,
    QueuesOut,
    TaskDetailOut,
    TaskFilters,
    TaskListing,
    TaskOut,
    TasksOut,
)
from api.schemas.verbs import AnswerIn, GiveIn
from api.seen import NOTHING_SEEN, Seen, names_around, shown
from api.strict_json import StrictRoute
from lian.domain.case_kinds import KINDS
from lian.domain.errors import NotFound
from lian.services import desk

router = APIRouter(tags=["tasks"], route_class=StrictRoute)


@router.get("/queues", summary="List your queues", responses=problems(401, 403))
async def queues(context: ContextDep, actor: ActorDep) -> QueuesOut:
    """With how many tasks are open, and how many of them nobody has."""
    return QueuesOut(items=[QueueOut.of(count) for count in await desk.queues(context, actor)])


@router.get("/tasks", summary="List open tasks", responses=problems(401, 403, 422))
async def list_tasks(context: ContextDep, actor: ActorDep, asked: Annotated[TaskListing, Query()]) -> TasksOut:
    """Of your queues, or what you have; unless you ask otherwise, the most urgent first (TSK-2).

    People outside get theirs in the order of deadlines instead.
    """
    sort = desk.order_for(actor, asked.sort)
    query = replace(asked.query(), sort=sort, after=read_place_cursor(asked.cursor, sort), limit=asked.limit + 1)
    found = await desk.list_tasks(context, actor, query)
    page = found[: asked.limit]
    names = await names_around(context, *page)
    following = place_cursor(desk.place_of(page[-1].task, sort)) if len(found) > asked.limit else None
    return TasksOut(items=[TaskOut.of(each, names).as_seen_by(actor) for each in page], next=following)


@router.get("/tasks/count", summary="Count open tasks", responses=problems(401, 403, 422))
async def count_tasks(context: ContextDep, actor: ActorDep, asked: Annotated[TaskFilters, Query()]) -> CountOut:
    """As many as a list with the same filters has on all its pages; of more than 1,000 only that they are more."""
    return CountOut.of(await desk.count_tasks(context, actor, asked.query()))


@router.get("/tasks/{task_id}", summary="Read a task", responses=problems(401, 404))
async def read_task(context: ContextDep, actor: ActorDep, task_id: UUID) -> TaskDetailOut:
    """What is asked, and the form of the answer in both languages."""
    return await shown(context, actor, await desk.show_task(context, actor, task_id))


@router.post(
    "/queues/{queue}/next",
    summary="Take the most urgent task",
    response_model=DrawnOut,
    responses=also(204, "There is none for you.") | problems(401, 403, 404, 409),
)
async def take_next(
    context: ContextDep, actor: ActorDep, queue: Annotated[str, Path(max_length=80)]
) -> DrawnOut | Response:
    """What you have in hand first, then the most urgent that you may do, and why that one (TSK-2).

    Two people never draw the same one. 409: you have too much in hand, or something for too long.
    """
    if not any(queue in kind.queues for kind in KINDS.values()):
        raise NotFound("There is no queue with this name.")
    drawn = await desk.take_next(context, actor, queue)
    if drawn is None:
        return Response(status_code=204)
    return DrawnOut.drawn(drawn, await names_around(context, drawn.found)).as_seen_by(actor)


@router.post("/tasks/{task_id}/claim", summary="Take a task", responses=problems(401, 403, 404, 409, 422))
async def claim_task(context: ContextDep, actor: ActorDep, task_id: UUID, seen: Seen = NOTHING_SEEN) -> TaskDetailOut:
    """409 names whoever was first."""
    return await shown(context, actor, await desk.claim_task(context, actor, task_id, version=seen.version))


@router.post("/tasks/{task_id}/release", summary="Give a task back", responses=problems(401, 403, 404, 409, 422))
async def release_task(context: ContextDep, actor: ActorDep, task_id: UUID, seen: Seen = NOTHING_SEEN) -> TaskDetailOut:
    """To its queue; a lead may give back another's."""
    return await shown(context, actor, await desk.release_task(context, actor, task_id, version=seen.version))


@router.get("/tasks/{task_id}/assignees", summary="List whom to assign a task to", responses=problems(401, 403, 404))
async def assignees(context: ContextDep, actor: ActorDep, task_id: UUID) -> AssigneesOut:
    """Colleagues whose work it is, those who may have it first (TSK-1); conflicts of interest are named (TSK-5).

    For leads, and for whoever has the task and wants to delegate it.
    """
    found = await desk.list_assignees(context, actor, task_id)
    return AssigneesOut(items=[AssigneeOut.of(each) for each in found])


@router.post("/tasks/{task_id}/assign", summary="Assign a task", responses=problems(401, 403, 404, 409, 422))
async def assign_task(context: ContextDep, actor: ActorDep, task_id: UUID, given: GiveIn) -> TaskDetailOut:
    """To a colleague who may do it, also out of somebody's hands; they need not have its queue (TSK-1)."""
    found = await desk.assign_task(context, actor, task_id, to=given.to, version=given.version)
    return await shown(context, actor, found)


@router.post("/tasks/{task_id}/complete", summary="Answer a task", responses=problems(400, 401, 403, 404, 409, 422))
async def complete_task(
    context: ContextDep, actor: ActorDep, task_id: UUID, given: AnswerIn, key: OptionalKey = None
) -> CommandOut:
    """Answered once it is on record. 503: nothing was decided; repeat it with the same `Idempotency-Key`."""
    result = await desk.complete_task(
        context,
        actor,
        task_id,
        outcome=given.outcome,
        notes=given.notes,
        command_id=command_id(actor, str(task_id), key),
        version=given.version,
    )
    return CommandOut.of(result)


@router.get("/commands/{command:path}", summary="What became of a command", responses=problems(401, 404))
async def read_command(context: ContextDep, actor: ActorDep, command: str) -> CommandOut:
    """For a caller who lost the answer. 404 while it has not taken effect."""
    result = await desk.receipt_of(context, actor, command)
    return CommandOut(command_id=command, seq=result["seq"])
