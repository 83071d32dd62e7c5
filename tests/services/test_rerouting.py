"""Publishing where tasks belong, and putting open tasks where a new table says: looked at first, then done."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, func, select

from lian.auth.actor import Actor
from lian.db.journal import compare, verify
from lian.db.tables import ChainHead, JournalEntry, RoutingTable, Staff, Task
from lian.domain import journal as j
from lian.domain.errors import Conflict, Invalid, NotAllowed, Unavailable
from lian.domain.queues import UNROUTED
from lian.services import desk
from lian.services.context import Context
from lian.services.desk import rerouting
from lian.services.desk.relaxing import relax
from lian.services.desk.rerouting import Applied, Place, apply_routes, preview_routes
from lian.services.desk.routing import publish_routes, show_routes
from lian.services.route_reading import shipped_table
from lian.services.routes import BadRoutes
from lian.settings import Settings
from tests.api.conftest import as_process, open_task
from tests.cast import hire, reported_claim
from tests.command_line import as_installed, lian
from tests.services.made_routes import KEEP_ALL, written

__all__ = ["as_installed"]

pytestmark = pytest.mark.req("TSK-3")

ZHOU = Actor(id="staff:zhou", name="周婷", roles=("operations",))
TO_EXTERNAL = {"_id": "motor", "line": "'motor'", "queue": "'claims.external'"}


async def publish(context: Context, *rules: dict[str, str], why: str = "The board decided") -> str:
    return await publish_routes(context, ZHOU, written(*rules), why=why)


async def task_of(context: Context, task_id: UUID) -> Task:
    async with context.transaction() as session:
        return await session.get_one(Task, task_id)


async def a_task(context: Context, **more: Any) -> UUID:
    return await open_task(context, (await reported_claim(context)).case_id, **more)


async def events_of(context: Context, task_id: UUID) -> list[str]:
    async with context.transaction() as session:
        query = select(JournalEntry.type).where(col(JournalEntry.body)["task_id"].astext == str(task_id))
        return list((await session.execute(query.order_by(col(JournalEntry.chain_seq)))).scalars())


async def apply_all(context: Context, token: str) -> list[Applied]:
    rounds: list[Applied] = []
    after: Place | None = None
    while not rounds or after is not None:
        rounds.append(await apply_routes(context, ZHOU, token=token, after=after))
        after = rounds[-1].after
    return rounds


async def sound(context: Context) -> bool:
    async with context.transaction() as session:
        return not ((await verify(session)).damages + (await compare(session, context.ring)).damages)


# --- publishing -------------------------------------------------------------------------------------------------------


async def test_a_published_table_counts_for_new_tasks_and_leaves_open_ones(context: Context) -> None:
    before = await a_task(context)
    assert (await show_routes(context, ZHOU)).version == "routes/1"
    assert await publish(context, TO_EXTERNAL, KEEP_ALL) == "house-routes/1"
    after = await a_task(context)
    assert [(await task_of(context, t)).queue for t in (before, after)] == ["claims.review", "claims.external"]
    found = await show_routes(context, ZHOU)
    assert found.table is not None
    assert (found.version, [row.route.rule for row in found.table.rows]) == ("house-routes/1", ["motor", "all_others"])
    (row,) = found.published
    assert (row.version, row.published_by, row.why) == ("house-routes/1", ZHOU.id, "The board decided")


async def test_versions_follow_each_other_also_when_two_publish_at_once(context: Context) -> None:
    tables = [written(TO_EXTERNAL | {"_id": f"row_{n}"}, KEEP_ALL) for n in range(4)]
    published = await asyncio.gather(*(publish_routes(context, ZHOU, table, why="all at once") for table in tables))
    assert sorted(published) == [f"house-routes/{n}" for n in (1, 2, 3, 4)]


async def test_what_is_wrong_is_not_published(context: Context) -> None:
    for draft, why, refusal in (
        (written(TO_EXTERNAL | {"queue": "'claims.extrenal'"}), "why", BadRoutes),
        (written(KEEP_ALL), " \n ", Invalid),
        (written(KEEP_ALL), "x" * 501, Invalid),
        (json.dumps(shipped_table().body), "the same once more", Conflict),
    ):
        with pytest.raises(refusal):
            await publish_routes(context, ZHOU, draft, why=why)
    async with context.transaction() as session:
        assert (await session.execute(select(func.count()).select_from(RoutingTable))).scalar_one() == 0


@pytest.mark.req("SEC-1")
async def test_only_who_routes_may_look_publish_and_move(context: Context) -> None:
    for name in ("wang", "li", "gao", "qian"):
        actor = await hire(context, name)
        for work in (
            show_routes(context, actor),
            publish_routes(context, actor, written(KEEP_ALL), why="why"),
            preview_routes(context, actor),
            apply_routes(context, actor, token="1.1.x"),
        ):
            with pytest.raises(NotAllowed):
                await work
    assert (await show_routes(context, await hire(context, "admin"))).version == "routes/1"


# --- looking ----------------------------------------------------------------------------------------------------------


async def test_a_preview_counts_what_would_move_and_changes_nothing(context: Context) -> None:
    tasks = [await a_task(context) for _ in range(3)]
    inquiry_like = await a_task(context, kind="authorise", queue="claims.authority")
    draft = written(TO_EXTERNAL | {"task": "'initial_review'", "raised": "true"}, {"_id": "rest", "queue": "'keep'"})
    seen = await preview_routes(context, ZHOU, draft)
    assert (seen.version, seen.token, seen.open_tasks, seen.changed) == ("draft", "", 4, 3)
    assert dict(seen.moves) == {("claims.review", "claims.external"): 3}
    assert {move.task_id for move in seen.listed} == set(tasks)
    assert {(m.after.rule, m.after.is_raised, m.loses_holder) for m in seen.listed} == {("motor", True, False)}
    for task_id in (*tasks, inquiry_like):
        assert await events_of(context, task_id) == ["task.opened"]


async def test_a_table_that_leaves_tasks_out_shows_how_many_the_error_queue_would_get(context: Context) -> None:
    await a_task(context)
    seen = await preview_routes(context, ZHOU, written({"_id": "health", "line": "'health'", "queue": "'keep'"}))
    assert dict(seen.moves) == {("claims.review", UNROUTED): 1}


@pytest.mark.req("SEC-1")
async def test_everything_is_counted_and_only_what_one_may_see_is_listed(context: Context) -> None:
    await a_task(context)
    await a_task(context, kind="examine_suspicion", queue="claims.special")
    draft = written({"_id": "all", "queue": "'claims.authority'"})
    of_operations = await preview_routes(context, ZHOU, draft)
    assert (of_operations.changed, [m.kind for m in of_operations.listed]) == (2, ["initial_review"])
    of_administrator = await preview_routes(context, await hire(context, "admin"), draft)
    assert (of_administrator.changed, of_administrator.listed) == (2, [])


async def test_many_tasks_are_read_page_by_page(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerouting, "AT_ONCE", 2)
    monkeypatch.setattr(rerouting, "MOST_LISTED", 1)
    for queue in ("claims.review", "claims.authority", "claims.review", "claims.review"):
        await a_task(context, queue=queue)
    seen = await preview_routes(context, ZHOU, written(TO_EXTERNAL))
    assert (seen.open_tasks, seen.changed, len(seen.listed)) == (4, 4, 1)


# --- doing ------------------------------------------------------------------------------------------------------------


async def test_open_tasks_go_where_the_table_says_and_the_journal_names_who_and_by_which_row(context: Context) -> None:
    moved, kept = await a_task(context), await a_task(context, kind="authorise", queue="claims.authority")
    await publish(context, TO_EXTERNAL | {"task": "'initial_review'", "green": "true"}, KEEP_ALL)
    seen = await preview_routes(context, ZHOU)
    (done,) = await apply_all(context, seen.token)
    assert (done.version, done.moved, done.released, done.failures) == ("house-routes/1", 1, 0, [])
    task = await task_of(context, moved)
    assert (task.queue, task.is_green) == ("claims.external", True)
    assert (await events_of(context, moved), await events_of(context, kept)) == (
        ["task.opened", "task.routed"],
        ["task.opened"],
    )
    async with context.transaction() as session:
        entry = (await session.execute(select(JournalEntry).where(JournalEntry.type == "task.routed"))).scalars().one()
    assert (entry.actor, entry.body["table"], entry.body["rule"]) == (ZHOU.id, "house-routes/1", "motor")
    assert [each.moved for each in await apply_all(context, seen.token)] == [0], "once more changes nothing"
    assert await sound(context)


async def test_who_has_a_task_keeps_it_unless_they_lack_a_licence_that_it_needs_now(context: Context) -> None:
    people = {name: await hire(context, name) for name in ("wang", "chen")}
    async with context.transaction() as session:
        chen = (await session.execute(select(Staff).where(Staff.username == "chen"))).scalars().one()
        chen.skills = {"licence:survey": "2099-12-31"}
    tasks = {name: await a_task(context) for name in people}
    for name, person in people.items():
        await desk.claim_task(context, person, tasks[name])
    await publish(context, TO_EXTERNAL | {"skills": "['lang:en', 'licence:survey']"}, KEEP_ALL)
    seen = await preview_routes(context, ZHOU)
    assert (seen.changed, seen.losing_holder) == (2, 1)
    (done,) = await apply_all(context, seen.token)
    assert (done.moved, done.released) == (2, 1)
    holders = {name: (await task_of(context, task_id)).holder for name, task_id in tasks.items()}
    assert holders == {"wang": "", "chen": people["chen"].id}
    assert await sound(context)


async def test_a_task_leaves_the_error_queue_once_a_row_fits_it(context: Context) -> None:
    await publish(context, {"_id": "health", "line": "'health'", "queue": "'keep'"})
    lost = await a_task(context)
    assert (await task_of(context, lost)).queue == UNROUTED
    await publish(context, KEEP_ALL)
    await apply_all(context, (await preview_routes(context, ZHOU)).token)
    assert (await task_of(context, lost)).queue == "claims.review"


async def test_skills_that_were_waited_for_long_enough_do_not_come_back(context: Context) -> None:
    await publish(context, TO_EXTERNAL | {"skills": "['lang:en', 'licence:survey']"})
    task_id = await a_task(context)
    later = context.now() + timedelta(hours=5)
    context.now = lambda: later
    assert await relax(context) == 1
    seen = await preview_routes(context, ZHOU)
    assert seen.changed == 0
    assert (await task_of(context, task_id)).skills == ["licence:survey"]


async def test_a_task_that_somebody_raised_stays_raised(context: Context) -> None:
    task_id, li = await a_task(context), await hire(context, "li")
    await desk.prioritise_task(context, li, task_id, is_raised=True, words="The customer waits abroad")
    assert (await preview_routes(context, ZHOU, written(KEEP_ALL))).changed == 0
    await publish(context, TO_EXTERNAL)
    await apply_all(context, (await preview_routes(context, ZHOU)).token)
    assert (await task_of(context, task_id)).is_raised


async def test_what_was_not_previewed_is_not_moved(context: Context) -> None:
    await publish(context, TO_EXTERNAL)
    seen = await preview_routes(context, ZHOU)
    await publish(context, TO_EXTERNAL | {"_id": "another"})
    with pytest.raises(Conflict, match="published since"):
        await apply_routes(context, ZHOU, token=seen.token)
    seen = await preview_routes(context, ZHOU)
    for token in ("", "nonsense", "nan.0.x", "9" * 300 + ".0.x"):
        with pytest.raises(Invalid, match="Look at the preview first"):
            await apply_routes(context, ZHOU, token=token)
    with pytest.raises(Conflict):
        await apply_routes(context, ZHOU, token=seen.token[:-1] + "x")
    later = context.now() + timedelta(minutes=61)
    context.now = lambda: later
    with pytest.raises(Conflict, match="more than an hour old"):
        await apply_routes(context, ZHOU, token=seen.token)


async def test_tasks_opened_after_the_preview_are_left_alone(context: Context) -> None:
    now = context.now()
    await publish(context, TO_EXTERNAL)
    seen = await preview_routes(context, ZHOU)
    context.now = lambda: now + timedelta(minutes=1)
    task_id = await a_task(context)
    case_id = (await task_of(context, task_id)).case_id
    await as_process(context, case_id, j.TaskRouted(task_id=task_id, queue="claims.review"))
    assert [done.moved for done in await apply_all(context, seen.token)] == [0]


async def test_one_call_moves_so_many_and_says_where_to_go_on(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerouting, "MOST_MOVED", 2)
    tasks = [await a_task(context) for _ in range(5)]
    await publish(context, TO_EXTERNAL)
    seen = await preview_routes(context, ZHOU)
    assert [done.moved for done in await apply_all(context, seen.token)] == [2, 2, 1]
    assert {(await task_of(context, task_id)).queue for task_id in tasks} == {"claims.external"}


async def test_what_fails_is_told_and_holds_up_nothing_else(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    busy, free = await a_task(context), await a_task(context)
    unknown = await a_task(context)
    async with context.transaction() as session:
        task = await session.get_one(Task, unknown)
        task.kind = "of_a_later_release"
    await publish(context, TO_EXTERNAL)
    seen = await preview_routes(context, ZHOU)
    assert (seen.changed, seen.failed, [f.task_id for f in seen.failures]) == (2, 1, [unknown])
    locked, real = (await task_of(context, busy)).case_id, rerouting.lock_chain

    async def one_is_busy(session: Any, case_id: UUID) -> ChainHead:
        if case_id == locked:
            raise Unavailable("The database cannot be reached at the moment. Nothing was saved; try again.")
        return await real(session, case_id)

    monkeypatch.setattr(rerouting, "lock_chain", one_is_busy)
    (done,) = await apply_all(context, seen.token)
    assert {failure.task_id for failure in done.failures} == {busy, unknown}
    assert all(failure.number.startswith("CLM-") and failure.why for failure in done.failures)
    assert [(await task_of(context, t)).queue for t in (busy, free)] == ["claims.review", "claims.external"]


async def test_a_task_that_changed_meanwhile_is_judged_as_it_is_now(context: Context) -> None:
    closed, open_ = await a_task(context), await a_task(context)
    await publish(context, TO_EXTERNAL)
    seen = await preview_routes(context, ZHOU)
    case_id = (await task_of(context, closed)).case_id
    await as_process(context, case_id, j.TaskCancelled(task_id=closed, why="case_ended"))
    (done,) = await apply_all(context, seen.token)
    assert (done.moved, done.failures) == (1, [])
    assert [(await task_of(context, t)).queue for t in (closed, open_)] == ["claims.review", "claims.external"]


async def test_two_who_apply_at_once_move_every_task_once(context: Context) -> None:
    tasks = [await a_task(context) for _ in range(6)]
    await publish(context, TO_EXTERNAL)
    token = (await preview_routes(context, ZHOU)).token
    await asyncio.gather(apply_all(context, token), apply_all(context, token))
    assert {tuple(await events_of(context, t)) for t in tasks} == {("task.opened", "task.routed")}
    assert await sound(context)


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("as_installed")
def test_the_command_line_shows_checks_publishes_and_moves(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    file.write_text(lian("desk", "routes", "show", "--json").output, encoding="utf-8")
    assert json.loads(file.read_text(encoding="utf-8")) == shipped_table().body
    again = lian("desk", "routes", "publish", str(file), "--why", "the same")
    assert (again.exit_code, str(again.exception)) == (1, "This table counts already.")
    file.write_text(written(TO_EXTERNAL | {"line": "'motr'"}), encoding="utf-8")
    wrong = lian("desk", "routes", "validate", str(file))
    assert (wrong.exit_code, str(wrong.exception)) == (1, f"{file}: `motor`: `line` is never `motr`.")
    file.write_text(written(TO_EXTERNAL, KEEP_ALL), encoding="utf-8")
    assert lian("desk", "routes", "validate", str(file)).output.endswith("The table is sound.\n")
    done = lian("desk", "routes", "publish", str(file), "--why", "Motor goes outside")
    assert done.output.startswith("house-routes/1 counts for tasks that are opened from now on")
    assert "Motor goes outside" in lian("desk", "routes", "show").output
    assert "0 of 0 open tasks" in lian("desk", "routes", "preview").output
    assert "0 of 0 open tasks" in lian("desk", "routes", "apply", "--yes").output


async def test_the_command_line_deals_and_moves_open_tasks(
    context: Context, settings: Settings, as_installed: None
) -> None:
    await hire(context, "wang")
    task_id, other = await a_task(context), await a_task(context)
    dealt = await asyncio.to_thread(lian, "desk", "deal", "claims.review", "--limit", "1")
    assert "王敏 (They had the least work, for what they can take)" in dealt.output, dealt.exception
    assert dealt.output.endswith("1 tasks were dealt.\n")
    await publish(context, TO_EXTERNAL)
    moved = await asyncio.to_thread(lian, "desk", "routes", "apply", "--yes")
    assert "house-routes/1: 2 of 2 open tasks would move or change." in moved.output, moved.exception
    assert moved.output.endswith("2 tasks were moved, 0 of them lost their holder, 0 failed.\n")
    assert {(await task_of(context, t)).queue for t in (task_id, other)} == {"claims.external"}
