"""Sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.wire import AmountOut, In, Out
from lian.auth.actor import Actor
from lian.services.accounts import Session


class SignInIn(In):
    """A member of staff's name and password."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class CodeIn(In):
    """The one-time code a customer was sent."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]


class SessionOut(Out):
    """A token, shown once; send it as `Authorization: Bearer <token>`."""

    token: str
    expires_at: datetime

    @classmethod
    def of(cls, session: Session) -> SessionOut:
        """The session on the wire."""
        return cls(token=session.token, expires_at=session.expires_at)


class MeOut(Out):
    """Who is signed in, and what they may do."""

    actor: str = Field(description="How the journal names them.")
    name: str
    roles: list[str]
    queues: list[str] = Field(description="`*` stands for all queues.")
    permissions: list[str]
    authority_amount: AmountOut = Field(description="What they may decide alone (CLM-9).")
    currency: str
    case_id: UUID | None = Field(description="The one case of a customer.")

    @classmethod
    def of(cls, actor: Actor, currency: str) -> MeOut:
        """The actor on the wire."""
        return cls(**_about(actor, currency))


class StaffSessionOut(MeOut):
    """A new staff session and whose it is."""

    token: str
    expires_at: datetime

    @classmethod
    def opened(cls, session: Session, actor: Actor, currency: str) -> StaffSessionOut:
        """The new session on the wire."""
        return cls(token=session.token, expires_at=session.expires_at, **_about(actor, currency))


def _about(actor: Actor, currency: str) -> dict[str, object]:
    return {
        "actor": actor.id,
        "name": actor.name,
        "roles": list(actor.roles),
        "queues": list(actor.queues),
        "permissions": sorted(actor.permissions),
        "authority_amount": actor.authority,
        "currency": currency,
        "case_id": actor.case_id,
    }
