"""Bulk orders: what a verb asks for, what would become of each task, and what became of it (TSK-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from lian.db.tables import Staff
from lian.domain.bulk import (
    BULK_VERBS,
    STATE_LABELS,
    STATUS_LABELS,
    TYPED_ABOVE,
    BulkStatus,
    BulkVerb,
    ItemState,
)
from lian.domain.claims.checklist import DOCUMENT_LABELS, EVIDENCE
from lian.domain.desk import HOLD_REASONS, HoldReason
from lian.services.desk.bulk_reading import ItemSeen, OrderSeen
from lian.services.desk.bulk_verbs import Given
from web.i18n import mark, translate_refusal
from web.reader import Reader

TONES = {
    ItemState.WAITING: "info",
    ItemState.SAME: "none",
    ItemState.DONE: "ok",
    ItemState.REFUSED: "bad",
    ItemState.UNDONE: "hold",
    ItemState.KEPT: "warn",
}
STATUS_TONES = {
    BulkStatus.RUNNING: "info",
    BulkStatus.DONE: "ok",
    BulkStatus.CANCELLED: "warn",
    BulkStatus.UNDOING: "info",
    BulkStatus.UNDONE: "hold",
}
WOULD_BE = {
    ItemState.WAITING: mark("Will be changed"),
    ItemState.REFUSED: mark("Will be refused"),
    ItemState.SAME: mark("As it was already"),
}
NOT_DONE = mark("Not done")
NOTES = {
    BulkVerb.REASSIGN: mark("A word on why (if you like)"),
    BulkVerb.RELEASE: mark("A word on why (if you like)"),
    BulkVerb.HOLD: mark("Note (if you like)"),
    BulkVerb.PRIORITISE: mark("Why?"),
    BulkVerb.REQUEST_DOCUMENTS: mark("Notes on the answers (if you like)"),
}


@dataclass(frozen=True, slots=True)
class OptionView:
    """One choice of a form."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class BulkForm:
    """What a verb asks for, with what was typed."""

    verb: str
    label: str
    effect: str
    people: tuple[OptionView, ...]
    reasons: tuple[OptionView, ...]
    documents: tuple[OptionView, ...]
    day: str
    time: str
    is_raised: bool
    note: str
    note_label: str
    needs_note: bool


@dataclass(frozen=True, slots=True)
class BulkTab:
    """The tasks of one state."""

    words: str
    n: str
    tone: str
    address: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One task of an order. One that is not the reader's to see has no address."""

    n: int
    number: str
    what: str
    address: str
    state: str
    tone: str
    words: str


@dataclass(frozen=True, slots=True)
class BulkReason:
    """Why, and how many."""

    words: str
    n: str
    tone: str


@dataclass(frozen=True, slots=True)
class BulkView:
    """A preview or an order, for its page and for the list."""

    id: str
    verb: str
    label: str
    effect: str
    facts: tuple[tuple[str, str], ...]
    status: str
    tone: str
    when: str
    by: str
    total: int
    handled: int
    progress: str
    to_change: int
    must_type: bool
    can_undo: bool
    is_preview: bool
    is_under_way: bool
    is_running: bool
    can_repeat: bool
    results: str


# --- what a verb asks for ---------------------------------------------------------------------------------------------


def present_form(verb: BulkVerb, given: Given, people: Sequence[Staff], reader: Reader) -> BulkForm:
    """The verb's inputs, filled with what is known of them."""
    until = given.until.astimezone(reader.zone) if given.until else None
    words = BULK_VERBS[verb]
    return BulkForm(
        verb=verb.value,
        label=reader.label(words.label),
        effect=reader.label(words.effect),
        people=tuple(OptionView(p.username, _person(p), p.username == given.to) for p in people),
        reasons=tuple(OptionView(r.value, reader.label(HOLD_REASONS[r]), r == given.reason) for r in HoldReason),
        documents=tuple(
            OptionView(code, reader.label(label), code in given.items)
            for code, label in DOCUMENT_LABELS.items()
            if code != EVIDENCE
        ),
        day=f"{until:%Y-%m-%d}" if until else "",
        time=f"{until:%H:%M}" if until else "",
        is_raised=given.is_raised,
        note=given.why,
        note_label=reader.say(NOTES[verb]),
        needs_note=verb is BulkVerb.PRIORITISE,
    )


def _person(staff: Staff) -> str:
    return f"{staff.name} · {staff.team}" if staff.team else staff.name


# --- an order ---------------------------------------------------------------------------------------------------------


def present_order(seen: OrderSeen, reader: Reader) -> BulkView:
    """What is or was to be done, and how far it has come."""
    words, counts = BULK_VERBS[seen.verb], seen.counts
    to_change = counts[ItemState.WAITING]
    return BulkView(
        id=str(seen.order.id),
        verb=seen.verb.value,
        label=reader.label(words.label),
        effect=reader.label(words.effect),
        facts=_facts(seen, reader),
        status=reader.label(STATUS_LABELS[seen.status]),
        tone=STATUS_TONES.get(seen.status, "none"),
        when=reader.full_moment(seen.order.at),
        by=seen.names.get(seen.order.by, reader.say("a colleague")),
        total=seen.order.total,
        handled=seen.handled,
        progress=reader.say("{n} of {total}", n=reader.number(seen.handled), total=reader.number(seen.order.total)),
        to_change=to_change,
        must_type=to_change > TYPED_ABOVE,
        can_undo=words.can_undo if seen.status is BulkStatus.PREVIEWED else seen.can_undo,
        is_preview=seen.status is BulkStatus.PREVIEWED,
        is_under_way=seen.status in {BulkStatus.RUNNING, BulkStatus.UNDOING},
        is_running=seen.status is BulkStatus.RUNNING,
        can_repeat=seen.status not in {BulkStatus.RUNNING, BulkStatus.UNDOING}
        and counts[ItemState.REFUSED] + to_change > 0,
        results=_results(seen, reader),
    )


def _results(seen: OrderSeen, reader: Reader) -> str:
    told = [reader.say("{what}: {n}", what=_state(s, seen.status, reader), n=reader.number(n)) for s, n in _found(seen)]
    return " · ".join(told)


def _found(seen: OrderSeen) -> list[tuple[ItemState, int]]:
    """The states that occur, what was reached first; of a preview, what would be changed."""
    states = [ItemState.DONE, ItemState.UNDONE, ItemState.SAME, ItemState.KEPT, ItemState.REFUSED]
    first = seen.status is BulkStatus.PREVIEWED
    order = [ItemState.WAITING, *states] if first else [*states, ItemState.WAITING]
    return [(state, seen.counts[state]) for state in order if seen.counts[state]]


def _facts(seen: OrderSeen, reader: Reader) -> tuple[tuple[str, str], ...]:
    given, names = seen.given, seen.names
    found = [
        (reader.say("To"), names.get(given.to, given.to)),
        (reader.say("Until"), reader.full_moment(given.until) if given.until else ""),
        (reader.say("Why"), reader.label(HOLD_REASONS[HoldReason(given.reason)]) if given.reason else ""),
        (reader.say("Order in the queue"), _priority(seen, reader)),
        (reader.say("Documents"), _documents(seen, reader)),
        (reader.say("Note"), given.why),
        (reader.say("Stopped by"), names.get(seen.order.stopped_by, "")),
        (reader.say("Taken back by"), names.get(seen.order.undone_by, "")),
    ]
    return tuple((name, value) for name, value in found if value)


def _priority(seen: OrderSeen, reader: Reader) -> str:
    if seen.verb is not BulkVerb.PRIORITISE:
        return ""
    return reader.say("ahead of others") if seen.given.is_raised else reader.say("as usual")


def _documents(seen: OrderSeen, reader: Reader) -> str:
    if seen.verb is not BulkVerb.REQUEST_DOCUMENTS:
        return ""
    named = [reader.label(DOCUMENT_LABELS[code]) for code in seen.given.items]
    return reader.say(", ").join(named) or reader.say("whatever each case lacks")


# --- its tasks --------------------------------------------------------------------------------------------------------


def present_bulk_tabs(seen: OrderSeen, current: ItemState | None, reader: Reader) -> tuple[BulkTab, ...]:
    """Every state that occurs, with how many; the first tab is all of them."""
    address = f"/desk/bulk/{seen.order.id}"
    tabs = [BulkTab(reader.say("All"), reader.number(seen.order.total), "none", address, current is None)]
    for state, n in _found(seen):
        words = _state(state, seen.status, reader)
        there = f"{address}?{urlencode({'state': state.value})}"
        tabs.append(BulkTab(words, reader.number(n), TONES[state], there, current is state))
    return tuple(tabs)


def _state(state: ItemState, status: BulkStatus, reader: Reader) -> str:
    if status is BulkStatus.PREVIEWED and state in WOULD_BE:
        return reader.say(WOULD_BE[state])
    if state is ItemState.WAITING and status is not BulkStatus.RUNNING:
        return reader.say(NOT_DONE)
    return reader.label(STATE_LABELS[state])


def present_items(items: Sequence[ItemSeen], seen: OrderSeen, reader: Reader) -> tuple[BulkRow, ...]:
    """The tasks, each with what becomes or became of it."""
    return tuple(_row(each, seen, reader) for each in items)


def _row(each: ItemSeen, seen: OrderSeen, reader: Reader) -> BulkRow:
    item, found, state = each.item, each.found, ItemState(each.item.state)
    return BulkRow(
        n=item.n + 1,
        number=found.case.number if found else "",
        what=reader.label(found.kind.label) if found else reader.say("A task you may not see"),
        address=f"/desk/tasks/{item.task_id}" if found else "",
        state=_state(state, seen.status, reader),
        tone=TONES[state],
        words=told(item.words, reader),
    )


def present_reasons(found: Sequence[tuple[ItemState, str, int]], reader: Reader) -> tuple[BulkReason, ...]:
    """Why tasks were refused or kept, each reason once."""
    return tuple(BulkReason(told(words, reader), reader.number(n), TONES[state]) for state, words, n in found)


def told(sentence: str, reader: Reader) -> str:
    """A refusal in the reader's language."""
    return translate_refusal(reader.language, sentence) or sentence


def moment_of(day: str, time: str) -> datetime:
    """A day and a time of the office as they were typed; without a time, when it opens. Raises `ValueError`."""
    return datetime.fromisoformat(f"{day}T{time or '09:00'}")
