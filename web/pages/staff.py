"""Staff accounts: who there is, new ones, and links to set a password."""

from __future__ import annotations

import secrets

from fastapi import APIRouter
from starlette.responses import Response

from lian.auth.permissions import ROLE_LABELS, ROLES
from lian.domain.errors import DomainError
from lian.domain.queues import QUEUES
from lian.services import accounts
from lian.services.accounts import NewStaff
from web.deps import Form, Sent, Staff, Visit

router = APIRouter()


@router.get("/staff")
async def staff_list(visit: Staff) -> Response:
    """All accounts, and the form for a new one."""
    return await _page(visit, Sent())


@router.post("/staff")
async def create(visit: Staff, form: Form) -> Response:
    """A new account; its owner sets the password with the link shown once."""
    new = NewStaff(
        username=form.text("username"),
        name=form.text("name"),
        # Nobody knows this one: the owner sets their own with the link.
        password=secrets.token_urlsafe(32),
        roles=form.all("roles"),
        queues=form.all("queues"),
    )
    try:
        await accounts.create_staff(visit.context, visit.actor, new)
    except DomainError as refused:
        if refused.status not in {409, 422}:
            raise
        return await _page(visit, form, status=refused.status, problem=visit.reader.refusal(refused))
    return await _with_link(visit, new.username)


@router.post("/staff/reset")
async def reset_link(visit: Staff, form: Form) -> Response:
    """A link to set a new password, shown once."""
    return await _with_link(visit, form.text("username"))


async def _with_link(visit: Visit, username: str) -> Response:
    token = await accounts.issue_reset(visit.context, visit.actor, username)
    base = visit.context.settings.public_url.rstrip("/") or str(visit.request.base_url).rstrip("/")
    return await _page(visit, Sent(), link=f"{base}/reset/{token}", link_for=username)


async def _page(
    visit: Visit, form: Sent, *, status: int = 200, problem: str = "", link: str = "", link_for: str = ""
) -> Response:
    reader = visit.reader
    queues = {queue: reader.label(label) for queue, label in QUEUES.items()}
    rows = [
        {
            "username": s.username,
            "name": s.name,
            "roles": [reader.label(ROLE_LABELS[r]) for r in s.roles],
            "queues": [queues.get(q, reader.say("all queues")) for q in s.queues],
            "active": s.active,
        }
        for s in await accounts.list_staff(visit.context, visit.actor)
    ]
    return visit.page(
        "staff.html",
        status=status,
        here="/staff",
        rows=rows,
        roles=[(r, reader.label(label), r in form.all("roles")) for r, label in ROLE_LABELS.items() if _useful(r)],
        queues=[(q, label, q in form.all("queues")) for q, label in queues.items()],
        typed={"username": form.text("username"), "name": form.text("name")},
        problem=problem,
        link=link,
        link_for=link_for,
    )


def _useful(role: str) -> bool:
    """Roles without permissions wait for the issue that brings their work."""
    return role != "customer" and bool(ROLES[role])
