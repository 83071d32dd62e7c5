"""What one exposure is owed under its policy: pure rules with coded reasons (CLM-7).

An exposure is one coverage for one claimant. First the rules that deny are asked, all of them, so that a refusal
names every reason at once (CLM-11); then the amount is reduced step by step. Nothing here is stored or sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from lian.domain.claims import triage
from lian.domain.claims.terms import ACCIDENTAL_CAUSES, CoverageTerms, LossCause, PolicySnapshot
from lian.domain.errors import Invalid
from lian.domain.findings import Finding, Severity
from lian.domain.labels import Label
from lian.domain.money import cents

RULE_VERSION = "adjudication/1"
NOTHING = Decimal("0.00")
LIMITATION_YEARS = 2
"""保险法 26: claims under insurance other than life lapse two years after the insured event became known."""


class Result(StrEnum):
    """The coverage decision on one exposure."""

    ACCEPT = "accept"
    PARTIAL = "partial"
    DENY = "deny"


RESULT_LABELS: dict[Result, Label] = {
    Result.ACCEPT: Label("Accepted", "赔付"),
    Result.PARTIAL: Label("Accepted in part", "部分赔付"),
    Result.DENY: Label("Denied", "拒赔"),
}


@dataclass(frozen=True, slots=True)
class ExposureFacts:
    """What was claimed and what it was found to be worth, in the policy's currency.

    `earlier_paid` is what this coverage's limit has already borne, on this claim or before. `excluded_by_hand` is the
    code of the exclusion an adjuster relies on (no personal data); empty when they rely on none.
    """

    exposure_id: str
    coverage_code: str
    claimed_amount: Decimal
    assessed_amount: Decimal
    earlier_paid: Decimal = Decimal(0)
    excluded_by_hand: str = ""


@dataclass(frozen=True, slots=True)
class ExposureDecision:
    """What the rules say is owed, and why.

    ACCEPT: the loss claimed is paid, less at most the deductible. PARTIAL: the assessment or the limit made it less.
    DENY: nothing is payable. Amounts are in whole cents; a REFERS finding asks for a second look and changes none.
    """

    exposure_id: str
    result: Result
    payable_amount: Decimal
    deductible_applied: Decimal
    findings: tuple[Finding, ...]


def adjudicate(
    *,
    snapshot: PolicySnapshot,
    exposure: ExposureFacts,
    loss_at: datetime,
    reported_at: datetime,
    loss_cause: LossCause,
) -> ExposureDecision:
    """The coverage decision on one exposure (CLM-7), from the terms taken at FNOL (CLM-2).

    Instants are aware and judged by their date in the policy's zone. `Invalid` for a negative amount.
    """
    _must_be_amounts(exposure)
    terms = snapshot.coverage(exposure.coverage_code)
    if terms is None:
        unknown = _finding("coverage_unknown", Severity.DENIES, detail=f"coverage={exposure.coverage_code}")
        return _denied(exposure, (unknown,))
    zone = ZoneInfo(snapshot.zone)
    loss = _Loss(
        snapshot, terms, exposure, loss_cause, loss_at.astimezone(zone).date(), reported_at.astimezone(zone).date()
    )
    found = tuple(finding for rule in LIABILITY_RULES if (finding := rule(loss)) is not None)
    if any(finding.severity is Severity.DENIES for finding in found):
        return _denied(exposure, found)
    return _measured(loss, found)


@dataclass(frozen=True, slots=True)
class _Loss:
    """What every rule looks at; the dates are local to the policy's zone."""

    snapshot: PolicySnapshot
    terms: CoverageTerms
    exposure: ExposureFacts
    cause: LossCause
    loss_on: date
    reported_on: date


# --- liability: is this loss covered at all? --------------------------------------------------------------------------

Rule = Callable[[_Loss], Finding | None]


def _outside_term(loss: _Loss) -> Finding | None:
    first, last = loss.snapshot.term_from, loss.snapshot.term_to
    if first <= loss.loss_on and (last is None or loss.loss_on <= last):
        return None
    return _denies("outside_term", loss, f"loss_on={loss.loss_on} term={first}..{last or ''}")


def _in_waiting_period(loss: _Loss) -> Finding | None:
    covered_from = loss.snapshot.term_from + timedelta(days=loss.terms.waiting_days)
    is_exempt = loss.cause in ACCIDENTAL_CAUSES
    if is_exempt or not loss.snapshot.term_from <= loss.loss_on < covered_from:
        return None
    return _denies("in_waiting_period", loss, f"loss_on={loss.loss_on} covered_from={covered_from}")


def _excluded_cause(loss: _Loss) -> Finding | None:
    if loss.cause not in loss.terms.excluded_causes:
        return None
    return _denies("excluded_cause", loss, f"cause={loss.cause}")


def _excluded_by_hand(loss: _Loss) -> Finding | None:
    exclusion = loss.exposure.excluded_by_hand.strip()
    return _denies("excluded_by_adjuster", loss, f"exclusion={exclusion}") if exclusion else None


def _nothing_assessed(loss: _Loss) -> Finding | None:
    return None if cents(loss.exposure.assessed_amount) else _denies("no_loss_found", loss, "assessed=0.00")


def _reported_after_limitation(loss: _Loss) -> Finding | None:
    # Refers only: the period runs from knowledge of the event, which a person has to judge, and must be pleaded.
    lapsed_after = _years_later(loss.loss_on, LIMITATION_YEARS)
    if loss.reported_on <= lapsed_after:
        return None
    detail = f"reported_on={loss.reported_on} lapsed_after={lapsed_after}"
    return _finding("reported_after_limitation", Severity.REFERS, clause="保险法 26", detail=detail)


LIABILITY_RULES: tuple[Rule, ...] = (
    _outside_term,
    _in_waiting_period,
    _excluded_cause,
    _excluded_by_hand,
    _nothing_assessed,
    _reported_after_limitation,
)


# --- measure: how much of it? -----------------------------------------------------------------------------------------


def _measured(loss: _Loss, found: tuple[Finding, ...]) -> ExposureDecision:
    assessed = cents(loss.exposure.assessed_amount)
    deductible = min(cents(loss.terms.deductible), assessed)
    owed = assessed - deductible
    payable = min(owed, _left_of_limit(loss))
    found = (*found, *_assessment(loss), *_deductible(loss, deductible, owed), *_limit(loss, owed, payable))
    return ExposureDecision(loss.exposure.exposure_id, _result(found, payable), payable, deductible, found)


def _result(found: tuple[Finding, ...], payable: Decimal) -> Result:
    if not payable:
        return Result.DENY
    is_reduced = any(finding.severity is Severity.REDUCES for finding in found)
    return Result.PARTIAL if is_reduced else Result.ACCEPT


def _assessment(loss: _Loss) -> tuple[Finding, ...]:
    claimed, assessed = cents(loss.exposure.claimed_amount), cents(loss.exposure.assessed_amount)
    detail = f"claimed={claimed} assessed={assessed}"
    if assessed < claimed:
        return (_finding("assessed_below_claimed", Severity.REDUCES, clause=loss.terms.clause, detail=detail),)
    if assessed > claimed:
        return (_finding("assessed_above_claimed", Severity.REFERS, clause=loss.terms.clause, detail=detail),)
    return ()


def _deductible(loss: _Loss, deductible: Decimal, owed: Decimal) -> tuple[Finding, ...]:
    if not deductible:
        return ()
    detail = f"deductible={cents(loss.terms.deductible)} assessed={cents(loss.exposure.assessed_amount)}"
    if not owed:
        return (_denies("below_deductible", loss, detail),)
    return (_finding("deductible_applied", Severity.INFO, clause=loss.terms.clause, detail=detail),)


def _limit(loss: _Loss, owed: Decimal, payable: Decimal) -> tuple[Finding, ...]:
    if payable == owed:
        return ()
    detail = f"limit={cents(loss.terms.limit)} earlier_paid={cents(loss.exposure.earlier_paid)} owed={owed}"
    if not payable:
        return (_denies("limit_exhausted", loss, detail),)
    return (_finding("limit_reached", Severity.REDUCES, clause=loss.terms.clause, detail=detail),)


def _left_of_limit(loss: _Loss) -> Decimal:
    return max(cents(loss.terms.limit) - cents(loss.exposure.earlier_paid), NOTHING)


# --- small parts ------------------------------------------------------------------------------------------------------


def _denied(exposure: ExposureFacts, findings: tuple[Finding, ...]) -> ExposureDecision:
    return ExposureDecision(exposure.exposure_id, Result.DENY, NOTHING, NOTHING, findings)


def _denies(code: str, loss: _Loss, detail: str) -> Finding:
    return _finding(code, Severity.DENIES, clause=loss.terms.clause, detail=detail)


def _finding(code: str, severity: Severity, *, clause: str = "", detail: str = "") -> Finding:
    return Finding(code=code, severity=severity, rule_version=RULE_VERSION, clause=clause, detail=detail)


def _must_be_amounts(exposure: ExposureFacts) -> None:
    amounts = (exposure.claimed_amount, exposure.assessed_amount, exposure.earlier_paid)
    if any(cents(amount) < 0 for amount in amounts):
        raise Invalid("An amount cannot be negative.", exposure=exposure.exposure_id)


def _years_later(day: date, years: int) -> date:
    """The same date years later, or the month's end where there is none (Civil Code art. 202)."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, day.month, 28)  # only 29 February has no counterpart


REASONS: dict[str, Label] = {
    **triage.REASONS,
    "coverage_unknown": Label("The policy does not include this coverage", "保单不包含该项保障"),
    "outside_term": Label("The loss happened outside the policy term", "出险时间不在保险期间内"),
    "in_waiting_period": Label("The loss happened within the waiting period", "出险时间在等待期内"),
    "excluded_cause": Label("The policy excludes this cause of loss", "出险原因属于责任免除"),
    "excluded_by_adjuster": Label("The loss falls under an exclusion of the policy", "损失属于责任免除范围"),
    "fraud_confirmed": Label("We found that the claim was not made honestly", "经调查核实，存在欺诈情形"),
    "no_loss_found": Label("The assessment found no loss to pay", "经核定无可赔付损失"),
    "reported_after_limitation": Label("Reported more than two years after the loss", "出险两年后报案"),
    "assessed_below_claimed": Label("The loss was assessed below the amount claimed", "核定损失低于索赔金额"),
    "assessed_above_claimed": Label("The loss was assessed above the amount claimed", "核定损失高于索赔金额"),
    "deductible_applied": Label("The deductible was subtracted", "已扣除免赔额"),
    "below_deductible": Label("The loss does not exceed the deductible", "损失未超过免赔额"),
    "limit_reached": Label("The coverage limit caps the payment", "赔付以保险限额为限"),
    "limit_exhausted": Label("The coverage limit is used up", "保险限额已用尽"),
}
"""The words for every code a claim's rules can give, triage's included."""
