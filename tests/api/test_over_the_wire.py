"""What only a real server shows: bodies refused while they are still being sent, connections that are cut."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_api
from lian.db.tables import Document
from lian.services.context import Context
from tests.api.conftest import Headers, assert_problem, count
from tests.cast import pdf, reported_claim


@pytest.fixture
async def address(context: Context) -> AsyncIterator[tuple[str, int]]:
    """The API behind uvicorn, as in production."""
    site = FastAPI()
    site.mount("/api/v1", create_api(context))
    server = uvicorn.Server(uvicorn.Config(site, log_level="critical", lifespan="off"))
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield listening.getsockname()
        server.should_exit = True
        await serving


def megabytes(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"7" * 1024 * 1024


@pytest.mark.req("DOC-1")
async def test_a_file_that_is_too_large_is_refused_at_once(
    address: tuple[str, int], context: Context, wang: Headers
) -> None:
    number = (await reported_claim(context)).number
    head = b'--b\r\nContent-Disposition: form-data; name="item"\r\n\r\nidentity\r\n'
    head += b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n' + pdf()
    announced = {"Content-Length": str(len(head) + 30 * 1024 * 1024)}

    async def body() -> AsyncIterator[bytes]:
        yield head
        for part in megabytes(30):
            yield part

    async with httpx.AsyncClient(base_url="http://{}:{}/api/v1".format(*address), timeout=60) as client:
        for length in (announced, {}):
            headers = wang | {"Content-Type": "multipart/form-data; boundary=b"} | length
            answer = await client.post(f"/cases/{number}/documents", headers=headers, content=body())
            assert_problem(answer, 413, "too_large")
        good = await client.post(
            f"/cases/{number}/documents",
            headers=wang,
            data={"item": "identity"},
            files={"file": ("a.pdf", pdf() + b"\n" * (8 * 1024 * 1024))},
        )
        assert good.status_code == 201, good.text
        content = f"/cases/{number}/documents/{good.json()['id']}/content"
        async with client.stream("GET", content, headers=wang) as half_read:
            assert half_read.status_code == 200
            await anext(half_read.aiter_bytes())
        assert len((await client.get(content, headers=wang)).content) == good.json()["size"]
    assert await count(context, Document) == 1


@pytest.mark.req("DOC-1")
async def test_a_cut_upload_leaves_nothing(address: tuple[str, int], context: Context, wang: Headers) -> None:
    number = (await reported_claim(context)).number
    reader, writer = await asyncio.open_connection(*address)
    writer.write(
        f"POST /api/v1/cases/{number}/documents HTTP/1.1\r\nHost: x\r\nAuthorization: {wang['Authorization']}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n".encode()
        + b'--b\r\nContent-Disposition: form-data; name="item"\r\n\r\nidentity\r\n'
        + b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        + pdf()
    )
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.transport.abort()
    await asyncio.sleep(0.5)
    assert reader.at_eof() or reader.exception()
    assert await count(context, Document) == 0
    async with httpx.AsyncClient(base_url="http://{}:{}/api/v1".format(*address)) as client:
        assert (await client.get("/me", headers=wang)).status_code == 200
        strange = await client.get("/cases/%00%ED%A0%80", headers=wang)
        assert_problem(strange, 422)
        assert_problem(await client.get("/cases/%ED%A0%80", headers=wang), 404)
