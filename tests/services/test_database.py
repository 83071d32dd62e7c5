"""The pool: connections that died are not handed out, what is only read is not written, and what is lost is said so."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import event, text
from sqlmodel import select

from lian.db.session import Database, DatabaseUnavailable, one_row
from lian.db.tables import Staff
from lian.services.context import Context
from lian.settings import Settings
from tests.cast import hire

MINE = "usename = current_user AND datname = current_database()"
"""Not those of the server itself, such as one that cleans up."""
OTHERS = f"FROM pg_stat_activity WHERE {MINE} AND pid <> pg_backend_pid()"


async def end_all_connections(settings: Settings) -> None:
    """As when the server is started anew: everybody else is told goodbye."""
    other = Database(settings.database_url.get_secret_value())
    async with other.transaction() as session:
        assert (await session.execute(text(f"SELECT pg_terminate_backend(pid) {OTHERS}"))).all()
    async with other.reading() as session:
        while (await session.execute(text(f"SELECT count(*) {OTHERS}"))).scalar_one():
            await asyncio.sleep(0.02)
    await other.close()


async def ask(context: Context) -> None:
    async with context.transaction() as session:
        assert (await session.execute(text("SELECT 1"))).scalar() == 1
    async with context.reading() as session:
        assert (await session.execute(text("SELECT 2"))).scalar() == 2
    assert await context.db.fetch("SELECT %(n)s::int", {"n": 3}) == [(3,)]


async def test_a_connection_that_was_ended_is_not_handed_out(context: Context, settings: Settings) -> None:
    for _ in range(3):
        await ask(context)
        await end_all_connections(settings)
        await ask(context)  # at once, though it answered a moment ago


async def test_a_connection_that_answered_a_moment_ago_is_not_asked_again(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for _ in range(2):
        await ask(context)
    event.listen(context.db.engine.sync_engine, "before_cursor_execute", lambda _c, _u, said, *_: asked.append(said))
    dialect, pinged = context.db.engine.sync_engine.dialect, []
    monkeypatch.setattr(dialect, "do_ping", pinged.append)
    await ask(context)
    assert (asked, pinged) == (["SELECT 1", "SELECT 2"], [])


async def test_several_questions_go_one_way_and_each_sees_what_the_one_before_waited_for(context: Context) -> None:
    lock = "SELECT pg_advisory_xact_lock(7)"
    async with context.transaction() as first:
        await one_row(first, lock, "SELECT 1", given={})
        await hire(context, "wang")
        waiting = asyncio.create_task(counted_after(context, lock))
        await asyncio.sleep(0.2)
        await hire(context, "li")
    assert await waiting == (2,)


async def counted_after(context: Context, lock: str) -> tuple[int, ...]:
    async with context.transaction() as session:
        return await one_row(session, lock, "SELECT count(*) FROM staff", given={})


async def test_questions_whose_connection_is_lost_meanwhile_say_so(context: Context) -> None:
    end_oneself = "SELECT pg_terminate_backend(pg_backend_pid())"
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            async with context.transaction() as session:
                await one_row(session, end_oneself, "SELECT 1", given={})
    await ask(context)


async def test_a_query_whose_connection_is_lost_meanwhile_says_so(context: Context, settings: Settings) -> None:
    await ask(context)
    end_oneself = "SELECT pg_terminate_backend(pg_backend_pid())"
    with pytest.raises(DatabaseUnavailable):
        await context.db.fetch(end_oneself, {})
    with pytest.raises(DatabaseUnavailable):
        async with context.reading() as session:
            await session.execute(text(end_oneself))
    with pytest.raises(DatabaseUnavailable):
        async with context.transaction() as session:
            await session.execute(text(end_oneself))
    await ask(context)


async def test_what_is_only_read_cannot_be_changed(context: Context) -> None:
    await hire(context, "wang")
    with pytest.raises(RuntimeError, match="only read"):
        async with context.reading() as session:
            staff = (await session.execute(select(Staff))).scalars().one()
            staff.name = "someone else"
            await session.flush()
    async with context.reading() as session:
        assert (await session.execute(select(Staff.name))).scalars().one() == "王敏"


async def test_json_is_read_as_it_was_written(context: Context) -> None:
    value = {"说": [1, 2.5, -0.1, 10**30, None, True, "😀\u0001", {"": []}], "deep": [[[]]]}
    await hire(context, "wang")
    async with context.transaction() as session:
        (await session.execute(select(Staff))).scalars().one().skills = value
    async with context.reading() as session:
        assert (await session.execute(select(Staff.skills))).scalars().one() == value
