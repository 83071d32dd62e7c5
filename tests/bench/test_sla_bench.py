"""`lian bench sla`: figures are measured and printed; how large they are depends on the machine."""

from __future__ import annotations

import json

import pytest

from lian.cli import bench
from tests.command_line import lian
from tests.servers import Servers

FEW = ("--ledgers", "300", "--rounds", "2")
ALONE = ("--promises", "0")
RATES = {
    "due_per_second",
    "due_per_second_from_ledger",
    "sort_and_bisect_per_second",
    "empty_loop_per_second",
    "share_of_ceiling",
}


def test_the_figures_are_printed_for_programs() -> None:
    printed = lian("bench", "sla", "--json", *FEW, *ALONE)
    assert printed.exit_code == 0
    figures = json.loads(printed.stdout)
    assert set(figures) == RATES | {"ledgers", "pauses", "rounds"}
    assert all(figures[name] > 0 for name in RATES)
    assert (figures["ledgers"], figures["pauses"], figures["rounds"]) == (300, 3, 2)


def test_the_figures_are_printed_for_people() -> None:
    printed = lian("bench", "sla", *FEW, *ALONE)
    assert printed.exit_code == 0
    assert "deadlines per second, from ledgers with times" in printed.stdout
    assert len(printed.stdout.splitlines()) == len(RATES) + 3


def test_every_ledger_is_another_one_and_the_same_in_every_run() -> None:
    first, second = (list(bench.different_cases(2000)) for _ in range(2))
    assert len(set(first)) == 2000
    assert first == second


@pytest.mark.req("CLM-12")
def test_recomputing_is_measured_in_a_database_made_for_it(servers: Servers) -> None:
    figures = json.loads(lian("bench", "sla", "--json", "--promises", "2000", *FEW).stdout)
    assert figures["what_if_cases"] == 800
    assert 0 < figures["what_if_moved"] < 2000
    assert 0 < figures["what_if_2k_reading_seconds"] < figures["what_if_2k_seconds"] < 10
