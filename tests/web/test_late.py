"""Broken promises, waits and longer times as people read them (CLM-12, CLM-13)."""

from __future__ import annotations

import re

import pytest

from lian.domain.messages import Act, CompleteTask
from lian.services import tracking
from tests.web.conftest import Town
from tests.web.late import NOTES, tell_of_promises
from tests.web.scenery import PASSWORD, customer
from web.presenters.track import present_track
from web.reader import Reader


@pytest.fixture
async def late(town: Town) -> Town:
    """With promises that are out of the ordinary."""
    await tell_of_promises(town.scene)
    return town


@pytest.mark.req("CLM-13")
async def test_operations_list_what_nobody_has_explained_and_count_the_rest(late: Town) -> None:
    page = await late.browser.sign_in("ops", PASSWORD)
    without = page.text.split("Broken promises without a cause", 1)[1].split("By cause", 1)[0]
    assert late.scene.cases["overdue"] in without
    assert late.scene.cases["slow"] in without
    assert late.scene.cases["explained0"] not in without
    assert "Nobody has taken it on" in without
    causes = page.text.split("By cause", 1)[1].split("By who answers for it", 1)[0]
    assert "Too much work for the people there were 2" in causes
    assert "An error in handling 1" in causes
    people = page.text.split("By who answers for it", 1)[1]
    assert people.index("李强") < people.index("王敏")


@pytest.mark.req("CLM-13")
async def test_each_number_of_the_analysis_opens_its_list(late: Town) -> None:
    await late.browser.sign_in("ops", PASSWORD)
    all_ = (await late.browser.open("/operations/late?show=explained")).text
    assert all(late.scene.cases[f"explained{n}"] in all_ for n in range(3))
    assert late.scene.cases["overdue"] not in all_
    wang = late.scene.staff["wang"]
    narrowed = (await late.browser.open(f"/operations/late?show=explained&cause=handling&responsible={wang}")).text
    assert "An error in handling · 王敏" in narrowed
    listed = narrowed.split("By cause", 1)[0]
    assert [n for n in range(3) if late.scene.cases[f"explained{n}"] in listed] == [2]
    assert (
        "No broken promise was explained"
        in (await late.browser.open("/operations/late?show=explained&cause=system")).text
    )
    assert (await late.browser.open("/operations/late?skip=99999999999")).status == 200


@pytest.mark.req("CLM-13")
async def test_a_lead_says_why_on_a_closed_case_with_the_facts_before_them(late: Town) -> None:
    task = late.scene.tasks["slow.explain_lateness"]
    late.process.away = True
    await late.browser.sign_in("li", PASSWORD)
    case = f"/desk/cases/{late.scene.cases['slow']}"
    assert f"/desk/tasks/{task}" in (await late.browser.open(case)).links
    await late.browser.post(f"/desk/tasks/{task}/claim", {})
    page = await late.browser.open(f"/desk/tasks/{task}")
    assert "Initial review" in page.text
    assert "Late by 1d 0h" in page.text
    form = page.form("/complete")
    refused = await late.browser.send(form, cause="workload", responsible=late.scene.staff["chen"], notes=NOTES)
    assert refused.status == 422
    assert "Choose one." in refused.text
    done = await late.browser.send(form, cause="workload", responsible=late.scene.staff["li"], notes=NOTES)
    assert "Done: Explain a broken promise" in done.text
    page = await late.browser.open(case)
    assert "Late: Too much work for the people there were. 李强 answers for it." in page.text
    assert "Why late: Initial review. Too much work for the people there were. 李强 answers for it" in page.text
    assert not [each for each in late.process.told if isinstance(each, CompleteTask)]


@pytest.mark.req("CLM-12")
async def test_a_wait_and_a_longer_time_are_told_on_the_case(late: Town) -> None:
    await late.browser.sign_in("wang", PASSWORD)
    text = (await late.browser.open(f"/desk/cases/{late.scene.cases['appraised']}")).text
    assert "The case waits for an expert opinion, test or valuation, since" in text
    assert "for an expert opinion, test or valuation, until" in text
    assert "Extended by 10 working days; the customer was told." in text
    assert "The case waits: An expert opinion, test or valuation, until" in text
    assert "The wait counts from" in text
    assert "Promise takes longer, as the customer was told: Whole claim" in text
    assert "Notice of a longer time" in text
    for words in ("Withdraw the document request", "Documents asked for", "The request for documents reached"):
        assert words not in text


@pytest.mark.req("CLM-12")
async def test_the_second_person_reads_what_more_time_is_asked_for(late: Town) -> None:
    await late.browser.sign_in("li", PASSWORD)
    page = await late.browser.open(f"/desk/tasks/{late.scene.tasks['appraised.approve_extension']}")
    for words in ("So much longer 10 working days", "not known, it stands still", "18(1)", "鉴定机构尚未排期。"):
        assert words in page.text


@pytest.mark.req("CLM-12")
async def test_the_wait_is_ended_from_its_form(late: Town) -> None:
    await late.browser.sign_in("wang", PASSWORD)
    page = await late.browser.open(f"/desk/cases/{late.scene.cases['appraised']}/do/end_wait")
    form = page.form("/do/end_wait")
    assert "An expert opinion, test or valuation · 20" in page.text
    (option,) = re.findall(r'name="request_id"[^>]*value="([0-9a-f-]{36})"', page.answer.text)
    await late.browser.send(form, request_id=option)
    (command,) = [each for each in late.process.told if isinstance(each, Act)]
    assert (command.action, command.outcome) == ("end_wait", {"request_id": option})


@pytest.mark.req("CLM-12")
async def test_an_unpublished_year_is_said_and_a_verdict_waits_for_it(late: Town) -> None:
    await late.browser.sign_in("wang", PASSWORD)
    text = (await late.browser.open(f"/desk/cases/{late.scene.cases['beyond']}")).text
    assert "calendar is not published." in text
    assert "Done, not judged yet" in text
    assert "Promise done, not judged yet: Initial review" in text
    await late.browser.sign_in("ops", PASSWORD)
    listed = (await late.browser.open("/operations/promises?state=running&clock=claim.total")).text
    assert "calendar not published" in listed


@pytest.mark.req("CLM-12")
async def test_the_customer_reads_it_in_plain_words(late: Town) -> None:
    scene, context = late.scene, late.context
    reader = Reader("en", context.settings.zone)

    async def told(part: str) -> str:
        seen = await tracking.track(context, customer(scene, part), scene.cases[part])
        view = present_track(seen, reader, context.now())
        return "\n".join([view.headline, *view.waits, view.promise, view.ask])

    waiting = await told("appraised")
    assert "We wait for an expert opinion, test or valuation, until" in waiting
    assert "Our promise to you stands still meanwhile, and then runs on." in waiting
    assert "document" not in waiting
    assert "the working days of" in await told("beyond")
    assert "are not published" in await told("beyond")


@pytest.mark.req("CLM-12")
async def test_chinese_readers_read_chinese(late: Town) -> None:
    await late.browser.sign_in("wang", PASSWORD)
    text = (await late.browser.open(f"/desk/cases/{late.scene.cases['appraised']}?lang=zh-CN")).text
    for words in ("等待外部鉴定、检测或评估", "已延长10个工作日，并已告知客户。", "延长处理期限通知书"):
        assert words in text
