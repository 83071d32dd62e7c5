"""What all tests share: one set of real servers for each run, and the browser."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

import pytest
import structlog
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from lian.auth import secrets
from lian.db import session
from tests import servers as real
from tests.browsers import ABSENT, find_browser
from tests.installation import context, database, database_admin, database_template, process, settings
from tests.one_dialect import Engines

TESTS = Path(__file__).parent
WHOLE_STACKS = frozenset({"faults", "infra", "simulator"})
"""Folders whose tests start everything: the longest there are."""

__all__ = ["context", "database", "database_admin", "database_template", "process", "settings"]


def pytest_configure(config: pytest.Config) -> None:
    """The process that leads the run opens it; xdist's processes inherit where it is."""
    if not hasattr(config, "workerinput"):
        real.open_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Also after Ctrl-C; after a kill the keeper itself notices."""
    if not hasattr(config, "workerinput") and real.RUN_VARIABLE in os.environ:
        real.close_run()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After they were shuffled: what takes long first, so that no process ends with a long one alone.

    Whole stacks, then modules in a browser, which keep a processor busy, and of workflows, which mostly wait, by turns.
    """
    modules: dict[int, list[Path]] = {}
    for item in items:
        some = modules.setdefault(_kind(item), [])
        if item.path not in some:
            some.append(item.path)
    by_turns = chain.from_iterable(zip_longest(modules.get(1, ()), modules.get(2, ())))
    order = [*modules.get(0, ()), *(path for path in by_turns if path), *modules.get(3, ())]
    turn = {path: n for n, path in reversed(list(enumerate(order)))}
    items.sort(key=lambda item: turn[item.path])


def pytest_collection_finish() -> None:
    """What was imported stays until the end: it is not looked through for garbage with every few objects more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def _kind(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    if folder in WHOLE_STACKS:
        return 0
    return 1 if item.get_closest_marker("browser") else 2 if folder == "workflows" else 3


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Browser tests say why they cannot run; where a browser is promised, its absence is a failure."""
    if item.get_closest_marker("browser") is None or find_browser() is not None:
        return
    if os.environ.get("LIAN_REQUIRE_BROWSER") == "1":
        pytest.fail(ABSENT, pytrace=False)
    pytest.skip(ABSENT)


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """Of what tests have go wrong on purpose; painted ones take a second each."""
    processors = structlog.get_config()["processors"][:-1]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors, plain])


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashing a password takes long on purpose, and nearly every test has people with one."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(secrets, "_ARGON2", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_dialect() -> Iterator[None]:
    """Statements are compiled once in a process, not once in a test."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(session, "create_async_engine", Engines().create)
        yield


@pytest.fixture(scope="session")
def servers() -> real.Servers:
    """PostgreSQL, Temporal and S3 for real, shared by the whole run."""
    if os.environ.get(real.OFF_VARIABLE) == "1":
        pytest.skip(f"{real.OFF_VARIABLE}=1: tests with real servers are left out")
    return real.shared_servers()


@pytest.fixture(scope="session")
def browser_path() -> Path:
    """The browser's program; for tests marked `browser`."""
    found = find_browser()
    if found is None:
        pytest.skip(ABSENT)
    return found
