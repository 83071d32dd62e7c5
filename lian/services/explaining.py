"""Telling how a clock of a case was counted: which days and hours, which not, and why (CLM-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from lian.auth.actor import Actor
from lian.auth.visibility import sees_inside
from lian.db.tables import Case, Clock, DocumentRequest
from lian.domain.claims.checklist import DOCUMENT_LABELS
from lian.domain.errors import NotFound
from lian.domain.explain import Explanation, explain
from lian.domain.explain_words import A_REQUEST
from lian.domain.labels import Label
from lian.domain.milestones import PAUSE_REASONS
from lian.domain.sla import ClockLedger, ClockPolicy, Pause, Rebase
from lian.domain.status import ClockStatus
from lian.services.cases import find_case
from lian.services.context import Context
from lian.services.opening import PLAN

POLICY = TypeAdapter(ClockPolicy)
PAUSES = TypeAdapter(tuple[Pause, ...])
NO_CLOCK = "This case has no such promise."
CONFIDENTIAL = frozenset({"fraud_investigation"})
"""What a case waits for of which only readers of risk may know (CLM-14)."""
WAITED_FOR = {
    "documents": Label("missing documents", "补充资料"),
    "fraud_investigation": Label("an investigation of suspected fraud", "反欺诈调查"),
}
AS_RECORDED = frozenset({ClockStatus.RUNNING, ClockStatus.BREACHED, ClockStatus.MET, ClockStatus.LATE})
"""Of these the deadline stands on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedClock:
    """One clock of a case and how it was counted.

    `is_as_recorded` is False when the deadline on record is another: of a clock that stopped before its calendar was
    revised, the record holds, and the explanation shows what the case's calendar says today.
    """

    number: str
    row: Clock
    label: Label
    is_as_recorded: bool
    explanation: Explanation


async def explain_clock(context: Context, actor: Actor, number: str, clock: str) -> ExplainedClock:
    """How a clock was counted, for whoever sees the case's clocks: staff, and people outside on their cases.

    Raises `NotFound` for a case that is not the actor's to see, and for a clock it does not have.
    """
    actor.require_sight()
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        row = await session.get(Clock, (case.id, clock))
        if row is None:
            raise NotFound(NO_CLOCK)
        names = {str(request.id): _named(request, actor) for request in await _requests(session, case)}
    return _explained(case, row, names, context.now())


def _explained(case: Case, row: Clock, requests: Mapping[str, Label], now: datetime) -> ExplainedClock:
    plan, policy = PLAN.validate_python(case.plan), policy_of(row)
    found = explain(
        policy=policy,
        calendar=plan.calendar_of(policy),
        ledger=ledger_of(row),
        now=now,
        requests=requests,
    )
    return ExplainedClock(
        number=case.number,
        row=row,
        label=policy.label,
        is_as_recorded=row.status not in AS_RECORDED or row.due_at == found.due_at,
        explanation=found,
    )


def policy_of(clock: Clock) -> ClockPolicy:
    """What it promises: what the plan said when it began or was last changed, which a stopped clock keeps."""
    return POLICY.validate_python(clock.policy)


def ledger_of(clock: Clock) -> ClockLedger:
    """What happened to a clock, from its row."""
    rebased = Rebase(clock.rebased_at, timedelta(seconds=clock.consumed_seconds)) if clock.rebased_at else None
    return ClockLedger(
        started_at=clock.started_at,
        pauses=PAUSES.validate_python(clock.pauses),
        stopped_at=clock.stopped_at,
        extended=clock.extended,
        rebased=rebased,
    )


async def _requests(session: AsyncSession, case: Case) -> Sequence[DocumentRequest]:
    query = select(DocumentRequest).where(DocumentRequest.case_id == case.id)
    return list((await session.execute(query)).scalars())


def _named(request: DocumentRequest, actor: Actor) -> Label:
    """What the case waited for, such as the documents of one list."""
    if request.reason in CONFIDENTIAL and not (actor.may("risk:read") and sees_inside(actor)):
        return A_REQUEST
    items = [DOCUMENT_LABELS[item] for item in request.items if item in DOCUMENT_LABELS]
    if items:
        listed = Label(", ".join(item.en for item in items), "、".join(item.zh for item in items))
        return Label(f"documents ({listed.en})", f"补充资料（{listed.zh}）")
    if request.reason in WAITED_FOR:
        return WAITED_FOR[request.reason]
    known = PAUSE_REASONS.get(request.reason)
    return Label(known.en[:1].lower() + known.en[1:], known.zh) if known else A_REQUEST
