"""A small kind of complaint, to walk the complaint packs with until the product has its own."""

from __future__ import annotations

from dataclasses import dataclass

from lian.domain.case_kind import CaseKind, Ending, Intake, Stage, Step
from lian.domain.labels import Label
from lian.domain.promise_actions import PROMISE_ACTIONS
from lian.domain.promise_tasks import PROMISE_TASKS, QUEUES
from lian.domain.sla import ClockPolicy, Unit
from lian.domain.tasks import TaskKind, question

GRADES = {"simple": Label("Simple", "简单"), "complex": Label("Complex", "复杂")}
RESULTS = {"go_on": Label("Goes on", "继续"), "told": Label("Told", "已告知")}


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody complains of."""

    words: str = question(Label("What happened?", "事由"), "text", personal=True)


@dataclass(frozen=True, slots=True)
class Handled:
    """One step of handling; it may grade the complaint anew."""

    result: str = question(Label("Result", "结果"), "choice", options=RESULTS)
    grade: str = question(Label("Grade", "等级"), "choice", options=GRADES, default="simple")


def _stage(id_: str, en: str, zh: str) -> Stage:
    return Stage(id_, Label(en, zh), Label(en, zh), Label("We tell you.", "我们会告知您。"))


def _task(id_: str, en: str, zh: str) -> TaskKind:
    return TaskKind(id_, Label(en, zh), Label(f"{en}.", f"{zh}。"), "complaints.all", "task:inquire", Handled)


TOLD = {"told": "told"}
COMPLAINT = CaseKind(
    id="complaint",
    prefix="CMP",
    label=Label("Complaint", "投诉"),
    workflow="Standard",
    stages=(
        _stage("report", "Received", "收到"),
        _stage("handling", "Handling", "处理"),
        _stage("handling_on", "Handling on", "继续处理"),
        _stage("decision", "Decision", "决定"),
        _stage("closed", "Closed", "结案"),
    ),
    tasks=(
        _task("handle_complaint", "Handle", "处理投诉"),
        _task("handle_on", "Handle on", "继续处理"),
        _task("tell_complainant", "Decide and tell", "作出决定并告知"),
        *PROMISE_TASKS,
    ),
    queues={"complaints.all": Label("Complaints", "投诉"), **QUEUES},
    clocks=(
        ClockPolicy("complaint.all", Label("All", "总时限"), 90, Unit.WORKING_DAYS, pausable=False, source="test"),
    ),
    promise="complaint.all",
    outcomes={"told": Label("Told", "已告知"), "withdrawn": Label("Withdrawn", "已撤回")},
    pack="test/1",
    actions=PROMISE_ACTIONS,
    intake=Intake(Label("Tell", "告知"), Label("Us.", "我们。"), Told, examples=({"words": "无人答复"},)),
    steps=(
        Step("handling", "handle_complaint", reaches=("acknowledged", "first_handled")),
        Step("handling_on", "handle_on", reaches=("responded",)),
        Step("decision", "tell_complainant", ends=TOLD, reaches=("decision_told", "final_response_sent", "handled")),
    ),
    endings={
        "told": Ending(Label("You were told", "已告知您"), Label("In full.", "全部。"), "ok"),
        "withdrawn": Ending(Label("You withdrew", "您已撤回"), Label("Fine.", "好的。")),
    },
)
"""Received, graded, handled on, decided and told."""
