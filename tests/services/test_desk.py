"""The desk: handing tasks to others, answers by customers, and limits that depend on what is decided."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import JournalEntry, Staff
from lian.domain import journal as j
from lian.domain.case_kinds import task_kind
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.messages import CompleteTask
from lian.domain.tasks import questions
from lian.services import desk
from lian.services.context import Context
from lian.services.desk import TaskQuery
from lian.services.intake import Registered
from tests.api.conftest import as_process, open_task
from tests.cast import as_customer, hire, reported_claim
from tests.fakes.process import FakeProcess


@pytest.fixture
async def claim(context: Context) -> Registered:
    """Zhao's claim."""
    return await reported_claim(context)


async def authorisation(context: Context, claim: Registered, **more: Any) -> UUID:
    """A task that needs a senior or above."""
    return await open_task(context, claim.case_id, kind="authorise", queue="claims.authority", ask={}, **more)


async def answer(context: Context, actor: Actor, task_id: UUID, *, notes: str = "", **outcome: Any) -> None:
    await desk.complete_task(context, actor, task_id, outcome=outcome, notes=notes, command_id=uuid4().hex)


# --- assigning --------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_a_lead_hands_a_task_to_somebody_and_the_journal_says_so(context: Context, claim: Registered) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    task_id = await authorisation(context, claim)
    found = await desk.assign_task(context, li, task_id, to="chen")
    assert found.task.holder == chen.id
    async with context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.type == "task.claimed")
        entry = (await session.execute(query)).scalars().one()
    assert (entry.actor, entry.body["holder"], entry.body["how"]) == (li.id, chen.id, "assign")


@pytest.mark.req("TSK-1")
async def test_a_task_is_taken_out_of_ones_hands_and_given_to_another(context: Context, claim: Registered) -> None:
    li, chen, gao = [await hire(context, name) for name in ("li", "chen", "gao")]
    task_id = await authorisation(context, claim)
    await desk.claim_task(context, chen, task_id)
    assert (await desk.assign_task(context, li, task_id, to="gao")).task.holder == gao.id
    again = await desk.assign_task(context, li, task_id, to="gao")  # once more changes nothing
    async with context.transaction() as session:
        query = select(JournalEntry.type).where(col(JournalEntry.type).startswith("task."))
        types = (await session.execute(query.order_by(col(JournalEntry.chain_seq)))).scalars().all()
    assert again.task.holder == gao.id
    assert types == ["task.opened", "task.claimed", "task.released", "task.claimed"]
    with pytest.raises(Conflict, match="高远 has this task"):
        await answer(context, chen, task_id, agree=True)


@pytest.mark.req("TSK-5")
async def test_nobody_is_assigned_what_they_could_not_have_taken(context: Context, claim: Registered) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    await hire(context, "wang")
    excluded = await authorisation(context, claim, excluded=(chen.id,))
    too_much = await authorisation(context, claim, least_authority=Decimal("50000.01"))
    for task_id, to, why in (
        (excluded, "chen", "decided on this case before"),
        (too_much, "chen", "above their authority limit"),
        (too_much, "wang", "not work of their role"),
        (too_much, "nobody", "no active account"),
    ):
        with pytest.raises(Invalid, match=why) as refused:
            await desk.assign_task(context, li, task_id, to=to)
        assert refused.value.details == {"field": "to"}
        assert (await desk.show_task(context, li, task_id)).task.holder == ""


@pytest.mark.req("TSK-5")
async def test_a_lead_cannot_assign_to_themselves_what_they_are_excluded_from(
    context: Context, claim: Registered
) -> None:
    li = await hire(context, "li")
    task_id = await authorisation(context, claim, excluded=(li.id,))
    with pytest.raises(Invalid, match="decided on this case before"):
        await desk.assign_task(context, li, task_id, to="li")


@pytest.mark.req("SEC-1")
async def test_only_who_may_assign_does_and_only_open_tasks(context: Context, claim: Registered) -> None:
    li, chen, zhao = await hire(context, "li"), await hire(context, "chen"), await as_customer(context, claim.number)
    task_id = await authorisation(context, claim)
    for actor in (chen, zhao):
        with pytest.raises(NotAllowed):
            await desk.assign_task(context, actor, task_id, to="li")
        with pytest.raises(NotAllowed):
            await desk.list_assignees(context, actor, task_id)
    await as_process(context, claim.case_id, j.TaskCancelled(task_id=task_id, why="withdrawn"))
    with pytest.raises(Conflict, match="no longer open"):
        await desk.assign_task(context, li, task_id, to="chen")


@pytest.mark.req("TSK-1")
async def test_the_list_of_assignees_names_those_who_can_first_and_why_others_cannot(
    context: Context, claim: Registered
) -> None:
    li, chen, gao = [await hire(context, name) for name in ("li", "chen", "gao")]
    await hire(context, "wang")
    left = await hire(context, "tang")
    async with context.transaction() as session:
        roles = {"roles": ["team_lead"], "active": False}
        await session.execute(
            update(Staff).where(col(Staff.id) == UUID(left.id.removeprefix("staff:"))).values(**roles)
        )
    task_id = await authorisation(context, claim, excluded=(gao.id,), least_authority=Decimal(100_000))
    listed = await desk.list_assignees(context, li, task_id)
    assert [(one.username, one.why_not) for one in listed][:1] == [("li", "")]
    assert {one.username: one.why_not for one in listed[1:]} == {
        "gao": "They decided on this case before, or have an interest in it; another person must do this.",
        "chen": "The amount is above their authority limit.",
    }
    assert chen.name in {one.name for one in listed}


@pytest.mark.req("TSK-1", "CLM-6")
async def test_a_survey_is_given_to_an_external_adjuster_who_then_reports(
    context: Context, claim: Registered, process: FakeProcess
) -> None:
    li, wei = await hire(context, "li"), await hire(context, "wei")
    task_id = await open_task(context, claim.case_id, kind="external_adjuster", queue="claims.external", ask={})
    with pytest.raises(NotFound):
        await desk.claim_task(context, wei, task_id)
    await desk.assign_task(context, li, task_id, to="wei")
    await answer(context, wei, task_id, notes="左前门受损", finding=first_finding("external_adjuster"))
    assert [(m.actor, m.task_id) for m in process.told if isinstance(m, CompleteTask)] == [(wei.id, task_id)]


def first_finding(kind: str) -> str:
    """An answer the survey's form offers."""
    return next(iter(questions(task_kind("claim", kind).outcome)["finding"].options))


@pytest.mark.req("TSK-1")
async def test_what_was_assigned_need_not_come_from_ones_own_queue(context: Context, claim: Registered) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    async with context.transaction() as session:
        (await session.get_one(Staff, UUID(chen.id.removeprefix("staff:")))).queues = ["claims.review"]
    chen = Actor(id=chen.id, name=chen.name, roles=chen.roles, queues=("claims.review",))
    task_id = await authorisation(context, claim)
    with pytest.raises(NotAllowed, match="queue"):
        await desk.claim_task(context, chen, task_id)
    await desk.assign_task(context, li, task_id, to="chen")
    await answer(context, chen, task_id, agree=True)


# --- limits that depend on the decision -------------------------------------------------------------------------------


@pytest.mark.req("CLM-9")
async def test_the_limit_of_the_decision_counts_and_not_that_of_a_claim(context: Context, claim: Registered) -> None:
    chen, li = await hire(context, "chen"), await hire(context, "li")  # 50,000 of a claim, 20,000 of an advance
    more = {"ask": {}, "queue": "claims.authority", "least_authority": Decimal(30_000)}
    advance = await open_task(context, claim.case_id, kind="authorise_advance", **more)
    with pytest.raises(NotAllowed, match="above your authority"):
        await desk.claim_task(context, chen, advance)
    assert await desk.take_next(context, chen, "claims.authority") is None
    decision = await open_task(context, claim.case_id, kind="authorise", **more)
    drawn = await desk.take_next(context, chen, "claims.authority")
    assert drawn is not None
    assert drawn.found.task.id == decision
    taken = await desk.take_next(context, li, "claims.authority")
    assert taken is not None
    assert taken.found.task.id == advance


@pytest.mark.req("CLM-9")
async def test_the_process_is_told_the_limit_of_the_decision(
    context: Context, claim: Registered, process: FakeProcess
) -> None:
    li = await hire(context, "li")
    task_id = await open_task(context, claim.case_id, kind="authorise_advance", queue="claims.authority", ask={})
    await desk.claim_task(context, li, task_id)
    await answer(context, li, task_id, agree=True)
    assert [m.authority for m in process.told if isinstance(m, CompleteTask)] == [Decimal(200_000)]


# --- customers --------------------------------------------------------------------------------------------------------


async def confirmation(context: Context, case_id: UUID) -> UUID:
    """A task that is asked of the customer."""
    return await open_task(context, case_id, kind="confirm_account", queue="claims.settlement", ask={})


@pytest.mark.req("SEC-1")
async def test_a_customer_answers_what_is_asked_of_them_without_holding_it(
    context: Context, claim: Registered, process: FakeProcess
) -> None:
    zhao = await as_customer(context, claim.number)
    await open_task(context, claim.case_id)
    task_id = await confirmation(context, claim.case_id)
    assert [found.task.id for found in await desk.tasks_for_customer(context, zhao)] == [task_id]
    assert (await desk.show_task(context, zhao, task_id)).task.id == task_id
    await answer(context, zhao, task_id, is_right=True)
    told = [m for m in process.told if isinstance(m, CompleteTask)]
    assert [(m.actor, m.authority, m.outcome) for m in told] == [(zhao.id, Decimal(0), {"is_right": True})]


@pytest.mark.req("SEC-1")
async def test_a_customer_sees_no_other_task_and_takes_none(context: Context, claim: Registered) -> None:
    zhao = await as_customer(context, claim.number)
    ours = await open_task(context, claim.case_id)
    theirs = await confirmation(context, claim.case_id)
    anothers = await confirmation(context, (await reported_claim(context)).case_id)
    for task_id in (ours, anothers):
        with pytest.raises(NotFound):
            await desk.show_task(context, zhao, task_id)
        with pytest.raises(NotFound):
            await answer(context, zhao, task_id, is_right=True)
    for verb in (desk.claim_task, desk.release_task):
        with pytest.raises(NotFound):
            await verb(context, zhao, theirs)
    for listing in (desk.queues(context, zhao), desk.list_tasks(context, zhao, TaskQuery())):
        with pytest.raises(NotAllowed):
            await listing


async def test_a_customer_is_told_when_the_question_no_longer_needs_an_answer(
    context: Context, claim: Registered
) -> None:
    zhao = await as_customer(context, claim.number)
    task_id = await confirmation(context, claim.case_id)
    await as_process(context, claim.case_id, j.TaskCancelled(task_id=task_id, why="withdrawn"))
    assert await desk.tasks_for_customer(context, zhao) == []
    with pytest.raises(Conflict, match="no longer open"):
        await answer(context, zhao, task_id, is_right=True)


# --- reasons ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-8")
async def test_a_vote_without_reasons_is_refused(context: Context, claim: Registered, process: FakeProcess) -> None:
    tang = await hire(context, "tang")
    task_id = await open_task(context, claim.case_id, kind="panel_vote", queue="claims.panel", ask={})
    await desk.claim_task(context, tang, task_id)
    for notes in ("", "  \n"):
        with pytest.raises(Invalid, match="Say why") as refused:
            await answer(context, tang, task_id, notes=notes, vote="agree")
        assert refused.value.details == {"field": "notes"}
    assert process.told == []
    await answer(context, tang, task_id, notes="证据充分", vote="agree")
    assert len(process.told) == 1
