"""Paying a claim: to the right people, each transfer once, and again when money comes back (CLM-10)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from uuid import UUID

from temporalio import workflow

from lian.domain import journal as j
from lian.domain.claims import second_look_tasks as look
from lian.domain.claims import tasks as ask_for
from lian.domain.claims.maturity import MaturityFacts
from lian.domain.claims.tasks import PayeeShare, Settlement
from lian.domain.errors import Conflict
from lian.domain.messages import CommandResult, PaymentSettled, TakeBack
from lian.domain.tasks import TaskKind
from workflows.claim_inquest import ClaimInquest
from workflows.engine import Answer


class ClaimPayment(ClaimInquest):
    """From an amount to money that arrived."""

    async def settle(self, decision_id: UUID, amount: Callable[[], Decimal], *, entering: str = "") -> None:
        """Agree who is paid this amount, make sure of them, pay; returns when the bank has answered."""
        await self.until(lambda: self.facts.suspicion != "open")
        agreed = await self.task(ask_for.AGREE_SETTLEMENT, lambda: self.ask_settlement(amount(), decision_id))
        if not await self.is_right_payee(agreed):
            return
        await self.until(lambda: self.facts.suspicion != "open")
        self.count_as_payable(agreed.outcome)
        if entering:
            self.reached("settlement_agreed")
            self.enter(entering)
        await self.pay(agreed.outcome, decision_id)

    async def is_right_payee(self, agreed: Answer) -> bool:
        """A name on the sanctions list is cleared first; a changed account is checked by two (CLM-10)."""
        for share in agreed.outcome.payees:
            if share.sanctions == "hit" and not await self.is_cleared(share):
                return False
            if share.is_changed and not await self.is_account_right(share, agreed):
                return False
        return True

    async def is_cleared(self, share: PayeeShare) -> bool:
        """Compliance says whether the list means this payee."""
        answer = await self.task(look.CLEAR_SANCTIONS, lambda: {"party_id": share.party_id, "payee_id": share.payee_id})
        return self.record_payee_check(share, "sanctions", answer, answer.outcome.is_clear)

    async def is_account_right(self, share: PayeeShare, named: Answer) -> bool:
        """A second person verifies it, and the customer confirms it unless they typed it themselves."""
        if not await self.is_account_confirmed(share, look.VERIFY_ACCOUNT, "account", named):
            return False
        if named.by.startswith("customer:"):
            return True
        return await self.is_account_confirmed(share, look.CONFIRM_ACCOUNT, "customer", named)

    async def is_account_confirmed(self, share: PayeeShare, kind: TaskKind, what: str, named: Answer) -> bool:
        answer = await self.task(
            kind, lambda: {"party_id": share.party_id, "payee_id": share.payee_id}, exclude=[named.by]
        )
        return self.record_payee_check(share, what, answer, answer.outcome.is_right)

    def record_payee_check(self, share: PayeeShare, what: str, answer: Answer, is_right: bool) -> bool:
        event = j.PayeeChecked(payee_id=UUID(share.payee_id), what=what, is_right=is_right, checked_by=answer.by)
        self.record(event, by=answer.by)
        return is_right

    def count_as_payable(self, settlement: Settlement) -> None:
        """A final decision, clear payees, no open suspicion: the claim is able to be paid."""
        self.grow(
            MaturityFacts(
                is_decision_final=self.facts.is_decided,
                approved_amount=self.facts.approved_amount,
                open_referrals=int(self.facts.suspicion == "open"),
                payees=len(settlement.payees),
                # Whoever was not cleared or verified has sent the settlement back before this.
                uncleared_payees=0,
                unverified_accounts=0,
            )
        )

    async def pay(self, settlement: Settlement, decision_id: UUID) -> None:
        """One transfer per payee, each with a life of its own."""
        transfers = [
            self.record_payment(UUID(p.payee_id), UUID(p.party_id), decision_id, p.amount) for p in settlement.payees
        ]
        await self.until(lambda: all(self.facts.transfers[t].status for t in transfers))

    @workflow.signal
    def payment_settled(self, message: PaymentSettled) -> None:
        """A transfer ended: confirmed or rejected. The first word counts."""
        transfer = self.facts.transfers.get(message.payment_id)
        if transfer is not None and not transfer.status:
            transfer.status = message.status

    @workflow.update
    async def take_back(self, command: TakeBack) -> CommandResult:
        """A transfer that was confirmed came back. Returns once that, and what follows at once, is on record."""
        return await self.do_once(
            command.command_id, partial(self.check_return, command), partial(self.begin_return, command)
        )

    @take_back.validator
    def may_take_back(self, command: TakeBack) -> None:
        self.refuse_unless(command.command_id, partial(self.check_return, command))

    def check_return(self, command: TakeBack) -> None:
        """What was read from the rows must still be so: otherwise it is read, and told, again."""
        transfer = self.facts.transfers.get(command.payment_id)
        if transfer is None or transfer.status != "confirmed" or command.owed_back != self.facts.owed_back:
            raise Conflict("The claim has moved on; look again at what came back.")

    def begin_return(self, command: TakeBack) -> int:
        """It no longer counts as paid, and what was overpaid is less by as much."""
        transfer, reduced = self.facts.transfers[command.payment_id], sum(command.reduced.values(), Decimal(0))
        transfer.status = "returned"
        self.owe_less(transfer.party_id, reduced)
        seq = self.record(j.PaymentReturned(payment_id=command.payment_id, reason=command.reason, reduced=reduced))
        for recovery_id, amount in command.reduced.items():
            self.record(j.RecoveryReduced(recovery_id=recovery_id, amount=amount))
        self.pay_again()
        return seq

    def owe_less(self, party_id: UUID | None, reduced: Decimal) -> None:
        """What came back was a party's, and first of all lowers what that party owes us."""
        self.facts.owed_back -= reduced
        by_party = self.facts.owed_back_by
        if party_id in by_party:
            by_party[party_id] -= min(by_party[party_id], reduced)

    def pay_again(self) -> None:
        """Less is paid than was: an open settlement is asked anew, or the claim goes back there."""
        self.ask_anew()
        if "settlement" in self.state.done:
            self.return_to("settlement")
