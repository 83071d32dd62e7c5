"""Claims in which everything came up that can: risk, panel, objection, correction, recoveries, requests in words."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4, uuid5

from sqlmodel import select

from lian.db.tables import Party
from lian.domain import journal as j
from lian.domain.claims.terms import LossCause
from lian.domain.findings import Finding, Severity
from lian.services import letters
from tests.web.scenery import Claim, Scenery, tell

INDICATORS = (
    Finding("unseen_night_accident", Severity.REFERS, "risk/1", detail="kind=fraud weight=30 witnesses=none"),
    Finding("no_witnesses", Severity.REFERS, "risk/1", detail="kind=fraud weight=15 witnesses=none"),
    Finding("third_party_injured", Severity.REFERS, "risk/1", detail="kind=legal weight=10 injured=1"),
)
WORDS = "维修厂说大灯总成必须整体更换，你们只赔了一半。"
SECRET = "照片与另一案件相同，移交特别调查核实。"


async def enrich(scene: Scenery) -> None:
    """All of them, on top of the scenery."""
    now = scene.context.now()
    for make in (_rich, _panel, _twin, _asked, _account, _correction):
        await make(scene)
    assert scene.context.now() - now < timedelta(minutes=2)


async def party_of(scene: Scenery, part: str, role: str = "claimant") -> Party:
    """Somebody in one of the claims."""
    async with scene.context.transaction() as session:
        query = select(Party).where(Party.case_id == scene.ids[part], Party.role == role)
        return (await session.execute(query)).scalars().one()


async def _decided(scene: Scenery, part: str, **more: object) -> tuple[Claim, UUID]:
    now = scene.context.now()
    given: dict[str, object] = {
        "policy": "PA-2026-7002",
        "cause": LossCause.SINGLE_VEHICLE,
        "losses": {"vehicle": "26800"},
        "who": "孙丽",
    }
    claim = await tell(scene, part, ago=timedelta(days=9), **(given | more))  # type: ignore[arg-type]
    await claim.reviewed(now - timedelta(days=8))
    await claim.assessed(now - timedelta(days=7), {"vehicle": Decimal(13400)})
    return claim, await claim.decided(now - timedelta(days=6), needs_second=True)


async def _rich(scene: Scenery) -> None:
    """Suspected, investigated, decided by a panel, objected to, corrected; something is to come back."""
    now, staff = scene.context.now(), scene.staff
    claim, decision_id = await _decided(scene, "rich", injured=1)
    wang, li, chen = staff["wang"], staff["li"], staff["chen"]
    referral, panel, survey = uuid4(), uuid4(), uuid4()
    then = now - timedelta(days=8)
    await claim.record(
        then,
        j.RiskScored(likelihood=4, impact=4, level="high", findings=INDICATORS, table_version="risk/1"),
        j.CaseMatured(maturity="registered"),
        j.RiskReferred(referral_id=referral, why="score"),
        j.InvestigationPlanned(actions=("scene_survey",)),
    )
    await claim.record(then, j.ActionTaken(action="refer", outcome={"why": "fraud"}, notes=SECRET), by=li)
    await claim.record(then, j.RiskConcluded(referral_id=referral, outcome="cleared"), by=li)
    survey = await claim.ask(then, "scene_survey", {})
    await claim.answer(then, survey, "chen", {"finding": "supports"}, "现场有刹车痕迹，与陈述相符。")
    await claim.record(
        then, j.InvestigationReported(task_id=survey, action="scene_survey", finding="supports"), by=chen
    )
    voted = now - timedelta(days=5)
    await claim.record(
        voted,
        j.PanelConvened(
            panel_id=panel,
            decision_id=decision_id,
            decided_by=wang,
            seats=3,
            quorum=2,
            rule="majority",
            why="asked_for",
        ),
    )
    await claim.record(
        voted, j.PanelVoted(panel_id=panel, voter=li, vote="agree", reason="证据充分，同意赔付。"), by=li
    )
    await claim.record(
        voted, j.PanelVoted(panel_id=panel, voter=chen, vote="disagree", reason="大灯金额偏高。"), by=chen
    )
    third = staff["service"]
    await claim.record(voted, j.PanelVoted(panel_id=panel, voter=third, vote="agree", reason="同意。"), by=third)
    await claim.record(
        voted,
        j.PanelConcluded(panel_id=panel, result="carried"),
        j.DecisionAuthorised(decision_id=decision_id, authorised_by=f"panel:{panel}"),
        by=f"panel:{panel}",
    )
    with scene.at(voted):
        await letters.issue_letter(scene.context, claim.case_id, letter="panel_minutes", subject_id=panel)
    await claim.stage(voted, "settlement")
    await _reserves_and_recoveries(scene, claim)
    objection = uuid4()
    customer = f"customer:{scene.ids['rich.reporter']}"
    lodged = now - timedelta(days=3)
    await claim.record(
        lodged,
        j.ObjectionLodged(objection_id=objection, decision_id=decision_id, grounds="amount", words=WORDS),
        by=customer,
    )
    await claim.record(
        now - timedelta(days=2), j.ObjectionDecided(objection_id=objection, result="upheld", decided_by=li), by=li
    )
    await claim.record(
        now - timedelta(days=2),
        j.CorrectionProposed(
            correction_id=(wrong := uuid4()),
            name="injured",
            before="1",
            after="2",
            needs_second=False,
            reason="副驾驶乘客漏登。",
        ),
        j.CorrectionApplied(correction_id=wrong, name="injured", before="1", after="2"),
        by=wang,
    )
    other = scene.cases["fresh4"]
    await claim.record(
        now - timedelta(days=2),
        j.CaseLinked(other_case_id=scene.ids["fresh4"], other_number=other, relation="related_to"),
        j.CaseTagged(tag="catastrophe", code="HAIKUI-2026"),
        by=wang,
    )


async def _reserves_and_recoveries(scene: Scenery, claim: Claim) -> None:
    now, wang = scene.context.now(), scene.staff["wang"]
    (exposure,) = await claim.exposures()
    recovery = uuid4()
    await claim.record(
        now - timedelta(days=4),
        j.ReserveSet(exposure_id=exposure.id, reserve_line="indemnity", amount=Decimal(12900), reason="as_decided"),
        j.ReserveSet(exposure_id=exposure.id, reserve_line="expense", amount=Decimal(800), reason="expenses"),
        j.RecoveryOpened(
            recovery_id=recovery,
            recovery="subrogation",
            expected_amount=Decimal(9000),
            currency="CNY",
            counterparty="杭州公交集团",
        ),
        j.RecoveryReceived(
            recovery_id=recovery,
            receipt_id=uuid4(),
            amount=Decimal(3500),
            received_on=date(2026, 11, 18),
            reference="BK20261118-7",
        ),
        by=wang,
    )


async def _panel(scene: Scenery) -> None:
    """A decision that several people vote on now."""
    claim, decision_id = await _decided(scene, "panel")
    now, wang = scene.context.now(), scene.staff["wang"]
    convened = j.PanelConvened(
        panel_id=uuid4(), decision_id=decision_id, decided_by=wang, seats=3, quorum=2, rule="majority", why="asked_for"
    )
    await claim.record(now - timedelta(days=1), convened)
    amount = str((await claim.case()).claimed_amount)
    ask = {"approved_amount": amount, "currency": "CNY", "result": "partial", "seats": 3, "quorum": 2}
    await claim.ask(now - timedelta(days=1), "panel_vote", ask | {"rule": "majority"}, exclude=(wang,))


async def _twin(scene: Scenery) -> None:
    """A report that looks like two others."""
    claim = await tell(
        scene,
        "twin",
        ago=timedelta(hours=3),
        policy="PA-2026-7001",
        cause=LossCause.COLLISION,
        losses={"vehicle": "5200"},
    )
    await claim.triaged()
    rows = [
        {
            "other_case_id": str(scene.ids[part]),
            "number": scene.cases[part],
            "score": score,
            "reasons": ["same_policy", "same_day", "same_cause", "same_amount"][:many],
        }
        for part, score, many in (("fresh0", 90, 4), ("fresh1", 60, 2))
    ]
    await claim.ask(claim.received_at, "judge_duplicate", {"rows": {"likenesses": rows}})


async def _asked(scene: Scenery) -> None:
    """We asked for a statement, for answers and for the account."""
    claim = await tell(
        scene,
        "asked",
        ago=timedelta(days=3),
        policy="PA-2026-7001",
        cause=LossCause.PARKED,
        losses={"vehicle": "2600"},
    )
    now = scene.context.now()
    items = ("identity", "bank_account", "statement", "answers")
    await claim.reviewed(now - timedelta(days=2), items)
    await claim.stage(now - timedelta(days=2), "documents")
    asked = now - timedelta(days=2)
    request = j.RequestOpened(
        request_id=uuid4(), items=items, asked_at=asked, answer_by=asked + timedelta(days=30), is_repeat=False
    )
    question = j.MessageWritten(
        message_id=uuid4(), direction="out", body="1. 停车时是否有行车记录仪？\n2. 您何时发现车辆受损？"
    )
    await claim.record(asked, request, question, by=scene.staff["wang"])


async def _account(scene: Scenery) -> None:
    """Another account than before: a second person verifies it, the customer confirms it; a payment came back."""
    claim, decision_id = await _decided(scene, "account")
    now, wang = scene.context.now(), scene.staff["wang"]
    await claim.record(
        now - timedelta(days=5), j.DecisionAuthorised(decision_id=decision_id, authorised_by=scene.staff["li"])
    )
    await claim.stage(now - timedelta(days=5), "settlement")
    party = await party_of(scene, "account")
    payees = []
    for n, account in enumerate(("6222021202001234567", "6217000010009876543")):
        payee = j.PayeeNamed(
            payee_id=uuid5(claim.case_id, str(n)),
            decision_id=decision_id,
            person_id=party.person_id,
            amount=Decimal(12900),
            account_mark=f"mark-{n}",
            is_changed=n > 0,
            sanctions="clear",
            name="孙丽",
            account=account,
            bank=("中国工商银行", "中国建设银行")[n],
        )
        payees.append(payee)
        await claim.record(now - timedelta(days=4 - n), payee, by=wang)
    payment_id = uuid4()
    requested = j.PaymentRequested(
        payment_id=payment_id,
        payee_id=payees[0].payee_id,
        decision_id=decision_id,
        amount=Decimal(12900),
        currency="CNY",
    )
    await claim.record(
        now - timedelta(days=4),
        requested,
        j.PaymentSent(payment_id=payment_id, instruction_key="bank/out/2.xml"),
        j.PaymentConfirmed(payment_id=payment_id, bank_reference="9A77", paid_on=date(2026, 11, 18)),
        j.PaymentReturned(payment_id=payment_id, reason="AC04 closed account number"),
    )
    ask = {"party_id": str(party.id), "payee_id": str(payees[1].payee_id)}
    for kind in ("verify_account", "confirm_account"):
        await claim.ask(now - timedelta(days=1), kind, ask, exclude=(wang,))


async def _correction(scene: Scenery) -> None:
    """A figure that may change money waits for a second person; an objection waits for its review."""
    claim, decision_id = await _decided(scene, "correction")
    now, wang = scene.context.now(), scene.staff["wang"]
    (exposure,) = await claim.exposures()
    figures = {"name": "assessed_amount", "before": "13400.00", "after": "18200.00"}
    await claim.record(
        now - timedelta(days=2),
        j.CorrectionProposed(correction_id=uuid4(), exposure_id=exposure.id, reason="隐蔽损伤漏估。", **figures),
        by=wang,
    )
    await claim.ask(now - timedelta(days=2), "approve_correction", figures, exclude=(wang,))
    lodged = j.ObjectionLodged(objection_id=uuid4(), decision_id=decision_id, grounds="amount", words=WORDS)
    await claim.record(now - timedelta(days=1), lodged, by=f"customer:{scene.ids['correction.reporter']}")
    ask = {"grounds": "amount", "approved_amount": str((await claim.case()).approved_amount)}
    await claim.ask(now - timedelta(days=1), "review_objection", ask, exclude=(wang,))
    suspicion = uuid4()
    await claim.record(now - timedelta(days=1), j.RiskReferred(referral_id=suspicion, why="fraud"), by=wang)
    scored = j.RiskScored(likelihood=4, impact=4, level="high", findings=INDICATORS, table_version="risk/1")
    await claim.record(now - timedelta(days=1), scored)
    await claim.ask(
        now - timedelta(days=1), "examine_suspicion", {"score": 16, "findings": [f.code for f in INDICATORS]}
    )
