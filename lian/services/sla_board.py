"""Operations: how the promises stand, each number with the list behind it (CLM-12; SVC-4 in part)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Executable, Select, Text, and_, cast, func, or_
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.tables import Case, Clock
from lian.domain.case_kinds import KINDS
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.services.context import Context
from lian.services.reading_clocks import clock_label

STATES = ("running", "at_risk", "breached", "paused")
PROMISE: ColumnElement[str] = func.split_part(func.split_part(Clock.clock, "#", 1), "@", 1)
"""The promise behind a clock, as `lian.domain.plan.policy_id` tells it."""
LABEL = cast(col(Clock.policy)["label"], Text)
"""Its words as they were frozen with it."""


@dataclass(frozen=True, slots=True)
class BoardRow:
    """Running promises of one kind and clock, by state."""

    kind: str
    clock: str
    label: Label
    running: int
    at_risk: int
    breached: int
    paused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The board at one moment, with cases by step and what falls due in the next 4, 8 and 24 hours."""

    as_of: datetime
    open_cases: int
    rows: tuple[BoardRow, ...]
    due_within: dict[int, int]
    by_step: tuple[tuple[str, str, Label, int, int], ...]
    """Kind, stage, words, open cases, and how many of them have a broken promise."""
    met: int
    late: int

    def total(self, state: str) -> int:
        """All promises in one state."""
        return sum(getattr(row, state) for row in self.rows)


def _is(state: str, now: datetime) -> ColumnElement[bool]:
    """The condition of one state: computed from due and warning instants, never from a stored flag (idea 3)."""
    open_ = and_(col(Clock.stopped_at).is_(None), col(Clock.status) != "cancelled")
    late = and_(open_, col(Clock.due_at) < now)
    risky = and_(open_, col(Clock.due_at) >= now, col(Clock.warn_at) <= now)
    paused = and_(open_, col(Clock.status) == "paused")
    in_time = and_(col(Clock.due_at) >= now, or_(col(Clock.warn_at).is_(None), col(Clock.warn_at) > now))
    # Without a deadline it runs all the same: the calendar of that year is not published yet.
    running = and_(open_, or_(in_time, and_(col(Clock.due_at).is_(None), col(Clock.status) == "running")))
    return {"running": running, "at_risk": risky, "breached": late, "paused": paused}[state]


async def board(context: Context, actor: Actor) -> Board:
    """The board as the actor may see it."""
    actor.require("sla:read")
    now = context.now()
    async with context.transaction() as session:
        counts = [func.count().filter(_is(state, now)) for state in STATES]
        ends = [func.count().filter(col(Clock.status) == "met"), func.count().filter(col(Clock.status) == "late")]
        statement = (
            select(Case.kind, PROMISE.label("promise"), func.max(LABEL), *counts, *ends)
            .join(Case, col(Case.id) == col(Clock.case_id))
            .where(visible_cases(actor))
            # By its name: written out twice, the bound parameters would make it two expressions for Postgres.
            .group_by(col(Case.kind), "promise")
            .order_by("promise")
        )
        found: dict[tuple[str, str], tuple[Any, ...]]
        found = {(row[0], row[1]): tuple(row[2:]) for row in await session.execute(statement)}
        due = {hours: (await session.execute(_count_due(actor, now, hours))).scalar_one() for hours in (4, 8, 24)}
        steps = {(k, s): (n, bad) for k, s, n, bad in (await session.execute(_steps(actor, now)))}
    by_step = tuple(
        (kind.id, stage.id, stage.label, *steps[kind.id, stage.id])
        for kind in KINDS.values()
        for stage in kind.stages
        if (kind.id, stage.id) in steps
    )
    return Board(
        as_of=now,
        open_cases=sum(n for n, _ in steps.values()),
        rows=_rows(found),
        due_within=due,
        by_step=by_step,
        met=sum(values[5] for values in found.values()),
        late=sum(values[6] for values in found.values()),
    )


def _rows(found: Mapping[tuple[str, str], Sequence[Any]]) -> tuple[BoardRow, ...]:
    """The promises of every kind's definition, and after them those that only packs know."""
    defined = {(kind.id, policy.id): policy.label for kind in KINDS.values() for policy in kind.clocks}
    frozen = {key: _label(values[0]) for key, values in found.items() if values[0]}
    labels = {key: Label(key[1], key[1]) for key in found} | defined | frozen
    order = [*KINDS]
    keys = sorted(labels, key=lambda key: order.index(key[0]))
    return tuple(BoardRow(*key, labels[key], *(found[key][1:5] if key in found else (0,) * 4)) for key in keys)


def _label(stored: str) -> Label:
    return Label(**json.loads(stored))


async def promise_labels(context: Context, actor: Actor) -> dict[str, Label]:
    """Every promise by its id: those of the kinds' definitions, and those of the cases the actor may see."""
    actor.require("sla:read")
    statement = (
        select(PROMISE.label("promise"), func.max(LABEL))
        .join(Case, col(Case.id) == col(Clock.case_id))
        .where(visible_cases(actor))
        .group_by("promise")
        .order_by("promise")
    )
    async with context.transaction() as session:
        found = {promise: _label(label) for promise, label in await session.execute(statement) if label}
    return {policy.id: policy.label for kind in KINDS.values() for policy in kind.clocks} | found


def _count_due(actor: Actor, now: datetime, hours: int) -> Select[Any]:
    joined = select(func.count()).select_from(Clock).join(Case, col(Case.id) == col(Clock.case_id))
    return joined.where(_due_soon(now, hours), visible_cases(actor))


def _due_soon(now: datetime, hours: int) -> ColumnElement[bool]:
    open_ = and_(col(Clock.stopped_at).is_(None), col(Clock.status) != "cancelled")
    return and_(open_, col(Clock.due_at) >= now, col(Clock.due_at) < now + timedelta(hours=hours))


def _steps(actor: Actor, now: datetime) -> Executable:
    broken = select(Clock.case_id).where(Clock.case_id == Case.id, _is("breached", now)).exists()
    return (
        select(Case.kind, Case.stage, func.count(), func.count().filter(broken))
        .where(Case.status == "open", visible_cases(actor))
        .group_by(col(Case.kind), col(Case.stage))
    )


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of the list behind a number."""

    case: Case
    clock: Clock
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseQuery:
    """Filters of the list; empty means any. `within_hours` leaves what falls due in that time from now."""

    state: str = ""
    clock: str = ""
    stage: str = ""
    within_hours: int = 0
    offset: int = 0
    limit: int = 100


async def promises(context: Context, actor: Actor, query: PromiseQuery) -> Sequence[Promise]:
    """The exact list behind a number of the board, soonest first."""
    actor.require("sla:read")
    if query.state not in STATES and not (query.within_hours and not query.state):
        raise Invalid("A promise is running, at_risk, breached or paused.", field="state")
    now = context.now()
    statement = select(Clock, Case).join(Case, col(Case.id) == col(Clock.case_id)).where(visible_cases(actor))
    if query.state:
        statement = statement.where(_is(query.state, now))
    if query.within_hours:
        statement = statement.where(_due_soon(now, query.within_hours))
    if query.clock:
        statement = statement.where(PROMISE.in_((query.clock,)))
    if query.stage:
        statement = statement.where(Case.stage == query.stage)
    statement = statement.order_by(col(Clock.due_at), col(Clock.case_id), col(Clock.clock))
    statement = statement.offset(query.offset).limit(query.limit)
    async with context.transaction() as session:
        rows = (await session.execute(statement)).all()
    return [Promise(case, clock, clock_label(clock)) for clock, case in rows]
