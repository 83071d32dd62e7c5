"""A case's clocks as its process keeps them, and the journal that comes of it, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from pydantic import TypeAdapter
from sqlmodel import select

from lian.db.events import GENESIS, entry_content, entry_hash, to_json
from lian.db.journal import checked_chain
from lian.db.tables import Case, JournalEntry
from lian.domain import journal as j
from lian.domain.calendars import WorkingCalendar
from lian.domain.certificate import Journal, certificate_of, recompute
from lian.domain.certificate_story import Entry
from lian.domain.labels import Label
from lian.domain.messages import CaseState
from lian.domain.plan import CasePlan
from lian.domain.sla import ClockPolicy, Extension, Unit
from lian.services.certificates import as_told
from lian.services.context import Context
from tests.made_up import SURVEY
from workflows.clocks import ClockBook

CASE = UUID("5b8c6f5e-0000-4000-8000-0000000000aa")
STAFF = "staff:5b8c6f5e-0000-4000-8000-000000000001"
RECEIVED = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # Monday 10:00 in Beijing
PLAN = TypeAdapter(CasePlan)


def promise(amount: int, unit: Unit, id_: str = "claim.total", **changes: Any) -> ClockPolicy:
    """A promise that people may extend, and that requests pause."""
    given: dict[str, Any] = {"pausable": True, "calendar": "office", "starts_on": "received", "stops_on": ("decided",)}
    given |= {"restarts_on": ("new_facts",), "source": "CLM-12", "extensions": (Extension(5),)}
    return ClockPolicy(id_, Label("Whole claim", "整案时限"), amount, unit, **given | changes)


def plan_of(calendar: WorkingCalendar, *policies: ClockPolicy, pack: str = "test/1+house/2") -> CasePlan:
    """A plan of these promises, all in one calendar."""
    return CasePlan(pack=pack, calendar=calendar, clocks={p.id: p for p in policies}, calendars={"office": calendar})


@dataclass(repr=False)
class Office:
    """One case and its clocks; `now` is moved by whoever tells the story."""

    plan: CasePlan
    now: datetime = RECEIVED
    recorded: list[j.Recorded] = field(default_factory=list)
    requests: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        state = CaseState(case_id=CASE, kind="survey", plan=self.plan, received_at=self.now, facts={})
        self.clocks = ClockBook(
            state, SURVEY, record=self.record, now=lambda: self.now, ask_why_late=lambda _clock: None
        )
        self.record(
            j.CaseDrafted(number="CLM-2026-000123", kind="claim", channel="web", subject_person_id=CASE), by="web"
        )
        self.record(
            j.CaseSubmitted(received_at=self.now, plan=PLAN.dump_python(self.plan, mode="json"), promised_at=None),
            by="customer:5b8c6f5e-0000-4000-8000-000000000009",
        )

    def __repr__(self) -> str:
        return "\n".join(f"{item.at} {item.event.TYPE} {_brief(item.event)}" for item in self.recorded)

    def record(self, event: j.Event, *, by: str = "system") -> int:
        """As a process records it."""
        self.recorded.append(j.Recorded(at=self.now, actor=by, event=event))
        return len(self.recorded)

    def wait(self, time: timedelta) -> None:
        """Time goes by, and every clock is looked at."""
        self.now += time
        self.clocks.look(self.now)

    def ask(self, since: datetime | None = None, reason: str = "documents") -> UUID:
        """A named request is open since an instant, which may lie in the past; what waits for it stands still."""
        request, at = uuid5(CASE, str(len(self.requests))), since or self.now
        self.requests.append(request)
        opened = j.RequestOpened(
            request_id=request,
            items=("identity",),
            asked_at=at,
            answer_by=at + timedelta(days=30),
            is_repeat=False,
            reason=reason,
        )
        self.record(opened, by=STAFF)
        self.record(j.RequestDelivered(request_id=request, delivered_at=at, channel="notice"))
        if since is None:  # a letter: the transaction that delivers it puts the pauses on record
            names = self.clocks.pausable(reason)
            due = {name: self.clocks.due(name, self.clocks.running[name]) for name in names}
            names = [name for name in names if due[name] is not None and self.now < (due[name] or self.now)]
            for name in names:
                self.record(j.ClockPaused(clock=name, request_id=request, paused_at=at))
            self.clocks.pause(names, request, at)
        else:
            self.clocks.pause_since(reason, request, at)
        return request

    def answer(self, request: UUID, at: datetime | None = None) -> None:
        """The request has ended."""
        self.clocks.resume(request, at or self.now)
        self.record(j.RequestClosed(request_id=request, how="answered", closed_at=at or self.now))

    def extend(self, name: str, amount: int = 5) -> None:
        """Somebody agreed to a longer time."""
        self.clocks.extend(name, amount, asked_by=STAFF, approved_by=STAFF)

    def replan(self, plan: CasePlan, why: str = "notice") -> None:
        """Another plan applies from now on."""
        self.clocks.replan(plan, self.now)
        body = PLAN.dump_python(plan, mode="json")
        self.record(j.PlanChanged(operation_id=uuid5(CASE, "op"), plan=body, why=why), by=STAFF)

    def certificate(self) -> dict[str, Any]:
        """The certificate of it all, now."""
        return certificate_of(journal_of(self.recorded), issuer="Lian Insurance 立案保险", issued_at=self.now)


def _brief(event: j.Event) -> dict[str, Any]:
    return {name: value for name, value in to_json(event).items() if name not in {"plan", "policy", "warn_at", "items"}}


def journal_of(recorded: Sequence[j.Recorded]) -> Journal:
    """The chain that these events make."""
    entries: list[Entry] = []
    before = GENESIS
    for n, item in enumerate(recorded, start=1):
        row = JournalEntry(
            case_id=CASE,
            chain_seq=n,
            type=item.event.TYPE,
            version=item.event.VERSION,
            at=item.at,
            recorded_at=item.at,
            actor=item.actor,
            source="process",
            source_seq=n,
            body=to_json(item.event),
            prev_hash=before,
            hash="",
        )
        before = row.hash = entry_hash(row)
        entries.append(
            Entry(
                seq=n,
                type=row.type,
                at=row.at,
                actor=row.actor,
                body=row.body,
                hash=row.hash,
                content=entry_content(row),
            )
        )
    return Journal(case_id=str(CASE), head_seq=len(entries), head_hash=before, entries=entries)


async def assert_every_verdict_follows(context: Context) -> None:
    """Every deadline and verdict in every case's journal is what its ledger gives."""
    async with context.transaction() as session:
        for case in (await session.execute(select(Case).where(Case.status != "draft"))).scalars():
            entries, _ = await checked_chain(session, case.id)
            journal = Journal(
                case_id=str(case.id),
                head_seq=entries[-1].chain_seq,
                head_hash=entries[-1].hash,
                entries=[as_told(entry) for entry in entries],
            )
            certificate = certificate_of(journal, issuer="tests", issued_at=max(entry.at for entry in entries))
            assert not recompute(certificate), "\n".join(map(str, recompute(certificate)))
