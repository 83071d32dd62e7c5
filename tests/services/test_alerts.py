"""Whom a promise's ladder calls, and how people are told of it: once each, in one notice (CLM-12)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.tables import Alert, JournalEntry, Staff, Task
from lian.domain import journal as j
from lian.domain.errors import NotAllowed
from lian.domain.sla import Escalation
from lian.services import alerts, desk
from lian.services.accounts import actor_for
from lian.services.alerts import list_alerts, send_alerts
from lian.services.context import Context
from lian.services.notices import latest_notices, queue_notice
from lian.services.opening import Registered
from tests.api.conftest import as_process, count, open_task
from tests.cast import CAST, OFFICE, reported_claim

pytestmark = pytest.mark.req("CLM-12")

DUE = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
CLOCK = {"label": {"en": "First look", "zh": "初审"}, "unit": "hours", "amount": 48}
HOLDER, LEAD = Escalation.NOTIFY_HOLDER, Escalation.NOTIFY_LEAD


def started(clock: str = "t.review", *, due_at: datetime | None = DUE) -> j.ClockStarted:
    return j.ClockStarted(
        clock=clock, started_at=DUE - timedelta(days=2), policy=CLOCK, due_at=due_at, warn_at=None, calendar="plain/1"
    )


def climbed(*actions: Escalation, clock: str = "t.review", rung: str = "75%", at: datetime = DUE) -> j.ClockRungReached:
    return j.ClockRungReached(clock=clock, rung=rung, reached_at=at, actions=tuple(actions))


async def hire(context: Context, username: str) -> Actor:
    """A member of the cast, without the time it takes to hash a password."""
    name, roles = CAST[username]
    staff = Staff(
        id=uuid4(),
        username=username,
        name=name,
        password_hash="none",
        roles=list(roles),
        queues=["*"],
        created_at=context.now(),
    )
    async with context.transaction() as session:
        session.add(staff)
    return actor_for(staff)


async def alerted(context: Context) -> list[tuple[str, str]]:
    """Whom, and of which rung."""
    async with context.transaction() as session:
        found = (await session.execute(select(Alert).order_by(Alert.recipient, Alert.rung))).scalars()
        return [(alert.recipient, alert.rung) for alert in found]


async def told(context: Context) -> Sequence[Any]:
    return [n for n in await latest_notices(context, OFFICE) if "promise" in n.subject]


def later(context: Context, **time: float) -> None:
    now = context.now()
    context.now = lambda: now + timedelta(**time)


async def changed(context: Context, who: Actor, **values: Any) -> None:
    async with context.transaction() as session:
        staff = await session.get_one(Staff, UUID(who.id.removeprefix("staff:")))
        for name, value in values.items():
            setattr(staff, name, value)


@pytest.fixture
async def claim(context: Context) -> Registered:
    """With a task that nobody holds."""
    made = await reported_claim(context)
    await open_task(context, made.case_id)
    await as_process(context, made.case_id, started())
    return made


async def held_by(context: Context, claim: Registered, who: Actor) -> UUID:
    task_id = await open_task(context, claim.case_id)
    await desk.claim_task(context, who, task_id)
    return task_id


async def test_a_warning_reaches_the_holder_alone(context: Context, claim: Registered) -> None:
    wang, _, _ = [await hire(context, name) for name in ("wang", "chen", "li")]
    await held_by(context, claim, wang)
    await as_process(context, claim.case_id, climbed(HOLDER))
    assert await alerted(context) == [(wang.id, "75%")]


@pytest.mark.parametrize("away", ["nobody holds it", "the holder has left", "somebody outside holds it"])
async def test_when_nobody_of_ours_holds_it_the_lead_is_told_instead(
    context: Context, claim: Registered, away: str
) -> None:
    wang, wei, li = [await hire(context, name) for name in ("wang", "wei", "li")]
    if away == "the holder has left":
        await held_by(context, claim, wang)
        await changed(context, wang, active=False)
    if away == "somebody outside holds it":
        task_id = await open_task(context, claim.case_id, kind="external_adjuster", queue="claims.external", ask={})
        await desk.assign_task(context, li, task_id, to="wei")
    await as_process(context, claim.case_id, climbed(HOLDER))
    assert await alerted(context) == [(li.id, "75%")]
    with pytest.raises(NotAllowed):
        await list_alerts(context, wei)


async def test_a_lead_is_whoever_may_assign_the_cases_open_work(context: Context, claim: Registered) -> None:
    li, gao, chen = [await hire(context, name) for name in ("li", "gao", "chen")]
    await changed(context, li, queues=["claims.review", "claims.panel"])
    await changed(context, gao, queues=["claims.settlement"])
    await as_process(context, claim.case_id, climbed(LEAD, rung="due"))
    assert await alerted(context) == [(li.id, "due")]
    await changed(context, li, queues=["claims.panel"])
    await as_process(context, claim.case_id, climbed(LEAD, rung="+1d", at=DUE + timedelta(days=1)))
    assert {who for who, rung in await alerted(context) if rung == "+1d"} == {li.id, gao.id}, "rather all than nobody"
    assert chen.id not in {who for who, _ in await alerted(context)}


async def test_work_that_must_change_hands_goes_back_to_its_queue_and_its_holder_is_told(
    context: Context, claim: Registered
) -> None:
    wang, li = await hire(context, "wang"), await hire(context, "li")
    task_id = await held_by(context, claim, wang)
    why = await open_task(context, claim.case_id, kind="explain_lateness", queue="promises", ask={"clock": "t.old"})
    await desk.assign_task(context, li, why, to="li")
    await as_process(context, claim.case_id, climbed(HOLDER, Escalation.REASSIGN, rung="+1d"))
    async with context.transaction() as session:
        released = select(JournalEntry.actor).where(JournalEntry.type == "task.released")
        assert (await session.execute(released)).scalars().all() == ["system"]
        assert (await session.get_one(Task, task_id)).holder == ""
        assert (await session.get_one(Task, why)).holder == li.id, "why it was late is the lead's to say"
    assert await alerted(context) == [(wang.id, "+1d")]


async def test_what_comes_due_together_is_one_notice_in_both_languages(context: Context) -> None:
    wang = await hire(context, "wang")
    claims = [await reported_claim(context) for _ in range(3)]
    for claim in claims:
        await held_by(context, claim, wang)
        await as_process(context, claim.case_id, started(), climbed(HOLDER, at=DUE - timedelta(hours=12)))
    breached = (j.ClockBreached(clock="t.review", legal_at=DUE), climbed(HOLDER, rung="due"))
    await as_process(context, claims[0].case_id, *breached)
    assert await send_alerts(context) == 0, "more may still come"
    later(context, seconds=6)
    assert await send_alerts(context) == 1
    (notice,) = await told(context)
    assert notice.recipient == wang.id
    assert notice.subject == "3 项时限需要您处理 / 3 promises need you"
    for number in (claim.number for claim in claims):
        assert notice.body.count(number) == 2, "once in each language, however many rungs"
    assert f"{claims[0].number} First look: overdue since 2026-03-04 17:30, seen " in notice.body
    assert f"{claims[0].number} 初审：自 2026-03-04 17:30 起逾期，" in notice.body
    assert f"{claims[1].number} First look: due 2026-03-04 17:30, seen " in notice.body
    assert await send_alerts(context) == 0


async def test_somebody_who_is_alerted_all_the_time_is_told_after_a_minute(context: Context, claim: Registered) -> None:
    li = await hire(context, "li")
    for rung in range(1, 8):
        await as_process(context, claim.case_id, climbed(LEAD, rung=f"{rung}%", at=DUE + timedelta(minutes=rung)))
        assert (await send_alerts(context) > 0) is (rung == 7)
        later(context, seconds=10 if rung < 6 else 12)
    assert [n.recipient for n in await told(context)] == [li.id]


async def test_an_alert_is_told_once_whatever_happens(
    context: Context, claim: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the notice and its end nothing has happened; several workers tell it once."""
    await hire(context, "li")
    rung = climbed(LEAD, rung="due")
    await as_process(context, claim.case_id, rung)
    await as_process(context, claim.case_id, rung)
    assert await count(context, Alert) == 1
    later(context, seconds=6)

    async def killed(*given: Any, **more: Any) -> None:
        await queue_notice(*given, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(alerts, "queue_notice", killed)
        with pytest.raises(KeyboardInterrupt):
            await send_alerts(context)
    assert await told(context) == []
    assert sum(await asyncio.gather(*(send_alerts(context) for _ in range(4)))) == 1
    assert len(await told(context)) == 1


async def test_an_account_named_by_an_address_is_told_there_and_one_that_has_left_nowhere(
    context: Context, claim: Registered
) -> None:
    li, gao = await hire(context, "li"), await hire(context, "gao")
    await changed(context, li, username="li@example.com")
    await as_process(context, claim.case_id, climbed(LEAD, rung="due"))
    await changed(context, gao, active=False)
    later(context, seconds=6)
    await send_alerts(context)
    assert [n.recipient for n in await told(context)] == ["li@example.com"]
    assert await send_alerts(context) == 0


async def test_a_clock_that_begins_afresh_alerts_afresh(context: Context, claim: Registered) -> None:
    await hire(context, "li")
    await as_process(context, claim.case_id, climbed(LEAD))
    await as_process(context, claim.case_id, climbed(LEAD, at=DUE + timedelta(days=9)))
    assert await count(context, Alert) == 2


async def test_one_sees_ones_own_alerts_of_the_last_days(context: Context, claim: Registered) -> None:
    wang, li = await hire(context, "wang"), await hire(context, "li")
    await held_by(context, claim, wang)
    await as_process(context, claim.case_id, climbed(HOLDER), climbed(HOLDER, rung="due", at=DUE + timedelta(hours=1)))
    (seen,) = await list_alerts(context, wang)
    assert (seen.case.number, seen.label.en, seen.alert.rung) == (claim.number, "First look", "due")
    assert await list_alerts(context, li) == []
    await as_process(context, claim.case_id, j.ClockStopped(clock="t.review", stopped_at=DUE, verdict="met"))
    assert await list_alerts(context, wang, still_open=True) == []
    assert len(await list_alerts(context, wang)) == 1
    later(context, days=4)
    assert await list_alerts(context, wang) == []
