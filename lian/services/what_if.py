"""What if: every open promise of the house under a draft policy or calendar, compared with how it stands now (CLM-12).

Nothing is changed and nothing guessed: each clock's ledger is counted again under the case's frozen plan with the draft
put into it. Very many clocks share few plans, so a plan is read once and a clock is a row of numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import func, literal_column
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.tables import Case, Clock
from lian.domain.calendars import CalendarNotCovered, WorkingCalendar
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.plan import CasePlan, policy_id
from lian.domain.sla import instant, moment_of
from lian.domain.standing import OpenLedger, Promise, Standing, carried_over, counts_other_hours
from lian.domain.status import CaseStatus, ClockStatus
from lian.domain.timetable import FOREVER, Instant
from lian.services.calendar_reading import read_year
from lian.services.calendar_revisions import calendars_in_force, years_in_force
from lian.services.calendar_years import CalendarYear, merge
from lian.services.context import Context
from lian.services.pack_schema import Pack
from lian.services.packs import check_calendars
from lian.services.plan_changes import PlanChange, changed_plan

PLAN = TypeAdapter(CasePlan)
LISTED = 200
DAYS_AHEAD = 60
AT_ONCE = 2_000
"""Clocks counted before somebody else has a turn: some hundredths of a second."""


@dataclass(frozen=True, slots=True)
class Move:
    """One promise that would stand otherwise, or fall due at another time. Due: none while that is not known."""

    number: str
    kind: str
    clock: str
    label: Label
    before: Standing
    after: Standing
    due_before: datetime | None
    due_after: datetime | None


@dataclass(frozen=True, slots=True)
class DayLoad:
    """How many promises fall due on one date of the office, as it is and as it would be."""

    day: date
    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """Every open promise, as it is and as it would be.

    `becomes` counts those that would stand otherwise, by how; `moved` those that would fall due at another time.
    `moves` lists both, the worst first, of cases that the reader may see; `listed_of` says how many there are.
    """

    as_of: datetime
    clocks: int
    cases: int
    affected_cases: int
    """Open cases whose plan would be another one, whether or not a deadline moves."""
    before: Mapping[Standing, int]
    after: Mapping[Standing, int]
    becomes: Mapping[Standing, int]
    moved: int
    sooner: int
    later: int
    moves: tuple[Move, ...]
    listed_of: int
    load: tuple[DayLoad, ...]
    unknown: int = 0
    """Clocks that their case's plan does not know: left as they are."""


async def what_if(
    context: Context,
    actor: Actor,
    *,
    policy: Pack | None = None,
    calendar: CalendarYear | Mapping[str, Any] | None = None,
    limit: int | None = LISTED,
) -> WhatIf:
    """How every open promise would stand under a draft pack, a draft year of a calendar, or both. Needs `clock:plan`.

    Raises `Invalid` for nothing to look at or a year that does not fit its calendar, `BadPack` for a pack that names a
    calendar there is not.
    """
    actor.require("clock:plan")
    if policy is None and calendar is None:
        raise Invalid("Give a draft of a pack, of a calendar's year, or both.", field="policy")
    async with context.transaction() as session:
        in_force = await calendars_in_force(session)
        drafted = await _drafted(session, calendar) if calendar is not None else {}
        if policy:
            check_calendars(policy, {*in_force, *drafted})
        change = PlanChange(
            pack=policy,
            jurisdiction=context.settings.jurisdiction,
            calendars=drafted,
            in_force={**in_force, **drafted},
        )
        return await counted(context, session, actor, change, limit=limit)


async def _drafted(session: AsyncSession, draft: CalendarYear | Mapping[str, Any]) -> dict[str, WorkingCalendar]:
    """The whole calendar with the drafted year in it."""
    year = draft if isinstance(draft, CalendarYear) else read_year(draft)
    years = await years_in_force(session)
    others = [other.data for (name, n), other in years.items() if name == year.name and n != year.year]
    return {year.name: merge([*others, year])}


# --- counting ---------------------------------------------------------------------------------------------------------


async def counted(
    context: Context, session: AsyncSession, actor: Actor, change: PlanChange, *, limit: int | None = LISTED
) -> WhatIf:
    """Compare every open promise with itself under a change."""
    now = context.now()
    cases = await _open_cases(session, actor, change)
    tally = _Tally(instant(now), _midnights(now, context.settings.zone))
    async for rows in read_clocks(session):
        for row in rows:
            tally.add(cases.get(row[0]), row)
    affected = sum(case.plans.is_changed for case in cases.values())
    return tally.result(now, context.settings.zone, cases=len(cases), affected=affected, limit=limit)


async def affected_cases(session: AsyncSession, actor: Actor, change: PlanChange) -> list[UUID]:
    """The open cases whose plan would be another one, whether or not a deadline moves."""
    return [case_id for case_id, case in (await _open_cases(session, actor, change)).items() if case.plans.is_changed]


@dataclass(slots=True)
class _Plans:
    """A frozen plan and the changed one, with what became of each promise, worked out when first asked for."""

    before: CasePlan
    after: CasePlan
    is_changed: bool = field(init=False)
    _pairs: dict[str, _Pair | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.is_changed = self.before != self.after

    def pair(self, clock: str) -> _Pair | None:
        """Before and after of one clock's promise; none when the plan does not know it."""
        if clock not in self._pairs:
            is_known = policy_id(clock) in self.before.clocks
            self._pairs[clock] = _pair(self.before, self.after, clock) if is_known else None
        return self._pairs[clock]


@dataclass(frozen=True, slots=True)
class _Pair:
    before: Promise
    after: Promise
    is_same: bool
    counts_other_hours: bool


def _pair(before: CasePlan, after: CasePlan, clock: str) -> _Pair:
    old, new = before.clock(clock), after.clock(clock)
    was, becomes = Promise(old, before.calendar_of(old)), Promise(new, after.calendar_of(new))
    return _Pair(was, becomes, was == becomes, counts_other_hours(was, becomes))


@dataclass(frozen=True, slots=True)
class _OpenCase:
    number: str
    kind: str
    is_visible: bool
    plans: _Plans


async def _open_cases(session: AsyncSession, actor: Actor, change: PlanChange) -> dict[UUID, _OpenCase]:
    rows = await read_cases(session, actor)
    samples = {row[4]: row[0] for row in rows}
    stored = await session.execute(select(col(Case.id), col(Case.plan)).where(col(Case.id).in_(samples.values())))
    frozen: dict[UUID, Any] = {row[0]: row[1] for row in stored}
    read = {mark: PLAN.validate_python(frozen[case_id]) for mark, case_id in samples.items()}
    plans: dict[tuple[str, str, str], _Plans] = {}
    found = {}
    for case_id, number, kind, line, mark, is_visible in rows:
        key = (mark, kind, line)
        if key not in plans:
            plans[key] = _Plans(read[mark], changed_plan(read[mark], change, kind=kind, line=line))
        found[case_id] = _OpenCase(number, kind, bool(is_visible), plans[key])
    return found


async def read_cases(session: AsyncSession, actor: Actor) -> Sequence[Any]:
    """Of every open case its id, number, kind, line, the hash of its plan, and whether it is the actor's to see."""
    # The hash stands for the plan, which is long: 40,000 cases have a few dozen different ones. Postgres' own hash of
    # 64 bits takes a third of the time of md5 over the text. Plans differ in the versions they quote, so that two would
    # meet by chance only.
    mark = func.jsonb_hash_extended(Case.plan, 0)
    columns = (col(Case.id), col(Case.number), col(Case.kind), col(Case.line), mark)
    query = select(*columns, visible_cases(actor)).where(  # type: ignore[call-overload]
        Case.status == CaseStatus.OPEN.value, col(Case.plan).is_not(None)
    )
    return (await (await session.connection()).execute(query)).all()


MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"
PAUSES = (  # our own words and a number, nothing given
    "CASE WHEN clocks.pauses = '[]'::jsonb THEN NULL ELSE (SELECT string_agg("  # noqa: S608
    + MICROSECONDS.format("(p->>'from_at')::timestamptz")
    + " || ' ' || coalesce("
    + MICROSECONDS.format("(p->>'to_at')::timestamptz")
    + f", {FOREVER}), ' ') FROM jsonb_array_elements(clocks.pauses) AS p) END"
)


async def read_clocks(session: AsyncSession) -> AsyncIterator[Sequence[Any]]:
    """Case, name and ledger of every clock that has not ended, as numbers, some at a time."""
    query = select(  # type: ignore[call-overload]
        col(Clock.case_id),
        col(Clock.clock),
        literal_column(MICROSECONDS.format("clocks.started_at")),
        literal_column(PAUSES),
        col(Clock.extended),
        literal_column(MICROSECONDS.format("clocks.rebased_at")),
        col(Clock.consumed_seconds),
    ).where(col(Clock.stopped_at).is_(None), Clock.status != ClockStatus.CANCELLED.value)
    # Past the mapper, which would look at every row: there is no object in it.
    connection = await session.connection()
    stream = await connection.stream(query, execution_options={"yield_per": AT_ONCE})
    async for rows in stream.partitions():
        yield rows


def _ledger(row: Any) -> OpenLedger:
    _, _, started, pauses, extended, rebased, consumed = row
    if pauses is None and not extended and rebased is None:
        return OpenLedger(started)
    edges = [int(edge) for edge in pauses.split(" ")] if pauses else []
    return OpenLedger(
        started, tuple(zip(edges[::2], edges[1::2], strict=True)), extended, rebased, round(consumed * 1_000_000)
    )


BECOMES = (Standing.BREACHED, Standing.AT_RISK, Standing.NOT_COVERED, Standing.PAUSED, Standing.RUNNING)
"""The worst first."""
_Found = tuple[int, int, str, str, str, Label, Standing, Standing, Instant | None, Instant | None]


@dataclass(slots=True)
class _Tally:
    """What was found so far."""

    now: Instant
    midnights: list[Instant]
    clocks: int = 0
    unknown: int = 0
    before: Counter[Standing] = field(default_factory=Counter)
    after: Counter[Standing] = field(default_factory=Counter)
    becomes: Counter[Standing] = field(default_factory=Counter)
    sooner: int = 0
    later: int = 0
    found: list[_Found] = field(default_factory=list)
    load_before: Counter[int] = field(default_factory=Counter)
    load_after: Counter[int] = field(default_factory=Counter)

    def add(self, case: _OpenCase | None, row: Any) -> None:
        """One more clock; that of a case which opened a moment ago is left out."""
        if case is None:
            return
        pair = case.plans.pair(row[1])
        if pair is None:
            self.unknown += 1
            return
        ledger = _ledger(row)
        was, due = pair.before.stand(ledger, self.now)
        becomes, new_due = (was, due) if pair.is_same else self._after(pair, ledger)
        self._count(was, due, becomes, new_due)
        if (was, due) != (becomes, new_due):
            self._note(case, row[1], pair.after.policy.label, was, becomes, due, new_due)

    def _after(self, pair: _Pair, ledger: OpenLedger) -> tuple[Standing, Instant | None]:
        if pair.counts_other_hours:
            try:
                ledger = carried_over(pair.before, ledger, self.now)
            except CalendarNotCovered:
                return Standing.NOT_COVERED, None
        return pair.after.stand(ledger, self.now)

    def _count(self, was: Standing, due: Instant | None, becomes: Standing, new_due: Instant | None) -> None:
        self.clocks += 1
        self.before[was] += 1
        self.after[becomes] += 1
        if due is not None:
            self.load_before[bisect_right(self.midnights, due - 1)] += 1
        if new_due is not None:
            self.load_after[bisect_right(self.midnights, new_due - 1)] += 1

    def _note(
        self,
        case: _OpenCase,
        clock: str,
        label: Label,
        was: Standing,
        becomes: Standing,
        due: Instant | None,
        new_due: Instant | None,
    ) -> None:
        if was is not becomes:
            self.becomes[becomes] += 1
        if due is not None and new_due is not None and due != new_due:
            self.sooner += new_due < due
            self.later += new_due > due
        if case.is_visible:
            rank = BECOMES.index(becomes) if was is not becomes else len(BECOMES)
            self.found.append(
                (rank, new_due or due or 0, case.number, case.kind, clock, label, was, becomes, due, new_due)
            )

    def result(self, now: datetime, zone: ZoneInfo, *, cases: int, affected: int, limit: int | None) -> WhatIf:
        """The whole comparison."""
        self.found.sort(key=lambda one: one[:5])
        today = now.astimezone(zone).date()
        return WhatIf(
            as_of=now,
            clocks=self.clocks,
            cases=cases,
            affected_cases=affected,
            before={one: self.before[one] for one in Standing},
            after={one: self.after[one] for one in Standing},
            becomes={one: self.becomes[one] for one in BECOMES},
            moved=self.sooner + self.later,
            sooner=self.sooner,
            later=self.later,
            moves=tuple(_move(one) for one in self.found[:limit]),
            listed_of=len(self.found),
            load=tuple(
                DayLoad(today + timedelta(days=n), self.load_before[n + 1], self.load_after[n + 1])
                for n in range(DAYS_AHEAD)
            ),
            unknown=self.unknown,
        )


def _move(found: _Found) -> Move:
    _, _, number, kind, clock, label, was, becomes, due, new_due = found
    return Move(number, kind, clock, label, was, becomes, _time(due), _time(new_due))


def _time(at: Instant | None) -> datetime | None:
    return None if at is None else moment_of(at)


def _midnights(now: datetime, zone: ZoneInfo) -> list[Instant]:
    """When the office's dates begin, from today on; set in its zone, so that a day of 23 hours is one."""
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=n) for n in range(DAYS_AHEAD + 1))
    return [instant(datetime(day.year, day.month, day.day, tzinfo=zone)) for day in days]
