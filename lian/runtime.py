"""The one place where an installation is put together: settings to a `Context`."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import structlog

from lian.db.crypto import KeyRing
from lian.db.session import Database
from lian.domain.errors import Unavailable
from lian.services.context import Context, utc_now
from lian.services.policies import HttpPolicyLookup, PolicyRegister
from lian.services.ports import CaseProcess, PolicyLookup
from lian.services.sanctions import FileSanctionsList
from lian.settings import Settings
from lian.storage import object_store

GARBAGE_EVERY = 10_000
"""So many new objects are kept before they are looked through; a page of a list is thousands, all soon gone."""


class NoProcess:
    """Stands in where no process is needed: intake and reading go on without one."""

    def __getattr__(self, name: str) -> NoReturn:
        raise Unavailable("This program does not speak to the case engine.")


def configure_logs(settings: Settings) -> None:
    """One JSON line per event on stderr; events carry ids and codes, never names, contacts or free text."""
    logging.basicConfig(stream=sys.stderr, level=settings.log_level, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
    )


def leave_alone_what_stays() -> None:
    """For processes that live long, once everything is loaded.

    Modules, models and routes live as long as the process: looked through for garbage, they cost 0.1 s each time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY)


def new_context(settings: Settings, process: CaseProcess | None = None) -> Context:
    """Everything a process of this installation works with; without a `process`, intake and reading only.

    Connections are made when first needed. Raises `UnsafeSettings` for settings that would leave data open.
    """
    settings.require_safe()
    db = Database(settings.database_url.get_secret_value())
    return Context(
        settings=settings,
        db=db,
        ring=KeyRing(settings.key_ring),
        store=object_store.connect(settings),
        process=process or NoProcess(),
        policies=_policies(settings, db),
        sanctions=FileSanctionsList.at(settings.sanctions_list),
    )


@asynccontextmanager
async def open_context(settings: Settings, process: CaseProcess | None = None) -> AsyncIterator[Context]:
    """A new context whose connections are given back at the end of the block."""
    context = new_context(settings, process)
    try:
        yield context
    finally:
        await context.announcer.close()
        await context.db.close()


def _policies(settings: Settings, db: Database) -> PolicyLookup:
    if settings.policy_http_url:
        return HttpPolicyLookup(settings.policy_http_url, settings.policy_http_token.get_secret_value())
    return PolicyRegister(db, utc_now)
