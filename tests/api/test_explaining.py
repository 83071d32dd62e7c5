"""How a promise was counted, over the wire and on the command line (CLM-12)."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from infra.embedded.errors import StackError
from lian.services.context import Context
from tests.api.conftest import SignIn, assert_problem, start_clock
from tests.cast import reported_claim
from tests.command_line import as_installed, lian

__all__ = ["as_installed"]

pytestmark = pytest.mark.req("CLM-12")


async def test_every_day_is_told_in_both_languages(api: httpx.AsyncClient, context: Context, signed_in: SignIn) -> None:
    registered = await reported_claim(context)
    await start_clock(context, registered.case_id, "claim.total#2", amount=7)
    answer = await api.get(f"/cases/{registered.number}/clocks/claim.total%232", headers=await signed_in("wang"))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["case_number"], told["clock"], told["unit"]) == (registered.number, "claim.total#2", "working_days")
    assert (told["days"], told["days_counted"], told["days_left"]) == (7, 0, 7)
    assert told["budget"] == {"en": "7 working days", "zh": "7个工作日"}
    assert sum(line["days_counted"] for line in told["lines"]) == 7
    assert told["due_at"] == told["recorded_due_at"]
    assert told["lines"][-1]["is_last"]
    assert told["lines"][-1]["last"] == told["due_on"]
    assert told["lines"][0]["effect"] == "received"
    assert all(line["why"]["en"] and line["why"]["zh"] for line in told["lines"])


async def test_a_clock_that_is_not_there_is_not_found(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn
) -> None:
    registered = await reported_claim(context)
    wang = await signed_in("wang")
    for name in ("claim.total", "x" * 80, "x" * 81):
        answer = await api.get(f"/cases/{registered.number}/clocks/{name}", headers=wang)
        assert_problem(answer, 404, "not_found")


@pytest.mark.usefixtures("as_installed")
async def test_the_command_line_tells_it_in_either_language_and_for_programs(context: Context) -> None:
    registered = await reported_claim(context)
    await start_clock(context, registered.case_id, amount=5)
    told = await asyncio.to_thread(lian, "sla", "explain", registered.number, "claim.total")
    assert told.exit_code == 0, told.output
    for words in (registered.number, "Whole claim (claim.total)", "Promised: 5 working days", "Received at", "5 of 5"):
        assert words in told.stdout
    chinese = await asyncio.to_thread(lian, "sla", "explain", registered.number, "claim.total", "--lang", "zh")
    assert "承诺时限: 5个工作日" in chinese.stdout
    assert "收到当日不计入" in chinese.stdout
    given = await asyncio.to_thread(lian, "sla", "explain", registered.number, "claim.total", "--json")
    assert json.loads(given.stdout)["days"] == 5
    missing = await asyncio.to_thread(lian, "sla", "explain", registered.number, "claim.nothing")
    assert missing.exit_code == 1
    assert isinstance(missing.exception, StackError)
    assert "This case has no such promise." in str(missing.exception)
