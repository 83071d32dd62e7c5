"""Tasks answered at the desk itself: why a promise was broken, also on a closed case and without a process (CLM-13)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.journal import compare
from lian.db.tables import Case, ChainHead, Clock, JournalEntry, Staff, Task
from lian.domain import journal as j
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.messages import CommandResult
from lian.services import desk
from lian.services.cases import case_file
from lian.services.context import Context
from lian.services.intake import Registered
from lian.services.recording import put_on_record
from tests.api.conftest import as_process, open_task, start_clock
from tests.cast import as_customer, hire, reported_claim
from tests.fakes.process import FakeProcess

pytestmark = pytest.mark.req("CLM-13")

BROKEN_AT = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)
CLOCK = "claim.total"


@pytest.fixture
async def claim(context: Context) -> Registered:
    """A claim whose promise was broken; nobody has said why."""
    made = await reported_claim(context)
    await start_clock(context, made.case_id)
    await as_process(context, made.case_id, j.ClockBreached(clock=CLOCK, legal_at=BROKEN_AT))
    return made


@pytest.fixture
async def question(context: Context, claim: Registered) -> UUID:
    """The question for its cause."""
    return await ask_why(context, claim.case_id)


async def ask_why(context: Context, case_id: UUID, clock: str = CLOCK) -> UUID:
    return await open_task(context, case_id, kind="explain_lateness", queue="promises", ask={"clock": clock})


async def close(context: Context, case_id: UUID) -> None:
    stopped = j.ClockStopped(clock=CLOCK, stopped_at=context.now(), verdict="breached")
    await as_process(context, case_id, stopped, j.CaseClosed(outcome="paid"))


async def explain(
    context: Context, actor: Actor, task_id: UUID, responsible: str, *, cause: str = "workload", **more: str
) -> CommandResult:
    given: dict[str, Any] = {"notes": "三人请假，积压二十件。", "command_id": uuid4().hex} | more
    return await desk.complete_task(
        context, actor, task_id, outcome={"cause": cause, "responsible": responsible}, **given
    )


async def offered(context: Context, actor: Actor, task_id: UUID) -> dict[str, str]:
    """Who may be named: names by actor id."""
    found = await desk.show_task(context, actor, task_id)
    return {option["value"]: option["en"] for option in found.ask["options"]["responsible"]}


async def clock_of(context: Context, case_id: UUID) -> Clock:
    async with context.transaction() as session:
        return await session.get_one(Clock, (case_id, CLOCK))


async def assert_rebuildable(context: Context) -> None:
    async with context.transaction() as session:
        assert [d.what for d in (await compare(session, context.ring)).damages] == []


async def test_a_lead_says_why_and_who_answers_for_it(
    context: Context, claim: Registered, question: UUID, process: FakeProcess
) -> None:
    li = await hire(context, "li")
    await desk.claim_task(context, li, question)
    await explain(context, li, question, li.id, cause="complexity")
    clock = await clock_of(context, claim.case_id)
    assert (clock.late_cause, clock.late_responsible) == ("complexity", li.id)
    async with context.transaction() as session:
        task = await session.get_one(Task, question)
        query = select(JournalEntry).where(col(JournalEntry.type).in_(("task.completed", "lateness.explained")))
        entries = (await session.execute(query.order_by(col(JournalEntry.chain_seq)))).scalars().all()
    assert (task.status, task.completed_by) == ("completed", li.id)
    assert [(e.type, e.actor, e.source) for e in entries] == [
        ("task.completed", li.id, "desk"),
        ("lateness.explained", li.id, "desk"),
    ]
    assert "积压" not in str(entries[0].body), "the notes are sealed"
    assert process.told == []
    await assert_rebuildable(context)


async def test_it_is_answered_while_the_engine_is_away(
    context: Context, claim: Registered, question: UUID, process: FakeProcess
) -> None:
    li = await hire(context, "li")
    process.away = True
    await desk.claim_task(context, li, question)
    await explain(context, li, question, li.id)
    assert (await clock_of(context, claim.case_id)).late_cause == "workload"


async def test_on_a_closed_case_it_is_seen_taken_handed_on_and_answered(
    context: Context, claim: Registered, question: UUID
) -> None:
    li, gao = await hire(context, "li"), await hire(context, "gao")
    await close(context, claim.case_id)
    file = await case_file(context, li, claim.number)
    assert [(t.kind, t.status) for t in file.tasks] == [("explain_lateness", "open")]
    assert (await desk.take_next(context, li, "promises")).found.task.id == question  # type: ignore[union-attr]
    assert (await desk.assign_task(context, li, question, to="gao")).task.holder == gao.id
    await explain(context, gao, question, li.id)
    clock = await clock_of(context, claim.case_id)
    assert (clock.status, clock.late_responsible) == ("late", li.id)
    async with context.transaction() as session:
        case = await session.get_one(Case, claim.case_id)
    assert (case.status, case.generation) == ("closed", 1)
    await assert_rebuildable(context)


async def test_a_repeat_of_the_answer_is_one_answer(context: Context, claim: Registered, question: UUID) -> None:
    li = await hire(context, "li")
    await desk.claim_task(context, li, question)
    first = await explain(context, li, question, li.id, command_id="once")
    again = await explain(context, li, question, li.id, command_id="once")
    assert first == again
    assert (await desk.receipt_of(context, li, "once")) == {"seq": first.seq}
    with pytest.raises(Conflict, match="no longer open"):
        await explain(context, li, question, li.id)
    async with context.transaction() as session:
        found = await session.execute(select(JournalEntry).where(JournalEntry.type == "lateness.explained"))
        assert len(found.all()) == 1


async def test_only_who_worked_on_the_case_and_leads_may_be_named(
    context: Context, claim: Registered, question: UUID
) -> None:
    li, wang, chen = [await hire(context, name) for name in ("li", "wang", "chen")]
    review = await open_task(context, claim.case_id)
    await desk.claim_task(context, wang, review)
    await desk.release_task(context, wang, review)
    names = await offered(context, li, question)
    assert names == {wang.id: "王敏", li.id: "李强"}
    assert next(iter(names)) == wang.id, "whoever had it comes before the leads"
    await desk.claim_task(context, li, question)
    with pytest.raises(Invalid) as refused:
        await explain(context, li, question, chen.id)
    assert refused.value.details == {"field": "responsible"}
    await explain(context, li, question, wang.id)


async def test_whoever_has_left_is_not_named_any_more(context: Context, claim: Registered, question: UUID) -> None:
    li, wang = await hire(context, "li"), await hire(context, "wang")
    await desk.claim_task(context, wang, await open_task(context, claim.case_id))
    async with context.transaction() as session:
        gone = col(Staff.id) == UUID(wang.id.removeprefix("staff:"))
        await session.execute(update(Staff).where(gone).values(active=False))
    assert await offered(context, li, question) == {li.id: "李强"}


async def test_choices_are_found_anew_and_never_stored(context: Context, claim: Registered, question: UUID) -> None:
    li = await hire(context, "li")
    await desk.claim_task(context, li, question)
    gao = await hire(context, "gao")
    assert gao.id in await offered(context, li, question)
    async with context.transaction() as session:
        assert (await session.get_one(Task, question)).ask == {"clock": CLOCK}


async def test_who_looked_into_a_suspicion_is_named_to_readers_of_risk_alone(
    context: Context, claim: Registered, question: UUID
) -> None:
    li, shen = await hire(context, "li"), await hire(context, "shen")
    examined = await open_task(context, claim.case_id, kind="examine_suspicion", queue="claims.special", ask={})
    await desk.claim_task(context, shen, examined)
    blind = Actor(id="staff:00000000-0000-0000-0000-000000000001", name="x", roles=("operations",), queues=("*",))
    assert shen.id in await offered(context, li, question)
    assert shen.id not in await offered(context, blind, question)


async def test_it_needs_its_permission_the_words_and_a_cause_of_the_list(
    context: Context, claim: Registered, question: UUID
) -> None:
    li, wang, zhao = await hire(context, "li"), await hire(context, "wang"), await as_customer(context, claim.number)
    with pytest.raises(Conflict, match="Take this task on"):
        await explain(context, li, question, li.id)
    with pytest.raises(NotAllowed):
        await desk.claim_task(context, wang, question)
    with pytest.raises(NotFound):
        await desk.show_task(context, zhao, question)
    await desk.claim_task(context, li, question)
    for wrong in ({"notes": "  "}, {"cause": "bad luck"}):
        with pytest.raises(Invalid):
            await explain(context, li, question, li.id, **wrong)
    assert (await clock_of(context, claim.case_id)).late_cause == ""


# --- a breach that is none after all ----------------------------------------------------------------------------------


async def test_a_breach_withdrawn_takes_its_question_back(context: Context, claim: Registered, question: UUID) -> None:
    other = await ask_why(context, claim.case_id, clock="claim.simple")
    mended = j.ClockBreachWithdrawn(clock=CLOCK, due_at=context.now(), warn_at=None)
    await as_process(context, claim.case_id, mended)
    async with context.transaction() as session:
        assert (await session.get_one(Task, question)).status == "cancelled"
        assert (await session.get_one(Task, other)).status == "open"
    await assert_rebuildable(context)


async def test_broken_anew_it_is_to_be_explained_anew(context: Context, claim: Registered, question: UUID) -> None:
    li = await hire(context, "li")
    await desk.claim_task(context, li, question)
    await explain(context, li, question, li.id)
    again = uuid4()
    opened = j.TaskOpened(
        task_id=again, kind="explain_lateness", queue="promises", stage="review", ask={"clock": CLOCK}
    )
    await as_process(
        context,
        claim.case_id,
        j.ClockBreachWithdrawn(clock=CLOCK, due_at=context.now(), warn_at=None),
        j.ClockBreached(clock=CLOCK, legal_at=BROKEN_AT),
        opened,
    )
    assert (await clock_of(context, claim.case_id)).late_cause == ""
    assert (await desk.show_task(context, li, again)).task.status == "open", "asked in the same step"


@pytest.mark.req("TSK-1")
async def test_a_batch_of_the_process_told_twice_takes_work_out_of_nobodys_hands(context: Context) -> None:
    claim, wang = await reported_claim(context), await hire(context, "wang")
    task_id = await open_task(context, claim.case_id)
    await start_clock(context, claim.case_id)
    rung = j.ClockRungReached(clock="claim.total", rung="90%", reached_at=context.now(), actions=("reassign",))

    async def told() -> None:
        recorded = [j.Recorded(at=context.now(), actor="system", event=rung)]
        async with context.transaction() as session:
            await put_on_record(
                context, session, case_id=claim.case_id, recorded=recorded, source=j.PROCESS, first_seq=following
            )

    async with context.transaction() as session:
        following = (await session.get_one(ChainHead, claim.case_id)).process_seq + 1
    await desk.claim_task(context, wang, task_id)
    await told()
    assert (await desk.show_task(context, wang, task_id)).task.holder == ""
    await desk.claim_task(context, wang, task_id)
    await told()
    assert (await desk.show_task(context, wang, task_id)).task.holder == wang.id
