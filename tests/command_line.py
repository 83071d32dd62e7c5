"""The command line in tests: its own environment, pointed at the test's installation."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from lian.cli import app
from lian.settings import Settings


@pytest.fixture
def as_installed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LIAN_*` as a server would have it."""
    for name in ("database_url", "data_keys", "certificate_key", "s3_secret_key"):
        monkeypatch.setenv(f"LIAN_{name.upper()}", getattr(settings, name).get_secret_value())
    monkeypatch.setenv("LIAN_S3_ENDPOINT", settings.s3_endpoint)


def lian(*words: str, given: str = "") -> Result:
    """Run `lian ...` with something on standard input."""
    return CliRunner().invoke(app, list(words), input=given)
