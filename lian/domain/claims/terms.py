"""What a policy promises, as far as a claim needs to know (CLM-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from lian.domain.labels import Label


class Line(StrEnum):
    """Line of business."""

    MOTOR = "motor"
    HEALTH = "health"
    PROPERTY = "property"
    ACCIDENT = "accident"


class LossCause(StrEnum):
    """Why the loss happened."""

    COLLISION = "collision"
    SINGLE_VEHICLE = "single_vehicle"
    PARKED = "parked"
    THEFT = "theft"
    VANDALISM = "vandalism"
    FIRE = "fire"
    WATER = "water"
    STORM = "storm"
    EARTHQUAKE = "earthquake"
    ILLNESS = "illness"
    CRITICAL_ILLNESS = "critical_illness"
    ACCIDENT = "accident"
    DEATH = "death"
    INTOXICATION = "intoxication"
    SELF_HARM = "self_harm"
    WAR = "war"
    WEAR = "wear"
    OTHER = "other"


ACCIDENTAL_CAUSES = frozenset(
    {
        *(LossCause.COLLISION, LossCause.SINGLE_VEHICLE, LossCause.PARKED, LossCause.THEFT, LossCause.VANDALISM),
        *(LossCause.FIRE, LossCause.WATER, LossCause.STORM, LossCause.EARTHQUAKE, LossCause.ACCIDENT),
    }
)
"""Sudden and from outside: no waiting period applies to these (CLM-2)."""

LINE_LABELS: dict[Line, Label] = {
    Line.MOTOR: Label("Motor", "车险"),
    Line.HEALTH: Label("Health", "健康险"),
    Line.PROPERTY: Label("Property", "财产险"),
    Line.ACCIDENT: Label("Accident", "意外险"),
}

CAUSE_LABELS: dict[LossCause, Label] = {
    LossCause.COLLISION: Label("Collision", "碰撞"),
    LossCause.SINGLE_VEHICLE: Label("Single-vehicle accident", "单方事故"),
    LossCause.PARKED: Label("Damage while parked", "停放受损"),
    LossCause.THEFT: Label("Theft", "盗抢"),
    LossCause.VANDALISM: Label("Vandalism", "恶意损坏"),
    LossCause.FIRE: Label("Fire", "火灾"),
    LossCause.WATER: Label("Water damage", "水损"),
    LossCause.STORM: Label("Storm", "风暴"),
    LossCause.EARTHQUAKE: Label("Earthquake", "地震"),
    LossCause.ILLNESS: Label("Illness", "疾病"),
    LossCause.CRITICAL_ILLNESS: Label("Critical illness", "重大疾病"),
    LossCause.ACCIDENT: Label("Accident", "意外事故"),
    LossCause.DEATH: Label("Death", "身故"),
    LossCause.INTOXICATION: Label("Alcohol or drugs", "酒驾或毒品"),
    LossCause.SELF_HARM: Label("Self-harm", "自伤"),
    LossCause.WAR: Label("War", "战争"),
    LossCause.WEAR: Label("Wear and tear", "自然损耗"),
    LossCause.OTHER: Label("Other", "其他"),
}


@dataclass(frozen=True, slots=True)
class CoverageTerms:
    """One coverage of a policy. Amounts are in the policy's currency.

    `limit` bounds what this coverage pays in all; `deductible` is borne by the insured on each exposure;
    `waiting_days` count from the first day of the term, which is day 1, and never apply to accidents.
    `clause` names the policy clause that says so.
    """

    code: str
    label: Label
    limit: Decimal
    deductible: Decimal = Decimal(0)
    waiting_days: int = 0
    excluded_causes: tuple[LossCause, ...] = ()
    clause: str = ""


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """The policy's terms as they stood at the first notice of loss; no personal data in it (CLM-2).

    `term_from` and `term_to` are dates in `zone` (IANA), both inclusive: cover runs from 00:00 of the first to 24:00
    of the last; None for a term without end. `currency` is the ISO 4217 code; `taken_at` is an instant.
    """

    policy_number: str
    line: Line
    currency: str
    term_from: date
    term_to: date | None
    coverages: tuple[CoverageTerms, ...]
    zone: str = "Asia/Shanghai"
    taken_at: datetime | None = None

    def coverage(self, code: str) -> CoverageTerms | None:
        """The terms of this coverage, or None when the policy does not have it."""
        return next((terms for terms in self.coverages if terms.code == code), None)
