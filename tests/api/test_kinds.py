"""Kinds of cases over the API: their forms, opening one, and what the description says of them (INQ-1, idea 5)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlmodel import select

from lian.db.tables import Case, Message
from lian.domain import journal as j
from lian.domain.case_kinds import KINDS
from lian.services.context import Context
from tests.api.conftest import Headers, SignIn, as_process, assert_problem, claim_body, count, keyed, open_task
from tests.fakes.process import FakeProcess

pytestmark = [pytest.mark.req("INQ-1")]

BODY: dict[str, Any] = {
    "answers": {"topic": "premium", "text": "这个月扣了两次保费。", "policy_number": "MO-1"},
    "reporter": {"name": "赵磊", "email": "zhao@example.com"},
    "channel": "phone",
}


async def opened(api: httpx.AsyncClient, headers: Headers) -> dict[str, Any]:
    answer = await api.post("/kinds/inquiry/cases", json=BODY, headers=keyed(headers))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_an_inquiry_is_opened_once_per_key(api: httpx.AsyncClient, context: Context, sun: Headers) -> None:
    headers = keyed(sun)
    first = await api.post("/kinds/inquiry/cases", json=BODY, headers=headers)
    again = await api.post("/kinds/inquiry/cases", json=BODY, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["number"].startswith("INQ-")
    assert first.headers["location"] == f"/api/v1/cases/{first.json()['number']}"
    assert await count(context, Case) == 1
    other = await api.post("/kinds/inquiry/cases", json=BODY | {"channel": "web"}, headers=headers)
    assert_problem(other, 409)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (BODY | {"answers": {"topic": "canary", "text": "x"}}, 422, "topic"),
        (BODY | {"answers": {"canary": "x"}}, 422, None),
        (BODY | {"answers": "canary"}, 422, "answers"),
        (BODY | {"reporter": {"name": "canary"}}, 422, "reporter"),
        (BODY | {"canary": 1}, 422, None),
        (BODY | {"answers": {"topic": "other", "text": "\x00canary"}}, 422, None),
    ],
)
async def test_bad_input_is_refused_and_not_repeated(
    api: httpx.AsyncClient, context: Context, sun: Headers, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = await api.post("/kinds/inquiry/cases", json=body, headers=keyed(sun))
    problem = assert_problem(answer, status)
    assert field is None or problem["field"] == field
    assert "canary" not in answer.text
    assert await count(context, Case) == 0


async def test_only_kinds_with_a_form_are_opened_so(api: httpx.AsyncClient, sun: Headers) -> None:
    for kind in ("claim", "canary"):
        answer = await api.post(f"/kinds/{kind}/cases", json=BODY, headers=keyed(sun))
        assert_problem(answer, 404)
        assert "canary" not in answer.text
    assert_problem(await api.post("/kinds/inquiry/cases", json=BODY, headers=sun), 400)


async def test_every_kind_is_described(api: httpx.AsyncClient, sun: Headers) -> None:
    kinds = {kind["kind"]: kind for kind in (await api.get("/kinds", headers=sun)).json()["items"]}
    assert kinds.keys() == KINDS.keys()
    inquiry = kinds["inquiry"]
    assert inquiry["label"] == {"en": "Inquiry", "zh": "咨询"}
    assert [s["stage"] for s in inquiry["stages"]] == ["report", "answer", "specialist", "closed"]
    assert [q["queue"] for q in inquiry["queues"]] == ["inquiries.answer", "inquiries.specialist", "promises"]
    (clock,) = inquiry["clocks"]
    assert (clock["clock"], clock["amount"], clock["unit"], clock["is_told"]) == ("inquiry.answer", 24, "hours", True)
    form = inquiry["intake"]["form"]
    assert [(q["name"], q["widget"], q["required"]) for q in form["questions"]] == [
        ("topic", "choice", True),
        ("text", "text", True),
        ("policy_number", "line", False),
    ]
    assert len(form["questions"][0]["options"]) == 6
    assert form["outcome_schema"]["required"] == ["topic", "text"]


async def test_openapi_describes_the_answers_of_every_form(api: httpx.AsyncClient) -> None:
    schema = (await api.get("/openapi.json")).json()
    answers = schema["components"]["schemas"]["CaseIn"]["properties"]["answers"]["anyOf"]
    assert [each["title"] for each in answers] == [
        f"{kind.label.en} ({kind.id})" for kind in KINDS.values() if kind.intake
    ]
    (inquiry,) = (each for each in answers if "inquiry" in each["title"])
    assert inquiry["properties"]["topic"]["enum"] == ["policy", "claim", "premium", "change", "surrender", "other"]
    post = schema["paths"]["/kinds/{kind}/cases"]["post"]
    assert post["requestBody"]["content"]["application/json"]["examples"]["inquiry"]["value"]["answers"]["topic"]


async def test_cases_are_listed_by_kind(api: httpx.AsyncClient, sun: Headers, policy: str) -> None:
    inquiry = await opened(api, sun)
    claim = (await api.post("/claims", json=claim_body(), headers=keyed(sun))).json()
    for kind, wanted in (("inquiry", [inquiry]), ("claim", [claim]), ("", [claim, inquiry]), ("canary", [])):
        found = (await api.get("/cases", params={"kind": kind} if kind else {}, headers=sun)).json()["items"]
        assert [case["number"] for case in found] == [case["number"] for case in wanted]


async def test_the_answer_to_a_task_becomes_a_message_before_the_process_hears_of_it(
    api: httpx.AsyncClient, context: Context, process: FakeProcess, signed_in: SignIn
) -> None:
    sun = await signed_in("sun")
    case_id = UUID((await opened(api, sun))["case_id"])
    task = await open_task(context, case_id, kind="answer_inquiry", queue="inquiries.answer", ask={"topic": "premium"})
    claimed = (await api.post(f"/tasks/{task}/claim", headers=sun)).json()
    assert [q["name"] for q in claimed["form"]["questions"]] == ["result", "reply"]
    body = {"outcome": {"result": "answered", "reply": "已退还一笔。"}, "notes": ""}
    headers = keyed(sun)
    for _ in range(2):
        assert (await api.post(f"/tasks/{task}/complete", json=body, headers=headers)).status_code == 200
    async with context.transaction() as session:
        (message,) = (await session.execute(select(Message).where(Message.case_id == case_id))).scalars().all()
    assert (message.direction, message.body) == ("out", "已退还一笔。")
    assert process.told[-1].outcome == {"result": "answered", "reply": str(message.id)}


async def test_an_inquiry_has_no_exposures_and_no_money(api: httpx.AsyncClient, context: Context, sun: Headers) -> None:
    number = (await opened(api, sun))["number"]
    file = (await api.get(f"/cases/{number}", headers=sun)).json()
    assert (file["kind"], file["exposures"], file["course"]) == ("inquiry", [], "这个月扣了两次保费。")
    tracked = (await api.get(f"/track/{number}", headers=sun)).json()
    assert tracked["headline"]["en"] == "We have received your question"
    async with context.transaction() as session:
        case = (await session.execute(select(Case).where(Case.number == number))).scalars().one()
    await as_process(context, case.id, j.CaseClosed(outcome="answered"))
    tracked = (await api.get(f"/track/{number}", headers=sun)).json()
    assert tracked["headline"]["zh"] == "您的咨询已答复"
