"""People at the desk doing anything in any order, some of it at once, against a model of what may come of it.

Whatever is done at once must come out as if it had been done one after the other, in some order (TSK-1, TSK-5). After
each step the rows are what the model says; after each run the invariants hold: what was acknowledged is on record, and
once (I1, I2), the chain verifies and the rows equal a rebuild (I4), nobody excluded has a task.
`LIAN_STEPS=100 LIAN_EXAMPLES=300` makes it go on for longer.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as how_much
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlmodel import col, func, select

from lian.auth.actor import Actor
from lian.db import journal
from lian.db.tables import ChainHead, JournalEntry, Staff, Task, TaskComment
from lian.domain import journal as j
from lian.domain.errors import Conflict, DomainError, Invalid, NotAllowed
from lian.domain.messages import CommandResult, CompleteTask
from lian.runtime import open_context
from lian.services import desk
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.recording import put_on_record
from lian.settings import Settings
from tests.cast import reported_claim
from tests.fakes.process import FakeProcess

T = TypeVar("T")
EXAMPLES, STEPS = int(os.environ.get("LIAN_EXAMPLES", "12")), int(os.environ.get("LIAN_STEPS", "30"))
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
STEPS_OF = {"complete": 2, "next": 2}
"""An answer is checked at the desk, then recorded by the process; hands are looked at before the queue is."""
MOST_IN_HAND, OLDEST_IN_HAND = 3, timedelta(days=5)
PASSED_FOR = timedelta(hours=12)

# --- the model --------------------------------------------------------------------------------------------------------

PEOPLE = {
    "wang": ("north", "claims_adjuster_junior"),
    "hu": ("south", "claims_adjuster_junior"),
    "chen": ("north", "claims_adjuster_senior"),
    "li": ("north", "team_lead"),
    "gao": ("south", "claims_manager"),
}
WORK = {
    "initial_review": {"claims_adjuster_junior", "claims_adjuster_senior"},
    "authorise": {"claims_adjuster_senior", "team_lead", "claims_manager"},
}
LIMITS = {
    "claims_adjuster_junior": 10_000,
    "claims_adjuster_senior": 50_000,
    "team_lead": 1_000_000,
    "claims_manager": 5_000_000,
}
LEADS = {"li", "gao"}
EVERYWHERE = {"gao"}
"""Whose reach is not their team."""


@dataclass
class Card:
    """One task, as the model has it. `turns` counts what changed it."""

    id: UUID
    case: int
    kind: str
    limit: int
    opened_at: datetime
    excluded: set[str]
    status: str = "open"
    done_by: str = ""
    holder: str = ""
    owner: str = ""
    how: str = ""
    claimed_at: datetime | None = None
    hold_until: datetime | None = None
    is_raised: bool = False
    passed: dict[str, datetime] = field(default_factory=dict)
    remarks: int = 0
    turns: int = 0

    def suits(self, person: str) -> bool:
        """Role, limit, and no conflict of interest."""
        role = PEOPLE[person][1]
        return role in WORK[self.kind] and LIMITS[role] >= self.limit and person not in self.excluded

    def give(self, person: str, how: str, owner: str = "", *, at: datetime | None) -> None:
        """Into somebody's hands, or nobody's."""
        self.holder, self.how, self.owner, self.claimed_at, self.hold_until = person, how, owner, at, None
        self.turns += 1

    def free(self) -> None:
        """Back to the queue."""
        self.give("", "", at=None)

    def is_aside(self, now: datetime) -> bool:
        """Put aside at this moment."""
        return self.hold_until is not None and self.hold_until > now


@dataclass(frozen=True)
class Call:
    """Somebody does something. `seen`: the turn at which they saw the task, when they say so."""

    who: str
    verb: str
    task: UUID
    to: str = "wang"
    hours: int = 1
    is_raised: bool = True
    seen: int | None = None


@dataclass
class Model:
    """All tasks, and what was put on record."""

    now: datetime = START
    cards: dict[UUID, Card] = field(default_factory=dict)
    bars: set[tuple[int, str]] = field(default_factory=set)
    events: Counter[str] = field(default_factory=Counter)

    def do(self, call: Call, step: int, drawn: UUID | None, *, is_alone: bool) -> UUID | None:
        """Carry one step of a call out; refuses as the desk does. Returns what was drawn, where it was."""
        card = self.cards[call.task]
        if call.verb == "next":
            return self.own_work(call.who) if step == 0 else self.draw(call.who, drawn, is_alone=is_alone)
        if call.verb == "complete":
            (self.check_answer, self.record_answer)[step](call, card)
        elif call.verb == "comment":
            card.remarks += 1
            self.events["task.commented"] += 1
        elif call.verb == "bar":
            self.bar(call, card)
        else:
            getattr(self, call.verb)(call, card)
        return None

    # what stands against it

    def look(self, call: Call, card: Card, *, is_stale_first: bool = True) -> None:
        """A closed task is left alone, and one that is no longer what somebody saw."""
        if card.status != "open":
            raise Conflict("closed")
        if is_stale_first:
            self.compare(call, card)

    def compare(self, call: Call, card: Card) -> None:
        if call.seen is not None and call.seen != card.turns:
            raise Conflict("stale")

    def lead(self, call: Call) -> None:
        if call.who not in LEADS:
            raise NotAllowed("no lead")

    def reach(self, who: str, card: Card, person: str) -> None:
        if (card.case, who) in self.bars:
            raise NotAllowed("barred")
        is_near = not person or person == who or who in EVERYWHERE or PEOPLE[person][0] == PEOPLE[who][0]
        if not is_near:
            raise NotAllowed("another team")

    def in_charge(self, call: Call, card: Card) -> None:
        if card.holder == call.who:
            return
        if call.who not in LEADS:
            raise Conflict("not theirs")
        self.reach(call.who, card, card.holder)

    def mine(self, call: Call, card: Card) -> None:
        if card.holder != call.who:
            raise Conflict("not theirs")

    # hands

    def claim(self, call: Call, card: Card) -> None:
        self.look(call, card, is_stale_first=False)
        if card.holder == call.who:
            return
        if card.holder:
            raise Conflict("another's")
        self.compare(call, card)
        if not card.suits(call.who):
            raise NotAllowed("unsuited")
        card.give(call.who, "claim", at=self.now)
        self.events["task.claimed"] += 1

    def release(self, call: Call, card: Card) -> None:
        self.look(call, card, is_stale_first=False)
        if not card.holder:
            return
        self.compare(call, card)
        if card.holder != call.who:
            self.lead(call)
            self.reach(call.who, card, card.holder)
        card.free()
        self.events["task.released"] += 1

    def unassign(self, call: Call, card: Card) -> None:
        self.lead(call)
        self.release(call, card)

    def assign(self, call: Call, card: Card) -> None:
        self.lead(call)
        self.look(call, card, is_stale_first=False)
        if not card.suits(call.to):
            raise Invalid("unsuited")
        if card.holder == call.to:
            return
        self.compare(call, card)
        self.reach(call.who, card, card.holder)
        self.reach(call.who, card, call.to)
        if card.holder:
            self.events["task.released"] += 1
        card.give(call.to, "assign", at=self.now)
        self.events["task.claimed"] += 1

    def delegate(self, call: Call, card: Card) -> None:
        self.look(call, card)
        self.mine(call, card)
        if not card.suits(call.to) or call.to == call.who:
            raise Invalid("unsuited")
        owner = card.owner or call.who
        card.give(call.to, "delegate", "" if owner == call.to else owner, at=self.now)
        self.events["task.claimed"] += 1

    def give_back(self, call: Call, card: Card) -> None:
        self.look(call, card)
        if not card.owner:
            raise Conflict("nobody's")
        if call.who not in {card.holder, card.owner}:
            self.lead(call)
            self.reach(call.who, card, card.holder)
        if card.suits(card.owner):
            card.give(card.owner, "return", at=self.now)
            self.events["task.claimed"] += 1
        else:
            card.free()
            self.events["task.released"] += 1

    def pass_on(self, call: Call, card: Card) -> None:
        self.look(call, card)
        self.mine(call, card)
        card.free()
        card.passed[call.who] = self.now + PASSED_FOR
        self.events["task.passed"] += 1

    # order

    def hold(self, call: Call, card: Card) -> None:
        self.look(call, card)
        self.in_charge(call, card)
        card.hold_until = self.now + timedelta(hours=call.hours)
        card.turns += 1
        self.events["task.held"] += 1

    def wake(self, call: Call, card: Card) -> None:
        self.look(call, card)
        self.in_charge(call, card)
        if card.hold_until is not None:
            card.hold_until = None
            card.turns += 1
            self.events["task.woken"] += 1

    def prioritise(self, call: Call, card: Card) -> None:
        self.lead(call)
        self.look(call, card)
        self.reach(call.who, card, card.holder)
        if card.is_raised != call.is_raised:
            card.is_raised = call.is_raised
            card.turns += 1
            self.events["task.prioritised"] += 1

    # conflicts of interest, answers, drawing

    def bar(self, call: Call, card: Card) -> None:
        if call.to != call.who:
            self.lead(call)
            if (card.case, call.who) in self.bars:
                raise NotAllowed("barred")
        if (card.case, call.to) in self.bars:
            return
        self.bars.add((card.case, call.to))
        self.events["case.barred"] += 1
        for each in self.cards.values():
            if each.case == card.case and each.status == "open":
                each.excluded.add(call.to)
                if each.holder == call.to:
                    each.free()
                else:
                    each.turns += 1

    def check_answer(self, call: Call, card: Card) -> None:
        """First at the desk."""
        self.look(call, card, is_stale_first=False)
        self.mine(call, card)
        if not card.suits(call.who):
            raise NotAllowed("unsuited")
        self.compare(call, card)

    def record_answer(self, call: Call, card: Card) -> None:
        """Then by the process, a moment later: others may have come in between."""
        self.look(call, card, is_stale_first=False)
        card.status, card.done_by = "completed", call.who
        card.turns += 1
        self.events["task.completed"] += 1

    def own_work(self, who: str) -> UUID | None:
        """What they have in hand comes first."""
        hand = [c for c in self.cards.values() if c.holder == who and c.status == "open" and not c.is_aside(self.now)]
        own = sorted((c for c in hand if c.suits(who)), key=self.order)
        if own:
            return own[0].id
        oldest = min((c.claimed_at for c in hand if c.claimed_at), default=self.now)
        if len(hand) >= MOST_IN_HAND or oldest < self.now - OLDEST_IN_HAND:
            raise Conflict("too much in hand")
        return None

    def draw(self, who: str, drawn: UUID | None, *, is_alone: bool) -> UUID | None:
        """A moment later, the most urgent that is free. Others at work may have kept the most urgent from them."""
        free = sorted((c for c in self.cards.values() if self.is_drawable(c, who)), key=self.order)
        chosen = [c for c in free if c.id == drawn] if drawn and not is_alone else free
        if not chosen:
            return None
        chosen[0].give(who, "next", at=self.now)
        self.events["task.claimed"] += 1
        return chosen[0].id

    def is_drawable(self, card: Card, who: str) -> bool:
        """Free, not put aside, theirs to do, and not passed on by them a short while ago."""
        is_free = card.status == "open" and not card.holder and not card.is_aside(self.now)
        return is_free and card.suits(who) and card.passed.get(who, self.now) <= self.now

    def order(self, card: Card) -> tuple[Any, ...]:
        """As TSK-2 has it, where there are no promises."""
        return not card.is_raised, card.opened_at.replace(second=0, microsecond=0), card.id


# --- the desk ---------------------------------------------------------------------------------------------------------


class DeskProcess(FakeProcess):
    """A process that puts answers on record, one after the other, as a case's procedure does."""

    context: Context

    def __init__(self) -> None:
        super().__init__()
        self.one_at_a_time = asyncio.Lock()

    async def complete_task(self, case_id: UUID, command: CompleteTask) -> CommandResult:
        """Refuses what is answered already."""
        async with self.one_at_a_time:
            async with self.context.transaction() as session:
                task = await session.get_one(Task, command.task_id)
            if task.status != "open":
                raise Conflict("This question has been answered.")
            event = j.TaskCompleted(task_id=command.task_id, outcome=command.outcome)
            await self.record(case_id, command.actor, event)
        return CommandResult(command_id=command.command_id, seq=1)

    async def record(self, case_id: UUID, actor: str, *events: j.Event) -> None:
        """A batch of the process."""
        async with self.context.transaction() as session:
            head = await journal.lock_chain(session, case_id)
            recorded = [j.Recorded(at=self.context.now(), actor=actor, event=event) for event in events]
            await put_on_record(
                self.context,
                session,
                case_id=case_id,
                recorded=recorded,
                source=j.PROCESS,
                first_seq=head.process_seq + 1,
            )


@dataclass
class Desk:
    """The real thing: people, cases, and a clock that the test sets."""

    context: Context
    process: DeskProcess
    loop: asyncio.AbstractEventLoop
    people: dict[str, Actor] = field(default_factory=dict)
    cases: list[tuple[str, UUID]] = field(default_factory=list)
    queue: str = ""
    versions: dict[UUID, dict[int, int]] = field(default_factory=dict)
    """The version that each task had after each of its turns."""

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """From the test's own side."""
        return self.loop.run_until_complete(doing)

    async def open(self) -> None:
        """New people and two new cases, for one run."""
        self.queue, mark = f"run.{uuid4().hex}", uuid4().hex[:8]
        async with self.context.transaction() as session:
            for name, (team, role) in PEOPLE.items():
                account = Staff(
                    id=uuid4(),
                    username=f"{name}-{mark}",
                    name=name,
                    password_hash="none",
                    roles=[role],
                    queues=["*"],
                    team=team,
                    created_at=START,
                )
                session.add(account)
                self.people[name] = actor_for(account)
        when: dict[str, Any] = {"loss_at": START - timedelta(days=1), "reported_at": START - timedelta(hours=1)}
        made = [await reported_claim(self.context, **when) for _ in range(2)]
        self.cases = [(each.number, each.case_id) for each in made]
        self.mark = mark

    def name_of(self, actor: str) -> str:
        """Who an actor id is, empty for nobody."""
        return next((name for name, person in self.people.items() if person.id == actor), actor)

    def username(self, name: str) -> str:
        """Their account's name."""
        return f"{name}-{self.mark}"

    async def put(self, card: Card) -> None:
        """A task, as the process opens it, in this run's own queue."""
        case_id = self.cases[card.case][1]
        opened = j.TaskOpened(
            task_id=card.id,
            kind=card.kind,
            queue="any",
            stage="review",
            ask={"complexity": "simple", "checklist": []},
            excluded_actors=tuple(self.people[name].id for name in card.excluded),
            least_authority=Decimal(card.limit),
        )
        await self.process.record(case_id, "system", opened)
        await self.process.record(case_id, "system", j.TaskRouted(task_id=card.id, queue=self.queue))

    async def carry_out(self, call: Call, case: int) -> Any:
        """The call, for real."""
        actor, version = self.people[call.who], None
        if call.seen is not None:
            version = self.versions[call.task].get(call.seen, 0)
        if call.verb == "next":
            return await desk.take_next(self.context, actor, self.queue)
        if call.verb == "comment":
            return await desk.comment_on(self.context, actor, call.task, text="看过")
        if call.verb == "bar":
            of = "" if call.to == call.who else self.username(call.to)
            return await desk.declare_conflict(self.context, actor, self.cases[case][0], reason="interest", of=of)
        function, more = self.verb(call)
        return await function(self.context, actor, call.task, version=version, **more)

    def verb(self, call: Call) -> tuple[Any, dict[str, Any]]:
        """The service and what it needs beside the task."""
        to = {"to": self.username(call.to)}
        until = self.context.now() + timedelta(hours=call.hours)
        outcome = {"agree": True} if call.is_raised else {"complexity": "simple"}
        answer = {"outcome": outcome, "notes": "看过", "command_id": uuid4().hex}
        verbs: dict[str, tuple[Any, dict[str, Any]]] = {
            "claim": (desk.claim_task, {}),
            "release": (desk.release_task, {}),
            "unassign": (desk.unassign_task, {}),
            "assign": (desk.assign_task, to),
            "delegate": (desk.delegate_task, to),
            "give_back": (desk.give_back, {}),
            "pass_on": (desk.pass_on, {"reason": "time"}),
            "hold": (desk.hold_task, {"reason": "expert", "until": until}),
            "wake": (desk.wake_task, {}),
            "prioritise": (desk.prioritise_task, {"is_raised": call.is_raised, "words": "急"}),
            "complete": (desk.complete_task, answer),
        }
        return verbs[call.verb]

    async def rows(self) -> dict[UUID, Task]:
        """The tasks of this run as they are stored."""
        async with self.context.transaction() as session:
            query = select(Task).where(col(Task.case_id).in_([case_id for _, case_id in self.cases]))
            return {task.id: task for task in (await session.execute(query)).scalars()}

    async def remarks(self) -> Counter[UUID]:
        """How many there are of each task."""
        async with self.context.transaction() as session:
            query = select(TaskComment.task_id).where(
                col(TaskComment.case_id).in_([case_id for _, case_id in self.cases])
            )
            return Counter((await session.execute(query)).scalars())

    async def on_record(self) -> Counter[str]:
        """How many events of the desk there are, by type."""
        async with self.context.transaction() as session:
            query = (
                select(JournalEntry.type, func.count().label("n"))
                .where(col(JournalEntry.case_id).in_([case_id for _, case_id in self.cases]))
                .where(col(JournalEntry.type).startswith("task.") | (col(JournalEntry.type) == "case.barred"))
                .where(col(JournalEntry.type).not_in(["task.opened", "task.routed"]))
                .group_by(col(JournalEntry.type))
            )
            return Counter({row.type: row.n for row in await session.execute(query)})

    async def assert_sound(self) -> None:
        """I4: the chains of this run verify, and its rows equal a rebuild."""
        async with self.context.transaction() as session:
            for _, case_id in self.cases:
                _, damages = await journal.checked_chain(session, case_id)
                assert damages == []
                folded = await journal.fold(session, self.context.ring, case_id)
                assert await journal._differences(session, case_id, folded) == []
                head = await session.get_one(ChainHead, case_id)
                entries = select(func.count()).where(JournalEntry.case_id == case_id)
                assert (await session.execute(entries)).scalar_one() == head.chain_seq


VERBS = (
    *("claim", "release", "unassign", "assign", "delegate", "give_back", "pass_on", "hold", "wake", "prioritise"),
    *("comment", "bar", "complete", "next"),
)
OFTEN = ("claim", "claim", "assign", "delegate", "delegate", "give_back", "next", "release", "hold")
BY_HOLDERS = {"release", "delegate", "pass_on", "hold", "wake", "complete"}
BY_LEADS = {"unassign", "assign", "prioritise"}


@dataclass(frozen=True)
class Idea:
    """What somebody has in mind; `is_apt`: on a task, and by a person, for whom it makes sense."""

    verb: str
    is_apt: bool
    which: int
    who: int
    to: int
    hours: int
    is_raised: bool
    ago: int | None
    """How many turns ago they looked, when they say so."""


ideas = st.builds(
    Idea,
    verb=st.sampled_from(VERBS) | st.sampled_from(OFTEN),
    is_apt=st.sampled_from([True, True, True, False]),
    which=st.integers(0, 5),
    who=st.integers(0, 4),
    to=st.integers(0, 4),
    hours=st.sampled_from([1, 30]),
    is_raised=st.booleans(),
    ago=st.sampled_from([None, None, 0, 0, 1]),
)


def one_of(some: Sequence[T], n: int, otherwise: Sequence[T]) -> T:
    """The n-th of some, or of others where there is none."""
    chosen = some or otherwise
    return chosen[n % len(chosen)]


def apt_cards(model: Model, verb: str) -> list[Card]:
    """Tasks to which this can be done."""
    still = [card for card in model.cards.values() if card.status == "open"]
    if verb in BY_HOLDERS or verb == "unassign":
        return [card for card in still if card.holder]
    if verb == "give_back":
        return [card for card in still if card.owner]
    return [card for card in still if not card.holder] if verb == "claim" else still


def apt_people(card: Card, verb: str) -> list[str]:
    """Who might do it."""
    if verb in BY_HOLDERS:
        return [card.holder] if card.holder else []
    if verb in BY_LEADS:
        return sorted(LEADS)
    if verb == "give_back":
        return [person for person in (card.holder, card.owner) if person]
    return [person for person in PEOPLE if card.suits(person)] if verb in {"claim", "next"} else []


class AnyDesk(RuleBasedStateMachine):
    """One office on one queue."""

    def __init__(self, real: Desk) -> None:
        super().__init__()
        self.desk = real
        self.model = Model()

    @initialize()
    def begin(self) -> None:
        self.model = Model()
        self.desk.context.now = lambda: self.model.now
        self.desk.people, self.desk.versions = {}, {}
        self.desk.run(self.desk.open())
        for kind, who in (("initial_review", "wang"), ("authorise", "chen"), ("initial_review", "")):
            self.process_opens(kind, 0, 0, set())
            if who:
                self.at_once([Call(who, "claim", list(self.model.cards)[-1])])

    @rule(
        kind=st.sampled_from(sorted(WORK)),
        limit=st.sampled_from([0, 0, 60_000]),
        case=st.integers(0, 1),
        excluded=st.sets(st.sampled_from(sorted(PEOPLE)), max_size=1),
    )
    def process_opens(self, kind: str, limit: int, case: int, excluded: set[str]) -> None:
        if len(self.model.cards) >= 6:
            return
        card = Card(uuid4(), case, kind, limit if kind == "authorise" else 0, self.model.now, set(excluded))
        self.desk.run(self.desk.put(card))
        card.excluded |= {person for barred, person in self.model.bars if barred == case}
        self.model.cards[card.id] = card
        self.look_again()

    @rule(minutes=st.sampled_from([1, 90, 13 * 60, 6 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.model.now += timedelta(minutes=minutes)

    @rule(idea=ideas)
    def somebody_does(self, idea: Idea) -> None:
        cards = apt_cards(self.model, idea.verb) if idea.is_apt else []
        self.at_once([self.call(idea, one_of(cards, idea.which, list(self.model.cards.values())))])

    @rule(some=st.lists(ideas, min_size=2, max_size=4), which=st.integers(0, 5))
    def several_do_at_once(self, some: list[Idea], which: int) -> None:
        card = one_of(apt_cards(self.model, some[0].verb), which, list(self.model.cards.values()))
        self.at_once([self.call(idea, card) for idea in some])

    def call(self, idea: Idea, card: Card) -> Call:
        """An idea, of a task there is."""
        everybody = sorted(PEOPLE)
        able = [person for person in everybody if card.suits(person) and person != card.holder]
        who = one_of(apt_people(card, idea.verb) if idea.is_apt else [], idea.who, everybody)
        to = one_of(able if idea.is_apt and idea.verb != "bar" else [], idea.to, everybody)
        flag = card.kind == "authorise" if idea.verb == "complete" else idea.is_raised
        seen = None if idea.ago is None else max(card.turns - idea.ago, 0)
        return Call(who, idea.verb, card.id, to, idea.hours, flag, seen)

    def at_once(self, calls: Sequence[Call]) -> None:
        """Do all of it at the same moment; it must come out as in some order."""
        found = self.desk.run(self.carry_out(calls))
        rows, remarks = self.desk.run(self.desk.rows()), self.desk.run(self.desk.remarks())
        events = self.desk.run(self.desk.on_record())
        tried = []
        for order in orders_of(calls):
            after = deepcopy(self.model)
            said = play(after, calls, order, found)
            differences = self.differences(after, rows, remarks, events)
            if said == found and not differences:
                self.model = after
                self.look_again()
                return
            tried.append((order, said, differences))
        raise AssertionError(f"{calls} came out as {found}, which no order explains: {tried}")

    async def carry_out(self, calls: Sequence[Call]) -> list[tuple[str, UUID | None]]:
        doing = (self.desk.carry_out(call, self.model.cards[call.task].case) for call in calls)
        results = await asyncio.gather(*doing, return_exceptions=True)
        return [in_words(result) for result in results]

    def differences(
        self, after: Model, rows: dict[UUID, Task], remarks: Counter[UUID], events: Counter[str]
    ) -> list[str]:
        """Where what is stored is not what the model says."""
        found = [] if after.events == events else [f"on record {events}, expected {after.events}"]
        for card in after.cards.values():
            stored, wanted = self.stored(rows[card.id]), expected(card)
            found += [
                f"{name} is {stored[name]}, expected {wanted[name]}" for name in wanted if stored[name] != wanted[name]
            ]
            if remarks[card.id] != card.remarks:
                found.append("remarks differ")
        return found

    def stored(self, row: Task) -> dict[str, Any]:
        name_of = self.desk.name_of
        return {
            "status": row.status,
            "done_by": name_of(row.completed_by),
            "holder": name_of(row.holder),
            "owner": name_of(row.on_behalf_of),
            "how": row.held_how,
            "claimed_at": row.claimed_at,
            "hold_until": row.hold_until,
            "is_raised": row.is_raised,
            "excluded": {name_of(actor) for actor in row.excluded},
            "passed": {name_of(actor): datetime.fromisoformat(until) for actor, until in row.passed.items()},
        }

    def look_again(self) -> None:
        """What always holds; and everybody may from now on say what version they saw."""
        for row in self.desk.run(self.desk.rows()).values():
            assert bool(row.holder) == bool(row.claimed_at) == bool(row.held_how)
            assert row.holder or not row.on_behalf_of
            assert row.holder != row.on_behalf_of or not row.holder
            if row.status == "open":
                assert row.holder not in row.excluded, "somebody excluded has it (four eyes)"
            seen = self.desk.versions.setdefault(row.id, {})
            turns = self.model.cards[row.id].turns
            assert seen.get(turns, row.version) == row.version, "it changed without a turn"
            assert row.version not in {version for turn, version in seen.items() if turn != turns}
            seen[turns] = row.version

    def teardown(self) -> None:
        if self.desk.people:
            self.desk.run(self.desk.assert_sound())


def expected(card: Card) -> dict[str, Any]:
    """The fields of a card that are stored."""
    names = (
        "status",
        "done_by",
        "holder",
        "owner",
        "how",
        "claimed_at",
        "hold_until",
        "is_raised",
        "excluded",
        "passed",
    )
    return {name: getattr(card, name) for name in names}


def orders_of(calls: Sequence[Call]) -> Iterator[tuple[int, ...]]:
    """Every order of what is done. What has two steps may have others between them."""
    return arranged(Counter({n: STEPS_OF.get(call.verb, 1) for n, call in enumerate(calls)}))


def arranged(left: Counter[int]) -> Iterator[tuple[int, ...]]:
    """Every different order of numbers that occur so often."""
    if not left.total():
        yield ()
    for n in [n for n in left if left[n]]:
        yield from ((n, *rest) for rest in arranged(left - Counter([n])))


def play(
    model: Model, calls: Sequence[Call], order: Sequence[int], found: Sequence[tuple[str, UUID | None]]
) -> list[tuple[str, UUID | None]]:
    """What each call says when they are done in this order."""
    said: list[tuple[str, UUID | None]] = [("ok", None)] * len(calls)
    taken: Counter[int] = Counter()
    for n in order:
        if said[n] != ("ok", None):  # refused, or drawn, at its first step
            continue
        try:
            drawn = model.do(calls[n], taken[n], found[n][1], is_alone=len(calls) == 1)
            said[n] = ("ok", drawn)
        except DomainError as refused:
            said[n] = (refused.code, None)
        taken[n] += 1
    return said


def in_words(result: Any) -> tuple[str, UUID | None]:
    """What came of a call; anything but a refusal is an error of ours."""
    if isinstance(result, DomainError) and result.status < 500:
        return result.code, None
    if isinstance(result, BaseException):
        raise result
    return "ok", result.found.task.id if isinstance(result, desk.Drawn) else None


@pytest.mark.req("TSK-1", "TSK-5")
@pytest.mark.timeout(3_600)
def test_whatever_people_do_at_the_desk_at_once_comes_out_as_in_some_order(settings: Settings) -> None:
    rules = {"desk_most_in_hand": MOST_IN_HAND, "desk_oldest_in_hand_days": OLDEST_IN_HAND.days}
    loop, process = asyncio.new_event_loop(), DeskProcess()
    opened = open_context(settings.model_copy(update=rules), process)
    process.context = loop.run_until_complete(opened.__aenter__())
    try:
        run_state_machine_as_test(
            cast("type[AnyDesk]", lambda: AnyDesk(Desk(process.context, process, loop))),
            settings=how_much(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        loop.run_until_complete(opened.__aexit__(None, None, None))
        loop.close()
