"""Policies of the register."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from api.wire import AmountIn, AmountOut, Code, Currency, In, Name, NameOrNothing, Out
from lian.domain.claims.terms import CoverageTerms, Line, LossCause, PolicySnapshot
from lian.domain.labels import Label
from lian.domain.parties import PartyRole
from lian.services.policies import CustomerGiven, PolicyGiven

Zone = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]


class CoverageIn(In):
    """One coverage; amounts in the policy's currency."""

    code: Code
    label_en: Name
    label_zh: Name
    limit: AmountIn
    deductible: AmountIn = Field(default="0", validate_default=True)
    waiting_days: Annotated[int, Field(strict=True, ge=0, le=3650)] = 0
    excluded_causes: Annotated[list[LossCause], Field(max_length=len(LossCause), default_factory=list)]
    clause: NameOrNothing = ""

    def terms(self) -> CoverageTerms:
        """The coverage as the domain has it."""
        return CoverageTerms(
            code=self.code,
            label=Label(self.label_en, self.label_zh),
            limit=self.limit,
            deductible=self.deductible,
            waiting_days=self.waiting_days,
            excluded_causes=tuple(self.excluded_causes),
            clause=self.clause,
        )


class CustomerIn(In):
    """A customer; `external_ref` is their key in your system."""

    external_ref: Code
    name: Name
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)] = ""


class PolicyIn(In):
    """A policy's terms and parties; the term is in days of `zone`, both ends included."""

    line: Line
    currency: Currency
    zone: Zone = "Asia/Shanghai"
    term_from: date
    term_to: date | None = None
    coverages: Annotated[list[CoverageIn], Field(min_length=1, max_length=100)]
    parties: Annotated[dict[PartyRole, CustomerIn], Field(max_length=len(PartyRole), default_factory=dict)]

    def given(self, number: str) -> PolicyGiven:
        """The policy as the service takes it."""
        return PolicyGiven(
            number=number,
            line=self.line,
            currency=self.currency,
            zone=self.zone,
            term_from=self.term_from,
            term_to=self.term_to,
            coverages=tuple(coverage.terms() for coverage in self.coverages),
            parties={role: CustomerGiven(**customer.model_dump()) for role, customer in self.parties.items()},
        )


class CoverageOut(Out):
    """One coverage."""

    code: str
    label_en: str
    label_zh: str
    limit: AmountOut
    deductible: AmountOut
    waiting_days: int
    excluded_causes: list[LossCause]
    clause: str


class PolicyOut(Out):
    """A policy's terms, without its people."""

    number: str
    line: Line
    currency: str
    zone: str
    term_from: date
    term_to: date | None
    coverages: list[CoverageOut]

    @classmethod
    def of(cls, snapshot: PolicySnapshot) -> PolicyOut:
        """The terms on the wire."""
        return cls(
            number=snapshot.policy_number,
            line=snapshot.line,
            currency=snapshot.currency,
            zone=snapshot.zone,
            term_from=snapshot.term_from,
            term_to=snapshot.term_to,
            coverages=[_coverage(terms) for terms in snapshot.coverages],
        )


def _coverage(terms: CoverageTerms) -> CoverageOut:
    return CoverageOut(
        code=terms.code,
        label_en=terms.label.en,
        label_zh=terms.label.zh,
        limit=terms.limit,
        deductible=terms.deductible,
        waiting_days=terms.waiting_days,
        excluded_causes=list(terms.excluded_causes),
        clause=terms.clause,
    )
