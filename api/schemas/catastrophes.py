"""Catastrophes: one event, many claims."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from api.schemas.policies import Zone
from api.wire import In, Name, Out, Words
from lian.db.tables import Catastrophe
from lian.domain.claims.terms import LossCause
from lian.services.catastrophes import CATASTROPHE, CatastropheGiven

CatastropheCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{1,39}$")]


class CatastropheIn(In):
    """An event; both days belong to it, in `zone`."""

    code: CatastropheCode
    name_en: Name
    name_zh: Name
    causes: Annotated[list[LossCause], Field(min_length=1, max_length=len(LossCause))]
    from_on: date
    to_on: date
    zone: Zone = "Asia/Shanghai"

    def given(self) -> CatastropheGiven:
        """The event as the service takes it."""
        return CatastropheGiven(**self.model_dump(exclude={"causes"}), causes=tuple(dict.fromkeys(self.causes)))


class EndIn(In):
    """The last day of an event, in its zone."""

    to_on: date


class CatastropheOut(Out):
    """An event of the register."""

    code: str
    tag: str = Field(description="Give this as `tag` of `GET /cases` to list its claims.")
    name: Words
    causes: list[str]
    from_on: date
    to_on: date
    zone: str
    created_at: datetime
    ended_at: datetime | None = Field(description="When its last day became known; until then `to_on` is expected.")
    cases: int = Field(description="How many cases that you may see carry it.")

    @classmethod
    def of(cls, event: Catastrophe, cases: int = 0) -> CatastropheOut:
        """The event on the wire."""
        return cls(
            code=event.code,
            tag=f"{CATASTROPHE}:{event.code}",
            name=Words(en=event.name_en, zh=event.name_zh),
            causes=list(event.causes),
            from_on=event.from_on,
            to_on=event.to_on,
            zone=event.zone,
            created_at=event.created_at,
            ended_at=event.ended_at,
            cases=cases,
        )


class CatastrophesOut(Out):
    """The register, newest first."""

    items: list[CatastropheOut]


class TaggedOut(Out):
    """How many claims were tagged by this call."""

    tagged: int
