"""The registry of kinds: one line each."""

from __future__ import annotations

from lian.domain.case_kind import CaseKind
from lian.domain.claims.definition import CLAIM
from lian.domain.errors import NotFound
from lian.domain.inquiries.definition import INQUIRY
from lian.domain.tasks import TaskKind

KINDS: dict[str, CaseKind] = {
    kind.id: kind
    for kind in (
        CLAIM,
        INQUIRY,
    )
}
NOT_WAITED_FOR = frozenset(task.id for kind in KINDS.values() for task in kind.tasks if task.on == "desk")
"""Tasks about a case that its process does not wait for, such as why a promise was broken."""


def kind_of(kind: str) -> CaseKind:
    """The definition of a kind. Raises `NotFound` for an unknown one."""
    if kind not in KINDS:
        raise NotFound("There is no kind of case with this name.")
    return KINDS[kind]


def kind_of_number(number: str) -> CaseKind | None:
    """The kind whose cases have numbers like this one."""
    return next((kind for kind in KINDS.values() if number.startswith(f"{kind.prefix}-")), None)


def task_kind(kind: str, task: str) -> TaskKind:
    """The definition of a task of a kind."""
    return kind_of(kind).task(task)
