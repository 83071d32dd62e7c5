"""What the product needs of the outside, as ports: fakes stand behind them in unit tests."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar
from uuid import UUID

from lian.domain.claims.terms import PolicySnapshot
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

Row = TypeVar("Row")


class Rows(Protocol):
    """Rows by their keys: a session, or what was read with one before."""

    async def get(self, entity: type[Row], ident: Any, /) -> Row | None:
        """The row, if there is one."""


class CaseProcess(Protocol):
    """The case's process. Every call raises `Unavailable` when the process cannot be reached, and is safe to repeat."""

    async def start(self, state: CaseState) -> None:
        """Start a case's process; one that runs already is left alone."""

    async def complete_task(self, case_id: UUID, command: CompleteTask) -> CommandResult:
        """Answer a task; returns once it is on record. Raises the procedure's refusals."""

    async def act(self, case_id: UUID, command: Act) -> CommandResult:
        """Do something on a case; returns once it is on record. Raises the procedure's refusals."""

    async def withdraw(self, case_id: UUID, command: Withdraw) -> CommandResult:
        """Withdraw a case."""

    async def close_request(self, case_id: UUID, message: CloseRequest) -> None:
        """Tell the process that its document request ended."""

    async def payment_settled(self, case_id: UUID, message: PaymentSettled) -> None:
        """Tell the process what became of a transfer."""

    async def take_back(self, case_id: UUID, command: TakeBack) -> CommandResult:
        """Have the process put on record that a paid transfer came back. Raises `Conflict` when it knows better."""

    async def look_at_clocks(self, case_id: UUID) -> None:
        """Have the process look at its promises now. Raises `Conflict` when the case has no process."""

    async def replan(self, case_id: UUID, order: Replan) -> None:
        """Put the case under another pack or calendar. Raises `Conflict` when the case has no process."""

    async def start_payment(self, order: PayOut) -> None:
        """Start a transfer; one that runs or ran already is left alone."""

    async def start_bulk(self, run: BulkRun) -> None:
        """Start working through a bulk order; one that runs or ran already is left alone."""

    async def bank_answered(self, message: BankAnswered) -> None:
        """Tell a transfer what the bank said."""


class PolicyParties(Protocol):
    """The people of a policy, by role."""

    role: str
    person_id: UUID


class PolicyLookup(Protocol):
    """The policy system (CLM-2): the built-in register, or the insurer's own over HTTP."""

    async def snapshot(self, policy_number: str) -> PolicySnapshot | None:
        """The policy's terms as they are now, without personal data; none when it does not exist."""


class SanctionsList(Protocol):
    """Names that must not be paid: the built-in file, or the insurer's own screening service."""

    async def check(self, name: str) -> bool:
        """Whether the name is listed. Raises `Unavailable` when that cannot be said; silence is never a pass."""
