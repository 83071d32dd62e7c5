"""The team and absences as leads and colleagues use them on pages (TSK-1, TSK-4)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from lian.db.tables import Absence, JournalEntry, Task
from lian.services import desk
from tests.web.conftest import Town
from tests.web.reading import Page
from tests.web.scenery import PASSWORD, actor

TEAM, ABSENCES = "/desk/team", "/desk/absences"
HANDS = ("assessment.assess_loss", "adjudication.adjudicate", "settlement.agree_settlement")
"""What Wang has in the scenery."""


def day(town: Town, days: int = 0) -> str:
    return (town.context.today + timedelta(days=days)).isoformat()


async def noted(town: Town, who: str, **fields: str) -> Page:
    """Somebody signs in and notes an absence; today and tomorrow unless they say otherwise."""
    await town.browser.sign_in(who, PASSWORD)
    form = (await town.browser.open(ABSENCES)).form(ABSENCES)
    return await town.browser.send(form, **({"first": day(town), "last": day(town, 1)} | fields))


def row_of(page: Page, name: str) -> str:
    """The lines of a table from a name on."""
    return page.text.partition(f"\n{name}\n")[2]


# --- absences ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-4")
async def test_somebody_says_when_they_are_away_and_who_stands_in(town: Town) -> None:
    page = await noted(town, "wang", substitute="chen")
    assert "The absence is noted. No work was moved" in page.text
    assert "Away now" in page.text
    assert "陈思" in page.text
    async with town.context.transaction() as session:
        absence = (await session.execute(select(Absence))).scalars().one()
    zone = town.context.settings.zone
    assert absence.away_from.astimezone(zone).isoformat()[:16] == f"{day(town)}T00:00"
    assert absence.away_until.astimezone(zone).isoformat()[:16] == f"{day(town, 2)}T00:00", "both days are whole"
    await town.browser.sign_in("chen", PASSWORD)
    covered = await town.browser.open(ABSENCES)
    assert "I stand in for" in covered.text
    assert "王敏" in covered.text
    await town.browser.sign_in("wang", PASSWORD)
    back = await town.browser.open(ABSENCES)
    ended = await town.browser.send(back.form("/end"))
    assert "The absence has ended" in ended.text
    assert "None is noted." in ended.text
    assert "ended " in ended.text.partition("Absences that are over")[2]


@pytest.mark.req("TSK-4")
@pytest.mark.parametrize(
    ("fields", "words", "place"),
    [
        ({"last": ""}, "This must be a date", "f-last"),
        ({"first": "soon"}, "This must be a date", "f-first"),
        ({"last": "2999-01-01"}, "too far away", "f-last"),
        ({"first": "2199-12-30", "last": "2199-12-01"}, "last day is before the first", "f-last"),
        ({"first": "2020-01-01", "last": "2020-01-02"}, "over already", "f-last"),
        ({"substitute": "nobody"}, "no active account", "f-substitute"),
    ],
)
async def test_what_cannot_be_is_refused_where_it_was_typed(
    town: Town, fields: dict[str, str], words: str, place: str
) -> None:
    page = await noted(town, "wang", **fields)
    assert (page.status, words in page.text) == (422, True)
    assert f"#{place}" in page.links
    kept = page.form(ABSENCES).fields
    assert all(kept[name] == [value] for name, value in fields.items() if name != "substitute" and value)
    async with town.context.transaction() as session:
        assert (await session.execute(select(Absence))).first() is None


@pytest.mark.req("TSK-4")
async def test_a_circle_is_named_in_the_readers_language(town: Town) -> None:
    await noted(town, "wang", substitute="chen")
    town.browser.language = "zh-CN"
    page = await noted(town, "chen", substitute="wang")
    assert page.status == 409
    assert "代班关系将形成循环：陈思 → 王敏 → 陈思" in page.text
    assert page.form(ABSENCES).fields["substitute"] == ["wang"]


@pytest.mark.req("TSK-4")
async def test_a_lead_notes_and_ends_absences_of_the_team(town: Town) -> None:
    page = await noted(town, "li", of="wang", substitute="chen")
    assert "The team" in page.text
    assert "王敏" in page.text.partition("The team")[2]
    await noted(town, "chen", first=day(town), last=day(town))
    await town.browser.sign_in("li", PASSWORD)
    page = await town.browser.open(ABSENCES)
    assert "陈思, away as well: nobody stands in" in page.text
    ended = await town.browser.send(page.form("/end"))
    assert "The absence has ended" in ended.text
    await town.browser.sign_in("wang", PASSWORD)
    assert "of" not in (await town.browser.open(ABSENCES)).form(ABSENCES).fields, "only leads note others' absences"


async def test_only_who_works_at_the_desk_has_the_page(town: Town) -> None:
    await town.browser.sign_in("ops", PASSWORD)
    assert (await town.browser.open(ABSENCES)).status == 403
    page = await town.browser.open("/operations")
    assert (ABSENCES in page.links, TEAM in page.links) == (False, True)
    await town.browser.sign_in("wang", PASSWORD)
    assert (await town.browser.open(TEAM)).status == 403
    page = await town.browser.open("/desk")
    assert (ABSENCES in page.links, TEAM in page.links) == (True, False)


# --- the team ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-1")
async def test_a_lead_sees_who_has_how_much_and_what_ages(town: Town) -> None:
    await noted(town, "chen", substitute="wang")
    await town.browser.sign_in("li", PASSWORD)
    page = await town.browser.open(TEAM)
    wang = await actor(town.scene, "wang")
    assert row_of(page, "王敏").startswith("3 / 40")
    assert "away: 王敏" in page.text
    assert f"/desk?holder={wang.id.replace(':', '%3A')}" in page.links
    assert "Open tasks by the time that is left" in page.text
    assert "/desk?queue=claims.review&late=1" in page.links


@pytest.mark.req("TSK-1")
async def test_who_did_nothing_about_overdue_work_for_days_is_named_first(town: Town) -> None:
    await town.browser.sign_in("li", PASSWORD)
    assert "may be stuck" not in (await town.browser.open(TEAM)).text
    long_ago = town.context.now() - timedelta(days=20)
    async with town.context.transaction() as session:
        ids = [town.scene.tasks[name] for name in HANDS]
        await session.execute(update(Task).where(col(Task.id).in_(ids)).values(act_by_at=long_ago, claimed_at=long_ago))
    real = town.context.now
    town.context.now = lambda: real() + timedelta(days=10)
    await town.browser.sign_in("li", PASSWORD)
    page = await town.browser.open(TEAM)
    assert "1 person may be stuck" in page.text
    assert "3 overdue" in page.text
    assert f"{TEAM}?of=wang#move" in page.links


@pytest.mark.req("TSK-1")
async def test_work_is_previewed_and_then_moved_and_what_changed_meanwhile_stays(town: Town) -> None:
    await town.browser.sign_in("li", PASSWORD)
    page = await town.browser.open(f"{TEAM}?of=wang")
    form = page.form("/preview")
    assert form.fields["of"] == ["wang"]
    preview = await town.browser.send(form, n="3", to=["chen"])
    moving = int(preview.text.partition(" would move")[0].rpartition("\n")[2].split()[0])
    assert moving >= 2, preview.text
    assert "Nothing is changed yet." in preview.text
    assert await held(town, "wang") == 3
    assert preview.form("/preview").fields["n"] == ["3"]
    token = preview.form("/move")
    released = await moved_meanwhile(town, preview)
    done = await town.browser.send(token)
    assert f"{moving - 1} task{'s were' if moving > 2 else ' was'} moved" in done.text
    assert "1 task stays where it is" in done.text
    assert "changed since you looked" in done.text
    assert await held(town, "chen") == moving - 1
    async with town.context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.type == "task.claimed", JournalEntry.actor != "system")
        entries = (await session.execute(query)).scalars().all()
    by_li = [entry for entry in entries if entry.actor == town.scene.staff["li"]]
    assert [entry.body["how"] for entry in by_li] == ["assign"] * (moving - 1)
    again = await town.browser.send(token)
    assert f"{moving - 1} task" in again.text, "sent twice it counts once"
    assert await held(town, "chen") == moving - 1
    assert released


async def held(town: Town, who: str) -> int:
    async with town.context.transaction() as session:
        tasks = select(Task.id).where(Task.holder == town.scene.staff[who], Task.status == "open")
        return len((await session.execute(tasks)).all())


async def moved_meanwhile(town: Town, preview: Page) -> UUID:
    """Wang gives back the first of what would move."""
    number = next(link for link in preview.links if link.startswith("/desk/cases/CLM-")).rpartition("/")[2]
    part = next(part for part, known in town.scene.cases.items() if known == number)
    task_id = next(town.scene.tasks[name] for name in HANDS if name.startswith(f"{part}."))
    await desk.release_task(town.context, await actor(town.scene, "wang"), task_id)
    return task_id


@pytest.mark.req("TSK-1")
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"n": "0"}, "Move between 1 and 100 tasks at once."),
        ({"n": "many"}, "Move between 1 and 100 tasks at once."),
        ({"n": "1", "of": "nobody"}, "There is no account with this user name."),
        ({"n": "1", "of": "wang", "to": "wang"}, "Name active colleagues of your team"),
    ],
)
async def test_a_wish_that_cannot_be_is_shown_again_with_what_is_wrong(
    town: Town, fields: dict[str, str], words: str
) -> None:
    await town.browser.sign_in("li", PASSWORD)
    form = (await town.browser.open(TEAM)).form("/preview")
    page = await town.browser.send(form, **fields)
    assert (page.status, words in page.text) == (422, True)
    assert page.form("/preview").fields["n"] == [fields["n"]]


@pytest.mark.req("SEC-1")
async def test_operations_look_and_move_nothing(town: Town) -> None:
    await town.browser.sign_in("ops", PASSWORD)
    page = await town.browser.open(TEAM)
    assert page.status == 200
    assert "Everybody" in page.text
    assert not any(form.action.endswith("/preview") for form in page.forms)
    for path, data in ((f"{TEAM}/preview", {"n": ["1"]}), (f"{TEAM}/move", {"token": ["eA=="]})):
        assert (await town.browser.post(path, data)).status == 403


@pytest.mark.req("TSK-1")
async def test_a_token_that_is_not_ours_moves_nothing(town: Town) -> None:
    await town.browser.sign_in("li", PASSWORD)
    page = await town.browser.post(f"{TEAM}/move", {"token": ["nonsense"]})
    assert (page.status, "not a proposal that we made" in page.text) == (422, True)
