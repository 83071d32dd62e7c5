"""The case's process, reached through Temporal: the adapter behind `lian.services.ports.CaseProcess`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import original
from lian.db.crypto import KeyRing
from lian.domain.case_kinds import kind_of
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
    bulk_workflow_id,
    case_workflow_id,
    payment_workflow_id,
)
from lian.settings import Settings
from workflows import options
from workflows.codec import data_converter

Answer = TypeVar("Answer")
RPC_SECONDS = 4
UPDATE_SECONDS = 10
INTERRUPTED_SECONDS = 0.1
AWAY = "The case engine cannot be reached at the moment. Nothing was decided; try again in a few seconds."
CASE_KIND = SearchAttributeKey.for_keyword("CaseKind")
POLICY_VERSION = SearchAttributeKey.for_keyword("PolicyVersion")
GENERATION = "generation"


async def connect(settings: Settings, ring: KeyRing, *, lazy: bool = True) -> Client:
    """A client; a lazy one does not need the server to be up yet, a worker's must not be lazy."""
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter(ring),
        lazy=lazy,
        identity="lian",
    )


class _NotThere(Conflict):
    """The case has closed, or its process is not started yet."""


class _TaskInterrupted(Unavailable):
    """Something else happened to the case at the same instant; the same command is simply given again."""


class TemporalProcess:
    """Speaks to case and payment workflows; every refusal comes back as the domain's own error."""

    def __init__(self, client: Callable[[], Awaitable[Client]]) -> None:
        self._connect = client
        self._client: Client | None = None

    async def _ready(self) -> Client:
        if self._client is None:
            self._client = await self._connect()
        return self._client

    async def start(self, state: CaseState) -> None:
        """Start a case's process for its present generation; a repeat changes nothing."""
        client = await self._ready()
        workflow_id = case_workflow_id(state.case_id)
        if state.generation > 1 and await self._generation(client, workflow_id) >= state.generation:
            return
        try:
            await self._call(
                client.start_workflow(
                    kind_of(state.kind).workflow,
                    state,
                    id=workflow_id,
                    task_queue=options.CASES,
                    id_reuse_policy=_reuse(state.generation),
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    memo={GENERATION: state.generation},
                    search_attributes=TypedSearchAttributes(
                        [
                            SearchAttributePair(CASE_KIND, state.kind),
                            SearchAttributePair(POLICY_VERSION, state.plan.pack),
                        ]
                    ),
                    priority=Priority(priority_key=3, fairness_key=str(state.facts.get("line", state.kind))),
                    rpc_timeout=timedelta(seconds=RPC_SECONDS),
                )
            )
        except WorkflowAlreadyStartedError:
            # Fine when it is the life we wanted to start, or a later one; a former one must end first. One that has
            # ended since it was in the way is not fine either: ours was not started.
            if await self._generation(client, workflow_id) < state.generation:
                raise Unavailable("The case's former process is still closing; it will be started soon.") from None

    async def _generation(self, client: Client, workflow_id: str) -> int:
        """Which life of the case began last, whether or not it has ended; zero when nothing is known of any."""
        try:
            found = await self._call(client.get_workflow_handle(workflow_id).describe())
        except _NotThere:
            return 0
        return int((await found.memo()).get(GENERATION, 0))

    async def complete_task(self, case_id: UUID, command: CompleteTask) -> CommandResult:
        """Answer a task."""
        return await self._update(case_id, "complete_task", command, command.command_id)

    async def act(self, case_id: UUID, command: Act) -> CommandResult:
        """Do something on a case."""
        return await self._update(case_id, "act", command, command.command_id)

    async def withdraw(self, case_id: UUID, command: Withdraw) -> CommandResult:
        """Withdraw a case."""
        return await self._update(case_id, "withdraw", command, command.command_id)

    async def close_request(self, case_id: UUID, message: CloseRequest) -> None:
        """Tell the case its request ended; a case that has closed no longer cares."""
        await self._signal(case_workflow_id(case_id), "close_request", message)

    async def payment_settled(self, case_id: UUID, message: PaymentSettled) -> None:
        """Tell the case what became of a transfer."""
        await self._signal(case_workflow_id(case_id), "payment_settled", message)

    async def take_back(self, case_id: UUID, command: TakeBack) -> CommandResult:
        """Have a case put a return on record. Told anew each time: a refusal once given would be given again."""
        return await self._update(case_id, "take_back", command, uuid4().hex)

    async def look_at_clocks(self, case_id: UUID) -> None:
        """Have the process look at its promises now. Raises `Conflict` when there is none that runs."""
        client = await self._ready()
        handle = client.get_workflow_handle(case_workflow_id(case_id))
        await self._call(handle.signal("look_at_clocks", rpc_timeout=timedelta(seconds=RPC_SECONDS)))

    async def replan(self, case_id: UUID, order: Replan) -> None:
        """Put a case under another pack or calendar. Raises `Conflict` when there is no process that runs."""
        client = await self._ready()
        handle = client.get_workflow_handle(case_workflow_id(case_id))
        await self._call(handle.signal("replan", order, rpc_timeout=timedelta(seconds=RPC_SECONDS)))

    async def start_payment(self, order: PayOut) -> None:
        """Start a transfer once."""
        await self._start_once("Payment", order, payment_workflow_id(order.payment_id))

    async def start_bulk(self, run: BulkRun) -> None:
        """Start working through a bulk order once."""
        await self._start_once("Bulk", run, bulk_workflow_id(run))

    async def _start_once(self, workflow: str, told: Any, workflow_id: str) -> None:
        client = await self._ready()
        with suppress(WorkflowAlreadyStartedError):
            await self._call(
                client.start_workflow(
                    workflow,
                    told,
                    id=workflow_id,
                    task_queue=options.CASES,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    rpc_timeout=timedelta(seconds=RPC_SECONDS),
                )
            )

    async def bank_answered(self, message: BankAnswered) -> None:
        """Tell a transfer what the bank said."""
        await self._signal(payment_workflow_id(message.payment_id), "bank_answered", message)

    async def _update(self, case_id: UUID, name: str, command: Any, command_id: str) -> CommandResult:
        client = await self._ready()
        handle = client.get_workflow_handle(case_workflow_id(case_id))
        try:
            async with asyncio.timeout(UPDATE_SECONDS):
                while True:
                    with suppress(_TaskInterrupted):
                        return await self._call(
                            handle.execute_update(name, command, id=command_id, result_type=CommandResult)
                        )
                    await asyncio.sleep(INTERRUPTED_SECONDS)
        except TimeoutError as late:
            raise Unavailable(AWAY) from late
        except _NotThere as unknown:
            # The caller saw an open case: it is just being started, or has closed this very moment.
            raise Unavailable(AWAY) from unknown

    async def _signal(self, workflow_id: str, name: str, message: Any) -> None:
        client = await self._ready()
        handle = client.get_workflow_handle(workflow_id)
        with suppress(Conflict):
            await self._call(handle.signal(name, message, rpc_timeout=timedelta(seconds=RPC_SECONDS)))

    async def _call(self, pending: Awaitable[Answer]) -> Answer:
        """Await an answer of Temporal's, its troubles told as ours."""
        try:
            return await pending
        except WorkflowUpdateFailedError as refused:
            if isinstance(refused.cause, ApplicationError):
                raise original(refused.cause) from None
            raise Unavailable(AWAY) from refused
        except (WorkflowUpdateRPCTimeoutOrCancelledError, RPCTimeoutOrCancelledError) as late:
            raise Unavailable(AWAY) from late
        except RPCError as failed:
            if failed.status == RPCStatusCode.NOT_FOUND:
                raise _NotThere("The case is closed or not yet started; reload and try again.") from failed
            if failed.status == RPCStatusCode.FAILED_PRECONDITION:
                raise _TaskInterrupted(AWAY) from failed
            raise Unavailable(AWAY) from failed
        except RuntimeError as failed:  # a lazy client whose server is not up yet
            raise Unavailable(AWAY) from failed


def _reuse(generation: int) -> WorkflowIDReusePolicy:
    first = WorkflowIDReusePolicy.REJECT_DUPLICATE
    return first if generation == 1 else WorkflowIDReusePolicy.ALLOW_DUPLICATE
