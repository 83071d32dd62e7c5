"""Where a task belongs: the table, what it refuses, and what happens when a task is opened."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import col, select

from lian.db.journal import compare, verify
from lian.db.tables import Case, JournalEntry, RoutingTable, Task
from lian.domain import journal as j
from lian.domain.case_kinds import KINDS
from lian.domain.queues import QUEUES, UNROUTED
from lian.domain.urgency import read_urgency
from lian.services import route_tables
from lian.services.catastrophes import CATASTROPHE
from lian.services.context import Context
from lian.services.notices import latest_notices
from lian.services.recording import put_on_record
from lian.services.route_reading import read_routes, shipped_table, shipped_text
from lian.services.route_tables import facts_in, tasks_with_facts, version_in_force
from lian.services.routes import FACTS, BadRoutes, Fact, Route
from lian.settings import Settings
from tests.api.conftest import as_process, open_task
from tests.cast import OFFICE, reported_claim
from tests.services.made_routes import KEEP_ALL, jdm, written

pytestmark = pytest.mark.req("TSK-3")

PLAIN: dict[str, Fact] = {
    "kind": "claim",
    "task": "initial_review",
    "queue": "claims.review",
    "stage": "review",
    "line": "motor",
    "region": "",
    "claimed_amount": Decimal("5000.00"),
    "complexity": "simple",
    "severity": "minor",
    "injured": False,
    "minors": False,
    "catastrophe": "",
    "in_catastrophe": False,
    "channel": "phone",
    "risk_level": "low",
    "reopened": False,
}


def route(*rules: dict[str, str], **facts: Fact) -> Route | None:
    return read_routes(written(*rules), version="draft").route(PLAIN | facts)


def rule_of(*rules: dict[str, str], **facts: Fact) -> str:
    found = route(*rules, **facts)
    return found.rule if found else ""


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_shipped_table_keeps_every_queue_and_fits_every_task() -> None:
    table = shipped_table()
    assert table.version == "routes/1"
    assert {row.route.queue for row in table.rows} == {"keep"}
    assert not any(row.route.skills or row.route.raised for row in table.rows)
    assert not table.rows[-1].when, "its last row catches everything"


@pytest.mark.parametrize(
    ("severity", "injured", "minors", "green"),
    [
        ("major", True, False, True),
        ("major", False, True, True),
        ("major", False, False, False),
        ("moderate", True, True, False),
        ("", False, False, False),
    ],
)
@pytest.mark.req("TSK-2")
def test_the_green_channel_is_for_major_losses_with_people_hurt_or_children(
    severity: str, injured: bool, minors: bool, green: bool
) -> None:
    found = shipped_table().route(PLAIN | {"severity": severity, "injured": injured, "minors": minors})
    assert found is not None
    assert found.green is green


def test_the_first_row_that_fits_counts() -> None:
    small = {"_id": "small", "claimed_amount": "<= 5000", "queue": "'claims.external'", "skills": "['skill:quick']"}
    motor = {"_id": "motor", "line": "'motor', 'property'", "queue": "'keep'", "raised": "true"}
    assert route(small, motor) == Route("claims.external", ("skill:quick",), green=False, raised=False, rule="small")
    assert route(small, motor, claimed_amount=Decimal("5000.01")) == Route("keep", (), False, True, "motor")
    assert route(small, motor, claimed_amount=Decimal(6000), line="health") is None


@pytest.mark.parametrize(
    ("fact", "cell", "fits", "fits_not"),
    [
        ("kind", "'claim'", "claim", "inquiry"),
        ("task", "'authorise'", "authorise", "survey"),
        ("queue", "'claims.review'", "claims.review", "claims.external"),
        ("stage", "'review'", "review", "report"),
        ("line", "''", "", "motor"),
        ("region", "'north', 'south'", "south", "north-west"),
        ("claimed_amount", "> 200000.50", Decimal("200000.51"), Decimal("200000.50")),
        ("claimed_amount", ">= 100", Decimal(100), Decimal("99.99")),
        ("claimed_amount", "[10..20]", Decimal(20), Decimal("20.01")),
        ("claimed_amount", "5000", Decimal("5000.00"), Decimal("5000.01")),
        ("complexity", "'complex'", "complex", "simple"),
        ("severity", "'major', ''", "", "minor"),
        ("injured", "true", True, False),
        ("minors", "false", False, True),
        ("catastrophe", "'TYPHOON-2026'", "TYPHOON-2026", ""),
        ("in_catastrophe", "true", True, False),
        ("channel", "'web'", "web", "agent"),
        ("risk_level", "'high'", "high", ""),
        ("reopened", "true", True, False),
    ],
)
def test_each_fact_is_compared(fact: str, cell: str, fits: Fact, fits_not: Fact) -> None:
    row = {"_id": "it", "queue": "'keep'", ("own_queue" if fact == "queue" else fact): cell}
    assert rule_of(row, KEEP_ALL, **{fact: fits}) == "it"
    assert rule_of(row, KEEP_ALL, **{fact: fits_not}) == "all_others"


amounts = some.decimals(min_value=0, max_value=10**11, places=2)


@given(bound=some.integers(0, 10**9).map(lambda cents: Decimal(cents) / 100), first=amounts, second=amounts)
def test_what_is_remembered_of_one_amount_holds_for_others_that_lie_alike(
    bound: Decimal, first: Decimal, second: Decimal
) -> None:
    row = {"_id": "above", "claimed_amount": f"> {bound}", "queue": "'keep'"}
    table = read_routes(written(row, KEEP_ALL), version="draft")
    for amount in (first, second, bound, first):
        found = table.route(PLAIN | {"claimed_amount": amount})
        assert found is not None
        assert (found.rule == "above") is (amount > bound)


BROKEN: dict[str, tuple[str, str]] = {
    "a fact nobody knows": (
        json.dumps(jdm(KEEP_ALL, inputs=[{"id": "sevrity", "name": "s", "field": "sevrity"}])),
        "knows nothing of `sevrity`",
    ),
    "a misspelled code": (written({"_id": "a", "severity": "'majr'", "queue": "'keep'"}), "never `majr`"),
    "a code without quotation marks": (written({"_id": "a", "severity": "major", "queue": "'keep'"}), "understood"),
    "a condition that is an expression": (
        written({"_id": "a", "severity": "'major' or injured", "queue": "'keep'"}),
        "understood",
    ),
    "an amount as a text": (written({"_id": "a", "claimed_amount": "'100'", "queue": "'keep'"}), "understood"),
    "a flag that is none": (written({"_id": "a", "injured": "yes", "queue": "'keep'"}), "understood"),
    "a queue that there is not": (written({"_id": "a", "queue": "'claims.revew'"}), "its queue is"),
    "the error queue": (written({"_id": "a", "queue": f"'{UNROUTED}'"}), "its queue is"),
    "no queue": (written({"_id": "a"}), "its queue is"),
    "a skill that is none": (written({"_id": "a", "queue": "'keep'", "skills": "['survey']"}), "is no skill"),
    "skills that are no list": (written({"_id": "a", "queue": "'keep'", "skills": "'skill:a'"}), "skills are written"),
    "green in words": (written({"_id": "a", "queue": "'keep'", "green": "maybe"}), "`green` is true"),
    "a column that there is not": (written({"_id": "a", "queue": "'keep'", "greeen": "true"}), "no column `greeen`"),
    "a row without a name": (written({"queue": "'keep'"}), "Every row has"),
    "a name twice": (written({"_id": "a", "injured": "true", "queue": "'keep'"}, KEEP_ALL | {"_id": "a"}), "two rows"),
    "a row that is never reached": (written(KEEP_ALL, {"_id": "b", "queue": "'keep'"}), "fits every task"),
    "no rows": (written(), "between 1 and"),
    "too many rows": (written(*({"_id": f"a{n}", "queue": "'keep'"} for n in range(501))), "between 1 and 500"),
    "another hit policy": (written(KEEP_ALL, hitPolicy="collect"), "must be `first`"),
    "something beside the table": (written(KEEP_ALL, passThrough=True), "has no `passThrough`"),
    "a default of a column": (
        written(KEEP_ALL, inputs=[{"id": "line", "name": "l", "field": "line", "defaultValue": "'x'"}]),
        "has no `defaultValue`",
    ),
    "an output too few": (written(KEEP_ALL, outputs=[{"id": "queue", "name": "q", "field": "queue"}]), "outputs must"),
    "a fact twice": (
        written(KEEP_ALL, inputs=[{"id": n, "name": "l", "field": "line"} for n in ("a", "b")]),
        "column twice",
    ),
    "something that stands twice in the file": ('{"nodes": [], "nodes": []}', "stands in the file twice"),
    "a note that is no line": (written(KEEP_ALL | {"_description": "a\u0000b"}), "`_description` is a line"),
    "no table at all": ('{"nodes": [], "edges": []}', "one input through one decision table"),
    "no object": ("[]", "not a decision table in JDM"),
    "no JSON": ("{", "not a decision table in JDM"),
    "a depth without end": ("[" * 100_000, "not a decision table in JDM"),
    "too long a file": (" " * (256 * 1024 + 1), "at most 256 kB"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_table_that_would_say_nothing_without_a_word_is_refused(what: str) -> None:
    draft, says = BROKEN[what]
    with pytest.raises(BadRoutes, match=says):
        read_routes(draft, version="draft")


def test_a_node_with_a_program_in_it_is_never_run() -> None:
    draft = jdm(KEEP_ALL)
    program = {"id": "d", "type": "functionNode", "name": "d", "content": "export const handler = () => ({})"}
    draft["nodes"].append(program)
    draft["edges"] += [{"id": "3", "type": "edge", "sourceId": "b", "targetId": "d"}]
    with pytest.raises(BadRoutes, match="nowhere else"):
        read_routes(json.dumps(draft), version="draft")


def test_what_is_kept_reads_as_what_was_given() -> None:
    row = {"_id": "a", "_description": "Hail, 冰雹", "claimed_amount": "[1..2.50]", "injured": "true"}
    said = {"queue": "'claims.external'", "skills": "['licence:survey', 'lang:en']", "green": "true"}
    table = read_routes(written(row | said, KEEP_ALL), version="draft")
    again = read_routes(json.dumps(table.body), version="draft")
    assert (again.rows, again.body) == (table.rows, table.body)
    assert again.rows[0].note == "Hail, 冰雹"
    assert again.rows[0].route.skills == ("lang:en", "licence:survey")
    assert read_routes(shipped_text(), version="x").rows == shipped_table().rows


def test_the_queues_are_those_of_the_kinds_and_the_error_queue() -> None:
    assert set(QUEUES) == {queue for kind in KINDS.values() for queue in kind.queues} | {UNROUTED}
    assert (QUEUES[UNROUTED].en, QUEUES[UNROUTED].zh) == ("Not routed", "未能分派")


# --- when a task is opened --------------------------------------------------------------------------------------------


async def store(context: Context, body: dict[str, Any], version: str = "house-routes/1") -> None:
    """A table as it lies in the database, whatever is in it."""
    async with context.transaction() as session:
        row = RoutingTable(version=version, body=body, published_at=context.now(), published_by="staff:x", why="test")
        session.add(row)


async def task_and_entries(context: Context, task_id: UUID) -> tuple[Task, list[JournalEntry]]:
    async with context.transaction() as session:
        task = await session.get_one(Task, task_id)
        query = select(JournalEntry).where(JournalEntry.case_id == task.case_id, JournalEntry.type == "task.routed")
        return task, list((await session.execute(query.order_by(col(JournalEntry.chain_seq)))).scalars())


async def triaged(context: Context, case_id: UUID, severity: str = "major") -> None:
    """As the case's process does before it asks anybody."""
    await as_process(context, case_id, j.CaseTriaged(complexity="complex", severity=severity, findings=()))


async def sound(context: Context) -> bool:
    async with context.transaction() as session:
        damages = (await verify(session)).damages + (await compare(session, context.ring)).damages
    return not damages


async def test_nothing_is_recorded_of_a_task_that_stays_where_its_kind_says(context: Context) -> None:
    claim = await reported_claim(context)
    task, entries = await task_and_entries(context, await open_task(context, claim.case_id))
    assert (task.queue, task.skills, task.is_green, entries) == ("claims.review", [], False, [])


@pytest.mark.req("TSK-2")
async def test_a_major_loss_with_people_hurt_goes_to_the_green_channel(context: Context) -> None:
    claim = await reported_claim(context, injured=3)
    await triaged(context, claim.case_id)
    task, entries = await task_and_entries(context, await open_task(context, claim.case_id))
    assert (task.queue, task.is_green, read_urgency(task.urgency).green) == ("claims.review", True, True)
    (entry,) = entries
    assert (entry.body["table"], entry.body["rule"], entry.actor) == ("routes/1", "major_injured", "system")
    assert await sound(context)


async def test_a_published_table_says_queue_skills_and_priority_and_the_journal_names_the_row(
    context: Context,
) -> None:
    said = {"queue": "'claims.external'", "skills": "['licence:survey', 'lang:en']", "raised": "true"}
    await store(context, read_routes(written({"_id": "motor", "line": "'motor'"} | said, KEEP_ALL), version="x").body)
    claim = await reported_claim(context)
    task, (entry,) = await task_and_entries(context, await open_task(context, claim.case_id))
    assert (task.queue, task.skills, task.is_raised) == ("claims.external", ["lang:en", "licence:survey"], True)
    assert task.needs.endswith("/lang:en,licence:survey")
    assert (entry.body["table"], entry.body["rule"]) == ("house-routes/1", "motor")
    assert await sound(context)


async def test_a_process_that_repeats_itself_changes_nothing(context: Context) -> None:
    row = {"_id": "motor", "line": "'motor'", "queue": "'claims.external'"}
    await store(context, read_routes(written(row, KEEP_ALL), version="x").body)
    claim = await reported_claim(context)
    task_id = await open_task(context, claim.case_id)
    async with context.transaction() as session:
        task = await session.get_one(Task, task_id)
        opened = j.TaskOpened(task_id=task_id, kind=task.kind, queue="claims.review", stage=task.stage, ask=task.ask)
        item = j.Recorded(at=context.now(), actor="system", event=opened)
        await put_on_record(context, session, case_id=claim.case_id, recorded=[item], source=j.PROCESS, first_seq=1)
    _, entries = await task_and_entries(context, task_id)
    assert len(entries) == 1


async def test_a_task_that_no_row_fits_goes_to_the_error_queue_and_operations_is_told_once_a_day(
    context: Context,
) -> None:
    row = {"_id": "health", "line": "'health'", "queue": "'keep'"}
    await store(context, read_routes(written(row), version="x").body)
    first, second = await reported_claim(context), await reported_claim(context)
    for claim in (first, second):
        task, (entry,) = await task_and_entries(context, await open_task(context, claim.case_id))
        assert (task.queue, entry.body["rule"], entry.body["table"]) == (UNROUTED, "", "house-routes/1")
    told = [n for n in await latest_notices(context, OFFICE) if "was not routed" in n.subject]
    assert [(n.recipient, n.subject[:15]) for n in told] == [("operations", first.number)]
    assert await sound(context)


@pytest.mark.parametrize("body", [{"nodes": "damaged"}, read_routes(shipped_text(), version="x").body | {"edges": []}])
async def test_a_stored_table_that_cannot_be_read_stops_no_case(context: Context, body: dict[str, Any]) -> None:
    await store(context, body)
    claim = await reported_claim(context)
    for _ in range(2):
        task, _ = await task_and_entries(context, await open_task(context, claim.case_id))
        assert task.queue == UNROUTED


async def test_a_table_that_fails_when_it_is_asked_stops_no_case(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        version, compares = "routes/1", ()

        def route(self, facts: object) -> None:
            raise RuntimeError("zen")

    monkeypatch.setattr(route_tables, "shipped_table", Failing)
    claim = await reported_claim(context)
    task, _ = await task_and_entries(context, await open_task(context, claim.case_id))
    assert task.queue == UNROUTED


async def test_the_latest_version_counts_from_the_moment_it_is_there(context: Context) -> None:
    claim = await reported_claim(context)
    for number, queue in (
        (1, "claims.external"),
        (2, "claims.review"),
        (9, "claims.external"),
        (10, "claims.authority"),
    ):
        row = {"_id": "all", "queue": f"'{queue}'"}
        await store(context, read_routes(written(row), version="x").body, f"house-routes/{number}")
        task, _ = await task_and_entries(context, await open_task(context, claim.case_id))
        assert task.queue == queue
        async with context.transaction() as session:
            assert await version_in_force(session) == f"house-routes/{number}"


async def test_every_fact_is_read_from_the_case_as_it_stands(context: Context) -> None:
    claim = await reported_claim(context, injured=1)
    tagged = j.CaseTagged(tag=CATASTROPHE, code="HAIL-2026")
    scored = j.RiskScored(likelihood=4, impact=4, level="high", findings=(), table_version="risk/1")
    await triaged(context, claim.case_id, "moderate")
    await as_process(context, claim.case_id, tagged, scored)
    task_id = await open_task(context, claim.case_id)
    async with context.transaction() as session:
        case = await session.get_one(Case, claim.case_id)
        case.details = case.details | {"region": "north"}
        case.minors, case.generation = 2, 2
        await session.flush()
        row = (await session.execute(tasks_with_facts(FACTS).where(Task.id == task_id))).mappings().one()
        found = facts_in(row, "claims.review")
        await session.rollback()
    assert found == {
        "kind": "claim",
        "task": "initial_review",
        "queue": "claims.review",
        "stage": "review",
        "line": "motor",
        "region": "north",
        "claimed_amount": Decimal("5000.00"),
        "complexity": "complex",
        "severity": "moderate",
        "injured": True,
        "minors": True,
        "catastrophe": "HAIL-2026",
        "in_catastrophe": True,
        "channel": "phone",
        "risk_level": "high",
        "reopened": True,
    }
    assert set(found) == FACTS


async def test_the_database_refuses_to_change_what_was_published(context: Context, settings: Settings) -> None:
    await store(context, shipped_table().body)
    engine = create_engine(settings.database_url.get_secret_value())
    for statement in ("UPDATE routing_tables SET why = ''", "DELETE FROM routing_tables"):
        with pytest.raises(ProgrammingError, match="permission denied"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
