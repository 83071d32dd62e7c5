"""What robots decide: always an answer the procedure takes, in plausible shares, told by the seed alone."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from api.schemas.forms import form_of
from infra.simulator import choices, wishes
from infra.simulator.questions import Asked, chance
from lian.domain.case_kinds import KINDS, task_kind
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
LIKENESSES = [
    {"other_case_id": "x", "number": "CLM-2026-000000", "score": 95, "reasons": ["same_policy"]},
    {"other_case_id": "y", "number": "CLM-2026-000002", "score": 95, "reasons": ["same_policy"]},
    {"other_case_id": "z", "number": "CLM-2025-000009", "score": 60, "reasons": ["near_days"]},
]
PAYEES = [{"party_id": "p", "amount": "4000.00"}, {"party_id": "q", "amount": "500.00"}]
ASKS: dict[str, Json] = {
    "initial_review": {"complexity": "complex", "checklist": CHECKLIST},
    "check_documents": {"checklist": ["identity", "police_report"]},
    "assess_loss": {"rows": {"losses": LOSSES}},
    "adjudicate": {"rows": {"decisions": DECISIONS}},
    "authorise": {"approved_amount": "4500.00"},
    "agree_settlement": {"approved_amount": "4500.00", "rows": {"payees": PAYEES}},
    "judge_duplicate": {"rows": {"likenesses": LIKENESSES}},
    "explain_lateness": {
        "clock": "claim.total",
        "options": {"responsible": [{"value": who, "en": who, "zh": who} for who in ("staff:1", "staff:2")]},
    },
}
CLAIM_TASKS = [task.id for task in KINDS["claim"].tasks]
FILE: Json = {"complexity": "complex", "payments": []}


def asked(kind: str, **file: Any) -> Asked:
    return Asked("t-1", kind, "CLM-2026-000001", ASKS.get(kind, {}), file=FILE | file)


def answers(kind: str, **file: Any) -> list[Json]:
    return [choices.answer(asked(kind, **file), chance(7, n)) for n in range(TIMES)]


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


def is_taken(kind: TaskKind, answer: Json, ask: Json) -> bool:
    """Raises what the procedure would refuse with."""
    outcome = parse_outcome(kind, answer)
    kind.check(outcome, ask)
    return isinstance(outcome, kind.outcome)


@pytest.mark.req("CLM-13")
def test_a_broken_promise_has_causes_of_every_kind_and_somebody_who_answers_for_it() -> None:
    found = answers("explain_lateness")
    assert {a["cause"] for a in found} == {"workload", "complexity", "claimant", "handling"}
    assert {a["responsible"] for a in found} == {"staff:1", "staff:2"}
    assert 0.75 < share([a["agree"] for a in answers("approve_extension")]) < 0.95


@pytest.mark.parametrize("kind", CLAIM_TASKS)
def test_every_answer_is_one_the_procedure_takes(kind: str) -> None:
    definition = task_kind("claim", kind)
    for answer in answers(kind):
        assert is_taken(definition, answer, ASKS.get(kind, {}))


@pytest.mark.parametrize("kind", sorted(set(CLAIM_TASKS) - {"agree_settlement"}))
def test_agreeing_is_an_answer_the_procedure_takes(kind: str) -> None:
    definition = task_kind("claim", kind)
    assert is_taken(definition, choices.agreed(asked(kind)), ASKS.get(kind, {}))


def test_every_task_of_a_claim_has_been_taught_and_nothing_else_unlearnt() -> None:
    known = {task.id for kind in KINDS.values() for task in kind.tasks}
    assert set(CLAIM_TASKS) <= choices.ANSWERS.keys() <= known


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_task_of_every_kind_has_an_answer(kind: str) -> None:
    """Also of a kind that no robot has learnt: from the form of its answer."""
    for task in KINDS[kind].tasks:
        ask = ASKS.get(task.id, {})
        question = Asked("t", task.id, "X-1", ask, form_of(task, ask).model_dump(mode="json"), FILE)
        for n in range(20):
            assert is_taken(task, choices.answer(question, chance(7, n)), ask)


def test_a_task_nobody_taught_is_an_error_and_no_guess() -> None:
    with pytest.raises(choices.Unknown):
        choices.answer(Asked("t", "juggle", "CLM-1", {}), Random(1))
    with pytest.raises(choices.Unknown):
        choices.agreed(Asked("t", "juggle", "CLM-1", {}))


def test_the_same_seed_decides_the_same_and_another_one_otherwise() -> None:
    def story(seed: int) -> list[Json]:
        return [choices.answer(asked(k), chance(seed, "CLM-1", k, 1)) for k in ASKS]

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


def _is_investigated(answer: Json) -> bool:
    return bool(answer["investigate"])


def _is_suspicious(answer: Json) -> bool:
    return bool(answer["suspicion"])


def _has_panel(answer: Json) -> bool:
    return bool(answer["panel"])


def _is_part(answer: Json) -> bool:
    return str(answer["extent"]) == "part"


def _is_split(answer: Json) -> bool:
    return len(answer["payees"]) > len(PAYEES)


def _says(name: str, word: Any) -> Callable[[Json], bool]:
    return lambda answer: bool(answer[name] == word)


@pytest.mark.parametrize(
    ("kind", "happens", "low", "high"),
    [
        ("check_documents", _is_refusal, 0.02, 0.09),
        ("assess_loss", _is_lower, 0.06, 0.15),
        ("adjudicate", _is_denial, 0.05, 0.12),
        ("adjudicate", _is_reduction, 0.02, 0.09),
        ("authorise", _is_return, 0.02, 0.09),
        ("initial_review", _is_investigated, 0.19, 0.31),
        ("initial_review", _is_suspicious, 0.01, 0.06),
        ("adjudicate", _has_panel, 0.015, 0.07),
        ("agree_settlement", _is_part, 0.01, 0.06),
        ("agree_settlement", _is_split, 0.01, 0.06),
        ("examine_suspicion", _says("outcome", "cleared"), 0.58, 0.72),
        ("examine_suspicion", _says("outcome", "confirmed"), 0.14, 0.26),
        ("examine_suspicion", _says("outcome", "inconclusive"), 0.10, 0.20),
        ("review_objection", _says("result", "upheld"), 0.53, 0.67),
        ("approve_correction", _says("agree", False), 0.06, 0.15),
        ("panel_vote", _says("vote", "agree"), 0.79, 0.91),
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


def test_only_complex_claims_are_investigated_by_plan_and_decided_in_a_panel() -> None:
    simple = asked("initial_review").ask | {"complexity": "simple"}
    reviews = [choices.answer(Asked("t", "initial_review", "C", simple), chance(7, n)) for n in range(TIMES)]
    assert not any(review["investigate"] for review in reviews)
    assert not any(answer["panel"] for answer in answers("adjudicate", complexity="simple"))


@pytest.mark.req("CLM-10")
def test_a_payee_keeps_their_account_until_money_could_not_reach_it() -> None:
    def accounts(**file: Any) -> set[str]:
        return {answer["payees"][0]["account"] for answer in answers("agree_settlement", **file)}

    failed = {"payments": [{"status": "returned"}]}
    assert len(accounts()) == len(accounts(**failed)) == 1
    assert accounts() != accounts(**failed)
    assert accounts(payments=[{"status": "confirmed"}]) == accounts()


@pytest.mark.req("CLM-3")
def test_the_later_of_two_reports_is_joined_to_the_earlier_one() -> None:
    for answer in answers("judge_duplicate"):
        relations = [row["relation"] for row in answer["likenesses"]]
        assert relations[0] == "same_loss"
        assert "same_loss" not in relations[1:]


def test_goes_hold_every_document_once() -> None:
    needed = ["identity", "bank_account", "police_report"]
    goes = [choices.goes(needed, chance(1, n)) for n in range(TIMES)]
    assert all([item for go in each for item in go] == needed for each in goes)
    assert 0.18 < share([len(each) == 2 for each in goes]) < 0.32
    assert choices.goes([], Random(1)) == []


def test_the_bank_refuses_few_transfers_and_says_why() -> None:
    said = [choices.bank_says(chance(1, n)) for n in range(TIMES)]
    assert 0.003 < share([not accepted for accepted, _ in said]) < 0.05
    assert all(bool(reason) is not accepted for accepted, reason in said)


def test_a_wrong_answer_would_have_been_noticed() -> None:
    definition = task_kind("claim", "adjudicate")
    wrong = choices.agreed(asked("adjudicate"))
    wrong["decisions"][0]["payable_amount"] = "4500.01"
    with pytest.raises(Invalid):
        definition.check(parse_outcome(definition, wrong), ASKS["adjudicate"])


# --- of their own accord ----------------------------------------------------------------------------------------------

NUMBERS = [f"CLM-2026-{n:06d}" for n in range(2000)]


@pytest.mark.parametrize("wish", sorted(wishes.SHARES.keys() - {wishes.OBJECT_LATE}))
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_wishes_have_the_shares_of_a_plausible_office(wish: str, seed: int) -> None:
    meant = wishes.SHARES[wish]
    found = share([wish in wishes.wishes(seed, number) for number in NUMBERS])
    assert abs(found - meant) < 0.004 + 3 * (meant * (1 - meant) / len(NUMBERS)) ** 0.5


def test_three_in_ten_object_once() -> None:
    both = {wishes.OBJECT_EARLY, wishes.OBJECT_LATE}
    meant = [wishes.wishes(1, number) & both for number in NUMBERS]
    assert 0.24 < share([bool(each) for each in meant]) < 0.32
    assert not any(each == both for each in meant)


def closed(outcome: str, generation: int = 1) -> Json:
    return {"number": "CLM-1", "outcome": outcome, "generation": generation}


def test_what_comes_up_on_a_closed_claim_comes_one_after_the_other_and_then_no_more() -> None:
    wished, done, order = frozenset(wishes.SHARES), set[str](), list[str]()
    while wish := wishes.due_once_closed(closed("paid"), wished, done):
        done.add(wish)
        order.append(wish)
    assert order == list(wishes.AFTER_PAYMENT)
    assert wishes.due_once_closed(closed("paid"), wished, done) == ""


@pytest.mark.parametrize(
    ("case", "wished", "due"),
    [
        (closed("withdrawn"), frozenset(wishes.SHARES), ""),
        (closed("merged"), frozenset(wishes.SHARES), ""),
        (closed("denied"), frozenset({wishes.OBJECT_EARLY}), wishes.OBJECT_LATE),
        (closed("paid"), frozenset({wishes.OBJECT_EARLY}), ""),
        (closed("paid", 2), frozenset({wishes.REOPEN_PAID}), ""),
        (closed("denied"), frozenset({wishes.REOPEN_DENIED}), wishes.REOPEN_DENIED),
        (closed("paid"), frozenset({wishes.BOOK_RECEIPTS}), ""),
        (closed("paid", 2), frozenset({wishes.BOOK_RECEIPTS}), wishes.BOOK_RECEIPTS),
    ],
)
def test_a_wish_waits_for_its_occasion(case: Json, wished: frozenset[str], due: str) -> None:
    assert wishes.due_once_closed(case, wished, ()) == due
