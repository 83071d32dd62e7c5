"""Finding a case on the page, as people read it, and for the palette (TSK-1, SEC-1)."""

from __future__ import annotations

import pytest

from lian.services.cases import case_file
from tests.cast import OFFICE
from tests.web.conftest import Town
from tests.web.scenery import PASSWORD

pytestmark = pytest.mark.req("TSK-1")


async def names(town: Town, part: str) -> tuple[str, str]:
    """The number of a claim, and the name of somebody in it."""
    file = await case_file(town.context, OFFICE, town.scene.cases[part])
    return file.case.number, file.parties[0].name


async def test_a_name_shows_its_cases_with_what_fits(town: Town) -> None:
    number, name = await names(town, "paid")
    other, _ = await names(town, "denied")
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open("/desk/search", params={"q": name})
    row = page.text[page.text.index(number) :]
    assert name in row
    assert "Name" in row
    assert "Claim" in row
    assert f"/desk/cases/{number}" in page.links
    assert other not in page.text
    assert "case found" in page.text or "cases found" in page.text


async def test_the_field_of_every_page_leads_to_the_search(town: Town) -> None:
    number, _ = await names(town, "denied")
    page = await town.browser.sign_in("wang", PASSWORD)
    assert "Find a case by number, name, policy or phone" in page.text
    field = page.form("/desk/search")
    assert field.method == "get"
    found = await town.browser.open(field.action, params={"q": "nobody like this"})
    assert "No case fits" in found.text
    assert (await town.browser.open(field.action, params={"q": number})).answer.url.path == f"/desk/cases/{number}"
    assert (await town.browser.open(field.action, params={"q": number.lower()})).answer.url.path.endswith(number)


async def test_last_digits_list_what_fits_and_open_nothing(town: Town) -> None:
    number, _ = await names(town, "denied")
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open("/desk/search", params={"q": number[-6:]})
    assert page.answer.url.path == "/desk/search"
    assert number in page.text


async def test_nothing_asked_is_no_mistake_and_too_much_is_said_at_the_field(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open("/desk/search?q=")
    assert page.status == 200
    assert "Find a case" in page.text
    page = await town.browser.open("/desk/search", params={"q": "x" * 81})
    assert page.status == 422
    assert "Search needs between 1 and 80 characters." in page.text
    assert page.form("/desk/search").action == "/desk/search"


async def test_what_was_typed_is_text_and_never_markup(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open("/desk/search", params={"q": "<b>x</b>\"'"})
    assert page.status == 200
    assert "<b>x" not in page.answer.text


async def test_the_palette_gets_the_same_cases(town: Town) -> None:
    number, name = await names(town, "paid")
    await town.browser.sign_in("wang", PASSWORD)
    answer = (await town.browser.open("/desk/search.json", params={"q": name})).answer
    assert answer.headers["cache-control"] == "no-store"
    row = next(each for each in answer.json()["cases"] if each["number"] == number)
    assert row["address"] == f"/desk/cases/{number}"
    assert name in row["names"]
    assert row["by"] == "Name"
    assert set(row["promise"]) == {"state", "words", "spoken"}
    assert row["title"]
    assert row["stage"]
    [exact] = (await town.browser.open("/desk/search.json", params={"q": number})).answer.json()["cases"]
    assert (exact["number"], exact["by"]) == (number, "Number")


async def test_a_phone_is_found_and_not_shown(town: Town) -> None:
    file = await case_file(town.context, OFFICE, town.scene.cases["paid"])
    phone = next(party.phone for party in file.parties if party.phone)
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open("/desk/search", params={"q": phone[-4:]})
    assert file.case.number in page.text
    assert "Phone" in page.text
    assert phone not in page.answer.text


@pytest.mark.req("SEC-1")
async def test_the_palette_is_told_why_in_a_sentence(town: Town) -> None:
    answer = (await town.browser.open("/desk/search.json?q=a")).answer
    assert (answer.status_code, set(answer.json())) == (401, {"problem"})
    await town.browser.sign_in("wang", PASSWORD)
    answer = (await town.browser.open("/desk/search.json?q=")).answer
    assert (answer.status_code, answer.json()) == (422, {"problem": "Search needs between 1 and 80 characters."})
    await town.browser.sign_in("admin", PASSWORD)
    assert (await town.browser.open("/desk/search.json?q=a")).status == 403
    page = await town.browser.open("/desk/search?q=a")
    assert page.status == 403
    assert "You may not do this" in page.text
