"""Staff: signing in and out, and a new password by a link."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from lian.auth.actor import Actor
from lian.auth.secrets import MAX_PASSWORD, MIN_PASSWORD
from lian.domain.errors import DomainError, Invalid
from lian.services import accounts
from web.deps import SESSION, Form, Guest, Visit

router = APIRouter()


@router.get("/sign-in")
async def door(visit: Guest, onward: str = "", ready: str = "") -> Response:
    """The form; who is signed in already goes on."""
    if visit.somebody:
        return visit.go(local_path(onward) or home_of(visit.actor))
    return _form(visit, onward=onward, ready=bool(ready))


@router.post("/sign-in")
async def sign_in(visit: Guest, form: Form) -> Response:
    """Start a session, or say alike for every mistake that it did not work."""
    try:
        session = await accounts.sign_in(visit.context, form.text("username"), form.fields.get("password", [""])[0])
    except DomainError as refused:
        if refused.status not in {401, 429}:
            raise
        username, problem = form.text("username"), visit.reader.refusal(refused)
        return _form(visit, status=refused.status, username=username, onward=form.text("onward"), problem=problem)
    actor = await accounts.actor_of(visit.context, session.token)
    return visit.signed_in(visit.go(local_path(form.text("onward")) or home_of(actor)), SESSION, session)


def _form(
    visit: Visit, *, status: int = 200, username: str = "", onward: str = "", problem: str = "", ready: bool = False
) -> Response:
    return visit.page(
        "sign_in.html",
        status=status,
        here="/sign-in",
        username=username,
        onward=local_path(onward),
        problem=problem,
        ready=ready,
    )


@router.post("/sign-out")
async def sign_out(visit: Guest) -> Response:
    """End the session here and in the database."""
    if visit.token:
        await accounts.sign_out(visit.context, visit.token)
    return visit.signed_out(visit.go("/sign-in"), SESSION)


@router.get("/reset/{token}")
async def new_password(visit: Guest, token: str) -> Response:
    """The form; the link is spent only when it is sent."""
    return _reset_form(visit, token)


@router.post("/reset/{token}")
async def reset(visit: Guest, form: Form, token: str) -> Response:
    """Set the password; every session of the account ends."""
    password, again = (form.fields.get(name, [""])[0] for name in ("password", "again"))
    try:
        if password != again:
            raise Invalid("The two passwords differ.", field="again")
        await accounts.reset_password(visit.context, token, password)
    except DomainError as refused:
        if refused.status not in {401, 422}:
            raise
        return _reset_form(visit, token, status=refused.status, problem=visit.reader.refusal(refused))
    return visit.signed_out(visit.go("/sign-in", ready="1"), SESSION)


def _reset_form(visit: Visit, token: str, *, status: int = 200, problem: str = "") -> Response:
    here = f"/reset/{token}"
    return visit.page(
        "reset.html", status=status, here=here, action=here, problem=problem, least=MIN_PASSWORD, most=MAX_PASSWORD
    )


def local_path(path: str) -> str:
    """The path when it leads to a page of ours, else nothing: a link must not lead away."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours and path != "/sign-in" else ""


def home_of(actor: Actor) -> str:
    """Where somebody's work begins."""
    if any(p.startswith("task:") for p in actor.permissions):
        return "/desk"
    for permission, path in (("sla:read", "/operations"), ("staff:write", "/staff")):
        if actor.may(permission):
            return path
    if actor.sees_cases:
        return "/desk/cases"
    return "/"
