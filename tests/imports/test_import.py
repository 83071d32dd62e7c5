"""`lian import claims`: the good rows become cases once, the bad ones are told, whatever is repeated."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path

import pytest
from sqlmodel import func, select

from lian.db.tables import Case, Exposure, OutboxMessage, Person, Policy
from lian.services.claim_import import Counts, FileRow, import_claims, open_claims
from lian.services.context import Context
from tests.command_line import as_installed, lian
from tests.imports.builders import REAL_FILE, csv_text, default_mapping, row

__all__ = ["as_installed"]

MAPPING = default_mapping()
SOME = 40
BAD_ROWS = [
    row(policy_number="2", incident_date="yesterday"),
    row(policy_number="3", vehicle_claim="-1"),
    row(policy_number="4", vehicle_claim="NaN"),
    row(policy_number="5", total_claim_amount="1"),
    row(policy_number="6", incident_type="?"),
    row(policy_number="7", incident_date="2999-01-01"),
    row(policy_number="8", incident_city="=HYPERLINK(1)", policy_csl="0"),
    row(),  # repeats the first row
]


async def run(context: Context, path: Path) -> tuple[Counts, list[tuple[int, str]]]:
    told: list[tuple[int, str]] = []

    def reject(bad: FileRow, reason: str) -> None:
        told.append((bad.line, reason))

    counts = await import_claims(context, open_claims(path, MAPPING), MAPPING, reject=reject)
    return counts, sorted(told)


async def count(context: Context, model: type) -> int:
    async with context.transaction() as session:
        return int((await session.execute(select(func.count()).select_from(model))).scalar_one())


@pytest.mark.req("CLM-1")
async def test_good_rows_become_running_cases_and_bad_ones_are_told(context: Context, tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(csv_text([row(), *BAD_ROWS, row(policy_number="9")]), encoding="utf-8")
    counts, told = await run(context, path)
    assert (counts.new, counts.already_there, counts.rejected) == (2, 0, len(BAD_ROWS))
    assert [line for line, _ in told] == list(range(3, 11))
    assert told[5][1] == "The loss cannot lie in the future."
    assert told[-1][1] == "It has the same policy and date of loss as line 2; only that one is imported."
    assert (await count(context, Case), await count(context, OutboxMessage)) == (2, 2)
    async with context.transaction() as session:
        case = (await session.execute(select(Case).where(Case.policy_number == "9"))).scalars().one()
        exposures = (await session.execute(select(Exposure).where(Exposure.case_id == case.id))).scalars().all()
    assert (case.channel, case.status, case.currency) == ("import", "open", "USD")
    assert sum(e.claimed_amount for e in exposures) == case.claimed_amount == 6500


async def test_a_second_import_adds_nothing(context: Context, tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    rows = [row(policy_number=str(n)) for n in range(20)]
    path.write_text(csv_text(rows), encoding="utf-8")
    assert (await run(context, path))[0].new == 20
    people = await count(context, Person)
    path.write_text(csv_text(list(reversed(rows))), encoding="utf-8")
    counts, _ = await run(context, path)
    assert (counts.new, counts.already_there, counts.rejected) == (0, 20, 0)
    assert (await count(context, Case), await count(context, Policy), await count(context, Person)) == (20, 20, people)


async def test_a_row_that_changed_since_it_was_imported_is_told_and_changes_nothing(
    context: Context, tmp_path: Path
) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(csv_text([row()]), encoding="utf-8")
    await run(context, path)
    path.write_text(csv_text([row(vehicle_claim="4551", total_claim_amount="6501")]), encoding="utf-8")
    counts, told = await run(context, path)
    assert counts.rejected == 1
    assert told == [(2, "This claim was imported before with other content; it was left as it is.")]
    assert await count(context, Case) == 1


@pytest.mark.skipif(not REAL_FILE.exists(), reason=f"the real claims are not on this machine ({REAL_FILE})")
async def test_real_rows_are_imported_once(context: Context, tmp_path: Path) -> None:
    # The first of them: all 588 are mapped in test_rows.py, and imported by whoever runs the simulation.
    path = tmp_path / "claims.csv"
    with REAL_FILE.open("rb") as file:
        path.write_bytes(b"".join(islice(file, SOME + 1)))
    counts, told = await run(context, path)
    assert (counts.new, counts.rejected, told) == (SOME, 0, [])
    counts, _ = await run(context, path)
    assert (counts.new, counts.already_there) == (0, SOME)


@pytest.mark.usefixtures("as_installed")
def test_the_command_says_what_it_did_and_lists_bad_rows_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(csv_text([row(), *BAD_ROWS]), encoding="utf-8")
    told = lian("import", "claims", str(path))
    assert told.exit_code == 0, told.output
    assert "9 rows: 1 new, 0 already there, 8 rejected." in told.output
    with (tmp_path / "claims.rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
    assert sorted(int(r["line"]) for r in listed) == list(range(3, 11))
    assert {r["policy_number"]: r["reason"] for r in listed}["3"] == "vehicle_claim: an amount cannot be negative."
    assert {r["policy_number"]: r["incident_city"] for r in listed}["8"] == "'=HYPERLINK(1)"
    assert {r["policy_number"]: r["vehicle_claim"] for r in listed}["3"] == "-1"


@pytest.mark.usefixtures("as_installed")
def test_a_second_run_of_the_command_says_that_nothing_was_added(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(csv_text([row()]), encoding="utf-8")
    lian("import", "claims", str(path))
    told = lian("import", "claims", str(path))
    assert "1 row: 0 new, 1 already there, 0 rejected." in told.output
    assert "nothing was added" in told.output
    assert not (tmp_path / "claims.rejected.csv").exists()


@pytest.mark.usefixtures("as_installed")
def test_bad_rows_of_a_file_in_a_closed_folder_go_to_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, here = tmp_path / "closed", tmp_path / "here"
    closed.mkdir()
    here.mkdir()
    (closed / "claims.csv").write_text(csv_text([row(policy_number="")]), encoding="utf-8")
    closed.chmod(0o555)
    monkeypatch.chdir(here)
    told = lian("import", "claims", str(closed / "claims.csv"))
    assert f"{closed} cannot be written to." in told.output
    assert [path.name for path in here.iterdir()] == ["claims.rejected.csv"]
    closed.chmod(0o755)
