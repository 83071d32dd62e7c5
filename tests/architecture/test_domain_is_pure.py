"""The domain has no clock, no randomness and no I/O: the standard library only, and `now` is an argument."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "lian" / "domain").rglob("*.py"))

IMPURE_MODULES = frozenset(
    {
        *("random", "secrets", "time", "threading", "multiprocessing", "asyncio", "subprocess", "socket", "ssl"),
        *("os", "io", "pathlib", "tempfile", "shutil", "glob", "sqlite3", "urllib", "http", "smtplib", "logging"),
    }
)
IMPURE_CALLS = frozenset(
    {
        *("now", "utcnow", "today", "time", "monotonic", "perf_counter", "uuid1", "uuid4", "urandom"),
        *("random", "randint", "choice", "shuffle", "open", "print", "input", "getenv"),
    }
)
"""Called by any name; `at.time()` is spelled otherwise in the domain, and `uuid5` of given names is pure."""


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def called_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            func = node.func
            name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
            yield name, node.lineno


def is_pure(module: str) -> bool:
    if module == "lian.domain" or module.startswith("lian.domain."):
        return True
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names and top not in IMPURE_MODULES


def is_time_of_day(tree: ast.AST) -> bool:
    """Whether the file imports the class `datetime.time`, which is a value and no clock."""
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "datetime" and any(a.name == "time" for a in node.names)
        for node in ast.walk(tree)
    )


def impurities(source: str) -> list[str]:
    tree = ast.parse(source)
    allowed = {"time"} if is_time_of_day(tree) else set()
    imports = [f"import {module}" for module in imported_modules(tree) if not is_pure(module)]
    calls = [f"{name}() in line {line}" for name, line in called_names(tree) if name in IMPURE_CALLS - allowed]
    return imports + calls


def test_there_is_a_domain_to_look_at() -> None:
    assert len(FILES) > 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_domain_file_touches_nothing_outside(path: Path) -> None:
    assert impurities(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        *(
            "import pydantic",
            "from lian.db import models",
            "import random",
            "from os import path",
            "import lian.services",
        ),
        *("datetime.now(UTC)", "datetime.utcnow()", "date.today()", "x = uuid4()", "uuid.uuid4()", "open('f')"),
        *("from datetime import datetime\ndatetime.now()", "import time\ntime.time()", "def f():\n    import secrets"),
    ],
)
def test_an_impure_file_would_be_caught(source: str) -> None:
    assert impurities(source)
