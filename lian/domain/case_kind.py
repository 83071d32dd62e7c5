"""What makes a kind of case: everything outside its procedure, as one definition (idea 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from lian.domain.labels import Label
from lian.domain.sla import ClockPolicy, Unit
from lian.domain.tasks import ActionKind, Json, Question, TaskKind, accept_any, questions

FIRST, LAST = "report", "closed"
"""Every case begins and ends at these stages, whatever its kind."""
NUMBER_OF_POLICY = "policy_number"
"""An intake question of this name says which policy the case is about."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the procedure: staff read `label`, customers read `headline` and `next_step`."""

    id: str
    label: Label
    headline: Label
    next_step: Label


@dataclass(frozen=True, slots=True)
class Ending:
    """What customers read once the case has ended so. `stage` is the side way it ends on, where there is one."""

    headline: Label
    next_step: Label
    tone: Literal["ok", "bad", "none"] = "none"
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Intake:
    """The form a case of this kind begins with. Who reports it, and how to reach them, is asked of everybody.

    Its coded answers go to the process; personal ones (`question(personal=True)`) are sealed and never do.
    """

    label: Label
    help: Label
    outcome: type[Any]
    examples: tuple[Json, ...]
    """Filled-in forms, made up: the API's description, the demo and the tests use them."""
    check: Callable[[Any, Json], None] = accept_any
    rows: dict[str, type[Any]] = field(default_factory=dict)
    by_customer: bool = True
    """Whether customers may open such a case on the web."""

    @property
    def coded(self) -> dict[str, Question]:
        """The questions whose answers the process knows."""
        asked = questions(self.outcome).items()
        return {name: q for name, q in asked if not q.personal and name != NUMBER_OF_POLICY}

    @property
    def personal(self) -> tuple[str, ...]:
        """The questions whose answers only people read."""
        return tuple(name for name, q in questions(self.outcome).items() if q.personal)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a standard procedure: a stage, its task, and the milestones it reaches once it is answered.

    `ends` maps an answer's `result` to the case's outcome, and with it every clock stops; any other answer goes on with
    the next step. `by_another`: whoever answered the step before must not answer this one.
    """

    stage: str
    task: str
    reaches: tuple[str, ...] = ()
    ends: dict[str, str] = field(default_factory=dict)
    by_another: bool = False


@dataclass(frozen=True, slots=True)
class CaseKind:
    """A kind's definition. `promise` names the clock whose due date customers are told.

    A kind with `steps` needs no procedure of its own: `workflows/standard.py` runs it.
    """

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
    actions: tuple[ActionKind, ...] = ()
    intake: Intake | None = None
    steps: tuple[Step, ...] = ()
    endings: dict[str, Ending] = field(default_factory=dict)
    """What customers read of each outcome."""
    detours: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Stages off the main way, each with those it stands in for; customers see one only when their case takes it."""
    binding: frozenset[str] = frozenset()
    """Stages at which the case can no longer be withdrawn."""
    reopens: tuple[str, ...] = ()
    """Stages at which a closed case may be handled again; empty: any of its steps'."""

    @property
    def reopen_at(self) -> tuple[str, ...]:
        """The stages at which a closed case may be handled again."""
        return self.reopens or tuple(dict.fromkeys(step.stage for step in self.steps))

    @property
    def is_promised_by_the_hour(self) -> bool:
        """Whether customers are told the moment of the promise; of a promise in days they are told the day."""
        return any(clock.id == self.promise and clock.unit is Unit.HOURS for clock in self.clocks)

    def task(self, kind: str) -> TaskKind:
        """The task kind with this id; raises `KeyError` for one the kind does not have."""
        for task in self.tasks:
            if task.id == kind:
                return task
        raise KeyError(kind)

    def action(self, action: str) -> ActionKind | None:
        """The action with this id, if the kind has it."""
        return next((a for a in self.actions if a.id == action), None)

    def has_task(self, kind: str) -> bool:
        """Whether the kind asks this of people."""
        return any(t.id == kind for t in self.tasks)

    def stage(self, stage: str) -> Stage:
        """The stage with this id, or the first one."""
        return next((s for s in self.stages if s.id == stage), self.stages[0])

    def stage_number(self, stage: str) -> int:
        """The stage's place in the procedure, from 0."""
        return next((i for i, s in enumerate(self.stages) if s.id == stage), 0)
