"""Robot staff: they take the next task of a queue, answer it, and take the next one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Protocol

from infra.simulator import choices
from infra.simulator.client import Api, Json, Refused
from infra.simulator.opinions import NOTES
from infra.simulator.questions import Asked, chance
from lian.auth.permissions import ROLES
from lian.domain.case_kinds import KINDS

UNAUTHORISED = 401
IDLE_SECONDS = 0.25
LONGEST_IDLE = 1.5
ANSWERED_ELSEWHERE = frozenset({"conflict", "not_found"})
NOT_MINE = "not_allowed"
CUSTOMERS_TIME = 45.0
"""Seconds a customer gets to answer themselves before staff does it for them."""
ASSIGN_SECONDS = 2.0

SERVICE, LEAD, SENIOR, JUNIOR = "customer_service", "team_lead", "claims_adjuster_senior", "claims_adjuster_junior"
MANAGER, PANEL, SPECIAL = "claims_manager", "panel_member", "special_investigator"
COMPLIANCE, EXTERNAL = "compliance", "external_adjuster"
ADJUSTERS = frozenset({JUNIOR, SENIOR})
GIVEN_OUT = "claims.external"
"""The queue of surveys that a lead gives to somebody outside."""
AUTHORITY = "claims.authority"


def queues_of(role: str) -> tuple[str, ...]:
    """The queues with work for a role, as the kinds' definitions have it."""
    tasks = [task for kind in KINDS.values() for task in kind.tasks if task.permission in ROLES[role]]
    return tuple(dict.fromkeys(task.queue for task in tasks))


QUEUES: dict[str, tuple[str, ...]] = {role: queues_of(role) for role in ROLES}
NEEDS_NOTES = frozenset(task.id for kind in KINDS.values() for task in kind.tasks if task.needs_notes)


def draws_from(role: str, colleagues: Collection[str]) -> tuple[str, ...]:
    """The queues a robot takes work from, among colleagues with these roles.

    Seniors leave panels to the others: somebody who neither decided nor voted must be left for an objection. Nobody
    inside takes a survey while there is somebody outside to give it to, and people outside draw nothing at all.
    """
    left = {"claims.panel"} if role == SENIOR else set()
    if EXTERNAL in colleagues:
        left.add(GIVEN_OUT)
    return () if role == EXTERNAL else tuple(queue for queue in QUEUES[role] if queue not in left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom a robot signs in as."""

    username: str
    password: str
    name: str
    role: str


@dataclass(slots=True)
class Memory:
    """What all robots know together."""

    deciders: dict[str, str] = field(default_factory=dict)
    """Who decided each case last: the same robot must never be given the authorisation."""
    times: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each kind of task was answered for each case, by whomever: a second answer is a new choice."""
    left: dict[str, float] = field(default_factory=dict)
    """Tasks that are held, but left to the customer until then."""


class Habits(Protocol):
    """What robots do beside answering."""

    async def before(self, robot: Robot, asked: Asked, outcome: Json) -> bool:
        """Before a task is answered; true when it is left to the customer, who would say the same."""

    async def after(self, robot: Robot, asked: Asked, outcome: Json) -> None:
        """Once a task is answered."""


class NoHabits:
    """Nothing but answers."""

    async def before(self, robot: Robot, asked: Asked, outcome: Json) -> bool:
        """Nothing to do."""
        return False

    async def after(self, robot: Robot, asked: Asked, outcome: Json) -> None:
        """Nothing to do."""


@dataclass(slots=True)
class Robot:
    """One member of staff. `surveyors` are the user names a lead gives surveys to."""

    api: Api
    account: Account
    seed: int
    habits: Habits
    memory: Memory
    queues: tuple[str, ...] = ()
    surveyors: tuple[str, ...] = ()
    token: str = ""
    violations: list[str] = field(default_factory=list)
    _assigned_at: float = 0.0

    async def work(self) -> None:
        """Work until cancelled: first what it holds already, then whatever comes next."""
        random, idle = chance(self.seed, self.account.username), IDLE_SECONDS
        await self.finish_held()
        while True:
            await self.assign_surveys()
            task = await self.take_next(random)
            if task is not None:
                await self.answer(task)
                idle = IDLE_SECONDS
                continue
            await asyncio.sleep(idle * random.uniform(0.5, 1.5))
            idle = min(idle * 1.5, LONGEST_IDLE)
            if idle == LONGEST_IDLE:
                # An answer to "next" that was lost on its way left us a task we do not know of.
                await self.finish_held()

    async def finish_held(self) -> None:
        """Answer what this account holds, and was assigned; not yet what its customer is answering."""
        for task in (await self.ask("GET", "/tasks", query={"mine": "true"}))["items"]:
            if self.memory.left.get(task["id"], 0.0) < monotonic():
                with suppress(Refused):
                    await self.answer(await self.ask("GET", f"/tasks/{task['id']}"))

    async def take_next(self, random: Random) -> Json | None:
        """The next task of one of its queues; none when all are empty."""
        for queue in shuffled(self.queues, random):
            task: Json | None = await self.ask("POST", f"/queues/{queue}/next", what="take")
            if task is not None:
                return task if "ask" in task else await self.ask("GET", f"/tasks/{task['id']}")
        return None

    async def assign_surveys(self) -> None:
        """Give surveys that nobody has to people outside, in turn."""
        if not self.surveyors or monotonic() - self._assigned_at < ASSIGN_SECONDS:
            return
        self._assigned_at = monotonic()
        waiting = await self.ask("GET", "/tasks", query={"queue": GIVEN_OUT, "unclaimed": "true"})
        for task in waiting["items"]:
            to = chance(self.seed, task["case_number"], "survey").choice(self.surveyors)
            with suppress(Refused):
                await self.ask("POST", f"/tasks/{task['id']}/assign", what="assign", body={"to": to})

    async def answer(self, task: Json) -> None:
        """Answer a task it holds; one that is no longer open was answered before, its answer lost."""
        asked = await self._asked(task)
        self._watch(asked)
        outcome = choices.answer(asked, self._chance(asked))
        is_left = asked.id not in self.memory.left and await self.habits.before(self, asked, outcome)
        if is_left:
            self.memory.left[asked.id] = monotonic() + CUSTOMERS_TIME
        elif await self._is_taken(asked, outcome):
            if asked.kind == "adjudicate":
                self.memory.deciders[asked.case_number] = self.account.username
            await self.habits.after(self, asked, outcome)

    async def _asked(self, task: Json) -> Asked:
        number = task["case_number"]
        file = await self.ask("GET", f"/cases/{number}") if task["kind"] in choices.NEEDS_THE_FILE else {}
        return Asked(task["id"], task["kind"], number, task["ask"], task.get("form", {}), file)

    async def _is_taken(self, asked: Asked, outcome: Json) -> bool:
        try:
            await self.ask(
                "POST",
                f"/tasks/{asked.id}/complete",
                what=asked.kind,
                key=f"robot-{asked.id}",
                body={"outcome": outcome, "notes": NOTES if asked.kind in NEEDS_NOTES else ""},
            )
        except Refused as refused:
            await self._give_back(asked, refused)
            return False
        return True

    async def _give_back(self, asked: Asked, refused: Refused) -> None:
        """Somebody was quicker; or it voted before, and this seat is for another."""
        if refused.code not in ANSWERED_ELSEWHERE and (refused.code, asked.kind) != (NOT_MINE, "panel_vote"):
            self.violations.append(f"{asked.case_number} {asked.kind}: {refused}")
        if refused.code == NOT_MINE:
            with suppress(Refused):
                await self.ask("POST", f"/tasks/{asked.id}/release", what="release")

    async def act(self, number: str, action: str, outcome: Json, *, key: str, notes: str = NOTES) -> None:
        """Do something on a case of its own accord. Raises `Refused`."""
        body = {"outcome": outcome, "notes": notes}
        await self.ask("POST", f"/cases/{number}/actions/{action}", what=action, key=key, body=body)

    def _watch(self, asked: Asked) -> None:
        me = self.account.username
        if asked.kind == "authorise" and self.memory.deciders.get(asked.case_number) == me:
            self.violations.append(f"{asked.case_number}: {me} was given its own decision to authorise")

    def _chance(self, asked: Asked) -> Random:
        about = (asked.case_number, asked.kind)
        self.memory.times[about] += 1
        return chance(self.seed, *about, self.memory.times[about])

    async def ask(self, method: str, path: str, *, what: str = "", **how: object) -> Json:
        """A call as this account, which signs in when it has to; `what` names a change, for the count."""
        if not self.token:
            self.token = await self.api.sign_in(self.account.username, self.account.password)
        try:
            return await self._send(method, path, what, how)
        except Refused as refused:
            if refused.status != UNAUTHORISED:
                raise
        self.token = await self.api.sign_in(self.account.username, self.account.password)
        return await self._send(method, path, what, how)

    async def _send(self, method: str, path: str, what: str, how: dict[str, object]) -> Json:
        if what and what != "take":
            answer = await self.api.command(what, method, path, token=self.token, **how)
        else:
            answer = await self.api.call(method, path, token=self.token, **how)  # type: ignore[arg-type]
        return answer  # type: ignore[no-any-return]


def shuffled(queues: tuple[str, ...], random: Random) -> Iterator[str]:
    """The queues in an order of the moment, the authority queue always first: decisions wait there."""
    first = [queue for queue in queues if queue == AUTHORITY]
    rest = [queue for queue in queues if queue not in first]
    yield from (*first, *random.sample(rest, len(rest)))


# --- who works --------------------------------------------------------------------------------------------------------

SHORT = {
    SERVICE: "service",
    JUNIOR: "junior",
    SENIOR: "senior",
    LEAD: "lead",
    MANAGER: "manager",
    PANEL: "panel",
    SPECIAL: "special",
    COMPLIANCE: "compliance",
    EXTERNAL: "external",
}
POSTS: dict[str, int] = {
    SERVICE: 1,
    JUNIOR: 1,
    SENIOR: 2,
    LEAD: 1,
    MANAGER: 1,
    PANEL: 1,
    SPECIAL: 1,
    COMPLIANCE: 1,
}
"""The smallest office in which no case can get stuck: whoever decided and three who voted still leave somebody to look
at an objection, another one to decide anew, and a second person with enough authority for every amount."""
MORE = (EXTERNAL, JUNIOR, SENIOR, JUNIOR, SENIOR, LEAD, PANEL, JUNIOR, SENIOR, SPECIAL, JUNIOR, SENIOR)
"""Who comes next, again and again, as an office grows."""
FEWEST = sum(POSTS.values())


def cast(size: int) -> list[tuple[str, str, str]]:
    """User name, name and role of `size` robots: one for every kind of work, and enough others for four eyes."""
    counts = Counter(POSTS) + Counter(specialists())
    for n in range(max(0, size - counts.total())):
        counts[MORE[n % len(MORE)]] += 1
    return [_robot(role, n) for role, count in counts.items() for n in range(1, count + 1)]


def _robot(role: str, n: int) -> tuple[str, str, str]:
    short = SHORT.get(role, role.replace("_", "-"))
    return f"robot-{short}-{n}", f"Robot {short} {n}", role


def specialists() -> list[str]:
    """A role for every task of every kind that nobody of the smallest office may do."""
    missing: list[str] = []
    for task in (task for kind in KINDS.values() for task in kind.tasks if not task.by_customer):
        if not any(task.permission in ROLES[role] for role in (*POSTS, *missing)):
            missing += [role for role in ROLES if task.permission in ROLES[role]][:1]
    return missing
