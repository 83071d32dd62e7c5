"""The journal's sentences for the desk: who has which task, what was put aside, and what colleagues said (TSK-1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lian.domain.desk import (
    CONFLICT_REASONS,
    HOLD_REASONS,
    OPINIONS,
    PASS_REASONS,
    ConflictReason,
    HoldReason,
    Opinion,
    PassReason,
)
from lian.domain.queues import QUEUES
from web.i18n import mark
from web.presenters.scene import Body, Scene, Sentence

QUIET = frozenset(
    {
        *("task.barred", "task.claimed", "task.passed", "task.released", "task.relaxed", "task.routed"),
        *("task.held", "task.woken", "task.prioritised"),
    }
)
SPOKEN = {
    "task.commented": "text",
    "task.held": "note",
    "task.passed": "note",
    "task.prioritised": "note",
    "task.review_asked": "question",
    "task.review_given": "answer",
}
"""The field of the event that holds what somebody said."""
CLAIMED = {
    "assign": mark("Given to {who}: {task}"),
    "automatic": mark("Given to {who} by the rules: {task}"),
    "bulk": mark("Given to {who}: {task}"),
    "delegate": mark("{who} does it for {owner}: {task}"),
    "substitute": mark("{who} stands in for {owner}: {task}"),
    "return": mark("Back with {who}: {task}"),
}


def people_in(body: Body) -> set[str]:
    """Everybody whom an event of the desk names."""
    return {str(body[name]) for name in ("holder", "on_behalf_of", "reviewer", "passed_by", "actor") if body.get(name)}


def _name(s: Scene, actor: Any) -> str:
    return s.actors.get(str(actor)) or s.reader.say("Former staff")


def _of(s: Scene, b: Body) -> str:
    return s.tasks.get(str(b["task_id"]), "")


def _task(msgid: str) -> Sentence:
    return lambda s, b: s.reader.say(msgid, task=_of(s, b))


def _claimed(s: Scene, b: Body) -> str:
    words = CLAIMED.get(str(b["how"]))
    if words is None:
        return s.reader.say("Taken on: {task}", task=_of(s, b))
    owner = _name(s, b["on_behalf_of"]) if b.get("on_behalf_of") else ""
    return s.reader.say(words, who=_name(s, b["holder"]), owner=owner, task=_of(s, b))


def _routed(s: Scene, b: Body) -> str:
    queue = s.reader.label(QUEUES[b["queue"]]) if b["queue"] in QUEUES else str(b["queue"])
    return s.reader.say("Belongs in {queue}: {task}", queue=queue, task=_of(s, b))


def _relaxed(s: Scene, b: Body) -> str:
    skills = s.reader.say(", ").join(str(skill) for skill in b["skills"])
    return s.reader.say("Others may do it now, too ({skills}): {task}", skills=skills, task=_of(s, b))


def _passed(s: Scene, b: Body) -> str:
    why = s.reader.label(PASS_REASONS[PassReason(b["reason"])])
    return s.reader.say("Passed on ({why}): {task}", why=why, task=_of(s, b))


def _held(s: Scene, b: Body) -> str:
    until = s.reader.moment(datetime.fromisoformat(str(b["until"])))
    why = s.reader.label(HOLD_REASONS[HoldReason(b["reason"])])
    return s.reader.say("Put aside until {until} ({why}): {task}", until=until, why=why, task=_of(s, b))


def _prioritised(s: Scene, b: Body) -> str:
    words = mark("Put ahead of others: {task}") if b["is_raised"] else mark("No longer ahead of others: {task}")
    return s.reader.say(words, task=_of(s, b))


def _review_asked(s: Scene, b: Body) -> str:
    return s.reader.say("{who} is asked for an opinion: {task}", who=_name(s, b["reviewer"]), task=_of(s, b))


def _review_given(s: Scene, b: Body) -> str:
    opinion = s.reader.label(OPINIONS[Opinion(b["opinion"])])
    return s.reader.say("An opinion: {opinion} ({task})", opinion=opinion, task=_of(s, b))


def _barred(s: Scene, b: Body) -> str:
    why = s.reader.label(CONFLICT_REASONS[ConflictReason(b["reason"])])
    return s.reader.say("The case is not for {who}: {why}", who=_name(s, b["actor"]), why=why)


DESK: dict[str, Sentence] = {
    "case.barred": _barred,
    "task.claimed": _claimed,
    "task.commented": _task(mark("A remark for colleagues: {task}")),
    "task.held": _held,
    "task.passed": _passed,
    "task.prioritised": _prioritised,
    "task.relaxed": _relaxed,
    "task.released": _task(mark("Given back: {task}")),
    "task.review_asked": _review_asked,
    "task.review_given": _review_given,
    "task.routed": _routed,
    "task.woken": _task(mark("No longer put aside: {task}")),
}
