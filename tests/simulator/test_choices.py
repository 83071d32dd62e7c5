"""What robots decide: always an answer the procedure takes, in plausible shares, told by the seed alone."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from infra.simulator import choices
from infra.simulator.choices import Asked
from lian.domain.case_kinds import task_kind
from lian.domain.errors import Invalid
from lian.domain.tasks import TaskKind
from lian.services.outcomes import parse_outcome

Json = dict[str, Any]
TIMES = 400

CHECKLIST = ["identity", "policy", "bank_account", "driving_licence", "police_report"]
LOSSES = [
    {"exposure_id": "a", "coverage_code": "OD", "claimed_amount": "5000.00", "assessed_amount": "5000.00"},
    {"exposure_id": "b", "coverage_code": "BI", "claimed_amount": "0.01", "assessed_amount": "0.01"},
]
DECISIONS = [
    {"exposure_id": "a", "coverage_code": "OD", "result": "accept", "payable_amount": "4500.00"},
    {"exposure_id": "b", "coverage_code": "BI", "result": "deny", "payable_amount": "0.00"},
]
PAYEES = [{"party_id": "p", "amount": "4000.00"}, {"party_id": "q", "amount": "500.00"}]
ASKS: dict[str, Json] = {
    "initial_review": {"complexity": "simple", "checklist": CHECKLIST},
    "check_documents": {"checklist": ["identity", "police_report"]},
    "assess_loss": {"rows": {"losses": LOSSES}},
    "adjudicate": {"rows": {"decisions": DECISIONS}},
    "authorise": {"approved_amount": "4500.00"},
    "agree_settlement": {"approved_amount": "4500.00", "rows": {"payees": PAYEES}},
}


def asked(kind: str) -> Asked:
    return Asked("t-1", kind, "CLM-2026-000001", ASKS[kind])


def answers(kind: str) -> list[Json]:
    return [choices.answer(asked(kind), choices.chance(7, n)) for n in range(TIMES)]


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


def is_taken(kind: TaskKind, answer: Json, ask: Json) -> bool:
    """Raises what the procedure would refuse with."""
    outcome = parse_outcome(kind, answer)
    kind.check(outcome, ask)
    return isinstance(outcome, kind.outcome)


@pytest.mark.parametrize("kind", ASKS)
def test_every_answer_is_one_the_procedure_takes(kind: str) -> None:
    definition = task_kind("claim", kind)
    for answer in answers(kind):
        assert is_taken(definition, answer, ASKS[kind])


@pytest.mark.parametrize("kind", sorted(ASKS.keys() - {"agree_settlement"}))
def test_agreeing_is_an_answer_the_procedure_takes(kind: str) -> None:
    definition = task_kind("claim", kind)
    assert is_taken(definition, choices.agreed(asked(kind)), ASKS[kind])


def test_every_task_of_a_claim_has_been_taught() -> None:
    from lian.domain.claims.tasks import TASKS

    assert {task.id for task in TASKS} == choices.ANSWERS.keys()


def test_a_task_nobody_taught_is_an_error_and_no_guess() -> None:
    with pytest.raises(choices.Unknown):
        choices.answer(Asked("t", "juggle", "CLM-1", {}), Random(1))
    with pytest.raises(choices.Unknown):
        choices.agreed(Asked("t", "juggle", "CLM-1", {}))


def test_the_same_seed_decides_the_same_and_another_one_otherwise() -> None:
    def story(seed: int) -> list[Json]:
        return [choices.answer(asked(k), choices.chance(seed, "CLM-1", k, 1)) for k in ASKS]

    assert story(3) == story(3)
    assert any(story(3) != story(seed) for seed in (4, 5, 6))


def test_documents_are_asked_for_in_two_cases_of_five_and_never_an_optional_one() -> None:
    missing = [answer["missing"] for answer in answers("initial_review")]
    assert 0.33 < share([bool(m) for m in missing]) < 0.47
    assert all("policy" not in m and len(set(m)) == len(m) for m in missing)


def _is_refusal(answer: Json) -> bool:
    return bool(answer["refused"])


def _is_lower(answer: Json) -> bool:
    return Decimal(answer["losses"][0]["assessed_amount"]) < 5000


def _is_denial(answer: Json) -> bool:
    return all(d["result"] == "deny" for d in answer["decisions"])


def _is_reduction(answer: Json) -> bool:
    return str(answer["decisions"][0]["reason"]) == "evidence_insufficient"


def _is_return(answer: Json) -> bool:
    return not answer["agree"]


@pytest.mark.parametrize(
    ("kind", "happens", "low", "high"),
    [
        ("check_documents", _is_refusal, 0.02, 0.09),
        ("assess_loss", _is_lower, 0.06, 0.15),
        ("adjudicate", _is_denial, 0.05, 0.12),
        ("adjudicate", _is_reduction, 0.02, 0.09),
        ("authorise", _is_return, 0.02, 0.09),
    ],
)
def test_the_shares_are_those_of_a_plausible_office(
    kind: str, happens: Callable[[Json], bool], low: float, high: float
) -> None:
    assert low < share([happens(answer) for answer in answers(kind)]) < high


def test_a_denial_by_hand_denies_everything_with_a_reason() -> None:
    definition = task_kind("claim", "adjudicate")
    answer = choices.denied(asked("adjudicate"))
    definition.check(parse_outcome(definition, answer), ASKS["adjudicate"])
    assert [d["reason"] for d in answer["decisions"]] == ["liability_not_established", ""]


def test_payees_get_names_and_accounts_a_bank_can_use() -> None:
    payees = answers("agree_settlement")[0]["payees"]
    assert [p["amount"] for p in payees] == ["4000.00", "500.00"]
    assert all(p["name"] and p["account"].isdigit() and p["bank"] for p in payees)


def test_goes_hold_every_document_once() -> None:
    needed = ["identity", "bank_account", "police_report"]
    goes = [choices.goes(needed, choices.chance(1, n)) for n in range(TIMES)]
    assert all([item for go in each for item in go] == needed for each in goes)
    assert 0.18 < share([len(each) == 2 for each in goes]) < 0.32
    assert choices.goes([], Random(1)) == []


def test_the_bank_refuses_few_transfers_and_says_why() -> None:
    said = [choices.bank_says(choices.chance(1, n)) for n in range(TIMES)]
    assert 0.003 < share([not accepted for accepted, _ in said]) < 0.05
    assert all(bool(reason) is not accepted for accepted, reason in said)


def test_a_wrong_answer_would_have_been_noticed() -> None:
    definition = task_kind("claim", "adjudicate")
    wrong = choices.agreed(asked("adjudicate"))
    wrong["decisions"][0]["payable_amount"] = "4500.01"
    with pytest.raises(Invalid):
        definition.check(parse_outcome(definition, wrong), ASKS["adjudicate"])
