"""Whoever decided gets no hand on the second look, whichever way work moves at the desk (CLM-9, TSK-4, TSK-5).

The same person tries everything at once: promoted to every role, moved to another team, lent the task, standing in for
whoever has it, dealt it by rules, given it with others in bulk, and with the record forged behind the desk's back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Absence, BulkItem, BulkOrder, Decision, Staff, Task
from lian.domain import journal as j
from lian.domain.bulk import ItemState
from lian.domain.claims.fnol import ClaimedLoss
from lian.domain.dealing import DealReason
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.messages import CompleteTask
from lian.services import desk
from lian.services.accounts import actor_for
from lian.services.desk.bulk import Wanted, order_bulk, preview_bulk, undo_bulk
from lian.services.desk.bulk_verbs import Given
from lian.services.desk.bulk_work import Worked, work_on
from lian.services.desk.dealing import deal_task
from lian.services.handling import reopen
from lian.services.recording import put_on_record
from lian.settings import Settings
from tests.workflows.office import Office, office

pytestmark = pytest.mark.req("CLM-9", "TSK-4", "TSK-5")
THIRTY = (ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(30_000)),)
ENOUGH = Decimal(10**9)
EVERYTHING = ["claims_adjuster_senior", "team_lead", "claims_manager", "panel_member"]


async def test_nothing_at_the_desk_brings_the_second_look_to_whoever_decided(
    settings: Settings, subtests: pytest.Subtests
) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.decide()
        await try_everything(claim, subtests)
        await claim.does("authorise", by="li")
        (decision,) = await claim.rows(Decision)
        assert (decision.decided_by, decision.authorised_by) == (
            (await claim.who("wang")).id,
            (await claim.who("li")).id,
        )
        await claim.settle()
        await claim.closed("paid")


async def test_nor_does_anything_once_the_claim_was_reopened(settings: Settings, subtests: pytest.Subtests) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.does("initial_review")
        await claim.does("assess_loss", losses=[{"exposure_id": await claim.loss(), "assessed_amount": "0"}])
        await claim.does("adjudicate")
        await claim.closed("denied")
        await reopen(claim.context, await claim.who("li"), claim.number, stage="assessment", reason="新证据")
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        await try_everything(claim, subtests)
        await claim.does("authorise", by="chen")
        await claim.settle()
        await claim.closed("paid")


async def test_break_glass_goes_on_without_the_second_look_and_not_by_whoever_decided(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.decide()
        task, chen, li = await claim.open_task("authorise"), await claim.who("chen"), await claim.who("li")
        await desk.claim_task(claim.context, chen, task.id)
        await desk.delegate_task(claim.context, chen, task.id, to=await username(claim, li))
        await become(claim, "wang", roles=EVERYTHING)
        with pytest.raises(NotAllowed):
            await claim.acts("override_authority", by="wang", why="court_order")
        await claim.acts("override_authority", by="gao", why="court_order")
        await claim.settle()
        await claim.closed("paid")
        (decision,) = await claim.rows(Decision)
        assert decision.overridden_why == "court_order"
        with pytest.raises(Conflict, match="no longer open"):
            await desk.give_back(claim.context, li, task.id)


async def test_a_colleagues_opinion_authorises_nothing(settings: Settings) -> None:
    async with office(settings, losses=THIRTY) as claim:
        await claim.decide()
        task, chen, li = await claim.open_task("authorise"), await claim.who("chen"), await claim.who("li")
        await desk.claim_task(claim.context, chen, task.id)
        review = await desk.ask_colleague(claim.context, chen, task.id, to=await username(claim, li), question="？")
        await desk.give_opinion(claim.context, li, review, opinion="agrees", answer="")
        (decision,) = await claim.rows(Decision)
        assert (decision.status, decision.authorised_by) == ("referred", "")
        with pytest.raises(Conflict):
            await desk.complete_task(
                claim.context, li, task.id, outcome={"agree": True}, notes="", command_id=uuid4().hex
            )
        await claim.does("authorise", by="chen")
        (decision,) = await claim.rows(Decision)
        assert decision.authorised_by == chen.id


# --- everything they try ----------------------------------------------------------------------------------------------


async def try_everything(claim: Office, subtests: pytest.Subtests) -> None:
    """Each attempt is refused or gives the task to somebody else, and leaves nothing with whoever decided."""
    task = await claim.open_task("authorise")
    wang = await become(claim, "wang", roles=EVERYTHING, team="south")
    assert wang.authority_for("claim", "motor") >= 30_000
    for attempt in ATTEMPTS:
        with subtests.test(attempt.__name__):
            await free(claim, task.id)
            await attempt(claim, wang, task.id)
            now = await row(claim, task.id)
            assert (now.status, now.completed_by) == ("open", "")
            assert now.holder != wang.id
    await free(claim, task.id)


async def becomes_refused(*attempts: Awaitable[Any]) -> None:
    for attempt in attempts:
        with pytest.raises((Conflict, Invalid, NotAllowed, NotFound)):
            await attempt


async def takes_it_on(claim: Office, wang: Actor, task: UUID) -> None:
    """By hand, and from the queue."""
    await becomes_refused(desk.claim_task(claim.context, wang, task))
    assert await desk.take_next(claim.context, wang, "claims.authority") is None


async def is_assigned_it(claim: Office, wang: Actor, task: UUID) -> None:
    """By a manager of any team, and by themselves, now a lead."""
    gao = await claim.who("gao")
    await becomes_refused(
        desk.assign_task(claim.context, gao, task, to=await username(claim, wang)),
        desk.assign_task(claim.context, wang, task, to=await username(claim, wang)),
    )
    why = {one.id: one.why_not for one in await desk.list_assignees(claim.context, gao, task)}
    assert "decided on this case before" in why[wang.id]


async def is_lent_it(claim: Office, wang: Actor, task: UUID) -> None:
    """By whoever has it; nor is it returned to them, when the record says that it is their work."""
    chen = await claim.who("chen")
    await desk.claim_task(claim.context, chen, task)
    await becomes_refused(desk.delegate_task(claim.context, chen, task, to=await username(claim, wang)))
    lent = j.TaskClaimed(task_id=task, holder=chen.id, how="delegate", on_behalf_of=wang.id)
    await forge(claim, "system", lent)
    assert (await desk.give_back(claim.context, chen, task)).task.holder == ""


async def stands_in(claim: Office, wang: Actor, task: UUID) -> None:
    """For whoever has it, and is away."""
    chen, now = await claim.who("chen"), claim.context.now()
    await desk.claim_task(claim.context, chen, task)
    away = Absence(
        id=uuid4(),
        staff_id=staff_id(chen),
        substitute_id=staff_id(wang),
        away_from=now - timedelta(days=1),
        away_until=now + timedelta(days=1),
        noted_at=now,
        noted_by=chen.id,
    )
    async with claim.context.transaction() as session:
        session.add(away)
    assert chen.id in await who_is_stood_in_for(claim, wang)
    await becomes_refused(
        desk.stand_in(claim.context, wang, task),
        desk.claim_task(claim.context, wang, task),
        desk.complete_task(claim.context, wang, task, outcome={"agree": True}, notes="", command_id=uuid4().hex),
    )
    async with claim.context.transaction() as session:
        await session.delete(await session.get_one(Absence, away.id))


async def is_dealt_it(claim: Office, wang: Actor, task: UUID) -> None:
    """By the rules, which know nobody better who works on this case."""
    dealt = await deal_task(claim.context, await claim.who("gao"), task)
    assert dealt.choice.chosen.who != wang.id
    why = {candidate.who: reason for candidate, reason in dealt.choice.reasons}
    assert why[wang.id] == DealReason.CONFLICT


async def gets_it_in_bulk(claim: Office, wang: Actor, task: UUID) -> None:
    """With other tasks; not even when the preview is forged, or an order that is taken back says that it was theirs."""
    gao = await claim.who("gao")
    wanted = Wanted(verb="reassign", given=Given(to=await username(claim, wang)), task_ids=[task])
    seen = await preview_bulk(claim.context, gao, wanted)
    assert [item.state for item in await items(claim, seen.order.id)] == [ItemState.REFUSED]
    await overwrite(claim, seen.order.id, state=ItemState.WAITING.value, seen=(await row(claim, task)).version)
    await carry_out(claim, gao, seen.order.id)
    assert [item.state for item in await items(claim, seen.order.id)] == [ItemState.REFUSED]
    to_li = Wanted(verb="reassign", given=Given(to="li"), task_ids=[task])
    order = (await preview_bulk(claim.context, gao, to_li)).order.id
    await carry_out(claim, gao, order)
    (done,) = await items(claim, order)
    assert done.state == ItemState.DONE
    await overwrite(claim, order, before=done.before | {"holder": wang.id})
    await undo_bulk(claim.context, gao, order)
    while await work_on(claim.context, order, 0, beat=lambda: None) is Worked.ON:
        pass
    assert [item.state for item in await items(claim, order)] == [ItemState.KEPT]


async def answers_it_all_the_same(claim: Office, wang: Actor, task: UUID) -> None:
    """The record is forged to say that they have it: the desk refuses the answer, and so does the procedure."""
    await forge(claim, "system", j.TaskClaimed(task_id=task, holder=wang.id, how="assign"))
    await becomes_refused(
        desk.complete_task(claim.context, wang, task, outcome={"agree": True}, notes="", command_id=uuid4().hex)
    )
    command = CompleteTask(
        command_id=uuid4().hex, task_id=task, actor=wang.id, authority=ENOUGH, outcome={"agree": True}, notes="why"
    )
    await becomes_refused(claim.context.process.complete_task((await claim.case()).id, command))
    drawn = await desk.take_next(claim.context, wang, "claims.authority")
    assert drawn is None
    assert (await desk.unassign_task(claim.context, await claim.who("gao"), task)).task.holder == ""


ATTEMPTS: tuple[Callable[[Office, Actor, UUID], Awaitable[None]], ...] = (
    takes_it_on,
    is_assigned_it,
    is_lent_it,
    stands_in,
    is_dealt_it,
    gets_it_in_bulk,
    answers_it_all_the_same,
)

# --- the parts --------------------------------------------------------------------------------------------------------


def staff_id(person: Actor) -> UUID:
    return UUID(person.id.removeprefix("staff:"))


async def username(claim: Office, person: Actor) -> str:
    async with claim.context.transaction() as session:
        return (await session.get_one(Staff, staff_id(person))).username


async def become(claim: Office, name: str, **more: Any) -> Actor:
    """The same person with other roles, or in another team, and every queue."""
    person = await claim.who(name)
    async with claim.context.transaction() as session:
        account = await session.get_one(Staff, staff_id(person))
        for field, value in ({"queues": ["*"]} | more).items():
            setattr(account, field, value)
        claim.people[name] = actor_for(account)
    return claim.people[name]


async def row(claim: Office, task: UUID) -> Task:
    async with claim.context.transaction() as session:
        return await session.get_one(Task, task)


async def free(claim: Office, task: UUID) -> None:
    """Nobody has it."""
    await desk.unassign_task(claim.context, await claim.who("gao"), task)


async def forge(claim: Office, by: str, event: j.Event) -> None:
    """Put on record past every check of the desk."""
    case_id = (await claim.case()).id
    async with claim.context.transaction() as session:
        item = j.Recorded(at=claim.context.now(), actor=by, event=event)
        await put_on_record(claim.context, session, case_id=case_id, recorded=[item])


async def who_is_stood_in_for(claim: Office, person: Actor) -> frozenset[str]:
    async with claim.context.transaction() as session:
        return await desk.stands_in_for(session, person, claim.context.now())


async def items(claim: Office, order_id: UUID) -> list[BulkItem]:
    async with claim.context.transaction() as session:
        query = select(BulkItem).where(BulkItem.order_id == order_id).order_by(col(BulkItem.n))
        return list((await session.execute(query)).scalars())


async def overwrite(claim: Office, order_id: UUID, **values: Any) -> None:
    """Somebody with the database in their hands."""
    async with claim.context.transaction() as session:
        await session.execute(update(BulkItem).where(col(BulkItem.order_id) == order_id).values(**values))


async def carry_out(claim: Office, by: Actor, order_id: UUID) -> None:
    """Order it and work it through."""
    await order_bulk(claim.context, by, order_id, key=uuid4().hex)
    while await work_on(claim.context, order_id, 0, beat=lambda: None) is Worked.ON:
        pass
    async with claim.context.transaction() as session:
        assert (await session.get_one(BulkOrder, order_id)).status == "done"
