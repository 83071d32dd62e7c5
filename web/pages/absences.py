"""Absences: mine, those in which I stand in, and for leads the team's (TSK-4)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from lian.domain.absences import whole_days
from lian.domain.errors import DomainError, Invalid
from lian.domain.moments import is_within_reach
from lian.services import desk
from lian.services.desk import NewAbsence
from web.deps import Form, Sent, Staff, Visit
from web.presenters.absences import present_absences, present_people

router = APIRouter()

HERE = "/desk/absences"
MOST_OVER = 20
MOST = 200
FIELDS = {"of": "of", "away_from": "first", "away_until": "last", "substitute": "substitute"}
"""The field of the form that a refusal is about."""


@router.get(HERE)
async def absences(visit: Staff, done: str = "") -> Response:
    """Who is away and who will be, and the form to say so."""
    return await _page(visit, Sent(), done=done)


@router.post(HERE)
async def note(visit: Staff, form: Form) -> Response:
    """Say that somebody is away; what was typed stays when it is refused."""
    try:
        await desk.note_absence(visit.context, visit.actor, _given(visit, form))
    except DomainError as refused:
        if refused.status not in {409, 422}:
            raise
        field = FIELDS.get(refused.details.get("field", ""), refused.details.get("field", ""))
        return await _page(visit, form, status=refused.status, problem=visit.reader.refusal(refused), field=field)
    return visit.go(HERE, done="noted")


def _given(visit: Visit, form: Sent) -> NewAbsence:
    """Days of the office, both of them included."""
    begin, end = whole_days(_day(form, "first"), _day(form, "last"), visit.context.settings.zone)
    return NewAbsence(away_from=begin, away_until=end, of=form.text("of"), substitute=form.text("substitute"))


def _day(form: Sent, name: str) -> date:
    try:
        day = date.fromisoformat(form.text(name))
    except ValueError:
        raise Invalid("This must be a date such as 2026-01-31.", field=name) from None
    if not is_within_reach(day):
        raise Invalid("This day is too far away.", field=name)
    return day


@router.post(HERE + "/{absence_id}/end")
async def end(visit: Staff, absence_id: UUID) -> Response:
    """Somebody is back, or it is called off."""
    await desk.end_absence(visit.context, visit.actor, absence_id)
    return visit.go(HERE, done="ended")


async def _page(
    visit: Visit, form: Sent, *, status: int = 200, problem: str = "", field: str = "", done: str = ""
) -> Response:
    reader = visit.reader
    leads = visit.actor.may("absence:write_others")
    choices = await desk.choices_for(visit.context, visit.actor)
    typed = {name: form.text(name) for name in ("first", "last")}
    return visit.page(
        "absences.html",
        status=status,
        here=HERE,
        mine=await _rows(visit, "mine"),
        covered=await _rows(visit, "covered"),
        team=await _rows(visit, "team") if leads else None,
        over=await _over(visit, leads=leads),
        people=present_people(choices.people, form.text("of")),
        substitutes=present_people(choices.substitutes, form.text("substitute")),
        typed=typed,
        today=visit.context.today.isoformat(),
        zone=reader.zone.key,
        problem=problem,
        field=field,
        done=done if done in {"noted", "ended"} else "",
    )


async def _rows(visit: Visit, whose: str) -> object:
    found = await desk.list_absences(visit.context, visit.actor, whose=whose, limit=MOST)
    if whose == "team":  # one's own are listed above
        found = [one for one in found if one.person.actor_id != visit.actor.id]
    return present_absences(found, visit.reader)


async def _over(visit: Visit, *, leads: bool) -> object:
    whose = "team" if leads else "mine"
    found = await desk.list_absences(visit.context, visit.actor, whose=whose, are_over=True, limit=MOST_OVER)
    return present_absences(found, visit.reader)
