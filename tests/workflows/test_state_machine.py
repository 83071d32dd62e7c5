"""Thousands of commands on a claim, in any order, by anybody: whatever is accepted, the invariants hold (I1-I4, I7).

The procedure runs as it is, without a server (see `plain.py`); permissions are the desk's and are left out on purpose:
here everybody may try everything, so only the process and the rows' own rules stand between a person and the money.
`LIAN_STEPS=200 LIAN_EXAMPLES=500` makes it walk further.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import TypeAdapter
from temporalio.exceptions import ApplicationError

from lian.db.tables import (
    Case,
    Clock,
    Correction,
    Decision,
    LedgerLine,
    Objection,
    PanelVote,
    Payee,
    Payment,
    RecoveryClaim,
    Referral,
    Task,
)
from lian.domain import journal as j
from lian.domain.calendars import plain_calendar
from lian.domain.case_kinds import NOT_WAITED_FOR
from lian.domain.claims.definition import CLAIM
from lian.domain.claims.duplicates import Likeness
from lian.domain.claims.facts import ClaimExposure, ClaimFacts
from lian.domain.claims.risk import RiskScore
from lian.domain.claims.terms import CoverageTerms, Line, LossCause, PolicySnapshot
from lian.domain.labels import Label
from lian.domain.messages import Act, CaseState, CloseRequest, CompleteTask, Withdraw
from lian.domain.plan import CasePlan
from tests.workflows.hands import usual_answer
from tests.workflows.plain import START, Plain

LIMITS = {"OD": Decimal(40_000), "PD": Decimal(20_000)}
STAFF = {
    "staff:junior": Decimal(10_000),
    "staff:junior2": Decimal(10_000),
    "staff:senior": Decimal(50_000),
    "staff:lead": Decimal(1_000_000),
    "staff:lead2": Decimal(1_000_000),
    "staff:manager": Decimal(5_000_000),
    "customer:zhao": Decimal(0),
}
CLAIMED = (Decimal(3_000), Decimal(30_000), Decimal(60_000))
FACTS = TypeAdapter(ClaimFacts)
SNAPSHOT = TypeAdapter(PolicySnapshot)
OTHERWISE: dict[str, dict[int, dict[str, Any]]] = {
    "initial_review": {1: {"investigate": ["scene_survey"]}, 2: {"suspicion": "fraud"}, 3: {"missing": ["identity"]}},
    "check_documents": {1: {"refused": ["identity"]}},
    "examine_suspicion": {1: {"outcome": "confirmed"}, 2: {"outcome": "inconclusive"}},
    "review_objection": {1: {"result": "changed"}, 3: {"result": "changed"}, 5: {"result": "changed"}},
    "panel_vote": {1: {"vote": "disagree"}, 2: {"vote": "abstain"}},
}
"""How else somebody may answer, by how contrary they feel."""
EXAMPLES, STEPS = int(os.environ.get("LIAN_EXAMPLES", "100")), int(os.environ.get("LIAN_STEPS", "60"))


def terms(limit: Decimal = LIMITS["OD"]) -> PolicySnapshot:
    return PolicySnapshot(
        policy_number="P-1",
        line=Line.MOTOR,
        currency="CNY",
        term_from=date(2020, 1, 1),
        term_to=None,
        coverages=(
            CoverageTerms(code="OD", label=Label("Own damage", "车损"), limit=limit, deductible=Decimal(500)),
            CoverageTerms(code="PD", label=Label("Property", "财产"), limit=LIMITS["PD"]),
        ),
    )


class AnyClaim(RuleBasedStateMachine):
    """One claim, through all its lives."""

    @initialize(
        claimed=st.sampled_from(CLAIMED),
        is_risky=st.booleans(),
        is_known=st.booleans(),
        low_ceiling=st.booleans(),
        second=st.sampled_from([2, 4]),
    )
    def report(self, claimed: Decimal, is_risky: bool, is_known: bool, low_ceiling: bool, second: int) -> None:
        case_id, parties = UUID(int=1), (UUID(int=2), UUID(int=second))
        self.exposures = [UUID(int=10), UUID(int=11)]
        self.plain = Plain(case_id)
        self.patches = self.plain.patched()
        self.patches.__enter__()
        self.commands = 0
        self.last: tuple[str, Any] | None = None
        self.in_force_above: list[str] = []
        self.made_before_fraud = 0
        exposures = [
            ClaimExposure(exposure_id=e, coverage_code=c, claimant_party_id=party, claimed_amount=claimed)
            for e, c, party in zip(self.exposures, ("OD", "PD"), parties, strict=True)
        ]
        facts = ClaimFacts(
            snapshot=terms(),
            line=Line.MOTOR,
            loss_cause=LossCause.COLLISION,
            loss_at=START - timedelta(days=3),
            reported_at=START - timedelta(days=1),
            injured=0,
            claimed_amount=claimed * 2,
            exposures=exposures,
            risk=RiskScore(5 if is_risky else 1, 4, (), "risk/1"),
            likenesses=(Likeness(case_id=UUID(int=99), number="CLM-2026-000099", score=80, reasons=()),)
            if is_known
            else (),
            ceilings={"claim": Decimal(20_000 if low_ceiling else 5_000_000), "advance": Decimal(20_000)},
        )
        plan = CasePlan("house", plain_calendar("Asia/Shanghai"), {p.id: p for p in CLAIM.clocks})
        self.state = CaseState(case_id=case_id, kind="claim", plan=plan, received_at=START, facts=self.dumped(facts))
        self.put_intake(facts)
        self.plain.start(self.state)

    def dumped(self, facts: ClaimFacts) -> dict[str, Any]:
        found: dict[str, Any] = FACTS.dump_python(facts, mode="json")
        return found

    def put_intake(self, facts: ClaimFacts) -> None:
        drafted = j.CaseDrafted(number="CLM-2026-000001", kind="claim", channel="web", subject_person_id=UUID(int=3))
        reported = j.ClaimReported(
            policy_number="P-1",
            line="motor",
            loss_cause=facts.loss_cause,
            loss_at=facts.loss_at,
            reported_at=facts.reported_at,
            injured=0,
            claimed_amount=facts.claimed_amount,
            currency="CNY",
        )
        taken = j.SnapshotTaken(snapshot=facts.snapshot)
        added = [
            j.PartyAdded(party_id=party, person_id=UUID(int=party.int + 1), role="claimant")
            for party in {e.claimant_party_id for e in facts.exposures}
        ]
        opened = [
            j.ExposureOpened(
                exposure_id=e.exposure_id,
                coverage_code=e.coverage_code,
                claimant_party_id=e.claimant_party_id,
                claimed_amount=e.claimed_amount,
            )
            for e in facts.exposures
        ]
        submitted = j.CaseSubmitted(received_at=START, plan={}, promised_at=None)
        for event in (drafted, reported, taken, *added, *opened, submitted):
            self.plain.loop.run_until_complete(self.plain.put(event))

    # --- what anybody may try -----------------------------------------------------------------------------------------

    def try_to(self, name: str, command: Any) -> None:
        """Accepted or refused; a refusal leaves no trace."""
        before, self.last = len(self.plain.events), (name, command)
        try:
            self.plain.say(name, command)
        except ApplicationError:
            assert len(self.plain.events) == before, "a refused command left a trace"
            self.last = None
            return
        if name != "withdraw" or before != len(self.plain.events):
            assert len(self.plain.events) > before, "an acknowledged command is not on record (I1)"

    def fresh(self) -> str:
        self.commands += 1
        return f"command-{self.commands}"

    def open_tasks(self) -> list[Task]:
        """What the process waits for; why a promise was broken it does not."""
        return [t for t in self.of(Task) if t.status == "open" and t.kind not in NOT_WAITED_FOR]

    def of(self, model: type[Any]) -> list[Any]:
        return [row for (kind, _), row in self.plain.rows.rows.items() if kind is model]

    @property
    def case(self) -> Case:
        (case,) = self.of(Case)
        assert isinstance(case, Case)
        return case

    @property
    def is_live(self) -> bool:
        return not self.plain.outcome()

    @precondition(lambda self: self.is_live and self.open_tasks())
    @rule(which=st.integers(0, 9), who=st.sampled_from(sorted(STAFF)), how=st.integers(0, 5), data=st.data())
    def answer(self, which: int, who: str, how: int, data: st.DataObject) -> None:
        tasks = self.open_tasks()
        task = tasks[which % len(tasks)]
        outcome = self.some_answer(task, how, data)
        command = CompleteTask(
            command_id=self.fresh(), task_id=task.id, actor=who, authority=STAFF[who], outcome=outcome, notes="why"
        )
        if task.kind == "agree_settlement":
            outcome["payees"] = [self.named(share, who) for share in outcome["payees"]]
        self.try_to("complete_task", command)

    def some_answer(self, task: Task, how: int, data: st.DataObject) -> dict[str, Any]:
        """Mostly as proposed, sometimes otherwise, sometimes beyond what is allowed."""
        outcome: dict[str, Any] = usual_answer(task.kind, task.ask)
        if task.kind == "agree_settlement":
            return self.some_settlement(task, how)
        if task.kind == "assess_loss":
            for row in outcome["losses"]:
                row["assessed_amount"] = str(data.draw(st.sampled_from([0, 1_000, 3_000, 30_000, 60_000])))
        elif task.kind == "adjudicate":
            self.some_decision(outcome, how, data)
        elif task.kind == "judge_duplicate":
            outcome["likenesses"][0]["relation"] = "same_loss" if how == 1 else "related"
        elif task.kind in OTHERWISE:
            outcome |= OTHERWISE[task.kind].get(how, {})
        elif how == 1:
            outcome = {k: (False if isinstance(v, bool) else v) for k, v in outcome.items()}
        return outcome

    def some_decision(self, outcome: dict[str, Any], how: int, data: st.DataObject) -> None:
        outcome["panel"] = {1: "majority", 2: "unanimous"}.get(how, "")
        for row in outcome["decisions"] if how in {3, 4, 5} else ():
            row["payable_amount"] = str(data.draw(st.sampled_from([0, 500, 2_000, 25_000, 90_000])))
            row["result"] = "deny" if row["payable_amount"] == "0" else "partial"
            row["reason"] = "evidence_insufficient"

    def some_settlement(self, task: Task, how: int) -> dict[str, Any]:
        whole, party = Decimal(task.ask["approved_amount"]), task.ask["rows"]["payees"][0]["party_id"]
        part = (whole / 2).quantize(Decimal("0.01"))
        shares = {1: [part], 2: [part, whole - part], 3: [whole + 1], 4: [-whole, whole * 2]}.get(how, [whole])
        return {
            "payees": [{"party_id": party, "amount": str(amount)} for amount in shares],
            "extent": "part" if how == 1 else "",
        }

    def named(self, share: dict[str, Any], who: str) -> dict[str, Any]:
        """What the desk does before the process is told: the payee is on record."""
        payee_id = UUID(int=self.plain.chance.getrandbits(128), version=4)
        is_changed, hit = self.plain.chance.random() < 0.3, self.plain.chance.random() < 0.2
        event = j.PayeeNamed(
            payee_id=payee_id,
            decision_id=UUID(int=5),
            person_id=UUID(int=3),
            amount=abs(Decimal(share["amount"])),
            is_changed=is_changed,
            sanctions="hit" if hit else "clear",
        )
        self.plain.loop.run_until_complete(self.plain.put(event, by=who))
        return share | {"payee_id": str(payee_id), "is_changed": is_changed, "sanctions": "hit" if hit else "clear"}

    @rule(who=st.sampled_from(sorted(STAFF)), data=st.data())
    def act(self, who: str, data: st.DataObject) -> None:
        action = data.draw(
            st.sampled_from(["pay_advance", "object", "refer", "reverse_payment", "override_authority", "correct"])
        )
        outcome = self.some_action(action, data)
        if outcome is None:
            return
        command = Act(
            command_id=self.fresh(), action=action, actor=who, authority=STAFF[who], outcome=outcome, notes="why"
        )
        if self.is_live:
            self.try_to("act", command)
        elif self.case.outcome in (CLAIM.action(action) or CLAIM.actions[0]).revives:
            self.live_again("aftercare", command)

    def some_action(self, action: str, data: st.DataObject) -> dict[str, Any] | None:
        match action:
            case "pay_advance":
                return {"amount": str(data.draw(st.sampled_from([100, 2_500, 15_000, 80_000])))}
            case "object":
                return {"grounds": "amount"}
            case "refer":
                return {"why": "fraud"}
            case "override_authority":
                return {"why": "court_order"}
            case "reverse_payment":
                payments = [p.id for p in self.of(Payment)]
                return (
                    {"payment_id": str(data.draw(st.sampled_from(payments))), "why": "wrong_payee"}
                    if payments
                    else None
                )
        return self.some_correction(data)

    def some_correction(self, data: st.DataObject) -> dict[str, Any]:
        name, after = data.draw(
            st.sampled_from(
                [
                    ("assessed_amount", "1000"),
                    ("assessed_amount", "45000"),
                    ("claimed_amount", "2000"),
                    ("loss_cause", "fire"),
                    ("policy_number", "P-2"),
                    ("loss_at", (START - timedelta(days=2)).isoformat()),
                    ("received_at", (START - timedelta(days=1)).isoformat()),
                ]
            )
        )
        snapshot = SNAPSHOT.dump_python(terms(Decimal(15_000)), mode="json") if name == "policy_number" else {}
        exposure = str(data.draw(st.sampled_from(self.exposures))) if name.endswith("_amount") else ""
        return {"name": name, "after": after, "before": "as before", "exposure_id": exposure, "snapshot": snapshot}

    @precondition(lambda self: any(p.status == "requested" for p in self.of(Payment)))
    @rule(accepted=st.sampled_from([True, True, True, False]))
    def bank_answers(self, accepted: bool) -> None:
        payment = next(p for p in self.of(Payment) if p.status == "requested")
        self.plain.bank_says(payment.id, "confirmed" if accepted else "rejected")

    @precondition(lambda self: any(p.status == "confirmed" for p in self.of(Payment)))
    @rule()
    def payees_bank_returns(self) -> None:
        payment = next(p for p in self.of(Payment) if p.status == "confirmed")
        back = self.plain.what_came_back(payment.id)
        if self.is_live:
            self.plain.say("take_back", back)
            assert payment.status == "returned"
        else:
            self.plain.return_to_closed(back)
            self.live_again("settlement", None)

    @precondition(lambda self: self.is_live)
    @rule(who=st.sampled_from(["customer:zhao", "staff:lead"]), luck=st.integers(0, 24))
    def withdraw(self, who: str, luck: int) -> None:
        """Seldom, or nothing else would ever happen."""
        if luck == 17:
            self.try_to("withdraw", Withdraw(command_id=self.fresh(), actor=who))

    @precondition(lambda self: self.is_live)
    @rule(steps=st.integers(1, 6))
    def work_goes_on(self, steps: int) -> None:
        """The ordinary way: whatever waits is done by the first who may, and the bank pays."""
        for _ in range(steps):
            if not self.is_live:
                return
            self.one_ordinary_step()

    def one_ordinary_step(self) -> None:
        for payment in [p for p in self.of(Payment) if p.status == "requested"]:
            self.plain.bank_says(payment.id, "confirmed")
        self.documents_arrive()
        for task in self.open_tasks()[:1]:
            able = [who for who in sorted(STAFF) if who not in task.excluded and STAFF[who] >= task.least_authority]
            who, outcome = able[self.commands % len(able)], usual_answer(task.kind, task.ask)
            if task.kind == "agree_settlement":
                outcome["payees"] = [self.named(share, who) for share in outcome["payees"]]
            command = CompleteTask(
                command_id=self.fresh(),
                task_id=task.id,
                actor=who,
                authority=STAFF[who],
                outcome=outcome,
                notes="why",
            )
            self.try_to("complete_task", command)

    @precondition(lambda self: self.is_live)
    @rule()
    def customer_answers_the_request(self) -> None:
        self.documents_arrive()

    def documents_arrive(self) -> None:
        assert self.plain.claim is not None
        waiting = self.plain.claim._request
        if waiting:
            self.plain.claim.close_request(
                CloseRequest(request_id=waiting[0], how="answered", closed_at=self.plain.now)
            )
            self.plain.settle()

    @rule(days=st.sampled_from([1, 4, 20, 40]))
    def time_passes(self, days: int) -> None:
        self.plain.pass_time(timedelta(days=days))

    @precondition(lambda self: self.is_live and self.last is not None)
    @rule()
    def say_it_again(self) -> None:
        """A repeat of the last command changes nothing (I2)."""
        assert self.last is not None
        name, command = self.last
        before = len(self.plain.events)
        try:
            self.plain.say(name, command)
        except ApplicationError:
            return
        assert len(self.plain.events) == before

    @precondition(lambda self: not self.is_live and self.case.outcome != "merged")
    @rule(stage=st.sampled_from(["review", "assessment", "decision"]))
    def reopen(self, stage: str) -> None:
        self.live_again(stage, None)

    def live_again(self, stage: str, first: Act | None) -> None:
        assert self.plain.claim is not None
        old = self.plain.claim.dump_state()
        generation = old.generation + 1
        event = j.CaseReopened(stage=stage, generation=generation, reason="why")
        self.plain.loop.run_until_complete(self.plain.put(event, by="staff:lead"))
        state = CaseState(
            case_id=old.case_id,
            kind="claim",
            plan=old.plan,
            received_at=self.plain.now,
            facts=old.facts,
            generation=generation,
            seq=old.seq,
            requests_made=old.requests_made,
            begin_at=stage,
            first_action=first,
        )
        self.last = None
        self.plain.start(state)

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def paid_is_never_above_approved_nor_approved_above_the_limits(self) -> None:
        case = self.case
        under_way = sum((p.amount for p in self.of(Payment) if p.status in {"requested", "sent"}), Decimal(0))
        assert case.paid_amount >= 0
        assert case.paid_amount + under_way <= case.approved_amount
        assert case.approved_amount <= sum(LIMITS.values())
        assert case.paid_amount == self.facts.paid_amount
        assert case.approved_amount == self.facts.approved_amount

    @property
    def facts(self) -> ClaimFacts:
        assert self.plain.claim is not None
        return self.plain.claim.facts

    @invariant()
    def what_is_owed_back_is_owed_by_whom_it_is_on_record(self) -> None:
        owed = [r for r in self.of(RecoveryClaim) if r.recovery == "overpayment"]
        by_party: dict[UUID, Decimal] = {}
        for recovery in (r for r in owed if r.party_id):
            by_party[recovery.party_id] = by_party.get(recovery.party_id, Decimal(0)) + recovery.expected_amount
        assert self.facts.owed_back == sum((r.expected_amount for r in owed), Decimal(0))
        assert {p: amount for p, amount in self.facts.owed_back_by.items() if amount} == {
            p: amount for p, amount in by_party.items() if amount
        }

    @invariant()
    def a_settlement_is_asked_of_customers_only_when_the_shares_are_each_payees_own(self) -> None:
        assert self.plain.claim is not None
        balances = self.plain.claim.balances()
        for task in (t for t in self.open_tasks() if t.kind == "agree_settlement" and not t.ask.get("staff_only")):
            for row in task.ask["rows"]["payees"] if self.facts.is_decided and len(balances) > 1 else ():
                assert Decimal(row["amount"]) == balances[UUID(row["party_id"])]

    @invariant()
    def nothing_is_paid_once_fraud_is_confirmed(self) -> None:
        made = len(self.of(Payment))
        if self.facts.suspicion == "confirmed":
            assert made == self.made_before_fraud
        self.made_before_fraud = made

    @invariant()
    def the_ledger_balances(self) -> None:
        by_event: dict[int, Decimal] = {}
        balance: dict[str, Decimal] = {}
        for line in self.of(LedgerLine):
            by_event[line.chain_seq] = by_event.get(line.chain_seq, Decimal(0)) + line.amount
            balance[line.account] = balance.get(line.account, Decimal(0)) + line.amount
        assert set(by_event.values()) <= {Decimal(0)}
        owed = self.case.approved_amount - self.case.paid_amount
        assert -balance.get("payable", Decimal(0)) == owed
        back = sum((r.expected_amount - r.received_amount for r in self.of(RecoveryClaim)), Decimal(0))
        assert balance.get("recoverable", Decimal(0)) == back

    @invariant()
    def nobody_agrees_to_their_own(self) -> None:
        decisions = {d.id: d for d in self.of(Decision)}
        for decision in decisions.values():
            assert decision.authorised_by != decision.decided_by
            if decision.needs_second and decision.status == "final":
                assert decision.authorised_by
        votes = self.of(PanelVote)
        assert len({(v.panel_id, v.voter) for v in votes}) == len(votes)
        assert all(v.voter != v.decided_by for v in votes)
        assert all(c.decided_by != c.proposed_by for c in self.of(Correction))
        assert all(o.decided_by != o.decision_by for o in self.of(Objection))
        assert all(not p.verified_by or p.verified_by != p.named_by for p in self.of(Payee))

    @invariant()
    def authority_is_kept(self) -> None:
        for decision in self.of(Decision):
            if decision.status != "final" or decision.overridden_why or decision.authorised_by.startswith("panel:"):
                continue
            signs = decision.authorised_by or decision.decided_by
            amount = decision.approved_amount
            if decision.subject == "claim":
                assert STAFF[signs] >= amount

    @invariant()
    def an_open_case_waits_for_somebody(self) -> None:
        if not self.is_live:
            return
        assert self.plain.claim is not None
        waits_for_bank = any(p.status in {"requested", "sent"} for p in self.of(Payment))
        assert self.open_tasks() or self.plain.claim._request or waits_for_bank, f"stuck in {self.case.stage} (I7)"

    @invariant()
    def a_closed_case_is_over(self) -> None:
        if self.is_live:
            return
        assert self.case.status == "closed"
        assert self.case.outcome == "paid" if self.case.paid_amount else self.case.outcome != "paid"
        assert not self.open_tasks()
        assert not [c for c in self.of(Clock) if c.status in {"running", "paused"}]
        assert not [r for r in self.of(Referral) if r.status == "open"]
        assert not [p for p in self.of(Payment) if p.status in {"requested", "sent"}]

    @invariant()
    def process_events_have_no_gap(self) -> None:
        assert self.plain.claim is not None
        assert self.plain.claim._flushed == self.plain.claim.state.seq

    def teardown(self) -> None:
        if hasattr(self, "patches"):
            self.plain.close()
            self.patches.__exit__(None, None, None)


AnyClaim.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestAnyClaim = pytest.mark.req("CLM-8", "CLM-9", "CLM-10", "CLM-15")(AnyClaim.TestCase)
