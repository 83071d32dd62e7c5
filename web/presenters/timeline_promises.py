"""The journal's sentences for promises: their clocks, what the case waits for, why one was broken (CLM-12, CLM-13)."""

from __future__ import annotations

from datetime import datetime

from lian.domain.claims.checklist import DOCUMENT_LABELS
from lian.domain.labels import Label
from lian.domain.milestones import GRADES, MILESTONES
from lian.domain.promise_actions import DOCUMENTS
from lian.services.lateness import cause_label
from lian.services.notices import NOTED
from lian.services.reading_clocks import wait_label
from web.i18n import mark
from web.presenters.scene import Body, Scene, Sentence

STOPPED = {
    "met": mark("Promise kept: {clock}"),
    "breached": mark("Promise done late: {clock}"),
    "undecided": mark("Promise done, not judged yet: {clock}"),
}
HOW_CLOSED = {
    "answered": mark("The request for documents was answered in full"),
    "expired": mark("The request for documents ended without a full answer"),
    "withdrawn": mark("The request for documents was withdrawn"),
}
WAIT_ENDED = {
    "expired": mark("The longest time to wait is over: {what}"),
    "closed": mark("No longer waited for, the case is closed: {what}"),
}


def _name(s: Scene, b: Body) -> str:
    return s.clocks.get(str(b["clock"]), str(b["clock"]))


def _clock(msgid: str) -> Sentence:
    return lambda s, b: s.reader.say(msgid, clock=_name(s, b))


def _stopped(s: Scene, b: Body) -> str:
    return _clock(STOPPED.get(b["verdict"], STOPPED["undecided"]))(s, b)


def _restarted(s: Scene, b: Body) -> str:
    start = s.reader.full_moment(datetime.fromisoformat(str(b["started_at"])))
    return s.reader.say("Promise counted anew from {start}: {clock}", start=start, clock=_name(s, b))


def _rung(s: Scene, b: Body) -> str:
    rung = str(b["rung"])
    if rung.endswith("%"):
        return s.reader.say("{share} of its time is used: {clock}", share=rung, clock=_name(s, b))
    if rung.startswith("+"):
        days = int(rung.strip("+d"))
        return s.reader.count("{n} day overdue: {clock}", "{n} days overdue: {clock}", days, clock=_name(s, b))
    return s.reader.say("Its time is over: {clock}", clock=_name(s, b))


def _explained(s: Scene, b: Body) -> str:
    who = s.actors.get(str(b["responsible"])) or s.reader.say("Former staff")
    cause = s.reader.label(cause_label(str(b["cause"])))
    return s.reader.say("Why late: {clock}. {cause}. {who} answers for it", clock=_name(s, b), cause=cause, who=who)


def _milestone(s: Scene, b: Body) -> str:
    code = str(b["milestone"])
    return s.reader.say("Reached: {what}", what=s.reader.label(MILESTONES.get(code, Label(code, code))))


def _graded(s: Scene, b: Body) -> str:
    code = str(b["grade"])
    return s.reader.say("Graded as: {what}", what=s.reader.label(GRADES.get(code, Label(code, code))))


def _replanned(s: Scene, b: Body) -> str:
    if b.get("why"):
        return s.reader.say("The case runs under other promises or another calendar now: {why}", why=b["why"])
    return s.reader.say("The case runs under other promises or another calendar now")


# --- what the case waits for ------------------------------------------------------------------------------------------


def _requested(s: Scene, b: Body) -> str:
    if b.get("reason", DOCUMENTS) != DOCUMENTS:
        until = s.reader.day(datetime.fromisoformat(str(b["answer_by"])))
        what = s.reader.label(wait_label(b["reason"]))
        return s.reader.say("The case waits: {what}, until {until} at the latest", what=what, until=until)
    items = s.reader.say(", ").join(s.reader.label(DOCUMENT_LABELS[code]) for code in b["items"])
    if b["is_repeat"]:
        return s.reader.say("Documents asked for again: {items}", items=items)
    return s.reader.say("Documents asked for: {items}", items=items)


def _delivered(s: Scene, b: Body) -> str:
    if b.get("channel") == NOTED:
        return s.reader.say("The wait counts from {day}", day=s.reader.day(datetime.fromisoformat(b["delivered_at"])))
    return s.reader.say("The request for documents reached the customer")


def _closed(s: Scene, b: Body) -> str:
    what = s.waits.get(str(b["request_id"]))
    if what is None:
        return s.reader.say(HOW_CLOSED.get(b["how"], HOW_CLOSED["withdrawn"]))
    return s.reader.say(WAIT_ENDED.get(b["how"], WAIT_OVER), what=what)


WAIT_OVER = mark("No longer waited for: {what}")

PROMISES: dict[str, Sentence] = {
    "case.graded": _graded,
    "certificate.issued": lambda s, _: s.reader.say("A certificate of timeliness was issued"),
    "clock.breach_withdrawn": _clock(mark("Promise not broken after all: {clock}")),
    "clock.breached": _clock(mark("Promise broken: {clock}")),
    "clock.cancelled": _clock(mark("Promise no longer applies: {clock}")),
    "clock.extended": _clock(mark("Promise takes longer, as the customer was told: {clock}")),
    "clock.judged": _stopped,
    "clock.paused": _clock(mark("Promise paused: {clock}")),
    "clock.rebased": _clock(mark("Promise counted by other rules from here: {clock}")),
    "clock.restarted": _restarted,
    "clock.resumed": _clock(mark("Promise runs again: {clock}")),
    "clock.rung_reached": _rung,
    "clock.started": _clock(mark("Promise made: {clock}")),
    "clock.stopped": _stopped,
    "clock.warned": _clock(mark("Promise at risk: {clock}")),
    "lateness.explained": _explained,
    "milestone.reached": _milestone,
    "plan.changed": _replanned,
    "request.closed": _closed,
    "request.delivered": _delivered,
    "request.opened": _requested,
}
"""One sentence for each type of event."""
