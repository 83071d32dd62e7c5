"""Absences in words: whose, from which day to which, and who does the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lian.domain.absences import last_day
from lian.services.desk import AbsenceSeen, AbsenceState
from lian.services.desk.absence_reading import Colleague
from web.i18n import mark
from web.reader import Reader

STATES = {
    AbsenceState.ON: (mark("Away now"), "warn"),
    AbsenceState.AHEAD: (mark("Ahead"), "info"),
    AbsenceState.OVER: (mark("Over"), "none"),
}


@dataclass(frozen=True, slots=True)
class AbsenceRow:
    """One absence, in whole days of the office. `substitute` tells who stands in, and to whom it is handed on."""

    id: str
    person: str
    first: str
    last: str
    """Empty for a single day."""
    remark: str
    state: str
    tone: str
    substitute: str
    is_covered: bool
    end_words: str
    """What ending it is called; empty when it is over."""


@dataclass(frozen=True, slots=True)
class PersonChoice:
    """Somebody to choose in a form."""

    value: str
    words: str
    chosen: bool


def present_absences(found: Sequence[AbsenceSeen], reader: Reader) -> tuple[AbsenceRow, ...]:
    """Absences as rows of a list."""
    return tuple(_row(seen, reader) for seen in found)


def _row(seen: AbsenceSeen, reader: Reader) -> AbsenceRow:
    words, tone = STATES[seen.state]
    first = seen.absence.away_from.astimezone(reader.zone).date()
    last = last_day(seen.absence.away_until, reader.zone)
    return AbsenceRow(
        id=str(seen.absence.id),
        person=seen.person.name,
        first=reader.weekday(first),
        last=reader.weekday(last) if last != first else "",
        remark=_remark(seen, reader),
        state=reader.say(words),
        tone=tone,
        substitute=_substitute(seen, reader),
        is_covered=_is_covered(seen),
        end_words=_end_words(seen, reader),
    )


def _remark(seen: AbsenceSeen, reader: Reader) -> str:
    """That it ended early, or never began."""
    if seen.absence.ended_at is None:
        return ""
    if seen.absence.ended_at <= seen.absence.away_from:
        return reader.say("called off")
    return reader.say("ended {when}", when=reader.moment(seen.absence.ended_at))


def _is_covered(seen: AbsenceSeen) -> bool:
    return seen.works is not None if seen.state is AbsenceState.ON else seen.substitute is not None


def _substitute(seen: AbsenceSeen, reader: Reader) -> str:
    if seen.substitute is None:
        return reader.say("Nobody stands in")
    named = seen.substitute.name
    if seen.state is not AbsenceState.ON or (seen.works and seen.works.actor_id == seen.substitute.actor_id):
        return named
    if seen.works is None:
        return reader.say("{named}, away as well: nobody stands in", named=named)
    return reader.say("{named}, away as well: {works}", named=named, works=seen.works.name)


def _end_words(seen: AbsenceSeen, reader: Reader) -> str:
    if seen.state is AbsenceState.OVER:
        return ""
    return reader.say("Call off") if seen.state is AbsenceState.AHEAD else reader.say("Back")


def present_people(found: Sequence[Colleague], chosen: str) -> tuple[PersonChoice, ...]:
    """Colleagues to choose from; of two with one name the user name tells which."""
    names = [one.name for one in found]
    return tuple(
        PersonChoice(
            one.username,
            f"{one.name} ({one.username})" if names.count(one.name) > 1 else one.name,
            one.username == chosen,
        )
        for one in found
    )
