"""Doing something on a case of one's own accord, beside its tasks: one form for every action (CLM-9, 11, 14, 15)."""

from __future__ import annotations

from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from lian.domain.errors import DomainError
from lian.domain.tasks import Json
from lian.services import actions, cases
from lian.services.actions import ActionOnCase
from lian.services.names import names_of
from web.deps import Form, Sent, Staff, Visit, command_of
from web.presenters.actions import EffectsView, present_action, present_effects
from web.presenters.cases import Look, actors_in, present_case
from web.presenters.desk import form_context
from web.presenters.forms import Typed, blame, present_form, read_outcome

router = APIRouter()

SHOWN_WITH_THE_FORM = frozenset({403, 404, 409, 422, 503})
"""Refusals after which what was typed is kept, a mistyped number among them; the rest have a page of their own."""


@router.get("/desk/cases/{number}/do/{action}")
async def ask(visit: Staff, number: str, action: str) -> Response:
    """The action's form."""
    found = await actions.show_action(visit.context, visit.actor, number, action)
    return await _page(visit, found, Typed(), command=str(uuid4()))


@router.post("/desk/cases/{number}/do/{action}")
async def do(visit: Staff, form: Form, number: str, action: str) -> Response:
    """Show what follows, or do it; sent twice, it counts once. What was typed stays when it is refused."""
    found = await actions.show_action(visit.context, visit.actor, number, action)
    command = command_of(form)
    outcome, errors = read_outcome(found.kind, found.ask, form, visit.reader)
    if errors:
        problem = visit.reader.count("{n} answer needs correcting.", "{n} answers need correcting.", len(errors))
        return await _page(visit, found, Typed(form, errors, problem), command=command, status=422)
    try:
        if found.kind.has_preview and form.text("step") != "do":
            return await _preview(visit, found, form, outcome, command)
        await actions.act(
            visit.context,
            visit.actor,
            number,
            action,
            outcome=outcome,
            notes=form.text("notes"),
            command_id=command,
        )
    except DomainError as refused:
        return await _refused(visit, found, form, refused, command)
    return visit.go(f"/desk/cases/{number}", ok="done")


async def _preview(visit: Visit, found: ActionOnCase, form: Sent, outcome: Json, command: str) -> Response:
    effects = await actions.preview(visit.context, visit.actor, found.case.number, found.kind.id, outcome=outcome)
    return await _page(visit, found, Typed(form), command=command, effects=present_effects(effects, visit.reader))


async def _refused(visit: Visit, found: ActionOnCase, form: Sent, refused: DomainError, command: str) -> Response:
    if refused.status not in SHOWN_WITH_THE_FORM:
        raise refused
    errors = blame(found.kind, found.ask, refused, visit.reader)
    typed = Typed(form, errors, visit.reader.refusal(refused))
    answer = await _page(visit, found, typed, command=command, status=refused.status)
    if refused.status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


async def _page(
    visit: Visit,
    found: ActionOnCase,
    typed: Typed,
    *,
    command: str,
    status: int = 200,
    effects: EffectsView | None = None,
) -> Response:
    file = await cases.case_file(visit.context, visit.actor, found.case.number)
    names = await names_of(visit.context, actors_in(file, ()))
    return visit.page(
        "do.html",
        status=status,
        here=f"/desk/cases/{found.case.number}/do/{found.kind.id}",
        action=present_action(found, visit.reader),
        form=present_form(found.kind, found.ask, form_context(file, visit.reader), typed),
        case=present_case(file, (), Look(visit.reader, visit.actor, names, visit.now)),
        can_be_done=found.has_choices,
        effects=effects,
        command=command,
    )
