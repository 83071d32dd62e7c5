"""People's work: queues, tasks, answers (TSK-1)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.deps import (
    ActorDep,
    ContextDep,
    Cursor,
    Limit,
    OptionalKey,
    command_id,
    read_urgency_cursor,
    urgency_cursor,
)
from api.problems import also, problems
from api.schemas.tasks import (
    AnswerIn,
    AssigneeOut,
    AssigneesOut,
    AssignIn,
    CommandOut,
    QueueOut,
    QueuesOut,
    TaskDetailOut,
    TaskOut,
    TasksOut,
)
from api.strict_json import StrictRoute
from lian.domain.case_kinds import KINDS
from lian.domain.errors import NotFound
from lian.services import cases, desk
from lian.services.context import Context
from lian.services.desk import TaskOnDesk, TaskQuery

router = APIRouter(tags=["tasks"], route_class=StrictRoute)


async def _shown(context: Context, found: TaskOnDesk) -> TaskDetailOut:
    return TaskDetailOut.shown(found, await cases.names_of(context, {found.task.holder}))


@router.get("/queues", summary="List your queues", responses=problems(401, 403))
async def queues(context: ContextDep, actor: ActorDep) -> QueuesOut:
    """With how many tasks are open, and how many of them nobody has."""
    return QueuesOut(items=[QueueOut.of(count) for count in await desk.queues(context, actor)])


@router.get("/tasks", summary="List open tasks", responses=problems(401, 403, 422))
async def list_tasks(
    context: ContextDep,
    actor: ActorDep,
    queue: Annotated[str, Query(max_length=80)] = "",
    mine: bool = False,
    unclaimed: bool = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> TasksOut:
    """Of your queues, or those you have (`mine`); the most urgent first (TSK-2)."""
    after = read_urgency_cursor(cursor)
    query = TaskQuery(queue=queue, mine=mine, unclaimed=unclaimed, after=after, limit=limit + 1)
    found = await desk.list_tasks(context, actor, query)
    page = found[:limit]
    names = await cases.names_of(context, {each.task.holder for each in page})
    following = urgency_cursor(page[-1].task.urgency, page[-1].task.id) if len(found) > limit else None
    return TasksOut(items=[TaskOut.of(each, names) for each in page], next=following)


@router.get("/tasks/{task_id}", summary="Read a task", responses=problems(401, 404))
async def read_task(context: ContextDep, actor: ActorDep, task_id: UUID) -> TaskDetailOut:
    """What is asked, and the form of the answer in both languages."""
    shown = await _shown(context, await desk.show_task(context, actor, task_id))
    return shown.for_customer() if actor.is_customer else shown


@router.post(
    "/queues/{queue}/next",
    summary="Take the most urgent task",
    response_model=TaskDetailOut,
    responses=also(204, "There is none for you.") | problems(401, 403, 404),
)
async def take_next(
    context: ContextDep, actor: ActorDep, queue: Annotated[str, Path(max_length=80)]
) -> TaskDetailOut | Response:
    """Yours from now on; two people never draw the same one."""
    if not any(queue in kind.queues for kind in KINDS.values()):
        raise NotFound("There is no queue with this name.")
    found = await desk.take_next(context, actor, queue)
    return await _shown(context, found) if found else Response(status_code=204)


@router.post("/tasks/{task_id}/claim", summary="Take a task", responses=problems(401, 403, 404, 409))
async def claim_task(context: ContextDep, actor: ActorDep, task_id: UUID) -> TaskDetailOut:
    """409 names whoever was first."""
    return await _shown(context, await desk.claim_task(context, actor, task_id))


@router.post("/tasks/{task_id}/release", summary="Give a task back", responses=problems(401, 403, 404, 409))
async def release_task(context: ContextDep, actor: ActorDep, task_id: UUID) -> TaskDetailOut:
    """To its queue; a lead may give back another's."""
    return await _shown(context, await desk.release_task(context, actor, task_id))


@router.get("/tasks/{task_id}/assignees", summary="List whom to assign a task to", responses=problems(401, 403, 404))
async def assignees(context: ContextDep, actor: ActorDep, task_id: UUID) -> AssigneesOut:
    """Colleagues whose work it is, those who may have it first (TSK-1); conflicts of interest are named (TSK-5)."""
    found = await desk.list_assignees(context, actor, task_id)
    return AssigneesOut(items=[AssigneeOut.of(each) for each in found])


@router.post("/tasks/{task_id}/assign", summary="Assign a task", responses=problems(401, 403, 404, 409, 422))
async def assign_task(context: ContextDep, actor: ActorDep, task_id: UUID, given: AssignIn) -> TaskDetailOut:
    """To a colleague who may do it, also out of somebody's hands; they need not have its queue (TSK-1)."""
    return await _shown(context, await desk.assign_task(context, actor, task_id, to=given.to))


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
    )
    return CommandOut.of(result)


@router.get("/commands/{command:path}", summary="What became of a command", responses=problems(401, 404))
async def read_command(context: ContextDep, actor: ActorDep, command: str) -> CommandOut:
    """For a caller who lost the answer. 404 while it has not taken effect."""
    result = await desk.receipt_of(context, actor, command)
    return CommandOut(command_id=command, seq=result["seq"])
