"""Payees: what is on record of them, and what the bank will be told (CLM-10)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from lian.db.tables import Party, Payee
from lian.domain.errors import Invalid
from lian.domain.messages import CompleteTask
from lian.domain.tasks import Json
from lian.services.context import Context
from lian.services.settlements import name_payees
from tests.cast import OFFICE, reported_claim

pytestmark = pytest.mark.req("CLM-10")


class Agreement:
    """One settlement task of a case, answered with one command however often."""

    def __init__(self, context: Context, case_id: UUID, party_id: UUID) -> None:
        self.context, self.case_id = context, case_id
        self.task_id, self.ask = uuid4(), {"decision_id": str(uuid4())}
        bank = {"name": "赵磊", "account": "6222020200112233", "bank": "ICBC"}
        self.share: Json = {"party_id": str(party_id), "amount": "4500"} | bank

    async def named(self, **changes: str) -> Payee:
        """The payee that the process is told of."""
        command = CompleteTask(
            command_id="one",
            task_id=self.task_id,
            actor=OFFICE.id,
            authority=Decimal(0),
            outcome={"payees": [self.share | changes]},
        )
        told = await name_payees(self.context, OFFICE, self.case_id, self.ask, command)
        async with self.context.transaction() as session:
            return await session.get_one(Payee, UUID(told.outcome["payees"][0]["payee_id"]))


async def agreement(context: Context) -> Agreement:
    case_id = (await reported_claim(context)).case_id
    async with context.transaction() as session:
        party = (await session.execute(select(Party).where(Party.case_id == case_id))).scalars().first()
    assert party is not None
    return Agreement(context, case_id, party.id)


async def test_an_account_corrected_before_the_answer_is_repeated_is_the_one_that_is_paid(context: Context) -> None:
    agreed = await agreement(context)
    first = await agreed.named()
    assert (await agreed.named()).id == first.id
    corrected = await agreed.named(account="6222020200999999", amount="4400")
    assert (corrected.account_tail, corrected.amount) == ("9999", Decimal(4400))


async def test_an_answer_sent_several_times_at_once_names_one_payee(context: Context) -> None:
    agreed = await agreement(context)
    found = await asyncio.gather(*(agreed.named() for _ in range(5)))
    assert len({payee.id for payee in found}) == 1


@pytest.mark.parametrize("odd", [{"bank": ""}, {"bank": " "}, {"bank": "\x01"}, {"name": "\x01"}])
async def test_a_payee_whom_no_bank_could_pay_is_refused_before_the_settlement(
    context: Context, odd: dict[str, str]
) -> None:
    agreed = await agreement(context)
    with pytest.raises(Invalid):
        await agreed.named(**odd)
