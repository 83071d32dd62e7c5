"""What a draft would do, and calendars revised and applied, as operations do it on pages (CLM-12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlmodel import select

from lian.db.tables import Case, Clock
from lian.domain import journal as j
from lian.services.calendar_revisions import calendars_in_force, revise_year
from lian.services.calendar_years import edited
from lian.services.calendars import shipped, shipped_years
from lian.services.context import Context
from lian.services.relay import relay_once
from tests.cast import OFFICE
from tests.services.promised import house
from tests.web.conftest import Town
from tests.web.scenery import PASSWORD, PLAN, Claim, Scenery

pytestmark = pytest.mark.req("CLM-12")

WHAT_IF, CALENDARS = "/operations/what-if", "/operations/calendars"
YEAR = f"{CALENDARS}/CN/2026"


async def under_law(scene: Scenery) -> list[str]:
    """Every open case of the scenery counts in China's calendar; returns their numbers."""
    await published_for_a_year(scene.context)
    async with scene.context.transaction() as session:
        calendar = (await calendars_in_force(session))["CN"]
        cases = list((await session.execute(select(Case).where(Case.status == "open"))).scalars())
    for case in cases:
        plan = replace(PLAN.validate_python(case.plan), calendar=calendar)
        body = PLAN.dump_python(plan, mode="json")
        claim = Claim(scene, "", case.number, case.id, scene.context.now())
        await claim.record(scene.context.now(), j.PlanChanged(operation_id=uuid4(), plan=body, why="notice"))
    return [case.number for case in cases]


async def published_for_a_year(context: Context) -> None:
    """So that these tests mean the same in any year."""
    last = shipped()["CN"].covered_until
    assert last
    for year in range(last.year + 1, context.now().year + 2):
        days = {"year": year, "off": [{"date": f"{year}-01-01", "name_en": "New Year"}], "work": []}
        body = edited(shipped_years()["CN", last.year]) | days
        await revise_year(context, OFFICE, body=body, reason="announced")


async def uncovered(scene: Scenery, part: str) -> str:
    """A promise of the scenery that runs into a year without calendar; returns its case's number."""
    async with scene.context.transaction() as session:
        clock = await session.get_one(Clock, (scene.ids[part], "claim.total"))
    claim = Claim(scene, part, scene.cases[part], scene.ids[part], scene.context.now())
    rebased = j.ClockRebased(clock="claim.total", policy=clock.policy, calendar="", due_at=None, warn_at=None)
    await claim.record(scene.context.now(), rebased)
    return claim.number


async def test_a_draft_shows_whom_it_would_make_late(town: Town) -> None:
    await town.browser.sign_in("ops", PASSWORD)
    page = await town.browser.open(WHAT_IF)
    found = await town.browser.send(page.form(WHAT_IF), policy=house(total=1))
    assert found.status == 200
    assert "would be broken at once" in found.text
    assert any(link.startswith("/desk/cases/CLM-") for link in found.links)
    assert "Falling due, day by day" in found.text
    assert found.form(WHAT_IF).fields["policy"][0].strip() == house(total=1).strip()
    town.browser.language = "zh-CN"
    chinese = await town.browser.send(page.form(WHAT_IF), policy=house(total=1))
    assert "项时限立即超时" in chinese.text
    assert "逐日到期量" in chinese.text


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"policy": "clocks: [}"}, "This is not plain YAML"),
        ({"policy": house().replace("amount: 15", "amount: 0", 1)}, "Clock claim.total, field amount"),
        ({"calendar": "{"}, "This is not JSON."),
        ({"calendar": "{}"}, "This calendar year lacks"),
        ({}, "Give a draft"),
    ],
)
async def test_a_draft_that_is_wrong_is_shown_again_with_what_is_wrong(
    town: Town, sent: dict[str, str], words: str
) -> None:
    await town.browser.sign_in("ops", PASSWORD)
    page = await town.browser.open(WHAT_IF)
    found = await town.browser.send(page.form(WHAT_IF), **sent)
    assert found.status == 422
    assert words in found.text
    for name, value in sent.items():
        assert found.form(WHAT_IF).fields[name][0].strip() == value.strip()


async def test_a_holiday_is_announced_previewed_and_applied(town: Town) -> None:
    numbers = await under_law(town.scene)
    await town.browser.sign_in("ops", PASSWORD)
    listed = await town.browser.open(CALENDARS)
    assert YEAR in listed.links
    assert "make-up working day" in (await town.browser.open(YEAR)).text
    day = next_working_day(town.context.now().date() + timedelta(days=1))
    address = f"{CALENDARS}/CN/{day.year}"
    year = await town.browser.open(address)
    done = await town.browser.send(
        year.form(address), date=[day.isoformat(), "", ""], name=["Day of mourning", "", ""], reason="国务院公告"
    )
    assert "The year is in force as revised." in done.text
    assert ("Day of mourning" in done.text, "Revision" in done.text) == (True, True)
    preview = await town.browser.open(f"{CALENDARS}/CN/apply")
    assert "deadlines would move" in preview.text or "would be" in preview.text
    told = await town.browser.send(preview.form("/apply"), why="国务院公告")
    assert "The open cases are being told" in told.text
    assert f"0 of {len(numbers)} cases" in told.text
    real = town.context.now
    town.context.now = lambda: real() + timedelta(minutes=5)
    while await relay_once(town.context):
        pass
    town.context.now = real
    assert f"{len(numbers)} of {len(numbers)} cases" in (await town.browser.open(CALENDARS)).text


def next_working_day(day: date) -> date:
    """A weekday that no holiday takes away; that it lies in a covered year is seen to before."""
    while day.weekday() > 4 or (day.year == 2026 and not shipped()["CN"].is_working_day(day)):
        day += timedelta(days=1)
    return day


async def test_what_cannot_be_is_refused_where_it_was_typed(town: Town) -> None:
    await town.browser.sign_in("admin", PASSWORD)
    form = (await town.browser.open(YEAR)).form(YEAR)
    for changes, words in (
        ({"reason": "x"}, "This changes nothing"),
        ({"date": ["2026-12-08", "2026-12-08", ""], "name": ["a", "b", ""], "reason": "x"}, "A date is given twice."),
        ({"date": ["2027-01-01", "", ""], "name": ["a", "", ""], "reason": "x"}, "does not lie in 2026"),
        ({"date": ["soon", "", ""], "reason": "x"}, "This is no date"),
        ({"date": ["2026-12-08", "", ""], "reason": "x"}, "needs words"),
        ({"date": ["2026-12-08", "", ""], "name": ["a", "", ""], "reason": ""}, "Say why"),
    ):
        refused = await town.browser.send(form, **{"becomes": ["off"] * 3} | changes)
        assert (refused.status, words in refused.text) == (422 if "nothing" not in words else 409, True), words
    assert "As shipped" in (await town.browser.open(YEAR)).text
    assert "Revision 1" not in (await town.browser.open(YEAR)).text


async def test_an_old_preview_is_shown_anew_instead_of_applied(town: Town) -> None:
    await under_law(town.scene)
    await town.browser.sign_in("ops", PASSWORD)
    form = await town.browser.open(f"{CALENDARS}/CN/apply")
    assert "Every open case runs under this version already." in form.text
    day = next_working_day(town.context.now().date() + timedelta(days=1))
    address = f"{CALENDARS}/CN/{day.year}"
    year = await town.browser.open(address)
    await town.browser.send(year.form(address), date=[day.isoformat(), "", ""], name=["x", "", ""], reason="x")
    preview = await town.browser.open(f"{CALENDARS}/CN/apply")
    refused = await town.browser.send(preview.form("/apply"), token="1.2.3", why="my reason")
    assert refused.status == 409
    assert "since you looked" in refused.text
    assert refused.form("/apply").fields["why"] == ["my reason"]
    assert refused.form("/apply").fields["token"] != ["1.2.3"]


async def test_a_year_that_was_just_announced_is_put_in_force_from_its_file(town: Town) -> None:
    await town.browser.sign_in("admin", PASSWORD)
    page = await town.browser.open(CALENDARS)
    body = """{"name": "CN", "year": 2027, "tz": "Asia/Shanghai", "weekend": [5, 6], "work": [], "status": "published",
      "off": [{"date": "2027-01-01", "name_en": "New Year", "name_zh": "元旦"}], "source": "国务院办公厅通知",
      "source_url": "", "retrieved_on": "2026-11-22"}"""
    done = await town.browser.send(page.form(CALENDARS), body=body, reason="国务院办公厅通知")
    assert "CN 2027" in done.text
    assert "New Year" in done.text
    wrong = await town.browser.send(page.form(CALENDARS), body="{", reason="x")
    assert (wrong.status, "This is not JSON." in wrong.text) == (422, True)


async def test_promises_without_a_deadline_are_on_the_board(town: Town) -> None:
    await under_law(town.scene)
    await town.browser.sign_in("ops", PASSWORD)
    assert "Without a deadline" not in (await town.browser.open("/operations")).text
    number = await uncovered(town.scene, "assessment")
    page = await town.browser.open("/operations")
    assert "Without a deadline until their calendar is published" in page.text
    assert f"CN {max(2028, town.context.now().year + 2)}" in page.text
    assert number in page.text


@pytest.mark.parametrize("address", [WHAT_IF, CALENDARS, YEAR, f"{CALENDARS}/CN/apply"])
async def test_it_is_for_operations_and_administrators(town: Town, address: str) -> None:
    assert "Sign in" in (await town.browser.open(address)).text
    for who, status in (("ops", 200), ("admin", 200), ("wang", 403), ("li", 403)):
        await town.browser.sign_in(who, PASSWORD)
        assert (await town.browser.open(address)).status == status, who


@pytest.mark.parametrize("address", [f"{CALENDARS}/CN/1999", f"{CALENDARS}/CN/2099", f"{CALENDARS}/MARS/apply"])
async def test_what_there_is_not_is_not_found(town: Town, address: str) -> None:
    await town.browser.sign_in("ops", PASSWORD)
    assert (await town.browser.open(address)).status in {404, 422}
