"""The report of a simulation, gathered once no case is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from temporalio.client import Client

from infra.simulator.branches import branches
from infra.simulator.checks import OnTime, on_time, outcomes, problems_of
from infra.simulator.client import Json
from infra.simulator.costs import Spread, costs_of, spread
from infra.simulator.office import Office
from lian.db import journal
from lian.db.balance import unbalanced
from lian.db.tables import Decision, JournalEntry
from lian.domain import journal as j
from lian.domain.claims.definition import CLAIM
from lian.services.context import Context
from lian.settings import Settings

MOST_TOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a simulation did and found; durations in seconds."""

    cases: int
    worked: int
    outcomes: dict[str, int]
    duplicates: dict[str, int]
    """How the second reports that robots made on purpose ended; they count nowhere else."""
    branches: dict[str, int]
    own_accord: dict[str, int]
    """What robots did beside answering, by wish."""
    on_time: OnTime
    seconds: float
    commands: dict[str, int]
    retries: int
    refusals: dict[str, int]
    bank_accepted: int
    bank_rejected: int
    bank_returned: int
    actions: Spread
    events: Spread
    journal_events: int
    damages: list[str]
    differences: list[str]
    problems: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether every check held."""
        return not (self.damages or self.differences or self.problems)

    @property
    def commands_a_second(self) -> float:
        """Changes that took effect, by second of wall time."""
        return sum(self.commands.values()) / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        more = {
            "on_time_rate": round(self.on_time.rate, 4),
            "commands_total": sum(self.commands.values()),
            "commands_a_second": round(self.commands_a_second, 1),
            "is_right": self.is_right,
        }
        return {**asdict(self), "seconds": round(self.seconds, 1), **more}


async def gather_report(context: Context, office: Office, seconds: float) -> Report:
    """Read every closed case, its histories, and the journal."""
    numbers = [case["number"] for case in await office.list_cases(status="closed")]
    every = await office.read_cases(numbers)
    second = office.initiative.duplicates
    cases = [case for case in every if case["number"] not in second]
    costs = await costs_of(await _temporal(context.settings), [_processes(case) for case in cases])
    async with context.transaction() as session:
        verified = await journal.verify(session)
        unbalanced_ = await unbalanced(session)
    async with context.transaction() as session:
        compared = await journal.compare(session, context.ring)
    return Report(
        cases=len(cases),
        worked=office.view.total - len(second),
        outcomes=outcomes(cases),
        duplicates=outcomes([case for case in every if case["number"] in second]),
        branches=branches(_claims(cases), advanced=await _advanced(context), reopened=await _reopened(context)),
        own_accord=dict(sorted(office.initiative.happened.items())),
        on_time=on_time(cases),
        seconds=seconds,
        commands=dict(sorted(office.api.tally.commands.items())),
        retries=office.api.tally.retries,
        refusals=dict(sorted(office.api.tally.refusals.items())),
        bank_accepted=office.bank.accepted,
        bank_rejected=office.bank.rejected,
        bank_returned=len(office.bank.returned),
        actions=spread([cost.actions for cost in costs]),
        events=spread([cost.events for cost in costs]),
        journal_events=verified.events,
        damages=_told([*verified.damages, *unbalanced_]),
        differences=_told(compared.damages),
        problems=[problem for case in every for problem in problems_of(case)] + office.violations,
    )


def _claims(cases: Sequence[Json]) -> list[Json]:
    return [case for case in cases if case["kind"] == CLAIM.id]


async def _advanced(context: Context) -> set[str]:
    """Cases with an advance that was agreed to: the API does not tell it from a decision on the claim."""
    query = select(Decision.case_id).where(Decision.subject == "advance", Decision.status == "final")
    async with context.transaction() as session:
        return {str(found) for found in (await session.execute(query)).scalars()}


async def _reopened(context: Context) -> set[str]:
    """Cases that a person handled again from some stage, rather than something that happened."""
    by_staff = col(JournalEntry.actor).startswith("staff:")
    query = select(JournalEntry).where(by_staff, JournalEntry.type == j.CaseReopened.TYPE)
    async with context.transaction() as session:
        entries = (await session.execute(query)).scalars()
        return {str(entry.case_id) for entry in entries if not entry.body.get("action")}


def _told(damages: Sequence[journal.Damage]) -> list[str]:
    return [f"case {d.case_id} event {d.chain_seq}: {d.what}" for d in damages[:MOST_TOLD]]


def _processes(case: Json) -> tuple[UUID, list[UUID]]:
    return UUID(case["id"]), [UUID(payment["id"]) for payment in case["payments"]]


async def _temporal(settings: Settings) -> Client:
    # Histories are counted, never read: no codec is needed.
    return await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace, identity="simulator")
