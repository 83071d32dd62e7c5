"""Automatic assignment: by what people can do, what they have, and who knows the case; with every reason on record."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select

from lian.auth.actor import SYSTEM, Actor
from lian.db.journal import compare, verify
from lian.db.tables import Absence, JournalEntry, Staff, Task
from lian.domain import journal as j
from lian.domain.dealing import DealReason, DealRule
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.queues import UNROUTED
from lian.services import desk
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk.dealing import Round, check_dealt_queues, deal, deal_new, deal_task
from lian.services.desk.why_dealt import why_dealt
from lian.settings import UnsafeSettings
from tests.api.conftest import as_process, open_task
from tests.cast import as_customer, hire, reported_claim

pytestmark = pytest.mark.req("TSK-3")

SENIOR, JUNIOR = "claims_adjuster_senior", "claims_adjuster_junior"
AUTHORITY = "claims.authority"
DEALER = Actor(id="system:tests", name="Tests", roles=("claims_manager",), queues=("*",))
"""Hands out any team's work, and has no account that could be given some."""


async def employ(context: Context, name: str, role: str = SENIOR, **more: Any) -> Actor:
    """Somebody with all queues, unless it says otherwise."""
    given: dict[str, Any] = {"queues": ["*"], "roles": [role], "created_at": context.now()} | more
    staff = Staff(id=uuid4(), username=name, name=name, password_hash="none", **given)
    async with context.transaction() as session:
        session.add(staff)
    return actor_for(staff)


async def a_task(context: Context, case_id: UUID | None = None, *skills: str, **more: Any) -> UUID:
    """A free task that needs a senior, of a case of its own."""
    case = case_id or (await reported_claim(context)).case_id
    given: dict[str, Any] = {"kind": "authorise", "queue": AUTHORITY, "ask": {}}
    task_id = await open_task(context, case, **(given | more))
    if skills:
        await as_process(context, case, j.TaskRouted(task_id=task_id, queue=AUTHORITY, skills=skills))
    return task_id


async def has_one(context: Context, person: Actor) -> UUID:
    """A task that somebody took on themselves, of another case."""
    task_id = await a_task(context)
    await desk.claim_task(context, person, task_id)
    return task_id


async def is_away(context: Context, person: Actor, **more: Any) -> None:
    now = context.now()
    given = {"away_from": now - timedelta(hours=1), "away_until": now + timedelta(hours=1)} | more
    who = UUID(person.id.removeprefix("staff:"))
    async with context.transaction() as session:
        session.add(Absence(id=uuid4(), staff_id=who, noted_at=now, noted_by=person.id, **given))


async def holder_of(context: Context, task_id: UUID) -> str:
    async with context.transaction() as session:
        return (await session.get_one(Task, task_id)).holder


async def dealt_entry(context: Context, task_id: UUID) -> JournalEntry:
    """What the journal says of the last choice."""
    async with context.transaction() as session:
        query = select(JournalEntry).where(
            JournalEntry.type == "task.claimed", col(JournalEntry.body)["task_id"].astext == str(task_id)
        )
        entry = (await session.execute(query.order_by(col(JournalEntry.chain_seq).desc()))).scalars().first()
    assert entry is not None
    assert entry.body["how"] == "automatic"
    return entry


async def reasons(context: Context, task_id: UUID) -> dict[str, str]:
    entry = await dealt_entry(context, task_id)
    return {each["who"]: each["reason"] for each in entry.body["why"]["candidates"]}


def given_to(done: Round) -> list[str]:
    return [each.choice.chosen.who for each in done.dealt]


async def sound(context: Context) -> bool:
    async with context.transaction() as session:
        return not ((await verify(session)).damages + (await compare(session, context.ring)).damages)


# --- who is chosen ----------------------------------------------------------------------------------------------------


async def test_everybody_whose_work_it_is_stands_in_the_journal_with_a_reason(context: Context) -> None:
    people = {
        "free": await employ(context, "free"),
        "busy": await employ(context, "busy", capacity=4),
        "full": await employ(context, "full", capacity=1),
        "away": await employ(context, "away"),
        "decided": await employ(context, "decided"),
        "unlicensed": await employ(context, "unlicensed"),
        "of another queue": await employ(context, "elsewhere", queues=["claims.review"]),
        "of another role": await employ(context, "junior", JUNIOR),
        "gone": await employ(context, "gone", active=False),
    }
    for name in ("busy", "full"):
        await has_one(context, people[name])
    await license_all(context, but="unlicensed")
    await is_away(context, people["away"])
    task_id = await a_task(context, None, "licence:survey", excluded=(people["decided"].id,))
    dealt = await deal_task(context, DEALER, task_id)
    assert dealt.choice.chosen.who == await holder_of(context, task_id) == people["free"].id
    found, names = await reasons(context, task_id), {person.id: name for name, person in people.items()}
    assert {names[who]: reason for who, reason in found.items()} == {
        "free": "least_load",
        "busy": "more_load",
        "full": "full",
        "away": "absent",
        "decided": "conflict",
        "unlicensed": "licence",
    }
    entry = await dealt_entry(context, task_id)
    assert (entry.actor, entry.body["holder"]) == (DEALER.id, people["free"].id)
    assert await sound(context)


async def license_all(context: Context, *, but: str) -> None:
    async with context.transaction() as session:
        for staff in (await session.execute(select(Staff))).scalars():
            staff.skills = {} if staff.username == but else {"licence:survey": ""}


@pytest.mark.parametrize(
    ("task", "person", "reason"),
    [
        ({"least_authority": Decimal("50000.01")}, {}, DealReason.LIMIT),
        ({"skills": ("lang:en",)}, {}, DealReason.SKILL),
        ({"skills": ("licence:survey",)}, {"skills": {"licence:survey": "2020-12-31"}}, DealReason.LICENCE),
    ],
)
async def test_nobody_is_dealt_what_they_could_not_have_taken(
    context: Context, task: dict[str, Any], person: dict[str, Any], reason: DealReason
) -> None:
    await employ(context, "chen", **person)
    task_id = await a_task(context, None, *task.pop("skills", ()), **task)
    with pytest.raises(Conflict, match="Nobody whose work this is"):
        await deal_task(context, DEALER, task_id)
    done = await deal(context, DEALER, AUTHORITY)
    told = [*done.unmet.values(), *(left.reasons for left in done.not_dealt)]
    assert (await holder_of(context, task_id), given_to(done), told) == ("", [], [{reason: 1}])


async def test_what_somebody_passed_on_does_not_come_back_to_them_for_a_while(context: Context) -> None:
    chen = await employ(context, "chen")
    task_id = await has_one(context, chen)
    await desk.pass_on(context, chen, task_id, reason="time")
    done = await deal(context, DEALER, AUTHORITY)
    assert [left.reasons for left in done.not_dealt] == [{DealReason.PASSED: 1}]
    later = context.now() + timedelta(hours=13)
    context.now = lambda: later
    assert given_to(await deal(context, DEALER, AUTHORITY)) == [chen.id]


async def test_work_goes_to_who_has_least_of_what_they_can_take_and_then_in_turn(context: Context) -> None:
    people = {name: await employ(context, name, capacity=n) for name, n in (("a", 6), ("b", 3), ("c", 3))}
    for _ in range(8):
        await a_task(context)
    done = await deal(context, DEALER, AUTHORITY)
    counted = Counter(given_to(done))
    assert {name: counted[person.id] for name, person in people.items()} == {"a": 4, "b": 2, "c": 2}
    assert all(each.choice.rule is DealRule.LOAD for each in done.dealt)


async def test_what_is_put_aside_is_not_in_hand(context: Context) -> None:
    chen = await employ(context, "chen", capacity=1)
    task_id = await has_one(context, chen)
    assert given_to(await deal(context, DEALER, AUTHORITY)) == []
    await desk.hold_task(context, chen, task_id, reason="customer", until=context.now() + timedelta(days=1))
    await a_task(context)
    assert given_to(await deal(context, DEALER, AUTHORITY)) == [chen.id]


async def test_without_a_figure_of_their_own_people_take_what_the_house_allows(context: Context) -> None:
    context.settings.desk_most_in_hand = 2
    await employ(context, "chen")
    for _ in range(3):
        await a_task(context)
    done = await deal(context, DEALER, AUTHORITY)
    assert (len(done.dealt), list(done.unmet.values())) == (2, [{DealReason.FULL: 1}])


async def test_whoever_knows_the_case_is_given_its_next_task_though_others_have_less(context: Context) -> None:
    chen, _ = await employ(context, "chen"), await employ(context, "idle")
    claim = await reported_claim(context)
    first = await a_task(context, claim.case_id, kind="initial_review", queue="claims.review")
    await desk.claim_task(context, chen, first)
    second = await a_task(context, claim.case_id)
    dealt = await deal_task(context, DEALER, second)
    assert (dealt.choice.chosen.who, dealt.choice.rule) == (chen.id, DealRule.AFFINITY)
    assert sorted((await reasons(context, second)).values()) == ["another_knows_case", "knows_case"]


@pytest.mark.req("TSK-5")
async def test_knowing_the_case_is_no_way_around_four_eyes(context: Context) -> None:
    chen, other = await employ(context, "chen"), await employ(context, "other")
    claim = await reported_claim(context)
    first = await a_task(context, claim.case_id, kind="initial_review", queue="claims.review")
    await desk.claim_task(context, chen, first)
    second = await a_task(context, claim.case_id, excluded=(chen.id,))
    assert (await deal_task(context, DEALER, second)).choice.chosen.who == other.id
    assert (await reasons(context, second))[chen.id] == "conflict"


async def test_people_outside_and_those_who_may_not_know_of_it_are_dealt_nothing(context: Context) -> None:
    await employ(context, "wei", "external_adjuster")
    survey = await a_task(context, kind="external_adjuster", queue="claims.external")
    assert list((await deal(context, DEALER, "claims.external")).unmet.values()) == [{DealReason.OUTSIDE: 1}]
    assert await holder_of(context, survey) == ""


# --- whose reach ------------------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
async def test_a_lead_deals_to_their_own_team_and_only_with_the_queue(context: Context) -> None:
    li = await employ(context, "li", "team_lead", team="north", queues=[AUTHORITY], capacity=1)
    await has_one(context, li)
    await employ(context, "south", team="south")
    task_id = await a_task(context)
    done = await deal(context, li, AUTHORITY)
    assert [dict(each) for each in done.unmet.values()] == [{DealReason.OTHER_TEAM: 1, DealReason.FULL: 1}]
    north = await employ(context, "north", team="north")
    assert given_to(await deal(context, li, AUTHORITY)) == [north.id]
    assert (await dealt_entry(context, task_id)).actor == li.id
    with pytest.raises(NotAllowed, match="queue is not yours"):
        await deal(context, li, "claims.review")


@pytest.mark.req("SEC-1")
async def test_only_who_hands_out_work_deals(context: Context) -> None:
    claim = await reported_claim(context)
    task_id = await a_task(context, claim.case_id)
    outsiders = [await hire(context, name) for name in ("chen", "zhou", "wei", "admin")]
    for actor in (*outsiders, await as_customer(context, claim.number)):
        for work in (deal(context, actor, AUTHORITY), deal_task(context, actor, task_id)):
            with pytest.raises(NotAllowed):
                await work
    assert await holder_of(context, task_id) == ""


@pytest.mark.req("TSK-5")
async def test_a_lead_deals_no_task_of_a_case_that_is_not_for_them(context: Context) -> None:
    li = await employ(context, "li", "team_lead")
    await employ(context, "chen")
    claim = await reported_claim(context)
    task_id = await a_task(context, claim.case_id)
    await as_process(context, claim.case_id, j.CaseBarred(actor=li.id, reason="own_case"))
    assert not (await deal(context, li, AUTHORITY)).dealt
    with pytest.raises(NotAllowed, match="conflict of interest"):
        await deal_task(context, li, task_id)


async def test_only_free_tasks_of_a_queue_are_dealt(context: Context) -> None:
    chen = await employ(context, "chen")
    taken, aside, lost, closed = await has_one(context, chen), *[await a_task(context) for _ in range(3)]
    later = context.now() + timedelta(days=1)
    await desk.hold_task(context, DEALER, aside, reason="expert", until=later)
    async with context.transaction() as session:
        cases = {task: (await session.get_one(Task, task)).case_id for task in (lost, closed)}
    await as_process(context, cases[lost], j.TaskRouted(task_id=lost, queue=UNROUTED))
    await as_process(context, cases[closed], j.TaskCancelled(task_id=closed, why="case_ended"))
    done = await deal(context, DEALER, AUTHORITY)
    assert (done.dealt, done.not_dealt, done.unmet) == ([], [], {})
    for task_id in (taken, aside, lost):
        with pytest.raises(Conflict, match="Only a task"):
            await deal_task(context, DEALER, task_id)
    with pytest.raises(Conflict, match="no longer open"):
        await deal_task(context, DEALER, closed)
    with pytest.raises(Invalid, match="by hand, or routed"):
        await deal(context, DEALER, UNROUTED)
    with pytest.raises(NotFound, match="no queue with this name"):
        await deal(context, DEALER, "claims.revew")


# --- many at once -----------------------------------------------------------------------------------------------------


async def test_dealers_at_once_give_no_task_twice_and_nobody_too_many(context: Context) -> None:
    people = [await employ(context, name, capacity=3) for name in ("a", "b", "c")]
    tasks = [await a_task(context) for _ in range(12)]
    rounds = await asyncio.gather(*(deal(context, dealer, AUTHORITY) for dealer in (DEALER, SYSTEM, DEALER, SYSTEM)))
    assert Counter(who for done in rounds for who in given_to(done)) == {person.id: 3 for person in people}
    dealt = [each.found.task.id for done in rounds for each in done.dealt]
    assert len(set(dealt)) == len(dealt) == 9
    async with context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.type == "task.claimed")
        claimed = Counter(e.body["task_id"] for e in (await session.execute(query)).scalars())
    assert set(claimed.values()) == {1}
    assert {UUID(task) for task in claimed} <= set(tasks)
    assert await sound(context)


async def test_a_round_looks_past_what_nobody_can_be_given(context: Context) -> None:
    chen = await employ(context, "chen")
    for _ in range(3):
        await a_task(context, excluded=(chen.id,))
    await a_task(context, None, "licence:rare")
    later = context.now() + timedelta(minutes=2)
    context.now = lambda: later
    for_chen = await a_task(context)
    done = await deal(context, DEALER, AUTHORITY, limit=1)
    assert [each.found.task.id for each in done.dealt] == [for_chen]
    assert len(done.not_dealt) == 3
    (needs,) = done.unmet
    assert needs.endswith("licence:rare")


async def test_workers_deal_only_the_queues_that_the_installation_names(context: Context) -> None:
    chen = await employ(context, "chen")
    task_id = await a_task(context)
    assert await deal_new(context) == 0
    context.settings.desk_deals = (AUTHORITY, "claims.review")
    assert await deal_new(context) == 1
    assert (await holder_of(context, task_id), (await dealt_entry(context, task_id)).actor) == (chen.id, "system")
    assert await deal_new(context) == 0


@pytest.mark.parametrize("queue", ["claims.revew", UNROUTED])
def test_a_worker_does_not_start_with_a_queue_that_nothing_is_dealt_from(context: Context, queue: str) -> None:
    context.settings.desk_deals = (AUTHORITY,)
    check_dealt_queues(context.settings)
    context.settings.desk_deals = (AUTHORITY, queue)
    with pytest.raises(UnsafeSettings, match="LIAN_DESK_DEALS"):
        check_dealt_queues(context.settings)


# --- read back --------------------------------------------------------------------------------------------------------


async def test_why_somebody_was_dealt_a_task_is_read_back(context: Context) -> None:
    chen = await employ(context, "chen")
    claim = await reported_claim(context)
    task_id = await a_task(context, claim.case_id)
    with pytest.raises(NotFound, match="by the rules"):
        await why_dealt(context, chen, task_id)
    await deal_task(context, DEALER, task_id)
    why = await why_dealt(context, chen, task_id)
    assert why.rule is DealRule.LOAD
    assert [(c.who, c.is_chosen, c.reason, c.in_hand, c.capacity) for c in why.candidates] == [
        (chen.id, True, DealReason.LEAST_LOAD, 0, context.settings.desk_most_in_hand)
    ]
    for outsider in (await hire(context, "wei"), await as_customer(context, claim.number)):
        with pytest.raises(NotAllowed):
            await why_dealt(context, outsider, task_id)
