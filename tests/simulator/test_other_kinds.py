"""Robots work every kind of case, also one that nobody taught them (INQ-1, idea 5)."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from api.app import create_api
from infra.simulator import staff
from infra.simulator.accounts import hire
from infra.simulator.bank import Bank
from infra.simulator.client import Api
from infra.simulator.office import Office
from infra.simulator.report import gather_report
from lian.auth.permissions import ROLES
from lian.domain.case_kinds import KINDS
from lian.domain.parties import Channel
from lian.services.opening import intakes, open_case
from lian.settings import Settings
from tests.cast import OFFICE, ZHAO
from tests.installation import installation
from tests.made_up import SURVEY


@pytest.mark.req("INQ-1")
async def test_robots_close_every_kind_from_its_definition(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, SURVEY.id, SURVEY)
    for role in ROLES:
        monkeypatch.setitem(staff.QUEUES, role, staff.queues_of(role))
    own = settings.model_copy(update={"s3_bucket": f"robots-{uuid4().hex[:12]}"})
    async with installation(own) as (context, _):
        opened = 0
        for kind, intake in intakes().values():
            for answers in intake.examples:
                await open_case(
                    context, OFFICE, kind.id, answers=answers, reporter=ZHAO, channel=Channel.WEB, key=uuid4().hex
                )
                opened += 1
        accounts = await hire(context, staff.cast(5))
        async with Api("http://robots", transport=httpx.ASGITransport(create_api(context)), patience=60) as api:
            office = Office(api, accounts, Bank(context.store, 7), seed=7)
            seconds = await office.work()
            report = await gather_report(context, office, seconds)
    assert report.problems + report.damages + report.differences == []
    assert office.violations == []
    assert sum(report.outcomes.values()) == opened
    assert report.on_time.late == 0
