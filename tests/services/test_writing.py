"""One step of a case in one statement: what is stored is what the session would have stored (SEC-3)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from lian.db.journal import compare, lock_chain, verify
from lian.db.tables import Case, JournalEntry, PersonKey, Task
from lian.db.writing import MOST_ENTRIES
from lian.domain import journal as j
from lian.services import desk
from lian.services.context import Context
from lian.services.intake import Registered
from lian.services.recording import put_on_record
from tests.api.conftest import open_task
from tests.cast import hire, reported_claim


@pytest.fixture
async def claim(context: Context) -> Registered:
    return await reported_claim(context)


async def record(context: Context, case_id: UUID, *events: j.Event) -> None:
    async with context.transaction() as session:
        recorded = [j.Recorded(at=context.now(), actor="system", event=each) for each in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def assert_sound(context: Context) -> None:
    """The chains hold, and the rows are what the journal says."""
    async with context.transaction() as session:
        assert (await verify(session)).damages == []
        assert (await compare(session, context.ring)).damages == []


@pytest.mark.req("SEC-3")
async def test_a_step_that_only_changes_rows_is_written_in_one_go(context: Context, claim: Registered) -> None:
    wang = await hire(context, "wang")
    task_id = await open_task(context, claim.case_id)
    said: list[str] = []
    listen = context.db.engine.sync_engine
    event.listen(listen, "before_cursor_execute", lambda _c, _u, statement, *_: said.append(statement.split()[0]))
    await desk.claim_task(context, wang, task_id)
    writing = [first for first in said if first != "SELECT"]
    assert writing == ["WITH"]
    await assert_sound(context)


@pytest.mark.req("SEC-3")
@pytest.mark.parametrize("count", [1, MOST_ENTRIES, MOST_ENTRIES + 1])
async def test_steps_of_any_length_leave_a_sound_journal(context: Context, claim: Registered, count: int) -> None:
    task_id = await open_task(context, claim.case_id)
    until = context.now() + timedelta(days=1)
    held = [j.TaskHeld(task_id=task_id, reason=f"reason {n} 原因", until=until) for n in range(count)]
    await record(context, claim.case_id, *held)
    await record(
        context, claim.case_id, j.TaskCompleted(task_id=task_id, outcome={"说": ["a", None, 1.5, {"b": True}]})
    )
    await assert_sound(context)
    async with context.transaction() as session:
        task = await session.get_one(Task, task_id)
        assert task.outcome == {"说": ["a", None, 1.5, {"b": True}]}
        assert task.hold_reason == f"reason {count - 1} 原因"


@pytest.mark.req("SEC-3")
async def test_rows_that_were_written_are_not_written_again(context: Context, claim: Registered) -> None:
    task_id = await open_task(context, claim.case_id)
    async with context.transaction() as session:
        events = (j.TaskClaimed(task_id=task_id, holder="staff:a", how="claim"), j.TaskReleased(task_id=task_id))
        for each in events:
            recorded = [j.Recorded(at=context.now(), actor="system", event=each)]
            await put_on_record(context, session, case_id=claim.case_id, recorded=recorded)
            for row in session.dirty:
                assert not session.is_modified(row)
        task = await session.get_one(Task, task_id)
        stored = (await session.execute(text("SELECT holder, version FROM tasks"))).one()
        assert stored == (task.holder, task.version) == ("", (await session.get_one(Case, claim.case_id)).version)
    await assert_sound(context)


async def test_what_else_was_changed_in_the_transaction_is_written_with_it(context: Context, claim: Registered) -> None:
    wang = await hire(context, "wang")
    task_id = await open_task(context, claim.case_id)
    async with context.transaction() as session:
        account = await session.get_one(desk.tasks.Staff, UUID(wang.id.removeprefix("staff:")))
        account.team, account.skills = "north", {"english": ""}
        recorded = [j.Recorded(at=context.now(), actor=wang.id, event=j.TaskReleased(task_id=task_id))]
        await put_on_record(context, session, case_id=claim.case_id, recorded=recorded)
        stored = (await session.execute(text("SELECT team, skills FROM staff"))).one()
        assert stored == ("north", {"english": ""})


async def test_a_row_that_is_gone_is_noticed(context: Context, claim: Registered) -> None:
    task_id = await open_task(context, claim.case_id)
    async with context.transaction() as session:
        task = await session.get_one(Task, task_id)
        await session.execute(text("DELETE FROM tasks"))
        recorded = [j.Recorded(at=context.now(), actor="system", event=j.TaskReleased(task_id=task.id))]
        with pytest.raises(RuntimeError, match="is gone"):
            await put_on_record(context, session, case_id=claim.case_id, recorded=recorded)
        await session.rollback()


# --- locks and keys ---------------------------------------------------------------------------------------------------


async def test_a_chain_is_locked_once_for_each_transaction(context: Context, claim: Registered) -> None:
    asked: list[str] = []
    listen = context.db.engine.sync_engine
    event.listen(listen, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    for _ in range(2):
        asked.clear()
        async with context.transaction() as session:
            first = await lock_chain(session, claim.case_id)
            assert await lock_chain(session, claim.case_id) is first
        assert len([each for each in asked if "FOR UPDATE" in each]) == 1


async def test_a_chain_that_was_locked_before_a_rollback_is_locked_anew(context: Context, claim: Registered) -> None:
    asked: list[str] = []
    listen = context.db.engine.sync_engine
    event.listen(listen, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    async with AsyncSession(context.db.engine) as session:
        for _ in range(2):
            await lock_chain(session, claim.case_id)
            await session.rollback()
    assert len([each for each in asked if "FOR UPDATE" in each]) == 2


@pytest.mark.req("SEC-2")
async def test_an_event_without_personal_fields_asks_for_no_key(context: Context, claim: Registered) -> None:
    task_id = await open_task(context, claim.case_id)
    async with context.transaction() as session:
        before = (await session.execute(select(PersonKey.person_id))).scalars().all()
        await session.execute(text("DELETE FROM person_keys"))
    await record(context, claim.case_id, j.TaskClaimed(task_id=task_id, holder="staff:a", how="claim"))
    async with context.transaction() as session:
        assert (await session.execute(select(PersonKey.person_id))).scalars().all() == []
    comment = j.TaskCommented(task_id=task_id, comment_id=uuid4(), text="私下的话")
    await record(context, claim.case_id, comment)
    async with context.transaction() as session:
        assert (await session.execute(select(PersonKey.person_id))).scalars().all() == before[:1]
        query = select(JournalEntry).where(JournalEntry.type == "task.commented")
        assert "私下的话" not in str((await session.execute(query)).scalars().one().body)
