"""Catastrophes: declared once, carried by the claims that fall into them, listed by their code (CLM-3)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.journal import compare
from lian.db.tables import CaseTag, JournalEntry
from lian.domain import journal as j
from lian.domain.claims.terms import LossCause
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.services.cases import CaseQuery, list_cases
from lian.services.catastrophes import (
    CATASTROPHE,
    CatastropheGiven,
    declare_catastrophe,
    end_catastrophe,
    list_catastrophes,
    suggest,
    tag_known_claims,
)
from lian.services.context import Context
from lian.services.recording import put_on_record
from tests.cast import hire, reported_claim

pytestmark = pytest.mark.req("CLM-3")

SHANGHAI = ZoneInfo("Asia/Shanghai")


def typhoon(**changes: Any) -> CatastropheGiven:
    """Three days of storm and water."""
    given: dict[str, Any] = {
        "code": "HAIKUI-2026",
        "name_en": "Typhoon Haikui",
        "name_zh": "台风海葵",
        "causes": (LossCause.STORM, LossCause.WATER),
        "from_on": date(2026, 9, 3),
        "to_on": date(2026, 9, 5),
        "zone": "Asia/Shanghai",
    }
    return CatastropheGiven(**given | changes)


@pytest.fixture
async def lead(context: Context) -> Actor:
    """Lead Li, who declares catastrophes."""
    return await hire(context, "li")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 9, day, hour, minute, tzinfo=SHANGHAI)


async def tags(context: Context) -> list[tuple[str, str]]:
    async with context.transaction() as session:
        return [(tag.code, tag.tagged_by) for tag in (await session.execute(select(CaseTag))).scalars()]


async def test_a_claim_of_that_cause_on_those_days_is_tagged_by_the_system_and_it_is_on_record(
    context: Context, lead: Actor
) -> None:
    await declare_catastrophe(context, lead, typhoon())
    registered = await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(4, 12))
    assert await tags(context) == [("HAIKUI-2026", "system")]
    async with context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.type == j.CaseTagged.TYPE)
        (entry,) = (await session.execute(query)).scalars()
        assert (await compare(session, context.ring)).damages == []
    assert (entry.case_id, entry.actor, entry.body["code"]) == (registered.case_id, "system", "HAIKUI-2026")


@pytest.mark.parametrize(
    ("cause", "moment"),
    [(LossCause.FIRE, at(4, 12)), (LossCause.STORM, at(2, 23, 59)), (LossCause.STORM, at(6, 0))],
    ids=["another cause", "a minute before", "as it ended"],
)
async def test_other_claims_are_not(context: Context, lead: Actor, cause: LossCause, moment: datetime) -> None:
    await declare_catastrophe(context, lead, typhoon())
    await reported_claim(context, loss_cause=cause, loss_at=moment)
    assert await tags(context) == []


async def test_its_days_are_those_of_its_own_place(context: Context, lead: Actor) -> None:
    await declare_catastrophe(context, lead, typhoon())
    async with context.transaction() as session:
        for moment, codes in ((at(3, 0), ["HAIKUI-2026"]), (at(5, 23, 59), ["HAIKUI-2026"]), (at(6, 0), [])):
            assert await suggest(session, LossCause.WATER, moment.astimezone(ZoneInfo("America/New_York"))) == codes


async def test_its_claims_are_listed_by_its_code_and_counted(context: Context, lead: Actor) -> None:
    await declare_catastrophe(context, lead, typhoon())
    inside = await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(4, 12))
    await reported_claim(context, loss_cause=LossCause.FIRE, loss_at=at(4, 12))
    found = await list_cases(context, lead, CaseQuery(tag="catastrophe:HAIKUI-2026"))
    assert [case.number for case in found] == [inside.number]
    assert await list_cases(context, lead, CaseQuery(tag="catastrophe:OTHER")) == []
    assert await list_cases(context, lead, CaseQuery(tag="HAIKUI-2026")) == []
    (seen,) = await list_catastrophes(context, lead)
    assert (seen.event.code, seen.cases) == ("HAIKUI-2026", 1)


async def test_claims_reported_before_it_was_declared_are_tagged_once_and_not_against_a_persons_word(
    context: Context, lead: Actor
) -> None:
    early = await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(4, 12))
    await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(4, 13))
    await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(6, 13))
    await declare_catastrophe(context, lead, typhoon())
    assert await tag_known_claims(context, lead, "HAIKUI-2026") == 2
    async with context.transaction() as session:
        off = j.Recorded(at=context.now(), actor=lead.id, event=j.CaseUntagged(tag=CATASTROPHE, code="HAIKUI-2026"))
        await put_on_record(context, session, case_id=early.case_id, recorded=[off])
    assert await tag_known_claims(context, lead, "HAIKUI-2026") == 0
    assert await tags(context) == [("HAIKUI-2026", lead.id)]


@pytest.mark.parametrize(
    "change",
    [
        {"code": "haikui"},
        {"causes": ()},
        {"to_on": date(2026, 9, 2)},
        {"zone": "Mars"},
        {"to_on": date.max},
        {"to_on": date(2200, 1, 2)},
        {"from_on": date.min},
        {"from_on": date(1899, 12, 31)},
        {"name_zh": " "},
    ],
)
async def test_what_cannot_be_an_event_is_refused(context: Context, lead: Actor, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await declare_catastrophe(context, lead, typhoon(**change))
    assert await list_catastrophes(context, lead) == []


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
async def test_the_first_and_last_days_we_reckon_with_are_reckoned_with(
    context: Context, lead: Actor, zone: str
) -> None:
    await declare_catastrophe(context, lead, typhoon(from_on=date(1900, 1, 1), to_on=date(2200, 1, 1), zone=zone))
    await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(4, 12))
    assert await tags(context) == [("HAIKUI-2026", "system")]
    assert await tag_known_claims(context, lead, "HAIKUI-2026") == 0


# --- its end ----------------------------------------------------------------------------------------------------------


async def test_once_it_has_ended_only_its_real_days_count_and_who_ended_it_is_on_record(
    context: Context, lead: Actor
) -> None:
    await declare_catastrophe(context, lead, typhoon(to_on=date(2026, 12, 31)))
    inside = await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(4, 12))
    seen = await end_catastrophe(context, lead, "HAIKUI-2026", to_on=date(2026, 9, 5))
    assert (seen.event.to_on, seen.event.ended_by, seen.cases) == (date(2026, 9, 5), lead.id, 1)
    assert seen.event.ended_at is not None
    await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(6, 0))
    found = await list_cases(context, lead, CaseQuery(tag="catastrophe:HAIKUI-2026"))
    assert [case.number for case in found] == [inside.number]


async def test_it_may_end_later_than_was_expected_and_earlier_claims_are_tagged_then(
    context: Context, lead: Actor
) -> None:
    await declare_catastrophe(context, lead, typhoon())
    await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(7, 12))
    await end_catastrophe(context, lead, "HAIKUI-2026", to_on=date(2026, 9, 7))
    assert await tag_known_claims(context, lead, "HAIKUI-2026") == 1


async def test_a_claim_keeps_its_tag_when_the_event_ends_before_its_loss(context: Context, lead: Actor) -> None:
    await declare_catastrophe(context, lead, typhoon())
    await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(5, 12))
    seen = await end_catastrophe(context, lead, "HAIKUI-2026", to_on=date(2026, 9, 4))
    assert (await tags(context), seen.cases) == ([("HAIKUI-2026", "system")], 1)


async def test_it_ends_once_and_a_repeat_changes_nothing(context: Context, lead: Actor) -> None:
    await declare_catastrophe(context, lead, typhoon())
    first = await end_catastrophe(context, lead, "HAIKUI-2026", to_on=date(2026, 9, 4))
    gao = await hire(context, "gao")
    again = await end_catastrophe(context, gao, "HAIKUI-2026", to_on=date(2026, 9, 4))
    assert (again.event.ended_at, again.event.ended_by) == (first.event.ended_at, lead.id)
    with pytest.raises(Conflict):
        await end_catastrophe(context, gao, "HAIKUI-2026", to_on=date(2026, 9, 5))


@pytest.mark.parametrize("to_on", [date(2026, 9, 2), date(2200, 1, 2), date.max, date.min])
async def test_a_day_on_which_it_cannot_have_ended_is_refused(context: Context, lead: Actor, to_on: date) -> None:
    await declare_catastrophe(context, lead, typhoon())
    with pytest.raises(Invalid):
        await end_catastrophe(context, lead, "HAIKUI-2026", to_on=to_on)
    (seen,) = await list_catastrophes(context, lead)
    assert (seen.event.to_on, seen.event.ended_at) == (date(2026, 9, 5), None)


async def test_a_code_is_used_once_and_not_everybody_declares(context: Context, lead: Actor) -> None:
    await declare_catastrophe(context, lead, typhoon())
    with pytest.raises(Conflict):
        await declare_catastrophe(context, lead, typhoon(name_en="Again"))
    wang = await hire(context, "wang")
    with pytest.raises(NotAllowed):
        await declare_catastrophe(context, wang, typhoon(code="OTHER"))
    with pytest.raises(NotAllowed):
        await tag_known_claims(context, wang, "HAIKUI-2026")
    with pytest.raises(NotAllowed):
        await end_catastrophe(context, wang, "HAIKUI-2026", to_on=date(2026, 9, 4))
    with pytest.raises(NotFound):
        await tag_known_claims(context, lead, "UNKNOWN")
    with pytest.raises(NotFound):
        await end_catastrophe(context, lead, "UNKNOWN", to_on=date(2026, 9, 4))


async def test_the_same_tag_said_twice_is_one_row_and_rebuilds(context: Context, lead: Actor) -> None:
    await declare_catastrophe(context, lead, typhoon())
    registered = await reported_claim(context, loss_cause=LossCause.STORM, loss_at=at(4, 12))
    async with context.transaction() as session:
        again = j.CaseTagged(tag=CATASTROPHE, code="HAIKUI-2026")
        item = j.Recorded(at=context.now() + timedelta(seconds=1), actor=lead.id, event=again)
        await put_on_record(context, session, case_id=registered.case_id, recorded=[item])
    assert await tags(context) == [("HAIKUI-2026", "system")]
    async with context.transaction() as session:
        assert (await compare(session, context.ring)).damages == []
