"""How far a claim has grown: gates as data, passed in order and never passed back.

A gate says what must be true before a claim counts as reported, registered or able to be paid. It holds no procedure:
the process asks `next_level` after each step and records what was passed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lian.domain.errors import Conflict
from lian.domain.labels import Label


class Maturity(StrEnum):
    """How much is certain of a claim, least first."""

    DRAFT = "draft"
    REPORTED = "reported"
    REGISTERED = "registered"
    ABILITY_TO_PAY = "ability_to_pay"


LEVELS: tuple[Maturity, ...] = tuple(Maturity)
MATURITY_LABELS: dict[Maturity, Label] = {
    Maturity.DRAFT: Label("Draft", "草稿"),
    Maturity.REPORTED: Label("Reported", "已报案"),
    Maturity.REGISTERED: Label("Registered", "已立案"),
    Maturity.ABILITY_TO_PAY: Label("Ready to be paid", "可支付"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaturityFacts:
    """What the gates look at; an amount in the claim's currency, counts of things. What is not given is not there."""

    has_snapshot: bool = False
    has_loss_at: bool = False
    has_cause: bool = False
    is_reporter_reachable: bool = False
    claims_something: bool = False
    is_triaged: bool = False
    unjudged_likenesses: int = 0
    is_reviewed: bool = False
    is_decision_final: bool = False
    approved_amount: Decimal = Decimal(0)
    open_referrals: int = 0
    payees: int = 0
    uncleared_payees: int = 0
    """Payees with a sanctions hit that nobody cleared, the confirmed ones among them."""
    unverified_accounts: int = 0
    """Changed accounts that no second person found right."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing a gate asks for."""

    code: str
    label: Label
    is_met: Callable[[MaturityFacts], bool]


@dataclass(frozen=True, slots=True)
class Gate:
    """What must be true to reach a level."""

    level: Maturity
    requirements: tuple[Requirement, ...]


GATES: tuple[Gate, ...] = (
    Gate(
        Maturity.REPORTED,
        (
            Requirement("policy_known", Label("The policy's terms", "保单条款"), lambda f: f.has_snapshot),
            Requirement("loss_dated", Label("The date of loss", "出险时间"), lambda f: f.has_loss_at),
            Requirement("cause_known", Label("The cause of loss", "出险原因"), lambda f: f.has_cause),
            Requirement(
                "reporter_reachable",
                Label("A way to reach the reporter", "报案人联系方式"),
                lambda f: f.is_reporter_reachable,
            ),
            Requirement("something_claimed", Label("What is claimed", "索赔项目及金额"), lambda f: f.claims_something),
        ),
    ),
    Gate(
        Maturity.REGISTERED,
        (
            Requirement("triaged", Label("Triage", "分案"), lambda f: f.is_triaged),
            Requirement(
                "duplicates_judged",
                Label("A word on every claim like this one", "疑似重复案件的核对"),
                lambda f: f.unjudged_likenesses == 0,
            ),
            Requirement("reviewed", Label("The initial review", "初审"), lambda f: f.is_reviewed),
        ),
    ),
    Gate(
        Maturity.ABILITY_TO_PAY,
        (
            Requirement("decision_final", Label("A final decision", "最终理赔决定"), lambda f: f.is_decision_final),
            Requirement(
                "something_approved", Label("An amount to pay", "核定赔付金额"), lambda f: f.approved_amount > 0
            ),
            Requirement(
                "no_open_referral",
                Label("The end of the special investigation", "特别调查结束"),
                lambda f: f.open_referrals == 0,
            ),
            Requirement("payees_named", Label("Payees", "收款人"), lambda f: f.payees > 0),
            Requirement(
                "payees_cleared",
                Label("Clearance of every sanctions hit", "制裁名单命中的排查"),
                lambda f: f.uncleared_payees == 0,
            ),
            Requirement(
                "accounts_verified",
                Label("A second person's check of changed accounts", "变更账户的复核"),
                lambda f: f.unverified_accounts == 0,
            ),
        ),
    ),
)
"""An open objection is no obstacle to paying: it asks for more or for another reason, and what was approved is owed
either way (Insurance Law art. 23). The objection's outcome is a decision of its own."""


def missing_for(level: Maturity, facts: MaturityFacts, *, since: Maturity = Maturity.DRAFT) -> tuple[Requirement, ...]:
    """What still stands between `since` and `level`; what was passed before is not asked again."""
    between = LEVELS[LEVELS.index(since) + 1 : LEVELS.index(level) + 1]
    return tuple(r for gate in GATES if gate.level in between for r in gate.requirements if not r.is_met(facts))


def next_level(current: Maturity, facts: MaturityFacts) -> Maturity | None:
    """The level after this one, once its gate lets the claim through."""
    following = LEVELS[LEVELS.index(current) + 1 :][:1]
    return next((level for level in following if not missing_for(level, facts, since=current)), None)


def levels_reached(current: Maturity, facts: MaturityFacts) -> tuple[Maturity, ...]:
    """Every level the claim passes now, in order; each is put on record."""
    level = next_level(current, facts)
    return (level, *levels_reached(level, facts)) if level else ()


def advance(current: Maturity, target: Maturity) -> Maturity:
    """The new level. Raises `Conflict` when it would be a step back."""
    if LEVELS.index(target) < LEVELS.index(current):
        raise Conflict("A claim's maturity only grows.")
    return target
