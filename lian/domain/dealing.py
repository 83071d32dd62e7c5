"""Who is given a task by rules, and the reason of every candidate (TSK-3).

Whoever knows the case comes first; then whoever has the smallest share of what they can take; then whoever was given
something longest ago; then the id. The same candidates give the same choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction

from lian.domain.labels import Label
from lian.domain.tasks import Json

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class DealRule(StrEnum):
    """What decided between those who could have been given the task."""

    AFFINITY = "affinity"
    LOAD = "load"


class DealReason(StrEnum):
    """Why a candidate was chosen, or was not; those before `FULL` say what stands against them whatever they have."""

    OUTSIDE = "outside"
    OTHER_TEAM = "other_team"
    CONFLICT = "conflict"
    LIMIT = "limit"
    LICENCE = "licence"
    SKILL = "skill"
    PASSED = "passed"
    ABSENT = "absent"
    FULL = "full"
    KNOWS_CASE = "knows_case"
    LEAST_LOAD = "least_load"
    LONGEST_AGO = "longest_ago"
    FIRST = "first"
    ANOTHER_KNOWS_CASE = "another_knows_case"
    MORE_LOAD = "more_load"
    MORE_RECENTLY = "more_recently"
    LATER = "later"


DEAL_RULES: dict[DealRule, Label] = {
    DealRule.AFFINITY: Label("They know the case", "熟悉本案"),
    DealRule.LOAD: Label("They had the least work, for what they can take", "在可承接量内任务最少"),
}
DEAL_REASONS: dict[DealReason, Label] = {
    DealReason.OUTSIDE: Label("Does what is assigned, and is dealt nothing", "仅处理指派的任务，不参与自动分配"),
    DealReason.OTHER_TEAM: Label("Belongs to another team", "属于其他团队"),
    DealReason.CONFLICT: Label(
        "Decided on the case before, or has an interest in it", "此前参与过本案决定或存在利害关系"
    ),
    DealReason.LIMIT: Label("The amount is above their limit", "金额超出其权限额度"),
    DealReason.LICENCE: Label("Lacks a licence it needs", "缺少所需资质"),
    DealReason.SKILL: Label("Lacks a skill it needs", "缺少所需技能"),
    DealReason.PASSED: Label("Passed it on a short while ago", "不久前已转出该任务"),
    DealReason.ABSENT: Label("Is away", "缺勤"),
    DealReason.FULL: Label("Has as much as they can take", "在手任务已达上限"),
    DealReason.KNOWS_CASE: Label("Worked on the case last", "最近办理过本案"),
    DealReason.LEAST_LOAD: Label("Had the least work, for what they can take", "在可承接量内任务最少"),
    DealReason.LONGEST_AGO: Label(
        "Had as little as others, and was given something longest ago", "任务量相同，最久未被分配"
    ),
    DealReason.FIRST: Label("Nothing told them apart: the first by account", "条件相同，按账号顺序取第一位"),
    DealReason.ANOTHER_KNOWS_CASE: Label("Somebody else knows the case better", "有同事更熟悉本案"),
    DealReason.MORE_LOAD: Label("Had more work, for what they can take", "在可承接量内任务较多"),
    DealReason.MORE_RECENTLY: Label("Had as little, and was given something more recently", "任务量相同，最近刚被分配"),
    DealReason.LATER: Label("Nothing told them apart: comes later by account", "条件相同，按账号顺序排后"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody whose work the task is. `stands_against`: why they cannot be given it; none when they can.

    `in_hand` and `capacity` count tasks; `dealt_at` is when rules last gave them one.
    """

    who: str
    in_hand: int
    capacity: int
    stands_against: DealReason | None = None
    dealt_at: datetime | None = None

    @property
    def load(self) -> Fraction:
        """The share of what they can take that they have."""
        return Fraction(self.in_hand, max(self.capacity, 1))

    @property
    def why_not(self) -> DealReason | None:
        """The same as `stands_against`, and whether they have as much as they can take."""
        return self.stands_against or (DealReason.FULL if self.in_hand >= self.capacity else None)

    @property
    def _turn(self) -> tuple[Fraction, datetime, str]:
        return self.load, self.dealt_at or _LONG_AGO, self.who


@dataclass(frozen=True, slots=True)
class Choice:
    """Who is given it, by which rule, and the reason of every candidate: the chosen one first."""

    chosen: Candidate
    rule: DealRule
    reasons: Sequence[tuple[Candidate, DealReason]]

    def as_json(self) -> Json:
        """What the journal keeps with `task.claimed`."""
        return {"rule": self.rule.value, "candidates": [_entry(c, why, self.chosen) for c, why in self.reasons]}


def _entry(candidate: Candidate, why: DealReason, chosen: Candidate) -> Json:
    return {
        "who": candidate.who,
        "chosen": candidate is chosen,
        "reason": why.value,
        "in_hand": candidate.in_hand,
        "capacity": candidate.capacity,
    }


def choose(candidates: Sequence[Candidate], *, knows: Sequence[str] = ()) -> Choice | None:
    """Who is given a task; none when nobody can be. `knows`: who worked on the case, the latest first."""
    able = sorted((c for c in candidates if c.why_not is None), key=lambda c: c._turn)
    if not able:
        return None
    places = {who: place for place, who in reversed([*enumerate(knows)])}
    known = [c for c in able if c.who in places]
    chosen = min(known, key=lambda c: places[c.who], default=able[0])
    others = [c for c in able if c is not chosen]
    rule = DealRule.AFFINITY if known else DealRule.LOAD
    why = DealReason.KNOWS_CASE if known else _why(chosen, others)
    unable = sorted(((c, c.why_not) for c in candidates if c.why_not is not None), key=lambda each: each[0].who)
    reasons = [(chosen, why), *((c, _why_not(c, chosen, rule)) for c in others), *unable]
    return Choice(chosen, rule, reasons)


def _why(chosen: Candidate, others: Sequence[Candidate]) -> DealReason:
    equal = [c for c in others if c.load == chosen.load]
    if not equal:
        return DealReason.LEAST_LOAD
    return DealReason.FIRST if any(c.dealt_at == chosen.dealt_at for c in equal) else DealReason.LONGEST_AGO


def _why_not(candidate: Candidate, chosen: Candidate, rule: DealRule) -> DealReason:
    if rule is DealRule.AFFINITY:
        return DealReason.ANOTHER_KNOWS_CASE
    if candidate.load > chosen.load:
        return DealReason.MORE_LOAD
    return DealReason.LATER if candidate.dealt_at == chosen.dealt_at else DealReason.MORE_RECENTLY


def why_nobody(candidates: Sequence[Candidate]) -> Mapping[DealReason, int]:
    """How many candidates each reason kept from it, where nobody could be given a task."""
    found = [c.why_not for c in candidates if c.why_not is not None]
    return {reason: found.count(reason) for reason in DealReason if reason in found}
