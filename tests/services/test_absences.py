"""Absences: who may note them, who stands in, and that work returns without raising anybody's authority (TSK-4)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.journal import compare
from lian.db.tables import Absence, JournalEntry, Task
from lian.domain import journal as j
from lian.domain.absences import LONGEST_ABSENCE
from lian.domain.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from lian.domain.sla import Escalation
from lian.services import desk
from lian.services.context import Context
from lian.services.desk import AbsenceState, NewAbsence, TaskQuery
from lian.services.desk.standing_in import return_to_the_back
from lian.services.intake import Registered
from lian.services.substitutes import stands_in_for, substitute_of
from lian.services.watchdog import sweep
from tests.api.conftest import as_process, count, open_task
from tests.cast import reported_claim
from tests.services.test_alerts import HOLDER, alerted, changed, climbed, hire, started

pytestmark = pytest.mark.req("TSK-4")

DAY = timedelta(days=1)


async def note(context: Context, actor: Actor, *, of: str = "", to: str = "", begin: int = 0, days: int = 3) -> Absence:
    """An absence from some day on; day 0 began an hour ago."""
    begins = context.now() - timedelta(hours=1) + begin * DAY
    new = NewAbsence(away_from=begins, away_until=begins + days * DAY, of=of, substitute=to)
    return await desk.note_absence(context, actor, new)


def later(context: Context, time: timedelta) -> None:
    now = context.now()
    context.now = lambda: now + time


@pytest.fixture
async def claim(context: Context) -> Registered:
    """Zhao's claim."""
    return await reported_claim(context)


async def held_by(context: Context, claim: Registered, who: Actor, **more: Any) -> UUID:
    """A task that somebody took on."""
    task_id = await open_task(context, claim.case_id, **more)
    await desk.claim_task(context, who, task_id)
    return task_id


async def row(context: Context, task_id: UUID) -> Task:
    async with context.transaction() as session:
        return await session.get_one(Task, task_id)


async def hands(context: Context, task_id: UUID) -> tuple[str, str, str]:
    """Who has it, on whose behalf, and how."""
    task = await row(context, task_id)
    return task.holder, task.on_behalf_of, task.held_how


async def covered(context: Context, actor: Actor) -> set[str]:
    async with context.transaction() as session:
        return set(await stands_in_for(session, actor, context.now()))


async def covering(context: Context, actor: Actor) -> str:
    async with context.transaction() as session:
        return await substitute_of(session, actor.id, context.now())


async def assert_rebuildable(context: Context) -> None:
    async with context.transaction() as session:
        assert [d.what for d in (await compare(session, context.ring)).damages] == []


# --- noting -----------------------------------------------------------------------------------------------------------


async def test_somebody_notes_their_own_absence_and_ends_it_early(context: Context) -> None:
    wang, chen = await hire(context, "wang"), await hire(context, "chen")
    absence = await note(context, wang, to="chen")
    (seen,) = await desk.list_absences(context, wang)
    assert (seen.state, seen.person.name, seen.works and seen.works.name) == (AbsenceState.ON, "王敏", "陈静")
    (theirs,) = await desk.list_absences(context, chen, whose="covered")
    assert theirs.absence.id == absence.id
    ended = await desk.end_absence(context, wang, absence.id)
    assert (ended.ended_at is not None, ended.ended_by) == (True, wang.id)
    assert await desk.list_absences(context, wang) == []
    (over,) = await desk.list_absences(context, wang, are_over=True)
    assert over.state is AbsenceState.OVER
    with pytest.raises(Conflict, match="over already"):
        await desk.end_absence(context, wang, absence.id)
    await note(context, wang, to="chen")  # the time is free again


async def test_one_that_is_called_off_before_it_began_never_counts(context: Context) -> None:
    wang, chen = await hire(context, "wang"), await hire(context, "chen")
    absence = await note(context, wang, to="chen", begin=5)
    assert (await desk.list_absences(context, wang))[0].state is AbsenceState.AHEAD
    await desk.end_absence(context, wang, absence.id)
    await note(context, wang, begin=6)
    later(context, 5.5 * DAY)
    assert await covered(context, chen) == set()


@pytest.mark.parametrize(
    ("begin", "end", "why"),
    [
        (1, 1, "before the first"),
        (2, 1, "before the first"),
        (-5, -1, "over already"),
        (0, LONGEST_ABSENCE.days + 1, "three years"),
    ],
)
async def test_a_time_that_cannot_be_is_refused(context: Context, begin: int, end: int, why: str) -> None:
    wang = await hire(context, "wang")
    now = context.now()
    new = NewAbsence(away_from=now + begin * DAY, away_until=now + end * DAY)
    with pytest.raises(Invalid, match=why):
        await desk.note_absence(context, wang, new)
    assert await count(context, Absence) == 0


async def test_nobody_is_away_twice_at_a_time(context: Context) -> None:
    wang, now = await hire(context, "wang"), context.now()
    context.now = lambda: now
    await note(context, wang, begin=5, days=3)
    for begin, days in ((5, 3), (4, 2), (7, 1), (6, 1), (1, 30)):
        with pytest.raises(Conflict, match="noted for this time already"):
            await note(context, wang, begin=begin, days=days)
    await note(context, wang, begin=8, days=1)
    await note(context, wang, begin=4, days=1)
    assert await count(context, Absence) == 3


async def test_a_substitute_takes_tasks_on_and_is_somebody_else_with_an_account(context: Context) -> None:
    wang, tang = await hire(context, "wang"), await hire(context, "tang")
    await hire(context, "wei")
    await changed(context, tang, active=False)
    for to, why in (
        ("wang", "themselves"),
        ("wei", "take no tasks on"),
        ("tang", "no active account"),
        ("nobody", "no active account"),
    ):
        with pytest.raises(Invalid, match=why) as refused:
            await note(context, wang, to=to)
        assert refused.value.details == {"field": "substitute"}


async def test_a_lead_notes_absences_of_their_team_and_a_manager_of_everybody(context: Context) -> None:
    wang, chen, li, gao, wei = [await hire(context, name) for name in ("wang", "chen", "li", "gao", "wei")]
    await changed(context, wang, team="north")
    li = replace(li, team="south")
    await changed(context, chen, team="south")
    noted = await note(context, li, of="chen")
    assert noted.noted_by == li.id
    with pytest.raises(NotAllowed, match="another team"):
        await note(context, li, of="wang")
    with pytest.raises(NotAllowed):
        await note(context, chen, of="wang")
    with pytest.raises(NotAllowed):
        await note(context, wei)
    other = await note(context, gao, of="wang")
    with pytest.raises(NotFound):
        await desk.end_absence(context, li, other.id)
    with pytest.raises(NotFound):
        await desk.end_absence(context, wang, noted.id)
    with pytest.raises(NotFound):
        await desk.end_absence(context, li, uuid4())
    assert {one.person.name for one in await desk.list_absences(context, li, whose="team")} == {"陈静"}
    assert len(await desk.list_absences(context, gao, whose="team")) == 2
    with pytest.raises(NotAllowed):
        await desk.list_absences(context, chen, whose="team")
    with pytest.raises(Invalid):
        await desk.list_absences(context, chen, whose="everybody")
    people = (await desk.choices_for(context, li)).people
    assert [one.username for one in people] == ["chen"]
    assert (await desk.choices_for(context, chen)).people == []
    assert {one.username for one in (await desk.choices_for(context, chen)).substitutes} == {
        "wang",
        "chen",
        "li",
        "gao",
    }
    await desk.end_absence(context, li, noted.id)


# --- who stands in ----------------------------------------------------------------------------------------------------


async def test_standing_in_is_dated_and_handed_on(context: Context) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    await note(context, wang, to="chen", days=10)
    await note(context, chen, to="li", begin=2, days=2)
    assert (await covering(context, wang), await covering(context, chen)) == (chen.id, "")
    assert await covered(context, chen) == {wang.id}
    later(context, 2.5 * DAY)
    assert await covering(context, wang) == li.id
    assert (await covered(context, chen), await covered(context, li)) == (set(), {wang.id, chen.id})
    (seen,) = await desk.list_absences(context, wang)
    assert (seen.substitute and seen.substitute.name, seen.works and seen.works.name) == ("陈静", "李强")
    await changed(context, li, active=False)
    assert await covering(context, wang) == "", "nobody: the account is closed"
    later(context, 2 * DAY)
    assert await covered(context, chen) == {wang.id}
    later(context, 10 * DAY)
    assert await covering(context, wang) == ""


async def test_a_circle_is_refused_by_name_and_only_where_the_times_meet(context: Context) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    await note(context, wang, to="chen", days=10)
    await note(context, chen, to="li", begin=2, days=3)
    with pytest.raises(Conflict, match="in a circle: 李强 → 王敏 → 陈静 → 李强") as refused:
        await note(context, li, to="wang", begin=4, days=2)
    assert refused.value.details == {"field": "substitute"}
    await note(context, li, to="wang", begin=6, days=2)
    ahead = await note(context, chen, to="wang", begin=20, days=2)
    with pytest.raises(Conflict, match="王敏 → 陈静 → 王敏"):
        await note(context, wang, to="chen", begin=19, days=9)
    await desk.end_absence(context, chen, ahead.id)
    await note(context, wang, to="chen", begin=19, days=9)


async def test_two_who_name_each_other_at_once_make_no_circle(context: Context) -> None:
    wang, chen = await hire(context, "wang"), await hire(context, "chen")
    told = await asyncio.gather(note(context, wang, to="chen"), note(context, chen, to="wang"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["Absence", "Conflict"]
    assert await count(context, Absence) == 1


async def test_the_work_is_in_the_substitutes_list_as_the_owners_and_leaves_it_at_the_end(
    context: Context, claim: Registered
) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    task_id = await held_by(context, claim, wang)
    own = await held_by(context, claim, chen)
    await note(context, wang, to="chen", days=1)
    mine = TaskQuery(mine=True)
    assert {one.task.id: one.task.holder for one in await desk.list_tasks(context, chen, mine)} == {
        task_id: wang.id,
        own: chen.id,
    }
    assert (await desk.count_tasks(context, chen, mine)).n == 2
    assert await desk.list_tasks(context, li, mine) == []
    later(context, 2 * DAY)
    assert [one.task.id for one in await desk.list_tasks(context, chen, mine)] == [own]
    assert await hands(context, task_id) == (wang.id, "", "claim"), "it was never moved"


# --- taking over ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["stand_in", "claim_task"])
async def test_a_substitute_takes_a_task_over_and_it_stays_the_owners_work(
    context: Context, claim: Registered, verb: str
) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    task_id = await held_by(context, claim, wang)
    take = getattr(desk, verb)
    with pytest.raises(Conflict, match="王敏 has this task already") as refused:
        await take(context, chen, task_id)
    assert refused.value.details["holder"] == "王敏"
    await note(context, wang, to="chen")
    with pytest.raises(Conflict, match="王敏 has this task already"):
        await take(context, li, task_id)
    with pytest.raises(Conflict, match="changed since you looked"):
        await take(context, chen, task_id, version=1)
    await take(context, chen, task_id, version=(await row(context, task_id)).version)
    assert await hands(context, task_id) == (chen.id, wang.id, "substitute")
    again = await take(context, chen, task_id)  # once more changes nothing
    async with context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.type == "task.claimed").order_by(col(JournalEntry.chain_seq))
        first, second = (await session.execute(query)).scalars().all()
    assert (first.body["how"], second.actor, second.body["how"]) == ("claim", chen.id, "substitute")
    assert (second.body["on_behalf_of"], again.task.version) == (wang.id, second.chain_seq)
    await assert_rebuildable(context)


async def test_a_free_or_closed_task_is_not_taken_over(context: Context, claim: Registered) -> None:
    wang, chen = await hire(context, "wang"), await hire(context, "chen")
    await note(context, wang, to="chen")
    task_id = await open_task(context, claim.case_id)
    with pytest.raises(Conflict, match="Nobody has this task"):
        await desk.stand_in(context, chen, task_id)
    await as_process(context, claim.case_id, j.TaskCancelled(task_id=task_id, why="withdrawn"))
    with pytest.raises(Conflict, match="no longer open"):
        await desk.stand_in(context, chen, task_id)


@pytest.mark.req("TSK-5", "CLM-9")
async def test_four_eyes_survive_whoever_is_excluded_cannot_stand_in(context: Context, claim: Registered) -> None:
    chen, li, gao = [await hire(context, name) for name in ("chen", "li", "gao")]
    task_id = await open_task(
        context, claim.case_id, kind="authorise", queue="claims.authority", ask={}, excluded=(chen.id,)
    )
    await desk.claim_task(context, li, task_id)
    await note(context, li, to="chen")
    for take in (desk.stand_in, desk.claim_task):
        with pytest.raises(NotAllowed, match="You decided on this case before"):
            await take(context, chen, task_id)
    await note(context, chen, to="gao")
    await desk.stand_in(context, gao, task_id)
    assert (await row(context, task_id)).excluded == [chen.id]
    with pytest.raises(DomainError):
        await desk.complete_task(context, chen, task_id, outcome={"agree": True}, notes="", command_id=uuid4().hex)


@pytest.mark.req("CLM-9")
async def test_standing_in_raises_nobodys_authority(context: Context, claim: Registered) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    await note(context, li, to="wang")
    await note(context, chen, to="wang")
    task_id = await open_task(context, claim.case_id, kind="authorise", queue="claims.authority", ask={})
    await desk.claim_task(context, li, task_id)
    with pytest.raises(NotAllowed, match="role does not allow"):  # a junior for a lead
        await desk.stand_in(context, wang, task_id)
    ask = {"exposures": [], "currency": "CNY"}
    dear = {"kind": "adjudicate", "queue": "claims.adjudication", "ask": ask, "least_authority": Decimal(20_000)}
    adjudication = await held_by(context, claim, chen, **dear)
    with pytest.raises(NotAllowed, match="above your authority limit"):  # the right role, but a junior's limit
        await desk.stand_in(context, wang, adjudication)
    assert (await row(context, task_id)).holder == li.id
    assert (await row(context, adjudication)).holder == chen.id


@pytest.mark.req("TSK-5")
async def test_a_conflict_of_interest_or_a_missing_licence_keeps_a_substitute_away(
    context: Context, claim: Registered
) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    licensed = (("licence:motor", None),)
    await changed(context, wang, skills={"licence:motor": ""})
    task_id = await open_task(context, claim.case_id)
    routed = j.TaskRouted(task_id=task_id, queue="claims.review", skills=("licence:motor",), rule="r", table="1")
    await as_process(context, claim.case_id, routed)
    await desk.claim_task(context, replace(wang, skills=licensed), task_id)
    await note(context, wang, to="chen")
    with pytest.raises(NotAllowed, match="licence"):
        await desk.stand_in(context, chen, task_id)
    able = replace(li, skills=licensed, roles=("claims_adjuster_senior",))
    await desk.declare_conflict(context, able, claim.number, reason="own_case")
    await note(context, chen, to="li")
    with pytest.raises(NotAllowed, match="have an interest"):
        await desk.stand_in(context, able, task_id)


# --- giving back ------------------------------------------------------------------------------------------------------


async def test_what_a_substitute_has_not_begun_returns_with_the_owner(context: Context, claim: Registered) -> None:
    wang, chen = await hire(context, "wang"), await hire(context, "chen")
    untouched, begun = await held_by(context, claim, wang), await held_by(context, claim, wang)
    left = await held_by(context, claim, wang)
    absence = await note(context, wang, to="chen")
    for task_id in (untouched, begun):
        await desk.stand_in(context, chen, task_id)
    await desk.comment_on(context, chen, begun, text="已电话联系客户")
    assert await return_to_the_back(context) == 0, "they are still away"
    await desk.end_absence(context, wang, absence.id)
    assert await hands(context, untouched) == (wang.id, "", "return")
    assert await hands(context, begun) == (chen.id, wang.id, "substitute")
    assert await hands(context, left) == (wang.id, "", "claim"), "what nobody took over was never moved"
    async with context.transaction() as session:
        query = select(JournalEntry.actor, JournalEntry.body).where(JournalEntry.type == "task.claimed")
        entry = (await session.execute(query.order_by(col(JournalEntry.chain_seq).desc()))).first()
    assert entry is not None
    assert (entry[0], entry[1]["how"]) == ("system", "return")
    await assert_rebuildable(context)


async def put_aside(context: Context, chen: Actor, task_id: UUID) -> None:
    until = context.now() + DAY
    await desk.hold_task(context, chen, task_id, reason="customer", until=until)
    await desk.wake_task(context, chen, task_id)


async def asked(context: Context, chen: Actor, task_id: UUID) -> None:
    await desk.ask_colleague(context, chen, task_id, to="li", question="这样可以吗？")


@pytest.mark.parametrize("begin", [put_aside, asked])
async def test_by_the_sweep_it_returns_too_unless_somebody_put_it_aside_or_asked_about_it(
    context: Context, claim: Registered, begin: Any
) -> None:
    wang, chen, _ = [await hire(context, name) for name in ("wang", "chen", "li")]
    first, second = await held_by(context, claim, wang), await held_by(context, claim, wang)
    await desk.comment_on(context, chen, first, text="之前的备注")
    await note(context, wang, to="chen", days=1)
    later(context, timedelta(minutes=1))
    for task_id in (first, second):
        await desk.stand_in(context, chen, task_id)
    await begin(context, chen, second)
    later(context, 2 * DAY)
    await sweep(context)
    assert await hands(context, first) == (wang.id, "", "return"), "what was said before they had it does not count"
    assert await hands(context, second) == (chen.id, wang.id, "substitute")
    await sweep(context)
    assert await hands(context, second) == (chen.id, wang.id, "substitute")


async def test_a_delegated_task_returns_as_what_it_was(context: Context, claim: Registered) -> None:
    """Li has Wang do it; Wang is away and Chen stands in; back with Wang it is still Li's work."""
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    task_id = await held_by(context, claim, chen)
    await desk.delegate_task(context, chen, task_id, to="wang")
    await changed(context, li, roles=["claims_adjuster_senior"])
    li = replace(li, roles=("claims_adjuster_senior",))
    absence = await note(context, wang, to="li")
    await desk.stand_in(context, li, task_id)
    assert await hands(context, task_id) == (li.id, wang.id, "substitute")
    await desk.end_absence(context, wang, absence.id)
    assert await hands(context, task_id) == (wang.id, chen.id, "return")
    await note(context, wang, to="chen")
    await desk.stand_in(context, chen, task_id)
    assert await hands(context, task_id) == (chen.id, "", "return"), "it was their own all along"
    await assert_rebuildable(context)


async def test_from_substitute_to_substitute_it_stays_the_first_ones_work(context: Context, claim: Registered) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    await changed(context, li, roles=["claims_adjuster_senior"])
    li = replace(li, roles=("claims_adjuster_senior",))
    task_id = await held_by(context, claim, wang)
    absence = await note(context, wang, to="chen", days=10)
    await desk.stand_in(context, chen, task_id)
    second = await note(context, chen, to="li", days=10)
    await desk.stand_in(context, li, task_id)
    assert await hands(context, task_id) == (li.id, wang.id, "substitute")
    await desk.end_absence(context, chen, second.id)
    assert await hands(context, task_id) == (li.id, wang.id, "substitute"), "Wang is still away"
    await desk.end_absence(context, wang, absence.id)
    assert await hands(context, task_id) == (wang.id, "", "return")


async def test_nobody_gets_back_what_they_may_no_longer_do(context: Context, claim: Registered) -> None:
    wang, chen = await hire(context, "wang"), await hire(context, "chen")
    barred, left = await held_by(context, claim, wang), await reported_claim(context)
    theirs = await held_by(context, left, wang)
    absence = await note(context, wang, to="chen")
    for task_id in (barred, theirs):
        await desk.stand_in(context, chen, task_id)
    await desk.declare_conflict(context, wang, claim.number, reason="acquainted")
    await desk.end_absence(context, wang, absence.id)
    assert await hands(context, barred) == (chen.id, wang.id, "substitute")
    assert await hands(context, theirs) == (wang.id, "", "return")


async def test_several_sweeps_at_once_return_a_task_once(context: Context, claim: Registered) -> None:
    wang, chen = await hire(context, "wang"), await hire(context, "chen")
    task_id = await held_by(context, claim, wang)
    await note(context, wang, to="chen", days=1)
    await desk.stand_in(context, chen, task_id)
    later(context, 2 * DAY)
    assert sum(await asyncio.gather(*(return_to_the_back(context) for _ in range(4)))) == 1


# --- alerts -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-12")
async def test_while_the_holder_is_away_their_substitute_is_alerted(context: Context, claim: Registered) -> None:
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    await held_by(context, claim, wang)
    await as_process(context, claim.case_id, started())
    absence = await note(context, wang, to="chen")
    await as_process(context, claim.case_id, climbed(HOLDER))
    await desk.end_absence(context, wang, absence.id)
    await as_process(context, claim.case_id, climbed(HOLDER, rung="90%"))
    await note(context, wang)
    await as_process(context, claim.case_id, climbed(HOLDER, rung="due"))
    assert set(await alerted(context)) == {(chen.id, "75%"), (wang.id, "90%"), (li.id, "due")}


@pytest.mark.req("CLM-12")
async def test_a_lead_who_is_away_is_told_only_where_there_is_no_other(context: Context, claim: Registered) -> None:
    li, gao = await hire(context, "li"), await hire(context, "gao")
    await open_task(context, claim.case_id)
    await as_process(context, claim.case_id, started())
    await note(context, li)
    await as_process(context, claim.case_id, climbed(Escalation.NOTIFY_LEAD, rung="due"))
    await note(context, gao)
    await as_process(context, claim.case_id, climbed(Escalation.NOTIFY_LEAD, rung="+1d"))
    assert set(await alerted(context)) == {(gao.id, "due"), (li.id, "+1d"), (gao.id, "+1d")}
