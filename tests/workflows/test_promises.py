"""The law's own paths, walked under the shipped packs with time skipped (CLM-12, CLM-13, CMP deadlines)."""

from __future__ import annotations

import asyncio
import zlib
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, count
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client

from lian.db.crypto import KeyRing
from lian.db.tables import Clock, DocumentRequest, Task
from lian.domain.errors import Invalid
from lian.domain.messages import case_workflow_id
from lian.notify.mail import NoMailer
from lian.runtime import open_context
from lian.services import opening
from lian.services.context import utc_now
from lian.services.relay import relay_once
from lian.services.tracking import withdraw
from lian.settings import Settings
from tests.cast import as_customer
from tests.workflows.clockwork import Matter, house, law, registered
from tests.workflows.hands import PATIENCE
from tests.workflows.office import Office, assert_sound, office
from workflows.clocks import SPREAD_SECONDS
from workflows.gateway import TemporalProcess, connect
from workflows.worker import running_worker

__all__ = ["law"]
pytestmark = [pytest.mark.req("CLM-12"), pytest.mark.usefixtures("law")]

LONDON = ZoneInfo("Europe/London")
FIRST = "complaint.first_handling"
SIMPLE, COMPLEX = "cn-complaints.handle_simple", "cn-complaints.handle_complex"


def midnight(at: datetime, days: int) -> datetime:
    """24:00 of the day that many days after an instant's date."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days + 1)


async def given(client: Client) -> Client:
    return client


async def received(matter: Matter) -> datetime:
    case = await matter.case()
    assert case.received_at
    return case.received_at.astimezone(matter.context.settings.zone)


async def test_a_chinese_complaint_has_15_days_then_30_then_60_in_all(settings: Settings) -> None:
    async with house(settings, jurisdiction="CN", calendar="CN") as there:
        matter = await there.opened()
        start = await received(matter)
        await matter.does("handle_complaint", result="go_on", grade="simple")
        assert (await matter.clock(SIMPLE)).due_at == midnight(start, 15)
        await matter.pass_days(10)
        await matter.does("handle_on", result="go_on", grade="complex")
        assert (await matter.clocks())[SIMPLE] == "cancelled"
        complex_ = await matter.clock(COMPLEX)
        assert (complex_.started_at, complex_.due_at) == (start, midnight(start, 30))
        await matter.pass_days(15)
        await matter.acts("extend_promise", by="li", clock=COMPLEX)
        await matter.does("approve_extension", by="gao", agree=True)
        await matter.happened("clock.extended")
        extended = await matter.clock(COMPLEX)
        assert (extended.extended, extended.due_at) == (30, midnight(start, 60))
        with pytest.raises(Invalid):
            await matter.acts("extend_promise", by="li", clock=COMPLEX)
        await matter.pass_days(30)
        await matter.does("tell_complainant", result="told", grade="complex")
        assert (await matter.clocks())[COMPLEX] == "met"
        assert "letter.issued" in await matter.types()
        await assert_sound(matter.context)


async def test_new_facts_begin_the_full_period_again_and_a_withdrawal_ends_it(settings: Settings) -> None:
    async with house(settings, jurisdiction="CN", calendar="CN") as there:
        matter = await there.opened()
        await matter.does("handle_complaint", result="go_on", grade="simple")
        await matter.pass_days(14)
        await matter.acts("note_milestone", milestone="new_facts")
        again = await matter.clock(SIMPLE)
        assert again.due_at == midnight(await matter.now(), 15)
        await matter.pass_days(12)
        today = (await matter.now()).date()
        until = str(today + timedelta(days=30))
        await matter.acts("start_wait", reason="mediation", since_on=str(today), until_on=until)
        customer = await as_customer(matter.context, matter.number)
        await withdraw(matter.context, customer, matter.number, reason="", command_id="w")
        ended = await matter.clock(SIMPLE)
        assert (ended.status, ended.breached_at) == ("cancelled", None)
        assert [pause["to_at"] is not None for pause in ended.pauses] == [True]
        await assert_sound(matter.context)


async def test_a_wait_outside_stands_still_only_what_may_and_runs_on_by_itself(settings: Settings) -> None:
    async with house(settings, jurisdiction="CN", calendar="CN") as there:
        matter = await there.opened()
        start = await received(matter)
        await matter.does("handle_complaint", result="go_on", grade="simple")
        await matter.pass_days(5)
        today = (await matter.now()).date()
        until = today + timedelta(days=20)
        await matter.acts("start_wait", reason="external_appraisal", since_on=str(today), until_on=str(until))
        clocks = await matter.clocks()
        assert (clocks[SIMPLE], clocks["complaint.respond"]) == ("paused", "breached")
        await matter.pass_days(21)
        run_on = await matter.clock(SIMPLE)
        assert (run_on.status, run_on.due_at) == ("running", midnight(start, 15 + 20))
        await matter.does("handle_on", result="go_on")
        await matter.does("tell_complainant", result="told")
        assert (await matter.clocks())[SIMPLE] == "met"
        await assert_sound(matter.context)


async def test_a_wait_that_somebody_ends_and_one_that_the_case_outlives_both_run_on(settings: Settings) -> None:
    async with house(settings, jurisdiction="CN", calendar="CN") as there:
        matter = await there.opened()
        await matter.does("handle_complaint", result="go_on", grade="simple")
        today = (await matter.now()).date()
        for _ in range(2):
            await matter.acts(
                "start_wait", reason="mediation", since_on=str(today), until_on=str(today + timedelta(days=40))
            )
        assert (await matter.clocks())[SIMPLE] == "paused"
        waits = await matter.request_ids()
        await matter.acts("end_wait", request_id=waits[0])
        assert (await matter.clocks())[SIMPLE] == "paused"
        await matter.does("handle_on", result="go_on")
        await matter.does("tell_complainant", result="told")
        stopped = await matter.clock(SIMPLE)
        assert (stopped.status, [p["to_at"] is None for p in stopped.pauses]) == ("met", [False, False])
        await assert_sound(matter.context)


async def test_a_british_complaint_has_three_business_days_and_eight_weeks(settings: Settings) -> None:
    async with house(settings, jurisdiction="UK-ENG", calendar="UK-ENG") as there:
        matter = await there.opened()
        await matter.open_task("handle_complaint")
        src, final = await matter.clock("uk-disp.src"), await matter.clock("uk-disp.final")
        london = final.started_at.astimezone(LONDON)
        assert final.due_at == midnight(london, 56)
        assert src.due_at is not None
        assert timedelta(days=2) < src.due_at - src.started_at < timedelta(days=11)
        await matter.does("handle_complaint", result="go_on")
        await matter.pass_days(12)
        assert (await matter.clocks())["uk-disp.src"] == "breached"
        await matter.does("handle_on", result="go_on")
        await matter.pass_days(60)
        final = await matter.clock("uk-disp.final")
        assert (final.status, final.breached_at) == ("breached", final.due_at)
        await matter.does("tell_complainant", result="told")
        assert (await matter.clocks())["uk-disp.final"] == "late"
        late = [task for task in await matter.tasks() if task.kind == "explain_lateness"]
        assert "uk-disp.final" in {task.ask["clock"] for task in late}
        await assert_sound(matter.context)


async def test_what_was_done_in_time_and_noted_later_is_no_breach(settings: Settings) -> None:
    async with house(settings, jurisdiction="SG", calendar="SG") as there:
        matter = await there.opened()
        await matter.does("handle_complaint", result="go_on")
        await matter.pass_days(40)
        clock = await matter.clock("sg.final")
        assert clock.status == "breached"
        sent = clock.started_at.astimezone(matter.context.settings.zone) + timedelta(days=8)
        await matter.acts("note_milestone", milestone="holding_letter_sent", at=f"{sent:%Y-%m-%d %H:%M}")
        assert (await matter.clocks())["sg.final"] == "met"
        assert (await matter.types("clock.")).count("clock.breach_withdrawn") == 1
        await assert_sound(matter.context)


def looked_at_promptly(clock: str) -> UUID:
    """An id whose clock of this name is looked at within a second or two of its deadline."""
    ids = (uuid4() for _ in range(10_000))
    return next(id_ for id_ in ids if zlib.crc32(f"{id_}/{clock}".encode()) % SPREAD_SECONDS < 2)


async def test_an_outage_over_a_deadline_stamps_the_breach_once_at_its_legal_instant(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = chain([looked_at_promptly(FIRST)], (uuid4() for _ in count()))
    monkeypatch.setattr(opening, "uuid4", lambda: next(ids))
    client = await connect(settings, KeyRing(settings.key_ring), lazy=False)
    async with open_context(settings, TemporalProcess(partial(given, client))) as context:
        await asyncio.to_thread(context.store.ensure_bucket)
        context.now = lambda: utc_now() - timedelta(hours=24) + timedelta(seconds=4)
        matter = Matter(context, await registered(context))
        context.now = utc_now
        async with running_worker(client, context, NoMailer(), cached=10):
            await matter.open_task("handle_complaint")
        clock = await matter.clock(FIRST)
        assert clock.status == "running"
        await asyncio.sleep(6)
        assert (await matter.clock(FIRST)).status == "running"
        async with running_worker(client, context, NoMailer(), cached=10):
            await matter.happened_to(FIRST, "breached")
        clock = await matter.clock(FIRST)
        rungs = {rung["rung"]: rung for rung in clock.rungs}
        legal, seen = (datetime.fromisoformat(rungs["due"][at]) for at in ("reached_at", "seen_at"))
        assert clock.breached_at == clock.due_at == legal
        assert seen > legal
        assert (await matter.types()).count("clock.breached") == 1
        await client.get_workflow_handle(case_workflow_id((await matter.case()).id)).terminate()
        await assert_sound(context)


def american(settings: Settings, state: str, zone: str) -> Settings:
    """An office in an American state."""
    return settings.model_copy(update={"jurisdiction": state, "office_calendar": state, "office_zone": zone})


async def statuses(claim: Office, state: str) -> dict[str, str]:
    """How the state's promises stand, by their own names."""
    clocks = [c for c in await claim.rows(Clock) if c.clock.startswith(state.lower())]
    return {c.clock.removeprefix(f"{state.lower()}."): c.status for c in clocks}


async def complete(claim: Office) -> datetime:
    """Reviewed, one document asked for and sent: all items are there."""
    await claim.does("initial_review", missing=["identity"])
    async with asyncio.timeout(PATIENCE):
        while not any(request.delivered_at for request in await claim.rows(DocumentRequest)):
            await asyncio.sleep(0.05)
    await claim.upload("identity")
    await relay_once(claim.context)
    await claim.does("check_documents")
    await claim.open_task("assess_loss")
    (request,) = await claim.rows(DocumentRequest)
    closed: datetime = request.closed_at
    return closed


async def due_of(claim: Office, clock: str) -> datetime:
    found: datetime = next(c.due_at for c in await claim.rows(Clock) if c.clock == clock)
    return found.astimezone(claim.context.settings.zone)


async def test_california_has_15_days_then_40_then_letters_every_30_then_30_to_pay(settings: Settings) -> None:
    async with office(american(settings, "US-CA", "America/Los_Angeles")) as claim:
        complete_at = (await complete(claim)).astimezone(claim.context.settings.zone)
        clocks = await statuses(claim, "US-CA")
        assert {name: clocks[name] for name in ("ack", "forms", "decide")} == {
            "ack": "met",
            "forms": "met",
            "decide": "running",
        }
        first_day = midnight(complete_at, 40)
        # The last day rolls over weekends and holidays (2695.2(b)), a few days at the most.
        assert first_day <= await due_of(claim, "us-ca.decide") <= first_day + timedelta(days=4)
        await claim.acts("note_milestone", by="li", milestone="delay_notified")
        await claim.pass_time(timedelta(days=25))
        await claim.acts("note_milestone", by="li", milestone="status_letter_sent")
        letters = await statuses(claim, "US-CA")
        assert (letters["status_letter"], letters["status_letter@2"]) == ("met", "running")
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        await claim.open_task("agree_settlement")
        decided = await statuses(claim, "US-CA")
        assert (decided["decide"], decided["status_letter@2"], decided["pay"]) == ("met", "cancelled", "running")
        await claim.settle()
        await claim.closed("paid")
        assert (await statuses(claim, "US-CA"))["pay"] == "met"


async def test_texas_has_15_days_then_15_business_days_then_5_to_pay(settings: Settings) -> None:
    async with office(american(settings, "US-TX", "America/Chicago")) as claim:
        await complete(claim)
        clocks = await statuses(claim, "US-TX")
        assert [clocks[name] for name in ("ack", "request_items", "decide", "delay_cap")] == [
            *("met", "met", "running", "running")
        ]
        await claim.does("assess_loss")
        await claim.does("adjudicate")
        task = await claim.open_task("agree_settlement")
        told = task.opened_at.astimezone(claim.context.settings.zone)
        due = await due_of(claim, "us-tx.pay")
        assert timedelta(days=5) < due - told < timedelta(days=12)
        await claim.pass_time(timedelta(days=20))
        await claim.settle()
        await claim.closed("paid")
        ended = await statuses(claim, "US-TX")
        assert (ended["decide"], ended["pay"], ended["delay_cap"]) == ("met", "late", "met")
        late = [task.ask["clock"] for task in await claim.rows(Task) if task.kind == "explain_lateness"]
        assert "us-tx.pay" in late


async def test_a_claim_received_before_it_was_registered_may_be_broken_at_once_with_one_breach(
    settings: Settings,
) -> None:
    before = utc_now() - timedelta(days=60)
    async with office(settings, loss_at=before - timedelta(days=1), reported_at=before, received_at=before) as claim:
        await claim.open_task("initial_review")
        async with asyncio.timeout(PATIENCE):
            while (await claim.types()).count("clock.breached") < 2:
                await asyncio.sleep(0.05)
        clocks = {c.clock: c for c in await claim.rows(Clock)}
        assert {c.started_at for c in clocks.values()} == {before}
        rungs = [rung["rung"] for c in clocks.values() for rung in c.rungs]
        assert sorted(rungs) == ["+1d", "+1d", "due", "due"]
        await claim.does("initial_review")
        assert next(c for c in await claim.rows(Clock) if c.clock == "claim.initial_review").status == "late"
        await assert_sound(claim.context)
