"""What customers do in the tracker beside sending files: answer what is asked, object, write (CLM-5, 10, 11)."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from lian.domain.errors import DomainError, Invalid, NotFound
from lian.services import actions, desk, statements
from lian.services.asked import asked_of_customer
from web.deps import Customer, Form, Sent, Visit, command_of
from web.pages.track import address_of, tracker_page
from web.presenters.forms import Typed, blame, read_outcome
from web.presenters.track_tasks import read_asked

router = APIRouter()

OBJECT = "object"
SHOWN_WITH_THE_FORM = frozenset({403, 404, 409, 422, 503})
"""Refusals after which what was typed is kept; the rest have a page of their own."""


@router.post("/track/{number}/tasks/{task_id}")
async def answer(visit: Customer, form: Form, number: str, task_id: UUID) -> Response:
    """Answer what is asked; sent twice, it counts once. What was typed stays when it is refused."""
    asked = await asked_of_customer(visit.context, visit.actor)
    found = next((a for a in asked if a.found.task.id == task_id and a.found.case.number == number), None)
    if found is None:
        raise NotFound("This was answered already, or is no longer asked.")
    outcome, errors = read_asked(found, form, visit.reader)
    if errors:
        return await _wrong(visit, number, str(task_id), form, errors)
    try:
        await desk.complete_task(
            visit.context, visit.actor, task_id, outcome=outcome, notes="", command_id=command_of(form)
        )
    except DomainError as refused:
        blamed = blame(found.found.kind, found.ask, refused, visit.reader)
        return await _refused(visit, number, str(task_id), form, refused, blamed)
    return visit.go(address_of(number), ok="answered")


@router.post("/track/{number}/object")
async def object_(visit: Customer, form: Form, number: str) -> Response:
    """Object to the decision, with what is wrong and in one's own words (CLM-11)."""
    offer = await actions.show_action(visit.context, visit.actor, number, OBJECT)
    outcome, errors = read_outcome(offer.kind, offer.ask, form, visit.reader)
    if errors:
        return await _wrong(visit, number, OBJECT, form, errors)
    if not form.text("notes"):
        return await _refused(visit, number, OBJECT, form, Invalid("Tell us why, in your own words."), {})
    try:
        await actions.act(
            visit.context,
            visit.actor,
            number,
            OBJECT,
            outcome=outcome,
            notes=form.text("notes"),
            command_id=command_of(form),
        )
    except DomainError as refused:
        return await _refused(visit, number, OBJECT, form, refused, {})
    return visit.go(address_of(number), ok="objected")


@router.post("/track/{number}/words")
async def answer_in_words(visit: Customer, form: Form, number: str) -> Response:
    """Write what we asked for instead of sending a file (CLM-5)."""
    item, text = form.text("item"), form.text("text")
    try:
        await statements.answer_in_words(
            visit.context, visit.actor, number, item_code=item, text=text, key=form.text("key")
        )
    except DomainError as refused:
        return await _refused(visit, number, f"words-{item}", form, refused, {})
    return visit.go(address_of(number), ok="document")


async def _wrong(visit: Visit, number: str, about: str, form: Sent, errors: dict[str, str]) -> Response:
    problem = visit.reader.count("{n} answer needs correcting.", "{n} answers need correcting.", len(errors))
    typed = Typed(form, errors, problem)
    return await tracker_page(visit, number, status=422, problem=problem, about=about, typed=typed)


async def _refused(
    visit: Visit, number: str, about: str, form: Sent, refused: DomainError, blamed: dict[str, str]
) -> Response:
    if refused.status not in SHOWN_WITH_THE_FORM:
        raise refused
    problem = visit.reader.refusal(refused)
    typed = Typed(form, blamed, problem)
    page = await tracker_page(visit, number, status=refused.status, problem=problem, about=about, typed=typed)
    if refused.status == 503:
        page.headers["Retry-After"] = "5"
    return page
