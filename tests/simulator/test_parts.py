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
from infra.simulator.branches import BRANCHES, branches
from infra.simulator.checks import OnTime, on_time, outcomes, problems_of
from infra.simulator.client import Api, Away, Refused
from infra.simulator.costs import Cost, Spread, cost_of, spread
from infra.simulator.demo import Scene
from infra.simulator.demo_data import DUPLICATE, TARGETS, demo_claims
from infra.simulator.demo_steps import ANSWERED, IN_THE_WAY, PATHS
from infra.simulator.staff import FEWEST, QUEUES, Account, Memory, NoHabits, Robot, cast, draws_from, shuffled
from lian.cli import app
from lian.domain.case_kinds import KINDS
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
        robot = Robot(api, account, 1, NoHabits(), Memory({"CLM-1": "robot-senior-1"}))
        await robot.answer(task)
    assert robot.violations == ["CLM-1: robot-senior-1 was given its own decision to authorise"]


async def test_a_decision_that_comes_back_is_a_new_choice_whoever_gets_it() -> None:
    task = {"id": str(uuid4()), "kind": "authorise", "case_number": "CLM-1", "ask": {}}
    server, asked = transport(*[httpx.Response(200, json={})] * 40)
    memory = Memory()
    async with Api("http://x", transport=server) as api:
        for n in range(40):
            account = Account(username=f"robot-lead-{n}", password="p", name="", role="team_lead")
            await Robot(api, account, 1, NoHabits(), memory, token="t").answer(task)
    agreed = [json.loads(request.content)["outcome"]["agree"] for request in asked]
    assert agreed.count(False) < 10
    assert agreed.count(True) > 20


@pytest.mark.req("CLM-8", "CLM-9", "CLM-11")
@pytest.mark.parametrize("size", [FEWEST, 10, 12, 40])
def test_in_an_office_of_any_size_four_eyes_never_get_stuck(size: int) -> None:
    staff = cast(size)
    roles = [role for _, _, role in staff]
    assert len(staff) == len({username for username, _, _ in staff}) == size
    works = {role: set(draws_from(role, roles)) for role in roles}
    able = [[role for role in roles if queue in works[role]] for queue in KINDS["claim"].queues]
    assert all(people or queue == "claims.external" for queue, people in zip(KINDS["claim"].queues, able, strict=True))
    voters = [role for role in roles if "claims.panel" in works[role]]
    reviewers = [role for role in roles if "claims.objection" in works[role]]
    deciders = [role for role in roles if "claims.adjudication" in works[role]]
    assert len(voters) >= 3
    assert not set(voters) & set(deciders)
    # Whoever decided and everybody who voted are excluded from the objection.
    assert len([role for role in reviewers if role not in voters]) >= 2
    assert len(deciders) >= 2
    assert len([role for role in roles if "claims.authority" in works[role]]) >= 3


def test_every_queue_of_every_kind_is_somebodys() -> None:
    roles = [role for _, _, role in cast(FEWEST)]
    worked = {queue for role in roles for queue in draws_from(role, roles)}
    assert worked == {queue for kind in KINDS.values() for queue in kind.queues}


def test_surveys_are_given_out_where_there_is_somebody_to_give_them_to() -> None:
    assert "claims.external" in draws_from("claims_adjuster_junior", ["claims_adjuster_junior"])
    assert "claims.external" not in draws_from("claims_adjuster_junior", ["external_adjuster"])
    assert draws_from("external_adjuster", ["external_adjuster"]) == ()
    assert "claims.external" in QUEUES["external_adjuster"]


async def test_a_lead_gives_surveys_to_somebody_outside() -> None:
    waiting = {"items": [{"id": "s", "case_number": "CLM-1"}]}
    server, asked = transport(httpx.Response(200, json=waiting), httpx.Response(200, json={}))
    account = Account(username="robot-lead-1", password="p", name="", role="team_lead")
    async with Api("http://x", transport=server) as api:
        robot = Robot(api, account, 1, NoHabits(), Memory(), surveyors=("wei",), token="t")
        await robot.assign_surveys()
        await robot.assign_surveys()  # not again at once
    assert [request.url.path for request in asked] == ["/tasks", "/tasks/s/assign"]
    assert json.loads(asked[1].content) == {"to": "wei"}


@pytest.mark.req("CLM-8")
async def test_a_second_seat_of_one_panel_is_given_back() -> None:
    task = {"id": "v", "kind": "panel_vote", "case_number": "CLM-1", "ask": {}}
    refused = httpx.Response(403, json={"code": "not_allowed", "detail": "no"})
    server, asked = transport(refused, httpx.Response(200, json={}))
    account = Account(username="robot-panel-1", password="p", name="", role="panel_member")
    async with Api("http://x", transport=server) as api:
        robot = Robot(api, account, 1, NoHabits(), Memory(), token="t")
        await robot.answer(task)
    assert [request.url.path for request in asked] == ["/tasks/v/complete", "/tasks/v/release"]
    assert json.loads(asked[0].content)["notes"]
    assert robot.violations == []


class LeavesAll(NoHabits):
    """Everything is the customer's to answer."""

    async def before(self, robot: Robot, asked: Any, outcome: Json) -> bool:
        return True


async def test_what_is_left_to_the_customer_is_answered_by_staff_when_they_do_not() -> None:
    task = {"id": "c", "kind": "confirm_account", "case_number": "CLM-1", "ask": {}}
    mine = {"items": [task]}
    server, asked = transport(*[httpx.Response(200, json=each) for each in (mine, mine, task, {})])
    account = Account(username="robot-junior-1", password="p", name="", role="claims_adjuster_junior")
    async with Api("http://x", transport=server) as api:
        robot = Robot(api, account, 1, LeavesAll(), Memory(), token="t")
        await robot.answer(task)
        await robot.finish_held()
        assert len(asked) == 1
        robot.memory.left["c"] = 0.0
        await robot.finish_held()
    assert [request.url.path for request in asked][1:] == ["/tasks", "/tasks/c", "/tasks/c/complete"]


def test_decisions_that_wait_for_authority_come_first() -> None:
    order = list(shuffled(("a", "claims.authority", "b"), Random(1)))
    assert order[0] == "claims.authority"
    assert sorted(order) == ["a", "b", "claims.authority"]


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


@pytest.mark.req("CLM-10")
def test_the_bank_sends_some_money_back_later_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "BANK_RETURNS", 1.0)
    monkeypatch.setattr(choices, "BANK_REFUSES", 0.0)
    store, payment = MemoryObjectStore(), uuid4()
    instruct(store, payment)
    bank = Bank(store, 1, returned_after=3600.0)
    assert (bank.answer_all(), bank.is_quiet, bank.answer_all()) == (1, False, 0)
    bank = Bank(store := MemoryObjectStore(), 1, returned_after=0.0)
    instruct(store, payment)
    assert [bank.answer_all() for _ in range(3)] == [1, 1, 0]
    assert (bank.is_quiet, bank.returned) == (True, {payment: "CLM-2026-000001"})
    assert sorted(answer.status for answer in read_answers(store)) == ["accepted", "rejected"]


# --- checks -----------------------------------------------------------------------------------------------------------


DECIDED = {"needs_second": True, "decided_by": "a", "authorised_by": "b"}


def closed_case(**changes: Any) -> Json:
    """A paid case with everything in order."""
    case: Json = {
        "number": "CLM-1",
        "outcome": "paid",
        "claimed_amount": "100.00",
        "approved_amount": "90.00",
        "paid_amount": "90.00",
        "referrals": [{"id": "f", "status": "concluded"}],
        "objections": [],
        "corrections": [{"id": "c", "proposed_by": "a", "decided_by": "b"}],
        "recoveries": [],
        "links": [],
        "panels": [],
        "exposures": [{"claimed_amount": "60.00"}, {"claimed_amount": "40.00"}],
        "tasks": [{"kind": "adjudicate", "status": "completed"}],
        "clocks": [{"clock": "claim.total", "status": "met"}],
        "requests": [{"id": "r", "status": "answered"}],
        "decisions": [{"id": "d", "status": "final", "result": "accept", "approved_amount": "90.00"} | DECIDED],
        "payments": [
            {"id": "p0", "status": "rejected", "amount": "90.00", "voucher_document_id": None},
            {"id": "p1", "status": "confirmed", "amount": "50.00", "voucher_document_id": "v1"},
            {"id": "p2", "status": "confirmed", "amount": "40.00", "voucher_document_id": "v2"},
        ],
        "documents": [{"id": v, "source": "letter", "item": "voucher"} for v in ("v1", "v2")],
    }
    return case | changes


OVERPAID = {"recovery": "overpayment", "expected_amount": "10.00"}
NOTICE = {"id": "n", "source": "letter", "item": "denial"}
DENIAL = {"id": "d", "status": "final", "result": "deny", "approved_amount": "0.00"} | DECIDED
UNPAID: Json = {"payments": [], "approved_amount": "0.00", "paid_amount": "0.00"}
VOTES = [{"voter": "v"}, {"voter": "w"}]
PANEL = {"id": "p", "decision_id": "d", "concluded_at": "2026-11-22", "result": "carried", "votes": VOTES}
OBJECTION = {"id": "o", "decision_id": "d", "lodged_at": "2026-11-22", "decided_at": "2026-11-23", "status": "upheld"}
REVIEW = {"kind": "review_objection", "status": "completed", "opened_at": "1", "completed_by": "r"}


@pytest.mark.parametrize(
    "case",
    [
        closed_case(),
        closed_case(outcome="denied", documents=[NOTICE], decisions=[DENIAL], **UNPAID),
        closed_case(outcome="withdrawn", documents=[], **UNPAID),
        closed_case(outcome="merged", links=[{"relation": "duplicate_of", "is_back": False}], **UNPAID),
        closed_case(panels=[PANEL], objections=[OBJECTION], tasks=[REVIEW]),
        closed_case(paid_amount="80.00", approved_amount="80.00", recoveries=[OVERPAID]),
    ],
)
def test_a_case_in_order_has_no_problem(case: Json) -> None:
    assert problems_of(case) == []


def _underpay(case: Json) -> None:
    case["payments"][1]["amount"] = "49.99"
    case["paid_amount"] = "89.99"


def _overpay(case: Json) -> None:
    case["approved_amount"] = "80.00"


def _book_wrongly(case: Json) -> None:
    case["recoveries"] = [OVERPAID]


def _vote_twice(case: Json) -> None:
    case["panels"] = [PANEL | {"votes": [VOTES[0], VOTES[0]]}]


def _vote_on_own(case: Json) -> None:
    case["panels"] = [PANEL | {"votes": [{"voter": "a"}, VOTES[0]]}]


def _review_own(case: Json) -> None:
    case |= {"objections": [OBJECTION], "tasks": [REVIEW | {"completed_by": "b"}]}


def _correct_alone(case: Json) -> None:
    case["corrections"][0]["decided_by"] = "a"


def _open_referral(case: Json) -> None:
    case["referrals"][0]["status"] = "open"


def _merge_nowhere(case: Json) -> None:
    case |= UNPAID | {"outcome": "merged"}


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


def test_why_a_promise_was_broken_may_be_asked_of_a_closed_case_for_long() -> None:
    case = closed_case()
    case["tasks"].append({"kind": "explain_lateness", "status": "open"})
    assert problems_of(case) == []


def _running_clock(case: Json) -> None:
    case["clocks"][0]["status"] = "running"


def _no_notice(case: Json) -> None:
    case |= UNPAID | {"outcome": "denied", "decisions": [DENIAL]}


def _two_notices(case: Json) -> None:
    case |= UNPAID | {"outcome": "denied", "documents": [NOTICE, NOTICE | {"id": "m"}], "decisions": [DENIAL]}


def _denied_and_paid(case: Json) -> None:
    case |= {"outcome": "denied", "documents": [*case["documents"], NOTICE], "decisions": [DENIAL]}


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
        (_no_notice, "it was denied 1 times and has 0 denial notices"),
        (_two_notices, "it was denied 1 times and has 2 denial notices"),
        (_denied_and_paid, "it is denied and 90.00 is paid"),
        (_overpay, "90.00 was paid, 80.00 approved"),
        (_book_wrongly, "90.00 arrived and 10.00 is owed back, the case says 90.00"),
        (_vote_twice, "somebody voted twice in panel p"),
        (_vote_on_own, "whoever decided voted in panel p"),
        (_review_own, "objection o was reviewed by somebody who had decided"),
        (_correct_alone, "correction c was agreed to by whoever asked for it"),
        (_open_referral, "referral f is not concluded"),
        (_merge_nowhere, "it is merged and says not into which"),
    ],
)
def test_each_thing_out_of_order_is_named(spoil: Callable[[Json], None], problem: str) -> None:
    case = closed_case()
    spoil(case)
    assert set(problems_of(case)) == {f"CLM-1: {problem}"}


def test_promises_are_counted_once_they_have_ended() -> None:
    clocks = [{"clock": "x", "status": s} for s in ("met", "met", "met", "late", "cancelled", "running")]
    found = on_time([{"clocks": clocks}])
    assert (found, found.rate) == (OnTime(met=3, late=1), 0.75)
    assert on_time([]).rate == 1.0


def taken(**changes: Any) -> set[str]:
    defaults: Json = {"id": "i", "complexity": "simple", "investigations": [], "requests": []}
    found = branches([closed_case(**defaults | changes)], advanced=(), reopened=())
    assert found.keys() == set(BRANCHES)
    return {branch for branch, count in found.items() if count}


@pytest.mark.parametrize(
    ("changes", "branch"),
    [
        ({}, "paid simple"),
        ({"panels": [PANEL]}, "panel"),
        ({"referrals": [{"id": "f", "status": "concluded", "outcome": "cleared"}]}, "cleared"),
        ({"objections": [OBJECTION]}, "disputed after part payment"),
        ({"objections": [OBJECTION], "decisions": [DENIAL]}, "appealed after denial"),
        ({"objections": [OBJECTION]}, "objection upheld"),
        ({"recoveries": [OVERPAID]}, "recovery"),
        ({"requests": [{"status": "withdrawn"}]}, "request withdrawn"),
    ],
)
def test_the_branches_a_case_took_are_counted(changes: Json, branch: str) -> None:
    plain: Json = {"referrals": [], "corrections": [], "decisions": []}
    decision = {"id": "d", "status": "final", "approved_amount": "90.00", "decided_at": "1", "authorised_by": ""}
    given = plain | {"decisions": [decision]} | changes
    given["decisions"] = [decision | each for each in given["decisions"]]
    assert branch in taken(**given)


def test_a_correction_counts_by_when_it_was_said() -> None:
    decision = {"id": "d", "status": "final", "approved_amount": "1", "decided_at": "2026-02", "authorised_by": ""}
    said = {"id": "c", "status": "applied"}
    base: Json = {"referrals": [], "decisions": [decision]}
    assert "corrected before the decision" in taken(**base, corrections=[said | {"proposed_at": "2026-01"}])
    assert "corrected after it" in taken(**base, corrections=[said | {"proposed_at": "2026-03"}])


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
    assert len(claims) - 1 == len({c.policy.number for c in claims}) == sum(count for _, count in TARGETS)
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
    assert {target for target, _ in TARGETS} | {DUPLICATE} == PATHS.keys()
    steps = {step for path in PATHS.values() for step in path}
    assert all(step in ANSWERED or hasattr(Scene, f"_{step}") for step in steps)
    assert all(kind in choices.ANSWERS for kind, _, _ in ANSWERED.values())
    assert IN_THE_WAY.keys() <= choices.ANSWERS.keys()


def test_the_demo_refuses_outside_demo_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAN_DATABASE_URL", "postgresql+psycopg://nowhere/x")
    monkeypatch.setenv("LIAN_DATA_KEYS", "k1:" + "A" * 43 + "=")
    monkeypatch.setenv("LIAN_S3_SECRET_KEY", "s")
    monkeypatch.delenv("LIAN_DEMO", raising=False)
    told = CliRunner().invoke(app, ["demo"])
    assert isinstance(told.exception, StackError)
    assert str(told.exception) == "The demo data set is only for a demo stack; start one with: lian up --demo"
