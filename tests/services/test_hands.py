"""Tasks in people's hands: put aside, passed on, lent to colleagues and returned, talked about, declared a conflict."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.journal import compare, verify
from lian.db.tables import Case, CaseBar, Clock, JournalEntry, Staff, Task
from lian.domain import journal as j
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.messages import CompleteTask
from lian.services import desk
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.opening import Registered
from tests.api.conftest import as_process, open_task, start_clock
from tests.cast import CAST, reported_claim
from tests.fakes.process import FakeProcess

pytestmark = pytest.mark.req("TSK-1")


async def hire(context: Context, part: str, *, called: str = "", **more: Any) -> Actor:
    """A member of the cast, without the time it takes to hash a password."""
    name, roles = CAST[part]
    given = {"username": called or part, "name": name, "roles": list(roles), "queues": ["*"]} | more
    staff = Staff(id=uuid4(), password_hash="none", created_at=context.now(), **given)
    async with context.transaction() as session:
        session.add(staff)
    return actor_for(staff)


async def change(context: Context, person: Actor, **more: Any) -> Actor:
    """The same person with another account."""
    async with context.transaction() as session:
        is_theirs = col(Staff.id) == UUID(person.id.removeprefix("staff:"))
        await session.execute(update(Staff).where(is_theirs).values(**more))
        account = (await session.execute(select(Staff).where(is_theirs))).scalars().one()
        return actor_for(account)


@pytest.fixture
async def claim(context: Context) -> Registered:
    """Zhao's claim."""
    return await reported_claim(context)


@pytest.fixture
async def task(context: Context, claim: Registered) -> UUID:
    """An authorisation that nobody has: for seniors and above."""
    return await authorisation(context, claim)


async def authorisation(context: Context, claim: Registered, **more: Any) -> UUID:
    return await open_task(context, claim.case_id, kind="authorise", queue="claims.authority", ask={}, **more)


async def row(context: Context, task_id: UUID) -> Task:
    async with context.transaction() as session:
        return await session.get_one(Task, task_id)


async def assert_sound(context: Context) -> None:
    """I4: the chain verifies, and the rows equal a rebuild."""
    async with context.transaction() as session:
        assert (await verify(session)).damages == []
        assert (await compare(session, context.ring)).damages == []


# --- put aside, passed on ---------------------------------------------------------------------------------------------


async def test_a_task_put_aside_is_offered_again_once_its_moment_has_come_and_nobody_wakes_it(
    context: Context, task: UUID
) -> None:
    li, chen, now = await hire(context, "li"), await hire(context, "chen"), context.now()
    await desk.hold_task(context, li, task, reason="expert", until=now + timedelta(hours=2))
    assert await desk.take_next(context, chen, "claims.authority") is None
    context.now = lambda: now + timedelta(hours=2, seconds=1)
    drawn = await desk.take_next(context, chen, "claims.authority")
    assert drawn is not None
    assert drawn.found.task.id == task
    await assert_sound(context)


async def test_what_somebody_put_aside_stays_theirs_and_its_promise_runs_on(
    context: Context, claim: Registered, task: UUID
) -> None:
    """A desk hold never stops a clock (idea 3), and changes no place in the queue."""
    chen, gao = await hire(context, "chen"), await hire(context, "gao")
    await start_clock(context, claim.case_id)
    await desk.claim_task(context, chen, task)
    before = await row(context, task)
    until = context.now() + timedelta(days=30)
    await desk.hold_task(context, chen, task, reason="other", until=until, words="等客户回国")
    after = await row(context, task)
    assert (after.holder, after.hold_until, after.hold_reason) == (chen.id, until, "other")
    assert (after.urgency, after.act_by_at) == (before.urgency, before.act_by_at)
    async with context.transaction() as session:
        clock = (await session.execute(select(Clock).where(Clock.case_id == claim.case_id))).scalars().one()
    assert (clock.status, clock.due_at) == ("running", before.act_by_at)
    assert await desk.take_next(context, gao, "claims.authority") is None
    assert (await desk.wake_task(context, chen, task)).task.hold_until is None


async def test_a_task_is_put_aside_for_90_days_at_most_and_other_reasons_are_said(context: Context, task: UUID) -> None:
    chen, now = await hire(context, "chen"), context.now()
    context.now = lambda: now
    await desk.claim_task(context, chen, task)
    for until in (now, now - timedelta(seconds=1), now + timedelta(days=90, seconds=1)):
        with pytest.raises(Invalid) as refused:
            await desk.hold_task(context, chen, task, reason="expert", until=until)
        assert refused.value.details["field"] == "until"
    for reason, words, field in (("other", "  ", "note"), ("lunch", "", "reason"), ("other", "x" * 4_001, "note")):
        with pytest.raises(Invalid) as refused:
            await desk.hold_task(context, chen, task, reason=reason, until=now + timedelta(days=1), words=words)
        assert refused.value.details["field"] == field
    assert (await desk.hold_task(context, chen, task, reason="expert", until=now + timedelta(days=90))).task.hold_until


async def test_what_somebody_passed_on_is_offered_to_them_again_after_half_a_day(context: Context, task: UUID) -> None:
    chen, now = await hire(context, "chen"), context.now()
    await desk.claim_task(context, chen, task)
    await desk.pass_on(context, chen, task, reason="expertise")
    context.now = lambda: now + timedelta(hours=11)
    assert await desk.take_next(context, chen, "claims.authority") is None
    assert (await desk.claim_task(context, chen, task)).task.holder == chen.id  # who asks for it themselves, gets it
    await desk.release_task(context, chen, task)
    context.now = lambda: now + timedelta(hours=13)
    assert await desk.take_next(context, chen, "claims.authority") is not None


# --- lent and returned ------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-4", "CLM-9")
async def test_whoever_does_a_task_for_a_colleague_does_it_with_their_own_limit(
    context: Context, claim: Registered, process: FakeProcess
) -> None:
    li, chen, gao = [await hire(context, name) for name in ("li", "chen", "gao")]
    large = await authorisation(context, claim, least_authority=Decimal(60_000))
    await desk.claim_task(context, gao, large)
    with pytest.raises(Invalid, match="above their authority limit"):
        await desk.delegate_task(context, gao, large, to="chen")
    assert (await desk.delegate_task(context, gao, large, to="li")).task.on_behalf_of == gao.id
    await desk.complete_task(context, li, large, outcome={"agree": True}, notes="", command_id="c")
    told = [m for m in process.told if isinstance(m, CompleteTask)]
    assert [(m.actor, m.authority) for m in told] == [(li.id, li.authority_for("claim", "motor"))]
    assert chen.authority_for("claim", "motor") < 60_000 < gao.authority_for("claim", "motor")


@pytest.mark.req("TSK-4")
async def test_a_task_lent_on_stays_the_work_of_whoever_lent_it_first(context: Context, task: UUID) -> None:
    li, chen, gao = [await hire(context, name) for name in ("li", "chen", "gao")]
    await desk.claim_task(context, chen, task)
    await desk.delegate_task(context, chen, task, to="li")
    lent_on = await desk.delegate_task(context, li, task, to="gao")
    assert (lent_on.task.holder, lent_on.task.on_behalf_of) == (gao.id, chen.id)
    home = await desk.delegate_task(context, gao, task, to="chen")
    assert (home.task.holder, home.task.on_behalf_of) == (chen.id, "")
    with pytest.raises(Conflict, match="Nobody delegated"):
        await desk.give_back(context, chen, task)
    await assert_sound(context)


@pytest.mark.req("TSK-4")
async def test_whoever_lent_a_task_to_another_team_takes_it_back(context: Context, task: UUID) -> None:
    chen = await hire(context, "chen", team="north")
    other = await hire(context, "chen", called="chen2", team="south")
    await desk.claim_task(context, chen, task)
    assert (await desk.delegate_task(context, chen, task, to="chen2")).task.holder == other.id
    back = await desk.give_back(context, chen, task)
    assert (back.task.holder, back.task.held_how) == (chen.id, "return")


@pytest.mark.req("TSK-4")
@pytest.mark.parametrize(
    "changed",
    [{"active": False}, {"roles": ["claims_adjuster_junior"]}, {"roles": ["archivist"]}],
    ids=["the account is closed", "the limit is lower", "the role is another"],
)
async def test_what_its_owner_may_not_do_any_more_goes_back_to_its_queue(
    context: Context, task: UUID, changed: dict[str, Any]
) -> None:
    chen, gao = await hire(context, "chen"), await hire(context, "gao")
    await desk.claim_task(context, chen, task)
    await desk.delegate_task(context, chen, task, to="gao")
    await change(context, chen, **changed)
    free = await desk.give_back(context, gao, task)
    assert (free.task.holder, free.task.on_behalf_of, free.task.claimed_at) == ("", "", None)


async def test_only_those_concerned_and_a_lead_return_it(context: Context, task: UUID) -> None:
    chen, gao, li = [await hire(context, name) for name in ("chen", "gao", "li")]
    stranger = await hire(context, "chen", called="chen2")
    await desk.claim_task(context, chen, task)
    await desk.delegate_task(context, chen, task, to="gao")
    with pytest.raises(NotAllowed, match="who does it, who delegated it"):
        await desk.give_back(context, stranger, task)
    assert (await desk.give_back(context, li, task)).task.holder == chen.id
    assert gao.id not in (await row(context, task)).excluded


# --- teams, licences --------------------------------------------------------------------------------------------------


async def test_people_outside_work_for_every_team(context: Context, claim: Registered) -> None:
    lead = await hire(context, "li", team="north")
    wei = await hire(context, "wei")
    survey = await open_task(context, claim.case_id, kind="external_adjuster", queue="claims.external", ask={})
    assert (await desk.assign_task(context, lead, survey, to="wei")).task.holder == wei.id
    assert (await desk.unassign_task(context, lead, survey)).task.holder == ""


async def test_a_lead_gives_nothing_to_another_team(context: Context, task: UUID) -> None:
    lead, manager = await hire(context, "li", team="north"), await hire(context, "gao", team="north")
    far = await hire(context, "chen", team="south")
    with pytest.raises(NotAllowed, match="another team"):
        await desk.assign_task(context, lead, task, to="chen")
    assert (await desk.assign_task(context, manager, task, to="chen")).task.holder == far.id
    with pytest.raises(NotAllowed, match="another team"):
        await desk.unassign_task(context, lead, task)


@pytest.mark.req("TSK-3", "TSK-5")
async def test_a_licence_is_needed_however_the_task_comes_to_somebody_and_only_while_it_counts(
    context: Context, claim: Registered, task: UUID
) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    needed = j.TaskRouted(task_id=task, queue="claims.authority", skills=("licence:life", "marine"))
    await as_process(context, claim.case_id, needed)
    with pytest.raises(NotAllowed, match="licence"):
        await desk.claim_task(context, chen, task)
    with pytest.raises(Invalid, match="licence"):
        await desk.assign_task(context, li, task, to="chen")
    yesterday, tomorrow = (context.today + timedelta(days=n) for n in (-1, 1))
    for until, may in ((yesterday, False), (tomorrow, True)):
        licensed = await change(context, chen, skills={"licence:life": until.isoformat()})
        assert ("licence:life" in licensed.skills_on(context.today)) is may
    claimed = await desk.claim_task(context, licensed, task)  # a skill is what one would rather have, no more
    assert claimed.task.holder == chen.id
    await change(context, chen, skills={"licence:life": date(2020, 1, 1).isoformat()})


# --- versions ---------------------------------------------------------------------------------------------------------


async def test_whoever_acts_on_what_they_no_longer_see_as_it_is_learns_who_has_it(context: Context, task: UUID) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    seen = (await desk.show_task(context, li, task)).task.version
    await desk.claim_task(context, chen, task, version=seen)
    with pytest.raises(Conflict, match="陈静 has it") as stale:
        await desk.prioritise_task(context, li, task, is_raised=True, words="急", version=seen)
    assert stale.value.details == {"holder": "陈静"}
    with pytest.raises(Conflict, match="陈静 has this task already"):
        await desk.claim_task(context, li, task, version=seen)
    with pytest.raises(Conflict, match="look again") as own:
        await desk.delegate_task(context, chen, task, to="li", version=seen)
    assert own.value.details == {}
    assert (await row(context, task)).is_raised is False


async def test_remarks_make_nobodys_view_of_a_task_stale(context: Context, task: UUID) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    seen = (await desk.claim_task(context, chen, task)).task.version
    await desk.comment_on(context, li, task, text="请抓紧")
    assert (await desk.release_task(context, chen, task, version=seen)).task.holder == ""


# --- what colleagues say ----------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-2")
async def test_what_colleagues_write_is_sealed_in_the_journal_and_read_by_colleagues(
    context: Context, claim: Registered, task: UUID
) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    await desk.claim_task(context, chen, task)
    await desk.comment_on(context, chen, task, text="赵磊电话13800000001")
    review = await desk.ask_colleague(context, chen, task, to="li", question="赵磊可信吗？")
    await desk.give_opinion(context, li, review, opinion="disagrees", answer="赵磊前后矛盾")
    await desk.pass_on(context, chen, task, reason="other", words="赵磊是我邻居")
    talk = await desk.talk_of(context, li, task)
    assert [c.body for c in talk.comments] == ["赵磊电话13800000001"]
    assert [(r.question, r.opinion, r.answer) for r in talk.reviews] == [("赵磊可信吗？", "disagrees", "赵磊前后矛盾")]
    async with context.transaction() as session:
        entries = select(JournalEntry).where(JournalEntry.case_id == claim.case_id)
        written = [str(e.body) for e in (await session.execute(entries)).scalars() if e.type.startswith("task.")]
    assert not [body for body in written if "赵磊" in body or "13800000001" in body]
    await assert_sound(context)


async def test_a_closed_task_is_talked_about_and_otherwise_left_alone(
    context: Context, claim: Registered, task: UUID
) -> None:
    chen, li = await hire(context, "chen"), await hire(context, "li")
    await desk.claim_task(context, chen, task)
    review = await desk.ask_colleague(context, chen, task, to="li", question="？")
    await as_process(context, claim.case_id, j.TaskCancelled(task_id=task, why="withdrawn"))
    await desk.comment_on(context, chen, task, text="客户已撤回")
    assert (await desk.give_opinion(context, li, review, opinion="agrees", answer="")).opinion == "agrees"
    for verb in (desk.claim_task, desk.release_task, desk.give_back, desk.wake_task):
        with pytest.raises(Conflict, match="no longer open"):
            await verb(context, chen, task)


@pytest.mark.req("TSK-5")
async def test_whoever_was_asked_and_turns_out_to_have_an_interest_is_heard_no_more(
    context: Context, claim: Registered, task: UUID
) -> None:
    chen, li, gao = [await hire(context, name) for name in ("chen", "li", "gao")]
    await desk.claim_task(context, chen, task)
    asked = [await desk.ask_colleague(context, chen, task, to=name, question="？") for name in ("li", "gao")]
    await desk.declare_conflict(context, li, claim.number, reason="interest")
    await as_process(context, claim.case_id, j.TaskBarred(task_id=task, actor=gao.id))
    for person, review in zip((li, gao), asked, strict=True):
        with pytest.raises(NotAllowed):
            await desk.give_opinion(context, person, review, opinion="agrees", answer="")
    with pytest.raises(Invalid, match="have an interest"):
        await desk.ask_colleague(context, chen, task, to="li", question="？")
    talk = await desk.talk_of(context, chen, task)
    assert {r.opinion for r in talk.reviews} == {""}


# --- conflicts of interest --------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-5")
async def test_a_declared_conflict_holds_for_every_task_of_the_case_now_and_later(
    context: Context, claim: Registered, task: UUID
) -> None:
    chen, li = await hire(context, "chen"), await hire(context, "li")
    second, elsewhere = await authorisation(context, claim), await authorisation(context, await reported_claim(context))
    for each in (task, second, elsewhere):
        await desk.claim_task(context, chen, each)
    await desk.declare_conflict(context, chen, claim.number, reason="acquainted")
    await desk.declare_conflict(context, chen, claim.number, reason="interest")  # said once is enough
    later = await authorisation(context, claim)
    assert [(await row(context, each)).holder for each in (task, second, elsewhere)] == ["", "", chen.id]
    for each in (task, later):
        with pytest.raises(NotAllowed, match="have an interest"):
            await desk.claim_task(context, chen, each)
        with pytest.raises(Invalid, match="have an interest"):
            await desk.assign_task(context, li, each, to="chen")
    async with context.transaction() as session:
        bars = (await session.execute(select(CaseBar))).scalars().all()
    assert [(bar.actor, bar.reason, bar.barred_by) for bar in bars] == [(chen.id, "acquainted", chen.id)]
    await assert_sound(context)


@pytest.mark.req("TSK-5", "CLM-6")
async def test_an_external_adjuster_declares_a_conflict_and_is_rid_of_the_case(
    context: Context, claim: Registered
) -> None:
    li, wei = await hire(context, "li"), await hire(context, "wei")
    survey = await open_task(context, claim.case_id, kind="external_adjuster", queue="claims.external", ask={})
    with pytest.raises(NotFound):
        await desk.declare_conflict(context, wei, claim.number, reason="acquainted")
    await desk.assign_task(context, li, survey, to="wei")
    await desk.declare_conflict(context, wei, claim.number, reason="acquainted")
    assert (await row(context, survey)).holder == ""
    with pytest.raises(NotFound):
        await desk.show_task(context, wei, survey)
    with pytest.raises(Invalid, match="have an interest"):
        await desk.assign_task(context, li, survey, to="wei")


@pytest.mark.req("TSK-5")
async def test_a_lead_whose_own_case_it_is_neither_moves_it_nor_chooses_who_does(
    context: Context, claim: Registered, task: UUID
) -> None:
    """Everything that only a lead does on it is another lead's."""
    li, chen, gao = [await hire(context, name) for name in ("li", "chen", "gao")]
    await hire(context, "chen", called="friend")
    await desk.claim_task(context, chen, task)
    question = await open_task(
        context, claim.case_id, kind="explain_lateness", queue="promises", ask={"clock": "claim.total"}
    )
    async with context.transaction() as session:
        policyholder = (await session.get_one(Case, claim.case_id)).subject_person_id
    await change(context, li, person_id=policyholder)
    await desk.declare_conflict(context, gao, claim.number, reason="own_case", of="li")
    tomorrow = context.now() + timedelta(days=1)
    for attempt in (
        desk.assign_task(context, li, task, to="friend"),
        desk.unassign_task(context, li, task),
        desk.release_task(context, li, task),
        desk.hold_task(context, li, task, reason="expert", until=tomorrow),
        desk.wake_task(context, li, task),
        desk.prioritise_task(context, li, task, is_raised=True, words="急"),
        desk.cancel_task(context, li, question, words="不必说明"),
        desk.declare_conflict(context, li, claim.number, reason="interest", of="chen"),
    ):
        with pytest.raises(NotAllowed, match="conflict of interest"):
            await attempt
    assert ((await row(context, task)).holder, (await row(context, question)).status) == (chen.id, "open")
