"""The shared test servers work, and every process of a run gets the same ones."""

from __future__ import annotations

import io
import uuid
from urllib.parse import urlsplit

import psycopg
from minio import Minio
from temporalio.client import Client

from tests.servers import TEST_SERVER, Servers


async def test_postgres_knows_the_two_roles(servers: Servers) -> None:
    address = servers.postgres_admin_url.replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(address) as connection:
        rows = await (await connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'lian%'")).fetchall()
    assert sorted(row[0] for row in rows) == ["lian_app", "lian_owner"]


async def test_temporal_answers_and_has_our_search_attributes(servers: Servers) -> None:
    client = await Client.connect(servers.temporal_address)
    assert [found async for found in client.list_workflows("CaseKind = 'claim'")] == []


def test_s3_stores_and_returns(servers: Servers) -> None:
    store = Minio(
        urlsplit(servers.s3_endpoint).netloc,
        access_key=servers.s3_access_key,
        secret_key=servers.s3_secret_key,
        secure=False,
    )
    bucket = f"t-{uuid.uuid4()}"
    store.make_bucket(bucket)
    store.put_object(bucket, "key", io.BytesIO(b"stored"), 6)
    assert store.get_object(bucket, "key").read() == b"stored"


def test_the_time_skipping_server_comes_with_the_environment() -> None:
    assert TEST_SERVER.is_file()
