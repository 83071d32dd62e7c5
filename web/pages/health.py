"""Whether this process can do its work: for the stack's probes."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import text
from starlette.responses import JSONResponse

from lian.domain.errors import Unavailable
from lian.services.context import Context

router = APIRouter()


@router.get("/healthz")
async def health(request: Request) -> JSONResponse:
    """200 when the database answers, 503 otherwise."""
    context: Context = request.app.state.context
    try:
        async with context.transaction() as session:
            await session.execute(text("SELECT 1"))
    except Unavailable:
        return JSONResponse({"status": "database unavailable"}, status_code=503, headers={"Retry-After": "2"})
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})
