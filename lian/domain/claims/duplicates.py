"""Has this loss been reported before? Likeness with reasons; whether it is the same loss, a person says (CLM-3).

Who somebody is and how they are reached is compared by ids and keyed fingerprints only: no name, phone or place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from lian.domain.claims.terms import Line
from lian.domain.labels import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class LossFacts:
    """What is compared of a claim. `contact_marks` and `place_mark` are fingerprints under the installation's key."""

    case_id: UUID
    number: str
    policy_number: str
    line: str
    loss_cause: str
    loss_at: datetime
    claimed_amount: Decimal
    claimant_people: frozenset[UUID] = frozenset()
    contact_marks: frozenset[str] = frozenset()
    place_mark: str = ""
    coverages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How much another claim is like this one: 0 to 100, with the codes of `LIKENESS_REASONS`."""

    case_id: UUID
    number: str
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LikenessTable:
    """How near is near, and what each sign is worth. Signs add up, between 0 and 100.

    A shared contact weighs little, since an agent or a garage reports for many. In lines that insure people one policy
    has many insured: there another claimant speaks against the same loss.
    """

    version: str = "duplicates/1"
    policy_within: timedelta = timedelta(days=3)
    claimant_within: timedelta = timedelta(days=1)
    contact_within: timedelta = timedelta(days=1)
    points: dict[str, int] = field(
        default_factory=lambda: {
            "same_policy": 35,
            "same_day": 25,
            "near_days": 10,
            "same_cause": 10,
            "same_claimant": 15,
            "same_contact": 10,
            "same_place": 10,
            "same_amount": 10,
            "same_coverage": 5,
            "other_claimant": -30,
        }
    )
    personal_lines: frozenset[str] = frozenset({Line.HEALTH, Line.ACCIDENT})


DEFAULT = LikenessTable()
ASK_FROM = 50
"""From this score on a person is asked.

It is reached by one policy with one day, by one policy within three days once anything else agrees, and by one claimant
on one day with one cause under different policies. One contact on one day with one cause (45) does not reach it: a
garage's hailstorm would ask a hundred questions.
"""
MOST_ASKED = 10
"""More than these would not be read."""

LIKENESS_REASONS: dict[str, Label] = {
    "same_policy": Label("The same policy", "同一保单"),
    "same_day": Label("The losses lie less than a day apart", "出险时间相差不足一天"),
    "near_days": Label("The losses lie a few days apart", "出险时间相差数天"),
    "same_cause": Label("The same cause of loss", "出险原因相同"),
    "same_claimant": Label("The same claimant", "同一索赔人"),
    "same_contact": Label("The same phone number or e-mail address", "联系电话或邮箱相同"),
    "same_place": Label("The same place", "出险地点相同"),
    "same_amount": Label("The same amount claimed", "索赔金额相同"),
    "same_coverage": Label("Claimed under the same coverage", "索赔责任项相同"),
    "other_claimant": Label("Another claimant (speaks against it)", "索赔人不同（不支持重复）"),
}
"""The words for every code a likeness can give."""

RELATIONS: dict[str, Label] = {
    "same_loss": Label("The same loss, reported again", "同一事故重复报案"),
    "related": Label("Another loss, but related", "不同事故但有关联"),
    "different": Label("A different loss", "不同事故"),
}
"""What a person may say of a likeness."""

LINKS: dict[str, Label] = {
    "duplicate_of": Label("Reported again; handled in", "重复报案，并入"),
    "related_to": Label("Related to", "关联"),
    "complaint_about": Label("A complaint about", "投诉对象"),
    "appeal_of": Label("An appeal against", "申诉对象"),
}
"""How one case points to another."""
BACKLINKS: dict[str, Label] = {
    "duplicate_of": Label("Also reported as", "重复报案"),
    "related_to": Label("Related to", "关联"),
    "complaint_about": Label("Complained about in", "相关投诉"),
    "appeal_of": Label("Appealed in", "相关申诉"),
}
"""The same, read from the other case."""
LINK_OF_RELATION = {"same_loss": "duplicate_of", "related": "related_to"}
"""The link that a person's answer leaves behind; `different` leaves none."""

Sign = Callable[[LossFacts, LossFacts, LikenessTable], bool]


def compare(mine: LossFacts, other: LossFacts, table: LikenessTable = DEFAULT) -> Likeness:
    """How much `other` is like `mine`; alike in both directions. Losses far apart in time are not alike at all."""
    if _apart(mine, other) > table.policy_within:
        return Likeness(case_id=other.case_id, number=other.number, score=0, reasons=())
    reasons = tuple(code for code, holds in SIGNS if holds(mine, other, table))
    score = sum(table.points[code] for code in reasons)
    return Likeness(case_id=other.case_id, number=other.number, score=max(0, min(100, score)), reasons=reasons)


def likest(mine: LossFacts, others: Iterable[LossFacts], table: LikenessTable = DEFAULT) -> list[Likeness]:
    """Those worth asking about, best first."""
    found = [compare(mine, other, table) for other in others if other.case_id != mine.case_id]
    asked = [likeness for likeness in found if likeness.score >= ASK_FROM]
    return sorted(asked, key=lambda likeness: (-likeness.score, likeness.number))[:MOST_ASKED]


def _apart(mine: LossFacts, other: LossFacts) -> timedelta:
    return abs(mine.loss_at - other.loss_at)


def _is_same_policy(mine: LossFacts, other: LossFacts, _: LikenessTable) -> bool:
    return mine.policy_number == other.policy_number


def _is_same_day(mine: LossFacts, other: LossFacts, _: LikenessTable) -> bool:
    return _apart(mine, other) < timedelta(days=1)


def _is_near(mine: LossFacts, other: LossFacts, table: LikenessTable) -> bool:
    return timedelta(days=1) <= _apart(mine, other) <= table.policy_within


def _is_same_cause(mine: LossFacts, other: LossFacts, _: LikenessTable) -> bool:
    return mine.loss_cause == other.loss_cause


def _shares_claimant(mine: LossFacts, other: LossFacts, _: LikenessTable) -> bool:
    return bool(mine.claimant_people & other.claimant_people)


def _shares_contact(mine: LossFacts, other: LossFacts, _: LikenessTable) -> bool:
    return bool(mine.contact_marks & other.contact_marks)


def _is_same_place(mine: LossFacts, other: LossFacts, _: LikenessTable) -> bool:
    return bool(mine.place_mark) and mine.place_mark == other.place_mark


def _is_same_amount(mine: LossFacts, other: LossFacts, _: LikenessTable) -> bool:
    return mine.claimed_amount == other.claimed_amount


def _shares_coverage(mine: LossFacts, other: LossFacts, table: LikenessTable) -> bool:
    return _is_same_policy(mine, other, table) and bool(mine.coverages & other.coverages)


def _is_other_claimant(mine: LossFacts, other: LossFacts, table: LikenessTable) -> bool:
    is_personal = mine.line in table.personal_lines or other.line in table.personal_lines
    return is_personal and not _shares_claimant(mine, other, table) and not _shares_contact(mine, other, table)


SIGNS: tuple[tuple[str, Sign], ...] = (
    ("same_policy", _is_same_policy),
    ("same_day", _is_same_day),
    ("near_days", _is_near),
    ("same_cause", _is_same_cause),
    ("same_claimant", _shares_claimant),
    ("same_contact", _shares_contact),
    ("same_place", _is_same_place),
    ("same_amount", _is_same_amount),
    ("same_coverage", _shares_coverage),
    ("other_claimant", _is_other_claimant),
)
