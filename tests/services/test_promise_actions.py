"""More time and waits outside: what the forms offer, what the customer reads, who may know what for (CLM-12)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import TypeAdapter
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Case, Document, DocumentRequest, Notice, OutboxMessage
from lian.domain import journal as j
from lian.domain.errors import Conflict, Invalid
from lian.domain.labels import Label
from lian.domain.messages import Act
from lian.domain.milestones import PAUSE_REASONS
from lian.domain.promise_actions import DOCUMENTS, PROMISE_ACTIONS, WAITS
from lian.domain.sla import Extension, Unit
from lian.notify import letters as typeset
from lian.services import letters
from lian.services.actions import act, list_offers, show_action
from lian.services.cases import case_file, timeline
from lian.services.context import Context
from lian.services.documents import add_document
from lian.services.handling import withdraw_request
from lian.services.intake import Registered
from lian.services.reading_clocks import life_of, round_of, stands_still, unpublished_year, wait_label
from lian.services.recording import CLOSE_REQUEST
from lian.services.starting import starting_state
from lian.services.tracking import track
from tests.api.conftest import as_process, start_clock
from tests.cast import as_customer, hire, once, pdf, reported_claim
from tests.fakes.process import FakeProcess

pytestmark = pytest.mark.req("CLM-12")

MORE = Extension(amount=30, source="银保监会令2020年第3号 18(1)")
CALENDAR_DAYS: dict[str, Any] = {"unit": Unit.CALENDAR_DAYS, "amount": 30, "extensions": (MORE,)}


@pytest.fixture
async def claim(context: Context) -> Registered:
    """Zhao's claim."""
    return await reported_claim(context)


async def begin_wait(
    context: Context, case_id: UUID, reason: str = "external_appraisal", *, clocks: tuple[str, ...] = ()
) -> UUID:
    """The case waits for somebody outside, as its process records it."""
    request_id, since = uuid4(), context.now()
    opened = j.RequestOpened(
        request_id=request_id,
        items=(),
        asked_at=since,
        answer_by=since + timedelta(days=20),
        is_repeat=False,
        reason=reason,
    )
    delivered = j.RequestDelivered(request_id=request_id, delivered_at=since, channel="noted")
    paused = [j.ClockPaused(clock=clock, request_id=request_id, paused_at=since) for clock in clocks]
    await as_process(context, case_id, opened, delivered, *paused)
    return request_id


async def ask_for_documents(context: Context, case_id: UUID, *items: str) -> UUID:
    request_id, now = uuid4(), context.now()
    opened = j.RequestOpened(
        request_id=request_id, items=items, asked_at=now, answer_by=now + timedelta(days=9), is_repeat=False
    )
    await as_process(context, case_id, opened)
    return request_id


async def options(context: Context, actor: Actor, number: str, action: str, name: str) -> dict[str, tuple[str, str]]:
    shown = await show_action(context, actor, number, action)
    return {option["value"]: (option["en"], option["zh"]) for option in shown.ask["options"][name]}


async def notices(context: Context, case_id: UUID) -> list[str]:
    async with context.transaction() as session:
        query = select(Notice.subject).where(Notice.case_id == case_id).order_by(col(Notice.created_at))
        return list((await session.execute(query)).scalars())


# --- a longer time ----------------------------------------------------------------------------------------------------


async def test_only_running_promises_with_time_to_give_are_offered_with_their_due_date(
    context: Context, claim: Registered
) -> None:
    wang, case_id = await hire(context, "wang"), claim.case_id
    await start_clock(context, case_id, "claim.total")
    await start_clock(context, case_id, "claim.long", **CALENDAR_DAYS)
    await start_clock(context, case_id, "claim.used", **CALENDAR_DAYS)
    await start_clock(context, case_id, "claim.broken", **CALENDAR_DAYS)
    await start_clock(context, case_id, "claim.done", **CALENDAR_DAYS)
    await start_clock(context, case_id, "claim.still", **CALENDAR_DAYS)
    now = context.now()
    extended = j.ClockExtended(clock="claim.used", amount=30, asked_by="a", approved_by="b", due_at=now, warn_at=None)
    await as_process(
        context,
        case_id,
        extended,
        j.ClockBreached(clock="claim.broken", legal_at=now),
        j.ClockStopped(clock="claim.done", stopped_at=now, verdict="met"),
    )
    await begin_wait(context, case_id, clocks=("claim.still",))
    found = await options(context, wang, claim.number, "extend_promise", "clock")
    assert [*found] == ["claim.long", "claim.still"]
    due = (await case_file(context, wang, claim.number)).clocks
    until = next(c.due_at for c in due if c.clock == "claim.long").astimezone(context.settings.zone)  # type: ignore[union-attr]
    assert found["claim.long"] == (
        f"Whole claim · due {until:%Y-%m-%d} · 30 calendar days more",
        f"理赔总时效 · {until:%Y-%m-%d}到期 · 可延长30个自然日",
    )
    assert found["claim.still"] == ("Whole claim · 30 calendar days more", "理赔总时效 · 可延长30个自然日")


async def test_nothing_to_extend_and_no_wait_to_end_are_not_offered(context: Context, claim: Registered) -> None:
    wang = await hire(context, "wang")
    offered = {offer.kind.id for offer in await list_offers(context, wang, claim.number)}
    assert "start_wait" in offered
    assert {"extend_promise", "end_wait"} & offered == set()
    await start_clock(context, claim.case_id, **CALENDAR_DAYS)
    await begin_wait(context, claim.case_id)
    offered = {offer.kind.id for offer in await list_offers(context, wang, claim.number)}
    assert {action.id for action in PROMISE_ACTIONS} >= {"extend_promise", "end_wait"}
    assert {"extend_promise", "end_wait"} <= offered


async def test_what_is_not_offered_is_not_asked_of_the_process(
    context: Context, claim: Registered, process: FakeProcess
) -> None:
    wang = await hire(context, "wang")
    await start_clock(context, claim.case_id, **CALENDAR_DAYS)
    for clock, error in (("claim.total", None), ("claim.other", Invalid)):
        asked = act(
            context,
            wang,
            claim.number,
            "extend_promise",
            outcome={"clock": clock},
            notes="鉴定结果未出",
            command_id=uuid4().hex,
        )
        if error:
            with pytest.raises(error):
                await asked
        else:
            await asked
    assert [(m.action, m.outcome) for m in process.told if isinstance(m, Act)] == [
        ("extend_promise", {"clock": "claim.total"})
    ]


# --- the letter -------------------------------------------------------------------------------------------------------


async def facts_of(context: Context, claim: Registered, clock: str) -> typeset.ExtensionFacts:
    async with context.transaction() as session:
        case = await session.get_one(Case, claim.case_id)
        return await letters._extension(context, session, case, clock)


async def test_the_letter_tells_the_old_date_and_the_new_one(context: Context, claim: Registered) -> None:
    await start_clock(context, claim.case_id, **CALENDAR_DAYS)
    facts = await facts_of(context, claim, "claim.total")
    today = context.now().astimezone(context.settings.zone).date()
    assert (facts.due, facts.new_due) == (today + timedelta(days=30), today + timedelta(days=60))
    assert (facts.addressee, facts.case_number, facts.rule) == ("赵磊", claim.number, MORE.source)
    assert (facts.promise, facts.more) == (
        Label("Whole claim", "理赔总时效"),
        Label("30 calendar days", "30个自然日"),
    )
    assert facts.is_claim
    assert facts.address == context.settings.public_url


async def test_of_a_promise_in_hours_the_letter_tells_the_moment(context: Context, claim: Registered) -> None:
    hours: dict[str, Any] = {"unit": Unit.HOURS, "amount": 48, "extensions": (Extension(24),)}
    await start_clock(context, claim.case_id, **hours)
    facts = await facts_of(context, claim, "claim.total")
    assert isinstance(facts.due, datetime)
    assert isinstance(facts.new_due, datetime)
    assert facts.new_due - facts.due == timedelta(hours=24)
    assert facts.due.tzinfo == context.settings.zone


async def test_while_it_stands_still_the_letter_guesses_no_date(context: Context, claim: Registered) -> None:
    await start_clock(context, claim.case_id, **CALENDAR_DAYS)
    await begin_wait(context, claim.case_id, clocks=("claim.total",))
    facts = await facts_of(context, claim, "claim.total")
    assert (facts.due, facts.new_due) == (None, None)


async def test_the_letter_is_filed_once_and_announced_to_the_customer(context: Context, claim: Registered) -> None:
    await start_clock(context, claim.case_id, **CALENDAR_DAYS)
    for subject in (uuid4(), uuid4()):
        for _ in range(2):
            await letters.issue_letter(
                context, claim.case_id, letter="extension", subject_id=subject, about="claim.total"
            )
    async with context.transaction() as session:
        query = select(Document).where(Document.case_id == claim.case_id, Document.letter == "extension")
        filed = (await session.execute(query)).scalars().all()
    assert [d.filename for d in filed] == [f"{claim.number}-extension.pdf"] * 2
    told = [subject for subject in await notices(context, claim.case_id) if "We need more time" in subject]
    assert len(told) == 2, "each longer time is told of"
    seen = await track(context, await as_customer(context, claim.number), claim.number)
    assert {d.item_code for d in seen.documents} == {"extension"}


# --- waits ------------------------------------------------------------------------------------------------------------


def test_waits_speak_the_packs_words() -> None:
    assert PAUSE_REASONS.keys() - WAITS.keys() == {DOCUMENTS}


async def test_the_wait_that_ends_is_chosen_by_its_words_and_days(context: Context, claim: Registered) -> None:
    wang = await hire(context, "wang")
    await ask_for_documents(context, claim.case_id, "identity")
    wait = await begin_wait(context, claim.case_id)
    found = await options(context, wang, claim.number, "end_wait", "request_id")
    zone = context.settings.zone
    since, until = context.now().astimezone(zone).date(), (context.now() + timedelta(days=20)).astimezone(zone).date()
    assert found == {
        str(wait): (
            f"An expert opinion, test or valuation · {since} – {until}",
            f"外部鉴定、检测或评估 · {since} – {until}",
        )
    }
    await as_process(context, claim.case_id, j.RequestClosed(request_id=wait, how="ended", closed_at=context.now()))
    assert await options(context, wang, claim.number, "end_wait", "request_id") == {}


async def test_no_document_ends_a_wait_and_none_is_asked_for(context: Context, claim: Registered) -> None:
    zhao, wait = await as_customer(context, claim.number), await begin_wait(context, claim.case_id)
    chunks = once(pdf())
    await add_document(context, zhao, claim.number, item_code="identity", filename="a.pdf", chunks=chunks)
    async with context.transaction() as session:
        row = await session.get_one(DocumentRequest, wait)
        closings = await session.execute(select(OutboxMessage).where(OutboxMessage.topic == CLOSE_REQUEST))
        assert (row.status, row.items, closings.all()) == ("open", {}, [])
    seen = await track(context, zhao, claim.number)
    assert (seen.waits_for_customer, seen.needed, seen.answer_by) == (False, (), None)
    assert [each.label.en for each in seen.awaited] == ["An expert opinion, test or valuation"]
    assert not any("We need documents" in subject for subject in await notices(context, claim.case_id))
    assert any("We are waiting for others" in subject for subject in await notices(context, claim.case_id))


async def test_a_wait_is_not_withdrawn_as_a_request_and_does_not_make_the_next_one_a_repeat(
    context: Context, claim: Registered
) -> None:
    wang = await hire(context, "wang")
    await begin_wait(context, claim.case_id)
    with pytest.raises(Conflict, match="no open document request"):
        await withdraw_request(context, wang, claim.number)
    assert (await starting_state(context, claim.case_id)).requests_made == 0
    asked = await ask_for_documents(context, claim.case_id, "identity")
    assert (await starting_state(context, claim.case_id)).requests_made == 1
    await withdraw_request(context, wang, claim.number)
    async with context.transaction() as session:
        query = select(OutboxMessage).where(OutboxMessage.topic == CLOSE_REQUEST)
        assert (await session.execute(query)).scalars().one().payload["request_id"] == str(asked)


async def test_the_customer_reads_that_the_promise_stands_still_and_why(context: Context, claim: Registered) -> None:
    zhao = await as_customer(context, claim.number)
    await start_clock(context, claim.case_id)
    await begin_wait(context, claim.case_id, "mediation", clocks=("claim.total",))
    seen = await track(context, zhao, claim.number)
    assert (seen.is_standing_still, seen.promised_at, seen.is_late) == (True, None, False)
    assert [each.label.zh for each in seen.awaited] == ["调解"]


@pytest.mark.req("CLM-14")
async def test_what_the_authorities_look_into_is_named_to_readers_of_risk_alone(
    context: Context, claim: Registered
) -> None:
    wang, sun, zhao = await hire(context, "wang"), await hire(context, "sun"), await as_customer(context, claim.number)
    wait = await begin_wait(context, claim.case_id, "fraud_investigation")
    taken = j.ActionTaken(action="start_wait", outcome={"reason": "fraud_investigation"}, notes="经侦立案")
    await as_process(context, claim.case_id, taken)
    assert [r.reason for r in (await case_file(context, wang, claim.number)).requests] == ["fraud_investigation"]
    for actor in (sun, zhao):
        (request,) = (await case_file(context, actor, claim.number)).requests
        assert wait_label(request.reason) == Label("Information from others", "有关方面的结果")
    assert [each.label.en for each in (await track(context, zhao, claim.number)).awaited] == ["Information from others"]
    told = {e.type for e in await timeline(context, wang, claim.number)}
    hidden = {e.type for e in await timeline(context, sun, claim.number)}
    assert told - hidden == {"request.opened", "action.taken"}
    ended = await options(context, sun, claim.number, "end_wait", "request_id")
    assert "authorities" not in ended[str(wait)][0]
    assert not any("waiting for others" in subject for subject in await notices(context, claim.case_id))
    async with context.transaction() as session:
        assert (await session.get_one(DocumentRequest, wait)).reason == "fraud_investigation", "only the copy is veiled"


# --- reading a clock --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "life", "round_"),
    [("claim.total", 1, 1), ("claim.total#2", 2, 1), ("letter@3", 1, 3), ("letter#4@12", 4, 12)],
)
async def test_a_clocks_name_says_its_life_and_round(
    context: Context, claim: Registered, name: str, life: int, round_: int
) -> None:
    await start_clock(context, claim.case_id, name)
    (clock,) = (await case_file(context, await hire(context, "wang"), claim.number)).clocks
    assert (life_of(clock), round_of(clock)) == (life, round_)


async def test_why_it_stands_still_is_the_pause_that_ends_last(context: Context, claim: Registered) -> None:
    wang = await hire(context, "wang")
    await start_clock(context, claim.case_id)
    documents = await ask_for_documents(context, claim.case_id, "identity", "bank_account")
    now = context.now()
    await as_process(context, claim.case_id, j.ClockPaused(clock="claim.total", request_id=documents, paused_at=now))
    file = await case_file(context, wang, claim.number)
    found = stands_still(file.clocks[0], file.requests)
    assert found is not None
    assert (found.reason, found.missing, found.since) == (DOCUMENTS, 2, now)
    await as_process(
        context,
        claim.case_id,
        j.ClockResumed(clock="claim.total", request_id=documents, resumed_at=now, due_at=now, warn_at=None),
    )
    file = await case_file(context, wang, claim.number)
    assert stands_still(file.clocks[0], file.requests) is None


async def test_an_unpublished_year_is_named(context: Context, claim: Registered) -> None:
    wang, zhao = await hire(context, "wang"), await as_customer(context, claim.number)
    policy = await start_clock(context, claim.case_id)
    async with context.transaction() as session:
        plan: Any = (await session.get_one(Case, claim.case_id)).plan
    today = context.now().astimezone(context.settings.zone).date()
    covered = plan["calendar"] | {"covered_from": "2020-01-01", "covered_until": today.isoformat()}
    changed = j.PlanChanged(operation_id=uuid4(), plan=plan | {"calendar": covered}, why="test")
    rebased = j.ClockRebased(
        clock="claim.total",
        policy=TypeAdapter(type(policy)).dump_python(policy, mode="json"),
        calendar="",
        due_at=None,
        warn_at=None,
    )
    await as_process(context, claim.case_id, changed, rebased)
    file = await case_file(context, wang, claim.number)
    expected = (today + timedelta(days=1)).year
    assert unpublished_year(file.case, file.clocks[0]) == expected
    seen = await track(context, zhao, claim.number)
    assert (seen.unpublished_year, seen.promised_at, seen.is_standing_still) == (expected, None, False)
