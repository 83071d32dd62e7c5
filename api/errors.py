"""What went wrong, as `application/problem+json` (RFC 9457): plain words for people, a stable `code` for machines.

Nothing that was sent is ever repeated, and nothing of the inside is shown; `reference` finds the line in our log.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from api.wire import known_fields
from lian.domain.errors import DomainError, Invalid, NotFound, NotSignedIn, TooMany, Unavailable
from lian.services.plain_words import sentence

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:lian:problem:"
NOTHING_HERE = "There is nothing at this address."
MOST_ERRORS = 20
WAIT_SECONDS = 900
"""How long somebody with too many attempts is asked to wait."""
CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
SENTENCES = {
    400: "The request could not be read.",
    404: NOTHING_HERE,
    405: "This address does not take this method.",
    413: "The body is too large.",
}


class BadRequest(DomainError):
    """The request itself is malformed: no JSON, no multipart, a header missing. Nothing was stored."""

    code = "bad_request"
    status = 400


def new_reference() -> str:
    """What ties an answer to a line of our log."""
    return uuid4().hex[:12]


def problem(
    *, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, reference: str = "", **more: Any
) -> JSONResponse:
    """A problem as a response; extra members that are empty are left out."""
    body = {
        "type": TYPE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "reference": reference or new_reference(),
    }
    body |= {name: value for name, value in more.items() if value}
    return JSONResponse(body, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def of_domain(error: DomainError) -> JSONResponse:
    """A refusal of the business, by its own status and code."""
    reference = new_reference()
    if error.status >= 500:
        log.warning("unavailable", reference=reference, code=error.code, cause=type(error.__cause__).__name__)
    return problem(
        status=error.status,
        code=error.code,
        detail=error.message,
        headers=_headers(error),
        reference=reference,
        field=error.details.get("field"),
        holder=error.details.get("holder"),
    )


def _headers(error: DomainError) -> dict[str, str]:
    match error:
        case Unavailable():
            return {"Retry-After": str(error.retry_after_seconds)}
        case TooMany():
            return {"Retry-After": str(WAIT_SECONDS)}
        case NotSignedIn():
            return {"WWW-Authenticate": "Bearer"}
    return {}


def of_anything(error: Exception) -> JSONResponse:
    """An error nobody foresaw. The log gets its kind and place, not its words: they may hold personal data."""
    reference = new_reference()
    place = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-6:]
    ]
    log.error("unexpected", reference=reference, kind=type(error).__name__, place=place)
    return problem(
        status=500,
        code="unexpected",
        detail="Something went wrong on our side. Tell us the reference and we can find it.",
        reference=reference,
    )


# --- input that does not have the right shape -------------------------------------------------------------------------


def field_of(place: Sequence[Any]) -> str:
    """Where the error is, in names of ours: a name that was sent is not repeated."""
    known = known_fields()
    return ".".join(str(step) for step in place if isinstance(step, int) or step in known)


def of_validation(errors: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """All that is wrong with the input, the first error also as the problem's own detail."""
    first = errors[0]
    where = str(first["loc"][0]) if first["loc"] else "body"
    if where == "path":
        return of_domain(NotFound(NOTHING_HERE))
    found = [{"field": _place(e), "detail": sentence(e)} for e in errors[:MOST_ERRORS]]
    if where == "header":
        return problem(status=400, code="bad_request", detail=found[0]["detail"], field=found[0]["field"], errors=found)
    return problem(status=422, code="invalid", detail=found[0]["detail"], field=found[0]["field"], errors=found)


def _place(error: Mapping[str, Any]) -> str:
    place = error["loc"]
    if place and place[0] in {"query", "header"} and error["type"] != "extra_forbidden":
        return str(place[1])
    return field_of(place[1:])


def invalid_from(wrong: ValidationError) -> Invalid:
    """Stored input that is not complete yet, as a refusal."""
    first = wrong.errors(include_input=False, include_url=False)[0]
    return Invalid(sentence(first), field=field_of(first["loc"]))


# --- in the application -----------------------------------------------------------------------------------------------


def install(app: FastAPI) -> None:
    """Let the application answer every error as a problem; what is left over is the guard's."""

    @app.exception_handler(DomainError)
    async def domain(_: Request, error: DomainError) -> JSONResponse:
        return of_domain(error)

    @app.exception_handler(RequestValidationError)
    async def validation(_: Request, error: RequestValidationError) -> JSONResponse:
        return of_validation(error.errors())

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, DomainError):  # raised while the body was read
            return of_domain(error.__cause__)
        status = error.status_code
        words = SENTENCES.get(status, HTTPStatus(status).phrase)
        return problem(status=status, code=CODES.get(status, "refused"), detail=words, headers=error.headers)
