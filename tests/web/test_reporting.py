"""Several claimants, minors and channels on the report form; without scripts, in both languages (CLM-1)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from sqlmodel import col, select

from lian.db.tables import Case, Exposure, Party
from lian.services.accounts import NewStaff, create_staff
from tests.web.conftest import Town
from tests.web.reading import Page
from tests.web.test_customers import LOSS, first_step

pytestmark = pytest.mark.req("CLM-1")
PASSWORD = "correct horse battery"

CHILD = {
    "c1__name": "赵小雨",
    "c1__minor": "1",
    "c1__loss__vehicle": "300",
}


async def second_claimant(town: Town, **changes: str) -> Page:
    """The second step with a block for somebody else, filled in and sent."""
    page = await first_step(town)
    page = await town.browser.send(page.form("/report/loss"), **LOSS, more="1")
    assert page.status == 200
    return await town.browser.send(page.form("/report/loss"), **CHILD | changes)


async def newest(town: Town) -> tuple[Case, Sequence[Party], Sequence[Exposure]]:
    async with town.context.transaction() as session:
        query = select(Case).order_by(col(Case.opened_at).desc(), col(Case.number).desc()).limit(1)
        case = (await session.execute(query)).scalars().one()
        parties = (await session.execute(select(Party).where(Party.case_id == case.id))).scalars().all()
        exposures = (await session.execute(select(Exposure).where(Exposure.case_id == case.id))).scalars().all()
    return case, parties, exposures


async def test_somebody_is_added_without_losing_what_was_typed(town: Town) -> None:
    page = await first_step(town)
    page = await town.browser.send(page.form("/report/loss"), **LOSS, more="1")
    fields = page.form("/report/loss").fields
    assert (fields["course"], fields["loss.vehicle"], fields["others"]) == (["追尾"], ["1200.50"], ["1"])
    assert "Another person who claims" in page.text
    page = await town.browser.send(page.form("/report/loss"), more="1")
    assert page.form("/report/loss").fields["others"] == ["2"]


async def test_reporter_and_child_claim_together_and_the_reporter_acts_for_the_child(town: Town) -> None:
    page = await second_claimant(town)
    assert "We have your report" in page.text, page.text
    case, parties, exposures = await newest(town)
    here = {(p.role, p.name): p for p in parties}
    child, acting = here["claimant", "赵小雨"], here["representative", "赵磊"]
    assert child.is_minor
    assert acting.represents == child.id
    assert acting.person_id == here["reporter", "赵磊"].person_id
    claimed = {e.claimant_party_id: e.claimed_amount for e in exposures}
    assert claimed == {here["claimant", "赵磊"].id: Decimal("1200.50"), child.id: Decimal(300)}
    assert (case.minors, case.channel) == (1, "web")


async def test_somebody_else_may_act_for_the_child_and_the_reporter_need_not_claim(town: Town) -> None:
    grandmother = {"c1__acting_name": "孙奶奶", "c1__acting_phone": "13900000009"}
    page = await second_claimant(town, loss__vehicle="", **grandmother)
    assert "We have your report" in page.text, page.text
    _, parties, exposures = await newest(town)
    assert [(p.name, p.phone) for p in parties if p.role == "representative"] == [("孙奶奶", "13900000009")]
    assert [p.name for p in parties if p.role == "claimant"] == ["赵小雨"]
    assert len(exposures) == 1


async def test_a_block_left_empty_is_nobody(town: Town) -> None:
    page = await second_claimant(town, c1__name="", c1__loss__vehicle="", c1__minor="1")
    assert "We have your report" in page.text, page.text
    _, parties, _ = await newest(town)
    assert [p.name for p in parties if p.role == "claimant"] == ["赵磊"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"c1__name": ""}, "Enter this person's name."),
        ({"c1__loss__vehicle": ""}, "Enter an amount for this person, or leave the name empty."),
        ({"c1__loss__vehicle": "many"}, "An amount must be a number"),
        ({"c1__acting_name": "孙奶奶"}, "Give a phone number or an e-mail address of the representative."),
        ({"c1__name": "长" * 101}, "At most 100 characters."),
    ],
)
async def test_what_is_wrong_with_somebody_is_said_at_their_block(
    town: Town, change: dict[str, str], words: str
) -> None:
    page = await second_claimant(town, **change)
    assert page.status == 422
    assert words in page.text
    assert page.form("/report/loss").fields["others"] == ["1"]


async def test_the_form_speaks_chinese(town: Town) -> None:
    town.browser.language = "zh-CN"
    page = await second_claimant(town, c1__name="")
    assert all(words in page.text for words in ("其他索赔人", "此人未满18周岁", "请填写此人的姓名。"))
    assert not any(words in page.text for words in ("Another", "minor", "Representative"))


async def test_a_customer_is_asked_for_no_channel(town: Town) -> None:
    page = await town.browser.open("/report")
    assert "How was it told to us?" not in page.text
    assert "channel" not in page.form("/report").fields


async def sign_in(town: Town, username: str, role: str) -> str:
    new = NewStaff(username=username, name=username, password=PASSWORD, roles=(role,))
    staff_id = await create_staff(town.context, None, new)
    page = await town.browser.open("/sign-in")
    await town.browser.send(page.form("/sign-in"), username=username, password=PASSWORD)
    return f"staff:{staff_id}"


async def test_customer_service_says_how_it_was_told_and_lands_on_the_case(town: Town) -> None:
    me = await sign_in(town, "sunny", "customer_service")
    assert "/report" in (await town.browser.open("/desk/cases")).links
    page = await first_step(town, channel="in_person")
    page = await town.browser.send(page.form("/report/loss"), **LOSS)
    case, _, _ = await newest(town)
    assert (case.channel, case.opened_by) == ("in_person", me)
    assert str(page.answer.url).endswith(f"/desk/cases/{case.number}")
    assert page.status == 200


async def test_an_agents_report_is_an_agents_whatever_the_form_says(town: Town) -> None:
    me = await sign_in(town, "agent7", "agent")
    page = await first_step(town, channel="web")
    page = await town.browser.send(page.form("/report/loss"), **LOSS)
    case, _, _ = await newest(town)
    assert (case.channel, case.opened_by) == ("agent", me)
    assert page.status == 200
    assert case.number in page.text
