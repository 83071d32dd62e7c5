"""The desk: what I have, what waits, what calls me, and the next task (TSK-1, TSK-2)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from lian.domain.errors import Conflict, NotFound
from lian.services import desk
from lian.services.alerts import list_alerts
from lian.services.desk import TaskOnDesk, TaskQuery
from lian.services.desk.views import USUAL_COLUMNS, list_views, read_view
from lian.services.names import names_of
from web.deps import Staff, Visit
from web.pages.desk_lists import PAGE, list_page, rows_of
from web.presenters.alerts import AlertsView, present_alerts
from web.presenters.deeds import Deed, deed_on_task
from web.presenters.desk import Setting, capped, present_queues
from web.presenters.desk_filters import present_tabs
from web.presenters.desk_lists import Listed, QuestionView, given_in, plain_columns, present_questions
from web.presenters.why_drawn import write_why

router = APIRouter()

MOST_URGENT = 25
MINE = TaskQuery(mine=True, on_hold=False, limit=PAGE)
ASIDE = TaskQuery(mine=True, on_hold=True)
FREE = TaskQuery(holder="@none", on_hold=False, limit=MOST_URGENT)
FREE_COLUMNS = ("chip", "task", "case", "customer", "amount", "queue")


@router.get("/desk")
async def my_desk(visit: Staff) -> Response:
    """What I have and what waits; with a filter in the address, the tasks that it finds."""
    visit.actor.require_sight()
    given = given_in(visit.request.url.query)
    if not given:
        return await _overview(visit)
    shown = read_view(visit.actor, given, limit=PAGE)
    if dict(shown.params) != given:  # one list, one address: what a form left empty goes without saying
        return visit.go("/desk", **shown.params, **_of_the_visit(visit))
    return await list_page(visit, shown, deed=await deed_in(visit))


def _of_the_visit(visit: Visit) -> dict[str, str]:
    asked = visit.request.query_params
    return {name: asked[name] for name in ("view", "did", "of", "v", "lang", "theme") if name in asked}


async def _overview(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    asked = visit.request.query_params
    return visit.page(
        "desk.html",
        status=status,
        here="/desk",
        tabs=present_tabs(await list_views(visit.context, visit.actor), None, "", visit.reader),
        queues=present_queues(await desk.queues(visit.context, visit.actor), visit.reader, visit.actor),
        alerts=await _alerts(visit),
        questions=await _questions(visit),
        mine=await _listed(visit, MINE, USUAL_COLUMNS),
        aside=await _aside(visit),
        waiting=await _listed(visit, FREE, FREE_COLUMNS),
        page_size=PAGE,
        waiting_size=MOST_URGENT,
        done=await _what_was_done(visit, asked.get("done", "")),
        deed=await deed_in(visit),
        nothing=bool(asked.get("none")),
        problem=problem,
    )


async def _listed(visit: Visit, query: TaskQuery, columns: Sequence[str]) -> Listed:
    tasks = await desk.list_tasks(visit.context, visit.actor, query)
    return Listed(plain_columns(columns, visit.reader), await rows_of(visit, tasks))


async def _aside(visit: Visit) -> str:
    """How much of mine is put aside, in words; empty when nothing is."""
    found = await desk.count_tasks(visit.context, visit.actor, ASIDE)
    return capped(found.n, is_more=found.is_more, reader=visit.reader) if found.n else ""


async def _alerts(visit: Visit) -> AlertsView | None:
    """What calls me; people outside are not called."""
    if not visit.actor.may("case:read"):
        return None
    found = await list_alerts(visit.context, visit.actor, still_open=True)
    return present_alerts(found, visit.reader, visit.now) if found else None


async def _questions(visit: Visit) -> tuple[QuestionView, ...]:
    """What colleagues ask me."""
    found = await desk.reviews_for(visit.context, visit.actor)
    names = await names_of(visit.context, {review.asked_by for review, _ in found})
    return present_questions(found, Setting(visit.reader, visit.actor, names, visit.now))


async def _what_was_done(visit: Visit, task_id: str) -> dict[str, str]:
    """The task just answered, in words, with its queue for the next one."""
    found = await _found(visit, task_id)
    if found is None:
        return {}
    return {"what": visit.reader.label(found.kind.label), "number": found.case.number, "queue": found.task.queue}


async def deed_in(visit: Visit) -> Deed | None:
    """What was just done to a task, as the address says, with the way back."""
    asked = visit.request.query_params
    found = await _found(visit, asked.get("of", ""))
    if found is None:
        return None
    names = await names_of(visit.context, {found.task.holder})
    setting = Setting(visit.reader, visit.actor, names, visit.now)
    return deed_on_task(asked.get("did", ""), asked.get("v", ""), found, setting, is_elsewhere=True)


async def _found(visit: Visit, task_id: str) -> TaskOnDesk | None:
    try:
        return await desk.show_task(visit.context, visit.actor, UUID(task_id))
    except (ValueError, NotFound):
        return None


@router.post("/desk/queues/{queue}/next")
async def take_next(visit: Staff, queue: str) -> Response:
    """The most urgent task that I may do, with why it is this one."""
    try:
        drawn = await desk.take_next(visit.context, visit.actor, queue)
    except Conflict as refused:  # too much in hand, or others were quicker
        return await _overview(visit, problem=visit.reader.refusal(refused), status=refused.status)
    if drawn is None:
        return visit.go("/desk", none="1")
    return visit.go(f"/desk/tasks/{drawn.found.task.id}", why=write_why(drawn.reasons))
