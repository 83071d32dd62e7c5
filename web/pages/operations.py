"""Operations: how the promises stand, and the list behind every number."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from lian.domain.case_kinds import KINDS
from lian.domain.labels import Label
from lian.domain.promise_tasks import CAUSES
from lian.services import overrides, sla_board
from lian.services.lateness import LateQuery, late_cases
from lian.services.names import names_of
from lian.services.sla_board import STATES, PromiseQuery
from lian.services.uncovered import uncovered_clocks
from lian.services.watchdog import stuck_cases
from web.deps import Staff, Visit
from web.presenters.alerts import present_stuck
from web.presenters.board import STATE_WORDS, present_board, present_late, present_overrides, present_promises
from web.presenters.calendars import present_uncovered

router = APIRouter()

PAGE = 100
FEW = 8
"""So many late cases are shown on the board itself."""
HOURS = ("4", "8", "24")


@router.get("/operations")
async def board(visit: Staff) -> Response:
    """The board as of now."""
    found = await sla_board.board(visit.context, visit.actor)
    overridden = await overrides.latest_overrides(visit.context, visit.actor)
    late = await late_cases(visit.context, visit.actor, LateQuery(limit=FEW))
    stuck = await stuck_cases(visit.context, visit.actor)
    uncovered = await uncovered_clocks(visit.context, visit.actor)
    return visit.page(
        "operations.html",
        board=present_board(found, visit.reader),
        overrides=present_overrides(overridden, visit.reader),
        late=present_late(late, visit.reader, visit.now),
        stuck=present_stuck(stuck, visit.reader),
        uncovered=present_uncovered(uncovered, visit.reader),
    )


@router.get("/operations/late")
async def late_promises(
    visit: Staff, show: str = "", cause: str = "", responsible: str = "", skip: str = ""
) -> Response:
    """Broken promises: those without a cause, or those with one, narrowed to a cause or a person (CLM-13)."""
    is_explained, offset = show == "explained", _offset(skip)
    query = LateQuery(explained=is_explained, cause=cause, responsible=responsible, offset=offset, limit=PAGE)
    found = await late_cases(visit.context, visit.actor, query)
    names = await names_of(visit.context, {responsible})
    narrowed = [visit.reader.label(CAUSES[cause])] if cause in CAUSES else []
    narrowed += [names[responsible]] if responsible in names else []
    return visit.page(
        "late.html",
        late=present_late(found, visit.reader, visit.now),
        is_explained=is_explained,
        narrowed=" · ".join(narrowed) if is_explained else "",
        filters={"show": show, "cause": cause, "responsible": responsible},
        as_of=visit.reader.full_moment(visit.now),
        next_skip=offset + PAGE if len(found.promises) == PAGE else 0,
    )


def _offset(skip: str) -> int:
    return int(skip) if skip.isascii() and skip.isdigit() and len(skip) < 7 else 0


@router.get("/operations/promises")
async def promises(
    visit: Staff, state: str = "", clock: str = "", stage: str = "", within: str = "", skip: str = ""
) -> Response:
    """The exact list behind a number of the board."""
    within = within if within in HOURS else ""
    offset = _offset(skip)
    query = PromiseQuery(
        state=state if state in STATES or not within else "",
        clock=clock,
        stage=stage,
        within_hours=int(within or 0),
        offset=offset,
        limit=PAGE,
    )
    found = await sla_board.promises(visit.context, visit.actor, query)
    labels = await sla_board.promise_labels(visit.context, visit.actor)
    return visit.page(
        "promises.html",
        rows=present_promises(found, visit.reader, visit.now),
        title=_title(visit, labels, state, clock, stage, within),
        as_of=visit.reader.full_moment(visit.now),
        filters={"state": state, "clock": clock, "stage": stage, "within": within},
        states=[(s, visit.reader.say(STATE_WORDS[s])) for s in STATES],
        clocks=[(c, visit.reader.label(label)) for c, label in labels.items()],
        next_skip=offset + PAGE if len(found) == PAGE else 0,
    )


def _title(visit: Visit, labels: Mapping[str, Label], state: str, clock: str, stage: str, within: str) -> str:
    reader = visit.reader
    parts = [reader.say(STATE_WORDS[state])] if state in STATE_WORDS else []
    parts += [reader.say("Due in {n} hours", n=within)] if within else []
    parts += [reader.label(labels[clock])] if clock in labels else []
    parts += [reader.label(s.label) for kind in KINDS.values() for s in kind.stages if s.id == stage]
    return " · ".join(parts)
