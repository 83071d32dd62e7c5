"""Letters as a reader finds them: voucher, denial notice, request for documents."""

from __future__ import annotations

import hashlib
import html
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from lian.domain.labels import LANGUAGES, Label, Language
from lian.notify import letters
from lian.notify.letters import (
    DenialFacts,
    DenialReason,
    DeniedExposure,
    DocumentRequestFacts,
    ExtensionFacts,
    MissingDocument,
    VoucherFacts,
    amount_in_capitals,
    render_denial,
    render_document_request,
    render_extension,
    render_voucher,
)

HOSTILE = '#import "x": * $x^2$ @ref *bold* _it_ `raw` <label> // gone /* gone */ [c] \\ #panic("no") #{1+1} ~ -- "q"'

VOUCHER = VoucherFacts(
    insurer_name="Lian Insurance 立案保险",
    case_number="CLM-2026-000123",
    policy_number="P-2025-88812",
    payee_name="赵晓梅",
    payee_account="6222020200112233445",
    amount=Decimal("12345.60"),
    currency="CNY",
    bank_reference="ICBC000188273",
    paid_on=date(2026, 3, 5),
    verification_hash="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)
DENIAL = DenialFacts(
    insurer_name="Lian Insurance 立案保险",
    case_number="CLM-2026-000123",
    policy_number="P-2025-88812",
    addressee="赵晓梅",
    decided_on=date(2026, 3, 5),
    contact="95500",
    exposures=[
        DeniedExposure(
            coverage=Label("Critical illness", "重大疾病保险金"),
            claimant="赵晓梅",
            reasons=[
                DenialReason(words=Label("Diagnosed within the waiting period", "处于等待期内"), clause="Art. 2.3"),
                DenialReason(words=Label("Existed before the policy", "投保前已患疾病"), clause="Art. 5.1(4)"),
            ],
        ),
        DeniedExposure(
            coverage=Label("Vehicle damage", "机动车损失保险"),
            reasons=[DenialReason(words=Label("Used as a taxi", "从事营运"), clause="Art. 9(3)")],
        ),
    ],
)
REQUEST = DocumentRequestFacts(
    insurer_name="Lian Insurance 立案保险",
    case_number="CLM-2026-000123",
    policy_number="P-2025-88812",
    addressee="赵晓梅",
    requested_on=date(2026, 3, 5),
    respond_by=date(2026, 4, 4),
    missing=[
        MissingDocument(name=Label("Identity card", "身份证"), why=Label("To pay the right person", "核实收款人身份")),
        MissingDocument(name=Label("Hospital invoices", "医疗费用发票")),
    ],
    received=[Label("Claim form", "理赔申请书")],
    upload_address="https://claims.example/track",
)


EXTENSION = ExtensionFacts(
    insurer_name="Lian Insurance 立案保险",
    case_number="CMP-2026-000123",
    policy_number="P-2025-88812",
    addressee="赵晓梅",
    written_on=date(2026, 3, 30),
    promise=Label("Handling of a complex complaint", "复杂投诉处理"),
    more=Label("30 calendar days", "30个自然日"),
    due=date(2026, 4, 1),
    new_due=date(2026, 5, 1),
    rule="银保监会令2020年第3号 18(1)",
    address="https://claims.example/track",
)


def text_of(template: str, words: dict[str, Any]) -> str:
    """The letter as a person reads it, without its layout."""
    page = letters._render(template, words, date(2026, 3, 5), output="html").decode()
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.partition("<body>")[2])).split())


def voucher(language: Language, **changes: Any) -> str:
    return text_of("voucher.typ", letters.voucher_words(replace(VOUCHER, **changes), language))


def denial(language: Language, **changes: Any) -> str:
    return text_of("denial.typ", letters.denial_words(replace(DENIAL, **changes), language))


def request(language: Language, **changes: Any) -> str:
    return text_of("request.typ", letters.request_words(replace(REQUEST, **changes), language))


def extension(language: Language, **changes: Any) -> str:
    return text_of("extension.typ", letters.extension_words(replace(EXTENSION, **changes), language))


@pytest.mark.req("CLM-12")
def test_a_longer_time_is_told_with_both_dates_its_rule_and_the_ways_to_complain() -> None:
    chinese = extension("zh-CN")
    for words in (
        "复杂投诉处理",
        "30个自然日",
        "2026年4月1日",
        "2026年5月1日",
        "18(1)",
        "投诉",
        "12378",
        "claims.example",
    ):
        assert words in chinese
    english = extension("en")
    for words in ("Handling of a complex complaint", "1 April 2026", "1 May 2026", "complaint", "regulator", "online"):
        assert words in english


@pytest.mark.req("CLM-12")
def test_a_longer_time_of_hours_is_told_by_the_moment() -> None:
    text = extension("en", due=datetime(2026, 4, 1, 9, 5), new_due=datetime(2026, 4, 2, 9, 5))  # noqa: DTZ001
    assert "1 April 2026, 09:05" in text
    assert "2 April 2026, 09:05" in text


@pytest.mark.req("CLM-12")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_longer_time_without_dates_leaves_no_gap(language: Language) -> None:
    text = extension(language, due=None, new_due=None, rule="", address="", policy_number="")
    assert ("not known yet" if language == "en" else "暂无法确定") in text
    assert not any(words in text for words in ("Rule that allows it", "延期依据", "Policy number", "保单号"))
    assert render_extension(replace(EXTENSION, due=None, policy_number=""), language=language).startswith(b"%PDF-")


@pytest.mark.parametrize(("is_claim", "department"), [(True, ""), (False, "客户服务部")])
def test_a_letter_on_no_claim_is_not_signed_by_the_claims_department(is_claim: bool, department: str) -> None:
    words = letters.extension_words(replace(EXTENSION, is_claim=is_claim), "zh-CN")
    assert words["department"] == department


@pytest.mark.req("CLM-10")
def test_a_voucher_states_what_was_paid_to_whom() -> None:
    text = voucher("zh-CN")
    for words in ("理赔支付凭证", "立案保险", "CLM-2026-000123", "P-2025-88812", "赵晓梅", "ICBC000188273"):
        assert words in text
    assert "CNY 12,345.60" in text
    assert "人民币壹万贰仟叁佰肆拾伍元陆角整" in text
    assert "2026年3月5日" in text
    assert "9f86d081 884c7d65" in text
    assert "**** 3445" in text
    assert "6222020200112233445" not in text


@pytest.mark.req("CLM-10")
def test_an_english_voucher_has_no_capital_numerals() -> None:
    text = voucher("en", paid_by="cheque")
    assert "Claim payment voucher" in text
    assert "5 March 2026" in text
    assert "Cheque" in text
    assert "壹" not in text


def test_a_short_account_is_not_shown_at_all() -> None:
    assert "****" not in voucher("en", payee_account="12345678")


@pytest.mark.req("CLM-11")
def test_a_denial_gives_every_reason_with_its_clause() -> None:
    text = denial("zh-CN")
    for words in (
        "重大疾病保险金",
        "处于等待期内",
        "Art. 2.3",
        "投保前已患疾病",
        "Art. 5.1(4)",
        "从事营运",
        "Art. 9(3)",
    ):
        assert words in text


@pytest.mark.req("CLM-11")
def test_a_denial_names_the_ways_to_object() -> None:
    chinese = denial("zh-CN")
    assert all(words in chinese for words in ("复核", "投诉", "12378", "仲裁", "诉讼"))
    english = denial("en")
    assert all(words in english for words in ("look again", "complaint", "regulator", "court", "arbitration"))


@pytest.mark.req("CLM-11")
@pytest.mark.parametrize("exposures", [[], [DeniedExposure(coverage=Label("Theft", "盗抢险"), reasons=[])]])
def test_a_denial_without_reasons_never_goes_out(exposures: list[DeniedExposure]) -> None:
    with pytest.raises(ValueError, match="reason"):
        render_denial(replace(DENIAL, exposures=exposures), language="en")


@pytest.mark.req("CLM-5")
def test_a_request_lists_everything_that_is_missing_once() -> None:
    text = request("zh-CN")
    for words in ("一次性", "身份证", "核实收款人身份", "医疗费用发票", "2026年4月4日", "理赔申请书", "claims.example"):
        assert words in text
    english = request("en")
    assert "The list is complete" in english
    assert english.index("Identity card") < english.index("Hospital invoices")


@pytest.mark.req("CLM-5")
def test_a_request_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        render_document_request(replace(REQUEST, missing=[]), language="en")


def test_a_request_without_date_or_address_leaves_no_gap() -> None:
    assert "by ." not in request("en", respond_by=None, upload_address="", received=())


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_write_is_never_markup(language: Language) -> None:
    assert HOSTILE in voucher(language, payee_name=HOSTILE)
    assert HOSTILE in denial(language, addressee=HOSTILE)
    assert HOSTILE in request(language, addressee=HOSTILE)
    assert HOSTILE in extension(language, addressee=HOSTILE, rule=HOSTILE)
    hostile = Label(HOSTILE, HOSTILE)
    reason = DenialReason(words=hostile, clause=HOSTILE)
    assert denial(language, exposures=[DeniedExposure(coverage=hostile, reasons=[reason])]).count(HOSTILE) == 3


@pytest.mark.parametrize(
    "name", ["𠮷野家", "赵\u202e梅", "a\x00b", "\ud800", "🚗", "مرحبا", "x" * 1000, "病" * 1000, ""]
)
def test_any_name_can_be_printed(name: str) -> None:
    assert render_voucher(replace(VOUCHER, payee_name=name), language="zh-CN").startswith(b"%PDF-")


def test_bidi_overrides_are_not_printed() -> None:
    assert "\u202e" not in voucher("en", payee_name="Zhao\u202eiem")


def every_letter() -> list[bytes]:
    return [
        letter
        for language in LANGUAGES
        for letter in (
            render_voucher(VOUCHER, language=language),
            render_denial(DENIAL, language=language),
            render_document_request(REQUEST, language=language),
        )
    ]


def test_the_same_facts_give_the_same_bytes_in_another_process() -> None:
    program = (
        "import hashlib; from tests.notify.test_letters import every_letter;"
        "print(hashlib.sha256(b''.join(every_letter())).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == hashlib.sha256(b"".join(every_letter())).hexdigest()


def test_letters_may_be_set_by_many_threads_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        rendered = list(pool.map(lambda _: every_letter(), range(16)))
    assert all(one == rendered[0] for one in rendered)


def test_a_letter_takes_less_than_a_second() -> None:
    started = time.perf_counter()
    every_letter()
    assert time.perf_counter() - started < 6


@pytest.mark.req("CLM-10")
@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "人民币零元整"),
        ("0.05", "人民币伍分"),
        ("0.50", "人民币伍角整"),
        ("0.55", "人民币伍角伍分"),
        ("1", "人民币壹元整"),
        ("1.05", "人民币壹元零伍分"),
        ("10", "人民币壹拾元整"),
        ("105", "人民币壹佰零伍元整"),
        ("1005.30", "人民币壹仟零伍元叁角整"),
        ("1050", "人民币壹仟零伍拾元整"),
        ("10000", "人民币壹万元整"),
        ("10005", "人民币壹万零伍元整"),
        ("100500", "人民币壹拾万零伍佰元整"),
        ("107000.53", "人民币壹拾万柒仟元伍角叁分"),
        ("6007.14", "人民币陆仟零柒元壹角肆分"),
        ("1680.32", "人民币壹仟陆佰捌拾元叁角贰分"),
        ("100000000", "人民币壹亿元整"),
        ("100010000", "人民币壹亿零壹万元整"),
        ("1000000000000", "人民币壹万亿元整"),
        ("9999999999999999.99", "人民币玖仟玖佰玖拾玖万玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
    ],
)
def test_amounts_are_written_in_capital_numerals(amount: str, words: str) -> None:
    assert amount_in_capitals(Decimal(amount), "CNY") == words


@pytest.mark.parametrize("amount", ["-1", "0.001", "NaN", "Infinity", "1e16"])
def test_an_amount_that_cannot_be_paid_has_no_words(amount: str) -> None:
    with pytest.raises(ValueError, match="capitals"):
        amount_in_capitals(Decimal(amount), "CNY")
