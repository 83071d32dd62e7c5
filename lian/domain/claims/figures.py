"""The promises of the house-standard pack for claims: the service manuals' own figures (sla/packs.md, section 0)."""

from __future__ import annotations

from lian.domain.labels import Label
from lian.domain.sla import ClockPolicy, Unit

PACK_VERSION = "house-standard/1"

INITIAL_REVIEW = ClockPolicy(
    id="claim.initial_review",
    label=Label("Initial review", "初审"),
    amount=48,
    unit=Unit.HOURS,
    pausable=False,
    source="CLM-4",
    starts_on="received",
    stops_on=("reviewed",),
)
"""48 elapsed hours from the report received to the initial review done."""

TOTAL = ClockPolicy(
    id="claim.total",
    label=Label("Whole claim", "理赔总时效"),
    amount=15,
    unit=Unit.WORKING_DAYS,
    pausable=True,
    source="CLM-12",
    starts_on="received",
    stops_on=("paid", "refusal_sent", "closed"),
)
"""15 working days from FNOL submission to paid or refused."""

SIMPLE = ClockPolicy(
    id="claim.simple",
    label=Label("Decision on a simple claim", "简易案件核定"),
    amount=5,
    unit=Unit.WORKING_DAYS,
    pausable=True,
    source="CLM-12",
    starts_on="received",
    stops_on=("decided",),
    grade="simple",
)
"""5 working days from FNOL submission to decided."""

COMPLEX = ClockPolicy(
    id="claim.complex",
    label=Label("Decision on a complex claim", "复杂案件核定"),
    amount=15,
    unit=Unit.WORKING_DAYS,
    pausable=True,
    source="CLM-12",
    starts_on="received",
    stops_on=("decided",),
    grade="complex",
)
"""15 working days from FNOL submission to decided."""

CLOCKS: dict[str, ClockPolicy] = {policy.id: policy for policy in (INITIAL_REVIEW, TOTAL, SIMPLE, COMPLEX)}
"""Every clock of a claim by its id."""
