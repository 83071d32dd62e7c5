"""One claim from its report to its payment, told only through pages, with the real process behind them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import httpx
import pytest

from lian.domain.claims.terms import Line
from lian.domain.parties import PartyRole
from lian.services import accounts, policies
from lian.services.accounts import NewStaff
from lian.services.notices import latest_notices
from lian.settings import Settings
from tests.cast import OFFICE
from tests.installation import installation
from tests.web.conftest import ORIGIN
from tests.web.reading import Browser, Page
from tests.web.scenery import MOTOR, PASSWORD, PDF, REGISTRAR
from web.app import create_web

PATIENCE = 60.0


async def until(look: Callable[[], Awaitable[Page]], words: str) -> Page:
    """Look again until the page says so."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        page = await look()
        if words in page.text:
            return page
        await asyncio.sleep(0.2)
    raise AssertionError(f"never read {words!r} in:\n{page.text}")


@pytest.mark.timeout(240)
@pytest.mark.req("CLM-1")
@pytest.mark.req("CLM-5")
@pytest.mark.req("CLM-10")
async def test_a_claim_goes_all_the_way_through_pages(settings: Settings) -> None:
    async with installation(settings) as (context, _):
        holder = policies.CustomerGiven(external_ref="C-1", name="赵磊", phone="13800001111")
        today = context.now().date()
        given = policies.PolicyGiven(
            number="PA-1",
            line=Line.MOTOR,
            currency="CNY",
            zone="Asia/Shanghai",
            term_from=today - timedelta(days=365),
            term_to=today + timedelta(days=365),
            coverages=MOTOR,
            parties={PartyRole.POLICYHOLDER: holder},
        )
        await policies.put_policy(context, REGISTRAR, given)
        await accounts.create_staff(
            context, None, NewStaff(username="wang", name="王敏", password=PASSWORD, roles=["claims_adjuster_senior"])
        )
        transport = httpx.ASGITransport(create_web(context), raise_app_exceptions=False)
        async with (
            httpx.AsyncClient(transport=transport, base_url=ORIGIN) as hers,
            httpx.AsyncClient(transport=transport, base_url=ORIGIN) as his,
        ):
            wang, zhao = Browser(hers), Browser(his)

            page = await zhao.open("/report")
            page = await zhao.send(page.form("/report"), policy_number="PA-1", name="赵磊", phone="13800001111")
            loss = {
                "cause": "parked",
                "loss_on": today.isoformat(),
                "loss_time": "00:00",
                "place": "杭州",
                "course": "刮擦",
            }
            page = await zhao.send(page.form("/report/loss"), **loss, loss__vehicle="3300")
            number = re.findall(r"CLM-\d{4}-\d{6}", page.text)[0]

            await wang.sign_in("wang", PASSWORD)
            await until(lambda: wang.open("/desk"), number)
            page = await wang.post("/desk/queues/claims.review/next", {})
            review = page.form("/complete")
            await wang.send(review, missing=["bank_account"], notes="请补充银行卡")
            again = await wang.send(review, missing=["bank_account"], notes="请补充银行卡")
            assert again.answer.url.path == "/desk", "sent twice, it counts once"

            page = await zhao.open(f"/track?number={number}")
            await zhao.send(page.form("/track"))
            notices = await latest_notices(context, OFFICE, limit=5)
            code = next(hit[1] for n in notices if (hit := re.search(r"\b(\d{6})\b", n.body)))
            await zhao.post("/track/sign-in", {"number": number, "code": code})
            page = await until(lambda: zhao.open(f"/track/{number}"), "We need 1 document from you")
            await his.post(
                f"/track/{number}/documents",
                data={"item": "bank_account", "key": "1"},
                files={"file": ("银行卡.pdf", PDF, "application/pdf")},
                headers={"Sec-Fetch-Site": "same-origin"},
            )

            for queue, changes in (
                ("claims.review", {}),
                ("claims.assessment", {}),
                ("claims.adjudication", {}),
                ("claims.settlement", {"payees__0__account": "6222021202001234567", "payees__0__bank": "工商银行"}),
            ):
                page = await until(partial(wang.post, f"/desk/queues/{queue}/next", {}), "Your answer")
                page = await wang.send(page.form("/complete"), **changes)
                assert page.answer.url.path == "/desk", page.text

            page = await until(lambda: zhao.open(f"/track/{number}"), "We pay CN¥2,800.00.")
            assert "Your payment is on its way" in page.text
            page = await wang.open(f"/desk/cases/{number}")
            assert "Payment requested: CN¥2,800.00" in page.text
            assert "请补充银行卡" in page.text
