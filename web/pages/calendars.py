"""The calendars: which years are in force, revising one, and applying it to cases that run."""

from __future__ import annotations

from datetime import date
from itertools import zip_longest
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from lian.domain.errors import DomainError, Invalid
from lian.services.calendar_desk import Becomes, DayGiven, change_days, list_calendars, show_year
from lian.services.calendar_revisions import revise_year
from lian.services.calendar_years import PROVISIONAL, PUBLISHED
from lian.services.calendars import read_json
from lian.services.replanning import apply_calendar, list_operations, preview_calendar
from web.deps import Form, Sent, Staff, Visit
from web.i18n import mark
from web.presenters.calendars import present_calendars, present_year, year_address
from web.presenters.what_if import present_operations, present_undecided, present_what_if

router = APIRouter()

ROWS = 3
BECOMES: dict[Becomes, str] = {
    "off": mark("day off"),
    "work": mark("worked (make-up day)"),
    "usual": mark("as its weekday says"),
}
STATUSES = {PUBLISHED: mark("published"), PROVISIONAL: mark("not published")}
REFUSED = {404, 409, 413, 422}
Year = Annotated[int, Path(ge=2000, le=2100)]


@router.get("/operations/calendars")
async def calendars(visit: Staff, done: str = "") -> Response:
    """Every calendar in force, and what was applied to open cases."""
    return await _calendars(visit, Sent(), done="applied" if done else "")


@router.post("/operations/calendars")
async def whole_year(visit: Staff, form: Form) -> Response:
    """A whole year as a file has it, put in force."""
    try:
        body = read_json(form.text("body"))
        revised = await revise_year(visit.context, visit.actor, body=body, reason=form.text("reason"))
    except DomainError as refused:
        if refused.status not in REFUSED:
            raise
        return await _calendars(visit, form, status=refused.status, problem=visit.reader.refusal(refused))
    return visit.go(year_address(revised.name, revised.year), done="1")


async def _calendars(visit: Visit, form: Sent, *, status: int = 200, problem: str = "", done: str = "") -> Response:
    found = await list_calendars(visit.context, visit.actor)
    may_plan = visit.actor.may("clock:plan")
    operations = await list_operations(visit.context, visit.actor) if may_plan else []
    applied = visit.reader.say("The open cases are being told, one after the other. This page shows how far that is.")
    return visit.page(
        "calendars.html",
        status=status,
        here="/operations/calendars",
        rows=present_calendars(found, visit.reader, visit.now.astimezone(visit.reader.zone).date()),
        operations=present_operations(operations, visit.reader),
        may_plan=may_plan,
        typed={"body": form.text("body"), "reason": form.text("reason")},
        problem=problem,
        done=applied if done else "",
    )


# --- one year ---------------------------------------------------------------------------------------------------------


@router.get("/operations/calendars/{name}/{year:int}")
async def year(visit: Staff, name: str, year: Year, done: str = "") -> Response:
    """The days of a year, its revisions, and the form to revise it."""
    return await _year(visit, name, year, Sent(), done=bool(done))


@router.post("/operations/calendars/{name}/{year:int}")
async def revise(visit: Staff, form: Form, name: str, year: Year) -> Response:
    """Some of its days become others."""
    try:
        await change_days(
            visit.context,
            visit.actor,
            name,
            year,
            days=_days(form),
            reason=form.text("reason"),
            based_on=_number(form.text("based_on")),
            status=form.text("status"),
        )
    except DomainError as refused:
        if refused.status not in REFUSED - {404}:
            raise
        return await _year(visit, name, year, form, status=refused.status, problem=visit.reader.refusal(refused))
    return visit.go(year_address(name, year), done="1")


def _rows(form: Sent) -> list[tuple[str, str, str]]:
    """Date, what it becomes, and its name, as they were typed."""
    return list(zip_longest(form.all("date"), form.all("becomes"), form.all("name"), fillvalue=""))


def _days(form: Sent) -> list[DayGiven]:
    return [_day(*(part.strip() for part in row)) for row in _rows(form) if row[0].strip()]


def _day(day: str, becomes: str, name: str) -> DayGiven:
    known: Becomes | None = next((known for known in BECOMES if known == becomes), None)
    try:
        found = date.fromisoformat(day)
    except ValueError:
        raise Invalid("This is no date; write one such as 2026-10-01.", field="date") from None
    if known is None:
        raise Invalid("A day is closed, worked, or as usual.", field="becomes")
    return DayGiven(found, known, name)


def _number(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) < 7):
        raise Invalid("The form could not be read.")
    return int(written)


async def _year(
    visit: Visit, name: str, year: int, form: Sent, *, status: int = 200, problem: str = "", done: bool = False
) -> Response:
    view = present_year(await show_year(visit.context, visit.actor, name, year), visit.reader)
    rows = [{"date": d, "becomes": b, "name": n} for d, b, n in _rows(form)]
    empty = [{"date": "", "becomes": "off", "name": ""}] * ROWS
    return visit.page(
        "calendar_year.html",
        status=status,
        here=year_address(name, year),
        view=view,
        may_plan=visit.actor.may("clock:plan"),
        becomes=[(value, visit.reader.say(words)) for value, words in BECOMES.items()],
        statuses=[(value, visit.reader.say(words)) for value, words in STATUSES.items()],
        typed={
            "days": rows or empty,
            "status": form.text("status") or (PUBLISHED if view.is_published else PROVISIONAL),
            "reason": form.text("reason"),
        },
        problem=problem,
        done=visit.reader.say("The year is in force as revised. Cases that run keep what they have.") if done else "",
    )


# --- applying ---------------------------------------------------------------------------------------------------------


@router.get("/operations/calendars/{name}/apply")
async def preview(visit: Staff, name: str) -> Response:
    """Which open promises would move, and the form to apply it."""
    return await _preview(visit, name)


@router.post("/operations/calendars/{name}/apply")
async def apply(visit: Staff, form: Form, name: str) -> Response:
    """Put open cases under it, as it was previewed."""
    why = form.text("why")
    try:
        await apply_calendar(visit.context, visit.actor, name, why=why, token=form.text("token"))
    except DomainError as refused:
        if refused.status not in REFUSED - {404}:
            raise
        return await _preview(visit, name, status=refused.status, problem=visit.reader.refusal(refused), why=why)
    return visit.go("/operations/calendars", done="1")


async def _preview(visit: Visit, name: str, *, status: int = 200, problem: str = "", why: str = "") -> Response:
    found = await preview_calendar(visit.context, visit.actor, name)
    return visit.page(
        "calendar_apply.html",
        status=status,
        here=f"/operations/calendars/{found.name}/apply",
        name=found.name,
        version=found.version,
        token=found.token,
        found=present_what_if(found.result, visit.reader),
        undecided=present_undecided(found, visit.reader),
        changes_nothing=found.changes_nothing,
        problem=problem,
        why=why,
    )
