"""Risk: what a table may see, the words it has, and how weights become a score."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import TypeAdapter

from lian.domain.claims import adjudication, risk, triage
from lian.domain.claims.risk import (
    CODED_FACTS,
    DETAILS,
    FLAG_FACTS,
    IMPACT,
    INDICATORS,
    KIND_LABELS,
    LEVEL_LABELS,
    LEVELS,
    LIKELIHOOD,
    MEASURES,
    NUMBER_FACTS,
    RiskFacts,
    RiskKind,
    RiskLevel,
    RiskScore,
    check_details,
    figures,
    impact_of,
    likelihood_of,
    table_facts,
)
from lian.domain.claims.tasks import HAND_REASONS
from lian.domain.claims.terms import Line, LossCause
from lian.domain.errors import Invalid
from lian.domain.findings import Finding, Severity
from lian.domain.labels import Label

pytestmark = pytest.mark.req("CLM-14")

LOSS_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PLAIN = RiskFacts(
    line=Line.MOTOR,
    loss_cause=LossCause.COLLISION,
    claimed_amount=Decimal("30400.50"),
    limit=Decimal(200_000),
    injured=0,
    loss_at=LOSS_AT,
    reported_at=LOSS_AT + timedelta(hours=5),
    policy_from=date(2024, 3, 2),
)
SCORE = RiskScore(3, 4, (Finding("severe_damage", Severity.INFO, "risk/1", detail="kind=fraud weight=40"),), "risk/1")


def test_a_score_is_likelihood_times_impact() -> None:
    assert (SCORE.score, SCORE.level) == (12, RiskLevel.HIGH)


@pytest.mark.parametrize(
    ("likelihood", "impact", "level"),
    [
        (1, 1, "low"),
        (1, 5, "low"),
        (2, 3, "medium"),
        (3, 3, "medium"),
        (5, 2, "medium"),
        (3, 4, "high"),
        (5, 5, "high"),
    ],
)
def test_the_level_follows_from_the_score(likelihood: int, impact: int, level: str) -> None:
    assert replace(SCORE, likelihood=likelihood, impact=impact).level == level


def test_bounds_are_inclusive_and_never_lower_anything() -> None:
    assert [likelihood_of(w) for w in (0, LIKELIHOOD[0] - 1, *LIKELIHOOD, 999)] == [1, 1, 2, 3, 4, 5, 5]
    assert [impact_of(a) for a in (Decimal(0), IMPACT[0] - Decimal("0.01"), *IMPACT)] == [1, 1, 2, 3, 4, 5]
    assert list(LIKELIHOOD) == sorted(set(LIKELIHOOD))
    assert list(IMPACT) == sorted(set(IMPACT))
    assert list(LEVELS) == list(RiskLevel)
    assert list(LEVELS.values()) == sorted(set(LEVELS.values()))


def test_a_score_survives_being_json() -> None:
    adapter = TypeAdapter(RiskScore)
    assert adapter.validate_json(adapter.dump_json(SCORE)) == SCORE
    facts = TypeAdapter(RiskFacts)
    assert facts.validate_json(facts.dump_json(PLAIN)) == PLAIN


def test_a_table_sees_whole_figures_and_codes() -> None:
    seen = table_facts(replace(PLAIN, details={"severity": "major"}))
    assert seen.keys() == CODED_FACTS.keys() | NUMBER_FACTS | FLAG_FACTS
    assert (seen["claimed_amount"], seen["limit_percent"], seen["round_amount"]) == (30400, 15, False)
    assert (seen["days_in_force"], seen["days_to_report"]) == (730, 0)
    assert (seen["severity"], seen["witnesses"]) == ("major", "")
    assert table_facts(replace(PLAIN, claimed_amount=Decimal("30000.00")))["round_amount"] is True
    assert table_facts(replace(PLAIN, limit=Decimal(0)))["limit_percent"] == 0
    assert table_facts(replace(PLAIN, policy_from=date(2026, 3, 3)))["days_in_force"] == -1


def test_no_attribute_of_a_person_is_a_fact() -> None:
    forbidden = ("sex", "gender", "age", "occupation", "education", "hobb", "relationship", "zip", "nation", "name")
    seen = [word for name in (*table_facts(PLAIN), *DETAILS) for word in name.split("_")]
    assert [word for word in seen if word.startswith(forbidden) or word == "birth"] == []


def test_everything_has_words_in_both_languages() -> None:
    details = [label for d in DETAILS.values() for label in (d.label, *d.values.values())]
    labels: list[Label] = [*INDICATORS.values(), *MEASURES.values(), *LEVEL_LABELS.values(), *KIND_LABELS.values()]
    assert MEASURES.keys() == LEVEL_LABELS.keys() == set(RiskLevel)
    assert KIND_LABELS.keys() == set(RiskKind)
    for label in (*labels, *details):
        assert label.en.isascii()
        assert label.en
        assert label.zh
    assert all(any("一" <= sign <= "鿿" for sign in label.zh) for label in (*labels, *details))


def test_its_codes_are_not_those_of_other_rules() -> None:
    others = adjudication.REASONS.keys() | triage.REASONS.keys() | HAND_REASONS.keys()
    assert risk.RISK_REASONS.keys().isdisjoint(others)


@pytest.mark.parametrize(
    ("details", "named"),
    [
        ({"hobby": "chess"}, "details"),
        ({"severity": "Zhao was hurt"}, "details.severity"),
        ({"hour": "24"}, "details.hour"),
    ],
)
def test_details_are_codes_or_refused_without_repeating_them(details: dict[str, str], named: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_details(details)
    assert refused.value.details == {"field": named}
    assert not any(each in refused.value.message for each in details.values())


def test_known_details_are_taken() -> None:
    check_details({"severity": "major", "police_report": "no", "hour": "0"})
    check_details({})


def test_a_finding_tells_its_figures() -> None:
    assert figures(SCORE.findings[0]) == {"kind": "fraud", "weight": "40"}
