"""Payments as files exchanged with the bank (CLM-10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lian.domain.errors import Conflict, Invalid
from lian.storage.bank_files import (
    PAIN_001,
    BadBankFile,
    BankAnswer,
    Iso20022Bank,
    MalformedBankFile,
    PaymentOrder,
    read_pain_001,
    read_pain_002,
    render_pain_001,
    render_pain_002,
)
from lian.storage.object_store import StoreUnavailable
from tests.fakes.object_store import MemoryObjectStore

FIRST = UUID("7f0c1d52-6a7e-4a5e-9d0a-0123456789ab")
SECOND = UUID("8f0c1d52-6a7e-4a5e-9d0a-0123456789ab")
AT = datetime(2026, 3, 5, 8, 30, tzinfo=UTC)
DEBTOR = {"debtor_name": "Lian Insurance", "debtor_account": "110060149012345678", "debtor_bank": "ICBKCNBJ"}


def order(**changes: Any) -> PaymentOrder:
    return replace(
        PaymentOrder(
            payment_id=FIRST,
            amount=Decimal("1234.50"),
            currency="CNY",
            payee_name="赵晓梅",
            payee_account="6222020200112233445",
            payee_bank="中国工商银行上海分行",
            remittance="CLM-2026-000123 理赔款",
            requested_at=AT,
            execution_on=date(2026, 3, 6),
        ),
        **changes,
    )


@pytest.fixture
def store() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest.fixture
def bank(store: MemoryObjectStore) -> Iso20022Bank:
    return Iso20022Bank(store, **DEBTOR)


def answer(store: MemoryObjectStore, name: str, *, to: str, accepted: bool = True, reason: str = "") -> str:
    """Play the bank: answer one instruction under `bank/in/`."""
    body = render_pain_002(store.read(to, limit=10**6), accepted=accepted, reason=reason, at=AT)
    return store.put_bytes(f"bank/in/{name}.xml", body, content_type="application/xml").key


def status_file(inside: str) -> bytes:
    return (
        '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">'
        f"<CstmrPmtStsRpt>{inside}</CstmrPmtStsRpt></Document>"
    ).encode()


def transaction(payment_id: str, status: str) -> str:
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{payment_id}</OrgnlEndToEndId><TxSts>{status}</TxSts></TxInfAndSts>"
        if status
        else f"<TxInfAndSts><OrgnlEndToEndId>{payment_id}</OrgnlEndToEndId></TxInfAndSts>"
    )


@pytest.mark.req("CLM-10")
def test_an_order_survives_the_way_to_the_bank() -> None:
    assert read_pain_001(render_pain_001(order(), **DEBTOR)) == [order()]


@pytest.mark.req("CLM-10")
def test_the_instruction_has_the_fields_a_bank_checks() -> None:
    root = ET.fromstring(render_pain_001(order(), **DEBTOR))
    text = {element.tag.rpartition("}")[2]: element.text for element in root.iter()}

    assert root.tag == f"{{{PAIN_001}}}Document"
    assert (text["NbOfTxs"], text["CtrlSum"], text["InstdAmt"]) == ("1", "1234.50", "1234.50")
    assert text["EndToEndId"] == FIRST.hex
    assert len(text["MsgId"] or "") <= 35
    assert (text["CreDtTm"], text["Dt"]) == ("2026-03-05T08:30:00Z", "2026-03-06")
    assert (text["BICFI"], text["Nm"]) == ("ICBKCNBJ", "赵晓梅")


def test_the_same_instant_in_another_zone_gives_the_same_bytes() -> None:
    shanghai = AT.astimezone(timezone(timedelta(hours=8)))
    assert render_pain_001(order(requested_at=shanghai), **DEBTOR) == render_pain_001(order(), **DEBTOR)
    same = order(amount=Decimal("1234.5000"), payee_account="6222 0202 0011 2233 445")
    assert render_pain_001(same, **DEBTOR) == render_pain_001(order(), **DEBTOR)


def test_only_a_real_iban_is_sent_as_one() -> None:
    assert b"<IBAN>GB82WEST12345698765432</IBAN>" in render_pain_001(
        order(payee_account="GB82 WEST 1234 5698 7654 32"), **DEBTOR
    )
    assert b"<IBAN>" not in render_pain_001(order(payee_account="GB82WEST12345698765433"), **DEBTOR)


def rendered_or_refused(given: PaymentOrder) -> bytes | Invalid:
    try:
        return render_pain_001(given, **DEBTOR)
    except Invalid as refused:
        return refused


@given(name=st.text(min_size=1, max_size=300), remittance=st.text(max_size=300))
def test_whatever_people_write_is_text_and_fits(name: str, remittance: str) -> None:
    rendered = rendered_or_refused(order(payee_name=name, remittance=remittance))
    if isinstance(rendered, Invalid):
        assert "names" in rendered.message
        return
    [read] = read_pain_001(rendered)
    assert 0 < len(read.payee_name) <= 140
    assert len(read.remittance) <= 140


def test_markup_in_a_name_stays_text() -> None:
    name = "</Nm><InstdAmt Ccy=\"CNY\">9</InstdAmt><Nm>&x; ]]> 'q'"
    [read] = read_pain_001(render_pain_001(order(payee_name=name), **DEBTOR))
    assert (read.payee_name, read.amount) == (name, Decimal("1234.50"))


def test_a_long_name_is_not_cut_within_a_character() -> None:
    [read] = read_pain_001(render_pain_001(order(payee_name="a" * 139 + "e\u0301" + "b" * 50), **DEBTOR))
    assert read.payee_name == "a" * 139


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Decimal(0)},
        {"amount": Decimal(-1)},
        {"amount": Decimal("0.001")},
        {"amount": Decimal("NaN")},
        {"amount": Decimal("1e400")},
        {"amount": Decimal("0.5"), "currency": "JPY"},
        {"currency": "yuan"},
        {"payee_name": " \x00 "},
        {"payee_account": "9" * 35},
        {"payee_account": ""},
        {"payee_account": "62220<x/>"},
    ],
)
def test_an_order_no_bank_could_execute_is_refused(
    bank: Iso20022Bank, store: MemoryObjectStore, changes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        bank.instruct(order(**changes))
    assert store.bodies == {}


@pytest.mark.req("CLM-10")
def test_instructing_twice_is_one_instruction(bank: Iso20022Bank, store: MemoryObjectStore) -> None:
    assert bank.find(FIRST) is None
    key = bank.instruct(order())
    body = store.bodies[key]

    assert bank.instruct(order()) == key
    assert bank.find(FIRST) == key == f"bank/out/{FIRST}.xml"
    assert (store.bodies, store.writes) == ({key: body}, {key: 1})


@pytest.mark.req("CLM-10")
def test_a_repeat_that_raced_writes_the_same_bytes(store: MemoryObjectStore) -> None:
    """Fault 13: both looked before either wrote."""
    Iso20022Bank(store, **DEBTOR).instruct(order())
    first = dict(store.bodies)
    store.bodies.clear()
    Iso20022Bank(store, **DEBTOR).instruct(order())
    assert store.bodies == first


@pytest.mark.parametrize("changes", [{"amount": Decimal(9)}, {"payee_account": "6222"}, {"currency": "USD"}])
def test_other_money_under_the_same_payment_is_a_conflict(bank: Iso20022Bank, changes: dict[str, Any]) -> None:
    bank.instruct(order())
    with pytest.raises(Conflict):
        bank.instruct(order(**changes))


def test_an_unreachable_store_is_an_unknown_outcome(bank: Iso20022Bank, store: MemoryObjectStore) -> None:
    store.away = True
    with pytest.raises(StoreUnavailable):
        bank.instruct(order())
    with pytest.raises(StoreUnavailable):
        bank.find(FIRST)


@pytest.mark.req("CLM-10")
def test_answers_are_read_once_and_in_order(bank: Iso20022Bank, store: MemoryObjectStore) -> None:
    paid = answer(store, "1", to=bank.instruct(order()))
    refused = answer(
        store, "2", to=bank.instruct(order(payment_id=SECOND)), accepted=False, reason="AC04 account closed"
    )

    assert list(bank.answers(lambda _: False)) == [
        BankAnswer(FIRST, "accepted", "", paid),
        BankAnswer(SECOND, "rejected", "AC04 account closed", refused),
    ]
    assert [one.file_key for one in bank.answers({paid}.__contains__)] == [refused]


@pytest.mark.req("CLM-10")
def test_a_bad_file_does_not_stop_the_others(bank: Iso20022Bank, store: MemoryObjectStore) -> None:
    store.put_bytes("bank/in/1.xml", b"<html>", content_type="application/xml")
    store.put_bytes("bank/in/2.xml", b"x" * (5 * 1024 * 1024), content_type="application/xml")
    answer(store, "3", to=bank.instruct(order()))

    first, second, third = bank.answers(lambda _: False)

    assert isinstance(first, BadBankFile)
    assert (first.file_key, first.problem) == ("bank/in/1.xml", "The bank's file is not safe, well-formed XML.")
    assert isinstance(second, BadBankFile)
    assert isinstance(third, BankAnswer)


def test_a_reason_without_code_goes_out_as_narrative() -> None:
    body = render_pain_002(render_pain_001(order(), **DEBTOR), accepted=False, reason="No such <person>", at=AT)
    assert b"<Cd>NARR</Cd>" in body
    assert read_pain_002(body) == [BankAnswer(FIRST, "rejected", "No such <person>", "")]


def test_one_file_may_answer_two_payments() -> None:
    body = status_file(
        f"<OrgnlPmtInfAndSts>{transaction(FIRST.hex, 'ACSC')}{transaction(SECOND.hex, 'ACSP')}</OrgnlPmtInfAndSts>"
    )
    assert [(one.payment_id, one.status) for one in read_pain_002(body)] == [(FIRST, "accepted"), (SECOND, "pending")]


@pytest.mark.parametrize(
    "inside",
    [
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>M{FIRST.hex}</OrgnlMsgId><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>",
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>P{FIRST.hex}</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>",
        f"<OrgnlPmtInfAndSts><PmtInfSts>RJCT</PmtInfSts>{transaction(FIRST.hex, '')}</OrgnlPmtInfAndSts>",
    ],
)
def test_a_refusal_of_the_whole_file_refuses_its_payment(inside: str) -> None:
    assert read_pain_002(status_file(inside)) == [BankAnswer(FIRST, "rejected", "", "")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"<Document/>",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        status_file(""),
        status_file("<OrgnlPmtInfAndSts/>"),
        status_file(f"<OrgnlPmtInfAndSts>{transaction('not-ours', 'ACSC')}</OrgnlPmtInfAndSts>"),
        status_file(f"<OrgnlPmtInfAndSts>{transaction(FIRST.hex, 'MAYBE')}</OrgnlPmtInfAndSts>"),
        status_file(f"<OrgnlPmtInfAndSts>{transaction(FIRST.hex, '')}</OrgnlPmtInfAndSts>"),
        status_file("<OrgnlGrpInfAndSts><OrgnlMsgId>theirs</OrgnlMsgId><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>"),
    ],
)
def test_a_malformed_answer_is_never_guessed_at(body: bytes) -> None:
    with pytest.raises(MalformedBankFile):
        read_pain_002(body)


XXE = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>'
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><Document>&b;</Document>'


@pytest.mark.parametrize("body", [XXE, LAUGHS])
@pytest.mark.parametrize("read", [read_pain_001, read_pain_002])
def test_entities_are_refused(read: Any, body: bytes) -> None:
    with pytest.raises(MalformedBankFile, match="not safe"):
        read(body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<CtrlSum>1234.50</CtrlSum>", b"<CtrlSum>1.00</CtrlSum>"),
        (b"<NbOfTxs>1</NbOfTxs>", b"<NbOfTxs>2</NbOfTxs>"),
        (b">1234.50</InstdAmt>", b">NaN</InstdAmt>"),
        (b">1234.50</InstdAmt>", b">-5</InstdAmt>"),
        (FIRST.hex.encode(), b"zz"),
        (b"2026-03-06", b"soon"),
        (b"2026-03-05T08:30:00Z", b"2026-03-05T08:30:00"),
        (b"CdtrAcct", b"Other"),
    ],
)
def test_an_instruction_that_was_changed_is_refused(old: bytes, new: bytes) -> None:
    body = render_pain_001(order(), **DEBTOR)
    assert old in body
    with pytest.raises(MalformedBankFile):
        read_pain_001(body.replace(old, new))
