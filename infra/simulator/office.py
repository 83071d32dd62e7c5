"""The whole office at work: robot staff, customers and the bank together, until nothing more will happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from infra.simulator import wishes
from infra.simulator.bank import Bank
from infra.simulator.client import Api, Json
from infra.simulator.customers import Customers, FrontDesk
from infra.simulator.initiative import Initiative
from infra.simulator.staff import COMPLIANCE, EXTERNAL, LEAD, SERVICE, Account, Memory, Robot, draws_from

CUSTOMERS_AT_ONCE = 5
INITIATIVES_AT_ONCE = 2
READS_AT_ONCE = 6
LOOK_SECONDS = 2.0
LOOK_CLOSELY_EVERY = 4
"""Every so many looks, open requests and closed cases are gone through as well."""
STUCK_SECONDS = 420.0
MOST_TOLD = 10
BEFORE_DECISION = frozenset({"report", "review", "documents"})


class Stuck(Exception):
    """Cases stay open and nobody can do anything about them."""


@dataclass(slots=True)
class View:
    """What the progress display shows; `outcomes` counts the cases that were open in the beginning."""

    total: int = 0
    open: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Office:
    """Everybody who works, and what they have seen so far."""

    api: Api
    accounts: Sequence[Account]
    bank: Bank
    seed: int
    shown: Callable[[View], None] = lambda view: None
    view: View = field(default_factory=View)
    robots: list[Robot] = field(init=False)
    customers: Customers = field(init=False)
    initiative: Initiative = field(init=False)
    desk: FrontDesk = field(init=False)
    auditor: FrontDesk = field(init=False)
    """Reads every case as a whole, with what customer service may not see."""
    _began_open: set[str] = field(default_factory=set)
    _returned: set[str] = field(default_factory=set)
    """Cases that are known to have heard that their money came back."""

    def __post_init__(self) -> None:
        self.desk = FrontDesk(self.api, self._account_of(SERVICE))
        self.auditor = FrontDesk(self.api, self._account_of(COMPLIANCE))
        self.customers = Customers(self.api, self.desk, self.seed)
        self.initiative = Initiative(self.seed, self.customers, self.desk)
        memory = Memory()
        self.robots = [self._robot(account, memory) for account in self.accounts]
        self.initiative.robots = self.robots

    def _account_of(self, role: str) -> Account:
        return next(account for account in self.accounts if account.role == role)

    def _robot(self, account: Account, memory: Memory) -> Robot:
        surveyors = [each.username for each in self.accounts if each.role == EXTERNAL]
        return Robot(
            self.api,
            account,
            self.seed,
            self.initiative,
            memory,
            queues=draws_from(account.role, {each.role for each in self.accounts}),
            surveyors=tuple(surveyors) if account.role == LEAD else (),
        )

    @property
    def violations(self) -> list[str]:
        """What robots were made to do that must not happen."""
        found = [*self.customers.violations, *self.initiative.violations]
        return found + [violation for robot in self.robots for violation in robot.violations]

    async def work(self, *, until_closed: bool = True) -> float:
        """Work every open case to its end; returns the seconds it took. Raises `Stuck` or `Away`.

        Not `until_closed`: also whatever comes later, until cancelled.
        """
        began = monotonic()
        open_cases = await self.list_cases(status="open")
        self._began_open = {case["number"] for case in open_cases}
        self.view.total = self.view.open = len(open_cases)
        self._begin([case for case in open_cases if case["kind"] == "claim"])
        workers = [robot.work() for robot in self.robots]
        workers += [self.customers.act() for _ in range(CUSTOMERS_AT_ONCE)]
        workers += [self.initiative.act() for _ in range(INITIATIVES_AT_ONCE)]
        await _until_first([self._watch(until_closed)], [*workers, self.bank.open_hours()])
        return monotonic() - began

    def _begin(self, claims: Sequence[Json]) -> None:
        self.initiative.begin(claims)
        for number in (case["number"] for case in claims if case["stage"] in BEFORE_DECISION):
            if wishes.WITHDRAW in wishes.wishes(self.seed, number):
                self.customers.hear(number, partial(self.customers.withdraw, number))

    async def list_cases(self, **query: str) -> list[Json]:
        """All cases of a status, as a list shows them."""
        token = await self.desk.signed_in()
        return [case async for case in self.api.pages("/cases", token=token, query=query)]

    async def read_cases(self, numbers: Sequence[str]) -> list[Json]:
        """These cases with all that belongs to them."""
        turns = asyncio.Semaphore(READS_AT_ONCE)

        async def read(number: str) -> Json:
            async with turns:
                return await self.auditor.ask(f"/cases/{number}")

        return list(await asyncio.gather(*(read(number) for number in numbers)))

    # --- until when ---------------------------------------------------------------------------------------------------

    async def _watch(self, until_closed: bool) -> None:
        """Look at the board until no case is open and nothing more is meant to happen."""
        seen, since, looks = (-1, -1), monotonic(), 0
        while True:
            self.view.open = (await self.desk.ask("/sla/board"))["open_cases"]
            self.view.total = len(self._began_open) + len(self.initiative.duplicates)
            looks += 1
            is_over = (looks % LOOK_CLOSELY_EVERY == 0 or not self.view.open) and await self._look_closely()
            self.shown(self.view)
            if is_over and until_closed:
                return
            if seen != (seen := (self.view.open, self.api.tally.done)):
                since = monotonic()
            elif monotonic() - since > STUCK_SECONDS and (self.view.open or until_closed):
                raise Stuck(await self._why_stuck())
            await asyncio.sleep(LOOK_SECONDS)

    async def _look_closely(self) -> bool:
        """Remind whoever forgot; returns whether nothing more will happen."""
        for case in await self.list_cases(status="open", stage="documents"):
            if self.initiative.sends_documents(case["number"]):
                self.customers.hear_documents(case["number"])
        closed = [case for case in await self.list_cases(status="closed") if case["number"] in self._began_open]
        self.view.outcomes = {}
        for case in closed:
            self.view.outcomes[case["outcome"]] = self.view.outcomes.get(case["outcome"], 0) + 1
        self.initiative.look_at_closed(closed)
        is_quiet = self.initiative.is_done(closed) and self.customers.is_idle and self.bank.is_quiet
        # Asked last: whoever was busy a moment ago may have opened a case again.
        return is_quiet and await self._have_returns_been_heard() and not await self.list_cases(status="open")

    async def _have_returns_been_heard(self) -> bool:
        """Whether every transfer that the bank took back is known to have come back."""
        for payment_id, number in self.bank.returned.items():
            if str(payment_id) not in self._returned:
                file = await self.desk.ask(f"/cases/{number}")
                if not any(p["id"] == str(payment_id) and p["status"] != "confirmed" for p in file["payments"]):
                    return False
                self._returned.add(str(payment_id))
        return True

    async def _why_stuck(self) -> str:
        open_cases = await self.list_cases(status="open")
        some = [await self._told(case["number"]) for case in open_cases[:MOST_TOLD]]
        closed = [case for case in await self.list_cases(status="closed") if case["number"] in self._began_open]
        meant = ", ".join(self.initiative.still_meant(closed)[:MOST_TOLD]) or "nothing"
        return (
            f"Nothing has moved for {STUCK_SECONDS:.0f} s; {len(open_cases)} cases are still open: "
            f"{'; '.join(some)}. Still meant to happen: {meant}."
        )

    async def _told(self, number: str) -> str:
        """A case with what it waits for."""
        file = await self.auditor.ask(f"/cases/{number}")
        waits = [f"{t['kind']} in {t['queue']}, {_held(t)}" for t in file["tasks"] if t["status"] == "open"]
        waits += [f"payment {p['status']}" for p in file["payments"] if p["status"] in {"requested", "sent"}]
        return f"{number} ({file['stage']}: {' and '.join(waits) or 'no task'})"


def _held(task: Json) -> str:
    return f"held by {task['holder_name']}" if task["holder"] else "free"


async def _until_first(ends: Sequence[object], works: Sequence[object]) -> None:
    """Run everything until an end is reached; an error of anybody ends it too."""
    ending = [asyncio.ensure_future(each) for each in ends]  # type: ignore[call-overload]
    working = [asyncio.ensure_future(each) for each in works]  # type: ignore[call-overload]
    try:
        done, _ = await asyncio.wait([*ending, *working], return_when=asyncio.FIRST_COMPLETED)
        for finished in done:
            finished.result()
    finally:
        for task in (*ending, *working):
            task.cancel()
        await asyncio.gather(*ending, *working, return_exceptions=True)
