"""What somebody just did to a task, in a sentence, with the way back while there is one (ui.md 6)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from lian.services.desk import TaskOnDesk
from web.i18n import mark
from web.presenters.desk import Setting, who


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done. `undo` is the address of the way back, empty when there is none."""

    words: str
    undo: str = ""
    undo_words: str = ""
    version: int = 0
    number: str = ""
    address: str = ""
    queue: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """The sentence for a deed, and the verb that undoes it."""

    words: str
    undo: str = ""


KINDS = {
    "assigned": _Kind(mark("{who} has it now.")),
    "asked": _Kind(mark("Your question is asked. The answer appears here.")),
    "cancelled": _Kind(mark("The question is taken back: {task}.")),
    "claimed": _Kind(mark("This task is yours now."), "release"),
    "conflict": _Kind(mark("It is on record that this case is not for you or them: {task}.")),
    "delegated": _Kind(mark("{who} does it for you."), "return"),
    "held": _Kind(mark("Put aside until {until}: {task}."), "wake"),
    "let_go": _Kind(mark("Given back: {task}.")),
    "lowered": _Kind(mark("It has its ordinary place again.")),
    "opinion": _Kind(mark("Your opinion is sent.")),
    "passed": _Kind(mark("Passed on: {task}.")),
    "raised": _Kind(mark("It goes before the others now.")),
    "released": _Kind(mark("Given back: {task}."), "claim"),
    "returned": _Kind(mark("Returned: {task}.")),
    "woken": _Kind(mark("It is no longer put aside.")),
}
"""By the name that an address carries after a verb."""


def deed_on_task(did: str, version: str, found: TaskOnDesk, s: Setting, *, is_elsewhere: bool = False) -> Deed | None:
    """What was done to this task; none when it has changed since. Told elsewhere than on its page, it says of which."""
    if did not in KINDS or version != str(found.task.version):
        return None
    task = found.task
    until = s.reader.moment(task.hold_until) if task.hold_until else ""
    values = {"who": who(task.holder, s), "until": until, "task": s.reader.label(found.kind.label)}
    way_back = "return" if did == "claimed" and task.on_behalf_of else KINDS[did].undo
    verb = way_back if _can_undo(way_back, found, s) else ""
    return Deed(
        words=s.reader.say(KINDS[did].words, **values),
        undo=f"/desk/tasks/{task.id}/{verb}" if verb else "",
        undo_words=s.reader.say("Undo"),
        version=task.version,
        number=found.case.number if is_elsewhere else "",
        address=f"/desk/tasks/{quote(str(task.id))}",
        queue=task.queue,
    )


def _can_undo(verb: str, found: TaskOnDesk, s: Setting) -> bool:
    """Whether the way back is open to whoever did it."""
    task, actor = found.task, s.actor
    if task.status != "open":
        return False
    is_open = {
        "release": task.holder == actor.id and actor.may("task:release"),
        "claim": not task.holder and actor.may("task:claim") and _is_of_their_queues(found, s),
        "wake": task.hold_until is not None,
        "return": bool(task.on_behalf_of)
        and actor.id in {task.on_behalf_of, task.holder}
        and actor.may("task:delegate"),
    }
    return is_open.get(verb, False)


def _is_of_their_queues(found: TaskOnDesk, s: Setting) -> bool:
    return found.task.queue in s.actor.queues or "*" in s.actor.queues
