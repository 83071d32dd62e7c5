"""Before a draft is published, everybody can see whom it would make late: nothing is changed by looking (CLM-12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import func, select

from lian.auth.actor import Actor
from lian.db.tables import JournalEntry
from lian.domain.errors import Invalid, NotAllowed
from lian.domain.standing import Standing
from lian.services.calendar_years import PROVISIONAL, DayOff, edited
from lian.services.calendars import shipped, shipped_years
from lian.services.context import Context
from lian.services.packs import BadPack, read_pack
from lian.services.plan_changes import PlanChange, changed_plan
from lian.services.what_if import Move, WhatIf, what_if
from tests.cast import hire
from tests.promises import at
from tests.services.promised import house, promised

pytestmark = pytest.mark.req("CLM-12")

RECEIVED = at("2026-03-02 10:00")
NOW = at("2026-03-16 10:00")
DUE = at("2026-03-23 17:30")
TOTAL, LOOK, ADVANCE = "claim.total", "claim.initial_review", "cn-claims.advance_payment"


@pytest.fixture
def context(context: Context) -> Context:
    """An office in Shanghai under Chinese law, on a Monday in March."""
    context.settings = context.settings.model_copy(update={"jurisdiction": "CN", "office_calendar": "CN"})
    context.now = lambda: NOW
    return context


@pytest.fixture
async def zhou(context: Context) -> Actor:
    """Zhou of operations."""
    return await hire(context, "zhou")


def day_off(*days: str, **changes: Any) -> dict[str, Any]:
    """China's 2026 with more days off."""
    off = [DayOff(date.fromisoformat(day), "Announced since") for day in days]
    return edited(shipped_years()["CN", 2026], off=off) | changes


def of(found: WhatIf, clock: str) -> Move:
    return next(move for move in found.moves if move.clock == clock)


@pytest.mark.parametrize(
    ("days", "becomes", "due"),
    [
        (14, Standing.RUNNING, "2026-03-20 17:30"),
        (11, Standing.AT_RISK, "2026-03-17 17:30"),
        (10, Standing.AT_RISK, "2026-03-16 17:30"),
        (9, Standing.BREACHED, "2026-03-13 17:30"),
    ],
)
async def test_a_shorter_promise_shows_who_would_be_at_risk_and_who_late(
    context: Context, zhou: Actor, days: int, becomes: Standing, due: str
) -> None:
    claim = await promised(context, RECEIVED)
    found = await what_if(context, zhou, policy=read_pack(house(total=days)))
    move = of(found, TOTAL)
    assert (move.number, move.before, move.after) == (claim.number, Standing.RUNNING, becomes)
    assert (move.due_before, move.due_after) == (DUE, at(due))
    assert found.becomes[becomes] == (becomes is not Standing.RUNNING)
    assert (found.moved, found.sooner, found.later, found.affected_cases) == (1, 1, 0, 1)


async def test_looking_changes_nothing(context: Context, zhou: Actor) -> None:
    claim = await promised(context, RECEIVED)
    before = (await claim.clock(TOTAL), await claim.case())

    async def events() -> int:
        async with context.transaction() as session:
            return (await session.execute(select(func.count()).select_from(JournalEntry))).scalar_one()

    written = await events()
    await what_if(context, zhou, policy=read_pack(house(total=1)), calendar=day_off("2026-03-20"))
    assert (await claim.clock(TOTAL), await claim.case()) == before
    assert await events() == written


async def test_another_holiday_moves_working_days_and_not_calendar_days(context: Context, zhou: Actor) -> None:
    await promised(context, RECEIVED)
    found = await what_if(context, zhou, calendar=day_off("2026-03-20"))
    assert (of(found, TOTAL).due_before, of(found, TOTAL).due_after) == (DUE, at("2026-03-24 17:30"))
    assert {move.clock for move in found.moves} == {TOTAL}
    assert ADVANCE in (await promised(context, RECEIVED)).state.plan.clocks
    assert found.becomes[Standing.BREACHED] == found.becomes[Standing.AT_RISK] == 0


async def test_a_year_that_is_withdrawn_leaves_promises_without_a_deadline(context: Context, zhou: Actor) -> None:
    await promised(context, RECEIVED)
    found = await what_if(context, zhou, calendar=day_off(status=PROVISIONAL))
    assert (of(found, TOTAL).after, of(found, TOTAL).due_after) == (Standing.NOT_COVERED, None)
    assert found.becomes[Standing.NOT_COVERED] >= 1


async def test_a_paused_promise_stays_paused(context: Context, zhou: Actor) -> None:
    claim = await promised(context, RECEIVED)
    await claim.wait(at("2026-03-09 10:00"))
    found = await what_if(context, zhou, policy=read_pack(house(total=9)))
    assert found.before[Standing.PAUSED] == found.after[Standing.PAUSED] == 1
    assert TOTAL not in {move.clock for move in found.moves}


async def test_the_load_of_each_day_of_the_office_is_compared(context: Context, zhou: Actor) -> None:
    for hours in range(3):
        await promised(context, RECEIVED + timedelta(hours=hours))
    found = await what_if(context, zhou, policy=read_pack(house(total=11)))
    load = {day.day: (day.before, day.after) for day in found.load}
    assert found.load[0].day == date(2026, 3, 16)
    assert len(found.load) == 60
    assert (load[date(2026, 3, 23)], load[date(2026, 3, 17)]) == ((3, 0), (0, 3))
    assert sum(before for before, _ in load.values()) == sum(after for _, after in load.values())


async def test_it_counts_as_the_engine_does(context: Context, zhou: Actor) -> None:
    """Also hours that become office hours: what was used up is kept, and the rest counted by the new ones."""
    received = at("2026-03-15 20:00")
    claim = await promised(context, received)
    await claim.wait(at("2026-03-15 22:00"), at("2026-03-16 08:00"))
    text = house(total=12).replace("    amount: 48\n", "    amount: 48\n    calendar: CN\n", 1)
    found = await what_if(context, zhou, policy=read_pack(text), calendar=day_off("2026-03-18"))
    change = PlanChange(
        pack=read_pack(text),
        jurisdiction="CN",
        calendars={"CN": replace(shipped()["CN"], off=shipped()["CN"].off | {date(2026, 3, 18)})},
        in_force=shipped(),
    )
    plan = changed_plan(claim.state.plan, change, kind="claim", line="motor")
    claim.book.replan(plan, NOW)
    moved = {move.clock: move.due_after for move in found.moves}
    assert set(moved) == {LOOK, TOTAL}
    for clock, due in moved.items():
        assert due == claim.book.due(clock, claim.state.clocks[clock])


async def test_only_cases_that_somebody_may_see_are_named(context: Context, zhou: Actor) -> None:
    await promised(context, RECEIVED)
    draft = read_pack(house(total=9))
    admin = await hire(context, "admin")
    seen, counted = await what_if(context, zhou, policy=draft), await what_if(context, admin, policy=draft)
    assert (len(seen.moves), len(counted.moves)) == (1, 0)
    assert seen.becomes == counted.becomes
    for name in ("wang", "li", "sun"):
        with pytest.raises(NotAllowed):
            await what_if(context, await hire(context, name), policy=draft)


async def test_the_worst_come_first_and_the_list_has_an_end(context: Context, zhou: Actor) -> None:
    early, late = await promised(context, at("2026-03-02 10:00")), await promised(context, at("2026-03-05 10:00"))
    found = await what_if(context, zhou, policy=read_pack(house(total=9)))
    assert [(move.number, move.after) for move in found.moves] == [
        (early.number, Standing.BREACHED),
        (late.number, Standing.AT_RISK),
    ]
    short = await what_if(context, zhou, policy=read_pack(house(total=9)), limit=1)
    assert (len(short.moves), short.listed_of) == (1, 2)


async def test_a_draft_that_says_nothing_or_names_a_calendar_there_is_not_is_refused(
    context: Context, zhou: Actor
) -> None:
    with pytest.raises(Invalid, match="Give a draft"):
        await what_if(context, zhou)
    strange = read_pack(house().replace("    amount: 15\n", "    amount: 15\n    calendar: MARS\n", 1))
    with pytest.raises(BadPack, match="MARS"):
        await what_if(context, zhou, policy=strange)


async def test_a_stopped_promise_is_not_looked_at(context: Context, zhou: Actor) -> None:
    claim = await promised(context, RECEIVED)
    await claim.stop("reviewed", at("2026-03-03 10:00"))
    found = await what_if(context, zhou, policy=read_pack(house(look=1)))
    assert found.moves == ()
    assert found.clocks == len(claim.state.clocks)
    assert isinstance(found.as_of, datetime)
