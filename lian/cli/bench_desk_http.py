"""`lian bench desk`, the part over HTTP: one web process as it is in production, and clients that cost next to nothing.

A client is one connection that is kept, and says one thing after another: what is measured is the server.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil

from infra.embedded.ports import LOOPBACK, choose_free
from lian.cli.bench_timing import Timed
from lian.settings import Settings

CLIENTS = 8
START_SECONDS = 60.0
ANSWERED = (200, 204)
"""In a small house there may be a queue with nothing for whoever draws."""
Ask = tuple[str, str, str]
"""Method, path and token."""


@dataclass(frozen=True, slots=True)
class WebProcess:
    """A running web process."""

    port: int
    process: psutil.Process

    async def measure(self, asks: Iterator[Ask], *, clients: int = CLIENTS) -> Timed:
        """All the requests, by so many clients at once. Raises `AssertionError` for any that is not answered well."""
        timed, began, cpu = Timed(), time.perf_counter(), self._cpu()
        await asyncio.gather(*(self._client(asks, timed) for _ in range(clients)))
        timed.wall = time.perf_counter() - began
        timed.cpu = (self._cpu() - cpu) / max(1, len(timed.seconds))
        return timed

    def _cpu(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system

    async def _client(self, asks: Iterator[Ask], timed: Timed) -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        for method, path, token in asks:
            began = time.perf_counter()
            writer.write(
                f"{method} /api/v1{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Length: 0\r\n\r\n".encode()
            )
            status, body = await _answer(reader)
            timed.seconds.append(time.perf_counter() - began)
            assert status in ANSWERED, (status, body[:300])
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    lengths = [line.partition(b":")[2] for line in lines if line.startswith(b"content-length:")]
    body = await reader.readexactly(int(lengths[0])) if lengths else b""
    return int(lines[0].split(b" ")[1]), body


@asynccontextmanager
async def web_process(settings: Settings) -> AsyncIterator[WebProcess]:
    """The product's own web process, over this installation's database."""
    port = choose_free(())
    given = {
        "LIAN_WEB_PORT": str(port),
        "LIAN_DEMO": "1",
        "LIAN_DATABASE_URL": settings.database_url.get_secret_value(),
        "LIAN_S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
        "LIAN_DATA_KEYS": settings.data_keys.get_secret_value(),
        "LIAN_LOG_LEVEL": "WARNING",
    }
    child = await create_subprocess_exec(sys.executable, "-m", "lian", "web", env=os.environ | given, stdout=DEVNULL)
    try:
        web = WebProcess(port, psutil.Process(child.pid))
        await _until_ready(port, child)
        yield web
    finally:
        child.terminate()
        await child.wait()


async def _until_ready(port: int, child: Process) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not await _answers(port):
        if child.returncode is not None or time.monotonic() > deadline:
            raise RuntimeError("The web process did not start.")
        await asyncio.sleep(0.1)


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True
