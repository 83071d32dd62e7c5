"""The checks of a checkout find what they look for, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.checks import secrets
from infra.checks.licences import is_allowed


@pytest.mark.parametrize("expression", ["MIT", "MIT AND PSF-2.0", "GPL-3.0-only OR MIT", "(Apache-2.0 OR MIT)", "bsd"])
def test_licences_we_can_live_with(expression: str) -> None:
    assert is_allowed(expression)


@pytest.mark.parametrize("expression", ["AGPL-3.0-only", "MIT AND GPL-3.0-only", "Proprietary", ""])
def test_licences_we_refuse(expression: str) -> None:
    assert not is_allowed(expression)


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "url = postgresql://lian:" + "hunter2hunter2@db/lian",
        "--extra-index" + "-url=https://packages.example",
        'key = "' + "q7Zx1Lm9Pw3Ks5Vt8" + "Yb2Nc4Rd6Fg0Hj7Ae" + '"',
        "cd /ro" + "ot/project",
    ],
)
def test_secrets_are_found(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "CHECKOUT", tmp_path)
    (tmp_path / "file.txt").write_text(f"first\n{line}\n", encoding="utf-8")
    found = list(secrets.finds(tmp_path / "file.txt"))
    assert found
    assert found[0].startswith("file.txt:2: ")
    assert line not in found[0]


@pytest.mark.parametrize(
    "line", ["smtp://user:password@host:587", "a" * 64, "def test_a_killed_process_is_started_again"]
)
def test_ordinary_lines_are_left_alone(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "CHECKOUT", tmp_path)
    (tmp_path / "file.txt").write_text(line, encoding="utf-8")
    assert list(secrets.finds(tmp_path / "file.txt")) == []
