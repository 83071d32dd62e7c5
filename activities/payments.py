"""The bank: instruct once, settle once. The payment id is the key of both effects."""

from __future__ import annotations

from uuid import UUID

from temporalio import activity

from lian.domain.messages import BankAnswered
from lian.services import payments
from lian.services.context import Context


class PaymentActivities:
    """Bound to one installation's context."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn
    async def instruct_bank(self, payment_id: UUID) -> str:
        """Hand the transfer to the bank unless it has it; returns where the instruction lies."""
        return await payments.instruct_bank(self._context, payment_id)

    @activity.defn
    async def settle_payment(self, answer: BankAnswered) -> str:
        """Put the bank's word on record, with the voucher; returns the transfer's status."""
        return await payments.settle_payment(self._context, answer)
