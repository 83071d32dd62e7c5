"""An administrator revises a year of a calendar: durably, with who, when and why, and never over a contradiction."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from lian.db.tables import CalendarRevision
from lian.domain.calendars import WorkingCalendar
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.services.calendar_reading import CalendarDamaged
from lian.services.calendar_revisions import (
    before_and_after,
    calendars_in_force,
    diff,
    revise_year,
    revisions_of,
    years_in_force,
)
from lian.services.calendar_years import DayOff, changes, edited
from lian.services.calendars import shipped, shipped_years
from lian.services.context import Context
from lian.settings import Settings
from tests.cast import hire

MOURNING = date(2026, 12, 7)
WHY = "国务院公告: day of mourning"


def with_mourning(**changes: Any) -> dict[str, Any]:
    """China's 2026 with one more day off."""
    return edited(shipped_years()["CN", 2026], off=[DayOff(MOURNING, "Day of mourning", "哀悼日")]) | changes


async def in_force(context: Context) -> dict[str, WorkingCalendar]:
    """The calendars as a service would read them."""
    async with context.transaction() as session:
        return await calendars_in_force(session)


async def test_without_revisions_the_shipped_calendars_are_in_force(context: Context) -> None:
    assert await in_force(context) == shipped()


async def test_a_revision_is_in_force_at_once_and_leaves_the_other_calendars_alone(context: Context) -> None:
    zhou = await hire(context, "zhou")
    revised = await revise_year(context, zhou, body=with_mourning(), reason=WHY)
    now = await in_force(context)
    assert not now["CN"].is_working_day(MOURNING)
    assert shipped()["CN"].is_working_day(MOURNING)
    assert now["CN"].version != shipped()["CN"].version
    assert {name for name in now if now[name] != shipped()[name]} == {"CN"}
    assert (revised.revision, revised.before, revised.after) == (1, shipped()["CN"], now["CN"])
    assert [(change.date, change.moves_deadlines) for change in revised.changes] == [(MOURNING, True)]


async def test_who_when_and_why_stay_with_every_revision(context: Context) -> None:
    zhou, admin = await hire(context, "zhou"), await hire(context, "admin")
    await revise_year(context, zhou, body=with_mourning(), reason=WHY)
    await revise_year(context, admin, body=shipped_years()["CN", 2026].body, reason="It was revoked", based_on=1)
    async with context.transaction() as session:
        found = await revisions_of(session, "CN", 2026)
        latest = (await years_in_force(session))["CN", 2026]
    assert [(one.revision, one.by, one.reason) for one in found] == [
        (2, admin.id, "It was revoked"),
        (1, zhou.id, WHY),
        (0, "", ""),
    ]
    assert latest == found[0]
    assert found[0].at
    assert found[1].at
    assert found[0].at > found[1].at
    assert (await in_force(context))["CN"] == shipped()["CN"]


async def test_whoever_applies_a_revision_to_open_cases_gets_both_calendars_also_later(context: Context) -> None:
    zhou = await hire(context, "zhou")
    first = await revise_year(context, zhou, body=with_mourning(), reason=WHY)
    other = edited(shipped_years()["CN", 2025], off=[DayOff(date(2025, 12, 8), "Another day")])
    second = await revise_year(context, zhou, body=other, reason="Another notice")
    async with context.transaction() as session:
        assert await before_and_after(session, name="CN", year=2026, revision=1) == (first.before, first.after)
        assert await before_and_after(session, name="CN", year=2025, revision=1) == (second.before, second.after)
        with pytest.raises(NotFound):
            await before_and_after(session, name="CN", year=2026, revision=2)
    assert first.after == second.before


async def test_a_year_that_was_just_announced_extends_the_calendar(context: Context) -> None:
    admin = await hire(context, "admin")
    announced = shipped_years()["CN", 2026].body | {
        "year": 2027,
        "off": [{"date": "2027-01-01", "name_en": "New Year's Day"}],
        "work": ["2027-01-03"],
    }
    revised = await revise_year(context, admin, body=announced, reason="The notice for 2027 is out")
    china = (await in_force(context))["CN"]
    assert revised.revision == 1
    assert china.covered_until == date(2027, 12, 31)
    assert china.is_working_day(date(2027, 1, 3))


async def test_a_provisional_year_is_kept_but_not_reckoned_with(context: Context) -> None:
    admin = await hire(context, "admin")
    expected = shipped_years()["CN", 2026].body | {"year": 2027, "off": [], "work": [], "status": "provisional"}
    await revise_year(context, admin, body=expected, reason="What we expect")
    assert (await in_force(context))["CN"] == shipped()["CN"]


async def test_an_insurer_may_add_a_calendar_of_its_own(context: Context) -> None:
    admin = await hire(context, "admin")
    body = shipped_years()["CN", 2026].body | {"name": "CN-HQ"}
    revised = await revise_year(context, admin, body=body, reason="Head office")
    assert revised.before is None
    assert (await in_force(context))["CN-HQ"].off == frozenset(day.date for day in shipped_years()["CN", 2026].off)


async def test_only_administrators_and_operations_may_revise(context: Context) -> None:
    for username in ("wang", "li", "gao", "qian", "sun"):
        with pytest.raises(NotAllowed):
            await revise_year(context, await hire(context, username), body=with_mourning(), reason=WHY)
    assert await in_force(context) == shipped()


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        (with_mourning(work=["2026-12-07"]), WHY, "both a day off and a make-up working day"),
        (with_mourning(tz="Mars/Olympus"), WHY, "no such time zone"),
        (with_mourning(tz="Asia/Tokyo"), WHY, "another zone or weekend"),
        (with_mourning(year=2029, off=[], work=[]), WHY, "not for 2027: a calendar has no gaps"),
        (shipped_years()["CN", 2020].body | {"status": "provisional"}, WHY, "not for 2020: a calendar has no gaps"),
        (with_mourning(), "  ", "Say why"),
        (with_mourning(), "x" * 501, "longer than 500"),
        (with_mourning(), "nul\x00", "nobody can read"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_stored(
    context: Context, body: dict[str, Any], reason: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        await revise_year(context, await hire(context, "admin"), body=body, reason=reason)
    assert await in_force(context) == shipped()


async def test_a_revision_that_changes_nothing_is_refused(context: Context) -> None:
    with pytest.raises(Conflict, match="changes nothing"):
        await revise_year(context, await hire(context, "admin"), body=shipped_years()["CN", 2026].body, reason=WHY)


async def test_nobody_overwrites_what_they_have_not_seen(context: Context) -> None:
    admin = await hire(context, "admin")
    await revise_year(context, admin, body=with_mourning(), reason=WHY, based_on=0)
    with pytest.raises(Conflict, match="Somebody else has revised"):
        await revise_year(context, admin, body=with_mourning(source="Another notice"), reason=WHY, based_on=0)


async def test_two_at_once_get_one_revision_each(context: Context) -> None:
    admin = await hire(context, "admin")
    bodies = [with_mourning(source=f"Notice {n}") for n in range(4)]
    done = await asyncio.gather(*(revise_year(context, admin, body=body, reason=WHY) for body in bodies))
    assert sorted(one.revision for one in done) == [1, 2, 3, 4]


async def test_a_difference_is_shown_before_anything_is_stored(context: Context) -> None:
    async with context.transaction() as session:
        before, after = await diff(session, with_mourning())
        with pytest.raises(Invalid):
            await diff(session, with_mourning(year=2030, off=[], work=[]))
    assert [(change.date, change.after) for change in changes(before, after)] == [(MOURNING, "off: Day of mourning")]
    assert await in_force(context) == shipped()


@pytest.mark.parametrize(
    "change", ["UPDATE calendar_years SET reason = ''", "DELETE FROM calendar_years", "TRUNCATE calendar_years"]
)
async def test_the_application_can_add_a_revision_and_never_change_one(context: Context, change: str) -> None:
    await revise_year(context, await hire(context, "admin"), body=with_mourning(), reason=WHY)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with context.transaction() as session:
            await session.execute(text(change))
    async with context.transaction() as session:
        assert (await session.get_one(CalendarRevision, ("CN", 2026, 1))).reason == WHY


@pytest.mark.parametrize(
    "change",
    ["body = jsonb_set(body, '{work}', '[]')", "sha256 = repeat('0', 64)", "year = 2025"],
    ids=["its days", "its hash", "its year"],
)
async def test_a_revision_changed_past_the_program_is_not_reckoned_with(
    context: Context, settings: Settings, change: str
) -> None:
    await revise_year(context, await hire(context, "admin"), body=with_mourning(), reason=WHY)
    engine = create_engine(settings.database_owner_url.get_secret_value())
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE calendar_years SET {change}"))
    engine.dispose()
    with pytest.raises(CalendarDamaged):
        await in_force(context)
