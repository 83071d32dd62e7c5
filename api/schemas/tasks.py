"""Queues, tasks, and the form of a task's answer: made from the outcome's own definition (idea 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field, TypeAdapter

from api.wire import AmountOut, Code, In, Out, Page, TextOrNothing, Words
from lian.domain.claims.checklist import DOCUMENT_LABELS
from lian.domain.labels import Label
from lian.domain.messages import CommandResult
from lian.domain.status import TaskStatus
from lian.domain.tasks import Form, Widget, questions
from lian.services.asked import SHOWN
from lian.services.desk import Assignee, QueueCount, TaskOnDesk


class QueueOut(Out):
    """One queue of yours."""

    queue: str
    label: Words
    open: int
    unclaimed: int

    @classmethod
    def of(cls, count: QueueCount) -> QueueOut:
        """The queue on the wire."""
        return cls(queue=count.queue, label=Words.of(count.label), open=count.open, unclaimed=count.unclaimed)


class QueuesOut(Out):
    """Your queues."""

    items: list[QueueOut]


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
    holder: str = Field(description="Actor id of whoever has it; empty: nobody.")
    holder_name: str
    claimed_at: datetime | None

    @classmethod
    def of(cls, found: TaskOnDesk, names: dict[str, str]) -> TaskOut:
        """The task on the wire."""
        return cls(**about_task(found, names))


class TasksOut(Page):
    """Open tasks, the most urgent first (TSK-2)."""

    items: list[TaskOut]


class OptionOut(Out):
    """One choice."""

    value: str
    label: Words


class QuestionOut(Out):
    """How one field of the outcome is asked."""

    name: str
    label: Words
    help: Words | None
    widget: Widget
    required: bool
    personal: bool
    options: list[OptionOut]
    rows: list[QuestionOut] = Field(description="For `rows`: the questions of one row; `ask.rows` has the rows.")


class FormOut(Out):
    """What an answer looks like."""

    outcome_schema: dict[str, Any] = Field(description="JSON schema of `outcome`.")
    questions: list[QuestionOut]


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
        return cls(
            **about_task(found, names),
            ask=found.ask,
            form=form_of(found.kind, found.ask),
            policy_number=found.case.policy_number,
            claimed_amount=found.case.claimed_amount,
            outcome=found.task.outcome,
            completed_by=found.task.completed_by,
        )

    def for_customer(self) -> TaskDetailOut:
        """The same without our inside: who has it, who may do it, and what we found out about the answer."""
        ask = {name: value for name, value in self.ask.items() if name in SHOWN}
        ours = {"queue": "", "stage": "", "holder": "", "holder_name": "", "completed_by": ""}
        return self.model_copy(
            update={"ask": ask, "outcome": None, "claimed_at": None, "least_authority": Decimal(0), **ours}
        )


class AnswerIn(In):
    """The answer to a task; `outcome` as its form says."""

    outcome: dict[str, Any]
    notes: TextOrNothing = ""


class AssignIn(In):
    """Whom a task is given to."""

    to: Code = Field(description="User name of the account.")


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
        "holder": task.holder,
        "holder_name": names.get(task.holder, ""),
        "claimed_at": task.claimed_at,
    }


# --- forms ------------------------------------------------------------------------------------------------------------


def form_of(kind: Form, ask: dict[str, Any]) -> FormOut:
    """A form; what may be chosen can depend on what is asked."""
    offered = _offered(ask)
    return FormOut(
        outcome_schema=schema_of(kind),
        questions=[
            question.model_copy(update={"rows": _questions(kind.rows.get(question.name), offered)})
            for question in _questions(kind.outcome, offered)
        ],
    )


def _offered(ask: dict[str, Any]) -> dict[str, dict[str, Label]]:
    """What may be chosen here and now, by the question's name; the checklist is every `codes` question's."""
    known = {
        name: {one["value"]: Label(one["en"], one["zh"]) for one in options}
        for name, options in ask.get("options", {}).items()
    }
    return known | {"": {code: DOCUMENT_LABELS[code] for code in ask.get("checklist", ()) if code in DOCUMENT_LABELS}}


def _questions(outcome: type[Any] | None, offered: dict[str, dict[str, Label]]) -> list[QuestionOut]:
    if outcome is None:
        return []
    optional = {f.name for f in fields(outcome) if f.default is not MISSING or f.default_factory is not MISSING}
    return [
        QuestionOut(
            name=name,
            label=Words.of(asked.label),
            help=Words.of(asked.help) if asked.help else None,
            widget=asked.widget,
            required=name not in optional,
            personal=asked.personal,
            options=_options((asked.options or offered.get("" if asked.widget == "codes" else name, {})).items()),
            rows=[],
        )
        for name, asked in questions(outcome).items()
    ]


def _options(labels: Iterable[tuple[str, Label]]) -> list[OptionOut]:
    return [OptionOut(value=value, label=Words.of(label)) for value, label in labels]


def schema_of(kind: Form) -> dict[str, Any]:
    """The outcome's JSON schema, without what the desk fills in itself."""
    schema = TypeAdapter(kind.outcome).json_schema()
    _keep_asked(schema, kind.outcome)
    for row in kind.rows.values():
        _keep_asked(schema["$defs"][row.__name__], row)
    return schema


def _keep_asked(schema: dict[str, Any], outcome: type[Any]) -> None:
    properties = schema.get("properties", {})
    for name in properties.keys() - questions(outcome).keys():
        del properties[name]
