"""Finding a case: the page behind the search field of every page, and the same for the palette (ui.md 3)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from lian.domain.errors import DomainError, Invalid
from lian.services import cases
from lian.services.search import MOST_HITS, number_meant, search_cases
from web.deps import Staff, Visit, staff, visit_of
from web.presenters.search import HitRow, as_json, present_hits

router = APIRouter()

SHOWN = 200
"""So much of what was refused is put back into its field."""


@router.get("/desk/search")
async def search_page(visit: Staff, q: str = "") -> Response:
    """What fits, the best first; the whole number of a case opens it."""
    visit.actor.require_sight()
    if not q.strip():
        return visit.page("search.html", q="", rows=(), problem="", is_full=False)
    try:
        rows, number = await _found(visit, q)
    except Invalid as refused:
        problem = visit.reader.refusal(refused)
        return visit.page("search.html", status=422, q=q[:SHOWN], rows=(), problem=problem, is_full=False)
    if number:
        return visit.go(f"/desk/cases/{number}")
    return visit.page("search.html", q=q.strip(), rows=rows, problem="", is_full=len(rows) == MOST_HITS)


@router.get("/desk/search.json")
async def search_json(request: Request, q: str = "") -> Response:
    """The same for the palette, which cannot show a page: a refusal is a sentence under `problem`."""
    visit = visit_of(request)
    try:
        visit = await staff(request)
        rows, _ = await _found(visit, q)
    except DomainError as refused:
        return _not_cached({"problem": visit.reader.refusal(refused)}, refused.status)
    return _not_cached({"cases": as_json(rows)})


async def _found(visit: Visit, q: str) -> tuple[tuple[HitRow, ...], str]:
    """The hits as rows, and the number of the case that was named in full."""
    hits = await search_cases(visit.context, visit.actor, q)
    if number := number_meant(hits, q):
        hits = [hit for hit in hits if hit.case.number == number]
    faces = await cases.faces(visit.context, visit.actor, {hit.case.id for hit in hits})
    return present_hits(hits, faces, visit.reader, visit.now), number


def _not_cached(body: object, status: int = 200) -> Response:
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})
