"""People outside see their own cases and nothing else, whichever way they ask (SEC-1)."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from pkgutil import walk_packages
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

import lian.services
from lian.auth.actor import Actor
from lian.auth.visibility import sees_inside
from lian.db.journal import compare
from lian.db.tables import ChainHead, CommandReceipt, Document, Exposure
from lian.domain import journal as j
from lian.domain.claims.fnol import PersonGiven
from lian.domain.errors import NotAllowed, NotFound
from lian.domain.parties import Channel, PartyRole
from lian.services import (
    accounts,
    actions,
    alerts,
    calendar_desk,
    calendar_revisions,
    cases,
    catastrophes,
    certificates,
    desk,
    documents,
    explaining,
    handling,
    intake,
    lateness,
    notices,
    overrides,
    packs,
    policies,
    presence,
    reading_money,
    replanning,
    search,
    sla_board,
    staffing,
    statements,
    tracking,
    uncovered,
    watchdog,
    what_if,
)
from lian.services.cases import CaseQuery
from lian.services.context import Context
from lian.services.desk import (
    TaskQuery,
    absence_reading,
    asking,
    bulk,
    bulk_reading,
    dealing,
    load,
    moving,
    rebalancing,
    rerouting,
    routing,
    why_dealt,
)
from lian.services.desk.bulk_verbs import Given
from lian.services.recording import put_on_record
from lian.services.sla_board import PromiseQuery
from tests.api.conftest import as_process, open_task, start_clock
from tests.cast import OFFICE, ZHAO, hire, motor_policy, once, pdf, report, reported_claim
from tests.services.promised import HOUSE

pytestmark = pytest.mark.req("SEC-1")


@dataclass(frozen=True)
class Place:
    """One case with a task, a document and a command."""

    number: str
    case_id: UUID
    task_id: UUID
    document_id: UUID

    @property
    def command(self) -> str:
        """A command that took effect on it."""
        return f"command:{self.number}"


@dataclass(frozen=True)
class World:
    """Three cases: one surveyed by wei, one brought by ning, one neither's."""

    context: Context
    surveyed: Place
    brought: Place
    strange: Place
    wei: Actor
    ning: Actor
    wang: Actor

    def own(self, who: str) -> tuple[Actor, Place]:
        """Somebody outside, and their case."""
        return {"wei": (self.wei, self.surveyed), "ning": (self.ning, self.brought)}[who]

    def foreign(self, who: str) -> list[Place]:
        """The other cases."""
        return [place for place in (self.surveyed, self.brought, self.strange) if place != self.own(who)[1]]


@pytest.fixture
async def world(context: Context) -> World:
    """The cases and the people."""
    wei, ning, wang, li = [await hire(context, name) for name in ("wei", "ning", "wang", "li")]
    surveyed, strange = [await place(context, (await reported_claim(context)).number) for _ in range(2)]
    brought = await place(context, await report_as(context, ning))
    await desk.assign_task(context, li, surveyed.task_id, to="wei")
    return World(context, surveyed, brought, strange, wei, ning, wang)


async def report_as(context: Context, actor: Actor, **changes: Any) -> str:
    number = f"P-{uuid4().hex[:8]}"
    await policies.put_policy(context, OFFICE, motor_policy(number=number))
    given = report(policy_number=number, **changes)
    registered, _ = await intake.report_claim(context, actor, given, channel=Channel.AGENT, key=uuid4().hex)
    return registered.number


async def place(context: Context, number: str) -> Place:
    async with context.transaction() as session:
        case = await cases.find_case(session, OFFICE, number)
        session.add(
            CommandReceipt(command_id=f"command:{number}", case_id=case.id, result={"seq": 5}, at=context.now())
        )
    task_id = await open_task(context, case.id, kind="external_adjuster", queue="claims.external", ask={})
    await start_clock(context, case.id)
    return Place(number, case.id, task_id, (await paper(context, number, "accident_proof")).id)


async def paper(context: Context, number: str, item: str) -> Document:
    return await documents.add_document(
        context, OFFICE, number, item_code=item, filename="a.pdf", chunks=once(pdf(f"{number}{item}"))
    )


# --- lists ------------------------------------------------------------------------------------------------------------

Listing = Callable[[World, Actor], Awaitable[set[str]]]


async def by_list(world: World, actor: Actor) -> set[str]:
    return {case.number for case in await cases.list_cases(world.context, actor, CaseQuery())}


async def by_search(world: World, actor: Actor) -> set[str]:
    places = (world.surveyed, world.brought, world.strange)
    found = [await cases.list_cases(world.context, actor, CaseQuery(text=place.number)) for place in places]
    return {case.number for each in found for case in each}


async def by_face(world: World, actor: Actor) -> set[str]:
    numbers = {place.case_id: place.number for place in (world.surveyed, world.brought, world.strange)}
    return {numbers[case_id] for case_id in await cases.faces(world.context, actor, numbers)}


async def by_words(world: World, actor: Actor) -> set[str]:
    return {hit.case.number for hit in await search.search_cases(world.context, actor, ZHAO.name)}


LISTS: dict[str, Listing] = {
    "list_cases": by_list,
    "list_cases by number": by_search,
    "faces": by_face,
    "search_cases": by_words,
}


@pytest.mark.parametrize("who", ["wei", "ning"])
@pytest.mark.parametrize("listing", LISTS)
async def test_a_list_holds_their_own_cases_only(world: World, who: str, listing: str) -> None:
    actor, own = world.own(who)
    assert await LISTS[listing](world, actor) == {own.number}
    assert await LISTS[listing](world, world.wang) > {own.number}


async def test_roles_together_see_what_each_would(world: World) -> None:
    both = Actor(id=world.wei.id, name="Both", roles=("external_adjuster", "agent"), queues=("*",))
    assert await by_list(world, both) == {world.surveyed.number}
    mine = await report_as(world.context, both)
    assert await by_list(world, both) == {world.surveyed.number, mine}
    staff = replace(both, roles=("agent", "claims_adjuster_junior"))
    assert await by_list(world, staff) > {world.strange.number, world.brought.number}
    assert sees_inside(staff)
    assert not staff.is_outside


async def test_the_desk_shows_an_external_adjuster_what_was_given_to_them(world: World) -> None:
    context = world.context
    for query in (TaskQuery(), TaskQuery(mine=True)):
        assert [t.task.id for t in await desk.list_tasks(context, world.wei, query)] == [world.surveyed.task_id]
        assert (await desk.count_tasks(context, world.wei, query)).n == 1
    assert await desk.list_tasks(context, world.ning, TaskQuery()) == []
    assert (await desk.count_tasks(context, world.ning, TaskQuery())).n == 0
    assert {q.queue: q.open for q in await desk.queues(context, world.wei) if q.open} == {"claims.external": 1}
    assert not [q for q in await desk.queues(context, world.ning) if q.open]
    with pytest.raises(NotAllowed):
        await desk.take_next(context, world.wei, "claims.external")


async def test_a_survey_that_is_done_stays_in_sight_and_one_that_was_given_back_does_not(world: World) -> None:
    done = j.TaskCompleted(task_id=world.surveyed.task_id, outcome={})
    async with world.context.transaction() as session:
        head = await session.get_one(ChainHead, world.surveyed.case_id)
        item = j.Recorded(at=world.context.now(), actor=world.wei.id, event=done)
        await put_on_record(
            world.context,
            session,
            case_id=world.surveyed.case_id,
            recorded=[item],
            source=j.PROCESS,
            first_seq=head.process_seq + 1,
        )
    assert await by_list(world, world.wei) == {world.surveyed.number}
    li = await hire(world.context, "gao")
    await desk.assign_task(world.context, li, world.strange.task_id, to="wei")
    assert await by_list(world, world.wei) == {world.surveyed.number, world.strange.number}
    await desk.release_task(world.context, world.wei, world.strange.task_id)
    assert await by_list(world, world.wei) == {world.surveyed.number}


# --- one case ---------------------------------------------------------------------------------------------------------

Visit = Callable[[Context, Actor, Place], Awaitable[Any]]

OPEN: dict[str, Visit] = {
    "case_file": lambda c, a, p: cases.case_file(c, a, p.number),
    "explain_clock": lambda c, a, p: explaining.explain_clock(c, a, p.number, "claim.total"),
    "track": lambda c, a, p: tracking.track(c, a, p.number),
    "list_documents": lambda c, a, p: documents.list_documents(c, a, p.number),
    "place_of": lambda c, a, p: presence.place_of(c, a, p.number),
    "say_present": lambda c, a, p: presence.say_present(c, a, p.number, doing="viewing", tab="1"),
    "list_actions": lambda c, a, p: actions.list_actions(c, a, p.number),
    "list_offers": lambda c, a, p: actions.list_offers(c, a, p.number),
    "answer_in_words": lambda c, a, p: statements.answer_in_words(c, a, p.number, item_code="statement", text="x"),
    "receipt_of": lambda c, a, p: desk.receipt_of(c, a, p.command),
    "add_document": lambda c, a, p: documents.add_document(
        c, a, p.number, item_code="other", filename="a.pdf", chunks=once(pdf(uuid4().hex))
    ),
}
"""What people outside may do on their own case, and on no other."""

RELEASE = bulk.Wanted(verb="release", given=Given())
AWAY = desk.NewAbsence(away_from=datetime(2998, 1, 1, tzinfo=UTC), away_until=datetime(2998, 1, 2, tzinfo=UTC))

INSIDE: dict[str, Visit] = {
    "timeline": lambda c, a, p: cases.timeline(c, a, p.number),
    "certify": lambda c, a, p: certificates.certify(c, a, p.number),
    "money_of": lambda c, a, p: reading_money.money_of(c, a, p.number),
    "withdraw": lambda c, a, p: tracking.withdraw(c, a, p.number, reason="x", command_id="x"),
    "write_message": lambda c, a, p: tracking.write_message(c, a, p.number, "x"),
    "withdraw_request": lambda c, a, p: handling.withdraw_request(c, a, p.number),
    "show_action": lambda c, a, p: actions.show_action(c, a, p.number, "set_reserve"),
    "preview": lambda c, a, p: actions.preview(c, a, p.number, "correct", outcome={}),
    "act": lambda c, a, p: actions.act(c, a, p.number, "set_reserve", outcome={}, notes="x", command_id="x"),
    "list_assignees": lambda c, a, p: desk.list_assignees(c, a, p.task_id),
    "assign_task": lambda c, a, p: desk.assign_task(c, a, p.task_id, to="wei"),
    "take_next": lambda c, a, p: desk.take_next(c, a, "claims.external"),
    "list_advisers": lambda c, a, p: asking.list_advisers(c, a, p.task_id),
    "why_dealt": lambda c, a, p: why_dealt.why_dealt(c, a, p.task_id),
    "deal_task": lambda c, a, p: dealing.deal_task(c, a, p.task_id),
    "deal": lambda c, a, p: dealing.deal(c, a, "claims.external"),
    "preview_bulk": lambda c, a, p: bulk.preview_bulk(c, a, RELEASE),
    "order_bulk": lambda c, a, p: bulk.order_bulk(c, a, p.task_id, key="x"),
    "cancel_bulk": lambda c, a, p: bulk.cancel_bulk(c, a, p.task_id),
    "undo_bulk": lambda c, a, p: bulk.undo_bulk(c, a, p.task_id),
    "list_bulk": lambda c, a, p: bulk_reading.list_bulk(c, a),
    "show_bulk": lambda c, a, p: bulk_reading.show_bulk(c, a, p.task_id),
    "list_items": lambda c, a, p: bulk_reading.list_items(c, a, p.task_id),
    "count_reasons": lambda c, a, p: bulk_reading.count_reasons(c, a, p.task_id),
    "list_colleagues": lambda c, a, p: bulk_reading.list_colleagues(c, a),
    "team_load": lambda c, a, p: load.team_load(c, a),
    "propose": lambda c, a, p: rebalancing.propose(c, a, rebalancing.Wanted(n=1)),
    "apply": lambda c, a, p: moving.apply(c, a, "x"),
    "show_routes": lambda c, a, p: routing.show_routes(c, a),
    "publish_routes": lambda c, a, p: routing.publish_routes(c, a, "{}", why="x"),
    "preview_routes": lambda c, a, p: rerouting.preview_routes(c, a),
    "apply_routes": lambda c, a, p: rerouting.apply_routes(c, a, token="x"),
    "set_staffing": lambda c, a, p: staffing.set_staffing(c, a, "wei", staffing.Staffing(team="x")),
    "list_absences": lambda c, a, p: desk.list_absences(c, a),
    "show_absence": lambda c, a, p: absence_reading.show_absence(c, a, p.task_id),
    "choices_for": lambda c, a, p: desk.choices_for(c, a),
    "note_absence": lambda c, a, p: desk.note_absence(c, a, AWAY),
    "end_absence": lambda c, a, p: desk.end_absence(c, a, p.task_id),
    "list_alerts": lambda c, a, p: alerts.list_alerts(c, a),
    "stuck_cases": lambda c, a, p: watchdog.stuck_cases(c, a),
    "board": lambda c, a, p: sla_board.board(c, a),
    "late_cases": lambda c, a, p: lateness.late_cases(c, a, lateness.LateQuery()),
    "promises": lambda c, a, p: sla_board.promises(c, a, PromiseQuery(state="running")),
    "promise_labels": lambda c, a, p: sla_board.promise_labels(c, a),
    "uncovered_clocks": lambda c, a, p: uncovered.uncovered_clocks(c, a),
    "what_if": lambda c, a, p: what_if.what_if(c, a, calendar={}),
    "preview_calendar": lambda c, a, p: replanning.preview_calendar(c, a, "CN"),
    "preview_pack": lambda c, a, p: replanning.preview_pack(c, a, "house-standard"),
    "apply_calendar": lambda c, a, p: replanning.apply_calendar(c, a, "CN", why="x", token="x"),
    "recompute": lambda c, a, p: replanning.recompute(c, a, "house-standard", why="x", token="x"),
    "publish_pack": lambda c, a, p: replanning.publish_pack(c, a, HOUSE, effective_from=date.max, why="x"),
    "publish": lambda c, a, p: packs.publish(c, a, HOUSE, effective_from=date.max, reason="x"),
    "revise_year": lambda c, a, p: calendar_revisions.revise_year(c, a, body={}, reason="x"),
    "list_calendars": lambda c, a, p: calendar_desk.list_calendars(c, a),
    "show_year": lambda c, a, p: calendar_desk.show_year(c, a, "CN", 2026),
    "change_days": lambda c, a, p: calendar_desk.change_days(c, a, "CN", 2026, days=(), reason="x", based_on=0),
    "list_operations": lambda c, a, p: replanning.list_operations(c, a),
    "latest_overrides": lambda c, a, p: overrides.latest_overrides(c, a),
    "latest_notices": lambda c, a, p: notices.latest_notices(c, a),
    "list_catastrophes": lambda c, a, p: catastrophes.list_catastrophes(c, a),
    "list_staff": lambda c, a, p: accounts.list_staff(c, a),
    "read_policy": lambda c, a, p: policies.read_policy(c, a, "P-1"),
}
"""What people outside may not do at all, not even on their own case."""

ON_TASKS: dict[str, Visit] = {
    "show_task": lambda c, a, p: desk.show_task(c, a, p.task_id),
    "talk_of": lambda c, a, p: desk.talk_of(c, a, p.task_id),
    "claim_task": lambda c, a, p: desk.claim_task(c, a, p.task_id),
    "release_task": lambda c, a, p: desk.release_task(c, a, p.task_id),
    "complete_task": lambda c, a, p: desk.complete_task(c, a, p.task_id, outcome={}, notes="x", command_id="x"),
}
"""Only on a task that was given to them."""

OPEN_DOCUMENT: dict[str, Visit] = {
    "open_document": lambda c, a, p: documents.open_document(c, a, p.number, p.document_id, how="view"),
}


@pytest.mark.parametrize("who", ["wei", "ning"])
async def test_their_own_case_opens(world: World, who: str, subtests: pytest.Subtests) -> None:
    actor, own = world.own(who)
    for name, visit in OPEN.items():
        with subtests.test(name):
            assert await visit(world.context, actor, own) is not None


@pytest.mark.parametrize("who", ["wei", "ning"])
async def test_another_case_is_not_there(world: World, who: str, subtests: pytest.Subtests) -> None:
    actor, _ = world.own(who)
    for foreign in world.foreign(who):
        for name, visit in {**OPEN, **ON_TASKS, **OPEN_DOCUMENT}.items():
            with subtests.test(name), pytest.raises(NotFound):
                await visit(world.context, actor, foreign)


@pytest.mark.parametrize("who", ["wei", "ning"])
async def test_our_inside_is_not_for_them(world: World, who: str, subtests: pytest.Subtests) -> None:
    actor, own = world.own(who)
    for each in (own, *world.foreign(who)):
        for name, visit in INSIDE.items():
            with subtests.test(name), pytest.raises((NotAllowed, NotFound)):
                await visit(world.context, actor, each)


async def test_only_the_task_that_was_given_to_them_is_theirs(world: World, subtests: pytest.Subtests) -> None:
    """A second task on the case they may see is still not theirs, and an agent works on none."""
    other = replace(world.surveyed, task_id=await open_task(world.context, world.surveyed.case_id))
    for name, visit in ON_TASKS.items():
        with subtests.test(name):
            with pytest.raises(NotFound):
                await visit(world.context, world.wei, other)
            with pytest.raises(NotFound):
                await visit(world.context, world.ning, world.brought)
    shown = await desk.show_task(world.context, world.wei, world.surveyed.task_id)
    assert shown.task.holder == world.wei.id


# --- what their own case shows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["wei", "ning"])
async def test_the_file_holds_the_loss_and_not_what_we_think_of_it(world: World, who: str) -> None:
    actor, own = world.own(who)
    await furnish_inside(world.context, own)
    file = await cases.case_file(world.context, actor, own.number)
    whole = await cases.case_file(world.context, world.wang, own.number)
    assert (file.case.place, file.case.claimed_amount) == (whole.case.place, whole.case.claimed_amount)
    assert (file.case.risk_score, file.case.risk_findings, file.case.triage_findings) == (0, [], [])
    assert [e.reserve_amount for e in whole.exposures] == [Decimal(4000)]
    assert [e.reserve_amount for e in file.exposures] == [Decimal(0)]
    assert [e.claimed_amount for e in file.exposures] == [Decimal("5000.00")]
    hidden = ("decisions", "payees", "payments", "messages", "panels", "panel_votes", "referrals", "recoveries")
    assert {name: list(getattr(file, name)) for name in hidden} == {name: [] for name in hidden}
    assert whole.decisions
    assert whole.messages
    own_tasks = [own.task_id] if who == "wei" else []
    assert [task.id for task in file.tasks] == own_tasks


async def furnish_inside(context: Context, at: Place) -> None:
    """A reserve, a score, a decision and a message."""
    async with context.transaction() as session:
        query = select(Exposure.id).where(Exposure.case_id == at.case_id)
        exposure = (await session.execute(query)).scalars().one()
    await as_process(
        context,
        at.case_id,
        j.ReserveSet(exposure_id=exposure, reserve_line="indemnity", amount=Decimal(4000), reason="estimate"),
        j.RiskScored(likelihood=4, impact=3, level="high", findings=(), table_version="risk/1"),
        j.DecisionMade(
            decision_id=uuid4(),
            decided_by="staff:a",
            result="accept",
            approved_amount=Decimal(4000),
            needs_second=True,
        ),
        j.MessageWritten(message_id=uuid4(), direction="in", body="私信"),
    )


@pytest.mark.parametrize("who", ["wei", "ning"])
async def test_of_contact_data_they_see_the_reporters(world: World, who: str) -> None:
    actor, own = world.own(who)
    parties = (await cases.case_file(world.context, actor, own.number)).parties
    assert {bool(p.phone or p.email) for p in parties if p.role == PartyRole.REPORTER} == {True}
    assert {bool(p.phone or p.email) for p in parties if p.role != PartyRole.REPORTER} == {False}
    assert all(p.name for p in parties)


async def test_an_external_adjuster_opens_claim_papers_but_no_identity_account_finding_letter_or_minutes(
    world: World,
) -> None:
    own = world.surveyed
    personal = [await paper(world.context, own.number, item) for item in ("identity", "bank_account", "evidence")]
    internal = await filed(world.context, own, "internal")
    letter = await filed(world.context, own, "letter")
    listed = await documents.list_documents(world.context, world.wei, own.number)
    assert [d.id for d in listed] == [own.document_id]
    await OPEN_DOCUMENT["open_document"](world.context, world.wei, own)
    for document_id in (*(d.id for d in personal), internal, letter):
        with pytest.raises(NotFound):
            await documents.open_document(world.context, world.wei, own.number, document_id, how="view")


async def test_an_agent_opens_only_what_they_filed(world: World) -> None:
    own = world.brought
    mine = await documents.add_document(
        world.context, world.ning, own.number, item_code="identity", filename="a.pdf", chunks=once(pdf())
    )
    assert [d.id for d in await documents.list_documents(world.context, world.ning, own.number)] == [mine.id]
    with pytest.raises(NotFound):
        await OPEN_DOCUMENT["open_document"](world.context, world.ning, own)


@pytest.mark.req("CLM-1")
async def test_an_agent_is_offered_the_papers_that_a_minor_needs(context: Context) -> None:
    ning, child = await hire(context, "ning"), PersonGiven(name="赵小", is_minor=True, represented_by=ZHAO)
    number = await report_as(context, ning, claimants=(child,))
    listed = await cases.list_cases(context, ning, CaseQuery())
    for case in (*listed, (await cases.case_file(context, ning, number)).case):
        assert "guardianship_proof" in documents.item_codes(case)


async def filed(context: Context, at: Place, source: str) -> UUID:
    document_id = uuid4()
    event = j.DocumentReceived(
        document_id=document_id,
        item_code="panel_minutes",
        source=source,
        mime="application/pdf",
        size=1,
        sha256="0" * 64,
        bucket="lian",
        key=f"cases/{document_id}",
        version_id="",
        filename="a.pdf",
    )
    await as_process(context, at.case_id, event)
    return document_id


# --- risk and suspicion are not for all staff either (CLM-14) ---------------------------------------------------------


@pytest.mark.req("CLM-14")
async def test_that_a_suspicion_is_looked_into_is_for_readers_of_risk_alone(context: Context) -> None:
    sun, shen, wang = [await hire(context, name) for name in ("sun", "shen", "wang")]
    at = await place(context, (await reported_claim(context)).number)
    ours = await open_task(context, at.case_id, kind="examine_suspicion", queue="claims.special", ask={"score": 12})
    await as_process(
        context,
        at.case_id,
        j.RiskScored(likelihood=4, impact=3, level="high", findings=(), table_version="risk/1"),
        j.RiskReferred(referral_id=uuid4(), why="score"),
    )
    await desk.claim_task(context, shen, ours)
    for actor, sees in ((shen, True), (wang, True), (sun, False)):
        types = [e.type for e in await cases.timeline(context, actor, at.number)]
        told = {name for name in types if name.startswith("risk.")} | {"task.claimed"} & set(types)
        assert told == ({"risk.scored", "risk.referred", "task.claimed"} if sees else set())
        assert (ours in {t.id for t in (await cases.case_file(context, actor, at.number)).tasks}) is sees
        assert (ours in {t.task.id for t in await desk.list_tasks(context, actor, TaskQuery())}) is sees
    with pytest.raises(NotFound):
        await desk.show_task(context, sun, ours)


@pytest.mark.req("CLM-14")
async def test_what_a_reviewer_suspects_is_for_readers_of_risk_alone(context: Context) -> None:
    sun, wang = [await hire(context, name) for name in ("sun", "wang")]
    at = await place(context, (await reported_claim(context)).number)
    reviewed = await open_task(context, at.case_id, kind="initial_review", queue="claims.review", ask={})
    outcome = {"complexity": "simple", "missing": [], "suspicion": "fraud"}
    await as_process(context, at.case_id, j.TaskCompleted(task_id=reviewed, outcome=outcome))
    for actor, sees in ((wang, True), (sun, False)):
        (told,) = [e for e in await cases.timeline(context, actor, at.number) if e.type == "task.completed"]
        shown = (await desk.show_task(context, actor, reviewed)).task.outcome
        assert shown is not None
        assert ("suspicion" in told.body["outcome"], "suspicion" in shown) == (sees, sees)
        assert told.body["outcome"]["complexity"] == shown["complexity"] == "simple"
    async with context.transaction() as session:
        assert (await compare(session, context.ring)).damages == []  # hidden from a reader, never from the record


@pytest.mark.req("SEC-3")
async def test_a_page_of_the_journal_is_full_also_when_some_of_it_is_left_out(context: Context) -> None:
    sun, at = await hire(context, "sun"), await place(context, (await reported_claim(context)).number)
    scored = j.RiskScored(likelihood=1, impact=1, level="low", findings=(), table_version="risk/1")
    message = j.MessageWritten(message_id=uuid4(), direction="in", body="?")
    await as_process(context, at.case_id, scored, scored, scored, message)
    whole = [e.chain_seq for e in await cases.timeline(context, sun, at.number)]
    paged: list[int] = []
    while page := await cases.timeline(context, sun, at.number, after=paged[-1] if paged else 0, limit=2):
        assert len(page) == 2 or page[-1].chain_seq == whole[-1]
        paged += [e.chain_seq for e in page]
    assert paged == whole


# --- nobody forgets it ------------------------------------------------------------------------------------------------

VERBS = (
    *("delegate_task", "give_back", "unassign_task", "pass_on", "hold_task", "wake_task", "prioritise_task"),
    *("cancel_task", "stand_in", "comment_on", "ask_colleague", "give_opinion", "declare_conflict"),
)
ELSEWHERE = {
    "create_staff": "administrators only, see test_access",
    "issue_reset": "administrators only, see test_access",
    "counted": "after what_if or a preview has let it pass",
    "put_policy": "the register, see test_access",
    "declare_catastrophe": "a permission of its own",
    "end_catastrophe": "a permission of its own",
    "tag_known_claims": "a permission of its own",
    "queues": "seen above",
    "list_tasks": "seen above",
    "tasks_for_customer": "the customer's one case",
    "asked_of_customer": "the customer's one case",
    "may_object": "the customer's one case",
    "name_payees": "after the desk has let the answer pass",
    "refuse_circles": "after the desk has let the answer pass",
    "prepare_correction": "after the action was let pass",
    "write_reply": "after the desk has let the answer pass",
    "reopen": "seniors only, see test_access",
    "report_claim": "makes a case",
    "open_case": "makes a case",
    "save_draft": "drafts, below",
    "read_draft": "drafts, below",
    "submit_draft": "drafts, below",
    "count_tasks": "seen above",
    "reviews_for": "what was asked of them, within the cases they see",
    **dict.fromkeys(("list_views", "count_views", "save_view", "change_view", "delete_view"), "lists of list_tasks"),
    **dict.fromkeys(("note", "take_over", "bring_back", "answer_request"), "after the task was found and let pass"),
    **dict.fromkeys(("selected", "foretold"), "after preview_bulk has let it pass"),
    **dict.fromkeys(VERBS, "every role on every task, see test_verbs_matrix"),
}


def test_every_service_that_knows_an_actor_is_looked_at_here() -> None:
    """Whoever adds a list or a page of cases adds it above, or says here why it needs no look."""
    found = set()
    for module in walk_packages(lian.services.__path__, "lian.services."):
        loaded = import_module(module.name)
        for name, function in inspect.getmembers(loaded, inspect.iscoroutinefunction):
            asks = {"context", "actor"} <= inspect.signature(function).parameters.keys()
            if asks and function.__module__ == loaded.__name__ and not name.startswith("_"):
                found.add(name)
    assert found - {*LISTS, *OPEN, *INSIDE, *ON_TASKS, *OPEN_DOCUMENT, *ELSEWHERE} == set()


async def test_an_agent_reads_and_changes_only_their_own_drafts(world: World) -> None:
    context, policy = world.context, f"P-{uuid4().hex[:8]}"
    await policies.put_policy(context, OFFICE, motor_policy(number=policy))
    given = {"number": "", "policy_number": policy, "draft": {"place": "x"}, "channel": Channel.PHONE}
    mine = await intake.save_draft(context, world.ning, **given)
    theirs = await intake.save_draft(context, OFFICE, **given)
    assert await intake.read_draft(context, world.ning, mine) == {"place": "x"}
    for visit in (
        lambda: intake.read_draft(context, world.ning, theirs),
        lambda: intake.save_draft(context, world.ning, **given | {"number": theirs}),
        lambda: intake.submit_draft(context, world.ning, theirs, report(policy_number=policy)),
    ):
        with pytest.raises(NotFound):
            await visit()
