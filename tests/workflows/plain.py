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
from lian.domain.messages import CaseState, PaymentSettled, TakeBack
from workflows.claim import Claim

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
VALIDATORS = {
    "complete_task": "_may_complete",
    "act": "_may_act",
    "withdraw": "_may_withdraw",
    "take_back": "may_take_back",
}
HOPS = 60
"""Turns of the loop after which a step that waits for nothing has surely come to rest."""


class RolledOver(Exception):
    """The process goes on in a new history, which is not played here."""


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
    is_away: bool = False
    """While the database cannot be reached, nothing of the journal is written."""
    are_letters_slow: bool = False
    is_history_long: bool = False
    answers: list[asyncio.Task[Any]] = field(default_factory=list)
    """What becomes of each Update that passed its validator."""

    # --- what stands in for the runtime -------------------------------------------------------------------------------

    @contextmanager
    def patched(self) -> Iterator[None]:
        """The functions of `temporalio.workflow` that procedures use, on this loop."""
        info = SimpleNamespace(
            is_continue_as_new_suggested=lambda: self.is_history_long, get_current_history_length=lambda: 0
        )
        stand_ins: dict[str, Any] = {
            "now": lambda: self.now,
            "uuid4": lambda: UUID(int=self.chance.getrandbits(128), version=4),
            "wait_condition": self._wait,
            "execute_local_activity_method": self._append,
            "execute_activity_method": self._letter,
            "info": lambda: info,
            "patched": lambda _: True,
            "all_handlers_finished": lambda: all(answer.done() for answer in self.answers),
            "continue_as_new": self._roll_over,
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
        while self.is_away:
            await asyncio.sleep(0)
        for entry in batch.entries:
            item = from_entry(entry)
            await self.put(item.event, by=item.actor)

    async def _letter(self, _: Any, order: IssueLetter, **__: Any) -> LetterIssued:
        await asyncio.sleep(0)
        while self.are_letters_slow:
            await asyncio.sleep(0)
        paused = [name for name in order.pauses if self._may_pause(name)]
        for name in paused:
            await self.put(j.ClockPaused(clock=name, request_id=order.subject_id, paused_at=self.now))
        return LetterIssued(issued_at=self.now, paused=paused)

    def _roll_over(self, _: CaseState) -> None:
        raise RolledOver

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
        answer = self.begin(name, command)
        if not answer.done():
            raise AssertionError(f"{name} was never answered")
        return answer.result()

    def begin(self, name: str, command: Any) -> asyncio.Task[Any]:
        """An Update that passed its validator, perhaps not answered yet; raises the validator's refusal."""
        assert self.claim is not None
        getattr(self.claim, VALIDATORS[name])(command)
        answer = self.loop.create_task(getattr(self.claim, name)(command))
        self.answers.append(answer)
        self.settle()
        return answer

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

    def record(self, *events: j.Event, by: str = "system") -> None:
        """What others than the process put on record."""
        for event in events:
            self.loop.run_until_complete(self.put(event, by=by))

    def bank_says(self, payment_id: UUID, status: str) -> None:
        """The bank's first word, on record and told to the process."""
        assert self.claim is not None
        event: j.Event = j.PaymentRejected(payment_id=payment_id, reason="AC04")
        if status == "confirmed":
            event = j.PaymentConfirmed(payment_id=payment_id, bank_reference="B", paid_on=self.now.date())
        self.record(j.PaymentSent(payment_id=payment_id, instruction_key="k"), event)
        self.claim.payment_settled(PaymentSettled(payment_id=payment_id, status=status))
        self.settle()

    def what_came_back(self, payment_id: UUID) -> TakeBack:
        """As `lian/services/returns.py` has it."""
        payment = self.rows.rows[Payment, (payment_id,)]
        assert isinstance(payment, Payment)
        assert self.claim is not None
        reduced, amount = {}, payment.amount
        theirs = {None, self.claim.facts.transfers[payment_id].party_id}
        overpaid = [r for r in self.rows.rows.values() if isinstance(r, RecoveryClaim) and r.recovery == "overpayment"]
        for row in sorted(overpaid, key=lambda r: r.party_id is None):
            part = min(amount, row.expected_amount - row.received_amount)
            if row.status == "open" and row.party_id in theirs and part > 0:
                reduced[row.id] = part
                amount -= part
        return TakeBack(
            command_id=f"returned:{payment_id}",
            payment_id=payment_id,
            reason="AC04",
            reduced=reduced,
            owed_back=sum((r.expected_amount for r in overpaid), Decimal(0)),
        )

    def return_to_closed(self, back: TakeBack) -> None:
        """A return that finds no process is on record without one, and the next life begins from that."""
        assert self.claim is not None
        reduced = sum(back.reduced.values(), Decimal(0))
        transfer = self.claim.facts.transfers[back.payment_id]
        transfer.status = "returned"
        self.claim.owe_less(transfer.party_id, reduced)
        self.record(
            j.PaymentReturned(payment_id=back.payment_id, reason=back.reason, reduced=reduced),
            *(j.RecoveryReduced(recovery_id=id_, amount=amount) for id_, amount in back.reduced.items()),
        )

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
