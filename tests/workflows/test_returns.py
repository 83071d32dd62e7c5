"""A paid transfer that comes back while its claim is open: the process itself puts it on record (CLM-10)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlmodel import select

from lian.db.tables import JournalEntry, OutboxMessage, Payment, RecoveryClaim, Task
from lian.domain.errors import Unavailable
from lian.services import relay
from lian.services.recording import PAYMENT_RETURNED
from lian.services.returns import payment_returned
from lian.settings import Settings
from tests.workflows.hands import PATIENCE
from tests.workflows.office import Office, office

pytestmark = pytest.mark.req("CLM-10")


async def paid_and_objected_to(claim: Office) -> Payment:
    await claim.decide()
    await claim.settle()
    await claim.closed("paid")
    await claim.acts("object", by="customer", grounds="amount")
    await claim.open_task("review_objection")
    return await claim.payment("confirmed")


async def heard_of_a_return(claim: Office) -> None:
    """The bank's word was read; the claim may not have been told yet."""
    query = select(OutboxMessage).where(OutboxMessage.topic == PAYMENT_RETURNED)
    async with asyncio.timeout(PATIENCE):
        while True:
            async with claim.context.transaction() as session:
                if (await session.execute(query)).first():
                    return
            await asyncio.sleep(0.05)


async def test_it_is_agreed_and_paid_anew_beside_whatever_else_goes_on(settings: Settings) -> None:
    async with office(settings) as claim:
        await paid_and_objected_to(claim)
        await claim.payee_bank_returns()
        await claim.settle()
        assert {t.kind for t in await claim.rows(Task) if t.status == "open"} == {"review_objection"}
        await claim.does("review_objection", by="chen")
        await claim.closed("paid")
        case = await claim.case()
        assert (case.paid_amount, case.generation) == (4500, 2)
        assert sorted(p.status for p in await claim.rows(Payment)) == ["confirmed", "returned"]
        (returned,) = [e for e in await claim.rows(JournalEntry) if e.type == "payment.returned"]
        assert (returned.source, returned.body["reason"]) == ("process", "AC04")


async def test_a_reversal_agreed_to_while_the_return_is_on_its_way_does_not_stop_the_case(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_its_way = True

    async def slowly(*args: Any) -> None:
        if on_its_way:
            raise Unavailable("Not yet.")
        await payment_returned(*args)

    monkeypatch.setitem(relay.TOPICS, PAYMENT_RETURNED, slowly)
    async with office(settings) as claim:
        paid = await paid_and_objected_to(claim)
        await claim.acts("reverse_payment", by="chen", payment_id=str(paid.id), why="wrong_payee")
        await claim.payee_bank_returns()
        await heard_of_a_return(claim)
        await claim.does("approve_reversal")
        on_its_way = False
        await claim.does("agree_settlement")
        await claim.bank_answers()
        await claim.does("review_objection", by="gao")
        await claim.closed("paid")
        assert sorted(p.status for p in await claim.rows(Payment)) == ["confirmed", "reversed"]
        (recovery,) = await claim.rows(RecoveryClaim)
        assert (recovery.recovery, recovery.received_amount) == ("recall", 4500)
