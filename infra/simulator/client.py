"""The public API as robots use it: every change under a key of its own, so that repeating one changes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Self

import httpx

Json = dict[str, Any]

AWAY = frozenset({502, 503, 504})
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
PATIENCE = 600.0
"""Seconds of outage after which a robot gives up."""
TIMEOUT = httpx.Timeout(20, connect=3)
LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=64)
PAGE = 200


class Refused(Exception):
    """The API said no, in its own words; repeating would not help."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code


class Away(Exception):
    """The installation stayed away for longer than a robot is patient."""


@dataclass(slots=True)
class Tally:
    """What the robots did, for the progress display and the report."""

    commands: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    retries: int = 0
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def done(self) -> int:
        """All commands that took effect."""
        return self.commands.total()


class Api:
    """One connection pool, shared by all robots."""

    def __init__(
        self, base_url: str, *, patience: float = PATIENCE, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.tally = Tally()
        self._patience = patience
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/"), timeout=TIMEOUT, limits=LIMITS, transport=transport, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        key: str = "",
        body: Json | None = None,
        query: Mapping[str, str | int] | None = None,
        upload: Mapping[str, Any] | None = None,
    ) -> Any:
        """The answer's JSON, or None for an empty one; waits out restarts and outages. Raises `Refused` or `Away`."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Idempotency-Key": key} if key else {}
        more = dict(upload) if upload else {"json": body} if body is not None else {}
        wait, deadline = FIRST_WAIT, monotonic() + self._patience
        while True:
            response = await self._try(method, path, headers=headers, params=query, **more)
            if response is not None:
                return _read(response)
            if monotonic() > deadline:
                raise Away(f"{method} {path.partition('?')[0]} found nobody for {self._patience:.0f} s.")
            self.tally.retries += 1
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def _try(self, method: str, path: str, **how: Any) -> httpx.Response | None:
        """One attempt; none when the same may be tried again."""
        self.tally.requests += 1
        try:
            response = await self._client.request(method, path, **how)
        except httpx.TransportError:
            return None
        return None if response.status_code in AWAY else response

    async def command(self, what: str, method: str, path: str, **how: Any) -> Any:
        """A call that changes something; counted when it took effect, and when it was refused."""
        try:
            answer = await self.call(method, path, **how)
        except Refused as refused:
            self.tally.refusals[f"{what}: {refused.code}"] += 1
            raise
        self.tally.commands[what] += 1
        return answer

    async def sign_in(self, username: str, password: str) -> str:
        """A staff session's token."""
        answer = await self.call("POST", "/sessions", body={"username": username, "password": password})
        return str(answer["token"])

    async def pages(
        self, path: str, *, token: str, query: Mapping[str, str | int] | None = None
    ) -> AsyncIterator[Json]:
        """Every item of a list, page after page."""
        cursor = ""
        while True:
            asked = {**(query or {}), "limit": PAGE, **({"cursor": cursor} if cursor else {})}
            page = await self.call("GET", path, token=token, query=asked)
            for item in page["items"]:
                yield item
            cursor = page.get("next") or ""
            if not cursor:
                return


def _read(response: httpx.Response) -> Any:
    if response.status_code < httpx.codes.BAD_REQUEST:
        return response.json() if response.content else None
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    raise Refused(response.status_code, str(problem.get("code", "unknown")), str(problem.get("detail", "")))
