"""One row of a claims file, read through its mapping: the policy it mentions and the report it makes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lian.domain.claims.fnol import ClaimedLoss, FnolReport, PersonGiven
from lian.domain.claims.import_mapping import (
    PLACEHOLDER,
    ClaimColumns,
    ClaimsMapping,
    CoverageColumns,
    MomentColumns,
    PersonColumns,
    Value,
)
from lian.domain.claims.risk import DETAILS
from lian.domain.claims.terms import CoverageTerms, Line, LossCause, PolicySnapshot
from lian.domain.errors import Invalid
from lian.domain.money import cents, parse_amount, sum_amounts
from lian.domain.parties import PartyRole

Row = Mapping[str, str]
E = TypeVar("E", bound=StrEnum)

LATEST_HOUR = 23
_CURRENCY = re.compile(r"[A-Z]{3}")
_WHOLE = re.compile(r"[0-9]{1,6}")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_LONGEST_CELL = 4000
_LONGEST_NUMBER = 64


class BadRow(Invalid):
    """A row that cannot be a claim, and why, in plain words."""

    code = "bad_row"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPerson:
    """A customer the file names."""

    ref: str
    given: PersonGiven


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedClaim:
    """What one row says. `key` tells the claim from every other, whatever line it stands on."""

    terms: PolicySnapshot
    people: Mapping[PartyRole, ImportedPerson]
    report: FnolReport
    key: str


def read_row(mapping: ClaimsMapping, row: Row) -> ImportedClaim:
    """The policy and the report of one row. Raises `BadRow` in plain words, naming the column, never the content."""
    for column in mapping.columns:
        _refuse_unstorable(column, row[column])
    cells = _Cells(mapping, row)
    terms = cells.terms()
    report = cells.report(terms)
    loss_on = report.loss_at.astimezone(ZoneInfo(terms.zone)).date()
    parts = (terms.policy_number, loss_on.isoformat(), *(cells.text(v) for v in mapping.claim.identity))
    people = {role: cells.person(who) for role, who in mapping.policy.people.items()}
    return ImportedClaim(terms=terms, people=people, report=report, key=":".join(("import", *parts)))


def _refuse_unstorable(column: str, cell: str) -> None:
    if _UNSTORABLE.search(cell):
        raise BadRow(f"{column}: it has bytes or characters that are not readable text (UTF-8).")
    if len(cell) > _LONGEST_CELL:
        raise BadRow(f"{column}: it is longer than {_LONGEST_CELL} characters.")


class _Cells:
    """One row, seen through a mapping."""

    def __init__(self, mapping: ClaimsMapping, row: Row) -> None:
        self._mapping = mapping
        self._row = row

    def terms(self) -> PolicySnapshot:
        """The policy's terms as the row gives them."""
        policy = self._mapping.policy
        return PolicySnapshot(
            policy_number=self._number(policy.number),
            line=self._choice(policy.line, Line),
            currency=self._currency(policy.currency),
            term_from=self._day(policy.term_from),
            term_to=self._day(policy.term_to) if policy.term_to and self.text(policy.term_to, "") else None,
            coverages=tuple(self._coverage(c) for c in policy.coverages),
            zone=self._zone(policy.zone),
        )

    def report(self, terms: PolicySnapshot) -> FnolReport:
        """The report of the loss; its parts add up to its total."""
        claim, zone = self._mapping.claim, ZoneInfo(terms.zone)
        loss_at = self._moment(claim.loss_at, zone)
        return FnolReport(
            policy_number=terms.policy_number,
            loss_cause=self._choice(claim.cause, LossCause),
            loss_at=loss_at,
            reported_at=self._moment(claim.reported_at, zone) if claim.reported_at else loss_at,
            place=self.text(claim.place, ""),
            course=" ".join(filter(None, (self.text(sentence, "") for sentence in claim.course))),
            injured=self._whole(claim.injured),
            reporter=self.person(claim.reporter).given,
            losses=self._losses(claim),
            details=self._details(claim),
        )

    def person(self, who: PersonColumns) -> ImportedPerson:
        """A person as the row names them."""
        given = PersonGiven(name=self.text(who.name), phone=self.text(who.phone, ""), email=self.text(who.email, ""))
        return ImportedPerson(ref=self.text(who.ref, ""), given=given)

    def text(self, value: Value, default: str | None = None) -> str:
        """The value as text; `default`, or else a refusal, when it is blank."""
        found = self._raw(value).strip()
        if value.separator and found:
            found = self._part(value, found)
        if value.words and found:
            found = value.words.get(found, value.otherwise or "")
            if not found:
                raise BadRow(f"{value.name}: this word is not in the mapping's list.")
        found = found or value.otherwise or ""
        if found:
            return found
        if default is None:
            raise BadRow(f"{value.name}: it is empty.")
        return default

    def _raw(self, value: Value) -> str:
        if value.constant is not None:
            return value.constant
        cells = {column: self._row[column].strip() for column in value.columns}
        if any(cell in self._mapping.blank for cell in cells.values()):
            return ""
        return cells[value.column] if value.column else PLACEHOLDER.sub(lambda m: cells[m[1]], value.template)

    def _part(self, value: Value, found: str) -> str:
        parts = found.split(value.separator)
        if len(parts) < value.part:
            raise BadRow(f"{value.name}: it must have {value.part} parts separated by '{value.separator}'.")
        return parts[value.part - 1].strip()

    def _number(self, value: Value) -> str:
        number = self.text(value)
        if len(number) > _LONGEST_NUMBER:
            raise BadRow(f"{value.name}: it is longer than {_LONGEST_NUMBER} characters.")
        return number

    def _currency(self, value: Value) -> str:
        code = self.text(value)
        if not _CURRENCY.fullmatch(code):
            raise BadRow(f"{value.name}: a currency has three capital letters.")
        return code

    def _zone(self, value: Value) -> str:
        name = self.text(value)
        if not _is_zone(name):
            raise BadRow(f"{value.name}: there is no such time zone.")
        return name

    def _choice(self, value: Value, choices: type[E]) -> E:
        try:
            return choices(self.text(value))
        except ValueError:
            known = ", ".join(choices)
            raise BadRow(f"{value.name}: it must be one of {known}.") from None

    def _amount(self, value: Value) -> Decimal:
        try:
            return cents(parse_amount(self.text(value)) * value.times)
        except BadRow:
            raise
        except Invalid as wrong:
            raise BadRow(f"{value.name}: {_continued(wrong.message)}") from None

    def _whole(self, value: Value) -> int:
        found = self.text(value)
        if not _WHOLE.fullmatch(found):
            raise BadRow(f"{value.name}: it must be a whole number of zero or more.")
        return int(found)

    def _day(self, value: Value) -> date:
        found = self.text(value)
        for pattern in value.formats:
            try:
                return datetime.strptime(found, pattern).date()  # noqa: DTZ007  (a day has no zone)
            except ValueError:
                continue
        example = " or ".join(date(2015, 1, 31).strftime(pattern) for pattern in value.formats)
        raise BadRow(f"{value.name}: it is not a date written like {example}.")

    def _moment(self, moment: MomentColumns, zone: ZoneInfo) -> datetime:
        day, hour = self._day(moment.date), self._whole(moment.hour)
        if hour > LATEST_HOUR:
            raise BadRow(f"{moment.hour.name}: an hour lies between 0 and {LATEST_HOUR}.")
        return datetime(day.year, day.month, day.day, hour, tzinfo=zone)

    def _coverage(self, columns: CoverageColumns) -> CoverageTerms:
        return CoverageTerms(
            code=columns.code,
            label=columns.label,
            limit=self._amount(columns.limit),
            deductible=self._amount(columns.deductible),
            waiting_days=columns.waiting_days,
            excluded_causes=columns.excluded_causes,
            clause=columns.clause,
        )

    def _details(self, claim: ClaimColumns) -> dict[str, str]:
        answers = {code: self._answer(value) for code, value in claim.details.items()}
        return {code: answer for code, answer in answers.items() if answer in DETAILS[code].values}

    def _answer(self, value: Value) -> str:
        """The code, or nothing: a detail only helps to judge the claim, and no claim is refused for one."""
        if any(column not in self._row for column in value.columns):
            return value.otherwise or ""
        try:
            return self.text(value, "")
        except BadRow:
            return ""

    def _losses(self, claim: ClaimColumns) -> tuple[ClaimedLoss, ...]:
        losses = [ClaimedLoss(coverage_code=x.coverage, claimed_amount=self._amount(x.amount)) for x in claim.losses]
        if claim.total is not None:
            self._refuse_other_sum(claim, claim.total, sum_amounts(loss.claimed_amount for loss in losses))
        claimed = tuple(loss for loss in losses if loss.claimed_amount)
        if not claimed:
            raise BadRow("Every loss is 0: nothing is claimed.")
        return claimed

    def _refuse_other_sum(self, claim: ClaimColumns, total: Value, parts: Decimal) -> None:
        stated = self._amount(total)
        if stated != parts:
            names = " + ".join(loss.amount.name for loss in claim.losses)
            raise BadRow(f"{names} add up to {parts}, but {total.name} says {stated}.")


def _continued(sentence: str) -> str:
    """A sentence after a colon."""
    return sentence[:1].lower() + sentence[1:]


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
