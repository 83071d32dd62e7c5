"""Of a claim with several claimants its customer sees and answers what is theirs, and a minor's for whom they act."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.tables import Case, Exposure, Party
from lian.domain import journal as j
from lian.domain.claims.fnol import ClaimedLoss, PersonGiven
from lian.domain.errors import NotAllowed, NotFound
from lian.services.asked import asked_of_customer
from lian.services.cases import CaseQuery, case_file, list_cases
from lian.services.context import Context
from lian.services.desk import complete_task, show_task, tasks_for_customer
from lian.services.documents import letter_received, list_documents, open_document, store_letter
from lian.services.tracking import track
from tests.api.conftest import as_process, open_task
from tests.cast import ZHAO, as_customer, hire, pdf, reported_claim
from tests.fakes.process import FakeProcess

pytestmark = pytest.mark.req("SEC-1")

ZHOU = PersonGiven(name="周敏", phone="13900000001")
CHILD = PersonGiven(name="赵小", is_minor=True, represented_by=ZHAO)
BANK = {"name": "赵磊", "account": "6222020200112233", "bank": "ICBC"}


@dataclass(frozen=True)
class Shared:
    """A claim that Zhao reported for several people; by name the party who is paid in the end."""

    context: Context
    number: str
    case_id: UUID
    zhao: Actor
    payable: dict[str, Party]
    exposures: dict[str, Exposure]

    async def settlement(self, *names: str) -> UUID:
        """The task to accept a settlement with shares of these people."""
        rows = [{"party_id": str(self.payable[name].id), "amount": "4500"} for name in names]
        ask = {
            "approved_amount": str(4500 * len(names)),
            "decision_id": str(uuid4()),
            "currency": "CNY",
            "rows": {"payees": rows},
        }
        queue = "claims.settlement"
        return await open_task(self.context, self.case_id, kind="agree_settlement", queue=queue, ask=ask)

    async def paid(self, name: str, tail: str) -> UUID:
        """A transfer that arrived; its voucher."""
        payment, payee = uuid4(), await self.named(name, tail)
        stored = await store_letter(self.context, await self._case(), pdf(name))
        voucher = letter_received(uuid4(), "voucher", pdf(name), stored, "voucher.pdf")
        await as_process(
            self.context,
            self.case_id,
            j.PaymentRequested(
                payment_id=payment, payee_id=payee, decision_id=uuid4(), amount=Decimal(4500), currency="CNY"
            ),
            j.PaymentSent(payment_id=payment, instruction_key=str(payment)),
            j.PaymentConfirmed(payment_id=payment, bank_reference="R", paid_on=date(2026, 3, 2)),
            voucher,
            j.LetterIssued(document_id=voucher.document_id, letter="voucher", payment_id=payment),
        )
        return voucher.document_id

    async def named(self, name: str, tail: str) -> UUID:
        """A payee on record."""
        payee = j.PayeeNamed(
            payee_id=uuid4(),
            decision_id=uuid4(),
            person_id=self.payable[name].person_id,
            amount=Decimal(4500),
            name=name,
            account=f"622202020011{tail}",
            bank="ICBC",
        )
        await as_process(self.context, self.case_id, payee)
        return payee.payee_id

    async def decided(self) -> None:
        """4,000 for each of the losses."""
        made = j.DecisionMade(
            decision_id=uuid4(),
            decided_by="staff:a",
            result="accept",
            approved_amount=Decimal(4000 * len(self.exposures)),
            needs_second=False,
        )
        each = [
            j.ExposureDecided(
                exposure_id=e.id,
                result="accept",
                payable_amount=Decimal(4000),
                deductible_applied=Decimal(0),
                findings=(),
            )
            for e in self.exposures.values()
        ]
        await as_process(self.context, self.case_id, *each, made)

    async def _case(self) -> Case:
        async with self.context.transaction() as session:
            return await session.get_one(Case, self.case_id)


async def shared(context: Context, *claimants: PersonGiven) -> Shared:
    """One loss for each of these people."""
    losses = tuple(
        ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(5000 + n), claimant=n) for n in range(len(claimants))
    )
    registered = await reported_claim(context, claimants=claimants, losses=losses)
    async with context.transaction() as session:
        query = select(Party).where(Party.case_id == registered.case_id)
        parties = (await session.execute(query)).scalars().all()
        found = (await session.execute(select(Exposure).where(Exposure.case_id == registered.case_id))).scalars()
        exposures = {e.claimant_party_id: e for e in found}
    acting = {p.represents: p for p in parties if p.role == "representative"}
    claiming = [p for p in parties if p.role == "claimant"]
    return Shared(
        context,
        registered.number,
        registered.case_id,
        await as_customer(context, registered.number),
        {p.name: acting.get(p.id, p) for p in claiming},
        {p.name: exposures[p.id] for p in claiming},
    )


async def seen(claim: Shared) -> list[UUID]:
    tasks = {found.task.id for found in await tasks_for_customer(claim.context, claim.zhao)}
    assert {asked.found.task.id for asked in await asked_of_customer(claim.context, claim.zhao)} == tasks
    return sorted(tasks)


async def answer(claim: Shared, task_id: UUID, **outcome: Any) -> None:
    await complete_task(claim.context, claim.zhao, task_id, outcome=outcome, notes="", command_id=uuid4().hex)


# --- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-10")
@pytest.mark.parametrize("names", [("周敏",), ("赵磊", "周敏")], ids=["another's", "theirs and another's"])
async def test_a_settlement_with_another_claimants_share_is_not_asked_of_the_reporter(
    context: Context, process: FakeProcess, names: tuple[str, ...]
) -> None:
    claim = await shared(context, ZHAO, ZHOU)
    others, own = await claim.settlement(*names), await claim.settlement("赵磊")
    assert await seen(claim) == [own]
    with pytest.raises(NotFound):
        await show_task(context, claim.zhao, others)
    shares = [{"party_id": str(claim.payable[name].id), "amount": "4500"} | BANK for name in names]
    with pytest.raises(NotFound):
        await answer(claim, others, payees=shares)
    assert process.told == []
    await answer(claim, own, payees=[{"party_id": str(claim.payable["赵磊"].id), "amount": "4500"} | BANK])
    assert len(process.told) == 1


@pytest.mark.req("CLM-10")
async def test_another_claimants_account_is_not_confirmed_by_the_reporter(
    context: Context, process: FakeProcess
) -> None:
    claim = await shared(context, ZHAO, ZHOU)
    tasks = {}
    for name, tail in (("周敏", "9999"), ("赵磊", "1111")):
        ask = {"party_id": str(claim.payable[name].id), "payee_id": str(await claim.named(name, tail))}
        queue = "claims.settlement"
        tasks[name] = await open_task(context, claim.case_id, kind="confirm_account", queue=queue, ask=ask)
    assert await seen(claim) == [tasks["赵磊"]]
    with pytest.raises(NotFound):
        await answer(claim, tasks["周敏"], is_right=True)
    await answer(claim, tasks["赵磊"], is_right=True)
    assert [told.task_id for told in process.told] == [tasks["赵磊"]]


async def test_a_payee_who_is_not_on_record_is_nobodys(context: Context) -> None:
    claim = await shared(context, ZHAO)
    ask = {"payee_id": str(uuid4())}
    await open_task(context, claim.case_id, kind="confirm_account", queue="claims.settlement", ask=ask)
    stranger = {"rows": {"payees": [{"party_id": str(uuid4()), "amount": "1"}]}}
    await open_task(context, claim.case_id, kind="agree_settlement", queue="claims.settlement", ask=stranger)
    assert await seen(claim) == []


@pytest.mark.req("CLM-10")
async def test_whoever_acts_for_a_minor_answers_for_them(context: Context, process: FakeProcess) -> None:
    claim = await shared(context, CHILD, ZHAO)
    both = await claim.settlement("赵小", "赵磊")
    assert await seen(claim) == [both]
    shares = [{"party_id": str(claim.payable[name].id), "amount": "4500"} | BANK for name in ("赵小", "赵磊")]
    await answer(claim, both, payees=shares)
    assert len(process.told) == 1


@pytest.mark.req("CLM-10")
async def test_a_minor_who_is_paid_themselves_is_answered_for_by_whoever_acts_for_them(
    context: Context, process: FakeProcess
) -> None:
    claim = await shared(context, CHILD)
    async with context.transaction() as session:
        query = select(Party).where(Party.case_id == claim.case_id, Party.role == "claimant")
        child = (await session.execute(query)).scalars().one()
    claim = replace(claim, payable={"赵小": child})
    task_id = await claim.settlement("赵小")
    assert await seen(claim) == [task_id]
    await answer(claim, task_id, payees=[{"party_id": str(child.id), "amount": "4500"} | BANK])
    assert len(process.told) == 1


async def test_whoever_acts_for_an_adult_is_not_that_adult(context: Context) -> None:
    claim = await shared(context, ZHAO, ZHOU)
    await as_process(
        context,
        claim.case_id,
        j.PartyAdded(
            party_id=uuid4(),
            person_id=claim.payable["赵磊"].person_id,
            role="representative",
            represents=claim.payable["周敏"].id,
            name="赵磊",
        ),
    )
    await claim.settlement("周敏")
    assert await seen(claim) == []


async def test_a_share_for_somebody_else_is_refused_also_when_what_was_offered_is_theirs(context: Context) -> None:
    claim = await shared(context, ZHAO, ZHOU)
    own = await claim.settlement("赵磊")
    with pytest.raises(NotAllowed):
        await answer(claim, own, payees=[{"party_id": str(claim.payable["周敏"].id), "amount": "4500"} | BANK])


# --- what is told -----------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-10", "CLM-11")
async def test_the_reporter_is_told_of_their_own_losses_and_money_only(context: Context) -> None:
    claim = await shared(context, ZHAO, ZHOU)
    await claim.decided()
    own, others = await claim.paid("赵磊", "1111"), await claim.paid("周敏", "9999")
    told = await track(context, claim.zhao, claim.number)
    assert [p.account_tail for p in told.payments] == ["1111"]
    assert [p.voucher_document_id for p in told.payments] == [own]
    assert [e.claimed_amount for e in told.exposures] == [Decimal(5000)]
    assert (told.claimed_amount, told.approved_amount) == (Decimal(5000), Decimal(4000))
    assert others not in {d.id for d in told.documents}
    (listed,) = await list_cases(context, claim.zhao, CaseQuery())
    file = (await case_file(context, claim.zhao, claim.number)).case
    assert {(c.claimed_amount, c.approved_amount, c.paid_amount) for c in (listed, file)} == {
        (Decimal(5000), Decimal(4000), Decimal(4500))
    }


@pytest.mark.req("CLM-10")
async def test_the_voucher_of_another_claimants_transfer_does_not_open(context: Context) -> None:
    claim = await shared(context, ZHAO, ZHOU)
    own, others = await claim.paid("赵磊", "1111"), await claim.paid("周敏", "9999")
    assert {d.id for d in await list_documents(context, claim.zhao, claim.number)} == {own}
    opened = await open_document(context, claim.zhao, claim.number, own, how="preview")
    assert opened.document.id == own
    with pytest.raises(NotFound):
        await open_document(context, claim.zhao, claim.number, others, how="preview")


async def test_whoever_acts_for_a_minor_is_told_of_theirs_too(context: Context) -> None:
    claim = await shared(context, CHILD, ZHAO, ZHOU)
    await claim.decided()
    told = await track(context, claim.zhao, claim.number)
    assert sorted(e.claimed_amount for e in told.exposures) == [Decimal(5000), Decimal(5001)]


async def test_staff_see_everybodys_part_and_what_is_stored_stays_whole(context: Context) -> None:
    claim = await shared(context, ZHAO, ZHOU)
    await claim.decided()
    for name, tail in (("赵磊", "1111"), ("周敏", "9999")):
        await claim.paid(name, tail)
    await case_file(context, claim.zhao, claim.number)
    wang = await hire(context, "li")
    told = await track(context, wang, claim.number)
    assert (len(told.payments), len(told.exposures), told.approved_amount) == (2, 2, Decimal(8000))
    assert len(await list_documents(context, wang, claim.number)) == 2
