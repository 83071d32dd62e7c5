"""One transfer, from the instruction to the bank's word (CLM-10). Its id is the payment's id."""

from __future__ import annotations

from temporalio import workflow

from activities.payments import PaymentActivities
from lian.domain.messages import BankAnswered, PayOut
from workflows import options


@workflow.defn
class Payment:
    """Lives until the bank has answered, however long that takes."""

    def __init__(self) -> None:
        self.answer: BankAnswered | None = None

    @workflow.run
    async def run(self, order: PayOut) -> str:
        """Instruct, wait for the bank, settle."""
        await workflow.execute_activity_method(
            PaymentActivities.instruct_bank,
            order.payment_id,
            task_queue=options.PAYMENTS,
            start_to_close_timeout=options.BANK_TIMEOUT,
            retry_policy=options.PATIENT_RETRY,
            summary="instruct",
        )
        await workflow.wait_condition(lambda: self.answer is not None)
        assert self.answer is not None
        return await workflow.execute_activity_method(
            PaymentActivities.settle_payment,
            self.answer,
            task_queue=options.PAYMENTS,
            start_to_close_timeout=options.BANK_TIMEOUT,
            retry_policy=options.PATIENT_RETRY,
            summary="settle",
        )

    @workflow.signal
    def bank_answered(self, message: BankAnswered) -> None:
        """The bank's word; the first one counts."""
        self.answer = self.answer or message
