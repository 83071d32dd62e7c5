"""The overdue analysis: each late case has a cause and somebody who answers for it (CLM-13)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from lian.auth.actor import Actor
from lian.domain import journal as j
from lian.domain.errors import Invalid, NotAllowed
from lian.services import desk
from lian.services.context import Context
from lian.services.intake import Registered
from lian.services.lateness import LateQuery, late_cases
from tests.api.conftest import as_process, open_task, start_clock
from tests.cast import as_customer, hire, reported_claim

pytestmark = pytest.mark.req("CLM-13")


async def late(context: Context, *, days: float = 1, clock: str = "claim.total") -> Registered:
    """A claim with a promise broken so long ago."""
    made = await reported_claim(context)
    await start_clock(context, made.case_id, clock)
    await break_it(context, made.case_id, context.now() - timedelta(days=days), clock)
    return made


async def break_it(context: Context, case_id: UUID, at: datetime, clock: str) -> None:
    await as_process(context, case_id, j.ClockBreached(clock=clock, legal_at=at))


async def explained(context: Context, case_id: UUID, who: Actor, cause: str, clock: str = "claim.total") -> None:
    await as_process(context, case_id, j.LatenessExplained(clock=clock, cause=cause, responsible=who.id))


async def test_what_nobody_has_explained_is_listed_the_oldest_first_with_who_is_to_say_why(context: Context) -> None:
    zhou, li = await hire(context, "zhou"), await hire(context, "li")
    young, old = await late(context, days=1), await late(context, days=200, clock="claim.total#2@3")
    await reported_claim(context)
    asked = await open_task(
        context, young.case_id, kind="explain_lateness", queue="promises", ask={"clock": "claim.total"}
    )
    await desk.claim_task(context, li, asked)
    found = await late_cases(context, zhou, LateQuery())
    listed = [(p.case.number, p.clock.clock, p.label.en, p.task_id, p.holder) for p in found.promises]
    assert listed == [
        (old.number, "claim.total#2@3", "Whole claim", None, ""),
        (young.number, "claim.total", "Whole claim", asked, "李强"),
    ]
    assert (found.unexplained, found.explained, found.counts) == (2, 0, ())


async def test_the_summary_counts_by_cause_and_by_who_answers_for_it(context: Context) -> None:
    zhou, li, wang = [await hire(context, name) for name in ("zhou", "li", "wang")]
    for who, cause, days in ((wang, "handling", 3), (wang, "handling", 2), (li, "workload", 1), (li, "workload", 95)):
        await explained(context, (await late(context, days=days)).case_id, who, cause)
    found = await late_cases(context, zhou, LateQuery(explained=True))
    assert [(c.cause, c.label.en, c.name, c.promises) for c in found.counts] == [
        ("handling", "An error in handling", "王敏", 2),
        ("workload", "Too much work for the people there were", "李强", 1),
    ]
    assert (found.unexplained, found.explained, len(found.promises)) == (0, 3, 3)
    narrowed = await late_cases(
        context, zhou, LateQuery(explained=True, cause="handling", responsible=wang.id, limit=1)
    )
    assert [p.responsible for p in narrowed.promises] == ["王敏"]
    assert len((await late_cases(context, zhou, LateQuery(explained=True, responsible=li.id))).promises) == 1
    longer = await late_cases(context, zhou, LateQuery(explained=True, responsible=li.id, days=100))
    assert len(longer.promises) == 2


async def test_late_is_what_was_broken_whether_it_runs_is_done_or_ended_with_its_case(context: Context) -> None:
    zhou = await hire(context, "zhou")
    running, done, ended, mended = [await late(context) for _ in range(4)]
    stopped = j.ClockStopped(clock="claim.total", stopped_at=context.now(), verdict="breached")
    await as_process(context, done.case_id, stopped)
    await as_process(context, ended.case_id, j.ClockCancelled(clock="claim.total"))
    withdrawn = j.ClockBreachWithdrawn(clock="claim.total", due_at=context.now(), warn_at=None)
    await as_process(context, mended.case_id, withdrawn)
    found = {p.case.number for p in (await late_cases(context, zhou, LateQuery())).promises}
    assert found == {running.number, done.number, ended.number}


@pytest.mark.req("SEC-1")
async def test_it_is_for_those_who_may_see_the_promises(context: Context) -> None:
    made = await late(context)
    for actor in (await hire(context, "wei"), await as_customer(context, made.number), await hire(context, "admin")):
        with pytest.raises(NotAllowed):
            await late_cases(context, actor, LateQuery())


async def test_the_period_is_checked(context: Context) -> None:
    zhou = await hire(context, "zhou")
    for days in (0, 367):
        with pytest.raises(Invalid) as refused:
            await late_cases(context, zhou, LateQuery(days=days))
        assert refused.value.details == {"field": "days"}
