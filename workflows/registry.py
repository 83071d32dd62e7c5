"""Every workflow a worker offers: one line each."""

from __future__ import annotations

from workflows.claim import Claim
from workflows.payment import Payment
from workflows.standard import Standard

WORKFLOWS = [Claim, Payment, Standard]
