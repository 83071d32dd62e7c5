"""Memory of a process tree, each shared page counted once (PSS) where the system tells."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil

MEGABYTE = 1024 * 1024


def memory_mb(processes: Iterable[psutil.Process]) -> float:
    """Megabytes these processes hold together; one that ends meanwhile counts nothing."""
    return round(sum(_bytes(process) for process in processes) / MEGABYTE, 1)


def _bytes(process: psutil.Process) -> int:
    try:
        return _pss(process.pid)
    except (OSError, ValueError):
        return _rss(process)


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("smaps_rollup has no Pss line")


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
