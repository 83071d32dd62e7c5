"""Why promises were broken, over the wire (CLM-13), and how clocks are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lian.domain import journal as j
from lian.domain.labels import Label
from lian.services.context import Context
from tests.api.conftest import SignIn, as_process, assert_problem, customer_of, keyed, open_task, start_clock
from tests.cast import reported_claim

pytestmark = pytest.mark.req("CLM-13")


async def broken(context: Context, clock: str = "claim.total") -> tuple[str, UUID, UUID]:
    """A claim with a broken promise, and the question for its cause."""
    made = await reported_claim(context)
    await start_clock(context, made.case_id, clock)
    breached = j.ClockBreached(clock=clock, legal_at=context.now() - timedelta(hours=3))
    climbed = j.ClockRungReached(clock=clock, rung="due", reached_at=breached.legal_at, actions=("ask_why_late",))
    await as_process(context, made.case_id, breached, climbed)
    task = await open_task(context, made.case_id, kind="explain_lateness", queue="promises", ask={"clock": clock})
    return made.number, made.case_id, task


async def test_a_cause_is_given_over_the_wire_and_counted(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn
) -> None:
    li, zhou = await signed_in("li"), await signed_in("zhou")
    number, _, task = await broken(context)
    before = (await api.get("/sla/late", headers=zhou)).json()
    assert (before["unexplained"], before["explained"], before["counts"]) == (1, 0, [])
    (item,) = before["items"]
    assert (item["case_number"], item["task_id"], item["cause"], item["holder_name"]) == (number, str(task), "", "")
    taken = (await api.post("/queues/promises/next", headers=li)).json()
    asked = {q["name"]: [o["value"] for o in q["options"]] for q in taken["form"]["questions"]}
    assert "workload" in asked["cause"]
    assert asked["responsible"] == [o["value"] for o in taken["ask"]["options"]["responsible"]]
    answer = {"outcome": {"cause": "system", "responsible": asked["responsible"][0]}, "notes": "系统升级停机"}
    key = keyed(li)
    done = await api.post(f"/tasks/{task}/complete", headers=key, json=answer)
    assert done.status_code == 200, done.text
    assert (await api.post(f"/tasks/{task}/complete", headers=key, json=answer)).json() == done.json()
    after = (await api.get("/sla/late?explained=true", headers=zhou)).json()
    assert (after["unexplained"], after["explained"]) == (0, 1)
    assert [(c["cause"], c["label"]["en"], c["responsible_name"], c["promises"]) for c in after["counts"]] == [
        ("system", "A system failed", "李强", 1)
    ]
    assert after["items"][0]["cause_label"]["zh"] == "系统故障"
    (clock,) = (await api.get(f"/cases/{number}", headers=li)).json()["clocks"]
    assert (clock["late_cause"], clock["late_responsible_name"], clock["unit"]) == ("system", "李强", "working_days")
    assert [rung["rung"] for rung in clock["rungs"]] == ["due"]


async def test_the_list_comes_in_pages(api: httpx.AsyncClient, context: Context, signed_in: SignIn) -> None:
    zhou = await signed_in("zhou")
    numbers = {(await broken(context))[0] for _ in range(3)}
    first = (await api.get("/sla/late?limit=2", headers=zhou)).json()
    rest = (await api.get(f"/sla/late?limit=2&cursor={first['next']}", headers=zhou)).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert {item["case_number"] for item in [*first["items"], *rest["items"]]} == numbers


@pytest.mark.req("SEC-1")
async def test_it_is_for_staff_who_see_the_board(api: httpx.AsyncClient, context: Context, signed_in: SignIn) -> None:
    number, _, _ = await broken(context)
    for headers in (await signed_in("wei"), await customer_of(api, context, number), await signed_in("admin")):
        assert_problem(await api.get("/sla/late", headers=headers), 403)
    assert_problem(await api.get("/sla/late"), 401)
    assert_problem(await api.get("/sla/late?days=0", headers=await signed_in("zhou")), 422)


@pytest.mark.req("SEC-1")
async def test_people_outside_do_not_read_who_answers_for_a_broken_promise(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn
) -> None:
    wei, li = await signed_in("wei"), await signed_in("li")
    number, case_id, _ = await broken(context)
    explained = j.LatenessExplained(clock="claim.total", cause="handling", responsible=f"staff:{uuid4()}")
    await as_process(context, case_id, explained)
    survey = await open_task(context, case_id, kind="external_adjuster", queue="claims.external", ask={})
    found = (await api.get(f"/tasks/{survey}/assignees", headers=li)).json()["items"]
    to = next(one["username"] for one in found if one["name"] == "魏东")
    await api.post(f"/tasks/{survey}/assign", headers=li, json={"to": to})
    (clock,) = (await api.get(f"/cases/{number}", headers=wei)).json()["clocks"]
    hidden = {name: clock[name] for name in ("late_cause", "late_responsible", "late_responsible_name", "rungs")}
    assert hidden == {"late_cause": "", "late_responsible": "", "late_responsible_name": "", "rungs": []}
    assert clock["breached_at"]


@pytest.mark.req("CLM-12")
async def test_a_clock_of_a_pack_is_told_in_the_packs_words(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn
) -> None:
    li, zhou = await signed_in("li"), await signed_in("zhou")
    made = await reported_claim(context)
    label = Label("Status letter", "进展函")
    for name in ("us-ca.status_letter", "us-ca.status_letter@2", "us-ca.status_letter#2"):
        await start_clock(context, made.case_id, name, id="us-ca.status_letter", label=label)
    clocks: list[dict[str, Any]] = (await api.get(f"/cases/{made.number}", headers=li)).json()["clocks"]
    assert {(c["promise"], c["label"]["zh"]) for c in clocks} == {("us-ca.status_letter", "进展函")}
    board = (await api.get("/sla/board", headers=zhou)).json()
    row = next(row for row in board["rows"] if row["clock"] == "us-ca.status_letter")
    assert (row["label"]["en"], row["running"]) == ("Status letter", 3)
    listed = (await api.get("/sla/promises?state=running&clock=us-ca.status_letter", headers=zhou)).json()["items"]
    assert {item["label"]["en"] for item in listed} == {"Status letter"}
    assert len(listed) == 3


@pytest.mark.req("CLM-12")
async def test_the_tracker_tells_a_wait_and_a_longer_time(api: httpx.AsyncClient, context: Context) -> None:
    made = await reported_claim(context)
    zhao = await customer_of(api, context, made.number)
    await start_clock(context, made.case_id)
    now, request = context.now(), uuid4()
    later = now + timedelta(days=40)
    extended = j.ClockExtended(clock="claim.total", amount=9, asked_by="a", approved_by="b", due_at=later, warn_at=None)
    opened = j.RequestOpened(
        request_id=request, items=(), asked_at=now, answer_by=later, is_repeat=False, reason="court"
    )
    await as_process(context, made.case_id, extended, opened)
    seen = (await api.get(f"/track/{made.number}", headers=zhao)).json()
    assert seen["is_extended"] is True
    assert [each["label"]["en"] for each in seen["awaited"]] == ["A court"]
    assert (seen["waits_for_customer"], seen["needed"], seen["unpublished_year"]) == (False, [], None)
    file = (await api.get(f"/cases/{made.number}", headers=zhao)).json()
    assert [(r["reason"], r["items"]) for r in file["requests"]] == [("court", {})]


@pytest.mark.req("CLM-15")
async def test_a_correction_names_the_promises_it_moves_and_no_question_about_a_late_one(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn
) -> None:
    wang = await signed_in("wang")
    number, case_id, _ = await broken(context)
    await start_clock(context, case_id, "claim.simple")
    await as_process(context, case_id, j.ClockCancelled(clock="claim.simple"))
    await open_task(context, case_id)
    path = f"/cases/{number}/actions/correct/preview"
    early = (context.now() - timedelta(hours=2)).isoformat()
    outcome = {"name": "received_at", "exposure_id": "", "after": early}
    seen = (await api.post(path, json={"outcome": outcome}, headers=wang)).json()
    moved = [each["en"] for each in seen["effects"] if "runs from the corrected time" in each["en"]]
    assert moved == ["Whole claim: This promise runs from the corrected time"]
    cause = {"name": "loss_cause", "exposure_id": "", "after": "fire"}
    seen = (await api.post(path, json={"outcome": cause}, headers=wang)).json()
    told = [each["en"] for each in seen["effects"]]
    assert any("Initial review" in words for words in told)
    assert not any("Explain a broken promise" in words for words in told)
