"""Who may decide what amount alone; above it the decision climbs to a second person (CLM-9)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

ROLES = (
    "administrator",
    "agent",
    "archivist",
    "claims_adjuster_junior",
    "claims_adjuster_senior",
    "complaint_handler",
    "compliance",
    "customer",
    "customer_service",
    "external_adjuster",
    "operations",
    "panel_member",
    "team_lead",
    "underwriter",
)
"""Every role id the product knows."""


@dataclass(frozen=True, slots=True)
class AuthorityLevel:
    """A role may decide up to `limit`, inclusive, in the case's currency. A higher `level` is asked later."""

    level: int
    role: str
    limit: Decimal


AUTHORITY_VERSION = "house-authority/1"

AUTHORITY: tuple[AuthorityLevel, ...] = (
    AuthorityLevel(level=1, role="claims_adjuster_junior", limit=Decimal(10_000)),
    AuthorityLevel(level=2, role="claims_adjuster_senior", limit=Decimal(50_000)),
    AuthorityLevel(level=3, role="team_lead", limit=Decimal(1_000_000)),
)
"""The house table; another may be passed to every question. A role without a row decides nothing alone."""


HIGHEST = max(row.limit for row in AUTHORITY)
"""Above this amount nobody of the house table may decide."""


def limit_of(roles: Collection[str], table: tuple[AuthorityLevel, ...] = AUTHORITY) -> Decimal:
    """The highest amount, inclusive, that somebody with these roles may decide alone; 0 when none (CLM-9)."""
    return max((row.limit for row in table if row.role in roles), default=Decimal(0))


def is_within_authority(
    *, roles: Collection[str], amount: Decimal, table: tuple[AuthorityLevel, ...] = AUTHORITY
) -> bool:
    """Whether somebody with these roles may decide this amount alone. Without a row not even zero (CLM-9)."""
    return any(row.role in roles and amount <= row.limit for row in table)


def levels_above(*, amount: Decimal, table: tuple[AuthorityLevel, ...] = AUTHORITY) -> tuple[AuthorityLevel, ...]:
    """The levels this amount may climb to, lowest first; none when it exceeds every limit (CLM-9)."""
    able = (row for row in table if amount <= row.limit)
    return tuple(sorted(able, key=lambda row: row.level))
