"""Case files for staff: the list, one file, and what may be done to it beside its tasks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from starlette.responses import Response

from lian.domain.case_kinds import KINDS
from lian.domain.errors import Invalid
from lian.domain.status import CaseStatus, label_of
from lian.services import cases, handling, tracking
from lian.services.cases import CaseQuery
from web.deps import Form, Sent, Staff, Visit
from web.files import send_document, take_upload
from web.presenters.cases import Look, actors_in, present_case
from web.presenters.desk import present_cases

router = APIRouter()

PAGE = 50
MOST_EVENTS = 500


@router.get("/desk/cases")
async def case_list(
    visit: Staff, q: str = "", status: str = "", stage: str = "", late: str = "", before: str = ""
) -> Response:
    """Cases, newest first; a number that is found exactly opens its file."""
    visit.actor.require("case:read")
    query = CaseQuery(
        status=status,
        stage=stage,
        text=q.strip(),
        late_at=visit.now if late else None,
        before=_position(before),
        limit=PAGE,
    )
    found = await cases.list_cases(visit.context, visit.actor, query)
    if len(found) == 1 and found[0].number == q.strip():
        return visit.go(f"/desk/cases/{found[0].number}")
    faces = await cases.faces(visit.context, visit.actor, {c.id for c in found})
    last = found[-1] if len(found) == PAGE else None
    return visit.page(
        "cases.html",
        rows=present_cases(found, faces, visit.reader, visit.now),
        filters={"q": q, "status": status, "stage": stage, "late": late},
        statuses=[(s.value, visit.reader.label(label_of(s))) for s in CaseStatus],
        stages=_stages(visit),
        next_page=f"{last.opened_at.isoformat()}_{last.id}" if last else "",
    )


def _stages(visit: Visit) -> list[tuple[str, str]]:
    return list({s.id: visit.reader.label(s.label) for kind in KINDS.values() for s in kind.stages}.items())


def _position(before: str) -> tuple[datetime, UUID] | None:
    moment, _, case_id = before.rpartition("_")
    try:
        return (datetime.fromisoformat(moment), UUID(case_id)) if before else None
    except ValueError:
        return None


@router.get("/desk/cases/{number}")
async def case(visit: Staff, number: str, ok: str = "") -> Response:
    """One case file with its timeline."""
    visit.actor.require("case:read")
    return await _case_page(visit, number, ok=ok)


async def _case_page(
    visit: Visit, number: str, *, status: int = 200, ok: str = "", problem: str = "", draft: str = ""
) -> Response:
    file = await cases.case_file(visit.context, visit.actor, number)
    journal = await cases.timeline(visit.context, visit.actor, number, limit=MOST_EVENTS)
    names = await cases.names_of(visit.context, actors_in(file, journal))
    view = present_case(file, journal, Look(visit.reader, visit.actor, names, visit.now))
    return visit.page(
        "case.html",
        status=status,
        here=f"/desk/cases/{view.number}",
        case=view,
        ok=ok,
        problem=problem,
        draft=draft,
        command=str(uuid4()),
    )


@router.post("/desk/cases/{number}/documents")
async def add_document(request: Request, visit: Staff, number: str) -> Response:
    """File a document."""
    visit.actor.require("document:add")
    await take_upload(request, visit, number)
    return visit.go(f"/desk/cases/{number}", ok="document")


@router.get("/desk/cases/{number}/documents/{document_id}")
async def open_document(visit: Staff, number: str, document_id: UUID, download: str = "") -> Response:
    """Show or download a document; that is journaled."""
    return await send_document(visit, number, document_id, download=bool(download))


@router.post("/desk/cases/{number}/messages")
async def write(visit: Staff, form: Form, number: str) -> Response:
    """Write to the customer."""
    visit.actor.require("message:write")
    try:
        await tracking.write_message(visit.context, visit.actor, number, form.text("body"))
    except Invalid as refused:
        problem = visit.reader.refusal(refused)
        return await _case_page(visit, number, status=422, problem=problem, draft=form.text("body"))
    return visit.go(f"/desk/cases/{number}", ok="message")


@router.post("/desk/cases/{number}/withdraw")
async def withdraw(visit: Staff, form: Form, number: str) -> Response:
    """Record that the customer withdraws."""
    command = command_of(form)
    await tracking.withdraw(visit.context, visit.actor, number, reason=form.text("reason"), command_id=command)
    return visit.go(f"/desk/cases/{number}", ok="withdrawn")


@router.post("/desk/cases/{number}/withdraw-request")
async def withdraw_request(visit: Staff, number: str) -> Response:
    """End the open document request; the clocks run on."""
    await handling.withdraw_request(visit.context, visit.actor, number)
    return visit.go(f"/desk/cases/{number}", ok="request")


@router.post("/desk/cases/{number}/reopen")
async def reopen(visit: Staff, form: Form, number: str) -> Response:
    """Handle a closed case again."""
    stage, reason = form.text("stage"), form.text("reason")
    await handling.reopen(visit.context, visit.actor, number, stage=stage, reason=reason)
    return visit.go(f"/desk/cases/{number}", ok="reopened")


def command_of(form: Sent) -> str:
    """The hidden command id that makes a second click harmless."""
    try:
        return str(UUID(form.text("command")))
    except ValueError:
        return str(uuid4())
