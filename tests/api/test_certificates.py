"""The certificate of timeliness over the wire and on the case's page (CLM-12)."""

from __future__ import annotations

import httpx
import pytest

from lian.services.certificate_seal import check
from lian.services.context import Context
from tests.api.conftest import SignIn, assert_problem, start_clock
from tests.cast import reported_claim

pytestmark = pytest.mark.req("CLM-12")


async def test_it_comes_as_json_and_as_pdf_in_either_language(
    api: httpx.AsyncClient, context: Context, signed_in: SignIn
) -> None:
    registered = await reported_claim(context)
    await start_clock(context, registered.case_id, amount=7)
    wang, address = await signed_in("wang"), f"/cases/{registered.number}/certificate"
    given = await api.get(address, headers=wang)
    assert given.status_code == 200, given.text
    assert given.headers["content-type"] == "application/json"
    assert f'"{registered.number}.certificate.json"' in given.headers["content-disposition"]
    assert check(given.text).holds
    for language in ("en", "zh-CN"):
        pdf = await api.get(address, params={"form": "pdf", "language": language}, headers=wang)
        assert (pdf.headers["content-type"], pdf.content[:4]) == ("application/pdf", b"%PDF")
    again = await api.get(address, headers=wang)
    assert again.text == given.text  # what the PDF speaks of is what the file says
    wrong = await api.get(address, params={"form": "docx"}, headers=wang)
    assert_problem(wrong, 422)


async def test_a_case_without_promises_has_none(api: httpx.AsyncClient, context: Context, signed_in: SignIn) -> None:
    registered = await reported_claim(context)
    answer = await api.get(f"/cases/{registered.number}/certificate", headers=await signed_in("wang"))
    assert_problem(answer, 409, "conflict")
