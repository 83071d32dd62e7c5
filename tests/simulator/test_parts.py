"""The simulator's parts: papers, the client's patience, the bank, the cast, the checks and the costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from typer.testing import CliRunner

from infra.embedded.errors import StackError
from infra.simulator import choices, papers
from infra.simulator import client as api_client
from infra.simulator.bank import Bank
from infra.simulator.checks import OnTime, on_time, outcomes, problems_of
from infra.simulator.client import Api, Away, Refused
from infra.simulator.costs import Cost, Spread, cost_of, spread
from infra.simulator.customers import due_to_withdraw
from infra.simulator.demo import ANSWERED, PATHS, Scene
from infra.simulator.demo_data import TARGETS, demo_claims
from infra.simulator.staff import Account, Memory, Robot, cast, shuffled
from lian.cli import app
from lian.domain.claims.fnol import check_coverages, check_report
from lian.domain.claims.terms import PolicySnapshot
from lian.storage.bank_files import BankAnswer, PaymentOrder, read_pain_002, render_pain_001
from lian.storage.content import JPEG, PDF, recognise
from tests.fakes.object_store import MemoryObjectStore

Json = dict[str, Any]
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


# --- papers -----------------------------------------------------------------------------------------------------------


def test_papers_are_what_they_say_and_each_is_different() -> None:
    assert recognise(papers.pdf("a"), filename="a.pdf") == PDF
    assert recognise(papers.jpeg("a"), filename="a.jpg") == JPEG
    assert papers.pdf("a") != papers.pdf("b")
    assert papers.jpeg("a") != papers.jpeg("b")


def test_a_papers_cross_references_point_at_its_objects() -> None:
    body = papers.pdf("(tricky) \\ words 中文")
    place = int(body.rpartition(b"startxref\n")[2].split()[0])
    assert body[place:].startswith(b"xref")
    places = [int(line[:10]) for line in body[place:].splitlines()[3:8]]
    assert [body[p : p + 7] for p in places] == [b"%d 0 obj" % n for n in range(1, 6)]


# --- the client -------------------------------------------------------------------------------------------------------


def transport(*answers: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A server that gives these answers one after the other, and what it was asked."""
    left, asked = list(answers), list[httpx.Request]()

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.MockTransport(handle), asked


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between attempts."""
    monkeypatch.setattr(api_client, "FIRST_WAIT", 0.0)


@pytest.mark.usefixtures("impatient")
async def test_an_outage_is_waited_out_with_the_same_key() -> None:
    server, asked = transport(
        httpx.ConnectError("no"), httpx.Response(503), httpx.ReadTimeout("lost"), httpx.Response(200, json={"seq": 4})
    )
    async with Api("http://x/api/v1", transport=server) as api:
        assert await api.command("adjudicate", "POST", "/tasks/1/complete", token="t", key="k", body={}) == {"seq": 4}
    assert [request.headers["Idempotency-Key"] for request in asked] == ["k"] * 4
    assert (api.tally.done, api.tally.retries) == (1, 3)


async def test_a_refusal_is_told_once_and_not_repeated() -> None:
    server, asked = transport(httpx.Response(409, json={"code": "conflict", "detail": "This task is no longer open."}))
    async with Api("http://x", transport=server) as api:
        with pytest.raises(Refused, match="no longer open"):
            await api.command("adjudicate", "POST", "/tasks/1/complete", body={})
    assert (len(asked), api.tally.done, api.tally.refusals) == (1, 0, {"adjudicate: conflict": 1})


@pytest.mark.usefixtures("impatient")
async def test_a_robot_gives_up_after_its_patience() -> None:
    server, _ = transport(*[httpx.Response(503)] * 3)
    async with Api("http://x", transport=server, patience=-1) as api:
        with pytest.raises(Away):
            await api.call("GET", "/queues")


async def test_pages_are_read_to_the_last() -> None:
    server, asked = transport(
        httpx.Response(200, json={"items": [{"n": 1}], "next": "c"}),
        httpx.Response(200, json={"items": [{"n": 2}], "next": None}),
    )
    async with Api("http://x", transport=server) as api:
        assert [item["n"] async for item in api.pages("/cases", token="t", query={"status": "open"})] == [1, 2]
    assert asked[1].url.params["cursor"] == "c"


# --- staff ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-9")
async def test_a_robot_that_is_given_its_own_decision_says_so() -> None:
    task = {"id": str(uuid4()), "kind": "authorise", "case_number": "CLM-1", "ask": {}}
    server, _ = transport(httpx.Response(201, json={"token": "t"}), httpx.Response(200, json={}))
    account = Account(username="robot-senior-1", password="p", name="", role="claims_adjuster_senior")
    async with Api("http://x", transport=server) as api:
        robot = Robot(api, account, 1, lambda asked, outcome: None, Memory({"CLM-1": "robot-senior-1"}))
        await robot.answer(task)
    assert robot.violations == ["CLM-1: robot-senior-1 was given its own decision to authorise"]


async def test_a_decision_that_comes_back_is_a_new_choice_whoever_gets_it() -> None:
    task = {"id": str(uuid4()), "kind": "authorise", "case_number": "CLM-1", "ask": {}}
    server, asked = transport(*[httpx.Response(200, json={})] * 40)
    memory = Memory()
    async with Api("http://x", transport=server) as api:
        for n in range(40):
            account = Account(username=f"robot-lead-{n}", password="p", name="", role="team_lead")
            await Robot(api, account, 1, lambda asked, outcome: None, memory, token="t").answer(task)
    agreed = [json.loads(request.content)["outcome"]["agree"] for request in asked]
    assert agreed.count(False) < 10
    assert agreed.count(True) > 20


@pytest.mark.parametrize("size", [4, 5, 12, 40])
def test_a_cast_of_any_size_can_close_every_case(size: int) -> None:
    staff = cast(size)
    roles = {role for _, _, role in staff}
    assert len(staff) == len({username for username, _, _ in staff}) == size
    assert {"customer_service", "team_lead", "claims_adjuster_senior"} <= roles


def test_decisions_that_wait_for_authority_come_first() -> None:
    order = list(shuffled(("a", "claims.authority", "b"), Random(1)))
    assert order[0] == "claims.authority"
    assert sorted(order) == ["a", "b", "claims.authority"]


def test_few_customers_withdraw_and_the_seed_says_who() -> None:
    numbers = [f"CLM-{n}" for n in range(1000)]
    assert due_to_withdraw(numbers, 1) == due_to_withdraw(numbers, 1)
    assert 5 < len(due_to_withdraw(numbers, 1)) < 40


# --- the bank ---------------------------------------------------------------------------------------------------------


def instruct(store: MemoryObjectStore, payment_id: UUID) -> None:
    order = PaymentOrder(
        payment_id=payment_id,
        amount=Decimal("12.50"),
        currency="CNY",
        payee_name="赵磊",
        payee_account="6222020200112233",
        payee_bank="ICBC",
        remittance="CLM-2026-000001",
        requested_at=NOW,
        execution_on=date(2026, 11, 23),
    )
    body = render_pain_001(order, debtor_name="L", debtor_account="LIANOPERATING01", debtor_bank="LIANCNBJ")
    store.put_bytes(f"bank/out/{payment_id}.xml", body, content_type="application/xml")


def read_answers(store: MemoryObjectStore) -> list[BankAnswer]:
    return [a for key in sorted(store.bodies) if key.startswith("bank/in/") for a in read_pain_002(store.bodies[key])]


@pytest.mark.req("CLM-10")
def test_the_bank_answers_each_instruction_once_also_after_a_restart() -> None:
    store, payments = MemoryObjectStore(), [uuid4(), uuid4()]
    for payment in payments:
        instruct(store, payment)
    assert Bank(store, 1).answer_all() == 2
    restarted = Bank(store, 1)
    assert restarted.answer_all() == 0
    instruct(store, third := uuid4())
    assert restarted.answer_all() == 1
    assert {a.payment_id for a in read_answers(store)} == {*payments, third}
    assert all(count == 1 for count in store.writes.values())


def test_the_bank_waits_while_the_store_is_away_and_may_hold_an_answer_back() -> None:
    store = MemoryObjectStore()
    instruct(store, uuid4())
    bank = Bank(store, 1, lambda order, random: None)
    assert bank.answer_all() == 0
    store.away = True
    assert bank.answer_all() == 0
    store.away = False
    bank.says = lambda order, random: (False, "AC04 closed account number")
    assert bank.answer_all() == 1
    assert [(a.status, bank.rejected) for a in read_answers(store)] == [("rejected", 1)]


# --- checks -----------------------------------------------------------------------------------------------------------


def closed_case(**changes: Any) -> Json:
    """A paid case with everything in order."""
    case: Json = {
        "number": "CLM-1",
        "outcome": "paid",
        "claimed_amount": "100.00",
        "approved_amount": "90.00",
        "exposures": [{"claimed_amount": "60.00"}, {"claimed_amount": "40.00"}],
        "tasks": [{"kind": "adjudicate", "status": "completed"}],
        "clocks": [{"clock": "claim.total", "status": "met"}],
        "requests": [{"id": "r", "status": "answered"}],
        "decisions": [{"id": "d", "status": "final", "needs_second": True, "decided_by": "a", "authorised_by": "b"}],
        "payments": [
            {"id": "p0", "status": "rejected", "amount": "90.00", "voucher_document_id": None},
            {"id": "p1", "status": "confirmed", "amount": "50.00", "voucher_document_id": "v1"},
            {"id": "p2", "status": "confirmed", "amount": "40.00", "voucher_document_id": "v2"},
        ],
        "documents": [{"id": v, "source": "letter", "item": "voucher"} for v in ("v1", "v2")],
    }
    return case | changes


NOTICE = {"id": "n", "source": "letter", "item": "denial"}
UNPAID: Json = {"payments": [], "approved_amount": "0.00"}


@pytest.mark.parametrize(
    "case",
    [
        closed_case(),
        closed_case(outcome="denied", documents=[NOTICE], **UNPAID),
        closed_case(outcome="withdrawn", documents=[], **UNPAID),
    ],
)
def test_a_case_in_order_has_no_problem(case: Json) -> None:
    assert problems_of(case) == []


def _underpay(case: Json) -> None:
    case["payments"][1]["amount"] = "49.99"


def _lose_voucher(case: Json) -> None:
    case["payments"][1]["voucher_document_id"] = None


def _share_voucher(case: Json) -> None:
    case["payments"][1]["voucher_document_id"] = "v2"


def _keep_sending(case: Json) -> None:
    case["payments"][0]["status"] = "sent"


def _one_person(case: Json) -> None:
    case["decisions"][0]["authorised_by"] = "a"


def _other_sum(case: Json) -> None:
    case["exposures"][0]["claimed_amount"] = "61.00"


def _open_task(case: Json) -> None:
    case["tasks"][0]["status"] = "open"


def _running_clock(case: Json) -> None:
    case["clocks"][0]["status"] = "running"


def _no_notice(case: Json) -> None:
    case |= UNPAID | {"outcome": "denied"}


def _two_notices(case: Json) -> None:
    case |= UNPAID | {"outcome": "denied", "documents": [NOTICE, NOTICE | {"id": "m"}]}


def _denied_and_paid(case: Json) -> None:
    case |= {"outcome": "denied", "documents": [NOTICE]}


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_underpay, "89.99 was paid, 90.00 approved"),
        (_lose_voucher, "a payment has no voucher of its own"),
        (_share_voucher, "a payment has no voucher of its own"),
        (_keep_sending, "payment p0 is sent"),
        (_one_person, "decision d was made and authorised by one person, or by nobody"),
        (_other_sum, "its losses add up to 101.00, the claim says 100.00"),
        (_open_task, "task adjudicate is still open"),
        (_running_clock, "clock claim.total still runs"),
        (_no_notice, "it has 0 denial notices instead of one"),
        (_two_notices, "it has 2 denial notices instead of one"),
        (_denied_and_paid, "it is denied and has a payment"),
    ],
)
def test_each_thing_out_of_order_is_named(spoil: Callable[[Json], None], problem: str) -> None:
    case = closed_case()
    spoil(case)
    assert problems_of(case) == [f"CLM-1: {problem}"]


def test_promises_are_counted_once_they_have_ended() -> None:
    clocks = [{"clock": "x", "status": s} for s in ("met", "met", "met", "late", "cancelled", "running")]
    found = on_time([{"clocks": clocks}])
    assert (found, found.rate) == (OnTime(met=3, late=1), 0.75)
    assert on_time([]).rate == 1.0


def test_outcomes_are_counted() -> None:
    assert outcomes([{"outcome": "paid"}, {"outcome": "denied"}, {"outcome": "paid"}]) == {"denied": 1, "paid": 2}


# --- costs ------------------------------------------------------------------------------------------------------------


def event(kind: EventType.ValueType) -> HistoryEvent:
    return HistoryEvent(event_type=kind)


def test_a_history_is_counted_as_the_service_bills_it() -> None:
    marker = event(EventType.EVENT_TYPE_MARKER_RECORDED)
    marker.marker_recorded_event_attributes.marker_name = "core_local_activity"
    marker.marker_recorded_event_attributes.workflow_task_completed_event_id = 4
    attempt = event(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
    attempt.activity_task_started_event_attributes.attempt = 3
    history = [
        event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED),
        event(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED),
        event(EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED),
        event(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
        marker,
        marker,  # two local activities of one workflow task cost one action
        event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED),
        event(EventType.EVENT_TYPE_TIMER_STARTED),
        event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED),
        attempt,
        event(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED),
    ]
    assert cost_of(history) == Cost(actions=1 + 1 + 1 + 1 + 1 + 3 + 2, events=11)


def test_a_spread_tells_median_and_tail() -> None:
    assert spread(list(range(1, 101))) == Spread(50, 95, 100)
    assert spread([]) == Spread(0, 0, 0)


# --- the demo ---------------------------------------------------------------------------------------------------------


def test_the_demo_is_told_by_its_seed_and_every_report_is_one_we_would_take() -> None:
    claims = demo_claims(NOW)
    assert claims == demo_claims(NOW)
    assert len(claims) == len({c.policy.number for c in claims}) == sum(count for _, count in TARGETS)
    for claim in claims:
        check_report(claim.report, now=NOW)
        terms = PolicySnapshot(
            policy_number=claim.policy.number,
            line=claim.policy.line,
            currency="CNY",
            term_from=claim.policy.term_from,
            term_to=None,
            coverages=claim.policy.coverages,
        )
        check_coverages(claim.report, terms)


def test_the_demo_has_both_languages_and_all_lines() -> None:
    claims = demo_claims(NOW)
    assert {claim.policy.line.value for claim in claims} == {"motor", "health", "property", "accident"}
    assert len({claim.report.reporter.name.isascii() for claim in claims}) == 2


def test_every_step_of_the_demo_can_be_played() -> None:
    assert {target for target, _ in TARGETS} == PATHS.keys()
    steps = {step for path in PATHS.values() for step in path}
    assert all(step in ANSWERED or hasattr(Scene, f"_{step}") for step in steps)
    assert all(kind in choices.ANSWERS for kind, _, _ in ANSWERED.values())


def test_the_demo_refuses_outside_demo_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAN_DATABASE_URL", "postgresql+psycopg://nowhere/x")
    monkeypatch.setenv("LIAN_DATA_KEYS", "k1:" + "A" * 43 + "=")
    monkeypatch.setenv("LIAN_S3_SECRET_KEY", "s")
    monkeypatch.delenv("LIAN_DEMO", raising=False)
    told = CliRunner().invoke(app, ["demo"])
    assert isinstance(told.exception, StackError)
    assert str(told.exception) == "The demo data set is only for a demo stack; start one with: lian up --demo"
