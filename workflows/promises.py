"""What a case does about its promises, whatever its kind: longer times, waits outside, another plan (CLM-12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from temporalio import workflow

from lian.domain import journal as j
from lian.domain import promise_actions as actions
from lian.domain.errors import Conflict
from lian.domain.messages import Replan
from lian.domain.plan import CasePlan
from lian.domain.promise_tasks import APPROVE_EXTENSION
from lian.domain.sla import Extension
from lian.domain.tasks import ActionKind
from workflows.engine import Answer, Case

PLAN = TypeAdapter(CasePlan)


class PromiseKeeper(Case):
    """Base of every procedure that people and operations may act on by its promises."""

    def check_action(self, kind: ActionKind, answer: Answer) -> None:
        """Whether the case allows it now; a kind's own actions are its own business."""
        if kind.id not in CHECKS:
            super().check_action(kind, answer)
        CHECKS[kind.id](self, answer)

    def begin_action(self, kind: ActionKind, answer: Answer) -> None:
        BEGIN[kind.id](self, answer)

    # --- a longer time ------------------------------------------------------------------------------------------------

    def check_extension(self, answer: Answer) -> None:
        self.extension_of(answer.outcome.clock)
        if self.open_task_of(APPROVE_EXTENSION):
            raise Conflict("Another request for a longer time waits for its answer.")

    def extension_of(self, clock: str) -> Extension:
        """The longer time the rules allow for a promise; raises `Conflict` when there is none, or it is too late."""
        run = self.clocks.running.get(clock)
        allowed = self.state.plan.clock(clock).extensions if run else ()
        if run is None or not allowed:
            raise Conflict("The rules do not allow a longer time for this promise.")
        if run.extended >= sum(extension.amount for extension in allowed):
            raise Conflict("This promise was extended as far as the rules allow.")
        due = self.clocks.due(clock, run)
        if run.breached or (due is not None and workflow.now() >= due):
            raise Conflict("The promise is due already; it can no longer be extended.")
        return allowed[0]

    def begin_extension(self, answer: Answer) -> None:
        self.beside(self.extend(answer.outcome.clock, answer))

    async def extend(self, clock: str, asked: Answer) -> None:
        """Agreed to by somebody else, and the customer told, both before the promise falls due."""
        allowed = self.extension_of(clock)
        ask = {"clock": clock, "amount": allowed.amount, "source": allowed.source}
        second = await self.task(APPROVE_EXTENSION, lambda: ask, exclude=[asked.by])
        if not second.outcome.agree:
            return
        try:
            self.extension_of(clock)
            await self.letter("extension", workflow.uuid4(), about=clock)
            self.extension_of(clock)
        except Conflict as too_late:
            self.record(j.ActionRefused(action=actions.EXTEND.id, why=too_late.message), by=second.by)
            return
        self.clocks.extend(clock, allowed.amount, asked_by=asked.by, approved_by=second.by)

    # --- waits outside ------------------------------------------------------------------------------------------------

    def check_wait(self, answer: Answer) -> None:
        if self.local_midnight(answer.outcome.since_on, "since_on") > workflow.now():
            raise Conflict("A wait cannot begin in the future.")

    def begin_wait(self, answer: Answer) -> None:
        since = max(self.local_midnight(answer.outcome.since_on, "since_on"), self.state.received_at)
        until = self.local_midnight(answer.outcome.until_on, "until_on")
        self.start_wait(answer.outcome.reason, since, until, by=answer.by)

    def local_midnight(self, day: str, field: str) -> datetime:
        """The beginning of a date at the office."""
        return self.state.plan.calendar.begin_of_day(actions.read_day(day, field))

    def check_wait_ended(self, answer: Answer) -> None:
        if UUID(answer.outcome.request_id) not in self.state.waits:
            raise Conflict("This wait is over already.")

    def end_wait_now(self, answer: Answer) -> None:
        self.end_wait(UUID(answer.outcome.request_id), "ended", workflow.now(), by=answer.by)

    # --- what happened outside ----------------------------------------------------------------------------------------

    def check_note(self, answer: Answer) -> None:
        if answer.outcome.milestone not in self.noteworthy:
            raise Conflict("No promise of this case runs from or to that.")
        if self.noted_at(answer) > workflow.now():
            raise Conflict("It cannot have happened in the future.")

    @property
    def noteworthy(self) -> set[str]:
        """What promises of the plan run from or to, and the procedure does not come to by itself."""
        return self.clocks.words - actions.BY_PROCEDURE

    def noted_at(self, answer: Answer) -> datetime:
        """When it happened, on the office's clock."""
        written = actions.read_moment(answer.outcome.at, "at")
        return self.state.plan.calendar.moment(written) if written else workflow.now()

    def begin_note(self, answer: Answer) -> None:
        self.reached(answer.outcome.milestone, self.noted_at(answer))

    # --- another plan -------------------------------------------------------------------------------------------------

    @workflow.signal
    def replan(self, order: Replan) -> None:
        """Another pack or calendar applies from now on, by an operation that was previewed; the first word counts."""
        if self.has_ended or str(order.operation_id) in self.state.recent:
            return
        self.remember(str(order.operation_id))
        self.clocks.replan(order.plan, workflow.now())
        plan = PLAN.dump_python(self.state.plan, mode="json")
        self.record(j.PlanChanged(operation_id=order.operation_id, plan=plan, why=order.why), by=order.by)

    @workflow.signal
    def look_at_clocks(self) -> None:
        """Somebody found a promise overdue that the case has not spoken of."""
        self.look_at_deadlines()


Check = Callable[[PromiseKeeper, Answer], None]
CHECKS: dict[str, Check] = {
    actions.EXTEND.id: PromiseKeeper.check_extension,
    actions.START_WAIT.id: PromiseKeeper.check_wait,
    actions.END_WAIT.id: PromiseKeeper.check_wait_ended,
    actions.NOTE.id: PromiseKeeper.check_note,
}
BEGIN: dict[str, Check] = {
    actions.EXTEND.id: PromiseKeeper.begin_extension,
    actions.START_WAIT.id: PromiseKeeper.begin_wait,
    actions.END_WAIT.id: PromiseKeeper.end_wait_now,
    actions.NOTE.id: PromiseKeeper.begin_note,
}
