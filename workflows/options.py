"""Timeouts, retries and queues, in one place. All durations are wall clock."""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import RetryPolicy

CASES = "lian-cases"
"""Workflows and the journal's local activities."""
DOCUMENTS = "lian-documents"
"""Letters: a slow font never delays a deadline."""
PAYMENTS = "lian-payments"
"""The bank."""
BULK = "lian-bulk"
"""Bulk orders: ten thousand tasks to hand over never delay a deadline."""

JOURNAL_TIMEOUT = timedelta(seconds=15)
JOURNAL_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=5))
"""Without end: what was decided is written, however long Postgres is away."""
LETTER_TIMEOUT = timedelta(seconds=60)
BANK_TIMEOUT = timedelta(seconds=60)
SWEEP_TIMEOUT = timedelta(seconds=90)
BULK_TIMEOUT = timedelta(minutes=10)
BULK_HEARTBEAT = timedelta(seconds=25)
"""Longer than any single task can take; after a kill -9 another worker goes on this much later."""
LONGEST_PAUSE = timedelta(minutes=1)
"""Before what was away is tried again."""
ROUND_TIMEOUT = timedelta(seconds=110)
"""Shorter than the time between two rounds: one that nobody takes up does not keep the next from running."""
ONE_MORE_TRY = RetryPolicy(initial_interval=timedelta(seconds=5), maximum_attempts=2)
PATIENT_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))

EVENTS_BEFORE_ROLLOVER = 600
RECENT_COMMANDS = 50
