"""Which process is ours: a pid counts only together with the moment its process began, never with a name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "LIAN_STACK"
"""Environment variable, set in every process of a stack to the stack's folder."""
SAME_START_SECONDS = 5.0
"""Tolerance between two readings of a start time: the system clock may be corrected in between."""


@dataclass(frozen=True)
class Identity:
    """One process, safe against a re-used pid; `created` is seconds since the epoch."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Identity:
        """Identity of a process that runs now. Raises `psutil.NoSuchProcess` when it does not."""
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process while it lives; None once it ended, even when the pid is used again."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < SAME_START_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None

    @property
    def alive(self) -> bool:
        """Whether this very process runs."""
        return self.process() is not None


def tree(root: psutil.Process) -> list[psutil.Process]:
    """A process and everything below it; empty when it has ended."""
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def stop_trees(roots: Iterable[psutil.Process], *, within: float, polite: dict[int, signal.Signals]) -> None:
    """End processes together: a polite signal each (`polite` by pid, else SIGTERM), after `within` seconds SIGKILL."""
    leaders = list(roots)
    everything = [process for leader in leaders for process in tree(leader)]
    for leader in leaders:
        send(leader, polite.get(leader.pid, signal.SIGTERM))
    for process in _living(everything, after=within):
        send(process, signal.SIGKILL)
    _living(everything, after=2)


def _living(processes: list[psutil.Process], *, after: float) -> list[psutil.Process]:
    """Those that still run `after` seconds from now; sooner when none does. A zombie has ended, its parent is late."""
    deadline = time.monotonic() + after
    while living := [process for process in processes if _runs(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return living


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def send(process: psutil.Process, number: signal.Signals) -> None:
    """Signal a process that may have ended already; psutil refuses a re-used pid."""
    with suppress(psutil.Error):
        process.send_signal(number)


def marked(folder: Path) -> list[psutil.Process]:
    """Processes that a stack in this folder started and that outlived it, topmost ones only."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = {process.pid: process for process in psutil.process_iter() if _carries_mark(process, folder)}
    return [process for pid, process in found.items() if pid not in ours and _parent(process) not in found]


def _carries_mark(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(folder)
    except (psutil.Error, OSError):
        return False


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.Error:
        return 0
