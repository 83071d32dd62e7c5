"""Pages over a real database and object store, with the scenery of `scenery.py` on it."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import httpx
import pytest
import uvicorn
from playwright.sync_api import Page
from sqlalchemy import create_engine, text

from lian.runtime import open_context
from lian.services.context import Context
from lian.services.live import Live
from tests.fakes.process import FakeProcess
from tests.installation import settings_for
from tests.servers import Servers
from tests.web.reading import Browser
from tests.web.scenery import Scenery, build
from web.app import create_web

ORIGIN = "http://lian.test"
T = TypeVar("T")


@pytest.fixture(scope="session")
def furnished(servers: Servers, database_template: str) -> Iterator[str]:
    """A database with the scenery on it, to be copied; made once in each test process."""
    name = f"scenery_{uuid4().hex[:10]}"
    with _database(servers, name, database_template):
        asyncio.run(_furnish(servers, name))
        yield name


async def _furnish(servers: Servers, name: str) -> None:
    async with open_context(settings_for(servers, name), FakeProcess()) as context:
        await asyncio.to_thread(context.store.ensure_bucket)
        SCENES[name] = await build(context)


SCENES: dict[str, Scenery] = {}


class _database:  # noqa: N801 - reads as a word where it is used
    """A database that lives as long as the block, copied from another."""

    def __init__(self, servers: Servers, name: str, template: str) -> None:
        self._engine = create_engine(servers.postgres_admin_url, isolation_level="AUTOCOMMIT")
        self._name, self._template = name, template

    def __enter__(self) -> str:
        with self._engine.connect() as connection:
            connection.execute(
                text(f'CREATE DATABASE "{self._name}" TEMPLATE "{self._template}" OWNER lian_owner STRATEGY file_copy')
            )
        return self._name

    def __exit__(self, *_: object) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)'))
        self._engine.dispose()


@dataclass
class Town:
    """One installation with people and claims in it, and its pages."""

    scene: Scenery
    context: Context
    process: FakeProcess
    browser: Browser


@pytest.fixture
async def town(servers: Servers, furnished: str) -> AsyncIterator[Town]:
    """A copy of the scenery for one test, behind a browser without a screen."""
    process = FakeProcess()
    with _database(servers, f"town_{uuid4().hex[:10]}", furnished) as name:
        async with open_context(settings_for(servers, name), process) as context:
            made = SCENES[furnished]
            scene = made.elsewhere(context)
            transport = httpx.ASGITransport(create_web(context), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                yield Town(scene, context, process, Browser(client))


@dataclass(frozen=True)
class Served:
    """The pages on a real port, for a real browser."""

    url: str
    scene: Scenery
    context: Context
    loop: asyncio.AbstractEventLoop
    hub: Live
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Ask the services in the server's own loop; the browser's loop occupies this thread."""
        return asyncio.run_coroutine_threadsafe(question, self.loop).result(30)


@pytest.fixture(scope="module")
def served(servers: Servers, furnished: str) -> Iterator[Served]:
    """A web server over a copy of the scenery."""
    with _database(servers, f"served_{uuid4().hex[:10]}", furnished) as name:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        holder: dict[str, Any] = {}
        ready, stop = threading.Event(), threading.Event()
        thread = threading.Thread(
            target=lambda: asyncio.run(_serve(servers, name, port, holder, ready, stop)), daemon=True
        )
        thread.start()
        assert ready.wait(30), "the web server did not start"
        made = SCENES[furnished]
        context: Context = holder["context"]
        scene = made.elsewhere(context)
        yield Served(f"http://127.0.0.1:{port}", scene, context, holder["loop"], holder["hub"])
        stop.set()
        thread.join(10)


async def _serve(
    servers: Servers, name: str, port: int, holder: dict[str, Any], ready: threading.Event, stop: threading.Event
) -> None:
    async with open_context(settings_for(servers, name), FakeProcess()) as context:
        holder["context"], holder["loop"] = context, asyncio.get_running_loop()
        pages = create_web(context)
        holder["hub"] = pages.state.live
        config = uvicorn.Config(pages, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.02)
        ready.set()
        await asyncio.to_thread(stop.wait)
        pages.state.live.close()
        server.should_exit = True
        await running


class Keep(Protocol):
    """Keeps what a page looks like under a name; `whole`: also what does not fit on the screen."""

    def __call__(self, page: Page, name: str, *, whole: bool = True) -> None: ...


@pytest.fixture(scope="session")
def keep() -> Keep:
    """Screenshots for people, in a folder that git ignores; only with LIAN_SCREENSHOTS=1, since each takes long."""
    folder = Path(__file__).parents[1] / "screenshots"

    def keep(page: Page, name: str, *, whole: bool = True) -> None:
        if os.environ.get("LIAN_SCREENSHOTS") == "1":
            page.screenshot(path=folder / f"{name}.png", full_page=whole)

    return keep
