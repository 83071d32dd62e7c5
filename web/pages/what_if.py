"""What a draft policy or calendar would do to every open promise."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from lian.domain.errors import DomainError
from lian.services.calendars import read_json
from lian.services.packs import BadPack, read_pack
from lian.services.what_if import WhatIf, what_if
from web.deps import Form, Sent, Staff, Visit
from web.presenters.what_if import present_what_if

router = APIRouter()


@router.get("/operations/what-if")
async def draft(visit: Staff) -> Response:
    """Where a draft is pasted."""
    visit.actor.require("clock:plan")
    return _page(visit, Sent())


@router.post("/operations/what-if")
async def compare(visit: Staff, form: Form) -> Response:
    """What it would do, above the draft itself."""
    try:
        found = await _compared(visit, form)
    except DomainError as refused:
        if refused.status >= 500 or refused.status == 403:
            raise
        # What is wrong with a pack is said in its own names, of clocks and fields.
        is_pack = isinstance(refused, BadPack)
        problem = visit.reader.say("The policy pack is wrong.") if is_pack else visit.reader.refusal(refused)
        return _page(visit, form, status=refused.status, problem=problem, detail=refused.message if is_pack else "")
    return _page(visit, form, found=found)


async def _compared(visit: Visit, form: Sent) -> WhatIf:
    visit.actor.require("clock:plan")
    policy, calendar = form.text("policy"), form.text("calendar")
    return await what_if(
        visit.context,
        visit.actor,
        policy=read_pack(policy + "\n") if policy else None,
        calendar=read_json(calendar) if calendar else None,
    )


def _page(
    visit: Visit, form: Sent, *, status: int = 200, found: WhatIf | None = None, problem: str = "", detail: str = ""
) -> Response:
    return visit.page(
        "what_if.html",
        status=status,
        here="/operations/what-if",
        found=present_what_if(found, visit.reader) if found else None,
        typed={"policy": form.text("policy"), "calendar": form.text("calendar")},
        problem=problem,
        detail=detail,
    )
