"""Who gets in, and who does not: sessions, permissions, other sites, bad input (SEC-1)."""

from __future__ import annotations

import re

import pytest

from lian.services import accounts
from lian.services.notices import latest_notices
from tests.cast import OFFICE
from tests.web.conftest import ORIGIN, Town
from tests.web.scenery import PASSWORD
from web.pages.account import local_path


async def sign_in_customer(town: Town, part: str) -> str:
    """As the customer of a case, through the pages; returns the case number."""
    number = town.scene.cases[part]
    page = await town.browser.open("/track")
    page = await town.browser.send(page.form("/track"), number=number)
    notices = await latest_notices(town.context, OFFICE, limit=3)
    code = next(hit[1] for n in notices if (hit := re.search(r"\b(\d{6})\b", n.body)))
    page = await town.browser.send(page.form("/track/sign-in"), code=code)
    assert page.status == 200, page.text
    return number


async def test_three_doors_stand_on_the_first_page(town: Town) -> None:
    page = await town.browser.open("/")
    assert {"/report", "/track", "/sign-in"} <= set(page.links)
    assert "How can we help you?" in page.text


async def test_staff_sign_in_and_out(town: Town) -> None:
    page = await town.browser.sign_in("wang", PASSWORD)
    assert page.answer.url.path == "/desk"
    assert "On my desk" in page.text
    await town.browser.send(page.form("/sign-out"))
    page = await town.browser.open("/desk")
    assert page.answer.url.path == "/sign-in"


@pytest.mark.req("SEC-1")
async def test_a_wrong_password_and_an_unknown_name_read_alike(town: Town) -> None:
    wrong = await town.browser.sign_in("wang", "not the password")
    unknown = await town.browser.sign_in("nobody", "not the password")
    assert (wrong.status, unknown.status) == (401, 401)
    assert "The user name or password is wrong." in wrong.text
    assert "The user name or password is wrong." in unknown.text
    assert "not the password" not in wrong.answer.text


async def test_a_visitor_is_led_through_the_door_to_where_they_wanted(town: Town) -> None:
    page = await town.browser.open("/desk/cases?status=open")
    page = await town.browser.send(page.form("/sign-in"), username="wang", password=PASSWORD)
    assert str(page.answer.url) == f"{ORIGIN}/desk/cases?status=open"


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\nb", ""])
def test_no_sign_in_leads_to_another_site(path: str) -> None:
    assert local_path(path) == ""


@pytest.mark.parametrize(
    ("who", "may", "may_not"),
    [
        ("wang", "/desk", "/staff"),
        ("ops", "/operations", "/notices"),
        ("admin", "/staff", "/desk"),
        ("admin", "/notices", "/operations"),
        ("service", "/notices", "/staff"),
    ],
)
@pytest.mark.req("SEC-1")
async def test_each_role_sees_its_own_rooms(town: Town, who: str, may: str, may_not: str) -> None:
    await town.browser.sign_in(who, PASSWORD)
    assert (await town.browser.open(may)).status == 200
    refused = await town.browser.open(may_not)
    assert refused.status == 403
    assert "Your role does not allow this." in refused.text


@pytest.mark.req("SEC-1")
async def test_a_customer_cannot_open_the_desk_even_with_their_token_in_the_staff_cookie(town: Town) -> None:
    await sign_in_customer(town, "waiting")
    page = await town.browser.open("/desk")
    assert page.answer.url.path == "/sign-in"
    town.browser.client.cookies.set("lian_session", town.browser.client.cookies["lian_track"])
    page = await town.browser.open("/desk")
    assert page.answer.url.path == "/sign-in"


@pytest.mark.req("SEC-1")
async def test_another_customers_case_is_not_there(town: Town) -> None:
    await sign_in_customer(town, "waiting")
    theirs = await town.browser.open(f"/track/{town.scene.cases['denied']}")
    nobodys = await town.browser.open("/track/CLM-1999-000001")
    assert (theirs.status, nobodys.status) == (404, 404)
    assert theirs.text.replace(town.scene.cases["denied"], "") == nobodys.text.replace("CLM-1999-000001", "")


async def test_asking_for_a_code_says_nothing_of_whether_there_is_a_case(town: Town) -> None:
    real = await town.browser.post("/track", {"number": town.scene.cases["paid"]})
    made_up = await town.browser.post("/track", {"number": "CLM-1999-000001"})
    assert real.text.replace(town.scene.cases["paid"], "N") == made_up.text.replace("CLM-1999-000001", "N")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_posts_from_other_sites_are_refused(town: Town, headers: dict[str, str]) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    task = town.scene.tasks["fresh0.initial_review"]
    answer = await town.browser.client.post(f"/desk/tasks/{task}/claim", headers={"Accept-Language": "en"} | headers)
    assert answer.status_code == 403
    assert "another site" in answer.text


async def test_every_answer_carries_the_security_headers(town: Town) -> None:
    for path in ("/", "/nowhere", "/sign-in", "/healthz", "/static/x/app.css"):
        headers = (await town.browser.client.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


async def test_pages_are_kept_by_no_cache_and_assets_for_good(town: Town) -> None:
    page = await town.browser.open("/")
    assert page.answer.headers["cache-control"] == "no-store"
    address = re.search(r'href="(/static/[^"]+/app\.css)"', page.answer.text)
    assert address
    asset = await town.browser.client.get(address[1])
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    "path", ["/desk/tasks/not-an-id", "/nowhere", "/desk/cases/%F0%9F%92%A9", "/static/../../etc/passwd"]
)
async def test_odd_addresses_are_plainly_not_there(town: Town, path: str) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(path)
    assert page.status == 404


@pytest.mark.parametrize("path", ["/desk/cases?q=a%00b", "/desk/cases/a%00b", "/track?number=%00"])
async def test_nul_in_an_address_is_refused_in_words(town: Town, path: str) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(path)
    assert page.status == 422
    assert "characters that cannot be read" in page.text


@pytest.mark.parametrize("body", [b"name=%00", b"name=%ED%A0%80", b"name=%FF", b"\xff=1"])
async def test_unreadable_forms_are_refused_and_not_echoed(town: Town, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "en"}
    answer = await town.browser.client.post("/report", content=body, headers=headers)
    assert answer.status_code == 422
    assert "cannot be read" in answer.text


async def test_an_endless_form_is_refused(town: Town) -> None:
    page = await town.browser.post("/report", {"name": "x" * 300_000})
    assert page.status == 413
    assert "xxxx" not in page.text


async def test_a_mistake_of_ours_is_a_page_with_a_reference(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError("personal detail")

    monkeypatch.setattr("lian.services.desk.queues", breaks)
    await town.browser.sign_in("service", PASSWORD)
    page = await town.browser.open("/desk")
    assert page.status == 500
    assert re.search(r"Reference: [0-9A-F]{8}", page.text)
    assert "personal detail" not in page.answer.text
    assert "default-src 'none'" in page.answer.headers["content-security-policy"]


@pytest.mark.parametrize(("language", "words"), [("en", "There is nothing here"), ("zh-CN", "没有找到")])
async def test_errors_speak_the_readers_language(town: Town, language: str, words: str) -> None:
    town.browser.language = language
    assert words in (await town.browser.open("/nowhere")).text


async def test_the_language_is_remembered(town: Town) -> None:
    await town.browser.open("/?lang=zh-CN")
    page = await town.browser.open("/track")
    assert "查询进度" in page.text
    assert "/track?lang=en" in page.links


async def test_health_is_told_to_probes(town: Town) -> None:
    answer = await town.browser.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_reset_link_sets_a_password_once(town: Town) -> None:
    token = await accounts.issue_reset(town.context, None, "chen")
    page = await town.browser.open(f"/reset/{token}")
    page = await town.browser.send(
        page.form(f"/reset/{token}"), password="a new long phrase", again="another long phrase"
    )
    assert "The two passwords differ." in page.text
    page = await town.browser.send(page.form(f"/reset/{token}"), password="short", again="short")
    assert page.status == 422
    page = await town.browser.send(
        page.form(f"/reset/{token}"), password="a new long phrase", again="a new long phrase"
    )
    assert "Your new password is set." in page.text
    assert (await town.browser.sign_in("chen", "a new long phrase")).answer.url.path == "/desk"
    page = await town.browser.post(f"/reset/{token}", {"password": "once more, long", "again": "once more, long"})
    assert "This link was used or has expired" in page.text


async def test_an_administrator_makes_an_account_with_a_link(town: Town) -> None:
    page = await town.browser.sign_in("admin", PASSWORD)
    page = await town.browser.send(page.form("/staff"), name="钱进", username="qian", roles=["claims_adjuster_junior"])
    link = re.search(r"http://[^\"]+/reset/[\w-]+", page.answer.text)
    assert link
    assert "钱进" in page.text
    page = await town.browser.open(link[0].removeprefix(ORIGIN))
    await town.browser.send(page.forms[-1], password="a phrase of mine", again="a phrase of mine")
    assert (await town.browser.sign_in("qian", "a phrase of mine")).answer.url.path == "/desk"
    await town.browser.sign_in("admin", PASSWORD)
    page = await town.browser.post("/staff", {"name": "x", "username": "qian", "roles": ["operations"]})
    assert page.status == 409
    assert "There is an account with this user name already." in page.text
