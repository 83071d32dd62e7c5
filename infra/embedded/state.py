"""What a running stack writes down about itself (`stack.json`), for other shells and for recovery after a kill."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from infra.embedded.home import Home, plain_disk_errors, write_private
from infra.embedded.identity import Identity


@dataclass(kw_only=True)
class ProcessRecord:
    """One process of the stack; `pid` and `created` identify it together, `probes` tell whether it is ready."""

    name: str
    pid: int
    created: float
    version: str
    probes: list[str]
    stop_signal: int
    log: str
    restarts: int = 0

    @property
    def identity(self) -> Identity:
        return Identity(self.pid, self.created)


@dataclass(kw_only=True)
class StackState:
    """The stack as last written: `phase` is starting, running or stopping; `started_at` is ISO 8601 in UTC."""

    phase: str
    demo: bool
    version: str
    started_at: str
    supervisor: ProcessRecord
    web: str
    api: str
    temporal_ui: str
    ports: dict[str, int]
    environment: dict[str, str]
    """The `LIAN_*` settings that reach this stack; secrets only as names of files."""
    processes: list[ProcessRecord] = field(default_factory=list)

    def write(self, home: Home) -> None:
        """Replace the state file in one step."""
        write_private(home.state_file, json.dumps(asdict(self), indent=1))


def read_state(home: Home) -> StackState | None:
    """The state on file; None when no stack runs there, or when the file cannot be understood."""
    try:
        stored = json.loads(home.state_file.read_text(encoding="utf-8"))
        stored["supervisor"] = ProcessRecord(**stored["supervisor"])
        stored["processes"] = [ProcessRecord(**record) for record in stored["processes"]]
        return StackState(**stored)
    except (OSError, ValueError, TypeError, KeyError):
        return None


@contextmanager
def stack_lock(home: Home, *, kind: int = fcntl.LOCK_EX) -> Iterator[bool]:
    """Hold the stack's lock; yields False when another process holds it.

    The system lets go of it when its holder ends in whatever way: a crash leaves nothing locked.
    """
    with plain_disk_errors(home.lock_file):
        descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _try_lock(descriptor, kind)
    finally:
        os.close(descriptor)


def is_locked(home: Home) -> bool:
    """Whether a supervisor is at work in this folder."""
    if not home.lock_file.exists():
        return False
    # Shared: two shells that ask at once must not take each other for a supervisor.
    with stack_lock(home, kind=fcntl.LOCK_SH) as mine:
        return not mine


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
