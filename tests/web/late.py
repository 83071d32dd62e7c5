"""Broken promises, waits, longer times and unpublished years, told on claims of the scenery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from lian.db.tables import Case
from lian.domain import journal as j
from lian.domain.claims import figures
from lian.domain.claims.terms import LossCause
from lian.services.letters import issue_letter
from tests.web.scenery import POLICY, Claim, Scenery, tell

SLOW = figures.INITIAL_REVIEW
NOTES = "三名理赔员请假，积压二十件；已临时增派两人。"


async def tell_of_promises(scene: Scenery) -> None:
    """Everything that is out of the ordinary about promises."""
    await _broken(scene)
    await _closed(scene)
    await _explained(scene)
    await _waits(scene)
    await _unpublished(scene)


async def _told(scene: Scenery, part: str, *, days: int, **more: Any) -> Claim:
    given: dict[str, Any] = {"policy": "PA-2026-7002", "cause": LossCause.COLLISION, "losses": {"vehicle": "6800"}}
    claim = await tell(scene, part, ago=timedelta(days=days), **given | {"who": "孙丽"} | more)
    await claim.to_review()
    return claim


async def _break(claim: Claim) -> UUID:
    """Its initial review is overdue, and somebody is asked why."""
    due = claim.received_at + timedelta(hours=48)
    events = (
        j.ClockRungReached(clock=SLOW.id, rung="75%", reached_at=claim.received_at + timedelta(hours=36)),
        j.ClockBreached(clock=SLOW.id, legal_at=due),
        j.ClockRungReached(clock=SLOW.id, rung="due", reached_at=due, actions=("ask_why_late",)),
    )
    await claim.record(due, *events)
    return await claim.ask(due, "explain_lateness", {"clock": SLOW.id})


async def _broken(scene: Scenery) -> None:
    """Broken and still running: on the claim that waits for its review since four days."""
    number, case_id = scene.cases["overdue"], scene.ids["overdue"]
    claim = Claim(scene, "overdue", number, case_id, scene.context.now() - timedelta(days=4))
    due = claim.received_at + timedelta(hours=48)
    await claim.ask(due, "explain_lateness", {"clock": SLOW.id})


async def _closed(scene: Scenery) -> None:
    """Done late, and the case is closed; nobody has said why."""
    claim = await _told(scene, "slow", days=20)
    await _break(claim)
    done = claim.received_at + timedelta(days=3)
    await claim.stop_clock(SLOW, done, "breached")
    await claim.record(done, j.ClockCancelled(clock=figures.TOTAL.id), j.CaseClosed(outcome="withdrawn"))


async def _explained(scene: Scenery) -> None:
    """Three that have their cause."""
    wang, li = scene.staff["wang"], scene.staff["li"]
    for n, (cause, who) in enumerate((("workload", li), ("workload", li), ("handling", wang))):
        claim = await _told(scene, f"explained{n}", days=12 + n)
        task_id = await _break(claim)
        outcome = {"cause": cause, "responsible": who}
        await claim.answer(claim.received_at + timedelta(days=3), task_id, "li", outcome, NOTES)
        explained = j.LatenessExplained(clock=SLOW.id, cause=cause, responsible=who)
        await claim.record(claim.received_at + timedelta(days=3), explained, by=li)


async def _waits(scene: Scenery) -> None:
    """An expert is asked, the promise was extended before, and more time is asked for."""
    claim, now = await _told(scene, "appraised", days=6), scene.context.now()
    request_id, since = uuid4(), now - timedelta(days=2)
    await claim.stop_clock(SLOW, now - timedelta(days=5))
    async with scene.context.transaction() as session:
        due = (await session.get_one(Case, claim.case_id)).promised_at
    assert due is not None
    with_more = POLICY.dump_python(figures.TOTAL, mode="json") | {"extensions": [{"amount": 10, "source": "18(1)"}]}
    longer = due + timedelta(days=14)
    await claim.record(
        now - timedelta(days=4),
        j.ClockRebased(clock=figures.TOTAL.id, policy=with_more, calendar="", due_at=due, warn_at=None),
    )
    with scene.at(now - timedelta(days=3)):
        await issue_letter(scene.context, claim.case_id, letter="extension", subject_id=uuid4(), about=figures.TOTAL.id)
    extended = j.ClockExtended(
        clock=figures.TOTAL.id,
        amount=10,
        asked_by=scene.staff["wang"],
        approved_by=scene.staff["li"],
        due_at=longer,
        warn_at=None,
    )
    await claim.record(now - timedelta(days=3), extended)
    opened = j.RequestOpened(
        request_id=request_id,
        items=(),
        asked_at=since,
        answer_by=now + timedelta(days=18),
        is_repeat=False,
        reason="external_appraisal",
    )
    await claim.record(
        since,
        opened,
        j.RequestDelivered(request_id=request_id, delivered_at=since, channel="noted"),
        j.ClockPaused(clock=figures.TOTAL.id, request_id=request_id, paused_at=since),
    )
    asked = j.ActionTaken(action="extend_promise", outcome={"clock": figures.TOTAL.id}, notes="鉴定机构尚未排期。")
    await claim.record(now - timedelta(days=1), asked, by=scene.staff["wang"])
    ask = {"clock": figures.TOTAL.id, "amount": 10, "source": "银保监会令2020年第3号 18(1)"}
    await claim.ask(now - timedelta(days=1), "approve_extension", ask, exclude=(scene.staff["wang"],))


async def _unpublished(scene: Scenery) -> None:
    """Its deadline lies beyond the published calendar; another promise was done meanwhile, not judged yet."""
    claim, now = await _told(scene, "beyond", days=1), scene.context.now()
    async with scene.context.transaction() as session:
        plan: Any = (await session.get_one(Case, claim.case_id)).plan
    today = now.astimezone(scene.context.settings.zone).date()
    covered = plan["calendar"] | {"covered_from": "2020-01-01", "covered_until": today.isoformat()}
    policy = POLICY.dump_python(figures.TOTAL, mode="json")
    await claim.record(
        now - timedelta(hours=5),
        j.PlanChanged(operation_id=uuid4(), plan=plan | {"calendar": covered}, why="2027"),
        j.ClockRebased(clock=figures.TOTAL.id, policy=policy, calendar="", due_at=None, warn_at=None),
        j.ClockStopped(clock=SLOW.id, stopped_at=now - timedelta(hours=5), verdict="undecided"),
    )
