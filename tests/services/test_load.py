"""Who has how much work, who is stuck, and moving work to others: figures against what was really set up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, update
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.journal import compare
from lian.db.tables import JournalEntry, Task
from lian.domain import journal as j
from lian.domain.calendars import plain_calendar
from lian.domain.errors import Invalid, NotAllowed
from lian.domain.load import Ageing, working_days_before
from lian.domain.queues import UNROUTED
from lian.services import desk
from lian.services.calendars import shipped
from lian.services.context import Context
from lian.services.desk import NewAbsence, queue_load
from lian.services.desk.lists import Count
from lian.services.desk.load import PersonLoad, TeamLoad, team_load
from lian.services.desk.moving import apply
from lian.services.desk.rebalancing import Wanted, propose
from lian.services.recording import put_on_record
from tests.api.conftest import as_process, open_task
from tests.cast import reported_claim
from tests.services.test_alerts import changed, hire

pytestmark = pytest.mark.req("TSK-1")

WEDNESDAY = datetime(2026, 3, 11, 4, tzinfo=UTC)
"""Noon in the office."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _on_a_wednesday(context: Context) -> None:
    context.now = lambda: WEDNESDAY


@contextmanager
def at(context: Context, moment: datetime) -> Iterator[None]:
    real, context.now = context.now, lambda: moment
    try:
        yield
    finally:
        context.now = real


async def task(
    context: Context,
    who: Actor | None = None,
    *,
    due: timedelta | None = None,
    since: timedelta = HOUR,
    aside: bool = False,
    **more: Any,
) -> UUID:
    """A task of a case of its own, whose first promise falls due so long from now, that somebody took on."""
    with at(context, WEDNESDAY - since):
        then = context.now() - HOUR
        case_id = (await reported_claim(context, loss_at=then, reported_at=then)).case_id
        task_id = await open_task(context, case_id, **more)
        if due is not None:
            await promised(context, case_id, WEDNESDAY + due)
        if who:
            await desk.claim_task(context, who, task_id)
        if who and aside:
            await desk.hold_task(context, who, task_id, reason="customer", until=WEDNESDAY + DAY)
    return task_id


async def promised(context: Context, case_id: UUID, due_at: datetime) -> None:
    policy = {"label": {"en": "First look", "zh": "初审"}, "unit": "hours", "amount": 48}
    event = j.ClockStarted(
        clock="t.review", started_at=due_at - 2 * DAY, policy=policy, due_at=due_at, warn_at=None, calendar="plain/1"
    )
    await as_process(context, case_id, event)


async def answered(context: Context, who: Actor, ago: timedelta) -> None:
    """A task that somebody completed so long ago."""
    task_id = await task(context, who, since=ago + HOUR)
    async with context.transaction() as session:
        case_id = (await session.get_one(Task, task_id)).case_id
    with at(context, WEDNESDAY - ago):
        done = j.TaskCompleted(task_id=task_id, outcome={})
        async with context.transaction() as session:
            recorded = [j.Recorded(at=context.now(), actor=who.id, event=done)]
            await put_on_record(context, session, case_id=case_id, recorded=recorded)


def of(load: TeamLoad, username: str) -> PersonLoad:
    return next(one for one in load.people if one.username == username)


# --- load -------------------------------------------------------------------------------------------------------------


async def test_what_people_have_in_hand_is_counted_by_what_is_left_of_it(context: Context) -> None:
    wang, _, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    await changed(context, wang, capacity=5)
    for due in (-2 * DAY, -HOUR, HOUR, 5 * HOUR, 30 * HOUR, 100 * HOUR, None):
        await task(context, wang, due=due, since=3 * DAY)
    await task(context, wang, due=-HOUR, since=5 * DAY, aside=True)
    await answered(context, wang, 2 * DAY)
    await answered(context, wang, 6 * DAY)
    await answered(context, wang, 8 * DAY)
    load = await team_load(context, li)
    found = of(load, "wang")
    assert (found.in_hand.open, found.in_hand.put_aside, found.in_hand.overdue) == (7, 1, 2)
    assert found.in_hand.due == {4: 1, 24: 2, 72: 3}
    assert found.in_hand.oldest_at == WEDNESDAY - 5 * DAY
    assert (found.capacity, found.share, found.done) == (5, 1.4, 2)
    assert of(load, "chen").in_hand.open == 0
    assert of(load, "chen").capacity == context.settings.desk_most_in_hand
    assert next(one.username for one in load.people) == "wang", "fullest hands first"


async def test_queues_say_what_waits_and_how_old_it_is(context: Context) -> None:
    wang, li = await hire(context, "wang"), await hire(context, "li")
    await task(context, wang, due=-HOUR)
    for due, since in (
        (-HOUR, 9 * DAY),
        (HOUR, DAY),
        (5 * HOUR, DAY),
        (30 * HOUR, DAY),
        (100 * HOUR, DAY),
        (None, DAY),
    ):
        await task(context, due=due, since=since)
    put_aside = await task(context, since=20 * DAY)
    await desk.hold_task(context, li, put_aside, reason="customer", until=WEDNESDAY + DAY)
    await task(context, kind="authorise", queue="claims.authority", ask={}, due=2 * DAY)
    queues = {one.queue: one for one in (await team_load(context, li)).queues}
    review = queues["claims.review"]
    assert (review.waiting.n, review.oldest_at, review.overdue.n) == (6, WEDNESDAY - 9 * DAY, 2)
    assert {bucket: count.n for bucket, count in review.ageing.items()} == {
        Ageing.OVERDUE: 2,
        Ageing.HOURS_4: 1,
        Ageing.HOURS_24: 1,
        Ageing.DAYS_3: 1,
        Ageing.LATER: 1,
        Ageing.NONE: 2,
    }
    authority = queues["claims.authority"]
    assert (authority.waiting, authority.ageing[Ageing.DAYS_3]) == (Count(1, is_more=False), Count(1, is_more=False))
    assert queues["claims.settlement"].waiting == Count(0, is_more=False)
    narrow = {one.queue for one in (await team_load(context, replace(li, queues=("claims.authority",)))).queues}
    assert narrow == {"claims.authority", UNROUTED}, "a lead sees what no route fits"


async def test_what_lies_in_a_queue_is_counted_up_to_a_limit(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    li = await hire(context, "li")
    for due in (-HOUR, -HOUR, -HOUR, HOUR, HOUR):
        await task(context, due=due)
    monkeypatch.setattr(queue_load, "COUNTED", 2)
    review = next(one for one in (await team_load(context, li)).queues if one.queue == "claims.review")
    assert (review.waiting, review.overdue) == (Count(2, is_more=True), Count(2, is_more=True))
    assert review.ageing[Ageing.HOURS_4] == Count(2, is_more=False)


async def test_a_queue_that_only_a_route_has_named_is_listed_while_there_is_work(context: Context) -> None:
    li, north = await hire(context, "li"), "claims.review.north"
    assert north not in {one.queue for one in (await team_load(context, li)).queues}
    await task(context, queue=north, due=-HOUR)
    listed = {one.queue: one for one in (await team_load(context, li)).queues}
    assert listed[north].overdue == Count(1, is_more=False)
    theirs = replace(li, queues=(north, "claims.authority"))
    assert [one.queue for one in (await team_load(context, theirs)).queues] == ["claims.authority", UNROUTED, north]


async def test_a_lead_sees_their_team_and_a_manager_or_operations_everybody(context: Context) -> None:
    wang, chen, li, gao, zhou, _ = [await hire(context, name) for name in ("wang", "chen", "li", "gao", "zhou", "wei")]
    await changed(context, wang, team="north")
    await changed(context, chen, team="north", active=False)
    li = replace(li, team="north")
    await changed(context, li, team="north")
    await task(context, chen)
    seen = await team_load(context, li)
    assert (seen.team, {one.username for one in seen.people}) == ("north", {"wang", "li", "chen"})
    assert not of(seen, "chen").is_active, "a closed account is listed while it has work"
    for everybody in (gao, zhou):
        load = await team_load(context, everybody)
        assert load.team is None
        assert {one.username for one in load.people} == {"wang", "chen", "li", "gao", "wei"}
    for other in (wang, replace(zhou, roles=("administrator",))):
        with pytest.raises(NotAllowed):
            await team_load(context, other)


@pytest.mark.req("CLM-14")
async def test_that_somebody_looks_into_a_suspicion_is_not_told_by_a_number(context: Context) -> None:
    shen, li, zhou = [await hire(context, name) for name in ("shen", "li", "zhou")]
    await task(context, shen, kind="examine_suspicion", queue="claims.special", ask={})
    assert of(await team_load(context, li), "shen").in_hand.open == 1
    seen = await team_load(context, zhou)
    assert of(seen, "shen").in_hand.open == 0
    assert all(one.is_empty and not one.waiting.n for one in seen.queues)


@pytest.mark.req("TSK-4")
async def test_who_is_away_is_listed_with_whoever_does_their_work(context: Context) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    for who, to in ((wang, "chen"), (chen, "li")):
        new = NewAbsence(away_from=WEDNESDAY - DAY, away_until=WEDNESDAY + DAY, substitute=to)
        await desk.note_absence(context, who, new)
    load = await team_load(context, li)
    assert (of(load, "wang").is_away, of(load, "wang").substitute) == (True, "李强")
    assert (of(load, "li").is_away, of(load, "li").substitute) == (False, "")


# --- stuck ------------------------------------------------------------------------------------------------------------


async def remarked(context: Context, who: Actor, task_id: UUID) -> None:
    with at(context, datetime(2026, 3, 6, 1, tzinfo=UTC)):  # on Friday: three working days before are the 6th's
        await desk.comment_on(context, who, task_id, text="已联系客户")


@pytest.mark.parametrize(
    ("what", "is_stuck"),
    [
        ("nothing", True),
        ("nothing is overdue", False),
        ("only what is put aside is overdue", False),
        ("answered another on Friday", False),
        ("answered another last week", True),
        ("remarked on Friday", False),
        ("a colleague remarked", True),
        ("is away", False),
        ("was given it yesterday", False),
    ],
)
async def test_somebody_is_stuck_who_did_nothing_for_three_working_days_over_overdue_work(
    context: Context, what: str, is_stuck: bool
) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    due = DAY if what == "nothing is overdue" else -DAY
    since = DAY if what == "was given it yesterday" else 20 * DAY
    task_id = await task(context, None if since == DAY else wang, due=due, since=since, aside=what.startswith("only"))
    match what:
        case "answered another on Friday":
            await answered(context, wang, 5 * DAY)
        case "answered another last week":
            await answered(context, wang, 7 * DAY)
        case "remarked on Friday":
            await remarked(context, wang, task_id)
        case "a colleague remarked":
            await remarked(context, chen, task_id)
        case "was given it yesterday":
            with at(context, WEDNESDAY - DAY):
                await desk.assign_task(context, li, task_id, to="wang")
        case "is away":
            new = NewAbsence(away_from=WEDNESDAY - DAY, away_until=WEDNESDAY + DAY)
            await desk.note_absence(context, wang, new)
    if what.startswith("only"):
        async with context.transaction() as session:  # longer than anybody may
            await session.execute(update(Task).values(hold_until=WEDNESDAY + DAY))
    load = await team_load(context, li)
    assert of(load, "wang").is_stuck is is_stuck
    assert not of(load, "chen").is_stuck


def test_working_days_are_the_calendars() -> None:
    plain = plain_calendar("Asia/Shanghai")
    assert working_days_before(plain, date(2026, 3, 11), 3) == date(2026, 3, 6)
    assert working_days_before(plain, date(2026, 3, 9), 0) == date(2026, 3, 9)
    china = shipped()["CN"]
    assert working_days_before(china, date(2026, 10, 9), 3) < date(2026, 10, 1), "the holiday is passed over"
    assert working_days_before(china, date(2099, 1, 1), 3) == date(2098, 12, 29), "nothing is known of then"


# --- how it is asked --------------------------------------------------------------------------------------------------


@contextmanager
def statements(context: Context) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def listen(*given: Any) -> None:
        asked.append(given[2])

    event.listen(context.db.engine.sync_engine, "before_cursor_execute", listen)
    try:
        yield asked
    finally:
        event.remove(context.db.engine.sync_engine, "before_cursor_execute", listen)


async def test_the_database_is_asked_as_often_however_many_people_and_tasks_there_are(context: Context) -> None:
    li, wang = await hire(context, "li"), await hire(context, "wang")
    await task(context, wang, due=-DAY, since=20 * DAY)
    await team_load(context, li)  # whatever is asked once only
    with statements(context) as few:
        await team_load(context, li)
    for name in ("chen", "gao", "sun", "qian"):
        who = await hire(context, name)
        if who.may("task:review"):
            await task(context, who, due=-DAY, since=20 * DAY)
    with statements(context) as many:
        await team_load(context, li)
    assert len(many) == len(few) <= 9


# --- rebalancing ------------------------------------------------------------------------------------------------------


async def test_what_is_not_begun_goes_to_whoever_has_least_for_what_they_can_take(context: Context) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    senior = await hire(context, "tang")
    await changed(context, senior, roles=["claims_adjuster_senior"], capacity=4)
    await changed(context, chen, capacity=10)
    urgent = [await task(context, wang, due=hours * HOUR) for hours in (2, 3, 4, 5)]
    begun = await task(context, wang, due=HOUR)
    await task(context, wang, due=HOUR, aside=True)
    await desk.comment_on(context, wang, begun, text="在处理")
    lent = await task(context, chen, due=HOUR)
    await desk.delegate_task(context, chen, lent, to="wang")
    await task(context, chen)
    proposal = await propose(context, li, Wanted(of="wang", n=3))
    assert [move.task_id for move in proposal.moves] == urgent[:3], "the most urgent first"
    # Shares: chen 1/10, tang 0/4. Tang, then chen (0.1 < 0.25), then chen again (0.2 < 0.25).
    assert [move.to for move in proposal.moves] == ["tang", "chen", "chen"]
    balance = {one.username: (one.before, one.after, one.capacity) for one in proposal.people}
    assert balance["wang"] == (6, 3, 40)
    assert (balance["chen"], balance["tang"]) == ((1, 3, 10), (0, 1, 4))
    async with context.transaction() as session:
        holders = (await session.execute(select(Task.holder).where(col(Task.id).in_(urgent)))).scalars().all()
    assert set(holders) == {wang.id}, "a proposal changes nothing"
    results = await apply(context, li, proposal.token)
    assert [one.refused for one in results] == [None] * 3
    async with context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.type == "task.claimed", JournalEntry.actor == li.id)
        entries = (await session.execute(query)).scalars().all()
        assert {entry.body["how"] for entry in entries} == {"assign"}
        assert [d.what for d in (await compare(session, context.ring)).damages] == []
    assert [one.refused for one in await apply(context, li, proposal.token)] == [None] * 3, "twice is as once"
    load = await team_load(context, li)
    assert (of(load, "wang").in_hand.open, of(load, "chen").in_hand.open, of(load, "tang").in_hand.open) == (3, 3, 1)


async def test_free_tasks_of_a_queue_are_handed_out_too(context: Context) -> None:
    li = await hire(context, "li")
    for name in ("wang", "chen"):
        await hire(context, name)
    free = [await task(context, due=hours * HOUR) for hours in (2, 3, 4)]
    await task(context, kind="authorise", queue="claims.authority", ask={}, due=HOUR)
    proposal = await propose(context, li, Wanted(n=9, queue="claims.review"))
    assert [move.task_id for move in proposal.moves] == free
    assert {move.to for move in proposal.moves} == {"wang", "chen"}


@pytest.mark.req("TSK-5", "CLM-9", "TSK-4")
async def test_nobody_is_proposed_who_may_not_do_it_has_no_room_or_is_away(context: Context) -> None:
    _, _, li, gao = [await hire(context, name) for name in ("wang", "chen", "li", "gao")]
    await changed(context, gao, capacity=1)
    dear = {"kind": "authorise", "queue": "claims.authority", "ask": {}, "least_authority": Decimal(60_000)}
    first = await task(context, li, due=HOUR, excluded=(gao.id,), **dear)
    second, third = await task(context, li, due=2 * HOUR, **dear), await task(context, li, due=3 * HOUR, **dear)
    proposal = await propose(context, gao, Wanted(of="li", n=5))
    assert [(move.task_id, move.to) for move in proposal.moves] == [(second, "gao")]
    assert [(move.task_id, move.why_not) for move in proposal.staying] == [
        (first, "Nobody else may do this task."),
        (third, "Everybody who may do this task has as much as they can."),
    ]
    new = NewAbsence(away_from=WEDNESDAY - DAY, away_until=WEDNESDAY + DAY)
    await desk.note_absence(context, gao, new)
    assert (await propose(context, gao, Wanted(of="li", n=5))).moves == []
    (refused,) = await apply(context, gao, proposal.token)
    assert (refused.refused and refused.refused.message, refused.task_id) == ("They are away.", second)


async def test_whoever_is_named_need_not_have_the_queue_and_others_must_have_queue_and_skills(
    context: Context,
) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    await changed(context, chen, queues=["claims.settlement"])
    await task(context, wang)
    assert (await propose(context, li, Wanted(of="wang", n=1))).staying[0].why_not == "Nobody else may do this task."
    (move,) = (await propose(context, li, Wanted(of="wang", n=1, to=("chen",)))).moves
    assert move.to == "chen"
    await changed(context, chen, queues=["*"])
    task_id = await task(context, wang, due=-DAY)
    async with context.transaction() as session:
        case_id = (await session.get_one(Task, task_id)).case_id
    await as_process(context, case_id, j.TaskRouted(task_id=task_id, queue="claims.review", skills=("skill:flood",)))
    assert [one.task_id for one in (await propose(context, li, Wanted(of="wang", n=1))).staying] == [task_id]
    await changed(context, chen, skills={"skill:flood": "2026-03-11"})
    assert (await propose(context, li, Wanted(of="wang", n=1))).moves[0].task_id == task_id


async def test_what_has_changed_since_the_preview_stays_and_says_why(context: Context) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    released, begun, closed, fine = [await task(context, wang, due=hours * HOUR) for hours in (1, 2, 3, 4)]
    proposal = await propose(context, li, Wanted(of="wang", n=4))
    await desk.release_task(context, wang, released)
    await desk.comment_on(context, wang, begun, text="刚开始处理")
    async with context.transaction() as session:
        case_id = (await session.get_one(Task, closed)).case_id
    await as_process(context, case_id, j.TaskCancelled(task_id=closed, why="withdrawn"))
    told = {one.task_id: one.refused.message if one.refused else "" for one in await apply(context, li, proposal.token)}
    assert told == {
        released: "This task has changed since you looked; look again.",
        begun: "Whoever has this task has begun it since you looked.",
        closed: "This task is no longer open.",
        fine: "",
    }
    async with context.transaction() as session:
        assert (await session.get_one(Task, fine)).holder == chen.id


@pytest.mark.req("SEC-1")
async def test_a_lead_moves_within_their_team_and_others_nothing(context: Context) -> None:
    wang, chen, li, gao, zhou = [await hire(context, name) for name in ("wang", "chen", "li", "gao", "zhou")]
    await changed(context, wang, team="north")
    await changed(context, chen, team="south")
    await changed(context, li, team="north")
    li = replace(li, team="north")
    await task(context, wang)
    await task(context, chen)
    assert (await propose(context, li, Wanted(of="wang", n=5))).moves == []
    with pytest.raises(NotAllowed, match="another team"):
        await propose(context, li, Wanted(of="chen", n=5))
    with pytest.raises(Invalid, match="of your team"):
        await propose(context, li, Wanted(of="wang", to=("chen",), n=5))
    everybody = await propose(context, gao, Wanted(of="wang", to=("chen",), n=5))
    assert [move.to for move in everybody.moves] == ["chen"]
    (refused,) = await apply(context, li, everybody.token)
    assert isinstance(refused.refused, NotAllowed), "a token holds no right"
    for other in (zhou, wang):
        with pytest.raises(NotAllowed):
            await propose(context, other, Wanted(of="wang", n=1))
        with pytest.raises(NotAllowed):
            await apply(context, other, everybody.token)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted(of="nobody", n=1), "of"),
        (Wanted(n=0), "n"),
        (Wanted(n=101), "n"),
        (Wanted(n=1, to=("nobody",)), "to"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused(context: Context, wanted: Wanted, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await propose(context, await hire(context, "li"), wanted)
    assert refused.value.details == {"field": field}


@pytest.mark.parametrize("token", ["", "x", "!!!!", "bm9uc2Vuc2U=", "é", "YSBiIGM=", "A" * 30_000])
async def test_a_token_that_is_none_of_ours_is_refused(context: Context, token: str) -> None:
    with pytest.raises(Invalid, match="not a proposal"):
        await apply(context, await hire(context, "li"), token)
