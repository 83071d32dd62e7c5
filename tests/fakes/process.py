"""A process that remembers what it was told, and can be away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lian.domain.errors import Unavailable
from lian.domain.messages import (
    Act,
    BankAnswered,
    CaseState,
    CloseRequest,
    CommandResult,
    CompleteTask,
    PaymentSettled,
    PayOut,
    Withdraw,
)


@dataclass
class FakeProcess:
    """Stands behind `lian.services.ports.CaseProcess`."""

    away: bool = False
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

    async def payment_returned(self, case_id: UUID, message: PaymentSettled) -> None:
        self._note(message)

    async def start_payment(self, order: PayOut) -> None:
        self._note(order)

    async def bank_answered(self, message: BankAnswered) -> None:
        self._note(message)
