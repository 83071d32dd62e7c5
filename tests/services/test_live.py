"""Open pages hear within a second that a case they may see has changed, and nothing else (TSK-1)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from lian.auth.actor import Actor
from lian.db import listen
from lian.db.session import Database, DatabaseUnavailable
from lian.domain import journal as j
from lian.domain.errors import Invalid, NotAllowed, NotFound
from lian.domain.signals import LONGEST_PAYLOAD, Change, Reach, packed, reach_of, unpacked
from lian.runtime import open_context
from lian.services import announcing, desk, live
from lian.services.context import Context
from lian.services.desk.tasks import note
from lian.services.live import Live, News, Subscription
from lian.services.presence import EXPIRES_AFTER, Doing, Present, Register, say_present
from lian.settings import Settings
from tests.api.conftest import as_process, open_task
from tests.cast import as_customer, hire, reported_claim
from tests.fakes.process import FakeProcess
from tests.servers import Servers

pytestmark = pytest.mark.req("TSK-1")

PATIENCE = 5.0
SILENCE = 0.4
"""Seconds after which nothing more is expected: ten times what a word takes."""


@asynccontextmanager
async def listening(context: Context) -> AsyncIterator[Live]:
    """A web process that hears."""
    hub = Live(context)
    hub.start()
    async with asyncio.timeout(PATIENCE):
        while hub._hearing_since is None:
            await asyncio.sleep(0.01)
    try:
        yield hub
    finally:
        hub.close()


async def heard(ear: Subscription) -> News:
    news = await ear.news(within=PATIENCE)
    assert news is not None, "nothing was heard"
    return news


async def silence(ear: Subscription) -> bool:
    return await ear.news(within=SILENCE) is None


# --- what is told -----------------------------------------------------------------------------------------------------


async def test_a_change_is_heard_within_a_second_of_its_commit(context: Context) -> None:
    li, wang = await hire(context, "li"), await hire(context, "wang")
    case_id = (await reported_claim(context)).case_id
    task_id = await open_task(context, case_id)
    async with listening(context) as hub:
        await asyncio.sleep(0.2)
        with hub.subscribed(li) as ear:
            took = []
            for verb in (desk.claim_task, desk.release_task, desk.claim_task):
                await verb(context, wang, task_id)
                begun = perf_counter()
                news = await heard(ear)
                took.append(perf_counter() - begun)
                version = (await desk.show_task(context, li, task_id)).case.version
                assert news.cases == {case_id: version}
                assert (news.desk, news.board, news.everything) == (True, True, False)
                await ear.rest()
            logging.getLogger(__name__).warning("heard after %s ms", [round(seconds * 1000) for seconds in took])
            assert max(took) < 1


async def test_what_was_rolled_back_is_not_told(context: Context) -> None:
    li = await hire(context, "li")
    case_id = (await reported_claim(context)).case_id
    task_id = await open_task(context, case_id)
    async with listening(context) as hub:
        await asyncio.sleep(0.2)
        with hub.subscribed(li) as ear:
            with pytest.raises(NotAllowed):
                await desk.claim_task(context, replace(li, roles=("operations",)), task_id)
            with pytest.raises(ZeroDivisionError):
                async with context.transaction() as session:
                    await note(context, session, li, await desk.find_task(session, li, task_id), released(task_id))
                    raise ZeroDivisionError
            assert await silence(ear)


def released(task_id: UUID) -> j.Event:
    return j.TaskReleased(task_id=task_id)


async def test_a_signal_holds_no_word_and_no_name(context: Context, settings: Settings) -> None:
    wang, url = await hire(context, "wang"), make_url(settings.database_url.get_secret_value())
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        for channel in listen.CHANNELS:
            await connection.execute(f"LISTEN {channel}")
        claim = await reported_claim(context)
        await desk.claim_task(context, wang, await open_task(context, claim.case_id))
        await say_present(context, wang, claim.number, doing="typing", tab="a1")
        told = [notice async for notice in connection.notifies(timeout=1.0)]
    for notice in told:
        for signal in json.loads(notice.payload) if notice.channel == listen.CHANGES else [json.loads(notice.payload)]:
            assert set(signal) <= {"kind", "case", "version", "since", "actor", "tab", "doing", "discreet"}
            assert not {wang.name, "赵磊", claim.number} & set(map(str, signal.values()))
    assert {notice.channel for notice in told} == set(listen.CHANNELS)


@pytest.mark.parametrize(
    ("events", "reach"),
    [
        ((j.MessageWritten(message_id=uuid4(), direction="in", body="?"),), Reach.CASE),
        ((j.TaskClaimed(task_id=UUID(int=1), holder="staff:1", how="next"),), Reach.DESK),
        ((j.TaskClaimed(task_id=UUID(int=1), holder="staff:1", how="assign"),), Reach.MOVED),
        ((j.TaskRouted(task_id=UUID(int=1), queue="claims.review"),), Reach.MOVED),
        ((j.CaseBarred(actor="staff:1", reason="own_case"),), Reach.MOVED),
        ((j.ClockBreached(clock="claim.total", legal_at=None),), Reach.DESK),  # type: ignore[arg-type]
        (
            (
                j.TaskOpened(task_id=UUID(int=1), kind="initial_review", queue="q", stage="review", ask={}),
                j.TaskRouted(task_id=UUID(int=1), queue="claims.review"),
            ),
            Reach.DESK,
        ),
    ],
    ids=["a message", "taken", "given", "routed again", "barred", "late", "opened and routed"],
)
def test_a_change_reaches_whose_pages_it_alters(events: tuple[j.Event, ...], reach: Reach) -> None:
    assert reach_of(events) is reach


def test_payloads_stay_below_what_postgres_takes() -> None:
    many = [Change(case_id=uuid4(), version=n, since=n - 1, reach=Reach.MOVED) for n in range(1, 1000)]
    payloads = packed(many)
    assert max(map(len, payloads)) <= LONGEST_PAYLOAD
    assert [change for payload in payloads for change in unpacked(payload)] == many
    for nonsense in ("", "1", '{"a": 1}', '[{"case": 1}]', "[[]]"):
        with pytest.raises(ValueError):
            unpacked(nonsense)


# --- to whom ----------------------------------------------------------------------------------------------------------


async def test_lists_are_renewed_where_the_task_lies_and_with_whoever_has_it(context: Context) -> None:
    wang, chen = await hire(context, "wang"), await hire(context, "chen")
    here = replace(chen, id="staff:1", queues=("claims.review",))
    elsewhere = replace(chen, id="staff:2", queues=("claims.payment",))
    holder = replace(wang, queues=("claims.payment",))
    case_id = (await reported_claim(context)).case_id
    async with listening(context) as hub:
        await asyncio.sleep(0.2)
        with hub.subscribed(here) as a, hub.subscribed(elsewhere) as b, hub.subscribed(holder) as c:
            task_id = await open_task(context, case_id)
            assert [(await heard(ear)).desk for ear in (a, b, c)] == [True, False, False]
            await desk.claim_task(context, wang, task_id)
            assert [(await heard(ear)).desk for ear in (a, b, c)] == [True, False, True]
            await desk.release_task(context, wang, task_id)
            assert [(await heard(ear)).desk for ear in (a, b, c)] == [True, True, True], "it went from one to another"


@pytest.mark.req("SEC-1")
async def test_that_a_suspicion_is_looked_into_moves_only_lists_of_readers_of_risk(context: Context) -> None:
    shen, tang = await hire(context, "shen"), await hire(context, "tang")
    case_id = (await reported_claim(context)).case_id
    async with listening(context) as hub:
        await asyncio.sleep(0.2)
        with hub.subscribed(shen) as knows, hub.subscribed(tang) as does_not:
            task_id = await open_task(context, case_id, kind="examine_suspicion", queue="claims.special", ask={})
            assert [(await heard(ear)).desk for ear in (knows, does_not)] == [True, False]
            await desk.claim_task(context, shen, task_id)
            await desk.release_task(context, shen, task_id)
            assert [(await heard(ear)).desk for ear in (knows, does_not)] == [True, False]


@pytest.mark.req("SEC-1")
async def test_people_outside_hear_of_their_own_cases_alone(context: Context) -> None:
    wei, li = await hire(context, "wei"), await hire(context, "li")
    theirs, other = await reported_claim(context), await reported_claim(context)
    survey = await open_task(context, theirs.case_id, kind="external_adjuster", queue="claims.external", ask={})
    await desk.assign_task(context, li, survey, to="wei")
    async with listening(context) as hub:
        await asyncio.sleep(0.2)
        with hub.subscribed(wei) as ear:
            await as_process(context, other.case_id, j.StageEntered(stage="review"))
            assert await ear.news(within=SILENCE) in (None, News())
            await as_process(context, theirs.case_id, j.StageEntered(stage="review"))
            news = await heard(ear)
            assert (set(news.cases), news.desk, news.board) == ({theirs.case_id}, True, False)
            await say_present(context, li, theirs.number, doing="viewing", tab="1")
            assert await silence(ear), "who of ours looks at a case is not for people outside"


# --- what is missed ---------------------------------------------------------------------------------------------------


async def test_a_slow_browser_is_told_to_ask_for_everything(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_PENDING", 3)
    li = await hire(context, "li")
    cases = [(await reported_claim(context)).case_id for _ in range(5)]
    async with listening(context) as hub:
        await asyncio.sleep(0.2)
        with hub.subscribed(li) as ear:
            for case_id in cases:
                await as_process(context, case_id, j.StageEntered(stage="review"))
                await asyncio.sleep(0.06)
            async with asyncio.timeout(PATIENCE):
                while not ear._pending.everything:
                    await asyncio.sleep(0.01)
            assert len(ear._pending.cases) <= 3
            assert (await heard(ear)).everything


async def test_a_page_hears_what_happened_since_it_was_made(context: Context) -> None:
    li = await hire(context, "li")
    claim = await reported_claim(context)
    async with listening(context) as hub:
        await asyncio.sleep(0.2)
        hub._happened.clear()
        made_at = context.now()
        await open_task(context, claim.case_id)
        await asyncio.sleep(0.2)
        with hub.subscribed(li, since=made_at) as ear:
            news = await heard(ear)
            assert (set(news.cases), news.desk, news.everything) == ({claim.case_id}, True, False)
        with hub.subscribed(li) as ear:
            assert await silence(ear)
        with hub.subscribed(li, since=made_at - timedelta(minutes=10)) as ear:
            assert (await heard(ear)).everything


async def test_a_lost_connection_is_made_anew_and_everything_asked_for(context: Context, servers: Servers) -> None:
    li = await hire(context, "li")
    claim = await reported_claim(context)
    async with listening(context) as hub:
        await asyncio.sleep(0.2)
        with hub.subscribed(li) as ear:
            assert await asyncio.to_thread(_hang_up, servers, context.settings) == 1
            assert (await heard(ear)).everything
            await ear.rest()
            await open_task(context, claim.case_id)
            assert claim.case_id in (await heard(ear)).cases


def _hang_up(servers: Servers, settings: Settings) -> int:
    """End the listening connections of this test's database."""
    engine = create_engine(servers.postgres_admin_url, isolation_level="AUTOCOMMIT")
    database = make_url(settings.database_url.get_secret_value()).database
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lian live' AND datname = :d"
    )
    with engine.connect() as connection:
        ended = connection.execute(text(query), {"d": database}).all()
    engine.dispose()
    return len(ended)


async def test_what_cannot_be_told_becomes_everything_once_it_can(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, Sequence[str]]] = []

    async def ring(database: Database, channel: str, payloads: Sequence[str]) -> None:
        sent.append((channel, payloads))
        if len(sent) == 1:
            raise DatabaseUnavailable("away")

    monkeypatch.setattr(announcing, "ring", ring)
    monkeypatch.setattr(announcing, "RETRY", 0.01)
    await reported_claim(context)
    await context.announcer.close()
    assert sent[1:] == [(listen.CHANGES, ["everything"])]


async def test_many_changes_go_out_together(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[Any] = []

    async def ring(database: Database, channel: str, payloads: Sequence[str]) -> None:
        rung.append([change for payload in payloads for change in unpacked(payload)])

    case_ids = {(await reported_claim(context)).case_id for _ in range(4)}
    await asyncio.sleep(SILENCE)
    monkeypatch.setattr(announcing, "ring", ring)
    monkeypatch.setattr(announcing, "PAUSE", 0.5)
    begun = perf_counter()
    for n in range(20):
        for case_id in case_ids:
            await as_process(context, case_id, j.CaseTagged(tag="catastrophe", code=f"T{n}"))
    await asyncio.sleep(0.6)
    changes = [change for batch in rung for change in batch]
    assert len(rung) <= (perf_counter() - begun) / 0.5 + 1, "eighty transactions ring twice a second"
    assert {change.case_id for change in changes} == case_ids


async def test_a_hub_that_closes_lets_go_of_every_browser(context: Context) -> None:
    li = await hire(context, "li")
    async with listening(context) as hub:
        with hub.subscribed(li) as ear:
            assert hub.subscribers == 1
            hub.close()
            assert await ear.news(within=PATIENCE) is None
            assert ear.is_over
        assert hub.subscribers == 0
        with hub.subscribed(li) as late:
            assert late.is_over


async def test_a_word_nobody_understands_harms_nobody(context: Context) -> None:
    li = await hire(context, "li")
    claim = await reported_claim(context)
    async with listening(context) as hub:
        await asyncio.sleep(0.2)
        with hub.subscribed(li) as ear:
            for channel in listen.CHANNELS:
                await listen.ring(context.db, channel, ["", "[1]", '{"case": 7}'])
            await open_task(context, claim.case_id)
            assert claim.case_id in (await heard(ear)).cases


# --- who is there -----------------------------------------------------------------------------------------------------


async def test_all_processes_hear_who_looks_at_a_case_and_who_writes(context: Context, settings: Settings) -> None:
    li, wang, tang = [await hire(context, name) for name in ("li", "wang", "tang")]
    claim = await reported_claim(context)
    async with (
        open_context(settings, FakeProcess()) as other,
        listening(context) as here,
        listening(other) as there,
    ):
        with here.subscribed(wang) as own, there.subscribed(tang) as ear:
            await say_present(context, wang, claim.number, doing="viewing", tab="1")
            assert (await heard(ear)).presence == {claim.case_id}
            assert there.register.others(claim.case_id, tang, context.now()) == {wang.id: Doing.VIEWING}
            await say_present(context, wang, claim.number, doing="viewing", tab="1")
            assert await silence(ear), "that they still look is no news"
            await say_present(context, wang, claim.number, doing="typing", tab="2")
            assert (await heard(ear)).presence == {claim.case_id}
            assert there.register.others(claim.case_id, li, context.now()) == {wang.id: Doing.TYPING}
            await say_present(context, wang, claim.number, doing="left", tab="2")
            assert (await heard(ear)).presence == {claim.case_id}
            assert there.register.others(claim.case_id, li, context.now()) == {wang.id: Doing.VIEWING}
            assert await silence(own), "nobody is told of themselves"
            assert there.register.others(claim.case_id, wang, context.now()) == {}


@pytest.mark.req("SEC-1")
async def test_that_a_special_investigator_looks_is_for_readers_of_risk(context: Context) -> None:
    shen, tang, wang = [await hire(context, name) for name in ("shen", "tang", "wang")]
    claim = await reported_claim(context)
    async with listening(context) as hub:
        with hub.subscribed(tang) as does_not, hub.subscribed(wang) as knows:
            await say_present(context, shen, claim.number, doing="viewing", tab="1")
            assert (await heard(knows)).presence == {claim.case_id}
            assert await silence(does_not)
            assert hub.register.others(claim.case_id, wang, context.now()) == {shen.id: Doing.VIEWING}
            assert hub.register.others(claim.case_id, tang, context.now()) == {}


async def test_whoever_is_not_heard_of_for_a_while_has_left(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EXPIRE_EVERY", 0.05)
    li, wang = await hire(context, "li"), await hire(context, "wang")
    claim = await reported_claim(context)
    now = context.now
    async with listening(context) as hub:
        with hub.subscribed(li) as ear:
            await say_present(context, wang, claim.number, doing="viewing", tab="1")
            assert (await heard(ear)).presence == {claim.case_id}
            context.now = lambda: now() + EXPIRES_AFTER
            assert hub.register.others(claim.case_id, li, context.now()) == {}
            assert (await heard(ear)).presence == {claim.case_id}
            assert hub.register._pages == {}


async def test_presence_is_said_of_cases_one_may_see(context: Context) -> None:
    wang, ning = await hire(context, "wang"), await hire(context, "ning")
    claim = await reported_claim(context)
    for actor, refused in ((ning, NotFound), (await as_customer(context, claim.number), NotAllowed)):
        with pytest.raises(refused):
            await say_present(context, actor, claim.number, doing="viewing", tab="1")
    for doing, tab in (("sleeping", "1"), ("viewing", ""), ("viewing", "A" * 17), ("viewing", "<b>")):
        with pytest.raises(Invalid):
            await say_present(context, wang, claim.number, doing=doing, tab=tab)


def test_more_open_pages_than_are_kept_are_not_shown(monkeypatch: pytest.MonkeyPatch, context: Context) -> None:
    monkeypatch.setattr("lian.services.presence.MOST_KEPT", 2)
    register, viewer = Register(), Actor(id="staff:9", name="李强", roles=("team_lead",))
    pages = [Present(case_id=UUID(int=n), actor="staff:1", tab="1", doing=Doing.VIEWING) for n in range(3)]
    assert [register.note(page, context.now()) for page in pages] == [True, True, False]
    assert register.others(UUID(int=2), viewer, context.now()) == {}
    register.note(replace(pages[0], doing=Doing.LEFT), context.now())
    assert register.note(pages[2], context.now())
