"""Agreeing to a claim's decision: alone, with a second person, in a panel; and taking one back (CLM-8, CLM-9)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from temporalio import workflow

from lian.domain import journal as j
from lian.domain.claims import tasks as ask_for
from lian.domain.ledger import Recovery
from lian.domain.messages import CaseState
from lian.domain.panel import Rule
from workflows.claim_file import ClaimFile
from workflows.engine import Answer
from workflows.panel import PanelSession

PANEL_SEATS, PANEL_QUORUM = 3, 2
"""How many are asked, and how many must vote at least (CLM-8)."""


class ClaimDecision(ClaimFile):
    """Who must agree before a decision counts."""

    def __init__(self, state: CaseState) -> None:
        super().__init__(state)
        self.panel: PanelSession | None = None
        self.proposed: Answer | None = None
        """The decision that waits for others to agree, and its id."""
        self.proposed_id: UUID | None = None

    def way_to_decide(self, answer: Answer, approved: Decimal) -> str:
        """Alone, with a second person, or in a panel: when wished for, or when nobody may decide the amount alone."""
        if answer.outcome.panel or approved > self.ceiling("claim"):
            return "panel"
        return "alone" if approved <= answer.authority else "second"

    async def is_agreed(self, way: str, decision_id: UUID, decided: Answer, approved: Decimal) -> bool:
        """Whether those who must agree do; then the decision is in force."""
        self.proposed, self.proposed_id = decided, decision_id
        if way == "panel":
            agreed = await self.is_carried(decision_id, decided, approved)
        elif way == "second":
            agreed = await self.is_authorised(decision_id, decided, approved)
        else:
            agreed = True
            self.put_in_force(decision_id, approved, decided.by)
        self.proposed = None
        return agreed

    async def is_authorised(self, decision_id: UUID, decided: Answer, approved: Decimal) -> bool:
        """A second person with enough authority, never the one who decided (CLM-9)."""
        second = await self.task(
            ask_for.AUTHORISE,
            lambda: self.ask_authorisation(approved),
            exclude=[decided.by],
            least_authority=approved,
        )
        self.record_second(decision_id, second)
        if second.outcome.agree:
            self.put_in_force(decision_id, approved, decided.by, second.by)
        return bool(second.outcome.agree)

    def record_second(self, decision_id: UUID, second: Answer) -> None:
        """What the second person said of a decision."""
        if second.outcome.agree:
            self.record(j.DecisionAuthorised(decision_id=decision_id, authorised_by=second.by), by=second.by)
        else:
            self.record(j.DecisionReturned(decision_id=decision_id, returned_by=second.by), by=second.by)

    async def is_carried(self, decision_id: UUID, decided: Answer, approved: Decimal) -> bool:
        """Several people vote, each with reasons; minutes are kept (CLM-8). One above everybody must be unanimous."""
        beyond = approved > self.ceiling("claim")
        rule = Rule.UNANIMOUS if beyond else Rule(decided.outcome.panel)
        why = "beyond_authority" if beyond else "asked_for"
        panel = PanelSession(workflow.uuid4(), decision_id, decided.by, PANEL_SEATS, PANEL_QUORUM, rule, why)
        self.panel = panel
        await panel.meet(self, lambda: self.ask_ballot(approved, panel.seats, panel.quorum, panel.rule))
        if panel.is_carried:
            agreed_by = panel.overridden_by or f"panel:{panel.id}"
            self.record(j.DecisionAuthorised(decision_id=decision_id, authorised_by=agreed_by), by=agreed_by)
            self.put_in_force(decision_id, approved, decided.by, *panel.voters)
        else:
            self.record(j.DecisionReturned(decision_id=decision_id, returned_by=f"panel:{panel.id}"))
        # It is decided: while the minutes are written nobody can overrule it any more.
        carried, self.panel, self.proposed = panel.is_carried, None, None
        await self.letter("panel_minutes", panel.id)
        return carried

    def put_in_force(self, decision_id: UUID, approved: Decimal, *deciders: str) -> None:
        """The decision counts; what was paid above it is owed back (I3: paid is never more than approved)."""
        self.facts.decision_id = decision_id
        self.facts.approved_amount, self.facts.deciders = approved, deciders
        self.facts.is_decided = True
        if self.facts.outstanding < 0:
            for party_id, amount in self.overpaid().items():
                self.claim_back(Recovery.OVERPAYMENT, amount, party_id=party_id)
        self.reserve_what_is_payable()

    def claim_back(
        self, why: Recovery, amount: Decimal, payment_id: UUID | None = None, party_id: UUID | None = None
    ) -> UUID:
        """Money of ours that is owed back, by this party where it is known; it no longer counts as paid."""
        recovery_id, facts = workflow.uuid4(), self.facts
        if payment_id is None:
            facts.owed_back += amount
        if party_id:
            facts.owed_back_by[party_id] = facts.owed_back_by.get(party_id, Decimal(0)) + amount
        self.record(
            j.RecoveryOpened(
                recovery_id=recovery_id,
                recovery=why,
                expected_amount=amount,
                currency=self.facts.snapshot.currency,
                payment_id=payment_id,
                party_id=party_id,
            )
        )
        return recovery_id

    async def decide_anew(self) -> None:
        """Back to the decision, once the bank has answered everything that is with it."""
        if self.proposed is None and not self.facts.is_decided:
            return
        await self.until(lambda: not self.facts.has_transfers_under_way)
        if self.proposed is not None:
            assert self.proposed_id is not None
            self.record(j.DecisionReturned(decision_id=self.proposed_id, returned_by="system"))
        self.proposed = self.panel = None
        self.return_to("decision")
