"""Every workflow a worker offers: one line each."""

from __future__ import annotations

from workflows.bulk import Bulk
from workflows.claim import Claim
from workflows.payment import Payment
from workflows.standard import Standard
from workflows.watchdog import Watchdog

WORKFLOWS = [Bulk, Claim, Payment, Standard, Watchdog]
