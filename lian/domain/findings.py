"""What a rule found. Triage, adjudication and scoring return findings and touch nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs."""

    INFO = "info"
    REDUCES = "reduces"
    DENIES = "denies"
    REFERS = "refers"


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason, coded, with the rule that gave it (CLM-7: coded reasons and the clause relied on).

    `code` is stable and looked up for its words in both languages; `clause` names the policy clause or law article;
    `detail` holds the figures the rule compared, never personal data.
    """

    code: str
    severity: Severity
    rule_version: str
    clause: str = ""
    detail: str = ""
