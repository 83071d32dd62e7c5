"""What every projector works with: the rows, the place in the journal, and the register of projectors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

from pydantic import TypeAdapter
from sqlmodel import SQLModel

from lian.db.tables import Case, DocumentRequest, Payment, Task
from lian.domain import journal as j
from lian.domain.case_kinds import NOT_WAITED_FOR
from lian.domain.findings import Finding
from lian.domain.status import PaymentStatus, TaskStatus

Row = TypeVar("Row", bound=SQLModel)
FINDINGS = TypeAdapter(tuple[Finding, ...])
UNDER_WAY = frozenset({PaymentStatus.REQUESTED, PaymentStatus.SENT})
"""Transfers of which the bank has not yet said what became of them."""


class Rows(Protocol):
    """Where projections live: a database session, or plain memory during a check."""

    async def get(self, model: type[Row], key: Any) -> Row:
        """The row with this primary key; it must exist."""

    async def of_case(self, model: type[Row], case_id: UUID) -> Sequence[Row]:
        """All rows of a case, in a stable order."""

    def add(self, row: SQLModel) -> None:
        """A new row."""

    async def remove(self, model: type[Row], key: Any) -> None:
        """The row with this primary key is no more."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a projector may know beside the event itself."""

    case_id: UUID
    chain_seq: int
    at: datetime
    actor: str
    stored: j.Json
    """The body as stored, with its ciphertext."""


Projector = Callable[[Rows, Context, Any], Awaitable[None]]
PROJECTORS: dict[str, Projector] = {}


def on(event: type[Any]) -> Callable[[Projector], Projector]:
    """Register the projector of one event type."""

    def register(projector: Projector) -> Projector:
        PROJECTORS[event.TYPE] = projector
        return projector

    return register


async def project(rows: Rows, context: Context, event: j.Event) -> None:
    """Apply one event. Events that change no row (a document read) have no projector."""
    projector, awaited = PROJECTORS.get(event.TYPE), await _newly_awaited(rows, event)
    if projector:
        await projector(rows, context, event)
    case = await rows.get(Case, context.case_id)
    case.version, case.awaits = context.chain_seq, case.awaits + awaited


async def _newly_awaited(rows: Rows, event: j.Event) -> int:
    """By how much more the case waits for somebody or something than before the event."""
    match event:
        case j.TaskOpened():
            return int(event.kind not in NOT_WAITED_FOR)
        case j.RequestOpened() | j.PaymentRequested():
            return 1
        case j.TaskCompleted() | j.TaskCancelled():
            task = await rows.get(Task, event.task_id)
            return -int(task.status == TaskStatus.OPEN and task.kind not in NOT_WAITED_FOR)
        case j.RequestClosed():
            return -int((await rows.get(DocumentRequest, event.request_id)).status == "open")
        case j.PaymentConfirmed() | j.PaymentRejected():
            return -int((await rows.get(Payment, event.payment_id)).status in UNDER_WAY)
        case _:
            return 0


def findings_json(findings: tuple[Finding, ...]) -> list[Any]:
    return cast("list[Any]", FINDINGS.dump_python(findings, mode="json"))
