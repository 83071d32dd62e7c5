"""Robot staff: they take the next task of a queue, answer it, and take the next one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from infra.simulator import choices
from infra.simulator.choices import Asked
from infra.simulator.client import Api, Json, Refused

UNAUTHORISED = 401
IDLE_SECONDS = 0.25
LONGEST_IDLE = 1.5
ANSWERED_ELSEWHERE = frozenset({"conflict", "not_found"})

ADJUSTING = ("claims.settlement", "claims.adjudication", "claims.assessment", "claims.review")
QUEUES: dict[str, tuple[str, ...]] = {
    "claims_adjuster_junior": ADJUSTING,
    "claims_adjuster_senior": ("claims.authority", *ADJUSTING),
    "team_lead": ("claims.authority",),
}


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


@dataclass(slots=True)
class Robot:
    """One member of staff."""

    api: Api
    account: Account
    seed: int
    answered: Callable[[Asked, Json], None]
    memory: Memory
    token: str = ""
    violations: list[str] = field(default_factory=list)

    async def work(self) -> None:
        """Work until cancelled: first what it holds already, then whatever comes next."""
        random, idle = choices.chance(self.seed, self.account.username), IDLE_SECONDS
        await self.finish_held()
        while True:
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
        """Answer what this account holds."""
        for task in (await self._ask("GET", "/tasks", query={"mine": "true"}))["items"]:
            with suppress(Refused):
                await self.answer(await self._ask("GET", f"/tasks/{task['id']}"))

    async def take_next(self, random: Random) -> Json | None:
        """The next task of one of its queues; none when all are empty."""
        for queue in shuffled(QUEUES[self.account.role], random):
            task: Json | None = await self._ask("POST", f"/queues/{queue}/next", what="take")
            if task is not None:
                return task if "ask" in task else await self._ask("GET", f"/tasks/{task['id']}")
        return None

    async def answer(self, task: Json) -> None:
        """Answer a task it holds; one that is no longer open was answered before, its answer lost."""
        asked = Asked(task["id"], task["kind"], task["case_number"], task["ask"])
        self._watch(asked)
        outcome = choices.answer(asked, self._chance(asked))
        try:
            await self._ask(
                "POST",
                f"/tasks/{asked.id}/complete",
                what=asked.kind,
                key=f"robot-{asked.id}",
                body={"outcome": outcome, "notes": ""},
            )
        except Refused as refused:
            if refused.code not in ANSWERED_ELSEWHERE:
                self.violations.append(f"{asked.case_number} {asked.kind}: {refused}")
            return
        if asked.kind == "adjudicate":
            self.memory.deciders[asked.case_number] = self.account.username
        self.answered(asked, outcome)

    def _watch(self, asked: Asked) -> None:
        me = self.account.username
        if asked.kind == "authorise" and self.memory.deciders.get(asked.case_number) == me:
            self.violations.append(f"{asked.case_number}: {me} was given its own decision to authorise")

    def _chance(self, asked: Asked) -> Random:
        about = (asked.case_number, asked.kind)
        self.memory.times[about] += 1
        return choices.chance(self.seed, *about, self.memory.times[about])

    async def _ask(self, method: str, path: str, *, what: str = "", **how: object) -> Json:
        """A call as this account, which signs in when it has to."""
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
    first = [queue for queue in queues if queue == "claims.authority"]
    rest = [queue for queue in queues if queue not in first]
    yield from (*first, *random.sample(rest, len(rest)))


def cast(size: int) -> list[tuple[str, str, str]]:
    """User name, name and role of `size` robots: one customer service, then leads, seniors and juniors."""
    leads = max(1, size // 6)
    seniors = max(1, (size - 1 - leads) * 4 // 9)
    juniors = max(0, size - 1 - leads - seniors)
    counts = {"claims_adjuster_junior": juniors, "claims_adjuster_senior": seniors, "team_lead": leads}
    short = {"claims_adjuster_junior": "junior", "claims_adjuster_senior": "senior", "team_lead": "lead"}
    staff = [
        (f"robot-{short[role]}-{n}", f"Robot {short[role]} {n}", role)
        for role, count in counts.items()
        for n in range(1, count + 1)
    ]
    return [("robot-service-1", "Robot service 1", "customer_service"), *staff]
