"""The whole office on the real servers: import, work until closed, check; and the demo, twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlmodel import select

from api.app import create_api
from infra.simulator.accounts import hire
from infra.simulator.bank import Bank
from infra.simulator.client import Api
from infra.simulator.demo import fill
from infra.simulator.demo_data import TARGETS
from infra.simulator.office import Office
from infra.simulator.report import gather_report
from infra.simulator.staff import FEWEST, cast
from lian.db.tables import Correction, Objection, PanelVote, RecoveryClaim, Task
from lian.services.cases import CaseQuery, list_cases
from lian.services.claim_import import import_claims, open_claims
from lian.services.context import Context
from lian.settings import Settings
from tests.cast import OFFICE
from tests.imports.builders import csv_text, default_mapping, row
from tests.installation import installation

CLAIMS = 6


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[Context]:
    """A whole installation with a bucket of its own: the bank in it must not answer other tests' transfers."""
    async with installation(settings.model_copy(update={"s3_bucket": f"robots-{uuid4().hex[:12]}"})) as (made, _):
        yield made


def api_of(context: Context) -> Api:
    return Api("http://robots", transport=httpx.ASGITransport(create_api(context)), patience=60)


@pytest.mark.req("CLM-7", "CLM-9", "CLM-10", "CLM-11")
async def test_robots_close_every_imported_claim_and_everything_checks(running: Context, tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(csv_text([row(policy_number=str(n)) for n in range(CLAIMS)]), encoding="utf-8")
    mapping = default_mapping()
    await import_claims(running, open_claims(path, mapping), mapping, reject=lambda bad, reason: None)
    accounts = await hire(running, cast(FEWEST))
    async with api_of(running) as api:
        office = Office(api, accounts, Bank(running.store, 5), seed=5)
        seconds = await office.work()
        report = await gather_report(running, office, seconds)
    assert report.problems + report.damages + report.differences == []
    assert (report.cases, sum(report.outcomes.values())) == (CLAIMS, CLAIMS)
    assert report.branches["referred"] == report.commands.get("examine_suspicion", 0)
    assert report.on_time.late == 0
    assert report.actions.median > 5
    assert report.as_json()["is_right"] is True


async def test_robots_that_come_again_get_new_passwords(running: Context) -> None:
    first = await hire(running, cast(FEWEST))
    again = await hire(running, cast(FEWEST))
    assert [a.username for a in first] == [a.username for a in again]
    assert {a.password for a in first}.isdisjoint(a.password for a in again)
    async with api_of(running) as api:
        assert await api.sign_in(again[0].username, again[0].password)


async def test_the_demo_fills_all_stages_and_does_nothing_the_second_time(running: Context) -> None:
    async with api_of(running) as api:
        sight = await fill(running, api)
        assert sight.not_finished == ()
        assert sight.new == sum(count for _, count in TARGETS) + 1
        before = await list_cases(running, OFFICE, CaseQuery(limit=200))
        again = await fill(running, api)
    assert (again.new, again.waiting, again.paid) == (0, sight.waiting, sight.paid)
    assert [c.version for c in await list_cases(running, OFFICE, CaseQuery(limit=200))] == [c.version for c in before]
    stages = {case.stage for case in before}
    assert {"review", "documents", "assessment", "decision", "settlement", "payment", "closed"} <= stages
    assert {case.outcome for case in before} == {"", "paid", "denied", "withdrawn"}
    async with running.transaction() as session:
        waiting = set((await session.execute(select(Task.kind).where(Task.status == "open"))).scalars())
        votes = (await session.execute(select(PanelVote))).scalars().all()
        objections = (await session.execute(select(Objection.status))).scalars().all()
        corrections = (await session.execute(select(Correction.status))).scalars().all()
        recoveries = (await session.execute(select(RecoveryClaim.status))).scalars().all()
    assert {"examine_suspicion", "panel_vote", "review_objection", "judge_duplicate"} <= waiting
    assert (len(votes), objections, corrections, recoveries) == (1, ["open"], ["applied"], ["open"])
    assert {c.number: c.stage for c in before}[sight.waiting] == "documents"
    assert {c.number: c.outcome for c in before}[sight.paid] == "paid"
