"""What customers do in the tracker: accept, confirm, object, write; and what they never read (CLM-5, 10, 11)."""

from __future__ import annotations

import re
from unittest.mock import AsyncMock
from uuid import UUID

import pytest
from sqlmodel import select

from lian.db.tables import Document, DocumentRequest, OutboxMessage
from lian.domain import journal as j
from lian.domain.errors import Conflict, DomainError, NotAllowed, NotFound
from lian.domain.messages import Act, CompleteTask
from lian.services.recording import put_on_record
from tests.web.conftest import Town
from tests.web.reading import Form, Page
from tests.web.rich import SECRET, WORDS, enrich
from tests.web.scenery import STAFF
from tests.web.test_doors import sign_in_customer

BANK = {"account": "6222 0202 0011 2233", "bank": "中国工商银行"}


@pytest.fixture
async def rich(town: Town) -> Town:
    """The town with claims in which everything came up."""
    await enrich(town.scene)
    return town


async def tracker(town: Town, part: str) -> Page:
    """The customer's page, as they sign in."""
    number = await sign_in_customer(town, part)
    return await town.browser.open(f"/track/{number}")


def form_of(page: Page, ending: str, **holding: str) -> Form:
    """The form that goes there, with this in it."""
    forms = [f for f in page.forms if f.action.partition("?")[0].endswith(ending)]
    return next(f for f in forms if all(f.fields.get(name) == [value] for name, value in holding.items()))


# --- tasks ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-10")
async def test_a_settlement_is_accepted_with_ones_account(town: Town) -> None:
    page = await tracker(town, "settlement")
    assert "Accept our payment" in page.text
    assert "CN¥2,800.00" in page.text
    form = form_of(page, str(town.scene.tasks["settlement.agree_settlement"]))
    assert form.fields["payees.0.name"] == ["孙丽"], "the name is known"
    given = {f"payees__0__{part}": value for part, value in BANK.items()}
    page = await town.browser.send(form, **given)
    assert "Thank you. We have your answer." in page.text
    command = town.process.told[-1]
    assert isinstance(command, CompleteTask)
    (share,) = command.outcome["payees"]
    assert (share["amount"], share["name"], share["account"]) == ("2800.00", "", ""), "nothing personal goes on"
    assert command.actor.startswith("customer:")
    await town.browser.send(form, **given)
    assert len({told.command_id for told in town.process.told}) == 1


@pytest.mark.req("CLM-10")
async def test_a_wrong_account_is_said_at_its_field_and_the_amount_cannot_be_changed(town: Town) -> None:
    page = await tracker(town, "settlement")
    form = form_of(page, str(town.scene.tasks["settlement.agree_settlement"]))
    wrong = await town.browser.send(
        form, payees__0__account="12", payees__0__bank="ICBC", payees__0__amount="999999", extent="part"
    )
    assert wrong.status == 422
    assert "An account number has 6 to 34 letters and digits." in wrong.text
    again = form_of(wrong, str(town.scene.tasks["settlement.agree_settlement"]))
    assert again.fields["payees.0.bank"] == ["ICBC"]
    assert town.process.told == []
    more = {"payees__1__name": "孙强", "payees__1__account": "6217000010001234", "payees__1__amount": "1"}
    await town.browser.send(again, payees__0__account="6222020200112233", payees__0__amount="1", **more)
    assert [share["amount"] for share in town.process.told[-1].outcome["payees"]] == ["2800.00"]


@pytest.mark.req("CLM-10")
@pytest.mark.parametrize("refused", [NotAllowed("You can only accept this."), NotFound("There is no case like this.")])
async def test_a_refusal_by_the_procedure_keeps_what_was_typed(
    town: Town, monkeypatch: pytest.MonkeyPatch, refused: DomainError
) -> None:
    task = str(town.scene.tasks["settlement.agree_settlement"])
    form = form_of(await tracker(town, "settlement"), task)
    monkeypatch.setattr(town.process, "complete_task", AsyncMock(side_effect=refused))
    page = await town.browser.send(form, **{f"payees__0__{part}": value for part, value in BANK.items()})
    assert page.status == refused.status
    assert refused.message in page.text
    kept = form_of(page, task).fields
    assert (kept["payees.0.account"], kept["payees.0.bank"]) == ([BANK["account"]], [BANK["bank"]])


@pytest.mark.req("CLM-10")
async def test_a_question_that_was_taken_back_meanwhile_says_so_at_the_head_of_the_page(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = town.scene.tasks["settlement.agree_settlement"]
    form = form_of(await tracker(town, "settlement"), str(task))

    async def taken_back(case_id: UUID, _: CompleteTask) -> None:
        item = j.Recorded(at=town.context.now(), actor="system", event=j.TaskCancelled(task_id=task, why="withdrawn"))
        async with town.context.transaction() as session:
            await put_on_record(town.context, session, case_id=case_id, recorded=[item])
        raise Conflict("This task is no longer open.")

    monkeypatch.setattr(town.process, "complete_task", taken_back)
    page = await town.browser.send(form, **{f"payees__0__{part}": value for part, value in BANK.items()})
    assert page.status == 409
    assert "This task is no longer open." in page.text


@pytest.mark.req("CLM-10")
async def test_a_changed_account_is_confirmed_and_a_returned_payment_explained(rich: Town) -> None:
    page = await tracker(rich, "account")
    assert "Is this your account?" in page.text
    assert "中国建设银行, account ending in 6543" in page.text
    assert "sent the money back to us" in page.text
    task = str(rich.scene.tasks["account.confirm_account"])
    unsaid = await rich.browser.send(form_of(page, task))
    assert unsaid.status == 422
    await rich.browser.send(form_of(page, task), is_right="no")
    assert rich.process.told[-1].outcome == {"is_right": False}


async def test_what_is_asked_of_another_customer_is_not_there(rich: Town) -> None:
    await sign_in_customer(rich, "waiting")
    number, task = rich.scene.cases["waiting"], rich.scene.tasks["account.confirm_account"]
    answer = await rich.browser.post(f"/track/{number}/tasks/{task}", {"is_right": "yes"})
    assert answer.status == 404
    answer = await rich.browser.post(f"/track/{rich.scene.cases['account']}/tasks/{task}", {"is_right": "yes"})
    assert answer.status == 404
    assert rich.process.told == []


# --- objecting --------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-11")
async def test_a_denied_customer_objects_in_place(town: Town) -> None:
    page = await tracker(town, "denied")
    assert "Object to the decision" in page.text
    assert "12378" in page.text
    form = form_of(page, "/object")
    empty = await town.browser.send(form, grounds="coverage", notes=" ")
    assert empty.status == 422
    assert "Tell us why, in your own words." in empty.text
    form = form_of(empty, "/object")
    page = await town.browser.send(form, grounds="coverage", notes="地板是突然爆裂的，不是老化。")
    assert "We have your objection." in page.text
    assert "We are looking at your claim again" in page.text, "the closed case lives again"


@pytest.mark.req("CLM-11")
async def test_an_accepted_customer_objects_while_the_payment_waits(town: Town) -> None:
    page = await tracker(town, "settlement")
    assert "I do not agree with the decision" in page.text
    await town.browser.send(form_of(page, "/object"), grounds="amount", notes="还有一处划痕")
    command = town.process.told[-1]
    assert isinstance(command, Act)
    assert (command.action, command.outcome, command.is_customer) == ("object", {"grounds": "amount"}, True)


@pytest.mark.req("CLM-11")
async def test_how_an_objection_stands_is_told(rich: Town) -> None:
    page = await tracker(rich, "rich")
    assert "We looked again: the decision stands." in page.text
    assert WORDS in page.text


async def test_before_a_decision_there_is_nothing_to_object_to(town: Town) -> None:
    page = await tracker(town, "waiting")
    assert "Object to the decision" not in page.text
    answer = await town.browser.post(
        f"/track/{town.scene.cases['waiting']}/object", {"grounds": "amount", "notes": "x"}
    )
    assert answer.status == 409
    assert town.process.told == []


# --- in words ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-5")
async def test_what_was_asked_for_is_answered_in_words_and_the_request_closes(rich: Town) -> None:
    page = await tracker(rich, "asked")
    assert "We need 4 documents from you" in page.text
    assert "You find our questions among the messages below." in page.text
    texts = {
        "statement": "停在路边被刮。",
        "answers": "1. 没有。\n2. 早上八点。",
        "bank_account": "孙丽 工行 6222020200112233",
    }
    for left, (item, text) in zip((3, 2, 1), texts.items(), strict=True):
        page = await rich.browser.send(form_of(page, "/words", item=item), text=text)
        assert "Your document is here. Thank you." in page.text
        assert f"We need {left} document" in page.text
    upload = {"item": "identity", "key": "k"}
    body = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    number = rich.scene.cases["asked"]
    await rich.browser.post(f"/track/{number}/documents", upload, files={"file": ("id.pdf", body, "application/pdf")})
    async with rich.context.transaction() as session:
        query = select(DocumentRequest).where(DocumentRequest.case_id == rich.scene.ids["asked"])
        request = (await session.execute(query)).scalars().one()
        told = (await session.execute(select(OutboxMessage.key))).scalars().all()
        mimes = (
            await session.execute(select(Document.mime).where(Document.case_id == rich.scene.ids["asked"]))
        ).scalars()
        assert set(mimes) == {"application/pdf"}
    assert all(request.items.values())
    assert f"answered:{request.id}" in told


async def test_an_empty_answer_is_refused_where_it_was_typed(rich: Town) -> None:
    page = await tracker(rich, "asked")
    page = await rich.browser.send(form_of(page, "/words", item="statement"), text="   ")
    assert page.status == 422
    assert "Write between 1 and 4000 characters." in page.text
    number = rich.scene.cases["asked"]
    page = await rich.browser.post(f"/track/{number}/words", {"item": "identity", "text": "x", "key": "k"})
    assert page.status == 422


# --- what they never read ---------------------------------------------------------------------------------------------

TELLTALE = re.compile(
    r"referr?al|risk|fraud|suspici|special investigation|panel|reserve|ledger|subrogation|catastrophe|staff:"
    r"|调查员|特别调查|专项调查|欺诈|风险|集体讨论|准备金|追偿|制裁|巨灾|" + "|".join(new.name for new in STAFF),
    re.IGNORECASE,
)


@pytest.mark.req("CLM-8", "CLM-14", "SEC-1")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("part", ["rich", "panel", "correction", "account", "settlement", "denied", "asked"])
async def test_our_inside_never_reaches_the_customer(rich: Town, part: str, language: str) -> None:
    rich.browser.language = language
    page = await tracker(rich, part)
    assert page.status == 200
    shown = page.answer.text.replace("Grace Hopper", "")
    assert TELLTALE.findall(shown) == []
    assert SECRET not in shown
    assert re.findall(r"\b[a-z]+_[a-z]+_?[a-z]*\b", re.sub(r"\S+\.pdf", "", page.text)) == [], "no internal codes"
