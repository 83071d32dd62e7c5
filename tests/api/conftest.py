"""A client of the mounted API, and people signed in to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from sqlmodel import SQLModel, func, select

from api.app import create_api
from lian.auth.secrets import hash_token, new_token
from lian.db.tables import ChainHead, Staff
from lian.db.tables import SignIn as SignedIn
from lian.domain import journal as j
from lian.domain.calendars import plain_calendar
from lian.domain.claims import figures
from lian.domain.sla import ClockLedger, ClockPolicy, due_at
from lian.services.context import Context
from lian.services.notices import latest_notices
from lian.services.policies import put_policy
from lian.services.recording import put_on_record
from tests.cast import CAST, OFFICE, POLICY, motor_policy

Headers = dict[str, str]
SignIn = Callable[[str], Awaitable[Headers]]


@pytest.fixture
async def api(context: Context) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, which is mounted where it is in production."""
    site = FastAPI()
    site.mount("/api/v1", create_api(context))
    transport = httpx.ASGITransport(app=site)
    async with httpx.AsyncClient(transport=transport, base_url="http://lian.test/api/v1", timeout=60) as client:
        yield client


async def employ(context: Context, name: str, roles: Sequence[str], *, username: str = "", team: str = "") -> Headers:
    """A new member of staff with an open session, without the time it takes to hash a password."""
    token, staff_id, now = new_token(), uuid4(), context.now()
    async with context.transaction() as session:
        session.add(
            Staff(
                id=staff_id,
                username=username or f"{name}-{staff_id}",
                name=name,
                password_hash="none",
                roles=list(roles),
                team=team,
                queues=["*"],
                created_at=now,
            )
        )
        session.add(
            SignedIn(
                token_hash=hash_token(token), staff_id=staff_id, created_at=now, expires_at=now + timedelta(hours=1)
            )
        )
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def signed_in(context: Context) -> SignIn:
    """Sign a member of the cast in; the headers of their requests."""

    async def sign_in(username: str) -> Headers:
        return await employ(context, *CAST[username])

    return sign_in


@pytest.fixture
async def sun(signed_in: SignIn) -> Headers:
    """Customer service, who reports losses."""
    return await signed_in("sun")


@pytest.fixture
async def wang(signed_in: SignIn) -> Headers:
    """A junior adjuster."""
    return await signed_in("wang")


@pytest.fixture
async def policy(context: Context) -> str:
    """Zhao's motor policy, in the register."""
    await put_policy(context, OFFICE, motor_policy())
    return POLICY


def keyed(headers: Headers, key: str | None = None) -> Headers:
    """The headers with an idempotency key."""
    return headers | {"Idempotency-Key": key or uuid4().hex}


def claim_body(**changes: Any) -> dict[str, Any]:
    """A plain collision on Zhao's policy, as JSON."""
    body: dict[str, Any] = {
        "policy_number": POLICY,
        "loss_cause": "collision",
        "loss_at": "2026-01-05T08:00:00+08:00",
        "reported_at": "2026-01-05T10:00:00+08:00",
        "place": "上海市南京东路",
        "course": "追尾",
        "injured": 0,
        "reporter": {"name": "赵磊", "phone": "13800000001", "email": "zhao@example.com"},
        "losses": [{"coverage_code": "OD", "claimed_amount": "5000.00"}],
        "channel": "phone",
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


async def customer_of(api: httpx.AsyncClient, context: Context, number: str) -> Headers:
    """A customer signed in to their case with the code they were sent."""
    assert (await api.post(f"/track/{number}/code")).status_code == 202
    newest = next(
        n for n in await latest_notices(context, OFFICE) if n.subject.startswith(number) and "code" in n.subject
    )
    code = re.search(r"\b(\d{6})\b", newest.body.split("Your code is")[1])
    assert code
    answer = await api.post(f"/track/{number}/sessions", json={"code": code[1]})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def open_task(
    context: Context,
    case_id: UUID,
    *,
    kind: str = "initial_review",
    queue: str = "claims.review",
    ask: dict[str, Any] | None = None,
    excluded: tuple[str, ...] = (),
    least_authority: Decimal = Decimal(0),
) -> UUID:
    """A task, as the case's process opens it."""
    task_id = uuid4()
    event = j.TaskOpened(
        task_id=task_id,
        kind=kind,
        queue=queue,
        stage="review",
        ask=ask if ask is not None else {"complexity": "simple", "checklist": ["identity", "bank_account"]},
        excluded_actors=excluded,
        least_authority=least_authority,
    )
    await as_process(context, case_id, event)
    return task_id


async def start_clock(context: Context, case_id: UUID, name: str = "claim.total", **changes: Any) -> ClockPolicy:
    """A promise of a claim, as the case's process starts it now."""
    policy, now = replace(figures.TOTAL, **changes), context.now()
    event = j.ClockStarted(
        clock=name,
        started_at=now,
        policy=TypeAdapter(ClockPolicy).dump_python(policy, mode="json"),
        due_at=due_at(policy=policy, calendar=plain_calendar("Asia/Shanghai"), ledger=ClockLedger(now)),
        warn_at=None,
    )
    await as_process(context, case_id, event)
    return policy


async def as_process(context: Context, case_id: UUID, *events: j.Event) -> None:
    """Events as the case's process records them."""
    async with context.transaction() as session:
        head = await session.get_one(ChainHead, case_id)
        recorded = [j.Recorded(at=context.now(), actor="system", event=event) for event in events]
        await put_on_record(
            context, session, case_id=case_id, recorded=recorded, source=j.PROCESS, first_seq=head.process_seq + 1
        )


async def count(context: Context, table: type[SQLModel]) -> int:
    """How many rows a table has."""
    async with context.transaction() as session:
        return (await session.execute(select(func.count()).select_from(table))).scalar_one()


def assert_problem(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """The answer is a problem as RFC 9457 has it, in a sentence."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() >= {"type", "title", "status", "detail", "code", "reference"}
    assert body["status"] == status
    assert body["type"] == f"urn:lian:problem:{body['code']}"
    assert not body["detail"][0].islower(), body["detail"]
    assert body["detail"][-1] in ".)", body["detail"]
    assert code is None or body["code"] == code
    return body


async def insisting(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """As a client does who is told to try again: a loaded machine may say so when many ask at once."""
    while (answer := await ask()).status_code == 503:
        await asyncio.sleep(0.2)
    return answer
