"""What the journal tells of one clock, step by step: its ledger after each, and what of it does not follow.

The ledger is folded from the clock's own events, as the process and the rows fold it; every deadline and verdict on
record is then worked out anew by `lian.domain.sla`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from lian.domain.calendars import CalendarNotCovered, WorkingCalendar
from lian.domain.certificate_reading import moment_from, optional_moment, policy_from, utc_text
from lian.domain.sla import (
    ClockLedger,
    ClockPolicy,
    Pause,
    Rebase,
    Verdict,
    due_at,
    instant,
    moment_of,
    verdict,
)
from lian.domain.timetable import FOREVER, standstills

Json = dict[str, Any]
CANCELLED = "cancelled"
"""Instead of a verdict, of a promise that no longer applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a case's journal. `content` is the exact text its hash was made from; empty when not given."""

    seq: int
    type: str
    at: datetime
    actor: str
    body: Mapping[str, Any]
    hash: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not follow: where in the certificate, and what is stated and what was found instead."""

    where: str
    stated: str
    found: str

    def __str__(self) -> str:
        return f"{self.where}: {self.stated} is stated, {self.found} was found."


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event of a clock, and how things stood after it."""

    entry: Entry
    policy: ClockPolicy
    calendar: WorkingCalendar
    ledger: ClockLedger


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From one instant to another a clock ran, or stood still for the requests named; `by` began it.

    `counts` is False of what a new start with the full period has made void.
    """

    from_at: datetime
    to_at: datetime
    requests: tuple[str, ...]
    by: Entry
    counts: bool


@dataclass(slots=True, kw_only=True)
class ClockStory:
    """One clock as far as its journal has been read."""

    name: str
    policy_json: Json = field(default_factory=dict)
    policy: ClockPolicy = field(init=False)
    calendar: WorkingCalendar = field(init=False)
    ledger: ClockLedger = field(init=False)
    steps: list[Step] = field(default_factory=list)
    past: list[tuple[Step, ClockLedger, datetime]] = field(default_factory=list)
    """Before each new start with the full period: the last step, the ledger, and when that start was."""
    began: Entry = field(init=False)
    due: datetime | None = None
    breach: tuple[datetime, Entry] | None = None
    verdict: str = ""
    cancelled: Entry | None = None
    lateness: Entry | None = None

    def tell(self, entry: Entry, calendar: WorkingCalendar | None) -> None:
        """Read on. `calendar` is what the clock counts in from here, where the event changes that."""
        self.calendar = calendar or self.calendar
        if read := READ.get(entry.type):
            read(self, entry)
        if "due_at" in entry.body:
            self.due = optional_moment(entry.body["due_at"])
        step = Step(entry=entry, policy=self.policy, calendar=self.calendar, ledger=self.ledger)
        self.steps.append(step)

    @property
    def is_open(self) -> bool:
        """Whether it has neither stopped nor been cancelled."""
        return self.ledger.stopped_at is None and self.cancelled is None

    def verdict_at(self, now: datetime) -> str:
        """The verdict on record; of a clock that is open, how it stood at `now`."""
        if self.cancelled is not None:
            return CANCELLED
        return self.verdict or verdict(policy=self.policy, calendar=self.calendar, ledger=self.ledger, now=now).value

    # --- reading ------------------------------------------------------------------------------------------------------

    def start(self, entry: Entry) -> None:
        self.put_under(entry)
        self.began, self.ledger = entry, ClockLedger(moment_from(entry.body["started_at"]))

    def put_under(self, entry: Entry) -> None:
        self.policy_json = dict(entry.body["policy"])
        self.policy = policy_from(self.policy_json)

    def pause(self, entry: Entry) -> None:
        pause = Pause(str(entry.body["request_id"]), moment_from(entry.body["paused_at"]))
        self.ledger, self.due = replace(self.ledger, pauses=(*self.ledger.pauses, pause)), None

    def resume(self, entry: Entry) -> None:
        request, at = str(entry.body["request_id"]), moment_from(entry.body["resumed_at"])
        pauses = (
            replace(p, to_at=at) if p.request_id == request and p.to_at is None else p for p in self.ledger.pauses
        )
        self.ledger = replace(self.ledger, pauses=tuple(pauses))

    def extend(self, entry: Entry) -> None:
        self.ledger = replace(self.ledger, extended=self.ledger.extended + entry.body["amount"])

    def rebase(self, entry: Entry) -> None:
        self.put_under(entry)
        at = optional_moment(entry.body.get("rebased_at"))
        rebased = Rebase(at, timedelta(seconds=entry.body.get("consumed", 0))) if at else None
        self.ledger = replace(self.ledger, rebased=rebased)

    def restart(self, entry: Entry) -> None:
        at = moment_from(entry.body["started_at"])
        if entry.body.get("why", "correction") == "new_facts":
            self.past.append((self.steps[-1], self.ledger, at))
            self.began, self.ledger, self.breach, self.lateness = entry, ClockLedger(at), None, None
        else:
            self.began, self.ledger = entry, replace(self.ledger, started_at=at)

    def break_(self, entry: Entry) -> None:
        self.breach, self.lateness = (moment_from(entry.body["legal_at"]), entry), None

    def take_back(self, entry: Entry) -> None:
        self.breach = None

    def stop(self, entry: Entry) -> None:
        self.ledger = replace(self.ledger, stopped_at=moment_from(entry.body["stopped_at"]))
        self.judge(entry)

    def judge(self, entry: Entry) -> None:
        self.verdict = str(entry.body["verdict"])
        due = optional_moment(entry.body.get("due_at")) or self.due
        if self.verdict == Verdict.BREACHED and self.breach is None and due is not None:
            self.breach = (due, entry)

    def cancel(self, entry: Entry) -> None:
        self.cancelled = entry

    def explain(self, entry: Entry) -> None:
        self.lateness = entry

    # --- intervals ----------------------------------------------------------------------------------------------------

    def stretches(self, now: datetime) -> Iterator[Stretch]:
        """When it ran and when it stood still, in order; up to `now` while it is open."""
        for last, ledger, until in self.past:
            yield from self._stretches(last, ledger, until, counts=False)
        ends = self.ledger.stopped_at or (self.cancelled.at if self.cancelled else now)
        yield from self._stretches(self.steps[-1], self.ledger, ends, counts=True)

    def _stretches(self, step: Step, ledger: ClockLedger, ends: datetime, *, counts: bool) -> Iterator[Stretch]:
        at, by = ledger.started_at, self._entry_of_start(ledger.started_at)
        for begins, until, requests in standing(step.policy, step.calendar, ledger, ends):
            if begins > at:
                yield Stretch(from_at=at, to_at=begins, requests=(), by=by, counts=counts)
            held = self._entry_of("clock.paused", requests[0]) or by
            yield Stretch(from_at=begins, to_at=until, requests=requests, by=held, counts=counts)
            at, by = until, self._entry_of("clock.resumed", requests[-1]) or by
        if ends > at:
            yield Stretch(from_at=at, to_at=ends, requests=(), by=by, counts=counts)

    def _entry_of_start(self, at: datetime) -> Entry:
        starts = (s.entry for s in self.steps if "started_at" in s.entry.body)
        return next((e for e in starts if moment_from(e.body["started_at"]) == at), self.began)

    def _entry_of(self, type_: str, request: str) -> Entry | None:
        found = (s.entry for s in self.steps if s.entry.type == type_)
        return next((e for e in found if str(e.body["request_id"]) == request), None)


READ: Mapping[str, Callable[[ClockStory, Entry], None]] = {
    "clock.started": ClockStory.start,
    "clock.paused": ClockStory.pause,
    "clock.resumed": ClockStory.resume,
    "clock.extended": ClockStory.extend,
    "clock.rebased": ClockStory.rebase,
    "clock.restarted": ClockStory.restart,
    "clock.breached": ClockStory.break_,
    "clock.breach_withdrawn": ClockStory.take_back,
    "clock.stopped": ClockStory.stop,
    "clock.judged": ClockStory.judge,
    "clock.cancelled": ClockStory.cancel,
    "lateness.explained": ClockStory.explain,
}
"""What each event does to the story; those that are not here, such as a rung that was reached, change nothing."""


def standing(
    policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger, ends: datetime
) -> Iterator[tuple[datetime, datetime, tuple[str, ...]]]:
    """When a clock stood still before `ends`, and for which requests. A pause from the deadline on has no effect."""
    if not policy.pausable:
        return
    start, end = instant(ledger.started_at), instant(ends)
    given = [
        (instant(p.from_at), FOREVER if p.to_at is None else instant(p.to_at), p.request_id) for p in ledger.pauses
    ]
    due = _due(policy, calendar, ledger)
    limit = end if due is None else min(end, instant(due))
    for begins, until in standstills([(a, b) for a, b, _ in given], start):
        if begins < limit:
            inside = (request for a, b, request in sorted(given) if a < until and b > begins and b > a)
            yield moment_of(begins), moment_of(min(until, end)), tuple(dict.fromkeys(inside))


def _due(policy: ClockPolicy, calendar: WorkingCalendar, ledger: ClockLedger) -> datetime | None:
    try:
        return due_at(policy=policy, calendar=calendar, ledger=ledger)
    except CalendarNotCovered:
        return None


# --- what does not follow ---------------------------------------------------------------------------------------------


def unfounded(story: ClockStory, now: datetime) -> Iterator[Difference]:
    """Every deadline and verdict on record that does not follow from the ledger."""
    for step, ledger in zip(story.steps, _ledgers(story.steps), strict=True):
        where = f"{story.name}, entry {step.entry.seq} ({step.entry.type})"
        due, body = _due(step.policy, step.calendar, ledger), step.entry.body
        for name in ("due_at", "legal_at"):
            if name in body and optional_moment(body[name]) != due:
                yield Difference(f"{where}, {name}", str(body[name]), str(utc_text(due)))
        if "verdict" in body:
            found = verdict(policy=step.policy, calendar=step.calendar, ledger=ledger, now=step.entry.at)
            if found != body["verdict"]:
                yield Difference(f"{where}, verdict", str(body["verdict"]), found.value)
    yield from _unfounded_breach(story, now)


def _ledgers(steps: Sequence[Step]) -> Iterator[ClockLedger]:
    """The ledger each event speaks of: a breach is withdrawn in view of the pause that is recorded right after it."""
    for step, following in zip(steps, [*steps[1:], steps[-1]], strict=True):
        is_next = following.entry.seq == step.entry.seq + 1
        is_ahead = (step.entry.type, following.entry.type) == ("clock.breach_withdrawn", "clock.paused")
        yield following.ledger if is_next and is_ahead else step.ledger


def _unfounded_breach(story: ClockStory, now: datetime) -> Iterator[Difference]:
    """A breach stands on record exactly where the verdict, or the deadline of an open clock, says so."""
    stands, where = story.verdict_at(now), f"{story.name}, breach"
    if story.breach is None:
        if story.verdict == Verdict.BREACHED:
            yield Difference(where, "none", "a verdict of breached")
        return
    legal_at, seen = story.breach
    if stands not in {Verdict.BREACHED, CANCELLED}:
        yield Difference(where, f"broken at {utc_text(legal_at)}", f"a promise that is {stands}")
    if seen.at < legal_at:
        yield Difference(where, f"seen at {utc_text(seen.at)}", f"a deadline at {utc_text(legal_at)}")
