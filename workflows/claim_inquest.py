"""What must be found out about a claim: is it known already, what happened, is it honest (CLM-3, CLM-6, CLM-14)."""

from __future__ import annotations

from uuid import UUID

from temporalio import workflow

from lian.domain import journal as j
from lian.domain.claims.inquest_tasks import EXAMINE_SUSPICION
from lian.domain.claims.maturity import MaturityFacts
from workflows.claim_decision import ClaimDecision
from workflows.engine import Answer


class ClaimInquest(ClaimDecision):
    """Duplicates, risk, and the investigation plan."""

    def join_or_relate(self, judgement: Answer) -> None:
        """The same loss is handled in one case only; related ones know of each other."""
        numbers = {str(x.case_id): x for x in self.facts.likenesses}
        for answer in judgement.outcome.likenesses:
            if answer.relation == "different":
                continue
            other = numbers[answer.other_case_id]
            same = answer.relation == "same_loss"
            self.facts.merged_into = other.case_id if same else self.facts.merged_into
            self.record(
                j.CaseLinked(
                    other_case_id=other.case_id,
                    other_number=other.number,
                    relation="duplicate_of" if same else "related_to",
                    reasons=other.reasons,
                ),
                by=judgement.by,
            )
        self.facts.likenesses = ()

    def close_as_merged(self) -> str:
        """The other case goes on with this report's papers; no promise runs here any longer."""
        self.drop_matters()
        self.release_reserves("merged")
        self.conclude_referral()
        return "merged"

    def when_withdrawn(self) -> None:
        super().when_withdrawn()
        self.conclude_referral()

    def conclude_referral(self) -> None:
        """Nobody looks into a suspicion any longer once the case has ended."""
        if self.facts.suspicion == "open" and self.facts.referral_id:
            self.facts.suspicion = "inconclusive"
            self.record(j.RiskConcluded(referral_id=self.facts.referral_id, outcome="inconclusive"))

    def weigh_risk(self) -> None:
        """The indicators' score with its reasons; a high one is looked into by others (CLM-14)."""
        risk = self.facts.risk
        if risk is None:
            return
        scored = j.RiskScored(
            likelihood=risk.likelihood,
            impact=risk.impact,
            level=risk.level,
            findings=risk.findings,
            table_version=risk.table_version,
        )
        self.record(scored)
        if risk.level == "high":
            self.refer("score", by="system")

    def refer(self, why: str, *, by: str) -> None:
        """To special investigation, beside everything else; nothing is paid before it has concluded."""
        self.facts.suspicion = "open"
        self.facts.referral_id = referral_id = workflow.uuid4()
        self.record(j.RiskReferred(referral_id=referral_id, why=why), by=by)
        self.beside(self.examine_suspicion(referral_id))

    async def examine_suspicion(self, referral_id: UUID) -> None:
        """Cleared, confirmed or inconclusive; a decision made before is made anew when it is confirmed (CLM-14)."""
        found = await self.task(EXAMINE_SUSPICION, self.ask_suspicion)
        self.facts.suspicion = found.outcome.outcome
        self.record(j.RiskConcluded(referral_id=referral_id, outcome=found.outcome.outcome), by=found.by)
        if found.outcome.outcome == "confirmed":
            self.when_fraud_is_confirmed()
            await self.decide_anew()
        self.ask_anew()

    def when_fraud_is_confirmed(self) -> None:
        """What is given up at once, before the decision is made anew; a later part of the procedure says what."""

    def count_as_registered(self) -> None:
        """Triaged, told apart from others, and looked at: the claim is registered (立案)."""
        self.reached("registered")
        self.grow(
            MaturityFacts(
                is_triaged=True,
                unjudged_likenesses=len(self.facts.likenesses),
                is_reviewed=True,
            )
        )

    def plan_investigation(self, review: Answer) -> None:
        """What the reviewer wants to know, and what they suspect (CLM-6, CLM-14)."""
        self.facts.planned = review.outcome.investigate
        if self.facts.planned:
            self.record(j.InvestigationPlanned(actions=self.facts.planned), by=review.by)
        if review.outcome.suspicion and self.facts.suspicion != "open":
            self.refer(review.outcome.suspicion, by=review.by)

    @property
    def must_be_investigated(self) -> bool:
        """Something is to be found out, or a suspicion stands."""
        return bool(self.facts.planned) or self.facts.suspicion == "open"

    def record_finding(self, action: str, report: Answer) -> None:
        assert report.task_id is not None
        event = j.InvestigationReported(task_id=report.task_id, action=action, finding=report.outcome.finding)
        self.record(event, by=report.by)
