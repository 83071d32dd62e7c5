"""Doing one thing to many tasks, as its pages read (TSK-1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from lian.db.tables import BulkOrder, Task
from lian.domain.messages import BulkRun
from lian.services import desk
from lian.services.desk.bulk_work import Worked, work_on
from lian.services.relay import relay_once
from tests.web.conftest import Town
from tests.web.reading import Page
from tests.web.scenery import PASSWORD, actor

pytestmark = pytest.mark.req("TSK-1")

FREE = ("fresh0.initial_review", "fresh1.initial_review", "fresh2.initial_review")


def tasks_of(town: Town, names: Sequence[str] = FREE) -> list[str]:
    return [str(town.scene.tasks[name]) for name in names]


async def asked(town: Town, verb: str, tasks: Sequence[str], who: str = "li") -> Page:
    """What the verb needs, once its button was pressed over these ticked rows."""
    await town.browser.sign_in(who, PASSWORD)
    return await town.browser.post("/desk/bulk", {"verb": verb, "task": list(tasks)})


async def worked(town: Town, page: Page) -> Page:
    """The order's page once a worker has done what it can."""
    order_id = page.answer.url.path.rsplit("/", 1)[1]
    while await work_on(town.context, UUID(order_id), 0, beat=lambda: None) is Worked.ON:
        pass
    return await town.browser.open(f"/desk/bulk/{order_id}")


async def rows(town: Town, ids: Sequence[str]) -> list[Task]:
    async with town.context.transaction() as session:
        return [await session.get_one(Task, UUID(task_id), populate_existing=True) for task_id in ids]


async def test_many_tasks_are_given_to_a_colleague_after_a_look_at_each(town: Town) -> None:
    tasks = tasks_of(town, (*FREE, "authority.authorise"))
    page = await asked(town, "reassign", tasks)
    assert page.status == 200
    assert "Give to a colleague 4 tasks" in page.text
    assert "Nothing is changed yet." in page.text
    page = await town.browser.send(page.form("/desk/bulk"), to="chen")
    assert re.fullmatch(r"/desk/bulk/[0-9a-f-]{36}", page.answer.url.path)
    assert "3 tasks will be changed" in page.text
    assert "Will be refused 1" in page.text
    assert "This is not work of their role." in page.text
    assert [task.holder for task in await rows(town, tasks)][:3] == ["", "", ""]
    page = await town.browser.send(page.form("/start"))
    assert "Under way" in page.text
    assert "1 of 4" in page.text
    await relay_once(town.context)
    assert any(isinstance(told, BulkRun) for told in town.process.told)
    page = await worked(town, page)
    assert "Finished" in page.text
    assert "4 of 4" in page.text
    assert "Done: 3" in page.text
    assert [task.holder for task in await rows(town, tasks)][:3] == [town.scene.staff["chen"]] * 3
    again = await town.browser.post(f"{page.answer.url.path}/start", {})
    assert again.status == 200, "sent twice it is one order"
    async with town.context.transaction() as session:
        assert len((await session.execute(select(BulkOrder))).scalars().all()) == 1
    assert "Give to a colleague" in (await town.browser.open("/desk/bulk")).text


async def test_an_order_is_stopped_and_taken_back_on_its_page(town: Town) -> None:
    tasks = tasks_of(town)
    page = await asked(town, "reassign", tasks)
    page = await town.browser.send(page.form("/desk/bulk"), to="chen")
    page = await town.browser.send(page.form("/start"))
    page = await worked(town, page)
    await desk.release_task(town.context, await actor(town.scene, "chen"), UUID(tasks[0]))
    page = await town.browser.send(page.form("/undo"))
    assert "Being taken back" in page.text
    page = await worked(town, page)
    assert "Taken back: 2" in page.text
    assert "Left as it is: 1" in page.text
    assert "Somebody has changed this task since; it is left as it is." in page.text
    assert [task.holder for task in await rows(town, tasks)] == ["", "", ""]

    page = await asked(town, "reassign", tasks)
    page = await town.browser.send(page.form("/desk/bulk"), to="chen")
    page = await town.browser.send(page.form("/start"))
    page = await town.browser.send(page.form("/cancel"))
    assert re.search(r"Stopped by\s*李强", page.text)
    assert "Not done: 3" in page.text
    page = await town.browser.send(page.form("/desk/bulk"), verb="reassign")
    assert page.form("/desk/bulk").fields["to"] == ["chen"], "what was ordered is filled in again"
    page = await town.browser.send(page.form("/desk/bulk"))
    assert "3 tasks will be changed" in page.text


async def test_giving_back_needs_no_more_than_a_look(town: Town) -> None:
    page = await asked(town, "release", tasks_of(town, ("assessment.assess_loss", *FREE)), who="li")
    assert "1 task will be changed" in page.text
    assert "As it was already 3" in page.text


async def test_they_are_put_aside_until_a_day_of_the_office(town: Town) -> None:
    tasks, day = tasks_of(town), town.context.now().date() + timedelta(days=5)
    page = await asked(town, "hold", tasks)
    form = page.form("/desk/bulk")
    page = await town.browser.send(form, reason="customer", day="", time="")
    assert page.status == 422
    assert "Say until which day, and when on that day." in page.text
    page = await town.browser.send(form, reason="other", day=day.isoformat())
    assert (page.status, "Say why." in page.text) == (422, True)
    page = await town.browser.send(page.form("/desk/bulk"), reason="customer")
    page = await town.browser.send(page.form("/start"))
    await worked(town, page)
    held = [(t.hold_until, t.hold_reason) for t in await rows(town, tasks)]
    assert {(f"{until:%Y-%m-%d %H:%M}", why) for until, why in held if until} == {(f"{day} 01:00", "customer")}


async def test_a_whole_list_is_meant_by_its_filter(town: Town) -> None:
    await town.browser.sign_in("li", PASSWORD)
    data = {"verb": "prioritise", "filter": "queue=claims.review&holder=@none", "task": tasks_of(town)[:1]}
    page = await town.browser.post("/desk/bulk", data)
    page = await town.browser.send(page.form("/desk/bulk"), is_raised="yes", note="督办")
    async with town.context.transaction() as session:
        query = select(Task.id).where(Task.queue == "claims.review", Task.holder == "", Task.status == "open")
        free = len((await session.execute(query)).scalars().all())
    assert f"{free} tasks will be changed" in page.text
    assert "ahead of others" in page.text
    assert "督办" in page.text
    refused = await town.browser.post("/desk/bulk", {"verb": "prioritise", "filter": "colour=red"})
    assert refused.status == 422


async def test_whoever_changes_many_types_how_many(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.presenters.bulk.TYPED_ABOVE", 2)
    page = await asked(town, "prioritise", tasks_of(town))
    page = await town.browser.send(page.form("/desk/bulk"), note="急")
    assert "Type 3 to say that you mean it" in page.text
    wrong = await town.browser.send(page.form("/start"), confirm="2")
    assert wrong.status == 422
    assert "Type 3 to say that you mean it." in wrong.text
    assert "Under way" in (await town.browser.send(wrong.form("/start"), confirm="3")).text


@pytest.mark.req("SEC-1")
async def test_only_who_may_is_let_in(town: Town) -> None:
    page = await asked(town, "prioritise", tasks_of(town))
    page = await town.browser.send(page.form("/desk/bulk"), note="急")
    address = page.answer.url.path
    for who in ("service", "admin"):
        await town.browser.sign_in(who, PASSWORD)
        assert (await town.browser.post("/desk/bulk", {"verb": "release", "task": tasks_of(town)})).status == 403
        assert (await town.browser.open(address)).status == 404
        assert (await town.browser.post(f"{address}/start", {})).status == 404
    assert (await town.browser.open("/desk/bulk")).status == 403
    await town.browser.sign_in("li", PASSWORD)
    for data in ({"verb": "complete", "task": tasks_of(town)}, {"verb": "release", "task": "no id"}, {"verb": "hold"}):
        assert (await town.browser.post("/desk/bulk", data)).status == 422


async def test_its_pages_speak_chinese(town: Town) -> None:
    town.browser.language = "zh-CN"
    page = await asked(town, "reassign", tasks_of(town, (*FREE, "authority.authorise")))
    assert "指派给同事" in page.text
    page = await town.browser.send(page.form("/desk/bulk"), to="chen")
    assert "3 项任务将被更改" in page.text
    assert "这不是对方岗位的工作" in page.text or "岗位" in page.text
    page = await town.browser.send(page.form("/start"))
    assert "进行中" in page.text
    page = await worked(town, page)
    assert "已完成" in page.text
    english = re.findall(r"\b(?:task|tasks|order|done|refused|taken)\b", page.text, re.IGNORECASE)
    assert english == []


async def test_a_task_the_reader_may_not_see_is_told_without_its_case(town: Town) -> None:
    page = await asked(town, "prioritise", tasks_of(town))
    page = await town.browser.send(page.form("/desk/bulk"), note="急")
    page = await town.browser.send(page.form("/start"))
    async with town.context.transaction() as session:
        query = select(Task).where(col(Task.id).in_([UUID(t) for t in tasks_of(town)]))
        for task in (await session.execute(query)).scalars():
            task.kind = "examine_suspicion"
    await town.browser.sign_in("ops", PASSWORD)
    page = await town.browser.open(page.answer.url.path)
    assert page.text.count("A task you may not see") == 3
    assert town.scene.cases["fresh0"] not in page.text
    assert "Stop before the next task" not in page.text
