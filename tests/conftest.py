"""What all tests share: one set of real servers for each run, and the browser."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from tests import servers as real
from tests.browsers import ABSENT, find_browser
from tests.installation import context, database, database_admin, database_template, process, settings

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
    """After they were shuffled: whole stacks and browsers first, so that no process ends with a long one alone."""
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """What was imported stays until the end: it is not looked through for garbage with every few objects more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def _turn(item: pytest.Item) -> int:
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
