"""Staff accounts: what their owners can do and take (TSK-3, TSK-5)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.deps import ActorDep, ContextDep
from api.problems import problems
from api.schemas.staffing import StaffingIn, StaffListOut, StaffOut
from api.strict_json import StrictRoute
from lian.services import accounts, staffing

router = APIRouter(prefix="/staff", tags=["staff"], route_class=StrictRoute)


@router.get("", summary="List staff accounts", responses=problems(401, 403))
async def list_staff(context: ContextDep, actor: ActorDep) -> StaffListOut:
    """Needs `staff:write`."""
    return StaffListOut(items=[StaffOut.of(each) for each in await accounts.list_staff(context, actor)])


@router.patch("/{username}", summary="Change what somebody can do", responses=problems(400, 401, 403, 404, 422))
async def set_staffing(
    context: ContextDep, actor: ActorDep, username: Annotated[str, Path(max_length=80)], given: StaffingIn
) -> StaffOut:
    """Needs `staff:write`. Team, skills and licences with their last day, capacity, and who they are as a customer.

    Once somebody is known as a customer, their own cases are not for them.
    """
    return StaffOut.of(await staffing.set_staffing(context, actor, username, given.given()))
