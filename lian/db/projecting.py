"""What every projector works with: the rows, the place in the journal, and the register of projectors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

from pydantic import TypeAdapter
from sqlmodel import SQLModel

from lian.db.tables import Case
from lian.domain import journal as j
from lian.domain.findings import Finding

Row = TypeVar("Row", bound=SQLModel)
FINDINGS = TypeAdapter(tuple[Finding, ...])


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
    projector = PROJECTORS.get(event.TYPE)
    if projector:
        await projector(rows, context, event)
    case = await rows.get(Case, context.case_id)
    case.version = context.chain_seq


def findings_json(findings: tuple[Finding, ...]) -> list[Any]:
    return cast("list[Any]", FINDINGS.dump_python(findings, mode="json"))
