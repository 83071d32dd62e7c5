"""Running cases keep what they were promised until somebody, having looked, puts them under something else (CLM-12)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.journal import compare, verify
from lian.db.tables import JournalEntry, OutboxMessage, ReplanOperation
from lian.domain import journal as j
from lian.domain.case_kinds import kind_of
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.messages import Replan
from lian.services.calendar_revisions import revise_year
from lian.services.calendar_years import DayOff, edited
from lian.services.calendars import shipped, shipped_years
from lian.services.context import Context
from lian.services.opening import PLAN
from lian.services.packs import plan_from
from lian.services.packs import shipped as shipped_packs
from lian.services.recording import REPLAN
from lian.services.relay import relay_once
from lian.services.replanning import (
    apply_calendar,
    list_operations,
    preview_calendar,
    preview_pack,
    publish_pack,
    recompute,
)
from lian.services.uncovered import uncovered_clocks
from tests.api.conftest import as_process
from tests.cast import hire
from tests.fakes.process import FakeProcess
from tests.promises import at
from tests.services.promised import Promised, house, promised

pytestmark = pytest.mark.req("CLM-12")

RECEIVED, NOW = at("2026-03-02 10:00"), at("2026-03-16 10:00")
DUE, TODAY = at("2026-03-23 17:30"), date(2026, 3, 16)
TOTAL, LOOK = "claim.total", "claim.initial_review"
WHY = "临时放假通知"


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


async def announce(context: Context, actor: Actor, day: str) -> None:
    """One more day off in China's 2026."""
    off = [DayOff(date.fromisoformat(day), "Announced since")]
    await revise_year(context, actor, body=edited(shipped_years()["CN", 2026], off=off), reason=WHY)


async def announce_2027(context: Context, actor: Actor) -> None:
    """The year after the last one published."""
    body = edited(shipped_years()["CN", 2026]) | {
        "year": 2027,
        "off": [{"date": "2027-01-01", "name_en": "New Year"}],
        "work": [],
    }
    await revise_year(context, actor, body=body, reason=WHY)


def orders(process: FakeProcess) -> list[Replan]:
    return [told[2] for told in process.told if isinstance(told, tuple) and told[0] == "replan"]


async def told(context: Context) -> None:
    """What the outbox asks for is done, however long it takes."""
    real = context.now
    context.now = lambda: real() + timedelta(minutes=5)
    try:
        while await relay_once(context):
            pass
    finally:
        context.now = real


async def follow(claim: Promised, order: Replan) -> None:
    """As `workflows/promises.py` has it."""
    claim.book.replan(order.plan, claim.context.now())
    plan = PLAN.dump_python(claim.state.plan, mode="json")
    claim.record(j.PlanChanged(operation_id=order.operation_id, plan=plan, why=order.why))
    await claim.put()


async def bodies(claim: Promised, type_: str) -> list[dict[str, Any]]:
    async with claim.context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.case_id == claim.case_id, JournalEntry.type == type_)
        return [entry.body for entry in (await session.execute(query)).scalars()]


async def test_publishing_moves_no_running_case_and_counts_for_those_received_from_its_day_on(
    context: Context, zhou: Actor
) -> None:
    pinned = await promised(context, RECEIVED)
    version = await publish_pack(context, zhou, house(total=9), effective_from=TODAY, why="更快")
    assert version == "house-standard/2"
    assert (await pinned.clock(TOTAL)).due_at == DUE
    assert (await pinned.plan()).clocks[TOTAL].amount == 15
    fresh = await promised(context, NOW)
    assert (await fresh.plan()).clocks[TOTAL].amount == 9
    assert "house-standard/2" in (await fresh.plan()).pack


async def test_a_holiday_announced_since_moves_open_cases_when_it_is_applied(
    context: Context, process: FakeProcess, zhou: Actor
) -> None:
    claim = await promised(context, RECEIVED)
    await announce(context, zhou, "2026-03-20")
    assert (await claim.clock(TOTAL)).due_at == DUE
    preview = await preview_calendar(context, zhou, "CN")
    assert (preview.result.moved, preview.result.later, preview.undecided) == (1, 1, 0)
    operation = await apply_calendar(context, zhou, "CN", why=WHY, token=preview.token)
    assert (operation.cases, operation.by, operation.why) == (1, zhou.id, WHY)
    await told(context)
    (order,) = orders(process)
    assert (order.operation_id, order.why, order.by) == (operation.id, WHY, zhou.id)
    await follow(claim, order)
    assert (await claim.clock(TOTAL)).due_at == at("2026-03-24 17:30")
    (changed,) = await bodies(claim, "plan.changed")
    assert changed["operation_id"] == str(operation.id)
    (seen,) = await list_operations(context, zhou)
    assert (seen.operation.id, seen.told) == (operation.id, 1)
    async with context.transaction() as session:
        assert (await verify(session)).damages == (await compare(session, context.ring)).damages == []


async def test_a_repeat_tells_nobody_twice(context: Context, process: FakeProcess, zhou: Actor) -> None:
    claim = await promised(context, RECEIVED)
    await announce(context, zhou, "2026-03-20")
    await apply_calendar(context, zhou, "CN", why=WHY, token=(await preview_calendar(context, zhou, "CN")).token)
    await told(context)
    await follow(claim, orders(process)[0])
    async with context.transaction() as session:
        (message,) = (await session.execute(select(OutboxMessage).where(OutboxMessage.topic == REPLAN))).scalars()
        message.done_at = None
    await told(context)
    assert len(orders(process)) == 1
    with pytest.raises(Conflict, match="runs under this version already"):
        await apply_calendar(context, zhou, "CN", why=WHY, token=(await preview_calendar(context, zhou, "CN")).token)


async def test_a_case_is_told_once_the_engine_is_back(context: Context, process: FakeProcess, zhou: Actor) -> None:
    await promised(context, RECEIVED)
    await announce(context, zhou, "2026-03-20")
    await apply_calendar(context, zhou, "CN", why=WHY, token=(await preview_calendar(context, zhou, "CN")).token)
    process.away = True
    await told(context)
    assert orders(process) == []
    process.away, real = False, context.now
    context.now = lambda: real() + timedelta(hours=1)
    await told(context)
    assert len(orders(process)) == 1


async def test_a_case_that_closed_meanwhile_is_passed_over(context: Context, process: FakeProcess, zhou: Actor) -> None:
    claim, other = await promised(context, RECEIVED), await promised(context, RECEIVED)
    await announce(context, zhou, "2026-03-20")
    await apply_calendar(context, zhou, "CN", why=WHY, token=(await preview_calendar(context, zhou, "CN")).token)
    await as_process(context, claim.case_id, j.CaseClosed(outcome="withdrawn"))
    await told(context)
    assert len(orders(process)) == 1
    (seen,) = await list_operations(context, zhou)
    assert (seen.operation.cases, seen.told) == (2, 2)
    assert (await claim.plan()).calendar != orders(process)[0].plan.calendar
    assert (await other.case()).status == "open"


async def test_of_two_operations_the_second_waits_until_the_first_is_on_record(
    context: Context, process: FakeProcess, zhou: Actor
) -> None:
    claim = await promised(context, RECEIVED)
    await announce(context, zhou, "2026-03-20")
    await apply_calendar(context, zhou, "CN", why=WHY, token=(await preview_calendar(context, zhou, "CN")).token)
    context.now = lambda: NOW + timedelta(seconds=1)
    await publish_pack(context, zhou, house(total=14), effective_from=TODAY, why="更快")
    preview = await preview_pack(context, zhou, "house-standard")
    await recompute(context, zhou, "house-standard", why="新标准", token=preview.token)
    context.now = lambda: NOW + timedelta(seconds=5)
    await relay_once(context)
    assert len(orders(process)) == 1
    await follow(claim, orders(process)[0])
    context.now = lambda: NOW + timedelta(minutes=1)
    await told(context)
    (_, second) = orders(process)
    await follow(claim, second)
    plan = await claim.plan()
    assert date(2026, 3, 20) in plan.calendar.off
    assert (plan.clocks[TOTAL].amount, plan.pack.split("+")[0]) == (14, "house-standard/2")


async def test_a_recompute_that_breaks_a_promise_at_once_says_so_once(
    context: Context, process: FakeProcess, zhou: Actor
) -> None:
    claim = await promised(context, RECEIVED)
    await claim.look()
    await publish_pack(context, zhou, house(total=9), effective_from=TODAY, why="更快")
    preview = await preview_pack(context, zhou, "house-standard")
    await recompute(context, zhou, "house-standard", why="新标准", token=preview.token)
    await told(context)
    await follow(claim, orders(process)[0])
    for _ in range(3):
        await claim.look()
    breached = [body for body in await bodies(claim, "clock.breached") if body["clock"] == TOTAL]
    assert [datetime.fromisoformat(body["legal_at"]) for body in breached] == [at("2026-03-13 17:30")]


# --- what is applied is what was previewed ----------------------------------------------------------------------------


async def test_without_a_preview_of_the_same_nothing_is_applied(context: Context, zhou: Actor) -> None:
    await promised(context, RECEIVED)
    await announce(context, zhou, "2026-03-20")
    preview = await preview_calendar(context, zhou, "CN")
    for token in ("", "1.2", "x.y.z", preview.token + "0", "1e999.0.0"):
        with pytest.raises((Invalid, Conflict)):
            await apply_calendar(context, zhou, "CN", why=WHY, token=token)
    await announce_more(context, zhou)
    with pytest.raises(Conflict, match="since you looked"):
        await apply_calendar(context, zhou, "CN", why=WHY, token=preview.token)


async def announce_more(context: Context, actor: Actor) -> None:
    off = [DayOff(date(2026, 3, day), "Announced since") for day in (19, 20)]
    await revise_year(context, actor, body=edited(shipped_years()["CN", 2026], off=off), reason=WHY)


async def test_a_preview_is_good_for_an_hour(context: Context, zhou: Actor) -> None:
    await promised(context, RECEIVED)
    await announce(context, zhou, "2026-03-20")
    preview = await preview_calendar(context, zhou, "CN")
    context.now = lambda: NOW + timedelta(hours=1, seconds=1)
    with pytest.raises(Conflict, match="more than an hour old"):
        await apply_calendar(context, zhou, "CN", why=WHY, token=preview.token)


async def test_a_case_that_the_preview_did_not_show_is_left_alone(context: Context, zhou: Actor) -> None:
    await promised(context, RECEIVED)
    await announce(context, zhou, "2026-03-20")
    preview = await preview_calendar(context, zhou, "CN")
    late = await promised(context, NOW + timedelta(minutes=1))
    await as_process(context, late.case_id, j.PlanChanged(operation_id=late.case_id, plan=old_plan(), why="x"))
    context.now = lambda: NOW + timedelta(minutes=2)
    assert (await apply_calendar(context, zhou, "CN", why=WHY, token=preview.token)).cases == 1


def old_plan() -> dict[str, Any]:
    house_pack = [pack for pack in shipped_packs() if pack.id == "house-standard"]
    made = plan_from(
        kind_of("claim"),
        house_pack,
        jurisdiction="",
        line="motor",
        calendars=shipped(),
        office_calendar="CN",
        from_year=2025,
    )
    dumped: dict[str, Any] = PLAN.dump_python(made, mode="json")
    return dumped


async def test_a_reason_is_needed(context: Context, zhou: Actor) -> None:
    await promised(context, RECEIVED)
    await announce(context, zhou, "2026-03-20")
    token = (await preview_calendar(context, zhou, "CN")).token
    for why in ("", "  \n", "x" * 501):
        with pytest.raises(Invalid):
            await apply_calendar(context, zhou, "CN", why=why, token=token)


async def test_only_operations_and_administrators_may(context: Context) -> None:
    li = await hire(context, "li")
    for visit in (
        lambda: preview_calendar(context, li, "CN"),
        lambda: preview_pack(context, li, "house-standard"),
        lambda: apply_calendar(context, li, "CN", why=WHY, token="x"),
        lambda: recompute(context, li, "house-standard", why=WHY, token="x"),
        lambda: list_operations(context, li),
        lambda: publish_pack(context, li, house(), effective_from=TODAY, why=WHY),
    ):
        with pytest.raises(NotAllowed):
            await visit()


async def test_what_there_is_not_cannot_be_applied(context: Context, zhou: Actor) -> None:
    with pytest.raises(NotFound):
        await preview_calendar(context, zhou, "MARS")
    with pytest.raises(NotFound):
        await preview_pack(context, zhou, "mars-claims")


@pytest.mark.parametrize("change", ["UPDATE replan_operations SET why = ''", "DELETE FROM replan_operations"])
async def test_an_operation_is_never_changed(context: Context, zhou: Actor, change: str) -> None:
    await promised(context, RECEIVED)
    await announce(context, zhou, "2026-03-20")
    await apply_calendar(context, zhou, "CN", why=WHY, token=(await preview_calendar(context, zhou, "CN")).token)
    with pytest.raises(ProgrammingError):
        async with context.transaction() as session:
            await session.execute(text(change))
    async with context.transaction() as session:
        assert (await session.execute(select(ReplanOperation))).scalars().one().why == WHY


# --- years that were not published ------------------------------------------------------------------------------------


async def undecided(context: Context, stopped_at: datetime) -> Promised:
    """A claim received before the new year, and paid when nobody could say whether that was in time."""
    claim = await promised(context, at("2026-12-28 10:00"))
    assert (await claim.clock(TOTAL)).due_at is None
    await claim.stop("paid", stopped_at)
    assert (await claim.clock(TOTAL)).status == "undecided"
    return claim


@pytest.mark.parametrize(("paid", "status"), [("2027-01-19 17:30:00", "met"), ("2027-01-19 17:30:01", "late")])
@pytest.mark.parametrize("is_closed", [True, False])
async def test_what_nobody_could_judge_is_judged_when_the_year_is_applied(
    context: Context, zhou: Actor, paid: str, status: str, is_closed: bool
) -> None:
    context.now = lambda: at("2027-02-01 10:00")
    claim = await undecided(context, at(paid))
    if is_closed:
        await as_process(context, claim.case_id, j.CaseClosed(outcome="paid"))
    await announce_2027(context, zhou)
    preview = await preview_calendar(context, zhou, "CN")
    assert preview.undecided == 1
    operation = await apply_calendar(context, zhou, "CN", why=WHY, token=preview.token)
    await told(context)
    clock = await claim.clock(TOTAL)
    assert (clock.status, clock.due_at) == (status, at("2027-01-19 17:30"))
    assert (clock.breached_at == clock.due_at) is (status == "late")
    changed = await bodies(claim, "plan.changed")
    assert [body["operation_id"] for body in changed] == [str(operation.id)] * is_closed
    await told(context)
    assert len(await bodies(claim, "clock.judged")) == 1
    async with context.transaction() as session:
        assert (await compare(session, context.ring)).damages == []


async def test_promises_that_cross_into_a_year_without_calendar_are_counted(
    context: Context, zhou: Actor, process: FakeProcess
) -> None:
    context.now = lambda: at("2026-12-29 10:00")
    claim = await promised(context, at("2026-12-28 10:00"))
    await promised(context, RECEIVED)
    found = await uncovered_clocks(context, zhou)
    assert [(y.calendar, y.year, y.clocks, y.is_published) for y in found.years] == [("CN", 2027, 1, False)]
    assert [(c.number, c.clock, c.calendar, c.year) for c in found.clocks] == [(claim.number, TOTAL, "CN", 2027)]
    assert found.clocks[0].label.zh == "理赔总时效"
    await announce_2027(context, zhou)
    assert [year.is_published for year in (await uncovered_clocks(context, zhou)).years] == [True]
    await apply_calendar(context, zhou, "CN", why=WHY, token=(await preview_calendar(context, zhou, "CN")).token)
    await told(context)
    order = next(order for order in orders(process) if order.plan == changed_for(claim, order))
    await follow(claim, order)
    assert (await uncovered_clocks(context, zhou)).total == 0


def changed_for(claim: Promised, order: Replan) -> Any:
    """Both claims get the same plan, as they are of the same kind and year."""
    return order.plan if order.plan.clocks == claim.state.plan.clocks else None


async def test_a_clock_that_waits_for_documents_is_not_counted_as_uncovered(context: Context, zhou: Actor) -> None:
    claim = await promised(context, RECEIVED)
    await claim.wait(at("2026-03-09 10:00"))
    assert (await claim.clock(TOTAL)).due_at is None
    assert (await uncovered_clocks(context, zhou)).total == 0
