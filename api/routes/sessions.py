"""Signing in and out; who is signed in."""

from __future__ import annotations

from contextlib import suppress

from fastapi import APIRouter, Response

from api.deps import ActorDep, ContextDep, Number, TokenDep
from api.problems import problems
from api.schemas.sessions import CodeIn, MeOut, SessionOut, SignInIn, StaffSessionOut
from api.strict_json import StrictRoute
from lian.domain.errors import TooMany
from lian.services import accounts

router = APIRouter(tags=["sessions"], route_class=StrictRoute)


@router.post("/sessions", status_code=201, summary="Sign in as staff", responses=problems(401, 422, 429))
async def sign_in(context: ContextDep, given: SignInIn) -> StaffSessionOut:
    """A token for `Authorization: Bearer`. A wrong name and a wrong password are answered alike."""
    session = await accounts.sign_in(context, given.username, given.password)
    actor = await accounts.actor_of(context, session.token)
    return StaffSessionOut.opened(session, actor, context.settings.currency)


@router.delete("/sessions/current", status_code=204, summary="Sign out", responses=problems(401))
async def sign_out(context: ContextDep, actor: ActorDep, token: TokenDep) -> Response:
    """The token is worthless from now on."""
    await accounts.sign_out(context, token)
    return Response(status_code=204)


@router.get("/me", summary="Who is signed in", responses=problems(401))
async def me(context: ContextDep, actor: ActorDep) -> MeOut:
    """Name, roles, permissions, queues and authority at this moment."""
    return MeOut.of(actor, context.settings.currency)


@router.post("/track/{number}/code", status_code=202, summary="Send a one-time code to the customer")
async def send_code(context: ContextDep, number: Number) -> Response:
    """The reporter gets a code. The answer is the same whether or not there is such a case."""
    with suppress(TooMany):  # it would say that there is one
        await accounts.send_code(context, number)
    return Response(status_code=202)


@router.post("/track/{number}/sessions", status_code=201, summary="Sign in as a customer", responses=problems(401, 422))
async def sign_in_customer(context: ContextDep, number: Number, given: CodeIn) -> SessionOut:
    """A token for this one case. Every mistake is answered alike."""
    return SessionOut.of(await accounts.sign_in_customer(context, number, given.code))
