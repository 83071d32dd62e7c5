"""A process that remembers what it was told, and can be away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lian.domain.errors import Conflict, Unavailable
from lian.domain.messages import (
    Act,
    BankAnswered,
    BulkRun,
    CaseState,
    CloseRequest,
    CommandResult,
    CompleteTask,
    PaymentSettled,
    PayOut,
    Replan,
    TakeBack,
    Withdraw,
)


@dataclass
class FakeProcess:
    """Stands behind `lian.services.ports.CaseProcess`."""

    away: bool = False
    gone: set[UUID] = field(default_factory=set)
    """Cases without a process."""
    told: list[Any] = field(default_factory=list)

    def _note(self, message: Any) -> None:
        if self.away:
            raise Unavailable("The case engine cannot be reached at the moment. Nothing was decided; try again.")
        self.told.append(message)

    async def start(self, state: CaseState) -> None:
        self._note(state)

    async def complete_task(self, case_id: UUID, command: CompleteTask) -> CommandResult:
        self._note(command)
        return CommandResult(command_id=command.command_id, seq=len(self.told))

    async def act(self, case_id: UUID, command: Act) -> CommandResult:
        self._note(command)
        return CommandResult(command_id=command.command_id, seq=len(self.told))

    async def withdraw(self, case_id: UUID, command: Withdraw) -> CommandResult:
        self._note(command)
        return CommandResult(command_id=command.command_id, seq=len(self.told))

    async def close_request(self, case_id: UUID, message: CloseRequest) -> None:
        self._note(message)

    async def payment_settled(self, case_id: UUID, message: PaymentSettled) -> None:
        self._note(message)

    async def take_back(self, case_id: UUID, command: TakeBack) -> CommandResult:
        self._note(command)
        return CommandResult(command_id=command.command_id, seq=len(self.told))

    async def look_at_clocks(self, case_id: UUID) -> None:
        if case_id in self.gone:
            raise Conflict("The case is closed or not yet started; reload and try again.")
        self._note(("look_at_clocks", case_id))

    async def replan(self, case_id: UUID, order: Replan) -> None:
        if case_id in self.gone:
            raise Conflict("The case is closed or not yet started; reload and try again.")
        self._note(("replan", case_id, order))

    async def start_payment(self, order: PayOut) -> None:
        self._note(order)

    async def start_bulk(self, run: BulkRun) -> None:
        self._note(run)

    async def bank_answered(self, message: BankAnswered) -> None:
        self._note(message)
