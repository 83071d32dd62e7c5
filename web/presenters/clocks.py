"""Promises in plain words: a chip for lists, a sentence for why it falls where it does (CLM-12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lian.db.tables import Case, Clock, DocumentRequest
from lian.domain.explain_words import amount
from lian.domain.labels import Label
from lian.domain.promise_actions import DOCUMENTS
from lian.domain.sla import Unit
from lian.services.cases import CaseFile
from lian.services.lateness import cause_label
from lian.services.reading_clocks import (
    clock_label,
    document_request_of,
    life_of,
    round_of,
    stands_still,
    unpublished_year,
    wait_label,
)
from web.reader import Reader


@dataclass(frozen=True, slots=True)
class Chip:
    """How a promise stands: icon by `state`, short words, the whole sentence for those who listen.

    `due` and `warn` are epoch seconds for the ticking, empty when nothing runs.
    """

    state: str
    words: str
    spoken: str
    due: str = ""
    warn: str = ""


@dataclass(frozen=True, slots=True)
class ClockView:
    """One promise of a case with its explanation; `name` is its part of an address.

    `notes` say what is out of the ordinary: it stands still, takes longer, was broken because.
    """

    name: str
    label: str
    chip: Chip
    notes: tuple[str, ...]
    why: tuple[str, ...]
    source: str


def no_deadline(reader: Reader) -> Chip:
    """For a task without a running promise."""
    words = reader.say("No deadline")
    return Chip("none", words, words)


def chip_of(clock: Clock, reader: Reader, now: datetime) -> Chip:
    """How one promise stands at this moment; computed, never a stored flag (idea 3)."""
    if clock.status == "cancelled":
        return Chip("none", reader.say("No longer applies"), reader.say("This promise no longer applies"))
    if clock.stopped_at is not None:
        return _ended(clock, reader)
    if clock.due_at is None and clock.status != "paused":
        words = reader.say("Not known yet")
        return Chip("none", words, reader.say("Due at a time not known yet: the calendar is not published so far"))
    if clock.due_at is None:
        words, since = reader.say("Paused"), stands_still(clock, ())
        spoken = reader.say("Paused since {when}", when=reader.full_moment(since.since)) if since else words
        return Chip("hold", words, spoken)
    return running_chip(clock.due_at, clock.warn_at, reader, now)


def _ended(clock: Clock, reader: Reader) -> Chip:
    assert clock.stopped_at is not None
    when = reader.full_moment(clock.stopped_at)
    if clock.status == "late":
        return Chip("late", reader.say("Done late"), reader.say("Done late, on {when}", when=when))
    if clock.status == "undecided":
        words = reader.say("Done, not judged yet")
        return Chip("none", words, reader.say("Done on {when}; whether in time is not known yet", when=when))
    return Chip("met", reader.say("Done on time"), reader.say("Done on time, on {when}", when=when))


def running_chip(due_at: datetime, warn_at: datetime | None, reader: Reader, now: datetime) -> Chip:
    """A running promise: on time, at risk or overdue."""
    due, warn = f"{due_at.timestamp():.0f}", f"{warn_at.timestamp():.0f}" if warn_at else ""
    left, when = reader.span(due_at - now), reader.full_moment(due_at)
    if due_at < now:
        return Chip(
            "bad", reader.say("{span} overdue", span=left), reader.say("Overdue since {when}", when=when), due, warn
        )
    words = reader.say("{span} left", span=left)
    if warn_at is not None and warn_at <= now:
        return Chip("warn", words, reader.say("At risk, due {when}", when=when), due, warn)
    return Chip("ok", words, reader.say("On time, due {when}", when=when), due, warn)


def nearest_chip(clocks: Sequence[Clock], reader: Reader, now: datetime) -> Chip:
    """The promise that matters first among a case's own."""
    open_ = [c for c in clocks if c.stopped_at is None and c.status != "cancelled"]
    running = [c for c in open_ if c.due_at is not None]
    if running:
        return chip_of(min(running, key=lambda c: c.due_at or now), reader, now)
    if open_:
        return chip_of(open_[0], reader, now)
    # All have ended: one that was broken says more than those that were kept.
    ended = sorted((c for c in clocks if c.stopped_at), key=lambda c: (c.status == "late", c.stopped_at or now))
    return chip_of(ended[-1], reader, now) if ended else no_deadline(reader)


def present_clocks(file: CaseFile, names: Mapping[str, str], reader: Reader, now: datetime) -> tuple[ClockView, ...]:
    """Every promise of a case, running ones first; `names` are those of staff."""
    ordered = sorted(file.clocks, key=lambda c: (c.stopped_at is not None or c.status == "cancelled", c.started_at))
    return tuple(
        ClockView(
            clock.clock,
            title_of_clock(clock, reader),
            chip_of(clock, reader, now),
            tuple(_notes(clock, file, names, reader)),
            tuple(_why(clock, file.requests, reader, now)),
            clock.policy.get("source", ""),
        )
        for clock in ordered
    )


def title_of_clock(clock: Clock, reader: Reader) -> str:
    """Its name, with the life of the case it belongs to, and which of several rounds it is."""
    life, round_ = life_of(clock), round_of(clock)
    after = reader.say(" (after reopening {n})", n=life - 1) if life > 1 else ""
    again = reader.say(" (round {n})", n=round_) if round_ > 1 else ""
    return reader.label(clock_label(clock)) + after + again


# --- what is out of the ordinary --------------------------------------------------------------------------------------


def _notes(clock: Clock, file: CaseFile, names: Mapping[str, str], reader: Reader) -> Iterator[str]:
    yield from _standstill(clock, file.requests, reader)
    if not_known := why_not_known(clock, file.case, reader):
        yield not_known
    if clock.extended:
        more = reader.label(amount(clock.extended, Unit(clock.policy["unit"])))
        yield reader.say("Extended by {more}; the customer was told.", more=more)
    if clock.late_cause:
        cause, who = reader.label(cause_label(clock.late_cause)), names.get(clock.late_responsible, "")
        yield reader.say("Late: {cause}. {who} answers for it.", cause=cause, who=who or reader.say("Former staff"))


def _standstill(clock: Clock, requests: Sequence[DocumentRequest], reader: Reader) -> Iterator[str]:
    """Since when and for what it stands still, and until when at the latest."""
    found = stands_still(clock, requests)
    if found is None:
        return
    since, until = reader.full_moment(found.since), reader.day(found.until) if found.until else ""
    if not found.until:
        yield reader.say("Paused since {since}; it runs on when the request ends.", since=since)
    elif found.reason == DOCUMENTS:
        yield reader.count(
            "Paused since {since} for {n} document from the customer, until {until} at the latest.",
            "Paused since {since} for {n} documents from the customer, until {until} at the latest.",
            found.missing,
            since=since,
            until=until,
        )
    else:
        yield reader.say(
            "Paused since {since} for {what}, until {until} at the latest.",
            since=since,
            what=in_a_sentence(wait_label(found.reason), reader),
            until=until,
        )


def in_a_sentence(label: Label, reader: Reader) -> str:
    """A name in the middle of a sentence: in English without its capital."""
    return reader.label(Label(label.en[:1].lower() + label.en[1:], label.zh))


def why_not_known(clock: Clock, case: Case, reader: Reader) -> str:
    """That its deadline lies in a year without a published calendar; empty when it is known, or stands still."""
    if clock.due_at is not None or clock.status not in {"running", "undecided"}:
        return ""
    year = unpublished_year(case, clock)
    if year is None:
        return reader.say("When it is due is not known yet: the calendar is not published so far.")
    return reader.say("When it is due is not known yet: the {year} calendar is not published.", year=year)


# --- why the deadline falls where it does -----------------------------------------------------------------------------


def _why(clock: Clock, requests: Sequence[DocumentRequest], reader: Reader, now: datetime) -> Iterator[str]:
    yield _budget(clock, reader)
    yield from (_pause(pause, requests, reader) for pause in clock.pauses)
    yield from (_rung(rung, reader) for rung in clock.rungs)
    if clock.stopped_at is not None:
        yield reader.say("It was kept or broken on {when}.", when=reader.full_moment(clock.stopped_at))
        if clock.due_at:
            yield reader.say("It was due {when}.", when=reader.full_moment(clock.due_at))
    elif clock.status == "cancelled":
        yield reader.say("The case ended before it fell due.")
    elif clock.due_at is not None:
        yield _due(clock.due_at, reader, now)
    elif clock.status == "paused":
        yield _runs_on(requests, reader)


def _due(due_at: datetime, reader: Reader, now: datetime) -> str:
    when = reader.full_moment(due_at)
    return (
        reader.say("It was due {when}.", when=when) if due_at < now else reader.say("So it is due {when}.", when=when)
    )


def _budget(clock: Clock, reader: Reader) -> str:
    since, unit = reader.full_moment(clock.started_at), Unit(clock.policy["unit"])
    n = clock.policy["amount"] + clock.extended
    if unit is Unit.HOURS and clock.policy.get("calendar"):
        return reader.say("{n} opening hours from {since}.", n=n, since=since)
    if unit is Unit.HOURS:
        return reader.say("{n} hours from {since}, day and night.", n=n, since=since)
    if unit is not Unit.WORKING_DAYS:
        return reader.say(
            "{length} from {since}. That day does not count, every later one does; the last ends at 24:00.",
            length=reader.label(amount(n, unit)),
            since=since,
        )
    return reader.say(
        "{n} working days from {since}. That day does not count; weekends and holidays do not either; "
        "the last day ends when the office closes.",
        n=n,
        since=since,
    )


def _pause(pause: Mapping[str, Any], requests: Sequence[DocumentRequest], reader: Reader) -> str:
    begun = reader.full_moment(datetime.fromisoformat(pause["from_at"]))
    if not pause["to_at"]:
        return reader.say("It has stood still since {begun}.", begun=begun)
    ended = reader.full_moment(datetime.fromisoformat(pause["to_at"]))
    request = next((r for r in requests if str(r.id) == pause["request_id"]), None)
    if request is None or request.reason == DOCUMENTS:
        return reader.say(
            "It stood still from {begun} to {ended}, while we waited for documents.", begun=begun, ended=ended
        )
    what = in_a_sentence(wait_label(request.reason), reader)
    return reader.say("It stood still from {begun} to {ended}, for {what}.", begun=begun, ended=ended, what=what)


def _rung(rung: Mapping[str, str], reader: Reader) -> str:
    """One step of its ladder: a share of its time, the deadline, or days after it."""
    name, when = rung["rung"], reader.full_moment(datetime.fromisoformat(rung["reached_at"]))
    if name.endswith("%"):
        return reader.say("{share} of its time was used on {when}.", share=name, when=when)
    if name.startswith("+"):
        days = int(name.strip("+d"))
        return reader.count("{n} day overdue on {when}.", "{n} days overdue on {when}.", days, when=when)
    return reader.say("Its time was over on {when}.", when=when)


def _runs_on(requests: Sequence[DocumentRequest], reader: Reader) -> str:
    request = document_request_of(requests)
    if request is None:
        return reader.say("It runs on when the request ends.")
    return reader.say("It runs on with the last of them, or after {until}.", until=reader.day(request.answer_by))
