"""Running promises whose deadline lies in a year that no calendar is published for: nobody can say when it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.tables import Case, Clock
from lian.domain.labels import Label
from lian.domain.status import ClockStatus
from lian.services.calendar_revisions import calendars_in_force
from lian.services.context import Context
from lian.services.reading_clocks import clock_label

LISTED = 100


@dataclass(frozen=True, slots=True)
class MissingYear:
    """A year of a calendar that so many running promises have crossed into. `is_published`: since, and not applied."""

    calendar: str
    year: int
    clocks: int
    is_published: bool


@dataclass(frozen=True, slots=True)
class UncoveredClock:
    """One running promise without a deadline."""

    number: str
    kind: str
    clock: str
    label: Label
    calendar: str
    year: int


@dataclass(frozen=True, kw_only=True)
class Uncovered:
    """How many there are, by calendar and year, and the ones that run longest."""

    total: int
    years: tuple[MissingYear, ...]
    clocks: tuple[UncoveredClock, ...]


async def uncovered_clocks(context: Context, actor: Actor) -> Uncovered:
    """The running promises whose calendar has no answer yet, of cases that the actor may see. Needs `sla:read`."""
    actor.require("sla:read")
    # As `CasePlan.calendar_of` has it: the one the policy names, otherwise the office's.
    named = func.jsonb_extract_path(Case.plan, "calendars", Clock.policy["calendar"].as_string())
    calendar = func.coalesce(named, func.jsonb_extract_path(Case.plan, "calendar"))
    name, until = (func.jsonb_extract_path_text(calendar, part) for part in ("name", "covered_until"))
    grouped = _running(select(name, until, func.count()), actor).group_by(name, until).order_by(name, until)
    columns: tuple[Any, ...] = (col(Case.number), col(Case.kind), Clock, name, until)
    listed = _running(select(*columns), actor)
    async with context.transaction() as session:
        counts = (await session.execute(grouped)).all()
        rows = (await session.execute(listed.order_by(col(Clock.started_at), col(Clock.case_id)).limit(LISTED))).all()
        in_force = await calendars_in_force(session) if counts else {}
    years = []
    for called, covered, count in counts:
        now = in_force.get(called)
        is_published = now is not None and (now.covered_until is None or now.covered_until.year >= _year(covered))
        years.append(MissingYear(called, _year(covered), count, is_published))
    return Uncovered(
        total=sum(one.clocks for one in years),
        years=tuple(years),
        clocks=tuple(
            UncoveredClock(number, kind, clock.clock, clock_label(clock), called, _year(covered))
            for number, kind, clock, called, covered in rows
        ),
    )


def _running(query: Any, actor: Actor) -> Any:
    return query.join_from(Clock, Case, col(Case.id) == col(Clock.case_id)).where(
        col(Clock.status) == ClockStatus.RUNNING.value,
        col(Clock.due_at).is_(None),
        col(Clock.stopped_at).is_(None),
        visible_cases(actor),
    )


def _year(covered_until: str | None) -> int:
    """The first year that is not covered; 0 when it is not the end of the calendar that is missing."""
    return date.fromisoformat(covered_until).year + 1 if covered_until else 0
