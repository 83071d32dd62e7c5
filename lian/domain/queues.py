"""Every queue there is: those of the kinds, and the one for tasks that no route fits (TSK-1)."""

from __future__ import annotations

from lian.domain.case_kinds import KINDS
from lian.domain.labels import Label

UNROUTED = "desk.unrouted"
"""The error queue: here lies what no row of the table of routes fits. It is for who hands out work, or routes it."""
QUEUES: dict[str, Label] = {
    **{queue: label for kind in KINDS.values() for queue, label in kind.queues.items()},
    UNROUTED: Label("Not routed", "未能分派"),
}
