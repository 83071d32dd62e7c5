"""The desk: my queue, take next, one task with its form (TSK-1, TSK-2)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.responses import Response

from lian.auth.visibility import sees_inside
from lian.db.tables import JournalEntry
from lian.domain.errors import DomainError, Invalid, NotFound
from lian.services import cases, desk
from lian.services.alerts import list_alerts
from lian.services.desk import TaskOnDesk, TaskQuery
from web.deps import Form, Sent, Staff, Visit, command_of
from web.presenters.about_task import ACTION_OF, about_task
from web.presenters.alerts import AlertsView, present_alerts
from web.presenters.cases import Look, actors_in, present_case
from web.presenters.desk import (
    AssigneeView,
    Setting,
    TaskRow,
    form_context,
    present_assignees,
    present_queues,
    present_task,
    present_tasks,
)
from web.presenters.forms import Typed, blame, present_form, read_outcome
from web.presenters.matters import people_in_matters

router = APIRouter()

PAGE = 50
MOST_EVENTS = 500
SHOWS = ("mine", "free", "all")


@router.get("/desk")
async def my_queue(
    visit: Staff, queue: str = "", show: str = "", after: str = "", done: str = "", none: str = ""
) -> Response:
    """What I hold, and what waits in my queues, most urgent first."""
    visit.actor.require_sight()
    queues = await desk.queues(visit.context, visit.actor)
    show = show if show in SHOWS else ""
    mine = await _rows(visit, TaskQuery(queue=queue, mine=True, limit=PAGE)) if show in {"", "mine"} else ()
    waiting = await _waiting(visit, queue, show, after)
    return visit.page(
        "desk.html",
        queues=present_queues(queues, queue, visit.reader, visit.actor),
        queue=queue,
        show=show,
        mine=() if after else mine,
        alerts=None if after else await _alerts(visit),
        waiting=waiting,
        next_page=waiting[-1].mark if len(waiting) == PAGE else "",
        done=await _what_was_done(visit, done),
        nothing=bool(none),
    )


async def _alerts(visit: Visit) -> AlertsView | None:
    """What calls me; people outside are not called."""
    if not visit.actor.may("case:read"):
        return None
    found = await list_alerts(visit.context, visit.actor, still_open=True)
    return present_alerts(found, visit.reader, visit.now) if found else None


async def _what_was_done(visit: Visit, task_id: str) -> dict[str, str]:
    """The task just answered, in words, with its queue for the next one."""
    try:
        found = await desk.show_task(visit.context, visit.actor, UUID(task_id))
    except (ValueError, NotFound):
        return {}
    return {"what": visit.reader.label(found.kind.label), "number": found.case.number, "queue": found.task.queue}


async def _waiting(visit: Visit, queue: str, show: str, after: str) -> tuple[TaskRow, ...]:
    if show == "mine":
        return ()
    return await _rows(visit, TaskQuery(queue=queue, unclaimed=show != "all", after=_position(after), limit=PAGE))


async def _rows(visit: Visit, query: TaskQuery) -> tuple[TaskRow, ...]:
    tasks = await desk.list_tasks(visit.context, visit.actor, query)
    faces = await cases.faces(visit.context, visit.actor, {t.case.id for t in tasks})
    names = await cases.names_of(visit.context, {t.task.holder for t in tasks})
    return present_tasks(tasks, faces, Setting(visit.reader, visit.actor, names, visit.now))


def _position(after: str) -> tuple[int, UUID] | None:
    urgency, _, task_id = after.partition(":")
    try:
        return (int(urgency), UUID(task_id)) if after else None
    except ValueError:
        return None


@router.post("/desk/queues/{queue}/next")
async def take_next(visit: Staff, queue: str) -> Response:
    """Draw the most urgent task that I may do."""
    found = await desk.take_next(visit.context, visit.actor, queue)
    if found is None:
        return visit.go("/desk", queue=queue, none="1")
    return visit.go(f"/desk/tasks/{found.task.id}")


@router.get("/desk/tasks/{task_id}")
async def task(visit: Staff, task_id: UUID) -> Response:
    """One task, with the case file beside it."""
    found = await desk.show_task(visit.context, visit.actor, task_id)
    return await _task_page(visit, found, Typed(), command=str(uuid4()))


@router.post("/desk/tasks/{task_id}/claim")
async def claim(visit: Staff, task_id: UUID) -> Response:
    """Take it on."""
    await desk.claim_task(visit.context, visit.actor, task_id)
    return visit.go(f"/desk/tasks/{task_id}")


@router.post("/desk/tasks/{task_id}/release")
async def release(visit: Staff, task_id: UUID) -> Response:
    """Give it back to its queue."""
    await desk.release_task(visit.context, visit.actor, task_id)
    return visit.go("/desk")


@router.post("/desk/tasks/{task_id}/assign")
async def assign(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Give it to a colleague."""
    try:
        await desk.assign_task(visit.context, visit.actor, task_id, to=form.text("to"))
    except Invalid as refused:
        found = await desk.show_task(visit.context, visit.actor, task_id)
        typed = Typed(problem=visit.reader.refusal(refused))
        return await _task_page(visit, found, typed, command=str(uuid4()), status=refused.status)
    return visit.go(f"/desk/tasks/{task_id}")


@router.post("/desk/tasks/{task_id}/complete")
async def complete(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Answer it. What was typed stays on the page when it is refused; sent twice, it counts once."""
    found = await desk.show_task(visit.context, visit.actor, task_id)
    outcome, errors = read_outcome(found.kind, found.ask, form, visit.reader)
    command = command_of(form)
    if errors:
        problem = visit.reader.count("{n} answer needs correcting.", "{n} answers need correcting.", len(errors))
        return await _task_page(visit, found, Typed(form, errors, problem), command=command, status=422)
    try:
        await desk.complete_task(
            visit.context, visit.actor, task_id, outcome=outcome, notes=form.text("notes"), command_id=command
        )
    except DomainError as refused:
        return await _refused(visit, found, form, refused, command)
    return visit.go("/desk", done=str(task_id))


async def _refused(visit: Visit, found: TaskOnDesk, form: Sent, refused: DomainError, command: str) -> Response:
    """A rule's refusal is shown with the form; a lost race or a missing right has its own page."""
    if refused.status not in {422, 503}:
        raise refused
    errors = blame(found.kind, found.ask, refused, visit.reader, form)
    typed = Typed(form, errors, visit.reader.refusal(refused))
    answer = await _task_page(visit, found, typed, command=command, status=refused.status)
    if refused.status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


async def _task_page(visit: Visit, found: TaskOnDesk, typed: Typed, *, command: str, status: int = 200) -> Response:
    file = await cases.case_file(visit.context, visit.actor, found.case.number)
    named = {found.task.holder} | actors_in(file, ()) | people_in_matters(file) | {p.named_by for p in file.payees}
    names = await cases.names_of(visit.context, named)
    look = Look(visit.reader, visit.actor, names, visit.now)
    return visit.page(
        "task.html",
        status=status,
        here=f"/desk/tasks/{found.task.id}",
        task=present_task(found, file, Setting(visit.reader, visit.actor, names, visit.now)),
        form=present_form(found.kind, found.ask, form_context(file, visit.reader), typed),
        case=present_case(file, (), look),
        about=about_task(found.task, file, await _journal(visit, found), look),
        command=command,
        assignees=await _assignees(visit, found),
    )


async def _journal(visit: Visit, found: TaskOnDesk) -> Sequence[JournalEntry]:
    """Read only where the task's page tells of it."""
    if found.task.kind not in ACTION_OF or not sees_inside(visit.actor):
        return ()
    return await cases.timeline(visit.context, visit.actor, found.case.number, limit=MOST_EVENTS)


async def _assignees(visit: Visit, found: TaskOnDesk) -> tuple[AssigneeView, ...]:
    if found.task.status != "open" or not visit.actor.may("task:assign"):
        return ()
    people = await desk.list_assignees(visit.context, visit.actor, found.task.id)
    return present_assignees(people, visit.reader)
