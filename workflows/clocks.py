"""The clocks of one case: which promises run, and when the next one must be looked at (idea 3).

Pure state and arithmetic over `CaseState.clocks`; what happened is told through `record`. Deterministic.

The procedure only says which milestone it has come to: which clocks start, stop, end without a verdict or begin afresh
there is the plan's business, so that another pack of promises needs no other procedure.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import TypeAdapter

from lian.domain import journal as j
from lian.domain.calendars import CalendarNotCovered, WorkingCalendar
from lian.domain.case_kind import CaseKind
from lian.domain.messages import CaseState, ClockRun
from lian.domain.plan import CasePlan, policy_id
from lian.domain.sla import (
    ClockPolicy,
    Escalation,
    Pause,
    Rebase,
    Rung,
    Unit,
    Verdict,
    consumed,
    due_at,
    reached_at,
    verdict,
    warn_at,
)

POLICY = TypeAdapter(ClockPolicy)
JUST_LATER = timedelta(seconds=1)
"""Acting at exactly the due instant is on time, so a breach is looked for a moment later."""
SPREAD_SECONDS = 60
"""Promises of our own that fall due together are looked at over a minute, so that people's commands are not held up."""


class ClockBook:
    """All clocks of a case, kept in its state so that they survive continue-as-new."""

    def __init__(
        self,
        state: CaseState,
        kind: CaseKind,
        *,
        record: Callable[[j.Event], int],
        now: Callable[[], datetime],
        ask_why_late: Callable[[str], None],
    ) -> None:
        self._state = state
        self._kind = kind
        self._record = record
        self._now = now
        self._ask_why_late = ask_why_late
        self._passed_over: frozenset[str] = frozenset()
        self._times: dict[str, tuple[object, tuple[tuple[Rung, datetime], ...]]] = {}

    @property
    def running(self) -> dict[str, ClockRun]:
        """Clocks that have not stopped, by name."""
        return self._state.clocks

    @property
    def words(self) -> set[str]:
        """The milestones that promises of the plan run from or to."""
        return set().union(*(self._as_defined(policy).milestones for policy in self._state.plan.clocks.values()))

    # --- the procedure ------------------------------------------------------------------------------------------------

    def reach(self, milestone: str, at: datetime) -> None:
        """The procedure has come to a milestone at `at`, which may lie in the past; a second time counts anew.

        One that no promise of the plan runs from or to is not worth a word in the journal.
        """
        self._state.milestones[milestone] = at
        if milestone not in self.words:
            return
        self._record(j.MilestoneReached(milestone=milestone, reached_at=at))
        for name in [n for n in self.running if milestone in self._stops_on(n)]:
            self._stop_or_begin_again(name, at)
        for name in [n for n in self.running if milestone in self._policy(n).cancels_on]:
            self.cancel(name)
        for name in [n for n in self.running if milestone in self._policy(n).restarts_on]:
            self.begin_afresh(name, at)
        for policy in self._state.plan.clocks.values():
            if self._starts_on(policy) == milestone:
                self._start_if_promised(policy, at, over=self._passed_over)

    def grade(self, grade: str) -> None:
        """The case is of this grade: its promises run from their milestone, those of another grade no longer apply."""
        if grade == self._state.grade:
            return
        self._state.grade = grade
        self._record(j.CaseGraded(grade=grade))
        for name in [n for n in self.running if self._grade_of(self._policy(n)) not in {"", grade}]:
            self.cancel(name)
        for policy in self._state.plan.clocks.values():
            since = self._since(self._starts_on(policy))
            if self._grade_of(policy) == grade and since is not None:
                reached = {name for name, at in self._state.milestones.items() if at >= since}
                self._start_if_promised(policy, since, over=self._passed_over | reached)

    def pass_over(self, *milestones: str) -> None:
        """A later life of the case has these behind it: what was promised until then is not promised again."""
        self._passed_over = frozenset(milestones)

    def _since(self, milestone: str) -> datetime | None:
        """When it was reached; a history that the first release began says so of the receipt only."""
        receipt = self._state.received_at if milestone == "received" and self._state.done else None
        return self._state.milestones.get(milestone, receipt)

    def _start_if_promised(self, policy: ClockPolicy, at: datetime, *, over: frozenset[str]) -> None:
        """Start it unless it runs already, is another grade's, or what it promises was done already."""
        ends = self._ends_of(policy)
        is_running = any(policy_id(name) == policy.id for name in self.running)
        if self._grade_of(policy) in {"", self._state.grade} and not is_running and not ends & over:
            self.start(self._next_name(policy), at)

    def _stop_or_begin_again(self, name: str, at: datetime) -> None:
        policy = self._policy(name)
        self.stop(name, at)
        if policy.recurring:
            self.start(self._next_name(policy), at)

    # --- the six conditions -------------------------------------------------------------------------------------------

    def start(self, name: str, at: datetime) -> None:
        """A promise begins to run at `at`, which may lie in the past: then it may be broken from the first moment."""
        self.running[name] = run = ClockRun(started_at=at)
        policy = self._policy(name)
        self._record(
            j.ClockStarted(
                clock=name,
                started_at=at,
                policy=POLICY.dump_python(policy, mode="json"),
                due_at=self.due(name, run),
                warn_at=self.warn(name, run),
                calendar=self._calendar(policy).version,
            )
        )

    def restart(self, name: str, at: datetime) -> None:
        """The promise has run from `at`: the start on record was wrong (a correction)."""
        run = self.running[name]
        run.started_at = at
        self._record_restart(name, run, "correction")
        self._reconsider(name, run)

    def begin_afresh(self, name: str, at: datetime) -> None:
        """New facts give the promise its full period again."""
        self.running[name] = run = ClockRun(started_at=at)
        self._record_restart(name, run, "new_facts")

    def stop(self, name: str, at: datetime) -> None:
        """What was promised was done at `at`. The verdict is frozen with it; a clock not running is left alone."""
        run = self.running.pop(name, None)
        if run is None:
            return
        policy = self._policy(name)
        self._resume_all(name, run, at)
        ledger = replace(run.ledger, stopped_at=at)
        found = verdict(policy=policy, calendar=self._calendar(policy), ledger=ledger, now=at)
        if found is Verdict.BREACHED and not run.breached:
            due = due_at(policy=policy, calendar=self._calendar(policy), ledger=ledger)
            assert due is not None
            self._breach(name, run, due)
        if found is not Verdict.BREACHED:
            # What was done in time is put on record later than it was done.
            self._reconsider(name, run)
        self._record(j.ClockStopped(clock=name, stopped_at=at, verdict=found))

    def cancel(self, name: str) -> None:
        """This promise no longer applies."""
        self._resume_all(name, self.running.pop(name), self._now())
        self._record(j.ClockCancelled(clock=name))

    def cancel_all(self) -> None:
        """No promise of this case applies any longer."""
        for name in list(self.running):
            self.cancel(name)

    def pausable(self, reason: str) -> list[str]:
        """The promises that wait while a request of this kind stands open."""
        return [
            name for name, run in self.running.items() if self._policy(name).pauses_for(reason) and not run.breached
        ]

    def pause(self, names: Collection[str], request_id: UUID, at: datetime) -> None:
        """These promises wait for a named request since `at`: the transaction that delivered it put that on record."""
        for name in names:
            run = self.running[name]
            run.pauses = (*run.pauses, Pause(str(request_id), at, None))

    def pause_since(self, reason: str, request_id: UUID, at: datetime) -> None:
        """What waits for this kind of request has done so since `at`, which may lie in the past."""
        for name in [n for n in self.running if self._policy(n).pauses_for(reason)]:
            run = self.running[name]
            due = self.due(name, run)
            if due is None or due > at:
                self.pause([name], request_id, at)
                self._reconsider(name, run)
                self._record(j.ClockPaused(clock=name, request_id=request_id, paused_at=at))

    def resume(self, request_id: UUID, at: datetime) -> None:
        """The request ended at `at`: whatever waited for it runs on from there."""
        for name, run in self.running.items():
            if any(p.request_id == str(request_id) and p.to_at is None for p in run.pauses):
                self._resume(name, run, request_id, at)

    def _resume(self, name: str, run: ClockRun, request_id: UUID, at: datetime) -> None:
        run.pauses = tuple(_closed(p, str(request_id), at) for p in run.pauses)
        due, warn = self.due(name, run), self.warn(name, run)
        self._record(j.ClockResumed(clock=name, request_id=request_id, resumed_at=at, due_at=due, warn_at=warn))

    def _resume_all(self, name: str, run: ClockRun, at: datetime) -> None:
        """A clock that ends waits for nothing any longer."""
        for request_id in [p.request_id for p in run.pauses if p.to_at is None]:
            self._resume(name, run, UUID(request_id), at)

    def extend(self, name: str, amount: int, *, asked_by: str, approved_by: str) -> None:
        """The promise has so much more of its unit."""
        run = self.running[name]
        run.extended += amount
        due, warn = self.due(name, run), self.warn(name, run)
        extended = j.ClockExtended(
            clock=name, amount=amount, asked_by=asked_by, approved_by=approved_by, due_at=due, warn_at=warn
        )
        self._record(extended)
        self._reconsider(name, run)

    # --- another plan -------------------------------------------------------------------------------------------------

    def replan(self, plan: CasePlan, at: datetime) -> None:
        """Every running promise follows this plan from now on; used-up time is kept, and the rest counted anew.

        A promise the new plan does not know keeps its policy: what was promised is not taken back.
        """
        before = self._state.plan
        self._state.plan = replace(plan, clocks=before.clocks | plan.clocks)
        for name, run in self.running.items():
            old, new = before.clock(name), self._policy(name)
            old_calendar, calendar = before.calendar_of(old), self._calendar(new)
            if (old, old_calendar) == (new, calendar):
                continue
            if new.unit is Unit.HOURS and old.unit is Unit.HOURS and _hours(old, old_calendar) != _hours(new, calendar):
                run.rebased = _kept(old, old_calendar, run, at) or run.rebased
            if not new.pausable:
                self._resume_all(name, run, at)
            self._record(
                j.ClockRebased(
                    clock=name,
                    policy=POLICY.dump_python(new, mode="json"),
                    calendar=calendar.version,
                    due_at=self.due(name, run),
                    warn_at=self.warn(name, run),
                    rebased_at=run.rebased.at if run.rebased else None,
                    consumed=run.rebased.consumed.total_seconds() if run.rebased else 0.0,
                )
            )
            self._reconsider(name, run)

    # --- deadlines ----------------------------------------------------------------------------------------------------

    def next_at(self) -> datetime | None:
        """The next instant at which a clock must be looked at."""
        return min((at for name, run in self.running.items() if (at := self._next(name, run))), default=None)

    def look(self, now: datetime) -> None:
        """Say what has come due, each rung once, a breach at its legal instant.

        A promise that is broken already when it is first looked at is told as broken, and its warnings are passed over.
        """
        for name, run in self.running.items():
            due = self.due(name, run)
            if due and now > due and not run.breached:
                self._breach(name, run, due)
            for rung, at in self._open_rungs(name, run):
                if now >= at and (rung.percent < 100 or now > at):
                    self._climb(name, run, rung, at)

    def due(self, name: str, run: ClockRun) -> datetime | None:
        """When the promise falls due; none while it is paused, or its year's calendar is not published."""
        policy = self._policy(name)
        try:
            return due_at(policy=policy, calendar=self._calendar(policy), ledger=run.ledger)
        except CalendarNotCovered:
            return None

    def warn(self, name: str, run: ClockRun) -> datetime | None:
        """When to warn; none while it is paused, or its year's calendar is not published."""
        policy = self._policy(name)
        try:
            return warn_at(policy=policy, calendar=self._calendar(policy), ledger=run.ledger)
        except CalendarNotCovered:
            return None

    def _open_rungs(self, name: str, run: ClockRun) -> list[tuple[Rung, datetime]]:
        """The rungs still to come, with their instants; of a broken promise only those after its deadline."""
        skips = run.breached or run.warned
        times = self._rung_times(name, run)
        return [(r, at) for r, at in times if r.id not in run.climbed and not (skips and r.percent < 100)]

    def _rung_times(self, name: str, run: ClockRun) -> tuple[tuple[Rung, datetime], ...]:
        """When each rung is reached, kept until something about the clock changes: asked at every step of the case."""
        policy = self._policy(name)
        calendar = self._calendar(policy)
        known = (run.ledger, policy, calendar.version)
        if name not in self._times or self._times[name][0] != known:
            found = ((rung, self._reached(policy, calendar, run, rung)) for rung in policy.ladder)
            self._times[name] = (known, tuple((rung, at) for rung, at in found if at is not None))
        return self._times[name][1]

    def _reached(self, policy: ClockPolicy, calendar: WorkingCalendar, run: ClockRun, rung: Rung) -> datetime | None:
        try:
            return reached_at(policy=policy, calendar=calendar, ledger=run.ledger, rung=rung)
        except CalendarNotCovered:
            return None

    def _climb(self, name: str, run: ClockRun, rung: Rung, at: datetime) -> None:
        run.climbed.append(rung.id)
        self._record(j.ClockRungReached(clock=name, rung=rung.id, reached_at=at, actions=rung.actions))
        if Escalation.ASK_WHY_LATE in rung.actions:
            self._ask_why_late(name)

    def _breach(self, name: str, run: ClockRun, due: datetime) -> None:
        run.breached = True
        self._record(j.ClockBreached(clock=name, legal_at=due))
        for rung in self._policy(name).ladder:
            if rung.percent == 100 and not rung.days_after:
                self._climb(name, run, rung, due)

    def _reconsider(self, name: str, run: ClockRun) -> None:
        """The deadline of a broken promise has moved: perhaps it is not broken after all; the next look will tell."""
        if not run.breached:
            return
        run.breached = False
        run.climbed = [rung for rung in run.climbed if rung.endswith("%")]
        self._record(j.ClockBreachWithdrawn(clock=name, due_at=self.due(name, run), warn_at=self.warn(name, run)))

    def _next(self, name: str, run: ClockRun) -> datetime | None:
        policy = self._policy(name)
        times = [at + (JUST_LATER if rung.percent == 100 else timedelta(0)) for rung, at in self._open_rungs(name, run)]
        return min(times) + self._spread(name, policy) if times else None

    def _spread(self, name: str, policy: ClockPolicy) -> timedelta:
        """The same for a clock always; never of a deadline by law."""
        if policy.statutory or not policy.rungs:
            return timedelta(0)
        return timedelta(seconds=zlib.crc32(f"{self._state.case_id}/{name}".encode()) % SPREAD_SECONDS)

    # --- what a policy says -------------------------------------------------------------------------------------------

    def _policy(self, name: str) -> ClockPolicy:
        return self._state.plan.clock(name)

    def _calendar(self, policy: ClockPolicy) -> WorkingCalendar:
        return self._state.plan.calendar_of(policy)

    def _next_name(self, policy: ClockPolicy) -> str:
        """Each start of a promise is a clock of its own; so are those of a reopened case, beside the old ones."""
        self._state.started[policy.id] = n = self._state.started.get(policy.id, 0) + 1
        life = "" if self._state.generation == 1 else f"#{self._state.generation}"
        return f"{policy.id}{life}" if n == 1 else f"{policy.id}{life}@{n}"

    def _as_defined(self, policy: ClockPolicy) -> ClockPolicy:
        """A plan frozen before packs says nothing of milestones; the kind's own definition does."""
        return policy if policy.starts_on else next((p for p in self._kind.clocks if p.id == policy.id), policy)

    def _starts_on(self, policy: ClockPolicy) -> str:
        return self._as_defined(policy).starts_on or "received"

    def _grade_of(self, policy: ClockPolicy) -> str:
        return self._as_defined(policy).grade

    def _ends_of(self, policy: ClockPolicy) -> frozenset[str]:
        return frozenset(self._as_defined(policy).stops_on)

    def _stops_on(self, name: str) -> frozenset[str]:
        return self._ends_of(self._policy(name))

    def _record_restart(self, name: str, run: ClockRun, why: str) -> None:
        due, warn = self.due(name, run), self.warn(name, run)
        self._record(j.ClockRestarted(clock=name, started_at=run.started_at, due_at=due, warn_at=warn, why=why))


def _hours(policy: ClockPolicy, calendar: WorkingCalendar) -> tuple[str, object]:
    """What an hour is in a calendar: another holiday is not another hour."""
    return policy.calendar, calendar.sessions


def _kept(policy: ClockPolicy, calendar: WorkingCalendar, run: ClockRun, at: datetime) -> Rebase | None:
    """What was used up by the old hours; none beyond their published calendar, where nobody can tell."""
    try:
        used = consumed(policy=policy, calendar=calendar, ledger=run.ledger, at=at)
    except CalendarNotCovered:
        return None
    return Rebase(max(at, run.started_at), used)


def _closed(pause: Pause, request_id: str, at: datetime) -> Pause:
    return replace(pause, to_at=at) if pause.request_id == request_id and pause.to_at is None else pause
