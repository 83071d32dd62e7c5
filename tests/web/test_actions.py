"""Doing things on a case of one's own accord, and reading what came up on it, as staff read it (CLM-9, 11, 14, 15)."""

from __future__ import annotations

import re
from decimal import Decimal
from uuid import uuid4

import pytest

from lian.domain.messages import Act, CompleteTask
from lian.services import desk
from tests.web.conftest import Town
from tests.web.rich import SECRET, WORDS, enrich, party_of
from tests.web.scenery import PASSWORD, PDF, actor


@pytest.fixture
async def rich(town: Town) -> Town:
    """The town with claims in which everything came up."""
    await enrich(town.scene)
    return town


def flat(text: str) -> str:
    """Words without line breaks."""
    return re.sub(r"\s+", " ", text)


# --- actions ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-15")
async def test_the_menu_lists_what_may_be_done_here_and_nothing_else(town: Town) -> None:
    number = town.scene.cases["assessment"]
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{number}")
    assert all(words in page.text for words in ("Pay in advance", "Correct a mistake", "Set a reserve"))
    assert "Reverse a payment" not in page.text, "nothing was paid"
    assert "Close a recovery" not in page.text, "there is none"
    await town.browser.sign_in("ops", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{number}")
    assert "Set a reserve" not in page.text
    assert (await town.browser.open(f"/desk/cases/{number}/do/set_reserve")).status == 403
    assert (await town.browser.open(f"/desk/cases/{number}/do/nonsense")).status == 404


@pytest.mark.req("CLM-15")
async def test_a_reserve_is_set_from_the_page_and_its_history_shown(town: Town) -> None:
    number = town.scene.cases["assessment"]
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{number}/do/set_reserve")
    assert "Building" in page.text
    form = page.form("/do/set_reserve")
    again = await town.browser.send(form, amount="-5", reason="new_facts", reserve_line="indemnity", notes="kept")
    assert again.status == 422
    assert again.form("/do/set_reserve").fields["notes"] == ["kept"]
    given = {"amount": "9,000.00", "reason": "new_facts", "reserve_line": "indemnity", "exposure_id": _second(page)}
    done = await town.browser.send(form, **given)
    assert done.answer.url.path == f"/desk/cases/{number}"
    assert "It is done and on record." in done.text
    assert "CN¥9,000.00" in done.text
    assert "New facts about the loss" in done.text
    town_again = await town.browser.send(form, **given)
    assert town_again.text.count("New facts about the loss") == done.text.count("New facts about the loss")


def _second(page: object) -> str:
    found: list[str] = re.findall(r'name="exposure_id" value="([0-9a-f-]{36})"', page.answer.text)  # type: ignore[attr-defined]
    return found[-1]


@pytest.mark.req("CLM-15")
async def test_a_correction_shows_what_follows_before_it_is_done(town: Town) -> None:
    number = town.scene.cases["adjudication"]
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{number}/do/correct")
    assert "Do it" not in page.text, "first the effects, then the deed"
    form = page.form("/do/correct")
    given = {"name": "loss_at", "after": "2026-11-01 08:30", "notes": "出险时间登记有误"}
    shown = await town.browser.send(form, step="preview", **given)
    assert shown.status == 200
    assert "What follows" in shown.text
    assert "A second person must agree first." in shown.text
    assert "The rules would let us pay then" in shown.text
    assert "Do it" in shown.text
    assert town.process.told == []
    again = shown.form("/do/correct")
    assert again.fields["after"] == ["2026-11-01 08:30"]
    assert again.fields["notes"] == ["出险时间登记有误"]
    assert again.fields["command"] == form.fields["command"]
    done = await town.browser.send(again, step="do")
    assert "It is done and on record." in done.text
    command = town.process.told[-1]
    assert isinstance(command, Act)
    assert (command.action, command.outcome["name"], command.notes) == ("correct", "loss_at", "出险时间登记有误")


async def test_what_cannot_be_is_said_at_its_field_and_in_chinese(town: Town) -> None:
    number = town.scene.cases["adjudication"]
    await town.browser.sign_in("wang", PASSWORD)
    town.browser.language = "zh-CN"
    form = (await town.browser.open(f"/desk/cases/{number}/do/correct")).form("/do/correct")
    page = await town.browser.send(form, name="injured", after="many", notes="x", step="preview")
    assert page.status == 422
    assert "该内容在此处无效。" in page.text
    page = await town.browser.send(form, name="injured", after="3", notes="", step="do")
    assert "请在备注中说明理由" in page.text
    assert town.process.told == []


async def test_a_mistyped_number_is_said_at_its_field_and_the_form_is_kept(town: Town) -> None:
    number = town.scene.cases["adjudication"]
    await town.browser.sign_in("wang", PASSWORD)
    form = (await town.browser.open(f"/desk/cases/{number}/do/link_case")).form("/do/link_case")
    typed = {"other_number": "CLM-2026-999999", "relation": "related_to", "notes": "同一路口"}
    page = await town.browser.send(form, **typed)
    assert page.status == 404
    assert "Number of the other case: There is no case with this number." in page.text
    again = page.form("/do/link_case")
    assert {name: again.fields[name] for name in typed} == {name: [value] for name, value in typed.items()}
    done = await town.browser.send(again, other_number=town.scene.cases["paid"])
    assert "It is done and on record." in done.text


@pytest.mark.req("CLM-15")
async def test_an_unknown_policy_is_said_at_its_field_and_the_form_is_kept(town: Town) -> None:
    number = town.scene.cases["adjudication"]
    await town.browser.sign_in("wang", PASSWORD)
    form = (await town.browser.open(f"/desk/cases/{number}/do/correct")).form("/do/correct")
    for step in ("preview", "do"):
        page = await town.browser.send(form, step=step, name="policy_number", after="PA-NONE", notes="保单号有误")
        assert page.status == 404
        assert "Right value: There is no policy with this number." in page.text
        kept = page.form("/do/correct").fields
        assert (kept["after"], kept["notes"]) == (["PA-NONE"], ["保单号有误"])
    assert town.process.told == []


async def test_while_the_engine_is_away_nothing_is_done_and_the_form_is_kept(town: Town) -> None:
    number = town.scene.cases["adjudication"]
    await town.browser.sign_in("wang", PASSWORD)
    form = (await town.browser.open(f"/desk/cases/{number}/do/refer")).form("/do/refer")
    town.process.away = True
    page = await town.browser.send(form, why="fraud", notes="照片重复")
    assert page.status == 503
    assert page.answer.headers["retry-after"] == "5"
    assert page.form("/do/refer").fields["notes"] == ["照片重复"]
    town.process.away = False
    await town.browser.send(page.form("/do/refer"), why="fraud")
    assert [type(told) for told in town.process.told] == [Act]


# --- what came up -----------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-6", "CLM-8", "CLM-11", "CLM-14", "CLM-15")
async def test_the_file_tells_everything_that_came_up(rich: Town) -> None:
    await rich.browser.sign_in("wang", PASSWORD)
    text = flat((await rich.browser.open(f"/desk/cases/{rich.scene.cases['rich']}")).text)
    for words in (
        *("High risk", "16 of 25", "One vehicle, at night, without witnesses", "Refer to special investigation"),
        *("Suspicion cleared", "Scene survey", "Supports the claim", "现场有刹车痕迹"),
        *("Carried", "Majority: more agree than disagree", "大灯金额偏高。", "The panel agreed"),
        *("The amount is too low", "the decision stands", WORDS),
        *("Number of people injured: 1 → 2", "副驾驶乘客漏登。"),
        *(rich.scene.cases["fresh4"], "HAIKUI-2026"),
        *("Subrogation · 杭州公交集团", "still to come CN¥5,500.00", "Survey, appraisal or legal expenses"),
        "Net incurred",
    ):
        assert words in text, words
    assert "Former staff" not in text
    assert re.findall(r"\b[a-z]+_[a-z]+\b", re.sub(r"\S+\.pdf", "", text)) == [], "no internal codes"


@pytest.mark.req("CLM-14")
async def test_who_may_not_read_risk_reads_none_of_it(rich: Town) -> None:
    await rich.browser.sign_in("service", PASSWORD)
    text = (await rich.browser.open(f"/desk/cases/{rich.scene.cases['rich']}")).text
    assert "High risk" not in text
    assert "without witnesses" not in text
    assert "Majority" in text


@pytest.mark.req("CLM-15")
async def test_a_paid_case_can_be_reopened_from_its_page(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk/cases/{town.scene.cases['paid']}")
    page = await town.browser.send(page.form("/reopen"), stage="assessment", reason="隐蔽损伤")
    assert "The case is open again" in page.text


# --- tasks say what they are about ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "who", "words"),
    [
        ("panel.panel_vote", "li", ("Accept in part", "2 of 3 must vote", "Proposed by 王敏", "Majority")),
        ("twin.judge_duplicate", "wang", ("90 of 100", "The same policy, The losses lie less than a day apart")),
        ("correction.approve_correction", "li", ("Assessed loss", "CN¥13,400.00", "CN¥18,200.00", "隐蔽损伤漏估。")),
        ("correction.review_objection", "li", ("The amount is too low", WORDS, "Decided by 王敏")),
        ("correction.examine_suspicion", "wang", ("Fraud", "16 of 25", "Nobody saw the accident")),
        (
            "account.verify_account",
            "li",
            ("中国建设银行, account ending in 6543", "中国工商银行, account ending in 4567"),
        ),
    ],
)
async def test_a_task_says_what_it_is_about(rich: Town, task: str, who: str, words: tuple[str, ...]) -> None:
    await rich.browser.sign_in(who, PASSWORD)
    text = flat((await rich.browser.open(f"/desk/tasks/{rich.scene.tasks[task]}")).text)
    for each in words:
        assert each in text, each


@pytest.mark.req("CLM-8")
async def test_a_vote_needs_reasons(rich: Town) -> None:
    task = rich.scene.tasks["panel.panel_vote"]
    await rich.browser.sign_in("li", PASSWORD)
    await rich.browser.post(f"/desk/tasks/{task}/claim", {})
    form = (await rich.browser.open(f"/desk/tasks/{task}")).form("/complete")
    page = await rich.browser.send(form, vote="agree", notes="")
    assert page.status == 422
    assert "Say why, in the notes." in page.text
    await rich.browser.send(page.form("/complete"), vote="agree", notes="证据充分")
    assert rich.process.told[-1].outcome == {"vote": "agree"}


@pytest.mark.req("CLM-3")
async def test_similar_reports_are_judged_row_by_row(rich: Town) -> None:
    task = rich.scene.tasks["twin.judge_duplicate"]
    await rich.browser.sign_in("wang", PASSWORD)
    await rich.browser.post(f"/desk/tasks/{task}/claim", {})
    page = await rich.browser.open(f"/desk/tasks/{task}")
    assert f"/desk/cases/{rich.scene.cases['fresh0']}" in page.links
    given = {"likenesses__0__relation": "same_loss", "likenesses__1__relation": "different"}
    await rich.browser.send(page.form("/complete"), **given)
    answered = rich.process.told[-1].outcome["likenesses"]
    assert [(a["other_case_id"], a["relation"]) for a in answered] == [
        (str(rich.scene.ids["fresh0"]), "same_loss"),
        (str(rich.scene.ids["fresh1"]), "different"),
    ]


@pytest.mark.req("CLM-6")
async def test_evidence_is_filed_from_the_task(rich: Town) -> None:
    task = rich.scene.tasks["correction.examine_suspicion"]
    await rich.browser.sign_in("wang", PASSWORD)
    fields = {"item": "evidence", "key": str(uuid4())}
    page = await rich.browser.post(
        f"/desk/tasks/{task}/evidence", fields, files={"file": ("现场.pdf", PDF, "application/pdf")}
    )
    assert page.answer.url.path == f"/desk/tasks/{task}"
    assert "Evidence" in page.text
    assert "现场.pdf" in page.text


@pytest.mark.req("CLM-10")
async def test_a_settlement_is_split_without_script(rich: Town) -> None:
    task = rich.scene.tasks["settlement.agree_settlement"]
    await rich.browser.sign_in("wang", PASSWORD)
    form = (await rich.browser.open(f"/desk/tasks/{task}")).form("/complete")
    whole = form.fields["payees.0.amount"][0]
    party = str((await party_of(rich.scene, "settlement")).id)
    bank = {"name": "孙丽", "account": "6222020200112233", "bank": "ICBC"}
    first = {f"payees__0__{part}": value for part, value in bank.items()}
    await rich.browser.send(form, **first)
    assert len(rich.process.told[-1].outcome["payees"]) == 1, "blank rows are none"
    half_open = await rich.browser.send(form, **first, payees__1__name="孙强")
    assert half_open.status == 422
    assert half_open.form("/complete").fields["payees.1.name"] == ["孙强"]
    rest = {"party_id": party, "amount": "800", "name": "孙强", "account": "6217000010001234", "bank": "CCB"}
    second = {f"payees__1__{part}": value for part, value in rest.items()}
    shares = first | second | {"payees__0__amount": str(Decimal(whole) - 800)}
    await rich.browser.send(half_open.form("/complete"), **shares)
    command = rich.process.told[-1]
    assert isinstance(command, CompleteTask)
    assert [Decimal(share["amount"]) for share in command.outcome["payees"]] == [Decimal(whole) - 800, 800]


async def test_reasons_of_whoever_referred_reach_special_investigation(rich: Town) -> None:
    """The notes of the action are read beside the task it called for."""
    found = await desk.show_task(
        rich.context, await actor(rich.scene, "wang"), rich.scene.tasks["correction.examine_suspicion"]
    )
    assert found.task.kind == "examine_suspicion"
    await rich.browser.sign_in("wang", PASSWORD)
    assert SECRET in (await rich.browser.open(f"/desk/cases/{rich.scene.cases['rich']}")).text
