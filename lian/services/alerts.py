"""Alerts: whom a promise's ladder calls, noted with the rung itself, and told in one notice per person (CLM-12).

Noting belongs to the transaction that puts the rung on record. Telling comes seconds later, so that whatever comes due
together, or is found together after an outage, reaches a person as one notice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import ColumnElement, Row, func, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor, staff_actor_id, staff_ids
from lian.auth.visibility import visible_cases
from lian.db.tables import Alert, Case, Clock, Staff, Task
from lian.domain import journal as j
from lian.domain.case_kinds import NOT_WAITED_FOR
from lian.domain.labels import Label
from lian.domain.sla import Escalation
from lian.domain.status import ClockStatus, TaskStatus
from lian.services.accounts import actor_for, have_right
from lian.services.context import Context
from lian.services.notices import Words, queue_notice
from lian.services.substitutes import substitutes_now

log = structlog.get_logger()

SETTLED = timedelta(seconds=5)
"""A person is told once nothing new was noted for them for so long,"""
AT_LAST = timedelta(minutes=1)
"""or once the first has waited so long."""
NOTICED_LATE = timedelta(minutes=2)
"""Promises of our own are looked at over a minute: only beyond that is it worth saying when we saw it."""
PEOPLE_AT_ONCE = 50
MOST_LINES = 200
LAST_DAYS = timedelta(days=3)
ONE_TELLER = 724_001
"""Advisory lock: two workers would each tell a person half of it."""
CALLS = {Escalation.NOTIFY_HOLDER, Escalation.NOTIFY_LEAD}
ENDED = (ClockStatus.MET, ClockStatus.LATE, ClockStatus.UNDECIDED, ClockStatus.CANCELLED)


# --- noting -----------------------------------------------------------------------------------------------------------


async def note_alerts(
    session: AsyncSession, case_id: UUID, event: j.ClockRungReached, *, seen_at: datetime, now: datetime
) -> None:
    """Whoever the rung calls is alerted, once."""
    if not CALLS & set(event.actions):
        return
    called = await _called(session, case_id, event.actions, now)
    if not called:
        log.warning("alert_reaches_nobody", case_id=str(case_id), clock=event.clock, rung=event.rung)
        return
    common = {
        "case_id": case_id,
        "clock": event.clock,
        "rung": event.rung,
        "reached_at": event.reached_at,
        "seen_at": seen_at,
        "noted_at": now,
    }
    rows = [common | {"id": uuid4(), "recipient": person} for person in sorted(called)]
    await session.execute(insert(Alert).values(rows).on_conflict_do_nothing(constraint="alert_once"))


async def _called(session: AsyncSession, case_id: UUID, actions: Collection[str], now: datetime) -> set[str]:
    """Actor ids. When nobody of ours holds the case's work, its leads are told instead.

    For holders who are away, whoever stands in for them is told (TSK-4); leads who are away, only where all are.
    """
    statement = select(Task).where(Task.case_id == case_id, Task.status == TaskStatus.OPEN.value)
    tasks = (await session.execute(statement)).scalars().all()
    substitutes = await substitutes_now(session, now)
    held = {task.holder for task in tasks if task.kind not in NOT_WAITED_FOR}
    holders = {substitutes.get(holder, holder) for holder in held} - {""}
    people = await _people(session, holders)
    called = {person.id for person in people if person.id in holders} if Escalation.NOTIFY_HOLDER in actions else set()
    if Escalation.NOTIFY_LEAD in actions or not called:
        present = [person for person in people if person.id not in substitutes]
        queues = {task.queue for task in tasks}
        called |= _leads(present, queues) or _leads(people, queues)
    return called


async def _people(session: AsyncSession, holders: Collection[str]) -> list[Actor]:
    """Active staff who hold work or lead. People outside are not alerted: whoever gave them the work is."""
    statement = select(Staff).where(
        col(Staff.active), have_right("task:assign") | col(Staff.id).in_(staff_ids(holders))
    )
    people = [actor_for(staff) for staff in (await session.execute(statement)).scalars()]
    return [person for person in people if person.may("case:read")]


def _leads(people: Sequence[Actor], queues: Collection[str]) -> set[str]:
    """Who may assign the case's open work; all leads when its queues are nobody's."""
    leads = [person for person in people if person.may("task:assign")]
    covering = {lead.id for lead in leads if "*" in lead.queues or not set(lead.queues).isdisjoint(queues)}
    return covering or {lead.id for lead in leads}


# --- telling ----------------------------------------------------------------------------------------------------------


async def send_alerts(context: Context) -> int:
    """Queue one notice for each person with alerts that have settled; returns for how many."""
    async with context.transaction() as session:
        if not (await session.execute(select(func.pg_try_advisory_xact_lock(ONE_TELLER)))).scalar_one():
            return 0
        people = await _waiting(session, context.now())
        for person in people:
            await _tell(context, session, person)
    return len(people)


async def _waiting(session: AsyncSession, now: datetime) -> Sequence[str]:
    first, latest = func.min(col(Alert.noted_at)), func.max(col(Alert.noted_at))
    statement = (
        select(Alert.recipient)
        .where(col(Alert.told_at).is_(None))
        .group_by(col(Alert.recipient))
        .having((latest <= now - SETTLED) | (first <= now - AT_LAST))
        .order_by(first)
        .limit(PEOPLE_AT_ONCE)
    )
    return (await session.execute(statement)).scalars().all()


async def _tell(context: Context, session: AsyncSession, person: str) -> None:
    """Everything the person has not been told of yet; for somebody who has left, it ends here."""
    rows = (await session.execute(_untold(person))).all()
    ids = sorted(row.Alert.id for row in rows)
    address = await _reach(session, person)
    if address:
        key = f"alerts:{hashlib.sha256(''.join(map(str, ids)).encode()).hexdigest()}"
        words = words_of([_promise(row) for row in _last_of_each(rows)], context.settings.zone)
        await queue_notice(context, session, key=key, case_id=None, recipient=address, words=words)
    else:
        log.warning("alerts_without_reader", recipient=person, alerts=len(ids))
    await session.execute(update(Alert).where(col(Alert.id).in_(ids)).values(told_at=context.now()))


def _untold(person: str) -> Any:
    told: tuple[Any, ...] = (Alert, Case.number, Clock.policy, Clock.status, Clock.due_at, Clock.breached_at)
    return (
        select(*told)
        .join(Case, col(Case.id) == col(Alert.case_id))
        .join(Clock, (col(Clock.case_id) == col(Alert.case_id)) & (col(Clock.clock) == col(Alert.clock)))
        .where(Alert.recipient == person, col(Alert.told_at).is_(None))
        .order_by(col(Alert.reached_at), col(Alert.id))
    )


def _last_of_each(rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Of several rungs of one promise the last says it all."""
    latest = {(row.Alert.case_id, row.Alert.clock): row for row in rows}
    return list(latest.values())


async def _reach(session: AsyncSession, person: str) -> str:
    """Where a member of staff is told: by mail when the account is named by an address, else in the outbox by id."""
    for account in staff_ids([person]):
        staff = await session.get(Staff, account)
        if staff is not None and staff.active:
            return staff.username if "@" in staff.username else staff_actor_id(staff.id)
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertedPromise:
    """A promise as a notice tells of it: how it stands now, and the alert that calls for it."""

    number: str
    label: Label
    status: str
    due_at: datetime | None
    breached_at: datetime | None
    alert: Alert


def was_seen_late(alert: Alert) -> bool:
    """Whether we saw it so much later than it happened that it must be said."""
    return alert.seen_at - alert.reached_at > NOTICED_LATE


def _promise(row: Row[Any]) -> AlertedPromise:
    return AlertedPromise(
        number=row.number,
        label=Label(**row.policy["label"]),
        status=row.status,
        due_at=row.due_at,
        breached_at=row.breached_at,
        alert=row.Alert,
    )


def words_of(promises: Sequence[AlertedPromise], zone: ZoneInfo) -> Words:
    """One notice for all of them, the earliest first. Times are the office's."""
    n, listed = len(promises), [_line(promise, zone) for promise in promises[:MOST_LINES]]
    more = Label(f"and {n - MOST_LINES} more, on your desk", f"另有 {n - MOST_LINES} 项，请见工作台")
    lines = listed + ([more] if n > MOST_LINES else [])
    body = (
        f"以下时限需要您处理（时间以 {zone.key} 为准）：",
        *(line.zh for line in lines),
        "",
        f"These promises need you (times in {zone.key}):",
        *(line.en for line in lines),
    )
    subject = f"{n} 项时限需要您处理 / {n} {'promise needs' if n == 1 else 'promises need'} you"
    return Words(subject, "\n".join(body))


def _line(promise: AlertedPromise, zone: ZoneInfo) -> Label:
    state, seen = _state(promise, zone), _local(promise.alert.seen_at, zone)
    late = Label(f", seen {seen}", f"，{seen} 发现") if was_seen_late(promise.alert) else Label("", "")
    return Label(
        f"- {promise.number} {promise.label.en}: {state.en}{late.en}",
        f"- {promise.number} {promise.label.zh}：{state.zh}{late.zh}",
    )


def _state(promise: AlertedPromise, zone: ZoneInfo) -> Label:
    ended = Label("; done meanwhile", "，现已办结") if promise.status in ENDED else Label("", "")
    if promise.breached_at:
        since = _local(promise.breached_at, zone)
        return Label(f"overdue since {since}{ended.en}", f"自 {since} 起逾期{ended.zh}")
    if promise.due_at:
        due = _local(promise.due_at, zone)
        return Label(f"due {due}{ended.en}", f"应于 {due} 前完成{ended.zh}")
    return Label(f"stands still{ended.en}", f"计时暂停{ended.zh}")


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


# --- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertSeen:
    """One's own alert, with the case and the promise as they stand now."""

    alert: Alert
    case: Case
    clock: Clock

    @property
    def label(self) -> Label:
        """The promise's name."""
        return Label(**self.clock.policy["label"])


async def list_alerts(
    context: Context, actor: Actor, *, still_open: bool = False, limit: int = 50
) -> Sequence[AlertSeen]:
    """One's own alerts of the last three days, the newest first; of several rungs of one promise the last.

    Needs `case:read`: people outside are not alerted.
    """
    actor.require("case:read")
    since = context.now() - LAST_DAYS
    own = (
        select(Alert.id)
        .where(Alert.recipient == actor.id, col(Alert.noted_at) >= since)
        .ext(distinct_on(col(Alert.case_id), col(Alert.clock)))
        .order_by(col(Alert.case_id), col(Alert.clock), col(Alert.reached_at).desc(), col(Alert.id))
    )
    statement = (
        select(Alert, Case, Clock)
        .join(Case, col(Case.id) == col(Alert.case_id))
        .join(Clock, (col(Clock.case_id) == col(Alert.case_id)) & (col(Clock.clock) == col(Alert.clock)))
        .where(col(Alert.id).in_(own), visible_cases(actor))
        .order_by(col(Alert.reached_at).desc(), col(Alert.id))
        .limit(limit)
    )
    if still_open:
        statement = statement.where(_is_running())
    async with context.transaction() as session:
        return [AlertSeen(*row) for row in (await session.execute(statement)).all()]


def _is_running() -> ColumnElement[bool]:
    return col(Clock.status).not_in([status.value for status in ENDED])
