"""How a promise of a case was counted."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from lian.services.explaining import explain_clock
from web.deps import Staff
from web.presenters.explaining import present_explanation

router = APIRouter()


@router.get("/desk/cases/{number}/clocks/{clock}")
async def explained(visit: Staff, number: str, clock: str) -> Response:
    """Every day on the way to the deadline; `#` in a clock's name is written `%23`."""
    told = await explain_clock(visit.context, visit.actor, number, clock)
    return visit.page("explain.html", told=present_explanation(told, visit.reader, visit.now))
