"""Every verb of the desk over the wire: what it takes, what it answers, and what it refuses in which words (TSK-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lian.domain import journal as j
from lian.services.context import Context
from tests.api.conftest import (
    Headers,
    as_process,
    assert_problem,
    customer_of,
    employ,
    keyed,
    open_task,
    start_clock,
)
from tests.cast import reported_claim

pytestmark = pytest.mark.req("TSK-1")


@pytest.fixture
async def lin(context: Context) -> Headers:
    """A junior adjuster, of the north."""
    return await employ(context, "林芳", ["claims_adjuster_junior"], username="lin", team="north")


@pytest.fixture
async def ma(context: Context) -> Headers:
    """Another one, of the north."""
    return await employ(context, "马超", ["claims_adjuster_junior"], username="ma", team="north")


@pytest.fixture
async def lead(context: Context) -> Headers:
    """Their lead."""
    return await employ(context, "李强", ["team_lead"], username="lead", team="north")


@pytest.fixture
async def number(context: Context) -> str:
    """Zhao's claim."""
    return (await reported_claim(context)).number


@pytest.fixture
async def task(context: Context, api: httpx.AsyncClient, number: str) -> UUID:
    """An initial review that nobody has."""
    return await review_of(context, api, number)


async def review_of(context: Context, api: httpx.AsyncClient, number: str) -> UUID:
    sees = await employ(context, "运营", ["operations"])
    found = await api.get(f"/cases/{number}", headers=sees)
    return await open_task(context, UUID(found.json()["id"]))


async def do(api: httpx.AsyncClient, who: Headers, task: UUID, verb: str, **body: Any) -> httpx.Response:
    return await api.post(f"/tasks/{task}/{verb}", json=body, headers=who)


async def done(api: httpx.AsyncClient, who: Headers, task: UUID, verb: str, **body: Any) -> dict[str, Any]:
    answer = await do(api, who, task, verb, **body)
    assert answer.status_code in {200, 201}, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def in_days(context: Context, days: float) -> str:
    return (context.now() + timedelta(days=days)).isoformat()


# --- hands ------------------------------------------------------------------------------------------------------------


async def test_a_task_changes_hands_and_says_how(
    api: httpx.AsyncClient, task: UUID, lin: Headers, ma: Headers, lead: Headers
) -> None:
    claimed = await done(api, lin, task, "claim")
    assert (claimed["holder_name"], claimed["held_how"], claimed["on_behalf_of"]) == ("林芳", "claim", "")
    lent = await done(api, lin, task, "delegate", to="ma")
    assert (lent["holder_name"], lent["held_how"]) == ("马超", "delegate")
    assert (lent["on_behalf_of"], lent["on_behalf_of_name"]) == (claimed["holder"], "林芳")
    back = await done(api, ma, task, "return")
    assert (back["holder_name"], back["held_how"], back["on_behalf_of_name"]) == ("林芳", "return", "")
    given = await done(api, lead, task, "assign", to="ma")
    assert (given["holder_name"], given["held_how"]) == ("马超", "assign")
    free = await done(api, lead, task, "unassign")
    assert (free["holder"], free["held_how"], free["claimed_at"]) == ("", "", None)
    assert [v["version"] for v in (claimed, lent, back, given, free)] == sorted(
        {v["version"] for v in (claimed, lent, back, given, free)}
    )


async def test_only_a_lead_takes_a_task_out_of_somebodys_hands(
    api: httpx.AsyncClient, task: UUID, lin: Headers, ma: Headers
) -> None:
    await done(api, lin, task, "claim")
    for verb in ("unassign", "release"):
        assert_problem(await do(api, ma, task, verb), 403, "not_allowed")
    assert_problem(await do(api, ma, task, "return"), 409)
    assert (await done(api, lin, task, "release"))["holder"] == ""


async def test_a_lead_of_another_team_leaves_it_alone(
    api: httpx.AsyncClient, context: Context, task: UUID, lin: Headers
) -> None:
    await done(api, lin, task, "claim")
    south = await employ(context, "南区主管", ["team_lead"], team="south")
    for verb, body in (
        ("unassign", {}),
        ("assign", {"to": "lin"}),
        ("prioritise", {"note": "急"}),
        ("wake", {}),
    ):
        refused = await do(api, south, task, verb, **body)
        if verb == "assign":  # theirs already: nothing to do
            assert refused.status_code == 200
        else:
            assert "another team" in assert_problem(refused, 403)["detail"]


async def test_what_was_passed_on_is_offered_to_others_and_not_to_oneself(
    api: httpx.AsyncClient, task: UUID, lin: Headers, ma: Headers
) -> None:
    await done(api, lin, task, "claim")
    assert (await done(api, lin, task, "pass", reason="language"))["holder"] == ""
    assert (await api.post("/queues/claims.review/next", headers=lin)).status_code == 204
    drawn = await api.post("/queues/claims.review/next", headers=ma)
    assert (drawn.status_code, drawn.json()["id"]) == (200, str(task))


async def test_who_asked_for_a_change_on_what_they_no_longer_see_as_it_is_is_told_who_has_it(
    api: httpx.AsyncClient, task: UUID, lin: Headers, lead: Headers
) -> None:
    seen = (await api.get(f"/tasks/{task}", headers=lead)).json()["version"]
    held = await done(api, lin, task, "claim", version=seen)
    for verb, body in (
        ("claim", {}),
        ("unassign", {}),
        ("assign", {"to": "lead"}),
        ("prioritise", {"note": "急"}),
        ("hold", {"reason": "expert", "until": "2999-01-01T00:00:00Z"}),
        ("wake", {}),
    ):
        stale = await do(api, lead, task, verb, version=seen, **body)
        if verb in {"hold", "assign"}:  # each wrong in itself: the input is looked at first
            assert_problem(stale, 422)
            continue
        problem = assert_problem(stale, 409, "conflict")
        assert problem["holder"] == "林芳"
        assert "林芳" in problem["detail"]
    assert (await api.get(f"/tasks/{task}", headers=lead)).json()["version"] == held["version"]


async def test_a_request_that_is_repeated_with_the_version_it_had_changes_nothing_more(
    api: httpx.AsyncClient, task: UUID, lin: Headers
) -> None:
    """The answer of the first may have been lost."""
    seen = (await api.get(f"/tasks/{task}", headers=lin)).json()["version"]
    first = await done(api, lin, task, "claim", version=seen)
    assert await done(api, lin, task, "claim", version=seen) == first
    free = await done(api, lin, task, "release", version=first["version"])
    assert await done(api, lin, task, "release", version=first["version"]) == free


async def test_an_answer_to_what_has_changed_meanwhile_is_refused(
    api: httpx.AsyncClient, context: Context, task: UUID, lin: Headers, lead: Headers
) -> None:
    seen = (await done(api, lin, task, "claim"))["version"]
    await done(api, lead, task, "prioritise", note="客户催办")
    answer = {"outcome": {"complexity": "simple"}}
    assert_problem(await do(api, lin, task, "complete", version=seen, **answer), 409)
    now = (await api.get(f"/tasks/{task}", headers=lin)).json()["version"]
    assert (await do(api, lin, task, "complete", version=now, **answer)).status_code == 200


# --- put aside, put ahead ---------------------------------------------------------------------------------------------


async def test_a_task_is_put_aside_until_a_moment_and_nobody_draws_it(
    api: httpx.AsyncClient, context: Context, task: UUID, lin: Headers, lead: Headers
) -> None:
    until = (context.now() + timedelta(days=3)).replace(microsecond=0)
    aside = await done(api, lead, task, "hold", reason="customer", until=until.isoformat())
    assert (aside["hold_until"], aside["hold_reason"]) == (until.isoformat().replace("+00:00", "Z"), "customer")
    assert (await api.post("/queues/claims.review/next", headers=lin)).status_code == 204
    assert (await api.get("/tasks?on_hold=true", headers=lin)).json()["items"][0]["id"] == str(task)
    awake = await done(api, lead, task, "wake")
    assert (awake["hold_until"], awake["hold_reason"]) == (None, "")
    assert (await api.post("/queues/claims.review/next", headers=lin)).status_code == 200


@pytest.mark.req("TSK-2")
async def test_what_a_lead_puts_ahead_is_drawn_first_and_the_answer_says_why(
    api: httpx.AsyncClient, context: Context, number: str, lin: Headers, lead: Headers
) -> None:
    older, newer = [await review_of(context, api, number) for _ in range(2)]
    raised = await done(api, lead, newer, "prioritise", note="客户投诉")
    assert raised["is_raised"]
    drawn = (await api.post("/queues/claims.review/next", headers=lin)).json()
    assert drawn["id"] == str(newer)
    assert drawn["reasons"][0]["code"] == "raised"
    assert drawn["reasons"][0]["label"] == {"en": "It was put ahead of others", "zh": "已被提前处理"}
    assert drawn["form"]["questions"]
    again = (await api.post("/queues/claims.review/next", headers=lin)).json()
    assert (again["id"], again["reasons"][0]["code"]) == (str(newer), "own_work")
    back = await done(api, lead, older, "prioritise", is_raised=False, note="无需提前")
    assert not back["is_raised"]


@pytest.mark.req("TSK-2")
async def test_the_promise_that_puts_a_task_first_is_named_with_its_moment(
    api: httpx.AsyncClient, context: Context, number: str, task: UUID, lin: Headers
) -> None:
    case_id = UUID((await api.get(f"/cases/{number}", headers=lin)).json()["id"])
    await start_clock(context, case_id)
    drawn = (await api.post("/queues/claims.review/next", headers=lin)).json()
    said = {reason["code"]: reason for reason in drawn["reasons"]}
    assert said["act_by"]["at"] is not None
    assert drawn["act_by_at"][:19] == said["act_by"]["at"][:19]
    assert said["waiting_since"]["at"][:16] == drawn["opened_at"][:16]


async def test_a_question_nothing_waits_for_is_taken_back_and_the_procedures_are_not(
    api: httpx.AsyncClient, context: Context, number: str, task: UUID, lead: Headers, lin: Headers
) -> None:
    problem = assert_problem(await do(api, lead, task, "cancel", note="不需要"), 403, "not_allowed")
    assert "procedure waits" in problem["detail"]
    case_id = UUID((await api.get(f"/cases/{number}", headers=lin)).json()["id"])
    question = await open_task(
        context, case_id, kind="explain_lateness", queue="promises", ask={"clock": "claim.total"}
    )
    assert_problem(await do(api, lin, question, "cancel", note="不需要"), 403)
    assert (await done(api, lead, question, "cancel", note="不需要"))["status"] == "cancelled"
    assert [c["text"] for c in (await api.get(f"/tasks/{question}/talk", headers=lead)).json()["comments"]] == [
        "不需要"
    ]


# --- what colleagues say ----------------------------------------------------------------------------------------------


async def test_colleagues_talk_about_a_task_and_it_decides_nothing(
    api: httpx.AsyncClient, task: UUID, lin: Headers, ma: Headers
) -> None:
    await done(api, lin, task, "claim")
    made = await done(api, ma, task, "comments", text="请看第三页 <b>")
    review = await done(api, lin, task, "reviews", to="ma", question="您同意吗？")
    (asked,) = (await api.get("/reviews", headers=ma)).json()["items"]
    assert (asked["id"], asked["question"], asked["asked_by_name"]) == (review["id"], "您同意吗？", "林芳")
    assert asked["case_number"].startswith("CLM-")
    assert (await api.get("/reviews", headers=lin)).json()["items"] == []
    opinion = {"opinion": "disagrees", "answer": "金额偏高"}
    assert_problem(await api.post(f"/reviews/{review['id']}", json=opinion, headers=lin), 404)
    said = await api.post(f"/reviews/{review['id']}", json=opinion, headers=ma)
    assert (said.status_code, said.json()["opinion"], said.json()["answer"]) == (200, "disagrees", "金额偏高")
    assert_problem(await api.post(f"/reviews/{review['id']}", json=opinion, headers=ma), 409)
    assert (await api.get("/reviews", headers=ma)).json()["items"] == []
    talk = (await api.get(f"/tasks/{task}/talk", headers=lin)).json()
    assert [(c["id"], c["text"], c["author_name"]) for c in talk["comments"]] == [
        (made["id"], "请看第三页 <b>", "马超")
    ]
    assert [(r["reviewer_name"], r["opinion"]) for r in talk["reviews"]] == [("马超", "disagrees")]
    assert (await api.get(f"/tasks/{task}", headers=lin)).json()["status"] == "open"


async def test_only_whoever_has_a_task_asks_and_only_who_may_see_it_is_asked(
    api: httpx.AsyncClient, context: Context, task: UUID, lin: Headers, ma: Headers
) -> None:
    assert_problem(await do(api, ma, task, "reviews", to="lin", question="？"), 409)
    await done(api, lin, task, "claim")
    await employ(context, "公估", ["external_adjuster"], username="wei")
    offered = (await api.get(f"/tasks/{task}/advisers", headers=lin)).json()["items"]
    assert [one["name"] for one in offered] == ["运营", "马超"]
    for to in ("lin", "wei", "nobody"):
        problem = assert_problem(await do(api, lin, task, "reviews", to=to, question="？"), 422)
        assert problem["field"] == "to"


# --- conflicts of interest --------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-5")
async def test_whoever_declares_a_conflict_loses_the_task_and_is_offered_none_of_the_case(
    api: httpx.AsyncClient, context: Context, number: str, task: UUID, lin: Headers, ma: Headers
) -> None:
    await done(api, lin, task, "claim")
    declared = await api.post(f"/cases/{number}/conflicts", json={"reason": "acquainted"}, headers=lin)
    assert (declared.status_code, declared.content) == (204, b"")
    assert (await api.get(f"/tasks/{task}", headers=lin)).json()["holder"] == ""
    assert (await api.post("/queues/claims.review/next", headers=lin)).status_code == 204
    assert_problem(await do(api, lin, task, "claim"), 403)
    later = await review_of(context, api, number)
    assert_problem(await do(api, lin, later, "claim"), 403)
    people = (await api.get(f"/tasks/{later}/assignees", headers=await a_lead(context))).json()["items"]
    assert {p["username"]: bool(p["why_not"]) for p in people if p["username"] in {"lin", "ma"}} == {
        "lin": True,
        "ma": False,
    }


async def a_lead(context: Context) -> Headers:
    return await employ(context, "主管", ["team_lead"], team="north")


@pytest.mark.req("TSK-5")
async def test_a_lead_says_it_of_a_colleague_and_a_colleague_of_nobody_else(
    api: httpx.AsyncClient, number: str, task: UUID, lin: Headers, ma: Headers, lead: Headers
) -> None:
    body = {"reason": "complained_about", "of": "ma"}
    assert_problem(await api.post(f"/cases/{number}/conflicts", json=body, headers=lin), 403)
    assert (await do(api, ma, task, "claim")).status_code == 200
    assert (await api.post(f"/cases/{number}/conflicts", json=body, headers=lead)).status_code == 204
    assert (await api.get(f"/tasks/{task}", headers=lead)).json()["holder"] == ""
    assert_problem(await do(api, ma, task, "claim"), 403)
    nobody = {"reason": "interest", "of": "nobody"}
    problem = assert_problem(await api.post(f"/cases/{number}/conflicts", json=nobody, headers=lead), 422)
    assert problem["field"] == "of"


@pytest.mark.req("TSK-5")
async def test_a_lead_for_whom_a_case_is_not_moves_none_of_its_work(
    api: httpx.AsyncClient, context: Context, number: str, task: UUID, lin: Headers, lead: Headers
) -> None:
    """Nor puts it ahead, holds it up, or chooses who decides it."""
    await done(api, lin, task, "claim")
    own = {"reason": "own_case"}
    assert (await api.post(f"/cases/{number}/conflicts", json=own, headers=lead)).status_code == 204
    tomorrow = await in_days(context, 1)
    for verb, body in (
        ("assign", {"to": "lead"}),
        ("unassign", {}),
        ("release", {}),
        ("prioritise", {"note": "急"}),
        ("hold", {"reason": "expert", "until": tomorrow}),
        ("wake", {}),
    ):
        answer = await do(api, lead, task, verb, **body)
        assert answer.status_code in {403, 422}, answer.text
    assert (await api.get(f"/tasks/{task}", headers=lin)).json()["holder_name"] == "林芳"


# --- lists ------------------------------------------------------------------------------------------------------------


async def test_lists_are_filtered_sorted_and_counted(
    api: httpx.AsyncClient, context: Context, lin: Headers, lead: Headers
) -> None:
    cases = [await reported_claim(context) for _ in range(3)]
    first, second, third = [await open_task(context, case.case_id) for case in cases]
    other = await open_task(context, cases[0].case_id, kind="adjudicate", queue="claims.adjudication", ask={})
    await start_clock(context, cases[2].case_id)
    await done(api, lin, second, "claim")
    await done(api, lead, first, "prioritise", note="急")
    await done(api, lead, other, "hold", reason="expert", until=await in_days(context, 2))
    for asked, wanted in {
        "queue=claims.review&sort=oldest": [first, second, third],
        "queue=claims.review&sort=newest": [third, second, first],
        "queue=claims.review&sort=due&limit=1": [third],
        "task=adjudicate": [other],
        "kind=inquiry": [],
        "mine=true": [second],
        "holder=@me": [second],
        "holder=@none&sort=oldest": [first, third, other],
        "unclaimed=true&task=initial_review&sort=oldest": [first, third],
        "raised=true": [first],
        "on_hold=true": [other],
        "on_hold=false&sort=oldest": [first, second, third],
        "team=north": [second],
        "team=south": [],
        "line=motor&task=adjudicate": [other],
        "stage=nowhere": [],
        "late=true": [],
    }.items():
        listed = await api.get(f"/tasks?{asked}", headers=lin)
        assert listed.status_code == 200, listed.text
        assert [t["id"] for t in listed.json()["items"]] == [str(each) for each in wanted], asked
        if "sort" not in asked:
            counted = (await api.get(f"/tasks/count?{asked}", headers=lin)).json()
            assert counted == {"n": len(wanted), "is_more": False}, asked


async def test_every_order_comes_in_pages_without_gaps(api: httpx.AsyncClient, context: Context, lin: Headers) -> None:
    opened = {str(await open_task(context, (await reported_claim(context)).case_id)) for _ in range(5)}
    for sort in ("urgency", "due", "oldest", "newest", "amount"):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await api.get("/tasks", params={"sort": sort, "limit": 2, "cursor": cursor}, headers=lin)).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next"]
        assert len(seen) == 5, sort
        assert set(seen) == opened, sort


async def test_what_is_asked_of_a_list_wrongly_is_refused(
    api: httpx.AsyncClient, context: Context, lin: Headers, subtests: pytest.Subtests
) -> None:
    for _ in range(2):
        await open_task(context, (await reported_claim(context)).case_id)
    cursor = (await api.get("/tasks?limit=1&sort=oldest", headers=lin)).json()["next"]
    for asked in (
        "sort=canary7731",
        "canary7731=1",
        "on_hold=canary7731",
        "limit=0",
        "limit=201",
        "cursor=canary7731",
        f"cursor={cursor}",
        f"cursor={cursor}&sort=amount",
        "queue=" + "x" * 81,
    ):
        with subtests.test(asked[:40]):
            refused = await api.get(f"/tasks?{asked}", headers=lin)
            assert_problem(refused, 422, "invalid")
            assert "canary" not in refused.text
    assert_problem(await api.get("/tasks/count?cursor=x", headers=lin), 422)


# --- what is not for everybody ----------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
async def test_people_outside_read_none_of_our_inside_on_their_own_task(
    api: httpx.AsyncClient, context: Context, number: str, lin: Headers, lead: Headers
) -> None:
    wei = await employ(context, "公估", ["external_adjuster"], username="wei")
    case_id = UUID((await api.get(f"/cases/{number}", headers=lin)).json()["id"])
    survey = await open_task(context, case_id, kind="external_adjuster", queue="claims.external", ask={})
    await as_process(
        context, case_id, j.TaskRouted(task_id=survey, queue="claims.external", skills=("marine",), is_green=True)
    )
    await done(api, lead, survey, "prioritise", note="急")
    await done(api, lin, survey, "claim")
    review = await done(api, lin, survey, "reviews", to="lead", question="他可靠吗？")
    opinion = {"opinion": "unsure", "answer": "不好说"}
    assert (await api.post(f"/reviews/{review['id']}", json=opinion, headers=lead)).status_code == 200
    await done(api, lin, survey, "comments", text="请周五前完成")
    assert (await done(api, lin, survey, "delegate", to="wei"))["on_behalf_of_name"] == "林芳"
    for seen in (
        (await api.get(f"/tasks/{survey}", headers=wei)).json(),
        (await api.get("/tasks", headers=wei)).json()["items"][0],
        await done(api, wei, survey, "hold", reason="appointment", until=await in_days(context, 2)),
    ):
        assert (seen["id"], seen["holder_name"]) == (str(survey), "公估")
        assert (seen["is_green"], seen["is_raised"], seen["skills"]) == (False, False, [])
        assert (seen["on_behalf_of"], seen["on_behalf_of_name"]) == ("", "")
    talk = (await api.get(f"/tasks/{survey}/talk", headers=wei)).json()
    assert ([c["text"] for c in talk["comments"]], talk["reviews"]) == (["请周五前完成"], [])


@pytest.mark.req("SEC-1")
async def test_customers_read_none_of_it_on_what_is_asked_of_them(
    api: httpx.AsyncClient, context: Context, number: str, lin: Headers, lead: Headers
) -> None:
    case_id = UUID((await api.get(f"/cases/{number}", headers=lin)).json()["id"])
    asked = await open_task(context, case_id, kind="confirm_account", queue="claims.settlement", ask={})
    await done(api, lin, asked, "claim")
    await done(api, lin, asked, "hold", reason="other", note="客户出差", until=await in_days(context, 2))
    await done(api, lead, asked, "prioritise", note="急")
    zhao = await customer_of(api, context, number)
    seen = (await api.get(f"/tasks/{asked}", headers=zhao)).json()
    inside = ("holder", "holder_name", "held_how", "on_behalf_of", "hold_reason", "queue", "stage", "completed_by")
    assert {seen[name] for name in inside} == {""}
    assert [seen[name] for name in ("hold_until", "claimed_at", "version", "is_raised", "skills")] == [
        None,
        None,
        0,
        False,
        [],
    ]
    assert_problem(await api.get(f"/tasks/{asked}/talk", headers=zhao), 403)


# --- what is sent wrongly ---------------------------------------------------------------------------------------------

WRONG: dict[str, list[dict[str, Any]]] = {
    "claim": [{"version": "1"}, {"version": -1}, {"version": 1.5}, {"version": True}, {"canary7731": 1}],
    "release": [{"version": "canary7731"}, {"canary7731": 1}],
    "unassign": [{"canary7731": 1}],
    "assign": [{}, {"to": ""}, {"to": "canary7731"}, {"to": "ma", "canary7731": 1}, {"to": "x" * 81}],
    "delegate": [{}, {"to": "lin"}, {"to": "canary7731"}],
    "return": [{"canary7731": 1}],
    "hold": [
        {"reason": "customer"},
        {"reason": "canary7731", "until": "SOON"},
        {"reason": "customer", "until": "2026-01-05T08:00:00"},
        {"reason": "customer", "until": "2020-01-05T08:00:00Z"},
        {"reason": "customer", "until": "FAR"},
        {"reason": "customer", "until": 1_900_000_000},
        {"reason": "other", "until": "SOON"},
        {"reason": "other", "until": "SOON", "note": "  "},
        {"reason": "customer", "until": "SOON", "note": "x" * 4001},
    ],
    "wake": [{"canary7731": 1}],
    "pass": [{}, {"reason": "canary7731"}, {"reason": "other"}, {"reason": "time", "canary7731": 1}],
    "prioritise": [{}, {"note": " "}, {"note": "急", "is_raised": "yes"}, {"note": "急", "is_raised": 1}],
    "cancel": [{}, {"note": ""}],
    "comments": [{}, {"text": " "}, {"text": "x" * 4001}, {"text": "a\u0000canary7731"}, {"text": 7}],
    "reviews": [{"to": "ma"}, {"question": "？"}, {"to": "canary7731", "question": "？"}],
}


async def test_what_is_sent_wrongly_is_refused_and_nothing_happens(
    api: httpx.AsyncClient,
    context: Context,
    task: UUID,
    lin: Headers,
    ma: Headers,
    lead: Headers,
    subtests: pytest.Subtests,
) -> None:
    before = await done(api, lin, task, "claim")
    moments = {"SOON": await in_days(context, 1), "FAR": await in_days(context, 91)}
    for verb, bodies in WRONG.items():
        who = lead if verb in {"assign", "unassign", "prioritise", "cancel"} else lin
        for body in bodies:
            given = body | {"until": moments[body["until"]]} if body.get("until") in moments else body
            with subtests.test(f"{verb} {body!r:.60}"):
                refused = await do(api, who, task, verb, **given)
                assert_problem(refused, 422, "invalid")
                assert "canary" not in refused.text
    assert (await api.get(f"/tasks/{task}", headers=lin)).json()["version"] == before["version"]


async def test_an_opinion_or_a_conflict_that_is_sent_wrongly_is_refused(
    api: httpx.AsyncClient, number: str, task: UUID, lin: Headers, ma: Headers
) -> None:
    await done(api, lin, task, "claim")
    review = (await done(api, lin, task, "reviews", to="ma", question="？"))["id"]
    opinions: list[dict[str, Any]] = [{}, {"opinion": "canary7731"}, {"opinion": "disagrees"}]
    for body in (*opinions, {"opinion": "unsure", "answer": " "}):
        refused = await api.post(f"/reviews/{review}", json=body, headers=ma)
        assert_problem(refused, 422, "invalid")
        assert "canary" not in refused.text
    conflicts: list[dict[str, Any]] = [{}, {"reason": "canary7731"}, {"reason": "interest", "canary7731": 1}]
    for body in (*conflicts, {"reason": "interest", "of": 1}):
        refused = await api.post(f"/cases/{number}/conflicts", json=body, headers=ma)
        assert_problem(refused, 422, "invalid")
        assert "canary" not in refused.text
    assert_problem(await api.post(f"/reviews/{uuid4()}", json={"opinion": "agrees"}, headers=keyed(ma)), 404)
    assert_problem(await api.post("/reviews/7", json={"opinion": "agrees"}, headers=ma), 404)
