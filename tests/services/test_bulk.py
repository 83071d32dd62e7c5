"""Bulk orders: foretold as they come out, each task once, nobody's rights raised, stopped and taken back (TSK-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col, func, select

from lian.auth.actor import Actor
from lian.db.journal import compare, verify
from lian.db.tables import BulkItem, BulkOrder, CommandReceipt, JournalEntry, OutboxMessage, Staff, Task
from lian.domain import journal as j
from lian.domain.bulk import BulkStatus, BulkVerb, ItemState
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.messages import BulkRun, CommandResult, CompleteTask
from lian.services import desk
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk import bulk_work
from lian.services.desk.bulk import Wanted, cancel_bulk, order_bulk, preview_bulk, undo_bulk
from lian.services.desk.bulk_reading import OrderSeen, list_bulk, list_items, show_bulk
from lian.services.desk.bulk_verbs import Given
from lian.services.desk.bulk_work import Worked, work_on
from lian.services.intake import Registered
from lian.services.recording import BULK, give_receipt
from lian.services.relay import relay_once
from tests.api.conftest import as_process, open_task
from tests.cast import CAST, reported_claim
from tests.fakes.process import FakeProcess

NOBODY_HAS_IT = "Take this task on before you answer it."


@pytest.fixture
async def claim(context: Context) -> Registered:
    """Zhao's claim."""
    return await reported_claim(context)


class Killed(BaseException):
    """The process is gone."""


async def hire(context: Context, part: str, **more: Any) -> Actor:
    """A member of the cast, without the time it takes to hash a password."""
    name, roles = CAST[part]
    staff = Staff(id=uuid4(), username=part, name=name, password_hash="none", roles=list(roles), queues=["*"])
    staff.created_at = context.now()
    for attribute, value in more.items():
        setattr(staff, attribute, value)
    async with context.transaction() as session:
        session.add(staff)
    return actor_for(staff)


async def authorisation(context: Context, claim: Registered, **more: Any) -> UUID:
    """A task for seniors and above."""
    return await open_task(context, claim.case_id, kind="authorise", queue="claims.authority", ask={}, **more)


async def authorisations(context: Context, claim: Registered, n: int) -> list[UUID]:
    return [await authorisation(context, claim) for _ in range(n)]


async def changed(context: Context, actor: Actor, **more: Any) -> Actor:
    """The same person with another account, such as other roles or another team."""
    async with context.transaction() as session:
        staff_id = UUID(actor.id.removeprefix("staff:"))
        await session.execute(update(Staff).where(col(Staff.id) == staff_id).values(**more))
        return actor_for(await session.get_one(Staff, staff_id, populate_existing=True))


async def look(
    context: Context, actor: Actor, verb: BulkVerb, tasks: Sequence[UUID], *, listed: str | None = None, **given: Any
) -> OrderSeen:
    wanted = Wanted(verb=verb, given=Given(**given), task_ids=tasks, filter=listed)
    return await preview_bulk(context, actor, wanted)


async def ordered(context: Context, actor: Actor, verb: BulkVerb, tasks: Sequence[UUID], **given: Any) -> OrderSeen:
    seen = await look(context, actor, verb, tasks, **given)
    return await order_bulk(context, actor, seen.order.id, key=uuid4().hex)


async def worked(context: Context, order_id: UUID, *, turn: int = 0) -> OrderSeen:
    """The order once a worker has done what it can."""
    while await work_on(context, order_id, turn, beat=lambda: None) is Worked.ON:
        pass
    async with context.transaction() as session:
        order = await session.get_one(BulkOrder, order_id)
        staff = await session.get_one(Staff, UUID(order.by.removeprefix("staff:")))
    return await show_bulk(context, actor_for(staff), order_id)


async def done(context: Context, actor: Actor, verb: BulkVerb, tasks: Sequence[UUID], **given: Any) -> OrderSeen:
    return await worked(context, (await ordered(context, actor, verb, tasks, **given)).order.id)


async def results(context: Context, actor: Actor, order: OrderSeen) -> list[tuple[str, str]]:
    """What became of each task, and why."""
    items = await list_items(context, actor, order.order.id, limit=200)
    return [(seen.item.state, seen.item.words) for seen in items]


async def tasks_of(context: Context, ids: Sequence[UUID]) -> list[Task]:
    async with context.transaction() as session:
        return [await session.get_one(Task, task_id) for task_id in ids]


async def holders(context: Context, ids: Sequence[UUID]) -> list[str]:
    return [task.holder for task in await tasks_of(context, ids)]


async def assert_provable(context: Context) -> None:
    async with context.transaction() as session:
        assert (await verify(session)).damages == []
        assert (await compare(session, context.ring)).damages == []


async def events(context: Context, type_: str) -> int:
    async with context.transaction() as session:
        query = select(func.count()).select_from(JournalEntry).where(JournalEntry.type == type_)
        return (await session.execute(query)).scalar_one()


# --- the whole way ----------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_many_tasks_are_given_to_a_colleague_and_the_journal_says_by_whom_and_how(
    context: Context, claim: Registered, process: FakeProcess
) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = await authorisations(context, claim, 5)
    seen = await look(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    assert (seen.status, seen.counts[ItemState.WAITING]) == (BulkStatus.PREVIEWED, 5)
    assert await holders(context, tasks) == [""] * 5
    order = await order_bulk(context, li, seen.order.id, key="mine")
    await relay_once(context)
    assert [m for m in process.told if isinstance(m, BulkRun)] == [BulkRun(order_id=order.order.id)]
    order = await worked(context, order.order.id)
    assert (order.status, order.handled, order.counts[ItemState.DONE]) == (BulkStatus.DONE, 5, 5)
    assert await holders(context, tasks) == [chen.id] * 5
    async with context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.type == "task.claimed")
        entries = (await session.execute(query)).scalars().all()
    assert [(e.actor, e.body["holder"], e.body["how"]) for e in entries] == [(li.id, chen.id, "bulk")] * 5
    await assert_provable(context)


@pytest.mark.req("TSK-1")
async def test_each_verb_does_to_many_tasks_what_it_does_to_one(context: Context, claim: Registered) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = await authorisations(context, claim, 2)
    for task_id in tasks:
        await desk.claim_task(context, chen, task_id)
    until = context.now() + timedelta(days=2)
    await done(context, li, BulkVerb.HOLD, tasks, reason="expert", until=until, why="等专家")
    await done(context, li, BulkVerb.PRIORITISE, tasks, is_raised=True, why="催办")
    found = await tasks_of(context, tasks)
    assert [(t.hold_until, t.hold_reason, t.is_raised, t.holder) for t in found] == [
        (until, "expert", True, chen.id)
    ] * 2
    await done(context, li, BulkVerb.RELEASE, tasks)
    found = await tasks_of(context, tasks)
    assert [(t.holder, t.hold_until, t.is_raised) for t in found] == [("", None, True)] * 2
    await assert_provable(context)


@pytest.mark.req("TSK-1")
async def test_a_whole_list_is_ordered_by_its_filter_as_it_was_looked_at(context: Context, claim: Registered) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = await authorisations(context, claim, 3)
    other = await open_task(context, claim.case_id)
    seen = await look(context, li, BulkVerb.REASSIGN, (), listed="queue=claims.authority", to="chen")
    later = await authorisation(context, claim)
    await order_bulk(context, li, seen.order.id, key="list")
    order = await worked(context, seen.order.id)
    assert order.counts[ItemState.DONE] == 3
    assert await holders(context, [*tasks, other, later]) == [chen.id] * 3 + ["", ""]


# --- foretold as it comes out -----------------------------------------------------------------------------------------


@dataclass
class Situation:
    """Tasks in every state that matters to a verb, and who may order it."""

    context: Context
    claim: Registered
    people: dict[str, Actor] = field(default_factory=dict)
    tasks: dict[str, UUID] = field(default_factory=dict)


async def situation(context: Context, claim: Registered) -> Situation:
    """A lead (li), a lead of no case of their own (gao), seniors of two teams, and one task of each sort."""
    made = Situation(context, claim)
    senior = ["claims_adjuster_senior"]
    made.people = {
        "li": await hire(context, "li", team="north"),
        "gao": await hire(context, "gao"),
        "chen": await hire(context, "chen", team="north", roles=senior),
        "wang": await hire(context, "wang", team="south", roles=senior),
    }
    li, chen, wang = (made.people[name] for name in ("li", "chen", "wang"))
    barred, doomed = await reported_claim(context), await reported_claim(context)
    made.tasks = {
        "free": await authorisation(context, claim),
        "mine": await authorisation(context, claim),
        "team": await authorisation(context, claim),
        "elsewhere": await authorisation(context, claim),
        "excluded": await authorisation(context, claim, excluded=(chen.id,)),
        "too much": await authorisation(context, claim, least_authority=Decimal(90_000)),
        "not their work": await open_task(context, claim.case_id, kind="examine_suspicion", queue="claims.siu", ask={}),
        "review": await open_task(context, claim.case_id),
        "not mine to move": await authorisation(context, barred),
        "closed": await authorisation(context, doomed),
        "raised": await authorisation(context, claim),
        "unknown": uuid4(),
    }
    for name, who in (("mine", li), ("team", chen), ("elsewhere", wang)):
        await desk.claim_task(context, who, made.tasks[name])
    await desk.prioritise_task(context, li, made.tasks["raised"], is_raised=True, words="急")
    await desk.declare_conflict(context, li, barred.number, reason="acquainted")
    await as_process(context, doomed.case_id, j.TaskCancelled(task_id=made.tasks["closed"], why="withdrawn"))
    return made


GIVENS: dict[BulkVerb, dict[str, Any]] = {
    BulkVerb.REASSIGN: {"to": "chen"},
    BulkVerb.RELEASE: {},
    BulkVerb.HOLD: {"reason": "customer"},
    BulkVerb.PRIORITISE: {"is_raised": True, "why": "急"},
}


async def singly(context: Context, actor: Actor, verb: BulkVerb, task_id: UUID, given: dict[str, Any]) -> str:
    """What becomes of one task when the verb is done to it alone."""
    before = (
        [(t.version, t.status) for t in await tasks_of(context, [task_id])] if await exists(context, task_id) else []
    )
    try:
        match verb:
            case BulkVerb.REASSIGN:
                await desk.assign_task(context, actor, task_id, to=given["to"])
            case BulkVerb.RELEASE:
                await desk.release_task(context, actor, task_id)
            case BulkVerb.HOLD:
                await desk.hold_task(context, actor, task_id, reason=given["reason"], until=given["until"])
            case _:
                await desk.prioritise_task(context, actor, task_id, is_raised=True, words="急")
    except (Conflict, Invalid, NotAllowed, NotFound) as refused:
        return refused.message
    after = [(t.version, t.status) for t in await tasks_of(context, [task_id])]
    return "same" if after == before else "done"


async def exists(context: Context, task_id: UUID) -> bool:
    async with context.transaction() as session:
        return await session.get(Task, task_id) is not None


@pytest.mark.req("TSK-1", "TSK-5", "CLM-9")
@pytest.mark.parametrize("verb", GIVENS)
@pytest.mark.parametrize("who", ["li", "gao", "chen"])
async def test_what_is_foretold_of_each_task_is_what_the_single_verb_comes_to(
    context: Context, claim: Registered, verb: BulkVerb, who: str
) -> None:
    made = await situation(context, claim)
    actor = made.people[who]
    if who == "chen":  # not a lead, who may order in bulk all the same
        object.__setattr__(actor, "permissions", actor.permissions | {"desk:bulk", "task:prioritise", "task:assign"})
    given = GIVENS[verb] | ({"until": context.now() + timedelta(days=1)} if verb is BulkVerb.HOLD else {})
    seen = await look(context, actor, verb, list(made.tasks.values()), **given)
    told = {
        name: words or state
        for name, (state, words) in zip(made.tasks, await results(context, actor, seen), strict=True)
    }
    came = {name: await singly(context, actor, verb, task_id, given) for name, task_id in made.tasks.items()}
    assert told == {name: "waiting" if words == "done" else words for name, words in came.items()}
    assert len(set(told.values())) > 2, "the situations tell verbs apart"


# --- nobody's rights are raised ---------------------------------------------------------------------------------------


@pytest.mark.req("TSK-5", "CLM-9")
async def test_an_excluded_person_and_one_without_authority_are_refused_task_by_task(
    context: Context, claim: Registered
) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = [
        await authorisation(context, claim, excluded=(chen.id,)),
        await authorisation(context, claim, least_authority=Decimal("50000.01")),
        await authorisation(context, claim),
    ]
    order = await done(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    assert await results(context, li, order) == [
        ("refused", "They decided on this case before, or have an interest in it; another person must do this."),
        ("refused", "The amount is above their authority limit."),
        ("done", ""),
    ]
    assert await holders(context, tasks) == ["", "", chen.id]
    await assert_provable(context)


@pytest.mark.req("TSK-5")
async def test_who_is_barred_after_it_was_looked_at_gets_nothing_all_the_same(
    context: Context, claim: Registered
) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    other = await reported_claim(context)
    tasks = [await authorisation(context, claim), await authorisation(context, other)]
    order = await ordered(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    await desk.declare_conflict(context, chen, claim.number, reason="acquainted")
    order = await worked(context, order.order.id)
    (first, why), second = await results(context, li, order)
    assert (first, second) == ("refused", ("done", ""))
    assert why
    assert await holders(context, tasks) == ["", chen.id]


@pytest.mark.req("CLM-9", "SEC-1")
async def test_rights_lost_between_order_and_turn_are_lost_for_it_too(context: Context, claim: Registered) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = await authorisations(context, claim, 4)
    order = await ordered(context, li, BulkVerb.REASSIGN, tasks, to="chen")

    async def one() -> None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(bulk_work, "ITEMS_PER_CALL", 1)
            await work_on(context, order.order.id, 0, beat=lambda: None)

    await one()
    await changed(context, chen, roles=["claims_adjuster_junior"])
    await one()
    await changed(context, li, roles=["claims_adjuster_senior"])
    await one()
    await changed(context, li, active=False)
    seen = await worked(context, order.order.id)
    assert await results(context, li, seen) == [
        ("done", ""),
        ("refused", "This is not work of their role."),
        ("refused", "Your role does not allow this."),
        ("refused", "The account this was ordered with is closed."),
    ]
    assert await holders(context, tasks) == [chen.id, "", "", ""]


@pytest.mark.req("TSK-1")
async def test_a_task_that_changed_since_it_was_looked_at_is_left_alone(context: Context, claim: Registered) -> None:
    li, chen, gao = [await hire(context, name) for name in ("li", "chen", "gao")]
    tasks = await authorisations(context, claim, 2)
    seen = await look(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    await desk.claim_task(context, gao, tasks[0])
    await order_bulk(context, li, seen.order.id, key="k")
    order = await worked(context, seen.order.id)
    assert await results(context, li, order) == [
        ("refused", "This task has changed since you looked; 高远 has it."),
        ("done", ""),
    ]
    assert await holders(context, tasks) == [gao.id, chen.id]


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("verb", BulkVerb)
async def test_nobody_orders_in_bulk_without_both_rights(context: Context, claim: Registered, verb: BulkVerb) -> None:
    wei, zhou = await hire(context, "wei"), await hire(context, "zhou")
    task_id = await open_task(context, claim.case_id)
    only_bulk = await hire(context, "admin", username="none", roles=["administrator"])
    object.__setattr__(only_bulk, "permissions", frozenset({"desk:bulk"}))
    for actor in (wei, zhou, only_bulk):
        with pytest.raises(NotAllowed):
            await look(context, actor, verb, [task_id], to="zhou")


# --- giving the order -------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_an_order_given_twice_under_one_key_is_one_order(context: Context, claim: Registered) -> None:
    li = await hire(context, "li")
    await hire(context, "chen")
    tasks = await authorisations(context, claim, 2)
    seen = await look(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    other = await look(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    first = await order_bulk(context, li, seen.order.id, key="once")
    again = await order_bulk(context, li, seen.order.id, key="once")
    third = await order_bulk(context, li, other.order.id, key="once")
    assert {first.order.id, again.order.id, third.order.id} == {seen.order.id}
    with pytest.raises(Conflict, match="ordered already"):
        await order_bulk(context, li, seen.order.id, key="another")
    assert [o.order.id for o in await list_bulk(context, li)] == [seen.order.id]
    async with context.transaction() as session:
        told = (await session.execute(select(OutboxMessage).where(OutboxMessage.topic == BULK))).scalars().all()
    assert [message.payload for message in told] == [{"order_id": str(seen.order.id), "undo": False}]
    await worked(context, seen.order.id)
    assert await events(context, "task.claimed") == 2


@pytest.mark.req("TSK-1")
async def test_what_was_looked_at_too_long_ago_or_has_changed_altogether_is_not_ordered(
    context: Context, claim: Registered
) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = await authorisations(context, claim, 2)
    seen = await look(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    real, late = context.now, context.now() + timedelta(minutes=61)
    context.now = lambda: late
    with pytest.raises(Conflict, match="more than an hour old"):
        await order_bulk(context, li, seen.order.id, key="late")
    context.now = real
    for task_id in tasks:
        await desk.claim_task(context, chen, task_id)
    with pytest.raises(Conflict, match="have changed since you looked"):
        await order_bulk(context, li, seen.order.id, key="stale")
    nothing = await look(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    assert nothing.counts[ItemState.SAME] == 2
    with pytest.raises(Conflict, match="Nothing would be changed"):
        await order_bulk(context, li, nothing.order.id, key="nothing")
    assert await events(context, "task.claimed") == 2


async def test_previews_nobody_ordered_are_forgotten(context: Context, claim: Registered) -> None:
    li = await hire(context, "li")
    tasks = await authorisations(context, claim, 2)
    old = await look(context, li, BulkVerb.PRIORITISE, tasks, why="急")
    kept = await ordered(context, li, BulkVerb.PRIORITISE, tasks, why="急")
    late = context.now() + timedelta(hours=2)
    context.now = lambda: late
    await look(context, li, BulkVerb.PRIORITISE, tasks, why="急")
    with pytest.raises(NotFound):
        await show_bulk(context, li, old.order.id)
    assert (await show_bulk(context, li, kept.order.id)).order.id == kept.order.id
    async with context.transaction() as session:
        query = select(func.count()).select_from(BulkItem).where(BulkItem.order_id == old.order.id)
        assert (await session.execute(query)).scalar_one() == 0


@pytest.mark.parametrize(
    ("verb", "given", "at", "words"),
    [
        (BulkVerb.REASSIGN, {"to": "nobody"}, "to", "no active account"),
        (BulkVerb.HOLD, {"reason": "tired"}, "reason", "not one of the choices"),
        (BulkVerb.HOLD, {"reason": "customer"}, "until", "within the next 90 days"),
        (BulkVerb.HOLD, {"reason": "other"}, "note", "Say why"),
        (BulkVerb.PRIORITISE, {}, "note", "Say why"),
        (BulkVerb.PRIORITISE, {"why": "x" * 4_001}, "note", "longer than 4000"),
        (BulkVerb.RELEASE, {"why": "x" * 4_001}, "note", "longer than 4000"),
    ],
)
async def test_what_a_verb_needs_is_asked_for_before_any_task_is_looked_at(
    context: Context, claim: Registered, verb: BulkVerb, given: dict[str, Any], at: str, words: str
) -> None:
    li = await hire(context, "li")
    with pytest.raises(Invalid, match=words) as refused:
        await look(context, li, verb, [await authorisation(context, claim)], **given)
    assert refused.value.details == {"field": at}
    async with context.transaction() as session:
        assert (await session.execute(select(BulkOrder))).first() is None


async def test_none_too_many_and_unknown_tasks_are_told_apart(context: Context) -> None:
    li = await hire(context, "li")
    with pytest.raises(Invalid, match="No task is selected"):
        await look(context, li, BulkVerb.RELEASE, [])
    with pytest.raises(Invalid, match="At most 10000 tasks"):
        await look(context, li, BulkVerb.RELEASE, [UUID(int=n) for n in range(10_001)])
    with pytest.raises(Invalid, match="cannot be done to many"):
        await preview_bulk(context, li, Wanted(verb="complete", given=Given(), task_ids=[uuid4()]))
    same = uuid4()
    seen = await look(context, li, BulkVerb.RELEASE, [same, same])
    assert await results(context, li, seen) == [("refused", "There is no task with this id.")]


# --- stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_an_order_stopped_in_the_middle_does_nothing_more(
    context: Context, claim: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = await authorisations(context, claim, 6)
    order = await ordered(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    monkeypatch.setattr(bulk_work, "ITEMS_PER_CALL", 2)
    assert await work_on(context, order.order.id, 0, beat=lambda: None) is Worked.ON
    stopped = await cancel_bulk(context, li, order.order.id)
    assert (stopped.status, stopped.counts[ItemState.DONE], stopped.counts[ItemState.WAITING]) == (
        BulkStatus.CANCELLED,
        2,
        4,
    )
    assert await work_on(context, order.order.id, 0, beat=lambda: None) is Worked.OVER
    assert await holders(context, tasks) == [chen.id] * 2 + [""] * 4
    assert (await cancel_bulk(context, li, order.order.id)).order.ended_at == stopped.order.ended_at
    left = await preview_bulk(context, li, Wanted(verb=BulkVerb.REASSIGN, given=Given(to="chen"), again=order.order.id))
    assert (left.order.total, left.counts[ItemState.WAITING]) == (4, 4)


async def test_what_is_over_cannot_be_stopped(context: Context, claim: Registered) -> None:
    li = await hire(context, "li")
    seen = await look(context, li, BulkVerb.PRIORITISE, await authorisations(context, claim, 1), why="急")
    with pytest.raises(Conflict, match="nothing to stop"):
        await cancel_bulk(context, li, seen.order.id)
    await order_bulk(context, li, seen.order.id, key="k")
    await worked(context, seen.order.id)
    with pytest.raises(Conflict, match="nothing to stop"):
        await cancel_bulk(context, li, seen.order.id)


# --- taking back ------------------------------------------------------------------------------------------------------


async def taken_back(context: Context, actor: Actor, order_id: UUID) -> OrderSeen:
    await undo_bulk(context, actor, order_id)
    return await worked(context, order_id)


@pytest.mark.req("TSK-1")
async def test_what_nobody_touched_is_taken_back_and_the_rest_is_kept(context: Context, claim: Registered) -> None:
    li, chen, gao = [await hire(context, name) for name in ("li", "chen", "gao")]
    tasks = await authorisations(context, claim, 4)
    await desk.claim_task(context, gao, tasks[1])
    await desk.hold_task(context, gao, tasks[1], reason="expert", until=context.now() + timedelta(days=3))
    held = (await tasks_of(context, tasks))[1].hold_until
    order = await done(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    await desk.release_task(context, chen, tasks[2])
    await as_process(context, claim.case_id, j.TaskCancelled(task_id=tasks[3], why="withdrawn"))
    assert order.can_undo
    undone = await taken_back(context, li, order.order.id)
    assert undone.status == BulkStatus.UNDONE
    assert await results(context, li, undone) == [
        ("undone", ""),
        ("undone", ""),
        ("kept", "Somebody has changed this task since; it is left as it is."),
        ("kept", "This task is no longer open."),
    ]
    first, second, third, _ = await tasks_of(context, tasks)
    assert (first.holder, second.holder, third.holder) == ("", gao.id, "")
    assert (second.hold_until, second.hold_reason, second.held_how) == (held, "expert", "return")
    assert not undone.can_undo
    await assert_provable(context)
    once_more = await taken_back(context, li, order.order.id)
    assert once_more.order.ended_at == undone.order.ended_at


@pytest.mark.req("TSK-1")
@pytest.mark.parametrize("verb", [BulkVerb.RELEASE, BulkVerb.HOLD, BulkVerb.PRIORITISE])
async def test_each_verb_is_taken_back_to_what_was(context: Context, claim: Registered, verb: BulkVerb) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = await authorisations(context, claim, 2)
    for task_id in tasks:
        await desk.claim_task(context, chen, task_id)
        await desk.hold_task(context, chen, task_id, reason="expert", until=context.now() + timedelta(days=3))
    before = [(t.holder, t.hold_until, t.hold_reason, t.is_raised) for t in await tasks_of(context, tasks)]
    until = context.now() + timedelta(days=9)
    givens: dict[BulkVerb, dict[str, Any]] = {
        BulkVerb.HOLD: {"reason": "customer", "until": until},
        BulkVerb.PRIORITISE: {"why": "急"},
    }
    order = await done(context, li, verb, tasks, **givens.get(verb, {}))
    changed_to = [(t.holder, t.hold_until, t.hold_reason, t.is_raised) for t in await tasks_of(context, tasks)]
    assert all(now != was for now, was in zip(changed_to, before, strict=True))
    undone = await taken_back(context, li, order.order.id)
    assert undone.counts[ItemState.UNDONE] == 2
    after = [(t.holder, t.hold_until, t.hold_reason, t.is_raised) for t in await tasks_of(context, tasks)]
    assert after == before
    await assert_provable(context)


@pytest.mark.req("TSK-5", "SEC-1")
async def test_taking_back_gives_nobody_what_is_not_for_them(context: Context, claim: Registered) -> None:
    li, gao = await hire(context, "li"), await hire(context, "gao")
    chen, wang = await hire(context, "chen"), await hire(context, "wang", roles=["claims_adjuster_senior"])
    tasks = await authorisations(context, claim, 3)
    for who, task_id in zip((chen, wang, gao), tasks, strict=True):
        await desk.claim_task(context, who, task_id)
    order = await done(context, li, BulkVerb.RELEASE, tasks)
    await changed(context, chen, active=False)
    await changed(context, wang, roles=["claims_adjuster_junior"])
    await changed(context, gao, team="south")
    undone = await taken_back(context, li, order.order.id)
    assert await results(context, li, undone) == [
        ("kept", "Whoever had this task does not work here any more."),
        ("kept", "This is not work of their role."),
        ("kept", "This task is with another team."),
    ]
    assert await holders(context, tasks) == ["", "", ""]


async def test_an_order_under_way_or_without_effect_is_not_taken_back(context: Context, claim: Registered) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = await authorisations(context, claim, 1)
    order = await ordered(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    with pytest.raises(Conflict, match="still under way"):
        await undo_bulk(context, li, order.order.id)
    await desk.claim_task(context, chen, tasks[0])  # what somebody took on themselves was not given to them
    order = await worked(context, order.order.id)
    assert order.counts[ItemState.SAME] == 1
    with pytest.raises(Conflict, match="Nothing was done"):
        await undo_bulk(context, li, order.order.id)


# --- whose orders they are --------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
async def test_people_see_their_own_orders_and_leads_those_of_their_team(context: Context, claim: Registered) -> None:
    li = await hire(context, "li", team="north")
    fellow = await hire(context, "li", username="fellow", team="north")
    stranger = await hire(context, "li", username="stranger", team="south")
    gao, wang = await hire(context, "gao", team="south"), await hire(context, "wang", team="north")
    tasks = await authorisations(context, claim, 2)
    draft = await look(context, li, BulkVerb.PRIORITISE, tasks, why="急")
    order = await ordered(context, li, BulkVerb.PRIORITISE, tasks, why="急")
    for actor in (li, fellow, gao):
        assert [seen.order.id for seen in await list_bulk(context, actor)] == [order.order.id]
        assert (await show_bulk(context, actor, order.order.id)).given.why == "急"
    assert await list_bulk(context, stranger) == []
    for reading in (show_bulk, list_items, cancel_bulk, undo_bulk):
        with pytest.raises(NotFound):
            await reading(context, stranger, order.order.id)
    for actor in (fellow, gao):
        with pytest.raises(NotFound):
            await show_bulk(context, actor, draft.order.id)
        with pytest.raises(NotFound, match="no such preview of yours"):
            await order_bulk(context, actor, draft.order.id, key="theirs")
    with pytest.raises(NotFound):
        await show_bulk(context, wang, order.order.id)
    assert (await cancel_bulk(context, fellow, order.order.id)).order.stopped_by == fellow.id


@pytest.mark.req("SEC-1", "SEC-2")
async def test_an_order_tells_nobody_of_tasks_they_may_not_see_and_keeps_its_words_sealed(
    context: Context, claim: Registered
) -> None:
    li, zhou = await hire(context, "li"), await hire(context, "zhou")
    siu = await open_task(context, claim.case_id, kind="examine_suspicion", queue="claims.siu", ask={})
    order = await ordered(context, li, BulkVerb.PRIORITISE, [siu], why="王敏请假")
    assert [seen.found is None for seen in await list_items(context, li, order.order.id)] == [False]
    assert [seen.found is None for seen in await list_items(context, zhou, order.order.id)] == [True]
    async with context.transaction() as session:
        stored = (await session.execute(select(BulkOrder))).scalars().one()
    assert "王敏" not in stored.why
    assert "王敏" not in str(stored.given)


# --- what only the procedure can do -----------------------------------------------------------------------------------


async def reviewer(context: Context) -> Actor:
    """A lead who reviews reports as well."""
    return await hire(context, "li", username="both", roles=["team_lead", "claims_adjuster_senior"])


async def reviews(context: Context, actor: Actor, n: int) -> list[UUID]:
    tasks = [await open_task(context, (await reported_claim(context)).case_id) for _ in range(n)]
    for task_id in tasks:
        await desk.claim_task(context, actor, task_id)
    return tasks


@pytest.mark.req("TSK-1", "CLM-5")
async def test_documents_are_asked_for_through_the_procedure_where_its_step_is_open_for_the_actor(
    context: Context, claim: Registered, process: FakeProcess
) -> None:
    actor, chen = await reviewer(context), await hire(context, "chen")
    tasks = await reviews(context, actor, 2)
    free, theirs = await open_task(context, claim.case_id), await open_task(context, claim.case_id)
    await desk.claim_task(context, chen, theirs)
    other, unlisted = await authorisation(context, claim), (await reviews(context, actor, 1))[0]
    async with context.transaction() as session:
        task = await session.get_one(Task, unlisted)
        task.ask = task.ask | {"checklist": ["policy", "statement"]}
    order = await done(
        context, actor, BulkVerb.REQUEST_DOCUMENTS, [*tasks, free, theirs, other, unlisted], why="请补齐"
    )
    assert await results(context, actor, order) == [
        ("done", ""),
        ("done", ""),
        ("refused", NOBODY_HAS_IT),
        ("refused", "陈静 has this task."),
        ("refused", "This step does not ask for documents."),
        ("refused", "Nothing is missing here: there is nothing to ask for."),
    ]
    told = [m for m in process.told if isinstance(m, CompleteTask)]
    assert [(m.task_id, m.outcome["missing"], m.notes) for m in told] == [
        (task_id, ["identity", "bank_account"], "请补齐") for task_id in tasks
    ]
    with pytest.raises(Conflict, match="cannot be taken back"):
        await undo_bulk(context, actor, order.order.id)
    named = await look(context, actor, BulkVerb.REQUEST_DOCUMENTS, [unlisted], items=("identity",))
    assert await results(context, actor, named) == [("refused", "A document that is not on the checklist was named.")]


@pytest.mark.req("TSK-1")
async def test_a_worker_that_dies_after_the_procedure_was_told_gives_the_same_command_again(
    context: Context, process: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = await reviewer(context)
    tasks = await reviews(context, actor, 1)
    order = await ordered(context, actor, BulkVerb.REQUEST_DOCUMENTS, tasks)

    async def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(bulk_work, "_mark", dies)
        with pytest.raises(Killed):
            await work_on(context, order.order.id, 0, beat=lambda: None)
    waiting = await show_bulk(context, actor, order.order.id)
    assert (waiting.status, waiting.counts[ItemState.WAITING]) == (BulkStatus.RUNNING, 1)
    assert (await worked(context, order.order.id)).counts[ItemState.DONE] == 1
    first, second = [m for m in process.told if isinstance(m, CompleteTask)]
    assert first.command_id == second.command_id


@pytest.mark.req("TSK-1")
async def test_an_answer_that_took_effect_before_the_worker_died_is_reported_as_done(
    context: Context, process: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = await reviewer(context)
    tasks = await reviews(context, actor, 1)
    order = await ordered(context, actor, BulkVerb.REQUEST_DOCUMENTS, tasks)

    async def takes_effect(case_id: UUID, command: CompleteTask) -> CommandResult:
        answer = j.TaskCompleted(task_id=command.task_id, outcome=command.outcome, notes="")
        await as_process(context, case_id, answer)
        async with context.transaction() as session:
            await give_receipt(context, session, case_id, command.command_id, 7)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(process, "complete_task", takes_effect)
        with pytest.raises(Killed):
            await work_on(context, order.order.id, 0, beat=lambda: None)
    assert (await tasks_of(context, tasks))[0].status == "completed"
    assert await results(context, actor, await worked(context, order.order.id)) == [("done", "")]
    async with context.transaction() as session:
        assert len((await session.execute(select(CommandReceipt))).scalars().all()) == 1


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_what_is_away_waits_for_a_later_turn_while_the_others_go_on(
    context: Context, process: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = await reviewer(context)
    tasks = await reviews(context, actor, 3)
    order = await ordered(context, actor, BulkVerb.REQUEST_DOCUMENTS, tasks)
    process.away = True
    assert await work_on(context, order.order.id, 0, beat=lambda: None) is Worked.LATER
    waiting = await show_bulk(context, actor, order.order.id)
    assert (waiting.status, waiting.counts[ItemState.WAITING]) == (BulkStatus.RUNNING, 3)
    assert "cannot be reached" in (await results(context, actor, waiting))[0][1]
    process.away = False
    assert await work_on(context, order.order.id, 0, beat=lambda: None) is Worked.LATER
    assert (await worked(context, order.order.id, turn=1)).counts[ItemState.DONE] == 3


async def test_what_is_broken_is_given_up_after_a_while_and_said(
    context: Context, claim: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = await authorisations(context, claim, 3)
    order = await ordered(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    as_it_was = bulk_work.as_it_was

    async def breaks(session: Any, task_id: UUID) -> Any:
        if task_id == tasks[1]:
            raise ZeroDivisionError
        return await as_it_was(session, task_id)

    monkeypatch.setattr(bulk_work, "as_it_was", breaks)
    for turn in range(bulk_work.MOST_TRIES):
        assert await work_on(context, order.order.id, turn, beat=lambda: None) is Worked.LATER
    assert await results(context, li, await worked(context, order.order.id, turn=bulk_work.MOST_TRIES)) == [
        ("done", ""),
        ("refused", bulk_work.GIVEN_UP),
        ("done", ""),
    ]
    assert await holders(context, tasks) == [chen.id, "", chen.id]
    await assert_provable(context)


@pytest.mark.req("TSK-1")
async def test_a_worker_killed_between_change_and_commit_has_done_nothing(
    context: Context, claim: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    tasks = await authorisations(context, claim, 3)
    order = await ordered(context, li, BulkVerb.REASSIGN, tasks, to="chen")
    carry_out = bulk_work._carry_out

    async def dies_in_the_second(*given: Any) -> Any:
        await carry_out(*given)
        if given[-1].n == 1:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(bulk_work, "_carry_out", dies_in_the_second)
        with pytest.raises(Killed):
            await work_on(context, order.order.id, 0, beat=lambda: None)
    seen = await show_bulk(context, li, order.order.id)
    assert (seen.counts[ItemState.DONE], seen.counts[ItemState.WAITING]) == (1, 2)
    assert await holders(context, tasks) == [chen.id, "", ""]
    assert (await worked(context, order.order.id)).counts[ItemState.DONE] == 3
    assert await events(context, "task.claimed") == 3
    await assert_provable(context)
