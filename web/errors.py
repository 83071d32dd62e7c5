"""What went wrong, as a page: what happened, whether anything was saved, the next step."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lian.domain.errors import DomainError, NotSignedIn, Unavailable
from web.deps import Visit, guest, visit_of
from web.i18n import mark

TITLES = {
    401: mark("Please sign in again"),
    403: mark("You may not do this"),
    404: mark("There is nothing here"),
    405: mark("There is nothing here"),
    409: mark("This has moved on"),
    413: mark("That is too large"),
    415: mark("We cannot take this file"),
    422: mark("Something needs correcting"),
    429: mark("Too many attempts"),
    500: mark("Something went wrong on our side"),
    503: mark("We cannot do this right now"),
}
NEXT = {
    401: mark("Your session has ended. Nothing was saved."),
    403: mark("If you need this for your work, ask your team lead."),
    404: mark("The address may be mistyped, or what was here is not yours to see."),
    405: mark("The address may be mistyped, or what was here is not yours to see."),
    409: mark("Nothing of yours was saved. Go back to see how it stands now."),
    413: mark("Nothing was saved. Send a smaller file or a shorter text."),
    415: mark("Nothing was saved. Send the document as PDF or as a photo."),
    422: mark("Nothing was saved. Go back, correct it and send it again."),
    429: mark("Nothing was saved. Wait a while, then try again."),
    500: mark("Try again. If it happens again, tell us the reference."),
    503: mark("Nothing was saved. Wait a moment, then try the same again: nothing happens twice."),
}
CROSS_SITE = mark("This form was sent from another site, so we did not accept it. Nothing was saved.")
UNREADABLE = mark("The address holds characters that cannot be read.")
MISSING = mark("There is no page at this address.")
UNKNOWN = mark("An unexpected mistake stopped this. We have noted it.")


def add_error_pages(app: FastAPI) -> None:
    """Every refusal and mistake gets its page."""
    app.add_exception_handler(DomainError, refused)
    app.add_exception_handler(HTTPException, answered)
    app.add_exception_handler(RequestValidationError, unreadable)


async def refused(request: Request, error: Exception) -> Response:
    """A service refused; visitors who are not signed in are led to the door."""
    assert isinstance(error, DomainError)
    if isinstance(error, NotSignedIn) and request.method in {"GET", "HEAD"}:
        return visit_of(request).go(_door(request), onward=_wanted(request))
    visit = await guest(request)
    answer = error_page(visit, error.status, visit.reader.refusal(error), holder=error.details.get("holder", ""))
    if isinstance(error, Unavailable):
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _door(request: Request) -> str:
    return "/track" if request.url.path.startswith("/track") else "/sign-in"


def _wanted(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.url.path) + query


async def answered(request: Request, error: Exception) -> Response:
    """The framework's own refusals: no such page, no such method."""
    assert isinstance(error, HTTPException)
    visit = await guest(request)
    return error_page(visit, error.status_code, visit.reader.say(MISSING))


async def unreadable(request: Request, error: Exception) -> Response:
    """An address with something in it that is no id or number: there is no such page."""
    visit = await guest(request)
    return error_page(visit, 404, visit.reader.say(MISSING))


async def cross_site(request: Request) -> Response:
    """A post from another site."""
    visit = visit_of(request)
    return error_page(visit, 403, visit.reader.say(CROSS_SITE))


async def unreadable_address(request: Request) -> Response:
    """An address no database would take."""
    visit = visit_of(request)
    return error_page(visit, 422, visit.reader.say(UNREADABLE))


async def failed(request: Request, reference: str) -> Response:
    """A mistake of ours; the log knows it by the reference."""
    visit = visit_of(request)
    return error_page(visit, 500, visit.reader.say(UNKNOWN), reference=reference)


def error_page(visit: Visit, status: int, what: str, *, holder: str = "", reference: str = "") -> Response:
    """The page for a status."""
    known = status if status in TITLES else 500 if status >= 500 else 422
    return visit.page(
        "error.html",
        status=status,
        here="/",
        title=visit.reader.say(TITLES[known]),
        what=what,
        next_step=visit.reader.say(NEXT[known]),
        holder=holder,
        reference=reference,
        code=status,
    )
