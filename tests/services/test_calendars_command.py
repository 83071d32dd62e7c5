"""`lian calendars`: what a person reads of them, without a stack and with one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lian.services.calendar_revisions import revise_year
from lian.services.calendar_years import sealed
from lian.services.calendars import shipped, shipped_years
from lian.services.context import Context
from tests.cast import hire
from tests.command_line import as_installed, lian

__all__ = ["as_installed"]


@pytest.fixture(autouse=True)
def _no_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIAN_HOME", str(tmp_path / "nothing-runs-here"))


def edited_file(folder: Path, **changes: Any) -> str:
    """China's 2026 as somebody edited it."""
    path = folder / "2026.json"
    path.write_text(json.dumps(sealed(shipped_years()["CN", 2026]) | changes), encoding="utf-8")
    return str(path)


def test_the_list_shows_what_each_calendar_covers_and_its_version() -> None:
    shown = lian("calendars", "list").stdout
    for name, calendar in shipped().items():
        assert name in shown
        assert calendar.version in shown
    for words in ("2018 to 2026", "2018 to 2027", "Europe/London", "always"):
        assert words in shown


def test_a_calendar_shows_its_years_and_a_year_its_days_and_source() -> None:
    years = lian("calendars", "show", "CN").stdout
    assert shipped_years()["CN", 2020].sha256[:12] in years
    assert "as shipped" in years
    days = lian("calendars", "show", "CN", "2026").stdout
    for words in ("CN 2026, published, as shipped", "2026-02-14", "make-up working day", "春节", "weekend Sat, Sun"):
        assert words in days
    assert "国务院办公厅关于2026年部分节假日安排的通知" in days
    assert shipped_years()["CN", 2026].source_url in days


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("show", "FR"), "There is no calendar FR; there are CN, SG"),
        (("show", "CN", "2027"), "The calendar CN has no year 2027: it has 2018 to 2026."),
        (("diff", "CN", "2026"), "Name either a FILE or --shipped."),
        (("diff", "CN", "2027", "--shipped"), "No CN 2027 is shipped."),
        (("diff", "CN", "2026", "missing.json"), "missing.json cannot be read"),
        (("refresh", "--name", "FR"), "There is no source for FR"),
    ],
)
def test_a_refusal_is_one_sentence(words: tuple[str, ...], refusal: str) -> None:
    done = lian("calendars", *words)
    assert done.exit_code == 1
    assert refusal in str(done.exception)


def test_a_difference_names_each_date_and_whether_deadlines_may_move(tmp_path: Path) -> None:
    body = shipped_years()["CN", 2026].body
    off = [*body["off"], {"date": "2026-12-07", "name_en": "Mourning"}]
    shown = lian("calendars", "diff", "CN", "2026", edited_file(tmp_path, off=off, source="By hand")).stdout
    for words in ("2026-12-07 Mon", "off: Mourning", "may move", "source", "By hand"):
        assert words in shown
    assert lian("calendars", "diff", "CN", "2026", "--shipped").stdout == "Nothing would change.\n"


def test_a_file_that_cannot_be_is_refused(tmp_path: Path) -> None:
    wrong = lian("calendars", "diff", "CN", "2026", edited_file(tmp_path, work=["2026-10-01"]))
    assert "both a day off and a make-up working day" in str(wrong.exception)
    other = lian("calendars", "diff", "CN", "2025", edited_file(tmp_path))
    assert "holds CN 2026, not CN 2025" in str(other.exception)


def test_a_refresh_writes_files_with_hash_and_status_and_refuses_what_nobody_announced(tmp_path: Path) -> None:
    years = ("--year", "2026", "--year", "2027", "--into", str(tmp_path))
    done = lian("calendars", "refresh", "--name", "CN", "--name", "UK-SCT", *years)
    assert done.stdout.splitlines() == [
        "CN 2026: written, published",
        "CN 2027: refused, CN is published until 2026; 2027 would be a guess.",
        "UK-SCT 2026: written, published",
        "UK-SCT 2027: written, published",
    ]
    written = json.loads((tmp_path / "CN" / "2026.json").read_text(encoding="utf-8"))
    assert (written["off"], written["status"]) == (shipped_years()["CN", 2026].body["off"], "published")
    again = lian("calendars", "refresh", "--name", "UK-SCT", *years)
    assert again.stdout == "2 years say the same as before.\n"


async def test_where_an_installation_is_at_hand_its_revisions_are_shown(context: Context, as_installed: None) -> None:
    import asyncio

    body = shipped_years()["CN", 2026].body
    revised = body | {"off": [*body["off"], {"date": "2026-12-07", "name_en": "Mourning"}]}
    await revise_year(context, await hire(context, "admin"), body=revised, reason="A notice")
    listed = await asyncio.to_thread(lian, "calendars", "list")
    assert "2026 (r1)" in listed.stdout
    shown = await asyncio.to_thread(lian, "calendars", "show", "CN", "2026")
    for words in ("revision 1", "Mourning", ": A notice"):
        assert words in shown.stdout
    back = await asyncio.to_thread(lian, "calendars", "diff", "CN", "2026", "--shipped")
    assert "off: Mourning" in back.stdout
