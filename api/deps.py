"""What endpoints are given: the installation, who asks, the key of a repeatable request, the place in a list."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID, uuid4

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from lian.auth.actor import Actor
from lian.domain.errors import Invalid, NotSignedIn
from lian.services import accounts
from lian.services.context import Context
from lian.services.desk import read_place, write_place
from lian.services.desk.sorting import Place

KEY_PATTERN = "^[!-~]+$"
LARGEST_PAGE = 200
BAD_CURSOR = "This is not a cursor that we gave."

bearer = HTTPBearer(auto_error=False, description="The `token` of `POST /sessions` or `POST /track/{number}/sessions`.")


async def get_context(request: Request) -> Context:
    """The installation this application serves. Not a plain function: to those FastAPI gives a thread, which costs."""
    return cast("Context", request.app.state.context)


ContextDep = Annotated[Context, Depends(get_context)]


async def get_token(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> str:
    """The session's token. Raises `NotSignedIn` when there is none."""
    if credentials is None:
        raise NotSignedIn("Please sign in.")
    return credentials.credentials


TokenDep = Annotated[str, Depends(get_token)]


async def get_actor(context: ContextDep, token: TokenDep) -> Actor:
    """Who asks, with the roles they have at this moment."""
    return await accounts.actor_of(context, token)


ActorDep = Annotated[Actor, Depends(get_actor)]
Number = Annotated[str, Path(description="Case number, such as CLM-2026-000123.")]
RequiredKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=KEY_PATTERN,
        description="Yours to choose; the same key again gets the first answer.",
    ),
]
OptionalKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=KEY_PATTERN,
        description="Yours to choose; the same key again gets the first answer.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many at most.")]
Cursor = Annotated[str, Query(max_length=200, description="`next` of the page before; empty: from the beginning.")]


def command_id(actor: Actor, about: str, key: str | None) -> str:
    """A command's name: the actor and the thing are part of it, so that two people's keys never meet."""
    return f"{actor.id}:{about}:{key or uuid4()}"


# --- cursors ----------------------------------------------------------------------------------------------------------


def _armoured(plain: str) -> str:
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _plain(cursor: str) -> str:
    return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")


def _decode(cursor: str) -> tuple[str, UUID]:
    try:
        first, _, second = _plain(cursor).partition(" ")
        return first, UUID(second)
    except (binascii.Error, ValueError):
        raise Invalid(BAD_CURSOR, field="cursor") from None


def moment_cursor(at: datetime, row_id: UUID) -> str:
    """A place in a list by moment."""
    return _armoured(f"{at.isoformat()} {row_id}")


def read_moment_cursor(cursor: str) -> tuple[datetime, UUID] | None:
    """The opposite; none for the beginning. Raises `Invalid` for one that we did not give."""
    if not cursor:
        return None
    first, row_id = _decode(cursor)
    try:
        at = datetime.fromisoformat(first)
    except ValueError:
        raise Invalid(BAD_CURSOR, field="cursor") from None
    if at.tzinfo is None or not 1900 < at.year < 2200:
        raise Invalid(BAD_CURSOR, field="cursor")
    return at, row_id


def place_cursor(place: Place) -> str:
    """A place in a list of tasks."""
    return _armoured(write_place(place))


def read_place_cursor(cursor: str, sort: str) -> Place | None:
    """The opposite, in the order of the list; none for the beginning. Raises `Invalid` for one that we did not give."""
    if not cursor:
        return None
    try:
        return read_place(_plain(cursor), sort)
    except (binascii.Error, ValueError):
        raise Invalid(BAD_CURSOR, field="cursor") from None
