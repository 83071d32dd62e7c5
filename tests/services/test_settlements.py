"""Payees: what is on record of them, and what the bank will be told (CLM-10)."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from lian.db.tables import Party, Payee
from lian.domain import journal as j
from lian.domain.errors import Invalid, Unavailable
from lian.domain.messages import CompleteTask
from lian.domain.tasks import Json
from lian.services.context import Context
from lian.services.recording import put_on_record
from lian.services.settlements import name_payees
from tests.cast import OFFICE, reported_claim

pytestmark = pytest.mark.req("CLM-10")


class Agreement:
    """One settlement task of a case, answered with one command however often."""

    def __init__(self, context: Context, case_id: UUID, party: Party) -> None:
        self.context, self.case_id, self.party = context, case_id, party
        self.task_id, self.ask = uuid4(), {"decision_id": str(uuid4())}
        party_id = party.id
        bank = {"name": "赵磊", "account": "6222020200112233", "bank": "ICBC"}
        self.share: Json = {"party_id": str(party_id), "amount": "4500"} | bank

    async def told(self, *shares: Json, **more: Any) -> Json:
        """What the process learns of these shares."""
        command = CompleteTask(
            command_id="one",
            task_id=self.task_id,
            actor=OFFICE.id,
            authority=Decimal(0),
            outcome={"payees": [self.share | share for share in shares]} | more,
        )
        return (await name_payees(self.context, OFFICE, self.case_id, self.ask, command)).outcome

    async def named(self, **changes: Any) -> Payee:
        """The payee that the process is told of."""
        (share,) = (await self.told(changes))["payees"]
        async with self.context.transaction() as session:
            return await session.get_one(Payee, UUID(share["payee_id"]))


async def agreement(context: Context) -> Agreement:
    case_id = (await reported_claim(context)).case_id
    async with context.transaction() as session:
        party = (await session.execute(select(Party).where(Party.case_id == case_id))).scalars().first()
    assert party is not None
    return Agreement(context, case_id, party)


async def another_agreement(agreed: Agreement) -> Agreement:
    """The same person's next claim."""
    context = agreed.context
    case_id = (await reported_claim(context)).case_id
    party = j.PartyAdded(party_id=uuid4(), person_id=agreed.party.person_id, role="claimant", name="赵磊")
    await record(context, case_id, party)
    async with context.transaction() as session:
        return Agreement(context, case_id, await session.get_one(Party, party.party_id))


async def record(context: Context, case_id: UUID, *events: j.Event) -> None:
    async with context.transaction() as session:
        recorded = [j.Recorded(at=context.now(), actor="staff:a", event=event) for event in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def paid(context: Context, payee: Payee) -> UUID:
    """A transfer to the payee that the bank confirmed."""
    payment_id = uuid4()
    requested = j.PaymentRequested(
        payment_id=payment_id,
        payee_id=payee.id,
        decision_id=payee.decision_id,
        amount=payee.amount,
        currency="CNY",
    )
    sent = j.PaymentSent(payment_id=payment_id, instruction_key=str(payment_id))
    confirmed = j.PaymentConfirmed(payment_id=payment_id, bank_reference="R", paid_on=date(2026, 3, 2))
    await record(context, payee.case_id, requested, sent, confirmed)
    return payment_id


class Listed:
    """A sanctions list of one name, or one that is away."""

    def __init__(self, name: str = "", *, away: bool = False) -> None:
        self.name, self.away = name, away

    async def check(self, name: str) -> bool:
        if self.away:
            raise Unavailable("The sanctions list cannot be read.")
        return name == self.name


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


# --- changed accounts -------------------------------------------------------------------------------------------------

OTHER = "6222020200999999"


async def test_a_first_account_is_no_change(context: Context) -> None:
    first = await (await agreement(context)).named()
    assert (first.is_changed, first.sanctions, len(first.account_mark)) == (False, "clear", 64)


async def test_another_account_than_was_named_before_is_a_change(context: Context) -> None:
    agreed = await agreement(context)
    await agreed.named()
    (share,) = (await agreed.told({"account": OTHER}))["payees"]
    assert (share["is_changed"], share["account"]) == (True, "")


async def test_a_change_is_seen_across_cases(context: Context) -> None:
    first = await agreement(context)
    await first.named()
    later = await another_agreement(first)
    assert not (await later.named()).is_changed
    assert (await later.named(account=OTHER)).is_changed


async def test_the_account_that_was_paid_stays_known_whatever_was_named_since(context: Context) -> None:
    first = await agreement(context)
    await paid(context, await first.named())
    later = await another_agreement(first)
    assert (await later.named(account=OTHER)).is_changed
    assert not (await later.named(amount="4400")).is_changed


async def test_an_account_whose_payment_came_back_is_not_known_by_it(context: Context) -> None:
    first = await agreement(context)
    await first.named(account=OTHER)
    payment_id = await paid(context, await first.named())
    later = await another_agreement(first)
    assert not (await later.named()).is_changed
    await record(context, first.case_id, j.PaymentReturned(payment_id=payment_id, reason="AC04"))
    assert (await later.named(amount="4400")).is_changed


async def test_a_change_that_two_have_confirmed_is_known(context: Context) -> None:
    first = await agreement(context)
    await first.named()
    changed = await first.named(account=OTHER)
    later = await another_agreement(first)
    await record(
        context,
        first.case_id,
        *(
            j.PayeeChecked(payee_id=changed.id, what=what, is_right=True, checked_by="staff:b")
            for what in ("account", "customer")
        ),
    )
    assert not (await later.named(account=OTHER)).is_changed


async def test_an_answer_repeated_says_the_same_of_its_payees(context: Context) -> None:
    agreed = await agreement(context)
    await agreed.named()
    first = await agreed.told({"account": OTHER})
    assert await agreed.told({"account": OTHER}) == first


async def test_shares_of_one_settlement_may_go_to_several_accounts(context: Context) -> None:
    agreed = await agreement(context)
    told = await agreed.told({"amount": "4000"}, {"amount": "500", "account": OTHER}, extent="part")
    assert [(p["amount"], p["is_changed"]) for p in told["payees"]] == [("4000", False), ("500", False)]
    assert told["extent"] == "part"


@pytest.mark.parametrize("own", [{"is_changed": False}, {"sanctions": "clear"}, {"payee_id": str(uuid4())}])
async def test_what_a_caller_says_of_a_payee_is_not_heard(context: Context, own: Json) -> None:
    agreed = await agreement(context)
    agreed.context.sanctions = Listed("赵磊")
    await agreed.named()
    (honest,) = (await agreed.told({"account": OTHER}))["payees"]
    (share,) = (await agreed.told({"account": OTHER} | own))["payees"]
    assert share == honest
    assert (share["is_changed"], share["sanctions"]) == (True, "hit")


# --- sanctions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["赵磊", "Somebody Else"])
async def test_a_listed_party_is_a_hit_whatever_the_account_holder_is_called(context: Context, name: str) -> None:
    agreed = await agreement(context)
    context.sanctions = Listed("赵磊")
    (share,) = (await agreed.told({"name": name}))["payees"]
    assert share["sanctions"] == "hit"


async def test_a_listed_account_holder_is_a_hit(context: Context) -> None:
    agreed = await agreement(context)
    context.sanctions = Listed("Ivan Petrov")
    assert (await agreed.named(name="Ivan Petrov")).sanctions == "hit"
    assert (await agreed.named()).sanctions == "clear"


async def test_while_the_list_is_away_nobody_is_named(context: Context) -> None:
    agreed = await agreement(context)
    context.sanctions = Listed(away=True)
    with pytest.raises(Unavailable):
        await agreed.named()
    async with context.transaction() as session:
        assert (await session.execute(select(Payee))).scalars().all() == []


# --- minors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_minor", [True, False])
async def test_a_representative_is_paid_in_place_of_a_minor_only(context: Context, is_minor: bool) -> None:
    agreed = await agreement(context)
    child = j.PartyAdded(party_id=uuid4(), person_id=uuid4(), role="claimant", name="赵小", is_minor=is_minor)
    mother = j.PartyAdded(
        party_id=uuid4(), person_id=uuid4(), role="representative", name="钱芳", represents=child.party_id
    )
    await record(context, agreed.case_id, child, mother)
    if is_minor:
        payee = await agreed.named(party_id=str(mother.party_id), name="钱芳")
        assert payee.person_id == mother.person_id
    else:
        with pytest.raises(Invalid, match="in place of a minor"):
            await agreed.named(party_id=str(mother.party_id), name="钱芳")
    assert (await agreed.named(party_id=str(child.party_id))).person_id == child.person_id


async def test_nobody_outside_the_case_is_paid(context: Context) -> None:
    with pytest.raises(Invalid, match="party of the case"):
        await (await agreement(context)).named(party_id=str(uuid4()))
