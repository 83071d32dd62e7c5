"""What a search finds, as rows and for the palette: the case, and what of it fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lian.domain.case_kinds import KINDS
from lian.services.cases import CaseFace
from lian.services.search import FOUND_BY, Hit
from web.presenters.cases import CaseRow
from web.presenters.desk import present_cases
from web.reader import Reader


@dataclass(frozen=True, slots=True)
class HitRow:
    """A case that was found. `by` is the name of what fits, `fits` the words that do: a name, a policy's number.

    `people` are those who fit, or else the customers.
    """

    address: str
    case: CaseRow
    kind: str
    by: str
    fits: str
    people: str


def present_hits(
    hits: Sequence[Hit], faces: Mapping[UUID, CaseFace], reader: Reader, now: datetime
) -> tuple[HitRow, ...]:
    """The hits in the order they came, the best first."""
    rows = present_cases([hit.case for hit in hits], faces, reader, now)
    return tuple(
        HitRow(
            address=f"/desk/cases/{hit.case.number}",
            case=row,
            kind=reader.label(KINDS[hit.case.kind].label),
            by=reader.label(FOUND_BY[hit.by]),
            fits=_fits(hit, reader),
            people=reader.say(", ").join(hit.names) or row.claimant,
        )
        for hit, row in zip(hits, rows, strict=True)
    )


def _fits(hit: Hit, reader: Reader) -> str:
    """Of a phone number or an address it is said whose it is, and not what it is."""
    return {"number": hit.case.number, "policy": hit.case.policy_number}.get(hit.by) or reader.say(", ").join(hit.names)


def as_json(rows: Sequence[HitRow]) -> list[dict[str, Any]]:
    """The same for the page's own programs, in the reader's words."""
    return [
        {
            "number": row.case.number,
            "address": row.address,
            "title": row.case.title,
            "kind": row.kind,
            "stage": row.case.stage,
            "status": row.case.status,
            "customer": row.case.claimant,
            "by": row.by,
            "fits": row.fits,
            "names": row.people,
            "promise": {"state": row.case.chip.state, "words": row.case.chip.words, "spoken": row.case.chip.spoken},
        }
        for row in rows
    ]
