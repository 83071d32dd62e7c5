"""`lian bench desk`: a house is made, everything is measured and printed; how fast it is depends on the machine."""

from __future__ import annotations

import json

import pytest
from sqlmodel import func, select

from lian.cli.bench_desk import CEILINGS, claimable, lines
from lian.cli.bench_desk_filling import MANY_QUEUES, fill, queue_names
from lian.db.tables import Task
from lian.domain.needs import read_needs
from lian.domain.urgency import Standing, Urgency, read_urgency, urgency_key
from lian.services import desk
from lian.services.context import Context
from lian.services.desk import SORTS, TaskQuery
from lian.settings import Settings
from tests.command_line import lian
from tests.servers import Servers

FEW = ("--open", "1500", "--closed", "200", "--times", "5")
TIMES = {"p50_ms", "p95_ms", "p99_ms", "per_second", "n"}


@pytest.mark.req("TSK-1")
def test_everything_is_measured_and_stands_beside_its_ceiling(servers: Servers) -> None:
    printed = lian("bench", "desk", "--json", *FEW)
    assert printed.exit_code == 0, printed.output
    figures = json.loads(printed.stdout)
    assert (figures["open"], figures["closed"]) == (1500, 200)
    measured = {name: each for name, each in figures.items() if isinstance(each, dict)}
    lists = {f"list_{who}_{sort}" for who in ("clerk", "worst", "lead") for sort in SORTS}
    nexts = {"next_ordinary", "next_worst", "next_nothing", "next_50_at_once"}
    assert {*lists, *nexts, *CEILINGS, *CEILINGS.values(), "claim", "raw_claim", "count_queues"} <= measured.keys()
    for each in measured.values():
        assert each.keys() >= TIMES
        assert 0 < each["p50_ms"] <= each["p95_ms"] <= each["p99_ms"]
        assert each["n"] > 0
    assert all(measured[name]["of_ceiling"] > 0 for name in CEILINGS)
    assert len(lines(figures)) == len(measured) + 2


async def test_the_made_up_house_is_one_that_could_be(settings: Settings, context: Context) -> None:
    house = fill(settings, open_tasks=2_000, closed_tasks=100, fresh=5)
    assert len(set(house.queues)) == len(queue_names()) == MANY_QUEUES
    async with context.transaction() as session:
        status = dict((await session.execute(select(Task.status, func.count()).group_by(Task.status))).all())
        tasks = (await session.execute(select(Task).where(Task.status == "open"))).scalars().all()
    assert status == {"open": 2_000, "completed": 100}
    assert {task.queue for task in tasks} == set(house.queues)
    for task in tasks:
        said, needs = read_urgency(task.urgency), read_needs(task.needs)
        assert (needs.task_kind, sorted(task.skills)) == (task.kind, list(needs.skills))
        assert needs.above < task.least_authority <= needs.tier
        assert said.green == task.is_green
        assert urgency_key(said) == task.urgency
        assert said.act_by_at == task.act_by_at.replace(microsecond=0)  # type: ignore[union-attr]
        assert isinstance(said, Urgency)
        assert said.standing in Standing
    assert 0 < len([task for task in tasks if task.holder]) <= 500
    assert [task for task in tasks if house.worst.id in task.excluded]


async def test_its_people_find_work_in_it(settings: Settings, context: Context) -> None:
    house = fill(settings, open_tasks=2_000, closed_tasks=100, fresh=5)
    drawn = [await desk.take_next(context, house.worst, queue) for queue in house.queues[:4]]
    assert any(drawn)
    caller = house.callers[0]
    for task_id in await claimable(context, caller, 5):
        assert (await desk.claim_task(context, caller, task_id)).task.holder == caller.id
    assert len(await desk.list_tasks(context, house.lead, TaskQuery())) == 50
    assert (await desk.count_tasks(context, house.lead, TaskQuery())).is_more
