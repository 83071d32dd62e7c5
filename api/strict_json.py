"""JSON as the standard has it, and as Postgres can store it.

Python's parser takes NaN, infinities and lone surrogates, none of which survive the way to the database and back; a
body with one of them is refused before anything looks at it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isinf
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.errors import BadRequest
from lian.domain.errors import Invalid

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
NOT_TEXT = "The text has characters that cannot be stored (NUL or half of a surrogate pair)."


def parse_json(body: bytes) -> Any:
    """The body's value. Raises `BadRequest` for what is no JSON, `Invalid` for values we cannot keep."""
    try:
        value = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError):  # ValueError: also what is not UTF-8, and whole numbers of thousands of digits
        raise BadRequest("The body is not valid JSON.") from None
    refuse_unstorable(value)
    return value


def refuse_unstorable(value: Any) -> None:
    """Raise `Invalid` when any text in the value, names of fields included, cannot be stored."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text if UNSTORABLE.search(text):
                raise Invalid(NOT_TEXT)
            case dict() as members:
                waiting += [*members.keys(), *members.values()]
            case list() as members:
                waiting += members


def _refuse_constant(_: str) -> Any:
    raise Invalid("NaN and Infinity are not numbers.")


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise Invalid("A number in the body is too large.")
    return number


class StrictRequest(Request):
    """A request whose JSON is read by `parse_json`."""

    async def json(self) -> Any:
        """The body's value."""
        return parse_json(await self.body())


class StrictRoute(APIRoute):
    """A route that reads its body strictly."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """FastAPI's handler over a `StrictRequest`."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_strictly
