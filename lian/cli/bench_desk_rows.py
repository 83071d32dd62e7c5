"""Cases and tasks by the million for `lian bench desk`, made by the database itself from the number of the row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from lian.cli.bench_what_if import a_case, plan_for
from lian.db.events import GENESIS
from lian.db.tables import Case, ChainHead, Task
from lian.services.opening import PLAN

TASKS_OF_A_CLOSED_CASE, IN_HAND, CONFLICTS = 8, 20, 3_000
"""`IN_HAND`: what each of the staff has who has any. `CONFLICTS`: of one queue's most urgent tasks, and again of all
others', so many are not for the worst clerk."""
OURS = UUID(int=5)


def add_closed(connection: Connection, given: dict[str, Any], tasks: int) -> None:
    """Closed cases with some tasks each, all of them answered."""
    case, task = a_case(), _a_task(given["now"])
    closed = {"status": "'closed'", "closed_at": "at.opened + interval '9 days'", "outcome": "'paid'"}
    place = {"id": _uuid("closed case", "g.n"), "number": "'CLM-2025-' || g.n"}
    cases = f"{_numbers(0, tasks // TASKS_OF_A_CLOSED_CASE)} {AT}"
    connection.execute(text(_insert(Case, case, closed | place, cases)), given | {"row": _json(case)})
    answered = {"status": "'completed'", "closed_at": "at.opened + interval '2 days'", "completed_by": "who.id"}
    held = {"case_id": _uuid("closed case", f"g.n / {TASKS_OF_A_CLOSED_CASE}"), "id": _uuid("closed task", "g.n")}
    source = f"{_numbers(0, tasks - 1)} {AT} {NEED} {WHO}"
    connection.execute(text(_insert(Task, task, A_TASK | answered | held, source)), given | {"row": _json(task)})


def add_open(connection: Connection, given: dict[str, Any], tasks: int) -> None:
    """Open cases with a task each; `given` says among other things who may hold one."""
    _add_open_cases(connection, given, tasks)
    held = {"case_id": _uuid("case", "g.n"), "id": _uuid("task", "g.n")}
    has = {"holder": HOLDER, "claimed_at": f"CASE WHEN {IS_HELD} THEN :now - interval '5 days' END", "hold_until": HOLD}
    task = _a_task(given["now"])
    source = f"{_numbers(1, tasks)} {AT} {NEED} {WHO}"
    most = min((given["people"] - given["handed"]) * IN_HAND, tasks // 4)
    more = given | {"row": _json(task), "held": most}
    connection.execute(text(_insert(Task, task, A_TASK | held | has, source)), more)


def _add_open_cases(connection: Connection, given: dict[str, Any], cases: int) -> None:
    connection.execute(text("CREATE TEMP TABLE a_plan AS SELECT CAST(:plan AS jsonb) AS plan"), _a_plan())
    place = {"id": _uuid("case", "g.n"), "number": "'CLM-2026-' || lpad(g.n::text, 7, '0')", "version": "1"}
    about = {"kind": "need.case_kind", "line": "need.line", "stage": "need.stage", "plan": "a_plan.plan"}
    amount = {"claimed_amount": AMOUNT, "loss_cause": "'other'"}
    source = f"{_numbers(1, cases)} {AT} {NEED} CROSS JOIN a_plan"
    case, chain = a_case(), ChainHead(case_id=OURS, chain_seq=1, hash=GENESIS)
    connection.execute(text(_insert(Case, case, place | about | amount, source)), given | {"row": _json(case)})
    heads = _insert(ChainHead, chain, {"case_id": place["id"]}, _numbers(1, cases))
    connection.execute(text(heads), {"row": _json(chain)})


def _numbers(first: int, last: int) -> str:
    return f"generate_series({first}, {last}) AS g(n)"


def _insert(table: type[SQLModel], row: SQLModel, given: Mapping[str, str], source: str) -> str:
    """Rows like `row`, in which some columns are expressions over the source."""
    name, names = table.__tablename__, [c.name for c in SQLModel.metadata.tables[str(table.__tablename__)].columns]
    values = ", ".join(given.get(each, f"model.{each}") for each in names)
    # Worked out once: PostgreSQL would otherwise read the model anew for every column of every row.
    model = f"WITH model AS MATERIALIZED (SELECT * FROM jsonb_populate_record(NULL::{name}, CAST(:row AS jsonb)))"  # noqa: S608
    return f"INSERT INTO {name} ({', '.join(names)}) {model} SELECT {values} FROM {source} CROSS JOIN model"  # noqa: S608


def _some(seed: int, of: str) -> str:
    """A number below `of`, as if by chance."""
    return f"(hashint8extended(g.n, {seed}) & 2147483647) % {of}"


def _uuid(what: str, n: str) -> str:
    return f"CAST(md5('{what} ' || ({n})) AS uuid)"


OPENED = f"CAST(:now AS timestamptz) - make_interval(mins => CAST({_some(1, '129600')} AS int))"
DUE = f"CAST(:now AS timestamptz) + make_interval(mins => CAST({_some(2, '100800')} AS int) - 14400)"
AT = f"CROSS JOIN LATERAL (SELECT {OPENED} AS opened, {DUE} AS due) AS at"
NEED = f"JOIN a_need AS need ON need.k = {_some(3, ':needs')}"
WHO = f"JOIN a_person AS who ON who.n = :handed + {_some(4, '(:people - :handed)')}"
AMOUNT = f"100 * (1 + {_some(5, '30000')})"
IS_HELD = "g.n <= :held"
HOLDER = f"CASE WHEN {IS_HELD} THEN who.id ELSE '' END"
HOLD = f"CASE WHEN {_some(6, '30')} = 0 THEN CAST(:now AS timestamptz) + interval '3 days' END"
IS_GREEN, IS_FIRST = f"{_some(7, '33')} = 0", f"{_some(8, '5')} < 3"
SECONDS = "CAST(extract(epoch FROM at.due) AS bigint)"
MINUTES = "CAST(extract(epoch FROM at.opened - timestamptz '2010-01-01 00:00+00') AS bigint) / 60"
URGENCY = f"""(CASE WHEN {IS_GREEN} THEN 0 ELSE 1::bigint << 62 END)
    + (CASE WHEN {IS_FIRST} THEN 0 ELSE 1::bigint << 61 END)
    + ({SECONDS} << 27) + (({_some(9, "4")}) << 25) + {MINUTES}"""
"""As `domain/urgency.py` packs it."""
A_TASK = {
    "kind": "need.kind",
    "queue": "need.queue",
    "stage": "need.stage",
    "excluded": f"CASE WHEN {_some(10, '3')} = 0 THEN jsonb_build_array(who.id) ELSE '[]' END",
    "least_authority": "need.least",
    "amount": AMOUNT,
    "skills": "need.skills",
    "needs": "need.needs",
    "opened_at": "at.opened",
    "act_by_at": "at.due",
    "urgency": URGENCY,
    "is_green": IS_GREEN,
    "is_raised": f"{_some(11, '100')} = 0",
    "passed": f"CASE WHEN {_some(12, '200')} = 0 THEN jsonb_build_object(who.id, at.due) ELSE '{{}}' END",
}
CONFLICTED = """
UPDATE tasks SET excluded = excluded || to_jsonb(CAST(:who AS text)) WHERE id IN (
    SELECT id FROM tasks WHERE status = 'open' AND holder = '' AND queue = ANY(:queues) ORDER BY urgency LIMIT :n)
"""


def add_conflicts(connection: Connection, who: str, queue: str, tasks: int) -> None:
    """The most urgent tasks of one queue, and of all others, are not for somebody."""
    queues = {row[0] for row in connection.execute(text("SELECT DISTINCT queue FROM a_need"))}
    for some, n in (([queue], min(CONFLICTS, tasks // 100)), (sorted(queues - {queue}), min(CONFLICTS, tasks // 10))):
        connection.execute(text(CONFLICTED), {"who": who, "queues": some, "n": n})


def _a_task(now: datetime) -> Task:
    ask = {"complexity": "simple", "checklist": ["identity", "bank_account"]}
    return Task(id=OURS, case_id=OURS, kind="", queue="", stage="", ask=ask, opened_at=now, urgency=0, version=1)


def _a_plan() -> dict[str, str]:
    return {"plan": PLAN.dump_json(plan_for("motor", 2026)).decode()}


def _json(row: SQLModel) -> str:
    return json.dumps(row.model_dump(mode="json"))


def without_indexes(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Take all but the keys away while rows come in by the million; returns how to make them again."""
    query = text(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(:tables) AND schemaname = 'public'"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    )
    found = connection.execute(query, {"tables": list(tables)}).all()
    for name, _ in found:
        connection.execute(text(f"DROP INDEX {name}"))
    return [definition for _, definition in found]
