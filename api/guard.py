"""The outermost layer: limits on bodies, characters no address may have, headers of every answer, the last catch."""

from __future__ import annotations

from contextlib import suppress

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import of_anything, of_domain
from api.strict_json import NOT_TEXT, UNSTORABLE
from lian.domain.errors import DomainError, Invalid, TooLarge

MEGABYTE = 1024 * 1024
LARGEST_BODY = MEGABYTE
FRAME_BYTES = 64 * 1024
"""What a multipart body may hold beside the file itself."""


class BrokenOff(Exception):
    """An answer that had begun could not be finished: the connection is cut, so that nobody takes it for whole."""


class Guard:
    """ASGI middleware around the whole API."""

    def __init__(self, app: ASGIApp, *, max_upload: int) -> None:
        self._app = app
        self._max_upload = max_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, within its limits."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        answer = _Answer(send)
        try:
            limit, words = self._limit(scope)
            _refuse_characters(scope)
            _refuse_length(scope, limit, words)
            await self._app(scope, _limited(receive, limit, words), answer.send)
        except ClientDisconnect:
            return None  # nobody is there to be answered
        except Exception as error:  # noqa: BLE001 - the last catch: no error leaves this layer as it is
            if answer.started:
                of_anything(error)  # for its log line
                raise BrokenOff from None
            response = of_domain(error) if isinstance(error, DomainError) else of_anything(error)
            with suppress(OSError):
                await response(scope, Request(scope).receive, answer.send)

    def _limit(self, scope: Scope) -> tuple[int, str]:
        if scope["method"] == "POST" and scope["path"].endswith("/documents"):
            return self._max_upload + FRAME_BYTES, f"The file is larger than {self._max_upload / MEGABYTE:.3g} MB."
        return LARGEST_BODY, f"The body is larger than {LARGEST_BODY // MEGABYTE} MB."


def _refuse_characters(scope: Scope) -> None:
    if UNSTORABLE.search(scope["path"]) or b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
        raise Invalid(NOT_TEXT)


def _refuse_length(scope: Scope, limit: int, words: str) -> None:
    announced = Headers(scope=scope).get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise TooLarge(words)


def _limited(receive: Receive, limit: int, words: str) -> Receive:
    """For bodies that do not announce their length, or announce a wrong one."""
    seen = 0

    async def receive_within_limit() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLarge(words)
        return message

    return receive_within_limit


class _Answer:
    """Knows whether the answer has begun, and sees to the headers that every one has."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)
