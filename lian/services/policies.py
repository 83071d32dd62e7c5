"""The register of policies and customers, and the two ways to ask for a policy's terms (CLM-2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import quote
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.session import Database
from lian.db.tables import Person, Policy, PolicyCoverage, PolicyParty
from lian.domain.claims.terms import CoverageTerms, Line, LossCause, PolicySnapshot
from lian.domain.errors import Invalid, NotFound, Unavailable
from lian.domain.labels import Label
from lian.domain.parties import PartyRole
from lian.services.context import Context

SNAPSHOT = TypeAdapter(PolicySnapshot)
ASK_SECONDS = 5.0
WITHOUT_CENTS = frozenset(
    {
        *(
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        *("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
    }
)
"""ISO 4217 currencies of other than two decimals: our amounts have two, and a bank would refuse them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGiven:
    """A customer as a register or file names them; `external_ref` is the other system's key."""

    external_ref: str
    name: str
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyGiven:
    """A policy as a register or file describes it; parties by role."""

    number: str
    line: Line
    currency: str
    zone: str
    term_from: date
    term_to: date | None
    coverages: tuple[CoverageTerms, ...]
    parties: dict[PartyRole, CustomerGiven]


async def put_policy(context: Context, actor: Actor, policy: PolicyGiven) -> bool:
    """Add a policy to the register, or replace its terms; returns whether it is new. Needs `policy:write`."""
    actor.require("policy:write")
    _check_policy(policy)
    async with context.transaction() as session:
        is_new = await session.get(Policy, policy.number) is None
        await _store_terms(session, policy, context.now())
        await _store_coverages(session, policy)
        for role, customer in policy.parties.items():
            person_id = await put_customer(session, customer, context.now())
            others = (col(PolicyParty.role) == role.value) & (col(PolicyParty.person_id) != person_id)
            await session.execute(delete(PolicyParty).where(col(PolicyParty.policy_number) == policy.number, others))
            await session.execute(
                insert(PolicyParty)
                .values(policy_number=policy.number, role=role.value, person_id=person_id)
                .on_conflict_do_nothing()
            )
    return is_new


def _check_policy(policy: PolicyGiven) -> None:
    if not policy.coverages:
        raise Invalid("A policy needs at least one coverage.", field="coverages")
    if len({c.code for c in policy.coverages}) != len(policy.coverages):
        raise Invalid("A policy has each coverage once.", field="coverages")
    if not is_zone(policy.zone):
        raise Invalid("There is no such time zone; write one such as Asia/Shanghai.", field="zone")
    if policy.term_to is not None and policy.term_to < policy.term_from:
        raise Invalid("The term ends before it begins.", field="term_to")
    if any(c.limit < 0 or c.deductible < 0 for c in policy.coverages):
        raise Invalid("Limits and deductibles cannot be negative.", field="coverages")


def is_zone(name: str) -> bool:
    """Whether this names an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as Asia
        return False
    return True


async def _store_terms(session: AsyncSession, policy: PolicyGiven, now: datetime) -> None:
    values = {
        "line": policy.line.value,
        "currency": policy.currency,
        "zone": policy.zone,
        "term_from": policy.term_from,
        "term_to": policy.term_to,
        "updated_at": now,
    }
    await session.execute(
        insert(Policy)
        .values(number=policy.number, **values)
        .on_conflict_do_update(index_elements=["number"], set_=values)
    )


async def _store_coverages(session: AsyncSession, policy: PolicyGiven) -> None:
    await session.execute(delete(PolicyCoverage).where(col(PolicyCoverage.policy_number) == policy.number))
    session.add_all(
        PolicyCoverage(
            policy_number=policy.number,
            code=c.code,
            label_en=c.label.en,
            label_zh=c.label.zh,
            limit_amount=c.limit,
            deductible=c.deductible,
            waiting_days=c.waiting_days,
            excluded_causes=[cause.value for cause in c.excluded_causes],
            clause=c.clause,
        )
        for c in policy.coverages
    )
    await session.flush()


async def put_customer(session: AsyncSession, customer: CustomerGiven, now: datetime) -> UUID:
    """The customer's id; their contact details follow the newest word."""
    values = {"name": customer.name, "phone": customer.phone, "email": customer.email}
    statement = (
        insert(Person)
        .values(id=uuid4(), external_ref=customer.external_ref, created_at=now, **values)
        .on_conflict_do_update(index_elements=["external_ref"], set_=values)
        .returning(col(Person.id))
    )
    return (await session.execute(statement)).scalar_one()


async def parties_of(session: AsyncSession, policy_number: str) -> dict[str, Person]:
    """The policy's people by role, from the register; empty when an outside system keeps them."""
    query = (
        select(PolicyParty.role, Person)
        .join(Person, col(Person.id) == col(PolicyParty.person_id))
        .where(PolicyParty.policy_number == policy_number)
        .order_by(col(PolicyParty.role))
    )
    return {row[0]: row[1] for row in await session.execute(query)}


class PolicyRegister:
    """The built-in policy system."""

    def __init__(self, db: Database, now: Callable[[], datetime]) -> None:
        self._db = db
        self._now = now

    async def snapshot(self, policy_number: str) -> PolicySnapshot | None:
        """The terms as they stand now."""
        async with self._db.transaction() as session:
            policy = await session.get(Policy, policy_number)
            if policy is None:
                return None
            query = (
                select(PolicyCoverage)
                .where(PolicyCoverage.policy_number == policy_number)
                .order_by(col(PolicyCoverage.code))
            )
            coverages = (await session.execute(query)).scalars().all()
        return _snapshot(policy, coverages, self._now())


def _snapshot(policy: Policy, coverages: Sequence[PolicyCoverage], now: datetime) -> PolicySnapshot:
    return PolicySnapshot(
        policy_number=policy.number,
        line=Line(policy.line),
        currency=policy.currency,
        term_from=policy.term_from,
        term_to=policy.term_to,
        coverages=tuple(_terms(c) for c in coverages),
        zone=policy.zone,
        taken_at=now,
    )


def _terms(row: PolicyCoverage) -> CoverageTerms:
    return CoverageTerms(
        code=row.code,
        label=Label(row.label_en, row.label_zh),
        limit=Decimal(row.limit_amount),
        deductible=Decimal(row.deductible),
        waiting_days=row.waiting_days,
        excluded_causes=tuple(LossCause(c) for c in row.excluded_causes),
        clause=row.clause,
    )


class HttpPolicyLookup:
    """The insurer's own policy system: `GET {base}/policies/{number}` answers the snapshot as JSON, or 404."""

    def __init__(self, base_url: str, token: str, client: httpx.AsyncClient | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = client or httpx.AsyncClient(base_url=base_url, headers=headers, timeout=ASK_SECONDS)

    async def snapshot(self, policy_number: str) -> PolicySnapshot | None:
        """The terms as that system has them. Raises `Unavailable` when it does not answer or not sensibly."""
        try:
            answer = await self._client.get(f"/policies/{quote(policy_number, safe='')}")
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
            return SNAPSHOT.validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as failed:
            raise Unavailable(
                "The policy system does not answer at the moment. Nothing was saved; try again."
            ) from failed


async def require_snapshot(context: Context, policy_number: str) -> PolicySnapshot:
    """The policy's terms, taken now (CLM-2). Raises `NotFound` for an unknown policy."""
    snapshot = await context.policies.snapshot(policy_number)
    if snapshot is None:
        raise NotFound("There is no policy with this number.", field="policy_number")
    if snapshot.currency in WITHOUT_CENTS:
        raise Invalid("Policies in this currency cannot be handled yet.", field="policy_number")
    return snapshot


async def read_policy(context: Context, actor: Actor, policy_number: str) -> PolicySnapshot:
    """The policy's terms, for those who write policies or report losses. Raises `NotFound`."""
    if not actor.may("case:report"):
        actor.require("policy:write")
    return await require_snapshot(context, policy_number)


async def registered(context: Context, policy_number: str) -> PolicySnapshot:
    """The terms as the register has them, whichever policy system is asked otherwise."""
    snapshot = await PolicyRegister(context.db, context.now).snapshot(policy_number)
    assert snapshot is not None, "asked only for what was just stored"
    return snapshot
