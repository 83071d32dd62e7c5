"""What is done with a task beside answering it, on its page: forms without script (TSK-1, TSK-4, TSK-5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from lian.db.tables import Staff, Task
from lian.domain import journal as j
from lian.domain.promise_tasks import EXPLAIN_LATENESS
from lian.services import desk
from lian.services.recording import put_on_record
from tests.web.conftest import Town
from tests.web.reading import Page
from tests.web.scenery import PASSWORD, actor

OFFICE = ZoneInfo("Asia/Shanghai")


async def the_task(town: Town, name: str) -> Task:
    """A task as it is stored."""
    async with town.context.transaction() as session:
        return await session.get_one(Task, town.scene.tasks[name])


async def open_as(town: Town, who: str, name: str) -> Page:
    """A task's page as somebody sees it."""
    await town.browser.sign_in(who, PASSWORD)
    return await town.browser.open(f"/desk/tasks/{town.scene.tasks[name]}")


MINE, FREE = "adjudication.adjudicate", "fresh0.initial_review"
"""A task that wang has, and one that nobody has."""


# --- taking on and giving back ----------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_taking_a_task_on_can_be_undone(town: Town) -> None:
    page = await open_as(town, "wang", FREE)
    page = await town.browser.send(page.form("/claim"))
    assert "This task is yours now." in page.text
    assert (await the_task(town, FREE)).holder == town.scene.staff["wang"]
    undo = next(form for form in page.forms if form.fields.get("undoing"))
    page = await town.browser.send(undo)
    assert (await the_task(town, FREE)).holder == ""
    assert "Take it on" in page.text


@pytest.mark.req("TSK-1")
async def test_giving_back_is_undone_while_the_task_is_free(town: Town) -> None:
    page = await open_as(town, "wang", MINE)
    page = await town.browser.send(page.form("/release"))
    assert page.answer.url.path == "/desk"
    assert "Given back: Adjudicate." in page.text
    page = await town.browser.send(page.form("/claim"))
    assert (await the_task(town, MINE)).holder == town.scene.staff["wang"]
    assert page.answer.url.path == f"/desk/tasks/{town.scene.tasks[MINE]}"


@pytest.mark.req("TSK-1")
async def test_undoing_too_late_names_who_has_it_now(town: Town) -> None:
    page = await open_as(town, "wang", FREE)
    page = await town.browser.send(page.form("/claim"))
    page = await town.browser.send(page.form("/release"))
    undo = next(form for form in page.forms if form.fields.get("undoing"))
    await desk.claim_task(town.context, await actor(town.scene, "chen"), town.scene.tasks[FREE])
    page = await town.browser.send(undo)
    assert page.status == 409
    assert "Held by 陈思" in page.text
    assert "Nothing of yours was saved." in page.text
    assert (await the_task(town, FREE)).holder == town.scene.staff["chen"]


async def test_an_old_notice_offers_no_way_back(town: Town) -> None:
    await open_as(town, "wang", FREE)
    task_id = town.scene.tasks[FREE]
    await town.browser.post(f"/desk/tasks/{task_id}/claim", {})
    version = (await the_task(town, FREE)).version
    page = await town.browser.open(f"/desk/tasks/{task_id}?did=claimed&v={version}")
    assert "Undo" in page.text
    page = await town.browser.open(f"/desk/tasks/{task_id}?did=claimed&v={version - 1}")
    assert "Undo" not in page.text
    page = await town.browser.open(f"/desk/tasks/{task_id}?did=nonsense&v={version}")
    assert page.status == 200


@pytest.mark.parametrize("version", ["-1", "1e3", "99999999999999999999999", "x", "９"])
async def test_a_version_that_is_none_is_refused(town: Town, version: str) -> None:
    await open_as(town, "wang", FREE)
    page = await town.browser.post(f"/desk/tasks/{town.scene.tasks[FREE]}/claim", {"version": version})
    assert page.status in {409, 422}
    assert (await the_task(town, FREE)).holder == ""


@pytest.mark.req("TSK-1")
async def test_what_changed_since_one_looked_is_said_and_shown(town: Town) -> None:
    page = await open_as(town, "wang", MINE)
    seen = page.form("/pass")
    await desk.wake_task(town.context, await actor(town.scene, "wang"), town.scene.tasks[MINE])
    tomorrow = town.context.now() + timedelta(days=1)
    wang = await actor(town.scene, "wang")
    await desk.hold_task(town.context, wang, town.scene.tasks[MINE], reason="customer", until=tomorrow)
    page = await town.browser.send(seen, reason="time", words="bis morgen")
    assert page.status == 409
    assert "This task has changed since you looked" in page.text
    again = page.form("/pass")
    assert again.fields["words"] == ["bis morgen"]
    assert again.fields["reason"] == ["time"]
    page = await town.browser.send(again)
    assert (await the_task(town, MINE)).holder == ""


@pytest.mark.req("TSK-1")
async def test_words_are_kept_when_the_verb_is_no_longer_ones_own(town: Town) -> None:
    page = await open_as(town, "wang", MINE)
    form = page.form("/pass")
    li = await actor(town.scene, "li")
    await desk.release_task(town.context, li, town.scene.tasks[MINE])
    page = await town.browser.send(form, reason="other", words="needs a surveyor")
    assert page.status == 409
    assert "What you had written" in page.text
    assert "needs a surveyor" in page.text


@pytest.mark.req("TSK-1")
async def test_an_answer_that_came_too_late_keeps_what_was_typed(town: Town) -> None:
    page = await open_as(town, "wang", MINE)
    form = page.form("/complete")
    li = await actor(town.scene, "li")
    await desk.assign_task(town.context, li, town.scene.tasks[MINE], to="chen")
    page = await town.browser.send(form, decisions__1__payable_amount="8123.45", notes="all checked")
    assert page.status == 409
    assert "Held by 陈思" in page.text
    assert page.form("/complete").fields["decisions.1.payable_amount"] == ["8123.45"]
    assert page.form("/complete").fields["notes"] == ["all checked"]
    assert town.process.told == []


# --- passing on, putting aside ----------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_passing_on_asks_why_and_goes_back_to_the_list(town: Town) -> None:
    page = await open_as(town, "wang", MINE)
    refused = await town.browser.send(page.form("/pass"), reason="")
    assert refused.status == 422
    assert "That is not one of the choices." in refused.text
    refused = await town.browser.send(page.form("/pass"), reason="other", words=" ")
    assert "Say why." in refused.text
    page = await town.browser.send(page.form("/pass"), reason="expertise", words="a lorry")
    assert page.answer.url.path == "/desk"
    assert "Passed on: Adjudicate." in page.text
    assert not [form for form in page.forms if form.fields.get("undoing")], "what was passed on is not drawn back"
    task = await the_task(town, MINE)
    assert task.holder == ""
    assert town.scene.staff["wang"] in task.passed


@pytest.mark.req("TSK-1")
@pytest.mark.parametrize(("when", "days"), [("tomorrow", 1), ("three_days", 3)])
async def test_putting_aside_until_a_morning_of_the_office(town: Town, when: str, days: int) -> None:
    page = await open_as(town, "wang", MINE)
    page = await town.browser.send(page.form("/hold"), when=when, reason="customer")
    assert "Put aside until" in page.text
    until = (await the_task(town, MINE)).hold_until
    assert until is not None
    local = until.astimezone(OFFICE)
    assert local.date() == datetime.now(OFFICE).date() + timedelta(days=days)
    assert (local.hour, local.minute) == (9, 0)


@pytest.mark.req("TSK-1")
async def test_putting_aside_until_a_day_and_time_and_undoing_it(town: Town) -> None:
    page = await open_as(town, "wang", MINE)
    day = (datetime.now(OFFICE) + timedelta(days=9)).date()
    page = await town.browser.send(page.form("/hold"), when="own", day=day.isoformat(), time="14:30", reason="expert")
    assert (await the_task(town, MINE)).hold_until == datetime(day.year, day.month, day.day, 14, 30, tzinfo=OFFICE)
    assert "1 put aside" in page.text
    undo = next(form for form in page.forms if form.action.endswith("/wake"))
    page = await town.browser.send(undo)
    assert page.answer.url.path == f"/desk/tasks/{town.scene.tasks[MINE]}"
    assert (await the_task(town, MINE)).hold_until is None


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"when": "own", "day": ""}, "Say until which day"),
        ({"when": "own", "day": "2026-02-30"}, "Say until which day"),
        ({"when": "own", "day": "0001-01-01"}, "within the next 90 days"),
        ({"when": "own", "day": "9999-12-31", "time": "23:59"}, "within the next 90 days"),
        ({"when": "own", "day": "2026-12-01", "time": "25:00"}, "Say until which day"),
        ({"when": "never"}, "Choose one."),
        ({"when": "own", "day": "2020-01-01"}, "within the next 90 days"),
    ],
)
async def test_moments_that_are_none_are_refused_with_what_was_typed(
    town: Town, typed: dict[str, str], words: str
) -> None:
    page = await open_as(town, "wang", MINE)
    page = await town.browser.send(page.form("/hold"), reason="customer", words="ruft an", **typed)
    assert page.status == 422
    assert words in page.text
    assert page.form("/hold").fields["words"] == ["ruft an"]
    assert page.form("/hold").fields["reason"] == ["customer"]
    assert (await the_task(town, MINE)).hold_until is None


@pytest.mark.req("TSK-1")
async def test_a_held_task_says_until_when_and_is_taken_up_again(town: Town) -> None:
    wang, task_id = await actor(town.scene, "wang"), town.scene.tasks[MINE]
    until = datetime.now(UTC) + timedelta(days=2)
    await desk.hold_task(town.context, wang, task_id, reason="customer", until=until)
    page = await open_as(town, "wang", MINE)
    assert f"until {until.astimezone(OFFICE):%-d %b}" in page.text
    page = await town.browser.send(page.form("/wake"))
    assert "It is no longer put aside." in page.text
    assert (await the_task(town, MINE)).hold_until is None


# --- giving to others -------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-4")
async def test_delegating_shows_for_whom_and_comes_back(town: Town) -> None:
    task = "assessment.assess_loss"
    page = await open_as(town, "wang", task)
    assert "wang" not in page.answer.text.partition('id="f-delegate-to"')[2].partition("</select>")[0]
    page = await town.browser.send(page.form("/delegate"), to="chen")
    assert "陈思 does it for you." in page.text
    assert "陈思 for me" in page.text
    stored = await the_task(town, task)
    assert (stored.holder, stored.on_behalf_of) == (town.scene.staff["chen"], town.scene.staff["wang"])
    page = await open_as(town, "chen", task)
    assert "Return it" in page.text
    page = await town.browser.send(page.form("/return"))
    assert "Returned: Assess the loss." in page.text
    assert (await the_task(town, task)).holder == town.scene.staff["wang"]


@pytest.mark.req("TSK-5")
async def test_nobody_is_assigned_what_is_not_their_work(town: Town) -> None:
    page = await open_as(town, "li", "authority.authorise")
    choices = page.answer.text.partition('id="f-assign-to"')[2].partition("</select>")[0]
    assert 'value="li"' in choices
    assert 'value="service"' not in choices, "not work of customer service"
    assert 'value="wang" disabled' in choices, "who decided before sees why not"
    page = await town.browser.send(page.form("/assign"), to="wang")
    assert page.status == 422
    assert "They decided on this case before" in page.text
    assert (await the_task(town, "authority.authorise")).holder == ""


@pytest.mark.req("TSK-1")
async def test_a_lead_takes_a_task_away_without_getting_it(town: Town) -> None:
    page = await open_as(town, "li", MINE)
    page = await town.browser.send(page.form("/release"))
    assert "Given back: Adjudicate." in page.text
    assert not [form for form in page.forms if form.fields.get("undoing")], "undoing would give it to the lead"
    assert (await the_task(town, MINE)).holder == ""


@pytest.mark.req("TSK-2")
async def test_a_lead_puts_a_task_ahead_and_says_why(town: Town) -> None:
    page = await open_as(town, "li", FREE)
    refused = await town.browser.send(page.form("/prioritise"))
    assert "Say why." in refused.text
    page = await town.browser.send(page.form("/prioritise"), words="the customer is in hospital")
    assert "It goes before the others now." in page.text
    assert (await the_task(town, FREE)).is_raised
    page = await town.browser.send(page.form("/prioritise"), words="out again")
    assert not (await the_task(town, FREE)).is_raised


@pytest.mark.req("TSK-4")
async def test_whoever_stands_in_takes_over_and_gives_back_by_undoing(town: Town) -> None:
    wang = await actor(town.scene, "wang")
    now = town.context.now()
    await desk.note_absence(
        town.context,
        wang,
        desk.NewAbsence(away_from=now - timedelta(hours=1), away_until=now + timedelta(days=2), substitute="chen"),
    )
    task = "assessment.assess_loss"
    page = await open_as(town, "chen", task)
    assert "王敏 has this task and is away; you stand in for them." in page.text
    page = await town.browser.send(page.form("/claim"))
    assert (await the_task(town, task)).on_behalf_of == wang.id
    undo = next(form for form in page.forms if form.fields.get("undoing"))
    await town.browser.send(undo)
    assert (await the_task(town, task)).holder == wang.id


# --- talking ----------------------------------------------------------------------------------------------------------


async def test_remarks_are_read_oldest_first_with_who_and_when(town: Town) -> None:
    page = await open_as(town, "wang", MINE)
    await town.browser.send(page.form("/comment"), text="<b>first</b>")
    page = await open_as(town, "chen", MINE)
    page = await town.browser.send(page.form("/comment"), text="second\nline")
    said = page.text.partition("Among colleagues")[2]
    assert said.index("王敏") < said.index("<b>first</b>") < said.index("second")
    assert "<b>first" not in page.answer.text
    assert f"{datetime.now(OFFICE):%-d %b %Y}" in said
    page = await town.browser.send(page.form("/comment"), text="  ")
    assert page.status == 422
    assert "Say why." in page.text


@pytest.mark.req("TSK-5")
async def test_a_colleague_is_asked_and_answers(town: Town) -> None:
    page = await open_as(town, "wang", MINE)
    page = await town.browser.send(page.form("/ask"), to="chen", question="Is 8,300 right?")
    assert "Your question is asked." in page.text
    assert "not answered yet" in page.text
    page = await town.browser.sign_in("chen", PASSWORD)
    asked = page.text.partition("Colleagues ask you")[2]
    assert "王敏: Is 8,300 right?" in asked.replace("\n", " ").replace(" :", ":")
    address = next(link for link in page.links if "#said-" in link)
    page = await town.browser.open(address.partition("#")[0])
    form = next(form for form in page.forms if form.action.startswith("/desk/opinions/"))
    refused = await town.browser.send(form, opinion="disagrees", answer="")
    assert refused.status == 422
    assert "Say why." in refused.text
    page = await town.browser.send(form, opinion="disagrees", answer="The deductible counts twice.")
    assert "Your opinion is sent." in page.text
    again = await town.browser.send(form, opinion="agrees")
    assert again.status == 409
    assert "You have answered this already." in again.text
    page = await open_as(town, "wang", MINE)
    assert "I would do it differently" in page.text
    assert "The deductible counts twice." in page.text
    assert "Colleagues ask you" not in (await town.browser.open("/desk")).text


@pytest.mark.req("TSK-5")
async def test_only_those_for_whom_the_case_is_can_be_asked(town: Town) -> None:
    await desk.claim_task(town.context, await actor(town.scene, "li"), town.scene.tasks["authority.authorise"])
    page = await open_as(town, "li", "authority.authorise")
    choices = page.answer.text.partition('id="f-ask-to"')[2].partition("</select>")[0]
    assert 'value="chen"' in choices
    assert 'value="li"' not in choices
    assert 'value="wang"' not in choices, "who decided gives no second opinion"
    assert 'value="admin"' not in choices, "who sees no cases is asked about none"


@pytest.mark.req("TSK-5")
async def test_a_conflict_of_interest_takes_the_case_out_of_ones_hands(town: Town) -> None:
    page = await open_as(town, "wang", MINE)
    page = await town.browser.send(page.form("/conflict"), reason="acquainted")
    assert page.answer.url.path == "/desk"
    assert "It is on record that this case is not for you or them" in page.text
    task = await the_task(town, MINE)
    assert task.holder == ""
    assert town.scene.staff["wang"] in task.excluded
    page = await town.browser.open(f"/desk/tasks/{town.scene.tasks[MINE]}")
    assert "have an interest in it" in page.text
    assert "Not for me" not in page.text


@pytest.mark.req("TSK-5")
async def test_a_lead_says_it_of_a_colleague(town: Town) -> None:
    page = await open_as(town, "li", FREE)
    await town.browser.send(page.form("/conflict"), of="chen", reason="own_case")
    assert town.scene.staff["chen"] in (await the_task(town, FREE)).excluded
    assert town.scene.staff["li"] not in (await the_task(town, FREE)).excluded


async def test_a_question_of_the_desk_is_taken_back(town: Town) -> None:
    case_id, task_id = town.scene.ids["fresh0"], uuid4()
    opened = j.TaskOpened(
        task_id=task_id,
        kind=EXPLAIN_LATENESS.id,
        queue=EXPLAIN_LATENESS.queue,
        stage="review",
        ask={"clock": "initial_review", "options": {"responsible": []}},
        excluded_actors=(),
        least_authority=Decimal(0),
    )
    async with town.context.transaction() as session:
        item = j.Recorded(at=town.context.now(), actor="system", event=opened)
        await put_on_record(town.context, session, case_id=case_id, recorded=[item])
    town.scene.tasks["odd"] = task_id
    page = await open_as(town, "li", "odd")
    page = await town.browser.send(page.form("/cancel"), words="It was not late at all.")
    assert "The question is taken back" in page.text
    assert (await the_task(town, "odd")).status == "cancelled"


# --- who may what -----------------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize(
    ("who", "offered", "withheld"),
    [
        ("wang", {"hold", "pass", "delegate", "release", "conflict", "comment", "ask"}, {"assign", "prioritise"}),
        ("li", {"hold", "assign", "release", "prioritise", "conflict", "comment"}, {"pass", "delegate", "ask"}),
        ("chen", {"conflict", "comment"}, {"hold", "pass", "delegate", "assign", "release", "prioritise", "ask"}),
    ],
)
async def test_each_sees_the_verbs_they_have(town: Town, who: str, offered: set[str], withheld: set[str]) -> None:
    page = await open_as(town, who, MINE)
    verbs = {form.action.rpartition("/")[2] for form in page.forms if "/desk/tasks/" in form.action}
    assert offered <= verbs
    assert not withheld & verbs


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("verb", ["pass", "hold", "delegate", "assign", "prioritise", "cancel", "ask", "release"])
async def test_what_is_not_offered_is_refused_as_well(town: Town, verb: str) -> None:
    await town.browser.sign_in("service", PASSWORD)
    typed = {"reason": "time", "to": "chen", "words": "x", "question": "x", "when": "tomorrow", "raised": "1"}
    before = (await the_task(town, MINE)).version
    page = await town.browser.post(f"/desk/tasks/{town.scene.tasks[MINE]}/{verb}", typed)
    assert page.status in {403, 409, 422}
    assert (await the_task(town, MINE)).version == before


async def test_an_outsider_reads_remarks_on_theirs_alone(town: Town) -> None:
    await desk.comment_on(town.context, await actor(town.scene, "wang"), town.scene.tasks[MINE], text="internal words")
    async with town.context.transaction() as session:
        staff_id = UUID(town.scene.staff["chen"].removeprefix("staff:"))
        await session.execute(update(Staff).where(Staff.id == staff_id).values(roles=["external_adjuster"]))
    page = await open_as(town, "chen", MINE)
    assert page.status == 404
    assert "internal words" not in page.text
