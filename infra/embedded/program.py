"""One process of the stack, described as data: what to run, as whom, how to know that it is ready, how to stop it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

BARE_ENVIRONMENT = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Account:
    """The system user a server runs as, when not as ourselves."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Program:
    """A long-running process; times in seconds."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    directory: Path
    log: Path
    version: str
    probes: tuple[str, ...]
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 2.2
    start_within: float = 60.0


def bare_environment(home: Path, **extra: str) -> dict[str, str]:
    """What a third-party server may know: a path, a home of ours, UTC; none of the user's secrets or proxies."""
    kept = {name: os.environ[name] for name in BARE_ENVIRONMENT if name in os.environ}
    return {**kept, "HOME": str(home), "TZ": "UTC", "LANG": "C.UTF-8", **extra}


def beside_python(name: str) -> Path:
    """A program that a wheel installed into this environment (`.venv/bin/weed`)."""
    return Path(sys.executable).parent / name
