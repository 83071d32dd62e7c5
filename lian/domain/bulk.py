"""Bulk orders: what may be done to many tasks at once, in words, and how such an order lives (TSK-1)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from lian.domain.claims.checklist import OPTIONAL
from lian.domain.claims.tasks import CHECK_DOCUMENTS, INITIAL_REVIEW
from lian.domain.labels import Label

Json = dict[str, Any]

MOST_TASKS = 10_000
"""Of one order."""
PREVIEW_LIVES = timedelta(hours=1)
"""So long an order may be given as it was looked at."""
TYPED_ABOVE = 100
"""Whoever changes more tasks than this on a page types how many, so that nobody does it by a slip."""


class BulkVerb(StrEnum):
    """What may be done to many tasks at once."""

    REASSIGN = "reassign"
    RELEASE = "release"
    HOLD = "hold"
    PRIORITISE = "prioritise"
    REQUEST_DOCUMENTS = "request_documents"


class BulkStatus(StrEnum):
    """Life of an order."""

    PREVIEWED = "previewed"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"


class ItemState(StrEnum):
    """What became of one task of an order."""

    WAITING = "waiting"
    SAME = "same"
    DONE = "done"
    REFUSED = "refused"
    UNDONE = "undone"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class VerbWords:
    """A verb for people, and who may order it: whoever has one of `any_of`. Each task asks for more."""

    label: Label
    effect: Label
    any_of: tuple[str, ...]
    can_undo: bool = True


BULK_VERBS: dict[BulkVerb, VerbWords] = {
    BulkVerb.REASSIGN: VerbWords(
        Label("Give to a colleague", "指派给同事"),
        Label("Each task becomes the work of the person named, whoever has it now.", "每项任务将由所选人员处理。"),
        ("task:assign",),
    ),
    BulkVerb.RELEASE: VerbWords(
        Label("Give back to the queue", "退回队列"),
        Label("Nobody has these tasks any more; they wait in their queues.", "这些任务将退回各自队列，等待领取。"),
        ("task:release", "task:unassign"),
    ),
    BulkVerb.HOLD: VerbWords(
        Label("Put aside", "搁置"),
        Label(
            "They are offered to nobody until the moment named. No promise stands still meanwhile.",
            "到所选时间前不再派发；各项时限照常计算。",
        ),
        ("task:hold",),
    ),
    BulkVerb.PRIORITISE: VerbWords(
        Label("Change their priority", "调整优先级"),
        Label("They go ahead of others in their queues, or back among them.", "在队列中提前，或恢复正常顺序。"),
        ("task:prioritise",),
    ),
    BulkVerb.REQUEST_DOCUMENTS: VerbWords(
        Label("Ask for documents", "要求补充材料"),
        Label(
            "Answers your open reviews and document checks: the claimants get one complete request each. A review is"
            " answered with the proposed complexity, without an investigation and without a suspicion.",
            "将完成您名下的初审与材料核对任务，并向索赔人一次性发出补充材料通知；"
            "初审按系统建议的案件类型完成，不安排调查，不提示风险。",
        ),
        ("task:review",),
        can_undo=False,
    ),
}

STATUS_LABELS: dict[BulkStatus, Label] = {
    BulkStatus.PREVIEWED: Label("Not ordered yet", "尚未执行"),
    BulkStatus.RUNNING: Label("Under way", "进行中"),
    BulkStatus.DONE: Label("Finished", "已完成"),
    BulkStatus.CANCELLED: Label("Stopped", "已停止"),
    BulkStatus.UNDOING: Label("Being taken back", "撤回中"),
    BulkStatus.UNDONE: Label("Taken back", "已撤回"),
}
STATE_LABELS: dict[ItemState, Label] = {
    ItemState.WAITING: Label("Waiting", "待处理"),
    ItemState.SAME: Label("As it was already", "无需更改"),
    ItemState.DONE: Label("Done", "已完成"),
    ItemState.REFUSED: Label("Refused", "不能执行"),
    ItemState.UNDONE: Label("Taken back", "已撤回"),
    ItemState.KEPT: Label("Left as it is", "保持现状"),
}
ENDED = frozenset({BulkStatus.DONE, BulkStatus.CANCELLED, BulkStatus.UNDONE})

# --- asking for documents ---------------------------------------------------------------------------------------------

Answering = Callable[[Json, Sequence[str]], Json]
ASKING: dict[str, Answering] = {
    INITIAL_REVIEW.id: lambda ask, codes: {"complexity": ask["complexity"], "missing": list(codes)},
    CHECK_DOCUMENTS.id: lambda _, codes: {"refused": list(codes)},
}
"""The steps of procedures that ask for documents, and the answer that does so."""


def missing_codes(ask: Json, received: Collection[str]) -> tuple[str, ...]:
    """What this step may ask for and has not come in; what is welcome but never waited for is left out."""
    return tuple(code for code in ask.get("checklist", ()) if code not in OPTIONAL and code not in received)
