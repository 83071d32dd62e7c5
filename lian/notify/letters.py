"""Letters as PDF: voucher (CLM-10), denial notice (CLM-11), request for documents (CLM-5), panel minutes (CLM-8),
a statement for the file (CLM-5), a longer time (CLM-12).

Set by Typst from the templates in `letters/`, with the facts handed over as JSON: what people wrote is always text,
never markup. The same facts give the same bytes, so a letter can be rendered again and compared by its hash.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import typst

from lian.domain.labels import Label, Language
from lian.domain.panel import RESULT_LABELS, RULE_LABELS, VOTE_LABELS, PanelResult, Rule, Vote

TEMPLATES = Path(__file__).parent / "letters"
UNSAID = Label("", "")
CUSTOMER_SERVICE = Label("Customer Service", "客户服务部")
FOR_THE_FILE = Label("To the claim file", "存入理赔案卷")
PaidBy = Literal["transfer", "cheque"]
Json = str | int | Sequence["Json"] | Mapping[str, "Json"]

_PAID_BY: dict[PaidBy, Label] = {
    "transfer": Label("Bank transfer", "银行转账"),
    "cheque": Label("Cheque", "支票"),
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ((10**8, "亿"), (10**4, "万"), (1000, "仟"), (100, "佰"), (10, "拾"))
_CURRENCY_WORDS = {"CNY": "人民币", "HKD": "港元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元"}
_RUN = re.compile(r"([^\s\u200b]{40})(?=[^\s\u200b])")


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherFacts:
    """What a payment voucher states (CLM-10). `payee_account` is shown by its last four characters only."""

    insurer_name: str
    case_number: str
    policy_number: str
    payee_name: str
    amount: Decimal
    currency: str
    bank_reference: str
    paid_on: date
    verification_hash: str
    payee_account: str = ""
    paid_by: PaidBy = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class DenialReason:
    """One reason in words, never its internal code, and the clause of the policy or law it rests on."""

    words: Label
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeniedExposure:
    """One coverage of one claimant that is not paid, with every reason."""

    coverage: Label
    reasons: Sequence[DenialReason]
    claimant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DenialFacts:
    """What a denial notice states (CLM-11). `contact` is free text: telephone, address, office hours."""

    insurer_name: str
    case_number: str
    policy_number: str
    addressee: str
    decided_on: date
    exposures: Sequence[DeniedExposure]
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingDocument:
    """One document we ask for, and what it is needed for."""

    name: Label
    why: Label = UNSAID


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRequestFacts:
    """What a request for documents states (CLM-5): all that is missing, once. `received`: what has arrived already."""

    insurer_name: str
    case_number: str
    policy_number: str
    addressee: str
    requested_on: date
    missing: Sequence[MissingDocument]
    received: Sequence[Label] = ()
    respond_by: date | None = None
    upload_address: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MinutedVote:
    """One member's vote, with the reasons they gave; `at` is in the office's zone."""

    name: str
    vote: Vote
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelMinutesFacts:
    """What the minutes of a panel state (CLM-8); times are in the office's zone."""

    insurer_name: str
    case_number: str
    policy_number: str
    proposal: Label
    amount: Decimal
    currency: str
    proposed_by: str
    why: Label
    seats: int
    quorum: int
    rule: Rule
    votes: Sequence[MinutedVote]
    result: PanelResult
    convened_at: datetime
    concluded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFacts:
    """What somebody wrote for the claim file; `written_at` is in the office's zone."""

    insurer_name: str
    case_number: str
    policy_number: str
    title: Label
    written_by: str
    written_at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionFacts:
    """What a letter on a longer time states (CLM-12): which promise, how much more of what, from when until when.

    `due` and `new_due` are dates, or moments in the office's zone for promises in hours; none while it stands still or
    the calendar of that year is not published. `rule` allows it. `is_claim`: which department signs.
    """

    insurer_name: str
    case_number: str
    policy_number: str
    addressee: str
    written_on: date
    promise: Label
    more: Label
    due: date | datetime | None
    new_due: date | datetime | None
    rule: str = ""
    is_claim: bool = True
    address: str = ""
    contact: str = ""


def render_voucher(facts: VoucherFacts, *, language: Language) -> bytes:
    """The payment voucher as PDF (CLM-10), with the amount in capital numerals 大写金额 in Chinese."""
    return _render("voucher.typ", voucher_words(facts, language), facts.paid_on)


def render_denial(facts: DenialFacts, *, language: Language) -> bytes:
    """The denial notice as PDF (CLM-11): every reason with its clause, and the ways to object.

    `ValueError` without a reason for each exposure: a denial that gives none must never go out (保险法 24).
    """
    if not facts.exposures or not all(exposure.reasons for exposure in facts.exposures):
        raise ValueError("a denial notice needs a reason for every exposure")
    return _render("denial.typ", denial_words(facts, language), facts.decided_on)


def render_document_request(facts: DocumentRequestFacts, *, language: Language) -> bytes:
    """The one complete request for what is missing as PDF (CLM-5, 一次性告知). `ValueError` when nothing is."""
    if not facts.missing:
        raise ValueError("a request for documents needs at least one document")
    return _render("request.typ", request_words(facts, language), facts.requested_on)


def render_minutes(facts: PanelMinutesFacts, *, language: Language) -> bytes:
    """The minutes of a panel as PDF (CLM-8): for the file, never for the customer."""
    return _render("minutes.typ", minutes_words(facts, language), facts.concluded_at.date())


def render_statement(facts: StatementFacts, *, language: Language) -> bytes:
    """What somebody wrote, as PDF for the claim file (CLM-5)."""
    return _render("statement.typ", statement_words(facts, language), facts.written_at.date())


def render_extension(facts: ExtensionFacts, *, language: Language) -> bytes:
    """The letter that a promise takes longer, as PDF (CLM-12): until when now, and what the customer may do."""
    return _render("extension.typ", extension_words(facts, language), facts.written_on)


def voucher_words(facts: VoucherFacts, language: Language) -> dict[str, Json]:
    """What the voucher's template shows, already in the reader's language."""
    return {
        **_heading(facts.insurer_name, facts.case_number, facts.policy_number, facts.payee_name),
        "payee": facts.payee_name,
        "account": f"**** {facts.payee_account[-4:]}" if len(facts.payee_account) > 8 else "",
        "amount": f"{facts.currency} {facts.amount:,.2f}",
        "amount_in_capitals": amount_in_capitals(facts.amount, facts.currency),
        "method": _PAID_BY[facts.paid_by].within(language),
        "bank_reference": facts.bank_reference,
        "paid_on": date_in_words(facts.paid_on, language),
        "verification_hash": _in_eights(facts.verification_hash),
        **_dated(facts.paid_on, language),
    }


def denial_words(facts: DenialFacts, language: Language) -> dict[str, Json]:
    """What the denial's template shows, already in the reader's language."""
    return {
        **_heading(facts.insurer_name, facts.case_number, facts.policy_number, facts.addressee),
        "contact": facts.contact,
        "exposures": [
            {
                "coverage": exposure.coverage.within(language),
                "claimant": exposure.claimant,
                "reasons": [
                    {"words": reason.words.within(language), "clause": reason.clause} for reason in exposure.reasons
                ],
            }
            for exposure in facts.exposures
        ],
        **_dated(facts.decided_on, language),
    }


def request_words(facts: DocumentRequestFacts, language: Language) -> dict[str, Json]:
    """What the request's template shows, already in the reader's language."""
    return {
        **_heading(facts.insurer_name, facts.case_number, facts.policy_number, facts.addressee),
        "contact": facts.contact,
        "upload_address": facts.upload_address,
        "items": [{"name": one.name.within(language), "why": one.why.within(language)} for one in facts.missing],
        "received": [name.within(language) for name in facts.received],
        "respond_by": date_in_words(facts.respond_by, language) if facts.respond_by else "",
        **_dated(facts.requested_on, language),
    }


def minutes_words(facts: PanelMinutesFacts, language: Language) -> dict[str, Json]:
    """What the minutes' template shows, already in the reader's language."""
    count = Counter(vote.vote for vote in facts.votes)
    return {
        **_heading(facts.insurer_name, facts.case_number, facts.policy_number, FOR_THE_FILE.within(language)),
        "proposal": facts.proposal.within(language),
        "amount": f"{facts.currency} {facts.amount:,.2f}",
        "proposed_by": facts.proposed_by,
        "why": facts.why.within(language),
        "seats": facts.seats,
        "quorum": facts.quorum,
        "rule": RULE_LABELS[facts.rule].within(language),
        "convened_at": moment_in_words(facts.convened_at, language),
        "votes": [
            {
                "name": vote.name,
                "vote": VOTE_LABELS[vote.vote].within(language),
                "reason": vote.reason,
                "at": moment_in_words(vote.at, language),
            }
            for vote in facts.votes
        ],
        "result": RESULT_LABELS[facts.result].within(language),
        **{vote.value: count[vote] for vote in Vote},
        **_dated(facts.concluded_at.date(), language),
    }


def statement_words(facts: StatementFacts, language: Language) -> dict[str, Json]:
    """What the statement's template shows: the words stay as they were written."""
    return {
        **_heading(facts.insurer_name, facts.case_number, facts.policy_number, FOR_THE_FILE.within(language)),
        "title": facts.title.within(language),
        "written_by": facts.written_by,
        "written_at": moment_in_words(facts.written_at, language),
        "paragraphs": facts.text.split("\n"),
        **_dated(facts.written_at.date(), language),
    }


def extension_words(facts: ExtensionFacts, language: Language) -> dict[str, Json]:
    """What the template of a longer time shows, already in the reader's language."""
    return {
        **_heading(facts.insurer_name, facts.case_number, facts.policy_number, facts.addressee),
        "department": "" if facts.is_claim else CUSTOMER_SERVICE.within(language),
        "promise": facts.promise.within(language),
        "more": facts.more.within(language),
        "due": _due_in_words(facts.due, language),
        "new_due": _due_in_words(facts.new_due, language),
        "rule": facts.rule,
        "address": facts.address,
        "contact": facts.contact,
        **_dated(facts.written_on, language),
    }


def _due_in_words(due: date | datetime | None, language: Language) -> str:
    if due is None:
        return ""
    return moment_in_words(due, language) if isinstance(due, datetime) else date_in_words(due, language)


def moment_in_words(at: datetime, language: Language) -> str:
    """`5 March 2026, 14:30` or `2026年3月5日 14:30`."""
    return date_in_words(at.date(), language) + (" " if language == "zh-CN" else ", ") + f"{at:%H:%M}"


def date_in_words(on: date, language: Language) -> str:
    """`5 March 2026` or `2026年3月5日`."""
    if language == "zh-CN":
        return f"{on.year}年{on.month}月{on.day}日"
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def amount_in_capitals(amount: Decimal, currency: str) -> str:
    """The amount in capital numerals 大写金额 as on Chinese vouchers: `人民币壹仟零伍元叁角整`.

    `ValueError` below zero, from 10^16 on, and for parts of a cent: a voucher must state what was paid.
    """
    cents = amount * 100
    if not cents.is_finite() or not 0 <= cents < 10**18 or cents != int(cents):
        raise ValueError("an amount in capitals is from 0 to below 10^16, in whole cents")
    whole, rest = divmod(int(cents), 100)
    words = f"{_in_capitals(whole)}元" if whole else ""
    return _CURRENCY_WORDS.get(currency, currency) + words + _cents_in_capitals(whole, rest)


def _in_capitals(number: int) -> str:
    for size, unit in _UNITS:
        if number >= size:
            high, low = divmod(number, size)
            # One 零 stands for any row of noughts between two digits.
            gap = "零" if 0 < low < size // 10 else ""
            return _in_capitals(high) + unit + gap + _in_capitals(low)
    return _DIGITS[number] if number else ""


def _cents_in_capitals(whole: int, rest: int) -> str:
    tenths, hundredths = divmod(rest, 10)
    if not rest:
        return "整" if whole else "零元整"
    words = f"{_DIGITS[tenths]}角" if tenths else ("零" if whole else "")
    return words + (f"{_DIGITS[hundredths]}分" if hundredths else "整")


def _heading(insurer_name: str, case_number: str, policy_number: str, addressee: str) -> dict[str, Json]:
    return {
        "insurer": insurer_name,
        "case_number": case_number,
        "policy_number": policy_number,
        "addressee": addressee,
    }


def _dated(on: date, language: Language) -> dict[str, Json]:
    return {
        "language": language,
        "issued_on": date_in_words(on, language),
        "year": on.year,
        "month": on.month,
        "day": on.day,
    }


def _in_eights(digits: str) -> str:
    """Groups a person can compare by eye."""
    return " ".join(digits[start : start + 8] for start in range(0, len(digits), 8))


def _literal(value: Json) -> Json:
    """Every text in the facts, fit to print: no controls, no bidi overrides, no runs wider than the page."""
    if isinstance(value, str):
        shown = "".join(c if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs"} else " " for c in value)
        return _RUN.sub("\\1\u200b", shown)
    if isinstance(value, Mapping):
        return {key: _literal(inner) for key, inner in value.items()}
    return value if isinstance(value, int) else [_literal(inner) for inner in value]


@cache
def _fonts() -> typst.Fonts:
    """Only fonts that came with the packages: a letter must look the same on every machine."""
    folder = Path(str(files("manimgx_fonts_cjk")))
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder])


def _render(
    template: str, words: Mapping[str, Json], on: date, output: Literal["pdf", "html"] = "pdf", *, attached: str = ""
) -> bytes:
    """The letter set from its template; as HTML only for tests, which read it as text. `attached` is left as it is."""
    # A compiler each time: one may not be shared by threads, and it costs 4 ms; the fonts are shared.
    compiler = typst.Compiler(input=TEMPLATES / template, root=TEMPLATES, font_paths=_fonts(), ignore_system_fonts=True)
    letter = compiler.compile(
        format=output,
        sys_inputs={"facts": json.dumps(_literal(words)), "attached": attached},
        # The letter's own date, not the clock's: the same facts give the same bytes.
        timestamp=datetime(on.year, on.month, on.day, tzinfo=UTC),
    )
    if not isinstance(letter, bytes):
        raise TypeError("a letter is one file")
    return letter
