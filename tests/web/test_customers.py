"""What customers read and do: reporting a loss, following a claim (CLM-1, CLM-5, CLM-10, CLM-11)."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from lian.domain.messages import Withdraw
from tests.web.conftest import Town
from tests.web.reading import Page
from tests.web.scenery import PDF
from tests.web.test_doors import sign_in_customer


async def first_step(town: Town, **changes: str) -> Page:
    page = await town.browser.open("/report")
    person = {"policy_number": "PA-2026-7001", "name": "赵磊", "phone": "13800001111"} | changes
    return await town.browser.send(page.form("/report"), **person)


LOSS = {
    "cause": "collision",
    "loss_on": "2026-11-20",
    "loss_time": "08:30",
    "place": "杭州市文三路",
    "course": "追尾",
    "loss__vehicle": "1200.50",
}


@pytest.mark.req("CLM-1")
async def test_a_loss_is_reported_in_two_steps_and_acknowledged_with_number_and_date(town: Town) -> None:
    page = await first_step(town)
    assert "Vehicle damage" in page.text
    assert "80,000" not in page.text, "nothing of the policy but its coverages' names"
    page = await town.browser.send(page.form("/report/loss"), **LOSS)
    assert "We have your report" in page.text
    assert re.search(r"CLM-\d{4}-\d{6}", page.text)
    assert re.search(r"You have our result by \w+day \d+ \w+ \d{4}", page.text)
    page = await town.browser.send(page.form("/track"))
    assert "its code is on the way" in page.text


@pytest.mark.req("CLM-1")
async def test_a_report_sent_twice_is_one_claim(town: Town) -> None:
    form = (await first_step(town)).form("/report/loss")
    first, second = await town.browser.send(form, **LOSS), await town.browser.send(form, **LOSS)
    numbers = {re.findall(r"CLM-\d{4}-\d{6}", page.text)[0] for page in (first, second)}
    assert len(numbers) == 1


async def test_an_unknown_policy_stops_at_the_first_step(town: Town) -> None:
    page = await first_step(town, policy_number="PA-0000-0000")
    assert page.status == 422
    assert "We do not know this policy number." in page.text


async def test_somebody_must_be_reachable(town: Town) -> None:
    page = await first_step(town, phone="")
    assert "so that we can reach you" in page.text
    assert page.form("/report").fields["name"] == ["赵磊"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loss_on": "2999-01-01"}, "The loss cannot lie in the future."),
        ({"loss_on": "yesterday"}, "Enter the day and the time of the loss."),
        ({"loss__vehicle": "-5"}, "An amount cannot be negative."),
        ({"loss__vehicle": "NaN"}, "An amount must be a number such as 1200.50."),
        ({"loss__vehicle": ""}, "Enter an amount for at least one of these."),
        ({"loss__vehicle": "999999999999"}, "An amount must lie between zero and 999,999,999.99."),
        ({"cause": "aliens"}, "Choose what caused the loss."),
        ({"injured": "many"}, "Enter how many people were injured"),
        ({"place": ""}, "Please fill this in."),
    ],
)
async def test_what_cannot_be_true_is_said_at_its_field_and_the_rest_stays(
    town: Town, change: dict[str, str], words: str
) -> None:
    page = await first_step(town)
    page = await town.browser.send(page.form("/report/loss"), **(LOSS | change))
    assert page.status == 422
    assert words in page.text
    assert page.form("/report/loss").fields["course"] == ["追尾"]


async def test_a_case_number_alone_confirms_nothing(town: Town) -> None:
    page = await town.browser.open(f"/report/received?number={town.scene.cases['paid']}&promised=&seal=é")
    assert page.status == 404


@pytest.mark.req("CLM-5")
async def test_a_waiting_case_says_what_we_need_and_by_when(town: Town) -> None:
    await sign_in_customer(town, "waiting")
    text = (await town.browser.open(f"/track/{town.scene.cases['waiting']}")).text
    assert "We are waiting for your documents" in text
    assert "We need 3 documents from you" in text
    assert "Please send it by" in text
    assert "Our promise to you stands still" in text
    for internal in ("staff:", "Complex", "王敏", "findings"):
        assert internal not in text


@pytest.mark.req("DOC-1")
async def test_a_customer_sends_one_document_without_script(town: Town) -> None:
    number = await sign_in_customer(town, "waiting")
    page = await upload(town, number, "bank_account", "银行卡.pdf", PDF)
    assert "Your document is here. Thank you." in page.text
    assert "We need 2 documents from you" in page.text
    assert "银行卡.pdf" in page.text


@pytest.mark.parametrize(
    ("name", "body", "status", "words"),
    [
        ("page.pdf", b"<!doctype html><script>x</script>", 415, "a web page, drawing or script"),
        ("run.pdf", b"MZ\x90\0" + b"\0" * 100, 415, "a program"),
        ("empty.pdf", b"", 415, "The file is empty."),
        ("big.pdf", b"%PDF-1.4\n" + b"0" * (30 * 1024 * 1024), 413, "The file is larger than 25 MB."),
    ],
)
@pytest.mark.req("DOC-1")
async def test_a_bad_file_is_refused_in_plain_words_and_not_listed(
    town: Town, name: str, body: bytes, status: int, words: str
) -> None:
    number = await sign_in_customer(town, "waiting")
    page = await upload(town, number, "bank_account", name, body)
    assert page.status == status
    assert words in page.text
    assert name not in page.text
    assert "We need 3 documents from you" in page.text


async def upload(town: Town, number: str, item: str, name: str, body: bytes) -> Page:
    from tests.web.reading import read

    answer = await town.browser.client.post(
        f"/track/{number}/documents",
        data={"item": item, "key": str(uuid4())},
        files={"file": (name, body, "application/pdf")},
        headers={"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"},
        follow_redirects=True,
    )
    return read(answer)


async def test_a_form_without_a_file_says_so(town: Town) -> None:
    number = await sign_in_customer(town, "waiting")
    page = await town.browser.post(f"/track/{number}/documents", {"item": "bank_account"})
    assert page.status == 422


@pytest.mark.req("CLM-10")
async def test_a_paid_claim_offers_its_voucher(town: Town) -> None:
    number = await sign_in_customer(town, "paid")
    page = await town.browser.open(f"/track/{number}")
    assert "Your claim is paid" in page.text
    assert "We pay CN¥7,900.00." in page.text
    assert "To the account ending in 4567" in page.text
    voucher = next(link for link in page.links if "documents" in link and "download" in link)
    answer = await town.browser.client.get(voucher)
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.req("CLM-11")
@pytest.mark.parametrize(
    ("language", "reason", "way"),
    [
        ("en", "The policy excludes this cause of loss", "Ask us to look again."),
        ("zh-CN", "出险原因属于责任免除", "申请我们复核。"),
    ],
)
async def test_a_denial_gives_reasons_and_the_ways_to_object(town: Town, language: str, reason: str, way: str) -> None:
    town.browser.language = language
    number = await sign_in_customer(town, "denied")
    text = (await town.browser.open(f"/track/{number}")).text
    assert reason in text
    assert way in text
    assert "12378" in text


async def test_customers_cannot_read_what_staff_filed(town: Town) -> None:
    from lian.services.documents import add_document
    from tests.web.scenery import _bytes, actor

    number = town.scene.cases["waiting"]
    wang = await actor(town.scene, "wang")
    filed = await add_document(
        town.context, wang, number, item_code="other", filename="内部意见.pdf", chunks=_bytes(PDF)
    )
    await sign_in_customer(town, "waiting")
    assert "内部意见.pdf" not in (await town.browser.open(f"/track/{number}")).text
    assert (await town.browser.open(f"/track/{number}/documents/{filed.id}")).status == 404


async def test_messages_go_both_ways(town: Town) -> None:
    number = await sign_in_customer(town, "waiting")
    page = await town.browser.open(f"/track/{number}")
    assert "可以的，请同时附上损失部位照片。" in page.text
    assert "Our team" in page.text
    page = await town.browser.send(page.form("/messages"), body="谢谢")
    assert "Your message is sent." in page.text
    assert "谢谢" in page.text


@pytest.mark.req("CLM-15")
async def test_withdrawing_takes_a_tick(town: Town) -> None:
    number = await sign_in_customer(town, "waiting")
    page = await town.browser.open(f"/track/{number}")
    page = await town.browser.send(page.form("/withdraw"))
    assert "Tick the box to confirm" in page.text
    assert town.process.told == []
    await town.browser.send(page.form("/withdraw"), sure="yes", reason="已私了")
    assert isinstance(town.process.told[-1], Withdraw)
