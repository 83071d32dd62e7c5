"""The worker process: workflows and their journal, letters, payments, the relay, alerts, the bank's folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.bulk import BulkActivities
from activities.journal import JournalActivities
from activities.letters import LetterActivities
from activities.payments import PaymentActivities
from activities.watchdog import WatchdogActivities
from lian.notify.mail import Mailer
from lian.services.alerts import send_alerts
from lian.services.context import Context
from lian.services.desk.dealing import deal_new
from lian.services.payments import read_bank_answers
from lian.services.relay import relay_once, send_notices
from workflows import options
from workflows.registry import WORKFLOWS
from workflows.sandbox import runner
from workflows.schedules import keep_watch

log = structlog.get_logger()
RELAY_SECONDS = 0.25
ALERT_SECONDS = 2.0
MAIL_SECONDS = 2.0
BANK_SECONDS = 2.0
DEAL_SECONDS = 2.0


def workers(client: Client, context: Context, *, cached: int) -> list[Worker]:
    """One worker per queue, so that a slow letter or bank never delays a deadline."""
    journal = JournalActivities(context)
    cases = Worker(
        client,
        task_queue=options.CASES,
        workflows=WORKFLOWS,
        activities=[journal.append_journal, WatchdogActivities(context).sweep],
        workflow_runner=runner(),
        max_cached_workflows=cached,
        # After a kill -9 another worker takes over in seconds rather than ten.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
    )
    letters = Worker(
        client,
        task_queue=options.DOCUMENTS,
        activities=[LetterActivities(context).issue_letter],
        max_concurrent_activities=4,
    )
    bank = PaymentActivities(context)
    payments = Worker(
        client,
        task_queue=options.PAYMENTS,
        activities=[bank.instruct_bank, bank.settle_payment],
        max_concurrent_activities=4,
    )
    bulk = Worker(
        client,
        task_queue=options.BULK,
        activities=[BulkActivities(context).work_on],
        max_concurrent_activities=4,
    )
    return [cases, letters, payments, bulk]


async def _again_and_again(work: Callable[[], Awaitable[int]], pause: float, name: str) -> None:
    """Repeat a piece of work, at once while there is more of it; a failure is logged and waited out."""
    while True:
        try:
            done = await work()
        except Exception as failed:  # noqa: BLE001  (the edge of a background loop: it must not end)
            log.warning("loop_failed", loop=name, error=type(failed).__name__)
            done = 0
        if not done:
            await asyncio.sleep(pause)


@asynccontextmanager
async def running_worker(client: Client, context: Context, mailer: Mailer, *, cached: int) -> AsyncIterator[None]:
    """Everything a worker process does, until the block ends."""
    async with AsyncExitStack() as stack:
        for worker in workers(client, context, cached=cached):
            await stack.enter_async_context(worker)
        loops = [
            asyncio.create_task(_again_and_again(lambda: relay_once(context), RELAY_SECONDS, "relay")),
            asyncio.create_task(_again_and_again(lambda: send_alerts(context), ALERT_SECONDS, "alerts")),
            asyncio.create_task(_again_and_again(lambda: send_notices(context, mailer), MAIL_SECONDS, "mail")),
            asyncio.create_task(_again_and_again(lambda: read_bank_answers(context), BANK_SECONDS, "bank")),
            asyncio.create_task(_again_and_again(lambda: deal_new(context), DEAL_SECONDS, "deal")),
            asyncio.create_task(keep_watch(client)),
        ]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
