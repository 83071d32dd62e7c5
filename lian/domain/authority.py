"""Who may decide what amount alone; above it the decision climbs to a second person (CLM-9).

The limits are a versioned table, `tables/authority.vN.toml`: a decision names the version it was made under, so that an
old one stays explainable. Reading a table refuses whatever it does not know, before anybody decides by it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from itertools import combinations
from typing import Any

from lian.domain.claims.terms import Line
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.money import parse_amount

ROLES = (
    "administrator",
    "agent",
    "archivist",
    "claims_adjuster_junior",
    "claims_adjuster_senior",
    "claims_manager",
    "complaint_handler",
    "compliance",
    "customer",
    "customer_service",
    "external_adjuster",
    "operations",
    "panel_member",
    "special_investigator",
    "team_lead",
    "underwriter",
)
"""Every role id the product knows."""

DECISIONS: dict[str, Label] = {
    "claim": Label("Claim decision", "赔付决定"),
    "advance": Label("Advance payment", "先予支付"),
    "reserve": Label("Reserve", "未决赔款准备金"),
    "write_off": Label("Write-off", "核销"),
    "reversal": Label("Reversal of a payment", "付款冲正"),
    "correction": Label("Correction", "更正"),
}
"""Every kind of decision that has limits of its own."""

ANY = ""
"""The line of a row that counts for every line without a row of its own."""


class BadTable(Invalid):
    """The authority table is wrong: nobody may decide by it."""

    code = "bad_table"


@dataclass(frozen=True, slots=True)
class AuthorityLevel:
    """A role may make a decision up to `limit`, inclusive, in the case's currency. A higher `level` is asked later."""

    level: int
    role: str
    limit: Decimal
    decision: str = "claim"
    line: str = ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityTable:
    """The rows of one version. Raises `BadTable` for rows that contradict each other, or name what does not exist."""

    version: str
    rows: tuple[AuthorityLevel, ...]
    effective_from: date | None = None

    def __post_init__(self) -> None:
        if not self.version:
            raise BadTable("The table has no version.")
        for row in self.rows:
            _check_row(row)
        _refuse_duplicates(self.rows)
        for decision, line in sorted({(row.decision, row.line) for row in self.rows}):
            _refuse_falling(self.rows_for(decision, line))

    def rows_for(self, decision: str, line: str) -> tuple[AuthorityLevel, ...]:
        """One row for each role that may make the decision in this line, lowest level first.

        A row of the line itself counts before the role's row for any line, also where it allows less.
        """
        chosen = {row.role: row for row in self.rows if row.decision == decision and row.line == ANY}
        chosen |= {row.role: row for row in self.rows if row.decision == decision and row.line == line}
        return tuple(sorted(chosen.values(), key=lambda row: (row.level, row.role)))


def _check_row(row: AuthorityLevel) -> None:
    if row.role not in ROLES:
        raise BadTable(f"There is no role {row.role}.")
    if row.decision not in DECISIONS:
        raise BadTable(f"There is no kind of decision {row.decision}.")
    if row.line != ANY and row.line not in set(Line):
        raise BadTable(f"There is no line of business {row.line}.")
    if row.level < 1:
        raise BadTable(f"The level of {row.role} must be 1 or more.")
    if row.limit < 0:
        raise BadTable(f"The limit of {row.role} cannot be negative.")


def _refuse_duplicates(rows: tuple[AuthorityLevel, ...]) -> None:
    seen: set[tuple[str, str, str]] = set()
    for row in rows:
        if (row.decision, row.line, row.role) in seen:
            raise BadTable(f"{row.role} has two limits for {_named(row)}.")
        seen.add((row.decision, row.line, row.role))


def _refuse_falling(rows: tuple[AuthorityLevel, ...]) -> None:
    """Whoever is asked later may decide more, or climbing would lead nowhere."""
    for lower, higher in combinations(rows, 2):
        if lower.level < higher.level and lower.limit >= higher.limit:
            raise BadTable(f"For {_named(higher)} the limit of {higher.role} must be above that of {lower.role}.")


def _named(row: AuthorityLevel) -> str:
    return f"{row.decision}, line {row.line}" if row.line else f"{row.decision}, any line"


# --- reading a table --------------------------------------------------------------------------------------------------


def read_table(text: str) -> AuthorityTable:
    """The table of a file's text. Raises `BadTable`, naming what is wrong."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadTable(f"This is not TOML: {error}.") from error
    _refuse_unknown(content, {"version", "effective_from", "levels", "limits"}, "the table")
    version, effective_from = content.get("version"), content.get("effective_from")
    if not isinstance(version, str):
        raise BadTable("The table needs a version, a text.")
    if type(effective_from) is not date:
        raise BadTable("The table needs effective_from, a date.")
    rows = tuple(_rows(_levels(content.get("levels")), content.get("limits")))
    return AuthorityTable(version=version, rows=rows, effective_from=effective_from)


def _refuse_unknown(found: Mapping[str, Any], known: Collection[str], where: str) -> None:
    unknown = sorted(found.keys() - set(known))
    if unknown:
        raise BadTable(f"Unknown in {where}: {', '.join(unknown)}.")


def _levels(found: Any) -> dict[str, int]:
    if not isinstance(found, dict) or not all(type(level) is int for level in found.values()):
        raise BadTable("[levels] gives each role a whole number.")
    _refuse_unknown(found, ROLES, "[levels]")
    return found


def _rows(levels: Mapping[str, int], blocks: Any) -> Iterator[AuthorityLevel]:
    if not isinstance(blocks, list) or not blocks or not all(isinstance(block, dict) for block in blocks):
        raise BadTable("The table needs [[limits]], one block for each kind of decision.")
    for block in blocks:
        decision, line = block.get("decision", ""), block.get("line", ANY)
        if not isinstance(decision, str) or not isinstance(line, str):
            raise BadTable("decision and line are texts.")
        limits = {name: value for name, value in block.items() if name not in {"decision", "line"}}
        _refuse_unknown(limits, levels, f"the limits of {decision or 'a block'}: only roles of [levels] have limits")
        for role, limit in limits.items():
            yield AuthorityLevel(levels[role], role, _amount(role, limit), decision, line)


def _amount(role: str, found: Any) -> Decimal:
    """A whole number, or a text for one with cents; never a float, which cannot hold every cent."""
    if type(found) is not int and not isinstance(found, str):
        raise BadTable(f"The limit of {role} is a whole number, or a text such as '1200.50'.")
    try:
        return parse_amount(str(found))
    except Invalid as refused:
        raise BadTable(f"The limit of {role}: {refused.message}") from refused


def _shipped(name: str) -> AuthorityTable:
    return read_table((files("lian.domain") / "tables" / name).read_text(encoding="utf-8"))


HOUSE = _shipped("authority.v2.toml")
"""The table in force."""
TABLES = {table.version: table for table in (_shipped("authority.v1.toml"), HOUSE)}
"""Every version a decision may name."""
AUTHORITY_VERSION = HOUSE.version


# --- questions --------------------------------------------------------------------------------------------------------


def limit_of(
    roles: Collection[str], *, decision: str = "claim", line: str = ANY, table: AuthorityTable = HOUSE
) -> Decimal:
    """The highest amount, inclusive, that somebody with these roles may decide alone; 0 when none (CLM-9)."""
    return max((row.limit for row in table.rows_for(decision, line) if row.role in roles), default=Decimal(0))


def is_within_authority(
    *,
    roles: Collection[str],
    amount: Decimal,
    decision: str = "claim",
    line: str = ANY,
    table: AuthorityTable = HOUSE,
) -> bool:
    """Whether somebody with these roles may decide this amount alone. Without a row not even zero (CLM-9)."""
    return any(row.role in roles and amount <= row.limit for row in table.rows_for(decision, line))


def levels_above(
    *, amount: Decimal, decision: str = "claim", line: str = ANY, table: AuthorityTable = HOUSE
) -> tuple[AuthorityLevel, ...]:
    """The levels this amount may climb to, lowest first; none when it exceeds every limit (CLM-9)."""
    return tuple(row for row in table.rows_for(decision, line) if amount <= row.limit)


def ceiling(*, decision: str = "claim", line: str = ANY, table: AuthorityTable = HOUSE) -> Decimal:
    """The highest limit anybody has; above it nobody of the table may decide. 0 when nobody may (CLM-9)."""
    return max((row.limit for row in table.rows_for(decision, line)), default=Decimal(0))


HIGHEST = ceiling()
"""Above this amount nobody of the house table may decide a claim."""
