"""How long answers take, by route and status, for `/metrics`."""

from __future__ import annotations

from time import perf_counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lian.services.metrics import Metrics

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
OTHER = "other"
"""Whatever else somebody asks for: what they make up never becomes a label."""
STREAM = "text/event-stream"


class Measured:
    """Outermost, so that nothing is left out. Streams are not measured: they last as long as a page is open."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status, is_stream = perf_counter(), 500, False

        async def noted(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = message["status"]
                is_stream = Headers(raw=message["headers"]).get("content-type", "").startswith(STREAM)
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            if not is_stream:
                seconds, method = perf_counter() - begun, scope["method"]
                known = method if method in METHODS else OTHER
                self.metrics.observe(method=known, route=_route(scope), status=status, seconds=seconds)


def _route(scope: Scope) -> str:
    """The template of the route that answered; of a mounted application with where it is mounted."""
    template = getattr(scope.get("route"), "path", None)
    return f"{scope.get('root_path', '')}{template}" if template else OTHER
