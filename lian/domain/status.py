"""Statuses as tables of data: allowed moves, terminal or not, and their words. One `move_to` that raises."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from lian.domain.errors import Conflict
from lian.domain.labels import Label

S = TypeVar("S", bound=StrEnum)


class CaseStatus(StrEnum):
    """Life of a case."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class TaskStatus(StrEnum):
    """Life of a human task; who holds it is the desk's business."""

    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ClockStatus(StrEnum):
    """What a page says of a promise. `met` and `breached` after a stop are final."""

    RUNNING = "running"
    PAUSED = "paused"
    BREACHED = "breached"
    MET = "met"
    LATE = "late"
    UNDECIDED = "undecided"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    """Life of one transfer (CLM-10)."""

    REQUESTED = "requested"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    RETURNED = "returned"
    REVERSED = "reversed"


# Tables are kept by type: members of different StrEnums with the same text are equal, and would meet in one dict.
MOVES: dict[type[StrEnum], dict[StrEnum, frozenset[StrEnum]]] = {
    CaseStatus: {
        CaseStatus.DRAFT: frozenset({CaseStatus.OPEN, CaseStatus.CLOSED}),
        CaseStatus.OPEN: frozenset({CaseStatus.CLOSED}),
        CaseStatus.CLOSED: frozenset({CaseStatus.OPEN}),
    },
    TaskStatus: {
        TaskStatus.OPEN: frozenset({TaskStatus.COMPLETED, TaskStatus.CANCELLED}),
        TaskStatus.COMPLETED: frozenset(),
        TaskStatus.CANCELLED: frozenset(),
    },
    ClockStatus: {
        ClockStatus.RUNNING: frozenset(
            {ClockStatus.PAUSED, ClockStatus.BREACHED, ClockStatus.MET, ClockStatus.UNDECIDED, ClockStatus.CANCELLED}
        ),
        ClockStatus.PAUSED: frozenset(
            {ClockStatus.RUNNING, ClockStatus.BREACHED, ClockStatus.MET, ClockStatus.UNDECIDED, ClockStatus.CANCELLED}
        ),
        ClockStatus.BREACHED: frozenset(
            {ClockStatus.RUNNING, ClockStatus.PAUSED, ClockStatus.LATE, ClockStatus.CANCELLED}
        ),
        ClockStatus.MET: frozenset(),
        ClockStatus.LATE: frozenset(),
        ClockStatus.UNDECIDED: frozenset({ClockStatus.MET, ClockStatus.LATE}),
        ClockStatus.CANCELLED: frozenset(),
    },
    PaymentStatus: {
        PaymentStatus.REQUESTED: frozenset({PaymentStatus.SENT, PaymentStatus.REJECTED}),
        PaymentStatus.SENT: frozenset({PaymentStatus.CONFIRMED, PaymentStatus.REJECTED}),
        PaymentStatus.CONFIRMED: frozenset({PaymentStatus.RETURNED, PaymentStatus.REVERSED}),
        PaymentStatus.REJECTED: frozenset(),
        PaymentStatus.RETURNED: frozenset(),
        PaymentStatus.REVERSED: frozenset(),
    },
}

_WORDS: dict[type[StrEnum], dict[str, Label]] = {
    CaseStatus: {
        "draft": Label("Draft", "草稿"),
        "open": Label("Open", "办理中"),
        "closed": Label("Closed", "已结案"),
    },
    TaskStatus: {
        "open": Label("Open", "待办"),
        "completed": Label("Done", "已完成"),
        "cancelled": Label("No longer needed", "已取消"),
    },
    ClockStatus: {
        "running": Label("Running", "计时中"),
        "paused": Label("Paused", "已暂停"),
        "breached": Label("Overdue", "已超时"),
        "met": Label("Met", "按时完成"),
        "late": Label("Done late", "超时完成"),
        "undecided": Label("Done; the calendar of its deadline is not published yet", "已完成，到期年份日历尚未公布"),
        "cancelled": Label("Cancelled", "已取消"),
    },
    PaymentStatus: {
        "requested": Label("Requested", "待发送"),
        "sent": Label("With the bank", "银行处理中"),
        "confirmed": Label("Paid", "已支付"),
        "rejected": Label("Refused by the bank", "银行拒付"),
        "returned": Label("Sent back by the payee's bank", "收款行退汇"),
        "reversed": Label("Paid in error, claimed back", "误付追回"),
    },
}


def label_of(status: StrEnum) -> Label:
    """The words of a status."""
    return _WORDS[type(status)][status.value]


def move_to(current: S, target: S) -> S:
    """The new status, or `Conflict` when the table does not allow the move."""
    if target not in MOVES[type(current)][current]:
        raise Conflict(f"This cannot go from {current} to {target}.", current=str(current), target=str(target))
    return target
