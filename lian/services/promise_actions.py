"""What the forms about a case's promises offer: which may take longer, which wait may be over (CLM-12)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.visibility import CONFIDENTIAL_WAITS
from lian.db.tables import Case, Clock, DocumentRequest
from lian.domain.explain_words import amount
from lian.domain.labels import Label
from lian.domain.milestones import MILESTONES
from lian.domain.promise_actions import BY_PROCEDURE, DOCUMENTS, END_WAIT, EXTEND, NOTE
from lian.domain.sla import ClockPolicy, Unit
from lian.domain.tasks import Json
from lian.services.choices import Option, option
from lian.services.context import Context
from lian.services.explaining import policy_of
from lian.services.opening import PLAN
from lian.services.reading_clocks import wait_label


async def ask_extension(context: Context, session: AsyncSession, case: Case) -> Json:
    """The running promises for which the rules still allow a longer time, with their due date and that time."""
    query = select(Clock).where(
        Clock.case_id == case.id,
        col(Clock.stopped_at).is_(None),
        col(Clock.status).in_(("running", "paused")),
        col(Clock.breached_at).is_(None),
    )
    clocks = (await session.execute(query.order_by(col(Clock.started_at), col(Clock.clock)))).scalars()
    options = [_longer(clock, policy_of(clock), context.settings.zone) for clock in clocks if _may_be_longer(clock)]
    return {"options": {"clock": options}}


def _may_be_longer(clock: Clock) -> bool:
    return clock.extended < sum(extension.amount for extension in policy_of(clock).extensions)


def _longer(clock: Clock, policy: ClockPolicy, zone: ZoneInfo) -> Option:
    """`Handling of a complaint · due 2026-04-02 · 30 calendar days more`."""
    more = amount(policy.extensions[0].amount, policy.unit)
    due = _due(clock.due_at, policy, zone)
    en, zh = (f" · due {due}", f" · {due}到期") if due else ("", "")
    words = Label(
        f"{policy.label.en}{en} · {more.en} more",
        f"{policy.label.zh}{zh} · 可延长{more.zh}",
    )
    return option(clock.clock, words)


def _due(due_at: datetime | None, policy: ClockPolicy, zone: ZoneInfo) -> str:
    if due_at is None:
        return ""
    local = due_at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M}" if policy.unit is Unit.HOURS else f"{local:%Y-%m-%d}"


async def ask_end_of_wait(context: Context, session: AsyncSession, case: Case) -> Json:
    """What the case waits for outside the house, since when and until when at the latest.

    Whoever ends a confidential one may not be allowed to know what it is: the form does not name it.
    """
    zone = context.settings.zone
    return {"options": {"request_id": [_wait(each, zone) for each in await open_waits(session, case)]}}


async def open_waits(session: AsyncSession, case: Case) -> Sequence[DocumentRequest]:
    """The waits that have not ended, oldest first."""
    query = select(DocumentRequest).where(
        DocumentRequest.case_id == case.id, DocumentRequest.status == "open", DocumentRequest.reason != DOCUMENTS
    )
    return (await session.execute(query.order_by(col(DocumentRequest.opened_at)))).scalars().all()


def _wait(wait: DocumentRequest, zone: ZoneInfo) -> Option:
    since = (wait.delivered_at or wait.opened_at).astimezone(zone)
    until = wait.answer_by.astimezone(zone)
    reason = "" if wait.reason in CONFIDENTIAL_WAITS else wait.reason
    return option(wait.id, wait_label(reason), f"{since:%Y-%m-%d} – {until:%Y-%m-%d}")


async def ask_note(context: Context, session: AsyncSession, case: Case) -> Json:
    """What promises of the case run from or to, and the procedure does not come to by itself."""
    plan = PLAN.validate_python(case.plan)
    noteworthy = sorted(plan.milestones - BY_PROCEDURE, key=list(MILESTONES).index)
    return {"options": {"milestone": [option(name, MILESTONES[name]) for name in noteworthy]}}


ASKS: dict[str, Callable[[Context, AsyncSession, Case], Awaitable[Json]]] = {
    EXTEND.id: ask_extension,
    END_WAIT.id: ask_end_of_wait,
    NOTE.id: ask_note,
}
