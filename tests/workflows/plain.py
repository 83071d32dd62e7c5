"""A claim's process without a server: the same workflow code on a plain event loop, its journal folded in memory.

For tests that give thousands of commands. What the real runtime adds (histories, replay, retries) is tested elsewhere;
here every rule of the procedure runs as it is, against the same projectors that write the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from temporalio import workflow

from activities.messages import Batch, IssueLetter, LetterIssued, from_entry
from lian.db.journal import MemoryRows
from lian.db.projectors import Context, project
from lian.db.tables import Clock, Payment, RecoveryClaim
from lian.domain import journal as j
from lian.domain.messages import CaseState, PaymentSettled
from workflows.claim import Claim

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOPS = 60
"""Turns of the loop after which a step that waits for nothing has surely come to rest."""


@dataclass
class Plain:
    """One case's process, its rows, and the time."""

    case_id: UUID
    now: datetime = START
    rows: MemoryRows = field(default_factory=MemoryRows)
    chain: int = 0
    events: list[tuple[str, j.Event]] = field(default_factory=list)
    claim: Claim | None = None
    running: asyncio.Task[str] | None = None
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    waiting: list[tuple[Callable[[], bool], asyncio.Future[bool], datetime | None]] = field(default_factory=list)
    chance: Random = field(default_factory=lambda: Random(7))

    # --- what stands in for the runtime -------------------------------------------------------------------------------

    @contextmanager
    def patched(self) -> Iterator[None]:
        """The functions of `temporalio.workflow` that procedures use, on this loop."""
        info = SimpleNamespace(is_continue_as_new_suggested=lambda: False, get_current_history_length=lambda: 0)
        stand_ins: dict[str, Any] = {
            "now": lambda: self.now,
            "uuid4": lambda: UUID(int=self.chance.getrandbits(128), version=4),
            "wait_condition": self._wait,
            "execute_local_activity_method": self._append,
            "execute_activity_method": self._letter,
            "info": lambda: info,
            "all_handlers_finished": lambda: True,
        }
        patches = [patch.object(workflow, name, stand_in) for name, stand_in in stand_ins.items()]
        for each in patches:
            each.start()
        try:
            yield
        finally:
            for each in patches:
                each.stop()

    async def _wait(
        self,
        condition: Callable[[], bool],
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109  (the runtime's own name for it)
        **_: Any,
    ) -> None:
        if timeout is not None and timeout <= timedelta(0) and not condition():
            await asyncio.sleep(0)
            raise TimeoutError
        answer: asyncio.Future[bool] = self.loop.create_future()
        waiter = (condition, answer, self.now + timeout if timeout is not None else None)
        self.waiting.append(waiter)
        try:
            if not await answer:
                raise TimeoutError
        finally:
            self.waiting.remove(waiter)

    async def _append(self, _: Any, batch: Batch, **__: Any) -> None:
        await asyncio.sleep(0)
        for entry in batch.entries:
            item = from_entry(entry)
            await self.put(item.event, by=item.actor)

    async def _letter(self, _: Any, order: IssueLetter, **__: Any) -> LetterIssued:
        await asyncio.sleep(0)
        paused = [name for name in order.pauses if self._may_pause(name)]
        for name in paused:
            await self.put(j.ClockPaused(clock=name, request_id=order.subject_id, paused_at=self.now))
        return LetterIssued(issued_at=self.now, paused=paused)

    def _may_pause(self, name: str) -> bool:
        """As `lian/services/letters.py` has it: a promise that is done, broken or due can no longer be paused."""
        clock = self.rows.rows[Clock, (self.case_id, name)]
        assert isinstance(clock, Clock)
        return clock.status == "running" and clock.due_at is not None and self.now < clock.due_at

    async def put(self, event: j.Event, *, by: str = "system") -> None:
        """One event on record."""
        self.chain += 1
        await project(self.rows, Context(self.case_id, self.chain, self.now, by, {"account": ""}), event)
        self.events.append((by, event))

    # --- what a test does ---------------------------------------------------------------------------------------------

    def start(self, state: CaseState) -> None:
        """A life of the case begins."""
        self.claim = Claim(state)
        self.running = self.loop.create_task(self.claim.run(state))
        self.settle()

    def settle(self) -> None:
        """Let everything happen that waits for nobody."""
        self.loop.run_until_complete(self._until_at_rest())

    async def _until_at_rest(self) -> None:
        quiet = 0
        while quiet < 3:
            for _ in range(HOPS // 10):
                await asyncio.sleep(0)
            quiet = 0 if self._wake() else quiet + 1

    def _wake(self) -> bool:
        woken = False
        for condition, answer, until in list(self.waiting):
            if not answer.done() and (condition() or (until is not None and self.now >= until)):
                answer.set_result(condition())
                woken = True
        return woken

    def say(self, name: str, command: Any) -> Any:
        """An Update: its validator, then its handler; raises the refusal."""
        assert self.claim is not None
        getattr(self.claim, {"complete_task": "_may_complete", "act": "_may_act", "withdraw": "_may_withdraw"}[name])(
            command
        )
        answer = self.loop.create_task(getattr(self.claim, name)(command))
        self.settle()
        if not answer.done():
            raise AssertionError(f"{name} was never answered")
        return answer.result()

    def pass_time(self, duration: timedelta) -> None:
        """Time goes by, timer after timer."""
        end = self.now + duration
        while True:
            due = min((u for _, a, u in self.waiting if u is not None and not a.done() and u <= end), default=None)
            if due is None:
                break
            self.now = max(self.now, due)
            self.settle()
        self.now = end
        self.settle()

    def bank_says(self, payment_id: UUID, status: str) -> None:
        """The bank's word, on record and told to the process if it still runs."""
        assert self.claim is not None
        event: j.Event
        lowered: list[j.RecoveryReduced] = []
        reduced = Decimal(0)
        match status:
            case "confirmed":
                event = j.PaymentConfirmed(payment_id=payment_id, bank_reference="B", paid_on=self.now.date())
            case "rejected":
                event = j.PaymentRejected(payment_id=payment_id, reason="AC04")
            case _:
                lowered = self._no_longer_overpaid(payment_id)
                reduced = sum((e.amount for e in lowered), Decimal(0))
                event = j.PaymentReturned(payment_id=payment_id, reason="AC04", reduced=reduced)
        if status in {"confirmed", "rejected"}:
            self.loop.run_until_complete(self.put(j.PaymentSent(payment_id=payment_id, instruction_key="k")))
        self.loop.run_until_complete(self.put(event))
        for reduction in lowered:
            self.loop.run_until_complete(self.put(reduction))
        told = PaymentSettled(payment_id=payment_id, status=status, reduced=reduced)
        self.claim.payment_settled(told)
        self.settle()

    def _no_longer_overpaid(self, payment_id: UUID) -> list[j.RecoveryReduced]:
        """As `lian/services/payments.py` has it."""
        payment = self.rows.rows[Payment, (payment_id,)]
        assert isinstance(payment, Payment)
        found, amount = [], payment.amount
        for row in list(self.rows.rows.values()):
            if isinstance(row, RecoveryClaim) and row.recovery == "overpayment" and row.status == "open":
                part = min(amount, row.expected_amount - row.received_amount)
                if part > 0:
                    found.append(j.RecoveryReduced(recovery_id=row.id, amount=part))
                    amount -= part
        return found

    def outcome(self) -> str:
        """How the present life ended; empty while it goes on. A procedure that failed raises here."""
        assert self.running is not None
        return self.running.result() if self.running.done() else ""

    def close(self) -> None:
        """End everything that still waits."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
