"""The whole office at work: robot staff, customers and the bank together, until no case is open any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from infra.simulator.bank import Bank
from infra.simulator.choices import Asked
from infra.simulator.client import Api, Json
from infra.simulator.customers import Customers, FrontDesk, due_to_withdraw
from infra.simulator.staff import Account, Memory, Robot

CUSTOMERS_AT_ONCE = 5
READS_AT_ONCE = 6
LOOK_SECONDS = 2.0
LOOK_CLOSELY_EVERY = 4
"""Every so many looks, open requests and closed cases are gone through as well."""
STUCK_SECONDS = 420.0
BEFORE_DECISION = frozenset({"report", "review", "documents"})
SERVICE = "customer_service"


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
    desk: FrontDesk = field(init=False)
    _began_open: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        service = next(account for account in self.accounts if account.role == SERVICE)
        self.desk = FrontDesk(self.api, service)
        self.customers = Customers(self.api, self.desk, self.seed)
        memory = Memory()
        self.robots = [
            Robot(self.api, account, self.seed, self._hear, memory)
            for account in self.accounts
            if account.role != SERVICE
        ]

    @property
    def violations(self) -> list[str]:
        """What robots were made to do that must not happen."""
        return [*self.customers.violations, *(v for robot in self.robots for v in robot.violations)]

    async def work(self, *, until_closed: bool = True) -> float:
        """Work every open case to its end; returns the seconds it took. Raises `Stuck` or `Away`.

        Not `until_closed`: also whatever comes later, until cancelled.
        """
        began = monotonic()
        open_cases = await self.list_cases(status="open")
        self._began_open = {case["number"] for case in open_cases}
        self.view.total = self.view.open = len(open_cases)
        early = [case["number"] for case in open_cases if case["stage"] in BEFORE_DECISION]
        for number in due_to_withdraw(early, self.seed):
            self.customers.hear(number, "withdraw")
        workers = [robot.work() for robot in self.robots]
        workers += [self.customers.act() for _ in range(CUSTOMERS_AT_ONCE)]
        await _until_first([self._watch(until_closed)], [*workers, self.bank.open_hours()])
        return monotonic() - began

    async def list_cases(self, **query: str) -> list[Json]:
        """All cases of a status, as a list shows them."""
        token = await self.desk.signed_in()
        return [case async for case in self.api.pages("/cases", token=token, query=query)]

    async def read_cases(self, numbers: Sequence[str]) -> list[Json]:
        """These cases with all that belongs to them."""
        turns = asyncio.Semaphore(READS_AT_ONCE)

        async def read(number: str) -> Json:
            async with turns:
                return await self.desk.ask(f"/cases/{number}")

        return list(await asyncio.gather(*(read(number) for number in numbers)))

    def _hear(self, asked: Asked, outcome: Json) -> None:
        """Staff who ask for documents are heard by the customer."""
        if outcome.get("missing") or outcome.get("refused"):
            self.customers.hear(asked.case_number)

    async def _watch(self, until_closed: bool) -> None:
        """Look at the board until no case is open."""
        seen, since, looks = (-1, -1), monotonic(), 0
        while True:
            self.view.open = (await self.desk.ask("/sla/board"))["open_cases"]
            looks += 1
            if looks % LOOK_CLOSELY_EVERY == 0 or not self.view.open:
                await self._look_closely()
            self.shown(self.view)
            if not self.view.open and until_closed:
                return
            if seen != (seen := (self.view.open, self.api.tally.done)):
                since = monotonic()
            elif self.view.open and monotonic() - since > STUCK_SECONDS:
                raise Stuck(await self._why_stuck())
            await asyncio.sleep(LOOK_SECONDS)

    async def _look_closely(self) -> None:
        for case in await self.list_cases(status="open", stage="documents"):
            self.customers.hear(case["number"])
        self.view.outcomes = {}
        for case in await self.list_cases(status="closed"):
            if case["number"] in self._began_open:
                outcome = case["outcome"]
                self.view.outcomes[outcome] = self.view.outcomes.get(outcome, 0) + 1

    async def _why_stuck(self) -> str:
        open_cases = await self.list_cases(status="open")
        some = ", ".join(f"{case['number']} ({case['stage']})" for case in open_cases[:10])
        return f"Nothing has moved for {STUCK_SECONDS:.0f} s; {len(open_cases)} cases are still open: {some}."


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
