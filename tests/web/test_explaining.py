"""How a promise was counted, as people read it (CLM-12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from lian.domain import journal as j
from lian.domain.claims import figures
from lian.domain.sla import ClockLedger, ClockPolicy, Pause, Roll, Unit, due_at
from lian.services.calendars import shipped
from tests.web.conftest import Town
from tests.web.scenery import PASSWORD, PLAN, POLICY, Claim, Scenery

pytestmark = pytest.mark.req("CLM-12")

CN = shipped()["CN"]
AUTUMN = datetime(2026, 9, 18, 16, 42, 18, tzinfo=ZoneInfo("Asia/Shanghai"))
"""The Friday before a make-up Sunday, the Mid-Autumn Festival and National Day."""
WEEKS = replace(
    figures.TOTAL, amount=20, source="CLM-12; 保险法 art. 23", url="https://www.gov.cn/", label=figures.TOTAL.label
)
HOURS = replace(figures.INITIAL_REVIEW, amount=20, calendar="CN", pausable=True)
MONTH = replace(figures.COMPLEX, amount=15, unit=Unit.CALENDAR_DAYS, roll=Roll.FOLLOWING, pausable=False)


async def promise(scene: Scenery, part: str) -> str:
    """Three promises of an autumn with holidays, on a case of the scenery; returns its number."""
    claim = Claim(scene, part, scene.cases[part], scene.ids[part], AUTUMN)
    plan = replace(PLAN.validate_python((await claim.case()).plan), calendar=CN, calendars={"CN": CN})
    body = PLAN.dump_python(plan, mode="json")
    await claim.record(scene.context.now(), j.PlanChanged(operation_id=uuid4(), plan=body, why="notice"))
    begins, ends = AUTUMN + timedelta(days=3, hours=-1), AUTUMN + timedelta(days=4, hours=1, minutes=20)
    for name, policy in (("claim.total#2", WEEKS), ("claim.initial_review#2", HOURS), ("claim.complex#2", MONTH)):
        await _start(claim, name, policy, (begins, ends) if policy.pausable else None)
    return claim.number


async def _start(claim: Claim, name: str, policy: ClockPolicy, pause: tuple[datetime, datetime] | None) -> None:
    request = uuid4()
    pauses = (Pause(str(request), *pause),) if pause else ()
    due = due_at(policy=policy, calendar=CN, ledger=ClockLedger(AUTUMN, pauses))
    at, body = claim.scene.context.now(), POLICY.dump_python(policy, mode="json")
    await claim.record(at, j.ClockStarted(clock=name, started_at=AUTUMN, policy=body, due_at=due, warn_at=None))
    if pause:
        await claim.record(
            at,
            j.ClockPaused(clock=name, request_id=request, paused_at=pause[0]),
            j.ClockResumed(clock=name, request_id=request, resumed_at=pause[1], due_at=due, warn_at=None),
        )


async def test_every_promise_of_a_case_leads_to_how_it_was_counted(town: Town) -> None:
    number = await promise(town.scene, "waiting")
    await town.browser.sign_in("wang", PASSWORD)
    file = await town.browser.open(f"/desk/cases/{number}")
    links = [link for link in file.links if "/clocks/" in link]
    assert f"/desk/cases/{number}/clocks/claim.total%232" in links
    assert len(links) == len(set(links)) > 4
    for link in links:
        page = await town.browser.open(link)
        assert page.status == 200, link
        assert "How was this counted?" in page.text
        assert "Day by day" in page.text
        assert "On record" not in page.text


async def test_days_are_told_one_after_another(town: Town) -> None:
    number = await promise(town.scene, "waiting")
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{number}/clocks/claim.total%232")
    for words in (
        "Whole claim (after reopening 1)",
        "Received at 16:42. The day of receipt never counts (Civil Code art. 201).",
        "Worked in place of another day, so it counts: day 1 of 20.",
        "Thu 1 – Wed 7 Oct",
        "A public day off.",
        "Paused",
        "it waited for a request",
        "20 of 20",
        "On time is whatever is done by the very instant it falls due",
        "Dates and times as in Asia/Shanghai.",
        "https://www.gov.cn/",
    ):
        assert words in page.text or words in page.links
    town.browser.language = "zh-CN"
    page = await town.browser.open(f"/desk/cases/{number}/clocks/claim.total%232")
    for words in (
        "怎么算的？",
        "收到当日不计入（民法典第二百零一条）。",
        "调休上班，计入：第1天，共20天。",
        "逐日说明",
    ):
        assert words in page.text


async def test_hours_are_told_with_their_sessions(town: Town) -> None:
    number = await promise(town.scene, "waiting")
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{number}/clocks/claim.initial_review%232")
    assert "Received at 16:42: it runs from then. 16:42–17:30." in page.text
    assert "20 h of 20 h" in page.text
    assert "Overdue since" in page.text


@pytest.mark.parametrize("name", ["claim.total%239", "nothing", "claim.total%2F..%2F"])
async def test_a_promise_that_is_not_there_is_not_found(town: Town, name: str) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{town.scene.cases['waiting']}/clocks/{name}")
    assert page.status == 404


async def test_nobody_else_reads_it(town: Town) -> None:
    address = f"/desk/cases/{town.scene.cases['waiting']}/clocks/claim.total"
    assert "Sign in" in (await town.browser.open(address)).text
    await town.browser.sign_in("admin", PASSWORD)
    assert (await town.browser.open(address)).status == 403
