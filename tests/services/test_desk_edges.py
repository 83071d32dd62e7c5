"""Edges of the desk that a stranger found: substitutes, undoing, double clicks, and who may know what."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from lian.auth.actor import Actor
from lian.db.tables import Task
from lian.domain import journal as j
from lian.domain.bulk import BulkVerb
from lian.domain.errors import Conflict, NotAllowed, NotFound
from lian.domain.queues import UNROUTED
from lian.domain.signals import Change, Reach
from lian.domain.sla import Escalation
from lian.services import desk
from lian.services.context import Context
from lian.services.desk import NewAbsence, TaskQuery
from lian.services.desk.bulk import undo_bulk
from lian.services.desk.load import team_load
from lian.services.desk.standing_in import return_to_the_back
from lian.services.live import Happened, Place, Subscription
from lian.services.opening import Registered
from tests.api.conftest import as_process, open_task
from tests.cast import reported_claim
from tests.services.test_alerts import climbed, started
from tests.services.test_bulk import changed, done, hire, worked

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
async def claim(context: Context) -> Registered:
    return await reported_claim(context)


async def row(context: Context, task_id: UUID) -> Task:
    async with context.transaction() as session:
        return await session.get_one(Task, task_id)


# --- drawing ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_whoever_draws_twice_at_once_gets_the_same_task(context: Context) -> None:
    wang = await hire(context, "wang")
    for _ in range(4):
        await open_task(context, (await reported_claim(context)).case_id)
    drawn = await asyncio.gather(*(desk.take_next(context, wang, "claims.review") for _ in range(6)))
    assert len({each.found.task.id for each in drawn if each}) == 1
    assert len(await desk.list_tasks(context, wang, TaskQuery(mine=True))) == 1


@pytest.mark.req("TSK-1")
async def test_two_queues_at_once_give_nobody_more_than_they_may_have(context: Context) -> None:
    chen = await hire(context, "chen")
    context.settings.desk_most_in_hand = 1
    for queue, kind in (("claims.review", "initial_review"), ("claims.authority", "authorise")) * 2:
        await open_task(context, (await reported_claim(context)).case_id, queue=queue, kind=kind)
    asked = (desk.take_next(context, chen, queue) for queue in ("claims.review", "claims.authority") * 3)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert len(await desk.list_tasks(context, chen, TaskQuery(mine=True))) == 1
    assert {type(answer) for answer in answers} == {desk.Drawn, Conflict}


# --- substitutes ------------------------------------------------------------------------------------------------------


async def stood_in_for(context: Context, claim: Registered, wang: Actor, chen: Actor) -> tuple[UUID, UUID]:
    """A task of wang's that chen does while wang is away; the absence."""
    task_id = await open_task(context, claim.case_id)
    await desk.claim_task(context, wang, task_id)
    now = context.now()
    new = NewAbsence(away_from=now - HOUR, away_until=now + 3 * DAY, substitute="chen")
    absence = await desk.note_absence(context, wang, new)
    await desk.stand_in(context, chen, task_id)
    return task_id, absence.id


@pytest.mark.req("TSK-4")
async def test_what_was_moved_and_taken_back_returns_to_its_owner_all_the_same(
    context: Context, claim: Registered
) -> None:
    gao, chen, wang = await hire(context, "gao"), await hire(context, "chen"), await hire(context, "wang")
    await hire(context, "sun", roles=["claims_adjuster_senior"])
    task_id, absence = await stood_in_for(context, claim, wang, chen)
    order = await done(context, gao, BulkVerb.REASSIGN, [task_id], to="sun")
    await undo_bulk(context, gao, order.order.id)
    await worked(context, order.order.id)
    again = await row(context, task_id)
    assert (again.holder, again.on_behalf_of, again.held_how) == (chen.id, wang.id, "substitute")
    await desk.end_absence(context, wang, absence)
    await return_to_the_back(context)
    assert (await row(context, task_id)).holder == wang.id


@pytest.mark.req("TSK-4")
async def test_what_a_substitute_passes_on_returns_to_its_owner_as_well(context: Context, claim: Registered) -> None:
    chen, wang = await hire(context, "chen"), await hire(context, "wang")
    sun = await hire(context, "sun", roles=["claims_adjuster_senior"])
    task_id, absence = await stood_in_for(context, claim, wang, chen)
    await desk.delegate_task(context, chen, task_id, to="sun")
    passed_on = await row(context, task_id)
    assert (passed_on.holder, passed_on.on_behalf_of) == (sun.id, wang.id)
    await desk.end_absence(context, wang, absence)
    await return_to_the_back(context)
    assert (await row(context, task_id)).holder == wang.id


@pytest.mark.req("TSK-4")
async def test_somebody_outside_gives_back_what_was_delegated_to_them(context: Context, claim: Registered) -> None:
    chen, wei = await hire(context, "chen", roles=["external_adjuster"]), await hire(context, "wei")
    chen = await changed(context, chen, roles=["external_adjuster", "claims_adjuster_senior"])
    task_id = await open_task(context, claim.case_id, kind="external_adjuster", queue="claims.external", ask={})
    await desk.claim_task(context, chen, task_id)
    await desk.delegate_task(context, chen, task_id, to="wei")
    await desk.give_back(context, wei, task_id)
    assert (await row(context, task_id)).holder == chen.id


# --- undoing ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-2")
@pytest.mark.parametrize(("verb", "given"), [(BulkVerb.REASSIGN, {"to": "chen"}), (BulkVerb.RELEASE, {})])
async def test_undoing_leaves_what_a_promise_has_put_ahead_meanwhile(
    context: Context, claim: Registered, verb: BulkVerb, given: dict[str, str]
) -> None:
    li, _, wang = await hire(context, "li"), await hire(context, "chen"), await hire(context, "wang")
    await as_process(context, claim.case_id, started())
    task_id = await open_task(context, claim.case_id)
    await desk.claim_task(context, wang, task_id)
    order = await done(context, li, verb, [task_id], **given)
    await as_process(context, claim.case_id, climbed(Escalation.RAISE_PRIORITY))
    await undo_bulk(context, li, order.order.id)
    await worked(context, order.order.id)
    again = await row(context, task_id)
    assert (again.holder, again.is_raised) == (wang.id, True)


# --- who may know -----------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-14")
async def test_a_question_about_a_suspicion_is_not_read_by_whoever_lost_the_right(
    context: Context, claim: Registered
) -> None:
    shen, chen = await hire(context, "shen"), await hire(context, "chen")
    task_id = await open_task(context, claim.case_id, kind="examine_suspicion", queue="claims.special", ask={})
    await desk.claim_task(context, shen, task_id)
    await desk.ask_colleague(context, shen, task_id, to="chen", question="Was this arson?")
    assert [review.question for review, _ in await desk.reviews_for(context, chen)] == ["Was this arson?"]
    chen = await changed(context, chen, roles=["customer_service"])
    with pytest.raises(NotFound):
        await desk.show_task(context, chen, task_id)
    assert await desk.reviews_for(context, chen) == []


@pytest.mark.req("TSK-5")
async def test_nothing_is_asked_any_more_of_whoever_has_a_conflict(context: Context, claim: Registered) -> None:
    wang, chen = await hire(context, "wang"), await hire(context, "chen")
    task_id = await open_task(context, claim.case_id)
    await desk.claim_task(context, wang, task_id)
    await desk.ask_colleague(context, wang, task_id, to="chen", question="What do you think?")
    await desk.declare_conflict(context, chen, claim.number, reason="own_case")
    assert await desk.reviews_for(context, chen) == []


@pytest.mark.req("TSK-1")
async def test_what_no_route_fits_is_for_those_who_hand_out_work_and_for_all_of_them(
    context: Context, claim: Registered
) -> None:
    wang, li = await hire(context, "wang"), await hire(context, "li")
    li = await changed(context, li, queues=["claims.review"])
    task_id = await open_task(context, claim.case_id)
    await as_process(context, claim.case_id, j.TaskRouted(task_id=task_id, queue=UNROUTED))
    for query in (TaskQuery(), TaskQuery(queue=UNROUTED)):
        assert await desk.list_tasks(context, wang, query) == [], "with every queue, but without that right"
        assert [each.task.id for each in await desk.list_tasks(context, li, query)] == [task_id]
    assert (await desk.count_tasks(context, wang, TaskQuery())).n == 0
    waiting = {one.queue: one.waiting.n for one in (await team_load(context, li)).queues}
    assert waiting == {"claims.review": 0, UNROUTED: 1}
    place = Place(UNROUTED, "", is_suspicion=False)
    assert (place.is_on_desk_of(li), place.is_on_desk_of(wang)) == (True, False)


@pytest.mark.req("TSK-1")
async def test_a_lead_sees_what_their_people_have_wherever_it_lies(context: Context, claim: Registered) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    task_id = await open_task(context, claim.case_id, kind="authorise", queue="claims.authority", ask={})
    await desk.claim_task(context, chen, task_id)
    li = await changed(context, li, queues=["claims.review"])
    assert [each.task.id for each in await desk.list_tasks(context, li, TaskQuery(holder=chen.id))] == [task_id]
    junior = await hire(context, "wang", queues=["claims.review"])
    assert await desk.list_tasks(context, junior, TaskQuery(holder=chen.id)) == []


@pytest.mark.req("SEC-1")
async def test_how_urgent_we_think_it_is_stays_inside(context: Context, claim: Registered) -> None:
    li, wei = await hire(context, "li"), await hire(context, "wei")
    tasks = [
        await open_task(context, claim.case_id, kind="external_adjuster", queue="claims.external", ask={})
        for _ in range(2)
    ]
    for task_id in tasks:
        await desk.assign_task(context, li, task_id, to="wei")
    await desk.prioritise_task(context, li, tasks[1], is_raised=True, words="it burns")
    with pytest.raises(NotAllowed):
        await desk.list_tasks(context, wei, TaskQuery(raised=True))
    assert desk.order_for(wei, "urgency") == "due"
    assert desk.order_for(li, "urgency") == "urgency"
    by_urgency = [each.task.id for each in await desk.list_tasks(context, wei, TaskQuery())]
    assert by_urgency == [each.task.id for each in await desk.list_tasks(context, wei, TaskQuery(sort="due"))]


@pytest.mark.req("SEC-1")
async def test_somebody_outside_is_told_that_their_list_changed_when_a_task_is_taken_away(
    context: Context, claim: Registered
) -> None:
    li, wei, other = await hire(context, "li"), await hire(context, "wei"), await hire(context, "ning")
    other = await changed(context, other, roles=["external_adjuster"])
    task_id = await open_task(context, claim.case_id, kind="external_adjuster", queue="claims.external", ask={})
    await desk.assign_task(context, li, task_id, to="wei")
    await desk.release_task(context, li, task_id)
    change = Change(case_id=claim.case_id, version=9, since=8, reach=Reach.DESK)
    told = {}
    for actor in (wei, other):
        ear = Subscription(context, actor)
        ear.hear([Happened(context.now(), change, (Place("claims.external", "", is_suspicion=False),))])
        told[actor.id] = await ear.news(within=1)
    of_wei, of_other = told[wei.id], told[other.id]
    assert of_wei is not None
    assert (of_wei.desk, of_wei.cases) == (True, {})
    assert not of_other


# --- talking ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_a_remark_that_is_sent_twice_is_written_once(context: Context, claim: Registered) -> None:
    wang = await hire(context, "wang")
    task_id, comment_id = await open_task(context, claim.case_id), uuid4()
    for _ in range(2):
        assert await desk.comment_on(context, wang, task_id, text="Called.", comment_id=comment_id) == comment_id
    another = await desk.comment_on(context, wang, task_id, text="Called again.", comment_id=comment_id)
    assert another != comment_id
    said = (await desk.talk_of(context, wang, task_id)).comments
    assert [comment.body for comment in said] == ["Called.", "Called again."]
