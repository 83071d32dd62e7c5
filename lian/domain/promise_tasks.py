"""What promises ask of people, whatever the kind: why one was broken (CLM-13), and whether one may be longer."""

from __future__ import annotations

from dataclasses import dataclass

from lian.domain.labels import Label
from lian.domain.tasks import Json, TaskKind, check_offered, question

QUEUE = "promises"
QUEUES = {QUEUE: Label("Promises", "时效管理")}
CAUSES = {
    "workload": Label("Too much work for the people there were", "案件积压，人手不足"),
    "absence": Label("The person who had it was away", "经办人缺勤"),
    "handling": Label("An error in handling", "处理差错"),
    "complexity": Label("The case took more than expected", "案情复杂，超出预期"),
    "claimant": Label("The claimant answered late", "客户回复迟延"),
    "third_party": Label("A third party was late", "第三方迟延"),
    "system": Label("A system failed", "系统故障"),
    "other": Label("Something else, as the notes say", "其他（见备注）"),
}
"""Causes of a broken promise, for the overdue analysis."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """Why a promise was broken and who answers for it; the notes say what is done about it."""

    cause: str = question(Label("Why was it late?", "超时原因"), "choice", options=CAUSES)
    responsible: str = question(
        Label("Who answers for it?", "责任人"),
        "choice",
        help=Label("Somebody who had work on this case, or a lead.", "参与本案处理的人员或主管。"),
    )


@dataclass(frozen=True, slots=True)
class ExtensionAnswer:
    """Whether a promise may take longer; then the customer is told before it falls due."""

    agree: bool = question(Label("May it take longer?", "是否同意延期？"), "yes_no")


def check_lateness(outcome: Lateness, ask: Json) -> None:
    check_offered(outcome.cause, {"options": {"cause": [{"value": cause} for cause in CAUSES]}}, "cause")
    check_offered(outcome.responsible, ask, "responsible")


EXPLAIN_LATENESS = TaskKind(
    id="explain_lateness",
    label=Label("Explain a broken promise", "说明超时原因"),
    help=Label(
        "Say why it was late, who answers for it, and what is done about it.", "请说明超时原因、责任人及改进措施。"
    ),
    queue=QUEUE,
    permission="task:explain_lateness",
    outcome=Lateness,
    check=check_lateness,
    needs_notes=True,
    on="desk",
)
APPROVE_EXTENSION = TaskKind(
    id="approve_extension",
    label=Label("Agree to a longer time", "审批延期"),
    help=Label(
        "The customer is told of it, and why, before the promise falls due.",
        "同意后，系统将在到期前告知客户延期及理由。",
    ),
    queue=QUEUE,
    permission="clock:extend",
    outcome=ExtensionAnswer,
    needs_notes=True,
)
PROMISE_TASKS = (EXPLAIN_LATENESS, APPROVE_EXTENSION)
