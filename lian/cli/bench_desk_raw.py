"""`lian bench desk`, the ceiling: what PostgreSQL does of the same when nothing but the driver asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any

import psycopg
from sqlalchemy import make_url

from lian.cli.bench_desk_http import CLIENTS
from lian.cli.bench_timing import Timed, seen
from lian.settings import Settings

LIST = """
SELECT id, case_id, kind, queue, stage, urgency, act_by_at, holder, opened_at FROM tasks
WHERE status = 'open' AND queue = %(queue)s ORDER BY urgency, id LIMIT 50
"""
CLAIM = "UPDATE tasks SET holder = 'raw', version = version + 1 WHERE id = %(id)s AND holder = ''"
AUDIT = "INSERT INTO bench_audit (task_id, holder) VALUES (%(id)s, 'raw')"
NEXT = """
UPDATE tasks SET holder = 'raw', version = version + 1 WHERE id = (
    SELECT id FROM tasks WHERE status = 'open' AND holder = '' AND queue = %(queue)s ORDER BY urgency, id LIMIT 1
    FOR UPDATE SKIP LOCKED) RETURNING id
"""
FREE = "SELECT id FROM tasks WHERE status = 'open' AND holder = '' ORDER BY id DESC LIMIT %(n)s"
GIVE_BACK = "UPDATE tasks SET holder = '' WHERE status = 'open' AND holder = 'raw'"

Work = Callable[[psycopg.Connection[Any], Any], None]


def measure_raw(settings: Settings, queues: Sequence[str], times: int) -> dict[str, dict[str, Any]]:
    """Lists, claims and draws by eight connections; what they took is given back afterwards."""
    url = make_url(settings.database_owner_url.get_secret_value())
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_audit (task_id uuid, holder text, at timestamptz DEFAULT now())")
        free = [row[0] for row in connection.execute(FREE, {"n": 2 * times})]
        some = list(islice(cycle(queues), times))
        found = {
            "raw_list": _by_eight(address, _list, some),
            "raw_claim": _by_eight(address, _claim, free[: len(free) // 2]),
            "raw_claim_with_audit": _by_eight(address, _claim_with_audit, free[len(free) // 2 :]),
            "raw_next_with_audit": _by_eight(address, _next_with_audit, some),
        }
        connection.execute(GIVE_BACK)
        connection.execute("DROP TABLE bench_audit")
    return found


def _list(connection: psycopg.Connection[Any], queue: str) -> None:
    connection.execute(LIST, {"queue": queue}).fetchall()


def _claim(connection: psycopg.Connection[Any], task_id: Any) -> None:
    connection.execute(CLAIM, {"id": task_id})


def _claim_with_audit(connection: psycopg.Connection[Any], task_id: Any) -> None:
    with connection.transaction():
        connection.execute(CLAIM, {"id": task_id})
        connection.execute(AUDIT, {"id": task_id})


def _next_with_audit(connection: psycopg.Connection[Any], queue: str) -> None:
    with connection.transaction():
        drawn = connection.execute(NEXT, {"queue": queue}).fetchone()
        if drawn is not None:
            connection.execute(AUDIT, {"id": drawn[0]})


def _by_eight(address: str, work: Work, asked: Sequence[Any]) -> dict[str, Any]:
    timed = Timed()

    def client(n: int) -> None:
        with psycopg.connect(address, autocommit=True) as connection:
            for one in asked[n::CLIENTS]:
                began = time.perf_counter()
                work(connection, one)
                timed.seconds.append(time.perf_counter() - began)

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(CLIENTS)))
    timed.wall = time.perf_counter() - began
    return seen(timed)
