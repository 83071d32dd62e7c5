"""What can go wrong in the business, as types.

Each error carries a stable `code` (for machines), a plain sentence (for people) and the HTTP status its edge
answers with, so that api and web never translate case by case. None of them is worth retrying.
"""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """A refusal the caller can understand and act on. Never retried."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 422

    def __init__(self, message: str, **details: str) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Invalid(DomainError):
    """The input breaks a rule; nothing was stored."""

    code = "invalid"
    status = 422


class NotFound(DomainError):
    """There is no such thing, or the actor may not see it: both answer alike (SEC-1)."""

    code = "not_found"
    status = 404


class NotAllowed(DomainError):
    """The actor is known but may not do this (SEC-1, CLM-9)."""

    code = "not_allowed"
    status = 403


class NotSignedIn(DomainError):
    """Nobody is signed in, or the session has ended."""

    code = "not_signed_in"
    status = 401


class Conflict(DomainError):
    """The thing has moved on: another person holds it, or it is no longer open."""

    code = "conflict"
    status = 409


class TooLarge(DomainError):
    """The body or file is over its limit; nothing was stored."""

    code = "too_large"
    status = 413


class TooMany(DomainError):
    """Too many attempts; try again later."""

    code = "too_many"
    status = 429


class Unavailable(DomainError):
    """A part of the system is away for a moment; the same call may be repeated. Nothing was lost."""

    code = "unavailable"
    status = 503
    retry_after_seconds = 5
