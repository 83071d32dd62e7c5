"""`lian authority`: a table is looked at, and checked before it is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.embedded.errors import StackError
from tests.command_line import lian

pytestmark = pytest.mark.req("CLM-9")

SMALL = """
version = "ours/1"
effective_from = 2026-01-01
[levels]
claims_adjuster_junior = 1
team_lead = 2
[[limits]]
decision = "claim"
claims_adjuster_junior = 40
team_lead = 250
"""


def test_the_table_in_force_is_shown() -> None:
    shown = lian("authority", "show")
    assert shown.exit_code == 0
    for words in ("house-authority/2", "Claims manager", "5,000,000.00", "Write-off"):
        assert words in shown.stdout


def test_an_old_table_is_shown_by_its_version_and_an_unknown_one_refused() -> None:
    assert "Claims manager" not in lian("authority", "show", "house-authority/1").stdout
    unknown = lian("authority", "show", "house-authority/9")
    assert unknown.exit_code == 1
    assert "There is no table house-authority/9" in str(unknown.exception)


def test_a_sound_table_passes_and_says_what_nobody_may_decide(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(SMALL, encoding="utf-8")
    checked = lian("authority", "validate", str(file))
    assert checked.exit_code == 0
    assert "Nobody may make this decision alone: advance." in checked.stdout
    assert "ours/1 is sound." in checked.stdout


def test_a_wrong_table_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(SMALL.replace("= 40", "= 400"), encoding="utf-8")
    checked = lian("authority", "validate", str(file))
    assert checked.exit_code == 1
    assert "limit of team_lead must be above" in str(checked.exception)
    assert isinstance(checked.exception, StackError)
