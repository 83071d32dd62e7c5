"""A published pack counts from its day on, for cases received then; it is only ever added, never changed."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import TypeAdapter
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import select as rows_of

from lian.auth.actor import Actor
from lian.db.tables import PackVersion
from lian.domain.case_kinds import KINDS
from lian.domain.claims import figures
from lian.domain.errors import Conflict, Invalid, NotAllowed
from lian.domain.plan import CasePlan
from lian.services.context import Context
from lian.services.packs import TABLES, BadPack, PackDamaged, packs_in_force, plan_for, publish
from lian.settings import Settings
from tests.cast import hire
from tests.services.test_pack_drafts import DRAFT

pytestmark = pytest.mark.req("CLM-12")

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
HOUSE = (TABLES / "house-standard.v1.yaml").read_text(encoding="utf-8")
FASTER = HOUSE.replace("version: 1", "version: 2").replace(
    "zh: 理赔总时效}\n    amount: 15", "zh: 理赔总时效}\n    amount: 12"
)


@pytest.fixture
def context(context: Context) -> Context:
    """The installation on the morning of 22 November 2026."""
    context.now = lambda: NOW
    return context


@pytest.fixture
async def zhou(context: Context) -> Actor:
    """Zhou of operations, who publishes packs."""
    return await hire(context, "zhou")


async def total_on(context: Context, on: date) -> int:
    async with context.transaction() as session:
        pack = (await packs_in_force(session, on))["house-standard"]
    return next(clock.amount for clock in pack.clocks if clock.id == "claim.total")


async def plan(context: Context, *, jurisdiction: str = "", line: str = "motor", on: date = TODAY) -> CasePlan:
    async with context.transaction() as session:
        return await plan_for(
            session,
            kind=KINDS["claim"],
            jurisdiction=jurisdiction,
            line=line,
            on=on,
            office_calendar="CN",
            received_at=datetime(on.year, on.month, on.day, 9, tzinfo=UTC),
        )


# --- publishing -------------------------------------------------------------------------------------------------------


async def test_a_published_version_counts_from_its_day_on(context: Context, zhou: Actor) -> None:
    said = await publish(context, zhou, FASTER, effective_from=date(2027, 1, 1), reason="Board, 20 November")
    assert said == "house-standard/2"
    assert await total_on(context, date(2026, 12, 31)) == 15
    assert await total_on(context, date(2027, 1, 1)) == 12


async def test_who_published_what_when_and_why_is_kept(context: Context, zhou: Actor) -> None:
    await publish(context, zhou, FASTER, effective_from=date(2027, 1, 1), reason=" Board, 20 November ")
    async with context.transaction() as session:
        row = (await session.execute(rows_of(PackVersion))).scalars().one()
    assert (row.pack, row.version, row.by, row.at, row.reason) == (
        *("house-standard", 2, zhou.id, NOW),
        "Board, 20 November",
    )
    assert row.body == FASTER


async def test_a_correction_before_the_day_takes_the_place_of_what_it_corrects(context: Context, zhou: Actor) -> None:
    await publish(context, zhou, FASTER, effective_from=date(2027, 1, 1), reason="Board")
    third = FASTER.replace("version: 2", "version: 3").replace("amount: 12", "amount: 14")
    await publish(context, zhou, third, effective_from=date(2027, 1, 1), reason="A slip")
    assert await total_on(context, date(2027, 1, 1)) == 14


@pytest.mark.parametrize(
    ("draft", "on", "reason", "refusal", "words"),
    [
        (FASTER, date(2026, 11, 21), "Board", Invalid, "A pack cannot take effect in the past."),
        (FASTER, date(2300, 1, 1), "Board", Invalid, "This day is too far away."),
        (FASTER, date(2027, 1, 1), "  ", Invalid, "Say why the pack is published."),
        (HOUSE, date(2027, 1, 1), "Board", Conflict, "The next version of house-standard is 2, not 1."),
        (
            FASTER.replace("version: 2", "version: 4"),
            date(2027, 1, 1),
            "Board",
            Conflict,
            "The next version of house-standard is 2, not 4.",
        ),
        (DRAFT.replace("version: 1", "version: 2"), date(2027, 1, 1), "New", Conflict, "The next version of acme is 1"),
        (DRAFT.replace("received", "recieved"), date(2027, 1, 1), "New", BadPack, "`recieved` is not a milestone"),
        (DRAFT + "    calendar: MARS\n", date(2027, 1, 1), "New", BadPack, "acme/1: there is no calendar MARS."),
        (
            DRAFT.replace("acme.call_back", "claim.total"),
            date(2027, 1, 1),
            "New",
            BadPack,
            "acme/1: house-standard/1 has a clock claim.total already.",
        ),
        (
            DRAFT.replace("2026-12-01\n", "2026-12-01\neffective_to: 2026-12-31\n"),
            date(2027, 1, 1),
            "New",
            Invalid,
            "The pack would end before it takes effect.",
        ),
    ],
)
async def test_a_draft_that_cannot_count_is_refused_and_nothing_kept(
    context: Context, zhou: Actor, draft: str, on: date, reason: str, refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal) as refused:
        await publish(context, zhou, draft, effective_from=on, reason=reason)
    assert words in str(refused.value)
    async with context.transaction() as session:
        assert (await session.execute(rows_of(PackVersion))).first() is None


async def test_today_is_the_offices_day(context: Context, zhou: Actor) -> None:
    context.now = lambda: datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # 01:00 of the 23rd in Shanghai
    with pytest.raises(Invalid, match="in the past"):
        await publish(context, zhou, FASTER, effective_from=date(2026, 11, 22), reason="Board")
    await publish(context, zhou, FASTER, effective_from=date(2026, 11, 23), reason="Board")


async def test_a_later_version_does_not_take_effect_before_an_earlier_one(context: Context, zhou: Actor) -> None:
    await publish(context, zhou, FASTER, effective_from=date(2027, 2, 1), reason="Board")
    third = FASTER.replace("version: 2", "version: 3")
    with pytest.raises(Invalid, match="takes effect on 2027-02-01; this one cannot be earlier"):
        await publish(context, zhou, third, effective_from=date(2027, 1, 1), reason="Sooner")


async def test_only_administrators_and_operations_publish(context: Context) -> None:
    for username in ("wang", "gao", "qian", "sun"):
        with pytest.raises(NotAllowed):
            await publish(
                context, await hire(context, username), FASTER, effective_from=date(2027, 1, 1), reason="Mine"
            )
    admin = await hire(context, "admin")
    assert await publish(context, admin, FASTER, effective_from=date(2027, 1, 1), reason="Board") == "house-standard/2"


async def test_of_two_at_once_one_has_to_look_again(context: Context, zhou: Actor) -> None:
    drafts = (FASTER, FASTER.replace("amount: 12", "amount: 14"))
    both = [publish(context, zhou, draft, effective_from=date(2027, 1, 1), reason="Board") for draft in drafts]
    said = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one).__name__ for one in said) == ["Conflict", "str"]


# --- only ever added --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["UPDATE pack_versions SET body = ''", "DELETE FROM pack_versions"])
async def test_the_applications_role_cannot_change_a_version(context: Context, zhou: Actor, change: str) -> None:
    await publish(context, zhou, FASTER, effective_from=date(2027, 1, 1), reason="Board")
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with context.transaction() as session:
            await session.execute(text(change))


async def test_a_version_changed_past_the_program_is_noticed(context: Context, zhou: Actor, settings: Settings) -> None:
    await publish(context, zhou, FASTER, effective_from=date(2027, 1, 1), reason="Board")
    engine = create_engine(settings.database_owner_url.get_secret_value())
    with engine.begin() as connection:
        connection.execute(text("UPDATE pack_versions SET body = replace(body, 'amount: 12', 'amount: 99')"))
    engine.dispose()
    with pytest.raises(PackDamaged, match="house-standard/2 was changed past the program"):
        await total_on(context, date(2027, 1, 1))


# --- a case's plan ----------------------------------------------------------------------------------------------------


async def test_a_case_without_a_jurisdiction_is_promised_the_house_standard(context: Context) -> None:
    found = await plan(context)
    assert found.pack == "house-standard/1"
    assert set(found.clocks) == set(figures.CLOCKS)
    assert (found.calendar.name, found.calendars) == ("CN", {})


async def test_a_chinese_motor_claim_is_promised_the_laws_times_too(context: Context) -> None:
    found = await plan(context, jurisdiction="CN")
    assert found.pack == "house-standard/1+cn-claims/1"
    assert set(found.clocks) - set(figures.CLOCKS) == {
        *("cn-claims.decide_complex", "cn-claims.pay", "cn-claims.refusal_notice", "cn-claims.advance_payment"),
    }
    assert found.calendar_of(found.clock("cn-claims.pay")).name == "CN"


async def test_a_plan_brings_the_calendars_its_clocks_name_from_the_year_before(context: Context) -> None:
    found = await plan(context, jurisdiction="US-CA")
    assert set(found.calendars) == {"US-CA"}
    california = found.calendar_of(found.clock("us-ca.decide"))
    assert california.covered_from == date(2025, 1, 1)
    assert min(california.off).year == 2025
    assert california.version
    assert found.calendar_of(found.clock("claim.total")).name == "CN"


async def test_a_plan_survives_being_frozen_into_a_case(context: Context) -> None:
    shape = TypeAdapter(CasePlan)
    found = await plan(context, jurisdiction="US-TX")
    frozen = shape.dump_json(found)
    assert shape.validate_json(frozen) == found
    assert len(frozen) < 30_000


async def test_a_case_has_the_version_of_the_day_it_was_received(context: Context, zhou: Actor) -> None:
    await publish(context, zhou, FASTER, effective_from=date(2027, 1, 1), reason="Board")
    before = await plan(context, on=date(2026, 12, 31))
    after = await plan(context, on=date(2027, 1, 1))
    assert (before.pack, before.clock("claim.total").amount) == ("house-standard/1", 15)
    assert (after.pack, after.clock("claim.total").amount) == ("house-standard/2", 12)


async def test_a_pack_of_ones_own_applies_by_its_own_jurisdiction(context: Context, zhou: Actor) -> None:
    own = DRAFT.replace("kinds:", "jurisdiction: UK\nkinds:")
    await publish(context, zhou, own, effective_from=TODAY + timedelta(days=1), reason="A new service")
    day = date(2026, 12, 1)
    assert "acme.call_back" in (await plan(context, jurisdiction="UK-SCT", on=day)).clocks
    assert "acme.call_back" not in (await plan(context, jurisdiction="CN", on=day)).clocks


async def test_what_a_pack_leaves_out_the_kind_itself_promises(context: Context, zhou: Actor) -> None:
    begins, ends = FASTER.index("  - id: claim.total"), FASTER.index("  - id: claim.simple")
    await publish(
        context, zhou, FASTER[:begins] + FASTER[ends:], effective_from=date(2027, 1, 1), reason="Without the total"
    )
    found = await plan(context, on=date(2027, 1, 1))
    assert found.clock("claim.total").amount == figures.TOTAL.amount
    assert found.pack == "house-standard/2+house-standard/1"


async def test_plain_weekdays_of_a_zone_may_be_the_offices_calendar_and_nonsense_not(context: Context) -> None:
    async with context.transaction() as session:
        for name in ("plain:Europe/London", "MARS"):
            asked = plan_for(
                session,
                kind=KINDS["claim"],
                jurisdiction="",
                line="motor",
                on=TODAY,
                office_calendar=name,
                received_at=NOW,
            )
            if name == "MARS":
                with pytest.raises(Invalid, match="no calendar MARS"):
                    await asked
            else:
                assert (await asked).calendar.tz == "Europe/London"
