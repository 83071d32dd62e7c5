"""What holds for every answer and every request: security headers, no cross-site posts, no bare failures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from traceback import extract_tb
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: under it browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
SAFE = {"GET", "HEAD", "OPTIONS"}
LOG = structlog.get_logger()

Page = Callable[[Request], Awaitable[Response]]
FailurePage = Callable[[Request, str], Awaitable[Response]]


class Shield:
    """Outermost of our own layers; the API mounted below passes through it too and may set its own policy."""

    def __init__(self, app: ASGIApp, *, cross_site: Page, unreadable: Page, failed: FailurePage, https: bool) -> None:
        self.app = app
        self.cross_site = cross_site
        self.unreadable = unreadable
        self.failed = failed
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._add_headers(MutableHeaders(scope=message))
            await send(message)

        try:
            refusal = await self._refusal(Request(scope))
            await (refusal or self.app)(scope, receive, guarded)
        except Exception as failure:
            if started:
                raise
            reference = uuid4().hex[:8].upper()
            LOG.error("request failed", reference=reference, failure=type(failure).__name__, where=_where(failure))
            answer = await self.failed(Request(scope, receive), reference)
            await answer(scope, receive, guarded)

    async def _refusal(self, request: Request) -> Response | None:
        if request.method not in SAFE and is_cross_site(request.headers):
            return await self.cross_site(request)
        if "\0" in request.url.path or b"%00" in request.scope.get("query_string", b""):
            return await self.unreadable(request)
        return None

    def _add_headers(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self.https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")


def _where(failure: Exception) -> list[str]:
    """The innermost frames. Never the message: a database's may quote what somebody wrote."""
    return [f"{frame.filename}:{frame.lineno}" for frame in extract_tb(failure.__traceback__)[-5:]]


def is_cross_site(headers: Headers) -> bool:
    """Whether a browser says that another site sent this; programs that are no browsers say nothing."""
    site = headers.get("sec-fetch-site")
    if site:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
