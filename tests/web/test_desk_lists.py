"""Lists of the desk: every filter and order in the address, lists under a name, ticked rows (TSK-1, TSK-2)."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from lian.db.tables import Staff
from lian.services import desk
from lian.services.desk.views import save_view
from tests.web.conftest import Town
from tests.web.reading import Page
from tests.web.scenery import PASSWORD, actor


async def in_team(town: Town, team: str, *who: str) -> None:
    """Put people in a team."""
    ids = [UUID(town.scene.staff[name].removeprefix("staff:")) for name in who]
    async with town.context.transaction() as session:
        await session.execute(update(Staff).where(Staff.id.in_(ids)).values(team=team))  # type: ignore[attr-defined]


def numbers(page: Page) -> list[str]:
    """The cases in the table, as they stand."""
    table = page.answer.text.partition("<tbody>")[2].partition("</tbody>")[0]
    return re.findall(r'<td class="c-number mono">(CLM-[\d-]+)</td>', table)


def address(page: Page) -> dict[str, list[str]]:
    """The parameters the page ended up under."""
    return parse_qs(urlsplit(str(page.answer.url)).query)


# --- filters and orders -----------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ("holder=%40me", {"adjudication", "assessment", "settlement"}, {"fresh0", "authority"}),
        ("holder=%40none", {"fresh0", "overdue", "authority"}, {"adjudication"}),
        ("queue=claims.review", {"fresh0", "overdue", "risky"}, {"adjudication", "authority"}),
        ("task=adjudicate", {"adjudication"}, {"fresh0"}),
        ("stage=settlement", {"settlement"}, {"fresh0", "adjudication"}),
        ("line=health", {"risky", "fresh2"}, {"fresh0", "adjudication"}),
        ("late=1", {"overdue"}, {"fresh0", "risky"}),
        ("kind=inquiry", set(), {"fresh0", "adjudication", "overdue"}),
        ("queue=claims.review&line=property&holder=%40none", {"fresh3"}, {"fresh0", "assessment"}),
    ],
)
async def test_a_filter_finds_what_it_says(town: Town, query: str, found: set[str], missing: set[str]) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    shown = set(numbers(await town.browser.open(f"/desk?{query}")))
    cases = town.scene.cases
    assert {cases[part] for part in found} <= shown
    assert not {cases[part] for part in missing} & shown
    if not found:
        assert shown == set()


@pytest.mark.req("TSK-2")
async def test_put_aside_and_raised_are_marked_and_filtered(town: Town) -> None:
    wang, li = await actor(town.scene, "wang"), await actor(town.scene, "li")
    until = town.context.now() + timedelta(days=3)
    await desk.hold_task(town.context, wang, town.scene.tasks["assessment.assess_loss"], reason="customer", until=until)
    raised = town.scene.tasks["fresh1.initial_review"]
    await desk.prioritise_task(town.context, li, raised, is_raised=True, words="hospital")
    page = await town.browser.sign_in("wang", PASSWORD)
    assert "1 put aside" in page.text
    mine = page.text.partition("On my desk")[2].partition("Waiting in my queues")[0]
    assert town.scene.cases["assessment"] not in mine, "what is put aside is out of the way"
    waiting = page.text.partition("Waiting in my queues")[2]
    assert waiting.index(town.scene.cases["fresh1"]) < waiting.index(town.scene.cases["overdue"])
    page = await town.browser.open("/desk?on_hold=1")
    assert numbers(page) == [town.scene.cases["assessment"]]
    assert f"until {until.astimezone(ZoneInfo('Asia/Shanghai')):%-d %b %H:%M}" in page.text
    assert "no clock stops" in page.answer.text
    page = await town.browser.open("/desk?raised=1")
    assert numbers(page) == [town.scene.cases["fresh1"]]
    assert "Raised" in page.text


@pytest.mark.req("TSK-1")
@pytest.mark.parametrize(
    ("sort", "before", "after"),
    [
        ("oldest", "overdue", "fresh0"),
        ("newest", "fresh0", "overdue"),
        ("amount", "overdue", "fresh1"),
        ("due", "overdue", "fresh0"),
    ],
)
async def test_each_order_is_what_it_says(town: Town, sort: str, before: str, after: str) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    shown = numbers(await town.browser.open(f"/desk?queue=claims.review&sort={sort}"))
    assert shown.index(town.scene.cases[before]) < shown.index(town.scene.cases[after])


async def test_heads_of_columns_sort_and_say_how(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open("/desk?queue=claims.review")
    link = next(link for link in page.links if "sort=amount" in link)
    page = await town.browser.open(link)
    assert 'aria-sort="descending"' in page.answer.text
    assert address(page) == {"queue": ["claims.review"], "sort": ["amount"]}


async def test_chosen_columns_are_shown_in_that_order(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open("/desk?queue=claims.review&columns=stage,case,opened")
    heads = re.findall(r'<th scope="col" class="w-(\w+)', page.answer.text)
    assert heads == ["stage", "case", "opened", "act"]
    assert f"/desk/tasks/{town.scene.tasks['fresh0.initial_review']}" in page.links, "a row opens without its name, too"


async def test_what_a_form_leaves_empty_is_not_in_the_address(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(
        "/desk?queue=claims.review&holder=&kind=&task=&stage=&line=&on_hold=&sort=urgency&columns=case&columns=task"
    )
    assert page.status == 200
    assert address(page) == {"queue": ["claims.review"], "columns": ["case,task"]}
    everything = "&".join(f"columns={name}" for name in ("chip", "task", "case", "customer", "amount", "holder"))
    page = await town.browser.open(f"/desk?holder=%40me&{everything}")
    assert address(page) == {"holder": ["@me"]}, "the usual columns go without saying"


@pytest.mark.parametrize(
    "query",
    [
        "queue=nowhere",
        "holder=somebody",
        "sort=random()",
        "columns=name%20of%20wife",
        "late=perhaps",
        "whatever=1",
        "holder=%40me&holder=%40none",
        "task='%20or%201=1",
    ],
)
async def test_filters_that_are_none_are_refused(town: Town, query: str) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk?{query}")
    assert page.status == 422
    assert "1=1" not in page.text


@pytest.mark.parametrize(
    "after", ["x", "1%20y", "99999999999999999999999%2000000000-0000-0000-0000-000000000000", "%20"]
)
async def test_a_place_that_cannot_be_read_is_the_beginning(town: Town, after: str) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open(f"/desk?queue=claims.review&after={after}")
    assert page.status == 200
    assert numbers(page) == numbers(await town.browser.open("/desk?queue=claims.review"))


@pytest.mark.req("TSK-1")
async def test_pages_follow_each_other_without_gap_or_repeat(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.pages.desk.PAGE", 3)
    monkeypatch.setattr("web.pages.desk_lists.PAGE", 3)
    await town.browser.sign_in("wang", PASSWORD)
    for sort in ("urgency", "due", "oldest", "newest", "amount"):
        page = await town.browser.open(f"/desk?queue=claims.review&sort={sort}")
        assert "First page" not in page.text
        seen = numbers(page)
        while onward := [link for link in page.links if "after=" in link]:
            page = await town.browser.open(onward[-1])
            assert "First page" in page.text
            seen += numbers(page)
        assert len(seen) == len(set(seen)) == 7, sort


async def test_a_person_who_is_gone_can_still_be_asked_for(town: Town) -> None:
    await town.browser.sign_in("li", PASSWORD)
    for holder in ("staff:nobody", f"staff:{UUID(int=7)}"):
        page = await town.browser.open(f"/desk?holder={holder}")
        assert page.status == 200
        assert "No task fits" in page.text
    wang = town.scene.staff["wang"]
    page = await town.browser.open(f"/desk?holder={wang}")
    assert "王敏" in page.text
    assert town.scene.cases["adjudication"] in numbers(page)


# --- what one person sees ---------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
async def test_lists_end_at_ones_queues(town: Town) -> None:
    await town.browser.sign_in("chen", PASSWORD)
    page = await town.browser.open("/desk?task=adjudicate")
    assert numbers(page) == []
    assert set(numbers(await town.browser.open("/desk?late=1"))) == {town.scene.cases["overdue"]}


@pytest.mark.req("SEC-1")
async def test_who_sees_no_cases_has_no_lists(town: Town) -> None:
    await town.browser.sign_in("admin", PASSWORD)
    assert (await town.browser.open("/desk")).status == 403
    assert (await town.browser.open("/desk?late=1")).status == 403
    assert (await town.browser.open("/desk/counts.json")).status == 403


@pytest.mark.req("TSK-4")
async def test_rows_say_for_whom_work_is_done(town: Town) -> None:
    wang, task = await actor(town.scene, "wang"), town.scene.tasks["assessment.assess_loss"]
    await desk.delegate_task(town.context, wang, task, to="chen")
    page = await town.browser.sign_in("chen", PASSWORD)
    assert "me for 王敏" in page.text.partition("On my desk")[2]
    await town.browser.sign_in("li", PASSWORD)
    page = await town.browser.open("/desk?task=assess_loss")
    assert "陈思 for 王敏" in page.text


# --- the next task ----------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-2")
async def test_the_next_task_says_why_it_is_this_one(town: Town) -> None:
    page = await town.browser.sign_in("chen", PASSWORD)
    page = await town.browser.send(page.form("/desk/queues/claims.review/next"))
    why = page.text.partition("Why this one")[2].partition("Your answer")[0]
    assert "Its first promise falls due" in why
    assert "It has waited since" in why
    assert "in hand already" not in why
    page = await town.browser.open("/desk")
    page = await town.browser.send(page.form("/desk/queues/claims.review/next"))
    assert "You have it in hand already: started work comes first." in page.text
    odd = await town.browser.open(f"{page.answer.url.path}?why=act_by.nonsense.%3Cb%3E")
    assert "nonsense" not in odd.text


@pytest.mark.req("TSK-1")
async def test_who_has_too_much_in_hand_is_told_on_their_desk(town: Town) -> None:
    object.__setattr__(town.context.settings, "desk_most_in_hand", 3)
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.post("/desk/queues/claims.review/next", {})
    assert page.status == 409
    assert "You have 3 tasks in hand" in page.text
    assert "On my desk" in page.text


# --- lists under a name -----------------------------------------------------------------------------------------------


async def test_a_list_is_kept_changed_and_deleted(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open("/desk?line=health&holder=%40none")
    page = await town.browser.send(page.form("/desk/views"), name="Health, free", pin="1")
    assert "Health, free" in page.text
    assert address(page).keys() == {"line", "holder", "view"}
    view = address(page)["view"][0]
    page = await town.browser.open(f"/desk?line=motor&view={view}")
    kept = next(form for form in page.forms if form.fields.get("query") and view in form.action)
    page = await town.browser.send(kept)
    assert address(page)["line"] == ["motor"]
    assert "holder" not in address(page)
    page = await town.browser.send(page.form(f"/desk/views/{view}/delete"))
    assert "Health, free" not in page.text


async def test_a_name_one_has_already_is_refused_in_place(town: Town) -> None:
    wang = await actor(town.scene, "wang")
    await save_view(town.context, wang, name="Twice", query="late=1")
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open("/desk?line=health")
    page = await town.browser.send(page.form("/desk/views"), name="Twice")
    assert page.status == 409
    assert "You have a view of this name already." in page.text
    assert page.form("/desk/views").fields["name"] == ["Twice"]
    assert set(numbers(page)) == {town.scene.cases["risky"], town.scene.cases["fresh2"]}


async def test_a_shared_list_is_the_teams(town: Town) -> None:
    await in_team(town, "east", "li", "wang")
    await town.browser.sign_in("li", PASSWORD)
    page = await town.browser.open("/desk?late=1")
    await town.browser.send(page.form("/desk/views"), name="Ours & late <1>", share="1")
    page = await town.browser.sign_in("wang", PASSWORD)
    assert "Ours & late <1>" in page.text
    page = await town.browser.sign_in("chen", PASSWORD)
    assert "Ours & late" not in page.text
    await town.browser.sign_in("wang", PASSWORD)
    refused = await town.browser.post("/desk/views", {"name": "x", "query": "late=1", "share": "1"})
    assert refused.status == 403


async def test_counts_have_their_own_address(town: Town) -> None:
    page = await town.browser.sign_in("wang", PASSWORD)
    assert 'data-count="mine"></span>' in page.answer.text, "no list waits for counts"
    counts = (await town.browser.client.get("/desk/counts.json")).json()
    assert counts["mine"] == "3"
    assert counts["overdue"] == "1"
    assert int(counts["free"]) >= 8


async def test_each_tab_leads_to_its_list(town: Town) -> None:
    await in_team(town, "east", "li")
    page = await town.browser.sign_in("li", PASSWORD)
    tabs = re.findall(r'<a class="tab" href="([^"]+)"', page.answer.text)
    assert len(tabs) == 7
    for tab in tabs:
        page = await town.browser.open(tab.replace("&amp;", "&"))
        assert page.status == 200
        assert page.answer.text.count('aria-current="page"') == 2, "one place in the navigation, one list"


# --- ticked rows ------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_only_who_may_change_many_at_once_ticks_rows(town: Town) -> None:
    await town.browser.sign_in("wang", PASSWORD)
    page = await town.browser.open("/desk?queue=claims.review")
    assert 'name="task" value=' not in page.answer.text
    await town.browser.sign_in("li", PASSWORD)
    page = await town.browser.open("/desk?queue=claims.review")
    assert page.answer.text.count('form="bulk"') == len(numbers(page))
    assert 'href="/desk/bulk"' in page.answer.text
    bulk = page.form("/desk/bulk")
    assert bulk.method == "post"
    assert "Give to a colleague" in page.text
    assert "Ask for documents" not in page.text, "reviews are no work of a lead"


@pytest.mark.req("TSK-1")
async def test_ticked_rows_and_whole_lists_reach_the_preview(town: Town) -> None:
    await town.browser.sign_in("li", PASSWORD)
    await town.browser.open("/desk?queue=claims.review&holder=%40none")
    tasks = [str(town.scene.tasks[f"fresh{i}.initial_review"]) for i in range(2)]
    page = await town.browser.post("/desk/bulk", {"verb": "prioritise", "task": tasks})
    assert page.status == 200
    assert "2 tasks" in page.text
    page = await town.browser.post("/desk/bulk", {"verb": "prioritise", "filter": "queue=claims.review"})
    assert page.status == 200
    assert "7 tasks" in page.text
