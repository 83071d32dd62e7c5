"""`lian migrate`, `lian worker` and `lian web`: the processes of an installation, configured by `LIAN_*` alone."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from lian.db import migrate as schema
from lian.runtime import configure_logs, leave_alone_what_stays, new_context, open_context
from lian.services.rewriting import rebuild_all
from lian.settings import Settings, UnsafeSettings

app = typer.Typer()
PANEL = "Processes"


def _settings() -> Settings:
    settings = Settings()
    configure_logs(settings)
    try:
        settings.require_safe()
    except UnsafeSettings as unsafe:
        raise SystemExit(str(unsafe)) from None
    return settings


@app.command(rich_help_panel=PANEL)
def migrate(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail when schema and models differ.")] = False,
) -> None:
    """Bring the database schema up to date."""
    settings = _settings()
    if not check:
        if schema.upgrade(settings):
            typer.echo(f"The rows of {asyncio.run(_rewrite(settings))} cases were made anew from the journal.")
        return
    differences = schema.differences(settings)
    for difference in differences:
        typer.echo(difference)
    raise typer.Exit(1 if differences else 0)


async def _rewrite(settings: Settings) -> int:
    async with open_context(settings) as context:
        return await rebuild_all(context)


@app.command(rich_help_panel=PANEL)
def worker() -> None:
    """Run workflows, letters, payments and the relay."""
    from lian.services.desk.dealing import check_dealt_queues

    settings = _settings()
    try:
        check_dealt_queues(settings)
    except UnsafeSettings as unsafe:
        raise SystemExit(str(unsafe)) from None
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    from lian.db.crypto import KeyRing
    from lian.notify import mail
    from workflows.gateway import TemporalProcess, connect
    from workflows.worker import running_worker

    client = await connect(settings, KeyRing(settings.key_ring), lazy=False)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    process = TemporalProcess(partial(connect, settings, KeyRing(settings.key_ring)))
    async with open_context(settings, process) as context:
        await asyncio.to_thread(context.store.ensure_bucket)
        context.announcer.tell_everything()  # whoever ended before this one may have left something unsaid
        async with running_worker(client, context, mail.connect(settings), cached=settings.max_cached_cases):
            leave_alone_what_stays()
            _say_ready()
            await stop.wait()


def _say_ready() -> None:
    path = os.environ.get("LIAN_READY_FILE")
    if path:
        Path(path).write_text("ready\n", encoding="utf-8")


@app.command(rich_help_panel=PANEL)
def web() -> None:
    """Serve the pages and the API."""
    import uvicorn

    from web.server import Server

    settings = _settings()
    config = uvicorn.Config(
        partial(_application, settings),
        factory=True,
        host=settings.web_host,
        port=settings.web_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    Server(config).run()


def _application(settings: Settings) -> Any:
    """Pages at the root, the API under /api/v1, over one context that lives as long as the server."""
    from starlette.routing import Mount

    from api.app import create_api
    from lian.db.crypto import KeyRing
    from web.app import create_web
    from workflows.gateway import TemporalProcess, connect

    process = TemporalProcess(partial(connect, settings, KeyRing(settings.key_ring)))
    context = new_context(settings, process)
    pages = create_web(context)
    # Before the pages' own routes, which are many, and tried one after another.
    pages.router.routes.insert(0, Mount("/api/v1", create_api(context)))
    leave_alone_what_stays()
    return pages
