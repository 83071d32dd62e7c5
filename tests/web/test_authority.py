"""Pages on who may do what: assigning, overrides, and what people outside see (TSK-1, TSK-5, CLM-9, SEC-1)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from lian.domain import journal as j
from lian.domain.claims.actions import OVERRIDE_REASONS
from lian.services import desk
from lian.services.accounts import NewStaff, create_staff
from lian.services.cases import find_case
from tests.api.conftest import as_process, open_task
from tests.cast import OFFICE
from tests.web.conftest import Town
from tests.web.reading import Page
from tests.web.scenery import PASSWORD, actor


async def employ(town: Town, username: str, name: str, role: str) -> None:
    await create_staff(town.context, None, NewStaff(username=username, name=name, password=PASSWORD, roles=[role]))


async def case_id(town: Town, part: str) -> UUID:
    async with town.context.transaction() as session:
        return (await find_case(session, OFFICE, town.scene.cases[part])).id


@pytest.mark.req("TSK-1")
async def test_a_lead_assigns_a_task_on_its_page(town: Town) -> None:
    task = town.scene.tasks["fresh0.initial_review"]
    await town.browser.sign_in("li", PASSWORD)
    page = await town.browser.open(f"/desk/tasks/{task}")
    assert "Assign to" in page.text
    page = await town.browser.send(page.form("/assign"), to="chen")
    assert page.answer.url.path == f"/desk/tasks/{task}"
    assert "陈思 holds this task." in page.text


@pytest.mark.req("TSK-5")
async def test_whoever_must_not_have_it_is_listed_with_the_reason_and_refused(town: Town) -> None:
    wang = await actor(town.scene, "wang")
    task = await open_task(town.context, await case_id(town, "fresh0"), excluded=(wang.id,))
    await town.browser.sign_in("li", PASSWORD)
    for language, why, refusal in (
        (
            "en",
            "王敏 (They decided on this case before",
            "They decided on this case before, or have an interest in it; another person",
        ),
        ("zh-CN", "王敏 (该同事此前已对本案作出决定", "该同事此前已对本案作出决定或与本案有利害关系，须由他人办理。"),
    ):
        town.browser.language = language
        page = await town.browser.open(f"/desk/tasks/{task}")
        assert why in page.text
        page = await town.browser.post(f"/desk/tasks/{task}/assign", {"to": "wang"})
        assert page.status == 422
        assert refusal in page.text
    assert (await desk.show_task(town.context, wang, task)).task.holder == ""


@pytest.mark.req("SEC-1")
async def test_others_see_no_form_to_assign(town: Town) -> None:
    task = town.scene.tasks["fresh0.initial_review"]
    await town.browser.sign_in("wang", PASSWORD)
    assert "Assign to" not in (await town.browser.open(f"/desk/tasks/{task}")).text
    assert (await town.browser.post(f"/desk/tasks/{task}/assign", {"to": "chen"})).status == 403


@pytest.mark.req("CLM-9")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_the_board_lists_whoever_overrode_a_limit(town: Town, language: str) -> None:
    await employ(town, "gao", "高远", "claims_manager")
    await town.browser.sign_in("ops", PASSWORD)
    town.browser.language = language
    page = await town.browser.open("/operations")
    assert {"en": "Nobody has overridden a limit.", "zh-CN": "暂无越权决定。"}[language] in page.text
    why, words = next(iter(OVERRIDE_REASONS.items()))
    await override(town, why)
    page = await town.browser.open("/operations")
    _, _, listed = page.text.partition({"en": "Authority overridden", "zh-CN": "越权决定"}[language])
    reason = {"en": words.en, "zh-CN": words.zh}[language]
    for shown in (town.scene.cases["fresh0"], "高远", reason, "60,000.00"):
        assert shown in listed


async def override(town: Town, why: str) -> None:
    decision_id = uuid4()
    made = j.DecisionMade(
        decision_id=decision_id,
        decided_by="staff:x",
        result="accept",
        approved_amount=Decimal(60_000),
        needs_second=True,
    )
    gao = (await actor(town.scene, "gao")).id
    await as_process(
        town.context,
        await case_id(town, "fresh0"),
        made,
        j.AuthorityOverridden(decision_id=decision_id, overridden_by=gao, why=why),
        j.DecisionAuthorised(decision_id=decision_id, authorised_by=gao),
    )


@pytest.mark.req("SEC-1", "CLM-6")
async def test_an_external_adjuster_finds_the_survey_and_none_of_our_inside(town: Town) -> None:
    await employ(town, "wei", "魏东", "external_adjuster")
    surveyed, other = town.scene.cases["fresh0"], town.scene.cases["overdue"]
    task = await open_task(
        town.context, await case_id(town, "fresh0"), kind="external_adjuster", queue="claims.external", ask={}
    )
    page = await town.browser.sign_in("wei", PASSWORD)
    assert surveyed not in page.text
    await desk.assign_task(town.context, await actor(town.scene, "li"), task, to="wei")
    page = await town.browser.open("/desk")
    assert surveyed in page.text
    assert other not in page.text
    page = await town.browser.open(f"/desk/cases/{surveyed}")
    assert page.status == 200
    assert_no_inside(page)
    page = await town.browser.open(f"/desk/tasks/{task}")
    assert page.status == 200
    assert_no_inside(page)
    assert (await town.browser.open(f"/desk/cases/{other}")).status == 404
    for path in ("/operations", "/notices", "/staff"):
        assert (await town.browser.open(path)).status == 403


def assert_no_inside(page: Page) -> None:
    for words in ("Timeline", "Reserve", "Risk", "Decided:", "Panel"):
        assert words not in page.text, words
