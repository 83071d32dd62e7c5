"""How events change the rows of tasks, and what else follows from a case for the order of its tasks (TSK-2)."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from lian.db.projecting import Context, Rows, on
from lian.db.tables import Case, CaseBar, Clock, Task, TaskComment, TaskReview
from lian.domain import journal as j
from lian.domain.needs import needs_of
from lian.domain.status import ClockStatus, TaskStatus, move_to
from lian.domain.urgency import Urgency, standing_of, urgency_key

# --- the order of queues ----------------------------------------------------------------------------------------------


async def reorder_tasks(rows: Rows, case_id: UUID) -> None:
    """What changes in a case or its clocks changes the place of its open tasks."""
    tasks = [task for task in await rows.of_case(Task, case_id) if task.status == TaskStatus.OPEN]
    if not tasks:
        return
    first = await _first_promise(rows, case_id)
    case = await rows.get(Case, case_id)
    for task in tasks:
        task.act_by_at, task.amount = first.due_at if first else None, case.claimed_amount
        _place(task, case, is_statutory=bool(first and first.policy.get("statutory")))


async def _first_promise(rows: Rows, case_id: UUID) -> Clock | None:
    """The promise that falls due first."""
    clocks = [k for k in await rows.of_case(Clock, case_id) if k.stopped_at is None and k.due_at is not None]
    running = [k for k in clocks if k.status in {ClockStatus.RUNNING, ClockStatus.BREACHED}]
    return min(running, key=lambda k: (cast("datetime", k.due_at), k.clock), default=None)


def _place(task: Task, case: Case, *, is_statutory: bool) -> None:
    task.urgency = urgency_key(
        Urgency(
            green=task.is_green,
            comes_first=is_statutory or task.is_raised,
            act_by_at=task.act_by_at,
            standing=standing_of(minors=case.minors, severity=case.severity, complexity=case.complexity),
            opened_at=task.opened_at,
        )
    )


def _require(task: Task, case: Case) -> None:
    needs = needs_of(
        case_kind=case.kind,
        task_kind=task.kind,
        line=case.line,
        least_authority=task.least_authority,
        skills=task.skills,
    )
    task.needs = str(needs)


# --- open and closed --------------------------------------------------------------------------------------------------


@on(j.TaskOpened)
async def task_opened(rows: Rows, c: Context, e: j.TaskOpened) -> None:
    barred = {bar.actor for bar in await rows.of_case(CaseBar, c.case_id)}
    task = Task(
        id=e.task_id,
        case_id=c.case_id,
        kind=e.kind,
        queue=e.queue,
        stage=e.stage,
        ask=e.ask,
        excluded=sorted({*e.excluded_actors, *barred}),
        least_authority=e.least_authority,
        opened_at=c.at,
        urgency=0,
        version=c.chain_seq,
    )
    _require(task, await rows.get(Case, c.case_id))
    rows.add(task)
    await reorder_tasks(rows, c.case_id)


@on(j.TaskRouted)
async def task_routed(rows: Rows, c: Context, e: j.TaskRouted) -> None:
    task = await rows.get(Task, e.task_id)
    task.queue, task.skills, task.is_green = e.queue, sorted(e.skills), e.is_green
    task.is_raised = task.is_raised or e.is_raised
    await _rewritten(rows, c, task)


@on(j.TaskRelaxed)
async def task_relaxed(rows: Rows, c: Context, e: j.TaskRelaxed) -> None:
    task = await rows.get(Task, e.task_id)
    task.skills = sorted(set(task.skills) - set(e.skills))
    await _rewritten(rows, c, task)


@on(j.TaskPrioritised)
async def task_prioritised(rows: Rows, c: Context, e: j.TaskPrioritised) -> None:
    task = await rows.get(Task, e.task_id)
    task.is_raised = e.is_raised
    await _rewritten(rows, c, task)


async def _rewritten(rows: Rows, c: Context, task: Task) -> None:
    task.version = c.chain_seq
    _require(task, await rows.get(Case, c.case_id))
    await reorder_tasks(rows, c.case_id)


@on(j.TaskCompleted)
async def task_completed(rows: Rows, c: Context, e: j.TaskCompleted) -> None:
    task = await rows.get(Task, e.task_id)
    task.status = move_to(TaskStatus(task.status), TaskStatus.COMPLETED)
    task.outcome, task.completed_by, task.closed_at, task.version = e.outcome, c.actor, c.at, c.chain_seq
    if "complexity" in e.outcome:  # triage proposes, the reviewer decides (CLM-4)
        (await rows.get(Case, c.case_id)).complexity = e.outcome["complexity"]
        await reorder_tasks(rows, c.case_id)


@on(j.TaskCancelled)
async def task_cancelled(rows: Rows, c: Context, e: j.TaskCancelled) -> None:
    task = await rows.get(Task, e.task_id)
    task.status = move_to(TaskStatus(task.status), TaskStatus.CANCELLED)
    task.closed_at, task.version = c.at, c.chain_seq


# --- whose it is ------------------------------------------------------------------------------------------------------


@on(j.TaskClaimed)
async def task_claimed(rows: Rows, c: Context, e: j.TaskClaimed) -> None:
    task = await rows.get(Task, e.task_id)
    _free(task)
    task.holder, task.claimed_at, task.version = e.holder, c.at, c.chain_seq
    task.held_how, task.on_behalf_of = e.how, e.on_behalf_of


def _free(task: Task) -> None:
    task.holder, task.claimed_at, task.on_behalf_of, task.held_how = "", None, "", ""
    task.hold_until, task.hold_reason = None, ""


@on(j.TaskReleased)
async def task_released(rows: Rows, c: Context, e: j.TaskReleased) -> None:
    task = await rows.get(Task, e.task_id)
    _free(task)
    task.version = c.chain_seq


@on(j.TaskPassed)
async def task_passed(rows: Rows, c: Context, e: j.TaskPassed) -> None:
    task = await rows.get(Task, e.task_id)
    _free(task)
    task.passed, task.version = task.passed | {e.passed_by: e.until.isoformat()}, c.chain_seq


@on(j.TaskHeld)
async def task_held(rows: Rows, c: Context, e: j.TaskHeld) -> None:
    task = await rows.get(Task, e.task_id)
    task.hold_until, task.hold_reason, task.version = e.until, e.reason, c.chain_seq


@on(j.TaskWoken)
async def task_woken(rows: Rows, c: Context, e: j.TaskWoken) -> None:
    task = await rows.get(Task, e.task_id)
    task.hold_until, task.hold_reason, task.version = None, "", c.chain_seq


@on(j.TaskBarred)
async def task_barred(rows: Rows, c: Context, e: j.TaskBarred) -> None:
    _bar(await rows.get(Task, e.task_id), c, e.actor)


@on(j.CaseBarred)
async def case_barred(rows: Rows, c: Context, e: j.CaseBarred) -> None:
    if e.actor in {bar.actor for bar in await rows.of_case(CaseBar, c.case_id)}:
        return
    rows.add(CaseBar(case_id=c.case_id, actor=e.actor, reason=e.reason, barred_at=c.at, barred_by=c.actor))
    for task in await rows.of_case(Task, c.case_id):
        if task.status == TaskStatus.OPEN:
            _bar(task, c, e.actor)


def _bar(task: Task, c: Context, actor: str) -> None:
    task.excluded, task.version = sorted({*task.excluded, actor}), c.chain_seq
    if task.holder == actor:  # whoever must not do it any more does not keep it from others
        _free(task)


# --- what colleagues say ----------------------------------------------------------------------------------------------


@on(j.TaskCommented)
async def task_commented(rows: Rows, c: Context, e: j.TaskCommented) -> None:
    comment = TaskComment(
        id=e.comment_id, case_id=c.case_id, task_id=e.task_id, author=c.actor, body=e.text, written_at=c.at
    )
    rows.add(comment)


@on(j.ReviewAsked)
async def review_asked(rows: Rows, c: Context, e: j.ReviewAsked) -> None:
    review = TaskReview(
        id=e.review_id,
        case_id=c.case_id,
        task_id=e.task_id,
        asked_by=c.actor,
        reviewer=e.reviewer,
        question=e.question,
        asked_at=c.at,
    )
    rows.add(review)


@on(j.ReviewGiven)
async def review_given(rows: Rows, c: Context, e: j.ReviewGiven) -> None:
    review = await rows.get(TaskReview, e.review_id)
    review.opinion, review.answer, review.answered_at = e.opinion, e.answer, c.at
