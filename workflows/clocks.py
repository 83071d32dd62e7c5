"""The clocks of one case: which promises run, and when the next one must be looked at (idea 3).

Pure state and arithmetic over `CaseState.clocks`; what happened is told through `record`. Deterministic.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import TypeAdapter

from lian.domain import journal as j
from lian.domain.messages import CaseState, ClockRun
from lian.domain.sla import ClockLedger, ClockPolicy, Pause, Verdict, due_at, verdict, warn_at

POLICY = TypeAdapter(ClockPolicy)
JUST_LATER = timedelta(seconds=1)
"""Acting at exactly the due instant is on time, so a breach is looked for a moment later."""


class ClockBook:
    """All clocks of a case, kept in its state so that they survive continue-as-new."""

    def __init__(self, state: CaseState, record: Callable[[j.Event], int]) -> None:
        self._state = state
        self._record = record

    @property
    def running(self) -> dict[str, ClockRun]:
        """Clocks that have not stopped, by name."""
        return self._state.clocks

    def start(self, name: str, at: datetime) -> None:
        """A promise begins to run at `at`, which may lie in the past."""
        self.running[name] = run = ClockRun(started_at=at)
        self._record(
            j.ClockStarted(
                clock=name,
                started_at=at,
                policy=POLICY.dump_python(self._policy(name), mode="json"),
                due_at=self.due(name, run),
                warn_at=self.warn(name, run),
            )
        )

    def restart(self, name: str, at: datetime) -> None:
        """The promise has run from `at`: the start on record was wrong (a correction)."""
        run = self.running[name]
        run.started_at = at
        event = j.ClockRestarted(clock=name, started_at=at, due_at=self.due(name, run), warn_at=self.warn(name, run))
        self._record(event)

    def stop(self, name: str, at: datetime) -> None:
        """What was promised was done at `at`. The verdict is frozen with it; a clock not running is left alone."""
        run = self.running.pop(name, None)
        if run is None:
            return
        ledger = ClockLedger(run.started_at, run.pauses, at)
        found = verdict(policy=self._policy(name), calendar=self._state.plan.calendar, ledger=ledger, now=at)
        if found is Verdict.BREACHED and not run.breached:
            self._breach(name, run)
        self._record(j.ClockStopped(clock=name, stopped_at=at, verdict=found))

    def cancel_all(self) -> None:
        """No promise of this case applies any longer."""
        for name in list(self.running):
            del self.running[name]
            self._record(j.ClockCancelled(clock=name))

    def pausable(self) -> list[str]:
        """The promises that wait while a named request stands open."""
        return [name for name, run in self.running.items() if self._policy(name).pausable and not run.breached]

    def pause(self, names: Collection[str], request_id: UUID, at: datetime) -> None:
        """These promises wait for a named request since `at`: the transaction that delivered it put that on record."""
        for name in names:
            run = self.running[name]
            run.pauses = (*run.pauses, Pause(str(request_id), at, None))

    def resume(self, request_id: UUID, at: datetime) -> None:
        """The request ended at `at`: whatever waited for it runs on from there."""
        for name, run in self.running.items():
            if any(p.request_id == str(request_id) and p.to_at is None for p in run.pauses):
                run.pauses = tuple(_closed(p, str(request_id), at) for p in run.pauses)
                due, warn = self.due(name, run), self.warn(name, run)
                self._record(j.ClockResumed(clock=name, request_id=request_id, resumed_at=at, due_at=due, warn_at=warn))

    def next_at(self) -> datetime | None:
        """The next instant at which a clock must be looked at."""
        return min((at for name, run in self.running.items() if (at := self._next(name, run))), default=None)

    def look(self, now: datetime) -> None:
        """Say what has come due: warnings and breaches, each once, a breach at its legal instant."""
        for name, run in self.running.items():
            warn, due = self.warn(name, run), self.due(name, run)
            if due and now > due and not run.breached:
                self._breach(name, run)
            elif warn and now >= warn and not run.warned and not run.breached:
                run.warned = True
                self._record(j.ClockWarned(clock=name, warn_at=warn))

    def due(self, name: str, run: ClockRun) -> datetime | None:
        """When the promise falls due; none while it is paused."""
        return due_at(policy=self._policy(name), calendar=self._state.plan.calendar, ledger=_ledger(run))

    def warn(self, name: str, run: ClockRun) -> datetime | None:
        """When to warn; none while it is paused."""
        return warn_at(policy=self._policy(name), calendar=self._state.plan.calendar, ledger=_ledger(run))

    def _breach(self, name: str, run: ClockRun) -> None:
        run.breached = True
        due = self.due(name, run)
        assert due is not None
        self._record(j.ClockBreached(clock=name, legal_at=due))

    def _next(self, name: str, run: ClockRun) -> datetime | None:
        if run.breached:
            return None
        due = self.due(name, run)
        return (due + JUST_LATER if due else None) if run.warned else self.warn(name, run) or (due and due + JUST_LATER)

    def _policy(self, name: str) -> ClockPolicy:
        return self._state.plan.clock(name)


def _ledger(run: ClockRun) -> ClockLedger:
    return ClockLedger(run.started_at, run.pauses)


def _closed(pause: Pause, request_id: str, at: datetime) -> Pause:
    return replace(pause, to_at=at) if pause.request_id == request_id and pause.to_at is None else pause
