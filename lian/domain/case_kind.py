"""What makes a kind of case: everything outside its procedure, as one definition (idea 5)."""

from __future__ import annotations

from dataclasses import dataclass

from lian.domain.labels import Label
from lian.domain.sla import ClockPolicy
from lian.domain.tasks import TaskKind


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the procedure: staff read `label`, customers read `headline` and `next_step`."""

    id: str
    label: Label
    headline: Label
    next_step: Label


@dataclass(frozen=True, slots=True)
class CaseKind:
    """A kind's definition. `promise` names the clock whose due date customers are told."""

    id: str
    prefix: str
    label: Label
    workflow: str
    stages: tuple[Stage, ...]
    tasks: tuple[TaskKind, ...]
    queues: dict[str, Label]
    clocks: tuple[ClockPolicy, ...]
    promise: str
    outcomes: dict[str, Label]
    pack: str

    def task(self, kind: str) -> TaskKind:
        """The task kind with this id; raises `KeyError` for one the kind does not have."""
        for task in self.tasks:
            if task.id == kind:
                return task
        raise KeyError(kind)

    def has_task(self, kind: str) -> bool:
        """Whether the kind asks this of people."""
        return any(t.id == kind for t in self.tasks)

    def stage(self, stage: str) -> Stage:
        """The stage with this id, or the first one."""
        return next((s for s in self.stages if s.id == stage), self.stages[0])

    def stage_number(self, stage: str) -> int:
        """The stage's place in the procedure, from 0."""
        return next((i for i, s in enumerate(self.stages) if s.id == stage), 0)
