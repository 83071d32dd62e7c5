"""`lian bench desk`: how fast people's work is found, listed, counted and taken on in a house of any size (TSK-1).

A PostgreSQL of its own is started in a folder of its own, filled with a made-up house, measured and removed. It writes
to disk as in production. Beside each figure over HTTP stands what PostgreSQL alone does in the same run.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle, islice
from typing import Any
from uuid import UUID

import psutil
from sqlalchemy import text

from lian.auth.actor import Actor
from lian.cli.bench_desk_filling import House, fill
from lian.cli.bench_desk_http import CLIENTS, Ask, WebProcess, web_process
from lian.cli.bench_desk_raw import measure_raw
from lian.cli.bench_timing import Figures, Timed, repeated, seen
from lian.cli.bench_what_if import throw_away_database
from lian.domain import journal as j
from lian.domain.case_kinds import KINDS, task_kind
from lian.domain.needs import read_needs
from lian.runtime import leave_alone_what_stays, open_context
from lian.services import desk
from lian.services.context import Context
from lian.services.desk import SORTS, TaskQuery
from lian.services.desk.load import team_load
from lian.services.recording import put_on_record
from lian.services.watchdog import count_stuck
from lian.settings import Settings

PAGE = 50
AT_ONCE = 50
HTTP_TIMES = 4
"""So many times as often as at the service layer."""
BETWEEN_SECONDS = (0.5, 1.5)
"""So long somebody works on what they drew before they draw again."""
SERVER = {
    "shared_buffers": f"{psutil.virtual_memory().total // 4 // 2**20}MB",
    "max_connections": "200",
    "max_wal_size": "8GB",
}
"""As one would give a database of this size; everything else is as the embedded one has it."""


def measured_desk(*, open_tasks: int, closed_tasks: int, times: int) -> Figures:
    """All figures, from a database made for them; `times`: how often each operation is asked for."""
    return asyncio.run(_measured(open_tasks, closed_tasks, times))


async def _measured(open_tasks: int, closed_tasks: int, times: int) -> Figures:
    began = time.perf_counter()
    async with throw_away_database(durable=True, **SERVER) as settings:
        sizes = {"open_tasks": open_tasks, "closed_tasks": closed_tasks, "fresh": HTTP_TIMES * times}
        house = await asyncio.to_thread(partial(fill, settings, **sizes))
        about = {"open": open_tasks, "closed": closed_tasks, "filled_in_seconds": round(time.perf_counter() - began)}
        async with open_context(settings) as context:
            leave_alone_what_stays()  # as web processes do
            found = await measure_services(context, house, times)
            found |= await _measure_http(context, settings, house, times)
        return about | {"load": round(os.getloadavg()[0], 1)} | found


# --- at the service layer ---------------------------------------------------------------------------------------------


async def measure_services(context: Context, house: House, times: int) -> Figures:
    """Get-next, lists, counts and claims without HTTP around them."""
    return {
        **await _measure_next(context, house, times),
        **await _measure_lists(context, house, times),
        **await _measure_counts(context, house, times),
        "claim": await _measure_claims(context, house, times),
    }


async def _measure_next(context: Context, house: House, times: int) -> Figures:
    nobody = replace(house.lead, roles=("panel_member",))
    people = {
        "next_ordinary": (house.clerk, house.clerk.queues),
        "next_worst": (house.worst, house.queues),
        "next_nothing": (nobody, house.queues),
    }
    found = {}
    for name, (actor, queues) in people.items():
        draw = partial(_draw, context, actor, cycle(queues))
        found[name] = await repeated(times, draw, then=partial(_answer, context, actor))
    found["next_50_at_once"] = await _many_at_once(context, house, max(1, times // 20))
    return found


async def _draw(context: Context, actor: Actor, queues: Iterator[str]) -> desk.Drawn | None:
    return await desk.take_next(context, actor, next(queues))


async def _answer(context: Context, actor: Actor, drawn: desk.Drawn | None) -> None:
    """Done with it: or it would be given again."""
    if drawn is None:
        return
    task = drawn.found.task
    async with context.transaction() as session:
        answer = j.TaskCompleted(task_id=task.id, outcome={})
        recorded = [j.Recorded(at=context.now(), actor=actor.id, event=answer)]
        await put_on_record(context, session, case_id=task.case_id, recorded=recorded)


async def _many_at_once(context: Context, house: House, times: int) -> Figures:
    """Fifty people, who draw, work a second, and draw again; their first draws open connections and are not counted."""
    timed, began = Timed(), time.perf_counter()
    chance = random.Random(5)  # noqa: S311 - no secret

    async def work(actor: Actor) -> None:
        for n in range(times + 1):
            await asyncio.sleep(chance.uniform(*BETWEEN_SECONDS))
            asked = time.perf_counter()
            drawn = await desk.take_next(context, actor, chance.choice(actor.queues))
            if n:
                timed.seconds.append(time.perf_counter() - asked)
            await _answer(context, actor, drawn)

    await asyncio.gather(*(work(actor) for actor in house.clerks[:AT_ONCE]))
    timed.wall = time.perf_counter() - began
    return seen(timed)


async def _measure_lists(context: Context, house: House, times: int) -> Figures:
    people = {"clerk": house.clerk, "worst": house.worst, "lead": house.lead}
    found = {}
    for name, actor in people.items():
        for sort in SORTS:
            pages = _Pages(context, actor, TaskQuery(sort=sort, limit=PAGE))
            found[f"list_{name}_{sort}"] = await repeated(times // 4 + 1, pages.following)
    for name, query in {
        "late": TaskQuery(late=True, limit=PAGE),
        "raised": TaskQuery(raised=True, limit=PAGE),
        "team": TaskQuery(team="team-7", sort="due", limit=PAGE),
        "one_queue": TaskQuery(queue=house.queues[3], line="motor", limit=PAGE),
    }.items():
        pages = _Pages(context, house.lead, query)
        found[f"list_lead_filtered_{name}"] = await repeated(times // 4 + 1, pages.following)
    return found


@dataclass(slots=True)
class _Pages:
    """A list that is read page by page, ten of them, and again from the beginning."""

    context: Context
    actor: Actor
    query: TaskQuery
    page: int = 0
    after: Any = field(default=None)

    async def following(self) -> int:
        """The next page; how many rows it has."""
        rows = await desk.list_tasks(self.context, self.actor, replace(self.query, after=self.after))
        self.page += 1
        is_last = not rows or self.page % 10 == 0
        self.after = None if is_last else desk.place_of(rows[-1].task, self.query.sort)
        return len(rows)


async def _measure_counts(context: Context, house: House, times: int) -> Figures:
    lead = replace(house.lead, queues=tuple(house.queues))
    asked: dict[str, Callable[[], Awaitable[Any]]] = {
        "count_queues": lambda: desk.queues(context, house.lead),
        "count_list": lambda: desk.count_tasks(context, lead, TaskQuery()),
        "count_late": lambda: desk.count_tasks(context, lead, TaskQuery(late=True)),
        "count_free_in_queue": lambda: desk.count_tasks(
            context, lead, TaskQuery(queue=house.queues[0], unclaimed=True)
        ),
        "count_team_load": lambda: team_load(context, house.lead),
        "count_stuck_cases": lambda: count_stuck(context),
    }
    return {name: await repeated(times // 4 + 1, ask) for name, ask in asked.items()}


async def _measure_claims(context: Context, house: House, times: int) -> Figures:
    tasks, actors = await claimable(context, house.callers[0], times + 1), cycle(house.callers)
    following = iter(tasks)
    return await repeated(len(tasks) - 1, lambda: desk.claim_task(context, next(actors), next(following)))


async def claimable(context: Context, actor: Actor, count: int) -> list[UUID]:
    """So many free tasks that the actor may take on, or as many as there are, in no order."""
    query = text(
        "SELECT id, needs FROM tasks WHERE status = 'open' AND holder = '' AND hold_until IS NULL"
        " AND excluded = '[]' ORDER BY id LIMIT :n"
    )
    async with context.reading() as session:
        rows = (await session.execute(query, {"n": count * 40})).all()
    able = [task_id for task_id, needs in rows if _may(actor, needs)]
    return able[:count]


def _may(actor: Actor, text_of_needs: str) -> bool:
    needs = read_needs(text_of_needs)
    kind = task_kind(needs.case_kind, needs.task_kind)
    most = actor.authority_for(kind.decision, needs.line)
    return actor.may(kind.permission) and needs.tier <= most and not needs.licences


# --- over HTTP, beside what PostgreSQL alone does ---------------------------------------------------------------------


async def _measure_http(context: Context, settings: Settings, house: House, times: int) -> Figures:
    found = await asyncio.to_thread(measure_raw, settings, house.queues, HTTP_TIMES * times)
    async with web_process(settings) as web:
        ours = await _asked_over_http(context, web, house, HTTP_TIMES * times)
    for name, timed in ours.items():
        found[name] = seen(timed)
        ceiling = found.get(CEILINGS.get(name, ""))
        if ceiling:
            found[name]["of_ceiling"] = round(found[name]["per_second"] / ceiling["per_second"], 3)
    return found


CEILINGS = {"http_list": "raw_list", "http_claim": "raw_claim_with_audit", "http_next": "raw_next_with_audit"}
"""What PostgreSQL cannot do without: a list is read, a change of hands is written with an entry of the journal."""


async def _asked_over_http(context: Context, web: WebProcess, house: House, times: int) -> dict[str, Timed]:
    tokens, tasks = house.tokens, await claimable(context, house.callers[0], times)
    lists: list[Ask] = [("GET", f"/tasks?limit={PAGE}", token) for token in islice(cycle(tokens), times)]
    claims: list[Ask] = [("POST", f"/tasks/{t}/claim", token) for t, token in zip(tasks, cycle(tokens), strict=False)]
    await web.measure(iter(lists[:CLIENTS]))  # the first of a kind prepares its statement
    return {
        "http_list_alone": await web.measure(iter(lists[: times // 4]), clients=1),
        "http_list": await web.measure(iter(lists)),
        "http_claim": await web.measure(iter(claims)),
        "http_next": await web.measure(iter(_draws(house, min(times, house.tasks // 50)))),
    }


def _draws(house: House, times: int) -> Sequence[Ask]:
    """Everybody draws once: who has something in hand already would be given that."""
    kinds = (task for kind in KINDS.values() for task in kind.tasks)
    theirs = sorted({task.queue for task in kinds if house.callers[0].may(task.permission)})
    return [
        ("POST", f"/queues/{queue}/next", token)
        for queue, token in zip(cycle(theirs), house.fresh[:times], strict=False)
    ]


def lines(found: Figures) -> list[str]:
    """The figures for people: one operation a line, in milliseconds."""
    about = [f"{name}: {value:,}" for name, value in found.items() if not isinstance(value, dict)]
    head = f"{'':<32}{'p50':>9}{'p95':>9}{'p99':>9}{'a second':>11}{'of ceiling':>12}"
    return [", ".join(about), head, *(_line(name, each) for name, each in found.items() if isinstance(each, dict))]


def _line(name: str, each: Figures) -> str:
    share = f"{each['of_ceiling']:>12.3f}" if "of_ceiling" in each else ""
    times = "".join(f"{each[of]:>9,.2f}" for of in ("p50_ms", "p95_ms", "p99_ms"))
    return f"{name:<32}{times}{each['per_second']:>11,.1f}{share}"
