"""Putting running cases under another calendar or pack: explicit, previewed, journaled, and only when somebody says so.

Publishing moves no running case: each keeps the plan it was opened with. Whoever applies a calendar or a pack has seen
a preview, and what is applied is what was previewed: the same version, to no other cases. Every case is told by the
outbox, one message each, so that an engine which is away is told later and nobody is told twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Case, Clock, OutboxMessage, ReplanOperation
from lian.domain.calendars import CalendarNotCovered, WorkingCalendar
from lian.domain.errors import Conflict, Invalid, NotFound
from lian.domain.plan import CasePlan
from lian.domain.sla import Verdict, due_at, verdict
from lian.domain.status import ClockStatus
from lian.services.calendar_revisions import calendars_in_force
from lian.services.context import Context
from lian.services.explaining import ledger_of, policy_of
from lian.services.pack_schema import Pack
from lian.services.packs import every_version, packs_in_force, publish
from lian.services.plan_changes import PlanChange, changed_plan
from lian.services.recording import REPLAN
from lian.services.what_if import WhatIf, affected_cases, counted

Json = dict[str, Any]
What = Literal["calendar", "pack"]
PLAN = TypeAdapter(CasePlan)
CALENDARS = TypeAdapter(dict[str, WorkingCalendar])
LONGEST_REASON = 500
PREVIEW_LIVES = timedelta(hours=1)
APART = timedelta(milliseconds=20)
"""Cases are told one after the other, so that nothing else is held up behind thousands of them."""
AT_ONCE = 1_000
LATEST = 20
ONE_AT_A_TIME = "replan"


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What applying would do. `token` is given back with the order; it is good for an hour."""

    what: What
    name: str
    version: str
    result: WhatIf
    undecided: int
    """Stopped clocks of which the calendar can now say whether they were in time."""
    token: str

    @property
    def changes_nothing(self) -> bool:
        """Whether every open case runs under this version already."""
        return not (self.result.affected_cases or self.undecided)


@dataclass(frozen=True, kw_only=True)
class OperationSeen:
    """An operation, and how many of its cases have been told so far."""

    operation: ReplanOperation
    told: int


# --- publishing -------------------------------------------------------------------------------------------------------


async def publish_pack(context: Context, actor: Actor, draft: str, *, effective_from: date, why: str) -> str:
    """Publish a pack's next version for cases received from a day on; running cases stay as they are.

    Returns the version. Needs `pack:write`; refuses as `packs.publish` does.
    """
    return await publish(context, actor, draft, effective_from=effective_from, reason=why)


# --- looking first ----------------------------------------------------------------------------------------------------


async def preview_calendar(context: Context, actor: Actor, name: str) -> Preview:
    """What it would do to put every open case under a calendar as it is in force now. Needs `clock:plan`."""
    return await _preview(context, actor, "calendar", name)


async def preview_pack(context: Context, actor: Actor, pack: str) -> Preview:
    """What it would do to put every open case under the version of a pack in force today. Needs `clock:plan`."""
    return await _preview(context, actor, "pack", pack)


async def _preview(context: Context, actor: Actor, what: What, name: str) -> Preview:
    actor.require("clock:plan")
    async with context.transaction() as session:
        change, version = await _change(context, session, what, name)
        result = await counted(context, session, actor, change)
        undecided = await _now_decided(session, change)
        token = await _token(session, what, name, version, at=context.now())
    return Preview(what=what, name=name, version=version, result=result, undecided=len(undecided), token=token)


async def _change(context: Context, session: AsyncSession, what: What, name: str) -> tuple[PlanChange, str]:
    """What is in force under this name, as a change of plans, and its version."""
    calendars = await calendars_in_force(session)
    if what == "calendar":
        if name not in calendars:
            raise NotFound("There is no calendar of this name.")
        return PlanChange(calendars={name: calendars[name]}), calendars[name].version
    packs = await packs_in_force(session, context.now().astimezone(context.settings.zone).date())
    if name not in packs:
        raise NotFound("No pack of this name is in force.")
    named = {calendar: calendars[calendar] for calendar in packs[name].calendars if calendar in calendars}
    change = PlanChange(pack=packs[name], jurisdiction=context.settings.jurisdiction, in_force=named)
    return change, packs[name].version


async def _token(session: AsyncSession, what: What, name: str, version: str, *, at: datetime) -> str:
    """Names the version that was looked at, when, and after which other operation."""
    last = (
        (await session.execute(select(ReplanOperation.id).order_by(col(ReplanOperation.at).desc()))).scalars().first()
    )
    seen = f"{at.timestamp():.6f}"
    mark = json.dumps([what, name, version, str(last), seen])
    return f"{seen}.{hashlib.sha256(mark.encode()).hexdigest()[:32]}"


async def _previewed_at(
    session: AsyncSession, token: str, what: What, name: str, version: str, now: datetime
) -> datetime:
    """When the preview was made. Raises `Conflict` unless it showed what would be applied now."""
    try:
        at = datetime.fromtimestamp(float(token.partition(".")[0] + "." + token.split(".")[1]), UTC)
    except (ValueError, IndexError, OverflowError, OSError):
        raise Invalid("Look at the preview first, then apply it.", field="token") from None
    if token != await _token(session, what, name, version, at=at):
        raise Conflict("Something was published or applied since you looked. Look at the preview again.")
    if not now - PREVIEW_LIVES <= at <= now:
        raise Conflict("The preview is more than an hour old. Look at it again.")
    return at


# --- applying ---------------------------------------------------------------------------------------------------------


async def apply_calendar(context: Context, actor: Actor, name: str, *, why: str, token: str) -> ReplanOperation:
    """Put every open case under a calendar as it was previewed, and judge what only it could decide.

    Clocks of working days, and others that roll, move with it; calendar days without roll stay. Needs `clock:plan`.
    Raises `Conflict` when the preview is out of date or nothing would change.
    """
    return await _apply(context, actor, "calendar", name, why=why, token=token)


async def recompute(context: Context, actor: Actor, pack: str, *, why: str, token: str) -> ReplanOperation:
    """Put every open case under a pack's version as it was previewed: promises may be broken from that moment.

    Promises that a case does not have are not added, used-up time is kept. Needs `clock:plan`. Raises `Conflict` when
    the preview is out of date or nothing would change.
    """
    return await _apply(context, actor, "pack", pack, why=why, token=token)


async def _apply(context: Context, actor: Actor, what: What, name: str, *, why: str, token: str) -> ReplanOperation:
    actor.require("clock:plan")
    reason, now = _reason(why), context.now()
    async with context.transaction() as session:
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(ONE_AT_A_TIME))))
        change, version = await _change(context, session, what, name)
        seen_at = await _previewed_at(session, token, what, name, version, now)
        cases = await _seen_in_preview(session, await affected_cases(session, actor, change), seen_at)
        undecided = await _now_decided(session, change)
        if not cases and not undecided:
            raise Conflict("Every open case runs under this version already.")
        operation = ReplanOperation(
            id=uuid4(),
            what=what,
            name=name,
            version=version,
            target=_target(change),
            why=reason,
            by=actor.id,
            at=now,
            cases=len(cases),
            undecided=len(undecided),
        )
        session.add(operation)
        await session.flush()
        await _tell(session, operation.id, dict.fromkeys([*cases, *undecided]), now)
    return operation


def _reason(given: str) -> str:
    why = " ".join(given.split())
    if not why:
        raise Invalid("Say why, such as the notice or decision it follows.", field="why")
    if len(why) > LONGEST_REASON:
        raise Invalid(f"The reason is longer than {LONGEST_REASON} characters.", field="why")
    return why


async def _seen_in_preview(session: AsyncSession, cases: Sequence[UUID], at: datetime) -> list[UUID]:
    """Those of the cases that were open when the preview was made; others it did not show."""
    later = select(Case.id).where(or_(col(Case.opened_at) > at, col(Case.reopened_at) > at))
    unseen = set((await session.execute(later)).scalars())
    return [case_id for case_id in cases if case_id not in unseen]


async def _tell(session: AsyncSession, operation_id: UUID, cases: dict[UUID, None], now: datetime) -> None:
    rows = [
        {
            "id": uuid4(),
            "topic": REPLAN,
            "key": key_of(operation_id, case_id),
            "payload": {"operation_id": str(operation_id), "case_id": str(case_id)},
            "created_at": now,
            "next_attempt_at": now + n * APART,
            "attempts": 0,
            "last_error": "",
        }
        for n, case_id in enumerate(cases)
    ]
    for first in range(0, len(rows), AT_ONCE):
        await session.execute(insert(OutboxMessage), rows[first : first + AT_ONCE])


def key_of(operation_id: UUID, case_id: UUID) -> str:
    """The key of the message that tells a case of an operation."""
    return f"replan:{operation_id}:{case_id}"


# --- what an operation carries ----------------------------------------------------------------------------------------


def _target(change: PlanChange) -> Json:
    return {
        "pack": change.pack.version if change.pack else "",
        "jurisdiction": change.jurisdiction,
        "calendars": CALENDARS.dump_python(dict(change.calendars), mode="json"),
        "in_force": CALENDARS.dump_python(dict(change.in_force), mode="json"),
    }


async def change_of(session: AsyncSession, operation: ReplanOperation) -> PlanChange:
    """The change as it was when the operation was ordered, whatever is in force meanwhile."""
    target = operation.target
    return PlanChange(
        pack=await _pack(session, target["pack"]) if target["pack"] else None,
        jurisdiction=target["jurisdiction"],
        calendars=CALENDARS.validate_python(target["calendars"]),
        in_force=CALENDARS.validate_python(target["in_force"]),
    )


async def _pack(session: AsyncSession, version: str) -> Pack:
    return next(pack for pack in await every_version(session) if pack.version == version)


# --- stopped clocks that nobody could judge ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    """A stopped clock of which the calendar now says whether it was in time."""

    clock: str
    due_at: datetime
    verdict: Verdict


async def _now_decided(session: AsyncSession, change: PlanChange) -> list[UUID]:
    """The cases with such clocks."""
    if not change.calendars:
        return []
    query = select(Case).where(
        col(Case.id).in_(select(Clock.case_id).where(Clock.status == ClockStatus.UNDECIDED.value))
    )
    found = list((await session.execute(query)).scalars())
    return [case.id for case in found if await judged_by(session, case, change)]


async def judged_by(session: AsyncSession, case: Case, change: PlanChange) -> list[Judged]:
    """The clocks of a case that stopped undecided and that the changed calendars can judge."""
    if case.plan is None:
        return []
    plan = changed_plan(PLAN.validate_python(case.plan), change, kind=case.kind, line=case.line)
    query = select(Clock).where(Clock.case_id == case.id, Clock.status == ClockStatus.UNDECIDED.value)
    rows = (await session.execute(query.order_by(col(Clock.clock)))).scalars()
    return [found for row in rows if (found := _judged(row, plan))]


def _judged(row: Clock, plan: CasePlan) -> Judged | None:
    policy, ledger = policy_of(row), ledger_of(row)
    calendar = plan.calendar_of(policy)
    try:
        due = due_at(policy=policy, calendar=calendar, ledger=ledger)
    except CalendarNotCovered:
        return None
    if due is None or row.stopped_at is None:
        return None
    return Judged(row.clock, due, verdict(policy=policy, calendar=calendar, ledger=ledger, now=row.stopped_at))


# --- what was done ----------------------------------------------------------------------------------------------------


async def list_operations(context: Context, actor: Actor) -> list[OperationSeen]:
    """The latest operations, the newest first, with how far each has come. Needs `clock:plan`."""
    actor.require("clock:plan")
    async with context.transaction() as session:
        query = select(ReplanOperation).order_by(col(ReplanOperation.at).desc()).limit(LATEST)
        return [
            OperationSeen(operation=one, told=await _told(session, one.id))
            for one in (await session.execute(query)).scalars()
        ]


async def _told(session: AsyncSession, operation_id: UUID) -> int:
    done = select(func.count()).where(
        OutboxMessage.topic == REPLAN,
        col(OutboxMessage.key).startswith(f"replan:{operation_id}:"),
        col(OutboxMessage.done_at).is_not(None),
    )
    return (await session.execute(done)).scalar_one()
