"""What people of ours can do and take."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from api.wire import In, Out
from lian.db.tables import Staff
from lian.domain.skills import MOST_SKILLS
from lian.services.staffing import MOST_CAPACITY, Staffing


class StaffingIn(In):
    """What changes; a field that is left out stays as it is."""

    team: Annotated[str, StringConstraints(max_length=40)] | None = Field(default=None, description="Empty: none.")
    skills: Annotated[dict[str, date | None], Field(max_length=MOST_SKILLS)] | None = Field(
        default=None, description="All they have from now on, each with its last day or null."
    )
    capacity: Annotated[int, Field(ge=0, le=MOST_CAPACITY)] | None = Field(
        default=None, description="How many tasks rules give them at most; 0: the house's own figure."
    )
    person: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Their reference in the register of customers; empty: they are none."
    )

    def given(self) -> Staffing:
        """The change as the service takes it."""
        return Staffing(team=self.team, skills=self.skills, capacity=self.capacity, person=self.person)


class StaffOut(Out):
    """An account, and what its owner can do and take."""

    username: str
    name: str
    roles: list[str]
    queues: list[str] = Field(description="`*` stands for all queues.")
    team: str
    skills: dict[str, date | None] = Field(description="Each with the last day on which it counts; null: no end.")
    capacity: int = Field(description="0: the house's own figure.")
    is_customer: bool = Field(description="They are known in the register of customers: their own cases are barred.")
    active: bool

    @classmethod
    def of(cls, staff: Staff) -> StaffOut:
        """The account on the wire."""
        return cls(
            username=staff.username,
            name=staff.name,
            roles=list(staff.roles),
            queues=list(staff.queues),
            team=staff.team,
            skills={skill: date.fromisoformat(until) if until else None for skill, until in staff.skills.items()},
            capacity=staff.capacity,
            is_customer=staff.person_id is not None,
            active=staff.active,
        )


class StaffListOut(Out):
    """All accounts, by user name."""

    items: list[StaffOut]
