"""Cases are found by what people know of them, each within what they may see; nothing of a phone lies open (SEC-1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import select

from lian.auth.actor import Actor
from lian.auth.visibility import SUSPICION_TASKS
from lian.db.crypto import KeyRing
from lian.db.tables import Case, CaseWords, Party, PersonKey
from lian.domain import journal as j
from lian.domain.claims.fnol import PersonGiven
from lian.domain.errors import Invalid, NotAllowed
from lian.domain.parties import Channel, PartyRole
from lian.services import desk, intake, policies, rewriting
from lian.services import search as searching
from lian.services.context import Context
from lian.services.intake import Registered
from lian.services.recording import put_on_record
from lian.services.search import Hit, number_meant, search_cases
from lian.services.search_words import readings, wrong_words
from tests.api.conftest import as_process, open_task
from tests.cast import OFFICE, as_customer, hire, motor_policy, report, reported_claim

pytestmark = pytest.mark.req("TSK-1")

FANG = PersonGiven(name="王芳", phone="13911112222", email="fang@example.com")
DAN = PersonGiven(name="单小明", phone="+86 137-3333-4444", email="")
ANNA = PersonGiven(name="Anna Müller", phone="", email="Anna@Example.com")


async def claim_of(context: Context, reporter: PersonGiven, **changes: Any) -> Registered:
    """A claim that this person reported; its policyholder is Zhao Lei."""
    return await reported_claim(context, reporter=reporter, **changes)


async def hits(context: Context, text: str, actor: Actor = OFFICE, **more: Any) -> list[Hit]:
    return await search_cases(context, actor, text, **more)


async def numbers(context: Context, text: str, actor: Actor = OFFICE) -> list[str]:
    return [hit.case.number for hit in await hits(context, text, actor)]


async def add_party(context: Context, case: Registered, name: str, **more: Any) -> j.PartyAdded:
    """Somebody else who takes part in it."""
    given = {"role": PartyRole.WITNESS, "phone": "", "email": ""} | more
    added = j.PartyAdded(party_id=uuid4(), person_id=uuid4(), name=name, **given)
    await as_process(context, case.case_id, added)
    return added


async def stored(context: Context) -> dict[str, list[str]]:
    async with context.transaction() as session:
        query = select(Case.number, CaseWords.words).join(CaseWords, CaseWords.case_id == Case.id)  # type: ignore[arg-type]
        return dict((await session.execute(query)).all())  # type: ignore[arg-type]


async def wrong(context: Context, ring: KeyRing | None = None) -> list[str]:
    async with context.transaction() as session:
        return [damage.what for damage in await wrong_words(session, ring or context.ring)]


# --- what finds a case ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["王芳", "王", "wf", "wangfang", "WANG FANG", "王 芳"])
async def test_a_name_finds_its_case_and_says_whose_it_is(context: Context, text: str) -> None:
    mine = await claim_of(context, FANG)
    await claim_of(context, DAN)
    [hit] = await hits(context, text)
    assert (hit.case.number, hit.by, hit.names) == (mine.number, "name", ("王芳",))


@pytest.mark.parametrize("text", ["单小明", "小明", "shanxiaoming", "danxiaoming", "sxm", "dxm", "xiaoming"])
async def test_a_surname_with_two_readings_is_found_by_both(context: Context, text: str) -> None:
    mine = await claim_of(context, DAN)
    assert await numbers(context, text) == [mine.number]


@pytest.mark.parametrize("text", ["muller", "Müller Anna", "ann", "anna@example.com", "ANNA@example.COM"])
async def test_other_names_and_whole_addresses_find_theirs(context: Context, text: str) -> None:
    mine = await claim_of(context, ANNA)
    await claim_of(context, FANG)
    assert await numbers(context, text) == [mine.number]
    assert await numbers(context, "anna@example.co") == []


@pytest.mark.parametrize("length", [4, 7, 11])
async def test_the_end_of_a_phone_number_finds_its_case(context: Context, length: int) -> None:
    mine = await claim_of(context, FANG)
    await claim_of(context, DAN)
    [hit] = await hits(context, FANG.phone[-length:])
    assert (hit.case.number, hit.by, hit.names) == (mine.number, "phone", ("王芳",))
    assert await numbers(context, "137 3333 4444") != [mine.number]
    assert await numbers(context, "+86 139-1111-2222") == [mine.number]


async def test_a_policy_finds_its_cases_however_it_is_written(context: Context) -> None:
    mine = await claim_of(context, FANG)
    async with context.transaction() as session:
        policy = (await session.get_one(Case, mine.case_id)).policy_number
    for text in (policy, policy.lower().replace("-", " "), policy.replace("-", "")):
        assert [(hit.case.number, hit.by) for hit in await hits(context, text)] == [(mine.number, "policy")]
    assert await numbers(context, policy[:-1]) == []


async def test_a_number_is_found_whole_and_by_its_last_digits(context: Context) -> None:
    mine, other = await claim_of(context, FANG), await claim_of(context, DAN)
    tail = mine.number.rpartition("-")[2]
    for text in (mine.number, mine.number.lower(), mine.number.replace("-", " "), tail, tail.lstrip("0"), tail[-4:]):
        found = await hits(context, text)
        assert (found[0].case.number, found[0].by) == (mine.number, "number"), text
    assert number_meant(await hits(context, mine.number.lower()), mine.number.lower()) == mine.number
    assert number_meant(await hits(context, tail), tail) == ""
    assert other.number not in await numbers(context, mine.number)


async def test_a_number_comes_before_names_and_the_newest_before_older_ones(context: Context) -> None:
    older, newer = await claim_of(context, FANG), await claim_of(context, FANG)
    assert await numbers(context, "王芳") == [newer.number, older.number]
    serial = older.number.rpartition("-")[2].lstrip("0").zfill(4)
    await add_party(context, newer, f"Flat {serial}")
    found = [(hit.case.number, hit.by) for hit in await hits(context, serial)]
    assert found == [(older.number, "number"), (newer.number, "name")]


async def test_a_case_is_told_once_and_there_are_twenty_at_most(context: Context, monkeypatch: Any) -> None:
    monkeypatch.setattr(searching, "MOST_HITS", 2)
    cases = [await claim_of(context, FANG) for _ in range(3)]
    for text in ("王芳", "w", "2222"):
        assert await numbers(context, text) == [cases[2].number, cases[1].number]
    assert len(await hits(context, "王芳", limit=1)) == 1


async def test_words_of_very_many_cases_are_looked_for_from_the_newest_on(context: Context, monkeypatch: Any) -> None:
    cases = [await claim_of(context, FANG) for _ in range(4)]
    other = await claim_of(context, DAN)
    monkeypatch.setattr(searching, "ENOUGH", 2)
    assert await numbers(context, "王芳") == [case.number for case in reversed(cases)]
    assert await numbers(context, "单小明") == [other.number]


async def test_pieces_of_two_peoples_names_are_nobodys_name(context: Context) -> None:
    mine = await claim_of(context, FANG)
    await add_party(context, mine, "王小")
    await add_party(context, mine, "小芳")
    assert await numbers(context, "王小芳") == []
    await add_party(context, mine, "王小芳")
    assert [hit.names for hit in await hits(context, "王小芳")] == [("王小芳",)]
    assert set((await hits(context, "王芳 小芳"))[0].names) == {"王芳", "小芳", "王小芳"}


@pytest.mark.parametrize("text", ["%", "_", "王%", "' OR 1=1 --", "{h:王}", "h:王芳", "\\", "*", "wf:*", "王芳 & 李"])
async def test_nothing_that_is_typed_is_a_pattern(context: Context, text: str) -> None:
    await claim_of(context, DAN)
    assert await numbers(context, text) == []


@pytest.mark.parametrize("text", ["", "  ", "x" * 81, "a\x00b", "\ud800"])
async def test_what_cannot_be_looked_for_is_refused(context: Context, text: str) -> None:
    with pytest.raises(Invalid):
        await hits(context, text)


def test_surnames_are_read_as_surnames_and_names_in_eight_ways_at_most() -> None:
    assert readings("曾国藩")[0] == ("zeng", "guo", "fan")
    assert readings("尉迟恭") == (("yu", "chi", "gong"),)
    assert readings("吕布") == (("lv", "bu"), ("lu", "bu"), ("lyu", "bu"))
    assert readings("𠮷野") == (("ye",),)
    assert len(readings("单乐行晟长")) == 8


# --- who finds it -----------------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
async def test_an_agent_finds_only_what_they_brought_and_only_by_number_policy_or_reporter(context: Context) -> None:
    ning = await hire(context, "ning")
    policy = f"P-{uuid4().hex[:8]}"
    await policies.put_policy(context, OFFICE, motor_policy(number=policy))
    given = report(policy_number=policy, reporter=FANG)
    mine, _ = await intake.report_claim(context, ning, given, channel=Channel.AGENT, key=uuid4().hex)
    strange = await claim_of(context, FANG)
    await add_party(context, mine, "李强", phone="13655556666", email="li@example.com")
    for text in (mine.number, policy, "王芳", "wf", mine.number[-4:]):
        assert await numbers(context, text, ning) == [mine.number], text
    for text in (strange.number, "李强", "lq", "赵磊", "5556666", "2222", FANG.email, "li@example.com"):
        assert await numbers(context, text, ning) == [], text
    assert set(await numbers(context, "王芳")) == {mine.number, strange.number}


@pytest.mark.req("SEC-1")
async def test_a_common_name_does_not_hide_the_case_of_an_agent(context: Context, monkeypatch: Any) -> None:
    ning = await hire(context, "ning")
    policy = f"P-{uuid4().hex[:8]}"
    await policies.put_policy(context, OFFICE, motor_policy(number=policy))
    given = report(policy_number=policy, reporter=FANG)
    mine, _ = await intake.report_claim(context, ning, given, channel=Channel.AGENT, key=uuid4().hex)
    for _ in range(3):
        await claim_of(context, FANG)
    monkeypatch.setattr(searching, "ENOUGH", 1)
    assert await numbers(context, "王芳", ning) == [mine.number]


@pytest.mark.req("SEC-1")
async def test_an_external_adjuster_finds_the_case_of_their_survey_without_our_view_of_it(context: Context) -> None:
    wei, li = await hire(context, "wei"), await hire(context, "li")
    mine, _ = await claim_of(context, FANG), await claim_of(context, FANG)
    assert await numbers(context, "王芳", wei) == []
    task = await open_task(context, mine.case_id, kind="external_adjuster", queue="claims.external", ask={})
    await desk.assign_task(context, li, task, to="wei")
    scored = j.RiskScored(likelihood=4, impact=3, level="high", findings=(), table_version="risk/1")
    await as_process(context, mine.case_id, scored)
    [hit] = await hits(context, "王芳", wei)
    assert (hit.case.number, hit.case.risk_score, hit.case.approved_amount) == (mine.number, 0, 0)
    assert [h.case.risk_score for h in await hits(context, mine.number)] == [0]
    assert [h.case.risk_score for h in await hits(context, mine.number, li)] == [12]


@pytest.mark.req("SEC-1")
async def test_customers_do_not_search(context: Context) -> None:
    mine = await claim_of(context, FANG)
    with pytest.raises(NotAllowed):
        await hits(context, mine.number, await as_customer(context, mine.number))
    with pytest.raises(NotAllowed):
        await hits(context, mine.number, Actor(id="staff:x", name="Archive", roles=("archivist",)))


@pytest.mark.req("CLM-14")
async def test_that_a_suspicion_is_looked_into_finds_nothing(context: Context) -> None:
    mine = await claim_of(context, FANG)
    await open_task(context, mine.case_id, kind=min(SUSPICION_TASKS), queue="claims.investigation", ask={})
    for text in ("fraud", "suspicion", "investigation"):
        assert await numbers(context, text) == []


# --- how words are kept -----------------------------------------------------------------------------------------------


async def test_no_phone_and_no_address_lies_open_among_the_words(context: Context) -> None:
    mine = await claim_of(context, FANG)
    words = (await stored(context))[mine.number]
    assert [word for word in words if "2222" in word or "example" in word or "1391" in word] == []
    other = KeyRing({"k2": bytes(32)})
    assert await wrong(context, other) == ["case_words: differ"]
    assert len([word for word in words if word.startswith("p:")]) == 8 * 2  # of Wang Fang and Zhao Lei


async def test_a_corrected_name_and_phone_are_found_and_the_old_ones_no_longer(context: Context) -> None:
    mine = await claim_of(context, FANG)
    added = await add_party(context, mine, "李强", phone="13655556666")
    assert await numbers(context, "李强") == [mine.number]
    told = {"subject": "party", "party_id": added.party_id, "person_id": added.person_id, "reason": "mistyped"}
    await as_process(
        context,
        mine.case_id,
        j.CaseCorrected(name="name", before="李强", after="厉强", **told),
        j.CaseCorrected(name="phone", before="13655556666", after="13677778888", **told),
    )
    for text in ("厉强", "8888"):
        assert await numbers(context, text) == [mine.number]
    for text in ("李强", "6666"):
        assert await numbers(context, text) == []
    assert await wrong(context) == []


async def test_a_draft_is_found_by_its_number_and_policy(context: Context) -> None:
    policy = f"P-{uuid4().hex[:8]}"
    await policies.put_policy(context, OFFICE, motor_policy(number=policy))
    case_id, number = uuid4(), "CLM-2026-777777"
    async with context.transaction() as session:
        events = (
            j.CaseDrafted(number=number, kind="claim", channel="phone", subject_person_id=uuid4()),
            j.DraftSaved(policy_number=policy, draft="{}"),
        )
        recorded = [j.Recorded(at=context.now(), actor="system", event=event) for event in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)
    assert await numbers(context, number) == await numbers(context, policy) == [number]


async def test_words_are_what_the_rows_say_and_a_rebuild_mends_what_is_not(context: Context) -> None:
    mine, other = await claim_of(context, FANG), await claim_of(context, DAN)
    before = await stored(context)
    assert await wrong(context) == []
    async with context.transaction() as session:
        (await session.get_one(CaseWords, mine.case_id)).words = ["h:错误"]
        await session.delete(await session.get_one(CaseWords, other.case_id))
    assert sorted(await wrong(context)) == ["case_words: differ", "case_words: not stored"]
    assert await rewriting.rebuild_all(context) == 2
    assert await wrong(context) == []
    assert await stored(context) == before


async def test_a_person_whose_key_is_gone_is_found_no_longer(context: Context) -> None:
    mine = await claim_of(context, FANG)
    async with context.transaction() as session:
        query = select(Party).where(Party.case_id == mine.case_id, Party.name == FANG.name)
        people = {party.person_id for party in (await session.execute(query)).scalars()}
        for person in people:
            await session.delete(await session.get_one(PersonKey, person))
    await rewriting.rebuild_all(context)
    assert await numbers(context, "王芳") == await numbers(context, "2222") == []
    assert await numbers(context, mine.number) == [mine.number]


async def test_the_number_is_found_even_where_words_are_missing(context: Context) -> None:
    mine = await claim_of(context, FANG)
    async with context.transaction() as session:
        await session.delete(await session.get_one(CaseWords, mine.case_id))
    assert await numbers(context, mine.number) == [mine.number]


async def test_two_roles_together_find_what_each_would(context: Context) -> None:
    both = replace(OFFICE, roles=("agent", "customer_service"))
    mine = await claim_of(context, FANG)
    assert await numbers(context, "2222", both) == [mine.number]
