"""A made-up house for `lian bench desk`: queues, staff, open tasks of very many needs, and closed ones.

Everything follows from a row's number, so that two runs of the same size measure the same house.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from uuid import uuid5

from sqlalchemy import Connection, create_engine, text
from sqlmodel import Session

from lian.auth.actor import Actor, staff_actor_id
from lian.auth.secrets import hash_token
from lian.cli.bench_desk_rows import OURS, add_closed, add_conflicts, add_open, without_indexes
from lian.db.tables import SignIn, Staff
from lian.domain.case_kind import CaseKind
from lian.domain.case_kinds import KINDS
from lian.domain.claims.terms import Line
from lian.domain.needs import needs_of
from lian.domain.queues import QUEUES, UNROUTED
from lian.domain.tasks import TaskKind
from lian.services.accounts import actor_for
from lian.settings import Settings

MANY_QUEUES, PEOPLE, FREE_HANDED, CALLERS = 40, 200, 60, 200
"""Of the house's 200 staff the first 60 hold nothing, so that they draw. Callers have all queues, and ask over HTTP."""
NEEDS_OF_A_QUEUE = 120
SKILLS = ((), (), (), ("english",), ("hull",), ("licence:life",), ("english", "hull"))
RARE = ("aviation", "licence:loss_adjuster")
"""The worst clerk has these skills and no other."""
AMOUNTS = tuple(Decimal(n) for n in (0, 800, 9_000, 15_000, 40_000, 300_000))
ROLES = ("claims_adjuster_senior",) * 3 + ("claims_adjuster_junior",) * 6 + ("team_lead",)


@dataclass(frozen=True, slots=True)
class House:
    """Whom and what the measurements are made with; `now` is when the house was filled."""

    now: datetime
    tasks: int
    """How many of them are open."""
    queues: Sequence[str]
    clerk: Actor
    worst: Actor
    lead: Actor
    clerks: Sequence[Actor]
    """Who draw at the same time."""
    callers: Sequence[Actor]
    tokens: Sequence[str]
    """The callers' sessions."""
    fresh: Sequence[str]
    """Sessions of more callers, who have nothing in hand."""


def queue_names() -> list[str]:
    """The house's own queues, and the same again for other regions."""
    own = [queue for queue in QUEUES if queue != UNROUTED]
    regions = (f"{queue}.{region}" for region in range(2, MANY_QUEUES) for queue in own)
    return [*own, *regions][:MANY_QUEUES]


def fill(settings: Settings, *, open_tasks: int, closed_tasks: int, fresh: int) -> House:
    """Fill an empty, migrated database with a house of this size; `fresh`: how many callers have nothing in hand."""
    engine = create_engine(settings.database_owner_url.get_secret_value())
    now, queues = datetime.now(UTC).replace(microsecond=0), queue_names()
    staff = list(_staff(now, queues, PEOPLE + CALLERS + fresh))
    with engine.begin() as connection:
        for setting in ("synchronous_commit = off", "maintenance_work_mem = '512MB'"):
            connection.execute(text(f"SET LOCAL {setting}"))
        _add_staff(connection, staff, now)
        needs = _add_needs(connection, queues)
        again = without_indexes(connection, ("tasks", "cases"))
        given = {"now": now, "people": PEOPLE, "handed": FREE_HANDED, "needs": needs}
        add_closed(connection, given, closed_tasks)
        add_open(connection, given, open_tasks)
        add_conflicts(connection, staff_actor_id(staff[1].id), queues[0], open_tasks)
        for statement in again:
            connection.execute(text(statement))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    with engine.begin() as connection:
        _bring_to_memory(connection)
    engine.dispose()
    return _house(now, open_tasks, queues, staff)


def _bring_to_memory(connection: Connection) -> None:
    """What is open, as it lies in the memory of a house at work: right after the filling, all of it is on disk."""
    for way in ("seqscan", "hashjoin", "mergejoin", "bitmapscan"):
        connection.execute(text(f"SET LOCAL enable_{way} = off"))  # these go past the memory, or not through an index
    for query in (OPEN_TASKS, FREE_TASKS):
        connection.execute(text(query))


OPEN_TASKS = """
SELECT count(ask), count(cases.number), count(case_chain.chain_seq)
FROM tasks JOIN cases ON cases.id = tasks.case_id JOIN case_chain ON case_chain.case_id = tasks.case_id
WHERE tasks.status = 'open' AND tasks.queue > ''
"""
FREE_TASKS = """
SELECT count(*) FROM (
    SELECT needs FROM tasks WHERE status = 'open' AND holder = '' AND queue > ''
    ORDER BY queue, needs, urgency, id OFFSET 0) AS free
"""


def _house(now: datetime, tasks: int, queues: Sequence[str], staff: Sequence[Staff]) -> House:
    actors, tokens = [actor_for(person) for person in staff], [_token(person) for person in staff]
    first_fresh = PEOPLE + CALLERS
    return House(
        now=now,
        tasks=tasks,
        queues=queues,
        clerk=actors[0],
        worst=actors[1],
        lead=actors[2],
        clerks=actors[3:FREE_HANDED],
        callers=actors[PEOPLE:first_fresh],
        tokens=tokens[PEOPLE:first_fresh],
        fresh=tokens[first_fresh:],
    )


# --- people -----------------------------------------------------------------------------------------------------------


def _staff(now: datetime, queues: Sequence[str], count: int) -> Iterator[Staff]:
    """An ordinary clerk, the worst, a lead with all queues, colleagues with some queues, and callers."""
    yield _person(0, now, ("claims_adjuster_senior",), queues[:6], ("english",))
    yield _person(1, now, ("claims_adjuster_senior",), queues, RARE)
    yield _person(2, now, ("team_lead",), ("*",), ())
    for n in range(3, count):
        some = [queues[(n * 7 + k) % len(QUEUES)] for k in range(5)] if n < PEOPLE else ["*"]
        role = ROLES[n % len(ROLES)] if n < PEOPLE else "claims_adjuster_senior"
        yield _person(n, now, (role,), some, ("english",) if n % 2 else ("hull",))


def _person(n: int, now: datetime, roles: Sequence[str], queues: Sequence[str], skills: Sequence[str]) -> Staff:
    return Staff(
        id=uuid5(OURS, f"staff {n}"),
        username=f"person-{n}",
        name=f"Person {n}",
        password_hash="none",  # noqa: S106 - no password is like it
        roles=list(roles),
        queues=list(queues),
        team=f"team-{n % 10}",
        skills=dict.fromkeys(skills, ""),
        created_at=now,
    )


def _add_staff(connection: Connection, staff: Sequence[Staff], now: datetime) -> None:
    until = now + timedelta(days=7)
    signed_in = (
        SignIn(token_hash=hash_token(_token(person)), staff_id=person.id, created_at=now, expires_at=until)
        for person in staff
    )
    with Session(connection, expire_on_commit=False) as session:
        session.add_all([*staff, *signed_in])
        session.flush()
    connection.execute(text("CREATE TEMP TABLE a_person (n int PRIMARY KEY, id text)"))
    people = [{"n": n, "id": staff_actor_id(person.id)} for n, person in enumerate(staff[:PEOPLE])]
    connection.execute(text("INSERT INTO a_person VALUES (:n, :id)"), people)


def _token(person: Staff) -> str:
    return f"token-of-{person.username}"


# --- what tasks need --------------------------------------------------------------------------------------------------


def _add_needs(connection: Connection, queues: Sequence[str]) -> int:
    """A table of everything a task may be: queue, kinds, line, amount and skills; returns how many rows it has."""
    connection.execute(
        text(
            "CREATE TEMP TABLE a_need (k int PRIMARY KEY, queue text, case_kind text, kind text, stage text,"
            " line text, least numeric, skills jsonb, needs text)"
        )
    )
    rows = [{"k": k} | row for k, row in enumerate(row for queue in queues for row in _needs_in(queue))]
    connection.execute(
        text(
            "INSERT INTO a_need VALUES (:k, :queue, :case_kind, :kind, :stage, :line, :least,"
            " CAST(:skills AS jsonb), :needs)"
        ),
        rows,
    )
    return len(rows)


def _needs_in(queue: str) -> Iterator[dict[str, Any]]:
    """A part of all combinations, another one for every queue, and one that needs what is rare."""
    combinations = list(product(_kinds_in(queue), Line, AMOUNTS, SKILLS))
    start = sum(queue.encode()) * 31
    for k in range(min(NEEDS_OF_A_QUEUE, len(combinations))):
        yield _need(queue, *combinations[(start + k * 11) % len(combinations)])
    kind, line, _, _ = combinations[start % len(combinations)]
    yield _need(queue, kind, line, Decimal(0), RARE)


def _kinds_in(queue: str) -> list[tuple[CaseKind, TaskKind]]:
    own = [(kind, task) for kind in KINDS.values() for task in kind.tasks if queue.startswith(task.queue)]
    return own or [(KINDS["claim"], KINDS["claim"].task("initial_review"))]


def _need(
    queue: str, kinds: tuple[CaseKind, TaskKind], line: str, least: Decimal, skills: Sequence[str]
) -> dict[str, Any]:
    case, task = kinds
    needs = needs_of(case_kind=case.id, task_kind=task.id, line=line, least_authority=least, skills=skills)
    return {
        "queue": queue,
        "case_kind": case.id,
        "kind": task.id,
        "stage": case.stages[1].id,
        "line": str(line),
        "least": least,
        "skills": json.dumps(sorted(skills)),
        "needs": str(needs),
    }
