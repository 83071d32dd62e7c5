"""Get next: whose turn it is, what nobody is given, and that no two people are given the same (TSK-1, TSK-2)."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.journal import compare, verify
from lian.db.tables import Case, Staff, Task
from lian.domain import journal as j
from lian.domain.case_kinds import task_kind
from lian.domain.desk import DRAW_REASONS, STANDINGS, DrawReason
from lian.domain.errors import Conflict, NotAllowed, Unavailable
from lian.domain.urgency import Standing, read_urgency
from lian.services import desk
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk import drawing
from lian.services.intake import Registered
from lian.services.recording import put_on_record
from tests.api.conftest import open_task, start_clock
from tests.cast import OFFICE, hire, reported_claim

REVIEW = "claims.review"
RACES = int(os.environ.get("LIAN_RACES", "20"))
DRAWS = int(os.environ.get("LIAN_DRAWS", "2000"))
SYSTEM = "system"
T = TypeVar("T")


@pytest.fixture
async def claim(context: Context) -> Registered:
    """Zhao's claim."""
    return await reported_claim(context)


@pytest.fixture
async def wang(context: Context) -> Actor:
    """A junior adjuster."""
    return await hire(context, "wang")


async def note(context: Context, case_id: UUID, *events: j.Event, actor: str = SYSTEM) -> None:
    async with context.transaction() as session:
        recorded = [j.Recorded(at=context.now(), actor=actor, event=event) for event in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def put_aside(context: Context, case_id: UUID, task_id: UUID, until: datetime) -> None:
    await note(context, case_id, j.TaskHeld(task_id=task_id, reason="expert", until=until))


async def drawn(context: Context, actor: Actor, queue: str = REVIEW) -> UUID | None:
    found = await desk.take_next(context, actor, queue)
    return found.found.task.id if found else None


async def colleagues(context: Context, count: int, roles: Sequence[str] = ("claims_adjuster_senior",)) -> list[Actor]:
    """People with accounts, without the time it takes to hash a password."""
    staff = [
        Staff(
            id=uuid4(),
            username=f"person-{n}",
            name=f"同事{n}",
            password_hash="none",
            roles=list(roles),
            queues=["*"],
            created_at=context.now(),
        )
        for n in range(count)
    ]
    async with context.transaction() as session:
        session.add_all(staff)
    return [actor_for(one) for one in staff]


def later(context: Context, **by: float) -> None:
    """So much time goes by."""
    now = context.now
    context.now = lambda: now() + timedelta(**by)


# --- one's own work first ---------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_what_one_has_in_hand_comes_before_what_is_free(context: Context, claim: Registered, wang: Actor) -> None:
    first, second = [await open_task(context, claim.case_id) for _ in range(2)]
    assert await drawn(context, wang) == min(first, second)
    found = await desk.take_next(context, wang, REVIEW)
    assert found is not None
    assert found.found.task.id == min(first, second)
    assert found.reasons[0].code == DrawReason.OWN_WORK


@pytest.mark.req("TSK-1", "TSK-4")
async def test_what_one_does_for_a_colleague_is_ones_own_work(context: Context, claim: Registered, wang: Actor) -> None:
    chen = await hire(context, "chen")
    task_id = await open_task(context, claim.case_id)
    await desk.claim_task(context, wang, task_id)
    await desk.delegate_task(context, wang, task_id, to="chen")
    await open_task(context, claim.case_id)
    assert await drawn(context, chen) == task_id


@pytest.mark.req("TSK-1")
async def test_what_one_put_aside_is_not_given_before_its_moment_has_come(
    context: Context, claim: Registered, wang: Actor
) -> None:
    aside, other = [await open_task(context, claim.case_id) for _ in range(2)]
    await desk.claim_task(context, wang, aside)
    await put_aside(context, claim.case_id, aside, context.now() + timedelta(hours=2))
    assert await drawn(context, wang) == other
    await note(context, claim.case_id, j.TaskCompleted(task_id=other, outcome={}), actor=wang.id)
    assert await drawn(context, wang) is None
    later(context, hours=2, seconds=1)
    assert await drawn(context, wang) == aside


@pytest.mark.req("TSK-1")
async def test_a_free_task_that_was_put_aside_comes_back_by_itself(
    context: Context, claim: Registered, wang: Actor
) -> None:
    task_id = await open_task(context, claim.case_id)
    await put_aside(context, claim.case_id, task_id, context.now() + timedelta(days=1))
    assert await drawn(context, wang) is None
    later(context, days=1)
    assert await drawn(context, wang) == task_id


@pytest.mark.req("TSK-1")
async def test_what_one_passed_on_is_given_to_others_and_to_oneself_only_later(
    context: Context, claim: Registered, wang: Actor
) -> None:
    chen = await hire(context, "chen")
    task_id = await open_task(context, claim.case_id)
    for actor in (wang, chen):
        assert await drawn(context, actor) == task_id
        await desk.pass_on(context, actor, task_id, reason="time")
        assert await drawn(context, actor) is None
    later(context, hours=12, seconds=1)
    assert await drawn(context, wang) == task_id


@pytest.mark.req("TSK-5")
async def test_what_one_may_not_do_any_more_does_not_stand_in_the_way(
    context: Context, claim: Registered, wang: Actor
) -> None:
    held = await open_task(context, claim.case_id)
    await desk.claim_task(context, wang, held)
    other = await open_task(context, claim.case_id)
    service = replace(wang, roles=("customer_service",))
    assert await drawn(context, service) is None
    assert await drawn(context, wang) in {held, other}


# --- guard rails ------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_whoever_has_too_much_in_hand_is_given_nothing_new(
    context: Context, claim: Registered, wang: Actor
) -> None:
    context.settings.desk_most_in_hand = 2
    held = [await open_task(context, claim.case_id, kind="assess_loss", queue="claims.assessment") for _ in range(2)]
    for task_id in held:
        await desk.claim_task(context, wang, task_id)
    free = await open_task(context, claim.case_id)
    with pytest.raises(Conflict, match="You have 2 tasks in hand"):
        await drawn(context, wang)
    assert await drawn(context, wang, "claims.assessment") == min(held)  # their own work they are given
    await put_aside(context, claim.case_id, held[0], context.now() + timedelta(hours=1))
    assert await drawn(context, wang) == free


@pytest.mark.req("TSK-1")
async def test_whoever_has_something_in_hand_for_too_long_is_given_nothing_new(
    context: Context, claim: Registered, wang: Actor
) -> None:
    held = await open_task(context, claim.case_id, kind="assess_loss", queue="claims.assessment")
    await desk.claim_task(context, wang, held)
    free = await open_task(context, claim.case_id)
    later(context, days=30, minutes=1)
    with pytest.raises(Conflict, match="for more than 30 days"):
        await drawn(context, wang)
    await put_aside(context, claim.case_id, held, context.now() + timedelta(hours=1))
    assert await drawn(context, wang) == free


# --- who draws --------------------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
async def test_only_who_may_draw_is_given_anything(context: Context, claim: Registered) -> None:
    await open_task(context, claim.case_id, kind="external_adjuster", queue="claims.external")
    for name in ("wei", "ning", "zhou", "admin"):
        actor = await hire(context, name)
        with pytest.raises(NotAllowed):
            await desk.take_next(context, actor, "claims.external")
    customer = Actor(id="customer:1", name="Zhao", roles=("customer",), case_id=claim.case_id)
    with pytest.raises(NotAllowed):
        await desk.take_next(context, customer, "claims.external")


@pytest.mark.req("TSK-1")
async def test_nobody_draws_from_a_queue_that_is_not_theirs(context: Context, claim: Registered, wang: Actor) -> None:
    await open_task(context, claim.case_id)
    assert await drawn(context, replace(wang, queues=("claims.assessment",))) is None


@pytest.mark.req("CLM-14")
async def test_a_look_into_suspicion_is_drawn_by_investigators_alone(context: Context, claim: Registered) -> None:
    task_id = await open_task(context, claim.case_id, kind="examine_suspicion", queue="claims.special", ask={})
    for name in ("chen", "li", "gao", "sun"):
        assert await drawn(context, await hire(context, name), "claims.special") is None
    assert await drawn(context, await hire(context, "shen"), "claims.special") == task_id


@pytest.mark.req("TSK-1", "TSK-3")
async def test_a_skill_that_has_lapsed_draws_nothing(context: Context, claim: Registered, wang: Actor) -> None:
    task_id = await open_task(context, claim.case_id)
    await note(context, claim.case_id, routed(task_id, skills=("english",)))
    assert await drawn(context, wang) is None
    assert await drawn(context, replace(wang, skills=(("english", context.today - timedelta(days=1)),))) is None
    assert await drawn(context, replace(wang, skills=(("english", context.today),))) == task_id


def routed(
    task_id: UUID, *, queue: str = REVIEW, skills: Iterable[str] = (), green: bool = False, raised: bool = False
) -> j.TaskRouted:
    """What a table of routes says of a task."""
    return j.TaskRouted(
        task_id=task_id, queue=queue, skills=tuple(skills), is_green=green, is_raised=raised, table="test/1", rule="1"
    )


# --- the order --------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1", "TSK-2")
@pytest.mark.parametrize("seed", range(3))
async def test_the_order_is_that_of_a_plain_sort_of_what_one_may_do(context: Context, seed: int) -> None:
    random = Random(seed)
    people = [await hire(context, name) for name in ("wang", "chen", "li")]
    people = [replace(one, skills=some_skills(random, context.today)) for one in people]
    await fill_queue(context, random, people)
    while True:
        actor = random.choice(people)
        rows = await everything(context)
        wanted = [task for task, case in rows if suits(context, actor, task, case)]
        task_id = await drawn(context, actor)
        assert task_id == (min(wanted, key=place).id if wanted else None)
        if task_id is None and not any(suits(context, one, *row) for one in people for row in rows):
            break
        if task_id is not None:
            case_id = next(task.case_id for task, _ in rows if task.id == task_id)
            await note(context, case_id, j.TaskCompleted(task_id=task_id, outcome={}), actor=actor.id)
    async with context.transaction() as session:
        assert (await compare(session, context.ring)).damages == []


def some_skills(random: Random, today: date) -> tuple[tuple[str, date | None], ...]:
    until = [None, today - timedelta(days=1), today, today + timedelta(days=9)]
    names = random.sample(["english", "hull", "licence:life"], random.randrange(4))
    return tuple((name, random.choice(until)) for name in names)


async def fill_queue(context: Context, random: Random, people: Sequence[Actor]) -> None:
    """Some forty tasks of eight cases: all that may keep somebody from one, or move it ahead."""
    for n in range(8):
        claim = await reported_claim(context)
        if n % 2:
            await start_clock(context, claim.case_id, statutory=bool(n % 4 == 1), amount=random.randrange(1, 5))
        for _ in range(5):
            await one_task(context, random, people, claim.case_id)


async def one_task(context: Context, random: Random, people: Sequence[Actor], case_id: UUID) -> None:
    kind, amounts = random.choice(["initial_review", "authorise", "authorise_advance"]), (0, 900, 15_000, 300_000)
    excluded = [one.id for one in people if random.random() < 0.15]
    least = Decimal(random.choice(amounts))
    task_id = await open_task(
        context, case_id, kind=kind, queue=REVIEW, ask={}, excluded=tuple(excluded), least_authority=least
    )
    skills = random.sample(["english", "hull", "licence:life"], random.choice([0, 0, 1, 2]))
    await note(
        context,
        case_id,
        routed(task_id, skills=skills, green=random.random() < 0.2, raised=random.random() < 0.2),
    )
    now = context.now()
    if random.random() < 0.2:
        await put_aside(context, case_id, task_id, now + timedelta(hours=random.choice([-1, 1])))
    if random.random() < 0.2:
        by, until = random.choice(people).id, now + timedelta(hours=random.choice([-1, 1]))
        await note(context, case_id, j.TaskPassed(task_id=task_id, passed_by=by, reason="time", until=until))


async def everything(context: Context) -> list[tuple[Task, Case]]:
    async with context.transaction() as session:
        query = select(Task, Case).where(Task.case_id == Case.id)
        return [(task, case) for task, case in await session.execute(query)]


def suits(context: Context, actor: Actor, task: Task, case: Case) -> bool:
    """Whether somebody may be given a task: written without looking at how it is done."""
    kind, now = task_kind(case.kind, task.kind), context.now()
    passed_until = task.passed.get(actor.id)
    return (
        task.status == "open"
        and task.holder == ""
        and actor.may(kind.permission)
        and actor.authority_for(kind.decision, case.line) >= task.least_authority
        and set(task.skills) <= {name for name, until in actor.skills if until is None or until >= context.today}
        and actor.id not in task.excluded
        and (task.hold_until is None or task.hold_until <= now)
        and (passed_until is None or datetime.fromisoformat(passed_until) <= now)
    )


def place(task: Task) -> tuple[object, ...]:
    """The order in words: green, then what comes first, then the deadline, who waits, since when, the id."""
    said = read_urgency(task.urgency)
    due = (said.act_by_at is None, said.act_by_at.timestamp() if said.act_by_at else 0)
    return (not said.green, not said.comes_first, due, said.standing, said.opened_at, task.id)


# --- why this one -----------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-2")
async def test_the_answer_says_why_this_one(context: Context, claim: Registered, wang: Actor) -> None:
    await start_clock(context, claim.case_id)
    task_id = await open_task(context, claim.case_id)
    await note(context, claim.case_id, routed(task_id, green=True, raised=True))
    found = await desk.take_next(context, wang, REVIEW)
    assert found is not None
    codes = {reason.code: reason for reason in found.reasons}
    assert list(codes) == [DrawReason.GREEN, DrawReason.RAISED, DrawReason.ACT_BY, DrawReason.WAITING_SINCE]
    due = found.found.task.act_by_at
    assert due is not None
    assert codes[DrawReason.ACT_BY].at == due.replace(microsecond=0)


@pytest.mark.req("TSK-2")
async def test_the_answer_says_what_was_passed_over(context: Context, claim: Registered, wang: Actor) -> None:
    ahead = {
        "role": await open_task(context, claim.case_id, kind="authorise", queue=REVIEW, ask={}),
        "limit": await open_task(context, claim.case_id, least_authority=Decimal(100_000)),
        "skill": await open_task(context, claim.case_id),
        "aside": await open_task(context, claim.case_id, least_authority=Decimal(500)),
    }
    for name, task_id in ahead.items():
        await note(
            context, claim.case_id, routed(task_id, skills=("aviation",) if name == "skill" else (), raised=True)
        )
    await put_aside(context, claim.case_id, ahead["aside"], context.now() + timedelta(hours=1))
    task_id = await open_task(context, claim.case_id)
    found = await desk.take_next(context, wang, REVIEW)
    assert found is not None
    assert found.found.task.id == task_id
    assert [reason.code for reason in found.reasons][-4:] == [
        DrawReason.OTHER_ROLE,
        DrawReason.ABOVE_LIMIT,
        DrawReason.OTHER_SKILL,
        DrawReason.KEPT_BACK,
    ]


def test_every_reason_has_words_in_both_languages() -> None:
    assert set(DRAW_REASONS) == set(DrawReason)
    assert set(STANDINGS) == set(Standing)
    assert all(label.en and label.zh for label in (*DRAW_REASONS.values(), *STANDINGS.values()))


# --- many at once -----------------------------------------------------------------------------------------------------


async def insisting(ask: Callable[[], Awaitable[T]]) -> T:
    """As a client does who is told that too much is going on."""
    while True:
        try:
            return await ask()
        except Unavailable:
            await asyncio.sleep(0.05)


async def claimed(context: Context, actor: Actor, task_id: UUID) -> str:
    """What became of it: nothing when it worked, or the refusal."""
    try:
        await insisting(lambda: desk.claim_task(context, actor, task_id))
    except Conflict as lost:
        return lost.message
    return ""


@pytest.mark.req("TSK-1")
@pytest.mark.timeout(600)
async def test_of_fifty_who_reach_for_one_task_exactly_one_gets_it(context: Context) -> None:
    people = await colleagues(context, 50)
    name_of = {actor.id: actor.name for actor in people}
    for _ in range(RACES):
        claim = await reported_claim(context)
        task_id = await open_task(context, claim.case_id)
        said = await asyncio.gather(*(claimed(context, actor, task_id) for actor in people))
        holder = (await desk.show_task(context, people[0], task_id)).task.holder
        assert Counter(said) == {"": 1, f"{name_of[holder]} has this task already.": 49}
        assert people[said.index("")].id == holder


@pytest.mark.req("TSK-1")
@pytest.mark.timeout(1800)
async def test_of_many_who_draw_and_answer_nobody_gets_anothers_and_nothing_is_forgotten(context: Context) -> None:
    opened = await open_many(context, DRAWS)
    people = [replace(OFFICE, id=f"staff:{uuid4()}", roles=("team_lead",), queues=("*",)) for _ in range(200)]
    given: list[UUID] = []

    async def work(actor: Actor) -> None:
        while (found := await insisting(lambda: desk.take_next(context, actor, "claims.objection"))) is not None:
            task, answer = found.found.task, j.TaskCompleted(task_id=found.found.task.id, outcome={})
            given.append(task.id)
            await insisting(partial(note, context, task.case_id, answer, actor=actor.id))

    await asyncio.gather(*(work(actor) for actor in people))
    assert Counter(given) == dict.fromkeys(opened, 1)
    async with context.transaction() as session:
        assert (await verify(session)).damages == []


async def open_many(context: Context, count: int) -> list[UUID]:
    """So many tasks, some of them of the same case."""
    opened = []
    for n in range(0, count, 20):
        claim = await reported_claim(context)
        ids = [uuid4() for _ in range(min(20, count - n))]
        events = (
            j.TaskOpened(task_id=task_id, kind="review_objection", queue="claims.objection", stage="aftercare", ask={})
            for task_id in ids
        )
        await note(context, claim.case_id, *events)
        opened += ids
    return opened


def after_the_first_look(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Awaitable[None]]) -> list[Any]:
    """Something happens between somebody's first look and what they do with it; returns what they saw each time."""
    look, looks = drawing._look, list[Any]()

    async def look_and_be_late(*asked: Any) -> Any:
        looks.append(await look(*asked))
        if len(looks) == 1:
            await happens()
        return looks[-1]

    monkeypatch.setattr(drawing, "_look", look_and_be_late)
    return looks


@pytest.mark.req("TSK-1")
async def test_what_leaves_ones_hands_while_one_looks_is_drawn_again(
    context: Context, claim: Registered, wang: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = await open_task(context, claim.case_id)
    assert await drawn(context, wang) == task_id

    async def leave_their_hands() -> None:
        await desk.release_task(context, wang, task_id)

    looks = after_the_first_look(monkeypatch, leave_their_hands)
    assert await drawn(context, wang) == task_id
    assert len(looks) == 2


@pytest.mark.req("TSK-1")
async def test_what_comes_free_while_one_looks_is_drawn(
    context: Context, claim: Registered, wang: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    chen = await hire(context, "chen")
    gone, freed = (
        await open_task(context, claim.case_id),
        await open_task(context, claim.case_id, kind="check_documents"),
    )
    await desk.claim_task(context, chen, freed)

    async def change_hands() -> None:
        await desk.release_task(context, chen, freed)
        await desk.claim_task(context, chen, gone)

    looks = after_the_first_look(monkeypatch, change_hands)
    assert await drawn(context, wang) == freed
    assert len(looks) == 2


@pytest.mark.req("TSK-1")
async def test_nobody_is_told_that_there_is_nothing_while_another_only_looks(
    context: Context, claim: Registered, wang: Actor
) -> None:
    task_id = await open_task(context, claim.case_id)
    async with context.transaction() as session:
        await desk.tasks.locked(session, await hire(context, "chen"), task_id)  # and leaves it alone
        waiting = asyncio.create_task(desk.take_next(context, wang, REVIEW))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    found = await waiting
    assert found is not None
    assert found.found.task.id == task_id
