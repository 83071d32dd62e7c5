"""Sign-in, codes and resets: what somebody without the secret can try, and learn (SEC-1)."""

from __future__ import annotations

import asyncio

import pytest

from lian.domain.errors import NotSignedIn, TooMany
from lian.services.accounts import ATTEMPTS, CODES_PER_WINDOW, issue_reset, reset_password, send_code, sign_in
from lian.services.context import Context
from tests.cast import hire, reported_claim

pytestmark = pytest.mark.req("SEC-1")


async def test_asking_for_codes_again_and_again_does_not_tell_whether_there_is_such_a_case(context: Context) -> None:
    real = (await reported_claim(context)).number

    async def asked(number: str) -> list[str]:
        answers = []
        for _ in range(CODES_PER_WINDOW + 1):
            try:
                await send_code(context, number)
                answers.append("sent")
            except TooMany:
                answers.append("too many")
        return answers

    assert await asked(real) == await asked("CLM-2020-999999")


async def test_guesses_made_at_the_same_moment_count_like_guesses_in_a_row(context: Context) -> None:
    await hire(context, "wang")

    async def guess(password: str) -> str:
        try:
            await sign_in(context, "wang", password)
        except (NotSignedIn, TooMany) as refused:
            return refused.code
        return "signed in"

    answers = await asyncio.gather(*(guess(f"wrong password {n}") for n in range(12)))
    assert answers.count(NotSignedIn.code) == ATTEMPTS
    assert answers.count(TooMany.code) == 12 - ATTEMPTS


async def test_a_reset_spends_every_other_link_of_the_account(context: Context) -> None:
    await hire(context, "wang")
    older = await issue_reset(context, None, "wang")
    await reset_password(context, await issue_reset(context, None, "wang"), "a better password")
    with pytest.raises(NotSignedIn):
        await reset_password(context, older, "the thief's password")
