"""Filing evidence from the task that it belongs to (CLM-6)."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from lian.services import desk
from web.deps import Staff
from web.files import take_upload

router = APIRouter()


@router.post("/desk/tasks/{task_id}/evidence")
async def add_evidence(request: Request, visit: Staff, task_id: UUID) -> Response:
    """File it with the task's case, and go on with the task."""
    found = await desk.show_task(visit.context, visit.actor, task_id)
    await take_upload(request, visit, found.case.number)
    return visit.go(f"/desk/tasks/{task_id}")
