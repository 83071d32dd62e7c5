"""The watchdog finds what a case's own process should have noticed, and decides nothing itself (rule 6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from lian.db.tables import OutboxMessage
from lian.domain import journal as j
from lian.domain.errors import NotAllowed
from lian.services import watchdog
from lian.services.context import Context
from lian.services.notices import latest_notices
from lian.services.watchdog import Swept, stuck_cases, sweep
from tests.api.conftest import as_process, open_task
from tests.cast import OFFICE, hire, reported_claim
from tests.fakes.process import FakeProcess
from tests.services.test_alerts import started

pytestmark = pytest.mark.req("CLM-12")


async def running(context: Context, due_at: datetime | None, *events: j.Event) -> UUID:
    """A case whose first look is due then, with a task that is nobody's."""
    case_id = (await reported_claim(context)).case_id
    await open_task(context, case_id)
    await as_process(context, case_id, started(due_at=due_at), *events)
    return case_id


async def standing_still(context: Context) -> UUID:
    """A case of which its process was told everything."""
    case_id = (await reported_claim(context)).case_id
    async with context.transaction() as session:
        await session.execute(update(OutboxMessage).values(done_at=context.now()))
    return case_id


def in_the_middle_of_an_hour(context: Context) -> datetime:
    at = context.now().replace(minute=30)
    context.now = lambda: at
    return at


def asked(process: FakeProcess) -> list[UUID]:
    return [told[1] for told in process.told if isinstance(told, tuple)]


async def test_a_promise_overdue_without_a_word_is_told_to_its_process(context: Context, process: FakeProcess) -> None:
    now = in_the_middle_of_an_hour(context)
    overdue = await running(context, now - timedelta(minutes=3))
    just_due = await running(context, now - timedelta(minutes=1))
    await running(context, None)
    broken = j.ClockBreached(clock="t.review", legal_at=now - timedelta(minutes=3))
    await running(context, now - timedelta(minutes=3), broken)
    closed = await running(context, now - timedelta(minutes=3))
    await as_process(context, closed, j.CaseClosed(outcome="paid"))
    silent = await running(context, now - timedelta(hours=3))
    assert await sweep(context) == Swept(overdue=1, told=1, stuck=0)
    assert asked(process) == [overdue]
    context.now = lambda: now.replace(minute=2) + timedelta(hours=1)
    await sweep(context)
    assert asked(process) == [overdue, silent, overdue, just_due], "whoever does not answer is asked once an hour"


async def test_an_engine_that_is_away_is_asked_again_in_the_next_round(
    context: Context, process: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = in_the_middle_of_an_hour(context)
    cases = [await running(context, now - timedelta(minutes=9 - n)) for n in range(4)]
    process.away = True
    assert await sweep(context) == Swept(overdue=4, told=0, stuck=0)
    process.away = False
    monkeypatch.setattr(watchdog, "MOST_OVERDUE", 3)
    assert await sweep(context) == Swept(overdue=3, told=3, stuck=0)
    assert asked(process) == cases[:3], "the longest overdue first"


async def test_a_case_that_waits_for_nothing_is_told_to_operations_once_a_day(
    context: Context, process: FakeProcess
) -> None:
    zhou, now = await hire(context, "zhou"), in_the_middle_of_an_hour(context)
    stuck = await standing_still(context)
    await as_process(
        context,
        stuck,
        j.TaskOpened(task_id=UUID(int=1), kind="explain_lateness", queue="promises", stage="review", ask={}),
    )
    await running(context, None)  # somebody has to answer a task
    await reported_claim(context)  # its process is not told yet
    assert await sweep(context) == Swept(overdue=0, told=0, stuck=0)
    context.now = lambda: now + timedelta(minutes=11)
    for _ in range(2):
        assert await sweep(context) == Swept(overdue=0, told=0, stuck=1)
    (found,) = await stuck_cases(context, zhou)
    assert (found.case.id, found.idle_since) == (stuck, now)
    told = [n for n in await latest_notices(context, OFFICE) if n.recipient == "operations"]
    assert [n.subject for n in told] == [f"{found.case.number}: 案件停滞 / The case stands still"]
    context.now = lambda: now + timedelta(days=1)
    await sweep(context)
    assert len([n for n in await latest_notices(context, OFFICE) if n.recipient == "operations"]) == 2
    with pytest.raises(NotAllowed):
        await stuck_cases(context, await hire(context, "ning"))


async def test_a_case_without_a_process_stands_still_whatever_it_waits_for(
    context: Context, process: FakeProcess
) -> None:
    now = in_the_middle_of_an_hour(context)
    gone = await running(context, now + timedelta(minutes=8))
    process.gone.add(gone)
    context.now = lambda: now + timedelta(minutes=11)
    assert await sweep(context) == Swept(overdue=1, told=0, stuck=1)
