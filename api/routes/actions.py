"""What people do on a case of their own accord, beside its tasks (CLM-9, 11, 14, 15)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.deps import ActorDep, ContextDep, Number, OptionalKey, command_id
from api.problems import problems
from api.schemas.actions import ActionDetailOut, ActionIn, ActionOut, ActionsOut, PreviewOut
from api.schemas.documents import DocumentOut
from api.schemas.statements import StatementIn
from api.schemas.tasks import CommandOut
from api.strict_json import StrictRoute
from lian.services import actions, statements

router = APIRouter(tags=["actions"], route_class=StrictRoute)
Action = Annotated[str, Path(max_length=80, description="As `GET /cases/{number}/actions` names it.")]


@router.get("/cases/{number}/actions", summary="What you may do on a case", responses=problems(401, 404))
async def list_actions(context: ContextDep, actor: ActorDep, number: Number) -> ActionsOut:
    """Now, each with its form; customers see what is theirs to do."""
    offers = await actions.list_offers(context, actor, number)
    return ActionsOut(items=[ActionOut.of(offer) for offer in offers])


@router.get("/cases/{number}/actions/{action}", summary="Read an action", responses=problems(401, 403, 404, 409))
async def read_action(context: ContextDep, actor: ActorDep, number: Number, action: Action) -> ActionDetailOut:
    """Its form and what it starts from. 409: not on the case as it stands."""
    return ActionDetailOut.shown(await actions.show_action(context, actor, number, action))


@router.post(
    "/cases/{number}/actions/{action}/preview",
    summary="See what an action would bring about",
    responses=problems(400, 401, 403, 404, 409, 422),
)
async def preview(context: ContextDep, actor: ActorDep, number: Number, action: Action, given: ActionIn) -> PreviewOut:
    """Its effects, and the amounts that depend on it. Nothing is stored."""
    return PreviewOut.of(await actions.preview(context, actor, number, action, outcome=given.outcome))


@router.post(
    "/cases/{number}/actions/{action}",
    summary="Take an action",
    responses=problems(400, 401, 403, 404, 409, 422),
)
async def act(
    context: ContextDep, actor: ActorDep, number: Number, action: Action, given: ActionIn, key: OptionalKey = None
) -> CommandOut:
    """Done once it is on record. 503: nothing was done; repeat it with the same `Idempotency-Key`."""
    result = await actions.act(
        context,
        actor,
        number,
        action,
        outcome=given.outcome,
        notes=given.notes,
        command_id=command_id(actor, f"{action}:{number}", key),
    )
    return CommandOut.of(result)


@router.post(
    "/cases/{number}/statements",
    status_code=201,
    summary="Answer a request in words",
    responses=problems(400, 401, 403, 404, 409, 422),
)
async def answer_in_words(
    context: ContextDep, actor: ActorDep, number: Number, given: StatementIn, key: OptionalKey = None
) -> DocumentOut:
    """Instead of a file: `statement`, `answers` or `bank_account`. It is filed as a document (CLM-5)."""
    document = await statements.answer_in_words(
        context, actor, number, item_code=given.item, text=given.text, key=key or ""
    )
    return DocumentOut.of(document)
