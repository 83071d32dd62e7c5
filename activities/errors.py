"""Refusals of the domain, as Temporal carries them: permanent is a type, and never retried."""

from __future__ import annotations

from temporalio.exceptions import ApplicationError

from lian.domain import errors
from lian.domain.errors import DomainError

BY_CODE: dict[str, type[DomainError]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DomainError)
}


def refusal(error: DomainError) -> ApplicationError:
    """The domain's refusal as a non-retryable failure."""
    return ApplicationError(error.message, error.details, type=error.code, non_retryable=True)


def original(failure: ApplicationError) -> DomainError:
    """The refusal again, on the caller's side. An unknown type is a plain refusal."""
    details = dict(failure.details[0]) if failure.details else {}
    return BY_CODE.get(failure.type or "", DomainError)(failure.message, **details)
