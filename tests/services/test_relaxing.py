"""A free task that nobody with the wanted skills took may be done by others after a while; licences never relax."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from lian.db.journal import compare, verify
from lian.db.tables import JournalEntry, Task
from lian.domain import journal as j
from lian.services import desk
from lian.services.context import Context
from lian.services.desk import relaxing
from lian.services.desk.relaxing import relax
from lian.services.watchdog import sweep
from tests.api.conftest import as_process, open_task
from tests.cast import hire, reported_claim

pytestmark = pytest.mark.req("TSK-3")


async def wanting(context: Context, *skills: str, queue: str = "claims.review") -> UUID:
    """A task that was just opened and routed."""
    case_id = (await reported_claim(context)).case_id
    task_id = await open_task(context, case_id)
    await as_process(context, case_id, j.TaskRouted(task_id=task_id, queue=queue, skills=skills))
    return task_id


def after(context: Context, **time: float) -> None:
    later = context.now() + timedelta(**time)
    context.now = lambda: later


async def skills_of(context: Context, task_id: UUID) -> Sequence[str]:
    async with context.transaction() as session:
        return list((await session.get_one(Task, task_id)).skills)


async def relaxed_events(context: Context) -> list[JournalEntry]:
    async with context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.type == "task.relaxed")
        return list((await session.execute(query)).scalars())


async def test_skills_are_wanted_for_four_hours_and_licences_for_ever(context: Context) -> None:
    task_id = await wanting(context, "lang:en", "licence:survey", "skill:flood")
    after(context, hours=3, minutes=59)
    assert await relax(context) == 0
    after(context, minutes=2)
    assert await relax(context) == 1
    assert await skills_of(context, task_id) == ["licence:survey"]
    (entry,) = await relaxed_events(context)
    assert (entry.body["skills"], entry.actor) == (["lang:en", "skill:flood"], "system")
    async with context.transaction() as session:
        assert (await session.get_one(Task, task_id)).needs.endswith("/licence:survey")
        damages = (await verify(session)).damages + (await compare(session, context.ring)).damages
    assert damages == []


async def test_once_more_changes_nothing(context: Context) -> None:
    await wanting(context, "lang:en")
    after(context, hours=5)
    assert [await relax(context), await relax(context)] == [1, 0]
    assert len(await relaxed_events(context)) == 1


async def test_a_task_that_somebody_has_stays_as_it_is(context: Context) -> None:
    wang, task_id = await hire(context, "wang"), await wanting(context, "lang:en")
    await desk.claim_task(context, wang, task_id)
    after(context, hours=5)
    assert await relax(context) == 0
    await desk.release_task(context, wang, task_id)
    assert await relax(context) == 1


async def test_the_house_says_how_long_skills_are_waited_for(context: Context) -> None:
    await wanting(context, "lang:en")
    context.settings.desk_relax_after_hours = 0.5
    after(context, minutes=31)
    assert await relax(context) == 1


async def test_a_round_is_bounded_and_the_next_goes_on(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaxing, "MOST_RELAXED", 2)
    for queue in ("claims.review", "claims.review", "claims.external"):
        await wanting(context, "lang:en", queue=queue)
    after(context, hours=5)
    assert [await relax(context), await relax(context), await relax(context)] == [2, 1, 0]


async def test_the_watchdog_relaxes(context: Context) -> None:
    task_id = await wanting(context, "lang:en")
    after(context, hours=5)
    await sweep(context)
    assert await skills_of(context, task_id) == []
