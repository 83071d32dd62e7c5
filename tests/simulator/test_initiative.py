"""What robots do of their own accord: at its occasion, once, by the same person, and given up when it cannot be."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from api.schemas.claims import ClaimIn
from infra.simulator import wishes
from infra.simulator.client import Api
from infra.simulator.corrections import early_correction, late_correction, second_report
from infra.simulator.customers import Customers, FrontDesk
from infra.simulator.initiative import TRIES, Initiative
from infra.simulator.questions import Asked, chance
from infra.simulator.staff import FEWEST, Account, Memory, Robot, cast
from lian.domain.claims.actions import CORRECT, check_correction
from lian.services.outcomes import parse_outcome

Json = dict[str, Any]

FILE: Json = {
    "policy_number": "P-1",
    "loss_cause": "collision",
    "loss_at": "2026-11-20T08:00:00Z",
    "place": "3041 3rd Ave",
    "course": "Single Vehicle Collision.",
    "injured": 0,
    "parties": [
        {"id": "c", "role": "claimant", "is_minor": False, "name": "赵磊", "phone": "13800000001", "email": ""},
        {"id": "r", "role": "reporter", "is_minor": False, "name": "赵磊", "phone": "13800000001", "email": ""},
    ],
    "exposures": [
        {
            "id": "11111111-1111-1111-1111-111111111111",
            "coverage_code": "OD",
            "claimant_party_id": "c",
            "claimed_amount": "5000.00",
            "assessed_amount": "4000.00",
            "payable_amount": "3500.00",
        }
    ],
    "payments": [{"id": "22222222-2222-2222-2222-222222222222", "status": "confirmed"}],
}


def office(handle: Any) -> tuple[Initiative, Api]:
    """Initiative and a whole cast on an API that answers as told."""
    api = Api("http://x", transport=httpx.MockTransport(handle), patience=1)
    accounts = [Account(username=u, password="p", name=n, role=r) for u, n, r in cast(FEWEST)]
    desk = FrontDesk(api, accounts[0], token="t")
    made = Initiative(1, Customers(api, desk, 1), desk)
    made.robots = [Robot(api, account, 1, made, Memory(), token="t") for account in accounts]
    return made, api


def wisher(wish: str) -> str:
    """The number of a case on which just this is meant, of what comes up on a paid claim."""
    numbers = (f"CLM-2026-{n:06d}" for n in range(9000))
    return next(n for n in numbers if wishes.wishes(1, n) & set(wishes.AFTER_PAYMENT) == {wish})


def paid(number: str, generation: int = 1) -> Json:
    return {"number": number, "stage": "closed", "outcome": "paid", "generation": generation}


async def carry_out(made: Initiative, closed: Json, rounds: int = 1) -> None:
    """Look at the closed case and let initiatives come to their end, so often."""
    acting = asyncio.create_task(made.act())
    for _ in range(rounds):
        made.look_at_closed([closed])
        for _ in range(200):
            await asyncio.sleep(0.005)
            if not made._busy:
                break
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)


@pytest.mark.req("CLM-10")
async def test_a_wish_comes_true_once_under_its_own_key() -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=FILE if request.method == "GET" else {"seq": 1})

    made, api = office(handle)
    number = wisher(wishes.REVERSE)
    async with api:
        made.begin([paid(number)])
        assert not made.is_done([paid(number)])
        assert made.still_meant([paid(number)]) == [f"{number} (reverse_payment)"]
        await carry_out(made, paid(number), rounds=3)
    assert [r.url.path for r in asked] == [f"/cases/{number}", f"/cases/{number}/actions/reverse_payment"]
    assert asked[1].headers["Idempotency-Key"] == f"robot-{number}-reverse_payment"
    assert json.loads(asked[1].content)["outcome"]["payment_id"] == FILE["payments"][0]["id"]
    assert (made.happened, made.is_done([paid(number)])) == ({"reverse_payment": 1}, True)


async def test_what_a_claim_does_not_allow_is_tried_again_and_given_up_in_the_end() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=FILE)
        return httpx.Response(409, json={"code": "conflict", "detail": "no"})

    made, api = office(handle)
    number = wisher(wishes.CORRECT_LATE)
    async with api:
        made.begin([paid(number)])
        await carry_out(made, paid(number), rounds=TRIES - 1)
        assert not made.is_done([paid(number)])
        await carry_out(made, paid(number))
    assert (made.is_done([paid(number)]), made.violations, made.happened["correct_late"]) == (True, [], 0)


async def test_a_refusal_that_must_not_be_is_a_violation() -> None:
    made, api = office(lambda _: httpx.Response(403, json={"code": "not_allowed", "detail": "no"}))
    number = wisher(wishes.REOPEN_PAID)
    async with api:
        made.begin([paid(number)])
        await carry_out(made, paid(number))
    assert made.violations == [f"{number} reopen_paid: 403 not_allowed: no"]


async def test_cases_that_were_closed_before_the_office_began_are_left_alone() -> None:
    made, _ = office(lambda _: httpx.Response(500))
    number = wisher(wishes.REVERSE)
    made.look_at_closed([paid(number)])
    assert made.is_done([paid(number)])


async def test_a_settlement_is_left_to_a_customer_who_would_rather_answer_themselves() -> None:
    made, _ = office(lambda _: httpx.Response(500))
    numbers = [f"CLM-2026-{n:06d}" for n in range(400)]
    made.begin({"number": number, "stage": "settlement"} for number in numbers)
    robot = made.robots[0]
    ask = {"rows": {"payees": [{"party_id": "p", "amount": "100.00"}]}}
    left = [await made.before(robot, Asked("t", "agree_settlement", number, ask), {}) for number in numbers]
    assert 0.23 < sum(left) / len(left) < 0.37
    assert not made.customers.is_idle
    assert await made.before(robot, Asked("t", "confirm_account", numbers[0], {}), {})
    assert not await made.before(robot, Asked("t", "confirm_account", "CLM-2020-000001", {}), {})


@pytest.mark.req("CLM-3")
def test_a_second_report_is_one_we_take_and_tells_of_another_reporter() -> None:
    report = ClaimIn.model_validate(second_report(FILE))
    assert report.reporter.name != FILE["parties"][0]["name"]
    assert [c.name for c in report.claimants] == ["赵磊"]
    assert [(loss.coverage_code, loss.claimed_amount, loss.claimant) for loss in report.losses] == [
        ("OD", Decimal(5000), 0)
    ]


@pytest.mark.req("CLM-15")
def test_an_early_correction_names_a_figure_and_another_value() -> None:
    ask = {"options": {"exposure_id": [{"value": "a"}]}}
    losses = [{"exposure_id": "a", "assessed_amount": "4000.00"}]
    wrong = [early_correction(losses, chance(1, n)) for n in range(50)]
    for each in wrong:
        check_correction(parse_outcome(CORRECT, each), ask)
    assert {each["name"] for each in wrong} == {"assessed_amount", "claimed_amount", "injured"}


@pytest.mark.req("CLM-15")
@pytest.mark.parametrize(("how", "is_more"), [(0.1, False), (0.4, False), (0.9, True)])
def test_a_late_correction_finds_too_much_or_too_little_paid(how: float, is_more: bool) -> None:
    wrong = late_correction(FILE, how)
    ask = {"options": {"exposure_id": [{"value": FILE["exposures"][0]["id"]}]}}
    check_correction(parse_outcome(CORRECT, wrong), ask)
    assert (Decimal(wrong["after"]) > 4000) is is_more
    assert 0 < Decimal(wrong["after"]) <= 5000


def test_nothing_is_corrected_where_nothing_was_paid() -> None:
    unpaid = FILE | {"exposures": [FILE["exposures"][0] | {"payable_amount": "0.00"}]}
    assert late_correction(unpaid, 0.3) == {}
