"""A year of complaints under four packs: every verdict on record is counted once more from the journal (CLM-12).

A few cases here; this works the whole year:
`LIAN_YEAR_CASES=5000 python3 -m lian test -n 2 tests/workflows/test_worked_year.py`.
"""

from __future__ import annotations

import asyncio
import heapq
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import TypeAdapter
from sqlmodel import col, select
from temporalio.service import RPCError, RPCStatusCode

from lian.db.journal import compare, verify
from lian.db.tables import Case, DocumentRequest, JournalEntry, Task
from lian.domain.calendars import WorkingCalendar
from lian.domain.errors import DomainError
from lian.domain.messages import Act, CompleteTask, Replan, case_workflow_id
from lian.domain.plan import CasePlan
from lian.domain.promise_actions import END_WAIT, NOTE, START_WAIT
from lian.domain.sla import ClockLedger, ClockPolicy, Pause, Unit
from lian.services.context import Context, utc_now
from lian.services.opening import PLAN
from lian.services.relay import relay_once
from lian.settings import Settings
from tests.step_by_step import StepByStep
from tests.workflows.clockwork import House, house, law, registered

__all__ = ["law"]
pytestmark = [pytest.mark.req("CLM-12"), pytest.mark.usefixtures("law"), pytest.mark.timeout(7200)]

CASES = int(os.environ.get("LIAN_YEAR_CASES", "24"))
OFFICES = {"CN": "CN", "UK-ENG": "UK-ENG", "SG": "SG", "": "US-NY"}
"""Jurisdiction and office calendar; the house's own promises stand beside each, and alone in the last."""
SEEDS = (20261122, 20261123) if CASES >= 1_000 else (20261122,)
"""Many cases are worked in two halves, so that two processes share them."""
AT_ONCE = 8
"""People who work at the same moment: more would only wait for a connection."""
STEPS = ("handle_complaint", "handle_on", "tell_complainant")
AWAY = (timedelta(days=100), timedelta(days=112))
"""The case engine is away in between: complaints come in, and begin late."""
REVISED, RECOMPUTED = timedelta(days=200), timedelta(days=210)
POLICY = TypeAdapter(ClockPolicy)
LAST_DAYS = 70


@dataclass
class Year:
    """Complaints, and what is to happen to them, in the order of time."""

    office: House
    settings: Settings
    random: Random
    begins: datetime
    plans: dict[str, Settings] = field(default_factory=dict)
    agenda: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    order: Any = field(default_factory=count)
    cases: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    hands: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    @property
    def context(self) -> Context:
        return self.office.context

    def at(self, when: datetime, what: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self.agenda, (when, next(self.order), what))

    async def work(self) -> None:
        """Everything on the agenda, what falls within one hour side by side."""
        while self.agenda:
            until = self.agenda[0][0] + timedelta(hours=1)
            await self.sleep_until(until)
            await self.tell_the_time()
            due = []
            while self.agenda and self.agenda[0][0] <= until:
                due.append(heapq.heappop(self.agenda)[2])
            await asyncio.gather(*(self.do(what) for what in due))

    async def sleep_until(self, moment: datetime) -> None:
        """Let time pass. On a busy machine the server may take longer for it than its client waits: then ask again."""
        while (left := moment - await self.office.env.get_current_time()) > timedelta():
            try:
                await self.office.env.sleep(left)
            except RPCError as slow:
                if slow.status is not RPCStatusCode.CANCELLED:
                    raise

    async def do(self, what: Callable[[], Awaitable[None]]) -> None:
        async with self.hands:
            await what()

    async def tell_the_time(self) -> None:
        """The desk's clock shows what the server's does."""
        ahead = await self.office.env.get_current_time() - utc_now()
        self.context.now = lambda: utc_now() + ahead

    # --- what happens -------------------------------------------------------------------------------------------------

    async def open_one(self) -> None:
        jurisdiction = self.random.choice(list(OFFICES))
        self.context.settings = self.plans[jurisdiction]
        number = await registered(self.context)
        self.cases.append(number)
        received = self.context.now()
        self.at(received + timedelta(hours=1), lambda: self.begin(number, received))

    def is_away(self, when: datetime) -> bool:
        return self.begins + AWAY[0] <= when < self.begins + AWAY[1]

    async def begin(self, number: str, received: datetime) -> None:
        """Its process starts, at once or when the engine is back; then people get to it when they can."""
        if self.is_away(self.context.now()):
            self.at(self.begins + AWAY[1], lambda: self.begin(number, received))
            return
        while await relay_once(self.context):
            pass
        when = self.context.now()
        for step in STEPS:
            when += timedelta(hours=self.random.choice((2, 30, 100, 300, 700)) * self.random.uniform(0.5, 1.5))
            self.at(when, lambda step=step: self.answer(number, step))
        for _ in range(self.random.choice((0, 1, 2))):
            start = received + timedelta(days=self.random.uniform(1, 40))
            self.at(start, lambda: self.wait(number))
        if self.random.random() < 0.1:
            self.at(received + timedelta(days=self.random.uniform(2, 30)), lambda: self.note(number, "new_facts"))

    async def answer(self, number: str, step: str) -> None:
        case, tasks = await self.seen(number)
        task = next((t for t in tasks if t.kind == step and t.status == "open"), None)
        if task is None:
            return
        grade = self.random.choice(("simple", "simple", "complex"))
        outcome = {"result": "told" if step == STEPS[-1] else "go_on", "grade": grade}
        command = CompleteTask(
            command_id=uuid4().hex, task_id=task.id, actor="staff:li", authority=0, outcome=outcome, notes="办理"
        )
        await self.given(self.context.process.complete_task(case.id, command))

    async def wait(self, number: str) -> None:
        """Since some days ago, and for some days; often somebody ends it before."""
        today = self.context.now().astimezone(self.context.settings.zone).date()
        since = today - timedelta(days=self.random.choice((0, 0, 3)))
        until = today + timedelta(days=self.random.randint(2, 25))
        outcome = {
            "reason": self.random.choice(("external_appraisal", "mediation")),
            "since_on": since.isoformat(),
            "until_on": until.isoformat(),
        }
        await self.act(number, START_WAIT.id, outcome)
        if self.random.random() < 0.6:
            ends = self.context.now() + timedelta(days=self.random.uniform(0, (until - today).days))
            self.at(ends, lambda: self.end_wait(number))

    async def end_wait(self, number: str) -> None:
        case, _ = await self.seen(number)
        async with self.context.transaction() as session:
            query = select(DocumentRequest).where(DocumentRequest.case_id == case.id, DocumentRequest.status == "open")
            waits = (await session.execute(query)).scalars().all()
        if waits:
            await self.act(number, END_WAIT.id, {"request_id": str(waits[0].id)})

    async def note(self, number: str, milestone: str) -> None:
        await self.act(number, NOTE.id, {"milestone": milestone, "at": ""})

    async def act(self, number: str, action: str, outcome: dict[str, str]) -> None:
        case, _ = await self.seen(number)
        if case.status != "open":
            return
        command = Act(
            command_id=uuid4().hex, action=action, actor="staff:li", authority=0, outcome=outcome, notes="说明"
        )
        await self.given(self.context.process.act(case.id, command))

    async def given(self, command: Awaitable[object]) -> None:
        """A refusal is an answer, too: nothing happened then."""
        try:
            await command
        except DomainError as refused:
            self.refused[refused.code] += 1

    async def seen(self, number: str) -> tuple[Case, Sequence[Task]]:
        async with self.context.transaction() as session:
            case = (await session.execute(select(Case).where(Case.number == number))).scalars().one()
            tasks = (await session.execute(select(Task).where(Task.case_id == case.id))).scalars().all()
        return case, tasks

    async def replan(self, why: str, change: Callable[[CasePlan], CasePlan]) -> None:
        """Every open complaint follows a changed plan from now on."""
        operation = uuid4()
        async with self.context.transaction() as session:
            found = (await session.execute(select(Case).where(Case.status == "open"))).scalars().all()
        for case in found:
            plan = change(PLAN.validate_python(case.plan))
            handle = self.office.env.client.get_workflow_handle(case_workflow_id(case.id))
            await self.given(self.signalled(handle, Replan(operation_id=operation, plan=plan, why=why, by="staff:li")))

    async def signalled(self, handle: Any, order: Replan) -> None:
        if self.is_away(self.context.now()):
            return
        try:
            await handle.signal("replan", order)
        except RPCError as gone:
            # It closed a moment ago: its promises have stopped, and no plan moves them.
            if gone.status is not RPCStatusCode.NOT_FOUND:
                raise
            self.refused["closed"] += 1


def one_more_holiday(day: date) -> Callable[[CasePlan], CasePlan]:
    def more(calendar: WorkingCalendar) -> WorkingCalendar:
        return replace(calendar, off=calendar.off | {day}, work=calendar.work - {day}, version="revised")

    def change(plan: CasePlan) -> CasePlan:
        calendars = {name: more(calendar) for name, calendar in plan.calendars.items()}
        return replace(plan, calendar=more(plan.calendar), calendars=calendars)

    return change


def three_days_more(plan: CasePlan) -> CasePlan:
    """The house gives itself ten working days to close a complaint instead of seven."""
    close = plan.clocks["complaint.close"]
    return replace(plan, clocks=plan.clocks | {close.id: replace(close, amount=10)})


# --- counted once more ------------------------------------------------------------------------------------------------


@dataclass
class Witness:
    """One clock as its case's journal tells of it."""

    started_at: datetime
    policy: ClockPolicy
    plan: CasePlan
    pauses: list[Pause] = field(default_factory=list)
    breached_at: datetime | None = None
    stopped_at: datetime | None = None
    verdict: str = ""
    is_cancelled: bool = False

    def due(self) -> datetime | None:
        if self.policy.unit is Unit.HOURS:
            return self.started_at + timedelta(hours=self.policy.amount)
        ledger = ClockLedger(self.started_at, tuple(self.pauses) if self.policy.pausable else ())
        return StepByStep(self.policy, self.plan.calendar_of(self.policy), ledger).due()

    def expected(self, now: datetime) -> tuple[str, datetime | None]:
        due = self.due()
        is_late = due is not None and (self.stopped_at or now) > due
        return ("breached" if is_late else "met" if self.stopped_at else "", due if is_late else None)

    def pause(self, request_id: str, at: datetime) -> None:
        self.pauses.append(Pause(request_id, max(at, self.started_at)))

    def resume(self, request_id: str, at: datetime) -> None:
        self.pauses = [
            replace(p, to_at=max(at, p.from_at)) if p.request_id == request_id and not p.to_at else p
            for p in self.pauses
        ]

    def restart(self, at: datetime) -> None:
        self.started_at, self.pauses, self.breached_at = at, [], None


Told = dict[str, Any]
TOLD: dict[str, Callable[[Witness, Told], None]] = {
    "clock.restarted": lambda c, told: c.restart(told["started_at"]),
    "clock.paused": lambda c, told: c.pause(told["request_id"], told["paused_at"]),
    "clock.resumed": lambda c, told: c.resume(told["request_id"], told["resumed_at"]),
    "clock.rebased": lambda c, told: setattr(c, "policy", POLICY.validate_python(told["policy"])),
    "clock.breached": lambda c, told: setattr(c, "breached_at", told["legal_at"]),
    "clock.breach_withdrawn": lambda c, _: setattr(c, "breached_at", None),
    "clock.stopped": lambda c, told: c.__dict__.update(stopped_at=told["stopped_at"], verdict=told["verdict"]),
    "clock.cancelled": lambda c, _: setattr(c, "is_cancelled", True),
}


def retold(entries: Sequence[JournalEntry]) -> dict[str, Witness]:
    """The clocks of one case, from nothing but its journal."""
    clocks: dict[str, Witness] = {}
    plan: CasePlan | None = None
    for entry in entries:
        told = {k: datetime.fromisoformat(v) if k.endswith("_at") and v else v for k, v in entry.body.items()}
        if entry.type in {"case.submitted", "plan.changed"}:
            plan = PLAN.validate_python(entry.body["plan"])
            for clock in clocks.values():
                clock.plan = clock.plan if clock.stopped_at else plan
        elif entry.type == "clock.started":
            assert plan
            clocks[told["clock"]] = Witness(told["started_at"], POLICY.validate_python(told["policy"]), plan)
        elif entry.type in TOLD:
            TOLD[entry.type](clocks[told["clock"]], told)
    return clocks


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_verdict_of_a_year_is_the_one_that_the_journal_gives(
    settings: Settings, seed: int, record_property: Callable[[str, object], None]
) -> None:
    async with house(settings, jurisdiction="CN", calendar="CN") as office:
        year = Year(office, settings, Random(seed), await office.env.get_current_time())
        await year.tell_the_time()
        base = office.context.settings
        for jurisdiction, calendar in OFFICES.items():
            update = {"jurisdiction": jurisdiction, "office_calendar": calendar}
            year.plans[jurisdiction] = base.model_copy(update=update)
        for _ in range(CASES // len(SEEDS)):
            year.at(year.begins + timedelta(days=year.random.uniform(0, 365 - LAST_DAYS)), year.open_one)
        holiday = (year.begins + REVISED + timedelta(days=6)).date()
        year.at(year.begins + REVISED, lambda: year.replan("holiday", one_more_holiday(holiday)))
        year.at(year.begins + RECOMPUTED, lambda: year.replan("policy", three_days_more))
        await year.work()
        await year.sleep_until(await office.env.get_current_time() + timedelta(days=LAST_DAYS))
        await asyncio.sleep(1)
        journals = await whole_journals(year)
        verdicts, differing = judged(journals, await office.env.get_current_time())
    # `--junitxml FILE` keeps these figures also when several processes share the year.
    record_property("year", {"cases": len(journals), **verdicts, "refused": dict(year.refused)})
    assert differing == []
    assert len(journals) == CASES // len(SEEDS)
    assert verdicts["met"] > len(journals)
    assert verdicts["breached"] > len(journals) // 2


async def whole_journals(year: Year) -> dict[UUID, list[JournalEntry]]:
    """Every case's entries in order, of a journal that is undamaged and agrees with the rows."""
    by_case: dict[UUID, list[JournalEntry]] = {}
    async with year.context.transaction() as session:
        query = select(JournalEntry).order_by(col(JournalEntry.case_id), col(JournalEntry.chain_seq))
        for entry in (await session.execute(query)).scalars():
            by_case.setdefault(entry.case_id, []).append(entry)
        assert (await verify(session)).damages == []
        assert (await compare(session, year.context.ring)).damages == []
    return by_case


def judged(journals: dict[UUID, list[JournalEntry]], now: datetime) -> tuple[Counter[str], list[object]]:
    """How many clocks ended how, and those whose verdict or breach differs from counting step by step."""
    seen, differing = Counter[str](), list[object]()
    for case_id, entries in journals.items():
        for name, clock in retold(entries).items():
            if clock.is_cancelled:
                seen["cancelled"] += 1
                continue
            verdict, breached_at = clock.expected(now)
            seen[verdict or "running"] += 1
            is_same = clock.verdict == verdict or not clock.stopped_at
            if not is_same or clock.breached_at != breached_at:
                differing.append((case_id, name, clock, verdict, breached_at))
    return seen, differing
