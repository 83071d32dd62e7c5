"""How the columns of a claims file become policies and reports: data, no code (issue 2, "Real input").

A mapping is the content of a TOML file, already parsed; `lian/domain/claims/mappings/auto_claims.toml` explains its
words. Reading it refuses every word it does not know, so that a slip of the keyboard is found before a row is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from lian.domain.claims.risk import DETAILS
from lian.domain.claims.terms import LossCause
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.parties import PartyRole

T = TypeVar("T")

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
"""A column named within a template."""


class BadMapping(Invalid):
    """The mapping itself is wrong: nothing can be read with it."""

    code = "bad_mapping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Where one value comes from (a constant, a column or a template) and the little that may be done to it."""

    constant: str | None = None
    column: str = ""
    template: str = ""
    separator: str = ""
    part: int = 0
    times: Decimal = Decimal(1)
    words: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    formats: tuple[str, ...] = ("%Y-%m-%d",)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.column,) if self.column else tuple(PLACEHOLDER.findall(self.template))

    @property
    def name(self) -> str:
        """What to call it when something is wrong with it."""
        return " and ".join(self.columns) or "the mapping"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonColumns:
    """Where a person's details come from; `ref` is the key in the system the file came from."""

    name: Value
    phone: Value
    email: Value
    ref: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageColumns:
    """Where one coverage's terms come from."""

    code: str
    label: Label
    limit: Value
    deductible: Value
    waiting_days: int
    excluded_causes: tuple[LossCause, ...]
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentColumns:
    """Where a date and its hour come from, in the policy's zone."""

    date: Value
    hour: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class LossColumns:
    """Which column is claimed under which coverage."""

    coverage: str
    amount: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyColumns:
    """Where a policy's terms and people come from."""

    number: Value
    line: Value
    currency: Value
    zone: Value
    term_from: Value
    term_to: Value | None
    coverages: tuple[CoverageColumns, ...]
    people: Mapping[PartyRole, PersonColumns]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimColumns:
    """Where a report comes from. Without `reported_at` the report is taken to be as old as the loss."""

    cause: Value
    loss_at: MomentColumns
    reported_at: MomentColumns | None
    place: Value
    course: tuple[Value, ...]
    injured: Value
    reporter: PersonColumns
    losses: tuple[LossColumns, ...]
    total: Value | None
    details: Mapping[str, Value]
    """Further coded answers, by their code in `risk.DETAILS`."""
    identity: tuple[Value, ...]
    """What tells two claims of one policy and one day apart, besides policy number and day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsMapping:
    """A whole mapping, read and understood."""

    name: str
    delimiter: str
    blank: frozenset[str]
    policy: PolicyColumns
    claim: ClaimColumns

    @property
    def columns(self) -> frozenset[str]:
        """Every column the file must have."""
        return frozenset(column for value in _values(self) for column in value.columns)

    @property
    def optional_columns(self) -> frozenset[str]:
        """Columns that are read where the file has them."""
        return frozenset(column for value in self.claim.details.values() for column in value.columns) - self.columns


def _values(mapping: ClaimsMapping) -> Iterator[Value]:
    policy, claim = mapping.policy, mapping.claim
    yield from (policy.number, policy.line, policy.currency, policy.zone, policy.term_from)
    yield from (value for value in (policy.term_to, claim.total) if value)
    yield from (value for c in policy.coverages for value in (c.limit, c.deductible))
    yield from (claim.cause, claim.place, *claim.course, claim.injured, *claim.identity)
    yield from (loss.amount for loss in claim.losses)
    for moment in (claim.loss_at, claim.reported_at):
        yield from (moment.date, moment.hour) if moment else ()
    for who in (*policy.people.values(), claim.reporter):
        yield from (who.name, who.phone, who.email, who.ref)


# --- reading the mapping itself ---------------------------------------------------------------------------------------


def read_mapping(data: Mapping[str, Any]) -> ClaimsMapping:
    """A mapping from a parsed TOML file. Raises `BadMapping` naming the place and the word that is wrong."""
    top = _Table("the mapping", data)
    mapping = ClaimsMapping(
        name=top.word("name"),
        delimiter=top.word("delimiter", ","),
        blank=frozenset(top.words("blank", ("",))) | {""},
        policy=_policy(top.table("policy")),
        claim=_claim(top.table("claim")),
    )
    top.done()
    _check(mapping)
    return mapping


def _check(mapping: ClaimsMapping) -> None:
    if len(mapping.delimiter) != 1:
        raise BadMapping("the mapping: `delimiter` must be one character.")
    known = {coverage.code for coverage in mapping.policy.coverages}
    strange = [loss.coverage for loss in mapping.claim.losses if loss.coverage not in known]
    if strange:
        raise BadMapping(f"[claim.losses]: the policy has no coverage `{strange[0]}`.")
    if not mapping.claim.losses:
        raise BadMapping("[claim.losses]: at least one loss is needed.")


def _policy(table: _Table) -> PolicyColumns:
    people = table.table("people", {})
    policy = PolicyColumns(
        number=table.value("number"),
        line=table.value("line"),
        currency=table.value("currency"),
        zone=table.value("zone"),
        term_from=table.value("term_from"),
        term_to=table.value("term_to") if table.has("term_to") else None,
        coverages=tuple(_coverage(t) for t in table.tables("coverages")),
        people={_role(name): _person(people.table(name), needs_ref=True) for name in people.names},
    )
    people.done()
    table.done()
    return policy


def _role(name: str) -> PartyRole:
    try:
        return PartyRole(name)
    except ValueError:
        raise BadMapping(f"[policy.people]: there is no role `{name}`.") from None


def _person(table: _Table, *, needs_ref: bool = False) -> PersonColumns:
    person = PersonColumns(
        name=table.value("name"),
        phone=table.value("phone", ""),
        email=table.value("email", ""),
        ref=table.value("ref", None if needs_ref else ""),
    )
    table.done()
    return person


def _coverage(table: _Table) -> CoverageColumns:
    try:
        excluded = tuple(LossCause(cause) for cause in table.words("excluded_causes", ()))
    except ValueError:
        raise BadMapping("[policy.coverages]: `excluded_causes` names an unknown cause of loss.") from None
    coverage = CoverageColumns(
        code=table.word("code"),
        label=Label(table.word("label_en"), table.word("label_zh")),
        limit=table.value("limit"),
        deductible=table.value("deductible", "0"),
        waiting_days=table.whole("waiting_days", 0),
        excluded_causes=excluded,
        clause=table.word("clause", ""),
    )
    table.done()
    return coverage


def _claim(table: _Table) -> ClaimColumns:
    claim = ClaimColumns(
        cause=table.value("cause"),
        loss_at=_moment(table.table("loss_at")),
        reported_at=_moment(table.table("reported_at")) if table.has("reported_at") else None,
        place=table.value("place", ""),
        course=table.values("course"),
        injured=table.value("injured", "0"),
        reporter=_person(table.table("reporter")),
        losses=tuple(_loss(t) for t in table.tables("losses")),
        total=table.value("total") if table.has("total") else None,
        details=_details(table.table("details", {})),
        identity=table.values("identity"),
    )
    table.done()
    return claim


def _details(table: _Table) -> dict[str, Value]:
    details = {code: _detail(code, table.value(code)) for code in table.names if code in DETAILS}
    table.done()
    return details


def _detail(code: str, value: Value) -> Value:
    """Refuse an answer nobody may give: it would only ever be left out."""
    fixed = (value.constant, value.otherwise)
    given = [answer for answer in (*value.words.values(), *fixed) if answer is not None]
    strange = [answer for answer in given if answer not in DETAILS[code].values]
    if strange:
        raise BadMapping(f"[claim.details.{code}]: `{strange[0]}` is not one of {', '.join(DETAILS[code].values)}.")
    return value


def _moment(table: _Table) -> MomentColumns:
    moment = MomentColumns(date=table.value("date"), hour=table.value("hour", "0"))
    table.done()
    return moment


def _loss(table: _Table) -> LossColumns:
    loss = LossColumns(coverage=table.word("coverage"), amount=table.value("amount"))
    table.done()
    return loss


class _Table:
    """A table of the mapping that knows where it stands and which of its words were understood."""

    def __init__(self, place: str, data: Any) -> None:
        if not isinstance(data, Mapping):
            raise BadMapping(f"{place}: a table is expected here.")
        self._place = place
        self._data = data
        self._used: set[str] = set()

    @property
    def names(self) -> list[str]:
        """The words of the table."""
        return list(self._data)

    def has(self, name: str) -> bool:
        """Whether the word is there."""
        return name in self._data

    def done(self) -> None:
        """Refuse words nobody asked for."""
        strange = [name for name in self._data if name not in self._used]
        if strange:
            raise BadMapping(f"{self._place}: `{strange[0]}` is not a word of mappings.")

    def word(self, name: str, default: str | None = None) -> str:
        """A text."""
        return self._take(name, default, lambda found: found if isinstance(found, str) else None, "a text")

    def whole(self, name: str, default: int) -> int:
        """A whole number of zero or more."""
        return self._take(name, default, _whole, "a whole number")

    def words(self, name: str, default: Sequence[str]) -> tuple[str, ...]:
        """A list of texts."""
        return self._take(name, tuple(default), _texts, "a list of texts")

    def table(self, name: str, default: Mapping[str, Any] | None = None) -> _Table:
        """A table within this one."""
        return _Table(self._below(name), self._take(name, default, lambda found: found, "a table"))

    def tables(self, name: str) -> list[_Table]:
        """A list of tables."""
        found: list[Any] = self._take(name, None, lambda f: f if isinstance(f, list) else None, "a list of tables")
        return [_Table(self._below(name), each) for each in found]

    def value(self, name: str, default: str | None = None) -> Value:
        """A value."""
        found = self._take(name, default, lambda each: each, "a value")
        return _value(self._below(name), found)

    def values(self, name: str) -> tuple[Value, ...]:
        """A list of values; none when it is not there."""
        found: list[Any] = self._take(name, [], lambda each: each if isinstance(each, list) else None, "a list")
        return tuple(_value(self._below(name), each) for each in found)

    def plain(self, name: str, default: Any) -> Any:
        """Whatever is there, for the caller to judge."""
        return self._take(name, default, lambda found: found, "a value")

    def _below(self, name: str) -> str:
        outer = "" if self._place == "the mapping" else f"{self._place.strip('[]')}."
        return f"[{outer}{name}]"

    def _take(self, name: str, default: Any, understood: Callable[[Any], T | None], what: str) -> T:
        self._used.add(name)
        if name not in self._data:
            if default is None:
                raise BadMapping(f"{self._place}: `{name}` is missing.")
            taken: T = default
            return taken
        found = understood(self._data[name])
        if found is None:
            raise BadMapping(f"{self._place}: `{name}` must be {what}.")
        return found


def _whole(found: Any) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _texts(found: Any) -> tuple[str, ...] | None:
    return tuple(found) if isinstance(found, list) and all(isinstance(each, str) for each in found) else None


def _value(place: str, found: Any) -> Value:
    if isinstance(found, (str, int)) and not isinstance(found, bool):
        return Value(constant=str(found))
    table = _Table(place, found)
    value = Value(
        constant=table.word("constant") if table.has("constant") else None,
        column=table.word("column", ""),
        template=table.word("template", ""),
        separator=table.word("separator", ""),
        part=table.whole("part", 0),
        times=_factor(place, table),
        words=_dictionary(place, table),
        otherwise=table.word("otherwise") if table.has("otherwise") else None,
        formats=table.words("formats", ("%Y-%m-%d",)),
    )
    table.done()
    _check_value(place, value)
    return value


def _check_value(place: str, value: Value) -> None:
    sources = (value.constant is not None, bool(value.column), bool(value.template))
    if sum(sources) != 1:
        raise BadMapping(f"{place}: it needs exactly one of `column`, `template` and `constant`.")
    if bool(value.separator) != bool(value.part):
        raise BadMapping(f"{place}: `separator` and `part` belong together; the first part is 1.")
    for pattern in value.formats:
        if not {"%d", "%m", "%Y"} <= set(re.findall("%.", pattern)) or "%Z" in pattern:
            raise BadMapping(f"{place}: `formats` need day, month and year, such as %d/%m/%Y.")


def _factor(place: str, table: _Table) -> Decimal:
    try:
        factor = Decimal(str(table.plain("times", 1)))
    except InvalidOperation:
        factor = Decimal(0)
    if not factor.is_finite() or factor <= 0:
        raise BadMapping(f"{place}: `times` must be a number above zero.")
    return factor


def _dictionary(place: str, table: _Table) -> Mapping[str, str]:
    found = table.plain("words", {})
    if not isinstance(found, Mapping) or not all(isinstance(each, str) for each in found.values()):
        raise BadMapping(f"{place}: `words` must be a table of texts.")
    return dict(found)
