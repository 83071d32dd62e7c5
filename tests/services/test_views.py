"""Lists that people keep: private, the team's, those of a role; their filters are checked, their counts capped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from lian.auth.actor import Actor
from lian.domain.case_kinds import KINDS
from lian.domain.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from lian.services import desk
from lian.services.context import Context
from lian.services.desk import SORTS, Count, TaskQuery
from lian.services.desk import views as keeping
from lian.services.desk.view_reading import read_address
from lian.services.desk.views import (
    COLUMNS,
    USUAL_COLUMNS,
    ViewChange,
    change_view,
    count_views,
    delete_view,
    list_views,
    read_view,
    save_view,
)
from tests.api.conftest import open_task
from tests.cast import OFFICE, as_customer, reported_claim

pytestmark = pytest.mark.req("TSK-1")

WANG = Actor(id="staff:wang", name="王敏", roles=("claims_adjuster_junior",), queues=("*",), team="north")
CHEN = Actor(id="staff:chen", name="陈静", roles=("claims_adjuster_senior",), queues=("*",), team="north")
LI = Actor(id="staff:li", name="李强", roles=("team_lead",), queues=("*",), team="north")
SOUTH = Actor(id="staff:south", name="南", roles=("team_lead",), queues=("*",), team="south")
ALONE = Actor(id="staff:alone", name="独", roles=("team_lead",), queues=("*",))


async def names(context: Context, actor: Actor) -> list[str]:
    """The lists somebody kept that this person sees."""
    return [view.name.en for view in await list_views(context, actor) if not view.is_built_in]


async def kept(context: Context, actor: Actor = LI, **more: Any) -> UUID:
    given = {"name": "Late motor", "query": "line=motor&late=1"} | more
    return UUID((await save_view(context, actor, **given)).id)


# --- what an address lists --------------------------------------------------------------------------------------------


def test_an_address_says_which_tasks_in_which_order_with_which_columns() -> None:
    given = {
        "queue": "claims.review",
        "holder": "@me",
        "kind": "claim",
        "task": "initial_review",
        "stage": "review",
        "line": "motor",
        "on_hold": "0",
        "raised": "1",
        "late": "1",
        "team": "north",
        "sort": "amount",
        "columns": "chip,task,amount",
    }
    shown = read_view(WANG, given, limit=7)
    wanted = given | {"on_hold": False, "raised": True, "late": True, "limit": 7}
    assert shown.query == TaskQuery(**{name: value for name, value in wanted.items() if name != "columns"})
    assert shown.columns == ("chip", "task", "amount")
    assert shown.params == given


def test_nothing_given_lists_everything_in_the_usual_way() -> None:
    shown = read_view(WANG, {"queue": "", "sort": "urgency", "late": "0", "columns": ",".join(USUAL_COLUMNS)}, limit=50)
    assert shown.query == TaskQuery(limit=50)
    assert shown.columns == USUAL_COLUMNS
    assert (shown.params, shown.address) == ({}, "")


def test_parameters_of_one_visit_are_passed_over() -> None:
    beside = {"after": "1 x", "done": "1", "none": "1", "lang": "en", "theme": "dark", "ok": "1", "view": "mine"}
    assert read_view(WANG, beside, limit=1).params == {}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"queue": "nowhere"}, "queue"),
        ({"holder": "everybody"}, "holder"),
        ({"holder": "staff:' OR 1=1"}, "holder"),
        ({"kind": "ticket"}, "kind"),
        ({"task": "x"}, "task"),
        ({"stage": "x"}, "stage"),
        ({"line": "MOTOR"}, "line"),
        ({"on_hold": "yes"}, "on_hold"),
        ({"raised": "2"}, "raised"),
        ({"late": "true"}, "late"),
        ({"team": "x" * 81}, "team"),
        ({"team": "a\x00b"}, "team"),
        ({"sort": "id"}, "sort"),
        ({"columns": "chip,secret"}, "columns"),
        ({"columns": "chip,chip"}, "columns"),
        ({"columns": ","}, "columns"),
        ({"limit": "1000"}, "query"),
        ({"<script>": "1"}, "query"),
    ],
)
def test_what_lists_do_not_have_is_refused_with_the_field(given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_view(WANG, given, limit=50)
    assert refused.value.details == {"field": field}
    assert next(iter(given)) == field or next(iter(given)) not in refused.value.message


def test_every_choice_of_a_filter_can_be_listed() -> None:
    choices = {
        "queue": {queue for kind in KINDS.values() for queue in kind.queues} | {"desk.unrouted"},
        "kind": set(KINDS),
        "task": {task.id for kind in KINDS.values() for task in kind.tasks},
        "stage": {stage.id for kind in KINDS.values() for stage in kind.stages},
        "sort": set(SORTS),
        "columns": set(COLUMNS),
    }
    for name, values in choices.items():
        assert len(values) > 1
        for value in values:
            assert read_view(WANG, {name: value}, limit=1).params in ({name: value}, {})


def test_my_team_is_the_readers_and_nobodys_who_has_none() -> None:
    assert read_view(WANG, {"team": "@mine"}, limit=1).query.team == "north"
    assert read_view(SOUTH, {"team": "@mine"}, limit=1).query.team == "south"
    assert read_view(SOUTH, {"team": "@mine"}, limit=1).params == {"team": "@mine"}
    with pytest.raises(Invalid):
        read_view(ALONE, {"team": "@mine"}, limit=1)


@pytest.mark.parametrize(
    "query", ["late=1&late=0", "late=" + "1" * 2_000, "&".join(f"x{n}=1" for n in range(99)), "a=%FF"]
)
def test_an_address_that_cannot_be_read_is_refused(query: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_address(WANG, query, limit=1)
    assert refused.value.details == {"field": "query"}


def test_an_address_reads_as_it_was_written() -> None:
    shown = read_view(WANG, {"team": "北区 & 南", "holder": "@none", "columns": "task,case"}, limit=3)
    assert read_address(WANG, "?" + shown.address, limit=3) == shown


# --- those of a role --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "ids"),
    [
        (WANG, ["mine", "free", "overdue", "aside"]),
        (LI, ["mine", "free", "overdue", "aside", "team-overdue", "team-aside"]),
        (ALONE, ["mine", "free", "overdue", "aside"]),
        (Actor(id="staff:wei", name="魏东", roles=("external_adjuster",)), ["mine", "overdue", "aside"]),
        (Actor(id="staff:zhou", name="周婷", roles=("operations",)), ["overdue"]),
    ],
)
async def test_every_role_has_lists_from_the_beginning(context: Context, actor: Actor, ids: list[str]) -> None:
    found = await list_views(context, actor)
    assert [view.id for view in found] == ids
    assert all(view.is_built_in and view.is_readable and not view.is_mine for view in found)
    assert all(view.name.en != view.name.zh for view in found)
    assert list(await count_views(context, actor)) == ids


# --- those that are kept ----------------------------------------------------------------------------------------------


async def test_a_list_is_kept_under_a_name_in_its_one_way_to_be_written(context: Context) -> None:
    view = await save_view(context, WANG, name="  Late  ｍｏｔｏｒ ", query="?sort=urgency&late=1&line=motor&raised=0")
    assert (view.name.en, view.query, view.is_mine, view.is_shared) == ("Late motor", "line=motor&late=1", True, False)
    assert await names(context, WANG) == ["Late motor"]
    assert await names(context, CHEN) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x00b", "a\u202eb"])
async def test_a_name_that_cannot_be_read_is_refused(context: Context, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        await kept(context, name=name)
    assert refused.value.details == {"field": "name"}
    assert await names(context, LI) == []


async def test_a_list_with_an_unknown_filter_is_not_kept(context: Context) -> None:
    with pytest.raises(Invalid):
        await kept(context, query="colour=red")
    view = await kept(context)
    with pytest.raises(Invalid):
        await change_view(context, LI, view, ViewChange(query="queue=nowhere", name="Other"))
    assert await names(context, LI) == ["Late motor"]


async def test_one_person_has_a_name_once_and_others_may_have_it_too(context: Context) -> None:
    await kept(context, LI)
    await kept(context, WANG)
    other = await kept(context, LI, name="Other")
    with pytest.raises(Conflict):
        await kept(context, LI)
    with pytest.raises(Conflict):
        await change_view(context, LI, other, ViewChange(name="Late motor"))
    await change_view(context, LI, other, ViewChange(name="Other", query="late=1"))


async def test_kept_twice_at_once_it_is_kept_once(context: Context) -> None:
    tries = await asyncio.gather(*(kept(context) for _ in range(5)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in tries) == ["Conflict"] * 4 + ["UUID"]


async def test_nobody_keeps_more_than_a_hundred(context: Context, monkeypatch: Any) -> None:
    monkeypatch.setattr(keeping, "MOST_VIEWS", 2)
    for n in range(2):
        await kept(context, name=f"View {n}")
    with pytest.raises(Conflict):
        await kept(context, name="One more")
    await kept(context, WANG)


async def test_pinned_ones_come_first_then_ones_own_then_the_teams(context: Context) -> None:
    await kept(context, CHEN, name="A of Chen")
    await kept(context, LI, name="A of the team", is_shared=True)
    await kept(context, WANG, name="B of Wang")
    pinned = await kept(context, WANG, name="C of Wang")
    await change_view(context, WANG, pinned, ViewChange(is_pinned=True))
    assert await names(context, WANG) == ["C of Wang", "B of Wang", "A of the team"]
    await change_view(context, WANG, pinned, ViewChange(is_pinned=False))
    assert await names(context, WANG) == ["B of Wang", "C of Wang", "A of the team"]


async def test_a_lead_shares_with_their_team_and_no_other(context: Context) -> None:
    view = await kept(context, is_shared=True)
    for reader, found in ((WANG, ["Late motor"]), (SOUTH, []), (ALONE, []), (replace(WANG, team=""), [])):
        assert await names(context, reader) == found
    await change_view(context, LI, view, ViewChange(is_shared=False))
    assert await names(context, WANG) == []


async def test_sharing_needs_the_permission_and_a_team(context: Context) -> None:
    with pytest.raises(NotAllowed):
        await kept(context, WANG, is_shared=True)
    view = await kept(context, WANG)
    with pytest.raises(NotAllowed):
        await change_view(context, WANG, view, ViewChange(is_shared=True, name="Other"))
    with pytest.raises(Invalid):
        await kept(context, ALONE, is_shared=True)
    assert await names(context, WANG) == ["Late motor"]
    assert await names(context, ALONE) == []


@pytest.mark.req("SEC-1")
async def test_only_whoever_keeps_a_view_changes_it(context: Context) -> None:
    private, shared = await kept(context, name="Private"), await kept(context, is_shared=True)
    for actor, view, expected in (
        (WANG, shared, NotAllowed),
        (WANG, private, NotFound),
        (SOUTH, shared, NotFound),
        (LI, uuid4(), NotFound),
    ):
        with pytest.raises(expected):
            await change_view(context, actor, view, ViewChange(name="Mine now"))
        with pytest.raises(expected):
            await delete_view(context, actor, view)
    assert await names(context, LI) == ["Late motor", "Private"]


async def test_a_view_is_deleted_by_its_keeper_and_a_shared_one_by_another_lead(context: Context) -> None:
    mine, shared = await kept(context, name="Private"), await kept(context, is_shared=True)
    await delete_view(context, LI, mine)
    await delete_view(context, replace(CHEN, roles=("team_lead",)), shared)
    assert await names(context, LI) == []
    with pytest.raises(NotFound):
        await delete_view(context, LI, mine)


async def test_a_view_that_names_something_gone_is_shown_and_not_counted(context: Context) -> None:
    view = await kept(context, query="team=%40mine")
    gone = replace(LI, team="")
    shown = {each.id: each for each in await list_views(context, gone)}
    assert not shown[str(view)].is_readable
    assert str(view) not in await count_views(context, gone)
    assert str(view) in await count_views(context, LI)


@pytest.mark.req("SEC-1")
async def test_customers_keep_no_lists(context: Context) -> None:
    customer = await as_customer(context, (await reported_claim(context)).number)
    for attempt in (list_views(context, customer), count_views(context, customer), kept(context, customer)):
        with pytest.raises(DomainError) as refused:
            await attempt
        assert refused.value.status == 403


# --- counts -----------------------------------------------------------------------------------------------------------


async def test_me_in_a_shared_view_is_whoever_reads_it(context: Context) -> None:
    view = str(await kept(context, query="holder=%40me", is_shared=True))
    case = await reported_claim(context)
    for actor in (WANG, WANG, CHEN):
        await desk.claim_task(context, actor, await open_task(context, case.case_id))
    counts = {actor.id: (await count_views(context, actor))[view] for actor in (WANG, CHEN, LI)}
    assert counts == {WANG.id: Count(2, False), CHEN.id: Count(1, False), LI.id: Count(0, False)}


async def test_only_the_first_lists_are_counted(context: Context, monkeypatch: Any) -> None:
    monkeypatch.setattr(keeping, "MOST_COUNTED", 5)
    await kept(context, WANG, name="A")
    pinned = await kept(context, WANG, name="B", is_pinned=True)
    assert list(await count_views(context, WANG)) == ["mine", "free", "overdue", "aside", str(pinned)]


async def test_counts_are_what_the_lists_hold(context: Context) -> None:
    case = await reported_claim(context)
    tasks = [await open_task(context, case.case_id) for _ in range(3)]
    await desk.claim_task(context, WANG, tasks[0])
    view = str(await kept(context, WANG, query="queue=claims.review"))
    counts = await count_views(context, WANG)
    assert (counts["mine"].n, counts["free"].n, counts[view].n) == (1, 2, 3)
    for each in await list_views(context, WANG):
        listed = await desk.list_tasks(context, WANG, read_address(WANG, each.query, limit=50).query)
        assert counts[each.id] == Count(len(listed), False), each.id
    assert (await count_views(context, replace(OFFICE, queues=("claims.survey",))))["free"].n == 0
