"""What people do to a case's file: links, tags, people; each refused where it makes no sense (CLM-1, CLM-3, CLM-15)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.journal import compare, rebuild
from lian.db.tables import CaseLink, CaseTag, JournalEntry, Party, Person, PersonKey
from lian.domain import journal as j
from lian.domain.claims.case_actions import CASE_ACTIONS
from lian.domain.claims.fnol import ClaimedLoss, PersonGiven
from lian.domain.claims.terms import LossCause
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.domain.parties import PartyRole
from lian.services.actions import act, list_actions, show_action
from lian.services.cases import case_file
from lian.services.catastrophes import CatastropheGiven, declare_catastrophe
from lian.services.context import Context
from lian.services.notices import reach_customer
from lian.services.recording import put_on_record
from tests.cast import ZHAO, as_customer, hire, reported_claim

pytestmark = pytest.mark.req("CLM-15")


@pytest.fixture
async def wang(context: Context) -> Actor:
    """An adjuster."""
    return await hire(context, "wang")


async def do(context: Context, actor: Actor, number: str, action: str, **outcome: Any) -> None:
    await act(context, actor, number, action, outcome=outcome, notes="", command_id=uuid4().hex)


async def options(context: Context, actor: Actor, number: str, action: str, name: str) -> dict[str, str]:
    """What the form offers: Chinese words by value."""
    shown = await show_action(context, actor, number, action)
    return {option["value"]: option["zh"] for option in shown.ask["options"][name]}


async def parties(context: Context, case_id: UUID) -> list[Party]:
    async with context.transaction() as session:
        return list((await session.execute(select(Party).where(Party.case_id == case_id))).scalars())


async def assert_rebuildable(context: Context) -> None:
    async with context.transaction() as session:
        assert [d.what for d in (await compare(session, context.ring)).damages] == []


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-3")
async def test_two_linked_cases_show_each_other(context: Context, wang: Actor) -> None:
    one, other = await reported_claim(context), await reported_claim(context)
    await do(
        context, wang, one.number, "link_case", other_number=f" {other.number.lower()} ", relation="complaint_about"
    )
    (here,) = (await case_file(context, wang, one.number)).links
    (there,) = (await case_file(context, wang, other.number)).links
    assert (here.number, here.relation, here.is_back) == (other.number, "complaint_about", False)
    assert (there.number, there.relation, there.is_back) == (one.number, "complaint_about", True)
    await assert_rebuildable(context)


async def test_a_link_is_made_once_and_neither_to_itself_nor_to_nothing(context: Context, wang: Actor) -> None:
    one, other = await reported_claim(context), await reported_claim(context)
    await do(context, wang, one.number, "link_case", other_number=other.number, relation="related_to")
    refused = [
        (Conflict, one.number, other.number, "related_to"),
        (Conflict, other.number, one.number, "related_to"),
        (Invalid, one.number, one.number, "related_to"),
        (NotFound, one.number, "CLM-2026-999999", "related_to"),
        (Invalid, one.number, "", "related_to"),
        (Invalid, one.number, other.number, "duplicate_of"),
        (Invalid, one.number, other.number, "friend_of"),
    ]
    for error, number, other_number, relation in refused:
        with pytest.raises(error):
            await do(context, wang, number, "link_case", other_number=other_number, relation=relation)
    async with context.transaction() as session:
        assert len((await session.execute(select(CaseLink))).all()) == 1


async def test_a_link_the_process_repeats_changes_nothing(context: Context, wang: Actor) -> None:
    one, other = await reported_claim(context), await reported_claim(context)
    await do(context, wang, one.number, "link_case", other_number=other.number, relation="related_to")
    async with context.transaction() as session:
        link = j.CaseLinked(other_case_id=other.case_id, other_number=other.number, relation="related_to")
        item = j.Recorded(at=context.now(), actor="system", event=link)
        await put_on_record(context, session, case_id=one.case_id, recorded=[item])
    (link_seen,) = (await case_file(context, wang, one.number)).links
    assert link_seen.linked_by == wang.id
    await assert_rebuildable(context)


# --- catastrophes -----------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-3")
async def test_a_tag_is_put_on_and_taken_off_by_hand_from_the_list(context: Context, wang: Actor) -> None:
    number = (await reported_claim(context)).number
    flood = CatastropheGiven(
        code="FLOOD-1",
        name_en="Flood",
        name_zh="洪水",
        causes=(LossCause.WATER,),
        from_on=date(2026, 1, 1),
        to_on=date(2026, 1, 2),
        zone="Asia/Shanghai",
    )
    await declare_catastrophe(context, await hire(context, "li"), flood)
    assert await options(context, wang, number, "tag_catastrophe", "code") == {"FLOOD-1": "洪水"}
    with pytest.raises(Invalid):
        await do(context, wang, number, "tag_catastrophe", code="INVENTED")
    await do(context, wang, number, "tag_catastrophe", code="FLOOD-1")
    assert await options(context, wang, number, "tag_catastrophe", "code") == {}
    assert [tag.code for tag in (await case_file(context, wang, number)).tags] == ["FLOOD-1"]
    with pytest.raises(Invalid):
        await do(context, wang, number, "tag_catastrophe", code="FLOOD-1")
    await do(context, wang, number, "untag_catastrophe", code="FLOOD-1")
    async with context.transaction() as session:
        assert (await session.execute(select(CaseTag))).all() == []
    with pytest.raises(Invalid):
        await do(context, wang, number, "untag_catastrophe", code="FLOOD-1")
    await assert_rebuildable(context)


# --- people -----------------------------------------------------------------------------------------------------------


async def test_a_wrong_phone_is_put_right_in_every_role_and_both_numbers_stay_on_record(
    context: Context, wang: Actor
) -> None:
    registered = await reported_claim(context)
    (party,) = await options(context, wang, registered.number, "correct_party", "party")
    right = {"party": party, "phone": " 13811112222 ", "reason": "少录一位"}
    await do(context, wang, registered.number, "correct_party", **right)
    assert {p.phone for p in await parties(context, registered.case_id)} == {"13811112222"}
    async with context.transaction() as session:
        query = select(JournalEntry).where(JournalEntry.type == j.CaseCorrected.TYPE)
        entries = (await session.execute(query)).scalars().all()
        people = (await session.execute(select(Person))).scalars().all()
        everything = str([e.body for e in (await session.execute(select(JournalEntry))).scalars()])
    assert len(entries) == len(await parties(context, registered.case_id))
    assert {e.body["name"] for e in entries} == {"phone"}
    # The register of a policy system keeps its own details.
    assert {person.phone for person in people} == {ZHAO.phone}
    for secret in ("13811112222", ZHAO.phone, "少录一位"):
        assert secret not in everything
    await assert_rebuildable(context)


@pytest.mark.req("SEC-2")
async def test_before_and_after_die_with_the_key_of_the_person_they_are_about(context: Context, wang: Actor) -> None:
    stranger = PersonGiven(name="钱芳", phone="13800000002")
    registered = await reported_claim(context, claimants=(stranger,))
    offered = await options(context, wang, registered.number, "correct_party", "party")
    party = next(value for value, words in offered.items() if words.startswith("钱芳"))
    await do(context, wang, registered.number, "correct_party", party=party, name="钱方", reason="错字")
    async with context.transaction() as session:
        row = await session.get_one(Party, UUID(party))
        person = await session.get_one(Person, row.person_id)
        assert (row.name, person.name) == ("钱方", "钱方")
        await session.delete(await session.get_one(PersonKey, row.person_id))
    async with context.transaction() as session:
        await rebuild(session, context.ring, registered.case_id)
    names = {p.name for p in await parties(context, registered.case_id)}
    assert names == {"", ZHAO.name}


@pytest.mark.parametrize(
    ("right", "words"),
    [
        ({"reason": "x"}, "Enter what is right"),
        ({"name": "赵垒"}, "Say what was wrong"),
        ({"name": ZHAO.name, "reason": "x"}, "on record already"),
        ({"name": "赵" * 201, "reason": "x"}, "At most 200"),
        ({"name": "赵垒", "reason": "x", "party": str(UUID(int=1))}, "not one of the choices"),
    ],
)
async def test_a_correction_says_what_is_right_and_what_was_wrong(
    context: Context, wang: Actor, right: dict[str, str], words: str
) -> None:
    registered = await reported_claim(context)
    (party,) = await options(context, wang, registered.number, "correct_party", "party")
    with pytest.raises(Invalid, match=words):
        await do(context, wang, registered.number, "correct_party", **{"party": party} | right)


async def test_notices_go_to_the_corrected_address(context: Context, wang: Actor) -> None:
    registered = await reported_claim(context)
    (party,) = await options(context, wang, registered.number, "correct_party", "party")
    right = {"party": party, "email": "zhao.lei@example.com", "reason": "旧地址"}
    await do(context, wang, registered.number, "correct_party", **right)
    async with context.transaction() as session:
        assert await reach_customer(session, registered.case_id) == "zhao.lei@example.com"


@pytest.mark.req("CLM-1")
async def test_a_lawyer_takes_part_for_the_claimant_also_once_the_case_is_closed(context: Context, wang: Actor) -> None:
    registered = await reported_claim(context)
    async with context.transaction() as session:
        item = j.Recorded(at=context.now(), actor="system", event=j.CaseClosed(outcome="denied"))
        await put_on_record(context, session, case_id=registered.case_id, recorded=[item])
    (claimant,) = await options(context, wang, registered.number, "add_party", "represents")
    lawyer = {"role": "lawyer", "name": "郑律师", "phone": "13700000001", "represents": claimant}
    await do(context, wang, registered.number, "add_party", **lawyer)
    with pytest.raises(Conflict):
        await do(context, wang, registered.number, "add_party", **lawyer)
    added = next(p for p in await parties(context, registered.case_id) if p.role == PartyRole.LAWYER)
    assert (added.name, str(added.represents)) == ("郑律师", claimant)
    await do(context, wang, registered.number, "add_party", **lawyer | {"role": "witness", "represents": ""})
    assert len({p.person_id for p in await parties(context, registered.case_id) if p.name == "郑律师"}) == 1
    await assert_rebuildable(context)


@pytest.mark.parametrize(
    ("person", "words"),
    [
        ({"role": "heir", "name": "赵二", "phone": "1"}, "not one of the choices"),
        ({"role": "representative", "name": "赵二"}, "not one of the choices"),
        ({"role": "claimant", "name": "赵二"}, "not one of the choices"),
        ({"role": "witness", "name": " "}, "Enter a name"),
    ],
    ids=["an heir of nobody", "a representative of nobody", "a claimant without a loss", "nobody"],
)
async def test_who_takes_part_has_a_name_and_a_place(
    context: Context, wang: Actor, person: dict[str, str], words: str
) -> None:
    number = (await reported_claim(context)).number
    with pytest.raises(Invalid, match=words):
        await do(context, wang, number, "add_party", **person)


async def test_a_representative_must_be_in_reach(context: Context, wang: Actor) -> None:
    number = (await reported_claim(context)).number
    (claimant,) = await options(context, wang, number, "add_party", "represents")
    with pytest.raises(Invalid, match="needed to reach them"):
        await do(context, wang, number, "add_party", role="heir", name="赵二", represents=claimant)


# --- whoever may ------------------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
async def test_customers_and_whoever_only_watches_do_none_of_it(context: Context) -> None:
    registered = await reported_claim(context)
    watcher = Actor(id="staff:compliance", name="何平", roles=("compliance",))
    zhao = await as_customer(context, registered.number)
    for kind in CASE_ACTIONS:
        with pytest.raises(NotAllowed):
            await show_action(context, watcher, registered.number, kind.id)
        with pytest.raises(NotFound):
            await show_action(context, zhao, registered.number, kind.id)
    ours = {kind.id for kind in CASE_ACTIONS}
    assert not ours & {kind.id for kind in await list_actions(context, watcher, registered.number)}
    assert not ours & {kind.id for kind in await list_actions(context, zhao, registered.number)}


@pytest.mark.req("CLM-1")
async def test_a_minors_representative_takes_part_for_them(context: Context, wang: Actor) -> None:
    mother = PersonGiven(name="周敏", phone="13900000001")
    child = PersonGiven(name="周小雨", is_minor=True, represented_by=mother)
    losses = (
        ClaimedLoss(coverage_code="BI", claimed_amount=Decimal(500), claimant=0),
        ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(500), claimant=1),
    )
    registered = await reported_claim(context, reporter=mother, claimants=(child, ZHAO), losses=losses)
    here = {(p.role, p.name): p for p in await parties(context, registered.case_id)}
    claimant, acting = here["claimant", "周小雨"], here["representative", "周敏"]
    assert (claimant.is_minor, acting.represents, acting.is_minor) == (True, claimant.id, False)
    assert acting.person_id == here["reporter", "周敏"].person_id
    file = await case_file(context, wang, registered.number)
    assert file.case.minors == 1
    assert {e.claimant_party_id for e in file.exposures} == {claimant.id, here["claimant", ZHAO.name].id}
    await assert_rebuildable(context)
