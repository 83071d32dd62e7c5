"""The shipped decision table: each indicator, the score it makes, and what a wrong table is refused for (CLM-14)."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lian.db.tables import Case, Referral
from lian.domain.claims.fnol import ClaimedLoss, FnolReport, PersonGiven
from lian.domain.claims.risk import DETAILS, INDICATORS, RiskFacts, RiskLevel, figures, likelihood_of
from lian.domain.claims.terms import CoverageTerms, Line, LossCause, PolicySnapshot
from lian.domain.labels import Label
from lian.services.context import Context
from lian.services.risk import SHIPPED, BadTable, facts_of_report, load_table, read_table, score_risk, shipped_table
from lian.services.risk_report import Share, report_risk
from tests.command_line import as_installed, lian

__all__ = ["as_installed"]

pytestmark = pytest.mark.req("CLM-14")

LOSS_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PLAIN = RiskFacts(
    line=Line.MOTOR,
    loss_cause=LossCause.COLLISION,
    claimed_amount=Decimal("8450.00"),
    limit=Decimal(200_000),
    injured=0,
    loss_at=LOSS_AT,
    reported_at=LOSS_AT + timedelta(hours=5),
    policy_from=date(2024, 3, 2),
    details={"severity": "minor", "police_report": "yes", "authorities": "police", "witnesses": "one", "hour": "10"},
)


def claim(**changes: Any) -> RiskFacts:
    """An ordinary claim, changed here and there; details by their own keywords."""
    details = PLAIN.details | {code: changes.pop(code) for code in list(changes) if code in DETAILS}
    return replace(PLAIN, **changes, details=details)


def days(count: int) -> timedelta:
    return timedelta(days=count)


def since(count: int) -> date:
    return LOSS_AT.date() - days(count)


ACCIDENT = LossCause.SINGLE_VEHICLE
FIRES: list[tuple[str, RiskFacts, RiskFacts]] = [
    ("severe_damage", claim(severity="major"), claim(severity="total_loss")),
    ("severe_without_police_report", claim(severity="major", police_report="no"), claim(police_report="no")),
    ("severe_without_authorities", claim(severity="total_loss", authorities="none"), claim(authorities="none")),
    ("single_vehicle_total_loss", claim(loss_cause=ACCIDENT, severity="total_loss"), claim(severity="total_loss")),
    ("no_witnesses", claim(witnesses="none"), claim(loss_cause=LossCause.PARKED, witnesses="none")),
    ("night_accident", claim(hour="22"), claim(hour="6")),
    ("night_accident", claim(hour="5"), claim(hour="21")),
    ("night_accident", claim(hour="0"), claim(loss_cause=LossCause.THEFT, hour="0")),
    (
        "unseen_night_accident",
        claim(loss_cause=ACCIDENT, witnesses="none", hour="3"),
        claim(witnesses="none", hour="3"),
    ),
    ("rear_collision_several_injured", claim(collision="rear", injured=2), claim(collision="rear", injured=1)),
    ("injuries_exceed_damage", claim(injured=2), claim(injured=2, severity="major")),
    (
        "injuries_without_other_damage",
        claim(vehicles="two", injured=2, property_damage="no"),
        claim(vehicles="one", injured=2, property_damage="no"),
    ),
    (
        "theft_without_police_report",
        claim(loss_cause=LossCause.THEFT, police_report="no"),
        claim(loss_cause=LossCause.THEFT),
    ),
    (
        "fire_near_limit",
        claim(loss_cause=LossCause.FIRE, limit=Decimal(10_000)),
        claim(loss_cause=LossCause.FIRE, limit=Decimal(20_000)),
    ),
    ("loss_before_inception", claim(policy_from=since(-1)), claim(policy_from=since(0))),
    ("loss_soon_after_inception", claim(policy_from=since(0)), claim(policy_from=since(31))),
    ("loss_soon_after_inception", claim(policy_from=since(30)), claim(policy_from=since(-1))),
    ("loss_early_in_policy", claim(policy_from=since(31)), claim(policy_from=since(30))),
    ("loss_early_in_policy", claim(policy_from=since(90)), claim(policy_from=since(91))),
    ("whole_thousands", claim(claimed_amount=Decimal(5_000)), claim(claimed_amount=Decimal(4_000))),
    ("whole_thousands", claim(claimed_amount=Decimal(9_000)), claim(claimed_amount=Decimal("9000.01"))),
    ("claim_near_limit", claim(limit=Decimal(9_000)), claim(limit=Decimal(9_500))),
    ("late_report_month", claim(reported_at=LOSS_AT + days(31)), claim(reported_at=LOSS_AT + days(30))),
    ("late_report_week", claim(reported_at=LOSS_AT + days(8)), claim(reported_at=LOSS_AT + days(7))),
    ("late_report_week", claim(reported_at=LOSS_AT + days(30)), claim(reported_at=LOSS_AT + days(31))),
    ("repeated_claims", claim(earlier_claims=2), claim(earlier_claims=1)),
    ("earlier_claim", claim(earlier_claims=1), claim(earlier_claims=2)),
    ("third_party_injured", claim(vehicles="several", injured=1), claim(vehicles="one", injured=1)),
    ("many_injured", claim(injured=3), claim(injured=2)),
    (
        "contestable_period",
        claim(line=Line.ACCIDENT, loss_cause=LossCause.DEATH, policy_from=since(730)),
        claim(line=Line.ACCIDENT, loss_cause=LossCause.DEATH, policy_from=since(731)),
    ),
    ("exclusion_in_dispute", claim(loss_cause=LossCause.INTOXICATION), claim(loss_cause=LossCause.STORM)),
]


def codes(facts: RiskFacts) -> list[str]:
    return [finding.code for finding in score_risk(facts).findings]


@pytest.mark.parametrize(("code", "so", "not_so"), FIRES, ids=[f"{code}-{n}" for n, (code, _, _) in enumerate(FIRES)])
def test_an_indicator_applies_where_it_should_and_not_beside_it(code: str, so: RiskFacts, not_so: RiskFacts) -> None:
    assert code in codes(so)
    assert code not in codes(not_so)
    assert code not in codes(PLAIN)


def test_every_indicator_of_the_table_is_shown_and_has_words() -> None:
    indicators = shipped_table().indicators.keys()
    assert indicators == {code for code, _, _ in FIRES} == INDICATORS.keys()


def test_an_ordinary_claim_has_no_reason_and_a_low_score() -> None:
    score = score_risk(PLAIN)
    assert (score.findings, score.likelihood, score.level) == ((), 1, RiskLevel.LOW)


def test_what_nobody_told_is_held_against_nobody() -> None:
    assert codes(replace(PLAIN, details={})) == []


def test_severe_damage_and_much_money_is_high_with_its_reasons() -> None:
    score = score_risk(claim(severity="major", police_report="no", claimed_amount=Decimal(63_410)))
    assert (score.likelihood, score.impact, score.score, score.level) == (3, 4, 12, RiskLevel.HIGH)
    assert [f.code for f in score.findings] == ["severe_damage", "severe_without_police_report"]
    assert {f.rule_version for f in score.findings} == {score.table_version} == {"risk/1"}
    told = figures(score.findings[1])
    assert told == {"kind": "fraud", "weight": "5", "severity": "major", "police_report": "no"}


def test_the_same_facts_give_the_same_score_in_any_thread() -> None:
    several = [facts for _, so, not_so in FIRES for facts in (so, not_so)] * 20
    expected = [score_risk(facts) for facts in several]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(score_risk, several)) == expected
    fresh = load_table(SHIPPED)
    assert [fresh.score(facts) for facts in several[:50]] == expected[:50]


FACTS = st.builds(
    RiskFacts,
    line=st.sampled_from(Line),
    loss_cause=st.sampled_from(LossCause),
    claimed_amount=st.decimals(0, 999_999_999, places=2),
    limit=st.decimals(0, 999_999_999, places=2),
    injured=st.integers(0, 1_000_000),
    loss_at=st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    reported_at=st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    policy_from=st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    earlier_claims=st.integers(0, 1_000),
    details=st.fixed_dictionaries({}, optional={code: st.sampled_from(list(d.values)) for code, d in DETAILS.items()}),
)


@given(FACTS)
@settings(max_examples=200, deadline=None)
def test_any_claim_scores_from_1_to_25_by_the_weights_of_its_reasons(facts: RiskFacts) -> None:
    score = score_risk(facts)
    assert 1 <= score.likelihood <= 5
    assert 1 <= score.impact <= 5
    assert 1 <= score.score <= 25
    assert len({finding.code for finding in score.findings}) == len(score.findings)
    assert score.likelihood == likelihood_of(sum(int(figures(finding)["weight"]) for finding in score.findings))


@given(st.lists(st.sampled_from([i.weight for i in shipped_table().indicators.values()])), st.integers(1, 999))
def test_one_more_indicator_never_lowers_the_likelihood(weights: list[int], more: int) -> None:
    assert likelihood_of(sum(weights) + more) >= likelihood_of(sum(weights))


def test_the_facts_of_a_report_are_its_own_and_its_policys() -> None:
    terms = [
        CoverageTerms(code=c, label=Label(c, c), limit=Decimal(n), deductible=Decimal(0)) for c, n in LIMITS.items()
    ]
    report = FnolReport(
        policy_number="P-1",
        loss_cause=LossCause.FIRE,
        loss_at=LOSS_AT,
        reported_at=LOSS_AT + days(2),
        place="",
        course="",
        injured=1,
        reporter=PersonGiven(name="Zhao"),
        losses=(ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(700)),),
        details={"severity": "total_loss"},
    )
    facts = facts_of_report(report, snapshot(tuple(terms)), earlier_claims=1)
    assert (facts.limit, facts.claimed_amount, facts.injured) == (Decimal(800), Decimal(700), 1)
    assert (facts.policy_from, facts.earlier_claims) == (date(2026, 1, 1), 1)
    assert facts.details == {"severity": "total_loss"}
    assert "Zhao" not in repr(facts)


LIMITS = {"OD": 800, "BI": 9_000}


def snapshot(coverages: tuple[CoverageTerms, ...]) -> PolicySnapshot:
    return PolicySnapshot(
        policy_number="P-1",
        line=Line.MOTOR,
        currency="CNY",
        term_from=date(2026, 1, 1),
        term_to=None,
        coverages=coverages,
        zone="Asia/Shanghai",
    )


# --- wrong tables -----------------------------------------------------------------------------------------------------


def shipped_text() -> str:
    return (files("lian.services") / "tables" / f"{SHIPPED}.json").read_text(encoding="utf-8")


def test_an_unknown_table_is_refused_by_name() -> None:
    for name in ("risk.v999", "../../../etc/passwd", "risk"):
        with pytest.raises(BadTable, match="There is no risk table named"):
            load_table(name)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"nodes": 1}', '{"nodes": [], "edges": []}'])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(BadTable, match=r"^risk\.v9: ") as refused:
        read_table(text, name="risk.v9")
    assert "\n" not in refused.value.message


def _first(**cells: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["rules"][0].update(cells)


def _column(field: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["inputs"][0].update(field=field)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_first(out_code="'chess_player'"), "`chess_player` has no words in INDICATORS."),
        (_first(out_code="severe_damage"), "`severe_damage` has no words in INDICATORS."),
        (_first(severity="'majr'"), "`severe_damage`: `severity` is never `majr`."),
        (_first(severity="'maj"), "`severe_damage`: the condition on `severity` cannot be understood."),
        (_first(injured="> '1'"), "`severe_damage`: the condition on `injured` cannot be understood."),
        (_first(round_amount="1"), "`severe_damage`: the condition on `round_amount` cannot be understood."),
        (_first(severity=""), "`severe_damage`: it has no condition and would apply to every claim."),
        (_first(sevrity="'major'"), "`severe_damage`: there is no column `sevrity`."),
        (_first(out_kind="'hobby'"), "`severe_damage`: its kind must be one of 'fraud', 'moral', 'legal'."),
        (_first(out_weight="-5"), "`severe_damage`: its weight must be a whole number from 1 to 999."),
        (_first(out_weight="0"), "`severe_damage`: its weight must be a whole number from 1 to 999."),
        (_column("insured_sex"), "no table may see `insured_sex`; the facts are those of `table_facts`."),
        (lambda c: c.update(hitPolicy="first"), "its hit policy must be `collect`."),
        (lambda c: c.update(inputField="x"), "a risk table has no `inputField`."),
        (lambda c: c["rules"].append(c["rules"][0]), "`severe_damage` has more than one row."),
        (lambda c: c["rules"].clear(), "it has two columns with one id, or no rows."),
        (lambda c: c["outputs"].pop(), "its outputs must be code, kind and weight."),
    ],
)
def test_a_table_that_would_say_nothing_without_a_word_is_refused(
    change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    table = json.loads(shipped_text())
    change(next(node["content"] for node in table["nodes"] if "content" in node))
    with pytest.raises(BadTable) as refused:
        read_table(json.dumps(table), name="risk.v9")
    assert refused.value.message == f"risk.v9: {sentence}"


def test_a_table_that_leads_nowhere_is_refused() -> None:
    table = json.loads(shipped_text()) | {"edges": []}
    with pytest.raises(BadTable, match="it must lead from one input"):
        read_table(json.dumps(table), name="risk.v9")


# --- the report from the database -------------------------------------------------------------------------------------


def scored_case(number: int, level: str, *codes: str) -> Case:
    findings = [{"code": code, "severity": "info", "rule_version": "risk/1"} for code in codes]
    return Case(
        id=UUID(int=number),
        number=f"CLM-2026-{number:06}",
        kind="claim",
        status="open",
        channel="phone",
        subject_person_id=UUID(int=1),
        opened_at=LOSS_AT,
        risk_level=level,
        risk_score=12,
        risk_findings=findings,
    )


def referral(number: int, outcome: str = "", *, day: int = 0) -> Referral:
    return Referral(
        id=uuid4(),
        case_id=UUID(int=number),
        status="concluded" if outcome else "open",
        outcome=outcome,
        why="score",
        referred_at=LOSS_AT + days(day),
        referred_by="system",
    )


async def with_referred_cases(context: Context) -> None:
    """Four cases, three of them referred; the first one twice."""
    async with context.transaction() as session:
        session.add_all(
            [scored_case(1, "high", "severe_damage", "no_witnesses"), scored_case(2, "high", "severe_damage")]
        )
        session.add_all([scored_case(3, "low"), scored_case(4, "medium", "no_witnesses"), scored_case(5, "")])
        session.add_all([referral(1, "cleared"), referral(1, "confirmed", day=9), referral(2, "inconclusive")])
        session.add(referral(3))


async def test_the_report_counts_cases_by_level_and_indicator_and_what_was_found(context: Context) -> None:
    await with_referred_cases(context)
    found = await report_risk(context)
    assert {level: one.cases for level, one in found.levels.items()} == {"low": 1, "medium": 1, "high": 2}
    high = found.levels["high"]
    assert (high.referred, high.open, high.cleared, high.confirmed, high.inconclusive) == (2, 0, 0, 1, 1)
    assert high.hit_rate == Share(1, 2)
    assert (found.levels["low"].open, found.levels["low"].hit_rate.rate) == (1, None)
    assert found.indicators["severe_damage"].hit_rate == Share(1, 2)
    assert found.indicators["no_witnesses"].hit_rate == Share(1, 1)


async def test_an_empty_database_has_an_empty_report(context: Context) -> None:
    found = await report_risk(context)
    assert {level: one.cases for level, one in found.levels.items()} == {"low": 0, "medium": 0, "high": 0}
    assert found.indicators == {}


@pytest.mark.usefixtures("as_installed")
def test_the_command_prints_the_report_for_people_and_for_programs() -> None:
    told = lian("report", "risk")
    assert told.exit_code == 0, told.output
    assert "High risk" in told.output
    as_json = json.loads(lian("report", "risk", "--json").output)
    assert as_json["levels"]["high"]["hit_rate"] == {"hits": 0, "of": 0, "rate": None, "interval_95": None}


def test_a_share_has_wilsons_interval() -> None:
    interval = Share(10, 50).interval
    assert interval == pytest.approx((0.1124, 0.3304), abs=0.0001)
    assert Share(0, 20).interval == pytest.approx((0.0, 0.1611), abs=0.0001)
