"""The watchdog finds what a case's own process should have noticed, and decides nothing itself (rule 6)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, event, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from lian.db.journal import compare
from lian.db.tables import Case, OutboxMessage
from lian.domain import journal as j
from lian.domain.errors import NotAllowed
from lian.services import watchdog
from lian.services.context import Context
from lian.services.notices import latest_notices
from lian.services.watchdog import EVERY_MINUTES, IDLE_FOR, Swept, count_stuck, stuck_cases, sweep
from tests.api.conftest import as_process, open_task
from tests.cast import OFFICE, hire, reported_claim
from tests.fakes.process import FakeProcess
from tests.services.test_alerts import started

pytestmark = pytest.mark.req("CLM-12")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look follows at once."""
    monkeypatch.setattr(watchdog, "SECOND_LOOK_SECONDS", 0.0)


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


A_LOOK = timedelta(seconds=30)
"""The second look, and what a round takes."""


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
    context.now = lambda: now.replace(minute=1) + timedelta(hours=1)
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


@pytest.mark.req("TSK-1")
async def test_a_case_that_stands_still_is_found_within_five_minutes(context: Context) -> None:
    zhou, now = await hire(context, "zhou"), in_the_middle_of_an_hour(context)
    stuck = await standing_still(context)
    context.now = lambda: now + IDLE_FOR
    assert await count_stuck(context) == 0, "a step of a process may take a moment"
    context.now = lambda: now + IDLE_FOR + timedelta(seconds=1)
    assert await count_stuck(context) == 1
    assert [found.case.id for found in await stuck_cases(context, zhou)] == [stuck]
    assert IDLE_FOR + timedelta(minutes=EVERY_MINUTES) + A_LOOK < timedelta(minutes=5), "operations are told in time"


async def test_a_case_that_goes_on_while_it_is_looked_at_is_told_to_nobody(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = in_the_middle_of_an_hour(context)
    resuming, stuck = await standing_still(context), await standing_still(context)
    context.now = lambda: now + timedelta(minutes=3)

    async def meanwhile(seconds: float) -> None:
        assert seconds == 7
        await open_task(context, resuming)

    monkeypatch.setattr(watchdog, "SECOND_LOOK_SECONDS", 7)
    monkeypatch.setattr(watchdog.asyncio, "sleep", meanwhile)
    assert (await sweep(context)).stuck == 1
    told = [n.subject for n in await latest_notices(context, OFFICE) if n.recipient == "operations"]
    async with context.transaction() as session:
        assert told == [f"{(await session.get_one(Case, stuck)).number}: 案件停滞 / The case stands still"]


async def test_what_a_case_awaits_is_counted_as_it_is_asked_and_answered(context: Context) -> None:
    case_id = (await reported_claim(context)).case_id
    task_id, request_id, counted = await open_task(context, case_id), uuid4(), []
    opened = j.RequestOpened(
        request_id=request_id,
        items=("identity",),
        is_repeat=False,
        asked_at=context.now(),
        answer_by=context.now(),
        reason="documents",
    )
    closed = j.RequestClosed(request_id=request_id, how="answered", closed_at=context.now())
    extra = UUID(int=2)
    aside = j.TaskOpened(task_id=extra, kind="explain_lateness", queue="promises", stage="review", ask={})
    for said in (
        *(opened, j.TaskCompleted(task_id=task_id, outcome={}), aside),
        *(closed, closed, j.TaskCancelled(task_id=extra, why="not_broken")),
    ):
        await as_process(context, case_id, said)
        async with context.transaction() as session:
            counted.append((await session.get_one(Case, case_id)).awaits)
    assert counted == [2, 1, 1, 0, 0, 0]
    async with context.transaction() as session:
        assert (await compare(session, context.ring)).damages == []


async def test_the_many_cases_that_wait_are_not_looked_at(context: Context) -> None:
    """100,000 open cases of which two stand still: found by way of their own index."""
    now = in_the_middle_of_an_hour(context)
    many = await running(context, None)
    stuck = {await standing_still(context) for _ in range(2)}
    async with context.transaction() as session:
        await _copy_cases(session, many, 100_000)
    owner = create_engine(context.settings.database_owner_url.get_secret_value(), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("ANALYZE"))
    owner.dispose()
    context.now = lambda: now + timedelta(minutes=3)
    assert await count_stuck(context) == 2
    plan = await _plan(context)
    assert {case.case.id for case in await stuck_cases(context, await hire(context, "zhou"))} == stuck
    assert "cases_idle" in plan, plan
    assert not re.search(r"Seq Scan on (cases|tasks|journal|case_chain)", plan), plan


COPIED = {
    "cases": ("id", {"number": "'C-' || n"}),
    "tasks": ("case_id", {"id": "gen_random_uuid()"}),
    "case_chain": ("case_id", {}),
    "journal": ("case_id", {}),
}
"""What a case has most of: which column names it, and what else makes a copy a row of its own."""


async def _copy_cases(session: AsyncSession, case_id: UUID, copies: int) -> None:
    """The rows of a case again and again."""
    for table, (key, own) in COPIED.items():
        names = (await session.execute(text(f"SELECT * FROM {table} LIMIT 0"))).keys()
        columns = ", ".join("mark::uuid" if name == key else own.get(name, f't."{name}"') for name in names)
        await session.execute(
            text(
                f"INSERT INTO {table} SELECT {columns} FROM {table} t, generate_series(1, :copies) n, "
                f"LATERAL (SELECT md5('copy' || n) AS mark) m WHERE t.{key} = :case_id"
            ),
            {"copies": copies, "case_id": case_id},
        )


async def _plan(context: Context) -> str:
    asked: list[str] = []

    def note(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        asked.append(statement)
        given.append(parameters)

    given: list[object] = []
    event.listen(context.db.engine.sync_engine, "before_cursor_execute", note)
    await count_stuck(context)
    event.remove(context.db.engine.sync_engine, "before_cursor_execute", note)
    async with context.db.engine.connect() as connection:
        rows = await connection.exec_driver_sql(f"EXPLAIN {asked[-1]}", given[-1])
        return "\n".join(row[0] for row in rows)
