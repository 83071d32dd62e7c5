"""Accounts for robots, made on the server itself: everything after that goes through the API."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from infra.simulator.staff import Account
from lian.domain.errors import Conflict
from lian.services.accounts import NewStaff, create_staff, issue_reset, reset_password
from lian.services.context import Context

PASSWORD_BYTES = 18


async def hire(context: Context, cast: Sequence[tuple[str, str, str]]) -> list[Account]:
    """An account for each (user name, name, role) with a fresh random password; one that exists gets a new password."""
    return [await _hire(context, *who) for who in cast]


async def _hire(context: Context, username: str, name: str, role: str) -> Account:
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    try:
        new = NewStaff(username=username, name=name, password=password, roles=(role,))
        await create_staff(context, None, new)
    except Conflict:
        await reset_password(context, await issue_reset(context, None, username), password)
    return Account(username=username, password=password, name=name, role=role)
