"""One task on the desk: its head, the verbs open to its reader, and what colleagues said of it (TSK-1, TSK-5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from lian.auth.actor import Actor
from lian.domain.desk import (
    CONFLICT_REASONS,
    HOLD_REASONS,
    PASS_REASONS,
)
from lian.domain.errors import NotAllowed
from lian.domain.labels import Label
from lian.services.cases import CaseFile
from lian.services.desk import Assignee, TaskOnDesk
from lian.services.desk.asking import Adviser
from web.deps import Sent
from web.presenters.clocks import Chip, nearest_chip
from web.presenters.desk import (
    Setting,
    TagView,
    can_take,
    holder_words,
    marks_of,
    queue_label,
    who,
    why_not,
)
from web.presenters.forms import Option

MORNING = time(9)
"""Work that was put aside until a day is looked at when the office opens."""
OWN = "own"
QUICK = ("tomorrow", "three_days", "monday")


@dataclass(frozen=True, slots=True)
class TaskHead:
    """One task as its page's head shows it. `why_not` says why it cannot be taken on or answered."""

    id: str
    version: int
    what: str
    help: str
    queue: str
    queue_label: str
    chip: Chip
    tags: tuple[TagView, ...]
    is_open: bool
    is_mine: bool
    holder: str
    is_away: bool
    can_take: bool
    why_not: str
    amount: str
    needs_notes: bool


@dataclass(frozen=True, slots=True)
class Colleague:
    """One person in a list of those a task may be given to, or who may be asked about it."""

    username: str
    words: str
    can_have: bool = True
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """A verb that was refused, with what was typed for it; none when `verb` is empty."""

    verb: str = ""
    sent: Sent = field(default_factory=Sent)
    problem: str = ""
    place: str = ""
    """The field it is about."""
    holder: str = ""

    def text(self, verb: str, name: str) -> str:
        """What was typed in this verb's form."""
        return self.sent.text(name) if verb == self.verb else ""

    @property
    def words(self) -> str:
        """What somebody wrote, to be kept where its form is no longer offered."""
        return next(filter(None, map(self.sent.text, ("words", "text", "question", "answer"))), "")


@dataclass(frozen=True, slots=True)
class MomentView:
    """A moment until which a task may be put aside; `is_late` when a promise falls due before."""

    value: str
    words: str
    chosen: bool
    when: str = ""
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Panels:
    """The verbs open to this reader now: `plain` by name, the others by their choices; no choices, no verb."""

    plain: frozenset[str]
    passing: tuple[Option, ...]
    holding: tuple[Option, ...]
    until: tuple[MomentView, ...]
    delegates: tuple[Colleague, ...]
    assignees: tuple[Colleague, ...]
    advisers: tuple[Colleague, ...]
    conflicts: tuple[Option, ...]
    barred: tuple[Colleague, ...]
    is_raised: bool

    @property
    def forms(self) -> frozenset[str]:
        """The verbs whose form is on the page: there a refusal is shown."""
        lists = {
            "pass": self.passing,
            "hold": self.holding,
            "delegate": self.delegates,
            "assign": self.assignees,
            "ask": self.advisers,
            "conflict": self.conflicts,
        }
        asking = self.plain & {"cancel", "comment", "prioritise"}
        return asking | {verb for verb, choices in lists.items() if choices}


def present_task(found: TaskOnDesk, file: CaseFile, s: Setting) -> TaskHead:
    """The head of a task's page."""
    task, reason = found.task, why_not(found, s)
    is_open, is_mine = task.status == "open", task.holder == s.actor.id
    approved = task.ask.get("approved_amount")
    return TaskHead(
        id=str(task.id),
        version=task.version,
        what=s.reader.label(found.kind.label),
        help=s.reader.label(found.kind.help),
        queue=task.queue,
        queue_label=queue_label(task.queue, s.reader),
        chip=nearest_chip(file.clocks, s.reader, s.now),
        tags=_tags(found, s) if is_open else (),
        is_open=is_open,
        is_mine=is_mine,
        holder="" if is_mine else holder_words(found, s),
        is_away=task.holder in s.stands_in_for,
        can_take=can_take(found, s),
        why_not=reason,
        amount=s.reader.money(approved, found.case.currency) if approved else "",
        needs_notes=found.kind.needs_notes,
    )


def _tags(found: TaskOnDesk, s: Setting) -> tuple[TagView, ...]:
    """Its marks, and for whom the reader does it."""
    owner = found.task.on_behalf_of
    if not owner or found.task.holder != s.actor.id:
        return marks_of(found, s)
    words = s.reader.say("for {owner}", owner=who(owner, s))
    meaning = s.reader.say("You do it for a colleague, with your own rights and limit.")
    return (TagView(words, "info", "people", meaning), *marks_of(found, s))


# --- the verbs --------------------------------------------------------------------------------------------------------


def present_panels(
    found: TaskOnDesk, people: Sequence[Assignee], advisers: Sequence[Adviser], tried: Attempt, s: Setting
) -> Panels:
    """What may be done with the task. `people`: whose work it is; `advisers`: whom one may ask about it."""
    task, actor = found.task, s.actor
    is_mine, leads = task.holder == actor.id, actor.may("task:assign")
    is_open, in_charge = task.status == "open", is_mine or leads
    may_give = is_open and leads and (not task.holder or is_mine or actor.may("task:reassign"))
    may_delegate = is_open and is_mine and actor.may("task:delegate")
    may_hold = is_open and in_charge and actor.may("task:hold")
    is_in_it = actor.id not in task.excluded
    return Panels(
        plain=frozenset(_plain(found, s)),
        passing=options_of(PASS_REASONS, tried, "pass", s) if is_open and is_mine and actor.may("task:release") else (),
        holding=options_of(HOLD_REASONS, tried, "hold", s) if may_hold else (),
        until=_moments(found, tried, s) if may_hold else (),
        delegates=_colleagues(people, "delegate", tried, s) if may_delegate else (),
        assignees=_colleagues(people, "assign", tried, s) if may_give else (),
        advisers=_advisers(advisers, tried, "ask", "to") if is_open and is_mine else (),
        conflicts=options_of(CONFLICT_REASONS, tried, "conflict", s) if is_in_it and actor.sees_cases else (),
        barred=_advisers(advisers, tried, "conflict", "of") if actor.may("case:bar") else (),
        is_raised=task.is_raised,
    )


def _plain(found: TaskOnDesk, s: Setting) -> Iterator[str]:
    """Verbs that need no list of choices."""
    if s.actor.may("task:comment"):
        yield "comment"
    if found.task.status == "open":
        yield from (verb for verb, is_offered in _of_an_open_one(found, s) if is_offered)


def _of_an_open_one(found: TaskOnDesk, s: Setting) -> Iterator[tuple[str, bool]]:
    task, actor = found.task, s.actor
    is_mine, leads = task.holder == actor.id, actor.may("task:assign")
    yield "claim", can_take(found, s)
    yield "release", bool(task.holder) and actor.may("task:release" if is_mine else "task:unassign")
    yield "wake", found.is_held(s.now) and actor.may("task:hold") and (is_mine or leads)
    yield "return", _may_return(found, actor)
    yield "prioritise", actor.may("task:prioritise")
    yield "cancel", actor.may("task:cancel") and found.kind.on == "desk"


def _may_return(found: TaskOnDesk, actor: Actor) -> bool:
    task = found.task
    is_theirs = actor.id in {task.holder, task.on_behalf_of} and actor.may("task:delegate")
    return bool(task.on_behalf_of) and (is_theirs or actor.may("task:reassign"))


def options_of(
    labels: Mapping[Any, Label], tried: Attempt, verb: str, s: Setting, name: str = "reason"
) -> tuple[Option, ...]:
    """The choices of a verb's form, with what was chosen when it was refused."""
    chosen = tried.text(verb, name)
    return tuple(Option(str(code), s.reader.label(label), str(code) == chosen) for code, label in labels.items())


def _moments(found: TaskOnDesk, tried: Attempt, s: Setting) -> tuple[MomentView, ...]:
    """Quick choices of until when; two that are the same moment are one."""
    chosen, due = tried.text("hold", "when") or QUICK[0], found.task.act_by_at
    names = (s.reader.say("Tomorrow"), s.reader.say("In three days"), s.reader.say("Next Monday"))
    quick = {quick_moment(code, s): (code, words) for code, words in reversed(tuple(zip(QUICK, names, strict=True)))}
    return (
        *(
            MomentView(code, words, code == chosen, s.reader.full_moment(at), bool(due and due < at))
            for at, (code, words) in sorted(quick.items())
        ),
        MomentView(OWN, s.reader.say("Another moment"), chosen == OWN),
    )


def quick_moment(code: str, s: Setting) -> datetime:
    """The morning of tomorrow, of the day three days from now, or of next Monday; in the office's zone."""
    days = {"tomorrow": 1, "three_days": 3, "monday": 7 - s.today.weekday()}[code]
    return datetime.combine(s.today + timedelta(days=days), MORNING, s.reader.zone)


def _colleagues(people: Sequence[Assignee], verb: str, tried: Attempt, s: Setting) -> tuple[Colleague, ...]:
    """Whoever may not have the task is shown with the reason; nobody delegates to themselves."""
    chosen = tried.text(verb, "to")
    return tuple(_colleague(p, chosen, s) for p in people if verb == "assign" or p.id != s.actor.id)


def _colleague(person: Assignee, chosen: str, s: Setting) -> Colleague:
    why = s.reader.refusal(NotAllowed(person.why_not)) if person.why_not else ""
    words = f"{person.name} ({why})" if why else person.name
    return Colleague(person.username, words, not why, person.username == chosen)


def _advisers(advisers: Sequence[Adviser], tried: Attempt, verb: str, name: str) -> tuple[Colleague, ...]:
    chosen = tried.text(verb, name)
    return tuple(Colleague(one.username, one.name, chosen=one.username == chosen) for one in advisers)
