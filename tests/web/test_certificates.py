"""The certificate of timeliness, saved from the page of a case (CLM-12)."""

from __future__ import annotations

import pytest

from lian.services.certificate_seal import check
from tests.web.conftest import Town
from tests.web.scenery import PASSWORD

pytestmark = pytest.mark.req("CLM-12")


async def test_the_page_of_a_case_leads_to_both_files(town: Town) -> None:
    number = town.scene.cases["waiting"]
    await town.browser.sign_in("wang", PASSWORD)
    file = await town.browser.open(f"/desk/cases/{number}")
    assert "Certificate of timeliness" in file.text
    links = [link for link in file.links if "/certificate." in link]
    assert links == [f"/desk/cases/{number}/certificate.pdf", f"/desk/cases/{number}/certificate.json"]
    pdf = await town.browser.client.get(links[0])
    assert (pdf.status_code, pdf.content[:4]) == (200, b"%PDF")
    assert pdf.headers["content-disposition"] == f'attachment; filename="{number}.certificate.pdf"'
    given = await town.browser.client.get(links[1])
    assert check(given.text).holds
    assert "A certificate of timeliness was issued" in (await town.browser.open(f"/desk/cases/{number}")).text
    town.browser.language = "zh-CN"
    page = await town.browser.open(f"/desk/cases/{number}")
    assert "时效证明" in page.text
    assert "已出具时效证明" in page.text


async def test_nobody_else_is_given_one(town: Town) -> None:
    address = f"/desk/cases/{town.scene.cases['waiting']}/certificate.pdf"
    assert "Sign in" in (await town.browser.open(address)).text
    await town.browser.sign_in("admin", PASSWORD)
    assert (await town.browser.open(address)).status == 403
