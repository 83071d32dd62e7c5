"""Secrets: what is stored of a password costs whoever steals it as much as is recommended (SEC-1)."""

from __future__ import annotations

import pytest

from lian.auth.secrets import NOBODY, hash_password, verify_password


@pytest.mark.req("SEC-1")
def test_passwords_are_hashed_with_the_cost_that_owasp_recommends() -> None:
    """Of the product's own hasher: the tests' is cheaper, and this was made before it took over."""
    assert NOBODY.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.req("SEC-1")
def test_only_the_same_password_fits() -> None:
    hashed = hash_password("correct horse battery")
    assert "correct" not in hashed
    assert verify_password("correct horse battery", hashed)
    assert not verify_password("correct horse batterz", hashed)
    assert hash_password("correct horse battery") != hashed
