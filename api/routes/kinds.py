"""Kinds of cases, and opening a case of any kind from its form (idea 5)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response

from api.deps import ActorDep, ContextDep, RequiredKey
from api.problems import also, problems
from api.schemas.claims import RegisteredOut
from api.schemas.kinds import CaseIn, KindsOut, examples
from api.strict_json import StrictRoute
from lian.services import opening

router = APIRouter(tags=["kinds"], route_class=StrictRoute)


@router.get("/kinds", summary="List the kinds of cases", responses=problems(401))
async def list_kinds(_: ActorDep) -> KindsOut:
    """With their steps, queues, promises, and the form a case is opened with."""
    return KindsOut.all()


@router.post(
    "/kinds/{kind}/cases",
    status_code=201,
    summary="Open a case",
    responses=also(200, "A repeat: the first answer.", model=RegisteredOut) | problems(400, 401, 403, 404, 409, 422),
)
async def open_case(
    context: ContextDep,
    actor: ActorDep,
    key: RequiredKey,
    kind: Annotated[str, Path(max_length=80, description="As `GET /kinds` names it.")],
    given: Annotated[CaseIn, Body(openapi_examples=examples())],
    request: Request,
    response: Response,
) -> RegisteredOut:
    """Acknowledged with its number once it is stored, also while the case engine is away."""
    actor.require("case:report")
    answer, is_new = await opening.open_case(
        context,
        actor,
        kind,
        answers=given.answers,
        reporter=given.reporter.given(),
        channel=given.channel,
        key=key,
    )
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/cases/{answer.number}"
    return RegisteredOut.of(answer)
