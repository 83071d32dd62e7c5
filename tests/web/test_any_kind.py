"""A kind that was made up this minute works on every page and over the API: nothing has a branch for it (idea 5)."""

from __future__ import annotations

import re
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_api
from lian.domain import journal as j
from lian.domain.case_kinds import KINDS
from lian.services.accounts import sign_in
from lian.services.cases import find_case
from tests.architecture.completeness import World, complaints
from tests.cast import OFFICE
from tests.made_up import SURVEY
from tests.web.conftest import Town
from tests.web.scenery import PASSWORD
from tests.web.test_ask import record, sign_in_customer

TYPED = {
    "mood": "badly",
    "again": "no",
    "spent": "12.50",
    "parts": ["phone"],
    "words": "电话总是占线",
    "name": "赵磊",
    "phone": "1",
}


@pytest.fixture(autouse=True)
def _made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, SURVEY.id, SURVEY)


def test_it_is_complete() -> None:
    assert complaints(SURVEY, World(tested=frozenset({SURVEY.id}))) == []


async def test_it_is_opened_read_listed_and_tracked(town: Town) -> None:
    page = await town.browser.open("/ask")
    assert {"/ask/survey", "/ask/inquiry"} <= set(page.links)
    form = (await town.browser.open("/ask/survey")).form("/ask/survey")
    refused = await town.browser.send(form, **TYPED | {"again": "", "spent": "much"})
    assert refused.status == 422
    assert "Choose one." in refused.text
    page = await town.browser.send(form, **TYPED)
    assert "We have your survey" in page.text
    number = re.findall(r"SRV-\d{4}-\d{6}", page.text)[0]
    await town.browser.sign_in("service", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{number}")
    for words in ("Survey · Badly", "How do you feel?", "电话总是占线"):
        assert words in page.text
    page = await town.browser.open("/desk/cases?kind=survey&stage=report")
    assert number in page.text
    assert "Reading" in page.text
    assert "Adjudication" not in page.text
    page = await sign_in_customer(town, number)
    for words in ("We have your survey", "Reading", "电话总是占线"):
        assert words in page.text
    assert re.search(r"You have our result by \w+day \d+ \w+ \d{4}\.", page.text), "days are promised as days"


async def test_it_is_closed_and_withdrawn_in_its_own_words(town: Town) -> None:
    form = (await town.browser.open("/ask/survey")).form("/ask/survey")
    page = await town.browser.send(form, **TYPED)
    number = re.findall(r"SRV-\d{4}-\d{6}", page.text)[0]
    async with town.context.transaction() as session:
        case = await find_case(session, OFFICE, number)
    await record(town.context, case.id, j.CaseClosed(outcome="sad"))
    assert "We are sorry" in (await sign_in_customer(town, number)).text


async def test_the_api_knows_it_at_once(town: Town) -> None:
    site = FastAPI()
    site.mount("/api/v1", create_api(town.context))
    token = (await sign_in(town.context, "service", PASSWORD)).token
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
    transport = httpx.ASGITransport(app=site)
    async with httpx.AsyncClient(transport=transport, base_url="http://lian.test/api/v1") as api:
        kinds = (await api.get("/kinds", headers=headers)).json()["items"]
        (survey,) = (kind for kind in kinds if kind["kind"] == "survey")
        widgets = [q["widget"] for q in survey["intake"]["form"]["questions"]]
        assert widgets == ["choice", "yes_no", "amount", "codes", "text"]
        body = {"answers": survey["intake"]["examples"][0], "reporter": {"name": "赵磊", "phone": "1"}}
        answer = await api.post("/kinds/survey/cases", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        file = (await api.get(f"/cases/{answer.json()['number']}", headers=headers)).json()
    assert (file["kind"], file["course"]) == ("survey", "很好")
