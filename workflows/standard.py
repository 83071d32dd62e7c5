"""The standard procedure: runs every kind of case whose definition lists its steps (idea 5)."""

from __future__ import annotations

from functools import partial

from temporalio import workflow

from lian.domain.case_kind import FIRST, Step
from lian.domain.messages import CaseState
from lian.domain.tasks import Json
from workflows.promises import PromiseKeeper

ANSWERED_BY = "answered_by"
"""Kept beside the coded answers: who answered the step before."""
GRADE = "grade"
"""A question of this name, in the intake form or a task, says which grade's promises apply."""


@workflow.defn
class Standard(PromiseKeeper):
    """One case of a kind without a procedure of its own."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)
        self.outcome = ""

    @workflow.run
    async def run(self, state: CaseState) -> str:
        """Promise, then one step after the other until an answer ends the case."""
        return await self.perform(self.procedure)

    async def procedure(self) -> str:
        """The definition's steps in their order; a reopened case joins them where it was reopened."""
        if self.is_reopened:
            self.promise()
        await self.stage(FIRST, self.receive)
        for step in self.kind.steps:
            await self.stage(step.stage, partial(self.take, step))
            if self.outcome:
                break
        return self.outcome

    async def receive(self) -> None:
        """Promises run from the receipt."""
        self.promise()

    def promise(self) -> None:
        """Whatever runs from the receipt; a reopened case's are new promises beside the old ones."""
        self.clocks.grade(str(self.state.facts.get(GRADE, "")))
        self.reached("received", self.state.received_at)

    async def take(self, step: Step) -> None:
        """Ask for one answer; it ends the case, or the next step follows."""
        answer = await self.task(self.kind.task(step.task), self.ask, exclude=self.excluded_from(step))
        self.state.facts[ANSWERED_BY] = answer.by
        self.clocks.grade(str(getattr(answer.outcome, GRADE, self.state.grade)))
        self.outcome = step.ends.get(str(getattr(answer.outcome, "result", "")), "")
        for milestone in step.reaches:
            self.reached(milestone)
        if self.outcome:
            self.reached("closed")
            self.keep_every_promise()

    def ask(self) -> Json:
        """Whoever answers starts from the coded answers of the intake form."""
        return {name: value for name, value in self.state.facts.items() if name != ANSWERED_BY}

    def excluded_from(self, step: Step) -> list[str]:
        """Who must not answer a step."""
        return [self.state.facts[ANSWERED_BY]] if step.by_another and ANSWERED_BY in self.state.facts else []

    def keep_every_promise(self) -> None:
        """An answer that ends the case keeps, or breaks, every promise that still runs."""
        for clock in list(self.clocks.running):
            self.clocks.stop(clock, workflow.now())
