"""Queues and tasks."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, get_args
from uuid import UUID

from pydantic import Field, StringConstraints

from api.schemas.forms import FormOut, form_of
from api.wire import AmountOut, Code, In, Out, Page, TextOrNothing, Words
from lian.auth.actor import Actor
from lian.auth.visibility import sees_inside
from lian.domain.desk import DRAW_REASONS, STANDINGS, Reason
from lian.domain.messages import CommandResult
from lian.domain.status import TaskStatus
from lian.services.asked import SHOWN
from lian.services.desk import SORTS, Assignee, Count, Drawn, QueueCount, TaskOnDesk, TaskQuery

Filter = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)]
Sort = Literal["urgency", "due", "oldest", "newest", "amount"]
assert set(get_args(Sort)) == SORTS.keys()


class QueueOut(Out):
    """One queue of yours."""

    queue: str
    label: Words
    open: int
    unclaimed: int
    is_more: bool = Field(description="There are more than were counted.")

    @classmethod
    def of(cls, count: QueueCount) -> QueueOut:
        """The queue on the wire."""
        return cls(
            queue=count.queue,
            label=Words.of(count.label),
            open=count.open,
            unclaimed=count.unclaimed,
            is_more=count.is_more,
        )


class QueuesOut(Out):
    """Your queues."""

    items: list[QueueOut]


OUR_INSIDE: dict[str, Any] = {
    "least_authority": Decimal(0),
    "on_behalf_of": "",
    "on_behalf_of_name": "",
    "is_green": False,
    "is_raised": False,
    "skills": [],
}
"""What people outside are told instead of how we go about a task."""


class TaskOut(Out):
    """A task and who has it."""

    id: UUID
    case_number: str
    case_kind: str
    kind: str
    label: Words
    help: Words
    queue: str
    stage: str
    status: TaskStatus
    opened_at: datetime
    act_by_at: datetime | None = Field(description="When the first promise of the case falls due.")
    least_authority: AmountOut
    currency: str
    amount: AmountOut = Field(description="What is claimed in its case.")
    holder: str = Field(description="Actor id of whoever has it; empty: nobody.")
    holder_name: str
    held_how: str = Field(description="How they came to have it, such as `claim`, `assign`, `delegate`.")
    on_behalf_of: str = Field(description="Actor id of whose work it stays, when it is done for a colleague.")
    on_behalf_of_name: str
    claimed_at: datetime | None
    hold_until: datetime | None = Field(description="Put aside until then; once that is past, no longer.")
    hold_reason: str
    is_green: bool = Field(description="In the green channel: before everything else.")
    is_raised: bool = Field(description="Put ahead of others.")
    skills: list[str] = Field(description="What whoever does it must know or be licensed for.")
    version: int = Field(description="Give it with what you do: 409 when the task has changed since.")

    @classmethod
    def of(cls, found: TaskOnDesk, names: dict[str, str]) -> Self:
        """The task on the wire."""
        return cls(**about_task(found, names))

    def as_seen_by(self, actor: Actor) -> Self:
        """The same, for people outside without how we go about it: whose work it is, what it takes, how urgent."""
        return self if sees_inside(actor) else self.model_copy(update=OUR_INSIDE)


class TasksOut(Page):
    """Open tasks, the most urgent first (TSK-2)."""

    items: list[TaskOut]


class CountOut(Out):
    """How many tasks a query finds."""

    n: int
    is_more: bool = Field(description="There are more than `n`; nobody counted how many.")

    @classmethod
    def of(cls, count: Count) -> CountOut:
        """The count on the wire."""
        return cls(n=count.n, is_more=count.is_more)


class TaskFilters(In):
    """Which open tasks: of your queues, or those somebody has."""

    queue: Filter = ""
    holder: Filter = Field(default="", description="`@me`, `@none`, or an actor id.")
    mine: bool = Field(default=False, description="The same as `holder=@me`.")
    unclaimed: bool = Field(default=False, description="The same as `holder=@none`.")
    kind: Filter = Field(default="", description="Kind of case.")
    task: Filter = Field(default="", description="Kind of task.")
    stage: Filter = ""
    line: Filter = ""
    on_hold: bool | None = Field(default=None, description="Put aside at this moment, or not.")
    raised: bool = Field(default=False, description="Only what was put ahead of others.")
    late: bool = Field(default=False, description="Only where the first promise of the case is past.")
    team: Filter = Field(default="", description="Held by somebody of this team.")

    def query(self) -> TaskQuery:
        """What the desk is asked for."""
        return TaskQuery(**self.model_dump(include=set(TaskFilters.model_fields)))


class TaskListing(TaskFilters):
    """Which open tasks, in which order, and which page of them."""

    sort: Sort = Field(default="urgency", description="`urgency`: the most urgent first (TSK-2).")
    cursor: str = Field(
        default="", max_length=200, description="`next` of the page before, sorted alike; empty: from the beginning."
    )
    limit: int = Field(default=50, ge=1, le=200, description="How many at most.")


class TaskDetailOut(TaskOut):
    """A task with its question and the form of its answer."""

    ask: dict[str, Any] = Field(description="What the procedure asks, with its proposals.")
    form: FormOut
    policy_number: str
    claimed_amount: AmountOut
    outcome: dict[str, Any] | None
    completed_by: str

    @classmethod
    def shown(cls, found: TaskOnDesk, names: dict[str, str]) -> TaskDetailOut:
        """The whole task on the wire."""
        return cls(**_whole_task(found, names))

    def for_customer(self) -> TaskDetailOut:
        """The same without our inside: who has it, who may do it, and what we found out about the answer."""
        ask = {name: value for name, value in self.ask.items() if name in SHOWN}
        blank = dict.fromkeys(
            ("queue", "stage", "holder", "holder_name", "held_how", "hold_reason", "completed_by"), ""
        )
        none = dict.fromkeys(("outcome", "claimed_at", "hold_until"))
        return self.model_copy(update={"ask": ask, "version": 0, **OUR_INSIDE, **blank, **none})


class ReasonOut(Out):
    """Why get-next gave this task and no other; `at` or `standing` where the reason tells of one."""

    code: str
    label: Words
    at: datetime | None
    standing: Words | None

    @classmethod
    def of(cls, reason: Reason) -> ReasonOut:
        """The reason on the wire."""
        standing = None if reason.standing is None else Words.of(STANDINGS[reason.standing])
        return cls(code=reason.code, label=Words.of(DRAW_REASONS[reason.code]), at=reason.at, standing=standing)


class DrawnOut(TaskDetailOut):
    """The task that get-next gave."""

    reasons: list[ReasonOut] = Field(description="In order of weight (TSK-2).")

    @classmethod
    def drawn(cls, drawn: Drawn, names: dict[str, str]) -> DrawnOut:
        """The task and why, on the wire."""
        return cls(**_whole_task(drawn.found, names), reasons=[ReasonOut.of(each) for each in drawn.reasons])


class AssigneeOut(Out):
    """Somebody whose work the task is."""

    username: str
    name: str
    why_not: str = Field(description="Why it cannot be assigned to them; empty: it can.")

    @classmethod
    def of(cls, found: Assignee) -> AssigneeOut:
        """The person on the wire."""
        return cls(username=found.username, name=found.name, why_not=found.why_not)


class AssigneesOut(Out):
    """People a task may be given to first."""

    items: list[AssigneeOut]


class CommandOut(Out):
    """A command that took effect."""

    command_id: str
    seq: int = Field(description="The process event that says so.")

    @classmethod
    def of(cls, result: CommandResult) -> CommandOut:
        """The result on the wire."""
        return cls(command_id=result.command_id, seq=result.seq)


class ReopenIn(In):
    """From which stage, and why, a closed case is handled again."""

    stage: Code
    reason: TextOrNothing


class WithdrawIn(In):
    """Why the case is not pursued any more."""

    reason: TextOrNothing = ""


def about_task(found: TaskOnDesk, names: dict[str, str]) -> dict[str, Any]:
    """What every shape of a task has."""
    task, case, kind = found.task, found.case, found.kind
    return {
        "id": task.id,
        "case_number": case.number,
        "case_kind": case.kind,
        "kind": task.kind,
        "label": Words.of(kind.label),
        "help": Words.of(kind.help),
        "queue": task.queue,
        "stage": task.stage,
        "status": task.status,
        "opened_at": task.opened_at,
        "act_by_at": task.act_by_at,
        "least_authority": task.least_authority,
        "currency": case.currency,
        "amount": task.amount,
        "holder": task.holder,
        "holder_name": names.get(task.holder, ""),
        "held_how": task.held_how,
        "on_behalf_of": task.on_behalf_of,
        "on_behalf_of_name": names.get(task.on_behalf_of, ""),
        "claimed_at": task.claimed_at,
        "hold_until": task.hold_until,
        "hold_reason": task.hold_reason,
        "is_green": task.is_green,
        "is_raised": task.is_raised,
        "skills": task.skills,
        "version": task.version,
    }


def _whole_task(found: TaskOnDesk, names: dict[str, str]) -> dict[str, Any]:
    return about_task(found, names) | {
        "ask": found.ask,
        "form": form_of(found.kind, found.ask),
        "policy_number": found.case.policy_number,
        "claimed_amount": found.case.claimed_amount,
        "outcome": found.task.outcome,
        "completed_by": found.task.completed_by,
    }
