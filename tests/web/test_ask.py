"""Questions on the web: asked by customers and for them, answered at the desk, read in the tracker (INQ-1)."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from lian.db.tables import Case, Message
from lian.domain import journal as j
from lian.domain.claims.fnol import PersonGiven
from lian.domain.messages import CompleteTask
from lian.domain.parties import Channel
from lian.services.context import Context
from lian.services.notices import latest_notices
from lian.services.opening import Registered, open_case
from lian.services.recording import put_on_record
from tests.cast import OFFICE
from tests.web.conftest import Town
from tests.web.reading import Page
from tests.web.scenery import PASSWORD

pytestmark = [pytest.mark.req("INQ-1")]

QUESTION = "我上周报的案，什么时候能赔付？"
ZHAO = {"name": "赵磊", "phone": "13800001111", "email": ""}
TYPED = {"topic": "claim", "text": QUESTION, "policy_number": "PA-2026-7001"} | ZHAO


async def ask(town: Town, **changes: str) -> Page:
    page = await town.browser.open("/ask")
    return await town.browser.send(page.form("/ask/inquiry"), **TYPED | changes)


async def opened(context: Context) -> Registered:
    """An inquiry as its process leaves it after a moment: promised, with its task open."""
    answers = {"topic": "claim", "text": QUESTION}
    zhao = PersonGiven(name="赵磊", phone="13800001111")
    case, _ = await open_case(
        context, OFFICE, "inquiry", answers=answers, reporter=zhao, channel=Channel.WEB, key=uuid4().hex
    )
    return case


async def with_task(context: Context) -> tuple[Registered, UUID]:
    case, task_id = await opened(context), uuid4()
    task = j.TaskOpened(
        task_id=task_id, kind="answer_inquiry", queue="inquiries.answer", stage="answer", ask={"topic": "claim"}
    )
    await record(context, case.case_id, j.StageEntered(stage="answer"), task)
    return case, task_id


async def record(context: Context, case_id: UUID, *events: j.Event) -> None:
    async with context.transaction() as session:
        recorded = [j.Recorded(at=context.now(), actor="system", event=event) for event in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)


async def sign_in_customer(town: Town, number: str) -> Page:
    town.browser.client.cookies.clear()
    page = await town.browser.open("/track")
    page = await town.browser.send(page.form("/track"), number=number)
    notices = await latest_notices(town.context, OFFICE, limit=5)
    found = (re.search(r"\b(\d{6})\b", n.body) for n in notices if n.subject.startswith(number))
    code = next(hit[1] for hit in found if hit)
    return await town.browser.send(page.form("/track/sign-in"), number=number, code=code)


async def test_a_question_is_asked_from_the_front_door_and_promised_by_the_hour(town: Town) -> None:
    front = await town.browser.open("/")
    assert "/ask/inquiry" in front.links
    assert "Ask a question" in front.text
    page = await town.browser.open("/ask")
    for words in ("What is it about?", "Your question", "Policy or case number (if you like)", "Please choose"):
        assert words in page.text
    page = await ask(town)
    assert "We have received your question" in page.text
    number = re.findall(r"INQ-\d{4}-\d{6}", page.text)[0]
    assert re.search(r"You have our result by \w{3} \d+ \w{3} \d{4}, \d\d:\d\d", page.text)
    page = await sign_in_customer(town, number)
    assert "We have received your question" in page.text
    assert QUESTION in page.text, "the customer's own words begin the conversation"
    for foreign in ("claim", "Exposures", "CN¥", "specialist"):
        assert foreign not in page.text


async def test_in_chinese_every_word_is_chinese(town: Town) -> None:
    town.browser.language = "zh-CN"
    page = await town.browser.open("/ask")
    for words in ("我要咨询", "咨询类型", "您的问题", "保单号或案件编号（选填）", "请选择", "姓名"):
        assert words in page.text
    page = await ask(town)
    assert "我们已收到您的咨询" in page.text
    number = re.findall(r"INQ-\d{4}-\d{6}", page.text)[0]
    page = await sign_in_customer(town, number)
    assert "工作人员将阅读并在此答复您。" in page.text
    assert "理赔" not in page.text
    assert "报案" not in page.text.replace("我要报案", "")


async def test_sent_twice_it_is_one_question(town: Town) -> None:
    form = (await town.browser.open("/ask")).form("/ask/inquiry")
    pages = [await town.browser.send(form, **TYPED) for _ in range(2)]
    assert len({re.findall(r"INQ-\d{4}-\d{6}", page.text)[0] for page in pages}) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"topic": ""}, "Choose one."),
        ({"topic": "canary"}, "Choose one."),
        ({"text": " "}, "Please fill this in."),
        ({"text": "长" * 4001}, "At most 4000 characters."),
        ({"policy_number": "9" * 81}, "At most 80 characters."),
        ({"name": ""}, "Enter your name."),
        ({"name": "长" * 201}, "At most 200 characters."),
        ({"phone": ""}, "so that we can reach you"),
    ],
)
async def test_what_is_missing_is_said_at_its_field_and_the_rest_stays(
    town: Town, change: dict[str, str], words: str
) -> None:
    page = await ask(town, **change)
    assert page.status == 422
    assert words in page.text
    form = page.form("/ask/inquiry")
    kept = next(name for name in ("policy_number", "phone") if name not in change)
    assert form.fields[kept] == [TYPED[kept]]
    async with town.context.transaction() as session:
        assert (await session.execute(select(Case).where(Case.kind == "inquiry"))).first() is None


async def test_a_long_question_is_written_in_a_field_of_several_lines(town: Town) -> None:
    page = await town.browser.open("/ask")
    assert re.search(r'<textarea id="f-text"[^>]* maxlength="4000" required', page.answer.text)


async def test_only_what_has_a_form_is_opened_so(town: Town) -> None:
    for path in ("/ask/claim", "/ask/canary", "/ask/received?number=INQ-2026-000001&seal=é"):
        assert (await town.browser.open(path)).status == 404


async def test_staff_open_a_question_for_a_customer_on_the_phone(town: Town) -> None:
    await town.browser.sign_in("service", PASSWORD)
    page = await town.browser.open("/desk/cases")
    assert "/desk/open/inquiry" in page.links
    page = await town.browser.open("/desk/open/inquiry")
    page = await town.browser.send(page.form("/desk/open/inquiry"), **TYPED, channel="in_person")
    assert "The case is open; its process begins in a moment." in page.text
    assert "Inquiry · The progress of a claim" in page.text
    assert "In person" in page.text
    assert QUESTION in page.text
    for foreign in ("Exposures", "Policy terms", "People injured", "CN¥"):
        assert foreign not in page.text
    page = await town.browser.open("/desk/cases?kind=inquiry")
    assert "赵磊" in page.text
    assert "CLM-" not in page.text
    assert (await town.browser.sign_in("ops", PASSWORD)).status == 200
    assert (await town.browser.open("/desk/open/inquiry")).status == 403


async def test_the_answer_at_the_desk_is_what_the_customer_reads(town: Town) -> None:
    case, task = await with_task(town.context)
    await town.browser.sign_in("service", PASSWORD)
    page = await town.browser.open("/desk")
    assert "Inquiries" in page.text
    assert "Answer an inquiry" in page.text
    await town.browser.post(f"/desk/tasks/{task}/claim", {})
    page = await town.browser.open(f"/desk/tasks/{task}")
    assert QUESTION in page.text
    refused = await town.browser.send(page.form("/complete"), result="answered", reply="")
    assert "Please fill this in." in refused.text
    await town.browser.send(page.form("/complete"), result="answered", reply="本周内支付。")
    command = town.process.told[-1]
    assert isinstance(command, CompleteTask)
    async with town.context.transaction() as session:
        (message,) = (await session.execute(select(Message).where(Message.case_id == case.case_id))).scalars()
    assert command.outcome == {"result": "answered", "reply": str(message.id)}
    await record(town.context, case.case_id, j.CaseClosed(outcome="answered"))
    page = await sign_in_customer(town, case.number)
    assert "Your question is answered" in page.text
    assert "本周内支付。" in page.text


async def test_a_question_passed_on_writes_nothing(town: Town) -> None:
    case, task = await with_task(town.context)
    await town.browser.sign_in("service", PASSWORD)
    await town.browser.post(f"/desk/tasks/{task}/claim", {})
    page = await town.browser.open(f"/desk/tasks/{task}")
    await town.browser.send(page.form("/complete"), result="needs_specialist", reply="")
    assert town.process.told[-1].outcome == {"result": "needs_specialist", "reply": ""}
    async with town.context.transaction() as session:
        assert (await session.execute(select(Message).where(Message.case_id == case.case_id))).first() is None


async def test_the_board_counts_questions_by_their_own_steps(town: Town) -> None:
    await with_task(town.context)
    await town.browser.sign_in("ops", PASSWORD)
    page = await town.browser.open("/operations")
    assert "Answer to an inquiry Inquiry" in page.text
    assert any("kind=inquiry" in link and "stage=answer" in link for link in page.links)
