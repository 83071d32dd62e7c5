"""Pages that follow what happens: the stream of signals, and who else is on a case (TSK-1, ui.md 11)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from lian.db.tables import Case
from lian.domain.errors import NotSignedIn, Unavailable
from lian.services import accounts
from lian.services.live import Live, News, Subscription
from lian.services.names import names_of
from lian.services.presence import Doing, place_of, say_present
from web.deps import Form, Staff, Visit

router = APIRouter()

BEAT_SECONDS = 15.0
"""So often the browser is told that the connection lives, and is asked whether its session still does."""
RETRY_MILLISECONDS = 2_000


@dataclass(frozen=True, slots=True)
class PresentView:
    """Somebody else on the case: their words, and whether they write."""

    words: str
    is_typing: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to follow, and since when they have heard nothing."""

    visit: Visit
    hub: Live
    since: datetime | None


async def asked(request: Request, visit: Staff, since: str = "", last_event_id: Annotated[str, Header()] = "") -> Asked:
    """Staff who see cases; `since` and `Last-Event-ID` are seconds of the epoch."""
    visit.actor.require_sight()
    return Asked(visit, request.app.state.live, _moment(last_event_id) or _moment(since))


def _moment(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (OverflowError, OSError, ValueError):
        return None


@router.get("/desk/live", response_class=EventSourceResponse)
async def follow(asked: Annotated[Asked, Depends(asked)]) -> AsyncIterator[ServerSentEvent]:
    """Signals, for as long as the session lasts. One connection serves all tabs of a browser."""
    visit = asked.visit
    with asked.hub.subscribed(visit.actor, since=asked.since) as ear:
        yield _event(visit, "beat", {}, retry=RETRY_MILLISECONDS)
        checked = monotonic()
        while not ear.is_over:
            news = await ear.news(within=max(0.0, checked + BEAT_SECONDS - monotonic()))
            if news:
                yield _event(visit, "news", _told(news))
                await ear.rest()
            if monotonic() - checked >= BEAT_SECONDS:
                if not await _is_still_signed_in(visit, ear):
                    return
                checked = monotonic()
                yield _event(visit, "beat", {})


async def _is_still_signed_in(visit: Visit, ear: Subscription) -> bool:
    try:
        ear.actor = await accounts.actor_of(visit.context, visit.token)
    except NotSignedIn:
        return False
    except Unavailable:
        return True
    return ear.actor.sees_cases


def _told(news: News) -> dict[str, Any]:
    if news.everything:
        return {"everything": True}
    return {
        "cases": {str(case_id): version for case_id, version in news.cases.items()},
        "presence": [str(case_id) for case_id in news.presence],
        "desk": news.desk,
        "board": news.board,
    }


def _event(visit: Visit, name: str, data: dict[str, Any], *, retry: int | None = None) -> ServerSentEvent:
    at = visit.now.timestamp()
    words = json.dumps(data | {"at": at}, separators=(",", ":"))
    return ServerSentEvent(event=name, raw_data=words, id=f"{at:.3f}", retry=retry)


# --- who else is there ------------------------------------------------------------------------------------------------


@router.get("/desk/presence")
async def present(request: Request, visit: Staff, case: str = "") -> Response:
    """Who else is on the case, as a piece of its page."""
    return await _present(request, visit, await place_of(visit.context, visit.actor, case))


@router.post("/desk/presence")
async def say(request: Request, visit: Staff, form: Form) -> Response:
    """The page is open, somebody writes in it, or it was left."""
    number, doing = form.text("case"), form.text("state")
    case, told = await say_present(visit.context, visit.actor, number, doing=doing, tab=form.text("tab"))
    request.app.state.live.note(told)
    return Response(status_code=204) if doing == Doing.LEFT else await _present(request, visit, case)


async def _present(request: Request, visit: Visit, case: Case) -> Response:
    hub: Live = request.app.state.live
    hub.start()
    others = hub.register.others(case.id, visit.actor, visit.now)
    names = await names_of(visit.context, set(others)) if others else {}
    named = sorted((names[actor], doing is Doing.TYPING) for actor, doing in others.items() if actor in names)
    shown = [PresentView(_words(visit, name, is_typing=writes), writes) for name, writes in named]
    return visit.page("parts/present.html", here="/", case=case, others=shown)


def _words(visit: Visit, name: str, *, is_typing: bool) -> str:
    say = visit.reader.say
    return say("{name} is writing", name=name) if is_typing else say("{name} is looking", name=name)
