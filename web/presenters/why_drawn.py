"""Why get-next chose this task, in sentences (TSK-2). The codes come from an address, the rest from the task."""

from __future__ import annotations

from collections.abc import Sequence

from lian.auth.visibility import sees_inside
from lian.domain.desk import DRAW_REASONS, STANDINGS, DrawReason, Reason
from lian.domain.urgency import Urgency, read_urgency
from lian.services.desk import TaskOnDesk
from lian.services.desk.drawing import place_of_task
from web.i18n import mark
from web.presenters.desk import Setting

SENTENCES = {
    DrawReason.OWN_WORK: mark("You have it in hand already: started work comes first."),
    DrawReason.GREEN: mark("It is in the green channel, which goes before everything else."),
    DrawReason.RAISED: mark("Somebody, or a promise running out, put it ahead of others."),
    DrawReason.STATUTORY: mark("A law sets its deadline, so it goes before our own targets."),
    DrawReason.ACT_BY: mark("Its first promise falls due {when}."),
    DrawReason.STANDING: mark("{standing}: whoever waits here may least be kept waiting."),
    DrawReason.WAITING_SINCE: mark("It has waited since {when}."),
}

OF_THE_TASK = SENTENCES.keys()
"""The others say why more urgent tasks were not given."""


def write_why(reasons: Sequence[Reason]) -> str:
    """The reasons as the text of an address."""
    return ".".join(reason.code.value for reason in reasons)


def present_why(text: str, found: TaskOnDesk, s: Setting) -> tuple[str, ...]:
    """What `write_why` wrote, in sentences, for people inside.

    Anybody can write an address: what is no reason, or not true of the task as it is now, is left out.
    """
    if not sees_inside(s.actor):
        return ()
    known = [DrawReason(code) for code in dict.fromkeys(text.split(".")) if code in set(DrawReason)]
    true = {reason.code for reason in place_of_task(found)} | (set(DrawReason) - OF_THE_TASK)
    true |= {DrawReason.OWN_WORK} if found.task.holder == s.actor.id else set()
    said = read_urgency(found.task.urgency)
    return tuple(_sentence(code, said, s) for code in known if code in true)


def _sentence(code: DrawReason, said: Urgency, s: Setting) -> str:
    if code not in SENTENCES:
        return s.reader.say("{reason}.", reason=s.reader.label(DRAW_REASONS[code]))
    at = said.opened_at if code is DrawReason.WAITING_SINCE else said.act_by_at
    when = s.reader.full_moment(at) if at else s.reader.say("at no certain time")
    return s.reader.say(SENTENCES[code], when=when, standing=s.reader.label(STANDINGS[said.standing]))
