"""Who stands in for whom: dated, handed on from one to the next, and never in a circle (TSK-4).

Whom somebody names stands in for them, and when that person is away as well, whom they named, and so on. People are
told apart by any key, such as an actor id.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from lian.domain.calendars import ONE_DAY

LONGEST_ABSENCE = timedelta(days=3 * 366)
"""Somebody who is away for longer has left; their account is closed instead."""
Person = TypeVar("Person", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Away(Generic[Person]):
    """Somebody is away from an instant up to another, and names who stands in; `substitute` is None for nobody."""

    person: Person
    substitute: Person | None
    away_from: datetime
    away_until: datetime

    def covers(self, at: datetime) -> bool:
        """Whether they are away at this instant."""
        return self.away_from <= at < self.away_until


def stand_in_of(person: Person, named: Mapping[Person, Person | None]) -> Person | None:
    """Who does the work of somebody who is away, at one moment; None when that is nobody.

    `named` maps everybody who is away at that moment to whom they named.
    """
    passed = {person}
    found = named.get(person)
    while found is not None and found in named:
        if found in passed:  # data that no check ever saw: rather nobody than for ever
            return None
        passed.add(found)
        found = named[found]
    return found


def circle_with(new: Away[Person], others: Iterable[Away[Person]]) -> tuple[Person, ...]:
    """The circle of people who would stand in for each other at some moment of a new absence; empty when there is none.

    It begins and ends with the person who would be away. A circle begins when the last absence in it does, so it is
    enough to look at the beginnings that lie within the new one.
    """
    known = [other for other in others if other.substitute is not None]
    beginnings = {new.away_from} | {other.away_from for other in known if new.covers(other.away_from)}
    for at in sorted(beginnings):
        named = {other.person: other.substitute for other in known if other.covers(at)}
        found = _way_back(new, named)
        if found:
            return found
    return ()


def _way_back(new: Away[Person], named: Mapping[Person, Person | None]) -> tuple[Person, ...]:
    """From the new substitute on to the person who would be away, if it leads there."""
    way: list[Person] = [new.person]
    at = new.substitute
    while at is not None and at not in way:
        way.append(at)
        at = named.get(at)
    return (*way, new.person) if at == new.person else ()


def whole_days(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants (UTC) from the beginning of one date of the office up to the end of another, both dates included."""
    # The wall clock is set in the office's zone before going to UTC: a day is as long as it is there.
    begin, end = (datetime.combine(day, time(), zone) for day in (first, last + ONE_DAY))
    return begin.astimezone(UTC), end.astimezone(UTC)


def last_day(until: datetime, zone: ZoneInfo) -> date:
    """The last date of the office that an absence up to this instant touches."""
    return (until.astimezone(zone) - timedelta(microseconds=1)).date()
