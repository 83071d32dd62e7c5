"""The named cast and builders of what they do: keyword-only, with defaults."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.tables import Case, Staff
from lian.domain.claims.fnol import ClaimedLoss, FnolReport, PersonGiven
from lian.domain.claims.terms import CoverageTerms, Line, LossCause
from lian.domain.labels import Label
from lian.domain.parties import Channel, PartyRole
from lian.services.accounts import NewStaff, actor_for, create_staff
from lian.services.context import Context
from lian.services.intake import Registered, report_claim
from lian.services.policies import CustomerGiven, PolicyGiven, put_policy

OFFICE = Actor(id="system:tests", name="Tests", roles=("customer_service", "administrator"))
PASSWORD = "correct horse battery"
ZHAO = PersonGiven(name="赵磊", phone="13800000001", email="zhao@example.com")
POLICY = "P-1001"

CAST = {
    "wang": ("王敏", ("claims_adjuster_junior",)),
    "chen": ("陈静", ("claims_adjuster_senior",)),
    "li": ("李强", ("team_lead",)),
    "gao": ("高远", ("claims_manager",)),
    "tang": ("唐宁", ("panel_member",)),
    "peng": ("彭涛", ("panel_member",)),
    "shen": ("沈洁", ("special_investigator",)),
    "qian": ("钱进", ("compliance",)),
    "sun": ("孙丽", ("customer_service",)),
    "wei": ("魏东", ("external_adjuster",)),
    "ning": ("宁远", ("agent",)),
    "zhou": ("周婷", ("operations",)),
    "admin": ("管理员", ("administrator",)),
}
"""Everybody's user name, name and roles; wei and ning are people outside."""


async def hire(context: Context, username: str) -> Actor:
    """A member of the cast, with an account."""
    name, roles = CAST[username]
    new = NewStaff(username=username, name=name, password=PASSWORD, roles=roles)
    staff_id = await create_staff(context, None, new)
    async with context.transaction() as session:
        return actor_for(await session.get_one(Staff, staff_id))


def motor_policy(
    *, number: str = POLICY, limit: Decimal = Decimal(100_000), deductible: Decimal = Decimal(500)
) -> PolicyGiven:
    """A motor policy with own damage (OD), property damage (PD) and bodily injury (BI)."""
    zhao = CustomerGiven(external_ref=f"zhao-{number}", name=ZHAO.name, phone=ZHAO.phone, email=ZHAO.email)
    return PolicyGiven(
        number=number,
        line=Line.MOTOR,
        currency="CNY",
        zone="Asia/Shanghai",
        term_from=date(2020, 1, 1),
        term_to=None,
        coverages=(
            CoverageTerms(
                code="OD",
                label=Label("Own damage", "车辆损失"),
                limit=limit,
                deductible=deductible,
                excluded_causes=(LossCause.WEAR,),
                clause="3.1",
            ),
            CoverageTerms(code="PD", label=Label("Property damage", "第三者财产"), limit=limit, clause="3.2"),
            CoverageTerms(code="BI", label=Label("Bodily injury", "第三者人身"), limit=limit, clause="3.3"),
        ),
        parties={PartyRole.POLICYHOLDER: zhao, PartyRole.INSURED: zhao},
    )


def report(**changes: Any) -> FnolReport:
    """A plain collision on Zhao's policy, yesterday."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    given: dict[str, Any] = {
        "policy_number": POLICY,
        "loss_cause": LossCause.COLLISION,
        "loss_at": yesterday,
        "reported_at": yesterday + timedelta(hours=1),
        "place": "上海市南京东路",
        "course": "追尾",
        "injured": 0,
        "reporter": ZHAO,
        "losses": (ClaimedLoss(coverage_code="OD", claimed_amount=Decimal("5000.00")),),
    }
    return FnolReport(**given | changes)


async def reported_claim(context: Context, *, policy: dict[str, Any] | None = None, **changes: Any) -> Registered:
    """A claim that was just reported, on a policy of its own, which may have other terms."""
    number = f"P-{uuid4().hex[:8]}"
    await put_policy(context, OFFICE, motor_policy(number=number, **(policy or {})))
    given = report(**{"policy_number": number} | changes)
    registered, _ = await report_claim(context, OFFICE, given, channel=Channel.PHONE, key=uuid4().hex)
    return registered


async def as_customer(context: Context, number: str) -> Actor:
    """The customer of a case, signed in to it."""
    async with context.transaction() as session:
        case = (await session.execute(select(Case).where(Case.number == number))).scalars().one()
    return Actor(
        id=f"customer:{case.subject_person_id}",
        name=ZHAO.name,
        roles=("customer",),
        case_id=case.id,
        person_id=case.subject_person_id,
    )


async def once(body: bytes) -> AsyncIterator[bytes]:
    """A body in one piece."""
    yield body


def pdf(words: str = "lian") -> bytes:
    """A small, valid PDF that differs by its words."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\n"
        b"% " + words.encode() + b"\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )
