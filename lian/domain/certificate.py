"""The certificate of timeliness: what the journal of one case says of every promise, so that anybody can check it.

A pure function of the journal's entries, and of nothing else: `recompute` makes it again from the entries it carries,
and works out every deadline and verdict on record anew. It holds no name, no note and no customer's id.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from lian.domain.calendars import WorkingCalendar
from lian.domain.certificate_reading import (
    calendar_from,
    calendar_json,
    canonical,
    ledger_json,
    moment_from,
    optional_moment,
    sha256_of,
    utc_text,
)
from lian.domain.certificate_story import ClockStory, Difference, Entry, Stretch, unfounded
from lian.domain.errors import DomainError
from lian.domain.plan import policy_id
from lian.domain.sla import MICROSECOND

Json = dict[str, Any]
FORMAT = "lian-certificate-of-timeliness/1"
CUSTOMER = "customer"
ABSENT = "nothing"
"""Said of a field that is not there."""
CHANGES_PLAN = frozenset({"case.submitted", "plan.changed"})
USED = CHANGES_PLAN | {
    *("case.drafted", "milestone.reached", "lateness.explained"),
    *("request.opened", "request.delivered", "request.closed"),
}
"""Types of entries the certificate is made from, beside those of clocks."""
SHOWN: Mapping[str, tuple[str, ...]] = {
    "case.drafted": ("number", "kind"),
    "plan.changed": ("operation_id", "plan"),
    "request.opened": ("request_id", "reason"),
}
"""Of these entries no more than this: the rest says whose case it is, which papers were missing, or is free text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """One case's journal as far as it was written: the last entry's place and hash, and every entry."""

    case_id: str
    head_seq: int
    head_hash: str
    entries: Sequence[Entry]


def certificate_of(journal: Journal, *, issuer: str, issued_at: datetime) -> Json:
    """Everything the journal says of the case's promises, as JSON without fractions.

    Raises `IndexError` for a case that was not submitted, `KeyError` or `ValueError` for entries that are none.
    """
    entries = [_shown(entry) for entry in journal.entries if is_used(entry.type)]
    drafted, submitted = _of_type(entries, "case.drafted")[0], _of_type(entries, "case.submitted")[0]
    stories = stories_of(entries)
    requests = _requests(entries)
    reasons = {request["id"]: request["reason"] for request in requests}
    return {
        "format": FORMAT,
        "issuer": issuer,
        "issued_at": utc_text(issued_at),
        "case": {
            "id": journal.case_id,
            "number": drafted.body["number"],
            "kind": drafted.body["kind"],
            "received_at": utc_text(moment_from(submitted.body["received_at"])),
        },
        "plans": [_plan(entry) for entry in entries if entry.type in CHANGES_PLAN],
        "clocks": [_clock(story, entries, reasons, issued_at) for story in stories],
        "requests": requests,
        "calendars": {_key(s.calendar): calendar_json(s.calendar) for story in stories for s in story.steps},
        "journal": {
            "head": {"seq": journal.head_seq, "hash": journal.head_hash},
            "entries": [_published(entry) for entry in entries],
        },
    }


def _of_type(entries: Sequence[Entry], type_: str) -> list[Entry]:
    return [entry for entry in entries if entry.type == type_]


def is_used(type_: str) -> bool:
    """Whether entries of this type are part of a certificate."""
    return type_ in USED or type_.startswith("clock.")


def stories_of(entries: Sequence[Entry]) -> list[ClockStory]:
    """What these entries tell of every clock, in the order in which the clocks began."""
    stories: dict[str, ClockStory] = {}
    for n, entry in enumerate(entries):
        name = entry.body.get("clock")
        if name is not None:
            story = stories.setdefault(name, ClockStory(name=name))
            story.tell(entry, _calendar_from_here(entries, n))
    return list(stories.values())


def _calendar_from_here(entries: Sequence[Entry], n: int) -> WorkingCalendar | None:
    """The calendar an event puts its clock under; none for one that leaves it as it was."""
    entry = entries[n]
    if entry.type == "clock.judged":
        return _calendar_of_judgement(entry, entries)
    if entry.type in {"clock.started", "clock.rebased"}:
        return _calendar_in(_plan_of(entry, entries), entry.body["policy"])
    return None


def _plan_of(entry: Entry, entries: Sequence[Entry]) -> Entry:
    """The entry of the plan an event speaks under; `IndexError` when there is none.

    A clock that is put under another plan says so right before the plan itself is on record.
    """
    plans = [e for e in entries if e.type in CHANGES_PLAN]
    announced = [e for e in plans if e.seq > entry.seq and e.at == entry.at]
    if entry.type == "clock.rebased" and announced:
        return announced[0]
    return [e for e in plans if e.seq < entry.seq][-1]


def _calendar_of_judgement(entry: Entry, entries: Sequence[Entry]) -> WorkingCalendar:
    """The first plan from the one before that covers the deadline: an open case has it on record a little later."""
    policy, before = _latest_policy(entry, entries), _plan_of(entry, entries)
    plans = [e for e in entries if e.type in CHANGES_PLAN and e.seq >= before.seq]
    calendars = [_calendar_in(plan, policy) for plan in plans]
    due = moment_from(entry.body["due_at"]) - MICROSECOND
    covering = (c for c in calendars if c.covered_until is None or c.local_date(due) <= c.covered_until)
    return next(covering, calendars[0])


def _calendar_in(plan: Entry, policy: Mapping[str, Any]) -> WorkingCalendar:
    frozen = plan.body["plan"]
    return calendar_from(frozen.get("calendars", {}).get(policy.get("calendar", ""), frozen["calendar"]))


def _latest_policy(entry: Entry, entries: Sequence[Entry]) -> Mapping[str, Any]:
    known = (e for e in entries if e.seq < entry.seq and e.body.get("clock") == entry.body["clock"])
    found: Mapping[str, Any] = [e.body["policy"] for e in known if "policy" in e.body][-1]
    return found


# --- what is shown ----------------------------------------------------------------------------------------------------


def _shown(entry: Entry) -> Entry:
    """The entry without what is nobody else's business; what was taken away takes its text with it."""
    fields = SHOWN.get(entry.type)
    body = {name: v for name, v in entry.body.items() if name in fields} if fields else dict(entry.body)
    masked = {name: _masked(value) for name, value in body.items()}
    actor = _masked(entry.actor)
    is_whole = masked == entry.body and actor == entry.actor
    return replace(entry, body=masked, actor=actor, content=entry.content if is_whole else "")


def _masked(value: Any) -> Any:
    return CUSTOMER if isinstance(value, str) and value.startswith(f"{CUSTOMER}:") else value


def _published(entry: Entry) -> Json:
    head = {"seq": entry.seq, "type": entry.type, "hash": entry.hash}
    if entry.content:
        return head | {"content": entry.content}
    return head | {"at": utc_text(entry.at), "actor": entry.actor, "shown": dict(entry.body)}


def _plan(entry: Entry) -> Json:
    packs = str(entry.body["plan"]["pack"]).split("+")
    return {"entry": entry.seq, "since": utc_text(entry.at), "packs": packs, "actor": entry.actor}


def _key(calendar: WorkingCalendar) -> str:
    return f"{calendar.name}@{sha256_of(canonical(calendar_json(calendar)))[:12]}"


def _requests(entries: Sequence[Entry]) -> list[Json]:
    """What the case waited for, by id."""
    found: dict[str, Json] = {}
    for entry in entries:
        body = entry.body
        if entry.type == "request.opened":
            found[str(body["request_id"])] = {
                "id": str(body["request_id"]),
                "reason": body.get("reason", "documents"),
                "opened_at": utc_text(entry.at),
                "opened_by": entry.actor,
                "delivered_at": None,
                "closed_at": None,
                "how": "",
                "entries": [entry.seq],
            }
        elif entry.type.startswith("request.") and str(body["request_id"]) in found:
            request = found[str(body["request_id"])]
            times = {name: body[name] for name in ("delivered_at", "closed_at") if name in body}
            request |= {name: utc_text(moment_from(written)) for name, written in times.items()}
            request["how"] = body.get("how", request["how"])
            request["entries"].append(entry.seq)
    return list(found.values())


# --- one clock --------------------------------------------------------------------------------------------------------


def _clock(story: ClockStory, entries: Sequence[Entry], reasons: Mapping[str, str], now: datetime) -> Json:
    legal_at, seen = story.breach or (None, None)
    return {
        "clock": story.name,
        "promise": policy_id(story.name),
        "policy": story.policy_json,
        "packs": _packs(story, entries),
        "calendar": _key(story.calendar),
        "steps": list(_steps(story, entries)),
        "intervals": [_interval(stretch, reasons) for stretch in story.stretches(now)],
        "ledger": ledger_json(story.ledger),
        "due_at": utc_text(story.due),
        "verdict": story.verdict_at(now),
        "breach": seen and {"legal_at": utc_text(legal_at), "detected_at": utc_text(seen.at), "entry": seen.seq},
        "lateness": story.lateness
        and {
            "cause": story.lateness.body["cause"],
            "responsible": story.lateness.body["responsible"],
            "entry": story.lateness.seq,
        },
    }


def _packs(story: ClockStory, entries: Sequence[Entry]) -> list[str]:
    """The packs of the plan it was last put under."""
    put = [step.entry for step in story.steps if "policy" in step.entry.body][-1]
    return str(_plan_of(put, entries).body["plan"]["pack"]).split("+")


def _steps(story: ClockStory, entries: Sequence[Entry]) -> Iterator[Json]:
    for step in story.steps:
        entry = step.entry
        facts = {name: v for name, v in entry.body.items() if name not in {"clock", "policy", "consumed", "calendar"}}
        # Durations are in seconds with fractions there; the ledger holds them in whole microseconds.
        facts = {name: _spelled(name, value) for name, value in facts.items()}
        told = {"entry": entry.seq, "type": entry.type, "at": utc_text(entry.at), "actor": entry.actor}
        yield told | facts | {"calendar": _key(step.calendar), "milestone": _milestone(entry, entries)}


def _spelled(name: str, value: Any) -> Any:
    return utc_text(optional_moment(value)) if name.endswith("_at") else value


def _milestone(entry: Entry, entries: Sequence[Entry]) -> str:
    """What the procedure had come to when a clock started or stopped."""
    at = entry.body.get("started_at") or entry.body.get("stopped_at")
    if at is None:
        return ""
    reached = (e for e in reversed(entries) if e.type == "milestone.reached" and e.seq < entry.seq)
    return next((str(e.body["milestone"]) for e in reached if moment_from(e.body["reached_at"]) == moment_from(at)), "")


def _interval(stretch: Stretch, reasons: Mapping[str, str]) -> Json:
    return {
        "from_at": utc_text(stretch.from_at),
        "to_at": utc_text(stretch.to_at),
        "state": "stood_still" if stretch.requests else "ran",
        "requests": [{"id": request, "reason": reasons.get(request, "")} for request in stretch.requests],
        "entry": stretch.by.seq,
        "actor": stretch.by.actor,
        "counts": stretch.counts,
    }


# --- checking ---------------------------------------------------------------------------------------------------------


def recompute(certificate: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What in a certificate does not follow from the journal entries it carries; none when all of it does.

    Three looks: the entries fit their hashes and each other; the certificate is what they say; every deadline and
    verdict on record is what `lian.domain.sla` works out from the ledger.
    """
    try:
        return tuple(_differences(certificate))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError, DomainError) as odd:
        return (Difference("the certificate", "this content", f"nothing that can be read ({type(odd).__name__})"),)


def _differences(certificate: Mapping[str, Any]) -> Iterator[Difference]:
    if certificate["format"] != FORMAT:
        yield Difference("format", str(certificate["format"]), FORMAT)
        return
    published = certificate["journal"]["entries"]
    head, case_id = certificate["journal"]["head"], certificate["case"]["id"]
    broken = list(_broken(published, head, case_id))
    if broken:
        yield from broken
        return
    journal = Journal(
        case_id=case_id, head_seq=head["seq"], head_hash=head["hash"], entries=[_entry(each) for each in published]
    )
    issued_at = moment_from(certificate["issued_at"])
    again = certificate_of(journal, issuer=certificate["issuer"], issued_at=issued_at)
    yield from _unlike("", certificate, again)
    for story in stories_of(journal.entries):
        yield from unfounded(story, issued_at)


def _entry(published: Mapping[str, Any]) -> Entry:
    """The entry again, from its own text where that is given."""
    content = published.get("content", "")
    told = json.loads(content) if content else published
    return Entry(
        seq=published["seq"],
        type=published["type"],
        at=moment_from(told["at"]),
        actor=told["actor"],
        body=told["body"] if content else told["shown"],
        hash=published["hash"],
        content=content,
    )


def _broken(entries: Sequence[Mapping[str, Any]], head: Mapping[str, Any], case_id: str) -> Iterator[Difference]:
    """Entries that do not fit their hash, their place, or the entry before them."""
    for entry in entries:
        yield from _broken_entry(entry, case_id)
    for one, other in pairwise(entries):
        if one["seq"] >= other["seq"]:
            yield Difference(f"entry {other['seq']}, place", f"after entry {one['seq']}", "another order")
        if one["seq"] + 1 == other["seq"] and other.get("content"):
            before = json.loads(other["content"])["prev_hash"]
            if before != one["hash"]:
                yield Difference(f"entry {other['seq']}, entry before", before, one["hash"])
    last = entries[-1]
    if last["seq"] > head["seq"] or (last["seq"] == head["seq"] and last["hash"] != head["hash"]):
        yield Difference("the journal's head", f"{head['seq']} {head['hash']}", f"{last['seq']} {last['hash']}")


def _broken_entry(entry: Mapping[str, Any], case_id: str) -> Iterator[Difference]:
    where, content = f"entry {entry['seq']}", entry.get("content")
    if not content:
        return
    if sha256_of(content) != entry["hash"]:
        yield Difference(f"{where}, hash", entry["hash"], sha256_of(content))
    told = json.loads(content)
    for name, stated in (("chain_seq", entry["seq"]), ("type", entry["type"]), ("case_id", case_id)):
        if told[name] != stated:
            yield Difference(f"{where}, {name}", str(stated), str(told[name]))


def _unlike(where: str, stated: Any, found: Any) -> Iterator[Difference]:
    """Where two pieces of JSON differ, each place once."""
    if isinstance(stated, Mapping) and isinstance(found, Mapping):
        for name in sorted({*stated, *found}):
            yield from _unlike(f"{where}.{name}".lstrip("."), stated.get(name, ABSENT), found.get(name, ABSENT))
    elif isinstance(stated, list) and isinstance(found, list) and len(stated) == len(found):
        for n, (one, other) in enumerate(zip(stated, found, strict=True)):
            yield from _unlike(f"{where}[{_name(one, n)}]", one, other)
    elif type(stated) is not type(found) or stated != found:
        yield Difference(where, _short(stated), _short(found))


def _name(item: Any, n: int) -> str:
    return str(item["clock"]) if isinstance(item, Mapping) and "clock" in item else str(n)


def _short(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return written if len(written) <= 80 else f"{written[:77]}..."
