"""The claim, as the claims manual tells it (CLM-3..11)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from temporalio import workflow

from lian.domain import journal as j
from lian.domain.claims import tasks as ask_for
from lian.domain.claims.inquest_tasks import INVESTIGATION_TASKS, JUDGE_DUPLICATE
from lian.domain.claims.triage import triage
from lian.domain.messages import CaseState
from workflows.claim_matters import ClaimMatters

ANSWER_WITHIN = timedelta(days=30)
"""How long a claimant has to send missing documents before the case goes on without them."""
TAKEN_IN = ("acknowledged", "registered")
LOOKED_INTO = (*TAKEN_IN, "reviewed", "documents_requested", "documents_complete", "investigation_started")
TOLD = (*LOOKED_INTO, "decided", "accepted", "refused", "decision_told")
PASSED = {
    "review": TAKEN_IN,
    "assessment": LOOKED_INTO,
    "decision": LOOKED_INTO,
    "settlement": TOLD,
    "aftercare": TOLD,
}
"""Milestones that a reopened claim has behind it, by the stage where its new life begins."""


@workflow.defn
class Claim(ClaimMatters):
    """One claim from the report to its payment or denial, and whatever comes up after it."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        """Report, review, documents, investigation, assessment, decision; then settle and pay, or deny."""
        return await self.perform(self.procedure)

    async def procedure(self) -> str:
        """The manual's main path, stage by stage; a reopened claim joins it where it was reopened."""
        if self.is_reopened:
            self.promise_anew()
        await self.stage("report", self.register_and_triage)
        if self.facts.merged_into:
            return self.close_as_merged()
        await self.stage("review", self.review)
        await self.stage("documents", self.gather_documents)
        if self.must_be_investigated:
            await self.stage("investigation", self.investigate)
        await self.stage("assessment", self.assess_loss)
        await self.stage("decision", self.decide)
        if self.facts.is_denied:
            await self.stage("denial", self.notify_denial)
        else:
            await self.stage("settlement", self.settle_and_pay)
        if self.must_be_followed_up:
            await self.stage("aftercare", self.follow_up)
        return "denied" if self.facts.is_denied else "paid"

    # --- the stages ---------------------------------------------------------------------------------------------------

    async def register_and_triage(self) -> None:
        """Promises run from the receipt; simple or complex, and why; is it known already (CLM-3, CLM-12)?"""
        found = triage(facts=self.triage_facts())
        self.facts.complexity = found.complexity
        self.record(j.CaseTriaged(complexity=found.complexity, severity=found.severity, findings=found.findings))
        self.reached("received", self.state.received_at)
        self.reached("acknowledged")  # the notice with the case's number went out with the report
        self.weigh_risk()
        if self.facts.likenesses:
            self.join_or_relate(await self.task(JUDGE_DUPLICATE, self.ask_duplicates))

    def promise_anew(self) -> None:
        """A reopened claim's promises run from its reopening, beside the old ones (CLM-15)."""
        self.clocks.pass_over(*PASSED[self.state.begin_at])
        self.reached("received", self.state.received_at)
        self.clocks.grade(self.facts.complexity.value)

    async def review(self) -> None:
        """Within 48 hours somebody has looked, and knows everything that is missing (CLM-4, CLM-5)."""
        review = await self.task(ask_for.INITIAL_REVIEW, self.ask_review)
        self.reached("reviewed")
        self.facts.complexity, self.facts.missing = review.outcome.complexity, review.outcome.missing
        self.clocks.grade(self.facts.complexity.value)
        self.count_as_registered()
        self.plan_investigation(review)

    async def gather_documents(self) -> None:
        """One complete request; the clocks wait while the claimant answers (CLM-5)."""
        missing, complete_at = self.facts.missing, self.state.received_at
        while missing:
            complete_at = await self.request(missing, within=ANSWER_WITHIN)
            check = await self.task(ask_for.CHECK_DOCUMENTS, partial(self.ask_check, missing))
            missing = check.outcome.refused
        self.reached("documents_complete", complete_at)

    async def investigate(self) -> None:
        """Every planned action is somebody's task; a suspicion is looked into beside them (CLM-6, CLM-14)."""
        self.reached("investigation_started")
        await asyncio.gather(*(self.carry_out(action) for action in self.facts.planned))
        await self.until(lambda: self.facts.suspicion != "open")

    async def carry_out(self, action: str) -> None:
        """One way to find out, with its finding."""
        report = await self.task(INVESTIGATION_TASKS[action], dict)
        self.record_finding(action, report)

    async def assess_loss(self) -> None:
        """What is each loss worth, and is it covered at all (CLM-7)."""
        assessment = await self.task(ask_for.ASSESS_LOSS, self.ask_assessment)
        for loss in assessment.outcome.losses:
            exposure = self.exposure(loss.exposure_id)
            exposure.assessed_amount, exposure.excluded_reason = loss.assessed_amount, loss.excluded_reason
            self.record_assessment(exposure, assessment)

    async def decide(self) -> None:
        """A decision stands when its maker may decide the amount, or those who may agree (CLM-8, CLM-9)."""
        await self.until(lambda: not self.is_advancing)
        while not await self.decided_for_good():
            pass
        self.reached("decided")
        self.reached("refused" if self.facts.is_denied else "accepted")
        self.reached("decision_told")

    async def decided_for_good(self) -> bool:
        """One decision: final at once, agreed to by another person or a panel, or sent back."""
        answer = await self.task(ask_for.ADJUDICATE, self.ask_adjudication, exclude=self.facts.barred)
        decision_id, approved = workflow.uuid4(), answer.outcome.approved_amount
        self.facts.decisions = self.decisions(answer.outcome)
        way = self.way_to_decide(answer, approved)
        self.record_decision(decision_id, answer, approved, needs_second=way != "alone")
        return await self.is_agreed(way, decision_id, answer, approved)

    async def notify_denial(self) -> None:
        """The notice gives the reasons and the ways to object (CLM-11)."""
        await self.letter("denial", self.decision_id)
        self.reached("refusal_sent")

    async def settle_and_pay(self) -> None:
        """Agree who is paid, pay, and agree again on whatever is still owed (CLM-10)."""
        self.commit()
        while self.facts.outstanding > 0:
            if self.facts.transfers:
                self.enter("settlement")
            await self.settle(self.decision_id, lambda: self.facts.outstanding, entering="payment")
        self.release_reserves("settled")
        self.reached("paid")

    async def follow_up(self) -> None:
        """What came up after the decision is settled before the claim closes (CLM-11, CLM-15)."""
        await self.until(lambda: not self.has_matters)
        self.reached("closed")
