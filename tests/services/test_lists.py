"""Lists of the desk: every filter and every order against a plain loop over all rows, page by page (TSK-1, TSK-2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Case, Staff, Task
from lian.domain import journal as j
from lian.domain.errors import Invalid
from lian.services import desk
from lian.services.context import Context
from lian.services.desk import SORTS, TaskQuery, lists, place_of, read_place, write_place
from lian.services.recording import put_on_record
from tests.api.conftest import as_process, open_task, start_clock
from tests.cast import hire, reported_claim

QUEUES = ("claims.review", "claims.assessment", "claims.authority", "inquiries.answer")
KINDS = ("initial_review", "assess_loss", "authorise")
FAR = datetime.max.replace(tzinfo=UTC)


@dataclass
class Office:
    """Thirty open tasks and some closed ones; wang and chen have some of them."""

    wang: Actor
    chen: Actor
    li: Actor
    rows: Sequence[tuple[Task, Case]]
    now: datetime

    def wanted(self, is_wanted: Callable[[Task, Case], bool], sort: str = "urgency") -> list[UUID]:
        """The ids a list must have, in order."""
        found = [task for task, case in self.rows if task.status == "open" and is_wanted(task, case)]
        return [task.id for task in sorted(found, key=KEYS[sort], reverse=sort in {"newest", "amount"})]


KEYS: dict[str, Callable[[Task], Any]] = {
    "urgency": lambda task: (task.urgency, task.id),
    "due": lambda task: (task.act_by_at or FAR, task.id),
    "oldest": lambda task: (task.opened_at, task.id),
    "newest": lambda task: (task.opened_at, task.id),
    "amount": lambda task: (task.amount, task.id),
}


@pytest.fixture
async def office(context: Context) -> Office:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    await put_in_team(context, chen, "south")
    random = Random(7)
    for n in range(6):
        claim = await reported_claim(context)
        if n % 2:
            await start_clock(context, claim.case_id, amount=1 + n)
        for _ in range(6):
            await a_task(context, random, claim.case_id, [wang, chen])
    await make_equal(context)
    async with context.transaction() as session:
        rows = [tuple(row) for row in await session.execute(select(Task, Case).where(Task.case_id == Case.id))]
    return Office(wang, chen, li, rows, context.now())


async def put_in_team(context: Context, actor: Actor, team: str) -> None:
    async with context.transaction() as session:
        (await session.get_one(Staff, UUID(actor.id.removeprefix("staff:")))).team = team


async def a_task(context: Context, random: Random, case_id: UUID, people: Sequence[Actor]) -> None:
    task_id = await open_task(context, case_id, kind=random.choice(KINDS), ask={})
    routed = j.TaskRouted(task_id=task_id, queue=random.choice(QUEUES), is_raised=random.random() < 0.3)
    events: list[j.Event] = [routed]
    if random.random() < 0.5:
        events.append(j.TaskClaimed(task_id=task_id, holder=random.choice(people).id, how="claim"))
    if random.random() < 0.4:
        until = context.now() + timedelta(hours=random.choice([-1, 5]))
        events.append(j.TaskHeld(task_id=task_id, reason="expert", until=until))
    if random.random() < 0.2:
        events.append(j.TaskCompleted(task_id=task_id, outcome={}))
    async with context.transaction() as session:
        recorded = [j.Recorded(at=context.now(), actor="system", event=event) for event in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def make_equal(context: Context) -> None:
    """Many tasks with the same value: then the id decides. Some are late, some of another stage, line or amount."""
    async with context.transaction() as session:
        tasks = (await session.execute(select(Task).order_by(col(Task.id)))).scalars().all()
        for n, task in enumerate(tasks):
            task.opened_at = context.now() - timedelta(days=n % 4)
            task.amount, task.stage = Decimal(n % 3 * 1000), ("review", "decision")[n % 2]
            task.urgency = task.urgency if n % 3 else tasks[0].urgency
            if task.act_by_at and n % 5 == 0:
                task.act_by_at = context.now() - timedelta(hours=1)
        await session.execute(update(Case).where(col(Case.id) == tasks[0].case_id).values(line="health"))


async def ids(context: Context, actor: Actor, **query: Any) -> list[UUID]:
    return [found.task.id for found in await desk.list_tasks(context, actor, TaskQuery(**query))]


# --- orders and pages -------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1", "TSK-2")
async def test_pages_follow_each_other_without_gaps_in_every_order(context: Context, office: Office) -> None:
    some = replace(office.li, queues=QUEUES[:3])
    for actor, may in ((office.li, set(QUEUES)), (some, set(QUEUES[:3]))):
        for sort in SORTS:
            wanted = office.wanted(lambda task, _, may=may: task.queue in may, sort)  # type: ignore[misc]
            assert await paged(context, actor, sort, 4) == wanted
            assert await ids(context, actor, sort=sort, limit=100) == wanted


async def paged(context: Context, actor: Actor, sort: str, limit: int) -> list[UUID]:
    """All pages, each from the place where the one before ended, as it is written in an address."""
    found: list[UUID] = []
    query = TaskQuery(sort=sort, limit=limit)
    while page := await desk.list_tasks(context, actor, query):
        found += [each.task.id for each in page]
        mark = write_place(place_of(page[-1].task, sort))
        query = replace(query, after=read_place(mark, sort))
    return found


@pytest.mark.req("TSK-1")
async def test_a_page_keeps_its_place_while_rows_before_it_go(context: Context, office: Office) -> None:
    first = await desk.list_tasks(context, office.li, TaskQuery(limit=5))
    gone = first[2].task
    await as_process(context, gone.case_id, j.TaskCancelled(task_id=gone.id, why="withdrawn"))
    following = await ids(context, office.li, after=place_of(first[-1].task, "urgency"), limit=5)
    assert following == office.wanted(lambda *_: True)[5:10]


async def test_an_order_that_there_is_not_is_refused(context: Context, office: Office) -> None:
    for listed in (desk.list_tasks, desk.count_tasks):
        with pytest.raises(Invalid, match="cannot be sorted like this"):
            await listed(context, office.li, TaskQuery(sort="holder"))


INSTANTS = st.datetimes(min_value=datetime(1901, 1, 1), max_value=datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
VALUES = {
    "urgency": st.integers(0, 2**63 - 1),
    "due": INSTANTS | st.none(),
    "oldest": INSTANTS,
    "newest": INSTANTS,
    "amount": st.decimals(0, 10**11, places=2),
}


@given(sort=st.sampled_from(sorted(SORTS)), data=st.data(), task_id=st.uuids())
def test_a_place_is_read_as_it_was_written(sort: str, data: st.DataObject, task_id: UUID) -> None:
    place = (data.draw(VALUES[sort]), task_id)
    assert read_place(write_place(place), sort) == place


@given(sort=st.sampled_from(sorted(SORTS)), text=st.text(max_size=60))
def test_what_was_not_written_here_is_no_place(sort: str, text: str) -> None:
    with pytest.raises(ValueError):
        read_place(text, sort)


# --- filters ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_every_filter_finds_what_a_plain_loop_finds(context: Context, office: Office) -> None:
    now, chen = office.now, office.chen.id
    filters: list[tuple[dict[str, Any], Callable[[Task, Case], bool]]] = [
        ({"queue": QUEUES[1]}, lambda task, _: task.queue == QUEUES[1]),
        ({"queue": "nowhere"}, lambda *_: False),
        ({"unclaimed": True}, lambda task, _: not task.holder),
        ({"holder": "@none"}, lambda task, _: not task.holder),
        ({"holder": chen}, lambda task, _: task.holder == chen),
        ({"holder": chen, "queue": QUEUES[0]}, lambda task, _: task.holder == chen and task.queue == QUEUES[0]),
        ({"holder": "staff:nobody"}, lambda *_: False),
        ({"team": "south"}, lambda task, _: task.holder == chen),
        ({"team": "north"}, lambda *_: False),
        ({"kind": "claim"}, lambda *_: True),
        ({"kind": "inquiry"}, lambda *_: False),
        ({"task": KINDS[1]}, lambda task, _: task.kind == KINDS[1]),
        ({"stage": "decision"}, lambda task, _: task.stage == "decision"),
        ({"line": "health"}, lambda _, case: case.line == "health"),
        ({"line": "motor", "unclaimed": True}, lambda task, case: case.line == "motor" and not task.holder),
        ({"on_hold": True}, lambda task, _: task.hold_until is not None and task.hold_until > now),
        ({"on_hold": False}, lambda task, _: task.hold_until is None or task.hold_until <= now),
        ({"raised": True}, lambda task, _: task.is_raised),
        ({"late": True}, lambda task, _: task.act_by_at is not None and task.act_by_at < now),
    ]
    for query, is_wanted in filters:
        for sort in ("urgency", "due", "amount"):
            wanted = office.wanted(is_wanted, sort)
            assert await ids(context, office.li, sort=sort, **query) == wanted, query
            counted = await desk.count_tasks(context, office.li, TaskQuery(sort=sort, limit=2, **query))
            assert (counted.n, counted.is_more) == (len(wanted), False)


@pytest.mark.req("TSK-1")
async def test_what_is_mine_is_mine_in_whatever_queue(context: Context, office: Office) -> None:
    wang = replace(office.wang, queues=(QUEUES[0],))
    wanted = office.wanted(lambda task, _: task.holder == wang.id)
    assert {task.queue for task, _ in office.rows if task.id in wanted} > {QUEUES[0]}
    for query in ({"mine": True}, {"holder": "@me"}):
        assert await ids(context, wang, **query) == wanted
        within = office.wanted(lambda task, _: task.holder == wang.id and task.queue == QUEUES[1])
        assert await ids(context, wang, queue=QUEUES[1], **query) == within


@pytest.mark.req("SEC-1")
async def test_what_others_have_is_seen_within_ones_queues_only(context: Context, office: Office) -> None:
    wang = replace(office.wang, queues=(QUEUES[0],))
    wanted = office.wanted(lambda task, _: task.holder == office.chen.id and task.queue == QUEUES[0])
    assert await ids(context, wang, holder=office.chen.id) == wanted
    assert await ids(context, wang, team="south") == wanted
    assert await ids(context, wang, queue=QUEUES[1]) == []


@pytest.mark.req("SEC-1")
async def test_people_outside_see_what_was_given_to_them_and_nothing_else(context: Context, office: Office) -> None:
    wei, free = await hire(context, "wei"), next(task for task, _ in office.rows if task.status == "open")
    for query in ({}, {"unclaimed": True}, {"holder": office.chen.id}, {"team": "south"}, {"queue": free.queue}):
        assert await ids(context, wei, **query) == []
        assert (await desk.count_tasks(context, wei, TaskQuery(**query))).n == 0
    claimed = j.TaskClaimed(task_id=free.id, holder=wei.id, how="assign")
    await as_process(context, free.case_id, claimed)
    for query in ({}, {"mine": True}, {"queue": free.queue}, {"kind": "claim"}):
        assert await ids(context, wei, **query) == [free.id]
    assert [(q.queue, q.open, q.unclaimed) for q in await desk.queues(context, wei) if q.open] == [(free.queue, 1, 0)]


@pytest.mark.req("CLM-14")
async def test_a_look_into_suspicion_is_listed_and_counted_for_readers_of_risk_alone(context: Context) -> None:
    claim = await reported_claim(context)
    task_id = await open_task(context, claim.case_id, kind="examine_suspicion", queue="claims.special", ask={})
    for name, wanted in (("shen", [task_id]), ("sun", [])):
        actor = await hire(context, name)
        assert await ids(context, actor) == wanted
        assert (await desk.count_tasks(context, actor, TaskQuery())).n == len(wanted)
        assert sum(queue.open for queue in await desk.queues(context, actor)) == len(wanted)


async def test_of_a_row_in_a_list_what_is_long_is_left_out_and_asking_for_it_is_an_error(
    context: Context, office: Office
) -> None:
    found = (await desk.list_tasks(context, office.li, TaskQuery(limit=1)))[0]
    stored = next((task, case) for task, case in office.rows if task.id == found.task.id)
    for row, whole, names in ((found.task, stored[0], lists.OF_TASK), (found.case, stored[1], lists.OF_CASE)):
        assert {name: getattr(row, name) for name in names} == {name: getattr(whole, name) for name in names}
    with pytest.raises(AttributeError):
        found.case.plan  # noqa: B018


# --- counts -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_counts_end_where_nobody_reads_on(
    context: Context, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "COUNTED", 3)
    counted = await desk.count_tasks(context, office.li, TaskQuery())
    assert (counted.n, counted.is_more) == (3, True)
    for queue in await desk.queues(context, office.li):
        n = len(office.wanted(lambda task, _, queue=queue: task.queue == queue.queue))  # type: ignore[misc]
        assert (queue.open, queue.is_more) == (min(n, 3), n > 3)


@pytest.mark.req("TSK-1")
async def test_queues_say_how_much_is_open_and_how_much_of_it_is_free(context: Context, office: Office) -> None:
    for actor in (office.li, replace(office.li, queues=QUEUES[1:])):
        found = {queue.queue: (queue.open, queue.unclaimed) for queue in await desk.queues(context, actor)}
        for queue in QUEUES:
            n = len(office.wanted(lambda task, _, queue=queue: task.queue == queue))  # type: ignore[misc]
            free = len(office.wanted(lambda task, _, queue=queue: task.queue == queue and not task.holder))  # type: ignore[misc]
            is_theirs = queue in actor.queues or "*" in actor.queues
            assert found.get(queue) == ((n, free) if is_theirs else None)
