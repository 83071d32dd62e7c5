"""Claims with running promises, counted by the engine's own book of clocks, in an office whose clock can be set."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlmodel import select

from lian.db.tables import Case, Clock
from lian.domain import journal as j
from lian.domain.case_kinds import kind_of
from lian.domain.messages import CaseState
from lian.domain.plan import CasePlan
from lian.services.context import Context
from lian.services.opening import PLAN
from lian.services.packs import TABLES
from tests.api.conftest import as_process
from tests.cast import reported_claim
from workflows.clocks import ClockBook

HOUSE = (TABLES / "house-standard.v1.yaml").read_text(encoding="utf-8")


def house(*, total: int = 15, look: int = 48, version: int = 2) -> str:
    """The house's pack with other figures for a claim and for its first look."""
    text = HOUSE.replace("version: 1", f"version: {version}")
    for words, was, now in (("理赔总时效", 15, total), ("初审", 48, look)):
        before, found, after = text.partition(f"zh: {words}")
        assert found
        text = before + found + after.replace(f"amount: {was}\n", f"amount: {now}\n", 1)
    return text


@dataclass
class Promised:
    """One claim, its process stood in for by its clocks alone."""

    context: Context
    case_id: UUID
    number: str
    book: ClockBook
    state: CaseState
    said: list[j.Event] = field(default_factory=list)

    def record(self, event: j.Event) -> int:
        self.said.append(event)
        return len(self.said)

    async def put(self) -> None:
        """On record, with what the desk added: a request that reached the customer."""
        events, self.said[:] = tuple(self.said), []
        await as_process(self.context, self.case_id, *events)

    async def look(self) -> None:
        self.book.look(self.context.now())
        await self.put()

    async def wait(self, since: datetime, until: datetime | None = None) -> None:
        """Waits for documents."""
        request_id = uuid4()
        self.book.pause_since("documents", request_id, since)
        if until:
            self.book.resume(request_id, until)
        await self.put()

    async def stop(self, milestone: str, at: datetime) -> None:
        self.book.reach(milestone, at)
        await self.put()

    async def clock(self, name: str) -> Clock:
        async with self.context.transaction() as session:
            return await session.get_one(Clock, (self.case_id, name))

    async def case(self) -> Case:
        async with self.context.transaction() as session:
            return await session.get_one(Case, self.case_id)

    async def plan(self) -> CasePlan:
        return PLAN.validate_python((await self.case()).plan)


async def promised(context: Context, received_at: datetime) -> Promised:
    """A motor claim received then, whose promises run."""
    now, context.now = context.now, lambda: received_at
    try:
        loss_at = received_at - timedelta(days=1)
        registered = await reported_claim(context, loss_at=loss_at, reported_at=loss_at + timedelta(hours=1))
        async with context.transaction() as session:
            case = (await session.execute(select(Case).where(Case.number == registered.number))).scalars().one()
        plan = PLAN.validate_python(case.plan)
        state = CaseState(case_id=case.id, kind=case.kind, plan=plan, received_at=received_at, facts={})
        said: list[j.Event] = []

        def record(event: j.Event) -> int:
            said.append(event)
            return len(said)

        book = ClockBook(
            state, kind_of(case.kind), record=record, now=lambda: context.now(), ask_why_late=lambda _: None
        )
        made = Promised(context, case.id, case.number, book, state, said)
        book.reach("received", received_at)
        await made.put()
    finally:
        context.now = now
    return made
