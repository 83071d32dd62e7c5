"""Case files for staff: the list, one file, and what may be done to it beside its tasks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from starlette.responses import Response

from lian.auth.visibility import sees_inside
from lian.domain.case_kinds import KINDS
from lian.domain.errors import Invalid
from lian.domain.status import CaseStatus, label_of
from lian.services import actions, cases, handling, reading_money, tracking
from lian.services.cases import CaseQuery
from lian.services.names import names_of
from web.deps import Form, Staff, Visit, command_of
from web.files import send_document, take_upload
from web.pages.ask import doors
from web.presenters.actions import present_offers
from web.presenters.cases import Look, actors_in, present_case
from web.presenters.desk import coverages_of, present_cases
from web.presenters.matters import people_in_matters, present_matters
from web.presenters.money import people_in_money, present_money

router = APIRouter()

PAGE = 50
MOST_EVENTS = 500


@router.get("/desk/cases")
async def case_list(
    visit: Staff,
    q: str = "",
    kind: str = "",
    status: str = "",
    stage: str = "",
    late: str = "",
    tag: str = "",
    before: str = "",
) -> Response:
    """Cases, newest first; a number that is found exactly opens its file."""
    visit.actor.require_sight()
    query = CaseQuery(
        kind=kind,
        status=status,
        stage=stage,
        text=q.strip(),
        late_at=visit.now if late else None,
        tag=tag,
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
        filters={"q": q, "kind": kind, "status": status, "stage": stage, "late": late, "tag": tag},
        statuses=[(s.value, visit.reader.label(label_of(s))) for s in CaseStatus],
        kinds=[(k.id, visit.reader.label(k.label)) for k in KINDS.values()],
        stages=_stages(visit, kind),
        doors=doors(visit, for_staff=True) if visit.actor.may("case:report") else (),
        next_page=f"{last.opened_at.isoformat()}_{last.id}" if last else "",
    )


def _stages(visit: Visit, only: str) -> list[tuple[str, str]]:
    """The steps of one kind, or of all; a step that several kinds have under other words says all of them."""
    words: dict[str, dict[str, None]] = {}
    for kind in KINDS.values():
        if only in {"", kind.id}:
            for stage in kind.stages:
                words.setdefault(stage.id, {})[visit.reader.label(stage.label)] = None
    return [(stage, " / ".join(labels)) for stage, labels in words.items()]


def _position(before: str) -> tuple[datetime, UUID] | None:
    moment, _, case_id = before.rpartition("_")
    try:
        return (datetime.fromisoformat(moment), UUID(case_id)) if before else None
    except ValueError:
        return None


@router.get("/desk/cases/{number}")
async def case(visit: Staff, number: str, ok: str = "") -> Response:
    """One case file with its timeline."""
    visit.actor.require_sight()
    return await _case_page(visit, number, ok=ok)


async def _case_page(
    visit: Visit, number: str, *, status: int = 200, ok: str = "", problem: str = "", draft: str = ""
) -> Response:
    file = await cases.case_file(visit.context, visit.actor, number)
    inside = sees_inside(visit.actor)
    journal = await cases.timeline(visit.context, visit.actor, number, limit=MOST_EVENTS) if inside else ()
    money = await reading_money.money_of(visit.context, visit.actor, number) if inside else None
    named = actors_in(file, journal) | people_in_matters(file) | (people_in_money(money) if money else set())
    look = Look(visit.reader, visit.actor, await names_of(visit.context, named), visit.now)
    view = present_case(file, journal, look)
    offers = await actions.list_offers(visit.context, visit.actor, number)
    return visit.page(
        "case.html",
        status=status,
        here=f"/desk/cases/{view.number}",
        case=view,
        matters=present_matters(file, journal, look) if inside else None,
        money=present_money(money, coverages_of(file), look) if money and file.case.currency else None,
        offers=present_offers(offers, visit.reader),
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
