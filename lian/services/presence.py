"""Who is looking at a case just now, and who is writing (ui.md 11). Nothing of it is stored.

Every web process keeps in memory what it hears of all of them. Only staff see it, of cases they may see; that a special
investigator or compliance looks into a case is for readers of risk alone, like the suspicion it would give away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from lian.auth.actor import Actor
from lian.auth.visibility import sees_inside
from lian.db.tables import Case
from lian.domain.errors import Invalid
from lian.services.cases import find_case
from lian.services.context import Context

EXPIRES_AFTER = timedelta(seconds=45)
"""Pages say every twenty seconds that they are still open."""
MOST_KEPT = 20_000
"""Open pages of all staff together; beyond them new ones are not shown."""
DISCREET = ("task:investigate_fraud", "task:clear_sanctions")
"""Work of which only readers of risk may know that it is done on a case."""
_TAB = re.compile(r"[0-9a-z]{1,16}")


class Doing(StrEnum):
    """What somebody does on a case's page, or that they have left it."""

    VIEWING = "viewing"
    TYPING = "typing"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """One open page: whose, of which case, and what they do there."""

    case_id: UUID
    actor: str
    tab: str
    doing: Doing
    is_discreet: bool = False

    def is_shown_to(self, viewer: Actor) -> bool:
        """Whether this viewer of the case learns of it; nobody is told of themselves."""
        may_know = viewer.may("risk:read") or not self.is_discreet
        return sees_inside(viewer) and may_know and self.actor != viewer.id

    def packed(self) -> str:
        """For the other web processes."""
        told = {"case": self.case_id.hex, "actor": self.actor, "tab": self.tab, "doing": self.doing}
        return json.dumps(told | {"discreet": self.is_discreet}, separators=(",", ":"))


def unpacked_presence(payload: str) -> Present:
    """What another process said. Raises `ValueError` for what is no presence."""
    try:
        told = json.loads(payload)
        return Present(
            case_id=UUID(told["case"]),
            actor=str(told["actor"]),
            tab=str(told["tab"]),
            doing=Doing(told["doing"]),
            is_discreet=bool(told["discreet"]),
        )
    except (AttributeError, KeyError, TypeError) as wrong:
        raise ValueError("this is no presence") from wrong


class Register:
    """Everybody's open pages, as far as this process has heard."""

    def __init__(self) -> None:
        self._pages: dict[UUID, dict[tuple[str, str], tuple[Present, datetime]]] = {}
        self._kept = 0

    def note(self, told: Present, now: datetime) -> bool:
        """Remember it; whether that changes what others see."""
        before = self._doing(told)
        self._forget(told)
        if told.doing is not Doing.LEFT and self._kept < MOST_KEPT:
            self._pages.setdefault(told.case_id, {})[told.actor, told.tab] = (told, now + EXPIRES_AFTER)
            self._kept += 1
        return self._doing(told) is not before

    def expire(self, now: datetime) -> list[Present]:
        """Forget pages that have not been heard of for a while, and say which."""
        kept = [entry for pages in self._pages.values() for entry in pages.values()]
        over = [page for page, until in kept if until <= now]
        for page in over:
            self._forget(page)
        return over

    def others(self, case_id: UUID, viewer: Actor, now: datetime) -> dict[str, Doing]:
        """Who else is there, by actor id, and what they do."""
        kept = self._pages.get(case_id, {}).values()
        there = [page for page, until in kept if until > now and page.is_shown_to(viewer)]
        return {actor: _strongest(page for page in there if page.actor == actor) for actor in {p.actor for p in there}}

    def _doing(self, told: Present) -> Doing:
        kept = self._pages.get(told.case_id, {}).values()
        return _strongest(page for page, _ in kept if page.actor == told.actor)

    def _forget(self, told: Present) -> None:
        pages = self._pages.get(told.case_id, {})
        if pages.pop((told.actor, told.tab), None) is not None:
            self._kept -= 1
        if not pages:
            self._pages.pop(told.case_id, None)


def _strongest(pages: Iterable[Present]) -> Doing:
    found = {page.doing for page in pages}
    return next((doing for doing in (Doing.TYPING, Doing.VIEWING) if doing in found), Doing.LEFT)


async def place_of(context: Context, actor: Actor, number: str) -> Case:
    """The case of this number, where somebody may be. Raises `NotFound` when it is not the actor's to see."""
    actor.require_sight()
    async with context.reading() as session:
        return await find_case(session, actor, number)


async def say_present(context: Context, actor: Actor, number: str, *, doing: str, tab: str) -> tuple[Case, Present]:
    """Tell everybody's pages that the actor looks at a case, writes there, or has left; returns what was told of which.

    Raises `NotFound` for a case they may not see, `Invalid` for what no page of ours would send.
    """
    if doing not in list(Doing) or not _TAB.fullmatch(tab):
        raise Invalid("The form could not be read.", field="state")
    case = await place_of(context, actor, number)
    is_discreet = any(actor.may(permission) for permission in DISCREET)
    told = Present(case_id=case.id, actor=actor.id, tab=tab, doing=Doing(doing), is_discreet=is_discreet)
    context.announcer.tell_presence(told.packed())
    return case, told
