"""Registers the cases refer to: people, policies, staff and their sessions, mails, what was seen of the bank."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from lian.db.tables.columns import document, instant, money, text


class Person(SQLModel, table=True):
    """A customer or other natural or legal person."""

    __tablename__ = "people"

    id: UUID = Field(primary_key=True)
    external_ref: str = text(unique=True)
    name: str = text()
    phone: str = text(default="")
    email: str = text(default="")
    created_at: datetime = instant()


class Policy(SQLModel, table=True):
    """A policy of the register: the built-in policy system, replaceable by the insurer's own."""

    __tablename__ = "policies"

    number: str = Field(primary_key=True)
    line: str = text()
    currency: str = text()
    zone: str = text()
    term_from: date
    term_to: date | None = Field(default=None)
    updated_at: datetime = instant()


class PolicyCoverage(SQLModel, table=True):
    """One coverage of a policy."""

    __tablename__ = "policy_coverages"

    policy_number: str = Field(primary_key=True, foreign_key="policies.number")
    code: str = Field(primary_key=True)
    label_en: str = text()
    label_zh: str = text()
    limit_amount: Decimal = money()
    deductible: Decimal = money(default=Decimal(0))
    waiting_days: int = 0
    excluded_causes: list[Any] = document(default_factory=list)
    clause: str = text(default="")


class PolicyParty(SQLModel, table=True):
    """Who stands in a policy: policyholder, insured, beneficiary."""

    __tablename__ = "policy_parties"

    policy_number: str = Field(primary_key=True, foreign_key="policies.number")
    role: str = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True, foreign_key="people.id")


class Staff(SQLModel, table=True):
    """A staff account."""

    __tablename__ = "staff"

    id: UUID = Field(primary_key=True)
    username: str = text(unique=True)
    name: str = text()
    password_hash: str = text()
    roles: list[Any] = document(default_factory=list)
    queues: list[Any] = document(default_factory=list)
    team: str = text(default="")
    """Whom a lead of the same team may give work to and take it from."""
    skills: dict[str, Any] = document(default_factory=dict)
    """Skill or licence to the last day on which it counts, as a date; empty: it has no end."""
    capacity: int = 0
    """How many tasks they are given by rules at the same time; 0: as many as the house allows."""
    person_id: UUID | None = Field(default=None)
    """The same human being in the register of customers: their own cases are not for them (TSK-5)."""
    dealt_at: datetime | None = instant(default=None)
    """When rules last gave them a task: among equals, whoever waited longest is next (TSK-3)."""
    active: bool = True
    created_at: datetime = instant()
    failed_attempts: int = 0
    locked_until: datetime | None = instant(default=None)


class Absence(SQLModel, table=True):
    """Somebody is away, and who stands in for them meanwhile (TSK-4). From the first instant up to the last."""

    __tablename__ = "absences"
    __table_args__ = (
        CheckConstraint("away_from < away_until", name="absence_in_order"),
        CheckConstraint("substitute_id <> staff_id", name="absence_by_another"),
        Index("absences_of_a_person", "staff_id", "away_from"),
        Index("absences_covered", "substitute_id", "away_from"),
        Index("absences_ahead", "away_until"),
    )

    id: UUID = Field(primary_key=True)
    staff_id: UUID
    substitute_id: UUID | None = Field(default=None)
    away_from: datetime = instant()
    away_until: datetime = instant()
    noted_at: datetime = instant()
    noted_by: str = text()
    ended_at: datetime | None = instant(default=None)
    """When it was called off, or somebody came back early."""
    ended_by: str = text(default="")


class SavedView(SQLModel, table=True):
    """A list of the desk that somebody keeps: its filters, sort and columns as the query of an address (ui.md 7)."""

    __tablename__ = "saved_views"
    __table_args__ = (
        CheckConstraint("scope IN ('private', 'team')", name="view_scope"),
        UniqueConstraint("owner", "name", name="view_once"),
        Index("saved_views_team", "team", postgresql_where=sql("scope = 'team'")),
    )

    id: UUID = Field(primary_key=True)
    owner: str = text()
    team: str = text(default="")
    scope: str = text(default="private")
    name: str = text()
    query: str = text()
    is_pinned: bool = False
    saved_at: datetime = instant()


class SignIn(SQLModel, table=True):
    """A session. The token itself is never stored, only its hash."""

    __tablename__ = "sessions"

    token_hash: str = Field(primary_key=True)
    staff_id: UUID | None = Field(default=None, index=True)
    case_id: UUID | None = Field(default=None, index=True)
    party_id: UUID | None = Field(default=None)
    created_at: datetime = instant()
    expires_at: datetime = instant()


class OneTimeCode(SQLModel, table=True):
    """A customer's sign-in code or a staff member's reset token: hashed, short-lived, few attempts."""

    __tablename__ = "one_time_codes"

    id: UUID = Field(primary_key=True)
    purpose: str = text()
    subject: str = text(index=True)
    code_hash: str = text()
    expires_at: datetime = instant()
    attempts: int = 0
    used_at: datetime | None = instant(default=None)


class Notice(SQLModel, table=True):
    """A notice to a customer or staff member: shown on the outbox page and mailed when SMTP is set."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("key", name="notice_once"),
        Index("notices_unsent", "created_at", postgresql_where=sql("sent_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    key: str = text()
    case_id: UUID | None = Field(default=None, index=True)
    recipient: str = text()
    subject: str = text()
    body_sealed: str = text()
    created_at: datetime = instant()
    sent_at: datetime | None = instant(default=None)


class BankFile(SQLModel, table=True):
    """A file of the bank that was read, so that none is read twice."""

    __tablename__ = "bank_files"

    key: str = Field(primary_key=True)
    read_at: datetime = instant()
    problem: str = text(default="")


class Catastrophe(SQLModel, table=True):
    """One event that causes many losses: their claims carry its code as a tag. Dates are inclusive, in `zone`."""

    __tablename__ = "catastrophes"

    code: str = Field(primary_key=True)
    name_en: str = text()
    name_zh: str = text()
    causes: list[Any] = document(default_factory=list)
    from_on: date
    to_on: date
    zone: str = text()
    created_at: datetime = instant()
    created_by: str = text()
    ended_at: datetime | None = instant(default=None)
    """When somebody said which day was its last; until then `to_on` is what was expected."""
    ended_by: str = text(default="")
