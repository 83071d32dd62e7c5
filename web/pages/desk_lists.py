"""Lists of tasks by any filter, in their address; kept under a name, with counts that load by themselves (ui.md 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from lian.domain.errors import Conflict, Invalid
from lian.services import cases, desk
from lian.services.desk import TaskOnDesk, TaskQuery, place_of, read_place, write_place
from lian.services.desk.view_reading import read_address
from lian.services.desk.views import (
    View,
    ViewChange,
    ViewShown,
    change_view,
    count_views,
    delete_view,
    list_views,
    save_view,
)
from lian.services.names import names_of
from lian.services.substitutes import stands_in_for
from web.deps import Form, Staff, Visit
from web.presenters.deeds import Deed
from web.presenters.desk import Setting, capped, present_queues
from web.presenters.desk_filters import present_bulk, present_filters, present_tabs
from web.presenters.desk_lists import Listed, TaskRow, present_columns, present_tasks

router = APIRouter()

PAGE = 50


async def list_page(
    visit: Visit, shown: ViewShown, *, deed: Deed | None = None, problem: str = "", name: str = "", status: int = 200
) -> Response:
    """One page of the tasks that a filter finds. `name`: what somebody wanted to keep it as, where that was refused."""
    asked, views = visit.request.query_params, await list_views(visit.context, visit.actor)
    queues = await desk.queues(visit.context, visit.actor)
    query = _from(visit, shown, asked.get("after", ""))
    tasks = await desk.list_tasks(visit.context, visit.actor, query)
    bulk_verbs = present_bulk(visit.actor, visit.reader)
    return visit.page(
        "desk_list.html",
        status=status,
        here=f"/desk?{shown.address}",
        tabs=present_tabs(views, shown, asked.get("view", ""), visit.reader),
        view=next((v for v in views if v.id == asked.get("view", "") and v.is_mine), None),
        filters=present_filters(shown, queues, await _who_is_asked_for(visit, query), visit.reader, visit.actor),
        listed=Listed(present_columns(shown, visit.reader), await rows_of(visit, tasks), bool(bulk_verbs)),
        query=shown.address,
        next_page=write_place(place_of(tasks[-1].task, query.sort)) if len(tasks) == PAGE else "",
        is_first=not query.after,
        draws=present_queues([q for q in queues if q.queue == query.queue], visit.reader, visit.actor),
        bulk_verbs=bulk_verbs,
        deed=deed,
        problem=problem,
        name=name,
    )


def _from(visit: Visit, shown: ViewShown, after: str) -> TaskQuery:
    """The page that begins after a place; the first for one that cannot be read."""
    query = replace(shown.query, sort=desk.order_for(visit.actor, shown.query.sort))
    try:
        return replace(query, after=read_place(after, query.sort)) if after else query
    except ValueError:
        return query


async def _who_is_asked_for(visit: Visit, query: TaskQuery) -> str:
    """The name of the one person whose tasks are listed; empty when it is nobody in particular."""
    try:
        UUID(query.holder.removeprefix("staff:"))
    except ValueError:
        return ""
    return (await names_of(visit.context, {query.holder})).get(query.holder, "")


async def rows_of(visit: Visit, tasks: Sequence[TaskOnDesk]) -> tuple[TaskRow, ...]:
    """Tasks as rows."""
    faces = await cases.faces(visit.context, visit.actor, {t.case.id for t in tasks})
    people = {t.task.holder for t in tasks} | {t.task.on_behalf_of for t in tasks}
    names = await names_of(visit.context, people)
    async with visit.context.transaction() as session:
        away = await stands_in_for(session, visit.actor, visit.now)
    return present_tasks(tasks, faces, Setting(visit.reader, visit.actor, names, visit.now, away))


# --- kept under a name ------------------------------------------------------------------------------------------------


@router.get("/desk/counts.json")
async def counts(visit: Staff) -> Response:
    """How many tasks each of my lists finds, as it is shown."""
    visit.actor.require_sight()
    found = await count_views(visit.context, visit.actor)
    words = {view: capped(count.n, is_more=count.is_more, reader=visit.reader) for view, count in found.items()}
    return JSONResponse(words, headers={"Cache-Control": "no-store"})


@router.post("/desk/views")
async def keep(visit: Staff, form: Form) -> Response:
    """Keep a list under a name."""
    query, name = form.text("query"), form.text("name")
    try:
        view = await save_view(
            visit.context,
            visit.actor,
            name=name,
            query=query,
            is_shared=bool(form.text("share")),
            is_pinned=bool(form.text("pin")),
        )
    except (Conflict, Invalid) as refused:
        shown = read_address(visit.actor, query, limit=PAGE)
        problem = visit.reader.refusal(refused)
        return await list_page(visit, shown, problem=problem, name=name, status=refused.status)
    return _to_the_list(visit, view)


@router.post("/desk/views/{view_id}")
async def change(visit: Staff, form: Form, view_id: UUID) -> Response:
    """Pin it or share it, or no longer; or keep under its name what is listed now."""
    query = form.text("query")
    wanted = ViewChange(
        query=query or None,
        is_pinned=None if query else bool(form.text("pin")),
        is_shared=None if query else bool(form.text("share")),
    )
    return _to_the_list(visit, await change_view(visit.context, visit.actor, view_id, wanted))


@router.post("/desk/views/{view_id}/delete")
async def delete(visit: Staff, view_id: UUID) -> Response:
    """Keep it no longer."""
    await delete_view(visit.context, visit.actor, view_id)
    return visit.go("/desk")


def _to_the_list(visit: Visit, view: View) -> Response:
    return visit.go("/desk", **dict(parse_qsl(view.query)), view=view.id)
