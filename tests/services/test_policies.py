"""The policy system as a port: the register in Postgres and an insurer's own over HTTP give the same terms (CLM-2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from lian.domain.errors import Invalid, NotAllowed, Unavailable
from lian.domain.parties import Channel
from lian.services.context import Context
from lian.services.intake import report_claim
from lian.services.policies import SNAPSHOT, HttpPolicyLookup, put_policy, require_snapshot
from tests.cast import OFFICE, hire, motor_policy, report

pytestmark = pytest.mark.req("CLM-2")


def lookup(answer: Callable[[httpx.Request], httpx.Response]) -> HttpPolicyLookup:
    client = httpx.AsyncClient(base_url="http://policies.example", transport=httpx.MockTransport(answer))
    return HttpPolicyLookup("http://policies.example", "token", client)


async def test_the_register_gives_the_terms_that_were_put_in(context: Context) -> None:
    given = motor_policy(number="P/1 2")
    await put_policy(context, OFFICE, given)
    snapshot = await require_snapshot(context, "P/1 2")
    assert snapshot.coverages == tuple(sorted(given.coverages, key=lambda c: c.code))
    assert (snapshot.line, snapshot.term_from, snapshot.currency) == (given.line, given.term_from, "CNY")
    assert snapshot.taken_at is not None


async def test_another_policy_system_stands_in_the_registers_place(context: Context) -> None:
    await put_policy(context, OFFICE, motor_policy(number="P/1 2"))
    snapshot = await require_snapshot(context, "P/1 2")
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(200, content=SNAPSHOT.dump_json(snapshot))

    context.policies = lookup(answer)
    assert await require_snapshot(context, "P/1 2") == snapshot
    assert asked == ["/policies/P%2F1%202"]
    registered, _ = await report_claim(
        context, OFFICE, report(policy_number="P/1 2"), channel=Channel.PHONE, key="outside"
    )
    assert registered.number.startswith("CLM-")


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(200, content=b"{}"), httpx.Response(302)])
async def test_a_policy_system_that_fails_is_away_and_nothing_is_stored(
    context: Context, answer: httpx.Response
) -> None:
    context.policies = lookup(lambda _: answer)
    with pytest.raises(Unavailable):
        await report_claim(context, OFFICE, report(), channel=Channel.PHONE, key="away")


async def test_an_unknown_policy_is_none(context: Context) -> None:
    assert await context.policies.snapshot("nobody") is None
    assert await lookup(lambda _: httpx.Response(404)).snapshot("nobody") is None


async def test_only_those_who_may_change_policies_change_them(context: Context) -> None:
    wang = await hire(context, "wang")
    with pytest.raises(NotAllowed):
        await put_policy(context, wang, motor_policy())


async def test_a_claim_under_a_coverage_the_policy_lacks_is_refused(context: Context) -> None:
    await put_policy(context, OFFICE, motor_policy())
    losses = (report().losses[0].__class__(coverage_code="NONE", claimed_amount=report().claimed_amount),)
    with pytest.raises(Invalid, match="no such coverage"):
        await report_claim(context, OFFICE, report(losses=losses), channel=Channel.PHONE, key="none")


async def test_a_currency_our_amounts_do_not_fit_is_refused_before_anything_is_stored(context: Context) -> None:
    await put_policy(context, OFFICE, replace(motor_policy(number="P-YEN"), currency="JPY"))
    with pytest.raises(Invalid, match="currency"):
        await report_claim(context, OFFICE, report(policy_number="P-YEN"), channel=Channel.PHONE, key="yen")
