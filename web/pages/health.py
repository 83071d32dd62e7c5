"""Whether this process can do its work, for the stack's probes; and figures, for whoever watches it."""

from __future__ import annotations

from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import text
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from lian.domain.errors import Unavailable
from lian.services.context import Context
from lian.services.metrics import Metrics
from lian.settings import Settings

router = APIRouter()


@router.get("/healthz")
async def health(request: Request) -> JSONResponse:
    """200 when the database answers, 503 otherwise."""
    context: Context = request.app.state.context
    try:
        async with context.reading() as session:
            await session.execute(text("SELECT 1"))
    except Unavailable:
        return JSONResponse({"status": "database unavailable"}, status_code=503, headers={"Retry-After": "2"})
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Figures in Prometheus' format; for others than those who watch there is no such page."""
    context: Context = request.app.state.context
    if not _may_watch(request, context.settings):
        raise HTTPException(404)
    found: Metrics = request.app.state.metrics
    return Response(await found.text(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"})


def _may_watch(request: Request, settings: Settings) -> bool:
    """Whoever has the token; without one set, whoever asks on this machine, where no proxy brings others along."""
    wanted = settings.metrics_token.get_secret_value()
    if wanted:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and compare_digest(given.strip().encode(), wanted.encode())
    is_behind_proxy = "x-forwarded-for" in request.headers or "forwarded" in request.headers
    return not is_behind_proxy and _is_here(request.client.host if request.client else "") and _is_private(settings)


def _is_private(settings: Settings) -> bool:
    """Whether the installation is used on this machine alone, as far as its public address says."""
    return not settings.public_url or _is_here(urlsplit(settings.public_url).hostname or "")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
