"""Promises in plain words: a chip for lists, a sentence for why it falls where it does (CLM-12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lian.db.tables import Clock, DocumentRequest
from lian.domain.labels import Label
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
    """One promise of a case with its explanation."""

    label: str
    chip: Chip
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
    if clock.due_at is None:
        words = reader.say("Paused")
        return Chip("hold", words, reader.say("Paused while we wait for the customer"))
    return running_chip(clock.due_at, clock.warn_at, reader, now)


def _ended(clock: Clock, reader: Reader) -> Chip:
    assert clock.stopped_at is not None
    when = reader.full_moment(clock.stopped_at)
    if clock.status == "late":
        return Chip("late", reader.say("Done late"), reader.say("Done late, on {when}", when=when))
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


def present_clocks(
    clocks: Sequence[Clock], requests: Sequence[DocumentRequest], reader: Reader, now: datetime
) -> tuple[ClockView, ...]:
    """Every promise of a case, running ones first."""
    ordered = sorted(clocks, key=lambda c: (c.stopped_at is not None or c.status == "cancelled", c.started_at))
    return tuple(
        ClockView(
            reader.label(Label(**clock.policy["label"])) + _generation(clock, reader),
            chip_of(clock, reader, now),
            tuple(_why(clock, requests, reader, now)),
            clock.policy.get("source", ""),
        )
        for clock in ordered
    )


def _generation(clock: Clock, reader: Reader) -> str:
    _, _, life = clock.clock.partition("#")
    return reader.say(" (after reopening {n})", n=int(life) - 1) if life else ""


def _why(clock: Clock, requests: Sequence[DocumentRequest], reader: Reader, now: datetime) -> list[str]:
    """Why the deadline falls where it does."""
    lines = [_budget(clock.policy, reader.full_moment(clock.started_at), reader)]
    lines += [_pause(pause, reader) for pause in clock.pauses]
    if clock.stopped_at is not None:
        lines.append(reader.say("It was kept or broken on {when}.", when=reader.full_moment(clock.stopped_at)))
        if clock.due_at:
            lines.append(reader.say("It was due {when}.", when=reader.full_moment(clock.due_at)))
    elif clock.status == "cancelled":
        lines.append(reader.say("The case ended before it fell due."))
    elif clock.due_at is None:
        lines += _while_paused(requests, reader)
    else:
        lines.append(_due(clock.due_at, reader, now))
    return lines


def _due(due_at: datetime, reader: Reader, now: datetime) -> str:
    when = reader.full_moment(due_at)
    return (
        reader.say("It was due {when}.", when=when) if due_at < now else reader.say("So it is due {when}.", when=when)
    )


def _budget(policy: dict[str, Any], since: str, reader: Reader) -> str:
    if policy["unit"] == "hours":
        return reader.say("{n} hours from {since}, day and night.", n=policy["amount"], since=since)
    return reader.say(
        "{n} working days from {since}. That day does not count; weekends and holidays do not either; "
        "the last day ends when the office closes.",
        n=policy["amount"],
        since=since,
    )


def _pause(pause: dict[str, Any], reader: Reader) -> str:
    begun = reader.full_moment(datetime.fromisoformat(pause["from_at"]))
    if pause["to_at"]:
        ended = reader.full_moment(datetime.fromisoformat(pause["to_at"]))
        return reader.say(
            "It stood still from {begun} to {ended}, while we waited for documents.", begun=begun, ended=ended
        )
    return reader.say("It has stood still since {begun}.", begun=begun)


def _while_paused(requests: Sequence[DocumentRequest], reader: Reader) -> list[str]:
    request = next((r for r in requests if r.status == "open"), None)
    if request is None:
        return [reader.say("It runs on when the request ends.")]
    missing = sum(1 for answer in request.items.values() if not answer)
    until = reader.day(request.answer_by)
    return [
        reader.count(
            "We wait for {n} document from the customer.", "We wait for {n} documents from the customer.", missing
        ),
        reader.say("It runs on with the last of them, or after {until}.", until=until),
    ]
