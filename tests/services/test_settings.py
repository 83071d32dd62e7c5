"""Settings: secrets from files, and no start without protection."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from lian.settings import Settings, UnsafeSettings

KEY = base64.b64encode(bytes(32)).decode()


def safe(**changes: object) -> Settings:
    values = {"data_keys": f"k1:{KEY}", "s3_secret_key": "s", "database_url": "postgresql+psycopg://u@h/d"}
    return Settings(**(values | changes))  # type: ignore[arg-type]


def test_a_secret_is_read_from_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"k2:{KEY}\n", encoding="utf-8")
    monkeypatch.setenv("LIAN_DATA_KEYS_FILE", str(path))
    assert list(Settings().key_ring) == ["k2"]


@pytest.mark.parametrize("missing", ["data_keys", "s3_secret_key", "database_url"])
def test_without_a_secret_nothing_starts(missing: str) -> None:
    with pytest.raises(UnsafeSettings, match=f"LIAN_{missing.upper()}"):
        safe(**{missing: ""}).require_safe()


def test_beyond_loopback_only_https_starts() -> None:
    with pytest.raises(UnsafeSettings, match="https"):
        safe(web_host="0.0.0.0").require_safe()
    safe(web_host="0.0.0.0", public_url="https://claims.example").require_safe()
    safe(web_host="0.0.0.0", demo=True).require_safe()


def test_a_short_key_is_refused() -> None:
    with pytest.raises(UnsafeSettings, match="32 bytes"):
        _ = safe(data_keys="k1:YWJj").key_ring


def test_secrets_are_not_printed() -> None:
    assert KEY not in repr(safe())
