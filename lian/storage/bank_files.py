"""Payments as files exchanged with the bank (CLM-10): ISO 20022 pain.001 out, pain.002 back.

One file holds one payment, and its key is the payment's id. That is what makes an instruction effectively once: a
repeat writes the same bytes under the same key, and "does the bank have it?" is a question about one key.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal
from uuid import UUID
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lian.domain.errors import Conflict, Invalid, NotFound, TooLarge
from lian.storage.object_store import ObjectStore, object_key

PAIN_001 = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
PAIN_002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
OUT = "bank/out/"
IN = "bank/in/"
FILE_BYTES = 4 * 1024 * 1024
XML = "application/xml"

_TEXT_LENGTH = 140
_ACCOUNT_LENGTH = 34
_REASON_LENGTH = 105
_WHOLE_CURRENCIES = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "VND", "XAF", "XOF"})
_LARGEST = Decimal("1e13")
_ACCOUNT = re.compile(r"[0-9A-Za-z-]+")
_CURRENCY = re.compile(r"[A-Z]{3}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_REASON_CODE = re.compile(r"(?P<code>[A-Z]{2}[0-9]{2}|NARR)\b[\s:]*(?P<words>.*)", re.DOTALL)
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Status = Literal["accepted", "rejected", "pending"]

# Only settled money is "accepted": a voucher is written on it. The rest of the "accepted for ..." codes are promises.
_STATUS: dict[str, Status] = {
    "ACSC": "accepted",
    "ACCC": "accepted",
    "RJCT": "rejected",
    "CANC": "rejected",
    "ACTC": "pending",
    "ACCP": "pending",
    "ACSP": "pending",
    "ACWC": "pending",
    "ACWP": "pending",
    "ACFC": "pending",
    "ACPD": "pending",
    "PATC": "pending",
    "PDNG": "pending",
    "RCVD": "pending",
}


class MalformedBankFile(Invalid):
    """A bank file that cannot be read safely. A person must look at it; guessing moves money."""

    code = "malformed_bank_file"


@dataclass(frozen=True)
class PaymentOrder:
    """One payment to instruct. `requested_at` is an instant (seconds count), `execution_on` the bank's working date."""

    payment_id: UUID
    amount: Decimal
    currency: str
    payee_name: str
    payee_account: str
    payee_bank: str
    remittance: str
    requested_at: datetime
    execution_on: date


@dataclass(frozen=True)
class BankAnswer:
    """What the bank says about one payment: `accepted` means the money has left; `file_key` is where it says so."""

    payment_id: UUID
    status: Status
    reason: str
    file_key: str


@dataclass(frozen=True)
class BadBankFile:
    """An answer file nobody could read, and why: for a person to look at (fault 14)."""

    file_key: str
    problem: str


class Iso20022Bank:
    """The default payment provider: writes instructions to and reads answers from the object store (CLM-10)."""

    def __init__(self, store: ObjectStore, *, debtor_name: str, debtor_account: str, debtor_bank: str) -> None:
        self._store = store
        self._debtor_name = debtor_name
        self._debtor_account = debtor_account
        self._debtor_bank = debtor_bank

    def find(self, payment_id: UUID) -> str | None:
        """Key of the instruction if the bank has it already: how an unknown outcome is settled."""
        key = _out_key(payment_id)
        return key if self._store.stat(key) else None

    def instruct(self, order: PaymentOrder) -> str:
        """Hand the order to the bank exactly once and return the key of the instruction.

        Safe to repeat and to race: the same order is the same bytes under the same key. Raises `Conflict` when the
        bank holds other money under this payment id, and `Invalid` for an order no bank could execute.
        """
        body = self._render(order)
        if held := self.find(order.payment_id):
            self._require_same(held, order)
            return held
        return self._store.put_bytes(_out_key(order.payment_id), body, content_type=XML).key

    def answers(self, seen: Callable[[str], bool]) -> Iterator[BankAnswer | BadBankFile]:
        """Answers in files not seen before, in the order of their keys; unreadable files as `BadBankFile`.

        A file may hold several answers: mark its key as seen only when all of them are recorded.
        """
        for entry in self._store.entries(IN):
            if not seen(entry.key):
                yield from self._read_answers(entry.key)

    def _render(self, order: PaymentOrder) -> bytes:
        return render_pain_001(
            order,
            debtor_name=self._debtor_name,
            debtor_account=self._debtor_account,
            debtor_bank=self._debtor_bank,
        )

    def _require_same(self, key: str, order: PaymentOrder) -> None:
        held = read_pain_001(self._store.read(key, limit=FILE_BYTES))
        asked = (order.payment_id, order.amount, order.currency, _account(order.payee_account))
        if [(one.payment_id, one.amount, one.currency, one.payee_account) for one in held] != [asked]:
            raise Conflict("The bank already holds a different instruction for this payment.")

    def _read_answers(self, key: str) -> list[BankAnswer | BadBankFile]:
        try:
            return [replace(answer, file_key=key) for answer in read_pain_002(self._store.read(key, limit=FILE_BYTES))]
        except (MalformedBankFile, TooLarge, NotFound) as error:
            return [BadBankFile(key, error.message)]


def render_pain_001(order: PaymentOrder, *, debtor_name: str, debtor_account: str, debtor_bank: str) -> bytes:
    """The order as pain.001.001.09, byte-identical for the same order. EndToEndId is the payment id in hex.

    Names and remittance are cut to the 140 characters the standard allows; an account is never cut, because a cut
    account is somebody else's. Raises `Invalid` for amounts, currencies, names and accounts no bank could execute.
    """
    amount = _amount(order)
    document, report = _document(PAIN_001, "CstmrCdtTrfInitn")
    header = SubElement(report, "GrpHdr")
    _add(header, "MsgId", _message_id(order.payment_id))
    _add(header, "CreDtTm", _instant(order.requested_at))
    _add_totals(header, amount)
    _add(SubElement(header, "InitgPty"), "Nm", _name(debtor_name))
    instruction = SubElement(report, "PmtInf")
    _add(instruction, "PmtInfId", _instruction_id(order.payment_id))
    _add(instruction, "PmtMtd", "TRF")
    _add_totals(instruction, amount)
    _add(SubElement(instruction, "ReqdExctnDt"), "Dt", order.execution_on.isoformat())
    _add(SubElement(instruction, "Dbtr"), "Nm", _name(debtor_name))
    _add_account(instruction, "DbtrAcct", debtor_account)
    _add_bank(instruction, "DbtrAgt", debtor_bank)
    _add_transfer(instruction, order, amount)
    return _serialise(document)


def read_pain_001(body: bytes) -> list[PaymentOrder]:
    """The orders of an instruction file, as the bank would read them. Raises `MalformedBankFile`."""
    report = _parse(body, PAIN_001, "CstmrCdtTrfInitn")
    with _reading():
        requested_at = _read_instant(_text(report, "GrpHdr/CreDtTm"))
        orders = [
            _read_transfer(transfer, requested_at, date.fromisoformat(_text(instruction, "ReqdExctnDt/Dt")))
            for instruction in report.iterfind("{*}PmtInf")
            for transfer in instruction.iterfind("{*}CdtTrfTxInf")
        ]
        _require_totals(report, orders)
    return orders


def render_pain_002(original: bytes, *, accepted: bool, reason: str, at: datetime) -> bytes:
    """What a bank answers to an instruction file (pain.002.001.10): the simulator plays the bank with this.

    A `reason` may begin with an ISO reason code (`AC04 account closed`); otherwise it goes out as narrative. A refusal
    in a second file, after an acceptance in a first, says that the paid money came back; each file has its own key, as
    one that was read is not read again. Raises `MalformedBankFile` when the original is not a pain.001.
    """
    orders = read_pain_001(original)
    sent = _parse(original, PAIN_001, "CstmrCdtTrfInitn")
    document, report = _document(PAIN_002, "CstmrPmtStsRpt")
    header = SubElement(report, "GrpHdr")
    _add(header, "MsgId", hashlib.sha256(original + f"{accepted}{reason}{_instant(at)}".encode()).hexdigest()[:32])
    _add(header, "CreDtTm", _instant(at))
    group = SubElement(report, "OrgnlGrpInfAndSts")
    _add(group, "OrgnlMsgId", _text(sent, "GrpHdr/MsgId"))
    _add(group, "OrgnlMsgNmId", PAIN_001.rpartition(":")[2])
    instruction = SubElement(report, "OrgnlPmtInfAndSts")
    _add(instruction, "OrgnlPmtInfId", _text(sent, "PmtInf/PmtInfId"))
    for order in orders:
        _add_answer(instruction, order.payment_id, "ACSC" if accepted else "RJCT", reason)
    return _serialise(document)


def read_pain_002(body: bytes) -> list[BankAnswer]:
    """The answers of a status file, with an empty `file_key`. Raises `MalformedBankFile`, never guesses.

    A status given once for the whole file or instruction counts for the payment in it, as banks refuse a whole file.
    """
    report = _parse(body, PAIN_002, "CstmrPmtStsRpt")
    group = report.find("{*}OrgnlGrpInfAndSts")
    with _reading():
        answers = [
            answer
            for instruction in report.iterfind("{*}OrgnlPmtInfAndSts")
            for answer in _read_instruction(instruction, group)
        ]
        if not answers and group is not None:
            answers = [_answer(_id_within(_text(group, "OrgnlMsgId")), (group, "GrpSts"))]
    if not answers:
        raise MalformedBankFile("The bank's file has no payment in it.")
    return answers


def _out_key(payment_id: UUID) -> str:
    return object_key("bank", "out", f"{payment_id}.xml")


def _message_id(payment_id: UUID) -> str:
    return f"M{payment_id.hex}"


def _instruction_id(payment_id: UUID) -> str:
    return f"P{payment_id.hex}"


def _id_within(text: str) -> UUID:
    """The payment id in an identification of ours, with or without its letter in front."""
    return UUID(hex=text[-32:])


# --- writing -----------------------------------------------------------------------------------------------------


def _document(namespace: str, name: str) -> tuple[Element, Element]:
    document = Element("Document", {"xmlns": namespace})
    return document, SubElement(document, name)


def _serialise(document: Element) -> bytes:
    indent(document)
    body: bytes = tostring(document, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _add(parent: Element, tag: str, text: str) -> Element:
    element = SubElement(parent, tag)
    element.text = text
    return element


def _add_totals(parent: Element, amount: str) -> None:
    _add(parent, "NbOfTxs", "1")
    _add(parent, "CtrlSum", amount)


def _add_transfer(parent: Element, order: PaymentOrder, amount: str) -> None:
    transfer = SubElement(parent, "CdtTrfTxInf")
    identity = SubElement(transfer, "PmtId")
    _add(identity, "InstrId", order.payment_id.hex)
    _add(identity, "EndToEndId", order.payment_id.hex)
    _add(SubElement(transfer, "Amt"), "InstdAmt", amount).set("Ccy", order.currency)
    _add_bank(transfer, "CdtrAgt", order.payee_bank)
    _add(SubElement(transfer, "Cdtr"), "Nm", _name(order.payee_name))
    _add_account(transfer, "CdtrAcct", order.payee_account)
    if remittance := _fit(order.remittance):
        _add(SubElement(transfer, "RmtInf"), "Ustrd", remittance)


def _add_account(parent: Element, tag: str, account: str) -> None:
    number = _account(account)
    identity = SubElement(SubElement(parent, tag), "Id")
    if _is_iban(number):
        _add(identity, "IBAN", number)
    else:
        _add(SubElement(identity, "Othr"), "Id", number)


def _add_bank(parent: Element, tag: str, bank: str) -> None:
    institution = SubElement(SubElement(parent, tag), "FinInstnId")
    name = _name(bank)
    _add(institution, "BICFI" if _BIC.fullmatch(name) else "Nm", name)


def _add_answer(parent: Element, payment_id: UUID, status: str, reason: str) -> None:
    answer = SubElement(parent, "TxInfAndSts")
    _add(answer, "OrgnlInstrId", payment_id.hex)
    _add(answer, "OrgnlEndToEndId", payment_id.hex)
    _add(answer, "TxSts", status)
    if words := _fit(reason, _REASON_LENGTH + 5):
        coded = _REASON_CODE.fullmatch(words)
        information = SubElement(answer, "StsRsnInf")
        _add(SubElement(information, "Rsn"), "Cd", coded["code"] if coded else "NARR")
        if narrative := _fit(coded["words"] if coded else words, _REASON_LENGTH):
            _add(information, "AddtlInf", narrative)


def _amount(order: PaymentOrder) -> str:
    if not _CURRENCY.fullmatch(order.currency):
        raise Invalid("A payment needs a currency of three capital letters.")
    if not order.amount.is_finite() or not 0 < order.amount < _LARGEST:
        raise Invalid("A payment must be above zero and below ten trillion.")
    rounded = order.amount.quantize(Decimal(1) if order.currency in _WHOLE_CURRENCIES else Decimal("0.01"))
    if rounded != order.amount:
        raise Invalid("A payment cannot have parts of the currency's smallest unit.")
    return f"{rounded:f}"


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(text: str) -> str:
    name = _fit(text)
    if not name:
        raise Invalid("A payment needs the names of payer, payee and both banks.")
    return name


def is_name(text: str) -> bool:
    """Whether a bank can be given this as a name: something readable is in it."""
    return bool(_fit(text))


def _account(text: str) -> str:
    number = re.sub(r"\s", "", text)
    if not _ACCOUNT.fullmatch(number) or len(number) > _ACCOUNT_LENGTH:
        raise Invalid("An account number has up to 34 digits and letters.")
    return number


def _is_iban(number: str) -> bool:
    """By its check digits: a Chinese account number must not be taken for one by its looks."""
    if not _IBAN.fullmatch(number):
        return False
    return int("".join(str(int(c, 36)) for c in number[4:] + number[:4])) % 97 == 1


def _fit(text: str, length: int = _TEXT_LENGTH) -> str:
    """One line of what XML can hold, cut between whole characters (a base with its marks)."""
    line = " ".join(_NOT_XML.sub("", text).split())
    if len(line) <= length:
        return line
    end = length
    while end and (unicodedata.combining(line[end]) or line[end] in "\u200d\ufe0f" or line[end - 1] == "\u200d"):
        end -= 1
    return line[:end].rstrip()


# --- reading -----------------------------------------------------------------------------------------------------


@contextmanager
def _reading() -> Iterator[None]:
    """Turn what conversion and look-up raise inside into one error that says nothing of the content."""
    try:
        yield
    except (ValueError, ArithmeticError, LookupError) as error:
        raise MalformedBankFile("The bank's file lacks a value or has one that cannot be.") from error


def _parse(body: bytes, namespace: str, name: str) -> Element:
    try:
        document: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise MalformedBankFile("The bank's file is not safe, well-formed XML.") from error
    report = document.find(f"{{{namespace}}}{name}") if document.tag == f"{{{namespace}}}Document" else None
    if report is None:
        raise MalformedBankFile(f"The bank's file is not a {namespace.rpartition(':')[2]}.")
    return report


def _optional(parent: Element, path: str) -> str:
    found = parent.findtext("/".join(f"{{*}}{step}" for step in path.split("/")))
    return (found or "").strip()


def _text(parent: Element, path: str) -> str:
    text = _optional(parent, path)
    if not text:
        raise MalformedBankFile(f"The bank's file lacks {path}.")
    return text


def _read_instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise MalformedBankFile("The bank's file has an instant without a time zone.")
    return at.astimezone(UTC)


def _read_transfer(transfer: Element, requested_at: datetime, execution_on: date) -> PaymentOrder:
    amount = transfer.find("{*}Amt/{*}InstdAmt")
    if amount is None:
        raise MalformedBankFile("The bank's file lacks Amt/InstdAmt.")
    return PaymentOrder(
        payment_id=UUID(hex=_text(transfer, "PmtId/EndToEndId")),
        amount=_decimal(amount.text or ""),
        currency=amount.get("Ccy", ""),
        payee_name=_text(transfer, "Cdtr/Nm"),
        payee_account=_optional(transfer, "CdtrAcct/Id/IBAN") or _text(transfer, "CdtrAcct/Id/Othr/Id"),
        payee_bank=_optional(transfer, "CdtrAgt/FinInstnId/BICFI") or _text(transfer, "CdtrAgt/FinInstnId/Nm"),
        remittance=_optional(transfer, "RmtInf/Ustrd"),
        requested_at=requested_at,
        execution_on=execution_on,
    )


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise MalformedBankFile("The bank's file has an amount that is no number.") from error
    if not number.is_finite() or number <= 0:
        raise MalformedBankFile("The bank's file has an amount that cannot be paid.")
    return number


def _require_totals(report: Element, orders: list[PaymentOrder]) -> None:
    announced = int(_text(report, "GrpHdr/NbOfTxs")), _decimal(_text(report, "GrpHdr/CtrlSum"))
    if announced != (len(orders), sum((order.amount for order in orders), Decimal())):
        raise MalformedBankFile("The bank's file does not add up to its own totals.")


def _read_instruction(instruction: Element, group: Element | None) -> list[BankAnswer]:
    above = [(instruction, "PmtInfSts"), *([(group, "GrpSts")] if group is not None else [])]
    transactions = instruction.findall("{*}TxInfAndSts")
    if not transactions:
        return [_answer(_id_within(_text(instruction, "OrgnlPmtInfId")), *above)]
    return [_answer(UUID(hex=_text(one, "OrgnlEndToEndId")), (one, "TxSts"), *above) for one in transactions]


def _answer(payment_id: UUID, *levels: tuple[Element, str]) -> BankAnswer:
    """The answer at the innermost level that gives a status."""
    for element, tag in levels:
        if code := _optional(element, tag):
            if code not in _STATUS:
                raise MalformedBankFile("The bank's file has a status we do not know.")
            return BankAnswer(payment_id, _STATUS[code], _reason(element), "")
    raise MalformedBankFile("The bank's file gives no status for a payment.")


def _reason(element: Element) -> str:
    parts = [
        found.text or ""
        for information in element.iterfind("{*}StsRsnInf")
        for path in ("{*}Rsn/{*}Cd", "{*}Rsn/{*}Prtry", "{*}AddtlInf")
        for found in information.iterfind(path)
    ]
    return _fit(" ".join(part for part in parts if part != "NARR"), 500)
