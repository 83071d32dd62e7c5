"""Who visits, in which language, and what they sent: the first lines of every view."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid4

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from lian.auth.actor import Actor
from lian.domain.errors import Invalid, NotSignedIn, TooLarge, Unavailable
from lian.domain.labels import LANGUAGES, Language
from lian.services import accounts
from lian.services.accounts import Session
from lian.services.context import Context
from web import render
from web.i18n import is_language, preferred_language
from web.reader import Reader

SESSION, TRACK, LANGUAGE, THEME = "lian_session", "lian_track", "lian_lang", "lian_theme"
THEMES = ("auto", "light", "dark")
A_YEAR = 365 * 24 * 3600
MOST_FORM_BYTES = 256 * 1024
MOST_FIELDS = 1000


@dataclass(slots=True)
class Visit:
    """One request as a view sees it."""

    request: Request
    context: Context
    reader: Reader
    theme: str
    somebody: Actor | None = None
    token: str = ""

    @property
    def actor(self) -> Actor:
        """Who is signed in. Raises `NotSignedIn`."""
        if self.somebody is None:
            raise NotSignedIn("Please sign in.")
        return self.somebody

    @property
    def now(self) -> datetime:
        """The moment of this visit, in UTC."""
        return self.context.now()

    def page(self, template: str, *, status: int = 200, here: str = "", **values: Any) -> Response:
        """A page. `here` is the address a form's answer belongs to, for links that lead back to it."""
        shown = values | self._frame(here or _address(self.request))
        return self._remember(render.page(self.request, template, shown, status=status))

    def go(self, path: str, **query: str) -> Response:
        """To another page, by GET."""
        return self._remember(RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), status_code=303))

    def _frame(self, here: str) -> dict[str, Any]:
        return {
            "_": self.reader.say,
            "n_": self.reader.count,
            "lang": self.reader.language,
            "theme": self.theme,
            "actor": self.somebody,
            "works": bool(self.somebody) and self.actor.may("task:hold"),
            "here": here,
            # Where a page that answers a form can be asked for again.
            "live_from": here if self.request.method == "POST" else "",
            "demo": self.context.settings.demo,
            "insurer": self.context.settings.insurer_name,
            "server_now": self.now.timestamp(),
        }

    def _remember(self, answer: Response) -> Response:
        """Keep a language or theme that the address asked for."""
        asked = self.request.query_params
        if is_language(asked.get("lang")):
            self._set(answer, LANGUAGE, asked["lang"], A_YEAR)
        if asked.get("theme") in THEMES:
            self._set(answer, THEME, asked["theme"], A_YEAR)
        return answer

    def signed_in(self, answer: Response, cookie: str, session: Session) -> Response:
        """Give the browser a session."""
        self._set(answer, cookie, session.token, int((session.expires_at - self.now).total_seconds()))
        return answer

    def signed_out(self, answer: Response, cookie: str) -> Response:
        """Take the session back."""
        self._set(answer, cookie, "", 0)
        return answer

    def _set(self, answer: Response, name: str, value: str, seconds: int) -> None:
        secure = self.context.settings.secure_cookies
        answer.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)


def _address(request: Request) -> str:
    query = [(k, v) for k, v in request.query_params.multi_items() if k not in {"lang", "theme"}]
    return request.url.path + (f"?{urlencode(query)}" if query else "")


def visit_of(request: Request) -> Visit:
    """A visit by nobody in particular."""
    context: Context = request.app.state.context
    theme = request.query_params.get("theme") or request.cookies.get(THEME, "")
    reader = Reader(_language(request), context.settings.zone)
    return Visit(request, context, reader, theme if theme in THEMES else "auto")


def _language(request: Request) -> Language:
    wanted = (request.query_params.get("lang"), request.cookies.get(LANGUAGE))
    known = (language for asked in wanted for language in LANGUAGES if language == asked)
    return next(known, None) or preferred_language(request.headers.get("accept-language", ""))


async def guest(request: Request) -> Visit:
    """Anybody; whoever is signed in as staff is known by name."""
    visit = visit_of(request)
    token = request.cookies.get(SESSION, "")
    try:
        found = await accounts.actor_of(visit.context, token) if token else None
    except (NotSignedIn, Unavailable):
        return visit
    if found and not found.is_customer:
        visit.somebody, visit.token = found, token
    return visit


async def staff(request: Request) -> Visit:
    """A member of staff. Raises `NotSignedIn` for everybody else, customers included."""
    return await _signed_in(request, SESSION, customer=False)


async def customer(request: Request) -> Visit:
    """A customer on their one case. Raises `NotSignedIn`."""
    return await _signed_in(request, TRACK, customer=True)


async def _signed_in(request: Request, cookie: str, *, customer: bool) -> Visit:
    visit = visit_of(request)
    visit.token = request.cookies.get(cookie, "")
    visit.somebody = await accounts.actor_of(visit.context, visit.token)
    if visit.actor.is_customer is not customer:
        raise NotSignedIn("Please sign in.")
    return visit


@dataclass(frozen=True, slots=True)
class Sent:
    """The fields of a form as text."""

    fields: dict[str, list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """One field without the blanks around it; empty when it was not sent."""
        return self.fields.get(name, [""])[-1].strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, such as ticked boxes."""
        return tuple(self.fields.get(name, ()))


async def sent(request: Request) -> Sent:
    """A plain form. Raises `Invalid` for what is no form or cannot be read, `TooLarge` beyond 256 KB."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_FORM_BYTES:
            raise TooLarge("The form is too large. Nothing was stored.")
    if body and kind != "application/x-www-form-urlencoded":
        raise Invalid("The form could not be read.")
    return Sent(_fields(bytes(body)))


def _fields(body: bytes) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MOST_FIELDS
        )
    except (UnicodeDecodeError, ValueError):
        raise Invalid("The form holds characters that cannot be read.") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise Invalid("The form holds characters that cannot be read.")
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields


def key_of(form: Sent) -> str:
    """The hidden key made with the form: sent twice, it opens one case. Raises `Invalid` without one."""
    try:
        return str(UUID(form.text("key")))
    except ValueError:
        raise Invalid("The form could not be read.") from None


def command_of(form: Sent) -> str:
    """The hidden command id that makes a second click harmless."""
    try:
        return str(UUID(form.text("command")))
    except ValueError:
        return str(uuid4())


Guest = Annotated[Visit, Depends(guest)]
Staff = Annotated[Visit, Depends(staff)]
Customer = Annotated[Visit, Depends(customer)]
Form = Annotated[Sent, Depends(sent)]
