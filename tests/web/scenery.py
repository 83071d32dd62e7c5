"""A small, lively installation for pages: a named cast and claims in every stage, told through services and events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlmodel import select

from lian.auth.actor import SYSTEM, Actor
from lian.db.tables import Case, Exposure, Party
from lian.domain import journal as j
from lian.domain.claims import figures
from lian.domain.claims.adjudication import ExposureDecision, ExposureFacts, adjudicate
from lian.domain.claims.checklist import checklist, missing_items
from lian.domain.claims.definition import CLAIM
from lian.domain.claims.fnol import ClaimedLoss, FnolReport, PersonGiven
from lian.domain.claims.terms import CoverageTerms, Line, LossCause, PolicySnapshot
from lian.domain.claims.triage import Complexity, TriageFacts, triage
from lian.domain.labels import Label
from lian.domain.messages import BankAnswered
from lian.domain.parties import Channel, PartyRole
from lian.domain.plan import CasePlan
from lian.domain.sla import ClockLedger, ClockPolicy, Escalation, Pause, due_at, warn_at
from lian.services import accounts, desk, intake, letters, payments, policies, tracking
from lian.services.accounts import NewStaff
from lian.services.context import Context
from lian.services.documents import add_document
from lian.services.recording import put_on_record

PASSWORD = "correct horse battery"
POLICY, SNAPSHOT = TypeAdapter(ClockPolicy), TypeAdapter(PolicySnapshot)
DECISION, PLAN = TypeAdapter(ExposureDecision), TypeAdapter(CasePlan)
TASK = {task.id: task for task in CLAIM.tasks}
DECIDES = {Complexity.SIMPLE: figures.SIMPLE, Complexity.COMPLEX: figures.COMPLEX}
"""The promise of a decision, by the claim's complexity."""
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)

STAFF = (
    NewStaff(username="wang", name="王敏", password=PASSWORD, roles=["claims_adjuster_senior"]),
    NewStaff(
        username="chen", name="陈思", password=PASSWORD, roles=["claims_adjuster_junior"], queues=["claims.review"]
    ),
    NewStaff(username="li", name="李强", password=PASSWORD, roles=["team_lead"]),
    NewStaff(username="service", name="Grace Hopper", password=PASSWORD, roles=["customer_service"]),
    NewStaff(username="ops", name="周海", password=PASSWORD, roles=["operations"]),
    NewStaff(username="admin", name="赵云", password=PASSWORD, roles=["administrator"]),
)
REGISTRAR = Actor(id="system", name="", roles=("administrator",))


@dataclass
class Scenery:
    """Who and what is there: staff ids by user name, case numbers by their part in the play."""

    context: Context
    staff: dict[str, str] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, UUID] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)

    def elsewhere(self, context: Context) -> Scenery:
        """The same scenery in a copy of its database; what is added there is not here."""
        return Scenery(context, dict(self.staff), dict(self.cases), dict(self.tasks), dict(self.ids))

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let the services believe it is then."""
        real, self.context.now = self.context.now, lambda: moment
        try:
            yield
        finally:
            self.context.now = real


def coverage(code: str, en: str, zh: str, limit: int, **more: Any) -> CoverageTerms:
    return CoverageTerms(code, Label(en, zh), Decimal(limit), **more)


MOTOR = (
    coverage("vehicle", "Vehicle damage", "车辆损失险", 80_000, deductible=Decimal(500), clause="§3.1"),
    coverage(
        "third_party",
        "Third-party liability",
        "第三者责任险",
        500_000,
        clause="§4.2",
        excluded_causes=(LossCause.INTOXICATION,),
    ),
    coverage("passenger", "Passenger injury", "车上人员责任险", 50_000, clause="§5.1"),
)
HOME = (
    coverage("building", "Building", "房屋主体", 2_000_000, deductible=Decimal(1000), clause="§2"),
    coverage(
        "contents",
        "Household contents",
        "室内财产",
        100_000,
        clause="§3",
        excluded_causes=(LossCause.WEAR, LossCause.WAR),
    ),
)
HEALTH = (coverage("hospital", "Hospital treatment", "住院医疗", 300_000, waiting_days=30, clause="§1.4"),)


async def build(context: Context) -> Scenery:
    """Everybody and everything."""
    scene = Scenery(context)
    for new in STAFF:
        scene.staff[new.username] = f"staff:{await accounts.create_staff(context, None, new)}"
    await _policies(scene)
    now = context.now()
    await _waiting(scene, now)
    await _paid(scene, now)
    await _denied(scene, now)
    await _overdue(scene, now)
    await _assessment(scene, now)
    await _adjudication(scene, now)
    await _authority(scene, now)
    await _settlement(scene, now)
    await _fresh(scene, now)
    return scene


async def actor(scene: Scenery, username: str) -> Actor:
    """A member of the cast, as signed in."""
    session = await accounts.sign_in(scene.context, username, PASSWORD)
    return await accounts.actor_of(scene.context, session.token)


def customer(scene: Scenery, part: str) -> Actor:
    """The customer of a case."""
    party = scene.ids[f"{part}.reporter"]
    return Actor(id=f"customer:{party}", name="赵磊", roles=("customer",), case_id=scene.ids[part])


async def _policies(scene: Scenery) -> None:
    today = scene.context.now().date()
    for number, line, coverages, name in (
        ("PA-2026-7001", Line.MOTOR, MOTOR, "赵磊"),
        ("PA-2026-7002", Line.MOTOR, MOTOR, "孙丽"),
        ("PH-2026-3001", Line.PROPERTY, HOME, "Margaret Thistlethwaite-Okonkwo"),
        ("PM-2026-9001", Line.HEALTH, HEALTH, "吴昊"),
    ):
        holder = policies.CustomerGiven(
            external_ref=f"C-{number}", name=name, phone="13800001111", email="zhao@example.com"
        )
        await policies.put_policy(
            scene.context,
            REGISTRAR,
            policies.PolicyGiven(
                number=number,
                line=line,
                currency="CNY",
                zone="Asia/Shanghai",
                term_from=today - timedelta(days=200),
                term_to=today + timedelta(days=165),
                coverages=coverages,
                parties={PartyRole.POLICYHOLDER: holder, PartyRole.INSURED: holder},
            ),
        )


# --- telling a claim --------------------------------------------------------------------------------------------------


@dataclass
class Claim:
    """One claim being told: what was reported, and how far it has come."""

    scene: Scenery
    part: str
    number: str
    case_id: UUID
    received_at: datetime
    clock_pauses: dict[str, tuple[Pause, ...]] = field(default_factory=dict)

    async def case(self) -> Case:
        async with self.scene.context.transaction() as session:
            return await session.get_one(Case, self.case_id)

    async def exposures(self) -> list[Exposure]:
        async with self.scene.context.transaction() as session:
            query = select(Exposure).where(Exposure.case_id == self.case_id).order_by(Exposure.coverage_code)
            return list((await session.execute(query)).scalars())

    async def record(self, at: datetime, *events: j.Event, by: str = "system") -> None:
        with self.scene.at(at):
            async with self.scene.context.transaction() as session:
                recorded = [j.Recorded(at=at, actor=by, event=e) for e in events]
                await put_on_record(self.scene.context, session, case_id=self.case_id, recorded=recorded)

    async def stage(self, at: datetime, stage: str) -> None:
        await self.record(at, j.StageEntered(stage=stage))

    async def start_clock(self, policy: ClockPolicy) -> None:
        plan = PLAN.validate_python((await self.case()).plan)
        ledger = ClockLedger(self.received_at, self.clock_pauses.get(policy.id, ()))
        due = due_at(policy=policy, calendar=plan.calendar_of(policy), ledger=ledger)
        warn = warn_at(policy=policy, calendar=plan.calendar_of(policy), ledger=ledger)
        event = j.ClockStarted(
            clock=policy.id,
            started_at=self.received_at,
            policy=POLICY.dump_python(policy, mode="json"),
            due_at=due,
            warn_at=warn,
        )
        await self.record(self.received_at, event)

    async def stop_clock(self, policy: ClockPolicy, at: datetime, verdict: str = "met") -> None:
        await self.record(at, j.ClockStopped(clock=policy.id, stopped_at=at, verdict=verdict))

    async def climb(
        self,
        policy: ClockPolicy,
        at: datetime,
        action: Escalation,
        *,
        rung: str = "75%",
        seen_after: timedelta = timedelta(0),
    ) -> None:
        reached = j.ClockRungReached(clock=policy.id, rung=rung, reached_at=at, actions=(action,))
        await self.record(at + seen_after, reached)

    async def ask(
        self,
        at: datetime,
        kind: str,
        ask: dict[str, Any],
        *,
        exclude: tuple[str, ...] = (),
        least: Decimal = Decimal(0),
    ) -> UUID:
        task, task_id = TASK[kind], uuid4()
        opened = j.TaskOpened(
            task_id=task_id,
            kind=kind,
            queue=task.queue,
            stage=(await self.case()).stage,
            ask=ask,
            excluded_actors=exclude,
            least_authority=least,
        )
        await self.record(at, opened)
        self.scene.tasks[f"{self.part}.{kind}"] = task_id
        return task_id

    async def answer(self, at: datetime, task_id: UUID, who: str, outcome: dict[str, Any], notes: str = "") -> None:
        by = self.scene.staff[who]
        await self.record(at, j.TaskClaimed(task_id=task_id, holder=by, how="next"), by=by)
        await self.record(
            at + timedelta(minutes=12), j.TaskCompleted(task_id=task_id, outcome=outcome, notes=notes), by=by
        )

    async def triaged(self) -> None:
        case = await self.case()
        assert case.loss_at
        assert case.reported_at
        found = triage(
            facts=TriageFacts(
                line=Line(case.line),
                loss_cause=LossCause(case.loss_cause),
                claimed_amount=case.claimed_amount,
                injured=case.injured,
                loss_at=case.loss_at,
                reported_at=case.reported_at,
                claimants=1,
                policy_in_force=True,
            )
        )
        await self.record(
            self.received_at,
            j.CaseTriaged(complexity=found.complexity, severity=found.severity, findings=found.findings),
        )

    async def to_review(self) -> UUID:
        """Registered, triaged, the first task opened."""
        await self.triaged()
        await self.start_clock(figures.TOTAL)
        await self.start_clock(figures.INITIAL_REVIEW)
        await self.stage(self.received_at, "review")
        case = await self.case()
        codes = [i.code for i in self.items(case)]
        return await self.ask(self.received_at, "initial_review", {"complexity": case.complexity, "checklist": codes})

    def items(self, case: Case) -> Any:
        return checklist(line=Line(case.line), loss_cause=LossCause(case.loss_cause), injured=case.injured)

    async def reviewed(self, at: datetime, missing: tuple[str, ...] = ()) -> None:
        task_id = await self.to_review()
        case = await self.case()
        await self.answer(
            at, task_id, "wang", {"complexity": case.complexity, "missing": list(missing)}, "资料已核对，保单有效。"
        )
        await self.stop_clock(figures.INITIAL_REVIEW, at)
        clock = DECIDES[Complexity(case.complexity)]
        await self.start_clock(clock)

    async def assessed(self, at: datetime, amounts: dict[str, Decimal]) -> None:
        await self.stage(at, "assessment")
        exposures = await self.exposures()
        rows = [
            {
                "exposure_id": str(e.id),
                "coverage_code": e.coverage_code,
                "claimed_amount": str(e.claimed_amount),
                "assessed_amount": str(e.claimed_amount),
            }
            for e in exposures
        ]
        task_id = await self.ask(at, "assess_loss", {"rows": {"losses": rows}, "currency": "CNY"})
        outcome = {
            "losses": [
                {"exposure_id": str(e.id), "assessed_amount": str(amounts[e.coverage_code]), "excluded_reason": ""}
                for e in exposures
            ]
        }
        await self.answer(at, task_id, "wang", outcome)
        for e in exposures:
            await self.record(
                at,
                j.ExposureAssessed(exposure_id=e.id, assessed_amount=amounts[e.coverage_code]),
                by=self.scene.staff["wang"],
            )

    async def proposals(self) -> list[tuple[Exposure, ExposureDecision]]:
        case = await self.case()
        assert case.loss_at
        assert case.reported_at
        return [
            (
                e,
                adjudicate(
                    snapshot=SNAPSHOT.validate_python(case.snapshot),
                    exposure=ExposureFacts(
                        str(e.id), e.coverage_code, e.claimed_amount, e.assessed_amount or Decimal(0)
                    ),
                    loss_at=case.loss_at,
                    reported_at=case.reported_at,
                    loss_cause=LossCause(case.loss_cause),
                ),
            )
            for e in await self.exposures()
        ]

    async def to_adjudication(self, at: datetime) -> UUID:
        await self.stage(at, "decision")
        rows = [
            DECISION.dump_python(d, mode="json")
            | {"coverage_code": e.coverage_code, "assessed_amount": str(e.assessed_amount)}
            for e, d in await self.proposals()
        ]
        return await self.ask(at, "adjudicate", {"rows": {"decisions": rows}, "currency": "CNY"})

    async def decided(self, at: datetime, *, needs_second: bool = False) -> UUID:
        task_id = await self.to_adjudication(at)
        found = await self.proposals()
        approved = sum((d.payable_amount for _, d in found), Decimal(0))
        answers = [
            {
                "exposure_id": d.exposure_id,
                "result": d.result.value,
                "payable_amount": str(d.payable_amount),
                "reason": "",
            }
            for _, d in found
        ]
        await self.answer(at, task_id, "wang", {"decisions": answers}, "按条款处理。")
        wang = self.scene.staff["wang"]
        decision_id = uuid4()
        events: list[j.Event] = [
            j.ExposureDecided(
                exposure_id=e.id,
                result=d.result,
                payable_amount=d.payable_amount,
                deductible_applied=d.deductible_applied,
                findings=d.findings,
            )
            for e, d in found
        ]
        results = {d.result.value for _, d in found}
        result = results.pop() if len(results) == 1 else "partial"
        events.append(
            j.DecisionMade(
                decision_id=decision_id,
                decided_by=wang,
                result=result,
                approved_amount=approved,
                needs_second=needs_second,
            )
        )
        await self.record(at, *events, by=wang)
        self.scene.ids[f"{self.part}.decision"] = decision_id
        return decision_id


async def tell(
    scene: Scenery,
    part: str,
    *,
    ago: timedelta,
    policy: str,
    cause: LossCause,
    losses: dict[str, str],
    who: str = "赵磊",
    injured: int = 0,
    place: str = "杭州市西湖区文三路",
    course: str = "雨天路滑，在路口与前车追尾，前保险杠和左前大灯受损。",
    channel: Channel = Channel.WEB,
) -> Claim:
    """Report a claim some time ago."""
    then = scene.context.now() - ago
    report = FnolReport(
        policy_number=policy,
        loss_cause=cause,
        loss_at=then - timedelta(hours=9),
        reported_at=then,
        place=place,
        course=course,
        injured=injured,
        reporter=PersonGiven(name=who, phone="13800001111", email="zhao@example.com"),
        losses=tuple(ClaimedLoss(coverage_code=c, claimed_amount=Decimal(a)) for c, a in losses.items()),
    )
    with scene.at(then):
        web = Actor(id="web", name="")
        made, _ = await intake.report_claim(scene.context, web, report, channel=channel, key=str(uuid4()))
    scene.cases[part], scene.ids[part] = made.number, made.case_id
    async with scene.context.transaction() as session:
        query = select(Party).where(Party.case_id == made.case_id, Party.role == PartyRole.REPORTER.value)
        scene.ids[f"{part}.reporter"] = (await session.execute(query)).scalars().one().id
    return Claim(scene, part, made.number, made.case_id, then)


async def _bytes(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def send(scene: Scenery, part: str, who: Actor, code: str, name: str, at: datetime) -> None:
    """A document arrives."""
    with scene.at(at):
        await add_document(scene.context, who, scene.cases[part], item_code=code, filename=name, chunks=_bytes(PDF))


def required(claim_items: Any, received: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(i.code for i in missing_items(claim_items, received))


# --- the claims -------------------------------------------------------------------------------------------------------


async def _waiting(scene: Scenery, now: datetime) -> None:
    claim = await tell(
        scene,
        "waiting",
        ago=timedelta(days=3),
        policy="PA-2026-7001",
        cause=LossCause.COLLISION,
        losses={"vehicle": "8600", "third_party": "3200"},
    )
    zhao = customer(scene, "waiting")
    await send(scene, "waiting", zhao, "identity", "身份证.pdf", now - timedelta(days=2, hours=20))
    missing = required(claim.items(await claim.case()), ("identity",))
    await claim.reviewed(now - timedelta(days=2), missing)
    await claim.stage(now - timedelta(days=2), "documents")
    request_id, asked = uuid4(), now - timedelta(days=2)
    await claim.record(
        asked,
        j.RequestOpened(
            request_id=request_id, items=missing, asked_at=asked, answer_by=asked + timedelta(days=30), is_repeat=False
        ),
    )
    case = await claim.case()
    pauses = [figures.TOTAL.id, DECIDES[Complexity(case.complexity)].id]
    with scene.at(asked):
        await letters.issue_letter(
            scene.context, claim.case_id, letter="document_request", subject_id=request_id, pauses=pauses
        )
    await send(scene, "waiting", zhao, "driving_licence", "驾驶证 行驶证.pdf", now - timedelta(days=1))
    with scene.at(now - timedelta(hours=20)):
        await tracking.write_message(scene.context, zhao, claim.number, "请问维修估价单可以用4S店的报价吗？")
    with scene.at(now - timedelta(hours=18)):
        await tracking.write_message(
            scene.context, await actor(scene, "wang"), claim.number, "可以的，请同时附上损失部位照片。"
        )


async def _paid(scene: Scenery, now: datetime) -> None:
    claim = await tell(
        scene,
        "paid",
        ago=timedelta(days=9),
        policy="PA-2026-7001",
        cause=LossCause.COLLISION,
        losses={"vehicle": "6400", "third_party": "2500"},
    )
    zhao = customer(scene, "paid")
    for code in ("identity", "bank_account", "driving_licence", "accident_proof", "repair_estimate"):
        await send(scene, "paid", zhao, code, f"{code}.pdf", now - timedelta(days=8, hours=20))
    await claim.reviewed(now - timedelta(days=8))
    await claim.assessed(now - timedelta(days=7), {"vehicle": Decimal(5900), "third_party": Decimal(2500)})
    decision_id = await claim.decided(now - timedelta(days=6))
    case = await claim.case()
    await claim.stop_clock(DECIDES[Complexity(case.complexity)], now - timedelta(days=6))
    settle = now - timedelta(days=5)
    await claim.stage(settle, "settlement")
    party = scene.ids["paid.reporter"]
    payee_id, payment_id = uuid4(), uuid4()
    async with scene.context.transaction() as session:
        person = (await session.get_one(Party, party)).person_id
    task_id = await claim.ask(
        settle,
        "agree_settlement",
        {
            "approved_amount": str(case.approved_amount),
            "decision_id": str(decision_id),
            "currency": "CNY",
            "rows": {"payees": [{"party_id": str(party), "amount": str(case.approved_amount)}]},
        },
    )
    await claim.record(
        settle,
        j.PayeeNamed(
            payee_id=payee_id,
            decision_id=decision_id,
            person_id=person,
            amount=case.approved_amount,
            name="赵磊",
            account="6222021202001234567",
            bank="中国工商银行杭州文三路支行",
        ),
        by=scene.staff["wang"],
    )
    await claim.answer(
        settle,
        task_id,
        "wang",
        {"payees": [{"party_id": str(party), "amount": str(case.approved_amount), "payee_id": str(payee_id)}]},
    )
    await claim.stage(settle, "payment")
    await claim.record(
        settle,
        j.PaymentRequested(
            payment_id=payment_id,
            payee_id=payee_id,
            decision_id=decision_id,
            amount=case.approved_amount,
            currency="CNY",
        ),
        j.PaymentSent(payment_id=payment_id, instruction_key="bank/out/1.xml"),
    )
    with scene.at(now - timedelta(days=4)):
        await payments.settle_payment(
            scene.context, BankAnswered(payment_id=payment_id, accepted=True, reference="7B21F00D4C9A1E55")
        )
    await claim.stop_clock(figures.TOTAL, now - timedelta(days=4))
    await claim.record(now - timedelta(days=4), j.CaseClosed(outcome="paid"))


async def _denied(scene: Scenery, now: datetime) -> None:
    claim = await tell(
        scene,
        "denied",
        ago=timedelta(days=8),
        policy="PH-2026-3001",
        cause=LossCause.WEAR,
        losses={"contents": "4200"},
        who="Margaret Thistlethwaite-Okonkwo",
        place="上海市浦东新区世纪大道",
        course="地板因多年使用变形开裂。",
        channel=Channel.PHONE,
    )
    await claim.reviewed(now - timedelta(days=7))
    await claim.assessed(now - timedelta(days=6), {"contents": Decimal(4200)})
    decision_id = await claim.decided(now - timedelta(days=5))
    case = await claim.case()
    await claim.stop_clock(DECIDES[Complexity(case.complexity)], now - timedelta(days=5))
    await claim.stage(now - timedelta(days=5), "denial")
    with scene.at(now - timedelta(days=5)):
        await letters.issue_letter(scene.context, claim.case_id, letter="denial", subject_id=decision_id)
    await claim.stop_clock(figures.TOTAL, now - timedelta(days=5))
    await claim.record(now - timedelta(days=5), j.CaseClosed(outcome="denied"))


async def _overdue(scene: Scenery, now: datetime) -> None:
    claim = await tell(
        scene,
        "overdue",
        ago=timedelta(days=4),
        policy="PA-2026-7002",
        cause=LossCause.THEFT,
        losses={"vehicle": "76000"},
        who="孙丽",
        course="夜间停放于小区，早晨发现车辆被盗，已报警。",
    )
    await claim.to_review()
    due = claim.received_at + timedelta(hours=48)
    await claim.record(due, j.ClockBreached(clock=figures.INITIAL_REVIEW.id, legal_at=due))
    await claim.climb(figures.INITIAL_REVIEW, due, Escalation.NOTIFY_LEAD, rung="due", seen_after=timedelta(minutes=40))
    risky = await tell(
        scene,
        "risky",
        ago=timedelta(hours=41),
        policy="PM-2026-9001",
        cause=LossCause.ILLNESS,
        losses={"hospital": "12800"},
        who="吴昊",
        place="北京协和医院",
        course="急性阑尾炎住院手术。",
        channel=Channel.AGENT,
    )
    await risky.to_review()


async def _assessment(scene: Scenery, now: datetime) -> None:
    claim = await tell(
        scene,
        "assessment",
        ago=timedelta(days=4),
        policy="PH-2026-3001",
        cause=LossCause.WATER,
        losses={"building": "38000", "contents": "9600.50"},
        who="Margaret Thistlethwaite-Okonkwo",
        course="楼上水管爆裂，客厅顶面和地板浸水。",
    )
    await claim.reviewed(now - timedelta(days=3))
    await claim.stage(now - timedelta(days=3), "assessment")
    rows = [
        {
            "exposure_id": str(e.id),
            "coverage_code": e.coverage_code,
            "claimed_amount": str(e.claimed_amount),
            "assessed_amount": str(e.claimed_amount),
        }
        for e in await claim.exposures()
    ]
    await claim.ask(now - timedelta(days=3), "assess_loss", {"rows": {"losses": rows}, "currency": "CNY"})
    await desk.claim_task(scene.context, await actor(scene, "wang"), scene.tasks["assessment.assess_loss"])


async def _adjudication(scene: Scenery, now: datetime) -> None:
    claim = await tell(
        scene,
        "adjudication",
        ago=timedelta(days=5),
        policy="PA-2026-7002",
        cause=LossCause.COLLISION,
        losses={"vehicle": "9800", "third_party": "4100"},
        who="孙丽",
        injured=1,
    )
    await claim.reviewed(now - timedelta(days=4))
    await claim.assessed(now - timedelta(days=3), {"vehicle": Decimal(8800), "third_party": Decimal(4100)})
    await claim.to_adjudication(now - timedelta(days=2))
    await desk.claim_task(scene.context, await actor(scene, "wang"), scene.tasks["adjudication.adjudicate"])
    await claim.climb(figures.TOTAL, now - timedelta(hours=3), Escalation.NOTIFY_HOLDER)


async def _authority(scene: Scenery, now: datetime) -> None:
    claim = await tell(
        scene,
        "authority",
        ago=timedelta(days=6),
        policy="PH-2026-3001",
        cause=LossCause.FIRE,
        losses={"building": "268000"},
        who="Margaret Thistlethwaite-Okonkwo",
        course="厨房起火，消防到场扑灭。",
    )
    await claim.reviewed(now - timedelta(days=5))
    await claim.assessed(now - timedelta(days=4), {"building": Decimal(255000)})
    await claim.decided(now - timedelta(days=3), needs_second=True)
    await claim.ask(
        now - timedelta(days=3),
        "authorise",
        {"approved_amount": "254000.00", "currency": "CNY", "levels": ["team_lead"]},
        exclude=(scene.staff["wang"],),
        least=Decimal(254000),
    )


async def _settlement(scene: Scenery, now: datetime) -> None:
    claim = await tell(
        scene,
        "settlement",
        ago=timedelta(days=7),
        policy="PA-2026-7002",
        cause=LossCause.PARKED,
        losses={"vehicle": "3300"},
        who="孙丽",
        course="停车时被不明车辆刮擦。",
    )
    await claim.reviewed(now - timedelta(days=6))
    await claim.assessed(now - timedelta(days=5), {"vehicle": Decimal(3300)})
    decision_id = await claim.decided(now - timedelta(days=4))
    await claim.stop_clock(figures.SIMPLE, now - timedelta(days=4))
    await claim.stage(now - timedelta(days=4), "settlement")
    approved = (await claim.case()).approved_amount
    async with scene.context.transaction() as session:
        query = select(Party).where(Party.case_id == claim.case_id, Party.role == PartyRole.CLAIMANT.value)
        party = (await session.execute(query)).scalars().one().id
    await claim.ask(
        now - timedelta(days=4),
        "agree_settlement",
        {
            "approved_amount": str(approved),
            "decision_id": str(decision_id),
            "currency": "CNY",
            "rows": {"payees": [{"party_id": str(party), "amount": str(approved)}]},
        },
    )
    await desk.claim_task(scene.context, await actor(scene, "wang"), scene.tasks["settlement.agree_settlement"])
    at, late = now - timedelta(hours=20), timedelta(minutes=95)
    await claim.climb(figures.TOTAL, at, Escalation.NOTIFY_HOLDER, seen_after=late)


async def _fresh(scene: Scenery, now: datetime) -> None:
    for i, (policy, cause, losses, who) in enumerate(
        (
            ("PA-2026-7001", LossCause.COLLISION, {"vehicle": "5200"}, "赵磊"),
            ("PA-2026-7001", LossCause.PARKED, {"vehicle": "1250"}, "赵磊"),
            ("PM-2026-9001", LossCause.ILLNESS, {"hospital": "33410.80"}, "吴昊"),
            (
                "PH-2026-3001",
                LossCause.STORM,
                {"building": "18400", "contents": "2600"},
                "Margaret Thistlethwaite-Okonkwo",
            ),
            ("PA-2026-7002", LossCause.SINGLE_VEHICLE, {"vehicle": "7600", "passenger": "4000"}, "孙丽"),
        )
    ):
        claim = await tell(
            scene, f"fresh{i}", ago=timedelta(hours=2 + 5 * i), policy=policy, cause=cause, losses=losses, who=who
        )
        await claim.to_review()


__all__ = ["PASSWORD", "PDF", "SYSTEM", "Scenery", "actor", "build", "customer", "date"]
