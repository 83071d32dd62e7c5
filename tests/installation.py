"""An installation for tests: its own database from a migrated template, the shared S3, a fake or real process."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, text
from sqlmodel import select
from temporalio.client import Client
from temporalio.service import RPCError

from lian.db import migrate
from lian.db.crypto import KeyRing
from lian.db.tables import Case, Payment
from lian.domain.messages import case_workflow_id, payment_workflow_id
from lian.notify.mail import NoMailer
from lian.runtime import open_context
from lian.services.context import Context
from lian.settings import Settings
from tests.fakes.process import FakeProcess
from tests.servers import Servers
from workflows.gateway import TemporalProcess, connect
from workflows.worker import running_worker

KEYS = "k1:" + base64.b64encode(bytes(range(32))).decode()
CERTIFICATE_KEY = base64.b64encode(bytes(range(32, 64))).decode()


def own_name() -> str:
    """The name of this test process; a Temporal namespace has the same."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def settings_for(servers: Servers, database: str) -> Settings:
    """Settings of a test installation over the run's servers."""
    return Settings(
        demo=True,
        # Most tests are about something else than holidays and law, and skip far ahead of what is published.
        office_calendar="plain:Asia/Shanghai",
        jurisdiction="",
        database_url=SecretStr(servers.application_url(database)),
        database_owner_url=SecretStr(servers.owner_url(database)),
        temporal_address=servers.temporal_address,
        temporal_namespace=own_name(),
        s3_endpoint=servers.s3_endpoint,
        # A bank's folder is read by whoever finds something new in it: each test process has its own.
        s3_bucket=f"lian-{own_name()}",
        s3_access_key=servers.s3_access_key,
        s3_secret_key=SecretStr(servers.s3_secret_key),
        data_keys=SecretStr(KEYS),
        certificate_key=SecretStr(CERTIFICATE_KEY),
    )


@pytest.fixture(scope="session")
def database_admin(servers: Servers) -> Iterator[Engine]:
    """Who makes databases."""
    engine = create_engine(servers.postgres_admin_url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def database_template(servers: Servers, database_admin: Engine) -> str:
    """A migrated, empty database to copy from, one per test process."""
    name = f"template_{own_name()}"
    with database_admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}"'))
        connection.execute(text(f'CREATE DATABASE "{name}" OWNER lian_owner'))
    migrate.upgrade(settings_for(servers, name))
    return name


@pytest.fixture
def database(database_admin: Engine, database_template: str) -> Iterator[str]:
    """A database for one test."""
    name = f"test_{uuid4().hex[:12]}"
    with database_admin.connect() as connection:
        connection.execute(
            text(f'CREATE DATABASE "{name}" TEMPLATE "{database_template}" OWNER lian_owner STRATEGY file_copy')
        )
    yield name
    with database_admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture
def settings(servers: Servers, database: str) -> Settings:
    """Settings of this test's installation."""
    return settings_for(servers, database)


@pytest.fixture
def process() -> FakeProcess:
    """The process behind `context`: remembers what it was told."""
    return FakeProcess()


@pytest.fixture
async def context(settings: Settings, process: FakeProcess) -> AsyncIterator[Context]:
    """Services over a real database and object store, with a fake process."""
    async with open_context(settings, process) as made:
        await asyncio.to_thread(made.store.ensure_bucket)
        yield made


@asynccontextmanager
async def installation(settings: Settings, *, cached: int = 200) -> AsyncIterator[tuple[Context, Client]]:
    """The whole thing: real process, worker and relay, on task queues of the run's Temporal server."""
    ring = KeyRing(settings.key_ring)
    client = await connect(settings, ring, lazy=False)
    async with open_context(settings, TemporalProcess(partial(connect, settings, ring))) as made:
        await asyncio.to_thread(made.store.ensure_bucket)
        async with running_worker(client, made, NoMailer(), cached=cached):
            try:
                yield made, client
            finally:
                await end_processes(client, made)


async def end_processes(client: Client, made: Context) -> None:
    """What a test leaves running would be drawn by the next one's worker, which has another database."""
    async with made.transaction() as session:
        cases = (await session.execute(select(Case.id))).scalars().all()
        payments = (await session.execute(select(Payment.id))).scalars().all()
    names = [case_workflow_id(c) for c in cases] + [payment_workflow_id(p) for p in payments]
    for name in names:
        with suppress(RPCError):
            await client.get_workflow_handle(name).terminate("the test has ended")
