"""The front door: report a loss, track a claim, sign in."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from web.assets import address
from web.deps import Guest
from web.pages.ask import doors

router = APIRouter()


@router.get("/")
async def landing(visit: Guest) -> Response:
    """One door for each thing people come for."""
    return visit.page("landing.html", doors=doors(visit))


@router.get("/favicon.ico")
async def icon() -> Response:
    """Browsers ask for it by this name."""
    return RedirectResponse(address("mark.svg"), status_code=301)
