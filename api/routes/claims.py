"""First notice of loss: at once, or as a draft that is submitted later (CLM-1)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from api.deps import ActorDep, ContextDep, Number, RequiredKey
from api.errors import invalid_from
from api.problems import also, problems
from api.schemas.claims import ClaimIn, DraftIn, DraftOut, DraftReadOut, MissingOut, RegisteredOut
from api.strict_json import StrictRoute
from lian.domain.status import CaseStatus
from lian.services import intake

router = APIRouter(tags=["claims"], route_class=StrictRoute)
PERMISSION = "case:report"


def _located(request: Request, response: Response, status: int, path: str) -> None:
    response.status_code = status
    response.headers["Location"] = f"{request.scope.get('root_path', '')}{path}"


@router.post(
    "/claims",
    status_code=201,
    summary="Report a loss",
    responses=also(200, "A repeat: the first answer.", model=RegisteredOut) | problems(400, 401, 403, 404, 409, 422),
)
async def report_claim(
    context: ContextDep, actor: ActorDep, key: RequiredKey, given: ClaimIn, request: Request, response: Response
) -> RegisteredOut:
    """Acknowledged with its number once it is stored, also while the case engine is away."""
    actor.require(PERMISSION)
    answer, is_new = await intake.report_claim(
        context,
        actor,
        given.report(context.now()),
        channel=given.channel,
        key=key,
        said=given.model_dump(mode="json"),
    )
    _located(request, response, 201 if is_new else 200, f"/cases/{answer.number}")
    return RegisteredOut.of(answer)


@router.post("/claims/drafts", status_code=201, summary="Begin a draft", responses=problems(400, 401, 403, 404, 422))
async def begin_draft(
    context: ContextDep, actor: ActorDep, given: DraftIn, request: Request, response: Response
) -> DraftOut:
    """Only the policy is needed. No promise runs until the draft is submitted."""
    number = await _save(context, actor, "", given)
    _located(request, response, 201, f"/claims/drafts/{number}")
    return DraftOut(number=number, status=CaseStatus.DRAFT)


@router.put("/claims/drafts/{number}", summary="Save a draft", responses=problems(400, 401, 403, 404, 409, 422))
async def save_draft(context: ContextDep, actor: ActorDep, number: Number, given: DraftIn) -> DraftOut:
    """The draft becomes what is sent."""
    return DraftOut(number=await _save(context, actor, number, given), status=CaseStatus.DRAFT)


async def _save(context: ContextDep, actor: ActorDep, number: str, given: DraftIn) -> str:
    return await intake.save_draft(
        context,
        actor,
        number=number,
        policy_number=given.policy_number,
        draft=given.kept(),
        channel=given.channel,
    )


@router.get("/claims/drafts/{number}", summary="Read a draft", responses=problems(401, 403, 404, 409))
async def read_draft(context: ContextDep, actor: ActorDep, number: Number) -> DraftReadOut:
    """The draft as it was saved; 409 once it is submitted."""
    draft = await intake.read_draft(context, actor, number)
    missing = [MissingOut.of(requirement) for requirement in intake.missing_of(draft)]
    return DraftReadOut(number=number, status=CaseStatus.DRAFT, draft=draft, missing=missing)


@router.post("/claims/drafts/{number}/submit", summary="Submit a draft", responses=problems(401, 403, 404, 409, 422))
async def submit_draft(context: ContextDep, actor: ActorDep, number: Number) -> RegisteredOut:
    """From now on the promises run. 422 names the first thing that is missing; the draft stays as it is."""
    complete = _complete(await intake.read_draft(context, actor, number))
    return RegisteredOut.of(await intake.submit_draft(context, actor, number, complete.report(context.now())))


def _complete(draft: dict[str, Any]) -> ClaimIn:
    try:
        return ClaimIn.model_validate(draft)
    except ValidationError as wrong:
        raise invalid_from(wrong) from None
