"""`lian bench sla`, the part with a database: how long it takes to recompute very many promises under a draft.

A PostgreSQL of its own is started in a folder of its own, filled with made-up cases, measured and removed: no stack is
needed, and none is touched. Everything, the server included, runs on one core.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from infra.embedded.home import Home
from infra.embedded.ports import fresh_ports
from infra.embedded.postgres import (
    APPLICATION,
    OWNER,
    database_url,
    postgres_program,
    prepare_postgres,
    prepare_roles,
)
from infra.embedded.supervisor import Supervisor
from lian.auth.actor import Actor
from lian.db import migrate
from lian.db.tables import Case, Clock
from lian.domain.case_kinds import kind_of
from lian.domain.plan import CasePlan
from lian.runtime import open_context
from lian.services.calendars import shipped as shipped_calendars
from lian.services.context import Context
from lian.services.opening import PLAN
from lian.services.pack_schema import Pack
from lian.services.packs import in_force, plan_from, selected_packs
from lian.services.packs import shipped as shipped_packs
from lian.services.what_if import read_cases, read_clocks, what_if
from lian.settings import Settings

T = TypeVar("T")
CLOCKS = 100_000
ROUNDS = 3
AS_OF = datetime(2026, 3, 31, 2, tzinfo=UTC)
YEARS, LINES = (2025, 2026), ("motor", "health")
OF_EVERY_CASE = ("claim.total", "cn-claims.decide_complex")
OF_EVERY_SECOND = "claim.initial_review"
CLOCKS_OF_TWO_CASES = 5
OPERATIONS = Actor(id="system:bench", name="Benchmark", roles=("operations",))


def measured(clocks: int = CLOCKS) -> dict[str, float]:
    """The figures, from a database made for them."""
    with on_one_core():
        return asyncio.run(_measured(clocks))


async def _measured(clocks: int) -> dict[str, float]:
    async with throw_away_database() as settings:
        await asyncio.to_thread(fill, settings, clocks)
        async with open_context(settings) as context:
            context.now = lambda: AS_OF
            return await measure_what_if(context, clocks)


async def measure_what_if(context: Context, clocks: int) -> dict[str, float]:
    """Seconds to recompute every clock under a draft, and to read what that reads without counting anything."""
    draft = next_house_pack()
    seconds, found = await _shortest(lambda: what_if(context, OPERATIONS, policy=draft))
    # Fast and wrong is not fast: all were counted, and the shorter promise moved.
    assert found.clocks == clocks
    assert found.sooner > 0
    reading, _ = await _shortest(lambda: _only_read(context))
    size = f"{clocks // 1000}k"
    return {
        f"what_if_{size}_seconds": round(seconds, 3),
        f"what_if_{size}_reading_seconds": round(reading, 3),
        "what_if_cases": found.cases,
        "what_if_moved": found.moved,
    }


async def _shortest(work: Callable[[], Awaitable[T]]) -> tuple[float, T]:
    """The quickest of a few rounds, and what it gave."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = await work()
        rounds.append((time.perf_counter() - began, found))
    return min(rounds, key=lambda one: one[0])


async def _only_read(context: Context) -> int:
    """Ceiling: the same columns, read and thrown away."""
    async with context.transaction() as session:
        cases = await read_cases(session, OPERATIONS)
        return len(cases) + sum([len(rows) async for rows in read_clocks(session)])


def next_house_pack() -> Pack:
    """A draft: fifteen working days for a claim become ten, forty-eight hours for its first look twenty-four."""
    pack = in_force(shipped_packs(), AS_OF.date())["house-standard"]
    amounts = {"claim.total": 10, "claim.initial_review": 24}
    clocks = tuple(clock.model_copy(update={"amount": amounts.get(clock.id, clock.amount)}) for clock in pack.clocks)
    return pack.model_copy(update={"number": pack.number + 1, "clocks": clocks})


# --- a database for it ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def throw_away_database(*, durable: bool = False, **more: str) -> AsyncIterator[Settings]:
    """Settings of an empty, migrated installation that has nothing but a database; gone at the end of the block.

    `more` are settings of the server, in place of those for a small machine.
    """
    folder = Path(tempfile.mkdtemp(prefix="lian-bench-"))
    home, ports = Home.at(folder / "home"), fresh_ports()
    supervisor = Supervisor(home, say=_nothing, changed=lambda: None)
    try:
        home.prepare()
        account = await asyncio.to_thread(prepare_postgres, home, _nothing)
        program = postgres_program(home, ports, account, durable=durable)
        options = (word for name, value in more.items() for word in ("-c", f"{name}={value}"))
        await supervisor.start(replace(program, command=(*program.command, *options)))
        await asyncio.to_thread(prepare_roles, home, ports)
        addresses = {r: SecretStr(database_url(r, home.secret(f"{r}_password"), ports)) for r in (OWNER, APPLICATION)}
        settings = Settings(
            demo=True,
            database_url=addresses[APPLICATION],
            database_owner_url=addresses[OWNER],
            s3_secret_key=SecretStr(home.secret("s3_secret_key")),
            data_keys=SecretStr(home.data_keys().read_text(encoding="ascii").strip()),
        )
        await asyncio.to_thread(migrate.upgrade, settings)
        yield settings
    finally:
        await supervisor.stop("postgres")
        shutil.rmtree(folder, ignore_errors=True)


def _nothing(_: str) -> None:
    """What the server says as it starts is not for whoever reads figures."""


@contextmanager
def on_one_core() -> Iterator[None]:
    """This process, and what it starts, stay on one core for the time of the block, where the system knows how."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


CASES_SQL = """
INSERT INTO cases SELECT filled.* FROM generate_series(1, CAST(:cases AS int)) AS g(n)
JOIN plan_given ON plan_given.k = g.n % CAST(:plans AS int)
CROSS JOIN a_case
CROSS JOIN LATERAL jsonb_populate_record(NULL::cases, a_case.row || jsonb_build_object(
    'id', gen_random_uuid(), 'number', 'CLM-2026-' || lpad(g.n::text, 6, '0'), 'line', plan_given.line,
    'received_at', CAST(:as_of AS timestamptz) - make_interval(secs => g.n * 7919 % 5184000),
    'plan', plan_given.plan)) AS filled
"""
CLOCKS_SQL = """
INSERT INTO clocks SELECT filled.* FROM (SELECT *, row_number() OVER (ORDER BY number) AS n FROM cases) AS c
CROSS JOIN a_clock
CROSS JOIN LATERAL jsonb_populate_record(NULL::clocks, a_clock.row || jsonb_build_object(
    'case_id', c.id, 'clock', CAST(:clock AS text), 'policy', c.plan->'clocks'->CAST(:clock AS text),
    'started_at', c.received_at, 'due_at', c.received_at + interval '15 days',
    'calendar', c.plan->'calendar'->>'version',
    'pauses', CASE WHEN c.n % 3 = 0 THEN jsonb_build_array(
        jsonb_build_object('request_id', c.id, 'from_at', c.received_at + interval '2 days',
                           'to_at', c.received_at + make_interval(hours => 50 + (c.n % 90)::int)),
        jsonb_build_object('request_id', c.id, 'from_at', c.received_at + interval '7 days',
                           'to_at', CASE WHEN c.n % 30 > 0 THEN c.received_at + interval '9 days' END))
      ELSE '[]'::jsonb END)) AS filled
WHERE c.n % CAST(:every AS int) = 0
"""


def fill(settings: Settings, clocks: int = CLOCKS) -> None:
    """Open claims received within two months, with five clocks for every two; every third has waited for documents."""
    engine = create_engine(settings.database_owner_url.get_secret_value())
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMP TABLE plan_given (k int, line text, plan jsonb)"))
        for k, (year, line) in enumerate(product(YEARS, LINES)):
            row = {"k": k, "line": line, "plan": PLAN.dump_json(plan_for(line, year)).decode()}
            connection.execute(text("INSERT INTO plan_given VALUES (:k, :line, CAST(:plan AS jsonb))"), row)
        for name, model in (("a_case", a_case()), ("a_clock", _a_clock())):
            connection.execute(text(f"CREATE TEMP TABLE {name} (row jsonb)"))
            connection.execute(text(f"INSERT INTO {name} VALUES (CAST(:row AS jsonb))"), {"row": _as_json(model)})  # noqa: S608
        cases, plans = clocks * 2 // CLOCKS_OF_TWO_CASES, len(YEARS) * len(LINES)
        connection.execute(text(CASES_SQL), {"cases": cases, "plans": plans, "as_of": AS_OF})
        for name in OF_EVERY_CASE:
            connection.execute(text(CLOCKS_SQL), {"clock": name, "every": 1})
        connection.execute(text(CLOCKS_SQL), {"clock": OF_EVERY_SECOND, "every": 2})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE cases, clocks"))
    engine.dispose()


def plan_for(line: str, year: int) -> CasePlan:
    """What a claim reported in China in this year is promised."""
    kind = kind_of("claim")
    packs = in_force(shipped_packs(), AS_OF.date())
    return plan_from(
        kind,
        selected_packs(packs, kind=kind.id, jurisdiction="CN", line=line),
        jurisdiction="CN",
        line=line,
        calendars=shipped_calendars(),
        office_calendar="CN",
        from_year=year - 1,
    )


def a_case() -> Case:
    """An open claim, to be copied."""
    return Case(
        id=uuid4(),
        number="",
        kind="claim",
        status="open",
        channel="phone",
        subject_person_id=uuid4(),
        opened_at=AS_OF,
        currency="CNY",
    )


def _a_clock() -> Clock:
    return Clock(case_id=uuid4(), clock="", policy={}, started_at=AS_OF)


def _as_json(row: SQLModel) -> str:
    dumped: dict[str, Any] = row.model_dump(mode="json")
    return json.dumps(dumped)
