"""What people do on a claim of their own accord, each matter told from beginning to end (CLM-9, 10, 11, 14, 15)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from temporalio import workflow

from lian.domain import journal as j
from lian.domain.claims import actions
from lian.domain.claims import second_look_tasks as look
from lian.domain.claims import tasks as ask_for
from lian.domain.claims.proposals import most_payable
from lian.domain.errors import Conflict, NotAllowed
from lian.domain.ledger import Recovery
from lian.domain.messages import CaseState
from lian.domain.tasks import ActionKind
from workflows.claim_correction import ClaimCorrection
from workflows.engine import SYSTEM, Answer

ADVANCE_STOPS = "2026-11-22-an-advance-stops-at-confirmed-fraud"


@dataclass(frozen=True, slots=True)
class Advance:
    """An advance that goes on; as long as there are no more transfers than before, none of it was paid."""

    decision_id: UUID
    approved_before: Decimal
    transfers_before: int


class ClaimMatters(ClaimCorrection):
    """Everything that may come up beside a claim's main path."""

    def __init__(self, state: CaseState) -> None:
        super().__init__(state)
        if self.facts.approved_amount:
            self.commit()  # a claim that was decided to be paid can live again, but not be withdrawn
        self.is_advancing = False
        self.advance: Advance | None = None
        self.advancing: asyncio.Future[None] | None = None
        self.is_objected = False

    def check_action(self, kind: ActionKind, answer: Answer) -> None:
        """Whether the claim allows it as it stands now; the desk's own check may be a moment old."""
        if kind.id in CHECKS:
            CHECKS[kind.id](self, answer)
        else:
            super().check_action(kind, answer)

    def begin_action(self, kind: ActionKind, answer: Answer) -> None:
        if kind.id in BEGIN:
            BEGIN[kind.id](self, answer)
        else:
            super().begin_action(kind, answer)

    @property
    def must_be_followed_up(self) -> bool:
        """Something is still under way after the decision, or made the closed claim live again."""
        return self.has_matters or self.state.begin_at == "aftercare"

    # --- advance (Insurance Law art. 25) ------------------------------------------------------------------------------

    def check_advance(self, answer: Answer) -> None:
        if self.facts.is_decided or self.is_advancing or "assessment" in self.state.done:
            raise Conflict("An advance is paid before the decision, one at a time.")
        if self.facts.suspicion == "open":
            raise Conflict("Nothing is paid while a suspicion is being looked into.")
        if self.facts.paid_amount + answer.outcome.amount > most_payable(self.facts):
            raise Conflict("The policy could not owe as much as that.")
        if answer.outcome.amount > self.ceiling("advance"):
            raise Conflict("Nobody has the authority for an advance of this amount.")

    def begin_advance(self, answer: Answer) -> None:
        self.is_advancing = True
        self.advancing = self.beside(self.pay_in_advance(answer))

    async def pay_in_advance(self, asked: Answer) -> None:
        """The undisputed part, with an authority of its own, before everything else is decided."""
        decision_id, approved = workflow.uuid4(), self.facts.approved_amount + asked.outcome.amount
        self.advance = Advance(decision_id, self.facts.approved_amount, len(self.facts.transfers))
        needs_second = asked.outcome.amount > asked.authority
        self.record(
            j.DecisionMade(
                decision_id=decision_id,
                decided_by=asked.by,
                result="accept",
                approved_amount=approved,
                needs_second=needs_second,
                subject="advance",
                authority_version=self.facts.authority_version,
            ),
            by=asked.by,
        )
        try:
            if not needs_second or await self.is_advance_authorised(decision_id, asked):
                self.facts.approved_amount = approved
                self.commit()
                await self.settle(decision_id, lambda: asked.outcome.amount)
                await self.until(lambda: not self.facts.has_transfers_under_way)
                self.reached("advance_paid")
        finally:
            self.is_advancing, self.advance = False, None

    def when_fraud_is_confirmed(self) -> None:
        """An advance of which nothing went to the bank is not paid; the claim lets us pay what it did before (CLM-14).

        What was paid is owed back once the decision is made.
        """
        advance = self.advance
        if advance is None or len(self.facts.transfers) > advance.transfers_before:
            return
        if self.advancing is None or not workflow.patched(ADVANCE_STOPS):
            return
        self.facts.approved_amount = advance.approved_before
        taken_back = j.DecisionReturned(
            decision_id=advance.decision_id, returned_by=SYSTEM, approved_amount=advance.approved_before
        )
        self.record(taken_back)
        self.advancing.cancel()

    async def is_advance_authorised(self, decision_id: UUID, asked: Answer) -> bool:
        amount = asked.outcome.amount
        second = await self.task(
            ask_for.AUTHORISE_ADVANCE,
            lambda: self.ask_authorisation(amount, "advance"),
            exclude=[asked.by],
            least_authority=amount,
        )
        self.record_second(decision_id, second)
        return bool(second.outcome.agree)

    # --- objection (CLM-11) -------------------------------------------------------------------------------------------

    def check_objection(self, answer: Answer) -> None:
        if not self.facts.is_decided:
            raise Conflict("There is no decision yet to object to.")
        if self.proposed is not None:
            raise Conflict("The claim is being decided anew; object to the new decision.")
        if self.is_objected:
            raise Conflict("An objection to this decision is being looked at already.")

    def begin_objection(self, answer: Answer) -> None:
        self.is_objected = True
        objection_id = workflow.uuid4()
        lodged = j.ObjectionLodged(
            objection_id=objection_id,
            decision_id=self.decision_id,
            grounds=answer.outcome.grounds,
            words=answer.notes,
        )
        self.record(lodged, by=answer.by)
        self.beside(self.review_objection(objection_id, answer.outcome.grounds))

    async def review_objection(self, objection_id: UUID, grounds: str) -> None:
        """Somebody who did not decide looks again; meanwhile what was agreed is paid."""
        deciders = self.facts.deciders
        answer = await self.task(
            look.REVIEW_OBJECTION,
            lambda: {"grounds": grounds, "approved_amount": str(self.facts.approved_amount)},
            exclude=deciders,
        )
        result = answer.outcome.result
        self.record(j.ObjectionDecided(objection_id=objection_id, result=result, decided_by=answer.by), by=answer.by)
        self.is_objected = False
        if result == "changed":
            self.facts.barred = deciders[:1]
            await self.decide_anew()

    # --- referral (CLM-14) --------------------------------------------------------------------------------------------

    def check_referral(self, answer: Answer) -> None:
        if self.facts.suspicion == "open":
            raise Conflict("Special investigation is at work already.")

    def begin_referral(self, answer: Answer) -> None:
        self.refer(answer.outcome.why, by=answer.by)

    # --- reversal (CLM-10) --------------------------------------------------------------------------------------------

    def check_reversal(self, answer: Answer) -> None:
        if not self.is_reversible(UUID(answer.outcome.payment_id)):
            raise Conflict("Only a payment that was made, and still counts in full, can be reversed.")

    def is_reversible(self, payment_id: UUID) -> bool:
        """Made, and not owed back already as an overpayment."""
        transfer = self.facts.transfers.get(payment_id)
        return transfer is not None and 0 < transfer.counts <= self.facts.paid_amount

    def begin_reversal(self, answer: Answer) -> None:
        self.beside(self.reverse(UUID(answer.outcome.payment_id), answer))

    async def reverse(self, payment_id: UUID, asked: Answer) -> None:
        """Agreed to by a second person, it is claimed back and paid to whom it belongs."""
        transfer = self.facts.transfers[payment_id]
        second = await self.task(
            look.APPROVE_REVERSAL,
            lambda: {"payment_id": str(payment_id), "amount": str(transfer.amount), "why": asked.outcome.why},
            exclude=[asked.by],
            least_authority=transfer.amount,
        )
        if not second.outcome.agree or not self.is_reversible(payment_id):
            return
        recovery_id = self.claim_back(Recovery.RECALL, transfer.amount, payment_id)
        transfer.status = "reversed"
        self.record(
            j.PaymentReversed(
                payment_id=payment_id,
                why=asked.outcome.why,
                recovery_id=recovery_id,
                asked_by=asked.by,
                reversed_by=second.by,
            ),
            by=second.by,
        )
        self.pay_again()

    # --- break-glass (CLM-9) ------------------------------------------------------------------------------------------

    def check_override(self, answer: Answer) -> None:
        waits = self.open_task_of(ask_for.AUTHORISE) is not None or self.panel is not None
        if self.proposed is None or not waits:
            raise Conflict("No decision waits for somebody with more authority.")
        if answer.by == self.proposed.by:
            raise NotAllowed("You decided on this case before; another person must do this.")

    def begin_override(self, answer: Answer) -> None:
        assert self.proposed_id is not None
        event = j.AuthorityOverridden(decision_id=self.proposed_id, overridden_by=answer.by, why=answer.outcome.why)
        self.record(event, by=answer.by)
        waiting = self.open_task_of(ask_for.AUTHORISE)
        if waiting:
            agreed = Answer(answer.by, answer.authority, ask_for.Authorisation(agree=True), answer.notes)
            self.answer_instead(waiting, agreed, "overridden")
        elif self.panel:
            self.panel.overridden_by = answer.by


CHECKS: dict[str, Callable[[ClaimMatters, Answer], None]] = {
    actions.PAY_ADVANCE.id: ClaimMatters.check_advance,
    actions.OBJECT.id: ClaimMatters.check_objection,
    actions.REFER.id: ClaimMatters.check_referral,
    actions.REVERSE_PAYMENT.id: ClaimMatters.check_reversal,
    actions.OVERRIDE_AUTHORITY.id: ClaimMatters.check_override,
    actions.CORRECT.id: ClaimMatters.check_correction,
}
BEGIN: dict[str, Callable[[ClaimMatters, Answer], None]] = {
    actions.PAY_ADVANCE.id: ClaimMatters.begin_advance,
    actions.OBJECT.id: ClaimMatters.begin_objection,
    actions.REFER.id: ClaimMatters.begin_referral,
    actions.REVERSE_PAYMENT.id: ClaimMatters.begin_reversal,
    actions.OVERRIDE_AUTHORITY.id: ClaimMatters.begin_override,
    actions.CORRECT.id: ClaimMatters.begin_correction,
}
