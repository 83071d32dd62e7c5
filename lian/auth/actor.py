"""The person behind a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from lian.auth.permissions import permissions_of
from lian.domain.authority import ANY, limit_of
from lian.domain.errors import NotAllowed
from lian.domain.queues import UNROUTED

NOT_YOURS = "Your role does not allow this."
SEEING = ("case:read", "case:read_assigned", "case:read_own")
"""Permissions that let staff and people outside see cases: all, or some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Staff, a customer on one case, or the system itself. `id` is what the journal records."""

    id: str
    name: str
    roles: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    team: str = ""
    skills: tuple[tuple[str, date | None], ...] = ()
    """What they know or are licensed for, each with the last day on which it counts."""
    case_id: UUID | None = None
    """The one case a customer signed in to."""
    person_id: UUID | None = None
    permissions: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "permissions", permissions_of(list(self.roles)))

    @property
    def is_customer(self) -> bool:
        """Signed in with case number and one-time code."""
        return self.case_id is not None

    @property
    def sees_cases(self) -> bool:
        """Whether they may look for cases at all; which, says `visible_cases`."""
        return not self.is_customer and any(self.may(permission) for permission in SEEING)

    @property
    def is_outside(self) -> bool:
        """An agent or an external adjuster: works with us on some cases, and sees neither others nor our reasoning."""
        return self.sees_cases and not self.may("case:read")

    @property
    def authority(self) -> Decimal:
        """The amount of a claim they may decide alone (CLM-9), in the case's currency."""
        return self.authority_for("claim", ANY)

    def authority_for(self, decision: str, line: str) -> Decimal:
        """The amount they may decide alone for this kind of decision in this line (CLM-9), in the case's currency."""
        return limit_of(self.roles, decision=decision, line=line)

    def skills_on(self, day: date) -> frozenset[str]:
        """The skills and licences that count on this day."""
        return frozenset(skill for skill, until in self.skills if until is None or day <= until)

    def has_queue(self, queue: str) -> bool:
        """Whether they may take work from it; what no route fits is for who hands out work, or routes it (TSK-1)."""
        if queue == UNROUTED:
            return self.may("task:assign") or self.may("desk:route")
        return queue in self.queues or "*" in self.queues

    @property
    def has_every_queue(self) -> bool:
        """Also those that only routes have named; but for the error queue, as `has_queue` says."""
        return "*" in self.queues

    @property
    def queue_names(self) -> tuple[str, ...]:
        """Their queues by name, the error queue among them where it is theirs."""
        return tuple(name for name in dict.fromkeys((*self.queues, UNROUTED)) if name != "*" and self.has_queue(name))

    def may(self, permission: str) -> bool:
        """Whether a role of theirs has the permission."""
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise `NotAllowed` unless they have the permission."""
        if not self.may(permission):
            raise NotAllowed(NOT_YOURS, permission=permission)

    def require_sight(self) -> None:
        """Raise `NotAllowed` for whoever sees no list of cases."""
        if not self.sees_cases:
            raise NotAllowed(NOT_YOURS, permission=SEEING[0])


SYSTEM = Actor(id="system", name="Lian")
_STAFF = "staff:"


def staff_actor_id(staff_id: UUID) -> str:
    """How the journal names a member of staff."""
    return f"{_STAFF}{staff_id}"


def staff_ids(actors: Iterable[str]) -> list[UUID]:
    """The accounts behind actor ids; those of customers and of the system are left out."""
    return [UUID(actor.removeprefix(_STAFF)) for actor in actors if actor.startswith(_STAFF)]
