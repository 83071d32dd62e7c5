"""What `/metrics` tells is what there is, and tells nothing of any case or person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from lian.db.tables import OutboxMessage
from lian.domain.errors import Unavailable
from lian.services import desk, metrics
from lian.services.context import Context
from lian.services.metrics import Metrics, count_figures
from tests.api.conftest import as_process, open_task
from tests.cast import hire, reported_claim
from tests.services.test_alerts import started

pytestmark = pytest.mark.req("TSK-1")


async def told(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every sample by its name and its labels' values."""
    families = text_string_to_metric_families((await metrics.text()).decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


async def test_the_figures_are_what_there_is(context: Context) -> None:
    wang, now = await hire(context, "wang"), context.now()
    first, second = [(await reported_claim(context)).case_id for _ in range(2)]
    taken, _ = await open_task(context, first), await open_task(context, first, queue="claims.authority")
    await desk.claim_task(context, wang, taken)
    await as_process(context, first, started(due_at=now - timedelta(hours=1)))
    found = await count_figures(context)
    assert (found.open_cases, found.overdue_promises, found.stuck_cases) == (2, 1, 0)
    assert {queue: n for queue, n in found.open_tasks.items() if n} == {"claims.review": 1, "claims.authority": 1}
    assert {queue: n for queue, n in found.free_tasks.items() if n} == {"claims.authority": 1}
    assert found.outbox_waiting == 2
    context.now = lambda: now + timedelta(minutes=10)
    assert 590 < (await count_figures(context)).oldest_outbox_seconds <= 601
    async with context.transaction() as session:
        await session.execute(update(OutboxMessage).values(done_at=now))
    found = await count_figures(context)
    assert (found.stuck_cases, found.outbox_waiting, found.oldest_outbox_seconds) == (1, 0, 0.0), second


async def test_counts_stop_at_a_ceiling(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "CEILING", 2)
    case_ids = [(await reported_claim(context)).case_id for _ in range(3)]
    for case_id in case_ids:
        await open_task(context, case_id)
    found = await count_figures(context)
    assert (found.open_cases, found.open_tasks["claims.review"], found.outbox_waiting) == (2, 2, 2)


async def test_the_text_is_prometheus_and_names_no_case_and_nobody(context: Context) -> None:
    wang, claim = await hire(context, "wang"), await reported_claim(context)
    await desk.claim_task(context, wang, await open_task(context, claim.case_id))
    made = Metrics(context, lambda: 3)
    made.observe(method="GET", route="/desk/cases/{number}", status=200, seconds=0.02)
    samples = await told(made)
    assert samples["lian_up",] == 1
    assert samples["lian_live_subscribers",] == 3
    assert (samples["lian_open_tasks", "claims.review"], samples["lian_free_tasks", "claims.review"]) == (1, 0)
    assert samples["lian_http_request_seconds_count", "GET", "/desk/cases/{number}", "200"] == 1
    text = (await made.text()).decode()
    assert not [word for word in (claim.number, str(claim.case_id), wang.name, wang.id, "赵磊") if word in text]


async def test_to_be_asked_often_costs_the_database_nothing(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    made, there = Metrics(context, lambda: len(there)), [1]
    assert (await told(made))["lian_open_cases",] == 0
    await reported_claim(context)
    there.append(2)
    samples = await told(made)
    assert (samples["lian_open_cases",], samples["lian_live_subscribers",]) == (0, 2)
    monkeypatch.setattr(metrics, "KEPT_SECONDS", 0.0)
    assert (await told(made))["lian_open_cases",] == 1


async def test_without_a_database_it_says_so(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: Context) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(metrics, "count_figures", away)
    samples = await told(Metrics(context, lambda: 0))
    assert samples["lian_up",] == 0
    assert ("lian_open_cases",) not in samples
