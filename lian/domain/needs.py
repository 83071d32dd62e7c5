"""What a task needs of whoever does it, as one text that an index can hold (TSK-1, TSK-3).

All free tasks of a queue that need the same lie together, ordered by urgency: the most urgent one that somebody may do
is the first of the few heads they qualify for, however many others lie before it. What no text can hold, such as who is
excluded from one task, is asked of the row itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

LICENCE = "licence:"
"""A qualification that a law or contract demands: it never relaxes. Any other is a skill one would rather have."""
_STEPS = tuple(Decimal(n).scaleb(power) for power in range(3, 12) for n in (1, 2, 5))
"""1,000, 2,000, 5,000, 10,000 and so on: authority limits of the house lie on them."""
_BEYOND = Decimal(10).scaleb(12)
TIERS = (Decimal(0), *_STEPS, _BEYOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Kind of case and task (hence the permission), line (hence the limit), the tier of its amount, and skills."""

    case_kind: str
    task_kind: str
    line: str
    tier: Decimal
    """The amount somebody must be able to decide alone, rounded up to a step (CLM-9)."""
    skills: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "/".join((self.case_kind, self.task_kind, self.line, f"{self.tier:f}", ",".join(self.skills)))

    @property
    def above(self) -> Decimal:
        """Every task of this tier is about more than this; whoever may decide no more than it, may do none of them."""
        return TIERS[TIERS.index(self.tier) - 1] if self.tier else Decimal(-1)

    @property
    def licences(self) -> frozenset[str]:
        """What never relaxes."""
        return frozenset(skill for skill in self.skills if skill.startswith(LICENCE))

    def are_met_by(self, skills: Collection[str]) -> bool:
        """Whether somebody with these skills has all that are needed."""
        return set(self.skills) <= set(skills)


def needs_of(
    *, case_kind: str, task_kind: str, line: str, least_authority: Decimal, skills: Collection[str] = ()
) -> Needs:
    """What a task needs, skills in alphabetical order and each once."""
    tier = next((step for step in TIERS if least_authority <= step), _BEYOND)
    return Needs(case_kind=case_kind, task_kind=task_kind, line=line, tier=tier, skills=tuple(sorted(set(skills))))


def read_needs(text: str) -> Needs:
    """The reverse of `str(needs)`."""
    case_kind, task_kind, line, tier, skills = text.split("/", 4)
    return Needs(
        case_kind=case_kind,
        task_kind=task_kind,
        line=line,
        tier=TIERS[TIERS.index(Decimal(tier))],
        skills=tuple(filter(None, skills.split(","))),
    )
