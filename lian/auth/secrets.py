"""Passwords, session tokens and one-time codes: only hashes are ever stored."""

from __future__ import annotations

import hashlib
import secrets

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from lian.domain.errors import Invalid

_ARGON2 = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
MIN_PASSWORD = 10
MAX_PASSWORD = 200


def hash_password(password: str) -> str:
    """Argon2id hash. Raises `Invalid` for a password that is too short or absurdly long."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Invalid(f"A password needs {MIN_PASSWORD} to {MAX_PASSWORD} characters.", field="password")
    return _ARGON2.hash(password)


def verify_password(password: str, hashed: str) -> bool:
    """Whether the password is the right one; takes as long for a wrong one."""
    return len(password) <= MAX_PASSWORD and _ARGON2.verify(password, hashed)


NOBODY = _ARGON2.hash("nobody-has-this-password")
"""Verified when there is no such account, so that the answer takes as long."""


def new_token() -> str:
    """A session or reset token with 256 bits of chance."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """A six-digit one-time code."""
    return f"{secrets.randbelow(1_000_000):06d}"


def hash_token(token: str) -> str:
    """What is stored of a token: enough chance in it that no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
