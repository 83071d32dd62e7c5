"""Operations: how the promises stand, and the list behind every number."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from lian.domain.case_kinds import KINDS
from lian.services import overrides, sla_board
from lian.services.sla_board import STATES, PromiseQuery
from web.deps import Staff, Visit
from web.presenters.board import STATE_WORDS, clock_labels, present_board, present_overrides, present_promises

router = APIRouter()

PAGE = 100
HOURS = ("4", "8", "24")


@router.get("/operations")
async def board(visit: Staff) -> Response:
    """The board as of now."""
    found = await sla_board.board(visit.context, visit.actor)
    overridden = await overrides.latest_overrides(visit.context, visit.actor)
    return visit.page(
        "operations.html",
        board=present_board(found, visit.reader),
        overrides=present_overrides(overridden, visit.reader),
    )


@router.get("/operations/promises")
async def promises(
    visit: Staff, state: str = "", clock: str = "", stage: str = "", within: str = "", skip: str = ""
) -> Response:
    """The exact list behind a number of the board."""
    within = within if within in HOURS else ""
    offset = int(skip) if skip.isascii() and skip.isdigit() and len(skip) < 7 else 0
    query = PromiseQuery(
        state=state if state in STATES or not within else "",
        clock=clock,
        stage=stage,
        within_hours=int(within or 0),
        offset=offset,
        limit=PAGE,
    )
    found = await sla_board.promises(visit.context, visit.actor, query)
    return visit.page(
        "promises.html",
        rows=present_promises(found, visit.reader, visit.now),
        title=_title(visit, state, clock, stage, within),
        as_of=visit.reader.full_moment(visit.now),
        filters={"state": state, "clock": clock, "stage": stage, "within": within},
        states=[(s, visit.reader.say(STATE_WORDS[s])) for s in STATES],
        clocks=[(c, visit.reader.label(label)) for c, label in clock_labels().items()],
        next_skip=offset + PAGE if len(found) == PAGE else 0,
    )


def _title(visit: Visit, state: str, clock: str, stage: str, within: str) -> str:
    reader, labels = visit.reader, clock_labels()
    parts = [reader.say(STATE_WORDS[state])] if state in STATE_WORDS else []
    parts += [reader.say("Due in {n} hours", n=within)] if within else []
    parts += [reader.label(labels[clock])] if clock in labels else []
    parts += [reader.label(s.label) for kind in KINDS.values() for s in kind.stages if s.id == stage]
    return " · ".join(parts)
