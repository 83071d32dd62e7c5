"""How a command reaches the installation it is meant for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from infra.embedded.errors import StackError
from lian.domain.errors import DomainError
from lian.runtime import open_context
from lian.services.context import Context
from lian.settings import Settings, UnsafeSettings

T = TypeVar("T")
NOTHING_RUNS = "No stack runs in this folder, and LIAN_DATABASE_URL names none; start one with: lian up"


def settings_in_use() -> Settings:
    """The settings of the running stack, or of the installation the environment names. Raises `StackError`."""
    try:
        settings = Settings()
        if not settings.database_url.get_secret_value():
            raise StackError(NOTHING_RUNS)
        settings.require_safe()
    except (UnsafeSettings, ValueError, OSError) as error:
        raise StackError(str(error)) from error
    return settings


def with_context(work: Callable[[Context], Awaitable[T]]) -> T:
    """Do the work; a refusal becomes one sentence. Ctrl-C ends it with exit code 130."""

    async def all_of_it() -> T:
        async with open_context(settings_in_use()) as context:
            return await work(context)

    try:
        return asyncio.run(all_of_it())
    except DomainError as refused:
        raise StackError(refused.message) from refused
    except ExceptionGroup as group:
        raise StackError(_first_sentence(group)) from group
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _first_sentence(group: ExceptionGroup[Exception]) -> str:
    for error in group.exceptions:
        if isinstance(error, DomainError):
            return error.message
        if isinstance(error, ExceptionGroup):
            return _first_sentence(error)
    raise group
