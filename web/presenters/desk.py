"""The desk: queues, task lists, one task with what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lian.auth.actor import Actor
from lian.db.tables import Case
from lian.domain.case_kinds import KINDS
from lian.domain.labels import Label
from lian.domain.parties import PartyRole
from lian.domain.status import CaseStatus, label_of
from lian.services.cases import CaseFace, CaseFile
from lian.services.desk import Assignee, QueueCount, TaskOnDesk
from lian.services.letters import coverage_label
from web.i18n import mark, translate_refusal
from web.presenters.cases import CaseRow, title_of
from web.presenters.clocks import Chip, nearest_chip, no_deadline, running_chip
from web.presenters.forms import FormContext
from web.reader import Reader

PAYABLE = frozenset({PartyRole.CLAIMANT, PartyRole.BENEFICIARY, PartyRole.HEIR})
NOT_MINE = mark("This is not work of your role.")
OTHER_QUEUE = mark("This queue is not yours.")
DECIDED_BEFORE = mark("You decided on this case before, or have an interest in it; another person must do this.")
ABOVE_LIMIT = mark("The amount is above your authority limit.")


@dataclass(frozen=True, slots=True)
class QueueView:
    """One queue of mine; `can_take` when something in it waits for somebody like me."""

    id: str
    label: str
    open: int
    waiting: int
    can_take: bool
    current: bool


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task in a list."""

    id: str
    address: str
    what: str
    number: str
    title: str
    claimant: str
    amount: str
    queue: str
    holder: str
    chip: Chip
    can_take: bool
    mark: str
    """Urgency and id, for the address of the next page."""


@dataclass(frozen=True, slots=True)
class TaskHead:
    """One task with what may be done with it now. `why_not` says why it cannot be taken on or answered."""

    id: str
    what: str
    help: str
    queue: str
    queue_label: str
    chip: Chip
    is_open: bool
    is_mine: bool
    holder: str
    can_take: bool
    can_release: bool
    why_not: str
    amount: str
    needs_notes: bool


@dataclass(frozen=True, slots=True)
class AssigneeView:
    """One person in the list of those a task may be given to."""

    username: str
    words: str
    can_have: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """Who looks, and when."""

    reader: Reader
    actor: Actor
    names: Mapping[str, str]
    now: datetime


def present_queues(queues: Sequence[QueueCount], current: str, reader: Reader, actor: Actor) -> tuple[QueueView, ...]:
    """My queues; those without work for my role cannot be drawn from."""
    mine = {task.queue for kind in KINDS.values() for task in kind.tasks if actor.may(task.permission)}
    return tuple(
        QueueView(
            q.queue, reader.label(q.label), q.open, q.unclaimed, q.queue in mine and q.unclaimed > 0, q.queue == current
        )
        for q in queues
    )


def present_tasks(tasks: Sequence[TaskOnDesk], faces: Mapping[UUID, CaseFace], setting: Setting) -> tuple[TaskRow, ...]:
    """Rows by urgency, as they came."""
    return tuple(_row(found, faces.get(found.case.id), setting) for found in tasks)


def _row(found: TaskOnDesk, face: CaseFace | None, s: Setting) -> TaskRow:
    task, case = found.task, found.case
    return TaskRow(
        id=str(task.id),
        address=f"/desk/tasks/{task.id}",
        what=s.reader.label(found.kind.label),
        number=case.number,
        title=title_of(case, s.reader),
        claimant=s.reader.say(", ").join(face.claimants) if face else "",
        amount=s.reader.money(case.claimed_amount, case.currency) if case.currency else "",
        queue=_queue_label(task.queue, s.reader),
        holder=_holder(task.holder, s),
        chip=_chip(found, face, s),
        can_take=not task.holder and not why_not(found, s.actor),
        mark=f"{task.urgency}:{task.id}",
    )


def _chip(found: TaskOnDesk, face: CaseFace | None, s: Setting) -> Chip:
    if face:
        return nearest_chip(face.clocks, s.reader, s.now)
    due = found.task.act_by_at
    return running_chip(due, None, s.reader, s.now) if due else no_deadline(s.reader)


def _holder(holder: str, s: Setting) -> str:
    if not holder:
        return ""
    return s.reader.say("me") if holder == s.actor.id else s.names.get(holder, s.reader.say("a colleague"))


def _queue_label(queue: str, reader: Reader) -> str:
    labels = {q: label for kind in KINDS.values() for q, label in kind.queues.items()}
    return reader.label(labels[queue]) if queue in labels else queue


def why_not(found: TaskOnDesk, actor: Actor) -> str:
    """Why somebody may not do a task, as the service will say too; empty when they may."""
    if not actor.may(found.kind.permission):
        return NOT_MINE
    if actor.id in found.task.excluded:
        return DECIDED_BEFORE
    if found.authority_of(actor) < found.task.least_authority:
        return ABOVE_LIMIT
    is_given = found.task.holder == actor.id
    return "" if is_given or found.task.queue in actor.queues or "*" in actor.queues else OTHER_QUEUE


def present_task(found: TaskOnDesk, file: CaseFile, s: Setting) -> TaskHead:
    """The head of a task's page."""
    task, reason = found.task, why_not(found, s.actor)
    is_open, is_mine = task.status == "open", task.holder == s.actor.id
    approved = task.ask.get("approved_amount")
    return TaskHead(
        id=str(task.id),
        what=s.reader.label(found.kind.label),
        help=s.reader.label(found.kind.help),
        queue=task.queue,
        queue_label=_queue_label(task.queue, s.reader),
        chip=nearest_chip(file.clocks, s.reader, s.now),
        is_open=is_open,
        is_mine=is_mine,
        holder="" if is_mine or not task.holder else s.names.get(task.holder, s.reader.say("a colleague")),
        can_take=is_open and not task.holder and not reason,
        can_release=is_open and bool(task.holder) and (is_mine or s.actor.may("task:assign")),
        why_not=s.reader.say(reason) if reason else "",
        amount=s.reader.money(approved, found.case.currency) if approved else "",
        needs_notes=found.kind.needs_notes,
    )


def present_assignees(people: Sequence[Assignee], reader: Reader) -> tuple[AssigneeView, ...]:
    """Whom the task may be given to; whoever may not have it is shown with the reason."""
    return tuple(
        AssigneeView(
            one.username, f"{one.name}: {_reason(one.why_not, reader)}" if one.why_not else one.name, not one.why_not
        )
        for one in people
    )


def _reason(sentence: str, reader: Reader) -> str:
    return translate_refusal(reader.language, sentence) or sentence


def form_context(file: CaseFile, reader: Reader) -> FormContext:
    """What the task's form refers to."""
    received: dict[str, int] = {}
    for document in file.documents:
        if document.state != "refused":
            received[document.item_code] = received.get(document.item_code, 0) + 1
    return FormContext(
        reader=reader,
        currency=file.case.currency,
        coverages=coverages_of(file),
        people={str(p.id): p.name for p in file.parties},
        received=received,
        payable=_payable(file),
    )


def coverages_of(file: CaseFile) -> dict[str, Label]:
    """The names of the coverages claimed under."""
    return {e.coverage_code: coverage_label(file.case, e.coverage_code) for e in file.exposures}


def _payable(file: CaseFile) -> dict[str, str]:
    """Whom a settlement may be split among: those who claim, and in place of a minor whoever represents them."""
    claimants = [p for p in file.parties if p.role in PAYABLE]
    minors = {p.id for p in file.parties if p.is_minor}
    acting = [p for p in file.parties if p.role == PartyRole.REPRESENTATIVE and p.represents in minors]
    return {str(p.id): p.name for p in (*claimants, *acting)}


def present_cases(
    cases: Sequence[Case], faces: Mapping[UUID, CaseFace], reader: Reader, now: datetime
) -> tuple[CaseRow, ...]:
    """The case list."""
    return tuple(_case_row(case, faces.get(case.id), reader, now) for case in cases)


def _case_row(case: Case, face: CaseFace | None, reader: Reader, now: datetime) -> CaseRow:
    kind = KINDS[case.kind]
    closed = kind.outcomes.get(case.outcome)
    return CaseRow(
        number=case.number,
        title=title_of(case, reader),
        claimant=reader.say(", ").join(face.claimants) if face else "",
        stage=reader.label(kind.stage(case.stage).label),
        status=reader.label(closed) if closed else reader.label(label_of(CaseStatus(case.status))),
        tone=kind.endings[case.outcome].tone if case.outcome in kind.endings else "info",
        amount=reader.money(case.claimed_amount, case.currency) if case.currency else "",
        opened=reader.moment(case.opened_at),
        chip=nearest_chip(face.clocks if face else (), reader, now),
    )
