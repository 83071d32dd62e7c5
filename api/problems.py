"""The error answers of an endpoint, for OpenAPI."""

from __future__ import annotations

from typing import Any

from api.errors import MEDIA_TYPE

_DESCRIPTIONS = {
    400: "The request could not be read.",
    401: "Nobody is signed in.",
    403: "Your role does not allow this.",
    404: "There is no such thing, or it is not yours to see.",
    405: "This address does not take this method.",
    409: "It has moved on: somebody else has it, or it is no longer open.",
    413: "The body or file is too large.",
    415: "The file is of a kind we do not take.",
    422: "The input breaks a rule; nothing was stored.",
    429: "Too many attempts.",
    500: "Something went wrong on our side.",
    503: "A part of the system is away for a moment; repeat the same call after `Retry-After` seconds.",
}


Responses = dict[int | str, dict[str, Any]]


def also(status: int, description: str, **more: Any) -> Responses:
    """One more answer that is no error."""
    return {status: {"description": description, **more}}


def problems(*statuses: int) -> Responses:
    """The responses with these statuses, and those that every endpoint may give."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": _DESCRIPTIONS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in sorted({*statuses, 500, 503})
    }
