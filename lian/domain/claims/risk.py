"""Risk of a claim: likelihood times impact, each from 1 to 5, with the indicators that say so (CLM-14).

The indicators themselves are a decision table of data; `lian/services/risk.py` evaluates it. Here is what such a table
may see, the words for what it can say, and how its weights become a score.

**A table sees `table_facts` and nothing else.** Sex, age, occupation, education, hobbies, family, nationality, address:
no attribute of a person is a fact here, so no table can use one, however well it would predict. A score never decides
a claim: it sends the claim to people, with its reasons.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from lian.domain.claims.terms import Line, LossCause
from lian.domain.errors import Invalid
from lian.domain.findings import Finding
from lian.domain.labels import Label

ROUND_TO = Decimal(1000)
"""An amount that is a multiple of this is round: an estimate rather than a bill."""


class RiskLevel(StrEnum):
    """What the score asks of us; `MEASURES` says what."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class RiskKind(StrEnum):
    """What an indicator is a sign of."""

    FRAUD = "fraud"
    MORAL = "moral"
    LEGAL = "legal"


LEVEL_LABELS: dict[RiskLevel, Label] = {
    RiskLevel.LOW: Label("Low risk", "低风险"),
    RiskLevel.MEDIUM: Label("Medium risk", "中风险"),
    RiskLevel.HIGH: Label("High risk", "高风险"),
}

KIND_LABELS: dict[RiskKind, Label] = {
    RiskKind.FRAUD: Label("Fraud", "欺诈风险"),
    RiskKind.MORAL: Label("Moral hazard", "道德风险"),
    RiskKind.LEGAL: Label("Legal", "法律风险"),
}

MEASURES: dict[RiskLevel, Label] = {
    RiskLevel.LOW: Label("Handle as usual", "按正常流程处理"),
    RiskLevel.MEDIUM: Label(
        "Verify each reason below before deciding: call back, compare documents, look at the damage",
        "作出决定前逐项核实下列原因：回访、核对单证、复勘损失",
    ),
    RiskLevel.HIGH: Label(
        "Refer to special investigation; decide nothing before it has concluded",
        "移交专项调查；调查结束前不得作出理赔决定",
    ),
}
"""What to do at each level (CLM-14: measures)."""

LIKELIHOOD = (20, 35, 50, 70)
"""Total weight of the indicators from which likelihood is 2, 3, 4 and 5; below the first it is 1."""

IMPACT = (Decimal(1_000), Decimal(5_000), Decimal(25_000), Decimal(100_000))
"""Claimed amount, in the claim's currency, from which impact is 2, 3, 4 and 5; below the first it is 1."""

LEVELS: dict[RiskLevel, int] = {RiskLevel.LOW: 1, RiskLevel.MEDIUM: 6, RiskLevel.HIGH: 12}
"""The lowest score, likelihood times impact, of each level."""


# --- what a report may say beyond its own fields ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Detail:
    """One further question about a loss, and the coded answers it may have."""

    label: Label
    values: Mapping[str, Label]


_YES_NO = {"yes": Label("Yes", "是"), "no": Label("No", "否")}

DETAILS: dict[str, Detail] = {
    "severity": Detail(
        Label("How bad is the damage?", "损坏程度"),
        {
            "trivial": Label("Trivial", "轻微"),
            "minor": Label("Minor", "较轻"),
            "major": Label("Severe, but repairable", "严重但可修复"),
            "total_loss": Label("Total loss", "全损"),
        },
    ),
    "police_report": Detail(Label("Is there a police report?", "是否有公安机关证明"), _YES_NO),
    "authorities": Detail(
        Label("Who was called to the scene?", "通知了哪个部门到场"),
        {
            "police": Label("Police", "公安交警"),
            "fire": Label("Fire brigade", "消防"),
            "ambulance": Label("Ambulance", "急救"),
            "other": Label("Another authority", "其他部门"),
            "none": Label("Nobody", "未通知"),
        },
    ),
    "witnesses": Detail(
        Label("How many witnesses were there?", "目击者人数"),
        {"none": Label("None", "无"), "one": Label("One", "一人"), "several": Label("Several", "多人")},
    ),
    "vehicles": Detail(
        Label("How many vehicles were involved?", "涉及车辆数"),
        {"one": Label("One", "一辆"), "two": Label("Two", "两辆"), "several": Label("Three or more", "三辆及以上")},
    ),
    "property_damage": Detail(Label("Was other property damaged?", "是否有其他财产受损"), _YES_NO),
    "collision": Detail(
        Label("Where was the vehicle hit?", "碰撞部位"),
        {"front": Label("Front", "正面"), "rear": Label("Rear", "追尾"), "side": Label("Side", "侧面")},
    ),
    "hour": Detail(
        Label("At what hour, local time?", "出险时段（当地时间）"),
        {str(hour): Label(f"{hour}:00 to {hour}:59", f"{hour}时") for hour in range(24)},
    ),
}
"""Every code of `FnolReport.details` and its answers: codes only, never free text, nothing about a person."""


def check_details(details: Mapping[str, str]) -> None:
    """Raise `Invalid`, naming the field and never repeating it, when a code or an answer is not in `DETAILS`."""
    for code, answer in details.items():
        if code not in DETAILS:
            raise Invalid("There is a detail here that nobody asks for.", field="details")
        if answer not in DETAILS[code].values:
            raise Invalid("Choose one of the answers offered.", field=f"details.{code}")


# --- what a table sees ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFacts:
    """What is known of a claim when its risk is looked at.

    `limit` is the sum of the limits of the coverages claimed under, zero when unknown; both amounts are in the
    claim's currency. `loss_at` and `reported_at` are aware instants. `earlier_claims` counts claims on the same policy
    whose loss lies within the 12 months before this one. `details` holds codes of `DETAILS`; one that is missing is
    simply not known, and no indicator is based on it.
    """

    line: Line
    loss_cause: LossCause
    claimed_amount: Decimal
    limit: Decimal
    injured: int
    loss_at: datetime
    reported_at: datetime
    policy_from: date
    earlier_claims: int = 0
    details: dict[str, str] = field(default_factory=dict)


Fact = str | int | bool

CODED_FACTS: dict[str, frozenset[str]] = {
    "line": frozenset(Line),
    "loss_cause": frozenset(LossCause),
    **{code: frozenset(detail.values) for code, detail in DETAILS.items()},
}
"""Facts that are codes, with the codes they can be; an answer nobody gave is an empty text."""

NUMBER_FACTS = frozenset(
    {"claimed_amount", "limit_percent", "injured", "days_in_force", "days_to_report", "earlier_claims"}
)
"""Facts that are whole numbers."""

FLAG_FACTS = frozenset({"round_amount"})
"""Facts that are true or false."""


def table_facts(facts: RiskFacts) -> dict[str, Fact]:
    """All that a decision table can see, as codes, whole numbers (amounts and percentages rounded down) and flags.

    `days_in_force` counts from the first day of the policy to the loss, below zero for a loss before it.
    """
    return {
        "line": facts.line.value,
        "loss_cause": facts.loss_cause.value,
        "claimed_amount": int(facts.claimed_amount),
        "round_amount": facts.claimed_amount > 0 and facts.claimed_amount % ROUND_TO == 0,
        "limit_percent": int(facts.claimed_amount * 100 / facts.limit) if facts.limit > 0 else 0,
        "injured": facts.injured,
        "days_in_force": (facts.loss_at.date() - facts.policy_from).days,
        "days_to_report": (facts.reported_at - facts.loss_at).days,
        "earlier_claims": facts.earlier_claims,
        **{code: facts.details.get(code, "") for code in DETAILS},
    }


# --- from weights to a score ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RiskScore:
    """How likely something is wrong with the claim and how much it would cost, each 1 to 5, with every reason.

    One finding for each indicator that applies; its `detail` holds kind, weight and the facts that were compared, see
    `figures`. `table_version` names the decision table.
    """

    likelihood: int
    impact: int
    findings: tuple[Finding, ...]
    table_version: str

    @property
    def score(self) -> int:
        """Likelihood times impact, 1 to 25."""
        return self.likelihood * self.impact

    @property
    def level(self) -> RiskLevel:
        """The highest level whose bound in `LEVELS` the score reaches."""
        return max((level for level in LEVELS if self.score >= LEVELS[level]), key=LEVELS.__getitem__)


def likelihood_of(weight: int) -> int:
    """1 to 5, by the bounds in `LIKELIHOOD`, which are inclusive; more weight never lowers it."""
    return 1 + bisect_right(LIKELIHOOD, weight)


def impact_of(claimed_amount: Decimal) -> int:
    """1 to 5, by the bounds in `IMPACT`, which are inclusive."""
    return 1 + bisect_right(IMPACT, claimed_amount)


def figures(finding: Finding) -> dict[str, str]:
    """The figures of an indicator's finding: `kind`, `weight` and each fact that was compared."""
    return dict(pair.split("=", 1) for pair in finding.detail.split())


INDICATORS: dict[str, Label] = {
    "severe_damage": Label(
        "The damage is severe, yet repairable: repair costs leave most room", "损坏严重但可修复，维修费用水分空间大"
    ),
    "loss_before_inception": Label("The loss lies before the policy began", "出险时间早于保险起期"),
    "loss_soon_after_inception": Label("The loss happened within 30 days of the policy's start", "起保后30天内出险"),
    "loss_early_in_policy": Label("The loss happened within 90 days of the policy's start", "起保后90天内出险"),
    "late_report_month": Label("The loss was reported more than 30 days later", "出险30天后才报案"),
    "late_report_week": Label("The loss was reported more than a week later", "出险一周后才报案"),
    "claim_near_limit": Label("The claim comes close to the limit or exceeds it", "索赔金额接近或超过保险限额"),
    "whole_thousands": Label("The amount claimed is in whole thousands", "索赔金额为整千数"),
    "severe_without_police_report": Label("Severe damage without a police report", "损坏严重但无公安机关证明"),
    "severe_without_authorities": Label("Severe damage, and no authority was called", "损坏严重但未通知任何部门"),
    "no_witnesses": Label("Nobody saw the accident", "事故无目击者"),
    "night_accident": Label("The accident happened between 22:00 and 6:00", "事故发生在22时至次日6时"),
    "unseen_night_accident": Label("One vehicle, at night, without witnesses", "单方事故，夜间发生且无目击者"),
    "single_vehicle_total_loss": Label("Total loss with no other vehicle involved", "单方事故造成全损"),
    "theft_without_police_report": Label("Theft without a police report", "盗抢案件无公安机关证明"),
    "injuries_exceed_damage": Label("Several people hurt, though the damage is slight", "车损轻微但多人受伤"),
    "rear_collision_several_injured": Label("Hit from behind, with several people hurt", "追尾事故且多人受伤"),
    "injuries_without_other_damage": Label(
        "Several vehicles and people hurt, though no other property was damaged", "多车事故且多人受伤，但无其他财产受损"
    ),
    "repeated_claims": Label(
        "Two or more other claims on this policy within 12 months", "同一保单12个月内另有两次以上索赔"
    ),
    "earlier_claim": Label("Another claim on this policy within 12 months", "同一保单12个月内另有一次索赔"),
    "fire_near_limit": Label("A fire, and a claim close to the limit", "火灾案件且索赔金额接近限额"),
    "third_party_injured": Label(
        "People hurt with other vehicles involved: liability to third parties", "多车事故有人受伤，涉及第三者责任"
    ),
    "many_injured": Label("Three or more people hurt: a lawsuit is likely", "三人以上受伤，诉讼可能性较大"),
    "contestable_period": Label(
        "Death or critical illness within the two years in which the contract may be contested",
        "合同成立两年内身故或罹患重疾，尚在可抗辩期内",
    ),
    "exclusion_in_dispute": Label(
        "A cause that is usually excluded: a dispute is likely", "出险原因通常属责任免除，易生争议"
    ),
}
"""The words of every indicator a table may give; a table with any other is refused when it is loaded."""

RISK_REASONS: dict[str, Label] = INDICATORS
"""The words for the codes of a score's findings, beside triage's and adjudication's `REASONS`."""
