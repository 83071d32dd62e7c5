"""Bad input: refused in plain words, nothing stored, nothing echoed (must show 6, faults 23-26)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from lian.db.tables import Case, IdempotencyKey, JournalEntry, Message, Notice, Person
from lian.services.context import Context
from tests.api.conftest import Headers, assert_problem, claim_body, count, keyed
from tests.cast import PASSWORD, hire

CANARY = "canary7731"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
LOSS = {"coverage_code": "OD", "claimed_amount": "1"}
HUGE = "9" * 400
JSON = {"Content-Type": "application/json"}


def amount(value: Any) -> dict[str, Any]:
    return {"losses": [LOSS | {"claimed_amount": value}]}


BODIES: dict[str, dict[str, Any]] = {
    "negative amount": amount("-7731.00"),
    "negative whole amount": amount(-7731),
    "huge amount": amount(HUGE),
    "huge whole amount": amount(10**400),
    "amount over the limit": amount("1000000000.00"),
    "three decimals": amount("7731.001"),
    "exponent": amount("1e7731"),
    "amount as NaN text": amount("NaN"),
    "amount as infinite text": amount("Infinity"),
    "float": amount(7731.5),
    "boolean amount": amount(True),
    "no amount": amount(None),
    "zero": amount("0"),
    "no losses": {"losses": []},
    "too many losses": {"losses": [LOSS] * 51},
    "unknown claimant": {"losses": [LOSS | {"claimant": 3}]},
    "unknown coverage": {"losses": [LOSS | {"coverage_code": CANARY}]},
    "loss in the future": {"loss_at": TOMORROW},
    "report in the future": {"reported_at": TOMORROW},
    "report before the loss": {"reported_at": "2026-01-01T00:00:00Z"},
    "moment without zone": {"loss_at": "2026-01-05T08:00:00"},
    "moment as number": {"loss_at": 7731},
    "no moment": {"loss_at": CANARY},
    "end of the calendar": {"reported_at": "9999-12-31T23:59:59-12:00"},
    "beginning of the calendar": {"loss_at": "0001-01-01T00:00:00+14:00"},
    "unknown policy": {"policy_number": CANARY},
    "unknown cause": {"loss_cause": CANARY},
    "unknown channel": {"channel": CANARY},
    "unknown field": {CANARY: CANARY},
    "unknown field of a person": {"reporter": {"name": "赵磊", "phone": "1", CANARY: CANARY}},
    "no contact": {"reporter": {"name": CANARY}},
    "no name": {"reporter": {"name": "  ", "phone": "1"}},
    "long name": {"reporter": {"name": CANARY * 100, "phone": "1"}},
    "long course": {"course": CANARY * 500},
    "NUL": {"course": f"{CANARY}\0"},
    "NUL in a name": {"reporter": {"name": f"{CANARY}\0", "phone": "1"}},
    "NUL in a field's name": {f"{CANARY}\0": 1},
    "missing course": {"course": ...},
    "empty course": {"course": ""},
    "text for a number": {"injured": CANARY},
    "boolean for a number": {"injured": True},
    "negative count": {"injured": -7731},
    "huge count": {"injured": 10**30},
    "list for an object": {"reporter": [CANARY]},
    "object for text": {"course": {CANARY: 1}},
}

RAW: dict[str, tuple[bytes, int]] = {
    "no JSON": (b'{"policy_number": canary7731', 400),
    "empty": (b"", 422),
    "text": (b'"canary7731"', 422),
    "list": (b'["canary7731"]', 422),
    "not UTF-8": (b'{"policy_number": "\xff\xfecanary7731"}', 400),
    "NaN": (json.dumps(claim_body()).replace('"5000.00"', "NaN").encode(), 422),
    "Infinity": (json.dumps(claim_body()).replace('"5000.00"', "-Infinity").encode(), 422),
    "1e400": (json.dumps(claim_body()).replace('"5000.00"', "1e400").encode(), 422),
    "lone surrogate": (
        json.dumps(claim_body(course="SURROGATE")).replace("SURROGATE", "canary7731\\ud800").encode(),
        422,
    ),
    "lone surrogate as a field": (b'{"canary7731\\udfff": 1}', 422),
    "escaped NUL": (json.dumps(claim_body(course="ZERO")).replace("ZERO", "canary7731\\u0000").encode(), 422),
    "very deep": (b"[" * 100_000, 400),
    "very long number": (b'{"injured": ' + b"7" * 10_000 + b"}", 400),
}


async def assert_nothing_stored(context: Context) -> None:
    for table in (Case, JournalEntry, IdempotencyKey, Message, Notice):
        assert await count(context, table) == 0
    assert await count(context, Person) == 1  # the policyholder, who was there before


def assert_not_echoed(answer: httpx.Response) -> None:
    said = answer.text + repr(answer.headers)
    for word in (CANARY, "7731", "99999", "\\ud800", "Traceback", "pydantic", "sqlalchemy", "psycopg"):
        assert word not in said.replace(answer.json()["reference"], "")


@pytest.mark.req("CLM-1")
async def test_a_report_with_bad_input_is_refused(
    api: httpx.AsyncClient, context: Context, sun: Headers, policy: str, subtests: pytest.Subtests
) -> None:
    for name, change in BODIES.items():
        with subtests.test(name):
            body = json.dumps(claim_body(**change))
            answer = await api.post("/claims", content=body, headers=keyed(sun) | JSON)
            assert_problem(answer, 404 if name == "unknown policy" else 422)
            assert_not_echoed(answer)
            await assert_nothing_stored(context)


async def test_a_body_that_is_no_good_json_is_refused(
    api: httpx.AsyncClient, context: Context, sun: Headers, policy: str, subtests: pytest.Subtests
) -> None:
    for name, (raw, status) in RAW.items():
        with subtests.test(name):
            answer = await api.post("/claims", content=raw, headers=keyed(sun) | JSON)
            assert_problem(answer, status)
            assert_not_echoed(answer)
            await assert_nothing_stored(context)


async def test_a_body_over_one_megabyte_is_refused(api: httpx.AsyncClient, context: Context, sun: Headers) -> None:
    body = json.dumps(claim_body(course="x" * 1_100_000))
    headers = keyed(sun) | {"Content-Type": "application/json"}
    assert_problem(await api.post("/claims", content=body, headers=headers), 413, "too_large")

    async def unannounced() -> Any:
        yield body.encode()

    assert_problem(await api.post("/claims", content=unannounced(), headers=headers), 413, "too_large")
    assert await count(context, Case) == 0


async def test_a_form_is_no_json(api: httpx.AsyncClient, sun: Headers, policy: str) -> None:
    assert_problem(await api.post("/claims", data={"policy_number": CANARY}, headers=keyed(sun)), 422)


BAD_QUESTIONS = [
    "/cases?limit=0",
    "/cases?limit=201",
    "/cases?limit=canary7731",
    "/cases?status=canary7731",
    "/cases?q=canary7731%00",
    "/cases/canary7731%00",
    "/cases?cursor=canary7731",
    "/cases?cursor=%FF%FE",
    "/tasks?cursor=" + "MTIzIDQ1Ng",
    "/tasks?mine=canary7731",
    "/sla/promises?state=canary7731",
    "/sla/promises",
    "/sla/promises?state=running&cursor=canary",
    "/sla/promises?state=running&cursor=-1",
    f"/cases?q={'x' * 81}",
]


async def test_a_bad_key_is_refused(
    api: httpx.AsyncClient, sun: Headers, policy: str, subtests: pytest.Subtests
) -> None:
    for key in ("", "x" * 201, "with space", "中文".encode()):
        with subtests.test(repr(key)[:20]):
            headers: Any = sun | {"Idempotency-Key": key}
            assert_problem(await api.post("/claims", json=claim_body(), headers=headers), 400)


async def test_a_bad_question_is_refused(api: httpx.AsyncClient, wang: Headers, subtests: pytest.Subtests) -> None:
    for path in BAD_QUESTIONS:
        with subtests.test(path[:40]):
            answer = await api.get(path, headers=wang)
            assert_problem(answer, 422, "invalid")
            assert_not_echoed(answer)


async def test_what_is_not_there_is_a_problem_too(api: httpx.AsyncClient, wang: Headers) -> None:
    for path in ("/nothing", "/claims/", "/cases/canary7731", "/tasks/canary7731", f"/tasks/{uuid4()}"):
        answer = await api.get(path, headers=wang)
        assert_problem(answer, 404)
        assert_not_echoed(answer)
    wrong = await api.delete("/claims", headers=wang)
    assert_problem(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


async def test_an_error_nobody_foresaw_shows_only_its_reference(
    api: httpx.AsyncClient, sun: Headers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"SELECT {CANARY}")

    monkeypatch.setattr("api.routes.cases.cases.list_cases", fail)
    answer = await api.get("/cases", headers=sun)
    problem = assert_problem(answer, 500, "unexpected")
    assert_not_echoed(answer)
    logged = capsys.readouterr()
    assert problem["reference"] in logged.out + logged.err
    assert CANARY not in logged.out + logged.err


async def test_strange_text_is_kept_as_it_is(api: httpx.AsyncClient, sun: Headers, policy: str) -> None:
    course = "𠮷 😀 \u202eabc '; DROP TABLE cases;-- <script>alert(1)</script> {{7*7}} =HYPERLINK()"
    number = (await api.post("/claims", json=claim_body(course=course), headers=keyed(sun))).json()["number"]
    assert (await api.get(f"/cases/{number}", headers=sun)).json()["course"] == course


async def test_a_bad_sign_in_is_refused_without_an_echo(api: httpx.AsyncClient, context: Context) -> None:
    await hire(context, "wang")
    good = await api.post("/sessions", json={"username": "wang", "password": PASSWORD})
    assert (good.status_code, good.json()["name"], good.json()["queues"]) == (201, "王敏", ["*"])
    unknown = await api.post("/sessions", json={"username": CANARY, "password": CANARY})
    wrong = await api.post("/sessions", json={"username": "wang", "password": CANARY})
    assert_problem(unknown, 401, "not_signed_in")
    assert_problem(wrong, 401, "not_signed_in")
    assert unknown.json()["detail"] == wrong.json()["detail"]
    assert unknown.headers["www-authenticate"] == "Bearer"
    for body in ({"username": "a\0", "password": "b"}, {"username": "a" * 81, "password": "b"}, {"username": "a"}, {}):
        assert_problem(await api.post("/sessions", json=body), 422)
    for _ in range(5):
        await api.post("/sessions", json={"username": "wang", "password": "wrong"})
    locked = await api.post("/sessions", json={"username": "wang", "password": "wrong"})
    assert_problem(locked, 429, "too_many")
    assert int(locked.headers["retry-after"]) > 0
