"""The journal: written once, chained, never changed; damage is named to the event, rebuilds are identical (SEC-3)."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlmodel import select

from activities.journal import JournalActivities
from activities.messages import Batch, to_entry
from lian.db.events import to_json
from lian.db.journal import JournalGap, append, compare, rebuild, verify
from lian.db.tables import Case, Clock, JournalEntry, Party, PersonKey
from lian.domain import journal as j
from lian.domain.errors import Conflict
from lian.services.cases import earlier_result
from lian.services.context import Context
from tests.cast import ZHAO, reported_claim
from tests.servers import Servers

pytestmark = pytest.mark.req("SEC-3")


@pytest.fixture
def intruder(servers: Servers, database: str) -> Iterator[Connection]:
    """Somebody with the owner's rights: what the application's role cannot do, they can."""
    engine = create_engine(servers.owner_url(database), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


async def damages(context: Context) -> list[tuple[UUID, int, str]]:
    async with context.transaction() as session:
        return [(d.case_id, d.chain_seq, d.what) for d in (await verify(session)).damages]


async def differences(context: Context) -> list[str]:
    async with context.transaction() as session:
        return [d.what for d in (await compare(session, context.ring)).damages]


async def test_an_untouched_journal_verifies_and_rebuilds_identically(context: Context) -> None:
    for _ in range(3):
        await reported_claim(context)
    async with context.transaction() as session:
        report = await verify(session)
    assert (report.cases, report.damages) == (3, [])
    assert report.events > 20
    assert await differences(context) == []


@pytest.mark.parametrize("statement", ["UPDATE journal SET actor = 'x'", "DELETE FROM journal", "TRUNCATE journal"])
async def test_the_application_cannot_change_the_journal(context: Context, statement: str) -> None:
    await reported_claim(context)
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with context.transaction() as session:
            await session.execute(text(statement))


async def test_an_edited_event_is_named(context: Context, intruder: Connection) -> None:
    case = (await reported_claim(context)).case_id
    intruder.execute(
        text("UPDATE journal SET body = jsonb_set(body, '{line}', '\"x\"') WHERE case_id = :c AND chain_seq = 2"),
        {"c": case},
    )
    assert await damages(context) == [(case, 2, "was changed after it was written")]


async def test_a_removed_event_is_named(context: Context, intruder: Connection) -> None:
    case = (await reported_claim(context)).case_id
    intruder.execute(text("DELETE FROM journal WHERE case_id = :c AND chain_seq = 4"), {"c": case})
    ((where, seq, what),) = await damages(context)
    assert (where, seq) == (case, 4)
    assert "missing" in what


async def test_a_cut_tail_is_named(context: Context, intruder: Connection) -> None:
    case = (await reported_claim(context)).case_id
    last = intruder.execute(text("SELECT max(chain_seq) FROM journal WHERE case_id = :c"), {"c": case}).scalar_one()
    intruder.execute(text("DELETE FROM journal WHERE case_id = :c AND chain_seq = :s"), {"c": case, "s": last})
    ((where, seq, what),) = await damages(context)
    assert (where, seq) == (case, last)
    assert "cut off" in what


async def test_an_event_with_a_forged_hash_is_named(context: Context, intruder: Connection) -> None:
    case = (await reported_claim(context)).case_id
    intruder.execute(
        text("UPDATE journal SET hash = repeat('a', 64) WHERE case_id = :c AND chain_seq = 3"), {"c": case}
    )
    found = await damages(context)
    assert [(seq, what) for _, seq, what in found][:1] == [(3, "was changed after it was written")]


async def test_a_row_changed_behind_the_journals_back_is_found_and_healed_by_a_rebuild(
    context: Context, intruder: Connection
) -> None:
    case = (await reported_claim(context)).case_id
    intruder.execute(text("UPDATE cases SET claimed_amount = 1 WHERE id = :c"), {"c": case})
    assert await differences(context) == [f"cases {case}: claimed_amount differs"]
    async with context.transaction() as session:
        await rebuild(session, context.ring, case)
    assert await differences(context) == []


@pytest.mark.req("SEC-2")
async def test_personal_fields_are_ciphertext_and_die_with_the_persons_key(
    context: Context,
) -> None:
    case_id = (await reported_claim(context)).case_id
    async with context.transaction() as session:
        entries = (await session.execute(select(JournalEntry).where(JournalEntry.case_id == case_id))).scalars().all()
        stored = str([e.body for e in entries])
        parties = (await session.execute(select(Party).where(Party.case_id == case_id))).scalars().all()
        assert {p.name for p in parties} == {ZHAO.name}
        for person in {p.person_id for p in parties}:
            await session.delete(await session.get_one(PersonKey, person))
    assert ZHAO.name not in stored
    assert ZHAO.phone not in stored
    async with context.transaction() as session:
        await rebuild(session, context.ring, case_id)
    async with context.transaction() as session:
        names = {p.name for p in (await session.execute(select(Party).where(Party.case_id == case_id))).scalars()}
        place = (await session.get_one(Case, case_id)).place
    assert (names, place) == ({""}, "")
    assert await differences(context) == []
    assert await damages(context) == []


def started(name: str) -> j.ClockStarted:
    return j.ClockStarted(clock=name, started_at=j_now(), policy={}, due_at=None, warn_at=None)


def j_now() -> datetime:
    return datetime.fromisoformat("2026-11-22T08:00:00+00:00")


async def write(context: Context, case_id: UUID, names: list[str], first_seq: int) -> None:
    recorded = [j.Recorded(at=j_now(), actor="system", event=started(n)) for n in names]
    async with context.transaction() as session:
        await append(session, context.ring, case_id=case_id, recorded=recorded, source=j.PROCESS, first_seq=first_seq)


async def test_a_batch_in_any_split_or_repeat_is_written_once(context: Context) -> None:
    case = (await reported_claim(context)).case_id
    await write(context, case, ["a", "b"], 1)
    await write(context, case, ["a", "b"], 1)
    await write(context, case, ["b", "c"], 2)
    async with context.transaction() as session:
        clocks = (await session.execute(select(Clock.clock).where(Clock.case_id == case))).scalars().all()
    assert sorted(clocks) == ["a", "b", "c"]
    with pytest.raises(JournalGap):
        await write(context, case, ["e"], 5)


async def test_desk_and_process_share_one_chain_without_gaps(context: Context) -> None:
    case = (await reported_claim(context)).case_id

    async def message(n: int) -> None:
        event = j.MessageWritten(message_id=UUID(int=n), direction="in", body=f"消息 {n}")
        async with context.transaction() as session:
            await append(
                session, context.ring, case_id=case, recorded=[j.Recorded(at=j_now(), actor="customer:x", event=event)]
            )

    await asyncio.gather(*(message(n) for n in range(1, 9)), write(context, case, ["a"], 1))
    assert await damages(context) == []
    assert await differences(context) == []


def test_every_event_type_survives_json() -> None:
    assert len(j.EVENTS) >= 35
    assert all("." in type_ for type_ in j.EVENTS)
    assert to_json(started("x"))["started_at"] == "2026-11-22T08:00:00Z"


async def test_a_command_with_the_name_of_another_cases_command_is_written_all_the_same(context: Context) -> None:
    journal = JournalActivities(context)
    for registered in [await reported_claim(context), await reported_claim(context)]:
        item = j.Recorded(at=context.now(), actor="system", event=j.StageEntered(stage="review"))
        batch = Batch(case_id=registered.case_id, first_seq=1, entries=[to_entry(item)], commands={"the same": 1})
        await journal.append_journal(batch)
        async with context.transaction() as session:
            assert (await session.get_one(Case, registered.case_id)).stage == "review"
    async with context.transaction() as session:
        with pytest.raises(Conflict):
            await earlier_result(session, registered.case_id, "the same")


@pytest.mark.req("SEC-2")
async def test_a_row_the_database_refuses_is_not_quoted_in_the_error(context: Context) -> None:
    case_id = (await reported_claim(context)).case_id
    with pytest.raises(IntegrityError) as refused:
        async with context.transaction() as session:
            session.add(Party(id=case_id, case_id=case_id, person_id=case_id, role="x", name=ZHAO.name, phone=None))
    for words in (str(refused.value), repr(refused.value), "".join(traceback.format_exception(refused.value))):
        assert ZHAO.name not in words
