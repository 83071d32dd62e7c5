"""Reserves and recoveries at the desk: who may, within what, and what stays on record (CLM-15)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.balance import unbalanced
from lian.db.journal import compare
from lian.db.tables import Case, Exposure, JournalEntry, OutboxMessage, RecoveryClaim, ReserveLine
from lian.domain import journal as j
from lian.domain.claims.money_actions import CLOSING_REASONS, MONEY_ACTIONS, OpenRecovery
from lian.domain.errors import Conflict, Invalid, NotAllowed, Unavailable
from lian.domain.ledger import Account
from lian.domain.tasks import ActionKind, questions
from lian.services.actions import act, show_action, without_personal
from lian.services.context import Context
from lian.services.intake import Registered
from lian.services.reading_money import money_of
from lian.services.recording import PAYMENT_RETURNED, enqueue, put_on_record
from tests.cast import as_customer, hire, reported_claim

pytestmark = pytest.mark.req("CLM-15")
DEBTOR = "周晓明汽车修理厂"


async def do(context: Context, actor: Actor, case: Registered, action: str, **outcome: Any) -> None:
    await act(context, actor, case.number, action, outcome=outcome, notes="", command_id=uuid4().hex)


async def record(context: Context, case: Registered, *events: j.Event, by: str = "staff:a") -> None:
    async with context.transaction() as session:
        recorded = [j.Recorded(at=context.now(), actor=by, event=event) for event in events]
        await put_on_record(context, session, case_id=case.case_id, recorded=recorded)


async def exposure_of(context: Context, case: Registered) -> Exposure:
    async with context.transaction() as session:
        return (await session.execute(select(Exposure).where(Exposure.case_id == case.case_id))).scalars().one()


async def recovery_of(context: Context, case: Registered) -> RecoveryClaim:
    async with context.transaction() as session:
        query = select(RecoveryClaim).where(RecoveryClaim.case_id == case.case_id)
        return (await session.execute(query)).scalars().one()


async def set_reserve(context: Context, actor: Actor, case: Registered, amount: str, **changes: str) -> None:
    exposure = await exposure_of(context, case)
    answer = {"exposure_id": str(exposure.id), "reserve_line": "indemnity", "amount": amount, "reason": "new_facts"}
    await do(context, actor, case, "set_reserve", **(answer | changes))


async def open_recovery(context: Context, actor: Actor, case: Registered, **changes: str) -> UUID:
    answer = {"recovery": "subrogation", "expected_amount": "3000", "counterparty": DEBTOR}
    await do(context, actor, case, "open_recovery", **(answer | changes))
    return (await recovery_of(context, case)).id


async def receive(context: Context, actor: Actor, case: Registered, amount: str, **changes: str) -> None:
    today = context.now().astimezone(context.settings.zone).date().isoformat()
    recovery_id = str((await recovery_of(context, case)).id)
    answer = {"recovery_id": recovery_id, "amount": amount, "received_on": today, "reference": "20260302-77"}
    await do(context, actor, case, "record_receipt", **(answer | changes))


async def close(context: Context, actor: Actor, case: Registered, reason: str) -> None:
    recovery_id = str((await recovery_of(context, case)).id)
    await do(context, actor, case, "close_recovery", recovery_id=recovery_id, reason=reason)


async def owed_back(context: Context, case: Registered, amount: str, *, by: str = "staff:a") -> UUID:
    """A payment that was recalled: our own money, claimed back."""
    recovery_id = uuid4()
    opened = j.RecoveryOpened(
        recovery_id=recovery_id, recovery="recall", expected_amount=Decimal(amount), currency="CNY"
    )
    await record(context, case, opened, by=by)
    return recovery_id


# --- reserves ---------------------------------------------------------------------------------------------------------


async def test_a_reserve_is_set_with_its_reason_and_the_history_says_who(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await set_reserve(context, wang, case, "8000")
    await set_reserve(context, wang, case, "600", reserve_line="expense", reason="expenses")
    money = await money_of(context, wang, case.number)
    assert [(r.reserve_line, r.amount, r.change, r.reason, r.set_by == wang.id) for r in money.reserves] == [
        ("expense", Decimal(600), Decimal(600), "expenses", True),
        ("indemnity", Decimal(8000), Decimal(3000), "new_facts", True),
        ("indemnity", Decimal(5000), Decimal(5000), "as_claimed", False),
    ]
    assert (money.reserve_amount, money.incurred_amount) == (Decimal(8600), Decimal(8600))


async def test_a_repeat_of_the_same_command_sets_it_once(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    exposure = await exposure_of(context, case)
    outcome = {"exposure_id": str(exposure.id), "reserve_line": "indemnity", "amount": "9", "reason": "release"}
    told = await asyncio.gather(
        *(act(context, wang, case.number, "set_reserve", outcome=outcome, notes="", command_id="one") for _ in range(4))
    )
    assert len({result.seq for result in told}) == 1
    async with context.transaction() as session:
        lines = (await session.execute(select(ReserveLine))).scalars().all()
    assert len(lines) == 2


@pytest.mark.req("CLM-9")
async def test_a_reserve_above_ones_authority_says_who_may(context: Context) -> None:
    case, wang, li = await reported_claim(context), await hire(context, "wang"), await hire(context, "li")
    with pytest.raises(NotAllowed, match="it needs that of: Senior claims adjuster"):
        await set_reserve(context, wang, case, "60000")
    with pytest.raises(NotAllowed, match="Nobody has the authority"):
        await set_reserve(context, wang, case, "999999999")
    await set_reserve(context, li, case, "60000")


@pytest.mark.req("CLM-9")
async def test_a_reserve_split_over_two_lines_is_no_way_around_the_limit(context: Context) -> None:
    case, wang, li = await reported_claim(context), await hire(context, "wang"), await hire(context, "li")
    await set_reserve(context, wang, case, "45000")
    with pytest.raises(NotAllowed):
        await set_reserve(context, wang, case, "6000", reserve_line="expense")
    await set_reserve(context, li, case, "900000")
    # What somebody above set may be lowered: nothing is promised by it.
    await set_reserve(context, wang, case, "400000", reason="release")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "-1"}, "amount"),
        ({"amount": "5000"}, "amount"),
        ({"amount": "10.005"}, "amount"),
        ({"exposure_id": str(uuid4())}, "exposure_id"),
        ({"reserve_line": "other"}, "reserve_line"),
        ({"reason": "as_claimed"}, "reason"),
    ],
)
async def test_a_reserve_that_cannot_be_is_refused_by_its_field(
    context: Context, changes: dict[str, str], field: str
) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    with pytest.raises(Invalid) as refused:
        await set_reserve(context, wang, case, **({"amount": "100"} | changes))
    assert refused.value.details["field"] == field


async def test_another_cases_exposure_is_not_offered(context: Context) -> None:
    case, other, wang = await reported_claim(context), await reported_claim(context), await hire(context, "wang")
    stranger = await exposure_of(context, other)
    with pytest.raises(Invalid, match="not one of the choices"):
        await set_reserve(context, wang, case, "100", exposure_id=str(stranger.id))


async def test_the_form_offers_the_exposures_by_coverage_and_claimant(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    form = await show_action(context, wang, case.number, "set_reserve")
    (option,) = form.ask["options"]["exposure_id"]
    assert (option["en"], option["zh"]) == ("Own damage · 赵磊", "车辆损失 · 赵磊")


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("who", ["sun", "admin"])
async def test_who_has_no_part_in_reserves_sets_none(context: Context, who: str) -> None:
    case, actor = await reported_claim(context), await hire(context, who)
    with pytest.raises(NotAllowed):
        await money_of(context, actor, case.number) if who == "admin" else await set_reserve(context, actor, case, "1")


@pytest.mark.req("SEC-1")
async def test_customers_see_no_reserves(context: Context) -> None:
    case = await reported_claim(context)
    with pytest.raises(NotAllowed):
        await money_of(context, await as_customer(context, case.number), case.number)


async def test_a_closed_case_has_no_reserve_to_set_but_recoveries_go_on(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await record(context, case, j.CaseClosed(outcome="paid"))
    with pytest.raises(Conflict):
        await set_reserve(context, wang, case, "1")
    await open_recovery(context, wang, case)
    await receive(context, wang, case, "3000")
    await close(context, wang, case, "received")
    assert (await recovery_of(context, case)).status == "closed"


# --- recoveries -------------------------------------------------------------------------------------------------------


async def test_a_recovery_runs_from_its_opening_to_its_end(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await open_recovery(context, wang, case)
    await receive(context, wang, case, "1000", reference="a1")
    await receive(context, wang, case, "500", reference="a2")
    await close(context, wang, case, "settled")
    money = await money_of(context, wang, case.number)
    (recovery,) = money.recoveries
    assert [r.reference for r in recovery.receipts] == ["A1", "A2"]
    assert (recovery.recovery.counterparty, recovery.recovery.closed_why, recovery.left_amount) == (
        DEBTOR,
        "settled",
        Decimal(0),
    )
    assert (money.recovered_amount, money.is_balanced) == (Decimal(1500), True)
    assert money.balances == {Account.BANK: Decimal(1500), Account.RECOVERED: Decimal(-1500)}
    assert [line.balance for line in money.ledger if line.account == Account.BANK] == [Decimal(1000), Decimal(1500)]
    async with context.transaction() as session:
        assert (await compare(session, context.ring)).damages == []
        assert await unbalanced(session) == []


async def test_nothing_is_booked_on_a_recovery_while_a_payment_of_the_case_is_coming_back(context: Context) -> None:
    """The return may lower what is owed: it must find every receipt there is, and none may come in between."""
    case, wang = await reported_claim(context), await hire(context, "wang")
    await owed_back(context, case, "1000")
    payload = {"case_id": str(case.case_id), "payment_id": str(uuid4()), "reason": "AC04"}
    async with context.transaction() as session:
        await enqueue(session, topic=PAYMENT_RETURNED, key="returned:1", payload=payload, now=context.now())
    with pytest.raises(Unavailable):
        await receive(context, wang, case, "1000")
    with pytest.raises(Unavailable):
        await close(context, wang, case, "settled")
    async with context.transaction() as session:
        message = (await session.execute(select(OutboxMessage).where(OutboxMessage.key == "returned:1"))).scalar_one()
        message.done_at = context.now()
    await receive(context, wang, case, "1000")


@pytest.mark.req("SEC-2")
async def test_the_other_partys_name_is_on_record_only_as_ciphertext(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await open_recovery(context, wang, case)
    async with context.transaction() as session:
        bodies = (await session.execute(text("SELECT body::text FROM journal"))).scalars().all()
        query = select(JournalEntry).where(JournalEntry.type == "action.taken")
        (taken,) = (await session.execute(query)).scalars().all()
    assert not any(DEBTOR in body for body in bodies)
    assert taken.body["outcome"] == {"recovery": "subrogation", "expected_amount": "3000", "counterparty": ""}


@pytest.mark.parametrize("action", MONEY_ACTIONS, ids=lambda kind: kind.id)
def test_no_answer_about_money_is_kept_with_a_personal_field(action: ActionKind) -> None:
    asked = questions(action.outcome)
    kept = without_personal(action, dict.fromkeys(asked, "x"))
    assert {name for name, value in kept.items() if value == ""} == {n for n, q in asked.items() if q.personal}
    assert kept.keys() == asked.keys()


def test_personal_fields_in_rows_are_blank_too() -> None:
    action = MONEY_ACTIONS[0]
    rows = ActionKind(
        id="x",
        label=action.label,
        help=action.help,
        permission="",
        outcome=OpenRecovery,
        rows={"more": OpenRecovery},
    )
    kept = without_personal(rows, {"counterparty": "a", "more": [{"counterparty": "b", "recovery": "salvage"}]})
    assert kept == {"counterparty": "", "more": [{"counterparty": "", "recovery": "salvage"}]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"recovery": "recall"}, "recovery"),
        ({"recovery": "overpayment"}, "recovery"),
        ({"expected_amount": "0"}, "expected_amount"),
        ({"expected_amount": "1000000000000"}, "expected_amount"),
        ({"counterparty": "  "}, "counterparty"),
    ],
)
async def test_a_recovery_that_cannot_be_is_refused_by_its_field(
    context: Context, changes: dict[str, str], field: str
) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    with pytest.raises(Invalid) as refused:
        await open_recovery(context, wang, case, **changes)
    assert refused.value.details["field"] == field


async def test_more_than_was_expected_may_come_of_subrogation(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await open_recovery(context, wang, case)
    await receive(context, wang, case, "3200")
    with pytest.raises(Invalid, match="close it as received"):
        await close(context, wang, case, "settled")
    await close(context, wang, case, "received")
    assert (await money_of(context, wang, case.number)).recovered_amount == 3200


async def test_no_more_than_is_owed_comes_of_our_own_money(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await owed_back(context, case, "1000")
    await receive(context, wang, case, "400", reference="1")
    with pytest.raises(Invalid, match="more than is owed"):
        await receive(context, wang, case, "600.01", reference="2")
    await receive(context, wang, case, "600", reference="3")


async def test_one_receipt_is_booked_once_by_its_reference(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await open_recovery(context, wang, case)
    said = await asyncio.gather(
        *(receive(context, wang, case, "100", reference=r) for r in ("ab 1", "AB1", "ab1")), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in said) == ["Conflict", "Conflict", "NoneType"]
    assert (await recovery_of(context, case)).received_amount == 100


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"reference": " "}, "reference"),
        ({"reference": "转账 赵磊"}, "reference"),
        ({"reference": "9" * 36}, "reference"),
        ({"received_on": "2019-01-01"}, "received_on"),
        ({"received_on": "yesterday"}, "received_on"),
        ({"recovery_id": str(uuid4())}, "recovery_id"),
    ],
)
async def test_a_receipt_that_cannot_be_is_refused_by_its_field(
    context: Context, changes: dict[str, str], field: str
) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await open_recovery(context, wang, case)
    with pytest.raises(Invalid) as refused:
        await receive(context, wang, case, **({"amount": "10"} | changes))
    assert refused.value.details["field"] == field


async def test_a_receipt_of_tomorrow_is_refused(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await open_recovery(context, wang, case)
    tomorrow = (context.now() + timedelta(days=1)).astimezone(context.settings.zone).date()
    with pytest.raises(Invalid, match="between the loss and today"):
        await receive(context, wang, case, "10", received_on=tomorrow.isoformat())


async def test_nothing_comes_in_on_a_closed_recovery(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await open_recovery(context, wang, case)
    await close(context, wang, case, "no_right")
    with pytest.raises(Invalid, match="not one of the choices"):
        await receive(context, wang, case, "10")
    with pytest.raises(Invalid, match="not one of the choices"):
        await close(context, wang, case, "no_right")


async def test_what_did_not_come_in_full_is_not_closed_as_received(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await open_recovery(context, wang, case)
    with pytest.raises(Invalid, match="Not everything"):
        await close(context, wang, case, "received")


# --- giving up our own money ------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-9")
async def test_our_own_money_is_given_up_only_within_authority(context: Context) -> None:
    case = await reported_claim(context)
    wang, chen, li = [await hire(context, name) for name in ("wang", "chen", "li")]
    await owed_back(context, case, "7000")
    await receive(context, wang, case, "500")
    with pytest.raises(NotAllowed, match="above your authority of 0"):
        await close(context, wang, case, "insolvent")
    with pytest.raises(NotAllowed, match=r"6500.00 is above your authority of 5000.00; it needs that of: Team lead"):
        await close(context, chen, case, "insolvent")
    await close(context, li, case, "insolvent")
    money = await money_of(context, li, case.number)
    assert money.balances[Account.RECOVERABLE] == 0
    assert money.balances[Account.INCURRED] == 6500


@pytest.mark.req("CLM-9")
async def test_who_claimed_our_money_back_does_not_give_it_up(context: Context) -> None:
    case, li = await reported_claim(context), await hire(context, "li")
    await owed_back(context, case, "7000", by=li.id)
    with pytest.raises(NotAllowed, match="cannot also give it up"):
        await close(context, li, case, "uneconomic")


async def test_our_own_money_that_came_in_full_is_closed_by_anybody(context: Context) -> None:
    case, wang = await reported_claim(context), await hire(context, "wang")
    await owed_back(context, case, "7000", by=wang.id)
    await receive(context, wang, case, "7000")
    await close(context, wang, case, "received")
    async with context.transaction() as session:
        row = await session.get_one(Case, case.case_id)
    assert (row.paid_amount, (await recovery_of(context, case)).status) == (Decimal(-7000), "closed")


def test_every_reason_has_its_words_in_both_languages() -> None:
    for kind in MONEY_ACTIONS:
        for name, asked in questions(kind.outcome).items():
            assert asked.label.zh != asked.label.en, name
            assert all(label.zh and label.en for label in asked.options.values())
    assert len(CLOSING_REASONS) == 7
