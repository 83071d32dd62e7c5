"""People's work through the API: races, forms, answers, an engine that is away (TSK-1, TSK-2)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlmodel import func, select

from lian.db.tables import JournalEntry
from lian.domain import journal as j
from lian.services.context import Context
from tests.api.conftest import (
    Headers,
    SignIn,
    as_process,
    assert_problem,
    claim_body,
    employ,
    insisting,
    keyed,
    open_task,
)
from tests.cast import reported_claim
from tests.fakes.process import FakeProcess

REVIEWED = {"outcome": {"complexity": "simple", "missing": ["identity"]}, "notes": "电话核实"}


async def crowd(context: Context, people: int) -> list[tuple[str, Headers]]:
    """Names and headers of so many junior adjusters."""
    return [(f"员工{n}", await employ(context, f"员工{n}", ["claims_adjuster_junior"])) for n in range(people)]


@pytest.fixture
async def task(context: Context) -> UUID:
    """An initial review that nobody has."""
    return await open_task(context, (await reported_claim(context)).case_id)


@pytest.mark.req("TSK-1")
async def test_fifty_people_claim_one_task_and_one_gets_it(
    api: httpx.AsyncClient, context: Context, task: UUID
) -> None:
    people = await crowd(context, 50)
    seen = {"version": (await api.get(f"/tasks/{task}", headers=people[0][1])).json()["version"]}
    answers = await asyncio.gather(
        *(insisting(partial(api.post, f"/tasks/{task}/claim", json=seen, headers=headers)) for _, headers in people)
    )
    assert sorted(a.status_code for a in answers) == [200] + [409] * 49
    winner = next(name for (name, _), a in zip(people, answers, strict=True) if a.status_code == 200)
    for answer in answers:
        if answer.status_code == 409:
            problem = assert_problem(answer, 409, "conflict")
            assert problem["holder"] == winner
            assert winner in problem["detail"]
    async with context.transaction() as session:
        query = select(func.count()).where(JournalEntry.type == "task.claimed")
        assert (await session.execute(query)).scalar_one() == 1


@pytest.mark.req("TSK-1")
async def test_twenty_clerks_who_take_the_next_task_never_draw_the_same(
    api: httpx.AsyncClient, context: Context
) -> None:
    tasks = {str(await open_task(context, (await reported_claim(context)).case_id)) for _ in range(18)}
    people = await crowd(context, 20)
    answers = await asyncio.gather(
        *(insisting(partial(api.post, "/queues/claims.review/next", headers=headers)) for _, headers in people)
    )
    drawn = [a.json()["id"] for a in answers if a.status_code == 200]
    assert {a.status_code for a in answers} == {200, 204}
    assert len(drawn) == len(set(drawn)) == 18
    assert set(drawn) == tasks


async def test_there_is_no_next_task_in_an_unknown_queue(api: httpx.AsyncClient, wang: Headers) -> None:
    assert_problem(await api.post("/queues/canary/next", headers=wang), 404)
    assert (await api.post("/queues/claims.review/next", headers=wang)).status_code == 204


@pytest.mark.req("TSK-1")
async def test_a_task_comes_with_the_form_of_its_answer(api: httpx.AsyncClient, task: UUID, wang: Headers) -> None:
    read = (await api.get(f"/tasks/{task}", headers=wang)).json()
    assert read["ask"] == {"complexity": "simple", "checklist": ["identity", "bank_account"]}
    complexity, missing, *_ = read["form"]["questions"]
    assert complexity["label"] == {"en": "Complexity", "zh": "案件类型"}
    assert complexity["required"]
    assert [o["value"] for o in complexity["options"]] == ["simple", "complex"]
    assert [o["value"] for o in missing["options"]] == ["identity", "bank_account"]
    assert missing["options"][0]["label"]["zh"] == "索赔人身份证明"
    assert set(read["form"]["outcome_schema"]["properties"]) == {"complexity", "missing", "investigate", "suspicion"}


async def test_rows_have_their_own_questions(api: httpx.AsyncClient, context: Context, wang: Headers) -> None:
    case = await reported_claim(context)
    task = await open_task(context, case.case_id, kind="agree_settlement", queue="claims.settlement", ask={})
    form = (await api.get(f"/tasks/{task}", headers=wang)).json()["form"]
    rows = {q["name"]: q for q in form["questions"][0]["rows"]}
    assert rows.keys() == {"party_id", "amount", "name", "account", "bank"}
    assert rows["account"]["personal"]
    assert "payee_id" not in form["outcome_schema"]["$defs"]["PayeeShare"]["properties"]


@pytest.mark.req("TSK-1")
async def test_a_task_is_answered_by_whoever_has_it(
    api: httpx.AsyncClient, process: FakeProcess, task: UUID, wang: Headers, signed_in: SignIn
) -> None:
    assert_problem(await api.post(f"/tasks/{task}/complete", json=REVIEWED, headers=wang), 409)
    assert (await api.post(f"/tasks/{task}/claim", headers=wang)).json()["holder_name"] == "王敏"
    assert (await api.post(f"/tasks/{task}/claim", headers=wang)).status_code == 200
    chen = await signed_in("chen")
    problem = assert_problem(await api.post(f"/tasks/{task}/complete", json=REVIEWED, headers=chen), 409)
    assert problem["holder"] == "王敏"
    answer = await api.post(f"/tasks/{task}/complete", json=REVIEWED, headers=keyed(wang, "k1"))
    assert answer.status_code == 200, answer.text
    me = (await api.get("/me", headers=wang)).json()["actor"]
    assert answer.json() == {"command_id": f"{me}:{task}:k1", "seq": 1}
    (told,) = process.told
    assert (told.actor, told.notes, told.outcome["missing"]) == (me, "电话核实", ["identity"])


BAD_ANSWERS: list[Any] = [
    {},
    {"complexity": "canary7731"},
    {"complexity": "simple", "missing": ["canary7731"]},
    {"complexity": "simple", "canary7731": 1},
    {"complexity": "simple", "missing": "canary7731"},
    {"complexity": "simple", "missing": ["x" * 401]},
    {"complexity": None},
    ["canary7731"],
]
BAD_AMOUNTS = ["NaN", "Infinity", "-1", "0.001", "1e400", "9" * 40, 0.001, 10**300, None, "x", True, [], {}]


async def test_a_bad_answer_is_refused(
    api: httpx.AsyncClient, process: FakeProcess, task: UUID, wang: Headers, subtests: pytest.Subtests
) -> None:
    await api.post(f"/tasks/{task}/claim", headers=wang)
    for outcome in BAD_ANSWERS:
        with subtests.test(repr(outcome)[:60]):
            answer = await api.post(f"/tasks/{task}/complete", json={"outcome": outcome}, headers=wang)
            assert_problem(answer, 422, "invalid")
            assert "canary" not in answer.text
    assert process.told == []


async def test_a_bad_amount_in_an_answer_is_refused(
    api: httpx.AsyncClient, context: Context, process: FakeProcess, wang: Headers, subtests: pytest.Subtests
) -> None:
    case = await reported_claim(context)
    exposure = str(uuid4())
    ask = {"rows": {"losses": [{"exposure_id": exposure, "claimed_amount": "5000.00"}]}}
    task = await open_task(context, case.case_id, kind="assess_loss", queue="claims.assessment", ask=ask)
    await api.post(f"/tasks/{task}/claim", headers=wang)

    async def answer(**loss: Any) -> httpx.Response:
        outcome = {"losses": [{"exposure_id": exposure, **loss}]}
        return await api.post(f"/tasks/{task}/complete", json={"outcome": outcome}, headers=wang)

    for amount in BAD_AMOUNTS:
        with subtests.test(repr(amount)[:60]):
            assert_problem(await answer(assessed_amount=amount), 422, "invalid")
    assert_problem(await answer(assessed_amount="1.00", canary=1), 422, "invalid")
    assert process.told == []
    assert (await answer(assessed_amount="1.00")).status_code == 200


@pytest.mark.req("TSK-1")
async def test_while_the_engine_is_away_only_answers_wait(
    api: httpx.AsyncClient, process: FakeProcess, task: UUID, wang: Headers, sun: Headers, policy: str
) -> None:
    await api.post(f"/tasks/{task}/claim", headers=wang)
    process.away = True
    answer = await api.post(f"/tasks/{task}/complete", json=REVIEWED, headers=keyed(wang, "k"))
    assert_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    reported = await api.post("/claims", json=claim_body(), headers=keyed(sun))
    assert reported.status_code == 201
    number = reported.json()["number"]
    withdrawn = await api.post(f"/cases/{number}/withdraw", json={"reason": "x"}, headers=sun)
    assert_problem(withdrawn, 503, "unavailable")
    assert (await api.get(f"/track/{number}", headers=wang)).status_code == 200
    assert (await api.post(f"/tasks/{task}/release", headers=wang)).json()["holder"] == ""
    assert (await api.post(f"/tasks/{task}/claim", headers=wang)).status_code == 200
    process.away = False
    assert (await api.post(f"/tasks/{task}/complete", json=REVIEWED, headers=keyed(wang, "k"))).status_code == 200


@pytest.mark.req("CLM-9")
async def test_tasks_keep_to_authority_and_four_eyes(
    api: httpx.AsyncClient, context: Context, wang: Headers, signed_in: SignIn
) -> None:
    case = await reported_claim(context)
    me = (await api.get("/me", headers=wang)).json()["actor"]
    above = await open_task(context, case.case_id, least_authority=Decimal(900000))
    excluded = await open_task(context, case.case_id, excluded=(me,))
    second = await open_task(context, case.case_id, kind="authorise", queue="claims.authority", ask={})
    for task in (above, excluded, second):
        assert_problem(await api.post(f"/tasks/{task}/claim", headers=wang), 403, "not_allowed")
    assert (await api.post("/queues/claims.review/next", headers=wang)).status_code == 204
    chen = await signed_in("chen")
    await api.post(f"/tasks/{second}/claim", headers=chen)
    assert_problem(await api.post(f"/tasks/{second}/release", headers=wang), 403)
    li = await signed_in("li")
    assert (await api.post(f"/tasks/{second}/release", headers=li)).status_code == 200


@pytest.mark.req("TSK-2")
async def test_lists_come_in_pages_without_gaps(api: httpx.AsyncClient, context: Context, wang: Headers) -> None:
    opened = {str(await open_task(context, (await reported_claim(context)).case_id)) for _ in range(7)}
    for path, key in (("/tasks?limit=3", "id"), ("/cases?limit=3", "number")):
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            page = (await api.get(f"{path}&cursor={cursor}", headers=wang)).json()
            seen += [item[key] for item in page["items"]]
            cursor = page["next"]
        assert len(seen) == len(set(seen)) == 7
        assert key != "id" or set(seen) == opened
    counts = (await api.get("/queues", headers=wang)).json()["items"]
    assert {c["queue"]: c["unclaimed"] for c in counts}["claims.review"] == 7
    await api.post(f"/tasks/{min(opened)}/claim", headers=wang)
    mine = (await api.get("/tasks?mine=true", headers=wang)).json()["items"]
    assert [t["id"] for t in mine] == [min(opened)]
    free = (await api.get("/tasks?unclaimed=true&queue=claims.review", headers=wang)).json()["items"]
    assert len(free) == 6


@pytest.mark.req("CLM-12")
async def test_the_board_counts_and_its_numbers_open_lists(
    api: httpx.AsyncClient, context: Context, wang: Headers
) -> None:
    case = await reported_claim(context)
    now = context.now()
    started = j.ClockStarted(
        clock="claim.initial_review",
        policy={},
        started_at=now - timedelta(days=3),
        due_at=now - timedelta(days=1),
        warn_at=now - timedelta(days=2),
    )
    await as_process(context, case.case_id, started)
    board = (await api.get("/sla/board", headers=wang)).json()
    assert (board["open_cases"], board["breached"], board["running"]) == (1, 1, 0)
    listed = (await api.get("/sla/promises?state=breached&clock=claim.initial_review", headers=wang)).json()["items"]
    assert [p["case_number"] for p in listed] == [case.number]
    assert listed[0]["due_at"].endswith("Z")
    soon = (await api.get("/sla/promises?within_hours=24", headers=wang)).json()
    assert soon == {"items": [], "next": None}


@pytest.mark.req("SEC-3")
async def test_the_timeline_tells_who_did_what(
    api: httpx.AsyncClient, context: Context, task: UUID, wang: Headers
) -> None:
    await api.post(f"/tasks/{task}/claim", headers=wang)
    number = (await api.get(f"/tasks/{task}", headers=wang)).json()["case_number"]
    events: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = (await api.get(f"/cases/{number}/timeline?after={after}&limit=3", headers=wang)).json()
        events += page["items"]
        after = page["next"]
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "case.drafted"
    assert (events[-1]["type"], events[-1]["actor_name"]) == ("task.claimed", "王敏")
