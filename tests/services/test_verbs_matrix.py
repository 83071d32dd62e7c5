"""Every verb of the desk, by every role, on every task: what each may do with whose work (TSK-1, TSK-5, SEC-1).

The sheets below are written by hand from the requirements; nothing in them is computed from our own permissions. Each
line is carried out for real, against the services and a database, and undone again.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.permissions import ROLES
from lian.db.session import Database
from lian.db.tables import Absence, ChainHead, Staff
from lian.domain import journal as j
from lian.domain.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from lian.domain.parties import Channel
from lian.domain.signals import Change
from lian.services import desk
from lian.services.accounts import actor_for
from lian.services.announcing import Announcer
from lian.services.context import Context
from lian.services.desk import answering, assigning, drawing, hands, standing_in, talking
from lian.services.opening import open_case
from tests.api.conftest import as_process
from tests.cast import OFFICE, ZHAO, as_customer, reported_claim
from tests.fakes.process import FakeProcess
from tests.services.test_opening import ANSWERS
from tests.services.test_visibility import report_as
from tests.workflows.hands import USUAL

pytestmark = pytest.mark.req("TSK-1", "TSK-5", "SEC-1")

# --- what is expected -------------------------------------------------------------------------------------------------

# The tasks, always of the role's own kind of work where it has one:
#   mine     they have it; the deputy, of their team, delegated it to them
#   free     nobody has it
#   team     a colleague of their team has it; the deputy delegated it to them
#   other    a colleague of another team has it; one of theirs delegated it to them
#   lent     they delegated it themselves, to a colleague of another team
#   decided  nobody has it, but they decided before (four eyes)
#   barred   nobody has it, but the case is not for them
#   barred'  the same, and a colleague of their team has it
# What happens:
#   ok      it is done and on record           same   nothing was left to do, and nothing happened
#   no      it is not allowed (403)            unseen there is no such thing for them (404)
#   clash   somebody else has it, or nobody (409)     none   nothing is drawn

CLERKS = """
                 mine   free   team   other  lent   decided barred barred'
next             same   ok     none   none   none   none    none   none
claim            same   ok     clash  clash  clash  no      no     clash
release          ok     same   no     no     no     same    same   no
unassign         no     no     no     no     no     no      no     no
assign           no     no     no     no     no     no      no     no
assign afar      no     no     no     no     no     no      no     no
delegate         ok     clash  clash  clash  clash  clash   clash  clash
return           ok     clash  no     no     ok     clash   clash  no
stand in         same   clash  ok     ok     ok     clash   clash  no
hold             ok     clash  clash  clash  clash  clash   clash  clash
wake             same   clash  clash  clash  clash  clash   clash  clash
pass             ok     clash  clash  clash  clash  clash   clash  clash
prioritise       no     no     no     no     no     no      no     no
comment          ok     ok     ok     ok     ok     ok      ok     ok
complete         ok     clash  clash  clash  clash  clash   clash  clash
cancel           no     no     no     no     no     no      no     no
ask a colleague  ok     clash  clash  clash  clash  clash   clash  clash
give an opinion  ok     ok     ok     ok     ok     no      no     no
declare          ok     ok     ok     ok     ok     ok      same   same
bar a colleague  no     no     no     no     no     no      no     no
"""

LEAD = """
                 mine   free   team   other  lent   decided barred barred'
next             same   ok     none   none   none   none    none   none
claim            same   ok     clash  clash  clash  no      no     clash
release          ok     same   ok     no     no     same    same   no
unassign         ok     same   ok     no     no     same    same   no
assign           ok     ok     ok     no     no     ok      no     no
assign afar      no     no     no     no     no     no      no     no
delegate         ok     clash  clash  clash  clash  clash   clash  clash
return           ok     clash  ok     no     ok     clash   clash  no
stand in         same   clash  ok     ok     ok     clash   clash  no
hold             ok     ok     ok     no     no     ok      no     no
wake             same   same   same   no     no     same    no     no
pass             ok     clash  clash  clash  clash  clash   clash  clash
prioritise       ok     ok     ok     no     no     ok      no     no
comment          ok     ok     ok     ok     ok     ok      ok     ok
complete         ok     clash  clash  clash  clash  clash   clash  clash
cancel           ok     ok     ok     no     no     ok      no     no
ask a colleague  ok     clash  clash  clash  clash  clash   clash  clash
give an opinion  ok     ok     ok     ok     ok     no      no     no
declare          ok     ok     ok     ok     ok     ok      same   same
bar a colleague  ok     ok     ok     ok     ok     ok      no     no
"""

MANAGER = """
                 mine   free   team   other  lent   decided barred barred'
next             same   ok     none   none   none   none    none   none
claim            same   ok     clash  clash  clash  no      no     clash
release          ok     same   ok     ok     ok     same    same   no
unassign         ok     same   ok     ok     ok     same    same   no
assign           ok     ok     ok     ok     ok     ok      no     no
assign afar      ok     ok     ok     ok     ok     ok      no     no
delegate         ok     clash  clash  clash  clash  clash   clash  clash
return           ok     clash  ok     ok     ok     clash   clash  no
stand in         same   clash  ok     ok     ok     clash   clash  no
hold             ok     ok     ok     ok     ok     ok      no     no
wake             same   same   same   same   same   same    no     no
pass             ok     clash  clash  clash  clash  clash   clash  clash
prioritise       ok     ok     ok     ok     ok     ok      no     no
comment          ok     ok     ok     ok     ok     ok      ok     ok
complete         ok     clash  clash  clash  clash  clash   clash  clash
cancel           ok     ok     ok     ok     ok     ok      no     no
ask a colleague  ok     clash  clash  clash  clash  clash   clash  clash
give an opinion  ok     ok     ok     ok     ok     no      no     no
declare          ok     ok     ok     ok     ok     ok      same   same
bar a colleague  ok     ok     ok     ok     ok     ok      no     no
"""

SURVEYOR = """
                 mine   free   team   other  lent   decided barred barred'
next             no     no     no     no     no     no      no     no
claim            same   unseen unseen unseen unseen unseen  unseen unseen
release          ok     unseen unseen unseen unseen unseen  unseen unseen
unassign         no     no     no     no     no     no      no     no
assign           no     no     no     no     no     no      no     no
assign afar      no     no     no     no     no     no      no     no
delegate         no     no     no     no     no     no      no     no
return           ok     unseen unseen unseen unseen unseen  unseen unseen
stand in         same   unseen unseen unseen unseen unseen  unseen unseen
hold             ok     unseen unseen unseen unseen unseen  unseen unseen
wake             same   unseen unseen unseen unseen unseen  unseen unseen
pass             ok     unseen unseen unseen unseen unseen  unseen unseen
prioritise       no     no     no     no     no     no      no     no
comment          ok     unseen unseen unseen unseen unseen  unseen unseen
complete         ok     unseen unseen unseen unseen unseen  unseen unseen
cancel           no     no     no     no     no     no      no     no
ask a colleague  no     no     no     no     no     no      no     no
give an opinion  no     no     no     no     no     no      no     no
declare          ok     ok     ok     ok     ok     ok      unseen unseen
bar a colleague  no     no     no     no     no     no      unseen unseen
"""

# Brought the case, and has a task only because somebody forged it.
AGENT = """
                 mine   free   team   other  lent   decided barred barred'
next             no     no     no     no     no     no      no     no
claim            same   unseen unseen unseen unseen unseen  unseen unseen
release          no     unseen unseen unseen unseen unseen  unseen unseen
unassign         no     no     no     no     no     no      no     no
assign           no     no     no     no     no     no      no     no
assign afar      no     no     no     no     no     no      no     no
delegate         no     no     no     no     no     no      no     no
return           no     unseen unseen unseen unseen unseen  unseen unseen
stand in         same   unseen unseen unseen unseen unseen  unseen unseen
hold             no     no     no     no     no     no      no     no
wake             no     no     no     no     no     no      no     no
pass             no     no     no     no     no     no      no     no
prioritise       no     no     no     no     no     no      no     no
comment          no     no     no     no     no     no      no     no
complete         no     unseen unseen unseen unseen unseen  unseen unseen
cancel           no     no     no     no     no     no      no     no
ask a colleague  no     no     no     no     no     no      no     no
give an opinion  no     no     no     no     no     no      no     no
declare          ok     ok     ok     ok     ok     ok      unseen unseen
bar a colleague  no     no     no     no     no     no      unseen unseen
"""

# Reads cases and works on none; has a task because their role was changed while they had it.
READER = """
                 mine   free   team   other  lent   decided barred barred'
next             no     no     no     no     no     no      no     no
claim            same   no     clash  clash  clash  no      no     clash
release          no     same   no     no     no     same    same   no
unassign         no     no     no     no     no     no      no     no
assign           no     no     no     no     no     no      no     no
assign afar      no     no     no     no     no     no      no     no
delegate         no     no     no     no     no     no      no     no
return           no     clash  no     no     no     clash   clash  no
stand in         same   clash  no     no     no     clash   clash  no
hold             no     no     no     no     no     no      no     no
wake             no     no     no     no     no     no      no     no
pass             no     no     no     no     no     no      no     no
prioritise       no     no     no     no     no     no      no     no
comment          no     no     no     no     no     no      no     no
complete         no     clash  clash  clash  clash  clash   clash  clash
cancel           no     no     no     no     no     no      no     no
ask a colleague  no     no     no     no     no     no      no     no
give an opinion  ok     ok     ok     ok     ok     no      no     no
declare          ok     ok     ok     ok     ok     ok      same   same
bar a colleague  no     no     no     no     no     no      no     no
"""

# See no case; the same holds of them when their role was changed while they had a task.
BLIND = """
                 mine   free   team   other  lent   decided barred barred'
next             no     no     no     no     no     no      no     no
claim            unseen unseen unseen unseen unseen unseen  unseen unseen
release          unseen unseen unseen unseen unseen unseen  unseen unseen
unassign         no     no     no     no     no     no      no     no
assign           no     no     no     no     no     no      no     no
assign afar      no     no     no     no     no     no      no     no
delegate         no     no     no     no     no     no      no     no
return           unseen unseen unseen unseen unseen unseen  unseen unseen
stand in         unseen unseen unseen unseen unseen unseen  unseen unseen
hold             no     no     no     no     no     no      no     no
wake             no     no     no     no     no     no      no     no
pass             no     no     no     no     no     no      no     no
prioritise       no     no     no     no     no     no      no     no
comment          no     no     no     no     no     no      no     no
complete         unseen unseen unseen unseen unseen unseen  unseen unseen
cancel           no     no     no     no     no     no      no     no
ask a colleague  no     no     no     no     no     no      no     no
give an opinion  no     no     no     no     no     no      no     no
declare          no     no     no     no     no     no      no     no
bar a colleague  no     no     no     no     no     no      no     no
"""

# Answers what is asked of them on their own case, whoever of ours has it meanwhile; the barred case is another's.
CUSTOMER = BLIND.replace(
    "complete         unseen unseen unseen unseen unseen unseen  unseen unseen",
    "complete         ok     ok     ok     ok     ok     ok      unseen unseen",
)

SHEETS = {
    "claims_adjuster_junior": CLERKS,
    "claims_adjuster_senior": CLERKS,
    "compliance": CLERKS,
    "customer_service": CLERKS,
    "panel_member": CLERKS,
    "special_investigator": CLERKS,
    "team_lead": LEAD,
    "claims_manager": MANAGER,
    "external_adjuster": SURVEYOR,
    "agent": AGENT,
    "operations": READER,
    "administrator": BLIND,
    "archivist": BLIND,
    "complaint_handler": BLIND,
    "underwriter": BLIND,
    "customer": CUSTOMER,
}
WORK = {
    "claims_adjuster_senior": "authorise",
    "team_lead": "authorise",
    "claims_manager": "authorise",
    "compliance": "clear_sanctions",
    "customer": "confirm_account",
    "customer_service": "answer_inquiry",
    "external_adjuster": "external_adjuster",
    "panel_member": "panel_vote",
    "special_investigator": "examine_suspicion",
}
"""Each role's kind of task; the others are tried on an initial review."""
PLACES = ("mine", "free", "team", "other", "lent", "decided", "barred", "barred'")
ALL_WORK = sorted({*WORK.values(), "initial_review"})
LATENESS = "explain_lateness"
"""A question that nothing waits for: what `cancel` is tried on."""

# --- the verbs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Try:
    """One verb, by one person, on one task."""

    context: Context
    actor: Actor
    task_id: UUID
    kind: str
    number: str
    case_id: UUID
    queue: str

    async def give_opinion(self) -> Any:
        """As one whom a colleague has asked."""
        review_id = uuid4()
        asked = j.ReviewAsked(task_id=self.task_id, review_id=review_id, reviewer=self.actor.id, question="？")
        await as_process(self.context, self.case_id, asked)
        return await desk.give_opinion(self.context, self.actor, review_id, opinion="agrees", answer="")

    async def stand_in(self) -> Any:
        """As one whom everybody who is away has named."""
        if not self.actor.is_customer:
            await self._be_named_by("mate", "stranger")
        return await desk.stand_in(self.context, self.actor, self.task_id)

    async def _be_named_by(self, *away: str) -> None:
        now, day = self.context.now(), timedelta(days=1)
        async with self.context.transaction() as session:
            people = (await session.execute(select(Staff.id).where(col(Staff.username).in_(away)))).scalars()
            for person in people:
                absence = Absence(
                    id=uuid4(),
                    staff_id=person,
                    substitute_id=UUID(self.actor.id.removeprefix("staff:")),
                    away_from=now - day,
                    away_until=now + day,
                    noted_at=now,
                    noted_by=self.actor.id,
                )
                session.add(absence)

    async def complete(self) -> Any:
        """With the usual answer."""
        return await desk.complete_task(
            self.context, self.actor, self.task_id, outcome=ANSWER[self.kind], notes="看过了", command_id=uuid4().hex
        )

    async def hold(self) -> Any:
        """Until tomorrow."""
        tomorrow = self.context.now() + timedelta(days=1)
        return await desk.hold_task(self.context, self.actor, self.task_id, reason="customer", until=tomorrow)


ANSWER = {kind: make({"complexity": "simple"}) for kind, make in USUAL.items() if kind in ALL_WORK} | {
    "answer_inquiry": {"result": "answered", "reply": "已为您查询。"}
}
VERBS: dict[str, tuple[Any, Callable[[Try], Awaitable[Any]]]] = {
    "next": (desk.take_next, lambda t: desk.take_next(t.context, t.actor, t.queue)),
    "claim": (desk.claim_task, lambda t: desk.claim_task(t.context, t.actor, t.task_id)),
    "release": (desk.release_task, lambda t: desk.release_task(t.context, t.actor, t.task_id)),
    "unassign": (desk.unassign_task, lambda t: desk.unassign_task(t.context, t.actor, t.task_id)),
    "assign": (desk.assign_task, lambda t: desk.assign_task(t.context, t.actor, t.task_id, to="reserve")),
    "assign afar": (desk.assign_task, lambda t: desk.assign_task(t.context, t.actor, t.task_id, to="far")),
    "delegate": (desk.delegate_task, lambda t: desk.delegate_task(t.context, t.actor, t.task_id, to="reserve")),
    "return": (desk.give_back, lambda t: desk.give_back(t.context, t.actor, t.task_id)),
    "stand in": (desk.stand_in, Try.stand_in),
    "hold": (desk.hold_task, Try.hold),
    "wake": (desk.wake_task, lambda t: desk.wake_task(t.context, t.actor, t.task_id)),
    "pass": (desk.pass_on, lambda t: desk.pass_on(t.context, t.actor, t.task_id, reason="time")),
    "prioritise": (
        desk.prioritise_task,
        lambda t: desk.prioritise_task(t.context, t.actor, t.task_id, is_raised=True, words="客户催办"),
    ),
    "comment": (desk.comment_on, lambda t: desk.comment_on(t.context, t.actor, t.task_id, text="请看第三页")),
    "complete": (desk.complete_task, Try.complete),
    "cancel": (desk.cancel_task, lambda t: desk.cancel_task(t.context, t.actor, t.task_id, words="问错了")),
    "ask a colleague": (
        desk.ask_colleague,
        lambda t: desk.ask_colleague(t.context, t.actor, t.task_id, to="reserve", question="您怎么看？"),
    ),
    "give an opinion": (desk.give_opinion, Try.give_opinion),
    "declare": (
        desk.declare_conflict,
        lambda t: desk.declare_conflict(t.context, t.actor, t.number, reason="acquainted"),
    ),
    "bar a colleague": (
        desk.declare_conflict,
        lambda t: desk.declare_conflict(t.context, t.actor, t.number, reason="acquainted", of="reserve"),
    ),
}
ON_ONE_TASK = (answering, assigning, drawing, hands, standing_in, talking)
"""The modules in which the verbs are."""
NO_VERBS = {"is_begun", "list_assignees", "place_of_task", "receipt_of", "refuse_as_reviewer", "reviews_for", "talk_of"}
"""What is in them besides: it changes nothing."""
PARTS = {"return_to_the_back", "take_over"}
"""What nobody does of their own accord: the watch's part, and a part of `claim` and `stand in`."""


def test_no_verb_of_the_desk_is_missing() -> None:
    verbs = {
        name
        for module in ON_ONE_TASK
        for name, found in vars(module).items()
        if callable(found) and getattr(found, "__module__", "") == module.__name__ and name[0].islower()
    }
    assert verbs - NO_VERBS - PARTS == {function.__name__ for function, _ in VERBS.values()}


def test_every_role_has_a_sheet_and_every_sheet_every_verb_and_task() -> None:
    assert SHEETS.keys() == ROLES.keys()
    for role in SHEETS:
        assert [(verb, place) for verb, place, _ in expected_of(role)] == list(itertools.product(VERBS, PLACES)), role
    words = {word for role in SHEETS for _, _, word in expected_of(role)}
    assert words == {"ok", "same", "no", "unseen", "clash", "none"}


def expected_of(role: str) -> Iterator[tuple[str, str, str]]:
    """Verb, task and what happens, as the role's sheet has them."""
    head, *lines = SHEETS[role].strip("\n").splitlines()
    assert tuple(head.split()) == PLACES
    for line in lines:
        words = line[17:].split()
        assert len(words) == len(PLACES), line
        yield from ((line[:17].strip(), place, word) for place, word in zip(PLACES, words, strict=True))


# --- the world in which they are tried --------------------------------------------------------------------------------


class Rehearsal(Database):
    """A database in which every transaction is part of one that is never kept."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction, as a savepoint."""
        session = AsyncSession(self._connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        async with session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """What is read is read within it, too."""
        async with self.transaction() as session:
            yield session

    async def fetch(self, query: LiteralString, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """So is what the driver is asked for alone."""
        driver = (await self._connection.get_raw_connection()).driver_connection
        assert isinstance(driver, psycopg.AsyncConnection)
        return await (await driver.execute(query, given)).fetchall()


class Silent(Announcer):
    """Of what is undone nobody is told."""

    def tell(self, changes: Sequence[Change]) -> None:
        """Nothing."""


@dataclass
class World:
    """Cases, colleagues, somebody of every role, and tasks in every hand."""

    context: Context
    process: FakeProcess
    people: dict[str, Actor]
    cases: dict[tuple[str, str], tuple[str, UUID]]
    """Number and id of the (open, barred) case of each (claim, inquiry)."""
    tasks: dict[tuple[str, str, str], UUID]
    """By kind, place, and whose it is, where it is somebody's."""

    def case(self, kind: str, place: str) -> tuple[str, UUID]:
        """Where the task of this kind and place belongs."""
        which = "barred" if place.startswith("barred") else "open"
        return self.cases["inquiry" if kind == "answer_inquiry" else "claim", which]

    def task(self, kind: str, place: str, role: str) -> UUID:
        """The task of this kind and place that this role is tried on."""
        return self.tasks.get((kind, place, role)) or self.tasks[kind, place, ""]


async def employ_all(context: Context) -> dict[str, Actor]:
    """One of each role in the north, colleagues who may do any work there, and two of them in the south."""
    staff = {role: ("north", [role]) for role in ROLES.keys() - {"customer"}}
    inside = sorted(ROLES.keys() - {"customer", "agent", "external_adjuster"})
    anybody = [*inside, "external_adjuster"]
    staff |= dict.fromkeys(("mate", "deputy", "reserve"), ("north", anybody))
    staff |= dict.fromkeys(("stranger", "far"), ("south", anybody))
    people = {}
    async with context.transaction() as session:
        for name, (team, roles) in staff.items():
            account = Staff(
                id=uuid4(),
                username=name,
                name=f"{name}先生",
                password_hash="none",
                roles=roles,
                queues=["*"],
                team=team,
                created_at=context.now(),
            )
            session.add(account)
            people[name] = actor_for(account)
    return people


async def cases_of(context: Context, people: dict[str, Actor]) -> dict[tuple[str, str], tuple[str, UUID]]:
    """A claim the agent brought and an inquiry, and the same again for which the case is nobody's."""
    number = await report_as(context, people["agent"])
    people["customer"] = await as_customer(context, number)
    assert people["customer"].case_id is not None
    strange = await reported_claim(context)
    made = {
        ("claim", "open"): (number, people["customer"].case_id),
        ("claim", "barred"): (strange.number, strange.case_id),
    }
    for which in ("open", "barred"):
        asked, _ = await open_case(
            context, OFFICE, "inquiry", answers=ANSWERS, reporter=ZHAO, channel=Channel.PHONE, key=uuid4().hex
        )
        made["inquiry", which] = (asked.number, asked.case_id)
        if which == "barred":
            for case in ("claim", "inquiry"):
                bars = [j.CaseBarred(actor=people[role].id, reason="acquainted") for role in sorted(ROLES)]
                await as_process(context, made[case, "barred"][1], *bars)
    return made


async def furnish(world: World) -> None:
    """Open the tasks, and put each where it belongs."""
    everybody = tuple(world.people[role].id for role in sorted(ROLES))
    opened: dict[UUID, list[j.Event]] = {}
    placed: dict[UUID, list[j.Event]] = {}
    for kind, place, role in every_task():
        _, case_id = world.case(kind, place)
        task_id = world.tasks[kind, place, role] = uuid4()
        event = new_task(task_id, kind, excluded=everybody if place == "decided" else ())
        opened.setdefault(case_id, []).append(event)
        placed.setdefault(case_id, []).extend(placing(world, task_id, place, role))
    for events in (opened, placed):
        for case_id, of_case in events.items():
            await as_process(world.context, case_id, *of_case)


def every_task() -> Iterator[tuple[str, str, str]]:
    """Kind, place, and the role that is tried on it where it is theirs."""
    for kind, place in itertools.product((*ALL_WORK, LATENESS), PLACES):
        if place not in {"mine", "lent"}:
            yield kind, place, ""
            continue
        yield from ((kind, place, role) for role in SHEETS if kind in {WORK.get(role, "initial_review"), LATENESS})


def new_task(task_id: UUID, kind: str, *, excluded: tuple[str, ...]) -> j.Event:
    """A task as the process opens it."""
    return j.TaskOpened(
        task_id=task_id,
        kind=kind,
        queue="any",
        stage="review",
        ask={"complexity": "simple", "checklist": [], "clock": "claim.total"},
        excluded_actors=excluded,
        least_authority=Decimal(30_000 if kind == "authorise" else 0),
    )


def placing(world: World, task_id: UUID, place: str, role: str) -> Iterator[j.Event]:
    """Alone in its queue, in the right hands: who has it, and for whom."""
    yield j.TaskRouted(task_id=task_id, queue=queue_of(task_id))
    holders = {
        "mine": (role, "deputy"),
        "lent": ("stranger", role),
        "team": ("mate", "deputy"),
        "barred'": ("mate", "deputy"),
        "other": ("stranger", "far"),
    }
    if place in holders:
        holder, owner = (world.people[name].id for name in holders[place])
        yield j.TaskClaimed(task_id=task_id, holder=holder, how="delegate", on_behalf_of=owner)


def queue_of(task_id: UUID) -> str:
    """A queue for one task, so that nothing else can be drawn from it."""
    return f"only.{task_id}"


# --- trying them ------------------------------------------------------------------------------------------------------


async def test_everybody_may_do_what_the_sheets_say_and_nothing_else(context: Context, process: FakeProcess) -> None:
    people = await employ_all(context)
    world = World(context, process, people, await cases_of(context, people), {})
    await furnish(world)
    wrong = []
    async with context.db.engine.connect() as connection, connection.begin() as kept:
        rehearsed = Stage(replace(context, db=Rehearsal(connection)), connection)
        rehearsed.context.announcer = Silent(context.db)
        for role in SHEETS:
            for verb, place, expected in expected_of(role):
                undone = await connection.begin_nested()
                found = await what_happens(world, rehearsed, role, verb, place)
                await undone.rollback()
                if found != expected:
                    wrong.append(f"{role}: {verb}, {place}: expected {expected}, found {found}")
        await kept.rollback()
    assert wrong == []


@dataclass
class Stage:
    """Where verbs are rehearsed: nothing of it is kept."""

    context: Context
    connection: AsyncConnection
    first: dict[UUID, int] = field(default_factory=dict)

    async def on_record(self, case_id: UUID) -> int:
        """How much is on record of a case."""
        query = select(ChainHead.chain_seq).where(ChainHead.case_id == case_id)
        return int((await self.connection.execute(query)).scalar_one())

    async def at_first(self, case_id: UUID) -> int:
        """The same, before anything was tried."""
        if case_id not in self.first:
            self.first[case_id] = await self.on_record(case_id)
        return self.first[case_id]


async def what_happens(world: World, stage: Stage, role: str, verb: str, place: str) -> str:
    """Carry a verb out; what came of it in a word. A refusal leaves no trace."""
    kind = LATENESS if verb == "cancel" else WORK.get(role, "initial_review")
    (number, case_id), task_id = world.case(kind, place), world.task(kind, place, role)
    attempt = Try(stage.context, world.people[role], task_id, kind, number, case_id, queue_of(task_id))
    before, told = await stage.at_first(case_id) + (verb == "give an opinion"), len(world.process.told)
    word = await in_a_word(VERBS[verb][1](attempt), is_drawing=verb == "next")
    is_done = await stage.on_record(case_id) != before or len(world.process.told) != told
    if word == "ok":
        return "ok" if is_done else "same"
    return f"{word}, and yet done" if is_done else word


async def in_a_word(doing: Awaitable[Any], *, is_drawing: bool) -> str:
    try:
        return "none" if await doing is None and is_drawing else "ok"
    except DomainError as refused:
        return REFUSED[type(refused)]


REFUSED: dict[type[DomainError], str] = {
    Conflict: "clash",
    Invalid: "unfit",
    NotAllowed: "no",
    NotFound: "unseen",
}
