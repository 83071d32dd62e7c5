"""The promise of the house-standard pack for inquiries (sla/packs.md, section 0)."""

from __future__ import annotations

from lian.domain.labels import Label
from lian.domain.sla import ClockPolicy, Unit

PACK_VERSION = "house-standard/1"

ANSWER = ClockPolicy(
    id="inquiry.answer",
    label=Label("Answer to an inquiry", "咨询答复"),
    amount=24,
    unit=Unit.HOURS,
    pausable=False,
    source="INQ-1",
    starts_on="received",
    stops_on=("answered",),
)
"""24 elapsed hours from the question received to its answer sent."""
