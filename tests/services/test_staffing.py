"""What people can do and take, and that nobody works on a case of their own."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.journal import compare, verify
from lian.db.tables import CaseBar, Person, Staff, Task
from lian.domain.errors import Invalid, NotAllowed, NotFound
from lian.services import desk
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.staffing import Staffing, bar_own_cases, set_staffing
from lian.services.watchdog import sweep
from lian.settings import Settings
from tests.api.conftest import open_task
from tests.cast import PASSWORD, hire, reported_claim
from tests.command_line import as_installed, lian

__all__ = ["as_installed"]

ADMIN = Actor(id="system:tests", name="Tests", roles=("administrator",))


async def staff_named(context: Context, username: str) -> Staff:
    async with context.transaction() as session:
        return (await session.execute(select(Staff).where(Staff.username == username))).scalars().one()


async def reference_of_customer(context: Context, case_id: UUID) -> str:
    """Of whoever reported the case."""
    async with context.transaction() as session:
        from lian.db.tables import Case

        case = await session.get_one(Case, case_id)
        return (await session.get_one(Person, case.subject_person_id)).external_ref


async def bars(context: Context) -> list[tuple[UUID, str, str]]:
    async with context.transaction() as session:
        rows = (await session.execute(select(CaseBar))).scalars()
        return [(row.case_id, row.actor, row.reason) for row in rows]


@pytest.mark.req("TSK-3")
async def test_what_is_given_changes_and_the_rest_stays(context: Context) -> None:
    await hire(context, "wang")
    skills = {"licence:survey": date(2027, 12, 31), "lang:en": None}
    await set_staffing(context, ADMIN, "wang", Staffing(team="north", skills=skills, capacity=25))
    await set_staffing(context, ADMIN, "wang", Staffing(team="south"))
    staff = await staff_named(context, "wang")
    assert (staff.team, staff.capacity, staff.person_id) == ("south", 25, None)
    wang = actor_for(staff)
    assert wang.skills_on(date(2027, 12, 31)) == {"licence:survey", "lang:en"}
    assert wang.skills_on(date(2028, 1, 1)) == {"lang:en"}
    await set_staffing(context, ADMIN, "wang", Staffing(skills={}, team="", capacity=0))
    staff = await staff_named(context, "wang")
    assert (staff.team, staff.skills, staff.capacity) == ("", {}, 0)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Staffing(team="north east"), "team"),
        (Staffing(team="x" * 41), "team"),
        (Staffing(capacity=-1), "capacity"),
        (Staffing(capacity=501), "capacity"),
        (Staffing(skills={"survey": None}), "skills"),
        (Staffing(skills={"licence:Survey": None}), "skills"),
        (Staffing(skills={"licence:": None}), "skills"),
        (Staffing(skills={"rank:first": None}), "skills"),
        (Staffing(skills={"licence:survey/x": None}), "skills"),
        (Staffing(skills={"licence:survey": date(2500, 1, 1)}), "skills"),
        (Staffing(skills={f"skill:s{n}": None for n in range(51)}), "skills"),
        (Staffing(person="nobody-we-know"), "person"),
    ],
)
@pytest.mark.req("TSK-3")
async def test_what_cannot_be_is_refused_and_changes_nothing(context: Context, given: Staffing, field: str) -> None:
    await hire(context, "wang")
    with pytest.raises(Invalid) as refused:
        await set_staffing(context, ADMIN, "wang", given)
    assert refused.value.details == {"field": field}
    staff = await staff_named(context, "wang")
    assert (staff.team, staff.capacity, staff.skills, staff.person_id) == ("", 0, {}, None)


@pytest.mark.req("SEC-1")
async def test_only_administrators_change_it_and_only_of_accounts_that_there_are(context: Context) -> None:
    for name in ("wang", "li", "gao", "zhou"):
        with pytest.raises(NotAllowed):
            await set_staffing(context, await hire(context, name), "wang", Staffing(team="north"))
    with pytest.raises(NotFound):
        await set_staffing(context, ADMIN, "nobody", Staffing(team="north"))


@pytest.mark.req("TSK-5")
async def test_whoever_is_known_as_a_customer_loses_their_own_open_cases_at_once(context: Context) -> None:
    wang = await hire(context, "wang")
    own, other = await reported_claim(context), await reported_claim(context)
    tasks = {claim.number: await open_task(context, claim.case_id) for claim in (own, other)}
    for task_id in tasks.values():
        await desk.claim_task(context, wang, task_id)
    reference = await reference_of_customer(context, own.case_id)
    for _ in range(2):  # once more changes nothing
        await set_staffing(context, ADMIN, "wang", Staffing(person=reference))
    assert await bars(context) == [(own.case_id, wang.id, "own_case")]
    async with context.transaction() as session:
        held = {number: (await session.get_one(Task, task_id)).holder for number, task_id in tasks.items()}
        damages = (await verify(session)).damages + (await compare(session, context.ring)).damages
    assert held == {own.number: "", other.number: wang.id}
    assert damages == []
    with pytest.raises(NotAllowed, match="have an interest in it"):
        await desk.claim_task(context, wang, tasks[own.number])


@pytest.mark.req("TSK-5")
async def test_what_was_reported_in_the_very_moment_is_found_by_the_watchdog(context: Context) -> None:
    wang, claim = await hire(context, "wang"), await reported_claim(context)
    reference = await reference_of_customer(context, claim.case_id)
    async with context.transaction() as session:  # as if the case had been committed after the link was looked for
        staff = (await session.execute(select(Staff).where(Staff.username == "wang"))).scalars().one()
        person = (await session.execute(select(Person).where(Person.external_ref == reference))).scalars().one()
        staff.person_id = person.id
    assert await bars(context) == []
    await sweep(context)
    assert await bars(context) == [(claim.case_id, wang.id, "own_case")]
    assert await bar_own_cases(context) == 0


@pytest.mark.req("TSK-5")
async def test_who_somebody_is_can_be_taken_back_but_no_bar(context: Context) -> None:
    wang, claim = await hire(context, "wang"), await reported_claim(context)
    reference = await reference_of_customer(context, claim.case_id)
    await set_staffing(context, ADMIN, "wang", Staffing(person=reference))
    await set_staffing(context, ADMIN, "wang", Staffing(person=""))
    assert (await staff_named(context, "wang")).person_id is None
    assert await bars(context) == [(claim.case_id, wang.id, "own_case")]


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.req("TSK-3")
@pytest.mark.usefixtures("as_installed")
def test_the_command_line_adds_and_takes_away_skills(settings: Settings) -> None:
    assert lian("users", "create", "wang", "--role", "claims_adjuster_junior", given=PASSWORD).exit_code == 0
    done = lian(
        *("users", "set", "wang", "--team", "north", "--capacity", "12"),
        *("--skill", "licence:survey=2027-12-31", "--skill", "lang:en"),
    )
    assert done.exit_code == 0, done.output
    assert done.output.strip() == "wang: team north, lang:en, licence:survey until 2027-12-31, takes 12."
    done = lian("users", "set", "wang", "--without", "lang:en", "--skill", "skill:flood")
    assert done.output.strip() == "wang: team north, licence:survey until 2027-12-31, skill:flood, takes 12."
    listed = lian("users", "list").output
    assert "north" in listed


@pytest.mark.req("TSK-3")
@pytest.mark.usefixtures("as_installed")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nobody", "--team", "a"), "no account with this user name"),
        (("nobody", "--skill", "licence:survey=soon"), "'soon' is no date"),
    ],
)
def test_the_command_line_says_what_is_wrong(settings: Settings, words: tuple[str, ...], says: str) -> None:
    done = lian("users", "set", *words)
    assert done.exit_code == 1
    assert says in str(done.exception)
