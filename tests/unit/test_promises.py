"""How customers are told a promise: in days by the day, in hours by the moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lian.domain.case_kinds import KINDS
from lian.domain.sla import Unit


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_promise_is_told_by_the_hour_where_its_own_clock_counts_hours(kind: str, unit: Unit) -> None:
    definition = KINDS[kind]
    clocks = tuple(
        replace(clock, unit=unit if clock.id == definition.promise else Unit.HOURS) for clock in definition.clocks
    )
    assert replace(definition, clocks=clocks).is_promised_by_the_hour is (unit is Unit.HOURS)
