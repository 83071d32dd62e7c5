"""What a search finds: cases, each with what fits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.wire import Out, Words
from lian.domain.case_kinds import KINDS
from lian.domain.status import CaseStatus
from lian.services.search import FOUND_BY, Hit


class HitOut(Out):
    """A case that fits what was looked for."""

    number: str
    id: UUID
    kind: str
    kind_label: Words
    status: CaseStatus
    stage: str
    stage_label: Words
    policy_number: str
    opened_at: datetime
    promised_at: datetime | None
    by: str = Field(description="What of it fits: number, name, policy, phone or email.")
    by_label: Words
    names: list[str] = Field(description="Whose name, phone number or address it is; empty for numbers.")

    @classmethod
    def of(cls, hit: Hit) -> HitOut:
        """The hit on the wire."""
        case, kind = hit.case, KINDS[hit.case.kind]
        return cls(
            number=case.number,
            id=case.id,
            kind=case.kind,
            kind_label=Words.of(kind.label),
            status=CaseStatus(case.status),
            stage=case.stage,
            stage_label=Words.of(kind.stage(case.stage).label),
            policy_number=case.policy_number,
            opened_at=case.opened_at,
            promised_at=case.promised_at,
            by=hit.by,
            by_label=Words.of(FOUND_BY[hit.by]),
            names=list(hit.names),
        )


class HitsOut(Out):
    """What was found, the best first; at most twenty."""

    items: list[HitOut]
