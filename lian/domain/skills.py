"""What people know or are licensed for, as codes: `licence:survey`, `skill:flood`, `region:north` (TSK-3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from lian.domain.errors import Invalid
from lian.domain.moments import is_within_reach

SKILL = re.compile("(?:licence|skill|lang|region):[a-z0-9_-]{1,60}")
"""A licence is demanded by law or contract and never relaxes; the others one would rather have."""
MOST_SKILLS = 50


def check_skills(skills: Mapping[str, date | None]) -> None:
    """Raise `Invalid` for codes that are none, too many of them, or a last day out of reach."""
    if len(skills) > MOST_SKILLS:
        raise Invalid(f"Somebody has at most {MOST_SKILLS} skills.", field="skills")
    if not all(SKILL.fullmatch(skill) for skill in skills):
        raise Invalid(
            "A skill is written like licence:survey; it begins with licence:, skill:, lang: or region:.",
            field="skills",
        )
    if not all(until is None or is_within_reach(until) for until in skills.values()):
        raise Invalid("This day is too far away.", field="skills")
