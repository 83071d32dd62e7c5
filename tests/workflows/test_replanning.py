"""A case that runs is put under another calendar or pack: its process follows, and says by whose order (CLM-12)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from lian.db.tables import Clock, JournalEntry, ReplanOperation
from lian.domain.calendars import WorkingCalendar
from lian.domain.sla import due_at
from lian.services import packs, replanning
from lian.services.calendars import shipped
from lian.services.context import utc_now
from lian.services.explaining import ledger_of, policy_of
from lian.services.opening import PLAN
from lian.services.relay import relay_once
from lian.services.replanning import apply_calendar, preview_calendar, preview_pack, publish_pack, recompute
from lian.settings import Settings
from tests.services.promised import house
from tests.workflows.clockwork import endless
from tests.workflows.hands import PATIENCE
from tests.workflows.office import Office, assert_sound, office

pytestmark = pytest.mark.req("CLM-12")

TOTAL, ADVANCE, PACK = "claim.total", "cn-claims.advance_payment", "house-standard"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An office in Shanghai under Chinese law."""
    return settings.model_copy(update={"jurisdiction": "CN", "office_calendar": "CN"})


@pytest.fixture
def announce(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """A day off, announced since; the calendar has no end, so that the test means the same in any year."""
    in_force = {name: endless(calendar) for name, calendar in shipped().items()}

    async def calendars_in_force(_: Any) -> dict[str, WorkingCalendar]:
        return dict(in_force)

    for module in (packs, replanning):
        monkeypatch.setattr(module, "calendars_in_force", calendars_in_force)

    def one_more(day: date) -> None:
        cn = in_force["CN"]
        in_force["CN"] = replace(cn, off=cn.off | {day}, work=cn.work - {day}, version=f"CN@{day}")

    return one_more


async def clock(claim: Office, name: str) -> Clock:
    found: Clock = next(row for row in await claim.rows(Clock) if row.clock == name)
    return found


async def entries(claim: Office, type_: str) -> list[JournalEntry]:
    found = sorted(await claim.rows(JournalEntry), key=lambda entry: entry.chain_seq)
    return [entry for entry in found if entry.type == type_]


async def on_record(claim: Office, type_: str, **of: str) -> JournalEntry:
    """The latest entry of a type whose body says this, once there is one."""
    async with asyncio.timeout(PATIENCE):
        while True:
            await relay_once(claim.context)
            if found := [each for each in await entries(claim, type_) if of.items() <= each.body.items()]:
                return found[-1]
            await asyncio.sleep(0.05)


async def recomputed(claim: Office, *, total: int) -> ReplanOperation:
    """The house promises its claims in other days from today on, also those that run."""
    ops, context = await claim.who("zhou"), claim.context
    today = context.now().astimezone(context.settings.zone).date()
    await publish_pack(context, ops, house(total=total), effective_from=today, why="新标准")
    preview = await preview_pack(context, ops, PACK)
    operation = await recompute(context, ops, PACK, why="新标准", token=preview.token)
    assert (await on_record(claim, "plan.changed")).body["operation_id"] == str(operation.id)
    return operation


async def test_a_holiday_announced_since_moves_working_days_and_not_calendar_days(
    settings: Settings, announce: Callable[[date], None]
) -> None:
    async with office(settings) as claim:
        await claim.open_task("initial_review")
        before = {row.clock: row.due_at for row in await claim.rows(Clock)}
        ops = await claim.who("zhou")
        announce(last_day(before[TOTAL], claim))
        preview = await preview_calendar(claim.context, ops, "CN")
        assert {move.clock for move in preview.result.moves} == {TOTAL}
        operation = await apply_calendar(claim.context, ops, "CN", why="临时放假通知", token=preview.token)
        changed = await on_record(claim, "plan.changed")
        assert (changed.actor, changed.body["operation_id"]) == (ops.id, str(operation.id))
        after = {row.clock: row.due_at for row in await claim.rows(Clock)}
        assert after.pop(TOTAL) == preview.result.moves[0].due_after > before.pop(TOTAL)
        assert after == before
        assert ADVANCE in after
        rebased = await entries(claim, "clock.rebased")
        assert TOTAL in {entry.body["clock"] for entry in rebased}
        await assert_sound(claim.context)


def last_day(due: datetime | None, claim: Office) -> date:
    assert due
    return due.astimezone(claim.context.settings.zone).date()


@pytest.mark.usefixtures("announce")
async def test_a_recompute_that_breaks_a_promise_at_once_stamps_it_with_the_law_s_moment_and_with_ours(
    settings: Settings,
) -> None:
    async with office(settings) as claim:
        await claim.open_task("initial_review")
        await claim.pass_time(timedelta(days=12))
        claim.context.now = lambda: utc_now() + timedelta(days=12)
        assert (await clock(claim, TOTAL)).breached_at is None
        await recomputed(claim, total=1)
        breached = await on_record(claim, "clock.breached", clock=TOTAL)
        row = await clock(claim, TOTAL)
        legal = datetime.fromisoformat(breached.body["legal_at"])
        assert row.due_at == row.breached_at == legal == expected(row, await claim.case())
        assert breached.at - legal > timedelta(days=3)
        await claim.pass_time(timedelta(days=3))
        broken = [entry for entry in await entries(claim, "clock.breached") if entry.body["clock"] == TOTAL]
        warned = [e for e in await entries(claim, "clock.rung_reached") if e.body["clock"] == TOTAL]
        assert len(broken) == 1
        assert not [entry for entry in warned if entry.body["rung"].endswith("%") and entry.at >= breached.at]
        await assert_sound(claim.context)


@pytest.mark.usefixtures("announce")
async def test_a_policy_changed_while_it_waits_keeps_the_wait(settings: Settings) -> None:
    async with office(settings) as claim:
        await claim.does("initial_review", missing=["identity"])
        await on_record(claim, "request.delivered")
        async with asyncio.timeout(PATIENCE):
            while (await clock(claim, TOTAL)).status != "paused":
                await asyncio.sleep(0.05)
        pauses = (await clock(claim, TOTAL)).pauses
        await recomputed(claim, total=20)
        row = await clock(claim, TOTAL)
        assert (row.status, row.due_at, row.pauses, row.policy["amount"]) == ("paused", None, pauses, 20)
        await claim.upload("identity")
        await on_record(claim, "clock.resumed")
        row = await clock(claim, TOTAL)
        assert row.due_at == expected(row, await claim.case())
        assert row.pauses[0]["to_at"]
        await assert_sound(claim.context)


def expected(row: Clock, case: Any) -> datetime | None:
    """The deadline, folded from what is on record."""
    policy = policy_of(row)
    return due_at(policy=policy, calendar=PLAN.validate_python(case.plan).calendar_of(policy), ledger=ledger_of(row))
