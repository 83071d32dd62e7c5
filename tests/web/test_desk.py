"""The desk as its people read it (TSK-1, TSK-2, CLM-4, CLM-5, CLM-7, CLM-9, CLM-10)."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from lian.domain.messages import CompleteTask, Withdraw
from lian.services import desk
from tests.web.conftest import Town
from tests.web.scenery import PASSWORD, PDF, actor


@pytest.mark.req("TSK-2")
async def test_my_queue_shows_what_i_hold_and_what_waits_most_urgent_first(town: Town) -> None:
    page = await town.browser.sign_in("wang", PASSWORD)
    mine, waiting = page.text.split("Waiting in my queues", 1)
    assert town.scene.cases["adjudication"] in mine
    assert waiting.index(town.scene.cases["overdue"]) < waiting.index(town.scene.cases["risky"])
    assert "overdue" in waiting
    assert "Overdue since" in waiting


@pytest.mark.req("TSK-1")
async def test_take_next_draws_the_most_urgent_task(town: Town) -> None:
    page = await town.browser.sign_in("chen", PASSWORD)
    page = await town.browser.send(page.form("/desk/queues/claims.review/next"))
    assert page.answer.url.path == f"/desk/tasks/{town.scene.tasks['overdue.initial_review']}"
    assert "Complete the task" in page.text


async def test_nothing_left_to_draw_is_said_kindly(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.post("/desk/queues/claims.objection/next", {})
    assert "Nothing in this queue waits" in page.text


@pytest.mark.req("TSK-1")
async def test_a_lost_race_names_the_holder(town: Town) -> None:
    task = town.scene.tasks["fresh0.initial_review"]
    await desk.claim_task(town.context, await actor(town.scene, "chen"), task)
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.post(f"/desk/tasks/{task}/claim", {})
    assert page.status == 409
    assert "陈思 has this task already." in page.text
    assert "Held by 陈思" in page.text
    page = await town.browser.open(f"/desk/tasks/{task}")
    assert "陈思 holds this task." in page.text


@pytest.mark.req("CLM-5")
async def test_initial_review_asks_for_everything_missing_at_once(town: Town) -> None:
    task = town.scene.tasks["fresh0.initial_review"]
    await town.browser.sign_in("wang", PASSWORD)
    await town.browser.post(f"/desk/tasks/{task}/claim", {})
    page = await town.browser.open(f"/desk/tasks/{task}")
    form = page.form("/complete")
    assert "policy" not in form.fields["missing"], "optional ones are never asked for unprompted"
    assert {"identity", "bank_account", "driving_licence"} <= set(form.fields["missing"])
    page = await town.browser.send(form, notes="请补齐")
    assert page.answer.url.path == "/desk"
    command = town.process.told[-1]
    assert isinstance(command, CompleteTask)
    assert command.outcome["missing"] == form.fields["missing"]
    assert command.notes == "请补齐"
    assert "Done: Initial review" in page.text


async def test_sent_twice_it_is_one_command(town: Town) -> None:
    task = town.scene.tasks["adjudication.adjudicate"]
    await town.browser.sign_in("wang", PASSWORD)
    form = (await town.browser.open(f"/desk/tasks/{task}")).form("/complete")
    await town.browser.send(form)
    await town.browser.send(form)
    first, second = town.process.told
    assert first.command_id == second.command_id


@pytest.mark.req("CLM-7")
async def test_adjudication_starts_from_what_the_rules_propose(town: Town) -> None:
    task = town.scene.tasks["adjudication.adjudicate"]
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/tasks/{task}")
    assert "The loss was assessed below the amount claimed (§3.1)" in page.text
    assert "The deductible was subtracted (§3.1)" in page.text
    assert "The rules propose CN¥8,300.00" in page.text.replace("\n", " ")
    await town.browser.send(page.form("/complete"))
    decisions = town.process.told[-1].outcome["decisions"]
    assert sorted(Decimal(d["payable_amount"]) for d in decisions) == [Decimal(4100), Decimal(8300)]


@pytest.mark.req("CLM-7")
async def test_a_broken_rule_is_said_in_place_and_what_was_typed_stays(town: Town) -> None:
    task = town.scene.tasks["adjudication.adjudicate"]
    await town.browser.sign_in("wang", PASSWORD)
    form = (await town.browser.open(f"/desk/tasks/{task}")).form("/complete")
    page = await town.browser.send(form, decisions__1__payable_amount="9999.99", notes="kept")
    assert page.status == 422
    assert "The policy allows at most 8300.00 here." in page.text
    again = page.form("/complete")
    assert again.fields["decisions.1.payable_amount"] == ["9999.99"]
    assert again.fields["notes"] == ["kept"]
    assert again.fields["command"] == form.fields["command"]
    assert town.process.told == []


@pytest.mark.parametrize("typed", ["-1", "NaN", "1e9", "12.345", "9" * 40, "", "abc", "<b>"])
async def test_amounts_that_are_none_are_refused_at_their_field(town: Town, typed: str) -> None:
    task = town.scene.tasks["assessment.assess_loss"]
    await town.browser.sign_in("wang", PASSWORD)
    form = (await town.browser.open(f"/desk/tasks/{task}")).form("/complete")
    page = await town.browser.send(form, losses__0__assessed_amount=typed)
    assert page.status == 422
    assert "1 answer needs correcting." in page.text
    assert "f-losses-0-assessed_amount-wrong" in page.answer.text
    assert town.process.told == []


async def test_refusals_are_read_in_chinese_too(town: Town) -> None:
    task = town.scene.tasks["adjudication.adjudicate"]
    town.browser.language = "zh-CN"
    await town.browser.sign_in("wang", PASSWORD)
    form = (await town.browser.open(f"/desk/tasks/{task}")).form("/complete")
    page = await town.browser.send(form, decisions__1__payable_amount="9999.99")
    assert "按保单此项最多赔付 8300.00。" in page.text


async def test_while_the_process_is_away_the_answer_stays_on_the_page(town: Town) -> None:
    task = town.scene.tasks["assessment.assess_loss"]
    await town.browser.sign_in("wang", PASSWORD)
    form = (await town.browser.open(f"/desk/tasks/{task}")).form("/complete")
    town.process.away = True
    page = await town.browser.send(form, losses__0__assessed_amount="37000")
    assert page.status == 503
    assert page.answer.headers["retry-after"]
    assert "try again" in page.text
    town.process.away = False
    await town.browser.send(page.form("/complete"))
    assert town.process.told[-1].outcome["losses"][0]["assessed_amount"] == "37000.00"
    assert town.process.told[-1].command_id == form.fields["command"][0]


@pytest.mark.req("CLM-9")
async def test_the_second_person_may_not_be_the_first(town: Town) -> None:
    task = town.scene.tasks["authority.authorise"]
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/tasks/{task}")
    assert "You decided on this case before" in page.text
    assert (await town.browser.post(f"/desk/tasks/{task}/claim", {})).status == 403
    await town.browser.sign_in("li", PASSWORD)
    await town.browser.post(f"/desk/tasks/{task}/claim", {})
    page = await town.browser.open(f"/desk/tasks/{task}")
    page = await town.browser.send(page.form("/complete"), agree="")
    assert "Choose one." in page.text
    await town.browser.send(page.form("/complete"), agree="yes")
    assert town.process.told[-1].outcome == {"agree": True}


@pytest.mark.req("CLM-10")
async def test_payees_never_reach_the_process_by_name_or_account(town: Town) -> None:
    task = town.scene.tasks["settlement.agree_settlement"]
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/tasks/{task}")
    form = page.form("/complete")
    assert form.fields["payees.0.name"] == ["孙丽"]
    page = await town.browser.send(form, payees__0__account="12", payees__0__bank="工商银行")
    assert "An account number has 6 to 34 letters and digits." in page.text
    await town.browser.send(page.form("/complete"), payees__0__account="6222 0212 0200 9876")
    sent = town.process.told[-1].outcome["payees"][0]
    assert (sent["name"], sent["account"], sent["bank"]) == ("", "", "")
    assert sent["payee_id"]


async def test_a_task_is_given_back(town: Town) -> None:
    task = town.scene.tasks["assessment.assess_loss"]
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/tasks/{task}")
    await town.browser.send(page.form("/release"))
    assert "Take it on" in (await town.browser.open(f"/desk/tasks/{task}")).text


# --- case files -------------------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-3")
async def test_the_file_tells_the_whole_story_with_names(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{town.scene.cases['paid']}")
    for words in (
        "Collision · Motor",
        "The case was closed: Paid",
        "The bank confirmed the payment",
        "王敏",
        "按条款处理。",
        "7B21F00D4C9A1E55",
        "Payment voucher",
    ):
        assert words in page.text, words
    assert "6222021202001234567" not in page.answer.text, "only the account's last digits are shown"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_no_internal_code_shows(town: Town, language: str) -> None:
    town.browser.language = language
    await town.browser.sign_in("wang", PASSWORD)
    for part in ("waiting", "paid", "denied", "authority", "overdue"):
        text = (await town.browser.open(f"/desk/cases/{town.scene.cases[part]}")).text
        for code in ("initial_review", "third_party", "excluded_cause", "task.completed", "claims."):
            assert code not in text, (part, code)
        assert not re.search(r"(staff|customer):[0-9a-f]{8}", text), part


@pytest.mark.req("CLM-12")
async def test_a_pause_says_why_and_until_when(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    text = (await town.browser.open(f"/desk/cases/{town.scene.cases['waiting']}")).text
    assert "It has stood still since" in text
    assert re.search(r"Paused since \w{3} .* for 3 documents from the customer, until .* at the latest\.", text)
    assert "15 working days from" in text


async def test_a_case_is_found_by_its_number_and_by_its_policy(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    number = town.scene.cases["denied"]
    assert (await town.browser.open(f"/desk/cases?q={number}")).answer.url.path == f"/desk/cases/{number}"
    text = (await town.browser.open("/desk/cases?q=PM-2026-9001")).text
    assert town.scene.cases["risky"] in text
    assert number not in text
    assert "No case fits" in (await town.browser.open("/desk/cases?q=nothing")).text


@pytest.mark.req("DOC-1")
async def test_staff_file_and_open_documents_and_that_is_on_record(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    number = town.scene.cases["fresh0"]
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
    answer = await town.browser.client.post(
        f"/desk/cases/{number}/documents",
        data={"item": "accident_proof", "key": "k1"},
        files={"file": ("事故证明.pdf", PDF, "application/pdf")},
        headers=headers,
    )
    assert answer.status_code == 303
    page = await town.browser.open(f"/desk/cases/{number}")
    assert "事故证明.pdf" in page.text
    address = next(link for link in page.links if "/documents/" in link and "download" not in link)
    shown = await town.browser.client.get(address)
    assert shown.content == PDF
    assert shown.headers["content-disposition"].startswith("inline")
    saved = await town.browser.client.get(f"{address}?download=1")
    assert saved.headers["content-disposition"].startswith("attachment")
    assert saved.headers["content-type"] == "application/octet-stream"
    text = (await town.browser.open(f"/desk/cases/{number}")).text
    assert "Opened: Proof of the accident" in text


async def test_staff_write_to_the_customer(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{town.scene.cases['fresh0']}")
    page = await town.browser.send(page.form("/messages"), body="   ")
    assert page.status == 422
    page = await town.browser.send(page.form("/messages"), body="<script>alert(1)</script>您好")
    assert "<script>alert(1)</script>您好" in page.text
    assert "<script>alert" not in page.answer.text


@pytest.mark.req("CLM-15")
async def test_withdrawal_and_reopening_are_offered_to_those_who_may(town: Town) -> None:
    open_, closed = town.scene.cases["fresh1"], town.scene.cases["denied"]
    await town.browser.sign_in("chen", PASSWORD)
    assert "Reopen the case" not in (await town.browser.open(f"/desk/cases/{closed}")).text
    assert (await town.browser.post(f"/desk/cases/{closed}/reopen", {"stage": "review", "reason": "x"})).status == 403
    await town.browser.sign_in("li", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{open_}")
    await town.browser.send(page.form("/withdraw"), reason="不再追究")
    assert isinstance(town.process.told[-1], Withdraw)
    page = await town.browser.open(f"/desk/cases/{closed}")
    page = await town.browser.send(page.form("/reopen"), stage="decision", reason="客户提供新证据")
    assert "The case is open again" in page.text
    assert "客户提供新证据" in page.text


@pytest.mark.req("CLM-12")
async def test_each_number_of_the_board_opens_its_exact_list(town: Town) -> None:
    page = await town.browser.sign_in("ops", PASSWORD)
    assert page.answer.url.path == "/operations"
    assert "Data as of" in page.text
    breached = await town.browser.open("/operations/promises?state=breached")
    assert town.scene.cases["overdue"] in breached.text
    assert breached.text.count("CLM-") == 1
    paused = await town.browser.open("/operations/promises?state=paused")
    assert paused.text.count(town.scene.cases["waiting"]) == 2
    soon = await town.browser.open("/operations/promises?within=8")
    assert town.scene.cases["risky"] in soon.text
    late = await town.browser.open("/desk/cases?status=open&stage=review&late=1")
    assert late.text.count("CLM-2026-") == 1
    assert (await town.browser.open("/operations/promises?state=odd")).status == 422


@pytest.mark.req("CLM-12")
async def test_the_desk_says_which_promises_call_me(town: Town) -> None:
    page = await town.browser.sign_in("wang", PASSWORD)
    called = page.text.split("2 promises need you", 1)[1].split("On my desk", 1)[0]
    assert called.index(town.scene.cases["adjudication"]) < called.index(town.scene.cases["settlement"])
    assert "75% of its time used" in called
    assert "noticed" in called
    assert town.scene.cases["overdue"] not in called, "the lead's to know"
    page = await town.browser.open("/desk?lang=zh-CN")
    assert "2 项时限需要您处理" in page.text
    page = await town.browser.sign_in("li", PASSWORD)
    assert "1 promise needs you" in page.text
