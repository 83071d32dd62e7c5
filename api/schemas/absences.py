"""Absences and who stands in (TSK-4)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.wire import In, MomentIn, Out
from lian.services.desk import AbsenceSeen, AbsenceState, NewAbsence
from lian.services.desk.absence_reading import Colleague

UserName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)]


class AbsenceIn(In):
    """Somebody is away from an instant up to another."""

    away_from: MomentIn
    away_until: MomentIn = Field(description="Up to this instant: for whole days, the beginning of the day after.")
    of: UserName = Field(default="", description="User name of whoever is away; empty: you.")
    substitute: UserName = Field(default="", description="User name of whoever stands in; empty: nobody.")

    def given(self) -> NewAbsence:
        """The absence for the service."""
        return NewAbsence(away_from=self.away_from, away_until=self.away_until, of=self.of, substitute=self.substitute)


class ColleagueOut(Out):
    """Somebody with an account."""

    username: str
    name: str

    @classmethod
    def of(cls, found: Colleague) -> ColleagueOut:
        """The person on the wire."""
        return cls(username=found.username, name=found.name)


class AbsenceOut(Out):
    """An absence, and who does the work."""

    id: UUID
    person: ColleagueOut
    away_from: datetime
    away_until: datetime
    ended_at: datetime | None = Field(description="When it was called off, or they were back early.")
    state: AbsenceState
    substitute: ColleagueOut | None = Field(description="Whom they named.")
    works: ColleagueOut | None = Field(
        description="Who does their work at this moment: a substitute who is away as well hands it on. Null: nobody."
    )

    @classmethod
    def of(cls, seen: AbsenceSeen) -> AbsenceOut:
        """The absence on the wire."""
        return cls(
            id=seen.absence.id,
            person=ColleagueOut.of(seen.person),
            away_from=seen.absence.away_from,
            away_until=seen.absence.away_until,
            ended_at=seen.absence.ended_at,
            state=seen.state,
            substitute=ColleagueOut.of(seen.substitute) if seen.substitute else None,
            works=ColleagueOut.of(seen.works) if seen.works else None,
        )


class AbsencesOut(Out):
    """Absences: those on or ahead with the next first, those over with the latest first."""

    items: list[AbsenceOut]
