"""One task's page: its form, the verbs beside it, what colleagues said, and the case file (TSK-1, CLM-4 to CLM-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.responses import Response

from lian.auth.visibility import sees_inside
from lian.db.tables import JournalEntry
from lian.domain.errors import Conflict, DomainError
from lian.services import cases, desk
from lian.services.desk import Assignee, TaskOnDesk
from lian.services.desk.asking import Adviser, list_advisers
from lian.services.names import names_of
from lian.services.substitutes import stands_in_for
from web.deps import Form, Sent, Staff, Visit, command_of
from web.presenters.about_task import ACTION_OF, about_task
from web.presenters.cases import Look, actors_in, present_case
from web.presenters.deeds import deed_on_task
from web.presenters.desk import Setting, form_context
from web.presenters.forms import Typed, blame, present_form, read_outcome
from web.presenters.matters import people_in_matters
from web.presenters.task_desk import Attempt, Panels, present_panels, present_task
from web.presenters.task_talk import Said, people_in_talk, present_talk
from web.presenters.why_drawn import present_why

router = APIRouter()

MOST_EVENTS = 500
NOTHING = Attempt()


@dataclass(slots=True)
class Shown:
    """What a task's page shows beside the task: what was typed, what was refused, and what was just done."""

    typed: Typed = field(default_factory=Typed)
    tried: Attempt = NOTHING
    command: str = field(default_factory=lambda: str(uuid4()))
    status: int = 200
    did: str = ""
    version: str = ""
    why: str = ""


@router.get("/desk/tasks/{task_id}")
async def task(visit: Staff, task_id: UUID, did: str = "", v: str = "", why: str = "") -> Response:
    """One task, with the case file beside it."""
    found = await desk.show_task(visit.context, visit.actor, task_id)
    return await task_page(visit, found, Shown(did=did, version=v, why=why))


@router.post("/desk/tasks/{task_id}/complete")
async def complete(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Answer it. What was typed stays on the page when it is refused; sent twice, it counts once."""
    found = await desk.show_task(visit.context, visit.actor, task_id)
    outcome, errors = read_outcome(found.kind, found.ask, form, visit.reader)
    command = command_of(form)
    if errors:
        problem = visit.reader.count("{n} answer needs correcting.", "{n} answers need correcting.", len(errors))
        return await task_page(visit, found, Shown(Typed(form, errors, problem), command=command, status=422))
    try:
        await desk.complete_task(
            visit.context, visit.actor, task_id, outcome=outcome, notes=form.text("notes"), command_id=command
        )
    except DomainError as refused:
        return await _refused(visit, found, form, refused, command)
    return visit.go("/desk", done=str(task_id))


async def _refused(visit: Visit, found: TaskOnDesk, form: Sent, refused: DomainError, command: str) -> Response:
    """A rule's refusal is shown with the form, a lost race above it; a missing right has its own page."""
    if refused.status not in {409, 422, 503}:
        raise refused
    if isinstance(refused, Conflict):
        return await refused_page(visit, found.task.id, attempt_of("complete", form, refused, visit), command=command)
    errors = blame(found.kind, found.ask, refused, visit.reader, form)
    typed = Typed(form, errors, visit.reader.refusal(refused))
    answer = await task_page(visit, found, Shown(typed, command=command, status=refused.status))
    if refused.status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def attempt_of(verb: str, form: Sent, refused: DomainError, visit: Visit) -> Attempt:
    """What somebody tried, and why it was refused."""
    details = refused.details
    return Attempt(verb, form, visit.reader.refusal(refused), details.get("field", ""), details.get("holder", ""))


async def refused_page(
    visit: Visit, task_id: UUID, tried: Attempt, *, status: int = 409, command: str = ""
) -> Response:
    """The task as it stands now, with what was refused and what had been typed for it."""
    found = await desk.show_task(visit.context, visit.actor, task_id)
    typed = Typed(tried.sent) if tried.verb == "complete" else Typed()
    return await task_page(visit, found, Shown(typed, tried, command or str(uuid4()), status))


async def task_page(visit: Visit, found: TaskOnDesk, shown: Shown) -> Response:
    """The page as this reader may see it."""
    file = await cases.case_file(visit.context, visit.actor, found.case.number)
    talk = await desk.talk_of(visit.context, visit.actor, found.task.id)
    named = actors_in(file, ()) | people_in_matters(file) | people_in_talk(talk) | {p.named_by for p in file.payees}
    names = await names_of(visit.context, named | {found.task.holder, found.task.on_behalf_of})
    async with visit.context.transaction() as session:
        away = await stands_in_for(session, visit.actor, visit.now)
    look = Look(visit.reader, visit.actor, names, visit.now)
    setting = Setting(visit.reader, visit.actor, names, visit.now, away)
    panels = await _panels(visit, found, shown.tried, setting)
    said = present_talk(talk, shown.tried, setting)
    return visit.page(
        "task.html",
        status=shown.status,
        here=f"/desk/tasks/{found.task.id}",
        task=present_task(found, file, setting),
        form=present_form(found.kind, found.ask, form_context(file, visit.reader), shown.typed),
        typed=shown.typed.sent is not None,
        case=present_case(file, (), look),
        about=about_task(found.task, file, await _journal(visit, found), look),
        command=shown.command,
        panels=panels,
        talk=said,
        tried=shown.tried,
        is_lost=_is_lost(shown.tried, panels, said),
        done=deed_on_task(shown.did, shown.version, found, setting),
        why=present_why(shown.why, found, setting),
    )


def _is_lost(tried: Attempt, panels: Panels, said: Sequence[Said]) -> bool:
    """Whether a refused verb has no place on the page any more, where its refusal could be shown."""
    asked = {f"opinion-{one.id}" for one in said if one.is_asked}
    return bool(tried.problem) and tried.verb not in panels.forms | asked


async def _panels(visit: Visit, found: TaskOnDesk, tried: Attempt, setting: Setting) -> Panels:
    return present_panels(found, await _assignees(visit, found), await _advisers(visit, found), tried, setting)


async def _assignees(visit: Visit, found: TaskOnDesk) -> Sequence[Assignee]:
    """Whose work it is: for those who may hand it on."""
    gives_away = found.task.holder == visit.actor.id and visit.actor.may("task:delegate")
    if found.task.status != "open" or not (gives_away or visit.actor.may("task:assign")):
        return ()
    return await desk.list_assignees(visit.context, visit.actor, found.task.id)


async def _advisers(visit: Visit, found: TaskOnDesk) -> Sequence[Adviser]:
    """Whom one may ask, or keep from the case."""
    asks = found.task.holder == visit.actor.id or visit.actor.may("case:bar")
    if not asks or not visit.actor.may("task:ask_colleague"):
        return ()
    return await list_advisers(visit.context, visit.actor, found.task.id)


async def _journal(visit: Visit, found: TaskOnDesk) -> Sequence[JournalEntry]:
    """Read only where the task's page tells of it."""
    if found.task.kind not in ACTION_OF or not sees_inside(visit.actor):
        return ()
    return await cases.timeline(visit.context, visit.actor, found.case.number, limit=MOST_EVENTS)
