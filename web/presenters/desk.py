"""The desk: who looks, queues with what waits in them, marks of a task, and rows of cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from lian.auth.actor import Actor
from lian.auth.visibility import sees_inside
from lian.db.tables import Case
from lian.domain.case_kinds import KINDS
from lian.domain.errors import NotAllowed
from lian.domain.labels import Label
from lian.domain.parties import PartyRole
from lian.domain.queues import QUEUES
from lian.domain.status import CaseStatus, label_of
from lian.services.cases import CaseFace, CaseFile
from lian.services.desk import QueueCount, TaskOnDesk
from lian.services.desk.lists import COUNTED
from lian.services.desk.tasks import refuse_other_queue, refuse_unsuited
from lian.services.letters import coverage_label
from web.i18n import mark
from web.presenters.cases import CaseRow, title_of
from web.presenters.clocks import nearest_chip
from web.presenters.forms import FormContext
from web.reader import Reader

NOT_MINE = mark("This is not work of your role.")
PAYABLE = frozenset({PartyRole.CLAIMANT, PartyRole.BENEFICIARY, PartyRole.HEIR})


@dataclass(frozen=True, slots=True)
class QueueView:
    """One queue of mine: `is_busy` when something waits in it, `can_take` when it is for somebody like me."""

    id: str
    label: str
    waiting: str
    sub: str
    is_busy: bool
    can_take: bool


@dataclass(frozen=True, slots=True)
class TagView:
    """A mark: its words, its colour, its icon, and what it means in a sentence."""

    words: str
    tone: str
    icon: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Setting:
    """Who looks, and when."""

    reader: Reader
    actor: Actor
    names: Mapping[str, str]
    now: datetime
    stands_in_for: frozenset[str] = frozenset()
    """Who is away and has named this reader (TSK-4)."""

    @property
    def today(self) -> date:
        """The day it is in the office."""
        return self.now.astimezone(self.reader.zone).date()


def present_queues(queues: Sequence[QueueCount], reader: Reader, actor: Actor) -> tuple[QueueView, ...]:
    """My queues; those without work for my role cannot be drawn from."""
    mine = {task.queue for kind in KINDS.values() for task in kind.tasks if actor.may(task.permission)}
    may_draw = actor.may("task:draw")
    return tuple(
        QueueView(
            id=q.queue,
            label=reader.label(q.label),
            waiting=capped(q.unclaimed, is_more=q.is_more and q.unclaimed >= COUNTED, reader=reader),
            sub=reader.say("waiting · {n} open", n=capped(q.open, is_more=q.is_more, reader=reader)),
            is_busy=q.unclaimed > 0,
            can_take=may_draw and q.queue in mine and q.unclaimed > 0,
        )
        for q in queues
    )


def capped(n: int, *, is_more: bool, reader: Reader) -> str:
    """A count as it is shown: beyond what was counted it is that and more."""
    return reader.say("{n}+", n=reader.number(n)) if is_more else reader.number(n)


def who(actor: str, s: Setting) -> str:
    """Somebody's name; the reader's own is a word."""
    return s.reader.say("me") if actor == s.actor.id else s.names.get(actor, s.reader.say("a colleague"))


def holder_words(found: TaskOnDesk, s: Setting) -> str:
    """Who has the task, and for whom; empty when nobody has it."""
    task = found.task
    if not task.holder:
        return ""
    holder = who(task.holder, s)
    if not task.on_behalf_of:
        return holder
    return s.reader.say("{holder} for {owner}", holder=holder, owner=who(task.on_behalf_of, s))


def why_not(found: TaskOnDesk, s: Setting) -> str:
    """Why somebody may not take a task on or answer it, in their language; empty when they may."""
    if not s.actor.may(found.kind.permission):
        return s.reader.say(NOT_MINE)
    try:
        refuse_unsuited(s.actor, found, s.today)
        if found.task.holder not in {s.actor.id, *s.stands_in_for}:
            refuse_other_queue(s.actor, found)
    except NotAllowed as refused:
        return s.reader.refusal(refused)
    return ""


def is_there(found: TaskOnDesk, s: Setting) -> bool:
    """Whether nobody has the task, or somebody for whom the reader stands in."""
    return not found.task.holder or found.task.holder in s.stands_in_for


def can_take(found: TaskOnDesk, s: Setting) -> bool:
    """Whether the reader may take it on now."""
    return found.task.status == "open" and is_there(found, s) and s.actor.may("task:claim") and not why_not(found, s)


def queue_label(queue: str, reader: Reader) -> str:
    """A queue's name."""
    return reader.label(QUEUES[queue]) if queue in QUEUES else queue


def marks_of(found: TaskOnDesk, s: Setting) -> tuple[TagView, ...]:
    """What sets a task apart from the others; how urgent we think it is, only for people inside."""
    return (*(_urgency(found, s) if sees_inside(s.actor) else ()), *_aside(found, s))


def _urgency(found: TaskOnDesk, s: Setting) -> Iterator[TagView]:
    task, say = found.task, s.reader.say
    if task.is_green:
        yield TagView(say("Green channel"), "ok", "bolt", say("Express: it goes before everything else."))
    if task.is_raised:
        yield TagView(
            say("Raised"), "warn", "raise", say("Somebody, or a promise running out, put it ahead of others.")
        )


def _aside(found: TaskOnDesk, s: Setting) -> Iterator[TagView]:
    task, say = found.task, s.reader.say
    if task.hold_until is not None and found.is_held(s.now):
        until = s.reader.moment(task.hold_until)
        meaning = say("Put aside until {until}; no clock stops.", until=s.reader.full_moment(task.hold_until))
        yield TagView(say("until {when}", when=until), "hold", "pause", meaning)


def form_context(file: CaseFile, reader: Reader) -> FormContext:
    """What the task's form refers to."""
    received: dict[str, int] = {}
    for document in file.documents:
        if document.state != "refused":
            received[document.item_code] = received.get(document.item_code, 0) + 1
    return FormContext(
        reader=reader,
        currency=file.case.currency,
        coverages=coverages_of(file),
        people={str(p.id): p.name for p in file.parties},
        received=received,
        payable=_payable(file),
    )


def coverages_of(file: CaseFile) -> dict[str, Label]:
    """The names of the coverages claimed under."""
    return {e.coverage_code: coverage_label(file.case, e.coverage_code) for e in file.exposures}


def _payable(file: CaseFile) -> dict[str, str]:
    """Whom a settlement may be split among: those who claim, and in place of a minor whoever represents them."""
    claimants = [p for p in file.parties if p.role in PAYABLE]
    minors = {p.id for p in file.parties if p.is_minor}
    acting = [p for p in file.parties if p.role == PartyRole.REPRESENTATIVE and p.represents in minors]
    return {str(p.id): p.name for p in (*claimants, *acting)}


def present_cases(
    cases: Sequence[Case], faces: Mapping[UUID, CaseFace], reader: Reader, now: datetime
) -> tuple[CaseRow, ...]:
    """The case list."""
    return tuple(_case_row(case, faces.get(case.id), reader, now) for case in cases)


def _case_row(case: Case, face: CaseFace | None, reader: Reader, now: datetime) -> CaseRow:
    kind = KINDS[case.kind]
    closed = kind.outcomes.get(case.outcome)
    return CaseRow(
        number=case.number,
        title=title_of(case, reader),
        claimant=reader.say(", ").join(face.claimants) if face else "",
        stage=reader.label(kind.stage(case.stage).label),
        status=reader.label(closed) if closed else reader.label(label_of(CaseStatus(case.status))),
        tone=kind.endings[case.outcome].tone if case.outcome in kind.endings else "info",
        amount=reader.money(case.claimed_amount, case.currency) if case.currency else "",
        opened=reader.moment(case.opened_at),
        chip=nearest_chip(face.clocks if face else (), reader, now),
    )
