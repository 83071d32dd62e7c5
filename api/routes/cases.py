"""Cases: lists, files, timelines, messages, and what is done to a case beside its tasks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.deps import (
    ActorDep,
    ContextDep,
    Cursor,
    Limit,
    Number,
    OptionalKey,
    command_id,
    moment_cursor,
    read_moment_cursor,
)
from api.problems import problems
from api.schemas.cases import (
    CaseFileOut,
    CaseOut,
    CasesOut,
    EventOut,
    MessageIn,
    MessageOut,
    ReopenedOut,
    TimelineOut,
    people_in,
)
from api.schemas.explaining import ExplanationOut
from api.schemas.tasks import CommandOut, ReopenIn, WithdrawIn
from api.strict_json import StrictRoute
from lian.domain.status import CaseStatus
from lian.services import cases, explaining, handling, tracking
from lian.services.cases import CaseQuery
from lian.services.names import names_of

router = APIRouter(tags=["cases"], route_class=StrictRoute)


@router.get("/cases", summary="List cases", responses=problems(401, 422))
async def list_cases(
    context: ContextDep,
    actor: ActorDep,
    kind: Annotated[str, Query(max_length=80, description="As `GET /kinds` names it.")] = "",
    status: CaseStatus | None = None,
    stage: Annotated[str, Query(max_length=80)] = "",
    q: Annotated[str, Query(max_length=80, description="A case number or policy number.")] = "",
    tag: Annotated[str, Query(max_length=80, description="Such as `catastrophe:HAIKUI-2026`.")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> CasesOut:
    """The cases you may see, newest first."""
    query = CaseQuery(
        kind=kind, status=status or "", stage=stage, text=q, tag=tag, before=read_moment_cursor(cursor), limit=limit + 1
    )
    found = await cases.list_cases(context, actor, query)
    page = found[:limit]
    following = moment_cursor(page[-1].opened_at, page[-1].id) if len(found) > limit else None
    return CasesOut(items=[CaseOut.of(case) for case in page], next=following)


@router.get("/cases/{number}", summary="Read a case", responses=problems(401, 404))
async def read_case(context: ContextDep, actor: ActorDep, number: Number) -> CaseFileOut:
    """Everything on a case that you may see. Customers get what is theirs; `/track/{number}` tells them more."""
    file = await cases.case_file(context, actor, number)
    return CaseFileOut.of_file(file, actor, await names_of(context, people_in(file)))


@router.get("/cases/{number}/timeline", summary="Read a case's journal", responses=problems(401, 403, 404, 422))
async def timeline(
    context: ContextDep,
    actor: ActorDep,
    number: Number,
    after: Annotated[int, Query(ge=0, le=2**53, description="Only events after this place.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> TimelineOut:
    """Every fact about the case, oldest first (SEC-3)."""
    found = await cases.timeline(context, actor, number, after=after, limit=limit + 1)
    page = found[:limit]
    names = await names_of(context, {entry.actor for entry in page})
    following = page[-1].chain_seq if len(found) > limit else None
    return TimelineOut(items=[EventOut.of(entry, names) for entry in page], next=following)


@router.get(
    "/cases/{number}/clocks/{clock}", summary="How a promise was counted", responses=problems(401, 403, 404, 422)
)
async def explain_clock(
    context: ContextDep,
    actor: ActorDep,
    number: Number,
    clock: Annotated[str, Path(max_length=80, description="As `GET /cases/{number}` names it; `#` is sent as `%23`.")],
) -> ExplanationOut:
    """Which days and hours counted, which did not and why; not for customers (CLM-12)."""
    return ExplanationOut.of(await explaining.explain_clock(context, actor, number, clock))


@router.post(
    "/cases/{number}/messages",
    status_code=201,
    summary="Write a message",
    responses=problems(400, 401, 403, 404, 422),
)
async def write_message(
    context: ContextDep, actor: ActorDep, number: Number, given: MessageIn, key: OptionalKey = None
) -> MessageOut:
    """To the customer, or from them."""
    message = await tracking.write_message(context, actor, number, given.body, key=key or "")
    return MessageOut.of(message, {actor.id: actor.name})


@router.post("/cases/{number}/withdraw", summary="Withdraw a case", responses=problems(400, 401, 403, 404, 409, 422))
async def withdraw(
    context: ContextDep, actor: ActorDep, number: Number, given: WithdrawIn, key: OptionalKey = None
) -> CommandOut:
    """The customer no longer pursues it (CLM-15)."""
    command = command_id(actor, f"withdraw:{number}", key)
    result = await tracking.withdraw(context, actor, number, reason=given.reason, command_id=command)
    return CommandOut.of(result)


@router.post("/cases/{number}/reopen", summary="Reopen a closed case", responses=problems(400, 401, 403, 404, 409, 422))
async def reopen(context: ContextDep, actor: ActorDep, number: Number, given: ReopenIn) -> ReopenedOut:
    """Handled again from a stage, with new promises beside the old ones (CLM-15)."""
    case = await handling.reopen(context, actor, number, stage=given.stage, reason=given.reason)
    return ReopenedOut(number=case.number, status=CaseStatus(case.status), stage=case.stage, generation=case.generation)


@router.post(
    "/cases/{number}/request/withdraw",
    status_code=204,
    summary="Withdraw the open document request",
    responses=problems(401, 403, 404, 409),
)
async def withdraw_request(context: ContextDep, actor: ActorDep, number: Number) -> Response:
    """The promises run on from now, without its answer (CLM-5)."""
    await handling.withdraw_request(context, actor, number)
    return Response(status_code=204)
